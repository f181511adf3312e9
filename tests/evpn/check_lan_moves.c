/* MACs that move between PEs: mobility sequences and sticky ones. We are 10.99.0.2. */
#include "tests/evpn/one_lan.h"

START_TEST(moves_away_and_back)
{
	add(1, NULL, 0, true);
	add(1, ".1", 0, true);
	said[0] = '\0';
	SAYS(ls, "10.99.0.3", 1, NULL, MM1);
	HAPPENED("mac 1 -> 10.99.0.3 seq 1\nbind .1 -> gone\nunsay 2 1 .1\nunsay 2 1\n");
	ck_assert_uint_eq(stats().macs_held, 1);
	SAYS(ls, "10.99.0.3", 1, ".1", MM1);
	HAPPENED("bind .1 -> 1 10.99.0.3 seq 1\n");
	/* Named again without having been seen: remembered. */
	ck_assert_int_eq(add(1, ".1", 0, false), 0);
	HAPPENED("");
	/* Seen here. */
	ck_assert_int_eq(add(1, ".1", 0, true), 0);
	HAPPENED("mac 1 -> here seq 2\nbind .1 -> 1 here seq 2\nsay 2 1 .1 MM:2\nsay 2 1 MM:2\n");
	/* The other PE gives way, as FRR does. */
	UNSAYS(ls, "10.99.0.3", 1);
	UNSAYS(ls, "10.99.0.3", 1, ".1");
	HAPPENED("");
	ck_assert_int_eq(add(1, ".1", 0, true), 0);
	HAPPENED("");
	ck_assert_uint_eq(stats().moves, 2);
}
END_TEST

START_TEST(remembered_goes_out_when_the_other_is_gone)
{
	SAYS(ls, "10.99.0.3", 1, ".1", MM1);
	said[0] = '\0';
	ck_assert_int_eq(add(1, ".1", 0, false), 0);
	HAPPENED("");
	UNSAYS(ls, "10.99.0.3", 1, ".1");
	HAPPENED(
		"mac 1 -> here seq 1\nbind .1 -> 1 here seq 1\nsay 2 1 .1 MM:1\nsay 2 1 MM:1\n"); /* no gap */
}
END_TEST

/* The same sequence: the lower VTEP stands (RFC 7432 section 15). */
START_TEST(same_sequence)
{
	add(1, NULL, 0, true);
	said[0] = '\0';
	SAYS(ls, "10.99.0.3", 1);
	HAPPENED("");
	SAYS(ls, "10.99.0.1", 1);
	HAPPENED("mac 1 -> 10.99.0.1\nunsay 2 1\n");
	UNSAYS(ls, "10.99.0.1", 1); /* .3 is still there, and we only remember */
	HAPPENED("mac 1 -> 10.99.0.3\n");
	UNSAYS(ls, "10.99.0.3", 1);
	HAPPENED("mac 1 -> here\nsay 2 1\n");
}
END_TEST

START_TEST(first_seen_here_though_remote)
{
	SAYS(ls, "10.99.0.1", 1);
	said[0] = '\0';
	ck_assert_int_eq(add(1, NULL, 0, true), 0);
	HAPPENED("mac 1 -> here seq 1\nsay 2 1 MM:1\n");
}
END_TEST

START_TEST(sticky_elsewhere)
{
	SAYS(ls, "10.99.0.3", 1, NULL, STICKY);
	said[0] = '\0';
	ck_assert_int_eq(add(1, NULL, 0, true), -EPERM);
	HAPPENED("! a MAC that is sticky behind another PE is also here\n");
	ck_assert_int_eq(add(1, NULL, 0, true), -EPERM);
	HAPPENED("");
	UNSAYS(ls, "10.99.0.3", 1);
	HAPPENED("mac 1 -> here\nsay 2 1\n");
}
END_TEST

START_TEST(sticky_here)
{
	add(1, NULL, LAN_STICKY, false);
	add(1, ".1", LAN_IMMUTABLE, false);
	HAPPENED("mac 1 -> here sticky\nsay 2 1 MM:0,sticky\nbind .1 -> 1 here I\nsay 2 1 .1 "
		 "MM:0,sticky ND:I\n");
	SAYS(ls, "10.99.0.1", 1, NULL, MM1);
	HAPPENED("! another PE claims a MAC that is sticky here\n");
	SAYS(ls, "10.99.0.1", 1, NULL, STICKY);
	HAPPENED("! a MAC is sticky here and behind another PE\n");
	UNSAYS(ls, "10.99.0.1", 1);
	HAPPENED("");
	/* The operator unties it. */
	ck_assert_int_eq(add(1, NULL, 0, false), 0);
	HAPPENED("mac 1 -> here\nsay 2 1 .1 ND:I\nsay 2 1\n");
}
END_TEST

/* A MAC that is remote and dynamic is taken by a provisioned one at once. */
START_TEST(sticky_takes)
{
	SAYS(ls, "10.99.0.1", 1, ".1", MM2);
	said[0] = '\0';
	ck_assert_int_eq(add(1, NULL, LAN_STICKY, false), 0);
	HAPPENED("! another PE claims a MAC that is sticky here\nmac 1 -> here sticky\nsay 2 1 "
		 "MM:0,sticky\n");
}
END_TEST

#define MM0 "0600000000000000"
#define MM300 "060000000000012c"
#define AT_ITS_END "! a MAC's mobility sequence is at its end\n"

/* RFC 7432 section 15: behind the last sequence is 0, and it is said. */
START_TEST(sequence_wraps)
{
	SAYS(ls, "10.99.0.1", 1, NULL, MM_MAX);
	HAPPENED(AT_ITS_END "mac 1 -> 10.99.0.1 seq 4294967295\n");
	add(1, NULL, 0, true);
	HAPPENED("mac 1 -> here\nsay 2 1 MM:0\n");
	SAYS(ls, "10.99.0.3", 1, NULL, MM1);
	HAPPENED("mac 1 -> 10.99.0.3 seq 1\nunsay 2 1\n");
	UNSAYS(ls, "10.99.0.1", 1); /* as it should, being beaten */
	HAPPENED("");
	add(1, NULL, 0, true);
	HAPPENED("mac 1 -> here seq 2\nsay 2 1 MM:2\n");
}
END_TEST

START_TEST(sequence_wraps_for_others)
{
	SAYS(ls, "10.99.0.1", 1, NULL, MM_MAX);
	SAYS(ls, "10.99.0.3", 1); /* a first claim, as it does not know of the other: not one that came round */
	HAPPENED(AT_ITS_END "mac 1 -> 10.99.0.1 seq 4294967295\n");
	SAYS(ls, "10.99.0.3", 1, NULL, MM0);
	HAPPENED("mac 1 -> 10.99.0.3\n");
	SAYS(ls, "10.99.0.4", 1, NULL, MM300); /* too far from the beginning */
	HAPPENED("");
	SAYS(ls, "10.99.0.4", 1, NULL, MM1);
	HAPPENED("mac 1 -> 10.99.0.4 seq 1\n");
	UNSAYS(ls, "10.99.0.4", 1);
	HAPPENED("mac 1 -> 10.99.0.3\n");
	UNSAYS(ls, "10.99.0.3", 1);
	HAPPENED("mac 1 -> 10.99.0.1 seq 4294967295\n");
	UNSAYS(ls, "10.99.0.1", 1);
	HAPPENED("mac 1 -> gone\n");
	SAYS(ls, "10.99.0.3", 1, NULL, MM0);
	SAYS(ls, "10.99.0.4", 1, NULL, MM1); /* with nothing at the end it is as ever */
	HAPPENED("mac 1 -> 10.99.0.3\nmac 1 -> 10.99.0.4 seq 1\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/lan_moves");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(tc, up, down);
	tcase_add_test(tc, moves_away_and_back);
	tcase_add_test(tc, remembered_goes_out_when_the_other_is_gone);
	tcase_add_test(tc, same_sequence);
	tcase_add_test(tc, first_seen_here_though_remote);
	tcase_add_test(tc, sticky_elsewhere);
	tcase_add_test(tc, sticky_here);
	tcase_add_test(tc, sticky_takes);
	tcase_add_test(tc, sequence_wraps);
	tcase_add_test(tc, sequence_wraps_for_others);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
