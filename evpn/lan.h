/* The peering LANs as EVPN sees them: who is where. Fed with the RIB's best routes on one side and with the PE's
 * own MACs and bindings on the other; tells what changed, and what to originate. Pure.
 *
 * Import is by route target (exact, *:VNI, and the RFC 8365 auto form *:(1<<28|VNI)), RFC 7432 section 7.10,
 * wire rule N26. The choice among routes of one MAC is RFC 7432 section 15 (N17): sticky, then the higher
 * mobility sequence, then the lower VTEP. A MAC/IP route gives the MAC too; MAC-only and MAC/IP are independent (N18).
 *
 * A MAC that moves too often is one that two hosts have (section 15.1): it is frozen where it is, and what others claim is
 * not followed. The import policy asks here, too (lan_judge()), so that a route server does not pass such claims on.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/attr.h"
#include "bgp/family.h"
#include "evpn/registered.h"
#include "lib/ip.h"
#include "lib/mac.h"
#include "lib/rd.h"

struct lans;
struct lan;

#define LAN_RT_MAX 8

struct lan_config {
	char name[32];
	uint32_t vni;
	bool originates; /* a PE: it originates types 2 and 3 with `vtep` */
	struct ip vtep;
	struct rd rd;
	struct rt export_rt;
	struct rt import_rts[LAN_RT_MAX];
	uint8_t import_count;
	bool import_auto; /* also *:VNI and *:(1<<28|VNI) of any AS */
	/* RFC 7432 section 15.1: so many moves in so long make a duplicate. 0 moves: none is looked for. */
	uint32_t dup_moves, dup_window_sec;
	uint32_t dup_recovery_sec; /* frozen for so long; 0: until lan_clear_duplicate() */
	bool dup_freeze;	   /* else there is an alarm only */
	bool assume_host; /* RFC 9047 section 3.2: R of an IPv6 binding whose route does not say is 0; else 1 */
	/* Of remote origin, and as many of our own; 0: 65536. Beyond it: counted, alarmed, refused. */
	uint32_t max_macs, max_bindings;
};

/* RFC 9047 flags with the reader's rules applied (draft's 0x04 ignored), plus sticky. */
#define LAN_ROUTER 0x01
#define LAN_OVERRIDE 0x02
#define LAN_IMMUTABLE 0x08
#define LAN_STICKY 0x10
#define LAN_STALE 0x20 /* kept over a graceful restart */
#define LAN_DUPLICATE 0x40 /* of a MAC: frozen here */

/* Where a MAC, or an IP's binding, is. */
struct lan_entry {
	struct mac mac;
	struct ip ip;	 /* family 0: MAC only */
	bool local;
	struct ip vtep;	 /* remote: next hop */
	uint8_t flags;
	uint32_t seq;
	uint32_t vni;	 /* label of the best route */
};

/* Called from within lans_add(), lans_remove(), lans_route(), lans_run(), lan_change(), lan_judge() and lan_local_*(); a
 * hook must not call back into the LANs. Entries and attributes are borrowed for the call. */
struct lan_hooks {
	/* The best entry of a MAC changed; NULL: gone (then `mac` tells which). Only remote winners and losses matter to
	 * the PE; local winners are told too, so that it learns that its claim stands. */
	void (*mac_changed)(void *arg, struct lan *lan, struct mac mac, const struct lan_entry *best);
	/* The best binding of an IP changed; NULL: gone. */
	void (*binding_changed)(void *arg, struct lan *lan, struct ip ip, const struct lan_entry *best);
	void (*flood_changed)(void *arg, struct lan *lan, struct ip vtep, bool present);
	/* attrs NULL: withdraw. */
	void (*originate)(void *arg, struct lan *lan, const struct nlri *n, const struct attrs *attrs);
	/* RFC 7432 section 15.1, 15.2, RFC 9047, 9161: `what` is a constant sentence; `mac` may be zero, ip.family and
	 * vtep.family (of the PE whose route it is) 0. What lasts is told once, but a peer can cause as many as it sends
	 * routes: log with a limit. */
	void (*alarm)(void *arg, struct lan *lan, const char *what, struct mac mac, struct ip ip,
		struct ip vtep);
	/* What made lan_judge() refuse routes is over: the import policy should be asked again. */
	void (*reconsider)(void *arg, struct lan *lan);
	void *arg;
};

struct lans *lans_new(const struct lan_hooks *hooks);
void lans_free(struct lans *ls);
/* Adds a LAN; if it originates, its type-3 route goes out at once. 0, -EEXIST, -ENOMEM. */
int lans_add(struct lans *ls, const struct lan_config *c, struct lan **ret);
/* Withdraws what it originates, tells that everything in it is gone, and frees it. */
void lans_remove(struct lans *ls, struct lan *lan);
/* Another configuration for a LAN of the same name. What we originate follows, the new before the old is withdrawn; what
 * is behind our ports goes if it does not originate any more; MACs stay frozen unless that is off now. True: what it
 * imports may be different, and all best routes have to come again (lans_route()). */
bool lan_change(struct lan *lan, const struct lan_config *c);
struct lan *lans_find(const struct lans *ls, const char *name);
struct lan *lans_next(const struct lans *ls, const struct lan *after);
const struct lan_config *lan_config(const struct lan *lan);

/* The time, a monotonic clock's: to be told before what happens then is, and when lans_deadline() is over, which ends
 * what has been frozen for long enough. Before the first time it is 0. */
void lans_run(struct lans *ls, uint64_t now_ms);
uint64_t lans_deadline(const struct lans *ls);

/* A best route of the RIB changed; attrs NULL: gone. Our own (local) routes are not passed in. `stale`: see LAN_STALE. */
void lans_route(struct lans *ls, const uint8_t *key, size_t key_len, const uint8_t *payload,
	size_t payload_len, const struct attrs *attrs, bool stale);

/* The PE's own: a MAC (ip.family 0) or a binding behind one of its ports. Idempotent. An IP is bound to one MAC here: a
 * binding to another one takes its place. Each MAC goes out as a MAC-only route, each binding as a MAC/IP route.
 *
 * When a remote claim with a sequence s stands, ours goes out with s + 1 (RFC 7432 section 15), unless the remote
 * one is sticky: then an alarm and -EPERM. `claim` says that the MAC was seen here just now: it takes back a MAC that
 * moved away; without it an add of a MAC that is remote now is remembered, and originated when the remote one is gone.
 * A LAN_STICKY MAC stands against any that is not sticky, and against another sticky one with an alarm.
 * Also -EINVAL (not a MAC or IP that a host may have, or the LAN does not originate), -ENOSPC (full), -ENOMEM. */
int lan_local_add(struct lan *lan, struct mac mac, struct ip ip, uint8_t flags, bool claim);
/* 0, or -ENOENT. */
int lan_local_del(struct lan *lan, struct mac mac, struct ip ip);
/* Mark and sweep around a new snapshot of the feed. */
void lan_local_mark(struct lan *lan);
void lan_local_sweep(struct lan *lan);

/* Whether a type-2 route that a PE wants to tell may be believed at all, for the import policy, which asks for every route.
 * Without guards, MACs that are frozen or sticky, any may. Alarms may come of it. */
enum lan_verdict {
	LAN_FINE,
	LAN_DUPLICATE_MAC, /* frozen behind another PE, or here */
	LAN_STICKY_MOVE,   /* the same of a sticky one (section 15.2) */
};
bool lan_has_guards(const struct lan *lan);
enum lan_verdict lan_judge(
	struct lan *lan, struct mac mac, const struct esi *esi, struct ip vtep, bool sticky);

/* For a route that was refused, and what its operator has to know of it. `what` is constant. */
void lan_alarm(
	struct lan *lan, const char *what, struct mac mac, struct ip ip, struct ip vtep);

/* The registry does not have it. Counted, if it was let in; an alarm, but not of each when a whole table comes. */
void lan_unregistered(struct lan *lan, enum registered_verdict v, bool let_in, const char *what, struct mac mac,
	struct ip ip, struct ip vtep);

/* The operator has put things right: the MAC may move again. 0, or -ENOENT: it is not frozen. */
int lan_clear_duplicate(struct lan *lan, struct mac mac);

/* Walks for snapshots and `show`; the callback returns false to stop. */
void lan_each_mac(const struct lan *lan, bool (*fn)(void *arg, const struct lan_entry *e), void *arg);
void lan_each_binding(const struct lan *lan, bool (*fn)(void *arg, const struct lan_entry *e), void *arg);
void lan_each_flood(const struct lan *lan, bool (*fn)(void *arg, struct ip vtep), void *arg);

/* The same a part at a time, so that a full table holds nobody up: from *at (0 at first), `slots` slots of the table. False: that was
 * the end. A table that changes in between may tell of an entry twice, or not. */
bool lan_walk_macs(const struct lan *lan, size_t *at, size_t slots,
	bool (*fn)(void *arg, const struct lan_entry *e), void *arg);
bool lan_walk_bindings(const struct lan *lan, size_t *at, size_t slots,
	bool (*fn)(void *arg, const struct lan_entry *e), void *arg);

struct lan_stats {
	/* By where the best entry is; held: of our ports, but another PE's claim stands. */
	uint32_t macs_local, macs_remote, bindings_local, bindings_remote, vteps, macs_held;
	uint64_t moves;	       /* a MAC's place changed */
	uint64_t refused_full; /* a table was full: routes, or adds of our own */
	uint64_t not_imported; /* the route target was ours, but the route is not fit for this LAN */
	uint64_t foreign_vni;  /* imported with another VNI than the LAN's */
	uint32_t duplicates; /* frozen now */
	uint64_t duplicates_found;
	uint64_t flagged[REGISTERED_VERDICTS]; /* routes, ever: see evpn/registered.h */
	uint64_t alarms;
};
void lan_stats(const struct lan *lan, struct lan_stats *ret);
/* A part at a time; true: there is more to count. */
bool lan_stats_part(const struct lan *lan, size_t *at, size_t slots, struct lan_stats *ret);
