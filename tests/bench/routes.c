#include "tests/bench/routes.h"

#include <stdbool.h>
#include <stdlib.h>

#include "lib/writer.h"

#define MESSAGE_MAX 4096
#define NLRI_MAX 54
#define VNI 100

enum {
	ORIGIN = 1,
	AS_PATH = 2,
	LOCAL_PREF = 5,
	MP_REACH = 14,
	MP_UNREACH = 15,
	EXT_COMMUNITIES = 16
};

static void put_nlri(struct writer *w, uint32_t rd, uint32_t i)
{
	bool v6 = i & 1;
	uint32_t member = i / 2;

	writer_u8(w, 2);
	writer_u8(w, v6 ? 49 : 37);
	writer_u16(w, 0);
	writer_u16(w, ROUTES_AS);
	writer_u32(w, rd);
	writer_zero(w, 10 + 4); /* ESI, tag */
	writer_u8(w, 48);
	writer_u16(w, 0x0200);
	writer_u32(w, member);
	if (v6) {
		writer_u8(w, 128);
		writer_u32(w, 0x20010db8);
		writer_zero(w, 8);
		writer_u32(w, member + 1);
	} else {
		writer_u8(w, 32);
		writer_u32(w, 0x64000000 + member);
	}
	writer_u24(w, VNI);
}

/* The attributes up to the NLRIs; ret_len: where their length belongs. */
static void begin(
	struct writer *w, bool withdraw, uint32_t sequence, uint32_t next_hop, size_t *ret_len)
{
	for (int i = 0; i < 4; i++)
		writer_u32(w, UINT32_MAX);
	writer_u16(w, 0);
	writer_u8(w, 2);  /* UPDATE */
	writer_u32(w, 0); /* no IPv4, length of the attributes */
	if (!withdraw) {
		writer_u32(w, 0x40u << 24 | ORIGIN << 16 | 1 << 8 | 0);
		writer_u24(w, 0x40u << 16 | AS_PATH << 8 | 0);
		writer_u24(w, 0x40u << 16 | LOCAL_PREF << 8 | 4);
		writer_u32(w, 100);
		writer_u24(w, 0xc0u << 16 | EXT_COMMUNITIES << 8 | (sequence ? 24 : 16));
		writer_u32(w, 0x0002u << 16 | ROUTES_AS); /* route target */
		writer_u32(w, VNI);
		writer_u32(w, 0x030c0000); /* encapsulation: VXLAN */
		writer_u32(w, 8);
		if (sequence) {
			writer_u32(w, 0x06000000); /* MAC mobility */
			writer_u32(w, sequence);
		}
	}
	writer_u16(w, withdraw ? 0x9000 | MP_UNREACH : 0x9000 | MP_REACH);
	*ret_len = writer_mark(w);
	writer_u16(w, 0);
	writer_u24(w, 25u << 8 | 70);
	if (withdraw)
		return;
	writer_u8(w, 4);
	writer_u32(w, next_hop);
	writer_u8(w, 0);
}

static void end(struct writer *w, size_t start, size_t mp_len)
{
	size_t len = writer_len(w) - start;

	writer_patch_u16(w, start + 16, (uint16_t)len);
	writer_patch_u16(w, start + 21, (uint16_t)(len - 23));
	writer_patch_u16(w, mp_len, (uint16_t)(writer_len(w) - mp_len - 2));
}

struct stream routes_build(enum routes_kind kind, uint32_t count, uint32_t next_hop)
{
	size_t cap = (size_t)count * 48 + 2 * MESSAGE_MAX;
	struct stream s = {.p = malloc(cap)};

	if (!s.p)
		abort();
	struct writer w = writer_of(s.p, cap);
	for (uint32_t i = 0; i < count;) {
		size_t start = writer_len(&w), mp_len;
		begin(&w, kind == ROUTES_WITHDRAW, kind == ROUTES_CHANGE, next_hop, &mp_len);
		for (; i < count && writer_len(&w) - start + NLRI_MAX <= MESSAGE_MAX; i++)
			put_nlri(&w, ROUTES_RD, i);
		end(&w, start, mp_len);
	}
	if (!writer_ok(&w))
		abort();
	s.len = writer_len(&w);
	return s;
}

size_t routes_probe(uint8_t *buf, size_t cap, uint32_t k, uint32_t sequence, uint32_t next_hop)
{
	struct writer w = writer_of(buf, cap);
	size_t mp_len;

	begin(&w, false, sequence, next_hop, &mp_len);
	put_nlri(&w, PROBES_RD, k);
	end(&w, 0, mp_len);
	return writer_len(&w);
}

uint64_t routes_sum(uint32_t count)
{
	uint64_t sum = 0;
	uint8_t nlri[64];

	for (uint32_t i = 0; i < count; i++) {
		struct writer w = writer_of(nlri, sizeof(nlri));
		put_nlri(&w, ROUTES_RD, i);
		sum += nlri_hash(nlri);
	}
	return sum;
}
