/* Registered addresses: of which of its owner's MACs one is (RFC 9161 section 3.2), and when its owner is not there.
 *
 * A member may have several MACs: a LAG that sends from any of its ports, a router that is being swapped for another. While none
 * of them has been heard, nobody knows which one is right: the address is neither answered for nor announced. The first frame
 * of one of them, of any kind, makes the address that one's. After that a frame is not enough, since both ends of a LAG may
 * send them in turn: only who speaks for the address (ARP, NA) has it from then on. A port that goes down forgets who was heard:
 * that is how routers are swapped.
 *
 * A former MAC is one that is being replaced. It is as good as the others until one of those is heard, and then stands back: it
 * has the address no more, and cannot take it while the other is there, though what it sends goes on.
 *
 * An exchange that would rather have an answer that may be wrong for a moment says so (mac_list_first): then the first
 * MAC of the list has the address until another speaks for it.
 */
#include "proxyarp/binding_parts.h"

struct station *list_first(
	const struct bindings *b, const struct binding_port_entry *p, const struct binding *e)
{
	const struct binding_port *r = &p->p;
	struct mac mac;

	/* The one that a former agent had found out. */
	memcpy(mac.b, e->plane.mac, 6);
	if (e->in_plane && e->plane.flags & BIND_ALT && e->plane.ifindex == p->ifindex &&
		!(e->plane.flags & (BIND_SILENT | BIND_SPONGE)) && bindings_may_speak(r, e->ip, mac)) {
		struct station *s = station_find(b, mac);
		if (s && s->home == p->ifindex) {
			s->seen = true;
			return s;
		}
	}
	for (int i = 0; i < r->mac_count; i++) {
		struct station *s = station_find(b, r->macs[i]);
		if (s && s->home == p->ifindex && s->seen && bindings_may_speak(r, e->ip, s->mac))
			return s;
	}
	return bindings_speakers(r, e->ip, &mac) > 0 ? station_find(b, mac) : NULL;
}

bool list_is_former(const struct binding_port_entry *p, struct mac mac)
{
	for (int i = 0; i < p->p.mac_count; i++)
		if (mac_eq(p->p.macs[i], mac))
			return p->p.mac_former[i];
	return false;
}

bool list_may_take(const struct binding_port_entry *p, const struct binding *e, const struct station *s)
{
	const struct station *has = e->refs[REF_STATIC].station;

	return !has || !has->seen || has->home != p->ifindex || !list_is_former(p, s->mac) ||
	       list_is_former(p, has->mac);
}

bool list_awaits(const struct bindings *b, const struct binding *e)
{
	const struct binding_port_entry *p = bindings_port(b, e->home);
	const struct station *s = e->refs[REF_STATIC].station;
	uint32_t ifindex;

	return p && s && !b->c.mac_list_first && !s->seen &&
	       station_place(s, &ifindex) == PLACE_PORT && ifindex == e->home &&
	       bindings_speakers(&p->p, e->ip, NULL) > 1;
}

void list_heard(struct bindings *b, const struct binding_port_entry *p, struct station *s)
{
	for (int i = 0; p->p.mac_count > 1 && i < p->p.ip_count; i++) {
		struct binding *e = bindings_may_speak(&p->p, p->p.ips[i], s->mac)
					    ? binding_find(b, p->p.ips[i])
					    : NULL;
		if (!e || e->home != p->ifindex)
			continue;
		const struct station *has = e->refs[REF_STATIC].station;
		if (list_awaits(b, e) || (has && list_is_former(p, has->mac) && !list_is_former(p, s->mac)))
			binding_link(e, REF_STATIC, s);
		else if (!(e->plane.flags & BIND_WATCH))
			continue;
		binding_update(b, e, false);
	}
}

bool list_is_dead(const struct bindings *b, const struct binding *e)
{
	const struct binding_port_entry *p = bindings_port(b, e->home);
	const struct station *s = e->refs[REF_STATIC].station;
	uint32_t ifindex;

	if (!p || !s || station_place(s, &ifindex) != PLACE_PORT || ifindex != e->home)
		return false;
	if (!p->p.up)
		return true;
	uint64_t last_ms = p->up_ms;
	for (int i = 0; i < p->p.mac_count; i++) {
		const struct station *o = bindings_may_speak(&p->p, e->ip, p->p.macs[i])
						  ? station_find(b, p->p.macs[i])
						  : NULL;
		if (o && o->seen_ms > last_ms)
			last_ms = o->seen_ms;
	}
	return b->c.dead.after_ms && b->now_ms - last_ms > b->c.dead.after_ms;
}
