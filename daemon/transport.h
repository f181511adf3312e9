/* The TCP side of the BGP speaker: listeners, connects, bytes in and out, and the draining of its
 * actions.
 *
 *   route in   TCP 179 -> [transport] -> bgp/speaker -> [transport] -> the other peers
 *
 * At the end of every turn of the loop the speaker's actions are drained, so what a message caused
 * is on its way before the next sleep. Each connection may read one buffer and write a bounded
 * amount a turn: a peer that sends without end, or reads slowly, costs the others nothing but its
 * share. Who says more than those who keep pace read is read when they have read (bgp/pressure.h).
 * Callers whom no neighbour expects are reset, counted, and logged within limits; so are those who
 * call too often, each address having a share of its own.
 *
 * RFC 4271 section 8 and 6.8 are the speaker's; here are RFC 2385, RFC 5082 and the sockets.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

#define TRANSPORT_ERROR_MAX 256

struct loop;
struct speaker;
struct transport;

struct transport_stats {
	uint64_t accepted, refused, accept_errors, connects, connect_errors;
	uint32_t open; /* connections with a descriptor, those saying goodbye included */
};

/* Binds and listens on all of the config's addresses. Needs the right to bind the port; the config
 * must outlive the transport. 0, or -errno with one line in err and nothing left open. */
int transport_new(struct loop *l, const struct config *c, struct transport **ret,
	char err[TRANSPORT_ERROR_MAX]);
/* Another configuration, in two steps: what can fail is prepared, -errno with one line in err and nothing changed; then
 * it is either taken (and must outlive the transport, as the first) or given up. TTL security holds for open connections
 * at once; a password does with the next connection, so the caller resets the session. */
int transport_prepare(struct transport *t, const struct config *is, char err[TRANSPORT_ERROR_MAX]);
void transport_commit(struct transport *t, const struct config *is);
void transport_cancel(struct transport *t, const struct config *is);
/* Closes at once whatever is open. */
void transport_free(struct transport *t);

/* The thread that sends. When privileges have been dropped, for a thread keeps those that it was started with, and
 * before there is a filter of system calls. Without it all is sent by the caller's thread. */
void transport_start_sender(struct transport *t);
/* From now on connections are taken and the speaker is served. */
void transport_start(struct transport *t, struct speaker *s);
/* No more callers; for the shutdown. */
void transport_stop_listening(struct transport *t);

void transport_stats(const struct transport *t, struct transport_stats *ret);
