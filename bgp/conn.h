/* One TCP connection as the engine sees it: octets in and out, framing, and the actions that the
 * daemon is asked for. What the messages mean is session.c's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bgp/msg.h"
#include "lib/ip.h"

struct speaker;
struct neighbor;
struct session;
struct txq;

struct conn {
	struct speaker *s;
	struct neighbor *n;
	struct session *session; /* NULL: closing; nothing is read any more */
	struct ip remote, local;
	uint16_t remote_port, local_port; /* 0: not told */
	bool incoming;
	bool known;      /* the daemon has it; else it can be freed at once */
	bool announced;  /* a SEND was asked for and conn_tx() has not run empty since */
	uint8_t pending; /* actions not yet given out, 1 << enum action_type */
	bool queued;
	TAILQ_ENTRY(conn) action;
	LIST_ENTRY(conn) all;
	void *io;

	/* A message of which only a part has come. */
	uint8_t *rx;
	uint32_t rx_len, rx_cap;
	/* OPEN, KEEPALIVE, NOTIFICATION, ROUTE-REFRESH: they go before UPDATEs, between two of
	 * them. */
	uint8_t *ctl;
	uint32_t ctl_len, ctl_sent, ctl_cap;
	size_t taken; /* and not sent yet */
};

TAILQ_HEAD(conn_queue, conn);
LIST_HEAD(conn_list, conn);

struct conn *conn_new(struct speaker *s, struct neighbor *n, struct session *se, bool incoming);
/* Frees it; the daemon does not have it, or has said that it is gone. */
void conn_free(struct conn *c);
/* The session lets go of it: what is to be sent is sent, then CLOSE. */
void conn_drop(struct conn *c);
/* Asks for CONNECT or SEND. */
void conn_want_connect(struct conn *c);
void conn_want_send(struct conn *c);
/* Queues a control message. false: out of memory, or too much is unsent. */
bool conn_control(struct conn *c, const uint8_t *msg, size_t len);
/* Octets that wait to be sent, UPDATEs included, and those that were taken. */
size_t conn_unsent(const struct conn *c);
/* The rest of an UPDATE that has begun to leave comes before what control messages there are, so
 * that the peer can read them after the queue is gone. */
void conn_finish_message(struct conn *c, const struct txq *q);
