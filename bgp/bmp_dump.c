/* The dump (RFC 7854 section 5): one walk through each RIB with a marker, slice by slice, as fast as the station reads.
 *
 * A key is told as it is at that moment, and what comes for it later follows in the same queue, so nothing told here can
 * be older than something told before. Keys whose best path changes meanwhile move to the end of the list and are met
 * there, maybe for a second time: told twice, never missed. At the end of the walk comes an End-of-RIB for each peer.
 */
#include <stdlib.h>

#include "bgp/bmp_inside.h"
#include "bgp/engine.h"

#define SLICE 256
#define ROOM_OCTETS (256u << 10) /* of the dump may wait in the queue; what comes live has the rest */

static size_t room_of(const struct bmp_station *st)
{
	size_t share = st->config.queue_octets / 4;

	return share < ROOM_OCTETS ? share : ROOM_OCTETS;
}

bool bmp_dump_begin(struct bmp_station *st)
{
	st->table = 0;
	st->dumping = st->b->s->tables > 0;
	return !st->dumping || rib_marker_add(&st->b->s->table[0].rib, &st->at, NULL) == 0;
}

void bmp_dump_stop(struct bmp_station *st)
{
	if (st->dumping && st->table < st->b->s->tables)
		rib_marker_del(&st->b->s->table[st->table].rib, &st->at);
	st->dumping = false;
}

bool bmp_dump_due(const struct bmp_station *st)
{
	return st->state == STATION_UP && st->dumping && st->q.octets <= room_of(st);
}

/* Routes that can share an UPDATE stand together: of one peer, with the same attributes, that came in the same second. */
static int by_message(const void *va, const void *vb)
{
	const struct path *a = ((const struct bmp_item *)va)->p, *b = ((const struct bmp_item *)vb)->p;

	if (a->peer != b->peer)
		return a->peer < b->peer ? -1 : 1;
	if (a->since != b->since)
		return a->since < b->since ? -1 : 1;
	if (a->attrs != b->attrs)
		return (uintptr_t)a->attrs < (uintptr_t)b->attrs ? -1 : 1;
	return 0;
}

static void tell_items(struct bmp_station *st, const struct table *t, size_t count)
{
	struct bmp *b = st->b;
	struct bmp_item *items = b->items;
	const struct speaker *s = b->s;

	if (count > 1)
		qsort(items, count, sizeof(*items), by_message);
	for (unsigned view = BMP_PRE; view <= BMP_POST; view <<= 1) {
		struct bmp_pack k = {
			.b = b, .stream = &b->own, .one = st, .post = view == BMP_POST};
		for (size_t i = 0; i < count && st->config.views & view; i++) {
			const struct path *p = items[i].p;
			const struct dest *d = items[i].d;
			if (bmp_path_shown(&t->rib, p, k.post))
				bmp_pack_add(&k, s->neighbor[p->peer], t,
					s->start_ms + 1000ull * p->since,
					rib_key_of(d->key, d->key_len), p->path_id, p);
		}
		bmp_pack_end(&k);
	}
}

/* At most so many octets, if it does not share its message with another. */
static size_t octets_of(const struct dest *d, const struct path *p)
{
	const struct attrs *a = &p->attrs->attrs;

	return 200u + d->key_len + p->payload_len + 2u * a->as_path.len + a->communities.len +
	       a->ext_communities.len + a->large_communities.len + a->cluster_list.len + a->pmsi.len +
	       a->unknown.len;
}

/* Some of the keys, as many as there is room for, but one at least: returns how many. */
static size_t tell_keys(struct bmp_station *st, const struct table *t, struct dest *const *dests, size_t n)
{
	const struct speaker *s = st->b->s;
	size_t count = 0, octets = 0, i;

	for (i = 0; i < n && octets < room_of(st); i++)
		for (const struct path *p = rib_path(&t->rib, dests[i]->paths); p;
			p = rib_path(&t->rib, p->next)) {
			if (p->peer == RIB_LOCAL || !bmp_watches(s->neighbor[p->peer]))
				continue;
			octets += octets_of(dests[i], p);
			st->b->items[count++] = (struct bmp_item){dests[i], p};
			if (count == BMP_ITEMS) {
				tell_items(st, t, count);
				count = 0;
			}
		}
	tell_items(st, t, count);
	return i;
}

static void end_of_ribs(struct bmp_station *st)
{
	const struct speaker *s = st->b->s;

	for (size_t i = 1; i < s->neighbors; i++)
		for (unsigned t = 0; t < s->tables; t++)
			if (s->neighbor[i] && bmp_watches(s->neighbor[i]) &&
				s->neighbor[i]->main->family[t])
				bmp_end_of_rib(st, s->neighbor[i], &s->table[t]);
}

/* On to the next table, or done. */
static void next_table(struct bmp_station *st)
{
	struct speaker *s = st->b->s;

	rib_marker_del(&s->table[st->table].rib, &st->at);
	st->table++;
	if (st->table < s->tables) {
		if (rib_marker_add(&s->table[st->table].rib, &st->at, NULL) < 0)
			bmp_break(st, "out of memory");
		return;
	}
	st->dumping = false;
	st->dumped = true;
	end_of_ribs(st);
}

void bmp_dump_slice(struct bmp_station *st)
{
	struct bmp *b = st->b;
	struct speaker *s = b->s;
	struct table *t = &s->table[st->table];
	size_t n, told = 0;

	bmp_flush_live(b);
	/* That was not too much for this very station? */
	if (!bmp_dump_due(st))
		return;
	n = rib_ahead(&t->rib, &st->at, s->dests, SLICE);
	if (n) {
		told = tell_keys(st, t, s->dests, n);
		if (!st->dumping)
			return; /* its queue is full */
		rib_marker_pass(&t->rib, &st->at, s->dests[told - 1]);
	}
	if (told == n && n < SLICE)
		next_table(st);
	bmp_stream_flush(b, &b->own, st);
	rib_reap(&t->rib);
}
