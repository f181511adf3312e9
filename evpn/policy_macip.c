/* Type 2 before the import policy: the MAC and the IP themselves, then what the LANs think of them that would take
 * the route. All of it is read where it stands in the key: this is asked a million times in a row. */
#include <string.h>

#include "evpn/nlri.h"
#include "evpn/policy_inside.h"
#include "evpn/registered.h"
#include "lib/mac.h"

/* What a type-2 route is about, read where it stands. */
struct host {
	const uint8_t *mac, *ip;
	uint8_t family;   /* 0: MAC only */
	uint64_t bits[2]; /* of the IP, as in struct policy_net */
};

static struct host host_of(const struct policy_route *r)
{
	struct host h = {.mac = r->key + EVPN_MACIP_MAC, .ip = r->key + EVPN_MACIP_IP};

	if (r->key[EVPN_MACIP_IPLEN] == 32 && r->key_len >= EVPN_MACIP_IP + 4) {
		h.family = 4;
		memcpy(h.bits, h.ip, 4);
	} else if (r->key[EVPN_MACIP_IPLEN] == 128 && r->key_len >= EVPN_MACIP_IP + 16) {
		h.family = 6;
		memcpy(h.bits, h.ip, 16);
	}
	return h;
}

static struct ip ip_of(const struct host *h)
{
	return h->family == 4 ? ip_v4(h->ip) : h->family == 6 ? ip_v6(h->ip) : (struct ip){0};
}

static struct mac mac_of(const struct host *h)
{
	struct mac mac;

	memcpy(mac.b, h->mac, 6);
	return mac;
}

static uint8_t judge_mac(struct mac mac)
{
	if (mac_is_group(mac))
		return mac_is_broadcast(mac) ? REFUSED_MAC_BROADCAST : REFUSED_MAC_MULTICAST;
	return mac_is_zero(mac) ? REFUSED_MAC_ZERO : REFUSED_NOT;
}

static uint8_t judge_ip(struct ip ip)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	if (ip_is_unspecified(ip))
		return REFUSED_IP_UNSPECIFIED;
	if (ip_is_multicast(ip))
		return REFUSED_IP_MULTICAST;
	if (ip_is_loopback(ip))
		return REFUSED_IP_LOOPBACK;
	return ip.family == 4 && memcmp(ip.b, broadcast, 4) == 0 ? REFUSED_IP_BROADCAST
								 : REFUSED_NOT;
}

/* By its first octet nearly every address is seen to be a host's; the others are looked at closely. */
static bool is_plainly_unicast(const struct host *h)
{
	if (h->family == 4)
		return h->ip[0] > 0 && h->ip[0] < 224 && h->ip[0] != 127;
	return h->family == 0 || (h->ip[0] > 0 && h->ip[0] < 0xff);
}

static uint8_t judge_sanity(const struct policy_route *r, const struct host *h)
{
	uint8_t reason = judge_mac(mac_of(h));

	if (!reason && !is_plainly_unicast(h))
		reason = judge_ip(ip_of(h));
	if (!reason && r->payload_len >= EVPN_MACIP_PAYLOAD && policy_is_max_esi(r->payload))
		reason = REFUSED_MAX_ESI;
	return reason;
}

/* The network's own address counts as a broadcast, as it once was (RFC 1812 section 5.3.5). */
static bool is_broadcast_in(const struct policy_net *n, const struct host *h)
{
	uint64_t ones = 0;

	memset(&ones, 0xff, 4);
	return h->bits[0] == n->bits[0] || (h->bits[0] | n->mask[0]) == ones;
}

static uint8_t judge_ip_in_lan(const struct policy_lan *lan, const struct host *h)
{
	for (uint32_t i = 0; i < lan->net_count; i++) {
		const struct policy_net *n = &lan->nets[i];
		if (h->family == n->family && (h->bits[0] & n->mask[0]) == n->bits[0] &&
			(h->bits[1] & n->mask[1]) == n->bits[1])
			return n->has_broadcast && is_broadcast_in(n, h) ? REFUSED_IP_BROADCAST
									 : REFUSED_NOT;
	}
	if (lan->net_count == 0 || (h->family == 6 && ip_is_link_local(ip_of(h))))
		return REFUSED_NOT;
	return REFUSED_IP_OUTSIDE;
}

static uint32_t label_of(const struct policy_route *r)
{
	const uint8_t *l = r->payload + EVPN_MACIP_LABEL;

	return (uint32_t)l[0] << 16 | (uint32_t)l[1] << 8 | l[2];
}

uint64_t policy_lans_of_label(const struct evpn_policy *p, const struct policy_route *r)
{
	uint64_t lans = 0;

	if (r->payload_len >= EVPN_MACIP_PAYLOAD)
		for (size_t i = 0; i < p->lan_count; i++)
			if (p->lan[i].vni == label_of(r))
				lans |= 1ULL << i;
	return lans;
}

static uint64_t lans_of_label(struct evpn_policy *p, const struct policy_route *r)
{
	if (!p->lan_count || r->payload_len < EVPN_MACIP_PAYLOAD)
		return 0;
	uint32_t label = label_of(r);
	if (label == p->last_label)
		return p->last_label_lans;
	p->last_label = label;
	p->last_label_lans = policy_lans_of_label(p, r);
	return p->last_label_lans;
}

/* --- the registry --- */

static const struct {
	uint8_t reason;
	const char *alarm;
} registry_words[REGISTERED_VERDICTS] = {
	[REGISTERED_NOT_MAC] = {REFUSED_UNREGISTERED_MAC, "a route for a MAC that the registry does not have"},
	[REGISTERED_NOT_IP] = {REFUSED_UNREGISTERED_IP, "a route for an address that the registry does not have"},
	[REGISTERED_WRONG_IP] = {REFUSED_WRONG_IP, "a route for an address that the registry gives to another MAC"},
	[REGISTERED_WRONG_PE] = {REFUSED_WRONG_PE, "a route for a member from a PE that is not the member's"},
};

static enum registered_verdict ask_registry(
	const struct policy_lan *l, const struct host *h, struct ip next_hop)
{
	return registered_judge(l->registered, mac_of(h), ip_of(h), next_hop);
}

const char *evpn_policy_flag_word(enum registered_verdict v)
{
	return evpn_policy_reason(registry_words[v].reason);
}

uint8_t policy_flags_macip(const struct policy_lan *l, const struct policy_route *r)
{
	struct host h = host_of(r);

	return l->registered ? registry_words[ask_registry(l, &h, r->attrs->next_hop)].reason : REFUSED_NOT;
}

static uint8_t judge_by_registry(
	const struct policy_lan *l, const struct policy_seen *s, const struct host *h)
{
	enum registered_verdict v = ask_registry(l, h, s->next_hop);

	if (__builtin_expect(v == REGISTERED_FINE, 1))
		return REFUSED_NOT;
	if (l->lan)
		lan_unregistered(l->lan, v, !l->refuse_unregistered, registry_words[v].alarm, mac_of(h), ip_of(h),
			s->next_hop);
	return l->refuse_unregistered ? registry_words[v].reason : REFUSED_NOT;
}

static uint8_t ask_lan(struct lan *lan, const struct policy_seen *s, const struct policy_route *r,
	const struct host *h)
{
	struct esi esi = {{0}};

	if (r->payload_len >= EVPN_MACIP_PAYLOAD)
		memcpy(esi.b, r->payload, sizeof(esi.b));
	switch (lan_judge(lan, mac_of(h), &esi, s->next_hop, s->sticky)) {
	case LAN_DUPLICATE_MAC:
		return REFUSED_DUPLICATE_MAC;
	case LAN_STICKY_MOVE:
		return REFUSED_STICKY_MOVE;
	default:
		return REFUSED_NOT;
	}
}

static uint8_t judge_in_lan(const struct policy_lan *l, const struct evpn_rules *rules,
	const struct policy_seen *s, const struct policy_route *r, const struct host *h)
{
	uint8_t reason = REFUSED_NOT;

	if (rules->sanity && s->default_gateway) {
		if (l->lan)
			lan_alarm(l->lan, "a default gateway in a LAN that has none", mac_of(h),
				ip_of(h), s->next_hop);
		return REFUSED_DEFAULT_GATEWAY;
	}
	if (rules->sanity && h->family)
		reason = judge_ip_in_lan(l, h);
	if (!reason && l->registered)
		reason = judge_by_registry(l, s, h);
	return reason || !l->lan || !lan_has_guards(l->lan) ? reason : ask_lan(l->lan, s, r, h);
}

uint8_t policy_judge_macip(
	struct evpn_policy *p, const struct evpn_rules *rules, const struct policy_route *r)
{
	const struct policy_seen *s = &p->seen;
	uint8_t reason = REFUSED_NOT;

	if (rules->refuse_sticky && s->sticky)
		return REFUSED_STICKY;
	if (r->key_len < EVPN_MACIP_IP)
		return REFUSED_NOT;
	struct host h = host_of(r);
	if (rules->sanity)
		reason = judge_sanity(r, &h);
	/* Each LAN that would take it. */
	uint64_t lans = s->lans | (s->vxlan ? lans_of_label(p, r) : 0);
	for (; lans && !reason; lans &= lans - 1)
		reason = judge_in_lan(&p->lan[__builtin_ctzll(lans)], rules, s, r, &h);
	return reason;
}
