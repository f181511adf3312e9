/* What a former agent left in a plane that still works. Of what was learned here it is as if it had just been seen; of what is
 * behind other PEs, as if the feed had told it and then gone away. Duplicates are looked for anew. */
#include "proxyarp/binding_parts.h"

void bindings_adopt_mac(struct bindings *b, const struct layout_mac_key *k,
	const struct layout_mac *v, uint64_t now_ms)
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
	if (v->flags & (MAC_SELF | MAC_TRAP))
		return;
	if (v->ifindex == 0) {
		s->remote = s->marked = true;
	} else if (!(v->flags & MAC_STATIC)) {
		s->seen_on = s->reserved ? 0 : v->ifindex;
		s->seen_ms = now_ms;
	}
}

void bindings_adopt_bind(
	struct bindings *b, struct ip ip, const struct layout_bind *v, uint64_t now_ms)
{
	struct binding *e = binding_get(b, ip);
	struct mac mac;
	struct station *s;

	bindings_clock(b, now_ms);
	if (!e) {
		binding_unplane(b, ip);
		return;
	}
	e->in_plane = true;
	e->plane = *v;
	memcpy(mac.b, v->mac, 6);
	e->was_sponged = v->flags & BIND_SPONGE;
	if (e->was_sponged) {
		/* The sponge goes on, until it says otherwise. A duplicate address is looked for anew. */
		if (!(v->flags & BIND_STATIC) && !mac_eq(mac, b->c.duplicate.as_mac) &&
			b->sponged < bindings_share_of(b->c.max_bindings))
			binding_sponge(b, e, &mac);
		return;
	}
	/* Members know it as it is. */
	e->announced = true;
	e->announced_mac = mac;
	s = station_get(b, mac);
	if (!s)
		return;
	if (v->ifindex == 0) {
		binding_link(e, REF_EVPN, s);
		e->evpn_marked = true;
		e->evpn_flags = v->flags & (BIND_ROUTER | BIND_OVERRIDE);
		e->evpn_immutable = v->flags & BIND_STATIC;
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

	hmap_foreach (&b->stations, s) {
		p = bindings_port(b, s->seen_on);
		if (s->seen_on && p && !p->p.closed)
			p->seen++;
		else
			s->seen_on = 0;
	}
	hmap_foreach (&b->bindings, e) {
		p = bindings_port(b, e->learned_on);
		if (e->refs[REF_LEARNED].station && p)
			p->learned++;
		else
			binding_unlink(e, REF_LEARNED);
	}
	hmap_foreach (&b->bindings, e)
		binding_update(b, e, false);
	hmap_foreach (&b->stations, s)
		station_update(b, s, false);
	bindings_collect(b);
}
