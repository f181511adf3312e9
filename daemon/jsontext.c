#include "daemon/jsontext.h"

#include <stdlib.h>
#include <string.h>

static char *room(struct jsontext *t, size_t len)
{
	if (t->cap - t->len < len) {
		t->cap = 2 * (t->cap + len);
		t->p = realloc(t->p, t->cap);
		if (!t->p)
			abort();
	}
	return t->p + t->len;
}

static void put(struct jsontext *t, const char *text, size_t len)
{
	memcpy(room(t, len), text, len);
	t->len += len;
}

void jsontext_raw(struct jsontext *t, const char *text)
{
	put(t, text, strlen(text));
}

static void quoted(struct jsontext *t, const char *value)
{
	static const char hex[] = "0123456789abcdef";

	put(t, "\"", 1);
	for (const char *p = value; *p;) {
		size_t plain = 0;
		while ((unsigned char)p[plain] >= 0x20 && p[plain] != '"' && p[plain] != '\\')
			plain++;
		put(t, p, plain);
		p += plain;
		if (*p == '"' || *p == '\\') {
			put(t, (char[]){'\\', *p++}, 2);
		} else if (*p) {
			put(t, (char[]){'\\', 'u', '0', '0', hex[*p >> 4 & 15], hex[*p & 15]}, 6);
			p++;
		}
	}
	put(t, "\"", 1);
}

/* What stands before every value. */
static void lead(struct jsontext *t, const char *key)
{
	if (t->comma)
		put(t, ",", 1);
	t->comma = true;
	if (key) {
		quoted(t, key);
		put(t, ":", 1);
	}
}

void jsontext_open(struct jsontext *t, const char *key, char bracket)
{
	lead(t, key);
	put(t, &bracket, 1);
	t->comma = false;
}

void jsontext_close(struct jsontext *t, char bracket)
{
	put(t, &bracket, 1);
	t->comma = true;
}

void jsontext_string(struct jsontext *t, const char *key, const char *value)
{
	lead(t, key);
	quoted(t, value);
}

void jsontext_number(struct jsontext *t, const char *key, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	lead(t, key);
	put(t, digits + at, sizeof(digits) - at);
}

void jsontext_bool(struct jsontext *t, const char *key, bool value)
{
	lead(t, key);
	put(t, value ? "true" : "false", value ? 4 : 5);
}

void jsontext_null(struct jsontext *t, const char *key)
{
	lead(t, key);
	put(t, "null", 4);
}

void jsontext_clear(struct jsontext *t)
{
	t->len = 0;
}

void jsontext_free(struct jsontext *t)
{
	free(t->p);
	*t = (struct jsontext){0};
}
