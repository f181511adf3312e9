/* A monitoring station for the fuzz targets: whatever the peers say, it hears nothing that RFC 7854 does not allow, and no
 * UPDATE with anything wrong in it. Otherwise it aborts. */
#pragma once
#include <stdlib.h>

#include "bgp/bmp.h"
#include "bgp/msg.h"
#include "bgp/rtc.h"
#include "lib/reader.h"
#include "tests/bgp/wire.h"

#define STATION_PEERS 2 /* the last octet of their address: 2, 3 */

struct station {
	struct bmp_station *st;
	uint8_t *in;
	size_t len;
	bool initiated, up[STATION_PEERS];
};

static inline void must(bool ok)
{
	if (!ok)
		abort();
}

static inline void station_clear(struct station *w)
{
	free(w->in);
	*w = (struct station){.st = w->st};
}

static inline void station_hear_update(struct reader r, bool as2)
{
	static const struct bgp_family *const families[] = {&test_family, &rtc_family};
	struct update_ctx ctx = test_ctx(as2 ? PEER_AS2 : 0);
	struct update u;
	struct bgp_error err;
	const char *why;
	struct nlri n;

	ctx.families = families;
	ctx.family_count = 2;
	must(update_decode(r.p, reader_left(&r), &ctx, &u, &err) == 0);
	must(u.reaction == UPDATE_OK && !u.unknown_family);
	r = reader_of(u.reach.p, u.reach.len);
	while (reader_left(&r))
		must(update_next(&r, u.reach_family, false, false, &n, &why) == NLRI_OK);
	r = reader_of(u.unreach.p, u.unreach.len);
	while (reader_left(&r)) /* the family has a type that is bad by itself */
		must(update_next(&r, u.unreach_family, false, true, &n, &why) <= NLRI_WITHDRAW);
}

static inline struct reader station_bgp(struct reader *r, uint8_t type)
{
	struct bgp_header h;
	struct bgp_error err;

	must(bgp_header_decode(r->p, reader_left(r), BGP_MSG_EXTENDED_MAX, &h, &err) == 0);
	must(h.type == type);
	reader_skip(r, BGP_HEADER_LEN);
	return reader_sub(r, h.len - BGP_HEADER_LEN);
}

static inline void station_hear_of_peer(struct station *w, uint8_t type, struct reader r)
{
	uint8_t flags, peer, reason;

	must(reader_u8(&r) == 0);
	flags = reader_u8(&r);
	must(!(flags & 0x9f));
	reader_skip(&r, 23);
	peer = reader_u8(&r) - 2;
	reader_skip(&r, 16);
	must(reader_ok(&r) && peer < STATION_PEERS && w->up[peer] == (type != 3));
	if (type == 0) {
		station_hear_update(station_bgp(&r, BGP_UPDATE), flags & 0x20);
	} else if (type == 2) {
		reason = reader_u8(&r);
		must(reason >= 1 && reason <= 4);
		if (reason == 1 || reason == 3)
			station_bgp(&r, BGP_NOTIFICATION);
		else if (reason == 2)
			reader_skip(&r, 2);
		w->up[peer] = false;
	} else if (type == 3) {
		reader_skip(&r, 20);
		station_bgp(&r, BGP_OPEN);
		station_bgp(&r, BGP_OPEN);
		w->up[peer] = true;
	} else {
		return; /* statistics */
	}
	must(reader_done(&r));
}

static inline void station_hear(struct station *w)
{
	size_t at = 0;

	while (w->len - at >= 6) {
		struct reader r = reader_of(w->in + at, w->len - at);
		must(reader_u8(&r) == 3);
		uint32_t len = reader_u32(&r);
		uint8_t type = reader_u8(&r);
		must(len >= 6 && type <= 5 && w->initiated == (type != 4));
		if (len > w->len - at)
			break;
		r = reader_of(w->in + at + 6, len - 6);
		at += len;
		if (type < 4)
			station_hear_of_peer(w, type, r);
		w->initiated |= type == 4;
	}
	if (at)
		memmove(w->in, w->in + at, w->len - at);
	w->len -= at;
}

/* The daemon's part: connects at once, and reads `max` octets. */
static inline void station_serve(struct station *w, uint64_t now_ms, size_t max)
{
	const uint8_t *p;
	size_t n;

	switch (bmp_wants(w->st, now_ms)) {
	case BMP_CONNECT:
		station_clear(w);
		bmp_connecting(w->st);
		bmp_connected(w->st, now_ms);
		break;
	case BMP_CLOSE:
		bmp_lost(w->st, NULL, now_ms);
		break;
	default:
		break;
	}
	while (max && (n = bmp_tx(w->st, &p))) {
		n = n < max ? n : max;
		w->in = realloc(w->in, w->len + n);
		must(w->in != NULL);
		memcpy(w->in + w->len, p, n);
		w->len += n;
		max -= n;
		bmp_sent(w->st, n);
	}
	station_hear(w);
}
