#include <config.h>

#include "daemon/bmp_client.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <event2/event.h>

#include "bgp/bmp.h"
#include "daemon/loop.h"
#include "daemon/sockopt.h"

/* As much as a station may be written in one turn of the loop. */
#define WRITE_OCTETS (256 * 1024)
#define READ_OCTETS 4096

static_assert(BMP_PRE == 1 && BMP_POST == 2, "config_bmp_policy_words[]");

struct link {
	struct bmp_client *client;
	struct bmp_station *station;
	struct config_bmp config; /* without the name, which the station has */
	int fd;                   /* -1: none */
	struct event *rx, *tx;
	bool connecting, blocked;
	bool wanted; /* by the configuration at hand */
	TAILQ_ENTRY(link) entry;
};

struct bmp_client {
	struct loop *loop;
	struct bmp *bmp;
	TAILQ_HEAD(, link) links;
	uint32_t open;
	bool stopping, started;
	struct loop_turn turn;
};

/* --- one connection --- */

static void hang_up(struct link *l)
{
	if (l->fd < 0)
		return;
	event_free(l->rx);
	event_free(l->tx);
	close(l->fd);
	l->fd = -1;
	l->connecting = l->blocked = false;
	l->client->open--;
}

static void lost(struct link *l, const char *why)
{
	hang_up(l);
	bmp_lost(l->station, why, loop_now_ms());
}

/* 0: all sent; 1: the socket is full or the share used up; -errno. */
static int send_some(struct link *l)
{
	const uint8_t *p;
	size_t len, sent = 0;

	while ((len = bmp_tx(l->station, &p)) != 0) {
		if (sent >= WRITE_OCTETS)
			return 1;
		ssize_t n = send(l->fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 1;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bmp_sent(l->station, (size_t)n);
			sent += (size_t)n;
		}
	}
	return 0;
}

static void send_out(struct link *l)
{
	int rc = send_some(l);

	if (rc < 0) {
		lost(l, strerror(-rc));
	} else if (rc && !l->blocked) {
		event_add(l->tx, NULL);
		l->blocked = true;
	} else if (!rc && l->blocked) {
		event_del(l->tx);
		l->blocked = false;
	}
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	int err = 0;
	socklen_t len = sizeof(err);

	(void)what;
	if (!l->connecting) {
		send_out(l);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err) {
		lost(l, strerror(err));
		return;
	}
	l->connecting = false;
	event_del(l->tx);
	event_add(l->rx, NULL);
	bmp_connected(l->station, loop_now_ms());
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	uint8_t unheard[READ_OCTETS];
	ssize_t n = recv(fd, unheard, sizeof(unheard), 0);

	(void)what;
	if (n == 0)
		lost(l, "closed by the station");
	else if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		lost(l, strerror(errno));
}

/* A socket that is calling; or -errno. */
static int start_connect(const struct config_bmp *c)
{
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_of(c->address, c->port, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, err;

	if (fd < 0)
		return -errno;
	/* A station that is switched off is noticed although it never says a word. */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static void call(struct link *l)
{
	int fd = start_connect(&l->config);

	bmp_connecting(l->station);
	if (fd < 0) {
		bmp_lost(l->station, strerror(-fd), loop_now_ms());
		return;
	}
	l->rx = event_new(loop_base(l->client->loop), fd, EV_READ | EV_PERSIST, on_readable, l);
	l->tx = event_new(loop_base(l->client->loop), fd, EV_WRITE | EV_PERSIST, on_writable, l);
	if (!l->rx || !l->tx)
		abort();
	l->fd = fd;
	l->connecting = true;
	l->client->open++;
	event_add(l->tx, NULL);
}

/* --- the turn --- */

static uint64_t wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static uint64_t on_turn(void *arg, uint64_t now_ms)
{
	struct bmp_client *c = arg;
	struct link *l;

	bmp_run(c->bmp, now_ms, wall_us());
	TAILQ_FOREACH (l, &c->links, entry)
		switch (bmp_wants(l->station, now_ms)) {
		case BMP_CONNECT:
			if (!c->stopping)
				call(l);
			break;
		case BMP_SEND:
			if (!l->blocked)
				send_out(l);
			break;
		case BMP_CLOSE:
			lost(l, NULL);
			break;
		case BMP_REST:
			break;
		}
	return c->stopping ? TIMERS_NEVER : bmp_deadline(c->bmp);
}

/* --- stations come and go --- */

static bool same(const struct link *l, const struct config_bmp *b)
{
	const struct config_bmp *c = &l->config;

	return ip_eq(c->address, b->address) && c->port == b->port && c->policy == b->policy &&
	       c->stats_interval == b->stats_interval && c->connect_retry == b->connect_retry &&
	       c->queue == b->queue &&
	       strcmp(bmp_config(l->station)->name, b->name ? b->name : "") == 0;
}

static void add(struct bmp_client *c, const struct config_bmp *b)
{
	struct link *l = calloc(1, sizeof(*l));
	struct bmp_station_config sc = {.address = b->address,
		.port = b->port,
		.views = (unsigned)b->policy,
		.stats_sec = b->stats_interval,
		.retry_sec = b->connect_retry,
		.queue_octets = (size_t)b->queue << 20};

	if (!l)
		abort();
	snprintf(sc.name, sizeof(sc.name), "%s", b->name ? b->name : "");
	*l = (struct link){.client = c, .config = *b, .fd = -1, .wanted = true};
	l->config.name = NULL;
	l->station = bmp_add(c->bmp, &sc, loop_now_ms());
	TAILQ_INSERT_TAIL(&c->links, l, entry);
}

static void drop(struct link *l)
{
	struct bmp_client *c = l->client;

	hang_up(l);
	bmp_remove(l->station);
	TAILQ_REMOVE(&c->links, l, entry);
	free(l);
}

void bmp_client_apply(struct bmp_client *c, const struct config *config)
{
	struct link *l, *next;

	TAILQ_FOREACH (l, &c->links, entry)
		l->wanted = false;
	for (uint32_t i = 0; i < config->bmp_count; i++) {
		TAILQ_FOREACH (l, &c->links, entry)
			if (same(l, &config->bmp[i]))
				break;
		if (l)
			l->wanted = true;
		else
			add(c, &config->bmp[i]);
	}
	for (l = TAILQ_FIRST(&c->links); l; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (l->wanted)
			continue;
		/* What the socket takes; it is not waited for. */
		bmp_terminate(l->station);
		if (l->fd >= 0 && !l->connecting)
			send_some(l);
		drop(l);
	}
}

void bmp_client_stop(struct bmp_client *c)
{
	struct link *l;

	c->stopping = true;
	TAILQ_FOREACH (l, &c->links, entry) {
		bmp_terminate(l->station);
		if (l->connecting)
			lost(l, "stopped");
	}
}

struct bmp_client *bmp_client_new(struct loop *loop, struct speaker *s)
{
	struct bmp_client *c = calloc(1, sizeof(*c));
	struct utsname u = {0};
	char descr[sizeof(u.sysname) + sizeof(u.release) + sizeof(u.machine) + 64];

	if (!c)
		abort();
	uname(&u);
	snprintf(descr, sizeof(descr), "quelld " PACKAGE_VERSION ", %s %s %s", u.sysname, u.release,
		u.machine);
	c->loop = loop;
	c->bmp = bmp_new(s, descr, u.nodename);
	c->turn = (struct loop_turn){.turn = on_turn, .arg = c};
	TAILQ_INIT(&c->links);
	return c;
}

void bmp_client_start(struct bmp_client *c)
{
	c->started = true;
	loop_add_turn(c->loop, &c->turn);
}

void bmp_client_free(struct bmp_client *c)
{
	if (!c)
		return;
	while (!TAILQ_EMPTY(&c->links))
		drop(TAILQ_FIRST(&c->links));
	if (c->started)
		loop_remove_turn(c->loop, &c->turn);
	bmp_free(c->bmp);
	free(c);
}

uint32_t bmp_client_open(const struct bmp_client *c)
{
	return c->open;
}

const struct bmp *bmp_client_stations(const struct bmp_client *c)
{
	return c->bmp;
}
