#include "daemon/transport_io.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "bgp/speaker.h"
#include "bgp/txq.h"
#include "daemon/loop.h"
#include "daemon/sockopt.h"

/* A goodbye waits for the peer's close, so long, and so many at once. */
#define LINGER_MS 1000
#define LINGERS_MAX 64

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_job_done(struct send_job *j);

void io_pool_init(struct io_pool *pool, struct loop *l)
{
	pool->loop = l;
	pool->sender = sender_new(l, on_job_done);
	TAILQ_INIT(&pool->ios);
	TAILQ_INIT(&pool->waiting);
	pool->connect_log = LOG_LIMIT(20, 60000);
}

struct io *io_new(struct io_pool *pool, int fd, struct conn *conn, bool connecting)
{
	struct io *io = calloc(1, sizeof(*io));

	if (!io) {
		close(fd);
		return NULL;
	}
	io->pool = pool;
	io->fd = io->job.fd = fd;
	io->conn = conn;
	io->connecting = connecting;
	io->rx = event_new(loop_base(pool->loop), fd, EV_READ | EV_PERSIST, on_readable, io);
	io->tx = event_new(loop_base(pool->loop), fd, EV_WRITE | EV_PERSIST, on_writable, io);
	if (!io->rx || !io->tx) {
		if (io->rx)
			event_free(io->rx);
		free(io);
		close(fd);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&pool->ios, io, link);
	pool->open++;
	conn_set_io(conn, io);
	event_add(connecting ? io->tx : io->rx, NULL);
	return io;
}

static void drop_job(struct io *io)
{
	if (io->held)
		txbuf_unref(io->held);
	io->held = NULL;
	io->job.len = 0;
}

/* The descriptor is the loop's alone afterwards. */
static void call_back(struct io *io)
{
	if (io->away)
		sender_recall(io->pool->sender, &io->job);
	io->away = false;
}

static void set_waits(struct io *io, bool waits)
{
	if (waits == io->waits)
		return;
	io->waits = waits;
	if (waits) {
		event_del(io->rx);
		TAILQ_INSERT_TAIL(&io->pool->waiting, io, wait_link);
	} else {
		event_add(io->rx, NULL);
		TAILQ_REMOVE(&io->pool->waiting, io, wait_link);
	}
}

static void io_free(struct io *io)
{
	struct io_pool *pool = io->pool;

	TAILQ_REMOVE(&pool->ios, io, link);
	pool->open--;
	call_back(io);
	drop_job(io);
	if (timer_running(&io->linger)) {
		timers_stop(loop_timers(pool->loop), &io->linger);
		pool->lingering--;
	}
	set_waits(io, false);
	event_free(io->rx);
	event_free(io->tx);
	close(io->fd);
	free(io);
}

void io_pool_close(struct io_pool *pool)
{
	struct io *io;

	while ((io = TAILQ_FIRST(&pool->ios)) != NULL)
		io_free(io);
	sender_free(pool->sender);
	pool->sender = NULL;
}

static void io_lost(struct io *io, enum conn_close_reason why)
{
	struct conn *conn = io->conn;

	io_free(io);
	conn_lost(conn, why, loop_now_ms());
}

/* --- out --- */

enum { ALL_SENT, SOCKET_FULL, SHARE_USED, AWAY };

static bool take_job(struct io *io)
{
	io->held = conn_take(io->conn, &io->job.p, &io->job.len, loop_now_ms());
	io->unsaid = io->held ? io->job.len : 0;
	return io->held != NULL;
}

/* However little it was: a peer that reads slowly reads (RFC 9687). */
static void say_sent(struct io *io)
{
	size_t len = io->unsaid - io->job.len;

	io->unsaid = io->job.len;
	if (len)
		conn_taken_sent(io->conn, len, loop_now_ms());
}

static bool give(struct io *io)
{
	io->away = io->pool->sender && sender_give(io->pool->sender, &io->job);
	return io->away;
}

/* What is in hand goes on before all else. One of the above, or -errno. */
static int send_job(struct io *io)
{
	send_job_run(&io->job);
	say_sent(io);
	if (io->job.err)
		return io->job.err;
	if (io->job.len)
		return SOCKET_FULL;
	drop_job(io);
	return ALL_SENT;
}

/* Many octets at once are the sender's work; the few of a change go at once. */
static int send_some(struct io *io)
{
	size_t sent = 0, len;
	const uint8_t *p;
	int rc;

	while ((rc = send_job(io)) == ALL_SENT &&
		(len = conn_tx(io->conn, &p, loop_now_ms())) != 0) {
		if (sent >= IO_WRITE_OCTETS)
			return SHARE_USED;
		if (len >= SENDER_LEAST && take_job(io)) {
			if (give(io))
				return AWAY;
			sent += len;
			continue;
		}
		ssize_t n = send(io->fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return SOCKET_FULL;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			conn_sent(io->conn, (size_t)n, loop_now_ms());
			sent += (size_t)n;
		}
	}
	return rc;
}

static void block(struct io *io, bool blocked)
{
	if (blocked && !io->blocked)
		event_add(io->tx, NULL);
	else if (!blocked && io->blocked)
		event_del(io->tx);
	io->blocked = blocked;
}

static void go_on(struct io *io)
{
	int rc = send_some(io);

	if (rc < 0)
		io_lost(io, CONN_FAILED);
	else
		block(io, rc == SOCKET_FULL || rc == SHARE_USED);
}

/* A job that is not back when there is more has waited a turn: the sender has too much to do, and what is sent by both is
 * sent sooner. To a full socket nothing goes; the speaker is only asked, so that it knows that octets wait (RFC 9687). */
void io_send(struct io *io)
{
	const uint8_t *p;

	call_back(io);
	if (io->blocked)
		conn_tx(io->conn, &p, loop_now_ms());
	else
		go_on(io);
}

static void on_job_done(struct send_job *j)
{
	struct io *io = (struct io *)(void *)((char *)j - offsetof(struct io, job));

	io->away = false;
	say_sent(io);
	if (io->job.err)
		io_lost(io, CONN_FAILED);
	else if (io->job.len)
		block(io, true);
	else
		go_on(io);
}

static void on_linger_over(void *arg, uint64_t now_ms)
{
	struct io *io = arg;

	(void)now_ms;
	/* The timer is no longer running, so io_free() does not count it. */
	io->pool->lingering--;
	io_free(io);
}

/* Says that no more will come and reads on until the peer closes: closing while octets of the peer
 * are still unread here would send a reset, and the reset would overtake the NOTIFICATION. */
void io_end(struct io *io)
{
	struct io_pool *pool = io->pool;

	call_back(io);
	send_job_run(&io->job);
	if (!io->connecting && !io->job.len)
		send_some(io);
	drop_job(io);
	conn_closed(io->conn);
	io->conn = NULL;
	set_waits(io, false);
	event_del(io->tx);
	if (io->connecting || pool->lingering >= LINGERS_MAX || shutdown(io->fd, SHUT_WR) < 0) {
		io_free(io);
		return;
	}
	timer_init(&io->linger, on_linger_over, io);
	timers_start(loop_timers(pool->loop), &io->linger, loop_now_ms() + LINGER_MS);
	pool->lingering++;
}

/* --- connected, in --- */

void io_log_connect_error(struct io_pool *pool, const struct conn *conn, int err)
{
	struct neighbor_view v;
	char text[IP_TEXT];

	neighbor_view(conn_neighbor(conn), &v);
	pool->connect_errors++;
	log_limited(&pool->connect_log, loop_now_ms(), LOG_BGP, LOG_LEVEL_INFO, "%s: connect: %s",
		ip_format(v.address, text), strerror(err));
}

void io_tell_ports(int fd, struct conn *conn)
{
	uint16_t local, remote;

	socket_ports(fd, &local, &remote);
	conn_set_ports(conn, local, remote);
}

static void connected(struct io *io)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err) {
		io_log_connect_error(io->pool, io->conn, err);
		io_lost(io, CONN_FAILED);
		return;
	}
	io->connecting = false;
	event_del(io->tx);
	event_add(io->rx, NULL);
	io_tell_ports(io->fd, io->conn);
	conn_connected(io->conn, socket_local_ip(io->fd), loop_now_ms());
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct io *io = arg;

	(void)fd;
	(void)what;
	if (io->connecting)
		connected(io);
	else
		go_on(io);
}

static bool should_wait(struct io *io, uint64_t now_ms)
{
	if (now_ms - io->share_ms >= IO_SHARE_MS) {
		io->share_ms = now_ms;
		io->had = 0;
	}
	return io->conn && io->had >= IO_SHARE_OCTETS && conn_should_wait(io->conn, now_ms);
}

bool io_pool_read_on(struct io_pool *pool, uint64_t now_ms)
{
	struct io *io, *next;

	for (io = TAILQ_FIRST(&pool->waiting); io; io = next) {
		next = TAILQ_NEXT(io, wait_link);
		set_waits(io, should_wait(io, now_ms));
	}
	return !TAILQ_EMPTY(&pool->waiting);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct io *io = arg;

	(void)what;
	if (should_wait(io, loop_now_ms())) {
		set_waits(io, true);
		return;
	}
	ssize_t n = recv(fd, io->pool->buf, sizeof(io->pool->buf), 0);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (!io->conn) {
		if (n <= 0)
			io_free(io);
	} else if (n > 0) {
		io->had += (size_t)n;
		conn_rx(io->conn, io->pool->buf, (size_t)n, loop_now_ms());
	} else {
		io_lost(io, n == 0 ? CONN_CLOSED_BY_PEER : CONN_FAILED);
	}
}
