/* Large communities (RFC 8092): 12 octets each, as they stand in the attribute. */
#pragma once
#include "lib/reader.h"

#define LARGE_COMMUNITY_LEN 12

/* Each value once, in the order of first appearance (RFC 8092 section 3: "MUST silently remove redundant"). The span
 * itself when there are no duplicates; else one in the decoder's own room, which stands until the next call. `s` is
 * a multiple of LARGE_COMMUNITY_LEN long. */
struct span large_communities_unique(struct span s);
