#include "tests/sim/world_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"

unsigned world_dice(struct world *w, unsigned n)
{
	return sim_random(&w->net, n);
}

struct ip world_address(int node)
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

void world_trace(struct world *w, const char *fmt, ...)
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

/* --- the network --- */

static struct sim_half *some_half(struct world *w)
{
	unsigned at = w->net.pipes ? world_dice(w, w->net.pipes) : 0;

	if (!w->net.pipes || !w->net.pipe[at].used)
		return NULL;
	return &w->net.pipe[at].half[world_dice(w, 2)];
}

static void world_hurt_connection(struct world *w)
{
	static const char *const what[] = {"stops reading", "reads slowly", "is cut",
		"is cut (the other side learns it when it sends)", "is cut for one side"};
	struct sim_half *h = some_half(w);
	unsigned kind = world_dice(w, 5);

	if (!h)
		return;
	world_trace(w, "a connection to node %d %s", h->node, what[kind]);
	switch (kind) {
	case 0:
		h->stopped = true;
		break;
	case 1:
		h->rate = 1 + world_dice(w, 100);
		break;
	case 2:
		sim_cut(&w->net, h, world_dice(w, 300), SIM_BOTH);
		break;
	case 3:
		sim_cut(&w->net, h, world_dice(w, 300), SIM_READER_THEN_RESET);
		break;
	default:
		sim_cut(&w->net, h, world_dice(w, 300), SIM_READER);
	}
}

static void world_mend(struct world *w)
{
	for (unsigned i = 0; i < w->net.pipes; i++)
		for (int k = 0; k < 2; k++) {
			w->net.pipe[i].half[k].stopped = false;
			w->net.pipe[i].half[k].rate = 0;
		}
}

static void world_change_weather(struct world *w)
{
	struct sim *m = &w->net;

	m->lag_ms = world_dice(w, 2) ? world_dice(w, 3) * world_dice(w, 200) : 0;
	m->cut_up = world_dice(w, 2);
	m->chunk = world_dice(w, 3) ? 0 : 1 + world_dice(w, 100);
	world_trace(w, "lag %u ms, %s", m->lag_ms, m->cut_up ? "in pieces" : "whole");
}

static void world_shut_door(struct world *w)
{
	int i = (int)world_dice(w, (unsigned)w->model.nodes);

	w->net.node[i].refuse = world_dice(w, 2);
	w->net.node[i].silent = world_dice(w, 2);
	world_trace(w, "node %d %s calls", i,
		w->net.node[i].silent   ? "does not answer"
		: w->net.node[i].refuse ? "refuses"
					: "takes");
}

void world_step(struct world *w)
{
	switch (world_dice(w, 34)) {
	case 0:
	case 1:
		world_die(w);
		break;
	case 2:
		for (int i = 0; i < w->model.nodes; i++)
			if (w->node[i].down)
				world_start(w, i);
		break;
	case 3:
	case 4:
	case 5:
		world_hurt_connection(w);
		break;
	case 6:
		world_mend(w);
		break;
	case 7:
		world_change_weather(w);
		break;
	case 8:
		world_shut_door(w);
		break;
	case 9:
		world_reconfigure(w);
		break;
	case 10:
	case 11:
	case 12:
		world_ask_refresh(w);
		break;
	case 15:
	case 16:
	case 17:
		world_operate(w);
		break;
	case 13:
		sim_run(&w->net, world_dice(w, 3000));
		break;
	case 14:
		sim_run(&w->net, world_dice(w, 40) * 1000);
		break;
	default:
		if (w->lans)
			world_change_lan(w);
		else
			world_change_routes(w);
	}
	for (unsigned n = world_dice(w, 6); n; n--)
		sim_turn(&w->net);
	if (world_dice(w, 3) == 0)
		sim_run(&w->net, world_dice(w, 50));
}

void world_heal(struct world *w)
{
	world_trace(w, "all is well again");
	world_mend(w);
	for (unsigned i = 0; i < w->net.pipes; i++)
		w->net.pipe[i].half[0].cutting = w->net.pipe[i].half[1].cutting = false;
	w->net.lag_ms = 0;
	w->net.cut_up = false;
	w->net.chunk = 0;
	for (int i = 0; i < w->model.nodes; i++) {
		w->net.node[i].refuse = w->net.node[i].silent = false;
		if (w->node[i].down)
			world_start(w, i);
		world_configure_range(w, i);
	}
	for (int l = 0; l < w->model.links; l++)
		for (int side = 0; side < 2; side++) {
			world_configure(w, l, side);
			if (w->side[l][side].shut)
				world_shut(w, l, side, false);
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
				world_tell(w, i, k);
			}
		memset(w->model.node[i].local, 0, sizeof(w->model.node[i].local));
	}
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
		world_dice(w, 2);
	w->lans = world_dice(w, 6) == 0;
	w->model.nodes = 2 + (int)world_dice(w, 5);
	for (int i = 0; i < w->model.nodes; i++) {
		static const uint16_t holds[] = {9, 30, 90};
		w->model.node[i].as = 65000;
		w->model.node[i].address = world_address(i);
		w->model.node[i].router_id = ip_to_u32(world_address(i));
		w->node[i].restart_sec = world_dice(w, 4) ? 10 + world_dice(w, 30) : 0;
		w->node[i].hold_sec = holds[world_dice(w, 3)];
		w->node[i].w = w;
		w->node[i].down = true;
		w->node[i].has_lan = w->lans && (i > 1 || w->model.nodes == 2 || world_dice(w, 2));
	}
	world_connect(w);
	for (int i = 0; i < w->model.nodes; i++)
		if (!w->model.node[i].cluster_id)
			w->model.node[i].cluster_id = w->model.node[i].router_id;
	if (!w->lans)
		world_make_keys(w, 3 + (int)world_dice(w, 14));
	w->net.turns_max = 200000;
	w->net.socket = 200 + world_dice(w, 2) * 2000;
	if (world_dice(w, 2))
		world_change_weather(w);
	for (int i = 0; i < w->model.nodes; i++)
		world_start(w, i);
}

void world_free(struct world *w)
{
	for (int i = 0; i < w->model.nodes; i++)
		if (w->node[i].lans)
			lans_free(w->node[i].lans);
	sim_free(&w->net);
}
