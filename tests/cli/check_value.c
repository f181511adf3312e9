/* JSON values for people. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/value.h"
#include "tests/lib/table_text.h"

static const struct {
	const char *json, *text;
} values[] = {
	{"\"text\"", "text"},
	{"42", "42"},
	{"2.5", "2.5"},
	{"true", "yes"},
	{"false", "no"},
	{"null", "-"},
	{"[]", "-"},
	{"[\"a\", \"b\", 3]", "a b 3"},
	{"[[[[[[[[1]]]]]]]]", "-"},
	{"{\"a\": 1}", "..."},
};

START_TEST(cells_of_any_value)
{
	static const struct table_column one[] = {{"V", false}};
	struct table *t = table_new(one, 1);
	json_t *v = json_loads(values[_i].json, JSON_DECODE_ANY, NULL);
	char want[64];

	ck_assert(v);
	value_cell(t, v);
	snprintf(want, sizeof(want), "V\n%s\n", values[_i].text);
	IS(t, false, want);
	json_decref(v);
	table_free(t);
}
END_TEST

static const struct {
	json_int_t s;
	const char *text;
} ages[] = {
	{0, "00:00:00"},
	{59, "00:00:59"},
	{86399, "23:59:59"},
	{86400, "1d00h"},
	{90061 + 3600, "1d02h"},
	{8640000, "100d00h"},
	{-1, "-"},
};

START_TEST(cells_of_ages)
{
	static const struct table_column one[] = {{"V", false}};
	struct table *t = table_new(one, 1);
	json_t *o = json_pack("{s:I}", "age", ages[_i].s);
	char want[64];

	value_cell_age(t, o, "age");
	snprintf(want, sizeof(want), "V\n%s\n", ages[_i].text);
	IS(t, false, want);
	json_decref(o);
	table_free(t);
}
END_TEST

START_TEST(order)
{
	/* Each before the next. */
	static const char *const sorted[] = {"null", "1", "10", "\"9.0.0.0\"", "\"10.0.0.2\"",
		"\"10.0.0.10\"", "\"2001:db8::1\"", "\"abc\"", "\"swp1\""};

	for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++)
		for (size_t j = 0; j < sizeof(sorted) / sizeof(sorted[0]); j++) {
			json_t *a = json_loads(sorted[i], JSON_DECODE_ANY, NULL);
			json_t *b = json_loads(sorted[j], JSON_DECODE_ANY, NULL);
			int d = value_cmp(a, b);
			ck_assert_msg((d < 0) == (i < j) && (d > 0) == (i > j), "%s %s", sorted[i],
				sorted[j]);
			json_decref(a);
			json_decref(b);
		}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cli/value");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, cells_of_any_value, 0, sizeof(values) / sizeof(values[0]));
	tcase_add_loop_test(tc, cells_of_ages, 0, sizeof(ages) / sizeof(ages[0]));
	tcase_add_test(tc, order);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
