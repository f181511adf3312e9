/* See yaml.h. The file is parsed twice: by libyaml into a tree that keeps the place of every node, and by libcyaml into the
 * caller's struct. libcyaml's own messages name the last value it had finished, so for them the place is looked up
 * in the tree as well. */
#include "lib/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/text.h"

#define FILE_MAX (64u << 20)

struct yaml_file {
	char *path;
	uint8_t *text;
	size_t len;
	yaml_document_t doc;
	bool has_doc;
	/* What libcyaml said: the message, and the places of its backtrace, innermost first. */
	char message[200];
	unsigned place_count;
	struct {
		unsigned line, column;
	} place[8];
};

static void add_error(struct yaml_errors *errs, const char *line)
{
	errs->count++;
	if (errs->len >= errs->cap)
		return;
	int n = snprintf(errs->buf + errs->len, errs->cap - errs->len, "%s%s",
		errs->len ? "\n" : "", line);
	if ((size_t)n >= errs->cap - errs->len) {
		errs->buf[errs->len] = '\0'; /* whole lines only */
		errs->cap = errs->len;
	} else {
		errs->len += (size_t)n;
	}
}

static void error_at(const struct yaml_file *f, struct yaml_errors *errs, unsigned line,
	unsigned column, const char *text)
{
	char buf[400];

	snprintf(buf, sizeof(buf), "%s:%u:%u: %s", f->path, line, column, text);
	add_error(errs, buf);
}

static void file_error(const char *path, struct yaml_errors *errs, int err)
{
	char buf[400];

	snprintf(buf, sizeof(buf), "%s: %s", path, strerror(err));
	add_error(errs, buf);
}

static int read_text(struct yaml_file *f)
{
	FILE *in = fopen(f->path, "rb");
	size_t cap = 0;
	int r = 0;

	if (!in)
		return -errno;
	while (r == 0) {
		if (f->len == cap) {
			cap = cap ? 2 * cap : 65536;
			uint8_t *more = cap > FILE_MAX ? NULL : realloc(f->text, cap);
			if (!more) {
				r = cap > FILE_MAX ? -EFBIG : -ENOMEM;
				break;
			}
			f->text = more;
		}
		size_t n = fread(f->text + f->len, 1, cap - f->len, in);
		f->len += n;
		if (n == 0) {
			r = ferror(in) ? -EIO : 0;
			break;
		}
	}
	fclose(in);
	return r;
}

static int parse_tree(struct yaml_file *f, struct yaml_errors *errs)
{
	yaml_parser_t parser;
	yaml_document_t second;
	char buf[200];
	int r = 0;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, f->text, f->len);
	if (!yaml_parser_load(&parser, &f->doc)) {
		snprintf(buf, sizeof(buf), "not YAML: %s", parser.problem ? parser.problem : "?");
		error_at(f, errs, (unsigned)parser.problem_mark.line + 1,
			(unsigned)parser.problem_mark.column + 1, buf);
		r = -EINVAL;
	} else {
		f->has_doc = true;
		if (!yaml_document_get_root_node(&f->doc)) {
			error_at(f, errs, 1, 1, "the file is empty");
			r = -EINVAL;
		} else if (!yaml_parser_load(&parser, &second)) {
			error_at(f, errs, (unsigned)parser.problem_mark.line + 1, 1, "not YAML");
			r = -EINVAL;
		} else {
			yaml_node_t *root = yaml_document_get_root_node(&second);
			if (root) {
				error_at(f, errs, (unsigned)root->start_mark.line + 1,
					(unsigned)root->start_mark.column + 1,
					"a second document: one is expected");
				r = -EINVAL;
			}
			yaml_document_delete(&second);
		}
	}
	yaml_parser_delete(&parser);
	return r;
}

/* libcyaml speaks in lines: a message, "Backtrace:", then one place a line. */
__attribute__((format(printf, 3, 0))) static void on_cyaml_log(cyaml_log_t level, void *ctx,
	const char *fmt, va_list args)
{
	struct yaml_file *f = ctx;
	char line[200];
	const char *at;

	(void)level;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	at = strstr(line, "(line: ");
	if (at && f->place_count < sizeof(f->place) / sizeof(f->place[0])) {
		if (sscanf(at, "(line: %u, column: %u)", &f->place[f->place_count].line,
			    &f->place[f->place_count].column) == 2)
			f->place_count++;
	} else if (!f->message[0] && !strstr(line, "Backtrace")) {
		snprintf(f->message, sizeof(f->message), "%s",
			strncmp(line, "Load: ", 6) == 0 ? line + 6 : line);
	}
}

/* The first key `name` of any mapping at or behind a place. */
static const yaml_node_t *find_key_after(struct yaml_file *f, const char *name, unsigned line)
{
	const yaml_node_t *best = NULL;

	for (yaml_node_t *n = f->doc.nodes.start; n < f->doc.nodes.top; n++) {
		if (n->type != YAML_MAPPING_NODE)
			continue;
		for (yaml_node_pair_t *p = n->data.mapping.pairs.start;
			p < n->data.mapping.pairs.top; p++) {
			const yaml_node_t *k = yaml_document_get_node(&f->doc, p->key);
			if (k && k->type == YAML_SCALAR_NODE && k->start_mark.line + 1 >= line &&
				strcmp((const char *)k->data.scalar.value, name) == 0 &&
				(!best || k->start_mark.index < best->start_mark.index))
				best = k;
		}
	}
	return best;
}

/* Turns libcyaml's message into a line with the place it is about. */
static void cyaml_error(struct yaml_file *f, struct yaml_errors *errs, cyaml_err_t e)
{
	static const char unexpected[] = "Unexpected key: ", missing[] = "Missing required mapping field: ";
	static const char seen[] = "Mapping field already seen: ";
	unsigned i = 0, line, column;
	char text[300], raw[200];
	int value = 0;
	const yaml_node_t *key = NULL;

	line = f->place_count ? f->place[0].line : 1;
	column = f->place_count ? f->place[0].column : 1;
	text_escape(raw, sizeof(raw), f->message, strlen(f->message));
	if (strncmp(f->message, unexpected, strlen(unexpected)) == 0) {
		key = find_key_after(f, f->message + strlen(unexpected), line);
		snprintf(text, sizeof(text), "unknown key: %s", raw + strlen(unexpected));
	} else if (strncmp(f->message, seen, strlen(seen)) == 0) {
		key = find_key_after(f, f->message + strlen(seen), line + 1);
		snprintf(text, sizeof(text), "key given twice: %s", raw + strlen(seen));
	} else if (strncmp(f->message, missing, strlen(missing)) == 0) {
		i = f->place_count > 1 ? 1 : 0;
		if (f->place_count) {
			line = f->place[i].line;
			column = f->place[i].column;
		}
		snprintf(text, sizeof(text), "missing key: %s", raw + strlen(missing));
	} else if (sscanf(f->message, "Invalid %*[a-z0-9_] value: %n", &value) == 0 && value) {
		snprintf(text, sizeof(text), "expected a number: %s", raw + value);
	} else {
		snprintf(text, sizeof(text), "%s", raw[0] ? raw : cyaml_strerror(e));
	}
	if (key) {
		line = (unsigned)key->start_mark.line + 1;
		column = (unsigned)key->start_mark.column + 1;
	}
	error_at(f, errs, line, column, text);
}

static cyaml_config_t cyaml_config_of(struct yaml_file *f)
{
	return (cyaml_config_t){.log_fn = on_cyaml_log,
		.log_ctx = f,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_WARNING,
		.flags = CYAML_CFG_DEFAULT | CYAML_CFG_NO_ALIAS};
}

static struct yaml_file *file_new(const char *path)
{
	struct yaml_file *f = calloc(1, sizeof(*f));

	if (f && !(f->path = strdup(path))) {
		free(f);
		f = NULL;
	}
	return f;
}

/* `f`, whose text is read, is freed if it is not good; `r` is how reading it went. */
static int load(struct yaml_file *f, int r, const cyaml_schema_value_t *schema, struct yaml_errors *errs,
	struct yaml_file **ret, void **ret_data)
{
	void *data = NULL;

	if (r < 0)
		file_error(f->path, errs, -r);
	else
		r = parse_tree(f, errs);
	if (r == 0) {
		cyaml_config_t config = cyaml_config_of(f);
		cyaml_err_t e = cyaml_load_data(f->text, f->len, &config, schema, &data, NULL);
		if (e != CYAML_OK) {
			cyaml_error(f, errs, e);
			r = -EINVAL;
		}
	}
	if (r < 0) {
		yaml_file_free(f);
		return r;
	}
	*ret = f;
	*ret_data = data;
	return 0;
}

int yaml_file_load(const char *path, const cyaml_schema_value_t *schema, struct yaml_errors *errs,
	struct yaml_file **ret, void **ret_data)
{
	struct yaml_file *f = file_new(path);

	return f ? load(f, read_text(f), schema, errs, ret, ret_data) : -ENOMEM;
}

int yaml_text_load(const char *name, const char *text, size_t len, const cyaml_schema_value_t *schema,
	struct yaml_errors *errs, struct yaml_file **ret, void **ret_data)
{
	struct yaml_file *f = file_new(name);
	int r = len > FILE_MAX ? -EFBIG : 0;

	if (!f)
		return -ENOMEM;
	if (r == 0 && !(f->text = malloc(len ? len : 1)))
		r = -ENOMEM;
	if (r == 0) {
		memcpy(f->text, text, len);
		f->len = len;
	}
	return load(f, r, schema, errs, ret, ret_data);
}

void yaml_file_free_data(const cyaml_schema_value_t *schema, void *data)
{
	cyaml_config_t config = {.mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR};

	cyaml_free(&config, schema, data, 0);
}

void yaml_file_free(struct yaml_file *f)
{
	if (!f)
		return;
	if (f->has_doc)
		yaml_document_delete(&f->doc);
	free(f->text);
	free(f->path);
	free(f);
}

static yaml_node_t *child(struct yaml_file *f, yaml_node_t *n, const char *key, size_t len, long at)
{
	if (n->type == YAML_SEQUENCE_NODE && at >= 0) {
		yaml_node_item_t *item = n->data.sequence.items.start + at;
		return item < n->data.sequence.items.top ? yaml_document_get_node(&f->doc, *item)
							 : NULL;
	}
	if (n->type != YAML_MAPPING_NODE || at >= 0)
		return NULL;
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_document_get_node(&f->doc, p->key);
		if (k && k->type == YAML_SCALAR_NODE && k->data.scalar.length == len &&
			memcmp(k->data.scalar.value, key, len) == 0)
			return yaml_document_get_node(&f->doc, p->value);
	}
	return NULL;
}

/* The node at "a.b[2].c", or the nearest one on the way there. */
static const yaml_node_t *locate(struct yaml_file *f, const char *where)
{
	yaml_node_t *n = yaml_document_get_root_node(&f->doc);

	while (*where) {
		yaml_node_t *next;
		if (*where == '[') {
			char *end;
			long at = strtol(where + 1, &end, 10);
			next = child(f, n, NULL, 0, at);
			where = *end == ']' ? end + 1 : end;
		} else {
			size_t len = strcspn(where, ".[");
			next = child(f, n, where, len, -1);
			where += len;
		}
		if (*where == '.')
			where++;
		if (!next)
			break;
		n = next;
	}
	return n;
}

void yaml_file_error(struct yaml_file *f, struct yaml_errors *errs, const char *where, const char *fmt,
	...)
{
	const yaml_node_t *n = locate(f, where);
	char what[200], safe[260], line[360];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	text_escape(safe, sizeof(safe), what, strlen(what));
	snprintf(line, sizeof(line), "%s%s%s", where, *where ? ": " : "", safe);
	error_at(f, errs, (unsigned)n->start_mark.line + 1, (unsigned)n->start_mark.column + 1, line);
}
