/* Who calls whom in vain: members that ask for, or send to, an address that nobody answers for - a member that is gone, or an
 * address that nobody was ever given. An operator reads from it whom to write to: sessions that were never taken out of a
 * configuration go on calling for years.
 *
 * A row is a target, a port and a MAC. Counts are of what the plane told, which is once a second for the same frame from the
 * same MAC: seconds in which it called, rather than frames. Bounded; a port's share is a quarter (share.h).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"
#include "proxyarp/layout.h"

struct callers;

struct caller {
	struct ip target;
	uint32_t ifindex;
	struct mac mac;
	uint64_t arp, ns;   /* asked */
	uint64_t syn, data; /* sent to the sponge's MAC: TCP SYN to port 179; all else */
	uint64_t first_ms, last_ms;
};

struct callers_stats {
	uint32_t rows;
	uint64_t calls, evicted;
};

/* NULL: out of memory. */
struct callers *callers_new(uint32_t max);
void callers_free(struct callers *c);
/* EVENT_QUERY or EVENT_TRAP; others change nothing. The caller has made sure that the target does not live. */
void callers_event(struct callers *c, const struct layout_event *e, uint64_t now_ms);
/* Nobody has called it since. */
void callers_expire(struct callers *c, uint64_t before_ms);
void callers_each(const struct callers *c, void (*fn)(void *arg, const struct caller *row), void *arg);
/* A part at a time: see bindings_walk(). */
bool callers_walk(const struct callers *c, size_t *at, size_t slots,
	void (*fn)(void *arg, const struct caller *row), void *arg);
void callers_stats(const struct callers *c, struct callers_stats *ret);
