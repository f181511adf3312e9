#include "daemon/http.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "daemon/loop.h"

#define HEAD_MS 10000
#define IDLE_MS 75000
#define ANSWER_MS 60000
#define LINGER_MS 1000
#define SLOW_MS 5000
#define ACCEPT_PAUSE_MS 200
#define LISTEN_BACKLOG 64
#define SLICE_OCTETS (16 * 1024) /* a chunk */
#define QUEUE_OCTETS (128 * 1024) /* that wait for a reader */

enum conn_state {
	CONN_IDLE,   /* nothing of a request yet */
	CONN_HEAD,   /* some */
	CONN_ANSWER, /* a job is at work, or its answer waits to be read */
	CONN_LINGER, /* all is said; what still comes is read and forgotten, or the peer might not get the answer */
};

struct conn {
	struct http_server *server;
	struct bufferevent *bev;
	enum conn_state state;
	uint64_t since_ms; /* in this state */
	struct timer timer;
	bool keep, chunked, working; /* of the answer; a step is to be made */
	struct http_answer answer;
	TAILQ_ENTRY(conn) link;
};

struct http_server {
	struct loop *loop;
	struct http_hooks hooks;
	struct http_limits limits;
	const struct config_http *config;
	struct config_endpoint at; /* of listener */
	struct evconnlistener *listener;
	struct evconnlistener *prepared;
	struct timer again;
	struct loop_turn turn;
	TAILQ_HEAD(, conn) conns; /* who worked last stands last */
	struct textbuf slice;
	struct http_stats stats;
};

/* --- conns --- */

static void drop_job(struct conn *c)
{
	if (c->answer.job && c->answer.release)
		c->answer.release(c->answer.job);
	c->answer = (struct http_answer){0};
	c->working = false;
}

static void conn_free(struct conn *c)
{
	drop_job(c);
	timers_stop(loop_timers(c->server->loop), &c->timer);
	TAILQ_REMOVE(&c->server->conns, c, link);
	c->server->stats.open--;
	bufferevent_free(c->bev);
	free(c);
}

static void set_state(struct conn *c, enum conn_state state, uint32_t ms)
{
	uint64_t now = loop_now_ms();

	c->state = state;
	c->since_ms = now;
	timers_start(loop_timers(c->server->loop), &c->timer, now + ms);
}

static void on_timeout(void *arg, uint64_t now_ms)
{
	struct conn *c = arg;

	(void)now_ms;
	c->server->stats.timeouts += c->state == CONN_HEAD || c->state == CONN_ANSWER;
	conn_free(c);
}

/* --- the answer's head --- */

static const char *reason_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 303:
		return "See Other";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 421:
		return "Misdirected Request";
	case 431:
		return "Request Header Fields Too Large";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Error";
	}
}

/* What a page may do: nothing but show itself, with the one style sheet, and ask us again. */
#define SAFE                                                                                       \
	"Content-Security-Policy: default-src 'none'; style-src 'self'; form-action 'self'; "      \
	"base-uri 'none'; frame-ancestors 'none'\r\n"                                              \
	"X-Content-Type-Options: nosniff\r\n"                                                      \
	"X-Frame-Options: DENY\r\n"                                                                \
	"Referrer-Policy: no-referrer\r\n"                                                         \
	"Cross-Origin-Resource-Policy: same-origin\r\n"                                            \
	"Cache-Control: no-store\r\n"

static void send_head(struct conn *c, int status, const char *type, const char *length)
{
	char date[40] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	evbuffer_add_printf(bufferevent_get_output(c->bev),
		"HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\n" SAFE "%s%s%s%s\r\n", status,
		reason_of(status), date, type, status == 405 ? "Allow: GET, HEAD\r\n" : "", length,
		c->chunked ? "Transfer-Encoding: chunked\r\n" : "", c->keep ? "" : "Connection: close\r\n");
	c->server->stats.requests++;
	c->server->stats.by_status[status / 100]++;
}

/* A line instead of a page. */
static void send_status(struct conn *c, int status, bool head)
{
	char body[96], length[48];
	int len = snprintf(body, sizeof(body), "%d %s\n", status, reason_of(status));

	c->chunked = false;
	snprintf(length, sizeof(length), "Content-Length: %d\r\n", len);
	send_head(c, status, "text/plain; charset=utf-8", length);
	if (!head)
		evbuffer_add(bufferevent_get_output(c->bev), body, (size_t)len);
}

/* --- requests --- */

static void take_requests(struct conn *c);

/* All has been written, by us; by the kernel, when the buffer is empty. */
static void finish(struct conn *c)
{
	if (evbuffer_get_length(bufferevent_get_output(c->bev)))
		return;
	if (!c->keep) {
		shutdown(bufferevent_getfd(c->bev), SHUT_WR);
		set_state(c, CONN_LINGER, LINGER_MS);
		take_requests(c);
		return;
	}
	set_state(c, CONN_IDLE, c->server->limits.idle_ms);
	take_requests(c);
}

static void answer(struct conn *c, const struct http_request *r)
{
	struct http_server *s = c->server;
	struct http_answer a = {0};

	c->keep = r->keep;
	set_state(c, CONN_ANSWER, s->limits.answer_ms);
	if (!http_host_ok(r->host, s->config->hosts, s->config->host_count)) {
		send_status(c, 421, r->head);
		return;
	}
	s->hooks.request(s->hooks.arg, r, &a);
	if (!a.status) {
		send_status(c, 404, r->head);
		return;
	}
	c->answer = a;
	c->chunked = r->chunked;
	/* Without chunks its end is that of the connection. */
	c->keep = c->keep && (r->chunked || r->head);
	send_head(c, a.status, a.type, "");
	c->working = !r->head;
	if (r->head)
		drop_job(c);
}

static void refuse(struct conn *c, int status)
{
	c->keep = false;
	set_state(c, CONN_ANSWER, c->server->limits.answer_ms);
	send_status(c, status, false);
}

/* Where the head ends; 0: not yet. */
static size_t head_length(struct evbuffer *in)
{
	struct evbuffer_ptr crlf = evbuffer_search(in, "\r\n\r\n", 4, NULL), lf = evbuffer_search(in, "\n\n", 2, NULL);

	if (crlf.pos >= 0 && (lf.pos < 0 || crlf.pos < lf.pos))
		return (size_t)crlf.pos + 4;
	return lf.pos >= 0 ? (size_t)lf.pos + 2 : 0;
}

static void take_head(struct conn *c, struct evbuffer *in, size_t len)
{
	struct http_request r;
	const char *head = (const char *)evbuffer_pullup(in, (ev_ssize_t)len);
	int status = head ? http_request_parse(head, len, &r) : 400;

	if (status)
		refuse(c, status);
	else
		answer(c, &r);
	evbuffer_drain(in, len);
}

/* One at a time: the next one waits until this one is answered. */
static void take_requests(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t len;

	if (c->state == CONN_LINGER) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	if (c->state == CONN_ANSWER || !evbuffer_get_length(in))
		return;
	if (c->state == CONN_IDLE)
		set_state(c, CONN_HEAD, c->server->limits.head_ms);
	len = head_length(in);
	if (len > HTTP_HEAD_MAX || (!len && evbuffer_get_length(in) >= HTTP_HEAD_MAX))
		refuse(c, 431);
	else if (len)
		take_head(c, in, len);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	take_requests(arg);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	if (c->state == CONN_ANSWER && !c->working)
		finish(c);
}

/* Who asked and shut down its sending side still gets its answer; whoever said nothing has gone. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	if (what & BEV_EVENT_EOF && c->state == CONN_ANSWER)
		c->keep = false;
	else
		conn_free(c);
}

/* --- callers --- */

/* Who has asked for nothing, the longest; else who takes longest to read its answer, if that is long. */
static struct conn *most_idle(struct http_server *s)
{
	uint64_t slow_ms = loop_now_ms() - SLOW_MS;
	struct conn *c, *found = NULL, *slow = NULL;

	TAILQ_FOREACH (c, &s->conns, link)
		if (c->state != CONN_ANSWER) {
			if (!found || c->since_ms < found->since_ms)
				found = c;
		} else if (c->since_ms < slow_ms && (!slow || c->since_ms < slow->since_ms)) {
			slow = c;
		}
	return found ? found : slow;
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int salen, void *arg)
{
	struct http_server *s = arg;
	struct conn *c;

	(void)l;
	(void)sa;
	(void)salen;
	if (s->stats.open >= HTTP_CONNS_MAX) {
		s->stats.crowded++;
		c = most_idle(s);
		if (!c) {
			close(fd);
			return;
		}
		conn_free(c);
	}
	c = calloc(1, sizeof(*c));
	struct bufferevent *bev = bufferevent_socket_new(loop_base(s->loop), fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c || !bev) {
		if (bev)
			bufferevent_free(bev);
		else
			close(fd);
		free(c);
		return;
	}
	c->server = s;
	c->bev = bev;
	timer_init(&c->timer, on_timeout, c);
	TAILQ_INSERT_TAIL(&s->conns, c, link);
	s->stats.open++;
	set_state(c, CONN_IDLE, s->limits.head_ms);
	bufferevent_setcb(bev, on_read, on_written, on_event, c);
	/* No more of a request than may be one is held. */
	bufferevent_setwatermark(bev, EV_READ, 0, HTTP_HEAD_MAX);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void on_again(void *arg, uint64_t now_ms)
{
	struct http_server *s = arg;

	(void)now_ms;
	if (s->listener)
		evconnlistener_enable(s->listener);
}

/* Out of descriptors: not again at once. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
	struct http_server *s = arg;

	evconnlistener_disable(l);
	timers_start(loop_timers(s->loop), &s->again, loop_now_ms() + ACCEPT_PAUSE_MS);
}

/* --- answers --- */

static void send_slice(struct conn *c, const struct textbuf *t)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	if (!t->len)
		return;
	if (c->chunked)
		evbuffer_add_printf(out, "%zx\r\n", t->len);
	evbuffer_add(out, t->p, t->len);
	if (c->chunked)
		evbuffer_add(out, "\r\n", 2);
}

/* A slice, or less if the time is over. */
static void work(struct conn *c, uint64_t until_ns)
{
	struct textbuf *t = &c->server->slice;
	bool more = true;

	textbuf_clear(t);
	while (more && t->len < SLICE_OCTETS && loop_now_ns() < until_ns)
		more = c->answer.step(c->answer.job, t);
	send_slice(c, t);
	if (more)
		return;
	if (c->chunked)
		evbuffer_add(bufferevent_get_output(c->bev), "0\r\n\r\n", 5);
	drop_job(c);
	/* Nothing left to be written, so nobody else would notice. */
	finish(c);
}

static bool has_room(const struct conn *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev)) < QUEUE_OCTETS;
}

static struct conn *next_worker(struct http_server *s)
{
	struct conn *c;

	TAILQ_FOREACH (c, &s->conns, link)
		if (c->working && has_room(c))
			return c;
	return NULL;
}

/* Those who wait take turns. A reader that catches up wakes the loop by itself. */
static uint64_t on_turn(void *arg, uint64_t now_ms)
{
	struct http_server *s = arg;
	uint64_t until = 0;
	struct conn *c;

	while ((c = next_worker(s)) != NULL) {
		uint64_t now = loop_now_ns();
		if (!until)
			until = now + HTTP_TURN_US * 1000ull;
		if (now >= until)
			return now_ms;
		TAILQ_REMOVE(&s->conns, c, link);
		TAILQ_INSERT_TAIL(&s->conns, c, link);
		work(c, until);
	}
	return TIMERS_NEVER;
}

/* --- where --- */

static bool same(const struct config_endpoint *a, const struct config_endpoint *b)
{
	return a->port == b->port && ip_eq(a->ip, b->ip);
}

static socklen_t address_of(const struct config_endpoint *at, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (at->ip.family == 4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(at->port);
		memcpy(&in->sin_addr, at->ip.b, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(at->port);
	memcpy(&in6->sin6_addr, at->ip.b, 16);
	return sizeof(*in6);
}

int http_prepare(struct http_server *s, const struct config_endpoint *at, char err[HTTP_ERROR_MAX])
{
	struct sockaddr_storage sa;
	char text[IP_TEXT];

	http_cancel(s);
	if (!at->port || same(at, &s->at))
		return 0;
	socklen_t len = address_of(at, &sa);
	s->prepared = evconnlistener_new_bind(loop_base(s->loop), on_accept, s,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE | LEV_OPT_DISABLED |
			LEV_OPT_BIND_IPV6ONLY * (at->ip.family == 6),
		LISTEN_BACKLOG, (struct sockaddr *)&sa, (int)len);
	if (s->prepared) {
		evconnlistener_set_error_cb(s->prepared, on_accept_error);
		return 0;
	}
	int e = errno ? errno : EINVAL;
	snprintf(err, HTTP_ERROR_MAX, at->ip.family == 6 ? "http: [%s]:%u: %s" : "http: %s:%u: %s",
		ip_format(at->ip, text), at->port, strerror(e));
	return -e;
}

void http_commit(struct http_server *s, const struct config_endpoint *at, const struct config_http *c)
{
	s->config = c;
	if (same(at, &s->at))
		return;
	if (s->listener)
		evconnlistener_free(s->listener);
	s->listener = s->prepared;
	s->prepared = NULL;
	s->at = *at;
	if (s->listener)
		evconnlistener_enable(s->listener);
}

void http_cancel(struct http_server *s)
{
	if (s->prepared)
		evconnlistener_free(s->prepared);
	s->prepared = NULL;
}

/* --- all of it --- */

static uint32_t or_default(uint32_t n, uint32_t other)
{
	return n ? n : other;
}

struct http_server *http_new(struct loop *l, const struct http_hooks *hooks, const struct http_limits *limits)
{
	static const struct config_http nothing;
	struct http_server *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->loop = l;
	s->hooks = *hooks;
	s->config = &nothing;
	if (limits)
		s->limits = *limits;
	s->limits.head_ms = or_default(s->limits.head_ms, HEAD_MS);
	s->limits.idle_ms = or_default(s->limits.idle_ms, IDLE_MS);
	s->limits.answer_ms = or_default(s->limits.answer_ms, ANSWER_MS);
	TAILQ_INIT(&s->conns);
	timer_init(&s->again, on_again, s);
	s->turn = (struct loop_turn){.turn = on_turn, .arg = s};
	loop_add_turn(l, &s->turn);
	return s;
}

void http_free(struct http_server *s)
{
	if (!s)
		return;
	while (!TAILQ_EMPTY(&s->conns))
		conn_free(TAILQ_FIRST(&s->conns));
	http_cancel(s);
	if (s->listener)
		evconnlistener_free(s->listener);
	timers_stop(loop_timers(s->loop), &s->again);
	loop_remove_turn(s->loop, &s->turn);
	textbuf_free(&s->slice);
	free(s);
}

void http_stats(const struct http_server *s, struct http_stats *ret)
{
	*ret = s->stats;
}
