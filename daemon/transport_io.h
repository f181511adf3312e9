/* One TCP connection of the speaker: bytes in, bytes out, a goodbye that is heard. transport.c
 * opens them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bsd/sys/queue.h>

#include "daemon/transport_sender.h"
#include "lib/log.h"
#include "lib/timers.h"

struct conn;
struct event;
struct io_pool;
struct loop;
struct txbuf;

/* As much as a connection may read or write in one turn of the loop. */
#define IO_READ_OCTETS (128 * 1024)
#define IO_WRITE_OCTETS (256 * 1024)
/* Who has said more than this in so long is not read for the rest of that time while others have much to read
 * (conn_should_wait()). So a buffer each time is what everybody is read whatever the others do, 6 MB a second; and who
 * says little is read at once. */
#define IO_SHARE_OCTETS (16 * 1024)
#define IO_SHARE_MS 20

struct io {
	struct io_pool *pool;
	struct conn *conn; /* NULL: saying goodbye */
	int fd;
	struct event *rx, *tx;
	struct timer linger;
	bool connecting, blocked;
	bool waits; /* to be read, see IO_SHARE_OCTETS: rx is not added */
	size_t had; /* octets read since `share_ms` */
	uint64_t share_ms;
	TAILQ_ENTRY(io) wait_link;
	/* What left the speaker and has not left here: with the sender, or the rest that the socket did not take. */
	bool away;
	struct send_job job;
	struct txbuf *held; /* its octets; NULL: there is no job */
	size_t unsaid;	    /* octets of it that the speaker does not know to be sent */
	TAILQ_ENTRY(io) link;
};

/* All of them. */
struct io_pool {
	struct loop *loop;
	struct sender *sender; /* NULL: everything is sent here */
	TAILQ_HEAD(, io) ios, waiting;
	uint32_t open, lingering;
	uint64_t connect_errors;
	struct log_limit connect_log;
	uint8_t buf[IO_READ_OCTETS];
};

void io_pool_init(struct io_pool *pool, struct loop *l);
/* Closes all at once; the conns are not told. */
void io_pool_close(struct io_pool *pool);

/* Takes the descriptor over for `conn`: connected, or `connecting`. NULL when out of memory; then
 * the descriptor is closed and the conn is still the caller's. */
struct io *io_new(struct io_pool *pool, int fd, struct conn *conn, bool connecting);
/* Tells the speaker the ports of a connection. */
void io_tell_ports(int fd, struct conn *conn);
/* Sends what the speaker has, within the share of a turn, and goes on by itself when the socket was
 * full. */
void io_send(struct io *io);
/* The speaker is done with it: sends what goes at once, calls conn_closed(), and waits a little for
 * the peer to read. */
void io_end(struct io *io);
/* Those that wait are read again when there is no reason any more. True: some still wait, and are to be looked at soon. */
bool io_pool_read_on(struct io_pool *pool, uint64_t now_ms);
/* A connect that failed; limited. */
void io_log_connect_error(struct io_pool *pool, const struct conn *conn, int err);
