/* A reflector or route server (node 0), three clients and two others who do anything in any order: at rest, everybody
 * knows what he should and nothing else. QUELL_SEED gives the first seed, QUELL_ROUNDS how many.
 *
 * Four kinds of rounds: plain; some take several paths (RFC 7911); all are of another AS; and so, where the clients
 * say by communities who is to have their routes. Node 0 has an import policy, which changes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"
#include "tests/bgp/sim.h"
#include "tests/bgp/wire.h"

#define NODES 6
#define CLIENTS 3
#define KEYS_MAX 1200
#define STEPS 120

enum kind { PLAIN, SEVERAL, EBGP, CONTROL, KINDS };

static struct sim sim;
static enum kind kind;
static unsigned seed;
static uint8_t has[NODES][KEYS_MAX]; /* payload of what a node originates; 0: does not */
static uint8_t says[NODES][KEYS_MAX]; /* in its communities, see communities_of() */
static uint32_t keys;                /* few: they often meet; many: they take more than one slice */
static uint8_t unwanted;             /* the payload that the policy refuses */
static uint8_t add_path[NODES][2];   /* node 0's offer to a neighbour, and the neighbour's */

static unsigned dice(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static bool is_client(int i)
{
	return i >= 1 && i <= CLIENTS;
}

static uint32_t as_of(int i)
{
	return kind < EBGP ? 65000 : 65000 + (uint32_t)i;
}

/* With the low bits: nothing, to nobody, to nobody but the one whom the high bits say, to all but him. */
static struct span communities_of(uint8_t what)
{
	static uint8_t octets[8];
	uint8_t whom = what >> 2, nobody[] = {0, 0, 0xfd, 0xe8}, to[] = {0xfd, 0xe8, 0xfd, 0xe8},
		not_to[] = {0, 0, 0xfd, 0xe8};

	to[3] = (uint8_t)(to[3] + whom);
	not_to[3] = (uint8_t)(not_to[3] + whom);
	memcpy(octets, (what & 3) == 3 ? not_to : nobody, 4);
	memcpy(octets + 4, to, 4);
	return (struct span){octets, (uint16_t[]){0, 4, 8, 4}[what & 3]};
}

static bool is_for(uint8_t what, int j)
{
	int whom = what >> 2;

	return (bool[]){true, false, j == whom, whom && j != whom}[what & 3]; /* 0:65000 is: to nobody */
}

static void originate(int i, uint32_t k)
{
	sim_originate_with(&sim, i, k, has[i][k], communities_of(says[i][k]));
}

static uint8_t import(void *arg, const void *rules, const struct policy_route *r)
{
	(void)arg;
	(void)rules;
	return unwanted && r->payload[0] == unwanted ? REFUSED_BY_POLICY : REFUSED_NOT;
}

static int neighbor_at_hand; /* whom node 0 is configuring */

static void client(struct neighbor_config *c)
{
	c->client = c->passive = true;
	c->queue_octets = 200 + dice(1000);
	c->add_path = add_path[neighbor_at_hand][0];
	c->control_communities = kind == CONTROL;
}

static void other(struct neighbor_config *c)
{
	client(c);
	c->client = false;
}

static void of_node_0(struct neighbor_config *c)
{
	c->add_path = add_path[neighbor_at_hand][1];
}

static void start(int i)
{
	struct speaker_config c = sim_config(as_of(i), i);
	struct speaker_policy p = {.import = import};

	c.restart_sec = dice(4) ? 20 : 0;
	c.defer_sec = 1 + dice(10);
	c.wait_local = dice(2);
	sim_start(&sim, i, &c);
	neighbor_at_hand = i;
	if (i)
		sim_neighbor(&sim, i, 0, 65000, of_node_0);
	else
		speaker_set_policy(sim.node[0].s, &p);
	for (int k = 1; !i && k < NODES; k++) {
		neighbor_at_hand = k;
		sim_neighbor(&sim, 0, k, as_of(k), is_client(k) ? client : other);
	}
	for (uint32_t k = 0; k < keys; k++)
		if (has[i][k])
			originate(i, k);
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
		says[i][k] = kind == CONTROL ? (uint8_t)dice(4 * NODES) : 0;
		if (take)
			sim_withdraw(&sim, i, k);
		else
			originate(i, k);
	}
}

static void step(void)
{
	int i = (int)dice(NODES);

	switch (dice(26)) {
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
	case 10:
		unwanted = (uint8_t)dice(4);
		speaker_recheck(sim.node[0].s, NULL, sim.now);
		break;
	default:
		change_routes(i);
	}
	for (unsigned n = dice(6); n; n--)
		sim_turn(&sim);
}

/* --- what there is to be at rest --- */

/* Node 0 prefers its own, then the lower identifier. */
static bool may_have(int i, int j, uint32_t key)
{
	bool reflected = kind >= EBGP || !i || is_client(i) || is_client(j);

	if (!has[i][key] || i == j || (i && unwanted == has[i][key]))
		return false;
	return reflected && (kind != CONTROL || !is_client(j) || is_for(says[i][key], j));
}

static int best_of(uint32_t key)
{
	for (int i = 0; i < NODES; i++)
		if (has[i][key] && (!i || unwanted != has[i][key]))
			return i;
	return -1;
}

/* Whose paths node 0 tells node j: a set. */
static unsigned to_be_told(int j, uint32_t key)
{
	bool several = add_path[j][0] & ADD_PATH_SEND && add_path[j][1] & ADD_PATH_RECEIVE;
	unsigned set = 0;
	int best = best_of(key);

	for (int i = 0; i < NODES; i++)
		if (may_have(i, j, key) && (several || kind == CONTROL || i == best))
			set |= 1u << i;
	/* Who takes one path but is not everybody's equal gets the best of those he may have. */
	if (!several && kind == CONTROL && is_client(j))
		set &= -set;
	else if (!several && kind == CONTROL)
		set &= best < 0 ? 0 : 1u << best;
	return set;
}

static int owner(const struct attrset *a)
{
	return (int)(ip_to_u32(a->attrs.next_hop) - 0xc0000201u);
}

static struct dest *dest_of(const struct rib *r, uint32_t key)
{
	uint8_t octets[5] = {TEST_PAYLOAD_TYPE, (uint8_t)(key >> 24), (uint8_t)(key >> 16),
		(uint8_t)(key >> 8), (uint8_t)key};

	return rib_find(r, rib_key_of(octets, sizeof(octets)));
}

/* What node j has in its RIB: its own, and what it was told. */
static void check_key(unsigned first_seed, int j, uint32_t key)
{
	const struct rib *r = &sim.node[j].s->table[0].rib;
	const struct dest *d = dest_of(r, key);
	unsigned want = to_be_told(j, key) | (has[j][key] ? 1u << j : 0), got = 0;

	for (const struct path *p = d ? rib_path(r, d->paths) : NULL; p; p = rib_path(r, p->next)) {
		int i = owner(p->attrs);
		ck_assert_msg(!(got & 1u << i), "seed %u: node %d, key %u: %d twice", first_seed, j, key, i);
		got |= 1u << i;
		ck_assert_msg(p->payload[0] == has[i][key] && !rib_path_stale(r, p),
			"seed %u: node %d, key %u of %d: payload %u, wanted %u; stale %d", first_seed, j, key, i,
			p->payload[0], has[i][key], rib_path_stale(r, p));
		ck_assert_msg(kind != CONTROL || i == j || !is_client(j) || !p->attrs->attrs.communities.len,
			"seed %u: node %d, key %u of %d: communities", first_seed, j, key, i);
	}
	ck_assert_msg(got == want, "seed %u, kind %u: node %d, key %u: %x, wanted %x", first_seed, kind, j, key,
		got, want);
}

/* Node 0 has everything, and the best is the best. */
static void check_server(unsigned first_seed, uint32_t key)
{
	const struct rib *r = &sim.node[0].s->table[0].rib;
	const struct dest *d = dest_of(r, key);
	const struct path *best = d ? rib_best(r, d) : NULL;
	const struct sim_known *k = sim_known(&sim, 0, key);
	unsigned want = 0, got = 0;

	for (int i = 0; i < NODES; i++)
		want |= has[i][key] ? 1u << i : 0;
	for (const struct path *p = d ? rib_path(r, d->paths) : NULL; p; p = rib_path(r, p->next)) {
		int i = owner(p->attrs);
		got |= 1u << i;
		ck_assert_msg(p->refused == (i && unwanted && unwanted == has[i][key] ? REFUSED_BY_POLICY : 0),
			"seed %u: key %u of %d is refused: %u", first_seed, key, i, p->refused);
	}
	ck_assert_msg(got == want, "seed %u: key %u: %x, wanted %x", first_seed, key, got, want);
	ck_assert_msg((best ? owner(best->attrs) : -1) == best_of(key), "seed %u: key %u: best is %d, not %d",
		first_seed, key, best ? owner(best->attrs) : -1, best_of(key));
	ck_assert_msg(!k == !best && (!k || k->payload == best->payload[0]), "seed %u: key %u: the watch knows another",
		first_seed, key);
}

static void check_rest(unsigned first_seed)
{
	for (uint32_t key = 0; key < keys; key++) {
		check_server(first_seed, key);
		for (int j = 1; j < NODES; j++)
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
	memset(says, 0, sizeof(says));
	keys = dice(2) ? 30 : KEYS_MAX;
	kind = dice(KINDS);
	unwanted = 0;
	for (int i = 0; i < NODES; i++)
		for (int k = 0; k < 2; k++)
			add_path[i][k] = kind == SEVERAL || kind == CONTROL ? (uint8_t)dice(4) : 0;
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
		 count = rounds ? (unsigned)strtoul(rounds, NULL, 0) : 24;

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
