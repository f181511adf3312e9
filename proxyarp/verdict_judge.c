/* What the verdict's checks share: events, rules, and where a frame goes that nothing is said against. */
#include "proxyarp/verdict_parts.h"

void judge_would(struct verdict *v, enum frame_outcome o)
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
void judge_tell(struct judge *j, enum layout_event_type type, enum frame_rule rule, struct ip ip)
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
void judge_ask(struct judge *j, enum layout_event_type type, struct ip ip)
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

bool judge_forbids(struct judge *j, enum frame_rule rule, enum frame_outcome o, struct ip ip)
{
	enum layout_action action = RULE_ACTION(j->port->rules, rule);
	bool stands = action == ACTION_DROP || action == ACTION_ALARM;

	if (action == ACTION_OFF)
		return false;
	if (tells_spoof(o) && j->member) {
		bool first = !j->v->has_event || j->v->event.type == EVENT_MAC;
		judge_tell(j, EVENT_SPOOF, rule, ip);
		if (first && !stands)
			j->v->event.flags |= EVENT_WOULD;
	} else if (action == ACTION_ALARM) {
		judge_tell(j, EVENT_RULE, rule, judge_no_ip);
	}
	if (stands)
		judge_decide(j, o);
	else
		judge_would(j->v, o);
	return stands;
}

void judge_flood(struct judge *j, enum layout_police group)
{
	j->v->police = (uint8_t)group;
	judge_decide(j, OUTCOME_FLOODED);
}

void judge_forward(struct judge *j)
{
	const struct layout_mac *m = judge_find_mac(j, j->f.dst.b);

	if (!m && judge_unknown_floods(j)) {
		judge_flood(j, POLICE_OTHER);
	} else if (!m) {
		judge_decide(j, OUTCOME_UNKNOWN_UNICAST);
	} else if (m->flags & MAC_TRAP) {
		judge_ask(j, EVENT_TRAP, j->f.target);
		judge_decide(j, OUTCOME_TRAPPED);
	} else if (m->flags & MAC_SELF) {
		if (!j->member || !j->f.vxlan || !judge_forbids(j, RULE_VXLAN, OUTCOME_VXLAN, judge_no_ip))
			judge_decide(j, OUTCOME_LOCAL);
	} else if (m->ifindex == j->here) {
		judge_decide(j, OUTCOME_SAME_PORT);
	} else if (m->flags & MAC_DOWN) {
		judge_decide(j, OUTCOME_UNKNOWN_UNICAST);
	} else {
		judge_decide(j, OUTCOME_FORWARDED);
	}
}

void judge_go_on(struct judge *j)
{
	if (mac_is_group(j->f.dst))
		judge_flood(j, POLICE_OTHER);
	else
		judge_forward(j);
}
