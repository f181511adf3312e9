/* Who is told what, and in which octets.
 *
 * What a peer is told of a key depends on three things only: the best path, the group's view (may a
 * path of this kind of neighbour go to that kind at all: RFC 4456 section 6, RFC 1997), and whether
 * the peer is itself the one who sent it. The last is why a piece of a group's stream has an
 * audience: all but the one who sent the path; and, when a path of another was told before, a
 * withdrawal for that one alone.
 *
 * Groups that take several paths of a key, or the best of those that they may have, are told by
 * emit_several.c.
 *
 * Within a batch of keys withdrawals go first and routes with the same attributes share UPDATEs.
 * The octets are encoded once into a buffer that the queues of the audience refer to (txq.h).
 */
#include "bgp/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/control.h"
#include "bgp/emit_inside.h"
#include "bgp/engine.h"
#include "bgp/negotiate.h"
#include "bgp/restart.h"

static void enter(struct member *m, bool synced)
{
	m->synced = synced;
	TAILQ_INSERT_TAIL(synced ? &m->group->synced : &m->group->lagging, m, link);
}

static void leave(struct member *m)
{
	TAILQ_REMOVE(m->synced ? &m->group->synced : &m->group->lagging, m, link);
}

size_t group_queue_max(const struct member *m)
{
	const struct member_list *l = &m->group->synced;

	return TAILQ_FIRST(l) == TAILQ_LAST(l, member_list) ? neighbor_queue_max(m->n)
							    : neighbor_queue_shared(m->n);
}

static bool same_view(const struct group_view *a, const struct group_view *b)
{
	return a->ibgp == b->ibgp && a->client == b->client && a->as4 == b->as4 &&
	       a->extended == b->extended && a->conservative == b->conservative &&
	       a->filter == b->filter && ip_eq(a->local, b->local) && a->role == b->role &&
	       a->add_path == b->add_path && a->control_as == b->control_as &&
	       a->llgr == b->llgr;
}

/* Somebody may be told of a path that is not the best: then every change of any is one. */
static void update_all_paths(struct table *t)
{
	const struct group *g;

	t->rib.all_paths = false;
	LIST_FOREACH (g, &t->groups, link)
		t->rib.all_paths |= emit_several(&g->view);
}

static bool reserve_stripped(struct speaker *s, const struct group_view *v)
{
	if (v->control_as && !s->stripped)
		s->stripped = malloc(CONTROL_ROOM);
	return !v->control_as || s->stripped;
}

/* Takes over the view's reference to its filter. */
static struct group *group_of(struct table *t, const struct group_view *v)
{
	struct group *g;

	LIST_FOREACH (g, &t->groups, link)
		if (same_view(&g->view, v)) {
			rt_filter_unref(v->filter);
			return g;
		}
	g = reserve_stripped(t->s, v) ? calloc(1, sizeof(*g)) : NULL;
	if (!g) {
		rt_filter_unref(v->filter);
		return NULL;
	}
	g->table = t;
	g->view = *v;
	TAILQ_INIT(&g->synced);
	TAILQ_INIT(&g->lagging);
	LIST_INSERT_HEAD(&t->groups, g, link);
	update_all_paths(t);
	return g;
}

static void group_put(struct group *g)
{
	if (!TAILQ_EMPTY(&g->synced) || !TAILQ_EMPTY(&g->lagging))
		return;
	LIST_REMOVE(g, link);
	update_all_paths(g->table);
	rt_filter_unref(g->view.filter);
	free(g);
}

static struct group_view view_of(struct neighbor *n, const struct table *t)
{
	const struct session *se = n->main;
	struct group_view v = {.ibgp = se->ibgp,
		.client = n->config.client,
		.as4 = se->as4,
		.extended = se->extended,
		.conservative = n->config.conservative,
		.filter = membership_filter(n, t),
		.add_path = se->add_path[t->index] & ADD_PATH_SEND};

	if (t->family == &rtc_family)
		v.local = n->local;
	else
		v.role = negotiate_otc_role(se);
	if (t->family != &rtc_family && n->config.control_communities && n->config.client && !se->ibgp)
		v.control_as = se->open.as;
	v.llgr = se->open.llgr;
	return v;
}

struct member *group_join(struct neighbor *n, struct table *t)
{
	struct member *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	struct group_view v = view_of(n, t);
	if (!(m->group = group_of(t, &v))) {
		free(m);
		return NULL;
	}
	m->n = n;
	if (rib_marker_add(&t->rib, &m->marker, NULL) < 0) {
		group_put(m->group);
		free(m);
		return NULL;
	}
	m->quiet = t->rib.version;
	m->eor_due = true;
	enter(m, false);
	return m;
}

void group_leave(struct member *m)
{
	struct group *g = m->group;

	leave(m);
	rib_marker_del(&g->table->rib, &m->marker);
	rt_filter_unref(m->was);
	free(m);
	group_put(g);
}

/* --- control messages within the stream of a member --- */

static void push(struct member *m, const uint8_t *msg, size_t len)
{
	struct txbuf *b = txbuf_new(msg, len, 1);

	if (!b)
		return;
	if (txq_push(&m->n->txq, b) == 0 && m->n->main->conn)
		conn_want_send(m->n->main->conn);
	txbuf_unref(b);
}

static void push_refresh(struct member *m, uint8_t subtype)
{
	const struct bgp_family *f = m->group->table->family;
	struct bgp_refresh r = {.family = {f->afi, f->safi}, .subtype = subtype};
	uint8_t buf[BGP_HEADER_LEN + 4];
	struct writer w = writer_of(buf, sizeof(buf));

	refresh_encode(&w, &r);
	push(m, buf, writer_len(&w));
}

void group_end_of_rib(struct member *m)
{
	uint8_t buf[64];

	if (!m->synced || !m->eor_due || !restart_may_send_eor(m->group->table))
		return;
	m->eor_due = false;
	push(m, buf, update_eor(buf, sizeof(buf), m->group->table->family));
	if (m->refresh_again) {
		m->refresh_again = false;
		group_refresh(m);
	}
}

void group_refresh(struct member *m)
{
	struct rib *r = &m->group->table->rib;

	if (m->refreshing || m->refiltering || !m->n->main->conn) {
		m->refresh_again = m->refreshing || m->refiltering;
		return;
	}
	/* No BoRR before the End-of-RIB (RFC 7313 section 4): the answer comes behind it. */
	if (m->eor_due && m->n->main->enhanced_refresh) {
		m->refresh_again = true;
		return;
	}
	if (m->synced) {
		if (rib_marker_add(r, &m->marker, NULL) < 0)
			return;
		m->quiet = m->group->table->told.version;
		leave(m);
		enter(m, false);
	} else {
		/* What it has passed it knows, and needs no withdrawals either. */
		if (rib_before(m->quiet, m->marker.version))
			m->quiet = m->marker.version;
		rib_marker_first(r, &m->marker);
	}
	m->refreshing = true;
	if (m->n->main->enhanced_refresh)
		push_refresh(m, REFRESH_BORR);
}

/* --- another filter --- */

/* Only those who keep up: so no second walk begins before the first is over, however often the peer
 * changes its mind in the meantime. */
void group_refilter(struct member *m)
{
	struct group *from = m->group;
	struct table *t = from->table;

	if (!m->refilter_due || !m->synced)
		return;
	struct group_view v = view_of(m->n, t);
	m->refilter_due = false;
	if (v.filter == from->view.filter) {
		rt_filter_unref(v.filter);
		return;
	}
	struct group *to = group_of(t, &v);
	if (!to || rib_marker_add(&t->rib, &m->marker, NULL) < 0) {
		m->refilter_due = true; /* out of memory: later */
		if (to)
			group_put(to);
		return;
	}
	leave(m);
	m->refiltering = true;
	m->was = rt_filter_ref(from->view.filter);
	m->quiet = t->told.version;
	m->group = to;
	enter(m, false);
	group_put(from);
}

/* --- the stream of those who keep up --- */

/* Members that fell over their bound in this batch see it again from a marker of their own. */
static void split_off(struct group *g)
{
	struct table *t = g->table;
	struct member *m = TAILQ_FIRST(&g->synced), *next;

	for (; m; m = next) {
		next = TAILQ_NEXT(m, link);
		if (!m->fell)
			continue;
		if (rib_marker_add(&t->rib, &m->marker, &t->told) < 0)
			continue; /* stays over its bound, is tried again with the next batch */
		m->fell = false;
		m->quiet = t->told.version;
		leave(m);
		enter(m, false);
	}
}

/* Members that do not keep up and are told of several paths: what they have been told must not be
 * forgotten. */
static bool is_lagged(const struct table *t)
{
	const struct group *g;

	LIST_FOREACH (g, &t->groups, link)
		if (emit_several(&g->view) && !TAILQ_EMPTY(&g->lagging))
			return true;
	return false;
}

void group_flush(struct table *t)
{
	struct dest **dests = t->s->dests;
	struct group *g;
	size_t n;

	while ((n = rib_ahead(&t->rib, &t->told, dests, BATCH))) {
		LIST_FOREACH (g, &t->groups, link)
			if (!TAILQ_EMPTY(&g->synced)) {
				emit_to_group(g, dests, n);
				split_off(g);
			}
		bool lagged = t->rib.all_paths && is_lagged(t);
		for (size_t i = 0; i < n; i++)
			rib_told(&t->rib, dests[i], lagged);
		rib_marker_pass(&t->rib, &t->told, dests[n - 1]);
	}
}

/* --- those who lag --- */

static void catch_up(struct member *m)
{
	leave(m);
	rib_marker_del(&m->group->table->rib, &m->marker);
	enter(m, true);
	rt_filter_unref(m->was);
	m->was = NULL;
	m->refiltering = false;
	if (m->refreshing) {
		m->refreshing = false;
		if (m->n->main->enhanced_refresh)
			push_refresh(m, REFRESH_EORR);
	}
	group_end_of_rib(m);
	if (m->refresh_again) {
		m->refresh_again = false;
		group_refresh(m);
	}
}

/* Resumes when half of the queue has gone. Slices are small, so that the bound is hardly overrun.
 */
bool group_pump(struct member *m)
{
	enum { SLICE = BATCH / 4 };
	struct table *t = m->group->table;
	size_t n;

	if (m->synced || m->n->txq.octets > neighbor_queue_max(m->n) / 2)
		return false;
	n = rib_ahead(&t->rib, &m->marker, t->s->dests, SLICE);
	if (n) {
		emit_to_member(m, t->s->dests, n);
		if (m->fell)
			return false; /* out of memory: the same again next time */
		rib_marker_pass(&t->rib, &m->marker, t->s->dests[n - 1]);
	}
	if (n < SLICE || rib_marker_at_end(&t->rib, &m->marker)) {
		catch_up(m);
		return !m->synced;
	}
	return m->n->txq.octets <= neighbor_queue_max(m->n) / 2;
}

uint32_t group_told(const struct member *m)
{
	const struct table *t = m->group->table;
	uint32_t sum = 0;

	for (size_t i = 0; i < t->s->neighbors; i++)
		if (i != m->n->index && emit_allowed(&m->group->view, &t->rib, (uint16_t)i))
			sum += m->group->view.add_path ? t->rib.peer[i].numbered
						       : t->rib.peer[i].told;
	return sum;
}
