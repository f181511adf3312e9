/* The engine's side of the hooks: what has to be worked out before a monitor can be told. */
#include "bgp/monitor.h"

#include "bgp/engine.h"
#include "bgp/update.h"

uint64_t monitor_odd(const struct neighbor *n)
{
	return n->nlri_discard + n->nlri_withdraw + n->refused[REFUSED_CROWDED];
}

void monitor_down(struct session *se, bool notified)
{
	const struct monitor *m = se->n->s->monitor;
	struct monitor_down d = {.reason = MONITOR_DOWN_PEER_CLOSED};
	uint8_t buf[BGP_HEADER_LEN + 2 + BGP_ERROR_DATA_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	if (notified) {
		session_notification(se, &w);
		d.reason = MONITOR_DOWN_NOTIFIED;
		d.message = (struct span){
			buf + BGP_HEADER_LEN, (uint16_t)(writer_len(&w) - BGP_HEADER_LEN)};
	} else if (se->notification.p) {
		d.reason = MONITOR_DOWN_PEER_NOTIFIED;
		d.message = se->notification;
	} else if (se->fell_by != FSM_TCP_FAILS) {
		d.reason = MONITOR_DOWN_LOCAL;
		/* RFC 4271 has 28 of them; what came later has no number there. */
		d.event = se->fell_by <= FSM_UPDATE_ERROR ? (uint16_t)se->fell_by : 0;
	}
	m->down(m->arg, se->n, &d);
}

/* Whether the first route of the UPDATE was kept. Attributes decide about all of them alike: a loop, say, leaves none. */
static bool was_kept(struct session *se, const struct update *u)
{
	struct table *t = speaker_table(se->n->s, u->reach_family);
	struct reader r = reader_of(u->reach.p, u->reach.len);
	const struct dest *d = NULL;
	struct nlri n;
	const char *why;

	if (!t || !reader_left(&r))
		return true;
	if (update_next(&r, t->family, session_add_path_in(se, t->family), false, &n, &why) == NLRI_OK)
		d = rib_find(&t->rib, rib_key_of(n.key, n.key_len));
	for (const struct path *p = d ? rib_path(&t->rib, d->paths) : NULL; p;
		p = rib_path(&t->rib, p->next))
		if (p->peer == se->n->index && p->path_id == n.path_id)
			return true;
	return false;
}

void monitor_update(struct session *se, struct span body, const struct update *u, uint64_t odd)
{
	const struct monitor *m = se->n->s->monitor;
	bool exact = u->reaction == UPDATE_OK && !u->unknown_family && odd == monitor_odd(se->n) &&
		     (!u->reach_family || was_kept(se, u));

	m->update(m->arg, se->n, body, u, exact);
}

/* Those of a restart were never told: they are older than the session. */
static bool is_of_before(const struct neighbor *n, const struct table *t, const struct path *p)
{
	return !n->up || (t->rib.peer[n->index].stale_loses && rib_path_stale(&t->rib, p));
}

void monitor_purge(struct neighbor *n, struct table *t, const struct dest *d)
{
	const struct monitor *m = n->s->monitor;

	for (const struct path *p = rib_path(&t->rib, d->paths); p; p = rib_path(&t->rib, p->next))
		if (p->peer == n->index && rib_path_stale(&t->rib, p) && !is_of_before(n, t, p))
			m->changed(m->arg, n, t, d, p, MONITOR_PURGED);
}

void monitor_verdict(struct neighbor *n, struct table *t, const struct dest *d, const struct path *p,
	uint8_t refused)
{
	const struct monitor *m = n->s->monitor;

	if (!refused != !p->refused && !is_of_before(n, t, p))
		m->changed(m->arg, n, t, d, p, refused ? MONITOR_REFUSED : MONITOR_TAKEN);
}
