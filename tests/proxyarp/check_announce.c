/* The pacer of our own frames: budgets, order, one frame for one thing, bounds; and the frames of announcements. */
#include <check.h>
#include <stdio.h>

#include "frames.h"
#include "lib/siphash.h"
#include "proxyarp/announce.h"
#include "proxyarp/layout.h"

#define PORTS 40

struct sent {
	uint32_t to[PORTS + 1];
	uint32_t all;
	char last_mac, first_mac;
	uint8_t last[ANNOUNCE_FRAME_MAX];
	size_t last_len;
	char order[64];
	int ordered;
};

static void on_send(void *arg, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	struct sent *s = arg;

	s->all++;
	ck_assert_uint_le(ifindex, PORTS);
	s->to[ifindex]++;
	s->last_mac = (char)frame[11];
	s->first_mac = s->first_mac ? s->first_mac : s->last_mac;
	memcpy(s->last, frame, len);
	s->last_len = len;
	if (s->ordered < 63)
		s->order[s->ordered++] = (char)frame[len > 20 ? 11 : 0];
}

static struct announce *open_queue(struct sent *s, uint32_t rate, uint32_t port_rate, uint32_t ports)
{
	struct announce_config c = {.on = ANNOUNCE_ALL, .rate = rate, .port_rate = port_rate};
	struct announce *a = announce_new(&c, on_send, s);

	siphash_process_key_fix(1, 2);
	*s = (struct sent){0};
	ck_assert_ptr_nonnull(a);
	for (uint32_t i = 1; i <= ports; i++)
		ck_assert_int_eq(announce_port(a, i, true), 0);
	return a;
}

static struct ip nth(uint32_t i)
{
	return ip_v4_u32(0xc6120000u + i);
}

/* Drains until nothing waits; how long that took. */
static uint64_t drain_all(struct announce *a, uint64_t now_ms)
{
	uint64_t from = now_ms, next;

	while ((next = announce_drain(a, now_ms)) != UINT64_MAX) {
		ck_assert_uint_gt(next, now_ms);
		now_ms = next;
		ck_assert_uint_lt(now_ms - from, 3600000);
	}
	return now_ms - from;
}

/* T13: many bindings at once to many ports: never more than the budgets, and all of them in the end. */
START_TEST(a_storm_is_paced)
{
	struct sent s;
	struct announce *a = open_queue(&s, 100, 10, PORTS);
	struct announce_stats st;
	uint32_t before, worst = 0, worst_port = 0;
	uint64_t now = 1000000, next = now;

	for (uint32_t i = 0; i < 100; i++)
		announce_binding(a, nth(i), frame_mac('C'), 0, 1 + i % PORTS);
	do {
		struct sent was = s;
		for (uint64_t end = now + 1000; now < end && next != UINT64_MAX; now += 10)
			next = announce_drain(a, now);
		before = s.all - was.all;
		worst = before > worst ? before : worst;
		for (int p = 1; p <= PORTS; p++)
			if (s.to[p] - was.to[p] > worst_port)
				worst_port = s.to[p] - was.to[p];
	} while (next != UINT64_MAX);
	ck_assert_uint_eq(s.all, 100 * (PORTS - 1));
	/* A second's, and what had been saved up before. */
	ck_assert_uint_le(worst, 100 + 25);
	ck_assert_uint_le(worst_port, 10 + 3);
	ck_assert_uint_ge(now - 1000000, 38000);
	announce_stats(a, &st);
	ck_assert_uint_eq(st.announced, s.all);
	ck_assert_uint_eq(st.waiting_addresses, 0);
	announce_free(a);
}
END_TEST

START_TEST(the_newest_is_told_once)
{
	struct sent s;
	struct announce *a = open_queue(&s, 1000, 1000, 3);
	struct announce_stats st;

	for (char c = 'C'; c <= 'F'; c++)
		announce_binding(a, nth(1), frame_mac(c), 0, 2);
	announce_binding(a, nth(2), frame_mac('G'), 0, 0);
	announce_forget(a, nth(2));
	drain_all(a, 1000);
	ck_assert_uint_eq(s.all, 2);
	ck_assert_uint_eq(s.to[2], 0);
	ck_assert_int_eq(s.first_mac, 'F');
	ck_assert_int_eq(s.last_mac, 'F');
	announce_stats(a, &st);
	ck_assert_uint_eq(st.replaced, 3);
	announce_free(a);
}
END_TEST

/* Each port has its place in the list: what one has had is not told it again when the address changes for all. */
START_TEST(ports_come_and_go)
{
	struct sent s;
	struct announce *a = open_queue(&s, 4, 4, 3);
	struct announce_stats st;

	for (uint32_t i = 0; i < 10; i++)
		announce_binding(a, nth(i), frame_mac('C'), 0, 0);
	announce_drain(a, 1000);
	announce_port_gone(a, 1);
	announce_port(a, 2, false);
	announce_port(a, 4, true);
	announce_binding(a, nth(3), frame_mac('D'), 0, 0);
	for (uint32_t i = 1; i <= 4; i++)
		s.to[i] = 0;
	drain_all(a, 2000);
	ck_assert_uint_eq(s.to[1] + s.to[2], 0);
	ck_assert_uint_ge(s.to[3], 9);
	ck_assert_uint_eq(s.to[4], 1);
	announce_port_gone(a, 3);
	announce_port_gone(a, 4);
	announce_binding(a, nth(1), frame_mac('C'), 0, 0);
	announce_stats(a, &st);
	ck_assert_uint_eq(st.waiting_addresses, 0);
	ck_assert_uint_eq(announce_drain(a, 99000), UINT64_MAX);
	announce_free(a);
}
END_TEST

static int put(struct announce *a, enum announce_kind kind, uint32_t ifindex, struct ip ip, char mark)
{
	uint8_t f[60] = {[5] = 'x', [11] = (uint8_t)mark};

	return announce_frame(a, kind, ifindex, ip, f, sizeof(f));
}

START_TEST(kinds_take_turns)
{
	struct sent s;
	struct announce *a = open_queue(&s, 1000, 1000, 1);
	uint8_t big[ANNOUNCE_FRAME_MAX + 1] = {0};

	announce_binding(a, nth(9), frame_mac('a'), 0, 0);
	ck_assert_int_eq(put(a, ANNOUNCE_PROBE, 1, nth(1), 'p'), 0);
	ck_assert_int_eq(put(a, ANNOUNCE_REPAIR, 1, nth(1), 'r'), 0);
	ck_assert_int_eq(put(a, ANNOUNCE_REFRESH, 1, nth(1), 'f'), 0);
	ck_assert_int_eq(put(a, ANNOUNCE_CONFIRM, 1, nth(1), 'x'), 0);
	ck_assert_int_eq(put(a, ANNOUNCE_CONFIRM, 1, nth(1), 'c'), 0);
	ck_assert_int_eq(put(a, ANNOUNCE_CONFIRM, 2, nth(1), 'c'), -19);
	ck_assert_int_eq(announce_frame(a, ANNOUNCE_CONFIRM, 1, nth(1), big, sizeof(big)), -90);
	drain_all(a, 1000);
	ck_assert_str_eq(s.order, "cfrpa");
	/* What one kind has waiting holds none of the others back. */
	s.ordered = 0;
	memset(s.order, 0, sizeof(s.order));
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_int_eq(put(a, ANNOUNCE_REPAIR, 1, nth(i), 'r'), 0);
	for (uint32_t i = 0; i < 2; i++)
		ck_assert_int_eq(put(a, ANNOUNCE_PROBE, 1, nth(i), 'p'), 0);
	drain_all(a, 60000);
	ck_assert_str_eq(s.order, "rprprr");
	announce_free(a);
}
END_TEST

/* Whoever sends to the sponge's MAC is told better, at its own port: that must not keep others from being asked. */
START_TEST(one_port_fills_its_own_place)
{
	struct sent s;
	struct announce *a = open_queue(&s, 1, 1, 3);
	struct announce_stats st;

	for (uint32_t i = 0; i < 5000; i++)
		put(a, ANNOUNCE_REPAIR, 1, nth(i), 'r');
	announce_stats(a, &st);
	ck_assert_uint_eq(st.waiting_of[ANNOUNCE_REPAIR], 1024);
	ck_assert_uint_eq(st.waiting_of[ANNOUNCE_PROBE], 0);
	ck_assert_int_eq(put(a, ANNOUNCE_REPAIR, 1, nth(1), 'r'), 0);
	ck_assert_int_eq(put(a, ANNOUNCE_REPAIR, 2, nth(1), 'r'), 0);
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_int_eq(put(a, ANNOUNCE_CONFIRM, 2, nth(i), 'c'), 0);
	announce_free(a);
}
END_TEST

/* A port whose members change their minds all the time keeps the others' news waiting for its share and no longer. */
START_TEST(what_is_behind_one_port_has_a_share)
{
	struct sent s;
	struct announce *a = open_queue(&s, 10, 10, 4);
	struct announce_stats st;
	uint64_t now = 1000;

	for (uint32_t i = 0; i < 1000; i++)
		announce_binding(a, nth(i), frame_mac('F'), 0, 1);
	announce_stats(a, &st);
	ck_assert_uint_eq(st.waiting_addresses, 32);
	ck_assert_uint_eq(st.dropped, 1000 - 32);
	announce_binding(a, nth(2000), frame_mac('O'), 0, 2);
	for (uint32_t i = 0; i < 40; i++)
		announce_binding(a, nth(3000 + i), frame_mac('R'), 0, 0);
	announce_stats(a, &st);
	ck_assert_uint_eq(st.waiting_addresses, 32 + 1 + 40);
	/* What has gone makes room again. */
	drain_all(a, now);
	announce_binding(a, nth(1), frame_mac('F'), 0, 1);
	announce_stats(a, &st);
	ck_assert_uint_eq(st.waiting_addresses, 1);
	ck_assert_uint_eq(st.dropped, 1000 - 32);
	announce_free(a);
}
END_TEST

START_TEST(everything_is_bounded)
{
	struct sent s;
	struct announce *a = open_queue(&s, 1, 1, 8);
	struct announce_stats st;
	uint32_t refused = 0;

	for (uint32_t i = 0; i < 5000; i++)
		refused += put(a, ANNOUNCE_REFRESH, 1 + i % 8, nth(i), 'f') == -105;
	ck_assert_uint_eq(refused, 5000 - 4096);
	for (uint32_t i = 0; i < 20000; i++)
		announce_binding(a, nth(i), frame_mac('C'), 0, 0);
	announce_stats(a, &st);
	ck_assert_uint_eq(st.waiting, 4096);
	ck_assert_uint_eq(st.waiting_addresses, 16384);
	ck_assert_uint_eq(st.dropped, 5000 - 4096 + 20000 - 16384);
	for (uint32_t i = 1; i <= 8; i++)
		announce_port_gone(a, i);
	announce_stats(a, &st);
	ck_assert_uint_eq(st.waiting, 0);
	ck_assert_uint_eq(st.waiting_addresses, 0);
	announce_free(a);
}
END_TEST

static const struct {
	const char *ip;
	uint8_t flags;
	const char *hex;
} shapes[] = {
	{"198.18.0.3", BIND_ROUTER,
		"ffffffffffff 020000000043 0806 0001 0800 06 04 0001 020000000043 c6120003 000000000000 c6120003"},
	{"2001:db8::3", BIND_ROUTER,
		"333300000001 020000000043 86dd 60000000 0020 3a ff 20010db8000000000000000000000003"
		"ff020000000000000000000000000001 88 00 ???? a0000000 20010db8000000000000000000000003 0201 020000000043"},
	{"2001:db8::3", 0,
		"333300000001 020000000043 86dd 60000000 0020 3a ff 20010db8000000000000000000000003"
		"ff020000000000000000000000000001 88 00 ???? 20000000 20010db8000000000000000000000003 0201 020000000043"},
};

START_TEST(frames)
{
	uint8_t out[ANNOUNCE_FRAME_MAX], want[ANNOUNCE_FRAME_MAX];
	size_t len = announce_build(frame_ip(shapes[_i].ip), frame_mac('C'), shapes[_i].flags, out), n = 0;
	struct frame f;

	for (const char *h = shapes[_i].hex; *h;) {
		char two[3] = {h[0], h[1], 0};
		if (*h == ' ') {
			h++;
			continue;
		}
		want[n] = two[0] == '?' ? out[n] : (uint8_t)strtoul(two, NULL, 16);
		n++;
		h += 2;
	}
	ck_assert_uint_eq(len, n);
	ck_assert_mem_eq(out, want, n);
	/* What is read of it is what it is, checksum and all. */
	frame_read(out, len, false, &f);
	ck_assert_int_eq(f.cls, shapes[_i].ip[4] == ':' ? CLASS_NA_UNSOLICITED : CLASS_ARP_GRATUITOUS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("announce");
	TCase *c = tcase_create("pacer");

	tcase_add_test(c, a_storm_is_paced);
	tcase_add_test(c, the_newest_is_told_once);
	tcase_add_test(c, ports_come_and_go);
	tcase_add_test(c, kinds_take_turns);
	tcase_add_test(c, one_port_fills_its_own_place);
	tcase_add_test(c, what_is_behind_one_port_has_a_share);
	tcase_add_test(c, everything_is_bounded);
	tcase_add_loop_test(c, frames, 0, (int)(sizeof(shapes) / sizeof(shapes[0])));
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
