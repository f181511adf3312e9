/* Duplicates are found through a table of what was seen, hashed with our own key: 5 461 values fit
 * into a long message, and comparing each with each would take longer than a message may. */
#include "bgp/large_communities.h"

#include <stdbool.h>
#include <string.h>

#include "lib/siphash.h"

#define MAX (UINT16_MAX / LARGE_COMMUNITY_LEN)
#define SLOTS_MAX 16384 /* more than twice MAX */

static _Thread_local uint8_t room[UINT16_MAX];
static _Thread_local uint16_t slot[SLOTS_MAX]; /* a value's place, counted from 1 */

/* False: it was there. */
static bool add(struct span s, uint16_t at, unsigned slots)
{
	const uint8_t *v = s.p + (size_t)at * LARGE_COMMUNITY_LEN;
	uint64_t i = siphash(siphash_process_key(), v, LARGE_COMMUNITY_LEN);

	for (;; i++) {
		uint16_t *other = &slot[i & (slots - 1)];
		if (!*other) {
			*other = (uint16_t)(at + 1);
			return true;
		}
		if (memcmp(s.p + (size_t)(*other - 1) * LARGE_COMMUNITY_LEN, v,
			    LARGE_COMMUNITY_LEN) == 0)
			return false;
	}
}

struct span large_communities_unique(struct span s)
{
	unsigned count = s.len / LARGE_COMMUNITY_LEN, slots = 16, kept = 0;

	_Static_assert(SLOTS_MAX > 2 * MAX, "the search ends at a free slot");
	if (count < 2)
		return s;
	while (slots < 2 * count)
		slots *= 2;
	memset(slot, 0, slots * sizeof(*slot));
	for (unsigned i = 0; i < count; i++)
		if (add(s, (uint16_t)i, slots))
			memcpy(room + LARGE_COMMUNITY_LEN * kept++, s.p + (size_t)i * LARGE_COMMUNITY_LEN,
				LARGE_COMMUNITY_LEN);
	return kept == count ? s : (struct span){room, (uint16_t)(LARGE_COMMUNITY_LEN * kept)};
}
