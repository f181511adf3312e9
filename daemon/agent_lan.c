/* The peering LANs of the configuration on this box: which interfaces are their ports, as these
 * come and go.
 *
 * A LAN that was not found working is taken only when quelld has told what is behind other PEs, or
 * after AGENT_OPEN_MS: until then it is the bridge that it was. What is done to each port, and in
 * which order, is in agent_port.c; it is given back in the opposite order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent.h"
#include "daemon/loop.h"

/* --- the registry --- */

bool agent_lan_wants_registry(const struct config_lan *lan)
{
	return lan->agent != NULL;
}

int agent_lans_check(struct config *c, struct registries *ret)
{
	char err[REGISTRY_ERROR_MAX] = "";
	uint32_t agents = 0;
	int r = registries_load(c, agent_lan_wants_registry, ret, err);

	registries_log_errors(err);
	for (uint32_t i = 0; i < c->lan_count; i++)
		agents += c->lans[i].agent != NULL;
	if (r == 0 && agents == 0) {
		log_error(LOG_CONFIG,
			"%s: no LAN has an agent section: nothing to do for quell-agent", c->file);
		r = -EINVAL;
	}
	return r;
}

/* --- finding --- */

struct agent_lan *agent_lan_by_vni(const struct agent *a, uint32_t vni)
{
	for (uint32_t i = 0; i < a->lan_count; i++)
		if (a->lans[i].c->vni == vni)
			return &a->lans[i];
	return NULL;
}

struct agent_lan *agent_lan_by_name(const struct agent *a, const char *name)
{
	for (uint32_t i = 0; i < a->lan_count; i++)
		if (strcmp(a->lans[i].c->name, name) == 0)
			return &a->lans[i];
	return NULL;
}

struct agent_port *agent_port_find(const struct agent_lan *lan, uint32_t ifindex)
{
	struct agent_port *p;

	TAILQ_FOREACH (p, &lan->ports, link)
		if (p->ifindex == ifindex)
			return p;
	return NULL;
}

static bool is_member_port(const struct agent_lan *lan, const struct link *l)
{
	const struct config_agent *c = lan->c->agent;

	if (!l->is_port || l->master != lan->bridge || l->ifindex == lan->vxlan)
		return false;
	for (uint32_t i = 0; i < c->port_count; i++)
		if (strcmp(c->ports[i], l->name) == 0)
			return true;
	return c->all_ports;
}

/* --- a LAN --- */

void agent_lan_open(struct agent_lan *lan)
{
	struct agent_port *p;

	if (lan->open)
		return;
	lan->open = true;
	/* The fabric last: until then what comes from there is still flooded, and then all members
	 * are ready. */
	TAILQ_FOREACH (p, &lan->ports, link)
		if (p->kind == PORT_MEMBER)
			agent_port_attach(p);
	TAILQ_FOREACH (p, &lan->ports, link)
		agent_port_attach(p);
}

void agent_lan_settle(struct agent_lan *lan)
{
	if (lan->settled)
		return;
	lan->settled = true;
	if (lan->fdb)
		fdb_lan_settle(lan->fdb);
}

void agent_lan_floods(struct agent_lan *lan)
{
	const struct agent_port *p;

	lan->floods = 0;
	TAILQ_FOREACH (p, &lan->ports, link)
		lan->floods |= bridge_floods(&p->row);
}

static void set_self(struct agent_lan *lan, struct mac mac)
{
	lan->self = mac;
	if (mac_is_host(mac) && bindings_self(lan->books, mac, lan->bridge) < 0)
		log_warning(LOG_PROXYARP, "%s: no room for the bridge's own MAC", lan->c->name);
}

void agent_lans_turn(struct agent *a)
{
	struct agent_port *p;

	for (uint32_t i = 0; i < a->lan_count; i++)
		if (a->lans[i].open && a->lans[i].fdb)
			TAILQ_FOREACH (p, &a->lans[i].ports, link)
				agent_port_turn(p);
}

/* --- links --- */

static void take_link(void *arg, const struct link *l)
{
	struct agent_lan *lan = arg;

	if (is_member_port(lan, l))
		agent_port_take(lan, l, PORT_MEMBER);
	else if (l->ifindex == lan->vxlan && l->is_port && l->master == lan->bridge)
		agent_port_take(lan, l, PORT_FABRIC);
}

static void warn_vxlan(const struct agent_lan *lan, const struct link *l)
{
	if (l->external)
		log_warning(LOG_NETLINK,
			"%s: %s is an external vxlan device: its VNI is not checked", lan->c->name,
			l->name);
	else if (l->vni != lan->c->vni)
		log_warning(LOG_NETLINK, "%s: %s has VNI %u, the configuration says %u",
			lan->c->name, l->name, l->vni, lan->c->vni);
	if (l->vxlan_learning)
		log_warning(LOG_NETLINK,
			"%s: %s learns from the fabric: set it up with `nolearning`", lan->c->name,
			l->name);
}

/* The bridge or the vxlan device appeared, under the ifindex that it has now. */
static void found_device(struct agent_lan *lan, const struct link *l)
{
	const struct config_agent *c = lan->c->agent;
	bool bridge = l->kind == LINK_BRIDGE && strcmp(l->name, c->bridge) == 0;
	bool vxlan = l->kind == LINK_VXLAN && strcmp(l->name, c->vxlan) == 0;

	if (!bridge && !vxlan)
		return;
	uint32_t *is = bridge ? &lan->bridge : &lan->vxlan, was = *is;
	*is = l->ifindex;
	if (vxlan)
		warn_vxlan(lan, l);
	if (was == *is)
		return;
	log_notice(LOG_NETLINK, "%s: %s is there", lan->c->name, l->name);
	if (lan->fdb)
		fdb_lan_move(lan->fdb, lan->bridge, lan->vxlan);
	if (bridge)
		set_self(lan, l->mac);
	/* Ports that came before their bridge was known; and all ports' rows name the vxlan device.
	 */
	links_each(lan->agent->links, take_link, lan);
}

static void lost_device(struct agent_lan *lan, const struct link *l)
{
	struct agent_port *p, *next;

	if (l->ifindex == lan->bridge) {
		log_error(LOG_NETLINK, "%s: bridge %s is gone", lan->c->name, l->name);
		for (p = TAILQ_FIRST(&lan->ports); p; p = next) {
			next = TAILQ_NEXT(p, link);
			agent_port_drop(p, true);
		}
		lan->bridge = 0;
	} else if (l->ifindex == lan->vxlan) {
		log_error(LOG_NETLINK, "%s: vxlan device %s is gone", lan->c->name, l->name);
		lan->vxlan = 0;
	} else {
		return;
	}
	if (lan->fdb)
		fdb_lan_move(lan->fdb, lan->bridge, lan->vxlan);
}

static void leave(struct agent_lan *lan, const struct link *now)
{
	struct agent_port *p = agent_port_find(lan, now->ifindex);

	if (p && now->master != lan->bridge)
		agent_port_drop(p, true);
}

static void lan_on_link(
	struct agent_lan *lan, uint32_t what, const struct link *was, const struct link *now)
{
	uint32_t ifindex = now ? now->ifindex : was->ifindex;
	struct agent_port *p;

	if (now && what & (LINK_ADDED | LINK_RENAMED | LINK_CONFIG))
		found_device(lan, now);
	if (now && now->ifindex == lan->bridge && what & LINK_MAC)
		set_self(lan, now->mac);
	p = agent_port_find(lan, ifindex);
	bool fabric =
		now && now->ifindex == lan->vxlan && now->is_port && now->master == lan->bridge;
	bool member = now && is_member_port(lan, now);
	if (p && !(p->kind == PORT_FABRIC ? fabric : member)) {
		agent_port_drop(p, now != NULL);
		p = NULL;
	}
	if ((fabric || member) && (!p || what & LINK_RENAMED)) {
		agent_port_take(lan, now, fabric ? PORT_FABRIC : PORT_MEMBER);
	} else if (p && what & (LINK_UP | LINK_DOWN)) {
		p->up = link_is_up(now);
		if (p->kind == PORT_MEMBER)
			bindings_port_up(lan->books, ifindex, p->up);
		if (p->up && lan->fdb)
			fdb_port_kick(lan->agent->fdb, ifindex);
	}
	if (p && what & LINK_KNOBS)
		p->knobs_asked = false;
	if (!now)
		lost_device(lan, was);
}

void agent_on_link(void *arg, uint32_t what, const struct link *was, const struct link *now)
{
	struct agent *a = arg;

	/* Before the books are open the links are only counted; agent_lans_start() looks them up.
	 * What has left a LAN leaves it before another takes it: both are the plane's one row. */
	for (uint32_t i = 0; a->plane && now && i < a->lan_count; i++)
		leave(&a->lans[i], now);
	for (uint32_t i = 0; a->plane && i < a->lan_count; i++)
		if (a->lans[i].books)
			lan_on_link(&a->lans[i], what, was, now);
	if (a->plane && what & (LINK_ADDED | LINK_REMOVED | LINK_RENAMED | LINK_JOINED | LINK_LEFT))
		agent_underlays_link(a, was, now);
}

void agent_lan_ports(struct agent_lan *lan)
{
	struct agent_port *p, *next;

	for (p = TAILQ_FIRST(&lan->ports); p; p = next) {
		const struct link *l = links_get(lan->agent->links, p->ifindex);
		next = TAILQ_NEXT(p, link);
		if (p->kind == PORT_MEMBER && l && !is_member_port(lan, l))
			agent_port_drop(p, true);
	}
	/* What one port gives up another may get: those that come first find it only the second time. */
	lan->again = true;
	links_each(lan->agent->links, take_link, lan);
	lan->again = false;
	links_each(lan->agent->links, take_link, lan);
}

/* --- start and stop --- */

static int find_lan(struct agent_lan *lan)
{
	const struct config_agent *c = lan->c->agent;
	const struct link *b = links_find(lan->agent->links, c->bridge);
	const struct link *v = links_find(lan->agent->links, c->vxlan);
	const char *what = !b                        ? "no such bridge"
			   : b->kind != LINK_BRIDGE  ? "not a bridge"
			   : !v                      ? "no such vxlan device"
			   : v->kind != LINK_VXLAN   ? "not a vxlan device"
			   : v->master != b->ifindex ? "not a port of the bridge"
						     : NULL;
	bool bridge = !b || b->kind != LINK_BRIDGE;

	if (what) {
		log_error(LOG_NETLINK, "%s: lan %s: %s %s: %s", lan->agent->config->file,
			lan->c->name, bridge ? "bridge" : "vxlan", bridge ? c->bridge : c->vxlan,
			what);
		return -ENODEV;
	}
	if (b->vlan_filtering)
		log_warning(LOG_NETLINK,
			"%s: %s filters VLANs; entries are made for untagged frames only",
			lan->c->name, b->name);
	lan->bridge = b->ifindex;
	lan->vxlan = v->ifindex;
	warn_vxlan(lan, v);
	return 0;
}

int agent_lans_find(struct agent *a, struct registries *registries)
{
	const struct config *c = a->config;
	int r = 0;

	a->lans = calloc(c->lan_count, sizeof(*a->lans));
	if (!a->lans)
		abort();
	for (uint32_t i = 0; i < c->lan_count; i++) {
		struct agent_lan *lan = &a->lans[a->lan_count];
		if (!c->lans[i].agent)
			continue;
		a->lan_count++;
		lan->agent = a;
		lan->c = &c->lans[i];
		lan->registry = registries_take(registries, i);
		agent_former_set(lan, NULL);
		TAILQ_INIT(&lan->ports);
		r = r ? r : find_lan(lan);
	}
	return r;
}

static int open_books(struct agent_lan *lan)
{
	struct agent *a = lan->agent;
	int r = 0;

	if (lan->c->agent->manage_fdb)
		r = fdb_lan_add(a->fdb, lan->bridge, lan->vxlan, lan, &lan->fdb);
	if (r < 0) {
		log_error(LOG_NETLINK, "lan %s: bridge %s: %s", lan->c->name, lan->c->agent->bridge,
			r == -EEXIST ? "another LAN has it" : strerror(-r));
		return r;
	}
	return agent_books_open(lan);
}

static void warn_registry(const struct agent_lan *lan)
{
	for (size_t i = 0; lan->registry && i < lan->registry->port_count; i++) {
		const struct registry_port *r = &lan->registry->ports[i];
		const struct link *l = links_find(lan->agent->links, r->port);
		if (agent_port_named(lan->agent, r, r->port) && r->pe &&
			(!l || !agent_port_find(lan, l->ifindex)))
			log_notice(LOG_REGISTRY, "%s: the registry's port %s is not there (yet)",
				lan->c->name, r->port);
	}
}

int agent_lans_start(struct agent *a)
{
	for (uint32_t i = 0; i < a->lan_count; i++) {
		int r = open_books(&a->lans[i]);
		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < a->lan_count; i++)
		agent_ledger_open(&a->lans[i]);
	agent_adopt_begin(a);
	for (uint32_t i = 0; i < a->lan_count; i++) {
		struct agent_lan *lan = &a->lans[i];
		const struct link *bridge = links_get(a->links, lan->bridge);
		if (bridge)
			set_self(lan, bridge->mac);
		links_each(a->links, take_link, lan);
		warn_registry(lan);
	}
	agent_vtep_own(a, a->config, NULL);
	agent_underlays_set(a);
	for (uint32_t i = 0; i < a->lan_count; i++)
		agent_sponge_open(&a->lans[i]);
	agent_adopt_end(a);
	return 0;
}

static void give_back(struct agent_lan *lan)
{
	struct agent *a = lan->agent;
	struct agent_port *p;

	TAILQ_FOREACH (p, &lan->ports, link) {
		const struct link *l = links_get(a->links, p->ifindex);
		if (lan->fdb && l && l->is_port)
			bridge_set(a->nl, p->ifindex,
				bridge_port_original(p->found, p->kind == PORT_FABRIC), l->knobs,
				NULL, NULL);
	}
}

void agent_lans_stop(struct agent *a, bool keep)
{
	for (uint32_t i = 0; i < a->lan_count && !keep; i++)
		give_back(&a->lans[i]);
	if (!keep && a->nl)
		netlink_flush(a->nl);
	for (uint32_t i = 0; i < a->lan_count; i++) {
		struct agent_lan *lan = &a->lans[i];
		struct agent_port *p;
		if (lan->fdb)
			fdb_lan_del(lan->fdb, keep);
		agent_sponge_close(lan);
		bindings_free(lan->books);
		registry_free(lan->registry);
		while ((p = TAILQ_FIRST(&lan->ports)) != NULL) {
			TAILQ_REMOVE(&lan->ports, p, link);
			free(p);
		}
		agent_ledger_close(lan);
		free(lan->former);
		free(lan->vteps);
	}
	agent_underlays_free(a);
	free(a->lans);
	a->lans = NULL;
	a->lan_count = 0;
}
