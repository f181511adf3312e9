/* What a LAN takes from the RIB, and what it does not: who is where, told in words (see world.h). We are 10.99.0.2. */
#include "tests/evpn/one_lan.h"

/* --- learning from others --- */

START_TEST(mac_and_binding_come_and_go)
{
	SAYS(ls, "10.99.0.1", 1);
	HAPPENED("mac 1 -> 10.99.0.1\n");
	SAYS(ls, "10.99.0.1", 1, ".1");
	HAPPENED("bind .1 -> 1 10.99.0.1\n");
	SAYS(ls, "10.99.0.1", 1, "::1");
	HAPPENED("bind ::1 -> 1 10.99.0.1 R O\n");
	SAYS(ls, "10.99.0.1", 1, "::1");
	HAPPENED("");
	/* RFC 7432 section 10: MAC/IP gone, the MAC stays. */
	UNSAYS(ls, "10.99.0.1", 1, ".1");
	HAPPENED("bind .1 -> gone\n");
	UNSAYS(ls, "10.99.0.1", 1);
	HAPPENED("");
	UNSAYS(ls, "10.99.0.1", 1, "::1");
	HAPPENED("mac 1 -> gone\nbind ::1 -> gone\n");
	UNSAYS(ls, "10.99.0.1", 1, "::1");
	HAPPENED("");
	ck_assert_uint_eq(stats().macs_remote, 0);
}
END_TEST

START_TEST(macip_alone_gives_the_mac)
{
	SAYS(ls, "10.99.0.1", 1, ".1");
	HAPPENED("mac 1 -> 10.99.0.1\nbind .1 -> 1 10.99.0.1\n");
	SAYS(ls, "10.99.0.1", 1);
	UNSAYS(ls, "10.99.0.1", 1);
	HAPPENED("");
	ck_assert_uint_eq(stats().bindings_remote, 1);
}
END_TEST

/* RFC 9047 section 3.2. */
START_TEST(arp_nd_flags)
{
	SAYS(ls, "10.99.0.1", 1, "::1", ND_R);
	HAPPENED("mac 1 -> 10.99.0.1\nbind ::1 -> 1 10.99.0.1 R\n");
	SAYS(ls, "10.99.0.1", 1, "::1", "0608040000000000"); /* FRR's 0x04 */
	HAPPENED("bind ::1 -> 1 10.99.0.1\n");
	SAYS(ls, "10.99.0.1", 1, "::1", ND_I ND_ROI);
	HAPPENED("bind ::1 -> 1 10.99.0.1 I\n");
	SAYS(ls, "10.99.0.1", 1, "::1");
	HAPPENED("bind ::1 -> 1 10.99.0.1 R O\n");
	SAYS(ls, "10.99.0.1", 1, ".1", ND_ROI); /* IPv4: I alone */
	HAPPENED("bind .1 -> 1 10.99.0.1 I\n");
	SAYS(ls, "10.99.0.1", 2, NULL, ND_ROI); /* no IP: nothing */
	HAPPENED("mac 2 -> 10.99.0.1\n");
}
END_TEST

/* RFC 9047 section 3.2: who says nothing of R is what the operator says. */
START_TEST(no_arp_nd_community)
{
	struct lan_config c = *lan_config(lan);

	c.assume_host = true;
	ck_assert(lan_change(lan, &c)); /* the routes are to come again */
	SAYS(ls, "10.99.0.1", 1, "::1");
	HAPPENED("mac 1 -> 10.99.0.1\nbind ::1 -> 1 10.99.0.1 O\n");
	SAYS(ls, "10.99.0.1", 1, "::1", ND_R);
	HAPPENED("bind ::1 -> 1 10.99.0.1 R\n");
}
END_TEST

START_TEST(choice_across_rds)
{
	SAYS(ls, "10.99.0.9", 1);
	HAPPENED("mac 1 -> 10.99.0.9\n");
	SAYS(ls, "10.99.0.3", 1); /* same sequence: the lower VTEP */
	HAPPENED("mac 1 -> 10.99.0.3\n");
	SAYS(ls, "10.99.0.9", 1, NULL, MM1);
	HAPPENED("mac 1 -> 10.99.0.9 seq 1\n");
	SAYS(ls, "10.99.0.5", 1, NULL, STICKY);
	HAPPENED("mac 1 -> 10.99.0.5 sticky\n");
	SAYS(ls, "10.99.0.9", 1, NULL, MM_MAX);
	HAPPENED("! a MAC's mobility sequence is at its end\n");
	UNSAYS(ls, "10.99.0.5", 1);
	HAPPENED("mac 1 -> 10.99.0.9 seq 4294967295\n");
	UNSAYS(ls, "10.99.0.9", 1); /* a lower sequence after a withdrawal is legal */
	HAPPENED("mac 1 -> 10.99.0.3\n");
	ck_assert_uint_eq(stats().moves, 5);
	SAYS(ls, "10.99.0.4", 1, NULL, STICKY);
	HAPPENED("mac 1 -> 10.99.0.4 sticky\n");
	SAYS(ls, "10.99.0.5", 1, NULL, STICKY);
	HAPPENED("! a MAC is sticky behind two PEs\n");
	SAYS(ls, "10.99.0.6", 1, NULL, STICKY);
	HAPPENED(""); /* told once while it lasts */
}
END_TEST

START_TEST(stale_yields_to_fresh)
{
	SAYS(ls, "10.99.0.1", 1, .stale = true);
	HAPPENED("mac 1 -> 10.99.0.1 stale\n");
	SAYS(ls, "10.99.0.3", 1);
	HAPPENED("mac 1 -> 10.99.0.3\n");
	SAYS(ls, "10.99.0.1", 1);
	HAPPENED("mac 1 -> 10.99.0.1\n");
}
END_TEST

START_TEST(one_ip_two_macs)
{
	SAYS(ls, "10.99.0.1", 1, ".1");
	HAPPENED("mac 1 -> 10.99.0.1\nbind .1 -> 1 10.99.0.1\n");
	SAYS(ls, "10.99.0.3", 2, ".1"); /* the latest */
	HAPPENED("mac 2 -> 10.99.0.3\n! an IP is bound to two MACs\nbind .1 -> 2 10.99.0.3\n");
	SAYS(ls, "10.99.0.1", 1, ".1", MM1); /* its MAC moved; the IP is no later for it */
	HAPPENED("mac 1 -> 10.99.0.1 seq 1\n");
	SAYS(ls, "10.99.0.1", 1, ".1", MM1 ND_I); /* RFC 9047: immutable wins */
	HAPPENED("! an immutable binding's IP is claimed by another MAC\nbind .1 -> 1 10.99.0.1 "
		 "seq 1 I\n");
	SAYS(ls, "10.99.0.3", 2, ".1",
		MM2); /* even against a higher sequence; the MAC still goes in */
	HAPPENED("mac 2 -> 10.99.0.3 seq 2\n");
	SAYS(ls, "10.99.0.3", 2, ".1", ND_I); /* two immutable: the latest, and an alarm */
	HAPPENED("mac 2 -> 10.99.0.3\n! an IP is bound to two MACs, both immutably\nbind .1 -> 2 "
		 "10.99.0.3 I\n");
	UNSAYS(ls, "10.99.0.3", 2, ".1");
	HAPPENED("mac 2 -> gone\nbind .1 -> 1 10.99.0.1 seq 1 I\n");
}
END_TEST

/* --- what is not taken --- */

START_TEST(refused)
{
	static const struct {
		struct says s;
		const char *why;
	} rows[] = {
		{{"10.99.0.1", 0x0100, .rt = "65000:101"}, NULL},
		{{"10.99.0.1", 1, .rt = "65001:100"}, NULL},
		{{"10.99.0.2", 1}, "! a route whose next hop is our own VTEP\n"},
		{{"0.0.0.0", 1}, "! a route whose next hop is no VTEP\n"},
		{{"224.0.0.1", 1}, "! a route whose next hop is no VTEP\n"},
		{{"127.0.0.1", 1}, "! a route whose next hop is no VTEP\n"},
		{{"10.99.0.1", 1, "0.0.0.0"}, "! a type-2 route of an IP that no host has\n"},
		{{"10.99.0.1", 1, "255.255.255.255"},
			"! a type-2 route of an IP that no host has\n"},
		{{"10.99.0.1", 1, "239.1.1.1"}, "! a type-2 route of an IP that no host has\n"},
		{{"10.99.0.1", 1, "127.0.0.1"}, "! a type-2 route of an IP that no host has\n"},
		{{"10.99.0.1", 1, "ff02::1"}, "! a type-2 route of an IP that no host has\n"},
		{{"10.99.0.1", 1, .ecoms = "030c00000000000a"},
			"! a route for an encapsulation other than VXLAN\n"},
		{{"10.99.0.1", 1, .tag = 7}, "! a route with another Ethernet tag\n"},
	};
	uint64_t not_imported = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		macip_send(ls, rows[i].s, true);
		HAPPENED(rows[i].why ? rows[i].why : "");
		not_imported += rows[i].why != NULL;
	}
	ck_assert_uint_eq(stats().not_imported, not_imported);
	ck_assert_uint_eq(stats().macs_remote, 0);
}
END_TEST

START_TEST(group_and_zero_macs_are_refused)
{
	static const struct mac macs[] = {
		{{0}}, {{1, 0, 0x5e, 0, 0, 1}}, {{255, 255, 255, 255, 255, 255}}};

	for (size_t i = 0; i < 3; i++) {
		struct evpn_route r = {.type = EVPN_MACIP, .mac = macs[i]};
		struct attrs a = {0};
		route_send(ls, &r, &(struct says){.from = "10.99.0.1"}, &a, true);
		HAPPENED("! a type-2 route of a group or zero MAC\n");
	}
}
END_TEST

/* A route that turns unfit or foreign takes away what it said before. */
START_TEST(turns_unfit)
{
	SAYS(ls, "10.99.0.1", 1, ".1");
	SAYS(ls, "10.99.0.1", 2);
	said[0] = '\0';
	SAYS(ls, "10.99.0.1", 1, ".1", .rt = "65000:7");
	HAPPENED("mac 1 -> gone\nbind .1 -> gone\n");
	SAYS(ls, "10.99.0.1", 2, .ecoms = "030c00000000000a");
	HAPPENED("mac 2 -> gone\n! a route for an encapsulation other than VXLAN\n");
}
END_TEST

START_TEST(odd_but_taken)
{
	SAYS(ls, "10.99.0.1", 1, .label = 1600);
	HAPPENED("! a route's label is not this LAN's VNI\nmac 1 -> 10.99.0.1 vni 1600\n");
	ck_assert_uint_eq(stats().foreign_vni, 1);
	SAYS(ls, "10.99.0.1", 2, .ecoms = "030d000000000000");
	HAPPENED("! a default gateway in a LAN that has none\nmac 2 -> 10.99.0.1\n");
	SAYS(ls, "10.99.0.1", 3, .tag = VNI);
	HAPPENED("mac 3 -> 10.99.0.1\n");
}
END_TEST

START_TEST(automatic_route_targets)
{
	static const struct {
		const char *rt;
		bool imported;
	} rows[] = {
		{"65000:100", true},
		{"1:100", true},
		{"65001:268435556", true}, /* RFC 8365 section 5.1.2.1 */
		{"65001:268435557", false},
		{"65001:101", false},
		{"65001:536871012", false}, /* another kind than VXLAN */
		{"4200000000:100", true},
		{"192.0.2.1:100", false},
	};
	struct lan_config c = world_config();
	struct lan *other;

	snprintf(c.name, sizeof(c.name), "auto");
	c.import_count = 0;
	c.import_auto = true;
	struct lans *autos = world_new(&c, &other);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SAYS(autos, "10.99.0.1", 1, .rt = rows[i].rt);
		HAPPENED(rows[i].imported ? "mac 1 -> 10.99.0.1\n" : "");
		UNSAYS(autos, "10.99.0.1", 1);
		said[0] = '\0';
	}
	lans_free(autos);
}
END_TEST

START_TEST(tables_have_limits)
{
	struct lan_config c = world_config();

	snprintf(c.name, sizeof(c.name), "small");
	c.max_macs = 3;
	c.max_bindings = 2;
	struct lans *few = world_new(&c, &lan);
	for (unsigned i = 1; i <= 3; i++)
		SAYS(few, "10.99.0.1", i);
	said[0] = '\0';
	SAYS(few, "10.99.0.1", 4);
	HAPPENED("! a table is full: routes are refused\n");
	SAYS(few, "10.99.0.1", 5);
	HAPPENED("");
	ck_assert_uint_eq(stats().refused_full, 2);
	SAYS(few, "10.99.0.3", 3, NULL, MM1); /* one that is there may move */
	HAPPENED("mac 3 -> 10.99.0.3 seq 1\n");
	UNSAYS(few, "10.99.0.1", 1);
	SAYS(few, "10.99.0.1", 4);
	HAPPENED("mac 1 -> gone\nmac 4 -> 10.99.0.1\n");
	SAYS(few, "10.99.0.1", 4, ".1");
	SAYS(few, "10.99.0.1", 4, ".2");
	said[0] = '\0';
	SAYS(few, "10.99.0.1", 4, ".3");
	HAPPENED("! a table is full: routes are refused\n");
	/* Ours have a limit of their own, of MACs and bindings together. */
	for (unsigned i = 1; i <= 5; i++)
		ck_assert_int_eq(lan_local_add(lan, mac_n(100 + i), (struct ip){0}, 0, false), 0);
	ck_assert_int_eq(lan_local_add(lan, mac_n(200), (struct ip){0}, 0, false), -ENOSPC);
	lans_free(few);

	/* One MAC from ever more RDs. */
	for (unsigned i = 1; i < 1000; i++) {
		char vtep[16];
		snprintf(vtep, sizeof(vtep), "10.98.%u.%u", i >> 8, i & 255);
		SAYS(ls, vtep, 9, ".9");
	}
	said[0] = '\0';
	lan = lans_find(ls, "ixp");
	ck_assert_uint_eq(stats().macs_remote, 1);
	ck_assert_uint_gt(stats().refused_full, 800);
}
END_TEST

/* --- floods --- */

START_TEST(flood_list)
{
	imet_send(ls, "10.99.0.1", "00 06 000064 0a630001", true);
	HAPPENED("flood 10.99.0.1 +\n");
	imet_send(ls, "10.99.0.1", "00 06 000064 0a630001", true);
	HAPPENED("");
	imet_send(ls, "10.99.0.3", "00 06 000064 0a630001", true); /* the same end, another RD */
	HAPPENED("");
	imet_send(ls, "10.99.0.1", NULL, false);
	HAPPENED("");
	imet_send(ls, "10.99.0.3", "00 06 000064 0a630003", true);
	HAPPENED("flood 10.99.0.1 -\nflood 10.99.0.3 +\n");
	imet_send(ls, "10.99.0.4", "00 06 000064", true); /* no address: the next hop */
	HAPPENED("flood 10.99.0.4 +\n");
	imet_send(ls, "10.99.0.5", "00 06 000064 20010db8000000000000000000000005", true);
	HAPPENED("flood 2001:db8::5 +\n");
	ck_assert_uint_eq(stats().vteps, 3);
	imet_send(ls, "10.99.0.3", "00 00 000000", true);
	HAPPENED("! a type-3 route with another tunnel than ingress replication\nflood 10.99.0.3 "
		 "-\n");
	imet_send(ls, "10.99.0.4", NULL, true);
	HAPPENED("! a type-3 route without a usable PMSI tunnel attribute\nflood 10.99.0.4 -\n");
	imet_send(ls, "10.99.0.6", "00 06 000064 0a630002", true);
	HAPPENED("! a type-3 route whose tunnel does not end at another PE\n");
	imet_send(ls, "10.99.0.6", "00 06 0000", true);
	HAPPENED("! a type-3 route without a usable PMSI tunnel attribute\n");
}
END_TEST

/* Types that make no LAN, and keys that are none. */
START_TEST(not_for_lans)
{
	static const uint8_t opaque[] = {200, 1, 2, 3}, short_key[] = {2, 1};
	struct attrs a = {0};
	struct evpn_route r = {.type = EVPN_AD};
	struct nlri n;

	evpn_nlri_pack(&r, &n);
	lans_route(ls, n.key, n.key_len, n.payload, n.payload_len, &a, false);
	lans_route(ls, opaque, sizeof(opaque), NULL, 0, &a, false);
	lans_route(ls, short_key, sizeof(short_key), NULL, 0, &a, false);
	lans_route(ls, opaque, 0, NULL, 0, NULL, false);
	HAPPENED("");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/lan_import");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(tc, up, down);
	tcase_add_test(tc, mac_and_binding_come_and_go);
	tcase_add_test(tc, macip_alone_gives_the_mac);
	tcase_add_test(tc, arp_nd_flags);
	tcase_add_test(tc, no_arp_nd_community);
	tcase_add_test(tc, choice_across_rds);
	tcase_add_test(tc, stale_yields_to_fresh);
	tcase_add_test(tc, one_ip_two_macs);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, group_and_zero_macs_are_refused);
	tcase_add_test(tc, turns_unfit);
	tcase_add_test(tc, odd_but_taken);
	tcase_add_test(tc, automatic_route_targets);
	tcase_add_test(tc, tables_have_limits);
	tcase_add_test(tc, flood_list);
	tcase_add_test(tc, not_for_lans);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
