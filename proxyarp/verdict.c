/* The verdict on one frame at one port. The order of the checks is docs/verdict.md, which is a
 * contract: the BPF programs say the same, and tests/bpf holds the two against each other. Numbers
 * in comments are that document's steps.
 *
 * No state, no clock, no policing: a plane asks its own bucket and turns `flooded` into
 * `policed-in`, `delivered` into `policed-out`. Events are told for every frame; a plane
 * deduplicates them and limits their rate.
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
	struct frame f;
	struct verdict *v;
};

static void decide(struct judge *j, enum frame_outcome o)
{
	j->v->outcome = o;
	j->v->pass = o == OUTCOME_FORWARDED || o == OUTCOME_FLOODED || o == OUTCOME_LOCAL ||
		     o == OUTCOME_DELIVERED || o == OUTCOME_ANSWER || o == OUTCOME_PROBE;
	if (o == OUTCOME_FLOODED)
		j->v->set_mark = MARK_FLOOD;
}

/* A later event replaces EVENT_MAC; spoofs and moves end the judgement, so nothing ever comes
 * behind them. */
static void tell(struct judge *j, enum layout_event_type type, struct ip ip)
{
	struct layout_event *e = &j->v->event;

	j->v->has_event = true;
	*e = (struct layout_event){
		.when_ns = j->in->now_ns,
		.lan = j->port->lan,
		.ifindex = j->in->ifindex,
		.type = (uint8_t)type,
		.family = ip.family,
	};
	memcpy(e->mac, j->f.src.b, 6);
	memcpy(e->ip, ip.b, 16);
	if (type == EVENT_BINDING && frame_is_na(&j->f)) {
		e->flags = EVENT_NA;
		if (j->f.na_flags & FRAME_NA_ROUTER)
			e->flags |= EVENT_NA_ROUTER;
		if (j->f.na_flags & FRAME_NA_OVERRIDE)
			e->flags |= EVENT_NA_OVERRIDE;
	}
}

static const struct layout_bind *find_bind(const struct judge *j, struct ip ip)
{
	return ip.family == 4 ? tables_bind4(j->t, j->port->lan, ip.b)
			      : tables_bind6(j->t, j->port->lan, ip.b);
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

/* Step 4: may this source use this port? False: decided. */
static bool judge_source(struct judge *j)
{
	const struct ip none = {0};
	bool closed = j->port->flags & PORT_CLOSED;

	if (!mac_is_host(j->f.src)) {
		decide(j, OUTCOME_SPOOF_MAC);
		return false;
	}
	const struct layout_mac *m = tables_mac(j->t, j->port->lan, j->f.src.b);
	if (!m && !closed) {
		tell(j, EVENT_MAC, none);
		return true;
	}
	if (m && !(m->flags & MAC_SELF)) {
		if (m->ifindex == j->in->ifindex) {
			if (m->flags & MAC_REPORT)
				tell(j, EVENT_MAC, none);
			return true;
		}
		if (m->home == j->in->ifindex || (!closed && !(m->flags & MAC_STATIC))) {
			tell(j, EVENT_MOVED, none);
			decide(j, OUTCOME_MOVED);
			return false;
		}
	}
	tell(j, EVENT_SPOOF, none);
	decide(j, OUTCOME_SPOOF_MAC);
	return false;
}

/* Step 6 and the same on the fabric: what is neither ARP, neighbour discovery nor unicast IP.
 * False: decided. */
static bool judge_hygiene(struct judge *j)
{
	enum frame_class c = j->f.cls;

	if (frame_is_arp(&j->f) || frame_is_ns(&j->f) || frame_is_na(&j->f) ||
		c == CLASS_IP4_UNICAST || c == CLASS_IP6_UNICAST)
		return true;
	decide(j, may_flood(j, c) ? OUTCOME_FLOODED : OUTCOME_HYGIENE);
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
	const struct layout_mac *m = tables_mac(j->t, j->port->lan, mac);
	return m && m->ifindex != j->in->ifindex;
}

/* "Speaks for": may this port and MAC say that they have `ip`? False: decided. */
static bool judge_speaker(struct judge *j, struct ip ip)
{
	const struct layout_bind *b = find_bind(j, ip);
	bool closed = j->port->flags & PORT_CLOSED;
	bool learn = !frame_is_ns(&j->f); /* RFC 9161 section 3.2: no entry from NS */
	bool link_local = ip.family == 6 && ip_is_link_local(ip);

	if (b) {
		bool same = memcmp(b->mac, j->f.src.b, 6) == 0;
		if (b->ifindex == j->in->ifindex &&
			(same || b->flags & BIND_ALT || !(b->flags & BIND_STATIC))) {
			if (learn && (!(b->flags & BIND_STATIC) || !same))
				tell(j, EVENT_BINDING, ip);
			return true;
		}
		if (!(b->flags & BIND_STATIC) && !closed &&
			!(link_local && made_from_another(j, ip))) {
			if (learn)
				tell(j, EVENT_BINDING, ip);
			return true;
		}
	} else if (link_local ? !made_from_another(j, ip) : !closed) {
		if (learn)
			tell(j, EVENT_BINDING, ip);
		return true;
	}
	tell(j, EVENT_SPOOF, ip);
	decide(j, OUTCOME_SPOOF_IP);
	return false;
}

/* Step 7; `member`: only there it also speaks for an address. False: decided. */
static bool judge_sender(struct judge *j, bool member)
{
	if (j->f.mismatch) {
		decide(j, OUTCOME_SENDER_MISMATCH);
		return false;
	}
	if (!member)
		return true;
	if (frame_is_na(&j->f))
		return judge_speaker(j, j->f.target);
	if ((frame_is_arp(&j->f) || frame_is_ns(&j->f)) && !ip_is_unspecified(j->f.sender))
		return judge_speaker(j, j->f.sender);
	return true;
}

/* Step 8. False: decided. */
static bool judge_announcement(struct judge *j)
{
	enum frame_class c = j->f.cls;

	if (c != CLASS_ARP_GRATUITOUS && c != CLASS_ARP_REPLY_BCAST && c != CLASS_NA_UNSOLICITED)
		return true;
	decide(j, may_flood(j, c) ? OUTCOME_FLOODED : OUTCOME_ABSORBED);
	return false;
}

static void forward(struct judge *j, bool member)
{
	const struct layout_mac *m = tables_mac(j->t, j->port->lan, j->f.dst.b);

	if (!m)
		decide(j, unknown_floods(j) ? OUTCOME_FLOODED : OUTCOME_UNKNOWN_UNICAST);
	else if (m->flags & MAC_SELF)
		decide(j, OUTCOME_LOCAL);
	else if (m->ifindex == (member ? j->in->ifindex : 0))
		decide(j, OUTCOME_SAME_PORT);
	else if (m->flags & MAC_DOWN)
		decide(j, OUTCOME_UNKNOWN_UNICAST);
	else
		decide(j, OUTCOME_FORWARDED);
}

/* Step 9. False: decided. */
static bool judge_unicast(struct judge *j, bool member)
{
	switch (j->f.cls) {
	case CLASS_ARP_REPLY:
	case CLASS_ARP_UNICAST:
	case CLASS_NS_UNICAST:
	case CLASS_NA:
	case CLASS_IP4_UNICAST:
	case CLASS_IP6_UNICAST:
		forward(j, member);
		return false;
	default:
		return true;
	}
}

/* Step 10; RFC 9161 section 3.3 (f). False: decided. */
static bool judge_ns_option(struct judge *j)
{
	if (!j->f.odd_option || j->port->ns_option == NS_OPTION_REPLY)
		return true;
	decide(j, j->port->ns_option == NS_OPTION_FORWARD ? OUTCOME_FLOODED : OUTCOME_NS_OPTION);
	return false;
}

static void answer(struct judge *j, const struct layout_bind *b, bool to_fabric)
{
	j->v->answer_len = (uint16_t)answer_build(&j->f, b, to_fabric, j->v->answer);
	decide(j, OUTCOME_ANSWERED);
}

static void no_owner(struct judge *j, bool member)
{
	bool probe = j->f.cls == CLASS_ARP_PROBE || j->f.cls == CLASS_NS_DAD;

	if (member && probe)
		tell(j, EVENT_PROBE, j->f.target);
	if (unknown_floods(j))
		decide(j, OUTCOME_FLOODED);
	else
		decide(j, probe ? OUTCOME_FREE_PROBE : OUTCOME_UNKNOWN_TARGET);
}

/* Step 11 of a member port. */
static void judge_target(struct judge *j)
{
	const struct layout_bind *b = find_bind(j, j->f.target);

	if (!b || b->flags & BIND_SILENT)
		no_owner(j, true);
	else if (memcmp(b->mac, j->f.src.b, 6) == 0 || b->ifindex == j->in->ifindex)
		decide(j, OUTCOME_OWN_TARGET);
	else
		answer(j, b, false);
}

/* Step 8 of the fabric: for an owner here, back to a MAC that EVPN has told us about. */
static void judge_fabric_target(struct judge *j)
{
	const struct layout_bind *b = find_bind(j, j->f.target);

	if (!b || b->flags & BIND_SILENT) {
		no_owner(j, false);
		return;
	}
	if (b->ifindex == 0 || memcmp(b->mac, j->f.src.b, 6) == 0) {
		decide(j, OUTCOME_OWN_TARGET);
		return;
	}
	const struct layout_mac *m = tables_mac(j->t, j->port->lan, j->f.src.b);
	if (m && m->ifindex == 0)
		answer(j, b, true);
	else
		decide(j, OUTCOME_FOREIGN_VTEP);
}

static void judge_member(struct judge *j)
{
	if (j->port->flags & PORT_QUARANTINE) {
		decide(j, OUTCOME_QUARANTINE);
		return;
	}
	if (j->f.cls == CLASS_RUNT) {
		decide(j, OUTCOME_MALFORMED);
		return;
	}
	if (!judge_source(j))
		return;
	if (j->f.cls == CLASS_ARP_BAD || j->f.cls == CLASS_ND_BAD) {
		decide(j, OUTCOME_MALFORMED);
		return;
	}
	if (judge_hygiene(j) && judge_sender(j, true) && judge_announcement(j) &&
		judge_unicast(j, true) && judge_ns_option(j))
		judge_target(j);
}

static void judge_fabric(struct judge *j)
{
	if (j->f.cls == CLASS_RUNT || j->f.cls == CLASS_ARP_BAD || j->f.cls == CLASS_ND_BAD) {
		decide(j, OUTCOME_MALFORMED);
		return;
	}
	if (judge_hygiene(j) && judge_sender(j, false) && judge_announcement(j) &&
		judge_unicast(j, false) && judge_ns_option(j))
		judge_fabric_target(j);
}

static bool begin(struct judge *j, const struct tables *t, const struct verdict_input *in,
	struct verdict *ret)
{
	*ret = (struct verdict){0};
	*j = (struct judge){.t = t, .in = in, .v = ret, .port = tables_port(t, in->ifindex)};
	frame_read(in->frame, in->len, in->tag_in_metadata, &j->f);
	ret->cls = j->f.cls;
	if (j->port)
		return true;
	ret->outcome = OUTCOME_ERROR;
	ret->pass = true;
	return false;
}

void verdict_in(const struct tables *t, const struct verdict_input *in, struct verdict *ret)
{
	struct judge j;

	if (!begin(&j, t, in, ret))
		return;
	if (j.port->kind == PORT_FABRIC)
		judge_fabric(&j);
	else
		judge_member(&j);
	ret->event.outcome = ret->has_event ? (uint8_t)ret->outcome : 0;
}

void verdict_out(const struct tables *t, const struct verdict_input *in, struct verdict *ret)
{
	struct judge j;
	uint32_t mark = in->mark & MARK_MASK;

	if (!begin(&j, t, in, ret))
		return;
	if (mark == MARK_ANSWER) {
		decide(&j, OUTCOME_ANSWER);
	} else if (mark == MARK_PROBE) {
		decide(&j, OUTCOME_PROBE);
	} else if (j.port->flags & PORT_QUARANTINE) {
		decide(&j, OUTCOME_QUARANTINE);
	} else if (j.f.cls == CLASS_RUNT) {
		decide(&j, OUTCOME_MALFORMED);
	} else if (mark == MARK_FLOOD) {
		decide(&j, OUTCOME_DELIVERED);
	} else if (mac_is_group(j.f.dst)) {
		decide(&j, OUTCOME_UNAUTHORISED);
	} else {
		const struct layout_mac *m = tables_mac(t, j.port->lan, j.f.dst.b);
		uint32_t here = j.port->kind == PORT_FABRIC ? 0 : in->ifindex;
		decide(&j, m && m->ifindex == here ? OUTCOME_DELIVERED : OUTCOME_UNKNOWN_UNICAST);
	}
}
