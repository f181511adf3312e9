#include "daemon/http_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#define LINGER_MS 1000
#define SLICE_OCTETS (16 * 1024) /* a chunk */
#define QUEUE_OCTETS (128 * 1024) /* that wait for a reader */

/* --- conns --- */

static void drop_job(struct http_conn *c)
{
	if (c->answer.job && c->answer.release)
		c->answer.release(c->answer.job);
	c->answer = (struct http_answer){0};
	c->working = false;
}

void http_conn_free(struct http_conn *c)
{
	drop_job(c);
	timers_stop(loop_timers(c->server->loop), &c->timer);
	TAILQ_REMOVE(&c->server->conns, c, link);
	c->server->stats.open--;
	bufferevent_free(c->bev);
	free(c);
}

static void set_state(struct http_conn *c, enum conn_state state, uint32_t ms)
{
	uint64_t now = loop_now_ms();

	c->state = state;
	c->since_ms = now;
	timers_start(loop_timers(c->server->loop), &c->timer, now + ms);
}

static void on_timeout(void *arg, uint64_t now_ms)
{
	struct http_conn *c = arg;

	(void)now_ms;
	c->server->stats.timeouts += c->state == CONN_HEAD || c->state == CONN_ANSWER;
	http_conn_free(c);
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

static void send_head(struct http_conn *c, int status, const char *type, const char *length)
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
static void send_status(struct http_conn *c, int status, bool head)
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

static void take_requests(struct http_conn *c);

/* All has been written, by us; by the kernel, when the buffer is empty. */
static void finish(struct http_conn *c)
{
	if (evbuffer_get_length(bufferevent_get_output(c->bev)))
		return;
	bufferevent_enable(c->bev, EV_READ);
	if (!c->keep) {
		shutdown(bufferevent_getfd(c->bev), SHUT_WR);
		set_state(c, CONN_LINGER, LINGER_MS);
		take_requests(c);
		return;
	}
	set_state(c, CONN_IDLE, c->server->limits.idle_ms);
	take_requests(c);
}

static void answer(struct http_conn *c, const struct http_request *r)
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

static void refuse(struct http_conn *c, int status)
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

static void take_head(struct http_conn *c, struct evbuffer *in, size_t len)
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
static void take_requests(struct http_conn *c)
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

/* While an answer is at work nothing is taken. libevent would call again at once for as long as what came is as much as may be held,
 * and not come back from that to the loop; so nothing more is read until then. */
static void on_read(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = arg;

	take_requests(c);
	if (c->state == CONN_ANSWER && evbuffer_get_length(bufferevent_get_input(bev)) >= HTTP_HEAD_MAX)
		bufferevent_disable(bev, EV_READ);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = arg;

	(void)bev;
	if (c->state == CONN_ANSWER && !c->working)
		finish(c);
}

/* Who asked and shut down its sending side still gets its answer; whoever said nothing has gone. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_conn *c = arg;

	(void)bev;
	if (what & BEV_EVENT_EOF && c->state == CONN_ANSWER)
		c->keep = false;
	else
		http_conn_free(c);
}

void http_conn_new(struct http_server *s, int fd)
{
	struct http_conn *c = calloc(1, sizeof(*c));
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

/* --- answers --- */

static void send_slice(struct http_conn *c, const struct textbuf *t)
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
static void work(struct http_conn *c, uint64_t until_ns)
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

static bool has_room(const struct http_conn *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev)) < QUEUE_OCTETS;
}

static struct http_conn *next_worker(struct http_server *s)
{
	struct http_conn *c;

	TAILQ_FOREACH (c, &s->conns, link)
		if (c->working && has_room(c))
			return c;
	return NULL;
}

/* Those who wait take turns. A reader that catches up wakes the loop by itself. */
uint64_t http_turn(void *arg, uint64_t now_ms)
{
	struct http_server *s = arg;
	uint64_t until = 0;
	struct http_conn *c;

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
