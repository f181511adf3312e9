/* Somebody who looks on: what the speaker tells of its sessions to BMP (bmp.c). The table of hooks is set when there is
 * a monitoring station; without one the hot path costs a branch. Hooks must not call back into the speaker, and what
 * they are given is borrowed for the call. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/reader.h"

struct dest;
struct neighbor;
struct path;
struct session;
struct speaker;
struct table;
struct update;

/* The numbers are those of RFC 7854 section 4.9. */
enum monitor_down_reason {
	MONITOR_DOWN_NOTIFIED = 1,	  /* by us; `message` is the NOTIFICATION */
	MONITOR_DOWN_LOCAL = 2,		  /* by us, without; `event` of RFC 4271 section 8.1, 0: none */
	MONITOR_DOWN_PEER_NOTIFIED = 3,	  /* by the peer; `message` is its NOTIFICATION */
	MONITOR_DOWN_PEER_CLOSED = 4,	  /* the connection was lost */
	MONITOR_DOWN_DECONFIGURED = 5,	  /* not down, but told no more */
};

struct monitor_down {
	enum monitor_down_reason reason;
	struct span message; /* its body, without the header */
	uint16_t event;
};

/* What is about to become of a path without an UPDATE of its peer. */
enum monitor_change {
	MONITOR_PURGED,	 /* it goes: a refresh did not name it again (RFC 7313) */
	MONITOR_REFUSED, /* the import policy refuses it now, */
	MONITOR_TAKEN,	 /* or takes it */
};

struct monitor {
	void (*up)(void *arg, struct neighbor *n);
	/* Its routes are still what they were. */
	void (*down)(void *arg, struct neighbor *n, const struct monitor_down *d);
	/* An UPDATE has been processed and the session stands. exact: the paths of the peer are now what the octets of
	 * `body` say; else something in it was discarded, withdrawn or refused for good. */
	void (*update)(void *arg, struct neighbor *n, struct span body, const struct update *u, bool exact);
	void (*changed)(void *arg, struct neighbor *n, struct table *t, const struct dest *d,
		const struct path *p, enum monitor_change what);
	void *arg;
};

/* --- called by the engine, only while there is a monitor --- */

/* Established is being left; `notified`: with a NOTIFICATION of ours. */
void monitor_down(struct session *se, bool notified);
/* `odd`: the neighbour's counters of bad NLRIs (monitor_odd()) before. */
void monitor_update(struct session *se, struct span body, const struct update *u, uint64_t odd);
uint64_t monitor_odd(const struct neighbor *n);
/* The stale paths of this key are about to be removed. */
void monitor_purge(struct neighbor *n, struct table *t, const struct dest *d);
/* The policy has been asked again about this path; `refused`: why, as the RIB will have it. */
void monitor_verdict(struct neighbor *n, struct table *t, const struct dest *d, const struct path *p,
	uint8_t refused);
