/* UPDATE as a whole: the recorded messages both ways, what is cut short, and the walk over NLRIs. */
#include "bgp/msg.h"
#include "tests/bgp/update_parts.h"

/* --- the recorded messages --- */

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
	tcase_add_test(t, bad_nlris_cost_only_themselves);
	tcase_add_test(t, a_family_cannot_hang_or_overrun_the_walk);
})
