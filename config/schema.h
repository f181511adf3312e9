/* The file as libcyaml reads it: every value that is more than a number or a flag still as text. config.c turns it
 * into struct config. One row a key; docs/quell.yaml.5 has the same rows in words. */
#pragma once
#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stdint.h>

#include "proxyarp/class.h"

struct raw_list {
	char **items;
	uint32_t count;
};

struct raw_max {
	uint32_t ad, mac_ip, imet, es, ip_prefix, other;
};

struct raw_import {
	struct raw_list types, route_targets, vteps;
	char *unknown_route_types;
	bool *sanity, *sticky_macs;
	struct raw_max *max;
};

struct raw_neighbor {
	char *address, *prefix, *name, *password_file;
	uint32_t max, remote_as, connect_retry, max_routes, stale_time, ttl_security;
	char *role, *add_path, *profile;
	uint32_t long_lived_time, *hold_time;
	bool client, passive, shutdown, role_strict, otc, rt_constrain, control_communities;
	struct raw_import *import;
};

struct raw_bmp {
	char *address, *name, *policy;
	uint32_t port, *stats_interval, connect_retry, queue;
};

struct raw_bgp {
	uint32_t as, port;
	struct raw_list listen;
	char *cluster_id;
	uint32_t *hold_time, *restart_time, *defer_time;
	struct raw_neighbor *neighbors;
	uint32_t neighbors_count;
	struct raw_import *import;
	struct raw_bmp *bmp;
	uint32_t bmp_count;
};

struct raw_police {
	char *in, *out, *known, *exchange, *unknown, *announcements, *other;
	char *out_requests, *out_announcements, *out_other, *fabric;
};

struct raw_rules {
	char *action[RULE_COUNT];
};

struct raw_policy {
	struct raw_rules *rules;
	struct raw_list flood;
	char *gratuitous, *unknown_target, *ns_option, *accelerate;
	bool *unicast_forward, *dry_run;
	struct raw_police *police;
};

struct raw_port {
	struct raw_list ports;
	bool quarantine;
	struct raw_policy policy;
};

struct raw_quarantine {
	uint32_t *violations, *window;
	struct raw_list rules;
	char *release;
};

struct raw_sponge {
	char *mac;
	uint32_t *queries, *window, *probes, *learn, *source_rate, *max, *sweep, *sweep_rate;
	bool *repair, *gratuitous, *network;
};

struct raw_dead {
	char *policy;
	uint32_t *after;
};

struct raw_duplicate_ip {
	uint32_t *moves, *window, *hold_down, *confirm;
	char *action, *as_mac;
};

struct raw_announce {
	char *on;
	uint32_t *rate, *port_rate;
};

struct raw_agent {
	char *bridge, *vxlan;
	struct raw_list ports, underlay;
	struct raw_policy policy;
	struct raw_port *port_settings;
	uint32_t port_settings_count;
	struct raw_quarantine *quarantine;
	struct raw_sponge *sponge;
	struct raw_dead *dead;
	struct raw_duplicate_ip *duplicate_ip;
	struct raw_announce *announce;
	char *unregistered_ports, *na_without_override, *mac_list, *mac_swap;
	bool *manage_fdb, anycast;
	uint32_t *age_time, *refresh, *max_bindings;
};

struct raw_duplicate {
	uint32_t *moves, *window;
	char *recovery, *action;
};

struct raw_switch {
	char *name, *pe;
};

struct raw_fetch {
	char *url, *key_file, *ca_file, *ixf, *into;
	struct raw_switch *switches;
	uint32_t switches_count;
	uint32_t addresses, *max_removed, timeout;
};

struct raw_pe_vtep {
	char *pe, *vtep;
};

struct raw_lan {
	char *name, *rd, *vtep, *route_target;
	uint32_t vni, vlan;
	struct raw_list prefixes, import, registry;
	struct raw_fetch *fetch;
	struct raw_agent *agent;
	struct raw_duplicate *duplicate;
	bool *assume_router;
	char *registry_routes;
	struct raw_pe_vtep *pe_vteps;
	uint32_t pe_vteps_count;
};

struct raw_http {
	char *quelld, *agent;
	bool open;
	struct raw_list hosts;
};

struct raw_config {
	char *router_id;
	struct raw_bgp *bgp;
	struct raw_lan *lans;
	uint32_t lans_count;
	char *run_dir, *pin_dir, *state_dir, *user, *group, *feed_user, *log, *plane;
	struct raw_http *http;
};

extern const cyaml_schema_value_t config_schema;
