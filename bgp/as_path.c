/* AS paths: checking, measuring, and the two translations of RFC 6793 between 2- and 4-octet
 * speakers. The rest of the house sees 4-octet paths only. */
#include "bgp/as_path.h"

#include "bgp/attr.h"
#include "bgp/msg.h"

bool as_path_next(struct reader *r, unsigned width, struct as_segment *ret)
{
	if (reader_left(r) == 0)
		return false;
	ret->type = reader_u8(r);
	ret->count = reader_u8(r);
	ret->ases = reader_sub(r, (size_t)ret->count * width);
	if (ret->count == 0)
		r->bad = true; /* RFC 7606 section 7.2 */
	return reader_ok(r);
}

uint32_t as_path_as(struct reader *ases, unsigned width)
{
	return width == 2 ? reader_u16(ases) : reader_u32(ases);
}

const char *as_path_check(struct span path, unsigned width, bool confed_ok)
{
	struct reader r = reader_of(path.p, path.len);
	struct as_segment s;

	while (as_path_next(&r, width, &s)) {
		if (s.type < AS_SET || s.type > (confed_ok ? AS_CONFED_SET : AS_SEQUENCE))
			return "unrecognized AS path segment type";
		while (reader_left(&s.ases) > 0)
			if (as_path_as(&s.ases, width) == 0)
				return "AS 0 in the AS path"; /* RFC 7607 */
	}
	return reader_ok(&r) ? NULL : "malformed AS path segment";
}

static unsigned segment_length(const struct as_segment *s)
{
	return s->type == AS_SET ? 1 : s->type == AS_SEQUENCE ? s->count : 0;
}

unsigned as_path_length(struct span path, unsigned width)
{
	struct reader r = reader_of(path.p, path.len);
	struct as_segment s;
	unsigned n = 0;

	while (as_path_next(&r, width, &s))
		n += segment_length(&s);
	return n;
}

/* --- building --- */

struct builder {
	struct writer *w;
	unsigned width;
	size_t last; /* where the header of the last segment stands */
	bool any;
};

/* Appends a segment; `join` lets it run on from a sequence before it, as long as their count fits
 * in an octet. */
static void put_segment(struct builder *b, struct as_segment s, unsigned from_width, bool join)
{
	const uint8_t *last = b->w->start + b->last;

	if (join && b->any && writer_ok(b->w) && s.type == AS_SEQUENCE && last[0] == AS_SEQUENCE &&
		last[1] + s.count <= UINT8_MAX) {
		writer_patch_u8(b->w, b->last + 1, (uint8_t)(last[1] + s.count));
	} else {
		b->last = writer_mark(b->w);
		b->any = true;
		writer_u8(b->w, s.type);
		writer_u8(b->w, s.count);
	}
	for (unsigned i = 0; i < s.count; i++) {
		uint32_t as = as_path_as(&s.ases, from_width);
		if (b->width == 2)
			writer_u16(b->w, as > UINT16_MAX ? AS_TRANS : (uint16_t)as);
		else
			writer_u32(b->w, as);
	}
}

/* The leading segments that hold `count` numbers; a sequence is cut where they end. */
static void put_leading(struct builder *b, struct span path, unsigned count)
{
	struct reader r = reader_of(path.p, path.len);
	struct as_segment s;

	while (count > 0 && as_path_next(&r, 2, &s)) {
		if (segment_length(&s) > count)
			s.count = (uint8_t)count;
		count -= segment_length(&s);
		put_segment(b, s, 2, false);
	}
}

void as_path_merge(struct writer *w, struct span as2, struct span as4)
{
	struct builder b = {.w = w, .width = 4};
	unsigned have = as_path_length(as2, 2), known = as_path_length(as4, 4);
	struct reader r = reader_of(as4.p, as4.len);
	struct as_segment s;
	bool join = true;

	if (have < known) {
		put_leading(&b, as2, have);
		return;
	}
	put_leading(&b, as2, have - known);
	while (as_path_next(&r, 4, &s)) {
		if (s.type > AS_SEQUENCE)
			continue;
		put_segment(&b, s, 4, join);
		join = false;
	}
}

/* --- sending --- */

size_t as_path_octets(const struct as_path_out *o)
{
	struct reader r = reader_of(o->path.p, o->path.len);
	struct as_segment s;
	size_t len = o->prepend ? 2 + o->width : 0;

	for (bool first = true; as_path_next(&r, 4, &s); first = false) {
		bool joins = first && o->prepend && s.type == AS_SEQUENCE && s.count < UINT8_MAX;
		len += (joins ? 0 : 2) + (size_t)s.count * o->width;
	}
	return len;
}

void as_path_write(struct writer *w, const struct as_path_out *o)
{
	struct builder b = {.w = w, .width = o->width};
	struct reader r = reader_of(o->path.p, o->path.len);
	uint8_t own[4] = {(uint8_t)(o->prepend >> 24), (uint8_t)(o->prepend >> 16),
		(uint8_t)(o->prepend >> 8), (uint8_t)o->prepend};
	struct as_segment s = {AS_SEQUENCE, 1, reader_of(own, sizeof(own))};

	if (o->prepend)
		put_segment(&b, s, 4, false);
	for (bool first = true; as_path_next(&r, 4, &s); first = false)
		put_segment(&b, s, 4, first);
}

bool as_path_needs_as4(struct span path, uint32_t prepend)
{
	struct reader r = reader_of(path.p, path.len);
	struct as_segment s;

	if (prepend > UINT16_MAX)
		return true;
	while (as_path_next(&r, 4, &s))
		while (reader_left(&s.ases) > 0)
			if (reader_u32(&s.ases) > UINT16_MAX)
				return true;
	return false;
}

/* --- what attr.h promises --- */

unsigned attr_as_path_length(const struct attrs *a)
{
	return as_path_length(a->as_path, 4);
}

bool attr_as_path_has(const struct attrs *a, uint32_t as)
{
	struct reader r = reader_of(a->as_path.p, a->as_path.len);
	struct as_segment s;

	while (as_path_next(&r, 4, &s))
		while (reader_left(&s.ases) > 0)
			if (reader_u32(&s.ases) == as)
				return true;
	return false;
}

uint32_t attr_as_path_first(const struct attrs *a)
{
	struct reader r = reader_of(a->as_path.p, a->as_path.len);
	struct as_segment s;

	return as_path_next(&r, 4, &s) && s.type == AS_SEQUENCE ? reader_u32(&s.ases) : 0;
}
