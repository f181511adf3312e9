/* The reports on a made-up LAN: what they say, and that nothing a member calls itself gets out of its place. What a browser makes of
 * them is tests/net/test_report.py's. */
#include <check.h>

#include "audit/report.h"
#include "books.h"

static struct books *b, *loud;

static void set_up(void)
{
	b = books_new(12, -1);
	loud = books_new(12, 6);
}

static void tear_down(void)
{
	books_free(b);
	books_free(loud);
}

static struct audit_report compared(const struct books *of)
{
	return (struct audit_report){.books = &of->after, .before = &of->before, .compare = &of->compare, .title = "ixp-<fra>",
		.made = "2026-01-31 14:00 UTC"};
}

static struct audit_report alone(uint32_t member)
{
	return (struct audit_report){.books = &b->before, .title = "ixp-fra", .member = member};
}

enum form { TEXT, CSV, HTML };

static char *printed(const struct audit_report *r, enum form form)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int err = form == TEXT ? audit_report_text(r, f, 120) : form == CSV ? audit_report_csv(r, f) : audit_report_html(r, f);

	ck_assert_int_eq(err, 0);
	fclose(f);
	ck_assert_uint_eq(strlen(text), len);
	return text;
}

static size_t times_in(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* --- the verdict --- */

START_TEST(verdicts)
{
	struct audit_report r = compared(b), l = compared(loud), none = {.books = &(struct audit){0}};
	struct audit_report good = alone(64500), bad = alone(64510), silent = alone(64504), unknown = alone(1), all = alone(0);

	ck_assert_int_eq(audit_report_verdict(&r), AUDIT_PASS);
	ck_assert_int_eq(audit_report_verdict(&l), AUDIT_FAIL);
	ck_assert_int_eq(audit_report_verdict(&good), AUDIT_PASS);
	ck_assert_int_eq(audit_report_verdict(&bad), AUDIT_FAIL);
	ck_assert_int_eq(audit_report_verdict(&silent), AUDIT_NOT_SEEN);
	ck_assert_int_eq(audit_report_verdict(&unknown), AUDIT_NOT_SEEN);
	ck_assert_int_eq(audit_report_verdict(&all), AUDIT_FAIL);
	ck_assert_int_eq(audit_report_verdict(&none), AUDIT_NOT_SEEN);
	/* A limit of flood: kept by a port where nobody was heard, not by one that is flooded; nothing was looked at, nothing is kept. */
	struct audit_port quiet = {.name = "swp1"}, flooded = {.name = "swp1", .unwanted.all.frames = 9};
	struct audit books = {.ports = &quiet, .port_count = 1};
	struct audit_report limited = {.books = &books, .has_limit = true, .limit_fps = 5};
	ck_assert_int_eq(audit_report_verdict(&limited), AUDIT_PASS);
	books.ports = &flooded;
	ck_assert_int_eq(audit_report_verdict(&limited), AUDIT_FAIL);
	none.has_limit = true;
	ck_assert_int_eq(audit_report_verdict(&none), AUDIT_NOT_SEEN);
}
END_TEST

static const char *json_text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

START_TEST(sentences)
{
	struct books *one = books_new(1, -1), *one_loud = books_new(1, 0);
	struct audit_member nobody = b->before.members[1];
	struct audit strangers = {.members = &nobody, .member_count = 1};
	struct {
		struct audit_report r;
		const char *text;
	} rows[] = {
		{compared(b), "12 ports received up to 3 010 frames/s of flood before (port swp7), 0 after."},
		{compared(loud), "Port swp7 still receives 9.7 frames/s of flood, 3 010 before; the limit is 0. The other 11 ports are "
				 "within it."},
		{compared(one), "Port swp1 received 2 995 frames/s of flood before, 0 after."},
		{compared(one_loud), "Port swp1 still receives 9.7 frames/s of flood, 2 995 before; the limit is 0."},
		{{.books = &strangers}, "No registry tells who is who. What was sent breaks several rules: no spanning tree (rule 6); no CDP, "
					"EDP, LLDP, MNDP (rule 7)."},
		{alone(0), "3 of 11 members that were heard break rules. Senders that nobody registered were heard, too. Port swp7 received the most "
			   "flood, 3 010 frames/s."},
		{alone(64500), "Nothing that AS64500 sent breaks the rules."},
		{alone(64501), "AS64501 breaks 2 rules: no spanning tree (rule 6); no CDP, EDP, LLDP, MNDP (rule 7)."},
		{alone(64503), "AS64503 breaks one rule: no answers for the addresses of others (rule 4)."},
		{alone(64504), "AS64504 was not heard in this capture."},
	};

	nobody.member = NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *j = audit_report_json(&rows[i].r);
		ck_assert_str_eq(json_text(j, "text"), rows[i].text);
		json_decref(j);
	}
	books_free(one);
	books_free(one_loud);
}
END_TEST

/* --- JSON --- */

START_TEST(json_has_the_figures)
{
	struct audit_report r = compared(b);
	json_t *j = audit_report_json(&r);
	const json_t *before = json_object_get(j, "before"), *port = json_array_get(json_object_get(before, "ports"), 2);
	const json_t *received = json_object_get(json_object_get(port, "received"), "classes");
	const json_t *member = json_array_get(json_object_get(before, "members"), 0);
	const struct audit_port *p = &b->before.ports[2];

	ck_assert_str_eq(json_text(j, "format"), "quell-audit");
	ck_assert_int_eq(json_integer_value(json_object_get(j, "version")), AUDIT_JSON_VERSION);
	ck_assert_str_eq(json_text(j, "verdict"), "pass");
	ck_assert_uint_eq(json_array_size(json_object_get(before, "ports")), 12);
	ck_assert_str_eq(json_text(port, "port"), "swp3");
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(received, "arp-request"), "frames")),
		(json_int_t)p->at[AUDIT_RECEIVED][CLASS_ARP_REQUEST].all.frames);
	const json_t *series = json_object_get(port, "series");
	ck_assert_str_eq(json_text(series, "start"), "2026-01-31T12:00:00.000000000Z");
	const json_t *slots = json_object_get(json_object_get(json_object_get(series, "received"), "arp-request"), "frames");
	json_int_t sum = 0;
	for (size_t i = 0; i < json_array_size(slots); i++)
		sum += json_integer_value(json_array_get(slots, i));
	ck_assert_int_eq(sum, (json_int_t)p->at[AUDIT_RECEIVED][CLASS_ARP_REQUEST].all.frames);
	/* The one that breaks all is first, its name as text. */
	ck_assert_int_eq(json_integer_value(json_object_get(member, "asn")), 64510);
	ck_assert_uint_eq(json_array_size(json_object_get(member, "rules")), 21);
	ck_assert_str_eq(json_text(json_array_get(json_object_get(member, "rules"), 15), "verdict"), "not seen");
	ck_assert_str_eq(json_text(json_array_get(json_object_get(member, "rules"), 16), "verdict"), "fail");
	json_decref(j);
}
END_TEST

/* --- text that would break out --- */

START_TEST(html_is_closed_to_names)
{
	struct audit_report r = compared(b);
	char *html = printed(&r, HTML);

	ck_assert(!strstr(html, "<script"));
	ck_assert(strstr(html, "&lt;script&gt;alert(&quot;x&quot;)"));
	ck_assert(strstr(html, "ixp-&lt;fra&gt;"));
	ck_assert(!strchr(html, '\033'));
	ck_assert(strstr(html, "M\xc3\xbcnchner Netz \xe6\x9d\xb1\xe4\xba\xac"));
	ck_assert(!strstr(html, "http:") || times_in(html, "http:") == times_in(html, "http://www.w3.org/1999/xhtml") + times_in(html, "=HYPERLINK(&quot;http:"));
	ck_assert(!strstr(html, "src=") && !strstr(html, "@import") && !strstr(html, "onload"));
	ck_assert_uint_eq(times_in(html, "href=\""), times_in(html, "href=\"#"));
	ck_assert_uint_eq(times_in(html, "url("), times_in(html, "url(#p"));
	free(html);
}
END_TEST

START_TEST(text_is_printable)
{
	struct audit_report r = compared(b);
	char *text = printed(&r, TEXT);

	for (const char *p = text; *p; p++)
		ck_assert_msg(*p == '\n' || (*p >= ' ' && *p <= '~'), "octet %02x", (unsigned char)*p);
	ck_assert(strstr(text, "PASS  12 ports received up to 3 010 frames/s of flood before (port swp7), 0 after.\n"));
	free(text);
}
END_TEST

/* A colour, and nothing else that a terminal would obey. */
START_TEST(text_has_colours_if_asked)
{
	struct audit_report r = compared(loud);

	r.colour = true;
	char *text = printed(&r, TEXT);
	ck_assert(strstr(text, "\033[31mFAIL\033[0m"));
	for (const char *p = text; (p = strchr(p, '\033')); p++) {
		const char *end = strchr(p, 'm');
		ck_assert(end && end - p <= 4 && p[1] == '[');
	}
	free(text);
}
END_TEST

START_TEST(text_fits)
{
	struct audit_report r = compared(b);

	for (unsigned columns = 100; columns <= 200; columns += 20) {
		char *text = NULL;
		size_t len, widest = 0;
		FILE *f = open_memstream(&text, &len);
		ck_assert_int_eq(audit_report_text(&r, f, columns), 0);
		fclose(f);
		bool table = false;
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			table = strncmp(line, "KIND", 4) != 0 && (table || strncmp(line, "PORT", 4) == 0 || strncmp(line, "MEMBER", 6) == 0);
			if (strncmp(line, "MEMBER", 6) == 0 && strstr(line, "WHICH SAYS"))
				table = false;
			if (table && (strncmp(line, "swp", 3) == 0 || strncmp(line, "AS6", 3) == 0))
				widest = strlen(line) > widest ? strlen(line) : widest;
		}
		ck_assert_msg(widest <= columns + 10, "%zu of %u columns", widest, columns);
		free(text);
	}
}
END_TEST

START_TEST(csv_has_no_formulas)
{
	struct audit_report r = compared(b);
	char *csv = printed(&r, CSV);
	size_t columns = 1;

	for (const char *p = csv; *p != '\r'; p++)
		columns += *p == ',';
	ck_assert(strstr(csv, "\"'=HYPERLINK(\"\"http://198.51.100.1\"\",\"\"Net\"\")\""));
	/* RFC 4180, read by its grammar: every record has as many fields as the first. */
	size_t fields = 1;
	bool quoted = false, begin = true;
	for (const char *p = csv; *p; p++) {
		if (begin && !quoted && *p != '"')
			ck_assert_msg(!strchr("=+@\t", *p), "a cell begins with %c", *p);
		if (begin && *p == '"')
			ck_assert_msg(!strchr("=+-@\t\r\n", p[1]), "a cell begins with %c", p[1]);
		begin = false;
		if (*p == '"') {
			quoted = !quoted;
		} else if (!quoted && *p == ',') {
			fields++;
			begin = true;
		} else if (!quoted && *p == '\r') {
			ck_assert_int_eq(p[1], '\n');
			ck_assert_uint_eq(fields, columns);
			fields = 1;
			begin = true;
			p++;
		} else if (*p == '\n') {
			ck_abort_msg("a line end within a field");
		}
	}
	ck_assert(!quoted);
	free(csv);
}
END_TEST

/* --- a member's page says nothing of others --- */

START_TEST(member_pages_are_alone)
{
	for (unsigned i = 0; i < 12; i++) {
		struct audit_report r = alone(BOOKS_ASN + i);
		json_t *j = audit_report_json(&r);
		char *forms[] = {printed(&r, TEXT), printed(&r, CSV), printed(&r, HTML), json_dumps(j, 0)};
		for (size_t f = 0; f < 4; f++)
			for (unsigned other = 0; other < 12; other++) {
				char asn[16], mac[MAC_TEXT];
				if (other == i)
					continue;
				snprintf(asn, sizeof(asn), "%u", BOOKS_ASN + other);
				ck_assert_msg(!strstr(forms[f], asn), "AS%u's page names AS%s", BOOKS_ASN + i, asn);
				mac_format(books_mac(other), mac);
				ck_assert_msg(!strstr(forms[f], mac), "AS%u's page names %s", BOOKS_ASN + i, mac);
				if (books_names[other] && other != 6 && other != 8 && other != 9 && other != 10 && other != 3)
					ck_assert_msg(!strstr(forms[f], books_names[other]), "AS%u's page names %s", BOOKS_ASN + i, books_names[other]);
			}
		for (size_t f = 0; f < 4; f++)
			free(forms[f]);
		json_decref(j);
	}
}
END_TEST

START_TEST(member_page_says_what_to_do)
{
	struct audit_report r = alone(64501);

	r.evidence = "evidence";
	char *html = printed(&r, HTML);
	ck_assert(strstr(html, "Rule 7: no CDP, EDP, LLDP, MNDP"));
	ck_assert(strstr(html, "<code>no cdp enable</code>"));
	ck_assert(strstr(html, "AS64501-discovery.pcap"));
	ck_assert(strstr(html, "2026-01-31 12:00:12"));
	free(html);
}
END_TEST

/* --- limits --- */

START_TEST(tops)
{
	struct audit_report r = compared(b);

	r.top = 3;
	char *html = printed(&r, HTML), *text = printed(&r, TEXT);
	ck_assert(strstr(html, "and 10 more senders"));
	ck_assert(strstr(html, "and 49 more addresses"));
	ck_assert(strstr(text, "and 9 more ports"));
	free(html);
	free(text);
}
END_TEST

START_TEST(large_stays_small)
{
	struct books *large = books_new(1000, 700);
	struct audit_report r = compared(large);

	r.top = UINT32_MAX;
	char *html = printed(&r, HTML);
	ck_assert_uint_lt(strlen(html), 2000000);
	ck_assert(strstr(html, "others, mean"));
	free(html);
	r.top = 0;
	html = printed(&r, HTML);
	ck_assert_uint_lt(strlen(html), 400000);
	/* The one port that fails is on top whatever its place in the books. */
	ck_assert(strstr(html, "Port swp701 still receives"));
	free(html);
	books_free(large);
}
END_TEST

/* Nothing at all, ledgers alone, a port without a capture. */
START_TEST(little_is_enough)
{
	struct audit empty = {0};
	struct audit_port port = {.name = "swp1"};
	struct audit one = {.ports = &port, .port_count = 1};
	struct compare nothing = {.pass = true};
	struct audit_report rows[] = {{.books = &empty}, {.compare = &b->compare}, {.compare = &nothing}, {.books = &one}, {.books = &empty, .member = 1},
		{.compare = &nothing, .member = 1}, {0}, {.before = &empty, .books = &empty, .compare = &nothing}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int form = TEXT; form <= HTML; form++) {
			char *text = printed(&rows[i], (enum form)form);
			ck_assert(!strstr(text, "nan") && !strstr(text, "inf"));
			free(text);
		}
		json_t *j = audit_report_json(&rows[i]);
		ck_assert(j);
		json_decref(j);
	}
}
END_TEST

/* A full disk. */
START_TEST(errors_are_told)
{
	struct audit_report r = alone(0);
	FILE *f = fopen("/dev/full", "w");

	ck_assert(f);
	ck_assert_int_lt(audit_report_html(&r, f), 0);
	fclose(f);
	f = fopen("/dev/full", "w");
	ck_assert_int_lt(audit_report_csv(&r, f), 0);
	fclose(f);
	f = fopen("/dev/full", "w");
	ck_assert_int_lt(audit_report_text(&r, f, 80), 0);
	fclose(f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("audit/report");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, verdicts);
	tcase_add_test(tc, sentences);
	tcase_add_test(tc, json_has_the_figures);
	tcase_add_test(tc, html_is_closed_to_names);
	tcase_add_test(tc, text_is_printable);
	tcase_add_test(tc, text_has_colours_if_asked);
	tcase_add_test(tc, text_fits);
	tcase_add_test(tc, csv_has_no_formulas);
	tcase_add_test(tc, member_pages_are_alone);
	tcase_add_test(tc, member_page_says_what_to_do);
	tcase_add_test(tc, tops);
	tcase_add_test(tc, large_stays_small);
	tcase_add_test(tc, little_is_enough);
	tcase_add_test(tc, errors_are_told);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
