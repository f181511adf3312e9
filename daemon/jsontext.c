#include "daemon/jsontext.h"

#include <string.h>

static void put(struct jsontext *t, const char *text, size_t len)
{
	textbuf_add(&t->text, text, len);
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
	lead(t, key);
	textbuf_number(&t->text, value);
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

void jsontext_ip(struct jsontext *t, const char *key, struct ip ip)
{
	char text[IP_TEXT];

	if (ip.family)
		jsontext_string(t, key, ip_format(ip, text));
	else
		jsontext_null(t, key);
}

void jsontext_clear(struct jsontext *t)
{
	textbuf_clear(&t->text);
}

void jsontext_free(struct jsontext *t)
{
	textbuf_free(&t->text);
	*t = (struct jsontext){0};
}
