/* The keys of the file as a table: where a value is, how it is written (field_put.c), how a change of it takes effect. */
#include "config/field.h"

#include <string.h>

#define ROW(part, type, object, key, member, quelld, agent)                                        \
	{                                                                                          \
		CONFIG_##part, key, CONFIG_##quelld, CONFIG_##agent, T_##type,                     \
			offsetof(struct object, member), 0                                         \
	}
#define ROWS(part, type, object, key, member, count, quelld, agent)                                \
	{                                                                                          \
		CONFIG_##part, key, CONFIG_##quelld, CONFIG_##agent, T_##type,                     \
			offsetof(struct object, member), offsetof(struct object, count)            \
	}
#define TOP(type, ...) ROW(TOP, type, config, __VA_ARGS__)
#define BGP(type, ...) ROW(BGP, type, config, __VA_ARGS__)
#define NEIGHBOR(type, key, member, quelld)                                                        \
	ROW(NEIGHBOR, type, config_neighbor, key, member, quelld, NOTHING)
#define BMP(type, key, member, quelld) ROW(BMP, type, config_bmp, key, member, quelld, NOTHING)
#define LAN(type, ...) ROW(LAN, type, config_lan, __VA_ARGS__)
#define AGENT(type, key, member, agent) ROW(AGENT, type, config_agent, key, member, NOTHING, agent)
#define PORT(type, key, member, agent) ROW(PORT, type, config_port, key, member, NOTHING, agent)

/* The rows of struct config_policy: those of a LAN, and of a port for which something else is said. */
#define RULE(part, object, sym, token)                                                             \
	{                                                                                          \
		CONFIG_##part, "rules." token, CONFIG_NOTHING, CONFIG_IN_PLACE, T_RULE,            \
			offsetof(struct object, policy.rules), RULE_##sym                          \
	}
#define AGENT_RULE(sym, token, number, text) RULE(AGENT, config_agent, sym, token),
#define PORT_RULE(sym, token, number, text) RULE(PORT, config_port, sym, token),
#define IN_PLACE(part, type, object, key, member)                                                  \
	ROW(part, type, object, key, policy.member, NOTHING, IN_PLACE)
/* clang-format off */
#define POLICY(p, o) \
	IN_PLACE(p, CLASSES,        o, "flood",           flood_classes), \
	IN_PLACE(p, GRATUITOUS,     o, "gratuitous",      flood_classes), \
	IN_PLACE(p, WORD_UNKNOWN,   o, "unknown-target",  unknown_target), \
	IN_PLACE(p, WORD_NS_OPTION, o, "ns-option",       ns_option), \
	IN_PLACE(p, FLAG,           o, "unicast-forward", unicast_forward), \
	IN_PLACE(p, FLAG,           o, "dry-run",         dry_run), \
	IN_PLACE(p, WORD_ACCELERATE, o, "accelerate",     accelerate), \
	IN_PLACE(p, POLICER, o, "police.in",                police[DIR_IN][POLICE_ALL]), \
	IN_PLACE(p, POLICER, o, "police.known",             police[DIR_IN][POLICE_KNOWN]), \
	IN_PLACE(p, POLICER, o, "police.exchange",          police[DIR_IN][POLICE_EXCHANGE]), \
	IN_PLACE(p, POLICER, o, "police.unknown",           police[DIR_IN][POLICE_UNKNOWN]), \
	IN_PLACE(p, POLICER, o, "police.announcements",     police[DIR_IN][POLICE_ANNOUNCE]), \
	IN_PLACE(p, POLICER, o, "police.other",             police[DIR_IN][POLICE_OTHER]), \
	IN_PLACE(p, POLICER, o, "police.out",               police[DIR_OUT][POLICE_ALL]), \
	IN_PLACE(p, POLICER, o, "police.out-requests",      police[DIR_OUT][POLICE_UNKNOWN]), \
	IN_PLACE(p, POLICER, o, "police.out-announcements", police[DIR_OUT][POLICE_ANNOUNCE]), \
	IN_PLACE(p, POLICER, o, "police.out-other",         police[DIR_OUT][POLICE_OTHER]), \
	IN_PLACE(p, POLICER, o, "police.fabric",            police_fabric)
/* clang-format on */

/* clang-format off */
static const struct config_field fields[] = {
	/*  type     key              member          quelld    agent */
	TOP(IP,      "router-id",     router_ip,      RESTART,  RESTART),
	TOP(TEXT,    "run-dir",       run_dir,        RESTART,  RESTART),
	TOP(TEXT,    "pin-dir",       pin_dir,        NOTHING,  RESTART),
	TOP(TEXT,    "state-dir",     state_dir,      NOTHING,  RESTART),
	TOP(TEXT,    "user",          user,           RESTART,  NOTHING),
	TOP(TEXT,    "group",         group,          RESTART,  NOTHING),
	TOP(TEXT,    "feed-user",     feed_user,      RESTART,  NOTHING),
	TOP(TEXT,    "log",           log,            IN_PLACE, IN_PLACE),
	TOP(WORD_PLANE, "plane",      plane,          NOTHING,  RESTART),
	TOP(ENDPOINT, "http.quelld",  http.quelld,    IN_PLACE, IN_PLACE),
	TOP(ENDPOINT, "http.agent",   http.agent,     IN_PLACE, RESTART),
	TOP(FLAG,    "http.public",   http.open,      IN_PLACE, IN_PLACE),
	ROWS(TOP, TEXTS, config, "http.hosts", http.hosts, http.host_count, IN_PLACE, IN_PLACE),

	BGP(U32,     "as",            as,             RESTART,  NOTHING),
	BGP(U16,     "port",          port,           RESTART,  NOTHING),
	ROWS(BGP, IPS, config, "listen", listen, listen_count, IN_PLACE, NOTHING),
	BGP(ID,      "cluster-id",    cluster_id,     RESET,    NOTHING),
	BGP(U32,     "hold-time",     hold_time,      RESET,    NOTHING),
	BGP(U32,     "restart-time",  restart_time,   LATER,    NOTHING),
	BGP(U32,     "defer-time",    defer_time,     LATER,    NOTHING),
	BGP(TYPES, "import.types", import.types, IN_PLACE, NOTHING),
	BGP(UNKNOWN_TYPES, "import.unknown-route-types", import.types, IN_PLACE, NOTHING),
	BGP(RTS, "import.route-targets", import, IN_PLACE, NOTHING),
	BGP(VTEPS, "import.vteps", import, IN_PLACE, NOTHING),
	BGP(FLAG, "import.sanity", import.sanity, IN_PLACE, NOTHING),
	BGP(FLAG, "import.sticky-macs", import.sticky_macs, IN_PLACE, NOTHING),
	BGP(OPT, "import.max.ad", import.max_by_class[1], IN_PLACE, NOTHING),
	BGP(OPT, "import.max.mac-ip", import.max_by_class[2], IN_PLACE, NOTHING),
	BGP(OPT, "import.max.imet", import.max_by_class[3], IN_PLACE, NOTHING),
	BGP(OPT, "import.max.es", import.max_by_class[4], IN_PLACE, NOTHING),
	BGP(OPT, "import.max.ip-prefix", import.max_by_class[5], IN_PLACE, NOTHING),
	BGP(OPT, "import.max.other", import.max_by_class[0], IN_PLACE, NOTHING),

	NEIGHBOR(IP,     "address",       address,       ANEW),
	NEIGHBOR(PREFIX, "prefix",        prefix,        ANEW),
	NEIGHBOR(U32,    "max",           max,           IN_PLACE),
	NEIGHBOR(U32,    "remote-as",     remote_as,     ANEW),
	NEIGHBOR(TEXT,   "name",          name,          IN_PLACE),
	NEIGHBOR(FLAG,   "client",        client,        ANEW),
	NEIGHBOR(FLAG,   "passive",       passive,       IN_PLACE),
	NEIGHBOR(FLAG,   "shutdown",      shutdown,      IN_PLACE),
	NEIGHBOR(HOLD,   "hold-time",     hold_time,     RESET),
	NEIGHBOR(U32,    "connect-retry", connect_retry, IN_PLACE),
	NEIGHBOR(OPT,    "max-routes",    max_routes,    IN_PLACE),
	NEIGHBOR(OPT,    "stale-time",    stale_time,    IN_PLACE),
	NEIGHBOR(SECRET, "password-file", password_file, RESET),
	NEIGHBOR(HOPS,   "ttl-security",  ttl_security,  IN_PLACE),
	NEIGHBOR(WORD_ROLE, "role",       role,          RESET),
	NEIGHBOR(FLAG,   "role-strict",   role_strict,   RESET),
	NEIGHBOR(FLAG,   "otc",           otc,           RESET),
	NEIGHBOR(WORD_ADD_PATH, "add-path", add_path,    RESET),
	NEIGHBOR(FLAG,   "control-communities", control_communities, RESET),
	NEIGHBOR(FLAG,   "rt-constrain",  rt_constrain,  RESET),
	NEIGHBOR(OPT,    "long-lived-time", llgr_time,   RESET),
	NEIGHBOR(WORD_PROFILE, "profile", conservative,  RESET),
	NEIGHBOR(TYPES, "import.types", import.types, IN_PLACE),
	NEIGHBOR(UNKNOWN_TYPES, "import.unknown-route-types", import.types, IN_PLACE),
	NEIGHBOR(RTS, "import.route-targets", import, IN_PLACE),
	NEIGHBOR(VTEPS, "import.vteps", import, IN_PLACE),
	NEIGHBOR(FLAG, "import.sanity", import.sanity, IN_PLACE),
	NEIGHBOR(FLAG, "import.sticky-macs", import.sticky_macs, IN_PLACE),
	NEIGHBOR(OPT, "import.max.ad", import.max_by_class[1], IN_PLACE),
	NEIGHBOR(OPT, "import.max.mac-ip", import.max_by_class[2], IN_PLACE),
	NEIGHBOR(OPT, "import.max.imet", import.max_by_class[3], IN_PLACE),
	NEIGHBOR(OPT, "import.max.es", import.max_by_class[4], IN_PLACE),
	NEIGHBOR(OPT, "import.max.ip-prefix", import.max_by_class[5], IN_PLACE),
	NEIGHBOR(OPT, "import.max.other", import.max_by_class[0], IN_PLACE),

	BMP(IP,      "address",       address,        ANEW),
	BMP(U16,     "port",          port,           ANEW),
	BMP(TEXT,    "name",          name,           ANEW),
	BMP(WORD_BMP_POLICY, "policy", policy,        ANEW),
	BMP(U32,     "stats-interval", stats_interval, ANEW),
	BMP(U32,     "connect-retry", connect_retry,  ANEW),
	BMP(U32,     "queue",         queue,          ANEW),

	LAN(TEXT,    "name",          name,           ANEW,     RESTART),
	LAN(U32,     "vni",           vni,            IN_PLACE, RESTART),
	LAN(EXPORT,  "route-target",  route_targets,  IN_PLACE, NOTHING),
	LAN(IMPORT,  "import",        route_targets,  IN_PLACE, NOTHING),
	LAN(RD,      "rd",            rd,             IN_PLACE, NOTHING),
	LAN(IP,      "vtep",          vtep,           IN_PLACE, IN_PLACE),
	LAN(U32,     "duplicate-mac.moves",    dup_moves,    IN_PLACE, NOTHING),
	LAN(U32,     "duplicate-mac.window",   dup_window,   IN_PLACE, NOTHING),
	LAN(NEVER,   "duplicate-mac.recovery", dup_recovery, IN_PLACE, NOTHING),
	LAN(WORD_DUPLICATE, "duplicate-mac.action", dup_action, IN_PLACE, NOTHING),
	LAN(FLAG,    "assume-router",          assume_router, IN_PLACE, NOTHING),
	ROWS(LAN, PREFIXES, config_lan, "prefixes", prefixes, prefix_count, IN_PLACE, IN_PLACE),
	ROWS(LAN, TEXTS, config_lan, "registry", registry, registry_count, IN_PLACE, IN_PLACE),
	LAN(OPT,     "vlan",          vlan,           IN_PLACE, IN_PLACE),
	LAN(TEXT,    "fetch.url",      fetch.url,      NOTHING, NOTHING),
	LAN(TEXT,    "fetch.key-file", fetch.key_file, NOTHING, NOTHING),
	LAN(TEXT,    "fetch.ca-file",  fetch.ca_file,  NOTHING, NOTHING),
	LAN(WORD_IXF, "fetch.ixf",     fetch.ixf,      NOTHING, NOTHING),
	ROWS(LAN, SWITCH_NAMES, config_lan, "fetch.switches.name", fetch.switches, fetch.switch_count,
		NOTHING, NOTHING),
	ROWS(LAN, SWITCH_PES, config_lan, "fetch.switches.pe", fetch.switches, fetch.switch_count,
		NOTHING, NOTHING),
	LAN(OPT,     "fetch.addresses", fetch.addresses, NOTHING, NOTHING),
	LAN(TEXT,    "fetch.into",     fetch.into,     NOTHING, NOTHING),
	LAN(U32,     "fetch.max-removed", fetch.max_removed, NOTHING, NOTHING),
	LAN(U32,     "fetch.timeout",  fetch.timeout,  NOTHING, NOTHING),
	LAN(WORD_REGISTRY_ROUTES, "registry-routes", registry_routes, IN_PLACE, NOTHING),
	ROWS(LAN, PE_VTEPS, config_lan, "pe-vteps", pe_vteps, pe_vtep_count, IN_PLACE, NOTHING),

	AGENT(TEXT,    "bridge",             bridge,             RESTART),
	AGENT(TEXT,    "vxlan",              vxlan,              RESTART),
	AGENT(PORTS,   "ports",              ports,              IN_PLACE),
	ROWS(AGENT, TEXTS, config_agent, "underlay", underlay, underlay_count, NOTHING, IN_PLACE),
	POLICY(AGENT, config_agent),
	FRAME_RULES(AGENT_RULE)
	AGENT(U32,     "quarantine.violations", quarantine.violations, IN_PLACE),
	AGENT(U32,     "quarantine.window",  quarantine.window,  IN_PLACE),
	AGENT(RULES,   "quarantine.rules",   quarantine.rules,   IN_PLACE),
	AGENT(NEVER,   "quarantine.release", quarantine.release, IN_PLACE),
	AGENT(MAC,     "sponge.mac",         sponge.mac,         RESTART),
	AGENT(U32,     "sponge.queries",     sponge.queries,     IN_PLACE),
	AGENT(U32,     "sponge.window",      sponge.window,      IN_PLACE),
	AGENT(U32,     "sponge.probes",      sponge.probes,      IN_PLACE),
	AGENT(U32,     "sponge.learn",       sponge.learn_sec,   RESTART),
	AGENT(U32,     "sponge.source-rate", sponge.source_rate, IN_PLACE),
	AGENT(U32,     "sponge.max",         sponge.max,         IN_PLACE),
	AGENT(FLAG,    "sponge.repair",      sponge.repair,      IN_PLACE),
	AGENT(FLAG,    "sponge.gratuitous",  sponge.gratuitous,  IN_PLACE),
	AGENT(FLAG,    "sponge.network",     sponge.network,     IN_PLACE),
	AGENT(U32,     "sponge.sweep",       sponge.sweep_sec,   IN_PLACE),
	AGENT(U32,     "sponge.sweep-rate",  sponge.sweep_rate,  IN_PLACE),
	AGENT(WORD_DEAD, "dead-members.policy", dead.policy,     IN_PLACE),
	AGENT(U32,     "dead-members.after", dead.after_sec,     IN_PLACE),
	AGENT(U32,     "duplicate-ip.moves", duplicate_ip.moves, IN_PLACE),
	AGENT(U32,     "duplicate-ip.window", duplicate_ip.window, IN_PLACE),
	AGENT(U32,     "duplicate-ip.hold-down", duplicate_ip.hold_down, IN_PLACE),
	AGENT(U32,     "duplicate-ip.confirm", duplicate_ip.confirm, IN_PLACE),
	AGENT(WORD_DUPLICATE, "duplicate-ip.action", duplicate_ip.action, IN_PLACE),
	AGENT(MAC,     "duplicate-ip.as-mac", duplicate_ip.as_mac, IN_PLACE),
	AGENT(WORD_ANNOUNCE, "announce.on",  announce.on,        IN_PLACE),
	AGENT(U32,     "announce.rate",      announce.rate,      IN_PLACE),
	AGENT(U32,     "announce.port-rate", announce.port_rate, IN_PLACE),
	AGENT(FLAG,    "anycast",            anycast,            IN_PLACE),
	AGENT(WORD_OVERRIDE, "na-without-override", na_without_override, IN_PLACE),
	AGENT(WORD_MAC_LIST, "mac-list",     mac_list,           IN_PLACE),
	AGENT(NEVER,   "mac-swap",           mac_swap,           IN_PLACE),
	AGENT(WORD_UNREGISTERED, "unregistered-ports", learn_unregistered, IN_PLACE),
	AGENT(FLAG,    "manage-fdb",         manage_fdb,         RESTART),
	AGENT(U32,     "age-time",           age_sec,            IN_PLACE),
	AGENT(U32,     "refresh",            refresh_sec,        IN_PLACE),
	AGENT(U32,     "max-bindings",       max_bindings,       RESTART),

	PORT(NAME,     "ports",              name,               IN_PLACE),
	PORT(FLAG,     "quarantine",         quarantine,         IN_PLACE),
	POLICY(PORT, config_port),
	FRAME_RULES(PORT_RULE)
};
/* clang-format on */
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

const struct config_field *config_field_find(enum config_part part, const char *key)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].part == part && strcmp(fields[i].key, key) == 0)
			return &fields[i];
	return NULL;
}

const struct config_field *config_field_next(const struct config_field *f)
{
	if (!f)
		return fields;
	return f + 1 < fields + FIELDS ? f + 1 : NULL;
}
