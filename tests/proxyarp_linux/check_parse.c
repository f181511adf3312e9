/* The pure halves of proxyarp/linux: messages of the kernel read, written, and cut short at every
 * octet. */
#include <check.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proxyarp/class.h"
#include "proxyarp/layout.h"
#include "proxyarp/linux/fdb.h"
#include "proxyarp/linux/link.h"

static size_t from_hex(const char *hex, uint8_t *to)
{
	size_t n = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		char pair[3] = {hex[0], hex[1], 0};
		to[n++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

/* As Linux 6.18 says it (little-endian machines). */
static const struct {
	const char *what, *hex, *mac, *dst;
	enum fdb_where where;
	uint32_t ifindex, master, nhid;
	uint16_t state;
	uint8_t flags;
	bool dynamic;
} entries[] = {
	{"static sticky",
		"0700000006000000400040000a0002000200000000010000080009000200000008000f0000000000"
		"1400030000000000070000000700000000000000",
		"02:00:00:00:00:01", NULL, FDB_BRIDGE, 6, 2, 0, NUD_NOARP, NTF_STICKY, false},
	{"extern_learn",
		"0700000003000000020010000a0002000200000000020000080009000200000008000f0000000000"
		"1400030000000000070000000700000000000000",
		"02:00:00:00:00:02", NULL, FDB_BRIDGE, 3, 2, 0, NUD_REACHABLE, NTF_EXT_LEARNED,
		false},
	{"learned",
		"0700000003000000020000000a0002000200000000020000080009000200000008000f000000000014"
		"00030"
		"000000000070000000700000000000000",
		"02:00:00:00:00:02", NULL, FDB_BRIDGE, 3, 2, 0, NUD_REACHABLE, 0, true},
	{"VTEP",
		"0700000003000000c00002010a0002000200000000020000080001000a000002140003000000000006"
		"0000000600"
		"000000000000",
		"02:00:00:00:00:02", "10.0.0.2", FDB_VXLAN, 3, 0, 0, NUD_PERMANENT | NUD_NOARP,
		NTF_SELF, false},
	{"VTEP over IPv6",
		"0700000004000000c00012010a00020002000000000600001400010020010db8000000000000000000"
		"00"
		"00021400030000000000060000000600000000000000",
		"02:00:00:00:00:06", "2001:db8::2", FDB_VXLAN, 4, 0, 0, NUD_PERMANENT | NUD_NOARP,
		NTF_SELF | NTF_EXT_LEARNED, false},
	{"flood",
		"0700000003000000c00002010a0002000000000000000000080001000a000002140003000000000006"
		"000000060"
		"0000000000000",
		"00:00:00:00:00:00", "10.0.0.2", FDB_VXLAN, 3, 0, 0, NUD_PERMANENT | NUD_NOARP,
		NTF_SELF, false},
	{"next-hop group",
		"0700000003000000c00002010a000200020000000008000008000d0008000000140003000000000004"
		"000"
		"0000400000000000000",
		"02:00:00:00:00:08", NULL, FDB_VXLAN, 3, 0, 8, NUD_PERMANENT | NUD_NOARP, NTF_SELF,
		false},
};

START_TEST(fdb_entries)
{
	char text[MAC_TEXT], ip[IP_TEXT];
	uint8_t b[256];
	struct fdb_entry e;
	size_t len = from_hex(entries[_i].hex, b);

	ck_assert_msg(fdb_parse(b, len, &e), "%s", entries[_i].what);
	ck_assert_str_eq(mac_format(e.mac, text), entries[_i].mac);
	ck_assert_int_eq(e.where, entries[_i].where);
	ck_assert_uint_eq(e.ifindex, entries[_i].ifindex);
	ck_assert_uint_eq(e.master, entries[_i].master);
	ck_assert_uint_eq(e.nhid, entries[_i].nhid);
	ck_assert_uint_eq(e.state, entries[_i].state);
	ck_assert_uint_eq(e.flags, entries[_i].flags);
	ck_assert_int_eq(fdb_is_dynamic(&e), entries[_i].dynamic);
	if (entries[_i].dst)
		ck_assert_str_eq(ip_format(e.dst, ip), entries[_i].dst);
	else
		ck_assert_uint_eq(e.dst.family, 0);
	/* Cut anywhere: read as what is whole in it, or refused; never past the end (the copy is
	 * exactly as long). */
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);

		memcpy(exact, b, cut);
		(void)fdb_parse(exact, cut, &e);
		ck_assert(cut >= 22 || !fdb_parse(exact, cut, &e));
		free(exact);
	}
}
END_TEST

START_TEST(fdb_written)
{
	struct fdb_entry e = {.where = FDB_VXLAN,
		.ifindex = 77,
		.mac = {{2, 0, 0, 0, 0, 9}},
		.state = NUD_PERMANENT | NUD_REACHABLE,
		.flags = NTF_SELF};
	static const char want[] = "070000004d00000082000200"
				   "0a000200020000000009"
				   "0000"
				   "080001000a000002";
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWNEIGH, 0);
	uint8_t b[64];
	size_t len = from_hex(want, b);

	ck_assert_int_eq(ip_parse("10.0.0.2", &e.dst), 0);
	ck_assert_int_eq(fdb_build(msg, &e), 0);
	ck_assert_uint_eq((size_t)nlmsg_datalen(nlmsg_hdr(msg)), len);
	ck_assert_mem_eq(nlmsg_data(nlmsg_hdr(msg)), b, len);
	nlmsg_free(msg);
}
END_TEST

/* Each says why it is no entry of a forwarding table. */
static const char *const refused[] = {
	"",
	"07000000030000004000000",
	/* a neighbour of IPv4 */ "0200000006000000400040000a00020002000000000100000",
	/* no interface */ "0700000000000000400040000a0002000200000000010000",
	/* a negative one */ "07000000ffffffff400040000a0002000200000000010000",
	/* no MAC */ "070000000600000040004000080009000200000000",
	/* a MAC of 5 octets */ "0700000006000000400040000900020002000000000000000",
	/* a MAC of 8 */ "0700000006000000400040000c0002000200000000010000",
	/* a VTEP of 5 octets */
	"070000000300000082000200"
	"0a0002000200000000020000"
	"090001000a00000200000000",
	/* a master of 2 octets */
	"070000000600000040004000"
	"0a0002000200000000010000"
	"0600090002000000",
};

START_TEST(fdb_refused)
{
	struct fdb_entry e;
	uint8_t b[128];
	size_t len = from_hex(refused[_i], b);

	ck_assert_msg(!fdb_parse(b, len, &e), "%s", refused[_i]);
}
END_TEST

/* A vxlan device that is a port, as the kernel says it. */
static struct nl_msg *vxlan_message(uint8_t family)
{
	struct ifinfomsg head = {
		.ifi_family = family, .ifi_index = 5, .ifi_flags = IFF_UP | 0x10000};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	struct nlattr *info, *data;

	nlmsg_append(msg, &head, sizeof head, NLMSG_ALIGNTO);
	nla_put_u32(msg, IFLA_MASTER, 2);
	if (family == AF_BRIDGE) {
		data = nla_nest_start(msg, IFLA_PROTINFO | NLA_F_NESTED);
		nla_put_u8(msg, IFLA_BRPORT_LOCKED, 1);
		nla_nest_end(msg, data);
		return msg;
	}
	nla_put_string(msg, IFLA_IFNAME, "vx100");
	nla_put_u32(msg, IFLA_MTU, 9000);
	nla_put(msg, IFLA_ADDRESS, 6, "\2\0\0\0\0\7");
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "vxlan");
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	nla_put_u32(msg, IFLA_VXLAN_ID, 16777215);
	nla_put(msg, IFLA_VXLAN_LOCAL, 4, "\n\0\0\1");
	nla_put(msg, IFLA_VXLAN_PORT, 2, "\x12\xb5");
	nla_put_u8(msg, IFLA_VXLAN_LEARNING, 0);
	nla_nest_end(msg, data);
	nla_put_string(msg, IFLA_INFO_SLAVE_KIND, "bridge");
	data = nla_nest_start(msg, IFLA_INFO_SLAVE_DATA);
	nla_put_u8(msg, IFLA_BRPORT_LEARNING, 1);
	nla_put_u8(msg, IFLA_BRPORT_UNICAST_FLOOD, 0);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return msg;
}

START_TEST(link_whole_and_cut)
{
	struct nl_msg *msg = vxlan_message(AF_UNSPEC);
	const uint8_t *b = nlmsg_data(nlmsg_hdr(msg));
	size_t len = (size_t)nlmsg_datalen(nlmsg_hdr(msg));
	struct link l;
	bool partial = true;

	ck_assert(link_parse(b, len, &l, &partial));
	ck_assert(!partial && l.is_port && l.up && l.carrier && link_is_up(&l));
	ck_assert_str_eq(l.name, "vx100");
	ck_assert_uint_eq(l.ifindex, 5);
	ck_assert_uint_eq(l.master, 2);
	ck_assert_uint_eq(l.mtu, 9000);
	ck_assert_int_eq(l.kind, LINK_VXLAN);
	ck_assert_uint_eq(l.vni, 16777215);
	ck_assert_uint_eq(l.udp_port, 4789);
	ck_assert_uint_eq(ip_to_u32(l.vtep), 0x0a000001);
	ck_assert(mac_eq(l.mac, (struct mac){{2, 0, 0, 0, 0, 7}}));
	ck_assert_uint_eq(l.knobs.known, KNOB_LEARNING | KNOB_FLOOD);
	ck_assert_uint_eq(l.knobs.on, KNOB_LEARNING);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);

		memcpy(exact, b, cut);
		ck_assert(!link_parse(exact, cut, &l, &partial) || l.kind == LINK_OTHER);
		free(exact);
	}
	nlmsg_free(msg);
	msg = vxlan_message(AF_BRIDGE);
	ck_assert(link_parse(
		nlmsg_data(nlmsg_hdr(msg)), (size_t)nlmsg_datalen(nlmsg_hdr(msg)), &l, &partial));
	ck_assert(partial && l.is_port && l.master == 2 && l.knobs.on == KNOB_LOCKED);
	nlmsg_free(msg);
}
END_TEST

/* Lengths that lie, in each attribute header: refused or ignored, never followed. */
START_TEST(link_lengths_lie)
{
	static const uint16_t lies[] = {0, 1, 3, 4, 5, 0x7fff, 0x8000, 0xffff};
	struct nl_msg *msg = vxlan_message(AF_UNSPEC);
	size_t len = (size_t)nlmsg_datalen(nlmsg_hdr(msg));
	struct link l;
	bool partial;

	for (size_t at = sizeof(struct ifinfomsg); at + 2 <= len; at += 2)
		for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
			uint8_t *exact = malloc(len);

			memcpy(exact, nlmsg_data(nlmsg_hdr(msg)), len);
			memcpy(exact + at, &lies[i], 2);
			if (link_parse(exact, len, &l, &partial))
				ck_assert_ptr_nonnull(memchr(l.name, 0, sizeof l.name));
			free(exact);
		}
	nlmsg_free(msg);
}
END_TEST

START_TEST(link_names)
{
	struct ifinfomsg head = {.ifi_index = 1};
	struct link l;
	bool partial;

	/* The kernel's names fit; one that would not is cut, never run over. */
	for (size_t n = 1; n < 40; n++) {
		struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
		char name[40];

		memset(name, 'x', sizeof name);
		nlmsg_append(msg, &head, sizeof head, NLMSG_ALIGNTO);
		nla_put(msg, IFLA_IFNAME, (int)n, name);
		ck_assert(link_parse(nlmsg_data(nlmsg_hdr(msg)),
			(size_t)nlmsg_datalen(nlmsg_hdr(msg)), &l, &partial));
		ck_assert_uint_eq(strlen(l.name), n < LINK_NAME ? n : LINK_NAME - 1);
		nlmsg_free(msg);
	}
}
END_TEST

#define UP .up = true, .carrier = true
#define PORT_OF(b) .is_port = true, .master = (b)

static const struct {
	struct link was, now;
	bool no_was, no_now;
	uint32_t what;
} diffs[] = {
	{.no_was = true, .now = {UP, PORT_OF(2)}, .what = LINK_ADDED | LINK_JOINED | LINK_UP},
	{.no_was = true, .now = {.up = true}, .what = LINK_ADDED},
	{.was = {UP, PORT_OF(2)}, .no_now = true, .what = LINK_REMOVED | LINK_LEFT | LINK_DOWN},
	{.was = {UP, PORT_OF(2)}, .now = {UP, PORT_OF(3)}, .what = LINK_LEFT | LINK_JOINED},
	{.was = {UP, PORT_OF(2)}, .now = {UP}, .what = LINK_LEFT},
	/* A bond's member is no port of a bridge. */
	{.was = {UP}, .now = {UP, .master = 4}, .what = 0},
	{.was = {UP}, .now = {.up = true}, .what = LINK_DOWN},
	{.was = {.up = true}, .now = {UP}, .what = LINK_UP},
	{.was = {.name = "a"}, .now = {.name = "b"}, .what = LINK_RENAMED},
	{.was = {.mac = {{2}}}, .now = {.mac = {{4}}}, .what = LINK_MAC},
	{.was = {PORT_OF(2)}, .now = {PORT_OF(2), .knobs = {1, 1}}, .what = LINK_KNOBS},
	{.was = {.vni = 1}, .now = {.vni = 2}, .what = LINK_CONFIG},
	{.was = {.mtu = 1}, .now = {.mtu = 2}, .what = LINK_CONFIG},
};

START_TEST(link_diffs)
{
	ck_assert_uint_eq(link_diff(diffs[_i].no_was ? NULL : &diffs[_i].was,
				  diffs[_i].no_now ? NULL : &diffs[_i].now),
		diffs[_i].what);
}
END_TEST

/* What a port goes back to. */
START_TEST(knobs_original)
{
	const uint16_t all = bridge_member_closed(0).known;
	const uint16_t fresh = KNOB_LEARNING | KNOB_FLOODS | KNOB_MCAST_ROUTER;
	const struct {
		uint16_t found, back;
		bool fabric;
	} rows[] = {
		{fresh, fresh, false}, {KNOB_LOCKED, fresh, false}, /* ours, closed */
		{KNOB_LEARNING, fresh, false},                      /* ours, open */
		{KNOB_LOCKED | KNOB_FLOODS, fresh, false}, /* ours, closed, unknown targets flood */
		{KNOB_FLOODS | KNOB_MCAST_ROUTER, KNOB_FLOODS | KNOB_MCAST_ROUTER,
			true},                                           /* a sane vxlan port */
		{0, KNOB_FLOODS | KNOB_MCAST_ROUTER, true},              /* ours */
		{fresh & ~KNOB_LEARNING, fresh & ~KNOB_LEARNING, false}, /* the operator's choice */
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bridge_knobs found = {all | KNOB_HAIRPIN, rows[i].found | KNOB_HAIRPIN};
		struct bridge_knobs back = bridge_port_original(found, rows[i].fabric);

		ck_assert_uint_eq(back.known, all); /* hairpin is not ours to set */
		ck_assert_uint_eq(back.on, rows[i].back);
	}
	static const struct {
		struct layout_port port;
		uint16_t floods;
	} floods[] = {
		{{.unknown_target = UNKNOWN_DROP, .ns_option = NS_OPTION_DISCARD}, 0},
		{{.unknown_target = UNKNOWN_SPONGE, .ns_option = NS_OPTION_UNICAST}, 0},
		{{.unknown_target = UNKNOWN_POLICE}, KNOB_FLOODS},
		{{.flags = PORT_DRY}, KNOB_FLOODS},
		{{.ns_option = NS_OPTION_FORWARD}, KNOB_MCAST_FLOOD | KNOB_BCAST_FLOOD},
		{{.flood_classes = CLASS_BIT(CLASS_LLDP)}, KNOB_MCAST_FLOOD | KNOB_BCAST_FLOOD},
		{{.rules = RULE_SET(0, RULE_DHCP, ACTION_COUNT)}, KNOB_MCAST_FLOOD | KNOB_BCAST_FLOOD},
		{{.rules = RULE_SET(0, RULE_SENDER, ACTION_OFF)}, KNOB_MCAST_FLOOD | KNOB_BCAST_FLOOD},
		{{.rules = RULE_SET(0, RULE_DHCP, ACTION_ALARM)}, 0},
		{{.rules = RULE_SET(0, RULE_SOURCE_MAC, ACTION_OFF)}, 0},
	};
	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++)
		ck_assert_uint_eq(bridge_floods(&floods[i].port), floods[i].floods);
	/* A knob that the kernel does not have is no obstacle. */
	ck_assert(bridge_knobs_met((struct bridge_knobs){KNOB_FLOOD, 0}, bridge_member_closed(0)));
	ck_assert(!bridge_knobs_met(
		(struct bridge_knobs){KNOB_FLOOD, KNOB_FLOOD}, bridge_member_closed(0)));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("proxyarp/linux parsers");
	TCase *tc = tcase_create("parse");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, fdb_entries, 0, sizeof entries / sizeof entries[0]);
	tcase_add_test(tc, fdb_written);
	tcase_add_loop_test(tc, fdb_refused, 0, sizeof refused / sizeof refused[0]);
	tcase_add_test(tc, link_whole_and_cut);
	tcase_add_test(tc, link_lengths_lie);
	tcase_add_test(tc, link_names);
	tcase_add_loop_test(tc, link_diffs, 0, sizeof diffs / sizeof diffs[0]);
	tcase_add_test(tc, knobs_original);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
