#include "daemon/loop.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <event2/event.h>

#define LOOP_SIGNALS 8

struct loop_signal {
	struct event *ev;
	void (*fn)(void *arg, int signo);
	void *arg;
	bool came;
};

struct loop {
	struct event_base *base;
	struct event *wake;
	struct timers timers;
	TAILQ_HEAD(, loop_turn) turns;
	uint64_t deadline_ms; /* the earliest that a turn hook asked for */
	struct loop_signal signals[LOOP_SIGNALS];
	int signal_count;
	bool stop;
	struct loop_stats stats;
};

const uint64_t loop_late_us[LOOP_LATE_BUCKETS] = {1000, 5000, 20000, 100000, 1000000};

uint64_t loop_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

uint64_t loop_now_ms(void)
{
	return loop_now_ns() / 1000000;
}

/* It only ends the sleep; what is due is found by looking at the clock. */
static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

struct loop *loop_new(void)
{
	struct event_config *config = event_config_new();
	struct loop *l = calloc(1, sizeof(*l));

	if (!l || !config)
		abort();
	/* Without it libevent uses the coarse clock, whose 4 ms grain would be ours. */
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	l->base = event_base_new_with_config(config);
	event_config_free(config);
	if (!l->base)
		abort();
	l->wake = event_new(l->base, -1, EV_PERSIST, on_wake, NULL);
	if (!l->wake)
		abort();
	/* A peer that is gone is an error of write(), not the end of the daemon. */
	signal(SIGPIPE, SIG_IGN);
	timers_init(&l->timers);
	TAILQ_INIT(&l->turns);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	for (int i = 0; i < l->signal_count; i++)
		event_free(l->signals[i].ev);
	event_free(l->wake);
	timers_free(&l->timers);
	event_base_free(l->base);
	free(l);
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

struct timers *loop_timers(struct loop *l)
{
	return &l->timers;
}

void loop_add_turn(struct loop *l, struct loop_turn *t)
{
	TAILQ_INSERT_TAIL(&l->turns, t, link);
	l->deadline_ms = 0;
}

void loop_remove_turn(struct loop *l, struct loop_turn *t)
{
	TAILQ_REMOVE(&l->turns, t, link);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct loop_signal *s = arg;

	(void)fd;
	(void)what;
	s->came = true;
}

/* libevent calls once for each that came; what there is to do about ten of a kind is done once. */
static void take_signals(struct loop *l)
{
	for (int i = 0; i < l->signal_count; i++) {
		struct loop_signal *s = &l->signals[i];
		if (!s->came)
			continue;
		s->came = false;
		s->fn(s->arg, event_get_signal(s->ev));
	}
}

void loop_on_signal(struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg)
{
	if (l->signal_count == LOOP_SIGNALS)
		abort();
	struct loop_signal *s = &l->signals[l->signal_count++];
	*s = (struct loop_signal){.fn = fn, .arg = arg};
	s->ev = evsignal_new(l->base, signo, on_signal, s);
	if (!s->ev || event_add(s->ev, NULL) < 0)
		abort();
}

/* Sleeps for file descriptors until `until_ms` and runs their callbacks. Returns since when there was something to do, as far as
 * that can be told: libevent does not say when it woke up. */
static uint64_t wait_and_dispatch(struct loop *l, uint64_t until_ms)
{
	uint64_t now_ns = loop_now_ns();

	if (until_ms <= now_ns / 1000000) {
		/* Once, or it would go on for as long as somebody has octets for us. */
		event_base_loop(l->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		return now_ns;
	}
	if (until_ms != TIMERS_NEVER) {
		uint64_t left_us = (until_ms * 1000000 - now_ns) / 1000 + 1;
		/* A day is as good as any longer sleep, and keeps the sum within time_t. */
		if (left_us > 86400000000ULL)
			left_us = 86400000000ULL;
		struct timeval tv = {.tv_sec = (time_t)(left_us / 1000000),
			.tv_usec = (suseconds_t)(left_us % 1000000)};
		event_add(l->wake, &tv);
	}
	event_base_loop(l->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
	event_del(l->wake);
	now_ns = loop_now_ns();
	return until_ms != TIMERS_NEVER && until_ms * 1000000 < now_ns ? until_ms * 1000000 : now_ns;
}

static void count_turn(struct loop *l, uint64_t ns)
{
	size_t i = 0;

	l->stats.turns++;
	l->stats.busy_ns += ns;
	if (ns > l->stats.longest_ns)
		l->stats.longest_ns = ns;
	while (i < LOOP_LATE_BUCKETS && ns > loop_late_us[i] * 1000)
		i++;
	if (i < LOOP_LATE_BUCKETS)
		l->stats.within[i]++;
}

void loop_stats(const struct loop *l, struct loop_stats *ret)
{
	*ret = l->stats;
}

void loop_once(struct loop *l, uint64_t max_ms)
{
	uint64_t until = timers_next(&l->timers), now = loop_now_ms();
	struct loop_turn *t, *next;

	if (l->deadline_ms < until)
		until = l->deadline_ms;
	if (max_ms < TIMERS_NEVER - now && now + max_ms < until)
		until = now + max_ms;
	uint64_t since_ns = wait_and_dispatch(l, until);
	take_signals(l);
	timers_run(&l->timers, loop_now_ms());

	l->deadline_ms = TIMERS_NEVER;
	for (t = TAILQ_FIRST(&l->turns); t; t = next) {
		next = TAILQ_NEXT(t, link);
		uint64_t deadline = t->turn(t->arg, loop_now_ms());
		if (deadline < l->deadline_ms)
			l->deadline_ms = deadline;
	}
	count_turn(l, loop_now_ns() - since_ns);
}

void loop_run(struct loop *l)
{
	while (!l->stop)
		loop_once(l, TIMERS_NEVER);
	l->stop = false;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
