/* Long-lived graceful restart: the last resort, who is told of it, and when it ends. */
#include <check.h>
#include <stdlib.h>

#include "tests/bgp/raw.h"
#include "tests/bgp/sim.h"

#define LLGR_STALE "ffff0006"
#define NO_LLGR "ffff0007"
#define NO_EXPORT "ffffff01"

static struct sim sim;

static void setup(void)
{
	sim_init(&sim);
}

static void teardown(void)
{
	sim_free(&sim);
}

static const struct bgp_family *family;
static uint32_t llgr_sec; /* of those that do it */

static void llgr(struct neighbor_config *c)
{
	c->llgr_sec = llgr_sec;
}

static void llgr_client(struct neighbor_config *c)
{
	c->llgr_sec = llgr_sec;
	c->client = c->passive = true;
}

static void plain_client(struct neighbor_config *c)
{
	c->client = c->passive = true;
}

static void start(int node, uint32_t as, uint32_t restart_sec)
{
	struct speaker_config c = sim_config(as, node);

	c.restart_sec = restart_sec;
	family = c.families[0];
	sim_start(&sim, node, &c);
}

static void originate(int node, uint32_t number, const char *communities)
{
	struct octets o = octets_of(communities);
	struct nlri n = {.key_len = 5,
		.payload_len = 1,
		.key = {TEST_PAYLOAD_TYPE, 0, 0, 0, (uint8_t)number}};
	struct attrs a = {
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.next_hop = sim.node[node].address,
		.communities = {o.p, (uint16_t)o.len}};

	if (o.len)
		a.present |= ATTR_BIT(ATTR_COMMUNITIES);
	ck_assert_int_eq(speaker_originate(sim.node[node].s, family, &n, &a, sim.now), 0);
	free(o.p);
}

/* Node 0 reflects. 1 (that will die) and 2 do it, 3 is of the same AS and does not, nor is 4 of another. 5 does, and
 * is of another. */
static void net(uint32_t restart_sec)
{
	start(0, 65000, 120);
	start(1, 65000, restart_sec);
	for (int i = 2; i <= 5; i++)
		start(i, i < 4 ? 65000 : 65000 + (uint32_t)i, 120);
	for (int i = 1; i <= 5; i++) {
		bool does = i != 3 && i != 4;
		uint32_t as = i < 4 ? 65000 : 65000 + (uint32_t)i;
		sim_neighbor(&sim, 0, i, as, does ? llgr_client : plain_client);
		sim_neighbor(&sim, i, 0, 65000, does ? llgr : NULL);
	}
	originate(1, 1, "");
	originate(1, 2, "fde80001");
	originate(1, 3, NO_LLGR);
	sim_run(&sim, 2000);
	for (int i = 1; i <= 5; i++) {
		ck_assert(sim_up(&sim, 0, i));
		ck_assert_ptr_nonnull(sim_known(&sim, i, 3));
	}
}

static bool knows(int node, uint32_t number)
{
	return sim_known(&sim, node, number) != NULL;
}

/* Spans of what the watch was told are not valid afterwards; so look into the RIB. */
struct look {
	uint32_t number;
	char communities[80];
	uint32_t local_pref;
	bool stale;
};

static bool look_at(void *arg, const struct route_view *r)
{
	struct look *l = arg;
	const struct attrs *a = &r->attrs->attrs;

	if (!r->best || r->key[4] != l->number)
		return true;
	char *hex = hex_of(a->communities.p, a->communities.len);
	snprintf(l->communities, sizeof(l->communities), "%s", hex);
	free(hex);
	l->local_pref = attrs_has(a, ATTR_LOCAL_PREF) ? a->local_pref : 100;
	l->stale = r->stale;
	return false;
}

static struct look look(int node, uint32_t number)
{
	struct look l = {.number = number, .communities = "none"};

	speaker_each_route(sim.node[node].s, look_at, &l);
	return l;
}

START_TEST(the_last_resort)
{
	llgr_sec = 1000;
	net(120);
	sim_kill(&sim, 1);
	sim_run(&sim, 119000);
	ck_assert_str_eq(look(0, 1).communities, "");
	ck_assert(knows(4, 1));
	sim_run(&sim, 3000);
	/* Marked, where it was kept and with all who know what that is. */
	ck_assert_str_eq(look(0, 1).communities, LLGR_STALE);
	ck_assert_str_eq(look(0, 2).communities, "fde80001" LLGR_STALE);
	ck_assert(look(0, 1).stale && sim_known(&sim, 0, 1)->stale);
	ck_assert_str_eq(look(2, 1).communities, LLGR_STALE);
	ck_assert_uint_eq(look(2, 1).local_pref, 100);
	ck_assert(sim_known(&sim, 2, 1)->stale);
	ck_assert_str_eq(look(5, 2).communities, "fde80001" LLGR_STALE);
	/* Section 4.6: who does not know, within the AS; nobody beyond it. */
	ck_assert_str_eq(look(3, 2).communities, "fde80001" LLGR_STALE NO_EXPORT);
	ck_assert_uint_eq(look(3, 2).local_pref, 0);
	ck_assert(!knows(4, 1) && !knows(4, 2));
	/* NO_LLGR. */
	for (int i = 2; i <= 5; i++)
		ck_assert(!knows(i, 3));
	ck_assert(!knows(0, 3));
	sim_run(&sim, 990000);
	ck_assert(knows(0, 1) && knows(2, 1));
	sim_run(&sim, 15000);
	for (int i = 0; i <= 5; i++)
		ck_assert(i == 1 || !knows(i, 1));
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_in, 0);
}
END_TEST

START_TEST(a_new_one_gets_it_so)
{
	llgr_sec = 1000;
	net(120);
	sim_kill(&sim, 1);
	sim_run(&sim, 130000);
	start(6, 65000, 120);
	sim_neighbor(&sim, 0, 6, 65000, plain_client);
	sim_neighbor(&sim, 6, 0, 65000, NULL);
	sim_run(&sim, 3000);
	ck_assert_str_eq(look(6, 1).communities, LLGR_STALE NO_EXPORT);
	ck_assert_uint_eq(look(6, 1).local_pref, 0);
}
END_TEST

START_TEST(anything_else_is_better)
{
	llgr_sec = 1000;
	net(120);
	sim_kill(&sim, 1);
	sim_run(&sim, 130000);
	/* Worse in all that counts, but not stale. */
	originate(4, 1, "");
	sim_run(&sim, 1000);
	ck_assert_str_eq(look(0, 1).communities, "");
	ck_assert_str_eq(look(2, 1).communities, "");
	ck_assert(knows(5, 1) && !sim_known(&sim, 0, 1)->stale);
	sim_withdraw(&sim, 4, 1);
	sim_run(&sim, 1000);
	ck_assert_str_eq(look(0, 1).communities, LLGR_STALE);
}
END_TEST

/* With nobody: who has it says that it is the last resort, whatever we have agreed on. */
START_TEST(the_mark_counts_without_the_knob)
{
	llgr_sec = 0;
	net(120);
	originate(1, 7, LLGR_STALE);
	originate(2, 7, "");
	sim_run(&sim, 1000);
	ck_assert_str_eq(look(0, 7).communities, "");
	ck_assert_str_eq(look(3, 7).communities, "");
}
END_TEST

static const struct back_row {
	const char *name;
	uint32_t restart_sec; /* as it says when it is back; 0: it does no graceful restart */
	uint32_t llgr_sec;    /* the same */
	bool sends;           /* its routes again */
	bool kept;            /* until it does */
} backs[] = {
	{"with its routes", 120, 1000, true, true},
	{"without", 120, 1000, false, true},
	{"without the capability", 120, 0, true, false},
	{"without graceful restart", 0, 1000, true, false},
};

START_TEST(it_comes_back)
{
	const struct back_row *row = &backs[_i];

	llgr_sec = 1000;
	net(120);
	sim_kill(&sim, 1);
	sim_run(&sim, 200000);
	ck_assert_str_eq(look(2, 1).communities, LLGR_STALE);
	unsigned losses = sim.node[2].losses;
	start(1, 65000, row->restart_sec);
	llgr_sec = row->llgr_sec;
	if (row->sends)
		originate(1, 1, "");
	sim_neighbor(&sim, 1, 0, 65000, llgr);
	sim_run(&sim, 40000);
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert(knows(2, 1) == row->sends);
	ck_assert(!knows(2, 2)); /* not sent again, and its End-of-RIB is there */
	if (!row->sends)
		return;
	ck_assert_str_eq(look(2, 1).communities, "");
	ck_assert(!sim_known(&sim, 2, 1)->stale && knows(4, 1));
	if (row->kept)
		ck_assert_uint_eq(sim.node[2].losses - losses, 1);
}
END_TEST

/* Its restart time is 0: the long-lived time begins at once. By hand, for a quelld says so by silence. */
static struct raw raw;

static struct bgp_open graceful(uint16_t restart_sec, uint32_t sec)
{
	struct bgp_open o = raw_open();

	o.gr = o.gr_notification = true;
	o.gr_restart_sec = restart_sec;
	o.gr_family_count = 1;
	o.gr_families[0] = (struct open_gr_family){{AFI_L2VPN, SAFI_EVPN}, true};
	o.llgr = true;
	o.llgr_family_count = 1;
	o.llgr_families[0] = (struct open_llgr_family){{AFI_L2VPN, SAFI_EVPN}, true, sec};
	return o;
}

static void raw_up(const struct bgp_open *o, uint32_t ours)
{
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();

	n.llgr_sec = ours;
	raw_start_with(&raw, &c, &n);
	raw_establish(&raw, o);
	raw_rx_routes(&raw, 1, 3, 1);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 3);
}

static void raw_lose(void)
{
	struct conn *c = raw.c;

	raw.c = NULL;
	conn_lost(c, CONN_FAILED, raw.now);
	raw_drain(&raw);
}

static const struct time_row {
	const char *name;
	uint16_t restart_sec;
	uint32_t theirs, ours;
	unsigned kept_sec;
} times[] = {
	{"theirs is less", 10, 50, 100, 60},
	{"ours is less", 10, 100, 50, 60},
	{"theirs is 0", 10, 0, 50, 10},
	{"ours is 0: off", 10, 50, 0, 10},
	{"no restart time", 0, 50, 100, 50},
};

START_TEST(how_long)
{
	const struct time_row *row = &times[_i];
	struct bgp_open o = graceful(row->restart_sec, row->theirs);

	raw_up(&o, row->ours);
	raw_lose();
	raw_wait(&raw, 1000 * row->kept_sec - 1000);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 3);
	raw_wait(&raw, 2000);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 0);
	raw_stop(&raw);
}
END_TEST

/* A family that is in this capability alone; this capability without the other one. */
START_TEST(without_the_other)
{
	struct bgp_open o = graceful(10, 50);

	if (_i)
		o.gr = false;
	o.gr_family_count = 0;
	raw_up(&o, 100);
	raw_lose();
	raw_wait(&raw, 45000);
	ck_assert_uint_eq(raw_view(&raw).routes_in, _i ? 0 : 3);
	raw_wait(&raw, 10000);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 0);
	raw_stop(&raw);
}
END_TEST

/* Nor is one that says so to be told what is stale. */
START_TEST(told_without_the_other)
{
	struct bgp_open o = graceful(10, 50), theirs = graceful(10, 50);
	struct neighbor_config nc = raw_neighbor();
	struct neighbor *other;
	char text[200];

	raw_up(&o, 100);
	nc.address = ip_v4_u32(RAW_PEER + 1);
	nc.remote_as = theirs.as = 65001;
	ck_assert_int_eq(speaker_add_neighbor(raw.s, &nc, raw.now, &other), 0);
	struct raw second = {.s = raw.s, .n = other, .now = raw.now, .window = SIZE_MAX};
	second.c = raw_call(&second, RAW_PEER + 1);
	raw_drain(&second);
	theirs.bgp_id = RAW_PEER + 1;
	theirs.gr = _i == 0;
	raw_establish(&second, &theirs);
	raw_forget(&second);
	raw_lose();
	raw_wait(&raw, 11000);
	second.now = raw.now;
	raw_drain(&second);
	char *hex = hex_of(second.out, (uint16_t)second.out_len);
	ck_assert((strstr(hex, LLGR_STALE) != NULL) == (_i == 0));
	free(hex);
	if (_i == 1)
		ck_assert_str_eq(raw_text(&second, text, sizeof(text)), "-1,-2,-3");
	free(second.out);
	raw_stop(&raw);
}
END_TEST

static void raw_back(const struct bgp_open *o)
{
	raw.c = raw_call(&raw, RAW_PEER);
	raw_drain(&raw);
	raw_establish(&raw, o);
}

static void raw_stay(unsigned sec)
{
	while (sec--) {
		raw_wait(&raw, 1000);
		raw_rx_keepalive(&raw);
	}
}

/* It comes back, and never says that it has finished. */
START_TEST(no_end_of_rib)
{
	struct bgp_open o = graceful(10, 500);

	raw_up(&o, 1000);
	raw_lose();
	raw_wait(&raw, 20000);
	raw_back(&o);
	raw_rx_routes(&raw, 1, 1, 1);
	raw_stay(480);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 3);
	raw_stay(20);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 1);
	raw_stop(&raw);
}
END_TEST

/* Nor has it when the time ends: what it has told until then is not kept once more, but for when it has finished after
 * all, or is not waited for any longer. */
static const struct over_row {
	unsigned sec, stays_sec;
	bool finishes;
	unsigned kept;
} overs[] = {
	{60, 55, false, 0},
	{60, 55, true, 1},
	{60, 185, false, 1},
	{300, 295, false, 1},
	{60, 30, false, 3}, /* not yet */
};

START_TEST(over_before_it_has_told_all)
{
	const struct over_row *row = &overs[_i];
	struct bgp_open o = graceful(10, row->sec);
	uint8_t eor[BGP_MSG_MAX];

	raw_up(&o, 1000);
	raw_lose();
	raw_wait(&raw, 20000);
	raw_back(&o);
	raw_rx_routes(&raw, 1, 1, 1);
	raw_stay(row->stays_sec);
	if (row->finishes)
		raw_rx(&raw, eor, update_eor(eor, sizeof(eor), &test_family));
	ck_assert_uint_eq(raw_view(&raw).routes_in, row->kept == 3 ? 3 : 1);
	raw_lose();
	raw_wait(&raw, 1000);
	ck_assert_uint_eq(raw_view(&raw).routes_in, row->kept);
	/* And then it is as ever. */
	raw_back(&o);
	raw_rx_routes(&raw, 1, 3, 1);
	raw_rx(&raw, eor, update_eor(eor, sizeof(eor), &test_family));
	raw_lose();
	raw_wait(&raw, 8000 + 1000 * row->sec);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 3);
	raw_wait(&raw, 4000);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 0);
	raw_stop(&raw);
}
END_TEST

/* Lost again before its End-of-RIB: nothing goes before the time is over. */
START_TEST(lost_again)
{
	struct bgp_open o = graceful(10, 500);

	raw_up(&o, 1000);
	for (int i = 0; i < 5; i++) {
		raw_lose();
		raw_wait(&raw, 30000);
		ck_assert_uint_eq(raw_view(&raw).routes_in, 3);
		raw_back(&o);
		ck_assert_uint_eq(raw_view(&raw).routes_in, 3);
		raw_rx_routes(&raw, 1, 1, 1);
	}
	raw_lose();
	raw_wait(&raw, 1100000);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 0);
	raw_stop(&raw);
}
END_TEST

/* Taken back before the End-of-RIB and lost: the time that ran for what is gone is not that of what comes later. */
START_TEST(another_time)
{
	struct bgp_open o = graceful(10, 500);

	raw_up(&o, 1000);
	raw_lose();
	raw_wait(&raw, 20000);
	for (int i = 0; i < 2; i++) {
		raw_back(&o);
		if (i == 0) {
			raw_rx_withdraw(&raw, 1, 3);
			ck_assert_uint_eq(raw_view(&raw).routes_in, 0);
			raw_lose();
			raw_wait(&raw, 5000);
		}
	}
	raw_rx_routes(&raw, 1, 3, 1);
	raw_lose();
	raw_wait(&raw, 505000);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 3);
	raw_wait(&raw, 10000);
	ck_assert_uint_eq(raw_view(&raw).routes_in, 0);
	raw_stop(&raw);
}
END_TEST

/* More than one slice of a sweep. */
START_TEST(many)
{
	llgr_sec = 1000;
	start(0, 65000, 120);
	start(1, 65000, 120);
	sim_neighbor(&sim, 0, 1, 65000, llgr_client);
	sim_neighbor(&sim, 1, 0, 65000, llgr);
	for (uint32_t i = 0; i < 20000; i++)
		sim_originate(&sim, 1, i, 1);
	sim_run(&sim, 2000);
	sim_kill(&sim, 1);
	sim_run(&sim, 125000);
	for (uint32_t i = 0; i < 20000; i++)
		ck_assert(sim_known(&sim, 0, i)->stale);
	sim_run(&sim, 1010000);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_in, 0);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_stale, 0);
}
END_TEST

CHECK_MAIN("llgr", tcase_add_checked_fixture(t, setup, teardown);
	   tcase_add_test(t, the_last_resort); tcase_add_test(t, a_new_one_gets_it_so);
	   tcase_add_test(t, anything_else_is_better);
	   tcase_add_test(t, the_mark_counts_without_the_knob);
	   tcase_add_loop_test(t, it_comes_back, 0, ROWS_OF(backs));
	   tcase_add_loop_test(t, how_long, 0, ROWS_OF(times));
	   tcase_add_loop_test(t, without_the_other, 0, 2);
	   tcase_add_loop_test(t, told_without_the_other, 0, 2); tcase_add_test(t, no_end_of_rib);
	   tcase_add_loop_test(t, over_before_it_has_told_all, 0, ROWS_OF(overs));
	   tcase_add_test(t, lost_again); tcase_add_test(t, another_time);
	   tcase_add_test(t, many);)
