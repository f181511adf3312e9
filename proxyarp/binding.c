/* One address of the LAN: which of its sources counts, and what follows. RFC 9161 section 3.2, RFC
 * 9047 section 3.2.
 *
 *   static    the registry's word: the MAC that speaks for it, or the first of its port's. While
 * that MAC is behind another PE, the binding stays and points there; while its port is down and
 * nobody else has it, it is silent. EVPN      immutable, with another MAC than what was learned: it
 * wins, what was learned is not told. else      the newer of EVPN and learned; of one MAC's two,
 * what was learned.
 *
 * Where the address is, is always where its MAC is.
 */
#include "proxyarp/binding.h"

#include <stdlib.h>

#include "lib/siphash.h"
#include "proxyarp/binding_parts.h"

static uint64_t hash_of(struct ip ip)
{
	return siphash(siphash_process_key(), &ip, sizeof(ip));
}

struct binding *binding_find(const struct bindings *b, struct ip ip)
{
	return hmap_get(&b->bindings, hash_of(ip), &ip);
}

struct binding *binding_get(struct bindings *b, struct ip ip)
{
	struct binding *e = binding_find(b, ip);

	if (e)
		return e;
	if (b->bindings.count >= b->c.max_bindings)
		bindings_collect_bindings(b);
	e = b->bindings.count < b->c.max_bindings ? calloc(1, sizeof(*e)) : NULL;
	if (!e) {
		b->stats.full++;
		return NULL;
	}
	e->ip = ip;
	if (hmap_add(&b->bindings, hash_of(ip), e) < 0) {
		free(e);
		return NULL;
	}
	return e;
}

void binding_unlink(struct binding *e, int ref)
{
	struct binding_ref *r = &e->refs[ref];

	if (r->station)
		LIST_REMOVE(r, link);
	r->station = NULL;
}

void binding_link(struct binding *e, int ref, struct station *s)
{
	struct binding_ref *r = &e->refs[ref];

	if (r->station == s)
		return;
	binding_unlink(e, ref);
	r->binding = e;
	r->station = s;
	LIST_INSERT_HEAD(&s->refs, r, link);
}

void binding_drop_learned(struct bindings *b, struct binding *e)
{
	struct binding_port_entry *p = bindings_port(b, e->learned_on);

	if (!e->refs[REF_LEARNED].station)
		return;
	if (p && p->learned)
		p->learned--;
	binding_unlink(e, REF_LEARNED);
	e->learned_on = 0;
	e->refreshing = false;
	b->empty_stations = true; /* the MAC that had it */
}

bool binding_may_be(const struct bindings *b, struct ip ip)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	if (!ip.family || ip_is_unspecified(ip) || ip_is_multicast(ip) || ip_is_loopback(ip) ||
		(ip.family == 4 && memcmp(ip.b, broadcast, 4) == 0))
		return false;
	if (ip.family == 6 && ip_is_link_local(ip))
		return true;
	for (uint32_t i = 0; i < b->c.prefix_count; i++)
		if (prefix_contains(&b->prefixes[i], ip))
			return true;
	return b->c.prefix_count == 0;
}

/* Port and silence of a binding to `s`. */
static void locate(const struct bindings *b, const struct station *s, struct layout_bind *v)
{
	uint32_t ifindex;

	memcpy(v->mac, s->mac.b, 6);
	if (station_place(s, &ifindex) != PLACE_PORT)
		return;
	v->ifindex = ifindex;
	if (!bindings_port_is_up(b, ifindex))
		v->flags |= BIND_SILENT;
}

static void effective_static(
	const struct bindings *b, const struct binding *e, struct layout_bind *ret)
{
	const struct binding_port_entry *p = bindings_port(b, e->home);
	const struct station *s = e->refs[REF_STATIC].station, *o = e->refs[REF_EVPN].station;
	uint32_t ifindex;

	ret->flags = BIND_STATIC | BIND_ROUTER | BIND_OVERRIDE;
	/* Behind another PE it may speak by another of its MACs. */
	if (o && station_place(s, &ifindex) == PLACE_REMOTE && p &&
		bindings_may_speak(&p->p, e->ip, o->mac))
		s = o;
	if (p && bindings_speakers(&p->p, e->ip, NULL) > 1)
		ret->flags |= BIND_ALT;
	locate(b, s, ret);
}

enum binding_source binding_effective(
	const struct bindings *b, const struct binding *e, struct layout_bind *ret)
{
	const struct station *learned = e->refs[REF_LEARNED].station,
			     *evpn = e->refs[REF_EVPN].station;
	struct layout_bind v = {0};
	enum binding_source source = SOURCE_NONE;

	if (e->refs[REF_STATIC].station) {
		effective_static(b, e, &v);
		source = SOURCE_STATIC;
	} else if (learned && (!evpn || evpn == learned || !(e->evpn_immutable || e->evpn_newer))) {
		v.flags = e->learned_flags;
		locate(b, learned, &v);
		source = SOURCE_DYNAMIC;
	} else if (evpn) {
		/* RFC 9047 section 3.2: then no frame on an open port speaks for it. */
		v.flags = e->evpn_flags | (e->evpn_immutable ? BIND_STATIC : 0);
		locate(b, evpn, &v);
		source = SOURCE_EVPN;
	}
	if (source != SOURCE_NONE)
		*ret = v;
	return source;
}

static int plane_set(struct bindings *b, struct ip ip, const struct layout_bind *v)
{
	if (ip.family == 4) {
		struct layout_key4 k = {.lan = b->c.lan};
		memcpy(k.ip, ip.b, 4);
		return v ? b->hooks.ops->bind4_set(b->hooks.plane, &k, v)
			 : b->hooks.ops->bind4_del(b->hooks.plane, &k);
	}
	struct layout_key6 k = {.lan = b->c.lan};
	memcpy(k.ip, ip.b, 16);
	return v ? b->hooks.ops->bind6_set(b->hooks.plane, &k, v)
		 : b->hooks.ops->bind6_del(b->hooks.plane, &k);
}

void binding_unplane(struct bindings *b, struct ip ip)
{
	if (plane_set(b, ip, NULL) < 0)
		b->stats.plane_errors++;
}

static void update_plane(struct bindings *b, struct binding *e, const struct layout_bind *v)
{
	if (v ? e->in_plane && memcmp(v, &e->plane, sizeof(*v)) == 0 : !e->in_plane)
		return;
	if (plane_set(b, e->ip, v) < 0) {
		b->stats.plane_errors++;
		return;
	}
	e->in_plane = v != NULL;
	if (v)
		e->plane = *v;
}

static void say(struct bindings *b, const struct binding_say *s)
{
	if (b->hooks.say)
		b->hooks.say(b->hooks.arg, s);
}

static void unsay(struct bindings *b, struct binding *e)
{
	struct binding_say del = e->said_as;

	del.add = del.claim = false;
	e->said = false;
	say(b, &del);
}

static void update_said(struct bindings *b, struct binding *e, const struct station *s,
	const struct binding_say *now)
{
	bool ours = s && station_is_ours(b, s);

	if (e->said && (!ours || !mac_eq(e->said_as.mac, s->mac)))
		unsay(b, e);
	if (!ours)
		return;
	const struct binding_say *was = &e->said_as;
	if (e->said && !now->claim && was->router == now->router &&
		was->override == now->override && was->immutable == now->immutable)
		return;
	e->said = true;
	e->said_as = *now;
	say(b, now);
}

void binding_update(struct bindings *b, struct binding *e, bool claim)
{
	const struct station *learned = e->refs[REF_LEARNED].station;
	struct layout_bind v;
	uint32_t ifindex;

	if (learned && station_place(learned, &ifindex) == PLACE_NOWHERE)
		binding_drop_learned(b, e);
	enum binding_source source = binding_effective(b, e, &v);
	const struct station *s = source == SOURCE_STATIC    ? e->refs[REF_STATIC].station
				  : source == SOURCE_DYNAMIC ? e->refs[REF_LEARNED].station
							     : NULL;
	struct binding_say now = {.add = true, .ip = e->ip, .claim = claim};
	if (s) {
		now.mac = s->mac;
		now.router = v.flags & BIND_ROUTER;
		now.override = v.flags & BIND_OVERRIDE;
		now.immutable = source == SOURCE_STATIC;
	}
	update_plane(b, e, source == SOURCE_NONE ? NULL : &v);
	update_said(b, e, s, &now);
	if (binding_is_empty(e))
		b->empty_bindings = true;
}

bool binding_is_empty(const struct binding *e)
{
	for (int i = 0; i < REF_COUNT; i++)
		if (e->refs[i].station)
			return false;
	return !e->in_plane && !e->said;
}

void binding_view(const struct bindings *b, const struct binding *e, struct binding_view *ret)
{
	struct layout_bind v = {0};
	enum binding_source source = binding_effective(b, e, &v);
	const struct station *s =
		source == SOURCE_NONE ? NULL : station_find(b, *(struct mac *)v.mac);

	*ret = (struct binding_view){
		.ip = e->ip,
		.source = source,
		.place = PLACE_NOWHERE,
		.flags = v.flags,
		.announced = e->said,
		.stale = source == SOURCE_EVPN && e->evpn_marked,
		.immutable =
			source == SOURCE_STATIC || (source == SOURCE_EVPN && e->evpn_immutable),
		.seen_ms = source == SOURCE_DYNAMIC ? e->learned_ms
			   : s                      ? s->seen_ms
						    : 0,
	};
	memcpy(ret->mac.b, v.mac, 6);
	if (!s)
		return;
	ret->place = station_place(s, &ret->ifindex);
	/* A MAC that no route names yet is where its address was announced from. */
	if (ret->place == PLACE_NOWHERE && source == SOURCE_EVPN)
		ret->place = PLACE_REMOTE;
	if (ret->place == PLACE_REMOTE)
		ret->vtep = s->remote && s->vtep.family ? s->vtep : e->evpn_vtep;
}
