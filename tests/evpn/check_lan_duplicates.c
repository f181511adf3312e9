/* MACs that move too often (RFC 7432 section 15.1), and whose claims are believed then. We are 10.99.0.2. */
#include "tests/evpn/one_lan.h"

#define FROZEN "! a duplicate MAC: it moves too often, and is frozen\n"

static void detect(uint32_t moves, uint32_t window, uint32_t recovery, bool freeze)
{
	struct lan_config c = *lan_config(lan);

	c.dup_moves = moves;
	c.dup_window_sec = window;
	c.dup_recovery_sec = recovery;
	c.dup_freeze = freeze;
	lan_change(lan, &c);
}

/* MAC `n` with mobility sequence `seq` at `from`. */
static void moves_to(const char *from, unsigned n, unsigned seq)
{
	char ecoms[17];

	snprintf(ecoms, sizeof(ecoms), "06000000%08x", seq);
	SAYS(ls, from, n, NULL, ecoms);
}

START_TEST(a_duplicate_is_frozen)
{
	detect(3, 180, 0, true);
	lans_run(ls, 1000);
	SAYS(ls, "10.99.0.1", 1);
	moves_to("10.99.0.3", 1, 1);
	moves_to("10.99.0.1", 1, 2);
	said[0] = '\0';
	moves_to("10.99.0.3", 1, 3);
	HAPPENED(FROZEN "mac 1 -> 10.99.0.3 seq 3 duplicate\n");
	moves_to("10.99.0.1", 1, 4);
	moves_to("10.99.0.4", 1, 400);
	add(1, NULL, 0, true);
	add(1, ".1", 0, true);
	HAPPENED("");
	ck_assert_uint_eq(stats().duplicates, 1);
	ck_assert_uint_eq(stats().duplicates_found, 1);
	/* Its own PE may say it anew. */
	moves_to("10.99.0.3", 1, 5);
	HAPPENED("mac 1 -> 10.99.0.3 seq 5 duplicate\n");
	lans_run(ls, 100000000);
	ck_assert_uint_eq(lans_deadline(ls), UINT64_MAX);
	HAPPENED("");
	/* Until the operator acts. */
	ck_assert_int_eq(lan_clear_duplicate(lan, mac_n(2)), -ENOENT);
	ck_assert_int_eq(lan_clear_duplicate(lan, mac_n(1)), 0);
	HAPPENED("mac 1 -> 10.99.0.4 seq 400\n");
	ck_assert_int_eq(lan_clear_duplicate(lan, mac_n(1)), -ENOENT);
	ck_assert_uint_eq(stats().duplicates, 0);
	/* And the counting begins anew. */
	moves_to("10.99.0.1", 1, 401);
	HAPPENED("mac 1 -> 10.99.0.1 seq 401\n");
}
END_TEST

START_TEST(frozen_here)
{
	detect(2, 180, 0, true);
	add(1, NULL, 0, true);
	moves_to("10.99.0.1", 1, 1);
	said[0] = '\0';
	add(1, NULL, 0, true);
	HAPPENED(FROZEN "mac 1 -> here seq 2 duplicate\nsay 2 1 MM:2\n");
	moves_to("10.99.0.1", 1, 3);
	HAPPENED("");
	/* It is no longer behind our ports: to whom has it. */
	lan_local_del(lan, mac_n(1), ip_of(NULL));
	HAPPENED("mac 1 -> 10.99.0.1 seq 3 duplicate\nunsay 2 1\n");
	add(1, NULL, 0, true);
	HAPPENED("");
	/* The operator makes it ours for good. */
	add(1, NULL, LAN_STICKY, true);
	HAPPENED("! another PE claims a MAC that is sticky here\nmac 1 -> here sticky duplicate\n"
		 "say 2 1 MM:0,sticky\n");
}
END_TEST

START_TEST(frozen_and_left)
{
	detect(2, 180, 0, true);
	SAYS(ls, "10.99.0.1", 1);
	moves_to("10.99.0.3", 1, 1);
	moves_to("10.99.0.4", 1, 2);
	said[0] = '\0';
	UNSAYS(ls, "10.99.0.4", 1); /* the next one has it, and keeps it */
	HAPPENED("mac 1 -> 10.99.0.3 seq 1 duplicate\n");
	moves_to("10.99.0.1", 1, 5);
	HAPPENED("");
	UNSAYS(ls, "10.99.0.3", 1);
	HAPPENED("mac 1 -> 10.99.0.1 seq 5 duplicate\n");
	UNSAYS(ls, "10.99.0.1", 1);
	HAPPENED("mac 1 -> gone\n");
	moves_to("10.99.0.9", 1, 0);
	HAPPENED("mac 1 -> 10.99.0.9 duplicate\n");
	moves_to("10.99.0.1", 1, 1);
	HAPPENED("");
}
END_TEST

START_TEST(the_window)
{
	detect(3, 10, 0, true);
	lans_run(ls, 5000);
	SAYS(ls, "10.99.0.1", 1);
	for (unsigned i = 1; i < 20; i++) { /* two in each window */
		lans_run(ls, 5000 + 5000 * i);
		moves_to(i % 2 ? "10.99.0.3" : "10.99.0.1", 1, i);
	}
	ck_assert_uint_eq(stats().duplicates, 0);
	ck_assert_uint_eq(stats().moves, 19);
	said[0] = '\0';
	/* The last book was opened at 100 s. */
	lans_run(ls, 104000);
	moves_to("10.99.0.1", 1, 20);
	lans_run(ls, 109999);
	moves_to("10.99.0.3", 1, 21);
	ck_assert_uint_eq(stats().duplicates, 1);
}
END_TEST

START_TEST(recovery)
{
	detect(2, 180, 540, true);
	lans_run(ls, 1000);
	ck_assert_uint_eq(lans_deadline(ls), UINT64_MAX);
	for (unsigned n = 1; n <= 2; n++) {
		SAYS(ls, "10.99.0.1", n);
		moves_to("10.99.0.3", n, 1);
		lans_run(ls, 1000 * n);
		moves_to("10.99.0.1", n, 2);
		moves_to("10.99.0.3", n, 3); /* not followed */
	}
	ck_assert_uint_eq(stats().duplicates, 2);
	ck_assert_uint_eq(lans_deadline(ls), 541000);
	said[0] = '\0';
	lans_run(ls, 540999);
	HAPPENED("");
	lans_run(ls, 541000);
	HAPPENED("mac 1 -> 10.99.0.3 seq 3\n");
	ck_assert_uint_eq(lans_deadline(ls), 542000);
	detect(0, 0, 0, false); /* nothing more is looked for */
	HAPPENED("mac 2 -> 10.99.0.3 seq 3\n");
	ck_assert_uint_eq(stats().duplicates, 0);
}
END_TEST

START_TEST(alarm_alone)
{
	detect(2, 10, 0, false);
	SAYS(ls, "10.99.0.1", 1);
	moves_to("10.99.0.3", 1, 1);
	said[0] = '\0';
	moves_to("10.99.0.1", 1, 2);
	HAPPENED("! a duplicate MAC: it moves too often\nmac 1 -> 10.99.0.1 seq 2\n");
	moves_to("10.99.0.3", 1, 3);
	HAPPENED("mac 1 -> 10.99.0.3 seq 3\n");
	lans_run(ls, 10000);
	moves_to("10.99.0.1", 1, 4);
	said[0] = '\0';
	moves_to("10.99.0.3", 1, 5); /* it goes on in another window */
	HAPPENED("! a duplicate MAC: it moves too often\nmac 1 -> 10.99.0.3 seq 5\n");
	ck_assert_uint_eq(stats().duplicates_found, 2);
	ck_assert_uint_eq(stats().duplicates, 0);
}
END_TEST

/* What changes a MAC's place without being a move. */
START_TEST(no_moves)
{
	detect(2, 180, 0, true);
	for (int i = 0; i < 10; i++) {
		SAYS(ls, "10.99.0.3", 1);
		SAYS(ls, "10.99.0.1", 1); /* the lower VTEP of two that claim at once */
		UNSAYS(ls, "10.99.0.1", 1);
		SAYS(ls, "10.99.0.3", 1, .stale = true);
		SAYS(ls, "10.99.0.9", 1);
		SAYS(ls, "10.99.0.9", 1, NULL, STICKY);
		UNSAYS(ls, "10.99.0.9", 1);
	}
	ck_assert_uint_eq(stats().duplicates_found, 0);
	ck_assert_uint_ge(stats().moves, 40);
}
END_TEST

START_TEST(a_binding_goes_where_its_frozen_mac_is)
{
	detect(2, 180, 0, true);
	SAYS(ls, "10.99.0.1", 1, ".1");
	SAYS(ls, "10.99.0.3", 1, ".1", MM1);
	said[0] = '\0';
	SAYS(ls, "10.99.0.1", 1, ".1", MM2);
	HAPPENED(FROZEN "mac 1 -> 10.99.0.1 seq 2 duplicate\nbind .1 -> 1 10.99.0.1 seq 2\n");
	SAYS(ls, "10.99.0.3", 1, ".1", "0600000000000003");
	HAPPENED("");
}
END_TEST

static int judge(unsigned n, const char *vtep, bool sticky)
{
	static const struct esi none;

	return lan_judge(lan, mac_n(n), &none, ip_of(vtep), sticky);
}

START_TEST(judges_duplicates)
{
	detect(2, 180, 60, true);
	SAYS(ls, "10.99.0.1", 1);
	SAYS(ls, "10.99.0.1", 2);
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_FINE);
	moves_to("10.99.0.3", 1, 1);
	moves_to("10.99.0.1", 1, 2);
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_DUPLICATE_MAC);
	ck_assert_int_eq(judge(1, "10.99.0.1", false), LAN_FINE);
	ck_assert_int_eq(judge(2, "10.99.0.3", false), LAN_FINE);
	ck_assert_int_eq(judge(7, "10.99.0.3", false), LAN_FINE);
	said[0] = '\0';
	UNSAYS(ls, "10.99.0.3", 1);
	HAPPENED("");
	UNSAYS(ls, "10.99.0.1", 1);
	HAPPENED("mac 1 -> gone\nreconsider\n");
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_FINE);
	moves_to("10.99.0.3", 1, 3);
	ck_assert_int_eq(judge(1, "10.99.0.1", false), LAN_DUPLICATE_MAC);
	said[0] = '\0';
	lans_run(ls, 60000);
	HAPPENED("mac 1 -> 10.99.0.3 seq 3\nreconsider\n");
	ck_assert_int_eq(judge(1, "10.99.0.1", false), LAN_FINE);
}
END_TEST

/* Section 15.2. */
START_TEST(judges_sticky_moves)
{
	SAYS(ls, "10.99.0.1", 1, NULL, STICKY);
	SAYS(ls, "10.99.0.1", 2);
	HAPPENED("mac 1 -> 10.99.0.1 sticky\nmac 2 -> 10.99.0.1\n");
	ck_assert_int_eq(judge(1, "10.99.0.1", true), LAN_FINE);
	ck_assert_int_eq(judge(2, "10.99.0.3", true), LAN_FINE);
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_STICKY_MOVE);
	HAPPENED("! another PE claims a MAC that is sticky behind one\n");
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_STICKY_MOVE);
	HAPPENED(""); /* told once while it lasts */
	SAYS(ls, "10.99.0.1", 1, NULL, STICKY, .stale = true); /* while it is away, another may have it */
	HAPPENED("mac 1 -> 10.99.0.1 sticky stale\n");
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_FINE);
	UNSAYS(ls, "10.99.0.1", 1);
	HAPPENED("mac 1 -> gone\nreconsider\n");
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_FINE);
	add(3, NULL, LAN_STICKY, true);
	said[0] = '\0';
	ck_assert_int_eq(judge(3, "10.99.0.3", true), LAN_STICKY_MOVE);
	HAPPENED("! a MAC is sticky here and behind another PE\n");
	add(3, NULL, 0, true);
	HAPPENED("mac 3 -> here\nreconsider\nsay 2 3\n");
	ck_assert_int_eq(judge(3, "10.99.0.3", true), LAN_FINE);
}
END_TEST

/* Whoever can make moves can make as many as he likes. */
START_TEST(books_have_a_limit)
{
	detect(2, 180, 0, true);
	for (unsigned n = 0; n < 9000; n++) { /* books that stay open */
		SAYS(ls, "10.99.0.1", n);
		moves_to("10.99.0.3", n, 1);
		said[0] = '\0';
	}
	for (unsigned n = 0; n < 9000; n++) {
		moves_to("10.99.0.1", n, 2);
		moves_to("10.99.0.3", n, 3);
		said[0] = '\0';
	}
	ck_assert_uint_eq(stats().duplicates, 8192);
	/* One that all have left gives way. */
	UNSAYS(ls, "10.99.0.1", 0);
	UNSAYS(ls, "10.99.0.3", 0);
	moves_to("10.99.0.1", 8999, 4);
	moves_to("10.99.0.3", 8999, 5);
	ck_assert_uint_eq(stats().duplicates, 8192);
	ck_assert_uint_eq(stats().duplicates_found, 8193);
	lans_run(ls, 1000000);
	for (unsigned n = 0; n < 9000; n++)
		lan_clear_duplicate(lan, mac_n(n));
	ck_assert_uint_eq(stats().duplicates, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/lan_duplicates");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(tc, up, down);
	tcase_add_test(tc, a_duplicate_is_frozen);
	tcase_add_test(tc, frozen_here);
	tcase_add_test(tc, frozen_and_left);
	tcase_add_test(tc, the_window);
	tcase_add_test(tc, recovery);
	tcase_add_test(tc, alarm_alone);
	tcase_add_test(tc, no_moves);
	tcase_add_test(tc, a_binding_goes_where_its_frozen_mac_is);
	tcase_add_test(tc, judges_duplicates);
	tcase_add_test(tc, judges_sticky_moves);
	tcase_add_test(tc, books_have_a_limit);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
