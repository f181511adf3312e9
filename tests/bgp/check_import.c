/* Routes in: loops, which way an UPDATE that says two things of one key is read, and what a
 * session's end does to what it said. */
#include "bgp/engine.h"
#include "tests/bgp/raw.h"

#define MARKER "ffffffffffffffffffffffffffffffff"
/* Key 7 of the test family, next hop 192.0.2.2. */
#define REACH "800e0c 0019 46 04 c0000202 00 02 01 07 "
#define UNREACH "800f06 0019 46 02 01 07 "

static struct raw raw;

static void teardown(void)
{
	raw_stop(&raw);
}

static void rx_update(const char *attrs)
{
	struct octets a = octets_of(attrs);
	uint8_t buf[BGP_MSG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t mark = bgp_msg_begin(&w, BGP_UPDATE);

	writer_u16(&w, 0);
	writer_u16(&w, (uint16_t)a.len);
	writer_bytes(&w, a.p, a.len);
	bgp_msg_finish(&w, mark);
	raw_rx(&raw, buf, writer_len(&w));
	free(a.p);
}

static const struct {
	const char *what, *attrs;
	unsigned routes;
} rows[] = {
	{"sound", REACH "400101 00 400200 400504 00000064", 1},
	{"our AS in the path", REACH "400101 00 40020a 0202 0000fde9 0000fde8 400504 00000064", 0},
	{"our AS in a set", REACH "400101 00 40020a 0102 0000fde9 0000fde8 400504 00000064", 0},
	{"another AS", REACH "400101 00 400206 0201 0000fde9 400504 00000064", 1},
	{"our identifier as ORIGINATOR_ID",
		REACH "400101 00 400200 400504 00000064 800904 c0000201", 0},
	{"another's", REACH "400101 00 400200 400504 00000064 800904 c0000209", 1},
	{"our cluster id", REACH "400101 00 400200 400504 00000064 800a08 c0000209 c0000201", 0},
	{"other cluster ids", REACH "400101 00 400200 400504 00000064 800a08 c0000209 c0000208", 1},
	{"both announced and withdrawn: announced",
		REACH UNREACH "400101 00 400200 400504 00000064", 1},
	{"the other way round", UNREACH REACH "400101 00 400200 400504 00000064", 1},
	{"treated as withdrawn", REACH "400101 09 400200 400504 00000064", 0},
	{"withdrawn", UNREACH, 0},
};

/* Each stands for what the peer said of the key before: what cannot be used takes it away. */
START_TEST(replaces)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	raw_establish(&raw, &o);
	rx_update(rows[0].attrs);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 1);
	rx_update(rows[_i].attrs);
	ck_assert_str_eq(raw_view(&raw).state, "Established");
	ck_assert_msg(raw_view(&raw).routes_in == rows[_i].routes, "%s: %u", rows[_i].what,
		raw_view(&raw).routes_in);
}
END_TEST

/* --- graceful restart ---------------------------------------------------------------------- */

static struct bgp_open graceful(bool notification)
{
	struct bgp_open o = raw_open();

	o.gr = true;
	o.gr_notification = notification;
	o.gr_restart_sec = 120;
	o.gr_families[o.gr_family_count++] = (struct open_gr_family){o.families[0], true};
	return o;
}

static void lose_tcp(void)
{
	conn_lost(raw.c, CONN_CLOSED_BY_PEER, raw.now);
	raw.c = NULL;
	raw_drain(&raw);
}

/* RFC 4724 section 4.2, and 8538 section 4.1 with the N bit: lost twice before its End-of-RIB. */
START_TEST(lost_twice)
{
	struct bgp_open o = graceful(_i);

	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 3, 1);
	raw_wait(&raw, 5000);
	lose_tcp();
	ck_assert_uint_eq(raw_view(&raw).routes_stale, 3);
	raw_wait(&raw, 5000);
	raw.c = raw_call(&raw, RAW_PEER);
	ck_assert_ptr_nonnull(raw.c);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 1, 1);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, 2);
	raw_wait(&raw, 5000);
	lose_tcp();
	ck_assert_uint_eq(raw_view(&raw).routes_stale, _i ? 3 : 1);
	ck_assert_uint_eq(raw_view(&raw).routes_in, _i ? 3 : 1);
}
END_TEST

/* RFC 8538 section 4.1: it may ask for more than it gets, before it is back and after. */
START_TEST(stale_time)
{
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();
	struct bgp_open o = graceful(true);

	n.stale_sec = 60;
	o.hold_sec = 0;
	raw_start_with(&raw, &c, &n);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 3, 1);
	raw_wait(&raw, 5000);
	lose_tcp();
	raw_wait(&raw, 59000);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, 3);
	if (_i) {
		raw.c = raw_call(&raw, RAW_PEER);
		raw_establish(&raw, &o);
		raw_rx_routes(&raw, 1, 1, 1);
		raw_wait(&raw, 59000);
		ck_assert_uint_eq(raw_view(&raw).routes_in, 3);
	}
	raw_wait(&raw, 2000);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, 0);
	ck_assert_uint_eq(raw_view(&raw).routes_in, _i ? 1 : 0);
}
END_TEST

/* RFC 8538 section 4: a hard reset only to who knows what it is. */
START_TEST(hard_reset)
{
	struct bgp_open o = graceful(_i);
	char text[256];

	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_forget(&raw);
	speaker_remove_neighbor(raw.s, raw.n, raw.now);
	raw_drain(&raw);
	ck_assert_str_eq(raw_text(&raw, text, sizeof(text)), _i ? "6/9" : "6/3");
}
END_TEST

/* RFC 4271 section 10. */
START_TEST(jitter)
{
	uint64_t least = 1000, most = 0;

	raw_start(&raw);
	for (int i = 0; i < 10000; i++) {
		uint64_t ms = speaker_jitter(raw.s, 1000);
		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	ck_assert(least >= 750 && least < 760 && most <= 1000 && most > 990);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("import");
	TCase *t = tcase_create("import");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_loop_test(t, replaces, 0, ROWS_OF(rows));
	tcase_add_loop_test(t, lost_twice, 0, 2);
	tcase_add_loop_test(t, stale_time, 0, 2);
	tcase_add_loop_test(t, hard_reset, 0, 2);
	tcase_add_test(t, jitter);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
