#define _GNU_SOURCE /* epoll_pwait2 */
#include "tests/bench/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/reader.h"
#include "lib/writer.h"

#define HEADER 19
#define MESSAGE_MAX 65535
#define READ_OCTETS (256 * 1024)
#define EVENTS 256
/* A router's windows do not grow to 32 MB; 50 such would be a test of this machine's memory. */
#define RECEIVE_OCTETS (512 * 1024)
#define HOLD_SEC 180
#define KEEPALIVES_A_HOLD 9
#define REDIAL_NS 100000000ull
#define TURN_US 20000

enum { OPEN = 1, UPDATE = 2, NOTIFICATION = 3, KEEPALIVE = 4 };
enum { MP_REACH = 14, MP_UNREACH = 15, EXTENDED_LENGTH = 0x10 };

/* One buffer for all: it stays in the cache. The rest of the last read is put before the next. */
static uint8_t buffer[MESSAGE_MAX + READ_OCTETS];

uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

__attribute__((format(printf, 3, 4))) static void failed(
	struct peers *ps, const struct peer *p, const char *format, ...)
{
	va_list ap;
	char why[160];

	if (ps->error[0])
		return;
	va_start(ap, format);
	vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	snprintf(ps->error, sizeof(ps->error), "%u.%u.%u.%u: %s", p->address >> 24,
		p->address >> 16 & 255, p->address >> 8 & 255, p->address & 255, why);
}

void peers_init(
	struct peers *ps, uint32_t server, uint16_t port, uint32_t first_address, size_t count)
{
	*ps = (struct peers){.server = server, .port = port, .count = count, .hold_sec = HOLD_SEC};
	ps->epoll = epoll_create1(EPOLL_CLOEXEC);
	ps->peer = calloc(count, sizeof(*ps->peer));
	if (ps->epoll < 0 || !ps->peer)
		abort();
	for (size_t i = 0; i < count; i++) {
		ps->peer[i].fd = -1;
		ps->peer[i].address = first_address + (uint32_t)i;
		ps->peer[i].rest = malloc(MESSAGE_MAX);
		if (!ps->peer[i].rest)
			abort();
	}
}

/* --- out --- */

static void watch(struct peers *ps, struct peer *p, bool write, int op)
{
	struct epoll_event ev = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = p};

	p->wants_write = write;
	if (epoll_ctl(ps->epoll, op, p->fd, &ev) < 0)
		abort();
}

static void flush(struct peers *ps, struct peer *p)
{
	while (p->out_len) {
		ssize_t n = send(p->fd, p->out, p->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0) {
			if (errno != EAGAIN)
				failed(ps, p, "send: %s", strerror(errno));
			break;
		}
		p->out += n;
		p->out_len -= (size_t)n;
	}
	if (p->wants_write != (p->out_len > 0))
		watch(ps, p, p->out_len > 0, EPOLL_CTL_MOD);
}

void peer_send(struct peers *ps, struct peer *p, const uint8_t *octets, size_t len)
{
	p->out = octets;
	p->out_len = len;
	flush(ps, p);
}

/* Small, and at a time when nothing waits: it goes at once. */
static void say(struct peers *ps, struct peer *p, uint8_t type, const uint8_t *body, size_t len)
{
	uint8_t m[HEADER + 64];
	struct writer w = writer_of(m, sizeof(m));

	for (int i = 0; i < 4; i++)
		writer_u32(&w, UINT32_MAX);
	writer_u16(&w, (uint16_t)(HEADER + len));
	writer_u8(&w, type);
	writer_bytes(&w, body, len);
	if (send(p->fd, m, writer_len(&w), MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)writer_len(&w))
		failed(ps, p, "cannot send a message of type %u: %s", type, strerror(errno));
}

static void say_open(struct peers *ps, struct peer *p)
{
	uint8_t body[64];
	struct writer w = writer_of(body, sizeof(body));

	writer_u8(&w, 4);
	writer_u16(&w, ROUTES_AS);
	writer_u16(&w, ps->hold_sec);
	writer_u32(&w, p->address);
	writer_u8(&w, 14);
	writer_u16(&w, 2 << 8 | 12);
	writer_u16(&w, 1 << 8 | 4); /* multiprotocol: EVPN */
	writer_u32(&w, 25u << 16 | 70);
	writer_u16(&w, 65 << 8 | 4); /* 4-octet AS numbers */
	writer_u32(&w, ROUTES_AS);
	say(ps, p, OPEN, body, writer_len(&w));
}

/* --- in --- */

/* The member's number ends the MAC address. */
static uint32_t number_of(const uint8_t *nlri)
{
	return ntohl(load32(nlri + NLRI_MAC_LEN + 3)) * 2 + (nlri[NLRI_IP_LEN] == 128);
}

static void probe_told(struct peers *ps, uint32_t k)
{
	if (k >= PROBES_MAX)
		return;
	ps->probe[k].told++;
	ps->probe[k].last_ns = clock_ns();
}

static bool walk_nlris(
	struct peers *ps, struct peer *p, const uint8_t *at, const uint8_t *end, bool reach)
{
	struct tally *t = reach ? &p->reach : &p->unreach;

	for (; at < end; at += 2 + at[1]) {
		if (end - at < 2 + 33 || at[0] != 2 || end - at < 2 + at[1] ||
			2 + at[1] < NLRI_IP + at[NLRI_IP_LEN] / 8)
			return false;
		if (load32(at + NLRI_RD + 4) != htonl(PROBES_RD)) {
			t->routes++;
			t->sum += nlri_hash(at);
		} else if (reach && p->is_client) {
			probe_told(ps, number_of(at));
		}
	}
	return true;
}

static bool walk_update(struct peers *ps, struct peer *p, const uint8_t *body, size_t len)
{
	struct reader r = reader_of(body, len);

	reader_skip(&r, reader_u16(&r));
	struct reader attrs = reader_sub(&r, reader_u16(&r));
	while (reader_left(&attrs)) {
		uint8_t flags = reader_u8(&attrs), type = reader_u8(&attrs);
		size_t n = flags & EXTENDED_LENGTH ? reader_u16(&attrs) : reader_u8(&attrs);
		struct reader v = reader_sub(&attrs, n);
		if (type != MP_REACH && type != MP_UNREACH)
			continue;
		reader_skip(&v, 3);
		if (type == MP_REACH) {
			reader_skip(&v, reader_u8(&v));
			reader_skip(&v, 1);
		}
		if (!reader_ok(&v) || !walk_nlris(ps, p, v.p, v.end, type == MP_REACH))
			return false;
	}
	return reader_ok(&attrs);
}

static void message(struct peers *ps, struct peer *p, uint8_t type, const uint8_t *body, size_t len)
{
	switch (type) {
	case OPEN:
		say(ps, p, KEEPALIVE, NULL, 0);
		break;
	case KEEPALIVE:
		if (p->state != PEER_UP)
			p->up_ns = clock_ns();
		p->state = PEER_UP;
		break;
	case UPDATE:
		if (!walk_update(ps, p, body, len))
			failed(ps, p, "an UPDATE that cannot be read");
		break;
	case NOTIFICATION:
		if (p->state == PEER_UP)
			failed(ps, p, "NOTIFICATION %u/%u", len > 1 ? body[0] : 0,
				len > 1 ? body[1] : 0);
		break;
	default:
		failed(ps, p, "a message of type %u", type);
	}
}

/* Whole messages; what is left over is kept. */
static void take(struct peers *ps, struct peer *p, const uint8_t *at, size_t len)
{
	while (len >= HEADER) {
		size_t n = (size_t)(at[16] << 8 | at[17]);
		if (n < HEADER) {
			failed(ps, p, "a message of %zu octets", n);
			return;
		}
		if (n > len)
			break;
		message(ps, p, at[18], at + HEADER, n - HEADER);
		at += n;
		len -= n;
	}
	memcpy(p->rest, at, len);
	p->rest_len = len;
}

static size_t receive(struct peers *ps, struct peer *p)
{
	memcpy(buffer, p->rest, p->rest_len);
	ssize_t n = recv(p->fd, buffer + p->rest_len, READ_OCTETS, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0) {
		if (p->state == PEER_UP)
			failed(ps, p, "session lost: %s",
				n < 0 ? strerror(errno) : "closed by the reflector");
		peer_close(ps, p);
		return 0;
	}
	p->octets += (uint64_t)n;
	p->heard_ns = clock_ns();
	take(ps, p, buffer, p->rest_len + (size_t)n);
	return (size_t)n;
}

/* --- sessions --- */

static void dial(struct peers *ps, struct peer *p)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(p->address)};
	int on = 1, window = RECEIVE_OCTETS;

	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		failed(ps, p, "bind: %s", strerror(errno));
		return;
	}
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	sa.sin_addr.s_addr = htonl(ps->server);
	sa.sin_port = htons(ps->port);
	p->state = PEER_CONNECTING;
	p->rest_len = 0;
	p->out_len = 0;
	if (connect(p->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 && errno != EINPROGRESS)
		failed(ps, p, "connect: %s", strerror(errno));
	watch(ps, p, true, EPOLL_CTL_ADD);
}

void peer_close(struct peers *ps, struct peer *p)
{
	(void)ps;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->state = PEER_DOWN;
	p->redial_ns = clock_ns() + REDIAL_NS;
	p->out_len = 0;
}

static void writable(struct peers *ps, struct peer *p)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (p->state != PEER_CONNECTING) {
		flush(ps, p);
		return;
	}
	getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err) {
		peer_close(ps, p);
		return;
	}
	p->state = PEER_OPENING;
	watch(ps, p, false, EPOLL_CTL_MOD);
	say_open(ps, p);
}

static bool all_up(const struct peers *ps, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++)
		if (ps->peer[i].state != PEER_UP)
			return false;
	return true;
}

bool peers_up(struct peers *ps, size_t first, size_t n, uint64_t deadline_ns)
{
	for (size_t i = first; i < first + n; i++)
		ps->peer[i].redial_ns = 0;
	while (!all_up(ps, first, n)) {
		if (ps->error[0] || clock_ns() >= deadline_ns)
			return false;
		for (size_t i = first; i < first + n; i++)
			if (ps->peer[i].state == PEER_DOWN && clock_ns() >= ps->peer[i].redial_ns)
				dial(ps, &ps->peer[i]);
		peers_turn(ps, TURN_US);
	}
	return true;
}

static void keep_alive(struct peers *ps)
{
	uint64_t now = clock_ns();

	if (now < ps->keepalive_ns)
		return;
	ps->keepalive_ns = now + ps->hold_sec * 1000000000ull / KEEPALIVES_A_HOLD;
	for (size_t i = 0; i < ps->count; i++)
		if (ps->peer[i].state == PEER_UP && !ps->peer[i].out_len)
			say(ps, &ps->peer[i], KEEPALIVE, NULL, 0);
}

size_t peers_turn(struct peers *ps, int64_t timeout_us)
{
	struct epoll_event ev[EVENTS];
	struct timespec ts = {timeout_us / 1000000, timeout_us % 1000000 * 1000};
	int n = epoll_pwait2(ps->epoll, ev, EVENTS, &ts, NULL);
	size_t octets = 0;

	for (int i = 0; i < n; i++) {
		struct peer *p = ev[i].data.ptr;
		if (p->fd >= 0 && ev[i].events & EPOLLOUT)
			writable(ps, p);
		if (p->fd >= 0 && ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			octets += receive(ps, p);
	}
	keep_alive(ps);
	return octets;
}

void peers_clear_tallies(struct peers *ps)
{
	for (size_t i = 0; i < ps->count; i++)
		ps->peer[i].reach = ps->peer[i].unreach = (struct tally){0};
}
