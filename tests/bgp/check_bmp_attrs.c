/* What a monitoring station hears of odd attributes, path identifiers and an IPv6 peer. */
#include "tests/bgp/straw_session.h"

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

CHECK_MAIN("bmp_attrs", tcase_add_loop_test(t, odd_updates, 0, ROWS_OF(odd));
	   tcase_add_test(t, attributes_in_the_dump); tcase_add_test(t, ipv6_peer);
	   tcase_add_test(t, path_identifiers);)
