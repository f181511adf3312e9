/* What is shown of the sponge and of those who call in vain, and the operator's word about an address (docs/feed.md). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent_sponge.h"
#include "daemon/loop.h"
#include "lib/text.h"

static json_t *json_u64(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *json_mac(struct mac mac)
{
	char text[MAC_TEXT];

	return json_string(mac_format(mac, text));
}

static json_t *json_ip(struct ip ip)
{
	char text[IP_TEXT];

	return json_string(ip_format(ip, text));
}

static json_t *json_since(uint64_t ms)
{
	uint64_t now = loop_now_ms();

	return json_u64(now > ms ? (now - ms) / 1000 : 0);
}

static json_t *json_port(const struct agent_lan *lan, uint32_t ifindex)
{
	const struct agent_port *p = agent_port_find(lan, ifindex);

	return p ? json_string(p->name) : json_null();
}

/* --- members --- */

static json_t *json_member(const struct registry *reg, const struct registry_port *r)
{
	const struct registry_member *m = &reg->members[r->member];
	char name[128], text[160];

	text_escape(name, sizeof(name), m->name ? m->name : "", m->name ? strlen(m->name) : 0);
	snprintf(text, sizeof(text), "AS%u%s%s", m->asn, name[0] ? " " : "", name);
	return json_string(text);
}

static json_t *member_of_mac(const struct agent_lan *lan, struct mac mac)
{
	const struct registry *reg = lan->registry;

	for (size_t i = 0; reg && i < reg->port_count; i++)
		for (int m = 0; m < reg->ports[i].mac_count; m++)
			if (mac_eq(reg->ports[i].macs[m], mac))
				return json_member(reg, &reg->ports[i]);
	return json_null();
}

static json_t *member_of_ip(const struct agent_lan *lan, struct ip ip)
{
	const struct registry *reg = lan->registry;

	for (size_t i = 0; reg && i < reg->port_count; i++)
		for (int m = 0; m < reg->ports[i].ip_count; m++)
			if (ip_eq(reg->ports[i].ips[m], ip))
				return json_member(reg, &reg->ports[i]);
	return json_null();
}

/* --- show sponge --- */

struct walk {
	struct agent_lan *lan;
	json_t *rows;
	bool all;
};

static void add_address(void *arg, const struct sponge_view *v)
{
	struct walk *w = arg;
	json_t *askers = json_array();

	if (v->state == SPONGE_ALIVE && !w->all)
		return;
	for (uint32_t i = 0; i < v->asker_count; i++)
		json_array_append_new(
			askers, json_pack("{s:o, s:o, s:o, s:o}", "mac", json_mac(v->askers[i].mac),
					"port", json_port(w->lan, v->askers[i].ifindex), "member",
					member_of_mac(w->lan, v->askers[i].mac), "asked_s",
					json_since(v->askers[i].last_ms)));
	json_t *o = json_pack("{s:s, s:o, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o}", "lan",
		w->lan->c->name, "ip", json_ip(v->ip), "state", sponge_state_text(v->state),
		"answered", v->active, "network", v->network, "since_s", json_since(v->since_ms),
		"asked_s", v->asked_ms ? json_since(v->asked_ms) : json_null(), "queries",
		json_u64(v->queries), "trapped", json_u64(v->trapped), "askers", askers);
	json_object_set_new(o, "unassigned", json_boolean(v->listed));
	if (v->state == SPONGE_PENDING)
		json_object_set_new(o, "pending", json_u64(v->pending));
	json_array_append_new(w->rows, o);
}

/* Registered addresses whose members are gone: dead-members, policy sponge. */
static void add_dead(void *arg, const struct binding_view *v)
{
	struct walk *w = arg;

	if (!(v->flags & BIND_SPONGE) || v->source == SOURCE_SPONGE ||
		!mac_eq(v->mac, w->lan->sponge->mac))
		return;
	json_array_append_new(
		w->rows, json_pack("{s:s, s:o, s:s, s:b, s:o, s:o}", "lan", w->lan->c->name, "ip",
				 json_ip(v->ip), "state", "dead", "answered", 1, "member",
				 member_of_ip(w->lan, v->ip), "askers", json_array()));
}

static json_t *show_lan(const struct agent_lan *lan)
{
	struct sponge_stats s;
	struct callers_stats c;

	sponge_stats(lan->sponge->s, loop_now_ms(), &s);
	callers_stats(lan->sponge->callers, &c);
	json_t *o = json_pack("{s:s, s:o, s:b, s:o, s:b, s:o, s:o, s:o, s:o}", "name", lan->c->name,
		"mac", json_mac(lan->sponge->mac), "on", agent_sponge_on(lan), "learning_s",
		json_u64((s.learn_ms + 999) / 1000), "paused", s.paused, "addresses",
		json_u64(s.addresses), "pending", json_u64(s.pending), "sponged",
		json_u64(s.sponged), "static", json_u64(s.statics));
	const struct {
		const char *key;
		uint64_t n;
	} counts[] = {{"queries", s.queries}, {"ignored", s.ignored}, {"looping", s.looping},
		{"sponges", s.sponges}, {"yields", s.yields}, {"repairs", s.repairs},
		{"probes", s.probes}, {"swept", s.swept}, {"evicted", s.evicted}, {"full", s.full},
		{"callers", c.rows}, {"calls", c.calls}};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		json_object_set_new(o, counts[i].key, json_u64(counts[i].n));
	return o;
}

json_t *agent_sponge_show(struct agent *a, const json_t *request)
{
	json_t *rows = json_array(), *lans = json_array();

	for (uint32_t i = 0; i < a->lan_count; i++) {
		struct walk w = {&a->lans[i], rows, json_is_true(json_object_get(request, "all"))};
		json_array_append_new(lans, show_lan(&a->lans[i]));
		sponge_each(a->lans[i].sponge->s, add_address, &w);
		bindings_each(a->lans[i].books, add_dead, &w);
	}
	return json_pack("{s:o, s:o}", "sponge", rows, "lans", lans);
}

/* --- show callers --- */

static void add_caller(void *arg, const struct caller *row)
{
	struct walk *w = arg;
	bool alive, beyond = ip_is_unspecified(row->target);
	const char *what = agent_sponge_target(w->lan, row->target, &alive);

	/* It came to life since. */
	if (alive && !w->all)
		return;
	json_t *o = json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"lan", w->lan->c->name, "target", beyond ? json_null() : json_ip(row->target),
		"what", beyond ? "beyond" : what, "target_member",
		member_of_ip(w->lan, row->target), "port", json_port(w->lan, row->ifindex), "mac",
		json_mac(row->mac), "member", member_of_mac(w->lan, row->mac), "arp",
		json_u64(row->arp), "ns", json_u64(row->ns), "bgp", json_u64(row->syn), "data",
		json_u64(row->data), "first_s", json_since(row->first_ms), "last_s",
		json_since(row->last_ms));
	json_array_append_new(w->rows, o);
}

json_t *agent_callers_show(struct agent *a, const json_t *request)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < a->lan_count; i++) {
		struct walk w = {&a->lans[i], rows, json_is_true(json_object_get(request, "all"))};
		callers_each(a->lans[i].sponge->callers, add_caller, &w);
	}
	return json_pack("{s:o}", "callers", rows);
}

/* --- do --- */

/* The LAN that is named, or else the one that has the address. */
static struct agent_lan *lan_of(struct agent *a, const json_t *request, struct ip ip)
{
	const char *name = json_string_value(json_object_get(request, "lan"));
	struct agent_lan *found = NULL;

	if (name)
		return agent_lan_by_name(a, name);
	for (uint32_t i = 0; i < a->lan_count; i++)
		for (uint32_t p = 0; p < a->lans[i].c->prefix_count; p++)
			if (prefix_contains(&a->lans[i].c->prefixes[p], ip)) {
				if (found && found != &a->lans[i])
					return NULL;
				found = &a->lans[i];
			}
	return found;
}

static const char *why_not(int r)
{
	return r == -EINVAL ? "that address is none that a host of the LAN may have"
	       : r == -EEXIST
		       ? "somebody has that address, or it is sponged by the operator already"
	       : r == -EPERM ? "the registry has that address as unassigned"
	       : r == -ENOENT ? "that address is not sponged"
	       : r == -ENOSPC ? "no room"
			      : strerror(-r);
}

json_t *agent_sponge_do(struct agent *a, const json_t *request, const char **ret_error)
{
	bool add = strcmp(json_string_value(json_object_get(request, "do")), "sponge-add") == 0;
	const char *text = json_string_value(json_object_get(request, "ip"));
	char t[IP_TEXT];
	struct agent_lan *lan;
	struct ip ip;

	if (!text || ip_parse(text, &ip) < 0) {
		*ret_error = "ip: expected an address";
		return NULL;
	}
	lan = lan_of(a, request, ip);
	if (!lan) {
		*ret_error = json_object_get(request, "lan")
				     ? "no such LAN"
				     : "ip: not in the prefixes of one LAN; name it with lan";
		return NULL;
	}
	int r = add ? sponge_add(lan->sponge->s, ip, loop_now_ms())
		    : sponge_del(lan->sponge->s, ip);
	if (r < 0) {
		*ret_error = why_not(r);
		return NULL;
	}
	log_notice(LOG_PROXYARP, "%s: %s: %s by the operator", lan->c->name, ip_format(ip, t),
		add ? "sponged" : "no longer sponged");
	return json_pack("{s:b}", "ok", 1);
}
