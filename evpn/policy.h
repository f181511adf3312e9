/* The import policy of an exchange: which routes of a PE may come in, one rule after the other. What the engine asks
 * for every route (bgp/policy.h) is answered here; a route that is refused is kept with the reason and told to nobody.
 *
 * The rules are of two kinds. What a neighbour may send is said in its `import`: route types, route targets, VTEPs.
 * What no PE of a peering LAN should send is sanity, on unless it is switched off: addresses that no host can have
 * (RFC 9161 section 3.2, 6), MAX-ESI (RFC 7432 section 5), next hops that are no VTEP, and for routes of one of our LANs,
 * by route target or VNI, an IP that is not of the LAN's prefixes, or a default gateway (section 10.1), which a LAN of
 * peers has not.
 *
 * The third kind is what the LAN has seen: a MAC that is frozen or sticky elsewhere may not be claimed (section 15.1, 15.2).
 * The fourth is the registry of the exchange: who may have which address, and behind which PE. What it does not have is
 * refused, or let in with an alarm.
 *
 * What depends on the attributes alone is worked out once for as long as they stay the same, so that the next route
 * of an UPDATE costs some comparisons.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/policy.h"
#include "evpn/registered.h"
#include "lib/ip.h"
#include "lib/rd.h"

enum evpn_refused {
	REFUSED_ROUTE_TYPE = REFUSED_BY_POLICY, /* not among the neighbour's types */
	REFUSED_UNKNOWN_TYPE, /* a type that is not known here */
	REFUSED_ROUTE_TARGET, /* one that the neighbour may not use, or none */
	REFUSED_VTEP,	      /* next hop, originator or tunnel's end is not one of the neighbour's */
	REFUSED_NEXT_HOP,     /* zero, multicast, loopback */
	REFUSED_ORIGINATOR,   /* the same of types 3 and 4, in the key or the tunnel */
	REFUSED_MAC_ZERO,
	REFUSED_MAC_MULTICAST,
	REFUSED_MAC_BROADCAST,
	REFUSED_IP_UNSPECIFIED,
	REFUSED_IP_MULTICAST,
	REFUSED_IP_LOOPBACK,
	REFUSED_IP_BROADCAST, /* of the LAN, too */
	REFUSED_IP_OUTSIDE,   /* of the LAN's prefixes */
	REFUSED_DEFAULT_GATEWAY,
	REFUSED_MAX_ESI,
	REFUSED_STICKY,	       /* the neighbour may not announce sticky MACs */
	REFUSED_DUPLICATE_MAC, /* frozen behind another PE, see evpn/lan_moves.c */
	REFUSED_STICKY_MOVE,   /* sticky behind another PE */
	/* What the registry does not have, see evpn/registered.h. */
	REFUSED_UNREGISTERED_MAC,
	REFUSED_UNREGISTERED_IP,
	REFUSED_WRONG_IP,
	REFUSED_WRONG_PE,
	REFUSED_END,
};

#define EVPN_TYPES_KNOWN 8
#define EVPN_LANS_MAX 64

/* Of one neighbour, or of many. The lists are borrowed. */
struct evpn_rules {
	uint8_t types[32]; /* a bit each: 1 << type % 8 in types[type / 8] */
	bool sanity;
	bool refuse_sticky;
	const struct rt_pattern *rts; /* none: any */
	uint32_t rt_count;
	const struct prefix *vteps; /* none: any */
	uint32_t vtep_count;
};

struct lan;

/* What the policy has to know of a LAN; the lists are copied. */
struct evpn_policy_lan {
	uint32_t vni;
	const struct rt_pattern *import;
	uint32_t import_count;
	const struct prefix *prefixes; /* none: any address */
	uint32_t prefix_count;
	struct lan *lan; /* to be asked about MACs; NULL: none is */
	const struct registered *registered; /* borrowed; NULL: everybody is */
	bool refuse_unregistered;	     /* else they come in, with an alarm, and are counted (lan_stats.flagged) */
};

struct evpn_policy;

struct evpn_policy *evpn_policy_new(void);
void evpn_policy_free(struct evpn_policy *p);
/* Takes the place of those before; at most EVPN_LANS_MAX. Also to be called when any rules have been changed in place.
 * 0, or -ENOMEM with everything as it was. */
int evpn_policy_set_lans(struct evpn_policy *p, const struct evpn_policy_lan *lans, size_t count);

/* Rules that refuse nothing but what sanity does. */
struct evpn_rules evpn_rules_default(void);
void evpn_rules_allow(struct evpn_rules *r, unsigned type, bool allowed);

/* The hooks of struct speaker_policy; `arg` is a struct evpn_policy, `rules` a struct evpn_rules or NULL: the default. */
uint8_t evpn_policy_import(void *arg, const void *rules, const struct policy_route *r);
const char *evpn_policy_reason(uint8_t reason);
/* The word for what the registry has against a route. */
const char *evpn_policy_flag_word(enum registered_verdict v);
/* Of a route that has come in: what the registry has against it all the same; REFUSED_NOT: nothing. For what is shown. */
uint8_t evpn_policy_flagged(const struct evpn_policy *p, const struct policy_route *r);
