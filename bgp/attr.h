/* Path attributes: the parsed form, and the table of codecs (bgp/attr.c), one row an attribute.
 *
 * RFC 4271 section 4.3 and 5; 1997, 4360, 4456, 4760, 6514 (PMSI), 6793, 8092, 9234 (OTC). What is wrong with
 * an attribute is handled as RFC 7606 says, on iBGP as on eBGP: see update.h.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "bgp/error.h"
#include "lib/ip.h"
#include "lib/reader.h"
#include "lib/writer.h"

enum bgp_attr_type {
	ATTR_ORIGIN = 1,
	ATTR_AS_PATH = 2,
	ATTR_NEXT_HOP = 3,
	ATTR_MED = 4,
	ATTR_LOCAL_PREF = 5,
	ATTR_ATOMIC_AGGREGATE = 6,
	ATTR_AGGREGATOR = 7,
	ATTR_COMMUNITIES = 8,
	ATTR_ORIGINATOR_ID = 9,
	ATTR_CLUSTER_LIST = 10,
	ATTR_MP_REACH = 14,
	ATTR_MP_UNREACH = 15,
	ATTR_EXT_COMMUNITIES = 16,
	ATTR_AS4_PATH = 17,
	ATTR_AS4_AGGREGATOR = 18,
	ATTR_PMSI_TUNNEL = 22,
	ATTR_TUNNEL_ENCAP = 23,
	ATTR_IPV6_EXT_COMMUNITIES = 25,
	ATTR_LARGE_COMMUNITIES = 32,
	ATTR_OTC = 35,
	ATTR_PREFIX_SID = 40,
};

#define ATTR_FLAG_OPTIONAL 0x80
#define ATTR_FLAG_TRANSITIVE 0x40
#define ATTR_FLAG_PARTIAL 0x20
#define ATTR_FLAG_EXTENDED 0x10

/* Which fields of struct attrs are there: a bit an attribute type below 64. */
#define ATTR_BIT(type) (1ULL << (type))

/* All attributes of one route but the NLRIs. The spans are borrowed (from the message, or from the interned set
 * that owns them) and hold the value octets as they stand on the wire, in canonical form:
 *   as_path       segments with 4-octet AS numbers, always (RFC 6793 merged)
 *   communities, ext_communities, large_communities   as received (duplicates are kept, order is kept)
 *   cluster_list  4 octets each
 *   unknown       optional transitive attributes that we only carry: [flags u8][type u8][len u16][value]...,
 *                 ordered by type, flags with Partial set and Extended clear (it is chosen when encoding)
 *
 * A decoder sets the bit NEXT_HOP when next_hop is there; whoever makes a set of his own needs not, for the
 * encoder writes ORIGIN, AS_PATH and the next hop in any case.
 */
struct attrs {
	uint64_t present;
	uint64_t partial; /* those present that came with Partial set, which stays (RFC 4271 section 5) */
	uint8_t origin;
	struct ip next_hop;	    /* of MP_REACH: a VTEP for EVPN */
	struct ip next_hop_ll;	    /* the link-local of a 32-octet next hop; family 0 without */
	uint32_t med, local_pref;
	uint32_t originator_id;	    /* host order */
	uint32_t aggregator_as;
	uint8_t aggregator_ip[4];
	uint32_t otc;
	struct span as_path, communities, ext_communities, large_communities, cluster_list, pmsi,
		unknown;
};

static inline bool attrs_has(const struct attrs *a, enum bgp_attr_type type)
{
	return a->present & ATTR_BIT(type);
}

/* How the AS path is measured (RFC 4271 section 9.1.2.2 a: a set counts 1) and searched. */
unsigned attr_as_path_length(const struct attrs *a);
bool attr_as_path_has(const struct attrs *a, uint32_t as);
/* The neighbouring AS (first of the first sequence), 0 if none. */
uint32_t attr_as_path_first(const struct attrs *a);

/* A PMSI_TUNNEL that FRR 8.4 reads: it ends the session on the tunnel types that came after RFC 6514
 * and on an ingress replication endpoint that is not IPv4. */
static inline bool attr_pmsi_conservative(struct span pmsi)
{
	return pmsi.len >= 5 && pmsi.p[1] <= 7 && (pmsi.p[1] != 6 || pmsi.len == 9);
}

/* "AS_PATH"; "attribute" for a type that has no row in the table. */
const char *attr_name(uint8_t type);
