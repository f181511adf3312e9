/* UPDATE, read: what stands in the parsed form, and the AS path of a 2-octet peer. */
#include "bgp/as_path.h"
#include "bgp/attrset.h"
#include "bgp/msg.h"
#include "tests/bgp/update_parts.h"

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

CHECK_MAIN("update decode", {
	tcase_add_test(t, what_was_read);
	tcase_add_test(t, treat_as_withdraw_leaves_no_attributes);
	tcase_add_test(t, a_discarded_attribute_is_not_there);
	tcase_add_test(t, unknown_ones_travel_in_order_with_partial);
	tcase_add_test(t, duplicates_keep_the_first);
	tcase_add_test(t, next_hops);
	tcase_add_test(t, families_not_negotiated_are_skipped);
	tcase_add_loop_test(t, as_paths_of_2_octet_peers, 0, ROWS_OF(merges));
	tcase_add_test(t, a_merged_path_may_be_too_long);
})
