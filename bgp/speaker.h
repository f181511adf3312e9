/* The BGP speaker: neighbours, their sessions, the RIB, and what goes out to whom. No I/O and no clock: the
 * daemon gives bytes, events and `now`, and drains actions; see daemon/ for the sockets.
 *
 * A neighbour is configured (or made from a dynamic range when a connection comes in). A conn is one TCP
 * connection; a neighbour may have two for as long as collision detection (RFC 4271 section 6.8) takes.
 * All times: milliseconds of a monotonic clock. Functions are not re-entered: watchers and hooks must not call
 * back into the speaker except speaker_originate() and speaker_unoriginate().
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/attr.h"
#include "bgp/attrset.h"
#include "bgp/family.h"
#include "bgp/msg.h"
#include "bgp/policy.h"
#include "lib/ip.h"
#include "lib/rd.h"

struct speaker;
struct neighbor;
struct conn;

struct speaker_config {
	uint32_t as;
	uint32_t router_id;  /* host order */
	uint32_t cluster_id; /* 0: the router id */
	const struct bgp_family *const *families;
	size_t family_count;
	uint16_t hold_sec;	    /* default for neighbours */
	uint32_t restart_sec;	    /* RFC 4724 restart time that we tell; 0: no graceful restart */
	uint32_t defer_sec;	    /* after start: EoRs are held back until all configured neighbours sent
				       theirs, at most this long */
	bool wait_local;	    /* hold EoRs back, too, until speaker_local_done() (the feed's snapshot) */
};

/* Our role towards the neighbour (RFC 9234 section 4.1). */
enum bgp_role { ROLE_NONE, ROLE_PROVIDER, ROLE_RS, ROLE_RS_CLIENT, ROLE_CUSTOMER, ROLE_PEER };

enum add_path_mode { ADD_PATH_OFF = 0, ADD_PATH_RECEIVE = 1, ADD_PATH_SEND = 2, ADD_PATH_BOTH = 3 };

struct neighbor_config {
	struct ip address;	  /* family 0: a dynamic range, see prefix */
	struct prefix prefix;	  /* dynamic neighbours: who may connect */
	uint32_t max_dynamic;
	uint32_t remote_as;	  /* 0: any AS but that of a wrong kind is not checked */
	char name[64];		  /* description for people; may be empty */
	bool client;		  /* iBGP: route-reflector client; eBGP: route-server client */
	bool passive;
	bool shutdown;
	uint16_t hold_sec;	  /* 0: default */
	bool no_hold;		  /* hold time 0: no KEEPALIVEs, and nobody waits for them */
	uint32_t connect_retry_sec;
	uint32_t max_routes;	  /* 0: unlimited */
	uint32_t stale_sec;	  /* most we keep a restarting peer's routes; 0: as it asks */
	uint32_t queue_octets;	  /* bound of what is encoded and unsent; 0: default */
	uint32_t max_by_class[BGP_CLASSES]; /* as max_routes, by family.class_of(); 0: unlimited */
	const void *rules;	  /* of the import policy, see bgp/policy.h; borrowed */
	enum bgp_role role;	  /* RFC 9234 */
	bool role_strict;	  /* the peer must tell its role */
	bool otc;		  /* ingress and egress rules of OTC (RFC 9234 section 5) for EVPN, too */
	enum add_path_mode add_path; /* what we offer, RFC 7911 */
	bool control_communities; /* of a route-server client: its peers say who may have what; see control.h */
	bool rt_constrain;	  /* offer RFC 4684 */
	uint32_t llgr_sec;	  /* RFC 9494: most we keep long-lived stale routes; 0: not offered */
	bool conservative;	  /* send nothing legal that FRR 8.4 resets on */
};

struct speaker *speaker_new(const struct speaker_config *c, uint64_t now_ms);
void speaker_free(struct speaker *s);
/* Cease 6/2 with this communication (may be NULL) to all; the bytes come out as usual, then CLOSE. */
void speaker_shutdown(struct speaker *s, const char *communication, uint64_t now_ms);

/* 0; -EEXIST; -EINVAL. Starts it at once unless shutdown or passive. */
int speaker_add_neighbor(struct speaker *s, const struct neighbor_config *c, uint64_t now_ms,
	struct neighbor **ret);
void speaker_remove_neighbor(struct speaker *s, struct neighbor *n, uint64_t now_ms);
/* By its address (of a dynamic one, too), or a range by its prefix (address.family 0). NULL: there is none. */
struct neighbor *speaker_find_neighbor(
	const struct speaker *s, struct ip address, const struct prefix *range);

enum neighbor_change {
	NEIGHBOR_SAME,	   /* there was nothing to do */
	NEIGHBOR_IN_PLACE, /* the session goes on */
	NEIGHBOR_RESET,	   /* it ended: Cease 6/6 and begun again, or 6/2 and shut down */
	NEIGHBOR_ANEW,	   /* it and its routes are gone, and another is in its place */
};
/* Another configuration for a neighbour or range, with what follows from it. enum neighbor_change, the most severe of
 * a range's; -ENOMEM (the neighbour is gone). `n` is not valid afterwards. */
int speaker_change_neighbor(struct speaker *s, struct neighbor *n, const struct neighbor_config *c,
	uint64_t now_ms);
/* Ends the session (those of a range) with a Cease of this subcode and begins again at once; hard: neither side keeps
 * routes (RFC 8538). The communication (RFC 9003) may be NULL. */
void speaker_reset_neighbor(struct speaker *s, struct neighbor *n, uint8_t subcode,
	const char *communication, bool hard, uint64_t now_ms);
/* Down until it is asked up again, or changed to a configuration that says otherwise: Cease 6/2, and its routes go.
 * 0; -EALREADY: it is so; -EOPNOTSUPP: a dynamic neighbour would be back as another. */
int speaker_shutdown_neighbor(struct speaker *s, struct neighbor *n, bool down,
	const char *communication, uint64_t now_ms);
/* Asks the peer to send all of its routes again (RFC 2918, 7313). 0; -ENOTCONN: not Established; -EOPNOTSUPP: the peer
 * does not know how. */
int speaker_refresh(struct speaker *s, struct neighbor *n, uint64_t now_ms);
/* Takes over cluster_id (iBGP sessions are reset), hold_sec (so are those it is the default of), restart_sec (with the
 * next session) and defer_sec. */
void speaker_change(struct speaker *s, const struct speaker_config *c, uint64_t now_ms);

/* --- connections --- */

struct txbuf;
enum conn_close_reason { CONN_CLOSED_BY_PEER, CONN_FAILED };

/* A connection came in. NULL: nobody may call from there (or too many); the caller closes it. */
struct conn *speaker_accept(struct speaker *s, struct ip remote, struct ip local, uint64_t now_ms);
void conn_connected(struct conn *c, struct ip local, uint64_t now_ms);
/* TCP failed, or the peer closed. The conn is gone afterwards (no CLOSE action follows). */
void conn_lost(struct conn *c, enum conn_close_reason why, uint64_t now_ms);
/* Bytes from the peer; whole messages are processed, a rest is kept. After a protocol error further bytes are
 * ignored until the CLOSE action. */
void conn_rx(struct conn *c, const uint8_t *bytes, size_t len, uint64_t now_ms);
/* True: those who are told what comes from here have much to read already. If much has come from here lately, more is to
 * be read a little later. */
bool conn_should_wait(struct conn *c, uint64_t now_ms);
/* Bytes to send now, contiguous: their count, 0 if none. They stay valid until conn_sent() or the next call into
 * the speaker. */
size_t conn_tx(struct conn *c, const uint8_t **ret, uint64_t now_ms);
void conn_sent(struct conn *c, size_t len, uint64_t now_ms);
/* What conn_tx() would name, for who sends it in his own time: conn_tx() goes on behind it, and it is there until
 * txbuf_unref() (bgp/txq.h). NULL: that is not to be had so, what goes next are control messages. */
struct txbuf *conn_take(struct conn *c, const uint8_t **ret, size_t *ret_len, uint64_t now_ms);
/* So many octets of that have gone: until then they wait for the peer, and it has to take some in time (RFC 9687). */
void conn_taken_sent(struct conn *c, size_t len, uint64_t now_ms);
/* The TCP ports, for those who look on; nothing here depends on them. */
void conn_set_ports(struct conn *c, uint16_t local, uint16_t remote);
void conn_set_io(struct conn *c, void *io);
void *conn_io(const struct conn *c);
struct neighbor *conn_neighbor(const struct conn *c);

enum action_type {
	ACTION_CONNECT, /* open TCP to neighbor's address; answer with conn_connected() or conn_lost() */
	ACTION_SEND,	/* conn_tx() has bytes; a conn is named at most once until drained */
	ACTION_CLOSE,	/* send what conn_tx() still has, if it goes at once, and close; conn is gone afterwards:
			   the daemon must call conn_closed() */
};

struct action {
	enum action_type type;
	struct conn *conn;
};

bool speaker_next_action(struct speaker *s, struct action *ret);
void conn_closed(struct conn *c);

/* The next time speaker_run() must be called; `now` if deferred work waits. */
uint64_t speaker_deadline(const struct speaker *s);
/* Timers that are due, and a bounded slice of deferred work (dumps to new clients, sweeps). */
void speaker_run(struct speaker *s, uint64_t now_ms);

/* --- routes --- */

/* The best path of a key changed (of any family but RT membership, which is the engine's own). attrs NULL: it is gone. `from` NULL: originated here. stale: kept over a
 * graceful restart. Everything is borrowed for the call. */
struct best_change {
	const struct bgp_family *family;
	const uint8_t *key;
	size_t key_len;
	const uint8_t *payload;
	size_t payload_len;
	const struct attrset *attrs;
	const struct neighbor *from;
	bool stale;
};

/* To be set before the first route. The policy is copied, its argument borrowed. */
void speaker_set_policy(struct speaker *s, const struct speaker_policy *p);
/* Asks the policy again about all routes of a neighbour (NULL: of all), over as many turns as it takes. */
void speaker_recheck(struct speaker *s, struct neighbor *n, uint64_t now_ms);

struct speaker_watch {
	void (*best_changed)(void *arg, const struct best_change *c, uint64_t now_ms);
	/* All configured neighbours have sent EoR for their first dump, or the deferral time is over. Once. */
	void (*converged)(void *arg, uint64_t now_ms);
	void (*neighbor_changed)(void *arg, const struct neighbor *n, uint64_t now_ms);
	void *arg;
};
void speaker_set_watch(struct speaker *s, const struct speaker_watch *w);
/* Tells the watch again what is best of every key, over as many turns as it takes; begins from the front if it is at
 * it. 0 or -ENOMEM. */
int speaker_retell(struct speaker *s, uint64_t now_ms);
bool speaker_is_retelling(const struct speaker *s);

/* Routes of our own. Attributes are copied. The same again without a change costs nothing. 0 or -ENOMEM. */
int speaker_originate(struct speaker *s, const struct bgp_family *f, const struct nlri *n,
	const struct attrs *a, uint64_t now_ms);
/* The route targets that we import (RFC 4684), instead of those said before; all: and others, so that we must be told
 * everything. 0 or -ENOMEM. */
int speaker_set_membership(
	struct speaker *s, const struct rt *rts, size_t count, bool all, uint64_t now_ms);
int speaker_unoriginate(struct speaker *s, const struct bgp_family *f, const struct nlri *n,
	uint64_t now_ms);
/* Our own routes are complete (the feed's first snapshot is in); see wait_local. */
void speaker_local_done(struct speaker *s, uint64_t now_ms);

/* --- views for `show` --- */

struct neighbor_view {
	struct ip address, local;
	const char *name;
	const char *state; /* "Established", ... */
	uint32_t remote_as, router_id;
	bool dynamic, client, passive, shutdown, ibgp;
	uint64_t since_ms;   /* when it entered this state */
	uint16_t hold_sec;   /* negotiated */
	uint64_t msgs_in, msgs_out, updates_in, updates_out, octets_in, octets_out;
	/* routes_out: at most; with rt-constrain those that the peer does not want are counted, too. */
	uint32_t routes_in, routes_stale, routes_out, max_routes;
	uint64_t treat_as_withdraw, attr_discard, nlri_discard, nlri_withdraw;
	uint64_t withheld; /* announcements that the conservative profile kept from it */
	uint32_t routes_refused;	 /* kept, with a reason */
	uint64_t refused[REFUSED_MAX];	 /* ever, by reason */
	uint32_t routes_by_class[BGP_CLASSES], max_by_class[BGP_CLASSES];
	uint32_t queued_octets;
	uint32_t flaps;
	bool gr, extended_message, as4, enhanced_refresh;
	bool add_path_in, add_path_out; /* of a family, at least */
	bool rt_constrain, long_lived;	/* RFC 4684, RFC 9494; of this session, like those above */
	bool conservative;
	const char *role, *peer_role; /* ours towards it, and what its OPEN says; NULL: none */
	uint32_t memberships_in;      /* RFC 4684; not in routes_in, but max_routes counts them */
	char last_error[256]; /* "sent 6/2 Cease/Administrative Shutdown", escaped; empty if none */
};
void neighbor_view(const struct neighbor *n, struct neighbor_view *ret);
/* Walks neighbours: NULL gives the first. */
const struct neighbor *speaker_next_neighbor(const struct speaker *s, const struct neighbor *after);
/* The same for a walk over several turns, in which neighbours may come and go: *place is 0 at first, and is moved on. */
const struct neighbor *speaker_neighbor_from(const struct speaker *s, size_t *place);

/* The word for why a route was refused. */
const char *speaker_reason(const struct speaker *s, uint8_t reason);

struct route_view {
	const struct bgp_family *family;
	const uint8_t *key, *payload;
	size_t key_len, payload_len;
	const struct attrset *attrs;
	const struct neighbor *from; /* NULL: local */
	bool best, stale;
	uint8_t refused;  /* why; REFUSED_NOT: it was not */
	uint32_t path_id; /* as received, RFC 7911 */
	uint64_t since_ms;
};
/* Every path of every key, unordered; stops when fn returns false. */
void speaker_each_route(const struct speaker *s, bool (*fn)(void *arg, const struct route_view *r),
	void *arg);

/* The same a part at a time, from where *w is (zeroes at first), over so many slots of the tables. False: that was the end. While
 * routes come and go in between, one may be told twice, or not. */
struct route_walk {
	unsigned table;
	size_t slot;
};
bool speaker_walk_routes(const struct speaker *s, struct route_walk *w, size_t slots,
	bool (*fn)(void *arg, const struct route_view *r), void *arg);

struct speaker_stats {
	/* routes: with a path at least, refused or not; without membership (RFC 4684). */
	size_t routes, paths, attrsets;
	size_t refused;			/* of the paths */
};
void speaker_stats(const struct speaker *s, struct speaker_stats *ret);
