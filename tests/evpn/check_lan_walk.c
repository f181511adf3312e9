/* Tables of a LAN walked a part at a time: in parts of any size, the same as at once. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/evpn/one_lan.h"

static bool count_all(void *arg, const struct lan_entry *e)
{
	(void)e;
	++*(int *)arg;
	return true;
}

START_TEST(walks_in_parts)
{
	struct lan_stats at_once, parts;

	for (unsigned i = 1; i < 40; i++) {
		char ip[8];
		snprintf(ip, sizeof(ip), ".%u", i);
		macip_send(ls, (struct says){.from = "10.99.0.1", .mac = i, .ip = ip}, true);
	}
	lan_local_add(lan, mac_n(77), (struct ip){0}, 0, true);
	lan_stats(lan, &at_once);
	ck_assert_uint_eq(at_once.macs_remote, 39);
	for (size_t slots = 1; slots < 300; slots += 7) {
		int macs = 0, bindings = 0;
		size_t at = 0;
		while (lan_walk_macs(lan, &at, slots, count_all, &macs))
			;
		at = 0;
		while (lan_walk_bindings(lan, &at, slots, count_all, &bindings))
			;
		ck_assert_int_eq(macs, 40);
		ck_assert_int_eq(bindings, 39);
		at = 0;
		while (lan_stats_part(lan, &at, slots, &parts))
			;
		ck_assert_int_eq(memcmp(&parts, &at_once, sizeof(parts)), 0);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/lan_walk");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(tc, up, down);
	tcase_add_test(tc, walks_in_parts);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
