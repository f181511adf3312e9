/* The codec of Route Target membership, and what a key says. What it is used for is in
 * membership.c; how it is passed on, in emit.c.
 *
 * What is wrong with an NLRI (RFC 7606 section 5.3): a length above 96 bits, or one beyond the
 * field, leaves nothing to go on with. One of 1 to 31 bits is delimited, and only not a prefix that
 * there can be: it is discarded alone. */
#include "bgp/rtc.h"

#include <stdio.h>
#include <string.h>

#include "lib/rd.h"

static size_t octets(uint8_t bits)
{
	return (bits + 7u) / 8;
}

static enum nlri_verdict decode(
	struct reader *r, bool withdraw, struct nlri *ret, const char **ret_why)
{
	struct nlri n = {0};
	uint8_t bits = reader_u8(r);

	(void)withdraw;
	if (bits > RTC_BITS_MAX) {
		*ret_why = "route target prefix of more than 96 bits";
		return NLRI_BROKEN;
	}
	n.key_len = (uint16_t)(1 + octets(bits));
	n.key[0] = bits;
	reader_copy(r, n.key + 1, octets(bits));
	if (!reader_ok(r)) {
		*ret_why = "route target prefix overruns its field";
		return NLRI_BROKEN;
	}
	if (bits > 0 && bits < RTC_BITS_MIN) {
		*ret_why = "route target prefix of 1 to 31 bits";
		return NLRI_DISCARD;
	}
	if (bits % 8)
		n.key[octets(bits)] &= (uint8_t)(0xff << (8 - bits % 8));
	*ret = n;
	return NLRI_OK;
}

static void encode(struct writer *w, const uint8_t *key, size_t key_len, const uint8_t *payload,
	size_t payload_len)
{
	(void)payload;
	(void)payload_len;
	writer_bytes(w, key, key_len);
}

static uint64_t u64_at(const uint8_t *p, size_t len)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | (i < len ? p[i] : 0);
	return v;
}

uint32_t rtc_origin_as(const uint8_t *key, size_t key_len)
{
	return key_len < 5 ? 0 : (uint32_t)(u64_at(key + 1, 4) >> 32);
}

bool rtc_range(const uint8_t *key, size_t key_len, uint64_t *ret_first, uint64_t *ret_last)
{
	uint8_t bits = key[0];

	if (bits < RTC_BITS_MIN)
		return false;
	*ret_first = u64_at(key + 5, key_len - 5);
	*ret_last = *ret_first | (bits == RTC_BITS_MAX ? 0 : UINT64_MAX >> (bits - RTC_BITS_MIN));
	return true;
}

bool rtc_is_target(const uint8_t ec[8], uint64_t *ret)
{
	if (ec[1] != 0x02 || (ec[0] > 0x02 && ec[0] != 0x06))
		return false;
	*ret = u64_at(ec, 8);
	return true;
}

/* "default", "65000 RT 65000:100", "65000 RT 0002fde8000000/80". */
static char *format(char *buf, size_t cap, const uint8_t *key, size_t key_len,
	const uint8_t *payload, size_t payload_len)
{
	char text[RD_TEXT > 24 ? RD_TEXT : 24] = "";
	struct rt rt;

	(void)payload;
	(void)payload_len;
	if (key_len < 5) {
		snprintf(buf, cap, "default");
		return buf;
	}
	if (key[0] == RTC_BITS_MAX && key[5] <= 2) {
		memcpy(rt.b, key + 5, sizeof(rt.b));
		snprintf(buf, cap, "%u RT %s", rtc_origin_as(key, key_len), rt_format(rt, text));
		return buf;
	}
	for (size_t i = 5; i < key_len; i++)
		snprintf(text + 2 * (i - 5), 3, "%02x", key[i]);
	snprintf(buf, cap, "%u RT %s/%u", rtc_origin_as(key, key_len), text, key[0]);
	return buf;
}

struct nlri rtc_nlri(uint32_t origin_as, const uint8_t rt[8])
{
	struct nlri n = {.key_len = RTC_KEY_MAX, .key = {RTC_BITS_MAX}};

	for (unsigned i = 0; i < 4; i++)
		n.key[1 + i] = (uint8_t)(origin_as >> (24 - 8 * i));
	memcpy(n.key + 5, rt, 8);
	return n;
}

struct nlri rtc_nlri_default(void)
{
	return (struct nlri){.key_len = 1};
}

static bool nexthop_len_ok(uint8_t len)
{
	return len == 4 || len == 16 || len == 32;
}

const struct bgp_family rtc_family = {
	.afi = AFI_IPV4,
	.safi = SAFI_RT_MEMBERSHIP,
	.name = "rt membership",
	.decode = decode,
	.encode = encode,
	.format = format,
	.nexthop_len_ok = nexthop_len_ok,
};
