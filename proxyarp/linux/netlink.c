/* The netlink engine; see netlink.h for its place and use.
 *
 * Why a dump may be trusted: the kernel puts events and the parts of a dump into one receive queue, each at the moment it
 * was true. So a table is marked not when the dump is asked for but when its first part is read: what lay in the queue before
 * may be older than a lost event. What comes after the first part, dump or event, is newer than the mark. An overrun or
 * NLM_F_DUMP_INTR in between voids the dump: no sweep, once more.
 *
 * Why requests need no timer: rtnetlink handles a request inside sendmsg() and has queued its acknowledgement when that
 * returns. So a batch goes out in one call and its acknowledgements are read at once; the batch is small enough for the
 * smallest receive buffer. This costs one system call for 128 writes and one for each acknowledgement.
 */
#include "proxyarp/linux/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/log.h"
#include "lib/text.h"

#define RCVBUF (32 << 20)
#define READ_BUFFER (256 << 10) /* a dump part is at most 32 KiB */
#define READ_BUDGET (256 << 10) /* octets a process(): some milliseconds */
#define BATCH_REQUESTS 128
#define QUEUE_REQUESTS 8192
#define QUEUE_OCTETS (4U << 20)
#define DUMP_TIMEOUT_MS 10000
#define DUMP_RETRY_MS 1000
#define DUMP_PATIENCE 5 /* interrupted dumps repeated at once before there is a pause between them */

enum dump_phase {
	DUMP_IDLE,
	DUMP_WANTED,
	DUMP_ASKED,  /* nothing of it read yet */
	DUMP_MARKED, /* in the middle */
};

struct table_state {
	const struct netlink_table *t;
	enum dump_phase phase;
	bool ever;  /* has been in step */
	bool again; /* the dump under way is void */
	uint32_t seq;
	uint32_t tries;
	uint64_t when_ms; /* WANTED: not before; ASKED, MARKED: given up at */
};

struct request {
	uint32_t seq;
	uint32_t len; /* in the queue of octets, aligned */
	void (*done)(void *arg, int verdict);
	void *arg;
	bool answered;
};

struct netlink {
	struct netlink_options options;
	struct nl_sock *events, *requests;
	uint32_t events_port, requests_port;
	uint32_t seq;
	uint64_t now_ms;
	struct table_state tables[NETLINK_TABLES];
	size_t table_count;
	bool drained; /* the event socket was read empty since the last loss */
	bool lagging;
	uint64_t lost_ms;
	struct request *queue;
	size_t queue_count, queue_cap;
	uint8_t *out;
	size_t out_len, out_cap;
	uint8_t *in;
	struct netlink_stats stats;
	struct log_limit log_loss, log_error;
};

/* --- sockets -------------------------------------------------------------------------------------------------- */

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
	/* Refused by an older kernel or for want of a capability: the engine works without, only worse. */
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
	nl->in = malloc(READ_BUFFER);
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

/* One datagram of the kernel's. > 0: its length; 0: nothing there; -ENOBUFS, -errno. */
static int read_datagram(struct netlink *nl, struct nl_sock *sk)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {nl->in, READ_BUFFER};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof from,
		.msg_iov = &iov,
		.msg_iovlen = 1};
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

/* --- tables, dumps and resync ----------------------------------------------------------------------------------- */

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
		if (!ts && nl->tables[i].phase == DUMP_WANTED && nl->tables[i].when_ms <= nl->now_ms)
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
		if (send(nl_socket_get_fd(nl->events), nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len, 0) < 0)
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

static int error_of(const struct nlmsghdr *h)
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
			dump_done(nl, dump, error_of(h));
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
		int left = read_datagram(nl, nl->events);

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

/* --- requests --------------------------------------------------------------------------------------------------- */

static int make_room(struct netlink *nl, size_t len)
{
	if (nl->queue_count == QUEUE_REQUESTS || nl->out_len + len > QUEUE_OCTETS)
		return -ENOBUFS;
	if (nl->queue_count == nl->queue_cap) {
		size_t cap = nl->queue_cap ? nl->queue_cap * 2 : BATCH_REQUESTS;
		struct request *queue = realloc(nl->queue, cap * sizeof *queue);

		if (!queue)
			return -ENOMEM;
		nl->queue = queue;
		nl->queue_cap = cap;
	}
	if (nl->out_len + len > nl->out_cap) {
		size_t cap = nl->out_cap ? nl->out_cap * 2 : 16384;
		uint8_t *out;

		while (cap < nl->out_len + len)
			cap *= 2;
		out = realloc(nl->out, cap);
		if (!out)
			return -ENOMEM;
		nl->out = out;
		nl->out_cap = cap;
	}
	return 0;
}

int netlink_request(struct netlink *nl, struct nl_msg *msg, void (*done)(void *arg, int verdict), void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	size_t len = NLMSG_ALIGN(h->nlmsg_len);
	int r = make_room(nl, len);

	if (r == 0) {
		h->nlmsg_seq = ++nl->seq;
		h->nlmsg_pid = nl->requests_port;
		h->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
		memset(nl->out + nl->out_len, 0, len);
		memcpy(nl->out + nl->out_len, h, h->nlmsg_len);
		nl->out_len += len;
		nl->queue[nl->queue_count++] = (struct request){h->nlmsg_seq, (uint32_t)len, done, arg, false};
		nl->stats.requests++;
	}
	nlmsg_free(msg);
	return r;
}

static int verdict_of(int error)
{
	switch (error) {
	case 0:
		return NETLINK_DONE;
	case -EEXIST:
		return NETLINK_EXISTS;
	case -ENOENT:
	case -ESRCH:
	case -ENODEV:
		return NETLINK_GONE;
	default:
		return error < 0 ? error : -EPROTO;
	}
}

static void log_refusal(struct netlink *nl, const struct nlmsghdr *h, int error)
{
	const size_t head = sizeof(struct nlmsgerr);
	struct nlattr *tb[NLMSGERR_ATTR_MSG + 1] = {0};
	char text[128] = "";

	if ((h->nlmsg_flags & NLM_F_ACK_TLVS) && (h->nlmsg_flags & NLM_F_CAPPED) &&
		(size_t)nlmsg_datalen(h) > head &&
		nla_parse(tb, NLMSGERR_ATTR_MSG, (struct nlattr *)((char *)nlmsg_data(h) + head),
			nlmsg_datalen(h) - (int)head, NULL) == 0 &&
		tb[NLMSGERR_ATTR_MSG]) {
		const char *said = nla_data(tb[NLMSGERR_ATTR_MSG]);

		text_escape(text, sizeof text, said, strnlen(said, (size_t)nla_len(tb[NLMSGERR_ATTR_MSG])));
	}
	log_limited(&nl->log_error, nl->now_ms, LOG_NETLINK, LOG_LEVEL_WARNING,
		"the kernel refused a request: %s%s%s", strerror(-error), *text ? ": " : "", text);
}

/* The acknowledgement of one request of queue[from..to). */
static bool acknowledged(struct netlink *nl, const struct nlmsghdr *h, size_t from, size_t to)
{
	uint32_t at = h->nlmsg_seq - nl->queue[from].seq;
	struct request *q;
	int verdict;

	if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_pid != nl->requests_port)
		return false;
	/* Sequence numbers have gaps where a dump was asked for, so `at` is an upper bound of the place. */
	for (size_t i = from + (at < to - from ? at : to - from - 1) + 1; i-- > from;) {
		q = &nl->queue[i];
		if (q->seq != h->nlmsg_seq)
			continue;
		if (q->answered)
			return false;
		q->answered = true;
		verdict = verdict_of(error_of(h));
		if (verdict < 0) {
			nl->stats.errors++;
			log_refusal(nl, h, verdict);
		} else if (verdict > 0) {
			nl->stats.verdicts++;
		}
		if (q->done)
			q->done(q->arg, verdict); /* may queue more: q is stale from here */
		return true;
	}
	return false;
}

static int read_acks(struct netlink *nl, size_t from, size_t to)
{
	for (size_t answered = 0; answered < to - from;) {
		int left = read_datagram(nl, nl->requests);

		if (left == 0) {
			struct pollfd p = {nl_socket_get_fd(nl->requests), POLLIN, 0};

			if (poll(&p, 1, 1000) <= 0)
				return -ETIMEDOUT;
			continue;
		}
		if (left < 0)
			return left;
		for (struct nlmsghdr *h = (struct nlmsghdr *)nl->in; nlmsg_ok(h, left);
			h = nlmsg_next(h, &left))
			answered += acknowledged(nl, h, from, to);
	}
	return 0;
}

int netlink_flush(struct netlink *nl)
{
	size_t from = 0, octets = 0;

	while (from < nl->queue_count) {
		size_t to = from, len = 0;
		int r = 0;

		while (to < nl->queue_count && to - from < BATCH_REQUESTS)
			len += nl->queue[to++].len;
		if (send(nl_socket_get_fd(nl->requests), nl->out + octets, len, 0) < 0)
			r = -errno;
		if (r == 0)
			r = read_acks(nl, from, to);
		/* What was not answered may have been done or not; writes are idempotent, so who cares asks again. */
		for (size_t i = from; r < 0 && i < to; i++) {
			if (nl->queue[i].answered)
				continue;
			nl->stats.errors++;
			if (nl->queue[i].done)
				nl->queue[i].done(nl->queue[i].arg, r);
		}
		from = to;
		octets += len;
	}
	nl->queue_count = 0;
	nl->out_len = 0;
	return 0;
}

/* --- the event loop's side ---------------------------------------------------------------------------------------- */

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
