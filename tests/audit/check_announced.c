/* Rule 16: which UPDATEs of a captured session announce the peering LAN's prefix. */
#include <check.h>
#include <stdlib.h>

#include "world.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

static struct world w;

static void setup(void)
{
	world_make(&w);
}

#define TO_BGP "c000 00b3 00000001 00000001 5018 ffff 0000 0000 "
#define FROM_BGP "00b3 c000 00000001 00000001 5018 ffff 0000 0000 "
#define WITH_OPTIONS "c000 00b3 00000001 00000001 8018 ffff 0000 0000 0101080a 00000001 00000002 "
#define MARKER "ffffffff ffffffff ffffffff ffffffff "
#define KEEPALIVE MARKER "0013 04 "
/* ORIGIN, an empty AS_PATH, NEXT_HOP: 14 octets */
#define ATTRS "40 01 01 00  40 02 00  40 03 04 c6120001 "
#define LAN4 MARKER "0029 02 0000 000e " ATTRS "18 c61200 "
#define PART4 MARKER "002a 02 0000 000e " ATTRS "19 c6120080 "
#define COVER4 MARKER "0028 02 0000 000e " ATTRS "0f c612 "
#define OTHER4 MARKER "0029 02 0000 000e " ATTRS "18 c63364 "
#define TWO4 MARKER "002d 02 0000 000e " ATTRS "18 c63364 18 c61200 "
#define WITHDRAWN4 MARKER "001b 02 0004 18 c61200 0000 "
/* MP_REACH_NLRI: IPv6 unicast, next hop 2001:db8::1 */
#define NH6 "0002 01 10 20010db8000000000000000000000001 00 "
#define LAN6 MARKER "0038 02 0000 0021 80 0e 1e " NH6 "40 20010db800000000 "
#define LAN6_LONG MARKER "0039 02 0000 0022 90 0e 001e " NH6 "40 20010db800000000 "
#define OTHER6 MARKER "0036 02 0000 001f 80 0e 1c " NH6 "30 20010db80001 "
#define EVPN MARKER "0027 02 0000 0010 80 0e 0d 0019 46 04 c6120001 00 18 c61200 "

#define HEX4(x) IP4(.dst = 'R', .op = 6, .from = "198.18.0.1", .to = "198.18.0.9", .hex = x)
#define HEX6(x) IP6(.dst = 'R', .op = 6, .from = "2001:db8::1", .to = "2001:db8::9", .hex = x)

static const struct {
	const char *name;
	enum audit_verdict verdict;
	struct frame_spec frame;
} updates[] = {
	{"the LAN's prefix", AUDIT_FAIL, HEX4(TO_BGP LAN4)},
	{"by the side that was called", AUDIT_FAIL, HEX4(FROM_BGP LAN4)},
	{"behind TCP options", AUDIT_FAIL, HEX4(WITH_OPTIONS LAN4)},
	{"a part of it", AUDIT_FAIL, HEX4(TO_BGP PART4)},
	{"behind another prefix", AUDIT_FAIL, HEX4(TO_BGP TWO4)},
	{"behind other messages", AUDIT_FAIL, HEX4(TO_BGP KEEPALIVE OTHER4 LAN4)},
	{"behind the end of a message", AUDIT_FAIL, HEX4(TO_BGP "0102 0304 ffff 05" LAN4)},
	{"IPv6", AUDIT_FAIL, HEX6(TO_BGP LAN6)},
	{"IPv6, extended length", AUDIT_FAIL, HEX6(TO_BGP LAN6_LONG)},
	{"IPv6 in an IPv4 session", AUDIT_FAIL, HEX4(TO_BGP LAN6)},
	{"from a link-local address", AUDIT_FAIL,
		IP6(.dst = 'R', .op = 6, .from = "fe80::a", .to = "fe80::9", .hex = TO_BGP LAN6)},
	{"another prefix", AUDIT_PASS, HEX4(TO_BGP OTHER4)},
	{"one that covers it", AUDIT_PASS, HEX4(TO_BGP COVER4)},
	{"another IPv6 prefix", AUDIT_PASS, HEX6(TO_BGP OTHER6)},
	{"withdrawn", AUDIT_NOT_SEEN, HEX4(TO_BGP WITHDRAWN4)},
	{"a keepalive", AUDIT_NOT_SEEN, HEX4(TO_BGP KEEPALIVE)},
	{"nothing but TCP", AUDIT_NOT_SEEN, HEX4(TO_BGP)},
	{"EVPN", AUDIT_NOT_SEEN, HEX4(TO_BGP EVPN)},
	{"a session of others through the member's router", AUDIT_NOT_SEEN,
		IP4(.dst = 'R', .op = 6, .from = "203.0.113.1", .to = "198.18.0.9", .hex = TO_BGP LAN4)},
	{"another port", AUDIT_NOT_SEEN,
		HEX4("c000 0050 00000001 00000001 5018 ffff 0000 0000 " LAN4)},
	{"UDP", AUDIT_NOT_SEEN,
		IP4(.dst = 'R', .op = 17, .from = "198.18.0.1", .to = "198.18.0.9", .hex = TO_BGP LAN4)},
	{"a later fragment", AUDIT_NOT_SEEN,
		IP4(.dst = 'R', .op = 6, .from = "198.18.0.1", .to = "198.18.0.9", .fragment = 100, .hex = TO_BGP LAN4)},
	{"a message that ends behind its segment", AUDIT_NOT_SEEN, HEX4(TO_BGP MARKER "1000 02 0000 000e " ATTRS "18 c61200")},
	{"a prefix of 33 bits", AUDIT_NOT_SEEN, HEX4(TO_BGP MARKER "0029 02 0000 000e " ATTRS "21 c61200")},
	{"attributes longer than the message", AUDIT_NOT_SEEN, HEX4(TO_BGP MARKER "0029 02 0000 00ff " ATTRS "18 c61200")},
	{"a message shorter than its header", AUDIT_NOT_SEEN, HEX4(TO_BGP MARKER "0012 02 0000 000e " ATTRS "18 c61200")},
};

static enum audit_verdict verdict_of(const struct audit *a, uint32_t asn)
{
	return world_member(a, asn)->rules[AUDIT_RULE_PREFIX].verdict;
}

START_TEST(each_update)
{
	struct audit *a = audit_new(&w.config);

	world_send(a, "swp1", AUDIT_SENT, &updates[_i].frame, 0);
	audit_close(a);
	const struct audit_member *m = world_member(a, 64500);
	ck_assert_msg(verdict_of(a, 64500) == updates[_i].verdict, "%s: %s", updates[_i].name,
		audit_verdict_name(verdict_of(a, 64500)));
	ck_assert(m->pass == (updates[_i].verdict != AUDIT_FAIL));
	for (int r = 1; r < RULE_COUNT; r++)
		ck_assert_msg(m->rules[r].verdict != AUDIT_FAIL, "%s: rule %d", updates[_i].name, r);
	ck_assert_int_eq(verdict_of(a, 64501), AUDIT_NOT_SEEN);
	audit_free(a);
}
END_TEST

/* However short the capture cut it, or the sender made it: nothing beyond is read, and no other breach comes of it. */
START_TEST(every_truncation)
{
	struct frame_made m = frame_make(&updates[_i].frame);

	for (size_t len = 0; len < m.len; len++) {
		struct audit *a = audit_new(&w.config);
		uint8_t *exact = malloc(len ? len : 1);
		ck_assert(exact && a);
		memcpy(exact, m.b, len);
		audit_frame(a, audit_port_add(a, "swp1"), AUDIT_SENT, exact, len, m.len, WORLD_NS);
		audit_close(a);
		ck_assert(verdict_of(a, 64500) == AUDIT_NOT_SEEN || updates[_i].verdict != AUDIT_NOT_SEEN);
		audit_free(a);
		free(exact);
	}
}
END_TEST

/* What the exchange's route server sends to a member is not the member's. */
START_TEST(received)
{
	static const struct frame_spec theirs =
		IP4(.src = 'R', .dst = 'A', .op = 6, .from = "198.18.0.9", .to = "198.18.0.1", .hex = FROM_BGP LAN4);
	struct audit *a = audit_new(&w.config);

	world_send(a, "swp1", AUDIT_RECEIVED, &theirs, 0);
	audit_close(a);
	ck_assert_int_eq(verdict_of(a, 64500), AUDIT_NOT_SEEN);
	ck_assert_int_eq(verdict_of(a, 64511), AUDIT_FAIL);
	audit_free(a);
}
END_TEST

START_TEST(without_prefixes)
{
	struct audit *a;

	w.config.prefix_count = 0;
	a = audit_new(&w.config);
	world_send(a, "swp1", AUDIT_SENT, &updates[0].frame, 0);
	audit_close(a);
	ck_assert_int_eq(verdict_of(a, 64500), AUDIT_NOT_SEEN);
	audit_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("announced");
	TCase *t = tcase_create("announced");
	int updates_count = sizeof(updates) / sizeof(updates[0]);

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, each_update, 0, updates_count);
	tcase_add_loop_test(t, every_truncation, 0, updates_count);
	tcase_add_test(t, received);
	tcase_add_test(t, without_prefixes);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
