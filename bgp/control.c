/* Control communities of a route server. */
#include "bgp/control.h"

#include "lib/reader.h"
#include "lib/writer.h"

/* What is said, a set; in the order of weight. */
enum { TO_ALL = 1, TO_NOBODY = 2, TO_PEER = 4, NOT_TO_PEER = 8 };

/* What a large community says of the peer; of any with peer 0. */
static unsigned large_says(uint32_t what, uint32_t whom, uint32_t peer)
{
	if (what > 1)
		return 0;
	if (whom == 0)
		return what ? TO_ALL : TO_NOBODY;
	if (whom == peer)
		return what ? TO_PEER : NOT_TO_PEER;
	return 0;
}

/* AS numbers of 4 octets can only be said by large communities. */
static unsigned standard_says(uint32_t community, uint32_t rs, uint32_t peer)
{
	uint32_t high = community >> 16, low = community & 0xffff;

	if (high != 0 && high != rs)
		return 0;
	if (low == rs)
		return high ? TO_ALL : TO_NOBODY;
	if (low == peer)
		return high ? TO_PEER : NOT_TO_PEER;
	return 0;
}

bool control_allows(const struct attrs *a, uint32_t rs, uint32_t peer)
{
	struct reader s = reader_of(a->communities.p, a->communities.len),
		      l = reader_of(a->large_communities.p, a->large_communities.len);
	unsigned says = 0;

	while (reader_left(&s) >= 4)
		says |= standard_says(reader_u32(&s), rs, peer);
	while (reader_left(&l) >= 12) {
		uint32_t as = reader_u32(&l), what = reader_u32(&l), whom = reader_u32(&l);
		if (as == rs)
			says |= large_says(what, whom, peer);
	}
	if (says & NOT_TO_PEER)
		return false;
	return says & TO_PEER || !(says & TO_NOBODY);
}

static bool is_standard(uint32_t community, uint32_t rs)
{
	return community >> 16 == 0 || community >> 16 == rs;
}

/* What was not for us stays, in its order. */
static struct span strip(struct span from, unsigned size, uint32_t rs, struct writer *w)
{
	struct reader r = reader_of(from.p, from.len);
	const uint8_t *begin = w->p;
	uint8_t octets[12];

	while (reader_left(&r) >= size) {
		struct reader peek = r;
		uint32_t first = reader_u32(&peek), what = size == 12 ? reader_u32(&peek) : 0;
		reader_copy(&r, octets, size);
		if (size == 12 ? first == rs && what <= 1 : is_standard(first, rs))
			continue;
		writer_bytes(w, octets, size);
	}
	return (struct span){begin, (uint16_t)(w->p - begin)};
}

void control_strip(struct attrs *a, uint32_t rs, uint8_t *room)
{
	struct writer w = writer_of(room, CONTROL_ROOM);

	if (attrs_has(a, ATTR_COMMUNITIES)) {
		a->communities = strip(a->communities, 4, rs, &w);
		if (!a->communities.len)
			a->present &= ~ATTR_BIT(ATTR_COMMUNITIES);
	}
	if (attrs_has(a, ATTR_LARGE_COMMUNITIES)) {
		a->large_communities = strip(a->large_communities, 12, rs, &w);
		if (!a->large_communities.len)
			a->present &= ~ATTR_BIT(ATTR_LARGE_COMMUNITIES);
	}
}
