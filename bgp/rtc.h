/* Route Target membership NLRIs (RFC 4684 section 4; AFI 1, SAFI 132) as a family of the engine.
 *
 * A key is [bits u8][prefix], the prefix of {origin AS, route target} in as few octets as hold its
 * bits, those behind it zero. A route target is any extended community that says so: RFC 4360's
 * three forms, and the ES-Import of EVPN (RFC 7432 section 7.6). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "bgp/family.h"

#define RTC_BITS_MIN 32 /* but for the default, which has 0 */
#define RTC_BITS_MAX 96
#define RTC_KEY_MAX (1 + RTC_BITS_MAX / 8)

extern const struct bgp_family rtc_family;

/* The key of one whole route target. */
struct nlri rtc_nlri(uint32_t origin_as, const uint8_t rt[8]);
/* The key of the default: everything. */
struct nlri rtc_nlri_default(void);
/* The origin AS of a key; 0: the default. */
uint32_t rtc_origin_as(const uint8_t *key, size_t key_len);
/* Which route targets a key contains, as numbers from `first` to `last`. false: the default, which contains
 * even routes without any. */
bool rtc_range(const uint8_t *key, size_t key_len, uint64_t *ret_first, uint64_t *ret_last);
/* Is an extended community a route target? Its number in *ret, then. */
bool rtc_is_target(const uint8_t ec[8], uint64_t *ret);
