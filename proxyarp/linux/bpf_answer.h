/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * The answers, built on the stack and written over the request: RFC 826, 5227 2.1.1, 4861 7.2.4,
 * 9161 3.3.
 *
 * The frame begins at the third octet of the buffer, so that what stands behind the Ethernet header
 * is aligned to words.
 */
#pragma once
#include "proxyarp/linux/bpf_frame.h"

#define NA_LEN 86

union answer {
	__u64 d[11];
	__u32 w[22];
	__u16 h[44];
	__u8 b[88];
};
#define ANSWER_AT 2

static __always_inline void answer_ethernet(union answer *a, __u64 dst, __u64 src, __u16 type)
{
	a->d[0] = dst << 16;
	a->d[1] = src | (__u64)BE16(type) << 48;
}

/* The asker's addresses are those of the frame: a sender-mismatch is not answered. */
static __always_inline void answer_arp(union answer *a, const struct bpf_frame *f, __u64 owner)
{
	answer_ethernet(a, f->src, owner, 0x0806);
	a->d[2] = BE32(0x00010800) | (__u64)BE32(0x06040002) << 32;
	a->d[3] = owner | (__u64)f->target4 << 48;
	a->d[4] = f->target4 >> 16 | f->src << 16;
	a->w[10] = f->sender4;
}

/* From the addresses on, with the payload length and next header of the pseudo-header (RFC 4443 2.3). */
static __always_inline __u16 answer_sum(const union answer *a)
{
	__u64 sum = BE32(32 + 58);

#pragma unroll
	for (int i = 3; i < 11; i++)
		sum += (a->d[i] & 0xffffffff) + (a->d[i] >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

/* O always, unless addresses may have several owners (RFC 9161 3.3 d; 4861 7.2.8 notwithstanding):
 * the owner's entry is the only truth there is. To :: it goes to all nodes (RFC 4861 7.2.4) but
 * leaves by the asker's port alone; through the fabric to the asker's MAC, or the vxlan device
 * would flood it. */
static __always_inline void answer_na(
	union answer *a, const struct bpf_frame *f, __u64 owner, __u32 bits, int kind)
{
	const __u64 *target = (const __u64 *)(f->msg + 8), *asker = (const __u64 *)f->nd_src;
	__u32 dad = f->cls == CLASS_NS_DAD;
	__u32 flags = bits | (dad ? 0 : 0x40000000);
	__u64 dst = f->src;

	if (dad && kind == PORT_MEMBER)
		dst = 0x010000003333ULL; /* 33:33:00:00:00:01 */
	answer_ethernet(a, dst, owner, 0x86dd);
	a->d[2] = BE32(0x60000000) | (__u64)BE32(32 << 16 | 58 << 8 | 255) << 32;
	a->d[3] = a->d[8] = target[0];
	a->d[4] = a->d[9] = target[1];
	a->d[5] = dad ? BE32(0xff020000) : asker[0];
	a->d[6] = dad ? (__u64)BE32(1) << 32 : asker[1];
	a->d[7] = BE32(136U << 24) | (__u64)BE32(flags) << 32;
	a->d[10] = BE16(0x0201) | owner << 16;
	a->d[7] |= (__u64)answer_sum(a) << 16;
}

/* Builds it over zeroes; returns its length. */
static __always_inline __u32 answer_build(
	union answer *a, const struct bpf_frame *f, const struct layout_bind *owner, __u32 port_flags,
	int kind)
{
	__u32 override = !(port_flags & PORT_ANYCAST) || owner->flags & BIND_OVERRIDE;
	__u64 mac = mac_of(owner->mac);

	if (class_in(f->cls, CLASSES_ARP)) {
		answer_arp(a, f, mac);
		return ARP_LEN;
	}
	answer_na(a, f, mac, (owner->flags & BIND_ROUTER ? 0x80000000 : 0) | (override ? 0x20000000 : 0), kind);
	return NA_LEN;
}

/* The class of an answer, for those that no egress program sees. */
static __always_inline __u32 answer_class(const struct bpf_frame *f, int kind)
{
	if (class_in(f->cls, CLASSES_ARP))
		return CLASS_ARP_REPLY;
	return f->cls == CLASS_NS_DAD && kind == PORT_MEMBER ? CLASS_NA_UNSOLICITED : CLASS_NA;
}

/* Writes it over the frame. False: that many octets do not stand together there. */
static __always_inline int answer_write(const union answer *a, __u32 len, void *p, void *end)
{
	if (p + ARP_LEN > end || (len != ARP_LEN && p + NA_LEN > end))
		return 0;
	*(__u16 *)p = a->h[1];
	*(__u32 *)(p + 2) = a->w[1];
	*(__u64 *)(p + 6) = a->d[1];
	*(__u64 *)(p + 14) = a->d[2];
	*(__u64 *)(p + 22) = a->d[3];
	*(__u64 *)(p + 30) = a->d[4];
	if (len == ARP_LEN) {
		*(__u32 *)(p + 38) = a->w[10];
		return 1;
	}
	if (p + NA_LEN > end)
		return 0;
	*(__u64 *)(p + 38) = a->d[5];
	*(__u64 *)(p + 46) = a->d[6];
	*(__u64 *)(p + 54) = a->d[7];
	*(__u64 *)(p + 62) = a->d[8];
	*(__u64 *)(p + 70) = a->d[9];
	*(__u64 *)(p + 78) = a->d[10];
	return 1;
}
