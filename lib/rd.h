/* Route distinguishers (RFC 4364 section 4.2) and route targets (RFC 4360 section 4, RFC 5668), Ethernet
 * segment identifiers (RFC 7432 section 5): carried as raw octets, read and shown as operators write them.
 *
 *   RD, RT   65000:100, 192.0.2.1:100, 4200000000:100 (4-octet AS), or hex 0x0123456789abcdef for other types
 *   ESI      00:11:22:33:44:55:66:77:88:99
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/ip.h"

#define RD_TEXT 32
#define ESI_TEXT 30

struct rd {
	uint8_t b[8];
};

/* An extended community that is a route target: type octet, 0x02, six octets. */
struct rt {
	uint8_t b[8];
};

struct esi {
	uint8_t b[10];
};

int rd_parse(const char *text, struct rd *ret);
char *rd_format(struct rd rd, char buf[RD_TEXT]);
/* RD of type 1: a PE's address and a number, as RFC 7432 section 7.9 recommends. `v4` must be IPv4. */
struct rd rd_make(struct ip v4, uint16_t number);

int rt_parse(const char *text, struct rt *ret);
char *rt_format(struct rt rt, char buf[RD_TEXT]);

/* Which route targets are meant: one, or those that an automatic derivation makes of a VNI in any AS. */
struct rt_pattern {
	struct rt rt;
	uint32_t vni; /* not 0: any of this VNI, and `rt` does not count */
};

/* AS:VNI and, with the type bits of RFC 8365 section 5.1.2.1, AS:(1<<28|VNI), whatever the AS: of two ASes they differ.
 * FRR cuts an AS of 4 octets to its low 16 bits, others write it whole and then have room for small VNIs only. */
bool rt_is_auto(const uint8_t rt[8], uint32_t vni);
bool rt_matches(const struct rt_pattern *p, const uint8_t rt[8]);
/* As rt_parse(), or "*:VNI". */
int rt_pattern_parse(const char *text, struct rt_pattern *ret);

int esi_parse(const char *text, struct esi *ret);
char *esi_format(struct esi esi, char buf[ESI_TEXT]);

static inline bool rd_eq(struct rd a, struct rd b)
{
	return memcmp(a.b, b.b, 8) == 0;
}

static inline bool rt_eq(struct rt a, struct rt b)
{
	return memcmp(a.b, b.b, 8) == 0;
}

static inline bool esi_is_zero(struct esi e)
{
	static const uint8_t zero[10];
	return memcmp(e.b, zero, 10) == 0;
}
