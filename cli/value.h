/* JSON values for people. Whatever the other side sends, these give something to print: a newer
 * daemon may know more than this program does, an older one less. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

#include "lib/table.h"

/* The string at `key`, or NULL if it is none. */
const char *value_text(const json_t *object, const char *key);
/* The number at `key`, or 0. */
long long value_number(const json_t *object, const char *key);
bool value_true(const json_t *object, const char *key);

/* Any value as a cell: text, number, yes/no, lists with blanks between, "-" for nothing. */
void value_cell(struct table *t, const json_t *value);
void value_cell_at(struct table *t, const json_t *object, const char *key);
/* Seconds as "00:12:31", from a day on "3d04h". */
void value_cell_age(struct table *t, const json_t *object, const char *key);
/* The names of those `keys` (NULL ends) that are true, with blanks between; also takes what is in a
 * list or text at "flags". */
void value_cell_flags(struct table *t, const json_t *object, const char *const *keys);

/* Every field of an object, a line each; objects within it are indented. */
void value_print_fields(const json_t *object, bool colour, FILE *out);

/* For sorting: numbers, addresses (IPv4 before IPv6, by value) and text, in this order. */
int value_cmp(const json_t *a, const json_t *b);
