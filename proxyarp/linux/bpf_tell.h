/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * What costs time and is therefore limited: telling user space, and letting frames flood.
 *
 * Waking user space costs more than answering a hundred requests, so an event passes three gates:
 * told a moment ago (seen), what this port may tell, what all ports together may tell. The gates
 * are asked before seen is written, so that an event which was not told is told as soon as there is
 * room, and a flood of invented senders cannot push out what is remembered of the others. Budgets
 * are per CPU, without a lock: at the worst a port tells its rate on each CPU. Spoofing has a
 * budget of its own, and so has what a frame is after: a scan of empty space must not hide what
 * should be learned from the same port. Nor may it fill the ring: of that it has one half.
 */
#pragma once
#include "proxyarp/linux/bpf_maps.h"

#define SEC_NS 1000000000ULL
#define SEEN_NS SEC_NS
#define LEARN_RATE 256 /* events a second and port; burst: four seconds */
#define SPOOF_RATE 16  /* and rules that alarm */
#define ASK_RATE 128
#define ALL_RATE 16384 /* of all ports together, for each of the three */
#define BUDGET_BURST_SEC 4

/* The rows of everybody's budgets are behind the ports'; written by the loader before loading. */
const volatile __u32 budget_all = BUDGET_KINDS;

static __always_inline int budget_take(__u32 row, __u32 rate, __u64 now)
{
	struct budget *b = bpf_map_lookup_elem(&budgets, &row);
	__u64 since, full = BUDGET_BURST_SEC * SEC_NS, each = SEC_NS / rate;

	if (!b)
		return 0;
	since = now - b->last_ns;
	b->last_ns = now;
	b->tokens_ns = since > full - b->tokens_ns ? full : b->tokens_ns + since;
	if (b->tokens_ns < each)
		return 0;
	b->tokens_ns -= each;
	return 1;
}

static __always_inline __u32 budget_rate(__u32 kind)
{
	return kind == BUDGET_LEARN ? LEARN_RATE : kind == BUDGET_SPOOF ? SPOOF_RATE : ASK_RATE;
}

/* Tells f->tell, or f->ask if `ask`. */
__noinline int tell_event(const struct bpf_frame *f, __u32 ask, __u32 lan, __u32 ifindex, __u32 slot)
{
	struct seen_key k = {.ifindex = ifindex};
	const struct bpf_tell *t;
	struct layout_event *e;
	__u64 now, *last;
	__u32 kind;

	if (!f)
		return 0;
	t = ask ? &f->ask : &f->tell;
	kind = ask			   ? BUDGET_ASK
	       : t->type == EVENT_SPOOF || t->type == EVENT_RULE ? BUDGET_SPOOF
								: BUDGET_LEARN;
	now = bpf_ktime_get_coarse_ns(); /* a tick's precision, at a fifth of the cost */
	k.lan_rule = lan | t->rule << 24;
	k.mac_type_flags = f->src | (__u64)t->type << 48 | (__u64)t->flags << 56;
	__builtin_memcpy(k.ip, t->ip, 16);
	last = bpf_map_lookup_elem(&seen, &k);
	if (last && now - *last < SEEN_NS)
		return 0;
	if (!budget_take(slot * BUDGET_KINDS + kind, budget_rate(kind), now) ||
		!budget_take(budget_all + kind, ALL_RATE, now))
		return 0;
	if (ask && bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > EVENTS_SIZE / 2)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof *e, 0);
	if (!e)
		return 0;
	__builtin_memset(e, 0, sizeof *e);
	e->when_ns = bpf_ktime_get_ns();
	e->lan = lan;
	e->ifindex = ifindex;
	e->type = t->type;
	e->family = t->family;
	e->flags = t->flags;
	e->outcome = f->outcome;
	__builtin_memcpy(e->mac, &f->src, 6);
	e->rule = t->rule;
	e->cls = f->cls;
	__builtin_memcpy(e->ip, t->ip, 16);
	bpf_ringbuf_submit(e, 0);
	bpf_map_update_elem(&seen, &k, &now, BPF_ANY);
	return 0;
}

/* A token bucket in one number, so that it needs no lock: when the traffic let through so far would
 * have ended at its rate. That may lie ahead of now by at most the time that the burst takes, but
 * for a first frame that is longer than the burst. Where the burst outlasts a tick, the tick's clock
 * does: what a tick brings late is never more than the bucket holds. True: one more frame conforms.
 */
static __always_inline int police(__u32 row, __u32 octets)
{
	struct bpf_policer *p = bpf_map_lookup_elem(&policers, &row);
	__u64 now, was, from, cost, ahead;

	if (!p)
		return 0;
	if (!p->each_ns)
		return 1;
	now = p->burst_ns >= POLICER_COARSE_NS ? bpf_ktime_get_coarse_ns() : bpf_ktime_get_ns();
	cost = (p->conf.unit == UNIT_PACKETS ? p->each_ns : p->each_ns * octets) >> POLICER_SHIFT;
	ahead = p->burst_ns < cost ? cost : p->burst_ns;
	for (int i = 0; i < 8; i++) {
		was = *(volatile __u64 *)&p->ends_ns;
		from = was > now ? was : now;
		if (from + cost > now + ahead)
			return 0;
		if (__sync_val_compare_and_swap(&p->ends_ns, was, from + cost) == was)
			return 1;
	}
	return 0; /* eight other CPUs were let through instead */
}
