/* The event loop of both daemons: a thin layer over libevent that knows the order of things in one
 * turn.
 *
 * A turn is: sleep until a file descriptor, a signal or a deadline is due; run what is due; fire
 * the timers of lib/timers.h; then call every turn hook once. A turn hook is where work that piled
 * up during the turn leaves: the BGP speaker's actions, the feed's lines. So nothing waits for a
 * clock tick, and a burst of input costs one pass.
 *
 * For file descriptors use event_new() and bufferevents on loop_base(). Only daemon/ knows
 * libevent.
 */
#pragma once
#include <stdint.h>

#include <bsd/sys/queue.h>

#include "lib/timers.h"

struct event_base;
struct loop;

/* Called at the end of every turn. Returns when it must be called at the latest even if nothing
 * else happens: a time of loop_now_ms(), `now_ms` or less for at once (file descriptors are still
 * served in between), or TIMERS_NEVER. The hook belongs to the caller and stays linked until
 * loop_remove_turn(). */
struct loop_turn {
	uint64_t (*turn)(void *arg, uint64_t now_ms);
	void *arg;
	TAILQ_ENTRY(loop_turn) link;
};

/* Aborts when libevent cannot start. SIGPIPE is ignored from then on. */
struct loop *loop_new(void);
/* What was registered with the base must be gone by now. */
void loop_free(struct loop *l);
struct event_base *loop_base(struct loop *l);
struct timers *loop_timers(struct loop *l);

/* The monotonic clock. */
uint64_t loop_now_ms(void);
uint64_t loop_now_ns(void);

/* Hooks are called in the order in which they were added. */
void loop_add_turn(struct loop *l, struct loop_turn *t);
void loop_remove_turn(struct loop *l, struct loop_turn *t);

/* fn runs in the loop, not in signal context, once for all that came since. At most 8 signals. */
void loop_on_signal(struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg);

/* Turns until loop_stop(); the turn in which it is called is finished. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* How long what was due had to wait: what a turn takes from its waking up to its end, a timer's lateness included. */
#define LOOP_LATE_BUCKETS 5
extern const uint64_t loop_late_us[LOOP_LATE_BUCKETS]; /* upper bounds; what is beyond is in turns alone */
struct loop_stats {
	uint64_t turns, busy_ns, longest_ns;
	uint64_t within[LOOP_LATE_BUCKETS]; /* turns, of this bucket alone */
};
void loop_stats(const struct loop *l, struct loop_stats *ret);
/* One turn that sleeps at most `max_ms`; for tests and for start-up and shutdown with their own
 * condition. */
void loop_once(struct loop *l, uint64_t max_ms);
