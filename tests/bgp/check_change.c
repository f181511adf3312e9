/* A configuration that changes while sessions are up: what each field costs the neighbour, and that it costs the
 * others nothing. */
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

static struct neighbor_config config_of(int node, void (*edit)(struct neighbor_config *c))
{
	struct neighbor_config c = {.address = ip_v4_u32(0xc0000201u + (uint32_t)node),
		.remote_as = 65000,
		.connect_retry_sec = 2};

	passive_client(&c);
	if (edit)
		edit(&c);
	return c;
}

static struct neighbor *neighbor_of(int node)
{
	struct neighbor *n =
		speaker_find_neighbor(sim.node[0].s, ip_v4_u32(0xc0000201u + (uint32_t)node), NULL);

	ck_assert_ptr_nonnull(n);
	return n;
}

/* Node 0 reflects for 1 .. 3; each has 5 routes, 10 * i + k. */
static void star(bool gr)
{
	for (int i = 0; i <= 3; i++) {
		struct speaker_config c = sim_config(65000, i);
		c.restart_sec = gr ? 120 : 0;
		sim_start(&sim, i, &c);
	}
	for (int i = 1; i <= 3; i++) {
		sim_neighbor(&sim, 0, i, 65000, passive_client);
		sim_neighbor(&sim, i, 0, 65000, NULL);
		for (unsigned k = 0; k < 5; k++)
			sim_originate(&sim, i, 10 * (unsigned)i + k, 1);
	}
	sim_run(&sim, 2000);
	for (int i = 1; i <= 3; i++) {
		ck_assert(sim_up(&sim, 0, i));
		ck_assert_uint_eq(sim_view(&sim, i, 0).routes_in, 10);
	}
}

/* --- one field of neighbour 1 --- */

static void name(struct neighbor_config *c)
{
	strcpy(c->name, "pe1");
}

static void max_routes(struct neighbor_config *c)
{
	c->max_routes = 5;
}

static void connect_retry(struct neighbor_config *c)
{
	c->connect_retry_sec = 9;
}

static void stale(struct neighbor_config *c)
{
	c->stale_sec = 9;
}

static void queue(struct neighbor_config *c)
{
	c->queue_octets = 4096;
}

static void active(struct neighbor_config *c)
{
	c->passive = false;
}

static void hold(struct neighbor_config *c)
{
	c->hold_sec = 30;
}

static void hold_as_default(struct neighbor_config *c)
{
	c->hold_sec = 9;
}

static void role(struct neighbor_config *c)
{
	c->role = ROLE_RS;
}

static void role_strict(struct neighbor_config *c)
{
	c->role_strict = true;
}

static void otc(struct neighbor_config *c)
{
	c->otc = true;
}

static void add_path(struct neighbor_config *c)
{
	c->add_path = ADD_PATH_RECEIVE;
}

static void rt_constrain(struct neighbor_config *c)
{
	c->rt_constrain = true;
}

static void llgr(struct neighbor_config *c)
{
	c->llgr_sec = 3600;
}

static void conservative(struct neighbor_config *c)
{
	c->conservative = true;
}

static void no_client(struct neighbor_config *c)
{
	c->client = false;
}

static void any_as(struct neighbor_config *c)
{
	c->remote_as = 0;
}

static const struct {
	const char *what;
	void (*edit)(struct neighbor_config *c);
	enum neighbor_change change;
} fields[] = {
	{"nothing", NULL, NEIGHBOR_SAME},
	{"name", name, NEIGHBOR_IN_PLACE},
	{"max-routes", max_routes, NEIGHBOR_IN_PLACE},
	{"connect-retry", connect_retry, NEIGHBOR_IN_PLACE},
	{"stale-time", stale, NEIGHBOR_IN_PLACE},
	{"queue", queue, NEIGHBOR_IN_PLACE},
	{"passive", active, NEIGHBOR_IN_PLACE},
	{"hold-time as it is", hold_as_default, NEIGHBOR_SAME},
	{"hold-time", hold, NEIGHBOR_RESET},
	{"role", role, NEIGHBOR_RESET},
	{"role-strict", role_strict, NEIGHBOR_RESET},
	{"otc", otc, NEIGHBOR_RESET},
	{"add-path", add_path, NEIGHBOR_RESET},
	{"rt-constrain", rt_constrain, NEIGHBOR_RESET},
	{"long-lived-time", llgr, NEIGHBOR_RESET},
	{"profile", conservative, NEIGHBOR_RESET},
	{"client", no_client, NEIGHBOR_ANEW},
	{"remote-as", any_as, NEIGHBOR_ANEW},
};

static uint64_t updates_to(int node)
{
	return sim_view(&sim, 0, node).updates_out;
}

START_TEST(each_field)
{
	const char *what = fields[_i].what;
	enum neighbor_change change = fields[_i].change;
	struct neighbor_config c = config_of(1, fields[_i].edit);

	star(true);
	unsigned tells = sim.node[3].tells;
	uint64_t told = updates_to(3);
	ck_assert_msg(
		speaker_change_neighbor(sim.node[0].s, neighbor_of(1), &c, sim.now) == (int)change,
		"%s", what);
	sim_run(&sim, 10000);
	/* It is up again, knows all there is, and is known by all. */
	ck_assert_msg(sim_up(&sim, 0, 1), "%s", what);
	ck_assert_msg(sim_view(&sim, 1, 0).routes_in == 10, "%s", what);
	ck_assert_msg(sim_view(&sim, 0, 1).routes_in == 5, "%s", what);
	ck_assert_msg(sim_view(&sim, 0, 1).routes_stale == 0, "%s", what);
	ck_assert_msg(sim_known(&sim, 3, 10) != NULL, "%s", what);
	/* Seen from its end: did the session end? */
	ck_assert_msg(sim_view(&sim, 1, 0).flaps == (change >= NEIGHBOR_RESET), "%s", what);
	/* The others have noticed nothing, unless its routes really were away for a moment. */
	ck_assert_msg(sim_view(&sim, 3, 0).flaps == 0, "%s", what);
	ck_assert_msg(sim_view(&sim, 2, 0).flaps == 0, "%s", what);
	if (change == NEIGHBOR_ANEW)
		return;
	ck_assert_msg(sim.node[3].tells == tells, "%s", what);
	ck_assert_msg(updates_to(3) == told, "%s", what);
}
END_TEST

/* Cease 6/6, and graceful: the neighbour has kept what we told it. */
START_TEST(a_reset_is_graceful)
{
	struct neighbor_config c = config_of(1, hold);

	star(true);
	unsigned losses = sim.node[1].losses;
	speaker_change_neighbor(sim.node[0].s, neighbor_of(1), &c, sim.now);
	sim_run(&sim, 5000);
	ck_assert_uint_eq(sim.node[1].losses, losses);
	ck_assert_str_eq(
		sim_view(&sim, 1, 0).last_error, "received 6/6 Cease/Other Configuration Change");
	ck_assert_uint_eq(sim_view(&sim, 0, 1).hold_sec, 9); /* the lower of both */
}
END_TEST

START_TEST(without_graceful_restart_it_costs_the_routes)
{
	struct neighbor_config c = config_of(1, hold);

	star(false);
	unsigned losses = sim.node[3].losses;
	speaker_change_neighbor(sim.node[0].s, neighbor_of(1), &c, sim.now);
	sim_run(&sim, 5000);
	ck_assert_uint_eq(sim.node[3].losses, losses + 5);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert_uint_eq(sim_view(&sim, 3, 0).routes_in, 10);
}
END_TEST

static void too_few(struct neighbor_config *c)
{
	c->max_routes = 4;
}

START_TEST(a_limit_below_what_is_there)
{
	struct neighbor_config c = config_of(1, too_few);

	star(true);
	ck_assert_int_eq(speaker_change_neighbor(sim.node[0].s, neighbor_of(1), &c, sim.now),
		NEIGHBOR_IN_PLACE);
	sim_run(&sim, 2000);
	ck_assert(!sim_up(&sim, 0, 1));
	ck_assert_ptr_null(sim_known(&sim, 3, 10));
	ck_assert_ptr_nonnull(strstr(sim_view(&sim, 0, 1).last_error, "6/1"));
}
END_TEST

static void shut(struct neighbor_config *c)
{
	c->shutdown = true;
}

START_TEST(shutdown_and_back)
{
	struct neighbor_config down = config_of(1, shut), up = config_of(1, NULL);

	star(true);
	ck_assert_int_eq(speaker_change_neighbor(sim.node[0].s, neighbor_of(1), &down, sim.now),
		NEIGHBOR_RESET);
	sim_run(&sim, 20000);
	ck_assert(!sim_up(&sim, 0, 1));
	/* For good: a hard reset, nothing is kept. */
	ck_assert_ptr_null(sim_known(&sim, 3, 10));
	ck_assert_ptr_null(sim_known(&sim, 1, 30));
	ck_assert_int_eq(speaker_change_neighbor(sim.node[0].s, neighbor_of(1), &up, sim.now),
		NEIGHBOR_IN_PLACE);
	sim_run(&sim, 130000); /* node 1 was told off more than once, and waits */
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert_ptr_nonnull(sim_known(&sim, 3, 10));
	ck_assert_ptr_nonnull(sim_known(&sim, 1, 30));
	ck_assert_uint_eq(sim_view(&sim, 3, 0).flaps, 0);
}
END_TEST

/* One that is away, its routes kept: shutting it down ends the wait. */
START_TEST(shutdown_of_one_that_restarts)
{
	struct neighbor_config down = config_of(1, shut);

	star(true);
	sim_kill(&sim, 1);
	sim_run(&sim, 1000);
	ck_assert_ptr_nonnull(sim_known(&sim, 3, 10));
	speaker_change_neighbor(sim.node[0].s, neighbor_of(1), &down, sim.now);
	sim_run(&sim, 1000);
	ck_assert_ptr_null(sim_known(&sim, 3, 10));
}
END_TEST

/* One that has never come calls at once when it need not wait any more, without its old timer. */
START_TEST(passive_of_one_that_waits)
{
	struct neighbor_config wait = config_of(2, NULL), call = config_of(2, active);

	for (int i = 0; i <= 2; i++) {
		struct speaker_config c = sim_config(65000, i);
		sim_start(&sim, i, &c);
	}
	sim_neighbor(&sim, 0, 2, 65000, passive_client);
	sim_neighbor(&sim, 2, 0, 65000, passive_client);
	sim_run(&sim, 10000);
	ck_assert(!sim_up(&sim, 0, 2));
	speaker_change_neighbor(sim.node[0].s, neighbor_of(2), &call, sim.now);
	sim_run(&sim, 1000);
	ck_assert(sim_up(&sim, 0, 2));
	speaker_change_neighbor(sim.node[0].s, neighbor_of(2), &wait, sim.now);
	sim_run(&sim, 1000);
	ck_assert(sim_up(&sim, 0, 2));
}
END_TEST

/* Reset again and again is no misdeed: no back-off. */
START_TEST(many_resets_cost_no_back_off)
{
	struct neighbor_config a = config_of(1, hold), b = config_of(1, NULL);

	/* We call: the other side has a back-off of its own. */
	a.passive = b.passive = false;
	star(true);
	unsigned tells = sim.node[3].tells;
	for (int i = 0; i < 50; i++) {
		speaker_change_neighbor(sim.node[0].s, neighbor_of(1), i % 2 ? &b : &a, sim.now);
		sim_run(&sim, 3000);
		ck_assert_msg(sim_up(&sim, 0, 1), "after %d", i);
	}
	ck_assert_uint_eq(sim.node[3].tells, tells);
}
END_TEST

/* --- ranges --- */

static void range(struct neighbor_config *c)
{
	*c = (struct neighbor_config){.prefix = {ip_v4_u32(0xc0000200), 24},
		.max_dynamic = 3,
		.remote_as = 65000,
		.client = true};
}

START_TEST(a_range_and_its_children)
{
	struct neighbor_config c;

	for (int i = 0; i <= 3; i++) {
		struct speaker_config sc = sim_config(65000, i);
		sim_start(&sim, i, &sc);
	}
	sim_neighbor(&sim, 0, 1, 65000, range);
	for (int i = 1; i <= 3; i++) {
		sim_neighbor(&sim, i, 0, 65000, NULL);
		sim_originate(&sim, i, (unsigned)i, 1);
	}
	sim_run(&sim, 2000);
	range(&c);
	struct neighbor *r = speaker_find_neighbor(sim.node[0].s, (struct ip){0}, &c.prefix);
	ck_assert_ptr_nonnull(r);
	strcpy(c.name, "all");
	c.max_routes = 7;
	ck_assert_int_eq(speaker_change_neighbor(sim.node[0].s, r, &c, sim.now), NEIGHBOR_IN_PLACE);
	ck_assert_str_eq(sim_view(&sim, 0, 2).name, "all");
	ck_assert_uint_eq(sim_view(&sim, 0, 2).max_routes, 7);
	ck_assert_uint_eq(sim_view(&sim, 2, 0).flaps, 0);
	c.hold_sec = 30;
	ck_assert_int_eq(speaker_change_neighbor(sim.node[0].s, r, &c, sim.now), NEIGHBOR_RESET);
	sim_run(&sim, 5000);
	for (int i = 1; i <= 3; i++) {
		ck_assert_uint_eq(sim_view(&sim, i, 0).flaps, 1);
		ck_assert(sim_up(&sim, 0, i));
	}
	c.shutdown = true;
	ck_assert_int_eq(speaker_change_neighbor(sim.node[0].s, r, &c, sim.now), NEIGHBOR_RESET);
	sim_run(&sim, 5000);
	ck_assert(!sim_up(&sim, 0, 1));
	c.shutdown = false;
	speaker_change_neighbor(sim.node[0].s, r, &c, sim.now);
	sim_run(&sim, 130000);
	ck_assert(sim_up(&sim, 0, 1));
	/* As an address of its own: the dynamic one makes way. */
	struct neighbor_config own = config_of(2, NULL);
	ck_assert_int_eq(speaker_add_neighbor(sim.node[0].s, &own, sim.now, NULL), 0);
	sim_run(&sim, 130000);
	ck_assert(sim_up(&sim, 0, 2) && !sim_view(&sim, 0, 2).dynamic);
	ck_assert(sim_up(&sim, 0, 3) && sim_view(&sim, 0, 3).dynamic);
}
END_TEST

/* --- the speaker --- */

START_TEST(the_default_hold_time)
{
	struct speaker_config c = sim_config(65000, 0);
	struct neighbor_config own = config_of(2, hold_as_default);

	star(true);
	speaker_change_neighbor(sim.node[0].s, neighbor_of(2), &own, sim.now);
	unsigned tells = sim.node[2].tells;
	c.hold_sec = 6;
	speaker_change(sim.node[0].s, &c, sim.now);
	sim_run(&sim, 5000);
	ck_assert_uint_eq(sim_view(&sim, 1, 0).flaps, 1);
	ck_assert_uint_eq(sim_view(&sim, 1, 0).hold_sec, 6);
	ck_assert_uint_eq(sim_view(&sim, 2, 0).flaps, 0);
	ck_assert_uint_eq(sim_view(&sim, 2, 0).hold_sec, 9);
	ck_assert_uint_eq(sim.node[2].tells, tells);
}
END_TEST

START_TEST(the_cluster_id)
{
	struct speaker_config c = sim_config(65000, 0);

	star(true);
	c.cluster_id = 77;
	speaker_change(sim.node[0].s, &c, sim.now);
	sim_run(&sim, 5000);
	for (int i = 1; i <= 3; i++) {
		ck_assert_uint_eq(sim_view(&sim, i, 0).flaps, 1);
		ck_assert_uint_eq(sim_view(&sim, i, 0).routes_in, 10);
		ck_assert_uint_eq(sim_view(&sim, i, 0).routes_stale, 0);
	}
	/* The same again, and what is only for later: nothing. */
	c.defer_sec = 7;
	c.restart_sec = 60;
	speaker_change(sim.node[0].s, &c, sim.now);
	sim_run(&sim, 5000);
	ck_assert_uint_eq(sim_view(&sim, 1, 0).flaps, 1);
}
END_TEST

START_TEST(the_watch_is_told_again)
{
	star(true);
	struct speaker *s = sim.node[0].s;
	unsigned tells = sim.node[0].tells, losses = sim.node[0].losses;
	uint64_t told = updates_to(3);

	ck_assert_int_eq(speaker_retell(s, sim.now), 0);
	ck_assert(speaker_is_retelling(s));
	ck_assert(speaker_deadline(s) <= sim.now);
	sim_settle(&sim);
	ck_assert(!speaker_is_retelling(s));
	ck_assert_uint_eq(sim.node[0].tells, tells + 15);
	ck_assert_uint_eq(sim.node[0].losses, losses);
	ck_assert_uint_eq(updates_to(3), told);
	/* Freed while it is at it. */
	speaker_retell(s, sim.now);
	speaker_retell(s, sim.now);
}
END_TEST

START_TEST(the_watch_is_told_in_slices)
{
	star(true);
	struct speaker *s = sim.node[0].s;

	for (uint32_t i = 0; i < 20000; i++)
		sim_originate(&sim, 1, 1000 + i, 1);
	sim_run(&sim, 2000);
	unsigned tells = sim.node[0].tells, turns = 0;
	speaker_retell(s, sim.now);
	while (speaker_is_retelling(s)) {
		speaker_run(s, sim.now);
		/* One that changes under the walk is not missed. */
		if (turns++ == 1)
			sim_originate(&sim, 0, 1000, 9);
	}
	ck_assert_uint_ge(turns, 20);
	ck_assert_uint_ge(sim.node[0].tells, tells + 20015);
	ck_assert_uint_le(sim.node[0].tells, tells + 20020);
}
END_TEST

CHECK_MAIN("bgp/change", {
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, each_field, 0, ROWS_OF(fields));
	tcase_add_test(t, a_reset_is_graceful);
	tcase_add_test(t, without_graceful_restart_it_costs_the_routes);
	tcase_add_test(t, a_limit_below_what_is_there);
	tcase_add_test(t, shutdown_and_back);
	tcase_add_test(t, shutdown_of_one_that_restarts);
	tcase_add_test(t, passive_of_one_that_waits);
	tcase_add_test(t, many_resets_cost_no_back_off);
	tcase_add_test(t, a_range_and_its_children);
	tcase_add_test(t, the_default_hold_time);
	tcase_add_test(t, the_cluster_id);
	tcase_add_test(t, the_watch_is_told_again);
	tcase_add_test(t, the_watch_is_told_in_slices);
})
