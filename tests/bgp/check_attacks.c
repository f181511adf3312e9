/* What no honest peer does, or only on its worst day. */
#include "bgp/engine.h"
#include "tests/bgp/raw.h"
#include "tests/bgp/sim.h"

static struct raw raw;
static struct sim sim;
static char text[8192];

#define GOT(expected) ck_assert_str_eq(raw_text(&raw, text, sizeof(text)), expected)

static struct bgp_open restarter(void)
{
	struct bgp_open o = raw_open();

	o.gr = o.gr_notification = true;
	o.gr_restart_sec = 100;
	o.gr_families[0] = (struct open_gr_family){{AFI_L2VPN, SAFI_EVPN}, true};
	o.gr_family_count = 1;
	return o;
}

/* The connection is lost, and the peer calls again. */
static void come_again(const struct bgp_open *o)
{
	struct conn *c = raw.c;

	raw.c = NULL;
	conn_lost(c, CONN_CLOSED_BY_PEER, raw.now);
	raw_wait(&raw, 10);
	raw.c = raw_call(&raw, RAW_PEER);
	ck_assert_ptr_nonnull(raw.c);
	raw_drain(&raw);
	raw_establish(&raw, o);
}

/* RFC 8538 section 4.1: whoever comes and goes and never says End-of-RIB keeps what it once said so
 * long and no longer. */
START_TEST(comes_and_goes)
{
	struct bgp_open o = restarter();
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();
	bool slowly = _i;

	n.stale_sec = slowly ? 0 : 100000;
	raw_start_with(&raw, &c, &n);
	raw_establish(&raw, &o);
	raw_rx_routes(&raw, 1, 5, 1);
	come_again(&o);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, 5);
	for (int i = 0; slowly && i < 10; i++) {
		raw_rx_routes(&raw, 6, 6, (uint8_t)i);
		raw_wait(&raw, 20000);
		raw_rx_keepalive(&raw);
		come_again(&o);
	}
	for (int i = 0; !slowly && i < 110; i++) {
		raw_rx_routes(&raw, 6, 6, (uint8_t)i);
		raw_wait(&raw, 1100);
		come_again(&o);
	}
	ck_assert_uint_eq(raw_view(&raw).routes_in, 1);
	ck_assert_uint_eq(raw_view(&raw).routes_stale, 1);
	raw_stop(&raw);
}
END_TEST

/* It wants no hold timer, and then says no more. */
START_TEST(stays_in_openconfirm)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	o.hold_sec = 0;
	raw_rx_open(&raw, &o);
	ck_assert_str_eq(raw_view(&raw).state, "OpenConfirm");
	raw_forget(&raw);
	raw_wait(&raw, 250000);
	GOT("4/0");
	raw_stop(&raw);
}
END_TEST

static void range(struct neighbor_config *c, uint8_t len, uint32_t as)
{
	*c = (struct neighbor_config){.prefix = {.ip = ip_v4_u32(0xc0000200), .len = len},
		.remote_as = as,
		.max_dynamic = 1,
		.hold_sec = len};
}

/* Two ranges hold the caller: the more specific one says who it is, whatever their order. */
START_TEST(range_in_range)
{
	struct speaker_config c = raw_speaker();
	struct neighbor_config n[2];
	struct neighbor_view v;

	range(&n[_i], 24, 65001);
	range(&n[!_i], 30, 65002);
	struct speaker *s = speaker_new(&c, 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(speaker_add_neighbor(s, &n[i], 0, NULL), 0);
	ck_assert_ptr_nonnull(speaker_accept(s, ip_v4_u32(RAW_PEER), ip_v4_u32(RAW_LOCAL), 0));
	neighbor_view(speaker_next_neighbor(s, NULL), &v);
	ck_assert_uint_eq(v.remote_as, 65002);
	/* It is full; the wider one does not stand in for it. */
	ck_assert_ptr_null(speaker_accept(s, ip_v4_u32(RAW_PEER + 1), ip_v4_u32(RAW_LOCAL), 0));
	ck_assert_ptr_nonnull(speaker_accept(s, ip_v4_u32(RAW_PEER + 9), ip_v4_u32(RAW_LOCAL), 0));
	speaker_free(s);
}
END_TEST

static void client(struct neighbor_config *c)
{
	c->passive = c->client = true;
}

/* A peer with very many routes is lost for good while another one takes a breath: it is told later, and keeps its
 * session. */
START_TEST(large_peer_is_lost)
{
	sim_init(&sim);
	for (int i = 0; i < 3; i++) {
		struct speaker_config c = sim_config(65000, i);
		c.restart_sec = 0;
		sim_start(&sim, i, &c);
		if (i)
			sim_neighbor(&sim, i, 0, 65000, NULL);
	}
	for (int i = 1; i < 3; i++)
		sim_neighbor(&sim, 0, i, 65000, client);
	for (unsigned i = 0; i < 200000; i++)
		sim_originate(&sim, 1, i, 1);
	sim_settle(&sim);
	ck_assert_uint_eq(sim.node[2].known.count, 200000);
	sim_stop_reading(&sim, 2, 0, true);
	sim_kill(&sim, 1);
	sim_settle(&sim);
	ck_assert(sim_up(&sim, 0, 2));
	sim_stop_reading(&sim, 2, 0, false);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_view(&sim, 0, 2).flaps, 0);
	/* A sweep waits now and then for who reads. */
	sim_run(&sim, 5000);
	ck_assert_uint_eq(sim.node[2].known.count, 0);
	ck_assert_uint_eq(sim.node[0].s->table[0].rib.tombstones, 0);
	sim_free(&sim);
}
END_TEST

CHECK_MAIN("attacks", tcase_set_timeout(t, 60); tcase_add_loop_test(t, comes_and_goes, 0, 2);
	   tcase_add_test(t, stays_in_openconfirm); tcase_add_loop_test(t, range_in_range, 0, 2);
	   tcase_add_test(t, large_peer_is_lost);)
