/* The speaker: what is called from outside, and the turn of work.
 *
 * Calls put routes into the RIB at once and tell the watch at once. What goes to other peers is
 * encoded when the daemon asks for actions, at the end of its loop's turn: so one change leaves in
 * the turn in which it came, and the many of one turn share UPDATEs.
 */
#include "bgp/speaker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/emit_inside.h"
#include "bgp/engine.h"
#include "bgp/recheck.h"
#include "bgp/restart.h"
#include "bgp/retell.h"
#include "bgp/roster.h"
#include "bgp/sweep.h"
#include "lib/log.h"
#include "lib/siphash.h"

#define TOMBSTONES_MAX (1u << 21) /* some 200 MB; see bound_tombstones() */
#define TOMBSTONES_A_TURN 4096
#define SWEEPS_A_TURN 8
#define SWEEP_PAUSE_MS 20

static void defer_fired(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	restart_check_converged(arg);
}

static int table_init(struct speaker *s, unsigned index)
{
	struct table *t = &s->table[index];

	t->s = s;
	t->index = index;
	t->family = s->config.families[index];
	LIST_INIT(&t->groups);
	rib_init(&t->rib, t->family, s->attrsets);
	if (rib_peer_add(&t->rib, RIB_LOCAL) < 0)
		return -ENOMEM;
	t->rib.peer[RIB_LOCAL].router_id = s->config.router_id;
	return rib_marker_add(&t->rib, &t->told, NULL);
}

struct speaker *speaker_new(const struct speaker_config *c, uint64_t now_ms)
{
	struct speaker *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->config = *c;
	s->cluster_id = c->cluster_id ? c->cluster_id : c->router_id;
	s->now_ms = s->start_ms = now_ms;
	s->random = siphash(siphash_process_key(), &c->router_id, sizeof(c->router_id)) | 1;
	s->neighbors = 1;
	s->tombstones_max = TOMBSTONES_MAX;
	TAILQ_INIT(&s->actions);
	LIST_INIT(&s->conns);
	LIST_INIT(&s->filters);
	timers_init(&s->timers);
	timer_init(&s->defer, defer_fired, s);
	s->attrsets = attrsets_new();
	s->buf = malloc(EMIT_OCTETS);
	s->items = calloc(ITEMS, sizeof(struct item));
	s->dests = calloc(SWEEP_SLICE, sizeof(*s->dests));
	bool ok = s->attrsets && s->buf && s->items && s->dests;
	while (ok && s->tables < c->family_count && s->tables < FAMILIES_MAX)
		ok = table_init(s, s->tables++) == 0;
	if (!ok) {
		speaker_free(s);
		return NULL;
	}
	timers_start(&s->timers, &s->defer, now_ms + 1000ull * c->defer_sec);
	return s;
}

void speaker_free(struct speaker *s)
{
	struct conn *c;

	while ((c = LIST_FIRST(&s->conns))) {
		if (c->session)
			c->session->conn = NULL;
		conn_free(c);
	}
	recheck_stop(s);
	retell_stop(s);
	for (size_t i = 1; i < s->neighbors; i++) {
		if (!s->neighbor[i])
			continue;
		roster_drop_families(s->neighbor[i]);
		neighbor_free(s->neighbor[i]);
	}
	for (size_t i = 0; i < s->ranges; i++)
		neighbor_free(s->range[i]);
	for (unsigned t = 0; t < s->tables; t++) {
		rib_marker_del(&s->table[t].rib, &s->table[t].told);
		rib_free(&s->table[t].rib);
	}
	if (s->attrsets)
		attrsets_free(s->attrsets);
	timers_free(&s->timers);
	free(s->neighbor);
	free(s->range);
	free(s->own_rts);
	free(s->buf);
	free(s->stripped);
	free(s->items);
	free(s->dests);
	free(s);
}

void speaker_shutdown(struct speaker *s, const char *communication, uint64_t now_ms)
{
	struct bgp_error e = notification_cease(BGP_CEASE_SHUTDOWN, communication);

	s->now_ms = now_ms;
	s->stopping = true;
	/* No hard reset: the data plane goes on without us, so peers that can wait for our return
	 * should. */
	for (size_t i = 1; i < s->neighbors; i++)
		if (s->neighbor[i])
			neighbor_stop(s->neighbor[i], &e, false, now_ms);
}

uint64_t speaker_jitter(struct speaker *s, uint64_t ms)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return ms - (ms / 4) * (s->random % 1024) / 1024;
}

/* --- the turn --- */

bool speaker_flush_due(const struct speaker *s)
{
	for (unsigned t = 0; t < s->tables; t++)
		if (!rib_marker_at_end(&s->table[t].rib, &s->table[t].told))
			return true;
	return false;
}

void speaker_flush(struct speaker *s)
{
	for (unsigned t = 0; t < s->tables; t++)
		group_flush(&s->table[t]);
}

static bool has_work(const struct neighbor *n)
{
	for (unsigned t = 0; t < n->s->tables; t++) {
		const struct neighbor_family *f = &n->family[t];
		if (f->sweep != SWEEP_NONE && !n->s->sweep_pause)
			return true;
		if (f->member && f->member->synced && f->member->refilter_due)
			return true;
		if (f->member && !f->member->synced && n->txq.octets <= neighbor_queue_max(n) / 2)
			return true;
	}
	return roster_is_spent(n);
}

uint64_t speaker_deadline(const struct speaker *s)
{
	if (!s->begun || speaker_flush_due(s) || !TAILQ_EMPTY(&s->actions) ||
		recheck_is_running(s) || speaker_is_retelling(s) || s->reap_due)
		return s->now_ms;
	for (size_t i = 1; i < s->neighbors; i++)
		if (s->neighbor[i] && has_work(s->neighbor[i]))
			return s->now_ms;
	uint64_t next = timers_next(&s->timers);
	return s->sweep_pause && next > s->now_ms + 1 ? s->now_ms + 1 : next;
}

/* Who lags farthest of those that do not read. */
static struct neighbor *last_reader(const struct table *t)
{
	const struct member *last = NULL, *m;
	const struct group *g;

	LIST_FOREACH (g, &t->groups, link)
		TAILQ_FOREACH (m, &g->lagging, link)
			if (m->n->txq.octets > neighbor_queue_max(m->n) / 2 &&
				(!last || rib_before(m->marker.version, last->marker.version)))
				last = m;
	return last ? last->n : NULL;
}

static bool has_too_many(const struct table *t)
{
	return t->rib.tombstones > t->s->tombstones_max && t->rib.tombstones > t->rib.paths;
}

/* A key that is gone is kept for those who have not been told yet. That is cheap, but somebody who
 * invents new keys all the time, and somebody (maybe the same) who does not read, would make it
 * grow without end. The bound is far above what the loss of a large peer leaves behind: then all
 * the others may lag for a moment, and are not to blame. */
static void bound_tombstones(struct table *t)
{
	struct bgp_error e = {.code = BGP_ERR_CEASE,
		.subcode = BGP_CEASE_RESOURCES,
		.what = "too far behind the changes"};
	struct neighbor *n;

	while (has_too_many(t) && !rib_reap_some(&t->rib, 16 * TOMBSTONES_A_TURN) &&
		has_too_many(t) && (n = last_reader(t)))
		session_event(n->main, FSM_AUTO_STOP, &e, t->s->now_ms);
}

static bool any_sweeps(const struct speaker *s)
{
	for (size_t i = 1; i < s->neighbors; i++)
		if (s->neighbor[i] && sweep_is_running(s->neighbor[i]))
			return true;
	return false;
}

/* Nothing but memory limits how fast a sweep makes changes, and if all members fell behind it each would have to be told
 * by itself. So it waits until they have read, but not long: nor may they hold it up. */
static bool should_pause(struct speaker *s)
{
	bool long_enough = s->sweep_pause && s->now_ms >= s->sweep_pause + SWEEP_PAUSE_MS;

	if (long_enough || !any_sweeps(s) || !pressure_on(s, NULL, s->now_ms))
		s->sweep_pause = 0;
	else if (!s->sweep_pause)
		s->sweep_pause = s->now_ms;
	return s->sweep_pause != 0;
}

/* A share of the sweeps a turn, so that the loss of many peers at once does not hold up the others.
 */
static void run_sweeps(struct speaker *s)
{
	unsigned budget = SWEEPS_A_TURN;

	if (should_pause(s))
		return;
	for (size_t k = 1; k < s->neighbors && budget; k++) {
		size_t i = 1 + (s->sweep_turn + k) % (s->neighbors - 1);
		if (!s->neighbor[i] || !sweep_is_running(s->neighbor[i]))
			continue;
		sweep_run(s->neighbor[i]);
		if (--budget == 0)
			s->sweep_turn = i - 1;
	}
}

/* Nobody waits for what is gone to be freed, and with a million keys it takes a fifth as long as to tell of them: so that
 * is done in turns in which there is nothing to tell, a little in each; of too many, as many as have come. */
static void reap(struct speaker *s, bool told)
{
	bool busy = told || (any_sweeps(s) && !s->sweep_pause);
	size_t keep = s->tombstones_max / 8 * 3;

	s->reap_due = false;
	for (unsigned t = 0; t < s->tables; t++) {
		struct rib *r = &s->table[t].rib;
		size_t excess = r->tombstones > keep ? r->tombstones - keep : 0;
		if (rib_reap_some(r, busy ? excess : TOMBSTONES_A_TURN))
			s->reap_due = true;
	}
}

void speaker_run(struct speaker *s, uint64_t now_ms)
{
	s->now_ms = now_ms;
	s->begun = true;
	s->pressure.counted_ms = 0;
	timers_run(&s->timers, now_ms);
	restart_check_converged(s);
	run_sweeps(s);
	recheck_run(s);
	retell_run(s);
	bool told = speaker_flush_due(s);
	speaker_flush(s);
	for (unsigned t = 0; t < s->tables; t++)
		bound_tombstones(&s->table[t]);
	for (size_t i = 1; i < s->neighbors; i++)
		for (unsigned t = 0; s->neighbor[i] && t < s->tables; t++)
			if (s->neighbor[i]->family[t].member) {
				group_refilter(s->neighbor[i]->family[t].member);
				group_pump(s->neighbor[i]->family[t].member);
			}
	roster_free_spent(s);
	reap(s, told);
}

/* --- routes of our own, and the watch --- */

struct table *speaker_table(struct speaker *s, const struct bgp_family *f)
{
	for (unsigned i = 0; i < s->tables; i++)
		if (s->table[i].family == f)
			return &s->table[i];
	return NULL;
}

int speaker_originate(struct speaker *s, const struct bgp_family *f, const struct nlri *n,
	const struct attrs *a, uint64_t now_ms)
{
	struct table *t = speaker_table(s, f);
	const struct attrset *set;
	struct dest *d = NULL;
	unsigned change;

	s->now_ms = now_ms;
	if (!t)
		return -EINVAL;
	set = attrset_intern(s->attrsets, a);
	if (!set)
		return -ENOMEM;
	struct rib_route in = {.key = rib_key_of(n->key, n->key_len),
		.peer = RIB_LOCAL,
		.payload = n->payload,
		.payload_len = n->payload_len,
		.attrs = set,
		.since = speaker_sec(s)};
	change = rib_set(&t->rib, &in, &d);
	attrset_unref(s->attrsets, set);
	if (change & RIB_FULL)
		return -ENOMEM;
	if (change & RIB_BEST)
		speaker_tell(t, d);
	return 0;
}

int speaker_unoriginate(
	struct speaker *s, const struct bgp_family *f, const struct nlri *n, uint64_t now_ms)
{
	struct table *t = speaker_table(s, f);
	struct dest *d = NULL;

	s->now_ms = now_ms;
	if (!t)
		return -EINVAL;
	if (rib_unset(&t->rib, RIB_LOCAL, 0, rib_key_of(n->key, n->key_len), &d) & RIB_BEST)
		speaker_tell(t, d);
	return 0;
}

void speaker_local_done(struct speaker *s, uint64_t now_ms)
{
	s->now_ms = now_ms;
	s->local_done = true;
	restart_check_converged(s);
}

void speaker_set_watch(struct speaker *s, const struct speaker_watch *w)
{
	s->watch = *w;
}

void speaker_set_policy(struct speaker *s, const struct speaker_policy *p)
{
	s->policy = *p;
}

void speaker_recheck(struct speaker *s, struct neighbor *n, uint64_t now_ms)
{
	s->now_ms = now_ms;
	recheck_begin(s, n);
}

void speaker_tell(struct table *t, const struct dest *d)
{
	struct speaker *s = t->s;
	const struct path *p = rib_best(&t->rib, d);
	const struct attrset *attrs = NULL;
	uint8_t payload[BGP_PAYLOAD_MAX];
	struct best_change c = {.family = t->family, .key = d->key, .key_len = d->key_len};

	if (!s->watch.best_changed || t->family == &rtc_family)
		return;
	if (p) {
		/* The watch may originate this very key and so free the path. */
		attrs = attrset_ref(p->attrs);
		memcpy(payload, p->payload, p->payload_len);
		c.payload = payload;
		c.payload_len = p->payload_len;
		c.attrs = attrs;
		c.from = p->peer == RIB_LOCAL ? NULL : s->neighbor[p->peer];
		c.stale = rib_path_kept(&t->rib, p);
	}
	s->watch.best_changed(s->watch.arg, &c, s->now_ms);
	if (attrs)
		attrset_unref(s->attrsets, attrs);
}

void speaker_tell_neighbor(struct neighbor *n)
{
	struct speaker *s = n->s;

	if (s->watch.neighbor_changed)
		s->watch.neighbor_changed(s->watch.arg, n, s->now_ms);
}
