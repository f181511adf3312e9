/* The message header: RFC 4271 section 6.1, RFC 8654. */
#include <check.h>
#include <errno.h>

#include "bgp/msg.h"
#include "tests/bgp/wire.h"

#define FF16 "ffffffffffffffffffffffffffffffff"

static const struct {
	const char *what, *hex;
	size_t max;
	int expect; /* 0, 1, or the subcode of a refusal + 100 */
	uint16_t len;
	uint8_t type;
	const char *data; /* of the NOTIFICATION */
} rows[] = {
	{"KEEPALIVE", FF16 "0013 04", BGP_MSG_MAX, 0, 19, BGP_KEEPALIVE, ""},
	{"OPEN", FF16 "001d 01", BGP_MSG_MAX, 0, 29, BGP_OPEN, ""},
	{"UPDATE", FF16 "0017 02", BGP_MSG_MAX, 0, 23, BGP_UPDATE, ""},
	{"NOTIFICATION", FF16 "0015 03", BGP_MSG_MAX, 0, 21, BGP_NOTIFICATION, ""},
	{"ROUTE-REFRESH", FF16 "0017 05", BGP_MSG_MAX, 0, 23, BGP_ROUTE_REFRESH, ""},
	{"UPDATE of 4096", FF16 "1000 02", BGP_MSG_MAX, 0, 4096, BGP_UPDATE, ""},
	{"extended UPDATE", FF16 "ffff 02", BGP_MSG_EXTENDED_MAX, 0, 65535, BGP_UPDATE, ""},
	{"nothing", "", BGP_MSG_MAX, 1, 0, 0, ""},
	{"too little", FF16 "0013", BGP_MSG_MAX, 1, 0, 0, ""},
	{"marker", "fffffffffffffffffffffffffffffffe 0013 04", BGP_MSG_MAX, 101, 0, 0, ""},
	{"marker before the rest", "00ffffffffffffffffffffffffffffff 0000 00", BGP_MSG_MAX, 101, 0, 0, ""},
	{"shorter than a header", FF16 "0012 04", BGP_MSG_MAX, 102, 0, 0, "0012"},
	{"zero", FF16 "0000 04", BGP_MSG_MAX, 102, 0, 0, "0000"},
	{"longer than 4096", FF16 "1001 02", BGP_MSG_MAX, 102, 0, 0, "1001"},
	{"KEEPALIVE of 20", FF16 "0014 04", BGP_MSG_MAX, 102, 0, 0, "0014"},
	{"OPEN of 28", FF16 "001c 01", BGP_MSG_MAX, 102, 0, 0, "001c"},
	{"extended OPEN (RFC 8654)", FF16 "1001 01", BGP_MSG_EXTENDED_MAX, 102, 0, 0, "1001"},
	{"UPDATE of 22", FF16 "0016 02", BGP_MSG_MAX, 102, 0, 0, "0016"},
	{"NOTIFICATION of 20", FF16 "0014 03", BGP_MSG_MAX, 102, 0, 0, "0014"},
	{"type 0", FF16 "0013 00", BGP_MSG_MAX, 103, 0, 0, "00"},
	{"type 6", FF16 "0013 06", BGP_MSG_MAX, 103, 0, 0, "06"},
	{"type 255", FF16 "0013 ff", BGP_MSG_MAX, 103, 0, 0, "ff"},
	{"length before type", FF16 "0000 00", BGP_MSG_MAX, 102, 0, 0, "0000"},
};

START_TEST(headers)
{
	struct octets o = octets_of(rows[_i].hex), data = octets_of(rows[_i].data);
	struct bgp_header h = {7, 7};
	struct bgp_error err;
	int r = bgp_header_decode(o.p, o.len, rows[_i].max, &h, &err);

	if (rows[_i].expect < 100) {
		ck_assert_msg(r == rows[_i].expect, "%s: %d", rows[_i].what, r);
	} else {
		ck_assert_msg(r == -EBADMSG, "%s: %d", rows[_i].what, r);
		ck_assert_uint_eq(err.code, BGP_ERR_HEADER);
		ck_assert_msg(err.subcode == rows[_i].expect - 100, "%s: %u", rows[_i].what, err.subcode);
		ck_assert_uint_eq(err.data_len, data.len);
		ck_assert(data.len == 0 || memcmp(err.data, data.p, data.len) == 0);
	}
	ck_assert_uint_eq(h.len, r == 0 ? rows[_i].len : 7);
	ck_assert_uint_eq(h.type, r == 0 ? rows[_i].type : 7);
	for (size_t cut = 0; cut < o.len && cut < BGP_HEADER_LEN; cut++) {
		struct octets part = octets_cut(o.p, cut);
		ck_assert_int_eq(bgp_header_decode(part.p, cut, rows[_i].max, &h, &err), 1);
		free(part.p);
	}
	free(o.p);
	free(data.p);
}
END_TEST

START_TEST(keepalive)
{
	uint8_t buf[40];
	struct writer w = writer_of(buf, sizeof(buf));
	struct octets want = octets_of(FF16 "0013 04" FF16 "0013 04");

	keepalive_encode(&w);
	keepalive_encode(&w);
	ck_assert_uint_eq(writer_len(&w), 38);
	ck_assert_mem_eq(buf, want.p, want.len);
	keepalive_encode(&w);
	ck_assert(!writer_ok(&w));
	free(want.p);
}
END_TEST

CHECK_MAIN("header", { tcase_add_loop_test(t, headers, 0, ROWS_OF(rows)); tcase_add_test(t, keepalive); })
