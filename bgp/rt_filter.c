/* What somebody wants by route target, as ranges; see membership.c for where they come from. */
#include "bgp/rt_filter.h"

#include <stdlib.h>
#include <string.h>

#include "bgp/rtc.h"

const struct rt_filter *rt_filter_ref(const struct rt_filter *f)
{
	if (f)
		((struct rt_filter *)f)->refs++;
	return f;
}

void rt_filter_unref(const struct rt_filter *f)
{
	struct rt_filter *m = (struct rt_filter *)f;

	if (!m || --m->refs)
		return;
	LIST_REMOVE(m, link);
	free(m);
}

static bool contains(const struct rt_filter *f, uint64_t target)
{
	size_t low = 0, high = f->count;

	while (low < high) {
		size_t at = (low + high) / 2;
		if (f->range[at].last < target)
			low = at + 1;
		else
			high = at;
	}
	return low < f->count && f->range[low].first <= target;
}

bool rt_filter_wants(const struct rt_filter *f, const struct attrs *a)
{
	struct reader r = reader_of(a->ext_communities.p, a->ext_communities.len);
	uint8_t ec[8];
	uint64_t target;

	while (reader_left(&r) >= sizeof(ec)) {
		reader_copy(&r, ec, sizeof(ec));
		if (rtc_is_target(ec, &target) && contains(f, target))
			return true;
	}
	return false;
}

static int by_range(const void *va, const void *vb)
{
	const struct rt_range *a = va, *b = vb;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->last == b->last ? 0 : a->last > b->last ? -1 : 1;
}

/* Prefixes either nest or are apart. */
static void sort_out(struct rt_filter *f)
{
	uint32_t kept = 0;

	qsort(f->range, f->count, sizeof(f->range[0]), by_range);
	for (uint32_t i = 0; i < f->count; i++)
		if (!kept || f->range[i].last > f->range[kept - 1].last)
			f->range[kept++] = f->range[i];
	f->count = kept;
}

const struct rt_filter *rt_filter_intern(struct rt_filter_list *all, struct rt_filter *f)
{
	struct rt_filter *old;

	sort_out(f);
	LIST_FOREACH (old, all, link)
		if (old->count == f->count &&
			memcmp(old->range, f->range, f->count * sizeof(f->range[0])) == 0) {
			free(f);
			return rt_filter_ref(old);
		}
	LIST_INSERT_HEAD(all, f, link);
	return f;
}
