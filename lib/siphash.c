#include "lib/siphash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static struct siphash_key process_key;
static int have_key;

const struct siphash_key *siphash_process_key(void)
{
	if (!have_key) {
		if (getrandom(&process_key, sizeof(process_key), 0) != sizeof(process_key))
			abort();
		have_key = 1;
	}
	return &process_key;
}

void siphash_process_key_fix(uint64_t k0, uint64_t k1)
{
	process_key = (struct siphash_key){{k0, k1}};
	have_key = 1;
}

static inline uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

/* In line: with the state in registers it is twice as fast. */
static inline __attribute__((always_inline)) void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t v[4] = {key->k[0] ^ 0x736f6d6570736575ULL, key->k[1] ^ 0x646f72616e646f6dULL,
		key->k[0] ^ 0x6c7967656e657261ULL, key->k[1] ^ 0x7465646279746573ULL};
	uint64_t m, last = (uint64_t)len << 56;
	size_t left = len;

	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&m, p, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)p[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
