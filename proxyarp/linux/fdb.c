/* The forwarding tables, kept as wanted; see fdb.h for what is written.
 *
 * One row for each entry that is wanted, or that the kernel tells of, in the bridges and vxlan devices of our LANs:
 *
 *                              told: there                           told: gone, or not in a dump
 *   wanted, seen as wanted     nothing                               put back
 *   wanted, seen otherwise     put right: out with it, in with ours  write
 *   not wanted, ours           take out; a leftover: after settle()  forget the row
 *   not wanted, others'        leave; dynamic: tell `learned`        tell `learned` gone, forget the row
 *
 * A dump and an event say "there" alike; only a sweep says "gone" for what a dump left out. What a write was acknowledged for
 * is taken as seen at once, so that the event which follows finds nothing to do.
 *
 * Ours: what we have written. Linux keeps no NDA_PROTOCOL for these tables, so the leftovers of a former process are known by
 * shape, until settle(): in the vxlan device by the state PERMANENT|REACHABLE, which it keeps as given and which neither
 * bridge(8) (PERMANENT) nor zebra (REACHABLE, or NOARP with or without PERMANENT) sets; in the bridge `static sticky` on a
 * member port, and extern_learn on the vxlan port beside a vxlan entry of ours. The state is one for a whole MAC of the vxlan device,
 * all-zero included: the flood list of a device that we drive is taken to be ours as a whole.
 *
 * To bring a MAC from a port to the vxlan port or back, the old entry is deleted first: the kernel would keep `static sticky`
 * beside extern_learn. Both go out in one system call; the gap is some microseconds, and with flooding off nothing leaks in it.
 */
#include "proxyarp/linux/fdb.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/hmap.h"
#include "lib/siphash.h"
#include "lib/timers.h"
#include "proxyarp/linux/netlink.h"

#define ROWS_MAX 262144
#define OUR_VXLAN_STATE (NUD_PERMANENT | NUD_REACHABLE)
#define RETRY_MS 1000
#define RETRY_MAX_MS 60000

/* All octets count: made by memset and compared as memory. */
struct key {
	uint32_t lan;
	uint8_t where;
	uint8_t dst_family; /* only in the flood list, where one MAC has many VTEPs */
	uint16_t vlan;
	uint8_t mac[6];
	uint8_t pad[2];
	uint8_t dst[16];
};

struct row {
	struct key key;
	struct fdb *f;
	struct fdb_lan *lan;
	struct row *next; /* in the list of those to look at */
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
	struct row *head, **tail;
	struct fdb_stats stats;
};

/* --- rows ---------------------------------------------------------------------------------------------------------- */

static bool row_eq(const void *entry, const void *key)
{
	return memcmp(&((const struct row *)entry)->key, key, sizeof(struct key)) == 0;
}

static uint64_t hash_of(const struct key *k)
{
	return siphash(siphash_process_key(), k, sizeof *k);
}

static struct key key_of(const struct fdb_lan *lan, enum fdb_where where, struct mac mac, uint16_t vlan, struct ip dst)
{
	struct key k;

	memset(&k, 0, sizeof k);
	k.lan = lan->id;
	k.where = (uint8_t)where;
	k.vlan = vlan;
	memcpy(k.mac, mac.b, sizeof k.mac);
	if (where == FDB_VXLAN && mac_is_zero(mac)) {
		k.dst_family = dst.family;
		memcpy(k.dst, dst.b, sizeof k.dst);
	}
	return k;
}

static struct row *find_row(const struct fdb *f, const struct key *k)
{
	return hmap_get(&f->rows, hash_of(k), k);
}

static struct mac mac_of(const struct row *row)
{
	struct mac mac;

	memcpy(mac.b, row->key.mac, sizeof mac.b);
	return mac;
}

static bool is_flood(const struct row *row)
{
	return row->key.where == FDB_VXLAN && mac_is_zero(mac_of(row));
}

/* To be looked at in the next tick, which is also where rows are freed. */
static void look_at(struct row *row)
{
	struct fdb *f = row->f;

	if (row->queued)
		return;
	row->queued = true;
	row->next = NULL;
	*f->tail = row;
	f->tail = &row->next;
}

static void on_retry(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	look_at(arg);
}

static struct row *add_row(struct fdb_lan *lan, const struct key *k)
{
	struct row *row = calloc(1, sizeof *row);

	if (!row)
		return NULL;
	row->key = *k;
	row->f = lan->f;
	row->lan = lan;
	timer_init(&row->retry, on_retry, row);
	if (hmap_add(&lan->f->rows, hash_of(k), row) < 0) {
		free(row);
		return NULL;
	}
	return row;
}

static void free_row(struct row *row)
{
	timers_stop(&row->f->timers, &row->retry);
	hmap_del(&row->f->rows, hash_of(&row->key), &row->key);
	free(row);
}

/* --- wanted and seen ------------------------------------------------------------------------------------------------- */

static bool static_sticky(const struct fdb_entry *e)
{
	return (e->state & (NUD_NOARP | NUD_PERMANENT)) == NUD_NOARP && (e->flags & NTF_STICKY) &&
	       !(e->flags & NTF_EXT_LEARNED);
}

static bool extern_learned(const struct fdb_entry *e)
{
	return (e->flags & NTF_EXT_LEARNED) && !(e->flags & NTF_STICKY) &&
	       !(e->state & (NUD_NOARP | NUD_PERMANENT));
}

static bool row_met(const struct row *row)
{
	const struct fdb_entry *e = &row->seen;

	if (!row->has_seen)
		return false;
	if (row->key.where == FDB_VXLAN)
		return ip_eq(e->dst, row->want_dst) && e->nhid == 0;
	if (e->ifindex != row->want_ifindex)
		return false;
	return row->want_ifindex == row->lan->vxlan ? extern_learned(e) : static_sticky(e);
}

static bool learned_here(const struct row *row)
{
	return row->has_seen && fdb_is_dynamic(&row->seen) && row->seen.ifindex != row->lan->vxlan &&
	       row->seen.ifindex != row->lan->bridge;
}

static void tell_learned(struct row *row, bool gone)
{
	struct fdb *f = row->f;

	if (f->hooks.learned)
		f->hooks.learned(f->hooks.arg, row->lan, row->seen.ifindex, mac_of(row), gone);
}

/* Our entry for a row, as the kernel would tell it. */
static struct fdb_entry our_entry(const struct row *row, uint32_t ifindex, struct ip dst)
{
	struct fdb_entry e = {
		.where = (enum fdb_where)row->key.where,
		.ifindex = ifindex,
		.mac = mac_of(row),
	};

	if (e.where == FDB_VXLAN) {
		e.dst = dst;
		e.state = OUR_VXLAN_STATE;
		e.flags = NTF_SELF;
	} else if (ifindex == row->lan->vxlan) {
		e.master = row->lan->bridge;
		e.state = NUD_REACHABLE;
		e.flags = NTF_EXT_LEARNED;
	} else {
		e.master = row->lan->bridge;
		e.state = NUD_NOARP;
		e.flags = NTF_STICKY;
	}
	return e;
}

static int queue_write(struct row *row, uint16_t type, int flags, struct fdb_entry e, void (*done)(void *, int))
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (!msg)
		return -ENOMEM;
	if (e.where == FDB_BRIDGE)
		e.flags |= NTF_MASTER;
	if (fdb_build(msg, &e) < 0) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return netlink_request(row->f->nl, msg, done, row);
}

static void try_later(struct row *row)
{
	uint64_t now = netlink_now_ms(row->f->nl);
	uint64_t wait = RETRY_MS;

	row->tried_ms = now;
	if (row->tries < 16)
		row->tries++;
	for (int i = 1; i < row->tries && wait < RETRY_MAX_MS; i++)
		wait *= 2;
	timers_start(&row->f->timers, &row->retry, now + (wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS));
}

static void on_written(void *arg, int verdict)
{
	struct row *row = arg;

	if (verdict < 0 || verdict == NETLINK_GONE) {
		row->f->stats.errors++;
		try_later(row);
		return;
	}
	if (learned_here(row))
		tell_learned(row, true);
	row->seen = our_entry(row, row->sent_ifindex, row->sent_dst);
	row->has_seen = true;
	row->stale = false;
	row->ours = true;
	row->was_met = row->has_want && row_met(row);
	if (!row->was_met)
		look_at(row);
}

static void on_removed(void *arg, int verdict)
{
	struct row *row = arg;

	if (verdict < 0) {
		row->f->stats.errors++;
		try_later(row);
		return;
	}
	row->has_seen = false;
	row->ours = false;
	look_at(row);
}

/* What replacing would not replace: see at the head of this file; and a next-hop group of the vxlan device. */
static bool in_the_way(const struct row *row)
{
	if (!row->has_seen)
		return false;
	if (row->key.where == FDB_VXLAN)
		return row->seen.nhid != 0;
	if (row->want_ifindex == row->lan->vxlan)
		return (row->seen.state & NUD_NOARP) || (row->seen.flags & NTF_STICKY);
	return row->seen.flags & NTF_EXT_LEARNED;
}

static int write_row(struct row *row)
{
	struct fdb_entry e = our_entry(row, row->want_ifindex, row->want_dst);
	int r = 0;

	row->sent_ifindex = row->want_ifindex;
	row->sent_dst = row->want_dst;
	if (in_the_way(row))
		r = queue_write(row, RTM_DELNEIGH, 0, row->seen, NULL);
	if (r == 0)
		r = queue_write(row, RTM_NEWNEIGH,
			NLM_F_CREATE | (is_flood(row) ? NLM_F_APPEND : NLM_F_REPLACE), e, on_written);
	if (r == 0)
		row->f->stats.writes++;
	return r;
}

static int remove_row(struct row *row)
{
	int r = queue_write(row, RTM_DELNEIGH, 0, row->seen, on_removed);

	if (r == 0)
		row->f->stats.removes++;
	return r;
}

/* Somebody else took out or changed what we want. True: put it back now; false: not now, or not any more. */
static bool contest(struct row *row)
{
	struct fdb *f = row->f;
	uint64_t now = netlink_now_ms(f->nl);
	uint64_t wait = row->tries ? RETRY_MS : 0;

	if (row->tries && now - row->tried_ms > RETRY_MAX_MS)
		row->tries = 0, wait = 0;
	for (int i = 1; i < row->tries && wait < RETRY_MAX_MS; i++)
		wait *= 2;
	if (now < row->tried_ms + wait) {
		timers_start(&f->timers, &row->retry, row->tried_ms + wait);
		return false;
	}
	row->tried_ms = now;
	if (row->tries < 16)
		row->tries++;
	f->stats.contested++;
	if (f->hooks.contested)
		f->hooks.contested(f->hooks.arg, row->lan, mac_of(row), row->has_seen ? &row->seen : NULL);
	if (!row->has_want || row_met(row)) {
		look_at(row);
		return false;
	}
	f->stats.repairs++;
	return true;
}

static int step_row(struct row *row)
{
	if (!row->lan->known)
		return 0;
	if (row->has_want && row_met(row)) {
		row->was_met = true;
		return 0;
	}
	if (row->has_want) {
		if (row->blocked || timer_running(&row->retry))
			return 0;
		if (row->was_met && !contest(row))
			return 0;
		return write_row(row);
	}
	if (row->has_seen && row->ours && !row->leftover)
		return timer_running(&row->retry) ? 0 : remove_row(row);
	if (!row->has_seen)
		free_row(row);
	return 0;
}

static void on_tick(void *arg, uint64_t now_ms)
{
	struct fdb *f = arg;
	struct row *row, *next;

	timers_run(&f->timers, now_ms);
	row = f->head;
	f->head = NULL;
	f->tail = &f->head;
	for (; row; row = next) {
		next = row->next;
		row->queued = false;
		if (step_row(row) < 0) /* the queue is full: the rest in the next round */
			look_at(row);
	}
}

static uint64_t on_deadline(void *arg)
{
	struct fdb *f = arg;

	return f->head ? 0 : timers_next(&f->timers);
}

/* --- what the kernel tells ------------------------------------------------------------------------------------------- */

static struct fdb_lan *lan_of(const struct fdb *f, const struct fdb_entry *e)
{
	for (struct fdb_lan *lan = f->lans; lan; lan = lan->next)
		if (e->where == FDB_BRIDGE ? e->master && e->master == lan->bridge : e->ifindex == lan->vxlan)
			return lan;
	return NULL;
}

static bool our_vxlan_entry(const struct row *row)
{
	return row && row->has_seen && row->key.where == FDB_VXLAN && row->seen.state == OUR_VXLAN_STATE;
}

static void adopt(struct row *row)
{
	if (row->ours) /* written by this process, or adopted before */
		return;
	row->ours = true;
	row->leftover = !row->has_want;
}

/* Leftovers by shape; the two halves of a remote MAC may be told in either order. */
static void adopt_by_shape(struct row *row)
{
	struct fdb_lan *lan = row->lan;
	enum fdb_where other = row->key.where == FDB_BRIDGE ? FDB_VXLAN : FDB_BRIDGE;
	struct key k = key_of(lan, other, mac_of(row), 0, (struct ip){0});
	struct row *half = is_flood(row) ? NULL : find_row(row->f, &k);

	if (lan->settled || row->key.vlan)
		return;
	if (our_vxlan_entry(row)) {
		adopt(row);
		if (half && half->has_seen && half->seen.ifindex == lan->vxlan && extern_learned(&half->seen))
			adopt(half);
	} else if (row->key.where == FDB_BRIDGE && row->seen.ifindex == lan->vxlan) {
		if (extern_learned(&row->seen) && our_vxlan_entry(half))
			adopt(row);
	} else if (row->key.where == FDB_BRIDGE && static_sticky(&row->seen)) {
		adopt(row);
	}
}

static bool same_entry(const struct fdb_entry *a, const struct fdb_entry *b)
{
	const uint16_t states = NUD_PERMANENT | NUD_NOARP;
	const uint8_t flags = NTF_EXT_LEARNED | NTF_STICKY;

	return a->ifindex == b->ifindex && ip_eq(a->dst, b->dst) && a->nhid == b->nhid &&
	       (a->state & states) == (b->state & states) && (a->flags & flags) == (b->flags & flags);
}

static void told_there(struct fdb_lan *lan, const struct fdb_entry *e)
{
	struct key k = key_of(lan, e->where, e->mac, e->vlan, e->dst);
	struct fdb *f = lan->f;
	struct row *row = find_row(f, &k);
	bool was_learned;

	if (!row && (f->rows.count >= f->max || !(row = add_row(lan, &k)))) {
		f->stats.refused_full++;
		return;
	}
	row->stale = false;
	was_learned = learned_here(row);
	if (was_learned && (row->seen.ifindex != e->ifindex || !fdb_is_dynamic(e)))
		tell_learned(row, true), was_learned = false;
	row->ours = row->ours && row->has_seen && same_entry(&row->seen, e);
	row->leftover = row->leftover && row->ours;
	row->seen = *e;
	row->has_seen = true;
	adopt_by_shape(row);
	if (learned_here(row) && !was_learned)
		tell_learned(row, false);
	if (row->has_want ? !row_met(row) : row->ours && !row->leftover)
		look_at(row);
}

static void told_gone(struct row *row)
{
	bool was_learned = learned_here(row);

	row->stale = false;
	if (was_learned)
		tell_learned(row, true);
	row->has_seen = false;
	row->ours = row->leftover = false;
	look_at(row);
}

static bool on_message(void *arg, bool del, bool dump, const void *bytes, size_t len)
{
	struct fdb *f = arg;
	struct fdb_entry e;
	struct fdb_lan *lan;
	struct row *row;
	struct key k;

	(void)dump;
	/* The group carries the neighbours of IPv4 and IPv6 too. */
	if (len >= 1 && *(const uint8_t *)bytes != AF_BRIDGE)
		return true;
	if (!fdb_parse(bytes, len, &e))
		return false;
	lan = lan_of(f, &e);
	if (!lan || e.vni)
		return true;
	if (!del) {
		told_there(lan, &e);
		return true;
	}
	k = key_of(lan, e.where, e.mac, e.vlan, e.dst);
	row = find_row(f, &k);
	/* A MAC that went to another port or VTEP is told there first, and only then gone from the old one. */
	if (row && row->has_seen && row->seen.ifindex == e.ifindex &&
		(e.where == FDB_BRIDGE || ip_eq(row->seen.dst, e.dst)))
		told_gone(row);
	return true;
}

static void on_mark(void *arg)
{
	struct fdb *f = arg;
	struct row *row;

	hmap_foreach(&f->rows, row)
		row->stale = row->has_seen;
}

static void on_sweep(void *arg)
{
	struct fdb *f = arg;
	struct row **gone = calloc(f->rows.count + 1, sizeof *gone);
	struct row *row;
	size_t count = 0;

	if (!gone)
		return;
	/* In two steps: the hook may add rows, and rows are freed only in the tick. */
	hmap_foreach(&f->rows, row)
		if (row->stale)
			gone[count++] = row;
	for (size_t i = 0; i < count; i++)
		if (gone[i]->stale)
			told_gone(gone[i]);
	free(gone);
	hmap_foreach(&f->rows, row)
		if (!row->lan->known)
			look_at(row);
	for (struct fdb_lan *lan = f->lans; lan; lan = lan->next)
		lan->known = true;
}

static int build_dump(void *arg, struct nl_msg *msg)
{
	struct ndmsg head = {.ndm_family = AF_BRIDGE};

	(void)arg;
	return nlmsg_append(msg, &head, sizeof head, NLMSG_ALIGNTO) < 0 ? -ENOMEM : 0;
}

int fdb_open(struct netlink *nl, const struct fdb_hooks *hooks, uint32_t max, struct fdb **ret)
{
	struct fdb *f = calloc(1, sizeof *f);
	int r;

	if (!f)
		return -ENOMEM;
	f->nl = nl;
	f->hooks = hooks ? *hooks : (struct fdb_hooks){0};
	f->max = max ? max : ROWS_MAX;
	f->tail = &f->head;
	hmap_init(&f->rows, row_eq);
	timers_init(&f->timers);
	f->table = (struct netlink_table){
		.name = "forwarding tables",
		.group = RTNLGRP_NEIGH,
		.new_type = RTM_NEWNEIGH,
		.del_type = RTM_DELNEIGH,
		.get_type = RTM_GETNEIGH,
		.dump = build_dump,
		.mark = on_mark,
		.message = on_message,
		.sweep = on_sweep,
		.tick = on_tick,
		.deadline = on_deadline,
		.arg = f,
	};
	r = netlink_add_table(nl, &f->table);
	if (r < 0) {
		fdb_close(f);
		return r;
	}
	*ret = f;
	return 0;
}

void fdb_close(struct fdb *f)
{
	struct fdb_lan *lan;
	struct row *row;

	if (!f)
		return;
	timers_free(&f->timers);
	hmap_foreach(&f->rows, row)
		free(row);
	hmap_free(&f->rows);
	while ((lan = f->lans)) {
		f->lans = lan->next;
		free(lan);
	}
	free(f);
}

/* --- LANs --------------------------------------------------------------------------------------------------------------- */

int fdb_lan_add(struct fdb *f, uint32_t bridge, uint32_t vxlan, void *arg, struct fdb_lan **ret)
{
	struct fdb_lan *lan;

	for (lan = f->lans; lan; lan = lan->next)
		if (lan->bridge == bridge)
			return -EEXIST;
	lan = calloc(1, sizeof *lan);
	if (!lan)
		return -ENOMEM;
	*lan = (struct fdb_lan){.f = f,
		.next = f->lans,
		.id = ++f->lan_serial,
		.bridge = bridge,
		.vxlan = vxlan,
		.arg = arg};
	f->lans = lan;
	netlink_redump(f->nl, &f->table);
	*ret = lan;
	return 0;
}

void *fdb_lan_arg(const struct fdb_lan *lan)
{
	return lan->arg;
}

void fdb_lan_move(struct fdb_lan *lan, uint32_t bridge, uint32_t vxlan)
{
	struct row *row;

	hmap_foreach(&lan->f->rows, row) {
		if (row->lan != lan)
			continue;
		if (row->has_want && row->want_ifindex == lan->vxlan)
			row->want_ifindex = vxlan;
		row->has_seen = row->stale = row->ours = row->leftover = row->was_met = false;
		row->blocked = false;
		row->tries = 0;
		timers_stop(&lan->f->timers, &row->retry);
		look_at(row);
	}
	lan->bridge = bridge;
	lan->vxlan = vxlan;
	lan->known = false;
	netlink_redump(lan->f->nl, &lan->f->table);
}

void fdb_lan_settle(struct fdb_lan *lan)
{
	struct row *row;

	lan->settled = true;
	hmap_foreach(&lan->f->rows, row) {
		if (row->lan != lan || !row->leftover)
			continue;
		row->leftover = false;
		look_at(row);
	}
}

static void take_out_queued(struct fdb *f, const struct fdb_lan *lan)
{
	struct row **at = &f->head;

	f->tail = &f->head;
	while (*at) {
		if ((*at)->lan == lan) {
			*at = (*at)->next;
			continue;
		}
		at = &(*at)->next;
		f->tail = at;
	}
}

static bool drop_of_lan(void *entry, void *arg)
{
	struct row *row = entry;
	struct fdb_lan *lan = arg;

	if (row->lan != lan)
		return false;
	timers_stop(&lan->f->timers, &row->retry);
	if (row->has_want)
		(*(is_flood(row) ? &lan->f->wanted_flood : &lan->f->wanted))--;
	free(row);
	return true;
}

void fdb_lan_del(struct fdb_lan *lan, bool keep)
{
	struct fdb *f = lan->f;
	struct row *row;

	hmap_foreach(&f->rows, row) {
		if (keep || row->lan != lan || !row->has_seen || !row->ours)
			continue;
		if (queue_write(row, RTM_DELNEIGH, 0, row->seen, NULL) < 0) {
			netlink_flush(f->nl);
			(void)queue_write(row, RTM_DELNEIGH, 0, row->seen, NULL);
		}
		f->stats.removes++;
	}
	netlink_flush(f->nl); /* no acknowledgement may find its row gone */
	take_out_queued(f, lan);
	hmap_sweep(&f->rows, drop_of_lan, lan);
	for (struct fdb_lan **l = &f->lans; *l; l = &(*l)->next)
		if (*l == lan) {
			*l = lan->next;
			break;
		}
	free(lan);
}

/* --- wants ---------------------------------------------------------------------------------------------------------------- */

static int want(struct fdb_lan *lan, enum fdb_where where, struct mac mac, uint32_t ifindex, struct ip dst)
{
	struct key k = key_of(lan, where, mac, 0, dst);
	struct fdb *f = lan->f;
	struct row *row = find_row(f, &k);
	bool changed;

	if (!row || !row->has_want) {
		if (f->wanted + f->wanted_flood >= f->max) {
			f->stats.refused_full++;
			return -ENOSPC;
		}
		if (!row && !(row = add_row(lan, &k)))
			return -ENOMEM;
		(*(is_flood(row) ? &f->wanted_flood : &f->wanted))++;
	}
	changed = !row->has_want || row->want_ifindex != ifindex || !ip_eq(row->want_dst, dst);
	row->has_want = true;
	row->leftover = false;
	row->want_ifindex = ifindex;
	row->want_dst = dst;
	if (!changed)
		return 0;
	row->was_met = row_met(row);
	row->blocked = false;
	row->tries = 0;
	timers_stop(&f->timers, &row->retry);
	look_at(row);
	return 0;
}

static bool unwant(struct fdb_lan *lan, enum fdb_where where, struct mac mac, struct ip dst)
{
	struct key k = key_of(lan, where, mac, 0, dst);
	struct fdb *f = lan->f;
	struct row *row = find_row(f, &k);

	if (!row || !row->has_want)
		return false;
	row->has_want = row->blocked = false;
	row->tries = 0;
	timers_stop(&f->timers, &row->retry);
	(*(is_flood(row) ? &f->wanted_flood : &f->wanted))--;
	look_at(row);
	return true;
}

int fdb_want_local(struct fdb_lan *lan, struct mac mac, uint32_t port)
{
	const struct ip none = {0};
	int r;

	if (!mac_is_host(mac) || port == 0 || port == lan->vxlan)
		return -EINVAL;
	r = want(lan, FDB_BRIDGE, mac, port, none);
	if (r == 0)
		unwant(lan, FDB_VXLAN, mac, none);
	return r;
}

int fdb_want_remote(struct fdb_lan *lan, struct mac mac, struct ip vtep)
{
	int r;

	if (!mac_is_host(mac) || lan->vxlan == 0 || vtep.family == 0)
		return -EINVAL;
	/* The vxlan device first: a frame that the bridge sends there before would go to the whole flood list. */
	r = want(lan, FDB_VXLAN, mac, lan->vxlan, vtep);
	if (r == 0)
		r = want(lan, FDB_BRIDGE, mac, lan->vxlan, (struct ip){0});
	return r;
}

int fdb_unwant(struct fdb_lan *lan, struct mac mac)
{
	const struct ip none = {0};

	unwant(lan, FDB_BRIDGE, mac, none);
	unwant(lan, FDB_VXLAN, mac, none);
	return 0;
}

int fdb_want_flood(struct fdb_lan *lan, struct ip vtep)
{
	if (lan->vxlan == 0 || vtep.family == 0)
		return -EINVAL;
	return want(lan, FDB_VXLAN, (struct mac){{0}}, lan->vxlan, vtep);
}

int fdb_unwant_flood(struct fdb_lan *lan, struct ip vtep)
{
	unwant(lan, FDB_VXLAN, (struct mac){{0}}, vtep);
	return 0;
}

void fdb_port_kick(struct fdb *f, uint32_t port)
{
	struct row *row;

	hmap_foreach(&f->rows, row) {
		if (!row->has_want || row->want_ifindex != port)
			continue;
		row->blocked = false;
		row->tries = 0;
		timers_stop(&f->timers, &row->retry);
		look_at(row);
	}
}

void fdb_port_gone(struct fdb *f, uint32_t port)
{
	struct row *row;

	hmap_foreach(&f->rows, row) {
		if (!row->has_want || row->want_ifindex != port)
			continue;
		row->blocked = true;
		row->was_met = false;
		timers_stop(&f->timers, &row->retry);
	}
}

static bool met(const struct fdb_lan *lan, enum fdb_where where, struct mac mac, struct ip dst)
{
	struct key k = key_of(lan, where, mac, 0, dst);
	const struct row *row = find_row(lan->f, &k);

	return row && row->has_want && row_met(row);
}

bool fdb_met(const struct fdb_lan *lan, struct mac mac)
{
	struct key k = key_of(lan, FDB_VXLAN, mac, 0, (struct ip){0});
	const struct row *row = find_row(lan->f, &k);

	return met(lan, FDB_BRIDGE, mac, (struct ip){0}) && (!row || !row->has_want || row_met(row));
}

bool fdb_flood_met(const struct fdb_lan *lan, struct ip vtep)
{
	return met(lan, FDB_VXLAN, (struct mac){{0}}, vtep);
}

void fdb_stats(const struct fdb *f, struct fdb_stats *ret)
{
	const struct row *row;

	*ret = f->stats;
	ret->wanted = f->wanted;
	ret->wanted_flood = f->wanted_flood;
	ret->seen = ret->pending = 0;
	hmap_foreach(&f->rows, row) {
		ret->seen += row->has_seen;
		ret->pending += row->has_want && !row_met(row);
	}
}
