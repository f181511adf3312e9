/* The frames of a refresh, octet for octet. The checksums were computed with scapy. */
#include <check.h>

#include "frames.h"
#include "proxyarp/probe.h"
#include "proxyarp/verdict.h"

static const struct {
	const char *ip, *hex;
} rows[] = {
	{"198.18.0.1",
		"020000000041 020000000053 0806 0001 0800 0604 0001 020000000053 00000000 000000000000 c6120001"},
	{"2001:db8::1",
		"020000000041 020000000053 86dd 60000000 0020 3a ff fe800000000000000000"
		"00fffe000053 20010db8000000000000000000000001 8700 1c09 00000000"
		"20010db8000000000000000000000001 0101 020000000053"},
	{"fe80::a",
		"020000000041 020000000053 86dd 60000000 0020 3a ff fe800000000000000000"
		"00fffe000053 fe80000000000000000000000000000a 8700 7a67 00000000"
		"fe80000000000000000000000000000a 0101 020000000053"},
};

START_TEST(frames)
{
	struct frame_made want = {.len = 0};
	uint8_t out[PROBE_MAX];
	size_t len = probe_build(frame_mac('S'), frame_mac('A'), frame_ip(rows[_i].ip), out);

	frame_hex(&want, rows[_i].hex);
	ck_assert_uint_eq(len, want.len);
	ck_assert_mem_eq(out, want.b, len);
	/* What is asked so is read as what it is by those whose frames we judge. */
	ck_assert_int_eq(frame_classify(out, len, false),
		len == PROBE_MAX ? CLASS_NS_UNICAST : CLASS_ARP_UNICAST);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("probe");
	TCase *c = tcase_create("frames");

	tcase_add_loop_test(c, frames, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
