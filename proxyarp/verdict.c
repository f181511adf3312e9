/* The verdict on one frame at one port. The order of the checks is docs/verdict.md, which is a
 * contract: the BPF programs say the same, and tests/bpf holds the two against each other. Numbers
 * in comments are that document's steps.
 *
 * No state, no clock, no policing: the verdict names the bucket, a plane asks it and, if it is empty,
 * calls verdict_police(). Events are told for every frame; a plane deduplicates them and limits
 * their rate.
 */
#include "proxyarp/verdict.h"

#include <string.h>

#include "proxyarp/answer.h"
#include "proxyarp/frame.h"

/* One frame under judgement. */
struct judge {
	const struct tables *t;
	const struct verdict_input *in;
	const struct layout_port *port;
	bool member;   /* else the fabric */
	uint32_t here; /* what `ifindex` of a MAC or binding says that it is behind this port: of the fabric, 0 */
	bool unproven; /* a check whose rule is off would have ended it: nothing is learned from it */
	struct frame f;
	struct verdict *v;
};

static const struct ip no_ip;

static void decide(struct judge *j, enum frame_outcome o)
{
	j->v->outcome = o;
}

static void would(struct verdict *v, enum frame_outcome o)
{
	if (v->has_would)
		return;
	v->has_would = true;
	v->would = o;
}

static struct layout_event event_of(const struct judge *j, enum layout_event_type type, struct ip ip)
{
	struct layout_event e = {
		.when_ns = j->in->now_ns,
		.lan = j->port->lan,
		.ifindex = j->in->ifindex,
		.type = (uint8_t)type,
		.family = ip.family,
		.cls = (uint8_t)j->f.cls,
	};

	memcpy(e.mac, j->f.src.b, 6);
	memcpy(e.ip, ip.b, 16);
	return e;
}

/* Who it is from. Only EVENT_MAC makes room for a later one. */
static void tell(struct judge *j, enum layout_event_type type, enum frame_rule rule, struct ip ip)
{
	struct verdict *v = j->v;

	if ((v->has_event && v->event.type != EVENT_MAC) || !mac_is_host(j->f.src))
		return;
	v->has_event = true;
	v->event = event_of(j, type, ip);
	v->event.rule = (uint8_t)rule;
	if (type == EVENT_BINDING && frame_is_na(&j->f)) {
		v->event.flags = EVENT_NA;
		if (j->f.na_flags & FRAME_NA_ROUTER)
			v->event.flags |= EVENT_NA_ROUTER;
		if (j->f.na_flags & FRAME_NA_OVERRIDE)
			v->event.flags |= EVENT_NA_OVERRIDE;
	}
}

/* What it is after: the first of these stays. Nobody is told of the fabric's. */
static void ask(struct judge *j, enum layout_event_type type, struct ip ip)
{
	struct verdict *v = j->v;

	if (v->has_ask || !j->member)
		return;
	v->has_ask = true;
	v->ask = event_of(j, type, ip);
	if (type == EVENT_TRAP && j->f.bgp_syn)
		v->ask.flags = EVENT_TRAP_SYN;
}

static bool tells_spoof(enum frame_outcome o)
{
	return o == OUTCOME_SPOOF_MAC || o == OUTCOME_SPOOF_IP || o == OUTCOME_LOOP;
}

/* A rule forbids it. True: and that is the outcome; false: the rule only counts, or is off. */
static bool forbidden(struct judge *j, enum frame_rule rule, enum frame_outcome o, struct ip ip)
{
	enum layout_action action = RULE_ACTION(j->port->rules, rule);
	bool stands = action == ACTION_DROP || action == ACTION_ALARM;

	if (action == ACTION_OFF)
		return false;
	if (tells_spoof(o) && j->member) {
		bool first = !j->v->has_event || j->v->event.type == EVENT_MAC;
		tell(j, EVENT_SPOOF, rule, ip);
		if (first && !stands)
			j->v->event.flags |= EVENT_WOULD;
	} else if (action == ACTION_ALARM) {
		tell(j, EVENT_RULE, rule, no_ip);
	}
	if (stands)
		decide(j, o);
	else
		would(j->v, o);
	return stands;
}

static const struct layout_bind *find_bind(const struct judge *j, struct ip ip)
{
	return ip.family == 4 ? tables_bind4(j->t, j->port->lan, ip.b)
			      : tables_bind6(j->t, j->port->lan, ip.b);
}

static const struct layout_mac *find_mac(const struct judge *j, const uint8_t mac[6])
{
	return tables_mac(j->t, j->port->lan, mac);
}

static bool may_flood(const struct judge *j, enum frame_class c)
{
	return (j->port->flood_classes & CLASS_BIT(c)) != 0;
}

static bool unknown_floods(const struct judge *j)
{
	return j->port->unknown_target == UNKNOWN_FLOOD ||
	       j->port->unknown_target == UNKNOWN_POLICE;
}

static bool is_probe(const struct judge *j)
{
	return j->f.cls == CLASS_ARP_PROBE || j->f.cls == CLASS_NS_DAD;
}

static void flood(struct judge *j, enum layout_police group)
{
	j->v->police = (uint8_t)group;
	decide(j, OUTCOME_FLOODED);
}

static void forward(struct judge *j)
{
	const struct layout_mac *m = find_mac(j, j->f.dst.b);

	if (!m && unknown_floods(j)) {
		flood(j, POLICE_OTHER);
	} else if (!m) {
		decide(j, OUTCOME_UNKNOWN_UNICAST);
	} else if (m->flags & MAC_TRAP) {
		ask(j, EVENT_TRAP, j->f.target);
		decide(j, OUTCOME_TRAPPED);
	} else if (m->flags & MAC_SELF) {
		if (!j->member || !j->f.vxlan || !forbidden(j, RULE_VXLAN, OUTCOME_VXLAN, no_ip))
			decide(j, OUTCOME_LOCAL);
	} else if (m->ifindex == j->here) {
		decide(j, OUTCOME_SAME_PORT);
	} else if (m->flags & MAC_DOWN) {
		decide(j, OUTCOME_UNKNOWN_UNICAST);
	} else {
		decide(j, OUTCOME_FORWARDED);
	}
}

/* A frame that no rule forbids any more, and that nothing further is asked of. */
static void go_on(struct judge *j)
{
	if (mac_is_group(j->f.dst))
		flood(j, POLICE_OTHER);
	else
		forward(j);
}

/* The source MAC is not this port's. False: decided. */
static bool foreign_source(struct judge *j, bool loop)
{
	if (loop && forbidden(j, RULE_LOOP, OUTCOME_LOOP, no_ip))
		return false;
	if (forbidden(j, RULE_SOURCE_MAC, OUTCOME_SPOOF_MAC, no_ip))
		return false;
	j->unproven = true;
	return true;
}

/* Step 4: may this source use this port? False: decided. */
static bool judge_source(struct judge *j)
{
	bool closed = j->port->flags & PORT_CLOSED;

	if (!mac_is_host(j->f.src)) {
		decide(j, OUTCOME_SPOOF_MAC);
		return false;
	}
	const struct layout_mac *m = find_mac(j, j->f.src.b);
	if (!m && !closed) {
		tell(j, EVENT_MAC, RULE_NONE, no_ip);
		return true;
	}
	if (!m)
		return foreign_source(j, false);
	if (m->ifindex == j->here) {
		if (m->flags & MAC_REPORT)
			tell(j, EVENT_MAC, RULE_NONE, no_ip);
		return true;
	}
	if (m->flags & (MAC_SELF | MAC_TRAP))
		return foreign_source(j, true);
	if (m->home == j->here || (!closed && !(m->flags & MAC_STATIC))) {
		tell(j, EVENT_MOVED, RULE_NONE, no_ip);
		decide(j, OUTCOME_MOVED);
		return false;
	}
	const struct layout_mac *to = find_mac(j, j->f.dst.b);
	return foreign_source(j, to && to->ifindex == j->here);
}

/* Step 5. False: decided. */
static bool judge_class(struct judge *j)
{
	enum frame_rule rule = class_rule(j->f.cls);
	enum frame_outcome o = rule == RULE_MALFORMED ? OUTCOME_MALFORMED : OUTCOME_HYGIENE;

	if (rule == RULE_NONE)
		return true;
	if (may_flood(j, j->f.cls) || !forbidden(j, rule, o, no_ip))
		go_on(j);
	return false;
}

/* A link-local address that is made from a MAC (RFC 4291 appendix A) that is known, and behind another port: whoever came
 * first would have it, and members have registered none as a rule. */
static bool made_from_another(const struct judge *j, struct ip ip)
{
	const uint8_t *id = ip.b + 8;
	const uint8_t mac[6] = {id[0] ^ 2, id[1], id[2], id[5], id[6], id[7]};

	if (id[3] != 0xff || id[4] != 0xfe || memcmp(mac, j->f.src.b, 6) == 0)
		return false;
	const struct layout_mac *m = find_mac(j, mac);
	return m && m->ifindex != j->here;
}

enum speaker { SPEAKER_OWNS, SPEAKER_NEW, SPEAKER_SPOOFS };

static enum speaker speaks_for(const struct judge *j, struct ip ip)
{
	const struct layout_bind *b = find_bind(j, ip);
	bool closed = j->port->flags & PORT_CLOSED;
	bool link_local = ip.family == 6 && ip_is_link_local(ip);
	bool anothers = link_local && made_from_another(j, ip);

	if (!b || b->flags & BIND_SPONGE)
		return (link_local ? !anothers : !closed) ? SPEAKER_NEW : SPEAKER_SPOOFS;
	bool is_static = b->flags & BIND_STATIC;
	bool same = memcmp(b->mac, j->f.src.b, 6) == 0;
	if (b->ifindex == j->here && (same || b->flags & BIND_ALT || !is_static))
		return is_static && same ? SPEAKER_OWNS : SPEAKER_NEW;
	return is_static || closed || anothers ? SPEAKER_SPOOFS : SPEAKER_NEW;
}

static enum frame_rule spoof_ip_rule(enum frame_class c)
{
	switch (c) {
	case CLASS_ARP_REPLY:
	case CLASS_ARP_REPLY_BCAST:
	case CLASS_NA:
	case CLASS_NA_UNSOLICITED:
		return RULE_PROXY_ARP;
	default:
		return RULE_ADDRESS;
	}
}

/* "Speaks for": may this port and MAC say that they have `ip`? False: decided. */
static bool judge_speaker(struct judge *j, struct ip ip)
{
	enum speaker s = speaks_for(j, ip);

	if (s == SPEAKER_SPOOFS)
		return !forbidden(j, spoof_ip_rule(j->f.cls), OUTCOME_SPOOF_IP, ip);
	/* RFC 9161 section 3.2: no entry from NS. */
	if (s == SPEAKER_NEW && !frame_is_ns(&j->f) && !j->unproven)
		tell(j, EVENT_BINDING, RULE_NONE, ip);
	return true;
}

/* Step 6. False: decided. */
static bool judge_sender(struct judge *j)
{
	if (j->f.mismatch) {
		if (!forbidden(j, RULE_SENDER, OUTCOME_SENDER_MISMATCH, no_ip))
			go_on(j);
		return false;
	}
	if (!j->member)
		return true;
	if (frame_is_na(&j->f))
		return judge_speaker(j, j->f.target);
	if ((frame_is_arp(&j->f) || frame_is_ns(&j->f)) && !ip_is_unspecified(j->f.sender))
		return judge_speaker(j, j->f.sender);
	return true;
}

/* Step 7. False: decided. */
static bool judge_announcement(struct judge *j)
{
	enum frame_class c = j->f.cls;

	if (c != CLASS_ARP_GRATUITOUS && c != CLASS_ARP_REPLY_BCAST && c != CLASS_NA_UNSOLICITED)
		return true;
	if (may_flood(j, c))
		flood(j, POLICE_ANNOUNCE);
	else
		decide(j, OUTCOME_ABSORBED);
	return false;
}

/* Data from an address that the sponge answers for: somebody lives there. */
static void judge_life(struct judge *j)
{
	if (!(j->port->flags & PORT_WATCH) || !j->f.sender.family || j->unproven)
		return;
	const struct layout_bind *b = find_bind(j, j->f.sender);
	if (b && b->flags & BIND_SPONGE)
		ask(j, EVENT_LIFE, j->f.sender);
}

/* Step 8. False: decided. */
static bool judge_unicast(struct judge *j)
{
	switch (j->f.cls) {
	case CLASS_IP4_UNICAST:
	case CLASS_IP6_UNICAST:
		judge_life(j);
		forward(j);
		return false;
	case CLASS_ARP_REPLY:
	case CLASS_ARP_UNICAST:
	case CLASS_NS_UNICAST:
	case CLASS_NA:
		forward(j);
		return false;
	default:
		return true;
	}
}

/* Step 9; RFC 9161 section 3.3 (f). False: decided. */
static bool judge_ns_option(struct judge *j)
{
	if (!j->f.odd_option)
		return true;
	switch (j->port->ns_option) {
	case NS_OPTION_DISCARD:
		decide(j, OUTCOME_NS_OPTION);
		return false;
	case NS_OPTION_FORWARD:
		flood(j, POLICE_OTHER);
		return false;
	default:
		return true;
	}
}

static void no_owner(struct judge *j)
{
	if (is_probe(j))
		ask(j, EVENT_PROBE, j->f.target);
	else if (j->port->unknown_target == UNKNOWN_SPONGE)
		ask(j, EVENT_QUERY, j->f.target);
	if (unknown_floods(j))
		flood(j, POLICE_UNKNOWN);
	else
		decide(j, is_probe(j) ? OUTCOME_FREE_PROBE : OUTCOME_UNKNOWN_TARGET);
}

static void answer(struct judge *j, const struct layout_bind *b, enum frame_outcome o)
{
	j->v->answer_len = (uint16_t)answer_build(&j->f, b,
		(j->member ? 0 : ANSWER_TO_FABRIC) |
			(j->port->flags & PORT_ANYCAST ? ANSWER_ANYCAST : 0),
		j->v->answer);
	decide(j, o);
}

/* RFC 9161 section 3.4: sent on to the owner alone instead of being answered. */
static void unicast_forward(struct judge *j, const struct layout_bind *b)
{
	const struct layout_mac *m = find_mac(j, b->mac);

	if (!m || m->ifindex == j->here || m->flags & (MAC_DOWN | MAC_SELF | MAC_TRAP)) {
		no_owner(j);
		return;
	}
	memcpy(j->v->dst, b->mac, 6);
	decide(j, OUTCOME_UNICAST_FORWARDED);
}

/* Step 10, and the fabric's step 8: there, back to a MAC that EVPN has told us about. */
static void judge_owner(struct judge *j, const struct layout_bind *b)
{
	bool sponge = b->flags & BIND_SPONGE;

	if (memcmp(b->mac, j->f.src.b, 6) == 0 || (b->ifindex == j->here && !sponge)) {
		decide(j, OUTCOME_OWN_TARGET);
		return;
	}
	if (sponge) {
		ask(j, EVENT_QUERY, j->f.target);
		j->v->police = POLICE_UNKNOWN;
		answer(j, b, OUTCOME_SPONGED);
		return;
	}
	j->v->police = b->flags & BIND_EXCHANGE ? POLICE_EXCHANGE : POLICE_KNOWN;
	/* An option of which judge_ns_option() says nothing is to be answered, or to be sent on. */
	if (j->port->flags & PORT_UNICAST_FORWARD ||
		(j->f.odd_option && j->port->ns_option == NS_OPTION_UNICAST)) {
		unicast_forward(j, b);
		return;
	}
	const struct layout_mac *m = j->member ? NULL : find_mac(j, j->f.src.b);
	if (j->member || (m && m->ifindex == 0))
		answer(j, b, OUTCOME_ANSWERED);
	else
		decide(j, OUTCOME_FOREIGN_VTEP);
}

static void judge_target(struct judge *j)
{
	const struct layout_bind *b = find_bind(j, j->f.target);

	if (b && b->flags & BIND_WATCH && !is_probe(j))
		ask(j, EVENT_QUERY, j->f.target);
	if (!b || b->flags & BIND_SILENT ||
		(b->flags & BIND_SPONGE && (is_probe(j) || !j->member)))
		no_owner(j);
	else
		judge_owner(j, b);
}

static void judge_frame(struct judge *j)
{
	if (j->member && j->port->flags & PORT_QUARANTINE)
		decide(j, OUTCOME_QUARANTINE);
	else if (j->f.cls == CLASS_RUNT)
		decide(j, OUTCOME_MALFORMED);
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
		decide(j, OUTCOME_MALFORMED);
	else if (!f->vni_valid || !tables_vtep(j->t, f->vni, no_ip))
		decide(j, OUTCOME_FOREIGN_VNI);
	else if ((f->sender.family == 6 && ip_is_unspecified(f->sender)) || !tables_vtep(j->t, f->vni, f->sender))
		decide(j, OUTCOME_UNKNOWN_VTEP);
	else
		decide(j, OUTCOME_FORWARDED);
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
		would(v, v->outcome);
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
		decide(j, OUTCOME_ANSWER);
	} else if (mark == MARK_PROBE) {
		decide(j, OUTCOME_PROBE);
	} else if (j->port->flags & PORT_QUARANTINE) {
		decide(j, OUTCOME_QUARANTINE);
	} else if (j->f.cls == CLASS_RUNT) {
		decide(j, OUTCOME_MALFORMED);
	} else if (mark == MARK_FLOOD) {
		j->v->police = (uint8_t)out_group(j->f.cls);
		decide(j, OUTCOME_DELIVERED);
	} else if (mac_is_group(j->f.dst)) {
		decide(j, OUTCOME_UNAUTHORISED);
	} else {
		const struct layout_mac *m = find_mac(j, j->f.dst.b);
		decide(j, m && m->ifindex == j->here ? OUTCOME_DELIVERED : OUTCOME_UNKNOWN_UNICAST);
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
