/* What a frame is, by its octets alone: section "Class" of docs/verdict.md, in its order.
 *
 * ARP is RFC 826 with the words of RFC 5227 (probe, announcement); ND is RFC 4861 with the validity
 * rules of sections 6.1, 7.1 and 8.1. A neighbour message that breaks one of them is `nd-bad` and
 * nothing else: receivers must ignore it, so answering or learning from it would be a way in.
 * Trailers behind ARP or behind the IPv6 payload are padding (a short frame is padded to 60 octets)
 * and are not looked at. IPv6 extension headers are followed for two things alone: MLD behind its
 * hop-by-hop header, and ND that hides there (RFC 6980, 7113).
 */
#include "proxyarp/frame.h"

#include "lib/reader.h"
#include "proxyarp/verdict.h"

#define ETH_LEN 14
#define TYPE_IPV4 0x0800
#define TYPE_ARP 0x0806
#define TYPE_IPV6 0x86dd
#define TYPE_LLDP 0x88cc

#define PROTO_HOPOPT 0
#define PROTO_ICMP 1
#define PROTO_FRAGMENT 44
#define PROTO_AH 51
#define PROTO_IGMP 2
#define PROTO_TCP 6
#define PROTO_IGRP 9
#define PROTO_UDP 17
#define PROTO_ICMP6 58
#define PROTO_EIGRP 88
#define PROTO_OSPF 89
#define PROTO_PIM 103

#define PORT_BGP 179
#define PORT_VXLAN 4789
#define VXLAN_HAS_VNI 0x08
#define TCP_SYN 0x02
#define TCP_ACK 0x10

#define ND_RS 133
#define ND_RA 134
#define ND_NS 135
#define ND_NA 136
#define ND_REDIRECT 137
#define ND_MAX 256
#define EXTENSIONS_MAX 8

#define OPTION_SOURCE_LL 1
#define OPTION_TARGET_LL 2
#define OPTION_NONCE 14 /* RFC 3971 section 5.3.2, RFC 7527 */

static uint32_t sum_octets(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	return sum;
}

uint16_t frame_icmp6_sum(
	const uint8_t src[16], const uint8_t dst[16], const uint8_t *msg, size_t len)
{
	uint32_t sum = sum_octets(0, src, 16);

	sum = sum_octets(sum, dst, 16);
	sum += (uint32_t)len + PROTO_ICMP6;
	sum = sum_octets(sum, msg, len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Protocols that say who they are by a vendor's SNAP header. */
static const struct {
	uint32_t oui;
	uint16_t pid;
	enum frame_class cls;
} snap[] = {
	{0x00000c, 0x010b, CLASS_STP},	/* PVST */
	{0x00000c, 0x2000, CLASS_CDP},	/* CDP */
	{0x00e02b, 0x00bb, CLASS_CDP},	/* EDP */
	{0x00e052, 0x2000, CLASS_CDP},	/* FDP */
	{0x00000c, 0x2003, CLASS_VTP},	/* VTP */
	{0x00000c, 0x2004, CLASS_VTP},	/* DTP */
	{0x00000c, 0x0111, CLASS_VTP},	/* UDLD */
	{0x00000c, 0x0104, CLASS_VTP},	/* PAgP */
};

/* 802.3 with a length: spanning tree, IS-IS, vendors' protocols, or other LLC. */
static enum frame_class read_llc(struct reader *r, struct mac dst)
{
	static const uint8_t bridge_group[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};
	uint16_t saps = reader_u16(r);

	if (saps == 0x4242 && memcmp(dst.b, bridge_group, 5) == 0 && dst.b[5] < 0x10)
		return CLASS_STP;
	if (saps == 0xfefe)
		return CLASS_ISIS;
	uint8_t control = reader_u8(r);
	uint32_t oui = reader_u24(r);
	uint16_t pid = reader_u16(r);
	if (!reader_ok(r) || saps != 0xaaaa || control != 0x03)
		return CLASS_LLC;
	for (size_t i = 0; i < sizeof(snap) / sizeof(snap[0]); i++)
		if (snap[i].oui == oui && snap[i].pid == pid)
			return snap[i].cls;
	return CLASS_LLC;
}

static enum frame_class read_arp(struct reader *r, struct frame *f)
{
	uint8_t spa[4], tpa[4];
	struct mac sha;
	uint16_t hardware = reader_u16(r), protocol = reader_u16(r);
	uint8_t hardware_len = reader_u8(r), protocol_len = reader_u8(r);
	uint16_t opcode = reader_u16(r);

	reader_copy(r, sha.b, 6);
	reader_copy(r, spa, 4);
	reader_skip(r, 6);
	reader_copy(r, tpa, 4);
	if (!reader_ok(r) || hardware != 1 || protocol != TYPE_IPV4 || hardware_len != 6 ||
		protocol_len != 4 || opcode < 1 || opcode > 2)
		return CLASS_ARP_BAD;
	f->sender = ip_v4(spa);
	f->target = ip_v4(tpa);
	f->mismatch = !mac_eq(sha, f->src);
	bool anonymous = ip_is_unspecified(f->sender);
	if (!anonymous && ip_eq(f->sender, f->target))
		return CLASS_ARP_GRATUITOUS;
	if (opcode == 2)
		return mac_is_group(f->dst) ? CLASS_ARP_REPLY_BCAST : CLASS_ARP_REPLY;
	if (!mac_is_group(f->dst))
		return CLASS_ARP_UNICAST;
	return anonymous ? CLASS_ARP_PROBE : CLASS_ARP_REQUEST;
}

/* Ports of group-addressed UDP; CLASS_COUNT: none of those that have a name. */
static enum frame_class read_udp(struct reader *r, bool v6)
{
	uint16_t from = reader_u16(r), to = reader_u16(r);
	uint16_t dhcp = v6 ? 546 : 67;

	reader_skip(r, 4);
	if (!reader_ok(r))
		return CLASS_COUNT;
	if (from == dhcp || from == dhcp + 1 || to == dhcp || to == dhcp + 1)
		return v6 ? CLASS_DHCP6 : CLASS_DHCP4;
	switch (to) {
	case 5353:
		return CLASS_MDNS;
	case 1900:
		return CLASS_SSDP;
	case 5678:
		return CLASS_MNDP;
	case 137:
	case 138:
		return v6 ? CLASS_COUNT : CLASS_NETBIOS;
	case 520:
		return v6 ? CLASS_COUNT : CLASS_RIP;
	case 521:
		return v6 ? CLASS_RIP : CLASS_COUNT;
	default:
		return CLASS_COUNT;
	}
}

/* What the verdict asks of the payload: who opens a BGP session (to the sponge), what is a tunnel's (RFC 7348 section 5). */
static void read_transport(struct reader r, uint8_t protocol, struct frame *f)
{
	if (protocol == PROTO_UDP) {
		reader_skip(&r, 2);
		f->vxlan = reader_u16(&r) == PORT_VXLAN;
		reader_skip(&r, 4);
		uint8_t flags = reader_u8(&r);
		reader_skip(&r, 3);
		f->vni = reader_u24(&r);
		reader_skip(&r, 1);
		f->vxlan_whole = f->vxlan && reader_ok(&r);
		f->vni_valid = f->vxlan_whole && flags & VXLAN_HAS_VNI;
	} else if (protocol == PROTO_TCP) {
		reader_skip(&r, 2);
		uint16_t to = reader_u16(&r);
		reader_skip(&r, 9);
		uint8_t flags = reader_u8(&r);
		f->bgp_syn = to == PORT_BGP && (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	}
}

static enum frame_class read_icmp4(struct reader *r)
{
	switch (reader_u8(r)) {
	case 5:
		return CLASS_ICMP_REDIRECT;
	case 9:
	case 10:
		return CLASS_IRDP;
	default:
		return CLASS_COUNT;
	}
}

static enum frame_class read_group4(struct reader *r, uint8_t protocol)
{
	switch (protocol) {
	case PROTO_IGMP:
		return CLASS_IGMP;
	case PROTO_OSPF:
		return CLASS_OSPF;
	case PROTO_EIGRP:
	case PROTO_IGRP:
		return CLASS_EIGRP;
	case PROTO_PIM:
		return CLASS_PIM;
	case PROTO_UDP:
		return read_udp(r, false);
	default:
		return CLASS_COUNT;
	}
}

static enum frame_class read_ipv4(struct reader *r, struct frame *f)
{
	bool group = mac_is_group(f->dst);
	enum frame_class c = CLASS_COUNT, other = mac_is_broadcast(f->dst) ? CLASS_IP4_BROADCAST
				 : group ? CLASS_IP4_MULTICAST
					 : CLASS_IP4_UNICAST;
	uint8_t src[4], dst[4];
	uint8_t version_ihl = reader_u8(r);

	reader_skip(r, 5);
	uint16_t fragment = reader_u16(r);
	reader_skip(r, 1);
	uint8_t protocol = reader_u8(r);
	reader_skip(r, 2);
	reader_copy(r, src, 4);
	reader_copy(r, dst, 4);
	if ((version_ihl & 0x0f) > 5)
		reader_skip(r, ((version_ihl & 0x0fu) - 5) * 4);
	if (!reader_ok(r) || version_ihl >> 4 != 4 || (version_ihl & 0x0f) < 5)
		return other;
	f->sender = ip_v4(src);
	f->target = ip_v4(dst);
	if (fragment & 0x1fff)
		return other;
	read_transport(*r, protocol, f);
	if (protocol == PROTO_ICMP)
		c = read_icmp4(r);
	else if (group)
		c = read_group4(r, protocol);
	return c == CLASS_COUNT ? other : c;
}

struct ip6_header {
	struct ip src, dst;
	uint16_t payload_len;
	uint8_t next, hop_limit;
};

struct nd_options {
	bool source_ll, source_differs, target_differs, odd;
};

/* RFC 4861 section 4.6. False: one of length zero, or one that does not end within the message. */
static bool read_options(struct reader r, struct mac src, struct nd_options *ret)
{
	while (reader_left(&r)) {
		uint8_t type = reader_u8(&r), units = reader_u8(&r);
		const uint8_t *body = units ? reader_bytes(&r, units * 8u - 2) : NULL;
		if (!body)
			return false;
		bool differs = memcmp(body, src.b, 6) != 0;
		if (type == OPTION_SOURCE_LL) {
			ret->source_ll = true;
			ret->source_differs |= differs;
		} else if (type == OPTION_TARGET_LL) {
			ret->target_differs |= differs;
		}
		if (type != OPTION_SOURCE_LL && type != OPTION_NONCE)
			ret->odd = true;
	}
	return reader_ok(&r);
}

static bool is_solicited_node(struct ip ip)
{
	static const uint8_t group[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};

	return memcmp(ip.b, group, 13) == 0;
}

/* RFC 4861 section 8.1: to a router, or to the destination itself on the link. */
static bool redirect_ok(struct ip target, struct ip destination)
{
	return !ip_is_multicast(destination) &&
	       (ip_is_link_local(target) || ip_eq(target, destination));
}

/* The rules of RFC 4861 sections 6.1.1, 6.1.2, 7.1.1, 7.1.2 and 8.1 that can be seen in the
 * message. */
static enum frame_class read_nd(struct reader m, const struct ip6_header *h, struct frame *f)
{
	const uint8_t *octets = m.p;
	size_t len = reader_left(&m);
	uint8_t type = reader_u8(&m), code = reader_u8(&m);
	size_t fixed = type == ND_RS ? 8 : type == ND_RA ? 16 : type == ND_REDIRECT ? 40 : 24;
	struct ip target = {.family = 6}, destination = {.family = 6};
	struct nd_options o = {0};

	if (h->hop_limit != 255 || code != 0 || len < fixed || len > ND_MAX ||
		ip_is_multicast(h->src) || frame_icmp6_sum(h->src.b, h->dst.b, octets, len) != 0)
		return CLASS_ND_BAD;
	reader_skip(&m, 2);
	uint8_t flags = reader_u8(&m);
	reader_skip(&m, 3);
	if (type == ND_RA)
		reader_skip(&m, 8);
	else if (type != ND_RS)
		reader_copy(&m, target.b, 16);
	if (type == ND_REDIRECT)
		reader_copy(&m, destination.b, 16);
	if (!read_options(m, f->src, &o))
		return CLASS_ND_BAD;
	bool anonymous = ip_is_unspecified(h->src), group = mac_is_group(f->dst);
	switch (type) {
	case ND_RS:
		return anonymous && o.source_ll ? CLASS_ND_BAD : CLASS_RS;
	case ND_RA:
		return ip_is_link_local(h->src) ? CLASS_RA : CLASS_ND_BAD;
	case ND_REDIRECT:
		return ip_is_link_local(h->src) && redirect_ok(target, destination) ? CLASS_REDIRECT
										    : CLASS_ND_BAD;
	case ND_NS:
		if (ip_is_multicast(target) ||
			(anonymous && (!is_solicited_node(h->dst) || o.source_ll)))
			return CLASS_ND_BAD;
		f->target = target;
		f->mismatch = o.source_differs;
		f->odd_option = o.odd;
		return anonymous ? CLASS_NS_DAD : group ? CLASS_NS : CLASS_NS_UNICAST;
	default:
		if (ip_is_multicast(target) ||
			(ip_is_multicast(h->dst) && flags & FRAME_NA_SOLICITED))
			return CLASS_ND_BAD;
		f->target = target;
		f->mismatch = o.target_differs;
		f->na_flags = flags;
		return group ? CLASS_NA_UNSOLICITED : CLASS_NA;
	}
}

static bool is_mld(uint8_t type)
{
	return (type >= 130 && type <= 132) || type == 143;
}

/* ICMPv6 directly behind the header: ND, MLD or nothing special (CLASS_COUNT). */
static enum frame_class read_icmp6(struct reader *r, const struct ip6_header *h, struct frame *f)
{
	struct reader peek = *r;
	uint8_t type = reader_u8(&peek);

	reader_skip(&peek, 3);
	if (!reader_ok(&peek))
		return CLASS_COUNT;
	if (type >= ND_RS && type <= ND_REDIRECT) {
		struct reader m = reader_sub(r, h->payload_len);
		return reader_ok(&m) ? read_nd(m, h, f) : CLASS_ND_BAD;
	}
	return is_mld(type) && mac_is_group(f->dst) ? CLASS_MLD : CLASS_COUNT;
}

/* RFC 3810 section 5: MLD carries a router alert in a hop-by-hop header. */
static bool read_hop_by_hop_mld(struct reader *r)
{
	uint8_t next = reader_u8(r), units = reader_u8(r);

	if (next != PROTO_ICMP6 || units > 7)
		return false;
	reader_skip(r, units * 8u + 6);
	uint8_t type = reader_u8(r);
	reader_skip(r, 3);
	return reader_ok(r) && is_mld(type);
}

/* RFC 8200 section 4, 4302, 6275, 7401, 5533: headers that have others behind them. */
static bool is_extension(uint8_t next)
{
	return next == PROTO_HOPOPT || next == 43 || next == PROTO_FRAGMENT || next == PROTO_AH ||
	       next == 60 || next == 135 || next == 139 || next == 140;
}

/* Neighbour discovery behind extension headers, or so many of them that one cannot tell. A later fragment has none: RFC 7112
 * wants all headers in the first. */
static bool hides_nd(struct reader r, uint8_t next)
{
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		if (next == PROTO_ICMP6) {
			uint8_t type = reader_u8(&r);
			return !reader_ok(&r) || (type >= ND_RS && type <= ND_REDIRECT);
		}
		if (!is_extension(next))
			return false;
		uint8_t following = reader_u8(&r), units = reader_u8(&r);
		uint16_t offset = reader_u16(&r);
		size_t len = next == PROTO_FRAGMENT ? 8
			     : next == PROTO_AH     ? (units + 2) * 4u
						    : (units + 1) * 8u;
		if (reader_ok(&r) && next == PROTO_FRAGMENT && offset & 0xfff8)
			return false;
		reader_skip(&r, len - 4);
		if (!reader_ok(&r))
			return true;
		next = following;
	}
	return true;
}

static enum frame_class read_ipv6(struct reader *r, struct frame *f)
{
	struct ip6_header h = {.src.family = 6, .dst.family = 6};
	bool group = mac_is_group(f->dst);
	enum frame_class c = CLASS_COUNT, other = group ? CLASS_IP6_MULTICAST : CLASS_IP6_UNICAST;
	uint32_t version = reader_u32(r) >> 28;

	h.payload_len = reader_u16(r);
	h.next = reader_u8(r);
	h.hop_limit = reader_u8(r);
	reader_copy(r, h.src.b, 16);
	reader_copy(r, h.dst.b, 16);
	if (!reader_ok(r) || version != 6)
		return other;
	f->sender = h.src;
	f->target = h.dst;
	read_transport(*r, h.next, f);
	if (h.hop_limit == 255 && is_extension(h.next) && hides_nd(*r, h.next))
		return CLASS_ND_BAD;
	if (h.next == PROTO_ICMP6)
		c = read_icmp6(r, &h, f);
	else if (!group)
		return other;
	else if (h.next == PROTO_HOPOPT)
		c = read_hop_by_hop_mld(r) ? CLASS_MLD : other;
	else if (h.next == PROTO_UDP)
		c = read_udp(r, true);
	else if (h.next == PROTO_OSPF)
		c = CLASS_OSPF;
	else if (h.next == PROTO_EIGRP)
		c = CLASS_EIGRP;
	else if (h.next == PROTO_PIM)
		c = CLASS_PIM;
	return c == CLASS_COUNT ? other : c;
}

/* 0x9000: Ethernet's own loop test, which vendors use as a keepalive; 0x8899: a switch maker's; 0x6001 - 0x6004: MOP and DECnet. */
static bool is_loop_test(uint16_t type)
{
	return type == 0x9000 || type == 0x8899 || (type >= 0x6001 && type <= 0x6004);
}

static enum frame_class read_type(struct reader *r, uint16_t type, struct frame *f)
{
	if (type == 0x8100 || type == 0x88a8 || type == 0x9100)
		return CLASS_TAGGED;
	if (type < 0x0600)
		return read_llc(r, f->dst);
	switch (type) {
	case TYPE_LLDP:
		return CLASS_LLDP;
	case TYPE_ARP:
		return read_arp(r, f);
	case TYPE_IPV4:
		return read_ipv4(r, f);
	case TYPE_IPV6:
		return read_ipv6(r, f);
	default:
		return is_loop_test(type) ? CLASS_LOOP_TEST : CLASS_ETHERTYPE;
	}
}

void frame_read(const uint8_t *octets, size_t len, bool tag_in_metadata, struct frame *ret)
{
	struct frame f = {.cls = CLASS_RUNT};
	struct reader r = reader_of(octets, len);

	if (len >= ETH_LEN) {
		reader_copy(&r, f.dst.b, 6);
		reader_copy(&r, f.src.b, 6);
		uint16_t type = reader_u16(&r);
		f.cls = tag_in_metadata ? CLASS_TAGGED : read_type(&r, type, &f);
	}
	*ret = f;
}

enum frame_class frame_classify(const uint8_t *frame, size_t len, bool tag_in_metadata)
{
	struct frame f;

	frame_read(frame, len, tag_in_metadata, &f);
	return f.cls;
}
