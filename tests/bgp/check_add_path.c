/* ADD-PATH (RFC 7911): who agrees on it, several paths in, several paths out.
 *
 * Three peers made by hand on one speaker, each an iBGP client: A and B talk, C listens. What C hears is written as
 * "+7:1/5" (route 7 with identifier 1 and payload 5) and "-7:1"; without ADD-PATH "+7/5" and "-7". */
#include "bgp/engine.h"
#include "tests/bgp/raw.h"

enum { A, B, C, PEERS };

static struct speaker *sp;
static struct raw peer[PEERS];
static bool takes_several[PEERS]; /* what the speaker sends it has identifiers */
static bool sends_several[PEERS];
static char text[4096];

static void begin_peer(int i, enum add_path_mode ours, uint8_t theirs)
{
	struct neighbor_config n = raw_neighbor();
	struct bgp_open o = raw_open();
	struct raw *r = &peer[i];

	*r = (struct raw){.s = sp, .now = 5000, .window = SIZE_MAX, .address = RAW_PEER + (uint32_t)i};
	n.address = ip_v4_u32(r->address);
	n.add_path = ours;
	o.bgp_id = r->address;
	if (theirs) {
		o.add_path[0] = (struct open_add_path){{AFI_L2VPN, SAFI_EVPN}, theirs};
		o.add_path_count = 1;
	}
	ck_assert_int_eq(speaker_add_neighbor(sp, &n, r->now, &r->n), 0);
	r->c = raw_call(r, r->address);
	ck_assert_ptr_nonnull(r->c);
	raw_drain(r);
	raw_establish(r, &o);
	raw_forget(r);
	sends_several[i] = ours & ADD_PATH_RECEIVE && theirs & ADD_PATH_SEND;
	takes_several[i] = ours & ADD_PATH_SEND && theirs & ADD_PATH_RECEIVE;
}

static void begin(enum add_path_mode c_takes)
{
	struct speaker_config c = raw_speaker();

	siphash_process_key_fix(3, 4);
	sp = speaker_new(&c, 5000);
	begin_peer(A, ADD_PATH_BOTH, ADD_PATH_BOTH);
	begin_peer(B, ADD_PATH_OFF, 0);
	begin_peer(C, c_takes, ADD_PATH_RECEIVE);
}

static void teardown(void)
{
	speaker_free(sp);
	for (int i = 0; i < PEERS; i++) {
		free(peer[i].out);
		peer[i] = (struct raw){0};
	}
}

static void drain(void)
{
	for (int k = 0; k < 2; k++)
		for (int i = 0; i < PEERS; i++)
			if (peer[i].s)
				raw_drain(&peer[i]);
}

static void say(int i, unsigned number, uint32_t id, uint8_t payload, bool withdraw)
{
	struct attrs a = {.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.next_hop = ip_v4_u32(peer[i].address)};
	struct update_out out = {.as4 = true, .ibgp = true};
	struct update_writer u;
	uint8_t buf[BGP_MSG_MAX], key[] = {TEST_PAYLOAD_TYPE, (uint8_t)number};

	if (withdraw)
		ck_assert_int_eq(update_begin_withdraw(&u, buf, sizeof(buf), &test_family, sends_several[i]), 0);
	else
		ck_assert_int_eq(
			update_begin(&u, buf, sizeof(buf), &test_family, sends_several[i], &a, &out), 0);
	ck_assert(update_add(&u, id, key, sizeof(key), &payload, 1));
	raw_rx(&peer[i], buf, update_end(&u));
}

static size_t put(size_t n, bool several, char sign, const struct nlri *r)
{
	n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%c%u", n ? " " : "", sign, r->key[1]);
	if (several)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ":%u", r->path_id);
	if (r->payload_len)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "/%u", r->payload[0]);
	return n;
}

static const char *heard(int i)
{
	struct update_ctx ctx = test_ctx(0);
	struct raw_msg m;
	size_t at = 0, n = 0;

	text[0] = '\0';
	while (raw_next(&peer[i], &at, &m)) {
		struct update u;
		struct bgp_error err;
		const char *why;
		struct nlri r;
		if (m.type != BGP_UPDATE)
			continue;
		ck_assert_int_eq(update_decode(m.body, m.len, &ctx, &u, &err), 0);
		for (int w = 1; w >= 0; w--) {
			struct span nlris = w ? u.unreach : u.reach;
			struct reader rd = reader_of(nlris.p, nlris.len);
			while (reader_left(&rd)) {
				ck_assert_int_eq(
					update_next(&rd, &test_family, takes_several[i], w, &r, &why), NLRI_OK);
				n = put(n, takes_several[i], w ? '-' : '+', &r);
			}
		}
	}
	raw_forget(&peer[i]);
	return text;
}

/* "A7:3/5 B7/1 A-7:3", then what C hears; several turns are separated by " | ". */
static void run_turn(const char *what)
{
	while (*what && *what != '|') {
		unsigned number, id = 0, payload = 0;
		int who = *what == 'L' ? -1 : *what - 'A', used;
		bool withdraw = what[1] == '-';
		what += 1 + withdraw;
		ck_assert_int_eq(sscanf(what, "%u%n", &number, &used), 1);
		what += used;
		if (*what == ':' && sscanf(what, ":%u%n", &id, &used) == 1)
			what += used;
		if (*what == '/' && sscanf(what, "/%u%n", &payload, &used) == 1)
			what += used;
		say(who, number, id, (uint8_t)payload, withdraw);
		while (*what == ' ')
			what++;
	}
	drain();
}

static const struct {
	const char *what, *said, *several, *best; /* as C hears it, with ADD-PATH or without */
} rows[] = {
	{"one path", "A7:9/1", "+7:1/1", "+7/1"},
	{"two paths of one peer", "A7:9/1 | A7:8/2", "+7:1/1 +7:2/2", "+7/1 +7/2"},
	{"of two peers", "B7/1 | A7:9/2", "+7:1/1 +7:2/2", "+7/1 +7/2"},
	{"the other one is not told again", "A7:9/1 | B7/2", "+7:1/1 +7:2/2", "+7/1"},
	{"nor when it changes", "A7:9/1 | B7/2 | B7/3", "+7:1/1 +7:2/2 +7:2/3", "+7/1"},
	{"nor when it goes", "A7:9/1 | B7/2 | B-7", "+7:1/1 +7:2/2 -7:2", "+7/1"},
	{"the same again", "A7:9/1 | A7:9/1", "+7:1/1", "+7/1"},
	{"withdrawn by identifier", "A7:9/1 | A7:8/2 | A-7:8", "+7:1/1 +7:2/2 -7:2", "+7/1 +7/2 +7/1"},
	{"another identifier is not withdrawn", "A7:9/1 | A-7:8", "+7:1/1", "+7/1"},
	{"all withdrawn", "A7:9/1 | B7/2 | A-7:9 | B-7", "+7:1/1 +7:2/2 -7:1 -7:1 -7:2", "+7/1 +7/2 -7"},
	{"numbers are used again", "A7:9/1 | B7/2 | A-7:9 | A7:5/3", "+7:1/1 +7:2/2 -7:1 +7:1/3",
		"+7/1 +7/2 +7/3"},
	{"they are kept", "A7:9/1 | A7:8/2 | A7:7/3 | A-7:8 | A7:7/4", "+7:1/1 +7:2/2 +7:3/3 -7:2 -7:2 +7:3/4",
		"+7/1 +7/2 +7/3 +7/4"},
};

static void check_row(const char *said, const char *expected, const char *what)
{
	char all[1024] = "";

	for (const char *turn = said; turn; turn = strchr(turn, '|') ? strchr(turn, '|') + 2 : NULL) {
		run_turn(turn);
		heard(C);
		ck_assert_uint_lt(strlen(all) + strlen(text) + 2, sizeof(all));
		if (text[0])
			strcat(strcat(all, all[0] ? " " : ""), text);
	}
	ck_assert_msg(strcmp(all, expected) == 0, "%s: %s, not %s", what, all, expected);
}

START_TEST(told)
{
	begin(ADD_PATH_SEND);
	check_row(rows[_i].said, rows[_i].several, rows[_i].what);
}
END_TEST

START_TEST(told_best)
{
	begin(ADD_PATH_OFF);
	check_row(rows[_i].said, rows[_i].best, rows[_i].what);
}
END_TEST

/* A is told all but its own, and has what it was told before taken back when the number is its own now. */
START_TEST(never_its_own)
{
	begin(ADD_PATH_SEND);
	run_turn("A7:1/1");
	ck_assert_str_eq(heard(A), "");
	run_turn("B7/2");
	ck_assert_str_eq(heard(A), "+7:2/2");
	run_turn("A7:1/3");
	ck_assert_str_eq(heard(A), "");
	run_turn("A7:2/4");
	ck_assert_str_eq(heard(A), "");
	run_turn("B-7");
	ck_assert_str_eq(heard(A), "-7:2");
	/* Number 2 was B's, and as far as is known A might still have it. */
	run_turn("A7:3/5");
	ck_assert_str_eq(heard(A), "-7:2");
	heard(C);
	run_turn("A-7:1 A-7:2 A-7:3");
	/* A number that nobody has any more is taken back again as long as there are higher ones. */
	ck_assert_str_eq(heard(C), "-7:1 -7:1 -7:3 -7:1 -7:2");
}
END_TEST

/* RFC 7911 section 4: one sends what the other receives. */
static const struct {
	enum add_path_mode ours, theirs;
	bool in, out;
} modes[] = {
	{ADD_PATH_OFF, ADD_PATH_BOTH, false, false},
	{ADD_PATH_BOTH, ADD_PATH_OFF, false, false},
	{ADD_PATH_RECEIVE, ADD_PATH_RECEIVE, false, false},
	{ADD_PATH_SEND, ADD_PATH_SEND, false, false},
	{ADD_PATH_RECEIVE, ADD_PATH_SEND, true, false},
	{ADD_PATH_SEND, ADD_PATH_RECEIVE, false, true},
	{ADD_PATH_BOTH, ADD_PATH_RECEIVE, false, true},
	{ADD_PATH_BOTH, ADD_PATH_SEND, true, false},
	{ADD_PATH_BOTH, ADD_PATH_BOTH, true, true},
};

START_TEST(agreed)
{
	struct speaker_config c = raw_speaker();
	struct neighbor_view v;

	siphash_process_key_fix(3, 4);
	sp = speaker_new(&c, 5000);
	begin_peer(A, modes[_i].ours, (uint8_t)modes[_i].theirs);
	ck_assert_int_eq(sends_several[A], modes[_i].in);
	ck_assert_int_eq(takes_several[A], modes[_i].out);
	neighbor_view(peer[A].n, &v);
	ck_assert_int_eq(v.add_path_in, modes[_i].in);
	ck_assert_int_eq(v.add_path_out, modes[_i].out);
	ck_assert_int_eq(session_add_path_in(peer[A].n->main, &test_family), modes[_i].in);
	/* With identifiers or without, the octets are read as agreed. */
	say(A, 7, 1, 1, false);
	ck_assert_uint_eq(raw_view(&peer[A]).routes_in, 1);
	if (modes[_i].in)
		say(A, 7, 2, 1, false);
	ck_assert_uint_eq(raw_view(&peer[A]).routes_in, modes[_i].in ? 2 : 1);
}
END_TEST

START_TEST(what_we_offer)
{
	static const uint8_t want[] = {69, 4, 0, 25, 70, 3};
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();
	struct raw_msg m;
	size_t at = 0;

	n.add_path = ADD_PATH_BOTH;
	raw_start_with(&peer[A], &c, &n);
	sp = peer[A].s;
	ck_assert(raw_next(&peer[A], &at, &m));
	ck_assert_int_eq(m.type, BGP_OPEN);
	for (size_t i = 0; i + sizeof(want) <= m.len; i++)
		if (memcmp(m.body + i, want, sizeof(want)) == 0)
			return;
	ck_abort_msg("no such capability");
}
END_TEST

/* --- bounds --- */

/* More paths of a key than have numbers: the best has one. */
START_TEST(more_than_numbers)
{
	begin(ADD_PATH_SEND);
	for (uint32_t id = 100; id < 100 + RIB_NUMBERS; id++)
		say(A, 7, id, (uint8_t)id, false);
	drain();
	ck_assert_uint_eq(strlen(heard(C)), strlen("+7:1/100 ") * RIB_NUMBERS - 1 + 6);
	say(A, 7, 200, 200, false);
	drain();
	ck_assert_str_eq(heard(C), "");
	ck_assert_uint_eq(raw_view(&peer[C]).routes_out, RIB_NUMBERS);
	/* A lower identifier is better. */
	say(A, 7, 1, 1, false);
	drain();
	heard(C);
	ck_assert_msg(strncmp(text, "+7:", 3) == 0 && strstr(text, "/1") && !strchr(text, ' '), "%s", text);
	/* One that waits gets what becomes free. */
	say(A, 7, 1, 0, true);
	drain();
	heard(C);
	ck_assert_msg(strncmp(text, "+7:", 3) == 0 && !strchr(text, ' '), "%s", text);
	ck_assert_uint_eq(raw_view(&peer[C]).routes_out, RIB_NUMBERS);
	for (uint32_t id = 100; id <= 200; id++)
		say(A, 7, id, 0, true);
	drain();
	heard(C);
	ck_assert_uint_eq(sp->table[0].rib.paths, 0);
	ck_assert_uint_eq(sp->table[0].rib.map.count, 0);
	ck_assert_uint_eq(raw_view(&peer[C]).routes_out, 0);
}
END_TEST

START_TEST(too_many_of_one_key)
{
	begin(ADD_PATH_SEND);
	for (uint32_t id = 1; id <= RIB_PATHS_OF_PEER + 10; id++)
		say(A, 7, id, 1, false);
	ck_assert_uint_eq(raw_view(&peer[A]).routes_in, RIB_PATHS_OF_PEER);
	ck_assert_uint_eq(raw_view(&peer[A]).refused[REFUSED_CROWDED], 10);
	ck_assert_str_eq(raw_view(&peer[A]).state, "Established");
	/* Those that are there may change and go. */
	say(A, 7, 1, 9, false);
	say(A, 7, 2, 0, true);
	say(A, 7, 1000, 1, false);
	ck_assert_uint_eq(raw_view(&peer[A]).routes_in, RIB_PATHS_OF_PEER);
}
END_TEST

/* After a restart the same paths may come with other identifiers: then what is stale makes room. */
START_TEST(other_identifiers)
{
	struct bgp_open o = raw_open();
	struct raw *r = &peer[A];
	uint8_t buf[64];

	begin(ADD_PATH_SEND);
	speaker_remove_neighbor(sp, r->n, r->now);
	r->c = NULL;
	drain();
	struct neighbor_config n = raw_neighbor();
	n.address = ip_v4_u32(RAW_PEER);
	n.add_path = ADD_PATH_RECEIVE;
	ck_assert_int_eq(speaker_add_neighbor(sp, &n, r->now, &r->n), 0);
	o.add_path[0] = (struct open_add_path){{AFI_L2VPN, SAFI_EVPN}, ADD_PATH_SEND};
	o.add_path_count = 1;
	o.gr = true;
	o.gr_restart_sec = 120;
	o.gr_families[0] = (struct open_gr_family){{AFI_L2VPN, SAFI_EVPN}, true};
	o.gr_family_count = 1;
	for (uint32_t round = 0; round < 3; round++) {
		r->c = raw_call(r, RAW_PEER);
		ck_assert_ptr_nonnull(r->c);
		drain();
		raw_establish(r, &o);
		for (uint32_t id = 1; id <= 20; id++)
			say(A, 7, 100 * round + id, (uint8_t)id, false);
		ck_assert_uint_eq(raw_view(r).refused[REFUSED_CROWDED], 0);
		raw_rx(r, buf, update_eor(buf, sizeof(buf), &test_family));
		ck_assert_uint_eq(raw_view(r).routes_in, 20);
		ck_assert_uint_eq(raw_view(r).routes_stale, 0);
		ck_assert_uint_eq(raw_view(&peer[C]).routes_out, RIB_NUMBERS);
		for (int i = 0; i < PEERS; i++)
			peer[i].now += 2000;
		struct conn *c = r->c;
		r->c = NULL;
		conn_lost(c, CONN_FAILED, r->now);
		drain();
	}
}
END_TEST

/* --- those who lag --- */

/* A refresh tells all paths again; what went while it lagged is withdrawn by its number. */
START_TEST(lags)
{
	begin(ADD_PATH_SEND);
	run_turn("A7:1/1 A7:2/2 B7/3 A8:1/1");
	heard(C);
	raw_rx_refresh(&peer[C], AFI_L2VPN, REFRESH_REQUEST);
	drain();
	ck_assert_uint_eq(strlen(heard(C)), strlen("+7:1/1 +7:2/2 +7:3/3 +8:1/1"));
	/* It does not read, and falls behind. */
	peer[C].n->config.queue_octets = 10;
	peer[C].window = 0;
	for (unsigned i = 0; i < 8; i++) {
		run_turn("A7:1/1");
		run_turn("A7:1/9");
	}
	ck_assert(!peer[C].n->family[0].member->synced);
	run_turn("A-7:2 B-7");
	run_turn("A7:3/4 A-8:1");
	run_turn("A-7:3");
	raw_forget(&peer[C]);
	peer[C].window = SIZE_MAX;
	drain();
	heard(C);
	ck_assert(peer[C].n->family[0].member->synced);
	ck_assert_msg(strstr(text, "+7:1/9") && strstr(text, "-7:2") && strstr(text, "-7:3") &&
			      strstr(text, "-8:1"),
		"%s", text);
	run_turn("A9:1/1");
	ck_assert_uint_eq(sp->table[0].rib.tombstones, 0);
}
END_TEST

/* Who comes to take several finds those that were there before him. */
START_TEST(late)
{
	struct speaker_config c = raw_speaker();

	siphash_process_key_fix(3, 4);
	sp = speaker_new(&c, 5000);
	begin_peer(A, ADD_PATH_RECEIVE, ADD_PATH_SEND);
	begin_peer(B, ADD_PATH_OFF, 0);
	run_turn("A7:1/1 A7:2/2 B7/3");
	ck_assert(!sp->table[0].rib.all_paths);
	begin_peer(C, ADD_PATH_SEND, ADD_PATH_RECEIVE);
	ck_assert(sp->table[0].rib.all_paths);
	/* It was told while it was begun. */
	ck_assert_uint_eq(raw_view(&peer[C]).routes_out, 3);
	run_turn("A-7:1");
	ck_assert_str_eq(heard(C), "-7:1");
	conn_lost(peer[C].c, CONN_FAILED, 5000);
	peer[C].c = NULL;
	drain();
	ck_assert(!sp->table[0].rib.all_paths);
	run_turn("A-7:2 B-7");
	ck_assert_uint_eq(sp->table[0].rib.map.count, 0);
}
END_TEST

/* --- anything in any order --- */

enum { KEYS = 4, IDS = 24, STEPS = 3000 };

/* What a peer knows: by route and identifier the payload, and by whose next hop. 0: nothing. */
static struct {
	uint8_t payload, from;
} known[PEERS][KEYS][1 << 8];
static unsigned seed, unwanted;

static unsigned dice(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static void learn_routes(int i, const struct update *u, bool withdraw)
{
	struct span nlris = withdraw ? u->unreach : u->reach;
	struct reader rd = reader_of(nlris.p, nlris.len);
	struct nlri r;
	const char *why;

	while (reader_left(&rd)) {
		ck_assert_int_eq(update_next(&rd, &test_family, takes_several[i], withdraw, &r, &why), NLRI_OK);
		ck_assert_uint_lt(r.path_id, 1 << 8);
		known[i][r.key[1]][r.path_id].payload = withdraw ? 0 : r.payload[0];
		known[i][r.key[1]][r.path_id].from =
			withdraw ? 0 : (uint8_t)(ip_to_u32(u->attrs.next_hop) - RAW_PEER);
	}
}

static void learn(int i)
{
	struct update_ctx ctx = test_ctx(0);
	struct raw_msg m;
	size_t at = 0;

	while (raw_next(&peer[i], &at, &m)) {
		struct update u;
		struct bgp_error err;
		if (m.type != BGP_UPDATE)
			continue;
		ck_assert_int_eq(update_decode(m.body, m.len, &ctx, &u, &err), 0);
		learn_routes(i, &u, true);
		learn_routes(i, &u, false);
	}
	memmove(peer[i].out, peer[i].out + at, peer[i].out_len - at);
	peer[i].out_len -= at;
}

static uint8_t refuse(void *arg, const void *rules, const struct policy_route *r)
{
	(void)arg;
	(void)rules;
	return r->payload[0] == unwanted ? REFUSED_BY_POLICY : REFUSED_NOT;
}

static void some_step(void)
{
	int i = (int)dice(PEERS);

	switch (dice(12)) {
	case 0:
		raw_rx_refresh(&peer[i], AFI_L2VPN, REFRESH_REQUEST);
		break;
	case 1:
		peer[i].window = dice(300);
		break;
	case 2:
		peer[i].window = SIZE_MAX;
		break;
	case 3:
		unwanted = 1 + dice(6);
		speaker_recheck(sp, NULL, 5000);
		break;
	default:
		say((int)dice(2), dice(KEYS), dice(1 + dice(IDS)), (uint8_t)(1 + dice(3)), dice(3) == 0);
	}
	if (dice(2))
		drain();
	for (int k = 0; k < PEERS; k++)
		learn(k);
}

static unsigned entries(int i, unsigned key)
{
	unsigned n = 0;

	for (unsigned id = 0; id < 1 << 8; id++)
		n += known[i][key][id].payload != 0;
	return n;
}

static void check_key(int i, unsigned key)
{
	uint8_t octets[] = {TEST_PAYLOAD_TYPE, (uint8_t)key};
	const struct rib *r = &sp->table[0].rib;
	const struct dest *d = rib_find(r, (struct rib_key){.p = octets, .len = 2});
	const struct path *best = d ? rib_best(r, d) : NULL;
	unsigned expected = 0, accepted = 0, numbered = 0;

	for (const struct path *p = d ? rib_path(r, d->paths) : NULL; p; p = rib_path(r, p->next)) {
		bool goes = takes_several[i] ? p->number != 0 : p == best;
		accepted += !p->refused;
		numbered += p->number != 0;
		ck_assert(!p->refused || !p->number);
		if (!goes || p->peer == peer[i].n->index)
			continue;
		unsigned id = takes_several[i] ? p->number : 0;
		expected++;
		ck_assert_uint_eq(known[i][key][id].payload, p->payload[0]);
		ck_assert_uint_eq(known[i][key][id].from + 1, p->peer);
	}
	ck_assert_uint_eq(entries(i, key), expected);
	ck_assert_uint_eq(numbered, accepted < RIB_NUMBERS ? accepted : RIB_NUMBERS);
	ck_assert(!best || best->number);
}

START_TEST(anything_goes)
{
	struct speaker_policy policy = {.import = refuse};
	struct speaker_config c = raw_speaker();

	seed = (unsigned)_i;
	unwanted = 0;
	memset(known, 0, sizeof(known));
	siphash_process_key_fix(3, 4);
	sp = speaker_new(&c, 5000);
	speaker_set_policy(sp, &policy);
	begin_peer(A, ADD_PATH_BOTH, ADD_PATH_BOTH);
	begin_peer(B, ADD_PATH_BOTH, _i % 2 ? ADD_PATH_BOTH : ADD_PATH_SEND);
	begin_peer(C, _i % 3 ? ADD_PATH_SEND : ADD_PATH_OFF, ADD_PATH_RECEIVE);
	for (int i = 0; i < PEERS; i++)
		peer[i].n->config.queue_octets = 100 + dice(1000);
	for (int step = 0; step < STEPS; step++) {
		some_step();
		if (step % 500 != 499)
			continue;
		for (int i = 0; i < PEERS; i++)
			peer[i].window = SIZE_MAX;
		drain();
		for (int i = 0; i < PEERS; i++) {
			learn(i);
			ck_assert_str_eq(raw_view(&peer[i]).state, "Established");
			for (unsigned key = 0; key < KEYS; key++)
				check_key(i, key);
		}
	}
}
END_TEST

CHECK_MAIN("add_path", {
	tcase_add_loop_test(t, anything_goes, 1, 25);
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_loop_test(t, told, 0, ROWS_OF(rows));
	tcase_add_loop_test(t, told_best, 0, ROWS_OF(rows));
	tcase_add_test(t, never_its_own);
	tcase_add_loop_test(t, agreed, 0, ROWS_OF(modes));
	tcase_add_test(t, what_we_offer);
	tcase_add_test(t, more_than_numbers);
	tcase_add_test(t, too_many_of_one_key); tcase_add_test(t, other_identifiers);
	tcase_add_test(t, lags);
	tcase_add_test(t, late);
})
