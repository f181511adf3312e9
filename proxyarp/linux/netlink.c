/* The netlink engine; see netlink.h for its place and use.
 *
 * Why a dump may be trusted: the kernel puts events and the parts of a dump into one receive queue,
 * each at the moment it was true. So a table is marked not when the dump is asked for but when its
 * first part is read: what lay in the queue before may be older than a lost event. What comes after
 * the first part, dump or event, is newer than the mark. An overrun or NLM_F_DUMP_INTR in between
 * voids the dump: no sweep, once more.
 */
#include "proxyarp/linux/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "proxyarp/linux/netlink_parts.h"

#define RCVBUF (32 << 20)
#define READ_BUDGET (256 << 10) /* octets a process(): some milliseconds */
#define DUMP_TIMEOUT_MS 10000
#define DUMP_RETRY_MS 1000
#define DUMP_PATIENCE                                                                              \
	5 /* interrupted dumps repeated at once before there is a pause between them */

/* --- sockets --- */

static int from_libnl(int err)
{
	switch (-err) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
		return -EPERM;
	case NLE_EXIST:
		return -EEXIST;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
		return -EPROTONOSUPPORT;
	default:
		return -EIO;
	}
}

static void set_option(int fd, int level, int name, int value)
{
	/* Refused by an older kernel or for want of a capability: the engine works without, only
	 * worse. */
	(void)setsockopt(fd, level, name, &value, sizeof value);
}

static int open_socket(int rcvbuf, struct nl_sock **ret, uint32_t *ret_port)
{
	struct nl_sock *sk = nl_socket_alloc();
	int r;

	if (!sk)
		return -ENOMEM;
	r = nl_connect(sk, NETLINK_ROUTE);
	if (r == 0)
		r = nl_socket_set_nonblocking(sk);
	if (r < 0) {
		nl_socket_free(sk);
		return from_libnl(r);
	}
	set_option(nl_socket_get_fd(sk), SOL_SOCKET, SO_RCVBUF, rcvbuf);
	set_option(nl_socket_get_fd(sk), SOL_SOCKET, SO_RCVBUFFORCE, rcvbuf);
	set_option(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_CAP_ACK, 1);
	set_option(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_EXT_ACK, 1);
	*ret_port = nl_socket_get_local_port(sk);
	*ret = sk;
	return 0;
}

int netlink_open(const struct netlink_options *options, struct netlink **ret)
{
	struct netlink *nl = calloc(1, sizeof *nl);
	int r;

	if (!nl)
		return -ENOMEM;
	nl->options = options ? *options : (struct netlink_options){0};
	nl->log_loss = LOG_LIMIT(3, 10000);
	nl->log_error = LOG_LIMIT(5, 10000);
	nl->drained = true;
	nl->in = malloc(NETLINK_READ_BUFFER);
	r = nl->in ? open_socket(nl->options.rcvbuf ? nl->options.rcvbuf : RCVBUF, &nl->events,
			     &nl->events_port)
		   : -ENOMEM;
	if (r == 0)
		r = open_socket(1 << 20, &nl->requests, &nl->requests_port);
	if (r < 0) {
		netlink_close(nl);
		return r;
	}
	*ret = nl;
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (!nl)
		return;
	if (nl->events)
		nl_socket_free(nl->events);
	if (nl->requests)
		nl_socket_free(nl->requests);
	free(nl->queue);
	free(nl->out);
	free(nl->in);
	free(nl);
}

int netlink_fd(const struct netlink *nl)
{
	return nl_socket_get_fd(nl->events);
}

int netlink_read(struct netlink *nl, struct nl_sock *sk)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {nl->in, NETLINK_READ_BUFFER};
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	for (;;) {
		n = recvmsg(nl_socket_get_fd(sk), &m, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (m.msg_flags & MSG_TRUNC)
			return -ENOBUFS;
		/* Any process may send to our port; only the kernel is believed. */
		if (m.msg_namelen == sizeof from && from.nl_pid == 0 && n > 0)
			return (int)n;
		m.msg_namelen = sizeof from;
	}
}

/* --- tables, dumps and resync --- */

int netlink_add_table(struct netlink *nl, const struct netlink_table *t)
{
	int r;

	if (nl->table_count == NETLINK_TABLES)
		return -ENOSPC;
	if (t->group) {
		r = nl_socket_add_memberships(nl->events, (int)t->group, 0);
		if (r < 0)
			return from_libnl(r);
	}
	nl->tables[nl->table_count++] = (struct table_state){.t = t, .phase = DUMP_WANTED};
	return 0;
}

static bool under_way(const struct table_state *ts)
{
	return ts->phase == DUMP_ASKED || ts->phase == DUMP_MARKED;
}

static void want_dump(struct table_state *ts, uint64_t when_ms)
{
	if (under_way(ts)) {
		ts->again = true;
		return;
	}
	ts->phase = DUMP_WANTED;
	ts->when_ms = when_ms;
}

static void lag(struct netlink *nl)
{
	if (nl->lagging)
		return;
	nl->lagging = true;
	nl->lost_ms = nl->now_ms;
	if (nl->options.resyncing)
		nl->options.resyncing(nl->options.arg, true);
}

void netlink_redump(struct netlink *nl, const struct netlink_table *t)
{
	for (size_t i = 0; i < nl->table_count; i++)
		if (nl->tables[i].t == t)
			want_dump(&nl->tables[i], 0);
}

static void overrun(struct netlink *nl)
{
	nl->stats.overruns++;
	nl->drained = false;
	log_limited(&nl->log_loss, nl->now_ms, LOG_NETLINK, LOG_LEVEL_WARNING,
		"the kernel's events overran the receive buffer; reading all tables again");
	lag(nl);
	for (size_t i = 0; i < nl->table_count; i++)
		want_dump(&nl->tables[i], 0);
}

bool netlink_synced(const struct netlink *nl)
{
	for (size_t i = 0; i < nl->table_count; i++)
		if (nl->tables[i].phase != DUMP_IDLE)
			return false;
	return true;
}

static void in_step(struct netlink *nl)
{
	if (!netlink_synced(nl))
		return;
	if (nl->lagging) {
		nl->stats.resync_ms = nl->now_ms - nl->lost_ms;
		log_limited(&nl->log_loss, nl->now_ms, LOG_NETLINK, LOG_LEVEL_NOTICE,
			"in step with the kernel again after %llu ms",
			(unsigned long long)nl->stats.resync_ms);
	}
	nl->lagging = false;
	if (nl->options.resyncing)
		nl->options.resyncing(nl->options.arg, false);
}

static void repeat_dump(struct netlink *nl, struct table_state *ts, bool trouble)
{
	bool pause = trouble || ++ts->tries > DUMP_PATIENCE;

	if (ts->ever)
		lag(nl);
	ts->again = false;
	ts->phase = DUMP_WANTED;
	ts->when_ms = pause ? nl->now_ms + DUMP_RETRY_MS : 0;
}

static void dump_done(struct netlink *nl, struct table_state *ts, int error)
{
	if (error < 0) {
		nl->stats.errors++;
		log_limited(&nl->log_error, nl->now_ms, LOG_NETLINK, LOG_LEVEL_WARNING,
			"reading the kernel's %s failed: %s", ts->t->name, strerror(-error));
		repeat_dump(nl, ts, true);
		return;
	}
	if (ts->again) {
		repeat_dump(nl, ts, false);
		return;
	}
	if (ts->phase == DUMP_ASKED) /* an empty table */
		ts->t->mark(ts->t->arg);
	ts->t->sweep(ts->t->arg);
	nl->stats.dumps++;
	if (ts->ever)
		nl->stats.resyncs++;
	ts->ever = true;
	ts->tries = 0;
	ts->phase = DUMP_IDLE;
	in_step(nl);
}

/* One dump at a time, since a socket can have but one; in the order the tables were added. */
static int start_dump(struct netlink *nl)
{
	struct table_state *ts = NULL;
	struct nl_msg *msg;
	int r;

	for (size_t i = 0; i < nl->table_count; i++) {
		if (under_way(&nl->tables[i]))
			return 0;
		if (!ts && nl->tables[i].phase == DUMP_WANTED &&
			nl->tables[i].when_ms <= nl->now_ms)
			ts = &nl->tables[i];
	}
	if (!ts || !nl->drained)
		return 0;
	msg = nlmsg_alloc_simple(ts->t->get_type, NLM_F_REQUEST | NLM_F_DUMP);
	if (!msg)
		return -ENOMEM;
	r = ts->t->dump(ts->t->arg, msg);
	if (r == 0) {
		nlmsg_hdr(msg)->nlmsg_seq = ts->seq = ++nl->seq;
		nlmsg_hdr(msg)->nlmsg_pid = nl->events_port;
		if (send(nl_socket_get_fd(nl->events), nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len,
			    0) < 0)
			r = -errno;
	}
	nlmsg_free(msg);
	ts->again = false;
	ts->phase = DUMP_ASKED;
	ts->when_ms = nl->now_ms + DUMP_TIMEOUT_MS;
	if (r < 0)
		dump_done(nl, ts, r);
	return 0;
}

static void give_up_dumps(struct netlink *nl)
{
	for (size_t i = 0; i < nl->table_count; i++) {
		struct table_state *ts = &nl->tables[i];

		if (under_way(ts) && ts->when_ms <= nl->now_ms)
			dump_done(nl, ts, -ETIMEDOUT);
	}
}

static struct table_state *dump_of(struct netlink *nl, const struct nlmsghdr *h)
{
	if (h->nlmsg_pid != nl->events_port)
		return NULL;
	for (size_t i = 0; i < nl->table_count; i++) {
		struct table_state *ts = &nl->tables[i];

		if (under_way(ts) && ts->seq == h->nlmsg_seq)
			return ts;
	}
	return NULL;
}

int netlink_error_of(const struct nlmsghdr *h)
{
	int error = 0;

	if (nlmsg_datalen(h) >= (int)sizeof error)
		memcpy(&error, nlmsg_data(h), sizeof error);
	return error;
}

static void one_message(struct netlink *nl, struct nlmsghdr *h)
{
	struct table_state *dump = dump_of(nl, h);

	nl->stats.messages++;
	if (dump && (h->nlmsg_flags & NLM_F_DUMP_INTR) && !dump->again) {
		dump->again = true;
		nl->stats.interrupted++;
	}
	if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
		if (dump)
			dump_done(nl, dump, netlink_error_of(h));
		return;
	}
	if (dump && dump->phase == DUMP_ASKED) {
		dump->phase = DUMP_MARKED;
		dump->t->mark(dump->t->arg);
	}
	if (dump)
		dump->when_ms = nl->now_ms + DUMP_TIMEOUT_MS;
	for (size_t i = 0; i < nl->table_count; i++) {
		const struct netlink_table *t = nl->tables[i].t;

		if (h->nlmsg_type != t->new_type && h->nlmsg_type != t->del_type)
			continue;
		if (!t->message(t->arg, h->nlmsg_type == t->del_type, dump != NULL, nlmsg_data(h),
			    (size_t)nlmsg_datalen(h)))
			nl->stats.malformed++;
	}
}

static int read_events(struct netlink *nl)
{
	for (int budget = READ_BUDGET; budget > 0;) {
		int left = netlink_read(nl, nl->events);

		if (left == 0) {
			nl->drained = true;
			return 0;
		}
		if (left == -ENOBUFS) {
			overrun(nl);
			continue;
		}
		if (left < 0)
			return left;
		budget -= left;
		for (struct nlmsghdr *h = (struct nlmsghdr *)nl->in; nlmsg_ok(h, left);
			h = nlmsg_next(h, &left))
			one_message(nl, h);
	}
	return 0;
}

/* --- the event loop's side --- */

uint64_t netlink_deadline(const struct netlink *nl)
{
	uint64_t at = nl->queue_count ? 0 : UINT64_MAX;
	bool dumping = false;

	for (size_t i = 0; i < nl->table_count; i++)
		dumping |= under_way(&nl->tables[i]);
	for (size_t i = 0; i < nl->table_count; i++) {
		const struct table_state *ts = &nl->tables[i];
		uint64_t d = ts->t->deadline ? ts->t->deadline(ts->t->arg) : UINT64_MAX;

		if ((dumping ? under_way(ts) : ts->phase == DUMP_WANTED) && ts->when_ms < at)
			at = ts->when_ms;
		if (d < at)
			at = d;
	}
	return at;
}

int netlink_process(struct netlink *nl, uint64_t now_ms)
{
	int r;

	nl->now_ms = now_ms;
	r = read_events(nl);
	if (r < 0)
		return r;
	give_up_dumps(nl);
	r = start_dump(nl);
	if (r < 0)
		return r;
	for (size_t i = 0; i < nl->table_count; i++)
		if (nl->tables[i].t->tick)
			nl->tables[i].t->tick(nl->tables[i].t->arg, now_ms);
	return netlink_flush(nl);
}

static uint64_t monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int netlink_wait(struct netlink *nl, uint32_t timeout_ms)
{
	uint64_t until = monotonic_ms() + timeout_ms;

	for (;;) {
		struct pollfd p = {netlink_fd(nl), POLLIN, 0};
		uint64_t now = monotonic_ms(), wake;
		int r = netlink_process(nl, now);

		if (r < 0)
			return r;
		wake = netlink_deadline(nl);
		if (netlink_synced(nl) && wake > now)
			return 0;
		if (now >= until)
			return -ETIMEDOUT;
		wake = wake < until ? wake : until;
		(void)poll(&p, 1, wake > now ? (int)(wake - now) : 0);
	}
}

uint64_t netlink_now_ms(const struct netlink *nl)
{
	return nl->now_ms;
}

void netlink_stats(const struct netlink *nl, struct netlink_stats *ret)
{
	*ret = nl->stats;
}
