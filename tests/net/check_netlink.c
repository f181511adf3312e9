/* The netlink engine, links, knobs and forwarding tables against a real kernel: a bridge, a vxlan
 * device and veth pairs in a namespace of each test's own (check forks a process a test). */
#include "tests/net/netns.h"

#include <check.h>
#include <linux/neighbour.h>
#include <poll.h>

#include "lib/siphash.h"
#include "proxyarp/layout.h"
#include "proxyarp/linux/bridge.h"
#include "proxyarp/linux/fdb.h"
#include "proxyarp/linux/link.h"
#include "proxyarp/linux/netlink.h"

#define WAIT_MS 5000
#define SEEN_MAX 64

static struct netlink *nl;
static struct links *links;
static struct fdb *fdb;
static struct fdb_lan *lan;
static uint32_t br, vx, p1, p2;

static struct {
	uint32_t what, ifindex;
} changes[SEEN_MAX];
static size_t change_count;
static uint32_t learned, forgotten, contested, resyncs;

static void on_link(void *arg, uint32_t what, const struct link *was, const struct link *now)
{
	(void)arg;
	if (change_count < SEEN_MAX) {
		changes[change_count].what = what;
		changes[change_count++].ifindex = now ? now->ifindex : was->ifindex;
	}
	/* As the agent does it. */
	if (!now && lan && was->ifindex == vx)
		fdb_lan_move(lan, br, vx = 0);
	if (!now && lan && was->ifindex == br)
		fdb_lan_move(lan, br = 0, vx);
}

static void on_learned(void *arg, struct fdb_lan *l, uint32_t port, struct mac mac, bool gone)
{
	(void)arg;
	(void)port;
	(void)mac;
	ck_assert_ptr_eq(l, lan);
	*(gone ? &forgotten : &learned) += 1;
}

static void on_contested(void *arg, struct fdb_lan *l, struct mac mac, const struct fdb_entry *seen)
{
	(void)arg;
	(void)l;
	(void)mac;
	(void)seen;
	contested++;
}

static void on_resync(void *arg, bool begun)
{
	(void)arg;
	resyncs += begun;
}

static struct mac mac_n(uint32_t n)
{
	return (struct mac){
		{0x02, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static struct ip ip_of(const char *text)
{
	struct ip ip;

	ck_assert_int_eq(ip_parse(text, &ip), 0);
	return ip;
}

static void build_lan(void)
{
	sh("ip link add br0 type bridge mcast_snooping 0 && ip link set br0 up");
	sh("ip link add vx0 type vxlan id 100 local 10.0.0.1 dstport 4789 nolearning");
	sh("ip link set vx0 master br0 && ip link set vx0 up");
	for (int i = 1; i <= 2; i++)
		sh("ip link add name p%d type veth peer name m%d && ip link set p%d master br0 && "
		   "ip link set p%d up && ip link set m%d up",
			i, i, i, i, i);
	br = ifindex_of("br0"), vx = ifindex_of("vx0"), p1 = ifindex_of("p1"),
	p2 = ifindex_of("p2");
}

static void open_engine(int rcvbuf)
{
	static const struct link_hooks link_hooks = {.changed = on_link};
	static const struct fdb_hooks fdb_hooks = {
		.learned = on_learned, .contested = on_contested};
	const struct netlink_options o = {.rcvbuf = rcvbuf, .resyncing = on_resync};

	ck_assert_int_eq(netlink_open(&o, &nl), 0);
	ck_assert_int_eq(links_open(nl, &link_hooks, 0, &links), 0);
	ck_assert_int_eq(fdb_open(nl, &fdb_hooks, 0, &fdb), 0);
	ck_assert_int_eq(fdb_lan_add(fdb, br, vx, NULL, &lan), 0);
	ck_assert_int_eq(netlink_wait(nl, WAIT_MS), 0);
}

static void close_engine(void)
{
	netlink_close(nl);
	links_close(links);
	fdb_close(fdb);
}

static void setup(void)
{
	netns_enter_or_skip();
	build_lan();
	open_engine(0);
}

/* One round of the event loop. */
static void turn(uint64_t until, const char *what)
{
	struct pollfd p = {netlink_fd(nl), POLLIN, 0};
	uint64_t now = test_now_ms(), wake = netlink_deadline(nl);

	ck_assert_msg(now < until, "waited in vain for: %s", what);
	wake = wake < until ? wake : until;
	poll(&p, 1, wake > now ? (int)(wake - now) : 0);
	ck_assert_int_eq(netlink_process(nl, test_now_ms()), 0);
}

#define WAIT_FOR(cond)                                                                             \
	do {                                                                                       \
		uint64_t until_ms = test_now_ms() + WAIT_MS;                                       \
		while (!(cond))                                                                    \
			turn(until_ms, #cond);                                                     \
	} while (0)

static bool told(uint32_t ifindex, uint32_t what)
{
	for (size_t i = 0; i < change_count; i++)
		if (changes[i].ifindex == ifindex && (changes[i].what & what) == what)
			return true;
	return false;
}

static bool kernel_has(const char *grep)
{
	return sh_true("bridge fdb show br br0 | grep -q '%s'", grep);
}

START_TEST(links_and_their_changes)
{
	const struct link *l = links_find(links, "vx0");
	uint32_t old = p2;

	ck_assert_ptr_nonnull(l);
	ck_assert_int_eq(l->kind, LINK_VXLAN);
	ck_assert_uint_eq(l->vni, 100);
	ck_assert(ip_eq(l->vtep, ip_of("10.0.0.1")));
	ck_assert_uint_eq(l->udp_port, 4789);
	ck_assert(!l->vxlan_learning && !l->external && l->is_port);
	ck_assert_uint_eq(l->master, br);
	l = links_get(links, br);
	ck_assert_int_eq(l->kind, LINK_BRIDGE);
	ck_assert(!l->vlan_filtering && !l->mcast_snooping && l->up);
	l = links_get(links, p1);
	ck_assert(l->is_port && link_is_up(l) && mac_is_host(l->mac));
	ck_assert_uint_eq(l->mtu, 1500);
	ck_assert(told(p1, LINK_ADDED | LINK_JOINED | LINK_UP));

	change_count = 0;
	sh("ip link set m1 down");
	WAIT_FOR(told(p1, LINK_DOWN));
	ck_assert(links_get(links, p1)->up && !links_get(links, p1)->carrier);
	change_count = 0;
	sh("ip link set m1 up");
	WAIT_FOR(told(p1, LINK_UP));

	change_count = 0;
	sh("ip link set p1 address 02:00:00:00:aa:01");
	WAIT_FOR(told(p1, LINK_MAC));
	sh("ip link set p1 down && ip link set p1 name swp1 && ip link set swp1 up");
	WAIT_FOR(told(p1, LINK_RENAMED));
	ck_assert_ptr_eq(links_find(links, "swp1"), links_get(links, p1));
	ck_assert_ptr_null(links_find(links, "p1"));

	change_count = 0;
	sh("ip link set p2 nomaster");
	WAIT_FOR(told(p2, LINK_LEFT));
	ck_assert(!links_get(links, p2)->is_port);
	sh("ip link add br1 type bridge && ip link set p2 master br1");
	WAIT_FOR(told(p2, LINK_JOINED));
	ck_assert_uint_eq(links_get(links, p2)->master, ifindex_of("br1"));
	sh("ip link set p2 master br0");
	WAIT_FOR(links_get(links, p2)->is_port && links_get(links, p2)->master == br);

	change_count = 0;
	sh("ip link del p2");
	WAIT_FOR(told(old, LINK_REMOVED));
	ck_assert(told(old, LINK_LEFT) || told(old, LINK_REMOVED | LINK_LEFT));
	ck_assert_ptr_null(links_get(links, old));
}
END_TEST

static int knob_verdict = -1;

static void on_knobs(void *arg, int verdict)
{
	(void)arg;
	knob_verdict = verdict;
}

START_TEST(knobs_close_and_open)
{
	struct bridge_knobs found = links_get(links, p1)->knobs, closed = bridge_member_closed(0);
	char text[BRIDGE_KNOBS_TEXT];

	ck_assert((found.known & closed.known) == closed.known);
	ck_assert(!bridge_knobs_met(found, closed));
	ck_assert_int_eq(bridge_set(nl, p1, closed, found, on_knobs, NULL), 0);
	WAIT_FOR(bridge_knobs_met(links_get(links, p1)->knobs, closed));
	ck_assert_int_eq(knob_verdict, NETLINK_DONE);
	ck_assert(told(p1, LINK_KNOBS));
	ck_assert(sh_true(
		"bridge -d link show dev p1 | grep -q 'learning off flood off mcast_flood off "
		"bcast_flood off mcast_router 0.*locked on'"));
	/* Found closed: a former process died; back to what the kernel gives a new port. */
	ck_assert(
		bridge_knobs_met(bridge_port_original(links_get(links, p1)->knobs, false), found));
	ck_assert_int_eq(
		bridge_set(nl, p1, bridge_port_original(found, false), found, on_knobs, NULL), 0);
	WAIT_FOR(bridge_knobs_met(links_get(links, p1)->knobs, found));
	ck_assert_str_eq(bridge_knobs_format(bridge_member_open(KNOB_FLOOD, true), text),
		"learning on, locked off, flood on, mcast_flood off, bcast_flood off, mcast_router "
		"off");

	knob_verdict = -1;
	ck_assert_int_eq(bridge_set(nl, 99999, closed, found, on_knobs, NULL), 0);
	WAIT_FOR(knob_verdict != -1);
	ck_assert_int_eq(knob_verdict, NETLINK_GONE);
	knob_verdict = -1;
	ck_assert_int_eq(bridge_set(nl, ifindex_of("m1"), closed, found, on_knobs, NULL), 0);
	WAIT_FOR(knob_verdict != -1);
	ck_assert_int_lt(knob_verdict, 0);
}
END_TEST

START_TEST(fdb_as_wanted)
{
	struct fdb_stats st;

	ck_assert_int_eq(fdb_want_local(lan, mac_n(1), p1), 0);
	ck_assert_int_eq(fdb_want_remote(lan, mac_n(2), ip_of("10.0.0.2")), 0);
	ck_assert_int_eq(fdb_want_flood(lan, ip_of("10.0.0.2")), 0);
	ck_assert_int_eq(fdb_want_flood(lan, ip_of("10.0.0.3")), 0);
	ck_assert_int_eq(fdb_want_local(lan, mac_n(0x01000000), p1), 0);
	ck_assert_int_eq(fdb_want_local(lan, (struct mac){{1}}, p1), -EINVAL);
	ck_assert_int_eq(fdb_want_remote(lan, mac_n(1), (struct ip){0}), -EINVAL);
	WAIT_FOR(fdb_met(lan, mac_n(2)) && fdb_flood_met(lan, ip_of("10.0.0.3")));
	ck_assert(fdb_met(lan, mac_n(1)) && fdb_flood_met(lan, ip_of("10.0.0.2")));
	ck_assert(kernel_has("02:00:00:00:00:01 dev p1 sticky master br0 static"));
	ck_assert(kernel_has("02:00:00:00:00:02 dev vx0 extern_learn master br0"));
	ck_assert(kernel_has("02:00:00:00:00:02 dev vx0 dst 10.0.0.2 self permanent"));
	ck_assert(kernel_has("00:00:00:00:00:00 dev vx0 dst 10.0.0.2 self permanent"));
	ck_assert(kernel_has("00:00:00:00:00:00 dev vx0 dst 10.0.0.3 self permanent"));

	/* To another VTEP, to a port, to another port, and back: one place at a time, of one kind.
	 */
	fdb_want_remote(lan, mac_n(2), ip_of("10.0.0.3"));
	WAIT_FOR(fdb_met(lan, mac_n(2)));
	ck_assert(kernel_has("02:00:00:00:00:02 dev vx0 dst 10.0.0.3 self permanent"));
	ck_assert(!kernel_has("02:00:00:00:00:02 dev vx0 dst 10.0.0.2"));
	fdb_want_local(lan, mac_n(2), p1);
	WAIT_FOR(fdb_met(lan, mac_n(2)) && !kernel_has("02:00:00:00:00:02 dev vx0"));
	ck_assert(kernel_has("02:00:00:00:00:02 dev p1 sticky master br0 static"));
	fdb_want_local(lan, mac_n(2), p2);
	WAIT_FOR(fdb_met(lan, mac_n(2)));
	ck_assert(kernel_has("02:00:00:00:00:02 dev p2 sticky master br0 static"));
	fdb_want_remote(lan, mac_n(2), ip_of("10.0.0.2"));
	WAIT_FOR(fdb_met(lan, mac_n(2)));
	ck_assert(kernel_has("02:00:00:00:00:02 dev vx0 extern_learn master br0 $"));

	fdb_stats(fdb, &st);
	ck_assert_uint_eq(st.contested, 0);
	ck_assert_uint_eq(st.errors, 0);
	ck_assert_uint_eq(st.pending, 0);
	fdb_unwant(lan, mac_n(1));
	fdb_unwant(lan, mac_n(2));
	fdb_unwant_flood(lan, ip_of("10.0.0.2"));
	WAIT_FOR(!kernel_has("02:00:00:00:00:0[12]") && !kernel_has("dst 10.0.0.2"));
	ck_assert(kernel_has("00:00:00:00:00:00 dev vx0 dst 10.0.0.3"));
	fdb_lan_del(lan, false);
	ck_assert(!kernel_has("dst 10.0.0") && !kernel_has("sticky"));
}
END_TEST

START_TEST(fdb_stolen_and_repaired)
{
	struct fdb_stats st;
	uint64_t first;

	fdb_want_local(lan, mac_n(1), p1);
	fdb_want_remote(lan, mac_n(2), ip_of("10.0.0.2"));
	fdb_want_flood(lan, ip_of("10.0.0.2"));
	WAIT_FOR(fdb_met(lan, mac_n(1)) && fdb_met(lan, mac_n(2)));
	/* Not ours: left alone. */
	sh("bridge fdb add 02:00:00:00:00:77 dev p2 master static");
	sh("bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.9 self");
	/* Ours: taken out, moved to another port, turned into FRR's, sent to another VTEP. */
	first = test_now_ms();
	sh("bridge fdb del 02:00:00:00:00:01 dev p1 master");
	WAIT_FOR(contested == 1 && fdb_met(lan, mac_n(1)));
	ck_assert(kernel_has("02:00:00:00:00:01 dev p1 sticky master br0 static"));
	sh("bridge fdb replace 02:00:00:00:00:02 dev vx0 dst 10.0.0.66 self");
	WAIT_FOR(contested == 2 && fdb_met(lan, mac_n(2)));
	ck_assert(kernel_has("02:00:00:00:00:02 dev vx0 dst 10.0.0.2 self"));
	sh("bridge fdb del 00:00:00:00:00:00 dev vx0 dst 10.0.0.2 self");
	WAIT_FOR(contested == 3 && fdb_flood_met(lan, ip_of("10.0.0.2")));
	/* The second time within a minute it waits, so that two managers do not fight at full
	 * speed. */
	sh("bridge fdb replace 02:00:00:00:00:01 dev vx0 master extern_learn");
	WAIT_FOR(contested == 4 && fdb_met(lan, mac_n(1)));
	ck_assert_uint_ge(test_now_ms() - first, 1000);
	ck_assert(kernel_has("02:00:00:00:00:01 dev p1 sticky master br0 static"));
	ck_assert(kernel_has("02:00:00:00:00:77 dev p2 master br0 static"));
	ck_assert(kernel_has("00:00:00:00:00:00 dev vx0 dst 10.0.0.9"));
	fdb_lan_settle(lan);
	fdb_unwant(lan, mac_n(1));
	WAIT_FOR(!kernel_has("02:00:00:00:00:01"));
	ck_assert(kernel_has("02:00:00:00:00:77 dev p2 master br0 static"));
	fdb_stats(fdb, &st);
	ck_assert_uint_eq(st.repairs, 4);
	ck_assert_uint_eq(st.errors, 0);
}
END_TEST

/* A spoofed frame cannot move what is static sticky, and what is dynamic is told. */
START_TEST(fdb_learned)
{
	static const char frame[] =
		"/usr/bin/python3 - <<'E'\nimport socket\n"
		"s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW);s.bind(('m2',0))\n"
		"for i in (1,5):\n"
		" s.send(bytes.fromhex('020000000099')+bytes([2,0,0,0,0,i])+bytes(50))\nE\n";

	fdb_want_local(lan, mac_n(1), p1);
	WAIT_FOR(fdb_met(lan, mac_n(1)));
	sh("%s", frame);
	WAIT_FOR(kernel_has("02:00:00:00:00:05 dev p2 master br0"));
	/* The engine sees the links' own multicast reports too; what matters is that this one came.
	 */
	WAIT_FOR(learned >= 1);
	ck_assert(kernel_has("02:00:00:00:00:01 dev p1 sticky master br0 static"));
	ck_assert_uint_eq(contested, 0);
	/* A dynamic entry becomes ours without a gap, and is forgotten as a dynamic one. */
	fdb_want_local(lan, mac_n(5), p2);
	WAIT_FOR(fdb_met(lan, mac_n(5)) && forgotten >= 1);
	ck_assert(kernel_has("02:00:00:00:00:05 dev p2 sticky master br0 static"));
}
END_TEST

/* What a killed process left behind: kept until settle(), then gone but for what is wanted again.
 */
START_TEST(fdb_leftovers)
{
	sh("bridge fdb add 02:00:00:00:00:70 dev p1 master static");
	sh("bridge fdb add 02:00:00:00:00:71 dev vx0 dst 10.0.0.7 self extern_learn");
	sh("bridge fdb add 02:00:00:00:00:71 dev vx0 master extern_learn");
	for (uint32_t i = 1; i <= 4; i++) {
		fdb_want_local(lan, mac_n(i), p1);
		fdb_want_remote(lan, mac_n(0x100 + i), ip_of("10.0.0.2"));
	}
	fdb_want_flood(lan, ip_of("10.0.0.2"));
	fdb_want_flood(lan, ip_of("10.0.0.3"));
	WAIT_FOR(fdb_flood_met(lan, ip_of("10.0.0.3")) && fdb_met(lan, mac_n(0x104)));
	close_engine();

	open_engine(0);
	fdb_want_local(lan, mac_n(1), p1);
	fdb_want_remote(lan, mac_n(0x101), ip_of("10.0.0.2"));
	fdb_want_flood(lan, ip_of("10.0.0.2"));
	ck_assert_int_eq(netlink_wait(nl, WAIT_MS), 0);
	ck_assert(fdb_met(lan, mac_n(1)) && fdb_met(lan, mac_n(0x101)));
	ck_assert(kernel_has("02:00:00:00:00:04") && kernel_has("02:00:00:00:01:04"));
	fdb_lan_settle(lan);
	ck_assert_int_eq(netlink_wait(nl, WAIT_MS), 0);
	ck_assert(!kernel_has("02:00:00:00:00:0[234]") && !kernel_has("02:00:00:00:01:0[234]"));
	ck_assert(!kernel_has("00:00:00:00:00:00 dev vx0 dst 10.0.0.3"));
	ck_assert(kernel_has("02:00:00:00:00:01 dev p1 sticky master br0 static"));
	ck_assert(kernel_has("02:00:00:00:01:01 dev vx0 dst 10.0.0.2 self"));
	ck_assert(kernel_has("02:00:00:00:00:70 dev p1 master br0 static"));
	ck_assert(kernel_has("02:00:00:00:00:71 dev vx0 dst 10.0.0.7 self"));
	fdb_lan_del(lan, true);
	ck_assert(kernel_has("02:00:00:00:00:01 dev p1 sticky master br0 static"));
}
END_TEST

/* A port that leaves takes its entries along; they are back when it is. */
START_TEST(fdb_port_comes_back)
{
	struct fdb_stats st;
	uint64_t from;

	fdb_want_local(lan, mac_n(1), p1);
	WAIT_FOR(fdb_met(lan, mac_n(1)));
	fdb_port_gone(fdb, p1);
	sh("ip link set p1 nomaster");
	WAIT_FOR(!fdb_met(lan, mac_n(1)) && told(p1, LINK_LEFT));
	ck_assert(!kernel_has("02:00:00:00:00:01"));
	sh("ip link set p1 master br0");
	change_count = 0;
	WAIT_FOR(told(p1, LINK_JOINED));
	fdb_port_kick(fdb, p1);
	WAIT_FOR(fdb_met(lan, mac_n(1)));
	ck_assert(kernel_has("02:00:00:00:00:01 dev p1 sticky master br0 static"));
	fdb_stats(fdb, &st);
	ck_assert_uint_eq(st.errors, 0);
	ck_assert_uint_eq(st.contested, 0);
	/* An interface that is not there: an error, and no more than one try a second. */
	from = test_now_ms();
	fdb_want_local(lan, mac_n(2), 99999);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(netlink_process(nl, test_now_ms()), 0);
	fdb_stats(fdb, &st);
	ck_assert_uint_ge(st.errors, 1);
	ck_assert_uint_le(st.errors, 1 + (test_now_ms() - from) / 1000);
	ck_assert_uint_eq(st.pending, 1);
}
END_TEST

/* The vxlan device goes down, goes away and is made anew; the bridge too. */
START_TEST(fdb_devices_made_anew)
{
	struct fdb_stats st;

	fdb_want_local(lan, mac_n(1), p1);
	fdb_want_remote(lan, mac_n(2), ip_of("10.0.0.2"));
	fdb_want_flood(lan, ip_of("10.0.0.2"));
	WAIT_FOR(fdb_met(lan, mac_n(2)) && fdb_flood_met(lan, ip_of("10.0.0.2")));
	sh("ip link set vx0 down && ip link set p1 down");
	WAIT_FOR(told(vx, LINK_DOWN) && told(p1, LINK_DOWN));
	sh("ip link set vx0 up && ip link set p1 up");
	WAIT_FOR(told(vx, LINK_UP) && told(p1, LINK_UP));
	ck_assert_int_eq(netlink_wait(nl, WAIT_MS), 0);
	ck_assert(fdb_met(lan, mac_n(1)) && fdb_met(lan, mac_n(2)));
	ck_assert(kernel_has("02:00:00:00:00:02 dev vx0 dst 10.0.0.2 self"));

	sh("ip link del vx0");
	WAIT_FOR(vx == 0);
	ck_assert_int_eq(netlink_wait(nl, WAIT_MS), 0);
	ck_assert(!fdb_met(lan, mac_n(2)) && fdb_met(lan, mac_n(1)));
	sh("ip link add vx1 type vxlan id 100 local 10.0.0.1 dstport 4789 nolearning");
	sh("ip link set vx1 master br0 && ip link set vx1 up");
	vx = ifindex_of("vx1");
	fdb_lan_move(lan, br, vx);
	WAIT_FOR(fdb_met(lan, mac_n(2)) && fdb_flood_met(lan, ip_of("10.0.0.2")));
	ck_assert(kernel_has("02:00:00:00:00:02 dev vx1 extern_learn master br0"));
	ck_assert(kernel_has("02:00:00:00:00:02 dev vx1 dst 10.0.0.2 self"));

	fdb_lan_settle(lan);
	fdb_lan_move(lan, br, vx);
	sh("ip link del br0");
	WAIT_FOR(br == 0);
	ck_assert_int_eq(netlink_wait(nl, WAIT_MS), 0);
	sh("ip link add br0 type bridge && ip link set br0 up");
	sh("ip link set p1 master br0 && ip link set vx1 master br0");
	br = ifindex_of("br0");
	fdb_lan_move(lan, br, vx);
	WAIT_FOR(fdb_met(lan, mac_n(1)) && fdb_met(lan, mac_n(2)));
	ck_assert(kernel_has("02:00:00:00:00:01 dev p1 sticky master br0 static"));
	fdb_stats(fdb, &st);
	ck_assert_uint_eq(st.pending, 0);
	ck_assert_uint_eq(st.errors, 0);
	/* Still known to be ours. */
	fdb_unwant(lan, mac_n(1));
	fdb_unwant(lan, mac_n(2));
	fdb_unwant_flood(lan, ip_of("10.0.0.2"));
	ck_assert_int_eq(netlink_wait(nl, WAIT_MS), 0);
	ck_assert(!kernel_has("02:00:00:00:00:0[12]") && !kernel_has("dst 10.0.0"));
}
END_TEST

#define MANY 20000

static void batch(const char *verb, const char *how)
{
	FILE *f = popen("bridge -batch -", "w");

	ck_assert_ptr_nonnull(f);
	for (uint32_t i = 0; i < MANY; i++) {
		char text[MAC_TEXT];
		fprintf(f, "fdb %s %s %s\n", verb, mac_format(mac_n(0x00100000 + i), text), how);
	}
	ck_assert_int_eq(pclose(f), 0);
}

/* 20 000 events into a small buffer: most are lost, and what matters is right afterwards, soon. */
START_TEST(overrun_and_resync)
{
	struct netlink_stats st;
	struct fdb_stats fs;
	uint64_t from;

	close_engine();
	open_engine(64 << 10);
	fdb_want_local(lan, mac_n(1), p1);
	WAIT_FOR(fdb_met(lan, mac_n(1)));
	batch("add", "dev p1 master static");
	sh("bridge fdb del 02:00:00:00:00:01 dev p1 master");
	from = test_now_ms();
	fdb_stats(fdb, &fs);
	WAIT_FOR((netlink_stats(nl, &st), st.overruns > 0) && netlink_synced(nl) &&
		 fdb_met(lan, mac_n(1)));
	ck_assert_uint_lt(test_now_ms() - from, 2000);
	printf("# 20000 events into 64 KiB: %llu overruns, in step after %llu ms\n",
		(unsigned long long)st.overruns, (unsigned long long)st.resync_ms);
	fdb_stats(fdb, &fs);
	ck_assert_uint_ge(fs.seen, MANY);
	ck_assert_uint_ge(resyncs, 1);
	ck_assert(kernel_has("02:00:00:00:00:01 dev p1 sticky master br0 static"));
	/* And the other way: what vanished unheard is swept. */
	batch("del", "dev p1 master");
	WAIT_FOR(netlink_synced(nl) && (fdb_stats(fdb, &fs), fs.seen < 100));
	ck_assert(fdb_met(lan, mac_n(1)));
}
END_TEST

START_TEST(many_wants)
{
	struct fdb_stats st;
	uint64_t from = test_now_ms();

	for (uint32_t i = 0; i < MANY; i++)
		ck_assert_int_eq(fdb_want_remote(lan, mac_n(0x00100000 + i), ip_of("10.0.0.2")), 0);
	WAIT_FOR((fdb_stats(fdb, &st), st.pending == 0));
	printf("# 20000 remote MACs written in %llu ms\n",
		(unsigned long long)(test_now_ms() - from));
	ck_assert_uint_eq(st.errors, 0);
	ck_assert_uint_eq(st.contested, 0);
	ck_assert_uint_eq(st.writes, 2 * MANY);
	/* All of them taken out by somebody: all back at once, each contested once. */
	batch("del", "dev vx0 self");
	WAIT_FOR((fdb_stats(fdb, &st), st.contested == MANY && st.pending == 0));
	ck_assert_uint_eq(st.repairs, MANY);
	ck_assert_uint_eq(st.errors, 0);
	from = test_now_ms();
	for (uint32_t i = 0; i < MANY; i++)
		fdb_unwant(lan, mac_n(0x00100000 + i));
	WAIT_FOR((fdb_stats(fdb, &st), st.seen < 100));
	ck_assert(!kernel_has("dst 10.0.0.2"));
}
END_TEST

START_TEST(full_tables_say_so)
{
	static const struct fdb_hooks none;
	struct netlink *small;
	struct fdb *f;
	struct fdb_lan *l;
	struct fdb_stats st;

	ck_assert_int_eq(netlink_open(NULL, &small), 0);
	ck_assert_int_eq(fdb_open(small, &none, 4, &f), 0);
	ck_assert_int_eq(fdb_lan_add(f, br, vx, NULL, &l), 0);
	ck_assert_int_eq(fdb_lan_add(f, br, vx, NULL, &l), -EEXIST);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_int_eq(fdb_want_local(l, mac_n(i + 1), p1), 0);
	ck_assert_int_eq(fdb_want_local(l, mac_n(9), p1), -ENOSPC);
	ck_assert_int_eq(fdb_want_local(l, mac_n(1), p2), 0);
	ck_assert_int_eq(netlink_wait(small, WAIT_MS), 0);
	fdb_stats(f, &st);
	ck_assert_uint_eq(st.pending, 0);
	ck_assert_uint_ge(st.refused_full, 1);
	netlink_close(small);
	fdb_close(f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("netlink");
	TCase *tc = tcase_create("kernel");
	SRunner *sr;
	int failed;

	/* Asked here once: a test that skips is a process that exits, which check takes for a
	 * failure. */
	netns_enter_or_skip();
	tcase_add_checked_fixture(tc, setup, close_engine);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, links_and_their_changes);
	tcase_add_test(tc, knobs_close_and_open);
	tcase_add_test(tc, fdb_as_wanted);
	tcase_add_test(tc, fdb_stolen_and_repaired);
	tcase_add_test(tc, fdb_learned);
	tcase_add_test(tc, fdb_leftovers);
	tcase_add_test(tc, fdb_port_comes_back);
	tcase_add_test(tc, fdb_devices_made_anew);
	tcase_add_test(tc, overrun_and_resync);
	tcase_add_test(tc, many_wants);
	tcase_add_test(tc, full_tables_say_so);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
