/* YAML files read whole and checked: libcyaml brings a file into a struct by a schema table, libyaml tells where in the file
 * each value stands, so that every error, of syntax, of schema or of meaning, is a line "file:line:column: path: what".
 *
 * Errors are collected: a reader goes on after the first and says all it found, up to what the buffer holds.
 */
#pragma once
#include <cyaml/cyaml.h>
#include <stddef.h>

/* Lines of text in a caller's buffer; `count` goes on when the buffer is full. */
struct yaml_errors {
	char *buf;
	size_t cap, len;
	unsigned count;
};

static inline struct yaml_errors yaml_errors_of(char *buf, size_t cap)
{
	if (cap)
		buf[0] = '\0';
	return (struct yaml_errors){buf, cap, 0, 0};
}

struct yaml_file;

/* Reads `path` (at most 64 MiB, one document) by `schema`. 0 with *ret (for locations) and *ret_data (to be freed by
 * yaml_file_free_data()), or -errno: -EINVAL when the text is wrong; one line in errs either way. */
int yaml_file_load(const char *path, const cyaml_schema_value_t *schema, struct yaml_errors *errs,
	struct yaml_file **ret, void **ret_data);
/* The same of text that is there already; `name` stands for the file's path in what is said. */
int yaml_text_load(const char *name, const char *text, size_t len, const cyaml_schema_value_t *schema,
	struct yaml_errors *errs, struct yaml_file **ret, void **ret_data);
void yaml_file_free_data(const cyaml_schema_value_t *schema, void *data);
void yaml_file_free(struct yaml_file *f);

/* Adds an error about the value at `where` ("lans[0].prefixes[1]"; the nearest enclosing one if it is not there). */
void yaml_file_error(struct yaml_file *f, struct yaml_errors *errs, const char *where, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));
