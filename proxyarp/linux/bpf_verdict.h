/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * What becomes of a frame: docs/verdict.md for BPF, rule by rule in its order. Nothing here changes
 * the frame, counts or tells: the programs in quell.bpf.c do what the verdict says. `kind` is a
 * constant everywhere: a member port's program has no code of the fabric's.
 */
#pragma once
#include "proxyarp/linux/bpf_verdict_sender.h"
#include "proxyarp/linux/bpf_verdict_target.h"

static __always_inline __u32 verdict_in(void *ctx, int xdp, struct bpf_frame *f,
	const struct layout_port *port, int kind, __u32 ifindex, struct verdict *v)
{
	__u32 family = speaker_family(f), known = 0, rule;
	struct bpf_cached_speaker *c = 0;

	if (kind == PORT_MEMBER && port->flags & PORT_QUARANTINE)
		return OUTCOME_QUARANTINE;
	if (f->cls == CLASS_RUNT)
		return OUTCOME_MALFORMED;
	if (kind == PORT_MEMBER) {
		c = speaker_row(f, family);
		known = speaker_known(c, f, family, ifindex, v->generation);
		if (!known && !source_good(f, port, ifindex, v))
			return v->outcome;
		if (!known && !family)
			speaker_remember(c, f, 0, ifindex, v);
	}
	if (!class_in(f->cls, CLASSES_FREE)) {
		rule = class_rule(f->cls);
		if (!class_in(f->cls, port->flood_classes) &&
			forbids(f, port, v, rule,
				rule == RULE_MALFORMED ? OUTCOME_MALFORMED : OUTCOME_HYGIENE))
			return v->outcome;
		return goes_on(ctx, xdp, f, port, kind, ifindex, v);
	}
	if (f->mismatch && !class_in(f->cls, CLASSES_IP))
		return forbids(f, port, v, RULE_SENDER, OUTCOME_SENDER_MISMATCH)
			       ? v->outcome
			       : goes_on(ctx, xdp, f, port, kind, ifindex, v);
	if (kind == PORT_MEMBER && (family ? !known : class_in(f->cls, CLASSES_NA))) {
		if (!speaker_good(f, port, ifindex, v))
			return v->outcome;
		if (family)
			speaker_remember(c, f, family, ifindex, v);
	}
	if (class_in(f->cls, CLASSES_GRATUITOUS))
		return class_in(f->cls, port->flood_classes) ? flood(v, POLICE_ANNOUNCE)
							     : OUTCOME_ABSORBED;
	if (class_in(f->cls, CLASSES_FORWARD)) {
		if (kind == PORT_MEMBER && !xdp && port->flags & PORT_WATCH && !v->passed &&
			class_in(f->cls, CLASSES_IP))
			tell_life(ctx, f, port);
		return forward(ctx, xdp, f, port, kind, ifindex, v);
	}
	if (f->other_options && port->ns_option == NS_OPTION_DISCARD)
		return OUTCOME_NS_OPTION;
	if (f->other_options && port->ns_option == NS_OPTION_FORWARD)
		return flood(v, POLICE_OTHER);
	return asked(f, port, kind, ifindex,
		f->other_options && port->ns_option == NS_OPTION_UNICAST, v);
}

static __always_inline __u32 verdict_out(
	struct bpf_frame *f, const struct layout_port *port, int kind, __u32 ifindex, __u32 mark)
{
	struct layout_mac *m;

	if (mark == MARK_ANSWER)
		return OUTCOME_ANSWER;
	if (mark == MARK_PROBE)
		return OUTCOME_PROBE;
	if (port->flags & PORT_QUARANTINE)
		return OUTCOME_QUARANTINE;
	if (f->cls == CLASS_RUNT)
		return OUTCOME_MALFORMED;
	if (mac_is_group(f->dst) || mark == MARK_FLOOD)
		return mark == MARK_FLOOD ? OUTCOME_DELIVERED : OUTCOME_UNAUTHORISED;
	m = mac_find(port->lan, f->dst);
	return m && m->ifindex == (kind == PORT_MEMBER ? ifindex : 0) ? OUTCOME_DELIVERED
								      : OUTCOME_UNKNOWN_UNICAST;
}

/* What shares a bucket on its way out. */
static __always_inline __u32 police_out(const struct bpf_frame *f)
{
	if (class_in(f->cls, CLASSES_ASK | CLASSES_PROBE))
		return POLICE_UNKNOWN;
	return class_in(f->cls, CLASSES_GRATUITOUS) ? POLICE_ANNOUNCE : POLICE_OTHER;
}

/* --- underlay --- */

/* What the vxlan device would be given. OUTCOME_COUNT: none of our business. */
static __always_inline __u32 verdict_underlay(struct __sk_buff *skb, struct bpf_frame *f, __u32 generation)
{
	struct layout_vtep_key k = {};
	struct bpf_cached_vtep *c;
	__u32 udp[4] = {}, row;
	__u32 *ip = (__u32 *)k.ip;

	if (!ip_to_vxlan(skb, f))
		return OUTCOME_COUNT;
	f->cls = f->ip.family == 4 ? CLASS_IP4_UNICAST : CLASS_IP6_UNICAST;
	if (f->ip.family == 4) { /* ::ffff:0:0/96 */
		f->ip.src[3] = f->ip.src[0];
		f->ip.dst[3] = f->ip.dst[0];
		f->ip.src[0] = f->ip.src[1] = f->ip.dst[0] = f->ip.dst[1] = 0;
		f->ip.src[2] = f->ip.dst[2] = BE32(0xffff);
	}
	__builtin_memcpy(ip, f->ip.dst, 16);
	if (bpf_skb_load_bytes(skb, f->ip.at, udp, 16))
		return bpf_map_lookup_elem(&vteps, &k) ? OUTCOME_MALFORMED : OUTCOME_COUNT;
	row = (BE32(udp[3]) >> 8 ^ f->ip.src[3] >> 24 ^ f->ip.src[3] >> 14) % CACHED_VTEPS;
	c = bpf_map_lookup_elem(&cached_vteps, &row);
	if (c && c->generation == generation && c->vni == udp[3] && udp[2] & BE32(0x08000000) &&
		ip6_is_same(c->src, f->ip.src) && ip6_is_same(c->dst, f->ip.dst))
		return OUTCOME_FORWARDED;
	if (!bpf_map_lookup_elem(&vteps, &k))
		return OUTCOME_COUNT;
	k.vni = BE32(udp[3]) >> 8;
	__builtin_memset(ip, 0, 16);
	if (!(udp[2] & BE32(0x08000000)) || !bpf_map_lookup_elem(&vteps, &k))
		return OUTCOME_FOREIGN_VNI;
	__builtin_memcpy(ip, f->ip.src, 16);
	if (ip6_is_zero(f->ip.src) || !bpf_map_lookup_elem(&vteps, &k))
		return OUTCOME_UNKNOWN_VTEP;
	if (c && generation) {
		c->vni = udp[3];
		__builtin_memcpy(c->src, f->ip.src, 32);
		c->generation = generation;
	}
	return OUTCOME_FORWARDED;
}
