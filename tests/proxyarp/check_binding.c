/* The agent's books: where bindings and MACs come from, which of them counts, and how they move. See books.h for the words. */
#include "books.h"

#define PORT_A "port 10 closed A 198.18.0.1,2001:db8::1"
#define SAID_A "+A +A/198.18.0.1!r +A/2001:db8::1!r A@10"

static const struct scenario scenarios[] = {
	{"a registered port",
		{{PORT_A, SAID_A},
			{"bind 198.18.0.1", "A@10SR"},
			{"bind 2001:db8::1", "A@10SR"},
			{"mac A", "@10/10Sr"},
			{"seen 10 A", ""},
			{"mac A", "@10/10S"},
			{PORT_A, ""},
			{"snapshot", "+A +A/198.18.0.1!r +A/2001:db8::1!r"},
			{"noport 10", "-A -A/198.18.0.1 -A/2001:db8::1 A@-"},
			{"bind 198.18.0.1", ""},
			{"mac A", ""}}},
	{"a port goes down and comes up",
		{{PORT_A, SAID_A},
			{"down 10", "-A -A/198.18.0.1 -A/2001:db8::1"},
			{"bind 198.18.0.1", "A@10SRsw"},
			{"mac A", "@10/10Srd"},
			{"snapshot", ""},
			{"up 10", "+A +A/198.18.0.1!r +A/2001:db8::1!r"},
			{"bind 198.18.0.1", "A@10SR"}}},
	{"a registered member moves to another PE and back",
		{{PORT_A, SAID_A},
			{"seen 10 A", ""},
			{"down 10", "-A -A/198.18.0.1 -A/2001:db8::1"},
			{"rmac A 10.0.0.3 1", "A@10.0.0.3"},
			{"bind 198.18.0.1", "A@0SR"},
			{"mac A", "@0/10S"},
			{"rbind 198.18.0.1 A 10.0.0.3", ""},
			{"bind 198.18.0.1", "A@0SR"},
			/* the cable is back, the member not yet: wanted, but not claimed */
			{"up 10", "+A +A/198.18.0.1!r +A/2001:db8::1!r"},
			{"mac A", "@0/10S"},
			{"bind 198.18.0.1", "A@0SR"},
			{"moved 10 A", "+A^ +A/198.18.0.1!r^ +A/2001:db8::1!r^ A@10"},
			{"bind 198.18.0.1", "A@10SR"},
			{"mac A", "@10/10S"},
			/* an update sent before our claim was heard, then the loss */
			{"rmac A 10.0.0.3 1", ""},
			{"rmac-del A", ""},
			{"rbind-del 198.18.0.1", ""},
			{"snapshot", "+A +A/198.18.0.1!r +A/2001:db8::1!r"},
			{"rmac A 10.0.0.3 3", "A@10.0.0.3"},
			{"moved 10 A", "+A^ +A/198.18.0.1!r^ +A/2001:db8::1!r^ A@10"},
			{"rmac A 10.0.0.3 4", "A@10.0.0.3"},
			{"rmac-del A", "A@10"}}},
	{"a higher sequence takes a claim away, a lower does not; five claims are enough",
		{{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
			{"rmac A 10.0.0.3 1", "A@10.0.0.3"},
			{"moved 10 A", "+A^ +A/198.18.0.1!r^ A@10"},
			{"moved 10 A", ""},
			{"rmac A 10.0.0.3 3", "A@10.0.0.3"},
			{"moved 10 A", "+A^ +A/198.18.0.1!r^ A@10"},
			{"snapshot", "+A^ +A/198.18.0.1!r^"},
			{"rmac A 10.0.0.4 5", "A@10.0.0.4"},
			{"moved 10 A", "+A^ +A/198.18.0.1!r^ A@10"},
			{"rmac A 10.0.0.3 7", "A@10.0.0.3"},
			{"moved 10 A", "+A^ +A/198.18.0.1!r^ A@10"},
			{"rmac A 10.0.0.3 9", "A@10.0.0.3"},
			{"moved 10 A", "+A^ +A/198.18.0.1!r^ A@10"},
			{"rmac A 10.0.0.3 11", "A@10.0.0.3"},
			{"moved 10 A", "alarm"},
			{"moved 10 A", ""},
			{"tick 181", ""},
			{"moved 10 A", "+A^ +A/198.18.0.1!r^ A@10"}}},
	{"a sticky MAC elsewhere is not claimed",
		{{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
			{"rmac A 10.0.0.3 0 sticky", "A@10.0.0.3"},
			{"moved 10 A", "alarm"},
			{"moved 10 A", ""},
			{"mac A", "@0/10S"}}},
	{"announced elsewhere before the port is there",
		{{"rmac A 10.0.0.3 0", "A@10.0.0.3"},
			{"rbind 198.18.0.1 A 10.0.0.3 I R", ""},
			{"bind 198.18.0.1", "A@0SR"},
			{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r"},
			{"bind 198.18.0.1", "A@0SR"},
			{"mac A", "@0/10S"},
			{"moved 10 A", "+A^ +A/198.18.0.1!r^ A@10"}}},
	{"several MACs: the one that speaks is answered with",
		{{"port 10 closed A,a 198.18.0.1", "+A +a A@10 a@10"},
			{"bind 198.18.0.1", "A@10SRAs"},
			{"seen 10 A", "+A/198.18.0.1!r"},
			{"seen 10 a", ""},
			{"bind 198.18.0.1", "A@10SRA"},
			{"arp 10 a 198.18.0.1", "-A/198.18.0.1 +a/198.18.0.1!r"},
			{"bind 198.18.0.1", "a@10SRA"},
			{"port 10 closed A,a,b 198.18.0.1", "+b b@10"},
			{"bind 198.18.0.1", "a@10SRA"},
			{"port 10 closed A,b 198.18.0.1", "-a/198.18.0.1 -a a@- +A/198.18.0.1!r"},
			{"bind 198.18.0.1", "A@10SRA"},
			{"port 10 closed A 198.18.0.1", "-b b@-"},
			{"bind 198.18.0.1", "A@10SR"}}},
	{"two members on one port",
		{{"port 10 closed A,a 198.18.0.1 and B 198.18.0.2", "+A +a +B +B/198.18.0.2!r A@10 a@10 B@10"},
			{"seen 10 A", "+A/198.18.0.1!r"},
			{"bind 198.18.0.1", "A@10SRA"},
			{"bind 198.18.0.2", "B@10SR"},
			{"arp 10 B 198.18.0.1", ""},
			{"bind 198.18.0.1", "A@10SRA"},
			{"port 10 closed B 198.18.0.2", "-A -a -A/198.18.0.1 A@- a@-"},
			{"port 10 closed and B 198.18.0.2 and A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
			{"bind 198.18.0.1", "A@10SR"},
			{"bind 198.18.0.2", "B@10SR"}}},
	{"addresses without a MAC are not answered for",
		{{"port 10 closed 198.18.0.1", ""},
			{"bind 198.18.0.1", ""}}},
	{"behind another PE it speaks by its other MAC",
		{{"port 10 closed A,a 198.18.0.1 down", "A@10 a@10"},
			{"rmac A 10.0.0.3 0", "A@10.0.0.3"},
			{"rmac a 10.0.0.3 0", "a@10.0.0.3"},
			{"rbind 198.18.0.1 a 10.0.0.3", ""},
			{"bind 198.18.0.1", "a@0SRA"},
			{"rbind 198.18.0.1 X 10.0.0.3", ""},
			{"bind 198.18.0.1", "A@0SRA"}}},
	{"a registered address is nobody else's",
		{{PORT_A, SAID_A},
			{"port 11 open", ""},
			{"arp 11 C 198.18.0.1", "+C C@11"},
			{"bind 198.18.0.1", "A@10SR"},
			{"rbind 198.18.0.1 R 10.0.0.3 I", ""},
			{"bind 198.18.0.1", "A@10SR"},
			{"port 12 closed B 198.18.0.1", "-17 +B B@12"},
			{"port 13 closed A 198.18.0.9", "-17 +A/198.18.0.9!r"},
			{"mac A", "@10/10Sr"}}},
	{"learned on an open port",
		{{"port 11 open", ""},
			{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
			{"bind 198.18.0.3", "C@11"},
			{"mac C", "@11/0"},
			{"na 11 C 2001:db8::3 O R", "+C/2001:db8::3r"},
			{"bind 2001:db8::3", "C@11R"},
			{"arp 11 C 198.18.0.3", ""},
			{"arp 11 D 198.18.0.3", "+D D@11 -C/198.18.0.3 +D/198.18.0.3"},
			{"bind 198.18.0.3", "D@11"},
			{"down 11", "-C -D -D/198.18.0.3 -C/2001:db8::3 C@- D@-"},
			{"bind 198.18.0.3", ""},
			{"mac C", ""},
			{"arp 11 C 198.18.0.3", ""},
			{"up 11", ""},
			{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
			{"forgotten 11 C", "-C/198.18.0.3 -C C@-"}}},
	{"what may not be learned",
		{{"port 11 open", ""},
			{"seen 11 C", "+C C@11"},
			{"arp 11 C 198.19.0.3", ""},
			{"arp 11 C 224.0.0.1", ""},
			{"arp 11 C 127.0.0.1", ""},
			{"arp 11 C 255.255.255.255", ""},
			{"na 11 C 2001:db8:1::3 O", ""},
			{"na 11 C ff02::1 O", ""},
			{"na 11 C fe80::3 O", "+C/fe80::3"},
			{"arp 11 g 198.18.0.3", ""},
			{"arp 11 0 198.18.0.3", ""},
			{"self S", "S@self"},
			{"mac S", "@5/0="},
			{"arp 11 S 198.18.0.3", ""},
			{"rbind 224.0.0.1 R 10.0.0.3", "-22"},
			{"rmac g 10.0.0.3 0", "-22"},
			{"rmac S 10.0.0.3 0", "alarm"}}},
	{"closed: link-local only, and only from its own",
		{{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
			{"na 10 A fe80::a O", "+A/fe80::a"},
			{"bind fe80::a", "A@10"},
			{"arp 10 A 198.18.0.7", ""},
			{"na 10 B fe80::b O", ""},
			{"seen 10 B", ""},
			{"port 11 closed B 198.18.0.2", "+B +B/198.18.0.2!r B@11"},
			{"na 11 B fe80::a O", ""},
			{"bind fe80::a", "A@10"},
			{"down 10", "-A -A/198.18.0.1 -A/fe80::a"},
			{"bind fe80::a", "A@10s"},
			{"up 10", "+A +A/198.18.0.1!r +A/fe80::a"}}},
	{"override: an NA without it changes nothing, but may make an entry",
		{{"port 11 open", ""},
			{"na 11 C 2001:db8::3", "+C +C/2001:db8::3 C@11"},
			{"na 11 D 2001:db8::3", "+D D@11"},
			{"bind 2001:db8::3", "C@11"},
			{"na 11 D 2001:db8::3 O", "-C/2001:db8::3 +D/2001:db8::3"},
			{"rbind 2001:db8::4 R 10.0.0.3", ""},
			{"na 11 C 2001:db8::4", ""},
			{"bind 2001:db8::4", "R@0"}}},
	{"EVPN and learned: the newer, but for an immutable one",
		{{"port 11 open", ""},
			{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
			{"rbind 198.18.0.9 R 10.0.0.3", ""},
			{"bind 198.18.0.9", "R@0"},
			{"arp 11 C 198.18.0.9", "+C C@11 +C/198.18.0.9"},
			{"bind 198.18.0.9", "C@11"},
			{"rbind 198.18.0.9 R 10.0.0.3", ""},
			{"bind 198.18.0.9", "C@11"},
			{"rbind 198.18.0.9 Q 10.0.0.3", "-C/198.18.0.9"},
			{"bind 198.18.0.9", "Q@0"},
			{"arp 11 C 198.18.0.9", "+C/198.18.0.9"},
			{"rbind 198.18.0.9 Q 10.0.0.3 I", "-C/198.18.0.9"},
			{"arp 11 C 198.18.0.9", ""},
			{"bind 198.18.0.9", "Q@0S"},
			{"rbind-del 198.18.0.9", "+C/198.18.0.9"},
			{"bind 198.18.0.9", "C@11"}}},
	{"a learned MAC moves to another PE, its address goes with it, and back",
		{{"port 11 open", ""},
			{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
			{"rmac C 10.0.0.3 1", "-C -C/198.18.0.3 C@10.0.0.3"},
			{"bind 198.18.0.3", "C@0"},
			{"mac C", "@0/0"},
			{"moved 11 C", "+C^ +C/198.18.0.3^ C@11"},
			{"bind 198.18.0.3", "C@11"},
			{"rmac-del C", ""},
			{"rmac C 10.0.0.3 3", "-C -C/198.18.0.3 C@10.0.0.3"},
			{"rmac-del C", "C@-"},
			{"bind 198.18.0.3", ""}}},
	{"from one open port to another",
		{{"port 11 open", ""},
			{"port 12 open", ""},
			{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
			{"moved 12 C", "C@12"},
			{"bind 198.18.0.3", "C@12"},
			{"arp 12 C 198.18.0.3", ""},
			{"down 11", ""},
			{"bind 198.18.0.3", "C@12"}}},
	{"ageing: asked at every third, gone at the end",
		{{"port 11 open", ""},
			{"self S", "S@self"},
			{"tick 1000", ""},
			{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
			{"tick 30", ""},
			{"tick 5", "?C/198.18.0.3"},
			{"mac C", "@11/0"},
			{"tick 25", ""},
			{"tick 10", "?C/198.18.0.3"},
			{"mac C", "@11/0r"},
			{"tick 1", ""},
			{"arp 11 C 198.18.0.3", ""},
			{"mac C", "@11/0"},
			{"tick 35", "?C/198.18.0.3"},
			{"tick 35", "?C/198.18.0.3"},
			{"seen 11 C", ""},
			{"tick 35", "-C/198.18.0.3"},
			{"bind 198.18.0.3", ""},
			{"mac C", "@11/0"},
			{"tick 101", "-C C@-"},
			{"mac C", ""}}},
	{"an open port is closed",
		{{"port 11 open", ""},
			{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
			{"arp 11 D 198.18.0.4", "+D +D/198.18.0.4 D@11"},
			{"port 11 closed C 198.18.0.3", "-D -D/198.18.0.4 D@- -C/198.18.0.3 -C C@- +C +C/198.18.0.3!r C@11"},
			{"bind 198.18.0.3", "C@11SR"},
			{"port 11 open", "-C/198.18.0.3 -C C@-"}}},
	{"the feed comes again: what is not named is gone",
		{{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
			{"rmac Q 10.0.0.4 0", "Q@10.0.0.4"},
			{"rbind 198.18.0.9 R 10.0.0.3", ""},
			{"rbind 198.18.0.8 Q 10.0.0.4", ""},
			{"mark", ""},
			{"bind 198.18.0.8", "Q@0"},
			{"rmac R 10.0.0.3 0", ""},
			{"rbind 198.18.0.9 R 10.0.0.3", ""},
			{"sweep", "Q@-"},
			{"bind 198.18.0.9", "R@0"},
			{"bind 198.18.0.8", ""},
			{"mac Q", ""}}},
	{"a registered MAC is for no open port",
		{{"reserve A", ""},
			{"port 11 open", ""},
			{"arp 11 A 198.18.0.1", ""},
			{"rmac A 10.0.0.3 0", "A@10.0.0.3"},
			{"mac A", "@0/0S"},
			{"moved 11 A", ""},
			{"rmac-del A", "A@-"},
			{"mac A", ""},
			{"seen 11 A", ""},
			{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
			{"seen 10 A", ""},
			{"noport 10", "-A -A/198.18.0.1 A@-"},
			{"seen 11 A", ""}}},
	{"an EVPN binding follows its MAC home",
		{{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
			{"rbind fe80::a A 10.0.0.3", ""},
			{"bind fe80::a", "A@10"},
			{"down 10", "-A -A/198.18.0.1"},
			{"bind fe80::a", "A@10s"},
			{"rmac A 10.0.0.3 1", "A@10.0.0.3"},
			{"bind fe80::a", "A@0"}}},
	{"restart: what works goes on working, until the feed has had its say",
		{{PORT_A, SAID_A},
			{"port 11 open", ""},
			{"port 12 closed B 198.18.0.2", "+B +B/198.18.0.2!r B@12"},
			{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
			{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
			{"rbind 198.18.0.9 R 10.0.0.3 R", ""},
			{"rmac B 10.0.0.3 2", "B@10.0.0.3"},
			{"restart", ""},
			{PORT_A, SAID_A},
			{"port 12 closed B 198.18.0.2", "+B +B/198.18.0.2!r B@?"},
			{"port 11 open", ""},
			{"adopted", "+C +C/198.18.0.3 C@11 R@?"},
			{"bind 198.18.0.1", "A@10SR"},
			{"bind 198.18.0.2", "B@0SR"},
			{"bind 198.18.0.3", "C@11"},
			{"bind 198.18.0.9", "R@0R"},
			{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
			{"sweep", "B@12"},
			{"bind 198.18.0.9", ""},
			{"bind 198.18.0.2", "B@12SR"},
			{"mac R", "@0/0"}}},
	{"restart with another registry",
		{{PORT_A, SAID_A},
			{"port 11 open", ""},
			{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
			{"restart", ""},
			{"port 10 closed B 198.18.0.1", "+B +B/198.18.0.1!r B@10"},
			{"bind 198.18.0.1", "B@10SR"},
			{"adopted", ""},
			{"bind 2001:db8::1", ""},
			{"mac A", ""},
			{"bind 198.18.0.3", ""},
			{"mac C", ""}}},
};

START_TEST(every_scenario)
{
	play(&scenarios[_i], NULL);
}
END_TEST

/* A member that speaks for many addresses fills its own share and nothing else; a full LAN says so and lives. */
START_TEST(everything_is_bounded)
{
	struct world w;
	struct binding_stats st;
	char line[64];

	world_open(&w, NULL, 40, 4);
	run(&w, "port 10 closed A 198.18.0.1");
	for (int i = 1; i <= 300; i++) {
		snprintf(line, sizeof(line), "na 10 A fe80::%x O", i);
		run(&w, line);
	}
	bindings_stats(w.b, &st);
	ck_assert_uint_eq(st.statics, 1);
	ck_assert_uint_eq(st.dynamics, 4);
	ck_assert_uint_eq(st.full, 296);

	for (int i = 1; i <= 300; i++) {
		struct binding_remote r = {.mac = {{2, 1, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}},
			.vtep = frame_ip("10.0.0.3")};
		w.count = 0;
		int x = bindings_remote_mac(w.b, &r);
		ck_assert_int_eq(x, i <= 34 ? 0 : -28);
		snprintf(line, sizeof(line), "198.18.1.%d", i & 255);
		r.ip = frame_ip(line);
		x = bindings_remote_bind(w.b, &r);
		ck_assert_int_eq(x, i <= 30 ? 0 : -28);
	}
	/* What other PEs cannot have is for who is here: an eighth of each table. */
	run(&w, "port 11 open");
	w.count = 0;
	run(&w, "arp 11 C 198.18.0.3");
	ck_assert_int_eq(w.count, 3);
	bindings_remote_mark(w.b);
	ck_assert_uint_eq(bindings_remote_sweep(w.b), 34 + 30);
	world_close(&w);
}
END_TEST

/* What an open port invents has its share of the table and no more; what it has is given back. */
START_TEST(an_open_port_has_its_share)
{
	struct world w;
	struct binding_stats st;
	struct layout_event e = {.lan = LAN, .ifindex = 11, .type = EVENT_BINDING, .family = 4, .ip = {198, 18, 2, 0}};

	world_open(&w, NULL, 40, 4);
	run(&w, "port 11 open");
	run(&w, "port 12 open");
	for (int round = 0; round < 3; round++) {
		for (uint8_t i = 1; i <= 200; i++) {
			memcpy(e.mac, (uint8_t[6]){2, 6, 6, 6, (uint8_t)round, i}, 6);
			e.ip[3] = i;
			w.count = 0;
			bindings_event(w.b, &e, w.now_ms);
		}
		bindings_stats(w.b, &st);
		/* and C of the other port, until it ages */
		ck_assert_uint_eq(st.macs_learned - (round == 1), 10);
		ck_assert_uint_eq(st.dynamics - (round == 1), 10);
		ck_assert_uint_eq(st.full, 190 * (unsigned)(round + 1));
		run(&w, "arp 12 C 198.18.0.3");
		run(&w, "rmac R 10.0.0.3 0");
		run(&w, "rbind 198.18.0.9 R 10.0.0.3");
		run(&w, "bind 198.18.0.3");
		ck_assert_int_eq(w.count, 1);
		run(&w, "bind 198.18.0.9");
		ck_assert_int_eq(w.count, 1);
		w.count = 0;
		if (round == 0) {
			run(&w, "down 11");
			w.count = 0;
			run(&w, "up 11");
		} else {
			for (int i = 0; i < 3; i++, w.count = 0)
				run(&w, "tick 101");
		}
		bindings_stats(w.b, &st);
		ck_assert_uint_le(st.macs_learned, 1);
	}
	world_close(&w);
}
END_TEST

/* A restart changes nothing of what is right, not even for a moment. */
static unsigned writes;

static int count_bind4(struct plane *p, const struct layout_key4 *k, const struct layout_bind *v)
{
	writes++;
	return plane_null.bind4_set(p, k, v);
}

static int count_mac(struct plane *p, const struct layout_mac_key *k, const struct layout_mac *v)
{
	writes++;
	return plane_null.mac_set(p, k, v);
}

START_TEST(restart_writes_nothing)
{
	struct plane_ops ops = plane_null;
	struct world w;

	world_open(&w, NULL, 40, 4);
	ops.bind4_set = count_bind4;
	ops.mac_set = count_mac;
	w.hooks.ops = &ops;
	run(&w, "port 10 closed A 198.18.0.1");
	run(&w, "port 11 closed B 198.18.0.2 down");
	writes = 0;
	run(&w, "restart");
	run(&w, "port 10 closed A 198.18.0.1");
	run(&w, "port 11 closed B 198.18.0.2 down");
	run(&w, "adopted");
	ck_assert_uint_eq(writes, 0);
	world_close(&w);
}
END_TEST

/* A plane that refuses is tried again. */
static int refuse4(struct plane *p, const struct layout_key4 *k, const struct layout_bind *v)
{
	(void)p;
	(void)k;
	(void)v;
	return -28;
}

START_TEST(plane_is_full_for_a_while)
{
	struct plane_ops ops = plane_null;
	struct world w;
	struct binding_stats st;

	world_open(&w, NULL, 40, 4);
	bindings_free(w.b);
	ops.bind4_set = refuse4;
	w.hooks.ops = &ops;
	open_books(&w);
	run(&w, "port 10 closed A 198.18.0.1");
	bindings_stats(w.b, &st);
	ck_assert_uint_gt(st.plane_errors, 0);
	run(&w, "bind 198.18.0.1");
	ck_assert_int_eq(w.count, 0);
	ops.bind4_set = plane_null.bind4_set;
	struct world *same = &w;
	bindings_free(same->b);
	open_books(&w);
	run(&w, "port 10 closed A 198.18.0.1");
	run(&w, "tick 1");
	run(&w, "bind 198.18.0.1");
	ck_assert_int_eq(w.count, 1);
	world_close(&w);
}
END_TEST

static void count_view(void *arg, const struct binding_view *v)
{
	int *n = arg;

	ck_assert_int_ne(v->source, SOURCE_NONE);
	n[v->source]++;
	if (v->source == SOURCE_EVPN) {
		ck_assert_int_eq(v->place, PLACE_REMOTE);
		ck_assert_int_eq(v->vtep.family, 4);
	}
}

START_TEST(views)
{
	struct world w;
	int ips[4] = {0}, macs[4] = {0};

	world_open(&w, NULL, 40, 4);
	run(&w, PORT_A);
	run(&w, "port 11 open");
	run(&w, "arp 11 C 198.18.0.3");
	run(&w, "rmac R 10.0.0.3 0");
	run(&w, "rbind 198.18.0.9 R 10.0.0.3");
	run(&w, "rbind 198.18.0.8 Q 10.0.0.4");
	bindings_each(w.b, count_view, ips);
	ck_assert(ips[SOURCE_STATIC] == 2 && ips[SOURCE_DYNAMIC] == 1 && ips[SOURCE_EVPN] == 2);
	bindings_each_mac(w.b, count_view, macs);
	ck_assert(macs[SOURCE_STATIC] == 1 && macs[SOURCE_DYNAMIC] == 1 && macs[SOURCE_EVPN] == 1);
	world_close(&w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("binding");
	TCase *c = tcase_create("books");

	tcase_add_loop_test(c, every_scenario, 0, (int)(sizeof(scenarios) / sizeof(scenarios[0])));
	tcase_add_test(c, everything_is_bounded);
	tcase_add_test(c, restart_writes_nothing);
	tcase_add_test(c, an_open_port_has_its_share);
	tcase_add_test(c, plane_is_full_for_a_while);
	tcase_add_test(c, views);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
