/* What the kernel tells of the forwarding tables, applied to the rows; the truth table is in fdb.c.
 */
#include "proxyarp/linux/fdb_parts.h"

#include <stdlib.h>
#include <sys/socket.h>

static struct fdb_lan *lan_of(const struct fdb *f, const struct fdb_entry *e)
{
	for (struct fdb_lan *lan = f->lans; lan; lan = lan->next)
		if (e->where == FDB_BRIDGE ? e->master && e->master == lan->bridge
					   : e->ifindex == lan->vxlan)
			return lan;
	return NULL;
}

static bool our_vxlan_entry(const struct fdb_row *row)
{
	return row && row->has_seen && row->key.where == FDB_VXLAN &&
	       row->seen.state == FDB_OUR_VXLAN_STATE;
}

static void adopt(struct fdb_row *row)
{
	if (row->ours) /* written by this process, or adopted before */
		return;
	row->ours = true;
	row->leftover = !row->has_want;
}

/* Leftovers by shape; the two halves of a remote MAC may be told in either order. */
static void adopt_by_shape(struct fdb_row *row)
{
	struct fdb_lan *lan = row->lan;
	enum fdb_where other = row->key.where == FDB_BRIDGE ? FDB_VXLAN : FDB_BRIDGE;
	struct fdb_key k = fdb_row_key(lan, other, fdb_row_mac(row), 0, (struct ip){0});
	struct fdb_row *half = fdb_row_is_flood(row) ? NULL : fdb_row_find(row->f, &k);

	if (lan->settled || row->key.vlan)
		return;
	if (our_vxlan_entry(row)) {
		adopt(row);
		if (half && half->has_seen && half->seen.ifindex == lan->vxlan &&
			fdb_row_extern_learned(&half->seen))
			adopt(half);
	} else if (row->key.where == FDB_BRIDGE && row->seen.ifindex == lan->vxlan) {
		if (fdb_row_extern_learned(&row->seen) && our_vxlan_entry(half))
			adopt(row);
	} else if (row->key.where == FDB_BRIDGE && fdb_row_static_sticky(&row->seen)) {
		adopt(row);
	}
}

static bool same_entry(const struct fdb_entry *a, const struct fdb_entry *b)
{
	const uint16_t states = NUD_PERMANENT | NUD_NOARP;
	const uint8_t flags = NTF_EXT_LEARNED | NTF_STICKY;

	return a->ifindex == b->ifindex && ip_eq(a->dst, b->dst) && a->nhid == b->nhid &&
	       (a->state & states) == (b->state & states) &&
	       (a->flags & flags) == (b->flags & flags);
}

static void told_there(struct fdb_lan *lan, const struct fdb_entry *e)
{
	struct fdb_key k = fdb_row_key(lan, e->where, e->mac, e->vlan, e->dst);
	struct fdb *f = lan->f;
	struct fdb_row *row = fdb_row_find(f, &k);
	bool was_learned;

	if (!row && (f->rows.count >= f->max || !(row = fdb_row_add(lan, &k)))) {
		f->stats.refused_full++;
		return;
	}
	row->stale = false;
	was_learned = fdb_row_learned(row);
	if (was_learned && (row->seen.ifindex != e->ifindex || !fdb_is_dynamic(e)))
		fdb_row_tell_learned(row, true), was_learned = false;
	row->ours = row->ours && row->has_seen && same_entry(&row->seen, e);
	row->leftover = row->leftover && row->ours;
	row->seen = *e;
	row->has_seen = true;
	adopt_by_shape(row);
	if (fdb_row_learned(row) && !was_learned)
		fdb_row_tell_learned(row, false);
	if (row->has_want ? !fdb_row_met(row) : row->ours && !row->leftover)
		fdb_row_look(row);
}

static void told_gone(struct fdb_row *row)
{
	bool was_learned = fdb_row_learned(row);

	row->stale = false;
	if (was_learned)
		fdb_row_tell_learned(row, true);
	row->has_seen = false;
	row->ours = row->leftover = false;
	fdb_row_look(row);
}

bool fdb_told(void *arg, bool del, bool dump, const void *bytes, size_t len)
{
	struct fdb *f = arg;
	struct fdb_entry e;
	struct fdb_lan *lan;
	struct fdb_row *row;
	struct fdb_key k;

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
	k = fdb_row_key(lan, e.where, e.mac, e.vlan, e.dst);
	row = fdb_row_find(f, &k);
	/* A MAC that went to another port or VTEP is told there first, and only then gone from the
	 * old one. */
	if (row && row->has_seen && row->seen.ifindex == e.ifindex &&
		(e.where == FDB_BRIDGE || ip_eq(row->seen.dst, e.dst)))
		told_gone(row);
	return true;
}

void fdb_told_mark(void *arg)
{
	struct fdb *f = arg;
	struct fdb_row *row;

	hmap_foreach (&f->rows, row)
		row->stale = row->has_seen;
}

void fdb_told_sweep(void *arg)
{
	struct fdb *f = arg;
	struct fdb_row **gone = calloc(f->rows.count + 1, sizeof *gone);
	struct fdb_row *row;
	size_t count = 0;

	if (!gone)
		return;
	/* In two steps: the hook may add rows, and rows are freed only in the tick. */
	hmap_foreach (&f->rows, row)
		if (row->stale)
			gone[count++] = row;
	for (size_t i = 0; i < count; i++)
		if (gone[i]->stale)
			told_gone(gone[i]);
	free(gone);
	hmap_foreach (&f->rows, row)
		if (!row->lan->known)
			fdb_row_look(row);
	for (struct fdb_lan *lan = f->lans; lan; lan = lan->next)
		lan->known = true;
}
