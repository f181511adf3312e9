/* A monitoring station of straw: reads the octets of BMP with no help of the encoder, and says in short what came. */
#pragma once
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/bmp.h"
#include "bgp/msg.h"
#include "bgp/update.h"
#include "lib/reader.h"
#include "tests/bgp/wire.h"

/* The peers agreed on path identifiers in what they tell us. */
static bool straw_add_path;

struct straw {
	struct bmp_station *st;
	uint8_t *in;
	size_t len, cap;
	size_t at; /* read so far */
};

struct straw_msg {
	uint8_t type, flags;
	struct ip peer;
	uint32_t as, bgp_id, sec, usec;
	struct reader body; /* behind the headers */
};

/* As much as there is, or `max` octets. */
static inline size_t straw_read(struct straw *w, size_t max)
{
	const uint8_t *p;
	size_t n, sum = 0;

	while (max && (n = bmp_tx(w->st, &p))) {
		n = n < max ? n : max;
		if (w->len + n > w->cap) {
			w->cap = 2 * (w->len + n);
			w->in = realloc(w->in, w->cap);
		}
		memcpy(w->in + w->len, p, n);
		w->len += n;
		bmp_sent(w->st, n);
		max -= n;
		sum += n;
	}
	return sum;
}

/* What was read is done with. */
static inline void straw_forget(struct straw *w)
{
	if (w->at)
		memmove(w->in, w->in + w->at, w->len - w->at);
	w->len -= w->at;
	w->at = 0;
}

static inline struct ip straw_ip(struct reader *r, bool v6)
{
	struct ip ip = {.family = v6 ? 6 : 4};
	const uint8_t *p = reader_bytes(r, 16);

	ck_assert_ptr_nonnull(p);
	if (v6) {
		memcpy(ip.b, p, 16);
		return ip;
	}
	for (int i = 0; i < 12; i++)
		ck_assert_uint_eq(p[i], 0);
	memcpy(ip.b, p + 12, 4);
	return ip;
}

/* The next message that is there whole. */
static inline bool straw_next(struct straw *w, struct straw_msg *ret)
{
	struct reader r;
	uint32_t len;

	if (w->len - w->at < 6)
		return false;
	r = reader_of(w->in + w->at, w->len - w->at);
	ck_assert_uint_eq(reader_u8(&r), 3);
	len = reader_u32(&r);
	ck_assert_uint_ge(len, 6);
	*ret = (struct straw_msg){.type = reader_u8(&r)};
	ck_assert_uint_le(ret->type, 5);
	if (reader_left(&r) < len - 6)
		return false;
	r = reader_of(w->in + w->at + 6, len - 6);
	w->at += len;
	if (ret->type < 4) {
		ck_assert_uint_eq(reader_u8(&r), 0);
		ret->flags = reader_u8(&r);
		ck_assert_uint_eq(ret->flags & 0x1f, 0);
		for (int i = 0; i < 8; i++)
			ck_assert_uint_eq(reader_u8(&r), 0);
		ret->peer = straw_ip(&r, ret->flags & 0x80);
		ret->as = reader_u32(&r);
		ret->bgp_id = reader_u32(&r);
		ret->sec = reader_u32(&r);
		ret->usec = reader_u32(&r);
		ck_assert_uint_lt(ret->usec, 1000000);
	}
	ck_assert(reader_ok(&r));
	ret->body = r;
	return true;
}

/* A whole BGP message of a type off a reader: its body. */
static inline struct reader straw_bgp(struct reader *r, uint8_t type)
{
	struct bgp_header h;
	struct bgp_error err;

	ck_assert_int_eq(
		bgp_header_decode(r->p, reader_left(r), BGP_MSG_EXTENDED_MAX, &h, &err), 0);
	ck_assert_uint_eq(h.type, type);
	reader_skip(r, BGP_HEADER_LEN);
	struct reader body = reader_sub(r, h.len - BGP_HEADER_LEN);
	ck_assert(reader_ok(r));
	return body;
}

static inline bool straw_with_ids(const void *arg, const struct bgp_family *f)
{
	(void)arg;
	(void)f;
	return straw_add_path;
}

/* An UPDATE that no station can stumble over. */
static inline struct update straw_update(const struct straw_msg *m)
{
	static struct update_ctx ctx;
	struct reader r = m->body, body = straw_bgp(&r, BGP_UPDATE);
	struct update u;
	struct bgp_error err;

	ck_assert(reader_done(&r));
	ctx = test_ctx(m->as == 65000 ? 0 : PEER_EBGP);
	ctx.as4 = !(m->flags & 0x20);
	ctx.add_path = straw_with_ids;
	ck_assert_int_eq(update_decode(body.p, reader_left(&body), &ctx, &u, &err), 0);
	ck_assert_int_eq(u.reaction, UPDATE_OK);
	ck_assert(!u.unknown_family);
	return u;
}

static inline size_t straw_route_text(const struct straw_msg *m, char *buf, size_t cap)
{
	struct update u = straw_update(m);
	size_t n = 0;

	if (u.eor_family)
		n += (size_t)snprintf(buf + n, cap - n, "EOR");
	for (int withdraw = 1; withdraw >= 0; withdraw--) {
		struct span s = withdraw ? u.unreach : u.reach;
		struct reader r = reader_of(s.p, s.len);
		struct nlri nlri;
		const char *why;
		while (reader_left(&r)) {
			/* The family has a type that is bad by itself. */
			ck_assert_int_le(
				update_next(&r, &test_family, straw_add_path, withdraw, &nlri, &why),
				withdraw ? NLRI_WITHDRAW : NLRI_OK);
			n += (size_t)snprintf(buf + n, cap - n, "%s%c%u", n ? "," : "",
				withdraw ? '-' : '+', nlri.key[1]);
			if (straw_add_path)
				n += (size_t)snprintf(buf + n, cap - n, "#%u", nlri.path_id);
		}
	}
	return n;
}

static inline size_t straw_down_text(const struct straw_msg *m, char *buf, size_t cap)
{
	struct reader r = m->body;
	uint8_t reason = reader_u8(&r);
	size_t n = (size_t)snprintf(buf, cap, "DOWN:%u", reason);

	if (reason == 1 || reason == 3) {
		struct reader body = straw_bgp(&r, BGP_NOTIFICATION);
		uint8_t code = reader_u8(&body), sub = reader_u8(&body);
		n += (size_t)snprintf(buf + n, cap - n, ":%u/%u", code, sub);
	} else if (reason == 2) {
		n += (size_t)snprintf(buf + n, cap - n, ":%u", reader_u16(&r));
	}
	ck_assert(reader_done(&r));
	return n;
}

/* What came since the last time: "INIT UP +1,+2 EOR DOWN:1:6/2 STATS TERM:0"; what has the L flag ends with an L, and
 * what has a path identifier is +1#7. */
static inline const char *straw_text(struct straw *w, char *buf, size_t cap)
{
	static const char *const names[] = {"", "STATS", "", "UP", "INIT", ""};
	struct straw_msg m;
	size_t n = 0;

	straw_read(w, SIZE_MAX);
	buf[0] = '\0';
	while (straw_next(w, &m)) {
		if (n)
			n += (size_t)snprintf(buf + n, cap - n, " ");
		if (m.type == 0)
			n += straw_route_text(&m, buf + n, cap - n);
		else if (m.type == 2)
			n += straw_down_text(&m, buf + n, cap - n);
		else if (m.type == 5)
			n += (size_t)snprintf(buf + n, cap - n, "TERM:%u",
				(reader_skip(&m.body, 4), reader_u16(&m.body)));
		else
			n += (size_t)snprintf(buf + n, cap - n, "%s", names[m.type]);
		if (m.flags & 0x40)
			n += (size_t)snprintf(buf + n, cap - n, "L");
		ck_assert_uint_lt(n, cap);
	}
	ck_assert_uint_eq(w->at, w->len);
	return buf;
}
