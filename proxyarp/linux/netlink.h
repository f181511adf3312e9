/* The netlink engine: how the agent speaks to the kernel's links and forwarding tables.
 *
 *   struct netlink *nl;                      one a process
 *   netlink_open(&options, &nl);
 *   links_open(nl, &link_hooks, &links);     tables register themselves, in the order they are to be dumped
 *   fdb_open(nl, &fdb_hooks, limit, &fdb);
 *   netlink_wait(nl, 2000);                  the first dumps; or just let the event loop run them
 *   event loop: netlink_fd() readable, or netlink_deadline() over: netlink_process(nl, now_ms)
 *
 * It knows sockets, sequence numbers, acknowledgements, dumps and resync, and no message types. Two sockets stand behind
 * the one descriptor: one for events and dumps, so that what is read from it is one consistent order, and one for requests, so
 * that an overrun by events never swallows an acknowledgement.
 *
 * Resync: events lost (ENOBUFS) or a dump interrupted (NLM_F_DUMP_INTR) is the normal case on a busy box. The tables are then
 * dumped again: mark() all rows, message() for each, sweep() what was not named. Nothing is swept by an incomplete dump.
 *
 * Times are milliseconds of CLOCK_MONOTONIC, given by the caller. Callbacks run only from netlink_process(), netlink_wait()
 * and netlink_flush(), and may queue requests but must not call those three.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netlink;
struct nl_msg; /* of libnl: build with nlmsg_alloc_simple(), nlmsg_append(), nla_put_*() */

/* Verdicts of a request; negative errno is trouble. */
enum netlink_verdict {
	NETLINK_DONE = 0,
	NETLINK_EXISTS = 1, /* EEXIST */
	NETLINK_GONE = 2,   /* ENOENT, ESRCH, ENODEV: what it was about is not there */
};

struct netlink_stats {
	uint64_t messages, malformed;
	uint64_t requests, verdicts, errors; /* errors: requests that failed */
	uint64_t dumps, interrupted;	     /* NLM_F_DUMP_INTR */
	uint64_t overruns;		     /* ENOBUFS on the event socket */
	uint64_t resyncs;		     /* dumps of a table completed after the first one */
	uint64_t resync_ms;		     /* how long the last resync took, from the loss to the sweep */
};

struct netlink_options {
	int rcvbuf; /* octets; 0: 32 MiB */
	/* true: something was lost, the tables may lag behind the kernel; false: they are in step with it (again, or after the
	 * first dumps). May be NULL. */
	void (*resyncing)(void *arg, bool begun);
	void *arg;
};

/* 0 or -errno. */
int netlink_open(const struct netlink_options *options, struct netlink **ret);
void netlink_close(struct netlink *nl);
int netlink_fd(const struct netlink *nl);
/* When process() wants to be called even if nothing is readable; UINT64_MAX: never. */
uint64_t netlink_deadline(const struct netlink *nl);
/* Reads what is there (a bounded amount; the descriptor stays readable if there is more), runs the tables' ticks and
 * sends what was queued. 0, or -errno when the engine cannot go on (it never does for what the kernel says). */
int netlink_process(struct netlink *nl, uint64_t now_ms);
/* Processes until all tables are in step with the kernel and nothing is left to be done now. 0, -ETIMEDOUT, -errno. */
int netlink_wait(struct netlink *nl, uint32_t timeout_ms);
/* All tables have been dumped and nothing is known to be lost since. */
bool netlink_synced(const struct netlink *nl);
void netlink_stats(const struct netlink *nl, struct netlink_stats *ret);

/* --- for the tables: link.c, fdb.c, bridge.c --- */

struct netlink_table {
	const char *name;
	uint32_t group;		/* RTNLGRP_*; 0: none */
	uint16_t new_type, del_type; /* RTM_NEWLINK, RTM_DELLINK */
	uint16_t get_type;	/* RTM_GETLINK */
	/* The fixed header and attributes of the dump request. 0 or -errno. */
	int (*dump)(void *arg, struct nl_msg *msg);
	void (*mark)(void *arg);
	/* One message: its fixed header and attributes. `dump`: part of a dump, else an event. False: malformed. */
	bool (*message)(void *arg, bool del, bool dump, const void *bytes, size_t len);
	void (*sweep)(void *arg);
	/* Once a process(), after reading; queues requests. May be NULL. */
	void (*tick)(void *arg, uint64_t now_ms);
	/* UINT64_MAX: never. May be NULL. */
	uint64_t (*deadline)(void *arg);
	void *arg;
};

#define NETLINK_TABLES 4
/* Adds a table and asks for its first dump. `t` is borrowed until netlink_close(). */
int netlink_add_table(struct netlink *nl, const struct netlink_table *t);
/* Asks for another dump of a table. */
void netlink_redump(struct netlink *nl, const struct netlink_table *t);

/* The `now` of the process() under way, or of the last one. */
uint64_t netlink_now_ms(const struct netlink *nl);

/* Queues a request (takes `msg`, also on failure) and asks for an acknowledgement; `done` (may be NULL) is told the
 * verdict or -errno. Requests are sent many at a time. 0, -ENOBUFS: the queue is full (netlink_flush() or wait). */
int netlink_request(struct netlink *nl, struct nl_msg *msg, void (*done)(void *arg, int verdict), void *arg);
/* How many more requests the queue takes. */
size_t netlink_room(const struct netlink *nl);
/* Sends all that is queued and takes the acknowledgements; the kernel answers each before it returns. */
int netlink_flush(struct netlink *nl);
