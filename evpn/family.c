/* EVPN as the BGP engine sees it: the hooks of one family, and the family's own steps of best path.
 *
 * Two paths of one type-2 key are one MAC (and IP) of one RD. Which stands is RFC 7432 section 15:
 * a sticky MAC (15.2) before the mobility sequence, then for different segments the lower VTEP;
 * equal segments are multihoming and go on to RFC 4271's steps. Across RDs the same choice is made
 * in lan_choose.c. The comparison is plain: after a withdrawal a lower sequence is legal, and
 * nothing is remembered here.
 */
#include "evpn/family.h"

#include "bgp/attr.h"
#include "bgp/decide.h"
#include "evpn/ecom.h"
#include "evpn/nlri.h"
#include "evpn/text.h"

/* RFC 4760: IPv4, IPv6, and IPv6 with a link-local (RFC 2545), as for any family without an RD in
 * its next hop. */
static bool nexthop_len_ok(uint8_t len)
{
	return len == 4 || len == 16 || len == 32;
}

/* Only type 2's payload has these lengths. */
static bool is_macip(const struct bgp_path_view *p)
{
	return p->payload_len == EVPN_MACIP_PAYLOAD || p->payload_len == EVPN_MACIP_PAYLOAD_LABEL2;
}

static int compare(const struct bgp_path_view *a, const struct bgp_path_view *b)
{
	if (!is_macip(a) || !is_macip(b))
		return 0;
	struct evpn_mobility ma = evpn_ecom_mobility(a->attrs->ext_communities),
			     mb = evpn_ecom_mobility(b->attrs->ext_communities);
	if (ma.sticky != mb.sticky)
		return ma.sticky ? -1 : 1;
	if (ma.seq != mb.seq)
		return ma.seq > mb.seq ? -1 : 1;
	if (memcmp(a->payload, b->payload, sizeof(struct esi)) == 0 &&
		memcmp(a->payload, (struct esi){{0}}.b, sizeof(struct esi)) != 0)
		return 0;
	return ip_cmp(a->attrs->next_hop, b->attrs->next_hop);
}

/* FRR 8.4 ends the session on a type 3 or 4 whose originator has an IPv6 address, and where its PE
 * cannot be told where to send what floods (see attr_pmsi_conservative()), an IMET is of no use.
 * GoBGP 3.10 takes no EVPN route at all any more once it has seen one of a type above 5, which FRR
 * passes over. */
static bool conservative_ok(const uint8_t *key, size_t key_len, const struct attrs *a)
{
	struct evpn_route r;

	if (evpn_nlri_unpack(key, key_len, NULL, 0, &r) != 0)
		return false;
	if (r.type != EVPN_IMET && r.type != EVPN_ES)
		return true;
	return r.ip.family == 4 &&
	       (r.type != EVPN_IMET || !a || !attrs_has(a, ATTR_PMSI_TUNNEL) ||
		       attr_pmsi_conservative(a->pmsi));
}

/* By route type; those without a number of their own share the last class. */
static unsigned class_of(const uint8_t *key, size_t key_len)
{
	return key_len && key[0] < BGP_CLASSES ? key[0] : BGP_CLASSES - 1;
}

/* RFC 9047 section 3.2: of several ARP/ND communities the first counts, and the others must not be propagated. */
static void tidy(struct attrs *a, uint8_t *room)
{
	struct span ecs = a->ext_communities;
	struct writer w = writer_of(room, UINT16_MAX);
	unsigned seen = 0;

	for (size_t i = 0; i < ecom_count(ecs); i++)
		seen += evpn_ecom_is_arp_nd(ecom_at(ecs, i));
	if (seen < 2)
		return;
	seen = 0;
	for (size_t i = 0; i < ecom_count(ecs); i++)
		if (!evpn_ecom_is_arp_nd(ecom_at(ecs, i)) || seen++ == 0)
			writer_bytes(&w, ecom_at(ecs, i), 8);
	a->ext_communities = (struct span){.p = room, .len = (uint16_t)writer_len(&w)};
}

const struct bgp_family evpn_family = {
	.afi = AFI_L2VPN,
	.safi = SAFI_EVPN,
	.name = "l2vpn evpn",
	.decode = evpn_nlri_decode,
	.encode = evpn_nlri_encode,
	.format = evpn_text_route,
	.class_of = class_of,
	.tidy = tidy,
	.conservative_ok = conservative_ok,
	.nexthop_len_ok = nexthop_len_ok,
	.compare = compare,
};
