/* The event loop: the order of a turn, deadlines, signals. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/loop.h"

struct trace {
	struct loop *loop;
	char text[64];
	size_t len;
	uint64_t deadline_in_ms;
	int turns_left;
};

static void put(struct trace *t, char c)
{
	if (t->len < sizeof(t->text) - 1)
		t->text[t->len++] = c;
}

static uint64_t turn_a(void *arg, uint64_t now_ms)
{
	struct trace *t = arg;

	put(t, 'a');
	if (--t->turns_left == 0)
		loop_stop(t->loop);
	return t->deadline_in_ms == TIMERS_NEVER ? TIMERS_NEVER : now_ms + t->deadline_in_ms;
}

static uint64_t turn_b(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	put(arg, 'b');
	return TIMERS_NEVER;
}

static void on_fire(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	put(arg, 't');
}

static void on_fd(evutil_socket_t fd, short what, void *arg)
{
	char c;

	(void)what;
	ck_assert_int_eq(read(fd, &c, 1), 1);
	put(arg, 'f');
}

/* What was readable first, then due timers, then the hooks in their order. */
START_TEST(test_turn_order)
{
	struct trace t = {.loop = loop_new(), .deadline_in_ms = TIMERS_NEVER, .turns_left = 1};
	struct loop_turn a = {.turn = turn_a, .arg = &t}, b = {.turn = turn_b, .arg = &t};
	struct timer timer;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	struct event *ev = event_new(loop_base(t.loop), fds[0], EV_READ | EV_PERSIST, on_fd, &t);
	event_add(ev, NULL);
	timer_init(&timer, on_fire, &t);
	timers_start(loop_timers(t.loop), &timer, loop_now_ms());
	loop_add_turn(t.loop, &a);
	loop_add_turn(t.loop, &b);
	loop_run(t.loop);
	ck_assert_str_eq(t.text, "ftab");
	event_free(ev);
	close(fds[0]);
	close(fds[1]);
	loop_free(t.loop);
}
END_TEST

/* A hook that wants to be called again is, without any other event. */
START_TEST(test_deadlines)
{
	struct trace t = {.loop = loop_new(), .deadline_in_ms = 5, .turns_left = 4};
	struct loop_turn a = {.turn = turn_a, .arg = &t}, b = {.turn = turn_b, .arg = &t};
	uint64_t start = loop_now_ms();

	loop_add_turn(t.loop, &a);
	loop_add_turn(t.loop, &b);
	loop_run(t.loop);
	ck_assert_str_eq(t.text, "abababab");
	ck_assert_uint_ge(loop_now_ms() - start, 15);

	/* And one whose deadline is always now does not starve the descriptors, nor a descriptor
	 * that is always readable the hooks. */
	int fds[2];
	ck_assert_int_eq(pipe(fds), 0);
	t.deadline_in_ms = 0;
	t.turns_left = 3;
	t.len = 0;
	struct event *ev = event_new(loop_base(t.loop), fds[0], EV_READ | EV_PERSIST, on_fd, &t);
	event_add(ev, NULL);
	ck_assert_int_eq(write(fds[1], "xxxx", 4), 4);
	loop_run(t.loop);
	t.text[t.len] = '\0';
	ck_assert_str_eq(t.text, "fabfabfab");
	event_free(ev);
	close(fds[0]);
	close(fds[1]);
	loop_free(t.loop);
}
END_TEST

static void on_signal(void *arg, int signo)
{
	struct trace *t = arg;

	put(t, signo == SIGUSR1 ? '1' : '?');
	loop_stop(t->loop);
}

START_TEST(test_signal)
{
	struct trace t = {.loop = loop_new()};

	loop_on_signal(t.loop, SIGUSR1, on_signal, &t);
	for (int i = 0; i < 3; i++)
		raise(SIGUSR1);
	loop_run(t.loop);
	loop_once(t.loop, 0);
	ck_assert_str_eq(t.text, "1");
	loop_free(t.loop);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loop");
	TCase *tc = tcase_create("loop");

	tcase_add_test(tc, test_turn_order);
	tcase_add_test(tc, test_deadlines);
	tcase_add_test(tc, test_signal);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
