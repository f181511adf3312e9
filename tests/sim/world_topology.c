/* Who talks to whom, and as what. */
#include "tests/sim/world_inside.h"

#include <stdlib.h>

static void give_roles(struct world *w, int l)
{
	static const enum bgp_role pairs[][2] = {{ROLE_RS, ROLE_RS_CLIENT},
		{ROLE_PROVIDER, ROLE_CUSTOMER}, {ROLE_CUSTOMER, ROLE_PROVIDER},
		{ROLE_PEER, ROLE_PEER}};
	struct m_link *link = &w->model.link[l];
	unsigned pair = world_dice(w, 8);

	if (w->model.node[link->a].as == w->model.node[link->b].as || w->node[link->a].range ||
		pair > 3)
		return;
	for (int i = 0; i < 2; i++) {
		w->side[l][i].role = pairs[pair][i];
		/* Not always at both ends: what one does not stop the other has to. */
		w->side[l][i].otc = world_dice(w, 4) != 0;
		if (w->side[l][i].otc)
			link->role[i] = pairs[pair][i];
	}
}

static void link_add(struct world *w, int a, int b, bool a_serves, bool b_serves)
{
	int l = w->model.links++;
	struct w_side *s = w->side[l];
	unsigned passive = world_dice(w, 3);

	if (l >= LINKS)
		abort();
	w->model.link[l] = (struct m_link){.a = a, .b = b, .client = {a_serves, b_serves}};
	for (int i = 0; i < 2; i++)
		s[i] = (struct w_side){.client = w->model.link[l].client[i],
			.passive = passive == (unsigned)i,
			.queue_octets = world_dice(w, 2) ? 0 : 200 + world_dice(w, 1000),
			.retry_sec = 1 + world_dice(w, 5),
			.stale_sec = world_dice(w, 3) ? 0 : 5 + world_dice(w, 30),
			.llgr_sec = world_dice(w, 3) ? 0 : 5 + world_dice(w, 60),
			.any_as = world_dice(w, 4) == 0};
	give_roles(w, l);
	if (w->node[a].range) {
		s[0].by_range = true;
		s[1].passive = false;
		s[0].client = w->model.link[l].client[0] = w->node[a].range_client;
	}
	for (int i = 0; i < 2; i++)
		w->model.link[l].conservative[i] = !s[i].by_range && world_dice(w, 5) == 0;
}

/* Some in our AS, some in one of their own. */
static void star(struct world *w)
{
	w->rtc = world_dice(w, 4) == 0;
	bool range = !w->rtc && world_dice(w, 4) == 0;

	w->node[0].range = range;
	w->node[0].range_client = world_dice(w, 4) != 0;
	w->node[0].range_add_path = world_dice(w, 3) == 0;
	for (int i = 1; i < w->model.nodes; i++) {
		if (!w->lans && !w->rtc && world_dice(w, 3) == 0)
			w->model.node[i].as = world_dice(w, 2) ? 65000 + (uint32_t)i : 4200000000u;
		link_add(w, 0, i, w->lans || w->rtc || world_dice(w, 4) != 0, false);
		w->model.link[w->model.links - 1].rtc = w->rtc && world_dice(w, 4) != 0;
		w->model.link[w->model.links - 1].control[0] = !range && world_dice(w, 3) != 0;
		w->model.link[w->model.links - 1].add_path =
			range ? w->node[0].range_add_path : world_dice(w, 3) == 0;
	}
	for (int i = 0; w->rtc && i < w->model.nodes; i++)
		w->model.node[i].wants = w->lans ? 1 : (uint8_t)world_dice(w, 8);
	if (w->lans)
		w->node[0].range = false;
	for (int l = 0; w->lans && l < w->model.links; l++) {
		w->side[l][0].by_range = false;
		w->side[l][0].client = w->model.link[l].client[0] = true;
	}
}

static void two_reflectors(struct world *w)
{
	bool same = !w->lans && world_dice(w, 2);

	w->model.node[0].cluster_id = w->model.node[1].cluster_id = same ? 7 : 0;
	link_add(w, 0, 1, false, false);
	for (int i = 2; i < w->model.nodes; i++) {
		bool both = w->lans || world_dice(w, 3) != 0, client = w->lans || world_dice(w, 4) != 0;
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
		link_add(w, world_dice(w, 3) ? i - 1 : 0, i, true, false);
}

/* One AS each: every hop is eBGP, with route servers among them. */
static void ring(struct world *w)
{
	for (int i = 0; i < w->model.nodes; i++)
		w->model.node[i].as = 65000 + (uint32_t)i;
	for (int i = 1; i < w->model.nodes; i++)
		link_add(w, i - 1, i, world_dice(w, 2), false);
	if (w->model.nodes > 2)
		link_add(w, 0, w->model.nodes - 1, world_dice(w, 2), false);
}

void world_connect(struct world *w)
{
	/* MED does not order all paths, so reflectors that hide some from each other can go on
	 * changing their minds for ever (RFC 3345). */
	unsigned kind = world_dice(w, w->lans ? 3 : 6);

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
}
