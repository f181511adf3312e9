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
	struct layout_bind *owner; /* outcome ANSWERED: whose answer */
};

#define CLASSES_ARP                                                                                \
	(CLASS_BIT(CLASS_ARP_REQUEST) | CLASS_BIT(CLASS_ARP_PROBE) |                               \
		CLASS_BIT(CLASS_ARP_GRATUITOUS) | CLASS_BIT(CLASS_ARP_UNICAST) |                   \
		CLASS_BIT(CLASS_ARP_REPLY) | CLASS_BIT(CLASS_ARP_REPLY_BCAST))
#define CLASSES_NS (CLASS_BIT(CLASS_NS) | CLASS_BIT(CLASS_NS_DAD) | CLASS_BIT(CLASS_NS_UNICAST))
#define CLASSES_NA (CLASS_BIT(CLASS_NA) | CLASS_BIT(CLASS_NA_UNSOLICITED))
#define CLASSES_IP (CLASS_BIT(CLASS_IP4_UNICAST) | CLASS_BIT(CLASS_IP6_UNICAST))
#define CLASSES_GRATUITOUS                                                                         \
	(CLASS_BIT(CLASS_ARP_GRATUITOUS) | CLASS_BIT(CLASS_ARP_REPLY_BCAST) |                      \
		CLASS_BIT(CLASS_NA_UNSOLICITED))
#define CLASSES_FORWARD                                                                            \
	(CLASS_BIT(CLASS_ARP_REPLY) | CLASS_BIT(CLASS_ARP_UNICAST) | CLASS_BIT(CLASS_NS_UNICAST) | \
		CLASS_BIT(CLASS_NA) | CLASSES_IP)
#define CLASSES_PROBE (CLASS_BIT(CLASS_ARP_PROBE) | CLASS_BIT(CLASS_NS_DAD))

static __always_inline int class_in(__u32 cls, __u64 set)
{
	return (CLASS_BIT(cls & 63) & set) != 0;
}

static __always_inline int may_flood(const struct layout_port *port)
{
	return port->unknown_target == UNKNOWN_FLOOD || port->unknown_target == UNKNOWN_POLICE;
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

static __always_inline void tell(struct bpf_frame *f, __u32 type)
{
	f->tell.type = type;
	f->tell.family = f->tell.flags = 0;
	f->tell.ip[0] = f->tell.ip[1] = f->tell.ip[2] = f->tell.ip[3] = 0;
}

static __always_inline void tell_ip(struct bpf_frame *f, __u32 type, int speaks)
{
	tell(f, type);
	if (class_in(f->cls, CLASSES_ARP)) {
		f->tell.family = 4;
		f->tell.ip[0] = speaks ? f->sender4 : f->target4;
		return;
	}
	f->tell.family = 6;
	f->tell.flags = type == EVENT_BINDING ? f->na_flags : 0;
	__builtin_memcpy(f->tell.ip, address6(f, speaks), 16);
}

/* Step 4. True: go on; else v->outcome. */
static __always_inline int source_good(
	struct bpf_frame *f, const struct layout_port *port, __u32 ifindex, struct verdict *v)
{
	struct layout_mac *m;

	v->outcome = OUTCOME_SPOOF_MAC;
	if (mac_is_group(f->src) || !f->src)
		return 0;
	m = mac_find(port->lan, f->src);
	if (m && m->ifindex == ifindex) {
		if (m->flags & MAC_REPORT)
			tell(f, EVENT_MAC);
		if (m->flags & MAC_DOWN)
			m->flags &= ~MAC_DOWN;
		return 1;
	}
	if (!m && !(port->flags & PORT_CLOSED)) {
		tell(f, EVENT_MAC);
		return 1;
	}
	tell(f, EVENT_SPOOF);
	if (m && !(m->flags & MAC_SELF) &&
		(m->home == ifindex || !((port->flags & PORT_CLOSED) || (m->flags & MAC_STATIC)))) {
		tell(f, EVENT_MOVED);
		v->outcome = OUTCOME_MOVED;
	}
	return 0;
}

/* A link-local address that is made from a MAC (RFC 4291 appendix A) that is known, and behind another port. */
static __always_inline int made_from_another(const struct bpf_frame *f, const struct layout_port *port,
	__u32 ifindex)
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

/* Step 7, "speaks for". True: go on; else the outcome is SPOOF_IP. */
static __always_inline int speaker_good(
	struct bpf_frame *f, const struct layout_port *port, __u32 ifindex)
{
	struct layout_bind *b = bind_find(f, port->lan, 1);
	int link_local = !class_in(f->cls, CLASSES_ARP) && ip6_is_link_local(address6(f, 1));
	int good, report = 1;

	if (b) {
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
		tell_ip(f, EVENT_SPOOF, 1);
	else if (report && !class_in(f->cls, CLASSES_NS))
		tell_ip(f, EVENT_BINDING, 1);
	return good;
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

static __always_inline void speaker_remember(struct bpf_cached_speaker *c,
	const struct bpf_frame *f, __u32 family, __u32 ifindex, __u32 generation)
{
	if (!c || !generation || f->tell.type)
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

static __always_inline __u32 forward(
	struct bpf_frame *f, const struct layout_port *port, int kind, __u32 ifindex)
{
	struct layout_mac *m = mac_find(port->lan, f->dst);

	if (!m)
		return may_flood(port) ? OUTCOME_FLOODED : OUTCOME_UNKNOWN_UNICAST;
	if (m->flags & MAC_SELF)
		return OUTCOME_LOCAL;
	if (m->ifindex == (kind == PORT_MEMBER ? ifindex : 0))
		return OUTCOME_SAME_PORT;
	return m->flags & MAC_DOWN ? OUTCOME_UNKNOWN_UNICAST : OUTCOME_FORWARDED;
}

/* Step 11; of the fabric, 8. */
static __always_inline __u32 asked(struct bpf_frame *f, const struct layout_port *port, int kind,
	__u32 ifindex, struct verdict *v)
{
	struct layout_bind *b = bind_find(f, port->lan, 0);
	struct layout_mac *m;

	if (!b || b->flags & BIND_SILENT) {
		int probe = class_in(f->cls, CLASSES_PROBE);

		if (probe && kind == PORT_MEMBER)
			tell_ip(f, EVENT_PROBE, 0);
		if (may_flood(port))
			return OUTCOME_FLOODED;
		return probe ? OUTCOME_FREE_PROBE : OUTCOME_UNKNOWN_TARGET;
	}
	if (mac_of(b->mac) == f->src || b->ifindex == (kind == PORT_MEMBER ? ifindex : 0))
		return OUTCOME_OWN_TARGET;
	v->owner = b;
	if (kind == PORT_MEMBER)
		return OUTCOME_ANSWERED;
	m = mac_find(port->lan, f->src);
	return m && m->ifindex == 0 ? OUTCOME_ANSWERED : OUTCOME_FOREIGN_VTEP;
}

static __always_inline __u32 flood_class(
	struct bpf_frame *f, const struct layout_port *port, __u32 otherwise)
{
	return class_in(f->cls, port->flood_classes) ? OUTCOME_FLOODED : otherwise;
}

static __always_inline __u32 verdict_in(struct bpf_frame *f, const struct layout_port *port,
	int kind, __u32 ifindex, struct verdict *v)
{
	__u32 family = speaker_family(f), known = 0;
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
			speaker_remember(c, f, 0, ifindex, v->generation);
	}
	if (f->cls == CLASS_ARP_BAD || f->cls == CLASS_ND_BAD)
		return OUTCOME_MALFORMED;
	if (!class_in(f->cls, CLASSES_ARP | CLASSES_NS | CLASSES_NA | CLASSES_IP))
		return flood_class(f, port, OUTCOME_HYGIENE);
	if (f->mismatch && !class_in(f->cls, CLASSES_IP))
		return OUTCOME_SENDER_MISMATCH;
	if (kind == PORT_MEMBER && (family ? !known : class_in(f->cls, CLASSES_NA))) {
		if (!speaker_good(f, port, ifindex))
			return OUTCOME_SPOOF_IP;
		if (family)
			speaker_remember(c, f, family, ifindex, v->generation);
	}
	if (class_in(f->cls, CLASSES_GRATUITOUS))
		return flood_class(f, port, OUTCOME_ABSORBED);
	if (class_in(f->cls, CLASSES_FORWARD))
		return forward(f, port, kind, ifindex);
	if (f->other_options && port->ns_option != NS_OPTION_REPLY)
		return port->ns_option == NS_OPTION_DISCARD ? OUTCOME_NS_OPTION : OUTCOME_FLOODED;
	return asked(f, port, kind, ifindex, v);
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
