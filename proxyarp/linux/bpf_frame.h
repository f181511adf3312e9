/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * What a frame is, by its octets alone: the section "Class" of docs/verdict.md for BPF (RFC 826,
 * 5227, 4861).
 *
 * Works on a tc skb and on an XDP buffer; `xdp` is a constant everywhere, so each program carries
 * only its own half. Constant offsets are read from the packet; an ND message, whose options stand
 * at variable offsets, is first copied together with the addresses before it, so that its checksum
 * is one helper call and indices can be masked.
 *
 * frame_of_skb() and frame_of_xdp() are functions in the kernel's sense too, verified once and each
 * for itself.
 */
#pragma once
#include "proxyarp/linux/bpf_maps.h"

#define ETH_LEN 14
#define ARP_LEN 42
#define IP6_LEN 40
#define ND_AT (ETH_LEN + IP6_LEN)
#define EXTENSIONS_MAX 8
#define BE16(x) __builtin_bswap16(x)
#define BE32(x) __builtin_bswap32(x)
#define MAC_BROADCAST 0xffffffffffffULL

/* Where its octets stand. */
struct octets {
	void *p, *end;
};

/* A length below 512, said where the verifier sees it: bounds checked further up are lost when the
 * compiler spills, and without the asm it would leave out a mask that it knows to be idle. */
#define BOUNDED(x)                                                                                 \
	({                                                                                         \
		__u32 bounded = (x);                                                               \
		asm volatile("" : "+r"(bounded));                                                  \
		bounded & 0x1ff;                                                                   \
	})

static __always_inline int frame_load(void *ctx, int xdp, __u32 at, void *to, __u32 len)
{
	return xdp ? bpf_xdp_load_bytes(ctx, at, to, len) : bpf_skb_load_bytes(ctx, at, to, len);
}

static __always_inline __u16 frame_u16(const void *p)
{
	return BE16(*(const __u16 *)p);
}

static __always_inline __u32 class_snap(__u32 oui, __u16 pid)
{
	if (oui == 0x00000c) {
		switch (pid) {
		case 0x010b:
			return CLASS_STP; /* PVST */
		case 0x2000:
			return CLASS_CDP;
		case 0x2003: /* VTP, DTP, UDLD, PAgP */
		case 0x2004:
		case 0x0111:
		case 0x0104:
			return CLASS_VTP;
		}
		return CLASS_LLC;
	}
	return (oui == 0x00e02b && pid == 0x00bb) || (oui == 0x00e052 && pid == 0x2000) ? CLASS_CDP
											: CLASS_LLC;
}

static __always_inline __u32 class_llc(struct octets o, struct bpf_frame *f)
{
	const __u8 *p = o.p;

	if ((void *)p + 16 > o.end)
		return CLASS_LLC;
	if (p[14] == 0x42 && p[15] == 0x42 && (f->dst & 0xf0ffffffffffULL) == 0x00000000c28001ULL)
		return CLASS_STP;
	if (p[14] == 0xfe && p[15] == 0xfe)
		return CLASS_ISIS;
	if ((void *)p + 22 > o.end || p[14] != 0xaa || p[15] != 0xaa || p[16] != 3)
		return CLASS_LLC;
	return class_snap((__u32)p[17] << 16 | p[18] << 8 | p[19], frame_u16(p + 20));
}

static __always_inline __u32 class_arp(struct octets o, struct bpf_frame *f)
{
	const __u8 *p = o.p;
	__u16 op;

	if ((void *)p + ARP_LEN > o.end)
		return CLASS_ARP_BAD;
	if (*(const __u32 *)(p + 14) != BE32(0x00010800) ||
		*(const __u16 *)(p + 18) != BE16(0x0604))
		return CLASS_ARP_BAD;
	op = frame_u16(p + 20);
	if (op != 1 && op != 2)
		return CLASS_ARP_BAD;
	f->mismatch = mac_of(p + 22) != f->src;
	f->sender4 = *(const __u32 *)(p + 28);
	f->target4 = *(const __u32 *)(p + 38);
	if (f->sender4 && f->sender4 == f->target4)
		return CLASS_ARP_GRATUITOUS;
	if (op == 2)
		return mac_is_group(f->dst) ? CLASS_ARP_REPLY_BCAST : CLASS_ARP_REPLY;
	if (!mac_is_group(f->dst))
		return CLASS_ARP_UNICAST;
	return f->sender4 ? CLASS_ARP_REQUEST : CLASS_ARP_PROBE;
}

/* UDP to a group; `v6` is a constant. */
static __always_inline __u32 class_udp(const void *udp, void *end, int v6, __u32 otherwise)
{
	__u16 dhcp = v6 ? 546 : 67, sport, dport;

	if (udp + 8 > end)
		return otherwise;
	sport = frame_u16(udp);
	dport = frame_u16(udp + 2);
	if (sport == dhcp || sport == dhcp + 1 || dport == dhcp || dport == dhcp + 1)
		return v6 ? CLASS_DHCP6 : CLASS_DHCP4;
	switch (dport) {
	case 5353:
		return CLASS_MDNS;
	case 1900:
		return CLASS_SSDP;
	case 137:
	case 138:
		return v6 ? otherwise : CLASS_NETBIOS;
	case 5678:
		return CLASS_MNDP;
	case 520:
		return v6 ? otherwise : CLASS_RIP;
	case 521:
		return v6 ? CLASS_RIP : otherwise;
	}
	return otherwise;
}

static __always_inline __u32 class_ip4(void *ctx, int xdp, struct octets o, struct bpf_frame *f)
{
	const __u8 *ip = o.p + ETH_LEN;
	__u32 group = mac_is_group(f->dst), ihl;
	__u32 otherwise = !group		     ? CLASS_IP4_UNICAST
			  : f->dst == MAC_BROADCAST ? CLASS_IP4_BROADCAST
						    : CLASS_IP4_MULTICAST;
	__u8 type = 0;

	if ((void *)ip + 20 > o.end || (!group && ip[9] != 1) || ip[0] >> 4 != 4)
		return otherwise;
	ihl = (ip[0] & 0xf) * 4;
	if (ihl < 20 || ETH_LEN + ihl > f->len || frame_u16(ip + 6) & 0x1fff)
		return otherwise;
	if (ip[9] == 1) {
		if (frame_load(ctx, xdp, ETH_LEN + ihl, &type, 1))
			return otherwise;
		return type == 5		? CLASS_ICMP_REDIRECT
		       : type == 9 || type == 10 ? CLASS_IRDP
						: otherwise;
	}
	if ((void *)ip + ihl > o.end)
		return otherwise; /* never: see frame_need() */
	switch (ip[9]) {
	case 2:
		return CLASS_IGMP;
	case 89:
		return CLASS_OSPF;
	case 88:
	case 9:
		return CLASS_EIGRP;
	case 103:
		return CLASS_PIM;
	case 17:
		return class_udp((void *)ip + ihl, o.end, 0, otherwise);
	}
	return otherwise;
}

/* Walks the options from `at`; RFC 4861 6.1, 7.1, 8.1: none of length zero, all within the message.
 */
static __always_inline int nd_options(
	struct bpf_frame *f, __u32 at, __u32 len, __u32 lla, __u32 *has_lla)
{
	const __u8 *msg = f->msg;

	for (int i = 0; i < ND_MAX / 8; i++) {
		__u32 type, size;

		if (at >= len)
			return 0;
		at = BOUNDED(at) & (ND_MAX - 8); /* options start at multiples of 8 */
		type = msg[at];
		size = msg[at + 1] * 8;
		if (!size || at + size > len)
			return -1;
		if (type == lla) {
			*has_lla = 1;
			f->mismatch |= mac_of(msg + at + 2) != f->src;
		} else if (type != 14) {
			f->other_options = 1;
		}
		at += size;
	}
	return 0;
}

static __always_inline int ip6_is_zero(const __u32 *ip)
{
	return !(ip[0] | ip[1] | ip[2] | ip[3]);
}

static __always_inline int ip6_is_link_local(const __u32 *ip)
{
	return (ip[0] & BE32(0xffc00000)) == BE32(0xfe800000);
}

static __always_inline int ip6_is_same(const __u32 *a, const __u32 *b)
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}

/* RFC 4861 8.1: to a router, or to the destination itself on the link. */
static __always_inline int redirect_ok(const __u32 *target, const __u32 *destination)
{
	return (destination[0] & BE32(0xff000000)) != BE32(0xff000000) &&
	       (ip6_is_link_local(target) || ip6_is_same(target, destination));
}

/* The message that nearly all NS and NA are: 32 octets, of which eight are one option. Read where it
 * stands: no copy, no helper. -1: it is none of these; else whether it is valid so far. */
static __always_inline int nd_common(
	struct octets o, struct bpf_frame *f, __u32 type, __u32 lla, __u32 *has_lla)
{
	const __u8 *nd = o.p + ND_AT;
	const __u32 *w = o.p + ETH_LEN + 8;
	__u64 sum = BE32(32 + 58);

	if ((void *)nd + 32 > o.end || (type != 135 && type != 136))
		return -1;
#pragma unroll
	for (int i = 0; i < 16; i++)
		sum += w[i];
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	if (sum != 0xffff || nd[25] != 1)
		return 0;
	__builtin_memcpy(f->nd_src, w, 32);
	__builtin_memcpy(f->msg, nd, 24);
	if (nd[24] == lla) {
		*has_lla = 1;
		f->mismatch = mac_of(nd + 26) != f->src;
	} else if (nd[24] != 14) {
		f->other_options = 1;
	}
	return 1;
}

/* Any other: copied, so that offsets may vary. Whether it is valid so far. */
static __always_inline int nd_any(void *ctx, int xdp, struct bpf_frame *f, __u32 least, __u32 plen,
	__u32 lla, __u32 *has_lla)
{
	__u32 sum;

	if (frame_load(ctx, xdp, ETH_LEN + 8, f->nd_src, 32 + BOUNDED(plen)))
		return 0;
	/* The pseudo-header's length and next header, then addresses and message: all ones if it is
	 * right. */
	sum = bpf_csum_diff(0, 0, f->nd_src, 32 + BOUNDED(plen), BE32(plen + 58));
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff && !nd_options(f, least, plen, lla, has_lla);
}

/* RFC 4861 6.1.1, 6.1.2, 7.1.1, 7.1.2, 8.1. ND messages are whole multiples of eight octets or not
 * valid. */
static __always_inline __u32 class_nd(
	void *ctx, int xdp, struct octets o, struct bpf_frame *f, __u32 type, __u32 plen)
{
	__u32 least = type == 133 ? 8 : type == 134 ? 16 : type == 137 ? 40 : 24;
	__u32 has_lla = 0, group = mac_is_group(f->dst), lla = type == 136 ? 2 : 1, dad;
	const __u8 *ip = o.p + ETH_LEN;
	int good = -1;

	if (ip[7] != 255 || plen < least || plen > ND_MAX || plen & 7 || ND_AT + plen > f->len)
		return CLASS_ND_BAD;
	if (plen == 32)
		good = nd_common(o, f, type, lla, &has_lla);
	if (good < 0)
		good = nd_any(ctx, xdp, f, least, plen, lla, &has_lla);
	if (!good || f->msg[1] != 0 || (f->nd_src[0] & 0xff) == 0xff)
		return CLASS_ND_BAD;
	if (type == 133)
		return has_lla && ip6_is_zero(f->nd_src) ? CLASS_ND_BAD : CLASS_RS;
	if (type == 134 || type == 137) {
		if (!ip6_is_link_local(f->nd_src))
			return CLASS_ND_BAD;
		if (type == 134)
			return CLASS_RA;
		return redirect_ok((__u32 *)(f->msg + 8), (__u32 *)(f->msg + 24)) ? CLASS_REDIRECT
										  : CLASS_ND_BAD;
	}
	if (f->msg[8] == 0xff)
		return CLASS_ND_BAD;
	if (type == 136) {
		if ((f->nd_dst[0] & 0xff) == 0xff && f->msg[4] & 0x40)
			return CLASS_ND_BAD;
		f->na_flags = EVENT_NA | (f->msg[4] & 0x80 ? EVENT_NA_ROUTER : 0) |
			      (f->msg[4] & 0x20 ? EVENT_NA_OVERRIDE : 0);
		return group ? CLASS_NA_UNSOLICITED : CLASS_NA;
	}
	dad = ip6_is_zero(f->nd_src);
	if (dad && (has_lla || f->nd_dst[0] != BE32(0xff020000) || f->nd_dst[1] ||
			   f->nd_dst[2] != BE32(1) || (f->nd_dst[3] & 0xff) != 0xff))
		return CLASS_ND_BAD;
	return dad ? CLASS_NS_DAD : group ? CLASS_NS : CLASS_NS_UNICAST;
}

/* RFC 8200 section 4, 4302, 6275, 7401, 5533: headers that have others behind them. */
static __always_inline int ip6_extends(__u32 next)
{
	return next == 0 || next == 43 || next == 44 || next == 51 || next == 60 || next == 135 ||
	       next == 139 || next == 140;
}

/* Neighbour discovery behind extension headers, or so many of them that one cannot tell. */
static __always_inline int hides_nd(void *ctx, int xdp, struct bpf_frame *f, __u32 next)
{
	__u32 at = ND_AT;

	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		__u8 head[4] = {};

		if (next == 58)
			return frame_load(ctx, xdp, at, head, 1) ||
			       (head[0] >= 133 && head[0] <= 137);
		if (!ip6_extends(next))
			return 0;
		if (frame_load(ctx, xdp, at, head, 4))
			return 1;
		if (next == 44 && (head[2] || head[3] & 0xf8))
			return 0; /* a later fragment */
		at += next == 44 ? 8 : next == 51 ? (head[1] + 2) * 4 : (head[1] + 1) * 8;
		next = head[0];
		if (at > f->len)
			return 1;
	}
	return 1;
}

static __always_inline int type_is_mld(__u8 type)
{
	return (type >= 130 && type <= 132) || type == 143;
}

static __always_inline __u32 class_ip6(void *ctx, int xdp, struct octets o, struct bpf_frame *f)
{
	const __u8 *ip = o.p + ETH_LEN;
	__u32 group = mac_is_group(f->dst);
	__u32 otherwise = group ? CLASS_IP6_MULTICAST : CLASS_IP6_UNICAST;
	const __u8 *next = ip + IP6_LEN;
	__u32 ext;

	if ((void *)next > o.end || ip[0] >> 4 != 6)
		return otherwise;
	if (ip[7] == 255 && ip6_extends(ip[6]) && hides_nd(ctx, xdp, f, ip[6]))
		return CLASS_ND_BAD;
	switch (ip[6]) {
	case 58:
		if ((void *)next + 4 > o.end)
			return otherwise;
		if (next[0] >= 133 && next[0] <= 137)
			return class_nd(ctx, xdp, o, f, next[0], frame_u16(ip + 4));
		return group && type_is_mld(next[0]) ? CLASS_MLD : otherwise;
	case 0:
		if (!group || (void *)next + 8 > o.end || next[0] != 58)
			return otherwise;
		ext = (next[1] + 1) * 8;
		if (ext > 64 || (void *)next + ext + 4 > o.end)
			return otherwise;
		return type_is_mld(next[ext]) ? CLASS_MLD : otherwise;
	case 17:
		return group ? class_udp(next, o.end, 1, otherwise) : otherwise;
	case 88:
		return group ? CLASS_EIGRP : otherwise;
	case 89:
		return group ? CLASS_OSPF : otherwise;
	case 103:
		return group ? CLASS_PIM : otherwise;
	}
	return otherwise;
}

/* How much of a frame must stand together in memory for its class. Unicast IP, the bulk of all
 * traffic, is asked for no more than a driver has put there already. */
static __always_inline __u32 frame_need(__u16 type, __u32 group)
{
	switch (type) {
	case BE16(0x0800):
		return group ? ETH_LEN + 60 + 8 : ETH_LEN + 20;
	case BE16(0x86dd):
		return group ? ND_AT + 64 + 4 : ND_AT + 4;
	case BE16(0x0806):
		return ARP_LEN;
	}
	return 22; /* SNAP */
}

static __always_inline __u32 class_type(__u16 type)
{
	if (type == 0x88cc)
		return CLASS_LLDP;
	return type == 0x9000 || type == 0x8899 || (type >= 0x6001 && type <= 0x6004)
		       ? CLASS_LOOP_TEST
		       : CLASS_ETHERTYPE;
}

static __always_inline void frame_classify(
	void *ctx, int xdp, struct octets o, struct bpf_frame *f, int tag_in_metadata)
{
	__u16 type;

	if (o.p + ETH_LEN > o.end)
		return; /* a runt: frame_new() */
	f->dst = mac_of(o.p);
	f->src = mac_of(o.p + 6);
	type = *(__u16 *)(o.p + 12);
	if (tag_in_metadata || type == BE16(0x8100) || type == BE16(0x88a8) || type == BE16(0x9100))
		f->cls = CLASS_TAGGED;
	else if (BE16(type) < 0x0600)
		f->cls = class_llc(o, f);
	else if (type == BE16(0x0800))
		f->cls = class_ip4(ctx, xdp, o, f);
	else if (type == BE16(0x86dd))
		f->cls = class_ip6(ctx, xdp, o, f);
	else if (type == BE16(0x0806))
		f->cls = class_arp(o, f);
	else
		f->cls = class_type(BE16(type));
}

/* What is not in the skb's head is brought there. Not 0: out of memory. */
__noinline int frame_of_skb(struct __sk_buff *skb, struct bpf_frame *f)
{
	struct octets o = {(void *)(long)skb->data, (void *)(long)skb->data_end};
	__u32 need;

	if (!f)
		return -1;
	f->len = skb->len;
	if (o.p + ETH_LEN <= o.end) {
		need = frame_need(*(__u16 *)(o.p + 12), *(__u8 *)o.p & 1);
		if (need > f->len)
			need = f->len;
		if (o.end - o.p < need) {
			if (bpf_skb_pull_data(skb, need))
				return -1;
			o.p = (void *)(long)skb->data;
			o.end = (void *)(long)skb->data_end;
		}
	}
	frame_classify(skb, 0, o, f, skb->vlan_present);
	return 0;
}

__noinline int frame_of_xdp(struct xdp_md *xdp, struct bpf_frame *f)
{
	struct octets o = {(void *)(long)xdp->data, (void *)(long)xdp->data_end};

	if (!f)
		return -1;
	f->len = o.end - o.p;
	frame_classify(xdp, 1, o, f, 0);
	return 0;
}

/* Fills f->ip from a frame whose class is not `tagged`. Returns 0 always. */
__noinline int ip_look(struct __sk_buff *skb, struct bpf_frame *f)
{
	__u32 h[10] = {};
	__u16 type = 0;

	if (!f)
		return 0;
	f->ip.family = 0;
	if (bpf_skb_load_bytes(skb, 12, &type, 2))
		return 0;
	if (type == BE16(0x0800) && !bpf_skb_load_bytes(skb, ETH_LEN, h, 20)) {
		__u32 ihl = (h[0] & 0xf) * 4;

		if ((h[0] >> 4 & 0xf) != 4 || ihl < 20 || ETH_LEN + ihl > skb->len)
			return 0;
		f->ip.family = 4;
		f->ip.protocol = h[1] & BE32(0x1fff) ? 255 : h[2] >> 8 & 0xff;
		f->ip.at = ETH_LEN + ihl;
		f->ip.src[0] = h[3];
		f->ip.dst[0] = h[4];
	} else if (type == BE16(0x86dd) && !bpf_skb_load_bytes(skb, ETH_LEN, h, 40)) {
		if ((h[0] >> 4 & 0xf) != 6)
			return 0;
		f->ip.family = 6;
		f->ip.protocol = h[1] >> 16 & 0xff;
		f->ip.at = ND_AT;
		__builtin_memcpy(f->ip.src, h + 2, 32);
	}
	return 0;
}
