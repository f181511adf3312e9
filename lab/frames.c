/* Builders of the flood's frames. Each writes the Ethernet header, then its protocol straight
 * through in the order of its specification; lengths and checksums are patched in when a layer is
 * closed, innermost first.
 *
 * RFC 826, 5227 (ARP), 4861 (ND), 3810 (MLD), 2131 (DHCP), 8415 (DHCPv6), 6762 (mDNS), 1002
 * (NetBIOS), 2328 (OSPF), 7761 (PIM), IEEE 802.1D (STP), 802.1AB (LLDP).
 */
#include "lab/frames.h"
#include "lib/writer.h"

#define ETH_MIN 60

static const struct mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static struct mac group4(const struct ip *ip)
{
	return (struct mac){{0x01, 0x00, 0x5e, ip->b[1] & 0x7f, ip->b[2], ip->b[3]}};
}

static struct mac group6(const struct ip *ip)
{
	return (struct mac){{0x33, 0x33, ip->b[12], ip->b[13], ip->b[14], ip->b[15]}};
}

static struct ip v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct ip){.family = 4, .b = {a, b, c, d}};
}

static struct ip all_nodes(uint8_t last)
{
	return (struct ip){.family = 6, .b = {0xff, 0x02, [15] = last}};
}

static struct ip solicited_node(const struct ip *target)
{
	return (struct ip){.family = 6,
		.b = {0xff, 0x02, [11] = 1, 0xff, target->b[13], target->b[14], target->b[15]}};
}

static struct ip link_local(struct mac m)
{
	return (struct ip){.family = 6,
		.b = {0xfe, 0x80, [8] = m.b[0] ^ 2, m.b[1], m.b[2], 0xff, 0xfe, m.b[3], m.b[4],
			m.b[5]}};
}

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void eth(struct writer *w, struct mac to, const struct host *me, uint16_t type)
{
	writer_bytes(w, to.b, 6);
	writer_bytes(w, me->mac.b, 6);
	writer_u16(w, type);
}

/* 802.3: the length in place of the type, patched by llc_close(). */
static size_t llc(
	struct writer *w, struct mac to, const struct host *me, const void *head, size_t len)
{
	eth(w, to, me, 0);
	size_t at = writer_mark(w);
	writer_bytes(w, head, len);
	return at;
}

static void llc_close(struct writer *w, size_t at)
{
	writer_patch_u16(w, at - 2, (uint16_t)(writer_mark(w) - at));
}

/* An IP packet that is being written: where its header is, and what the pseudo header needs. */
struct packet {
	size_t at, payload;
	struct ip from, to;
	uint8_t proto;
};

static struct packet ip4(struct writer *w, const struct host *me, struct ip from, struct ip to,
	uint8_t proto, uint8_t ttl)
{
	eth(w, ip_is_multicast(to) ? group4(&to) : broadcast, me, 0x0800);
	struct packet p = {.at = writer_mark(w), .from = from, .to = to, .proto = proto};
	writer_u16(w, 0x45c0);
	writer_u16(w, 0);
	writer_u32(w, 0x00004000);
	writer_u8(w, ttl);
	writer_u8(w, proto);
	writer_u16(w, 0);
	writer_bytes(w, from.b, 4);
	writer_bytes(w, to.b, 4);
	p.payload = writer_mark(w);
	return p;
}

static struct packet ip6(struct writer *w, const struct host *me, struct ip from, struct ip to,
	uint8_t proto, uint8_t hops)
{
	eth(w, group6(&to), me, 0x86dd);
	struct packet p = {.at = writer_mark(w), .from = from, .to = to, .proto = proto};
	writer_u32(w, 0x60000000);
	writer_u16(w, 0);
	writer_u8(w, proto);
	writer_u8(w, hops);
	writer_bytes(w, from.b, 16);
	writer_bytes(w, to.b, 16);
	p.payload = writer_mark(w);
	return p;
}

/* Patches the lengths and the header checksum; where `check` is not 0, the transport checksum at
 * that offset of the payload too (with the pseudo header where the protocol has one). */
static void ip_close(struct writer *w, const struct packet *p, uint8_t proto, size_t check)
{
	size_t len = writer_mark(w) - p->payload;
	uint8_t *start = w->start + p->payload;
	if (check) {
		uint32_t sum = 0;
		if (p->from.family == 6 || proto == 17) {
			sum = sum16(0, p->from.b, ip_len(p->from));
			sum = sum16(sum, p->to.b, ip_len(p->to));
			sum += proto + (uint32_t)len;
		}
		writer_patch_u16(w, p->payload + check, fold(sum16(sum, start, len)));
	}
	if (p->from.family == 6) {
		writer_patch_u16(w, p->at + 4, (uint16_t)len);
	} else {
		writer_patch_u16(w, p->at + 2, (uint16_t)(len + 20));
		writer_patch_u16(w, p->at + 10, fold(sum16(0, w->start + p->at, 20)));
	}
}

static size_t udp(struct writer *w, uint16_t from, uint16_t to)
{
	size_t at = writer_mark(w);
	writer_u16(w, from);
	writer_u16(w, to);
	writer_u32(w, 0);
	return at;
}

static void udp_close(struct writer *w, const struct packet *p, size_t at)
{
	writer_patch_u16(w, at + 4, (uint16_t)(writer_mark(w) - at));
	ip_close(w, p, 17, 6);
}

static void arp(
	struct writer *w, const struct host *me, uint16_t op, struct ip sender, struct ip target)
{
	eth(w, broadcast, me, 0x0806);
	writer_u16(w, 1);
	writer_u16(w, 0x0800);
	writer_u16(w, 0x0604);
	writer_u16(w, op);
	writer_bytes(w, me->mac.b, 6);
	writer_bytes(w, sender.b, 4);
	writer_zero(w, 6);
	writer_bytes(w, target.b, 4);
}

static void ns(struct writer *w, const struct host *me, struct ip target)
{
	struct packet p = ip6(w, me, me->ip6, solicited_node(&target), 58, 255);
	writer_u32(w, 135u << 24);
	writer_u32(w, 0);
	writer_bytes(w, target.b, 16);
	writer_u16(w, 0x0101);
	writer_bytes(w, me->mac.b, 6);
	ip_close(w, &p, 58, 2);
}

static void na_unsolicited(struct writer *w, const struct host *me)
{
	struct packet p = ip6(w, me, me->ip6, all_nodes(1), 58, 255);
	writer_u32(w, 136u << 24);
	writer_u32(w, 0xa0000000); /* R and O */
	writer_bytes(w, me->ip6.b, 16);
	writer_u16(w, 0x0201);
	writer_bytes(w, me->mac.b, 6);
	ip_close(w, &p, 58, 2);
}

static void ra(struct writer *w, const struct host *me)
{
	struct packet p = ip6(w, me, link_local(me->mac), all_nodes(1), 58, 255);
	writer_u32(w, 134u << 24);
	writer_u32(w, 0x40000708); /* hop limit 64, lifetime 1800 s */
	writer_zero(w, 8);
	writer_u16(w, 0x0101);
	writer_bytes(w, me->mac.b, 6);
	ip_close(w, &p, 58, 2);
}

/* MLDv2 report for one group, behind the hop-by-hop router alert (RFC 3810 section 5). */
static void mld(struct writer *w, const struct host *me)
{
	struct ip group = solicited_node(&me->ip6);
	struct packet p = ip6(w, me, link_local(me->mac), all_nodes(0x16), 0, 1);
	writer_bytes(w, (const uint8_t[]){58, 0, 5, 2, 0, 0, 1, 0}, 8);
	p.payload = writer_mark(w);
	writer_u32(w, 143u << 24);
	writer_u32(w, 1);
	writer_u32(w, 4u << 24);
	writer_bytes(w, group.b, 16);
	ip_close(w, &p, 58, 2);
	writer_patch_u16(w, p.at + 4, (uint16_t)(writer_mark(w) - p.payload + 8));
}

static void stp(struct writer *w, const struct host *me)
{
	static const uint8_t head[] = {0x42, 0x42, 0x03, 0, 0, 0, 0, 0, 0x80, 0x00};
	size_t at = llc(w, (struct mac){{0x01, 0x80, 0xc2, 0, 0, 0}}, me, head, sizeof(head));
	writer_bytes(w, me->mac.b, 6);
	writer_u32(w, 0);
	writer_u16(w, 0x8000);
	writer_bytes(w, me->mac.b, 6);
	writer_u16(w, 0x8001);
	writer_u32(w, 0x00001400);
	writer_u32(w, 0x02000f00);
	llc_close(w, at);
}

static void pvst(struct writer *w, const struct host *me)
{
	static const uint8_t head[] = {
		0xaa, 0xaa, 0x03, 0, 0, 0x0c, 0x01, 0x0b, 0, 0, 0, 0, 0, 0x80, 0x01};
	size_t at =
		llc(w, (struct mac){{0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcd}}, me, head, sizeof(head));
	writer_bytes(w, me->mac.b, 6);
	writer_u32(w, 0);
	writer_u16(w, 0x8001);
	writer_bytes(w, me->mac.b, 6);
	writer_u16(w, 0x8001);
	writer_u32(w, 0x00001400);
	writer_u32(w, 0x02000f00);
	writer_bytes(w, (const uint8_t[]){0, 0, 0, 0, 2, 0, 1}, 7);
	llc_close(w, at);
}

static void lldp(struct writer *w, const struct host *me)
{
	eth(w, (struct mac){{0x01, 0x80, 0xc2, 0, 0, 0x0e}}, me, 0x88cc);
	writer_u16(w, 1u << 9 | 7);
	writer_u8(w, 4);
	writer_bytes(w, me->mac.b, 6);
	writer_u16(w, 2u << 9 | 5);
	writer_bytes(w, "\5eth0", 5);
	writer_u16(w, 3u << 9 | 2);
	writer_u16(w, 120);
	writer_u16(w, 5u << 9 | 6);
	writer_bytes(w, "router", 6);
	writer_u16(w, 0);
}

static void cdp(struct writer *w, const struct host *me)
{
	static const uint8_t head[] = {0xaa, 0xaa, 0x03, 0, 0, 0x0c, 0x20, 0x00};
	size_t at =
		llc(w, (struct mac){{0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcc}}, me, head, sizeof(head));
	size_t from = writer_mark(w);
	writer_u32(w, 0x02b40000); /* version 2, 180 s, checksum */
	writer_bytes(w, (const uint8_t[]){0, 1, 0, 10, 'r', 'o', 'u', 't', 'e', 'r'}, 10);
	writer_bytes(w, (const uint8_t[]){0, 3, 0, 8, 'e', 't', 'h', '0'}, 8);
	writer_patch_u16(w, from + 2, fold(sum16(0, w->start + from, writer_mark(w) - from)));
	llc_close(w, at);
}

static void dhcp(struct writer *w, const struct host *me)
{
	struct packet p = ip4(w, me, v4(0, 0, 0, 0), v4(255, 255, 255, 255), 17, 64);
	size_t u = udp(w, 68, 67);
	writer_u32(w, 0x01010600);
	writer_bytes(w, me->mac.b + 2, 4);
	writer_zero(w, 20);
	writer_bytes(w, me->mac.b, 6);
	writer_zero(w, 10 + 64 + 128);
	writer_u32(w, 0x63825363);
	writer_bytes(w, (const uint8_t[]){53, 1, 1, 255}, 4);
	writer_zero(w, 56); /* to BOOTP's 300 octets */
	udp_close(w, &p, u);
}

static void dhcp6(struct writer *w, const struct host *me)
{
	struct ip to = {.family = 6, .b = {0xff, 0x02, [13] = 1, 0, 2}};
	struct packet p = ip6(w, me, link_local(me->mac), to, 17, 1);
	size_t u = udp(w, 546, 547);
	writer_u32(w, 0x01000000u | me->mac.b[5]);
	writer_bytes(w, (const uint8_t[]){0, 1, 0, 10, 0, 3, 0, 1}, 8);
	writer_bytes(w, me->mac.b, 6);
	writer_bytes(w, (const uint8_t[]){0, 8, 0, 2, 0, 0}, 6);
	udp_close(w, &p, u);
}

static void mdns(struct writer *w, const struct host *me)
{
	static const uint8_t query[] = "\0\0\0\0\0\1\0\0\0\0\0\0"
				       "\5_http\4_tcp\5local\0"
				       "\0\14\0\1";
	struct packet p = ip4(w, me, me->ip4, v4(224, 0, 0, 251), 17, 255);
	size_t u = udp(w, 5353, 5353);
	writer_bytes(w, query, sizeof(query) - 1);
	udp_close(w, &p, u);
}

static void ssdp(struct writer *w, const struct host *me)
{
	static const char search[] = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
				     "MAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n";
	struct packet p = ip4(w, me, me->ip4, v4(239, 255, 255, 250), 17, 4);
	size_t u = udp(w, 49152, 1900);
	writer_bytes(w, search, sizeof(search) - 1);
	udp_close(w, &p, u);
}

static void netbios(struct writer *w, const struct host *me)
{
	struct packet p = ip4(w, me, me->ip4, v4(255, 255, 255, 255), 17, 64);
	size_t u = udp(w, 137, 137);
	writer_bytes(w, (const uint8_t[]){0, 1, 0x01, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 32}, 13);
	for (int i = 0; i < 16; i++)
		writer_bytes(w, "CA", 2);
	writer_bytes(w, (const uint8_t[]){0, 0, 32, 0, 1}, 5);
	udp_close(w, &p, u);
}

static void ospf(struct writer *w, const struct host *me)
{
	struct packet p = ip4(w, me, me->ip4, v4(224, 0, 0, 5), 89, 1);
	writer_u32(w, 0x0201002c);
	writer_bytes(w, me->ip4.b, 4);
	writer_u32(w, 0);
	writer_zero(w, 12);
	writer_u32(w, 0xfffff800);
	writer_u32(w, 0x000a0201); /* hello 10 s, E, priority 1 */
	writer_u32(w, 40);
	writer_zero(w, 8);
	ip_close(w, &p, 89, 12);
}

static void pim(struct writer *w, const struct host *me)
{
	struct packet p = ip4(w, me, me->ip4, v4(224, 0, 0, 13), 103, 1);
	writer_u32(w, 0x20000000);
	writer_bytes(w, (const uint8_t[]){0, 1, 0, 2, 0, 105}, 6);
	writer_bytes(w, (const uint8_t[]){0, 20, 0, 4, 0, 0, 0, 1}, 8);
	ip_close(w, &p, 103, 2);
}

static void unknown_unicast(struct writer *w, const struct host *me, const struct host *target)
{
	struct packet p = ip4(w, me, me->ip4, target->ip4, 17, 64);
	memcpy(w->start, target->mac.b, 6);
	size_t u = udp(w, 49153, 9);
	writer_zero(w, 18);
	udp_close(w, &p, u);
}

size_t frame_build(enum flood_kind kind, const struct host *me, const struct host *target,
	uint8_t buf[FRAME_MAX])
{
	static const struct ip none4 = {.family = 4};
	struct writer w = writer_of(buf, FRAME_MAX);
	switch (kind) {
	case FLOOD_ARP_UNASSIGNED:
	case FLOOD_ARP_KNOWN:
		arp(&w, me, 1, me->ip4, target->ip4);
		break;
	case FLOOD_NS_UNASSIGNED:
	case FLOOD_NS_KNOWN:
		ns(&w, me, target->ip6);
		break;
	case FLOOD_GARP:
		arp(&w, me, 1, me->ip4, me->ip4);
		break;
	case FLOOD_ARP_PROBE:
		arp(&w, me, 1, none4, target->ip4);
		break;
	case FLOOD_NA_UNSOLICITED:
		na_unsolicited(&w, me);
		break;
	case FLOOD_RA:
		ra(&w, me);
		break;
	case FLOOD_MLD:
		mld(&w, me);
		break;
	case FLOOD_STP:
		stp(&w, me);
		break;
	case FLOOD_PVST:
		pvst(&w, me);
		break;
	case FLOOD_LLDP:
		lldp(&w, me);
		break;
	case FLOOD_CDP:
		cdp(&w, me);
		break;
	case FLOOD_DHCP:
		dhcp(&w, me);
		break;
	case FLOOD_DHCP6:
		dhcp6(&w, me);
		break;
	case FLOOD_MDNS:
		mdns(&w, me);
		break;
	case FLOOD_SSDP:
		ssdp(&w, me);
		break;
	case FLOOD_OSPF:
		ospf(&w, me);
		break;
	case FLOOD_PIM:
		pim(&w, me);
		break;
	case FLOOD_NETBIOS:
		netbios(&w, me);
		break;
	case FLOOD_UNKNOWN_UNICAST:
		unknown_unicast(&w, me, target);
		break;
	case FLOOD_COUNT:
		break;
	}
	size_t len = writer_len(&w);
	if (len < ETH_MIN)
		writer_zero(&w, ETH_MIN - len);
	return writer_len(&w);
}
