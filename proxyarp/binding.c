/* One address of the LAN: which of its sources counts, and what follows. RFC 9161 section 3.2, RFC
 * 9047 section 3.2.
 *
 *   static    the registry's word: the MAC that speaks for it (bindings_list.c). While that MAC is behind another PE, the
 *             binding stays and points there. Dead, when its port is down or it was not heard for long: then it is silent,
 *             answered for all the same, or the sponge's, as the configuration has it; a word of its owner ends that.
 *   EVPN      immutable, with another MAC than what was learned: it wins, what was learned is not told.
 *   else      the newer of EVPN and learned; of one MAC's two, what was learned. Nobody's, if two hosts have it (duplicate.c).
 *   sponge    if there is nothing of all that.
 *
 * Where the address is, is always where its MAC is. An address whose MAC is a trap (an anti-spoofing MAC, ours or another
 * PE's) is answered for as a sponged one is: requests, but no probes.
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

/* Where a binding to `s` is. */
static void locate(const struct bindings *b, const struct station *s, struct layout_bind *v)
{
	uint32_t ifindex;
	enum binding_place place = station_place(s, &ifindex);

	memcpy(v->mac, s->mac.b, 6);
	if (place == PLACE_TRAP)
		v->flags |= BIND_SPONGE;
	if (place != PLACE_PORT)
		return;
	v->ifindex = ifindex;
	if (!bindings_port_is_up(b, ifindex))
		v->flags |= BIND_SILENT;
}

static void bury(const struct bindings *b, struct layout_bind *v)
{
	v->flags = (uint8_t)((v->flags & ~BIND_SILENT) | BIND_WATCH);
	if (b->c.dead.policy == DEAD_SPONGE && mac_is_host(b->c.dead.mac)) {
		v->flags |= BIND_SPONGE;
		memcpy(v->mac, b->c.dead.mac.b, 6);
	} else if (b->c.dead.policy != DEAD_ANSWER) {
		v->flags |= BIND_SILENT;
	}
}

static void effective_static(
	const struct bindings *b, const struct binding *e, struct layout_bind *ret)
{
	const struct binding_port_entry *p = bindings_port(b, e->home);
	const struct station *s = e->refs[REF_STATIC].station, *o = e->refs[REF_EVPN].station;
	uint32_t ifindex;

	ret->flags = BIND_STATIC | (p ? bindings_ip_flags(&p->p, e->ip) : BIND_ROUTER | BIND_OVERRIDE);
	/* Behind another PE it may speak by another of its MACs. */
	if (o && station_place(s, &ifindex) == PLACE_REMOTE && p &&
		bindings_may_speak(&p->p, e->ip, o->mac))
		s = o;
	if (p && bindings_speakers(&p->p, e->ip, NULL) > 1)
		ret->flags |= BIND_ALT;
	locate(b, s, ret);
	if (list_is_dead(b, e))
		bury(b, ret);
	else if (list_awaits(b, e))
		ret->flags |= BIND_SILENT;
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
	} else if (duplicate_effective(b, e, &v)) {
		source = SOURCE_DYNAMIC;
	} else if (learned && (!evpn || evpn == learned || !(e->evpn_immutable || e->evpn_newer))) {
		v.flags = e->learned_flags;
		locate(b, learned, &v);
		source = SOURCE_DYNAMIC;
	} else if (evpn) {
		/* RFC 9047 section 3.2: then no frame on an open port speaks for it. */
		v.flags = e->evpn_flags | (e->evpn_immutable ? BIND_STATIC : 0);
		locate(b, evpn, &v);
		source = SOURCE_EVPN;
	} else if (e->sponged) {
		v.flags = BIND_SPONGE | BIND_WATCH;
		memcpy(v.mac, e->sponge_mac.b, 6);
		source = SOURCE_SPONGE;
	}
	if (source != SOURCE_NONE && source != SOURCE_SPONGE && bindings_is_exchange(b, e->ip))
		v.flags |= BIND_EXCHANGE;
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

/* now NULL: nothing of ours. */
static void update_said(struct bindings *b, struct binding *e, const struct binding_say *now)
{
	if (e->said && (!now || !mac_eq(e->said_as.mac, now->mac)))
		unsay(b, e);
	if (!now)
		return;
	const struct binding_say *was = &e->said_as;
	if (e->said && !now->claim && was->router == now->router &&
		was->override == now->override && was->immutable == now->immutable)
		return;
	e->said = true;
	e->said_as = *now;
	say(b, now);
}

/* What quelld is to say of it; false: nothing. Who is not answered for here is nobody that others should answer for. */
static bool to_say(const struct bindings *b, const struct binding *e, enum binding_source source,
	const struct layout_bind *v, struct binding_say *ret)
{
	const struct station *s = source == SOURCE_STATIC    ? e->refs[REF_STATIC].station
				  : source == SOURCE_DYNAMIC ? e->refs[REF_LEARNED].station
							     : NULL;

	/* RFC 9161 section 3.7 c 3. */
	if (source == SOURCE_DYNAMIC && duplicate_is_frozen(e) && v->flags & BIND_SPONGE) {
		*ret = (struct binding_say){.add = true,
			.ip = e->ip,
			.mac = b->c.duplicate.as_mac,
			.router = true,
			.override = true,
			.immutable = true};
		return true;
	}
	if (!s || !station_is_ours(b, s) || v->flags & (BIND_SILENT | BIND_SPONGE))
		return false;
	*ret = (struct binding_say){.add = true,
		.ip = e->ip,
		.mac = s->mac,
		.router = v->flags & BIND_ROUTER,
		.override = v->flags & BIND_OVERRIDE,
		.immutable = source == SOURCE_STATIC};
	return true;
}

/* RFC 9161 section 3.2: members hear of a new binding, unless the frame that made it went to all of them. */
static void update_members(
	struct bindings *b, struct binding *e, enum binding_source source, const struct layout_bind *v)
{
	struct mac mac;
	bool first = !e->announced;

	if (source == SOURCE_NONE || source == SOURCE_SPONGE || v->flags & (BIND_SILENT | BIND_SPONGE))
		return;
	memcpy(mac.b, v->mac, 6);
	if (!first && mac_eq(mac, e->announced_mac))
		return;
	e->announced = true;
	e->announced_mac = mac;
	if (b->c.announce.on == ANNOUNCE_OFF || (b->c.announce.on == ANNOUNCE_CHANGES && first) ||
		(source == SOURCE_DYNAMIC && e->flooded))
		announce_forget(b->announce, e->ip);
	else
		announce_binding(b->announce, e->ip, mac, v->flags, v->ifindex);
}

static void tell_life(struct bindings *b, const struct binding *e, const struct layout_bind *v)
{
	struct mac mac;

	memcpy(mac.b, v->mac, 6);
	const struct station *s = station_find(b, mac);
	struct ip vtep = s && !v->ifindex ? (s->vtep.family ? s->vtep : e->evpn_vtep) : (struct ip){0};
	if (b->hooks.life)
		b->hooks.life(b->hooks.arg, e->ip, mac, v->ifindex, vtep);
}

void binding_sponge(struct bindings *b, struct binding *e, const struct mac *mac)
{
	if (mac)
		e->sponge_mac = *mac;
	if (e->sponged == (mac != NULL))
		return;
	e->sponged = mac != NULL;
	b->sponged += mac ? 1 : -1U;
}

void binding_update(struct bindings *b, struct binding *e, bool claim)
{
	const struct station *learned = e->refs[REF_LEARNED].station;
	struct layout_bind v = {0};
	struct binding_say now;
	uint32_t ifindex;

	if (learned && station_place(learned, &ifindex) == PLACE_NOWHERE)
		binding_drop_learned(b, e);
	enum binding_source source = binding_effective(b, e, &v);
	bool owned = source != SOURCE_NONE && source != SOURCE_SPONGE;
	bool taken = owned && e->sponged, sponged = v.flags & BIND_SPONGE;
	if (owned)
		binding_sponge(b, e, NULL);
	update_plane(b, e, source == SOURCE_NONE ? NULL : &v);
	bool says = to_say(b, e, source, &v, &now);
	now.claim = says && claim;
	update_said(b, e, says ? &now : NULL);
	if (source == SOURCE_NONE)
		announce_forget(b->announce, e->ip);
	update_members(b, e, source, &v);
	if (taken || (owned && e->was_sponged && !sponged))
		tell_life(b, e, &v);
	e->was_sponged = sponged;
	if (binding_is_empty(e))
		b->empty_bindings = true;
}

bool binding_is_empty(const struct binding *e)
{
	for (int i = 0; i < REF_COUNT; i++)
		if (e->refs[i].station)
			return false;
	return !e->in_plane && !e->said && !e->sponged && !e->duplicate;
}

void binding_view(const struct bindings *b, const struct binding *e, struct binding_view *ret)
{
	struct layout_bind v = {0};
	enum binding_source source = binding_effective(b, e, &v);
	/* Whose it is, whoever answers for it. */
	bool nobody = source == SOURCE_NONE || (duplicate_is_frozen(e) && !e->refs[REF_LEARNED].station && !(v.flags & BIND_SPONGE));
	const struct station *s = nobody ? NULL
				  : source == SOURCE_STATIC && v.flags & BIND_SPONGE
					  ? e->refs[REF_STATIC].station
					  : station_find(b, *(struct mac *)v.mac);

	const struct binding_port_entry *home = source == SOURCE_STATIC ? bindings_port(b, e->home) : NULL;

	*ret = (struct binding_view){
		.ip = e->ip,
		.former = home && list_is_former(home, *(const struct mac *)v.mac),
		.source = source,
		.place = PLACE_NOWHERE,
		.flags = v.flags,
		.announced = e->said,
		.stale = source == SOURCE_EVPN && e->evpn_marked,
		.immutable =
			source == SOURCE_STATIC || (source == SOURCE_EVPN && e->evpn_immutable),
		.dead = source == SOURCE_STATIC && list_is_dead(b, e),
		.duplicate = source != SOURCE_STATIC && duplicate_is_frozen(e),
		.awaited = source == SOURCE_STATIC && list_awaits(b, e),
		.seen_ms = source == SOURCE_DYNAMIC ? e->learned_ms
			   : s                      ? s->seen_ms
						    : 0,
	};
	memcpy(ret->mac.b, v.mac, 6);
	if (ret->duplicate && b->c.duplicate.hold_down_sec && e->duplicate->until_ms > b->now_ms)
		ret->hold_sec = (uint32_t)((e->duplicate->until_ms - b->now_ms) / 1000);
	if (!s)
		return;
	ret->place = station_place(s, &ret->ifindex);
	/* A MAC that no route names yet is where its address was announced from. */
	if (ret->place == PLACE_NOWHERE && source == SOURCE_EVPN)
		ret->place = PLACE_REMOTE;
	if (ret->place == PLACE_REMOTE)
		ret->vtep = s->remote && s->vtep.family ? s->vtep : e->evpn_vtep;
}
