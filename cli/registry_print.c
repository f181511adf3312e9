/* What became of a registry, in words. What stands in the books came from members: it is escaped, here or by who found it. */
#include <config.h>

#include <string.h>
#include <unistd.h>

#include "cli/registry_put.h"
#include "cli/value.h"
#include "lib/text.h"

#define LINE 1024
#define CHANGES_MAX 100 /* lines for people; all are in the JSON */

static const char *safe(const char *text, char buf[LINE])
{
	return text ? text_escape(buf, LINE, text, strlen(text)) : "";
}

static const char *plural(long long n)
{
	return n == 1 ? "" : "s";
}

void put_print_findings(const json_t *told, FILE *to)
{
	const json_t *list = json_object_get(told, "findings"), *f;
	long long more = value_number(told, "findings-more");
	size_t i;

	json_array_foreach(list, i, f)
		fprintf(to, "%s: %s\n", value_text(f, "grade"), value_text(f, "text"));
	if (more)
		fprintf(to, "and %lld more\n", more);
}

static void print_change(const json_t *c, char sign, FILE *out)
{
	const char *key = value_text(c, "key"), *was = value_text(c, "from"),
		   *is = value_text(c, "to");
	char name[LINE], from[LINE], to[LINE];

	fprintf(out, "%c %s%s%s", sign, safe(value_text(c, "name"), name), key ? " " : "",
		key ? key : "");
	if (was)
		fprintf(out, " %s ->", safe(was, from));
	if (is)
		fprintf(out, " %s", safe(is, to));
	fputc('\n', out);
}

/* What goes is what may hurt, and stands first. */
void put_print_changes(const json_t *changes, size_t max, FILE *out)
{
	size_t i, done = 0, n = json_array_size(changes);
	const json_t *c;

	for (int pass = 0; pass < 2; pass++)
		json_array_foreach(changes, i, c)
		{
			const char *op = value_text(c, "op");
			char sign = op[0] == 'a' ? '+' : op[0] == 'r' ? '-' : '~';
			if ((sign == '-') == (pass == 0) && done < max) {
				print_change(c, sign, out);
				done++;
			}
		}
	if (n > max)
		fprintf(out, "and %zu more\n", n - max);
}

static void print_counts(const json_t *told, FILE *out)
{
	const json_t *b = json_object_get(told, "bindings");
	long long members = value_number(told, "members"), ports = value_number(told, "ports"),
		  are = value_number(b, "are"), kept = value_number(told, "macs-kept");

	fprintf(out, "%lld member%s, %lld port%s, %lld binding%s", members, plural(members), ports,
		plural(ports), are, plural(are));
	if (!value_true(told, "first"))
		fprintf(out, " (%lld went, %lld came)", value_number(b, "removed"),
			value_number(b, "added"));
	if (kept)
		fprintf(out, "; old MACs of %lld port%s are good until silent", kept, plural(kept));
	fputc('\n', out);
}

/* A timer does not tell the same conflicts all day. */
static void print_unchanged(const json_t *told, const char *at, FILE *out)
{
	const json_t *list = json_object_get(told, "findings"), *f;
	size_t i, conflicts = 0;

	json_array_foreach(list, i, f) conflicts += strcmp(value_text(f, "grade"), "conflict") == 0;
	fprintf(out, "%s: nothing has changed\n", at);
	if (conflicts && !value_true(told, "dry-run"))
		fprintf(out, "%s: %zu conflict%s in the books, which --dry-run lists\n", at,
			conflicts, plural((long long)conflicts));
}

void put_print(const json_t *told, FILE *out, FILE *err)
{
	const char *result = value_text(told, "result"), *lan = value_text(told, "lan"),
		   *file = value_text(told, "file"), *why = value_text(told, "why");
	const char *at = lan ? lan : "quell";
	bool changed = strcmp(result, "changed") == 0;

	if (changed || why || value_true(told, "dry-run"))
		put_print_findings(told, err);
	if (!value_true(told, "first"))
		put_print_changes(json_object_get(told, "changes"), CHANGES_MAX, out);
	if (why) {
		fprintf(err, "%s: %s: %s\n", at, result, why);
		if (file && access(file, F_OK) == 0)
			fprintf(err, "%s: %s stays as it is\n", at, file);
		else if (file)
			fprintf(err, "%s: nothing is written\n", at);
		return;
	}
	fprintf(out, "%s: ", at);
	print_counts(told, out);
	if (!changed)
		print_unchanged(told, at, out);
	else if (value_true(told, "written"))
		fprintf(out, "%s: %s is written%s\n", at, file,
			value_true(told, "first") ? "" : "; the one before is beside it, as .last");
	else
		fprintf(out, "%s: %s would be written: only looked at\n", at, file);
}
