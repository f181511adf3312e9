/* UPDATE: the recorded messages both ways, RFC 7606 as a table, the AS path of a 2-octet peer, and what we send. */
#include <check.h>
#include <errno.h>

#include "bgp/as_path.h"
#include "bgp/attrset.h"
#include "bgp/msg.h"
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
static struct octets body_of(const char *withdrawn, const char *attrs, const char *nlri)
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

static int decode_body(struct octets body, unsigned peer, struct update *u, struct bgp_error *err)
{
	struct update_ctx ctx = test_ctx(peer);

	memset(err, 0, sizeof(*err));
	return update_decode(body.p, body.len, &ctx, u, err);
}

/* Decodes attributes that must pass, for an encoder to be tried on. The body is kept for the spans. */
static struct octets good(const char *attrs, unsigned peer, struct update *u)
{
	struct octets body = body_of("", attrs, "");
	struct bgp_error err;

	ck_assert_int_eq(decode_body(body, peer, u, &err), 0);
	ck_assert_int_eq(u->reaction, UPDATE_OK);
	return body;
}

/* --- the recorded messages --- */

static void add_all(struct update_writer *w, struct span nlris, bool withdraw)
{
	struct reader r = reader_of(nlris.p, nlris.len);
	const char *why;
	struct nlri n;

	while (reader_left(&r) > 0) {
		ck_assert_int_eq(update_next(&r, &test_family, false, withdraw, &n, &why), NLRI_OK);
		ck_assert(update_add(w, 0, n.key, n.key_len, n.payload, n.payload_len));
	}
}

static size_t encode_again(const struct update *u, uint8_t *buf, size_t cap)
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

/* FRR gives AS_PATH an extended length always, we where it is needed. */
static struct octets with_short_lengths(struct octets body)
{
	struct octets o = {malloc(body.len), 0};
	struct writer w = writer_of(o.p, body.len);
	struct reader r = reader_of(body.p + 4, body.len - 4);

	writer_u32(&w, 0);
	while (reader_left(&r) > 0) {
		uint8_t flags = reader_u8(&r), type = reader_u8(&r);
		uint16_t len = flags & ATTR_FLAG_EXTENDED ? reader_u16(&r) : reader_u8(&r);
		bool mp = type == ATTR_MP_REACH || type == ATTR_MP_UNREACH;
		writer_u8(&w, mp ? flags : flags & ~ATTR_FLAG_EXTENDED);
		writer_u8(&w, type);
		if (mp && flags & ATTR_FLAG_EXTENDED)
			writer_u16(&w, len);
		else
			writer_u8(&w, (uint8_t)len);
		writer_bytes(&w, reader_bytes(&r, len), len);
	}
	writer_patch_u16(&w, 2, (uint16_t)(writer_len(&w) - 4));
	o.len = writer_len(&w);
	return o;
}

START_TEST(recorded_updates_come_back_octet_for_octet)
{
	FILE *f = golden_open("frr844.txt");
	struct octets body;
	struct update u;
	struct bgp_error err;
	uint8_t buf[BGP_MSG_MAX];
	char type[16];
	int count = 0;

	ck_assert_ptr_nonnull(f);
	while (golden_next(f, type, &body)) {
		if (strcmp(type, "UPDATE") == 0) {
			ck_assert_int_eq(decode_body(body, 0, &u, &err), 0);
			ck_assert_int_eq(u.reaction, UPDATE_OK);
			size_t len = encode_again(&u, buf, sizeof(buf));
			struct octets want = with_short_lengths(body);
			ck_assert_uint_eq(len, want.len + BGP_HEADER_LEN);
			ck_assert_mem_eq(buf + BGP_HEADER_LEN, want.p, want.len);
			free(want.p);
			count++;
		}
		free(body.p);
	}
	fclose(f);
	ck_assert_int_eq(count, 24);
}
END_TEST

/* Where the attributes of a body begin and end, a bit a place. */
static bool is_boundary(const uint8_t *p, size_t len, size_t cut)
{
	struct reader r = reader_of(p, len);

	while (reader_left(&r) > len - cut) {
		uint8_t flags = reader_u8(&r);
		reader_skip(&r, 1);
		reader_skip(&r, flags & ATTR_FLAG_EXTENDED ? reader_u16(&r) : reader_u8(&r));
	}
	return reader_ok(&r) && reader_left(&r) == len - cut;
}

START_TEST(no_truncation_is_accepted)
{
	FILE *f = golden_open("frr844.txt");
	struct octets body;
	struct update u;
	struct bgp_error err;
	char type[16];

	ck_assert_ptr_nonnull(f);
	while (golden_next(f, type, &body)) {
		for (size_t cut = 0; strcmp(type, "UPDATE") == 0 && cut < body.len; cut++) {
			/* Cut short: its own lengths say more. */
			struct octets o = octets_cut(body.p, cut);
			ck_assert_int_eq(decode_body(o, 0, &u, &err), -EBADMSG);
			ck_assert_int_eq(err.subcode, BGP_UPDATE_ATTR_LIST);
			if (cut >= 4 && cut < body.len) {
				/* Cut with the total length told so: fine only between two attributes. */
				o.p[2] = (uint8_t)((cut - 4) >> 8);
				o.p[3] = (uint8_t)(cut - 4);
				int r = decode_body(o, 0, &u, &err);
				if (!is_boundary(body.p + 4, body.len - 4, cut - 4))
					ck_assert(r == -EBADMSG || u.reaction == UPDATE_TREAT_AS_WITHDRAW);
			}
			free(o.p);
		}
		free(body.p);
	}
	fclose(f);
}
END_TEST

/* --- RFC 7606 --- */

enum { OK = UPDATE_OK, DISCARD = UPDATE_ATTR_DISCARD, WITHDRAW = UPDATE_TREAT_AS_WITHDRAW };
#define RESET(subcode) (100 + (subcode))

static const struct {
	const char *what;
	unsigned peer;
	const char *withdrawn, *attrs, *nlri;
	int expect;
	uint8_t attr; /* it is about */
} reactions[] = {
	{"sound", 0, "", GOOD, "", OK, 0},
	{"sound, eBGP", PEER_EBGP, "", REACH ORIGIN PATH, "", OK, 0},
	{"sound, 2-octet peer", PEER_AS2, "", REACH ORIGIN PATH2 PREF, "", OK, 0},
	{"any order", 0, "", PREF PATH ORIGIN REACH, "", OK, 0},
	{"2-octet lengths", 0, "", "900e000e 0019 46 04 0a000001 00 0203aabbcc 50010001 00 50020000 500500040000 0064",
		"", OK, 0},
	{"both kinds of routes", 0, "", GOOD UNREACH, "", OK, 0},
	{"empty AS path", 0, "", REACH ORIGIN "400200" PREF, "", OK, 0},
	{"unused low bits of the flags", 0, "", REACH "4f0101 00" PATH PREF, "", OK, 0},
	{"reserved octet of MP_REACH is not zero", 0, "", "800e0e 0019 46 04 0a000001 ff 0203aabbcc" ORIGIN PATH PREF, "",
		OK, 0},

	/* 3 c: flags */
	{"3c ORIGIN optional", 0, "", REACH "c00101 00" PATH PREF, "", WITHDRAW, ATTR_ORIGIN},
	{"3c ORIGIN not transitive", 0, "", REACH "000101 00" PATH PREF, "", WITHDRAW, ATTR_ORIGIN},
	{"3c AS_PATH", 0, "", REACH ORIGIN "800206 02010000fde8" PREF, "", WITHDRAW, ATTR_AS_PATH},
	{"3c NEXT_HOP", 0, "", GOOD "800304 0a000001", "", WITHDRAW, ATTR_NEXT_HOP},
	{"3c MED", 0, "", GOOD "400404 00000001", "", WITHDRAW, ATTR_MED},
	{"3c LOCAL_PREF", 0, "", REACH ORIGIN PATH "c00504 00000064", "", WITHDRAW, ATTR_LOCAL_PREF},
	{"3c LOCAL_PREF, eBGP: discarded unread", PEER_EBGP, "", REACH ORIGIN PATH "c00504 00000064", "", DISCARD,
		ATTR_LOCAL_PREF},
	{"3c ATOMIC_AGGREGATE", 0, "", GOOD "c00600", "", WITHDRAW, ATTR_ATOMIC_AGGREGATE},
	{"3c AGGREGATOR", 0, "", GOOD "800708 0000fde8 0a000001", "", WITHDRAW, ATTR_AGGREGATOR},
	{"3c COMMUNITIES", 0, "", GOOD "800804 fde80001", "", WITHDRAW, ATTR_COMMUNITIES},
	{"3c ORIGINATOR_ID", 0, "", GOOD "c00904 0a000001", "", WITHDRAW, ATTR_ORIGINATOR_ID},
	{"3c CLUSTER_LIST", 0, "", GOOD "c00a04 0a000001", "", WITHDRAW, ATTR_CLUSTER_LIST},
	{"3c EXT_COMMUNITIES", 0, "", GOOD "801008 0002fde800000064", "", WITHDRAW, ATTR_EXT_COMMUNITIES},
	{"3c PMSI", 0, "", GOOD "801609 00 06 000064 0a000001", "", WITHDRAW, ATTR_PMSI_TUNNEL},
	{"3c LARGE_COMMUNITIES", 0, "", GOOD "80200c 0000fde80000000100000002", "", WITHDRAW, ATTR_LARGE_COMMUNITIES},
	{"3c OTC", 0, "", GOOD "802304 0000fde8", "", WITHDRAW, ATTR_OTC},
	{"3c Partial on a well-known one is no conflict", 0, "", REACH "600101 00" PATH PREF, "", OK, 0},
	/* 3 d: mandatory ones */
	{"3d no ORIGIN", 0, "", REACH PATH PREF, "", WITHDRAW, ATTR_ORIGIN},
	{"3d no AS_PATH", 0, "", REACH ORIGIN PREF, "", WITHDRAW, ATTR_AS_PATH},
	{"3d no LOCAL_PREF on iBGP", 0, "", REACH ORIGIN PATH, "", WITHDRAW, ATTR_LOCAL_PREF},
	{"3d nothing but routes", 0, "", REACH, "", WITHDRAW, ATTR_ORIGIN},
	{"3d IPv4 routes without NEXT_HOP", 0, "", ORIGIN PATH PREF, "180a0000", WITHDRAW, ATTR_NEXT_HOP},
	{"3d IPv4 routes with it", 0, "", ORIGIN PATH NEXT_HOP PREF, "180a0000", OK, 0},
	{"3d no routes, nothing is mandatory", 0, "", REACH_EMPTY, "", OK, 0},
	{"3d withdrawals need no attributes", 0, "", UNREACH, "", OK, 0},
	/* 3 g: twice */
	{"3g MP_REACH twice", 0, "", GOOD REACH, "", RESET(1), 0},
	{"3g MP_UNREACH twice", 0, "", UNREACH UNREACH, "", RESET(1), 0},
	{"3g ORIGIN twice: the first", 0, "", GOOD "400101 02", "", DISCARD, ATTR_ORIGIN},
	{"3g ORIGIN twice, the second is malformed", 0, "", GOOD "400101 07", "", DISCARD, ATTR_ORIGIN},
	{"3g ORIGIN twice, the first is malformed", 0, "", REACH "400101 07" ORIGIN PATH PREF, "", WITHDRAW, ATTR_ORIGIN},
	{"3g COMMUNITIES twice", 0, "", GOOD "c00804 fde80001 c00804 fde80002", "", DISCARD, ATTR_COMMUNITIES},
	{"3g an unknown one twice", 0, "", GOOD "c0fe01 01 c0fe01 02", "", DISCARD, 254},
	/* 3 h: the strongest */
	{"3h discard and withdraw", 0, "", REACH "400101 07" PATH PREF "400601 00", "", WITHDRAW, ATTR_ORIGIN},
	{"3h withdraw and reset", 0, "", REACH "400101 07" PATH PREF REACH, "", RESET(1), 0},
	/* 3 i, 5.3: the old fields */
	{"3i withdrawn prefix too long", 0, "210a00000000", "", "", RESET(10), 0},
	{"3i withdrawn prefix cut short", 0, "180a00", "", "", RESET(10), 0},
	{"3i NLRI too long", 0, "", ORIGIN PATH NEXT_HOP PREF, "ff0a0000", RESET(10), 0},
	{"3i NLRI cut short", 0, "", ORIGIN PATH NEXT_HOP PREF, "200a0000", RESET(10), 0},
	{"3i IPv4 that nobody negotiated is read over", 0, "180a0000", GOOD, "", OK, 0},
	/* RFC 4271 6.3, as it was */
	{"unrecognized well-known", 0, "", GOOD "40fe01 01", "", RESET(2), 0},
	{"unrecognized optional", 0, "", GOOD "80fe01 01", "", OK, 0},
	{"unrecognized optional transitive", 0, "", GOOD "c0fe01 01", "", OK, 0},
	{"unrecognized optional transitive, empty", 0, "", GOOD "c0fe00", "", OK, 0},
	/* 4: lengths of attributes */
	{"4 last attribute overruns", 0, "", GOOD "c00808 fde80001", "", WITHDRAW, ATTR_COMMUNITIES},
	{"4 one octet remains", 0, "", GOOD "c0", "", WITHDRAW, 0},
	{"4 two octets remain", 0, "", GOOD "c008", "", WITHDRAW, ATTR_COMMUNITIES},
	{"4 three octets remain, extended", 0, "", GOOD "d00800", "", WITHDRAW, ATTR_COMMUNITIES},
	{"4 overrun before any route is seen", 0, "", ORIGIN PATH PREF "c00808 fde80001", "", RESET(1), 0},
	{"4 MP_REACH overruns", 0, "", ORIGIN PATH PREF "800e0f 0019 46 04 0a000001 00 0203aabbcc", "", RESET(1), 0},
	{"4 MP_UNREACH overruns behind MP_REACH", 0, "", GOOD "800f09 0019 46 0203aabbcc", "", RESET(1), 0},
	{"4 empty ORIGIN", 0, "", REACH "400100" PATH PREF, "", WITHDRAW, ATTR_ORIGIN},
	{"4 empty NEXT_HOP", 0, "", GOOD "400300", "", WITHDRAW, ATTR_NEXT_HOP},
	{"4 empty MED", 0, "", GOOD "800400", "", WITHDRAW, ATTR_MED},
	{"4 empty COMMUNITIES", 0, "", GOOD "c00800", "", WITHDRAW, ATTR_COMMUNITIES},
	{"4 empty CLUSTER_LIST", 0, "", GOOD "800a00", "", WITHDRAW, ATTR_CLUSTER_LIST},
	{"4 empty EXT_COMMUNITIES", 0, "", GOOD "c01000", "", WITHDRAW, ATTR_EXT_COMMUNITIES},
	{"4 empty LARGE_COMMUNITIES", 0, "", GOOD "c02000", "", WITHDRAW, ATTR_LARGE_COMMUNITIES},
	{"4 empty PMSI", 0, "", GOOD "c01600", "", WITHDRAW, ATTR_PMSI_TUNNEL},
	/* 5.2: no route in sight */
	{"5.2 malformed ORIGIN beside withdrawals", 0, "", UNREACH "400101 07", "", RESET(6), 0},
	{"5.2 malformed ORIGIN and an empty MP_REACH", 0, "", REACH_EMPTY "400101 07" PATH PREF, "", RESET(6), 0},
	{"5.2 bad flags beside withdrawals", 0, "", UNREACH "c00101 00", "", RESET(4), 0},
	{"5.2 bad length beside withdrawals", 0, "", UNREACH "800405 0000000000", "", RESET(5), 0},
	{"5.2 discard is no reason", 0, "", UNREACH "400601 00", "", DISCARD, ATTR_ATOMIC_AGGREGATE},
	{"5.2 IPv4 routes are routes", 0, "", "400101 07" PATH NEXT_HOP PREF, "180a0000", WITHDRAW, ATTR_ORIGIN},
	{"5.2 routes of another family are routes", 0, "", REACH_OTHER "400101 07" PATH PREF, "", WITHDRAW, ATTR_ORIGIN},
	/* 5.3: MP_REACH and MP_UNREACH */
	{"5.3 MP_REACH flags", 0, "", "c00e0e 0019 46 04 0a000001 00 0203aabbcc" ORIGIN PATH PREF, "", RESET(4), 0},
	{"5.3 MP_UNREACH flags", 0, "", "400f08 0019 46 0203aabbcc", "", RESET(4), 0},
	{"5.3 MP_REACH shorter than 5", 0, "", "800e04 0019 46 00" ORIGIN PATH PREF, "", RESET(9), 0},
	{"5.3 MP_UNREACH shorter than 3", 0, "", "800f02 0019", "", RESET(9), 0},
	{"5.3 empty MP_REACH", 0, "", "800e00" ORIGIN PATH PREF, "", RESET(9), 0},
	/* 7.1 ORIGIN */
	{"7.1 undefined", 0, "", REACH "400101 03" PATH PREF, "", WITHDRAW, ATTR_ORIGIN},
	{"7.1 two octets", 0, "", REACH "400102 0000" PATH PREF, "", WITHDRAW, ATTR_ORIGIN},
	/* 7.2 AS_PATH */
	{"7.2 unrecognized segment", 0, "", REACH ORIGIN "400206 05010000fde8" PREF, "", WITHDRAW, ATTR_AS_PATH},
	{"7.2 confederation segment", 0, "", REACH ORIGIN "400206 03010000fde8" PREF, "", WITHDRAW, ATTR_AS_PATH},
	{"7.2 overrun", 0, "", REACH ORIGIN "400206 02020000fde8" PREF, "", WITHDRAW, ATTR_AS_PATH},
	{"7.2 underrun", 0, "", REACH ORIGIN "400207 02010000fde802" PREF, "", WITHDRAW, ATTR_AS_PATH},
	{"7.2 empty segment", 0, "", REACH ORIGIN "400208 02010000fde8 0200" PREF, "", WITHDRAW, ATTR_AS_PATH},
	{"7.2 2-octet numbers from a 4-octet peer", 0, "", REACH ORIGIN PATH2 PREF, "", WITHDRAW, ATTR_AS_PATH},
	{"7.2 4-octet numbers from a 2-octet peer", PEER_AS2, "", REACH ORIGIN PATH PREF, "", WITHDRAW, ATTR_AS_PATH},
	{"RFC 7607 AS 0", 0, "", REACH ORIGIN "400206 020100000000" PREF, "", WITHDRAW, ATTR_AS_PATH},
	/* 7.3 NEXT_HOP, 7.4 MED, 7.5 LOCAL_PREF */
	{"7.3 beside MP_REACH it is ignored", 0, "", GOOD NEXT_HOP, "", OK, 0},
	{"7.3 length", 0, "", GOOD "400305 0a00000100", "", WITHDRAW, ATTR_NEXT_HOP},
	{"7.4 length", 0, "", GOOD "800403 000000", "", WITHDRAW, ATTR_MED},
	{"7.5 length", 0, "", REACH ORIGIN PATH "400503 000064", "", WITHDRAW, ATTR_LOCAL_PREF},
	{"7.5 eBGP", PEER_EBGP, "", GOOD, "", DISCARD, ATTR_LOCAL_PREF},
	{"7.5 length, eBGP", PEER_EBGP, "", REACH ORIGIN PATH "400503 000064", "", DISCARD, ATTR_LOCAL_PREF},
	/* 7.6 ATOMIC_AGGREGATE, 7.7 AGGREGATOR */
	{"7.6 length", 0, "", GOOD "400601 00", "", DISCARD, ATTR_ATOMIC_AGGREGATE},
	{"7.7 6 octets from a 4-octet peer", 0, "", GOOD "c00706 fde80a000001", "", DISCARD, ATTR_AGGREGATOR},
	{"7.7 8 octets from a 2-octet peer", PEER_AS2, "", REACH ORIGIN PATH2 PREF "c00708 0000fde80a000001", "", DISCARD,
		ATTR_AGGREGATOR},
	{"7.7 7 octets", 0, "", GOOD "c00707 0000fde80a0000", "", DISCARD, ATTR_AGGREGATOR},
	{"7.7 empty", 0, "", GOOD "c00700", "", DISCARD, ATTR_AGGREGATOR},
	{"RFC 7607 AS 0 in AGGREGATOR", 0, "", GOOD "c00708 000000000a000001", "", DISCARD, ATTR_AGGREGATOR},
	/* 7.8 Community, 7.14 Extended Community, RFC 8092, 5701 */
	{"7.8 length", 0, "", GOOD "c00805 fde8000100", "", WITHDRAW, ATTR_COMMUNITIES},
	{"7.14 length", 0, "", GOOD "c01007 0002fde8000000", "", WITHDRAW, ATTR_EXT_COMMUNITIES},
	{"7.14 unrecognized type", 0, "", GOOD "c01008 3e7f fde800000064", "", OK, 0},
	{"7.15 length", 0, "", GOOD "c01908 0002fde800000064", "", WITHDRAW, 25},
	{"7.15 sound", 0, "", GOOD "c01914 000220010db80000000000000000000000010064", "", OK, 0},
	{"RFC 8092 length", 0, "", GOOD "c0200b 0000fde800000001000000", "", WITHDRAW, ATTR_LARGE_COMMUNITIES},
	{"RFC 8092 twice the same", 0, "",
		GOOD "c02018 0000fde80000000100000002 0000fde80000000100000002", "", OK, 0},
	/* 7.9 ORIGINATOR_ID, 7.10 CLUSTER_LIST */
	{"7.9 length", 0, "", GOOD "800903 0a0000", "", WITHDRAW, ATTR_ORIGINATOR_ID},
	{"7.9 eBGP", PEER_EBGP, "", REACH ORIGIN PATH "800903 0a0000", "", DISCARD, ATTR_ORIGINATOR_ID},
	{"7.10 length", 0, "", GOOD "800a06 0a0000010a00", "", WITHDRAW, ATTR_CLUSTER_LIST},
	{"7.10 eBGP", PEER_EBGP, "", REACH ORIGIN PATH "800a00", "", DISCARD, ATTR_CLUSTER_LIST},
	/* 7.11 MP_REACH_NLRI */
	{"7.11 next hop of 5", 0, "", "800e0f 0019 46 05 0a00000100 00 0203aabbcc" ORIGIN PATH PREF, "", RESET(9), 0},
	{"7.11 next hop of 0", 0, "", "800e0a 0019 46 00 00 0203aabbcc" ORIGIN PATH PREF, "", RESET(9), 0},
	{"7.11 next hop overruns", 0, "", "800e08 0019 46 04 0a000001" ORIGIN PATH PREF, "", RESET(9), 0},
	{"7.11 next hop of 16", 0, "",
		"800e1a 0019 46 10 20010db8000000000000000000000001 00 0203aabbcc" ORIGIN PATH PREF, "", OK, 0},
	{"7.11 next hop of 32", 0, "",
		"800e2a 0019 46 20 20010db8000000000000000000000001 fe800000000000000000000000000001 00 0203aabbcc"
		ORIGIN PATH PREF, "", OK, 0},
	{"7.11 a family not negotiated has its own lengths", PEER_NO_FAMILY, "",
		"800e0f 0019 46 05 0a00000100 00 0203aabbcc" ORIGIN PATH PREF, "", OK, 0},
	{"next hop 0.0.0.0", 0, "", "800e0e 0019 46 04 00000000 00 0203aabbcc" ORIGIN PATH PREF, "", WITHDRAW, ATTR_MP_REACH},
	{"next hop 224.0.0.1", 0, "", "800e0e 0019 46 04 e0000001 00 0203aabbcc" ORIGIN PATH PREF, "", WITHDRAW,
		ATTR_MP_REACH},
	{"next hop 255.255.255.255", 0, "", "800e0e 0019 46 04 ffffffff 00 0203aabbcc" ORIGIN PATH PREF, "", WITHDRAW,
		ATTR_MP_REACH},
	{"next hop ff02::1", 0, "", "800e1a 0019 46 10 ff020000000000000000000000000001 00 0203aabbcc" ORIGIN PATH PREF, "",
		WITHDRAW, ATTR_MP_REACH},
	/* RFC 6793 section 6 */
	{"AS4_PATH from a 4-octet peer", 0, "", GOOD "c01106 020100011170", "", DISCARD, ATTR_AS4_PATH},
	{"AS4_AGGREGATOR from a 4-octet peer", 0, "", GOOD "c01208 000111700a000001", "", DISCARD, ATTR_AS4_AGGREGATOR},
	{"AS4_PATH too short", PEER_AS2, "", REACH ORIGIN PATH2 PREF "c01104 02010001", "", DISCARD, ATTR_AS4_PATH},
	{"AS4_PATH of odd length", PEER_AS2, "", REACH ORIGIN PATH2 PREF "c01107 02010001117000", "", DISCARD, ATTR_AS4_PATH},
	{"AS4_PATH, segment type", PEER_AS2, "", REACH ORIGIN PATH2 PREF "c01106 050100011170", "", DISCARD, ATTR_AS4_PATH},
	{"AS4_PATH, segment length", PEER_AS2, "", REACH ORIGIN PATH2 PREF "c01106 020200011170", "", DISCARD, ATTR_AS4_PATH},
	{"AS4_PATH, empty segment", PEER_AS2, "", REACH ORIGIN PATH2 PREF "c01108 020100011170 0200", "", DISCARD,
		ATTR_AS4_PATH},
	{"AS4_PATH, AS 0", PEER_AS2, "", REACH ORIGIN PATH2 PREF "c01106 020100000000", "", DISCARD, ATTR_AS4_PATH},
	{"AS4_AGGREGATOR length", PEER_AS2, "", REACH ORIGIN PATH2 PREF "c01206 11700a000001", "", DISCARD,
		ATTR_AS4_AGGREGATOR},
	/* PMSI (RFC 6514 section 5), OTC (RFC 9234 section 5) */
	{"PMSI shorter than 5", 0, "", GOOD "c01604 00060000", "", WITHDRAW, ATTR_PMSI_TUNNEL},
	{"PMSI, no tunnel", 0, "", GOOD "c01605 0000000000", "", OK, 0},
	{"PMSI, IPv6 endpoint", 0, "", GOOD "c01615 00 06 000064 20010db8000000000000000000000001", "", OK, 0},
	{"PMSI, endpoint of 5 octets", 0, "", GOOD "c0160a 00 06 000064 0a00000100", "", WITHDRAW, ATTR_PMSI_TUNNEL},
	{"PMSI, the last tunnel type that is defined", 0, "", GOOD "c01607 00 0b 000064 aabb", "", OK, 0},
	{"PMSI, an undefined tunnel type", 0, "", GOOD "c01607 00 0c 000064 aabb", "", WITHDRAW, ATTR_PMSI_TUNNEL},
	{"OTC of AS 0", 0, "", GOOD "c02304 00000000", "", WITHDRAW, ATTR_OTC},
	{"OTC length", 0, "", GOOD "c02303 00fde8", "", WITHDRAW, ATTR_OTC},
	/* carried: RFC 9012 section 13, RFC 8669 section 6 */
	{"TUNNEL_ENCAP", 0, "", GOOD "c01708 0008 0004 0402 0000", "", OK, 0},
	{"TUNNEL_ENCAP, long sub-TLV", 0, "", GOOD "c01709 0008 0005 80 0002 0000", "", OK, 0},
	{"TUNNEL_ENCAP, sub-TLV overruns", 0, "", GOOD "c01708 0008 0004 0403 0000", "", WITHDRAW, ATTR_TUNNEL_ENCAP},
	{"TUNNEL_ENCAP, TLV overruns", 0, "", GOOD "c01708 0008 0005 0402 0000", "", WITHDRAW, ATTR_TUNNEL_ENCAP},
	{"TUNNEL_ENCAP, empty", 0, "", GOOD "c01700", "", WITHDRAW, ATTR_TUNNEL_ENCAP},
	{"TUNNEL_ENCAP not transitive", 0, "", GOOD "801708 0008 0004 0402 0000", "", WITHDRAW, ATTR_TUNNEL_ENCAP},
	{"PREFIX_SID", 0, "", GOOD "c0280a 01 0007 00 0000 00000001", "", OK, 0},
	{"PREFIX_SID, label index length", 0, "", GOOD "c02809 01 0006 00 0000 000001", "", DISCARD, ATTR_PREFIX_SID},
	{"PREFIX_SID, TLV overruns", 0, "", GOOD "c0280a 05 0008 00 0000 00000001", "", DISCARD, ATTR_PREFIX_SID},
	{"PREFIX_SID, originator SRGB", 0, "", GOOD "c0280b 03 0008 0000 003e80 001f40", "", OK, 0},
	{"PREFIX_SID, originator SRGB length", 0, "", GOOD "c0280a 03 0007 0000 003e80 001f", "", DISCARD, ATTR_PREFIX_SID},
	{"PREFIX_SID, SRv6 service", 0, "", GOOD "c02825 05 0022 00 01 001e 00 20010db8000000000000000000000001 00 0012 00 01 0006"
		" 20101000 1000", "", OK, 0},
	{"PREFIX_SID, SRv6 service, structure length", 0, "", GOOD "c02824 05 0021 00 01 001d 00"
		" 20010db8000000000000000000000001 00 0012 00 01 0005 20101000 10", "", DISCARD, ATTR_PREFIX_SID},
	{"PREFIX_SID, SRv6 service, short SID", 0, "", GOOD "c0281b 06 0018 00 01 0014 00 20010db8000000000000000000000001 00 0012",
		"", DISCARD, ATTR_PREFIX_SID},
	{"PREFIX_SID, SRv6 service, empty", 0, "", GOOD "c02803 05 0000", "", DISCARD, ATTR_PREFIX_SID},
	{"PREFIX_SID, deprecated TLV", 0, "", GOOD "c02807 04 0004 00000000", "", DISCARD, ATTR_PREFIX_SID},
	{"PREFIX_SID, all zero", 0, "", GOOD "c02806 000000000000", "", DISCARD, ATTR_PREFIX_SID},
};

START_TEST(reactions_are_those_of_rfc_7606)
{
	struct octets body = body_of(reactions[_i].withdrawn, reactions[_i].attrs, reactions[_i].nlri);
	struct update u;
	struct bgp_error err;
	int r = decode_body(body, reactions[_i].peer, &u, &err);
	int got = r == 0 ? (int)u.reaction : RESET(err.subcode);

	ck_assert_msg(got == reactions[_i].expect, "%s: %d (%s), not %d", reactions[_i].what, got,
		r == 0 ? u.why : err.what, reactions[_i].expect);
	if (r == 0) {
		ck_assert_msg(u.why_attr == reactions[_i].attr, "%s: attribute %u", reactions[_i].what,
			u.why_attr);
		ck_assert(!u.why == (u.reaction == UPDATE_OK));
	} else {
		ck_assert_int_eq(r, -EBADMSG);
		ck_assert_int_eq(err.code, BGP_ERR_UPDATE);
		ck_assert_ptr_nonnull(err.what);
	}
	free(body.p);
}
END_TEST

/* The same in every position: the attributes of a message in each rotation lead to the same reaction. Duplicates and
 * what is cut short depend on the order and are left out. */
START_TEST(order_of_attributes_does_not_matter)
{
	struct octets o = octets_of(reactions[_i].attrs);
	struct reader r = reader_of(o.p, o.len);
	size_t at[64];
	bool seen[256] = {false};
	int n = 0;

	while (reader_left(&r) > 0 && n < 64) {
		at[n] = o.len - reader_left(&r);
		uint8_t flags = reader_u8(&r), type = reader_u8(&r);
		reader_skip(&r, flags & ATTR_FLAG_EXTENDED ? reader_u16(&r) : reader_u8(&r));
		if (seen[type] || !reader_ok(&r)) {
			free(o.p);
			return;
		}
		seen[type] = true;
		n++;
	}
	for (int i = 0; i < n; i++) {
		char *head = hex_of(o.p + at[i], o.len - at[i]), *tail = hex_of(o.p, at[i]);
		char *both = malloc(strlen(head) + strlen(tail) + 1);
		struct update u;
		struct bgp_error err;

		strcpy(both, head);
		strcat(both, tail);
		struct octets body = body_of(reactions[_i].withdrawn, both, reactions[_i].nlri);
		int res = decode_body(body, reactions[_i].peer, &u, &err);
		int got = res == 0 ? (int)u.reaction : RESET(err.subcode);
		ck_assert_msg(got == reactions[_i].expect, "%s, rotated %d: %d", reactions[_i].what, i, got);
		free(head);
		free(tail);
		free(both);
		free(body.p);
	}
	free(o.p);
}
END_TEST

START_TEST(a_reset_tells_the_attribute)
{
	struct octets body = body_of("", UNREACH "d00800050102030405", "");
	struct update u = {.why_attr = 77};
	struct bgp_error err;

	ck_assert_int_eq(decode_body(body, 0, &u, &err), -EBADMSG);
	ck_assert_uint_eq(err.data_len, 9);
	ck_assert_mem_eq(err.data, "\xd0\x08\x00\x05\x01\x02\x03\x04\x05", 9);
	ck_assert_uint_eq(u.why_attr, 77); /* untouched on failure */
	free(body.p);
}
END_TEST

START_TEST(a_long_attribute_is_cut_to_the_notification)
{
	char attrs[2000] = UNREACH "500101f4";
	struct update u;
	struct bgp_error err;

	for (int i = 0; i < 500; i++)
		strcat(attrs, "00");
	struct octets body = body_of("", attrs, "");
	ck_assert_int_eq(decode_body(body, 0, &u, &err), -EBADMSG);
	ck_assert_uint_eq(err.data_len, BGP_ERROR_DATA_MAX);
	free(body.p);
}
END_TEST

START_TEST(what_was_read)
{
	struct update u;
	struct octets body = good(GOOD UNREACH "800404 00000007 400600 c00708 0000fde8 0a000009 c00804 fde80001"
				       " 800904 0a000002 800a08 0a000003 0a000004 e01008 0002fde800000064"
				       " c01609 0006000064 0a000001 c0200c 0000fde80000000100000002 c02304 0000fde9",
		0, &u);
	const struct attrs *a = &u.attrs;

	ck_assert_ptr_eq(u.reach_family, &test_family);
	ck_assert_ptr_eq(u.unreach_family, &test_family);
	ck_assert_uint_eq(u.reach.len, 5);
	ck_assert_uint_eq(u.unreach.len, 5);
	ck_assert(!u.unknown_family && !u.eor_family && !u.eor_ipv4);
	ck_assert(ip_eq(a->next_hop, ip_v4((uint8_t[]){10, 0, 0, 1})));
	ck_assert_uint_eq(a->origin, 0);
	ck_assert_uint_eq(a->med, 7);
	ck_assert_uint_eq(a->local_pref, 100);
	ck_assert(attrs_has(a, ATTR_ATOMIC_AGGREGATE));
	ck_assert_uint_eq(a->aggregator_as, 65000);
	ck_assert_uint_eq(a->aggregator_ip[3], 9);
	ck_assert_uint_eq(a->communities.len, 4);
	ck_assert_uint_eq(a->originator_id, 0x0a000002);
	ck_assert_uint_eq(a->cluster_list.len, 8);
	ck_assert_uint_eq(a->ext_communities.len, 8);
	ck_assert_uint_eq(a->pmsi.len, 9);
	ck_assert_uint_eq(a->large_communities.len, 12);
	ck_assert_uint_eq(a->otc, 65001);
	ck_assert_uint_eq(a->unknown.len, 0);
	ck_assert(a->partial == ATTR_BIT(ATTR_EXT_COMMUNITIES));
	free(body.p);
}
END_TEST

START_TEST(treat_as_withdraw_leaves_no_attributes)
{
	struct octets body = body_of("", GOOD "800403 000000 c0fe01 01", "");
	static const struct attrs none;
	struct update u;
	struct bgp_error err;

	ck_assert_int_eq(decode_body(body, 0, &u, &err), 0);
	ck_assert_int_eq(u.reaction, UPDATE_TREAT_AS_WITHDRAW);
	ck_assert_uint_eq(u.reach.len, 5);
	ck_assert(u.attrs.present == 0 && u.attrs.unknown.len == 0 && u.attrs.as_path.len == 0);
	ck_assert(ip_eq(u.attrs.next_hop, none.next_hop));
	free(body.p);
}
END_TEST

START_TEST(a_discarded_attribute_is_not_there)
{
	struct octets body = body_of("", GOOD "400601 00 c00707 0000fde80a0000 c02806 000000000000", "");
	struct update u;
	struct bgp_error err;

	ck_assert_int_eq(decode_body(body, 0, &u, &err), 0);
	ck_assert_int_eq(u.reaction, UPDATE_ATTR_DISCARD);
	ck_assert(!attrs_has(&u.attrs, ATTR_ATOMIC_AGGREGATE) && !attrs_has(&u.attrs, ATTR_AGGREGATOR));
	ck_assert_uint_eq(u.attrs.unknown.len, 0);
	free(body.p);
}
END_TEST

START_TEST(unknown_ones_travel_in_order_with_partial)
{
	struct update u;
	struct octets body = good(GOOD "d0fe0002 0102 c0c800 80c701 07 c01708 0008 0004 0402 0000 e01914"
				       " 000220010db80000000000000000000000010064 c0f001 aa",
		0, &u);
	char *hex = hex_of(u.attrs.unknown.p, u.attrs.unknown.len);

	ck_assert_str_eq(hex, "c017000800080004" "04020000"
			      "e0190014" "000220010db80000000000000000000000010064"
			      "e0c80000"
			      "e0f00001" "aa"
			      "e0fe0002" "0102");
	free(hex);
	free(body.p);
}
END_TEST

START_TEST(duplicates_keep_the_first)
{
	struct octets body = body_of("", GOOD "c0fe01 01 400101 02 c0fe01 02", "");
	struct update u;
	struct bgp_error err;

	ck_assert_int_eq(decode_body(body, 0, &u, &err), 0);
	ck_assert_uint_eq(u.attrs.origin, 0);
	ck_assert_uint_eq(u.attrs.unknown.len, 5);
	ck_assert_uint_eq(u.attrs.unknown.p[4], 1);
	free(body.p);
}
END_TEST

START_TEST(next_hops)
{
	static const struct {
		const char *len_and_nh;
		const char *nh, *ll;
	} rows[] = {
		{"04 0a000001", "10.0.0.1", NULL},
		{"10 20010db8000000000000000000000001", "2001:db8::1", NULL},
		{"20 20010db8000000000000000000000001 fe800000000000000000000000000002", "2001:db8::1", "fe80::2"},
		{"20 20010db8000000000000000000000001 20010db8000000000000000000000002", "2001:db8::1", NULL},
		{"10 fe800000000000000000000000000002", "fe80::2", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char attrs[300];
		struct octets nh = octets_of(rows[i].len_and_nh);
		struct ip want;
		struct update u;

		snprintf(attrs, sizeof(attrs), "800e%02zx 0019 46 %s 00 0203aabbcc" ORIGIN PATH PREF,
			nh.len + 9, rows[i].len_and_nh);
		struct octets body = good(attrs, 0, &u);
		ck_assert_int_eq(ip_parse(rows[i].nh, &want), 0);
		ck_assert(ip_eq(u.attrs.next_hop, want));
		ck_assert_uint_eq(u.attrs.next_hop_ll.family, rows[i].ll ? 6 : 0);
		ck_assert_uint_eq(u.reach.len, 5);
		/* And out again as it came, without the odd second one. */
		uint8_t buf[BGP_MSG_MAX];
		struct update again;
		struct bgp_error err;
		size_t len = encode_again(&u, buf, sizeof(buf));
		ck_assert_int_eq(decode_body((struct octets){buf + BGP_HEADER_LEN, len - BGP_HEADER_LEN}, 0,
					 &again, &err), 0);
		ck_assert(ip_eq(again.attrs.next_hop, u.attrs.next_hop));
		ck_assert(ip_eq(again.attrs.next_hop_ll, u.attrs.next_hop_ll));
		free(nh.p);
		free(body.p);
	}
}
END_TEST

START_TEST(families_not_negotiated_are_skipped)
{
	static const struct {
		unsigned peer;
		const char *withdrawn, *attrs, *nlri;
		bool reach, unreach, unknown, eor, eor_ipv4;
	} rows[] = {
		{0, "", GOOD, "", true, false, false, false, false},
		{0, "", REACH_OTHER ORIGIN PATH PREF, "", false, false, true, false, false},
		{0, "", REACH_OTHER ORIGIN PATH PREF UNREACH, "", false, true, true, false, false},
		{PEER_NO_FAMILY, "", GOOD UNREACH, "", false, false, true, false, false},
		{0, "180a0000", "", "", false, false, true, false, false},
		{0, "", ORIGIN PATH PREF NEXT_HOP, "180a0000", false, false, true, false, false},
		{0, "", REACH_EMPTY ORIGIN PATH PREF, "", true, false, false, false, false},
		/* End-of-RIB, RFC 4724 section 2 */
		{0, "", "", "", false, false, false, false, true},
		{0, "", "800f03 0019 46", "", false, false, false, true, false},
		{0, "", "900f0003 0019 46", "", false, false, false, true, false},
		{0, "", "800f03 0019 46 400101 00", "", false, false, false, true, false},
		{0, "180a0000", "800f03 0019 46", "", false, true, true, false, false},
		{0, "", "800f03 0019 46" GOOD, "", true, true, false, false, false},
		{0, "", "800f03 0002 01", "", false, false, true, false, false},
		{PEER_NO_FAMILY, "", "800f03 0019 46", "", false, false, true, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct octets body = body_of(rows[i].withdrawn, rows[i].attrs, rows[i].nlri);
		struct update u;
		struct bgp_error err;

		ck_assert_int_eq(decode_body(body, rows[i].peer, &u, &err), 0);
		ck_assert_msg(rows[i].reach == !!u.reach_family && rows[i].unreach == !!u.unreach_family &&
				      rows[i].unknown == u.unknown_family && rows[i].eor == !!u.eor_family &&
				      rows[i].eor_ipv4 == u.eor_ipv4,
			"row %zu", i);
		free(body.p);
	}
}
END_TEST

/* --- RFC 6793: a 2-octet peer --- */

static const struct {
	const char *what, *as_path, *rest;
	const char *path; /* 4-octet */
	uint32_t aggregator;
} merges[] = {
	{"no AS4_PATH", "0202 0001 0002", "", "0202 00000001 00000002", 0},
	{"AS_TRANS stays without", "0202 5ba0 0002", "", "0202 00005ba0 00000002", 0},
	{"all of it", "0202 5ba0 0002", "c0110a 0202 00011170 00000002", "0202 00011170 00000002", 0},
	{"the leading part", "0203 0001 5ba0 0002", "c0110a 0202 00011170 00000002",
		"0203 00000001 00011170 00000002", 0},
	{"longer than AS_PATH: ignored", "0201 0001", "c0110a 0202 00011170 00000002", "0201 00000001", 0},
	{"a set counts 1", "0102 0001 0002 0201 5ba0", "c01106 0201 00011170",
		"0102 00000001 00000002 0201 00011170", 0},
	{"a set in AS4_PATH", "0202 0001 5ba0", "c0110a 0102 00011170 00000002",
		"0201 00000001 0102 00011170 00000002", 0},
	{"a confederation segment is dropped", "0201 5ba0", "c0110c 0301 0000fde8 0201 00011170",
		"0201 00011170", 0},
	{"empty path", "", "", "", 0},
	{"two segments, cut in the second", "0201 0001 0202 0002 5ba0", "c01106 0201 00011170",
		"0201 00000001 0202 00000002 00011170", 0},
	{"AGGREGATOR", "0201 0001", "c00706 0005 0a000001", "0201 00000001", 5},
	{"AGGREGATOR is AS_TRANS", "0201 5ba0", "c00706 5ba0 0a000001 c01208 00011170 0a000002 c01106 0201 00011170",
		"0201 00011170", 70000},
	{"AGGREGATOR is not: AS4 ones are ignored", "0201 5ba0",
		"c00706 0005 0a000001 c01208 00011170 0a000002 c01106 0201 00011170", "0201 00005ba0", 5},
	{"AS4_AGGREGATOR alone", "0201 5ba0", "c01208 00011170 0a000002 c01106 0201 00011170", "0201 00011170", 0},
	{"AS_TRANS and no AS4_AGGREGATOR", "0201 5ba0", "c00706 5ba0 0a000001 c01106 0201 00011170", "0201 00011170",
		23456},
};

START_TEST(as_paths_of_2_octet_peers)
{
	char attrs[1000];
	struct octets path = octets_of(merges[_i].as_path), want = octets_of(merges[_i].path);
	struct update u;

	snprintf(attrs, sizeof(attrs), REACH ORIGIN "4002%02zx %s %s" PREF, path.len, merges[_i].as_path,
		merges[_i].rest);
	struct octets body = good(attrs, PEER_AS2, &u);
	char *got = hex_of(u.attrs.as_path.p, u.attrs.as_path.len), *expect = hex_of(want.p, want.len);
	ck_assert_msg(strcmp(got, expect) == 0, "%s: %s, not %s", merges[_i].what, got, expect);
	ck_assert_uint_eq(attrs_has(&u.attrs, ATTR_AGGREGATOR) ? u.attrs.aggregator_as : 0, merges[_i].aggregator);
	ck_assert_uint_eq(attr_as_path_length(&u.attrs), as_path_length(path.len ? (struct span){path.p, (uint16_t)path.len} : (struct span){0}, 2));
	free(got);
	free(expect);
	free(path.p);
	free(want.p);
	free(body.p);
}
END_TEST

START_TEST(a_merged_path_may_be_too_long)
{
	size_t segments = 100, len = segments * (2 + 2 * 255);
	char *attrs = malloc(2 * len + 1000);
	struct update u;
	struct bgp_error err;

	/* 51 200 octets of 2-octet numbers are 102 200 of 4-octet ones: no span holds them. */
	char *end = attrs + sprintf(attrs, REACH ORIGIN PREF "5002%04zx", len);
	for (size_t i = 0; i < segments; i++) {
		end = stpcpy(end, "02ff");
		for (int j = 0; j < 255; j++)
			end = stpcpy(end, "0001");
	}
	struct octets body = body_of("", attrs, "");
	ck_assert_int_eq(decode_body(body, PEER_AS2, &u, &err), 0);
	ck_assert_int_eq(u.reaction, UPDATE_TREAT_AS_WITHDRAW);
	free(attrs);
	free(body.p);
}
END_TEST

/* --- what we send --- */

/* Everything behind MP_REACH when these attributes go out so. */
static const struct {
	const char *what;
	const char *attrs; /* besides GOOD */
	struct update_out out;
	const char *expect;
} sends[] = {
	{"iBGP as it came", "", {.as4 = true, .ibgp = true}, "400101 00 400206 02010000fde8 400504 00000064"},
	{"eBGP: no LOCAL_PREF", "", {.as4 = true}, "400101 00 400206 02010000fde8"},
	{"prepend", "", {.as4 = true, .prepend_as = 65001}, "400101 00 40020a 0202 0000fde9 0000fde8"},
	{"prepend, 2 octets", "", {.prepend_as = 65001}, "400101 00 400206 0202 fde9 fde8"},
	{"prepend 70000, 2 octets", "", {.prepend_as = 70000},
		"400101 00 400206 0202 5ba0 fde8 c0110a 0202 00011170 0000fde8"},
	{"mappable, 2 octets: no AS4_PATH", "", {.ibgp = true}, "400101 00 400204 0201 fde8 400504 00000064"},
	{"originator and cluster", "", {.as4 = true, .ibgp = true, .set_originator = 0x0a000002, .prepend_cluster = 0x0a000003},
		"400101 00 400206 02010000fde8 400504 00000064 800904 0a000002 800a04 0a000003"},
	{"originator stays, cluster goes in front", "800904 0a000009 800a04 0a000008",
		{.as4 = true, .ibgp = true, .set_originator = 0x0a000002, .prepend_cluster = 0x0a000003},
		"400101 00 400206 02010000fde8 400504 00000064 800904 0a000009 800a08 0a000003 0a000008"},
	{"both stay inside", "800904 0a000009 800a04 0a000008", {.as4 = true, .prepend_cluster = 3},
		"400101 00 400206 02010000fde8"},
	{"non-transitive communities stay inside", "c01010 0002fde800000064 4300000000000001", {.as4 = true},
		"400101 00 400206 02010000fde8 c01008 0002fde800000064"},
	{"inside they go", "c01010 0002fde800000064 4300000000000001", {.as4 = true, .ibgp = true},
		"400101 00 400206 02010000fde8 400504 00000064 c01010 0002fde800000064 4300000000000001"},
	{"none is left", "c01008 4300000000000001", {.as4 = true}, "400101 00 400206 02010000fde8"},
	{"Partial stays", "e01008 0002fde800000064", {.as4 = true}, "400101 00 400206 02010000fde8 e01008 0002fde800000064"},
	{"AGGREGATOR", "c00708 00011170 0a000001", {.as4 = true}, "400101 00 400206 02010000fde8 c00708 00011170 0a000001"},
	{"AGGREGATOR, 2 octets", "c00708 00011170 0a000001", {.as4 = false},
		"400101 00 400204 0201fde8 c00706 5ba0 0a000001 c01208 00011170 0a000001"},
	{"AGGREGATOR, mappable", "c00708 0000fde8 0a000001", {.as4 = false},
		"400101 00 400204 0201fde8 c00706 fde8 0a000001"},
	{"all in order of types, unknown among them",
		"c0fe01 01 c0210101 c02304 0000fde9 c0200c 0000fde80000000100000002 c01609 0006000064 0a000001 c00804 fde80001"
		" 800404 00000007 400600 c00b0102",
		{.as4 = true},
		"400101 00 400206 02010000fde8 800404 00000007 400600 c00804 fde80001 e00b0102 c01609 0006000064 0a000001"
		" c0200c 0000fde80000000100000002 e0210101 c02304 0000fde9 e0fe01 01"},
};

START_TEST(attributes_go_out_so)
{
	char attrs[1000];
	uint8_t buf[BGP_MSG_MAX];
	struct update u;
	struct update_writer w;

	snprintf(attrs, sizeof(attrs), GOOD "%s", sends[_i].attrs);
	struct octets body = good(attrs, 0, &u), expect = octets_of(sends[_i].expect);
	ck_assert_int_eq(update_begin(&w, buf, sizeof(buf), &test_family, false, &u.attrs, &sends[_i].out), 0);
	add_all(&w, u.reach, false);
	size_t len = update_end(&w);
	/* Header, lengths, and MP_REACH of 18 octets. */
	size_t at = BGP_HEADER_LEN + 4 + 18;
	char *got = hex_of(buf + at, len - at), *want = hex_of(expect.p, expect.len);
	ck_assert_msg(strcmp(got, want) == 0, "%s: %s, not %s", sends[_i].what, got, want);
	ck_assert_mem_eq(buf + BGP_HEADER_LEN + 4, "\x90\x0e\x00\x0e\x00\x19\x46\x04", 8);
	free(got);
	free(want);
	free(expect.p);
	free(body.p);
}
END_TEST

/* A path of 255 numbers in its first segment cannot take one more. */
START_TEST(prepending_to_a_full_segment)
{
	uint8_t path[2 + 4 * 255] = {AS_SEQUENCE, 255}, buf[BGP_MSG_MAX];
	struct attrs a = {.as_path = {path, sizeof(path)}, .next_hop = ip_v4((uint8_t[]){10, 0, 0, 1})};
	struct update_out out = {.as4 = true, .prepend_as = 7};
	struct update_writer w;
	struct update u;
	struct bgp_error err;

	for (int i = 0; i < 255; i++)
		path[2 + 4 * i + 3] = 1;
	ck_assert_int_eq(update_begin(&w, buf, sizeof(buf), &test_family, false, &a, &out), 0);
	ck_assert(update_add(&w, 0, (const uint8_t *)"\x02" "abc", 4, NULL, 0));
	size_t len = update_end(&w);
	ck_assert_int_eq(decode_body((struct octets){buf + BGP_HEADER_LEN, len - BGP_HEADER_LEN}, PEER_EBGP,
				 &u, &err), 0);
	ck_assert_int_eq(u.reaction, UPDATE_OK);
	ck_assert_uint_eq(attr_as_path_length(&u.attrs), 256);
	ck_assert_uint_eq(attr_as_path_first(&u.attrs), 7);
	ck_assert_uint_eq(u.attrs.as_path.len, 6 + sizeof(path));
}
END_TEST

/* Fills messages of each size up to a point, both ways: never more than the size, and it reads back. */
START_TEST(a_message_is_filled_to_the_brim)
{
	uint8_t pmsi[9] = {0, 6, 0, 0, 100, 10, 0, 0, 1};
	struct attrs a = {.present = ATTR_BIT(ATTR_PMSI_TUNNEL), .pmsi = {pmsi, 9},
		.next_hop = ip_v4((uint8_t[]){10, 0, 0, 1})};
	struct update_out out = {.as4 = true, .ibgp = true};
	int fitted = 0;

	for (size_t cap = 0; cap < 400; cap++) {
		for (int withdraw = 0; withdraw < 2; withdraw++) {
			struct octets buf = {malloc(cap ? cap : 1), cap};
			struct update_writer w;
			struct update u;
			struct bgp_error err;
			uint8_t key[] = "\x02hello";
			unsigned n = 0;
			int r = withdraw ? update_begin_withdraw(&w, buf.p, cap, &test_family, true)
					 : update_begin(&w, buf.p, cap, &test_family, true, &a, &out);
			if (r < 0)
				ck_assert_int_eq(r, -EMSGSIZE);
			while (r == 0 && update_add(&w, n, key, 6, NULL, 0))
				n++;
			size_t len = r == 0 ? update_end(&w) : 0;
			ck_assert_uint_le(len, cap);
			if (len > 0) {
				ck_assert_uint_gt(len + 11, cap);
				struct octets o = octets_cut(buf.p + BGP_HEADER_LEN, len - BGP_HEADER_LEN);
				ck_assert_int_eq(decode_body(o, 0, &u, &err), 0);
				ck_assert_int_eq(u.reaction, UPDATE_OK);
				struct span s = withdraw ? u.unreach : u.reach;
				struct reader rd = reader_of(s.p, s.len);
				struct nlri nl;
				const char *why;
				for (unsigned i = 0; i < n; i++) {
					ck_assert_int_eq(update_next(&rd, &test_family, true, withdraw, &nl,
								 &why), NLRI_OK);
					ck_assert_uint_eq(nl.path_id, i);
				}
				ck_assert(reader_done(&rd));
				free(o.p);
				fitted++;
			} else {
				ck_assert_uint_eq(n, 0);
			}
			free(buf.p);
		}
	}
	ck_assert_int_gt(fitted, 600);
}
END_TEST

START_TEST(an_extended_message)
{
	size_t cap = 70000;
	uint8_t *buf = malloc(cap), key[] = "\x02hello";
	struct attrs a = {.next_hop = ip_v4((uint8_t[]){10, 0, 0, 1})};
	struct update_out out = {.as4 = true};
	struct update_writer w;
	struct bgp_header h;
	struct bgp_error err;
	struct update u;

	ck_assert_int_eq(update_begin(&w, buf, cap, &test_family, false, &a, &out), 0);
	while (update_add(&w, 0, key, 6, NULL, 0))
		;
	size_t len = update_end(&w);
	ck_assert_uint_le(len, BGP_MSG_EXTENDED_MAX);
	ck_assert_uint_gt(len, BGP_MSG_EXTENDED_MAX - 7);
	ck_assert_int_eq(bgp_header_decode(buf, len, BGP_MSG_EXTENDED_MAX, &h, &err), 0);
	ck_assert_uint_eq(h.len, len);
	ck_assert_int_eq(decode_body((struct octets){buf + BGP_HEADER_LEN, len - BGP_HEADER_LEN}, PEER_EBGP,
				 &u, &err), 0);
	ck_assert_uint_eq(u.reach.len / 7, w.count);
	free(buf);
}
END_TEST

START_TEST(nothing_added_is_nothing_sent)
{
	uint8_t buf[BGP_MSG_MAX];
	struct attrs a = {.next_hop = ip_v4((uint8_t[]){10, 0, 0, 1})}, none = {0};
	struct update_out out = {.as4 = true};
	struct update_writer w;

	ck_assert_int_eq(update_begin(&w, buf, sizeof(buf), &test_family, false, &a, &out), 0);
	ck_assert_uint_eq(update_end(&w), 0);
	ck_assert_int_eq(update_begin_withdraw(&w, buf, sizeof(buf), &test_family, false), 0);
	ck_assert_uint_eq(update_end(&w), 0);
	ck_assert_int_eq(update_begin(&w, buf, sizeof(buf), &test_family, false, &none, &out), -EINVAL);
	ck_assert_uint_eq(update_eor(buf, 28, &test_family), 0);
	ck_assert_uint_eq(update_eor(buf, 29, &test_family), 29);
}
END_TEST

/* --- NLRIs --- */

START_TEST(bad_nlris_cost_only_themselves)
{
	struct octets o = octets_of("0203aabbcc fe0101 fd0102 f00203ff f00203");
	struct reader r = reader_of(o.p, o.len);
	struct nlri n;
	const char *why;

	ck_assert_int_eq(update_next(&r, &test_family, false, false, &n, &why), NLRI_OK);
	ck_assert_uint_eq(n.key_len, 4);
	ck_assert_int_eq(update_next(&r, &test_family, false, false, &n, &why), NLRI_DISCARD);
	ck_assert_str_eq(why, "discarded");
	ck_assert_int_eq(update_next(&r, &test_family, false, false, &n, &why), NLRI_WITHDRAW);
	ck_assert_uint_eq(n.key[1], 2);
	ck_assert_int_eq(update_next(&r, &test_family, false, false, &n, &why), NLRI_OK);
	ck_assert_uint_eq(n.payload_len, 1);
	ck_assert_uint_eq(n.payload[0], 0xff);
	ck_assert_int_eq(update_next(&r, &test_family, false, false, &n, &why), NLRI_BROKEN);
	ck_assert_ptr_nonnull(why);
	free(o.p);
}
END_TEST

static enum nlri_verdict lazy_decode(struct reader *r, bool withdraw, struct nlri *ret, const char **ret_why)
{
	(void)r;
	(void)withdraw;
	(void)ret;
	(void)ret_why;
	return NLRI_OK;
}

static enum nlri_verdict greedy_decode(struct reader *r, bool withdraw, struct nlri *ret,
	const char **ret_why)
{
	reader_skip(r, 100);
	return lazy_decode(r, withdraw, ret, ret_why);
}

START_TEST(a_family_cannot_hang_or_overrun_the_walk)
{
	struct bgp_family f = test_family;
	struct octets o = octets_of("0203aabbcc");
	struct reader r = reader_of(o.p, o.len);
	struct nlri n;
	const char *why;

	f.decode = lazy_decode;
	ck_assert_int_eq(update_next(&r, &f, false, false, &n, &why), NLRI_BROKEN);
	f.decode = greedy_decode;
	ck_assert_int_eq(update_next(&r, &f, false, false, &n, &why), NLRI_BROKEN);
	r = reader_of(o.p, 4);
	ck_assert_int_eq(update_next(&r, &test_family, true, false, &n, &why), NLRI_BROKEN);
	r = reader_of(o.p, 3);
	ck_assert_int_eq(update_next(&r, &test_family, true, false, &n, &why), NLRI_BROKEN);
	free(o.p);
}
END_TEST

CHECK_MAIN("update", {
	tcase_add_test(t, recorded_updates_come_back_octet_for_octet);
	tcase_add_test(t, no_truncation_is_accepted);
	tcase_add_loop_test(t, reactions_are_those_of_rfc_7606, 0, ROWS_OF(reactions));
	tcase_add_loop_test(t, order_of_attributes_does_not_matter, 0, ROWS_OF(reactions));
	tcase_add_test(t, a_reset_tells_the_attribute);
	tcase_add_test(t, a_long_attribute_is_cut_to_the_notification);
	tcase_add_test(t, what_was_read);
	tcase_add_test(t, treat_as_withdraw_leaves_no_attributes);
	tcase_add_test(t, a_discarded_attribute_is_not_there);
	tcase_add_test(t, unknown_ones_travel_in_order_with_partial);
	tcase_add_test(t, duplicates_keep_the_first);
	tcase_add_test(t, next_hops);
	tcase_add_test(t, families_not_negotiated_are_skipped);
	tcase_add_loop_test(t, as_paths_of_2_octet_peers, 0, ROWS_OF(merges));
	tcase_add_test(t, a_merged_path_may_be_too_long);
	tcase_add_loop_test(t, attributes_go_out_so, 0, ROWS_OF(sends));
	tcase_add_test(t, prepending_to_a_full_segment);
	tcase_add_test(t, a_message_is_filled_to_the_brim);
	tcase_add_test(t, an_extended_message);
	tcase_add_test(t, nothing_added_is_nothing_sent);
	tcase_add_test(t, bad_nlris_cost_only_themselves);
	tcase_add_test(t, a_family_cannot_hang_or_overrun_the_walk);
})
