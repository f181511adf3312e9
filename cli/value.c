/* JSON values for people. */
#include "cli/value.h"

#include <string.h>

#include "lib/ip.h"
#include "lib/text.h"

#define JOINED_MAX 512
#define DEPTH_MAX 4

const char *value_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

long long value_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool value_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* --- text --- */

static void append(char *buf, size_t cap, const char *gap, const char *text)
{
	size_t len = strlen(buf);

	snprintf(buf + len, cap - len, "%s%s", len ? gap : "", text);
}

static void to_text(const json_t *v, char *buf, size_t cap, int depth)
{
	char one[128];
	const json_t *each;
	size_t i;

	switch (json_typeof(v)) {
	case JSON_STRING:
		append(buf, cap, " ", json_string_value(v));
		break;
	case JSON_INTEGER:
		snprintf(one, sizeof(one), "%lld", (long long)json_integer_value(v));
		append(buf, cap, " ", one);
		break;
	case JSON_REAL:
		snprintf(one, sizeof(one), "%.3g", json_real_value(v));
		append(buf, cap, " ", one);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		append(buf, cap, " ", json_is_true(v) ? "yes" : "no");
		break;
	case JSON_ARRAY:
		json_array_foreach(v, i, each) if (depth < DEPTH_MAX)
			to_text(each, buf, cap, depth + 1);
		break;
	case JSON_OBJECT:
		append(buf, cap, " ", "...");
		break;
	case JSON_NULL:
		break;
	}
}

void value_cell(struct table *t, const json_t *value)
{
	char text[JOINED_MAX] = "";

	if (value)
		to_text(value, text, sizeof(text), 0);
	table_cell(t, text);
}

void value_cell_at(struct table *t, const json_t *object, const char *key)
{
	value_cell(t, json_object_get(object, key));
}

void value_cell_age(struct table *t, const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);
	long long s = json_integer_value(v);
	char text[64];

	if (!json_is_integer(v) || s < 0) {
		table_cell(t, NULL);
		return;
	}
	if (s < 86400)
		snprintf(text, sizeof(text), "%02lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(text, sizeof(text), "%lldd%02lldh", s / 86400, s / 3600 % 24);
	table_cell(t, text);
}

void value_cell_flags(struct table *t, const json_t *object, const char *const *keys)
{
	const json_t *flags = json_object_get(object, "flags");
	char text[JOINED_MAX] = "";

	for (; *keys; keys++)
		if (value_true(object, *keys))
			append(text, sizeof(text), " ", *keys);
	if (flags && !json_is_integer(flags))
		to_text(flags, text, sizeof(text), 0);
	table_cell(t, text);
}

/* --- all of an object --- */

static bool is_list_of_objects(const json_t *v)
{
	return json_array_size(v) && json_is_object(json_array_get(v, 0));
}

static void add_fields(struct table *t, const json_t *object, int depth);

/* Each by its name, if it has one. */
static void add_list(struct table *t, const json_t *list, int depth)
{
	const json_t *each;
	size_t i;

	json_array_foreach(list, i, each)
	{
		const char *name = value_text(each, "name");
		char title[128];
		snprintf(title, sizeof(title), "%*s%s", 2 * depth, "", name ? name : "-");
		table_cell(t, title);
		table_cell(t, " ");
		if (json_is_object(each))
			add_fields(t, each, depth + 1);
	}
}

static void add_fields(struct table *t, const json_t *object, int depth)
{
	const char *key;
	const json_t *v;
	char title[128];

	json_object_foreach((json_t *)object, key, v)
	{
		size_t len = strlen(key);
		bool age = len > 2 && strcmp(key + len - 2, "_s") == 0;
		bool nested = depth < DEPTH_MAX && (json_is_object(v) || is_list_of_objects(v));
		snprintf(title, sizeof(title), "%*s%.*s", 2 * depth, "", (int)(age ? len - 2 : len),
			key);
		for (char *p = title; *p; p++)
			*p = *p == '_' ? ' ' : *p;
		table_cell(t, title);
		if (nested) {
			table_cell(t, " ");
			if (json_is_object(v))
				add_fields(t, v, depth + 1);
			else
				add_list(t, v, depth + 1);
		} else if (age) {
			value_cell_age(t, object, key);
		} else {
			value_cell(t, v);
		}
	}
}

void value_print_fields(const json_t *object, bool colour, FILE *out)
{
	static const struct table_column columns[] = {{"", false}, {"", false}};
	struct table *t = table_new(columns, 2);

	add_fields(t, object, 0);
	table_print_bare(t, out, colour);
	table_free(t);
}

/* --- order --- */

static int rank(const json_t *v, struct ip *ret)
{
	if (json_is_integer(v))
		return 1;
	if (json_is_string(v) && ip_parse(json_string_value(v), ret) == 0)
		return 2;
	return json_is_string(v) ? 3 : 0;
}

int value_cmp(const json_t *a, const json_t *b)
{
	struct ip ia, ib;
	int ra = rank(a, &ia), rb = rank(b, &ib);

	if (ra != rb)
		return ra - rb;
	if (ra == 1) {
		json_int_t na = json_integer_value(a), nb = json_integer_value(b);
		return (na > nb) - (na < nb);
	}
	if (ra == 2)
		return ip_cmp(ia, ib);
	return ra == 3 ? strcmp(json_string_value(a), json_string_value(b)) : 0;
}
