/* Who may be announced, by the registry: a row a question. Members: A with a MAC, a former one and three addresses behind
 * 10.99.0.1; B, whose MAC is at two ports, a move that is being prepared, behind 10.99.0.2 or 10.99.0.3; C anywhere; D whose MACs
 * nobody has written down; E behind a PE with two VTEPs. */
#include <check.h>
#include <stdlib.h>

#include "evpn/registered.h"

#define MAC(n) {{0x02, 0, 0x5e, 0, 0, (n)}}
#define A 0x01
#define A_FORMER 0x11
#define B 0x02
#define C 0x03
#define E 0x05
#define NOBODY 0x99

static const struct {
	const char *what;
	uint8_t mac;
	const char *ip, *vtep; /* NULL: the MAC alone */
	enum registered_verdict want;
} rows[] = {
	{"a MAC", A, NULL, "10.99.0.1", REGISTERED_FINE},
	{"a former MAC", A_FORMER, NULL, "10.99.0.1", REGISTERED_FINE},
	{"a MAC behind another PE", A, NULL, "10.99.0.2", REGISTERED_WRONG_PE},
	{"nobody's MAC", NOBODY, NULL, "10.99.0.1", REGISTERED_NOT_MAC},
	{"a binding", A, "198.18.0.1", "10.99.0.1", REGISTERED_FINE},
	{"of IPv6", A, "2001:db8:100::1", "10.99.0.1", REGISTERED_FINE},
	{"of a former MAC", A_FORMER, "198.18.0.1", "10.99.0.1", REGISTERED_FINE},
	{"behind another PE", A, "198.18.0.1", "10.99.0.2", REGISTERED_WRONG_PE},
	{"nobody's MAC, somebody's address", NOBODY, "198.18.0.1", "10.99.0.1", REGISTERED_NOT_MAC},
	{"nobody's address", A, "198.18.0.77", "10.99.0.1", REGISTERED_NOT_IP},
	{"nobody's MAC and address", NOBODY, "198.18.0.77", "10.99.0.1", REGISTERED_NOT_MAC},
	{"another's address", A, "198.18.0.2", "10.99.0.1", REGISTERED_WRONG_IP},
	{"another's address, behind its PE", A, "198.18.0.2", "10.99.0.2", REGISTERED_WRONG_IP},
	{"a MAC at two ports: one", B, NULL, "10.99.0.2", REGISTERED_FINE},
	{"the other", B, NULL, "10.99.0.3", REGISTERED_FINE},
	{"neither", B, NULL, "10.99.0.1", REGISTERED_WRONG_PE},
	{"its address is at the first still", B, "198.18.0.2", "10.99.0.2", REGISTERED_FINE},
	{"and not at the second", B, "198.18.0.2", "10.99.0.3", REGISTERED_WRONG_PE},
	{"anywhere", C, "198.18.0.3", "2001:db8:99::9", REGISTERED_FINE},
	{"anywhere, the MAC alone", C, NULL, "10.99.0.9", REGISTERED_FINE},
	{"a MAC that nobody wrote down", NOBODY, "198.18.0.4", "10.99.0.4", REGISTERED_FINE},
	{"but another's", A, "198.18.0.4", "10.99.0.1", REGISTERED_WRONG_IP},
	{"behind another PE than that", NOBODY, "198.18.0.4", "10.99.0.1", REGISTERED_WRONG_PE},
	{"two VTEPs", E, "198.18.0.5", "10.99.1.5", REGISTERED_FINE},
	{"two VTEPs, of IPv6", E, "198.18.0.5", "2001:db8:99::5", REGISTERED_FINE},
	{"the PE's router id is neither", E, "198.18.0.5", "10.99.0.5", REGISTERED_WRONG_PE},
	{"link-local, registered", A, "fe80::a", "10.99.0.1", REGISTERED_FINE},
	{"link-local, another's", C, "fe80::a", "10.99.0.1", REGISTERED_WRONG_IP},
	{"link-local, of its MAC", A, "fe80::5eff:fe00:1", "10.99.0.1", REGISTERED_FINE},
	{"link-local, of another's MAC", A, "fe80::5eff:fe00:2", "10.99.0.1", REGISTERED_WRONG_IP},
	{"link-local, of nobody's MAC", A, "fe80::5eff:fe00:99", "10.99.0.1", REGISTERED_FINE},
	{"link-local, behind another PE", A, "fe80::77", "10.99.0.2", REGISTERED_WRONG_PE},
	{"link-local, nobody's MAC", NOBODY, "fe80::77", "10.99.0.1", REGISTERED_NOT_MAC},
};

#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static struct ip ip_of(const char *text)
{
	struct ip ip = {0};

	if (text)
		ck_assert_int_eq(ip_parse(text, &ip), 0);
	return ip;
}

static void add(struct registered *r, const struct mac *macs, uint32_t mac_count, const char *const *ips,
	const char *const *vteps)
{
	struct registered_port p = {.macs = macs, .mac_count = mac_count};
	struct ip ip[4], vtep[4];

	for (; ips[p.ip_count]; p.ip_count++)
		ip[p.ip_count] = ip_of(ips[p.ip_count]);
	for (; vteps[p.vtep_count]; p.vtep_count++)
		vtep[p.vtep_count] = ip_of(vteps[p.vtep_count]);
	p.ips = ip;
	p.vteps = vtep;
	ck_assert_int_eq(registered_add(r, &p), 0);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(,) NULL})

static struct registered *books(void)
{
	static const struct mac a[] = {MAC(A), MAC(A_FORMER)}, b[] = {MAC(B)}, c[] = {MAC(C)}, e[] = {MAC(E)};
	struct registered *r = registered_new();

	ck_assert_ptr_nonnull(r);
	add(r, a, 2, LIST("198.18.0.1", "2001:db8:100::1", "fe80::a"), LIST("10.99.0.1"));
	add(r, b, 1, LIST("198.18.0.2"), LIST("10.99.0.2"));
	add(r, b, 1, LIST(), LIST("10.99.0.3"));
	add(r, c, 1, LIST("198.18.0.3"), LIST());
	add(r, NULL, 0, LIST("198.18.0.4"), LIST("10.99.0.4"));
	add(r, e, 1, LIST("198.18.0.5"), LIST("10.99.1.5", "2001:db8:99::5"));
	return r;
}

START_TEST(a_question)
{
	struct registered *r = books();
	struct mac mac = MAC(rows[_i].mac);

	ck_assert_msg(registered_judge(r, mac, ip_of(rows[_i].ip), ip_of(rows[_i].vtep)) == rows[_i].want, "%s",
		rows[_i].what);
	registered_free(r);
}
END_TEST

START_TEST(an_empty_one_has_nobody)
{
	struct registered *r = registered_new();

	ck_assert_int_eq(registered_judge(r, (struct mac)MAC(A), ip_of(NULL), ip_of("10.99.0.1")), REGISTERED_NOT_MAC);
	ck_assert_int_eq(
		registered_judge(r, (struct mac)MAC(A), ip_of("198.18.0.1"), ip_of("10.99.0.1")), REGISTERED_NOT_MAC);
	ck_assert_uint_eq(registered_macs(r) + registered_ips(r), 0);
	registered_free(r);
	registered_free(NULL);
}
END_TEST

START_TEST(how_many)
{
	struct registered *r = books();

	ck_assert_uint_eq(registered_macs(r), 5);
	ck_assert_uint_eq(registered_ips(r), 7);
	registered_free(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("registered");
	TCase *t = tcase_create("judge");

	tcase_add_loop_test(t, a_question, 0, ROWS);
	tcase_add_test(t, an_empty_one_has_nobody);
	tcase_add_test(t, how_many);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
