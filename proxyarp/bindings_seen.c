/* What is seen on the ports, and what is not seen any more: learning (RFC 9161 section 3.2) and
 * ageing (section 3.5). */
#include <errno.h>

#include "proxyarp/binding_parts.h"
#include "proxyarp/probe.h"

#define TICK_PART 16384
#define REFRESH_AGAIN_MS 5000

static struct station *see(struct bindings *b, const struct binding_port_entry *p, struct mac mac)
{
	struct station *s = mac_is_host(mac) && p->p.up ? station_find(b, mac) : NULL;

	if (!p->p.closed && !(s && (s->home || s->seen_on == p->ifindex)) &&
		p->seen >= bindings_share_of(b->c.max_macs)) {
		b->stats.full++;
		return NULL;
	}
	if (!s && mac_is_host(mac) && p->p.up && !p->p.closed)
		s = station_get(b, mac);
	if (!s || s->self || s->trap || (s->home ? s->home != p->ifindex : p->p.closed || s->reserved))
		return NULL;
	station_seen(b, s, p->ifindex);
	if (s->seen)
		list_heard(b, p, s);
	return s;
}

void bindings_seen(struct bindings *b, uint32_t ifindex, struct mac mac, uint64_t now_ms)
{
	struct binding_port_entry *p = bindings_port(b, ifindex);

	bindings_clock(b, now_ms);
	if (p)
		see(b, p, mac);
}

void bindings_forgotten(struct bindings *b, uint32_t ifindex, struct mac mac)
{
	struct station *s = station_find(b, mac);

	if (!s || s->seen_on != ifindex)
		return;
	station_on(b, s, 0);
	s->claimed = false;
	station_update(b, s, false);
}

/* May `s`, seen on `p`, have `ip` from now on? */
static bool may_learn(struct bindings *b, const struct binding_port_entry *p,
	const struct station *s, struct ip ip, const struct binding *e, bool override)
{
	const struct station *had = e ? e->refs[REF_LEARNED].station : NULL;
	const struct station *evpn = e ? e->refs[REF_EVPN].station : NULL;

	if (!binding_may_be(b, ip) || (p->p.closed && !ip_is_link_local(ip)))
		return false;
	if (had == s && e->learned_on == p->ifindex)
		return true;
	/* A closed port's members take no address from another. */
	if (p->p.closed && had && e->learned_on != p->ifindex)
		return false;
	/* RFC 9047 section 3.2: an immutable binding is not for others to change. */
	if (evpn && evpn != s && e->evpn_immutable)
		return false;
	/* RFC 9161 section 3.2: without O an NA changes no entry, and makes one where any address may be anycast. Elsewhere it
	 * may, if so configured, make one where there is none, or hosts that announce as RFC 9131 says would never be known. */
	if (!override && ((had && had != s) || (evpn && evpn != s)))
		return false;
	return override || b->c.anycast || b->c.na_new || had == s || evpn == s;
}

bool binding_learned(struct bindings *b, struct binding_port_entry *p, struct station *s,
	struct binding *e, uint8_t flags, bool flooded)
{
	bool same = e->refs[REF_LEARNED].station == s && e->learned_on == p->ifindex;

	if (!same && p->learned >= (p->p.closed ? b->c.max_per_port
						: bindings_share_of(b->c.max_bindings))) {
		b->stats.full++;
		b->empty_bindings = true;
		return false;
	}
	if (!same) {
		binding_drop_learned(b, e);
		binding_link(e, REF_LEARNED, s);
		e->learned_on = p->ifindex;
		p->learned++;
	}
	e->learned_flags = flags;
	e->learned_ms = e->asked_ms = b->now_ms;
	e->flooded = flooded;
	e->evpn_newer = false;
	binding_update(b, e, false);
	return true;
}

static void learn(struct bindings *b, struct binding_port_entry *p, struct station *s,
	const struct layout_event *ev, struct ip ip)
{
	struct binding *e = binding_find(b, ip);
	bool override = !(ev->flags & EVENT_NA) || (ev->flags & EVENT_NA_OVERRIDE);

	if (e && e->home) {
		/* The MAC that speaks for it is the one it is answered with. */
		if (e->home == p->ifindex && bindings_may_speak(&p->p, ip, s->mac) && list_may_take(p, e, s)) {
			binding_link(e, REF_STATIC, s);
			binding_update(b, e, false);
		}
		return;
	}
	if (!may_learn(b, p, s, ip, e, override)) {
		b->stats.refused++;
		return;
	}
	/* An entry without O is an anycast one. */
	struct duplicate_claim claim = {.mac = s->mac,
		.ifindex = p->ifindex,
		.flags = override || !b->c.anycast ? BIND_OVERRIDE : 0,
		.flooded = ev->outcome == OUTCOME_FLOODED};
	if (ev->flags & EVENT_NA_ROUTER)
		claim.flags |= BIND_ROUTER;
	/* Its owner keeps a frozen address from ageing; nothing else changes it. */
	bool frozen = e && duplicate_is_frozen(e);
	if (e && !(frozen && e->refs[REF_LEARNED].station == s) && !duplicate_claim(b, e, &claim))
		return;
	e = binding_get(b, ip);
	if (!e || !binding_learned(b, p, s, e, claim.flags, claim.flooded))
		return;
	duplicate_heard(b, e, s->mac);
}

void bindings_event(struct bindings *b, const struct layout_event *ev, uint64_t now_ms)
{
	struct binding_port_entry *p = bindings_port(b, ev->ifindex);
	struct mac mac;
	struct ip ip = {.family = ev->family};

	bindings_clock(b, now_ms);
	/* Who speaks for a wrong address still sent from a right MAC. */
	if (!p || (ev->type == EVENT_SPOOF && (ev->outcome != OUTCOME_SPOOF_IP || ev->flags & EVENT_WOULD)))
		return;
	memcpy(mac.b, ev->mac, 6);
	memcpy(ip.b, ev->ip, ev->family == 4 ? 4 : 16);
	struct station *s = see(b, p, mac);
	if (s && ev->type == EVENT_BINDING && (ev->family == 4 || ev->family == 6))
		learn(b, p, s, ev, ip);
}

/* Section 3.5: from the PE's MAC, to the owner alone. */
int binding_ask(struct bindings *b, enum announce_kind kind, uint32_t ifindex, struct mac mac,
	struct ip ip)
{
	uint8_t frame[PROBE_MAX];

	if (!mac_is_host(b->self))
		return 0;
	return announce_frame(
		b->announce, kind, ifindex, ip, frame, probe_build(b->self, mac, ip, frame));
}

bool bindings_is_owners(const struct bindings *b, uint32_t ifindex, struct mac mac, struct ip ip)
{
	const struct binding_port_entry *p = bindings_port(b, ifindex);

	return p && bindings_may_speak(&p->p, ip, mac);
}

/* Each looks at what may have changed by time alone, and tries again what the plane refused. */
static void age_station(struct bindings *b, struct station *s, bool retry)
{
	uint64_t age_ms = (uint64_t)b->c.age_sec * 1000;

	if (!s->seen_on && !s->home && !retry)
		return;
	if (s->seen_on && b->now_ms - s->seen_ms > age_ms) {
		station_on(b, s, 0);
		s->claimed = false;
		b->stats.aged++;
	}
	/* Asks for a report in time. */
	station_update(b, s, false);
}

static void age_binding(struct bindings *b, struct binding *e, bool retry)
{
	uint64_t age_ms = (uint64_t)b->c.age_sec * 1000;
	uint64_t refresh_ms = b->c.refresh_sec ? (uint64_t)b->c.refresh_sec * 1000 : age_ms / 3;
	const struct station *s = e->refs[REF_LEARNED].station;
	uint32_t ifindex;

	duplicate_tick(b, e);
	s = e->refs[REF_LEARNED].station;
	if (!s && !retry)
		return;
	if (s && b->now_ms - e->learned_ms > age_ms) {
		binding_drop_learned(b, e);
		b->stats.aged++;
	} else if (s && b->now_ms - e->asked_ms > refresh_ms &&
		   station_place(s, &ifindex) == PLACE_PORT) {
		e->asked_ms = b->now_ms;
		/* Of many on one port that were learned at once, some wait until there is room. */
		if (binding_ask(b, ANNOUNCE_REFRESH, ifindex, s->mac, e->ip) == -ENOBUFS)
			e->asked_ms -= refresh_ms > REFRESH_AGAIN_MS ? refresh_ms - REFRESH_AGAIN_MS : 0;
	}
	binding_update(b, e, false);
}

/* A large LAN is walked a part at a time, so that a tick stays short; a walk that was overtaken by
 * the table's growth misses some until the next one. */
void bindings_tick(struct bindings *b, uint64_t now_ms)
{
	size_t all = b->stations.mask > b->bindings.mask ? b->stations.mask : b->bindings.mask;
	struct station *s = NULL;
	struct binding *e = NULL;

	bindings_clock(b, now_ms);
	if (b->stats.plane_errors != b->retried_errors)
		b->retry_ticks = all / TICK_PART + 2;
	bool retry = b->retry_ticks > 0;
	b->retry_ticks -= retry;
	b->retried_errors = b->stats.plane_errors;
	for (int n = 0; n < TICK_PART && (s = hmap_next(&b->stations, &b->station_at)); n++) {
		age_station(b, s, retry);
		b->station_at++;
	}
	for (int n = 0; n < TICK_PART && (e = hmap_next(&b->bindings, &b->binding_at)); n++) {
		age_binding(b, e, retry);
		b->binding_at++;
	}
	if (!s)
		b->station_at = 0;
	if (!e)
		b->binding_at = 0;
	bindings_collect(b);
}
