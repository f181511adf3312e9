/* The `lans` part: the peering LANs, said once for the route server, the PE's speaker and its agent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/parts.h"
#include "config/words.h"

#define VNI_MAX 0xffffff
#define VLAN_MAX 4094

/* The route target AS:VNI that FRR derives too: the AS cut to 16 bits (EVPN-WIRE N26). */
static struct rt auto_rt(uint32_t as, uint32_t vni)
{
	return (struct rt){{0, 2, (uint8_t)(as >> 8), (uint8_t)as, (uint8_t)(vni >> 24),
		(uint8_t)(vni >> 16), (uint8_t)(vni >> 8), (uint8_t)vni}};
}

static void route_targets(struct convert *cv, const struct raw_lan *raw, const struct config *c,
	struct config_lan *lan)
{
	char key[24];

	lan->route_target_count = 1 + raw->import.count;
	lan->route_targets = convert_array(lan->route_target_count, sizeof(*lan->route_targets));
	lan->import_auto = !raw->route_target || strcmp(raw->route_target, "auto") == 0;
	if (lan->import_auto)
		lan->route_targets[0] = auto_rt(c->as, lan->vni);
	else
		convert_rt(cv, "route-target", raw->route_target, &lan->route_targets[0]);
	for (uint32_t i = 0; i < raw->import.count; i++) {
		snprintf(key, sizeof(key), "import[%u]", i);
		convert_rt(cv, key, raw->import.items[i], &lan->route_targets[1 + i]);
	}
}

static char **copy_list(const struct raw_list *raw)
{
	char **list = convert_array(raw->count, sizeof(*list));

	for (uint32_t i = 0; i < raw->count; i++)
		list[i] = convert_copy(raw->items[i]);
	return list;
}

static void pe_vteps(struct convert *cv, const struct raw_lan *raw, struct config_lan *lan)
{
	char key[32];

	lan->pe_vtep_count = raw->pe_vteps_count;
	lan->pe_vteps = convert_array(lan->pe_vtep_count, sizeof(*lan->pe_vteps));
	for (uint32_t i = 0; i < lan->pe_vtep_count; i++) {
		snprintf(key, sizeof(key), "pe-vteps[%u].pe", i);
		convert_ipv4(cv, key, raw->pe_vteps[i].pe, &lan->pe_vteps[i].pe);
		snprintf(key, sizeof(key), "pe-vteps[%u].vtep", i);
		convert_ip(cv, key, raw->pe_vteps[i].vtep, &lan->pe_vteps[i].vtep);
	}
}

static void check_twice(struct convert *cv, const struct config *c, uint32_t at)
{
	char rd[RD_TEXT];

	for (uint32_t i = 0; i < at; i++) {
		if (strcmp(c->lans[i].name, c->lans[at].name) == 0)
			convert_error(cv, "name", "'%s': given already in lans[%u]",
				c->lans[at].name, i);
		if (c->lans[i].vni == c->lans[at].vni)
			convert_error(cv, "vni", "%u: given already in lans[%u]", c->lans[at].vni,
				i);
		/* RFC 7432 section 7.9; the default is made of 16 of the VNI's 24 bits. */
		else if (rd_eq(c->lans[i].rd, c->lans[at].rd))
			convert_error(cv, "rd", "%s is that of lans[%u] too: expected one of its own",
				rd_format(c->lans[at].rd, rd), i);
	}
}

static void lan_values(struct convert *cv, const struct raw_lan *raw, const struct config *c,
	struct config_lan *lan)
{
	char key[24];

	lan->name = convert_copy(raw->name);
	lan->vni = raw->vni;
	if (strspn(lan->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") !=
		strlen(lan->name))
		convert_error(cv, "name", "'%s': letters, digits, '-', '_' and '.' only", lan->name);
	if (lan->vni < 1 || lan->vni > VNI_MAX)
		convert_error(cv, "vni", "%u: expected 1 - %u", lan->vni, VNI_MAX);
	lan->prefix_count = raw->prefixes.count;
	lan->prefixes = convert_array(lan->prefix_count, sizeof(*lan->prefixes));
	for (uint32_t i = 0; i < lan->prefix_count; i++) {
		snprintf(key, sizeof(key), "prefixes[%u]", i);
		convert_prefix(cv, key, raw->prefixes.items[i], &lan->prefixes[i]);
	}
	route_targets(cv, raw, c, lan);
	lan->rd = rd_make(c->router_ip, (uint16_t)lan->vni);
	convert_rd(cv, "rd", raw->rd, &lan->rd);
	lan->vtep = c->router_ip;
	convert_ip(cv, "vtep", raw->vtep, &lan->vtep);
	lan->assume_router = true;
	convert_flag(raw->assume_router, &lan->assume_router);
	lan->registry_count = raw->registry.count;
	lan->registry = copy_list(&raw->registry);
	convert_number(cv, "vlan", raw->vlan, 1, VLAN_MAX, &lan->vlan);
	config_fetch_defaults(&lan->fetch);
	lan->registry_routes = REGISTRY_ROUTES_FLAG;
	convert_word(cv, "registry-routes", raw->registry_routes, config_registry_routes_words,
		&lan->registry_routes);
	pe_vteps(cv, raw, lan);
}

static void duplicates(
	struct convert *cv, const char *at, const struct raw_duplicate *raw, struct config_lan *lan)
{
	/* RFC 7432 section 15.1: until the operator acts. */
	lan->dup_moves = DUPLICATE_MOVES;
	lan->dup_window = DUPLICATE_WINDOW;
	lan->dup_recovery = 0;
	lan->dup_action = DUPLICATE_FREEZE;
	if (!raw)
		return;
	convert_at(cv, "%s.duplicate-mac", at);
	convert_count(cv, "moves", raw->moves, 2, 1000, &lan->dup_moves);
	convert_count(cv, "window", raw->window, 1, 86400, &lan->dup_window);
	convert_word(cv, "action", raw->action, config_duplicate_words, &lan->dup_action);
	convert_never(cv, "recovery", raw->recovery, 604800, &lan->dup_recovery);
}

/* Which addresses are nobody's is known of the LAN's own only. */
static void check_sponge(struct convert *cv, const char *at, const struct config_lan *lan)
{
	const struct config_agent *a = lan->agent;
	bool sponge = a->policy.unknown_target == UNKNOWN_SPONGE;

	for (uint32_t i = 0; i < a->port_setting_count; i++)
		sponge |= a->port_settings[i].policy.unknown_target == UNKNOWN_SPONGE;
	convert_at(cv, "%s", at);
	if (sponge && !lan->prefix_count)
		convert_error(cv, "agent", "unknown-target: sponge needs the LAN's prefixes");
}

static void fetch(struct convert *cv, const char *at, const struct raw_fetch *raw, struct config *c,
	uint32_t of)
{
	config_fetch(cv, at, raw, &c->lans[of]);
	const char *into = config_fetch_into(&c->lans[of]);

	convert_at(cv, "%s.fetch", at);
	for (uint32_t i = 0; into && i < of; i++)
		if (c->lans[i].fetch.url && strcmp(config_fetch_into(&c->lans[i]), into) == 0)
			convert_error(cv, "into", "'%s': that of lans[%u] goes there", into, i);
}

void config_lans(struct convert *cv, const struct raw_config *raw, struct config *c)
{
	char at[24];

	c->lans = convert_array(raw->lans_count, sizeof(*c->lans));
	c->lan_count = raw->lans_count;
	for (uint32_t i = 0; i < c->lan_count; i++) {
		snprintf(at, sizeof(at), "lans[%u]", i);
		convert_at(cv, "%s", at);
		lan_values(cv, &raw->lans[i], c, &c->lans[i]);
		check_twice(cv, c, i);
		duplicates(cv, at, raw->lans[i].duplicate, &c->lans[i]);
		if (raw->lans[i].fetch)
			fetch(cv, at, raw->lans[i].fetch, c, i);
		if (!raw->lans[i].agent)
			continue;
		c->lans[i].agent = config_agent(cv, at, c->lans[i].vni, raw->lans[i].agent);
		check_sponge(cv, at, &c->lans[i]);
	}
}

void config_lans_free(struct config *c)
{
	for (uint32_t i = 0; i < c->lan_count; i++) {
		struct config_lan *lan = &c->lans[i];
		for (uint32_t k = 0; k < lan->registry_count; k++)
			free(lan->registry[k]);
		free(lan->registry);
		free(lan->pe_vteps);
		free(lan->prefixes);
		free(lan->route_targets);
		free(lan->name);
		config_fetch_free(&lan->fetch);
		config_agent_free(lan->agent);
	}
	free(c->lans);
}
