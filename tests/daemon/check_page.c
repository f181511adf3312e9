/* What becomes HTML: everything escaped, whatever it is; a page of a long table. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/page.h"

static char *text_of(struct textbuf *t)
{
	textbuf_add(t, "", 1);
	return t->p;
}

static const struct {
	const char *text, *html, *url;
} rows[] = {
	{"", "", ""},
	{"plain-1.2_3~:", "plain-1.2_3~:", "plain-1.2_3~:"},
	{"<script>\"x\"&'y'</script>", "&lt;script&gt;&quot;x&quot;&amp;&#39;y&#39;&lt;/script&gt;",
		"%3Cscript%3E%22x%22%26%27y%27%3C%2Fscript%3E"},
	{"S\xc3\xb6hne \xf0\x9f\x98\x80", "S\xc3\xb6hne \xf0\x9f\x98\x80", "S%C3%B6hne%20%F0%9F%98%80"},
	{"a\xff\xc0\xafz\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd",
		"a%FF%C0%AFz%E2%82"},
	{"\x01\x1b[0m\n\x7f\xc2\x85\xc2\xa0", "\xef\xbf\xbd\xef\xbf\xbd[0m\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc2\xa0",
		"%01%1B%5B0m%0A%7F%C2%85%C2%A0"},
	{"a=b&c=d;e+f g#h?i/j", "a=b&amp;c=d;e+f g#h?i/j", "a%3Db%26c%3Dd%3Be%2Bf%20g%23h%3Fi%2Fj"},
};

START_TEST(test_escaped)
{
	struct textbuf t = {0}, u = {0}, l = {0};

	page_text(&t, rows[_i].text);
	ck_assert_str_eq(text_of(&t), rows[_i].html);
	page_url(&u, rows[_i].text);
	ck_assert_str_eq(text_of(&u), rows[_i].url);
	page_link(&l, "/p", "k", rows[_i].text);
	ck_assert_ptr_nonnull(strstr(text_of(&l), rows[_i].url));
	textbuf_free(&t);
	textbuf_free(&u);
	textbuf_free(&l);
}
END_TEST

/* Every octet, and every pair after a lead: none opens a tag or ends an attribute. */
START_TEST(test_any_octets)
{
	for (int a = 1; a < 256; a++)
		for (int b = 0; b < 256; b++) {
			char text[] = {(char)a, (char)b, '<', '"', '\0'};
			struct textbuf t = {0};
			page_text(&t, text);
			ck_assert_ptr_null(strpbrk(text_of(&t), "<>\"'"));
			textbuf_free(&t);
		}
}
END_TEST

static const struct {
	const char *host, *self, *other;
	unsigned port;
	const char *url;
} others[] = {
	{"localhost", "127.0.0.1", "127.0.0.1", 9180, "http://localhost:9180/"},
	{"127.0.0.1", "127.0.0.1", "127.0.0.1", 9180, "http://127.0.0.1:9180/"},
	{"::1", "::1", "::1", 9180, "http://[::1]:9180/"},
	{"10.99.0.1", "0.0.0.0", "0.0.0.0", 9180, "http://10.99.0.1:9180/"},
	{"localhost", "127.0.0.1", "127.0.0.2", 9180, "http://127.0.0.2:9180/"},
	{"localhost", "127.0.0.1", "0.0.0.0", 9180, ""},
	{"localhost", "127.0.0.1", "127.0.0.1", 0, ""},
	{"", "127.0.0.1", "127.0.0.1", 9180, "http://127.0.0.1:9180/"},
	{"a-name-that-is-longer-than-any-link-should-be.a-name-that-is-longer-than-any-link-should-be.example",
		"127.0.0.1", "127.0.0.1", 9180, ""},
};

START_TEST(test_other)
{
	struct config_endpoint self = {.port = 9179}, other = {.port = (uint16_t)others[_i].port};
	char url[PAGE_URL_MAX];

	ip_parse(others[_i].self, &self.ip);
	ip_parse(others[_i].other, &other.ip);
	page_other(url, others[_i].host, &self, &other);
	ck_assert_str_eq(url, others[_i].url);
}
END_TEST

static const struct {
	uint64_t sec;
	const char *text;
} ages[] = {{0, "0 s"}, {119, "119 s"}, {120, "2 min"}, {7199, "119 min"}, {7200, "2 h 00 min"}, {86399, "23 h 59 min"},
	{172800, "2 d 0 h"}, {8640000 + 3600, "100 d 1 h"}};

START_TEST(test_age)
{
	struct textbuf t = {0};

	page_age(&t, ages[_i].sec);
	ck_assert_str_eq(text_of(&t), ages[_i].text);
	textbuf_free(&t);
}
END_TEST

/* --- a page of a long table --- */

static int by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* All pages, one after the other, are the table in order, however it is walked. */
START_TEST(test_keep)
{
	int after = 0, seen = 0;
	bool more = true;

	while (more) {
		struct page_keep k = {.size = sizeof(int), .limit = 7, .compare = by_number, .after = seen ? &after : NULL};
		for (int i = 0; i < 100; i++) {
			int n = i * 37 % 100 + 1;
			page_keep_row(&k, &n);
		}
		ck_assert_uint_eq(k.matched, 100);
		for (size_t i = 0; i < k.count; i++)
			ck_assert_int_eq(*(const int *)page_kept(&k, i), ++seen);
		more = k.more;
		after = seen;
		page_keep_free(&k);
	}
	ck_assert_int_eq(seen, 100);
}
END_TEST

/* --- the frame --- */

static bool body(void *job, struct textbuf *out)
{
	page_note(out, job);
	return false;
}

START_TEST(test_frame)
{
	static const struct page_link links[] = {{"/", "Overview"}, {"/b", "B"}, {NULL, NULL}};
	static const struct page_site site = {"quelld", links, "MAC", "the other"};
	static char text[] = "</main><script>";
	struct page p = {.site = &site, .title = "<b>\"t\"", .path = "/b", .query = "\"><script>", .body = body, .job = text};
	struct http_answer a;
	struct textbuf t = {0};

	page_answer(&a, &p);
	ck_assert_int_eq(a.status, 200);
	while (a.step(a.job, &t))
		;
	a.release(a.job);
	text_of(&t);
	ck_assert_ptr_null(strstr(t.p, "<script"));
	ck_assert_ptr_nonnull(strstr(t.p, "<title>&lt;b&gt;&quot;t&quot; - quelld</title>"));
	ck_assert_ptr_nonnull(strstr(t.p, "value=\"&quot;&gt;&lt;script&gt;\""));
	ck_assert_ptr_nonnull(strstr(t.p, "<a href=\"/b\" aria-current=\"page\">B</a>"));
	ck_assert_ptr_null(strstr(t.p, "the other"));
	textbuf_free(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("page");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);

	tcase_add_loop_test(t, test_escaped, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(t, test_any_octets);
	tcase_add_loop_test(t, test_other, 0, sizeof(others) / sizeof(others[0]));
	tcase_add_loop_test(t, test_age, 0, sizeof(ages) / sizeof(ages[0]));
	tcase_add_test(t, test_keep);
	tcase_add_test(t, test_frame);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
