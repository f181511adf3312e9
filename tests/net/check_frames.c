/* The table of frames (tests/proxyarp/rows.h) on real ports: each frame is sent into the port of the small peering LAN (world.h)
 * that its row names, and what becomes of it is read where an operator would: class and outcome in that port's ledger, the
 * answer at the member's end, octet for octet, and who else hears of it. For each data plane that works here.
 *
 * The LAN's ports are veth ends with the interface numbers of world.h; their other ends, the members, are a hundred higher.
 */
#include <config.h>

#include "tests/net/netns.h"

#include <arpa/inet.h>
#include <check.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include "proxyarp/plane.h"
#include "tests/proxyarp/rows.h"
#include "tests/proxyarp/world.h"

#define WAIT_MS 3000
#define MEMBER_OF(port) ((port) + 100)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const uint32_t ports[] = {
	10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
static const struct plane_ops *ops;
static struct plane *plane;
static struct tables world;
static int wire; /* hears and speaks at all members' ends */
static char dir[] = "/sys/fs/bpf/check-frames-XXXXXX";

static void on_event(void *arg, const struct layout_event *e)
{
	(void)arg;
	(void)e;
}

static void fill(void)
{
	const struct table_bind4 *b4;
	const struct table_bind6 *b6;
	const struct table_mac *m;
	const struct table_port *p;
	const struct table_vtep *v;

	hmap_foreach (&world.bind4, b4)
		ck_assert_int_eq(ops->bind4_set(plane, &b4->k, &b4->v), 0);
	hmap_foreach (&world.bind6, b6)
		ck_assert_int_eq(ops->bind6_set(plane, &b6->k, &b6->v), 0);
	hmap_foreach (&world.macs, m)
		ck_assert_int_eq(ops->mac_set(plane, &m->k, &m->v), 0);
	hmap_foreach (&world.vteps, v)
		ck_assert_int_eq(ops->vtep_set(plane, &v->k), 0);
	hmap_foreach (&world.ports, p) {
		ck_assert_int_eq(ops->port_set(plane, p->ifindex, &p->v), 0);
		ck_assert_int_ge(ops->port_attach(plane, p->ifindex, false), 0);
	}
}

static void interfaces(void)
{
	const struct table_mac *m;

	sh("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
	/* Or netfilter looks at bridged frames, and drops those with a bad checksum. */
	sh("for f in /proc/sys/net/bridge/bridge-nf-call-*; do test ! -e $f || echo 0 >$f; done");
	sh("ip link add name br0 index 5 address 02:00:00:00:00:53 type bridge mcast_snooping 0 "
	   "stp_state 0");
	for (size_t i = 0; i < COUNT(ports); i++) {
		uint32_t n = ports[i];
		sh("ip link add name m%u index %u type veth peer name p%u index %u", n, n, n,
			MEMBER_OF(n));
		if (tables_port(&world, n)->kind != PORT_UNDERLAY)
			sh("ip link set m%u master br0 && bridge link set dev m%u learning off", n, n);
		sh("ip link set m%u up && ip link set p%u up", n, n);
	}
	sh("ip link set br0 up");
	hmap_foreach (&world.macs, m) {
		uint32_t at = m->v.ifindex ? m->v.ifindex : 20;
		if (at == 5 || m->v.flags & (MAC_DOWN | MAC_TRAP))
			continue;
		sh("bridge fdb add 02:00:00:00:00:%02x dev m%u master static", m->k.mac[5], at);
	}
}

static void open_wire(void)
{
	const int on = 1, room = 8 << 20;
	struct sockaddr_ll any = {.sll_family = AF_PACKET, .sll_protocol = htons(0x0003)};

	wire = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(wire, 0);
	ck_assert_int_eq(setsockopt(wire, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on), 0);
	ck_assert_int_eq(setsockopt(wire, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room), 0);
	ck_assert_int_eq(bind(wire, (struct sockaddr *)&any, sizeof any), 0);
}

static void setup(void)
{
	const struct plane_limits limits = {64, 64, 64, 32, 16};
	bool adopted;

	netns_enter_or_skip();
	world_init(&world);
	interfaces();
	ck_assert_int_eq(ops->open(dir, &limits, &plane, &adopted), 0);
	fill();
	open_wire();
}

static void teardown(void)
{
	ops->close(plane, false);
	tables_free(&world);
	close(wire);
}

static uint64_t counted(uint32_t slot, enum frame_dir way, enum frame_class cls, enum frame_outcome o)
{
	static struct layout_counter c[DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT];

	ck_assert_int_eq(ops->counters(plane, slot, c), 0);
	return c[way][cls][o].frames;
}

struct would {
	enum frame_dir way;
	enum frame_class cls;
	enum frame_outcome would;
	uint64_t frames;
};

static void on_would(void *arg, enum frame_dir way, enum frame_class cls, enum frame_outcome o,
	const struct layout_counter *c)
{
	struct would *w = arg;

	if (w->way == way && w->cls == cls && w->would == o)
		w->frames += c->frames;
}

static uint64_t would(uint32_t slot, enum frame_class cls, int o)
{
	struct would w = {DIR_IN, cls, (enum frame_outcome)o, 0};

	if (o)
		ck_assert_int_eq(ops->would_each(plane, slot, on_would, &w), 0);
	return w.frames;
}

static void turn(void)
{
	struct pollfd p = {ops->fd(plane), POLLIN, 0};

	poll(&p, 1, 5);
	ck_assert_int_eq(ops->poll(plane, on_event, NULL), 0);
}

static bool say(uint32_t port, const struct frame_made *m, bool tagged)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)MEMBER_OF(port)};
	uint8_t b[sizeof m->b + 64];
	size_t len = m->len;

	if (len < 14)
		return false; /* no interface takes it */
	memcpy(b, m->b, len);
	if (tagged) { /* the kernel takes it into metadata at the other end */
		memmove(b + 16, b + 12, len - 12);
		memcpy(b + 12, "\x81\x00\x00\x07", 4);
		len += 4;
	}
	/* The kernel takes no tag off a frame that is shorter than any on a real wire. */
	if ((b[12] == 0x81 && b[13] == 0x00) || (b[12] == 0x88 && b[13] == 0xa8)) {
		memset(b + len, 0, len < 60 ? 60 - len : 0);
		len = len < 60 ? 60 : len;
	}
	ck_assert_int_eq(sendto(wire, b, len, 0, (struct sockaddr *)&to, sizeof to), (ssize_t)len);
	return true;
}

/* What the members hear: how many frames there were, those at `at`, and the last of these. */
struct heard {
	size_t all, there, len;
	uint8_t b[2048];
};

static struct heard listen_at(uint32_t at)
{
	struct heard h = {0};
	uint8_t b[2048];
	struct sockaddr_ll from;
	socklen_t from_len = sizeof from;
	ssize_t n;

	while ((n = recvfrom(wire, b, sizeof b, 0, (struct sockaddr *)&from, &from_len)) >= 0) {
		if (from.sll_ifindex < 100)
			continue;
		h.all++;
		if (from.sll_ifindex != (int)MEMBER_OF(at))
			continue;
		h.there++;
		h.len = (size_t)n;
		memcpy(h.b, b, (size_t)n);
	}
	return h;
}

static uint32_t port_of(const uint8_t mac[6])
{
	const struct layout_mac *m = tables_mac(&world, LAN, mac);

	return m && m->ifindex ? m->ifindex : 20;
}

/* Who hears of it, once it has been counted. */
static void check_heard(const struct row *r, const struct frame_made *m, const struct verdict *v)
{
	bool underlay = tables_port(&world, r->port)->kind == PORT_UNDERLAY;
	uint8_t frame[sizeof m->b];
	struct heard h;

	memcpy(frame, m->b, m->len);
	switch (v->outcome) {
	case OUTCOME_ANSWERED:
	case OUTCOME_SPONGED:
		h = listen_at(r->port);
		ck_assert_msg(h.all == 1 && h.there == 1, "%s: %zu frames, %zu of them answers", r->text,
			h.all, h.there);
		ck_assert_msg(h.len == v->answer_len && memcmp(h.b, v->answer, h.len) == 0,
			"%s: another answer", r->text);
		break;
	case OUTCOME_UNICAST_FORWARDED:
		memcpy(frame, v->dst, 6);
		__attribute__((fallthrough));
	case OUTCOME_FORWARDED:
		h = listen_at(port_of(frame));
		/* The bridge has tags and group sources its own way. */
		if (underlay || r->frame.tagged || v->cls == CLASS_TAGGED || frame[6] & 1)
			break;
		ck_assert_msg(h.all == 1 && h.there == 1, "%s: %zu frames, %zu where it belongs",
			r->text, h.all, h.there);
		ck_assert_msg(h.len == m->len && memcmp(h.b, frame, h.len) == 0, "%s: changed", r->text);
		break;
	case OUTCOME_FLOODED:
		h = listen_at(r->port == 11 ? 10 : 11);
		ck_assert_msg(h.all > 10 && h.there == 1, "%s: %zu frames", r->text, h.all);
		break;
	case OUTCOME_WOULD:
		(void)listen_at(0);
		break;
	default:
		h = listen_at(0);
		ck_assert_msg(h.all == 0, "%s: %zu frames", r->text, h.all);
	}
}

START_TEST(every_frame)
{
	(void)listen_at(0);
	for (size_t i = 0; i < COUNT(rows_in); i++) {
		const struct row *r = &rows_in[i];
		struct frame_made m = frame_make(&r->frame);
		uint64_t before, would_before, until = test_now_ms() + WAIT_MS;
		struct verdict v;

		if (r->outcome == OUTCOME_ERROR)
			continue;
		verdict_in(&world,
			&(struct verdict_input){.frame = m.b,
				.len = m.len,
				.ifindex = r->port,
				.tag_in_metadata = r->frame.tagged},
			&v);
		before = counted(r->port, DIR_IN, r->cls, r->outcome);
		would_before = would(r->port, r->cls, r->would);
		if (!say(r->port, &m, r->frame.tagged))
			continue;
		while (counted(r->port, DIR_IN, r->cls, r->outcome) == before ||
			(r->would && would(r->port, r->cls, r->would) == would_before)) {
			ck_assert_msg(test_now_ms() < until, "%s: not counted as %s %s", r->text,
				class_name(r->cls), outcome_name(r->outcome));
			turn();
		}
		check_heard(r, &m, &v);
	}
}
END_TEST

static bool works(const struct plane_ops *candidate)
{
	const struct plane_limits limits = {8, 8, 8, 8, 8};
	struct plane *p;
	bool adopted;
	int r = candidate->open(dir, &limits, &p, &adopted);

	if (r < 0) {
		printf("SKIP: the %s plane does not work here: %s\n", candidate->name, strerror(-r));
		return false;
	}
	candidate->close(p, false);
	return true;
}

int main(void)
{
	static const struct plane_ops *const planes[] = {
#if WITH_BPF
		&plane_bpf,
#endif
		&plane_packet};
	int failed = 0, ran = 0;

	netns_enter_or_skip();
	if (!mkdtemp(dir))
		printf("no BPF file system here\n");
	for (size_t i = 0; i < COUNT(planes); i++) {
		ops = planes[i];
		if (!works(ops))
			continue;
		Suite *s = suite_create(ops->name);
		TCase *tc = tcase_create(ops->name);
		tcase_add_checked_fixture(tc, setup, teardown);
		tcase_set_timeout(tc, 120);
		tcase_add_test(tc, every_frame);
		suite_add_tcase(s, tc);
		SRunner *sr = srunner_create(s);
		srunner_run_all(sr, CK_ENV);
		failed += srunner_ntests_failed(sr);
		srunner_free(sr);
		ran++;
	}
	rmdir(dir);
	return failed ? 1 : ran ? 0 : 77;
}
