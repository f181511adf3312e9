/* Graceful restart, in both roles, and what else marks paths as stale.
 *
 * Helper (RFC 4724 section 4.2, RFC 8538): a peer that had announced graceful restart and whose
 * connection was lost (with the N bit of both sides: whose session ended otherwise than by a hard
 * reset, too) keeps its paths. They are stale: still used and still told to others (where all else
 * is equal a fresh path wins; decide.c says why not sooner). They go when the peer does not come
 * back within the time it told, when it comes back without having kept its forwarding, when its
 * End-of-RIB says that what was not sent again is gone, or when the stale timer ends the wait for
 * that.
 *
 * Where RFC 9494 was agreed on, they do not go then but become long-lived; see llgr.c.
 *
 * Restarter: routes are told as they come, since a reflector's routes are those of its peers and
 * need no deferred choice; what waits is the End-of-RIB, because it is what makes a helper sweep.
 * It goes to a peer only when every configured neighbour has sent its own (but those that restart
 * themselves are not waited for, RFC 4724 section 4.1), or `defer_sec` have passed, and only when
 * our own routes are complete. Peers that are not configured by address cannot be waited for by
 * name: with a dynamic range it is the whole time.
 */
#include "bgp/restart.h"

#include "bgp/engine.h"
#include "bgp/llgr.h"
#include "bgp/sweep.h"
#include "lib/log.h"

#define STALE_SEC 180    /* RFC 8538 section 4.1 */
#define RESTARTS_MAX 100 /* in a row, without an End-of-RIB or EoRR between them */

static struct rib_peer *peer_of(const struct neighbor *n, struct table *t)
{
	return &t->rib.peer[n->index];
}

/* --- helper --- */

void restart_purge(struct neighbor *n)
{
	for (unsigned i = 0; i < n->s->tables; i++) {
		struct table *t = &n->s->table[i];
		rib_peer_stale(&t->rib, n->index, true);
		sweep_purge(n, t);
	}
	timers_stop(&n->s->timers, &n->restart);
	timers_stop(&n->s->timers, &n->stale);
}

static bool gr_has(const struct session *se, const struct table *t, bool *ret_forwarding)
{
	const struct bgp_open *o = &se->open;

	for (unsigned i = 0; se->gr && i < o->gr_family_count; i++)
		if (o->gr_families[i].family.afi == t->family->afi &&
			o->gr_families[i].family.safi == t->family->safi) {
			*ret_forwarding = o->gr_families[i].forwarding;
			return true;
		}
	return false;
}

static bool ends_gracefully(const struct session *se)
{
	if (se->hard_reset || !se->gr)
		return false;
	return se->fell_by == FSM_TCP_FAILS || se->gr_notification;
}

static bool still_waited_for(const struct neighbor *n)
{
	for (unsigned i = 0; i < n->s->tables; i++)
		if (n->family[i].stale && n->s->table[i].rib.peer[n->index].stale)
			return true;
	return false;
}

static uint32_t stale_sec(const struct neighbor *n)
{
	return n->config.stale_sec ? n->config.stale_sec : STALE_SEC;
}

/* For how long we wait for it to come back. */
static uint32_t restart_sec(const struct neighbor *n, const struct session *se)
{
	uint32_t sec = se->open.gr_restart_sec;

	return n->config.stale_sec && n->config.stale_sec < sec ? n->config.stale_sec : sec;
}

/* Of all families the longest. */
static uint32_t long_lived_sec(const struct neighbor *n)
{
	uint32_t sec = 0;

	for (unsigned i = 0; i < n->s->tables; i++)
		if (n->family[i].llgr.sec > sec)
			sec = n->family[i].llgr.sec;
	return sec;
}

/* One who comes and goes and never finishes would keep for ever what it once said (RFC 8538
 * section 4.1: the stale timer is an upper bound). The number, because generations repeat. */
static bool is_overdue(const struct neighbor *n, uint64_t now_ms)
{
	return n->restarts > RESTARTS_MAX ||
	       now_ms - n->stale_since_ms > 1000ull * (stale_sec(n) + long_lived_sec(n));
}

static void long_lived(struct neighbor *n, struct table *t, uint64_t now_ms)
{
	llgr_begin(n, t, now_ms);
	sweep_begin(n, t, SWEEP_LONG_LIVED);
}

/* Of one family, over a restart, if both sides have agreed on that; true: restart_timer_fired() is to
 * look at it. */
static bool keep(
	struct neighbor *n, const struct session *se, struct table *t, bool overdue, uint64_t now_ms)
{
	struct neighbor_family *f = &n->family[t->index];
	bool forwarding, waits = gr_has(se, t, &forwarding) && restart_sec(n, se);

	f->llgr.sec = llgr_agreed_sec(se, t);
	if (!ends_gracefully(se) || (!waits && !f->llgr.sec) || f->llgr.over) {
		rib_peer_stale(&t->rib, n->index, true);
		sweep_purge(n, t);
		return false;
	}
	if (peer_of(n, t)->stale && (overdue || (!se->gr_notification && !f->llgr.sec))) {
		/* "A route previously marked as stale MUST be deleted." */
		sweep_purge(n, t);
	}
	/* What is about to go anyway does not stay for another restart. */
	while (f->sweep == SWEEP_PURGE && sweep_slice(n, t))
		;
	rib_peer_stale(&t->rib, n->index, true);
	f->stale = true;
	sweep_begin(n, t, SWEEP_MARK);
	if (!waits)
		long_lived(n, t, now_ms);
	return waits;
}

void restart_session_down(struct neighbor *n, struct session *se, uint64_t now_ms)
{
	bool waits = false, again = still_waited_for(n), overdue = again && is_overdue(n, now_ms);

	n->restarts = again && !overdue ? n->restarts + 1 : 0;
	if (!again || overdue)
		n->stale_since_ms = now_ms;
	for (unsigned i = 0; i < n->s->tables; i++) {
		struct table *t = &n->s->table[i];
		struct neighbor_family *f = &n->family[i];

		if (f->member)
			group_leave(f->member);
		f->member = NULL;
		f->refreshing = f->stale = false;
		if (peer_of(n, t)->paths)
			waits |= keep(n, se, t, overdue, now_ms);
		else
			llgr_end(n, t);
	}
	timers_stop(&n->s->timers, &n->stale);
	membership_session_down(n);
	if (waits)
		timers_start(&n->s->timers, &n->restart, now_ms + 1000ull * restart_sec(n, se));
}

/* The neighbour has not come back, or is back but has not finished. What is long-lived by now has a timer of its own. */
void restart_timer_fired(void *arg, uint64_t now_ms)
{
	static struct log_limit limit = LOG_LIMIT(20, 10000);
	struct neighbor *n = arg;

	for (unsigned i = 0; i < n->s->tables; i++) {
		const struct neighbor_family *f = &n->family[i];
		if (n->up)
			llgr_synchronized(n, &n->s->table[i]);
		if (!f->stale || (n->up && f->llgr.on))
			continue;
		if (!n->up && f->llgr.sec) {
			long_lived(n, &n->s->table[i], now_ms);
			continue;
		}
		log_limited(&limit, now_ms, LOG_BGP, LOG_LEVEL_NOTICE,
			"%s: %u stale routes removed, the wait is over", n->label,
			n->s->table[i].rib.peer[n->index].stale);
		sweep_purge(n, &n->s->table[i]);
	}
}

/* Whether what it said before it restarted still holds. */
static bool has_kept(const struct session *se, const struct table *t, bool long_lived)
{
	bool forwarding;

	if (!se->family[t->index])
		return false;
	return long_lived ? llgr_forwarding(se, t)
			  : gr_has(se, t, &forwarding) && forwarding;
}

void restart_session_up(struct neighbor *n, struct session *se, uint64_t now_ms)
{
	bool waiting = false;

	timers_stop(&n->s->timers, &n->restart);
	membership_session_up(n, se, now_ms);
	for (unsigned i = 0; i < n->s->tables; i++) {
		struct table *t = &n->s->table[i];
		struct neighbor_family *f = &n->family[i];
		struct rib_peer *p = peer_of(n, t);

		p->router_id = se->open.bgp_id;
		p->address = n->config.address;
		p->ibgp = se->ibgp;
		p->client = n->config.client;
		p->llgr = n->config.llgr_sec > 0;
		f->eor_seen = false;
		if (f->stale && !has_kept(se, t, f->llgr.on))
			sweep_purge(n, t);
		waiting |= f->stale;
		if (se->family[i] && !membership_waits(n, t))
			f->member = group_join(n, t);
	}
	if (waiting)
		timers_start(&n->s->timers, &n->stale, now_ms + 1000ull * stale_sec(n));
	if (se->gr && se->open.gr_restarting)
		n->restarted = true;
	restart_check_converged(n->s);
}

void restart_end_of_rib_in(struct neighbor *n, struct table *t)
{
	bool all = true;

	n->family[t->index].eor_seen = true;
	llgr_synchronized(n, t);
	if (t->family == &rtc_family)
		membership_end_of_rib_in(n);
	if (n->family[t->index].stale)
		sweep_purge(n, t);
	for (unsigned i = 0; i < n->s->tables; i++)
		all &= !n->family[i].member || n->family[i].eor_seen;
	if (all) {
		n->initial_done = true;
		timers_stop(&n->s->timers, &n->stale);
	}
	restart_check_converged(n->s);
}

/* One that begins anew before it has ended makes all stale again. But generations repeat. */
static void refresh_begins(struct neighbor *n, struct table *t)
{
	struct neighbor_family *f = &n->family[t->index];

	/* What is still stale from a restart stays what it is; what is being swept goes. */
	if (f->stale || (!f->refreshing && peer_of(n, t)->stale))
		return;
	f->refreshes = f->refreshing ? f->refreshes + 1 : 0;
	if (f->refreshes > RESTARTS_MAX) {
		f->refreshes--;
		return;
	}
	rib_peer_stale(&t->rib, n->index, false);
	f->refreshing = true;
}

void restart_refresh_in(struct neighbor *n, struct table *t, uint8_t subtype)
{
	static struct log_limit limit = LOG_LIMIT(5, 60000);
	struct neighbor_family *f = &n->family[t->index];

	switch (subtype) {
	case REFRESH_REQUEST:
		if (f->member)
			group_refresh(f->member);
		break;
	case REFRESH_BORR:
		/* RFC 7313 section 4: else its EoRR would be taken for the End-of-RIB. */
		if (n->main->open.gr && !f->eor_seen) {
			log_limited(&limit, n->s->now_ms, LOG_BGP, LOG_LEVEL_WARNING,
				"%s: a refresh began before the End-of-RIB: ignored", n->label);
			break;
		}
		refresh_begins(n, t);
		break;
	case REFRESH_EORR:
		if (f->refreshing)
			sweep_purge(n, t);
		break;
	}
}

/* --- restarter --- */

bool restart_is_restarting(const struct speaker *s)
{
	return !s->converged && s->now_ms - s->start_ms < 1000ull * s->config.restart_sec;
}

static bool is_complete(const struct speaker *s)
{
	return s->converged && (s->local_done || !s->config.wait_local);
}

bool restart_may_send_eor(const struct table *t)
{
	return t->family == &rtc_family || is_complete(t->s);
}

/* Two who restart together must not wait for each other's End-of-RIB (RFC 4724 section 4.1); but what the watch does
 * with the news, sweep what nobody told, has to wait for both. */
static bool all_have_told(const struct speaker *s, bool or_restarted)
{
	if (s->ranges)
		return false;
	for (size_t i = 1; i < s->neighbors; i++) {
		const struct neighbor *n = s->neighbor[i];
		if (n && !n->dynamic && !n->removed && !n->config.shutdown && !n->initial_done &&
			!(or_restarted && n->restarted))
			return false;
	}
	return true;
}

void restart_check_converged(struct speaker *s)
{
	bool in_time = s->now_ms - s->start_ms < 1000ull * s->config.defer_sec;

	if (!s->begun)
		return;
	if (!in_time || all_have_told(s, true))
		s->converged = true;
	if (!s->told && (!in_time || all_have_told(s, false))) {
		s->told = true;
		timers_stop(&s->timers, &s->defer);
		log_notice(LOG_BGP, "%s",
			in_time ? "all neighbours have told their routes"
				: "the wait for the neighbours' routes is over");
		if (s->watch.converged)
			s->watch.converged(s->watch.arg, s->now_ms);
	}
	membership_check(s);
	if (!is_complete(s))
		return;
	/* What the last neighbour said before its own End-of-RIB goes before ours. */
	speaker_flush(s);
	for (size_t i = 1; i < s->neighbors; i++)
		for (unsigned t = 0; s->neighbor[i] && t < s->tables; t++)
			if (s->neighbor[i]->family[t].member)
				group_end_of_rib(s->neighbor[i]->family[t].member);
}
