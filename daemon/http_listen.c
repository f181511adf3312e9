/* Where the HTTP server listens, and who calls. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "daemon/http_inside.h"

#define HEAD_MS 10000
#define IDLE_MS 75000
#define ANSWER_MS 60000
#define SLOW_MS 5000
#define ACCEPT_PAUSE_MS 200
#define LISTEN_BACKLOG 64

/* --- callers --- */

/* Who has asked for nothing, the longest; else who takes longest to read its answer, if that is long. */
static struct http_conn *most_idle(struct http_server *s)
{
	uint64_t slow_ms = loop_now_ms() - SLOW_MS;
	struct http_conn *c, *found = NULL, *slow = NULL;

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
	struct http_conn *c;

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
		http_conn_free(c);
	}
	http_conn_new(s, fd);
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
	s->turn = (struct loop_turn){.turn = http_turn, .arg = s};
	loop_add_turn(l, &s->turn);
	return s;
}

void http_free(struct http_server *s)
{
	if (!s)
		return;
	while (!TAILQ_EMPTY(&s->conns))
		http_conn_free(TAILQ_FIRST(&s->conns));
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
