/* The table itself: keys and paths. The choice among them is in rib_choice.c, the list of changes in
 * rib_list.c. */
#include "bgp/rib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/llgr.h"
#include "bgp/rib_list.h"
#include "lib/siphash.h"

static bool dest_eq(const void *entry, const void *key)
{
	const struct dest *d = entry;
	const struct rib_key *k = key;

	return d->key_len == k->len && memcmp(d->key, k->p, k->len) == 0;
}

static struct rib_key hashed(struct rib_key k)
{
	if (!k.hash)
		k.hash = siphash(siphash_process_key(), k.p, k.len);
	return k;
}

void rib_init(struct rib *r, const struct bgp_family *f, struct attrsets *as)
{
	*r = (struct rib){.family = f, .attrsets = as};
	hmap_init(&r->map, dest_eq);
}

void rib_free(struct rib *r)
{
	struct dest *d;

	hmap_foreach (&r->map, d)
		for (struct path *p = rib_path(r, d->paths); p; p = rib_path(r, p->next))
			attrset_unref(r->attrsets, p->attrs);
	hmap_free(&r->map);
	pool_free_all(&r->pool);
	free(r->peer);
	free(r->grave);
	free(r->view);
	free(r->room);
}

int rib_peer_add(struct rib *r, uint16_t index)
{
	if (index >= r->peer_cap) {
		size_t cap = r->peer_cap ? 2 * r->peer_cap : 16;
		while (cap <= index)
			cap *= 2;
		struct rib_peer *p = realloc(r->peer, cap * sizeof(*p));
		if (!p)
			return -ENOMEM;
		r->peer = p;
		r->peer_cap = cap;
	}
	r->peer[index] = (struct rib_peer){0};
	return 0;
}

bool rib_path_stale(const struct rib *r, const struct path *p)
{
	return p->gen != r->peer[p->peer].gen;
}

_Static_assert(BGP_PAYLOAD_MAX < 1 << 6, "struct path, payload_len");
_Static_assert(BGP_KEY_MAX < 1 << 9, "struct dest, key_len");
_Static_assert(RIB_NUMBERS < 1 << 4, "struct path, number");

bool rib_path_kept(const struct rib *r, const struct path *p)
{
	const struct rib_peer *peer = &r->peer[p->peer];

	return (peer->stale_loses && rib_path_stale(r, p)) ||
	       llgr_is_stale(peer, &p->attrs->attrs);
}

static size_t path_size(uint8_t payload_len)
{
	return offsetof(struct path, payload) + payload_len;
}

struct dest *rib_find(const struct rib *r, struct rib_key key)
{
	key = hashed(key);
	return hmap_get(&r->map, key.hash, &key);
}

/* Bucket, key, path and neighbours in the list: where one is, only the one before says. So all keys go one step
 * before any goes the next. */
void rib_prefetch(const struct rib *r, struct rib_key *keys, size_t n)
{
	const struct dest *d[RIB_PREFETCH_MAX];

	for (size_t i = 0; i < n; i++) {
		keys[i] = hashed(keys[i]);
		hmap_prefetch(&r->map, keys[i].hash);
	}
	for (size_t i = 0; i < n; i++) {
		d[i] = hmap_guess(&r->map, keys[i].hash);
		if (d[i]) {
			__builtin_prefetch(d[i]);
			__builtin_prefetch(d[i]->key + keys[i].len);
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (!d[i])
			continue;
		__builtin_prefetch(rib_path(r, d[i]->paths));
		__builtin_prefetch(rib_path(r, d[i]->prev));
		__builtin_prefetch(rib_path(r, d[i]->next));
	}
}

const struct path *rib_path_of(const struct rib *r, const struct dest *d, uint16_t peer)
{
	const struct path *p = rib_path(r, d->paths);

	while (p && p->peer != peer)
		p = rib_path(r, p->next);
	return p;
}

static struct dest *dest_add(struct rib *r, struct rib_key key)
{
	pool_ref ref = pool_alloc(&r->pool, sizeof(struct dest) + key.len);

	if (!ref)
		return NULL;
	struct dest *d = pool_at(&r->pool, ref);
	*d = (struct dest){.version = r->version, .told = RIB_NO_PEER, .key_len = key.len & 0x1ff};
	memcpy(d->key, key.p, key.len);
	if (hmap_add(&r->map, key.hash, d) < 0) {
		pool_free(&r->pool, ref, sizeof(struct dest) + key.len);
		return NULL;
	}
	rib_list_append(r, ref);
	return d;
}

void rib_dest_free(struct rib *r, struct dest *d, pool_ref ref, struct rib_key key)
{
	key = hashed(key);
	hmap_del(&r->map, key.hash, &key);
	rib_list_remove(r, ref);
	pool_free(&r->pool, ref, sizeof(*d) + d->key_len);
}

/* --- changes --- */

/* Looks at a key again after something happened to its paths. `was`: who was best before; `ref`: a
 * path that says something else now, 0 for none; `seen`: something changed that was or may be told,
 * or the order of those that may.
 * If the best path is not what it was, the key goes to the end of the list, and to the graves if
 * nothing is left. */
static unsigned settle(struct rib *r, struct dest *d, pool_ref was, pool_ref ref, bool seen)
{
	pool_ref now;
	bool best;

	rib_choose(r, d);
	now = rib_best_ref(r, d);
	best = now != was || (now && now == ref);
	if (r->all_paths && (seen || best))
		rib_number(r, d);
	if (best) {
		d->best_news = 1;
		d->lived = 1;
	}
	if (best || !d->paths || (r->all_paths && seen))
		rib_list_touch(r, d);
	if (!d->paths)
		rib_bury(r, d);
	return best ? RIB_BEST : 0;
}

void rib_touch(struct rib *r, struct dest *d)
{
	d->best_news = 1;
	rib_list_touch(r, d);
}

unsigned rib_redecide(struct rib *r, struct dest *d)
{
	return d->paths ? settle(r, d, rib_best_ref(r, d), 0, true) : 0;
}

/* --- paths --- */

/* Where a path is, or would be; how many others the peer and all have passed on the way. */
struct place {
	pool_ref *link;
	unsigned mine, all;
};

static struct place place_of(struct rib *r, struct dest *d, uint16_t peer, uint32_t path_id)
{
	struct place at = {.link = &d->paths};

	while (*at.link) {
		struct path *p = rib_path(r, *at.link);
		if (p->peer == peer && p->path_id == path_id)
			break;
		at.mine += p->peer == peer;
		at.all++;
		at.link = &p->next;
	}
	return at;
}

static bool is_crowded(const struct place *at)
{
	return at->mine >= RIB_PATHS_OF_PEER || (at->mine && at->all >= RIB_PATHS_OF_KEY);
}

/* After a restart the same paths may come with other identifiers: those of before make room. */
static pool_ref *stale_place(struct rib *r, struct dest *d, uint16_t peer, uint32_t path_id)
{
	pool_ref *link = &d->paths;
	struct path *p;

	while ((p = rib_path(r, *link)) && (p->peer != peer || !rib_path_stale(r, p)))
		link = &p->next;
	if (p)
		p->path_id = path_id;
	return link;
}

static void fill(const struct rib *r, struct path *p, const struct rib_route *in)
{
	p->since = in->since;
	p->attrs = attrset_ref(in->attrs);
	p->path_id = in->path_id;
	p->peer = in->peer;
	p->gen = r->peer[in->peer].gen;
	p->refused = in->refused;
	p->payload_len = in->payload_len & 0x3f;
	p->news = 1;
	if (in->payload_len)
		memcpy(p->payload, in->payload, in->payload_len);
}

static void count_path(struct rib *r, const struct dest *d, const struct path *p, int by)
{
	struct rib_peer *peer = &r->peer[p->peer];
	unsigned class = r->family->class_of ? r->family->class_of(d->key, d->key_len) : 0;

	r->paths += (size_t)by;
	peer->paths += (uint32_t)by;
	peer->by_class[class % BGP_CLASSES] += (uint32_t)by;
	if (p->refused) {
		r->refused += (size_t)by;
		peer->refused += (uint32_t)by;
	}
}

static void set_refused(struct rib *r, struct path *p, uint8_t reason)
{
	int by = !!reason - !!p->refused;

	r->refused += (size_t)by;
	r->peer[p->peer].refused += (uint32_t)by;
	p->refused = reason;
	if (reason)
		rib_unnumber(r, p);
}

static void path_release(struct rib *r, struct path *p, pool_ref ref)
{
	attrset_unref(r->attrsets, p->attrs);
	pool_free(&r->pool, ref, path_size(p->payload_len));
}

static unsigned path_add(struct rib *r, struct dest *d, const struct rib_route *in)
{
	pool_ref ref = pool_alloc(&r->pool, path_size(in->payload_len)), was = rib_best_ref(r, d);

	if (!ref)
		return RIB_FULL;
	struct path *p = pool_at(&r->pool, ref);
	p->told = 0;
	p->number = 0;
	fill(r, p, in);
	/* Behind the first: the order says who was best until now. */
	pool_ref *link = d->paths ? &rib_path(r, d->paths)->next : &d->paths;
	p->next = *link;
	*link = ref;
	count_path(r, d, p, 1);
	return RIB_NEW | settle(r, d, was, 0, !p->refused);
}

/* The same again. */
static unsigned path_refresh(struct rib *r, struct dest *d, pool_ref ref)
{
	struct path *p = rib_path(r, ref);
	struct rib_peer *peer = &r->peer[p->peer];

	if (!rib_path_stale(r, p))
		return 0;
	peer->stale--;
	p->gen = peer->gen;
	unsigned change = settle(r, d, rib_best_ref(r, d), 0, peer->stale_loses && !p->refused);
	return change || rib_best_ref(r, d) != ref ? change : RIB_FRESH;
}

/* Makes room for a payload of another length. 0: out of memory. */
static pool_ref path_move(struct rib *r, pool_ref *link, uint8_t payload_len)
{
	pool_ref from = *link, to = pool_alloc(&r->pool, path_size(payload_len));
	struct path *p = rib_path(r, from);

	if (!to)
		return 0;
	memcpy(pool_at(&r->pool, to), p, offsetof(struct path, payload));
	pool_free(&r->pool, from, path_size(p->payload_len));
	return *link = to;
}

static unsigned path_replace(
	struct rib *r, struct dest *d, pool_ref *link, const struct rib_route *in)
{
	pool_ref was = rib_best_ref(r, d), ref = *link;
	struct path *p = rib_path(r, ref);

	if (p->attrs == in->attrs && p->refused == in->refused &&
		p->payload_len == in->payload_len &&
		memcmp(p->payload, in->payload, in->payload_len) == 0)
		return path_refresh(r, d, ref);
	if (path_size(in->payload_len) != path_size(p->payload_len)) {
		pool_ref to = path_move(r, link, in->payload_len);
		if (!to)
			return RIB_FULL;
		was = was == ref ? to : was;
		ref = to;
		p = rib_path(r, ref);
	}
	const struct attrset *old = p->attrs;
	bool seen = !p->refused || !in->refused;
	r->peer[in->peer].stale -= rib_path_stale(r, p);
	set_refused(r, p, in->refused);
	fill(r, p, in);
	attrset_unref(r->attrsets, old);
	return settle(r, d, was, ref, seen);
}

unsigned rib_set(struct rib *r, const struct rib_route *in, struct dest **ret)
{
	struct rib_key key = hashed(in->key);
	struct dest *d = rib_find(r, key);
	bool born = !d;

	if (born && !(d = dest_add(r, key)))
		return RIB_FULL;
	bool risen = !born && !d->paths;
	struct place at = place_of(r, d, in->peer, in->path_id);
	if (!*at.link && is_crowded(&at) && !*(at.link = stale_place(r, d, in->peer, in->path_id)))
		return RIB_CROWDED;
	unsigned change = *at.link ? path_replace(r, d, at.link, in) : path_add(r, d, in);
	if (born && change & RIB_FULL) {
		rib_dest_free(r, d, rib_list_ref(r, d), key);
		return RIB_FULL;
	}
	if (risen && change & RIB_NEW)
		r->tombstones--;
	*ret = d;
	return change;
}

/* Returns whether it was or may have been told. */
static bool path_remove(struct rib *r, const struct dest *d, pool_ref *link)
{
	pool_ref ref = *link;
	struct path *p = rib_path(r, ref);
	bool seen = !p->refused;

	r->peer[p->peer].stale -= rib_path_stale(r, p);
	rib_unnumber(r, p);
	count_path(r, d, p, -1);
	*link = p->next;
	path_release(r, p, ref);
	return seen;
}

unsigned rib_unset(
	struct rib *r, uint16_t peer, uint32_t path_id, struct rib_key key, struct dest **ret)
{
	struct dest *d = rib_find(r, key);

	if (!d)
		return 0;
	*ret = d;
	struct place at = place_of(r, d, peer, path_id);
	pool_ref was = rib_best_ref(r, d);
	if (!*at.link)
		return 0;
	bool seen = path_remove(r, d, at.link);
	return RIB_GONE | settle(r, d, was, 0, seen);
}

unsigned rib_unset_dest(struct rib *r, uint16_t peer, struct dest *d, bool only_stale)
{
	pool_ref was = rib_best_ref(r, d), *link = &d->paths;
	bool gone = false, seen = false;

	while (*link) {
		struct path *p = rib_path(r, *link);
		if (p->peer != peer || (only_stale && !rib_path_stale(r, p))) {
			link = &p->next;
			continue;
		}
		seen |= path_remove(r, d, link);
		gone = true;
	}
	return gone ? RIB_GONE | settle(r, d, was, 0, seen) : 0;
}

unsigned rib_restate(struct rib *r, struct dest *d, uint16_t peer,
	const struct attrset *(*with)(void *arg, const struct attrset *was), void *arg)
{
	pool_ref was = rib_best_ref(r, d), *link = &d->paths, best = 0;
	bool gone = false, seen = false;

	while (*link) {
		struct path *p = rib_path(r, *link);
		if (p->peer != peer || !rib_path_stale(r, p)) {
			link = &p->next;
			continue;
		}
		const struct attrset *is = with(arg, p->attrs);
		if (!is) {
			seen |= path_remove(r, d, link);
			gone = true;
			continue;
		}
		if (is != p->attrs) {
			seen |= !p->refused;
			best = *link == was ? was : best;
			p->news = 1;
		}
		attrset_unref(r->attrsets, p->attrs);
		p->attrs = is;
		link = &p->next;
	}
	if (!gone && !seen)
		return 0;
	return (gone ? RIB_GONE : 0) | settle(r, d, was, best, seen);
}

unsigned rib_judge(struct rib *r, struct dest *d,
	uint8_t (*judge)(void *arg, const struct dest *d, const struct path *p), void *arg)
{
	pool_ref was = rib_best_ref(r, d);
	bool seen = false;

	for (struct path *p = rib_path(r, d->paths); p; p = rib_path(r, p->next)) {
		uint8_t reason = judge(arg, d, p);
		if (reason == p->refused)
			continue;
		seen |= !reason || !p->refused;
		set_refused(r, p, reason);
		p->news = 1;
	}
	return d->paths ? settle(r, d, was, 0, seen) : 0;
}

void rib_peer_stale(struct rib *r, uint16_t peer, bool stale_loses)
{
	struct rib_peer *p = &r->peer[peer];

	p->gen++;
	p->stale = p->paths;
	p->stale_loses = stale_loses;
}
