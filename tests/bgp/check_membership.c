/* Who is told what because of what he wants, and when. */
#include "tests/bgp/membership_net.h"
#include "tests/bgp/raw.h"

/* --- between speakers --- */

START_TEST(not_negotiated_unless_asked_for)
{
	start(0, 65000);
	start(1, 65000);
	sim_neighbor(&sim, 0, 1, 65000, plain_client);
	sim_neighbor(&sim, 1, 0, 65000, takes_part);
	imports(1, 100, 0);
	originate_rt(0, 1, 7);
	sim_settle(&sim);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert(knows(1, 1)); /* everything, as ever */
}
END_TEST

/* Two PEs of one LAN and one of another, over a reflector. */
START_TEST(only_what_is_imported)
{
	star(3);
	imports(1, 100, 0);
	imports(2, 100, 0);
	imports(3, 200, 0);
	for (int i = 1; i <= 3; i++)
		originate_rt(i, (uint32_t)i, i == 3 ? 200 : 100);
	settle();
	ck_assert(knows(1, 2) && knows(2, 1));
	ck_assert(!knows(1, 3) && !knows(2, 3) && !knows(3, 1) && !knows(3, 2));
	/* Not even to the reflector: nobody else wants them. */
	ck_assert(knows(0, 1) && knows(0, 2) && !knows(0, 3));
	/* A second one in the other LAN. */
	imports(2, 100, 200);
	settle();
	ck_assert(knows(2, 3) && knows(2, 1) && knows(0, 3) && !knows(3, 1));
	imports(2, 200, 0);
	settle();
	ck_assert(knows(2, 3) && !knows(2, 1) && knows(1, 2));
	/* Nobody is left who wants 100 but its own PE. */
	ck_assert(!knows(0, 1) && knows(1, 1));
}
END_TEST

/* RFC 4684 section 3.2 i. */
START_TEST(what_a_client_is_told)
{
	star(2);
	imports(1, 100, 0);
	imports(2, 100, 0);
	settle();
	/* Each has the reflector's word for it: not dropped as a loop, from the reflector's own address. */
	for (int i = 1; i <= 2; i++)
		ck_assert_uint_eq(sim_view(&sim, i, 0).memberships_in, 1);
	ck_assert_uint_eq(sim_view(&sim, 1, 0).routes_in, 0);
	ck_assert(sim_view(&sim, 1, 0).rt_constrain);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).memberships_in, 1);
	/* One alone is not told of itself. */
	imports(2, 0, 0);
	settle();
	ck_assert_uint_eq(sim_view(&sim, 1, 0).memberships_in, 0);
	ck_assert_uint_eq(sim_view(&sim, 2, 0).memberships_in, 1);
}
END_TEST

START_TEST(only_the_difference_is_sent)
{
	star(1);
	imports(1, 100, 0);
	for (uint32_t i = 0; i < 1000; i++)
		originate_rt(0, i, i < 900 ? 100 : 200);
	settle();
	ck_assert(knows(1, 899) && !knows(1, 900));
	unsigned tells = sim.node[1].tells;
	imports(1, 100, 200);
	settle();
	ck_assert(knows(1, 899) && knows(1, 999));
	ck_assert_uint_eq(sim.node[1].tells - tells, 100);
	tells = sim.node[1].tells;
	uint64_t octets = sim_half(&sim, 0, 1)->octets;
	imports(1, 200, 0);
	settle();
	ck_assert(!knows(1, 0) && knows(1, 999));
	ck_assert_uint_eq(sim.node[1].tells - tells, 900);
	ck_assert_uint_lt(sim_half(&sim, 0, 1)->octets - octets, 900 * 10 + 500);
	/* What is the same in the end costs nothing. */
	octets = sim_half(&sim, 0, 1)->octets;
	imports(1, 100, 0);
	imports(1, 200, 0);
	settle();
	ck_assert_uint_lt(sim_half(&sim, 0, 1)->octets - octets, 100);
}
END_TEST

/* Changes of routes while the walk is under way, and of the membership. */
START_TEST(everything_at_once)
{
	star(2);
	imports(1, 100, 0);
	imports(2, 100, 200);
	settle();
	sim.socket = 2000;
	for (uint32_t round = 0; round < 40; round++) {
		for (uint32_t i = 0; i < 500; i++)
			if ((i + round) % 7 == 0)
				sim_withdraw(&sim, 2, i);
			else if ((i * round) % 5 == 0)
				originate_rt(2, i, (i + round) % 3 ? 100 : 200);
		if (round % 3 != 2)
			imports(1, round % 2 ? 100 : 0, round % 4 ? 200 : 0);
		for (unsigned turn = 0; turn < round % 5; turn++)
			sim_turn(&sim);
	}
	imports(1, 200, 0);
	for (uint32_t i = 0; i < 500; i++)
		originate_rt(2, i, i % 2 ? 100 : 200);
	settle();
	for (uint32_t i = 0; i < 500; i++)
		ck_assert(knows(1, i) == !(i % 2));
}
END_TEST

START_TEST(storm_of_changes)
{
	star(1);
	imports(1, 100, 0);
	for (uint32_t i = 0; i < 20000; i++)
		originate_rt(0, i, i % 2 ? 100 : 200);
	settle();
	uint64_t octets = sim_half(&sim, 0, 1)->octets;
	for (unsigned k = 0; k < 200; k++) {
		imports(1, 100, k % 2 ? 0 : 200);
		sim_turn(&sim);
	}
	imports(1, 100, 200);
	settle();
	ck_assert(knows(1, 0) && knows(1, 1));
	/* 20 000 routes of some 10 octets: had each change begun a walk, 200 times as much. */
	ck_assert_uint_lt(sim_half(&sim, 0, 1)->octets - octets, 10 * 20000 * 12);
}
END_TEST

/* The first change counts at once, what follows once a second. */
START_TEST(who_changes_his_mind_without_end)
{
	star(1);
	imports(1, 100, 0);
	for (uint32_t i = 0; i < 2000; i++)
		originate_rt(0, i, i % 2 ? 100 : 200);
	settle();
	imports(1, 100, 200);
	sim_settle(&sim);
	ck_assert(knows(1, 0) && knows(1, 1));
	for (unsigned k = 0; k < 9; k++) {
		sim_run(&sim, 100);
		imports(1, 100, k % 2 ? 200 : 0);
		sim_settle(&sim);
		ck_assert(knows(1, 0));
	}
	sim_run(&sim, 100);
	ck_assert(!knows(1, 0) && knows(1, 1));
	unsigned tells = sim.node[1].tells;
	for (unsigned k = 0; k < 100; k++) {
		imports(1, 100, k % 2 ? 0 : 200);
		sim_run(&sim, 100);
	}
	ck_assert_uint_le(sim.node[1].tells - tells, 10 * 1000);
	imports(1, 100, 200);
	settle();
	ck_assert(knows(1, 0) && knows(1, 1));
	/* Nothing is held after a pause. */
	imports(1, 200, 0);
	sim_settle(&sim);
	ck_assert(knows(1, 0) && !knows(1, 1));
}
END_TEST

/* --- those that take no part --- */

START_TEST(a_plain_peer_needs_everything)
{
	for (int i = 0; i <= 2; i++)
		start(i, 65000);
	sim_neighbor(&sim, 0, 1, 65000, client);
	sim_neighbor(&sim, 1, 0, 65000, takes_part);
	struct neighbor *plain = sim_neighbor(&sim, 0, 2, 65000, plain_client);
	sim_neighbor(&sim, 2, 0, 65000, NULL);
	imports(1, 100, 0);
	originate_rt(1, 1, 100);
	originate_rt(1, 2, 200);
	originate_rt(2, 3, 100);
	originate_rt(2, 4, 200);
	settle();
	ck_assert(knows(2, 1) && knows(2, 2));
	ck_assert(knows(1, 3) && !knows(1, 4));
	speaker_remove_neighbor(sim.node[0].s, plain, sim.now);
	settle();
	ck_assert(!knows(0, 1) && !knows(0, 2));
}
END_TEST

START_TEST(lans_that_import_by_pattern_want_everything)
{
	star(1);
	ck_assert_int_eq(speaker_set_membership(sim.node[1].s, NULL, 0, true, sim.now), 0);
	originate_rt(0, 1, 100);
	originate(0, 2, "");
	settle();
	ck_assert(knows(1, 1) && knows(1, 2));
	imports(1, 100, 0);
	settle();
	ck_assert(knows(1, 1) && !knows(1, 2));
}
END_TEST

/* --- the wait for the End-of-RIB --- */

static struct raw raw;

static void raw_up(uint32_t defer_sec)
{
	static const struct bgp_family *const two[] = {&test_family, &rtc_family};
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();
	struct bgp_open o = raw_open();

	c.families = two;
	c.family_count = 2;
	c.defer_sec = defer_sec;
	n.rt_constrain = true;
	o.families[o.family_count++] = (struct bgp_afi_safi){AFI_IPV4, SAFI_RT_MEMBERSHIP};
	raw_start_with(&raw, &c, &n);
	raw_originate(&raw, 1, 1);
	raw_establish(&raw, &o);
}

static bool raw_is_told(void)
{
	char text[400];

	raw_drain(&raw);
	return strstr(raw_text(&raw, text, sizeof(text)), "+1") != NULL;
}

/* The default, and an End-of-RIB of AFI 1, SAFI 132. */
#define EVERYTHING                                                                                 \
	"ffffffffffffffffffffffffffffffff 0032 02 0000 001b 40010100 400200 400504 00000064"       \
	"800e0a 0001 84 04 c0000202 00 00"
#define END_OF_MEMBERSHIP "ffffffffffffffffffffffffffffffff 001d 02 0000 0006 800f03 0001 84"

static void raw_hold_up(unsigned sec)
{
	for (unsigned i = 0; i < sec; i++) {
		raw_wait(&raw, 1000);
		raw_rx_keepalive(&raw);
	}
}

START_TEST(waits_for_the_end_of_rib)
{
	raw_up(0);
	raw_rx_hex(&raw, EVERYTHING);
	ck_assert_uint_eq(raw_view(&raw).memberships_in, 1);
	raw_hold_up(30);
	ck_assert(!raw_is_told());
	raw_rx_hex(&raw, END_OF_MEMBERSHIP);
	ck_assert(raw_is_told());
	raw_stop(&raw);
}
END_TEST

START_TEST(waits_60_seconds_at_most)
{
	raw_up(0);
	raw_rx_hex(&raw, EVERYTHING);
	raw_hold_up(59);
	ck_assert(!raw_is_told());
	raw_hold_up(2);
	ck_assert(raw_is_told());
	raw_stop(&raw);
}
END_TEST

/* Node 2 never comes: 1 is told what it wants at once all the same. */
START_TEST(end_of_rib_at_once)
{
	start(0, 65000);
	start(1, 65000);
	sim_neighbor(&sim, 0, 1, 65000, client);
	sim_neighbor(&sim, 1, 0, 65000, takes_part);
	sim_neighbor(&sim, 1, 2, 65000, takes_part);
	imports(1, 100, 0);
	originate_rt(0, 1, 100);
	originate_rt(0, 2, 200);
	sim_settle(&sim);
	ck_assert(knows(1, 1) && !knows(1, 2));
}
END_TEST

/* A reflector that has just started does not know what a PE wants that is not there yet, and wants everything for it
 * until it has said, or the wait for it is over. */
START_TEST(the_default_stands_in)
{
	for (int i = 0; i <= 1; i++)
		start(i, 65000);
	for (int i = 1; i <= 2; i++)
		sim_neighbor(&sim, 0, i, 65000, client);
	sim_neighbor(&sim, 1, 0, 65000, takes_part);
	originate_rt(1, 1, 100);
	originate_rt(1, 2, 200);
	sim_settle(&sim);
	ck_assert(knows(0, 1) && knows(0, 2));
	if (_i) {
		start(2, 65000);
		imports(2, 100, 0);
		sim_neighbor(&sim, 2, 0, 65000, takes_part);
		sim_run(&sim, 10000);
		ck_assert(sim_up(&sim, 0, 2));
		ck_assert(knows(2, 1) && !knows(2, 2));
		ck_assert(knows(0, 1) && !knows(0, 2));
	} else {
		sim_run(&sim, 28000);
		ck_assert(knows(0, 1) && knows(0, 2));
		sim_run(&sim, 3000); /* defer_sec is 30 */
		ck_assert(!knows(0, 1) && !knows(0, 2));
	}
}
END_TEST

/* --- bounds --- */

START_TEST(more_prefixes_than_are_remembered)
{
	star(1);
	originate_rt(0, 1, 70000);
	settle();
	for (uint32_t i = 0; i < MEMBERSHIP_MAX; i++) {
		struct nlri n = rtc_nlri(65000, rt_of(i).b);
		struct attrs a = {.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) |
					     ATTR_BIT(ATTR_NEXT_HOP),
			.next_hop = sim.node[1].address};
		speaker_originate(sim.node[1].s, &rtc_family, &n, &a, sim.now);
	}
	settle();
	ck_assert(!knows(1, 1));
	say(1, "60 0000fde8 0002fde8000f0000", true);
	settle();
	ck_assert(knows(1, 1)); /* rather too much than too little */
	for (uint32_t i = 0; i < MEMBERSHIP_MAX; i++) {
		struct nlri n = rtc_nlri(65000, rt_of(i).b);
		speaker_unoriginate(sim.node[1].s, &rtc_family, &n, sim.now);
	}
	say(1, "60 0000fde8 0002fde8000f0000", false);
	settle();
	ck_assert(!knows(1, 1));
}
END_TEST

CHECK_MAIN("membership", tcase_add_checked_fixture(t, setup, teardown);
	   tcase_add_test(t, not_negotiated_unless_asked_for);
	   tcase_add_test(t, only_what_is_imported); tcase_add_test(t, what_a_client_is_told);
	   tcase_add_test(t, only_the_difference_is_sent); tcase_add_test(t, everything_at_once);
	   tcase_add_test(t, storm_of_changes); tcase_add_test(t, who_changes_his_mind_without_end);
	   tcase_add_test(t, a_plain_peer_needs_everything);
	   tcase_add_test(t, lans_that_import_by_pattern_want_everything);
	   tcase_add_test(t, waits_for_the_end_of_rib); tcase_add_test(t, end_of_rib_at_once);
	   tcase_add_loop_test(t, the_default_stands_in, 0, 2);
	   tcase_add_test(t, waits_60_seconds_at_most);
	   tcase_add_test(t, more_prefixes_than_are_remembered);)
