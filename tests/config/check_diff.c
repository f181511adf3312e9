/* What a reload says of two files: a line a change, with how it takes effect; and a row for every key there is. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/diff.h"
#include "config/schema.h"

static struct config *load(const char *text)
{
	char path[] = "/tmp/quell-diff-XXXXXX", err[CONFIG_ERROR_MAX] = "";
	struct config *c = NULL;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	int r = config_load(path, &c, err);
	unlink(path);
	ck_assert_msg(r == 0, "%s\n%s", err, text);
	return c;
}

/* "~ neighbor 10.99.0.2 max-routes none -> 5 (in place/not its business)" */
static void line(const struct config_change *c, char *buf, size_t cap)
{
	static const char ops[] = {'~', '+', '-'};
	const char *part = config_part_name(c->part);

	snprintf(buf, cap, "%c%s%s%s%s%s%s%s%s%s%s (%s/%s)\n", ops[c->op], *part ? " " : "", part,
		*c->name ? " " : "", c->name, c->field ? " " : "", c->field ? c->field->key : "",
		c->from ? " " : "", c->from ? c->from : "",
		c->from           ? " -> "
		: c->to && *c->to ? " "
				  : "",
		c->to ? c->to : "", config_effect_text(c->part, c->quelld),
		config_effect_text(c->part, c->agent));
}

static void expect(const char *was, const char *is, const char *lines)
{
	struct config *a = load(was), *b = load(is);
	struct config_diff d;
	char all[8192] = "";

	config_diff(a, b, &d);
	for (size_t i = 0; i < d.count; i++)
		line(&d.changes[i], all + strlen(all), sizeof(all) - strlen(all));
	ck_assert_str_eq(all, lines);
	config_diff_free(&d);
	config_free(a);
	config_free(b);
}

#define TOP "router-id: 10.99.0.1\n"
#define BGP TOP "bgp:\n  as: 65000\n"
#define NEIGHBORS BGP "  neighbors:\n"
#define AGENT(keys) TOP "lans:\n  - {name: x, vni: 1, agent: {bridge: b, vxlan: v" keys "}}\n"
#define HERE " (not its business/in place)\n"
#define RESTART " (not its business/needs a restart)\n"
#define NOBODY " (not its business/not its business)\n"
#define NO " (in place/not its business)\n"

START_TEST(nothing_changed)
{
	static const char text[] =
		NEIGHBORS "    - {address: 10.99.0.2, client: true, max-routes: 5}\n"
			  "lans:\n  - {name: ixp, vni: 100, agent: {bridge: br0, vxlan: vx0}}\n";

	expect(text, text, "");
}
END_TEST

static const struct {
	const char *was, *is, *lines;
} cases[] = {
	/* neighbours */
	{BGP, NEIGHBORS "    - {address: 10.99.0.7}\n", "+ neighbor 10.99.0.7 remote-as 65000" NO},
	{NEIGHBORS "    - {address: 10.99.0.7}\n",
		NEIGHBORS "    - {address: 2001:db8::7, client: true, hold-time: 9, name: pe7}\n",
		"- neighbor 10.99.0.7" NO
		"+ neighbor 2001:db8::7 remote-as 65000 name pe7 client true hold-time 9" NO},
	{BGP, NEIGHBORS "    - {prefix: 10.99.0.0/24, max: 9, passive: true}\n",
		"+ neighbor 10.99.0.0/24 max 9 remote-as 65000 passive true" NO},
	{NEIGHBORS "    - {address: 10.99.0.2, max-routes: 20000}\n    - {address: 10.99.0.3}\n",
		NEIGHBORS "    - {address: 10.99.0.3, hold-time: 9}\n"
			  "    - {address: 10.99.0.2, max-routes: 30000}\n",
		"~ neighbor 10.99.0.3 hold-time none -> 9 (session is reset/not its business)\n"
		"~ neighbor 10.99.0.2 max-routes 20000 -> 30000" NO},
	{NEIGHBORS "    - {address: 10.99.0.2}\n",
		NEIGHBORS
		"    - {address: 10.99.0.2, remote-as: 65001, client: true, role: rs, otc: true,"
		" add-path: both, control-communities: true, profile: conservative, ttl-security: 1,"
		" shutdown: true}\n",
		"~ neighbor 10.99.0.2 remote-as 65000 -> 65001 (removed and added/not its "
		"business)\n"
		"~ neighbor 10.99.0.2 client false -> true (removed and added/not its business)\n"
		"~ neighbor 10.99.0.2 shutdown false -> true" NO
		"~ neighbor 10.99.0.2 ttl-security none -> 1" NO
		"~ neighbor 10.99.0.2 role none -> rs (session is reset/not its business)\n"
		"~ neighbor 10.99.0.2 otc false -> true (session is reset/not its business)\n"
		"~ neighbor 10.99.0.2 add-path off -> both (session is reset/not its business)\n"
		"~ neighbor 10.99.0.2 control-communities false -> true (session is reset/not its "
		"business)\n"
		"~ neighbor 10.99.0.2 profile standard -> conservative (session is reset/not its "
		"business)\n"},
	{BGP "  import: {types: [mac-ip, 3], route-targets: ['1:2', '*:7'], max: {imet: 3}}\n"
	     "  neighbors:\n    - {address: 10.99.0.2}\n",
		BGP "  import: {vteps: [10.99.0.0/24], unknown-route-types: discard, sanity: false}\n"
		    "  neighbors:\n    - {address: 10.99.0.2, import: {types: [2, 77], max: {imet: 3}}}\n",
		"~ bgp import.types [mac-ip, imet] -> [ad, mac-ip, imet, es, ip-prefix, smet, join-sync, "
		"leave-sync]" NO "~ bgp import.route-targets [1:2, *:7] -> any" NO
		"~ bgp import.vteps any -> [10.99.0.0/24]" NO "~ bgp import.sanity true -> false" NO
		"~ bgp import.max.imet 3 -> none" NO
		"~ neighbor 10.99.0.2 import.types [mac-ip, imet] -> [mac-ip, 77]" NO
		"~ neighbor 10.99.0.2 import.route-targets [1:2, *:7] -> any" NO
		"~ neighbor 10.99.0.2 import.vteps any -> [10.99.0.0/24]" NO
		"~ neighbor 10.99.0.2 import.sanity true -> false" NO},
	/* monitoring stations */
	{BGP "  bmp:\n    - {address: 10.99.0.8}\n    - {address: 10.99.0.9}\n",
		BGP "  bmp:\n    - {address: 10.99.0.9, policy: both, stats-interval: 0}\n"
		    "    - {address: '2001:db8::9', port: 1790, name: mon, queue: 128}\n",
		"- bmp 10.99.0.8:11019" NO
		"~ bmp 10.99.0.9:11019 policy pre -> both (removed and added/not its business)\n"
		"~ bmp 10.99.0.9:11019 stats-interval 300 -> 0 (removed and added/not its business)\n"
		"+ bmp [2001:db8::9]:1790 name mon queue 128" NO},
	/* the speaker */
	{BGP, BGP "  listen: [10.99.0.1, '2001:db8::1']\n",
		"~ bgp listen [] -> [10.99.0.1, 2001:db8::1]" NO},
	{BGP, BGP "  hold-time: 9\n  restart-time: 0\n  cluster-id: 10.99.0.9\n",
		"~ bgp cluster-id 10.99.0.1 -> 10.99.0.9 (sessions are reset/not its business)\n"
		"~ bgp hold-time 90 -> 9 (sessions are reset/not its business)\n"
		"~ bgp restart-time 120 -> 0 (from the next session or start on/not its "
		"business)\n"},
	{BGP, TOP "bgp:\n  as: 65001\n  port: 1790\n",
		"~ bgp as 65000 -> 65001 (needs a restart/not its business)\n"
		"~ bgp port 179 -> 1790 (needs a restart/not its business)\n"},
	{BGP, TOP, "- bgp (needs a restart/not its business)\n"},
	/* the top */
	{TOP "log: debug\nplane: bpf\n", TOP "log: info\nplane: packet\nuser: quelld\n",
		"~ user none -> quelld (needs a restart/not its business)\n"
		"~ log debug -> info (in place/in place)\n"
		"~ plane bpf -> packet (not its business/needs a restart)\n"},
	/* LANs */
	{TOP "lans:\n  - {name: x, vni: 1, registry: [r]}\n",
		TOP "lans:\n  - {name: x, vni: 1, registry: [r], vlan: 10, fetch: {url: 'https://ixp.example.net', "
		    "key-file: k, ixf: 0.7, switches: [{name: sw1, pe: 10.99.0.1}, {name: sw2}], max-removed: 0}}\n",
		"~ lan x vlan none -> 10 (in place/not its business)\n"
		"~ lan x fetch.url none -> https://ixp.example.net" NOBODY
		"~ lan x fetch.key-file none -> k" NOBODY "~ lan x fetch.ixf 1.0 -> 0.7" NOBODY
		"~ lan x fetch.switches.name [] -> [sw1, sw2]" NOBODY
		"~ lan x fetch.switches.pe [] -> [10.99.0.1, any]" NOBODY
		"~ lan x fetch.max-removed 10 -> 0" NOBODY},
	{TOP, TOP "lans:\n  - {name: x, vni: 1, registry: [r], fetch: {url: 'https://ixp.example.net'}}\n",
		"+ lan x vni 1 registry [r] fetch.url https://ixp.example.net" NO},
	{TOP "lans:\n  - {name: x, vni: 1}\n  - {name: y, vni: 2}\n",
		TOP "lans:\n  - {name: y, vni: 2, import: ['1:2'], prefixes: [198.18.0.0/21]}\n"
		    "  - {name: z, vni: 3, agent: {bridge: b, vxlan: v, ports: [p1, p2]}}\n",
		"- lan x" NO "~ lan y import [] -> [1:2]" NO
		"~ lan y prefixes [] -> [198.18.0.0/21] (in place/not its business)\n"
		"+ lan z vni 3 (in place/needs a restart)\n"
		"+ agent z bridge b vxlan v ports [p1, p2] (in place/needs a restart)\n"},
	{TOP "lans:\n  - {name: x, vni: 1}\n",
		TOP "lans:\n  - {name: x, vni: 1, duplicate-mac: {moves: 3, recovery: 60, action: alarm}}\n",
		"~ lan x duplicate-mac.moves 5 -> 3" NO "~ lan x duplicate-mac.recovery never -> 60" NO
		"~ lan x duplicate-mac.action freeze -> alarm" NO},
	{TOP "lans:\n  - {name: x, vni: 1, agent: {bridge: b, vxlan: v}}\n",
		TOP "lans:\n  - {name: x, vni: 1, agent: {bridge: b, vxlan: v, flood: [lldp, cdp],"
		    " unknown-target: police, police: {in: 1.5 mbit}}}\n",
		"~ agent x flood [] -> [lldp, cdp] (not its business/in place)\n"
		"~ agent x unknown-target drop -> police (not its business/in place)\n"
		"~ agent x police.in 0 -> 1500 kbit (not its business/in place)\n"},
	{AGENT(""),
		AGENT(", gratuitous: flood, police: {known: 200 pps}, rules: {dhcp: off, stp: alarm}, "
		      "sponge: {sweep: 60}, quarantine: {rules: [loop, dhcp], release: 60}"),
		"~ agent x gratuitous absorb -> flood" HERE "~ agent x police.known 0 -> 200 pps" HERE
		"~ agent x rules.stp drop -> alarm" HERE "~ agent x rules.dhcp drop -> off" HERE
		"~ agent x quarantine.rules [source-mac, loop] -> [dhcp, loop]" HERE
		"~ agent x quarantine.release never -> 60" HERE "~ agent x sponge.sweep 0 -> 60" HERE},
	{AGENT(", ports: [p1]"), AGENT(", ports: [p1, p2], max-bindings: 99"),
		"~ agent x ports [p1] -> [p1, p2]" HERE "~ agent x max-bindings 16384 -> 99" RESTART},
	/* ports for which something else is said */
	{AGENT(", port-settings: [{ports: [p1, p2], dry-run: true}, {ports: [p3], rules: {dhcp: count}}]"),
		AGENT(", rules: {loop: alarm}, port-settings: [{ports: [p2], dry-run: true, rules: {loop: off}},"
		      " {ports: [p3], rules: {dhcp: off}, quarantine: true}, {ports: [p4], flood: [stp]}]"),
		"~ agent x rules.loop drop -> alarm" HERE "~ port x p1 dry-run true -> false" HERE
		"~ port x p2 rules.loop drop -> off" HERE "~ port x p3 quarantine false -> true" HERE
		"~ port x p3 rules.dhcp count -> off" HERE "~ port x p4 flood [] -> [stp]" HERE},
	{TOP "lans:\n  - {name: x, vni: 1, agent: {bridge: b, vxlan: v}}\n",
		TOP "lans:\n  - {name: x, vni: 1}\n", "- agent x (in place/needs a restart)\n"},
};

START_TEST(says_a_line_a_change)
{
	expect(cases[_i].was, cases[_i].is, cases[_i].lines);
}
END_TEST

START_TEST(a_password_is_compared_and_not_shown)
{
	char key[] = "/tmp/quell-key-XXXXXX", text[256], err[CONFIG_ERROR_MAX], want[256];
	int fd = mkstemp(key);
	struct config *a, *b;
	struct config_diff d;

	snprintf(text, sizeof(text), NEIGHBORS "    - {address: 10.99.0.2, password-file: %s}\n",
		key);
	ck_assert_int_eq(write(fd, "first\n", 6), 6);
	a = load(text);
	ck_assert_int_eq(pwrite(fd, "other\n", 6, 0), 6);
	b = load(text);
	close(fd);
	unlink(key);
	config_diff(a, b, &d);
	ck_assert_uint_eq(d.count, 1);
	ck_assert_str_eq(d.changes[0].from, key);
	snprintf(want, sizeof(want), "%s (another password)", key);
	ck_assert_str_eq(d.changes[0].to, want);
	ck_assert_int_eq(d.changes[0].quelld, CONFIG_RESET);
	config_diff_free(&d);
	config_free(a);
	config_free(b);
	(void)err;
}
END_TEST

START_TEST(long_values_are_cut)
{
	char text[4096] = TOP "lans:\n  - {name: x, vni: 1, registry: [";
	struct config *a = load(TOP "lans:\n  - {name: x, vni: 1}\n"), *b;
	struct config_diff d;

	for (int i = 0; i < 16; i++)
		sprintf(text + strlen(text), "%s/etc/quell/registry-of-the-exchange-%d.json",
			i ? ", " : "", i);
	strcat(text, "]}\n");
	b = load(text);
	config_diff(a, b, &d);
	ck_assert_uint_eq(d.count, 1);
	ck_assert_uint_eq(strlen(d.changes[0].to), 240);
	ck_assert_str_eq(d.changes[0].to + 237, "...");
	config_diff_free(&d);
	config_free(a);
	config_free(b);
}
END_TEST

START_TEST(never_within_a_character)
{
	char text[1024] = TOP "lans:\n  - {name: x, vni: 1, registry: [";
	struct config *a = load(TOP "lans:\n  - {name: x, vni: 1}\n"), *b;
	struct config_diff d;

	if (_i)
		strcat(text, "x");
	for (int i = 0; i < 200; i++)
		strcat(text, "\xc3\xa9");
	strcat(text, "]}\n");
	b = load(text);
	config_diff(a, b, &d);
	ck_assert_uint_eq(d.count, 1);
	size_t len = strlen(d.changes[0].to);
	ck_assert_uint_ge(len, 239);
	ck_assert_str_eq(d.changes[0].to + len - 5, "\xc3\xa9...");
	config_diff_free(&d);
	config_free(a);
	config_free(b);
}
END_TEST

/* --- every key of the schema --- */

static unsigned keys;

static void walk(const cyaml_schema_field_t *f, enum config_part part, const char *prefix)
{
	static const struct {
		const char *key;
		enum config_part part;
	} parts[] = {{"bgp", CONFIG_BGP}, {"neighbors", CONFIG_NEIGHBOR}, {"bmp", CONFIG_BMP}, {"lans", CONFIG_LAN},
		{"agent", CONFIG_AGENT}, {"port-settings", CONFIG_PORT}};

	for (; f->key; f++) {
		const cyaml_schema_value_t *v = &f->value;
		enum config_part to = part;
		char path[64];

		if (v->type == CYAML_SEQUENCE && v->sequence.entry->type == CYAML_MAPPING)
			v = v->sequence.entry;
		snprintf(path, sizeof(path), "%s%s", prefix, f->key);
		/* A list that is one value. */
		if (v->type == CYAML_MAPPING && config_field_find(part, path)) {
			keys++;
			continue;
		}
		if (v->type == CYAML_MAPPING) {
			for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
				if (strcmp(parts[i].key, f->key) == 0)
					to = parts[i].part;
			strcat(path, ".");
			walk(v->mapping.fields, to, to == part ? path : "");
			continue;
		}
		keys++;
		ck_assert_msg(config_field_find(part, path) != NULL,
			"%s %s: a key of config/schema.c without a row in config/field.c",
			config_part_name(part), path);
	}
}

START_TEST(every_key_has_a_row)
{
	walk(config_schema.mapping.fields, CONFIG_TOP, "");
	ck_assert_uint_ge(keys, 50);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config/diff");
	TCase *t = tcase_create("diff");

	tcase_add_test(t, nothing_changed);
	tcase_add_loop_test(t, says_a_line_a_change, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, a_password_is_compared_and_not_shown);
	tcase_add_test(t, long_values_are_cut);
	tcase_add_loop_test(t, never_within_a_character, 0, 2);
	tcase_add_test(t, every_key_has_a_row);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
