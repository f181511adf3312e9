/* Metrics as text, in both forms; what is no UTF-8 in a label. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/openmetrics.h"
#include "lib/text.h"

static const struct openmetrics_family counter = {"a_bytes", METRIC_COUNTER, "bytes", "Octets."},
				       info = {"b", METRIC_INFO, NULL, "What it is."},
				       gauge = {"c_seconds", METRIC_GAUGE, "seconds", "How long."},
				       histogram = {"d_seconds", METRIC_HISTOGRAM, "seconds", "How late."};

static void write_all(struct openmetrics *m)
{
	openmetrics_family(m, &counter);
	openmetrics_sample(m);
	openmetrics_value(m, UINT64_MAX);
	openmetrics_sample(m);
	openmetrics_label(m, "x", "");
	openmetrics_label(m, "y", "a\"b\\c\nd");
	openmetrics_value(m, 0);
	openmetrics_family(m, &info);
	openmetrics_sample(m);
	openmetrics_label(m, "v", "1");
	openmetrics_value(m, 1);
	openmetrics_family(m, &gauge);
	openmetrics_sample(m);
	openmetrics_ms(m, 12034);
	openmetrics_family(m, &histogram);
	openmetrics_sample_of(m, "bucket");
	openmetrics_label(m, "le", "+Inf");
	openmetrics_value(m, 2);
	openmetrics_sample_of(m, "count");
	openmetrics_value(m, 2);
	openmetrics_sample_of(m, "sum");
	openmetrics_ns(m, 5);
	openmetrics_end(m);
}

static const char *const forms[] = {
	[METRICS_OPENMETRICS] = "# TYPE a_bytes counter\n"
				"# UNIT a_bytes bytes\n"
				"# HELP a_bytes Octets.\n"
				"a_bytes_total 18446744073709551615\n"
				"a_bytes_total{x=\"\",y=\"a\\\"b\\\\c\\nd\"} 0\n"
				"# TYPE b info\n"
				"# HELP b What it is.\n"
				"b_info{v=\"1\"} 1\n"
				"# TYPE c_seconds gauge\n"
				"# UNIT c_seconds seconds\n"
				"# HELP c_seconds How long.\n"
				"c_seconds 12.034\n"
				"# TYPE d_seconds histogram\n"
				"# UNIT d_seconds seconds\n"
				"# HELP d_seconds How late.\n"
				"d_seconds_bucket{le=\"+Inf\"} 2\n"
				"d_seconds_count 2\n"
				"d_seconds_sum 0.000000005\n"
				"# EOF\n",
	[METRICS_PROMETHEUS] = "# TYPE a_bytes_total counter\n"
			       "# HELP a_bytes_total Octets.\n"
			       "a_bytes_total 18446744073709551615\n"
			       "a_bytes_total{x=\"\",y=\"a\\\"b\\\\c\\nd\"} 0\n"
			       "# TYPE b_info gauge\n"
			       "# HELP b_info What it is.\n"
			       "b_info{v=\"1\"} 1\n"
			       "# TYPE c_seconds gauge\n"
			       "# HELP c_seconds How long.\n"
			       "c_seconds 12.034\n"
			       "# TYPE d_seconds histogram\n"
			       "# HELP d_seconds How late.\n"
			       "d_seconds_bucket{le=\"+Inf\"} 2\n"
			       "d_seconds_count 2\n"
			       "d_seconds_sum 0.000000005\n"
			       "# EOF\n",
};

START_TEST(test_forms)
{
	struct textbuf text = {0};
	struct openmetrics m = {.out = &text, .form = (enum openmetrics_form)_i};

	write_all(&m);
	textbuf_add(&text, "", 1);
	ck_assert_str_eq(text.p, forms[_i]);
	textbuf_free(&text);
}
END_TEST

static const struct {
	const char *text;
	size_t len;
} characters[] = {{"", 0}, {"a", 1}, {"\x7f", 1}, {"\x80", 0}, {"\xc3\xa9", 2}, {"\xc1\xbf", 0}, {"\xc3", 0},
	{"\xe2\x82\xac", 3}, {"\xe0\x80\x80", 0}, {"\xe2\x82", 0}, {"\xed\xa0\x80", 0}, {"\xed\x9f\xbf", 3},
	{"\xf0\x9f\x98\x80", 4}, {"\xf0\x9f\x98", 0}, {"\xf0\x8f\xbf\xbf", 0}, {"\xf4\x90\x80\x80", 0},
	{"\xf5\x80\x80\x80", 0}, {"\xff", 0}, {"\xe2\x28\xa1", 0}};

START_TEST(test_utf8)
{
	ck_assert_uint_eq(text_utf8(characters[_i].text), characters[_i].len);
}
END_TEST

START_TEST(test_bad_octets)
{
	struct textbuf text = {0};
	struct openmetrics m = {.out = &text, .family = &gauge};

	openmetrics_label(&m, "n", "\xc3\xa9\xffx\xe2\x82\xac\xe2\x82");
	textbuf_add(&text, "", 1);
	ck_assert_str_eq(text.p, "{n=\"\xc3\xa9\xef\xbf\xbdx\xe2\x82\xac\xef\xbf\xbd\xef\xbf\xbd\"");
	textbuf_free(&text);
}
END_TEST

START_TEST(test_printf)
{
	struct textbuf text = {0};

	for (int i = 0; i < 1000; i++)
		textbuf_printf(&text, "%s%d;", i ? " " : "", i);
	textbuf_add(&text, "", 1);
	ck_assert_uint_eq(text.len, 4890); /* 2890 digits, 1000 semicolons, 999 spaces, a NUL */
	ck_assert_int_eq(strncmp(text.p, "0; 1; 2;", 8), 0);
	textbuf_clear(&text);
	ck_assert_uint_eq(text.len, 0);
	textbuf_free(&text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("openmetrics");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);

	tcase_add_loop_test(t, test_forms, 0, 2);
	tcase_add_loop_test(t, test_utf8, 0, sizeof(characters) / sizeof(characters[0]));
	tcase_add_test(t, test_bad_octets);
	tcase_add_test(t, test_printf);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
