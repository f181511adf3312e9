/* The packet plane's frames: each is judged, counted and told of, answered, and, where the gate has taken it off the bridge's way,
 * sent on to where the verdict lets it go. What goes on is judged once more on its way out, as the BPF plane's egress program
 * does.
 */
#define _GNU_SOURCE 1 /* sendmmsg */
#include "proxyarp/linux/packet_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/siphash.h"

#define SEEN_NS 1000000000ULL
#define FRAME_MAX 9234

static struct slot *slot_of(const struct plane *p, uint32_t ifindex)
{
	const struct layout_port *lp = tables_port(&p->t, ifindex);

	return lp ? p->slots[lp->slot] : NULL;
}

static void add(struct layout_counter *c, size_t octets)
{
	c->frames++;
	c->octets += octets;
}

static void count_verdict(const struct plane *p, uint32_t ifindex, enum frame_dir dir,
	const struct verdict *v, size_t octets)
{
	struct slot *s = slot_of(p, ifindex);

	if (!s)
		return;
	add(&s->c[dir][v->cls][v->outcome], octets);
	if (v->has_would)
		add(&s->would[dir][v->cls][v->would], octets);
}

static enum packet_budget budget_of(const struct layout_event *e, bool ask)
{
	if (ask)
		return BUDGET_ASK;
	return e->type == EVENT_SPOOF || e->type == EVENT_RULE ? BUDGET_SPOOF : BUDGET_LEARN;
}

/* The gates of the BPF plane (bpf_tell.h): told a moment ago, what this port may tell, what all may. */
static void tell(struct plane *p, struct port *port, const struct layout_event *e, bool ask)
{
	enum packet_budget kind = budget_of(e, ask);
	struct seen_key k;
	struct seen *s;

	memset(&k, 0, sizeof k);
	k.lan = e->lan;
	k.ifindex = e->ifindex;
	k.type = e->type;
	k.flags = e->flags;
	k.rule = e->rule;
	memcpy(k.mac, e->mac, sizeof k.mac);
	memcpy(k.ip, e->ip, sizeof k.ip);
	s = &p->seen[siphash(siphash_process_key(), &k, sizeof k) % SEEN];
	if (memcmp(&s->k, &k, sizeof k) == 0 && p->now_ns - s->when_ns < SEEN_NS)
		return;
	if (!bucket_take(&port->budget[kind], 1, p->now_ns) || !bucket_take(&p->budget[kind], 1, p->now_ns))
		return;
	*s = (struct seen){k, p->now_ns};
	p->fn(p->arg, e);
}

/* --- policing --- */

static bool take(struct plane *p, const struct layout_port *lp, enum frame_dir dir, unsigned group,
	size_t octets)
{
	struct policer *police = &p->slots[lp->slot]->police[dir][group];

	if (!(lp->policed[dir] >> group & 1) || !police->conf.rate)
		return true;
	uint64_t cost = police->conf.unit == UNIT_PACKETS ? 1 : octets * 8;
	/* A frame longer than the burst passes a bucket that is full. */
	if (cost > police->bucket.burst)
		cost = police->bucket.burst;
	return bucket_take(&police->bucket, cost, p->now_ns);
}

static void police(struct plane *p, const struct layout_port *lp, enum frame_dir dir, size_t octets,
	struct verdict *v)
{
	bool floods = dir == DIR_OUT || v->outcome == OUTCOME_FLOODED;

	if (v->police == POLICE_NONE)
		return;
	if (!take(p, lp, dir, v->police, octets) || (floods && !take(p, lp, dir, POLICE_ALL, octets)))
		verdict_police(lp, dir, v);
}

/* --- sending --- */

/* How many left; -1: none. That a port went down stays with its socket as an error for whoever sends next, be it up again or not. */
static int send_frames(const struct port *port, struct mmsghdr *messages, unsigned n)
{
	int r = port->sender >= 0 ? sendmmsg(port->sender, messages, n, MSG_DONTWAIT) : -1;

	if (r < 0 && port->sender >= 0 && errno == ENETDOWN)
		r = sendmmsg(port->sender, messages, n, MSG_DONTWAIT);
	return r;
}

static bool send_frame(const struct port *port, const uint8_t *frame, size_t len)
{
	struct iovec part = {(void *)(uintptr_t)frame, len};
	struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};

	return send_frames(port, &message, 1) == 1;
}

bool packet_send_counted(struct port *port, const uint8_t *frame, size_t len, enum frame_outcome o)
{
	struct verdict v = {.cls = frame_classify(frame, len, false), .outcome = o};

	if (!send_frame(port, frame, len))
		return false;
	count_verdict(port->p, port->ifindex, DIR_OUT, &v, len);
	return true;
}

/* What the answer to each class is. */
static enum frame_class class_of_answer(uint8_t asked)
{
	switch (asked) {
	case CLASS_NS:
		return CLASS_NA;
	case CLASS_NS_DAD:
		return CLASS_NA_UNSOLICITED;
	default:
		return CLASS_ARP_REPLY;
	}
}

static void count_answer(const struct port *port, const struct answer *a, bool sent)
{
	struct slot *s = slot_of(port->p, port->ifindex);

	if (!s)
		return;
	add(&s->c[DIR_IN][a->cls][sent ? a->outcome : OUTCOME_ERROR], a->octets);
	/* DAD over the fabric is answered to one MAC: no group. */
	if (sent)
		add(&s->c[DIR_OUT][a->frame[0] & 1 || a->cls != CLASS_NS_DAD ? class_of_answer(a->cls) : CLASS_NA][OUTCOME_ANSWER], a->len);
}

void packet_answers_send(struct port *port)
{
	struct mmsghdr messages[ANSWERS] = {0};
	struct iovec parts[ANSWERS];
	unsigned n = port->answer_count, sent = 0;

	for (unsigned i = 0; i < n; i++) {
		parts[i] = (struct iovec){port->answers[i].frame, port->answers[i].len};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	while (sent < n) {
		int r = send_frames(port, messages + sent, n - sent);
		if (r <= 0)
			break;
		sent += (unsigned)r;
	}
	for (unsigned i = 0; i < n; i++)
		count_answer(port, &port->answers[i], i < sent);
	port->answer_count = 0;
}

static void queue_answer(struct port *port, const struct verdict *v, size_t octets)
{
	struct answer *a = &port->answers[port->answer_count++];

	memcpy(a->frame, v->answer, v->answer_len);
	a->len = v->answer_len;
	a->cls = (uint8_t)v->cls;
	a->outcome = (uint8_t)v->outcome;
	a->octets = octets;
	if (port->answer_count == ANSWERS)
		packet_answers_send(port);
}

static void deliver(struct plane *p, uint32_t ifindex, const uint8_t *frame, size_t len, uint32_t mark)
{
	const struct layout_port *lp = tables_port(&p->t, ifindex);
	struct port *port = packet_find_port(p, ifindex);
	struct verdict v;

	/* A port that is down: the bridge would not have it either. */
	if (!lp || !port || port->sender < 0)
		return;
	verdict_out(&p->t,
		&(struct verdict_input){.frame = frame, .len = len, .mark = mark, .ifindex = ifindex, .now_ns = p->now_ns},
		&v);
	police(p, lp, DIR_OUT, len, &v);
	if (v.pass && !send_frame(port, frame, len))
		v.outcome = OUTCOME_ERROR;
	count_verdict(p, ifindex, DIR_OUT, &v, len);
}

static void flood(struct plane *p, uint32_t from, uint32_t lan, const uint8_t *frame, size_t len)
{
	for (struct port *port = p->ports; port; port = port->next) {
		const struct layout_port *lp = tables_port(&p->t, port->ifindex);
		if (lp && lp->lan == lan && lp->kind != PORT_UNDERLAY && port->ifindex != from)
			deliver(p, port->ifindex, frame, len, MARK_FLOOD);
	}
}

/* To where the bridge would have brought it. What is for the PE itself the gate has let through. */
static void send_on(struct port *port, const struct layout_port *lp, const struct verdict *v,
	const uint8_t *frame, size_t len)
{
	uint8_t other[FRAME_MAX];
	struct plane *p = port->p;

	if (v->outcome == OUTCOME_FLOODED) {
		flood(p, port->ifindex, lp->lan, frame, len);
		return;
	}
	if (v->outcome == OUTCOME_UNICAST_FORWARDED && len <= sizeof other) {
		memcpy(other, frame, len);
		memcpy(other, v->dst, 6);
		frame = other;
	} else if (v->outcome != OUTCOME_FORWARDED) {
		return;
	}
	const struct layout_mac *m = tables_mac(&p->t, lp->lan, frame);
	if (m)
		deliver(p, m->ifindex ? m->ifindex : lp->fabric_ifindex, frame, len, 0);
}

/* --- judging --- */

static void judge_in(struct port *port, const struct layout_port *lp, enum packet_source from,
	const struct verdict_input *in, size_t octets)
{
	struct plane *p = port->p;
	struct verdict v;

	verdict_in(&p->t, in, &v);
	/* In dry run the gate has let it go on to everybody. */
	if (v.outcome == OUTCOME_UNICAST_FORWARDED && lp->flags & PORT_DRY && p->gate) {
		v.outcome = OUTCOME_WOULD;
		v.has_would = true;
		v.would = OUTCOME_UNICAST_FORWARDED;
	}
	if (v.has_would && (from == SOURCE_WOULD || (v.answer_len && from != SOURCE_COPY)))
		add(&p->slots[lp->slot]->would[DIR_IN][v.cls][v.would], octets);
	if (from == SOURCE_SOCKET || from == SOURCE_GATE) {
		police(p, lp, DIR_IN, octets, &v);
		/* Without a gate nothing can be kept from going on, nor sent on. */
		bool ours = p->gate && !(lp->flags & PORT_DRY) && lp->kind != PORT_UNDERLAY;
		if (ours && v.pass && in->len == octets)
			send_on(port, lp, &v, in->frame, in->len);
		if (v.answer_len)
			queue_answer(port, &v, octets);
		else if (v.outcome != OUTCOME_ERROR)
			count_verdict(p, port->ifindex, DIR_IN, &v, octets);
	}
	if (v.has_event)
		tell(p, port, &v.event, false);
	if (v.has_ask)
		tell(p, port, &v.ask, true);
}

static void judge_out(struct port *port, const struct layout_port *lp, enum packet_source from,
	const struct verdict_input *in, size_t octets)
{
	struct verdict v = {.cls = frame_classify(in->frame, in->len, false), .outcome = OUTCOME_DELIVERED};

	/* What a socket hears leaving has left, whatever we would have said of it. */
	if (from != SOURCE_SOCKET)
		verdict_out(&port->p->t, in, &v);
	if (lp->kind != PORT_UNDERLAY)
		count_verdict(port->p, port->ifindex, DIR_OUT, &v, octets);
}

void packet_judge(struct port *port, enum frame_dir dir, enum packet_source from, const uint8_t *frame,
	size_t len, size_t octets)
{
	const struct layout_port *lp = tables_port(&port->p->t, port->ifindex);
	const struct verdict_input in = {
		.frame = frame,
		.len = len,
		.ifindex = port->ifindex,
		.now_ns = port->p->now_ns,
	};

	if (!lp)
		return;
	if (dir == DIR_IN)
		judge_in(port, lp, from, &in, octets);
	else
		judge_out(port, lp, from, &in, octets);
}
