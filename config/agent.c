/* The `agent` part of a LAN: the bridge, its member ports, and what the agent does about addresses that nobody has, that are
 * silent, or that two have. What ports do with frames is in policy.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/parts.h"
#include "config/words.h"
#include "proxyarp/verdict.h"

#define NAME_MAX_LEN 15 /* of an interface */
#define DAY 86400
#define MAC_SWAP_MIN 5 /* seconds */
#define MAC_SWAP_MAX (7 * DAY)

void config_agent_defaults(struct config_agent *a, uint32_t vni)
{
	a->policy.unknown_target = UNKNOWN_DROP;
	/* RFC 9161 section 5.5. */
	a->policy.ns_option = NS_OPTION_DISCARD;
	a->manage_fdb = true;
	a->age_sec = 1200;
	a->mac_swap = 600;
	a->max_bindings = 16384;
	a->quarantine = (struct config_quarantine){
		.window = 60, .rules = 1ULL << RULE_LOOP | 1ULL << RULE_SOURCE_MAC};
	/* Locally administered, and the same at all PEs of the LAN. */
	a->sponge = (struct config_sponge){.queries = 50,
		.window = 60,
		.probes = 5,
		.learn_sec = 300,
		.source_rate = 3,
		.max = 4096,
		.repair = true,
		.sweep_rate = 100,
		.mac = {{0x02, 0x71, 0x75, (uint8_t)(vni >> 16), (uint8_t)(vni >> 8), (uint8_t)vni}}};
	a->dead = (struct config_dead){.policy = CONFIG_DEAD_SILENT};
	a->duplicate_ip = (struct config_duplicate_ip){.moves = DUPLICATE_MOVES,
		.window = DUPLICATE_WINDOW,
		.hold_down = 540,
		.confirm = 30,
		.action = DUPLICATE_FREEZE};
	a->announce = (struct config_announce){.on = CONFIG_ANNOUNCE_CHANGES, .rate = 100, .port_rate = 10};
}

/* Names of interfaces. */
static char **names(struct convert *cv, const char *key, const struct raw_list *raw,
	const struct config_agent *a)
{
	char **list = convert_array(raw->count, sizeof(*list)), at[32];

	for (uint32_t i = 0; i < raw->count; i++) {
		list[i] = convert_copy(raw->items[i]);
		snprintf(at, sizeof(at), "%s[%u]", key, i);
		if (strlen(list[i]) > NAME_MAX_LEN)
			convert_error(cv, at, "'%s': longer than an interface name", list[i]);
		if (strcmp(list[i], a->vxlan) == 0)
			convert_error(cv, at, "'%s' is the vxlan device, not %s port", list[i],
				strcmp(key, "underlay") == 0 ? "an underlay" : "a member");
	}
	return list;
}

static void ports(struct convert *cv, const struct raw_agent *raw, struct config_agent *a)
{
	a->underlay_count = raw->underlay.count;
	a->underlay = names(cv, "underlay", &raw->underlay, a);
	a->all_ports = raw->ports.count == 0 ||
		       (raw->ports.count == 1 && strcmp(raw->ports.items[0], "all") == 0);
	if (a->all_ports)
		return;
	a->port_count = raw->ports.count;
	a->ports = names(cv, "ports", &raw->ports, a);
	for (uint32_t i = 0; i < a->port_count; i++)
		for (uint32_t k = 0; k < a->underlay_count; k++)
			if (strcmp(a->ports[i], a->underlay[k]) == 0)
				convert_error(cv, "underlay", "'%s' is a member port", a->ports[i]);
}

static bool is_port(const struct config_agent *a, const char *name)
{
	for (uint32_t i = 0; i < a->port_count; i++)
		if (strcmp(a->ports[i], name) == 0)
			return true;
	return a->all_ports;
}

/* One entry of `port-settings`, which may name many ports: the LAN's policy with its own over it, for each. */
static void port_setting(
	struct convert *cv, const char *at, const struct raw_port *raw, struct config_agent *a)
{
	struct config_policy policy = a->policy;
	char key[24];

	convert_at(cv, "%s", at);
	if (!raw->ports.count)
		convert_error(cv, "ports", "expected the names of ports");
	if (raw->policy.police && raw->policy.police->fabric)
		convert_error(cv, "police.fabric", "of a LAN, not of a port");
	config_policy(cv, at, &raw->policy, &policy);
	for (uint32_t i = 0; i < raw->ports.count; i++) {
		const char *name = raw->ports.items[i];
		snprintf(key, sizeof(key), "ports[%u]", i);
		if (strlen(name) > NAME_MAX_LEN)
			convert_error(cv, key, "'%s': longer than an interface name", name);
		else if (strcmp(name, a->vxlan) == 0)
			convert_error(cv, key, "'%s' is the vxlan device, not a member port", name);
		else if (config_port_find(a, name))
			convert_error(cv, key, "'%s': said already", name);
		else if (!is_port(a, name))
			convert_error(cv, key, "'%s': not one of `ports`", name);
		struct config_port *p = &a->port_settings[a->port_setting_count++];
		*p = (struct config_port){.quarantine = raw->quarantine, .policy = policy};
		snprintf(p->name, sizeof(p->name), "%s", name);
	}
}

static void port_settings(
	struct convert *cv, const char *at, const struct raw_agent *raw, struct config_agent *a)
{
	char here[96];
	size_t count = 0;

	for (uint32_t i = 0; i < raw->port_settings_count; i++)
		count += raw->port_settings[i].ports.count;
	a->port_settings = convert_array(count, sizeof(*a->port_settings));
	for (uint32_t i = 0; i < raw->port_settings_count; i++) {
		snprintf(here, sizeof(here), "%s.port-settings[%u]", at, i);
		port_setting(cv, here, &raw->port_settings[i], a);
	}
}

static void quarantine(struct convert *cv, const struct raw_quarantine *raw, struct config_quarantine *q)
{
	uint64_t bits = 0;
	char key[24];

	convert_count(cv, "violations", raw->violations, 0, 1000000, &q->violations);
	convert_count(cv, "window", raw->window, 1, 3600, &q->window);
	convert_never(cv, "release", raw->release, 7 * DAY, &q->release);
	for (uint32_t i = 0; i < raw->rules.count; i++) {
		int r = rule_find(raw->rules.items[i]);
		snprintf(key, sizeof(key), "rules[%u]", i);
		if (r <= 0)
			convert_error(cv, key, "'%s': not a rule", raw->rules.items[i]);
		else
			bits |= 1ULL << r;
	}
	if (raw->rules.count)
		q->rules = bits;
}

static void sponge(struct convert *cv, const struct raw_sponge *raw, struct config_sponge *s)
{
	convert_mac(cv, "mac", raw->mac, &s->mac);
	convert_count(cv, "queries", raw->queries, 1, 100000, &s->queries);
	convert_count(cv, "window", raw->window, 1, 3600, &s->window);
	convert_count(cv, "probes", raw->probes, 0, 100, &s->probes);
	convert_count(cv, "learn", raw->learn, 0, DAY, &s->learn_sec);
	convert_count(cv, "source-rate", raw->source_rate, 1, 10000, &s->source_rate);
	convert_count(cv, "max", raw->max, 1, 1048576, &s->max);
	convert_count(cv, "sweep", raw->sweep, 0, 7 * DAY, &s->sweep_sec);
	convert_count(cv, "sweep-rate", raw->sweep_rate, 1, 10000, &s->sweep_rate);
	convert_flag(raw->repair, &s->repair);
	convert_flag(raw->gratuitous, &s->gratuitous);
	convert_flag(raw->network, &s->network);
}

static void duplicate_ip(
	struct convert *cv, const struct raw_duplicate_ip *raw, struct config_duplicate_ip *d)
{
	convert_count(cv, "moves", raw->moves, 2, 1000, &d->moves);
	convert_count(cv, "window", raw->window, 1, DAY, &d->window);
	convert_count(cv, "hold-down", raw->hold_down, 1, DAY, &d->hold_down);
	convert_count(cv, "confirm", raw->confirm, 0, 3600, &d->confirm);
	convert_word(cv, "action", raw->action, config_duplicate_words, &d->action);
	if (raw->as_mac && strcmp(raw->as_mac, "none") != 0)
		convert_mac(cv, "as-mac", raw->as_mac, &d->as_mac);
}

/* The sections of the section. */
static void sections(
	struct convert *cv, const char *at, const struct raw_agent *raw, struct config_agent *a)
{
	if (raw->quarantine) {
		convert_at(cv, "%s.quarantine", at);
		quarantine(cv, raw->quarantine, &a->quarantine);
	}
	if (raw->sponge) {
		convert_at(cv, "%s.sponge", at);
		sponge(cv, raw->sponge, &a->sponge);
	}
	if (raw->dead) {
		convert_at(cv, "%s.dead-members", at);
		convert_word(cv, "policy", raw->dead->policy, config_dead_words, &a->dead.policy);
		convert_count(cv, "after", raw->dead->after, 0, 7 * DAY, &a->dead.after_sec);
	}
	if (raw->duplicate_ip) {
		convert_at(cv, "%s.duplicate-ip", at);
		duplicate_ip(cv, raw->duplicate_ip, &a->duplicate_ip);
	}
	if (raw->announce) {
		convert_at(cv, "%s.announce", at);
		convert_word(cv, "on", raw->announce->on, config_announce_words, &a->announce.on);
		convert_count(cv, "rate", raw->announce->rate, 1, 100000, &a->announce.rate);
		convert_count(cv, "port-rate", raw->announce->port_rate, 1, 100000,
			&a->announce.port_rate);
	}
}

struct config_agent *config_agent(
	struct convert *cv, const char *at, uint32_t vni, const struct raw_agent *raw)
{
	struct config_agent *a = convert_array(1, sizeof(*a));
	char here[48];

	snprintf(here, sizeof(here), "%s.agent", at);
	config_agent_defaults(a, vni);
	convert_at(cv, "%s", here);
	a->bridge = convert_copy(raw->bridge);
	a->vxlan = convert_copy(raw->vxlan);
	ports(cv, raw, a);
	convert_flag(raw->manage_fdb, &a->manage_fdb);
	a->anycast = raw->anycast;
	convert_word(cv, "na-without-override", raw->na_without_override, config_override_words,
		&a->na_without_override);
	convert_word(cv, "mac-list", raw->mac_list, config_mac_list_words, &a->mac_list);
	convert_never(cv, "mac-swap", raw->mac_swap, MAC_SWAP_MAX, &a->mac_swap);
	/* A frame is told of in half that time, on a clock of seconds. */
	if (a->mac_swap && a->mac_swap < MAC_SWAP_MIN)
		convert_error(cv, "mac-swap", "'%u': expected never or %d - %d", a->mac_swap, MAC_SWAP_MIN,
			MAC_SWAP_MAX);
	convert_word(cv, "unregistered-ports", raw->unregistered_ports, config_unregistered_words,
		&a->learn_unregistered);
	convert_count(cv, "age-time", raw->age_time, 60, DAY, &a->age_sec);
	a->refresh_sec = a->age_sec / 3;
	convert_count(cv, "refresh", raw->refresh, 10, a->age_sec - 1, &a->refresh_sec);
	convert_count(cv, "max-bindings", raw->max_bindings, 16, 1048576, &a->max_bindings);
	config_policy(cv, here, &raw->policy, &a->policy);
	port_settings(cv, here, raw, a);
	sections(cv, here, raw, a);
	return a;
}

void config_agent_free(struct config_agent *a)
{
	if (!a)
		return;
	for (uint32_t i = 0; i < a->port_count; i++)
		free(a->ports[i]);
	for (uint32_t i = 0; i < a->underlay_count; i++)
		free(a->underlay[i]);
	free(a->ports);
	free(a->underlay);
	free(a->port_settings);
	free(a->bridge);
	free(a->vxlan);
	free(a);
}

const struct config_port *config_port_find(const struct config_agent *a, const char *name)
{
	for (uint32_t i = 0; i < a->port_setting_count; i++)
		if (strcmp(a->port_settings[i].name, name) == 0)
			return &a->port_settings[i];
	return NULL;
}

const struct config_policy *config_port_policy(const struct config_agent *a, const char *name)
{
	const struct config_port *p = config_port_find(a, name);

	return p ? &p->policy : &a->policy;
}
