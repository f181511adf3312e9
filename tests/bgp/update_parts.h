/* What the tests of UPDATE share: attributes as they should be, to be put together in tables, and
 * bodies made of them. */
#pragma once
#include <check.h>
#include <errno.h>

#include "tests/bgp/wire.h"

/* The building blocks of the tables: attributes as they should be. */
#define REACH "800e0e 0019 46 04 0a000001 00 0203aabbcc "
#define REACH_EMPTY "800e09 0019 46 04 0a000001 00 "
#define REACH_OTHER "800e0e 0002 80 04 0a000001 00 0203aabbcc "
#define UNREACH "800f08 0019 46 0203ddeeff "
#define ORIGIN "400101 00 "
#define PATH "400206 02010000fde8 "
#define PATH2 "400204 0201fde8 "
#define NEXT_HOP "400304 0a000001 "
#define PREF "400504 00000064 "
#define GOOD REACH ORIGIN PATH PREF

/* A body of withdrawn routes, attributes and NLRI. */
static inline struct octets body_of(const char *withdrawn, const char *attrs, const char *nlri)
{
	struct octets part[3] = {octets_of(withdrawn), octets_of(attrs), octets_of(nlri)};
	size_t len = 4 + part[0].len + part[1].len + part[2].len;
	struct octets o = {malloc(len), len};
	struct writer w = writer_of(o.p, len);

	for (int i = 0; i < 3; i++) {
		if (i < 2)
			writer_u16(&w, (uint16_t)part[i].len);
		writer_bytes(&w, part[i].p, part[i].len);
		free(part[i].p);
	}
	ck_assert(writer_ok(&w));
	return o;
}

static inline int decode_body(struct octets body, unsigned peer, struct update *u, struct bgp_error *err)
{
	struct update_ctx ctx = test_ctx(peer);

	memset(err, 0, sizeof(*err));
	return update_decode(body.p, body.len, &ctx, u, err);
}

/* Decodes attributes that must pass, for an encoder to be tried on. The body is kept for the spans. */
static inline struct octets good(const char *attrs, unsigned peer, struct update *u)
{
	struct octets body = body_of("", attrs, "");
	struct bgp_error err;

	ck_assert_int_eq(decode_body(body, peer, u, &err), 0);
	ck_assert_int_eq(u->reaction, UPDATE_OK);
	return body;
}

static inline void add_all(struct update_writer *w, struct span nlris, bool withdraw)
{
	struct reader r = reader_of(nlris.p, nlris.len);
	const char *why;
	struct nlri n;

	while (reader_left(&r) > 0) {
		ck_assert_int_eq(update_next(&r, &test_family, false, withdraw, &n, &why), NLRI_OK);
		ck_assert(update_add(w, 0, n.key, n.key_len, n.payload, n.payload_len));
	}
}

static inline size_t encode_again(const struct update *u, uint8_t *buf, size_t cap)
{
	struct update_out out = {.as4 = true, .ibgp = true};
	struct update_writer w;

	if (u->eor_family)
		return update_eor(buf, cap, u->eor_family);
	if (u->unreach_family) {
		ck_assert_int_eq(update_begin_withdraw(&w, buf, cap, u->unreach_family, false), 0);
		add_all(&w, u->unreach, true);
	} else {
		ck_assert_int_eq(update_begin(&w, buf, cap, u->reach_family, false, &u->attrs, &out), 0);
		add_all(&w, u->reach, false);
	}
	return update_end(&w);
}
