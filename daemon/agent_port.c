/* One port of a LAN: what the registry says of it, its row in the plane, its programs, its bridge
 * knobs.
 *
 * A port is taken in this order, so that nothing that worked falls into a gap: its row in the
 * plane; its MACs and addresses in the books, and from there in the plane and the bridge's
 * forwarding table; the programs on the interface; and, once the kernel has all its entries, the
 * bridge's knobs (proxyarp/linux/bridge.h).
 *
 * A port that the registry names is closed: its MACs and addresses, and no others. One that it does not
 * name lets nothing in, or learns, as the configuration has it; without a registry every port learns.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent.h"
#include "daemon/loop.h"

#define LOOK_AGAIN_MS 3000

/* --- the registry --- */

bool agent_port_named(const struct agent *a, const struct registry_port *r, const char *name)
{
	return strcmp(r->port, name) == 0 && (r->pe == 0 || r->pe == a->config->router_id);
}

static void add_entry(const struct agent_port *p, const struct registry_port *r, uint8_t group,
	struct binding_port *ret)
{
	if (ret->mac_count + r->mac_count > BINDING_MACS ||
		ret->ip_count + r->ip_count > BINDING_IPS) {
		log_error(LOG_REGISTRY,
			"%s: %s: more than %d MACs or %d addresses on one port; the rest is left "
			"out",
			p->lan->c->name, p->name, BINDING_MACS, BINDING_IPS);
		return;
	}
	bool exchange = p->lan->registry->members[r->member].exchange;
	for (int i = 0; i < r->mac_count; i++) {
		if (agent_former_silent(p, r->macs[i]))
			continue;
		ret->mac_group[ret->mac_count] = group;
		ret->mac_former[ret->mac_count] = i >= r->mac_count - r->former_count;
		ret->macs[ret->mac_count++] = r->macs[i];
	}
	for (int i = 0; i < r->ip_count; i++) {
		ret->ip_group[ret->ip_count] = group;
		ret->ip_flags[ret->ip_count] = (uint8_t)(BIND_OVERRIDE | (r->router ? BIND_ROUTER : 0) |
							 (exchange ? BIND_EXCHANGE : 0));
		ret->ips[ret->ip_count++] = r->ips[i];
	}
}

/* Several members may share a port; each has its own MACs and addresses there. */
static void read_registry(struct agent_port *p, struct binding_port *ret)
{
	const struct config_port *said = config_port_find(p->lan->c->agent, p->name);
	const struct registry *reg = p->lan->registry;
	uint8_t groups = 0;

	p->member = NULL;
	/* Where there are books, who is not in them does not speak. */
	p->closed = reg && !p->lan->c->agent->learn_unregistered;
	p->quarantine = agent_quarantine_of(p);
	if (said && said->quarantine)
		p->quarantine |= QUARANTINE_CONFIG;
	*ret = (struct binding_port){.up = p->up};
	for (size_t i = 0; reg && i < reg->port_count; i++) {
		const struct registry_port *r = &reg->ports[i];
		if (!agent_port_named(p->lan->agent, r, p->name))
			continue;
		if (!p->member)
			p->member = r;
		p->closed = true;
		if (r->status != REGISTRY_ACTIVE)
			p->quarantine |= QUARANTINE_REGISTRY;
		add_entry(p, r, groups++, ret);
	}
	/* Nothing in, nothing out: then nothing is answered for it either, nor for whom it had learned. */
	if (p->quarantine)
		ret->mac_count = ret->ip_count = 0;
	ret->closed = p->closed || p->quarantine;
}

/* --- a port --- */

/* Those of its buckets that it has; the bits of those that are asked. */
static uint8_t set_policers(
	const struct agent_port *p, enum frame_dir dir, const struct layout_policer *police)
{
	struct agent *a = p->lan->agent;
	uint8_t asked = 0;

	for (int g = 0; g < POLICE_COUNT; g++) {
		const struct layout_policer *v = police && police[g].rate ? &police[g] : NULL;
		if (a->ops->policer_set(a->plane, p->slot, dir, (enum layout_police)g, v) == 0 && v)
			asked |= (uint8_t)(1 << g);
	}
	return asked;
}

/* What it does with frames, into the plane. */
static uint8_t flags_of(const struct agent_port *p, const struct config_policy *c)
{
	const struct config_agent *ca = p->lan->c->agent;
	bool sponge = agent_sponge_on(p->lan) || ca->dead.policy == CONFIG_DEAD_SPONGE;
	bool open = p->kind == PORT_MEMBER && !p->closed;
	/* Whom the operator puts into quarantine is there. */
	bool dry = c->dry_run && !(p->quarantine & (QUARANTINE_OPERATOR | QUARANTINE_CONFIG));

	return (uint8_t)((p->closed ? PORT_CLOSED : 0) | (p->quarantine ? PORT_QUARANTINE : 0) |
			 (dry ? PORT_DRY : 0) | (open && sponge ? PORT_WATCH : 0) |
			 (c->unicast_forward ? PORT_UNICAST_FORWARD : 0) |
			 (ca->anycast ? PORT_ANYCAST : 0));
}

static int set_port(struct agent_port *p)
{
	const struct config_policy *c = config_port_policy(p->lan->c->agent, p->name);
	/* What comes over the fabric was policed where it came in, or is policed where it goes out;
	 * but other makes of PE may not police at all. */
	const struct layout_policer fabric[POLICE_COUNT] = {[POLICE_ALL] = c->police_fabric};
	struct agent *a = p->lan->agent;
	bool member = p->kind == PORT_MEMBER;

	p->row = (struct layout_port){
		.lan = p->lan->c->vni,
		.slot = p->slot,
		.kind = (uint8_t)p->kind,
		.flags = flags_of(p, c),
		.unknown_target = (uint8_t)c->unknown_target,
		.ns_option = (uint8_t)c->ns_option,
		.fabric_ifindex = p->lan->vxlan,
		.flood_classes = c->flood_classes,
		.rules = c->rules,
	};
	p->row.policed[DIR_IN] = set_policers(p, DIR_IN, member ? c->police[DIR_IN] : fabric);
	p->row.policed[DIR_OUT] = set_policers(p, DIR_OUT, member ? c->police[DIR_OUT] : NULL);
	int r = a->ops->port_set(a->plane, p->ifindex, &p->row);
	if (r < 0)
		log_error(LOG_PROXYARP, "%s: %s: not taken: %s", p->lan->c->name, p->name,
			strerror(-r));
	return r;
}

/* XDP is for where the members' frames come in. */
static bool wants_xdp(const struct agent_port *p)
{
	return p->kind == PORT_MEMBER && config_port_policy(p->lan->c->agent, p->name)->accelerate;
}

void agent_port_attach(struct agent_port *p)
{
	struct agent *a = p->lan->agent;
	uint64_t now = loop_now_ms();

	if (p->attached && now - p->attached_ms < LOOK_AGAIN_MS)
		return;
	int r = a->ops->port_attach(a->plane, p->ifindex, wants_xdp(p));
	if (r < 0) {
		log_limited(&a->attach_log, loop_now_ms(), LOG_PROXYARP, LOG_LEVEL_ERROR,
			"%s: %s: the data plane cannot be attached: %s", p->lan->c->name, p->name,
			strerror(-r));
		p->attached = false;
		return;
	}
	if (p->attached && r & PLANE_PUT) {
		struct agent_alarm al = agent_alarm_of(
			p->lan, p->ifindex, "somebody took the data plane off; put on again");
		agent_alarm_log(p->lan, &al);
	}
	if (!p->behind && r & PLANE_BEHIND) {
		struct agent_alarm al = agent_alarm_of(p->lan, p->ifindex,
			"a program of others comes before ours: what it takes is neither judged nor counted");
		agent_alarm_log(p->lan, &al);
	}
	p->behind = r & PLANE_BEHIND;
	/* Ports that were taken together are not all looked at in the same second. */
	p->attached_ms = p->attached ? now : now - p->ifindex * 1000 % LOOK_AGAIN_MS;
	if (p->attached)
		return;
	p->attached = true;
	log_info(LOG_PROXYARP, "%s: %s: %s port%s%s%s", p->lan->c->name, p->name,
		p->kind == PORT_FABRIC ? "fabric" : "member",
		p->closed                ? ", closed"
		: p->kind == PORT_MEMBER ? ", learning"
					 : "",
		p->quarantine ? ", in quarantine" : "", p->up ? "" : ", down");
}

static void place_again(void *arg, const struct binding_view *v)
{
	const struct agent_port *p = arg;

	if (v->place == PLACE_PORT && v->ifindex == p->ifindex)
		agent_books_place(p->lan, v->mac, PLACE_PORT, v->ifindex, (struct ip){0});
}

/* Into dry run the knobs go back before the entries come out; out of it the knobs wait for the entries, as at the start. */
static void turn_dry(struct agent_port *p)
{
	if (agent_port_dry(p) && p->lan->fdb)
		agent_port_turn(p);
	bindings_each_mac(p->lan->books, place_again, p);
}

void agent_port_apply(struct agent_port *p)
{
	struct binding_port b = {.up = p->up};
	bool was_dry = agent_port_dry(p), xdp = wants_xdp(p);

	if (p->kind == PORT_MEMBER)
		read_registry(p, &b);
	if (set_port(p) < 0)
		return;
	agent_lan_floods(p->lan);
	if (p->kind == PORT_MEMBER) {
		int r = bindings_port_set(p->lan->books, p->ifindex, &b);
		if (r < 0 && !p->lan->again)
			log_error(LOG_PROXYARP, "%s: %s: not all of its entries: %s",
				p->lan->c->name, p->name,
				r == -EEXIST ? "another port has them" : strerror(-r));
	}
	if (was_dry != agent_port_dry(p))
		turn_dry(p);
	if (p->xdp != xdp)
		p->attached_ms = 0;
	p->xdp = xdp;
	if (p->lan->open)
		agent_port_attach(p);
}

void agent_port_take(struct agent_lan *lan, const struct link *l, enum layout_port_kind kind)
{
	struct agent_port *p = agent_port_find(lan, l->ifindex);
	bool fresh = !p;

	if (fresh) {
		p = calloc(1, sizeof(*p));
		if (!p)
			abort();
		if (agent_slot_get(lan->agent, l->ifindex, &p->slot) < 0) {
			log_error(LOG_PROXYARP, "%s: %s: not taken: too many ports for this start",
				lan->c->name, l->name);
			free(p);
			return;
		}
		*p = (struct agent_port){.lan = lan,
			.ifindex = l->ifindex,
			.slot = p->slot,
			.kind = kind,
			.found = l->knobs};
		TAILQ_INSERT_TAIL(&lan->ports, p, link);
	}
	memcpy(p->name, l->name, sizeof(p->name));
	p->up = link_is_up(l);
	agent_port_apply(p);
	if (fresh && lan->fdb)
		fdb_port_kick(lan->agent->fdb, p->ifindex);
}

void agent_port_drop(struct agent_port *p, bool there)
{
	struct agent_lan *lan = p->lan;
	struct agent *a = lan->agent;
	const struct link *l = links_get(a->links, p->ifindex);

	log_info(LOG_PROXYARP, "%s: %s: no longer a port", lan->c->name, p->name);
	if (there && l && l->is_port && lan->fdb)
		bridge_set(a->nl, p->ifindex,
			bridge_port_original(p->found, p->kind == PORT_FABRIC), l->knobs, NULL,
			NULL);
	a->ops->port_del(a->plane, p->ifindex);
	if (p->kind == PORT_MEMBER)
		bindings_port_del(lan->books, p->ifindex);
	if (a->fdb)
		fdb_port_gone(a->fdb, p->ifindex);
	if (p->kind != PORT_UNDERLAY)
		agent_ledger_leave(lan, p->slot);
	agent_slot_put(a, p->slot);
	TAILQ_REMOVE(&lan->ports, p, link);
	free(p);
	agent_lan_floods(lan);
}

/* --- knobs --- */

static void on_knobs(void *arg, int verdict)
{
	(void)arg;
	if (verdict < 0)
		log_warning(LOG_NETLINK, "a bridge port's settings were refused: %s",
			strerror(-verdict));
}

static bool entries_are_in(const struct agent_port *p)
{
	const struct registry *reg = p->lan->registry;

	for (size_t i = 0; p->closed && !p->quarantine && i < reg->port_count; i++) {
		const struct registry_port *r = &reg->ports[i];
		if (!agent_port_named(p->lan->agent, r, p->name))
			continue;
		for (int m = 0; m < r->mac_count; m++)
			if (!agent_former_silent(p, r->macs[m]) && !fdb_met(p->lan->fdb, r->macs[m]))
				return false;
	}
	return true;
}

/* A locked port lets in only those sources that the bridge has entries for. */
static bool locks(const struct agent_port *p)
{
	return p->closed && RULE_ACTION(p->row.rules, RULE_SOURCE_MAC) < ACTION_COUNT;
}

static struct bridge_knobs knobs_of(const struct agent_port *p)
{
	bool tells = p->lan->agent->ops->tells_sources;
	bool fabric = p->kind == PORT_FABRIC;

	if (agent_port_dry(p))
		return bridge_port_original(p->found, fabric);
	return fabric	  ? bridge_fabric(p->lan->floods)
	       : locks(p) ? bridge_member_closed(p->lan->floods)
			  : bridge_member_open(p->lan->floods, !p->closed && !tells);
}

void agent_port_turn(struct agent_port *p)
{
	struct agent *a = p->lan->agent;
	const struct link *l = links_get(a->links, p->ifindex);
	struct bridge_knobs want = knobs_of(p);

	if (!l || !l->is_port || !p->attached)
		return;
	if (bridge_knobs_met(l->knobs, want)) {
		p->knobs_asked = false;
		return;
	}
	if (p->knobs_asked || (!agent_port_dry(p) && !entries_are_in(p)))
		return;
	/* Asked once; if the answer is no, LINK_KNOBS or the next change of the port asks again. */
	p->knobs_asked = bridge_set(a->nl, p->ifindex, want, l->knobs, on_knobs, NULL) == 0;
}
