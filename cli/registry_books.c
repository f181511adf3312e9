/* `quell registry import | diff | check`: registries from files alone. */
#include <config.h>

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/registry.h"
#include "cli/registry_file.h"
#include "cli/registry_put.h"
#include "cli/value.h"
#include "registry/safety.h"

#define MAX_REMOVED 10 /* per cent, where no LAN says another */
#define HEAD "import: what is changed here is lost with the next one."

/* --- files --- */

struct books {
	struct registry_file *files;
	char **names, **switches;
	size_t count;
};

static void books_free(struct books *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free((char *)b->files[i].text);
		free(b->names[i]);
		free(b->switches[i]);
	}
	free(b->files);
	free(b->names);
	free(b->switches);
}

static char *copy(const char *text, size_t len)
{
	char *s = strndup(text, len);

	if (!s)
		err(1, NULL);
	return s;
}

/* FILE, FILE@PE or FILE@PE,SWITCH; a file that is there by the whole word is that. False: not understood. */
static bool split(const char *word, struct registry_file *f, char **ret_name, char **ret_switch)
{
	const char *at = strrchr(word, '@'), *comma = at ? strchr(at, ',') : NULL;
	struct ip pe = {0};

	*ret_switch = NULL;
	if (!at || access(word, F_OK) == 0) {
		*ret_name = copy(word, strlen(word));
		return true;
	}
	*ret_name = copy(word, (size_t)(at - word));
	char *text = copy(at + 1, comma ? (size_t)(comma - at - 1) : strlen(at + 1));
	bool good = (!text[0] && comma) || (ip_parse(text, &pe) == 0 && pe.family == 4);
	free(text);
	if (comma && comma[1])
		*ret_switch = copy(comma + 1, strlen(comma + 1));
	f->pe = ip_to_u32(pe);
	f->sw = *ret_switch;
	return good && **ret_name;
}

/* 0, or 1 told. */
static int books_read(char **words, int count, struct books *ret)
{
	struct books b = {calloc((size_t)count, sizeof(*b.files)),
		calloc((size_t)count, sizeof(char *)), calloc((size_t)count, sizeof(char *)), 0};

	if (!b.files || !b.names || !b.switches)
		err(1, NULL);
	for (int i = 0; i < count; i++) {
		struct registry_file *f = &b.files[b.count];
		char *text = NULL;
		bool good = split(words[i], f, &b.names[b.count], &b.switches[b.count]);
		f->name = b.names[b.count++];
		int r = good ? registry_file_read(f->name, REGISTRY_FILE_MAX, &text, &f->len) : 0;
		f->text = text;
		if (good && r == 0)
			continue;
		if (!good)
			fprintf(stderr,
				"quell: %s: expected FILE@PE or FILE@PE,SWITCH, PE a router id\n",
				words[i]);
		else
			fprintf(stderr, "quell: %s: %s\n", f->name, strerror(-r));
		books_free(&b);
		return 1;
	}
	*ret = b;
	return 0;
}

/* --- import --- */

static int put_into(
	const struct registry_options *o, const struct config_lan *lan, const struct books *b)
{
	struct put_options put = {.lan = lan,
		.into = o->out,
		.head = &REGISTRY_MARK HEAD[2],
		.max_removed = lan ? lan->fetch.max_removed : MAX_REMOVED,
		.force = o->force,
		.dry_run = o->dry_run};
	json_t *told = json_object();
	int lock = o->dry_run ? 0 : registry_file_lock(o->out), r = 1;

	json_object_set_new(told, "file", json_string(o->out));
	if (lock == -EWOULDBLOCK)
		put_fail(told, "failed", "somebody else is at it: %s.lock is held", o->out);
	else if (lock < 0)
		put_fail(told, "failed", "%s.lock: %s", o->out, strerror(-lock));
	else
		r = registry_put(b->files, b->count, &put, told);
	if (lock > 0)
		close(lock);
	if (o->json) {
		registry_dump(told);
		return r;
	}
	put_print(told, stdout, stderr);
	json_decref(told);
	return r;
}

static int put_out(const struct config_lan *lan, const struct books *b)
{
	struct registry_lan l = registry_lan_of(lan);
	struct registry_findings f = {0};
	struct registry *r = NULL;
	json_t *told = json_object();
	int rc = registry_import(b->files, b->count, &l, false, &r, &f);

	put_findings(told, &f);
	put_print_findings(told, stderr);
	if (rc == 0)
		rc = registry_write(r, &REGISTRY_MARK HEAD[2], stdout);
	if (rc < 0 && !f.errors)
		fprintf(stderr, "quell: standard output: %s\n", strerror(-rc));
	json_decref(told);
	registry_findings_free(&f);
	registry_free(r);
	return rc < 0;
}

static int import_books(
	const struct registry_options *o, const struct config_lan *lan, const struct books *b)
{
	return o->out ? put_into(o, lan, b) : put_out(lan, b);
}

/* The files that the words name, and the LAN that the options do, for `fn`. */
static int with_books(const struct registry_options *o, char **words, int count,
	int (*fn)(const struct registry_options *o, const struct config_lan *lan, const struct books *b))
{
	const struct config_lan *lan;
	struct config *c;
	struct books b;

	if (!registry_find_lan(o, &c, &lan))
		return 1;
	int r = books_read(words, count, &b);
	if (r == 0) {
		r = fn(o, lan, &b);
		books_free(&b);
	}
	config_free(c);
	return r;
}

int registry_do_import(const struct registry_options *o, char **words, int count)
{
	return with_books(o, words, count, import_books);
}

/* --- diff --- */

static struct registry *load(const char *file)
{
	char why[REGISTRY_ERROR_MAX] = "";
	struct registry *r = NULL;
	int rc = registry_load(&file, 1, &(struct registry_lan){0}, &r, why);

	if (rc < 0)
		fprintf(stderr, "%s%s%s\n", why[0] ? why : file, why[0] ? "" : ": ",
			why[0] ? "" : strerror(-rc));
	return r;
}

int registry_do_diff(const struct registry_options *o, const char *was_file, const char *is_file)
{
	struct registry *was = load(was_file), *is = was ? load(is_file) : NULL;
	int r = 1;

	if (is) {
		json_t *changes = put_changes(was, is);
		r = 0;
		if (!o->json)
			put_print_changes(changes, SIZE_MAX, stdout);
		if (!o->json && !json_array_size(changes))
			puts("the same");
		if (o->json)
			registry_dump(json_pack("{s:O}", "changes", changes));
		json_decref(changes);
	}
	registry_free(was);
	registry_free(is);
	return r;
}

/* --- check --- */

static json_t *counts(const struct registry *r)
{
	size_t macs = 0, ips = 0;

	for (size_t i = 0; i < r->port_count; i++) {
		macs += r->ports[i].mac_count;
		ips += r->ports[i].ip_count;
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "members", (json_int_t)r->member_count,
		"ports", (json_int_t)r->port_count, "macs", (json_int_t)macs, "addresses",
		(json_int_t)ips, "unassigned", (json_int_t)r->unassigned_count);
}

static void print_counts(const json_t *counts)
{
	static const struct {
		const char *key, *one, *many;
	} words[] = {{"members", "member", "members"}, {"ports", "port", "ports"},
		{"macs", "MAC", "MACs"}, {"addresses", "address", "addresses"},
		{"unassigned", "given to nobody", "given to nobody"}};
	const char *sep = "good: ";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		long long n = value_number(counts, words[i].key);
		printf("%s%lld %s", sep, n, n == 1 ? words[i].one : words[i].many);
		sep = ", ";
	}
	putchar('\n');
}

static int check_books(
	const struct registry_options *o, const struct config_lan *lan, const struct books *b)
{
	struct registry_lan l = registry_lan_of(lan);
	struct registry_findings f = {0};
	struct registry *r = NULL;
	json_t *told = json_object();
	int rc = registry_import(b->files, b->count, &l, true, &r, &f);

	json_object_set_new(told, "ok", json_boolean(rc == 0));
	put_findings(told, &f);
	if (rc == 0)
		json_object_set_new(told, "counts", counts(r));
	if (o->json) {
		registry_dump(json_incref(told));
	} else {
		put_print_findings(told, stderr);
		if (rc == 0)
			print_counts(json_object_get(told, "counts"));
	}
	json_decref(told);
	registry_findings_free(&f);
	registry_free(r);
	return rc < 0;
}

int registry_do_check(const struct registry_options *o, char **words, int count)
{
	return with_books(o, words, count, check_books);
}
