/* The sessions of the load generator: a BGP speaker that says just enough to be let in, sends prepared
 * octets, and walks what it receives without keeping it. All sessions live in one epoll loop.
 *
 * What is counted of each session: the NLRIs of MP_REACH and MP_UNREACH, and the sum of the hashes of
 * their keys, so that "all routes, each once" is two comparisons. Nothing else of an UPDATE is looked at.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/routes.h"

enum peer_state { PEER_DOWN, PEER_CONNECTING, PEER_OPENING, PEER_UP };

struct tally {
	uint64_t routes, sum; /* MP_REACH, or MP_UNREACH */
};

struct peer {
	int fd;
	enum peer_state state;
	uint64_t redial_ns; /* not before */
	uint64_t up_ns;     /* since when it is Established */
	uint32_t address;
	struct tally reach, unreach;
	uint64_t octets, heard_ns;
	bool is_client; /* its probes count */
	/* What is being sent. */
	const uint8_t *out;
	size_t out_len;
	bool wants_write;
	/* The beginning of a message of which the end has not come. */
	uint8_t *rest;
	size_t rest_len;
};

/* A change of one route. */
struct probe {
	uint64_t sent_ns, last_ns;
	uint32_t told; /* clients; the last of them at last_ns */
};

#define PROBES_MAX 16384

struct peers {
	int epoll;
	uint32_t server;
	uint16_t port;
	struct peer *peer;
	size_t count;
	char error[256]; /* of the first thing that went wrong; empty: nothing */
	uint16_t hold_sec; /* what is offered; 180 unless set before peers_up() */
	uint64_t keepalive_ns;
	struct probe probe[PROBES_MAX];
};

uint64_t clock_ns(void);

void peers_init(
	struct peers *ps, uint32_t server, uint16_t port, uint32_t first_address, size_t count);
/* Brings up `n` sessions from `first` on, however often they are refused. false: not before the deadline. */
bool peers_up(struct peers *ps, size_t first, size_t n, uint64_t deadline_ns);
void peer_close(struct peers *ps, struct peer *p);
/* Begins to send. The octets are borrowed until out_len is 0, and before that nothing else may be sent. */
void peer_send(struct peers *ps, struct peer *p, const uint8_t *octets, size_t len);
/* One turn of the loop; waits `timeout_us` at most. How many octets were read. */
size_t peers_turn(struct peers *ps, int64_t timeout_us);
void peers_clear_tallies(struct peers *ps);
