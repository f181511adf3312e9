/* Everything together: neighbours that take several paths, that say what they want, that are served as clients of a
 * route server, that keep long-lived stale routes, that do not read, restart, ask again; a policy that changes its mind,
 * an operator who resets. Whatever happened: when all is quiet, each has from node 0 what its RIB and the rules of the
 * neighbour's group come to, no route more, none less, none that is not as it is. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/emit_inside.h"
#include "bgp/engine.h"
#include "bgp/rtc.h"
#include "tests/bgp/sim.h"
#include "tests/bgp/wire.h"

enum { NODES = 8, KEYS = 8, STEPS = 250 };

static struct sim sim;
static const struct bgp_family *families[2];
static unsigned unwanted;

static void plain(struct neighbor_config *c)
{
	c->client = true;
}

static void several(struct neighbor_config *c)
{
	c->client = true;
	c->add_path = ADD_PATH_BOTH;
}

static void membership(struct neighbor_config *c)
{
	c->client = c->rt_constrain = true;
	c->llgr_sec = 8;
}

static void both(struct neighbor_config *c)
{
	c->client = c->rt_constrain = true;
	c->add_path = ADD_PATH_BOTH;
	c->llgr_sec = 8;
}

static void no_client(struct neighbor_config *c)
{
	c->rt_constrain = true;
}

static void served(struct neighbor_config *c)
{
	c->client = c->control_communities = true;
	c->role = ROLE_RS;
	c->otc = true;
}

static void serves(struct neighbor_config *c)
{
	c->role = ROLE_RS_CLIENT;
	c->otc = true;
}

/* What node 0 is to each, and each to node 0. */
static const struct kind {
	uint32_t as;
	void (*theirs)(struct neighbor_config *c), (*ours)(struct neighbor_config *c);
} kinds[NODES] = {
	[1] = {65000, plain, NULL},
	[2] = {65000, several, several},
	[3] = {65000, membership, membership},
	[4] = {65000, both, both},
	[5] = {65000, no_client, no_client},
	[6] = {65006, served, serves},
	[7] = {65000, no_client, no_client},
};

static uint8_t refuse(void *arg, const void *rules, const struct policy_route *r)
{
	(void)arg;
	(void)rules;
	return r->family != &rtc_family && r->payload_len && r->payload[0] == unwanted ? REFUSED_BY_POLICY
										        : REFUSED_NOT;
}

static void own(struct neighbor_config *c, int node)
{
	void (*edit)(struct neighbor_config *) = kinds[node].ours;

	if (edit)
		edit(c);
	c->client = false;
}

static void start(int node)
{
	struct speaker_config c = sim_config(node ? kinds[node].as : 65000, node);

	families[0] = c.families[0];
	families[1] = &rtc_family;
	c.families = families;
	c.family_count = 2;
	c.restart_sec = node ? 5 : 120;
	c.defer_sec = 1;
	sim_start(&sim, node, &c);
}

static struct neighbor *towards(int node, int peer)
{
	return speaker_find_neighbor(sim.node[node].s, ip_v4_u32(0xc0000201u + (uint32_t)peer), NULL);
}

static struct neighbor_config config_of(int node)
{
	struct neighbor_config c = {.address = ip_v4_u32(0xc0000201u + (uint32_t)node),
		.remote_as = kinds[node].as,
		.passive = true,
		.queue_octets = 60 + sim_random(&sim, 400)};

	kinds[node].theirs(&c);
	return c;
}

static void start_leaf(int node)
{
	struct neighbor_config c = {
		.address = ip_v4_u32(0xc0000201u), .remote_as = 65000, .connect_retry_sec = 1};

	start(node);
	own(&c, node);
	ck_assert_int_eq(speaker_add_neighbor(sim.node[node].s, &c, sim.now, NULL), 0);
}

static void originate(int node)
{
	uint8_t rt[8] = {0, 2, 0xfd, 0xe8, 0, 0, 0, (uint8_t)(1 + sim_random(&sim, 3))};
	uint8_t community[4] = {0, 0, 0xfd, sim_random(&sim, 2) ? 0xee : 0xe8}; /* 0:65006, or nobody */
	struct nlri n = {.key_len = 5,
		.payload_len = 1,
		.key = {TEST_PAYLOAD_TYPE, 0, 0, 0, (uint8_t)sim_random(&sim, KEYS)},
		.payload = {(uint8_t)(1 + sim_random(&sim, 4))}};
	struct attrs a = {.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP) |
				     ATTR_BIT(ATTR_EXT_COMMUNITIES),
		.next_hop = sim.node[node].address,
		.ext_communities = {rt, 8}};

	if (sim_random(&sim, 3) == 0) {
		a.present |= ATTR_BIT(ATTR_COMMUNITIES);
		a.communities = (struct span){community, 4};
	}
	if (sim_random(&sim, 3))
		speaker_originate(sim.node[node].s, families[0], &n, &a, sim.now);
	else
		speaker_unoriginate(sim.node[node].s, families[0], &n, sim.now);
}

static void import_some(int node)
{
	struct rt rts[3];
	size_t n = 0;

	for (uint8_t i = 1; i <= 3; i++)
		if (sim_random(&sim, 2))
			rts[n++] = (struct rt){{0, 2, 0xfd, 0xe8, 0, 0, 0, i}};
	speaker_set_membership(sim.node[node].s, rts, n, false, sim.now);
}

static void operate(int node)
{
	struct speaker *s = sim.node[0].s;
	struct neighbor *n = towards(0, node);
	struct neighbor_config c = config_of(node);

	switch (sim_random(&sim, 6)) {
	case 0:
		speaker_reset_neighbor(s, n, BGP_CEASE_RESET, NULL, sim_random(&sim, 2), sim.now);
		break;
	case 1:
		if (node != 6)
			c.llgr_sec = sim_random(&sim, 2) * 8;
		c.stale_sec = sim_random(&sim, 2) * 4;
		speaker_change_neighbor(s, n, &c, sim.now);
		break;
	case 2:
		if (speaker_shutdown_neighbor(s, n, true, NULL, sim.now) == 0) {
			sim_turn(&sim);
			speaker_shutdown_neighbor(s, n, false, NULL, sim.now);
		}
		break;
	case 3:
		speaker_remove_neighbor(s, n, sim.now);
		if (sim_random(&sim, 2))
			sim_turn(&sim);
		ck_assert_int_eq(speaker_add_neighbor(s, &c, sim.now, NULL), 0);
		break;
	default:
		speaker_change_neighbor(s, n, &c, sim.now);
	}
}

static void some_step(void)
{
	int node = 1 + (int)sim_random(&sim, NODES - 1);
	struct sim_half *h = sim_half(&sim, 0, node);

	switch (sim_random(&sim, 24)) {
	case 0:
		speaker_refresh(sim.node[node].s, towards(node, 0), sim.now);
		break;
	case 1:
		speaker_refresh(sim.node[0].s, towards(0, node), sim.now);
		break;
	case 2:
	case 3:
		sim_stop_reading(&sim, node, 0, sim_random(&sim, 2));
		break;
	case 4:
		unwanted = sim_random(&sim, 6);
		speaker_recheck(sim.node[0].s, NULL, sim.now);
		break;
	case 5:
	case 6:
		import_some(node);
		break;
	case 7:
		operate(node);
		break;
	case 8:
		if (h)
			sim_cut(&sim, h, sim_random(&sim, 100), SIM_BOTH);
		break;
	case 9:
		sim_kill(&sim, node);
		start_leaf(node);
		break;
	case 10:
		sim_run(&sim, sim_random(&sim, 8000));
		break;
	default:
		originate(node);
	}
	for (unsigned k = sim_random(&sim, 4); k; k--)
		sim_turn(&sim);
}

/* --- what each should have --- */

struct hidden {
	const struct group *g;
	const struct dest *d;
	uint16_t to;
};

static bool may_have(void *arg, const struct path *p)
{
	const struct hidden *h = arg;

	return p->peer != h->to && emit_may_go(h->g, h->g->view.filter, h->d, p);
}

static bool should_have(const struct member *m, const struct dest *d, const struct path *p)
{
	struct rib *r = &m->group->table->rib;
	struct hidden h = {m->group, d, m->n->index};

	if (p->refused || !may_have(&h, p))
		return false;
	if (m->group->view.add_path)
		return true;
	if (!m->group->view.control_as)
		return rib_best(r, d) == p;
	/* Its own is out if it is the best; otherwise it has its say. */
	h.to = RIB_NO_PEER;
	const struct path *best = rib_best_of(r, d, may_have, &h);
	if (best && best->peer == m->n->index) {
		h.to = m->n->index;
		best = rib_best_of(r, d, may_have, &h);
	}
	return best == p;
}

static unsigned paths_with(const struct rib *r, const struct dest *d, uint16_t peer, unsigned payload)
{
	unsigned n = 0;

	for (const struct path *p = d ? rib_path(r, d->paths) : NULL; p; p = rib_path(r, p->next))
		n += p->peer == peer && (!payload || p->payload[0] == payload);
	return n;
}

static void check_routes(int node)
{
	struct table *t = &sim.node[0].s->table[0], *theirs = &sim.node[node].s->table[0];
	uint16_t from = towards(node, 0)->index;
	const struct member *m = towards(0, node)->family[0].member;

	ck_assert_ptr_nonnull(m);
	ck_assert(m->synced);
	sim.node[0].s->asked = (struct emit_asked){0};
	for (uint8_t key = 0; key < KEYS; key++) {
		uint8_t octets[] = {TEST_PAYLOAD_TYPE, 0, 0, 0, key};
		struct dest *d = rib_find(&t->rib, rib_key_of(octets, 5));
		const struct dest *there = rib_find(&theirs->rib, rib_key_of(octets, 5));
		unsigned expected = 0, payloads[256] = {0};
		for (const struct path *p = d ? rib_path(&t->rib, d->paths) : NULL; p;
			p = rib_path(&t->rib, p->next))
			if (should_have(m, d, p)) {
				expected++;
				payloads[p->payload[0]]++;
			}
		ck_assert_msg(paths_with(&theirs->rib, there, from, 0) == expected,
			"node %d, key %u: has %u, should have %u", node, key,
			paths_with(&theirs->rib, there, from, 0), expected);
		for (unsigned i = 1; i < 256; i++)
			if (payloads[i])
				ck_assert_uint_eq(paths_with(&theirs->rib, there, from, i), payloads[i]);
	}
}

static void check_membership(int node)
{
	struct speaker *s = sim.node[0].s;
	struct table *t = &s->table[1], *theirs = &sim.node[node].s->table[1];
	const struct neighbor *n = towards(0, node);
	const struct member *m = n->family[1].member;
	uint16_t from = towards(node, 0)->index;
	struct dest *d;
	unsigned expected = 0;

	ck_assert_uint_eq(t->rib.peer[n->index].paths, n->membership.count);
	if (!m)
		return;
	s->asked = (struct emit_asked){0};
	hmap_foreach (&t->rib.map, d) {
		unsigned may = 0;
		for (const struct path *p = rib_path(&t->rib, d->paths); p; p = rib_path(&t->rib, p->next))
			may += !p->refused && p->peer != n->index && emit_may_go(m->group, NULL, d, p);
		const struct dest *there = rib_find(&theirs->rib, rib_key_of(d->key, d->key_len));
		ck_assert_msg(paths_with(&theirs->rib, there, from, 0) == !!may,
			"node %d: has %u, should have one of %u", node, paths_with(&theirs->rib, there, from, 0), may);
		expected += may != 0;
	}
	/* And of no key that node 0 knows nothing of any more. */
	ck_assert_uint_eq(theirs->rib.peer[from].paths, expected);
}

START_TEST(anything_goes)
{
	struct speaker_policy policy = {.import = refuse};

	sim_init(&sim);
	sim.random = 1000 + (unsigned)_i;
	unwanted = 0;
	start(0);
	speaker_set_policy(sim.node[0].s, &policy);
	sim.socket = 500;
	for (int i = 1; i < NODES; i++) {
		struct neighbor_config c = config_of(i);
		ck_assert_int_eq(speaker_add_neighbor(sim.node[0].s, &c, sim.now, NULL), 0);
		start_leaf(i);
	}
	sim_run(&sim, 3000);
	for (int k = 0; k < STEPS; k++)
		some_step();
	for (int i = 1; i < NODES; i++)
		sim_stop_reading(&sim, i, 0, false);
	sim_run(&sim, 400000);
	/* Some take everything back in one turn. */
	for (int i = 1; i < NODES; i++)
		if ((_i >> i % 3) % 2)
			ck_assert_int_eq(speaker_set_membership(sim.node[i].s, NULL, 0, false, sim.now), 0);
	sim_run(&sim, 10000);
	for (int i = 1; i < NODES; i++) {
		ck_assert_msg(sim_up(&sim, 0, i), "node %d", i);
		check_membership(i);
		check_routes(i);
	}
	for (int i = 0; i < NODES; i++)
		for (int t = 0; t < 2; t++)
			ck_assert_uint_eq(sim.node[i].s->table[t].rib.tombstones, 0);
	sim_free(&sim);
}
END_TEST

CHECK_MAIN("mixture", {
	tcase_set_timeout(t, 60);
	const char *more = getenv("SIM_RUNS");
	tcase_add_loop_test(t, anything_goes, 0, more ? atoi(more) : 20);
})
