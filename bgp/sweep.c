/* Sweeps: going through a table, in slices, for what became of all paths of one neighbour at once.
 *
 * Staleness is a generation number (rib.h): raising the neighbour's makes all its paths stale at
 * once, and a sweep does the rest: it tells the watch and chooses again (MARK), marks what is stale
 * as long-lived (LONG_LIVED), or removes it (PURGE). One at a time for a neighbour and family; the
 * next takes the place of the last.
 */
#include "bgp/sweep.h"

#include "bgp/engine.h"
#include "bgp/llgr.h"
#include "bgp/monitor.h"

void sweep_begin(struct neighbor *n, struct table *t, enum sweep_mode mode)
{
	struct neighbor_family *f = &n->family[t->index];

	if (rib_marker_first(&t->rib, &f->sweep_at) < 0)
		return; /* out of memory: the paths are stale, and go with the next sweep */
	f->sweep = mode;
	f->sweep_from = t->rib.version;
}

static void sweep_end(struct neighbor *n, struct table *t)
{
	rib_marker_del(&t->rib, &n->family[t->index].sweep_at);
	n->family[t->index].sweep = SWEEP_NONE;
}

void sweep_purge(struct neighbor *n, struct table *t)
{
	n->family[t->index].stale = n->family[t->index].refreshing = false;
	llgr_end(n, t);
	if (t->rib.peer[n->index].stale)
		sweep_begin(n, t, SWEEP_PURGE);
	else if (n->family[t->index].sweep != SWEEP_NONE)
		sweep_end(n, t);
}

static void sweep_one(struct neighbor *n, struct table *t, struct dest *d)
{
	struct rib *r = &t->rib;

	if (n->family[t->index].sweep == SWEEP_LONG_LIVED) {
		if (llgr_mark(n, t, d) & RIB_BEST)
			speaker_tell(t, d);
		return;
	}
	if (n->family[t->index].sweep == SWEEP_PURGE) {
		unsigned change;
		if (n->s->monitor)
			monitor_purge(n, t, d);
		change = rib_unset_dest(r, n->index, d, true);
		membership_changed(n, t, d, change);
		if (change & RIB_BEST)
			speaker_tell(t, d);
		return;
	}
	if (!rib_path_of(r, d, n->index))
		return;
	/* What has changed since has been chosen anew. It stands behind the sweep, like what the sweep itself moves there:
	 * who moved it again would never come to the end. */
	bool is_new = rib_before(n->family[t->index].sweep_from, d->version);
	bool changed = !is_new && rib_redecide(r, d) & RIB_BEST;
	const struct path *best = rib_best(r, d);
	if (changed || (best && best->peer == n->index))
		speaker_tell(t, d);
}

/* True: there is more of it. */
bool sweep_slice(struct neighbor *n, struct table *t)
{
	struct neighbor_family *f = &n->family[t->index];
	struct dest **dests = t->s->dests;
	size_t count = rib_ahead(&t->rib, &f->sweep_at, dests, SWEEP_SLICE);

	/* Before the keys are looked at: those that change move to the end. */
	if (count)
		rib_marker_pass(&t->rib, &f->sweep_at, dests[count - 1]);
	for (size_t i = 0; i < count; i++)
		sweep_one(n, t, dests[i]);
	if (count == SWEEP_SLICE && (f->sweep != SWEEP_PURGE || t->rib.peer[n->index].stale))
		return true;
	sweep_end(n, t);
	return false;
}

bool sweep_run(struct neighbor *n)
{
	bool more = false;

	for (unsigned i = 0; i < n->s->tables; i++)
		if (n->family[i].sweep != SWEEP_NONE)
			more |= sweep_slice(n, &n->s->table[i]);
	return more;
}

bool sweep_is_running(const struct neighbor *n)
{
	for (unsigned i = 0; i < n->s->tables; i++)
		if (n->family[i].sweep != SWEEP_NONE)
			return true;
	return false;
}
