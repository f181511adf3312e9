/* The order of change: list, markers, tombstones. See rib.h for what it is good for.
 *
 * Markers are nodes of the list themselves, so that moving a key never has to look for markers. A
 * tombstone is remembered in a ring in the order of death; since versions only grow, those that
 * every marker has passed are at its front. A key that came back to life (or died again) has
 * another version than its old grave, which is then just dropped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/rib_list.h"

static struct dest *node(const struct rib *r, pool_ref ref)
{
	return ref ? pool_at(&r->pool, ref) : NULL;
}

static struct grave *grave_at(const struct rib *r, size_t i)
{
	return &r->grave[(r->grave_head + i) & (r->grave_cap - 1)];
}

static void insert_before(struct rib *r, pool_ref ref, pool_ref at)
{
	struct dest *d = node(r, ref);

	d->next = at;
	d->prev = at ? node(r, at)->prev : r->tail;
	if (d->prev)
		node(r, d->prev)->next = ref;
	else
		r->head = ref;
	if (at)
		node(r, at)->prev = ref;
	else
		r->tail = ref;
}

void rib_list_append(struct rib *r, pool_ref ref)
{
	insert_before(r, ref, 0);
}

void rib_list_remove(struct rib *r, pool_ref ref)
{
	struct dest *d = node(r, ref);

	if (d->prev)
		node(r, d->prev)->next = d->next;
	else
		r->head = d->next;
	if (d->next)
		node(r, d->next)->prev = d->prev;
	else
		r->tail = d->prev;
}

pool_ref rib_list_ref(const struct rib *r, const struct dest *d)
{
	return d->prev ? node(r, d->prev)->next : r->head;
}

#define OLDEST (1u << 30)
#define AGING (1u << 29)

static uint32_t clamp(const struct rib *r, uint32_t version)
{
	return r->version - version > OLDEST ? r->version - OLDEST : version;
}

/* Versions are compared as serial numbers, so none may fall 2^31 behind: every 2^29 changes the old
 * ones are drawn along. The order stays. */
static void age(struct rib *r)
{
	for (struct dest *d = node(r, r->head); d; d = node(r, d->next))
		d->version = clamp(r, d->version);
	for (struct rib_marker *m = r->markers; m; m = m->next)
		m->version = clamp(r, m->version);
	for (size_t i = 0; i < r->grave_count; i++)
		grave_at(r, i)->version = clamp(r, grave_at(r, i)->version);
}

void rib_list_touch(struct rib *r, struct dest *d)
{
	pool_ref ref = rib_list_ref(r, d);

	d->version = ++r->version;
	if (r->version % AGING == 0)
		age(r);
	if (r->tail != ref) {
		rib_list_remove(r, ref);
		rib_list_append(r, ref);
	}
}

/* --- markers --- */

static uint32_t before_first(const struct rib *r)
{
	const struct dest *d = node(r, r->head);

	while (d && d->marker)
		d = node(r, d->next);
	return d ? d->version - 1 : r->version;
}

int rib_marker_add(struct rib *r, struct rib_marker *m, const struct rib_marker *at)
{
	pool_ref ref = pool_alloc(&r->pool, sizeof(struct dest));

	if (!ref)
		return -ENOMEM;
	*(struct dest *)pool_at(&r->pool, ref) = (struct dest){.marker = 1};
	insert_before(r, ref, at ? at->node : r->head);
	m->node = ref;
	m->version = at ? at->version : before_first(r);
	m->next = r->markers;
	m->link = &r->markers;
	if (m->next)
		m->next->link = &m->next;
	r->markers = m;
	return 0;
}

void rib_marker_del(struct rib *r, struct rib_marker *m)
{
	if (!m->node)
		return;
	rib_list_remove(r, m->node);
	pool_free(&r->pool, m->node, sizeof(struct dest));
	*m->link = m->next;
	if (m->next)
		m->next->link = m->link;
	*m = (struct rib_marker){0};
}

int rib_marker_first(struct rib *r, struct rib_marker *m)
{
	if (!m->node)
		return rib_marker_add(r, m, NULL);
	rib_list_remove(r, m->node);
	insert_before(r, m->node, r->head);
	m->version = before_first(r);
	return 0;
}

size_t rib_ahead(const struct rib *r, const struct rib_marker *m, struct dest **ret, size_t max)
{
	size_t n = 0;

	for (struct dest *d = node(r, node(r, m->node)->next); d && n < max; d = node(r, d->next))
		if (!d->marker)
			ret[n++] = d;
	return n;
}

void rib_marker_pass(struct rib *r, struct rib_marker *m, struct dest *last)
{
	rib_list_remove(r, m->node);
	insert_before(r, m->node, last ? last->next : 0);
	m->version = last ? last->version : r->version;

	/* With only markers behind it, it has seen all there is. */
	struct dest *d = node(r, node(r, m->node)->next);
	while (d && d->marker)
		d = node(r, d->next);
	if (!d)
		m->version = r->version;
}

/* --- tombstones --- */

static bool grave_is_open(const struct rib *r, const struct grave *g)
{
	const struct dest *d = node(r, g->dest);

	return d->paths || d->version != g->version;
}

/* A key that dies, lives and dies while a marker lags leaves a grave each time: when the ring is
 * full, those of the risen go first. A key is freed by its last grave only, so the earlier ones may
 * still be looked at. */
static bool grave_reserve(struct rib *r)
{
	size_t kept = 0;

	if (r->grave_count < r->grave_cap)
		return true;
	for (size_t i = 0; i < r->grave_count; i++)
		if (!grave_is_open(r, grave_at(r, i)))
			*grave_at(r, kept++) = *grave_at(r, i);
	r->grave_count = kept;
	if (kept < r->grave_cap / 2)
		return true;
	size_t cap = r->grave_cap ? 2 * r->grave_cap : 64;
	struct grave *g = malloc(cap * sizeof(*g));
	if (!g)
		return kept < r->grave_cap;
	for (size_t i = 0; i < kept; i++)
		g[i] = *grave_at(r, i);
	free(r->grave);
	r->grave = g;
	r->grave_cap = cap;
	r->grave_head = 0;
	return true;
}

void rib_bury(struct rib *r, struct dest *d)
{
	r->tombstones++;
	if (!grave_reserve(r))
		return; /* stays as an empty key: it is found again if it comes back */
	*grave_at(r, r->grave_count++) = (struct grave){rib_list_ref(r, d), d->version};
}

static size_t reap_few(struct rib *r, uint32_t passed)
{
	struct rib_key key[RIB_PREFETCH_MAX];
	size_t n = 0;

	while (n < RIB_PREFETCH_MAX && n < r->grave_count &&
		!rib_before(passed, grave_at(r, n)->version))
		__builtin_prefetch(node(r, grave_at(r, n++)->dest));
	for (size_t i = 0; i < n; i++) {
		const struct dest *d = node(r, grave_at(r, i)->dest);
		key[i] = rib_key_of(d->key, d->key_len);
	}
	rib_prefetch(r, key, n);
	for (size_t i = 0; i < n; i++) {
		struct grave g = r->grave[r->grave_head];
		r->grave_head = (r->grave_head + 1) & (r->grave_cap - 1);
		r->grave_count--;
		if (grave_is_open(r, &g))
			continue;
		rib_dest_free(r, node(r, g.dest), g.dest, key[i]);
		r->tombstones--;
	}
	return n;
}

bool rib_reap_some(struct rib *r, size_t most)
{
	uint32_t passed = r->version;
	size_t n;

	for (const struct rib_marker *m = r->markers; m; m = m->next)
		if (rib_before(m->version, passed))
			passed = m->version;
	while (most && (n = reap_few(r, passed)) != 0)
		most -= n < most ? n : most;
	return r->grave_count && !rib_before(passed, grave_at(r, 0)->version);
}

void rib_reap(struct rib *r)
{
	while (rib_reap_some(r, SIZE_MAX))
		;
}
