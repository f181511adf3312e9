/* The forwarding tables, kept as wanted; see fdb.h for what is written.
 *
 * One row for each entry that is wanted, or that the kernel tells of, in the bridges and vxlan
 * devices of our LANs:
 *
 *                           told: there                told: gone, or not in a dump
 *   wanted, seen as wanted  nothing                    put back
 *   wanted, seen otherwise  put right                  write
 *   not wanted, ours        take out; leftovers only   forget the row
 *                           after settle()
 *   not wanted, others'     leave; dynamic: tell       tell `learned` gone; forget the row
 *                           `learned`
 *
 * A dump and an event say "there" alike; only a sweep says "gone" for what a dump left out. What a
 * write was acknowledged for is taken as seen at once, so that the event which follows finds
 * nothing to do.
 *
 * Ours: what we have written. Linux keeps no NDA_PROTOCOL for these tables, so the leftovers of a
 * former process are known by shape, until settle(): in the vxlan device by the state
 * PERMANENT|REACHABLE, which it keeps as given and which neither bridge(8) (PERMANENT|NOARP) nor
 * zebra (the same for the flood list, REACHABLE or NOARP for MACs) sets; in the bridge `static
 * sticky` on a member port, and extern_learn on the vxlan port beside a vxlan entry of ours. The
 * state is one for a whole MAC of the vxlan device, all-zero included: the flood list of a device
 * that we drive is taken to be ours as a whole.
 *
 * To bring a MAC from a port to the vxlan port or back, the old entry is deleted first: the kernel
 * would keep `static sticky` beside extern_learn. Both go out in one system call; the gap is some
 * microseconds, and with flooding off nothing leaks in it.
 */
#include "proxyarp/linux/fdb.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "proxyarp/linux/fdb_parts.h"

#define ROWS_MAX 262144
#define REQUESTS_A_ROW 2

static void on_tick(void *arg, uint64_t now_ms)
{
	struct fdb *f = arg;
	struct fdb_row *row, **tail;

	timers_run(&f->timers, now_ms);
	row = f->head;
	tail = f->tail;
	f->head = NULL;
	f->tail = &f->head;
	/* The rest in the next round: one must not keep the event loop waiting. */
	while (row && netlink_room(f->nl) >= REQUESTS_A_ROW) {
		struct fdb_row *next = row->next;

		row->queued = false;
		if (fdb_row_step(row) < 0)
			fdb_row_look(row);
		row = next;
	}
	if (!row)
		return;
	/* What was put on the list meanwhile goes behind what is left of it. */
	*tail = f->head;
	if (!f->head)
		f->tail = tail;
	f->head = row;
}

static uint64_t on_deadline(void *arg)
{
	struct fdb *f = arg;

	return f->head ? 0 : timers_next(&f->timers);
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
	hmap_init(&f->rows, fdb_row_eq);
	timers_init(&f->timers);
	f->table = (struct netlink_table){
		.name = "forwarding tables",
		.group = RTNLGRP_NEIGH,
		.new_type = RTM_NEWNEIGH,
		.del_type = RTM_DELNEIGH,
		.get_type = RTM_GETNEIGH,
		.dump = build_dump,
		.mark = fdb_told_mark,
		.message = fdb_told,
		.sweep = fdb_told_sweep,
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
	struct fdb_row *row;

	if (!f)
		return;
	timers_free(&f->timers);
	hmap_foreach (&f->rows, row)
		free(row);
	hmap_free(&f->rows);
	while ((lan = f->lans)) {
		f->lans = lan->next;
		free(lan);
	}
	free(f);
}

/* --- LANs --- */

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
	bool new_bridge = lan->bridge != bridge, new_vxlan = lan->vxlan != vxlan;
	struct fdb_row *row;

	if (!new_bridge && !new_vxlan)
		return;
	hmap_foreach (&lan->f->rows, row) {
		if (row->lan != lan)
			continue;
		if (new_vxlan && row->has_want && row->want_ifindex == lan->vxlan) {
			row->want_ifindex = vxlan;
			row->was_met = false;
		}
		/* What was in a device that is gone went with it; what is in one that stays is
		 * still ours. */
		if (row->key.where == FDB_BRIDGE ? new_bridge : new_vxlan)
			row->has_seen = row->stale = row->ours = row->leftover = row->was_met =
				false;
		row->blocked = false;
		row->tries = 0;
		timers_stop(&lan->f->timers, &row->retry);
		fdb_row_look(row);
	}
	lan->bridge = bridge;
	lan->vxlan = vxlan;
	lan->known = false;
	netlink_redump(lan->f->nl, &lan->f->table);
}

void fdb_lan_settle(struct fdb_lan *lan)
{
	struct fdb_row *row;

	lan->settled = true;
	hmap_foreach (&lan->f->rows, row) {
		if (row->lan != lan || !row->leftover)
			continue;
		row->leftover = false;
		fdb_row_look(row);
	}
}

static void take_out_queued(struct fdb *f, const struct fdb_lan *lan)
{
	struct fdb_row **at = &f->head;

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
	struct fdb_row *row = entry;
	struct fdb_lan *lan = arg;

	if (row->lan != lan)
		return false;
	timers_stop(&lan->f->timers, &row->retry);
	if (row->has_want)
		(*(fdb_row_is_flood(row) ? &lan->f->wanted_flood : &lan->f->wanted))--;
	free(row);
	return true;
}

void fdb_lan_del(struct fdb_lan *lan, bool keep)
{
	struct fdb *f = lan->f;
	struct fdb_row *row;

	hmap_foreach (&f->rows, row) {
		if (keep || row->lan != lan || !row->has_seen || !row->ours)
			continue;
		if (fdb_row_request(row, RTM_DELNEIGH, 0, row->seen, NULL) < 0) {
			netlink_flush(f->nl);
			(void)fdb_row_request(row, RTM_DELNEIGH, 0, row->seen, NULL);
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

/* --- wants --- */

static int want(
	struct fdb_lan *lan, enum fdb_where where, struct mac mac, uint32_t ifindex, struct ip dst)
{
	struct fdb_key k = fdb_row_key(lan, where, mac, 0, dst);
	struct fdb *f = lan->f;
	struct fdb_row *row = fdb_row_find(f, &k);
	bool changed;

	if (!row || !row->has_want) {
		if (f->wanted + f->wanted_flood >= f->max) {
			f->stats.refused_full++;
			return -ENOSPC;
		}
		if (!row && !(row = fdb_row_add(lan, &k)))
			return -ENOMEM;
		(*(fdb_row_is_flood(row) ? &f->wanted_flood : &f->wanted))++;
	}
	changed = !row->has_want || row->want_ifindex != ifindex || !ip_eq(row->want_dst, dst);
	row->has_want = true;
	row->leftover = false;
	row->want_ifindex = ifindex;
	row->want_dst = dst;
	if (!changed)
		return 0;
	row->was_met = fdb_row_met(row);
	row->blocked = false;
	row->tries = 0;
	timers_stop(&f->timers, &row->retry);
	fdb_row_look(row);
	return 0;
}

static bool unwant(struct fdb_lan *lan, enum fdb_where where, struct mac mac, struct ip dst)
{
	struct fdb_key k = fdb_row_key(lan, where, mac, 0, dst);
	struct fdb *f = lan->f;
	struct fdb_row *row = fdb_row_find(f, &k);

	if (!row || !row->has_want)
		return false;
	row->has_want = row->blocked = false;
	row->tries = 0;
	timers_stop(&f->timers, &row->retry);
	(*(fdb_row_is_flood(row) ? &f->wanted_flood : &f->wanted))--;
	fdb_row_look(row);
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

	if (!mac_is_host(mac) || vtep.family == 0)
		return -EINVAL;
	/* The vxlan device first: a frame that the bridge sends there before would go to the whole
	 * flood list. */
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
	if (vtep.family == 0)
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
	struct fdb_row *row;

	hmap_foreach (&f->rows, row) {
		if (!row->has_want || row->want_ifindex != port)
			continue;
		row->blocked = false;
		row->tries = 0;
		timers_stop(&f->timers, &row->retry);
		fdb_row_look(row);
	}
}

void fdb_port_gone(struct fdb *f, uint32_t port)
{
	struct fdb_row *row;

	hmap_foreach (&f->rows, row) {
		if (!row->has_want || row->want_ifindex != port)
			continue;
		row->blocked = true;
		row->was_met = false;
		timers_stop(&f->timers, &row->retry);
	}
}

static bool met(const struct fdb_lan *lan, enum fdb_where where, struct mac mac, struct ip dst)
{
	struct fdb_key k = fdb_row_key(lan, where, mac, 0, dst);
	const struct fdb_row *row = fdb_row_find(lan->f, &k);

	return row && row->has_want && fdb_row_met(row);
}

bool fdb_met(const struct fdb_lan *lan, struct mac mac)
{
	struct fdb_key k = fdb_row_key(lan, FDB_VXLAN, mac, 0, (struct ip){0});
	const struct fdb_row *row = fdb_row_find(lan->f, &k);

	return met(lan, FDB_BRIDGE, mac, (struct ip){0}) &&
	       (!row || !row->has_want || fdb_row_met(row));
}

bool fdb_flood_met(const struct fdb_lan *lan, struct ip vtep)
{
	return met(lan, FDB_VXLAN, (struct mac){{0}}, vtep);
}

void fdb_stats(const struct fdb *f, struct fdb_stats *ret)
{
	const struct fdb_row *row;

	*ret = f->stats;
	ret->wanted = f->wanted;
	ret->wanted_flood = f->wanted_flood;
	ret->seen = ret->pending = 0;
	hmap_foreach (&f->rows, row) {
		ret->seen += row->has_seen;
		ret->pending += row->has_want && !fdb_row_met(row);
	}
}
