/* The connections to monitoring stations, under a bgp/bmp.c of straw: who is called and who is not, octets that the socket
 * does not take at once, ends of all kinds, and configurations that change. */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp/bmp.h"
#include "daemon/bmp_client.h"
#include "daemon/loop.h"
#include "daemon/sockopt.h"

/* --- stations of straw --- */

#define STATIONS 4

struct bmp_station {
	bool used, connecting, connected, terminated;
	struct bmp_station_config config;
	enum bmp_want want;
	unsigned losses;
	char why[64];
	const uint8_t *tx;
	size_t tx_len;
};

struct bmp {
	struct bmp_station station[STATIONS];
	uint64_t wall_us;
};

static struct bmp straw;

struct bmp *bmp_new(struct speaker *s, const char *sys_descr, const char *sys_name)
{
	ck_assert_ptr_null(s);
	ck_assert_int_eq(strncmp(sys_descr, "quelld ", 7), 0);
	ck_assert(sys_name[0]);
	return &straw;
}

void bmp_free(struct bmp *b)
{
	for (int i = 0; i < STATIONS; i++)
		ck_assert(!b->station[i].used);
}

struct bmp_station *bmp_add(struct bmp *b, const struct bmp_station_config *c, uint64_t now_ms)
{
	struct bmp_station *st = b->station;

	(void)now_ms;
	while (st->used)
		st++;
	*st = (struct bmp_station){.used = true, .config = *c, .want = BMP_CONNECT};
	return st;
}

void bmp_remove(struct bmp_station *st)
{
	st->used = false;
}

const struct bmp_station_config *bmp_config(const struct bmp_station *st)
{
	return &st->config;
}

enum bmp_want bmp_wants(const struct bmp_station *st, uint64_t now_ms)
{
	(void)now_ms;
	return st->want;
}

void bmp_connecting(struct bmp_station *st)
{
	ck_assert_int_eq(st->want, BMP_CONNECT);
	st->connecting = true;
	st->want = BMP_REST;
}

void bmp_connected(struct bmp_station *st, uint64_t now_ms)
{
	(void)now_ms;
	ck_assert(st->connecting);
	st->connecting = false;
	st->connected = true;
}

void bmp_lost(struct bmp_station *st, const char *why, uint64_t now_ms)
{
	(void)now_ms;
	st->connecting = st->connected = false;
	st->losses++;
	st->want = BMP_REST;
	strncpy(st->why, why ? why : "as asked", sizeof(st->why) - 1);
}

void bmp_terminate(struct bmp_station *st)
{
	st->terminated = st->connected;
	if (!st->connected)
		return;
	st->tx = (const uint8_t *)"the end";
	st->tx_len = 7;
	st->want = BMP_SEND;
}

size_t bmp_tx(const struct bmp_station *st, const uint8_t **ret)
{
	*ret = st->tx;
	return st->tx_len > 10000 ? 10000 : st->tx_len;
}

void bmp_sent(struct bmp_station *st, size_t len)
{
	st->tx += len;
	st->tx_len -= len;
	if (!st->tx_len)
		st->want = st->terminated ? BMP_CLOSE : BMP_REST;
}

void bmp_run(struct bmp *b, uint64_t now_ms, uint64_t wall_us)
{
	(void)now_ms;
	b->wall_us = wall_us;
}

uint64_t bmp_deadline(const struct bmp *b)
{
	(void)b;
	return TIMERS_NEVER;
}

/* --- the rest --- */

static struct loop *loop;
static struct bmp_client *client;
static struct config config;
static struct config_bmp stations[2];
static int listener = -1, peer = -1;
static uint8_t big[4 * 1024 * 1024];

static struct ip loopback(uint8_t last)
{
	return ip_v4((const uint8_t[]){127, 0, 0, last});
}

/* A station that listens, if it is to, at 127.0.0.1, and another at 127.0.0.2 that does not. */
static void begin(bool listens)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	int small = 16384;

	straw = (struct bmp){0};
	ck_assert_int_eq(bgp_socket_listen(loopback(1), 0, &listener), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
	ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	uint16_t port = ntohs(((struct sockaddr_in *)&sa)->sin_port);
	if (!listens) {
		close(listener);
		listener = -1;
	}
	for (uint8_t i = 0; i < 2; i++)
		stations[i] = (struct config_bmp){.address = loopback((uint8_t)(1 + i)),
			.port = port,
			.policy = BMP_PRE,
			.stats_interval = 300,
			.connect_retry = 30,
			.queue = 64};
	config = (struct config){.bmp = stations, .bmp_count = 1};
	loop = loop_new();
	client = bmp_client_new(loop, NULL);
	bmp_client_apply(client, &config);
	bmp_client_start(client);
}

static void teardown(void)
{
	bmp_client_free(client);
	loop_free(loop);
	if (listener >= 0)
		close(listener);
	if (peer >= 0)
		close(peer);
}

#define until(cond)                                                                                \
	do {                                                                                       \
		uint64_t give_up = loop_now_ms() + 5000;                                           \
		while (!(cond) && loop_now_ms() < give_up)                                         \
			loop_once(loop, 2);                                                        \
		ck_assert(cond);                                                                   \
	} while (0)

static void take_call(const struct bmp_station *st)
{
	until(st->connected);
	peer = accept(listener, NULL, NULL);
	ck_assert_int_ge(peer, 0);
	ck_assert_uint_eq(bmp_client_open(client), 1);
}

START_TEST(nobody_there)
{
	begin(false);
	until(straw.station[0].losses == 1);
	ck_assert_str_eq(straw.station[0].why, "Connection refused");
	ck_assert_uint_eq(bmp_client_open(client), 0);
	ck_assert_uint_gt(straw.wall_us, 1600000000000000ull);
}
END_TEST

/* Two rounds: the same station is called again when it wants to be. */
START_TEST(closed_by_the_station)
{
	begin(true);
	for (unsigned i = 1; i <= 2; i++) {
		take_call(straw.station);
		/* What it says is read, and nothing comes of it. */
		ck_assert_int_eq(send(peer, big, 50000, 0), 50000);
		for (int k = 0; k < 20; k++)
			loop_once(loop, 1);
		ck_assert(straw.station[0].connected);
		close(peer);
		peer = -1;
		until(straw.station[0].losses == i);
		ck_assert_str_eq(straw.station[0].why, "closed by the station");
		ck_assert_uint_eq(bmp_client_open(client), 0);
		straw.station[0].want = BMP_CONNECT;
	}
}
END_TEST

/* More than the socket takes: the rest goes when the station reads, whole and in order. */
START_TEST(blocked)
{
	size_t got = 0;
	uint8_t buf[65536];

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 2654435761u >> 13);
	begin(true);
	take_call(straw.station);
	straw.station[0].tx = big;
	straw.station[0].tx_len = sizeof(big);
	straw.station[0].want = BMP_SEND;
	for (int i = 0; i < 50; i++)
		loop_once(loop, 1);
	ck_assert_uint_gt(straw.station[0].tx_len, 0);
	while (got < sizeof(big)) {
		loop_once(loop, 1);
		ssize_t n = recv(peer, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		ck_assert_int_gt(n, 0);
		ck_assert_mem_eq(buf, big + got, (size_t)n);
		got += (size_t)n;
	}
	ck_assert_uint_eq(straw.station[0].tx_len, 0);
	/* One that never reads is given up when it says so. */
	straw.station[0].want = BMP_CLOSE;
	until(straw.station[0].losses == 1);
	ck_assert_str_eq(straw.station[0].why, "as asked");
	ck_assert_uint_eq(bmp_client_open(client), 0);
}
END_TEST

static void expect_the_end(void)
{
	char buf[64];

	ck_assert_int_eq(recv(peer, buf, sizeof(buf), 0), 7);
	ck_assert_mem_eq(buf, "the end", 7);
	ck_assert_int_eq(recv(peer, buf, sizeof(buf), 0), 0);
}

START_TEST(stops)
{
	begin(true);
	take_call(straw.station);
	bmp_client_stop(client);
	until(bmp_client_open(client) == 0);
	expect_the_end();
	/* It is called no more. */
	straw.station[0].want = BMP_CONNECT;
	for (int i = 0; i < 10; i++)
		loop_once(loop, 1);
	ck_assert_uint_eq(bmp_client_open(client), 0);
}
END_TEST

static void other_policy(void)
{
	stations[0].policy = BMP_POST;
}

static void other_name(void)
{
	static char name[] = "mon";

	stations[0].name = name;
}

static void other_queue(void)
{
	stations[0].queue = 1;
}

static void other_interval(void)
{
	stations[0].stats_interval = 0;
}

static void removed(void)
{
	config.bmp_count = 0;
}

static void (*const changes[])(void) = {
	other_policy, other_name, other_queue, other_interval, removed};

/* What has changed is told the end and called anew; what has not changed keeps its connection. */
START_TEST(applies)
{
	begin(true);
	take_call(straw.station);
	config.bmp_count = 2;
	bmp_client_apply(client, &config);
	ck_assert(straw.station[0].connected && !straw.station[0].terminated);
	ck_assert(straw.station[1].used);
	until(straw.station[1].losses == 1); /* nobody is there */
	changes[_i]();
	bmp_client_apply(client, &config);
	expect_the_end();
	close(peer);
	peer = -1;
	if (config.bmp_count) {
		take_call(&straw.station[2]);
		ck_assert_uint_eq(straw.station[2].config.views, (unsigned)stations[0].policy);
		ck_assert_uint_eq(straw.station[2].config.queue_octets, (size_t)stations[0].queue << 20);
		ck_assert_uint_eq(straw.station[1].losses, 1);
	} else {
		ck_assert(!straw.station[0].used && !straw.station[1].used);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bmp_client");
	TCase *t = tcase_create("bmp_client");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, nobody_there);
	tcase_add_test(t, closed_by_the_station);
	tcase_add_test(t, blocked);
	tcase_add_test(t, stops);
	tcase_add_loop_test(t, applies, 0, sizeof(changes) / sizeof(changes[0]));
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
