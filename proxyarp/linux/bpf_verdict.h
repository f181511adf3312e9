/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * What becomes of a frame: docs/verdict.md for BPF, rule by rule in its order. Nothing here changes
 * the frame, counts or tells: the programs in quell.bpf.c do what the verdict says. `kind` is a
 * constant everywhere: a member port's program has no code of the fabric's.
 */
#pragma once
#include "proxyarp/linux/bpf_frame.h"
#include "proxyarp/linux/bpf_tell.h"

struct verdict {
	__u32 generation; /* in: generation_now(), before any look-up */
	__u32 outcome;
	__u32 would;		   /* WOULD_NONE, or what would have become of it */
	__u32 police;		   /* enum layout_police */
	__u32 passed;		   /* a rule about its sender that is off: nothing is learned from it */
	struct layout_bind *owner; /* outcomes ANSWERED and SPONGED: whose answer; UNICAST_FORWARDED: to whom */
};
#define WOULD_NONE OUTCOME_COUNT

#define CLASS_FREE(sym, token, rule) | (RULE_##rule == RULE_NONE ? CLASS_BIT(CLASS_##sym) : 0)
#define CLASS_RULE(sym, token, rule) [CLASS_##sym] = RULE_##rule,
/* What no rule forbids. */
#define CLASSES_FREE (0 FRAME_CLASSES(CLASS_FREE))

#define CLASSES_ARP                                                                                \
	(CLASS_BIT(CLASS_ARP_REQUEST) | CLASS_BIT(CLASS_ARP_PROBE) |                               \
		CLASS_BIT(CLASS_ARP_GRATUITOUS) | CLASS_BIT(CLASS_ARP_UNICAST) |                   \
		CLASS_BIT(CLASS_ARP_REPLY) | CLASS_BIT(CLASS_ARP_REPLY_BCAST))
#define CLASSES_NS (CLASS_BIT(CLASS_NS) | CLASS_BIT(CLASS_NS_DAD) | CLASS_BIT(CLASS_NS_UNICAST))
#define CLASSES_NA (CLASS_BIT(CLASS_NA) | CLASS_BIT(CLASS_NA_UNSOLICITED))
#define CLASSES_IP (CLASS_BIT(CLASS_IP4_UNICAST) | CLASS_BIT(CLASS_IP6_UNICAST))
#define CLASSES_REPLY                                                                              \
	(CLASS_BIT(CLASS_ARP_REPLY) | CLASS_BIT(CLASS_ARP_REPLY_BCAST) | CLASSES_NA)
#define CLASSES_GRATUITOUS                                                                         \
	(CLASS_BIT(CLASS_ARP_GRATUITOUS) | CLASS_BIT(CLASS_ARP_REPLY_BCAST) |                      \
		CLASS_BIT(CLASS_NA_UNSOLICITED))
#define CLASSES_FORWARD                                                                            \
	(CLASS_BIT(CLASS_ARP_REPLY) | CLASS_BIT(CLASS_ARP_UNICAST) | CLASS_BIT(CLASS_NS_UNICAST) | \
		CLASS_BIT(CLASS_NA) | CLASSES_IP)
#define CLASSES_PROBE (CLASS_BIT(CLASS_ARP_PROBE) | CLASS_BIT(CLASS_NS_DAD))
#define CLASSES_ASK (CLASS_BIT(CLASS_ARP_REQUEST) | CLASS_BIT(CLASS_NS))

static __always_inline int class_in(__u32 cls, __u64 set)
{
	return (CLASS_BIT(cls & 63) & set) != 0;
}

static __always_inline __u32 class_rule(__u32 cls)
{
	static const __u8 rules[64] = {FRAME_CLASSES(CLASS_RULE)};

	return rules[cls & 63];
}

static __always_inline int may_flood(const struct layout_port *port)
{
	return port->unknown_target == UNKNOWN_FLOOD || port->unknown_target == UNKNOWN_POLICE;
}

static __always_inline int outcome_passes(__u32 o)
{
	return o == OUTCOME_FORWARDED || o == OUTCOME_FLOODED || o == OUTCOME_LOCAL ||
	       o == OUTCOME_UNICAST_FORWARDED || o == OUTCOME_DELIVERED || o == OUTCOME_ANSWER ||
	       o == OUTCOME_PROBE;
}

static __always_inline __u32 flood(struct verdict *v, __u32 group)
{
	v->police = group;
	return OUTCOME_FLOODED;
}

/* The IPv6 address that is spoken for, if `speaks`, else the one that is asked for. */
static __always_inline const __u32 *address6(const struct bpf_frame *f, int speaks)
{
	return speaks && class_in(f->cls, CLASSES_NS) ? f->nd_src : (const __u32 *)(f->msg + 8);
}

static __always_inline struct layout_bind *bind_find(
	const struct bpf_frame *f, __u32 lan, int speaks)
{
	return class_in(f->cls, CLASSES_ARP) ? bind4_find(lan, speaks ? f->sender4 : f->target4)
					     : bind6_find(lan, address6(f, speaks));
}

/* --- what is told --- */

static __always_inline void tell_put(struct bpf_tell *t, __u32 type)
{
	t->type = type;
	t->family = t->flags = t->rule = 0;
	t->ip[0] = t->ip[1] = t->ip[2] = t->ip[3] = 0;
}

static __always_inline void tell_address(
	struct bpf_tell *t, const struct bpf_frame *f, __u32 type, int speaks)
{
	tell_put(t, type);
	if (class_in(f->cls, CLASSES_ARP)) {
		t->family = 4;
		t->ip[0] = speaks ? f->sender4 : f->target4;
		return;
	}
	t->family = 6;
	t->flags = type == EVENT_BINDING ? f->na_flags : 0;
	__builtin_memcpy(t->ip, address6(f, speaks), 16);
}

/* Nothing else gives way to a later event. */
static __always_inline int may_tell(const struct bpf_frame *f)
{
	return !f->tell.type || f->tell.type == EVENT_MAC;
}

/* --- rules --- */

/* A rule is broken. True: its outcome stands; else the frame is judged as if there were no such rule. */
static __always_inline int forbids(struct bpf_frame *f, const struct layout_port *port,
	struct verdict *v, __u32 rule, __u32 outcome)
{
	__u32 action = RULE_ACTION(port->rules, rule);

	if (action == ACTION_OFF)
		return 0;
	if (action == ACTION_COUNT) {
		if (v->would == WOULD_NONE)
			v->would = outcome;
		return 0;
	}
	if (action == ACTION_ALARM && may_tell(f)) {
		tell_put(&f->tell, EVENT_RULE);
		f->tell.rule = rule;
	}
	v->outcome = outcome;
	return 1;
}

/* The same of rules about who sends: told whatever the rule does, unless it is off. `ip`: for whom it speaks too. */
static __always_inline int spoofs(struct bpf_frame *f, const struct layout_port *port,
	struct verdict *v, __u32 rule, __u32 outcome, int ip)
{
	__u32 action = RULE_ACTION(port->rules, rule);

	if (action != ACTION_OFF && may_tell(f)) {
		if (ip)
			tell_address(&f->tell, f, EVENT_SPOOF, 1);
		else
			tell_put(&f->tell, EVENT_SPOOF);
		f->tell.rule = rule;
		f->tell.flags = action == ACTION_COUNT ? EVENT_WOULD : 0;
	}
	v->passed = 1;
	return forbids(f, port, v, rule, outcome);
}

/* Step 4. True: go on; else v->outcome. */
static __always_inline int source_good(
	struct bpf_frame *f, const struct layout_port *port, __u32 ifindex, struct verdict *v)
{
	struct layout_mac *m, *to;
	__u32 loop;

	v->outcome = OUTCOME_SPOOF_MAC;
	if (mac_is_group(f->src) || !f->src)
		return 0;
	m = mac_find(port->lan, f->src);
	if (m && m->ifindex == ifindex) {
		if (m->flags & MAC_REPORT)
			tell_put(&f->tell, EVENT_MAC);
		if (m->flags & MAC_DOWN)
			m->flags &= ~MAC_DOWN;
		return 1;
	}
	if (!m && !(port->flags & PORT_CLOSED)) {
		tell_put(&f->tell, EVENT_MAC);
		return 1;
	}
	loop = m && m->flags & (MAC_SELF | MAC_TRAP);
	if (m && !loop) {
		if (m->home == ifindex || !((port->flags & PORT_CLOSED) || (m->flags & MAC_STATIC))) {
			tell_put(&f->tell, EVENT_MOVED);
			v->outcome = OUTCOME_MOVED;
			return 0;
		}
		to = mac_find(port->lan, f->dst);
		loop = to && to->ifindex == ifindex;
	}
	if (loop && spoofs(f, port, v, RULE_LOOP, OUTCOME_LOOP, 0))
		return 0;
	return !spoofs(f, port, v, RULE_SOURCE_MAC, OUTCOME_SPOOF_MAC, 0);
}

/* A link-local address that is made from a MAC (RFC 4291 appendix A) that is known, and behind another port. */
static __always_inline int made_from_another(
	const struct bpf_frame *f, const struct layout_port *port, __u32 ifindex)
{
	const __u8 *id = (const __u8 *)address6(f, 1) + 8;
	struct layout_mac *m;
	__u64 mac = (__u64)(id[0] ^ 2) | (__u64)id[1] << 8 | (__u64)id[2] << 16 | (__u64)id[5] << 24 |
		    (__u64)id[6] << 32 | (__u64)id[7] << 40;

	if (id[3] != 0xff || id[4] != 0xfe || mac == f->src)
		return 0;
	m = mac_find(port->lan, mac);
	return m && m->ifindex != ifindex;
}

/* "Speaks for" of step 6. True: go on; else v->outcome. */
static __always_inline int speaker_good(
	struct bpf_frame *f, const struct layout_port *port, __u32 ifindex, struct verdict *v)
{
	struct layout_bind *b = bind_find(f, port->lan, 1);
	int link_local = !class_in(f->cls, CLASSES_ARP) && ip6_is_link_local(address6(f, 1));
	int good, report = 1;

	if (b && !(b->flags & BIND_SPONGE)) {
		__u32 own = mac_of(b->mac) == f->src;

		good = b->ifindex == ifindex && (own || b->flags & BIND_ALT || !(b->flags & BIND_STATIC));
		if (good)
			report = !(b->flags & BIND_STATIC) || !own;
		else
			good = !(b->flags & BIND_STATIC || port->flags & PORT_CLOSED) &&
			       !(link_local && made_from_another(f, port, ifindex));
	} else {
		good = link_local ? !made_from_another(f, port, ifindex) : !(port->flags & PORT_CLOSED);
	}
	if (!good)
		return !spoofs(f, port, v,
			class_in(f->cls, CLASSES_REPLY) ? RULE_PROXY_ARP : RULE_ADDRESS, OUTCOME_SPOOF_IP,
			1);
	if (report && !v->passed && !class_in(f->cls, CLASSES_NS) && may_tell(f))
		tell_address(&f->tell, f, EVENT_BINDING, 1);
	return 1;
}

/* --- speakers this CPU found good, with nothing to tell --- */

/* The address that a frame from an ARP sender or NS source speaks for; 0: none, and then the MAC
 * alone is remembered. */
static __always_inline __u32 speaker_family(const struct bpf_frame *f)
{
	if (class_in(f->cls, CLASSES_ARP))
		return f->sender4 ? 4 : 0;
	return f->cls == CLASS_NS || f->cls == CLASS_NS_UNICAST ? 6 : 0;
}

static __always_inline struct bpf_cached_speaker *speaker_row(
	const struct bpf_frame *f, __u32 family)
{
	__u32 ip = family == 4 ? f->sender4 : family == 6 ? f->nd_src[3] : 0;
	__u32 row = (f->src >> 40 ^ f->src >> 29 ^ ip >> 24 ^ ip >> 14) % CACHED_SPEAKERS;

	return bpf_map_lookup_elem(&cached_speakers, &row);
}

static __always_inline int speaker_known(const struct bpf_cached_speaker *c,
	const struct bpf_frame *f, __u32 family, __u32 ifindex, __u32 generation)
{
	if (!c || c->mac != f->src || c->ifindex != ifindex || c->generation != generation ||
		c->family != family)
		return 0;
	if (family == 4)
		return c->ip[0] == f->sender4;
	return !family || (c->ip[0] == f->nd_src[0] && c->ip[1] == f->nd_src[1] &&
				  c->ip[2] == f->nd_src[2] && c->ip[3] == f->nd_src[3]);
}

static __always_inline void speaker_remember(struct bpf_cached_speaker *c, const struct bpf_frame *f,
	__u32 family, __u32 ifindex, const struct verdict *v)
{
	__u32 generation = v->generation;

	if (!c || !generation || f->tell.type || v->passed)
		return;
	c->mac = f->src;
	c->ifindex = ifindex;
	c->generation = generation;
	c->family = family;
	if (family == 4)
		c->ip[0] = f->sender4;
	else if (family == 6)
		__builtin_memcpy(c->ip, f->nd_src, 16);
}

/* --- where it goes --- */

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
