/* The `agent` part of a LAN: the bridge, its member ports, and what may flood. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/parts.h"
#include "config/words.h"
#include "proxyarp/verdict.h"

static void ports(struct convert *cv, const struct raw_agent *raw, struct config_agent *a)
{
	char key[24];

	a->all_ports = raw->ports.count == 0 ||
		       (raw->ports.count == 1 && strcmp(raw->ports.items[0], "all") == 0);
	if (a->all_ports)
		return;
	a->ports = convert_array(raw->ports.count, sizeof(*a->ports));
	a->port_count = raw->ports.count;
	for (uint32_t i = 0; i < a->port_count; i++) {
		a->ports[i] = convert_copy(raw->ports.items[i]);
		snprintf(key, sizeof(key), "ports[%u]", i);
		if (strlen(a->ports[i]) > 15)
			convert_error(cv, key, "'%s': longer than an interface name", a->ports[i]);
		if (strcmp(a->ports[i], a->vxlan) == 0)
			convert_error(cv, key, "'%s' is the vxlan device, not a member port",
				a->ports[i]);
	}
}

struct config_agent *config_agent(struct convert *cv, const char *at, const struct raw_agent *raw)
{
	struct config_agent *a = convert_array(1, sizeof(*a));
	char key[24];

	convert_at(cv, "%s.agent", at);
	a->bridge = convert_copy(raw->bridge);
	a->vxlan = convert_copy(raw->vxlan);
	ports(cv, raw, a);
	a->unknown_target = UNKNOWN_DROP;
	a->ns_option = NS_OPTION_REPLY;
	a->manage_fdb = raw->manage_fdb ? *raw->manage_fdb : true;
	a->age_sec = 1200;
	a->max_bindings = 16384;
	convert_word(cv, "unknown-target", raw->unknown_target, config_unknown_words, &a->unknown_target);
	convert_word(cv, "ns-option", raw->ns_option, config_ns_option_words, &a->ns_option);
	convert_word(cv, "unregistered-ports", raw->unregistered_ports, config_unregistered_words,
		&a->learn_unregistered);
	convert_word(cv, "accelerate", raw->accelerate, config_accelerate_words, &a->accelerate);
	convert_number(cv, "age-time", raw->age_time, 60, 86400, &a->age_sec);
	convert_number(cv, "max-bindings", raw->max_bindings, 16, 1048576, &a->max_bindings);
	for (uint32_t i = 0; i < raw->flood.count; i++) {
		int cls = class_find(raw->flood.items[i]);
		snprintf(key, sizeof(key), "flood[%u]", i);
		if (cls < 0)
			convert_error(cv, key, "'%s': not a class of frames", raw->flood.items[i]);
		else
			a->flood_classes |= CLASS_BIT(cls);
	}
	convert_at(cv, "%s.agent.police", at);
	if (raw->police) {
		convert_rate(cv, "in", raw->police->in, &a->police_in_bps);
		convert_rate(cv, "out", raw->police->out, &a->police_out_bps);
	}
	if (a->unknown_target == UNKNOWN_POLICE && !a->police_in_bps) {
		convert_at(cv, "%s.agent", at);
		convert_error(cv, "unknown-target", "police needs a rate: police: {in: 100 kbit}");
	}
	return a;
}

void config_agent_free(struct config_agent *a)
{
	if (!a)
		return;
	for (uint32_t i = 0; i < a->port_count; i++)
		free(a->ports[i]);
	free(a->ports);
	free(a->bridge);
	free(a->vxlan);
	free(a);
}
