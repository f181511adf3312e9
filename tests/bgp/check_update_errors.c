/* UPDATE, wrong: RFC 7606 as a table of attributes and the reaction to them. */
#include "bgp/msg.h"
#include "tests/bgp/update_parts.h"

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

CHECK_MAIN("update errors", {
	tcase_add_loop_test(t, reactions_are_those_of_rfc_7606, 0, ROWS_OF(reactions));
	tcase_add_loop_test(t, order_of_attributes_does_not_matter, 0, ROWS_OF(reactions));
	tcase_add_test(t, a_reset_tells_the_attribute);
	tcase_add_test(t, a_long_attribute_is_cut_to_the_notification);
})
