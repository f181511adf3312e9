#include "daemon/quelld_policy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/sys/queue.h>

#include "bgp/speaker.h"
#include "daemon/quelld_registry.h"
#include "daemon/registries.h"
#include "evpn/lan.h"
#include "evpn/policy.h"
#include "evpn/registered.h"

static_assert(CONFIG_CLASSES == BGP_CLASSES, "max_by_class");

struct place {
	STAILQ_ENTRY(place) next;
	struct ip address; /* as in struct config_neighbor */
	struct prefix prefix;
	struct evpn_rules rules;
	struct rt_pattern *rts;
	struct prefix *vteps;
};

struct quelld_policy {
	struct evpn_policy *evpn;
	const struct lans *table;
	STAILQ_HEAD(, place) places; /* those of neighbours that have gone, too */
	struct config_lan *lans;     /* what was set last, to see whether it changes */
	uint32_t lan_count;
	struct registered *registered[EVPN_LANS_MAX]; /* what the LANs of evpn borrow */
};

static void *copy(const void *from, size_t count, size_t size)
{
	void *to = malloc(count * size + 1);

	if (!to)
		abort();
	if (count)
		memcpy(to, from, count * size);
	return to;
}

static bool same(const void *a, size_t count_a, const void *b, size_t count_b, size_t size)
{
	return count_a == count_b && (count_a == 0 || memcmp(a, b, count_a * size) == 0);
}

/* --- neighbours --- */

static struct place *find(const struct quelld_policy *p, const struct config_neighbor *n)
{
	struct place *at;

	STAILQ_FOREACH (at, &p->places, next)
		if (ip_eq(at->address, n->address) && ip_eq(at->prefix.ip, n->prefix.ip) &&
			at->prefix.len == n->prefix.len)
			return at;
	return NULL;
}

static bool set_rules(struct place *at, const struct config_import *im)
{
	struct evpn_rules *r = &at->rules;

	if (memcmp(r->types, im->types, sizeof(r->types)) == 0 && r->sanity == im->sanity &&
		r->refuse_sticky == !im->sticky_macs &&
		same(r->rts, r->rt_count, im->rts, im->rt_count, sizeof(*im->rts)) &&
		same(r->vteps, r->vtep_count, im->vteps, im->vtep_count, sizeof(*im->vteps)))
		return false;
	free(at->rts);
	free(at->vteps);
	at->rts = copy(im->rts, im->rt_count, sizeof(*im->rts));
	at->vteps = copy(im->vteps, im->vtep_count, sizeof(*im->vteps));
	*r = (struct evpn_rules){.sanity = im->sanity,
		.refuse_sticky = !im->sticky_macs,
		.rts = at->rts,
		.rt_count = im->rt_count,
		.vteps = at->vteps,
		.vtep_count = im->vtep_count};
	memcpy(r->types, im->types, sizeof(r->types));
	return true;
}

static bool set_neighbor(struct quelld_policy *p, const struct config_neighbor *n)
{
	struct place *at = find(p, n);

	if (!at) {
		at = calloc(1, sizeof(*at));
		if (!at)
			abort();
		at->address = n->address;
		at->prefix = n->prefix;
		STAILQ_INSERT_TAIL(&p->places, at, next);
	}
	return set_rules(at, &n->import);
}

/* --- LANs --- */

static bool same_lan(const struct config_lan *a, const struct config_lan *b)
{
	return a->vni == b->vni && a->import_auto == b->import_auto && a->registry_routes == b->registry_routes &&
	       same(a->pe_vteps, a->pe_vtep_count, b->pe_vteps, b->pe_vtep_count, sizeof(*a->pe_vteps)) &&
	       same(a->prefixes, a->prefix_count, b->prefixes, b->prefix_count,
		       sizeof(*a->prefixes)) &&
	       same(a->route_targets, a->route_target_count, b->route_targets,
		       b->route_target_count, sizeof(*a->route_targets));
}

static bool same_lans(const struct quelld_policy *p, const struct config *c)
{
	bool is = p->lan_count == c->lan_count;

	for (uint32_t i = 0; is && i < c->lan_count; i++)
		is = same_lan(&p->lans[i], &c->lans[i]);
	return is;
}

static void free_lans(struct quelld_policy *p)
{
	for (uint32_t i = 0; i < p->lan_count; i++) {
		free(p->lans[i].prefixes);
		free(p->lans[i].route_targets);
		free(p->lans[i].pe_vteps);
	}
	free(p->lans);
}

static void remember_lans(struct quelld_policy *p, const struct config *c)
{
	free_lans(p);
	p->lans = copy(c->lans, c->lan_count, sizeof(*c->lans));
	p->lan_count = c->lan_count;
	for (uint32_t i = 0; i < c->lan_count; i++) {
		const struct config_lan *from = &c->lans[i];
		p->lans[i] = (struct config_lan){.vni = from->vni,
			.import_auto = from->import_auto,
			.registry_routes = from->registry_routes,
			.pe_vtep_count = from->pe_vtep_count,
			.pe_vteps =
				copy(from->pe_vteps, from->pe_vtep_count, sizeof(*from->pe_vteps)),
			.prefix_count = from->prefix_count,
			.prefixes =
				copy(from->prefixes, from->prefix_count, sizeof(*from->prefixes)),
			.route_target_count = from->route_target_count,
			.route_targets = copy(from->route_targets, from->route_target_count,
				sizeof(*from->route_targets))};
	}
}

static void free_registered(struct registered *list[EVPN_LANS_MAX])
{
	for (int i = 0; i < EVPN_LANS_MAX; i++)
		registered_free(list[i]);
}

static void set_lans(struct quelld_policy *p, const struct config *c, const struct registries *r)
{
	struct registered *was[EVPN_LANS_MAX];
	struct evpn_policy_lan lans[EVPN_LANS_MAX];
	struct rt_pattern *import[EVPN_LANS_MAX];

	memcpy(was, p->registered, sizeof(was));
	memset(p->registered, 0, sizeof(p->registered));
	for (uint32_t i = 0; i < c->lan_count; i++) {
		const struct config_lan *l = &c->lans[i];
		uint32_t n = 0;
		p->registered[i] = quelld_registry_table(l, i < r->count ? r->of[i] : NULL);
		import[i] = calloc(l->route_target_count + 1, sizeof(*import[i]));
		if (!import[i])
			abort();
		for (; n < l->route_target_count; n++)
			import[i][n].rt = l->route_targets[n];
		if (l->import_auto)
			import[i][n++].vni = l->vni;
		lans[i] = (struct evpn_policy_lan){l->vni, import[i], n, l->prefixes, l->prefix_count,
			lans_find(p->table, l->name), p->registered[i],
			l->registry_routes == REGISTRY_ROUTES_REFUSE};
	}
	if (evpn_policy_set_lans(p->evpn, lans, c->lan_count) < 0)
		abort(); /* config/schema.c has the same limit */
	for (uint32_t i = 0; i < c->lan_count; i++)
		free(import[i]);
	free_registered(was);
}

/* --- all of it --- */

bool quelld_policy_set(struct quelld_policy *p, const struct config *c, const struct registries *r)
{
	bool changed = !same_lans(p, c);

	for (uint32_t i = 0; i < c->neighbor_count; i++)
		changed = set_neighbor(p, &c->neighbors[i]) || changed;
	/* In any case: it also forgets what it found out by the rules as they were. */
	set_lans(p, c, r);
	remember_lans(p, c);
	return changed;
}

uint8_t quelld_policy_flagged(const struct quelld_policy *p, const struct policy_route *r)
{
	return evpn_policy_flagged(p->evpn, r);
}

const void *quelld_policy_rules(const struct quelld_policy *p, const struct config_neighbor *n)
{
	const struct place *at = find(p, n);

	return at ? &at->rules : NULL;
}

struct quelld_policy *quelld_policy_new(
	struct speaker *s, const struct lans *lans, const struct config *c, const struct registries *r)
{
	struct quelld_policy *p = calloc(1, sizeof(*p));
	struct speaker_policy sp = {.import = evpn_policy_import, .reason = evpn_policy_reason};

	if (!p)
		abort();
	STAILQ_INIT(&p->places);
	p->table = lans;
	sp.arg = p->evpn = evpn_policy_new();
	if (!p->evpn)
		abort();
	quelld_policy_set(p, c, r);
	speaker_set_policy(s, &sp);
	return p;
}

void quelld_policy_free(struct quelld_policy *p)
{
	struct place *at;

	if (!p)
		return;
	while ((at = STAILQ_FIRST(&p->places)) != NULL) {
		STAILQ_REMOVE_HEAD(&p->places, next);
		free(at->rts);
		free(at->vteps);
		free(at);
	}
	free_lans(p);
	evpn_policy_free(p->evpn);
	free_registered(p->registered);
	free(p);
}
