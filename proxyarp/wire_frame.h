/* The two frames that are ever sent by us, answers included: ARP over Ethernet (RFC 826), and NS or NA with its one option (RFC 4861
 * sections 4.3, 4.4). The hardware address inside is always the frame's source. Who says what to whom is the callers'. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define WIRE_ARP_LEN 42
#define WIRE_ND_LEN 86
#define WIRE_NS 135
#define WIRE_NA 136

/* Octets; NULL: zeroes. */
struct wire_arp {
	const uint8_t *dst, *src, *sender_ip, *target_mac, *target_ip;
	uint8_t opcode;
};

struct wire_nd {
	const uint8_t *dst, *src, *ip_src, *ip_dst, *target;
	uint8_t type, flags;
};

/* Return the length. */
size_t wire_arp(const struct wire_arp *a, uint8_t out[static WIRE_ARP_LEN]);
size_t wire_nd(const struct wire_nd *n, uint8_t out[static WIRE_ND_LEN]);
/* The link-local address that a MAC makes (RFC 4291 appendix A). */
void wire_link_local(const uint8_t mac[6], uint8_t ret[16]);
