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

static void put_policer(struct config_text *t, const struct layout_policer *p)
{
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

static void put_rules(struct config_text *t, uint64_t rules)
{
	const char *names[RULE_COUNT];

	for (int i = 0; i < RULE_COUNT; i++)
		names[i] = rule_name((enum frame_rule)i);
	put_names(t, rules, names, RULE_COUNT);
}

static bool is_gratuitous(uint64_t classes)
{
	return (classes & CONFIG_GRATUITOUS) == CONFIG_GRATUITOUS;
}

/* Those that `gratuitous` says are not said again. */
static void put_classes(struct config_text *t, uint64_t classes)
{
	const char *names[CLASS_COUNT];

	for (int i = 0; i < CLASS_COUNT; i++)
		names[i] = class_name((enum frame_class)i);
	put_names(t, is_gratuitous(classes) ? classes & ~CONFIG_GRATUITOUS : classes, names, CLASS_COUNT);
}

static void put_mac(struct config_text *t, struct mac mac)
{
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

static void put_endpoint(struct config_text *t, const struct config_endpoint *e)
{
	char buf[IP_TEXT];

	if (e->port)
		config_text_put(t, e->ip.family == 6 ? "[%s]:%u" : "%s:%u", ip_format(e->ip, buf), e->port);
	else
		config_text_put(t, "none");
}

static void put_vteps(struct config_text *t, const struct config_import *im)
{
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

static const struct convert_word *words_of(enum config_field_type type)
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
	case T_WORD_OVERRIDE:
		return config_override_words;
	case T_WORD_MAC_LIST:
		return config_mac_list_words;
	case T_WORD_REGISTRY_ROUTES:
		return config_registry_routes_words;
	case T_WORD_DEAD:
		return config_dead_words;
	case T_WORD_IXF:
		return config_ixf_words;
	case T_WORD_ANNOUNCE:
		return config_announce_words;
	default:
		return config_accelerate_words;
	}
}

void config_field_put(struct config_text *t, const struct config_field *f, const void *object)
{
	const char *at = (const char *)object + f->offset;
	char buf[PREFIX_TEXT];

	switch ((enum config_field_type)f->type) {
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
	case T_POLICER:
		put_policer(t, (const struct layout_policer *)at);
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
	case T_SWITCH_NAMES:
	case T_SWITCH_PES:
		put_switches(t, f->type, *(void *const *)at,
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
	case T_GRATUITOUS:
		put_word(t, config_gratuitous_words, is_gratuitous(*(const uint64_t *)at));
		break;
	case T_RULE:
		put_word(t, config_action_words, (int)RULE_ACTION(*(const uint64_t *)at, f->count_offset));
		break;
	case T_RULES:
		put_rules(t, *(const uint64_t *)at);
		break;
	case T_MAC:
		put_mac(t, *(const struct mac *)at);
		break;
	case T_NAME:
		config_text_put(t, "%s", at);
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
	case T_PE_VTEPS:
		put_pe_vteps(t, object);
		break;
	case T_ENDPOINT:
		put_endpoint(t, (const struct config_endpoint *)at);
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
