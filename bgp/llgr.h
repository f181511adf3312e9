/* Long-lived graceful restart (RFC 9494): what happens when the time of RFC 4724 is over. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "bgp/attr.h"
#include "bgp/msg.h"
#include "lib/timers.h"

struct dest;
struct group_view;
struct neighbor;
struct rib_peer;
struct session;
struct table;

/* Of a neighbour and family. */
struct llgr {
	struct neighbor *n;
	unsigned table;
	uint32_t sec;	    /* agreed with the session that ended last; 0: none */
	bool on;	    /* its stale paths are long-lived ones */
	bool over;	    /* the time has ended while it was telling its routes anew */
	struct timer timer; /* until they go */
};

void llgr_init(struct neighbor *n);
void llgr_free(struct neighbor *n);
/* --- the capability --- */
void llgr_fill_open(const struct session *se, struct bgp_open *o);
/* How long stale paths of the family may be kept: the less of what both say; 0: not at all. */
uint32_t llgr_agreed_sec(const struct session *se, const struct table *t);
/* The peer kept its forwarding of the family (the F bit of this capability). */
bool llgr_forwarding(const struct session *se, const struct table *t);
/* --- as a helper --- */
/* The restart time is over (or there is none): the stale paths are long-lived from now on. Their sweep is the
 * caller's. */
void llgr_begin(struct neighbor *n, struct table *t, uint64_t now_ms);
/* It is over, in whichever way. */
void llgr_end(struct neighbor *n, struct table *t);
/* It has told all, or is not waited for any longer. */
void llgr_synchronized(struct neighbor *n, struct table *t);
/* Marks the neighbour's stale paths of a key, or takes them away if they do not want it; what the RIB says. */
unsigned llgr_mark(struct neighbor *n, struct table *t, struct dest *d);
/* --- routes --- */
/* Is it chosen only if there is nothing else? */
bool llgr_is_marked(const struct attrs *a);
/* Is a path of this peer so by what we have agreed on with it? */
bool llgr_is_stale(const struct rib_peer *from, const struct attrs *a);
/* May one that is go to these? */
bool llgr_may_send(const struct group_view *v, const struct rib_peer *from, const struct attrs *a);
/* Then it goes so. The communities stand until the next call. */
void llgr_export(const struct group_view *v, const struct rib_peer *from, struct attrs *a);
