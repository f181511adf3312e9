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
#include "daemon/listener.h"
#include "daemon/loop.h"
#include "daemon/sockopt.h"
#include "daemon/transport_io.h"
#include "lib/log.h"

#define ACTIONS_A_TURN 4096

struct transport {
	struct loop *loop;
	const struct config *config;
	struct speaker *speaker; /* NULL until transport_start() */
	struct listeners listeners;
	struct io_pool pool;
	struct loop_turn turn;
	struct transport_stats stats;
	struct log_limit refused_log;
};

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

static void on_caller(void *arg, int fd, const struct sockaddr_storage *sa)
{
	struct transport *t = arg;
	struct ip remote = sockaddr_ip(sa);
	const struct config_neighbor *n = listener_neighbor(t->config, remote);
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

/* --- going out --- */

/* A socket that is calling `remote`; or -errno. */
static int start_connect(struct transport *t, struct ip remote)
{
	const struct config_neighbor *n = listener_neighbor(t->config, remote);
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

static bool act(struct transport *t)
{
	struct action a;

	for (int i = 0; i < ACTIONS_A_TURN; i++) {
		if (!speaker_next_action(t->speaker, &a))
			return true;
		struct io *io = conn_io(a.conn);
		switch (a.type) {
		case ACTION_CONNECT:
			do_connect(t, a.conn);
			break;
		case ACTION_SEND:
			if (io && !io->connecting)
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
	return false;
}

static uint64_t on_turn(void *arg, uint64_t now_ms)
{
	struct transport *t = arg;

	if (speaker_deadline(t->speaker) <= now_ms)
		speaker_run(t->speaker, now_ms);
	bool all = act(t);
	if (t->pool.sender)
		sender_wake(t->pool.sender);
	if (!all)
		return now_ms;
	uint64_t next = speaker_deadline(t->speaker), soon = now_ms + 1;
	return io_pool_read_on(&t->pool, now_ms) && next > soon ? soon : next;
}

/* --- start and end --- */

int transport_new(struct loop *l, const struct config *c, struct transport **ret,
	char err[TRANSPORT_ERROR_MAX])
{
	struct transport *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->loop = l;
	t->config = c;
	io_pool_init(&t->pool, l);
	t->turn = (struct loop_turn){.turn = on_turn, .arg = t};
	t->refused_log = LOG_LIMIT(5, 60000);
	listeners_init(&t->listeners, l);
	t->listeners.caller = on_caller;
	t->listeners.arg = t;
	int rc = listeners_prepare(&t->listeners, NULL, c, err);
	if (rc < 0) {
		transport_free(t);
		return rc;
	}
	listeners_commit(&t->listeners, NULL, c);
	*ret = t;
	return 0;
}

void transport_start_sender(struct transport *t)
{
	int rc = t->pool.sender ? sender_start(t->pool.sender) : -ENOMEM;

	if (rc < 0)
		log_warning(LOG_BGP, "sending without a thread of its own: %s", strerror(-rc));
}

/* --- another configuration --- */

/* In place, on connections that are open; the next ones take it from the configuration. */
static void set_hops(const struct transport *t, const struct config *is)
{
	struct io *io;

	TAILQ_FOREACH (io, &t->pool.ios, link) {
		struct neighbor_view v;
		if (!io->conn)
			continue;
		neighbor_view(conn_neighbor(io->conn), &v);
		const struct config_neighbor *a = listener_neighbor(t->config, v.address),
					     *b = listener_neighbor(is, v.address);
		if (b && (!a || a->ttl_security != b->ttl_security))
			bgp_socket_gtsm(io->fd, v.address.family, b->ttl_security);
	}
}

int transport_prepare(
	struct transport *t, const struct config *is, char err[TRANSPORT_ERROR_MAX])
{
	return listeners_prepare(&t->listeners, t->config, is, err);
}

void transport_cancel(struct transport *t, const struct config *is)
{
	listeners_cancel(&t->listeners, t->config, is);
}

void transport_commit(struct transport *t, const struct config *is)
{
	listeners_commit(&t->listeners, t->config, is);
	set_hops(t, is);
	t->config = is;
}

void transport_stop_listening(struct transport *t)
{
	listeners_close(&t->listeners);
}

void transport_free(struct transport *t)
{
	if (!t)
		return;
	if (t->speaker)
		loop_remove_turn(t->loop, &t->turn);
	transport_stop_listening(t);
	io_pool_close(&t->pool);
	free(t);
}

void transport_start(struct transport *t, struct speaker *s)
{
	t->speaker = s;
	loop_add_turn(t->loop, &t->turn);
	listeners_open(&t->listeners);
}

void transport_stats(const struct transport *t, struct transport_stats *ret)
{
	*ret = t->stats;
	ret->open = t->pool.open;
	ret->refused += t->listeners.too_often;
	ret->accept_errors = t->listeners.errors;
	ret->connect_errors = t->pool.connect_errors;
}
