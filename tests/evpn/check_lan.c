/* What is behind our own ports, and the LAN as a whole, told in words (see world.h). We are 10.99.0.2. */
#include "tests/evpn/one_lan.h"

/* --- ours --- */

START_TEST(ours_go_out)
{
	ck_assert_int_eq(add(1, NULL, 0, true), 0);
	HAPPENED("mac 1 -> here\nsay 2 1\n");
	ck_assert_int_eq(add(1, ".1", LAN_ROUTER | LAN_OVERRIDE, true), 0);
	HAPPENED("bind .1 -> 1 here\nsay 2 1 .1\n");
	ck_assert_int_eq(add(1, "::1", LAN_ROUTER | LAN_OVERRIDE, true), 0);
	HAPPENED("bind ::1 -> 1 here R O\nsay 2 1 ::1 ND:RO\n");
	ck_assert_int_eq(add(1, "::1", LAN_ROUTER | LAN_OVERRIDE, false), 0);
	HAPPENED("");
	ck_assert_int_eq(add(1, "::1", LAN_OVERRIDE, false), 0);
	HAPPENED("bind ::1 -> 1 here O\nsay 2 1 ::1 ND:O\n");
	ck_assert_int_eq(add(1, ".1", LAN_IMMUTABLE, false), 0);
	HAPPENED("bind .1 -> 1 here I\nsay 2 1 .1 ND:I\n");
	ck_assert_int_eq(lan_local_del(lan, mac_n(1), ip_of(".1")), 0);
	HAPPENED("unsay 2 1 .1\nbind .1 -> gone\n");
	ck_assert_int_eq(lan_local_del(lan, mac_n(1), ip_of(".1")), -ENOENT);
	ck_assert_int_eq(lan_local_del(lan, mac_n(1), (struct ip){0}), 0);
	HAPPENED(""); /* the binding still holds the MAC */
	ck_assert_int_eq(lan_local_del(lan, mac_n(1), ip_of("::1")), 0);
	HAPPENED("unsay 2 1 ::1\nmac 1 -> gone\nunsay 2 1\nbind ::1 -> gone\n");
	ck_assert_uint_eq(stats().macs_local, 0);
}
END_TEST

START_TEST(binding_alone_says_the_mac_too)
{
	add(1, ".1", 0, true);
	HAPPENED("mac 1 -> here\nbind .1 -> 1 here\nsay 2 1 .1\nsay 2 1\n");
	/* The IP is another MAC's now. */
	add(2, ".1", 0, true);
	HAPPENED("unsay 2 1 .1\nmac 1 -> gone\nunsay 2 1\nbind .1 -> gone\n"
		 "mac 2 -> here\nbind .1 -> 2 here\nsay 2 2 .1\nsay 2 2\n");
	ck_assert_int_eq(lan_local_del(lan, mac_n(1), ip_of(".1")), -ENOENT);
	HAPPENED("");
}
END_TEST

START_TEST(ours_are_checked)
{
	ck_assert_int_eq(add(0, NULL, 0, true), 0); /* 02:00:5e:00:00:00 is a host's */
	ck_assert_int_eq(lan_local_add(lan, (struct mac){{0}}, (struct ip){0}, 0, true), -EINVAL);
	ck_assert_int_eq(
		lan_local_add(lan, (struct mac){{1, 2, 3, 4, 5, 6}}, (struct ip){0}, 0, true),
		-EINVAL);
	ck_assert_int_eq(add(1, "0.0.0.0", 0, true), -EINVAL);
	ck_assert_int_eq(add(1, "ff02::1", 0, true), -EINVAL);
	struct lan_config c = world_config();
	c.originates = false;
	snprintf(c.name, sizeof(c.name), "rs");
	ck_assert_int_eq(lans_add(ls, &c, &lan), 0);
	ck_assert_int_eq(add(1, NULL, 0, true), -EINVAL);
	ck_assert_int_eq(lans_add(ls, &c, &lan), -EEXIST);
}
END_TEST

START_TEST(immutable_elsewhere_withholds_ours)
{
	add(1, ".1", 0, true);
	said[0] = '\0';
	SAYS(ls, "10.99.0.1", 2, ".1", ND_I);
	HAPPENED("mac 2 -> 10.99.0.1\n! an immutable binding's IP is claimed by another MAC\n"
		 "bind .1 -> 2 10.99.0.1 I\nunsay 2 1 .1\n");
	UNSAYS(ls, "10.99.0.1", 2, ".1");
	HAPPENED("mac 2 -> gone\nbind .1 -> 1 here\nsay 2 1 .1\n");
	/* Ours, provisioned, does not give way. */
	add(1, ".1", LAN_IMMUTABLE, false);
	said[0] = '\0';
	SAYS(ls, "10.99.0.1", 2, ".1", ND_I);
	HAPPENED("mac 2 -> 10.99.0.1\n! an IP is bound to two MACs, both immutably\n");
}
END_TEST

/* Two dynamic ones: both stay announced, the latest is believed. */
START_TEST(ip_moves_to_another_mac)
{
	add(1, ".1", 0, true);
	said[0] = '\0';
	SAYS(ls, "10.99.0.1", 2, ".1");
	HAPPENED("mac 2 -> 10.99.0.1\n! an IP is bound to two MACs\nbind .1 -> 2 10.99.0.1\n");
	add(1, ".1", 0, true);
	HAPPENED("bind .1 -> 1 here\n");
	UNSAYS(ls, "10.99.0.1", 2, ".1");
	HAPPENED("mac 2 -> gone\n");
}
END_TEST

START_TEST(mark_and_sweep)
{
	add(1, NULL, 0, true);
	add(1, ".1", 0, true);
	add(2, ".2", 0, true);
	add(3, NULL, 0, true);
	said[0] = '\0';
	lan_local_mark(lan);
	add(1, NULL, 0, false);
	add(1, ".1", 0, false);
	HAPPENED("");
	add(4, NULL, 0, false);
	HAPPENED("mac 4 -> here\nsay 2 4\n");
	lan_local_sweep(lan);
	HAPPENED("mac 3 -> gone\nunsay 2 3\nunsay 2 2 .2\nmac 2 -> gone\nunsay 2 2\nbind .2 -> "
		 "gone\n");
	lan_local_sweep(lan);
	HAPPENED("");
	ck_assert_uint_eq(stats().macs_local, 2);
	ck_assert_uint_eq(stats().bindings_local, 1);
}
END_TEST

/* --- the whole --- */

static bool count(void *arg, const struct lan_entry *e)
{
	(void)e;
	return ++*(int *)arg < 2;
}

static bool count_vtep(void *arg, struct ip vtep)
{
	(void)vtep;
	++*(int *)arg;
	return true;
}

START_TEST(walks_and_two_lans)
{
	struct lan_config c = world_config();
	struct lan *second;
	int macs = 0, bindings = 0, vteps = 0;

	snprintf(c.name, sizeof(c.name), "second");
	ck_assert_int_eq(lans_add(ls, &c, &second), 0);
	HAPPENED("say 3 10.99.0.2\n");
	for (unsigned i = 1; i < 9; i++)
		SAYS(ls, "10.99.0.1", i, ".1");
	imet_send(ls, "10.99.0.1", "00 06 000064 0a630001", true);
	ck_assert(lans_next(ls, NULL) == lan && lans_next(ls, lan) == second &&
		  !lans_next(ls, second));
	ck_assert(lans_find(ls, "second") == second && !lans_find(ls, "none"));
	lan_each_mac(second, count, &macs);
	lan_each_binding(second, count, &bindings);
	lan_each_flood(second, count_vtep, &vteps);
	ck_assert_int_eq(macs, 2); /* the callback stopped it */
	ck_assert_int_eq(bindings, 1);
	ck_assert_int_eq(vteps, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/lan");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(tc, up, down);
	tcase_add_test(tc, ours_go_out);
	tcase_add_test(tc, binding_alone_says_the_mac_too);
	tcase_add_test(tc, ours_are_checked);
	tcase_add_test(tc, immutable_elsewhere_withholds_ours);
	tcase_add_test(tc, ip_moves_to_another_mac);
	tcase_add_test(tc, mark_and_sweep);
	tcase_add_test(tc, walks_and_two_lans);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
