/* Inside the verdict: verdict.c (the order of the checks, and what is done with what they found), verdict_judge.c (what they
 * share), verdict_sender.c (who may speak), verdict_target.c (who is asked for). The checks return false if they have decided. */
#pragma once
#include <string.h>

#include "proxyarp/frame.h"
#include "proxyarp/verdict.h"

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

static const struct ip judge_no_ip;

static inline void judge_decide(struct judge *j, enum frame_outcome o)
{
	j->v->outcome = o;
}

static inline const struct layout_bind *judge_find_bind(const struct judge *j, struct ip ip)
{
	return ip.family == 4 ? tables_bind4(j->t, j->port->lan, ip.b)
			      : tables_bind6(j->t, j->port->lan, ip.b);
}

static inline const struct layout_mac *judge_find_mac(const struct judge *j, const uint8_t mac[6])
{
	return tables_mac(j->t, j->port->lan, mac);
}

static inline bool judge_may_flood(const struct judge *j, enum frame_class c)
{
	return (j->port->flood_classes & CLASS_BIT(c)) != 0;
}

static inline bool judge_unknown_floods(const struct judge *j)
{
	return j->port->unknown_target == UNKNOWN_FLOOD ||
	       j->port->unknown_target == UNKNOWN_POLICE;
}

static inline bool judge_is_probe(const struct judge *j)
{
	return j->f.cls == CLASS_ARP_PROBE || j->f.cls == CLASS_NS_DAD;
}

/* What would have become of it: the first of these stays. */
void judge_would(struct verdict *v, enum frame_outcome o);
/* Who it is from, and what it is after. */
void judge_tell(struct judge *j, enum layout_event_type type, enum frame_rule rule, struct ip ip);
void judge_ask(struct judge *j, enum layout_event_type type, struct ip ip);
/* A rule forbids it. True: and that is the outcome; false: the rule only counts, or is off. */
bool judge_forbids(struct judge *j, enum frame_rule rule, enum frame_outcome o, struct ip ip);
void judge_flood(struct judge *j, enum layout_police group);
void judge_forward(struct judge *j);
/* A frame that no rule forbids any more, and that nothing further is asked of. */
void judge_go_on(struct judge *j);

bool judge_source(struct judge *j);    /* step 4 */
bool judge_sender(struct judge *j);    /* step 6 */
bool judge_ns_option(struct judge *j); /* step 9 */
void judge_target(struct judge *j);    /* step 10, and the fabric's step 8 */
