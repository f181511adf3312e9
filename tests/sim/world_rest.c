/* Whether anything is still on its way, and what. */
#include "tests/sim/world_inside.h"

#include <stdio.h>

#include "bgp/engine.h"
#include "bgp/membership.h"

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
