/* The import policy: what it refuses is kept and nothing else; asking it again; limits.
 *
 * Node 0 reflects between 1, 2 and 3. Its policy refuses payloads of `threshold` and more: those of
 * everybody, or of the neighbour whose rules are set. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"
#include "bgp/limit.h"
#include "bgp/recheck.h"
#include "lib/log.h"
#include "tests/bgp/sim.h"
#include "tests/bgp/wire.h"

#define NODES 4
#define HIGH REFUSED_BY_POLICY

static struct sim sim;
static unsigned threshold, asked;
static const unsigned own_threshold = 5;
static uint64_t last_serial;
static const struct attrs *last_attrs;

static uint8_t import(void *arg, const void *rules, const struct policy_route *r)
{
	unsigned max = rules ? *(const unsigned *)rules : threshold;

	ck_assert_ptr_eq(arg, &sim);
	ck_assert_uint_eq(r->family->safi, SAFI_EVPN);
	if (r->serial == last_serial)
		ck_assert_ptr_eq(r->attrs, last_attrs);
	last_serial = r->serial;
	last_attrs = r->attrs;
	asked++;
	return r->payload[0] >= max ? HIGH : REFUSED_NOT;
}

static const char *reason(uint8_t r)
{
	return r == HIGH ? "high" : "?";
}

static void client(struct neighbor_config *c)
{
	c->client = c->passive = true;
}

static void begin(void (*edit_first)(struct neighbor_config *c))
{
	struct speaker_policy p = {import, reason, &sim};

	threshold = 100;
	asked = 0;
	sim_init(&sim);
	for (int i = 0; i < NODES; i++) {
		struct speaker_config c = sim_config(65000, i);
		sim_start(&sim, i, &c);
	}
	speaker_set_policy(sim.node[0].s, &p);
	for (int i = 1; i < NODES; i++) {
		sim_neighbor(&sim, 0, i, 65000, i == 1 && edit_first ? edit_first : client);
		sim_neighbor(&sim, i, 0, 65000, NULL);
	}
	sim_settle(&sim);
}

static void teardown(void)
{
	sim_free(&sim);
}

static struct neighbor *neighbor_of(int peer)
{
	return sim.node[0].s->neighbor[peer];
}

static int payload_at(int node, uint32_t key)
{
	const struct sim_known *k = sim_known(&sim, node, key);

	return k ? k->payload : -1;
}

static void put(int node, uint32_t key, uint8_t payload)
{
	sim_originate(&sim, node, key, payload);
	sim_settle(&sim);
}

#define WITHDRAW 255

/* What node 1 announces one after the other, while node 2 announces `two`, and what is known of the key then. Node 1's
 * is preferred. */
static const struct {
	const char *what;
	uint8_t one[4], two;
	int at0, at3; /* -1: nothing */
	unsigned refused, told;
} rows[] = {
	{"accepted", {1}, 0, 1, 1, 0, 1},
	{"refused", {100}, 0, -1, -1, 1, 0},
	{"accepted, then refused", {1, 100}, 0, -1, -1, 1, 2},
	{"refused, then accepted", {100, 1}, 0, 1, 1, 0, 1},
	{"refused, still refused", {100, 101}, 0, -1, -1, 1, 0},
	{"refused, then withdrawn", {100, WITHDRAW}, 0, -1, -1, 0, 0},
	{"back and forth", {1, 100, 2, 101}, 0, -1, -1, 1, 4},
	{"another's stands", {100}, 1, 1, 1, 1, 1},
	{"preferred", {1}, 2, 1, 1, 0, 1},
	{"preferred, then refused: another's", {1, 100}, 2, 2, 2, 1, 2},
	{"both refused", {100}, 101, -1, -1, 2, 0},
	{"refused and withdrawn: another's", {1, 100, WITHDRAW}, 2, 2, 2, 0, 2},
};

static void check_row(int i, unsigned refused)
{
	ck_assert_msg(payload_at(0, 7) == rows[i].at0, "%s: at 0: %d", rows[i].what, payload_at(0, 7));
	ck_assert_msg(payload_at(3, 7) == rows[i].at3, "%s: at 3: %d", rows[i].what, payload_at(3, 7));
	ck_assert_msg(refused == rows[i].refused, "%s: %u refused", rows[i].what, refused);
}

START_TEST(kept_and_not_told)
{
	struct speaker_stats st;

	begin(NULL);
	/* Another's first: it has to give way, and to come back. */
	if (rows[_i].two)
		put(2, 7, rows[_i].two);
	unsigned before = sim.node[3].tells;
	for (int k = 0; k < 4 && rows[_i].one[k]; k++) {
		if (rows[_i].one[k] == WITHDRAW)
			sim_withdraw(&sim, 1, 7);
		else
			sim_originate(&sim, 1, 7, rows[_i].one[k]);
		sim_settle(&sim);
	}
	speaker_stats(sim.node[0].s, &st);
	check_row(_i, (unsigned)st.refused);
	if (!rows[_i].two)
		ck_assert_msg(sim.node[3].tells - before == rows[_i].told, "%s: told %u times",
			rows[_i].what, sim.node[3].tells - before);
	ck_assert_uint_eq(
		sim_view(&sim, 0, 1).routes_refused + sim_view(&sim, 0, 2).routes_refused, st.refused);
	ck_assert_uint_eq(sim.node[0].s->table[0].rib.tombstones, 0);
}
END_TEST

static bool find_refused(void *arg, const struct route_view *r)
{
	unsigned *n = arg;

	if (r->refused) {
		ck_assert(!r->best);
		ck_assert_uint_eq(r->refused, HIGH);
		(*n)++;
	}
	return true;
}

START_TEST(shown)
{
	unsigned n = 0;

	begin(NULL);
	put(1, 7, 100);
	put(2, 8, 1);
	put(1, 8, 100);
	speaker_each_route(sim.node[0].s, find_refused, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).refused[HIGH], 2);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_in, 2);
	ck_assert_str_eq(policy_reason(&sim.node[0].s->policy, HIGH), "high");
	ck_assert_str_eq(policy_reason(NULL, HIGH), "policy");
	ck_assert_str_eq(policy_reason(NULL, REFUSED_CROWDED), "too-many-paths");
}
END_TEST

/* --- asking again --- */

START_TEST(asked_again)
{
	begin(NULL);
	put(1, 1, 10);
	put(2, 1, 50);
	put(1, 2, 50);
	put(1, 3, 99);
	put(2, 4, 10);
	threshold = 40;
	speaker_recheck(sim.node[0].s, NULL, sim.now);
	sim_settle(&sim);
	ck_assert_int_eq(payload_at(3, 1), 10);
	ck_assert_int_eq(payload_at(3, 2), -1);
	ck_assert_int_eq(payload_at(3, 3), -1);
	ck_assert_int_eq(payload_at(3, 4), 10);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_refused, 2);
	ck_assert_uint_eq(sim_view(&sim, 0, 2).routes_refused, 1);
	threshold = 5;
	speaker_recheck(sim.node[0].s, NULL, sim.now);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_view(&sim, 3, 0).routes_in, 0);
	threshold = 100;
	/* Only those of node 2. */
	speaker_recheck(sim.node[0].s, neighbor_of(2), sim.now);
	sim_settle(&sim);
	ck_assert_int_eq(payload_at(3, 1), 50);
	ck_assert_int_eq(payload_at(3, 2), -1);
	ck_assert_int_eq(payload_at(3, 4), 10);
	speaker_recheck(sim.node[0].s, neighbor_of(1), sim.now);
	sim_settle(&sim);
	ck_assert_int_eq(payload_at(3, 1), 10);
	ck_assert_int_eq(payload_at(3, 2), 50);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_refused, 0);
	/* With the same answers nothing is told. */
	unsigned tells = sim.node[3].tells;
	asked = 0;
	speaker_recheck(sim.node[0].s, NULL, sim.now);
	sim_settle(&sim);
	ck_assert_uint_eq(asked, 5);
	ck_assert_uint_eq(sim.node[3].tells, tells);
	ck_assert(!recheck_is_running(sim.node[0].s));
}
END_TEST

static void own_rules(struct neighbor_config *c)
{
	client(c);
	c->rules = &own_threshold;
}

START_TEST(rules_of_its_own)
{
	begin(own_rules);
	put(1, 1, 10);
	put(2, 2, 10);
	ck_assert_int_eq(payload_at(3, 1), -1);
	ck_assert_int_eq(payload_at(3, 2), 10);
}
END_TEST

/* Many keys take many turns; routes come, change and go meanwhile, and the question is asked anew
 * before the answer is through. */
START_TEST(asked_again_meanwhile)
{
	enum { KEYS = 12000 };
	static uint8_t has[KEYS];
	struct speaker *s;

	begin(NULL);
	s = sim.node[0].s;
	for (uint32_t k = 0; k < KEYS; k++)
		sim_originate(&sim, 1, k, has[k] = (uint8_t)(1 + k % 120));
	sim_settle(&sim);
	for (unsigned round = 0; round < 6; round++) {
		threshold = 20 + 37 * round % 100;
		speaker_recheck(s, round % 2 ? neighbor_of(1) : NULL, sim.now);
		ck_assert_uint_le(speaker_deadline(s), sim.now);
		for (unsigned turn = 0; turn < 2 + round; turn++) {
			for (uint32_t k = turn; k < KEYS; k += 97) {
				has[k] = (uint8_t)(has[k] ? 0 : 1 + (k + turn) % 120);
				if (has[k])
					sim_originate(&sim, 1, k, has[k]);
				else
					sim_withdraw(&sim, 1, k);
			}
			sim_turn(&sim);
		}
	}
	sim_settle(&sim);
	unsigned refused = 0;
	for (uint32_t k = 0; k < KEYS; k++) {
		bool in = has[k] && has[k] < threshold;
		refused += has[k] && !in;
		ck_assert_int_eq(payload_at(0, k), in ? has[k] : -1);
		ck_assert_int_eq(payload_at(3, k), in ? has[k] : -1);
	}
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_refused, refused);
	ck_assert_uint_eq(s->table[0].rib.tombstones, 0);
}
END_TEST

/* Refused paths go with their session, and are kept over a restart, like others. */
START_TEST(session_lost)
{
	begin(NULL);
	put(1, 1, 100);
	put(1, 2, 1);
	sim_kill(&sim, 1);
	sim_settle(&sim);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_in, 2);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_refused, 1);
	/* Still asked about while stale. */
	threshold = 1;
	speaker_recheck(sim.node[0].s, NULL, sim.now);
	sim_settle(&sim);
	ck_assert_int_eq(payload_at(3, 2), -1);
	threshold = 101;
	speaker_recheck(sim.node[0].s, NULL, sim.now);
	sim_settle(&sim);
	ck_assert_int_eq(payload_at(3, 2), 1);
	ck_assert_int_eq(payload_at(3, 1), 100);
	sim_run(&sim, 400000);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_in, 0);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_refused, 0);
	ck_assert_int_eq(payload_at(3, 2), -1);
	ck_assert_uint_eq(sim.node[0].s->table[0].rib.map.count, 0);
}
END_TEST

/* --- limits --- */

static unsigned warnings;

static void sink(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	warnings += level == LOG_LEVEL_WARNING && strstr(line, "the limit is");
}

static void ten_odd_ones(struct neighbor_config *c)
{
	client(c);
	c->max_by_class[1] = 10;
	c->max_routes = 1000;
}

START_TEST(limit_by_kind)
{
	struct neighbor_view v;

	begin(ten_odd_ones);
	log_set_sink(sink, NULL);
	warnings = 0;
	for (uint32_t k = 0; k < 100; k += 2)
		put(1, k, 1);
	for (uint32_t k = 1; k < 14; k += 2)
		put(1, k, k == 1 ? 100 : 1); /* a refused one counts */
	ck_assert_uint_eq(warnings, 0);
	put(1, 15, 1);
	ck_assert_uint_eq(warnings, 1);
	put(1, 17, 1);
	put(1, 19, 1);
	put(1, 19, 2);
	ck_assert_uint_eq(warnings, 1);
	/* Not before it was below 70 %. */
	for (uint32_t k = 13; k < 20; k += 2)
		sim_withdraw(&sim, 1, k);
	sim_settle(&sim);
	for (uint32_t k = 13; k < 20; k += 2)
		put(1, k, 1);
	ck_assert_uint_eq(warnings, 2);
	v = sim_view(&sim, 0, 1);
	ck_assert_uint_eq(v.routes_by_class[0], 50);
	ck_assert_uint_eq(v.routes_by_class[1], 10);
	ck_assert_uint_eq(v.max_by_class[1], 10);
	ck_assert(sim_up(&sim, 0, 1));
	sim_originate(&sim, 1, 21, 1);
	sim_settle(&sim);
	log_set_sink(NULL, NULL);
	ck_assert_str_eq(sim_view(&sim, 0, 1).last_error,
		"sent 6/1 Cease/Maximum Number of Prefixes Reached: more than 10 routes of type 1");
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_by_class[0], 0);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_by_class[1], 0);
}
END_TEST

/* --- the log --- */

static unsigned ups, downs, refusals;

static void count_lines(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	ups += strstr(line, "192.0.2.2 (one): up: AS 65000, router id 192.0.2.2") != NULL;
	downs += strstr(line, "192.0.2.2 (one): down after ") != NULL &&
		 strstr(line, "sent 6/4 Cease/Administrative Reset") != NULL;
	refusals += strstr(line, "192.0.2.2: a route is refused: high") != NULL;
}

static void named(struct neighbor_config *c)
{
	client(c);
	strcpy(c->name, "one");
}

/* A session's beginning and end with its reason; the first route that is refused for a reason, and
 * no more of these until the next session. */
START_TEST(sessions_and_refusals_are_logged)
{
	log_set_sink(count_lines, NULL);
	ups = downs = refusals = 0;
	begin(named);
	ck_assert_uint_eq(ups, 1);
	for (uint32_t k = 0; k < 5; k++)
		put(1, k, 100);
	ck_assert_uint_eq(refusals, 1);
	speaker_reset_neighbor(
		sim.node[0].s, neighbor_of(1), BGP_CEASE_RESET, NULL, false, sim.now);
	sim_settle(&sim);
	sim_run(&sim, 30000);
	log_set_sink(NULL, NULL);
	ck_assert_uint_eq(downs, 1);
	ck_assert_uint_eq(ups, 2);
	ck_assert_uint_eq(refusals, 2);
}
END_TEST

/* RFC 4486 section 4: the family, and the limit that was reached. */
START_TEST(limit_in_the_data)
{
	static const uint8_t data[] = {0, 25, 70, 0, 0, 0, 9};
	struct bgp_error err;

	begin(ten_odd_ones);
	for (uint32_t k = 1; k < 21; k += 2)
		put(1, k, 1);
	struct nlri n = {.key_len = 2, .key = {TEST_PAYLOAD_TYPE, 1}};
	neighbor_of(1)->config.max_by_class[1] = 9;
	ck_assert_int_eq(limit_check(neighbor_of(1), &sim.node[0].s->table[0], &n, &err), -EBADMSG);
	ck_assert_uint_eq(err.data_len, sizeof(data));
	ck_assert_mem_eq(err.data, data, sizeof(data));
	neighbor_of(1)->config.max_by_class[1] = 10;
	ck_assert_int_eq(limit_check(neighbor_of(1), &sim.node[0].s->table[0], &n, &err), 0);
}
END_TEST

/* Refused ones count for max-routes. */
START_TEST(refused_ones_count)
{
	begin(ten_odd_ones);
	neighbor_of(1)->config.max_routes = 3;
	for (uint32_t k = 0; k < 6; k += 2)
		put(1, k, 100);
	ck_assert(sim_up(&sim, 0, 1));
	sim_originate(&sim, 1, 6, 100);
	sim_settle(&sim);
	ck_assert(!sim_up(&sim, 0, 1));
	ck_assert_uint_eq(sim_view(&sim, 0, 1).routes_refused, 0);
}
END_TEST

/* Other rules come with something that only a new session can say, and the neighbour is not back yet: what is kept of it
 * is asked about. */
START_TEST(rules_change_with_a_reset)
{
	begin(NULL);
	put(1, 1, 4);
	put(1, 2, 7);
	sim_kill(&sim, 1);
	sim_run(&sim, 1000);
	ck_assert_int_eq(payload_at(3, 2), 7);
	struct neighbor_config c = neighbor_of(1)->config;
	c.rules = &own_threshold;
	c.hold_sec = 30;
	ck_assert_int_eq(speaker_change_neighbor(sim.node[0].s, neighbor_of(1), &c, sim.now), NEIGHBOR_RESET);
	sim_run(&sim, 1000);
	ck_assert_int_eq(payload_at(3, 1), 4);
	ck_assert_int_eq(payload_at(3, 2), -1);
}
END_TEST

CHECK_MAIN("policy_import", {
	tcase_add_test(t, rules_change_with_a_reset);
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, kept_and_not_told, 0, ROWS_OF(rows));
	tcase_add_test(t, shown);
	tcase_add_test(t, asked_again);
	tcase_add_test(t, rules_of_its_own);
	tcase_add_test(t, asked_again_meanwhile);
	tcase_add_test(t, session_lost);
	tcase_add_test(t, limit_by_kind);
	tcase_add_test(t, sessions_and_refusals_are_logged);
	tcase_add_test(t, limit_in_the_data);
	tcase_add_test(t, refused_ones_count);
})
