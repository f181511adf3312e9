/* A pool of small objects of mixed size, named by 32 bits instead of a pointer: what keeps a route
 * small. Objects are carved from chunks of 2 MB in units of 8 octets, never move, and are reused by
 * size; nothing is given back before pool_free_all(). Up to 32 GB. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define POOL_UNIT 8
#define POOL_CHUNK_BITS 18 /* units in a chunk */
#define POOL_OBJECT_MAX 320

typedef uint32_t pool_ref; /* 0: none */

struct pool {
	uint8_t **chunk;
	uint32_t chunks, chunk_cap;
	uint32_t used; /* units taken of the last chunk */
	pool_ref free[POOL_OBJECT_MAX / POOL_UNIT +
		      1]; /* by size; linked through the first 4 octets */
};

/* 0 when out of memory. size <= POOL_OBJECT_MAX. Not zeroed. */
pool_ref pool_alloc(struct pool *p, size_t size);
void pool_free(struct pool *p, pool_ref ref, size_t size);
void pool_free_all(struct pool *p);

static inline void *pool_at(const struct pool *p, pool_ref ref)
{
	return p->chunk[ref >> POOL_CHUNK_BITS] +
	       (size_t)(ref & ((1u << POOL_CHUNK_BITS) - 1)) * POOL_UNIT;
}
