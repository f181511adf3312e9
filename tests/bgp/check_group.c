/* Update groups: packing, order, who is left out, and peers that do not read. */
#include "bgp/engine.h"
#include "tests/bgp/raw.h"
#include "tests/bgp/sim.h"

static struct sim sim;
static struct raw raw;
static char text[8192];

#define GOT(expected) ck_assert_str_eq(raw_text(&raw, text, sizeof(text)), expected)

static void raw_begin(void)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_forget(&raw);
}

static void put(unsigned number, uint8_t payload, uint32_t med)
{
	struct nlri n = {.key_len = 2,
		.payload_len = 1,
		.key = {TEST_PAYLOAD_TYPE, (uint8_t)number},
		.payload = {payload}};
	struct attrs a = {.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) |
				     ATTR_BIT(ATTR_NEXT_HOP) | ATTR_BIT(ATTR_MED),
		.med = med,
		.next_hop = ip_v4_u32(RAW_LOCAL)};

	ck_assert_int_eq(speaker_originate(raw.s, &test_family, &n, &a, raw.now), 0);
}

static void take(unsigned number)
{
	struct nlri n = {.key_len = 2, .key = {TEST_PAYLOAD_TYPE, (uint8_t)number}};

	ck_assert_int_eq(speaker_unoriginate(raw.s, &test_family, &n, raw.now), 0);
}

/* What changes in one turn leaves together: withdrawals first, then by attributes. */
START_TEST(packs)
{
	raw_begin();
	for (unsigned i = 1; i <= 4; i++)
		put(i, 1, i % 2);
	raw_drain(&raw);
	raw_text(&raw, text, sizeof(text));
	ck_assert_msg(
		strcmp(text, "+1,+3 +2,+4") == 0 || strcmp(text, "+2,+4 +1,+3") == 0, "%s", text);
	raw_forget(&raw);
	put(5, 1, 1);
	take(2);
	take(4);
	raw_drain(&raw);
	ck_assert_str_eq(raw_text(&raw, text, sizeof(text)), "-2,-4 +5");
	raw_stop(&raw);
}
END_TEST

/* Within a turn only the outcome is told, and nothing if it is what was. */
START_TEST(coalesces)
{
	raw_begin();
	for (unsigned i = 0; i < 100; i++)
		put(1, (uint8_t)i, 1);
	put(2, 1, 1);
	take(2);
	raw_drain(&raw);
	GOT("+1");
	raw_forget(&raw);
	put(1, 99, 1);
	raw_drain(&raw);
	GOT("");
	ck_assert_uint_eq(raw_view(&raw).routes_out, 1);
	raw_stop(&raw);
}
END_TEST

START_TEST(communities)
{
	static const uint8_t none[] = {0xff, 0xff, 0xff, 0x02},
			     no_export[] = {0xff, 0xff, 0xff, 0x01};
	struct nlri n = {.key_len = 2, .key = {1, 1}};
	struct attrs a = {.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) |
				     ATTR_BIT(ATTR_NEXT_HOP) | ATTR_BIT(ATTR_COMMUNITIES),
		.next_hop = ip_v4_u32(RAW_LOCAL),
		.communities = {no_export, 4}};

	raw_begin();
	ck_assert_int_eq(speaker_originate(raw.s, &test_family, &n, &a, raw.now), 0);
	raw_drain(&raw);
	GOT("+1");
	raw_forget(&raw);
	a.communities.p = none;
	ck_assert_int_eq(speaker_originate(raw.s, &test_family, &n, &a, raw.now), 0);
	raw_drain(&raw);
	GOT("-1");
	raw_stop(&raw);
}
END_TEST

/* --- peers that do not read --- */

static void client(struct neighbor_config *c)
{
	c->passive = c->client = true;
	c->queue_octets = 100000;
}

static void star(int n)
{
	sim_init(&sim);
	for (int i = 0; i <= n; i++) {
		struct speaker_config c = sim_config(65000, i);
		c.hold_sec = 90;
		sim_start(&sim, i, &c);
	}
	for (int i = 1; i <= n; i++) {
		sim_neighbor(&sim, 0, i, 65000, client);
		sim_neighbor(&sim, i, 0, 65000, NULL);
	}
	sim_settle(&sim);
}

static void check_equal(int a, int b)
{
	const struct sim_known *k;

	ck_assert_uint_eq(sim.node[a].known.count, sim.node[b].known.count);
	hmap_foreach (&sim.node[a].known, k) {
		uint32_t number = (uint32_t)k->key[1] << 24 | (uint32_t)k->key[2] << 16 |
				  (uint32_t)k->key[3] << 8 | k->key[4];
		ck_assert_ptr_nonnull(sim_known(&sim, b, number));
		ck_assert_uint_eq(sim_known(&sim, b, number)->payload, k->payload);
	}
}

START_TEST(slow_reader)
{
	enum { ROUTES = 3000 };
	uint32_t most = 0;

	star(3);
	sim_originate(&sim, 2, 1000000, 1);
	sim_settle(&sim);
	sim_stop_reading(&sim, 2, 0, true);
	for (unsigned round = 0; round < 12; round++) {
		for (uint32_t i = 0; i < ROUTES; i++)
			if ((i + round) % 7 == 0)
				sim_withdraw(&sim, 1, i);
			else
				sim_originate(&sim, 1, i, (uint8_t)round);
		sim_settle(&sim);
		uint32_t queued = sim_view(&sim, 0, 2).queued_octets;
		most = queued > most ? queued : most;
	}
	/* Its queue is bounded; the others, and itself as a sender, notice nothing. */
	ck_assert_uint_le(most, 100000);
	ck_assert_uint_gt(most, 20000);
	ck_assert_uint_eq(sim_known(&sim, 3, 5)->payload, 11);
	sim_originate(&sim, 2, 1000001, 1);
	sim_settle(&sim);
	ck_assert_ptr_nonnull(sim_known(&sim, 3, 1000001));
	ck_assert(sim_up(&sim, 0, 2));

	uint64_t before = sim_half(&sim, 0, 2)->octets;
	sim_stop_reading(&sim, 2, 0, false);
	sim_settle(&sim);
	check_equal(3, 2);
	/* What changed many times was told it once. */
	ck_assert_uint_lt(sim_half(&sim, 0, 2)->octets - before, 300000);
	ck_assert_uint_eq(sim_view(&sim, 0, 2).queued_octets, 0);
	/* In step again. */
	sim_withdraw(&sim, 1, 1);
	sim_settle(&sim);
	ck_assert_ptr_null(sim_known(&sim, 2, 1));
	check_equal(3, 2);
	sim_free(&sim);
}
END_TEST

/* While one lags, the best path wanders between the others and back; the laggard owns some itself.
 */
START_TEST(slow_reader_who_owns)
{
	star(3);
	for (uint32_t i = 0; i < 2000; i++)
		sim_originate(&sim, 3, i, 3);
	sim_settle(&sim);
	sim_stop_reading(&sim, 2, 0, true);
	for (int round = 0; round < 6; round++) {
		for (uint32_t i = 0; i < 2000; i++) {
			sim_originate(&sim, 2, i, 2);
			sim_originate(&sim, 1, i, (uint8_t)(10 + round));
		}
		sim_settle(&sim);
		for (uint32_t i = 0; i < 2000; i += 2)
			sim_withdraw(&sim, 1, i);
		sim_settle(&sim);
	}
	sim_stop_reading(&sim, 2, 0, false);
	sim_settle(&sim);
	/* To the reflector the odd ones are node 1's, the even ones node 2's, who is told of no
	 * other. */
	for (uint32_t i = 0; i < 2000; i++)
		ck_assert_uint_eq(sim_known(&sim, 1, i)->payload, i % 2 ? 15 : 2);
	ck_assert_uint_eq(sim_view(&sim, 3, 0).routes_in, 2000);
	ck_assert_uint_eq(sim_view(&sim, 1, 0).routes_in, 1000);
	ck_assert_uint_eq(sim_view(&sim, 2, 0).routes_in, 1000);
	ck_assert_uint_eq(sim_view(&sim, 0, 2).routes_out, 1000);
	sim_free(&sim);
}
END_TEST

/* One who sends new keys without end and never reads does not fill our memory with what it was not
 * told. */
START_TEST(tombstones_are_bounded)
{
	struct speaker_stats st;
	uint32_t key = 0;

	star(3);
	sim.node[0].s->tombstones_max = 100000;
	sim_originate(&sim, 3, 77, 1);
	sim_settle(&sim);
	sim.black_hole = true;
	sim_stop_reading(&sim, 2, 0, true);
	for (int round = 0; round < 200 && sim_up(&sim, 0, 2); round++) {
		for (uint32_t i = 0; i < 2000; i++)
			sim_originate(&sim, 1, 10000 + key + i, 1);
		sim_settle(&sim);
		for (uint32_t i = 0; i < 2000; i++)
			sim_withdraw(&sim, 1, 10000 + key++);
		sim_settle(&sim);
	}
	ck_assert(!sim_up(&sim, 0, 2));
	ck_assert_uint_gt(key, 90000);
	ck_assert_uint_lt(key, 120000);
	ck_assert_str_eq(sim_view(&sim, 0, 2).last_error,
		"sent 6/8 Cease/Out of Resources: too far behind the changes");
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert(sim_up(&sim, 0, 3));
	speaker_stats(sim.node[0].s, &st);
	ck_assert_uint_eq(st.routes, 1);
	sim.black_hole = false;
	sim_stop_reading(&sim, 2, 0, false);
	sim_run(&sim, 10000);
	ck_assert(sim_up(&sim, 0, 2));
	check_equal(1, 2);
	sim_free(&sim);
}
END_TEST

static unsigned routes(int node)
{
	struct speaker_stats st;

	speaker_stats(sim.node[node].s, &st);
	return (unsigned)st.routes;
}

/* While the only one to be told has much to read a sweep waits for him, but not for ever; and not at all if he does not
 * read. */
START_TEST(sweep_and_slow_reader)
{
	enum { ROUTES = 60000 };

	star(2);
	sim.node[0].s->neighbor[2]->config.queue_octets = 400000;
	for (uint32_t i = 0; i < ROUTES; i++)
		sim_originate(&sim, 1, i, 1);
	sim_settle(&sim);
	ck_assert_uint_eq(sim.node[2].known.count, ROUTES);
	sim_half(&sim, 0, 2)->rate = 1000;
	sim_stop_reading(&sim, 2, 0, _i);
	sim_run(&sim, 100);
	uint64_t down = sim.now;
	ck_assert_int_eq(speaker_shutdown_neighbor(
				 sim.node[0].s, sim.node[0].s->neighbor[1], true, NULL, sim.now),
		0);
	while (routes(0) && sim.now < down + 5000)
		sim_run(&sim, 5);
	ck_assert_uint_eq(routes(0), 0);
	if (_i)
		ck_assert_uint_le(sim.now, down + 40);
	else
		ck_assert_uint_ge(sim.now, down + 100);
	ck_assert_uint_le(sim.now, down + 1000);
	ck_assert(sim_up(&sim, 0, 2));
	sim_half(&sim, 0, 2)->rate = 0;
	sim_stop_reading(&sim, 2, 0, false);
	sim_run(&sim, 1000);
	ck_assert_uint_eq(sim.node[2].known.count, 0);
	sim_free(&sim);
}
END_TEST

/* --- who holds up whom --- */

/* What each of four readers takes in 10 ms, in hundreds of octets, of some 5 600 that there are; 0: nothing. */
static const struct pace {
	unsigned takes[4];
	bool waits; /* who makes them is to wait */
	const char *what;
} paces[] = {
	{{100, 100, 100, 100}, false, "all read what there is"},
	{{20, 20, 20, 20}, true, "nobody does"},
	{{20, 20, 20, 15}, true, "nobody does, and one is slower"},
	{{100, 100, 100, 40}, true, "one does not, and keeps pace with the others"},
	{{100, 100, 100, 20}, false, "one reads slowly"},
	{{100, 100, 100, 0}, false, "one does not read"},
	{{100, 0, 0, 0}, false, "just one reads"},
	{{20, 0, 0, 0}, true, "just one reads, and he not all"},
	{{0, 0, 0, 0}, false, "nobody reads"},
};

START_TEST(flood)
{
	enum { ROUTES = 800, ROUNDS = 200 };
	const struct pace *p = &paces[_i];
	unsigned waited = 0;

	star(5);
	sim.socket = 16384;
	struct neighbor *flooder = sim.node[0].s->neighbor[1];
	for (int i = 0; i < 4; i++) {
		sim_half(&sim, 0, 2 + i)->rate = p->takes[i] * 100;
		sim_stop_reading(&sim, 2 + i, 0, !p->takes[i]);
	}
	for (uint32_t round = 0; round < ROUNDS; round++) {
		bool waits = round && conn_should_wait(flooder->main->conn, sim.now);
		waited += waits;
		for (uint32_t i = 0; i < ROUTES && !waits; i++)
			sim_originate(&sim, 1, i, (uint8_t)round);
		sim_run(&sim, 10);
	}
	ck_assert_msg(p->waits ? waited > ROUNDS / 10 : !waited, "%s: %u times", p->what, waited);
	sim_free(&sim);
}
END_TEST

/* Without a sweep nothing waits, and the loop is not woken for it. */
START_TEST(slow_reader_wakes_nobody)
{
	star(1);
	sim.node[0].s->neighbor[1]->config.queue_octets = 400000;
	sim_stop_reading(&sim, 1, 0, true);
	uint32_t queued = 0;
	for (uint32_t i = 0; queued <= 250000 && i < 100000; i += 1000) {
		for (uint32_t k = 0; k < 1000; k++)
			sim_originate(&sim, 0, i + k, 1);
		sim_settle(&sim);
		queued = sim_view(&sim, 0, 1).queued_octets;
	}
	ck_assert_uint_gt(queued, 250000);
	ck_assert_uint_gt(speaker_deadline(sim.node[0].s), sim.now + 1);
	sim_free(&sim);
}
END_TEST

/* A client comes while the table changes under its first dump. */
START_TEST(joins_in_the_midst)
{
	star(2);
	sim.chunk = 500;
	for (uint32_t i = 0; i < 3000; i++)
		sim_originate(&sim, 1, i, 1);
	sim_settle(&sim);
	struct speaker_config c = sim_config(65000, 3);
	sim_start(&sim, 3, &c);
	sim_neighbor(&sim, 0, 3, 65000, client);
	sim_neighbor(&sim, 3, 0, 65000, NULL);
	for (int i = 0; i < 200; i++) {
		sim_originate(&sim, 1, (uint32_t)(i * 13) % 3000, (uint8_t)i);
		sim_withdraw(&sim, 1, (uint32_t)(i * 7) % 3000);
		sim_originate(&sim, 1, 5000 + (uint32_t)i, 1);
		if (i % 2)
			sim_withdraw(&sim, 1, 5000 + (uint32_t)i);
		sim_turn(&sim);
	}
	sim_settle(&sim);
	check_equal(2, 3);
	check_equal(3, 2);
	ck_assert_uint_eq(sim_view(&sim, 0, 3).routes_out, sim_view(&sim, 3, 0).routes_in);
	sim_free(&sim);
}
END_TEST

/* Attributes that fit an extended message but not an ordinary one: the route is taken back where it
 * does not fit. */
START_TEST(too_long_for_one)
{
	static uint8_t buf[BGP_MSG_EXTENDED_MAX];
	struct bgp_open o = raw_open();
	struct neighbor_config nc = raw_neighbor();
	struct neighbor *other;
	struct neighbor_view v;

	raw_begin();
	nc.address = ip_v4_u32(RAW_PEER + 1);
	ck_assert_int_eq(speaker_add_neighbor(raw.s, &nc, raw.now, &other), 0);
	struct raw second = {.s = raw.s, .n = other, .now = raw.now, .window = SIZE_MAX};
	second.c = raw_call(&second, RAW_PEER + 1);
	raw_drain(&second);
	o.bgp_id = RAW_PEER + 1;
	o.extended_message = true;
	raw_establish(&second, &o);

	raw_rx(&second, buf, raw_update(buf, sizeof(buf), 1, 3, 1, false, 0));
	raw_drain(&raw);
	GOT("+1,+2,+3");
	raw_forget(&raw);
	raw_rx(&second, buf, raw_update(buf, sizeof(buf), 2, 2, 1, false, 20000));
	raw_drain(&raw);
	GOT("-2");
	neighbor_view(other, &v);
	ck_assert_uint_eq(v.routes_in, 3);
	free(second.out);
	raw_stop(&raw);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("group");
	TCase *t = tcase_create("group");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, packs);
	tcase_add_test(t, coalesces);
	tcase_add_test(t, communities);
	tcase_add_test(t, slow_reader);
	tcase_add_test(t, slow_reader_who_owns);
	tcase_add_test(t, tombstones_are_bounded);
	tcase_add_loop_test(t, sweep_and_slow_reader, 0, 2);
	tcase_add_loop_test(t, flood, 0, sizeof(paces) / sizeof(paces[0]));
	tcase_add_test(t, slow_reader_wakes_nobody);
	tcase_add_test(t, joins_in_the_midst);
	tcase_add_test(t, too_long_for_one);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
