/* From changed keys to UPDATEs in queues. See group.c for the idea.
 *
 * What is changed in the attributes on the way out:
 *   reflected, iBGP to iBGP        ORIGINATOR_ID if absent, our cluster id first in CLUSTER_LIST
 *                                  (RFC 4456 section 8)
 *   route-server client to client  nothing (RFC 7947 section 2.2)
 *   any other to eBGP              our AS first in AS_PATH, no MED of another AS
 *                                  (RFC 4271 sections 5.1.2 and 5.1.4)
 *   long-lived stale, within the AS LOCAL_PREF 0 and NO_EXPORT for who does not know what that is
 *                                  (RFC 9494 section 4.6)
 *   to a neighbour with a role     OTC, where `otc` asks for it (RFC 9234 section 5)
 *
 * A neighbour of the conservative profile is not sent what is legal but more than FRR 8.4 bears: some
 * attributes are left out, and routes that only FRR's reset would answer are withheld and counted.
 *
 * Next hops of EVPN are tunnel endpoints and are never touched.
 */
#include "bgp/emit.h"

#include <stdlib.h>
#include <string.h>

#include "bgp/control.h"
#include "bgp/emit_inside.h"
#include "bgp/engine.h"
#include "bgp/llgr.h"
#include "bgp/roles.h"
#include "bgp/update.h"
#include "lib/log.h"

#define NO_EXPORT 0xffffff01u
#define NO_ADVERTISE 0xffffff02u
#define NO_EXPORT_SUBCONFED 0xffffff03u

/* RFC 4456 section 6: what comes from a non-client goes to clients only. */
bool emit_allowed(const struct group_view *v, const struct rib *r, uint16_t from)
{
	const struct rib_peer *p = &r->peer[from];

	return !v->ibgp || v->client || from == RIB_LOCAL || !p->ibgp || p->client;
}

/* RFC 1997. A route server leaves alone what its clients mean for each other (RFC 7947
 * section 2.2.4). */
static bool communities_allow(const struct group_view *v, const struct attrs *a)
{
	struct reader r = reader_of(a->communities.p, a->communities.len);

	while (reader_left(&r) >= 4) {
		uint32_t c = reader_u32(&r);
		if (c == NO_ADVERTISE)
			return false;
		if ((c == NO_EXPORT || c == NO_EXPORT_SUBCONFED) && !v->ibgp && !v->client)
			return false;
	}
	return true;
}

static bool attrs_allow(const struct group *g, const struct path *p)
{
	return communities_allow(&g->view, &p->attrs->attrs) &&
	       roles_may_send(g->view.role, &p->attrs->attrs) &&
	       llgr_may_send(&g->view, &g->table->rib.peer[p->peer], &p->attrs->attrs) &&
	       (!g->view.control_as ||
		       control_allows(&p->attrs->attrs, g->table->s->config.as, g->view.control_as));
}

static bool may_have(const struct group *g, const struct path *p)
{
	struct emit_asked *asked = &g->table->s->asked;

	if (asked->attrs != p->attrs || asked->peer != p->peer) {
		asked->attrs = p->attrs;
		asked->peer = p->peer;
		asked->may = emit_allowed(&g->view, &g->table->rib, p->peer) && attrs_allow(g, p);
	}
	return asked->may;
}

static bool wanted(const struct group *g, const struct rt_filter *f, const struct path *p)
{
	struct emit_asked *asked = &g->table->s->asked;

	if (!f)
		return true;
	if (asked->filtered != p->attrs || asked->filter != f) {
		asked->filtered = p->attrs;
		asked->filter = f;
		asked->wants = rt_filter_wants(f, &p->attrs->attrs);
	}
	return asked->wants;
}

/* With `a` NULL: the key itself. */
static bool withheld(const struct group *g, const struct dest *d, const struct attrs *a)
{
	const struct bgp_family *f = g->table->family;

	return g->view.conservative && f->conservative_ok &&
	       !f->conservative_ok(d->key, d->key_len, a);
}

bool emit_may_go(const struct group *g, const struct rt_filter *f, const struct dest *d,
	const struct path *p)
{
	return may_have(g, p) && wanted(g, f, p) && !withheld(g, d, &p->attrs->attrs);
}

bool emit_is_unspeakable(struct emit *e, const struct dest *d)
{
	bool is = withheld(e->g, d, NULL);

	e->withheld += is;
	return is;
}

/* RFC 4684 section 3.2: everybody is told that another wants a route target, whoever is best. */
static const struct path *membership_for(const struct group *g, const struct dest *d, uint16_t to)
{
	const struct rib *r = &g->table->rib;
	const struct path *p = rib_best(r, d);

	while (p && (p->peer == to || p->refused || !may_have(g, p)))
		p = rib_path(r, p->next);
	return p;
}

static bool is_membership(const struct group *g)
{
	return g->table->family == &rtc_family;
}

/* What the members of the group are told; who sent it himself is not. */
static const struct path *path_for(struct emit *e, const struct dest *d)
{
	const struct group *g = e->g;
	const struct path *p = rib_best(&g->table->rib, d);

	if (is_membership(g))
		return membership_for(g, d, RIB_NO_PEER);
	if (!p || !may_have(g, p) || !wanted(g, g->view.filter, p))
		return NULL;
	if (withheld(g, d, &p->attrs->attrs)) {
		e->withheld++;
		return NULL;
	}
	return p;
}

/* --- buffers --- */

static void deliver(struct member *m, struct txbuf *b)
{
	struct txq *q = &m->n->txq;

	if (m->fell)
		return;
	if ((m->synced && q->octets + b->len > group_queue_max(m)) || txq_push(q, b) < 0)
		m->fell = true;
	else if (m->n->main->conn)
		conn_want_send(m->n->main->conn);
}

static void cut(struct emit *e)
{
	const struct item *a = e->audience;
	struct txbuf *b = e->len ? txbuf_new(e->g->table->s->buf, e->len, e->messages) : NULL;
	struct member *m;

	if (e->len && !b)
		TAILQ_FOREACH (m, &e->g->synced, link)
			m->fell = true; /* out of memory: told again later */
	e->len = 0;
	e->messages = 0;
	if (!b)
		return;
	if (e->one) {
		deliver(e->one, b);
	} else if (a->only) {
		deliver(e->g->table->s->neighbor[a->peer]->family[e->g->table->index].member, b);
	} else {
		TAILQ_FOREACH (m, &e->g->synced, link)
			if (m->n->index != a->peer)
				deliver(m, b);
	}
	txbuf_unref(b);
}

static size_t message_max(const struct group *g)
{
	return g->view.extended ? BGP_MSG_EXTENDED_MAX : BGP_MSG_MAX;
}

/* --- UPDATEs --- */

/* RFC 4684 section 3.2 i, for what comes from our own AS (the path is empty): a client must not take
 * its own membership for a loop when the reflector wants these routes from it, too. */
static void membership_out_of(const struct group *g, const struct path *p, struct attrs *attrs)
{
	bool as_client = g->view.ibgp && g->view.client && attrs->as_path.len == 0;

	if (p->peer == RIB_LOCAL || as_client)
		attrs->next_hop = g->view.local;
	if (as_client) {
		attrs->present |= ATTR_BIT(ATTR_ORIGINATOR_ID);
		attrs->originator_id = g->table->s->config.router_id;
	}
}

static void out_of(
	const struct group *g, const struct path *p, struct update_out *out, struct attrs *attrs)
{
	const struct speaker *s = g->table->s;
	const struct rib_peer *from = &g->table->rib.peer[p->peer];
	bool served = p->peer != RIB_LOCAL && !from->ibgp && from->client;

	*attrs = p->attrs->attrs;
	*out = (struct update_out){.as4 = g->view.as4,
		.ibgp = g->view.ibgp,
		.conservative = g->view.conservative};
	if (g->view.ibgp && p->peer != RIB_LOCAL && from->ibgp) {
		out->set_originator = from->router_id;
		out->prepend_cluster = s->cluster_id;
	}
	if (is_membership(g))
		membership_out_of(g, p, attrs);
	roles_export(g->view.role, s->config.as, attrs);
	llgr_export(&g->view, from, attrs);
	if (g->view.ibgp || (served && g->view.client))
		return;
	out->prepend_as = s->config.as;
	if (p->peer != RIB_LOCAL)
		attrs->present &= ~ATTR_BIT(ATTR_MED);
}

static int begin(struct emit *e, struct update_writer *u, const struct path *p)
{
	const struct bgp_family *f = e->g->table->family;
	struct speaker *s = e->g->table->s;
	uint8_t *at = s->buf + e->len;
	bool add_path = e->g->view.add_path;
	struct update_out out;
	struct attrs attrs;

	if (!p)
		return update_begin_withdraw(u, at, message_max(e->g), f, add_path);
	out_of(e->g, p, &out, &attrs);
	if (e->g->view.control_as)
		control_strip(&attrs, s->config.as, s->stripped);
	return update_begin(u, at, message_max(e->g), f, add_path, &attrs, &out);
}

/* Encodes items of one audience and, unless they are withdrawals, one attribute set. */
static void emit_run(struct emit *e, const struct item *it, size_t n, bool withdraw)
{
	static struct log_limit limit = LOG_LIMIT(5, 60000);

	for (size_t i = 0; i < n;) {
		struct update_writer u;
		if (e->len + message_max(e->g) > EMIT_OCTETS)
			cut(e);
		if (begin(e, &u, withdraw ? NULL : it->path) == 0) {
			for (; i < n; i++) {
				const struct path *p = it[i].path;
				const struct dest *d = it[i].d;
				if (!update_add(&u, it[i].number, d->key, d->key_len,
					    withdraw ? NULL : p->payload,
					    withdraw ? 0 : p->payload_len))
					break;
			}
			if (u.count) {
				e->len += update_end(&u);
				e->messages++;
				continue;
			}
		}
		if (withdraw)
			return; /* cannot be: a key always fits */
		/* RFC 8654 section 4: what does not fit is withdrawn. */
		log_limited(&limit, e->g->table->s->now_ms, LOG_BGP, LOG_LEVEL_WARNING,
			"attributes too long for an UPDATE: route withdrawn from peers");
		emit_run(e, it + i, n - i, true);
		return;
	}
}

static int by_audience(const void *va, const void *vb)
{
	const struct item *a = va, *b = vb;

	if (!a->path != !b->path)
		return a->path ? 1 : -1;
	if (a->only != b->only)
		return a->only ? -1 : 1;
	if (a->peer != b->peer)
		return a->peer < b->peer ? -1 : 1;
	if (a->path && a->path->attrs != b->path->attrs)
		return (uintptr_t)a->path->attrs < (uintptr_t)b->path->attrs ? -1 : 1;
	/* What is added to equal attributes depends on who sent them: see out_of(). */
	if (a->path && a->path->peer != b->path->peer)
		return a->path->peer < b->path->peer ? -1 : 1;
	return 0;
}

/* As a rule they are: most batches are of one peer and one attribute set. */
static bool in_order(const struct item *it, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (by_audience(&it[i - 1], &it[i]) > 0)
			return false;
	return true;
}

static void emit_items(struct emit *e)
{
	struct item *it = e->items;
	size_t n = e->count;

	e->count = 0;
	if (!in_order(it, n))
		qsort(it, n, sizeof(*it), by_audience);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && by_audience(&it[i], &it[end]) == 0; end++)
			;
		if (e->audience &&
			(e->audience->only != it[i].only || e->audience->peer != it[i].peer))
			cut(e);
		e->audience = &it[i];
		emit_run(e, &it[i], end - i, !it[i].path);
	}
	cut(e);
	e->audience = NULL;
}

void emit_item(struct emit *e, struct dest *d, const struct path *p, uint8_t number, uint16_t peer,
	bool only)
{
	e->items[e->count++] = (struct item){d, p, peer, only, number};
}

/* --- who is told what --- */

bool emit_keeps_up(const struct group *g, uint16_t peer)
{
	const struct neighbor *n = g->table->s->neighbor[peer];
	const struct member *m = n ? n->family[g->table->index].member : NULL;

	return m && m->group == g && m->synced;
}

/* The member that sent the path now best, if it keeps up and was told of another's before. */
static bool needs_withdrawal(const struct group *g, const struct dest *d, uint16_t owner)
{
	return d->told != RIB_NO_PEER && d->told != owner &&
	       emit_allowed(&g->view, &g->table->rib, d->told) && emit_keeps_up(g, owner);
}

/* While it walks because it wants other routes: what the member knows of a key that has not changed
 * since. */
static bool knows_path(const struct member *m, const struct dest *d)
{
	const struct path *p = rib_best(&m->group->table->rib, d);

	return p && p->peer != m->n->index && may_have(m->group, p) && wanted(m->group, m->was, p) &&
	       !withheld(m->group, d, &p->attrs->attrs);
}

static void best_to_group(struct emit *e, struct dest *d)
{
	const struct group *g = e->g;
	const struct path *p;

	if (!d->best_news)
		return;
	p = path_for(e, d);
	if (!p && is_membership(g)) {
		/* Not always the best was told, and its sender was told another's. */
		if (d->told != RIB_NO_PEER)
			emit_item(e, d, NULL, 0, RIB_NO_PEER, false);
	} else if (p) {
		emit_item(e, d, p, 0, p->peer, false);
		if (is_membership(g) && emit_keeps_up(g, p->peer))
			emit_item(e, d, membership_for(g, d, p->peer), 0, p->peer, true);
		else if (p->peer != RIB_LOCAL && needs_withdrawal(g, d, p->peer))
			emit_item(e, d, NULL, 0, p->peer, true);
	} else if (d->told != RIB_NO_PEER && emit_allowed(&g->view, &g->table->rib, d->told) &&
		   !withheld(g, d, NULL)) {
		emit_item(e, d, NULL, 0, d->told, false);
	}
}

static void best_to_member(struct emit *e, struct member *m, struct dest *d)
{
	const struct path *p = is_membership(m->group) ? membership_for(m->group, d, m->n->index)
						       : path_for(e, d);
	bool told = !rib_before(m->quiet, d->version), knows = false;

	if (p && p->peer == m->n->index)
		p = NULL;
	if (told && m->refiltering) {
		knows = knows_path(m, d);
		if (knows == (p != NULL))
			return;
	}
	if (p)
		emit_item(e, d, p, 0, m->n->index, true);
	else if (d->lived && (!told || knows) && !withheld(m->group, d, NULL))
		emit_item(e, d, NULL, 0, m->n->index, true);
}

void emit_to_group(struct group *g, struct dest *const *dests, size_t n)
{
	struct emit e = {.g = g, .items = g->table->s->items};
	struct member *m;

	g->table->s->asked = (struct emit_asked){0};
	for (size_t i = 0; i < n; i++) {
		if (e.count + ITEMS_A_KEY > ITEMS)
			emit_items(&e);
		if (emit_several(&g->view))
			emit_several_to_group(&e, dests[i]);
		else
			best_to_group(&e, dests[i]);
	}
	TAILQ_FOREACH (m, &g->synced, link)
		m->n->withheld += e.withheld;
	emit_items(&e);
}

void emit_to_member(struct member *m, struct dest *const *dests, size_t n)
{
	struct emit e = {.g = m->group, .one = m, .items = m->n->s->items};

	m->fell = false;
	m->n->s->asked = (struct emit_asked){0};
	for (size_t i = 0; i < n; i++) {
		if (e.count + ITEMS_A_KEY > ITEMS)
			emit_items(&e);
		if (emit_several(&m->group->view))
			emit_several_to_member(&e, m, dests[i]);
		else
			best_to_member(&e, m, dests[i]);
	}
	m->n->withheld += e.withheld;
	emit_items(&e);
}
