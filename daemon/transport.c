#define _GNU_SOURCE /* accept4 */
#include "daemon/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "bgp/speaker.h"
#include "daemon/loop.h"
#include "daemon/sockopt.h"
#include "daemon/transport_io.h"
#include "lib/bucket.h"
#include "lib/log.h"

#define ACCEPTS_A_TURN 16
#define ACCEPT_RATE 200
#define ACCEPT_BURST 400
#define ACCEPT_PAUSE_MS 100
#define ACTIONS_A_TURN 4096

struct listener {
	struct transport *transport;
	struct ip ip;
	int fd;
	struct event *ev;
};

struct transport {
	struct loop *loop;
	const struct config *config;
	struct speaker *speaker; /* NULL until transport_start() */
	struct listener *listeners;
	size_t listener_count;
	struct io_pool pool;
	struct loop_turn turn;
	struct bucket accepts;
	struct timer accept_again;
	struct transport_stats stats;
	struct log_limit refused_log, accept_log;
};

/* --- configuration --- */

/* The neighbour by its address, or the dynamic range that holds it. */
static const struct config_neighbor *config_of(const struct transport *t, struct ip remote)
{
	const struct config_neighbor *range = NULL;

	for (uint32_t i = 0; i < t->config->neighbor_count; i++) {
		const struct config_neighbor *n = &t->config->neighbors[i];
		if (n->address.family && ip_eq(n->address, remote))
			return n;
		if (!n->address.family && prefix_contains(&n->prefix, remote) &&
			(!range || n->prefix.len > range->prefix.len))
			range = n;
	}
	return range;
}

/* From where to call: a listen address of the family, or the router id. */
static struct ip source_for(const struct transport *t, struct ip remote)
{
	for (uint32_t i = 0; i < t->config->listen_count; i++) {
		struct ip ip = t->config->listen[i];
		if (ip.family == remote.family && !ip_is_unspecified(ip))
			return ip;
	}
	if (remote.family == 4)
		return t->config->router_ip;
	return (struct ip){0};
}

/* --- coming in --- */

static void take_caller(struct transport *t, int fd, const struct sockaddr_storage *sa)
{
	struct ip remote = sockaddr_ip(sa);
	const struct config_neighbor *n = config_of(t, remote);
	uint64_t now = loop_now_ms();
	char text[IP_TEXT];
	struct conn *conn = n ? speaker_accept(t->speaker, remote, socket_local_ip(fd), now) : NULL;

	if (!conn) {
		t->stats.refused++;
		socket_reset(fd);
		log_limited(&t->refused_log, now, LOG_BGP, LOG_LEVEL_NOTICE,
			"%s: connection refused: %s", ip_format(remote, text),
			n ? "not wanted now" : "no such neighbor");
		return;
	}
	t->stats.accepted++;
	io_tell_ports(fd, conn);
	if (n->ttl_security && bgp_socket_gtsm(fd, remote.family, n->ttl_security) < 0)
		close(fd);
	else if (io_new(&t->pool, fd, conn, false))
		return;
	conn_lost(conn, CONN_FAILED, now);
}

static void listen_pause(struct transport *t)
{
	for (size_t i = 0; i < t->listener_count; i++)
		if (t->listeners[i].ev)
			event_del(t->listeners[i].ev);
	timers_start(loop_timers(t->loop), &t->accept_again, loop_now_ms() + ACCEPT_PAUSE_MS);
}

static void on_accept_again(void *arg, uint64_t now_ms)
{
	struct transport *t = arg;

	(void)now_ms;
	for (size_t i = 0; i < t->listener_count; i++)
		event_add(t->listeners[i].ev, NULL);
}

static void on_caller(evutil_socket_t lfd, short what, void *arg)
{
	struct listener *l = arg;
	struct transport *t = l->transport;

	(void)what;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);

		/* The rest waits in the backlog. */
		if (!bucket_take(&t->accepts, 1, loop_now_ns())) {
			listen_pause(t);
			return;
		}
		int fd = accept4(lfd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take_caller(t, fd, &sa);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		/* Those of the one connection (accept(2)) concern nobody else; the rest,
		 * descriptors and memory, needs time. */
		t->stats.accept_errors++;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_limited(&t->accept_log, loop_now_ms(), LOG_BGP, LOG_LEVEL_WARNING,
				"accept: %s", strerror(errno));
			listen_pause(t);
			return;
		}
	}
}

/* --- going out --- */

/* A socket that is calling `remote`; or -errno. */
static int start_connect(struct transport *t, struct ip remote)
{
	const struct config_neighbor *n = config_of(t, remote);
	struct ip source = source_for(t, remote);
	struct sockaddr_storage sa;
	socklen_t len;
	int fd = bgp_socket(remote.family), err = 0;

	if (fd < 0)
		return fd;
	if (n && n->password)
		err = bgp_socket_md5(fd, remote, (uint8_t)(ip_len(remote) * 8), n->password);
	if (!err && n && n->ttl_security)
		err = bgp_socket_gtsm(fd, remote.family, n->ttl_security);
	if (!err && source.family) {
		int on = 1;
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
		len = sockaddr_of(source, 0, &sa);
		/* The router id need not be an address of this machine; then the kernel chooses. */
		if (bind(fd, (struct sockaddr *)&sa, len) < 0 && errno != EADDRNOTAVAIL)
			err = -errno;
	}
	len = sockaddr_of(remote, t->config->port, &sa);
	if (!err && connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static void do_connect(struct transport *t, struct conn *conn)
{
	struct neighbor_view v;

	neighbor_view(conn_neighbor(conn), &v);
	t->stats.connects++;
	int fd = start_connect(t, v.address);
	if (fd >= 0 && io_new(&t->pool, fd, conn, true))
		return;
	io_log_connect_error(&t->pool, conn, fd < 0 ? -fd : ENOMEM);
	conn_lost(conn, CONN_FAILED, loop_now_ms());
}

/* --- the turn --- */

static uint64_t on_turn(void *arg, uint64_t now_ms)
{
	struct transport *t = arg;
	struct action a;

	if (speaker_deadline(t->speaker) <= now_ms)
		speaker_run(t->speaker, now_ms);
	for (int i = 0; i < ACTIONS_A_TURN; i++) {
		if (!speaker_next_action(t->speaker, &a))
			return speaker_deadline(t->speaker);
		struct io *io = conn_io(a.conn);
		switch (a.type) {
		case ACTION_CONNECT:
			do_connect(t, a.conn);
			break;
		case ACTION_SEND:
			/* A blocked one goes on when the socket takes more. */
			if (io && !io->connecting && !io->blocked)
				io_send(io);
			break;
		case ACTION_CLOSE:
			if (io)
				io_end(io);
			else /* thought better of before it was opened */
				conn_closed(a.conn);
			break;
		}
	}
	return now_ms;
}

/* --- start and end --- */

static const char *listen_hint(int err)
{
	switch (err) {
	case -EADDRINUSE:
		return " (another BGP daemon?)";
	case -EADDRNOTAVAIL:
		return " (is it an address of this machine?)";
	case -EACCES:
		return " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
	default:
		return "";
	}
}

/* Every neighbour's key has to be on the listener before its SYN comes. */
static int listener_keys(const struct transport *t, const struct listener *l, char *err)
{
	for (uint32_t i = 0; i < t->config->neighbor_count; i++) {
		const struct config_neighbor *n = &t->config->neighbors[i];
		struct prefix p = n->prefix;
		char text[PREFIX_TEXT];

		if (n->address.family)
			p = (struct prefix){n->address, (uint8_t)(ip_len(n->address) * 8)};
		if (!n->password || p.ip.family != l->ip.family)
			continue;
		int rc = bgp_socket_md5(l->fd, p.ip, p.len, n->password);
		if (rc < 0) {
			snprintf(err, TRANSPORT_ERROR_MAX, "TCP MD5 password for %s: %s%s",
				prefix_format(&p, text), strerror(-rc),
				rc == -ENOMEM ? " (raise net.core.optmem_max)" : "");
			return rc;
		}
	}
	return 0;
}

/* Where all neighbours are near, nobody far away needs an answer to his SYN, and nothing of his can wait to be read
 * before take_caller() has looked who he is (RFC 5082 section 3). 0: not all are. */
static uint8_t listener_hops(const struct transport *t, uint8_t family)
{
	uint8_t hops = 0;

	for (uint32_t i = 0; i < t->config->neighbor_count; i++) {
		const struct config_neighbor *n = &t->config->neighbors[i];
		if ((n->address.family ? n->address.family : n->prefix.ip.family) != family)
			continue;
		if (!n->ttl_security)
			return 0;
		if (n->ttl_security > hops)
			hops = n->ttl_security;
	}
	return hops;
}

static int listener_open(struct transport *t, struct ip ip, char *err)
{
	struct listener *l = &t->listeners[t->listener_count];
	char text[IP_TEXT];

	*l = (struct listener){.transport = t, .ip = ip};
	uint8_t hops = listener_hops(t, ip.family);
	int rc = bgp_socket_listen(ip, t->config->port, &l->fd);
	if (rc == 0 && hops && (rc = bgp_socket_gtsm(l->fd, ip.family, hops)) < 0)
		close(l->fd);
	if (rc < 0) {
		bool v6 = ip.family == 6;
		snprintf(err, TRANSPORT_ERROR_MAX, "%s%s%s:%u: %s%s", v6 ? "[" : "",
			ip_format(ip, text), v6 ? "]" : "", (unsigned)t->config->port,
			strerror(-rc), listen_hint(rc));
		return rc;
	}
	t->listener_count++;
	l->ev = event_new(loop_base(t->loop), l->fd, EV_READ | EV_PERSIST, on_caller, l);
	if (!l->ev)
		abort();
	return listener_keys(t, l, err);
}

int transport_new(struct loop *l, const struct config *c, struct transport **ret,
	char err[TRANSPORT_ERROR_MAX])
{
	struct transport *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->loop = l;
	t->config = c;
	t->listeners = calloc(c->listen_count ? c->listen_count : 1, sizeof(*t->listeners));
	if (!t->listeners)
		abort();
	io_pool_init(&t->pool, l);
	t->turn = (struct loop_turn){.turn = on_turn, .arg = t};
	t->accepts = bucket_of(ACCEPT_RATE, ACCEPT_BURST, loop_now_ns());
	timer_init(&t->accept_again, on_accept_again, t);
	t->refused_log = LOG_LIMIT(5, 60000);
	t->accept_log = LOG_LIMIT(1, 60000);
	for (uint32_t i = 0; i < c->listen_count; i++) {
		int rc = listener_open(t, c->listen[i], err);
		if (rc < 0) {
			transport_free(t);
			return rc;
		}
	}
	*ret = t;
	return 0;
}

void transport_stop_listening(struct transport *t)
{
	timers_stop(loop_timers(t->loop), &t->accept_again);
	for (size_t i = 0; i < t->listener_count; i++) {
		if (t->listeners[i].ev)
			event_free(t->listeners[i].ev);
		close(t->listeners[i].fd);
	}
	t->listener_count = 0;
}

void transport_free(struct transport *t)
{
	if (!t)
		return;
	if (t->speaker)
		loop_remove_turn(t->loop, &t->turn);
	transport_stop_listening(t);
	io_pool_close(&t->pool);
	free(t->listeners);
	free(t);
}

void transport_start(struct transport *t, struct speaker *s)
{
	t->speaker = s;
	loop_add_turn(t->loop, &t->turn);
	on_accept_again(t, 0);
}

void transport_stats(const struct transport *t, struct transport_stats *ret)
{
	*ret = t->stats;
	ret->open = t->pool.open;
	ret->connect_errors = t->pool.connect_errors;
}
