/* Speakers back to back under a virtual clock: what the daemon does with sockets, done with byte
 * queues. Node i has the address 192.0.2.(i + 1), which is its router id, too.
 *
 * Without more ado octets arrive at once and all together. The faults of struct sim and of its
 * halves are those of TCP: octets come late and in pieces but in order, a connection is lost at any
 * octet, for both sides or for one (and the other learns it from a reset, or never), a call is
 * refused or gets no answer. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/speaker.h"
#include "lib/hmap.h"

#define SIM_NODES 8
#define SIM_PIPES 64
#define SIM_SOCKET 65536 /* what a socket buffer takes at most */

struct sim_known {
	uint8_t key[8];
	uint8_t key_len, payload;
	uint32_t next_hop;
	bool stale;
	struct attrs attrs; /* spans are not valid */
	uint8_t cluster_len, as_path_len;
};

struct sim_node {
	struct speaker *s;
	struct ip address;
	/* Called instead of keeping `known`. */
	void (*best)(void *arg, const struct best_change *c, uint64_t now_ms);
	void *arg;
	/* What the watch was told: the best paths. */
	struct hmap known; /* of struct sim_known */
	unsigned tells, losses, converged;
	bool refuse; /* incoming connections are refused by TCP */
	bool silent; /* or get no answer */
};

/* Octets that left together. */
struct sim_segment {
	uint64_t due_ms;
	uint64_t end; /* of all octets ever sent */
};

/* One direction of a connection. */
struct sim_half {
	struct conn *conn; /* the reader's; NULL: that side has closed */
	int node;          /* the reader */
	uint8_t *bytes;
	size_t len, cap;
	bool eof, failed;
	bool stopped;    /* the reader does not read */
	bool accepted;   /* the reader did not open the connection */
	uint64_t octets; /* ever sent */
	struct sim_segment *seg;
	unsigned seg_head, segs, seg_cap;
	unsigned rate; /* octets that the reader takes in SIM_TICK_MS; 0: all there are */
	uint64_t read_ms;
	bool cutting; /* lost when `cut_after` more octets have come */
	uint64_t cut_after;
};

#define SIM_TICK_MS 10

/* Who learns of the loss of a connection. */
enum sim_loss { SIM_BOTH, SIM_READER, SIM_READER_THEN_RESET };

struct sim_pipe {
	bool used;
	bool calling;    /* half[1] waits for the answer */
	uint64_t due_ms; /* of the answer */
	bool dead;       /* nothing gets through */
	bool resets;     /* but a reset, to him who sends */
	enum sim_loss loss;
	struct sim_half half[2];
};

struct sim {
	uint64_t now;
	struct sim_node node[SIM_NODES];
	struct sim_pipe *pipe;
	unsigned pipes; /* of which are or were in use */
	uint64_t random;
	unsigned lag_ms; /* octets and answers to calls take up to so long */
	bool black_hole; /* connection attempts get no answer */
	size_t chunk;    /* octets handed over at once; 0: all there are */
	bool cut_up;     /* or a random part of them */
	unsigned turns_max; /* with no time going by, until it is called a storm; 0: 2 000 000 */
	bool storm;
	size_t socket;   /* what a socket buffer takes; 0: SIM_SOCKET */
};

void sim_init(struct sim *m);
void sim_free(struct sim *m);
struct speaker_config sim_config(uint32_t as, int node);
void sim_start(struct sim *m, int node, const struct speaker_config *c);
/* The process dies; the kernel closes its connections. */
void sim_kill(struct sim *m, int node);
/* The machine dies: nobody hears of it, until he sends. */
void sim_power_off(struct sim *m, int node);
/* The connection of `h` is lost after so many more octets in its direction. */
void sim_cut(struct sim *m, struct sim_half *h, uint64_t after, enum sim_loss loss);
unsigned sim_random(struct sim *m, unsigned n);
/* Node `from` configures node `to`; returns the neighbour. */
struct neighbor *sim_neighbor(
	struct sim *m, int from, int to, uint32_t as, void (*edit)(struct neighbor_config *c));
/* One turn of everybody's loop; true if anything moved. */
bool sim_turn(struct sim *m);
/* When something is due: a deadline, octets that arrive, a reader's next tick. */
uint64_t sim_next(const struct sim *m);
/* Until nothing moves at this time. */
void sim_settle(struct sim *m);
/* The clock goes on, deadline by deadline. */
void sim_run(struct sim *m, uint64_t ms);
/* Until `done`; false after `ms`. */
bool sim_until(struct sim *m, bool (*done)(struct sim *m), uint64_t ms);

void sim_originate(struct sim *m, int node, uint32_t number, uint8_t payload);
/* With communities on it, 4 octets each. */
void sim_originate_with(struct sim *m, int node, uint32_t number, uint8_t payload, struct span communities);
void sim_withdraw(struct sim *m, int node, uint32_t number);
/* The best path of a key as the watch of a node knows it, or NULL. */
const struct sim_known *sim_known(const struct sim *m, int node, uint32_t number);
bool sim_up(const struct sim *m, int node, int peer);
struct neighbor_view sim_view(const struct sim *m, int node, int peer);
/* The half in which `from` sends to `to`. */
struct sim_half *sim_half(struct sim *m, int from, int to);
void sim_stop_reading(struct sim *m, int reader, int from, bool stop);
