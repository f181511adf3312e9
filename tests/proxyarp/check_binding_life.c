/* Who is there, and since when: addresses of several MACs, owners that are dead, ageing and refresh, the sponge's addresses,
 * what members are told. See books.h for the words. */
#include "books.h"

#define LIST "port 10 closed A,a 198.18.0.1,2001:db8::1"
#define SPONGE {{2, 0, 0, 0, 0, 'Z'}}

static const struct binding_config by_rfc = {.age_sec = 100};
static const struct binding_config first_of_list = {.age_sec = 100, .mac_list_first = true};
static const struct binding_config dead_answer = {.age_sec = 100, .dead = {.policy = DEAD_ANSWER}};
static const struct binding_config dead_silent = {.age_sec = 100, .dead = {.policy = DEAD_SILENT, .after_ms = 60000}};
static const struct binding_config dead_sponge = {
	.age_sec = 100, .dead = {.policy = DEAD_SPONGE, .after_ms = 60000, .mac = SPONGE}};
static const struct binding_config half = {.age_sec = 100, .refresh_sec = 50};
static const struct binding_config na_new = {.age_sec = 100, .na_new = true};
static const struct binding_config anycast = {.age_sec = 100, .anycast = true};
static const struct binding_config changes = {.age_sec = 100, .announce = {.on = ANNOUNCE_CHANGES}};
static const struct binding_config all = {.age_sec = 100, .announce = {.on = ANNOUNCE_ALL}};

static const struct {
	const struct binding_config *config;
	struct scenario s;
} scenarios[] = {
	/* --- several MACs --- */
	{&by_rfc,
		{"MAC list: nothing is answered or announced until a frame of a listed MAC",
			{{LIST, "+A +a A@10 a@10"},
				{"bind 198.18.0.1", "A@10SRAs"},
				{"mac A", "@10/10Sr"},
				{"mac a", "@10/10Sr"},
				{"seen 10 X", ""},
				{"bind 198.18.0.1", "A@10SRAs"},
				{"seen 10 a", "+a/198.18.0.1!r +a/2001:db8::1!r"},
				{"bind 198.18.0.1", "a@10SRA"},
				{"bind 2001:db8::1", "a@10SRA"},
				{"snapshot", "+A +a +a/198.18.0.1!r +a/2001:db8::1!r"}}}},
	{&by_rfc,
		{"T14: any frame activates, not only ARP",
			{{LIST, "+A +a A@10 a@10"}, {"seen 10 A", "+A/198.18.0.1!r +A/2001:db8::1!r"}}}},
	{&by_rfc,
		{"LAG: frames of both MACs, only ARP and NA change whose it is",
			{{LIST, "+A +a A@10 a@10"},
				{"seen 10 A", "+A/198.18.0.1!r +A/2001:db8::1!r"},
				{"seen 10 a", ""},
				{"seen 10 A", ""},
				{"bind 198.18.0.1", "A@10SRA"},
				{"arp 10 a 198.18.0.1", "-A/198.18.0.1 +a/198.18.0.1!r"},
				{"bind 2001:db8::1", "A@10SRA"},
				{"seen 10 A", ""},
				{"bind 198.18.0.1", "a@10SRA"},
				{"na 10 a 2001:db8::1 R O", "-A/2001:db8::1 +a/2001:db8::1!r"}}}},
	{&by_rfc,
		{"router swap: the new MAC beside the old one, cable to the new, old MAC out of the registry",
			{{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
				{"seen 10 A", ""},
				{"port 10 closed A,a 198.18.0.1", "+a a@10"},
				{"bind 198.18.0.1", "A@10SRA"},
				{"down 10", "-A -a -A/198.18.0.1"},
				{"up 10", "+A +a"},
				{"bind 198.18.0.1", "A@10SRAs"},
				{"seen 10 a", "+a/198.18.0.1!r"},
				{"bind 198.18.0.1", "a@10SRA"},
				{"port 10 closed a 198.18.0.1", "-A A@-"},
				{"bind 198.18.0.1", "a@10SR"}}}},
	{&by_rfc,
		{"former MAC: it has the address until the new one is heard, and cannot take it back from it",
			{{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
				{"seen 10 A", ""},
				{"port 10 closed a former A 198.18.0.1", "+a a@10"},
				{"bind 198.18.0.1", "A@10SRA"},
				{"arp 10 A 198.18.0.1", ""},
				{"seen 10 a", "-A/198.18.0.1 +a/198.18.0.1!r"},
				{"bind 198.18.0.1", "a@10SRA"},
				{"seen 10 A", ""},
				{"arp 10 A 198.18.0.1", ""},
				{"bind 198.18.0.1", "a@10SRA"},
				{"port 10 closed a 198.18.0.1", "-A A@-"},
				{"bind 198.18.0.1", "a@10SR"}}}},
	{&by_rfc,
		{"former MAC: the old router is put back, and the new one after all",
			{{"port 10 closed a former A 198.18.0.1", "+a +A a@10 A@10"},
				{"seen 10 a", "+a/198.18.0.1!r"},
				{"down 10", "-a -A -a/198.18.0.1"},
				{"up 10", "+a +A"},
				{"seen 10 A", "+A/198.18.0.1!r"},
				{"arp 10 A 198.18.0.1", ""},
				{"bind 198.18.0.1", "A@10SRA"},
				{"seen 10 a", "-A/198.18.0.1 +a/198.18.0.1!r"}}}},
	{&by_rfc,
		{"former MAC: of two current ones who speaks has the address, as ever",
			{{"port 10 closed A,a former B 198.18.0.1", "+A +a +B A@10 a@10 B@10"},
				{"seen 10 B", "+B/198.18.0.1!r"},
				{"seen 10 a", "-B/198.18.0.1 +a/198.18.0.1!r"},
				{"seen 10 A", ""},
				{"arp 10 A 198.18.0.1", "-a/198.18.0.1 +A/198.18.0.1!r"},
				{"arp 10 B 198.18.0.1", ""}}}},
	{&first_of_list,
		{"former MAC, first: the new one until the old one speaks",
			{{"port 10 closed a former A 198.18.0.1", "+a +A +a/198.18.0.1!r a@10 A@10"},
				{"seen 10 A", ""},
				{"arp 10 A 198.18.0.1", "-a/198.18.0.1 +A/198.18.0.1!r"},
				{"seen 10 a", "-A/198.18.0.1 +a/198.18.0.1!r"},
				{"arp 10 A 198.18.0.1", ""}}}},
	{&by_rfc,
		{"MAC list: the active MAC outlives the agent",
			{{LIST, "+A +a A@10 a@10"},
				{"seen 10 a", "+a/198.18.0.1!r +a/2001:db8::1!r"},
				{"restart", ""},
				{LIST, "+A +a A@10 a@10 +a/198.18.0.1!r +a/2001:db8::1!r"},
				{"bind 198.18.0.1", "a@10SRA"},
				{"adopted", ""}}}},
	{&first_of_list,
		{"MAC list, first: the first of the list until another speaks",
			{{LIST, "+A +a +A/198.18.0.1!r +A/2001:db8::1!r A@10 a@10"},
				{"bind 198.18.0.1", "A@10SRA"},
				{"seen 10 a", ""},
				{"bind 198.18.0.1", "A@10SRA"},
				{"arp 10 a 198.18.0.1", "-A/198.18.0.1 +a/198.18.0.1!r"}}}},
	/* --- the registry's flags --- */
	{&by_rfc,
		{"static: R from the registry, O always; hosts of the exchange",
			{{"port 10 closed A host 2001:db8::1", "+A +A/2001:db8::1! A@10"},
				{"bind 2001:db8::1", "A@10S"},
				{"port 11 closed B exchange 198.18.0.2", "+B +B/198.18.0.2!r B@11"},
				{"bind 198.18.0.2", "B@11SRx"},
				{"exchange 198.18.0.9", ""},
				{"rbind 198.18.0.9 R 10.0.0.3", ""},
				{"bind 198.18.0.9", "R@0x"}}}},
	/* --- dead members --- */
	{&by_rfc,
		{"dead, by default: silent while its port is down, and who asks is told",
			{{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
				{"down 10", "-A -A/198.18.0.1"},
				{"bind 198.18.0.1", "A@10SRsw"},
				{"up 10", "+A +A/198.18.0.1!r"},
				{"bind 198.18.0.1", "A@10SR"},
				{"tick 100000", ""},
				{"bind 198.18.0.1", "A@10SR"}}}},
	{&dead_answer,
		{"dead, answer: its port is down, its neighbours keep their entries",
			{{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
				{"down 10", "-A -A/198.18.0.1"},
				{"bind 198.18.0.1", "A@10SRw"}}}},
	{&dead_silent,
		{"dead, silent: not heard for so long; any frame of it ends that",
			{{"tick 1000", ""},
				{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
				{"seen 10 A", ""},
				{"tick 31", ""},
				{"mac A", "@10/10Sr"},
				{"tick 30", "-A/198.18.0.1"},
				{"bind 198.18.0.1", "A@10SRsw"},
				{"seen 10 A", "+A/198.18.0.1!r"},
				{"bind 198.18.0.1", "A@10SR"}}}},
	{&dead_sponge,
		{"dead, sponge: answered with the sponge's MAC; its owner's word ends that",
			{{"tick 1000", ""},
				{"mac Z", "@0/0t"},
				{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
				{"tick 61", "-A/198.18.0.1"},
				{"bind 198.18.0.1", "Z@10SRPw"},
				{"spoof 10 A 198.18.0.1", "+A/198.18.0.1!r life:A/198.18.0.1"},
				{"bind 198.18.0.1", "A@10SR"},
				{"down 10", "-A -A/198.18.0.1"},
				{"bind 198.18.0.1", "Z@10SRPw"},
				{"up 10", "+A +A/198.18.0.1!r life:A/198.18.0.1"}}}},
	{&dead_sponge,
		{"dead: behind another PE it is not dead",
			{{"tick 1000", ""},
				{"port 10 closed A 198.18.0.1 down", "A@10"},
				{"bind 198.18.0.1", "Z@10SRPw"},
				{"rmac A 10.0.0.3 0", "A@10.0.0.3 life:A/198.18.0.1"},
				{"bind 198.18.0.1", "A@0SR"}}}},
	/* --- ageing and refresh --- */
	{&half,
		{"refresh at the configured period, to the owner alone, not for static or EVPN entries",
			{{"port 11 open", ""},
				{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
				{"self S", "S@self"},
				{"tick 1000", ""},
				{"rbind 198.18.0.9 R 10.0.0.3", ""},
				{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
				{"tick 45", ""},
				{"tick 10", "?C/198.18.0.3"},
				{"tick 40", ""},
				{"arp 11 C 198.18.0.3", ""},
				{"tick 45", ""},
				{"tick 10", "?C/198.18.0.3"},
				{"tick 46", "-C/198.18.0.3 -C C@-"}}}},
	{&by_rfc,
		{"the reply keeps the MAC too: both ages begin anew",
			{{"port 11 open", ""},
				{"tick 1000", ""},
				{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
				{"tick 95", ""},
				{"arp 11 C 198.18.0.3", ""},
				{"tick 95", ""},
				{"mac C", "@11/0r"},
				{"bind 198.18.0.3", "C@11"},
				{"tick 6", "-C/198.18.0.3 -C C@-"}}}},
	/* --- NA --- */
	{&by_rfc,
		{"NA without O makes no entry (RFC 9161)",
			{{"port 11 open", ""},
				{"na 11 C 2001:db8::3", "+C C@11"},
				{"bind 2001:db8::3", ""},
				{"na 11 C 2001:db8::3 O", "+C/2001:db8::3"},
				{"na 11 C 2001:db8::3 R", "+C/2001:db8::3r"}}}},
	{&na_new,
		{"T8: NA without O may make an entry where there is none (RFC 9131)",
			{{"port 11 open", ""},
				{"port 12 open", ""},
				{"na 11 C 2001:db8::3", "+C C@11 +C/2001:db8::3"},
				{"bind 2001:db8::3", "C@11"},
				{"na 12 D 2001:db8::3", "+D D@12"},
				{"bind 2001:db8::3", "C@11"}}}},
	{&anycast,
		{"T2: O is not set only where any address may be anycast",
			{{"port 11 open", ""},
				{"na 11 C 2001:db8::3", "+C C@11 +C/2001:db8::3 no-override"},
				{"bind 2001:db8::3", "C@11-"},
				{"na 11 C 2001:db8::3 O", "+C/2001:db8::3"},
				{"bind 2001:db8::3", "C@11"}}}},
	/* --- RFC 9047 --- */
	{&by_rfc,
		{"T9: a static binding here stands against an immutable one of another PE",
			{{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
				{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
				{"rbind 198.18.0.1 R 10.0.0.3 I", ""},
				{"bind 198.18.0.1", "A@10SR"},
				{"snapshot", "+A +A/198.18.0.1!r"}}}},
	{&by_rfc,
		{"T10: a binding of another PE goes, its MAC stays",
			{{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
				{"rbind 198.18.0.9 R 10.0.0.3", ""},
				{"rbind-del 198.18.0.9", ""},
				{"bind 198.18.0.9", ""},
				{"mac R", "@0/0"}}}},
	/* --- the sponge --- */
	{&by_rfc,
		{"sponge: nobody's address, until somebody has it",
			{{"trap Z", "Z@trap"},
				{"sponge 198.18.0.50 Z", ""},
				{"bind 198.18.0.50", "Z@0Pw"},
				{"sponge 198.18.0.51 Z", ""},
				{"unsponge 198.18.0.51", ""},
				{"bind 198.18.0.51", ""},
				{"sponge 192.0.2.1 Z", "-22"},
				{"port 11 open", ""},
				{"arp 11 C 198.18.0.50", "+C C@11 +C/198.18.0.50 life:C/198.18.0.50"},
				{"bind 198.18.0.50", "C@11"},
				{"sponge 198.18.0.50 Z", "-17"},
				{"tick 1000", "-C -C/198.18.0.50 C@-"},
				{"bind 198.18.0.50", ""}}}},
	{&by_rfc,
		{"sponge: EVPN and the registry take an address back",
			{{"trap Z", "Z@trap"},
				{"sponge 198.18.0.50 Z", ""},
				{"sponge 198.18.0.51 Z", ""},
				{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
				{"rbind 198.18.0.50 R 10.0.0.3", "life:R/198.18.0.50"},
				{"bind 198.18.0.50", "R@0"},
				{"port 10 closed A 198.18.0.51 down", "A@10 life:A/198.18.0.51"},
				{"bind 198.18.0.51", "A@10SRsw"}}}},
	{&by_rfc,
		{"sponge: what was sponged outlives the agent; the trap too",
			{{"trap Z", "Z@trap"},
				{"sponge 198.18.0.50 Z", ""},
				{"restart", ""},
				{"trap Z", "Z@trap"},
				{"adopted", ""},
				{"bind 198.18.0.50", "Z@0Pw"},
				{"mac Z", "@0/0t"},
				{"unsponge 198.18.0.50", ""},
				{"bind 198.18.0.50", ""}}}},
	{&by_rfc,
		{"trap: nobody's MAC, and nobody gets it",
			{{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10"},
				{"trap A", "-17"},
				{"trap Z", "Z@trap"},
				{"port 11 closed Z 198.18.0.2", "-17"},
				{"port 12 open", ""},
				{"seen 12 Z", ""},
				{"rmac Z 10.0.0.3 0", ""},
				{"mac Z", "@0/0t"}}}},
	/* --- what members are told --- */
	{&changes,
		{"announce changes: a known address at another MAC, never at its owner's port",
			{{"port 11 open", ""},
				{"port 12 open", ""},
				{"port 13 closed", ""},
				{"port 14 open down", ""},
				{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
				{"arp 12 D 198.18.0.3", "+D D@12 -C/198.18.0.3 +D/198.18.0.3 11!D/198.18.0.3"},
				{"arp 12 D 198.18.0.3", ""},
				{"rmac R 10.0.0.3 0", "R@10.0.0.3"},
				{"rbind 198.18.0.3 R 10.0.0.3", "-D/198.18.0.3 11!R/198.18.0.3 12!R/198.18.0.3"},
				{"rbind 2001:db8::9 R 10.0.0.3 R", ""},
				{"rbind 2001:db8::9 Q 10.0.0.3 R", "11!Q/2001:db8::9r 12!Q/2001:db8::9r"}}}},
	{&changes,
		{"announce: not what all members have seen",
			{{"port 11 open", ""},
				{"port 12 open", ""},
				{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11"},
				{"arp 12 D 198.18.0.3 flooded", "+D D@12 -C/198.18.0.3 +D/198.18.0.3"}}}},
	{&all,
		{"announce all: new ones too, static and EVPN; again after nothing",
			{{"port 11 open", ""},
				{"port 12 open", ""},
				{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11 12!C/198.18.0.3"},
				{"rbind 198.18.0.9 R 10.0.0.3", "11!R/198.18.0.9 12!R/198.18.0.9"},
				{"rbind 198.18.0.9 R 10.0.0.3", ""},
				{"port 10 closed A 198.18.0.1", "+A +A/198.18.0.1!r A@10 11!A/198.18.0.1 12!A/198.18.0.1"},
				{"down 10", "-A -A/198.18.0.1"},
				{"up 10", "+A +A/198.18.0.1!r"}}}},
	{&all,
		{"T13: a restart of the agent tells members nothing",
			{{"port 11 open", ""},
				{"port 12 open", ""},
				{"arp 11 C 198.18.0.3", "+C +C/198.18.0.3 C@11 12!C/198.18.0.3"},
				{"restart", ""},
				{"port 11 open", ""},
				{"port 12 open", ""},
				{"adopted", "+C +C/198.18.0.3 C@11"}}}},
};

START_TEST(every_scenario)
{
	play(&scenarios[_i].s, scenarios[_i].config);
}
END_TEST

/* The sponge does not crowd out those who are there. */
START_TEST(sponge_has_its_share)
{
	struct world w;
	struct mac z = frame_mac('Z');
	struct binding_stats st;
	char line[64];
	int taken = 0;

	world_open(&w, NULL, 40, 4);
	ck_assert_int_eq(bindings_trap(w.b, z), 0);
	for (int i = 1; i <= 40; i++) {
		snprintf(line, sizeof(line), "198.18.1.%d", i);
		int r = bindings_sponge_set(w.b, frame_ip(line), z);
		ck_assert(r == 0 || r == -28);
		taken += r == 0;
	}
	ck_assert_int_eq(taken, 10);
	bindings_stats(w.b, &st);
	ck_assert_uint_eq(st.sponges, 10);
	bindings_sponge_del(w.b, frame_ip("198.18.1.1"));
	ck_assert_int_eq(bindings_sponge_set(w.b, frame_ip("198.18.1.40"), z), 0);
	world_close(&w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("binding life");
	TCase *c = tcase_create("books");

	tcase_add_loop_test(c, every_scenario, 0, (int)(sizeof(scenarios) / sizeof(scenarios[0])));
	tcase_add_test(c, sponge_has_its_share);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
