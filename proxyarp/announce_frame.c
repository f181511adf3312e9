/* The frames of announcements. Their source is the owner's MAC, so that the switches behind a member's port see it where it is
 * from there: that is why the owner's own port never gets one. */
#include <string.h>

#include "proxyarp/announce.h"
#include "proxyarp/frame.h"
#include "proxyarp/layout.h"

struct arp_announcement {
	uint8_t dst[6], src[6], ethertype[2];
	uint8_t hardware[2], protocol[2], lengths[2], opcode[2];
	uint8_t sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
};

struct na_octets {
	uint8_t type, code, checksum[2], flags, reserved[3];
	uint8_t target[16];
	uint8_t option, option_units, option_mac[6];
};

struct na_announcement {
	uint8_t dst[6], src[6], ethertype[2];
	uint8_t version[4], payload_len[2], next, hop_limit;
	uint8_t ip_src[16], ip_dst[16];
	struct na_octets na;
};

_Static_assert(sizeof(struct arp_announcement) == 42, "ARP over Ethernet");
_Static_assert(sizeof(struct na_announcement) <= ANNOUNCE_FRAME_MAX, "NA with its option");

static size_t build_arp(struct ip ip, struct mac mac, uint8_t *out)
{
	struct arp_announcement a = {
		.dst = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		.ethertype = {0x08, 0x06},
		.hardware = {0, 1},
		.protocol = {0x08, 0x00},
		.lengths = {6, 4},
		.opcode = {0, 1},
	};

	memcpy(a.src, mac.b, 6);
	memcpy(a.sender_mac, mac.b, 6);
	memcpy(a.sender_ip, ip.b, 4);
	memcpy(a.target_ip, ip.b, 4);
	memcpy(out, &a, sizeof(a));
	return sizeof(a);
}

static size_t build_na(struct ip ip, struct mac mac, uint8_t flags, uint8_t *out)
{
	struct na_announcement a = {
		.dst = {0x33, 0x33, 0, 0, 0, 1},
		.ethertype = {0x86, 0xdd},
		.version = {0x60},
		.payload_len = {0, sizeof(struct na_octets)},
		.next = 58,
		.hop_limit = 255,
		.ip_dst = {0xff, 0x02, [15] = 1},
		.na = {.type = 136, .flags = FRAME_NA_OVERRIDE, .option = 2, .option_units = 1},
	};
	uint8_t message[sizeof(struct na_octets)];

	if (flags & BIND_ROUTER)
		a.na.flags |= FRAME_NA_ROUTER;
	memcpy(a.src, mac.b, 6);
	memcpy(a.ip_src, ip.b, 16);
	memcpy(a.na.target, ip.b, 16);
	memcpy(a.na.option_mac, mac.b, 6);
	memcpy(message, &a.na, sizeof(message));
	uint16_t sum = frame_icmp6_sum(a.ip_src, a.ip_dst, message, sizeof(message));
	a.na.checksum[0] = (uint8_t)(sum >> 8);
	a.na.checksum[1] = (uint8_t)sum;
	memcpy(out, &a, sizeof(a));
	return sizeof(a);
}

size_t announce_build(
	struct ip ip, struct mac mac, uint8_t flags, uint8_t out[static ANNOUNCE_FRAME_MAX])
{
	return ip.family == 4 ? build_arp(ip, mac, out) : build_na(ip, mac, flags, out);
}
