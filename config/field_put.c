/* The values of the file as text, as they would be written there: what a reload shows, and how it finds what differs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/field.h"
#include "config/parts.h"
#include "config/words.h"
#include "proxyarp/verdict.h"

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

/* --- values; `at`: the member that the row names --- */

static void put_flag(struct config_text *t, const void *at)
{
	config_text_put(t, "%s", *(const bool *)at ? "true" : "false");
}

static void put_profile(struct config_text *t, const void *at)
{
	config_text_put(t, "%s", *(const bool *)at ? "conservative" : "standard");
}

static void put_u16(struct config_text *t, const void *at)
{
	config_text_put(t, "%u", *(const uint16_t *)at);
}

static void put_u32(struct config_text *t, const void *at)
{
	config_text_put(t, "%u", *(const uint32_t *)at);
}

static void put_unless_0(struct config_text *t, uint32_t n, const char *otherwise)
{
	if (n)
		config_text_put(t, "%u", n);
	else
		config_text_put(t, "%s", otherwise);
}

static void put_optional(struct config_text *t, const void *at)
{
	put_unless_0(t, *(const uint32_t *)at, "none");
}

static void put_hops(struct config_text *t, const void *at)
{
	put_unless_0(t, *(const uint8_t *)at, "none");
}

static void put_never(struct config_text *t, const void *at)
{
	put_unless_0(t, *(const uint32_t *)at, "never");
}

static void put_hold(struct config_text *t, const void *at)
{
	int32_t n = *(const int32_t *)at;

	if (n < 0)
		config_text_put(t, "none");
	else
		config_text_put(t, "%d", n);
}

static void put_policer(struct config_text *t, const void *at)
{
	const struct layout_policer *p = at;
	static const struct {
		const char *unit;
		uint64_t factor;
	} units[] = {{" gbit", 1000000000}, {" mbit", 1000000}, {" kbit", 1000}, {"", 1}};
	size_t i = 0;

	while (units[i].factor > 1 && (!p->rate || p->rate % units[i].factor))
		i++;
	if (p->rate && p->unit == UNIT_PACKETS)
		config_text_put(t, "%llu pps", (unsigned long long)p->rate);
	else
		config_text_put(t, "%llu%s", (unsigned long long)(p->rate / units[i].factor), units[i].unit);
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

/* Of a set of bits. */
static void put_names(struct config_text *t, uint64_t bits, const char *const *names, int count)
{
	bool first = true;

	config_text_put(t, "[");
	for (int i = 0; i < count; i++) {
		if (!(bits & 1ULL << i))
			continue;
		config_text_put(t, "%s%s", first ? "" : ", ", names[i]);
		first = false;
	}
	config_text_put(t, "]");
}

static void put_rules(struct config_text *t, const void *at)
{
	const char *names[RULE_COUNT];

	for (int i = 0; i < RULE_COUNT; i++)
		names[i] = rule_name((enum frame_rule)i);
	put_names(t, *(const uint64_t *)at, names, RULE_COUNT);
}

static bool is_gratuitous(uint64_t classes)
{
	return (classes & CONFIG_GRATUITOUS) == CONFIG_GRATUITOUS;
}

static void put_gratuitous(struct config_text *t, const void *at)
{
	put_word(t, config_gratuitous_words, is_gratuitous(*(const uint64_t *)at));
}

/* Those that `gratuitous` says are not said again. */
static void put_classes(struct config_text *t, const void *at)
{
	uint64_t classes = *(const uint64_t *)at;
	const char *names[CLASS_COUNT];

	for (int i = 0; i < CLASS_COUNT; i++)
		names[i] = class_name((enum frame_class)i);
	put_names(t, is_gratuitous(classes) ? classes & ~CONFIG_GRATUITOUS : classes, names, CLASS_COUNT);
}

static void put_text(struct config_text *t, const void *at)
{
	const char *text = *(char *const *)at;

	config_text_put(t, "%s", text ? text : "none");
}

static void put_name(struct config_text *t, const void *at)
{
	config_text_put(t, "%s", (const char *)at);
}

static void put_ip(struct config_text *t, const void *at)
{
	const struct ip *ip = at;
	char buf[IP_TEXT];

	config_text_put(t, "%s", ip->family ? ip_format(*ip, buf) : "none");
}

static void put_id(struct config_text *t, const void *at)
{
	char buf[IP_TEXT];

	config_text_put(t, "%s", ip_format(ip_v4_u32(*(const uint32_t *)at), buf));
}

static void put_prefix(struct config_text *t, const void *at)
{
	const struct prefix *prefix = at;
	char buf[PREFIX_TEXT];

	config_text_put(t, "%s", prefix->ip.family ? prefix_format(prefix, buf) : "none");
}

static void put_rd(struct config_text *t, const void *at)
{
	char buf[RD_TEXT];

	config_text_put(t, "%s", rd_format(*(const struct rd *)at, buf));
}

static void put_mac(struct config_text *t, const void *at)
{
	struct mac mac = *(const struct mac *)at;
	char buf[MAC_TEXT];

	config_text_put(t, "%s", mac_is_zero(mac) ? "none" : mac_format(mac, buf));
}

static void put_list(struct config_text *t, enum config_field_type type, const void *array, uint32_t count)
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

static void put_switches(struct config_text *t, enum config_field_type type,
	const struct config_switch *list, uint32_t count)
{
	char buf[IP_TEXT];

	config_text_put(t, "[");
	for (size_t i = 0; i < count; i++) {
		const char *pe = list[i].pe ? ip_format(ip_v4_u32(list[i].pe), buf) : "any";
		config_text_put(t, "%s%s", comma(i, 0), type == T_SWITCH_PES ? pe : list[i].name);
	}
	config_text_put(t, "]");
}

static void put_endpoint(struct config_text *t, const void *at)
{
	const struct config_endpoint *e = at;
	char buf[IP_TEXT];

	if (e->port)
		config_text_put(t, e->ip.family == 6 ? "[%s]:%u" : "%s:%u", ip_format(e->ip, buf), e->port);
	else
		config_text_put(t, "none");
}

static void put_vteps(struct config_text *t, const void *at)
{
	const struct config_import *im = at;

	if (im->vtep_count)
		put_list(t, T_PREFIXES, im->vteps, im->vtep_count);
	else
		config_text_put(t, "any");
}

static void put_pe_vteps(struct config_text *t, const struct config_lan *lan)
{
	char pe[IP_TEXT], vtep[IP_TEXT];

	config_text_put(t, "[");
	for (uint32_t i = 0; i < lan->pe_vtep_count; i++)
		config_text_put(t, "%s%s at %s", i ? ", " : "", ip_format(lan->pe_vteps[i].pe, pe),
			ip_format(lan->pe_vteps[i].vtep, vtep));
	config_text_put(t, "]");
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

static void put_unknown_types(struct config_text *t, const void *at)
{
	put_word(t, config_unknown_type_words, relays_unknown(at));
}

static void put_types(struct config_text *t, const void *at)
{
	const uint8_t *types = at;
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

static void put_rts(struct config_text *t, const void *at)
{
	const struct config_import *im = at;
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

/* --- by the type --- */

/* Those that are an enumeration's. */
static const struct convert_word *const words[T_COUNT] = {
	[T_WORD_ROLE] = config_role_words,
	[T_WORD_ADD_PATH] = config_add_path_words,
	[T_WORD_BMP_POLICY] = config_bmp_policy_words,
	[T_WORD_PLANE] = config_plane_words,
	[T_WORD_UNKNOWN] = config_unknown_words,
	[T_WORD_NS_OPTION] = config_ns_option_words,
	[T_WORD_UNREGISTERED] = config_unregistered_words,
	[T_WORD_ACCELERATE] = config_accelerate_words,
	[T_WORD_DUPLICATE] = config_duplicate_words,
	[T_WORD_OVERRIDE] = config_override_words,
	[T_WORD_MAC_LIST] = config_mac_list_words,
	[T_WORD_REGISTRY_ROUTES] = config_registry_routes_words,
	[T_WORD_DEAD] = config_dead_words,
	[T_WORD_ANNOUNCE] = config_announce_words,
	[T_WORD_IXF] = config_ixf_words,
};

/* Those of one member. */
static void (*const values[T_COUNT])(struct config_text *t, const void *at) = {
	[T_FLAG] = put_flag,
	[T_U16] = put_u16,
	[T_U32] = put_u32,
	[T_OPT] = put_optional,
	[T_HOLD] = put_hold,
	[T_HOPS] = put_hops,
	[T_POLICER] = put_policer,
	[T_TEXT] = put_text,
	[T_SECRET] = put_text,
	[T_IP] = put_ip,
	[T_ID] = put_id,
	[T_PREFIX] = put_prefix,
	[T_RD] = put_rd,
	[T_CLASSES] = put_classes,
	[T_GRATUITOUS] = put_gratuitous,
	[T_RULES] = put_rules,
	[T_MAC] = put_mac,
	[T_NAME] = put_name,
	[T_TYPES] = put_types,
	[T_UNKNOWN_TYPES] = put_unknown_types,
	[T_RTS] = put_rts,
	[T_VTEPS] = put_vteps,
	[T_ENDPOINT] = put_endpoint,
	[T_NEVER] = put_never,
	[T_WORD_PROFILE] = put_profile,
};

void config_field_put(struct config_text *t, const struct config_field *f, const void *object)
{
	const char *at = (const char *)object + f->offset;
	const char *count = (const char *)object + f->count_offset;

	switch ((enum config_field_type)f->type) {
	case T_IPS:
	case T_PREFIXES:
	case T_TEXTS:
		put_list(t, f->type, *(void *const *)at, *(const uint32_t *)count);
		break;
	case T_SWITCH_NAMES:
	case T_SWITCH_PES:
		put_switches(t, f->type, *(void *const *)at, *(const uint32_t *)count);
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
	case T_PE_VTEPS:
		put_pe_vteps(t, object);
		break;
	case T_RULE:
		put_word(t, config_action_words, (int)RULE_ACTION(*(const uint64_t *)at, f->count_offset));
		break;
	default:
		if (words[f->type])
			put_word(t, words[f->type], *(const int *)at);
		else
			values[f->type](t, at);
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
