/* Timers over a given `now`: a binary heap of intrusive timers. Nothing here reads a clock.
 *
 * The event loop asks timers_next() how long it may sleep and calls timers_run(now) when it wakes. Times are
 * milliseconds of a monotonic clock. A timer belongs to whoever embeds it, who must stop it before freeing it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMERS_NEVER UINT64_MAX

struct timer {
	uint64_t deadline_ms;
	size_t at; /* 1 + place in the heap; 0: not running */
	void (*fire)(void *arg, uint64_t now_ms);
	void *arg;
};

struct timers {
	struct timer **heap;
	size_t count, cap;
};

void timers_init(struct timers *ts);
void timers_free(struct timers *ts); /* stops all that still run */

static inline void timer_init(struct timer *t, void (*fire)(void *, uint64_t), void *arg)
{
	*t = (struct timer){.fire = fire, .arg = arg};
}

static inline bool timer_running(const struct timer *t)
{
	return t->at != 0;
}

/* (Re)starts; aborts when out of memory, since the heap is bounded by the number of timers there are. */
void timers_start(struct timers *ts, struct timer *t, uint64_t deadline_ms);
void timers_stop(struct timers *ts, struct timer *t);
/* The earliest deadline, or TIMERS_NEVER. */
uint64_t timers_next(const struct timers *ts);
/* Fires all that are due, each at most once a call even if it starts itself again in the past. */
void timers_run(struct timers *ts, uint64_t now_ms);
