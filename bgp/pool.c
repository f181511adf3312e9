#include "bgp/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_UNITS (1u << POOL_CHUNK_BITS)
#define CHUNK_OCTETS ((size_t)CHUNK_UNITS * POOL_UNIT)

static uint32_t units_of(size_t size)
{
	return (uint32_t)((size + POOL_UNIT - 1) / POOL_UNIT);
}

/* What is left of the last chunk is less than one object and stays unused. */
static int add_chunk(struct pool *p)
{
	if (p->chunks == (UINT32_MAX >> POOL_CHUNK_BITS))
		return -1;
	if (p->chunks == p->chunk_cap) {
		uint32_t cap = p->chunk_cap ? 2 * p->chunk_cap : 16;
		uint8_t **chunk = realloc(p->chunk, cap * sizeof(*chunk));
		if (!chunk)
			return -1;
		p->chunk = chunk;
		p->chunk_cap = cap;
	}
	uint8_t *c = aligned_alloc(CHUNK_OCTETS, CHUNK_OCTETS);
	if (!c)
		return -1;
#ifdef MADV_HUGEPAGE
	/* A chunk is a huge page where there are any: one fault instead of 512. */
	madvise(c, CHUNK_OCTETS, MADV_HUGEPAGE);
#endif
	p->chunk[p->chunks++] = c;
	p->used = p->chunks == 1; /* reference 0 means none */
	return 0;
}

pool_ref pool_alloc(struct pool *p, size_t size)
{
	uint32_t units = units_of(size);
	pool_ref ref = p->free[units];

	if (ref) {
		memcpy(&p->free[units], pool_at(p, ref), sizeof(pool_ref));
		/* The next one is far from here, and will be written to. */
		uint8_t *next = pool_at(p, p->free[units]);
		__builtin_prefetch(next, 1);
		__builtin_prefetch(next + size - 1, 1);
		return ref;
	}
	if ((!p->chunks || p->used + units > CHUNK_UNITS) && add_chunk(p) < 0)
		return 0;
	ref = (p->chunks - 1) << POOL_CHUNK_BITS | p->used;
	p->used += units;
	return ref;
}

void pool_free(struct pool *p, pool_ref ref, size_t size)
{
	uint32_t units = units_of(size);

	memcpy(pool_at(p, ref), &p->free[units], sizeof(pool_ref));
	p->free[units] = ref;
}

void pool_free_all(struct pool *p)
{
	for (uint32_t i = 0; i < p->chunks; i++)
		free(p->chunk[i]);
	free(p->chunk);
	*p = (struct pool){0};
}
