/* The sponge's table: which addresses are in memory, and which are answered; the operator's word; what outlives a restart. What makes
 * an address one or the other is in sponge_proof.c. See sponge.h. */
#include "proxyarp/sponge.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/siphash.h"
#include "proxyarp/sponge_parts.h"

const char *sponge_state_text(enum sponge_state s)
{
	static const char *const texts[] = {"alive", "pending", "sponged", "static"};

	return texts[s];
}

/* --- addresses --- */

static bool is_end(const struct prefix *p, struct ip ip)
{
	uint32_t host = p->len >= 31 ? 0 : UINT32_MAX >> p->len;

	return p->len < 31 && ((ip_to_u32(ip) & host) == 0 || (ip_to_u32(ip) & host) == host);
}

bool sponge_may_be(const struct sponge *s, struct ip ip)
{
	for (uint32_t i = 0; i < s->c.prefix_count; i++) {
		const struct prefix *p = &s->prefixes[i];
		if (!prefix_contains(p, ip) || ip_is_link_local(ip) || ip_is_multicast(ip))
			continue;
		return ip.family == 4 ? !is_end(p, ip) : p->len >= 127 || !ip_eq(p->ip, ip);
	}
	return false;
}

/* --- the table --- */

static bool entry_is(const void *entry, const void *key)
{
	return ip_eq(((const struct sponge_entry *)entry)->ip, *(const struct ip *)key);
}

static uint64_t hash_of(struct ip ip)
{
	return siphash(siphash_process_key(), &ip, sizeof(ip));
}

struct sponge_entry *sponge_find(const struct sponge *s, struct ip ip)
{
	return hmap_get(&s->entries, hash_of(ip), &ip);
}

void sponge_say(const struct sponge *s, enum sponge_note what, struct ip ip, struct mac mac,
	uint32_t ifindex)
{
	if (s->hooks.note)
		s->hooks.note(s->hooks.arg, what, ip, mac, ifindex);
}

static void put(struct sponge *s, struct sponge_entry *e, enum sponge_place place)
{
	if (e->place == SPONGE_PROBED) {
		TAILQ_REMOVE(&s->pending, e, link);
		s->pending_count--;
	} else if (e->place == SPONGE_WATCHED) {
		TAILQ_REMOVE(&s->watched, e, link);
	}
	e->place = place;
	if (place == SPONGE_PROBED) {
		TAILQ_INSERT_TAIL(&s->pending, e, link);
		s->pending_count++;
	} else if (place == SPONGE_WATCHED) {
		TAILQ_INSERT_TAIL(&s->watched, e, link);
	}
	shares_pin(&e->share, place == SPONGE_WATCHED || e->state >= SPONGE_SPONGED);
}

void sponge_enter(struct sponge *s, struct sponge_entry *e, enum sponge_state state,
	enum sponge_place place, uint64_t now_ms)
{
	if (e->state != state) {
		s->sponged += (state == SPONGE_SPONGED) - (e->state == SPONGE_SPONGED);
		s->statics += (state == SPONGE_STATIC) - (e->state == SPONGE_STATIC);
		s->dirty |= !e->network && !e->listed && (state >= SPONGE_SPONGED || e->state >= SPONGE_SPONGED);
		e->since_ms = now_ms;
	}
	e->state = state;
	put(s, e, place);
}

void sponge_deactivate(struct sponge *s, struct sponge_entry *e)
{
	if (!e->active)
		return;
	e->active = false;
	s->hooks.del(s->hooks.arg, e->ip);
}

int sponge_activate(struct sponge *s, struct sponge_entry *e)
{
	int r = s->hooks.set(s->hooks.arg, e->ip);

	e->active = r == 0;
	if (r == 0)
		e->told = true;
	return r;
}

void sponge_let_go(struct sponge *s, struct sponge_entry *e)
{
	sponge_deactivate(s, e);
	sponge_enter(s, e, SPONGE_ALIVE, SPONGE_UNLISTED, 0);
	shares_del(&s->shares, &e->share);
}

void sponge_drop(struct sponge *s, struct sponge_entry *e)
{
	sponge_let_go(s, e);
	hmap_del(&s->entries, hash_of(e->ip), &e->ip);
	free(e);
}

struct sponge_entry *sponge_make(struct sponge *s, struct ip ip, uint32_t ifindex, uint64_t now_ms)
{
	struct share *victim;
	struct sponge_entry *e;
	int room = shares_room(&s->shares, ifindex, &victim);

	if (room > 0) {
		sponge_drop(s, (struct sponge_entry *)victim);
		s->stats.evicted++;
	}
	e = room < 0 ? NULL : calloc(1, sizeof(*e));
	if (!e || shares_add(&s->shares, ifindex, &e->share) < 0) {
		free(e);
		s->stats.full++;
		sponge_say(s, SPONGE_NOTE_FULL, ip, (struct mac){{0}}, ifindex);
		return NULL;
	}
	e->ip = ip;
	e->since_ms = now_ms;
	if (hmap_add(&s->entries, hash_of(ip), e) < 0) {
		shares_del(&s->shares, &e->share);
		free(e);
		return NULL;
	}
	return e;
}

/* --- questions --- */

uint64_t sponge_slot(const struct sponge *s, uint64_t now_ms)
{
	return now_ms * SPONGE_SLOTS / (s->c.window_sec * 1000ULL);
}

uint32_t sponge_recent(const struct sponge *s, const struct sponge_entry *e, uint64_t now_ms)
{
	uint64_t at = sponge_slot(s, now_ms);
	uint32_t n = 0;

	for (uint64_t i = 0; i < SPONGE_SLOTS; i++)
		if (e->slot_at >= i && e->slot_at - i + SPONGE_SLOTS > at)
			n += e->slots[(e->slot_at - i) % SPONGE_SLOTS];
	return n;
}

/* --- the operator's word --- */

static int add_static(struct sponge *s, struct ip ip, uint64_t now_ms, struct sponge_entry **ret)
{
	struct sponge_entry *e = sponge_find(s, ip);

	if (!e && !(e = sponge_make(s, ip, 0, now_ms)))
		return -ENOSPC;
	int r = e->active ? 0 : sponge_activate(s, e);
	if (r < 0) {
		sponge_drop(s, e);
		return r;
	}
	*ret = e;
	sponge_enter(s, e, SPONGE_STATIC, SPONGE_UNLISTED, now_ms);
	return 0;
}

int sponge_add(struct sponge *s, struct ip ip, uint64_t now_ms)
{
	struct sponge_entry *e = sponge_find(s, ip);
	int r = 0;

	if (!sponge_may_be(s, ip))
		return -EINVAL;
	if (e && (e->said || (e->state == SPONGE_STATIC && !e->active)))
		return -EEXIST;
	if (!e || e->state != SPONGE_STATIC)
		r = add_static(s, ip, now_ms, &e);
	if (r == 0)
		e->said = s->dirty = true;
	return r;
}

int sponge_del(struct sponge *s, struct ip ip)
{
	struct sponge_entry *e = sponge_find(s, ip);

	if (!e || e->network || e->state < SPONGE_SPONGED)
		return -ENOENT;
	if (e->listed && !e->said)
		return -EPERM;
	s->dirty = true;
	e->said = false;
	if (!e->listed)
		sponge_drop(s, e);
	return 0;
}

static bool was_listed(void *entry, void *arg)
{
	struct sponge *s = arg;
	struct sponge_entry *e = entry;

	if (e->state != SPONGE_STATIC || e->listed || e->said || e->network)
		return false;
	sponge_let_go(s, e);
	free(e);
	return true;
}

/* What somebody has waits, as after a sign of life. */
static bool list_one(struct sponge *s, struct ip ip, uint64_t now_ms)
{
	struct sponge_entry *e = sponge_find(s, ip);

	if (!e && !(e = sponge_make(s, ip, 0, now_ms)))
		return false;
	e->listed = true;
	if (e->state == SPONGE_STATIC)
		return true;
	int r = e->active ? 0 : sponge_activate(s, e);
	if (r < 0 && r != -EEXIST) {
		sponge_drop(s, e);
		return false;
	}
	e->next_ms = now_ms;
	sponge_enter(s, e, SPONGE_STATIC, r < 0 ? SPONGE_WATCHED : SPONGE_UNLISTED, now_ms);
	return true;
}

size_t sponge_list(struct sponge *s, const struct ip *ips, size_t count, uint64_t now_ms)
{
	struct sponge_entry *e;
	size_t out = 0;

	hmap_foreach (&s->entries, e)
		e->listed = false;
	for (size_t i = 0; i < count; i++)
		if (sponge_may_be(s, ips[i]))
			out += !list_one(s, ips[i], now_ms);
	hmap_sweep(&s->entries, was_listed, s);
	return out;
}

static void add_network(struct sponge *s, struct ip ip, uint64_t now_ms)
{
	struct sponge_entry *e = sponge_find(s, ip);

	if ((!e || e->state != SPONGE_STATIC) && add_static(s, ip, now_ms, &e) < 0)
		return;
	e->network = true;
}

static void add_networks(struct sponge *s, uint64_t now_ms)
{
	for (uint32_t i = 0; i < s->c.prefix_count; i++) {
		const struct prefix *p = &s->prefixes[i];
		if (p->ip.family != 4 || p->len >= 31)
			continue;
		add_network(s, p->ip, now_ms);
		add_network(s, ip_v4_u32(ip_to_u32(p->ip) | UINT32_MAX >> p->len), now_ms);
	}
}

/* One of those that add_networks() adds. */
static bool is_network(const struct sponge *s, struct ip ip)
{
	for (uint32_t i = 0; i < s->c.prefix_count; i++)
		if (s->prefixes[i].ip.family == 4 && prefix_contains(&s->prefixes[i], ip) &&
			is_end(&s->prefixes[i], ip))
			return true;
	return false;
}

static bool is_unwanted(void *entry, void *arg)
{
	struct sponge *s = arg;
	struct sponge_entry *e = entry;

	if (e->network ? s->c.network && is_network(s, e->ip)
		       : (s->c.on || e->state == SPONGE_STATIC) && sponge_may_be(s, e->ip))
		return false;
	sponge_let_go(s, e);
	free(e);
	return true;
}

/* --- over a restart --- */

int sponge_restore(struct sponge *s, const struct sponge_view *v, uint64_t now_ms)
{
	struct sponge_entry *e;

	if (v->state < SPONGE_SPONGED || v->asker_count > SPONGE_ASKERS ||
		!sponge_may_be(s, v->ip) || (v->state == SPONGE_SPONGED && !s->c.on))
		return -EINVAL;
	if (sponge_find(s, v->ip))
		return -EEXIST;
	e = sponge_make(s, v->ip, v->asker_count ? v->askers[0].ifindex : 0, now_ms);
	if (!e)
		return -ENOSPC;
	int r = sponge_activate(s, e);
	if (r < 0 && r != -EEXIST) {
		sponge_drop(s, e);
		return r;
	}
	memcpy(e->askers, v->askers, v->asker_count * sizeof(*v->askers));
	e->asker_count = v->asker_count;
	e->queries = v->queries;
	e->trapped = v->trapped;
	e->told = true;
	e->said = v->state == SPONGE_STATIC;
	/* What has an owner by now is not sponged, but whoever was told otherwise is told; the operator's word waits until it has
	 * none. */
	if (r < 0) {
		e->next_ms = v->state == SPONGE_STATIC ? now_ms : now_ms + SPONGE_HOLD_MS;
		sponge_enter(s, e, v->state == SPONGE_STATIC ? SPONGE_STATIC : SPONGE_ALIVE,
			SPONGE_WATCHED, now_ms);
	} else {
		sponge_enter(s, e, v->state, SPONGE_UNLISTED, now_ms);
	}
	e->since_ms = v->since_ms;
	e->asked_ms = v->asked_ms;
	s->dirty = false;
	return 0;
}

void sponge_restored(struct sponge *s, uint64_t away_ms)
{
	uint64_t listen_ms = s->c.learn_sec * 1000ULL;

	if (away_ms < listen_ms)
		s->learn_until_ms -= listen_ms - away_ms;
}

bool sponge_dirty(struct sponge *s)
{
	bool was = s->dirty;

	s->dirty = false;
	return was;
}

/* --- views --- */

bool sponge_answers(const struct sponge *s, struct ip ip)
{
	const struct sponge_entry *e = sponge_find(s, ip);

	return e && e->active;
}

void sponge_each(
	const struct sponge *s, void (*fn)(void *arg, const struct sponge_view *v), void *arg)
{
	const struct sponge_entry *e;

	hmap_foreach (&s->entries, e) {
		struct sponge_view v = {.ip = e->ip,
			.state = e->state,
			.active = e->active,
			.network = e->network,
			.listed = e->listed,
			.said = e->said,
			.pending = e->state == SPONGE_PENDING ? e->left : 0,
			.since_ms = e->since_ms,
			.asked_ms = e->asked_ms,
			.queries = e->queries,
			.trapped = e->trapped,
			.askers = e->askers,
			.asker_count = e->asker_count};
		fn(arg, &v);
	}
}

void sponge_stats(const struct sponge *s, uint64_t now_ms, struct sponge_stats *ret)
{
	*ret = s->stats;
	ret->addresses = (uint32_t)s->entries.count;
	ret->pending = s->pending_count;
	ret->sponged = s->sponged;
	ret->statics = s->statics;
	ret->paused = s->paused;
	ret->learn_ms = s->c.on && s->learn_until_ms > now_ms ? s->learn_until_ms - now_ms : 0;
}

/* --- the whole --- */

static int take_prefixes(struct sponge *s, const struct sponge_config *c)
{
	struct prefix *prefixes = calloc(c->prefix_count ? c->prefix_count : 1, sizeof(*prefixes));

	if (!prefixes)
		return -ENOMEM;
	if (c->prefix_count)
		memcpy(prefixes, c->prefixes, c->prefix_count * sizeof(*prefixes));
	free(s->prefixes);
	s->prefixes = prefixes;
	s->c.prefix_count = s->sweep_prefix = c->prefix_count; /* a sweep of the former ends */
	return 0;
}

static bool same_prefixes(const struct sponge *s, const struct sponge_config *c)
{
	if (s->c.prefix_count != c->prefix_count)
		return false;
	for (uint32_t i = 0; i < c->prefix_count; i++)
		if (s->prefixes[i].len != c->prefixes[i].len ||
			!ip_eq(s->prefixes[i].ip, c->prefixes[i].ip))
			return false;
	return true;
}

static void take_config(struct sponge *s, const struct sponge_config *c)
{
	struct prefix *prefixes = s->prefixes;
	uint32_t count = s->c.prefix_count;

	s->c = *c;
	s->c.prefixes = s->prefixes = prefixes;
	s->c.prefix_count = count;
	if (!s->c.window_sec)
		s->c.window_sec = 1;
	s->sources.rate = c->source_rate;
	s->sources.mute_ms = s->c.window_sec * 1000;
	shares_limit(&s->shares, c->max);
	shares_limit(&s->sources.shares, c->max);
}

static void forget_questions(struct sponge *s)
{
	struct sponge_entry *e;

	hmap_foreach (&s->entries, e) {
		memset(e->slots, 0, sizeof(e->slots));
		e->slot_at = 0;
	}
}

void sponge_configure(struct sponge *s, const struct sponge_config *c, uint64_t now_ms)
{
	uint32_t window = s->c.window_sec, rate = s->sources.rate;

	if (!same_prefixes(s, c))
		(void)take_prefixes(s, c); /* out of memory: those of before */
	take_config(s, c);
	if (rate != c->source_rate) {
		sponge_sources_free(&s->sources);
		sponge_sources_init(&s->sources, c->max);
		take_config(s, c);
	}
	if (s->c.window_sec != window)
		forget_questions(s);
	hmap_sweep(&s->entries, is_unwanted, s);
	if (s->c.network)
		add_networks(s, now_ms);
}

void sponge_pause(struct sponge *s, bool paused)
{
	s->paused = paused;
}

struct sponge *sponge_new(
	const struct sponge_config *c, const struct sponge_hooks *hooks, uint64_t now_ms)
{
	struct sponge *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->hooks = *hooks;
	if (take_prefixes(s, c) < 0) {
		free(s);
		return NULL;
	}
	TAILQ_INIT(&s->pending);
	TAILQ_INIT(&s->watched);
	hmap_init(&s->entries, entry_is);
	shares_init(&s->shares, c->max);
	sponge_sources_init(&s->sources, c->max);
	take_config(s, c);
	s->learn_until_ms = now_ms + s->c.learn_sec * 1000ULL;
	s->cleaned_ms = s->swept_ms = now_ms;
	if (s->c.network)
		add_networks(s, now_ms);
	s->dirty = false;
	return s;
}

void sponge_free(struct sponge *s)
{
	struct sponge_entry *e;

	if (!s)
		return;
	hmap_foreach (&s->entries, e) {
		shares_del(&s->shares, &e->share);
		free(e);
	}
	hmap_free(&s->entries);
	shares_free(&s->shares);
	sponge_sources_free(&s->sources);
	free(s->prefixes);
	free(s);
}
