/* Requests to the kernel and their acknowledgements; the other half of the engine is netlink.c.
 *
 * Why requests need no timer: rtnetlink handles a request inside sendmsg() and has queued its
 * acknowledgement when that returns. So a batch goes out in one call and its acknowledgements are
 * read at once; the batch is small enough for the smallest receive buffer. This costs one system
 * call for 128 writes and one for each acknowledgement.
 */
#include "proxyarp/linux/netlink_parts.h"

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

#include "lib/text.h"

#define BATCH_REQUESTS 128
#define QUEUE_REQUESTS 2048 /* some 15 ms of the kernel's work */
#define QUEUE_OCTETS (1U << 20)

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

int netlink_request(
	struct netlink *nl, struct nl_msg *msg, void (*done)(void *arg, int verdict), void *arg)
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
		nl->queue[nl->queue_count++] =
			(struct request){h->nlmsg_seq, (uint32_t)len, done, arg, false};
		nl->stats.requests++;
	}
	nlmsg_free(msg);
	return r;
}

size_t netlink_room(const struct netlink *nl)
{
	return QUEUE_REQUESTS - nl->queue_count;
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

		text_escape(text, sizeof text, said,
			strnlen(said, (size_t)nla_len(tb[NLMSGERR_ATTR_MSG])));
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
	/* Sequence numbers have gaps where a dump was asked for, so `at` is an upper bound of the
	 * place. */
	for (size_t i = from + (at < to - from ? at : to - from - 1) + 1; i-- > from;) {
		q = &nl->queue[i];
		if (q->seq != h->nlmsg_seq)
			continue;
		if (q->answered)
			return false;
		q->answered = true;
		verdict = verdict_of(netlink_error_of(h));
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
		int left = netlink_read(nl, nl->requests);

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
		/* What was not answered may have been done or not; writes are idempotent, so who
		 * cares asks again. */
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
