/* Speakers back to back under a virtual clock: what the daemon does with sockets, done with byte
 * queues. Node i has the address 192.0.2.(i + 1), which is its router id, too. */
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
	/* What the watch was told: the best paths. */
	struct hmap known; /* of struct sim_known */
	unsigned tells, losses, converged;
	bool refuse; /* incoming connections are refused by TCP */
};

/* One direction of a connection. */
struct sim_half {
	struct conn *conn; /* the reader's; NULL: that side has closed */
	int node;          /* the reader */
	uint8_t bytes[SIM_SOCKET];
	size_t len;
	bool eof, failed;
	bool stopped;    /* the reader does not read */
	bool accepted;   /* the reader did not open the connection */
	uint64_t octets; /* ever sent */
};

struct sim_pipe {
	bool used;
	struct sim_half half[2];
};

struct sim {
	uint64_t now;
	struct sim_node node[SIM_NODES];
	struct sim_pipe *pipe;
	bool black_hole; /* connection attempts get no answer */
	size_t chunk;    /* octets handed over at once; 0: all there are */
	size_t socket;	 /* what a socket buffer takes; 0: SIM_SOCKET */
};

void sim_init(struct sim *m);
void sim_free(struct sim *m);
struct speaker_config sim_config(uint32_t as, int node);
void sim_start(struct sim *m, int node, const struct speaker_config *c);
/* The process dies; the kernel closes its connections. */
void sim_kill(struct sim *m, int node);
/* Node `from` configures node `to`; returns the neighbour. */
struct neighbor *sim_neighbor(
	struct sim *m, int from, int to, uint32_t as, void (*edit)(struct neighbor_config *c));
/* One turn of everybody's loop; true if anything moved. */
bool sim_turn(struct sim *m);
/* Until nothing moves at this time. */
void sim_settle(struct sim *m);
/* The clock goes on, deadline by deadline. */
void sim_run(struct sim *m, uint64_t ms);
/* Until `done`; false after `ms`. */
bool sim_until(struct sim *m, bool (*done)(struct sim *m), uint64_t ms);

void sim_originate(struct sim *m, int node, uint32_t number, uint8_t payload);
void sim_withdraw(struct sim *m, int node, uint32_t number);
/* The best path of a key as the watch of a node knows it, or NULL. */
const struct sim_known *sim_known(const struct sim *m, int node, uint32_t number);
bool sim_up(const struct sim *m, int node, int peer);
struct neighbor_view sim_view(const struct sim *m, int node, int peer);
/* The half in which `from` sends to `to`. */
struct sim_half *sim_half(struct sim *m, int from, int to);
void sim_stop_reading(struct sim *m, int reader, int from, bool stop);
