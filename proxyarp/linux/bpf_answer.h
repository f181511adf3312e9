/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * The answers, built on the stack and written over the request: RFC 826, 5227 2.1.1, 4861 7.2.4, 9161 3.3.
 *
 * The frame begins at the third octet of the buffer, so that what stands behind the Ethernet header is aligned to words.
 */
#pragma once
#include "proxyarp/linux/bpf_frame.h"

#define NA_LEN 86

union answer {
	__u32 w[22];
	__u16 h[44];
	__u8 b[88];
};
#define ANSWER_AT 2

static __always_inline void answer_ethernet(union answer *a, __u64 dst, __u64 src, __u16 type)
{
	mac_put(a->b + 2, dst);
	mac_put(a->b + 8, src);
	a->h[7] = BE16(type);
}

/* The asker's addresses are those of the frame: a sender-mismatch is not answered. */
static __always_inline void answer_arp(union answer *a, const struct bpf_frame *f, __u64 owner)
{
	answer_ethernet(a, f->src, owner, 0x0806);
	a->w[4] = BE32(0x00010800);
	a->w[5] = BE32(0x06040002);
	mac_put(a->b + 24, owner);
	a->h[15] = f->target4;
	a->h[16] = f->target4 >> 16;
	mac_put(a->b + 34, f->src);
	a->w[10] = f->sender4;
}

/* O always: RFC 9161 3.2.1, 4861 7.2.8 notwithstanding, since the owner's entry is the only truth there is.
 * To :: it goes to all nodes (RFC 4861 7.2.4) but leaves by the asker's port alone; through the fabric to the asker's
 * MAC, or the vxlan device would flood it. */
static __always_inline void answer_na(union answer *a, const struct bpf_frame *f, __u64 owner,
	__u32 router, int kind)
{
	const __u32 *target = (const __u32 *)(f->msg + 8);
	__u32 dad = f->cls == CLASS_NS_DAD, sum;
	__u64 dst = f->src;

	if (dad && kind == PORT_MEMBER)
		dst = 0x010000003333ULL; /* 33:33:00:00:00:01 */
	answer_ethernet(a, dst, owner, 0x86dd);
	a->w[4] = BE32(0x60000000);
	a->w[5] = BE32(32 << 16 | 58 << 8 | 255);
	a->w[6] = a->w[16] = target[0];
	a->w[7] = a->w[17] = target[1];
	a->w[8] = a->w[18] = target[2];
	a->w[9] = a->w[19] = target[3];
	a->w[10] = dad ? BE32(0xff020000) : f->nd_src[0];
	a->w[11] = dad ? 0 : f->nd_src[1];
	a->w[12] = dad ? 0 : f->nd_src[2];
	a->w[13] = dad ? BE32(1) : f->nd_src[3];
	a->w[14] = BE32(136U << 24);
	a->w[15] = BE32(0x20000000) | (router ? BE32(0x80000000) : 0) |
		   (dad ? 0 : BE32(0x40000000));
	a->h[40] = BE16(0x0201);
	mac_put(a->b + 82, owner);
	sum = bpf_csum_diff(0, 0, a->w + 6, 64, BE32(32 + 58));
	sum = (sum & 0xffff) + (sum >> 16);
	a->h[29] = ~(sum + (sum >> 16));
}

/* Builds it over zeroes; returns its length. */
static __always_inline __u32 answer_build(union answer *a, const struct bpf_frame *f,
	const struct layout_bind *owner, int kind)
{
	__u64 mac = mac_of(owner->mac);

	if (class_in(f->cls, CLASSES_ARP)) {
		answer_arp(a, f, mac);
		return ARP_LEN;
	}
	answer_na(a, f, mac, owner->flags & BIND_ROUTER, kind);
	return NA_LEN;
}

/* The class of an answer, for those that no egress program sees. */
static __always_inline __u32 answer_class(const struct bpf_frame *f, int kind)
{
	if (class_in(f->cls, CLASSES_ARP))
		return CLASS_ARP_REPLY;
	return f->cls == CLASS_NS_DAD && kind == PORT_MEMBER ? CLASS_NA_UNSOLICITED : CLASS_NA;
}
