/* MAC, IP, prefix, RD, RT, ESI: text there and back, and what is refused. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/ip.h"
#include "lib/mac.h"
#include "lib/rd.h"

enum kind { MAC, IP, PREFIX, RD, RT, ESI };

/* out NULL: refused */
static const struct {
	enum kind kind;
	const char *in, *out;
} cases[] = {
	{MAC, "02:00:5e:00:00:01", "02:00:5e:00:00:01"},
	{MAC, "02-00-5E-00-00-01", "02:00:5e:00:00:01"},
	{MAC, "0200.5e00.0001", "02:00:5e:00:00:01"},
	{MAC, "02005e000001", "02:00:5e:00:00:01"},
	{MAC, "02:00:5e:00:00:0", NULL},
	{MAC, "02:00:5e:00:00:01:", NULL},
	{MAC, "02:00-5e:00:00:01", NULL},
	{MAC, "02:00:5e:00:00:0g", NULL},
	{MAC, "0200:5e00:0001", NULL},
	{MAC, "", NULL},
	{IP, "198.18.0.1", "198.18.0.1"},
	{IP, "2001:DB8:0:0::1", "2001:db8::1"},
	{IP, "::", "::"},
	{IP, "198.18.0", NULL},
	{IP, "198.18.0.256", NULL},
	{IP, "2001:db8::1%eth0", NULL},
	{IP, " 198.18.0.1", NULL},
	{PREFIX, "198.18.0.0/21", "198.18.0.0/21"},
	{PREFIX, "2001:db8:100::/64", "2001:db8:100::/64"},
	{PREFIX, "0.0.0.0/0", "0.0.0.0/0"},
	{PREFIX, "198.18.0.1/21", NULL},
	{PREFIX, "198.18.0.0/33", NULL},
	{PREFIX, "198.18.0.0/", NULL},
	{PREFIX, "198.18.0.0/+8", NULL},
	{PREFIX, "198.18.0.0", NULL},
	{RD, "65000:100", "65000:100"},
	{RD, "10.99.0.1:100", "10.99.0.1:100"},
	{RD, "4200000000:100", "4200000000:100"},
	{RD, "0x0005010203040506", "0x0005010203040506"},
	{RD, "65000:4294967295", "65000:4294967295"},
	{RD, "65000:4294967296", NULL},
	{RD, "4200000000:65536", NULL},
	{RD, "10.99.0.1:65536", NULL},
	{RD, "65000", NULL},
	{RD, "65000:", NULL},
	{RD, "65000:1x", NULL},
	{RT, "65000:268435556", "65000:268435556"},
	{RT, "10.99.0.1:1", "10.99.0.1:1"},
	{RT, "70000:1", "70000:1"},
	{RT, "0x0602aabbccddeeff", "0x0602aabbccddeeff"},
	{ESI, "00:11:22:33:44:55:66:77:88:99", "00:11:22:33:44:55:66:77:88:99"},
	{ESI, "00:11:22:33:44:55:66:77:88", NULL},
	{ESI, "00:11:22:33:44:55:66:77:88-99", NULL},
};

static int there_and_back(enum kind kind, const char *in, char *buf)
{
	struct mac mac;
	struct ip ip;
	struct prefix prefix;
	struct rd rd;
	struct rt rt;
	struct esi esi;
	int r = -EINVAL;

	switch (kind) {
	case MAC:
		if ((r = mac_parse(in, &mac)) == 0)
			mac_format(mac, buf);
		break;
	case IP:
		if ((r = ip_parse(in, &ip)) == 0)
			ip_format(ip, buf);
		break;
	case PREFIX:
		if ((r = prefix_parse(in, &prefix)) == 0)
			prefix_format(&prefix, buf);
		break;
	case RD:
		if ((r = rd_parse(in, &rd)) == 0)
			rd_format(rd, buf);
		break;
	case RT:
		if ((r = rt_parse(in, &rt)) == 0)
			rt_format(rt, buf);
		break;
	case ESI:
		if ((r = esi_parse(in, &esi)) == 0)
			esi_format(esi, buf);
		break;
	}
	return r;
}

START_TEST(text_there_and_back)
{
	char buf[PREFIX_TEXT];
	int r = there_and_back(cases[_i].kind, cases[_i].in, buf);

	if (cases[_i].out) {
		ck_assert_int_eq(r, 0);
		ck_assert_str_eq(buf, cases[_i].out);
	} else {
		ck_assert_int_lt(r, 0);
	}
}
END_TEST

START_TEST(prefix_holds)
{
	static const struct {
		const char *prefix, *ip;
		bool in;
	} rows[] = {
		{"198.18.0.0/21", "198.18.7.255", true},
		{"198.18.0.0/21", "198.18.8.0", false},
		{"0.0.0.0/0", "1.2.3.4", true},
		{"0.0.0.0/0", "::1", false},
		{"2001:db8:100::/64", "2001:db8:100::ffff", true},
		{"2001:db8:100::/64", "2001:db8:101::", false},
		{"198.18.0.1/32", "198.18.0.1", true},
		{"198.18.0.1/32", "198.18.0.0", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix p;
		struct ip ip;
		ck_assert_int_eq(prefix_parse(rows[i].prefix, &p), 0);
		ck_assert_int_eq(ip_parse(rows[i].ip, &ip), 0);
		ck_assert_int_eq(prefix_contains(&p, ip), rows[i].in);
	}
}
END_TEST

START_TEST(rt_patterns)
{
	static const struct {
		const char *pattern, *rt;
		bool matches;
	} rows[] = {
		{"65000:100", "65000:100", true},
		{"65000:100", "65001:100", false},
		{"*:100", "65000:100", true},
		{"*:100", "59905:268435556", true}, /* 1<<28 | 100 */
		{"*:100", "4200000001:100", true},
		{"*:100", "65000:101", false},
		{"*:100", "192.0.2.1:100", false},
		{"*:70000", "65000:70000", true},
		{"*:70000", "4200000001:4464", false}, /* its low 16 bits */
		{"*:100", "0x0602fde800000064", false},
		{"*:100", "0x0003fde800000064", false},
	};
	static const char *const wrong[] = {"*", "*:", "*:0", "*:16777216", "*:auto", "*:1x", "", "100", "**:1"};
	struct rt_pattern p;
	struct rt rt;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(rt_pattern_parse(rows[i].pattern, &p), 0);
		ck_assert_int_eq(rt_parse(rows[i].rt, &rt), 0);
		ck_assert_msg(rt_matches(&p, rt.b) == rows[i].matches, "%s %s", rows[i].pattern, rows[i].rt);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(rt_pattern_parse(wrong[i], &p) < 0, "%s", wrong[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lib/values");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, text_there_and_back, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, rt_patterns);
	tcase_add_test(tc, prefix_holds);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
