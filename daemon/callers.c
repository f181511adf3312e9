#include "daemon/callers.h"

#include "lib/siphash.h"

bool callers_take(struct callers *c, struct ip from, uint64_t now_ns)
{
	uint64_t hash = siphash(siphash_process_key(), from.b, ip_len(from));
	struct bucket *b = &c->bucket[hash % CALLERS_PLACES];

	if (!b->rate)
		*b = bucket_of(CALLER_RATE, CALLER_BURST, now_ns);
	return bucket_take(b, 1, now_ns);
}
