#include "lib/timers.h"

#include <stdlib.h>

void timers_init(struct timers *ts)
{
	*ts = (struct timers){0};
}

void timers_free(struct timers *ts)
{
	for (size_t i = 0; i < ts->count; i++)
		ts->heap[i]->at = 0;
	free(ts->heap);
	timers_init(ts);
}

static void place(struct timers *ts, size_t i, struct timer *t)
{
	ts->heap[i] = t;
	t->at = i + 1;
}

static void sift_up(struct timers *ts, size_t i, struct timer *t)
{
	while (i > 0 && ts->heap[(i - 1) / 2]->deadline_ms > t->deadline_ms) {
		place(ts, i, ts->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(ts, i, t);
}

static void sift_down(struct timers *ts, size_t i, struct timer *t)
{
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= ts->count)
			break;
		if (child + 1 < ts->count &&
			ts->heap[child + 1]->deadline_ms < ts->heap[child]->deadline_ms)
			child++;
		if (ts->heap[child]->deadline_ms >= t->deadline_ms)
			break;
		place(ts, i, ts->heap[child]);
		i = child;
	}
	place(ts, i, t);
}

void timers_start(struct timers *ts, struct timer *t, uint64_t deadline_ms)
{
	timers_stop(ts, t);
	if (ts->count == ts->cap) {
		ts->cap = ts->cap ? 2 * ts->cap : 16;
		ts->heap = realloc(ts->heap, ts->cap * sizeof(*ts->heap));
		if (!ts->heap)
			abort();
	}
	t->deadline_ms = deadline_ms;
	sift_up(ts, ts->count++, t);
}

void timers_stop(struct timers *ts, struct timer *t)
{
	if (!t->at)
		return;
	size_t i = t->at - 1;
	struct timer *last = ts->heap[--ts->count];
	t->at = 0;
	if (last == t)
		return;
	if (i > 0 && ts->heap[(i - 1) / 2]->deadline_ms > last->deadline_ms)
		sift_up(ts, i, last);
	else
		sift_down(ts, i, last);
}

uint64_t timers_next(const struct timers *ts)
{
	return ts->count ? ts->heap[0]->deadline_ms : TIMERS_NEVER;
}

void timers_run(struct timers *ts, uint64_t now_ms)
{
	/* A round is bounded by the number of timers at its start, so one that is always due cannot
	 * keep the loop for itself. */
	for (size_t n = ts->count; n > 0 && ts->count && ts->heap[0]->deadline_ms <= now_ms; n--) {
		struct timer *t = ts->heap[0];
		timers_stop(ts, t);
		t->fire(t->arg, now_ms);
	}
}
