/* Route Target membership: the codec, the filters, and who is told what because of it. */
#include <check.h>
#include <stdlib.h>

#include "bgp/membership.h"
#include "bgp/rtc.h"
#include "tests/bgp/raw.h"
#include "tests/bgp/sim.h"
#include "tests/bgp/wire.h"

/* --- NLRIs --- */

#define RT_100 "0000fde8 0002fde800000064"

static const struct nlri_row {
	const char *name, *hex;
	enum nlri_verdict verdict;
	const char *again; /* as it is encoded; NULL: the same */
	const char *text;
} nlris[] = {
	{"default", "00", NLRI_OK, NULL, "default"},
	{"AS alone", "20 0000fde8", NLRI_OK, NULL, "65000 RT /32"},
	{"whole", "60" RT_100, NLRI_OK, NULL, "65000 RT 65000:100"},
	{"ES-Import", "60 0000fde8 0602001122334455", NLRI_OK, NULL,
		"65000 RT 0602001122334455/96"},
	{"prefix", "40 0000fde8 0002fde8", NLRI_OK, NULL, "65000 RT 0002fde8/64"},
	{"spare bits", "29 0000fde8 00ff", NLRI_OK, "29 0000fde8 0080", "65000 RT 0080/41"},
	{"spare bits of the AS's octet", "21 0000fde8 ff", NLRI_OK, "21 0000fde8 80",
		"65000 RT 80/33"},
	{"1 bit", "01 80", NLRI_DISCARD, NULL, NULL},
	{"31 bits", "1f 0000fde8", NLRI_DISCARD, NULL, NULL},
	{"97 bits", "61" RT_100 "00", NLRI_BROKEN, NULL, NULL},
	{"255 bits", "ff" RT_100, NLRI_BROKEN, NULL, NULL},
	{"overruns", "60 0000fde8 0002", NLRI_BROKEN, NULL, NULL},
};

START_TEST(codec)
{
	const struct nlri_row *row = &nlris[_i];
	struct octets in = octets_of(row->hex), out = octets_of(row->again ? row->again : row->hex);
	struct reader r = reader_of(in.p, in.len);
	struct nlri n;
	const char *why = NULL;
	uint8_t buf[32];
	char text[64];

	ck_assert_int_eq(rtc_family.decode(&r, false, &n, &why), row->verdict);
	if (row->verdict == NLRI_OK) {
		struct writer w = writer_of(buf, sizeof(buf));
		ck_assert(reader_done(&r));
		rtc_family.encode(&w, n.key, n.key_len, NULL, 0);
		ck_assert_uint_eq(writer_len(&w), out.len);
		ck_assert_mem_eq(buf, out.p, out.len);
		ck_assert_str_eq(rtc_family.format(text, sizeof(text), n.key, n.key_len, NULL, 0),
			row->text);
	} else {
		ck_assert_ptr_nonnull(why);
	}
	if (row->verdict == NLRI_DISCARD)
		ck_assert(reader_done(&r));
	for (size_t cut = 0; row->verdict == NLRI_OK && cut < in.len; cut++) {
		struct octets c = octets_cut(in.p, cut);
		struct reader cr = reader_of(c.p, c.len);
		ck_assert_int_eq(rtc_family.decode(&cr, true, &n, &why), NLRI_BROKEN);
		free(c.p);
	}
	free(in.p);
	free(out.p);
}
END_TEST

/* --- filters --- */

static const struct wants_row {
	const char *name, *prefixes, *communities;
	bool wanted;
} wants[] = {
	{"nothing said", "", "0002fde800000064", false},
	{"default", "00", "0002fde800000064", true},
	{"default, and no target", "00", "", true},
	{"its AS alone: any target", "20 0000fde8", "0002000100000001", true},
	{"its AS alone, and no target", "20 0000fde8", "", false},
	{"whole", "60" RT_100, "0002fde800000064", true},
	{"whole, another", "60" RT_100, "0002fde800000065", false},
	{"whole, one of two", "60" RT_100, "0002000100000001 0002fde800000064", true},
	{"origin AS does not matter", "60 00000001 0002fde800000064", "0002fde800000064", true},
	{"prefix", "50 0000fde8 0002fde80000", "0002fde800000064", true},
	{"prefix, beyond", "50 0000fde8 0002fde80000", "0002fde800010000", false},
	{"not a target", "60 0000fde8 030c000000000008", "030c000000000008", false},
	{"other forms", "60 0000fde8 0202000100000001", "0202000100000001", true},
	{"ES-Import", "60 0000fde8 0602001122334455", "0602001122334455", true},
	{"nested, inner", "60 00000001 0002fde800000064 40 0000fde8 0002fde8", "0002fde800000064",
		true},
	{"nested, outer", "40 0000fde8 0002fde8 60 00000001 0002fde800000064", "0002fde800000065",
		true},
	{"between two", "60 00000001 0002fde800000064 60 00000001 0002fde800000066",
		"0002fde800000065", false},
	{"cut short", "60" RT_100, "0002fde8000000", false},
};

static struct sim sim;

static void setup(void)
{
	sim_init(&sim);
}

static void teardown(void)
{
	sim_free(&sim);
}

static const struct bgp_family *families[] = {NULL, &rtc_family};

static void takes_part(struct neighbor_config *c)
{
	c->rt_constrain = true;
}

static void client(struct neighbor_config *c)
{
	c->rt_constrain = c->client = c->passive = true;
}

static void plain_client(struct neighbor_config *c)
{
	c->client = c->passive = true;
}

static void start(int node, uint32_t as)
{
	struct speaker_config c = sim_config(as, node);

	families[0] = c.families[0];
	c.families = families;
	c.family_count = 2;
	sim_start(&sim, node, &c);
}

/* Node 0 reflects for 1 .. n. */
static void star(int n)
{
	for (int i = 0; i <= n; i++)
		start(i, 65000);
	for (int i = 1; i <= n; i++) {
		sim_neighbor(&sim, 0, i, 65000, client);
		sim_neighbor(&sim, i, 0, 65000, takes_part);
	}
}

static struct rt rt_of(uint32_t number)
{
	return (struct rt){{0, 2, 0xfd, 0xe8, (uint8_t)(number >> 24), (uint8_t)(number >> 16),
		(uint8_t)(number >> 8), (uint8_t)number}};
}

/* Imports the route targets 65000:a and 65000:b; 0: none. */
static void imports(int node, uint32_t a, uint32_t b)
{
	struct rt rts[2] = {rt_of(a), rt_of(b)};

	ck_assert_int_eq(
		speaker_set_membership(sim.node[node].s, rts, !!a + !!b, false, sim.now), 0);
}

static void originate(int node, uint32_t number, const char *communities)
{
	struct octets o = octets_of(communities);
	struct nlri n = {.key_len = 5, .payload_len = 1, .key = {TEST_PAYLOAD_TYPE}};
	struct attrs a = {
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.next_hop = sim.node[node].address,
		.ext_communities = {o.p, (uint16_t)o.len}};

	if (o.len)
		a.present |= ATTR_BIT(ATTR_EXT_COMMUNITIES);
	for (int i = 0; i < 4; i++)
		n.key[1 + i] = (uint8_t)(number >> (24 - 8 * i));
	ck_assert_int_eq(speaker_originate(sim.node[node].s, families[0], &n, &a, sim.now), 0);
	free(o.p);
}

static void originate_rt(int node, uint32_t number, uint32_t rt)
{
	char text[17];

	snprintf(text, sizeof(text), "0002fde8%08x", rt);
	originate(node, number, text);
}

static bool knows(int node, uint32_t number)
{
	return sim_known(&sim, node, number) != NULL;
}

/* All changes of membership but the first have to wait, at each hop. */
static void settle(void)
{
	sim_run(&sim, 3 * MEMBERSHIP_HOLD_MS);
}

/* The neighbour says these prefixes by itself, so that any can be said. */
static void say_with(int node, const char *prefixes, bool yes, const char *communities)
{
	struct octets o = octets_of(prefixes), c = octets_of(communities);
	struct reader r = reader_of(o.p, o.len);
	struct attrs a = {
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.next_hop = sim.node[node].address,
		.communities = {c.p, (uint16_t)c.len}};
	struct nlri n;
	const char *why;

	if (c.len)
		a.present |= ATTR_BIT(ATTR_COMMUNITIES);
	while (reader_left(&r)) {
		ck_assert_int_eq(rtc_family.decode(&r, false, &n, &why), NLRI_OK);
		if (yes)
			speaker_originate(sim.node[node].s, &rtc_family, &n, &a, sim.now);
		else
			speaker_unoriginate(sim.node[node].s, &rtc_family, &n, sim.now);
	}
	free(o.p);
	free(c.p);
}

static void say(int node, const char *prefixes, bool yes)
{
	say_with(node, prefixes, yes, "");
}

START_TEST(what_is_wanted)
{
	const struct wants_row *row = &wants[_i];

	star(1);
	say(1, row->prefixes, true);
	originate(0, 1, row->communities);
	settle();
	ck_assert(sim_up(&sim, 0, 1));
	ck_assert(knows(1, 1) == row->wanted);
	/* And when it is said later, or taken back. */
	say(1, row->prefixes, false);
	settle();
	ck_assert(!knows(1, 1));
	say(1, row->prefixes, true);
	settle();
	ck_assert(knows(1, 1) == row->wanted);
}
END_TEST

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

CHECK_MAIN("rtc", tcase_add_checked_fixture(t, setup, teardown);
	   tcase_add_loop_test(t, codec, 0, ROWS_OF(nlris));
	   tcase_add_loop_test(t, what_is_wanted, 0, ROWS_OF(wants));
	   tcase_add_test(t, not_negotiated_unless_asked_for);
	   tcase_add_test(t, only_what_is_imported); tcase_add_test(t, what_a_client_is_told);
	   tcase_add_test(t, only_the_difference_is_sent); tcase_add_test(t, everything_at_once);
	   tcase_add_test(t, storm_of_changes); tcase_add_test(t, who_changes_his_mind_without_end);
	   tcase_add_test(t, a_plain_peer_needs_everything);
	   tcase_add_test(t, lans_that_import_by_pattern_want_everything);
	   tcase_add_test(t, waits_for_the_end_of_rib); tcase_add_test(t, end_of_rib_at_once);
	   tcase_add_loop_test(t, the_default_stands_in, 0, 2);
	   tcase_add_test(t, waits_60_seconds_at_most);
	   tcase_add_test(t, more_prefixes_than_are_remembered);
	   tcase_add_test(t, comes_back_after_a_loss); tcase_add_test(t, between_ases);
	   tcase_add_test(t, two_reflectors);
	   tcase_add_test(t, withdrawn_where_the_best_does_not_go);
	   tcase_add_test(t, taken_back_together);
	   tcase_add_test(t, a_copy_goes); tcase_add_test(t, said_for_the_inside);)
