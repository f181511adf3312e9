/* Who calls whom in vain: see callers.h. */
#include "proxyarp/callers.h"

#include <stdlib.h>

#include "lib/hmap.h"
#include "lib/siphash.h"
#include "proxyarp/share.h"

struct key {
	struct ip target;
	struct mac mac;
	uint32_t ifindex;
};

struct row {
	struct share share; /* first */
	struct caller c;
};

struct callers {
	struct hmap rows;
	struct shares shares;
	struct callers_stats stats;
};

static bool row_is(const void *entry, const void *key)
{
	const struct caller *c = &((const struct row *)entry)->c;
	const struct key *k = key;

	return c->ifindex == k->ifindex && mac_eq(c->mac, k->mac) && ip_eq(c->target, k->target);
}

static uint64_t hash_of(const struct key *k)
{
	uint8_t b[sizeof(k->target) + sizeof(k->mac) + sizeof(k->ifindex)];

	memcpy(b, &k->target, sizeof(k->target));
	memcpy(b + sizeof(k->target), &k->mac, sizeof(k->mac));
	memcpy(b + sizeof(k->target) + sizeof(k->mac), &k->ifindex, sizeof(k->ifindex));
	return siphash(siphash_process_key(), b, sizeof(b));
}

static struct key key_of(const struct row *r)
{
	return (struct key){r->c.target, r->c.mac, r->c.ifindex};
}

struct callers *callers_new(uint32_t max)
{
	struct callers *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	hmap_init(&c->rows, row_is);
	shares_init(&c->shares, max);
	return c;
}

static void drop(struct callers *c, struct row *r)
{
	struct key k = key_of(r);

	hmap_del(&c->rows, hash_of(&k), &k);
	shares_del(&c->shares, &r->share);
	free(r);
}

void callers_free(struct callers *c)
{
	struct row *r;

	if (!c)
		return;
	hmap_foreach (&c->rows, r) {
		shares_del(&c->shares, &r->share);
		free(r);
	}
	hmap_free(&c->rows);
	shares_free(&c->shares);
	free(c);
}

static struct row *make(struct callers *c, const struct key *k, uint64_t now_ms)
{
	struct share *victim;
	struct row *r;
	int room = shares_room(&c->shares, k->ifindex, &victim);

	if (room < 0)
		return NULL;
	if (room > 0) {
		drop(c, (struct row *)victim);
		c->stats.evicted++;
	}
	r = calloc(1, sizeof(*r));
	if (!r || shares_add(&c->shares, k->ifindex, &r->share) < 0) {
		free(r);
		return NULL;
	}
	r->c = (struct caller){
		.target = k->target, .mac = k->mac, .ifindex = k->ifindex, .first_ms = now_ms};
	if (hmap_add(&c->rows, hash_of(k), r) < 0) {
		shares_del(&c->shares, &r->share);
		free(r);
		return NULL;
	}
	return r;
}

void callers_event(struct callers *c, const struct layout_event *e, uint64_t now_ms)
{
	struct key k = {.target = {.family = e->family}, .ifindex = e->ifindex};
	struct row *r;

	if ((e->type != EVENT_QUERY && e->type != EVENT_TRAP) || (e->family != 4 && e->family != 6))
		return;
	memcpy(k.target.b, e->ip, ip_len(k.target));
	memcpy(k.mac.b, e->mac, 6);
	r = hmap_get(&c->rows, hash_of(&k), &k);
	if (r)
		shares_touch(&r->share);
	else
		r = make(c, &k, now_ms);
	if (!r)
		return;
	c->stats.calls++;
	r->c.last_ms = now_ms;
	if (e->type == EVENT_QUERY)
		(*(e->family == 4 ? &r->c.arp : &r->c.ns))++;
	else
		(*(e->flags & EVENT_TRAP_SYN ? &r->c.syn : &r->c.data))++;
}

struct expiry {
	struct callers *c;
	uint64_t before_ms;
};

static bool expired(void *entry, void *arg)
{
	struct expiry *x = arg;
	struct row *r = entry;

	if (r->c.last_ms >= x->before_ms)
		return false;
	shares_del(&x->c->shares, &r->share);
	free(r);
	return true;
}

void callers_expire(struct callers *c, uint64_t before_ms)
{
	struct expiry x = {c, before_ms};

	hmap_sweep(&c->rows, expired, &x);
}

bool callers_walk(const struct callers *c, size_t *at, size_t slots,
	void (*fn)(void *arg, const struct caller *row), void *arg)
{
	size_t end = *at + slots < slots ? SIZE_MAX : *at + slots;
	const struct row *r;

	for (; (r = hmap_next_below(&c->rows, at, end)) != NULL; ++*at)
		fn(arg, &r->c);
	return *at < hmap_slots(&c->rows);
}

void callers_each(
	const struct callers *c, void (*fn)(void *arg, const struct caller *row), void *arg)
{
	callers_walk(c, &(size_t){0}, SIZE_MAX, fn, arg);
}

void callers_stats(const struct callers *c, struct callers_stats *ret)
{
	*ret = c->stats;
	ret->rows = (uint32_t)c->rows.count;
}
