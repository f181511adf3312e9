#define _GNU_SOURCE /* struct ucred */
#include "daemon/jsonsock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "daemon/loop.h"

#define OUTPUT_MAX (1024 * 1024)
#define CONNS_MAX 16
#define STUCK_SEC 30
#define LISTEN_BACKLOG 16
#define ACCEPT_PAUSE_MS 200

struct jsonsock {
	struct loop *loop;
	struct bufferevent *bev;
	struct event
		*later; /* tells the owner of the end from the loop, not from within its own call */
	struct jsonsock_limits limits;
	struct jsonsock_hooks hooks;
	struct jsonsock_peer peer;
	struct jsonsock_server *server; /* NULL: we called */
	LIST_ENTRY(jsonsock) link;
	void *data;
	const char *why;  /* set: over, and the owner will be told */
	bool flush;       /* then what is queued goes out still */
	bool held;        /* lines wait */
	bool ending;      /* the owner let go, or was told; only output is left */
	bool busy, freed; /* freed while a callback of it is on the stack */
};

struct jsonsock_server {
	struct loop *loop;
	struct evconnlistener *listener;
	struct timer again; /* the listener pauses */
	char *path;
	struct jsonsock_limits limits;
	struct jsonsock_hooks hooks;
	LIST_HEAD(, jsonsock) conns;
	uint32_t conn_count;
};

static void conn_free(struct jsonsock *s)
{
	if (s->busy) {
		s->freed = true;
		bufferevent_disable(s->bev, EV_READ | EV_WRITE);
		return;
	}
	if (s->server) {
		LIST_REMOVE(s, link);
		s->server->conn_count--;
	}
	event_free(s->later);
	bufferevent_free(s->bev);
	free(s);
}

/* The peer or a limit ended it. `flush`: the peer may still read what is queued. */
static void conn_over(struct jsonsock *s, const char *why, bool flush)
{
	/* A close and a failed write come in one turn when the peer went without reading; then there is nobody to
	 * flush to, and no further event would come. */
	if (s->why)
		s->flush = s->flush && flush;
	if (s->why || s->freed)
		return;
	if (s->ending) {
		conn_free(s);
		return;
	}
	s->why = why;
	s->flush = flush;
	bufferevent_disable(s->bev, EV_READ);
	event_active(s->later, EV_TIMEOUT, 0);
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	struct jsonsock *s = arg;

	(void)fd;
	(void)what;
	s->busy = true;
	if (s->hooks.closed)
		s->hooks.closed(s->hooks.arg, s, s->why);
	s->busy = false;
	s->why = NULL;
	if (s->freed || !s->flush || !jsonsock_queued(s))
		conn_free(s);
	else
		s->ending = true;
}

/* A rule was broken. */
static void conn_break(struct jsonsock *s, const char *why)
{
	jsonsock_send_error(s, why);
	conn_over(s, why, true);
}

static void take_line(struct jsonsock *s, const char *text, size_t len)
{
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(object))
		s->hooks.line(s->hooks.arg, s, object);
	else
		conn_break(s, "a line is not a JSON object");
	json_decref(object);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct jsonsock *s = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	s->busy = true;
	while (!s->why && !s->freed && !s->ending && !s->held) {
		struct evbuffer_ptr eol = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);
		size_t len = eol.pos < 0 ? evbuffer_get_length(in) : (size_t)eol.pos;
		if (len > s->limits.line_max) {
			conn_break(s, "a line is too long");
			break;
		}
		if (eol.pos < 0)
			break;
		unsigned char *text = evbuffer_pullup(in, eol.pos + 1);
		if (!text) {
			conn_over(s, "out of memory", false);
			break;
		}
		take_line(s, (const char *)text, len);
		evbuffer_drain(in, len + 1);
	}
	s->busy = false;
	if (s->freed)
		conn_free(s);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct jsonsock *s = arg;

	(void)bev;
	if (what & BEV_EVENT_TIMEOUT && what & BEV_EVENT_WRITING)
		conn_over(s, "the peer does not read", false);
	else if (what & BEV_EVENT_TIMEOUT)
		conn_over(s, "idle for too long", false);
	else if (what & BEV_EVENT_ERROR)
		conn_over(s, strerror(EVUTIL_SOCKET_ERROR()), false);
	else if (what & BEV_EVENT_EOF && !s->ending)
		/* One who asked and shut down its sending side still wants the answer. */
		conn_over(s, "closed by the peer", true);
}

static void on_drained(struct bufferevent *bev, void *arg)
{
	struct jsonsock *s = arg;

	if (s->ending && !evbuffer_get_length(bufferevent_get_output(bev)))
		conn_free(s);
}

static struct timeval *seconds(uint32_t sec, struct timeval *tv)
{
	*tv = (struct timeval){.tv_sec = (time_t)sec};
	return sec ? tv : NULL;
}

/* Takes the descriptor over, also on failure. */
static int conn_new(struct loop *l, int fd, const struct jsonsock_limits *limits,
	const struct jsonsock_hooks *hooks, struct jsonsock **ret)
{
	struct jsonsock *s = calloc(1, sizeof(*s));
	struct ucred cred = {.pid = -1, .uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t len = sizeof(cred);
	struct timeval idle, stuck;

	if (!s) {
		close(fd);
		return -ENOMEM;
	}
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	*s = (struct jsonsock){.loop = l,
		.limits = *limits,
		.hooks = *hooks,
		.peer = {.pid = cred.pid, .uid = cred.uid, .gid = cred.gid}};
	s->bev = bufferevent_socket_new(loop_base(l), fd, BEV_OPT_CLOSE_ON_FREE);
	s->later = event_new(loop_base(l), -1, 0, on_later, s);
	if (!s->bev || !s->later) {
		if (s->bev)
			bufferevent_free(s->bev);
		else
			close(fd);
		if (s->later)
			event_free(s->later);
		free(s);
		return -ENOMEM;
	}
	bufferevent_setcb(s->bev, on_read, on_drained, on_event, s);
	bufferevent_set_timeouts(
		s->bev, seconds(limits->idle_sec, &idle), seconds(limits->stuck_sec, &stuck));
	/* One more than a line may have, so that a longer one is seen and no more than that is
	 * held. */
	bufferevent_setwatermark(s->bev, EV_READ, 0, limits->line_max + 2);
	bufferevent_enable(s->bev, EV_READ | EV_WRITE);
	*ret = s;
	return 0;
}

static struct jsonsock_limits limits_of(const struct jsonsock_limits *given)
{
	struct jsonsock_limits l = given ? *given : (struct jsonsock_limits){0};

	if (!l.line_max)
		l.line_max = JSONSOCK_LINE_MAX;
	if (!l.output_max)
		l.output_max = OUTPUT_MAX;
	if (!l.conns_max)
		l.conns_max = CONNS_MAX;
	if (!l.stuck_sec)
		l.stuck_sec = STUCK_SEC;
	return l;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
	int salen, void *arg)
{
	struct jsonsock_server *srv = arg;
	struct jsonsock *s;

	(void)listener;
	(void)sa;
	(void)salen;
	if (conn_new(srv->loop, fd, &srv->limits, &srv->hooks, &s) < 0)
		return;
	s->server = srv;
	LIST_INSERT_HEAD(&srv->conns, s, link);
	srv->conn_count++;
	if (srv->conn_count > 2 * srv->limits.conns_max) {
		jsonsock_close(s);
		return;
	}
	if (srv->conn_count > srv->limits.conns_max) {
		jsonsock_end(s, "too many connections");
		return;
	}
	if (srv->hooks.opened)
		srv->hooks.opened(srv->hooks.arg, s);
}

static void on_accept_again(void *arg, uint64_t now_ms)
{
	struct jsonsock_server *srv = arg;

	(void)now_ms;
	evconnlistener_enable(srv->listener);
}

/* Out of descriptors, most likely: trying at once again would spin. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct jsonsock_server *srv = arg;

	evconnlistener_disable(listener);
	timers_start(loop_timers(srv->loop), &srv->again, loop_now_ms() + ACCEPT_PAUSE_MS);
}

static int address_of(const char *path, struct sockaddr_un *ret)
{
	if (strlen(path) >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, path, strlen(path) + 1);
	return 0;
}

static int unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* Whether somebody answers at the path. */
static bool somebody_listens(const struct sockaddr_un *sun)
{
	int fd = unix_socket();
	bool there;

	if (fd < 0)
		return true;
	/* EAGAIN: its backlog is full, so there is one. */
	there = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 || errno == EAGAIN;
	close(fd);
	return there;
}

static int bind_path(int fd, const struct sockaddr_un *sun, mode_t mode)
{
	mode_t old = umask(0177);
	int err = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 ? -errno : 0;

	if (err == -EADDRINUSE && !somebody_listens(sun) && unlink(sun->sun_path) == 0)
		err = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 ? -errno : 0;
	umask(old);
	if (!err && chmod(sun->sun_path, mode) < 0)
		err = -errno;
	return err;
}

int jsonsock_listen(struct loop *l, const char *path, mode_t mode,
	const struct jsonsock_limits *limits, const struct jsonsock_hooks *hooks,
	struct jsonsock_server **ret)
{
	struct sockaddr_un sun;
	struct jsonsock_server *srv;
	int fd, err = address_of(path, &sun);

	if (err < 0)
		return err;
	fd = unix_socket();
	if (fd < 0)
		return fd;
	err = bind_path(fd, &sun, mode);
	if (err < 0) {
		close(fd);
		return err;
	}
	srv = calloc(1, sizeof(*srv));
	if (!srv)
		abort();
	*srv = (struct jsonsock_server){
		.loop = l, .path = strdup(path), .hooks = *hooks, .limits = limits_of(limits)};
	srv->listener = evconnlistener_new(loop_base(l), on_accept, srv,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, LISTEN_BACKLOG, fd);
	if (!srv->listener || !srv->path)
		abort();
	evconnlistener_set_error_cb(srv->listener, on_accept_error);
	timer_init(&srv->again, on_accept_again, srv);
	LIST_INIT(&srv->conns);
	*ret = srv;
	return 0;
}

void jsonsock_server_free(struct jsonsock_server *srv)
{
	struct jsonsock *s;

	if (!srv)
		return;
	while ((s = LIST_FIRST(&srv->conns)) != NULL)
		conn_free(s);
	timers_stop(loop_timers(srv->loop), &srv->again);
	evconnlistener_free(srv->listener);
	unlink(srv->path);
	free(srv->path);
	free(srv);
}

int jsonsock_connect(struct loop *l, const char *path, const struct jsonsock_limits *limits,
	const struct jsonsock_hooks *hooks, struct jsonsock **ret)
{
	struct jsonsock_limits all = limits_of(limits);
	struct sockaddr_un sun;
	int fd, err = address_of(path, &sun);

	if (err < 0)
		return err;
	fd = unix_socket();
	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return conn_new(l, fd, &all, hooks, ret);
}

int jsonsock_send_part(struct jsonsock *s, const char *part, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(s->bev);

	if (s->why || s->ending || s->freed)
		return -EPIPE;
	if (evbuffer_get_length(out) + len > s->limits.output_max) {
		conn_over(s, "the peer reads too slowly", false);
		return -ENOBUFS;
	}
	if (evbuffer_add(out, part, len) < 0) {
		conn_over(s, "out of memory", false);
		return -ENOMEM;
	}
	return 0;
}

int jsonsock_send_text(struct jsonsock *s, const char *line, size_t len)
{
	int err = jsonsock_send_part(s, line, len);

	return err ? err : jsonsock_send_part(s, "\n", 1);
}

void jsonsock_hold(struct jsonsock *s, bool hold)
{
	if (s->held == hold || s->why || s->ending || s->freed)
		return;
	s->held = hold;
	if (hold) {
		bufferevent_disable(s->bev, EV_READ);
	} else {
		bufferevent_enable(s->bev, EV_READ);
		bufferevent_trigger(s->bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
	}
}

int jsonsock_send(struct jsonsock *s, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	int err = text ? jsonsock_send_text(s, text, strlen(text)) : -ENOMEM;

	free(text);
	json_decref(object);
	return err;
}

int jsonsock_send_error(struct jsonsock *s, const char *text)
{
	if (s->limits.op_errors)
		return jsonsock_send(s, json_pack("{s:s, s:s}", "op", "error", "text", text));
	return jsonsock_send(s, json_pack("{s:s}", "error", text));
}

size_t jsonsock_queued(const struct jsonsock *s)
{
	return evbuffer_get_length(bufferevent_get_output(s->bev));
}

struct jsonsock_peer jsonsock_peer(const struct jsonsock *s)
{
	return s->peer;
}

void jsonsock_set_data(struct jsonsock *s, void *data)
{
	s->data = data;
}

void *jsonsock_data(const struct jsonsock *s)
{
	return s->data;
}

void jsonsock_close(struct jsonsock *s)
{
	if (!s->freed)
		conn_free(s);
}

void jsonsock_end(struct jsonsock *s, const char *error)
{
	if (s->freed)
		return;
	if (error)
		jsonsock_send_error(s, error);
	if (s->why || !jsonsock_queued(s)) {
		conn_free(s);
		return;
	}
	s->ending = true;
	bufferevent_disable(s->bev, EV_READ);
}
