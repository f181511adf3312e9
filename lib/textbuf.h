/* Text that grows: what is written of answers, metrics and pages before it is sent. Aborts when out of memory: what is written is
 * bounded by the caller. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct textbuf {
	char *p; /* no NUL behind it */
	size_t len, cap;
};

void textbuf_add(struct textbuf *t, const void *octets, size_t len);
static inline void textbuf_put(struct textbuf *t, const char *text)
{
	textbuf_add(t, text, strlen(text));
}
void textbuf_number(struct textbuf *t, uint64_t n);
void textbuf_printf(struct textbuf *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Keeps the room. */
void textbuf_clear(struct textbuf *t);
void textbuf_free(struct textbuf *t);
