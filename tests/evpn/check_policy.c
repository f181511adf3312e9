/* The import policy: a row a rule and reason. There are two LANs: VNI 100, route target 65000:100 and any automatic one,
 * 198.18.0.0/21 and 2001:db8:100::/64; VNI 200 with 65000:200 and no prefixes. */
#include <check.h>
#include <stdlib.h>

#include "bgp/policy.h"
#include "evpn/ecom.h"
#include "evpn/family.h"
#include "evpn/lan.h"
#include "evpn/nlri.h"
#include "evpn/policy.h"
#include "evpn/registered.h"
#include "tests/evpn/hex.h"

#define RT100 "0002fde800000064"
#define RT200 "0002fde8000000c8"
#define RT300 "0002fde80000012c"
#define RT_FRR "0002ea0100000064"  /* AS 4200000001 cut to 59905 */
#define RT_8365 "0002006410000064" /* AS 100 */
#define RT_AS4 "0202fa56ea010064"
#define VXLAN "030c000000000008"
#define MPLS "030c00000000000a"
#define STICKY "0600010000000000"
#define GATEWAY "030d000000000000"
#define ES_IMPORT "0602020000000001"
#define MAX_ESI "ff:ff:ff:ff:ff:ff:ff:ff:ff:ff"

enum who { ANYBODY, INSANE, TYPES_2_3, ONE_RT, RT_OF_VNI, TWO_VTEPS, NOT_STICKY };

struct row {
	const char *what, *want; /* NULL: it comes in */
	uint8_t type;		 /* 0: 2 */
	const char *mac, *ip;	 /* of type 2; NULL: 02:00:5e:00:00:01, none */
	const char *originator;	 /* of types 3 and 4; NULL: 10.99.0.1 */
	const char *esi;
	uint32_t label;
	const char *ecoms, *next_hop, *pmsi; /* NULL: RT100 and VXLAN, 10.99.0.1, none */
	enum who who;
};

static const struct row rows[] = {
	{"a MAC", NULL, .type = 2},
	{"a binding", NULL, .ip = "198.18.1.1"},
	{"a type-3 route", NULL, .type = 3, .pmsi = "00 06 000064 0a630001"},

	{"MAC of zero", "mac-zero", .mac = "00:00:00:00:00:00"},
	{"MAC multicast", "mac-multicast", .mac = "01:00:5e:00:00:01"},
	{"MAC multicast, locally administered", "mac-multicast", .mac = "03:00:5e:00:00:01"},
	{"MAC broadcast", "mac-broadcast", .mac = "ff:ff:ff:ff:ff:ff"},
	{"IPv4 unspecified", "ip-unspecified", .ip = "0.0.0.0"},
	{"IPv6 unspecified", "ip-unspecified", .ip = "::"},
	{"IPv4 multicast", "ip-multicast", .ip = "224.0.0.1"},
	{"IPv6 multicast", "ip-multicast", .ip = "ff02::1"},
	{"IPv4 loopback", "ip-loopback", .ip = "127.0.0.1"},
	{"IPv6 loopback", "ip-loopback", .ip = "::1"},
	{"IPv4 broadcast", "ip-broadcast", .ip = "255.255.255.255"},
	{"in no LAN of ours, too", "ip-multicast", .ip = "224.0.0.1", .ecoms = RT300, .label = 300},
	{"the LAN's broadcast", "ip-broadcast", .ip = "198.18.7.255"},
	{"the LAN's network", "ip-broadcast", .ip = "198.18.0.0"},
	{"the last one", NULL, .ip = "198.18.7.254"},
	{"the subnet-router anycast address", NULL, .ip = "2001:db8:100::"},
	{"outside", "ip-outside-lan", .ip = "198.18.8.1"},
	{"outside, before it", "ip-outside-lan", .ip = "198.17.255.255"},
	{"IPv6 inside", NULL, .ip = "2001:db8:100::1:2:3"},
	{"IPv6 outside", "ip-outside-lan", .ip = "2001:db8:101::1"},
	{"IPv6 link-local", NULL, .ip = "fe80::1"},
	{"IPv4 link-local", "ip-outside-lan", .ip = "169.254.0.1"},
	{"outside, by VNI", "ip-outside-lan", .ip = "192.0.2.1", .ecoms = RT300 VXLAN},
	{"that VNI is a label with MPLS", NULL, .ip = "192.0.2.1", .ecoms = RT300 MPLS},
	{"outside, by route target", "ip-outside-lan", .ip = "192.0.2.1", .label = 300},
	{"outside, RT as FRR derives it", "ip-outside-lan", .ip = "192.0.2.1", .ecoms = RT_FRR, .label = 300},
	{"outside, RT of RFC 8365", "ip-outside-lan", .ip = "192.0.2.1", .ecoms = RT_8365, .label = 300},
	{"outside, RT of a 4-octet AS", "ip-outside-lan", .ip = "192.0.2.1", .ecoms = RT_AS4, .label = 300},
	{"no LAN's", NULL, .ip = "192.0.2.1", .ecoms = RT300, .label = 300},
	{"a LAN without prefixes", NULL, .ip = "192.0.2.1", .ecoms = RT200, .label = 200},
	{"two LANs, one does not have it", "ip-outside-lan", .ip = "192.0.2.1", .ecoms = RT200 RT100, .label = 200},
	{"a default gateway", "default-gateway", .ip = "198.18.0.1", .ecoms = RT100 GATEWAY},
	{"a default gateway's MAC", "default-gateway", .ecoms = RT100 GATEWAY},
	{"a default gateway elsewhere", NULL, .ip = "192.0.2.1", .ecoms = RT300 GATEWAY, .label = 300},
	{"type 1 of MAX-ESI", "max-esi", .type = 1, .esi = MAX_ESI},
	{"type 1", NULL, .type = 1, .esi = "00:11:22:33:44:55:66:77:88:99"},
	{"type 2 of MAX-ESI", "max-esi", .esi = MAX_ESI},
	{"type 4 of MAX-ESI", "max-esi", .type = 4, .esi = MAX_ESI},
	{"type 5 of MAX-ESI", "max-esi", .type = 5, .esi = MAX_ESI},
	{"type 5", NULL, .type = 5},
	{"next hop 0.0.0.0", "next-hop", .next_hop = "0.0.0.0"},
	{"next hop ::", "next-hop", .next_hop = "::"},
	{"next hop multicast", "next-hop", .next_hop = "224.0.0.1"},
	{"next hop loopback", "next-hop", .next_hop = "127.0.0.1"},
	{"next hop ::1, type 1", "next-hop", .type = 1, .next_hop = "::1"},
	{"originator 0.0.0.0", "originator", .type = 3, .originator = "0.0.0.0"},
	{"originator multicast", "originator", .type = 4, .originator = "ff02::1"},
	{"floods to a group", "originator", .type = 3, .pmsi = "00 06 000064 e0000001"},
	{"another tunnel than ingress replication", NULL, .type = 3, .pmsi = "00 03 000064 0a630001 e0000001"},
	{"sticky", NULL, .ecoms = RT100 STICKY},

	{"without sanity: MAC broadcast", NULL, .mac = "ff:ff:ff:ff:ff:ff", .who = INSANE},
	{"without sanity: outside", NULL, .ip = "192.0.2.1", .who = INSANE},
	{"without sanity: a default gateway", NULL, .ecoms = RT100 GATEWAY, .who = INSANE},
	{"without sanity: next hop 0.0.0.0", NULL, .next_hop = "0.0.0.0", .who = INSANE},
	{"without sanity: originator", NULL, .type = 3, .originator = "0.0.0.0", .who = INSANE},
	{"without sanity: MAX-ESI", NULL, .type = 1, .esi = MAX_ESI, .who = INSANE},

	{"types: 2", NULL, .who = TYPES_2_3},
	{"types: 3", NULL, .type = 3, .who = TYPES_2_3},
	{"types: not 1", "route-type", .type = 1, .who = TYPES_2_3},
	{"types: not 5", "route-type", .type = 5, .who = TYPES_2_3},
	{"types: not 6", "route-type", .type = 6, .who = TYPES_2_3},
	{"an unknown type", NULL, .type = 200},
	{"types: no unknown one", "unknown-route-type", .type = 200, .who = TYPES_2_3},
	{"types: nor type 0", "unknown-route-type", .type = 255, .who = TYPES_2_3},

	{"route-targets: this one", NULL, .who = ONE_RT},
	{"route-targets: not that one", "route-target", .ecoms = RT200, .who = ONE_RT},
	{"route-targets: not both", "route-target", .ecoms = RT100 RT200, .who = ONE_RT},
	{"route-targets: none", "route-target", .ecoms = VXLAN, .who = ONE_RT},
	{"route-targets: types 4 go by ES-Import", NULL, .type = 4, .ecoms = ES_IMPORT, .who = ONE_RT},
	{"route-targets: type 1 does not", "route-target", .type = 1, .ecoms = ES_IMPORT, .who = ONE_RT},
	{"route-targets: type 3", "route-target", .type = 3, .ecoms = RT200, .who = ONE_RT},
	{"route-targets: an unknown type", "route-target", .type = 200, .ecoms = RT200, .who = ONE_RT},
	{"route-targets: not another AS's", "route-target", .ecoms = RT_FRR, .who = ONE_RT},
	{"*:VNI", NULL, .who = RT_OF_VNI},
	{"*:VNI, FRR's", NULL, .ecoms = RT_FRR, .who = RT_OF_VNI},
	{"*:VNI, RFC 8365's", NULL, .ecoms = RT_8365, .who = RT_OF_VNI},
	{"*:VNI, of a 4-octet AS", NULL, .ecoms = RT_AS4, .who = RT_OF_VNI},
	{"*:VNI, another", "route-target", .ecoms = RT200, .who = RT_OF_VNI},

	{"vteps: the one", NULL, .who = TWO_VTEPS},
	{"vteps: the other", NULL, .next_hop = "2001:db8:99::7", .who = TWO_VTEPS},
	{"vteps: another", "vtep", .next_hop = "10.99.0.3", .who = TWO_VTEPS},
	{"vteps: type 3", NULL, .type = 3, .who = TWO_VTEPS},
	{"vteps: another originator", "vtep", .type = 3, .originator = "10.99.0.3", .who = TWO_VTEPS},
	{"vteps: another originator of type 4", "vtep", .type = 4, .originator = "10.99.0.3", .who = TWO_VTEPS},
	{"vteps: floods to another", "vtep", .type = 3, .pmsi = "00 06 000064 0a630003", .who = TWO_VTEPS},
	{"vteps: floods to itself", NULL, .type = 3, .pmsi = "00 06 000064 0a630001", .who = TWO_VTEPS},
	{"vteps: an end of zero is the next hop", NULL, .type = 3, .pmsi = "00 06 000064 00000000", .who = TWO_VTEPS},
	{"vteps: another, unknown type", "vtep", .type = 200, .next_hop = "10.99.0.3", .who = TWO_VTEPS},

	{"sticky-macs: false", "sticky", .ecoms = RT100 STICKY, .who = NOT_STICKY},
	{"sticky-macs: false, a plain one", NULL, .who = NOT_STICKY},
};

#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static struct rt_pattern one_rt[1], of_vni[1];
static struct prefix two_vteps[2];

static struct evpn_rules rules_of(enum who who)
{
	struct evpn_rules r = evpn_rules_default();

	switch (who) {
	case ANYBODY:
		break;
	case INSANE:
		r.sanity = false;
		break;
	case TYPES_2_3:
		memset(r.types, 0, sizeof(r.types));
		evpn_rules_allow(&r, 2, true);
		evpn_rules_allow(&r, 3, true);
		break;
	case ONE_RT:
		ck_assert_int_eq(rt_pattern_parse("65000:100", &one_rt[0]), 0);
		r.rts = one_rt;
		r.rt_count = 1;
		break;
	case RT_OF_VNI:
		ck_assert_int_eq(rt_pattern_parse("*:100", &of_vni[0]), 0);
		r.rts = of_vni;
		r.rt_count = 1;
		break;
	case TWO_VTEPS:
		ck_assert_int_eq(prefix_parse("10.99.0.1/32", &two_vteps[0]), 0);
		ck_assert_int_eq(prefix_parse("2001:db8:99::/64", &two_vteps[1]), 0);
		r.vteps = two_vteps;
		r.vtep_count = 2;
		break;
	case NOT_STICKY:
		r.refuse_sticky = true;
		break;
	}
	return r;
}

static struct evpn_policy *make(void)
{
	struct evpn_policy *p = evpn_policy_new();
	struct rt_pattern import[3];
	struct prefix prefixes[2];
	struct evpn_policy_lan lans[2] = {
		{100, import, 2, prefixes, 2, NULL, NULL, false},
		{200, import + 2, 1, NULL, 0, NULL, NULL, false},
	};

	ck_assert_int_eq(rt_pattern_parse("65000:100", &import[0]), 0);
	ck_assert_int_eq(rt_pattern_parse("*:100", &import[1]), 0);
	ck_assert_int_eq(rt_pattern_parse("65000:200", &import[2]), 0);
	ck_assert_int_eq(prefix_parse("198.18.0.0/21", &prefixes[0]), 0);
	ck_assert_int_eq(prefix_parse("2001:db8:100::/64", &prefixes[1]), 0);
	ck_assert_int_eq(evpn_policy_set_lans(p, lans, 2), 0);
	return p;
}

static struct ip ip_of(const char *text)
{
	struct ip ip = {0};

	if (text)
		ck_assert_int_eq(ip_parse(text, &ip), 0);
	return ip;
}

/* A row's route, in buffers that stay. */
struct built {
	struct nlri n;
	struct attrs a;
	uint8_t ecoms[64], pmsi[32];
};

static void build(const struct row *row, struct built *b)
{
	uint8_t type = row->type ? row->type : EVPN_MACIP;
	struct evpn_route r = {.type = type, .rd = rd_make(ip_of("10.99.0.1"), 2), .label_count = 1};

	r.label[0] = row->label ? row->label : 100;
	ck_assert_int_eq(mac_parse(row->mac ? row->mac : "02:00:5e:00:00:01", &r.mac), 0);
	if (row->esi)
		ck_assert_int_eq(esi_parse(row->esi, &r.esi), 0);
	r.ip = ip_of(type == EVPN_MACIP ? row->ip : row->originator ? row->originator : "10.99.0.1");
	if (type == EVPN_PREFIX) {
		r.ip = ip_of("192.0.2.0");
		r.gateway = ip_of("0.0.0.0");
		r.prefix_len = 24;
	}
	if (evpn_nlri_pack(&r, &b->n) < 0) {
		b->n = (struct nlri){.key_len = 20};
		b->n.key[0] = type == 255 ? 0 : type;
	}
	b->a = (struct attrs){.next_hop = ip_of(row->next_hop ? row->next_hop : "10.99.0.1")};
	b->a.ext_communities.p = b->ecoms;
	b->a.ext_communities.len =
		(uint16_t)hex_read(row->ecoms ? row->ecoms : RT100 VXLAN, b->ecoms, sizeof(b->ecoms));
	if (row->pmsi) {
		b->a.present |= ATTR_BIT(ATTR_PMSI_TUNNEL);
		b->a.pmsi.p = b->pmsi;
		b->a.pmsi.len = (uint16_t)hex_read(row->pmsi, b->pmsi, sizeof(b->pmsi));
	}
}

static void ask(struct evpn_policy *p, const struct row *row, const struct evpn_rules *rules)
{
	static struct built b; /* the same place for one after the other, as the engine's */
	static uint64_t serial;

	build(row, &b);
	struct policy_route r = {&evpn_family, b.n.key, b.n.payload, b.n.key_len, b.n.payload_len, &b.a,
		++serial};
	uint8_t reason = evpn_policy_import(p, rules, &r);
	const char *got = reason ? evpn_policy_reason(reason) : NULL;

	ck_assert_msg(row->want ? got && strcmp(got, row->want) == 0 : !got, "%s: %s", row->what,
		got ? got : "comes in");
}

START_TEST(every_rule)
{
	struct evpn_policy *p = make();
	struct evpn_rules rules = rules_of(rows[_i].who);

	ask(p, &rows[_i], &rules);
	if (rows[_i].who == ANYBODY)
		ask(p, &rows[_i], NULL);
	evpn_policy_free(p);
}
END_TEST

/* What was worked out for one set of attributes and one neighbour is not taken for another's. */
START_TEST(one_after_the_other)
{
	struct evpn_policy *p = make();
	struct evpn_rules rules[NOT_STICKY + 1];

	for (int w = 0; w <= NOT_STICKY; w++)
		rules[w] = rules_of((enum who)w);
	for (int i = 0; i < ROWS; i++)
		for (int k = 0; k < ROWS; k++) {
			ask(p, &rows[i], &rules[rows[i].who]);
			ask(p, &rows[k], &rules[rows[k].who]);
		}
	evpn_policy_free(p);
}
END_TEST

START_TEST(lans_change)
{
	struct evpn_policy *p = make();
	struct row outside = {"outside", "ip-outside-lan", .ip = "192.0.2.1", .label = 300},
		   by_label = {"outside", "ip-outside-lan", .ip = "192.0.2.1", .ecoms = RT300};

	ask(p, &outside, NULL);
	ask(p, &by_label, NULL);
	ck_assert_int_eq(evpn_policy_set_lans(p, NULL, 0), 0);
	outside.want = by_label.want = NULL;
	ask(p, &outside, NULL);
	ask(p, &by_label, NULL);
	ck_assert_int_lt(evpn_policy_set_lans(p, NULL, EVPN_LANS_MAX + 1), 0);
	evpn_policy_free(p);
}
END_TEST

/* RFC 7432 section 15.1, 15.2: what the LAN has seen counts, sanity or not. */
static unsigned alarms;

static void on_alarm(void *arg, struct lan *lan, const char *what, struct mac mac, struct ip ip,
	struct ip vtep)
{
	(void)arg;
	(void)lan;
	(void)what;
	(void)mac;
	(void)ip;
	(void)vtep;
	alarms++;
}

static void learn(struct lans *ls, const struct row *row)
{
	static struct built b;

	build(row, &b);
	lans_route(ls, b.n.key, b.n.key_len, b.n.payload, b.n.payload_len, &b.a, false);
}

START_TEST(asks_the_lan)
{
	static const struct lan_hooks hooks = {.alarm = on_alarm};
	struct lan_config c = {.name = "ixp", .vni = 100, .import_auto = true, .dup_moves = 2,
		.dup_window_sec = 180, .dup_freeze = true};
	struct lans *ls = lans_new(&hooks);
	struct evpn_policy *p = evpn_policy_new();
	struct rt_pattern import = {.vni = 100};
	struct evpn_policy_lan l = {100, &import, 1, NULL, 0, NULL, NULL, false};
	struct evpn_rules insane = rules_of(INSANE);
	struct row here = {"frozen here", NULL, .ecoms = RT100 "0600000000000002"},
		   there = {"frozen there", "duplicate-mac", .ecoms = RT100, .next_hop = "10.99.0.3"},
		   binding = {"its binding", "duplicate-mac", .ip = "198.18.0.1", .next_hop = "10.99.0.3"},
		   by_vni = {"by VNI", "duplicate-mac", .ecoms = RT300, .next_hop = "10.99.0.3"},
		   elsewhere = {"no LAN's", NULL, .ecoms = RT300, .label = 300, .next_hop = "10.99.0.3"},
		   sticky = {"sticky", NULL, .mac = "02:00:5e:00:00:02", .ecoms = RT100 STICKY},
		   claim = {"claimed", "sticky-move", .mac = "02:00:5e:00:00:02", .next_hop = "10.99.0.3"},
		   segment = {"of one segment", NULL, .mac = "02:00:5e:00:00:03", .ecoms = RT100 STICKY,
			   .esi = "00:11:22:33:44:55:66:77:88:99"},
		   gateway = {"a gateway", "default-gateway", .ecoms = RT100 GATEWAY};

	ck_assert_int_eq(lans_add(ls, &c, &l.lan), 0);
	ck_assert_int_eq(evpn_policy_set_lans(p, &l, 1), 0);
	struct row free_to_come = there;
	free_to_come.want = NULL;
	ask(p, &free_to_come, NULL); /* nothing is known of it yet */
	/* To 10.99.0.3 and back. */
	learn(ls, &(struct row){.ecoms = RT100});
	learn(ls, &(struct row){.ecoms = RT100 "0600000000000001", .next_hop = "10.99.0.3"});
	learn(ls, &here);
	learn(ls, &sticky);
	learn(ls, &segment);
	ck_assert_uint_eq(alarms, 1);
	ask(p, &here, NULL);
	ask(p, &there, NULL);
	ask(p, &there, &insane);
	ask(p, &binding, NULL);
	ask(p, &by_vni, NULL);
	ask(p, &elsewhere, NULL);
	ask(p, &sticky, NULL);
	ask(p, &claim, NULL);
	ask(p, &claim, &insane);
	ck_assert_uint_eq(alarms, 2);
	segment.next_hop = "10.99.0.3";
	ask(p, &segment, NULL);
	ask(p, &gateway, NULL);
	ck_assert_uint_eq(alarms, 3);
	evpn_policy_free(p);
	lans_free(ls);
}
END_TEST

/* Policy and flag are the same questions; only what becomes of the answers differs. */
static const struct row registry_rows[] = {
	{"a MAC", NULL, .type = 2},
	{"a binding", NULL, .ip = "198.18.1.1"},
	{"nobody's MAC", "unregistered-mac", .mac = "02:00:5e:00:00:99"},
	{"nobody's MAC with an address", "unregistered-mac", .mac = "02:00:5e:00:00:99", .ip = "198.18.1.1"},
	{"nobody's address", "unregistered-ip", .ip = "198.18.1.77"},
	{"another's address", "wrong-ip-for-mac", .ip = "198.18.1.2"},
	{"another PE", "wrong-pe", .ip = "198.18.1.1", .next_hop = "10.99.0.3"},
	{"another PE, the MAC alone", "wrong-pe", .next_hop = "10.99.0.3"},
	{"by VNI", "unregistered-mac", .mac = "02:00:5e:00:00:99", .ecoms = RT300 VXLAN},
	{"by route target", "unregistered-mac", .mac = "02:00:5e:00:00:99", .label = 300},
	{"that VNI is a label with MPLS", NULL, .mac = "02:00:5e:00:00:99", .ecoms = RT300 MPLS},
	{"no LAN's", NULL, .mac = "02:00:5e:00:00:99", .ecoms = RT300, .label = 300},
	{"a LAN without a registry", NULL, .mac = "02:00:5e:00:00:99", .ecoms = RT200, .label = 200},
	{"without sanity", "unregistered-ip", .ip = "192.0.2.1", .who = INSANE},
	{"sanity comes first", "ip-outside-lan", .ip = "192.0.2.1"},
	{"another type", NULL, .type = 3, .originator = "10.99.0.3", .next_hop = "10.99.0.3"},
	{"type 5", NULL, .type = 5, .next_hop = "10.99.0.3"},
};
#define REGISTRY_ROWS ((int)(sizeof(registry_rows) / sizeof(registry_rows[0])))

static struct registered *two_members(void)
{
	struct registered *r = registered_new();
	struct mac one = {{2, 0, 0x5e, 0, 0, 1}}, two = {{2, 0, 0x5e, 0, 0, 2}};
	struct ip ip[2] = {ip_of("198.18.1.1"), ip_of("198.18.1.2")}, pe = ip_of("10.99.0.1");

	ck_assert_int_eq(registered_add(r, &(struct registered_port){&one, 1, &ip[0], 1, &pe, 1}), 0);
	ck_assert_int_eq(registered_add(r, &(struct registered_port){&two, 1, &ip[1], 1, NULL, 0}), 0);
	return r;
}

static struct evpn_policy *make_registered(struct lan *lan, const struct registered *r, bool refuse)
{
	struct evpn_policy *p = evpn_policy_new();
	struct rt_pattern import[2];
	struct prefix prefix;
	struct evpn_policy_lan lans[2] = {
		{100, import, 1, &prefix, 1, lan, r, refuse},
		{200, import + 1, 1, NULL, 0, NULL, NULL, false},
	};

	ck_assert_int_eq(rt_pattern_parse("65000:100", &import[0]), 0);
	ck_assert_int_eq(rt_pattern_parse("65000:200", &import[1]), 0);
	ck_assert_int_eq(prefix_parse("198.18.0.0/21", &prefix), 0);
	ck_assert_int_eq(evpn_policy_set_lans(p, lans, 2), 0);
	return p;
}

static const char *flag_of(const struct evpn_policy *p, const struct row *row)
{
	static struct built b;

	build(row, &b);
	struct policy_route r = {&evpn_family, b.n.key, b.n.payload, b.n.key_len, b.n.payload_len, &b.a, 0};
	uint8_t reason = evpn_policy_flagged(p, &r);
	return reason ? evpn_policy_reason(reason) : NULL;
}

static bool is_registry_word(const char *word)
{
	for (int v = 1; v < REGISTERED_VERDICTS; v++)
		if (word && strcmp(word, evpn_policy_flag_word((enum registered_verdict)v)) == 0)
			return true;
	return false;
}

START_TEST(asks_the_registry)
{
	static const struct lan_hooks hooks = {.alarm = on_alarm};
	struct lan_config c = {.name = "ixp", .vni = 100, .import_auto = true};
	struct lans *ls = lans_new(&hooks);
	struct registered *reg = two_members();
	struct row row = registry_rows[_i];
	bool counts = is_registry_word(row.want);
	struct evpn_rules rules = rules_of(row.who);
	struct lan_stats st;
	struct lan *lan;
	uint64_t flagged = 0;

	alarms = 0;
	ck_assert_int_eq(lans_add(ls, &c, &lan), 0);
	struct evpn_policy *refuses = make_registered(lan, reg, true), *flags = make_registered(lan, reg, false);
	ask(refuses, &row, &rules);
	ck_assert_uint_eq(alarms, counts);
	if (counts)
		row.want = NULL;
	ask(flags, &row, &rules);
	ck_assert_uint_eq(alarms, 2 * counts);
	lan_stats(lan, &st);
	for (int v = 0; v < REGISTERED_VERDICTS; v++)
		flagged += st.flagged[v];
	ck_assert_uint_eq(flagged, counts);
	/* What is shown asks nobody again, and raises no alarm. */
	const char *flag = flag_of(flags, &row);
	if (counts)
		ck_assert_str_eq(flag, registry_rows[_i].want);
	else
		ck_assert_msg(!row.want ? !flag : true, "%s: %s", row.what, flag);
	ck_assert_uint_eq(alarms, 2 * counts);
	evpn_policy_free(refuses);
	evpn_policy_free(flags);
	registered_free(reg);
	lans_free(ls);
}
END_TEST

/* A whole table of strangers: counted, but not an alarm of each. */
START_TEST(a_table_of_strangers)
{
	static const struct lan_hooks hooks = {.alarm = on_alarm};
	struct lan_config c = {.name = "ixp", .vni = 100, .import_auto = true};
	struct lans *ls = lans_new(&hooks);
	struct registered *reg = two_members();
	struct row row = {"a stranger", NULL, .mac = "02:00:5e:00:00:99"};
	struct lan_stats st;
	struct lan *lan;

	alarms = 0;
	ck_assert_int_eq(lans_add(ls, &c, &lan), 0);
	struct evpn_policy *p = make_registered(lan, reg, false);
	for (int i = 0; i < 1000; i++)
		ask(p, &row, NULL);
	ck_assert_uint_eq(alarms, 256);
	lans_run(ls, 1000);
	ask(p, &row, NULL);
	ck_assert_uint_eq(alarms, 257);
	lan_stats(lan, &st);
	ck_assert_uint_eq(st.flagged[REGISTERED_NOT_MAC], 1001);
	ck_assert_uint_eq(st.alarms, 1001);
	evpn_policy_free(p);
	registered_free(reg);
	lans_free(ls);
}
END_TEST

/* Keys and payloads that the codec does not make are judged without reading behind them. */
START_TEST(cut_keys)
{
	struct registered *reg = two_members();
	struct evpn_policy *p = make(), *registered = make_registered(NULL, reg, true);
	struct built b;

	for (int i = 0; i < ROWS; i++) {
		build(&rows[i], &b);
		for (size_t k = 0; k <= b.n.key_len; k++)
			for (size_t l = 0; l <= b.n.payload_len; l++) {
				uint8_t *key = malloc(k + 1), *payload = malloc(l + 1);
				memcpy(key, b.n.key, k);
				memcpy(payload, b.n.payload, l);
				struct policy_route r = {&evpn_family, key, payload, k, l, &b.a, 1};
				uint8_t reason = evpn_policy_import(p, NULL, &r);
				ck_assert(reason == REFUSED_NOT || reason >= REFUSED_BY_POLICY);
				reason = evpn_policy_import(registered, NULL, &r);
				ck_assert(reason == REFUSED_NOT || reason >= REFUSED_BY_POLICY);
				evpn_policy_flagged(registered, &r);
				free(key);
				free(payload);
			}
	}
	evpn_policy_free(p);
	evpn_policy_free(registered);
	registered_free(reg);
}
END_TEST

START_TEST(words_for_all)
{
	for (unsigned r = REFUSED_BY_POLICY; r < REFUSED_END; r++) {
		ck_assert_str_ne(evpn_policy_reason((uint8_t)r), "unknown");
		for (unsigned o = REFUSED_BY_POLICY; o < r; o++)
			ck_assert_str_ne(evpn_policy_reason((uint8_t)r), evpn_policy_reason((uint8_t)o));
	}
	ck_assert_str_eq(evpn_policy_reason(0), "unknown");
	ck_assert_str_eq(evpn_policy_reason(255), "unknown");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/policy");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, every_rule, 0, ROWS);
	tcase_add_test(tc, one_after_the_other);
	tcase_add_test(tc, lans_change);
	tcase_add_test(tc, asks_the_lan);
	tcase_add_loop_test(tc, asks_the_registry, 0, REGISTRY_ROWS);
	tcase_add_test(tc, a_table_of_strangers);
	tcase_add_test(tc, cut_keys);
	tcase_add_test(tc, words_for_all);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
