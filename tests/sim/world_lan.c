/* Peering LANs on some nodes: what comes and goes behind their ports, and what they say of it. */
#include "tests/sim/world_inside.h"

#include <stdlib.h>
#include <string.h>

void world_lan_say(struct world *w, int i)
{
	struct w_node *n = &w->node[i];

	if (n->saying)
		return;
	n->saying = true;
	for (unsigned k = 0; k < n->said_count; k++) {
		int key = world_key_add(w, &n->said[k].n);
		struct m_path *p = &w->model.node[i].local[key];
		memset(p, 0, sizeof(*p));
		p->there = n->said[k].there;
		if (p->there) {
			p->a = n->said[k].a;
			p->payload_len = n->said[k].n.payload_len;
			memcpy(p->payload, n->said[k].n.payload, sizeof(p->payload));
		}
		world_tell(w, i, key);
	}
	n->said_count = 0;
	n->saying = false;
}

/* The node is found by its VTEP. */
static struct w_node *node_of(struct world *w, struct lan *lan)
{
	return &w->node[ip_to_u32(lan_config(lan)->vtep) - 0xc0000201u];
}

static void on_originate(
	void *arg, struct lan *lan, const struct nlri *n, const struct attrs *attrs)
{
	struct w_node *node = node_of(arg, lan);
	struct said *s = &node->said[node->said_count++];

	if (node->said_count > LAN_SAID)
		world_fail(arg, "a LAN says without end");
	*s = (struct said){.n = *n, .there = attrs != NULL};
	if (attrs)
		m_attrs_of(attrs, &s->a);
}

static void on_mac(void *arg, struct lan *lan, struct mac mac, const struct lan_entry *best)
{
	struct w_node *node = node_of(arg, lan);
	struct world *w = arg;

	node->where[mac.b[5]] = !best         ? -1
				: best->local ? (int)(node - w->node)
					      : (int)(ip_to_u32(best->vtep) - 0xc0000201u);
}

void world_on_best(void *arg, const struct best_change *c, uint64_t now_ms)
{
	struct w_node *n = arg;
	bool remote = c->attrs && c->from;

	(void)now_ms;
	lans_route(n->lans, c->key, c->key_len, c->payload, c->payload_len,
		remote ? &c->attrs->attrs : NULL, c->stale);
	world_lan_say(n->w, (int)(n - n->w->node));
}

static struct mac mac_n(int n)
{
	return (struct mac){{2, 0, 0x5e, 0, 0, (uint8_t)n}};
}

static struct ip ip_n(int n)
{
	return n == LAN_IPS ? (struct ip){0} : ip_v4_u32(0xc6120001u + (uint32_t)n);
}

void world_lan_start(struct world *w, int i)
{
	struct lan_hooks hooks = {.originate = on_originate, .mac_changed = on_mac, .arg = w};
	struct lan_config c = {.name = "ixp",
		.vni = 100,
		.originates = true,
		.vtep = world_address(i),
		.rd = rd_make(world_address(i), 2),
		.import_count = 1};
	struct w_node *n = &w->node[i];

	rt_parse("65000:100", &c.export_rt);
	c.import_rts[0] = c.export_rt;
	for (int k = 0; k < LAN_MACS; k++)
		n->where[k] = -1;
	n->lans = lans_new(&hooks);
	if (!n->lans || lans_add(n->lans, &c, &n->lan) != 0)
		abort();
	for (int mac = 0; mac < LAN_MACS; mac++)
		for (int ip = 0; ip <= LAN_IPS; ip++)
			if (n->port[mac][ip])
				lan_local_add(n->lan, mac_n(mac), ip_n(ip), 0, false);
}

void world_change_lan(struct world *w)
{
	int i = (int)world_dice(w, (unsigned)w->model.nodes), mac = (int)world_dice(w, LAN_MACS),
	    ip = (int)world_dice(w, LAN_IPS + 1);
	struct w_node *n = &w->node[i];

	if (!n->has_lan)
		return;
	world_trace(w, "node %d: MAC %d IP %d %s", i, mac, ip, n->port[mac][ip] ? "goes" : "comes");
	n->port[mac][ip] = !n->port[mac][ip];
	/* An IP is bound to one MAC. */
	for (int k = 0; ip < LAN_IPS && k < LAN_MACS; k++)
		if (k != mac)
			n->port[k][ip] = false;
	if (!n->lan)
		return;
	if (n->port[mac][ip])
		lan_local_add(n->lan, mac_n(mac), ip_n(ip), 0, world_dice(w, 2));
	else
		lan_local_del(n->lan, mac_n(mac), ip_n(ip));
	world_lan_say(w, i);
}
