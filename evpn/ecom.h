/* The extended communities of EVPN as values: one row each of decode, encode and text. RFC 7432
 * section 7.5 - 7.8, RFC 7432 section 7.10 (route targets), RFC 8365 section 5.1.3 with RFC 9012
 * section 4.1 (encapsulation), RFC 9047 (ARP/ND), RFC 9135 section 8.1 (router's MAC). Others are
 * data that passes through; text shows them in hex. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/ecom.h"
#include "lib/mac.h"
#include "lib/rd.h"
#include "lib/writer.h"

enum evpn_ecom_kind {
	ECOM_OTHER, /* raw */
	ECOM_RT,
	ECOM_ENCAP,
	ECOM_DEFAULT_GATEWAY,
	ECOM_MOBILITY,
	ECOM_ESI_LABEL,
	ECOM_ES_IMPORT,
	ECOM_ROUTER_MAC,
	ECOM_ARP_ND,
};

#define ENCAP_VXLAN 8

/* RFC 9047 section 2. 0x04 is unassigned (FRR reads and sends it as "proxy") and never set by us.
 */
#define ARP_ND_ROUTER 0x01
#define ARP_ND_OVERRIDE 0x02
#define ARP_ND_IMMUTABLE 0x08

struct evpn_mobility {
	bool sticky;
	uint32_t seq;
};

struct evpn_ecom {
	enum evpn_ecom_kind kind;
	union {
		uint8_t raw[8];
		struct rt rt;
		uint16_t encap; /* tunnel type of RFC 9012 */
		struct evpn_mobility mobility;
		struct {
			bool single_active;
			uint32_t label; /* 24 bits */
		} esi_label;
		struct mac mac; /* ES-import, router's MAC */
		uint8_t arp_nd; /* ARP_ND_* as they stand on the wire */
	};
};

#define ECOM_TEXT 48

void evpn_ecom_decode(const uint8_t ec[8], struct evpn_ecom *ret);
void evpn_ecom_encode(struct writer *w, const struct evpn_ecom *ec);
/* "RT:65000:100", "ET:8", "MM:1,sticky", "ND:ROI"; others "0x0123456789abcdef". Returns buf. */
char *evpn_ecom_format(const struct evpn_ecom *ec, char buf[ECOM_TEXT]);
/* All of an attribute, with blanks between; what does not fit ends in "...". cap >= 4. Returns buf.
 */
char *evpn_ecoms_format(struct span ecs, char *buf, size_t cap);

bool evpn_ecom_is_arp_nd(const uint8_t ec[8]);
/* The first of its kind; *ret is untouched without. */
bool evpn_ecom_find(struct span ecs, enum evpn_ecom_kind kind, struct evpn_ecom *ret);
/* What a route without the community means: not sticky, sequence 0 (RFC 7432 section 15). */
struct evpn_mobility evpn_ecom_mobility(struct span ecs);
/* With VXLAN among its encapsulations, or none named: what a VXLAN PE may use. */
bool evpn_ecom_vxlan_ok(struct span ecs);
