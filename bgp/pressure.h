/* Do those who are told of changes take them? Where changes come faster than they are read, it is the queues to the
 * readers that grow, and a change of somebody else's waits behind all that is in them. So who makes the many is heard a
 * little later: a peer that floods (daemon/transport_io.c), a sweep (speaker.c).
 *
 * Only who keeps pace has a say: a member that is with the others, and has taken at least half of what the quickest has,
 * lately. Whoever does not read, reads slowly, walks the table by himself, or is told nothing, holds up nobody; and a
 * flood is never slowed below half of what the quickest takes.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct neighbor;
struct speaker;

/* Counted when somebody asks, anew each turn and each millisecond. */
struct pressure {
	uint64_t counted_ms;
	unsigned full;                    /* of those that keep pace: who have much to read */
	const struct neighbor *last_full; /* one of them */
	uint64_t span_ms;                 /* since when neighbor.takes counts */
	size_t most;                      /* neighbor.took of the quickest */
};

/* Somebody who keeps pace, other than `from` (may be NULL), has much to read. */
bool pressure_on(struct speaker *s, const struct neighbor *from, uint64_t now_ms);
