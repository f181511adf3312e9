/* What is behind other PEs, as the feed tells it, with mark and sweep around its snapshots; and what
 * the feed is told. */
#include <errno.h>

#include "proxyarp/binding_parts.h"

/* An eighth of each table is for what is here: however much other PEs tell, a new member of ours has room. */
static bool has_room(size_t count, uint32_t max)
{
	return count < max - max / 8;
}

static struct station *get_station(struct bindings *b, struct mac mac)
{
	if (station_find(b, mac))
		return station_get(b, mac);
	if (!has_room(b->stations.count, b->c.max_macs))
		bindings_collect_stations(b);
	if (has_room(b->stations.count, b->c.max_macs))
		return station_get(b, mac);
	b->stats.full++;
	return NULL;
}

static struct binding *get_binding(struct bindings *b, struct ip ip)
{
	if (binding_find(b, ip))
		return binding_get(b, ip);
	if (!has_room(b->bindings.count, b->c.max_bindings))
		bindings_collect_bindings(b);
	if (has_room(b->bindings.count, b->c.max_bindings))
		return binding_get(b, ip);
	b->stats.full++;
	return NULL;
}

int bindings_remote_mac(struct bindings *b, const struct binding_remote *r)
{
	struct station *s = mac_is_host(r->mac) ? get_station(b, r->mac) : NULL;

	if (!s)
		return mac_is_host(r->mac) ? -ENOSPC : -EINVAL;
	if (s->self) {
		if (b->hooks.alarm)
			b->hooks.alarm(b->hooks.arg, "another PE announces this PE's own MAC",
				s->self, s->mac, r->vtep);
		return 0;
	}
	/* Another PE has the same trap. */
	if (s->trap)
		return 0;
	/* An echo from before our claim changes nothing; a higher sequence says that it has moved
	 * away again. */
	bool echo = s->remote && s->claimed && r->seq <= s->claimed_over;
	if (!echo) {
		if (s->seen_on || (s->home && (!s->remote || s->claimed)))
			b->stats.moves++;
		s->claimed = s->seen = false;
		station_on(b, s, 0);
	}
	s->remote = true;
	s->marked = false;
	s->vtep = r->vtep;
	s->seq = r->seq;
	s->sticky = r->sticky;
	station_update(b, s, false);
	return 0;
}

static void remote_mac_gone(struct bindings *b, struct station *s)
{
	s->remote = s->marked = s->claimed = s->sticky = false;
	s->vtep = (struct ip){0};
	s->seq = 0;
	station_update(b, s, false);
}

void bindings_remote_mac_del(struct bindings *b, struct mac mac)
{
	struct station *s = station_find(b, mac);

	if (s && s->remote)
		remote_mac_gone(b, s);
}

int bindings_remote_bind(struct bindings *b, const struct binding_remote *r)
{
	if (!mac_is_host(r->mac) || !binding_may_be(b, r->ip)) {
		b->stats.refused++;
		return -EINVAL;
	}
	struct station *s = get_station(b, r->mac);
	struct binding *e = s ? get_binding(b, r->ip) : NULL;
	b->empty_stations |= s && !e;
	if (!e)
		return -ENOSPC;
	if (e->refs[REF_EVPN].station != s) {
		const struct duplicate_claim claim = {.mac = s->mac};
		/* What an operator said, there or here, is no claim; nor is a trap, which is his too. */
		if (r->immutable && !s->trap)
			duplicate_free(b, e);
		e->evpn_newer = e->home || r->immutable || duplicate_claim(b, e, &claim);
		b->empty_stations = true; /* the MAC that had it */
	}
	binding_link(e, REF_EVPN, s);
	e->evpn_marked = false;
	e->evpn_immutable = r->immutable;
	e->evpn_vtep = r->vtep;
	e->evpn_flags = (r->router ? BIND_ROUTER : 0) | (r->override ? BIND_OVERRIDE : 0);
	binding_update(b, e, false);
	return 0;
}

static void remote_bind_gone(struct bindings *b, struct binding *e)
{
	binding_unlink(e, REF_EVPN);
	duplicate_evpn_gone(b, e);
	b->empty_stations = true;
	e->evpn_marked = e->evpn_immutable = e->evpn_newer = false;
	binding_update(b, e, false);
}

void bindings_remote_bind_del(struct bindings *b, struct ip ip)
{
	struct binding *e = binding_find(b, ip);

	if (e && e->refs[REF_EVPN].station)
		remote_bind_gone(b, e);
}

void bindings_remote_mark(struct bindings *b)
{
	struct station *s;
	struct binding *e;

	hmap_foreach (&b->stations, s)
		s->marked = s->remote;
	hmap_foreach (&b->bindings, e)
		e->evpn_marked = e->refs[REF_EVPN].station != NULL;
}

size_t bindings_remote_sweep(struct bindings *b)
{
	struct station *s;
	struct binding *e;
	size_t n = 0;

	hmap_foreach (&b->bindings, e) {
		if (!e->evpn_marked)
			continue;
		remote_bind_gone(b, e);
		n++;
	}
	hmap_foreach (&b->stations, s) {
		if (!s->marked)
			continue;
		remote_mac_gone(b, s);
		n++;
	}
	bindings_collect(b);
	return n;
}

void bindings_snapshot(struct bindings *b)
{
	struct station *s;
	struct binding *e;

	if (!b->hooks.say)
		return;
	hmap_foreach (&b->stations, s) {
		struct binding_say say = {.add = true, .mac = s->mac, .claim = s->claimed};
		if (s->said)
			b->hooks.say(b->hooks.arg, &say);
	}
	hmap_foreach (&b->bindings, e) {
		struct binding_say say = e->said_as;
		const struct station *m = e->said ? station_find(b, say.mac) : NULL;
		say.claim = m && m->claimed;
		if (e->said)
			b->hooks.say(b->hooks.arg, &say);
	}
}
