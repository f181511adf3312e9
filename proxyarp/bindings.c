/* What happens to a LAN's books: ports come and go, frames are seen, the feed tells, time passes. See binding.h. */
#include <errno.h>
#include <stdlib.h>

#include "lib/siphash.h"
#include "proxyarp/binding_parts.h"

#define PER_PORT_DEFAULT 16

static bool station_is(const void *entry, const void *key)
{
	return memcmp(((const struct station *)entry)->mac.b, key, 6) == 0;
}

static bool binding_is(const void *entry, const void *key)
{
	return ip_eq(((const struct binding *)entry)->ip, *(const struct ip *)key);
}

static bool port_is(const void *entry, const void *key)
{
	return ((const struct binding_port_entry *)entry)->ifindex == *(const uint32_t *)key;
}

static uint64_t port_hash(uint32_t ifindex)
{
	return siphash(siphash_process_key(), &ifindex, sizeof(ifindex));
}

struct bindings *bindings_new(const struct binding_config *c, const struct binding_hooks *hooks)
{
	struct bindings *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->c = *c;
	b->hooks = *hooks;
	b->prefixes = calloc(c->prefix_count ? c->prefix_count : 1, sizeof(*b->prefixes));
	if (!b->prefixes) {
		free(b);
		return NULL;
	}
	if (c->prefix_count)
		memcpy(b->prefixes, c->prefixes, c->prefix_count * sizeof(*b->prefixes));
	b->c.prefixes = b->prefixes;
	if (!b->c.max_per_port)
		b->c.max_per_port = PER_PORT_DEFAULT;
	hmap_init(&b->stations, station_is);
	hmap_init(&b->bindings, binding_is);
	hmap_init(&b->ports, port_is);
	return b;
}

static void free_entries(struct hmap *m)
{
	void *e;

	hmap_foreach(m, e)
		free(e);
	hmap_free(m);
}

void bindings_free(struct bindings *b)
{
	if (!b)
		return;
	free_entries(&b->stations);
	free_entries(&b->bindings);
	free_entries(&b->ports);
	free(b->prefixes);
	free(b);
}

struct binding_port_entry *bindings_port(const struct bindings *b, uint32_t ifindex)
{
	return hmap_get(&b->ports, port_hash(ifindex), &ifindex);
}

bool bindings_port_is_up(const struct bindings *b, uint32_t ifindex)
{
	const struct binding_port_entry *p = bindings_port(b, ifindex);

	return p && p->p.up;
}

static bool drop_binding(void *entry, void *arg)
{
	(void)arg;
	if (!binding_is_empty(entry))
		return false;
	free(entry);
	return true;
}

static bool drop_station(void *entry, void *arg)
{
	(void)arg;
	if (!station_is_empty(entry))
		return false;
	free(entry);
	return true;
}

void bindings_collect(struct bindings *b)
{
	hmap_sweep(&b->bindings, drop_binding, NULL);
	hmap_sweep(&b->stations, drop_station, NULL);
}

/* --- ports ---------------------------------------------------------------------------------------------------- */

static bool lists_mac(const struct binding_port *p, struct mac mac)
{
	for (int i = 0; i < p->mac_count; i++)
		if (mac_eq(p->macs[i], mac))
			return true;
	return false;
}

static bool lists_ip(const struct binding_port *p, struct ip ip)
{
	for (int i = 0; p->mac_count && i < p->ip_count; i++)
		if (ip_eq(p->ips[i], ip))
			return true;
	return false;
}

/* What the port had in `was` and `now` has no more. */
static void port_lose(struct bindings *b, uint32_t ifindex, const struct binding_port *was,
	const struct binding_port *now)
{
	for (int i = 0; i < was->ip_count; i++) {
		struct binding *e = lists_ip(now, was->ips[i]) ? NULL : binding_find(b, was->ips[i]);
		if (!e || e->home != ifindex)
			continue;
		e->home = 0;
		binding_unlink(e, REF_STATIC);
		binding_update(b, e, false);
	}
	for (int i = 0; i < was->mac_count; i++) {
		struct station *s =
			lists_mac(now, was->macs[i]) ? NULL : station_find(b, was->macs[i]);
		if (!s || s->home != ifindex)
			continue;
		s->home = 0;
		s->seen = s->claimed = false;
		station_update(b, s, false);
	}
}

static int port_gain_mac(struct bindings *b, uint32_t ifindex, struct mac mac)
{
	struct station *s = station_get(b, mac);

	if (!s)
		return -ENOSPC;
	if (s->self || (s->home && s->home != ifindex))
		return -EEXIST;
	if (!s->home) {
		s->home = ifindex;
		s->seen = false;
		/* Learned on this very port: then it has been seen here. */
		if (s->seen_on == ifindex)
			s->seen = true;
		s->seen_on = 0;
	}
	station_update(b, s, false);
	return 0;
}

static int port_gain_ip(struct bindings *b, const struct binding_port_entry *p, struct ip ip)
{
	struct binding *e = binding_get(b, ip);
	struct station *active, *first = station_find(b, p->p.macs[0]);

	if (!e)
		return -ENOSPC;
	if (e->home && e->home != p->ifindex)
		return -EEXIST;
	if (!first)
		return -ENOSPC;
	active = e->refs[REF_STATIC].station;
	e->home = p->ifindex;
	if (!active || !lists_mac(&p->p, active->mac))
		binding_link(e, REF_STATIC, first);
	binding_drop_learned(b, e);
	binding_update(b, e, false);
	return 0;
}

/* What was learned on a port from MACs that are not registered for it. */
static void port_forget(struct bindings *b, uint32_t ifindex)
{
	struct station *s;

	hmap_foreach(&b->stations, s) {
		if (s->seen_on != ifindex)
			continue;
		s->seen_on = 0;
		s->claimed = false;
		station_update(b, s, false);
	}
}

int bindings_port_set(struct bindings *b, uint32_t ifindex, const struct binding_port *now)
{
	struct binding_port_entry *p = bindings_port(b, ifindex);
	int r = 0, one;

	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->ifindex = ifindex;
		if (hmap_add(&b->ports, port_hash(ifindex), p) < 0) {
			free(p);
			return -ENOMEM;
		}
	}
	struct binding_port was = p->p;
	p->p = *now;
	p->p.up = was.up;
	port_lose(b, ifindex, &was, now);
	if (now->closed && !was.closed)
		port_forget(b, ifindex);
	for (int i = 0; i < now->mac_count; i++) {
		one = port_gain_mac(b, ifindex, now->macs[i]);
		r = r ? r : one;
	}
	for (int i = 0; now->mac_count && i < now->ip_count; i++) {
		one = port_gain_ip(b, p, now->ips[i]);
		r = r ? r : one;
	}
	bindings_port_up(b, ifindex, now->up);
	return r;
}

void bindings_port_up(struct bindings *b, uint32_t ifindex, bool up)
{
	struct binding_port_entry *p = bindings_port(b, ifindex);

	if (!p || p->p.up == up)
		return;
	p->p.up = up;
	for (int i = 0; i < p->p.mac_count; i++) {
		struct station *s = station_find(b, p->p.macs[i]);
		if (!s || s->home != ifindex)
			continue;
		/* Whoever claims it while the port is down has it, until it is seen here again. */
		s->seen = s->claimed = false;
		station_update(b, s, false);
	}
	if (!up)
		port_forget(b, ifindex);
}

void bindings_port_del(struct bindings *b, uint32_t ifindex)
{
	static const struct binding_port none;
	struct binding_port_entry *p = bindings_port(b, ifindex);

	if (!p)
		return;
	bindings_port_up(b, ifindex, false);
	port_forget(b, ifindex);
	port_lose(b, ifindex, &p->p, &none);
	free(hmap_del(&b->ports, port_hash(ifindex), &ifindex));
	bindings_collect(b);
}

int bindings_self(struct bindings *b, struct mac mac, uint32_t ifindex)
{
	struct station *s, *own = NULL;

	hmap_foreach(&b->stations, s) {
		if (!s->self || mac_eq(s->mac, mac))
			continue;
		s->self = 0;
		station_update(b, s, false);
	}
	own = mac_is_host(mac) ? station_get(b, mac) : NULL;
	if (!own)
		return mac_is_host(mac) ? -ENOSPC : -EINVAL;
	own->self = ifindex;
	own->seen_on = 0;
	station_update(b, own, false);
	return 0;
}

/* --- what was seen --------------------------------------------------------------------------------------------- */

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
		if (e->home == p->ifindex && lists_mac(&p->p, s->mac)) {
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

/* --- the feed --------------------------------------------------------------------------------------------------- */

int bindings_remote_mac(struct bindings *b, const struct binding_remote *r)
{
	struct station *s = mac_is_host(r->mac) ? station_get(b, r->mac) : NULL;

	if (!s)
		return mac_is_host(r->mac) ? -ENOSPC : -EINVAL;
	if (s->self) {
		if (b->hooks.alarm)
			b->hooks.alarm(b->hooks.arg, "another PE announces this PE's own MAC", s->self,
				s->mac, r->vtep);
		return 0;
	}
	/* An echo from before our claim changes nothing; a higher sequence says that it has moved away again. */
	bool echo = s->remote && s->claimed && r->seq <= s->claimed_over;
	if (!echo) {
		if (s->seen_on || (s->home && (!s->remote || s->claimed)))
			b->stats.moves++;
		s->claimed = s->seen = false;
		s->seen_on = 0;
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
	if (!mac_is_host(r->mac) || !binding_may_be(b, r->ip))
		return -EINVAL;
	struct station *s = station_get(b, r->mac);
	struct binding *e = s ? binding_get(b, r->ip) : NULL;
	if (!e)
		return -ENOSPC;
	if (e->refs[REF_EVPN].station != s)
		e->evpn_newer = true;
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

	hmap_foreach(&b->stations, s)
		s->marked = s->remote;
	hmap_foreach(&b->bindings, e)
		e->evpn_marked = e->refs[REF_EVPN].station != NULL;
}

size_t bindings_remote_sweep(struct bindings *b)
{
	struct station *s;
	struct binding *e;
	size_t n = 0;

	hmap_foreach(&b->bindings, e) {
		if (!e->evpn_marked)
			continue;
		remote_bind_gone(b, e);
		n++;
	}
	hmap_foreach(&b->stations, s) {
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
	hmap_foreach(&b->stations, s) {
		struct binding_say say = {.add = true, .mac = s->mac, .claim = s->claimed};
		if (s->said)
			b->hooks.say(b->hooks.arg, &say);
	}
	hmap_foreach(&b->bindings, e) {
		struct binding_say say = e->said_as;
		const struct station *m = e->said ? station_find(b, say.mac) : NULL;
		say.claim = m && m->claimed;
		if (e->said)
			b->hooks.say(b->hooks.arg, &say);
	}
}

/* --- a plane that was found working ------------------------------------------------------------------------------ */

void bindings_adopt_mac(struct bindings *b, const struct layout_mac_key *k, const struct layout_mac *v,
	uint64_t now_ms)
{
	struct mac mac;

	memcpy(mac.b, k->mac, 6);
	struct station *s = station_get(b, mac);
	if (!s) {
		b->hooks.ops->mac_del(b->hooks.plane, k);
		return;
	}
	s->in_plane = true;
	s->plane = *v;
	if (v->flags & MAC_SELF)
		return;
	if (v->ifindex == 0) {
		s->remote = s->marked = true;
	} else if (!(v->flags & MAC_STATIC)) {
		s->seen_on = v->ifindex;
		s->seen_ms = now_ms;
	}
}

void bindings_adopt_bind(struct bindings *b, struct ip ip, const struct layout_bind *v, uint64_t now_ms)
{
	struct binding *e = binding_get(b, ip);
	struct mac mac;
	struct station *s;

	b->now_ms = now_ms;
	if (!e) {
		binding_unplane(b, ip);
		return;
	}
	e->in_plane = true;
	e->plane = *v;
	memcpy(mac.b, v->mac, 6);
	s = station_get(b, mac);
	if (!s)
		return;
	if (v->ifindex == 0) {
		binding_link(e, REF_EVPN, s);
		e->evpn_marked = true;
		e->evpn_flags = v->flags & (BIND_ROUTER | BIND_OVERRIDE);
	} else if (!(v->flags & BIND_STATIC)) {
		binding_link(e, REF_LEARNED, s);
		e->learned_on = v->ifindex;
		e->learned_ms = now_ms;
		e->learned_flags = v->flags & (BIND_ROUTER | BIND_OVERRIDE);
	}
}

void bindings_adopted(struct bindings *b)
{
	struct station *s;
	struct binding *e;
	struct binding_port_entry *p;

	hmap_foreach(&b->stations, s)
		if (s->seen_on && (!(p = bindings_port(b, s->seen_on)) || p->p.closed))
			s->seen_on = 0;
	hmap_foreach(&b->bindings, e) {
		p = bindings_port(b, e->learned_on);
		if (e->refs[REF_LEARNED].station && p)
			p->learned++;
		else
			binding_unlink(e, REF_LEARNED);
	}
	hmap_foreach(&b->bindings, e)
		binding_update(b, e, false);
	hmap_foreach(&b->stations, s)
		station_update(b, s, false);
	bindings_collect(b);
}

/* --- views --------------------------------------------------------------------------------------------------------- */

void bindings_each(const struct bindings *b, void (*fn)(void *arg, const struct binding_view *v), void *arg)
{
	struct binding_view v;
	struct binding *e;

	hmap_foreach(&b->bindings, e) {
		binding_view(b, e, &v);
		if (v.source != SOURCE_NONE)
			fn(arg, &v);
	}
}

void bindings_each_mac(const struct bindings *b, void (*fn)(void *arg, const struct binding_view *v), void *arg)
{
	struct binding_view v;
	struct station *s;

	hmap_foreach(&b->stations, s) {
		station_view(b, s, &v);
		if (v.place != PLACE_NOWHERE)
			fn(arg, &v);
	}
}

void bindings_stats(const struct bindings *b, struct binding_stats *ret)
{
	struct layout_bind v;
	struct station *s;
	struct binding *e;

	*ret = b->stats;
	hmap_foreach(&b->bindings, e) {
		enum binding_source source = binding_effective(b, e, &v);
		ret->statics += source == SOURCE_STATIC;
		ret->dynamics += source == SOURCE_DYNAMIC;
		ret->evpns += source == SOURCE_EVPN;
	}
	hmap_foreach(&b->stations, s) {
		ret->macs_home += s->home != 0;
		ret->macs_learned += s->seen_on != 0;
		ret->macs_remote += s->remote && !s->claimed;
	}
}
