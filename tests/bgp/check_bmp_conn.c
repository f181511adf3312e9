/* The connection to a monitoring station: when it is called, what happens if it does not read, and what it costs. */
#include "tests/bgp/straw_session.h"

static void lose(const char *why)
{
	bmp_lost(straw.st, why, raw.now);
	ck_assert_int_eq(bmp_wants(straw.st, raw.now), BMP_REST);
}

/* Seconds until it is called again. */
static unsigned wait_for_call(void)
{
	uint64_t from = raw.now;

	ck_assert_uint_gt(bmp_deadline(bmp), raw.now);
	raw.now = bmp_deadline(bmp);
	ck_assert_int_eq(bmp_wants(straw.st, raw.now), BMP_CONNECT);
	ck_assert_int_eq(bmp_wants(straw.st, raw.now - 1), BMP_REST);
	return (unsigned)((raw.now - from) / 1000);
}

/* Section 3.2: 30 s, doubled up to 720. */
START_TEST(back_off)
{
	static const unsigned waits[] = {30, 60, 120, 240, 480, 720, 720};
	struct bmp_view v;

	begin(BMP_PRE);
	for (unsigned i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		bmp_connecting(straw.st);
		lose("Connection refused");
		ck_assert_uint_eq(wait_for_call(), waits[i]);
	}
	/* One that takes the connection and drops it gains nothing. */
	connect_straw(&straw);
	lose("closed by the station");
	ck_assert_uint_eq(wait_for_call(), 720);
	/* One that stays does. */
	connect_straw(&straw);
	raw.now += 721000;
	lose("closed by the station");
	ck_assert_uint_eq(wait_for_call(), 30);
	bmp_view(straw.st, &v);
	ck_assert_str_eq(v.last_error, "closed by the station");
	ck_assert_uint_eq(v.connects, 9);
	ck_assert_uint_eq(v.losses, 2);
	end();
}
END_TEST

/* One that does not read: the bound holds, the others hear on, and the next connection begins with all there is. */
START_TEST(queue_full)
{
	struct bmp_station_config c = station(BMP_PRE);
	struct bmp_view v;

	c.queue_octets = 20000;
	begin(BMP_PRE);
	straw2.st = bmp_add(bmp, &c, raw.now);
	connect_straw(&straw);
	connect_straw(&straw2);
	establish(true);
	HEARD("INIT UP");
	for (unsigned i = 0; i < 1000; i++) {
		bmp_view(straw2.st, &v);
		ck_assert_uint_le(v.queued_octets, c.queue_octets);
		raw_rx_routes(&raw, i % 50, i % 50, (uint8_t)i);
		turn();
	}
	ck_assert_int_eq(bmp_wants(straw2.st, raw.now), BMP_CLOSE);
	bmp_view(straw2.st, &v);
	ck_assert_str_eq(v.last_error, "does not read: the queue is full");
	ck_assert_uint_eq(v.overflows, 1);
	ck_assert_uint_eq(v.queued_octets, 0);
	bmp_view(straw.st, &v);
	ck_assert_uint_eq(v.messages, 1002);
	ck_assert_uint_eq(v.overflows, 0);
	straw_text(&straw, text, sizeof(text));
	bmp_lost(straw2.st, NULL, raw.now);
	raw_wait(&raw, 29999);
	ck_assert_int_eq(bmp_wants(straw2.st, raw.now), BMP_REST);
	raw_wait(&raw, 1);
	raw_rx_keepalive(&raw);
	connect_straw(&straw2);
	straw_text(&straw2, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "INIT UP +"));
	ck_assert_ptr_nonnull(strstr(text, "+49"));
	ck_assert_ptr_nonnull(strstr(text, "EOR"));
	end();
}
END_TEST

/* The dump waits for its reader, and the walk survives that the reader goes. */
START_TEST(dump_waits)
{
	struct bmp_station_config c = station(BMP_PRE);
	uint8_t buf[BGP_MSG_MAX];
	struct bmp_view v;

	begin(BMP_PRE);
	establish(true);
	for (unsigned i = 0; i < 200; i++)
		raw_rx(&raw, buf, raw_update(buf, sizeof(buf), i, i, 1, false, 1000 + i));
	c.queue_octets = 40000;
	straw2.st = bmp_add(bmp, &c, raw.now);
	connect_straw(&straw2);
	bmp_view(straw2.st, &v);
	ck_assert_str_eq(v.state, "dump");
	ck_assert_uint_gt(v.queued_octets, 10000);
	ck_assert_uint_le(v.queued_octets, 20000);
	ck_assert_uint_eq(bmp_deadline(bmp), raw.now); /* that is the other one, which wants to be called */
	straw_text(&straw2, text, sizeof(text));
	ck_assert_str_eq(text, "INIT UP +0 +1 +2 +3 +4 +5 +6 +7 +8");
	for (int i = 0; i < 30; i++) {
		turn();
		straw_text(&straw2, text, sizeof(text));
	}
	bmp_view(straw2.st, &v);
	ck_assert_str_eq(v.state, "up");
	ck_assert_uint_eq(v.messages, 2 + 200 + 1);
	end();
}
END_TEST

/* A station that hangs in its dump keeps what is gone: it has to go before a neighbour would be blamed for that. */
START_TEST(dump_hangs)
{
	struct bmp_station_config c = station(BMP_PRE);
	uint8_t buf[BGP_MSG_MAX];
	struct bmp_view v;

	begin(BMP_PRE);
	raw.s->tombstones_max = 200;
	establish(true);
	for (unsigned i = 0; i < 250; i++)
		raw_rx(&raw, buf, raw_update(buf, sizeof(buf), i, i, 1, false, 1000 + i));
	c.queue_octets = 80000;
	straw2.st = bmp_add(bmp, &c, raw.now);
	connect_straw(&straw2);
	raw_rx_withdraw(&raw, 0, 199);
	turn();
	bmp_view(straw2.st, &v);
	ck_assert_str_eq(v.state, "closing");
	ck_assert_str_eq(v.last_error, "reads its dump too slowly");
	bmp_lost(straw2.st, NULL, raw.now);
	raw_drain(&raw);
	rib_reap(&raw.s->table[0].rib);
	ck_assert_uint_eq(raw.s->table[0].rib.tombstones, 0);
	ck_assert_str_eq(raw_view(&raw).state, "Established");
	end();
}
END_TEST

/* A message that was full gets longer by an octet when it is made anew. */
START_TEST(a_full_message_in_the_dump)
{
	static char hex[3 * BGP_MSG_MAX];
	struct straw_msg m;
	size_t n;

	begin(BMP_PRE);
	establish(false);
	n = (size_t)snprintf(hex, sizeof(hex), "%s", ORIGIN NO_AS PREF REACH("0d", "f0 02 01 05") "d0 c8 ");
	/* Header and two lengths, the attributes before, flags, type and length of this one. */
	size_t rest = BGP_MSG_MAX - 23 - (4 + 3 + 7 + 16) - 4;
	n += (size_t)snprintf(hex + n, sizeof(hex) - n, "%04zx", rest);
	for (size_t i = 0; i < rest; i++)
		n += (size_t)snprintf(hex + n, sizeof(hex) - n, "ee");
	rx_attrs(hex);
	connect_straw(&straw);
	HEARD("INIT UP +1 EOR");
	straw.at = 0;
	for (int i = 0; i < 3; i++)
		ck_assert(straw_next(&straw, &m));
	ck_assert_uint_eq(reader_left(&m.body), BGP_MSG_MAX + 1);
	end();
}
END_TEST

START_TEST(termination)
{
	begin(BMP_PRE);
	connect_straw(&straw);
	establish(true);
	bmp_terminate(straw.st);
	raw_rx_routes(&raw, 1, 1, 1);
	turn();
	ck_assert_int_eq(bmp_wants(straw.st, raw.now), BMP_SEND);
	HEARD("INIT UP TERM:0");
	ck_assert_int_eq(bmp_wants(straw.st, raw.now), BMP_CLOSE);
	lose(NULL);
	end();
}
END_TEST

/* Section 4.8, on a timer; gauges of what there is. */
START_TEST(stats)
{
	struct bmp_station_config c = station(BMP_PRE);
	struct straw_msg m;

	c.stats_sec = 60;
	begin(BMP_PRE);
	bmp_remove(straw.st);
	straw.st = bmp_add(bmp, &c, raw.now);
	connect_straw(&straw);
	establish(true);
	raw_rx_routes(&raw, 1, 3, 1);
	raw_originate(&raw, 9, 1);
	rx_attrs("40 01 01 07" NO_AS PREF REACH("0d", "f0 02 03 05"));
	raw_wait(&raw, 59000);
	raw_rx_keepalive(&raw);
	turn();
	HEARD("INIT UP +1,+2,+3 -3");
	raw_wait(&raw, 1000);
	turn();
	HEARD("STATS");
	straw.at = 0;
	while (straw_next(&straw, &m))
		;
	char *hex = hex_of(m.body.p, reader_left(&m.body));
	ck_assert_str_eq(hex, "00000006"
			      "0000000400000000"
			      "0009000b0019460000000000000002"
			      "000a000b0019460000000000000003"
			      "000700080000000000000002"
			      "000800080000000000000003"
			      "000b000400000001");
	free(hex);
	raw_wait(&raw, 60000);
	raw_rx_keepalive(&raw);
	turn();
	HEARD("STATS");
	end();
}
END_TEST

/* No station: nothing is told to anybody. */
START_TEST(nobody_looks_on)
{
	begin(BMP_PRE);
	ck_assert_ptr_nonnull(raw.s->monitor);
	bmp_remove(straw.st);
	ck_assert_ptr_null(raw.s->monitor);
	establish(true);
	raw_rx_routes(&raw, 1, 3, 1);
	connection_fails();
	ck_assert_uint_eq(bmp_deadline(bmp), TIMERS_NEVER);
	end();
}
END_TEST

CHECK_MAIN("bmp_conn", tcase_add_test(t, back_off); tcase_add_test(t, queue_full);
	   tcase_add_test(t, dump_waits); tcase_add_test(t, dump_hangs);
	   tcase_add_test(t, a_full_message_in_the_dump); tcase_add_test(t, termination);
	   tcase_add_test(t, stats); tcase_add_test(t, nobody_looks_on);)
