/* The packet plane on real ports: a bridge with three members, closed by the knobs, in a namespace
 * of its own. What it answers, counts and tells, what reaches an idle port (nothing), and that real
 * hosts reach each other through it. */
#include <config.h>

#include "tests/net/netns.h"

#include <arpa/inet.h>
#include <check.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "proxyarp/plane.h"
#include "proxyarp/verdict.h"
#include "tests/proxyarp/frames.h"

#define LAN 100
#define WAIT_MS 5000
#define PORTS 3
#define FAR 4 /* number, slot and address of what is behind the fabric */

static const struct plane_ops *ops = &plane_packet;
static struct plane *plane;
static uint32_t port[PORTS + 1]; /* ifindex of p1.. */
static int member[PORTS + 1];    /* a socket on m1.. */
static struct layout_event events[512];
static size_t event_count;

static void set_mac(char m, uint32_t ifindex)
{
	struct layout_mac_key k = {.lan = LAN};
	struct layout_mac v = {.ifindex = ifindex, .home = ifindex, .flags = MAC_STATIC};

	memcpy(k.mac, frame_mac(m).b, 6);
	ck_assert_int_eq(ops->mac_set(plane, &k, &v), 0);
}

static void set_bind(const char *text, char m, uint32_t ifindex)
{
	struct ip ip = frame_ip(text);
	struct layout_bind v = {.ifindex = ifindex, .flags = BIND_STATIC};
	struct layout_key4 k4 = {.lan = LAN};
	struct layout_key6 k6 = {.lan = LAN};

	memcpy(v.mac, frame_mac(m).b, 6);
	memcpy(k4.ip, ip.b, 4);
	memcpy(k6.ip, ip.b, 16);
	ck_assert_int_eq(
		ip.family == 4 ? ops->bind4_set(plane, &k4, &v) : ops->bind6_set(plane, &k6, &v),
		0);
}

static int raw_socket(const char *name)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(0x0003),
		.sll_ifindex = (int)ifindex_of(name)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

static void setup_plane(bool quiet)
{
	const struct plane_limits limits = {64, 64, 64, 8, 16}; /* slots 1 - 3, 4 the fabric */
	struct plane *p;
	bool adopted = true;

	netns_enter_or_skip();
	if (quiet)
		sh("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
	/* What the bridge device itself sends is flooded whatever the knobs say; here it is to be
	 * silent. */
	sh("ip link add br0 type bridge mcast_snooping 0 && echo 1 "
	   ">/proc/sys/net/ipv6/conf/br0/disable_ipv6");
	sh("ip link set br0 up");
	ck_assert_int_eq(ops->open(NULL, &limits, &p, &adopted), 0);
	ck_assert(!adopted);
	plane = p;
	for (int i = 1; i <= PORTS; i++) {
		char m = (char)('A' + i - 1);
		const char *knobs =
			"learning off locked on flood off mcast_flood off bcast_flood off";
		char name[16], mac[MAC_TEXT];
		struct layout_port lp = {
			.lan = LAN, .slot = (uint32_t)i, .kind = PORT_MEMBER, .flags = PORT_CLOSED};

		mac_format(frame_mac(m), mac);
		sh("ip link add name p%d type veth peer name m%d address %s && ip link set p%d "
		   "master br0",
			i, i, mac, i);
		sh("echo 1 >/proc/sys/net/ipv6/conf/p%d/disable_ipv6", i);
		sh("bridge fdb add %s dev p%d master static sticky && bridge link set dev p%d %s",
			mac, i, i, knobs);
		sh("ip link set p%d up && ip link set m%d up", i, i);
		snprintf(name, sizeof name, "p%d", i);
		port[i] = ifindex_of(name);
		ck_assert_int_eq(ops->port_attach(plane, port[i], false), -ENOENT);
		ck_assert_int_eq(ops->port_set(plane, port[i], &lp), 0);
		ck_assert_int_eq(ops->port_attach(plane, port[i], false), 0);
		ck_assert_int_eq(ops->port_attach(plane, port[i], true), 0);
		set_mac(m, port[i]);
		snprintf(name, sizeof name, "m%d", i);
		member[i] = raw_socket(name);
	}
	for (int i = 1; i <= PORTS; i++) {
		char text[32];

		snprintf(text, sizeof text, "198.18.0.%d", i);
		set_bind(text, (char)('A' + i - 1), port[i]);
		snprintf(text, sizeof text, "2001:db8::%d", i);
		set_bind(text, (char)('A' + i - 1), port[i]);
	}
}

static void setup(void)
{
	setup_plane(true);
}

static void setup_hosts(void)
{
	setup_plane(false);
}

static void teardown(void)
{
	ops->close(plane, false);
	for (int i = 1; i <= PORTS; i++)
		close(member[i]);
}

static void on_event(void *arg, const struct layout_event *e)
{
	(void)arg;
	if (event_count < sizeof events / sizeof events[0])
		events[event_count++] = *e;
}

static bool told(uint8_t type, const char *ip)
{
	struct ip want = frame_ip(ip);

	for (size_t i = 0; i < event_count; i++)
		if (events[i].type == type && memcmp(events[i].ip, want.b, 16) == 0)
			return true;
	return false;
}

static void turn(uint64_t until, const char *what)
{
	struct pollfd p = {ops->fd(plane), POLLIN, 0};

	ck_assert_msg(test_now_ms() < until, "waited in vain for: %s", what);
	poll(&p, 1, 10);
	ck_assert_int_eq(ops->poll(plane, on_event, NULL), 0);
}

#define WAIT_FOR(cond)                                                                             \
	do {                                                                                       \
		uint64_t until_ms = test_now_ms() + WAIT_MS;                                       \
		while (!(cond))                                                                    \
			turn(until_ms, #cond);                                                     \
	} while (0)

static uint64_t counted(int slot, enum frame_dir dir, enum frame_class cls, enum frame_outcome o)
{
	static struct layout_counter c[DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT];

	ck_assert_int_eq(ops->counters(plane, (uint32_t)slot, c), 0);
	return c[dir][cls][o].frames;
}

static uint64_t counted_in(int slot)
{
	uint64_t sum = 0;

	for (int c = 0; c < CLASS_COUNT; c++)
		for (int o = 0; o < OUTCOME_COUNT; o++)
			sum += counted(slot, DIR_IN, c, o);
	return sum;
}

static void say(int from, const struct frame_spec *s)
{
	struct frame_made m = frame_make(s);

	if (m.len < 60) {
		memset(m.b + m.len, 0, 60 - m.len);
		m.len = 60;
	}
	ck_assert_int_eq(send(member[from], m.b, m.len, 0), (ssize_t)m.len);
}

/* The next frame that came to a member, not one that it sent; 0: none. */
static size_t heard(int at, uint8_t *buf, size_t cap)
{
	struct sockaddr_ll from;
	socklen_t len = sizeof from;
	ssize_t n;

	while ((n = recvfrom(member[at], buf, cap, 0, (struct sockaddr *)&from, &len)) >= 0)
		if (from.sll_pkttype != PACKET_OUTGOING)
			return (size_t)n;
	return 0;
}

static size_t all_heard(int at)
{
	uint8_t b[2048];
	size_t n = 0;

	while (heard(at, b, sizeof b))
		n++;
	return n;
}

/* Each: what member 1 says, its class and what becomes of it. */
static const struct {
	struct frame_spec say;
	enum frame_class cls;
	enum frame_outcome outcome;
} rows[] = {
	{ARP(.from = "198.18.0.1", .to = "198.18.0.2"), CLASS_ARP_REQUEST, OUTCOME_ANSWERED},
	{ARP(.from = "198.18.0.1", .to = "198.18.0.99"), CLASS_ARP_REQUEST, OUTCOME_UNKNOWN_TARGET},
	{ARP(.from = "198.18.0.1", .to = "198.18.0.1"), CLASS_ARP_GRATUITOUS, OUTCOME_ABSORBED},
	{ARP(.from = "0.0.0.0", .to = "198.18.0.2"), CLASS_ARP_PROBE, OUTCOME_ANSWERED},
	{ARP(.from = "0.0.0.0", .to = "198.18.0.98"), CLASS_ARP_PROBE, OUTCOME_FREE_PROBE},
	{ARP(.from = "198.18.0.66", .to = "198.18.0.2"), CLASS_ARP_REQUEST, OUTCOME_SPOOF_IP},
	{ARP(.src = 'X', .from = "198.18.0.1", .to = "198.18.0.2"), CLASS_ARP_REQUEST,
		OUTCOME_SPOOF_MAC},
	{NS(.from = "2001:db8::1", .target = "2001:db8::2", .hex = "0101 020000000041"), CLASS_NS,
		OUTCOME_ANSWERED},
	{NS(.from = "::", .target = "2001:db8::77"), CLASS_NS_DAD, OUTCOME_FREE_PROBE},
	{RAW(.dst = 't', .hex = "88cc 0207040000000000"), CLASS_LLDP, OUTCOME_HYGIENE},
	{RAW(.dst = '*', .hex = "8100 0064 0806 0001"), CLASS_TAGGED, OUTCOME_HYGIENE},
	{IP4(.dst = 'm', .op = 89), CLASS_OSPF, OUTCOME_HYGIENE},
	{RAW(.dst = 'B', .hex = "88b5 0000"), CLASS_ETHERTYPE, OUTCOME_HYGIENE},
};
#define ROWS (sizeof rows / sizeof rows[0])

START_TEST(answers_counts_and_tells)
{
	uint8_t b[2048];
	uint64_t answers = 0;

	for (size_t i = 0; i < ROWS; i++) {
		uint64_t before = counted(1, DIR_IN, rows[i].cls, rows[i].outcome);

		say(1, &rows[i].say);
		WAIT_FOR(counted(1, DIR_IN, rows[i].cls, rows[i].outcome) == before + 1);
		answers += rows[i].outcome == OUTCOME_ANSWERED;
	}
	/* Each once, nothing else: the ledger of the way in is complete. */
	ck_assert_uint_eq(counted_in(1), ROWS);
	ck_assert_uint_eq(counted_in(2), 0);
	ck_assert_uint_eq(counted(1, DIR_OUT, CLASS_ARP_REPLY, OUTCOME_ANSWER), 2);
	ck_assert_uint_eq(counted(1, DIR_OUT, CLASS_NA, OUTCOME_ANSWER), 1);
	/* The first answer, to the octet. */
	ck_assert_uint_eq(heard(1, b, sizeof b), 42);
	ck_assert_mem_eq(b, frame_mac('A').b, 6);
	ck_assert_mem_eq(b + 6, frame_mac('B').b, 6);
	ck_assert_mem_eq(b + 12, ((uint8_t[]){8, 6, 0, 1, 8, 0, 6, 4, 0, 2}), 10);
	ck_assert_mem_eq(b + 22, frame_mac('B').b, 6);
	ck_assert_mem_eq(b + 28, ((uint8_t[]){198, 18, 0, 2}), 4);
	ck_assert_uint_eq(all_heard(1), answers - 1);
	/* An idle port got nothing. The one addressed frame was of an ethertype that only a gate can
	 * hold back. */
	ck_assert_uint_eq(all_heard(3), 0);
	ck_assert_uint_eq(all_heard(2), !WITH_NFT);
	WAIT_FOR(counted(2, DIR_OUT, CLASS_ETHERTYPE, OUTCOME_DELIVERED) == !WITH_NFT);
	ck_assert(told(EVENT_PROBE, "198.18.0.98") && told(EVENT_PROBE, "2001:db8::77"));
	ck_assert(told(EVENT_SPOOF, "198.18.0.66") && told(EVENT_SPOOF, NULL));
	ck_assert_int_eq(ops->counters_zero(plane, 1), 0);
	ck_assert_uint_eq(counted_in(1), 0);
	ck_assert_int_eq(ops->counters_zero(plane, 8), -EINVAL);
}
END_TEST

START_TEST(events_are_few)
{
	struct frame_spec spoof = ARP(.from = "198.18.0.66", .to = "198.18.0.2");
	char text[32];
	uint64_t from = test_now_ms();

	for (int i = 0; i < 200; i++)
		say(1, &spoof);
	WAIT_FOR(counted(1, DIR_IN, CLASS_ARP_REQUEST, OUTCOME_SPOOF_IP) == 200);
	/* The same is told once a second. */
	ck_assert_uint_le(event_count, 1 + (test_now_ms() - from) / 1000);
	event_count = 0;
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof text, "198.18.1.%d", i);
		spoof.from = text;
		say(1, &spoof);
	}
	WAIT_FOR(counted(1, DIR_IN, CLASS_ARP_REQUEST, OUTCOME_SPOOF_IP) == 400);
	/* Sixteen a second, and at once what four seconds would earn. */
	ck_assert_uint_le(event_count, 64 + 16 * ((test_now_ms() - from) / 1000 + 1));
	ck_assert_uint_ge(event_count, 32);
}
END_TEST

START_TEST(port_down_up_and_away)
{
	const struct frame_spec ask = ARP(.from = "198.18.0.1", .to = "198.18.0.2");
	struct layout_port police = {
		.lan = LAN, .slot = 1, .kind = PORT_MEMBER, .unknown_target = UNKNOWN_POLICE};
	struct layout_port far = {.lan = LAN, .slot = 8, .kind = PORT_MEMBER};
	struct layout_port lone = {.lan = LAN, .slot = 7, .kind = PORT_MEMBER};
	const struct frame_spec announce = ARP(.from = "198.18.0.1", .to = "198.18.0.1");
	struct frame_made gratuitous = frame_make(&announce);
	uint64_t until;

	ck_assert_int_eq(ops->send(plane, port[1], gratuitous.b, gratuitous.len), 0);
	ck_assert_uint_eq(counted(1, DIR_OUT, CLASS_ARP_GRATUITOUS, OUTCOME_PROBE), 1);
	ck_assert_uint_eq(all_heard(1), 1);
	sh("ip link set p1 down");
	ck_assert_int_eq(ops->port_attach(plane, port[1], false), 0);
	ck_assert_int_eq(ops->send(plane, port[1], gratuitous.b, gratuitous.len), -EIO);
	sh("ip link set p1 up");
	until = test_now_ms() + WAIT_MS;
	while (!all_heard(1)) {
		say(1, &ask);
		turn(until, "an answer after the port came back");
	}
	ck_assert_int_eq(ops->port_set(plane, port[1], &police), WITH_NFT ? 0 : -EOPNOTSUPP);
	ck_assert_int_eq(ops->port_set(plane, port[1], &far), -ENOSPC);
	/* A port that is down from the start is taken up when it comes. */
	sh("ip link add name p9 type veth peer name m9");
	ck_assert_int_eq(ops->port_set(plane, ifindex_of("p9"), &lone), 0);
	ck_assert_int_eq(ops->port_attach(plane, ifindex_of("p9"), false), 0);
	ck_assert_int_eq(ops->port_del(plane, ifindex_of("p9")), 0);
	ck_assert_int_eq(ops->port_set(plane, 99999, &lone), 0);
	ck_assert_int_eq(ops->port_attach(plane, 99999, false), -ENODEV);
	/* The interface goes for good under us. */
	sh("ip link del p1");
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(ops->poll(plane, on_event, NULL), 0);
	ck_assert_int_eq(ops->port_del(plane, port[1]), 0);
	ck_assert_int_eq(ops->port_del(plane, port[1]), 0);
	ck_assert_int_eq(ops->send(plane, port[1], gratuitous.b, gratuitous.len), -ENOENT);
}
END_TEST

static pid_t new_host(void)
{
	pid_t pid;
	int ready[2];
	char c;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static pid_t host(int i)
{
	pid_t pid = new_host();

	sh("ip link set m%d netns %d", i, (int)pid);
	sh("nsenter -n -t %d ip addr add 198.18.0.%d/24 dev m%d", (int)pid, i, i);
	sh("nsenter -n -t %d ip -6 addr add 2001:db8::%d/64 dev m%d nodad", (int)pid, i, i);
	sh("nsenter -n -t %d ip link set m%d up", (int)pid, i);
	return pid;
}

/* A host behind another PE, which here is but the far end of the tunnel: MAC 'D', 198.18.0.4. */
static pid_t far_host(void)
{
	struct layout_port fabric = {.lan = LAN, .slot = FAR, .kind = PORT_FABRIC};
	pid_t pid = new_host();
	char mac[MAC_TEXT], text[32];
	uint32_t vx;

	mac_format(frame_mac('A' + FAR - 1), mac);
	sh("ip link add u0 type veth peer name u1 netns %d && ip addr add 10.0.0.1/24 dev u0 && ip "
	   "link set u0 up",
		(int)pid);
	sh("ip link add vx0 type vxlan id 100 local 10.0.0.1 dstport 4789 nolearning && ip link "
	   "set vx0 master br0");
	sh("echo 1 >/proc/sys/net/ipv6/conf/vx0/disable_ipv6 && ip link set vx0 up");
	sh("bridge link set dev vx0 learning off flood off mcast_flood off bcast_flood off");
	sh("bridge fdb add %s dev vx0 dst 10.0.0.2 self && bridge fdb add %s dev vx0 master "
	   "extern_learn",
		mac, mac);
	sh("nsenter -n -t %d sh -ec 'ip addr add 10.0.0.2/24 dev u1; ip link set u1 up; "
	   "ip link add m%d address %s type vxlan id 100 local 10.0.0.2 remote 10.0.0.1 dstport "
	   "4789; "
	   "ip addr add 198.18.0.%d/24 dev m%d; ip -6 addr add 2001:db8::%d/64 dev m%d nodad; ip "
	   "link set m%d up'",
		(int)pid, FAR, mac, FAR, FAR, FAR, FAR, FAR);
	vx = ifindex_of("vx0");
	ck_assert_int_eq(ops->port_set(plane, vx, &fabric), 0);
	ck_assert_int_eq(ops->port_attach(plane, vx, false), 0);
	set_mac('A' + FAR - 1, 0);
	snprintf(text, sizeof text, "198.18.0.%d", FAR);
	set_bind(text, 'A' + FAR - 1, 0);
	snprintf(text, sizeof text, "2001:db8::%d", FAR);
	set_bind(text, 'A' + FAR - 1, 0);
	return pid;
}

/* Kernel hosts with empty caches, knobs closed: all pairs reach each other, and only by our
 * answers. */
START_TEST(hosts_reach_each_other)
{
	pid_t hosts[FAR + 1], pinger;
	uint64_t until = test_now_ms() + 20000;
	int status;

	for (int i = 1; i <= PORTS; i++)
		hosts[i] = host(i);
	hosts[FAR] = far_host();
	pinger = fork();
	if (pinger == 0) {
		for (int i = 1; i <= FAR; i++)
			for (int k = 1; k <= FAR; k++)
				if (i != k)
					sh("nsenter -n -t %d ping -q -c 1 -W 2 198.18.0.%d "
					   ">/dev/null && "
					   "nsenter -n -t %d ping -q -c 1 -W 2 2001:db8::%d "
					   ">/dev/null",
						(int)hosts[i], k, (int)hosts[i], k);
		_exit(0);
	}
	while (waitpid(pinger, &status, WNOHANG) == 0)
		turn(until, "all pings");
	for (int i = 1; i <= FAR; i++) {
		kill(hosts[i], SIGKILL);
		waitpid(hosts[i], NULL, 0);
		ck_assert_uint_ge(
			counted(i, DIR_IN, CLASS_ARP_REQUEST, OUTCOME_ANSWERED), PORTS - 1);
		ck_assert_uint_ge(counted(i, DIR_IN, CLASS_NS, OUTCOME_ANSWERED), PORTS - 1);
		for (int c = 0; c < CLASS_COUNT; c++)
			if (c != CLASS_IP4_UNICAST && c != CLASS_IP6_UNICAST && c != CLASS_ARP_UNICAST && c != CLASS_ARP_REPLY &&
				c != CLASS_NS_UNICAST && c != CLASS_NA)
				ck_assert_uint_eq(counted(i, DIR_OUT, c, OUTCOME_DELIVERED), 0);
	}
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("packet");
	TCase *tc = tcase_create("ports"), *hosts = tcase_create("hosts");
	SRunner *sr;
	int failed;

	/* Asked here once: a test that skips is a process that exits, which check takes for a
	 * failure. */
	netns_enter_or_skip();
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, answers_counts_and_tells);
	tcase_add_test(tc, events_are_few);
	tcase_add_test(tc, port_down_up_and_away);
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(hosts, setup_hosts, teardown);
	tcase_set_timeout(hosts, 60);
	tcase_add_test(hosts, hosts_reach_each_other);
	suite_add_tcase(s, hosts);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
