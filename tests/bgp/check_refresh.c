/* ROUTE-REFRESH: RFC 2918, RFC 7313. */
#include <check.h>
#include <errno.h>

#include "bgp/msg.h"
#include "tests/bgp/wire.h"

static const struct {
	const char *hex;
	int expect;
	struct bgp_refresh m;
} rows[] = {
	{"0019 00 46", 0, {{25, 70}, REFRESH_REQUEST}},
	{"0019 01 46", 0, {{25, 70}, REFRESH_BORR}},
	{"0019 02 46", 0, {{25, 70}, REFRESH_EORR}},
	{"0002 00 01", 0, {{2, 1}, REFRESH_REQUEST}},
	{"0019 03 46", 1, {{0, 0}, 0}},
	{"0019 ff 46", 1, {{0, 0}, 0}},
	{"0019 ff 46 00", 1, {{0, 0}, 0}},
	/* An ORF behind a request is read over; behind the markers nothing may stand. */
	{"0019 00 46 01 80 0001 00", 0, {{25, 70}, REFRESH_REQUEST}},
	{"0019 01 46 00", -EBADMSG, {{0, 0}, 0}},
	{"0019 02 46 00", -EBADMSG, {{0, 0}, 0}},
	{"0019 00", -EBADMSG, {{0, 0}, 0}},
	{"", -EBADMSG, {{0, 0}, 0}},
};

START_TEST(messages)
{
	struct octets o = octets_of(rows[_i].hex);
	struct bgp_refresh m = {{1, 2}, 3};
	struct bgp_error err;
	int r = refresh_decode(o.p, o.len, &m, &err);

	ck_assert_int_eq(r, rows[_i].expect);
	if (r == -EBADMSG) {
		ck_assert_uint_eq(err.code, BGP_ERR_ROUTE_REFRESH);
		ck_assert_uint_eq(err.subcode, BGP_REFRESH_LENGTH);
		/* The whole message. */
		ck_assert_uint_eq(err.data_len, BGP_HEADER_LEN + o.len);
		ck_assert_uint_eq(err.data[17], BGP_HEADER_LEN + o.len);
		ck_assert_uint_eq(err.data[18], BGP_ROUTE_REFRESH);
		ck_assert(o.len == 0 || memcmp(err.data + BGP_HEADER_LEN, o.p, o.len) == 0);
	}
	if (r != 0) {
		ck_assert_uint_eq(m.family.afi, 1);
	} else {
		uint8_t buf[BGP_MSG_MAX];
		struct writer w = writer_of(buf, sizeof(buf));
		ck_assert_uint_eq(m.family.afi, rows[_i].m.family.afi);
		ck_assert_uint_eq(m.family.safi, rows[_i].m.family.safi);
		ck_assert_uint_eq(m.subtype, rows[_i].m.subtype);
		refresh_encode(&w, &m);
		ck_assert_uint_eq(writer_len(&w), BGP_HEADER_LEN + 4);
		ck_assert_mem_eq(buf + BGP_HEADER_LEN, o.p, 4);
	}
	free(o.p);
}
END_TEST

START_TEST(a_long_one_is_cut_to_the_notification)
{
	uint8_t body[600] = {0, 25, 1, 70};
	struct bgp_refresh m;
	struct bgp_error err;

	ck_assert_int_eq(refresh_decode(body, sizeof(body), &m, &err), -EBADMSG);
	ck_assert_uint_eq(err.data_len, BGP_ERROR_DATA_MAX);
}
END_TEST

CHECK_MAIN("refresh", {
	tcase_add_loop_test(t, messages, 0, ROWS_OF(rows));
	tcase_add_test(t, a_long_one_is_cut_to_the_notification);
})
