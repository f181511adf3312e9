/* Speakers that do anything in any order, over a network that does anything that TCP lets happen:
 * when it rests, all tables are what model.c says they should be, and nothing is left over.
 *
 *   SIM_SEED=n     begins with this seed, and does one unless SIM_SEEDS says more
 *   SIM_SEEDS=n    how many
 *   SIM_TRACE=1    says what happens, and what the speakers log
 */
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"
#include "lib/log.h"
#include "tests/sim/world.h"

#if defined(__SANITIZE_ADDRESS__)
#define SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOW 1
#endif
#endif
#ifdef SLOW
#define SEEDS 200
#else
#define SEEDS 2000 /* tests/run does 10 000 */
#endif

#define STEPS 60
#define GROWTH_MAX (1u << 20)
#define RESTS_WITHIN_MS                                                                            \
	1000000 /* every back-off, hold time and restart time, one after the other */

static struct world world;

static void path_of(const struct path *p, struct m_path *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->there = true;
	ret->payload_len = p->payload_len;
	memcpy(ret->payload, p->payload, p->payload_len);
	m_attrs_of(&p->attrs->attrs, &ret->a);
}

static int node_at(struct ip address)
{
	return (int)(ip_to_u32(address) - 0xc0000201u);
}

static int from_of(const struct world *w, int j, const struct path *p)
{
	return p->peer == RIB_LOCAL ? j
				    : node_at(w->net.node[j].s->neighbor[p->peer]->config.address);
}

static void show(const char *what, const struct m_path *p)
{
	const struct m_attrs *a = &p->a;

	fprintf(stderr, "  %s: ", what);
	if (!p->there) {
		fprintf(stderr, "nothing\n");
		return;
	}
	for (int i = 0; i < p->payload_len; i++)
		fprintf(stderr, "%02x", p->payload[i]);
	fprintf(stderr, " nh %u origin %u med %d/%u lp %d/%u originator %d/%08x as",
		a->next_hop.b[3], a->origin, a->has_med, a->med, a->has_local_pref, a->local_pref,
		a->has_originator, a->originator);
	for (int i = 0; i < a->ases; i++)
		fprintf(stderr, " %u", a->as[i]);
	fprintf(stderr, " clusters");
	for (int i = 0; i < a->clusters; i++)
		fprintf(stderr, " %08x", a->cluster[i]);
	fprintf(stderr, " communities");
	for (int i = 0; i < a->communities; i++)
		fprintf(stderr, " %08x", a->community[i]);
	for (int i = 0; i < a->ecoms; i++) {
		fprintf(stderr, " ecom ");
		for (int k = 0; k < 8; k++)
			fprintf(stderr, "%02x", a->ecom[i][k]);
	}
	fprintf(stderr, "\n");
}

/* --- what each has --- */

static unsigned paths_wanted(const struct world *w, int j)
{
	unsigned paths = 0;

	for (int key = 0; key < w->model.keys; key++) {
		paths += w->model.node[j].local[key].there;
		for (int i = 0; i < w->model.nodes; i++)
			paths += w->model.in[j][i][key].there + w->model.more[j][i][key].there;
	}
	return paths;
}

/* All that is known, and all that should be, of one key. */
static void show_key(struct world *w, int key)
{
	struct m_path got;

	for (int j = 0; j < w->model.nodes; j++) {
		if (!w->net.node[j].s)
			continue;
		const struct rib *r = &w->net.node[j].s->table[0].rib;
		struct rib_key k = rib_key_of(w->key[key].key, w->key[key].key_len);
		const struct dest *d = rib_find(r, k);
		fprintf(stderr, "node %d (AS %u): best should be of %d\n", j, w->model.node[j].as,
			w->model.best[j][key]);
		for (const struct path *p = d ? rib_best(r, d) : NULL; p;
			p = rib_path(r, p->next)) {
			path_of(p, &got);
			fprintf(stderr, "  from %d", from_of(w, j, p));
			show("has ", &got);
		}
		for (int i = 0; i < w->model.nodes; i++) {
			const struct m_path *want =
				i == j ? &w->model.node[j].local[key] : &w->model.in[j][i][key];
			if (!want->there)
				continue;
			fprintf(stderr, "  from %d", i);
			show("want", want);
		}
		for (int i = 0; i < w->model.nodes; i++)
			if (w->model.more[j][i][key].there)
				show("want from 0, too", &w->model.more[j][i][key]);
	}
	for (int l = 0; l < w->model.links; l++)
		fprintf(stderr, "link %d%s - %d%s\n", w->model.link[l].a,
			w->model.link[l].client[1] ? " (client)" : "", w->model.link[l].b,
			w->model.link[l].client[0] ? " (client)" : "");
}

/* What j should have from `from`: of several the one that is so, if it was not found before. */
static const struct m_path *wanted(
	const struct world *w, int j, int from, int key, const struct m_path *got, unsigned *found)
{
	if (from == j)
		return &w->model.node[j].local[key];
	for (int i = 0; from == 0 && i < w->model.nodes; i++)
		if (!(*found & 1u << i) &&
			memcmp(got, &w->model.more[j][i][key], sizeof(*got)) == 0) {
			*found |= 1u << i;
			return &w->model.more[j][i][key];
		}
	return &w->model.in[j][from][key];
}

static void check_dest(
	struct world *w, int j, const struct dest *d, unsigned *ret_paths, unsigned *ret_refused)
{
	const struct rib *r = &w->net.node[j].s->table[0].rib;
	int key = world_key(w, d->key, d->key_len);
	struct m_path got;
	unsigned found = 0;

	if (key < 0)
		world_fail(w, "node %d has a key that nobody has ever said", j);
	for (const struct path *p = rib_path(r, d->paths); p; p = rib_path(r, p->next)) {
		if (p->refused) {
			*ret_refused += 1;
			continue;
		}
		int from = from_of(w, j, p);
		path_of(p, &got);
		++*ret_paths;
		const struct m_path *want = wanted(w, j, from, key, &got, &found);
		if (memcmp(&got, want, sizeof(got)) != 0) {
			show_key(w, key);
			world_fail(w, "node %d, key %d: not what it should have from %d", j, key,
				from);
		}
	}
	const struct path *best = rib_best(r, d);
	if (best && from_of(w, j, best) != w->model.best[j][key]) {
		show_key(w, key);
		world_fail(w, "node %d, key %d: best is of %d, should be of %d", j, key,
			from_of(w, j, best), w->model.best[j][key]);
	}
}

static void check_tables(struct world *w)
{
	for (int j = 0; j < w->model.nodes; j++) {
		const struct rib *r = &w->net.node[j].s->table[0].rib;
		const struct dest *d;
		unsigned paths = 0, refused = 0;
		hmap_foreach (&r->map, d)
			check_dest(w, j, d, &paths, &refused);
		if (paths != paths_wanted(w, j)) {
			for (int k = 0; k < w->model.keys; k++)
				show_key(w, k);
			world_fail(w, "node %d has %u paths of %u", j, paths, paths_wanted(w, j));
		}
		if (paths + refused != r->paths)
			world_fail(w, "node %d counts %zu paths, has %u", j, r->paths,
				paths + refused);
	}
}

/* --- what is left over --- */

static uint32_t units(size_t size)
{
	return (uint32_t)((size + POOL_UNIT - 1) / POOL_UNIT);
}

/* Of the pool, all that is not a key, a path or a marker is free. */
static void check_pool(struct world *w, int j)
{
	const struct rib *r = &w->net.node[j].s->table[0].rib;
	const struct pool *p = &r->pool;
	uint32_t used = p->chunks ? p->used - 1 : 0, want = 0;
	const struct dest *d;

	if (p->chunks > 1)
		return; /* what is lost at the end of a chunk is not counted */
	for (uint32_t u = 1; u <= POOL_OBJECT_MAX / POOL_UNIT; u++)
		for (pool_ref ref = p->free[u]; ref; memcpy(&ref, pool_at(p, ref), sizeof(ref)))
			used -= u;
	hmap_foreach (&r->map, d) {
		want += units(sizeof(*d) + d->key_len);
		for (const struct path *q = rib_path(r, d->paths); q; q = rib_path(r, q->next))
			want += units(offsetof(struct path, payload) + q->payload_len);
	}
	for (const struct rib_marker *m = r->markers; m; m = m->next)
		want += units(sizeof(*d));
	if (used != want)
		world_fail(w, "node %d: %u units of its pool are used, %u are accounted for", j,
			used, want);
}

static void check_attrsets(struct world *w, int j)
{
	const struct speaker *s = w->net.node[j].s;
	const struct attrset *seen[2 * KEYS * SIM_NODES];
	size_t sets = 0, refs = 0, paths = 0;
	const struct dest *d;

	for (unsigned t = 0; t < s->tables; t++) {
		const struct rib *r = &s->table[t].rib;
		paths += r->paths;
		hmap_foreach (&r->map, d)
			for (const struct path *p = rib_path(r, d->paths); p;
				p = rib_path(r, p->next)) {
				size_t i = 0;
				while (i < sets && seen[i] != p->attrs)
					i++;
				if (i < sets)
					continue;
				seen[sets++] = p->attrs;
				refs += p->attrs->refs;
			}
	}
	if (sets != attrsets_count(s->attrsets))
		world_fail(w, "node %d has %zu attribute sets, uses %zu", j,
			attrsets_count(s->attrsets), sets);
	if (refs != paths)
		world_fail(w, "node %d: %zu references to attribute sets of %zu paths", j, refs,
			paths);
}

static void check_conns(struct world *w, int j)
{
	const struct speaker *s = w->net.node[j].s;
	unsigned conns = 0, links = 0;
	const struct conn *c;

	LIST_FOREACH (c, &s->conns, all)
		conns++;
	for (int l = 0; l < w->model.links; l++)
		links += w->model.link[l].a == j || w->model.link[l].b == j;
	if (conns != links)
		world_fail(w, "node %d has %u connections of %u", j, conns, links);
}

static void check_books(struct world *w, int j)
{
	const struct rib *r = &w->net.node[j].s->table[0].rib;
	size_t told = 0, paths = 0, keys = 0;
	const struct dest *d;

	hmap_foreach (&r->map, d)
		keys += rib_best(r, d) != NULL;

	for (size_t i = 0; i < w->net.node[j].s->neighbors; i++) {
		told += r->peer[i].told;
		paths += r->peer[i].paths;
	}
	if (told != keys || paths != r->paths)
		world_fail(w, "node %d: %zu keys told of %zu, %zu paths of %zu", j, told, keys,
			paths, r->paths);
	check_pool(w, j);
	check_attrsets(w, j);
	check_conns(w, j);
}

/* --- the LANs --- */

static bool says_mac(const struct world *w, int i, int mac)
{
	for (int k = 0; k < w->model.keys; k++)
		if (w->model.node[i].local[k].there && w->key[k].key[0] == 2 &&
			w->key[k].key_len < 8 + 4 + 6 + 1 + 1 + 4 &&
			w->key[k].key[1 + 8 + 4 + 5] == mac)
			return true;
	return false;
}

static void check_lans(struct world *w)
{
	for (int mac = 0; mac < LAN_MACS; mac++) {
		int where = -2, says = 0, ports = 0;
		for (int i = 0; i < w->model.nodes; i++) {
			const struct w_node *n = &w->node[i];
			if (!n->has_lan)
				continue;
			for (int ip = 0; ip <= LAN_IPS; ip++)
				ports += n->port[mac][ip];
			says += says_mac(w, i, mac);
			if (where == -2)
				where = n->where[mac];
			if (n->where[mac] != where)
				world_fail(w, "MAC %d: node %d says %d, another %d", mac, i,
					n->where[mac], where);
		}
		if (where >= 0 ? says != 1 || !says_mac(w, where, mac) : says != 0 || ports != 0)
			world_fail(
				w, "MAC %d is at %d, %d say it, %d ports", mac, where, says, ports);
	}
}

/* --- a seed --- */

/* What changes from turn to turn. */
static void fail_storm(struct world *w)
{
	uint32_t versions[KEYS] = {0};

	for (int turn = 0; turn < 20; turn++) {
		for (int key = 0; key < w->model.keys; key++) {
			struct rib_key k = rib_key_of(w->key[key].key, w->key[key].key_len);
			uint32_t version = 0;
			for (int j = 0; j < w->model.nodes; j++) {
				const struct dest *d =
					w->net.node[j].s
						? rib_find(&w->net.node[j].s->table[0].rib, k)
						: NULL;
				version += d ? d->version : 0;
			}
			if (turn > 10 && version != versions[key])
				show_key(w, key);
			versions[key] = version;
		}
		sim_turn(&w->net);
	}
	for (int j = 0; j < w->model.nodes; j++)
		if (w->net.node[j].s && speaker_deadline(w->net.node[j].s) <= w->net.now)
			fprintf(stderr, "node %d wants to run now\n", j);
	for (unsigned i = 0; i < w->net.pipes; i++) {
		const struct sim_pipe *p = &w->net.pipe[i];
		for (int k = 0; p->used && k < 2; k++)
			fprintf(stderr, "to node %d: %llu octets sent, %zu on their way%s%s%s\n",
				p->half[k].node, (unsigned long long)p->half[k].octets,
				p->half[k].len, p->calling ? ", calling" : "",
				p->dead ? ", dead" : "", p->half[k].conn ? "" : ", closed");
	}
	world_fail(w, "a storm of UPDATEs that does not end");
}

static void come_to_rest(struct world *w)
{
	char why[128];
	bool rests = sim_until(&w->net, world_rests, RESTS_WITHIN_MS);

	if (w->net.storm)
		fail_storm(w);
	if (!rests)
		world_fail(w, "no rest: %s", world_unrest(w, why, sizeof(why)));
}

static uint64_t updates_of(const struct world *w)
{
	uint64_t sum = 0;

	for (int i = 0; i < w->model.nodes; i++)
		for (size_t k = 1; k < w->net.node[i].s->neighbors; k++)
			if (w->net.node[i].s->neighbor[k])
				sum += w->net.node[i].s->neighbor[k]->updates_in;
	return sum;
}

static void check_rest(struct world *w)
{
	uint64_t updates;

	come_to_rest(w);
	if (!model_run(&w->model))
		world_fail(w, "the model finds no rest");
	check_tables(w);
	for (int j = 0; j < w->model.nodes; j++)
		check_books(w, j);
	if (w->lans)
		check_lans(w);
	/* And it stays quiet. */
	updates = updates_of(w);
	sim_run(&w->net, 3000);
	if (updates_of(w) != updates)
		world_fail(w, "UPDATEs while nothing changes");
}

static void run_seed(uint32_t first, uint32_t seed, bool trace)
{
	struct world *w = &world;

	world_init(w, first, seed, trace);
	for (int rests = 0; rests < 2; rests++) {
		for (int i = 0; i < STEPS; i++) {
			world_step(w);
			if (w->net.storm)
				fail_storm(w);
		}
		world_heal(w);
		check_rest(w);
	}
	w->lans = false;
	world_empty(w);
	check_rest(w);
	world_free(w);
}

static uint32_t number(const char *name, uint32_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? (uint32_t)strtoul(text, NULL, 0) : otherwise;
}

int main(void)
{
	uint32_t first = number("SIM_SEED", 1),
		 count = number("SIM_SEEDS", getenv("SIM_SEED") ? 1 : SEEDS);
	bool trace = number("SIM_TRACE", 0);
	size_t used = 0;

	log_set_all(trace ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	mallopt(M_MMAP_THRESHOLD, 64 << 20); /* a speaker's buffers are reused from seed to seed */
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	for (uint32_t i = 0; i < count; i++) {
		run_seed(first, first + i, trace);
		/* What malloc keeps for reuse counts as used, so not seed by seed; that is for the
		 * leak sanitizer. */
		if (i == 99)
			used = mallinfo2().uordblks;
		if (i > 99 && mallinfo2().uordblks > used + GROWTH_MAX)
			world_fail(&world, "%zu octets are not freed", mallinfo2().uordblks - used);
	}
	printf("%u seeds\n", count);
	return 0;
}
