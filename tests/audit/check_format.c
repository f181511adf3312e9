/* Figures and texts as people read them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "audit/format.h"
#include "audit/rules.h"
#include "audit/svg.h"

static const struct {
	uint64_t n;
	const char *text;
} counts[] = {
	{0, "0"},
	{7, "7"},
	{999, "999"},
	{1000, "1 000"},
	{2802, "2 802"},
	{1234567, "1 234 567"},
	{UINT64_MAX, "18 446 744 073 709 551 615"},
};

START_TEST(count)
{
	ck_assert_str_eq(format_plain(FORMAT(count, counts[_i].n)), counts[_i].text);
}
END_TEST

static const struct {
	char *(*format)(char buf[FORMAT_MAX], double v);
	double v;
	const char *text;
} figures[] = {
	{format_fps, 0, "0"},
	{format_fps, -1, "0"},
	{format_fps, 0.001, "<0.01"},
	{format_fps, 0.02, "0.02"},
	{format_fps, 0.994, "0.99"},
	{format_fps, 0.996, "1.0"},
	{format_fps, 3.44, "3.4"},
	{format_fps, 9.96, "10"},
	{format_fps, 2801.6, "2 802"},
	{format_fps, 1e300, "18 446 744 073 709 551 615"},
	{format_bps, 0, "0 bit/s"},
	{format_bps, -3, "0 bit/s"},
	{format_bps, 999, "999 bit/s"},
	{format_bps, 999.6, "1.00 kbit/s"},
	{format_bps, 1460000, "1.46 Mbit/s"},
	{format_bps, 14600000, "14.6 Mbit/s"},
	{format_bps, 146e9, "146 Gbit/s"},
	{format_share, 0, "0 %"},
	{format_share, 0.0000001, "<0.1 %"},
	{format_share, 0.031, "3.1 %"},
	{format_share, 0.5, "50 %"},
	{format_share, 0.995, "99.5 %"},
	{format_share, 0.9999999, ">99.9 %"},
	{format_share, 1, "100 %"},
	{format_share, -0.5, "-50 %"},
};

START_TEST(figure)
{
	char buf[FORMAT_MAX];

	ck_assert_str_eq(format_plain(figures[_i].format(buf, figures[_i].v)), figures[_i].text);
}
END_TEST

static const struct {
	char *(*format)(char buf[FORMAT_MAX], int64_t ns);
	int64_t ns;
	const char *text;
} times[] = {
	{format_time, 0, "-"},
	{format_time, -5, "-"},
	{format_time, 1769860804123456789, "2026-01-31 12:00:04"},
	{format_clock, 1769860804123456789, "12:00:04"},
	{format_stamp, 1769860804123456789, "2026-01-31T12:00:04.123456789Z"},
	{format_stamp, 1769860804000000001, "2026-01-31T12:00:04.000000001Z"},
	{format_stamp, 0, ""},
	{format_time, INT64_MAX, "2262-04-11 23:47:16"},
	{format_duration, -1, "-"},
	{format_duration, 0, "0 s"},
	{format_duration, 1500000000, "1.5 s"},
	{format_duration, 59000000000, "59 s"},
	{format_duration, 400000000000, "6 min 40 s"},
	{format_duration, 600000000000, "10 min"},
	{format_duration, 7260000000000, "2 h 1 min"},
	{format_duration, 259200000000000, "3 d 0 h"},
};

START_TEST(moment)
{
	char buf[FORMAT_MAX];

	ck_assert_str_eq(format_plain(times[_i].format(buf, times[_i].ns)), times[_i].text);
}
END_TEST

#define BAD "\xef\xbf\xbd"

static const struct {
	const char *in, *out;
	size_t cap, characters;
} texts[] = {
	{"plain", "plain", 64, 0},
	{"", "", 64, 0},
	{"M\xc3\xbcnchen \xe6\x9d\xb1 \xf0\x9f\x98\x80", "M\xc3\xbcnchen \xe6\x9d\xb1 \xf0\x9f\x98\x80", 64, 0},
	{"a\nb\tc\rd", "a b c d", 64, 0},
	{"\033[31mred\177", BAD "[31mred" BAD, 64, 0},
	{"\xff\xfe", BAD BAD, 64, 0},
	{"cut \xc3", "cut " BAD, 64, 0},
	{"cut \xe6\x9d", "cut " BAD BAD, 64, 0},
	{"\xc0\xaf", BAD BAD, 64, 0},			  /* longer than needed */
	{"\xed\xa0\x80", BAD BAD BAD, 64, 0},		  /* half of a pair */
	{"\xf4\x90\x80\x80", BAD BAD BAD BAD, 64, 0},	  /* beyond U+10FFFF */
	{"\xef\xbf\xbe", BAD, 64, 0},			  /* U+FFFE */
	{"\xc2\x85 \xe2\x80\xa8", BAD " " BAD, 64, 0},	  /* C1, line separator */
	{"exactly", "exactly", 64, 7},
	{"one more", "one mor\xe2\x80\xa6", 64, 7},
	{"\xc3\xbc\xc3\xbc\xc3\xbc", "\xc3\xbc\xc3\xbc\xe2\x80\xa6", 64, 2},
	{"12345", "1234\xe2\x80\xa6", 8, 4},
	{"1234567", "1234567", 8, 0},
	{"12345678", "1234\xe2\x80\xa6", 8, 0},
	{"abc", "abc", 4, 0},
	{"abcd", "\xe2\x80\xa6", 4, 0},
};

START_TEST(utf8)
{
	char buf[64];

	ck_assert_str_eq(format_utf8(buf, texts[_i].cap, texts[_i].in, texts[_i].characters), texts[_i].out);
	ck_assert_uint_lt(strlen(buf), texts[_i].cap);
}
END_TEST

/* Whatever the octets are, what comes out is UTF-8, which a second pass leaves as it is. */
START_TEST(utf8_is_total)
{
	srand(1);
	for (int n = 0; n < 20000; n++) {
		char in[24], once[80], twice[80];
		for (size_t i = 0; i < sizeof(in); i++)
			in[i] = (char)(rand() % 4 ? 0x80 + rand() % 128 : rand() % 256);
		in[sizeof(in) - 1] = '\0';
		size_t cap = 4 + (size_t)rand() % 76;
		format_utf8(once, cap, in, 0);
		format_utf8(twice, sizeof(twice), once, 0);
		ck_assert_str_eq(once, twice);
	}
}
END_TEST

/* A rule of class.h that the reports would leave out. */
START_TEST(every_rule_has_a_row)
{
	for (int rule = 0; rule < RULE_COUNT; rule++) {
		const struct rules_row *row = rules_row_of((enum frame_rule)rule);
		ck_assert(row);
		ck_assert(*rules_text(row) && *rules_token(row) && strlen(row->cause) > 40);
	}
	for (int i = 0; i < RULES_LISTED; i++)
		ck_assert_int_eq(rules_rows[i].number, i + 1);
}
END_TEST

START_TEST(scale)
{
	static const double rows[][2] = {{0, 1}, {-1, 1}, {0.3, 0.3}, {1, 1}, {7, 8}, {9.7, 10}, {1100, 1200}, {5693, 6000}, {100001, 120000}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_double_eq_tol(svg_scale(rows[i][0]), rows[i][1], 1e-6);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("audit/format");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, count, 0, sizeof(counts) / sizeof(counts[0]));
	tcase_add_loop_test(tc, figure, 0, sizeof(figures) / sizeof(figures[0]));
	tcase_add_loop_test(tc, moment, 0, sizeof(times) / sizeof(times[0]));
	tcase_add_loop_test(tc, utf8, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(tc, utf8_is_total);
	tcase_add_test(tc, every_rule_has_a_row);
	tcase_add_test(tc, scale);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
