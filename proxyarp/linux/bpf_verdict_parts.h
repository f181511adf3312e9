/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * What the verdict's checks share: classes, rules, and what is told.
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
