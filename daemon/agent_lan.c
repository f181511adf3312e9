/* The peering LANs of the configuration on this box: which interfaces are their ports, and what each is told.
 *
 * A port is taken in this order, so that nothing that worked falls into a gap: its row in the plane; its MACs and addresses in the
 * books, and from there in the plane and the bridge's forwarding table; the programs on the interface; and, once the kernel
 * has all its entries, the bridge's knobs (proxyarp/linux/bridge.h). A LAN that was not found working is taken only when quelld has
 * told what is behind other PEs, or after AGENT_OPEN_MS. It is given back in the opposite order.
 *
 * A port that the registry names is closed: its MACs and addresses, and no others. One that it does not name learns.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent.h"
#include "daemon/loop.h"

#define BURST_MIN 4542 /* three full frames */

/* --- the registry --------------------------------------------------------------------------------------------- */

static int load_registry(const struct config_lan *c, struct registry **ret)
{
	char err[REGISTRY_ERROR_MAX] = "";
	int r = registry_load((const char *const *)c->registry, c->registry_count, c->prefixes,
		c->prefix_count, ret, err);

	if (r < 0)
		for (char *line = err, *end; *line; line = end) {
			end = line + strcspn(line, "\n");
			if (*end)
				*end++ = '\0';
			log_error(LOG_REGISTRY, "%s", line);
		}
	return r;
}

int agent_lans_check(struct config *c, struct registry **ret_registries)
{
	uint32_t agents = 0;
	int r = 0;

	for (uint32_t i = 0; i < c->lan_count && r == 0; i++) {
		agents += c->lans[i].agent != NULL;
		if (c->lans[i].agent && c->lans[i].registry_count)
			r = load_registry(&c->lans[i], &ret_registries[i]);
	}
	if (r == 0 && agents == 0) {
		log_error(LOG_CONFIG, "%s: no LAN has an agent section: nothing to do for quell-agent",
			c->file);
		r = -EINVAL;
	}
	return r;
}

static bool is_of_port(const struct agent *a, const struct registry_port *r, const char *name)
{
	return strcmp(r->port, name) == 0 && (r->pe == 0 || r->pe == a->config->router_id);
}

/* Several members may share a port: their entries are one. */
static void read_registry(struct agent_port *p, struct binding_port *ret)
{
	const struct registry *reg = p->lan->registry;

	p->member = NULL;
	p->closed = p->quarantine = false;
	*ret = (struct binding_port){.up = p->up};
	for (size_t i = 0; reg && i < reg->port_count; i++) {
		const struct registry_port *r = &reg->ports[i];
		if (!is_of_port(p->lan->agent, r, p->name))
			continue;
		if (!p->member)
			p->member = r;
		p->closed = true;
		p->quarantine |= r->status != REGISTRY_ACTIVE;
		for (int m = 0; m < r->mac_count && ret->mac_count < BINDING_MACS; m++)
			ret->macs[ret->mac_count++] = r->macs[m];
		for (int m = 0; m < r->ip_count && ret->ip_count < BINDING_IPS; m++)
			ret->ips[ret->ip_count++] = r->ips[m];
	}
	/* Nothing in, nothing out: then nothing is answered for it either. */
	if (p->quarantine)
		ret->mac_count = ret->ip_count = 0;
	ret->closed = p->closed;
}

/* --- finding -------------------------------------------------------------------------------------------------- */

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

/* --- a port --------------------------------------------------------------------------------------------------- */

static uint32_t burst_of(uint64_t bps)
{
	uint64_t octets = bps / 8 / 4;

	return octets < BURST_MIN ? BURST_MIN : octets > INT32_MAX ? INT32_MAX : (uint32_t)octets;
}

static int set_plane_port(const struct agent_port *p)
{
	const struct config_agent *c = p->lan->c->agent;
	struct agent *a = p->lan->agent;
	bool member = p->kind == PORT_MEMBER;
	struct layout_port v = {
		.lan = p->lan->c->vni,
		.slot = p->slot,
		.kind = (uint8_t)p->kind,
		.flags = (uint8_t)((p->closed ? PORT_CLOSED : 0) | (p->quarantine ? PORT_QUARANTINE : 0)),
		.unknown_target = (uint8_t)c->unknown_target,
		.ns_option = (uint8_t)c->ns_option,
		.fabric_ifindex = p->lan->vxlan,
		.flood_classes = c->flood_classes,
		/* What comes over the fabric was policed where it came in, or is policed where it goes out. */
		.police_in_bps = member ? c->police_in_bps : 0,
		.police_out_bps = member ? c->police_out_bps : 0,
	};

	v.police_in_burst = burst_of(v.police_in_bps);
	v.police_out_burst = burst_of(v.police_out_bps);
	int r = a->ops->port_set(a->plane, p->ifindex, &v);
	if (r < 0)
		log_error(LOG_PROXYARP, "%s: %s: not taken: %s", p->lan->c->name, p->name, strerror(-r));
	return r;
}

static void attach(struct agent_port *p)
{
	struct agent *a = p->lan->agent;

	if (p->attached)
		return;
	int r = a->ops->port_attach(a->plane, p->ifindex, p->lan->c->agent->accelerate != 0);
	if (r < 0) {
		log_error(LOG_PROXYARP, "%s: %s: the data plane cannot be attached: %s", p->lan->c->name,
			p->name, strerror(-r));
		return;
	}
	p->attached = true;
	log_info(LOG_PROXYARP, "%s: %s: %s port%s%s%s", p->lan->c->name, p->name,
		p->kind == PORT_FABRIC ? "fabric" : "member",
		p->closed	       ? ", closed"
			: p->kind == PORT_MEMBER ? ", learning"
						 : "",
		p->quarantine ? ", in quarantine" : "", p->up ? "" : ", down");
}

/* The registry's word on a port, into plane and books. */
static void apply(struct agent_port *p)
{
	struct binding_port b = {.up = p->up};

	if (p->kind == PORT_MEMBER)
		read_registry(p, &b);
	if (set_plane_port(p) < 0)
		return;
	if (p->kind == PORT_MEMBER) {
		int r = bindings_port_set(p->lan->books, p->ifindex, &b);
		if (r < 0)
			log_error(LOG_PROXYARP, "%s: %s: not all of its entries: %s", p->lan->c->name,
				p->name, r == -EEXIST ? "another port has them" : strerror(-r));
	}
	if (p->lan->open)
		attach(p);
}

static void take_port(struct agent_lan *lan, const struct link *l, enum layout_port_kind kind)
{
	struct agent_port *p = agent_port_find(lan, l->ifindex);
	bool fresh = !p;

	if (fresh) {
		p = calloc(1, sizeof(*p));
		if (!p)
			abort();
		if (agent_slot_get(lan->agent, l->ifindex, &p->slot) < 0) {
			log_error(LOG_PROXYARP, "%s: %s: not taken: too many ports for this start", lan->c->name,
				l->name);
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
	apply(p);
	if (fresh && lan->fdb)
		fdb_port_kick(lan->agent->fdb, p->ifindex);
}

/* there: the interface still is, so that what we did to it can be undone. */
static void drop_port(struct agent_port *p, bool there)
{
	struct agent_lan *lan = p->lan;
	struct agent *a = lan->agent;
	const struct link *l = links_get(a->links, p->ifindex);

	log_info(LOG_PROXYARP, "%s: %s: no longer a port", lan->c->name, p->name);
	if (there && l && l->is_port && lan->fdb)
		bridge_set(a->nl, p->ifindex, bridge_port_original(p->found, p->kind == PORT_FABRIC),
			l->knobs, NULL, NULL);
	a->ops->port_del(a->plane, p->ifindex);
	if (p->kind == PORT_MEMBER)
		bindings_port_del(lan->books, p->ifindex);
	if (a->fdb)
		fdb_port_gone(a->fdb, p->ifindex);
	agent_slot_put(a, p->slot);
	TAILQ_REMOVE(&lan->ports, p, link);
	free(p);
}

/* --- knobs ---------------------------------------------------------------------------------------------------- */

static void on_knobs(void *arg, int verdict)
{
	(void)arg;
	if (verdict < 0)
		log_warning(LOG_NETLINK, "a bridge port's settings were refused: %s", strerror(-verdict));
}

static bool entries_are_in(const struct agent_port *p)
{
	const struct registry_port *r = p->member;

	for (int i = 0; r && !p->quarantine && i < r->mac_count; i++) {
		/* One that is behind another PE now has its entry there, or will have it. */
		if (!fdb_met(p->lan->fdb, r->macs[i]))
			return false;
	}
	return true;
}

static void turn_knobs(struct agent_port *p)
{
	struct agent *a = p->lan->agent;
	const struct link *l = links_get(a->links, p->ifindex);
	struct bridge_knobs want = p->kind == PORT_FABRIC ? bridge_fabric(p->lan->floods)
		: p->closed				  ? bridge_member_closed(p->lan->floods)
							  : bridge_member_open(p->lan->floods);

	if (!l || !l->is_port || !p->attached)
		return;
	if (bridge_knobs_met(l->knobs, want)) {
		p->knobs_asked = false;
		return;
	}
	if (p->knobs_asked || !entries_are_in(p))
		return;
	/* Asked once; if the answer is no, LINK_KNOBS or the next change of the port asks again. */
	p->knobs_asked = bridge_set(a->nl, p->ifindex, want, l->knobs, on_knobs, NULL) == 0;
}

void agent_lans_turn(struct agent *a)
{
	struct agent_port *p;

	for (uint32_t i = 0; i < a->lan_count; i++)
		if (a->lans[i].open && a->lans[i].fdb)
			TAILQ_FOREACH (p, &a->lans[i].ports, link)
				turn_knobs(p);
}

/* --- a LAN ---------------------------------------------------------------------------------------------------- */

void agent_lan_open(struct agent_lan *lan)
{
	struct agent_port *p;

	if (lan->open)
		return;
	lan->open = true;
	/* The fabric last: until then what comes from there is still flooded, and then all members are ready. */
	TAILQ_FOREACH (p, &lan->ports, link)
		if (p->kind == PORT_MEMBER)
			attach(p);
	TAILQ_FOREACH (p, &lan->ports, link)
		attach(p);
}

void agent_lan_settle(struct agent_lan *lan)
{
	if (lan->settled)
		return;
	lan->settled = true;
	if (lan->fdb)
		fdb_lan_settle(lan->fdb);
}

void agent_lan_vtep(struct agent_lan *lan, struct ip vtep, bool present)
{
	struct agent *a = lan->agent;
	uint32_t i = 0;
	int r = 0;

	while (i < lan->vtep_count && !ip_eq(lan->vteps[i].ip, vtep))
		i++;
	if (present && i == lan->vtep_count) {
		struct agent_vtep *more = lan->vtep_count < AGENT_VTEPS_MAX
			? reallocarray(lan->vteps, lan->vtep_count + 1, sizeof(*more))
			: NULL;
		if (!more) {
			log_limited(&a->full_log, loop_now_ms(), LOG_FEED, LOG_LEVEL_WARNING,
				"%s: more than %d PEs", lan->c->name, AGENT_VTEPS_MAX);
			return;
		}
		lan->vteps = more;
		lan->vteps[lan->vtep_count++] = (struct agent_vtep){.ip = vtep};
		if (lan->fdb)
			r = fdb_want_flood(lan->fdb, vtep);
	} else if (present) {
		lan->vteps[i].marked = false;
	} else if (i < lan->vtep_count) {
		lan->vteps[i] = lan->vteps[--lan->vtep_count];
		if (lan->fdb)
			r = fdb_unwant_flood(lan->fdb, vtep);
	}
	if (r < 0)
		log_limited(&a->full_log, loop_now_ms(), LOG_NETLINK, LOG_LEVEL_WARNING,
			"%s: flood list: %s", lan->c->name, strerror(-r));
}

void agent_lan_vteps_mark(struct agent_lan *lan)
{
	for (uint32_t i = 0; i < lan->vtep_count; i++)
		lan->vteps[i].marked = true;
}

void agent_lan_vteps_sweep(struct agent_lan *lan)
{
	for (uint32_t i = lan->vtep_count; i-- > 0;)
		if (lan->vteps[i].marked)
			agent_lan_vtep(lan, lan->vteps[i].ip, false);
}

static void set_self(struct agent_lan *lan, struct mac mac)
{
	lan->self = mac;
	if (mac_is_host(mac) && bindings_self(lan->books, mac, lan->bridge) < 0)
		log_warning(LOG_PROXYARP, "%s: no room for the bridge's own MAC", lan->c->name);
}

/* --- links ---------------------------------------------------------------------------------------------------- */

static void warn_vxlan(const struct agent_lan *lan, const struct link *l)
{
	if (l->external)
		log_warning(LOG_NETLINK, "%s: %s is an external vxlan device: its VNI is not checked",
			lan->c->name, l->name);
	else if (l->vni != lan->c->vni)
		log_warning(LOG_NETLINK, "%s: %s has VNI %u, the configuration says %u", lan->c->name,
			l->name, l->vni, lan->c->vni);
	if (l->vxlan_learning)
		log_warning(LOG_NETLINK,
			"%s: %s learns from the fabric: set it up with `nolearning`", lan->c->name, l->name);
}

/* The bridge or the vxlan device appeared, under the ifindex that it has now. */
static void found_device(struct agent_lan *lan, const struct link *l)
{
	const struct config_agent *c = lan->c->agent;
	bool bridge = l->kind == LINK_BRIDGE && strcmp(l->name, c->bridge) == 0;
	bool vxlan = l->kind == LINK_VXLAN && strcmp(l->name, c->vxlan) == 0;

	if (!bridge && !vxlan)
		return;
	*(bridge ? &lan->bridge : &lan->vxlan) = l->ifindex;
	if (vxlan)
		warn_vxlan(lan, l);
	if (lan->fdb)
		fdb_lan_move(lan->fdb, lan->bridge, lan->vxlan);
	if (bridge && lan->books)
		set_self(lan, l->mac);
}

static void lost_device(struct agent_lan *lan, const struct link *l)
{
	struct agent_port *p, *next;

	if (l->ifindex == lan->bridge) {
		log_error(LOG_NETLINK, "%s: bridge %s is gone", lan->c->name, l->name);
		for (p = TAILQ_FIRST(&lan->ports); p; p = next) {
			next = TAILQ_NEXT(p, link);
			drop_port(p, true);
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

static void lan_on_link(struct agent_lan *lan, uint32_t what, const struct link *was, const struct link *now)
{
	uint32_t ifindex = now ? now->ifindex : was->ifindex;
	struct agent_port *p;

	if (now && what & (LINK_ADDED | LINK_RENAMED | LINK_CONFIG))
		found_device(lan, now);
	if (now && now->ifindex == lan->bridge && what & LINK_MAC)
		set_self(lan, now->mac);
	p = agent_port_find(lan, ifindex);
	bool fabric = now && now->ifindex == lan->vxlan && now->is_port && now->master == lan->bridge;
	bool member = now && is_member_port(lan, now);
	if (p && !(p->kind == PORT_FABRIC ? fabric : member)) {
		drop_port(p, now != NULL);
		p = NULL;
	}
	if ((fabric || member) && (!p || what & LINK_RENAMED)) {
		take_port(lan, now, fabric ? PORT_FABRIC : PORT_MEMBER);
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

	/* Before the books are open the links are only counted; agent_lans_start() looks them up. */
	for (uint32_t i = 0; a->plane && i < a->lan_count; i++)
		if (a->lans[i].books)
			lan_on_link(&a->lans[i], what, was, now);
}

/* --- start and stop ------------------------------------------------------------------------------------------- */

static int find_lan(struct agent_lan *lan)
{
	const struct config_agent *c = lan->c->agent;
	const struct link *b = links_find(lan->agent->links, c->bridge);
	const struct link *v = links_find(lan->agent->links, c->vxlan);
	const char *what = !b	    ? "no such bridge"
		: b->kind != LINK_BRIDGE ? "not a bridge"
		: !v			 ? "no such vxlan device"
		: v->kind != LINK_VXLAN	 ? "not a vxlan device"
		: v->master != b->ifindex ? "not a port of the bridge"
					  : NULL;
	bool bridge = !b || b->kind != LINK_BRIDGE;

	if (what) {
		log_error(LOG_NETLINK, "%s: lan %s: %s %s: %s", lan->agent->config->file, lan->c->name,
			bridge ? "bridge" : "vxlan", bridge ? c->bridge : c->vxlan, what);
		return -ENODEV;
	}
	if (b->vlan_filtering)
		log_warning(LOG_NETLINK, "%s: %s filters VLANs; entries are made for untagged frames only",
			lan->c->name, b->name);
	lan->bridge = b->ifindex;
	lan->vxlan = v->ifindex;
	warn_vxlan(lan, v);
	return 0;
}

int agent_lans_find(struct agent *a, struct registry **registries)
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
		lan->registry = registries[i];
		registries[i] = NULL;
		lan->floods = bridge_floods(lan->c->agent->unknown_target, lan->c->agent->flood_classes);
		TAILQ_INIT(&lan->ports);
		r = r ? r : find_lan(lan);
	}
	return r;
}

static void take_link(void *arg, const struct link *l)
{
	struct agent_lan *lan = arg;

	if (is_member_port(lan, l))
		take_port(lan, l, PORT_MEMBER);
	else if (l->ifindex == lan->vxlan && l->is_port && l->master == lan->bridge)
		take_port(lan, l, PORT_FABRIC);
}

static int open_books(struct agent_lan *lan)
{
	struct agent *a = lan->agent;
	struct binding_config c = {
		.lan = lan->c->vni,
		.prefixes = lan->c->prefixes,
		.prefix_count = lan->c->prefix_count,
		.max_bindings = lan->c->agent->max_bindings,
		.max_macs = lan->c->agent->max_bindings,
		.age_sec = lan->c->agent->age_sec,
	};
	struct binding_hooks hooks = agent_books_hooks(lan);
	int r = 0;

	if (lan->c->agent->manage_fdb)
		r = fdb_lan_add(a->fdb, lan->bridge, lan->vxlan, lan, &lan->fdb);
	if (r < 0) {
		log_error(LOG_NETLINK, "lan %s: bridge %s: %s", lan->c->name, lan->c->agent->bridge,
			r == -EEXIST ? "another LAN has it" : strerror(-r));
		return r;
	}
	lan->books = bindings_new(&c, &hooks);
	return lan->books ? 0 : -ENOMEM;
}

static void warn_registry(const struct agent_lan *lan)
{
	for (size_t i = 0; lan->registry && i < lan->registry->port_count; i++) {
		const struct registry_port *r = &lan->registry->ports[i];
		const struct link *l = links_find(lan->agent->links, r->port);
		if (is_of_port(lan->agent, r, r->port) && r->pe && (!l || !agent_port_find(lan, l->ifindex)))
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
	agent_adopt_begin(a);
	for (uint32_t i = 0; i < a->lan_count; i++) {
		struct agent_lan *lan = &a->lans[i];
		const struct link *bridge = links_get(a->links, lan->bridge);
		if (bridge)
			set_self(lan, bridge->mac);
		links_each(a->links, take_link, lan);
		warn_registry(lan);
	}
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
				bridge_port_original(p->found, p->kind == PORT_FABRIC), l->knobs, NULL,
				NULL);
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
		bindings_free(lan->books);
		registry_free(lan->registry);
		while ((p = TAILQ_FIRST(&lan->ports)) != NULL) {
			TAILQ_REMOVE(&lan->ports, p, link);
			free(p);
		}
		free(lan->vteps);
	}
	free(a->lans);
	a->lans = NULL;
	a->lan_count = 0;
}
