/* Route Target membership (RFC 4684): its NLRIs, and what they ask for. */
#include "tests/bgp/membership_net.h"

/* --- NLRIs --- */

static const struct nlri_row {
	const char *name, *hex;
	enum nlri_verdict verdict;
	const char *again; /* as it is encoded; NULL: the same */
	const char *text;
} nlris[] = {
	{"default", "00", NLRI_OK, NULL, "default"},
	{"AS alone", "20 0000fde8", NLRI_OK, NULL, "65000 RT /32"},
	{"whole", "60" RT_100, NLRI_OK, NULL, "65000 RT 65000:100"},
	{"ES-Import", "60 0000fde8 0602001122334455", NLRI_OK, NULL,
		"65000 RT 0602001122334455/96"},
	{"prefix", "40 0000fde8 0002fde8", NLRI_OK, NULL, "65000 RT 0002fde8/64"},
	{"spare bits", "29 0000fde8 00ff", NLRI_OK, "29 0000fde8 0080", "65000 RT 0080/41"},
	{"spare bits of the AS's octet", "21 0000fde8 ff", NLRI_OK, "21 0000fde8 80",
		"65000 RT 80/33"},
	{"1 bit", "01 80", NLRI_DISCARD, NULL, NULL},
	{"31 bits", "1f 0000fde8", NLRI_DISCARD, NULL, NULL},
	{"97 bits", "61" RT_100 "00", NLRI_BROKEN, NULL, NULL},
	{"255 bits", "ff" RT_100, NLRI_BROKEN, NULL, NULL},
	{"overruns", "60 0000fde8 0002", NLRI_BROKEN, NULL, NULL},
};

START_TEST(codec)
{
	const struct nlri_row *row = &nlris[_i];
	struct octets in = octets_of(row->hex), out = octets_of(row->again ? row->again : row->hex);
	struct reader r = reader_of(in.p, in.len);
	struct nlri n;
	const char *why = NULL;
	uint8_t buf[32];
	char text[64];

	ck_assert_int_eq(rtc_family.decode(&r, false, &n, &why), row->verdict);
	if (row->verdict == NLRI_OK) {
		struct writer w = writer_of(buf, sizeof(buf));
		ck_assert(reader_done(&r));
		rtc_family.encode(&w, n.key, n.key_len, NULL, 0);
		ck_assert_uint_eq(writer_len(&w), out.len);
		ck_assert_mem_eq(buf, out.p, out.len);
		ck_assert_str_eq(rtc_family.format(text, sizeof(text), n.key, n.key_len, NULL, 0),
			row->text);
	} else {
		ck_assert_ptr_nonnull(why);
	}
	if (row->verdict == NLRI_DISCARD)
		ck_assert(reader_done(&r));
	for (size_t cut = 0; row->verdict == NLRI_OK && cut < in.len; cut++) {
		struct octets c = octets_cut(in.p, cut);
		struct reader cr = reader_of(c.p, c.len);
		ck_assert_int_eq(rtc_family.decode(&cr, true, &n, &why), NLRI_BROKEN);
		free(c.p);
	}
	free(in.p);
	free(out.p);
}
END_TEST

/* --- filters --- */

static const struct wants_row {
	const char *name, *prefixes, *communities;
	bool wanted;
} wants[] = {
	{"nothing said", "", "0002fde800000064", false},
	{"default", "00", "0002fde800000064", true},
	{"default, and no target", "00", "", true},
	{"its AS alone: any target", "20 0000fde8", "0002000100000001", true},
	{"its AS alone, and no target", "20 0000fde8", "", false},
	{"whole", "60" RT_100, "0002fde800000064", true},
	{"whole, another", "60" RT_100, "0002fde800000065", false},
	{"whole, one of two", "60" RT_100, "0002000100000001 0002fde800000064", true},
	{"origin AS does not matter", "60 00000001 0002fde800000064", "0002fde800000064", true},
	{"prefix", "50 0000fde8 0002fde80000", "0002fde800000064", true},
	{"prefix, beyond", "50 0000fde8 0002fde80000", "0002fde800010000", false},
	{"not a target", "60 0000fde8 030c000000000008", "030c000000000008", false},
	{"other forms", "60 0000fde8 0202000100000001", "0202000100000001", true},
	{"ES-Import", "60 0000fde8 0602001122334455", "0602001122334455", true},
	{"nested, inner", "60 00000001 0002fde800000064 40 0000fde8 0002fde8", "0002fde800000064",
		true},
	{"nested, outer", "40 0000fde8 0002fde8 60 00000001 0002fde800000064", "0002fde800000065",
		true},
	{"between two", "60 00000001 0002fde800000064 60 00000001 0002fde800000066",
		"0002fde800000065", false},
	{"cut short", "60" RT_100, "0002fde8000000", false},
};

START_TEST(what_is_wanted)
{
	const struct wants_row *row = &wants[_i];

	star(1);
	say(1, row->prefixes, true);
	originate(0, 1, row->communities);
	settle();
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert(knows(1, 1) == row->wanted);
	/* And when it is said later, or taken back. */
	say(1, row->prefixes, false);
	settle();
	ck_assert(!knows(1, 1));
	say(1, row->prefixes, true);
	settle();
	ck_assert(knows(1, 1) == row->wanted);
}
END_TEST

CHECK_MAIN("rtc", tcase_add_checked_fixture(t, setup, teardown);
	   tcase_add_loop_test(t, codec, 0, ROWS_OF(nlris));
	   tcase_add_loop_test(t, what_is_wanted, 0, ROWS_OF(wants));)
