/* What a monitoring station hears of one neighbour, message by message. */
#include "tests/bgp/straw_session.h"

/* A station from the start, before and after the peer. */
START_TEST(as_it_happens)
{
	begin(BMP_PRE);
	connect_straw(&straw);
	HEARD("INIT");
	establish(true);
	HEARD("UP");
	raw_rx_routes(&raw, 1, 3, 1);
	raw_rx_withdraw(&raw, 2, 2);
	turn();
	HEARD("+1,+2,+3 -2");
	rx_eor();
	HEARD("EOR");
	raw_rx_routes(&raw, 2, 2, 1);
	conn_lost(raw.c, CONN_CLOSED_BY_PEER, raw.now);
	raw.c = NULL;
	turn();
	HEARD("+2 DOWN:4");
	end();
}
END_TEST

/* Sections 4.10 and 4.6: OPENs and UPDATEs octet for octet. */
START_TEST(octets_as_they_came)
{
	struct bgp_open o = raw_open();
	uint8_t buf[BGP_MSG_MAX], update[BGP_MSG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct straw_msg m;
	size_t len;

	begin(BMP_PRE);
	connect_straw(&straw);
	conn_set_ports(raw.c, 179, 40000);
	open_encode(&w, &o);
	raw_rx(&raw, buf, writer_len(&w));
	raw_rx_keepalive(&raw);
	len = raw_update(update, sizeof(update), 1, 200, 7, false, 100);
	raw_rx(&raw, update, len);
	turn();
	straw_read(&straw, SIZE_MAX);
	ck_assert(straw_next(&straw, &m));
	ck_assert(straw_next(&straw, &m));
	ck_assert_uint_eq(m.type, 3);
	ck_assert(ip_eq(m.peer, ip_v4_u32(RAW_PEER)));
	ck_assert_uint_eq(m.as, 65000);
	ck_assert_uint_eq(m.bgp_id, RAW_PEER);
	ck_assert_uint_eq(m.sec, 1600000005);
	ck_assert(ip_eq(straw_ip(&m.body, false), ip_v4_u32(RAW_LOCAL)));
	ck_assert_uint_eq(reader_u16(&m.body), 179);
	ck_assert_uint_eq(reader_u16(&m.body), 40000);
	/* Ours was the first that came out. */
	size_t sent = (size_t)raw.out[16] << 8 | raw.out[17];
	ck_assert_mem_eq(reader_bytes(&m.body, sent), raw.out, sent);
	ck_assert_uint_eq(reader_left(&m.body), writer_len(&w));
	ck_assert_mem_eq(m.body.p, buf, writer_len(&w));
	/* No graceful restart: nobody else would say that there is nothing yet. */
	ck_assert(straw_next(&straw, &m));
	ck_assert_ptr_nonnull(straw_update(&m).eor_family);
	ck_assert(straw_next(&straw, &m));
	ck_assert_uint_eq(m.flags, 0);
	ck_assert_uint_eq(reader_left(&m.body), len);
	ck_assert_mem_eq(m.body.p, update, len);
	end();
}
END_TEST

/* One that connects later is told who is up, what they have told, and that this was all. */
START_TEST(dump)
{
	struct straw_msg m;

	begin(BMP_PRE);
	establish(true);
	raw_rx_routes(&raw, 1, 2, 1);
	turn();
	raw.now += 3000;
	raw_rx_routes(&raw, 3, 3, 1);
	raw_originate(&raw, 9, 1);
	raw.now += 4000;
	connect_straw(&straw);
	straw_read(&straw, SIZE_MAX);
	for (unsigned i = 0; i < 4; i++)
		ck_assert(straw_next(&straw, &m));
	/* When the route came, not when it was told; in whole seconds. */
	ck_assert_uint_eq(m.sec, 1600000005 + 3);
	straw.at = 0;
	HEARD("INIT UP +1,+2 +3 EOR");
	raw_rx_withdraw(&raw, 1, 1);
	turn();
	HEARD("-1");
	end();
}
END_TEST

/* What comes while the dump goes on is told behind what was dumped before. */
START_TEST(dump_and_live)
{
	begin(BMP_PRE);
	establish(true);
	for (unsigned i = 0; i < 3; i++)
		raw_rx_routes(&raw, 80 * i + 1, 80 * i + 80, 1);
	ck_assert_int_eq(bmp_wants(straw.st, raw.now), BMP_CONNECT);
	bmp_connecting(straw.st);
	bmp_connected(straw.st, raw.now);
	raw_rx_withdraw(&raw, 1, 79);
	raw_rx_withdraw(&raw, 81, 239);
	rx_eor();
	straw_text(&straw, text, sizeof(text));
	/* Withdrawn before they were dumped: the station hears withdrawals of what it never knew. */
	ck_assert_ptr_nonnull(strstr(text, "INIT UP -1,"));
	ck_assert_ptr_nonnull(strstr(text, ",-239 +80,+240 EOR"));
	ck_assert_ptr_null(strstr(strstr(text, "EOR") + 1, "EOR"));
	end();
}
END_TEST

static void stop_neighbor(void)
{
	speaker_remove_neighbor(raw.s, raw.n, raw.now);
}

static void peer_notifies(void)
{
	struct bgp_error e = {.code = 6, .subcode = 4};
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	notification_encode(&w, &e);
	raw_rx(&raw, buf, writer_len(&w));
}

static void peer_errs(void)
{
	raw_rx_hex(&raw, "ffffffffffffffffffffffffffffffff 0013 09");
}

static void peer_silent(void)
{
	raw_wait(&raw, 100000);
}

static const struct {
	const char *name;
	void (*happens)(void);
	const char *heard;
} downs[] = {
	{"removed here", stop_neighbor, "DOWN:1:6/3"},
	{"error of the peer", peer_errs, "DOWN:1:1/3"},
	{"hold timer", peer_silent, "DOWN:1:4/0"},
	{"NOTIFICATION of the peer", peer_notifies, "DOWN:3:6/4"},
	{"connection", connection_fails, "DOWN:4"},
};

START_TEST(down)
{
	begin(BMP_PRE);
	connect_straw(&straw);
	establish(true);
	straw_text(&straw, text, sizeof(text));
	downs[_i].happens();
	turn();
	ck_assert_msg(strcmp(straw_text(&straw, text, sizeof(text)), downs[_i].heard) == 0, "%s: %s",
		downs[_i].name, text);
	end();
}
END_TEST

/* A peer that restarts gracefully is down nevertheless, and what is kept of it is not told again. */
START_TEST(restarting_peer)
{
	begin(BMP_PRE);
	connect_straw(&straw);
	establish(true);
	raw_rx_routes(&raw, 1, 3, 1);
	rx_eor();
	HEARD("INIT UP +1,+2,+3 EOR");
	connection_fails();
	raw.c = raw_call(&raw, RAW_PEER);
	raw_wait(&raw, 2000);
	if (!raw.c)
		raw.c = raw_call(&raw, RAW_PEER);
	raw_drain(&raw);
	establish(true);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, 3);
	HEARD("DOWN:4 UP");
	raw_rx_routes(&raw, 2, 2, 1);
	turn();
	/* Another one that looks on from now. */
	struct bmp_station_config c = station(BMP_PRE);
	straw2.st = bmp_add(bmp, &c, raw.now);
	connect_straw(&straw2);
	ck_assert_str_eq(straw_text(&straw2, text, sizeof(text)), "INIT UP +2 EOR");
	/* What the peer did not say again goes without a word. */
	rx_eor();
	HEARD("+2 EOR");
	ck_assert_str_eq(straw_text(&straw2, text, sizeof(text)), "EOR");
	ck_assert_uint_eq(raw_view(&raw).routes_in, 1);
	end();
}
END_TEST

/* RFC 7313: what the second half of a refresh does not name is withdrawn without an UPDATE. */
START_TEST(refresh)
{
	begin(BMP_PRE | BMP_POST);
	connect_straw(&straw);
	establish(false);
	raw_rx_routes(&raw, 1, 3, 1);
	turn();
	HEARD("INIT UP EOR EORL +1,+2,+3 +1,+2,+3L");
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_BORR);
	raw_rx_routes(&raw, 2, 2, 1);
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_EORR);
	turn();
	straw_text(&straw, text, sizeof(text));
	ck_assert_msg(strcmp(text, "+2 +2L -1 -1L -3 -3L") == 0 || strcmp(text, "+2 +2L -3 -3L -1 -1L") == 0,
		"%s", text);
	end();
}
END_TEST

static uint8_t refuses; /* this route */

static uint8_t import_policy(void *arg, const void *rules, const struct policy_route *r)
{
	(void)arg;
	(void)rules;
	return r->key[1] == refuses ? REFUSED_BY_POLICY : REFUSED_NOT;
}

static void judge_anew(uint8_t refuse)
{
	refuses = refuse;
	speaker_recheck(raw.s, NULL, raw.now);
	turn();
}

/* Post-policy leaves out what the policy refuses, and follows when that changes its mind; pre-policy does not care. */
START_TEST(views)
{
	struct speaker_policy policy = {.import = import_policy};

	refuses = 2;
	begin(BMP_PRE | BMP_POST);
	speaker_set_policy(raw.s, &policy);
	establish(false);
	raw_rx_routes(&raw, 1, 3, 1);
	connect_straw(&straw);
	HEARD("INIT UP +1,+2,+3 +1,+3L EOR EORL");
	judge_anew(0);
	HEARD("+2L");
	judge_anew(3);
	HEARD("-3L");
	raw_rx_routes(&raw, 2, 4, 2);
	turn();
	HEARD("+2,+3,+4 +2L -3L +4L");
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_BORR);
	raw_rx_routes(&raw, 1, 2, 2);
	turn();
	HEARD("+1,+2 +1,+2L");
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_EORR);
	turn();
	straw_text(&straw, text, sizeof(text));
	ck_assert_msg(strcmp(text, "-3 -4 -4L") == 0 || strcmp(text, "-4 -4L -3") == 0, "%s", text);
	end();
}
END_TEST

CHECK_MAIN("bmp", tcase_add_test(t, as_it_happens); tcase_add_test(t, octets_as_they_came);
	   tcase_add_test(t, dump); tcase_add_test(t, dump_and_live);
	   tcase_add_loop_test(t, down, 0, ROWS_OF(downs)); tcase_add_test(t, restarting_peer);
	   tcase_add_test(t, refresh); tcase_add_test(t, views);)
