/* Both daemons are asked what they would do first, and only when neither objects they are asked to do it: the file is
 * one, and it is taken whole or not at all. A daemon that does not run here has no say. */
#include "cli/reload.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "cli/control.h"
#include "lib/text.h"

#define LINE 1024

struct reply {
	enum control_daemon daemon;
	json_t *answer; /* NULL: it does not run */
};

/* 0; -ENOENT: it does not run; other -errno, told. */
static int ask(const struct reload_options *o, bool dry_run, struct reply *r, FILE *err)
{
	json_t *request = json_pack("{s:s, s:b}", "do", "reload", "dry_run", dry_run);
	char error[CONTROL_ERROR_MAX];

	json_decref(r->answer);
	r->answer = NULL;
	int rc = control_ask(r->daemon, o->dir, request, &r->answer, error);
	json_decref(request);
	if (rc < 0 && rc != -ENOENT)
		fprintf(err, "quell: %s\n", error);
	return rc;
}

static bool is_refused(const struct reply *r)
{
	return json_array_size(json_object_get(r->answer, "errors")) > 0;
}

/* --- for people --- */

static const char *safe(const json_t *o, const char *key, char buf[LINE])
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text_escape(buf, LINE, text, strlen(text)) : "";
}

static char sign_of(const json_t *change)
{
	const char *op = json_string_value(json_object_get(change, "op"));

	return !op ? '?' : op[0] == 'a' ? '+' : op[0] == 'r' ? '-' : '~';
}

static void print_changes(const struct reply *r, FILE *out)
{
	const json_t *list = json_object_get(r->answer, "changes"), *change;
	char text[LINE], effect[LINE];
	size_t i;

	json_array_foreach(list, i, change) fprintf(out, "%c %s (%s)\n", sign_of(change),
		safe(change, "text", text), safe(change, "effect", effect));
}

static void print_errors(const struct reply *r, FILE *err)
{
	const json_t *list = json_object_get(r->answer, "errors"), *line;
	char buf[LINE];
	size_t i;

	json_array_foreach(list, i, line)
	{
		const char *text = json_string_value(line);
		if (text)
			fprintf(err, "%s: %s\n", control_name(r->daemon),
				text_escape(buf, sizeof(buf), text, strlen(text)));
	}
}

static void print_outcome(const struct reply *r, bool refused, FILE *out)
{
	const char *name = control_name(r->daemon);
	size_t n = json_array_size(json_object_get(r->answer, "changes"));

	if (!r->answer)
		return;
	if (!n && !is_refused(r))
		fprintf(out, "%s: nothing has changed\n", name);
	else if (n && json_is_true(json_object_get(r->answer, "applied")))
		fprintf(out, "%s: %zu change%s done\n", name, n, n == 1 ? "" : "s");
	else if (n)
		fprintf(out, "%s: %zu change%s, not done%s\n", name, n, n == 1 ? "" : "s",
			refused ? "" : ": only looked at");
}

/* --- all of it --- */

static void print(const struct reload_options *o, const struct reply *r, size_t n, bool refused,
	FILE *out, FILE *err)
{
	if (o->json) {
		json_t *all = json_object();
		for (size_t i = 0; i < n; i++)
			json_object_set(all, control_name(r[i].daemon),
				r[i].answer ? r[i].answer : json_null());
		json_dumpf(all, out, JSON_INDENT(2));
		fputc('\n', out);
		json_decref(all);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		print_changes(&r[i], out);
		print_errors(&r[i], err);
		print_outcome(&r[i], refused, out);
	}
}

int reload(const struct reload_options *o, FILE *out, FILE *err)
{
	struct reply r[] = {{CONTROL_QUELLD, NULL}, {CONTROL_AGENT, NULL}};
	bool refused = false, failed = false;
	int running = 0;

	for (size_t i = 0; i < 2; i++) {
		int rc = ask(o, true, &r[i], err);
		running += rc != -ENOENT;
		failed |= rc < 0 && rc != -ENOENT;
		refused |= r[i].answer && is_refused(&r[i]);
	}
	if (!running) {
		fprintf(err, "quell: neither quelld nor quell-agent is running in %s\n", o->dir);
		return 1;
	}
	for (size_t i = 0; i < 2 && !o->dry_run && !refused && !failed; i++) {
		if (r[i].answer && ask(o, false, &r[i], err) < 0)
			failed = true;
		refused |= r[i].answer && is_refused(&r[i]);
	}
	print(o, r, 2, refused, out, err);
	for (size_t i = 0; i < 2; i++)
		json_decref(r[i].answer);
	return refused || failed;
}
