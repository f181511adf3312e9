/* What the tests and the fuzz target of the wire floor share: octets from hex, and a small address
 * family.
 *
 * The family stands where EVPN does (25/70), so that recorded messages can be read, and knows as
 * little as can be: an NLRI is [type u8][length u8][value], its key the type and the value, whole.
 * Types from 0xf0 on are there to try the verdicts: 0xf0 has its last octet as payload, 0xfd is to
 * be withdrawn, 0xfe discarded. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/family.h"
#include "bgp/update.h"

#define TEST_PAYLOAD_TYPE 0xf0
#define TEST_WITHDRAW_TYPE 0xfd
#define TEST_DISCARD_TYPE 0xfe

struct octets {
	uint8_t *p; /* exactly as large as `len`, so that a sanitizer sees one too many */
	size_t len;
};

/* Reads hex; blanks are skipped. */
static inline struct octets octets_of(const char *hex)
{
	struct octets o = {malloc(strlen(hex) / 2 + 1), 0};
	unsigned v;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		/* Two digits by themselves: sscanf() measures its whole input each time. */
		char two[3] = {hex[0], hex[1], '\0'};
		if (sscanf(two, "%2x", &v) != 1)
			abort();
		o.p[o.len++] = (uint8_t)v;
		hex++;
	}
	o.p = realloc(o.p, o.len ? o.len : 1);
	return o;
}

static inline char *hex_of(const uint8_t *p, size_t len)
{
	char *text = malloc(2 * len + 1);

	text[0] = '\0';
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return text;
}

/* A copy of the first `len` octets in an allocation of its own. */
static inline struct octets octets_cut(const uint8_t *p, size_t len)
{
	struct octets o = {malloc(len ? len : 1), len};

	memcpy(o.p, p, len);
	return o;
}

static inline enum nlri_verdict test_nlri_decode(
	struct reader *r, bool withdraw, struct nlri *ret, const char **ret_why)
{
	uint8_t type = reader_u8(r);
	struct reader v = reader_sub(r, reader_u8(r));
	struct nlri n = {0};

	if (!reader_ok(r)) {
		*ret_why = "NLRI overruns its field";
		return NLRI_BROKEN;
	}
	if (type == TEST_DISCARD_TYPE) {
		*ret_why = "discarded";
		return NLRI_DISCARD;
	}
	n.payload_len = type == TEST_PAYLOAD_TYPE && reader_left(&v) > 0;
	n.key_len = (uint16_t)(1 + reader_left(&v) - n.payload_len);
	n.key[0] = type;
	reader_copy(&v, n.key + 1, n.key_len - 1u);
	reader_copy(&v, n.payload, n.payload_len);
	if (withdraw)
		n.payload_len = 0;
	*ret = n;
	if (type != TEST_WITHDRAW_TYPE)
		return NLRI_OK;
	*ret_why = "withdrawn";
	return NLRI_WITHDRAW;
}

static inline void test_nlri_encode(struct writer *w, const uint8_t *key, size_t key_len,
	const uint8_t *payload, size_t payload_len)
{
	size_t extra = key[0] == TEST_PAYLOAD_TYPE;

	writer_u8(w, key[0]);
	writer_u8(w, (uint8_t)(key_len - 1 + extra));
	writer_bytes(w, key + 1, key_len - 1);
	if (extra)
		writer_u8(w, payload && payload_len ? payload[0] : 0);
}

static inline bool test_nexthop_len_ok(uint8_t len)
{
	return len == 4 || len == 16 || len == 32;
}

/* Odd and even ones. */
static inline unsigned test_class_of(const uint8_t *key, size_t key_len)
{
	return key[key_len - 1] & 1;
}

static const struct bgp_family test_family = {
	.afi = AFI_L2VPN,
	.safi = SAFI_EVPN,
	.name = "test",
	.decode = test_nlri_decode,
	.encode = test_nlri_encode,
	.class_of = test_class_of,
	.nexthop_len_ok = test_nexthop_len_ok,
};

static const struct bgp_family *const test_families[] = {&test_family};

/* Four kinds of peers. */
enum { PEER_EBGP = 1, PEER_AS2 = 2, PEER_NO_FAMILY = 4 };

static inline struct update_ctx test_ctx(unsigned peer)
{
	return (struct update_ctx){.as4 = !(peer & PEER_AS2),
		.ibgp = !(peer & PEER_EBGP),
		.local_as = 65000,
		.families = test_families,
		.family_count = peer & PEER_NO_FAMILY ? 0 : 1};
}

/* --- the recorded messages: lines of "TYPE hex of the body", # begins a comment --- */

static inline FILE *golden_open(const char *name)
{
	char path[4096];
	const char *srcdir = getenv("srcdir");

	snprintf(path, sizeof(path), "%s/tests/data/golden/%s", srcdir ? srcdir : ".", name);
	FILE *f = fopen(path, "r");
	if (!f)
		perror(path);
	return f;
}

/* false at the end. `type`: 16 octets. The body is the caller's to free. */
static inline bool golden_next(FILE *f, char *type, struct octets *ret_body)
{
	static char line[20000], hex[20000];

	while (fgets(line, sizeof(line), f)) {
		hex[0] = '\0';
		if (line[0] == '#' || sscanf(line, "%15s %19999s", type, hex) < 1)
			continue;
		*ret_body = octets_of(hex);
		return true;
	}
	return false;
}

/* --- the frame of a test program --- */

#define ROWS_OF(table) (int)(sizeof(table) / sizeof((table)[0]))

#define CHECK_MAIN(name, adds)                                                                     \
	int main(void)                                                                             \
	{                                                                                          \
		Suite *s = suite_create(name);                                                     \
		TCase *t = tcase_create(name);                                                     \
		adds suite_add_tcase(s, t);                                                        \
		SRunner *sr = srunner_create(s);                                                   \
		srunner_run_all(sr, CK_NORMAL);                                                    \
		int failed = srunner_ntests_failed(sr);                                            \
		srunner_free(sr);                                                                  \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                       \
	}
