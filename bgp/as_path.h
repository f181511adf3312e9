/* AS paths, as they stand in AS_PATH and AS4_PATH: segments of [type u8][count u8][AS]..., an AS
 * taking 2 or 4 octets
 * (`width`). RFC 4271 section 4.3, 6793 section 4.2, 7606 section 7.2, 7607. In struct attrs a path
 * is always held with 4 octets. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/reader.h"
#include "lib/writer.h"

enum as_segment_type {
	AS_SET = 1,
	AS_SEQUENCE = 2,
	AS_CONFED_SEQUENCE = 3,
	AS_CONFED_SET = 4,
};

struct as_segment {
	uint8_t type, count;
	struct reader ases;
};

/* The next segment. false: the end, or r->bad when what is left is no segment. */
bool as_path_next(struct reader *r, unsigned width, struct as_segment *ret);
uint32_t as_path_as(struct reader *ases, unsigned width);

/* NULL, or a constant sentence that says what is wrong. Confederation segments are wrong in an
 * AS_PATH, since we are in no confederation (RFC 5065 section 5), and for the reader to drop in an
 * AS4_PATH (RFC 6793 section 6). */
const char *as_path_check(struct span path, unsigned width, bool confed_ok);

/* The number of AS numbers (RFC 4271 section 9.1.2.2 a: a set counts 1). */
unsigned as_path_length(struct span path, unsigned width);

/* The path with 4-octet numbers that AS_PATH and AS4_PATH of a 2-octet peer make together (RFC 6793
 * section 4.2.3); `as4` may be empty. Both have passed the check. A path that does not fit makes
 * the writer full. */
void as_path_merge(struct writer *w, struct span as2, struct span as4);

/* How a path is sent: `prepend` (0: none) before it, `width` octets a number, AS_TRANS for one that
 * does not fit. */
struct as_path_out {
	struct span path; /* 4-octet */
	uint32_t prepend;
	unsigned width;
};
size_t as_path_octets(const struct as_path_out *o);
void as_path_write(struct writer *w, const struct as_path_out *o);
/* True if a number needs 4 octets, and so an AS4_PATH towards a 2-octet peer. */
bool as_path_needs_as4(struct span path, uint32_t prepend);
