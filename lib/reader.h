/* A bounded reader over bytes from outside, with a sticky error.
 *
 * Cut a sub-reader of exactly the stated length, read the fields straight through in the order of the
 * RFC, and ask reader_done() or reader_ok() once at the end. After the first read past the end every read
 * yields zero (reader_bytes() yields NULL), so a decoder needs no check a field. Nothing here allocates.
 * All integers are in network byte order on the wire.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *p, *end;
	bool bad; /* a read went past the end */
};

/* A borrowed run of bytes; valid as long as what it was cut from. */
struct span {
	const uint8_t *p;
	uint16_t len;
};

static inline struct reader reader_of(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	return (struct reader){.p = p, .end = len ? p + len : p, .bad = false};
}

static inline size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

static inline bool reader_ok(const struct reader *r)
{
	return !r->bad;
}

/* True when everything was read and nothing past it. */
static inline bool reader_done(const struct reader *r)
{
	return !r->bad && r->p == r->end;
}

/* The next `len` octets, borrowed; NULL (and the error) when there are fewer. */
static inline const uint8_t *reader_bytes(struct reader *r, size_t len)
{
	if (r->bad || reader_left(r) < len) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *p = r->p;
	if (len)
		r->p += len;
	return p;
}

/* Copies the next `len` octets; zeroes `to` on error. */
static inline void reader_copy(struct reader *r, void *to, size_t len)
{
	const uint8_t *p = reader_bytes(r, len);
	if (p && len)
		memcpy(to, p, len);
	else if (len)
		memset(to, 0, len);
}

static inline void reader_skip(struct reader *r, size_t len)
{
	(void)reader_bytes(r, len);
}

/* A reader of exactly the next `len` octets; born bad when there are fewer. */
static inline struct reader reader_sub(struct reader *r, size_t len)
{
	const uint8_t *p = reader_bytes(r, len);
	struct reader s = reader_of(p, p ? len : 0);
	s.bad = r->bad;
	return s;
}

/* Everything that is left, as a span; the reader is then at its end. */
static inline struct span reader_rest(struct reader *r)
{
	size_t n = reader_left(r);
	if (n > UINT16_MAX) {
		r->bad = true;
		n = 0;
	}
	return (struct span){.p = reader_bytes(r, n), .len = (uint16_t)n};
}

static inline uint8_t reader_u8(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 1);
	return p ? p[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 2);
	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t reader_u24(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 3);
	return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t reader_u32(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 4);
	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}
