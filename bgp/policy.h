/* What may come in. The engine asks about every route; what is in a route only the policy knows
 * (evpn/policy.c), which rules hold for a neighbour only who configured it.
 *
 * A route that the policy refuses is kept in the RIB with the reason, as a path that is never chosen and never told
 * to anybody: so an operator can look at it, and when the rules or the LANs change the policy is just asked again.
 * It counts for the neighbour's limits like any other. A loop is refused by the engine itself and not kept.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "bgp/attr.h"
#include "bgp/family.h"

/* Why a route was refused. Those from REFUSED_BY_POLICY on are the policy's own. */
enum refused_reason {
	REFUSED_NOT = 0,
	REFUSED_AS_LOOP,	 /* RFC 4271 section 9.1.2 */
	REFUSED_ORIGINATOR_LOOP, /* RFC 4456 section 8 */
	REFUSED_CLUSTER_LOOP,	 /* RFC 4456 section 8 */
	REFUSED_LEAK,		 /* RFC 9234 section 5 */
	REFUSED_NO_LLGR,	 /* RFC 9494 section 4.2: NO_LLGR while the route would be long-lived stale */
	REFUSED_CROWDED,	 /* too many paths of one route from one neighbour, RFC 7911; not kept */
	REFUSED_BY_POLICY = 16,
	REFUSED_MAX = 64,
};

struct policy_route {
	const struct bgp_family *family;
	const uint8_t *key, *payload;
	size_t key_len, payload_len;
	const struct attrs *attrs; /* the same object for all routes of one UPDATE */
	uint64_t serial; /* the same: the same attributes, so what was found out about them still holds */
};

struct speaker_policy {
	/* REFUSED_NOT or a reason from REFUSED_BY_POLICY on. `rules` is the neighbour's, NULL: none are configured.
	 * Must be quick, and must not call back into the speaker. */
	uint8_t (*import)(void *arg, const void *rules, const struct policy_route *r);
	/* "mac-multicast": one word for counters and `show`. */
	const char *(*reason)(uint8_t reason);
	void *arg;
};

/* The word for any reason, the engine's own included. `p` may be NULL. */
const char *policy_reason(const struct speaker_policy *p, uint8_t reason);
