/* What the import policy keeps, for evpn/policy*.c alone.
 *
 *   policy.c         the words, the rules' making, what attributes say, which judge for which type
 *   policy_macip.c   type 2, which nearly all routes are
 */
#pragma once
#include "evpn/lan.h"
#include "evpn/policy.h"

/* A prefix that is compared a word at a time. */
struct policy_net {
	uint8_t family;
	bool has_broadcast; /* IPv4, with a host part of two bits or more */
	uint64_t bits[2], mask[2];
};

struct policy_lan {
	uint32_t vni;
	struct rt_pattern *import;
	uint32_t import_count;
	struct policy_net *nets;
	uint32_t net_count;
	struct lan *lan;
	const struct registered *registered;
	bool refuse_unregistered;
};

/* What the attributes of the last route came to. They are known again by the engine's number for them; and, since one
 * UPDATE is often like the one before, by their values. */
struct policy_seen {
	const struct evpn_rules *rules; /* NULL: nothing yet */
	uint64_t serial;
	struct ip next_hop;
	uint8_t ecoms[UINT16_MAX];
	uint16_t ecoms_len;
	uint8_t by_next_hop, by_target; /* reasons */
	uint64_t lans;                  /* a bit each that imports it */
	bool default_gateway, sticky, vxlan;
};

struct evpn_policy {
	struct policy_lan lan[EVPN_LANS_MAX];
	size_t lan_count;
	struct evpn_rules fallback;
	uint32_t last_label; /* and whose VNI it is */
	uint64_t last_label_lans;
	struct policy_seen seen; /* of the last route; of this one for who judges it */
};

static inline bool policy_is_max_esi(const uint8_t *esi)
{
	for (int i = 0; i < 10; i++)
		if (esi[i] != 0xff)
			return false;
	return true;
}

/* --- policy_macip.c --- */

/* A bit each that has the route's label as its VNI, where a label is one. */
uint64_t policy_lans_of_label(const struct evpn_policy *p, const struct policy_route *r);
/* What the registry of a LAN has against it. */
uint8_t policy_flags_macip(const struct policy_lan *l, const struct policy_route *r);
uint8_t policy_judge_macip(
	struct evpn_policy *p, const struct evpn_rules *rules, const struct policy_route *r);
