/* What is shown of a LAN's books. */
#include "proxyarp/binding_parts.h"

bool bindings_get(const struct bindings *b, struct ip ip, struct binding_view *ret)
{
	const struct binding *e = binding_find(b, ip);

	if (e)
		binding_view(b, e, ret);
	return e && ret->source != SOURCE_NONE;
}

bool bindings_get_mac(const struct bindings *b, struct mac mac, struct binding_view *ret)
{
	const struct station *s = station_find(b, mac);

	if (s)
		station_view(b, s, ret);
	return s != NULL;
}

bool bindings_address_of(
	const struct bindings *b, struct mac mac, uint8_t family, struct ip *ret)
{
	const struct station *s = station_find(b, mac);
	const struct binding_ref *r;
	bool found = false;

	if (!s)
		return false;
	LIST_FOREACH (r, &s->refs, link) {
		const struct binding *e = r->binding;
		bool first = e->refs[REF_STATIC].station == s;
		if (e->ip.family != family || ip_is_link_local(e->ip) || (found && !first))
			continue;
		*ret = e->ip;
		found = true;
		if (first)
			break;
	}
	return found;
}

bool bindings_walk(const struct bindings *b, size_t *at, size_t slots,
	void (*fn)(void *arg, const struct binding_view *v), void *arg)
{
	size_t end = *at + slots < slots ? SIZE_MAX : *at + slots;
	const struct binding *e;
	struct binding_view v;

	for (; (e = hmap_next_below(&b->bindings, at, end)) != NULL; ++*at) {
		binding_view(b, e, &v);
		if (v.source != SOURCE_NONE)
			fn(arg, &v);
	}
	return *at < hmap_slots(&b->bindings);
}

void bindings_each(
	const struct bindings *b, void (*fn)(void *arg, const struct binding_view *v), void *arg)
{
	bindings_walk(b, &(size_t){0}, SIZE_MAX, fn, arg);
}

void bindings_each_mac(
	const struct bindings *b, void (*fn)(void *arg, const struct binding_view *v), void *arg)
{
	struct binding_view v;
	struct station *s;

	hmap_foreach (&b->stations, s) {
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
	ret->sponges = b->sponged;
	ret->duplicates = b->frozen;
	hmap_foreach (&b->bindings, e) {
		enum binding_source source = binding_effective(b, e, &v);
		ret->statics += source == SOURCE_STATIC;
		ret->dynamics += source == SOURCE_DYNAMIC;
		ret->evpns += source == SOURCE_EVPN;
		ret->dead += source == SOURCE_STATIC && list_is_dead(b, e);
	}
	hmap_foreach (&b->stations, s) {
		ret->macs_home += s->home != 0;
		ret->macs_learned += s->seen_on != 0;
		ret->macs_remote += s->remote && !s->claimed;
	}
}
