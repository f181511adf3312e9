/* UPDATEs built at random, each of them legal, in the octets of RFC 4271, 4760, 7432, 8365, 9136,
 * 9251 and 9572: what a fabric of PEs of every make could send its reflector over an iBGP session
 * with 4-octet AS numbers. Nothing of the code under test is used but lib/writer.h.
 *
 * The same seed gives the same messages. Routes are drawn from a limited number of keys, so that
 * they replace and withdraw one another; every attribute that a reflector may see is drawn, known
 * or not, in any order and with lengths of one or two octets. The total stays far enough below
 * 4 096 octets for a reflector to add its own. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define RANDOM_UPDATE_MAX 3900

struct random_updates {
	uint64_t state;
	unsigned keys;   /* of each kind: MACs, addresses, prefixes, segments; 0: 64 */
	uint32_t own_as; /* not in the AS paths */
	uint8_t unwanted
		[4]; /* a next hop drawn now and then: the address of a peer that is to be told */
};

static inline uint32_t random_u32(struct random_updates *g)
{
	uint64_t z = g->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (uint32_t)((z ^ z >> 31) >> 16);
}

/* One message, header included; its length. */
size_t random_update(struct random_updates *g, uint8_t buf[RANDOM_UPDATE_MAX]);
