/* JSON of other programs, read with the path of every value, so that what is wrong is said as "file: a[3].b.c: 'x': expected ...".
 *
 * Exports are written by programs in languages of few types: a number may be a string of digits, a flag 0 or 1, an empty object an
 * empty list, and what is not there null or an empty string. All of that is read; another type is an error. */
#pragma once
#include <jansson.h>

#include "registry/build.h"

struct json_reader {
	struct build *b;
	char path[BUILD_WHERE];
	size_t len;
};

/* The text as a JSON object, to be given back with json_decref(); NULL with an error said. */
json_t *registry_json_parse(struct build *b, const char *text, size_t len);

/* Go down to a key or an item, and back up to what was returned. */
size_t json_enter(struct json_reader *r, const char *key);
size_t json_enter_item(struct json_reader *r, size_t index);
void json_leave(struct json_reader *r, size_t mark);

/* About the value at `key` ("": where the reader is). `v`, if it is text or a number, is shown. */
void json_say(struct json_reader *r, enum registry_grade grade, const char *key, const json_t *v, const char *what);

/* Of an object's key. What is missing: false, NULL, or the value given. So is what is wrong, with an error said. */
bool json_uint(struct json_reader *r, const json_t *o, const char *key, uint32_t max, uint32_t *ret);
const char *json_text(struct json_reader *r, const json_t *o, const char *key);
bool json_flag(struct json_reader *r, const json_t *o, const char *key, bool missing);
const json_t *json_list(struct json_reader *r, const json_t *o, const char *key);
const json_t *json_map(struct json_reader *r, const json_t *o, const char *key);
bool json_ip(struct json_reader *r, const json_t *o, const char *key, uint8_t family, struct ip *ret);

/* An item that must be an object: false with an error said. */
bool json_is_map(struct json_reader *r, const json_t *v);
