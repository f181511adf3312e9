/* The latest alarms: what is kept, in which order, and what counts as the same. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/quelld_alarms.h"

static struct quelld_alarms alarms;

static void add(const char *what, unsigned mac, uint64_t at_ms)
{
	struct quelld_alarm a = {.lan = "ixp", .what = what, .first_ms = at_ms};

	a.mac.b[4] = (uint8_t)(mac >> 8);
	a.mac.b[5] = (uint8_t)mac;
	quelld_alarms_add(&alarms, &a);
}

START_TEST(the_latest_first)
{
	static const char one[] = "one", two[] = "two";

	ck_assert_ptr_null(quelld_alarms_at(&alarms, 0));
	add(one, 1, 10);
	add(two, 1, 20);
	add(one, 1, 30);
	ck_assert_uint_eq(alarms.total, 3);
	ck_assert_uint_eq(alarms.kept, 2);
	ck_assert_str_eq(quelld_alarms_at(&alarms, 0)->what, "two");
	const struct quelld_alarm *a = quelld_alarms_at(&alarms, 1);
	ck_assert_str_eq(a->what, "one");
	ck_assert_uint_eq(a->count, 2);
	ck_assert_uint_eq(a->first_ms, 10);
	ck_assert_uint_eq(a->last_ms, 30);
	ck_assert_ptr_null(quelld_alarms_at(&alarms, 2));
}
END_TEST

START_TEST(a_bounded_number)
{
	static const char what[] = "what";

	for (unsigned i = 0; i < 3 * ALARMS_KEPT; i++)
		add(what, i, i);
	ck_assert_uint_eq(alarms.kept, ALARMS_KEPT);
	for (unsigned i = 0; i < ALARMS_KEPT; i++)
		ck_assert_uint_eq(quelld_alarms_at(&alarms, i)->first_ms, 3 * ALARMS_KEPT - 1 - i);
	/* One that is too far back begins anew. */
	add(what, 2 * ALARMS_KEPT, 9999);
	ck_assert_uint_eq(quelld_alarms_at(&alarms, 0)->first_ms, 9999);
	ck_assert_uint_eq(quelld_alarms_at(&alarms, 0)->count, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("daemon/alarms");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_test(tc, the_latest_first);
	tcase_add_test(tc, a_bounded_number);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
