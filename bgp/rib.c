/* The table itself: keys, paths, the choice among them. The list of changes is in rib_list.c. */
#include "bgp/rib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/rib_list.h"
#include "lib/siphash.h"

static bool dest_eq(const void *entry, const void *key)
{
	const struct dest *d = entry;
	const struct rib_key *k = key;

	return d->key_len == k->len && memcmp(d->key, k->p, k->len) == 0;
}

static uint64_t hash_of(struct rib_key k)
{
	return siphash(siphash_process_key(), k.p, k.len);
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
	free(r->alive);
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

static size_t path_size(uint8_t payload_len)
{
	return sizeof(struct path) + payload_len;
}

struct dest *rib_find(const struct rib *r, struct rib_key key)
{
	return hmap_get(&r->map, hash_of(key), &key);
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
	*d = (struct dest){
		.version = r->version, .told = RIB_NO_PEER, .key_len = (uint16_t)key.len};
	memcpy(d->key, key.p, key.len);
	if (hmap_add(&r->map, hash_of(key), d) < 0) {
		pool_free(&r->pool, ref, sizeof(struct dest) + key.len);
		return NULL;
	}
	rib_list_append(r, ref);
	return d;
}

void rib_dest_free(struct rib *r, struct dest *d, pool_ref ref)
{
	struct rib_key key = {d->key, d->key_len};

	hmap_del(&r->map, hash_of(key), &key);
	rib_list_remove(r, ref);
	pool_free(&r->pool, ref, sizeof(*d) + d->key_len);
}

/* --- the choice --- */

static bool view_reserve(struct rib *r, size_t n)
{
	if (n <= r->view_cap)
		return true;
	size_t cap = r->view_cap ? r->view_cap : 8;
	while (cap < n)
		cap *= 2;
	struct bgp_path_view *v = realloc(r->view, cap * sizeof(*v));
	if (v)
		r->view = v;
	uint8_t *alive = realloc(r->alive, cap);
	if (alive)
		r->alive = alive;
	if (!v || !alive)
		return false;
	r->view_cap = cap;
	return true;
}

static void view_of(const struct rib *r, const struct path *p, struct bgp_path_view *ret)
{
	const struct rib_peer *peer = &r->peer[p->peer];

	*ret = (struct bgp_path_view){
		.attrs = &p->attrs->attrs,
		.payload = p->payload,
		.payload_len = p->payload_len,
		.local = p->peer == RIB_LOCAL,
		.ibgp = peer->ibgp,
		.stale = peer->stale_loses && rib_path_stale(r, p),
		.peer_id = peer->router_id,
		.peer = peer->address,
	};
}

/* Moves the best path to the front. Without memory for the views the order stays as it is. */
static void choose(struct rib *r, struct dest *d)
{
	size_t n = 0, best;
	pool_ref *link;

	for (struct path *p = rib_path(r, d->paths); p; p = rib_path(r, p->next))
		n++;
	if (n < 2 || !view_reserve(r, n))
		return;
	n = 0;
	for (struct path *p = rib_path(r, d->paths); p; p = rib_path(r, p->next))
		view_of(r, p, &r->view[n++]);
	best = decide_best(r->family, r->view, n, r->alive);
	link = &d->paths;
	for (size_t i = 0; i < best; i++)
		link = &rib_path(r, *link)->next;
	pool_ref ref = *link;
	struct path *p = rib_path(r, ref);
	*link = p->next;
	p->next = d->paths;
	d->paths = ref;
}

/* The best path is not what it was: the key goes to the end of the list, and to the graves if
 * nothing is left. */
static void changed(struct rib *r, struct dest *d)
{
	rib_list_touch(r, d);
	if (!d->paths)
		rib_bury(r, d);
}

void rib_touch(struct rib *r, struct dest *d)
{
	rib_list_touch(r, d);
}

unsigned rib_redecide(struct rib *r, struct dest *d)
{
	pool_ref was = d->paths;

	choose(r, d);
	if (d->paths == was)
		return 0;
	changed(r, d);
	return RIB_BEST;
}

/* --- paths --- */

static pool_ref *link_of(struct rib *r, struct dest *d, uint16_t peer)
{
	pool_ref *link = &d->paths;

	while (*link && rib_path(r, *link)->peer != peer)
		link = &rib_path(r, *link)->next;
	return link;
}

static void fill(struct path *p, uint16_t peer, uint8_t gen, const uint8_t *payload,
	uint8_t payload_len, const struct attrset *attrs, uint32_t since)
{
	p->since = since;
	p->attrs = attrset_ref(attrs);
	p->path_id = 0;
	p->peer = peer;
	p->gen = gen;
	p->refused = 0;
	p->payload_len = payload_len;
	if (payload_len)
		memcpy(p->payload, payload, payload_len);
}

static void path_release(struct rib *r, struct path *p, pool_ref ref)
{
	attrset_unref(r->attrsets, p->attrs);
	pool_free(&r->pool, ref, path_size(p->payload_len));
}

static unsigned path_add(struct rib *r, struct dest *d, uint16_t peer, const uint8_t *payload,
	uint8_t payload_len, const struct attrset *attrs, uint32_t since)
{
	pool_ref ref = pool_alloc(&r->pool, path_size(payload_len)), was = d->paths;

	if (!ref)
		return RIB_FULL;
	struct path *p = pool_at(&r->pool, ref);
	fill(p, peer, r->peer[peer].gen, payload, payload_len, attrs, since);
	/* Behind the first: the order says who was best until now. */
	pool_ref *link = was ? &rib_path(r, was)->next : &d->paths;
	p->next = *link;
	*link = ref;
	r->peer[peer].paths++;
	r->paths++;
	choose(r, d);
	if (d->paths != was) {
		changed(r, d);
		return RIB_NEW | RIB_BEST;
	}
	return RIB_NEW;
}

static unsigned path_replace(struct rib *r, struct dest *d, pool_ref *link, const uint8_t *payload,
	uint8_t payload_len, const struct attrset *attrs, uint32_t since)
{
	pool_ref was = d->paths, ref = *link;
	struct path *p = rib_path(r, ref);
	uint16_t peer = p->peer;
	bool stale = rib_path_stale(r, p);
	bool same = p->attrs == attrs && p->payload_len == payload_len &&
		    memcmp(p->payload, payload, payload_len) == 0;

	if (same && !stale)
		return 0;
	if (stale)
		r->peer[peer].stale--;
	if (same) {
		p->gen = r->peer[peer].gen;
		choose(r, d);
		if (d->paths != was) {
			changed(r, d);
			return RIB_BEST;
		}
		return d->paths == ref ? RIB_FRESH : 0;
	}
	if (path_size(payload_len) != path_size(p->payload_len)) {
		pool_ref to = pool_alloc(&r->pool, path_size(payload_len));
		if (!to) {
			r->peer[peer].stale += stale;
			return RIB_FULL;
		}
		struct path *n = pool_at(&r->pool, to);
		n->next = p->next;
		fill(n, peer, r->peer[peer].gen, payload, payload_len, attrs, since);
		*link = to;
		if (was == ref)
			was = to;
		path_release(r, p, ref);
		ref = to;
	} else {
		const struct attrset *old = p->attrs;
		fill(p, peer, r->peer[peer].gen, payload, payload_len, attrs, since);
		attrset_unref(r->attrsets, old);
	}
	choose(r, d);
	if (d->paths == was && was != ref)
		return 0;
	changed(r, d);
	return RIB_BEST;
}

unsigned rib_set(struct rib *r, uint16_t peer, struct rib_key key, const uint8_t *payload,
	uint8_t payload_len, const struct attrset *attrs, uint32_t since, struct dest **ret)
{
	struct dest *d = rib_find(r, key);
	bool born = !d;

	if (born && !(d = dest_add(r, key)))
		return RIB_FULL;
	bool risen = !born && !d->paths;
	pool_ref *link = link_of(r, d, peer);
	unsigned change = *link ? path_replace(r, d, link, payload, payload_len, attrs, since)
				: path_add(r, d, peer, payload, payload_len, attrs, since);
	if (born && change & RIB_FULL) {
		rib_dest_free(r, d, rib_list_ref(r, d));
		return RIB_FULL;
	}
	if (risen && change & RIB_NEW)
		r->tombstones--;
	*ret = d;
	return change;
}

unsigned rib_unset_dest(struct rib *r, uint16_t peer, struct dest *d, bool only_stale)
{
	pool_ref *link = link_of(r, d, peer), was = d->paths, ref = *link;
	struct path *p = rib_path(r, ref);

	if (!p || (only_stale && !rib_path_stale(r, p)))
		return 0;
	r->peer[peer].stale -= rib_path_stale(r, p);
	r->peer[peer].paths--;
	r->paths--;
	*link = p->next;
	path_release(r, p, ref);
	choose(r, d);
	if (was != ref && d->paths == was)
		return RIB_GONE;
	changed(r, d);
	return RIB_GONE | RIB_BEST;
}

unsigned rib_unset(struct rib *r, uint16_t peer, struct rib_key key, struct dest **ret)
{
	struct dest *d = rib_find(r, key);

	if (!d)
		return 0;
	*ret = d;
	return rib_unset_dest(r, peer, d, false);
}

void rib_peer_stale(struct rib *r, uint16_t peer, bool stale_loses)
{
	struct rib_peer *p = &r->peer[peer];

	p->gen++;
	p->stale = p->paths;
	p->stale_loses = stale_loses;
}

void rib_told(struct rib *r, struct dest *d)
{
	const struct path *best = rib_best(r, d);
	uint16_t who = best ? best->peer : RIB_NO_PEER;

	if (d->told != RIB_NO_PEER)
		r->peer[d->told].told--;
	d->told = who;
	if (who != RIB_NO_PEER)
		r->peer[who].told++;
}
