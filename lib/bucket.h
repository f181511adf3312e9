/* A token bucket over a given `now`. Rate in tokens a second, burst in tokens; a token is whatever the caller
 * counts (a frame, a bit, a log line). Time in nanoseconds so that small rates stay exact. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define BUCKET_NS 1000000000ULL

struct bucket {
	uint64_t rate, burst; /* tokens a second; tokens */
	uint64_t tokens_ns;   /* tokens * 1e9 */
	uint64_t last_ns;
};

static inline struct bucket bucket_of(uint64_t rate, uint64_t burst, uint64_t now_ns)
{
	return (struct bucket){rate, burst, burst * BUCKET_NS, now_ns};
}

/* Takes `n` tokens if they are there. A clock that steps back earns nothing. */
static inline bool bucket_take(struct bucket *b, uint64_t n, uint64_t now_ns)
{
	uint64_t full = b->burst * BUCKET_NS;
	uint64_t since = now_ns > b->last_ns ? now_ns - b->last_ns : 0;

	if (now_ns > b->last_ns)
		b->last_ns = now_ns;
	if (b->rate && since >= (full - b->tokens_ns) / b->rate)
		b->tokens_ns = full;
	else
		b->tokens_ns += since * b->rate;
	if (b->tokens_ns < n * BUCKET_NS)
		return false;
	b->tokens_ns -= n * BUCKET_NS;
	return true;
}
