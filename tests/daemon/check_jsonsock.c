/* JSON lines over a UNIX socket: framing, limits, who ends what. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/jsonsock.h"
#include "daemon/loop.h"

static char dir[] = "/tmp/quell-check-XXXXXX";
static char path[64];
static struct loop *loop;

struct seen {
	int opened, lines, closed;
	char why[80];
	char last[200];
	struct jsonsock *conn;
	size_t answer_octets; /* of the answer to each line; 0: echo */
	bool close_on_line, end_on_line, close_on_closed, hold_on_line;
};

static void on_opened(void *arg, struct jsonsock *s)
{
	struct seen *seen = arg;

	seen->opened++;
	seen->conn = s;
}

static void on_line(void *arg, struct jsonsock *s, const json_t *object)
{
	struct seen *seen = arg;
	char *text = json_dumps(object, JSON_COMPACT);

	seen->lines++;
	snprintf(seen->last, sizeof(seen->last), "%s", text);
	free(text);
	if (seen->close_on_line) {
		jsonsock_close(s);
	} else if (seen->hold_on_line) {
		jsonsock_hold(s, true);
	} else if (seen->end_on_line) {
		jsonsock_end(s, "enough");
	} else if (seen->answer_octets) {
		char *big = malloc(seen->answer_octets);
		memset(big, 'x', seen->answer_octets);
		jsonsock_send_text(s, big, seen->answer_octets);
		free(big);
	} else {
		jsonsock_send(s, json_deep_copy(object));
	}
}

static void on_closed(void *arg, struct jsonsock *s, const char *why)
{
	struct seen *seen = arg;

	seen->closed++;
	snprintf(seen->why, sizeof(seen->why), "%s", why);
	if (seen->close_on_closed)
		jsonsock_close(s);
	seen->conn = NULL;
}

static struct jsonsock_hooks hooks_of(struct seen *seen)
{
	return (struct jsonsock_hooks){on_opened, on_line, on_closed, seen};
}

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	loop = loop_new();
}

static void teardown(void)
{
	loop_free(loop);
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static struct jsonsock_server *listen_with(struct seen *seen, const struct jsonsock_limits *limits)
{
	struct jsonsock_hooks hooks = hooks_of(seen);
	struct jsonsock_server *srv;

	ck_assert_int_eq(jsonsock_listen(loop, path, 0600, limits, &hooks, &srv), 0);
	return srv;
}

/* A plain blocking caller, so that what is on the wire is seen as it is. */
static int raw_connect(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void raw_send(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Turns the loop until the caller has read `want` octets or the end; returns what it got. */
static ssize_t raw_read(int fd, char *buf, size_t want)
{
	size_t got = 0;
	uint64_t until = loop_now_ms() + 5000;

	while (got < want && loop_now_ms() < until) {
		loop_once(loop, 5);
		ssize_t n = recv(fd, buf + got, want - got, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		if (n > 0)
			got += (size_t)n;
	}
	buf[got] = '\0';
	return (ssize_t)got;
}

#define until(cond)                                                                                \
	do {                                                                                       \
		uint64_t give_up = loop_now_ms() + 5000;                                           \
		while (!(cond) && loop_now_ms() < give_up)                                         \
			loop_once(loop, 5);                                                        \
		ck_assert(cond);                                                                   \
	} while (0)

/* What comes in, how often the hook is called, and what the caller reads before the end. */
static const struct {
	const char *name, *in, *out;
	int lines;
	const char *why; /* NULL: still open */
} wire[] = {
	{"one", "{\"a\":1}\n", "{\"a\":1}\n", 1, NULL},
	{"two in a write", "{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}\n{\"b\":2}\n", 2, NULL},
	{"incomplete", "{\"a\":1", "", 0, NULL},
	{"array", "[1]\n", "{\"error\":\"a line is not a JSON object\"}\n", 0,
		"a line is not a JSON object"},
	{"empty", "\n", "{\"error\":\"a line is not a JSON object\"}\n", 0,
		"a line is not a JSON object"},
	{"garbage after a good one", "{\"a\":1}\nx\n{\"b\":2}\n",
		"{\"a\":1}\n{\"error\":\"a line is not a JSON object\"}\n", 1,
		"a line is not a JSON object"},
	{"trailing", "{\"a\":1} {}\n", "{\"error\":\"a line is not a JSON object\"}\n", 0,
		"a line is not a JSON object"},
	{"twice the key", "{\"a\":1,\"a\":2}\n", "{\"error\":\"a line is not a JSON object\"}\n", 0,
		"a line is not a JSON object"},
	{"bad UTF-8", "{\"a\":\"\xff\"}\n", "{\"error\":\"a line is not a JSON object\"}\n", 0,
		"a line is not a JSON object"},
	{"longest", "{\"a\":\"0123456789012345678901234\"}\n",
		"{\"a\":\"0123456789012345678901234\"}\n", 1, NULL},
	{"too long", "{\"a\":\"01234567890123456789012345\"}\n",
		"{\"error\":\"a line is too long\"}\n", 0, "a line is too long"},
	{"too long without an end", "{\"a\":\"0123456789012345678901234567890123456789",
		"{\"error\":\"a line is too long\"}\n", 0, "a line is too long"},
};

START_TEST(test_wire)
{
	struct seen seen = {0};
	struct jsonsock_limits limits = {.line_max = 33};
	struct jsonsock_server *srv = listen_with(&seen, &limits);
	char buf[256];
	int fd = raw_connect();

	raw_send(fd, wire[_i].in);
	raw_read(fd, buf, strlen(wire[_i].out));
	ck_assert_str_eq(buf, wire[_i].out);
	until(seen.opened == 1);
	loop_once(loop, 0);
	ck_assert_int_eq(seen.lines, wire[_i].lines);
	if (wire[_i].why) {
		until(seen.closed == 1);
		ck_assert_str_eq(seen.why, wire[_i].why);
		ck_assert_int_eq(raw_read(fd, buf, 1), 0);
	} else {
		ck_assert_int_eq(seen.closed, 0);
		close(fd);
		until(seen.closed == 1);
		ck_assert_str_eq(seen.why, "closed by the peer");
		fd = -1;
	}
	if (fd >= 0)
		close(fd);
	jsonsock_server_free(srv);
}
END_TEST

/* Octet by octet is the same as at once. */
START_TEST(test_slow_writer)
{
	struct seen seen = {0};
	struct jsonsock_server *srv = listen_with(&seen, NULL);
	const char *text = "{\"a\":1}\n{\"b\":2}\n";
	int fd = raw_connect();
	char buf[64];

	for (const char *p = text; *p; p++) {
		ck_assert_int_eq(send(fd, p, 1, 0), 1);
		loop_once(loop, 5);
	}
	raw_read(fd, buf, strlen(text));
	ck_assert_str_eq(buf, text);
	close(fd);
	jsonsock_server_free(srv);
}
END_TEST

START_TEST(test_half_close)
{
	struct seen seen = {.answer_octets = 900000};
	struct jsonsock_server *srv = listen_with(&seen, NULL);
	int fd = raw_connect();
	char *buf = malloc(1000000);

	raw_send(fd, "{}\n");
	shutdown(fd, SHUT_WR);
	ck_assert_int_eq(raw_read(fd, buf, 999999), 900001);
	ck_assert_int_eq(seen.closed, 1);
	free(buf);
	close(fd);
	jsonsock_server_free(srv);
}
END_TEST

/* One that asks and never reads costs the output limit, no more. */
START_TEST(test_output_limit)
{
	struct seen seen = {.answer_octets = 100000};
	struct jsonsock_limits limits = {.output_max = 500000};
	struct jsonsock_server *srv = listen_with(&seen, &limits);
	int fd = raw_connect();
	size_t most = 0;

	for (int i = 0; i < 100 && !seen.closed; i++) {
		if (send(fd, "{}\n", 3, MSG_NOSIGNAL | MSG_DONTWAIT) != 3)
			break;
		loop_once(loop, 5);
		if (seen.conn && jsonsock_queued(seen.conn) > most)
			most = jsonsock_queued(seen.conn);
	}
	until(seen.closed == 1);
	ck_assert_str_eq(seen.why, "the peer reads too slowly");
	ck_assert_uint_le(most, 500000);
	close(fd);
	jsonsock_server_free(srv);
}
END_TEST

START_TEST(test_stuck_and_idle)
{
	struct seen seen = {.answer_octets = 900000};
	struct jsonsock_limits limits = {.stuck_sec = 1, .idle_sec = 2};
	struct jsonsock_server *srv = listen_with(&seen, &limits);
	int fd = raw_connect();

	raw_send(fd, "{}\n");
	until(seen.closed == 1);
	ck_assert_str_eq(seen.why, "the peer does not read");
	close(fd);
	seen.closed = 0;
	fd = raw_connect();
	until(seen.closed == 1);
	ck_assert_str_eq(seen.why, "idle for too long");
	close(fd);
	jsonsock_server_free(srv);
}
END_TEST

/* The owner may end a conn from within its own hooks, and hears nothing of it afterwards. */
START_TEST(test_close_in_hook)
{
	struct seen seen = {
		.close_on_line = _i == 0, .end_on_line = _i == 1, .close_on_closed = true};
	struct jsonsock_server *srv = listen_with(&seen, NULL);
	int fd = raw_connect();
	char buf[64];

	raw_send(fd, _i == 2 ? "x\n" : "{}\n{}\n{}\n");
	raw_read(fd, buf, sizeof(buf) - 1);
	ck_assert_str_eq(buf, _i == 1 ? "{\"error\":\"enough\"}\n" : "");
	ck_assert_int_eq(seen.lines, _i == 2 ? 0 : 1);
	ck_assert_int_eq(seen.closed, _i == 2 ? 1 : 0);
	close(fd);
	jsonsock_server_free(srv);
}
END_TEST

/* A held conn takes no line and no end of file; its answer goes out in parts, and then the rest is
 * taken. */
START_TEST(test_hold)
{
	struct seen seen = {.hold_on_line = true};
	struct jsonsock_server *srv = listen_with(&seen, NULL);
	int fd = raw_connect();
	char buf[64];

	raw_send(fd, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
	shutdown(fd, SHUT_WR);
	until(seen.lines == 1);
	for (int i = 0; i < 5; i++)
		loop_once(loop, 1);
	ck_assert_int_eq(seen.lines, 1);
	ck_assert_int_eq(seen.closed, 0);
	ck_assert_int_eq(jsonsock_send_part(seen.conn, "[1,", 3), 0);
	ck_assert_int_eq(jsonsock_send_part(seen.conn, "2]\n", 3), 0);
	jsonsock_hold(seen.conn, false);
	until(seen.lines == 2);
	ck_assert_str_eq(seen.last, "{\"b\":2}");
	seen.hold_on_line = false;
	jsonsock_hold(seen.conn, false);
	until(seen.closed == 1);
	ck_assert_int_eq(seen.lines, 3);
	raw_read(fd, buf, sizeof(buf) - 1);
	ck_assert_str_eq(buf, "[1,2]\n{\"c\":3}\n");
	close(fd);
	jsonsock_server_free(srv);
}
END_TEST

START_TEST(test_too_many)
{
	struct seen seen = {0};
	struct jsonsock_limits limits = {.conns_max = 2, .op_errors = true};
	struct jsonsock_server *srv = listen_with(&seen, &limits);
	int fds[3];
	char buf[100];

	for (int i = 0; i < 3; i++)
		fds[i] = raw_connect();
	raw_read(fds[2], buf, sizeof(buf) - 1);
	ck_assert_str_eq(buf, "{\"op\":\"error\",\"text\":\"too many connections\"}\n");
	ck_assert_int_eq(seen.opened, 2);
	close(fds[0]);
	until(seen.closed == 1);
	close(fds[2]);
	fds[2] = raw_connect();
	until(seen.opened == 3);
	close(fds[1]);
	close(fds[2]);
	jsonsock_server_free(srv);
}
END_TEST

START_TEST(test_listen)
{
	struct seen seen = {0};
	struct jsonsock_hooks hooks = hooks_of(&seen);
	struct jsonsock_server *srv = listen_with(&seen, NULL), *other;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	char long_path[200];
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(jsonsock_listen(loop, path, 0600, NULL, &hooks, &other), -EADDRINUSE);
	jsonsock_server_free(srv);
	ck_assert_int_eq(stat(path, &st), -1);

	/* What a killed daemon left is replaced. */
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	srv = listen_with(&seen, NULL);
	jsonsock_server_free(srv);

	memset(long_path, 'p', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	ck_assert_int_eq(
		jsonsock_listen(loop, long_path, 0600, NULL, &hooks, &other), -ENAMETOOLONG);
}
END_TEST

/* Our own client against our own server. */
START_TEST(test_client)
{
	struct seen server = {0}, client = {0};
	struct jsonsock_hooks hooks = hooks_of(&client);
	struct jsonsock *s;

	client.close_on_line = true;
	ck_assert_int_eq(jsonsock_connect(loop, path, NULL, &hooks, &s), -ENOENT);
	struct jsonsock_server *srv = listen_with(&server, NULL);
	ck_assert_int_eq(jsonsock_connect(loop, path, NULL, &hooks, &s), 0);
	ck_assert_int_eq(jsonsock_peer(s).pid, getpid());
	ck_assert_uint_eq(jsonsock_peer(s).uid, getuid());
	ck_assert_int_eq(jsonsock_send(s, json_pack("{s:i}", "n", 7)), 0);
	until(client.lines == 1);
	ck_assert_str_eq(server.last, "{\"n\":7}");
	ck_assert_str_eq(client.last, "{\"n\":7}");
	until(server.closed == 1);
	ck_assert_int_eq(client.closed, 0);
	jsonsock_server_free(srv);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("jsonsock");
	TCase *tc = tcase_create("jsonsock");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_wire, 0, sizeof(wire) / sizeof(wire[0]));
	tcase_add_test(tc, test_slow_writer);
	tcase_add_test(tc, test_half_close);
	tcase_add_test(tc, test_output_limit);
	tcase_add_test(tc, test_stuck_and_idle);
	tcase_add_loop_test(tc, test_close_in_hook, 0, 3);
	tcase_add_test(tc, test_hold);
	tcase_add_test(tc, test_too_many);
	tcase_add_test(tc, test_listen);
	tcase_add_test(tc, test_client);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
