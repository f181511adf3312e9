/* The verdict on one frame at one port. The order of the checks is docs/verdict.md, which is a
 * contract: the BPF programs say the same, and tests/bpf holds the two against each other. Numbers
 * in comments are that document's steps.
 *
 * No state, no clock, no policing: the verdict names the bucket, a plane asks it and, if it is empty,
 * calls verdict_police(). Events are told for every frame; a plane deduplicates them and limits
 * their rate.
 */
#include "proxyarp/verdict_parts.h"

/* Step 5. False: decided. */
static bool judge_class(struct judge *j)
{
	enum frame_rule rule = class_rule(j->f.cls);
	enum frame_outcome o = rule == RULE_MALFORMED ? OUTCOME_MALFORMED : OUTCOME_HYGIENE;

	if (rule == RULE_NONE)
		return true;
	if (judge_may_flood(j, j->f.cls) || !judge_forbids(j, rule, o, judge_no_ip))
		judge_go_on(j);
	return false;
}

/* Step 7. False: decided. */
static bool judge_announcement(struct judge *j)
{
	enum frame_class c = j->f.cls;

	if (c != CLASS_ARP_GRATUITOUS && c != CLASS_ARP_REPLY_BCAST && c != CLASS_NA_UNSOLICITED)
		return true;
	if (judge_may_flood(j, c))
		judge_flood(j, POLICE_ANNOUNCE);
	else
		judge_decide(j, OUTCOME_ABSORBED);
	return false;
}

/* Data from an address that the sponge answers for: somebody lives there. */
static void judge_life(struct judge *j)
{
	if (!(j->port->flags & PORT_WATCH) || !j->f.sender.family || j->unproven)
		return;
	const struct layout_bind *b = judge_find_bind(j, j->f.sender);
	if (b && b->flags & BIND_SPONGE)
		judge_ask(j, EVENT_LIFE, j->f.sender);
}

/* Step 8. False: decided. */
static bool judge_unicast(struct judge *j)
{
	switch (j->f.cls) {
	case CLASS_IP4_UNICAST:
	case CLASS_IP6_UNICAST:
		judge_life(j);
		judge_forward(j);
		return false;
	case CLASS_ARP_REPLY:
	case CLASS_ARP_UNICAST:
	case CLASS_NS_UNICAST:
	case CLASS_NA:
		judge_forward(j);
		return false;
	default:
		return true;
	}
}

static void judge_frame(struct judge *j)
{
	if (j->member && j->port->flags & PORT_QUARANTINE)
		judge_decide(j, OUTCOME_QUARANTINE);
	else if (j->f.cls == CLASS_RUNT)
		judge_decide(j, OUTCOME_MALFORMED);
	else if ((!j->member || judge_source(j)) && judge_class(j) && judge_sender(j) &&
		 judge_announcement(j) && judge_unicast(j) && judge_ns_option(j))
		judge_target(j);
}

/* VXLAN that is for us, and whether it may be. False: it is not for us. */
static bool judge_underlay(struct judge *j)
{
	const struct frame *f = &j->f;

	if (!f->vxlan || !tables_vtep(j->t, 0, f->target))
		return false;
	j->v->cls = j->f.cls = f->sender.family == 4 ? CLASS_IP4_UNICAST : CLASS_IP6_UNICAST;
	if (!f->vxlan_whole)
		judge_decide(j, OUTCOME_MALFORMED);
	else if (!f->vni_valid || !tables_vtep(j->t, f->vni, judge_no_ip))
		judge_decide(j, OUTCOME_FOREIGN_VNI);
	else if ((f->sender.family == 6 && ip_is_unspecified(f->sender)) || !tables_vtep(j->t, f->vni, f->sender))
		judge_decide(j, OUTCOME_UNKNOWN_VTEP);
	else
		judge_decide(j, OUTCOME_FORWARDED);
	return true;
}

static bool begin(struct judge *j, const struct tables *t, const struct verdict_input *in,
	struct verdict *ret)
{
	*ret = (struct verdict){.outcome = OUTCOME_ERROR, .pass = true, .police = POLICE_NONE};
	*j = (struct judge){.t = t, .in = in, .v = ret, .port = tables_port(t, in->ifindex)};
	frame_read(in->frame, in->len, in->tag_in_metadata, &j->f);
	ret->cls = j->f.cls;
	if (!j->port)
		return false;
	j->member = j->port->kind == PORT_MEMBER;
	j->here = j->port->kind == PORT_FABRIC ? 0 : in->ifindex;
	return true;
}

static bool takes_from_bucket(enum frame_outcome o)
{
	return o == OUTCOME_FLOODED || o == OUTCOME_ANSWERED || o == OUTCOME_SPONGED ||
	       o == OUTCOME_UNICAST_FORWARDED || o == OUTCOME_DELIVERED;
}

/* Passes or not; and last of all, dry run. */
static void finish(const struct layout_port *port, enum frame_dir dir, struct verdict *v)
{
	if (!takes_from_bucket(v->outcome))
		v->police = POLICE_NONE;
	v->pass = outcome_kind(v->outcome) == 'F';
	if (!v->pass && port->flags & PORT_DRY) {
		judge_would(v, v->outcome);
		v->outcome = OUTCOME_WOULD;
		v->pass = true;
		v->answer_len = 0;
		v->event.flags |= EVENT_WOULD;
		v->ask.flags |= EVENT_WOULD;
	}
	if (dir == DIR_IN && port->kind != PORT_UNDERLAY &&
		(v->outcome == OUTCOME_FLOODED || v->outcome == OUTCOME_WOULD))
		v->set_mark = MARK_FLOOD;
	v->event.outcome = v->ask.outcome = (uint8_t)v->outcome;
}

void verdict_in(const struct tables *t, const struct verdict_input *in, struct verdict *ret)
{
	struct judge j;

	if (!begin(&j, t, in, ret))
		return;
	if (j.port->kind != PORT_UNDERLAY)
		judge_frame(&j);
	else if (!judge_underlay(&j))
		return;
	finish(j.port, DIR_IN, ret);
}

/* Whose bucket a frame takes from that leaves because it floods. */
static enum layout_police out_group(enum frame_class c)
{
	switch (c) {
	case CLASS_ARP_REQUEST:
	case CLASS_ARP_PROBE:
	case CLASS_NS:
	case CLASS_NS_DAD:
		return POLICE_UNKNOWN;
	case CLASS_ARP_GRATUITOUS:
	case CLASS_ARP_REPLY_BCAST:
	case CLASS_NA_UNSOLICITED:
		return POLICE_ANNOUNCE;
	default:
		return POLICE_OTHER;
	}
}

static void judge_out(struct judge *j, uint32_t mark)
{
	if (mark == MARK_ANSWER) {
		judge_decide(j, OUTCOME_ANSWER);
	} else if (mark == MARK_PROBE) {
		judge_decide(j, OUTCOME_PROBE);
	} else if (j->port->flags & PORT_QUARANTINE) {
		judge_decide(j, OUTCOME_QUARANTINE);
	} else if (j->f.cls == CLASS_RUNT) {
		judge_decide(j, OUTCOME_MALFORMED);
	} else if (mark == MARK_FLOOD) {
		j->v->police = (uint8_t)out_group(j->f.cls);
		judge_decide(j, OUTCOME_DELIVERED);
	} else if (mac_is_group(j->f.dst)) {
		judge_decide(j, OUTCOME_UNAUTHORISED);
	} else {
		const struct layout_mac *m = judge_find_mac(j, j->f.dst.b);
		judge_decide(j, m && m->ifindex == j->here ? OUTCOME_DELIVERED : OUTCOME_UNKNOWN_UNICAST);
	}
}

void verdict_out(const struct tables *t, const struct verdict_input *in, struct verdict *ret)
{
	struct judge j;

	if (!begin(&j, t, in, ret) || j.port->kind == PORT_UNDERLAY)
		return;
	judge_out(&j, in->mark & MARK_MASK);
	finish(j.port, DIR_OUT, ret);
}

void verdict_police(const struct layout_port *port, enum frame_dir dir, struct verdict *v)
{
	enum frame_outcome o = dir == DIR_IN ? OUTCOME_POLICED_IN : OUTCOME_POLICED_OUT;

	v->set_mark = 0;
	v->answer_len = 0;
	/* In dry run an answer that was not given is not what would have been. */
	if (v->outcome == OUTCOME_WOULD && v->has_would &&
		(v->would == OUTCOME_ANSWERED || v->would == OUTCOME_SPONGED))
		v->has_would = false;
	v->outcome = o;
	finish(port, dir, v);
}
