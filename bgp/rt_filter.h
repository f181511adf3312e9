/* Filters by route target (RFC 4684). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bgp/attr.h"

/* Route targets as ranges that do not overlap, in order. Interned: those who want the same share one, and an update
 * group. NULL stands for the filter that lets everything through. */
struct rt_filter {
	LIST_ENTRY(rt_filter) link;
	uint32_t refs, count;
	struct rt_range {
		uint64_t first, last;
	} range[];
};

LIST_HEAD(rt_filter_list, rt_filter);

const struct rt_filter *rt_filter_ref(const struct rt_filter *f);
void rt_filter_unref(const struct rt_filter *f);
/* Has the route a target that is wanted? */
bool rt_filter_wants(const struct rt_filter *f, const struct attrs *a);
/* Takes over a filter that was filled with the ranges of prefixes, in any order, with one reference. */
const struct rt_filter *rt_filter_intern(struct rt_filter_list *all, struct rt_filter *f);
