/* A reflector, three clients and two others who do anything in any order: at rest, everybody knows what he should and
 * nothing else. QUELL_SEED gives the first seed, QUELL_ROUNDS how many. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"
#include "tests/bgp/sim.h"

#define NODES 6
#define CLIENTS 3
#define KEYS_MAX 1200
#define STEPS 120

static struct sim sim;
static unsigned seed;
static uint8_t has[NODES][KEYS_MAX]; /* payload of what a node originates; 0: does not */
static uint32_t keys;                /* few: they often meet; many: they take more than one slice */

static unsigned dice(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static bool is_client(int i)
{
	return i >= 1 && i <= CLIENTS;
}

static void client(struct neighbor_config *c)
{
	c->client = c->passive = true;
	c->queue_octets = 200 + dice(1000);
}

static void other(struct neighbor_config *c)
{
	c->passive = true;
	c->queue_octets = 200 + dice(1000);
}

static void start(int i)
{
	struct speaker_config c = sim_config(65000, i);

	c.restart_sec = dice(4) ? 20 : 0;
	c.defer_sec = 1 + dice(10);
	c.wait_local = dice(2);
	sim_start(&sim, i, &c);
	if (i)
		sim_neighbor(&sim, i, 0, 65000, NULL);
	for (int k = 1; !i && k < NODES; k++)
		sim_neighbor(&sim, 0, k, 65000, is_client(k) ? client : other);
	for (uint32_t k = 0; k < keys; k++)
		if (has[i][k])
			sim_originate(&sim, i, k, has[i][k]);
	speaker_local_done(sim.node[i].s, sim.now);
}

static void ask_refresh(int i)
{
	for (size_t k = 1; k < sim.node[i].s->neighbors; k++) {
		struct neighbor *n = sim.node[i].s->neighbor[k];
		uint8_t buf[BGP_HEADER_LEN + 4];
		struct writer w = writer_of(buf, sizeof(buf));
		struct bgp_refresh r = {{AFI_L2VPN, SAFI_EVPN}, REFRESH_REQUEST};
		refresh_encode(&w, &r);
		if (n && n->up)
			conn_control(n->main->conn, buf, sizeof(buf));
	}
}

static void change_routes(int i)
{
	uint32_t first = dice(keys), count = 1 + dice(dice(2) ? 5 : keys / 2);
	bool take = dice(2);

	for (uint32_t k = first; k < first + count && k < keys; k++) {
		has[i][k] = take ? 0 : (uint8_t)(1 + dice(3));
		if (take)
			sim_withdraw(&sim, i, k);
		else
			sim_originate(&sim, i, k, has[i][k]);
	}
}

static void step(void)
{
	int i = (int)dice(NODES);

	switch (dice(24)) {
	case 0:
		sim_kill(&sim, i);
		if (dice(2))
			sim_run(&sim, dice(30000));
		start(i);
		break;
	case 1:
		sim_stop_reading(&sim, i, 0, true);
		break;
	case 2:
		sim_stop_reading(&sim, 0, i, true);
		break;
	case 3:
	case 4:
		sim_stop_reading(&sim, i, 0, false);
		sim_stop_reading(&sim, 0, i, false);
		break;
	case 5:
	case 6:
	case 7:
		ask_refresh(1 + i % (NODES - 1));
		break;
	case 8:
		sim_run(&sim, dice(3000));
		break;
	case 9:
		sim.chunk = dice(2) ? 1 + dice(200) : 0;
		break;
	default:
		change_routes(i);
	}
	for (unsigned n = dice(6); n; n--)
		sim_turn(&sim);
}

static int owner(const struct sim_known *k)
{
	return (int)(k->next_hop - 0xc0000201u);
}

/* What node j is to know of a key, given what the reflector took as best. */
static void check_key(unsigned first_seed, int j, uint32_t key)
{
	const struct sim_known *best = sim_known(&sim, 0, key), *k = sim_known(&sim, j, key);
	int want = best ? owner(best) : -1;

	if (j && best && owner(best) && !is_client(owner(best)) && !is_client(j))
		want = -1; /* RFC 4456 section 6 */
	if (has[j][key])
		want = j;
	ck_assert_msg(k ? want == owner(k) : want < 0, "seed %u: node %d, key %u: %d, wanted %d",
		first_seed, j, key, k ? owner(k) : -1, want);
	ck_assert_msg(!k || (k->payload == has[want][key] && !k->stale),
		"seed %u: node %d, key %u: payload %u, wanted %u; stale %d", first_seed, j, key,
		k->payload, has[want][key], k->stale);
}

static void check_rest(unsigned first_seed)
{
	for (uint32_t key = 0; key < keys; key++) {
		const struct sim_known *best = sim_known(&sim, 0, key);
		for (int j = 0; j < NODES && !best; j++)
			ck_assert_msg(
				!has[j][key], "seed %u: key %u of %d is lost", first_seed, key, j);
		for (int j = 0; j < NODES; j++)
			check_key(first_seed, j, key);
	}
	for (int j = 0; j < NODES; j++) {
		const struct rib *r = &sim.node[j].s->table[0].rib;
		ck_assert_msg(r->tombstones == 0, "seed %u: node %d keeps %zu tombstones",
			first_seed, j, r->tombstones);
		for (size_t i = 0; i < sim.node[j].s->neighbors; i++)
			ck_assert_uint_eq(r->peer[i].stale, 0);
	}
}

static void round_of(unsigned first_seed)
{
	seed = first_seed;
	memset(has, 0, sizeof(has));
	sim_init(&sim);
	keys = dice(2) ? 30 : KEYS_MAX;
	sim.socket = 200 + dice(2) * 2000;
	for (int i = 0; i < NODES; i++)
		start(i);
	for (int rests = 0; rests < 2; rests++) {
		for (int i = 0; i < STEPS; i++)
			step();
		for (int i = 0; i < NODES; i++) {
			sim_stop_reading(&sim, i, 0, false);
			sim_stop_reading(&sim, 0, i, false);
		}
		sim.chunk = 0;
		/* Every back-off and every restart time is over. */
		sim_run(&sim, 400000);
		check_rest(first_seed);
	}
	sim_free(&sim);
}

START_TEST(anything_goes)
{
	const char *from = getenv("QUELL_SEED"), *rounds = getenv("QUELL_ROUNDS");
	unsigned first = from ? (unsigned)strtoul(from, NULL, 0) : 1,
		 count = rounds ? (unsigned)strtoul(rounds, NULL, 0) : 12;

	for (unsigned i = 0; i < count; i++)
		round_of(first + i);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("random");
	TCase *t = tcase_create("random");

	tcase_set_timeout(t, 0);
	tcase_add_test(t, anything_goes);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
