/* A speaker between its clients, octet by octet: what one tells, and what two others are told of
 * it, one as all are and one of the conservative profile. Messages are put together and taken
 * apart without the engine's codecs. */
#pragma once
#include "evpn/family.h"
#include "tests/bgp/raw.h"

#define RD "0001 0a630002 0064 "
#define ESI1 "00112233445566778899 "
#define ESI0 "00000000000000000000 "
#define TAG "00000000 "
#define MAC "02005e000001 "
#define V4 "c6120001 "
#define V6 "20010db8010000000000000000000001 "
#define ZERO16 "00000000000000000000000000000000 "
#define ATTRS "400101 00 400200 400504 00000064 "
#define RT "c01008 0002fde800000064 "
#define REFLECTED "800904 c0000202 800a04 c0000201 "

/* Two good routes. */
#define GOOD1 "03 11" RD TAG "20 0a630002 "
#define GOOD2 "02 21" RD ESI0 TAG "30" MAC "00 000064 "

/* The sender, and what two others are told: one as all are, one of the conservative profile. */
struct world {
	struct raw from, to, frr;
};

static const struct bgp_family *const families[] = {&evpn_family};

static inline void join(struct raw *r, struct speaker *s, uint32_t address, bool conservative)
{
	struct neighbor_config n = raw_neighbor();
	struct bgp_open o = raw_open();

	*r = (struct raw){.s = s, .now = 5000, .window = SIZE_MAX};
	n.address = ip_v4_u32(address);
	n.conservative = conservative;
	o.bgp_id = address;
	ck_assert_int_eq(speaker_add_neighbor(s, &n, r->now, &r->n), 0);
	r->c = raw_call(r, address);
	ck_assert_ptr_nonnull(r->c);
	raw_drain(r);
	raw_establish(r, &o);
	raw_forget(r);
}

static inline void drain(struct world *w)
{
	raw_drain(&w->to);
	raw_drain(&w->frr);
}

static inline void world_init(struct world *w)
{
	struct speaker_config c = raw_speaker();

	siphash_process_key_fix(3, 4);
	c.families = families;
	struct speaker *s = speaker_new(&c, 5000);
	join(&w->from, s, RAW_PEER, false);
	join(&w->to, s, RAW_PEER + 1, false);
	join(&w->frr, s, RAW_PEER + 2, true);
	drain(w);
	raw_forget(&w->to);
	raw_forget(&w->frr);
}

static inline void world_free(struct world *w)
{
	ck_assert_str_eq(raw_view(&w->from).state, "Established");
	speaker_free(w->from.s);
	free(w->from.out);
	free(w->to.out);
	free(w->frr.out);
}

/* --- messages, put together and taken apart without the engine's codecs --- */

static inline size_t build(uint8_t *buf, bool withdraw, struct octets nlris, struct octets rest)
{
	static const uint8_t reach[] = {0x90, 14}, unreach[] = {0x90, 15},
			     hop[] = {4, 10, 99, 0, 2, 0};
	struct writer w = writer_of(buf, BGP_MSG_MAX);
	size_t head = withdraw ? 3 : 3 + sizeof(hop);
	size_t mark = bgp_msg_begin(&w, BGP_UPDATE);

	writer_u16(&w, 0);
	writer_u16(&w, (uint16_t)(4 + head + nlris.len + rest.len));
	writer_bytes(&w, withdraw ? unreach : reach, 2);
	writer_u16(&w, (uint16_t)(head + nlris.len));
	writer_u16(&w, AFI_L2VPN);
	writer_u8(&w, SAFI_EVPN);
	if (!withdraw)
		writer_bytes(&w, hop, sizeof(hop));
	writer_bytes(&w, nlris.p, nlris.len);
	writer_bytes(&w, rest.p, rest.len);
	ck_assert(writer_ok(&w));
	bgp_msg_finish(&w, mark);
	return writer_len(&w);
}

static inline void say(struct world *w, bool withdraw, const char *nlris, const char *rest)
{
	struct octets n = octets_of(nlris), r = octets_of(rest);
	uint8_t buf[BGP_MSG_MAX];

	raw_forget(&w->to);
	raw_forget(&w->frr);
	raw_rx(&w->from, buf, build(buf, withdraw, n, r));
	drain(w);
	free(n.p);
	free(r.p);
}

/* What one was told, a message a line: "+NLRIs rest" or "-NLRIs", in hex. */
static inline char *told(const struct raw *r)
{
	struct raw_msg m;
	size_t at = 0, n = 0, cap = 4 * r->out_len + 64;
	char *text = calloc(1, cap);

	while (raw_next(r, &at, &m)) {
		struct reader body = reader_of(m.body, m.len);
		ck_assert_int_eq(m.type, BGP_UPDATE);
		reader_skip(&body, 5);
		uint8_t type = reader_u8(&body);
		struct reader mp = reader_sub(&body, reader_u16(&body));
		reader_skip(&mp, type == 14 ? 9 : 3);
		char *nlris = hex_of(mp.p, reader_left(&mp)),
		     *rest = hex_of(body.p, reader_left(&body));
		n += (size_t)snprintf(text + n, cap - n, "%s%c%s%s%s", n ? "\n" : "",
			type == 14 ? '+' : '-', nlris, *rest ? " " : "", rest);
		free(nlris);
		free(rest);
	}
	return text;
}

/* Nothing, or one message. */
static inline void expect(
	const char *what, const struct raw *r, char sign, const char *nlri, const char *rest)
{
	struct octets a = octets_of(nlri), b = octets_of(rest);
	char *na = hex_of(a.p, a.len), *nb = hex_of(b.p, b.len), *got = told(r),
	     want[3 * BGP_MSG_MAX] = "";

	if (sign != 0)
		snprintf(want, sizeof(want), "%c%s%s%s", sign, na, *nb ? " " : "", nb);
	ck_assert_msg(strcmp(got, want) == 0, "%s: told %s, not %s", what, got, want);
	free(a.p);
	free(b.p);
	free(na);
	free(nb);
	free(got);
}
