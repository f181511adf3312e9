/* Best path (RFC 4271 section 9.1.2.2, RFC 4456 section 9), a flat comparison in the RFC's order. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/attr.h"
#include "lib/ip.h"

/* A path as far as the decision looks at it. */
struct bgp_path_view {
	const struct attrs *attrs;
	const uint8_t *payload;
	uint8_t payload_len;
	bool local; /* originated here */
	bool ibgp;
	bool stale;
	bool least; /* long-lived stale, RFC 9494: only if there is nothing else */
	uint32_t peer_id; /* router id of the peer, host order */
	struct ip peer;
	uint32_t path_id;
};

struct bgp_family;

#define DECIDE_ROOM 4

/* The index of the best of `n` paths of one key; n > 0. `room` is scratch space for DECIDE_ROOM * n numbers. The outcome does not
 * depend on the order of the paths. */
size_t decide_best(const struct bgp_family *f, const struct bgp_path_view *v, size_t n, uint32_t *room);
