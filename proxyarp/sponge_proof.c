/* What is proof that nobody has an address, and what is a sign that somebody has: see sponge.h.
 *
 * An address is in memory from the first question for it that counts. What is only asked for is bounded and goes when others come
 * or nobody asks any more; what is sponged stays until somebody has it, or until nobody has asked for it for IDLE_MS.
 *
 * What was sponged and lives again stays a moment longer (SPONGE_WATCHED): until it is known who has it and those who asked have
 * been told REPAIRS times, since caches may hold on to what they were told within the last second (Linux: locktime). */
#include "proxyarp/sponge.h"

#include <errno.h>
#include <stdlib.h>

#include "proxyarp/sponge_parts.h"

/* One asker's questions closer than that are one. */
#define SAME_MS 500
/* Probed at a time. */
#define PENDING_MAX 256
/* RFC 4861 section 7.2.6: MAX_NEIGHBOR_ADVERTISEMENT. */
#define REPAIRS 3
/* Sponged, and nobody asks. */
#define IDLE_MS 86400000
#define CLEAN_MS 60000

static const struct mac nobody;

/* --- the proof --- */

static void forget_queries(struct sponge_entry *e)
{
	memset(e->slots, 0, sizeof(e->slots));
}

static void count(const struct sponge *s, struct sponge_entry *e, uint64_t now_ms)
{
	uint64_t at = sponge_slot(s, now_ms);

	if (at >= e->slot_at + SPONGE_SLOTS)
		forget_queries(e);
	for (uint64_t i = e->slot_at + 1; i <= at && i < e->slot_at + SPONGE_SLOTS; i++)
		e->slots[i % SPONGE_SLOTS] = 0;
	if (at > e->slot_at)
		e->slot_at = at;
	if (e->slots[e->slot_at % SPONGE_SLOTS] < UINT16_MAX)
		e->slots[e->slot_at % SPONGE_SLOTS]++;
}

/* The asker is one of those who are remembered now, in place of the one that has been silent for the longest. False: it asked a
 * moment ago. */
static bool remember(struct sponge_entry *e, uint32_t ifindex, struct mac mac, uint64_t now_ms)
{
	struct sponge_asker *a = NULL, *oldest = e->askers;

	for (uint32_t i = 0; i < e->asker_count; i++) {
		if (mac_eq(e->askers[i].mac, mac) && e->askers[i].ifindex == ifindex)
			a = &e->askers[i];
		if (e->askers[i].last_ms < oldest->last_ms)
			oldest = &e->askers[i];
	}
	if (a && now_ms - a->last_ms < SAME_MS)
		return false;
	if (!a)
		a = e->asker_count < SPONGE_ASKERS ? &e->askers[e->asker_count++] : oldest;
	*a = (struct sponge_asker){ifindex, mac, now_ms};
	return true;
}

static void tell_all(struct sponge *s, const struct sponge_entry *e, struct mac mac)
{
	for (uint32_t i = 0; i < e->asker_count; i++)
		s->hooks.tell(s->hooks.arg, &e->askers[i], e->ip, mac);
}

static void begin_proof(struct sponge *s, struct sponge_entry *e, uint64_t now_ms)
{
	e->left = (uint8_t)(s->c.probes > UINT8_MAX ? UINT8_MAX : s->c.probes);
	e->next_ms = now_ms;
	sponge_enter(s, e, SPONGE_PENDING, SPONGE_PROBED, now_ms);
}

static void sponge_it(struct sponge *s, struct sponge_entry *e, uint64_t now_ms)
{
	int r = sponge_activate(s, e);

	if (r < 0) {
		if (r != -EEXIST) {
			s->stats.full++;
			sponge_say(s, SPONGE_NOTE_FULL, e->ip, nobody, share_ifindex(&e->share));
		}
		sponge_drop(s, e);
		return;
	}
	sponge_enter(s, e, SPONGE_SPONGED, SPONGE_UNLISTED, now_ms);
	s->stats.sponges++;
	sponge_say(s, SPONGE_NOTE_SPONGED, e->ip, nobody, share_ifindex(&e->share));
	if (s->c.gratuitous)
		tell_all(s, e, nobody);
}

/* One second of the proof. */
static void pend(struct sponge *s, struct sponge_entry *e, uint64_t now_ms)
{
	struct mac mac;

	if (s->hooks.owned(s->hooks.arg, e->ip, &mac)) {
		sponge_drop(s, e);
		return;
	}
	if (s->paused || now_ms < e->next_ms)
		return;
	if (e->left == 0) {
		sponge_it(s, e, now_ms);
		return;
	}
	if (s->hooks.probe(s->hooks.arg, e->ip, e->asker_count ? &e->askers[0] : NULL) == -EAGAIN)
		return;
	s->stats.probes++;
	e->left--;
	e->next_ms = now_ms + 1000;
}

/* --- life --- */

/* It is known who has it: those who asked are told, now and in the next ticks. */
static void begin_repair(struct sponge *s, struct sponge_entry *e, struct mac mac, uint64_t now_ms)
{
	bool needed = s->c.repair && e->told && !mac_is_zero(mac) && e->asker_count;

	e->told = false;
	e->owner = mac;
	e->left = 0;
	if (needed) {
		tell_all(s, e, mac);
		s->stats.repairs += e->asker_count;
		e->left = REPAIRS - 1;
	}
	if (e->state != SPONGE_STATIC && !needed)
		sponge_drop(s, e);
	else
		sponge_enter(s, e, e->state == SPONGE_STATIC ? SPONGE_STATIC : SPONGE_ALIVE,
			SPONGE_WATCHED, now_ms);
}

/* Somebody lives there. `mac`: who, if that is sure, or zero. gone: the data plane has the owner already. */
static void yield_to(
	struct sponge *s, struct sponge_entry *e, struct mac mac, bool gone, uint64_t now_ms)
{
	if (e->active) {
		s->stats.yields++;
		sponge_say(s, SPONGE_NOTE_YIELDED, e->ip, mac, share_ifindex(&e->share));
	}
	if (gone)
		e->active = false;
	sponge_deactivate(s, e);
	forget_queries(e);
	e->next_ms = now_ms + SPONGE_HOLD_MS;
	if (!mac_is_zero(mac)) {
		/* What is being repaired already is not begun again with every frame. */
		if (e->place != SPONGE_WATCHED || e->told || !mac_eq(mac, e->owner))
			begin_repair(s, e, mac, now_ms);
	} else if (e->state == SPONGE_STATIC || e->told) {
		sponge_enter(s, e, e->state == SPONGE_STATIC ? SPONGE_STATIC : SPONGE_ALIVE,
			SPONGE_WATCHED, now_ms);
	} else {
		sponge_enter(s, e, SPONGE_ALIVE, SPONGE_UNLISTED, now_ms);
	}
}

bool sponge_life(struct sponge *s, struct ip ip, struct mac mac, uint64_t now_ms)
{
	struct sponge_entry *e = sponge_find(s, ip);

	if (e)
		yield_to(s, e, mac, true, now_ms);
	return e != NULL;
}

/* Once a second: is it known by now who has it? Has everybody been told? */
static void watch(struct sponge *s, struct sponge_entry *e, uint64_t now_ms)
{
	struct mac mac = nobody;
	bool owned = s->hooks.owned(s->hooks.arg, e->ip, &mac);

	if (e->left > 0) {
		e->left--;
		tell_all(s, e, e->owner);
		return;
	}
	if (owned && e->told && !mac_is_zero(mac)) {
		begin_repair(s, e, mac, now_ms);
		return;
	}
	if (e->state == SPONGE_STATIC) {
		if (!owned && now_ms >= e->next_ms && sponge_activate(s, e) == 0)
			sponge_enter(s, e, SPONGE_STATIC, SPONGE_UNLISTED, now_ms);
	} else if (!e->told || now_ms >= e->next_ms) {
		sponge_drop(s, e);
	}
}

/* --- events --- */

static void take_query(
	struct sponge *s, uint32_t ifindex, struct mac mac, struct ip ip, uint64_t now_ms)
{
	struct sponge_entry *e = sponge_find(s, ip);
	struct mac owner;

	s->stats.queries++;
	enum sponge_source_verdict v = sponge_source_take(&s->sources, ifindex, mac, now_ms);
	if (v == SPONGE_MUTED_NOW) {
		s->stats.looping++;
		sponge_say(s, SPONGE_NOTE_LOOPING, ip, mac, ifindex);
	}
	if (e) {
		e->queries++;
		e->asked_ms = now_ms;
		shares_touch(&e->share);
	}
	if (v != SPONGE_COUNTS)
		s->stats.ignored++;
	/* Also a source that counts for nothing is told, and to be told again. */
	if (e && e->active)
		remember(e, ifindex, mac, now_ms);
	if (!s->c.on || v != SPONGE_COUNTS || (e && e->state >= SPONGE_SPONGED))
		return;
	if (!e) {
		if (s->hooks.owned(s->hooks.arg, ip, &owner) ||
			!(e = sponge_make(s, ip, ifindex, now_ms)))
			return;
		e->queries = 1;
		e->asked_ms = now_ms;
	}
	if (!remember(e, ifindex, mac, now_ms))
		return;
	count(s, e, now_ms);
	if (e->state == SPONGE_ALIVE && e->place == SPONGE_UNLISTED && !s->paused &&
		now_ms >= s->learn_until_ms && s->pending_count < PENDING_MAX &&
		sponge_recent(s, e, now_ms) >= s->c.queries)
		begin_proof(s, e, now_ms);
}

/* A frame to the sponge's MAC. */
static void take_trap(
	struct sponge *s, uint32_t ifindex, struct mac mac, struct ip ip, uint64_t now_ms)
{
	struct sponge_asker from = {ifindex, mac, now_ms};
	struct sponge_entry *e = sponge_find(s, ip);
	struct mac owner = nobody;

	if (e) {
		e->trapped++;
		e->asked_ms = now_ms;
		if (e->active)
			remember(e, ifindex, mac, now_ms);
	}
	if (s->c.repair && s->hooks.owned(s->hooks.arg, ip, &owner) && !mac_is_zero(owner)) {
		s->stats.repairs++;
		s->hooks.tell(s->hooks.arg, &from, ip, owner);
	}
}

void sponge_event(struct sponge *s, const struct layout_event *ev, uint64_t now_ms)
{
	struct ip ip = {.family = ev->family};
	struct mac mac;
	struct sponge_entry *e;

	if (ip.family != 4 && ip.family != 6)
		return;
	memcpy(ip.b, ev->ip, ip_len(ip));
	memcpy(mac.b, ev->mac, 6);
	e = sponge_find(s, ip);
	if (!e && !sponge_may_be(s, ip))
		return;
	switch ((enum layout_event_type)ev->type) {
	case EVENT_QUERY:
		take_query(s, ev->ifindex, mac, ip, now_ms);
		break;
	case EVENT_TRAP:
		take_trap(s, ev->ifindex, mac, ip, now_ms);
		break;
	case EVENT_PROBE:
		if (e && !e->network)
			yield_to(s, e, nobody, false, now_ms);
		break;
	case EVENT_LIFE:
		/* A router may have sent it on for whoever wrote that source: it ends the sponge, but who has the address
		 * says only whoever answers for it. */
		if (e && !e->network && e->active) {
			yield_to(s, e, nobody, false, now_ms);
			s->hooks.probe(s->hooks.arg, ip, e->asker_count ? &e->askers[0] : NULL);
		}
		break;
	case EVENT_BINDING:
		if (e && !e->network)
			yield_to(s, e, mac, false, now_ms);
		break;
	default:
		break;
	}
}

/* --- time --- */

/* Silent hosts are found before others ask for them. A walk over the addresses of the IPv4 prefixes, never faster than the rate;
 * IPv6 prefixes have too many. */
static void sweep(struct sponge *s, uint64_t now_ms)
{
	uint32_t budget = s->c.sweep_rate;
	struct mac mac;

	if (!s->c.sweep_sec || s->paused)
		return;
	if (s->sweep_prefix >= s->c.prefix_count &&
		now_ms - s->swept_ms >= s->c.sweep_sec * 1000ULL) {
		s->swept_ms = now_ms;
		s->sweep_prefix = s->sweep_host = 0;
	}
	while (budget > 0 && s->sweep_prefix < s->c.prefix_count) {
		const struct prefix *p = &s->prefixes[s->sweep_prefix];
		uint64_t hosts = p->ip.family == 4 ? 1ULL << (32 - p->len) : 0;
		if (s->sweep_host >= hosts) {
			s->sweep_prefix++;
			s->sweep_host = 0;
			continue;
		}
		struct ip ip = ip_v4_u32(ip_to_u32(p->ip) + s->sweep_host);
		const struct sponge_entry *e = sponge_find(s, ip);
		if (sponge_may_be(s, ip) && !(e && e->state != SPONGE_ALIVE) &&
			!s->hooks.owned(s->hooks.arg, ip, &mac)) {
			if (s->hooks.probe(s->hooks.arg, ip, NULL) == -EAGAIN)
				return;
			s->stats.swept++;
		}
		budget--;
		s->sweep_host++;
	}
}

struct cleaning {
	struct sponge *s;
	uint64_t now_ms;
};

static bool is_idle(void *entry, void *arg)
{
	struct cleaning *c = arg;
	struct sponge_entry *e = entry;
	uint64_t is_ms = c->now_ms - (e->asked_ms > e->since_ms ? e->asked_ms : e->since_ms);
	bool idle = e->place == SPONGE_UNLISTED &&
		    ((e->state == SPONGE_ALIVE && is_ms > c->s->c.window_sec * 1000ULL) ||
			    (e->state == SPONGE_SPONGED && is_ms > IDLE_MS));

	if (!idle)
		return false;
	sponge_let_go(c->s, e);
	free(e);
	return true;
}

void sponge_tick(struct sponge *s, uint64_t now_ms)
{
	struct cleaning c = {s, now_ms};
	struct sponge_entry *e, *next;

	/* Each drops or moves at most itself. */
	for (e = TAILQ_FIRST(&s->pending); e; e = next) {
		next = TAILQ_NEXT(e, link);
		pend(s, e, now_ms);
	}
	for (e = TAILQ_FIRST(&s->watched); e; e = next) {
		next = TAILQ_NEXT(e, link);
		watch(s, e, now_ms);
	}
	sweep(s, now_ms);
	if (now_ms - s->cleaned_ms < CLEAN_MS)
		return;
	s->cleaned_ms = now_ms;
	hmap_sweep(&s->entries, is_idle, &c);
}
