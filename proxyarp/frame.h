/* One frame of a peering LAN, read: its class (docs/verdict.md, "Class") and, of ARP and ND, what the verdict asks about. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"
#include "proxyarp/class.h"

#define FRAME_NA_ROUTER 0x80
#define FRAME_NA_SOLICITED 0x40
#define FRAME_NA_OVERRIDE 0x20

struct frame {
	enum frame_class cls;
	struct mac dst, src; /* zero of a runt */
	/* arp-* but arp-bad; ns*, na* but nd-bad: the asker's or speaker's address and the one it is about. Other IPv4 and IPv6 with a
	 * whole header: source and destination. Else of family 0. */
	struct ip sender; /* ARP: sender IP; ND: the IPv6 source. Unspecified: 0.0.0.0 or :: */
	struct ip target; /* ARP: target IP; NS, NA: the target */
	bool mismatch;	  /* ARP sender hardware address or ND link-layer option is not the frame's source */
	bool odd_option;  /* NS: an option other than source link-layer address and nonce */
	uint8_t na_flags; /* NA: FRAME_NA_* */
	/* Directly behind a whole IPv4 header, of no fragment but the first, or the fixed IPv6 header; whatever the class. */
	bool bgp_syn;	  /* TCP, SYN without ACK, to port 179 */
	bool vxlan;	  /* UDP to port 4789 */
	bool vxlan_whole; /* with all of the UDP and VXLAN headers there */
	bool vni_valid;	  /* that say that `vni` is one */
	uint32_t vni;
};

/* Total on any bytes; never reads past len. */
void frame_read(const uint8_t *octets, size_t len, bool tag_in_metadata, struct frame *ret);

static inline bool frame_is_arp(const struct frame *f)
{
	return f->cls >= CLASS_ARP_REQUEST && f->cls <= CLASS_ARP_REPLY_BCAST;
}

static inline bool frame_is_ns(const struct frame *f)
{
	return f->cls >= CLASS_NS && f->cls <= CLASS_NS_UNICAST;
}

static inline bool frame_is_na(const struct frame *f)
{
	return f->cls == CLASS_NA || f->cls == CLASS_NA_UNSOLICITED;
}

/* The Internet checksum of an ICMPv6 message under its pseudo-header (RFC 4443 section 2.3), as it stands in the
 * message: 0 when the message carries a right one. */
uint16_t frame_icmp6_sum(const uint8_t src[16], const uint8_t dst[16], const uint8_t *msg, size_t len);
