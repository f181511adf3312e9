/* Reader, writer, escaper and log: what holds at the edges. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/reader.h"
#include "lib/text.h"
#include "lib/writer.h"

START_TEST(writer_then_reader)
{
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	writer_u8(&w, 0x01);
	writer_u16(&w, 0x0203);
	writer_u24(&w, 0x040506);
	writer_u32(&w, 0x0708090a);
	size_t mark = writer_mark(&w);
	writer_u16(&w, 0);
	writer_bytes(&w, "abc", 3);
	writer_patch_u16(&w, mark, 3);
	ck_assert(writer_ok(&w));

	struct reader r = reader_of(buf, writer_len(&w));
	ck_assert_uint_eq(reader_u8(&r), 0x01);
	ck_assert_uint_eq(reader_u16(&r), 0x0203);
	ck_assert_uint_eq(reader_u24(&r), 0x040506);
	ck_assert_uint_eq(reader_u32(&r), 0x0708090a);
	struct reader sub = reader_sub(&r, reader_u16(&r));
	ck_assert_uint_eq(reader_rest(&sub).len, 3);
	ck_assert(reader_done(&sub));
	ck_assert(reader_done(&r));
}
END_TEST

START_TEST(reader_error_sticks)
{
	uint8_t buf[3] = {1, 2, 3}, to[4] = {9, 9, 9, 9};
	struct reader r = reader_of(buf, 3);

	ck_assert_uint_eq(reader_u32(&r), 0);
	ck_assert(!reader_ok(&r));
	ck_assert_uint_eq(reader_u8(&r), 0);
	ck_assert_uint_eq(reader_left(&r), 0);
	ck_assert_ptr_null(reader_bytes(&r, 0));
	reader_copy(&r, to, 4);
	ck_assert_uint_eq(to[3], 0);
	struct reader sub = reader_sub(&r, 0);
	ck_assert(!reader_ok(&sub));

	struct reader empty = reader_of(NULL, 0);
	ck_assert(reader_done(&empty));
}
END_TEST

START_TEST(writer_error_sticks_and_rewinds)
{
	uint8_t buf[4] = {9, 9, 9, 9};
	struct writer w = writer_of(buf, 3);

	writer_u16(&w, 0x0102);
	size_t mark = writer_mark(&w);
	writer_u16(&w, 0x0304);
	ck_assert(!writer_ok(&w));
	writer_u8(&w, 5);
	ck_assert_uint_eq(writer_len(&w), 2);
	ck_assert_uint_eq(buf[2], 9);
	writer_rewind(&w, mark);
	writer_u8(&w, 5);
	ck_assert(writer_ok(&w));
	ck_assert_uint_eq(buf[3], 9);
	writer_patch_u16(&w, 2, 0xffff); /* one octet past the end: refused */
	ck_assert_uint_eq(buf[2], 5);
}
END_TEST

START_TEST(escapes)
{
	static const struct {
		const char *in;
		size_t len, cap;
		const char *out;
	} rows[] = {
		{"plain", 5, 32, "plain"},
		{"a\nb\x1b[31m", 8, 64, "a\\x0ab\\x1b[31m"},
		{"\\", 1, 32, "\\x5c"},
		{"\xc3\xa4", 2, 32, "\\xc3\\xa4"},
		{"abcdefgh", 8, 9, "abcdefgh"},
		{"abcdefgh", 8, 8, "abcd..."},
		{"\n\n\n", 3, 8, "\\x0a..."},
		{"", 0, 4, ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buf[64];
		ck_assert_str_eq(text_escape(buf, rows[i].cap, rows[i].in, rows[i].len),
			rows[i].out);
	}
}
END_TEST

static char last_line[1100];
static unsigned lines;

static void sink(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	lines++;
	snprintf(last_line, sizeof(last_line), "%s", line);
}

START_TEST(log_levels_and_limits)
{
	struct log_limit limit = LOG_LIMIT(3, 60000);

	log_set_sink(sink, NULL);
	ck_assert_int_eq(log_set_from_text("warning,bgp=debug"), 0);
	ck_assert(log_enabled(LOG_BGP, LOG_LEVEL_DEBUG));
	ck_assert(!log_enabled(LOG_FEED, LOG_LEVEL_INFO));
	ck_assert_int_lt(log_set_from_text("loud"), 0);
	ck_assert_int_lt(log_set_from_text("bgq=info"), 0);
	log_info(LOG_FEED, "not said");
	ck_assert_uint_eq(lines, 0);
	log_debug(LOG_BGP, "%s", "said");
	ck_assert_str_eq(last_line, "debug bgp: said");
	lines = 0;
	for (int i = 0; i < 1000; i++)
		log_limited(&limit, 100000 + (uint64_t)i, LOG_BGP, LOG_LEVEL_WARNING, "bad");
	ck_assert_uint_eq(lines, 3);
	log_limited(&limit, 170000, LOG_BGP, LOG_LEVEL_WARNING, "bad");
	ck_assert_str_eq(last_line, "warning bgp: bad (997 more like this before)");
	log_set_sink(NULL, NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lib/io");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_test(tc, writer_then_reader);
	tcase_add_test(tc, reader_error_sticks);
	tcase_add_test(tc, writer_error_sticks_and_rewinds);
	tcase_add_test(tc, escapes);
	tcase_add_test(tc, log_levels_and_limits);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
