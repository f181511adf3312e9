/* What fdb.c, fdb_row.c and fdb_told.c share; of nobody else's concern. */
#pragma once
#include <linux/neighbour.h>

#include "lib/hmap.h"
#include "lib/timers.h"
#include "proxyarp/linux/fdb.h"
#include "proxyarp/linux/netlink.h"

/* Our mark on the vxlan device's entries; see fdb.c. */
#define FDB_OUR_VXLAN_STATE (NUD_PERMANENT | NUD_REACHABLE)

/* All octets count: made by memset and compared as memory. */
struct fdb_key {
	uint32_t lan;
	uint8_t where;
	uint8_t dst_family; /* only in the flood list, where one MAC has many VTEPs */
	uint16_t vlan;
	uint8_t mac[6];
	uint8_t pad[2];
	uint8_t dst[16];
};

struct fdb_row {
	struct fdb_key key;
	struct fdb *f;
	struct fdb_lan *lan;
	struct fdb_row *next; /* in the list of those to look at */
	bool queued;
	bool has_seen, stale;
	bool has_want;
	bool ours;     /* we wrote what is seen */
	bool leftover; /* a former process did, and settle() is still to come */
	bool was_met;  /* since it was wanted: if it is not any more, somebody else did that */
	bool blocked;  /* the interface is gone; fdb_port_kick() */
	uint8_t tries;
	uint64_t tried_ms;
	struct timer retry;
	struct fdb_entry seen;
	uint32_t want_ifindex, sent_ifindex; /* sent: what the write under way said */
	struct ip want_dst, sent_dst;
};

struct fdb_lan {
	struct fdb *f;
	struct fdb_lan *next;
	uint32_t id, bridge, vxlan;
	bool known; /* dumped since it was added or moved: nothing is written before */
	bool settled;
	void *arg;
};

struct fdb {
	struct netlink *nl;
	struct netlink_table table;
	struct fdb_hooks hooks;
	struct hmap rows;
	struct fdb_lan *lans;
	uint32_t lan_serial, max, wanted, wanted_flood;
	struct timers timers;
	struct fdb_row *head, **tail;
	struct fdb_stats stats;
};

/* fdb_row.c: one entry, wanted or seen, and how the kernel is brought to have it. */
bool fdb_row_eq(const void *entry, const void *key);
struct fdb_key fdb_row_key(const struct fdb_lan *lan, enum fdb_where where, struct mac mac,
	uint16_t vlan, struct ip dst);
struct fdb_row *fdb_row_find(const struct fdb *f, const struct fdb_key *k);
struct fdb_row *fdb_row_add(struct fdb_lan *lan, const struct fdb_key *k);
struct mac fdb_row_mac(const struct fdb_row *row);
bool fdb_row_is_flood(const struct fdb_row *row);
/* To be looked at in the next tick, which is also where rows are freed. */
void fdb_row_look(struct fdb_row *row);
/* Negative: out of memory. May free the row. */
int fdb_row_step(struct fdb_row *row);
int fdb_row_request(struct fdb_row *row, uint16_t type, int flags, struct fdb_entry e,
	void (*done)(void *, int));
bool fdb_row_met(const struct fdb_row *row);
bool fdb_row_static_sticky(const struct fdb_entry *e);
bool fdb_row_extern_learned(const struct fdb_entry *e);
/* Is there a MAC that the bridge has learned on a member port? And the hook for it. */
bool fdb_row_learned(const struct fdb_row *row);
void fdb_row_tell_learned(struct fdb_row *row, bool gone);

/* fdb_told.c: what the kernel says, as a netlink_table's callbacks. */
bool fdb_told(void *arg, bool del, bool dump, const void *bytes, size_t len);
void fdb_told_mark(void *arg);
void fdb_told_sweep(void *arg);
