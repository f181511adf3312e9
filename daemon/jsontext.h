/* JSON written as text, for answers with very many rows: jansson's tree would cost ten times as
 * much and hold the loop up for as long. The caller keeps the structure right; commas come by
 * themselves. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/textbuf.h"

struct jsontext {
	struct textbuf text;
	bool comma; /* the next item needs one before it */
};

/* Aborts when out of memory: what is written is bounded by the caller. */
void jsontext_raw(struct jsontext *t, const char *text);
/* `key` NULL: an item of an array. */
void jsontext_open(struct jsontext *t, const char *key, char bracket);
void jsontext_close(struct jsontext *t, char bracket);
/* UTF-8; quotes, backslashes and control characters are escaped. */
void jsontext_string(struct jsontext *t, const char *key, const char *value);
void jsontext_number(struct jsontext *t, const char *key, uint64_t value);
void jsontext_bool(struct jsontext *t, const char *key, bool value);
void jsontext_null(struct jsontext *t, const char *key);
/* null without one. */
void jsontext_ip(struct jsontext *t, const char *key, struct ip ip);
/* Forgets what was written but not whether a comma is due. */
void jsontext_clear(struct jsontext *t);
void jsontext_free(struct jsontext *t);
