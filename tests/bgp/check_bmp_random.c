/* A reflector, peers who do anything in any order, and two monitoring stations that come, go and read as they like: at
 * rest, what a station made of what it heard is what the RIB has of each peer. QUELL_SEED gives the first seed,
 * QUELL_ROUNDS how many. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/attr_table.h"
#include "bgp/bmp.h"
#include "bgp/bmp_inside.h"
#include "bgp/engine.h"
#include "tests/bgp/sim.h"
#include "tests/bgp/straw_station.h"

#define NODES 6
#define KEYS 400
#define STEPS 150
#define STATIONS 2

/* A route as a station knows it. */
struct known {
	bool there;
	uint8_t payload, attrs_len, attrs[64];
};

struct watcher {
	struct straw straw;
	unsigned views;
	bool connected, initiated, reads;
	bool up[NODES], done[NODES];
	struct known route[2][NODES][KEYS]; /* pre, post */
};

static struct sim sim;
static struct bmp *bmp;
static struct watcher watcher[STATIONS];
static unsigned seed, first_seed;
static uint32_t keys;

static unsigned dice(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static void client(struct neighbor_config *c)
{
	c->client = c->passive = true;
}

static void start(int i)
{
	struct speaker_config c = sim_config(65000, i);

	c.restart_sec = dice(2) ? 20 : 0;
	c.defer_sec = 1 + dice(10);
	sim_start(&sim, i, &c);
	if (i)
		sim_neighbor(&sim, i, 0, 65000, NULL);
	for (int k = 1; !i && k < NODES; k++)
		sim_neighbor(&sim, 0, k, 65000, client);
}

/* --- the stations --- */

static void empty(struct watcher *w)
{
	w->initiated = false;
	memset(w->up, 0, sizeof(w->up));
	memset(w->done, 0, sizeof(w->done));
	memset(w->route, 0, sizeof(w->route));
	w->straw.len = w->straw.at = 0;
}

static void encode_attrs(const struct attrs *a, struct known *k)
{
	struct writer w = writer_of(k->attrs, sizeof(k->attrs));
	struct update_out out = {.as4 = true, .ibgp = true, .as_received = true};

	attrs_encode(&w, a, &out);
	writer_bytes(&w, a->next_hop.b, 4);
	ck_assert(writer_ok(&w));
	k->attrs_len = (uint8_t)writer_len(&w);
}

static uint32_t key_number(const uint8_t *key)
{
	return (uint32_t)key[1] << 24 | (uint32_t)key[2] << 16 | (uint32_t)key[3] << 8 | key[4];
}

static void hear_routes(struct watcher *w, const struct straw_msg *m, int peer)
{
	struct update u = straw_update(m);
	bool post = m->flags & 0x40;

	w->done[peer] |= u.eor_family != NULL;
	for (int withdraw = 1; withdraw >= 0; withdraw--) {
		struct span s = withdraw ? u.unreach : u.reach;
		struct reader r = reader_of(s.p, s.len);
		struct nlri n;
		const char *why;
		while (reader_left(&r)) {
			ck_assert_int_eq(update_next(&r, &test_family, false, withdraw, &n, &why), NLRI_OK);
			struct known *k = &w->route[post][peer][key_number(n.key)];
			*k = (struct known){.there = !withdraw, .payload = n.payload[0]};
			if (!withdraw)
				encode_attrs(&u.attrs, k);
		}
	}
}

static void hear(struct watcher *w)
{
	struct straw_msg m;

	while (straw_next(&w->straw, &m)) {
		int peer = m.type < 4 ? (int)(ip_to_u32(m.peer) - 0xc0000201u) : 0;
		ck_assert(w->initiated == (m.type != 4));
		ck_assert(peer >= 0 && peer < NODES);
		if (m.type < 3)
			ck_assert_msg(w->up[peer], "seed %u: message %u of a peer that is not up", first_seed,
				m.type);
		if (m.type == 0) {
			ck_assert(w->views & (m.flags & 0x40 ? BMP_POST : BMP_PRE));
			hear_routes(w, &m, peer);
		} else if (m.type == 2) {
			w->up[peer] = w->done[peer] = false;
			memset(w->route[0][peer], 0, sizeof(w->route[0][peer]));
			memset(w->route[1][peer], 0, sizeof(w->route[1][peer]));
		} else if (m.type == 3) {
			ck_assert(!w->up[peer]);
			w->up[peer] = true;
		} else if (m.type == 4) {
			w->initiated = true;
		}
	}
	straw_forget(&w->straw);
}

/* The daemon's part, for one station. */
static void serve(struct watcher *w)
{
	switch (bmp_wants(w->straw.st, sim.now)) {
	case BMP_CONNECT:
		bmp_connecting(w->straw.st);
		if (dice(4) == 0) {
			bmp_lost(w->straw.st, "refused", sim.now);
			break;
		}
		empty(w);
		w->connected = true;
		bmp_connected(w->straw.st, sim.now);
		break;
	case BMP_SEND:
		if (w->reads)
			straw_read(&w->straw, dice(4) ? 1 + dice(3000) : SIZE_MAX);
		hear(w);
		break;
	case BMP_CLOSE:
		w->connected = false;
		bmp_lost(w->straw.st, NULL, sim.now);
		break;
	default:
		break;
	}
}

static void turn(void)
{
	sim_turn(&sim);
	if (bmp_deadline(bmp) <= sim.now)
		bmp_run(bmp, sim.now, 0);
	for (int i = 0; i < STATIONS; i++)
		serve(&watcher[i]);
}

static void add_station(int i)
{
	struct bmp_station_config c = {.views = 1 + dice(3),
		.retry_sec = 1 + dice(5),
		.stats_sec = dice(2) ? 1 + dice(20) : 0,
		.queue_octets = dice(3) ? 1u << 20 : 4000 + dice(20000)};

	empty(&watcher[i]);
	watcher[i].connected = false;
	watcher[i].reads = true;
	watcher[i].views = c.views;
	watcher[i].straw.st = bmp_add(bmp, &c, sim.now);
}

/* --- the world --- */

static void change_routes(int i)
{
	uint32_t first = dice(keys), count = 1 + dice(dice(2) ? 5 : keys / 2);
	bool take = dice(2);

	for (uint32_t k = first; k < first + count && k < keys; k++)
		if (take)
			sim_withdraw(&sim, i, k);
		else
			sim_originate(&sim, i, k, (uint8_t)(1 + dice(3)));
}

/* The peer is told to forget what it told, and to tell it again (RFC 7313). */
static void ask_refresh(void)
{
	for (size_t k = 1; k < sim.node[0].s->neighbors; k++) {
		struct neighbor *n = sim.node[0].s->neighbor[k];
		uint8_t buf[BGP_HEADER_LEN + 4];
		struct writer w = writer_of(buf, sizeof(buf));
		struct bgp_refresh r = {{AFI_L2VPN, SAFI_EVPN}, REFRESH_REQUEST};
		refresh_encode(&w, &r);
		if (n && n->up)
			conn_control(n->main->conn, buf, sizeof(buf));
	}
}

static void step(void)
{
	int i = 1 + (int)dice(NODES - 1);
	struct watcher *w = &watcher[dice(STATIONS)];

	switch (dice(20)) {
	case 0:
		sim_kill(&sim, i);
		for (unsigned n = dice(20); n; n--)
			turn();
		start(i);
		break;
	case 1:
		sim_stop_reading(&sim, 0, i, dice(2));
		break;
	case 2:
		ask_refresh();
		break;
	case 3:
		sim.now += dice(3000);
		break;
	case 4:
		sim.chunk = dice(2) ? 1 + dice(200) : 0;
		break;
	case 5:
		w->reads = dice(3);
		break;
	case 6:
		if (w->connected)
			bmp_lost(w->straw.st, "lost", sim.now);
		w->connected = false;
		break;
	case 7:
		bmp_remove(w->straw.st);
		add_station((int)(w - watcher));
		break;
	default:
		change_routes(i);
	}
	for (unsigned n = dice(8); n; n--)
		turn();
}

/* --- at rest --- */

static unsigned compare_key(const struct watcher *w, const struct table *t, const struct dest *d, bool post)
{
	unsigned count = 0;

	for (const struct path *p = rib_path(&t->rib, d->paths); p; p = rib_path(&t->rib, p->next)) {
		struct known want = {.there = true, .payload = p->payload[0]};
		uint32_t peer = ip_to_u32(t->rib.peer[p->peer].address) - 0xc0000201u;
		if (p->peer == RIB_LOCAL || !t->s->neighbor[p->peer]->up || !bmp_path_shown(&t->rib, p, post))
			continue;
		encode_attrs(&p->attrs->attrs, &want);
		count++;
		ck_assert_msg(memcmp(&w->route[post][peer][key_number(d->key)], &want, sizeof(want)) == 0,
			"seed %u: station %td (views %u), peer %u, key %u, post %d: there %d, payload %u for %u",
			first_seed, w - watcher, w->views, peer, key_number(d->key), post,
			w->route[post][peer][key_number(d->key)].there,
			w->route[post][peer][key_number(d->key)].payload, want.payload);
	}
	return count;
}

static void check_rest(const struct watcher *w)
{
	const struct table *t = &sim.node[0].s->table[0];
	const struct dest *d;

	ck_assert_msg(w->connected && w->initiated, "seed %u", first_seed);
	for (int i = 1; i < NODES; i++)
		ck_assert_msg(w->up[i] && w->done[i], "seed %u: peer %d", first_seed, i);
	for (int post = 0; post < 2; post++) {
		unsigned want = 0, have = 0;
		if (!(w->views & (post ? BMP_POST : BMP_PRE)))
			continue;
		hmap_foreach (&t->rib.map, d)
			want += compare_key(w, t, d, post);
		for (int i = 0; i < NODES; i++)
			for (uint32_t k = 0; k < KEYS; k++)
				have += w->route[post][i][k].there;
		ck_assert_msg(have == want, "seed %u: %u routes, not %u", first_seed, have, want);
	}
}

static bool at_rest(void)
{
	for (int i = 0; i < STATIONS; i++) {
		struct bmp_view v;
		bmp_view(watcher[i].straw.st, &v);
		if (strcmp(v.state, "up") != 0 || v.queued_octets)
			return false;
	}
	for (int i = 1; i < NODES; i++)
		if (!sim_up(&sim, 0, i))
			return false;
	return true;
}

/* Everybody reads, until nothing moves for a while. */
static void rest(void)
{
	int quiet = 0;

	sim.chunk = 0;
	for (int i = 0; i < STATIONS; i++)
		watcher[i].reads = true;
	for (int i = 1; i < NODES; i++)
		sim_stop_reading(&sim, 0, i, false);
	for (int i = 0; quiet < 300; i++) {
		ck_assert_msg(i < 200000, "seed %u: no rest", first_seed);
		sim.now += 100;
		for (int k = 0; k < 5; k++)
			turn();
		quiet = at_rest() ? quiet + 1 : 0;
	}
}

static void round_of(void)
{
	seed = first_seed;
	sim_init(&sim);
	keys = dice(2) ? 30 : KEYS;
	for (int i = 0; i < NODES; i++)
		start(i);
	bmp = bmp_new(sim.node[0].s, "straw", "straw");
	for (int i = 0; i < STATIONS; i++)
		add_station(i);
	for (int rests = 0; rests < 2; rests++) {
		for (int i = 0; i < STEPS; i++)
			step();
		rest();
		for (int i = 0; i < STATIONS; i++)
			check_rest(&watcher[i]);
	}
	for (int i = 0; i < STATIONS; i++) {
		free(watcher[i].straw.in);
		watcher[i].straw = (struct straw){0};
	}
	bmp_free(bmp);
	sim_free(&sim);
}

START_TEST(anything_goes)
{
	const char *from = getenv("QUELL_SEED"), *rounds = getenv("QUELL_ROUNDS");
	unsigned count = rounds ? (unsigned)strtoul(rounds, NULL, 0) : 20;

	first_seed = from ? (unsigned)strtoul(from, NULL, 0) : 1;
	for (; count; count--, first_seed++)
		round_of();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bmp_random");
	TCase *t = tcase_create("bmp_random");

	tcase_set_timeout(t, 0);
	tcase_add_test(t, anything_goes);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
