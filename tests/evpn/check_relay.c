/* What a reflector must leave alone: a route that one client tells comes out at another with the same NLRI, PMSI and
 * communities, octet for octet, and so does its withdrawal, whatever fills the fields that are not in its key. */
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

/* The sender, and what two others are told: one as all are, one of the conservative profile. */
struct world {
	struct raw from, to, frr;
};

static const struct bgp_family *const families[] = {&evpn_family};

static void join(struct raw *r, struct speaker *s, uint32_t address, bool conservative)
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

static void drain(struct world *w)
{
	raw_drain(&w->to);
	raw_drain(&w->frr);
}

static void world_init(struct world *w)
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

static void world_free(struct world *w)
{
	ck_assert_str_eq(raw_view(&w->from).state, "Established");
	speaker_free(w->from.s);
	free(w->from.out);
	free(w->to.out);
	free(w->frr.out);
}

/* --- messages, put together and taken apart without the engine's codecs --- */

static size_t build(uint8_t *buf, bool withdraw, struct octets nlris, struct octets rest)
{
	static const uint8_t reach[] = {0x90, 14}, unreach[] = {0x90, 15}, hop[] = {4, 10, 99, 0, 2, 0};
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

static void say(struct world *w, bool withdraw, const char *nlris, const char *rest)
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
static char *told(const struct raw *r)
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
		char *nlris = hex_of(mp.p, reader_left(&mp)), *rest = hex_of(body.p, reader_left(&body));
		n += (size_t)snprintf(text + n, cap - n, "%s%c%s%s%s", n ? "\n" : "", type == 14 ? '+' : '-', nlris,
			*rest ? " " : "", rest);
		free(nlris);
		free(rest);
	}
	return text;
}

/* Nothing, or one message. */
static void expect(const char *what, const struct raw *r, char sign, const char *nlri, const char *rest)
{
	struct octets a = octets_of(nlri), b = octets_of(rest);
	char *na = hex_of(a.p, a.len), *nb = hex_of(b.p, b.len), *got = told(r), want[3 * BGP_MSG_MAX] = "";

	if (sign != 0)
		snprintf(want, sizeof(want), "%c%s%s%s", sign, na, *nb ? " " : "", nb);
	ck_assert_msg(strcmp(got, want) == 0, "%s: told %s, not %s", what, got, want);
	free(a.p);
	free(b.p);
	free(na);
	free(nb);
	free(got);
}

/* --- routes of all kinds, with all that is not in their keys --- */

/* E, L and M stand for an ESI and two labels; in a withdrawal the latter are whatever its sender likes. */
static const struct {
	const char *what, *nlri, *zero; /* zero: as a withdrawal goes out */
} routes[] = {
	{"N7 type 1", "01 19" RD "E" TAG "L", "01 19" RD "E" TAG "000000"},
	{"N13 type 1 of a segment", "01 19" RD "E ffffffff L", "01 19" RD "E ffffffff 000000"},
	{"N7 type 2, MAC only", "02 21" RD "E" TAG "30" MAC "00 L", "02 21" RD ESI0 TAG "30" MAC "00 000000"},
	{"N5 type 2, MAC only, two labels", "02 24" RD "E" TAG "30" MAC "00 LM",
		"02 21" RD ESI0 TAG "30" MAC "00 000000"},
	{"type 2, IPv4", "02 25" RD "E" TAG "30" MAC "20" V4 "L", "02 25" RD ESI0 TAG "30" MAC "20" V4 "000000"},
	{"type 2, IPv4, two labels", "02 28" RD "E" TAG "30" MAC "20" V4 "LM",
		"02 25" RD ESI0 TAG "30" MAC "20" V4 "000000"},
	{"N4 type 2, 0.0.0.0", "02 25" RD "E" TAG "30" MAC "20 00000000 L",
		"02 25" RD ESI0 TAG "30" MAC "20 00000000 000000"},
	{"type 2, IPv6", "02 31" RD "E" TAG "30" MAC "80" V6 "L", "02 31" RD ESI0 TAG "30" MAC "80" V6 "000000"},
	{"type 2, IPv6, two labels", "02 34" RD "E" TAG "30" MAC "80" V6 "LM",
		"02 31" RD ESI0 TAG "30" MAC "80" V6 "000000"},
	{"N11 type 2, RD of no known type", "02 21 00ff010203040506 E" TAG "30" MAC "00 L",
		"02 21 00ff010203040506" ESI0 TAG "30" MAC "00 000000"},
	{"type 3, IPv4", "03 11" RD TAG "20 0a630002", "03 11" RD TAG "20 0a630002"},
	{"type 4, IPv4", "04 17" RD "E 20 0a630002", "04 17" RD "E 20 0a630002"},
	{"type 5, IPv4", "05 22" RD "E" TAG "18 c0000200 c0000201 L",
		"05 22" RD ESI0 TAG "18 c0000200 00000000 000000"},
	{"type 5, IPv6", "05 3a" RD "E" TAG "80" V6 V6 "L", "05 3a" RD ESI0 TAG "80" V6 ZERO16 "000000"},
	{"N8 type 6", "06 18" RD TAG "00 20 ef010101 20 0a630002 02", "06 18" RD TAG "00 20 ef010101 20 0a630002 00"},
	{"type 7", "07 22" RD "E" TAG "00 20 ef010101 20 0a630002 02", "07 22" RD "E" TAG "00 20 ef010101 20 0a630002 00"},
	{"type 8", "08 27" RD "E" TAG "00 20 ef010101 20 0a630002 00000000 0a 02",
		"08 27" RD "E" TAG "00 20 ef010101 20 0a630002 00000000 00 00"},
	{"type 9", "09 0c" RD "0000000a", "09 0c" RD "0000000a"},
	{"type 10", "0a 11" RD "0000000a 20 0a630002", "0a 11" RD "0000000a 20 0a630002"},
	{"type 11", "0b 1b" RD "E 0000000a 20 0a630002", "0b 1b" RD "E 0000000a 20 0a630002"},
	{"N8 a type that nobody knows", "c8 09" RD "ff", "c8 09" RD "ff"},
	{"type 0", "00 08" RD, "00 08" RD},
};

/* N12: of each type, none, the reserved one, and a type that is not there. */
static const char *const esis[] = {"00112233445566778899", "01aabbccddeeff001100", "02aabbccddeeff800000",
	"0302005e000001000001", "04c00002010000000100", "050000fde80000000100", "00000000000000000000",
	"ffffffffffffffffffff", "c8112233445566778899"};
/* N5, N6: what stands in label fields. */
static const char *const labels[] = {"000064", "000000", "800000", "ffffff", "fffff0", "000001"};

static const char *fill(const char *form, size_t esi, size_t label, char buf[600])
{
	char *to = buf;

	for (; *form; form++) {
		const char *with = *form == 'E'   ? esis[esi % ROWS_OF(esis)]
				   : *form == 'L' ? labels[label % ROWS_OF(labels)]
				   : *form == 'M' ? labels[(label + 2) % ROWS_OF(labels)]
						  : NULL;
		if (with)
			to = stpcpy(to, with);
		else
			*to++ = *form;
	}
	*to = '\0';
	return buf;
}

START_TEST(comes_out_as_it_went_in)
{
	char nlri[600], zero[600], other[600];
	bool known = routes[_i].nlri[0] == '0' && routes[_i].nlri[1] >= '1' && routes[_i].nlri[1] <= '5';
	struct world w;

	world_init(&w);
	for (size_t e = 0; e < ROWS_OF(esis); e++)
		for (size_t l = 0; l < ROWS_OF(labels); l++) {
			fill(routes[_i].nlri, e, l, nlri);
			say(&w, false, nlri, ATTRS RT);
			expect(routes[_i].what, &w.to, '+', nlri, ATTRS REFLECTED RT);
			expect(routes[_i].what, &w.frr, known ? '+' : 0, known ? nlri : "",
				known ? ATTRS REFLECTED RT : "");
			/* N6: withdrawn with another label and the same key. */
			fill(routes[_i].nlri, e, l + 1, other);
			say(&w, true, other, "");
			fill(routes[_i].zero, e, l, zero);
			expect(routes[_i].what, &w.to, '-', zero, "");
			expect(routes[_i].what, &w.frr, known ? '-' : 0, known ? zero : "", "");
		}
	world_free(&w);
}
END_TEST

/* The octets above are the key's, or else the table would be wrong: the same again says nothing, and a withdrawal of what
 * is not there neither. */
START_TEST(nothing_new_says_nothing)
{
	char nlri[600];
	struct world w;

	world_init(&w);
	fill(routes[_i].nlri, 0, 0, nlri);
	say(&w, true, nlri, "");
	expect(routes[_i].what, &w.to, 0, "", "");
	say(&w, false, nlri, ATTRS RT);
	say(&w, false, nlri, ATTRS RT);
	expect(routes[_i].what, &w.to, 0, "", "");
	world_free(&w);
}
END_TEST

/* --- changes of what is not in the key (N7) --- */

#define MOBILITY(seq) "c01010 0002fde800000064 0600 00 00 " seq " "

static const struct {
	const char *what, *nlri, *rest, *new_nlri, *new_rest;
} changes[] = {
	{"label of type 1", "01 19" RD ESI1 TAG "000064", "", "01 19" RD ESI1 TAG "000065", ""},
	{"label of type 2", "02 21" RD ESI0 TAG "30" MAC "00 000064", "", "02 21" RD ESI0 TAG "30" MAC "00 000065", ""},
	{"second label", "02 24" RD ESI0 TAG "30" MAC "00 000064 000001", "",
		"02 24" RD ESI0 TAG "30" MAC "00 000064 000002", ""},
	{"second label comes", "02 21" RD ESI0 TAG "30" MAC "00 000064", "",
		"02 24" RD ESI0 TAG "30" MAC "00 000064 000000", ""},
	{"second label goes", "02 24" RD ESI0 TAG "30" MAC "00 000064 000000", "",
		"02 21" RD ESI0 TAG "30" MAC "00 000064", ""},
	{"ESI of type 2", "02 21" RD ESI0 TAG "30" MAC "00 000064", "", "02 21" RD ESI1 TAG "30" MAC "00 000064", ""},
	{"mobility sequence", "02 21" RD ESI0 TAG "30" MAC "00 000064", MOBILITY("00000001"),
		"02 21" RD ESI0 TAG "30" MAC "00 000064", MOBILITY("00000002")},
	{"a lower one", "02 21" RD ESI0 TAG "30" MAC "00 000064", MOBILITY("00000002"),
		"02 21" RD ESI0 TAG "30" MAC "00 000064", MOBILITY("00000001")},
	{"ESI of type 5", "05 22" RD ESI0 TAG "18 c0000200 00000000 000064", "",
		"05 22" RD ESI1 TAG "18 c0000200 00000000 000064", ""},
	{"gateway", "05 22" RD ESI0 TAG "18 c0000200 c0000201 000064", "",
		"05 22" RD ESI0 TAG "18 c0000200 c0000202 000064", ""},
	{"label of type 5", "05 3a" RD ESI0 TAG "80" V6 V6 "000064", "", "05 3a" RD ESI0 TAG "80" V6 V6 "800000", ""},
	{"PMSI's label", "03 11" RD TAG "20 0a630002", "c01609 00 06 000064 0a630002",
		"03 11" RD TAG "20 0a630002", "c01609 00 06 000065 0a630002"},
	{"flags of type 6", "06 18" RD TAG "00 20 ef010101 20 0a630002 02", "",
		"06 18" RD TAG "00 20 ef010101 20 0a630002 04", ""},
};

static const char *with(const char *attrs, const char *rest, char buf[300])
{
	snprintf(buf, 300, "%s%s", attrs, rest);
	return buf;
}

START_TEST(a_change_of_anything_is_told)
{
	char in[300], out[300];
	struct world w;

	world_init(&w);
	say(&w, false, changes[_i].nlri, with(ATTRS, changes[_i].rest, in));
	expect(changes[_i].what, &w.to, '+', changes[_i].nlri, with(ATTRS REFLECTED, changes[_i].rest, out));
	say(&w, false, changes[_i].new_nlri, with(ATTRS, changes[_i].new_rest, in));
	expect(changes[_i].what, &w.to, '+', changes[_i].new_nlri,
		with(ATTRS REFLECTED, changes[_i].new_rest, out));
	world_free(&w);
}
END_TEST

/* --- one bad route among good ones (N9) --- */

#define GOOD1 "03 11" RD TAG "20 0a630002 "
#define GOOD2 "02 21" RD ESI0 TAG "30" MAC "00 000064 "

static const struct {
	const char *what, *bad;
	bool withdrawn; /* its key can be read */
} bads[] = {
	{"type 2 of 18 octets", "02 12" RD ESI0, false},
	{"type 2 without a label", "02 1e" RD ESI0 TAG "30 02005e000002 00", true},
	{"type 2, IP length 24", "02 25" RD ESI0 TAG "30" MAC "18" V4 "000064", false},
	{"type 5 of 33 octets", "05 21" RD ESI0 TAG "18 c0000200 c0000201 0000", false},
	{"type 5, prefix of 33 bits", "05 22" RD ESI0 TAG "21 c0000200 c0000201 000064", false},
	{"type 3 with an octet too many", "03 12" RD "0000000a 20 0a630002 00", true},
	{"an unknown type without an RD", "c8 03 010203", false},
	{"empty", "01 00", false},
};

START_TEST(one_bad_route_costs_itself)
{
	struct neighbor_view before, after;
	char nlris[400];
	struct world w;

	world_init(&w);
	before = raw_view(&w.from);
	snprintf(nlris, sizeof(nlris), "%s%s%s", GOOD1, bads[_i].bad, GOOD2);
	say(&w, false, nlris, ATTRS RT);
	expect(bads[_i].what, &w.to, '+', GOOD1 GOOD2, ATTRS REFLECTED RT);
	expect(bads[_i].what, &w.frr, '+', GOOD1 GOOD2, ATTRS REFLECTED RT);
	after = raw_view(&w.from);
	ck_assert_uint_eq(after.nlri_withdraw - before.nlri_withdraw, bads[_i].withdrawn);
	ck_assert_uint_eq(after.nlri_discard - before.nlri_discard, !bads[_i].withdrawn);
	ck_assert_uint_eq(after.routes_in, 2);
	world_free(&w);
}
END_TEST

/* --- attributes --- */

START_TEST(every_pmsi)
{
	static const uint8_t id_len[] = {0, 12, 24, 8, 8, 8, 4, 0, 24, 24, 17, 7};
	struct world w;

	world_init(&w);
	for (unsigned kind = 0; kind < ROWS_OF(id_len); kind++)
		for (unsigned flags = 0; flags < 256; flags += 51)
			for (int v6 = 0; v6 < (kind == 6 ? 2 : 1); v6++) {
				size_t len = v6 ? 16 : id_len[kind];
				char pmsi[200];
				int n = snprintf(pmsi, sizeof(pmsi), ATTRS "%s c016%02zx %02x %02x %06x",
					"", 5 + len, flags, kind, (flags * 65793) & 0xffffff);
				for (size_t i = 0; i < len; i++)
					n += snprintf(pmsi + n, sizeof(pmsi) - (size_t)n, "%02zx", (16 * i + 7) & 0xff);
				char out[400];
				snprintf(out, sizeof(out), ATTRS REFLECTED "%s", pmsi + strlen(ATTRS));
				say(&w, false, GOOD1, pmsi);
				expect("PMSI", &w.to, '+', GOOD1, out);
				say(&w, true, GOOD1, "");
			}
	world_free(&w);
}
END_TEST

/* N10, N14: all 65 536 types and sub-types, known or not, transitive or not. */
START_TEST(every_extended_community)
{
	enum { EACH = 256 };
	struct octets nlri = octets_of(GOOD2), common = octets_of(ATTRS), more = octets_of(REFLECTED);
	struct world w;

	world_init(&w);
	for (unsigned type = 0; type < 256; type++) {
		uint8_t ecs[4 + 8 * EACH] = {0xd0, 16, EACH * 8 >> 8, EACH * 8 & 0xff}, buf[BGP_MSG_MAX],
			rest[BGP_MSG_MAX];
		for (unsigned sub = 0; sub < EACH; sub++) {
			uint8_t ec[8] = {(uint8_t)type, (uint8_t)sub, 1, (uint8_t)(sub * 7), 0xff, 0, (uint8_t)type, 8};
			memcpy(ecs + 4 + 8 * sub, ec, 8);
		}
		memcpy(rest, common.p, common.len);
		memcpy(rest + common.len, ecs, sizeof(ecs));
		raw_forget(&w.to);
		raw_rx(&w.from, buf, build(buf, false, nlri, (struct octets){rest, common.len + sizeof(ecs)}));
		drain(&w);
		size_t len = build(buf, false, nlri, (struct octets){rest, common.len + sizeof(ecs)});
		/* As it came, with what a reflector adds before the communities. */
		size_t head = len - sizeof(ecs);
		ck_assert_uint_eq(w.to.out_len, len + more.len);
		ck_assert_mem_eq(w.to.out + head, more.p, more.len);
		ck_assert_mem_eq(w.to.out + head + more.len, ecs, sizeof(ecs));
	}
	free(nlri.p);
	free(common.p);
	free(more.p);
	world_free(&w);
}
END_TEST

/* N31: in any order, with lengths of one or two octets, they come out the same. */
START_TEST(order_and_length_forms)
{
	static const char *const attr[][2] = {{"400101 00", "50010001 00"}, {"400200", "50020000"},
		{"400504 00000064", "50050004 00000064"}, {"c01008 0002fde800000064", "d0100008 0002fde800000064"},
		{"c01609 00 06 000064 0a630002", "d0160009 00 06 000064 0a630002"},
		{"800e1c 001946 04 0a630002 00" GOOD1, "900e001c 001946 04 0a630002 00" GOOD1}};
	struct world w;

	world_init(&w);
	for (unsigned turn = 0; turn < 720; turn++) {
		char attrs[600] = "";
		unsigned left = 0x3f, n = turn;
		for (unsigned i = 6; i; i--) {
			unsigned at = n % i, k = 0;
			n /= i;
			for (; !(left >> k & 1) || at; k++)
				at -= left >> k & 1;
			left &= ~(1u << k);
			strcat(attrs, attr[k][turn >> k & 1]);
		}
		struct octets o = octets_of(attrs);
		uint8_t buf[BGP_MSG_MAX];
		struct writer wr = writer_of(buf, sizeof(buf));
		size_t mark = bgp_msg_begin(&wr, BGP_UPDATE);
		writer_u16(&wr, 0);
		writer_u16(&wr, (uint16_t)o.len);
		writer_bytes(&wr, o.p, o.len);
		bgp_msg_finish(&wr, mark);
		raw_forget(&w.to);
		raw_rx(&w.from, buf, writer_len(&wr));
		drain(&w);
		free(o.p);
		expect("order", &w.to, '+', GOOD1, ATTRS REFLECTED RT "c01609 00 06 000064 0a630002");
		say(&w, true, GOOD1, "");
	}
	world_free(&w);
}
END_TEST

/* --- all labels: each value of 24 bits as first label, another as second, through decoder, RIB and encoder --- */

#if defined(__SANITIZE_ADDRESS__) || defined(__clang__)
#define MESSAGE_STEP 37 /* slow there; a step that meets all octets */
#else
#define MESSAGE_STEP 1
#endif

START_TEST(all_labels)
{
	enum { EACH = 64, NLRI = 38 };
	uint8_t nlris[EACH * NLRI], buf[BGP_MSG_MAX];
	struct octets rest = octets_of(ATTRS RT);
	struct world w;

	world_init(&w);
	for (unsigned i = 0; i < EACH; i++) {
		struct octets one = octets_of("02 24" RD ESI1 TAG "30" MAC "00 000000 000000");
		ck_assert_uint_eq(one.len, NLRI);
		memcpy(nlris + i * NLRI, one.p, NLRI);
		nlris[i * NLRI + 2 + 8 + 10 + 4 + 1 + 5] = (uint8_t)i;
		free(one.p);
	}
	for (uint32_t label = 0; label <= 0xffffff; label += EACH * MESSAGE_STEP) {
		for (uint32_t i = 0; i < EACH; i++) {
			uint32_t l = label + i, m = ~l * 5;
			uint8_t *p = nlris + (i + 1) * NLRI - 6;
			for (int k = 0; k < 3; k++) {
				p[k] = (uint8_t)(l >> (16 - 8 * k));
				p[3 + k] = (uint8_t)(m >> (16 - 8 * k));
			}
		}
		raw_forget(&w.to);
		raw_rx(&w.from, buf, build(buf, false, (struct octets){nlris, sizeof(nlris)}, rest));
		raw_drain(&w.to);
		ck_assert_uint_gt(w.to.out_len, sizeof(nlris));
		ck_assert_mem_eq(w.to.out + BGP_HEADER_LEN + 4 + 4 + 3 + 6, nlris, sizeof(nlris));
	}
	free(rest.p);
	world_free(&w);
}
END_TEST

/* --- the conservative profile --- */

#define IMET4 "03 11" RD TAG "20 0a630002 "
#define IMET6 "03 1d" RD TAG "80" V6
#define ES6 "04 23" RD ESI1 "80" V6
#define PMSI_OK "c01609 00 06 000064 0a630002 "
#define PMSI_BIER "c0160c 00 0b 000064 01020304050607 "
#define PMSI_IPV6 "c01615 00 06 000064" V6

static uint64_t withheld(const struct world *w)
{
	return raw_view(&w->frr).withheld;
}

START_TEST(conservative_withholds)
{
	struct world w;

	world_init(&w);
	/* Neither announced nor withdrawn: the key itself ends FRR's session. */
	say(&w, false, IMET6 ES6, ATTRS RT);
	expect("to all", &w.to, '+', IMET6 ES6, ATTRS REFLECTED RT);
	expect("not to FRR", &w.frr, 0, "", "");
	ck_assert_uint_eq(withheld(&w), 2);
	say(&w, true, IMET6 ES6, "");
	expect("to all", &w.to, '-', IMET6 ES6, "");
	expect("not to FRR", &w.frr, 0, "", "");
	/* An IMET that says how to flood in a way that FRR does not read; then in one that it does, and back. */
	say(&w, false, IMET4, ATTRS RT PMSI_BIER);
	expect("BIER", &w.to, '+', IMET4, ATTRS REFLECTED RT PMSI_BIER);
	ck_assert_uint_eq(withheld(&w), 3);
	say(&w, false, IMET4, ATTRS RT PMSI_OK);
	expect("IPv4", &w.frr, '+', IMET4, ATTRS REFLECTED RT PMSI_OK);
	ck_assert_uint_eq(withheld(&w), 3);
	say(&w, false, IMET4, ATTRS RT PMSI_IPV6);
	expect("IPv6", &w.to, '+', IMET4, ATTRS REFLECTED RT PMSI_IPV6);
	expect("IPv6", &w.frr, '-', IMET4, "");
	ck_assert_uint_eq(withheld(&w), 4);
	/* Without one it is told; a MAC's route is told without the attribute. */
	say(&w, false, IMET4, ATTRS RT);
	expect("none", &w.frr, '+', IMET4, ATTRS REFLECTED RT);
	say(&w, false, GOOD2, ATTRS RT PMSI_BIER);
	expect("MAC", &w.frr, '+', GOOD2, ATTRS REFLECTED RT);
	world_free(&w);
}
END_TEST

/* One that comes later is told the same: it walks the RIB by itself. */
START_TEST(conservative_latecomer)
{
	struct bgp_open o = raw_open();
	struct neighbor_config n = raw_neighbor();
	struct raw late = {.now = 5000, .window = SIZE_MAX};
	struct world w;

	world_init(&w);
	say(&w, false, IMET6 ES6, ATTRS RT);
	say(&w, false, IMET4, ATTRS RT PMSI_BIER);
	say(&w, false, GOOD2, ATTRS RT);
	late.s = w.from.s;
	n.address = ip_v4_u32(RAW_PEER + 9);
	n.conservative = true;
	o.bgp_id = RAW_PEER + 9;
	ck_assert_int_eq(speaker_add_neighbor(late.s, &n, late.now, &late.n), 0);
	late.c = raw_call(&late, RAW_PEER + 9);
	raw_drain(&late);
	raw_rx_open(&late, &o);
	raw_forget(&late);
	raw_rx_keepalive(&late);
	struct octets want = octets_of(GOOD2);
	char *got = hex_of(late.out, late.out_len), *has = hex_of(want.p, want.len);
	ck_assert_ptr_nonnull(strstr(got, has));
	ck_assert_ptr_null(strstr(got, "031d00010a630002"));
	ck_assert_ptr_null(strstr(got, "042300010a630002"));
	ck_assert_ptr_null(strstr(got, "031100010a630002"));
	ck_assert_uint_eq(raw_view(&late).withheld, 3);
	free(got);
	free(has);
	free(want.p);
	free(late.out);
	world_free(&w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/relay");
	TCase *t = tcase_create("relay");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, comes_out_as_it_went_in, 0, ROWS_OF(routes));
	tcase_add_loop_test(t, nothing_new_says_nothing, 0, ROWS_OF(routes));
	tcase_add_loop_test(t, a_change_of_anything_is_told, 0, ROWS_OF(changes));
	tcase_add_loop_test(t, one_bad_route_costs_itself, 0, ROWS_OF(bads));
	tcase_add_test(t, every_pmsi);
	tcase_add_test(t, every_extended_community);
	tcase_add_test(t, order_and_length_forms);
	tcase_add_test(t, all_labels);
	tcase_add_test(t, conservative_withholds);
	tcase_add_test(t, conservative_latecomer);
	suite_add_tcase(s, t);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
