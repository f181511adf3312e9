/* The transport under a speaker of straw that does as the test says: callers wanted and not,
 * connects, blocked writes, and a goodbye that arrives although the peer's bytes were never read.
 */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp/speaker.h"
#include "bgp/txq.h"
#include "daemon/callers.h"
#include "daemon/loop.h"
#include "daemon/sockopt.h"
#include "daemon/transport.h"
#include "daemon/transport_io.h"
#include "daemon/transport_sender.h"
#include "lib/log.h"
#include "lib/siphash.h"

/* --- the speaker of straw --- */

struct conn {
	void *io;
	struct ip remote;
	const uint8_t *tx;
	size_t tx_len;
	size_t whole; /* so many are given to who holds them; 0: none ever are */
	int held;
	size_t taken; /* and not yet told to be sent */
	size_t rx;
	bool should_wait;
	unsigned asked; /* whether it should */
	bool connected, lost, closed;
	enum conn_close_reason why;
};

struct speaker {
	struct conn conn;
	bool refuse;
	struct action actions[8];
	int head, tail;
	int runs;
	uint64_t deadline;
};

static struct speaker straw;

static void act(enum action_type type)
{
	straw.actions[straw.tail++ % 8] = (struct action){type, &straw.conn};
}

struct conn *speaker_accept(struct speaker *s, struct ip remote, struct ip local, uint64_t now_ms)
{
	(void)now_ms;
	ck_assert(local.family == remote.family);
	s->conn.remote = remote;
	return s->refuse ? NULL : &s->conn;
}

void conn_connected(struct conn *c, struct ip local, uint64_t now_ms)
{
	(void)now_ms;
	ck_assert_uint_eq(local.family, 4);
	c->connected = true;
}

void conn_lost(struct conn *c, enum conn_close_reason why, uint64_t now_ms)
{
	(void)now_ms;
	c->lost = true;
	c->why = why;
	c->io = NULL;
}

void conn_rx(struct conn *c, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	(void)bytes;
	(void)now_ms;
	ck_assert_uint_le(len, IO_READ_OCTETS);
	c->rx += len;
}

bool conn_should_wait(struct conn *c, uint64_t now_ms)
{
	(void)now_ms;
	c->asked++;
	return c->should_wait;
}

size_t conn_tx(struct conn *c, const uint8_t **ret, uint64_t now_ms)
{
	(void)now_ms;
	*ret = c->tx;
	size_t most = c->whole ? c->whole : 10000;

	return c->tx_len > most ? most : c->tx_len;
}

void conn_sent(struct conn *c, size_t len, uint64_t now_ms)
{
	(void)now_ms;
	c->tx += len;
	c->tx_len -= len;
}

/* The straw speaker's octets stay where they are. */
struct txbuf *conn_take(struct conn *c, const uint8_t **ret, size_t *ret_len, uint64_t now_ms)
{
	if (!c->whole || c->tx_len < c->whole)
		return NULL;
	*ret = c->tx;
	*ret_len = c->whole;
	conn_sent(c, c->whole, now_ms);
	c->taken += c->whole;
	c->held++;
	return (struct txbuf *)(void *)c;
}

void conn_taken_sent(struct conn *c, size_t len, uint64_t now_ms)
{
	(void)now_ms;
	ck_assert_uint_ge(c->taken, len);
	c->taken -= len;
}

void txbuf_unref(struct txbuf *b)
{
	((struct conn *)(void *)b)->held--;
}

void conn_set_ports(struct conn *c, uint16_t local, uint16_t remote)
{
	(void)c;
	ck_assert(local && remote);
}

void conn_set_io(struct conn *c, void *io)
{
	c->io = io;
}

void *conn_io(const struct conn *c)
{
	return c->io;
}

struct neighbor *conn_neighbor(const struct conn *c)
{
	return (struct neighbor *)(uintptr_t)c;
}

void neighbor_view(const struct neighbor *n, struct neighbor_view *ret)
{
	*ret = (struct neighbor_view){.address = ((const struct conn *)(const void *)n)->remote};
}

bool speaker_next_action(struct speaker *s, struct action *ret)
{
	if (s->head == s->tail)
		return false;
	*ret = s->actions[s->head++ % 8];
	return true;
}

void conn_closed(struct conn *c)
{
	c->closed = true;
	c->io = NULL;
}

uint64_t speaker_deadline(const struct speaker *s)
{
	return s->deadline;
}

void speaker_run(struct speaker *s, uint64_t now_ms)
{
	(void)now_ms;
	s->runs++;
	s->deadline = TIMERS_NEVER;
}

/* --- the rest --- */

static struct loop *loop;
static struct transport *transport;
static struct config config;
static struct config_neighbor neighbor;
static struct ip any[1];
static uint8_t big[4 * 1024 * 1024];
static int peer = -1;

static void no_log(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static struct ip loopback(uint8_t last)
{
	return ip_v4((const uint8_t[]){127, 0, 0, last});
}

/* A port that was free just now. */
static uint16_t free_port(void)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	int fd;

	ck_assert_int_eq(bgp_socket_listen(loopback(1), 0, &fd), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	close(fd);
	return ntohs(((struct sockaddr_in *)&sa)->sin_port);
}

static void setup(void)
{
	char err[TRANSPORT_ERROR_MAX] = "";

	log_set_sink(no_log, NULL);
	straw = (struct speaker){.deadline = TIMERS_NEVER};
	neighbor = (struct config_neighbor){.address = loopback(2)};
	any[0] = loopback(1);
	config = (struct config){.has_bgp = true,
		.listen = any,
		.listen_count = 1,
		.port = free_port(),
		.neighbors = &neighbor,
		.neighbor_count = 1};
	loop = loop_new();
	ck_assert_msg(transport_new(loop, &config, &transport, err) == 0, "%s", err);
	transport_start(transport, &straw);
}

static void teardown(void)
{
	if (peer >= 0)
		close(peer);
	transport_free(transport);
	loop_free(loop);
}

#define until(cond)                                                                                \
	do {                                                                                       \
		uint64_t give_up = loop_now_ms() + 5000;                                           \
		while (!(cond) && loop_now_ms() < give_up)                                         \
			loop_once(loop, 2);                                                        \
		ck_assert(cond);                                                                   \
	} while (0)

static void call_from(uint8_t last)
{
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_of(loopback(last), 0, &sa);
	int small = 4096;

	peer = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	ck_assert_int_eq(bind(peer, (struct sockaddr *)&sa, len), 0);
	len = sockaddr_of(loopback(1), config.port, &sa);
	ck_assert_int_eq(connect(peer, (struct sockaddr *)&sa, len), 0);
}

static struct transport_stats stats(void)
{
	struct transport_stats s;

	transport_stats(transport, &s);
	return s;
}

START_TEST(test_strangers)
{
	char c;

	straw.refuse = _i == 1;
	call_from(_i == 1 ? 2 : 9);
	until(stats().refused == 1);
	ck_assert_int_eq(recv(peer, &c, 1, 0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	ck_assert_uint_eq(stats().open, 0);
}
END_TEST

/* One who calls without end is sent away; the next one is not. */
START_TEST(test_calls_too_often)
{
	char c;

	for (unsigned i = 0; i <= CALLER_BURST; i++) {
		if (peer >= 0)
			close(peer);
		call_from(9);
		until(stats().refused == i + 1);
	}
	ck_assert_int_eq(recv(peer, &c, 1, 0), -1);
	close(peer);
	call_from(2);
	until(stats().accepted == 1);
}
END_TEST

START_TEST(test_callers)
{
	static struct callers callers;
	struct ip a = ip_v4_u32(0x0a000001), b = ip_v4_u32(0x0a000002);

	siphash_process_key_fix(1, 2);
	for (unsigned i = 0; i < CALLER_BURST; i++)
		ck_assert(callers_take(&callers, a, 1000));
	ck_assert(!callers_take(&callers, a, 1000));
	ck_assert(callers_take(&callers, b, 1000));
	ck_assert(callers_take(&callers, a, 1000 + BUCKET_NS / CALLER_RATE));
	ck_assert(!callers_take(&callers, a, 1000 + BUCKET_NS / CALLER_RATE));
}
END_TEST

START_TEST(test_bytes)
{
	call_from(2);
	until(stats().accepted == 1);
	ck_assert(straw.conn.io);
	ck_assert_int_eq(send(peer, big, 200000, 0), 200000);
	until(straw.conn.rx == 200000);
	close(peer);
	peer = -1;
	until(straw.conn.lost);
	ck_assert_int_eq(straw.conn.why, CONN_CLOSED_BY_PEER);
	ck_assert_uint_eq(stats().open, 0);
}
END_TEST

/* Who says little is read at once, whatever there is to wait for; who says much waits for the others, but not for ever. */
START_TEST(test_waits)
{
	enum { LITTLE = IO_SHARE_OCTETS / 2, MUCH = 4 * IO_READ_OCTETS };

	straw.conn.should_wait = true;
	call_from(2);
	until(stats().accepted == 1);
	uint64_t begun = loop_now_ms();
	ck_assert_int_eq(send(peer, big, LITTLE, 0), LITTLE);
	until(straw.conn.rx == LITTLE);
	ck_assert_uint_eq(straw.conn.asked, 0);
	ck_assert_int_eq(send(peer, big, MUCH, 0), MUCH);
	until(straw.conn.rx == LITTLE + MUCH);
	ck_assert_uint_ge(loop_now_ms() - begun, 3 * IO_SHARE_MS);
	/* Looked at once a millisecond, not all the time. */
	ck_assert_uint_le(straw.conn.asked, 2 * (loop_now_ms() - begun) + 10);
}
END_TEST

/* It goes on as soon as there is no reason any more, and whoever waits may end as well as anybody. */
START_TEST(test_ends_while_waiting)
{
	straw.conn.should_wait = true;
	call_from(2);
	until(stats().accepted == 1);
	while (straw.conn.asked == 0) {
		ck_assert_int_gt(send(peer, big, IO_SHARE_OCTETS, MSG_DONTWAIT), 0);
		loop_once(loop, 1);
	}
	if (_i == 0) {
		straw.conn.should_wait = false;
		int left;
		until(ioctl(peer, TIOCOUTQ, &left) == 0 && !left);
	} else if (_i == 1) {
		close(peer);
		peer = -1;
		until(straw.conn.lost);
		ck_assert_uint_eq(stats().open, 0);
	} else if (_i == 2) {
		act(ACTION_CLOSE);
		until(straw.conn.closed);
		close(peer);
		peer = -1;
		until(stats().open == 0);
	}
	/* Else teardown() frees it as it is. */
}
END_TEST

enum way { ALL_HERE, HELD_HERE, WITH_A_THREAD, WAYS };

static void send_big(enum way way)
{
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 2654435761u >> 13);
	if (way == WITH_A_THREAD)
		transport_start_sender(transport);
	call_from(2);
	until(straw.conn.io);
	straw.conn.tx = big;
	straw.conn.tx_len = sizeof(big);
	straw.conn.whole = way == ALL_HERE ? 0 : 65536;
	act(ACTION_SEND);
	for (int i = 0; i < 20; i++)
		loop_once(loop, 1);
	ck_assert_uint_gt(straw.conn.tx_len, 0);
	ck_assert_int_le(straw.conn.held, way != ALL_HERE);
}

/* More than the socket takes: the rest goes when the peer reads, whole and in order, without
 * another action. */
START_TEST(test_blocked)
{
	size_t got = 0;
	uint8_t buf[65536];

	send_big((enum way)_i);
	/* One more action changes nothing while it is blocked. */
	act(ACTION_SEND);
	while (got < sizeof(big)) {
		loop_once(loop, 1);
		ssize_t n = recv(peer, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		ck_assert_int_gt(n, 0);
		ck_assert_mem_eq(buf, big + got, (size_t)n);
		got += (size_t)n;
	}
	ck_assert_uint_eq(straw.conn.tx_len, 0);
	until(straw.conn.held == 0 && straw.conn.taken == 0);
}
END_TEST

/* Whoever ends while octets are in hand or under way leaves nothing behind. */
START_TEST(test_ends_while_sending)
{
	send_big((enum way)(_i % WAYS));
	if (_i / WAYS == 0) {
		close(peer);
		peer = -1;
		until(straw.conn.lost);
	} else if (_i / WAYS == 1) {
		act(ACTION_CLOSE);
		until(straw.conn.closed);
	} else {
		transport_stop_listening(transport);
		return; /* teardown() frees it as it is */
	}
	ck_assert_int_eq(straw.conn.held, 0);
}
END_TEST

static int jobs_done;

static void on_job(struct send_job *j)
{
	(void)j;
	jobs_done++;
}

/* The thread takes what others wait for with it; each gets all, in order. */
START_TEST(test_sender)
{
	enum { JOBS = 3 * SENDER_WAITING, LEN = 50000 };
	static struct send_job job[JOBS];
	static uint8_t got[LEN];
	int fd[JOBS][2];
	struct sender *s = sender_new(loop, on_job);

	ck_assert_ptr_nonnull(s);
	jobs_done = 0;
	for (int i = 0; i < JOBS; i++) {
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd[i]), 0);
		job[i] = (struct send_job){.fd = fd[i][0], .p = big + i, .len = LEN};
	}
	ck_assert(!sender_give(s, &job[0]));
	ck_assert_int_eq(sender_start(s), 0);
	int given = 0;
	for (int i = 0; i < JOBS; i++) {
		if (sender_give(s, &job[i])) {
			given++;
			if (i % 5 == 4) {
				sender_recall(s, &job[i]);
				ck_assert(job[i].len == 0 || job[i].len == LEN);
				given--;
				send_job_run(&job[i]);
			}
		} else {
			send_job_run(&job[i]);
		}
	}
	sender_wake(s);
	until(jobs_done == given);
	for (int i = 0; i < JOBS; i++) {
		ck_assert_uint_eq(job[i].len, 0);
		ck_assert_int_eq(job[i].state, SEND_HERE);
		ck_assert_int_eq(recv(fd[i][1], got, LEN, MSG_WAITALL), LEN);
		ck_assert_mem_eq(got, big + i, LEN);
		close(fd[i][0]);
		close(fd[i][1]);
	}
	/* One that nobody hears any more. */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd[0]), 0);
	close(fd[0][1]);
	job[0] = (struct send_job){.fd = fd[0][0], .p = big, .len = LEN};
	ck_assert(sender_give(s, &job[0]));
	sender_wake(s);
	until(jobs_done == given + 1);
	ck_assert_int_eq(job[0].err, -EPIPE);
	close(fd[0][0]);
	sender_free(s);
}
END_TEST

/* One whose jobs are given, recalled and gone on with as it comes. */
struct restless {
	struct send_job job; /* first: the sender gives that back */
	int fd[2];
	bool away;
	size_t given, got;
};

enum { RESTLESS_LEN = 20000 };

static void restless_done(struct send_job *j)
{
	((struct restless *)(void *)j)->away = false;
}

/* What goes with the octets of job k begins at big + k. */
static void restless_give(struct restless *r, struct sender *s)
{
	if (!r->job.len) {
		r->job.p = big + r->given / RESTLESS_LEN;
		r->job.len = RESTLESS_LEN;
		r->given += RESTLESS_LEN;
	}
	r->away = sender_give(s, &r->job);
	if (!r->away)
		send_job_run(&r->job);
}

static void restless_recall(struct restless *r, struct sender *s)
{
	sender_recall(s, &r->job);
	r->away = false;
}

static void restless_read(struct restless *r)
{
	static uint8_t got[RESTLESS_LEN];
	size_t at = r->got % RESTLESS_LEN;
	ssize_t n = recv(r->fd[1], got, RESTLESS_LEN - at, MSG_DONTWAIT);

	if (n <= 0)
		return;
	ck_assert_mem_eq(got, big + r->got / RESTLESS_LEN + at, (size_t)n);
	r->got += (size_t)n;
}

/* Nothing is lost, doubled or out of order, whenever a job is taken back. For ThreadSanitizer, too (tests/run threads). */
START_TEST(test_sender_restless)
{
	enum { PAIRS = 8, STEPS = 20000 };
	static struct restless pair[PAIRS], *r;
	struct sender *s = sender_new(loop, restless_done);

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 2654435761u >> 13);
	for (int i = 0; i < PAIRS; i++) {
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i].fd), 0);
		pair[i].job.fd = pair[i].fd[0];
	}
	ck_assert_int_eq(sender_start(s), 0);
	srandom(1);
	for (int i = 0; i < STEPS; i++) {
		r = &pair[random() % PAIRS];
		if (!r->away)
			restless_give(r, s);
		else if (random() % 2 == 0)
			restless_recall(r, s);
		if (random() % 4 == 0) {
			sender_wake(s);
			loop_once(loop, 0);
		}
		restless_read(r);
	}
	for (r = pair; r < pair + PAIRS; r++) {
		sender_recall(s, &r->job);
		ck_assert_int_eq(r->job.err, 0);
		while (r->got < r->given) {
			send_job_run(&r->job);
			restless_read(r);
		}
		ck_assert_uint_gt(r->given, 10 * RESTLESS_LEN);
		close(r->fd[0]);
		close(r->fd[1]);
	}
	sender_free(s);
}
END_TEST

/* The last words arrive although the peer has sent what nobody will read. */
START_TEST(test_goodbye)
{
	uint8_t buf[64];

	call_from(2);
	until(straw.conn.io);
	ck_assert_int_eq(send(peer, big, 60000, 0), 60000);
	straw.conn.tx = (const uint8_t *)"goodbye";
	straw.conn.tx_len = 7;
	act(ACTION_CLOSE);
	until(straw.conn.closed);
	send(peer, big, 60000, MSG_DONTWAIT);
	for (int i = 0; i < 10; i++)
		loop_once(loop, 1);
	ck_assert_int_eq(recv(peer, buf, sizeof(buf), 0), 7);
	ck_assert_int_eq(recv(peer, buf, sizeof(buf), 0), 0);
	ck_assert_uint_eq(stats().open, 1);
	/* Closed by the peer, or, if it does not, after a while. */
	if (_i == 0) {
		close(peer);
		peer = -1;
	}
	until(stats().open == 0);
	ck_assert(!straw.conn.lost);
}
END_TEST

START_TEST(test_connect)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	int fd;

	straw.conn.remote = loopback(2);
	act(ACTION_CONNECT);
	until(straw.conn.lost);
	ck_assert_int_eq(straw.conn.why, CONN_FAILED);
	ck_assert_uint_eq(stats().connect_errors, 1);

	ck_assert_int_eq(bgp_socket_listen(loopback(2), config.port, &fd), 0);
	act(ACTION_CONNECT);
	until(straw.conn.connected);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ck_assert_int_eq(poll(&p, 1, 5000), 1);
	peer = accept(fd, (struct sockaddr *)&sa, &len);
	ck_assert_int_ge(peer, 0);
	/* From the listen address, not from whatever the route would give. */
	ck_assert(ip_eq(sockaddr_ip(&sa), loopback(1)));
	close(fd);
	act(ACTION_CLOSE);
	until(straw.conn.closed);
}
END_TEST

START_TEST(test_deadline)
{
	straw.deadline = loop_now_ms() + 20;
	for (int i = 0; i < 4 && !straw.runs; i++)
		loop_once(loop, 1000);
	ck_assert_int_eq(straw.runs, 1);
}
END_TEST

START_TEST(test_busy)
{
	struct transport *other;
	char err[TRANSPORT_ERROR_MAX], want[TRANSPORT_ERROR_MAX];

	ck_assert_int_eq(transport_new(loop, &config, &other, err), -EADDRINUSE);
	snprintf(want, sizeof(want), "127.0.0.1:%u: Address already in use (another BGP daemon?)",
		config.port);
	ck_assert_str_eq(err, want);
}
END_TEST

/* --- another configuration --- */

static int try_call(uint8_t from, uint8_t to, const char *key)
{
	struct sockaddr_storage sa;
	struct timeval soon = {.tv_usec = 300000};
	socklen_t len = sockaddr_of(loopback(from), 0, &sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	/* A SYN without the right key is dropped: that is a time-out. */
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)), 0);
	if (key)
		ck_assert_int_eq(bgp_socket_md5(fd, loopback(to), 32, key), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, len), 0);
	len = sockaddr_of(loopback(to), config.port, &sa);
	int rc = connect(fd, (struct sockaddr *)&sa, len);
	int err = rc < 0 ? errno : 0;
	close(fd);
	return err;
}

static struct config with(struct ip *listen, uint32_t count, struct config_neighbor *n)
{
	struct config c = config;

	c.listen = listen;
	c.listen_count = count;
	c.neighbors = n;
	return c;
}

START_TEST(test_listen_elsewhere)
{
	struct ip both[] = {loopback(1), loopback(3)}, other[] = {loopback(3)};
	struct config a = with(both, 2, &neighbor), b = with(other, 1, &neighbor);
	char err[TRANSPORT_ERROR_MAX];

	/* Prepared and given up: as if nothing had been. */
	ck_assert_int_eq(transport_prepare(transport, &a, err), 0);
	transport_cancel(transport, &a);
	ck_assert_int_eq(try_call(2, 3, NULL), ECONNREFUSED);
	call_from(2);
	until(stats().accepted == 1);
	ck_assert_int_eq(transport_prepare(transport, &a, err), 0);
	transport_commit(transport, &a);
	ck_assert_int_eq(try_call(9, 3, NULL), 0);
	until(stats().refused == 1); /* a stranger, but he was heard */
	ck_assert_int_eq(transport_prepare(transport, &b, err), 0);
	transport_commit(transport, &b);
	ck_assert_int_eq(try_call(9, 1, NULL), ECONNREFUSED);
	ck_assert_int_eq(try_call(9, 3, NULL), 0);
	until(stats().refused == 2);
	/* The connection that came to the old address is still there. */
	ck_assert_uint_eq(stats().open, 1);
	ck_assert(!straw.conn.lost);
}
END_TEST

/* One address that cannot be had: the other one, that could, is not taken either, nor its keys. */
START_TEST(test_listen_where_nobody_can)
{
	struct ip three[] = {loopback(1), loopback(3), ip_v4((const uint8_t[]){192, 0, 2, 1})};
	struct config_neighbor n = {.address = loopback(2), .password = (char *)"secret"};
	struct config a = with(three, 3, &n);
	char err[TRANSPORT_ERROR_MAX], want[TRANSPORT_ERROR_MAX];

	ck_assert_int_eq(transport_prepare(transport, &a, err), -EADDRNOTAVAIL);
	snprintf(want, sizeof(want),
		"192.0.2.1:%u: Cannot assign requested address (is it an address of this machine?)",
		config.port);
	ck_assert_str_eq(err, want);
	ck_assert_int_eq(try_call(2, 3, NULL), ECONNREFUSED);
	ck_assert_int_eq(try_call(2, 1, NULL), 0);
}
END_TEST

START_TEST(test_passwords)
{
	struct config_neighbor first = {.address = loopback(2), .password = (char *)"first"},
			       other = {.address = loopback(2), .password = (char *)"other"};
	struct config a = with(any, 1, &first), b = with(any, 1, &other);
	char err[TRANSPORT_ERROR_MAX] = "";

	if (transport_prepare(transport, &a, err) < 0 && strstr(err, "rotocol")) {
		fprintf(stderr, "no TCP MD5 here: %s\n", err);
		return;
	}
	transport_cancel(transport, &a);
	ck_assert_int_eq(try_call(2, 1, NULL), 0);
	ck_assert_int_eq(transport_prepare(transport, &a, err), 0);
	transport_commit(transport, &a);
	ck_assert_int_ne(try_call(2, 1, NULL), 0);
	ck_assert_int_eq(try_call(2, 1, "first"), 0);
	ck_assert_int_eq(transport_prepare(transport, &b, err), 0);
	/* Not yet. */
	ck_assert_int_eq(try_call(2, 1, "first"), 0);
	transport_commit(transport, &b);
	ck_assert_int_ne(try_call(2, 1, "first"), 0);
	ck_assert_int_eq(try_call(2, 1, "other"), 0);
	ck_assert_int_eq(transport_prepare(transport, &config, err), 0);
	transport_commit(transport, &config);
	ck_assert_int_eq(try_call(2, 1, NULL), 0);
}
END_TEST

/* On connections that are open, and on the listener; and off again. */
START_TEST(test_ttl)
{
	struct config_neighbor near = {.address = loopback(2), .ttl_security = 1};
	struct config a = with(any, 1, &near);
	char err[TRANSPORT_ERROR_MAX];
	int low = 64;

	call_from(2);
	until(stats().accepted == 1);
	ck_assert_int_eq(transport_prepare(transport, &a, err), 0);
	transport_commit(transport, &a);
	ck_assert_int_eq(try_call(2, 1, NULL), EINPROGRESS); /* sent with TTL 64 */
	ck_assert_int_eq(setsockopt(peer, IPPROTO_IP, IP_TTL, &low, sizeof(low)), 0);
	ck_assert_int_eq(send(peer, big, 100, 0), 100);
	for (int i = 0; i < 20; i++)
		loop_once(loop, 2);
	ck_assert_uint_eq(straw.conn.rx, 0);
	ck_assert_int_eq(transport_prepare(transport, &config, err), 0);
	transport_commit(transport, &config);
	ck_assert_int_eq(try_call(2, 1, NULL), 0);
	until(straw.conn.rx == 100); /* TCP sends it again */
}
END_TEST

int main(void)
{
	Suite *s = suite_create("transport");
	TCase *tc = tcase_create("transport");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_strangers, 0, 2);
	tcase_add_test(tc, test_calls_too_often);
	tcase_add_test(tc, test_callers);
	tcase_add_test(tc, test_bytes);
	tcase_add_test(tc, test_waits);
	tcase_add_loop_test(tc, test_ends_while_waiting, 0, 4);
	tcase_add_loop_test(tc, test_blocked, 0, WAYS);
	tcase_add_loop_test(tc, test_ends_while_sending, 0, 3 * WAYS);
	tcase_add_test(tc, test_sender);
	tcase_add_test(tc, test_sender_restless);
	tcase_add_loop_test(tc, test_goodbye, 0, 2);
	tcase_add_test(tc, test_connect);
	tcase_add_test(tc, test_deadline);
	tcase_add_test(tc, test_busy);
	tcase_add_test(tc, test_listen_elsewhere);
	tcase_add_test(tc, test_listen_where_nobody_can);
	tcase_add_test(tc, test_passwords);
	tcase_add_test(tc, test_ttl);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
