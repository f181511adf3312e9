/* A bounded writer into a caller's buffer, with a sticky error: the mirror of reader.h.
 *
 * A write that does not fit leaves the buffer as it was and sets `full`; every later write is refused too.
 * writer_mark() and writer_rewind() undo a record that did not fit; writer_patch_*() fill in a length
 * that is known only afterwards.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct writer {
	uint8_t *start, *p, *end;
	bool full;
};

static inline struct writer writer_of(void *buf, size_t cap)
{
	uint8_t *p = buf;
	return (struct writer){.start = p, .p = p, .end = p + cap, .full = false};
}

static inline size_t writer_len(const struct writer *w)
{
	return (size_t)(w->p - w->start);
}

static inline size_t writer_room(const struct writer *w)
{
	return w->full ? 0 : (size_t)(w->end - w->p);
}

static inline bool writer_ok(const struct writer *w)
{
	return !w->full;
}

/* Room for `len` octets to be filled by the caller, or NULL. */
static inline uint8_t *writer_take(struct writer *w, size_t len)
{
	if (writer_room(w) < len) {
		w->full = true;
		return NULL;
	}
	uint8_t *p = w->p;
	w->p += len;
	return p;
}

static inline void writer_bytes(struct writer *w, const void *from, size_t len)
{
	uint8_t *p = writer_take(w, len);
	if (p && len)
		memcpy(p, from, len);
}

static inline void writer_zero(struct writer *w, size_t len)
{
	uint8_t *p = writer_take(w, len);
	if (p && len)
		memset(p, 0, len);
}

static inline void writer_u8(struct writer *w, uint8_t v)
{
	uint8_t *p = writer_take(w, 1);
	if (p)
		p[0] = v;
}

static inline void writer_u16(struct writer *w, uint16_t v)
{
	uint8_t *p = writer_take(w, 2);
	if (p) {
		p[0] = (uint8_t)(v >> 8);
		p[1] = (uint8_t)v;
	}
}

static inline void writer_u24(struct writer *w, uint32_t v)
{
	uint8_t *p = writer_take(w, 3);
	if (p) {
		p[0] = (uint8_t)(v >> 16);
		p[1] = (uint8_t)(v >> 8);
		p[2] = (uint8_t)v;
	}
}

static inline void writer_u32(struct writer *w, uint32_t v)
{
	writer_u16(w, (uint16_t)(v >> 16));
	writer_u16(w, (uint16_t)v);
}

static inline size_t writer_mark(const struct writer *w)
{
	return writer_len(w);
}

/* Back to a mark; also clears the error, since what did not fit is gone. */
static inline void writer_rewind(struct writer *w, size_t mark)
{
	w->p = w->start + mark;
	w->full = false;
}

static inline void writer_patch_u8(struct writer *w, size_t at, uint8_t v)
{
	if (at + 1 <= writer_len(w))
		w->start[at] = v;
}

static inline void writer_patch_u16(struct writer *w, size_t at, uint16_t v)
{
	if (at + 2 <= writer_len(w)) {
		w->start[at] = (uint8_t)(v >> 8);
		w->start[at + 1] = (uint8_t)v;
	}
}
