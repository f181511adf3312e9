/* The bridge's and the vxlan device's forwarding tables (rtnetlink RTM_NEWNEIGH, RTM_DELNEIGH, family AF_BRIDGE): told what
 * should be there, it keeps the kernel so.
 *
 *   a MAC behind a member port    bridge: static sticky          (sticky: a spoofed frame cannot move it)
 *   a MAC behind another PE       bridge: extern_learn on the vxlan port; vxlan: dst VTEP
 *   the flood list                vxlan: 00:00:00:00:00:00 dst VTEP, one for each
 *
 * The caller says what it wants per LAN and MAC; where a MAC was before, what the kernel holds and how to get from one to the
 * other is worked out here. Writes are idempotent and go out many at a time. What is ours and vanishes or is changed by others
 * is put back, at once the first time, then at growing intervals (fdb_stats.contested counts). What is others' (FRR's, the
 * operator's) and concerns no MAC that we want is left alone.
 *
 * Leftovers of a former process are known by their shape (see fdb.c) and are kept until fdb_lan_settle().
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"

struct netlink;
struct fdb;
struct fdb_lan;

enum fdb_where { FDB_BRIDGE, FDB_VXLAN };

/* One entry as the kernel tells it. */
struct fdb_entry {
	enum fdb_where where;
	uint32_t ifindex; /* the port, or the vxlan device */
	uint32_t master;  /* FDB_BRIDGE: the bridge */
	struct mac mac;
	uint16_t vlan;
	uint16_t state; /* NUD_* */
	uint8_t flags;	/* NTF_* */
	struct ip dst;	/* FDB_VXLAN: the VTEP; family 0: none, or a next-hop group */
	uint32_t vni;	/* FDB_VXLAN: only if it is not the device's */
	uint32_t nhid;
};

/* Learned by the bridge from a frame (not static, not ours, not extern_learn, not the port's own). */
bool fdb_is_dynamic(const struct fdb_entry *e);

struct fdb_hooks {
	/* The bridge learned a MAC on one of a LAN's ports (knob learning on), or has forgotten it. */
	void (*learned)(void *arg, struct fdb_lan *lan, uint32_t port, struct mac mac, bool gone);
	/* Somebody else changed or removed an entry that we want; it is about to be put back. seen NULL: removed. Told at the
	 * first time and then at each retry. May be NULL. */
	void (*contested)(void *arg, struct fdb_lan *lan, struct mac mac, const struct fdb_entry *seen);
	void *arg;
};

struct fdb_stats {
	uint32_t wanted, wanted_flood; /* MACs, VTEPs */
	uint32_t seen;		       /* entries of the kernel that we keep track of */
	uint32_t pending;	       /* entries not yet as wanted */
	uint64_t writes, removes, repairs, contested, errors;
	uint64_t refused_full;	       /* wants or entries beyond the limit */
};

/* `max`: entries kept in all, wanted and seen. 0: 262144. Registers with the engine. */
int fdb_open(struct netlink *nl, const struct fdb_hooks *hooks, uint32_t max, struct fdb **ret);
void fdb_close(struct fdb *f); /* after netlink_close() */

/* A LAN is a bridge and its vxlan device (ifindex; 0: not there now: what is wanted on it waits). `arg` is the caller's.
 * 0, -EEXIST (that bridge has one), -ENOMEM. */
int fdb_lan_add(struct fdb *f, uint32_t bridge, uint32_t vxlan, void *arg, struct fdb_lan **ret);
void *fdb_lan_arg(const struct fdb_lan *lan);
/* Bridge or vxlan device was made anew (0: is gone for now): what is wanted there is written again. The same as before:
 * nothing happens. */
void fdb_lan_move(struct fdb_lan *lan, uint32_t bridge, uint32_t vxlan);
/* All that is wanted has been said (registry read, feed's snapshot in): leftovers of a former process go now. */
void fdb_lan_settle(struct fdb_lan *lan);
/* keep: the entries stay in the kernel; else all that is ours is removed before this returns. Not from a hook. */
void fdb_lan_del(struct fdb_lan *lan, bool keep);

/* Wants: idempotent, the last word counts. A MAC is in one place. 0, -ENOSPC (full), -EINVAL (a group or zero MAC,
 * no VTEP), -ENOMEM. */
int fdb_want_local(struct fdb_lan *lan, struct mac mac, uint32_t port);
int fdb_want_remote(struct fdb_lan *lan, struct mac mac, struct ip vtep);
int fdb_unwant(struct fdb_lan *lan, struct mac mac);
int fdb_want_flood(struct fdb_lan *lan, struct ip vtep);
int fdb_unwant_flood(struct fdb_lan *lan, struct ip vtep);

/* A port is (again) in the bridge, or an interface has come up: what is wanted there is tried now, without the wait that
 * earlier failures earned. */
void fdb_port_kick(struct fdb *f, uint32_t port);
/* What is wanted on an interface that is gone or has left the bridge waits for fdb_port_kick(). */
void fdb_port_gone(struct fdb *f, uint32_t port);

/* True when the kernel has it as wanted. */
bool fdb_met(const struct fdb_lan *lan, struct mac mac);
bool fdb_flood_met(const struct fdb_lan *lan, struct ip vtep);
void fdb_stats(const struct fdb *f, struct fdb_stats *ret);

struct nl_msg;
/* The pure halves. False: malformed, or nothing of AF_BRIDGE. */
bool fdb_parse(const void *bytes, size_t len, struct fdb_entry *ret);
/* Fills a whole RTM_NEWNEIGH or RTM_DELNEIGH (header flags are the caller's). */
int fdb_build(struct nl_msg *msg, const struct fdb_entry *e);
