/* The LAN's table: who is where, told in words (see world.h). We are 10.99.0.2. */
#include "tests/evpn/world.h"

#include <errno.h>

#define MM1 "0600000000000001"
#define MM2 "0600000000000002"
#define MM_MAX "06000000ffffffff"
#define STICKY "0600010000000000"
#define ND_R "0608010000000000"
#define ND_I "0608080000000000"
#define ND_ROI "06080b0000000000"

static struct lans *ls;
static struct lan *lan;

static void up(void)
{
	struct lan_config c = world_config();

	ls = world_new(&c, &lan);
}

static void down(void)
{
	lans_free(ls);
}

static int add(unsigned mac, const char *ip, uint8_t flags, bool claim)
{
	return lan_local_add(lan, mac_n(mac), ip_of(ip), flags, claim);
}

static struct lan_stats stats(void)
{
	struct lan_stats s;

	lan_stats(lan, &s);
	return s;
}

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

/* --- ours --- */

START_TEST(ours_go_out)
{
	ck_assert_int_eq(add(1, NULL, 0, true), 0);
	HAPPENED("mac 1 -> here\nsay 2 1\n");
	ck_assert_int_eq(add(1, ".1", LAN_ROUTER | LAN_OVERRIDE, true), 0);
	HAPPENED("bind .1 -> 1 here\nsay 2 1 .1\n");
	ck_assert_int_eq(add(1, "::1", LAN_ROUTER | LAN_OVERRIDE, true), 0);
	HAPPENED("bind ::1 -> 1 here R O\nsay 2 1 ::1 ND:RO\n");
	ck_assert_int_eq(add(1, "::1", LAN_ROUTER | LAN_OVERRIDE, false), 0);
	HAPPENED("");
	ck_assert_int_eq(add(1, "::1", LAN_OVERRIDE, false), 0);
	HAPPENED("bind ::1 -> 1 here O\nsay 2 1 ::1 ND:O\n");
	ck_assert_int_eq(add(1, ".1", LAN_IMMUTABLE, false), 0);
	HAPPENED("bind .1 -> 1 here I\nsay 2 1 .1 ND:I\n");
	ck_assert_int_eq(lan_local_del(lan, mac_n(1), ip_of(".1")), 0);
	HAPPENED("unsay 2 1 .1\nbind .1 -> gone\n");
	ck_assert_int_eq(lan_local_del(lan, mac_n(1), ip_of(".1")), -ENOENT);
	ck_assert_int_eq(lan_local_del(lan, mac_n(1), (struct ip){0}), 0);
	HAPPENED(""); /* the binding still holds the MAC */
	ck_assert_int_eq(lan_local_del(lan, mac_n(1), ip_of("::1")), 0);
	HAPPENED("unsay 2 1 ::1\nmac 1 -> gone\nunsay 2 1\nbind ::1 -> gone\n");
	ck_assert_uint_eq(stats().macs_local, 0);
}
END_TEST

START_TEST(binding_alone_says_the_mac_too)
{
	add(1, ".1", 0, true);
	HAPPENED("mac 1 -> here\nbind .1 -> 1 here\nsay 2 1 .1\nsay 2 1\n");
	/* The IP is another MAC's now. */
	add(2, ".1", 0, true);
	HAPPENED("unsay 2 1 .1\nmac 1 -> gone\nunsay 2 1\nbind .1 -> gone\n"
		 "mac 2 -> here\nbind .1 -> 2 here\nsay 2 2 .1\nsay 2 2\n");
	ck_assert_int_eq(lan_local_del(lan, mac_n(1), ip_of(".1")), -ENOENT);
	HAPPENED("");
}
END_TEST

START_TEST(ours_are_checked)
{
	ck_assert_int_eq(add(0, NULL, 0, true), 0); /* 02:00:5e:00:00:00 is a host's */
	ck_assert_int_eq(lan_local_add(lan, (struct mac){{0}}, (struct ip){0}, 0, true), -EINVAL);
	ck_assert_int_eq(
		lan_local_add(lan, (struct mac){{1, 2, 3, 4, 5, 6}}, (struct ip){0}, 0, true),
		-EINVAL);
	ck_assert_int_eq(add(1, "0.0.0.0", 0, true), -EINVAL);
	ck_assert_int_eq(add(1, "ff02::1", 0, true), -EINVAL);
	struct lan_config c = world_config();
	c.originates = false;
	snprintf(c.name, sizeof(c.name), "rs");
	ck_assert_int_eq(lans_add(ls, &c, &lan), 0);
	ck_assert_int_eq(add(1, NULL, 0, true), -EINVAL);
	ck_assert_int_eq(lans_add(ls, &c, &lan), -EEXIST);
}
END_TEST

/* --- moves --- */

START_TEST(moves_away_and_back)
{
	add(1, NULL, 0, true);
	add(1, ".1", 0, true);
	said[0] = '\0';
	SAYS(ls, "10.99.0.3", 1, NULL, MM1);
	HAPPENED("mac 1 -> 10.99.0.3 seq 1\nbind .1 -> gone\nunsay 2 1 .1\nunsay 2 1\n");
	ck_assert_uint_eq(stats().macs_held, 1);
	SAYS(ls, "10.99.0.3", 1, ".1", MM1);
	HAPPENED("bind .1 -> 1 10.99.0.3 seq 1\n");
	/* Named again without having been seen: remembered. */
	ck_assert_int_eq(add(1, ".1", 0, false), 0);
	HAPPENED("");
	/* Seen here. */
	ck_assert_int_eq(add(1, ".1", 0, true), 0);
	HAPPENED("mac 1 -> here seq 2\nbind .1 -> 1 here seq 2\nsay 2 1 .1 MM:2\nsay 2 1 MM:2\n");
	/* The other PE gives way, as FRR does. */
	UNSAYS(ls, "10.99.0.3", 1);
	UNSAYS(ls, "10.99.0.3", 1, ".1");
	HAPPENED("");
	ck_assert_int_eq(add(1, ".1", 0, true), 0);
	HAPPENED("");
	ck_assert_uint_eq(stats().moves, 2);
}
END_TEST

START_TEST(remembered_goes_out_when_the_other_is_gone)
{
	SAYS(ls, "10.99.0.3", 1, ".1", MM1);
	said[0] = '\0';
	ck_assert_int_eq(add(1, ".1", 0, false), 0);
	HAPPENED("");
	UNSAYS(ls, "10.99.0.3", 1, ".1");
	HAPPENED(
		"mac 1 -> here seq 1\nbind .1 -> 1 here seq 1\nsay 2 1 .1 MM:1\nsay 2 1 MM:1\n"); /* no gap */
}
END_TEST

/* The same sequence: the lower VTEP stands (RFC 7432 section 15). */
START_TEST(same_sequence)
{
	add(1, NULL, 0, true);
	said[0] = '\0';
	SAYS(ls, "10.99.0.3", 1);
	HAPPENED("");
	SAYS(ls, "10.99.0.1", 1);
	HAPPENED("mac 1 -> 10.99.0.1\nunsay 2 1\n");
	UNSAYS(ls, "10.99.0.1", 1); /* .3 is still there, and we only remember */
	HAPPENED("mac 1 -> 10.99.0.3\n");
	UNSAYS(ls, "10.99.0.3", 1);
	HAPPENED("mac 1 -> here\nsay 2 1\n");
}
END_TEST

START_TEST(first_seen_here_though_remote)
{
	SAYS(ls, "10.99.0.1", 1);
	said[0] = '\0';
	ck_assert_int_eq(add(1, NULL, 0, true), 0);
	HAPPENED("mac 1 -> here seq 1\nsay 2 1 MM:1\n");
}
END_TEST

START_TEST(sticky_elsewhere)
{
	SAYS(ls, "10.99.0.3", 1, NULL, STICKY);
	said[0] = '\0';
	ck_assert_int_eq(add(1, NULL, 0, true), -EPERM);
	HAPPENED("! a MAC that is sticky behind another PE is also here\n");
	ck_assert_int_eq(add(1, NULL, 0, true), -EPERM);
	HAPPENED("");
	UNSAYS(ls, "10.99.0.3", 1);
	HAPPENED("mac 1 -> here\nsay 2 1\n");
}
END_TEST

START_TEST(sticky_here)
{
	add(1, NULL, LAN_STICKY, false);
	add(1, ".1", LAN_IMMUTABLE, false);
	HAPPENED("mac 1 -> here sticky\nsay 2 1 MM:0,sticky\nbind .1 -> 1 here I\nsay 2 1 .1 "
		 "MM:0,sticky ND:I\n");
	SAYS(ls, "10.99.0.1", 1, NULL, MM1);
	HAPPENED("! another PE claims a MAC that is sticky here\n");
	SAYS(ls, "10.99.0.1", 1, NULL, STICKY);
	HAPPENED("! a MAC is sticky here and behind another PE\n");
	UNSAYS(ls, "10.99.0.1", 1);
	HAPPENED("");
	/* The operator unties it. */
	ck_assert_int_eq(add(1, NULL, 0, false), 0);
	HAPPENED("mac 1 -> here\nsay 2 1 .1 ND:I\nsay 2 1\n");
}
END_TEST

/* A MAC that is remote and dynamic is taken by a provisioned one at once. */
START_TEST(sticky_takes)
{
	SAYS(ls, "10.99.0.1", 1, ".1", MM2);
	said[0] = '\0';
	ck_assert_int_eq(add(1, NULL, LAN_STICKY, false), 0);
	HAPPENED("! another PE claims a MAC that is sticky here\nmac 1 -> here sticky\nsay 2 1 "
		 "MM:0,sticky\n");
}
END_TEST

#define MM0 "0600000000000000"
#define MM300 "060000000000012c"
#define AT_ITS_END "! a MAC's mobility sequence is at its end\n"

/* RFC 7432 section 15: behind the last sequence is 0, and it is said. */
START_TEST(sequence_wraps)
{
	SAYS(ls, "10.99.0.1", 1, NULL, MM_MAX);
	HAPPENED(AT_ITS_END "mac 1 -> 10.99.0.1 seq 4294967295\n");
	add(1, NULL, 0, true);
	HAPPENED("mac 1 -> here\nsay 2 1 MM:0\n");
	SAYS(ls, "10.99.0.3", 1, NULL, MM1);
	HAPPENED("mac 1 -> 10.99.0.3 seq 1\nunsay 2 1\n");
	UNSAYS(ls, "10.99.0.1", 1); /* as it should, being beaten */
	HAPPENED("");
	add(1, NULL, 0, true);
	HAPPENED("mac 1 -> here seq 2\nsay 2 1 MM:2\n");
}
END_TEST

START_TEST(sequence_wraps_for_others)
{
	SAYS(ls, "10.99.0.1", 1, NULL, MM_MAX);
	SAYS(ls, "10.99.0.3", 1); /* a first claim, as it does not know of the other: not one that came round */
	HAPPENED(AT_ITS_END "mac 1 -> 10.99.0.1 seq 4294967295\n");
	SAYS(ls, "10.99.0.3", 1, NULL, MM0);
	HAPPENED("mac 1 -> 10.99.0.3\n");
	SAYS(ls, "10.99.0.4", 1, NULL, MM300); /* too far from the beginning */
	HAPPENED("");
	SAYS(ls, "10.99.0.4", 1, NULL, MM1);
	HAPPENED("mac 1 -> 10.99.0.4 seq 1\n");
	UNSAYS(ls, "10.99.0.4", 1);
	HAPPENED("mac 1 -> 10.99.0.3\n");
	UNSAYS(ls, "10.99.0.3", 1);
	HAPPENED("mac 1 -> 10.99.0.1 seq 4294967295\n");
	UNSAYS(ls, "10.99.0.1", 1);
	HAPPENED("mac 1 -> gone\n");
	SAYS(ls, "10.99.0.3", 1, NULL, MM0);
	SAYS(ls, "10.99.0.4", 1, NULL, MM1); /* with nothing at the end it is as ever */
	HAPPENED("mac 1 -> 10.99.0.3\nmac 1 -> 10.99.0.4 seq 1\n");
}
END_TEST

/* --- duplicates: RFC 7432 section 15.1 --- */

static void detect(uint32_t moves, uint32_t window, uint32_t recovery, bool freeze)
{
	struct lan_config c = *lan_config(lan);

	c.dup_moves = moves;
	c.dup_window_sec = window;
	c.dup_recovery_sec = recovery;
	c.dup_freeze = freeze;
	lan_change(lan, &c);
}

/* MAC `n` with mobility sequence `seq` at `from`. */
static void moves_to(const char *from, unsigned n, unsigned seq)
{
	char ecoms[17];

	snprintf(ecoms, sizeof(ecoms), "06000000%08x", seq);
	SAYS(ls, from, n, NULL, ecoms);
}

#define FROZEN "! a duplicate MAC: it moves too often, and is frozen\n"

START_TEST(a_duplicate_is_frozen)
{
	detect(3, 180, 0, true);
	lans_run(ls, 1000);
	SAYS(ls, "10.99.0.1", 1);
	moves_to("10.99.0.3", 1, 1);
	moves_to("10.99.0.1", 1, 2);
	said[0] = '\0';
	moves_to("10.99.0.3", 1, 3);
	HAPPENED(FROZEN "mac 1 -> 10.99.0.3 seq 3 duplicate\n");
	moves_to("10.99.0.1", 1, 4);
	moves_to("10.99.0.4", 1, 400);
	add(1, NULL, 0, true);
	add(1, ".1", 0, true);
	HAPPENED("");
	ck_assert_uint_eq(stats().duplicates, 1);
	ck_assert_uint_eq(stats().duplicates_found, 1);
	/* Its own PE may say it anew. */
	moves_to("10.99.0.3", 1, 5);
	HAPPENED("mac 1 -> 10.99.0.3 seq 5 duplicate\n");
	lans_run(ls, 100000000);
	ck_assert_uint_eq(lans_deadline(ls), UINT64_MAX);
	HAPPENED("");
	/* Until the operator acts. */
	ck_assert_int_eq(lan_clear_duplicate(lan, mac_n(2)), -ENOENT);
	ck_assert_int_eq(lan_clear_duplicate(lan, mac_n(1)), 0);
	HAPPENED("mac 1 -> 10.99.0.4 seq 400\n");
	ck_assert_int_eq(lan_clear_duplicate(lan, mac_n(1)), -ENOENT);
	ck_assert_uint_eq(stats().duplicates, 0);
	/* And the counting begins anew. */
	moves_to("10.99.0.1", 1, 401);
	HAPPENED("mac 1 -> 10.99.0.1 seq 401\n");
}
END_TEST

START_TEST(frozen_here)
{
	detect(2, 180, 0, true);
	add(1, NULL, 0, true);
	moves_to("10.99.0.1", 1, 1);
	said[0] = '\0';
	add(1, NULL, 0, true);
	HAPPENED(FROZEN "mac 1 -> here seq 2 duplicate\nsay 2 1 MM:2\n");
	moves_to("10.99.0.1", 1, 3);
	HAPPENED("");
	/* It is no longer behind our ports: to whom has it. */
	lan_local_del(lan, mac_n(1), ip_of(NULL));
	HAPPENED("mac 1 -> 10.99.0.1 seq 3 duplicate\nunsay 2 1\n");
	add(1, NULL, 0, true);
	HAPPENED("");
	/* The operator makes it ours for good. */
	add(1, NULL, LAN_STICKY, true);
	HAPPENED("! another PE claims a MAC that is sticky here\nmac 1 -> here sticky duplicate\n"
		 "say 2 1 MM:0,sticky\n");
}
END_TEST

START_TEST(frozen_and_left)
{
	detect(2, 180, 0, true);
	SAYS(ls, "10.99.0.1", 1);
	moves_to("10.99.0.3", 1, 1);
	moves_to("10.99.0.4", 1, 2);
	said[0] = '\0';
	UNSAYS(ls, "10.99.0.4", 1); /* the next one has it, and keeps it */
	HAPPENED("mac 1 -> 10.99.0.3 seq 1 duplicate\n");
	moves_to("10.99.0.1", 1, 5);
	HAPPENED("");
	UNSAYS(ls, "10.99.0.3", 1);
	HAPPENED("mac 1 -> 10.99.0.1 seq 5 duplicate\n");
	UNSAYS(ls, "10.99.0.1", 1);
	HAPPENED("mac 1 -> gone\n");
	moves_to("10.99.0.9", 1, 0);
	HAPPENED("mac 1 -> 10.99.0.9 duplicate\n");
	moves_to("10.99.0.1", 1, 1);
	HAPPENED("");
}
END_TEST

START_TEST(the_window)
{
	detect(3, 10, 0, true);
	lans_run(ls, 5000);
	SAYS(ls, "10.99.0.1", 1);
	for (unsigned i = 1; i < 20; i++) { /* two in each window */
		lans_run(ls, 5000 + 5000 * i);
		moves_to(i % 2 ? "10.99.0.3" : "10.99.0.1", 1, i);
	}
	ck_assert_uint_eq(stats().duplicates, 0);
	ck_assert_uint_eq(stats().moves, 19);
	said[0] = '\0';
	/* The last book was opened at 100 s. */
	lans_run(ls, 104000);
	moves_to("10.99.0.1", 1, 20);
	lans_run(ls, 109999);
	moves_to("10.99.0.3", 1, 21);
	ck_assert_uint_eq(stats().duplicates, 1);
}
END_TEST

START_TEST(recovery)
{
	detect(2, 180, 540, true);
	lans_run(ls, 1000);
	ck_assert_uint_eq(lans_deadline(ls), UINT64_MAX);
	for (unsigned n = 1; n <= 2; n++) {
		SAYS(ls, "10.99.0.1", n);
		moves_to("10.99.0.3", n, 1);
		lans_run(ls, 1000 * n);
		moves_to("10.99.0.1", n, 2);
		moves_to("10.99.0.3", n, 3); /* not followed */
	}
	ck_assert_uint_eq(stats().duplicates, 2);
	ck_assert_uint_eq(lans_deadline(ls), 541000);
	said[0] = '\0';
	lans_run(ls, 540999);
	HAPPENED("");
	lans_run(ls, 541000);
	HAPPENED("mac 1 -> 10.99.0.3 seq 3\n");
	ck_assert_uint_eq(lans_deadline(ls), 542000);
	detect(0, 0, 0, false); /* nothing more is looked for */
	HAPPENED("mac 2 -> 10.99.0.3 seq 3\n");
	ck_assert_uint_eq(stats().duplicates, 0);
}
END_TEST

START_TEST(alarm_alone)
{
	detect(2, 10, 0, false);
	SAYS(ls, "10.99.0.1", 1);
	moves_to("10.99.0.3", 1, 1);
	said[0] = '\0';
	moves_to("10.99.0.1", 1, 2);
	HAPPENED("! a duplicate MAC: it moves too often\nmac 1 -> 10.99.0.1 seq 2\n");
	moves_to("10.99.0.3", 1, 3);
	HAPPENED("mac 1 -> 10.99.0.3 seq 3\n");
	lans_run(ls, 10000);
	moves_to("10.99.0.1", 1, 4);
	said[0] = '\0';
	moves_to("10.99.0.3", 1, 5); /* it goes on in another window */
	HAPPENED("! a duplicate MAC: it moves too often\nmac 1 -> 10.99.0.3 seq 5\n");
	ck_assert_uint_eq(stats().duplicates_found, 2);
	ck_assert_uint_eq(stats().duplicates, 0);
}
END_TEST

/* What changes a MAC's place without being a move. */
START_TEST(no_moves)
{
	detect(2, 180, 0, true);
	for (int i = 0; i < 10; i++) {
		SAYS(ls, "10.99.0.3", 1);
		SAYS(ls, "10.99.0.1", 1); /* the lower VTEP of two that claim at once */
		UNSAYS(ls, "10.99.0.1", 1);
		SAYS(ls, "10.99.0.3", 1, .stale = true);
		SAYS(ls, "10.99.0.9", 1);
		SAYS(ls, "10.99.0.9", 1, NULL, STICKY);
		UNSAYS(ls, "10.99.0.9", 1);
	}
	ck_assert_uint_eq(stats().duplicates_found, 0);
	ck_assert_uint_ge(stats().moves, 40);
}
END_TEST

START_TEST(a_binding_goes_where_its_frozen_mac_is)
{
	detect(2, 180, 0, true);
	SAYS(ls, "10.99.0.1", 1, ".1");
	SAYS(ls, "10.99.0.3", 1, ".1", MM1);
	said[0] = '\0';
	SAYS(ls, "10.99.0.1", 1, ".1", MM2);
	HAPPENED(FROZEN "mac 1 -> 10.99.0.1 seq 2 duplicate\nbind .1 -> 1 10.99.0.1 seq 2\n");
	SAYS(ls, "10.99.0.3", 1, ".1", "0600000000000003");
	HAPPENED("");
}
END_TEST

static int judge(unsigned n, const char *vtep, bool sticky)
{
	static const struct esi none;

	return lan_judge(lan, mac_n(n), &none, ip_of(vtep), sticky);
}

START_TEST(judges_duplicates)
{
	detect(2, 180, 60, true);
	SAYS(ls, "10.99.0.1", 1);
	SAYS(ls, "10.99.0.1", 2);
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_FINE);
	moves_to("10.99.0.3", 1, 1);
	moves_to("10.99.0.1", 1, 2);
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_DUPLICATE_MAC);
	ck_assert_int_eq(judge(1, "10.99.0.1", false), LAN_FINE);
	ck_assert_int_eq(judge(2, "10.99.0.3", false), LAN_FINE);
	ck_assert_int_eq(judge(7, "10.99.0.3", false), LAN_FINE);
	said[0] = '\0';
	UNSAYS(ls, "10.99.0.3", 1);
	HAPPENED("");
	UNSAYS(ls, "10.99.0.1", 1);
	HAPPENED("mac 1 -> gone\nreconsider\n");
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_FINE);
	moves_to("10.99.0.3", 1, 3);
	ck_assert_int_eq(judge(1, "10.99.0.1", false), LAN_DUPLICATE_MAC);
	said[0] = '\0';
	lans_run(ls, 60000);
	HAPPENED("mac 1 -> 10.99.0.3 seq 3\nreconsider\n");
	ck_assert_int_eq(judge(1, "10.99.0.1", false), LAN_FINE);
}
END_TEST

/* Section 15.2. */
START_TEST(judges_sticky_moves)
{
	SAYS(ls, "10.99.0.1", 1, NULL, STICKY);
	SAYS(ls, "10.99.0.1", 2);
	HAPPENED("mac 1 -> 10.99.0.1 sticky\nmac 2 -> 10.99.0.1\n");
	ck_assert_int_eq(judge(1, "10.99.0.1", true), LAN_FINE);
	ck_assert_int_eq(judge(2, "10.99.0.3", true), LAN_FINE);
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_STICKY_MOVE);
	HAPPENED("! another PE claims a MAC that is sticky behind one\n");
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_STICKY_MOVE);
	HAPPENED(""); /* told once while it lasts */
	SAYS(ls, "10.99.0.1", 1, NULL, STICKY, .stale = true); /* while it is away, another may have it */
	HAPPENED("mac 1 -> 10.99.0.1 sticky stale\n");
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_FINE);
	UNSAYS(ls, "10.99.0.1", 1);
	HAPPENED("mac 1 -> gone\nreconsider\n");
	ck_assert_int_eq(judge(1, "10.99.0.3", false), LAN_FINE);
	add(3, NULL, LAN_STICKY, true);
	said[0] = '\0';
	ck_assert_int_eq(judge(3, "10.99.0.3", true), LAN_STICKY_MOVE);
	HAPPENED("! a MAC is sticky here and behind another PE\n");
	add(3, NULL, 0, true);
	HAPPENED("mac 3 -> here\nreconsider\nsay 2 3\n");
	ck_assert_int_eq(judge(3, "10.99.0.3", true), LAN_FINE);
}
END_TEST

/* Whoever can make moves can make as many as he likes. */
START_TEST(books_have_a_limit)
{
	detect(2, 180, 0, true);
	for (unsigned n = 0; n < 9000; n++) { /* books that stay open */
		SAYS(ls, "10.99.0.1", n);
		moves_to("10.99.0.3", n, 1);
		said[0] = '\0';
	}
	for (unsigned n = 0; n < 9000; n++) {
		moves_to("10.99.0.1", n, 2);
		moves_to("10.99.0.3", n, 3);
		said[0] = '\0';
	}
	ck_assert_uint_eq(stats().duplicates, 8192);
	/* One that all have left gives way. */
	UNSAYS(ls, "10.99.0.1", 0);
	UNSAYS(ls, "10.99.0.3", 0);
	moves_to("10.99.0.1", 8999, 4);
	moves_to("10.99.0.3", 8999, 5);
	ck_assert_uint_eq(stats().duplicates, 8192);
	ck_assert_uint_eq(stats().duplicates_found, 8193);
	lans_run(ls, 1000000);
	for (unsigned n = 0; n < 9000; n++)
		lan_clear_duplicate(lan, mac_n(n));
	ck_assert_uint_eq(stats().duplicates, 0);
}
END_TEST

START_TEST(immutable_elsewhere_withholds_ours)
{
	add(1, ".1", 0, true);
	said[0] = '\0';
	SAYS(ls, "10.99.0.1", 2, ".1", ND_I);
	HAPPENED("mac 2 -> 10.99.0.1\n! an immutable binding's IP is claimed by another MAC\n"
		 "bind .1 -> 2 10.99.0.1 I\nunsay 2 1 .1\n");
	UNSAYS(ls, "10.99.0.1", 2, ".1");
	HAPPENED("mac 2 -> gone\nbind .1 -> 1 here\nsay 2 1 .1\n");
	/* Ours, provisioned, does not give way. */
	add(1, ".1", LAN_IMMUTABLE, false);
	said[0] = '\0';
	SAYS(ls, "10.99.0.1", 2, ".1", ND_I);
	HAPPENED("mac 2 -> 10.99.0.1\n! an IP is bound to two MACs, both immutably\n");
}
END_TEST

/* Two dynamic ones: both stay announced, the latest is believed. */
START_TEST(ip_moves_to_another_mac)
{
	add(1, ".1", 0, true);
	said[0] = '\0';
	SAYS(ls, "10.99.0.1", 2, ".1");
	HAPPENED("mac 2 -> 10.99.0.1\n! an IP is bound to two MACs\nbind .1 -> 2 10.99.0.1\n");
	add(1, ".1", 0, true);
	HAPPENED("bind .1 -> 1 here\n");
	UNSAYS(ls, "10.99.0.1", 2, ".1");
	HAPPENED("mac 2 -> gone\n");
}
END_TEST

START_TEST(mark_and_sweep)
{
	add(1, NULL, 0, true);
	add(1, ".1", 0, true);
	add(2, ".2", 0, true);
	add(3, NULL, 0, true);
	said[0] = '\0';
	lan_local_mark(lan);
	add(1, NULL, 0, false);
	add(1, ".1", 0, false);
	HAPPENED("");
	add(4, NULL, 0, false);
	HAPPENED("mac 4 -> here\nsay 2 4\n");
	lan_local_sweep(lan);
	HAPPENED("mac 3 -> gone\nunsay 2 3\nunsay 2 2 .2\nmac 2 -> gone\nunsay 2 2\nbind .2 -> "
		 "gone\n");
	lan_local_sweep(lan);
	HAPPENED("");
	ck_assert_uint_eq(stats().macs_local, 2);
	ck_assert_uint_eq(stats().bindings_local, 1);
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

/* --- the whole --- */

static bool count(void *arg, const struct lan_entry *e)
{
	(void)e;
	return ++*(int *)arg < 2;
}

static bool count_vtep(void *arg, struct ip vtep)
{
	(void)vtep;
	++*(int *)arg;
	return true;
}

START_TEST(walks_and_two_lans)
{
	struct lan_config c = world_config();
	struct lan *second;
	int macs = 0, bindings = 0, vteps = 0;

	snprintf(c.name, sizeof(c.name), "second");
	ck_assert_int_eq(lans_add(ls, &c, &second), 0);
	HAPPENED("say 3 10.99.0.2\n");
	for (unsigned i = 1; i < 9; i++)
		SAYS(ls, "10.99.0.1", i, ".1");
	imet_send(ls, "10.99.0.1", "00 06 000064 0a630001", true);
	ck_assert(lans_next(ls, NULL) == lan && lans_next(ls, lan) == second &&
		  !lans_next(ls, second));
	ck_assert(lans_find(ls, "second") == second && !lans_find(ls, "none"));
	lan_each_mac(second, count, &macs);
	lan_each_binding(second, count, &bindings);
	lan_each_flood(second, count_vtep, &vteps);
	ck_assert_int_eq(macs, 2); /* the callback stopped it */
	ck_assert_int_eq(bindings, 1);
	ck_assert_int_eq(vteps, 1);
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
	Suite *s = suite_create("evpn/lan");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(tc, up, down);
	tcase_add_test(tc, mac_and_binding_come_and_go);
	tcase_add_test(tc, macip_alone_gives_the_mac);
	tcase_add_test(tc, arp_nd_flags);
	tcase_add_test(tc, choice_across_rds);
	tcase_add_test(tc, stale_yields_to_fresh);
	tcase_add_test(tc, one_ip_two_macs);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, group_and_zero_macs_are_refused);
	tcase_add_test(tc, turns_unfit);
	tcase_add_test(tc, odd_but_taken);
	tcase_add_test(tc, automatic_route_targets);
	tcase_add_test(tc, tables_have_limits);
	tcase_add_test(tc, ours_go_out);
	tcase_add_test(tc, binding_alone_says_the_mac_too);
	tcase_add_test(tc, ours_are_checked);
	tcase_add_test(tc, moves_away_and_back);
	tcase_add_test(tc, remembered_goes_out_when_the_other_is_gone);
	tcase_add_test(tc, same_sequence);
	tcase_add_test(tc, first_seen_here_though_remote);
	tcase_add_test(tc, sticky_elsewhere);
	tcase_add_test(tc, sticky_here);
	tcase_add_test(tc, sticky_takes);
	tcase_add_test(tc, sequence_wraps);
	tcase_add_test(tc, sequence_wraps_for_others);
	tcase_add_test(tc, a_duplicate_is_frozen);
	tcase_add_test(tc, frozen_here);
	tcase_add_test(tc, frozen_and_left);
	tcase_add_test(tc, the_window);
	tcase_add_test(tc, recovery);
	tcase_add_test(tc, alarm_alone);
	tcase_add_test(tc, no_moves);
	tcase_add_test(tc, a_binding_goes_where_its_frozen_mac_is);
	tcase_add_test(tc, judges_duplicates);
	tcase_add_test(tc, judges_sticky_moves);
	tcase_add_test(tc, books_have_a_limit);
	tcase_add_test(tc, immutable_elsewhere_withholds_ours);
	tcase_add_test(tc, ip_moves_to_another_mac);
	tcase_add_test(tc, mark_and_sweep);
	tcase_add_test(tc, flood_list);
	tcase_add_test(tc, walks_and_two_lans);
	tcase_add_test(tc, not_for_lans);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
