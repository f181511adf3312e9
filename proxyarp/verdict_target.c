/* Who is asked for, and whether we answer: docs/verdict.md, steps 9 and 10. RFC 9161 (3.3, 3.4). */
#include "proxyarp/verdict_parts.h"

#include "proxyarp/answer.h"

/* Step 9; RFC 9161 section 3.3 (f). False: decided. */
bool judge_ns_option(struct judge *j)
{
	if (!j->f.odd_option)
		return true;
	switch (j->port->ns_option) {
	case NS_OPTION_DISCARD:
		judge_decide(j, OUTCOME_NS_OPTION);
		return false;
	case NS_OPTION_FORWARD:
		judge_flood(j, POLICE_OTHER);
		return false;
	default:
		return true;
	}
}

static void no_owner(struct judge *j)
{
	if (judge_is_probe(j))
		judge_ask(j, EVENT_PROBE, j->f.target);
	else if (j->port->unknown_target == UNKNOWN_SPONGE)
		judge_ask(j, EVENT_QUERY, j->f.target);
	if (judge_unknown_floods(j))
		judge_flood(j, POLICE_UNKNOWN);
	else
		judge_decide(j, judge_is_probe(j) ? OUTCOME_FREE_PROBE : OUTCOME_UNKNOWN_TARGET);
}

static void answer(struct judge *j, const struct layout_bind *b, enum frame_outcome o)
{
	j->v->answer_len = (uint16_t)answer_build(&j->f, b,
		(j->member ? 0 : ANSWER_TO_FABRIC) |
			(j->port->flags & PORT_ANYCAST ? ANSWER_ANYCAST : 0),
		j->v->answer);
	judge_decide(j, o);
}

/* RFC 9161 section 3.4: sent on to the owner alone instead of being answered. */
static void unicast_forward(struct judge *j, const struct layout_bind *b)
{
	const struct layout_mac *m = judge_find_mac(j, b->mac);

	if (!m || m->ifindex == j->here || m->flags & (MAC_DOWN | MAC_SELF | MAC_TRAP)) {
		no_owner(j);
		return;
	}
	memcpy(j->v->dst, b->mac, 6);
	judge_decide(j, OUTCOME_UNICAST_FORWARDED);
}

/* Step 10, and the fabric's step 8: there, back to a MAC that EVPN has told us about. */
static void judge_owner(struct judge *j, const struct layout_bind *b)
{
	bool sponge = b->flags & BIND_SPONGE;

	if (memcmp(b->mac, j->f.src.b, 6) == 0 || (b->ifindex == j->here && !sponge)) {
		judge_decide(j, OUTCOME_OWN_TARGET);
		return;
	}
	if (sponge) {
		judge_ask(j, EVENT_QUERY, j->f.target);
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
	const struct layout_mac *m = j->member ? NULL : judge_find_mac(j, j->f.src.b);
	if (j->member || (m && m->ifindex == 0))
		answer(j, b, OUTCOME_ANSWERED);
	else
		judge_decide(j, OUTCOME_FOREIGN_VTEP);
}

void judge_target(struct judge *j)
{
	const struct layout_bind *b = judge_find_bind(j, j->f.target);

	if (b && b->flags & BIND_WATCH && !judge_is_probe(j))
		judge_ask(j, EVENT_QUERY, j->f.target);
	if (!b || b->flags & BIND_SILENT ||
		(b->flags & BIND_SPONGE && (judge_is_probe(j) || !j->member)))
		no_owner(j);
	else
		judge_owner(j, b);
}
