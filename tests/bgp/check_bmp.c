/* What a monitoring station hears of one neighbour, message by message, and when it is called. */
#include "bgp/bmp.h"

#include "bgp/engine.h"
#include "tests/bgp/raw.h"
#include "tests/bgp/straw_station.h"

#define WALL_US 1600000000000000ull

static struct raw raw;
static struct bmp *bmp;
static struct straw straw, straw2;
static char text[65536];

#define HEARD(expected) ck_assert_str_eq(straw_text(&straw, text, sizeof(text)), expected)

static struct bmp_station_config station(unsigned views)
{
	return (struct bmp_station_config){.name = "straw",
		.views = views,
		.retry_sec = BMP_RETRY_SEC,
		.queue_octets = BMP_QUEUE_OCTETS};
}

/* Until nothing is due. */
static void turn(void)
{
	raw_drain(&raw);
	for (int i = 0; i < 10000 && bmp_deadline(bmp) <= raw.now; i++) {
		struct bmp_station *st = NULL;
		bmp_run(bmp, raw.now, WALL_US + 1000 * raw.now);
		while ((st = bmp_next(bmp, st)))
			if (bmp_wants(st, raw.now) == BMP_CONNECT || bmp_wants(st, raw.now) == BMP_CLOSE)
				return;
	}
}

static void connect_straw(struct straw *w)
{
	ck_assert_int_eq(bmp_wants(w->st, raw.now), BMP_CONNECT);
	bmp_connecting(w->st);
	ck_assert_int_eq(bmp_wants(w->st, raw.now), BMP_REST);
	bmp_connected(w->st, raw.now);
	turn();
}

static void begin(unsigned views)
{
	struct bmp_station_config c = station(views);

	raw_start(&raw);
	bmp = bmp_new(raw.s, "quelld 1.0", "rs1");
	bmp_run(bmp, raw.now, WALL_US + 1000 * raw.now);
	straw = (struct straw){.st = bmp_add(bmp, &c, raw.now)};
}

static void end(void)
{
	bmp_free(bmp);
	raw_stop(&raw);
	free(straw.in);
	free(straw2.in);
	straw2 = (struct straw){0};
}

static void establish(bool gr)
{
	struct bgp_open o = raw_open();

	if (gr) {
		o.gr = true;
		o.gr_restart_sec = 120;
		o.gr_family_count = 1;
		o.gr_families[0] = (struct open_gr_family){{AFI_L2VPN, SAFI_EVPN}, true};
	}
	raw_establish(&raw, &o);
	turn();
}

static void rx_eor(void)
{
	uint8_t buf[64];

	raw_rx(&raw, buf, update_eor(buf, sizeof(buf), &test_family));
	turn();
}

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

static void connection_fails(void)
{
	conn_lost(raw.c, CONN_FAILED, raw.now);
	raw.c = NULL;
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

#define ORIGIN "40 01 01 00"
#define NO_AS "40 02 00"
#define PREF "40 05 04 00000064"
#define REACH(nlris_len, nlris) "80 0e" nlris_len "0019 46 04 c0000202 00" nlris

/* The body of an UPDATE by its attributes, with header and lengths. */
static void rx_attrs(const char *hex)
{
	struct octets a = octets_of(hex);
	uint8_t buf[BGP_MSG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t mark = bgp_msg_begin(&w, BGP_UPDATE);

	writer_u16(&w, 0);
	writer_u16(&w, (uint16_t)a.len);
	writer_bytes(&w, a.p, a.len);
	bgp_msg_finish(&w, mark);
	raw_rx(&raw, buf, writer_len(&w));
	free(a.p);
	turn();
}

/* RFC 7606 is our business, not the station's: it hears what became of the routes. Route 1 was there before. */
static const struct {
	const char *name, *attrs, *heard;
} odd[] = {
	{"in order", ORIGIN NO_AS PREF REACH("11", "f0 02 01 05 f0 02 02 05"), "+1,+2"},
	{"treat as withdraw", "40 01 01 07" NO_AS PREF REACH("11", "f0 02 01 05 f0 02 02 05"), "-1,-2"},
	{"attribute discarded", ORIGIN NO_AS PREF "40 06 01 00" REACH("0d", "f0 02 01 05"), "+1"},
	{"our AS in the path", ORIGIN "40 02 06 02 01 0000fde8" PREF REACH("0d", "f0 02 01 05"), "-1"},
	{"our identifier as originator", ORIGIN NO_AS PREF "80 09 04 c0000201" REACH("0d", "f0 02 01 05"),
		"-1"},
	{"one route bad, with a key", ORIGIN NO_AS PREF REACH("11", "f0 02 02 05 fd 02 01 05"), "+2,-1"},
	{"one route bad, without", ORIGIN NO_AS PREF REACH("11", "f0 02 02 05 fe 02 01 05"), "+2"},
	{"a family nobody asked for", ORIGIN NO_AS PREF "80 0e 0e 0001 01 04 c0000202 00 20 0a000001", ""},
	{"withdrawn", "80 0f 07 0019 46 f0 02 01 00", "-1"},
	{"withdrawn, bad", "80 0f 0b 0019 46 fe 02 01 00 f0 02 01 00", "-1"},
	{"withdrawn and announced", ORIGIN NO_AS PREF REACH("0d", "f0 02 01 05") "80 0f 07 0019 46 f0 02 01 00",
		"-1,+1"},
};

START_TEST(odd_updates)
{
	begin(BMP_PRE);
	connect_straw(&straw);
	establish(true);
	raw_rx_routes(&raw, 1, 1, 1);
	turn();
	straw_text(&straw, text, sizeof(text));
	rx_attrs(odd[_i].attrs);
	straw_text(&straw, text, sizeof(text));
	for (char *p = text; *p; p++)
		if (*p == ' ')
			*p = ',';
	ck_assert_msg(strcmp(text, odd[_i].heard) == 0, "%s: %s", odd[_i].name, text);
	end();
}
END_TEST

/* Without LOCAL_PREF, with communities that do not leave an AS: the dump says what came, nothing added. */
START_TEST(attributes_in_the_dump)
{
	struct bgp_open o = raw_open();
	struct neighbor_config n = raw_neighbor();
	struct speaker_config c = raw_speaker();
	struct straw_msg m;
	struct update u;

	n.remote_as = 65001;
	raw_start_with(&raw, &c, &n);
	bmp = bmp_new(raw.s, "", "");
	struct bmp_station_config sc = station(BMP_PRE);
	straw = (struct straw){.st = bmp_add(bmp, &sc, raw.now)};
	o.as = 65001;
	o.as4 = false;
	raw_establish(&raw, &o);
	rx_attrs("40 01 01 00 40 02 04 02 01 fde9 c0 10 08 4003000000000001" REACH("0d", "f0 02 01 05"));
	connect_straw(&straw);
	straw_read(&straw, SIZE_MAX);
	for (int i = 0; i < 3; i++)
		ck_assert(straw_next(&straw, &m));
	ck_assert_uint_eq(m.flags, 0x20); /* A: as the peer wrote it */
	ck_assert_uint_eq(m.as, 65001);
	u = straw_update(&m);
	ck_assert(!attrs_has(&u.attrs, ATTR_LOCAL_PREF));
	ck_assert_uint_eq(u.attrs.ext_communities.len, 8);
	ck_assert_uint_eq(attr_as_path_first(&u.attrs), 65001);
	end();
}
END_TEST

START_TEST(ipv6_peer)
{
	struct ip local = {6, {0xfe, 0x80, [15] = 1}}, remote = {6, {0xfe, 0x80, [15] = 2}};
	struct neighbor_config n = raw_neighbor();
	struct speaker_config c = raw_speaker();
	struct bgp_open o = raw_open();
	struct straw_msg m;

	n.address = remote;
	raw = (struct raw){.now = 5000, .window = SIZE_MAX};
	siphash_process_key_fix(3, 4);
	raw.s = speaker_new(&c, raw.now);
	ck_assert_int_eq(speaker_add_neighbor(raw.s, &n, raw.now, &raw.n), 0);
	bmp = bmp_new(raw.s, "", "");
	struct bmp_station_config sc = station(BMP_PRE);
	straw = (struct straw){.st = bmp_add(bmp, &sc, raw.now)};
	raw.c = speaker_accept(raw.s, remote, local, raw.now);
	raw_drain(&raw);
	raw_establish(&raw, &o);
	connect_straw(&straw);
	straw_read(&straw, SIZE_MAX);
	ck_assert(straw_next(&straw, &m));
	ck_assert(straw_next(&straw, &m));
	ck_assert_uint_eq(m.flags, 0x80);
	ck_assert(ip_eq(m.peer, remote));
	ck_assert(ip_eq(straw_ip(&m.body, true), local));
	end();
}
END_TEST

/* --- the connection --- */

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

/* RFC 7911: the station knows from the OPENs that there are path identifiers. */
START_TEST(path_identifiers)
{
	struct neighbor_config n = raw_neighbor();
	struct speaker_config c = raw_speaker();
	struct bmp_station_config sc = station(BMP_PRE | BMP_POST);
	struct bgp_open o = raw_open();

	n.add_path = ADD_PATH_RECEIVE;
	raw_start_with(&raw, &c, &n);
	bmp = bmp_new(raw.s, "", "");
	straw = (struct straw){.st = bmp_add(bmp, &sc, raw.now)};
	o.add_path[0] = (struct open_add_path){{AFI_L2VPN, SAFI_EVPN}, 2};
	o.add_path_count = 1;
	raw_establish(&raw, &o);
	straw_add_path = true;
	rx_attrs(ORIGIN NO_AS PREF REACH("19", "00000007 f0 02 01 05 00000008 f0 02 01 06"));
	connect_straw(&straw);
	straw_text(&straw, text, sizeof(text));
	ck_assert_msg(strcmp(text, "INIT UP +1#7,+1#8 +1#7,+1#8L EOR EORL") == 0 ||
			      strcmp(text, "INIT UP +1#8,+1#7 +1#8,+1#7L EOR EORL") == 0,
		"%s", text);
	rx_attrs("80 0f 0b 0019 46 00000008 f0 02 01 00");
	HEARD("-1#8 -1#8L");
	/* With an error in it, it is made anew. */
	rx_attrs("40 01 01 07" NO_AS PREF REACH("11", "00000007 f0 02 01 05"));
	HEARD("-1#7 -1#7L");
	straw_add_path = false;
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

CHECK_MAIN("bmp", tcase_add_test(t, as_it_happens); tcase_add_test(t, octets_as_they_came);
	   tcase_add_test(t, dump); tcase_add_test(t, dump_and_live);
	   tcase_add_loop_test(t, down, 0, ROWS_OF(downs)); tcase_add_test(t, restarting_peer);
	   tcase_add_test(t, refresh); tcase_add_loop_test(t, odd_updates, 0, ROWS_OF(odd));
	   tcase_add_test(t, attributes_in_the_dump); tcase_add_test(t, ipv6_peer);
	   tcase_add_test(t, back_off); tcase_add_test(t, queue_full); tcase_add_test(t, dump_waits);
	   tcase_add_test(t, dump_hangs); tcase_add_test(t, a_full_message_in_the_dump);
	   tcase_add_test(t, termination); tcase_add_test(t, stats); tcase_add_test(t, views);
	   tcase_add_test(t, path_identifiers);
	   tcase_add_test(t, nobody_looks_on);)
