/* Two reflectors, of which one is away: what the other says is gone, is. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bgp/raw.h"
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

static void start_reflector(int i)
{
	struct speaker_config c = sim_config(65000, i);

	sim_start(&sim, i, &c);
	for (int k = 2; k <= 3; k++)
		sim_neighbor(&sim, i, k, 65000, passive_client);
}

static void start_client(int i)
{
	struct speaker_config c = sim_config(65000, i);

	sim_start(&sim, i, &c);
	sim_neighbor(&sim, i, 0, 65000, NULL);
	sim_neighbor(&sim, i, 1, 65000, NULL);
}

/* 0 and 1 reflect for 2 and 3; 2 has five routes. */
static void two_reflectors(void)
{
	start_reflector(0);
	start_reflector(1);
	start_client(2);
	start_client(3);
	for (unsigned k = 0; k < 5; k++)
		sim_originate(&sim, 2, 20 + k, 1);
	sim_run(&sim, 3000);
	ck_assert_uint_eq(sim_view(&sim, 3, 0).routes_in, 5);
	ck_assert_uint_eq(sim_view(&sim, 3, 1).routes_in, 5);
}

START_TEST(one_is_away)
{
	two_reflectors();
	unsigned losses = sim.node[3].losses;
	sim_kill(&sim, _i);
	sim_run(&sim, 1000);
	ck_assert_uint_eq(sim_view(&sim, 3, _i).routes_stale, 5);
	sim_withdraw(&sim, 2, 21);
	sim_run(&sim, 1000);
	ck_assert_ptr_null(sim_known(&sim, 3, 21));
	ck_assert_uint_eq(sim_view(&sim, 3, _i).routes_stale, 4);
	ck_assert_uint_eq(sim.node[3].losses, losses + 1);
	/* It returns: nothing comes back that is gone, nothing else was ever away. */
	start_reflector(_i);
	sim_run(&sim, 5000);
	ck_assert(sim_up(&sim, _i, 3));
	ck_assert_ptr_null(sim_known(&sim, 3, 21));
	ck_assert_uint_eq(sim_view(&sim, 3, _i).routes_in, 4);
	ck_assert_uint_eq(sim_view(&sim, 3, _i).routes_stale, 0);
	ck_assert_uint_eq(sim.node[3].losses, losses + 1);
}
END_TEST

/* Gone and said again, by the one that is there. */
START_TEST(and_comes_back)
{
	two_reflectors();
	sim_kill(&sim, 0);
	sim_run(&sim, 1000);
	sim_withdraw(&sim, 2, 21);
	sim_run(&sim, 1000);
	sim_originate(&sim, 2, 21, 7);
	sim_run(&sim, 1000);
	ck_assert_uint_eq(sim_known(&sim, 3, 21)->payload, 7);
	start_reflector(0);
	sim_run(&sim, 5000);
	ck_assert_uint_eq(sim_known(&sim, 3, 21)->payload, 7);
}
END_TEST

static void sends_several(struct neighbor_config *c)
{
	c->passive = c->client = true;
	c->add_path = ADD_PATH_SEND;
}

static void takes_several(struct neighbor_config *c)
{
	c->add_path = ADD_PATH_RECEIVE;
}

/* Two have the same key, and one reflector tells of both: only the copy of that which goes, goes. */
START_TEST(one_of_several)
{
	struct speaker_config c;

	for (int i = 0; i <= 4; i++) {
		c = sim_config(65000, i);
		sim_start(&sim, i, &c);
	}
	for (int r = 0; r <= 1; r++)
		for (int i = 2; i <= 4; i++) {
			bool several = r == 0 && i == 3;
			sim_neighbor(&sim, r, i, 65000, several ? sends_several : passive_client);
			sim_neighbor(&sim, i, r, 65000, several ? takes_several : NULL);
		}
	sim_originate(&sim, 2, 21, 1);
	sim_originate(&sim, 4, 21, 1);
	sim_run(&sim, 3000);
	ck_assert_uint_eq(sim_view(&sim, 3, 0).routes_in, 2);
	ck_assert_uint_eq(sim_view(&sim, 3, 1).routes_in, 1);
	sim_kill(&sim, 1);
	sim_run(&sim, 1000);
	/* What reflector 1 had passed on was node 2's. */
	sim_withdraw(&sim, _i ? 2 : 4, 21);
	sim_run(&sim, 1000);
	ck_assert_uint_eq(sim_view(&sim, 3, 0).routes_in, 1);
	ck_assert_uint_eq(sim_view(&sim, 3, 1).routes_stale, _i ? 0 : 1);
}
END_TEST

/* A client that restarts is not spoken for by anybody: what it told itself is no copy. */
START_TEST(what_it_told_itself_stays)
{
	two_reflectors();
	/* Node 1 hears of node 2's routes from node 0 as well. */
	sim_neighbor(&sim, 0, 1, 65000, NULL);
	sim_neighbor(&sim, 1, 0, 65000, NULL);
	sim_run(&sim, 3000);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert_uint_eq(sim_view(&sim, 1, 0).routes_in, 5);
	sim_kill(&sim, 2);
	sim_run(&sim, 1000);
	ck_assert_uint_eq(sim_view(&sim, 1, 2).routes_stale, 5);
	/* Node 0 is told to forget node 2, and says so. */
	struct neighbor *n = speaker_find_neighbor(sim.node[0].s, ip_v4_u32(0xc0000203u), NULL);
	speaker_remove_neighbor(sim.node[0].s, n, sim.now);
	sim_run(&sim, 1000);
	ck_assert_uint_eq(sim_view(&sim, 1, 0).routes_in, 0);
	ck_assert_ptr_nonnull(sim_known(&sim, 1, 21));
	ck_assert_ptr_nonnull(sim_known(&sim, 3, 21));
}
END_TEST

/* While nobody is away a withdrawal is one reflector's only. */
START_TEST(nobody_is_away)
{
	two_reflectors();
	struct neighbor *n = speaker_find_neighbor(sim.node[0].s, ip_v4_u32(0xc0000203u), NULL);
	speaker_remove_neighbor(sim.node[0].s, n, sim.now);
	sim_run(&sim, 1000);
	ck_assert_uint_eq(sim_view(&sim, 3, 0).routes_in, 0);
	ck_assert_uint_eq(sim_view(&sim, 3, 1).routes_in, 5);
	ck_assert_ptr_nonnull(sim_known(&sim, 3, 21));
}
END_TEST

CHECK_MAIN("bgp/copies", {
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, one_is_away, 0, 2);
	tcase_add_test(t, and_comes_back);
	tcase_add_loop_test(t, one_of_several, 0, 2);
	tcase_add_test(t, what_it_told_itself_stays);
	tcase_add_test(t, nobody_is_away);
})
