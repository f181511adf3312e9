/* The books under anything that may happen, in any order: after each step what was told, added up, is what is true now.
 *
 *   quelld     each del is of what was added; the sum of all adds and dels is what a snapshot says
 *   places     the last place told of a MAC is where the view has it
 *   the plane  holds each address and MAC of the views, as the views have it, and nothing else
 *   restart    books that adopt the plane and are given the same ports hold the same registered addresses
 *   sponge     an address that was sponged and has an owner was told of as alive; what is sponged, frozen and so on adds up
 *   frames     of ours leave by ports that are up only
 *
 * Each seed has a policy of its own: anycast or not, duplicates, dead members, MAC lists, announcements.
 */
#include <check.h>
#include <stdio.h>

#include "frames.h"
#include "lib/siphash.h"
#include "proxyarp/binding.h"

#define MACS 8
#define IPS 8
#define PORTS 4 /* 10 and 11 closed now and then, 12 and 13 open now and then */
#define STEPS 6000

struct world {
	struct bindings *b;
	struct plane *plane;
	struct binding_config config;
	struct binding_hooks hooks;
	uint64_t now_ms, seed;
	bool said[MACS][IPS + 1], snapshot[MACS][IPS + 1], taking_snapshot;
	enum binding_place place[MACS];
	uint32_t place_ifindex[MACS];
	int entries, macs; /* of the plane */
	bool sponged[IPS], up[PORTS];
	uint32_t duplicates;
	const char *did;
};

static uint32_t roll(struct world *w, uint32_t n)
{
	w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(w->seed >> 33) % n;
}

static struct mac a_mac(uint32_t i)
{
	return (struct mac){{2, 0, 0, 0, 0, (uint8_t)i}};
}

/* Half IPv4, half IPv6, the last of them link-local. */
static struct ip an_ip(uint32_t i)
{
	char text[32];

	snprintf(text, sizeof(text), i < IPS / 2 ? "198.18.0.%u" : i == IPS - 1 ? "fe80::%x" : "2001:db8::%x", i + 1);
	return frame_ip(text);
}

static int number_of(struct ip ip)
{
	for (uint32_t i = 0; i < IPS; i++)
		if (ip_eq(an_ip(i), ip))
			return (int)i;
	ck_abort_msg("an address out of nowhere");
	return -1;
}

static void on_say(void *arg, const struct binding_say *s)
{
	struct world *w = arg;
	int i = s->ip.family ? number_of(s->ip) : IPS;
	bool *is = w->taking_snapshot ? &w->snapshot[s->mac.b[5]][i] : &w->said[s->mac.b[5]][i];

	ck_assert_msg(s->add || *is, "%s: del of what was not added", w->did);
	ck_assert_msg(!s->claim || s->add, "%s: a claim with a del", w->did);
	*is = s->add;
}

static void on_place(void *arg, struct mac mac, enum binding_place place, uint32_t ifindex, struct ip vtep)
{
	struct world *w = arg;

	(void)vtep;
	w->place[mac.b[5]] = place;
	w->place_ifindex[mac.b[5]] = ifindex;
}

static void on_send(void *arg, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	struct world *w = arg;

	(void)frame;
	ck_assert_msg(len == 42 || len == 86, "%s: a frame of %zu octets", w->did, len);
	ck_assert_msg(w->up[ifindex - 10], "%s: a frame out of a port that is down", w->did);
}

static void on_life(void *arg, struct ip ip, struct mac mac, uint32_t ifindex, struct ip vtep)
{
	struct world *w = arg;

	(void)mac;
	ck_assert_msg(!ifindex || !vtep.family, "%s: here and there", w->did);
	w->sponged[number_of(ip)] = false;
}

static void count4(void *arg, const struct layout_key4 *k, const struct layout_bind *v)
{
	(void)k;
	(void)v;
	((struct world *)arg)->entries++;
}

static void count6(void *arg, const struct layout_key6 *k, const struct layout_bind *v)
{
	(void)k;
	(void)v;
	((struct world *)arg)->entries++;
}

static void count_mac(void *arg, const struct layout_mac_key *k, const struct layout_mac *v)
{
	(void)k;
	(void)v;
	((struct world *)arg)->macs++;
}

struct wanted {
	struct world *w;
	const struct binding_view *v;
	bool found;
};

static void match(struct wanted *x, struct ip ip, const struct layout_bind *v)
{
	if (!ip_eq(ip, x->v->ip))
		return;
	x->found = memcmp(v->mac, x->v->mac.b, 6) == 0 && v->flags == x->v->flags &&
		v->ifindex == (x->v->place == PLACE_PORT ? x->v->ifindex : 0);
}

static void match4(void *arg, const struct layout_key4 *k, const struct layout_bind *v)
{
	match(arg, ip_v4(k->ip), v);
}

static void match6(void *arg, const struct layout_key6 *k, const struct layout_bind *v)
{
	match(arg, ip_v6(k->ip), v);
}

static void check_view(void *arg, const struct binding_view *v)
{
	struct wanted x = {arg, v, false};

	plane_null.bind4_each(x.w->plane, match4, &x);
	plane_null.bind6_each(x.w->plane, match6, &x);
	ck_assert_msg(x.found, "%s: the plane has another binding", x.w->did);
	x.w->entries--;
	x.w->duplicates += v->duplicate;
	if (v->source == SOURCE_SPONGE)
		ck_assert_msg(x.w->sponged[number_of(v->ip)], "%s: sponged by itself", x.w->did);
	else
		ck_assert_msg(!x.w->sponged[number_of(v->ip)], "%s: an owner, and no word of it", x.w->did);
}

static void check_mac(void *arg, const struct binding_view *v)
{
	struct world *w = arg;

	ck_assert_msg(w->place[v->mac.b[5]] == v->place, "%s: the last place told is another", w->did);
	if (v->place == PLACE_PORT)
		ck_assert_msg(w->place_ifindex[v->mac.b[5]] == v->ifindex, "%s: another port", w->did);
	w->macs--;
}

static void check_all(struct world *w)
{
	struct binding_stats st;

	w->entries = w->macs = 0;
	w->duplicates = 0;
	plane_null.bind4_each(w->plane, count4, w);
	plane_null.bind6_each(w->plane, count6, w);
	plane_null.mac_each(w->plane, count_mac, w);
	bindings_each(w->b, check_view, w);
	bindings_each_mac(w->b, check_mac, w);
	ck_assert_msg(w->entries == 0 && w->macs == 0, "%s: %d addresses, %d MACs too many in the plane", w->did,
		w->entries, w->macs);
	bindings_stats(w->b, &st);
	ck_assert_msg(st.duplicates == w->duplicates, "%s: %u duplicates", w->did, st.duplicates);
	memset(w->snapshot, 0, sizeof(w->snapshot));
	w->taking_snapshot = true;
	bindings_snapshot(w->b);
	w->taking_snapshot = false;
	ck_assert_msg(memcmp(w->snapshot, w->said, sizeof(w->said)) == 0, "%s: said and snapshot differ", w->did);
}

static void set_port(struct world *w)
{
	uint32_t at = roll(w, PORTS);
	struct binding_port p = {.up = roll(w, 4) != 0, .closed = roll(w, 4) < (at < 2 ? 3u : 1u)};

	for (uint32_t i = 0; p.closed && i < 3; i++) {
		p.mac_group[p.mac_count] = (uint8_t)roll(w, 2);
		p.macs[p.mac_count++] = a_mac(roll(w, MACS));
		p.ip_group[p.ip_count] = (uint8_t)roll(w, 2);
		p.ips[p.ip_count++] = an_ip(roll(w, IPS));
	}
	w->up[at] = p.up;
	bindings_port_set(w->b, 10 + at, &p);
}

static void set_up(struct world *w, uint32_t at, bool up)
{
	w->up[at] = up;
	bindings_port_up(w->b, 10 + at, up);
}

static void sponge(struct world *w)
{
	uint32_t i = roll(w, IPS);

	if (roll(w, 2)) {
		if (bindings_sponge_set(w->b, an_ip(i), a_mac(MACS - 1)) == 0)
			w->sponged[i] = true;
	} else {
		bindings_sponge_del(w->b, an_ip(i));
		w->sponged[i] = false;
	}
}


static void see(struct world *w)
{
	static const uint8_t types[] = {EVENT_BINDING, EVENT_BINDING, EVENT_MAC, EVENT_MOVED, EVENT_PROBE, EVENT_SPOOF};
	struct layout_event e = {.lan = 1,
		.ifindex = 10 + roll(w, PORTS),
		.type = types[roll(w, 6)],
		.flags = (uint8_t)roll(w, 8)};
	struct ip ip = an_ip(roll(w, IPS));

	e.family = ip.family;
	memcpy(e.ip, ip.b, 16);
	memcpy(e.mac, a_mac(roll(w, MACS)).b, 6);
	bindings_event(w->b, &e, w->now_ms);
}

static void hear(struct world *w)
{
	struct binding_remote r = {.mac = a_mac(roll(w, MACS)),
		.ip = an_ip(roll(w, IPS)),
		.vtep = frame_ip("10.0.0.3"),
		.seq = roll(w, 6),
		.sticky = roll(w, 16) == 0,
		.router = roll(w, 2),
		.override = roll(w, 2),
		.immutable = roll(w, 2)};

	switch (roll(w, 4)) {
	case 0:
		bindings_remote_mac(w->b, &r);
		break;
	case 1:
		bindings_remote_mac_del(w->b, r.mac);
		break;
	case 2:
		bindings_remote_bind(w->b, &r);
		break;
	default:
		bindings_remote_bind_del(w->b, r.ip);
		break;
	}
}

static void step(struct world *w)
{
	w->now_ms += roll(w, 3000);
	switch (roll(w, 20)) {
	case 16:
	case 17:
		w->did = "sponge";
		sponge(w);
		break;
	case 18:
		w->did = "clear";
		bindings_clear_duplicate(w->b, an_ip(roll(w, IPS)));
		break;
	case 19:
		w->did = "drain";
		bindings_drain(w->b, w->now_ms);
		break;
	case 0:
		w->did = "port set";
		set_port(w);
		break;
	case 1:
		w->did = "port up or down";
		set_up(w, roll(w, PORTS), roll(w, 2));
		break;
	case 2:
		w->did = "port gone";
		if (roll(w, 4) == 0) {
			uint32_t at = roll(w, PORTS);
			w->up[at] = false;
			bindings_port_del(w->b, 10 + at);
		}
		break;
	case 3:
		w->did = "tick";
		bindings_tick(w->b, w->now_ms);
		break;
	case 4:
		w->did = "mark";
		bindings_remote_mark(w->b);
		break;
	case 5:
		w->did = "sweep";
		bindings_remote_sweep(w->b);
		break;
	case 6:
		w->did = "forgotten";
		bindings_forgotten(w->b, 10 + roll(w, PORTS), a_mac(roll(w, MACS)));
		break;
	case 7:
	case 8:
	case 9:
	case 10:
		w->did = "feed";
		hear(w);
		break;
	default:
		w->did = "event";
		see(w);
		break;
	}
}

static void open_world(struct world *w, uint64_t seed)
{
	static struct prefix prefixes[2];
	static const struct plane_limits limits = {64, 64, 64, 16, 16};
	bool adopted;

	siphash_process_key_fix(seed, 2);
	prefix_parse("198.18.0.0/21", &prefixes[0]);
	prefix_parse("2001:db8::/64", &prefixes[1]);
	*w = (struct world){.now_ms = 1000000, .seed = seed};
	ck_assert_int_eq(plane_null.open(NULL, &limits, &w->plane, &adopted), 0);
	w->hooks = (struct binding_hooks){
		.ops = &plane_null, .plane = w->plane, .say = on_say, .place = on_place, .send = on_send, .life = on_life, .arg = w};
	w->config = (struct binding_config){.lan = 1,
		.prefixes = prefixes,
		.prefix_count = 2,
		.max_bindings = IPS - 1,
		.max_macs = MACS - 1,
		.max_per_port = 2,
		.age_sec = 60,
		.anycast = roll(w, 4) == 0,
		.na_new = roll(w, 2),
		.mac_list_first = roll(w, 2),
		.dead = {.policy = (enum binding_dead_policy)roll(w, 3), .mac = a_mac(MACS - 2)},
		.duplicate = {.action = (enum binding_duplicate_action)roll(w, 3),
			.moves = 1 + roll(w, 3),
			.window_sec = 60,
			.confirm_sec = roll(w, 2) * 10,
			.hold_down_sec = roll(w, 2) * 30,
			.as_mac = a_mac(roll(w, 2) ? 0 : MACS - 2)},
		.announce = {.on = (enum announce_on)roll(w, 3)}};
	w->b = bindings_new(&w->config, &w->hooks);
	bindings_self(w->b, a_mac(MACS - 3), 5);
	bindings_trap(w->b, a_mac(MACS - 1));
}

START_TEST(whatever_happens)
{
	struct world w;

	open_world(&w, (uint64_t)_i + 1);
	for (int i = 0; i < STEPS; i++) {
		step(&w);
		check_all(&w);
	}
	w.did = "all gone";
	for (uint32_t i = 0; i < PORTS; i++)
		bindings_port_del(w.b, 10 + i);
	bindings_remote_mark(w.b);
	bindings_remote_sweep(w.b);
	check_all(&w);
	for (uint32_t i = 0; i < IPS; i++) {
		bindings_sponge_del(w.b, an_ip(i));
		bindings_clear_duplicate(w.b, an_ip(i));
	}
	w.entries = 0;
	plane_null.bind4_each(w.plane, count4, &w);
	plane_null.bind6_each(w.plane, count6, &w);
	ck_assert_int_eq(w.entries, 0);
	bindings_free(w.b);
	plane_null.close(w.plane, false);
}
END_TEST

static void adopt4(void *arg, const struct layout_key4 *k, const struct layout_bind *v)
{
	struct world *w = arg;

	bindings_adopt_bind(w->b, ip_v4(k->ip), v, w->now_ms);
}

static void adopt6(void *arg, const struct layout_key6 *k, const struct layout_bind *v)
{
	struct world *w = arg;

	bindings_adopt_bind(w->b, ip_v6(k->ip), v, w->now_ms);
}

static void adopt_mac(void *arg, const struct layout_mac_key *k, const struct layout_mac *v)
{
	struct world *w = arg;

	bindings_adopt_mac(w->b, k, v, w->now_ms);
}

static void still_sponged(void *arg, const struct binding_view *v)
{
	struct world *w = arg;

	if (v->source == SOURCE_SPONGE)
		w->sponged[number_of(v->ip)] = true;
}

/* Killed at any moment, and started with whatever ports there are then. */
START_TEST(whenever_it_dies)
{
	struct world w;

	open_world(&w, (uint64_t)_i + 1000);
	for (int i = 0; i < 300; i++) {
		for (int n = 0; n < 20; n++)
			step(&w);
		bindings_free(w.b);
		memset(w.said, 0, sizeof(w.said));
		w.did = "restart";
		memset(w.up, 0, sizeof(w.up));
		memset(w.sponged, 0, sizeof(w.sponged));
		w.b = bindings_new(&w.config, &w.hooks);
		bindings_self(w.b, a_mac(MACS - 3), 5);
		bindings_trap(w.b, a_mac(MACS - 1));
		plane_null.mac_each(w.plane, adopt_mac, &w);
		plane_null.bind4_each(w.plane, adopt4, &w);
		plane_null.bind6_each(w.plane, adopt6, &w);
		for (int n = 0; n < PORTS; n++)
			set_port(&w);
		bindings_adopted(w.b);
		bindings_each(w.b, still_sponged, &w);
		check_all(&w);
	}
	bindings_free(w.b);
	plane_null.close(w.plane, false);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("binding, at random");
	TCase *c = tcase_create("books");

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, whatever_happens, 0, 8);
	tcase_add_loop_test(c, whenever_it_dies, 0, 8);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
