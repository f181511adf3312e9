/* RFC 9161 section 3.7: one address, two hosts. See books.h for the words. */
#include "books.h"

#define M 180
#define CONFIRM 30
#define HOLD 540

#define DUPLICATE                                                                                  \
	.duplicate = {.action = DUPLICATE_IP_FREEZE,                                               \
		.moves = 5,                                                                        \
		.window_sec = M,                                                                   \
		.confirm_sec = CONFIRM,                                                            \
		.hold_down_sec = HOLD}

/* Nothing ages here. */
static const struct binding_config plain = {.age_sec = 100000, .na_new = true, DUPLICATE};
static const struct binding_config anycast = {.age_sec = 100000, .anycast = true, DUPLICATE};
static const struct binding_config as_mac = {.age_sec = 100000,
	.duplicate = {.action = DUPLICATE_IP_FREEZE,
		.moves = 2,
		.window_sec = M,
		.hold_down_sec = HOLD,
		.as_mac = {{2, 0, 0, 0, 0, 'Z'}}}};
static const struct binding_config no_confirm = {.age_sec = 100000,
	.duplicate = {.action = DUPLICATE_IP_FREEZE, .moves = 3, .window_sec = M}};
static const struct binding_config alarm_only = {.age_sec = 100000,
	.duplicate = {.action = DUPLICATE_IP_ALARM, .moves = 3, .window_sec = M}};

#define TWO_PORTS {"port 11 open", ""}, {"port 12 open", ""}, {"self S", "S@self"}, {"tick 1000", ""}
#define C_HAS {"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"}
#define D_CLAIMS {"arp 12 D 198.18.0.3", "+D D@12 ?C/198.18.0.3"}

static const struct {
	const struct binding_config *config;
	struct scenario s;
} scenarios[] = {
	{&plain,
		{"Confirm: the former owner is silent, the new one has it",
			{TWO_PORTS, C_HAS, D_CLAIMS,
				{"bind 198.18.0.3", "C@11"},
				{"arp 12 D 198.18.0.3", ""},
				{"tick 1", ""},
				{"tick 2", "?C/198.18.0.3"},
				{"tick 5", ""},
				{"tick 4", "?C/198.18.0.3"},
				{"tick 17", ""},
				{"bind 198.18.0.3", "C@11"},
				{"tick 2", "-C/198.18.0.3 +D/198.18.0.3"},
				{"bind 198.18.0.3", "D@12"},
				{"tick 200", ""},
				{"arp 12 D 198.18.0.3", ""}}}},
	{&plain,
		{"Confirm: the owner answers, the forger does not: nothing moves, nothing is frozen",
			{TWO_PORTS, C_HAS, D_CLAIMS,
				{"arp 11 C 198.18.0.3", "?D/198.18.0.3 alarm"},
				{"bind 198.18.0.3", "C@11"},
				{"tick 31", ""},
				{"bind 198.18.0.3", "C@11"},
				{"arp 12 D 198.18.0.3", "?C/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "?D/198.18.0.3 alarm"},
				{"tick 31", ""},
				{"arp 12 D 198.18.0.3", "?C/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "?D/198.18.0.3 alarm"},
				{"tick 31", ""},
				{"arp 12 D 198.18.0.3", "?C/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "?D/198.18.0.3 alarm"},
				{"tick 31", ""},
				{"bind 198.18.0.3", "C@11"}}}},
	{&plain,
		{"a third claims it meanwhile: the owner's time runs on, and the second has it",
			{TWO_PORTS, {"port 13 open", ""}, C_HAS, D_CLAIMS,
				{"tick 20", "?C/198.18.0.3"},
				{"arp 13 E 198.18.0.3", "+E E@13"},
				{"tick 9", "?C/198.18.0.3"},
				{"tick 2", "-C/198.18.0.3 +D/198.18.0.3"},
				{"bind 198.18.0.3", "D@12"}}}},
	{&plain,
		{"another PE's host claims it meanwhile: it has it when the owner's time is over",
			{TWO_PORTS, C_HAS, D_CLAIMS,
				{"tick 20", "?C/198.18.0.3"},
				{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
				{"rbind 198.18.0.3 R 10.0.0.3", ""},
				{"tick 11", "-C/198.18.0.3"},
				{"bind 198.18.0.3", "R@0"}}}},
	{&plain,
		{"both answer: five moves in 180 s, frozen; clear by hold-down",
			{TWO_PORTS, C_HAS, D_CLAIMS,
				{"arp 11 C 198.18.0.3", "?D/198.18.0.3 alarm"},
				{"arp 12 D 198.18.0.3", "?C/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "?D/198.18.0.3"},
				{"arp 12 D 198.18.0.3", "?C/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "?D/198.18.0.3"},
				{"arp 12 D 198.18.0.3", "?C/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "?D/198.18.0.3"},
				{"arp 12 D 198.18.0.3", "?C/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "?D/198.18.0.3"},
				{"arp 12 D 198.18.0.3", "alarm -C/198.18.0.3"},
				{"bind 198.18.0.3", "C@11s"},
				{"arp 12 D 198.18.0.3", ""},
				{"arp 11 C 198.18.0.3", ""},
				{"tick 539", ""},
				{"bind 198.18.0.3", "C@11s"},
				{"tick 2", "+C/198.18.0.3"},
				{"bind 198.18.0.3", "C@11"},
				{"arp 12 D 198.18.0.3", "?C/198.18.0.3"}}}},
	{&no_confirm,
		{"without Confirm each claim is a move; cleared by the operator",
			{TWO_PORTS, C_HAS,
				{"clear 198.18.0.3", "-2"},
				{"arp 12 D 198.18.0.3", "+D D@12 -C/198.18.0.3 +D/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "-D/198.18.0.3 +C/198.18.0.3"},
				{"arp 12 D 198.18.0.3", "alarm -C/198.18.0.3"},
				{"bind 198.18.0.3", "C@11s"},
				{"tick 90000", "?C/198.18.0.3"},
				{"bind 198.18.0.3", "C@11s"},
				{"clear 198.18.0.3", "+C/198.18.0.3"},
				{"clear 198.18.0.3", "-2"},
				{"bind 198.18.0.3", "C@11"}}}},
	{&no_confirm,
		{"the window: moves that are old do not count",
			{TWO_PORTS, C_HAS,
				{"arp 12 D 198.18.0.3", "+D D@12 -C/198.18.0.3 +D/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "-D/198.18.0.3 +C/198.18.0.3"},
				{"tick 181", ""},
				{"arp 12 D 198.18.0.3", "-C/198.18.0.3 +D/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "-D/198.18.0.3 +C/198.18.0.3"},
				{"bind 198.18.0.3", "C@11"}}}},
	{&no_confirm,
		{"frozen: the registry and an immutable route overrule it, learned routes do not",
			{TWO_PORTS, C_HAS,
				{"arp 12 D 198.18.0.3", "+D D@12 -C/198.18.0.3 +D/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "-D/198.18.0.3 +C/198.18.0.3"},
				{"arp 12 D 198.18.0.3", "alarm -C/198.18.0.3"},
				{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
				{"rbind 198.18.0.3 R 10.0.0.3", ""},
				{"bind 198.18.0.3", "C@11s"},
				{"rmac Q 10.0.0.3 0", "Q@10.0.0.3"},
				{"rbind 198.18.0.3 Q 10.0.0.3 I", ""},
				{"bind 198.18.0.3", "Q@0S"},
				{"port 13 closed B 198.18.0.3", "+B +B/198.18.0.3!r B@13"},
				{"bind 198.18.0.3", "B@13SR"}}}},
	{&no_confirm,
		{"static entries and immutable routes are not subject to it",
			{TWO_PORTS,
				{"port 13 closed B 198.18.0.2", "+B +B/198.18.0.2!r B@13"},
				{"rmac Q 10.0.0.3 0", "Q@10.0.0.3"},
				{"rbind 198.18.0.4 Q 10.0.0.3 I", ""},
				{"arp 11 C 198.18.0.2", "+C C@11"},
				{"arp 12 D 198.18.0.2", "+D D@12"},
				{"arp 11 C 198.18.0.2", ""},
				{"arp 11 C 198.18.0.4", ""},
				{"arp 12 D 198.18.0.4", ""},
				{"arp 11 C 198.18.0.4", ""},
				{"rbind 198.18.0.2 R 10.0.0.4", ""},
				{"bind 198.18.0.2", "B@13SR"},
				{"bind 198.18.0.4", "Q@0S"}}}},
	{&alarm_only,
		{"alarm: told, and nothing else",
			{TWO_PORTS, C_HAS,
				{"arp 12 D 198.18.0.3", "+D D@12 -C/198.18.0.3 +D/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "-D/198.18.0.3 +C/198.18.0.3"},
				{"arp 12 D 198.18.0.3", "alarm -C/198.18.0.3 +D/198.18.0.3"},
				{"bind 198.18.0.3", "D@12"}}}},
	{&as_mac,
		{"anti-spoofing MAC: quelld and members are told, and it is a trap; no probe is answered",
			{TWO_PORTS,
				{"mac Z", "@0/0t"},
				{"port 13 open", ""},
				C_HAS,
				{"arp 12 D 198.18.0.3", "+D D@12 -C/198.18.0.3 +D/198.18.0.3"},
				{"arp 11 C 198.18.0.3", "-D/198.18.0.3 +Z/198.18.0.3!r alarm 11!Z/198.18.0.3 13!Z/198.18.0.3"},
				{"bind 198.18.0.3", "Z@0RP"},
				{"snapshot", "+C +D +Z/198.18.0.3!r"},
				{"tick 540", "-Z/198.18.0.3 +D/198.18.0.3 life:D/198.18.0.3"},
				{"bind 198.18.0.3", "D@12"}}}},
	{&as_mac,
		{"anti-spoofing MAC of another PE: the same trap",
			{{"rmac Z 10.0.0.3 0", ""},
				{"rbind 198.18.0.3 Z 10.0.0.3 I", ""},
				{"bind 198.18.0.3", "Z@0SP"},
				{"port 11 open", ""},
				{"arp 11 C 198.18.0.3", "+C C@11"},
				{"bind 198.18.0.3", "Z@0SP"},
				{"seen 11 Z", ""}}}},
	{&plain,
		{"NA without O is no claim",
			{TWO_PORTS,
				{"na 11 C 2001:db8::3 O", "+C +C/2001:db8::3 C@11"},
				{"na 12 D 2001:db8::3", "+D D@12"},
				{"tick 31", ""},
				{"bind 2001:db8::3", "C@11"},
				{"na 12 D 2001:db8::3 O", "?C/2001:db8::3"}}}},
	{&anycast,
		{"anycast: no detection, for IPv6",
			{TWO_PORTS,
				{"na 11 C 2001:db8::3", "+C +C/2001:db8::3 no-override C@11"},
				{"bind 2001:db8::3", "C@11-"},
				{"na 12 D 2001:db8::3 O", "+D D@12 -C/2001:db8::3 +D/2001:db8::3"},
				{"na 11 C 2001:db8::3 O", "-D/2001:db8::3 +C/2001:db8::3"},
				{"na 12 D 2001:db8::3 O", "-C/2001:db8::3 +D/2001:db8::3"},
				{"na 11 C 2001:db8::3 O", "-D/2001:db8::3 +C/2001:db8::3"},
				{"na 12 D 2001:db8::3 O", "-C/2001:db8::3 +D/2001:db8::3"},
				{"bind 2001:db8::3", "D@12"}}}},
	{&plain,
		{"another PE claims it: its former owner here is asked, and answers",
			{TWO_PORTS, C_HAS,
				{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
				{"rbind 198.18.0.3 R 10.0.0.3", "?C/198.18.0.3"},
				{"bind 198.18.0.3", "C@11"},
				{"arp 11 C 198.18.0.3", "alarm"},
				{"tick 31", ""},
				{"bind 198.18.0.3", "C@11"}}}},
	{&plain,
		{"another PE claims it: its former owner here is gone",
			{TWO_PORTS, C_HAS,
				{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
				{"rbind 198.18.0.3 R 10.0.0.3", "?C/198.18.0.3"},
				{"tick 31", "-C/198.18.0.3"},
				{"bind 198.18.0.3", "R@0"}}}},
	{&plain,
		{"another PE claims it, and thinks better of it",
			{TWO_PORTS, C_HAS,
				{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
				{"rbind 198.18.0.3 R 10.0.0.3", "?C/198.18.0.3"},
				{"rbind-del 198.18.0.3", ""},
				{"tick 31", ""},
				{"bind 198.18.0.3", "C@11"}}}},
	{&plain,
		{"what another PE has is taken at once: that PE asks",
			{TWO_PORTS,
				{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
				{"rbind 198.18.0.3 R 10.0.0.3", ""},
				{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
				{"bind 198.18.0.3", "C@11"}}}},
	{&plain,
		{"the owner's port goes down while he is asked",
			{TWO_PORTS, C_HAS, D_CLAIMS,
				{"down 11", "-C/198.18.0.3 -C C@-"},
				{"tick 1", "+D/198.18.0.3"},
				{"bind 198.18.0.3", "D@12"}}}},
	{&plain,
		{"two MACs of one registered port: the one that is silent is left, and that is one move",
			{TWO_PORTS,
				{"port 13 closed A,B 198.18.0.9", "+A +B A@13 B@13"},
				{"na 13 A fe80::3 O", "+A/fe80::3 +A/198.18.0.9!r"},
				{"na 13 B fe80::3 O", "?A/fe80::3"},
				{"tick 31", "-A/fe80::3 +B/fe80::3"},
				{"bind fe80::3", "B@13"}}}},
	{&plain,
		{"the rival's port goes down",
			{TWO_PORTS, C_HAS, D_CLAIMS,
				{"down 12", "-D D@-"},
				{"tick 31", ""},
				{"bind 198.18.0.3", "C@11"}}}},
	{&plain,
		{"one MAC that moves between ports is no duplicate",
			{TWO_PORTS, C_HAS,
				{"arp 12 C 198.18.0.3", "C@12"},
				{"arp 11 C 198.18.0.3", "C@11"},
				{"arp 12 C 198.18.0.3", "C@12"},
				{"bind 198.18.0.3", "C@12"}}}},
};

START_TEST(every_scenario)
{
	play(&scenarios[_i].s, scenarios[_i].config);
}
END_TEST

/* However many addresses are claimed, the watch over them has a limit. */
START_TEST(bounded)
{
	struct world w;
	struct binding_stats st;
	char line[64];

	world_open(&w, &no_confirm, 64, 0);
	run(&w, "port 11 open");
	run(&w, "port 12 open");
	run(&w, "tick 1000");
	for (int i = 1; i <= 16; i++) {
		snprintf(line, sizeof(line), "arp 11 C 198.18.0.%d", i);
		run(&w, line);
	}
	for (int round = 0; round < 40; round++)
		for (int i = 1; i <= 16; i++) {
			snprintf(line, sizeof(line), "arp %s 198.18.0.%d", round & 1 ? "11 C" : "12 D", i);
			run(&w, line);
		}
	bindings_stats(w.b, &st);
	ck_assert_uint_eq(st.duplicates, 16);
	ck_assert_uint_eq(st.duplicates_found, 16);
	ck_assert_uint_eq(st.ip_moves, 3 * 16);
	for (int i = 1; i <= 16; i++)
		ck_assert_int_eq(bindings_clear_duplicate(w.b, frame_ip((snprintf(line, sizeof(line), "198.18.0.%d", i), line))), 0);
	bindings_stats(w.b, &st);
	ck_assert_uint_eq(st.duplicates, 0);
	world_close(&w);
}
END_TEST

/* Two that quarrel over many addresses of their own take nobody else's without a question. */
START_TEST(no_way_around)
{
	struct world w;
	char line[64];

	world_open(&w, &plain, 64, 0);
	run(&w, "port 11 open");
	run(&w, "port 12 open");
	run(&w, "port 13 open");
	run(&w, "self S");
	run(&w, "tick 1000");
	run(&w, "arp 13 E 198.18.0.99");
	for (int i = 1; i <= 16; i++) {
		snprintf(line, sizeof(line), "arp 11 C 198.18.0.%d", i);
		run(&w, line);
	}
	for (int i = 1; i <= 16; i++) {
		snprintf(line, sizeof(line), "arp 12 D 198.18.0.%d", i);
		run(&w, line);
	}
	run(&w, "arp 12 D 198.18.0.99");
	run(&w, "bind 198.18.0.99");
	ck_assert_str_eq(w.words[w.count - 1], "E@13");
	world_close(&w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("duplicate");
	TCase *c = tcase_create("addresses");

	tcase_add_loop_test(c, every_scenario, 0, (int)(sizeof(scenarios) / sizeof(scenarios[0])));
	tcase_add_test(c, bounded);
	tcase_add_test(c, no_way_around);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
