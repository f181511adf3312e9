/* What is seen on the ports, and what is not seen any more: learning (RFC 9161 section 3.2) and ageing (section 3.5). */
#include "proxyarp/binding_parts.h"

static struct station *see(struct bindings *b, const struct binding_port_entry *p, struct mac mac)
{
	struct station *s = mac_is_host(mac) ? station_find(b, mac) : NULL;

	if (!s && mac_is_host(mac) && !p->p.closed)
		s = station_get(b, mac);
	if (!s || s->self || !p->p.up)
		return NULL;
	if (s->home ? s->home != p->ifindex : p->p.closed) {
		if (station_is_empty(s))
			bindings_collect(b);
		return NULL;
	}
	station_seen(b, s, p->ifindex);
	return s;
}

void bindings_seen(struct bindings *b, uint32_t ifindex, struct mac mac, uint64_t now_ms)
{
	struct binding_port_entry *p = bindings_port(b, ifindex);

	b->now_ms = now_ms;
	if (p)
		see(b, p, mac);
}

void bindings_forgotten(struct bindings *b, uint32_t ifindex, struct mac mac)
{
	struct station *s = station_find(b, mac);

	if (!s || s->seen_on != ifindex)
		return;
	s->seen_on = 0;
	s->claimed = false;
	station_update(b, s, false);
}

/* May `s`, seen on `p`, have `ip` from now on? */
static bool may_learn(struct bindings *b, const struct binding_port_entry *p, const struct station *s,
	struct ip ip, const struct binding *e, bool override)
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
	/* RFC 9161 section 3.2: without O an NA changes no entry. It may make one, or hosts that announce as
	 * RFC 9131 says would never be known. */
	if (!override && ((had && had != s) || (evpn && evpn != s)))
		return false;
	return true;
}

static void learn(struct bindings *b, struct binding_port_entry *p, struct station *s,
	const struct layout_event *ev, struct ip ip)
{
	struct binding *e = binding_find(b, ip);
	bool override = !(ev->flags & EVENT_NA) || (ev->flags & EVENT_NA_OVERRIDE);

	if (e && e->home) {
		/* The MAC that speaks for it is the one it is answered with. */
		if (e->home == p->ifindex && bindings_may_speak(&p->p, ip, s->mac)) {
			binding_link(e, REF_STATIC, s);
			binding_update(b, e, false);
		}
		return;
	}
	if (!may_learn(b, p, s, ip, e, override)) {
		b->stats.refused++;
		return;
	}
	bool same = e && e->refs[REF_LEARNED].station == s && e->learned_on == p->ifindex;
	if (!same && p->p.closed && p->learned >= b->c.max_per_port) {
		b->stats.full++;
		return;
	}
	e = binding_get(b, ip);
	if (!e)
		return;
	if (!same) {
		binding_drop_learned(b, e);
		binding_link(e, REF_LEARNED, s);
		e->learned_on = p->ifindex;
		p->learned++;
	}
	e->learned_flags = override ? BIND_OVERRIDE : 0;
	if (ev->flags & EVENT_NA_ROUTER)
		e->learned_flags |= BIND_ROUTER;
	e->learned_ms = b->now_ms;
	e->refreshing = e->evpn_newer = false;
	binding_update(b, e, false);
}

void bindings_event(struct bindings *b, const struct layout_event *ev, uint64_t now_ms)
{
	struct binding_port_entry *p = bindings_port(b, ev->ifindex);
	struct mac mac;
	struct ip ip = {.family = ev->family};

	b->now_ms = now_ms;
	if (!p || ev->type == EVENT_SPOOF)
		return;
	memcpy(mac.b, ev->mac, 6);
	memcpy(ip.b, ev->ip, ev->family == 4 ? 4 : 16);
	struct station *s = see(b, p, mac);
	if (s && ev->type == EVENT_BINDING && (ev->family == 4 || ev->family == 6))
		learn(b, p, s, ev, ip);
}

static void age_station(struct bindings *b, struct station *s)
{
	uint64_t age_ms = (uint64_t)b->c.age_sec * 1000;

	if (s->seen_on && b->now_ms - s->seen_ms > age_ms) {
		s->seen_on = 0;
		s->claimed = false;
		b->stats.aged++;
	}
	/* Also tries again what the plane refused, and asks for a report in time. */
	station_update(b, s, false);
}

static void age_binding(struct bindings *b, struct binding *e)
{
	uint64_t age_ms = (uint64_t)b->c.age_sec * 1000, is = b->now_ms - e->learned_ms;
	const struct station *s = e->refs[REF_LEARNED].station;
	uint32_t ifindex;

	if (s && is > age_ms) {
		binding_drop_learned(b, e);
		b->stats.aged++;
	} else if (s && !e->refreshing && is > age_ms / 3 * 2) {
		e->refreshing = true;
		if (b->hooks.refresh && station_place(s, &ifindex) == PLACE_PORT &&
			bindings_port_is_up(b, ifindex))
			b->hooks.refresh(b->hooks.arg, ifindex, s->mac, e->ip);
	}
	binding_update(b, e, false);
}

void bindings_tick(struct bindings *b, uint64_t now_ms)
{
	struct station *s;
	struct binding *e;

	b->now_ms = now_ms;
	hmap_foreach(&b->stations, s)
		age_station(b, s);
	hmap_foreach(&b->bindings, e)
		age_binding(b, e);
	bindings_collect(b);
}
