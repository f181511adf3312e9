/* What netlink.c and netlink_request.c share; of nobody else's concern. */
#pragma once
#include "lib/log.h"
#include "proxyarp/linux/netlink.h"

#define NETLINK_READ_BUFFER (256 << 10) /* a dump part is at most 32 KiB */

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

struct nl_sock;
struct nlmsghdr;
/* One datagram of the kernel's into nl->in. > 0: its length; 0: nothing there; -ENOBUFS, -errno. */
int netlink_read(struct netlink *nl, struct nl_sock *sk);
/* What NLMSG_ERROR or NLMSG_DONE says; 0: nothing. */
int netlink_error_of(const struct nlmsghdr *h);
