/* Groups that are told of other paths than the best of all.
 *
 * ADD-PATH (RFC 7911): every path that may go to the group is told, each with its number in the RIB
 * as path identifier, to all but the one who sent it. A number that is not in use any more, or whose
 * path may not go there, is withdrawn. Who sent a path may have been told another's under the same
 * number before.
 *
 * Path hiding (RFC 7947 section 2.3): a client of a route server whose peers decide what it may have
 * is told the best of the paths that it may have, and not its own.
 *
 * What exactly a group has been told is not remembered. The RIB knows up to which number paths may
 * have been told, which paths have changed since, and whether the best is another; from that follows
 * at least what has to be said, and seldom more. A withdrawal of what was not told does no harm.
 */
#include "bgp/emit_inside.h"
#include "bgp/engine.h"
#include "bgp/membership.h"

static const struct rib *rib_of(const struct group *g)
{
	return &g->table->rib;
}

static bool may_be_told(const struct group *g, const struct dest *d, const struct path *p)
{
	return !p->refused && p->number && emit_may_go(g, g->view.filter, d, p);
}

/* Paths that are older than the first who takes several have no number yet. Unless the key is about
 * to be told to those who keep up, nobody has to be told of them by and by. */
static void number(struct table *t, struct dest *d)
{
	rib_number(&t->rib, d);
	if (!rib_before(t->told.version, d->version))
		rib_told_paths(&t->rib, d, true);
}

/* --- ADD-PATH --- */

static void withdraw_others(struct emit *e, struct dest *d, uint32_t told, uint16_t peer, bool only)
{
	for (uint8_t i = 1; i <= d->numbers; i++)
		if (!(told & 1u << i))
			emit_item(e, d, NULL, i, peer, only);
}

static void paths_to_group(struct emit *e, struct dest *d)
{
	const struct group *g = e->g;
	uint32_t told = 0; /* numbers of which nothing has to be taken back */

	for (const struct path *p = rib_path(rib_of(g), d->paths); p; p = rib_path(rib_of(g), p->next)) {
		if (p->told && !p->news) {
			told |= 1u << p->number;
			continue;
		}
		if (!may_be_told(g, d, p))
			continue;
		told |= 1u << p->number;
		emit_item(e, d, p, p->number, p->peer, false);
		if (!p->told && p->number <= d->numbers && p->peer != RIB_LOCAL &&
			emit_keeps_up(g, p->peer))
			emit_item(e, d, NULL, p->number, p->peer, true);
	}
	withdraw_others(e, d, told, RIB_NO_PEER, false);
}

/* While the member walks because it wants other routes: the difference, for a key that has not
 * changed. */
static void difference_to_member(struct emit *e, struct member *m, struct dest *d)
{
	const struct group *g = m->group;

	for (const struct path *p = rib_path(rib_of(g), d->paths); p; p = rib_path(rib_of(g), p->next)) {
		if (p->refused || !p->number || p->peer == m->n->index)
			continue;
		bool wants = emit_may_go(g, g->view.filter, d, p), knows = emit_may_go(g, m->was, d, p);
		if (wants != knows)
			emit_item(e, d, wants ? p : NULL, p->number, m->n->index, true);
	}
}

static void paths_to_member(struct emit *e, struct member *m, struct dest *d)
{
	struct rib *r = &m->group->table->rib;
	bool knows = !rib_before(m->quiet, d->version);
	uint32_t told = 0;

	number(m->group->table, d);
	if (knows && m->refiltering) {
		difference_to_member(e, m, d);
		return;
	}
	for (const struct path *p = rib_path(r, d->paths); p; p = rib_path(r, p->next)) {
		if (p->peer == m->n->index || !may_be_told(m->group, d, p))
			continue;
		told |= 1u << p->number;
		emit_item(e, d, p, p->number, m->n->index, true);
	}
	if (!knows)
		withdraw_others(e, d, told, m->n->index, true);
	/* It may be told before those who keep up are. */
	rib_numbers_out(d, told);
}

/* --- path hiding --- */

struct hiding {
	const struct group *g;
	const struct dest *d;
	uint16_t to; /* whose own are out; RIB_NO_PEER: nobody's */
};

static bool may_have(void *arg, const struct path *p)
{
	const struct hiding *h = arg;

	return p->peer != h->to && emit_may_go(h->g, h->g->view.filter, h->d, p);
}

static const struct path *best_for(const struct group *g, const struct dest *d, uint16_t to)
{
	struct hiding h = {g, d, to};

	return rib_best_of(&g->table->rib, d, may_have, &h);
}

/* When the changes were last told there was another path than the one that is now best for the
 * group. */
static bool had_others(const struct dest *d, const struct path *p)
{
	return d->numbers > 1 || (d->numbers == 1 && !p->told);
}

static void choice_to_group(struct emit *e, struct dest *d)
{
	const struct group *g = e->g;
	const struct path *best = rib_best(rib_of(g), d), *p = best_for(g, d, RIB_NO_PEER), *own;

	if (!p) {
		/* If there was one path alone, who sent it was told nothing. */
		if (d->told != RIB_NO_PEER)
			emit_item(e, d, NULL, 0, d->numbers == 1 ? d->told : RIB_NO_PEER, false);
		return;
	}
	if (p != best || d->best_news)
		emit_item(e, d, p, 0, p->peer, false);
	if (p->peer == RIB_LOCAL || !emit_keeps_up(g, p->peer))
		return;
	own = best_for(g, d, p->peer);
	if (own || had_others(d, p))
		emit_item(e, d, own, 0, p->peer, true);
}

/* What it would be told with its group: its own path may have decided between others (by MED), so that is out only if it
 * is the best itself. */
static const struct path *choice_for(const struct group *g, const struct dest *d, uint16_t to)
{
	const struct path *p = best_for(g, d, RIB_NO_PEER);

	return p && p->peer == to ? best_for(g, d, to) : p;
}

static void choice_to_member(struct emit *e, struct member *m, struct dest *d)
{
	const struct path *p = choice_for(m->group, d, m->n->index);
	bool knows = !rib_before(m->quiet, d->version);

	number(m->group->table, d);
	if (p) {
		emit_item(e, d, p, 0, m->n->index, true);
		rib_numbers_out(d, 1u << p->number);
	} else if (d->lived && (!knows || m->refiltering)) {
		emit_item(e, d, NULL, 0, m->n->index, true);
	}
}

/* --- */

void emit_several_to_group(struct emit *e, struct dest *d)
{
	if (emit_is_unspeakable(e, d))
		return;
	if (e->g->view.add_path)
		paths_to_group(e, d);
	else
		choice_to_group(e, d);
}

void emit_several_to_member(struct emit *e, struct member *m, struct dest *d)
{
	if (emit_is_unspeakable(e, d))
		return;
	if (e->g->view.add_path)
		paths_to_member(e, m, d);
	else
		choice_to_member(e, m, d);
}
