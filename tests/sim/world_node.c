/* Nodes that start and die, and what is done to their neighbours and policy. */
#include "tests/sim/world_inside.h"

#include <errno.h>
#include <string.h>

#include "bgp/engine.h"
#include "bgp/membership.h"
#include "evpn/family.h"

#define REFUSED_COMMUNITY (65000u << 16 | 2)

static const struct bgp_family *const families[] = {&evpn_family, &rtc_family};

static int world_side_node(const struct world *w, int link, int side)
{
	return side ? w->model.link[link].b : w->model.link[link].a;
}

static struct neighbor_config config_of(const struct world *w, int link, int side)
{
	const struct w_side *s = &w->side[link][side];
	int to = world_side_node(w, link, !side);

	return (struct neighbor_config){.address = world_address(to),
		.remote_as = s->any_as ? 0 : w->model.node[to].as,
		.client = s->client,
		.passive = s->passive,
		.queue_octets = s->queue_octets,
		.stale_sec = s->stale_sec,
		.llgr_sec = s->llgr_sec,
		.conservative = w->model.link[link].conservative[side],
		.control_communities = w->model.link[link].control[side],
		.role = s->role,
		.otc = s->otc,
		.rt_constrain = w->model.link[link].rtc,
		.add_path = w->model.link[link].add_path ? ADD_PATH_BOTH : ADD_PATH_OFF,
		.connect_retry_sec = s->retry_sec};
}

void world_configure(struct world *w, int link, int side)
{
	struct w_side *s = &w->side[link][side];
	struct neighbor_config c = config_of(w, link, side);
	int me = world_side_node(w, link, side);

	if (s->by_range || w->node[me].down || s->n)
		return;
	s->shut = false;
	if (speaker_add_neighbor(w->net.node[me].s, &c, w->net.now, &s->n) < 0)
		world_fail(w, "node %d cannot have its neighbour", me);
}

void world_configure_range(struct world *w, int node)
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

void world_start(struct world *w, int i)
{
	struct w_node *n = &w->node[i];
	struct speaker_config c = sim_config(w->model.node[i].as, i);

	world_trace(w, "node %d starts", i);
	n->down = false;
	c.families = families;
	c.family_count = w->rtc ? 2 : 1;
	c.cluster_id = w->model.node[i].cluster_id;
	c.hold_sec = n->hold_sec;
	c.restart_sec = n->restart_sec;
	c.defer_sec = 1 + world_dice(w, 10);
	c.wait_local = world_dice(w, 2);
	sim_start(&w->net, i, &c);
	speaker_set_policy(w->net.node[i].s,
		&(struct speaker_policy){policy_import, policy_word, &w->model.node[i]});
	say_membership(w, i);
	world_configure_range(w, i);
	for (int l = 0; l < w->model.links; l++)
		for (int side = 0; side < 2; side++)
			if (world_side_node(w, l, side) == i)
				world_configure(w, l, side);
	if (n->has_lan) {
		memset(w->model.node[i].local, 0, sizeof(w->model.node[i].local));
		n->said_count = 0;
		world_lan_start(w, i);
		w->net.node[i].best = world_on_best;
		w->net.node[i].arg = n;
		world_lan_say(w, i);
	} else {
		for (int k = 0; k < w->model.keys; k++)
			if (w->model.node[i].local[k].there)
				world_tell(w, i, k);
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
			if (world_side_node(w, l, side) == i)
				w->side[l][side].n = NULL;
	if (n->lans)
		lans_free(n->lans);
	n->lans = NULL;
	n->lan = NULL;
}

void world_die(struct world *w)
{
	static const char *const how[] = {"is killed", "loses power", "is shut down"};
	int i = (int)world_dice(w, (unsigned)w->model.nodes);
	unsigned kind = world_dice(w, 3);

	if (w->node[i].down)
		return;
	world_trace(w, "node %d %s", i, how[kind]);
	if (kind == 2) {
		speaker_shutdown(w->net.node[i].s, "back soon", w->net.now);
		for (unsigned n = world_dice(w, 4); n; n--)
			sim_turn(&w->net);
	}
	w->net.node[i].best = NULL;
	if (kind == 1)
		sim_power_off(&w->net, i);
	else
		sim_kill(&w->net, i);
	forget(w, i);
	if (world_dice(w, 3))
		sim_run(&w->net, world_dice(w, 30000));
	if (!w->lans && world_dice(w, 4) == 0)
		world_change_routes(w);
	if (world_dice(w, 4))
		world_start(w, i);
}

void world_reconfigure(struct world *w)
{
	int l = (int)world_dice(w, (unsigned)w->model.links), side = (int)world_dice(w, 2),
	    i = world_side_node(w, l, side);
	struct w_side *s = &w->side[l][side];
	struct w_node *n = &w->node[i];

	if (n->down)
		return;
	if (s->by_range && n->ranged) {
		world_trace(w, "node %d loses its range", i);
		speaker_remove_neighbor(w->net.node[i].s, n->ranged, w->net.now);
		n->ranged = NULL;
	} else if (s->n) {
		world_trace(w, "node %d loses neighbour %d", i, world_side_node(w, l, !side));
		speaker_remove_neighbor(w->net.node[i].s, s->n, w->net.now);
		s->n = NULL;
	}
	if (world_dice(w, 2))
		sim_turn(&w->net);
	if (world_dice(w, 2)) {
		world_trace(w, "node %d configures again", i);
		world_configure(w, l, side);
		world_configure_range(w, i);
	}
}

void world_shut(struct world *w, int link, int side, bool down)
{
	struct w_side *s = &w->side[link][side];
	int i = world_side_node(w, link, side);

	world_trace(w, "node %d shuts neighbour %d %s", i, world_side_node(w, link, !side),
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
	int i = world_side_node(w, link, side), to = world_side_node(w, link, !side);
	struct neighbor_config c;

	s->queue_octets = world_dice(w, 2) ? 0 : 200 + world_dice(w, 1000);
	s->retry_sec = 1 + world_dice(w, 5);
	s->stale_sec = world_dice(w, 3) ? 0 : 5 + world_dice(w, 30);
	if (world_dice(w, 4) == 0)
		s->llgr_sec = world_dice(w, 2) ? 0 : 5 + world_dice(w, 60);
	if (world_dice(w, 4) == 0)
		s->any_as = world_dice(w, 2);
	if (w->plain && !w->lans && !w->rtc && world_dice(w, 6) == 0)
		s->client = w->model.link[link].client[side] = world_dice(w, 2);
	if (!s->by_range && world_dice(w, 8) == 0)
		w->model.link[link].conservative[side] = world_dice(w, 2);
	c = config_of(w, link, side);
	int rc = speaker_change_neighbor(w->net.node[i].s, s->n, &c, w->net.now);
	world_trace(w, "node %d changes neighbour %d: %d", i, to, rc);
	s->n = speaker_find_neighbor(w->net.node[i].s, world_address(to), NULL);
	if (!s->n)
		world_fail(w, "node %d has changed its neighbour away", i);
	if (rc >= NEIGHBOR_RESET)
		s->shut = false;
}

void world_operate(struct world *w)
{
	int l = (int)world_dice(w, (unsigned)w->model.links), side = (int)world_dice(w, 2),
	    i = world_side_node(w, l, side);
	struct w_side *s = &w->side[l][side];
	struct w_node *n = &w->node[i];

	if (n->down)
		return;
	if (w->rtc && !w->lans && world_dice(w, 4) == 0) {
		w->model.node[i].wants = (uint8_t)world_dice(w, 8);
		w->model.node[i].wants_all = world_dice(w, 8) == 0;
		world_trace(w, "node %d wants %x", i, w->model.node[i].wants);
		say_membership(w, i);
		return;
	}
	if (world_dice(w, 4) == 0) {
		w->model.node[i].refuses = w->model.node[i].refuses ? 0 : REFUSED_COMMUNITY;
		world_trace(w, "node %d %s routes", i, w->model.node[i].refuses ? "refuses" : "takes");
		speaker_recheck(w->net.node[i].s, NULL, w->net.now);
		return;
	}
	if (!s->n)
		return;
	switch (world_dice(w, 4)) {
	case 0:
		world_shut(w, l, side, !s->shut);
		break;
	case 1:
		world_trace(w, "node %d resets a neighbour", i);
		speaker_reset_neighbor(
			w->net.node[i].s, s->n, BGP_CEASE_RESET, NULL, world_dice(w, 2), w->net.now);
		break;
	case 2:
		change_neighbor(w, l, side);
		break;
	default:
		speaker_refresh(w->net.node[i].s, s->n, w->net.now);
	}
}

void world_ask_refresh(struct world *w)
{
	struct speaker *s = w->net.node[world_dice(w, (unsigned)w->model.nodes)].s;
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
