/* AS paths, extended communities, and the table itself. */
#include <check.h>

#include "bgp/as_path.h"
#include "bgp/attr_table.h"
#include "bgp/ecom.h"
#include "bgp/large_communities.h"
#include "tests/bgp/wire.h"

static const struct {
	const char *path;
	unsigned length;
	uint32_t first;
	uint32_t has, has_not;
} paths[] = {
	{"", 0, 0, 0, 1},
	{"0201 0000fde8", 1, 65000, 65000, 1},
	{"0203 0000fde8 00011170 00000001", 3, 65000, 70000, 2},
	{"0103 0000fde8 00011170 00000001", 1, 0, 70000, 2},
	{"0102 00000001 00000002 0201 00000003", 2, 0, 2, 4},
	{"0201 00000003 0102 00000001 00000002 0202 00000003 00000003", 4, 3, 2, 4},
};

START_TEST(as_paths)
{
	struct octets o = octets_of(paths[_i].path);
	struct attrs a = {.as_path = {o.p, (uint16_t)o.len}};

	ck_assert_ptr_null(as_path_check(a.as_path, 4, false));
	ck_assert_uint_eq(attr_as_path_length(&a), paths[_i].length);
	ck_assert_uint_eq(attr_as_path_first(&a), paths[_i].first);
	if (paths[_i].has)
		ck_assert(attr_as_path_has(&a, paths[_i].has));
	ck_assert(!attr_as_path_has(&a, paths[_i].has_not));
	/* No cut but between segments is a path, and measuring one does no harm. */
	for (size_t cut = 0; cut < o.len; cut++) {
		struct octets part = octets_cut(o.p, cut);
		struct attrs b = {.as_path = {part.p, (uint16_t)cut}};
		bool sound = !as_path_check(b.as_path, 4, false);
		ck_assert(!sound || attr_as_path_length(&b) <= paths[_i].length);
		attr_as_path_first(&b);
		attr_as_path_has(&b, 1);
		free(part.p);
	}
	free(o.p);
}
END_TEST

START_TEST(as_paths_out_and_back)
{
	struct octets o = octets_of(paths[_i].path);
	struct span path = {o.p, (uint16_t)o.len};

	/* Towards a 2-octet speaker, and what it hands back, with the path in AS4_PATH, is the same path. */
	for (int prepend = 0; prepend < 2; prepend++) {
		struct as_path_out two = {path, prepend ? 80000u : 0, 2};
		struct as_path_out four = {path, prepend ? 80000u : 0, 4};
		uint8_t as2[100], as4[100], merged[100];
		struct writer w2 = writer_of(as2, sizeof(as2)), w4 = writer_of(as4, sizeof(as4));
		struct writer m = writer_of(merged, sizeof(merged));

		as_path_write(&w2, &two);
		as_path_write(&w4, &four);
		ck_assert_uint_eq(writer_len(&w2), as_path_octets(&two));
		ck_assert_uint_eq(writer_len(&w4), as_path_octets(&four));
		struct span s2 = {as2, (uint16_t)writer_len(&w2)}, s4 = {as4, (uint16_t)writer_len(&w4)};
		ck_assert_ptr_null(as_path_check(s2, 2, false));
		ck_assert_ptr_null(as_path_check(s4, 4, false));
		ck_assert_uint_eq(as_path_length(s2, 2), as_path_length(s4, 4));
		as_path_merge(&m, s2, s4);
		ck_assert_uint_eq(writer_len(&m), s4.len);
		ck_assert(s4.len == 0 || memcmp(merged, as4, s4.len) == 0);
		ck_assert(!prepend || as_path_needs_as4(path, 80000));
	}
	free(o.p);
}
END_TEST

START_TEST(extended_communities)
{
	struct octets o = octets_of("0002fde800000064 030c000000000008 4300000000000001 0002fde800000065 aabb");
	struct span s = {o.p, (uint16_t)o.len};

	ck_assert_uint_eq(ecom_count(s), 4);
	ck_assert_ptr_eq(ecom_find(s, 0x00, 0x02), o.p);
	ck_assert_ptr_eq(ecom_find(s, 0x03, 0x0c), o.p + 8);
	ck_assert_ptr_null(ecom_find(s, 0xaa, 0xbb));
	ck_assert(ecom_is_transitive(ecom_at(s, 0)));
	ck_assert(!ecom_is_transitive(ecom_at(s, 2)));
	free(o.p);
}
END_TEST

/* Whatever is in the table is whole: a decoder, flags that are one of the three kinds, bounds in order, and a bit in
 * attrs.present for what is encoded. */
static const struct {
	const char *in, *out; /* NULL: as it is */
} large[] = {
	{"", NULL},
	{"0000fde80000000100000002", NULL},
	{"0000fde80000000100000002 0000fde80000000100000003", NULL},
	{"0000fde80000000100000002 0000fde80000000100000002", "0000fde80000000100000002"},
	{"0000fde80000000100000002 0000fde80000000100000001 0000fde80000000100000002 000000000000000000000000"
	 "0000fde80000000100000001 000000000000000000000000",
		"0000fde80000000100000002 0000fde80000000100000001 000000000000000000000000"},
};

START_TEST(large_communities_once)
{
	struct octets in = octets_of(large[_i].in), out = octets_of(large[_i].out ? large[_i].out : large[_i].in);
	struct span s = {in.p, (uint16_t)in.len}, once = large_communities_unique(s);

	ck_assert_uint_eq(once.len, out.len);
	ck_assert_mem_eq(once.p, out.p, out.len);
	ck_assert(large[_i].out || once.p == s.p);
	free(in.p);
	free(out.p);
}
END_TEST

START_TEST(as_many_large_communities_as_fit)
{
	uint8_t *p = calloc(1, UINT16_MAX);
	struct span s = {p, UINT16_MAX / 12 * 12};

	ck_assert_uint_eq(large_communities_unique(s).len, 12);
	for (uint32_t i = 0; i < s.len / 12; i++)
		memcpy(p + 12 * i, &i, sizeof(i));
	ck_assert_ptr_eq(large_communities_unique(s).p, p);
	memcpy(p + s.len - 12, p, 12);
	ck_assert_uint_eq(large_communities_unique(s).len, s.len - 12);
	free(p);
}
END_TEST

START_TEST(rows_are_whole)
{
	int count = 0;

	for (unsigned type = 0; type < 256; type++) {
		const struct attr_row *row = attr_row((uint8_t)type);
		ck_assert_str_ne(attr_name((uint8_t)type), "");
		if (!row)
			continue;
		count++;
		ck_assert_ptr_nonnull(row->decode);
		ck_assert(row->flags == ATTR_FLAG_TRANSITIVE || row->flags == ATTR_FLAG_OPTIONAL ||
			  row->flags == (ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE));
		ck_assert_uint_le(row->min, row->max);
		ck_assert(row->malformed > UPDATE_OK && row->malformed <= REACT_RESET);
		ck_assert(!(row->encode && row->carried));
		ck_assert(!row->carried || row->flags == (ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE));
		ck_assert(type < 64);
	}
	ck_assert_int_eq(count, 21);
	ck_assert_str_eq(attr_name(ATTR_AS_PATH), "AS_PATH");
	ck_assert_str_eq(attr_name(255), "attribute");
}
END_TEST

CHECK_MAIN("attr", {
	tcase_add_loop_test(t, as_paths, 0, ROWS_OF(paths));
	tcase_add_loop_test(t, as_paths_out_and_back, 0, ROWS_OF(paths));
	tcase_add_test(t, extended_communities);
	tcase_add_loop_test(t, large_communities_once, 0, ROWS_OF(large));
	tcase_add_test(t, as_many_large_communities_as_fit);
	tcase_add_test(t, rows_are_whole);
})
