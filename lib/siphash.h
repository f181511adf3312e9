/* SipHash-1-3 (Aumasson, Bernstein): the keyed hash of every table whose keys a peer or a member chooses. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k[2];
};

/* A key of this process, random at first use (getrandom); siphash_process_key_fix() for reproducible tests. */
const struct siphash_key *siphash_process_key(void);
void siphash_process_key_fix(uint64_t k0, uint64_t k1);

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t len);
