/* Extended communities (RFC 4360): the attribute's value as an array of 8 octets. What each means belongs to its
 * family (EVPN's are in evpn/ecom.h). Type 0x40 (bit 1 of the type octet) is non-transitive. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/reader.h"

static inline size_t ecom_count(struct span s)
{
	return s.len / 8u;
}

static inline const uint8_t *ecom_at(struct span s, size_t i)
{
	return s.p + 8 * i;
}

/* The first one of this type and sub-type, or NULL. */
static inline const uint8_t *ecom_find(struct span s, uint8_t type, uint8_t subtype)
{
	for (size_t i = 0; i < ecom_count(s); i++)
		if (ecom_at(s, i)[0] == type && ecom_at(s, i)[1] == subtype)
			return ecom_at(s, i);
	return NULL;
}

static inline bool ecom_is_transitive(const uint8_t ec[8])
{
	return !(ec[0] & 0x40);
}
