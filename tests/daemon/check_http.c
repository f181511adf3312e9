/* HTTP: the head of a request by table and in every truncation; the server's answers, its bounds and its patience. */
#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/http.h"
#include "daemon/loop.h"

/* --- heads --- */

#define OK_HEAD "GET / HTTP/1.1\r\nHost: 127.0.0.1:9179\r\n\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"
#define WITH(fields) "GET / HTTP/1.1\r\nHost: h\r\n" fields "\r\n\r\n"

static const struct {
	const char *text;
	int status;
	const char *host, *path, *params; /* "name=value;..." */
	bool keep, openmetrics, head;
} heads[] = {
	{OK_HEAD, 0, "127.0.0.1", "/", "", true, false, false},
	{"GET / HTTP/1.1\nHost: LG.Example.NET\n\n", 0, "lg.example.net", "/", "", true, false, false},
	{"HEAD /a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0, "::1", "/a", "", true, false, true},
	{"GET / HTTP/1.0\r\n\r\n", 0, "", "/", "", false, false, false},
	{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 0, "", "/", "", false, false, false},
	{"GET / HTTP/1.9\r\nHost: h\r\n\r\n", 0, "h", "/", "", true, false, false},
	{GET("/a%20b/%C3%A9"), 0, "h", "/a b/\xc3\xa9", "", true, false, false},
	{GET("/s?q=a+b%26c&lan=&x&&y=1=2"), 0, "h", "/s", "q=a b&c;lan=;x=;y=1=2;", true, false, false},
	{GET("/a+b"), 0, "h", "/a+b", "", true, false, false},
	{GET("/?"), 0, "h", "/", "", true, false, false},
	{GET("http://other:1/p?q=1"), 0, "other", "/p", "q=1;", true, false, false},
	{WITH("Connection: x, Close"), 0, "h", "/", "", false, false, false},
	{WITH("Content-Length: 0"), 0, "h", "/", "", true, false, false},
	{WITH("Accept: application/openmetrics-text; version=1.0.0;q=0.5,text/plain;q=0.3"), 0, "h", "/", "", true,
		true, false},
	{WITH("Accept: application/openmetrics-text;q=0,*/*"), 0, "h", "/", "", true, false, false},
	{WITH("accept: text/html\r\nACCEPT: Application/OpenMetrics-Text"), 0, "h", "/", "", true, true, false},
	{WITH("X: \xff\xfe"), 0, "h", "/", "", true, false, false},
	/* refused */
	{"\r\n\r\n", 400, NULL, NULL, NULL, false, false, false},
	{"GET /\r\n\r\n", 400, NULL, NULL, NULL, false, false, false},
	{"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL, NULL, NULL, false, false, false},
	{"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505, NULL, NULL, NULL, false, false, false},
	{"GET / HTTP/1.1x\r\nHost: h\r\n\r\n", 400, NULL, NULL, NULL, false, false, false},
	{"GET / http/1.1\r\nHost: h\r\n\r\n", 400, NULL, NULL, NULL, false, false, false},
	{"G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL, NULL, NULL, false, false, false},
	{"POST / HTTP/1.1\r\nHost: h\r\n\r\n", 405, NULL, NULL, NULL, false, false, false},
	{"get / HTTP/1.1\r\nHost: h\r\n\r\n", 405, NULL, NULL, NULL, false, false, false},
	{"GET / HTTP/1.1\r\n\r\n", 400, NULL, NULL, NULL, false, false, false},
	{"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, NULL, NULL, NULL, false, false, false},
	{"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, NULL, NULL, NULL, false, false, false},
	{"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400, NULL, NULL, NULL, false, false, false},
	{"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, NULL, NULL, NULL, false, false, false},
	{"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, NULL, NULL, NULL, false, false, false},
	{WITH("Host : x"), 400, NULL, NULL, NULL, false, false, false},
	{WITH(" folded"), 400, NULL, NULL, NULL, false, false, false},
	{WITH("no colon"), 400, NULL, NULL, NULL, false, false, false},
	{WITH("A: b\001c"), 400, NULL, NULL, NULL, false, false, false},
	{WITH("A: b\rc"), 400, NULL, NULL, NULL, false, false, false},
	{WITH("Content-Length: 1"), 413, NULL, NULL, NULL, false, false, false},
	{WITH("Transfer-Encoding: chunked"), 413, NULL, NULL, NULL, false, false, false},
	{GET("*"), 400, NULL, NULL, NULL, false, false, false},
	{GET("http://h"), 400, NULL, NULL, NULL, false, false, false},
	{GET("/%"), 400, NULL, NULL, NULL, false, false, false},
	{GET("/%4"), 400, NULL, NULL, NULL, false, false, false},
	{GET("/%zz"), 400, NULL, NULL, NULL, false, false, false},
	{GET("/%00"), 400, NULL, NULL, NULL, false, false, false},
	{GET("/?q=%00"), 400, NULL, NULL, NULL, false, false, false},
	{GET("/?a&b&c&d&e&f&g&h&i"), 400, NULL, NULL, NULL, false, false, false},
};

START_TEST(test_head)
{
	struct http_request r;
	char params[256] = "";
	int status = http_request_parse(heads[_i].text, strlen(heads[_i].text), &r);

	ck_assert_msg(status == heads[_i].status, "%s: %d", heads[_i].text, status);
	if (status)
		return;
	ck_assert_str_eq(r.host, heads[_i].host);
	ck_assert_str_eq(r.path, heads[_i].path);
	for (unsigned i = 0; i < r.param_count; i++)
		snprintf(params + strlen(params), sizeof(params) - strlen(params), "%s=%s;", r.params[i].name,
			r.params[i].value);
	ck_assert_str_eq(params, heads[_i].params);
	ck_assert_int_eq(r.keep, heads[_i].keep);
	ck_assert_int_eq(r.head, heads[_i].head);
	ck_assert_int_eq(r.openmetrics, heads[_i].openmetrics);
}
END_TEST

/* Of memory of just that size, for the sanitizers; any octet in any place. */
START_TEST(test_truncated_and_mutated)
{
	size_t len = strlen(heads[_i].text);
	struct http_request r;

	for (size_t cut = 0; cut <= len; cut++) {
		char *copy = malloc(cut ? cut : 1);
		memcpy(copy, heads[_i].text, cut);
		http_request_parse(copy, cut, &r);
		for (size_t at = 0; at < cut && cut == len; at++)
			for (int c = 0; c < 256; c += 3) {
				char was = copy[at];
				copy[at] = (char)c;
				http_request_parse(copy, cut, &r);
				copy[at] = was;
			}
		free(copy);
	}
}
END_TEST

START_TEST(test_long_target)
{
	char text[3000];
	struct http_request r;

	/* Decoded names without values take a NUL more than they were sent octets: it has to fit all the same. */
	for (int n = 900; n < 1100; n++) {
		snprintf(text, sizeof(text), "GET /%0*d?a&b&c&d&e&f&g&h HTTP/1.1\r\nHost: h\r\n\r\n", n, 0);
		int status = http_request_parse(text, strlen(text), &r);
		ck_assert(status == 0 || status == 414);
		ck_assert(n < 1000 || n > 1010 || status == (n > 1004 ? 414 : status));
	}
	ck_assert_int_eq(http_request_parse(text, strlen(text), &r), 414);
}
END_TEST

START_TEST(test_params)
{
	static const char text[] = GET("/?n=17&big=99999999999&neg=-1&word=x&page=5");
	struct http_request r;

	ck_assert_int_eq(http_request_parse(text, strlen(text), &r), 0);
	ck_assert_str_eq(http_param(&r, "word"), "x");
	ck_assert_str_eq(http_param(&r, "none"), "");
	ck_assert_uint_eq(http_param_number(&r, "n", 100, 1), 17);
	ck_assert_uint_eq(http_param_number(&r, "n", 16, 1), 1);
	ck_assert_uint_eq(http_param_number(&r, "big", UINT32_MAX, 1), 1);
	ck_assert_uint_eq(http_param_number(&r, "neg", 100, 1), 1);
	ck_assert_uint_eq(http_param_number(&r, "none", 100, 3), 3);
}
END_TEST

START_TEST(test_hosts)
{
	char name[] = "lg.example.net", *const names[] = {name};

	ck_assert(http_host_ok("127.0.0.1", NULL, 0));
	ck_assert(http_host_ok("::1", NULL, 0));
	ck_assert(http_host_ok("localhost", NULL, 0));
	ck_assert(http_host_ok("", NULL, 0));
	ck_assert(!http_host_ok("lg.example.net", NULL, 0));
	ck_assert(http_host_ok("lg.example.net", names, 1));
	ck_assert(!http_host_ok("evil.example.net", names, 1));
	ck_assert(!http_host_ok("127.0.0.1.evil.example", names, 1));
	ck_assert(!http_host_ok("localhost.evil.example", names, 1));
}
END_TEST

/* --- the server --- */

static struct loop *loop;
static struct http_server *server;
static struct config_http config;
static int jobs; /* alive */

struct rows {
	unsigned left, len;
};

static bool write_rows(void *job, struct textbuf *out)
{
	struct rows *j = job;
	char row[1024];

	if (!j->left)
		return false;
	j->left--;
	memset(row, 'x', sizeof(row));
	textbuf_add(out, row, j->len);
	return true;
}

static void release(void *job)
{
	free(job);
	jobs--;
}

/* /rows?n=3&len=10 */
static void on_request(void *arg, const struct http_request *r, struct http_answer *ret)
{
	(void)arg;
	if (strcmp(r->path, "/rows") != 0)
		return;
	struct rows *j = malloc(sizeof(*j));
	*j = (struct rows){http_param_number(r, "n", 1000000, 1), http_param_number(r, "len", 1024, 1)};
	*ret = (struct http_answer){200, "text/plain", write_rows, release, j};
	jobs++;
}

static void setup(void)
{
	static const struct http_limits limits = {.head_ms = 300, .idle_ms = 600, .answer_ms = 1500};
	struct http_hooks hooks = {on_request, NULL};
	char err[HTTP_ERROR_MAX];

	loop = loop_new();
	server = http_new(loop, &hooks, &limits);
	config = (struct config_http){0};
	ip_parse("127.0.0.1", &config.quelld.ip);
	for (unsigned port = 20000 + (unsigned)getpid() % 20000;; port++) {
		config.quelld.port = (uint16_t)port;
		if (http_prepare(server, &config.quelld, err) == 0)
			break;
	}
	http_commit(server, &config.quelld, &config);
}

static void teardown(void)
{
	http_free(server);
	loop_free(loop);
	ck_assert_int_eq(jobs, 0);
}

static int call(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(config.quelld.port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), small = 4096;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	connect(fd, (struct sockaddr *)&to, sizeof(to));
	for (int i = 0; i < 4; i++)
		loop_once(loop, 1);
	return fd;
}

static void say(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Until `until` is in it, or the end. */
static size_t hear(int fd, char *buf, size_t cap, const char *until)
{
	size_t len = 0;

	for (uint64_t end = loop_now_ms() + 10000; loop_now_ms() < end && len + 1 < cap;) {
		loop_once(loop, 1);
		ssize_t n = read(fd, buf + len, cap - 1 - len);
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
		buf[len] = '\0';
		/* What is looked for may have begun in what came before. */
		if (until && n > 0 && strstr(buf + (len > (size_t)n + 64 ? len - (size_t)n - 64 : 0), until))
			break;
	}
	buf[len] = '\0';
	return len;
}

static bool closed(int fd, uint64_t within_ms)
{
	char c[4096];

	for (uint64_t end = loop_now_ms() + within_ms; loop_now_ms() < end;) {
		loop_once(loop, 1);
		ssize_t n = read(fd, c, sizeof(c));
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (n == 0 || (poll(&p, 1, 0) && p.revents & (POLLERR | POLLHUP)))
			return true;
	}
	return false;
}

START_TEST(test_answers)
{
	char buf[4096];
	int fd = call();

	/* Two at once on one connection. */
	say(fd, GET("http://localhost/rows?n=3&len=2") GET("http://localhost/nothing"));
	hear(fd, buf, sizeof(buf), "404 Not Found\n");
	ck_assert_msg(strstr(buf, "HTTP/1.1 200 OK\r\n") == buf, "%s", buf);
	ck_assert_ptr_nonnull(strstr(buf, "Content-Security-Policy: default-src 'none';"));
	ck_assert_ptr_nonnull(strstr(buf, "\r\n\r\n6\r\nxxxxxx\r\n0\r\n\r\nHTTP/1.1 404 Not Found\r\n"));
	say(fd, "HEAD /rows HTTP/1.1\r\nHost: localhost\r\n\r\n");
	hear(fd, buf, sizeof(buf), "\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(buf, "200 OK"));
	say(fd, "GET /rows?n=3&len=2 HTTP/1.1\r\nHost: evil.example\r\n\r\n");
	hear(fd, buf, sizeof(buf), "Misdirected Request\n");
	ck_assert_ptr_nonnull(strstr(buf, "HTTP/1.1 421"));
	say(fd, "POST /rows HTTP/1.1\r\nHost: localhost\r\n\r\n");
	hear(fd, buf, sizeof(buf), NULL);
	ck_assert_ptr_nonnull(strstr(buf, "Allow: GET, HEAD\r\n"));
	close(fd);
	/* HTTP/1.0: no chunks, its end is the connection's. */
	fd = call();
	say(fd, "GET /rows?n=3&len=2 HTTP/1.0\r\n\r\n");
	hear(fd, buf, sizeof(buf), NULL);
	ck_assert_ptr_nonnull(strstr(buf, "\r\n\r\nxxxxxx"));
	ck_assert_ptr_null(strstr(buf, "chunked"));
	close(fd);
}
END_TEST

START_TEST(test_head_too_large)
{
	char buf[4096], field[1000];
	int fd = call();

	memset(field, 'a', sizeof(field) - 1);
	field[sizeof(field) - 1] = '\0';
	say(fd, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (int i = 0; i < 9; i++) {
		say(fd, field);
		say(fd, ": x\r\n");
		loop_once(loop, 1);
	}
	hear(fd, buf, sizeof(buf), NULL);
	ck_assert_ptr_nonnull(strstr(buf, "HTTP/1.1 431"));
	close(fd);
}
END_TEST

/* A large answer in slices, whoever else is served meanwhile; no turn takes long. */
START_TEST(test_slices)
{
	static char buf[2 * 1024 * 1024];
	int fd = call(), other = call();
	struct http_stats s;
	char small[2048];

	say(fd, GET("http://localhost/rows?n=600&len=1024"));
	say(other, GET("http://localhost/rows?n=1&len=3"));
	hear(other, small, sizeof(small), "0\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(small, "3\r\nxxx\r\n"));
	size_t len = hear(fd, buf, sizeof(buf), "\r\n0\r\n\r\n");
	ck_assert_uint_gt(len, 600 * 1024);
	http_stats(server, &s);
	ck_assert_uint_eq(s.by_status[2], 2);
	close(fd);
	close(other);
}
END_TEST

/* Who says nothing, or half of something, or does not read, is dropped. */
START_TEST(test_patience)
{
	int silent = call(), half = call(), deaf = call();
	struct http_stats s;

	say(half, "GET / HTTP/1.1\r\nHos");
	say(deaf, GET("http://localhost/rows?n=100000&len=1024"));
	ck_assert(closed(silent, 2000));
	ck_assert(closed(half, 2000));
	for (uint64_t end = loop_now_ms() + 8000; loop_now_ms() < end;) {
		loop_once(loop, 5);
		http_stats(server, &s);
		if (!s.open)
			break;
	}
	ck_assert_uint_eq(s.open, 0);
	ck_assert_uint_eq(s.timeouts, 2);
	ck_assert_int_eq(jobs, 0);
	close(silent);
	close(half);
	close(deaf);
}
END_TEST

/* More requests than are held, and nobody who reads the first answer: the loop goes on, others are answered, and once it is read the
 * next ones are, too. */
START_TEST(test_ahead)
{
	static const char request[] = GET("http://localhost/rows?n=1&len=3");
	int deaf = call(), ahead = call(), other = call();
	static char buf[1024 * 1024];
	struct http_stats s;
	char small[2048];
	size_t told = 0;

	say(deaf, GET("http://localhost/rows?n=100000&len=1024"));
	say(ahead, GET("http://localhost/rows?n=400&len=1024"));
	for (size_t i = 0; i < 40 * 1024 / sizeof(request); i++) {
		told += write(ahead, request, sizeof(request) - 1) == sizeof(request) - 1;
		ck_assert(write(deaf, request, sizeof(request) - 1) != 0);
		loop_once(loop, 1);
	}
	ck_assert_uint_gt(told * sizeof(request), 2 * HTTP_HEAD_MAX);
	say(other, request);
	hear(other, small, sizeof(small), "0\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(small, "xxx"));
	close(other);
	hear(ahead, buf, sizeof(buf), "3\r\nxxx\r\n0\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(buf + 400 * 1024, "3\r\nxxx\r\n0\r\n\r\n"));
	close(ahead);
	for (uint64_t end = loop_now_ms() + 8000; loop_now_ms() < end;) {
		loop_once(loop, 5);
		http_stats(server, &s);
		if (!s.open)
			break;
	}
	ck_assert_uint_eq(s.open, 0);
	ck_assert_uint_eq(s.timeouts, 1);
	close(deaf);
}
END_TEST

/* Whoever holds all connections open keeps nobody out. */
START_TEST(test_crowd)
{
	int fds[HTTP_CONNS_MAX + 8];
	struct http_stats s;
	char buf[2048];

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		fds[i] = call();
		say(fds[i], "GET / H");
	}
	http_stats(server, &s);
	ck_assert_uint_eq(s.open, HTTP_CONNS_MAX);
	int fd = call();
	say(fd, GET("http://localhost/rows?n=1&len=3"));
	hear(fd, buf, sizeof(buf), "0\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(buf, "xxx"));
	http_stats(server, &s);
	ck_assert_uint_eq(s.open, HTTP_CONNS_MAX);
	ck_assert_uint_eq(s.crowded, 9);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
	close(fd);
}
END_TEST

START_TEST(test_elsewhere)
{
	struct config_endpoint was = config.quelld, none = {0};
	char err[HTTP_ERROR_MAX] = "", want[64];
	struct http_server *other;
	struct http_hooks hooks = {on_request, NULL};

	other = http_new(loop, &hooks, NULL);
	snprintf(want, sizeof(want), "http: 127.0.0.1:%u: Address already in use", was.port);
	ck_assert_int_lt(http_prepare(other, &was, err), 0);
	ck_assert_str_eq(err, want);
	ck_assert_int_eq(http_prepare(server, &was, err), 0); /* the same again */
	http_commit(server, &was, &config);
	ck_assert_int_eq(http_prepare(server, &none, err), 0);
	http_commit(server, &none, &config);
	ck_assert_int_eq(http_prepare(other, &was, err), 0); /* it is free now */
	http_free(other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http");
	TCase *heads_case = tcase_create("heads"), *server_case = tcase_create("server");
	SRunner *r = srunner_create(s);

	tcase_add_loop_test(heads_case, test_head, 0, sizeof(heads) / sizeof(heads[0]));
	tcase_add_loop_test(heads_case, test_truncated_and_mutated, 0, sizeof(heads) / sizeof(heads[0]));
	tcase_add_test(heads_case, test_long_target);
	tcase_add_test(heads_case, test_params);
	tcase_add_test(heads_case, test_hosts);
	tcase_set_timeout(heads_case, 60);
	suite_add_tcase(s, heads_case);
	tcase_add_checked_fixture(server_case, setup, teardown);
	tcase_add_test(server_case, test_answers);
	tcase_add_test(server_case, test_head_too_large);
	tcase_add_test(server_case, test_slices);
	tcase_add_test(server_case, test_patience);
	tcase_add_test(server_case, test_ahead);
	tcase_add_test(server_case, test_crowd);
	tcase_add_test(server_case, test_elsewhere);
	tcase_set_timeout(server_case, 60);
	suite_add_tcase(s, server_case);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
