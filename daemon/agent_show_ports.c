/* The agent's ports as `quell show ports` has them: whose each is, what state it is in and why, what is other than usual. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "daemon/agent.h"
#include "lib/text.h"
#include "proxyarp/verdict.h"

static json_t *show_member(const struct agent_port *p)
{
	const struct registry_member *m =
		p->member ? &p->lan->registry->members[p->member->member] : NULL;
	char name[128], text[160];

	if (!m)
		return json_null();
	text_escape(name, sizeof(name), m->name ? m->name : "", m->name ? strlen(m->name) : 0);
	snprintf(text, sizeof(text), "AS%u%s%s", m->asn, name[0] ? " " : "", name);
	return json_string(text);
}

static json_t *show_macs(const struct agent_port *p)
{
	json_t *macs = json_array();
	char text[MAC_TEXT];

	for (int i = 0; p->member && i < p->member->mac_count; i++)
		if (!agent_former_silent(p, p->member->macs[i]))
			json_array_append_new(macs, json_string(mac_format(p->member->macs[i], text)));
	return macs;
}

/* The registry's word. */
static const char *status_of(const struct agent_port *p)
{
	static const char *const texts[] = {[REGISTRY_ACTIVE] = "active",
		[REGISTRY_QUARANTINE] = "quarantine",
		[REGISTRY_DISABLED] = "disabled"};

	return p->kind != PORT_MEMBER ? NULL : p->member ? texts[p->member->status] : "unregistered";
}

/* Those that do not drop. */
static json_t *show_rules(const struct agent_port *p)
{
	static const char *const texts[] = {[ACTION_ALARM] = "alarm", [ACTION_COUNT] = "count", [ACTION_OFF] = "off"};
	json_t *rules = json_object();

	for (int r = 1; r < RULE_COUNT; r++) {
		enum layout_action action = RULE_ACTION(p->row.rules, r);
		if (action != ACTION_DROP)
			json_object_set_new(rules, rule_name((enum frame_rule)r), json_string(texts[action]));
	}
	return rules;
}

static void add_flag(json_t *flags, bool on, const char *name)
{
	if (on)
		json_array_append_new(flags, json_string(name));
}

static json_t *show_flags(const struct agent_port *p)
{
	json_t *flags = json_array();

	add_flag(flags, p->closed, "closed");
	add_flag(flags, !p->closed && p->kind == PORT_MEMBER, "learning");
	add_flag(flags, p->quarantine, "quarantine");
	add_flag(flags, agent_port_dry(p), "dry-run");
	add_flag(flags, p->row.flags & PORT_UNICAST_FORWARD, "unicast-forward");
	add_flag(flags, p->xdp, "xdp");
	return flags;
}

static json_t *show_port(const struct agent_port *p)
{
	const char *status = status_of(p);
	json_t *o = json_pack("{s:s, s:I, s:s, s:s, s:s, s:o, s:o, s:s, s:b, s:o}", "name", p->name,
		"ifindex", (json_int_t)p->ifindex, "lan", p->lan->c->name, "kind",
		p->kind == PORT_FABRIC ? "fabric" : "member", "state", p->up ? "up" : "down",
		"macs", show_macs(p), "member", show_member(p), "plane", p->lan->agent->ops->name,
		"attached", p->attached, "flags", show_flags(p));

	json_object_set_new(o, "status", status ? json_string(status) : json_null());
	json_object_set_new(o, "quarantine", agent_quarantine_words(p->quarantine));
	json_object_set_new(o, "former_macs", agent_former_show(p));
	json_object_set_new(o, "rules", show_rules(p));
	json_object_set_new(o, "dry_run", json_boolean(agent_port_dry(p)));
	json_object_set_new(o, "xdp", json_boolean(p->xdp));
	return o;
}

static json_t *show_underlay(const struct agent *a, const struct agent_underlay *u)
{
	const struct link *l = links_get(a->links, u->ifindex);

	return json_pack("{s:s, s:I, s:n, s:s, s:s, s:[], s:n, s:s, s:b, s:o}", "name", u->name, "ifindex",
		(json_int_t)u->ifindex, "lan", "kind", "underlay", "state", l && link_is_up(l) ? "up" : "down",
		"macs", "member", "plane", a->ops->name, "attached", u->attached, "flags",
		u->dry ? json_pack("[s]", "dry-run") : json_array());
}

json_t *agent_ports_show(const struct agent *a)
{
	json_t *rows = json_array();
	const struct agent_port *p;

	for (uint32_t i = 0; i < a->lan_count; i++)
		TAILQ_FOREACH (p, &a->lans[i].ports, link)
			json_array_append_new(rows, show_port(p));
	for (uint32_t i = 0; i < a->underlay_count; i++)
		json_array_append_new(rows, show_underlay(a, &a->underlays[i]));
	return json_pack("{s:o}", "ports", rows);
}
