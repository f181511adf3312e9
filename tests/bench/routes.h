/* The load: type-2 MAC/IP routes as a PE of an exchange announces them, as octets ready to be sent.
 *
 * Route i is one address of member i / 2: even ones IPv4, odd ones IPv6, so that an NLRI is 45 octets
 * on average. All have the attributes of one PE: 89 or so share an UPDATE, and a million are 46 MB.
 * Probes are routes of another RD; the latency of a change is measured with them.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct stream {
	uint8_t *p;
	size_t len;
};

enum routes_kind {
	ROUTES_ANNOUNCE,
	ROUTES_CHANGE, /* the same with another mobility sequence number */
	ROUTES_WITHDRAW,
};

#define ROUTES_AS 65000
#define ROUTES_RD 100
#define PROBES_RD 200

/* Routes 0 to count - 1; the memory is the caller's. */
struct stream routes_build(enum routes_kind kind, uint32_t count, uint32_t next_hop);
/* One UPDATE with probe k; its length. */
size_t routes_probe(uint8_t *buf, size_t cap, uint32_t k, uint32_t sequence, uint32_t next_hop);
/* What the hashes of routes 0 to count - 1 add up to. */
uint64_t routes_sum(uint32_t count);

/* Places in a type-2 NLRI, its type octet being at 0 (RFC 7432 section 7.2). */
#define NLRI_RD 2
#define NLRI_TAG 20
#define NLRI_MAC_LEN 24
#define NLRI_IP_LEN 31
#define NLRI_IP 32

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Of the key of a MAC/IP route: RD, tag, MAC, IP. A sum of these does not depend on the order. */
static inline uint64_t nlri_hash(const uint8_t *p)
{
	uint64_t h = load64(p + NLRI_RD) * 0x9e3779b97f4a7c15u;

	h ^= (load64(p + NLRI_MAC_LEN) + load32(p + NLRI_TAG)) * 0xc2b2ae3d27d4eb4fu;
	if (p[NLRI_IP_LEN] == 32)
		h ^= (load32(p + NLRI_IP) + 1ull) * 0x165667b19e3779f9u;
	else if (p[NLRI_IP_LEN] == 128)
		h ^= (load64(p + NLRI_IP) ^ load64(p + NLRI_IP + 8) * 3) * 0x27d4eb2f165667c5u;
	h ^= h >> 32;
	return h * 0xd6e8feb86659fd93u;
}
