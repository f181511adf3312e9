/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * The data plane's programs. At a member port and at the fabric's port (the vxlan device) stands
 * one on ingress, before the bridge sees a frame, and one on egress, behind everything: so each
 * frame is judged before it can flood, and what is counted as delivered did leave. quell_member_xdp
 * is the same verdict earlier: it answers what it can answer and leaves all else, counting
 * included, to the ingress program.
 *
 * An answer is written over its request and redirected to the egress of the same port with
 * MARK_ANSWER, so that taps see it and the egress program counts it. Filters return TC_ACT_UNSPEC
 * where a frame goes on: an operator's own filters behind ours still see it.
 *
 * quell_underlay_in stands where the vxlan device's packets arrive, and asks only who sent them.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "proxyarp/linux/bpf_maps.h"
#include "proxyarp/linux/bpf_frame.h"
#include "proxyarp/linux/bpf_verdict.h"
#include "proxyarp/linux/bpf_answer.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "MACs are compared as little-endian numbers"
#endif

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Whom a verdict names. Asked for again where it is used, behind the compiler's back: the kernel's verifier does not know
 * that some outcomes come with one, and that of 6.1 forgets sooner than others. */
static __always_inline const struct layout_bind *owner_of(const struct verdict *v)
{
	const struct layout_bind *owner = v->owner;

	asm volatile("" : "+r"(owner));
	return owner;
}

/* Turns the skb into the answer; on failure the request is lost. */
static __always_inline int answer_skb(struct __sk_buff *skb, const struct bpf_frame *f,
	const struct layout_port *port, const struct verdict *v, int kind)
{
	const struct layout_bind *owner = owner_of(v);
	union answer a = {};
	__u32 len;

	if (!owner)
		return -1;
	len = answer_build(&a, f, owner, port->flags, kind);
	if (f->len != len && bpf_skb_change_tail(skb, len, 0))
		return -1;
	if (!answer_write(&a, len, (void *)(long)skb->data, (void *)(long)skb->data_end) &&
		bpf_skb_store_bytes(skb, 0, a.b + ANSWER_AT, len == ARP_LEN ? ARP_LEN : NA_LEN, 0))
		return -1;
	skb->mark = MARK_ANSWER;
	return 0;
}

/* To the owner alone (RFC 9161 3.4): the bridge is to see a frame that was sent so. */
static __always_inline int send_on(struct __sk_buff *skb, const struct verdict *v)
{
	const struct layout_bind *owner = owner_of(v);
	__u8 *p = (void *)(long)skb->data;

	if (!owner || (void *)p + ETH_LEN > (void *)(long)skb->data_end)
		return -1;
	__builtin_memcpy(p, owner->mac, 6);
	return bpf_skb_change_type(skb, 3); /* PACKET_OTHERHOST */
}

static __always_inline int conforms(const struct layout_port *port, int dir, __u32 group, int floods,
	__u32 octets)
{
	__u32 policed = port->policed[dir & 1] & ((1 << POLICE_COUNT) - 1);

	if (policed & 1 << group && !police(POLICER_INDEX(port->slot, dir, group), octets))
		return 0;
	return !(floods && policed & 1 << POLICE_ALL) ||
	       police(POLICER_INDEX(port->slot, dir, POLICE_ALL), octets);
}

static __always_inline void judge_in(void *ctx, int xdp, struct bpf_frame *f,
	const struct layout_port *port, int kind, __u32 ifindex, struct verdict *v)
{
	v->would = WOULD_NONE;
	v->passed = 0;
	v->owner = 0;
	v->outcome = verdict_in(ctx, xdp, f, port, kind, ifindex, v);
}

static __always_inline void police_in(
	const struct bpf_frame *f, const struct layout_port *port, struct verdict *v)
{
	__u32 o = v->outcome;

	if (port->policed[DIR_IN] &&
		(o == OUTCOME_ANSWERED || o == OUTCOME_FLOODED || o == OUTCOME_SPONGED ||
			o == OUTCOME_UNICAST_FORWARDED) &&
		!conforms(port, DIR_IN, v->police & 7, o == OUTCOME_FLOODED, f->len))
		v->outcome = OUTCOME_POLICED_IN;
}

/* Of a source that is none, nothing is told. */
static __always_inline void tell_all(
	struct bpf_frame *f, const struct layout_port *port, __u32 ifindex, __u32 outcome)
{
	if (mac_is_group(f->src) || !f->src) {
		f->tell.type = f->ask.type = 0;
		return;
	}
	f->outcome = outcome;
	if (f->tell.type)
		tell_event(f, 0, port->lan, ifindex, port->slot);
	if (f->ask.type)
		tell_event(f, 1, port->lan, ifindex, port->slot);
}

static __always_inline void finish_in(struct bpf_frame *f, const struct layout_port *port,
	__u32 ifindex, const struct verdict *v)
{
	count(port->slot, DIR_IN, f->cls, v->outcome, f->len);
	if (v->would != WOULD_NONE)
		count_would(port->slot, DIR_IN, f->cls, v->would, f->len);
	if (f->tell.type | f->ask.type)
		tell_all(f, port, ifindex, v->outcome);
}

static __always_inline int mark_is_ours(__u32 mark)
{
	mark &= MARK_MASK;
	return mark == MARK_ANSWER || mark == MARK_FLOOD || mark == MARK_PROBE;
}

static __always_inline int tc_in(struct __sk_buff *skb, int kind)
{
	struct verdict v = {.generation = generation_now()};
	__u32 ifindex = skb->ifindex;
	struct layout_port *port = port_find(ifindex, v.generation);
	struct bpf_frame *f = frame_new();
	int action = TC_ACT_SHOT;

	if (!port || !f)
		return TC_ACT_UNSPEC;
	if (frame_of_skb(skb, f)) {
		count(port->slot, DIR_IN, f->cls, OUTCOME_ERROR, f->len);
		return TC_ACT_SHOT;
	}
	judge_in(skb, 0, f, port, kind, ifindex, &v);
	police_in(f, port, &v);
	if (port->flags & PORT_DRY && !outcome_passes(v.outcome)) {
		if (v.would == WOULD_NONE)
			v.would = v.outcome;
		v.outcome = OUTCOME_WOULD;
		f->tell.flags |= EVENT_WOULD;
		f->ask.flags |= EVENT_WOULD;
	}
	switch (v.outcome) {
	case OUTCOME_ANSWERED:
	case OUTCOME_SPONGED:
		if (answer_skb(skb, f, port, &v, kind))
			v.outcome = OUTCOME_ERROR;
		else
			action = bpf_redirect(ifindex, 0);
		break;
	case OUTCOME_FLOODED:
	case OUTCOME_WOULD:
		skb->mark = MARK_FLOOD;
		action = TC_ACT_UNSPEC;
		break;
	case OUTCOME_UNICAST_FORWARDED:
		if (send_on(skb, &v)) {
			v.outcome = OUTCOME_ERROR;
			break;
		}
		/* fall through */
	case OUTCOME_FORWARDED:
	case OUTCOME_LOCAL:
		/* A mark that came with it (a veth end in this namespace) must not open the egress.
		 */
		if (mark_is_ours(skb->mark))
			skb->mark = 0;
		action = TC_ACT_UNSPEC;
		break;
	}
	finish_in(f, port, ifindex, &v);
	return action;
}

static __always_inline int tc_out(struct __sk_buff *skb, int kind)
{
	__u32 ifindex = skb->ifindex, mark = skb->mark & MARK_MASK, outcome;
	struct layout_port *port = port_find(ifindex, generation_now());
	struct bpf_frame *f = frame_new();

	if (!port || !f)
		return TC_ACT_UNSPEC;
	if (frame_of_skb(skb, f)) {
		count(port->slot, DIR_OUT, f->cls, OUTCOME_ERROR, f->len);
		return TC_ACT_SHOT;
	}
	outcome = verdict_out(f, port, kind, ifindex, mark);
	if (outcome == OUTCOME_DELIVERED && mark == MARK_FLOOD && port->policed[DIR_OUT] &&
		!conforms(port, DIR_OUT, police_out(f), 1, f->len))
		outcome = OUTCOME_POLICED_OUT;
	if (port->flags & PORT_DRY && !outcome_passes(outcome)) {
		count_would(port->slot, DIR_OUT, f->cls, outcome, f->len);
		outcome = OUTCOME_WOULD;
	}
	count(port->slot, DIR_OUT, f->cls, outcome, f->len);
	return outcome == OUTCOME_WOULD || outcome_passes(outcome) ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

SEC("tc")
int quell_member_in(struct __sk_buff *skb)
{
	return tc_in(skb, PORT_MEMBER);
}

SEC("tc")
int quell_fabric_in(struct __sk_buff *skb)
{
	return tc_in(skb, PORT_FABRIC);
}

SEC("tc")
int quell_member_out(struct __sk_buff *skb)
{
	return tc_out(skb, PORT_MEMBER);
}

SEC("tc")
int quell_fabric_out(struct __sk_buff *skb)
{
	return tc_out(skb, PORT_FABRIC);
}

SEC("tc")
int quell_underlay_in(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex, now = generation_now(), outcome;
	struct layout_port *port = port_find(ifindex, now);
	struct bpf_frame *f = frame_new();

	if (!port || !f || skb->vlan_present)
		return TC_ACT_UNSPEC;
	f->len = skb->len;
	outcome = verdict_underlay(skb, f, now);
	if (outcome == OUTCOME_COUNT)
		return TC_ACT_UNSPEC;
	if (port->flags & PORT_DRY && outcome != OUTCOME_FORWARDED) {
		count_would(port->slot, DIR_IN, f->cls, outcome, f->len);
		outcome = OUTCOME_WOULD;
	}
	count(port->slot, DIR_IN, f->cls, outcome, f->len);
	return outcome == OUTCOME_FORWARDED || outcome == OUTCOME_WOULD ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

/* Only requests can be answered here; the rest is told from them by a few octets. */
static __always_inline int xdp_asks(void *data, void *end)
{
	const __u8 *p = data;

	if ((void *)p + ARP_LEN > end)
		return 0;
	if (*(const __u16 *)(p + 12) == BE16(0x0806))
		return 1;
	return *(const __u16 *)(p + 12) == BE16(0x86dd) && (void *)p + ND_AT + 4 <= end &&
	       p[20] == 58 && p[54] == 135;
}

static __always_inline int xdp_in(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	__u32 ifindex = xdp->ingress_ifindex, len;
	struct verdict v = {.generation = generation_now()};
	union answer a = {};
	const struct layout_bind *owner;
	struct layout_port *port;
	struct bpf_frame *f;

	if (!xdp_asks(data, end))
		return XDP_PASS;
	port = port_find(ifindex, v.generation);
	f = frame_new();
	if (!port || !f || port->flags & PORT_DRY || frame_of_xdp(xdp, f))
		return XDP_PASS;
	judge_in(xdp, 1, f, port, PORT_MEMBER, ifindex, &v);
	owner = owner_of(&v);
	if (!owner || (v.outcome != OUTCOME_ANSWERED && v.outcome != OUTCOME_SPONGED))
		return XDP_PASS;
	police_in(f, port, &v); /* having taken from the bucket, it must decide */
	if (v.outcome == OUTCOME_POLICED_IN) {
		finish_in(f, port, ifindex, &v);
		return XDP_DROP;
	}
	len = answer_build(&a, f, owner, port->flags, PORT_MEMBER);
	if (f->len != len && bpf_xdp_adjust_tail(xdp, (int)len - (int)f->len))
		return XDP_PASS;
	if (!answer_write(&a, len, (void *)(long)xdp->data, (void *)(long)xdp->data_end))
		return XDP_DROP;
	finish_in(f, port, ifindex, &v);
	count(port->slot, DIR_OUT, answer_class(f, PORT_MEMBER), OUTCOME_ANSWER, len);
	return XDP_TX;
}

SEC("xdp")
int quell_member_xdp(struct xdp_md *xdp)
{
	return xdp_in(xdp);
}
