/* What the service manager hears, played by a socket of ours. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/notify.h"
#include "lib/log.h"

static char dir[] = "/tmp/quell-notify-XXXXXX";
static char path[64];
static int manager = -1;

static void setup(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	strcpy(dir, "/tmp/quell-notify-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/notify", dir);
	manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_ge(manager, 0);
	memcpy(at.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(bind(manager, (const struct sockaddr *)&at, sizeof(at)), 0);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	setenv("NOTIFY_SOCKET", path, 1);
	log_set_all(LOG_LEVEL_ERROR);
}

static void teardown(void)
{
	close(manager);
	unlink(path);
	rmdir(dir);
}

/* The next message, "" if there is none. */
static const char *heard(void)
{
	static char text[256];
	ssize_t n = recv(manager, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

START_TEST(it_says_when_it_is_up_and_when_it_stops)
{
	struct loop *l = loop_new();
	struct notify *n = notify_new(l);

	ck_assert_str_eq(heard(), "");
	notify_ready(n, "AS 65000, 2 neighbors");
	ck_assert_str_eq(heard(), "READY=1\nSTATUS=AS 65000, 2 neighbors");
	ck_assert_str_eq(heard(), "");
	notify_stopping(n);
	ck_assert_str_eq(heard(), "STOPPING=1\nSTATUS=stopping");
	notify_free(n);
	loop_free(l);
}
END_TEST

START_TEST(the_watchdog_hears_it_twice_in_its_time)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_USEC", "40000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	struct loop *l = loop_new();
	struct notify *n = notify_new(l);
	unsigned alive = 0;
	uint64_t start;

	loop_once(l, 0);
	ck_assert_str_eq(heard(), "");
	start = loop_now_ms();
	notify_ready(n, "up");
	ck_assert_str_eq(heard(), "READY=1\nSTATUS=up");
	while (alive < 4) {
		loop_once(l, 20);
		for (const char *text; *(text = heard()); alive++)
			ck_assert_str_eq(text, "WATCHDOG=1");
	}
	/* The first at once, then one every 20 ms. */
	ck_assert_uint_ge(loop_now_ms() - start, 3 * 20);
	notify_free(n);
	loop_free(l);
}
END_TEST

START_TEST(the_watchdog_of_another_process_is_not_ours)
{
	setenv("WATCHDOG_USEC", "1000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	struct loop *l = loop_new();
	struct notify *n = notify_new(l);

	notify_ready(n, "up");
	ck_assert_str_eq(heard(), "READY=1\nSTATUS=up");
	loop_once(l, 5);
	ck_assert_str_eq(heard(), "");
	notify_free(n);
	loop_free(l);
}
END_TEST

START_TEST(nobody_listens)
{
	static const char *const sockets[] = {NULL, "", "/", "relative", "/nowhere/at/all"};

	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		if (sockets[i])
			setenv("NOTIFY_SOCKET", sockets[i], 1);
		else
			unsetenv("NOTIFY_SOCKET");
		struct loop *l = loop_new();
		struct notify *n = notify_new(l);
		notify_ready(n, "up");
		notify_stopping(n);
		notify_free(n);
		loop_free(l);
	}
	ck_assert_str_eq(heard(), "");
}
END_TEST

START_TEST(an_abstract_socket)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char name[64];
	int len = snprintf(name, sizeof(name), "@quell-notify-%d", (int)getpid());

	memcpy(at.sun_path + 1, name + 1, (size_t)len - 1);
	close(manager);
	manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(manager, (const struct sockaddr *)&at,
				 (socklen_t)(sizeof(sa_family_t) + (size_t)len)), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	struct loop *l = loop_new();
	struct notify *n = notify_new(l);
	notify_ready(n, "up");
	ck_assert_str_eq(heard(), "READY=1\nSTATUS=up");
	notify_free(n);
	loop_free(l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("notify");
	TCase *tc = tcase_create("notify");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_says_when_it_is_up_and_when_it_stops);
	tcase_add_test(tc, the_watchdog_hears_it_twice_in_its_time);
	tcase_add_test(tc, the_watchdog_of_another_process_is_not_ours);
	tcase_add_test(tc, nobody_listens);
	tcase_add_test(tc, an_abstract_socket);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
