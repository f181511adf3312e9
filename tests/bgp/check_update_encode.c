/* UPDATE, sent: the order of attributes, what changes on the way out, messages filled to the brim. */
#include "bgp/as_path.h"
#include "bgp/attrset.h"
#include "bgp/msg.h"
#include "tests/bgp/update_parts.h"

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

CHECK_MAIN("update encode", {
	tcase_add_loop_test(t, attributes_go_out_so, 0, ROWS_OF(sends));
	tcase_add_test(t, prepending_to_a_full_segment);
	tcase_add_test(t, a_message_is_filled_to_the_brim);
	tcase_add_test(t, an_extended_message);
	tcase_add_test(t, nothing_added_is_nothing_sent);
})
