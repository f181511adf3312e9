/* EVPN NLRIs (AFI 25, SAFI 70): one row a route type, wire form <-> key and payload, and the
 * unpacked form for those who look inside. RFC 7432 section 7 (types 1 - 4), RFC 9136 section 3.1
 * (type 5), RFC 8365 section 5.1.3 (the label field is a 24-bit VNI, so it is carried as it
 * stands).
 *
 * The key is the route type and, in the order of the wire, the fields that tell one route from
 * another; the payload is what travels with the path. A MAC length is always 48, so it is not
 * stored.
 *
 *   type                        key after the type octet          payload
 *   1 Ethernet auto-discovery   RD ESI tag                        label
 *   2 MAC/IP                    RD tag MAC IPLEN IP               ESI label [label2]
 *   3 inclusive multicast       RD tag IPLEN originator           -
 *   4 Ethernet segment          RD ESI IPLEN originator           -
 *   5 IP prefix                 RD tag PLEN prefix                ESI gateway label
 *   6, 7, 8 (RFC 9251)          the value without its tail        flags; type 8: reserved, response
 * time, flags others                      the value, whole                  -
 */
#pragma once
#include <stdint.h>

#include "bgp/family.h"
#include "lib/ip.h"
#include "lib/mac.h"
#include "lib/rd.h"

enum evpn_type {
	EVPN_AD = 1,     /* Ethernet auto-discovery, per segment or per EVI */
	EVPN_MACIP = 2,  /* MAC/IP advertisement */
	EVPN_IMET = 3,   /* inclusive multicast Ethernet tag */
	EVPN_ES = 4,     /* Ethernet segment */
	EVPN_PREFIX = 5, /* IP prefix */
	EVPN_SMET = 6,   /* RFC 9251; 7 and 8 too */
	EVPN_JOIN_SYNC = 7,
	EVPN_LEAVE_SYNC = 8,
};

#define EVPN_MACIP_PAYLOAD 13        /* ESI and one label */
#define EVPN_MACIP_PAYLOAD_LABEL2 16 /* and the second */

/* Where things stand in keys of type 1 and 2, and in the payload of types 2 and 5, for the one who looks at every
 * route (evpn/policy.c) and cannot have it unpacked. */
#define EVPN_AD_ESI 9   /* of type 4, too */
#define EVPN_MACIP_MAC 13
#define EVPN_MACIP_IPLEN 19
#define EVPN_MACIP_IP 20
#define EVPN_MACIP_LABEL 10 /* of the payload; the ESI is before it */

/* A route of types 1 - 5, unpacked. Fields that its type has not are zero. */
struct evpn_route {
	uint8_t type;
	struct rd rd;
	struct esi esi; /* types 2 and 5: from the payload */
	uint32_t tag;
	struct mac mac;
	struct ip ip;       /* type 2: the host's, family 0 without; 3 and 4: the originator; 5: the
			       prefix */
	uint8_t prefix_len; /* type 5 */
	struct ip gateway;  /* type 5 */
	uint8_t label_count;
	uint32_t label[2]; /* 24 bits as on the wire: a VNI with VXLAN, label and bottom bits with
			      MPLS */
};

/* The hooks of struct bgp_family; see there. */
enum nlri_verdict evpn_nlri_decode(
	struct reader *r, bool withdraw, struct nlri *ret, const char **ret_why);
void evpn_nlri_encode(struct writer *w, const uint8_t *key, size_t key_len, const uint8_t *payload,
	size_t payload_len);

/* A key of evpn_nlri_decode()'s making, and its payload (NULL: those fields stay zero), as fields.
 * 0; 1: the type is carried opaquely, only ret->type is set; -EINVAL: not such a key. */
int evpn_nlri_unpack(const uint8_t *key, size_t key_len, const uint8_t *payload, size_t payload_len,
	struct evpn_route *ret);
/* The other way, for what we originate. 0, or -EINVAL: not of types 1 - 5, or its addresses do not
 * fit its type. */
int evpn_nlri_pack(const struct evpn_route *route, struct nlri *ret);
