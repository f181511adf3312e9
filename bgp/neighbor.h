/* A neighbour: its configuration, one or (while a collision lasts) two sessions, and what is known
 * of its routes. Ranges for dynamic neighbours are neighbours without sessions. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "bgp/group.h"
#include "bgp/llgr.h"
#include "bgp/membership.h"
#include "bgp/session.h"
#include "bgp/speaker.h"
#include "bgp/sweep.h"
#include "bgp/txq.h"
#include "lib/log.h"

/* The neighbour and one family. */
struct neighbor_family {
	struct member *member; /* NULL: not up */
	bool eor_seen;         /* the first End-of-RIB has come */
	bool stale;            /* paths are kept over a restart */
	struct llgr llgr;
	bool refreshing;       /* between BoRR and EoRR */
	bool recheck;          /* see recheck.c */
	unsigned refreshes;    /* that began anew before they ended */
	enum sweep_mode sweep;
	struct rib_marker sweep_at;
	uint32_t sweep_from;   /* version of the RIB when the sweep began */
};

struct neighbor {
	struct speaker *s;
	uint16_t index; /* in the RIBs; 0 for a range */
	struct neighbor_config config;
	bool range, dynamic;
	struct neighbor *parent; /* of a dynamic one */
	uint32_t dynamic_count;  /* of a range */
	char label[IP_TEXT];     /* for the log */

	struct session slot[2];
	struct session *main, *extra;
	struct timer idle_hold, restart, stale;
	unsigned falls;          /* in a row: the back-off */
	uint32_t hold_floor_sec; /* of the next idle hold */
	unsigned conns;          /* with the daemon */
	bool removed;            /* to be freed once no conn is left */

	bool up, ibgp;
	bool was_up;       /* the session that has just ended had been established */
	bool initial_done; /* it has told all it knew when we started; see restart.c */
	bool restarted;    /* or said that it has just started itself */
	uint64_t stale_since_ms; /* the oldest of its stale paths */
	unsigned restarts;	 /* since then */
	struct txq txq;
	size_t takes, took; /* octets of UPDATEs: in this span, in the last; see pressure.h */
	struct neighbor_family family[FAMILIES_MAX];
	struct membership membership;

	enum fsm_state state; /* as last told */
	uint64_t since_ms, up_ms;
	uint32_t flaps, router_id, remote_as;
	struct ip local;
	uint64_t msgs_in, msgs_out, updates_in, octets_in, octets_out;
	uint64_t treat_as_withdraw, attr_discard, nlri_discard, nlri_withdraw;
	uint64_t withheld;
	uint64_t refused[REFUSED_MAX]; /* ever, by reason */
	uint32_t warned;	       /* of which limits the operator has been told; see limit.c */
	char last_error[256];
	uint64_t reasons_told; /* why routes of this session were refused: a bit each, once logged */
	char over[48];	       /* the limit that ended the session */
	struct log_limit log;
};

struct neighbor *neighbor_new(struct speaker *s, const struct neighbor_config *c);
void neighbor_free(struct neighbor *n);
/* Starts it as its configuration says. */
void neighbor_start(struct neighbor *n, uint64_t now_ms);
/* Stops all its sessions for good with this error; hard: neither side keeps routes (RFC 8538). */
void neighbor_stop(struct neighbor *n, const struct bgp_error *err, bool hard, uint64_t now_ms);
struct conn *neighbor_accept(
	struct neighbor *n, struct ip remote, struct ip local, uint64_t now_ms);

/* Called by sessions. */
void neighbor_up(struct neighbor *n, struct session *se, uint64_t now_ms);
void neighbor_down(struct neighbor *n, struct session *se, uint64_t now_ms);
void neighbor_idle_hold(struct neighbor *n, struct session *se, uint64_t now_ms);
/* A valid OPEN came: true if the session is to go on, false if it has lost a collision and is gone.
 */
bool neighbor_collision(struct neighbor *n, struct session *se, uint64_t now_ms);
/* The state of a session has changed. */
void neighbor_settle(struct neighbor *n, struct session *se, uint64_t now_ms);

/* Why a connection of the neighbour is about to end; for the log and `show`. The event follows. */
void neighbor_fell(struct session *se, const char *why);
void neighbor_set_error(struct session *se, const char *how, const struct bgp_error *err);
/* A route was refused: counts it, and logs the first of a session for each reason. */
void neighbor_refused(struct neighbor *n, uint8_t reason);
/* The default, or as configured. */
uint16_t neighbor_hold_sec(const struct neighbor *n);
size_t neighbor_queue_max(const struct neighbor *n);
/* The same of buffers that others of its group refer to, too: see group_queue_max(). */
size_t neighbor_queue_shared(const struct neighbor *n);
bool neighbor_has_paths(const struct neighbor *n);
