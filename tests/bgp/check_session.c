/* A session from the peer's side: what is answered to which message, in which order octets leave,
 * timers. */
#include "bgp/txq.h"
#include "tests/bgp/raw.h"

static struct raw raw;
static char text[4096];

static void teardown(void)
{
	raw_stop(&raw);
}

#define GOT(expected) ck_assert_str_eq(raw_text(&raw, text, sizeof(text)), expected)

START_TEST(our_open)
{
	struct raw_msg m;
	struct bgp_open o;
	struct bgp_error err;
	size_t at = 0;

	raw_start(&raw);
	ck_assert(raw_next(&raw, &at, &m));
	ck_assert_int_eq(m.type, BGP_OPEN);
	ck_assert_int_eq(open_decode(m.body, m.len, &o, &err), 0);
	ck_assert_uint_eq(o.as, 65000);
	ck_assert_uint_eq(o.bgp_id, RAW_LOCAL);
	ck_assert_uint_eq(o.hold_sec, 90);
	ck_assert(o.as4 && o.route_refresh && o.enhanced_refresh && o.extended_message);
	ck_assert(o.gr && o.gr_notification && o.gr_restart_sec == 120);
	ck_assert_uint_eq(o.gr_family_count, 1);
	ck_assert(o.gr_families[0].forwarding);
	ck_assert_uint_eq(o.family_count, 1);
}
END_TEST

/* --- the peer's OPEN --- */

static void as_wrong(struct bgp_open *o)
{
	o->as = 65001;
}
static void as_zero(struct bgp_open *o)
{
	o->as = 0;
}
static void as_4_octets(struct bgp_open *o)
{
	o->as = 4200000000;
}
static void id_zero(struct bgp_open *o)
{
	o->bgp_id = 0;
}
static void id_ours(struct bgp_open *o)
{
	o->bgp_id = RAW_LOCAL;
}
static void hold_1(struct bgp_open *o)
{
	o->hold_sec = 1;
}
static void hold_2(struct bgp_open *o)
{
	o->hold_sec = 2;
}
static void hold_3(struct bgp_open *o)
{
	o->hold_sec = 3;
}
static void hold_0(struct bgp_open *o)
{
	o->hold_sec = 0;
}
static void no_capabilities(struct bgp_open *o)
{
	o->family_count = 0;
	o->as4 = false;
}
static void other_family(struct bgp_open *o)
{
	o->families[0] = (struct bgp_afi_safi){1, 1};
}
static void nothing_but_the_family(struct bgp_open *o)
{
	o->as4 = o->route_refresh = o->enhanced_refresh = false;
}

static const struct {
	void (*edit)(struct bgp_open *o);
	const char *answer;
	int hold_sec; /* agreed */
} opens[] = {
	{NULL, "KEEPALIVE", 90},
	{as_wrong, "2/2", 0},
	{as_zero, "2/2", 0},
	{as_4_octets, "2/2", 0},
	{id_zero, "2/3", 0},
	{id_ours, "2/3", 0},
	{hold_1, "2/6", 0},
	{hold_2, "2/6", 0},
	{hold_3, "KEEPALIVE", 3},
	{hold_0, "KEEPALIVE", 0},
	{no_capabilities, "2/7", 0},
	{other_family, "2/7", 0},
	{nothing_but_the_family, "KEEPALIVE", 90},
};

START_TEST(their_open)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	raw_forget(&raw);
	if (opens[_i].edit)
		opens[_i].edit(&o);
	raw_rx_open(&raw, &o);
	GOT(opens[_i].answer);
	bool accepted = strcmp(opens[_i].answer, "KEEPALIVE") == 0;
	ck_assert_int_eq(raw.c != NULL, accepted);
	if (!accepted)
		return;
	raw_rx_keepalive(&raw);
	ck_assert_str_eq(raw_view(&raw).state, "Established");
	ck_assert_int_eq(raw_view(&raw).hold_sec, opens[_i].hold_sec);
}
END_TEST

/* RFC 5492 section 5: the capability that is wanted is in the data. */
START_TEST(family_wanted)
{
	struct bgp_open o = raw_open();
	struct raw_msg m;
	struct bgp_error err;
	size_t at = 0;

	raw_start(&raw);
	raw_forget(&raw);
	other_family(&o);
	raw_rx_open(&raw, &o);
	ck_assert(raw_next(&raw, &at, &m));
	ck_assert_int_eq(notification_decode(m.body, m.len, &err), 0);
	static const uint8_t want[] = {1, 4, 0, 25, 0, 70};
	ck_assert_uint_eq(err.data_len, sizeof(want));
	ck_assert_int_eq(memcmp(err.data, want, sizeof(want)), 0);
}
END_TEST

/* --- wrong messages --- */

#define MARKER "ffffffff ffffffff ffffffff ffffffff"

static const struct {
	const char *hex;
	const char *answer[3]; /* OpenSent, OpenConfirm, Established */
} wrong[] = {
	{MARKER "0013 04", {"5/1", NULL, ""}}, {MARKER "0017 02 0000 0000", {"5/1", "5/2", NULL}},
	{MARKER "0017 05 0019 00 46", {"5/1", "5/2", NULL}},
	{MARKER "001d 01 04 fde8 005a c0000202 00", {NULL, "5/2", "5/3"}},
	{"ffffffff ffffffff ffffffff fffffffe 0013 04", {"1/1", "1/1", "1/1"}},
	{MARKER "0012 04", {"1/2", "1/2", "1/2"}},
	{MARKER "1001 02", {"1/2", "", ""}}, /* ours says that we read long ones (RFC 8654) */
	{MARKER "1001 01", {"1/2", "1/2", "1/2"}}, {MARKER "0014 04 00", {"1/2", "1/2", "1/2"}},
	{MARKER "0013 09", {"1/3", "1/3", "1/3"}},
	{MARKER "001d 01 03 fde8 005a c0000202 00", {"2/1", NULL, NULL}},
	{MARKER "0018 05 0019 01 46 00", {NULL, NULL, "7/1"}},
	{MARKER "0017 02 ffff 0000", {NULL, NULL, "3/1"}},
	{MARKER "0015 03 0602", {"", "", ""}}, /* no answer to a NOTIFICATION */
};

START_TEST(wrong_messages)
{
	for (int state = 0; state < 3; state++) {
		if (!wrong[_i].answer[state])
			continue;
		raw_start(&raw);
		struct bgp_open o = raw_open();
		if (state > 0)
			raw_rx_open(&raw, &o);
		if (state > 1)
			raw_rx_keepalive(&raw);
		raw_forget(&raw);
		raw_rx_hex(&raw, wrong[_i].hex);
		GOT(wrong[_i].answer[state]);
		if (wrong[_i].answer[state][0])
			ck_assert_ptr_null(raw.c);
		if (state < 2)
			raw_stop(&raw);
	}
	if (!wrong[_i].answer[2])
		raw_start(&raw);
}
END_TEST

/* The same stream, cut in two at every octet. */
START_TEST(cut_anywhere)
{
	uint8_t bytes[400];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct bgp_open o = raw_open();

	open_encode(&w, &o);
	keepalive_encode(&w);
	size_t len = writer_len(&w);
	len += raw_update(bytes + len, sizeof(bytes) - len, 1, 9, 7, false, 0);
	len += raw_update(bytes + len, sizeof(bytes) - len, 4, 4, 7, true, 0);
	for (size_t cut = 0; cut <= len; cut++) {
		raw_start(&raw);
		raw_rx(&raw, bytes, cut);
		raw_rx(&raw, bytes + cut, len - cut);
		ck_assert_str_eq(raw_view(&raw).state, "Established");
		ck_assert_uint_eq(raw_view(&raw).routes_in, 8);
		if (cut < len)
			raw_stop(&raw);
	}
}
END_TEST

/* --- routes --- */

START_TEST(end_of_rib_without_graceful_restart)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	raw_originate(&raw, 7, 1);
	raw_establish(&raw, &o);
	GOT("OPEN KEEPALIVE +7 EOR");
	raw_forget(&raw);
	raw_originate(&raw, 8, 1);
	GOT("+8");
}
END_TEST

START_TEST(bad_nlris)
{
	struct bgp_open o = raw_open();
	struct speaker_stats st;

	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 3, 1);
	raw_forget(&raw);
	/* 1 again, one to be discarded, one malformed with a key, then a new one. */
	raw_rx_hex(&raw, MARKER "003f 02 0000 0028"
				"800e17 0019 46 04 c0000202 00 f00201 02 fe0101 fd0102 f00204 01"
				"400101 00 400200 400504 00000064");
	ck_assert_str_eq(raw_view(&raw).state, "Established");
	ck_assert_uint_eq(raw_view(&raw).nlri_discard, 1);
	ck_assert_uint_eq(raw_view(&raw).nlri_withdraw, 1);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 4);
	GOT("");
	/* One that overruns its field: the session ends, and the routes with it. */
	raw_rx_hex(&raw, MARKER "0034 02 0000 001d"
				"800e0c 0019 46 04 c0000202 00 f00901"
				"400101 00 400200 400504 00000064");
	GOT("3/9");
	raw_wait(&raw, 1000);
	speaker_stats(raw.s, &st);
	ck_assert_uint_eq(st.paths, 0);
}
END_TEST

START_TEST(refresh_out)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	o.enhanced_refresh = _i;
	raw_originate(&raw, 7, 1);
	raw_originate(&raw, 8, 1);
	raw_establish(&raw, &o);
	raw_forget(&raw);
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_REQUEST);
	GOT(_i ? "BORR +7,+8 EORR" : "+7,+8");
	raw_forget(&raw);
	raw_rx_refresh(&raw, AFI_IPV4, REFRESH_REQUEST);
	raw_rx_refresh(&raw, AFI_L2VPN, 77);
	GOT("");
	ck_assert_str_eq(raw_view(&raw).state, "Established");
}
END_TEST

START_TEST(refresh_in)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 5, 1);
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_BORR);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, 0);
	raw_rx_routes(&raw, 1, 3, 1);
	raw_rx_withdraw(&raw, 3, 3);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 4);
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_EORR);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 2);
	/* One without its beginning changes nothing. */
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_EORR);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 2);
}
END_TEST

static void raw_rx_end_of_rib(void)
{
	uint8_t buf[64];

	raw_rx(&raw, buf, update_eor(buf, sizeof(buf), &test_family));
}

/* RFC 7313 section 4: a refresh of a peer with graceful restart begins behind its End-of-RIB. */
/* RFC 7313 section 4: each BoRR makes all stale. */
START_TEST(refresh_begins_anew)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 5, 1);
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_BORR);
	raw_rx_routes(&raw, 1, 3, 1);
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_BORR);
	raw_rx_routes(&raw, 3, 4, 1);
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_EORR);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 2);
	/* As often as one likes, but what is stale must not look fresh when generations repeat. */
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_BORR);
	for (int i = 0; i < 255; i++)
		raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_BORR);
	raw_rx_routes(&raw, 3, 3, 1);
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_EORR);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 1);
}
END_TEST

START_TEST(borr_before_end_of_rib)
{
	struct bgp_open o = raw_open();

	o.gr = true;
	o.gr_restart_sec = 120;
	o.gr_families[o.gr_family_count++] = (struct open_gr_family){o.families[0], true};
	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 3, 1);
	for (unsigned seen = 0; seen < 2; seen++) {
		raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_BORR);
		raw_rx_routes(&raw, 1, 1, 1);
		raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_EORR);
		ck_assert_uint_eq(raw_view(&raw).routes_in, seen ? 1 : 3);
		raw_rx_end_of_rib();
	}
}
END_TEST

/* And ours behind ours, though it may be held back for long. */
START_TEST(request_before_end_of_rib)
{
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();
	struct bgp_open o = raw_open();

	c.wait_local = true;
	o.enhanced_refresh = _i;
	raw_start_with(&raw, &c, &n);
	raw_originate(&raw, 7, 1);
	raw_establish(&raw, &o);
	raw_forget(&raw);
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_REQUEST);
	raw_rx_refresh(&raw, AFI_L2VPN, REFRESH_REQUEST);
	GOT(_i ? "" : "+7 +7");
	raw_forget(&raw);
	speaker_local_done(raw.s, raw.now);
	raw_drain(&raw);
	GOT(_i ? "EOR BORR +7 EORR" : "EOR");
}
END_TEST

/* --- what leaves when --- */

/* KEEPALIVE and NOTIFICATION do not wait behind UPDATEs, and do not cut one in two. */
START_TEST(control_goes_first)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_forget(&raw);
	raw.window = 30; /* the peer's buffer is full in the middle of an UPDATE */
	raw_originate(&raw, 1, 1);
	raw_originate(&raw, 2, 2);
	raw_originate(&raw, 3, 3);
	ck_assert_uint_eq(raw.out_len, 30);
	for (int i = 0; i < 5; i++) {
		raw_wait(&raw, 25000);
		raw_rx_keepalive(&raw);
	}
	raw.window = SIZE_MAX;
	raw_drain(&raw);
	if (_i == 0) {
		/* Only one KEEPALIVE, though many were due. */
		GOT("+1 KEEPALIVE +2 +3");
		return;
	}
	raw_forget(&raw);
	raw.window = 30;
	raw_originate(&raw, 4, 1);
	raw_originate(&raw, 5, 1);
	speaker_shutdown(raw.s, NULL, raw.now);
	raw.window = SIZE_MAX;
	raw_drain(&raw);
	GOT("+4 6/2");
}
END_TEST

START_TEST(hold_timer)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	/* OpenSent has its own, long one. */
	raw_forget(&raw);
	raw_wait(&raw, 239000);
	GOT("");
	raw_wait(&raw, 2000);
	GOT("4/0");
	raw_stop(&raw);

	raw_start(&raw);
	raw_establish(&raw, &o);
	for (int i = 0; i < 5; i++) {
		raw_wait(&raw, 80000);
		raw_rx_keepalive(&raw);
	}
	ck_assert_str_eq(raw_view(&raw).state, "Established");
	raw_forget(&raw);
	raw_wait(&raw, 89000);
	ck_assert_str_eq(raw_view(&raw).state, "Established");
	raw_wait(&raw, 2000);
	raw_text(&raw, text, sizeof(text));
	ck_assert_str_eq(text + strlen(text) - 3, "4/0");
}
END_TEST

/* Not more than one a second (RFC 4271 section 4.4), with the shortest hold time too. */
START_TEST(keepalives_are_few)
{
	struct bgp_open o = raw_open();
	struct raw_msg m;
	size_t at = 0;
	int count = 0;

	o.hold_sec = 3;
	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_forget(&raw);
	for (int i = 0; i < 60; i++) {
		raw_wait(&raw, 1000);
		raw_rx_keepalive(&raw);
	}
	while (raw_next(&raw, &at, &m))
		count += m.type == BGP_KEEPALIVE;
	ck_assert_int_ge(count, 30);
	ck_assert_int_le(count, 60);
}
END_TEST

START_TEST(no_hold_timer)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	o.hold_sec = 0;
	raw_establish(&raw, &o);
	raw_forget(&raw);
	raw_wait(&raw, 100000000);
	GOT("");
	ck_assert_str_eq(raw_view(&raw).state, "Established");
}
END_TEST

/* RFC 9687: a peer that is alive but takes nothing. */
START_TEST(send_hold_timer)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	raw_establish(&raw, &o);
	raw.window = 0;
	raw_originate(&raw, 1, 1);
	for (int i = 0; i < 47; i++) {
		raw_wait(&raw, 10000);
		raw_rx_keepalive(&raw);
	}
	ck_assert_str_eq(raw_view(&raw).state, "Established");
	raw_wait(&raw, 11000);
	ck_assert_str_ne(raw_view(&raw).state, "Established");
	ck_assert_ptr_nonnull(strstr(raw_view(&raw).last_error, "8/0"));
}
END_TEST

/* What a thread has taken to send waits for the peer as well: it is a fault when nothing of it goes, and none when it
 * goes slowly. */
START_TEST(send_hold_timer_of_what_is_taken)
{
	struct bgp_open o = raw_open();
	const uint8_t *p;
	size_t len;

	raw_start(&raw);
	o.hold_sec = 0; /* so there is no KEEPALIVE that would wait */
	raw_establish(&raw, &o);
	raw.window = 0;
	raw_originate(&raw, 1, 1);
	struct txbuf *b = conn_take(raw.c, &p, &len, raw.now);
	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq(conn_tx(raw.c, &p, raw.now), 0);
	for (int i = 0; i < 10; i++) {
		raw_wait(&raw, 400000);
		conn_taken_sent(raw.c, 5, raw.now);
		len -= 5;
	}
	ck_assert_str_eq(raw_view(&raw).state, "Established");
	if (_i) {
		conn_taken_sent(raw.c, len, raw.now);
		raw_wait(&raw, 1000000);
		ck_assert_str_eq(raw_view(&raw).state, "Established");
	} else {
		raw_wait(&raw, 481000);
		ck_assert_str_ne(raw_view(&raw).state, "Established");
		ck_assert_ptr_nonnull(strstr(raw_view(&raw).last_error, "8/0"));
	}
	txbuf_unref(b);
}
END_TEST

/* RFC 8654: whoever heard our OPEN may send long messages, though it cannot read any itself. */
START_TEST(extended_messages)
{
	static uint8_t buf[BGP_MSG_EXTENDED_MAX];
	struct bgp_open o = raw_open();

	o.extended_message = _i;
	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_forget(&raw);
	size_t len = raw_update(buf, sizeof(buf), 1, 1, 1, false, 20000);
	ck_assert_uint_gt(len, 20000);
	raw_rx(&raw, buf, len);
	GOT("");
	ck_assert_uint_eq(raw_view(&raw).routes_in, 1);
}
END_TEST

/* A second caller with the same address replaces one that has not said a word, and is refused by
 * one that has. */
START_TEST(more_calls)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	struct conn *second = raw_call(&raw, RAW_PEER);
	ck_assert_ptr_nonnull(second);
	struct conn *third = raw_call(&raw, RAW_PEER);
	ck_assert_ptr_nonnull(third);
	struct conn *was = raw.c;
	raw_drain(&raw); /* the second has been closed */
	ck_assert_ptr_eq(raw.c, was);
	raw_establish(&raw, &o);
	ck_assert_ptr_nonnull(raw.c);
	/* Without graceful restart a newcomer loses against an established session. */
	struct conn *fourth = raw_call(&raw, RAW_PEER);
	ck_assert_ptr_nonnull(fourth);
	raw.c = fourth;
	raw_forget(&raw);
	raw_rx_open(&raw, &o);
	GOT("OPEN 6/7");
	ck_assert_ptr_null(raw.c);
	ck_assert_str_eq(raw_view(&raw).state, "Established");
	raw.c = was;
	raw_rx_keepalive(&raw);
	ck_assert_ptr_eq(raw.c, was);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("session");
	TCase *t = tcase_create("session");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, our_open);
	tcase_add_loop_test(t, their_open, 0, sizeof(opens) / sizeof(*opens));
	tcase_add_test(t, family_wanted);
	tcase_add_loop_test(t, wrong_messages, 0, sizeof(wrong) / sizeof(*wrong));
	tcase_add_test(t, cut_anywhere);
	tcase_add_test(t, end_of_rib_without_graceful_restart);
	tcase_add_test(t, bad_nlris);
	tcase_add_loop_test(t, refresh_out, 0, 2);
	tcase_add_test(t, refresh_in);
	tcase_add_test(t, refresh_begins_anew);
	tcase_add_test(t, borr_before_end_of_rib);
	tcase_add_loop_test(t, request_before_end_of_rib, 0, 2);
	tcase_add_loop_test(t, control_goes_first, 0, 2);
	tcase_add_test(t, hold_timer);
	tcase_add_test(t, no_hold_timer);
	tcase_add_test(t, keepalives_are_few);
	tcase_add_test(t, send_hold_timer);
	tcase_add_loop_test(t, send_hold_timer_of_what_is_taken, 0, 2);
	tcase_add_loop_test(t, extended_messages, 0, 2);
	tcase_add_test(t, more_calls);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
