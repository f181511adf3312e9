#include "registry/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/books.h"
#include "registry/json.h"
#include "registry/read.h"
#include "registry/yaml.h"

/* --- kinds --- */

static const char *const kinds[] = {
	[REGISTRY_KIND_UNKNOWN] = "unknown",
	[REGISTRY_KIND_YAML] = "yaml",
	[REGISTRY_KIND_IXF] = "ixf",
	[REGISTRY_KIND_LAYER2] = "layer2",
	[REGISTRY_KIND_VLANS] = "vlans",
	[REGISTRY_KIND_ADDRESSES] = "addresses",
};

const char *registry_kind_name(enum registry_kind k)
{
	return k <= REGISTRY_KIND_ADDRESSES ? kinds[k] : kinds[REGISTRY_KIND_UNKNOWN];
}

static const struct {
	const char *key;
	enum registry_kind kind;
} keys[] = {
	{"member_list", REGISTRY_KIND_IXF},
	{"ixp_list", REGISTRY_KIND_IXF},
	{"layer2interfaces", REGISTRY_KIND_LAYER2},
	{"vlans", REGISTRY_KIND_VLANS},
	{"ipv4", REGISTRY_KIND_ADDRESSES},
	{"ipv6", REGISTRY_KIND_ADDRESSES},
	{"members", REGISTRY_KIND_YAML},
	{"unassigned", REGISTRY_KIND_YAML},
};

static enum registry_kind kind_of_key(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strlen(keys[i].key) == len && memcmp(keys[i].key, text, len) == 0)
			return keys[i].kind;
	return REGISTRY_KIND_UNKNOWN;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_space(const char *text, size_t len, size_t at)
{
	while (at < len && is_space(text[at]))
		at++;
	return at;
}

/* Behind the byte order mark that some programs begin with. */
static size_t text_begin(const char *text, size_t len)
{
	return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* The first key known of an object that is not inside another; nothing is asked of the rest. Of YAML's flow style, whose keys
 * need no quotes, the very first. */
static enum registry_kind kind_of_object(const char *text, size_t len)
{
	size_t depth = 0, from = skip_space(text, len, 1), end = from;

	while (end < len && text[end] >= 'a' && text[end] <= 'z')
		end++;
	if (end < len && text[end] == ':')
		return kind_of_key(text + from, end - from);
	for (size_t at = 0; at < len; at++) {
		char c = text[at];
		depth += c == '{' || c == '[';
		depth -= depth && (c == '}' || c == ']');
		if (c != '"')
			continue;
		for (from = ++at; at < len && text[at] != '"'; at++)
			at += text[at] == '\\';
		size_t behind = skip_space(text, len, at + 1);
		enum registry_kind k = REGISTRY_KIND_UNKNOWN;
		if (depth == 1 && behind < len && text[behind] == ':')
			k = kind_of_key(text + from, at - from);
		if (k != REGISTRY_KIND_UNKNOWN)
			return k;
	}
	return REGISTRY_KIND_UNKNOWN;
}

/* A key of ours at the begin of a line. */
static bool is_yaml(const char *text, size_t len)
{
	for (size_t at = 0; at < len; at++) {
		if (at && text[at - 1] != '\n')
			continue;
		size_t from = at + (text[at] == '"' || text[at] == '\''), end = from;
		while (end < len && text[end] >= 'a' && text[end] <= 'z')
			end++;
		if (kind_of_key(text + from, end - from) == REGISTRY_KIND_YAML)
			return true;
	}
	return false;
}

enum registry_kind registry_kind_of(const char *text, size_t len)
{
	size_t at = skip_space(text, len, text_begin(text, len));

	if (at < len && text[at] == '{')
		return kind_of_object(text + at, len - at);
	return is_yaml(text, len) ? REGISTRY_KIND_YAML : REGISTRY_KIND_UNKNOWN;
}

/* --- reading --- */

static bool is_json(const struct registry_file *f)
{
	size_t at = skip_space(f->text, f->len, text_begin(f->text, f->len));

	return at < f->len && (f->text[at] == '{' || f->text[at] == '[');
}

static void read_json(struct books *books, const struct registry_file *f, enum registry_kind kind, const json_t *root)
{
	switch (kind) {
	case REGISTRY_KIND_IXF:
		registry_ixf_read(books, root);
		break;
	case REGISTRY_KIND_LAYER2:
		registry_layer2_read(books, root, f->pe, f->sw);
		break;
	case REGISTRY_KIND_VLANS:
		registry_vlans_read(books, root);
		break;
	case REGISTRY_KIND_ADDRESSES:
		registry_addresses_read(books, root);
		break;
	default:
		build_say(books->b, REGISTRY_ERROR, "", NULL,
			"neither an IX-F export nor layer2interfaces, vlans or ip-addresses of IXP Manager");
	}
}

struct reading {
	const struct registry_file *files;
	size_t count;
	struct build_source *sources;
	json_t **roots;
	struct build b;
	struct books books;
};

/* Of one kind all files; those that are of no kind are told with the YAML ones, whose reader says what is wrong with them. */
static void read_kind(struct reading *r, enum registry_kind kind)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct registry_file *f = &r->files[i];
		enum registry_kind k = registry_kind_of(f->text, f->len);
		size_t from = text_begin(f->text, f->len);
		if (k == REGISTRY_KIND_UNKNOWN && !is_json(f))
			k = REGISTRY_KIND_YAML;
		if (k != kind)
			continue;
		r->b.source = &r->sources[i];
		if (f->len > REGISTRY_FILE_MAX) {
			build_say(&r->b, REGISTRY_ERROR, "", NULL, "too large a file");
		} else if (k == REGISTRY_KIND_YAML) {
			registry_yaml_read(&r->b, &r->sources[i], f->text, f->len);
		} else {
			r->roots[i] = registry_json_parse(&r->b, f->text + from, f->len - from);
			if (r->roots[i])
				read_json(&r->books, f, k, r->roots[i]);
		}
	}
}

struct registry *registry_read(const struct registry_file *files, size_t count, const struct registry_lan *lan,
	build_line_fn *line, void *arg)
{
	/* What another kind needs to be read comes before it. */
	static const enum registry_kind order[] = {REGISTRY_KIND_YAML, REGISTRY_KIND_UNKNOWN, REGISTRY_KIND_VLANS,
		REGISTRY_KIND_IXF, REGISTRY_KIND_LAYER2, REGISTRY_KIND_ADDRESSES};
	struct reading r = {.files = files, .count = count};

	r.sources = calloc(count + 1, sizeof(*r.sources));
	r.roots = calloc(count + 1, sizeof(json_t *));
	if (!r.sources || !r.roots)
		abort();
	for (size_t i = 0; i < count; i++)
		r.sources[i].name = files[i].name;
	build_init(&r.b, lan, line, arg);
	books_init(&r.books, &r.b);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		read_kind(&r, order[i]);
	if (!r.b.errors)
		registry_join(&r.books);
	struct registry *reg = build_end(&r.b);
	books_free(&r.books);
	for (size_t i = 0; i < count; i++) {
		registry_yaml_close(&r.sources[i]);
		json_decref(r.roots[i]);
	}
	free(r.roots);
	free(r.sources);
	return reg;
}

/* --- findings --- */

struct finder {
	struct registry_findings *f;
	bool strict;
};

/* Where there is no room, what is graver takes the place of the last that is less so. */
static struct registry_finding *find_room(struct registry_findings *f, enum registry_grade grade)
{
	if (!f->list && !(f->list = calloc(REGISTRY_FINDINGS_MAX, sizeof(*f->list))))
		abort();
	if (f->count < REGISTRY_FINDINGS_MAX)
		return &f->list[f->count++];
	f->more++;
	for (size_t i = f->count; i-- > 0;) {
		if (f->list[i].grade >= grade)
			continue;
		memmove(&f->list[i], &f->list[i + 1], (f->count - i - 1) * sizeof(*f->list));
		return &f->list[f->count - 1];
	}
	return NULL;
}

static void add_finding(void *arg, enum registry_grade grade, const char *line)
{
	struct finder *fi = arg;

	if (grade == REGISTRY_CONFLICT && fi->strict)
		grade = REGISTRY_ERROR;
	fi->f->errors += grade == REGISTRY_ERROR;
	fi->f->conflicts += grade == REGISTRY_CONFLICT;
	struct registry_finding *to = find_room(fi->f, grade);
	if (to) {
		to->grade = grade;
		snprintf(to->text, sizeof(to->text), "%s", line);
	}
}

void registry_findings_free(struct registry_findings *f)
{
	free(f->list);
	*f = (struct registry_findings){0};
}

int registry_import(const struct registry_file *files, size_t count, const struct registry_lan *lan, bool strict,
	struct registry **ret, struct registry_findings *ret_f)
{
	struct finder fi = {ret_f, strict};

	*ret_f = (struct registry_findings){0};
	struct registry *reg = registry_read(files, count, lan, add_finding, &fi);
	if (ret_f->errors) {
		registry_free(reg);
		return -EINVAL;
	}
	*ret = reg;
	return 0;
}
