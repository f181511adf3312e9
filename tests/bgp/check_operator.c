/* What an operator does to one session: refresh, reset, shutdown; and hold time 0 by choice. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "bgp/rtc.h"
#include "tests/bgp/raw.h"

static struct raw raw;

static void teardown(void)
{
	raw_stop(&raw);
}

static void up(struct bgp_open o)
{
	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 3, 1);
	raw_forget(&raw);
}

static const char *said(void)
{
	static char text[400];

	raw_drain(&raw);
	return raw_text(&raw, text, sizeof(text));
}

/* The last NOTIFICATION in words. */
static const char *notification(void)
{
	static char text[400];
	struct bgp_error err;
	struct raw_msg m;
	size_t at = 0;

	text[0] = '\0';
	raw_drain(&raw);
	while (raw_next(&raw, &at, &m))
		if (m.type == BGP_NOTIFICATION) {
			ck_assert_int_eq(notification_decode(m.body, m.len, &err), 0);
			notification_format(&err, text, sizeof(text));
		}
	return text;
}

START_TEST(refresh)
{
	up(raw_open());
	ck_assert_int_eq(speaker_refresh(raw.s, raw.n, raw.now), 0);
	ck_assert_str_eq(said(), "REFRESH");
	ck_assert_uint_eq(raw_view(&raw).routes_in, 3);
}
END_TEST

START_TEST(refresh_of_each_family)
{
	const struct bgp_family *const families[] = {&test_family, &rtc_family};
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();
	struct bgp_open o = raw_open();

	c.families = families;
	c.family_count = 2;
	n.rt_constrain = true;
	o.families[o.family_count++] = (struct bgp_afi_safi){AFI_IPV4, SAFI_RT_MEMBERSHIP};
	raw_start_with(&raw, &c, &n);
	raw_establish(&raw, &o);
	raw_forget(&raw);
	ck_assert_int_eq(speaker_refresh(raw.s, raw.n, raw.now), 0);
	ck_assert_str_eq(said(), "REFRESH REFRESH");
}
END_TEST

START_TEST(no_refresh)
{
	struct bgp_open o = raw_open();

	o.route_refresh = o.enhanced_refresh = false;
	raw_start(&raw);
	ck_assert_int_eq(speaker_refresh(raw.s, raw.n, raw.now), -ENOTCONN);
	raw_establish(&raw, &o);
	raw_forget(&raw);
	ck_assert_int_eq(speaker_refresh(raw.s, raw.n, raw.now), -EOPNOTSUPP);
	ck_assert_str_eq(said(), "");
}
END_TEST

START_TEST(reset)
{
	up(raw_open());
	speaker_reset_neighbor(raw.s, raw.n, BGP_CEASE_RESET, "new optics", false, raw.now);
	ck_assert_str_eq(notification(), "6/4 Cease/Administrative Reset: \"new optics\"");
	ck_assert_ptr_null(raw.c);
	/* It is passive: it waits for the next call, and has no back-off. */
	raw.c = raw_call(&raw, RAW_PEER);
	ck_assert_ptr_nonnull(raw.c);
}
END_TEST

static struct bgp_open graceful(void)
{
	struct bgp_open o = raw_open();

	o.gr = o.gr_notification = true;
	o.gr_restart_sec = 120;
	o.gr_family_count = 1;
	o.gr_families[0] = (struct open_gr_family){{AFI_L2VPN, SAFI_EVPN}, true};
	return o;
}

/* RFC 8538 section 5.1: by the operator's choice. */
START_TEST(soft_or_hard)
{
	up(graceful());
	speaker_reset_neighbor(raw.s, raw.n, BGP_CEASE_RESET, "x", _i, raw.now);
	ck_assert_str_eq(
		notification(), _i ? "6/9 Cease/Hard Reset of 6/4 Cease/Administrative Reset: \"x\""
				   : "6/4 Cease/Administrative Reset: \"x\"");
	raw_wait(&raw, 1000);
	ck_assert_uint_eq(raw_view(&raw).routes_in, _i ? 0 : 3);
}
END_TEST

START_TEST(shutdown_and_enable)
{
	up(graceful());
	ck_assert_int_eq(speaker_shutdown_neighbor(raw.s, raw.n, false, NULL, raw.now), -EALREADY);
	ck_assert_int_eq(speaker_shutdown_neighbor(raw.s, raw.n, true, "moving house", raw.now), 0);
	ck_assert_str_eq(notification(),
		"6/9 Cease/Hard Reset of 6/2 Cease/Administrative Shutdown: \"moving house\"");
	raw_wait(&raw, 1000);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 0);
	ck_assert(raw_view(&raw).shutdown);
	ck_assert_str_eq(raw_view(&raw).state, "Idle");
	ck_assert_ptr_null(raw_call(&raw, RAW_PEER));
	raw_wait(&raw, 600000);
	ck_assert_str_eq(raw_view(&raw).state, "Idle");
	ck_assert_int_eq(speaker_shutdown_neighbor(raw.s, raw.n, true, NULL, raw.now), -EALREADY);
	ck_assert_int_eq(speaker_shutdown_neighbor(raw.s, raw.n, false, NULL, raw.now), 0);
	raw.c = raw_call(&raw, RAW_PEER);
	ck_assert_ptr_nonnull(raw.c);
	raw_drain(&raw);
	struct bgp_open o = graceful();
	raw_establish(&raw, &o);
}
END_TEST

START_TEST(not_for_a_dynamic_one)
{
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();
	struct neighbor *range;
	const uint32_t other = 0x0a000005;

	raw_start_with(&raw, &c, &n);
	n.address = (struct ip){0};
	n.prefix = (struct prefix){.ip = ip_v4_u32(0x0a000000), .len = 24};
	n.max_dynamic = 2;
	ck_assert_int_eq(speaker_add_neighbor(raw.s, &n, raw.now, &range), 0);
	ck_assert_ptr_nonnull(raw_call(&raw, other));
	struct neighbor *made = speaker_find_neighbor(raw.s, ip_v4_u32(other), NULL);
	ck_assert_ptr_nonnull(made);
	ck_assert_int_eq(speaker_shutdown_neighbor(raw.s, made, true, NULL, raw.now), -EOPNOTSUPP);
	ck_assert_int_eq(speaker_shutdown_neighbor(raw.s, range, true, NULL, raw.now), -EOPNOTSUPP);
	speaker_reset_neighbor(raw.s, made, BGP_CEASE_RESET, NULL, false, raw.now);
}
END_TEST

START_TEST(hold_time_zero)
{
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();
	struct bgp_open o = raw_open(), ours;
	struct bgp_error err;
	struct raw_msg m;
	size_t at = 0;

	n.no_hold = true;
	raw_start_with(&raw, &c, &n);
	ck_assert(raw_next(&raw, &at, &m));
	ck_assert_int_eq(open_decode(m.body, m.len, &ours, &err), 0);
	ck_assert_uint_eq(ours.hold_sec, 0);
	raw_establish(&raw, &o);
	raw_forget(&raw);
	raw_wait(&raw, 3600000);
	ck_assert_str_eq(raw_view(&raw).state, "Established");
	ck_assert_ptr_null(strstr(said(), "KEEPALIVE"));
}
END_TEST

CHECK_MAIN("operator", tcase_add_checked_fixture(t, NULL, teardown); tcase_add_test(t, refresh);
	   tcase_add_test(t, refresh_of_each_family); tcase_add_test(t, no_refresh);
	   tcase_add_test(t, reset); tcase_add_loop_test(t, soft_or_hard, 0, 2);
	   tcase_add_test(t, shutdown_and_enable); tcase_add_test(t, not_for_a_dynamic_one);
	   tcase_add_test(t, hold_time_zero);)
