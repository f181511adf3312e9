/* One MAC of the LAN: where it is, by MAC mobility (RFC 7432 section 15).
 *
 *   the PE's own                                          self
 *   a trap (the sponge's, an anti-spoofing MAC)           nowhere; what is sent to it is told
 *   registered, nobody else announces it                  its port, even while that is down
 *   registered, another PE announces it, not seen since   that PE
 *   registered, another PE announces it, seen since       its port: claimed
 *   learned on an open port                               that port, until another PE announces it
 * with a higher sequence announced by another PE                               that PE
 *
 * A claim that is not answered by a higher sequence stands. A MAC that two sides claim in turn is
 * left to the other after five claims in 180 s (section 15.1), and claimed anew when that time is
 * over.
 */
#include <stdlib.h>

#include "lib/siphash.h"
#include "proxyarp/binding_parts.h"

#define CLAIMS_MAX 5
#define CLAIMS_WINDOW_MS 180000

static uint64_t hash_of(struct mac mac)
{
	return siphash(siphash_process_key(), mac.b, sizeof(mac.b));
}

struct station *station_find(const struct bindings *b, struct mac mac)
{
	return hmap_get(&b->stations, hash_of(mac), &mac);
}

struct station *station_get(struct bindings *b, struct mac mac)
{
	struct station *s = station_find(b, mac);

	if (s)
		return s;
	if (b->stations.count >= b->c.max_macs)
		bindings_collect_stations(b);
	s = b->stations.count < b->c.max_macs ? calloc(1, sizeof(*s)) : NULL;
	if (!s) {
		b->stats.full++;
		return NULL;
	}
	s->mac = mac;
	LIST_INIT(&s->refs);
	if (hmap_add(&b->stations, hash_of(mac), s) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

enum binding_place station_place(const struct station *s, uint32_t *ret_ifindex)
{
	uint32_t port = s->home ? s->home : s->seen_on;

	*ret_ifindex = 0;
	if (s->self) {
		*ret_ifindex = s->self;
		return PLACE_SELF;
	}
	if (s->trap)
		return PLACE_TRAP;
	if (s->remote && !s->claimed)
		return PLACE_REMOTE;
	*ret_ifindex = port;
	return port ? PLACE_PORT : PLACE_NOWHERE;
}

bool station_is_ours(const struct bindings *b, const struct station *s)
{
	return !s->self && !s->trap && (s->home ? bindings_port_is_up(b, s->home) : s->seen_on != 0);
}

/* Often enough that nobody who sends is taken for aged, dead, or replaced. */
static uint64_t report_ms(const struct bindings *b)
{
	uint64_t ms = (uint64_t)b->c.age_sec * 500, swap_ms = (uint64_t)b->c.swap_sec * 500;

	if (swap_ms && swap_ms < ms)
		ms = swap_ms;
	return b->c.dead.after_ms && b->c.dead.after_ms / 2 < ms ? b->c.dead.after_ms / 2 : ms;
}

static void update_plane(
	struct bindings *b, struct station *s, enum binding_place place, uint32_t ifindex)
{
	struct layout_mac_key k = {.lan = b->c.lan};
	struct layout_mac v = {.ifindex = ifindex, .home = s->home};
	int r;

	memcpy(k.mac, s->mac.b, 6);
	if (place == PLACE_NOWHERE) {
		if (!s->in_plane)
			return;
		r = b->hooks.ops->mac_del(b->hooks.plane, &k);
		s->in_plane = r < 0;
	} else {
		if (place == PLACE_SELF)
			v.flags |= MAC_SELF;
		if (place == PLACE_TRAP)
			v.flags |= MAC_TRAP;
		if (s->home || s->reserved)
			v.flags |= MAC_STATIC;
		if (place == PLACE_PORT && !bindings_port_is_up(b, ifindex))
			v.flags |= MAC_DOWN;
		/* One report now and then tells that a registered MAC lives, and that a learned one
		 * still does. */
		if (place == PLACE_PORT &&
			((s->home && !s->seen) ||
				b->now_ms - s->seen_ms > report_ms(b)))
			v.flags |= MAC_REPORT;
		if (s->in_plane && memcmp(&v, &s->plane, sizeof(v)) == 0)
			return;
		r = b->hooks.ops->mac_set(b->hooks.plane, &k, &v);
		if (r == 0) {
			s->plane = v;
			s->in_plane = true;
		}
	}
	if (r < 0)
		b->stats.plane_errors++;
}

static void update_place(
	struct bindings *b, struct station *s, enum binding_place place, uint32_t ifindex)
{
	struct ip vtep = place == PLACE_REMOTE ? s->vtep : (struct ip){0};

	if (!s->placed && place == PLACE_NOWHERE)
		return;
	if (s->placed && s->place == place && s->place_ifindex == ifindex &&
		ip_eq(s->place_vtep, vtep))
		return;
	s->placed = place != PLACE_NOWHERE;
	s->place = place;
	s->place_ifindex = ifindex;
	s->place_vtep = vtep;
	if (b->hooks.place)
		b->hooks.place(b->hooks.arg, s->mac, place, ifindex, vtep);
}

static void update_said(struct bindings *b, struct station *s, bool claim)
{
	bool ours = station_is_ours(b, s);
	struct binding_say say = {.add = ours, .mac = s->mac, .claim = ours && claim};

	if (ours == s->said && !(ours && claim))
		return;
	s->said = ours;
	if (b->hooks.say)
		b->hooks.say(b->hooks.arg, &say);
}

/* An address may hang on one MAC by two sources; it is told once. */
static bool is_first_ref(const struct binding_ref *r)
{
	for (const struct binding_ref *o = r->binding->refs; o < r; o++)
		if (o->station == r->station)
			return false;
	return true;
}

static void update_refs(struct bindings *b, struct station *s, bool claim)
{
	struct binding_ref *next;

	for (struct binding_ref *r = LIST_FIRST(&s->refs); r; r = next) {
		next = LIST_NEXT(r, link);
		if (is_first_ref(r))
			binding_update(b, r->binding, claim);
	}
}

void station_update(struct bindings *b, struct station *s, bool claim)
{
	uint32_t ifindex;
	enum binding_place place = station_place(s, &ifindex);

	/* What arrives is known before it is answered for; what leaves is answered for no more
	 * before it is forgotten. */
	if (place == PLACE_NOWHERE)
		update_refs(b, s, claim);
	update_plane(b, s, place, ifindex);
	update_place(b, s, place, ifindex);
	update_said(b, s, claim);
	if (place != PLACE_NOWHERE)
		update_refs(b, s, claim);
	if (station_is_empty(s))
		b->empty_stations = true;
}

void station_on(struct bindings *b, struct station *s, uint32_t ifindex)
{
	struct binding_port_entry *p = bindings_port(b, s->seen_on);

	if (p && p->seen)
		p->seen--;
	s->seen_on = ifindex;
	p = bindings_port(b, ifindex);
	if (p)
		p->seen++;
}

/* RFC 7432 sections 15.1 and 15.2. */
static bool may_claim(struct bindings *b, struct station *s)
{
	if (s->sticky) {
		if (!s->held && b->hooks.alarm)
			b->hooks.alarm(b->hooks.arg,
				"MAC seen here, but another PE announces it as static",
				s->home ? s->home : s->seen_on, s->mac, (struct ip){0});
		s->held = true;
		return false;
	}
	if (!s->claims || b->now_ms - s->claims_since_ms > CLAIMS_WINDOW_MS) {
		s->claims = 0;
		s->claims_since_ms = b->now_ms;
		s->held = false;
	}
	if (s->claims < CLAIMS_MAX) {
		s->claims++;
		return true;
	}
	if (!s->held) {
		s->held = true;
		b->stats.held++;
		if (b->hooks.alarm)
			b->hooks.alarm(b->hooks.arg,
				"MAC moves to and fro; left to the other PE for a while",
				s->home ? s->home : s->seen_on, s->mac, (struct ip){0});
	}
	return false;
}

void station_seen(struct bindings *b, struct station *s, uint32_t ifindex)
{
	bool away = s->remote && !s->claimed;

	if (away && !may_claim(b, s))
		return;
	s->seen_ms = b->now_ms;
	if (s->home) {
		s->seen = true;
	} else if (s->seen_on != ifindex) {
		if (s->seen_on || away)
			b->stats.moves++;
		station_on(b, s, ifindex);
	}
	if (away) {
		s->claimed = true;
		s->claimed_over = s->seq;
		b->stats.claims++;
	}
	station_update(b, s, away);
}

bool station_is_empty(const struct station *s)
{
	return !s->self && !s->trap && !s->home && !s->reserved && !s->seen_on && !s->remote && !s->in_plane &&
	       !s->said && LIST_EMPTY(&s->refs);
}

void station_view(const struct bindings *b, const struct station *s, struct binding_view *ret)
{
	const struct binding_port_entry *p = bindings_port(b, s->home);

	*ret = (struct binding_view){
		.mac = s->mac,
		.former = p && list_is_former(p, s->mac),
		.source = s->home || s->self || s->trap ? SOURCE_STATIC
			  : s->seen_on       ? SOURCE_DYNAMIC
			  : s->remote        ? SOURCE_EVPN
					     : SOURCE_NONE,
		.flags = s->plane.flags,
		.announced = s->said,
		.stale = s->remote && s->marked,
		.seen_ms = s->seen_ms,
		.vtep = s->remote ? s->vtep : (struct ip){0},
	};
	ret->place = station_place(s, &ret->ifindex);
}
