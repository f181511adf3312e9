#include "proxyarp/wire_frame.h"

#include <string.h>

#include "proxyarp/frame.h"

/* Made of octets alone, they have no padding. */
struct arp_octets {
	uint8_t dst[6], src[6], ethertype[2];
	uint8_t hardware[2], protocol[2], lengths[2], opcode[2];
	uint8_t sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
};

struct nd_message {
	uint8_t type, code, checksum[2], flags, reserved[3];
	uint8_t target[16];
	uint8_t option, option_units, option_mac[6];
};

struct nd_octets {
	uint8_t dst[6], src[6], ethertype[2];
	uint8_t version[4], payload_len[2], next, hop_limit;
	uint8_t ip_src[16], ip_dst[16];
	struct nd_message nd;
};

_Static_assert(sizeof(struct arp_octets) == WIRE_ARP_LEN, "ARP over Ethernet");
_Static_assert(sizeof(struct nd_octets) == WIRE_ND_LEN, "NS or NA with its option");

static void put(uint8_t *to, const uint8_t *from, size_t len)
{
	if (from)
		memcpy(to, from, len);
}

size_t wire_arp(const struct wire_arp *a, uint8_t out[static WIRE_ARP_LEN])
{
	struct arp_octets o = {
		.ethertype = {0x08, 0x06},
		.hardware = {0, 1},
		.protocol = {0x08, 0x00},
		.lengths = {6, 4},
		.opcode = {0, a->opcode},
	};

	put(o.dst, a->dst, 6);
	put(o.src, a->src, 6);
	put(o.sender_mac, a->src, 6);
	put(o.sender_ip, a->sender_ip, 4);
	put(o.target_mac, a->target_mac, 6);
	put(o.target_ip, a->target_ip, 4);
	memcpy(out, &o, sizeof(o));
	return sizeof(o);
}

size_t wire_nd(const struct wire_nd *n, uint8_t out[static WIRE_ND_LEN])
{
	struct nd_octets o = {
		.ethertype = {0x86, 0xdd},
		.version = {0x60},
		.payload_len = {0, sizeof(struct nd_message)},
		.next = 58,
		.hop_limit = 255,
		.nd = {.type = n->type, .flags = n->flags, .option = n->type == WIRE_NS ? 1 : 2, .option_units = 1},
	};
	uint8_t message[sizeof(struct nd_message)];

	put(o.dst, n->dst, 6);
	put(o.src, n->src, 6);
	put(o.ip_src, n->ip_src, 16);
	put(o.ip_dst, n->ip_dst, 16);
	put(o.nd.target, n->target, 16);
	put(o.nd.option_mac, n->src, 6);
	memcpy(message, &o.nd, sizeof(message));
	uint16_t sum = frame_icmp6_sum(o.ip_src, o.ip_dst, message, sizeof(message));
	o.nd.checksum[0] = (uint8_t)(sum >> 8);
	o.nd.checksum[1] = (uint8_t)sum;
	memcpy(out, &o, sizeof(o));
	return sizeof(o);
}

void wire_link_local(const uint8_t mac[6], uint8_t ret[16])
{
	const uint8_t address[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe,
		mac[3], mac[4], mac[5]};

	memcpy(ret, address, sizeof(address));
}
