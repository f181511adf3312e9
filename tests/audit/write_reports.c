/* Writes the reports on a made-up LAN (tests/audit/books.h) into a folder, for tests that read them with other people's programs: a
 * browser, an XML parser, a spreadsheet's CSV, a JSON schema. usage: write_reports FOLDER */
#include <err.h>
#include <stdio.h>

#include "audit/report.h"
#include "books.h"

static const char *folder;

static FILE *open_file(const char *name, const char *ending)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.%s", folder, name, ending);
	FILE *f = fopen(path, "w");
	if (!f)
		err(1, "%s", path);
	return f;
}

static void write_all(const struct audit_report *r, const char *name)
{
	FILE *f = open_file(name, "html");
	int error = audit_report_html(r, f);

	fclose(f);
	f = open_file(name, "txt");
	error = error ? error : audit_report_text(r, f, 120);
	fclose(f);
	f = open_file(name, "csv");
	error = error ? error : audit_report_csv(r, f);
	fclose(f);
	if (error)
		errx(1, "%s: %d", name, error);
	if (strcmp(name, "large") == 0) /* a series of each port: many MB */
		return;
	json_t *json = audit_report_json(r);
	f = open_file(name, "json");
	if (!json || json_dumpf(json, f, JSON_INDENT(1)) != 0)
		errx(1, "%s: no JSON", name);
	fclose(f);
	json_decref(json);
}

int main(int argc, char **argv)
{
	static const char *const before_files[] = {"/var/captures/before-1.pcapng.gz", "before <2> & \"more\".pcap"};
	static const char *const files[] = {"after.pcap"};
	struct books *b = books_new(12, -1), *loud = books_new(12, 6), *large = books_new(1000, 700);
	struct audit_report r = {.books = &b->after, .before = &b->before, .compare = &b->compare, .title = "ixp-fra <Frankfurt>",
		.made = "2026-01-31 14:00 UTC", .before_files = before_files, .before_file_count = 2, .files = files, .file_count = 1};

	if (argc != 2)
		errx(2, "usage: write_reports FOLDER");
	folder = argv[1];
	write_all(&r, "pass");
	r.books = &loud->after;
	r.before = &loud->before;
	r.compare = &loud->compare;
	write_all(&r, "fail");
	r.books = &large->after;
	r.before = &large->before;
	r.compare = &large->compare;
	r.top = 1000;
	write_all(&r, "large");
	r = (struct audit_report){.books = &b->before, .title = "ixp-fra", .made = "2026-01-31 14:00 UTC", .dropped = 12};
	write_all(&r, "single");
	r.evidence = "evidence";
	for (int i = 0; i < 12; i++) {
		char name[32];
		r.member = BOOKS_ASN + (unsigned)i;
		snprintf(name, sizeof(name), "member-AS%u", r.member);
		write_all(&r, name);
	}
	r = (struct audit_report){.compare = &b->compare, .title = "ixp-fra"};
	write_all(&r, "ledger");
	r = (struct audit_report){.books = &(struct audit){0}, .title = "nothing"};
	write_all(&r, "empty");
	books_free(b);
	books_free(loud);
	books_free(large);
	return 0;
}
