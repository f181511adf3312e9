#define _GNU_SOURCE /* accept4 */
#include "daemon/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/loop.h"
#include "daemon/sockopt.h"

#define ACCEPTS_A_TURN 16
#define ACCEPT_RATE 2000 /* of all; each has a share of its own before: callers.h */
#define ACCEPT_BURST 4000
#define ACCEPT_PAUSE_MS 100

struct listener {
	struct listeners *all;
	struct ip ip;
	int fd;
	struct event *ev;
	bool fresh; /* prepared, and not in use yet */
	LIST_ENTRY(listener) link;
};

/* --- callers --- */

static void pause_all(struct listeners *ls)
{
	struct listener *l;

	LIST_FOREACH (l, &ls->list, link)
		event_del(l->ev);
	timers_start(loop_timers(ls->loop), &ls->again, loop_now_ms() + ACCEPT_PAUSE_MS);
}

static void resume_all(struct listeners *ls)
{
	struct listener *l;

	LIST_FOREACH (l, &ls->list, link)
		if (!l->fresh)
			event_add(l->ev, NULL);
}

static void on_again(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	resume_all(arg);
}

/* Who calls too often is sent away before anybody looks who it is: that is cheap, and he does not
 * use up what others need. */
static void take(struct listeners *ls, int fd, const struct sockaddr_storage *from)
{
	struct ip ip = sockaddr_ip(from);
	char text[IP_TEXT];

	if (callers_take(&ls->callers, ip, loop_now_ns())) {
		ls->caller(ls->arg, fd, from);
		return;
	}
	ls->too_often++;
	socket_reset(fd);
	log_limited(&ls->often_log, loop_now_ms(), LOG_BGP, LOG_LEVEL_NOTICE,
		"%s: connection refused: calls too often", ip_format(ip, text));
}

static void on_caller(evutil_socket_t lfd, short what, void *arg)
{
	struct listeners *ls = ((struct listener *)arg)->all;

	(void)what;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);

		/* The rest waits in the backlog. */
		if (!bucket_take(&ls->accepts, 1, loop_now_ns())) {
			pause_all(ls);
			return;
		}
		int fd = accept4(lfd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take(ls, fd, &sa);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		/* Those of the one connection (accept(2)) concern nobody else; the rest,
		 * descriptors and memory, needs time. */
		ls->errors++;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_limited(&ls->log, loop_now_ms(), LOG_BGP, LOG_LEVEL_WARNING,
				"accept: %s", strerror(errno));
			pause_all(ls);
			return;
		}
	}
}

void listeners_init(struct listeners *ls, struct loop *l)
{
	ls->loop = l;
	LIST_INIT(&ls->list);
	ls->accepts = bucket_of(ACCEPT_RATE, ACCEPT_BURST, loop_now_ns());
	timer_init(&ls->again, on_again, ls);
	ls->log = LOG_LIMIT(1, 60000);
	ls->often_log = LOG_LIMIT(5, 60000);
}

/* --- neighbours --- */

const struct config_neighbor *listener_neighbor(const struct config *c, struct ip remote)
{
	const struct config_neighbor *range = NULL;

	for (uint32_t i = 0; i < c->neighbor_count; i++) {
		const struct config_neighbor *n = &c->neighbors[i];
		if (n->address.family && ip_eq(n->address, remote))
			return n;
		if (!n->address.family && prefix_contains(&n->prefix, remote) &&
			(!range || n->prefix.len > range->prefix.len))
			range = n;
	}
	return range;
}

static struct prefix prefix_of(const struct config_neighbor *n)
{
	if (n->address.family)
		return (struct prefix){n->address, (uint8_t)(ip_len(n->address) * 8)};
	return n->prefix;
}

/* The password that a configuration has for just that prefix. */
static const char *password_of(const struct config *c, const struct prefix *p, uint32_t near)
{
	for (uint32_t k = 0; c && k < c->neighbor_count; k++) {
		/* Most are where they were. */
		const struct config_neighbor *n = &c->neighbors[(near + k) % c->neighbor_count];
		struct prefix own = prefix_of(n);
		if (own.len == p->len && ip_eq(own.ip, p->ip))
			return n->password;
	}
	return NULL;
}

/* Where all neighbours are near, nobody far away needs an answer to his SYN, and nothing of his can wait to be read
 * before somebody has looked who he is (RFC 5082 section 3). 0: not all are. */
static uint8_t hops_of(const struct config *c, uint8_t family)
{
	uint8_t hops = 0;

	for (uint32_t i = 0; c && i < c->neighbor_count; i++) {
		const struct config_neighbor *n = &c->neighbors[i];
		if (prefix_of(n).ip.family != family)
			continue;
		if (!n->ttl_security)
			return 0;
		if (n->ttl_security > hops)
			hops = n->ttl_security;
	}
	return hops;
}

/* --- keys --- */

/* Every neighbour's key has to be on the socket before its SYN comes: those that `was` has not. */
static int keys_add(
	const struct listener *l, const struct config *was, const struct config *is, char *err)
{
	for (uint32_t i = 0; i < is->neighbor_count; i++) {
		const struct config_neighbor *n = &is->neighbors[i];
		struct prefix p = prefix_of(n);
		char text[PREFIX_TEXT];

		if (!n->password || p.ip.family != l->ip.family || password_of(was, &p, i))
			continue;
		int rc = bgp_socket_md5(l->fd, p.ip, p.len, n->password);
		if (rc < 0) {
			snprintf(err, LISTENER_ERROR_MAX, "TCP MD5 password for %s: %s%s",
				prefix_format(&p, text), strerror(-rc),
				rc == -ENOMEM ? " (raise net.core.optmem_max)" : "");
			return rc;
		}
	}
	return 0;
}

/* Those that `c` has and `other` has not. */
static void keys_remove(
	const struct listener *l, const struct config *c, const struct config *other)
{
	for (uint32_t i = 0; i < c->neighbor_count; i++) {
		struct prefix p = prefix_of(&c->neighbors[i]);
		if (c->neighbors[i].password && p.ip.family == l->ip.family &&
			!password_of(other, &p, i))
			bgp_socket_md5(l->fd, p.ip, p.len, NULL);
	}
}

/* In the place of one that is there: that needs no memory. */
static void keys_replace(
	const struct listener *l, const struct config *was, const struct config *is)
{
	for (uint32_t i = 0; i < is->neighbor_count; i++) {
		const struct config_neighbor *n = &is->neighbors[i];
		struct prefix p = prefix_of(n);
		const char *old =
			n->password && p.ip.family == l->ip.family ? password_of(was, &p, i) : NULL;
		if (old && strcmp(old, n->password) != 0)
			bgp_socket_md5(l->fd, p.ip, p.len, n->password);
	}
}

/* --- sockets --- */

static void listener_free(struct listener *l)
{
	LIST_REMOVE(l, link);
	event_free(l->ev);
	close(l->fd);
	free(l);
}

static struct listener *find(const struct listeners *ls, struct ip ip)
{
	struct listener *l;

	LIST_FOREACH (l, &ls->list, link)
		if (ip_eq(l->ip, ip))
			return l;
	return NULL;
}

static bool wants(const struct config *c, struct ip ip)
{
	for (uint32_t i = 0; i < c->listen_count; i++)
		if (ip_eq(c->listen[i], ip))
			return true;
	return false;
}

static const char *hint(const struct listeners *ls, int err, bool reload)
{
	switch (err) {
	case -EADDRINUSE:
		return reload && !LIST_EMPTY(&ls->list)
			       ? " (another BGP daemon, or a listener of ours that holds it)"
			       : " (another BGP daemon?)";
	case -EADDRNOTAVAIL:
		return " (is it an address of this machine?)";
	case -EACCES:
		return reload ? " (ports below 1024 are bound at the start only: restart quelld)"
			      : " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
	default:
		return "";
	}
}

static int listener_new(
	struct listeners *ls, struct ip ip, const struct config *c, bool reload, char *err)
{
	uint8_t hops = hops_of(c, ip.family);
	char text[IP_TEXT];
	int fd;

	int rc = bgp_socket_listen(ip, c->port, &fd);
	if (rc == 0 && hops && (rc = bgp_socket_gtsm(fd, ip.family, hops)) < 0)
		close(fd);
	if (rc < 0) {
		bool v6 = ip.family == 6;
		snprintf(err, LISTENER_ERROR_MAX, "%s%s%s:%u: %s%s", v6 ? "[" : "",
			ip_format(ip, text), v6 ? "]" : "", (unsigned)c->port, strerror(-rc),
			hint(ls, rc, reload));
		return rc;
	}
	struct listener *l = calloc(1, sizeof(*l));
	if (!l)
		abort();
	*l = (struct listener){.all = ls, .ip = ip, .fd = fd, .fresh = true};
	l->ev = event_new(loop_base(ls->loop), fd, EV_READ | EV_PERSIST, on_caller, l);
	if (!l->ev)
		abort();
	LIST_INSERT_HEAD(&ls->list, l, link);
	return keys_add(l, NULL, c, err);
}

/* --- from one configuration to another --- */

int listeners_prepare(struct listeners *ls, const struct config *was, const struct config *is,
	char err[LISTENER_ERROR_MAX])
{
	struct listener *l;
	int rc = 0;

	LIST_FOREACH (l, &ls->list, link)
		if (rc == 0)
			rc = keys_add(l, was, is, err);
	for (uint32_t i = 0; i < is->listen_count && rc == 0; i++)
		if (!find(ls, is->listen[i]))
			rc = listener_new(ls, is->listen[i], is, was != NULL, err);
	if (rc < 0)
		listeners_cancel(ls, was, is);
	return rc;
}

void listeners_cancel(struct listeners *ls, const struct config *was, const struct config *is)
{
	struct listener *l, *next;

	for (l = LIST_FIRST(&ls->list); l; l = next) {
		next = LIST_NEXT(l, link);
		if (l->fresh)
			listener_free(l);
		else
			keys_remove(l, is, was);
	}
}

void listeners_commit(struct listeners *ls, const struct config *was, const struct config *is)
{
	struct listener *l, *next;

	for (l = LIST_FIRST(&ls->list); l; l = next) {
		next = LIST_NEXT(l, link);
		if (!wants(is, l->ip)) {
			listener_free(l);
			continue;
		}
		if (!l->fresh) {
			keys_replace(l, was, is);
			keys_remove(l, was, is);
			bgp_socket_gtsm(l->fd, l->ip.family, hops_of(is, l->ip.family));
		}
		l->fresh = false;
	}
	if (ls->open && !timer_running(&ls->again))
		resume_all(ls);
}

void listeners_open(struct listeners *ls)
{
	ls->open = true;
	resume_all(ls);
}

void listeners_close(struct listeners *ls)
{
	ls->open = false;
	timers_stop(loop_timers(ls->loop), &ls->again);
	while (!LIST_EMPTY(&ls->list))
		listener_free(LIST_FIRST(&ls->list));
}
