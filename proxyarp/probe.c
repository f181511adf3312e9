/* The frames of a refresh. ARP: sender IP 0 (RFC 5227 section 2.1.1), so that nobody's cache learns
 * from it; ND: the link-local address that the PE's MAC makes (RFC 4291 appendix A), since an NS
 * from :: would be DAD. */
#include "proxyarp/probe.h"

#include "proxyarp/frame.h"

struct arp_probe {
	uint8_t dst[6], src[6], ethertype[2];
	uint8_t hardware[2], protocol[2], lengths[2], opcode[2];
	uint8_t sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
};

struct ns_message {
	uint8_t type, code, checksum[2], reserved[4];
	uint8_t target[16];
	uint8_t option, option_units, option_mac[6];
};

struct ns_probe {
	uint8_t dst[6], src[6], ethertype[2];
	uint8_t version[4], payload_len[2], next, hop_limit;
	uint8_t ip_src[16], ip_dst[16];
	struct ns_message ns;
};

_Static_assert(sizeof(struct arp_probe) == 42, "ARP over Ethernet");
_Static_assert(sizeof(struct ns_probe) == PROBE_MAX, "NS with its option");

static size_t build_arp(struct mac from, struct mac to, struct ip ip, uint8_t *out)
{
	struct arp_probe p = {
		.ethertype = {0x08, 0x06},
		.hardware = {0, 1},
		.protocol = {0x08, 0x00},
		.lengths = {6, 4},
		.opcode = {0, 1},
	};

	memcpy(p.dst, to.b, 6);
	memcpy(p.src, from.b, 6);
	memcpy(p.sender_mac, from.b, 6);
	memcpy(p.target_ip, ip.b, 4);
	memcpy(out, &p, sizeof(p));
	return sizeof(p);
}

static size_t build_ns(struct mac from, struct mac to, struct ip ip, uint8_t *out)
{
	struct ns_probe p = {
		.ethertype = {0x86, 0xdd},
		.version = {0x60},
		.payload_len = {0, sizeof(struct ns_message)},
		.next = 58,
		.hop_limit = 255,
		.ip_src = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, from.b[0] ^ 2, from.b[1], from.b[2], 0xff,
			0xfe, from.b[3], from.b[4], from.b[5]},
		.ns = {.type = 135, .option = 1, .option_units = 1},
	};
	uint8_t message[sizeof(struct ns_message)];

	memcpy(p.dst, to.b, 6);
	memcpy(p.src, from.b, 6);
	memcpy(p.ip_dst, ip.b, 16);
	memcpy(p.ns.target, ip.b, 16);
	memcpy(p.ns.option_mac, from.b, 6);
	memcpy(message, &p.ns, sizeof(message));
	uint16_t sum = frame_icmp6_sum(p.ip_src, p.ip_dst, message, sizeof(message));
	p.ns.checksum[0] = (uint8_t)(sum >> 8);
	p.ns.checksum[1] = (uint8_t)sum;
	memcpy(out, &p, sizeof(p));
	return sizeof(p);
}

size_t probe_build(struct mac from, struct mac to, struct ip ip, uint8_t out[static PROBE_MAX])
{
	return ip.family == 4 ? build_arp(from, to, ip, out) : build_ns(from, to, ip, out);
}
