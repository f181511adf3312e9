/* Speakers back to back: sessions, reflection, what is told to whom, bounds. */
#include <check.h>
#include <stdlib.h>

#include "tests/bgp/sim.h"

static struct sim sim;

static void setup(void)
{
	sim_init(&sim);
}

static void teardown(void)
{
	sim_free(&sim);
}



static void passive_client(struct neighbor_config *c)
{
	c->passive = c->client = true;
}

/* Node 0 reflects for nodes 1 .. n. */
static void star(int n)
{
	for (int i = 0; i <= n; i++) {
		struct speaker_config c = sim_config(65000, i);
		sim_start(&sim, i, &c);
	}
	for (int i = 1; i <= n; i++) {
		sim_neighbor(&sim, 0, i, 65000, passive_client);
		sim_neighbor(&sim, i, 0, 65000, NULL);
	}
	sim_settle(&sim);
	for (int i = 1; i <= n; i++) {
		ck_assert(sim_up(&sim, 0, i));
		ck_assert(sim_up(&sim, i, 0));
	}
}

START_TEST(session_comes_up)
{
	star(1);
	struct neighbor_view v = sim_view(&sim, 0, 1);
	ck_assert(v.ibgp && v.gr && v.as4 && v.extended_message && v.enhanced_refresh);
	ck_assert_uint_eq(v.hold_sec, 9);
	sim_run(&sim, 600000);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert_uint_eq(sim_view(&sim, 0, 1).flaps, 0);
	ck_assert_uint_gt(sim_view(&sim, 0, 1).msgs_in, 150);
}
END_TEST

START_TEST(both_active_collide)
{
	for (int i = 0; i < 2; i++) {
		struct speaker_config c = sim_config(65000, i);
		sim_start(&sim, i, &c);
		sim.node[i].refuse = true;
	}
	sim_neighbor(&sim, 0, 1, 65000, NULL);
	sim_neighbor(&sim, 1, 0, 65000, NULL);
	sim_settle(&sim);
	ck_assert(!sim_up(&sim, 0, 1));
	sim.node[0].refuse = sim.node[1].refuse = false;
	sim_run(&sim, 5000);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert(sim_up(&sim, 1, 0));
	sim_run(&sim, 60000);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).flaps, 0);
	ck_assert_uint_eq(sim_view(&sim, 1, 0).flaps, 0);
}
END_TEST

START_TEST(reflects)
{
	star(3);
	sim_originate(&sim, 1, 7, 1);
	sim_settle(&sim);
	for (int i = 2; i <= 3; i++) {
		const struct sim_known *k = sim_known(&sim, i, 7);
		ck_assert_ptr_nonnull(k);
		ck_assert_uint_eq(k->payload, 1);
		ck_assert_uint_eq(k->next_hop, 0xc0000202);
		ck_assert_uint_eq(k->attrs.originator_id, 0xc0000202);
		ck_assert_uint_eq(k->cluster_len, 4);
	}
	/* The sender has not got its own route back. */
	ck_assert_uint_eq(sim_view(&sim, 1, 0).routes_in, 0);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_out, 0);
	ck_assert_uint_eq(sim_view(&sim, 0, 2).routes_out, 1);

	/* Only the payload changes: told again. */
	sim_originate(&sim, 1, 7, 2);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_known(&sim, 2, 7)->payload, 2);

	sim_withdraw(&sim, 1, 7);
	sim_settle(&sim);
	ck_assert_ptr_null(sim_known(&sim, 2, 7));
	ck_assert_ptr_null(sim_known(&sim, 3, 7));
	ck_assert_uint_eq(sim.node[0].known_count, 0);
}
END_TEST

/* The best path goes from one client to another: the old one is told of the new, the new one loses the old. */
START_TEST(best_moves_between_clients)
{
	star(3);
	sim_originate(&sim, 2, 7, 2);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_view(&sim, 1, 0).routes_in, 1);
	/* Node 1 has the lower identifier. */
	sim_originate(&sim, 1, 7, 1);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_known(&sim, 3, 7)->payload, 1);
	ck_assert_uint_eq(sim_view(&sim, 1, 0).routes_in, 0);
	ck_assert_uint_eq(sim_view(&sim, 2, 0).routes_in, 1);
	sim_withdraw(&sim, 1, 7);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_known(&sim, 3, 7)->payload, 2);
	ck_assert_uint_eq(sim_known(&sim, 1, 7)->payload, 2);
	ck_assert_uint_eq(sim_view(&sim, 2, 0).routes_in, 0);
}
END_TEST

START_TEST(many_routes)
{
	enum { ROUTES = 10000 };
	star(2);
	for (uint32_t i = 0; i < ROUTES; i++)
		sim_originate(&sim, 1, i, (uint8_t)i);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_in, ROUTES);
	ck_assert_uint_eq(sim_view(&sim, 2, 0).routes_in, ROUTES);
	/* Packed by attributes. */
	ck_assert_uint_lt(sim_view(&sim, 2, 0).updates_in, ROUTES / 50);

	/* A client that comes later is told all. */
	struct speaker_config c = sim_config(65000, 3);
	sim_start(&sim, 3, &c);
	sim_neighbor(&sim, 0, 3, 65000, passive_client);
	sim_neighbor(&sim, 3, 0, 65000, NULL);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_view(&sim, 3, 0).routes_in, ROUTES);
	for (uint32_t i = 0; i < ROUTES; i += 2)
		sim_withdraw(&sim, 1, i);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_view(&sim, 3, 0).routes_in, ROUTES / 2);
	struct speaker_stats st;
	speaker_stats(sim.node[0].s, &st);
	ck_assert_uint_eq(st.routes, ROUTES / 2);
	ck_assert_uint_eq(st.paths, ROUTES / 2);
	ck_assert_uint_eq(st.attrsets, 1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("speaker");
	TCase *t = tcase_create("speaker");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, session_comes_up);
	tcase_add_test(t, both_active_collide);
	tcase_add_test(t, reflects);
	tcase_add_test(t, best_moves_between_clients);
	tcase_add_test(t, many_routes);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());

	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
