/* One row of the forwarding tables: what is wanted, what is seen, and the way from one to the
 * other; the truth table is in fdb.c.
 *
 * A failure, and a contest with somebody who changes what we want, are answered at growing
 * intervals: a second, two, four, to a minute; the first contest at once.
 */
#include "proxyarp/linux/fdb_parts.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/siphash.h"

#define RETRY_MS 1000
#define RETRY_MAX_MS 60000

bool fdb_row_eq(const void *entry, const void *key)
{
	return memcmp(&((const struct fdb_row *)entry)->key, key, sizeof(struct fdb_key)) == 0;
}

static uint64_t hash_of(const struct fdb_key *k)
{
	return siphash(siphash_process_key(), k, sizeof *k);
}

struct fdb_key fdb_row_key(const struct fdb_lan *lan, enum fdb_where where, struct mac mac,
	uint16_t vlan, struct ip dst)
{
	struct fdb_key k;

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

struct fdb_row *fdb_row_find(const struct fdb *f, const struct fdb_key *k)
{
	return hmap_get(&f->rows, hash_of(k), k);
}

struct mac fdb_row_mac(const struct fdb_row *row)
{
	struct mac mac;

	memcpy(mac.b, row->key.mac, sizeof mac.b);
	return mac;
}

bool fdb_row_is_flood(const struct fdb_row *row)
{
	return row->key.where == FDB_VXLAN && mac_is_zero(fdb_row_mac(row));
}

void fdb_row_look(struct fdb_row *row)
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
	fdb_row_look(arg);
}

struct fdb_row *fdb_row_add(struct fdb_lan *lan, const struct fdb_key *k)
{
	struct fdb_row *row = calloc(1, sizeof *row);

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

static void free_row(struct fdb_row *row)
{
	timers_stop(&row->f->timers, &row->retry);
	hmap_del(&row->f->rows, hash_of(&row->key), &row->key);
	free(row);
}

bool fdb_row_static_sticky(const struct fdb_entry *e)
{
	return (e->state & (NUD_NOARP | NUD_PERMANENT)) == NUD_NOARP && (e->flags & NTF_STICKY) &&
	       !(e->flags & NTF_EXT_LEARNED);
}

bool fdb_row_extern_learned(const struct fdb_entry *e)
{
	return (e->flags & NTF_EXT_LEARNED) && !(e->flags & NTF_STICKY) &&
	       !(e->state & (NUD_NOARP | NUD_PERMANENT));
}

bool fdb_row_met(const struct fdb_row *row)
{
	const struct fdb_entry *e = &row->seen;

	if (!row->has_seen)
		return false;
	if (row->key.where == FDB_VXLAN)
		return ip_eq(e->dst, row->want_dst) && e->nhid == 0;
	if (e->ifindex != row->want_ifindex)
		return false;
	return row->want_ifindex == row->lan->vxlan ? fdb_row_extern_learned(e)
						    : fdb_row_static_sticky(e);
}

bool fdb_row_learned(const struct fdb_row *row)
{
	return row->has_seen && fdb_is_dynamic(&row->seen) &&
	       row->seen.ifindex != row->lan->vxlan && row->seen.ifindex != row->lan->bridge;
}

void fdb_row_tell_learned(struct fdb_row *row, bool gone)
{
	struct fdb *f = row->f;

	if (f->hooks.learned)
		f->hooks.learned(f->hooks.arg, row->lan, row->seen.ifindex, fdb_row_mac(row), gone);
}

/* Our entry for a row, as the kernel would tell it. */
static struct fdb_entry our_entry(const struct fdb_row *row, uint32_t ifindex, struct ip dst)
{
	struct fdb_entry e = {
		.where = (enum fdb_where)row->key.where,
		.ifindex = ifindex,
		.mac = fdb_row_mac(row),
	};

	if (e.where == FDB_VXLAN) {
		e.dst = dst;
		e.state = FDB_OUR_VXLAN_STATE;
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

int fdb_row_request(struct fdb_row *row, uint16_t type, int flags, struct fdb_entry e,
	void (*done)(void *, int))
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

static void try_later(struct fdb_row *row)
{
	uint64_t now = netlink_now_ms(row->f->nl);
	uint64_t wait = RETRY_MS;

	row->tried_ms = now;
	if (row->tries < 16)
		row->tries++;
	for (int i = 1; i < row->tries && wait < RETRY_MAX_MS; i++)
		wait *= 2;
	timers_start(
		&row->f->timers, &row->retry, now + (wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS));
}

static void on_written(void *arg, int verdict)
{
	struct fdb_row *row = arg;

	if (verdict < 0 || verdict == NETLINK_GONE) {
		row->f->stats.errors++;
		try_later(row);
		return;
	}
	if (fdb_row_learned(row))
		fdb_row_tell_learned(row, true);
	row->seen = our_entry(row, row->sent_ifindex, row->sent_dst);
	row->has_seen = true;
	row->stale = false;
	row->ours = true;
	row->was_met = row->has_want && fdb_row_met(row);
	if (!row->was_met)
		fdb_row_look(row);
}

static void on_removed(void *arg, int verdict)
{
	struct fdb_row *row = arg;

	if (verdict < 0) {
		row->f->stats.errors++;
		try_later(row);
		return;
	}
	row->has_seen = false;
	row->ours = false;
	fdb_row_look(row);
}

/* What replacing would not replace: see at the head of this file; and a next-hop group of the vxlan
 * device. */
static bool in_the_way(const struct fdb_row *row)
{
	if (!row->has_seen)
		return false;
	if (row->key.where == FDB_VXLAN)
		return row->seen.nhid != 0;
	if (row->want_ifindex == row->lan->vxlan)
		return (row->seen.state & NUD_NOARP) || (row->seen.flags & NTF_STICKY);
	return row->seen.flags & NTF_EXT_LEARNED;
}

static int write_row(struct fdb_row *row)
{
	struct fdb_entry e = our_entry(row, row->want_ifindex, row->want_dst);
	int r = 0;

	row->sent_ifindex = row->want_ifindex;
	row->sent_dst = row->want_dst;
	if (in_the_way(row))
		r = fdb_row_request(row, RTM_DELNEIGH, 0, row->seen, NULL);
	if (r == 0)
		r = fdb_row_request(row, RTM_NEWNEIGH,
			NLM_F_CREATE | (fdb_row_is_flood(row) ? NLM_F_APPEND : NLM_F_REPLACE), e,
			on_written);
	if (r == 0)
		row->f->stats.writes++;
	return r;
}

static int remove_row(struct fdb_row *row)
{
	int r = fdb_row_request(row, RTM_DELNEIGH, 0, row->seen, on_removed);

	if (r == 0)
		row->f->stats.removes++;
	return r;
}

/* Somebody else took out or changed what we want. True: put it back now; false: not now, or not any
 * more. */
static bool contest(struct fdb_row *row)
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
		f->hooks.contested(f->hooks.arg, row->lan, fdb_row_mac(row),
			row->has_seen ? &row->seen : NULL);
	if (!row->has_want || fdb_row_met(row)) {
		fdb_row_look(row);
		return false;
	}
	f->stats.repairs++;
	return true;
}

/* Its interface, or the bridge that this would be a port of, is gone for now. */
static bool nowhere(const struct fdb_row *row)
{
	return row->blocked || row->want_ifindex == 0 ||
	       (row->key.where == FDB_BRIDGE && row->lan->bridge == 0);
}

int fdb_row_step(struct fdb_row *row)
{
	if (!row->lan->known)
		return 0;
	if (row->has_want && fdb_row_met(row)) {
		row->was_met = true;
		return 0;
	}
	if (row->has_want) {
		if (nowhere(row) || timer_running(&row->retry))
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
