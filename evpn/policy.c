#include "evpn/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "evpn/ecom.h"
#include "evpn/family.h"
#include "evpn/nlri.h"
#include "evpn/pmsi.h"
#include "evpn/policy_inside.h"

static const char *const words[] = {
	[REFUSED_ROUTE_TYPE - REFUSED_BY_POLICY] = "route-type",
	[REFUSED_UNKNOWN_TYPE - REFUSED_BY_POLICY] = "unknown-route-type",
	[REFUSED_ROUTE_TARGET - REFUSED_BY_POLICY] = "route-target",
	[REFUSED_VTEP - REFUSED_BY_POLICY] = "vtep",
	[REFUSED_NEXT_HOP - REFUSED_BY_POLICY] = "next-hop",
	[REFUSED_ORIGINATOR - REFUSED_BY_POLICY] = "originator",
	[REFUSED_MAC_ZERO - REFUSED_BY_POLICY] = "mac-zero",
	[REFUSED_MAC_MULTICAST - REFUSED_BY_POLICY] = "mac-multicast",
	[REFUSED_MAC_BROADCAST - REFUSED_BY_POLICY] = "mac-broadcast",
	[REFUSED_IP_UNSPECIFIED - REFUSED_BY_POLICY] = "ip-unspecified",
	[REFUSED_IP_MULTICAST - REFUSED_BY_POLICY] = "ip-multicast",
	[REFUSED_IP_LOOPBACK - REFUSED_BY_POLICY] = "ip-loopback",
	[REFUSED_IP_BROADCAST - REFUSED_BY_POLICY] = "ip-broadcast",
	[REFUSED_IP_OUTSIDE - REFUSED_BY_POLICY] = "ip-outside-lan",
	[REFUSED_DEFAULT_GATEWAY - REFUSED_BY_POLICY] = "default-gateway",
	[REFUSED_MAX_ESI - REFUSED_BY_POLICY] = "max-esi",
	[REFUSED_STICKY - REFUSED_BY_POLICY] = "sticky",
	[REFUSED_DUPLICATE_MAC - REFUSED_BY_POLICY] = "duplicate-mac",
	[REFUSED_STICKY_MOVE - REFUSED_BY_POLICY] = "sticky-move",
	[REFUSED_UNREGISTERED_MAC - REFUSED_BY_POLICY] = "unregistered-mac",
	[REFUSED_UNREGISTERED_IP - REFUSED_BY_POLICY] = "unregistered-ip",
	[REFUSED_WRONG_IP - REFUSED_BY_POLICY] = "wrong-ip-for-mac",
	[REFUSED_WRONG_PE - REFUSED_BY_POLICY] = "wrong-pe",
};

_Static_assert(sizeof(words) / sizeof(words[0]) == REFUSED_END - REFUSED_BY_POLICY, "a word each");
_Static_assert((int)REFUSED_END <= (int)REFUSED_MAX, "room in the engine's counters");

/* --- making it --- */

struct evpn_rules evpn_rules_default(void)
{
	struct evpn_rules r = {.sanity = true};

	memset(r.types, 0xff, sizeof(r.types));
	return r;
}

void evpn_rules_allow(struct evpn_rules *r, unsigned type, bool allowed)
{
	uint8_t bit = (uint8_t)(1 << type % 8), *octet = &r->types[type / 8 % 32];

	*octet = allowed ? *octet | bit : *octet & (uint8_t)~bit;
}

struct evpn_policy *evpn_policy_new(void)
{
	struct evpn_policy *p = calloc(1, sizeof(*p));

	if (p)
		p->fallback = evpn_rules_default();
	return p;
}

static void free_lans(struct policy_lan *lan, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(lan[i].import);
		free(lan[i].nets);
	}
}

void evpn_policy_free(struct evpn_policy *p)
{
	if (p)
		free_lans(p->lan, p->lan_count);
	free(p);
}

static struct policy_net net_of(const struct prefix *prefix)
{
	struct policy_net n = {.family = prefix->ip.family,
		.has_broadcast = prefix->ip.family == 4 && prefix->len < 31};
	uint8_t mask[16] = {0};

	for (unsigned i = 0; i < prefix->len; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	memcpy(n.bits, prefix->ip.b, 16);
	memcpy(n.mask, mask, 16);
	return n;
}

static bool copy_lan(struct policy_lan *to, const struct evpn_policy_lan *from)
{
	*to = (struct policy_lan){.vni = from->vni,
		.import_count = from->import_count,
		.net_count = from->prefix_count,
		.lan = from->lan,
		.registered = from->registered,
		.refuse_unregistered = from->refuse_unregistered};
	to->import = calloc(from->import_count + 1, sizeof(*to->import));
	to->nets = calloc(from->prefix_count + 1, sizeof(*to->nets));
	if (!to->import || !to->nets)
		return false;
	for (uint32_t i = 0; i < from->import_count; i++)
		to->import[i] = from->import[i];
	for (uint32_t i = 0; i < from->prefix_count; i++)
		to->nets[i] = net_of(&from->prefixes[i]);
	return true;
}

int evpn_policy_set_lans(struct evpn_policy *p, const struct evpn_policy_lan *lans, size_t count)
{
	struct policy_lan made[EVPN_LANS_MAX];

	if (count > EVPN_LANS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		if (!copy_lan(&made[i], &lans[i])) {
			free_lans(made, i + 1);
			return -ENOMEM;
		}
	free_lans(p->lan, p->lan_count);
	for (size_t i = 0; i < count; i++)
		p->lan[i] = made[i];
	p->lan_count = count;
	p->last_label_lans = 0;
	p->last_label = UINT32_MAX; /* no label of 24 bits */
	p->seen.rules = NULL;
	return 0;
}

/* --- by attributes --- */

static bool no_vtep(struct ip ip)
{
	return ip_is_unspecified(ip) || ip_is_multicast(ip) || ip_is_loopback(ip);
}

static bool is_allowed_vtep(const struct evpn_rules *rules, struct ip ip)
{
	for (uint32_t i = 0; i < rules->vtep_count; i++)
		if (prefix_contains(&rules->vteps[i], ip))
			return true;
	return rules->vtep_count == 0;
}

static uint8_t judge_next_hop(const struct evpn_rules *rules, struct ip next_hop)
{
	if (rules->sanity && no_vtep(next_hop))
		return REFUSED_NEXT_HOP;
	return is_allowed_vtep(rules, next_hop) ? REFUSED_NOT : REFUSED_VTEP;
}

static bool is_route_target(const uint8_t ec[8])
{
	return ec[0] <= 0x02 && ec[1] == 0x02;
}

static bool matches_any(const struct rt_pattern *rts, uint32_t count, const uint8_t ec[8])
{
	for (uint32_t i = 0; i < count; i++)
		if (rt_matches(&rts[i], ec))
			return true;
	return false;
}

/* Each of a route's targets must be one of the neighbour's: one that is not would take the route to somebody else. */
static uint8_t judge_targets(const struct evpn_rules *rules, struct span ecs)
{
	bool has = false;

	for (size_t i = 0; rules->rt_count && i < ecom_count(ecs); i++) {
		if (!is_route_target(ecom_at(ecs, i)))
			continue;
		if (!matches_any(rules->rts, rules->rt_count, ecom_at(ecs, i)))
			return REFUSED_ROUTE_TARGET;
		has = true;
	}
	return has || !rules->rt_count ? REFUSED_NOT : REFUSED_ROUTE_TARGET;
}

static uint64_t importing_lans(const struct evpn_policy *p, struct span ecs)
{
	uint64_t lans = 0;

	for (size_t i = 0; i < ecom_count(ecs); i++) {
		if (!is_route_target(ecom_at(ecs, i)))
			continue;
		for (size_t k = 0; k < p->lan_count; k++)
			if (matches_any(p->lan[k].import, p->lan[k].import_count, ecom_at(ecs, i)))
				lans |= 1ULL << k;
	}
	return lans;
}

static const struct policy_seen *look_at(
	struct evpn_policy *p, const struct evpn_rules *rules, const struct policy_route *route)
{
	const struct attrs *a = route->attrs;
	struct span ecs = a->ext_communities;
	struct policy_seen *s = &p->seen;
	struct evpn_ecom ec;

	if (s->rules == rules && s->serial == route->serial)
		return s;
	s->serial = route->serial;
	if (s->rules == rules && s->ecoms_len == ecs.len && ip_eq(s->next_hop, a->next_hop) &&
		(ecs.len == 0 || memcmp(s->ecoms, ecs.p, ecs.len) == 0))
		return s;
	s->rules = rules;
	s->next_hop = a->next_hop;
	s->ecoms_len = ecs.len;
	if (ecs.len)
		memcpy(s->ecoms, ecs.p, ecs.len);
	s->by_next_hop = judge_next_hop(rules, a->next_hop);
	s->by_target = judge_targets(rules, ecs);
	s->lans = importing_lans(p, ecs);
	s->default_gateway = evpn_ecom_find(ecs, ECOM_DEFAULT_GATEWAY, &ec);
	s->sticky = evpn_ecom_mobility(ecs).sticky;
	s->vxlan = evpn_ecom_vxlan_ok(ecs);
	return s;
}

/* --- by route --- */

/* Types 3 and 4 name their PE in the key, too; and type 3 where floods shall go. */
static uint8_t judge_originator(const struct evpn_rules *rules, const struct policy_route *r)
{
	struct evpn_route route;
	struct pmsi pmsi;
	struct ip end = {0};

	if (evpn_nlri_unpack(r->key, r->key_len, NULL, 0, &route) != 0)
		return REFUSED_NOT;
	if (route.type == EVPN_IMET && attrs_has(r->attrs, ATTR_PMSI_TUNNEL) &&
		pmsi_decode(r->attrs->pmsi, &pmsi) == 0 && pmsi.type == PMSI_INGRESS_REPLICATION)
		end = pmsi_endpoint(&pmsi);
	if (rules->sanity && (no_vtep(route.ip) || ip_is_multicast(end) || ip_is_loopback(end)))
		return REFUSED_ORIGINATOR;
	if (rules->sanity && route.type == EVPN_ES && policy_is_max_esi(route.esi.b))
		return REFUSED_MAX_ESI;
	if (!is_allowed_vtep(rules, route.ip))
		return REFUSED_VTEP;
	return end.family && !ip_is_unspecified(end) && !is_allowed_vtep(rules, end) ? REFUSED_VTEP
										     : REFUSED_NOT;
}

/* Route targets say where the other types go; these go by ES-Import (RFC 7432 section 7.6, RFC 9251 section 9). */
static bool goes_by_segment(uint8_t type)
{
	return type == EVPN_ES || type == EVPN_JOIN_SYNC || type == EVPN_LEAVE_SYNC;
}

uint8_t evpn_policy_import(void *arg, const void *rules_of_neighbor, const struct policy_route *r)
{
	struct evpn_policy *p = arg;
	const struct evpn_rules *rules = rules_of_neighbor ? rules_of_neighbor : &p->fallback;

	if (r->family != &evpn_family || r->key_len == 0)
		return REFUSED_NOT;
	uint8_t type = r->key[0];
	if (!(rules->types[type / 8] & 1 << type % 8))
		return type && type <= EVPN_TYPES_KNOWN ? REFUSED_ROUTE_TYPE : REFUSED_UNKNOWN_TYPE;
	const struct policy_seen *s = look_at(p, rules, r);
	if (s->by_next_hop)
		return s->by_next_hop;
	if (s->by_target && !goes_by_segment(type))
		return s->by_target;
	switch (type) {
	case EVPN_MACIP:
		return policy_judge_macip(p, rules, r);
	case EVPN_IMET:
	case EVPN_ES:
		return judge_originator(rules, r);
	case EVPN_AD:
		return rules->sanity && r->key_len >= EVPN_AD_ESI + 10 &&
				       policy_is_max_esi(r->key + EVPN_AD_ESI)
			       ? REFUSED_MAX_ESI
			       : REFUSED_NOT;
	case EVPN_PREFIX:
		return rules->sanity && r->payload_len >= 10 && policy_is_max_esi(r->payload)
			       ? REFUSED_MAX_ESI
			       : REFUSED_NOT;
	default:
		return REFUSED_NOT;
	}
}

uint8_t evpn_policy_flagged(const struct evpn_policy *p, const struct policy_route *r)
{
	uint64_t lans = 0;
	uint8_t reason = REFUSED_NOT;
	bool any = false;

	for (size_t i = 0; i < p->lan_count; i++)
		any |= p->lan[i].registered != NULL;
	if (!any || r->family != &evpn_family || r->key_len < EVPN_MACIP_IP || r->key[0] != EVPN_MACIP)
		return REFUSED_NOT;
	lans = importing_lans(p, r->attrs->ext_communities);
	if (evpn_ecom_vxlan_ok(r->attrs->ext_communities))
		lans |= policy_lans_of_label(p, r);
	for (; lans && !reason; lans &= lans - 1)
		reason = policy_flags_macip(&p->lan[__builtin_ctzll(lans)], r);
	return reason;
}

const char *evpn_policy_reason(uint8_t reason)
{
	return reason >= REFUSED_BY_POLICY && reason < REFUSED_END
		       ? words[reason - REFUSED_BY_POLICY]
		       : "unknown";
}
