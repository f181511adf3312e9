#include "registry/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

json_t *registry_json_parse(struct build *b, const char *text, size_t len)
{
	char line[BUILD_LINE], safe[JSON_ERROR_TEXT_LENGTH];
	json_error_t e;

	/* jansson itself bounds how deep values may be nested. */
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
	if (!root) {
		text_escape(safe, sizeof(safe), e.text, strlen(e.text));
		snprintf(line, sizeof(line), "%s:%d:%d: not JSON: %s", b->source->name, e.line > 0 ? e.line : 1,
			e.column > 0 ? e.column : 1, safe);
		build_line(b, REGISTRY_ERROR, line);
	} else if (!json_is_object(root)) {
		build_say(b, REGISTRY_ERROR, "", NULL, "expected an object");
		json_decref(root);
		root = NULL;
	}
	return root;
}

/* --- paths --- */

static void add_path(struct json_reader *r, const char *text)
{
	size_t room = sizeof(r->path) - r->len;
	int n = snprintf(r->path + r->len, room, "%s", text);

	r->len += (size_t)n < room ? (size_t)n : room - 1;
}

size_t json_enter(struct json_reader *r, const char *key)
{
	size_t mark = r->len;

	if (mark && *key)
		add_path(r, ".");
	add_path(r, key);
	return mark;
}

size_t json_enter_item(struct json_reader *r, size_t index)
{
	size_t mark = r->len;
	char text[24];

	snprintf(text, sizeof(text), "[%zu]", index);
	add_path(r, text);
	return mark;
}

void json_leave(struct json_reader *r, size_t mark)
{
	r->len = mark;
	r->path[mark] = '\0';
}

void json_say(struct json_reader *r, enum registry_grade grade, const char *key, const json_t *v, const char *what)
{
	size_t mark = json_enter(r, key);
	char number[32];
	const char *text = json_string_value(v);

	if (json_is_integer(v)) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
		text = number;
	} else if (json_is_real(v)) {
		snprintf(number, sizeof(number), "%g", json_real_value(v));
		text = number;
	}
	build_say(r->b, grade, r->path, text, what);
	json_leave(r, mark);
}

/* --- values --- */

/* What is not there, in the ways that is said. */
static bool is_missing(const json_t *v)
{
	return !v || json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0);
}

static bool text_uint(const char *text, uint32_t max, uint32_t *ret)
{
	uint64_t n = 0;

	if (!*text || strlen(text) > 10)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*ret = (uint32_t)n;
	return n <= max;
}

bool json_uint(struct json_reader *r, const json_t *o, const char *key, uint32_t max, uint32_t *ret)
{
	const json_t *v = json_object_get(o, key);
	char what[64];
	uint32_t n;

	if (is_missing(v))
		return false;
	if (json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= max) {
		*ret = (uint32_t)json_integer_value(v);
		return true;
	}
	if (json_is_string(v) && text_uint(json_string_value(v), max, &n)) {
		*ret = n;
		return true;
	}
	snprintf(what, sizeof(what), "expected a number, at most %u", max);
	json_say(r, REGISTRY_ERROR, key, v, what);
	return false;
}

const char *json_text(struct json_reader *r, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (is_missing(v))
		return NULL;
	if (!json_is_string(v))
		json_say(r, REGISTRY_ERROR, key, v, "expected text");
	return json_string_value(v);
}

bool json_flag(struct json_reader *r, const json_t *o, const char *key, bool missing)
{
	const json_t *v = json_object_get(o, key);
	uint32_t n;

	if (is_missing(v))
		return missing;
	if (json_is_boolean(v))
		return json_is_true(v);
	if (json_is_integer(v) && (json_integer_value(v) == 0 || json_integer_value(v) == 1))
		return json_integer_value(v) == 1;
	if (json_is_string(v) && text_uint(json_string_value(v), 1, &n))
		return n == 1;
	json_say(r, REGISTRY_ERROR, key, v, "expected true or false");
	return missing;
}

const json_t *json_list(struct json_reader *r, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_array(v))
		return v;
	if (!is_missing(v) && !(json_is_object(v) && json_object_size(v) == 0))
		json_say(r, REGISTRY_ERROR, key, v, "expected a list");
	return NULL;
}

const json_t *json_map(struct json_reader *r, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_object(v))
		return v;
	if (!is_missing(v) && !(json_is_array(v) && json_array_size(v) == 0))
		json_say(r, REGISTRY_ERROR, key, v, "expected an object");
	return NULL;
}

bool json_ip(struct json_reader *r, const json_t *o, const char *key, uint8_t family, struct ip *ret)
{
	const json_t *v = json_object_get(o, key);
	struct ip ip;

	if (is_missing(v))
		return false;
	if (json_is_string(v) && ip_parse(json_string_value(v), &ip) == 0 && (family == 0 || ip.family == family)) {
		*ret = ip;
		return true;
	}
	json_say(r, REGISTRY_ERROR, key, v,
		family == 4   ? "expected an IPv4 address"
		: family == 6 ? "expected an IPv6 address"
			      : "expected an address");
	return false;
}

bool json_is_map(struct json_reader *r, const json_t *v)
{
	if (!json_is_object(v))
		json_say(r, REGISTRY_ERROR, "", v, "expected an object");
	return json_is_object(v);
}
