/* The steps of a replacement, each of which can end it: join, read the one in force, compare, write as text, read that as quell-agent
 * will. Only then the file is touched. */
#include <config.h>

#include "cli/registry_put.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/registry_file.h"
#include "registry/diff.h"
#include "registry/safety.h"

#define SMALL 4 /* so few bindings less are a member that leaves; none if none may */

struct registry_lan registry_lan_of(const struct config_lan *lan)
{
	return lan ? (struct registry_lan){lan->prefixes, lan->prefix_count, lan->vlan}
		   : (struct registry_lan){0};
}

void put_fail(json_t *told, const char *result, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	json_t *why = json_vsprintf(fmt, ap);
	va_end(ap);
	json_object_set_new(told, "result", json_string(result));
	json_object_set_new(told, "why", why ? why : json_string("text that is not UTF-8"));
}

void put_findings(json_t *told, const struct registry_findings *f)
{
	static const char *const grades[] = {[REGISTRY_NOTE] = "note",
		[REGISTRY_CONFLICT] = "conflict",
		[REGISTRY_ERROR] = "error"};
	json_t *list = json_array();

	for (size_t i = 0; i < f->count; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s}", "grade", grades[f->list[i].grade], "text",
				      f->list[i].text));
	json_object_set_new(told, "findings", list);
	if (f->more)
		json_object_set_new(told, "findings-more", json_integer((json_int_t)f->more));
}

/* --- what changed --- */

static void add_change(void *arg, const struct registry_change *c)
{
	static const char *const ops[] = {[REGISTRY_CHANGED] = "changed",
		[REGISTRY_ADDED] = "added",
		[REGISTRY_REMOVED] = "removed"};
	json_t *o = json_pack("{s:s, s:s}", "op", ops[c->op], "name", c->name);

	if (c->key)
		json_object_set_new(o, "key", json_string(c->key));
	if (c->from)
		json_object_set_new(o, "from", json_string(c->from));
	if (c->to)
		json_object_set_new(o, "to", json_string(c->to));
	json_array_append_new(arg, o);
}

json_t *put_changes(const struct registry *was, const struct registry *is)
{
	json_t *list = json_array();

	registry_diff(was, is, add_change, list);
	return list;
}

/* --- the one in force --- */

/* 0 with *ret (NULL: none there, or none that counts), or 1 told. `ret_text` is the file as it is, NULL: none. */
static int load_in_force(
	const struct put_options *o, json_t *told, struct registry **ret, char **ret_text)
{
	char why[REGISTRY_ERROR_MAX] = "";
	size_t len;
	int r = registry_file_read(o->into, REGISTRY_FILE_MAX, ret_text, &len);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		put_fail(told, "failed", "%s: %s", o->into, strerror(-r));
		return 1;
	}
	if (!o->force && strncmp(*ret_text, REGISTRY_MARK, strlen(REGISTRY_MARK)) != 0) {
		put_fail(told, "refused",
			"%s was not written by quell registry, perhaps by hand: --force replaces "
			"it",
			o->into);
		return 1;
	}
	/* What the LAN is now is not asked of the old one. */
	r = registry_load(&o->into, 1, &(struct registry_lan){0}, ret, why);
	if (r < 0 && !o->force) {
		why[strcspn(why, "\n")] = '\0';
		put_fail(told, "refused",
			"%s in force is none to compare with (--force replaces it): %s", o->into,
			why[0] ? why : strerror(-r));
		return 1;
	}
	return 0;
}

/* --- the new one --- */

static char *to_text(const struct registry *r, const char *head, size_t *ret_len)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, ret_len);

	if (!to || registry_write(r, head, to) < 0 || fclose(to) != 0)
		err(1, NULL);
	return text;
}

/* The other files of its LAN; none if it is not one of them itself. */
static uint32_t others_of(const struct put_options *o)
{
	for (uint32_t i = 0; o->lan && i < o->lan->registry_count; i++)
		if (strcmp(o->lan->registry[i], o->into) == 0)
			return o->lan->registry_count;
	return 0;
}

/* Behind the first, which is not one of them. 0, or 1 told. */
static int read_others(
	const struct put_options *o, struct registry_file *files, size_t *count, json_t *told)
{
	uint32_t others = others_of(o);

	for (uint32_t i = 0; i < others; i++) {
		struct registry_file f = {.name = o->lan->registry[i]};
		char *text;
		if (strcmp(f.name, o->into) == 0)
			continue;
		int r = registry_file_read(f.name, REGISTRY_FILE_MAX, &text, &f.len);
		if (r < 0) {
			put_fail(told, "refused", "%s, which is of this LAN too: %s", f.name,
				strerror(-r));
			return 1;
		}
		f.text = text;
		files[(*count)++] = f;
	}
	return 0;
}

/* Beside the other files of the LAN it is read as quell-agent will. 0, or 1 told. */
static int check_text(const struct put_options *o, const char *text, size_t len, json_t *told)
{
	struct registry_file *files = calloc(others_of(o) + 1, sizeof(*files));
	struct registry_lan lan = registry_lan_of(o->lan);
	struct registry_findings f = {0};
	struct registry *r = NULL;
	size_t n = 1;

	if (!files)
		err(1, NULL);
	files[0] = (struct registry_file){.name = o->into, .text = text, .len = len};
	int rc = read_others(o, files, &n, told);
	if (rc == 0 && (rc = registry_import(files, n, &lan, true, &r, &f)) < 0) {
		put_findings(told, &f);
		put_fail(told, "refused", "quell-agent would not take it%s",
			n > 1 ? " beside the other files of this LAN" : "");
	}
	registry_findings_free(&f);
	registry_free(r);
	for (size_t i = 1; i < n; i++)
		free((char *)files[i].text);
	free(files);
	return rc != 0;
}

static void tell_step(json_t *told, const struct registry *r, const struct registry_step *step)
{
	json_object_set_new(told, "members", json_integer((json_int_t)r->member_count));
	json_object_set_new(told, "ports", json_integer((json_int_t)r->port_count));
	json_object_set_new(told, "bindings",
		json_pack("{s:I, s:I, s:I, s:I}", "were", (json_int_t)step->bindings_was, "are",
			(json_int_t)step->bindings_is, "removed", (json_int_t)step->removed,
			"added", (json_int_t)step->added));
	json_object_set_new(told, "macs-kept", json_integer((json_int_t)step->swapped));
}

/* 0, or 1 told. */
static int compare(const struct put_options *o, const struct registry *was, struct registry *is, size_t conflicts,
	json_t *told)
{
	struct registry_limits limits = {
		.max_removed_percent = o->max_removed, .small = o->max_removed ? SMALL : 0};
	struct registry_step step;

	registry_replace(was, is, &limits, &step);
	tell_step(told, is, &step);
	json_object_set_new(told, "changes", put_changes(was, is));
	if (!o->force && step.refused) {
		put_fail(told, "refused", "%s; if that is right: --force", step.why);
		return 1;
	}
	/* Of two that claim the same, the later one in the files loses it: that may be the one that had it all along. */
	if (!o->force && conflicts && step.taken) {
		put_fail(told, "refused",
			"it contradicts itself, and %zu binding%s would go to somebody else by it; if that is right: --force",
			step.taken, step.taken == 1 ? "" : "s");
		return 1;
	}
	return 0;
}

static int write_it(const struct put_options *o, const char *text, size_t len, json_t *told)
{
	int r = o->dry_run ? 0 : registry_file_put(o->into, text, len);

	if (r < 0) {
		put_fail(told, "failed", "%s cannot be written: %s", o->into, strerror(-r));
		return 1;
	}
	json_object_set_new(told, "result", json_string("changed"));
	json_object_set_new(told, "written", json_boolean(!o->dry_run));
	return 0;
}

static int replace(struct registry *is, const struct put_options *o, size_t conflicts, json_t *told)
{
	struct registry *was = NULL;
	char *old = NULL, *text = NULL;
	size_t len = 0;
	int r = load_in_force(o, told, &was, &old);

	if (r == 0)
		r = compare(o, was, is, conflicts, told);
	if (r == 0) {
		text = to_text(is, o->head, &len);
		r = check_text(o, text, len, told);
	}
	if (r == 0 && old && strcmp(old, text) == 0)
		json_object_set_new(told, "result", json_string("unchanged"));
	else if (r == 0)
		r = write_it(o, text, len, told);
	json_object_set_new(told, "first", json_boolean(!was));
	registry_free(was);
	free(old);
	free(text);
	return r;
}

/* Nobody, or nobody at a port where ports are told: the wrong VLAN, or switches of somebody else. 0, or 1 told. */
static int check_empty(
	const struct registry_file *files, size_t count, const struct registry *r, json_t *told)
{
	bool told_ports = false;

	for (size_t i = 0; i < count; i++)
		told_ports |= registry_kind_of(files[i].text, files[i].len) == REGISTRY_KIND_LAYER2;
	for (size_t i = 0; i < r->port_count; i++) {
		const struct registry_port *p = &r->ports[i];
		if (p->port[0] || (!told_ports && (p->mac_count || p->ip_count)))
			return 0;
	}
	put_fail(told, "refused",
		told_ports
			? "the switches have nothing of this LAN: is its vlan right? If so: --force"
			: "nobody in it has anything of this LAN; if that is right: --force");
	return 1;
}

int registry_put(
	const struct registry_file *files, size_t count, const struct put_options *o, json_t *told)
{
	struct registry_lan lan = registry_lan_of(o->lan);
	struct registry_findings f = {0};
	struct registry *is = NULL;

	json_object_set_new(told, "file", json_string(o->into));
	json_object_set_new(told, "written", json_false());
	json_object_set_new(told, "dry-run", json_boolean(o->dry_run));
	int r = registry_import(files, count, &lan, false, &is, &f);
	put_findings(told, &f);
	if (r < 0)
		put_fail(told, "failed", "no registry comes of it: %zu error%s", f.errors,
			f.errors == 1 ? "" : "s");
	size_t conflicts = f.conflicts;
	registry_findings_free(&f);
	if (r < 0)
		return 1;
	r = o->force ? 0 : check_empty(files, count, is, told);
	if (r == 0)
		r = replace(is, o, conflicts, told);
	registry_free(is);
	return r;
}
