/* IPv4 and IPv6 addresses and prefixes as values. Octets are in network order; an IPv4 address uses b[0..3]
 * and the rest stays zero, so that values compare and hash as plain memory. family is 0 (none), 4 or 6. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define IP_TEXT 46     /* with the NUL */
#define PREFIX_TEXT 50 /* with the NUL */

struct ip {
	uint8_t family;
	uint8_t b[16];
};

struct prefix {
	struct ip ip; /* host bits zero */
	uint8_t len;
};

static inline struct ip ip_v4(const uint8_t b[4])
{
	struct ip ip = {.family = 4};
	memcpy(ip.b, b, 4);
	return ip;
}

static inline struct ip ip_v4_u32(uint32_t host_order)
{
	uint8_t b[4] = {(uint8_t)(host_order >> 24), (uint8_t)(host_order >> 16),
		(uint8_t)(host_order >> 8), (uint8_t)host_order};
	return ip_v4(b);
}

static inline struct ip ip_v6(const uint8_t b[16])
{
	struct ip ip = {.family = 6};
	memcpy(ip.b, b, 16);
	return ip;
}

static inline uint32_t ip_to_u32(struct ip ip)
{
	return (uint32_t)ip.b[0] << 24 | (uint32_t)ip.b[1] << 16 | (uint32_t)ip.b[2] << 8 | ip.b[3];
}

static inline size_t ip_len(struct ip ip)
{
	return ip.family == 4 ? 4 : ip.family == 6 ? 16 : 0;
}

static inline bool ip_eq(struct ip a, struct ip b)
{
	return a.family == b.family && memcmp(a.b, b.b, 16) == 0;
}

/* Order: family, then octets. */
static inline int ip_cmp(struct ip a, struct ip b)
{
	return a.family != b.family ? (a.family < b.family ? -1 : 1) : memcmp(a.b, b.b, 16);
}

static inline bool ip_is_unspecified(struct ip ip)
{
	static const uint8_t zero[16];
	return memcmp(ip.b, zero, 16) == 0;
}

static inline bool ip_is_multicast(struct ip ip)
{
	return ip.family == 4 ? (ip.b[0] & 0xf0) == 0xe0 : ip.family == 6 && ip.b[0] == 0xff;
}

static inline bool ip_is_link_local(struct ip ip)
{
	return ip.family == 6 ? ip.b[0] == 0xfe && (ip.b[1] & 0xc0) == 0x80
			      : ip.family == 4 && ip.b[0] == 169 && ip.b[1] == 254;
}

static inline bool ip_is_loopback(struct ip ip)
{
	static const uint8_t one[16] = {[15] = 1};
	return ip.family == 4 ? ip.b[0] == 127 : ip.family == 6 && memcmp(ip.b, one, 16) == 0;
}

/* Reads all of `text`, either family. 0, or -EINVAL with *ret untouched. */
int ip_parse(const char *text, struct ip *ret);
char *ip_format(struct ip ip, char buf[IP_TEXT]);

/* address/len; host bits set is -ERANGE, anything else wrong -EINVAL. */
int prefix_parse(const char *text, struct prefix *ret);
char *prefix_format(const struct prefix *p, char buf[PREFIX_TEXT]);
bool prefix_contains(const struct prefix *p, struct ip ip);
