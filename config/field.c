/* The keys of the file as a table: where a value is, how it is written, how a change of it takes effect. */
#include "config/field.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/words.h"
#include "proxyarp/verdict.h"

/* --- the table --- */

enum type {
	T_FLAG, /* bool */
	T_U16,
	T_U32,
	T_OPT,  /* uint32_t; 0: not said */
	T_HOLD, /* int32_t; -1: not said */
	T_HOPS, /* uint8_t; the same */
	T_RATE, /* uint64_t, bits a second */
	T_TEXT,
	T_SECRET, /* the path is shown, the content compared */
	T_IP,
	T_ID, /* uint32_t in host order, shown as an address */
	T_PREFIX,
	T_RD,
	T_IPS,
	T_PREFIXES,
	T_TEXTS,
	T_EXPORT, /* of struct config_lan: route-target */
	T_IMPORT, /* the others */
	T_PORTS,
	T_CLASSES,
	T_TYPES, /* bits */
	T_UNKNOWN_TYPES,
	T_RTS, /* of struct config_import */
	T_VTEPS,
	T_NEVER, /* uint32_t; 0: never */
	T_WORD_ROLE,
	T_WORD_ADD_PATH,
	T_WORD_PROFILE,
	T_WORD_BMP_POLICY,
	T_WORD_PLANE,
	T_WORD_UNKNOWN,
	T_WORD_NS_OPTION,
	T_WORD_UNREGISTERED,
	T_WORD_ACCELERATE,
	T_WORD_DUPLICATE,
};

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
	LAN(IP,      "vtep",          vtep,           IN_PLACE, NOTHING),
	LAN(U32,     "duplicate-mac.moves",    dup_moves,    IN_PLACE, NOTHING),
	LAN(U32,     "duplicate-mac.window",   dup_window,   IN_PLACE, NOTHING),
	LAN(NEVER,   "duplicate-mac.recovery", dup_recovery, IN_PLACE, NOTHING),
	LAN(WORD_DUPLICATE, "duplicate-mac.action", dup_action, IN_PLACE, NOTHING),
	ROWS(LAN, PREFIXES, config_lan, "prefixes", prefixes, prefix_count, IN_PLACE, RESTART),
	ROWS(LAN, TEXTS, config_lan, "registry", registry, registry_count, NOTHING, RESTART),

	AGENT(TEXT,    "bridge",             bridge,             RESTART),
	AGENT(TEXT,    "vxlan",              vxlan,              RESTART),
	AGENT(PORTS,   "ports",              ports,              RESTART),
	AGENT(CLASSES, "flood",              flood_classes,      IN_PLACE),
	AGENT(WORD_UNKNOWN, "unknown-target", unknown_target,    IN_PLACE),
	AGENT(WORD_UNREGISTERED, "unregistered-ports", learn_unregistered, RESTART),
	AGENT(WORD_NS_OPTION, "ns-option",   ns_option,          IN_PLACE),
	AGENT(WORD_ACCELERATE, "accelerate", accelerate,         RESTART),
	AGENT(RATE,    "police.in",          police_in_bps,      IN_PLACE),
	AGENT(RATE,    "police.out",         police_out_bps,     IN_PLACE),
	AGENT(FLAG,    "manage-fdb",         manage_fdb,         RESTART),
	AGENT(U32,     "age-time",           age_sec,            RESTART),
	AGENT(U32,     "max-bindings",       max_bindings,       RESTART),
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

/* --- values as text --- */

void config_text_put(struct config_text *t, const char *fmt, ...)
{
	for (;;) {
		va_list ap;
		va_start(ap, fmt);
		size_t room = t->cap - t->len;
		size_t n = (size_t)vsnprintf(t->p ? t->p + t->len : NULL, room, fmt, ap);
		va_end(ap);
		if (n < room) {
			t->len += n;
			return;
		}
		t->cap = 2 * t->cap + n + 64;
		t->p = realloc(t->p, t->cap);
		if (!t->p)
			abort();
	}
}

static void put_word(struct config_text *t, const struct convert_word *words, int value)
{
	for (; words->word; words++)
		if (words->value == value) {
			config_text_put(t, "%s", words->word);
			return;
		}
	config_text_put(t, "none");
}

static void put_hold(struct config_text *t, int32_t n)
{
	if (n < 0)
		config_text_put(t, "none");
	else
		config_text_put(t, "%d", n);
}

static void put_optional(struct config_text *t, uint32_t n)
{
	if (n)
		config_text_put(t, "%u", n);
	else
		config_text_put(t, "none");
}

static void put_rate(struct config_text *t, uint64_t bps)
{
	static const struct {
		const char *unit;
		uint64_t factor;
	} units[] = {{" gbit", 1000000000}, {" mbit", 1000000}, {" kbit", 1000}, {"", 1}};
	size_t i = 0;

	while (units[i].factor > 1 && (!bps || bps % units[i].factor))
		i++;
	config_text_put(t, "%llu%s", (unsigned long long)(bps / units[i].factor), units[i].unit);
}

static void put_export(struct config_text *t, const struct config_lan *lan)
{
	char buf[RD_TEXT];

	if (lan->import_auto)
		config_text_put(t, "auto");
	else if (lan->route_target_count)
		config_text_put(t, "%s", rt_format(lan->route_targets[0], buf));
}

static const char *comma(size_t i, size_t first)
{
	return i > first ? ", " : "";
}

static void put_import(struct config_text *t, const struct config_lan *lan)
{
	char buf[RD_TEXT];

	config_text_put(t, "[");
	for (size_t i = 1; i < lan->route_target_count; i++)
		config_text_put(t, "%s%s", comma(i, 1), rt_format(lan->route_targets[i], buf));
	config_text_put(t, "]");
}

static void put_ports(struct config_text *t, const struct config_agent *a)
{
	if (a->all_ports) {
		config_text_put(t, "all");
		return;
	}
	config_text_put(t, "[");
	for (size_t i = 0; i < a->port_count; i++)
		config_text_put(t, "%s%s", comma(i, 0), a->ports[i]);
	config_text_put(t, "]");
}

static void put_classes(struct config_text *t, uint64_t classes)
{
	bool first = true;

	config_text_put(t, "[");
	for (int cls = 0; cls < CLASS_COUNT; cls++) {
		if (!(classes & CLASS_BIT(cls)))
			continue;
		config_text_put(t, "%s%s", first ? "" : ", ", class_name(cls));
		first = false;
	}
	config_text_put(t, "]");
}

static void put_list(struct config_text *t, enum type type, const void *array, uint32_t count)
{
	char buf[PREFIX_TEXT];

	config_text_put(t, "[");
	for (size_t i = 0; i < count; i++) {
		config_text_put(t, "%s", comma(i, 0));
		if (type == T_IPS)
			config_text_put(t, "%s", ip_format(((const struct ip *)array)[i], buf));
		else if (type == T_PREFIXES)
			config_text_put(
				t, "%s", prefix_format(&((const struct prefix *)array)[i], buf));
		else
			config_text_put(t, "%s", ((char *const *)array)[i]);
	}
	config_text_put(t, "]");
}

static void put_vteps(struct config_text *t, const struct config_import *im)
{
	if (im->vtep_count)
		put_list(t, T_PREFIXES, im->vteps, im->vtep_count);
	else
		config_text_put(t, "any");
}

static bool has_type(const uint8_t *types, int type)
{
	return types[type / 8] & 1 << type % 8;
}

/* Whether all that are not known come in, not only those listed. */
static bool relays_unknown(const uint8_t *types)
{
	return has_type(types, 0);
}

static void put_types(struct config_text *t, const uint8_t *types)
{
	bool first = true;

	config_text_put(t, "[");
	for (int type = 1; type < 256; type++) {
		if (!has_type(types, type) ||
			(type > CONFIG_TYPE_KNOWN_MAX && relays_unknown(types)))
			continue;
		config_text_put(t, "%s", first ? "" : ", ");
		if (type <= CONFIG_TYPE_KNOWN_MAX)
			put_word(t, config_route_type_words, type);
		else
			config_text_put(t, "%d", type);
		first = false;
	}
	config_text_put(t, "]");
}

static void put_rts(struct config_text *t, const struct config_import *im)
{
	char buf[RD_TEXT];

	config_text_put(t, im->rt_count ? "[" : "any");
	for (size_t i = 0; i < im->rt_count; i++) {
		const struct rt_pattern *p = &im->rts[i];
		if (p->vni)
			config_text_put(t, "%s*:%u", comma(i, 0), p->vni);
		else
			config_text_put(t, "%s%s", comma(i, 0), rt_format(p->rt, buf));
	}
	config_text_put(t, im->rt_count ? "]" : "");
}

static const struct convert_word *words_of(enum type type)
{
	switch (type) {
	case T_WORD_ROLE:
		return config_role_words;
	case T_WORD_ADD_PATH:
		return config_add_path_words;
	case T_WORD_BMP_POLICY:
		return config_bmp_policy_words;
	case T_WORD_PLANE:
		return config_plane_words;
	case T_WORD_UNKNOWN:
		return config_unknown_words;
	case T_WORD_NS_OPTION:
		return config_ns_option_words;
	case T_WORD_UNREGISTERED:
		return config_unregistered_words;
	case T_WORD_DUPLICATE:
		return config_duplicate_words;
	default:
		return config_accelerate_words;
	}
}

void config_field_put(struct config_text *t, const struct config_field *f, const void *object)
{
	const char *at = (const char *)object + f->offset;
	char buf[PREFIX_TEXT];

	switch ((enum type)f->type) {
	case T_FLAG:
		config_text_put(t, "%s", *(const bool *)at ? "true" : "false");
		break;
	case T_U16:
		config_text_put(t, "%u", *(const uint16_t *)at);
		break;
	case T_U32:
		config_text_put(t, "%u", *(const uint32_t *)at);
		break;
	case T_OPT:
		put_optional(t, *(const uint32_t *)at);
		break;
	case T_HOLD:
		put_hold(t, *(const int32_t *)at);
		break;
	case T_HOPS:
		put_optional(t, *(const uint8_t *)at);
		break;
	case T_RATE:
		put_rate(t, *(const uint64_t *)at);
		break;
	case T_TEXT:
	case T_SECRET:
		config_text_put(t, "%s", *(char *const *)at ? *(char *const *)at : "none");
		break;
	case T_IP:
		if (((const struct ip *)at)->family)
			config_text_put(t, "%s", ip_format(*(const struct ip *)at, buf));
		else
			config_text_put(t, "none");
		break;
	case T_ID:
		config_text_put(t, "%s", ip_format(ip_v4_u32(*(const uint32_t *)at), buf));
		break;
	case T_PREFIX:
		if (((const struct prefix *)at)->ip.family)
			config_text_put(t, "%s", prefix_format((const struct prefix *)at, buf));
		else
			config_text_put(t, "none");
		break;
	case T_RD:
		config_text_put(t, "%s", rd_format(*(const struct rd *)at, buf));
		break;
	case T_IPS:
	case T_PREFIXES:
	case T_TEXTS:
		put_list(t, f->type, *(void *const *)at,
			*(const uint32_t *)((const char *)object + f->count_offset));
		break;
	case T_EXPORT:
		put_export(t, object);
		break;
	case T_IMPORT:
		put_import(t, object);
		break;
	case T_PORTS:
		put_ports(t, object);
		break;
	case T_CLASSES:
		put_classes(t, *(const uint64_t *)at);
		break;
	case T_TYPES:
		put_types(t, (const uint8_t *)at);
		break;
	case T_UNKNOWN_TYPES:
		put_word(t, config_unknown_type_words, relays_unknown((const uint8_t *)at));
		break;
	case T_RTS:
		put_rts(t, (const struct config_import *)at);
		break;
	case T_VTEPS:
		put_vteps(t, (const struct config_import *)at);
		break;
	case T_NEVER:
		if (*(const uint32_t *)at)
			config_text_put(t, "%u", *(const uint32_t *)at);
		else
			config_text_put(t, "never");
		break;
	case T_WORD_PROFILE:
		config_text_put(t, "%s", *(const bool *)at ? "conservative" : "standard");
		break;
	default:
		put_word(t, words_of(f->type), *(const int *)at);
	}
}

bool config_field_same_secret(const struct config_field *f, const void *a, const void *b)
{
	const struct config_neighbor *n = a, *o = b;

	if (f->type != T_SECRET)
		return true;
	return !n->password == !o->password &&
	       (!n->password || strcmp(n->password, o->password) == 0);
}
