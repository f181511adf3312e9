#include "config/schema.h"

#include <stddef.h>

/* Rows of optional keys. Text is a pointer that stays NULL, a number stays 0. */
#define TEXT(key, type, member)                                                                    \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, 4095)
#define NUMBER(key, type, member) CYAML_FIELD_UINT(key, CYAML_FLAG_OPTIONAL, type, member)
#define NUMBER_PTR(key, type, member)                                                              \
	CYAML_FIELD_UINT_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member)
#define FLAG(key, type, member) CYAML_FIELD_BOOL(key, CYAML_FLAG_OPTIONAL, type, member)
#define FLAG_PTR(key, type, member)                                                                \
	CYAML_FIELD_BOOL_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member)
#define MAPPING(key, type, member, fields)                                                         \
	CYAML_FIELD_MAPPING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, fields)
#define TEXTS(key, type, member, max)                                                              \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type,            \
		member.items, member.count, &text_schema, 0, max)

static const cyaml_schema_value_t text_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 4095),
};

static const cyaml_schema_field_t max_fields[] = {
	NUMBER("ad", struct raw_max, ad),
	NUMBER("mac-ip", struct raw_max, mac_ip),
	NUMBER("imet", struct raw_max, imet),
	NUMBER("es", struct raw_max, es),
	NUMBER("ip-prefix", struct raw_max, ip_prefix),
	NUMBER("other", struct raw_max, other),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t import_fields[] = {
	TEXTS("types", struct raw_import, types, 256),
	TEXTS("route-targets", struct raw_import, route_targets, 1024),
	TEXTS("vteps", struct raw_import, vteps, 1024),
	TEXT("unknown-route-types", struct raw_import, unknown_route_types),
	FLAG_PTR("sanity", struct raw_import, sanity),
	FLAG_PTR("sticky-macs", struct raw_import, sticky_macs),
	MAPPING("max", struct raw_import, max, max_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t neighbor_fields[] = {
	TEXT("address", struct raw_neighbor, address),
	TEXT("prefix", struct raw_neighbor, prefix),
	NUMBER("max", struct raw_neighbor, max),
	NUMBER("remote-as", struct raw_neighbor, remote_as),
	TEXT("name", struct raw_neighbor, name),
	FLAG("client", struct raw_neighbor, client),
	FLAG("passive", struct raw_neighbor, passive),
	FLAG("shutdown", struct raw_neighbor, shutdown),
	NUMBER_PTR("hold-time", struct raw_neighbor, hold_time),
	NUMBER("connect-retry", struct raw_neighbor, connect_retry),
	NUMBER("max-routes", struct raw_neighbor, max_routes),
	NUMBER("stale-time", struct raw_neighbor, stale_time),
	TEXT("password-file", struct raw_neighbor, password_file),
	NUMBER("ttl-security", struct raw_neighbor, ttl_security),
	TEXT("role", struct raw_neighbor, role),
	FLAG("role-strict", struct raw_neighbor, role_strict),
	FLAG("otc", struct raw_neighbor, otc),
	TEXT("add-path", struct raw_neighbor, add_path),
	FLAG("control-communities", struct raw_neighbor, control_communities),
	FLAG("rt-constrain", struct raw_neighbor, rt_constrain),
	NUMBER("long-lived-time", struct raw_neighbor, long_lived_time),
	TEXT("profile", struct raw_neighbor, profile),
	MAPPING("import", struct raw_neighbor, import, import_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t neighbor_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_neighbor, neighbor_fields),
};

static const cyaml_schema_field_t bmp_fields[] = {
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct raw_bmp, address, 1, 64),
	NUMBER("port", struct raw_bmp, port),
	CYAML_FIELD_STRING_PTR(
		"name", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_bmp, name, 1, 63),
	TEXT("policy", struct raw_bmp, policy),
	NUMBER_PTR("stats-interval", struct raw_bmp, stats_interval),
	NUMBER("connect-retry", struct raw_bmp, connect_retry),
	NUMBER("queue", struct raw_bmp, queue),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t bmp_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_bmp, bmp_fields),
};

static const cyaml_schema_field_t bgp_fields[] = {
	CYAML_FIELD_UINT("as", CYAML_FLAG_DEFAULT, struct raw_bgp, as),
	NUMBER("port", struct raw_bgp, port),
	TEXTS("listen", struct raw_bgp, listen, 64),
	TEXT("cluster-id", struct raw_bgp, cluster_id),
	NUMBER_PTR("hold-time", struct raw_bgp, hold_time),
	NUMBER_PTR("restart-time", struct raw_bgp, restart_time),
	NUMBER_PTR("defer-time", struct raw_bgp, defer_time),
	CYAML_FIELD_SEQUENCE("neighbors", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_bgp,
		neighbors, &neighbor_schema, 0, 4096),
	MAPPING("import", struct raw_bgp, import, import_fields),
	CYAML_FIELD_SEQUENCE("bmp", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_bgp, bmp,
		&bmp_schema, 0, 16),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t police_fields[] = {
	TEXT("in", struct raw_police, in),
	TEXT("out", struct raw_police, out),
	TEXT("known", struct raw_police, known),
	TEXT("exchange", struct raw_police, exchange),
	TEXT("unknown", struct raw_police, unknown),
	TEXT("announcements", struct raw_police, announcements),
	TEXT("other", struct raw_police, other),
	TEXT("out-requests", struct raw_police, out_requests),
	TEXT("out-announcements", struct raw_police, out_announcements),
	TEXT("out-other", struct raw_police, out_other),
	TEXT("fabric", struct raw_police, fabric),
	CYAML_FIELD_END,
};

#define RULE_FIELD(sym, token, number, text) TEXT(token, struct raw_rules, action[RULE_##sym]),

static const cyaml_schema_field_t rule_fields[] = {FRAME_RULES(RULE_FIELD) CYAML_FIELD_END};

/* Behind the first, which is no rule. */
#define RULE_FIELDS (rule_fields + 1)

#define POLICY(type)                                                                               \
	MAPPING("rules", type, policy.rules, RULE_FIELDS),                                         \
	TEXTS("flood", type, policy.flood, 64),                                                    \
	TEXT("gratuitous", type, policy.gratuitous),                                               \
	TEXT("unknown-target", type, policy.unknown_target),                                       \
	TEXT("ns-option", type, policy.ns_option),                                                 \
	FLAG_PTR("unicast-forward", type, policy.unicast_forward),                                 \
	FLAG_PTR("dry-run", type, policy.dry_run),                                                 \
	MAPPING("police", type, policy.police, police_fields),                                     \
	TEXT("accelerate", type, policy.accelerate)

static const cyaml_schema_field_t port_fields[] = {
	TEXTS("ports", struct raw_port, ports, 1024),
	POLICY(struct raw_port),
	FLAG("quarantine", struct raw_port, quarantine),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t port_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_port, port_fields),
};

static const cyaml_schema_field_t quarantine_fields[] = {
	NUMBER_PTR("violations", struct raw_quarantine, violations),
	NUMBER_PTR("window", struct raw_quarantine, window),
	TEXTS("rules", struct raw_quarantine, rules, 32),
	TEXT("release", struct raw_quarantine, release),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t sponge_fields[] = {
	TEXT("mac", struct raw_sponge, mac),
	NUMBER_PTR("queries", struct raw_sponge, queries),
	NUMBER_PTR("window", struct raw_sponge, window),
	NUMBER_PTR("probes", struct raw_sponge, probes),
	NUMBER_PTR("learn", struct raw_sponge, learn),
	NUMBER_PTR("source-rate", struct raw_sponge, source_rate),
	NUMBER_PTR("max", struct raw_sponge, max),
	FLAG_PTR("repair", struct raw_sponge, repair),
	FLAG_PTR("gratuitous", struct raw_sponge, gratuitous),
	FLAG_PTR("network", struct raw_sponge, network),
	NUMBER_PTR("sweep", struct raw_sponge, sweep),
	NUMBER_PTR("sweep-rate", struct raw_sponge, sweep_rate),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t dead_fields[] = {
	TEXT("policy", struct raw_dead, policy),
	NUMBER_PTR("after", struct raw_dead, after),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t duplicate_ip_fields[] = {
	NUMBER_PTR("moves", struct raw_duplicate_ip, moves),
	NUMBER_PTR("window", struct raw_duplicate_ip, window),
	NUMBER_PTR("hold-down", struct raw_duplicate_ip, hold_down),
	NUMBER_PTR("confirm", struct raw_duplicate_ip, confirm),
	TEXT("action", struct raw_duplicate_ip, action),
	TEXT("as-mac", struct raw_duplicate_ip, as_mac),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t announce_fields[] = {
	TEXT("on", struct raw_announce, on),
	NUMBER_PTR("rate", struct raw_announce, rate),
	NUMBER_PTR("port-rate", struct raw_announce, port_rate),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t agent_fields[] = {
	CYAML_FIELD_STRING_PTR("bridge", CYAML_FLAG_POINTER, struct raw_agent, bridge, 1, 15),
	CYAML_FIELD_STRING_PTR("vxlan", CYAML_FLAG_POINTER, struct raw_agent, vxlan, 1, 15),
	TEXTS("ports", struct raw_agent, ports, 1024),
	TEXTS("underlay", struct raw_agent, underlay, 64),
	POLICY(struct raw_agent),
	CYAML_FIELD_SEQUENCE("port-settings", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct raw_agent, port_settings, &port_schema, 0, 1024),
	MAPPING("quarantine", struct raw_agent, quarantine, quarantine_fields),
	MAPPING("sponge", struct raw_agent, sponge, sponge_fields),
	MAPPING("dead-members", struct raw_agent, dead, dead_fields),
	MAPPING("duplicate-ip", struct raw_agent, duplicate_ip, duplicate_ip_fields),
	MAPPING("announce", struct raw_agent, announce, announce_fields),
	FLAG("anycast", struct raw_agent, anycast),
	TEXT("na-without-override", struct raw_agent, na_without_override),
	TEXT("mac-list", struct raw_agent, mac_list),
	TEXT("mac-swap", struct raw_agent, mac_swap),
	TEXT("unregistered-ports", struct raw_agent, unregistered_ports),
	FLAG_PTR("manage-fdb", struct raw_agent, manage_fdb),
	NUMBER_PTR("age-time", struct raw_agent, age_time),
	NUMBER_PTR("refresh", struct raw_agent, refresh),
	NUMBER_PTR("max-bindings", struct raw_agent, max_bindings),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t duplicate_fields[] = {
	NUMBER_PTR("moves", struct raw_duplicate, moves),
	NUMBER_PTR("window", struct raw_duplicate, window),
	TEXT("recovery", struct raw_duplicate, recovery),
	TEXT("action", struct raw_duplicate, action),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t switch_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct raw_switch, name, 1, 63),
	TEXT("pe", struct raw_switch, pe),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t switch_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_switch, switch_fields),
};

static const cyaml_schema_field_t fetch_fields[] = {
	CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, struct raw_fetch, url, 1, 1023),
	TEXT("key-file", struct raw_fetch, key_file),
	TEXT("ca-file", struct raw_fetch, ca_file),
	TEXT("ixf", struct raw_fetch, ixf),
	CYAML_FIELD_SEQUENCE("switches", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_fetch,
		switches, &switch_schema, 0, 256),
	NUMBER("addresses", struct raw_fetch, addresses),
	TEXT("into", struct raw_fetch, into),
	NUMBER_PTR("max-removed", struct raw_fetch, max_removed),
	NUMBER("timeout", struct raw_fetch, timeout),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t pe_vtep_fields[] = {
	CYAML_FIELD_STRING_PTR("pe", CYAML_FLAG_POINTER, struct raw_pe_vtep, pe, 1, 64),
	CYAML_FIELD_STRING_PTR("vtep", CYAML_FLAG_POINTER, struct raw_pe_vtep, vtep, 1, 64),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t pe_vtep_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_pe_vtep, pe_vtep_fields),
};

static const cyaml_schema_field_t lan_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct raw_lan, name, 1, 31),
	CYAML_FIELD_UINT("vni", CYAML_FLAG_DEFAULT, struct raw_lan, vni),
	TEXTS("prefixes", struct raw_lan, prefixes, 16),
	TEXT("route-target", struct raw_lan, route_target),
	TEXTS("import", struct raw_lan, import, 7),
	TEXT("rd", struct raw_lan, rd),
	TEXT("vtep", struct raw_lan, vtep),
	TEXTS("registry", struct raw_lan, registry, 16),
	NUMBER("vlan", struct raw_lan, vlan),
	MAPPING("fetch", struct raw_lan, fetch, fetch_fields),
	MAPPING("agent", struct raw_lan, agent, agent_fields),
	MAPPING("duplicate-mac", struct raw_lan, duplicate, duplicate_fields),
	FLAG_PTR("assume-router", struct raw_lan, assume_router),
	TEXT("registry-routes", struct raw_lan, registry_routes),
	CYAML_FIELD_SEQUENCE("pe-vteps", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_lan, pe_vteps,
		&pe_vtep_schema, 0, 1024),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t lan_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_lan, lan_fields),
};

static const cyaml_schema_field_t http_fields[] = {
	TEXT("quelld", struct raw_http, quelld),
	TEXT("agent", struct raw_http, agent),
	FLAG("public", struct raw_http, open),
	TEXTS("hosts", struct raw_http, hosts, 16),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t config_fields[] = {
	CYAML_FIELD_STRING_PTR("router-id", CYAML_FLAG_POINTER, struct raw_config, router_id, 1, 64),
	MAPPING("bgp", struct raw_config, bgp, bgp_fields),
	CYAML_FIELD_SEQUENCE("lans", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_config,
		lans, &lan_schema, 0, 64),
	TEXT("run-dir", struct raw_config, run_dir),
	TEXT("pin-dir", struct raw_config, pin_dir),
	TEXT("state-dir", struct raw_config, state_dir),
	TEXT("user", struct raw_config, user),
	TEXT("group", struct raw_config, group),
	TEXT("feed-user", struct raw_config, feed_user),
	TEXT("log", struct raw_config, log),
	TEXT("plane", struct raw_config, plane),
	MAPPING("http", struct raw_config, http, http_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_config, config_fields),
};
