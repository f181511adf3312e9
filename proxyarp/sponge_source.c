/* Budgets of those who ask (RFC 6583 section 6.4, per source): one router that scans the LAN, or asks in a loop, is no proof of
 * anything. It is told by its rate over all addresses, and then none of its questions count. */
#include <stdlib.h>

#include "lib/bucket.h"
#include "lib/siphash.h"
#include "proxyarp/sponge_parts.h"

#define BURST_SEC 2

struct source {
	struct share share; /* first */
	struct mac mac;
	struct bucket bucket;
	uint64_t muted_until_ms;
};

static bool source_is(const void *entry, const void *key)
{
	return memcmp(((const struct source *)entry)->mac.b, key, 6) == 0;
}

static uint64_t hash_of(struct mac mac)
{
	return siphash(siphash_process_key(), mac.b, sizeof(mac.b));
}

void sponge_sources_init(struct sponge_sources *t, uint32_t max)
{
	hmap_init(&t->map, source_is);
	shares_init(&t->shares, max);
}

void sponge_sources_free(struct sponge_sources *t)
{
	struct source *s;

	hmap_foreach (&t->map, s) {
		shares_del(&t->shares, &s->share);
		free(s);
	}
	hmap_free(&t->map);
	shares_free(&t->shares);
}

static void drop(struct sponge_sources *t, struct source *s)
{
	hmap_del(&t->map, hash_of(s->mac), s->mac.b);
	shares_del(&t->shares, &s->share);
	free(s);
}

static struct source *make(
	struct sponge_sources *t, uint32_t ifindex, struct mac mac, uint64_t now_ms)
{
	struct share *victim;
	struct source *s;
	int room = shares_room(&t->shares, ifindex, &victim);

	if (room > 0)
		drop(t, (struct source *)victim);
	s = room < 0 ? NULL : calloc(1, sizeof(*s));
	if (!s || shares_add(&t->shares, ifindex, &s->share) < 0) {
		free(s);
		return NULL;
	}
	s->mac = mac;
	s->bucket = bucket_of(t->rate, (uint64_t)t->rate * BURST_SEC, now_ms * 1000000);
	if (hmap_add(&t->map, hash_of(mac), s) < 0) {
		shares_del(&t->shares, &s->share);
		free(s);
		return NULL;
	}
	return s;
}

enum sponge_source_verdict sponge_source_take(
	struct sponge_sources *t, uint32_t ifindex, struct mac mac, uint64_t now_ms)
{
	struct source *s = hmap_get(&t->map, hash_of(mac), mac.b);

	if (!t->rate)
		return SPONGE_COUNTS;
	if (s)
		shares_touch(&s->share);
	else
		s = make(t, ifindex, mac, now_ms);
	if (!s)
		return SPONGE_MUTED;
	bool muted = now_ms < s->muted_until_ms;
	if (!bucket_take(&s->bucket, 1, now_ms * 1000000)) {
		s->muted_until_ms = now_ms + t->mute_ms;
		return muted ? SPONGE_MUTED : SPONGE_MUTED_NOW;
	}
	return muted ? SPONGE_MUTED : SPONGE_COUNTS;
}
