/* The rows of the keys, for config/diff.c. */
#pragma once
#include "config/diff.h"

/* Grows; aborts when out of memory. Whole values are written and compared; only what is shown is cut. */
struct config_text {
	char *p;
	size_t len, cap;
};

void config_text_put(struct config_text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* NULL: the first; NULL after the last. */
const struct config_field *config_field_next(const struct config_field *f);
/* The value of the key in its part: a struct config, config_neighbor, config_bmp, config_lan or
 * config_agent. */
void config_field_put(struct config_text *t, const struct config_field *f, const void *object);
/* False: passwords differ, which config_field_put() does not show. */
bool config_field_same_secret(const struct config_field *f, const void *a, const void *b);
