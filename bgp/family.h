/* An address family as the engine sees it: a row of hooks. bgp/ carries NLRIs as opaque packed keys; what is in
 * them only the family knows. evpn/family.c holds the row for L2VPN EVPN (AFI 25, SAFI 70).
 *
 * A decoded NLRI is split in two: the key, which says which route it is (for EVPN N7 of the wire rules: route type,
 * RD, and what RFC 7432 calls the key), and the payload, which travels with the path (ESI, labels). The same key
 * with another payload is an implicit replace and is advertised again.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/reader.h"
#include "lib/writer.h"

#define BGP_KEY_MAX 257 /* EVPN: type octet + at most 255; an unknown type is its own key, whole */
#define BGP_PAYLOAD_MAX 32
#define BGP_NLRI_TEXT 600
#define BGP_CLASSES 16 /* kinds of routes of a family that are counted apart */

#define AFI_IPV4 1
#define AFI_L2VPN 25
#define SAFI_UNICAST 1
#define SAFI_EVPN 70
#define SAFI_RT_MEMBERSHIP 132

struct nlri {
	uint32_t path_id; /* ADD-PATH; 0 without */
	uint16_t key_len;
	uint8_t payload_len;
	uint8_t key[BGP_KEY_MAX];
	uint8_t payload[BGP_PAYLOAD_MAX];
};

enum nlri_verdict {
	NLRI_OK = 0,
	/* Positive: delimited, so the next NLRI can be read, and *ret_why says what is wrong. */
	NLRI_WITHDRAW = 1, /* malformed, but the key could be read: treat as withdraw of that key */
	NLRI_DISCARD = 2,  /* malformed or unwanted, no key */
	/* Where this NLRI ends is not known: UPDATE error 3/9 (RFC 7606 section 5.3). */
	NLRI_BROKEN = 3,
};

struct attrs;
struct bgp_path_view; /* bgp/decide.h */
struct attrs;	      /* bgp/attr.h */

struct bgp_family {
	uint16_t afi;
	uint8_t safi;
	const char *name; /* "l2vpn evpn" */

	/* Reads the NLRI that begins at r->p (without the ADD-PATH identifier, which bgp/ reads) and moves r past
	 * it, unless NLRI_BROKEN. In a withdrawal the payload is ignored and ret->payload_len is 0. */
	enum nlri_verdict (*decode)(struct reader *r, bool withdraw, struct nlri *ret, const char **ret_why);
	/* Writes one NLRI as decode() reads it. Withdrawals (payload NULL) carry zero payload fields. */
	void (*encode)(struct writer *w, const uint8_t *key, size_t key_len, const uint8_t *payload,
		size_t payload_len);
	/* Text form, as an operator knows it; returns buf. payload may be NULL. */
	char *(*format)(char *buf, size_t cap, const uint8_t *key, size_t key_len,
		const uint8_t *payload, size_t payload_len);
	/* Which kind of route a key is, below BGP_CLASSES (EVPN: the route type). NULL: all are 0. */
	unsigned (*class_of)(const uint8_t *key, size_t key_len);
	/* Whether a neighbour of the conservative profile is told this route; without attributes: whether it may see this
	 * key at all, be it in a withdrawal. NULL: all. */
	bool (*conservative_ok)(const uint8_t *key, size_t key_len, const struct attrs *a);
	/* Takes out of the attributes of an UPDATE what must not be passed on; `room` has UINT16_MAX octets, to which they
	 * may refer then. May be NULL. */
	void (*tidy)(struct attrs *a, uint8_t *room);
	/* Next-hop field lengths allowed in MP_REACH_NLRI. */
	bool (*nexthop_len_ok)(uint8_t len);
	/* The family's own steps of best path, before those of RFC 4271 (EVPN: sticky, mobility sequence of the same
	 * key). < 0: a is better, > 0: b is better, 0: go on. May be NULL. */
	int (*compare)(const struct bgp_path_view *a, const struct bgp_path_view *b);
};
