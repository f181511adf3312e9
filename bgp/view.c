/* What `show` sees of the speaker. */
#include <string.h>

#include "bgp/engine.h"
#include "bgp/llgr.h"
#include "bgp/roles.h"

/* Membership is not what an operator means by routes; if it is stale, that is to be seen. */
static void view_membership(
	const struct neighbor *n, const struct table *t, struct neighbor_view *v)
{
	v->memberships_in = t->rib.peer[n->index].paths;
	v->rt_constrain = n->up && n->main->family[t->index];
}

static void sum_families(const struct neighbor *n, struct neighbor_view *v)
{
	for (unsigned t = 0; t < n->s->tables; t++) {
		const struct rib_peer *p = &n->s->table[t].rib.peer[n->index];
		v->routes_stale += p->stale_loses ? p->stale : 0;
		if (n->s->table[t].family == &rtc_family) {
			view_membership(n, &n->s->table[t], v);
			continue;
		}
		v->routes_in += p->paths;
		v->routes_refused += p->refused;
		for (unsigned c = 0; n->s->table[t].family->class_of && c < BGP_CLASSES; c++)
			v->routes_by_class[c] += p->by_class[c];
		v->long_lived |= n->up && llgr_agreed_sec(n->main, &n->s->table[t]) > 0;
		v->add_path_in |= n->up && n->main->add_path[t] & ADD_PATH_RECEIVE;
		v->add_path_out |= n->up && n->main->add_path[t] & ADD_PATH_SEND;
		if (n->family[t].member)
			v->routes_out += group_told(n->family[t].member);
	}
}

void neighbor_view(const struct neighbor *n, struct neighbor_view *ret)
{
	const struct session *se = n->main;

	*ret = (struct neighbor_view){
		.address = n->config.address,
		.local = n->local,
		.name = n->config.name,
		.state = fsm_state_name(n->state),
		.remote_as = n->remote_as ? n->remote_as : n->config.remote_as,
		.router_id = n->router_id,
		.dynamic = n->dynamic,
		.client = n->config.client,
		.passive = n->config.passive,
		.shutdown = n->config.shutdown,
		.since_ms = n->since_ms,
		.hold_sec = n->up ? se->hold_sec : neighbor_hold_sec(n),
		.msgs_in = n->msgs_in,
		.msgs_out = n->msgs_out + n->txq.messages,
		.updates_in = n->updates_in,
		.updates_out = n->txq.messages,
		.octets_in = n->octets_in,
		.octets_out = n->octets_out,
		.max_routes = n->config.max_routes,
		.treat_as_withdraw = n->treat_as_withdraw,
		.attr_discard = n->attr_discard,
		.nlri_discard = n->nlri_discard,
		.nlri_withdraw = n->nlri_withdraw,
		.withheld = n->withheld,
		.queued_octets = (uint32_t)n->txq.octets,
		.flaps = n->flaps,
		.gr = n->up && se->gr,
		.extended_message = n->up && se->extended,
		.as4 = n->up && se->as4,
		.enhanced_refresh = n->up && se->enhanced_refresh,
		.conservative = n->config.conservative,
		.role = roles_name(n->config.role),
		.peer_role = n->up ? roles_told(se->open.role) : NULL,
	};
	ret->ibgp = ret->remote_as == n->s->config.as;
	memcpy(ret->last_error, n->last_error, sizeof(ret->last_error));
	memcpy(ret->refused, n->refused, sizeof(ret->refused));
	memcpy(ret->max_by_class, n->config.max_by_class, sizeof(ret->max_by_class));
	if (!n->range)
		sum_families(n, ret);
}

const char *speaker_reason(const struct speaker *s, uint8_t reason)
{
	return policy_reason(&s->policy, reason);
}

const struct neighbor *speaker_neighbor_from(const struct speaker *s, size_t *place)
{
	while (++*place < s->neighbors)
		if (s->neighbor[*place] && !s->neighbor[*place]->removed)
			return s->neighbor[*place];
	return NULL;
}

const struct neighbor *speaker_next_neighbor(const struct speaker *s, const struct neighbor *after)
{
	size_t place = after ? after->index : 0;

	return speaker_neighbor_from(s, &place);
}

static bool each_path(const struct table *t, const struct dest *d,
	bool (*fn)(void *arg, const struct route_view *r), void *arg)
{
	const struct rib *r = &t->rib;
	const struct path *best = rib_best(r, d);

	for (const struct path *p = rib_path(r, d->paths); p; p = rib_path(r, p->next)) {
		struct route_view v = {
			.family = t->family,
			.key = d->key,
			.payload = p->payload,
			.key_len = d->key_len,
			.payload_len = p->payload_len,
			.attrs = p->attrs,
			.from = p->peer == RIB_LOCAL ? NULL : t->s->neighbor[p->peer],
			.best = p == best,
			.stale = rib_path_kept(r, p),
			.refused = p->refused,
			.path_id = p->path_id,
			.since_ms = t->s->start_ms + 1000ull * p->since,
		};
		if (!fn(arg, &v))
			return false;
	}
	return true;
}

void speaker_each_route(
	const struct speaker *s, bool (*fn)(void *arg, const struct route_view *r), void *arg)
{
	struct dest *d;

	for (unsigned i = 0; i < s->tables; i++)
		hmap_foreach (&s->table[i].rib.map, d)
			if (!each_path(&s->table[i], d, fn, arg))
				return;
}

bool speaker_walk_routes(const struct speaker *s, struct route_walk *w, size_t slots,
	bool (*fn)(void *arg, const struct route_view *r), void *arg)
{
	if (w->table >= s->tables)
		return false;
	const struct table *t = &s->table[w->table];
	size_t end = w->slot + slots;
	const struct dest *d;

	for (; (d = hmap_next_below(&t->rib.map, &w->slot, end)) != NULL; w->slot++)
		if (!each_path(t, d, fn, arg))
			return false;
	if (w->slot >= hmap_slots(&t->rib.map)) {
		w->table++;
		w->slot = 0;
	}
	return w->table < s->tables;
}

void speaker_stats(const struct speaker *s, struct speaker_stats *ret)
{
	*ret = (struct speaker_stats){.attrsets = attrsets_count(s->attrsets)};
	for (unsigned i = 0; i < s->tables; i++) {
		if (s->table[i].family == &rtc_family)
			continue;
		ret->routes += s->table[i].rib.map.count - s->table[i].rib.tombstones;
		ret->paths += s->table[i].rib.paths;
		ret->refused += s->table[i].rib.refused;
	}
}
