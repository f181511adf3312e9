/* JSON written as text, read back by jansson. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/jsontext.h"

START_TEST(test_all)
{
	struct jsontext t = {0};
	json_t *want, *got;

	jsontext_open(&t, NULL, '{');
	jsontext_string(&t, "plain", "text");
	jsontext_string(&t, "odd", "a\"b\\c\n\x01\x7f\xc3\xa9");
	jsontext_number(&t, "zero", 0);
	jsontext_number(&t, "big", 9007199254740993ULL);
	jsontext_bool(&t, "yes", true);
	jsontext_bool(&t, "no", false);
	jsontext_null(&t, "none");
	jsontext_open(&t, "empty", '[');
	jsontext_close(&t, ']');
	jsontext_open(&t, "list", '[');
	jsontext_number(&t, NULL, 1);
	/* In slices: what was written is taken away in the middle. */
	char head[512] = "";
	ck_assert_uint_lt(t.text.len, sizeof(head));
	memcpy(head, t.text.p, t.text.len);
	jsontext_clear(&t);
	jsontext_string(&t, NULL, "");
	jsontext_open(&t, NULL, '{');
	jsontext_close(&t, '}');
	jsontext_close(&t, ']');
	jsontext_close(&t, '}');
	jsontext_raw(&t, "\n");
	strncat(head, t.text.p, t.text.len);
	got = json_loads(head, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(got != NULL, "%s", head);
	want = json_pack("{s:s, s:s, s:i, s:I, s:b, s:b, s:n, s:[], s:[i,s,{}]}", "plain", "text",
		"odd", "a\"b\\c\n\x01\x7f\xc3\xa9", "zero", 0, "big",
		(json_int_t)9007199254740993LL, "yes", 1, "no", 0, "none", "empty", "list", 1, "");
	ck_assert(json_equal(got, want));
	json_decref(got);
	json_decref(want);
	jsontext_free(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("jsontext");
	TCase *tc = tcase_create("jsontext");

	tcase_add_test(tc, test_all);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
