/* A peer made by hand: one speaker, connections whose other end is the test, octet by octet. */
#pragma once
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/msg.h"
#include "bgp/speaker.h"
#include "lib/siphash.h"
#include "tests/bgp/wire.h"

#define RAW_LOCAL 0xc0000201u /* 192.0.2.1 */
#define RAW_PEER 0xc0000202u

struct raw {
	struct speaker *s;
	struct neighbor *n;
	struct conn *c; /* NULL: closed by the speaker */
	uint64_t now;
	uint8_t *out; /* what has come from the speaker */
	size_t out_len;
	size_t window; /* what the peer still takes; the rest stays with the speaker */
	uint32_t address;
};

static inline struct conn *raw_call(struct raw *r, uint32_t address)
{
	return speaker_accept(r->s, ip_v4_u32(address), ip_v4_u32(RAW_LOCAL), r->now);
}

static inline void raw_send(struct raw *r)
{
	const uint8_t *p;
	size_t n;

	while (r->c && (n = conn_tx(r->c, &p, r->now)) && r->window) {
		n = n < r->window ? n : r->window;
		r->window -= n;
		r->out = realloc(r->out, r->out_len + n);
		memcpy(r->out + r->out_len, p, n);
		r->out_len += n;
		conn_sent(r->c, n, r->now);
	}
}

static inline void raw_drain(struct raw *r)
{
	struct action a;

	for (int i = 0; i < 10000; i++) {
		if (speaker_deadline(r->s) <= r->now)
			speaker_run(r->s, r->now);
		if (!speaker_next_action(r->s, &a)) {
			raw_send(r);
			if (speaker_deadline(r->s) > r->now)
				return;
			continue;
		}
		if (a.type == ACTION_CONNECT) {
			conn_lost(a.conn, CONN_FAILED, r->now);
		} else if (a.type == ACTION_SEND) {
			if (a.conn == r->c)
				raw_send(r);
		} else {
			if (a.conn == r->c) {
				raw_send(r);
				r->c = NULL;
			}
			conn_closed(a.conn);
		}
	}
}

static inline void raw_start_with(
	struct raw *r, const struct speaker_config *c, const struct neighbor_config *n)
{
	*r = (struct raw){.now = 5000, .window = SIZE_MAX, .address = RAW_PEER};
	siphash_process_key_fix(3, 4);
	r->s = speaker_new(c, r->now);
	ck_assert_int_eq(speaker_add_neighbor(r->s, n, r->now, &r->n), 0);
	r->c = raw_call(r, RAW_PEER);
	ck_assert_ptr_nonnull(r->c);
	raw_drain(r);
}

static inline struct speaker_config raw_speaker(void)
{
	return (struct speaker_config){.as = 65000,
		.router_id = RAW_LOCAL,
		.families = test_families,
		.family_count = 1,
		.hold_sec = 90,
		.restart_sec = 120,
		.defer_sec = 0};
}

static inline struct neighbor_config raw_neighbor(void)
{
	return (struct neighbor_config){.address = ip_v4_u32(RAW_PEER),
		.remote_as = 65000,
		.client = true,
		.passive = true};
}

static inline void raw_start(struct raw *r)
{
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();

	raw_start_with(r, &c, &n);
}

static inline void raw_stop(struct raw *r)
{
	speaker_free(r->s);
	free(r->out);
}

static inline void raw_rx(struct raw *r, const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, bytes, len);
	if (r->c)
		conn_rx(r->c, copy, len, r->now);
	free(copy);
	raw_drain(r);
}

static inline void raw_rx_hex(struct raw *r, const char *hex)
{
	struct octets o = octets_of(hex);

	raw_rx(r, o.p, o.len);
	free(o.p);
}

static inline void raw_wait(struct raw *r, uint64_t ms)
{
	uint64_t end = r->now + ms, next;

	while ((next = speaker_deadline(r->s)) <= end) {
		r->now = next > r->now ? next : r->now;
		raw_drain(r);
	}
	r->now = end;
}

/* --- messages --- */

struct raw_msg {
	uint8_t type;
	const uint8_t *body;
	size_t len;
};

/* Takes the next whole message off `*at`. */
static inline bool raw_next(const struct raw *r, size_t *at, struct raw_msg *ret)
{
	struct bgp_header h;
	struct bgp_error err;

	if (bgp_header_decode(r->out + *at, r->out_len - *at, BGP_MSG_EXTENDED_MAX, &h, &err) !=
			0 ||
		*at + h.len > r->out_len)
		return false;
	*ret = (struct raw_msg){h.type, r->out + *at + BGP_HEADER_LEN, h.len - BGP_HEADER_LEN};
	*at += h.len;
	return true;
}

static inline void raw_forget(struct raw *r)
{
	r->out_len = 0;
}

/* What came since raw_forget(), in short: "OPEN KEEPALIVE +7 -8 EOR BORR EORR 6/2". +n and -n are
 * routes of the test family with a number as key. */
static inline const char *raw_text(const struct raw *r, char *buf, size_t cap)
{
	static const char *const names[] = {"", "OPEN", "UPDATE", "", "KEEPALIVE", "REFRESH"};
	struct update_ctx ctx = test_ctx(0);
	struct raw_msg m;
	size_t at = 0, n = 0;

	buf[0] = '\0';
	while (raw_next(r, &at, &m)) {
		struct update u;
		struct bgp_error err;
		struct bgp_refresh rr;
		struct nlri nlri;
		const char *why;
		if (n && n + 100 < cap)
			n += (size_t)snprintf(buf + n, cap - n, " ");
		if (m.type == BGP_NOTIFICATION) {
			ck_assert_int_eq(notification_decode(m.body, m.len, &err), 0);
			n += (size_t)snprintf(buf + n, cap - n, "%u/%u", err.code, err.subcode);
		} else if (m.type == BGP_ROUTE_REFRESH) {
			ck_assert_int_eq(refresh_decode(m.body, m.len, &rr, &err), 0);
			n += (size_t)snprintf(buf + n, cap - n, "%s",
				rr.subtype == REFRESH_BORR   ? "BORR"
				: rr.subtype == REFRESH_EORR ? "EORR"
							     : "REFRESH");
		} else if (m.type == BGP_UPDATE) {
			ck_assert_int_eq(update_decode(m.body, m.len, &ctx, &u, &err), 0);
			ck_assert_int_eq(u.reaction, UPDATE_OK);
			if (u.eor_family)
				n += (size_t)snprintf(buf + n, cap - n, "EOR");
			for (int w = 0; w < 2; w++) {
				struct span sp = w ? u.unreach : u.reach;
				struct reader rd = reader_of(sp.p, sp.len);
				for (bool first = true; reader_left(&rd) && n + 100 < cap;
					first = false) {
					ck_assert_int_eq(update_next(&rd, &test_family, false, w,
								 &nlri, &why),
						NLRI_OK);
					n += (size_t)snprintf(buf + n, cap - n, "%s%c%u",
						first ? "" : ",", w ? '-' : '+', nlri.key[1]);
				}
			}
		} else {
			n += (size_t)snprintf(buf + n, cap - n, "%s", names[m.type]);
		}
	}
	return buf;
}

static inline struct bgp_open raw_open(void)
{
	return (struct bgp_open){.as = 65000,
		.hold_sec = 90,
		.bgp_id = RAW_PEER,
		.families = {{AFI_L2VPN, SAFI_EVPN}},
		.family_count = 1,
		.as4 = true,
		.route_refresh = true,
		.enhanced_refresh = true,
		.role = -1};
}

static inline void raw_rx_open(struct raw *r, const struct bgp_open *o)
{
	uint8_t buf[BGP_MSG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	open_encode(&w, o);
	raw_rx(r, buf, writer_len(&w));
}

static inline void raw_rx_keepalive(struct raw *r)
{
	uint8_t buf[BGP_HEADER_LEN];
	struct writer w = writer_of(buf, sizeof(buf));

	keepalive_encode(&w);
	raw_rx(r, buf, sizeof(buf));
}

static inline void raw_establish(struct raw *r, const struct bgp_open *o)
{
	struct neighbor_view v;

	raw_rx_open(r, o);
	raw_rx_keepalive(r);
	neighbor_view(r->n, &v);
	ck_assert_str_eq(v.state, "Established");
}

static inline void raw_rx_refresh(struct raw *r, uint16_t afi, uint8_t subtype)
{
	uint8_t buf[BGP_HEADER_LEN + 4];
	struct writer w = writer_of(buf, sizeof(buf));
	struct bgp_refresh rr = {{afi, SAFI_EVPN}, subtype};

	refresh_encode(&w, &rr);
	raw_rx(r, buf, sizeof(buf));
}

/* An UPDATE of the routes `first` .. `last`, or their withdrawal. `extra`: octets of an attribute
 * we do not know. */
static inline size_t raw_update(uint8_t *buf, size_t cap, unsigned first, unsigned last,
	uint8_t payload, bool withdraw, size_t extra)
{
	static uint8_t blob[BGP_MSG_EXTENDED_MAX];
	struct attrs a = {
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.next_hop = ip_v4_u32(RAW_PEER)};
	struct update_out out = {.as4 = true, .ibgp = true};
	struct update_writer u;

	if (extra) {
		blob[0] = ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE;
		blob[1] = 200;
		blob[2] = (uint8_t)(extra >> 8);
		blob[3] = (uint8_t)extra;
		a.unknown = (struct span){blob, (uint16_t)(extra + 4)};
	}
	if (withdraw)
		ck_assert_int_eq(update_begin_withdraw(&u, buf, cap, &test_family, false), 0);
	else
		ck_assert_int_eq(update_begin(&u, buf, cap, &test_family, false, &a, &out), 0);
	for (unsigned i = first; i <= last; i++) {
		uint8_t key[] = {TEST_PAYLOAD_TYPE, (uint8_t)i};
		ck_assert(update_add(&u, 0, key, sizeof(key), &payload, 1));
	}
	return update_end(&u);
}

static inline void raw_rx_routes(struct raw *r, unsigned first, unsigned last, uint8_t payload)
{
	uint8_t buf[BGP_MSG_MAX];

	raw_rx(r, buf, raw_update(buf, sizeof(buf), first, last, payload, false, 0));
}

static inline void raw_rx_withdraw(struct raw *r, unsigned first, unsigned last)
{
	uint8_t buf[BGP_MSG_MAX];

	raw_rx(r, buf, raw_update(buf, sizeof(buf), first, last, 0, true, 0));
}

static inline void raw_originate(struct raw *r, unsigned number, uint8_t payload)
{
	struct nlri n = {.key_len = 2,
		.payload_len = 1,
		.key = {TEST_PAYLOAD_TYPE, (uint8_t)number},
		.payload = {payload}};
	struct attrs a = {
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.next_hop = ip_v4_u32(RAW_LOCAL)};

	ck_assert_int_eq(speaker_originate(r->s, &test_family, &n, &a, r->now), 0);
	raw_drain(r);
}

static inline struct neighbor_view raw_view(const struct raw *r)
{
	struct neighbor_view v;

	neighbor_view(r->n, &v);
	return v;
}
