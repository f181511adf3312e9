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

/* Turns the skb into the answer; on failure the request is lost. */
static __always_inline int answer_skb(
	struct __sk_buff *skb, const struct bpf_frame *f, const struct verdict *v, int kind)
{
	union answer a = {};
	__u32 len = answer_build(&a, f, v->owner, kind);

	if (f->len != len && bpf_skb_change_tail(skb, len, 0))
		return -1;
	if (!answer_write(&a, len, (void *)(long)skb->data, (void *)(long)skb->data_end) &&
		bpf_skb_store_bytes(skb, 0, a.b + ANSWER_AT, len == ARP_LEN ? ARP_LEN : NA_LEN, 0))
		return -1;
	skb->mark = MARK_ANSWER;
	return 0;
}

static __always_inline int police_port(const struct layout_port *port, int dir, __u32 octets)
{
	return !(port->policed[dir & 1] & 1 << POLICE_ALL) ||
	       police(POLICER_INDEX(port->slot, dir, POLICE_ALL), octets);
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
	v.outcome = frame_of_skb(skb, f) ? OUTCOME_ERROR : verdict_in(f, port, kind, ifindex, &v);
	switch (v.outcome) {
	case OUTCOME_ANSWERED:
		if (!v.owner || answer_skb(skb, f, &v, kind))
			v.outcome = OUTCOME_ERROR;
		else
			action = bpf_redirect(ifindex, 0);
		break;
	case OUTCOME_FLOODED:
		if (police_port(port, DIR_IN, f->len)) {
			skb->mark = MARK_FLOOD;
			action = TC_ACT_UNSPEC;
		} else {
			v.outcome = OUTCOME_POLICED_IN;
		}
		break;
	case OUTCOME_FORWARDED:
	case OUTCOME_LOCAL:
		/* A mark that came with it (a veth end in this namespace) must not open the egress.
		 */
		if (mark_is_ours(skb->mark))
			skb->mark = 0;
		action = TC_ACT_UNSPEC;
		break;
	}
	count(port->slot, DIR_IN, f->cls, v.outcome, f->len);
	if (kind == PORT_MEMBER && f->tell.type)
		tell_event(f, port->lan, ifindex, port->slot, v.outcome);
	return action;
}

static __always_inline int tc_out(struct __sk_buff *skb, int kind)
{
	__u32 ifindex = skb->ifindex, outcome;
	struct layout_port *port = port_find(ifindex, generation_now());
	struct bpf_frame *f = frame_new();

	if (!port || !f)
		return TC_ACT_UNSPEC;
	outcome = frame_of_skb(skb, f) ? OUTCOME_ERROR
				       : verdict_out(f, port, kind, ifindex, skb->mark & MARK_MASK);
	if (outcome == OUTCOME_DELIVERED && mac_is_group(f->dst) &&
		!police_port(port, DIR_OUT, f->len))
		outcome = OUTCOME_POLICED_OUT;
	count(port->slot, DIR_OUT, f->cls, outcome, f->len);
	return outcome == OUTCOME_DELIVERED || outcome == OUTCOME_ANSWER || outcome == OUTCOME_PROBE
		       ? TC_ACT_UNSPEC
		       : TC_ACT_SHOT;
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
	struct layout_port *port;
	struct bpf_frame *f;

	if (!xdp_asks(data, end))
		return XDP_PASS;
	port = port_find(ifindex, v.generation);
	f = frame_new();
	if (!port || !f || frame_of_xdp(xdp, f))
		return XDP_PASS;
	if (verdict_in(f, port, PORT_MEMBER, ifindex, &v) != OUTCOME_ANSWERED || !v.owner)
		return XDP_PASS;
	len = answer_build(&a, f, v.owner, PORT_MEMBER);
	if (f->len != len && bpf_xdp_adjust_tail(xdp, (int)len - (int)f->len))
		return XDP_PASS;
	if (!answer_write(&a, len, (void *)(long)xdp->data, (void *)(long)xdp->data_end))
		return XDP_DROP;
	count(port->slot, DIR_IN, f->cls, OUTCOME_ANSWERED, f->len);
	count(port->slot, DIR_OUT, answer_class(f, PORT_MEMBER), OUTCOME_ANSWER, len);
	if (f->tell.type)
		tell_event(f, port->lan, ifindex, port->slot, OUTCOME_ANSWERED);
	return XDP_TX;
}

SEC("xdp")
int quell_member_xdp(struct xdp_md *xdp)
{
	return xdp_in(xdp);
}
