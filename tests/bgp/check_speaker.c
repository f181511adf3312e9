/* Speakers back to back: sessions, reflection, what is told to whom, bounds. */
#include <check.h>
#include <errno.h>
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

static void client(struct neighbor_config *c)
{
	c->client = true;
}

static void passive(struct neighbor_config *c)
{
	c->passive = true;
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
	ck_assert_uint_eq(sim.node[0].known.count, 0);
}
END_TEST

/* The best path goes from one client to another: the old one is told of the new, the new one loses
 * the old. */
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

/* Both call at the same moment. What the side with the higher identifier opened stays. */
START_TEST(calls_cross)
{
	for (int i = 0; i < 2; i++) {
		struct speaker_config c = sim_config(65000, i);
		sim_start(&sim, i, &c);
	}
	sim_neighbor(&sim, 0, 1, 65000, NULL);
	sim_neighbor(&sim, 1, 0, 65000, NULL);
	sim.chunk = _i ? 7 : 0;
	sim_settle(&sim);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert(sim_up(&sim, 1, 0));
	int pipes = 0;
	for (int i = 0; i < SIM_PIPES; i++)
		pipes += sim.pipe[i].used;
	ck_assert_int_eq(pipes, 1);
	ck_assert(sim_half(&sim, 1, 0)->accepted);
	sim_run(&sim, 60000);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).flaps, 0);
	ck_assert_uint_eq(sim_view(&sim, 1, 0).flaps, 0);
}
END_TEST

/* The same identifier on both sides of a border: the higher AS (RFC 6286 section 2.3). */
START_TEST(calls_cross_with_one_identifier)
{
	for (int i = 0; i < 2; i++) {
		struct speaker_config c = sim_config(i == _i ? 65001 : 65000, i);
		c.router_id = 0xc0000263;
		sim_start(&sim, i, &c);
	}
	sim_neighbor(&sim, 0, 1, _i ? 65001 : 65000, NULL);
	sim_neighbor(&sim, 1, 0, _i ? 65000 : 65001, NULL);
	sim_settle(&sim);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert(sim_up(&sim, 1, 0));
	/* Node _i called. */
	ck_assert(sim_half(&sim, _i, !_i)->accepted);
	ck_assert(!sim_half(&sim, !_i, _i)->accepted);
}
END_TEST

START_TEST(octet_by_octet)
{
	sim.chunk = 1;
	star(2);
	for (uint32_t i = 0; i < 300; i++)
		sim_originate(&sim, 1, i, 1);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_view(&sim, 2, 0).routes_in, 300);
}
END_TEST

/* RFC 4456 section 6: from a non-client to clients, from a client to all. */
START_TEST(clients_and_others)
{
	for (int i = 0; i < 4; i++) {
		struct speaker_config c = sim_config(65000, i);
		sim_start(&sim, i, &c);
	}
	for (int i = 1; i < 4; i++) {
		sim_neighbor(&sim, 0, i, 65000, i == 1 ? passive_client : passive);
		sim_neighbor(&sim, i, 0, 65000, NULL);
		sim_originate(&sim, i, 10 * (unsigned)i, 1);
	}
	sim_originate(&sim, 0, 5, 1);
	sim_settle(&sim);
	static const struct {
		int node;
		uint32_t route;
		bool known;
	} rows[] = {{1, 20, true}, {1, 30, true}, {2, 10, true}, {3, 10, true}, {2, 30, false},
		{3, 20, false}, {1, 5, true}, {2, 5, true}, {3, 5, true}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ck_assert_msg(!sim_known(&sim, rows[i].node, rows[i].route) == !rows[i].known,
			"%u at node %d", rows[i].route, rows[i].node);
	/* Our own are not reflected. */
	ck_assert_uint_eq(sim_known(&sim, 1, 5)->cluster_len, 0);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_out, 3);
	ck_assert_uint_eq(sim_view(&sim, 0, 2).routes_out, 2);
}
END_TEST

/* Two reflectors that are each other's clients do not send a route round. */
START_TEST(cluster_loop)
{
	for (int i = 0; i < 3; i++) {
		struct speaker_config c = sim_config(65000, i);
		sim_start(&sim, i, &c);
	}
	sim_neighbor(&sim, 0, 1, 65000, passive_client);
	sim_neighbor(&sim, 1, 0, 65000, client);
	for (int i = 0; i < 2; i++) {
		sim_neighbor(&sim, i, 2, 65000, passive_client);
		sim_neighbor(&sim, 2, i, 65000, NULL);
	}
	sim_originate(&sim, 2, 1, 1);
	sim_settle(&sim);
	ck_assert_ptr_nonnull(sim_known(&sim, 0, 1));
	ck_assert_ptr_nonnull(sim_known(&sim, 1, 1));
	sim_withdraw(&sim, 2, 1);
	sim_settle(&sim);
	ck_assert_ptr_null(sim_known(&sim, 0, 1));
	ck_assert_ptr_null(sim_known(&sim, 1, 1));
	ck_assert_uint_lt(sim_view(&sim, 0, 1).updates_in, 8);
}
END_TEST

/* RFC 7947: between clients a route server is not there. To others it is an AS like any. */
START_TEST(route_server)
{
	static const uint32_t as[] = {65000, 65001, 65002, 65001, 65003};

	for (int i = 0; i < 5; i++) {
		struct speaker_config c = sim_config(as[i], i);
		sim_start(&sim, i, &c);
	}
	for (int i = 1; i < 5; i++) {
		sim_neighbor(&sim, 0, i, as[i], i == 4 ? passive : passive_client);
		sim_neighbor(&sim, i, 0, 65000, NULL);
	}
	sim_originate(&sim, 1, 10, 1);
	sim_originate(&sim, 4, 40, 1);
	sim_originate(&sim, 0, 5, 1);
	sim_settle(&sim);
	const struct sim_known *k = sim_known(&sim, 2, 10);
	ck_assert_ptr_nonnull(k);
	ck_assert_uint_eq(k->next_hop, 0xc0000202);
	ck_assert_uint_eq(k->as_path_len, 2 + 4);
	ck_assert_uint_eq(k->cluster_len, 0);
	ck_assert(!attrs_has(&k->attrs, ATTR_ORIGINATOR_ID));
	ck_assert_uint_eq(sim_known(&sim, 4, 10)->as_path_len, 2 + 8);
	ck_assert_uint_eq(sim_known(&sim, 2, 40)->as_path_len, 2 + 8);
	ck_assert_uint_eq(sim_known(&sim, 2, 5)->as_path_len, 2 + 4);
	/* Its own AS is in the path. */
	ck_assert_ptr_null(sim_known(&sim, 3, 10));
}
END_TEST

static void at_most_10(struct neighbor_config *c)
{
	passive_client(c);
	c->max_routes = 10;
}

START_TEST(max_routes)
{
	for (int i = 0; i < 3; i++) {
		struct speaker_config c = sim_config(65000, i);
		sim_start(&sim, i, &c);
	}
	for (int i = 1; i < 3; i++) {
		sim_neighbor(&sim, 0, i, 65000, at_most_10);
		sim_neighbor(&sim, i, 0, 65000, NULL);
	}
	for (uint32_t i = 0; i < 10; i++)
		sim_originate(&sim, 1, i, 1);
	sim_settle(&sim);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert_uint_eq(sim_view(&sim, 2, 0).routes_in, 10);
	/* The same ones again are no more than before. */
	for (uint32_t i = 0; i < 10; i++)
		sim_originate(&sim, 1, i, 2);
	sim_settle(&sim);
	ck_assert(sim_up(&sim, 0, 1));
	sim_originate(&sim, 1, 10, 1);
	sim_settle(&sim);
	ck_assert(!sim_up(&sim, 0, 1));
	ck_assert_str_eq(sim_view(&sim, 0, 1).last_error,
		"sent 6/1 Cease/Maximum Number of Prefixes Reached: more than 10 routes");
	ck_assert_uint_eq(sim_view(&sim, 2, 0).routes_in, 0);
	/* It stays out for a while, and nobody else notices. */
	sim_run(&sim, 50000);
	ck_assert_str_eq(sim_view(&sim, 0, 1).state, "Idle");
	ck_assert(sim_up(&sim, 0, 2));
	sim_withdraw(&sim, 1, 10);
	sim_run(&sim, 30000);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert_uint_eq(sim_view(&sim, 2, 0).routes_in, 10);
	ck_assert_uint_eq(sim_view(&sim, 0, 2).flaps, 0);
}
END_TEST

static void range_of_2(struct neighbor_config *c)
{
	c->address = (struct ip){0};
	c->prefix = (struct prefix){.ip = ip_v4_u32(0xc0000200), .len = 24};
	c->max_dynamic = 2;
	c->client = true;
}

START_TEST(dynamic_neighbors)
{
	for (int i = 0; i < 4; i++) {
		struct speaker_config c = sim_config(65000, i);
		c.restart_sec = 0;
		sim_start(&sim, i, &c);
	}
	struct neighbor *range = sim_neighbor(&sim, 0, 1, 65000, range_of_2);
	for (int i = 1; i < 4; i++)
		sim_neighbor(&sim, i, 0, 65000, NULL);
	sim_originate(&sim, 1, 10, 1);
	sim_settle(&sim);
	ck_assert(sim_up(&sim, 0, 1) && sim_view(&sim, 0, 1).dynamic);
	ck_assert(sim_up(&sim, 0, 2));
	ck_assert_str_eq(sim_view(&sim, 0, 3).state, "");
	ck_assert_ptr_nonnull(sim_known(&sim, 2, 10));
	sim_run(&sim, 5000);

	/* One goes, and its place is free. */
	sim_kill(&sim, 1);
	sim_run(&sim, 5000);
	ck_assert_str_eq(sim_view(&sim, 0, 1).state, "");
	ck_assert_ptr_null(sim_known(&sim, 2, 10));
	ck_assert(sim_up(&sim, 0, 3));
	speaker_remove_neighbor(sim.node[0].s, range, sim.now);
	sim_settle(&sim);
	ck_assert_str_eq(sim_view(&sim, 0, 2).state, "");
	ck_assert(!sim_up(&sim, 2, 0));
}
END_TEST

static void narrow(struct neighbor_config *c)
{
	range_of_2(c);
	c->prefix = (struct prefix){.ip = ip_v4_u32(0xc0000200), .len = 30};
	c->client = false;
}

static void closed(struct neighbor_config *c)
{
	range_of_2(c);
	c->prefix = (struct prefix){.ip = ip_v4_u32(0xc0000203), .len = 32};
	c->shutdown = true;
}

/* Of several ranges the most specific counts, in whatever order they are given. */
START_TEST(ranges_overlap)
{
	for (int i = 0; i < 4; i++) {
		struct speaker_config c = sim_config(65000, i);
		sim_start(&sim, i, &c);
	}
	sim_neighbor(&sim, 0, 1, 65000, range_of_2);
	sim_neighbor(&sim, 0, 1, 65000, narrow);
	sim_neighbor(&sim, 0, 1, 65000, closed);
	for (int i = 1; i < 4; i++)
		sim_neighbor(&sim, i, 0, 65000, NULL);
	sim_settle(&sim);
	ck_assert(sim_up(&sim, 0, 1) && !sim_view(&sim, 0, 1).client);
	ck_assert_str_eq(sim_view(&sim, 0, 2).state, "");
	ck_assert(sim_up(&sim, 0, 3) && sim_view(&sim, 0, 3).client);
}
END_TEST

START_TEST(configuration_is_checked)
{
	struct speaker_config c = sim_config(65000, 0);
	struct neighbor_config n = {.address = ip_v4_u32(0xc0000209), .shutdown = true};

	sim_start(&sim, 0, &c);
	ck_assert_int_eq(speaker_add_neighbor(sim.node[0].s, &n, sim.now, NULL), 0);
	ck_assert_int_eq(speaker_add_neighbor(sim.node[0].s, &n, sim.now, NULL), -EEXIST);
	n.address.family = 0;
	ck_assert_int_eq(speaker_add_neighbor(sim.node[0].s, &n, sim.now, NULL), -EINVAL);
	sim_run(&sim, 60000);
	ck_assert_str_eq(sim_view(&sim, 0, 8).state, "Idle");
	ck_assert_ptr_null(speaker_accept(
		sim.node[0].s, ip_v4_u32(0xc0000209), ip_v4_u32(0xc0000201), sim.now));
	ck_assert_ptr_null(speaker_accept(
		sim.node[0].s, ip_v4_u32(0xc000020a), ip_v4_u32(0xc0000201), sim.now));
}
END_TEST

/* A peer that is refused again and again is met less and less often. */
START_TEST(back_off)
{
	for (int i = 0; i < 2; i++) {
		struct speaker_config c = sim_config(65000 + (unsigned)i, i);
		sim_start(&sim, i, &c);
	}
	sim_neighbor(&sim, 0, 1, 65009, passive);
	sim_neighbor(&sim, 1, 0, 65000, NULL);
	sim_run(&sim, 1000000);
	struct neighbor_view v = sim_view(&sim, 0, 1);
	ck_assert_str_eq(v.last_error,
		"sent 2/2 OPEN Message Error/Bad Peer AS: not the AS that is configured");
	ck_assert_uint_gt(v.msgs_in, 5);
	ck_assert_uint_lt(v.msgs_in, 50);
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
	tcase_add_loop_test(t, calls_cross, 0, 2);
	tcase_add_loop_test(t, calls_cross_with_one_identifier, 0, 2);
	tcase_add_test(t, octet_by_octet);
	tcase_add_test(t, clients_and_others);
	tcase_add_test(t, cluster_loop);
	tcase_add_test(t, route_server);
	tcase_add_test(t, max_routes);
	tcase_add_test(t, dynamic_neighbors);
	tcase_add_test(t, ranges_overlap);
	tcase_add_test(t, configuration_is_checked);
	tcase_add_test(t, back_off);
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
