/* Tables: what a person sees. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/table.h"
#include "tests/lib/table_text.h"

static const struct table_column columns[] = {{"NAME", false}, {"N", true}, {"LAST", false}};

START_TEST(aligns)
{
	struct table *t = table_new(columns, 3);

	IS(t, false, "nothing\n");
	table_cell(t, "a");
	table_cell_number(t, 12345);
	table_cell(t, "longer than the title");
	table_cell(t, "bbbbbb");
	table_cell_number(t, -1);
	table_cell(t, NULL);
	ck_assert_uint_eq(table_rows(t), 2);
	IS(t, false,
		"NAME        N  LAST\n"
		"a       12345  longer than the title\n"
		"bbbbbb     -1  -\n");
	table_free(t);
}
END_TEST

START_TEST(no_blanks_at_the_end)
{
	struct table *t = table_new(columns, 3);

	table_cell(t, "a");
	table_cell(t, " ");
	table_cell(t, " ");
	table_cell(t, "bbbbbbbbb");
	table_cell(t, " ");
	table_cell(t, "x");
	IS(t, false, "NAME       N  LAST\na\nbbbbbbbbb     x\n");
	table_free(t);
}
END_TEST

START_TEST(colours)
{
	struct table *t = table_new(columns, 3);

	table_cell(t, "a");
	table_paint(t, GOOD);
	table_cell(t, "1");
	table_paint(t, BAD);
	table_cell(t, "z");
	IS(t, true,
		"\033[2mNAME\033[0m  \033[2mN\033[0m  \033[2mLAST\033[0m\n"
		"\033[32ma\033[0m     \033[31m1\033[0m  z\n");
	table_free(t);
}
END_TEST

/* What members call themselves does not reach the terminal raw. */
START_TEST(escapes)
{
	struct table *t = table_new(columns, 3);
	char *longest = calloc(1, 5001);

	table_cell(t, "\033[31mred\n");
	table_cell(t, "\xff");
	table_cell(t, "back\\slash");
	IS(t, false, "NAME                N  LAST\n\\x1b[31mred\\x0a  \\xff  back\\slash\n");
	memset(longest, 1, 5000);
	table_cell(t, longest);
	table_cell(t, "");
	table_cell(t, "");
	char *is = printed(t, false);
	ck_assert(strlen(is) < 8000 && strstr(is, "..."));
	free(is);
	free(longest);
	table_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lib/table");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_test(tc, aligns);
	tcase_add_test(tc, no_blanks_at_the_end);
	tcase_add_test(tc, colours);
	tcase_add_test(tc, escapes);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
