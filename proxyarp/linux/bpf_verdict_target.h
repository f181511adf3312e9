/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * Who is asked for, or sent to: docs/verdict.md, steps 8 and 10.
 */
#pragma once
#include "proxyarp/linux/bpf_verdict_parts.h"

static __always_inline int ip_to_vxlan(struct __sk_buff *skb, struct bpf_frame *f)
{
	__u16 ports[2] = {};

	ip_look(skb, f);
	return f->ip.family && f->ip.protocol == 17 && !bpf_skb_load_bytes(skb, f->ip.at, ports, 4) &&
	       ports[1] == BE16(4789);
}

/* A frame to the sponge, or to the MAC of a duplicate address. */
static __always_inline void tell_trap(struct __sk_buff *skb, struct bpf_frame *f)
{
	__u8 tcp[14] = {};

	if (class_in(f->cls, CLASSES_ARP | CLASSES_NS | CLASSES_NA)) {
		tell_address(&f->ask, f, EVENT_TRAP, 0);
		return;
	}
	tell_put(&f->ask, EVENT_TRAP);
	if (f->cls == CLASS_TAGGED)
		return;
	ip_look(skb, f);
	f->ask.family = f->ip.family;
	if (!f->ip.family)
		return;
	f->ask.ip[0] = f->ip.dst[0];
	if (f->ip.family == 6)
		__builtin_memcpy(f->ask.ip, f->ip.dst, 16);
	if (f->ip.protocol == 6 && !bpf_skb_load_bytes(skb, f->ip.at, tcp, 14) &&
		frame_u16(tcp + 2) == 179 && (tcp[13] & 0x12) == 0x02)
		f->ask.flags = EVENT_TRAP_SYN;
}

/* Data from an address that is thought to be nobody's. */
static __always_inline void tell_life(
	struct __sk_buff *skb, struct bpf_frame *f, const struct layout_port *port)
{
	struct layout_bind *b = 0;

	ip_look(skb, f);
	if (f->ip.family == 4)
		b = bind4_find(port->lan, f->ip.src[0]);
	else if (f->ip.family == 6)
		b = bind6_find(port->lan, f->ip.src);
	if (!b || !(b->flags & BIND_SPONGE))
		return;
	tell_put(&f->ask, EVENT_LIFE);
	f->ask.family = f->ip.family;
	f->ask.ip[0] = f->ip.src[0];
	if (f->ip.family == 6)
		__builtin_memcpy(f->ask.ip, f->ip.src, 16);
}

/* XDP leaves all this to tc. */
static __always_inline __u32 forward(void *ctx, int xdp, struct bpf_frame *f,
	const struct layout_port *port, int kind, __u32 ifindex, struct verdict *v)
{
	struct layout_mac *m;

	if (xdp)
		return OUTCOME_FORWARDED;
	m = mac_find(port->lan, f->dst);
	if (!m)
		return may_flood(port) ? flood(v, POLICE_OTHER) : OUTCOME_UNKNOWN_UNICAST;
	if (m->flags & MAC_TRAP) {
		if (kind == PORT_MEMBER && f->ask.type != EVENT_LIFE)
			tell_trap(ctx, f);
		return OUTCOME_TRAPPED;
	}
	if (m->flags & MAC_SELF)
		return kind == PORT_MEMBER && f->cls != CLASS_TAGGED && ip_to_vxlan(ctx, f) &&
				       forbids(f, port, v, RULE_VXLAN, OUTCOME_VXLAN)
			       ? OUTCOME_VXLAN
			       : OUTCOME_LOCAL;
	if (m->ifindex == (kind == PORT_MEMBER ? ifindex : 0))
		return OUTCOME_SAME_PORT;
	return m->flags & MAC_DOWN ? OUTCOME_UNKNOWN_UNICAST : OUTCOME_FORWARDED;
}

/* As if no rule had forbidden it. */
static __always_inline __u32 goes_on(void *ctx, int xdp, struct bpf_frame *f,
	const struct layout_port *port, int kind, __u32 ifindex, struct verdict *v)
{
	return mac_is_group(f->dst) ? flood(v, POLICE_OTHER)
				    : forward(ctx, xdp, f, port, kind, ifindex, v);
}

/* Step 10 where nobody has it. */
static __always_inline __u32 no_owner(
	struct bpf_frame *f, const struct layout_port *port, int kind, struct verdict *v)
{
	int probe = class_in(f->cls, CLASSES_PROBE);

	if (kind == PORT_MEMBER && (probe || port->unknown_target == UNKNOWN_SPONGE))
		tell_address(&f->ask, f, probe ? EVENT_PROBE : EVENT_QUERY, 0);
	if (may_flood(port))
		return flood(v, POLICE_UNKNOWN);
	return probe ? OUTCOME_FREE_PROBE : OUTCOME_UNKNOWN_TARGET;
}

/* Whether a request may go on to the owner himself: the bridge must know where he is. */
static __always_inline int owner_reached(
	const struct layout_bind *b, const struct layout_port *port, __u32 here)
{
	struct layout_mac *m = mac_find(port->lan, mac_of(b->mac));

	return m && m->ifindex != here && !(m->flags & (MAC_DOWN | MAC_SELF | MAC_TRAP));
}

#define BIND_ODD (BIND_SILENT | BIND_SPONGE | BIND_WATCH | BIND_EXCHANGE)

/* Step 10; of the fabric, 8. `unicast`: step 9 says so. */
static __always_inline __u32 asked(struct bpf_frame *f, const struct layout_port *port, int kind,
	__u32 ifindex, int unicast, struct verdict *v)
{
	struct layout_bind *b = bind_find(f, port->lan, 0);
	__u32 here = kind == PORT_MEMBER ? ifindex : 0, odd;
	struct layout_mac *m;

	if (!b)
		return no_owner(f, port, kind, v);
	odd = b->flags & BIND_ODD;
	v->police = POLICE_KNOWN;
	if (odd) {
		if (kind == PORT_MEMBER && odd & BIND_WATCH && class_in(f->cls, CLASSES_ASK))
			tell_address(&f->ask, f, EVENT_QUERY, 0);
		if (odd & BIND_SILENT ||
			(odd & BIND_SPONGE &&
				(kind == PORT_FABRIC || class_in(f->cls, CLASSES_PROBE))))
			return no_owner(f, port, kind, v);
		if (odd & BIND_EXCHANGE)
			v->police = POLICE_EXCHANGE;
	}
	if (mac_of(b->mac) == f->src || (b->ifindex == here && !(odd & BIND_SPONGE)))
		return OUTCOME_OWN_TARGET;
	v->owner = b;
	if (odd & BIND_SPONGE) {
		v->police = POLICE_UNKNOWN;
		tell_address(&f->ask, f, EVENT_QUERY, 0);
		return OUTCOME_SPONGED;
	}
	if (unicast || port->flags & PORT_UNICAST_FORWARD)
		return owner_reached(b, port, here) ? OUTCOME_UNICAST_FORWARDED
						    : no_owner(f, port, kind, v);
	if (kind == PORT_MEMBER)
		return OUTCOME_ANSWERED;
	m = mac_find(port->lan, f->src);
	return m && m->ifindex == 0 ? OUTCOME_ANSWERED : OUTCOME_FOREIGN_VTEP;
}
