#include "tests/sim/world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"
#include "bgp/membership.h"
#include "evpn/family.h"
#include "evpn/nlri.h"
#include "lib/log.h"

#define REFUSED_COMMUNITY (65000u << 16 | 2)

static const struct bgp_family *const families[] = {&evpn_family, &rtc_family};

static unsigned dice(struct world *w, unsigned n)
{
	return sim_random(&w->net, n);
}

static struct ip address_of(int node)
{
	return ip_v4_u32(0xc0000201u + (uint32_t)node);
}

void world_fail(const struct world *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	/* Equal attributes are told in the order of their addresses in memory, so now and then a
	 * seed fails only after those before it. */
	fprintf(stderr, "SIM_SEED=%u (or SIM_SEED=%u SIM_SEEDS=%u): ", w->seed, w->first,
		w->seed - w->first + 1);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(1);
}

static void __attribute__((format(printf, 2, 3))) trace(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->trace)
		return;
	va_start(ap, fmt);
	fprintf(stderr, "%8llu ms: ", (unsigned long long)(w->net.now - 1000000));
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
}

/* --- routes --- */

int world_key(struct world *w, const uint8_t *key, size_t len)
{
	for (int i = 0; i < w->model.keys; i++)
		if (w->key[i].key_len == len && memcmp(w->key[i].key, key, len) == 0)
			return i;
	return -1;
}

static int key_add(struct world *w, const struct nlri *n)
{
	int i = world_key(w, n->key, n->key_len);

	if (i >= 0)
		return i;
	if (w->model.keys == KEYS)
		abort();
	w->key[w->model.keys] = *n;
	w->model.is_macip[w->model.keys] = n->key[0] == EVPN_MACIP;
	return w->model.keys++;
}

/* One key of each kind, and MACs on top, since they have rules of their own. */
static void make_keys(struct world *w, int count)
{
	struct nlri n;

	for (int i = 0; i < count; i++) {
		struct evpn_route r = {.rd = rd_make(ip_v4_u32(0xc6336401), 1),
			.tag = (uint32_t)i,
			.esi = {{1, 2, 3, 4, 5, 6, 7, 8, 9, (uint8_t)i}},
			.mac = {{2, 0, 0, 0, 0, (uint8_t)i}},
			.label_count = 1};
		switch (i % 8) {
		case 0:
			r.type = EVPN_AD;
			break;
		case 1:
			r.type = EVPN_IMET;
			r.ip = ip_v4_u32(0xc6336401);
			break;
		case 2:
			r.type = EVPN_ES;
			r.ip = ip_v4_u32(0xc6336401);
			break;
		case 3:
			r.type = EVPN_PREFIX;
			r.ip = r.gateway = ip_v4_u32(0x0a000000);
			r.prefix_len = 8;
			break;
		case 4: /* a type that we only carry */
			n = (struct nlri){.key_len = 12, .key = {20, 1, 2, 3, (uint8_t)i}};
			key_add(w, &n);
			continue;
		default:
			r.type = EVPN_MACIP;
			if (i % 8 == 6)
				r.ip = ip_v4_u32(0xc6120001 + (uint32_t)i);
		}
		if (evpn_nlri_pack(&r, &n) != 0)
			abort();
		key_add(w, &n);
	}
}

static void make_payload(struct world *w, int key, struct m_path *p)
{
	const struct nlri *n = &w->key[key];

	p->payload_len = n->payload_len;
	if (w->model.is_macip[key] && dice(w, 4) == 0)
		p->payload_len = EVPN_MACIP_PAYLOAD_LABEL2;
	if (p->payload_len >= 3)
		p->payload[p->payload_len - 1] = (uint8_t)dice(w, 3);
	/* All of a key or none: paths with a segment and without are in no order (family.c). */
	if (w->model.is_macip[key] && key % 8 == 7)
		memcpy(p->payload, "\0\x11\x22\x33\x44\x55\x66\x77\x88\x99", 10);
}

static void add_ecom(struct m_attrs *a, const char octets[8])
{
	memcpy(a->ecom[a->ecoms++], octets, 8);
}

static void make_attrs(struct world *w, int node, int key, struct m_attrs *a)
{
	static const uint32_t well_known[] = {0xffffff01, 0xffffff02, 0xffffff03};

	a->next_hop = address_of(dice(w, 4) ? node : (int)dice(w, SIM_NODES));
	a->origin = dice(w, 6) ? 0 : (uint8_t)dice(w, 3);
	/* Not below the default: two eBGP neighbours that each like the other's better than their
	 * own have two ways to agree. */
	if (dice(w, 4) == 0)
		a->has_local_pref = true, a->local_pref = 100 + dice(w, 3);
	if (w->plain && dice(w, 5) == 0)
		a->has_med = true, a->med = dice(w, 3);
	for (unsigned n = dice(w, 8) ? 0 : 1 + dice(w, 2); n; n--)
		a->as[a->ases++] = dice(w, 6) ? 64500 + dice(w, 2) : 65000 + dice(w, 3);
	if (dice(w, 4) == 0)
		a->community[a->communities++] = 65000u << 16 | dice(w, 3);
	if (dice(w, 12) == 0)
		a->community[a->communities++] = well_known[dice(w, 3)];
	if (dice(w, 2)) {
		add_ecom(a, "\0\2\xfd\xe8\0\0\0\x64");
		a->ecom[a->ecoms - 1][7] = (uint8_t)(100 + dice(w, w->rtc ? 3 : 1));
	}
	if (dice(w, 8) == 0)
		add_ecom(a, "\x43\x05\0\0\0\0\0\1");
	if (w->model.is_macip[key] && dice(w, 2)) {
		add_ecom(a, "\6\0\0\0\0\0\0\0");
		a->ecom[a->ecoms - 1][7] = (uint8_t)dice(w, 3);
		a->ecom[a->ecoms - 1][2] = dice(w, 8) == 0;
	}
	if (w->key[key].key[0] == EVPN_IMET) {
		memcpy(a->pmsi, "\0\6\0\0\x64\xc0\0\2\1", 9);
		a->pmsi_len = 9;
	}
}

static struct nlri nlri_of(const struct world *w, int key, const struct m_path *p)
{
	struct nlri n = w->key[key];

	n.payload_len = p->payload_len;
	memcpy(n.payload, p->payload, sizeof(n.payload));
	return n;
}

static void tell(struct world *w, int node, int key)
{
	const struct m_path *p = &w->model.node[node].local[key];
	struct nlri n = nlri_of(w, key, p);
	struct m_room room;
	struct attrs a;

	if (w->node[node].down)
		return;
	m_attrs_to(&p->a, &room, &a);
	if (p->there)
		speaker_originate(w->net.node[node].s, &evpn_family, &n, &a, w->net.now);
	else
		speaker_unoriginate(w->net.node[node].s, &evpn_family, &n, w->net.now);
}

static void change_route(struct world *w, int node, int key)
{
	struct m_path *p = &w->model.node[node].local[key];
	bool there = p->there;

	memset(p, 0, sizeof(*p));
	if (!there || dice(w, 3)) {
		p->there = true;
		make_payload(w, key, p);
		make_attrs(w, node, key, &p->a);
	}
	tell(w, node, key);
}

static void change_routes(struct world *w)
{
	int node = (int)dice(w, (unsigned)w->model.nodes);
	unsigned count = dice(w, 8) ? 1 + dice(w, 2) : (unsigned)w->model.keys;

	trace(w, "node %d: %u routes change", node, count);
	for (; count; count--)
		change_route(w, node, (int)dice(w, (unsigned)w->model.keys));
}

/* --- LANs --- */

static void lan_say(struct world *w, int i)
{
	struct w_node *n = &w->node[i];

	if (n->saying)
		return;
	n->saying = true;
	for (unsigned k = 0; k < n->said_count; k++) {
		int key = key_add(w, &n->said[k].n);
		struct m_path *p = &w->model.node[i].local[key];
		memset(p, 0, sizeof(*p));
		p->there = n->said[k].there;
		if (p->there) {
			p->a = n->said[k].a;
			p->payload_len = n->said[k].n.payload_len;
			memcpy(p->payload, n->said[k].n.payload, sizeof(p->payload));
		}
		tell(w, i, key);
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

static void on_best(void *arg, const struct best_change *c, uint64_t now_ms)
{
	struct w_node *n = arg;
	bool remote = c->attrs && c->from;

	(void)now_ms;
	lans_route(n->lans, c->key, c->key_len, c->payload, c->payload_len,
		remote ? &c->attrs->attrs : NULL, c->stale);
	lan_say(n->w, (int)(n - n->w->node));
}

static struct mac mac_n(int n)
{
	return (struct mac){{2, 0, 0x5e, 0, 0, (uint8_t)n}};
}

static struct ip ip_n(int n)
{
	return n == LAN_IPS ? (struct ip){0} : ip_v4_u32(0xc6120001u + (uint32_t)n);
}

static void lan_start(struct world *w, int i)
{
	struct lan_hooks hooks = {.originate = on_originate, .mac_changed = on_mac, .arg = w};
	struct lan_config c = {.name = "ixp",
		.vni = 100,
		.originates = true,
		.vtep = address_of(i),
		.rd = rd_make(address_of(i), 2),
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

static void change_lan(struct world *w)
{
	int i = (int)dice(w, (unsigned)w->model.nodes), mac = (int)dice(w, LAN_MACS),
	    ip = (int)dice(w, LAN_IPS + 1);
	struct w_node *n = &w->node[i];

	if (!n->has_lan)
		return;
	trace(w, "node %d: MAC %d IP %d %s", i, mac, ip, n->port[mac][ip] ? "goes" : "comes");
	n->port[mac][ip] = !n->port[mac][ip];
	/* An IP is bound to one MAC. */
	for (int k = 0; ip < LAN_IPS && k < LAN_MACS; k++)
		if (k != mac)
			n->port[k][ip] = false;
	if (!n->lan)
		return;
	if (n->port[mac][ip])
		lan_local_add(n->lan, mac_n(mac), ip_n(ip), 0, dice(w, 2));
	else
		lan_local_del(n->lan, mac_n(mac), ip_n(ip));
	lan_say(w, i);
}

/* --- nodes and their neighbours --- */

static int side_node(const struct world *w, int link, int side)
{
	return side ? w->model.link[link].b : w->model.link[link].a;
}

static struct neighbor_config config_of(const struct world *w, int link, int side)
{
	const struct w_side *s = &w->side[link][side];
	int to = side_node(w, link, !side);

	return (struct neighbor_config){.address = address_of(to),
		.remote_as = s->any_as ? 0 : w->model.node[to].as,
		.client = s->client,
		.passive = s->passive,
		.queue_octets = s->queue_octets,
		.stale_sec = s->stale_sec,
		.llgr_sec = s->llgr_sec,
		.role = s->role,
		.otc = s->otc,
		.rt_constrain = w->model.link[link].rtc,
		.add_path = w->model.link[link].add_path ? ADD_PATH_BOTH : ADD_PATH_OFF,
		.connect_retry_sec = s->retry_sec};
}

static void configure(struct world *w, int link, int side)
{
	struct w_side *s = &w->side[link][side];
	struct neighbor_config c = config_of(w, link, side);
	int me = side_node(w, link, side);

	if (s->by_range || w->node[me].down || s->n)
		return;
	s->shut = false;
	if (speaker_add_neighbor(w->net.node[me].s, &c, w->net.now, &s->n) < 0)
		world_fail(w, "node %d cannot have its neighbour", me);
}

static void configure_range(struct world *w, int node)
{
	struct w_node *n = &w->node[node];
	struct neighbor_config c = {
		.prefix = {.ip = ip_v4_u32(0xc0000200), .len = 24},
		.max_dynamic = SIM_NODES,
		.client = n->range_client,
		.add_path = n->range_add_path ? ADD_PATH_BOTH : ADD_PATH_OFF,
		.passive = true,
	};

	if (!n->range || n->down || n->ranged)
		return;
	if (speaker_add_neighbor(w->net.node[node].s, &c, w->net.now, &n->ranged) < 0)
		world_fail(w, "node %d cannot have a range", node);
}

static uint8_t policy_import(void *arg, const void *rules, const struct policy_route *r)
{
	const struct m_node *me = arg;
	struct span c = r->attrs->communities;

	(void)rules;
	for (size_t i = 0; me->refuses && i + 4 <= c.len; i += 4)
		if (((uint32_t)c.p[i] << 24 | (uint32_t)c.p[i + 1] << 16 |
			    (uint32_t)c.p[i + 2] << 8 | c.p[i + 3]) == me->refuses)
			return REFUSED_BY_POLICY;
	return REFUSED_NOT;
}

static const char *policy_word(uint8_t reason)
{
	(void)reason;
	return "community";
}

static void say_membership(struct world *w, int i)
{
	const struct m_node *n = &w->model.node[i];
	struct rt rts[3];
	size_t count = 0;

	for (unsigned k = 0; k < 3; k++)
		if (n->wants & 1u << k)
			rts[count++] = (struct rt){{0, 2, 0xfd, 0xe8, 0, 0, 0, (uint8_t)(100 + k)}};
	speaker_set_membership(w->net.node[i].s, rts, count, n->wants_all, w->net.now);
}

static void start(struct world *w, int i)
{
	struct w_node *n = &w->node[i];
	struct speaker_config c = sim_config(w->model.node[i].as, i);

	trace(w, "node %d starts", i);
	n->down = false;
	c.families = families;
	c.family_count = w->rtc ? 2 : 1;
	c.cluster_id = w->model.node[i].cluster_id;
	c.hold_sec = n->hold_sec;
	c.restart_sec = n->restart_sec;
	c.defer_sec = 1 + dice(w, 10);
	c.wait_local = dice(w, 2);
	sim_start(&w->net, i, &c);
	speaker_set_policy(w->net.node[i].s,
		&(struct speaker_policy){policy_import, policy_word, &w->model.node[i]});
	say_membership(w, i);
	configure_range(w, i);
	for (int l = 0; l < w->model.links; l++)
		for (int side = 0; side < 2; side++)
			if (side_node(w, l, side) == i)
				configure(w, l, side);
	if (n->has_lan) {
		memset(w->model.node[i].local, 0, sizeof(w->model.node[i].local));
		n->said_count = 0;
		lan_start(w, i);
		w->net.node[i].best = on_best;
		w->net.node[i].arg = n;
		lan_say(w, i);
	} else {
		for (int k = 0; k < w->model.keys; k++)
			if (w->model.node[i].local[k].there)
				tell(w, i, k);
	}
	speaker_local_done(w->net.node[i].s, w->net.now);
}

static void forget(struct world *w, int i)
{
	struct w_node *n = &w->node[i];

	n->down = true;
	n->ranged = NULL;
	for (int l = 0; l < w->model.links; l++)
		for (int side = 0; side < 2; side++)
			if (side_node(w, l, side) == i)
				w->side[l][side].n = NULL;
	if (n->lans)
		lans_free(n->lans);
	n->lans = NULL;
	n->lan = NULL;
}

static void die(struct world *w)
{
	static const char *const how[] = {"is killed", "loses power", "is shut down"};
	int i = (int)dice(w, (unsigned)w->model.nodes);
	unsigned kind = dice(w, 3);

	if (w->node[i].down)
		return;
	trace(w, "node %d %s", i, how[kind]);
	if (kind == 2) {
		speaker_shutdown(w->net.node[i].s, "back soon", w->net.now);
		for (unsigned n = dice(w, 4); n; n--)
			sim_turn(&w->net);
	}
	w->net.node[i].best = NULL;
	if (kind == 1)
		sim_power_off(&w->net, i);
	else
		sim_kill(&w->net, i);
	forget(w, i);
	if (dice(w, 3))
		sim_run(&w->net, dice(w, 30000));
	if (!w->lans && dice(w, 4) == 0)
		change_routes(w);
	if (dice(w, 4))
		start(w, i);
}

static void reconfigure(struct world *w)
{
	int l = (int)dice(w, (unsigned)w->model.links), side = (int)dice(w, 2),
	    i = side_node(w, l, side);
	struct w_side *s = &w->side[l][side];
	struct w_node *n = &w->node[i];

	if (n->down)
		return;
	if (s->by_range && n->ranged) {
		trace(w, "node %d loses its range", i);
		speaker_remove_neighbor(w->net.node[i].s, n->ranged, w->net.now);
		n->ranged = NULL;
	} else if (s->n) {
		trace(w, "node %d loses neighbour %d", i, side_node(w, l, !side));
		speaker_remove_neighbor(w->net.node[i].s, s->n, w->net.now);
		s->n = NULL;
	}
	if (dice(w, 2))
		sim_turn(&w->net);
	if (dice(w, 2)) {
		trace(w, "node %d configures again", i);
		configure(w, l, side);
		configure_range(w, i);
	}
}

static void shut(struct world *w, int link, int side, bool down)
{
	struct w_side *s = &w->side[link][side];
	int i = side_node(w, link, side);

	trace(w, "node %d shuts neighbour %d %s", i, side_node(w, link, !side),
		down ? "down" : "up");
	s->shut = down;
	/* A change may have brought it up before. */
	int rc = speaker_shutdown_neighbor(w->net.node[i].s, s->n, down, "so it is", w->net.now);
	if (rc < 0 && rc != -EALREADY)
		world_fail(w, "node %d cannot shut its neighbour: %d", i, rc);
}

/* The session goes on, or begins anew, with other settings. */
static void change_neighbor(struct world *w, int link, int side)
{
	struct w_side *s = &w->side[link][side];
	int i = side_node(w, link, side), to = side_node(w, link, !side);
	struct neighbor_config c;

	s->queue_octets = dice(w, 2) ? 0 : 200 + dice(w, 1000);
	s->retry_sec = 1 + dice(w, 5);
	s->stale_sec = dice(w, 3) ? 0 : 5 + dice(w, 30);
	if (dice(w, 4) == 0)
		s->llgr_sec = dice(w, 2) ? 0 : 5 + dice(w, 60);
	if (dice(w, 4) == 0)
		s->any_as = dice(w, 2);
	if (w->plain && !w->lans && !w->rtc && dice(w, 6) == 0)
		s->client = w->model.link[link].client[side] = dice(w, 2);
	c = config_of(w, link, side);
	int rc = speaker_change_neighbor(w->net.node[i].s, s->n, &c, w->net.now);
	trace(w, "node %d changes neighbour %d: %d", i, to, rc);
	s->n = speaker_find_neighbor(w->net.node[i].s, address_of(to), NULL);
	if (!s->n)
		world_fail(w, "node %d has changed its neighbour away", i);
	if (rc >= NEIGHBOR_RESET)
		s->shut = false;
}

static void operate(struct world *w)
{
	int l = (int)dice(w, (unsigned)w->model.links), side = (int)dice(w, 2),
	    i = side_node(w, l, side);
	struct w_side *s = &w->side[l][side];
	struct w_node *n = &w->node[i];

	if (n->down)
		return;
	if (w->rtc && !w->lans && dice(w, 4) == 0) {
		w->model.node[i].wants = (uint8_t)dice(w, 8);
		w->model.node[i].wants_all = dice(w, 8) == 0;
		trace(w, "node %d wants %x", i, w->model.node[i].wants);
		say_membership(w, i);
		return;
	}
	if (dice(w, 4) == 0) {
		w->model.node[i].refuses = w->model.node[i].refuses ? 0 : REFUSED_COMMUNITY;
		trace(w, "node %d %s routes", i, w->model.node[i].refuses ? "refuses" : "takes");
		speaker_recheck(w->net.node[i].s, NULL, w->net.now);
		return;
	}
	if (!s->n)
		return;
	switch (dice(w, 4)) {
	case 0:
		shut(w, l, side, !s->shut);
		break;
	case 1:
		trace(w, "node %d resets a neighbour", i);
		speaker_reset_neighbor(
			w->net.node[i].s, s->n, BGP_CEASE_RESET, NULL, dice(w, 2), w->net.now);
		break;
	case 2:
		change_neighbor(w, l, side);
		break;
	default:
		speaker_refresh(w->net.node[i].s, s->n, w->net.now);
	}
}

static void ask_refresh(struct world *w)
{
	struct speaker *s = w->net.node[dice(w, (unsigned)w->model.nodes)].s;
	uint8_t buf[BGP_HEADER_LEN + 4];

	for (size_t i = 1; s && i < s->neighbors; i++) {
		struct neighbor *n = s->neighbor[i];
		struct writer wr = writer_of(buf, sizeof(buf));
		struct bgp_refresh r = {{AFI_L2VPN, SAFI_EVPN}, REFRESH_REQUEST};
		refresh_encode(&wr, &r);
		if (n && n->up && n->main->conn)
			conn_control(n->main->conn, buf, sizeof(buf));
	}
}

/* --- the network --- */

static struct sim_half *some_half(struct world *w)
{
	unsigned at = w->net.pipes ? dice(w, w->net.pipes) : 0;

	if (!w->net.pipes || !w->net.pipe[at].used)
		return NULL;
	return &w->net.pipe[at].half[dice(w, 2)];
}

static void hurt_connection(struct world *w)
{
	static const char *const what[] = {"stops reading", "reads slowly", "is cut",
		"is cut (the other side learns it when it sends)", "is cut for one side"};
	struct sim_half *h = some_half(w);
	unsigned kind = dice(w, 5);

	if (!h)
		return;
	trace(w, "a connection to node %d %s", h->node, what[kind]);
	switch (kind) {
	case 0:
		h->stopped = true;
		break;
	case 1:
		h->rate = 1 + dice(w, 100);
		break;
	case 2:
		sim_cut(&w->net, h, dice(w, 300), SIM_BOTH);
		break;
	case 3:
		sim_cut(&w->net, h, dice(w, 300), SIM_READER_THEN_RESET);
		break;
	default:
		sim_cut(&w->net, h, dice(w, 300), SIM_READER);
	}
}

static void mend_connections(struct world *w)
{
	for (unsigned i = 0; i < w->net.pipes; i++)
		for (int k = 0; k < 2; k++) {
			w->net.pipe[i].half[k].stopped = false;
			w->net.pipe[i].half[k].rate = 0;
		}
}

static void change_weather(struct world *w)
{
	struct sim *m = &w->net;

	m->lag_ms = dice(w, 2) ? dice(w, 3) * dice(w, 200) : 0;
	m->cut_up = dice(w, 2);
	m->chunk = dice(w, 3) ? 0 : 1 + dice(w, 100);
	trace(w, "lag %u ms, %s", m->lag_ms, m->cut_up ? "in pieces" : "whole");
}

static void shut_door(struct world *w)
{
	int i = (int)dice(w, (unsigned)w->model.nodes);

	w->net.node[i].refuse = dice(w, 2);
	w->net.node[i].silent = dice(w, 2);
	trace(w, "node %d %s calls", i,
		w->net.node[i].silent   ? "does not answer"
		: w->net.node[i].refuse ? "refuses"
					: "takes");
}

void world_step(struct world *w)
{
	switch (dice(w, 34)) {
	case 0:
	case 1:
		die(w);
		break;
	case 2:
		for (int i = 0; i < w->model.nodes; i++)
			if (w->node[i].down)
				start(w, i);
		break;
	case 3:
	case 4:
	case 5:
		hurt_connection(w);
		break;
	case 6:
		mend_connections(w);
		break;
	case 7:
		change_weather(w);
		break;
	case 8:
		shut_door(w);
		break;
	case 9:
		reconfigure(w);
		break;
	case 10:
	case 11:
	case 12:
		ask_refresh(w);
		break;
	case 15:
	case 16:
	case 17:
		operate(w);
		break;
	case 13:
		sim_run(&w->net, dice(w, 3000));
		break;
	case 14:
		sim_run(&w->net, dice(w, 40) * 1000);
		break;
	default:
		if (w->lans)
			change_lan(w);
		else
			change_routes(w);
	}
	for (unsigned n = dice(w, 6); n; n--)
		sim_turn(&w->net);
	if (dice(w, 3) == 0)
		sim_run(&w->net, dice(w, 50));
}

void world_heal(struct world *w)
{
	trace(w, "all is well again");
	mend_connections(w);
	for (unsigned i = 0; i < w->net.pipes; i++)
		w->net.pipe[i].half[0].cutting = w->net.pipe[i].half[1].cutting = false;
	w->net.lag_ms = 0;
	w->net.cut_up = false;
	w->net.chunk = 0;
	for (int i = 0; i < w->model.nodes; i++) {
		w->net.node[i].refuse = w->net.node[i].silent = false;
		if (w->node[i].down)
			start(w, i);
		configure_range(w, i);
	}
	for (int l = 0; l < w->model.links; l++)
		for (int side = 0; side < 2; side++) {
			configure(w, l, side);
			if (w->side[l][side].shut)
				shut(w, l, side, false);
		}
}

void world_empty(struct world *w)
{
	for (int i = 0; i < w->model.nodes; i++) {
		struct w_node *n = &w->node[i];
		memset(n->port, 0, sizeof(n->port));
		if (n->has_lan) { /* its type 3 stays with it */
			w->net.node[i].best = NULL;
			lans_free(n->lans);
			n->lans = NULL;
			n->lan = NULL;
		}
		for (int k = 0; k < w->model.keys; k++)
			if (w->model.node[i].local[k].there) {
				w->model.node[i].local[k].there = false;
				tell(w, i, k);
			}
		memset(w->model.node[i].local, 0, sizeof(w->model.node[i].local));
	}
}

/* --- at rest --- */

static const char *family_unrest(const struct neighbor *n, unsigned table)
{
	const struct neighbor_family *f = &n->family[table];

	if (!f->member || !f->member->synced)
		return "lags";
	if (f->member->eor_due)
		return "is owed an End-of-RIB";
	if (f->member->refreshing || f->member->refresh_again || f->refreshing)
		return "is refreshed";
	if (f->member->refilter_due || f->member->refiltering)
		return "is told what it wants now";
	if (f->stale || n->s->table[table].rib.peer[n->index].stale)
		return "has stale paths";
	return f->sweep != SWEEP_NONE ? "is swept" : NULL;
}

static const char *neighbor_unrest(const struct neighbor *n)
{
	const char *why = NULL;

	if (n->removed)
		return "is to be freed";
	if (!n->up)
		return "is down";
	if (n->membership.held)
		return "has said what it wants, and has to wait";
	for (unsigned t = 0; t < n->s->tables && !why; t++)
		if (n->main->family[t])
			why = family_unrest(n, t);
	if (why)
		return why;
	return !n->main->conn || conn_unsent(n->main->conn) ? "has octets unsent" : NULL;
}

const char *world_unrest(const struct world *w, char *buf, size_t cap)
{
	unsigned pipes = 0;

	for (int i = 0; i < w->model.nodes; i++) {
		const struct speaker *s = w->net.node[i].s;
		unsigned up = 0, want = 0;
		for (size_t k = 1; k < s->neighbors; k++) {
			const char *why = s->neighbor[k] ? neighbor_unrest(s->neighbor[k]) : NULL;
			up += s->neighbor[k] != NULL;
			if (!why)
				continue;
			snprintf(buf, cap, "node %d: neighbour %s %s", i, s->neighbor[k]->label,
				why);
			return buf;
		}
		for (int l = 0; l < w->model.links; l++)
			want += w->model.link[l].a == i || w->model.link[l].b == i;
		if (up != want) {
			snprintf(buf, cap, "node %d has %u neighbours of %u", i, up, want);
			return buf;
		}
		if (!s->converged || !s->told || s->table[0].rib.tombstones) {
			snprintf(buf, cap, "node %d: converged %d, told %d, %zu tombstones", i,
				s->converged, s->told, s->table[0].rib.tombstones);
			return buf;
		}
	}
	for (unsigned i = 0; i < w->net.pipes; i++) {
		const struct sim_pipe *p = &w->net.pipe[i];
		pipes += p->used;
		if (p->used && (p->calling || p->half[0].len || p->half[1].len))
			return "octets are on their way";
	}
	if (pipes == (unsigned)w->model.links)
		return NULL;
	snprintf(buf, cap, "%u connections for %d sessions", pipes, w->model.links);
	return buf;
}

bool world_rests(struct sim *m)
{
	char buf[128];

	return !world_unrest((const struct world *)m, buf, sizeof(buf));
}

/* --- topologies --- */

static void give_roles(struct world *w, int l)
{
	static const enum bgp_role pairs[][2] = {{ROLE_RS, ROLE_RS_CLIENT},
		{ROLE_PROVIDER, ROLE_CUSTOMER}, {ROLE_CUSTOMER, ROLE_PROVIDER},
		{ROLE_PEER, ROLE_PEER}};
	struct m_link *link = &w->model.link[l];
	unsigned pair = dice(w, 8);

	if (w->model.node[link->a].as == w->model.node[link->b].as || w->node[link->a].range ||
		pair > 3)
		return;
	for (int i = 0; i < 2; i++) {
		w->side[l][i].role = pairs[pair][i];
		/* Not always at both ends: what one does not stop the other has to. */
		w->side[l][i].otc = dice(w, 4) != 0;
		if (w->side[l][i].otc)
			link->role[i] = pairs[pair][i];
	}
}

static void link_add(struct world *w, int a, int b, bool a_serves, bool b_serves)
{
	int l = w->model.links++;
	struct w_side *s = w->side[l];
	unsigned passive = dice(w, 3);

	if (l >= LINKS)
		abort();
	w->model.link[l] = (struct m_link){.a = a, .b = b, .client = {a_serves, b_serves}};
	for (int i = 0; i < 2; i++)
		s[i] = (struct w_side){.client = w->model.link[l].client[i],
			.passive = passive == (unsigned)i,
			.queue_octets = dice(w, 2) ? 0 : 200 + dice(w, 1000),
			.retry_sec = 1 + dice(w, 5),
			.stale_sec = dice(w, 3) ? 0 : 5 + dice(w, 30),
			.llgr_sec = dice(w, 3) ? 0 : 5 + dice(w, 60),
			.any_as = dice(w, 4) == 0};
	give_roles(w, l);
	if (w->node[a].range) {
		s[0].by_range = true;
		s[1].passive = false;
		s[0].client = w->model.link[l].client[0] = w->node[a].range_client;
	}
}

/* Some in our AS, some in one of their own. */
static void star(struct world *w)
{
	w->rtc = dice(w, 4) == 0;
	bool range = !w->rtc && dice(w, 4) == 0;

	w->node[0].range = range;
	w->node[0].range_client = dice(w, 4) != 0;
	w->node[0].range_add_path = dice(w, 3) == 0;
	for (int i = 1; i < w->model.nodes; i++) {
		if (!w->lans && !w->rtc && dice(w, 3) == 0)
			w->model.node[i].as = dice(w, 2) ? 65000 + (uint32_t)i : 4200000000u;
		link_add(w, 0, i, w->lans || w->rtc || dice(w, 4) != 0, false);
		w->model.link[w->model.links - 1].rtc = w->rtc && dice(w, 4) != 0;
		w->model.link[w->model.links - 1].add_path =
			range ? w->node[0].range_add_path : dice(w, 3) == 0;
	}
	for (int i = 0; w->rtc && i < w->model.nodes; i++)
		w->model.node[i].wants = w->lans ? 1 : (uint8_t)dice(w, 8);
	if (w->lans)
		w->node[0].range = false;
	for (int l = 0; w->lans && l < w->model.links; l++) {
		w->side[l][0].by_range = false;
		w->side[l][0].client = w->model.link[l].client[0] = true;
	}
}

static void two_reflectors(struct world *w)
{
	bool same = !w->lans && dice(w, 2);

	w->model.node[0].cluster_id = w->model.node[1].cluster_id = same ? 7 : 0;
	link_add(w, 0, 1, false, false);
	for (int i = 2; i < w->model.nodes; i++) {
		bool both = w->lans || dice(w, 3) != 0, client = w->lans || dice(w, 4) != 0;
		if (both || i & 1)
			link_add(w, 0, i, client, false);
		if (both || !(i & 1))
			link_add(w, 1, i, client, false);
	}
}

static void full_mesh(struct world *w)
{
	if (w->model.nodes > 5)
		w->model.nodes = 5;
	for (int i = 0; i < w->model.nodes; i++)
		for (int j = i + 1; j < w->model.nodes; j++)
			link_add(w, i, j, false, false);
}

/* Reflectors of reflectors. */
static void chain(struct world *w)
{
	for (int i = 1; i < w->model.nodes; i++)
		link_add(w, dice(w, 3) ? i - 1 : 0, i, true, false);
}

/* One AS each: every hop is eBGP, with route servers among them. */
static void ring(struct world *w)
{
	for (int i = 0; i < w->model.nodes; i++)
		w->model.node[i].as = 65000 + (uint32_t)i;
	for (int i = 1; i < w->model.nodes; i++)
		link_add(w, i - 1, i, dice(w, 2), false);
	if (w->model.nodes > 2)
		link_add(w, 0, w->model.nodes - 1, dice(w, 2), false);
}

void world_init(struct world *w, uint32_t first, uint32_t seed, bool tracing)
{
	memset(w, 0, sizeof(*w));
	w->first = first;
	sim_init(&w->net);
	w->seed = seed;
	w->trace = tracing;
	w->net.random = seed * 0x9e3779b97f4a7c15u + 1;
	for (int i = 0; i < 4; i++)
		dice(w, 2);
	w->lans = dice(w, 6) == 0;
	w->model.nodes = 2 + (int)dice(w, 5);
	for (int i = 0; i < w->model.nodes; i++) {
		static const uint16_t holds[] = {9, 30, 90};
		w->model.node[i].as = 65000;
		w->model.node[i].address = address_of(i);
		w->model.node[i].router_id = ip_to_u32(address_of(i));
		w->node[i].restart_sec = dice(w, 4) ? 10 + dice(w, 30) : 0;
		w->node[i].hold_sec = holds[dice(w, 3)];
		w->node[i].w = w;
		w->node[i].down = true;
		w->node[i].has_lan = w->lans && (i > 1 || w->model.nodes == 2 || dice(w, 2));
	}
	/* MED does not order all paths, so reflectors that hide some from each other can go on
	 * changing their minds for ever (RFC 3345). */
	unsigned kind = dice(w, w->lans ? 3 : 6);
	w->plain = kind == 0 || kind > 4;
	switch (kind) {
	case 1:
		two_reflectors(w);
		break;
	case 2:
		full_mesh(w);
		break;
	case 3:
		chain(w);
		break;
	case 4:
		ring(w);
		break;
	default:
		star(w);
	}
	for (int i = 0; i < w->model.nodes; i++)
		if (!w->model.node[i].cluster_id)
			w->model.node[i].cluster_id = w->model.node[i].router_id;
	if (!w->lans)
		make_keys(w, 3 + (int)dice(w, 14));
	w->net.turns_max = 200000;
	w->net.socket = 200 + dice(w, 2) * 2000;
	if (dice(w, 2))
		change_weather(w);
	for (int i = 0; i < w->model.nodes; i++)
		start(w, i);
}

void world_free(struct world *w)
{
	for (int i = 0; i < w->model.nodes; i++)
		if (w->node[i].lans)
			lans_free(w->node[i].lans);
	sim_free(&w->net);
}
