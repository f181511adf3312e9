/* Membership over several reflectors, route servers and losses: who is told of whose. */
#include "tests/bgp/membership_net.h"

START_TEST(comes_back_after_a_loss)
{
	star(2);
	imports(1, 100, 0);
	imports(2, 100, 0);
	originate_rt(1, 1, 100);
	originate_rt(2, 2, 100);
	settle();
	ck_assert(knows(1, 2) && knows(2, 1));
	sim_kill(&sim, 0);
	start(0, 65000);
	sim_neighbor(&sim, 0, 1, 65000, client);
	sim_neighbor(&sim, 0, 2, 65000, client);
	for (int i = 0; i < 60; i++) {
		sim_run(&sim, 1000);
		ck_assert_msg(knows(1, 2) && knows(2, 1), "gone after %d s", i);
	}
	ck_assert(sim_up(&sim, 0, 1) && sim_up(&sim, 0, 2));
	ck_assert(!sim_known(&sim, 1, 2)->stale && !sim_known(&sim, 2, 1)->stale);
}
END_TEST

/* Route servers pass it on as it is; the next hop of our own is the session's address. */
START_TEST(between_ases)
{
	for (int i = 0; i <= 2; i++)
		start(i, 65000 + (uint32_t)i);
	for (int i = 1; i <= 2; i++) {
		sim_neighbor(&sim, 0, i, 65000 + (uint32_t)i, client);
		sim_neighbor(&sim, i, 0, 65000, takes_part);
	}
	imports(1, 100, 0);
	imports(2, 100, 200);
	originate_rt(1, 1, 100);
	originate_rt(1, 2, 200);
	originate_rt(1, 3, 300);
	originate_rt(2, 4, 200);
	settle();
	ck_assert(knows(2, 1) && knows(2, 2) && !knows(2, 3) && !knows(1, 4));
	ck_assert(!knows(0, 3) && !knows(0, 4));
}
END_TEST

/* Section 3.2 ii: towards one that is no client it is the client's path that counts. */
START_TEST(two_reflectors)
{
	/* 2 - 0 = 1 - 3: the reflectors 0 and 1 are no clients of each other. */
	for (int i = 0; i <= 3; i++)
		start(i, 65000);
	sim_neighbor(&sim, 0, 1, 65000, takes_part);
	sim_neighbor(&sim, 1, 0, 65000, takes_part);
	sim_neighbor(&sim, 0, 2, 65000, client);
	sim_neighbor(&sim, 2, 0, 65000, takes_part);
	sim_neighbor(&sim, 1, 3, 65000, client);
	sim_neighbor(&sim, 3, 1, 65000, takes_part);
	imports(3, 100, 0);
	originate_rt(2, 1, 100);
	originate_rt(2, 2, 200);
	originate_rt(3, 3, 100);
	settle();
	ck_assert(knows(3, 1) && !knows(1, 2) && !knows(0, 3));
	/* Now the same on the other side: reflector 0 has 1's path and a client's. */
	imports(2, 100, 0);
	settle();
	ck_assert(knows(2, 3) && knows(3, 1));
	imports(3, 0, 0);
	settle();
	ck_assert(!knows(3, 1) && knows(2, 3));
}
END_TEST

/* Who is best has not been told to those that may not have it, and who was told is not always who is best. */
START_TEST(withdrawn_where_the_best_does_not_go)
{
	/* The peers 1 and 2 are no clients, 3 is one. */
	for (int i = 0; i <= 3; i++)
		start(i, 65000);
	for (int i = 1; i <= 3; i++) {
		sim_neighbor(&sim, 0, i, 65000, i == 3 ? client : takes_part);
		sim_neighbor(&sim, i, 0, 65000, takes_part);
	}
	imports(1, 100, 0);
	settle();
	ck_assert_uint_eq(sim_view(&sim, 2, 0).memberships_in, 0);
	imports(3, 100, 0);
	settle();
	ck_assert_uint_eq(sim_view(&sim, 2, 0).memberships_in, 1);
	imports(3, 0, 0);
	settle();
	ck_assert_uint_eq(sim_view(&sim, 2, 0).memberships_in, 0);
	ck_assert_uint_eq(sim_view(&sim, 1, 0).memberships_in, 0);
	ck_assert_uint_eq(sim_view(&sim, 3, 0).memberships_in, 1);
}
END_TEST

/* Two say it, each was told of the other, and both take it back in one turn. */
START_TEST(taken_back_together)
{
	star(3);
	imports(1, 100, 0);
	imports(2, 100, 0);
	settle();
	for (int i = 1; i <= 3; i++)
		ck_assert_uint_eq(sim_view(&sim, i, 0).memberships_in, 1);
	imports(1, 0, 0);
	imports(2, 0, 0);
	settle();
	for (int i = 1; i <= 3; i++)
		ck_assert_uint_eq(sim_view(&sim, i, 0).memberships_in, 0);
}
END_TEST

/* A reflector is away; what it passed on goes when the other takes it back, and with it what is wanted by its word. */
START_TEST(a_copy_goes)
{
	/* 0 and 1 reflect for 3 and are no clients of 2. */
	for (int i = 0; i <= 3; i++)
		start(i, 65000);
	for (int r = 0; r <= 1; r++)
		for (int i = 2; i <= 3; i++) {
			sim_neighbor(&sim, r, i, 65000, i == 3 ? client : takes_part);
			sim_neighbor(&sim, i, r, 65000, takes_part);
		}
	imports(3, 100, 0);
	sim_run(&sim, 3000);
	ck_assert_uint_eq(sim_view(&sim, 2, 1).memberships_in, 1);
	sim_kill(&sim, 1);
	sim_run(&sim, 1000);
	ck_assert_uint_eq(sim_view(&sim, 2, 1).routes_stale, 1);
	imports(3, 0, 0);
	settle();
	ck_assert_uint_eq(sim_view(&sim, 2, 1).routes_stale, 0);
	start(1, 65000);
	for (int i = 2; i <= 3; i++)
		sim_neighbor(&sim, 1, i, 65000, i == 3 ? client : takes_part);
	originate_rt(2, 1, 100);
	sim_run(&sim, 10000);
	ck_assert(sim_up(&sim, 1, 2) && sim_up(&sim, 1, 3));
	ck_assert(!knows(0, 1));
	ck_assert(!knows(1, 1));
}
END_TEST

/* What must not leave the AS makes no third and fourth of those that do. */
START_TEST(said_for_the_inside)
{
	star(3);
	start(4, 65004);
	sim_neighbor(&sim, 0, 4, 65004, takes_part);
	sim_neighbor(&sim, 4, 0, 65000, takes_part);
	for (int i = 1; i <= 2; i++)
		say_with(i, "60" RT_100, true, "ffffff01");
	settle();
	ck_assert(sim_up(&sim, 0, 4));
	ck_assert_uint_eq(sim_view(&sim, 0, 2).memberships_in, 1);
	ck_assert_uint_eq(sim_view(&sim, 4, 0).memberships_in, 0);
	imports(3, 100, 0);
	originate_rt(4, 1, 100);
	settle();
	ck_assert_uint_eq(sim_view(&sim, 4, 0).memberships_in, 1);
	ck_assert(knows(3, 1));
	imports(3, 0, 0);
	settle();
	ck_assert_uint_eq(sim_view(&sim, 4, 0).memberships_in, 0);
}
END_TEST

CHECK_MAIN("membership_mesh", tcase_add_checked_fixture(t, setup, teardown);
	   tcase_add_test(t, comes_back_after_a_loss); tcase_add_test(t, between_ases);
	   tcase_add_test(t, two_reflectors); tcase_add_test(t, withdrawn_where_the_best_does_not_go);
	   tcase_add_test(t, taken_back_together); tcase_add_test(t, a_copy_goes);
	   tcase_add_test(t, said_for_the_inside);)
