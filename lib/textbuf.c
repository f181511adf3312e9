#include "lib/textbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char *room(struct textbuf *t, size_t len)
{
	if (t->cap - t->len < len) {
		t->cap = 2 * (t->cap + len);
		t->p = realloc(t->p, t->cap);
		if (!t->p)
			abort();
	}
	return t->p + t->len;
}

void textbuf_add(struct textbuf *t, const void *octets, size_t len)
{
	if (len)
		memcpy(room(t, len), octets, len);
	t->len += len;
}

void textbuf_number(struct textbuf *t, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	textbuf_add(t, digits + at, sizeof(digits) - at);
}

void textbuf_printf(struct textbuf *t, const char *fmt, ...)
{
	size_t have = t->cap - t->len;
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(have ? t->p + t->len : NULL, have, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	if ((size_t)n >= have) {
		room(t, (size_t)n + 1);
		va_start(ap, fmt);
		vsnprintf(t->p + t->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	t->len += (size_t)n;
}

void textbuf_clear(struct textbuf *t)
{
	t->len = 0;
}

void textbuf_free(struct textbuf *t)
{
	free(t->p);
	*t = (struct textbuf){0};
}
