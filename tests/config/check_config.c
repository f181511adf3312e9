/* The configuration file: what is read, its defaults, and what is refused with which line. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "proxyarp/verdict.h"

static char *write_file(const char *text)
{
	char path[] = "/tmp/quell-config-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return strdup(path);
}

static int load_text(const char *text, struct config **ret, char *err)
{
	char *path = write_file(text), *at;
	int r = config_load(path, ret, err);

	unlink(path);
	/* The path differs from run to run: leave what stands behind it. */
	while ((at = strstr(err, path)) != NULL && r < 0)
		memmove(at, at + strlen(path), strlen(at) - strlen(path) + 1);
	free(path);
	return r;
}

static struct config *must_load(const char *text)
{
	char err[CONFIG_ERROR_MAX];
	struct config *c = NULL;
	int r = load_text(text, &c, err);

	ck_assert_msg(r == 0, "%s", err);
	return c;
}

#define TOP "router-id: 10.99.0.1\n"

static void agent_defaults(const struct config_agent *a)
{
	char mac[MAC_TEXT];

	ck_assert_int_eq(a->policy.unknown_target, UNKNOWN_DROP);
	ck_assert_int_eq(a->policy.ns_option, NS_OPTION_DISCARD);
	ck_assert_uint_eq(a->policy.flood_classes, 0);
	ck_assert_uint_eq(a->policy.rules, 0);
	ck_assert(!a->policy.dry_run && !a->policy.unicast_forward && !a->anycast);
	ck_assert_uint_eq(a->underlay_count, 0);
	ck_assert_uint_eq(a->age_sec, 1200);
	ck_assert_int_eq(a->mac_list, 0);
	ck_assert_uint_eq(a->mac_swap, 600);
	ck_assert_uint_eq(a->refresh_sec, 400);
	ck_assert_uint_eq(a->quarantine.violations, 0);
	ck_assert_uint_eq(a->quarantine.rules, 1u << RULE_LOOP | 1u << RULE_SOURCE_MAC);
	ck_assert_uint_eq(a->quarantine.release, 0);
	ck_assert_str_eq(mac_format(a->sponge.mac, mac), "02:71:75:00:00:64");
	ck_assert_uint_eq(a->sponge.queries, 50);
	ck_assert(a->sponge.repair && !a->sponge.gratuitous);
	ck_assert_int_eq(a->dead.policy, CONFIG_DEAD_SILENT);
	ck_assert_uint_eq(a->dead.after_sec, 0);
	ck_assert_uint_eq(a->duplicate_ip.moves, 5);
	ck_assert_uint_eq(a->duplicate_ip.hold_down, 540);
	ck_assert_int_eq(a->duplicate_ip.action, DUPLICATE_FREEZE);
	ck_assert(mac_is_zero(a->duplicate_ip.as_mac));
	ck_assert_int_eq(a->announce.on, CONFIG_ANNOUNCE_CHANGES);
	ck_assert_uint_eq(a->announce.port_rate, 10);
	ck_assert_ptr_eq(config_port_policy(a, "swp1"), &a->policy);
}

START_TEST(defaults_are_sane)
{
	struct config *c = must_load(TOP "bgp:\n  as: 4200000001\n  neighbors:\n    - address: 10.99.0.2\n"
				     "lans:\n  - name: ixp\n    vni: 100\n"
				     "    agent: {bridge: br100, vxlan: vx100}\n");
	char buf[RD_TEXT];
	const struct config_lan *lan = &c->lans[0];

	ck_assert_uint_eq(c->router_id, 0x0a630001);
	ck_assert_uint_eq(c->port, 179);
	ck_assert_uint_eq(c->hold_time, 90);
	ck_assert_uint_eq(c->cluster_id, c->router_id);
	ck_assert_uint_eq(c->neighbors[0].remote_as, 4200000001u);
	ck_assert_str_eq(c->run_dir, "/run/quell");
	ck_assert_str_eq(rd_format(lan->rd, buf), "10.99.0.1:100");
	/* AS 4200000001 is 0xfa56ea01: FRR derives from its low 16 bits. */
	ck_assert_str_eq(rt_format(lan->route_targets[0], buf), "59905:100");
	ck_assert(lan->import_auto);
	ck_assert(ip_eq(lan->vtep, c->router_ip));
	ck_assert(lan->agent->all_ports);
	ck_assert(lan->agent->manage_fdb);
	agent_defaults(lan->agent);
	config_free(c);
}
END_TEST

START_TEST(reads_what_is_said)
{
	struct config *c = must_load(
		TOP "bgp:\n  as: 65000\n  listen: [10.99.0.1]\n  hold-time: 0\n"
		    "  neighbors:\n    - {prefix: 10.99.0.0/24, max: 200, client: true, ttl-security: 2, "
		    "stale-time: 60}\n"
		    "  bmp:\n    - {address: 10.99.0.9, port: 1790, name: mon, policy: both, stats-interval: 0, "
		    "connect-retry: 5, queue: 8}\n    - address: 2001:db8::9\n"
		    "lans:\n  - name: ixp\n    vni: 100\n    route-target: \"65000:100\"\n"
		    "    import: [\"65001:100\"]\n"
		    "    agent:\n      bridge: br100\n      vxlan: vx100\n      ports: [a, b]\n"
		    "      unknown-target: police\n      police: {in: 1.5 mbit, out: 100 kbit}\n"
		    "      flood: [lldp, stp]\n      accelerate: xdp\n      manage-fdb: false\n"
		    "      unregistered-ports: learn\n"
		    "plane: packet\n");
	const struct config_agent *a = c->lans[0].agent;

	ck_assert_uint_eq(c->hold_time, 0);
	ck_assert_uint_eq(c->bmp_count, 2);
	ck_assert_str_eq(c->bmp[0].name, "mon");
	ck_assert_uint_eq(c->bmp[0].port, 1790);
	ck_assert_int_eq(c->bmp[0].policy, 3);
	ck_assert_uint_eq(c->bmp[0].stats_interval, 0);
	ck_assert_uint_eq(c->bmp[0].connect_retry, 5);
	ck_assert_uint_eq(c->bmp[0].queue, 8);
	ck_assert_uint_eq(c->bmp[1].port, 11019);
	ck_assert_int_eq(c->bmp[1].policy, 1);
	ck_assert_uint_eq(c->bmp[1].stats_interval, 300);
	ck_assert_uint_eq(c->bmp[1].connect_retry, 30);
	ck_assert_uint_eq(c->bmp[1].queue, 64);
	ck_assert_uint_eq(c->neighbors[0].max, 200);
	ck_assert_uint_eq(c->neighbors[0].prefix.len, 24);
	ck_assert_uint_eq(c->neighbors[0].ttl_security, 2);
	ck_assert_uint_eq(c->neighbors[0].stale_time, 60);
	ck_assert(c->neighbors[0].client);
	ck_assert_uint_eq(c->lans[0].route_target_count, 2);
	ck_assert(!c->lans[0].import_auto);
	ck_assert_uint_eq(a->port_count, 2);
	ck_assert_uint_eq(a->policy.police[DIR_IN][POLICE_ALL].rate, 1500000);
	ck_assert_uint_eq(a->policy.police[DIR_IN][POLICE_ALL].burst, 46875);
	ck_assert_uint_eq(a->policy.police[DIR_OUT][POLICE_ALL].rate, 100000);
	ck_assert_uint_eq(a->policy.police[DIR_OUT][POLICE_ALL].burst, 4542);
	ck_assert_uint_eq(a->policy.flood_classes, CLASS_BIT(CLASS_LLDP) | CLASS_BIT(CLASS_STP));
	ck_assert_int_eq(a->policy.accelerate, 1);
	ck_assert_int_eq(a->learn_unregistered, 1);
	ck_assert(!a->manage_fdb);
	ck_assert_int_eq(c->plane, 1);
	config_free(c);
}
END_TEST

static bool allows(const struct config_import *im, int type)
{
	return im->types[type / 8] & 1 << type % 8;
}

START_TEST(http_listens_where_it_is_said)
{
	struct config *c;
	char err[CONFIG_ERROR_MAX] = "", text[IP_TEXT];

	ck_assert_int_eq(load_text(TOP, &c, err), 0);
	ck_assert_uint_eq(c->http.quelld.port, 0);
	ck_assert_uint_eq(c->http.agent.port, 0);
	config_free(c);
	ck_assert_msg(load_text(TOP "http: {quelld: \"[::1]:9179\", agent: \"127.0.0.2:80\"}\n", &c, err) == 0, "%s",
		err);
	ck_assert_str_eq(ip_format(c->http.quelld.ip, text), "::1");
	ck_assert_uint_eq(c->http.quelld.port, 9179);
	ck_assert_str_eq(ip_format(c->http.agent.ip, text), "127.0.0.2");
	ck_assert_uint_eq(c->http.agent.port, 80);
	config_free(c);
	ck_assert_msg(load_text(TOP "http: {quelld: \"0.0.0.0:9179\", public: true, hosts: [lg.example.net]}\n", &c,
			      err) == 0,
		"%s", err);
	ck_assert(c->http.open);
	ck_assert_uint_eq(c->http.host_count, 1);
	ck_assert_str_eq(c->http.hosts[0], "lg.example.net");
	config_free(c);
}
END_TEST

START_TEST(import_said_for_all_and_for_one)
{
	struct config *c = must_load(
		TOP "bgp:\n  as: 65000\n"
		    "  import:\n    route-targets: [auto]\n    vteps: [10.99.0.0/24]\n"
		    "    max: {mac-ip: 20000, imet: 10, other: 7}\n"
		    "  neighbors:\n    - address: 10.99.0.2\n    - address: 10.99.0.3\n"
		    "      import: {types: [2, imet, 9], route-targets: [\"65000:7\", \"*:8\"], "
		    "vteps: [10.99.0.3, \"2001:db8::3\"], sanity: false, sticky-macs: false, max: {imet: 1}}\n"
		    "    - {address: 10.99.0.4, import: {unknown-route-types: discard}}\n"
		    "    - {address: 10.99.0.5, import: {types: [2], unknown-route-types: relay}}\n"
		    "lans:\n  - {name: a, vni: 100}\n  - {name: b, vni: 200}\n");
	const struct config_import *all = &c->neighbors[0].import, *one = &c->neighbors[1].import,
				   *known = &c->neighbors[2].import, *relay = &c->neighbors[3].import;

	ck_assert_uint_eq(all->rt_count, 2);
	ck_assert_uint_eq(all->rts[1].vni, 200);
	ck_assert_uint_eq(all->vtep_count, 1);
	ck_assert(allows(all, 0) && allows(all, 1) && allows(all, 8) && allows(all, 255));
	ck_assert(all->sanity && all->sticky_macs);
	ck_assert_uint_eq(all->max_by_class[2], 20000);
	ck_assert_uint_eq(all->max_by_class[3], 10);
	ck_assert_uint_eq(all->max_by_class[1], 0);
	ck_assert_uint_eq(all->max_by_class[0], 7);
	ck_assert_uint_eq(all->max_by_class[15], 7);

	ck_assert_uint_eq(one->rt_count, 2);
	ck_assert_uint_eq(one->rts[0].vni, 0);
	ck_assert_uint_eq(one->rts[1].vni, 8);
	ck_assert_uint_eq(one->vtep_count, 2);
	ck_assert_uint_eq(one->vteps[0].len, 32);
	ck_assert_uint_eq(one->vteps[1].len, 128);
	ck_assert(allows(one, 2) && allows(one, 3) && allows(one, 9));
	ck_assert(!allows(one, 0) && !allows(one, 1) && !allows(one, 8) && !allows(one, 10));
	ck_assert(!one->sanity && !one->sticky_macs);
	ck_assert_uint_eq(one->max_by_class[2], 20000);
	ck_assert_uint_eq(one->max_by_class[3], 1);

	ck_assert(allows(known, 1) && allows(known, 8) && !allows(known, 9) && !allows(known, 0));
	ck_assert_uint_eq(known->rt_count, 2);
	ck_assert(allows(relay, 2) && !allows(relay, 3) && allows(relay, 9) && allows(relay, 0));
	config_free(c);
}
END_TEST

#define ANNOUNCEMENTS                                                                              \
	(CLASS_BIT(CLASS_ARP_GRATUITOUS) | CLASS_BIT(CLASS_ARP_REPLY_BCAST) |                      \
		CLASS_BIT(CLASS_NA_UNSOLICITED))

START_TEST(policy_of_a_lan_and_of_ports)
{
	struct config *c = must_load(TOP "lans:\n  - name: ixp\n    vni: 100\n    agent:\n"
		"      bridge: br\n      vxlan: vx\n      underlay: [up0, up1]\n"
		"      rules: {dhcp: count, vtp: off, stp: alarm, source-mac: drop}\n"
		"      flood: [lldp]\n      gratuitous: flood\n      ns-option: unicast-forward\n"
		"      police: {in: 1 mbit, known: 200 pps, exchange: 1000 pps, unknown: 0.5 kbit,\n"
		"        announcements: 10 pps, other: 1 pps, out: 2 mbit, out-requests: 3 mbit,\n"
		"        out-announcements: 4 mbit, out-other: 5 mbit, fabric: 6 mbit}\n"
		"      port-settings:\n"
		"        - {ports: [swp1, swp2], dry-run: true, rules: {dhcp: drop}, gratuitous: absorb}\n"
		"        - {ports: [swp3], police: {in: 7 mbit}, flood: [none], ns-option: forward,\n"
		"          unicast-forward: true, unknown-target: flood, accelerate: xdp, quarantine: true}\n"
		"      quarantine: {violations: 100, window: 10, rules: [loop], release: 3600}\n");
	const struct config_agent *a = c->lans[0].agent;
	const struct config_policy *lan = &a->policy, *one = config_port_policy(a, "swp1"),
				   *three = config_port_policy(a, "swp3");
	const struct layout_policer *in = lan->police[DIR_IN], *out = lan->police[DIR_OUT];

	ck_assert_uint_eq(a->underlay_count, 2);
	ck_assert_str_eq(a->underlay[1], "up1");
	ck_assert_int_eq(RULE_ACTION(lan->rules, RULE_DHCP), ACTION_COUNT);
	ck_assert_int_eq(RULE_ACTION(lan->rules, RULE_VTP), ACTION_OFF);
	ck_assert_int_eq(RULE_ACTION(lan->rules, RULE_STP), ACTION_ALARM);
	ck_assert_int_eq(RULE_ACTION(lan->rules, RULE_SOURCE_MAC), ACTION_DROP);
	ck_assert_uint_eq(lan->flood_classes, CLASS_BIT(CLASS_LLDP) | ANNOUNCEMENTS);
	ck_assert_int_eq(lan->ns_option, NS_OPTION_UNICAST);
	ck_assert_uint_eq(in[POLICE_KNOWN].rate, 200);
	ck_assert_uint_eq(in[POLICE_KNOWN].unit, UNIT_PACKETS);
	ck_assert_uint_eq(in[POLICE_KNOWN].burst, 50);
	ck_assert_uint_eq(in[POLICE_EXCHANGE].rate, 1000);
	ck_assert_uint_eq(in[POLICE_UNKNOWN].rate, 500);
	ck_assert_uint_eq(in[POLICE_UNKNOWN].unit, UNIT_BITS);
	ck_assert_uint_eq(in[POLICE_ANNOUNCE].burst, 4);
	ck_assert_uint_eq(in[POLICE_OTHER].rate, 1);
	ck_assert_uint_eq(out[POLICE_UNKNOWN].rate, 3000000);
	ck_assert_uint_eq(out[POLICE_ANNOUNCE].rate, 4000000);
	ck_assert_uint_eq(out[POLICE_OTHER].rate, 5000000);
	ck_assert_uint_eq(lan->police_fabric.rate, 6000000);

	ck_assert_ptr_ne(one, lan);
	ck_assert_ptr_ne(config_port_policy(a, "swp2"), lan);
	ck_assert(one->dry_run && !lan->dry_run);
	ck_assert_int_eq(RULE_ACTION(one->rules, RULE_DHCP), ACTION_DROP);
	ck_assert_int_eq(RULE_ACTION(one->rules, RULE_VTP), ACTION_OFF);
	ck_assert_uint_eq(one->flood_classes, CLASS_BIT(CLASS_LLDP));
	ck_assert_uint_eq(one->police[DIR_IN][POLICE_ALL].rate, 1000000);
	ck_assert(!config_port_find(a, "swp1")->quarantine);

	ck_assert_uint_eq(three->police[DIR_IN][POLICE_ALL].rate, 7000000);
	ck_assert_uint_eq(three->police[DIR_IN][POLICE_KNOWN].rate, 0);
	ck_assert_uint_eq(three->flood_classes, 0);
	ck_assert_int_eq(three->ns_option, NS_OPTION_FORWARD);
	ck_assert_int_eq(three->unknown_target, UNKNOWN_FLOOD);
	ck_assert(three->unicast_forward && three->accelerate == 1);
	ck_assert(config_port_find(a, "swp3")->quarantine);
	ck_assert_ptr_eq(config_port_policy(a, "swp4"), lan);

	ck_assert_uint_eq(a->quarantine.violations, 100);
	ck_assert_uint_eq(a->quarantine.rules, 1u << RULE_LOOP);
	ck_assert_uint_eq(a->quarantine.release, 3600);
	config_free(c);
}
END_TEST

START_TEST(sponge_dead_duplicate_announce)
{
	struct config *c = must_load(TOP "lans:\n  - name: ixp\n    vni: 100\n    prefixes: [198.18.0.0/21]\n    agent:\n"
		"      bridge: br\n      vxlan: vx\n      unknown-target: sponge\n"
		"      sponge: {mac: 02:00:00:00:00:99, queries: 5, window: 10, probes: 0, learn: 0,\n"
		"        source-rate: 7, max: 8, repair: false, gratuitous: true, sweep: 600, sweep-rate: 9}\n"
		"      dead-members: {policy: sponge, after: 14400}\n"
		"      duplicate-ip: {moves: 3, window: 60, hold-down: 30, confirm: 5, action: alarm,\n"
		"        as-mac: 02:00:00:00:00:aa}\n"
		"      announce: {on: all, rate: 11, port-rate: 12}\n"
		"      anycast: true\n      na-without-override: ignore\n      mac-list: first\n      mac-swap: never\n      age-time: 600\n      refresh: 60\n");
	const struct config_agent *a = c->lans[0].agent;
	char mac[MAC_TEXT];

	ck_assert_int_eq(a->policy.unknown_target, UNKNOWN_SPONGE);
	ck_assert_str_eq(mac_format(a->sponge.mac, mac), "02:00:00:00:00:99");
	ck_assert_uint_eq(a->sponge.queries, 5);
	ck_assert_uint_eq(a->sponge.window, 10);
	ck_assert_uint_eq(a->sponge.probes, 0);
	ck_assert_uint_eq(a->sponge.learn_sec, 0);
	ck_assert_uint_eq(a->sponge.source_rate, 7);
	ck_assert_uint_eq(a->sponge.max, 8);
	ck_assert(!a->sponge.repair && a->sponge.gratuitous);
	ck_assert_uint_eq(a->sponge.sweep_sec, 600);
	ck_assert_uint_eq(a->sponge.sweep_rate, 9);
	ck_assert_int_eq(a->dead.policy, CONFIG_DEAD_SPONGE);
	ck_assert_uint_eq(a->dead.after_sec, 14400);
	ck_assert_uint_eq(a->duplicate_ip.moves, 3);
	ck_assert_uint_eq(a->duplicate_ip.window, 60);
	ck_assert_uint_eq(a->duplicate_ip.hold_down, 30);
	ck_assert_uint_eq(a->duplicate_ip.confirm, 5);
	ck_assert_int_eq(a->duplicate_ip.action, DUPLICATE_ALARM);
	ck_assert_str_eq(mac_format(a->duplicate_ip.as_mac, mac), "02:00:00:00:00:aa");
	ck_assert_int_eq(a->announce.on, CONFIG_ANNOUNCE_ALL);
	ck_assert_uint_eq(a->announce.rate, 11);
	ck_assert_uint_eq(a->announce.port_rate, 12);
	ck_assert(a->anycast);
	ck_assert_int_eq(a->na_without_override, 1);
	ck_assert_int_eq(a->mac_list, 1);
	ck_assert_uint_eq(a->mac_swap, 0);
	ck_assert_uint_eq(a->refresh_sec, 60);
	config_free(c);
}
END_TEST

START_TEST(duplicate_macs)
{
	struct config *c = must_load(TOP "lans:\n  - {name: a, vni: 1}\n"
		"  - {name: b, vni: 2, duplicate-mac: {moves: 3, window: 60, recovery: 540, action: alarm}}\n"
		"  - {name: c, vni: 3, assume-router: false, duplicate-mac: {recovery: never, action: off}}\n");

	ck_assert_uint_eq(c->lans[0].dup_moves, 5);
	ck_assert_uint_eq(c->lans[0].dup_window, 180);
	ck_assert_uint_eq(c->lans[0].dup_recovery, 0);
	ck_assert_int_eq(c->lans[0].dup_action, DUPLICATE_FREEZE);
	ck_assert_uint_eq(c->lans[1].dup_moves, 3);
	ck_assert_uint_eq(c->lans[1].dup_window, 60);
	ck_assert_uint_eq(c->lans[1].dup_recovery, 540);
	ck_assert_int_eq(c->lans[1].dup_action, DUPLICATE_ALARM);
	ck_assert_uint_eq(c->lans[2].dup_recovery, 0);
	ck_assert_int_eq(c->lans[2].dup_action, DUPLICATE_OFF);
	ck_assert(c->lans[0].assume_router && !c->lans[2].assume_router);
	config_free(c);
}
END_TEST

START_TEST(registry_routes)
{
	struct config *c = must_load(TOP "lans:\n  - {name: a, vni: 1}\n"
		"  - {name: b, vni: 2, registry-routes: refuse,\n"
		"      pe-vteps: [{pe: 10.99.0.2, vtep: 10.99.1.2}, {pe: 10.99.0.2, vtep: \"2001:db8::2\"}]}\n"
		"  - {name: c, vni: 3, registry-routes: off}\n");
	char a[IP_TEXT];

	ck_assert_int_eq(c->lans[0].registry_routes, REGISTRY_ROUTES_FLAG);
	ck_assert_uint_eq(c->lans[0].pe_vtep_count, 0);
	ck_assert_int_eq(c->lans[1].registry_routes, REGISTRY_ROUTES_REFUSE);
	ck_assert_uint_eq(c->lans[1].pe_vtep_count, 2);
	ck_assert_str_eq(ip_format(c->lans[1].pe_vteps[1].pe, a), "10.99.0.2");
	ck_assert_str_eq(ip_format(c->lans[1].pe_vteps[1].vtep, a), "2001:db8::2");
	ck_assert_int_eq(c->lans[2].registry_routes, REGISTRY_ROUTES_OFF);
	config_free(c);
}
END_TEST

START_TEST(password_files)
{
	static const struct {
		const char *content, *password;
	} rows[] = {
		{"secret\n", "secret"},
		{"secret", "secret"},
		{"two words\n", "two words"},
		{"", NULL},
		{"\n", NULL},
		{"a\nb\n", NULL},
		{"123456789012345678901234567890123456789012345678901234567890123456789012345678901\n",
			NULL},
	};
	char *key = write_file(rows[_i].content), text[512], err[CONFIG_ERROR_MAX];
	struct config *c = NULL;

	snprintf(text, sizeof(text),
		TOP "bgp:\n  as: 65000\n  neighbors:\n    - address: 10.99.0.2\n      password-file: %s\n",
		key);
	int r = load_text(text, &c, err);
	unlink(key);
	free(key);
	if (rows[_i].password) {
		ck_assert_int_eq(r, 0);
		ck_assert_str_eq(c->neighbors[0].password, rows[_i].password);
		config_free(c);
	} else {
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_ptr_nonnull(strstr(err, "expected one line of 1 - 80 characters"));
	}
}
END_TEST

#define BMP(text) TOP "bgp:\n  as: 1\n  bmp:\n    - " text "\n"
#define NEIGHBOR(n) TOP "bgp:\n  as: 65000\n  neighbors:\n    - " n "\n"
#define LAN(l) TOP "lans:\n  - {name: ixp, vni: 100, " l "}\n"
#define FETCH(url, l) LAN("registry: [r], fetch: {url: '" url "'" l "}")
#define AGENT(a) LAN("agent: {bridge: br, vxlan: vx, " a "}")

static const struct {
	const char *text, *err;
} refused[] = {
	{"", ":1:1: the file is empty"},
	{"bgp: {as: 1}\n", ":1:6: missing key: router-id"},
	{"router-id: x\n", ":1:12: router-id: 'x': expected an IPv4 address"},
	{"router-id: ::1\n", ":1:12: router-id: '::1': expected an IPv4 address"},
	{TOP "http: {quelld: \"127.0.0.1\"}\n",
		":2:16: http.quelld: '127.0.0.1': expected an address and a port, such as \"127.0.0.1:9179\" or "
		"\"[::1]:9179\""},
	{TOP "http: {quelld: \"::1:80\"}\n",
		":2:16: http.quelld: '::1:80': expected an address and a port, such as \"127.0.0.1:9179\" or "
		"\"[::1]:9179\""},
	{TOP "http: {agent: \"[127.0.0.1]:80\"}\n",
		":2:15: http.agent: '[127.0.0.1]:80': expected an address and a port, such as \"127.0.0.1:9179\" or "
		"\"[::1]:9179\""},
	{TOP "http: {agent: \"127.0.0.1:65536\"}\n",
		":2:15: http.agent: '127.0.0.1:65536': expected an address and a port, such as \"127.0.0.1:9179\" "
		"or \"[::1]:9179\""},
	{TOP "http: {agent: \"0.0.0.0:80\"}\n",
		":2:15: http.agent: '0.0.0.0:80': not a loopback address: anybody who can reach it could look; "
		"public: true says that this is meant"},
	{TOP "http: {quelld: \"127.0.0.1:80\", agent: \"127.0.0.1:80\"}\n",
		":2:39: http.agent: '127.0.0.1:80': quelld listens there"},
	{TOP "http: {hosts: [\"lg.example.net:80\"]}\n",
		":2:15: http.hosts: 'lg.example.net:80': expected a host name in lower case, without a port"},
	{TOP "rooter-id: 1\n", ":2:1: unknown key: rooter-id"},
	{TOP TOP, ":2:1: key given twice: router-id"},
	{TOP "bgp:\n  as: 0\n", ":3:7: bgp.as: 0: expected an AS number"},
	{TOP "bgp:\n  as: many\n", ":3:7: expected a number: 'many'"},
	{TOP "bgp:\n  as: 1\n  hold-time: 2\n", ":4:14: bgp.hold-time: 2: expected 0 or 3 - 65535"},
	{NEIGHBOR("addres: 10.99.0.2"), ":5:7: unknown key: addres"},
	{NEIGHBOR("address: 10.99.0.2\n      name: "
		  "1234567890123456789012345678901234567890123456789012345678901234"),
		":6:13: bgp.neighbors[0].name: longer than 63 octets"},
	{NEIGHBOR("address: 10.99.0"),
		":5:16: bgp.neighbors[0].address: '10.99.0': expected an IPv4 or IPv6 address"},
	{NEIGHBOR("name: x"), ":5:7: bgp.neighbors[0]: expected either address or prefix"},
	{NEIGHBOR("{address: 10.99.0.2, remote-as: 65001, control-communities: true}"),
		":5:67: bgp.neighbors[0].control-communities: goes with a client of another AS only"},
	{NEIGHBOR("{address: 10.99.0.2, client: true, control-communities: true}"),
		":5:63: bgp.neighbors[0].control-communities: goes with a client of another AS only"},
	{TOP "bgp:\n  as: 1\n  restart-time: 0\n  neighbors:\n    - {address: 10.99.0.2, long-lived-time: 60}\n",
		":6:45: bgp.neighbors[0].long-lived-time: needs a restart-time above 0"},
	{NEIGHBOR("{address: 10.99.0.2, prefix: 10.99.0.0/24}"),
		":5:7: bgp.neighbors[0]: expected either address or prefix"},
	{NEIGHBOR("prefix: 10.99.0.1/24"),
		":5:15: bgp.neighbors[0].prefix: '10.99.0.1/24': bits are set behind the prefix length"},
	{NEIGHBOR("{address: 10.99.0.2}\n    - {address: 10.99.0.2}"),
		":6:17: bgp.neighbors[1].address: given already in bgp.neighbors[0]"},
	{NEIGHBOR("{address: 10.99.0.2, password-file: /nonexistent/key}"),
		":5:43: bgp.neighbors[0].password-file: /nonexistent/key: No such file or directory"},
	{NEIGHBOR("{address: 10.99.0.2, import: {types: [2, 256]}}"),
		":5:48: bgp.neighbors[0].import.types[1]: '256': expected ad, mac-ip, imet, es, ip-prefix, "
		"smet, join-sync, leave-sync or 1 - 255"},
	{NEIGHBOR("{address: 10.99.0.2, import: {unknown-route-types: drop}}"),
		":5:58: bgp.neighbors[0].import.unknown-route-types: 'drop': expected one of relay, discard"},
	{NEIGHBOR("{address: 10.99.0.2, import: {route-targets: [\"*:0\"]}}"),
		":5:53: bgp.neighbors[0].import.route-targets[0]: '*:0': expected a route target such as "
		"65000:100 or \"*:100\", or auto"},
	{NEIGHBOR("{address: 10.99.0.2, import: {route-targets: [auto]}}"),
		":5:53: bgp.neighbors[0].import.route-targets[0]: auto means the VNIs of lans, and there are "
		"none"},
	{NEIGHBOR("{address: 10.99.0.2, import: {vteps: [10.99.0.1/24]}}"),
		":5:45: bgp.neighbors[0].import.vteps[0]: '10.99.0.1/24': bits are set behind the prefix length"},
	{TOP "bgp:\n  as: 1\n  import: {vteps: [x]}\n",
		":4:20: bgp.import.vteps[0]: 'x': expected a prefix such as 198.18.0.0/21 or 2001:db8::/64"},
	{TOP "bgp:\n  as: 1\n  import: {max: {macip: 5}}\n", ":4:18: unknown key: macip"},
	{LAN("duplicate-mac: {moves: 1}"), ":3:50: lans[0].duplicate-mac.moves: 1: expected 2 - 1000"},
	{LAN("duplicate-mac: {recovery: soon}"),
		":3:53: lans[0].duplicate-mac.recovery: 'soon': expected never or 1 - 604800"},
	{LAN("duplicate-mac: {action: stop}"),
		":3:51: lans[0].duplicate-mac.action: 'stop': expected one of freeze, alarm, off"},
	{BMP("{port: 1}"), ":5:7: missing key: address"},
	{BMP("{address: monitor}"), ":5:17: bgp.bmp[0].address: 'monitor': expected an IPv4 or IPv6 address"},
	{BMP("{address: 0.0.0.0}"), ":5:17: bgp.bmp[0].address: '0.0.0.0': not an address of a station"},
	{BMP("{address: 10.99.0.9, port: 65536}"), ":5:34: bgp.bmp[0].port: 65536: expected 1 - 65535"},
	{BMP("{address: 10.99.0.9, policy: all}"),
		":5:36: bgp.bmp[0].policy: 'all': expected one of pre, post, both"},
	{BMP("{address: 10.99.0.9, stats-interval: 86401}"),
		":5:44: bgp.bmp[0].stats-interval: 86401: expected 0 - 86400"},
	{BMP("{address: 10.99.0.9, connect-retry: 721}"),
		":5:43: bgp.bmp[0].connect-retry: 721: expected 1 - 720"},
	{BMP("{address: 10.99.0.9, queue: 4096}"), ":5:35: bgp.bmp[0].queue: 4096: expected 1 - 4095"},
	{BMP("{address: 10.99.0.9}\n    - {address: 10.99.0.9, port: 11019}"),
		":6:17: bgp.bmp[1].address: given already in bgp.bmp[0]"},
	{TOP "lans:\n  - name: ixp\n    vni: 16777216\n",
		":4:10: lans[0].vni: 16777216: expected 1 - 16777215"},
	{TOP "lans:\n  - {name: a, vni: 1}\n  - {name: b, vni: 1}\n",
		":4:20: lans[1].vni: 1: given already in lans[0]"},
	{TOP "lans:\n  - {name: a, vni: 1}\n  - {name: b, vni: 65537}\n",
		":4:5: lans[1].rd: 10.99.0.1:1 is that of lans[0] too: expected one of its own"},
	{TOP "lans:\n  - {name: a, vni: 1}\n  - {name: b, vni: 2, rd: \"10.99.0.1:1\"}\n",
		":4:27: lans[1].rd: 10.99.0.1:1 is that of lans[0] too: expected one of its own"},
	{LAN("prefixes: [198.18.0.0/21, 2001:db8::1/64]"),
		":3:53: lans[0].prefixes[1]: '2001:db8::1/64': bits are set behind the prefix length"},
	{LAN("route-target: x"),
		":3:41: lans[0].route-target: 'x': expected a route target such as 65000:100"},
	{AGENT("unknown-target: maybe"),
		":3:74: lans[0].agent.unknown-target: 'maybe': expected one of drop, sponge, police, flood"},
	{AGENT("flood: [lldp, ipv4]"),
		":3:72: lans[0].agent.flood[1]: 'ipv4': nothing that this list is asked about: requests flood by "
		"unknown-target, and the rest of it goes to one owner"},
	{AGENT("unknown-target: police"),
		":3:74: lans[0].agent.unknown-target: police needs a rate: police: {unknown: 100 pps}"},
	{AGENT("unknown-target: sponge"),
		":3:34: lans[0].agent: unknown-target: sponge needs the LAN's prefixes"},
	{AGENT("port-settings: [{ports: [a], unknown-target: sponge}]"),
		":3:34: lans[0].agent: unknown-target: sponge needs the LAN's prefixes"},
	{AGENT("ports: [a, b], port-settings: [{ports: [a, c], dry-run: true}]"),
		":3:101: lans[0].agent.port-settings[0].ports[1]: 'c': not one of `ports`"},
	{AGENT("announce: {rate: 0}"), ":3:75: lans[0].agent.announce.rate: 0: expected 1 - 100000"},
	{AGENT("sponge: {queries: 0}"), ":3:76: lans[0].agent.sponge.queries: 0: expected 1 - 100000"},
	{AGENT("duplicate-ip: {hold-down: 0}"), ":3:84: lans[0].agent.duplicate-ip.hold-down: 0: expected 1 - 86400"},
	{AGENT("age-time: 0"), ":3:68: lans[0].agent.age-time: 0: expected 60 - 86400"},
	{AGENT("max-bindings: 0"), ":3:72: lans[0].agent.max-bindings: 0: expected 16 - 1048576"},
	{AGENT("police: {in: 5 furlongs}"),
		":3:71: lans[0].agent.police.in: '5 furlongs': expected a rate such as 100 kbit, 1.5 "
		"mbit, 200 pps or 0"},
	{AGENT("police: {known: 0.5 pps}"),
		":3:74: lans[0].agent.police.known: '0.5 pps': expected a rate such as 100 kbit, 1.5 "
		"mbit, 200 pps or 0"},
	{AGENT("rules: {dhcp: maybe}"),
		":3:72: lans[0].agent.rules.dhcp: 'maybe': expected one of off, count, drop, alarm"},
	{AGENT("rules: {none: off}"), ":3:66: unknown key: none"},
	{AGENT("rules: {dchp: off}"), ":3:66: unknown key: dchp"},
	{AGENT("gratuitous: drop"),
		":3:70: lans[0].agent.gratuitous: 'drop': expected one of absorb, flood"},
	{AGENT("ns-option: ask"), ":3:69: lans[0].agent.ns-option: 'ask': expected one of reply, discard, "
				  "forward, unicast-forward"},
	{AGENT("underlay: [vx]"),
		":3:69: lans[0].agent.underlay[0]: 'vx' is the vxlan device, not an underlay port"},
	{AGENT("ports: [p1], underlay: [p1]"),
		":3:81: lans[0].agent.underlay: 'p1' is a member port"},
	{AGENT("port-settings: [{dry-run: true}]"),
		":3:74: lans[0].agent.port-settings[0].ports: expected the names of ports"},
	{AGENT("port-settings: [{ports: [a]}, {ports: [b, a]}]"),
		":3:100: lans[0].agent.port-settings[1].ports[1]: 'a': said already"},
	{AGENT("port-settings: [{ports: [a], rules: {loop: no}}]"),
		":3:101: lans[0].agent.port-settings[0].rules.loop: 'no': expected one of off, count, drop, "
		"alarm"},
	{AGENT("port-settings: [{ports: [a], police: {fabric: 1 mbit}}]"),
		":3:104: lans[0].agent.port-settings[0].police.fabric: of a LAN, not of a port"},
	{AGENT("port-settings: [{ports: [a], unknown-target: police}]"),
		":3:103: lans[0].agent.port-settings[0].unknown-target: police needs a rate: police: "
		"{unknown: 100 pps}"},
	{AGENT("quarantine: {rules: [lop]}"), ":3:79: lans[0].agent.quarantine.rules[0]: 'lop': not a rule"},
	{AGENT("quarantine: {release: soon}"),
		":3:80: lans[0].agent.quarantine.release: 'soon': expected never or 1 - 604800"},
	{AGENT("sponge: {mac: 01:00:00:00:00:01}"),
		":3:72: lans[0].agent.sponge.mac: '01:00:00:00:00:01': a group or zero address is nobody's"},
	{AGENT("sponge: {mac: nobody}"), ":3:72: lans[0].agent.sponge.mac: 'nobody': expected a MAC address "
					 "such as 02:00:5e:00:00:01"},
	{AGENT("sponge: {queries: 100001}"), ":3:76: lans[0].agent.sponge.queries: 100001: expected 1 - 100000"},
	{AGENT("dead-members: {policy: bury}"),
		":3:81: lans[0].agent.dead-members.policy: 'bury': expected one of answer, silent, sponge"},
	{AGENT("duplicate-ip: {moves: 1}"), ":3:80: lans[0].agent.duplicate-ip.moves: 1: expected 2 - 1000"},
	{AGENT("announce: {on: never}"),
		":3:73: lans[0].agent.announce.on: 'never': expected one of changes, all, off"},
	{AGENT("age-time: 60, refresh: 60"), ":3:81: lans[0].agent.refresh: 60: expected 10 - 59"},
	{AGENT("flood: [lldq]"), ":3:66: lans[0].agent.flood[0]: 'lldq': not a class of frames"},
	{AGENT("ports: [vx]"),
		":3:66: lans[0].agent.ports[0]: 'vx' is the vxlan device, not a member port"},
	{TOP "log: loud\n", ":2:6: log: 'loud': expected a level (error, warning, notice, info, debug) "
			    "or bgp=debug,..."},
	{LAN("vlan: 4095"), ":3:33: lans[0].vlan: 4095: expected 1 - 4094"},
	{LAN("fetch: {into: x}"), ":3:34: missing key: url"},
	{FETCH("http://ixp.example.net", ""),
		":3:55: lans[0].fetch.url: 'http://ixp.example.net': expected https: the key would go in clear"},
	{FETCH("ixp.example.net", ""),
		":3:55: lans[0].fetch.url: 'ixp.example.net': expected https://HOST"},
	{FETCH("https://:443", ""), ":3:55: lans[0].fetch.url: 'https://:443': expected https://HOST"},
	{FETCH("https://me@ixp.example.net", ""),
		":3:55: lans[0].fetch.url: 'https://me@ixp.example.net': expected https://HOST and perhaps a path, nothing else"},
	{FETCH("https://ixp.example.net/?key=1", ""),
		":3:55: lans[0].fetch.url: 'https://ixp.example.net/?key=1': expected https://HOST and perhaps a path, nothing else"},
	{FETCH("http://127.0.0.1.example.net", ""),
		":3:55: lans[0].fetch.url: 'http://127.0.0.1.example.net': expected https: the key would go in clear"},
	{FETCH("https://ixp.example.net", ", ixf: 2.0"),
		":3:87: lans[0].fetch.ixf: '2.0': expected one of off, 0.6, 0.7, 1.0"},
	{FETCH("https://ixp.example.net", ", ixf: off"),
		":3:87: lans[0].fetch.ixf: off and no switches: nothing says who is where"},
	{FETCH("https://ixp.example.net", ", addresses: 2"),
		":3:49: lans[0].fetch: switches and addresses need a key: expected key-file"},
	{FETCH("https://ixp.example.net", ", max-removed: 101"),
		":3:95: lans[0].fetch.max-removed: 101: expected 0 - 100"},
	{FETCH("https://ixp.example.net", ", key-file: k, switches: [{name: a, pe: 1}, {name: a}]"),
		":3:120: lans[0].fetch.switches[0].pe: '1': expected an IPv4 address\n"
		":3:131: lans[0].fetch.switches[1].name: 'a': given already in switches[0]"},
	{LAN("fetch: {url: 'https://ixp.example.net'}"),
		":3:34: lans[0].fetch: into which file: expected registry, or into"},
	{FETCH("https://ixp.example.net", "") "  - {name: y, vni: 2, fetch: {into: r, url: 'https://y'}}\n",
		":4:37: lans[1].fetch.into: 'r': that of lans[0] goes there"},
	{TOP "plane: warp\n", ":2:8: plane: 'warp': expected one of bpf, packet, null"},
	/* Two mistakes, two lines. */
	{"router-id: x\nplane: warp\n", ":1:12: router-id: 'x': expected an IPv4 address\n"
					":2:8: plane: 'warp': expected one of bpf, packet, null"},
};

START_TEST(refuses_with_the_place)
{
	char err[CONFIG_ERROR_MAX];
	struct config *c = NULL;

	ck_assert_int_eq(load_text(refused[_i].text, &c, err), -EINVAL);
	ck_assert_ptr_null(c);
	ck_assert_str_eq(err, refused[_i].err);
}
END_TEST

START_TEST(fetches)
{
	struct config *c = must_load(TOP
		"lans:\n  - {name: a, vni: 1, vlan: 10, registry: [r, s], fetch: {url: 'https://ixp.example.net/m/'}}\n"
		"  - {name: b, vni: 2, registry: [r], fetch: {url: 'http://[::1]:8080', key-file: k, ca-file: ca, ixf: off,\n"
		"     switches: [{name: sw1, pe: 10.99.0.2}, {name: sw2}], addresses: 2, into: i, max-removed: 0, timeout: 5}}\n"
		"  - {name: c, vni: 3}\n");
	const struct config_fetch *f = &c->lans[0].fetch;

	ck_assert_uint_eq(c->lans[0].vlan, 10);
	ck_assert_str_eq(f->url, "https://ixp.example.net/m/");
	ck_assert_ptr_null(f->key_file);
	ck_assert_int_eq(f->ixf, CONFIG_IXF_1_0);
	ck_assert_uint_eq(f->max_removed, 10);
	ck_assert_uint_eq(f->timeout, 30);
	ck_assert_str_eq(config_fetch_into(&c->lans[0]), "r");
	f = &c->lans[1].fetch;
	ck_assert_str_eq(f->key_file, "k");
	ck_assert_str_eq(f->ca_file, "ca");
	ck_assert_int_eq(f->ixf, CONFIG_IXF_OFF);
	ck_assert_uint_eq(f->switch_count, 2);
	ck_assert_str_eq(f->switches[0].name, "sw1");
	ck_assert_uint_eq(f->switches[0].pe, 0x0a630002);
	ck_assert_uint_eq(f->switches[1].pe, 0);
	ck_assert_uint_eq(f->addresses, 2);
	ck_assert_uint_eq(f->max_removed, 0);
	ck_assert_uint_eq(f->timeout, 5);
	ck_assert_str_eq(config_fetch_into(&c->lans[1]), "i");
	ck_assert_ptr_null(c->lans[2].fetch.url);
	ck_assert_ptr_null(config_fetch_into(&c->lans[2]));
	config_free(c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_test(tc, defaults_are_sane);
	tcase_add_test(tc, reads_what_is_said);
	tcase_add_test(tc, fetches);
	tcase_add_test(tc, http_listens_where_it_is_said);
	tcase_add_test(tc, import_said_for_all_and_for_one);
	tcase_add_test(tc, policy_of_a_lan_and_of_ports);
	tcase_add_test(tc, sponge_dead_duplicate_announce);
	tcase_add_test(tc, duplicate_macs);
	tcase_add_test(tc, registry_routes);
	tcase_add_loop_test(tc, password_files, 0, 7);
	tcase_add_loop_test(tc, refuses_with_the_place, 0, sizeof(refused) / sizeof(refused[0]));
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
