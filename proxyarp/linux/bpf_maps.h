/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * The maps of the BPF plane and the few lines that look things up in them. Keys and values are
 * layout.h's, except for what user space never reads: policers, seen, budgets and scratch. Sizes of
 * 1 are set by the loader from the plane's limits before loading. All are pinned by name, so a new
 * process adopts them (bpf.c).
 */
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "proxyarp/layout.h"
#include "proxyarp/linux/bpf_scratch.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct layout_key4);
	__type(value, struct layout_bind);
} bind4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct layout_key6);
	__type(value, struct layout_bind);
} bind6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct layout_mac_key);
	__type(value, struct layout_mac);
} macs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct layout_port);
} ports SEC(".maps");

/* Row COUNTER_INDEX / OUTCOME_COUNT, all outcomes in it: a per-CPU map costs the kernel an
 * allocation a row, so rows of one counter each took seconds to make for a thousand ports. In
 * memory the counters stand as COUNTER_INDEX says. */
struct counter_row {
	struct layout_counter by_outcome[OUTCOME_COUNT];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_ROWS);
	__type(key, __u32);
	__type(value, struct counter_row);
} counters SEC(".maps");

/* What was let go but would not have been. Rows come as they are wanted: few ports have any. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct layout_would_key);
	__type(value, struct layout_counter);
} would SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct layout_vtep_key);
	__type(value, __u32);
} vteps SEC(".maps");

/* Raised by user space after each change of bind4, bind6, macs, ports or vteps; never 0. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} generation SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CACHED_PORTS);
	__type(key, __u32);
	__type(value, struct bpf_cached_port);
} cached_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CACHED_SPEAKERS);
	__type(key, __u32);
	__type(value, struct bpf_cached_speaker);
} cached_speakers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CACHED_VTEPS);
	__type(key, __u32);
	__type(value, struct bpf_cached_vtep);
} cached_vteps SEC(".maps");

/* Row POLICER_INDEX. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bpf_policer);
} policers SEC(".maps");

/* Events told a moment ago, so that the same is not told with every frame. LRU: whoever fills it
 * only loses the deduplication, and then the budgets hold. */
struct seen_key {
	__u32 lan_rule, ifindex; /* the VNI, and above it the rule */
	__u64 mac_type_flags; /* the octets of the MAC, and above them the type, the flags */
	__u32 ip[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct seen_key);
	__type(value, __u64);
} seen SEC(".maps");

/* What each port, and all ports together, may tell user space. Rows slot * BUDGET_KINDS + kind; the
 * last so many are everybody's. */

struct budget {
	__u64 last_ns, tokens_ns; /* tokens * 1e9 / rate: a token costs 1e9 / rate */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * BUDGET_KINDS);
	__type(key, __u32);
	__type(value, struct budget);
} budgets SEC(".maps");

#define EVENTS_SIZE (256 * 1024)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENTS_SIZE);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bpf_frame);
} scratch SEC(".maps");

static __always_inline struct bpf_frame *frame_new(void)
{
	__u32 zero = 0;
	struct bpf_frame *f = bpf_map_lookup_elem(&scratch, &zero);

	if (f) {
		f->dst = f->src = 0;
		f->cls = CLASS_RUNT;
		f->sender4 = f->target4 = f->na_flags = f->mismatch = f->other_options = 0;
		f->tell.type = f->ask.type = 0;
	}
	return f;
}

/* A MAC as one number: its octets in memory order, so that comparing and copying take one
 * instruction each. */
static __always_inline __u64 mac_of(const void *p)
{
	return *(const __u32 *)p | (__u64) * (const __u16 *)(p + 4) << 32;
}

static __always_inline int mac_is_group(__u64 mac)
{
	return mac & 1; /* little-endian: see the check in quell.bpf.c */
}

/* Keys are written in the words in which the kernel hashes them: one that was written in halves
 * costs it a stall. */
static __always_inline struct layout_mac *mac_find(__u32 lan, __u64 mac)
{
	__u32 k[3] = {lan, mac, mac >> 32};

	_Static_assert(sizeof k == sizeof(struct layout_mac_key), "the key's words");
	return bpf_map_lookup_elem(&macs, k);
}

static __always_inline struct layout_bind *bind4_find(__u32 lan, __u32 ip)
{
	__u32 k[2] = {lan, ip};

	_Static_assert(sizeof k == sizeof(struct layout_key4), "the key's words");
	return bpf_map_lookup_elem(&bind4, k);
}

static __always_inline struct layout_bind *bind6_find(__u32 lan, const __u32 *ip)
{
	__u32 k[5] = {lan, ip[0], ip[1], ip[2], ip[3]};

	_Static_assert(sizeof k == sizeof(struct layout_key6), "the key's words");
	return bpf_map_lookup_elem(&bind6, k);
}

/* Read before any table: what is then remembered under it is at worst forgotten too early. */
static __always_inline __u32 generation_now(void)
{
	__u32 zero = 0;
	__u64 *g = bpf_map_lookup_elem(&generation, &zero);

	return g ? *(volatile __u64 *)g : 0;
}

static __always_inline struct layout_port *port_find(__u32 ifindex, __u32 now)
{
	__u32 row = ifindex % CACHED_PORTS;
	struct bpf_cached_port *c = bpf_map_lookup_elem(&cached_ports, &row);
	struct layout_port *port;

	if (c && c->ifindex == ifindex && c->generation == now)
		return &c->port;
	port = bpf_map_lookup_elem(&ports, &ifindex);
	if (!port || !c || !now)
		return port;
	c->port = *port;
	c->ifindex = ifindex;
	c->generation = now;
	return &c->port;
}

static __always_inline void count(__u32 slot, __u32 dir, __u32 cls, __u32 outcome, __u32 octets)
{
	__u32 row = slot * COUNTER_ROWS + dir * CLASS_COUNT + cls;
	struct counter_row *r = bpf_map_lookup_elem(&counters, &row);

	if (r && outcome < OUTCOME_COUNT) {
		r->by_outcome[outcome].frames++;
		r->by_outcome[outcome].octets += octets;
	}
}

/* A full map costs the count, never the frame. */
__noinline int count_would(__u32 slot, __u32 dir, __u32 cls, __u32 outcome, __u32 octets)
{
	struct layout_would_key k = {.slot = slot, .dir = dir, .cls = cls, .outcome = outcome};
	struct layout_counter *c = bpf_map_lookup_elem(&would, &k), none = {};

	if (!c) {
		(void)bpf_map_update_elem(&would, &k, &none, BPF_NOEXIST);
		c = bpf_map_lookup_elem(&would, &k);
	}
	if (!c)
		return -1;
	c->frames++;
	c->octets += octets;
	return 0;
}
