/* Who calls how often: a share of the accepts for each address, in a table of fixed size. Addresses
 * that share a place (the hash is keyed, so nobody can choose whose) share a bucket. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/bucket.h"
#include "lib/ip.h"

#define CALLERS_PLACES 4096
#define CALLER_RATE 5 /* connections a second */
#define CALLER_BURST 20

struct callers {
	struct bucket bucket[CALLERS_PLACES];
};

/* One more from there; false: more than its share. */
bool callers_take(struct callers *c, struct ip from, uint64_t now_ns);
