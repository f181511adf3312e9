/* Graceful restart: a speaker that is killed costs no route of anybody. */
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

static void range(struct neighbor_config *c)
{
	c->prefix = (struct prefix){.ip = ip_v4_u32(0xc0000200), .len = 24};
	c->address = (struct ip){0};
	c->max_dynamic = 3;
	c->client = true;
}

static void start_client(int i, bool gr)
{
	struct speaker_config c = sim_config(65000, i);

	c.restart_sec = gr ? 120 : 0;
	sim_start(&sim, i, &c);
	sim_neighbor(&sim, i, 0, 65000, NULL);
}

static void start_reflector(int clients)
{
	struct speaker_config c = sim_config(65000, 0);

	sim_start(&sim, 0, &c);
	for (int i = 1; i <= clients; i++)
		sim_neighbor(&sim, 0, i, 65000, passive_client);
}

/* Node 0 reflects for 1 .. n; each has routes 10 * i .. 10 * i + 4. */
static void star(int n)
{
	start_reflector(n);
	for (int i = 1; i <= n; i++) {
		start_client(i, true);
		for (unsigned k = 0; k < 5; k++)
			sim_originate(&sim, i, 10 * (unsigned)i + k, 1);
	}
	sim_settle(&sim);
	for (int i = 1; i <= n; i++) {
		ck_assert(sim_up(&sim, 0, i));
		ck_assert_uint_eq(sim_view(&sim, i, 0).routes_in, 5 * (unsigned)(n - 1));
	}
	/* All have converged; nobody is restarting any more. */
	sim_run(&sim, 1000);
	for (int i = 0; i <= n; i++)
		ck_assert_uint_eq(sim.node[i].converged, 1);
}

START_TEST(client_is_killed_and_returns)
{
	star(3);
	sim_kill(&sim, 1);
	sim_run(&sim, 2000);
	/* Kept, and known to be stale where the session was; the others notice nothing. */
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_in, 5);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_stale, 5);
	ck_assert(sim_known(&sim, 0, 10)->stale);
	ck_assert(!sim_known(&sim, 2, 10)->stale);
	unsigned tells = sim.node[2].tells;

	start_client(1, true);
	for (unsigned k = 0; k < 4; k++)
		sim_originate(&sim, 1, 10 + k, 1);
	sim_run(&sim, 4000);
	ck_assert(sim_up(&sim, 0, 1));
	/* What was not sent again went with its End-of-RIB; the rest was never told again. */
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_in, 4);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_stale, 0);
	ck_assert(!sim_known(&sim, 0, 10)->stale);
	ck_assert_ptr_nonnull(sim_known(&sim, 2, 10));
	ck_assert_ptr_null(sim_known(&sim, 2, 14));
	ck_assert_uint_eq(sim.node[2].tells, tells + 1);
	/* And it has got everything back. */
	ck_assert_uint_eq(sim_view(&sim, 1, 0).routes_in, 10);
	ck_assert_uint_eq(sim.node[1].converged, 1);
}
END_TEST

START_TEST(client_is_killed_for_good)
{
	star(2);
	sim_kill(&sim, 1);
	sim_run(&sim, 119000);
	ck_assert_ptr_nonnull(sim_known(&sim, 2, 10));
	sim_run(&sim, 2000);
	ck_assert_ptr_null(sim_known(&sim, 2, 10));
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_in, 0);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_stale, 0);
}
END_TEST

START_TEST(client_returns_without_graceful_restart)
{
	star(2);
	sim_kill(&sim, 1);
	sim_run(&sim, 2000);
	sim.node[1].refuse = false;
	start_client(1, false);
	sim_run(&sim, 4000);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert_ptr_null(sim_known(&sim, 2, 10));
	/* Now it has none, so nothing is kept. */
	sim_originate(&sim, 1, 10, 1);
	sim_settle(&sim);
	ck_assert_ptr_nonnull(sim_known(&sim, 2, 10));
	sim_kill(&sim, 1);
	sim_settle(&sim);
	ck_assert_ptr_null(sim_known(&sim, 2, 10));
}
END_TEST

/* The End-of-RIB never comes: the stale timer ends the wait. */
START_TEST(client_returns_and_does_not_finish)
{
	star(2);
	sim_kill(&sim, 1);
	sim_run(&sim, 2000);
	struct speaker_config c = sim_config(65000, 1);
	c.wait_local = true; /* and speaker_local_done() is never called */
	sim_start(&sim, 1, &c);
	sim_neighbor(&sim, 1, 0, 65000, NULL);
	sim_run(&sim, 170000);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert_ptr_nonnull(sim_known(&sim, 2, 10));
	sim_run(&sim, 20000);
	ck_assert_ptr_null(sim_known(&sim, 2, 10));
}
END_TEST

START_TEST(local_routes_are_waited_for)
{
	star(2);
	sim_kill(&sim, 1);
	sim_run(&sim, 2000);
	struct speaker_config c = sim_config(65000, 1);
	c.wait_local = true;
	sim_start(&sim, 1, &c);
	sim_neighbor(&sim, 1, 0, 65000, NULL);
	sim_run(&sim, 50000);
	for (unsigned k = 0; k < 5; k++)
		sim_originate(&sim, 1, 10 + k, 1);
	ck_assert_uint_gt(sim_view(&sim, 0, 1).routes_stale, 0);
	speaker_local_done(sim.node[1].s, sim.now);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_stale, 0);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_in, 5);
}
END_TEST

static bool all_back(struct sim *m)
{
	for (int i = 1; i <= 3; i++)
		if (!sim_up(m, 0, i) || sim_view(m, i, 0).routes_stale)
			return false;
	return m->node[0].converged;
}

START_TEST(reflector_is_killed_and_returns)
{
	star(3);
	sim_kill(&sim, 0);
	sim_run(&sim, 3000);
	for (int i = 1; i <= 3; i++) {
		ck_assert_uint_eq(sim_view(&sim, i, 0).routes_stale, 10);
		ck_assert(sim_known(&sim, i, i == 1 ? 20 : 10)->stale);
	}
	sim.chunk = 40; /* the three sessions come up interleaved */
	start_reflector(3);
	ck_assert(sim_until(&sim, all_back, 20000));
	for (int i = 1; i <= 3; i++) {
		ck_assert_uint_eq(sim_view(&sim, i, 0).routes_in, 10);
		ck_assert(!sim_known(&sim, i, i == 1 ? 20 : 10)->stale);
		/* At no moment did anybody lose what another one has. */
		ck_assert_uint_eq(sim.node[i].losses, 0);
	}
}
END_TEST

/* One configured client never comes: its End-of-RIB is waited for until the deferral is over. */
START_TEST(reflector_waits_for_all_or_the_deferral)
{
	star(3);
	sim_kill(&sim, 0);
	sim_kill(&sim, 3);
	sim_run(&sim, 1000);
	start_reflector(3);
	sim_run(&sim, 20000);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert_uint_eq(sim.node[0].converged, 0);
	/* The dead client's routes are stale at client 1: no End-of-RIB has swept them. */
	ck_assert_ptr_nonnull(sim_known(&sim, 1, 30));
	ck_assert(!sim_known(&sim, 1, 20)->stale);
	sim_run(&sim, 11000);
	ck_assert_uint_eq(sim.node[0].converged, 1);
	ck_assert_ptr_null(sim_known(&sim, 1, 30));
	ck_assert_ptr_nonnull(sim_known(&sim, 1, 20));
}
END_TEST

START_TEST(with_dynamic_neighbors_the_deferral_is_waited_for)
{
	struct speaker_config c = sim_config(65000, 0);

	sim_start(&sim, 0, &c);
	sim_neighbor(&sim, 0, 1, 65000, range);
	start_client(1, true);
	sim_originate(&sim, 1, 10, 1);
	sim_run(&sim, 29000);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert_uint_eq(sim.node[0].converged, 0);
	sim_run(&sim, 2000);
	ck_assert_uint_eq(sim.node[0].converged, 1);

	/* Its routes are kept, so it is kept, and goes with them. */
	sim_kill(&sim, 1);
	sim_run(&sim, 100000);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_stale, 1);
	sim_run(&sim, 100000);
	ck_assert_str_eq(sim_view(&sim, 0, 1).state, "");
	ck_assert_uint_eq(sim.node[0].known.count, 0);
}
END_TEST

START_TEST(alone_it_converges_at_once)
{
	struct speaker_config c = sim_config(65000, 0);

	sim_start(&sim, 0, &c);
	sim_settle(&sim);
	ck_assert_uint_eq(sim.node[0].converged, 1);
}
END_TEST

/* RFC 8538: with the N bit of both, routes survive the hold timer, too. */
START_TEST(hold_timer_expires)
{
	star(2);
	sim.black_hole = true;
	sim_stop_reading(&sim, 0, 1, true);
	sim_run(&sim, 10000);
	ck_assert(!sim_up(&sim, 0, 1));
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_stale, 5);
	ck_assert_ptr_nonnull(sim_known(&sim, 2, 10));
	ck_assert_str_eq(sim_view(&sim, 0, 1).last_error, "sent 4/0 Hold Timer Expired: the hold "
							  "timer expired");
	sim.black_hole = false;
	sim_run(&sim, 10000);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_stale, 0);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_in, 5);
}
END_TEST

START_TEST(shutdown_is_said_and_routes_are_kept)
{
	star(2);
	speaker_shutdown(sim.node[1].s, "back in a \x1b minute", sim.now);
	sim_settle(&sim);
	ck_assert_str_eq(sim_view(&sim, 0, 1).last_error,
		"received 6/2 Cease/Administrative Shutdown: \"back in a \\x1b minute\"");
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_stale, 5);
}
END_TEST

/* A neighbour that is taken out of the configuration: a hard reset, nothing is kept on either side.
 */
START_TEST(removal_is_a_hard_reset)
{
	star(2);
	struct neighbor *n = NULL;
	struct neighbor_view v;
	do {
		n = (struct neighbor *)(uintptr_t)speaker_next_neighbor(sim.node[0].s, n);
		neighbor_view(n, &v);
	} while (!ip_eq(v.address, sim.node[1].address));
	speaker_remove_neighbor(sim.node[0].s, n, sim.now);
	sim_settle(&sim);
	ck_assert_str_eq(sim_view(&sim, 0, 1).state, "");
	ck_assert_ptr_null(sim_known(&sim, 2, 10));
	ck_assert_uint_eq(sim_view(&sim, 1, 0).routes_in, 0);
	ck_assert_ptr_nonnull(strstr(sim_view(&sim, 1, 0).last_error, "Hard Reset"));
	sim_run(&sim, 10000);
	sim_neighbor(&sim, 0, 1, 65000, passive_client);
	sim_run(&sim, 10000);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert_ptr_nonnull(sim_known(&sim, 2, 10));
}
END_TEST

/* RFC 4724 section 4.2: "MUST NOT differentiate". */
START_TEST(stale_is_used_like_fresh)
{
	star(3);
	sim_originate(&sim, 1, 99, 1);
	sim_originate(&sim, 2, 99, 2);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_known(&sim, 3, 99)->payload, 1);
	sim_kill(&sim, 1);
	sim_run(&sim, 1000);
	ck_assert_uint_eq(sim_known(&sim, 3, 99)->payload, 1);
	ck_assert(sim_known(&sim, 0, 99)->stale);
	sim_run(&sim, 130000);
	ck_assert_uint_eq(sim_known(&sim, 3, 99)->payload, 2);
}
END_TEST

/* Two reflectors lose their client and keep its route: each of them hears it from the other one, too, and fresh. They
 * must not make way for each other. */
START_TEST(two_helpers_are_quiet)
{
	start_reflector(0);
	start_client(1, true);
	sim_neighbor(&sim, 0, 1, 65000, NULL);
	start_client(2, true);
	sim_neighbor(&sim, 2, 1, 65000, NULL);
	for (int i = 0; i < 2; i++)
		sim_neighbor(&sim, i, 2, 65000, passive_client);
	sim_originate(&sim, 2, 99, 1);
	sim_run(&sim, 1000);
	sim.turns_max = 1000;
	sim_kill(&sim, 2);
	sim_run(&sim, 1000);
	ck_assert(!sim.storm);
	for (int i = 0; i < 2; i++) {
		ck_assert(sim_known(&sim, i, 99)->stale);
		ck_assert_uint_eq(sim_view(&sim, i, !i).routes_in, 1);
	}
}
END_TEST

/* The old connection is half open: the new one says that the peer has restarted (RFC 4724
 * section 4.2). */
START_TEST(peer_restarts_unnoticed)
{
	star(2);
	sim_half(&sim, 0, 1)->stopped = true;
	struct sim_half *old = sim_half(&sim, 1, 0);
	sim_kill(&sim, 1);
	old->failed = false; /* no RST came through */
	sim_run(&sim, 500);
	ck_assert(sim_up(&sim, 0, 1));
	unsigned tells = sim.node[2].tells;
	start_client(1, true);
	for (unsigned k = 0; k < 5; k++)
		sim_originate(&sim, 1, 10 + k, 1);
	sim_run(&sim, 1000);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert(sim_up(&sim, 1, 0));
	ck_assert_uint_eq(sim_view(&sim, 0, 1).flaps, 1);
	ck_assert_uint_eq(sim.node[2].tells, tells);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_stale, 0);
}
END_TEST

/* --- with a peer made by hand --- */

static struct raw raw;

static struct bgp_open open_gr(bool notification, bool forwarding)
{
	struct bgp_open o = raw_open();

	o.gr = true;
	o.gr_notification = notification;
	o.gr_restart_sec = 60;
	o.gr_family_count = 1;
	o.gr_families[0] = (struct open_gr_family){{AFI_L2VPN, SAFI_EVPN}, forwarding};
	return o;
}

static void raw_lose(void)
{
	conn_lost(raw.c, CONN_CLOSED_BY_PEER, raw.now);
	raw.c = NULL;
	raw_drain(&raw);
}

static void raw_return(const struct bgp_open *o)
{
	raw_wait(&raw, 1000);
	raw.c = raw_call(&raw, RAW_PEER);
	ck_assert_ptr_nonnull(raw.c);
	raw_establish(&raw, o);
}

static void raw_eor(void)
{
	uint8_t buf[64];

	raw_rx(&raw, buf, update_eor(buf, sizeof(buf), &test_family));
}

/* How the session ends, what the first OPEN said and the second says; what is left then, and after
 * the second. */
static const struct {
	const char *name;
	enum { LOST, NOTIFIED, HARD, EXPIRED } end;
	bool n, returns_gr, returns_f;
	unsigned kept, after;
} ends[] = {
	{"lost", LOST, false, true, true, 3, 3},
	{"lost, N bit", LOST, true, true, true, 3, 3},
	{"lost, comes back without its forwarding", LOST, false, true, false, 3, 0},
	{"lost, comes back without graceful restart", LOST, false, false, false, 3, 0},
	{"notified", NOTIFIED, false, true, true, 0, 0},
	{"notified, N bit", NOTIFIED, true, true, true, 3, 3},
	{"hard reset", HARD, true, true, true, 0, 0},
	{"hold timer", EXPIRED, false, true, true, 0, 0},
	{"hold timer, N bit", EXPIRED, true, true, true, 3, 3},
};

START_TEST(how_it_ends)
{
	struct bgp_open o = open_gr(ends[_i].n, true);

	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 3, 1);
	raw_eor();
	if (ends[_i].end == LOST)
		raw_lose();
	else if (ends[_i].end == EXPIRED)
		raw_wait(&raw, 91000);
	else
		raw_rx_hex(&raw, ends[_i].end == HARD
					 ? "ffffffffffffffff ffffffffffffffff 0017 03 06090602"
					 : "ffffffffffffffff ffffffffffffffff 0015 03 0602");
	raw_wait(&raw, 100);
	ck_assert_msg(raw_view(&raw).routes_in == ends[_i].kept, "%s", ends[_i].name);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, ends[_i].kept);
	o = open_gr(ends[_i].n, ends[_i].returns_f);
	o.gr = ends[_i].returns_gr;
	raw_return(&o);
	raw_wait(&raw, 100);
	ck_assert_msg(raw_view(&raw).routes_in == ends[_i].after, "%s", ends[_i].name);
	raw_eor();
	ck_assert_uint_eq(raw_view(&raw).routes_in, 0);
	raw_stop(&raw);
}
END_TEST

/* RFC 4724 section 4.2: lost again before the End-of-RIB, what was stale already is deleted. RFC
 * 8538: unless N. */
START_TEST(again_and_again)
{
	struct bgp_open o = open_gr(_i, true);

	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 3, 1);
	raw_lose();
	raw_return(&o);
	raw_rx_routes(&raw, 1, 1, 1);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, 2);
	raw_lose();
	ck_assert_uint_eq(raw_view(&raw).routes_in, _i ? 3 : 1);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, _i ? 3 : 1);
	raw_return(&o);
	raw_rx_routes(&raw, 1, 2, 1);
	raw_eor();
	ck_assert_uint_eq(raw_view(&raw).routes_in, 2);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, 0);
	/* And it never comes again. */
	raw_lose();
	raw_wait(&raw, 59000);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, 2);
	raw_wait(&raw, 2000);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 0);
	raw_stop(&raw);
}
END_TEST

static void count_converged(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	++*(int *)arg;
}

/* R is said until we have converged or the restart time is over; our End-of-RIB does not wait for a peer that
 * says it, but what the watch is told does. */
START_TEST(restarting_bit)
{
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();
	struct bgp_open o = open_gr(true, true), ours;
	struct bgp_error err;
	struct raw_msg m;
	char text[256];
	size_t at = 0;
	int told = 0;
	struct speaker_watch w = {.converged = count_converged, .arg = &told};

	c.defer_sec = 30;
	o.gr_restarting = _i;
	raw_start_with(&raw, &c, &n);
	speaker_set_watch(raw.s, &w);
	ck_assert(raw_next(&raw, &at, &m));
	ck_assert_int_eq(open_decode(m.body, m.len, &ours, &err), 0);
	ck_assert(ours.gr_restarting);
	raw_establish(&raw, &o);
	ck_assert_str_eq(
		raw_text(&raw, text, sizeof(text)), _i ? "OPEN KEEPALIVE EOR" : "OPEN KEEPALIVE");
	ck_assert_int_eq(told, 0);
	raw_eor();
	ck_assert_int_eq(told, 1);
	ck_assert_str_eq(raw_text(&raw, text, sizeof(text)), "OPEN KEEPALIVE EOR");
	raw_lose();
	raw_forget(&raw);
	raw_return(&o);
	at = 0;
	ck_assert(raw_next(&raw, &at, &m));
	ck_assert_int_eq(open_decode(m.body, m.len, &ours, &err), 0);
	ck_assert(!ours.gr_restarting);
	raw_stop(&raw);
}
END_TEST

/* The End-of-RIB says what is gone; that the session is lost again in the same moment does not bring it back. */
START_TEST(lost_while_the_rest_goes)
{
	struct bgp_open o = raw_open();
	uint8_t buf[BGP_MSG_MAX];

	o.gr = o.gr_notification = true;
	o.gr_restart_sec = 120;
	o.gr_families[0] = (struct open_gr_family){{AFI_L2VPN, SAFI_EVPN}, true};
	o.gr_family_count = 1;
	raw_start(&raw);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 3, 1);
	struct conn *first = raw.c;
	raw.c = NULL;
	conn_lost(first, CONN_FAILED, raw.now);
	raw_wait(&raw, 3000);
	raw.c = raw_call(&raw, RAW_PEER);
	raw_drain(&raw);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 1, 1);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 3);
	conn_rx(raw.c, buf, update_eor(buf, sizeof(buf), &test_family), raw.now);
	conn_lost(raw.c, CONN_FAILED, raw.now);
	raw.c = NULL;
	raw_drain(&raw);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 1);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, 1);
	raw_stop(&raw);
}
END_TEST

static void takes_several(struct neighbor_config *c)
{
	c->passive = c->client = true;
	c->add_path = ADD_PATH_SEND;
}

static void sends_one(struct neighbor_config *c)
{
	c->add_path = ADD_PATH_RECEIVE;
}

/* Choosing again moves keys to the end of the list, where the sweep is going: it must not meet them there for ever. */
START_TEST(sweep_ends_with_several_paths)
{
	enum { ROUTES = 6000 };

	start_reflector(1);
	start_client(1, true);
	sim_neighbor(&sim, 0, 2, 65000, takes_several);
	struct speaker_config c = sim_config(65000, 2);
	sim_start(&sim, 2, &c);
	sim_neighbor(&sim, 2, 0, 65000, sends_one);
	for (unsigned k = 0; k < ROUTES; k++)
		sim_originate(&sim, 1, k, 1);
	sim_run(&sim, 1000);
	ck_assert(sim_view(&sim, 0, 2).add_path_out);
	ck_assert_uint_eq(sim_view(&sim, 2, 0).routes_in, ROUTES);
	sim.turns_max = 10000;
	sim_kill(&sim, 1);
	sim_run(&sim, 1000);
	ck_assert(!sim.storm);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_stale, ROUTES);
	for (unsigned k = 0; k < ROUTES; k++)
		ck_assert(sim_known(&sim, 0, k)->stale);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("restart");
	TCase *t = tcase_create("restart");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, client_is_killed_and_returns);
	tcase_add_test(t, client_is_killed_for_good);
	tcase_add_test(t, client_returns_without_graceful_restart);
	tcase_add_test(t, client_returns_and_does_not_finish);
	tcase_add_test(t, local_routes_are_waited_for);
	tcase_add_test(t, reflector_is_killed_and_returns);
	tcase_add_test(t, reflector_waits_for_all_or_the_deferral);
	tcase_add_test(t, with_dynamic_neighbors_the_deferral_is_waited_for);
	tcase_add_test(t, alone_it_converges_at_once);
	tcase_add_test(t, hold_timer_expires);
	tcase_add_test(t, shutdown_is_said_and_routes_are_kept);
	tcase_add_test(t, removal_is_a_hard_reset);
	tcase_add_test(t, stale_is_used_like_fresh);
	tcase_add_test(t, two_helpers_are_quiet);
	tcase_add_test(t, peer_restarts_unnoticed);
	tcase_add_test(t, sweep_ends_with_several_paths);
	suite_add_tcase(s, t);
	TCase *by_hand = tcase_create("by hand");
	tcase_add_loop_test(by_hand, how_it_ends, 0, sizeof(ends) / sizeof(*ends));
	tcase_add_test(by_hand, lost_while_the_rest_goes);
	tcase_add_loop_test(by_hand, again_and_again, 0, 2);
	tcase_add_loop_test(by_hand, restarting_bit, 0, 2);
	suite_add_tcase(s, by_hand);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
