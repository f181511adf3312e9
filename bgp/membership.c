/* Route Target membership (RFC 4684), from what a neighbour says to what it is told.
 *
 * In: the membership table holds what neighbours say like any other family's. Here, besides, each
 * neighbour's prefixes are kept in order, all that it says and not only what is best (section 3.2).
 * Out: the ranges of route targets that they come to are the neighbour's filter, part of the view
 * of its update group (group.h). The origin AS is not looked at: it is for the choice among ways,
 * not for what is wanted (section 6). When the prefixes change, its members of the other tables
 * walk the RIB once and are told the difference (group_refilter()). The first change does that at
 * once, those that follow together a second later, and not before the walk is over: who changes his
 * mind without end does not keep the RIB walked without end.
 *
 * Until its End-of-RIB for membership a neighbour is told nothing else, 60 s at most (section 6).
 *
 * Our own membership is what the LANs import, by speaker_set_membership(), and the default as long
 * as there is a neighbour that takes no part, or after a start has not said yet what it wants: then
 * the others have to send us everything, or it would lack what it had before. So our own End-of-RIB
 * waits for nobody (RFC 4684 section 6 wants it soon, for the peer waits for it).
 */
#include "bgp/membership.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"
#include "lib/log.h"

static bool is_up_with(const struct neighbor *n, const struct table *t)
{
	return n->up && t && n->main->family[t->index];
}

const struct rt_filter *membership_filter(struct neighbor *n, const struct table *t)
{
	const struct table *rtc = membership_table(n->s);
	const struct membership *m = &n->membership;
	struct rt_filter *f;

	if (t == rtc || !is_up_with(n, rtc) || m->overflow)
		return NULL;
	f = malloc(sizeof(*f) + m->count * sizeof(f->range[0]));
	if (!f)
		return NULL; /* rather too much than too little */
	f->refs = 1;
	f->count = 0;
	for (uint32_t i = 0; i < m->count; i++) {
		struct rt_range *r = &f->range[f->count];
		if (!rtc_range(m->prefix[i].key, m->prefix[i].key_len, &r->first, &r->last)) {
			free(f);
			return NULL;
		}
		f->count++;
	}
	return rt_filter_intern(&n->s->filters, f);
}

/* --- what a neighbour says --- */

struct table *membership_table(struct speaker *s)
{
	return speaker_table(s, &rtc_family);
}

static int compare(const struct rtc_prefix *p, const struct dest *d)
{
	if (p->key_len != d->key_len)
		return p->key_len < d->key_len ? -1 : 1;
	return memcmp(p->key, d->key, d->key_len);
}

/* Where it is, or would be. */
static uint32_t place(const struct membership *m, const struct dest *d, bool *ret_there)
{
	uint32_t low = 0, high = m->count;

	while (low < high) {
		uint32_t at = (low + high) / 2;
		if (compare(&m->prefix[at], d) < 0)
			low = at + 1;
		else
			high = at;
	}
	*ret_there = low < m->count && compare(&m->prefix[low], d) == 0;
	return low;
}

static bool reserve(struct membership *m)
{
	if (m->count < m->cap)
		return true;
	uint32_t cap = m->cap ? 2 * m->cap : 16;
	struct rtc_prefix *p =
		m->count < MEMBERSHIP_MAX ? realloc(m->prefix, cap * sizeof(*p)) : NULL;
	if (!p)
		return false;
	m->prefix = p;
	m->cap = cap;
	return true;
}

static void add(struct neighbor *n, const struct dest *d)
{
	static struct log_limit limit = LOG_LIMIT(5, 60000);
	struct membership *m = &n->membership;
	struct rtc_prefix p = {.key_len = (uint8_t)d->key_len};
	bool there;
	uint32_t at = place(m, d, &there);

	if (there || m->overflow)
		return;
	if (m->count >= MEMBERSHIP_MAX || !reserve(m)) {
		log_limited(&limit, n->s->now_ms, LOG_BGP, LOG_LEVEL_WARNING,
			"%s: more than %u route target prefixes: is told everything", n->label,
			m->count);
		m->overflow = true;
		return;
	}
	memcpy(p.key, d->key, d->key_len);
	memmove(m->prefix + at + 1, m->prefix + at, (m->count - at) * sizeof(p));
	m->prefix[at] = p;
	m->count++;
}

static void remove_prefix(struct neighbor *n, const struct dest *d)
{
	struct membership *m = &n->membership;
	bool there;
	uint32_t at = place(m, d, &there);

	if (there)
		memmove(m->prefix + at, m->prefix + at + 1,
			(--m->count - at) * sizeof(m->prefix[0]));
	/* What did not fit was not noted, so it is known again only when all is gone. */
	if (!membership_table(n->s)->rib.peer[n->index].paths) {
		m->overflow = false;
		m->count = 0;
	}
}

/* Each peer is told of another's membership (section 3.2), so while there are two paths at most (all in all, or of
 * those that go to anybody) what is told changes without the best path. Further ones make no difference, and those that
 * communities may keep from somebody do not count. */
static bool is_told_by_others(const struct rib *r, const struct dest *d, bool came)
{
	unsigned all = 0, open = 0, few = came ? 2 : 1;

	for (const struct path *p = rib_best(r, d); p; p = rib_path(r, p->next)) {
		if (p->refused || p->attrs->attrs.communities.len)
			continue;
		all++;
		open += p->peer == RIB_LOCAL || !r->peer[p->peer].ibgp || r->peer[p->peer].client;
	}
	return all <= few || open <= few;
}

static void hold(struct neighbor *n)
{
	timers_start(&n->s->timers, &n->membership.hold, n->s->now_ms + MEMBERSHIP_HOLD_MS);
}

static void refilter(struct neighbor *n)
{
	n->membership.held = false;
	for (unsigned i = 0; i < n->s->tables; i++)
		if (n->s->table[i].family != &rtc_family && n->family[i].member) {
			n->family[i].member->refilter_due = true;
			hold(n);
		}
}

static void hold_fired(void *arg, uint64_t now_ms)
{
	struct neighbor *n = arg;

	(void)now_ms;
	for (unsigned i = 0; i < n->s->tables; i++)
		if (n->family[i].member && !n->family[i].member->synced) {
			hold(n);
			return;
		}
	if (n->membership.held)
		refilter(n);
}

void membership_changed(struct neighbor *n, struct table *t, struct dest *d, unsigned change)
{
	if (t->family != &rtc_family || !(change & (RIB_NEW | RIB_GONE)))
		return;
	if (change & RIB_NEW)
		add(n, d);
	else
		remove_prefix(n, d);
	if (d->paths && !(change & RIB_BEST) && is_told_by_others(&t->rib, d, change & RIB_NEW))
		rib_touch(&t->rib, d);
	if (timer_running(&n->membership.hold))
		n->membership.held = true;
	else
		refilter(n);
}

/* --- the wait for its End-of-RIB --- */

static void release(struct neighbor *n)
{
	struct membership *m = &n->membership;

	if (!m->waiting)
		return;
	m->waiting = false;
	timers_stop(&n->s->timers, &m->wait);
	for (unsigned i = 0; i < n->s->tables; i++)
		if (n->main->family[i] && !n->family[i].member)
			n->family[i].member = group_join(n, &n->s->table[i]);
}

static void wait_fired(void *arg, uint64_t now_ms)
{
	static struct log_limit limit = LOG_LIMIT(5, 60000);
	struct neighbor *n = arg;

	log_limited(&limit, now_ms, LOG_BGP, LOG_LEVEL_NOTICE,
		"%s: no End-of-RIB for route target membership; routes are sent now", n->label);
	release(n);
}

void membership_init(struct neighbor *n)
{
	timer_init(&n->membership.wait, wait_fired, n);
	timer_init(&n->membership.hold, hold_fired, n);
}

void membership_free(struct neighbor *n)
{
	timers_stop(&n->s->timers, &n->membership.wait);
	timers_stop(&n->s->timers, &n->membership.hold);
	free(n->membership.prefix);
}

void membership_session_up(struct neighbor *n, struct session *se, uint64_t now_ms)
{
	struct membership *m = &n->membership;
	const struct table *rtc = membership_table(n->s);

	m->waiting = rtc && se->family[rtc->index];
	if (m->waiting)
		timers_start(&n->s->timers, &m->wait, now_ms + 1000ull * MEMBERSHIP_WAIT_SEC);
	membership_update_default(n->s);
}

void membership_session_down(struct neighbor *n)
{
	n->membership.waiting = n->membership.held = false;
	timers_stop(&n->s->timers, &n->membership.wait);
	timers_stop(&n->s->timers, &n->membership.hold);
}

bool membership_waits(const struct neighbor *n, const struct table *t)
{
	return n->membership.waiting && t->family != &rtc_family;
}

void membership_end_of_rib_in(struct neighbor *n)
{
	release(n);
}

/* --- our own --- */

static struct attrs own_attrs(const struct speaker *s)
{
	/* The next hop is the session's own address on the way out; see emit.c. */
	return (struct attrs){
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.next_hop = ip_v4_u32(s->config.router_id)};
}

static int say(struct speaker *s, const struct nlri *n, bool wanted)
{
	struct rib *r = &membership_table(s)->rib;
	struct attrs a = own_attrs(s);
	int err = wanted ? speaker_originate(s, &rtc_family, n, &a, s->now_ms)
			 : speaker_unoriginate(s, &rtc_family, n, s->now_ms);
	struct dest *d = rib_find(r, rib_key_of(n->key, n->key_len));

	if (d && rib_best(r, d))
		rib_touch(r, d); /* who sent the best path is told of ours */
	return err;
}

static bool takes_no_part(const struct neighbor *n, const struct table *rtc)
{
	return !n->config.rt_constrain || (n->up && !n->main->family[rtc->index]);
}

static bool is_external(const struct neighbor *n)
{
	return n->config.remote_as && n->config.remote_as != n->s->config.as;
}

/* While somebody has not said what he wants, or never will, the others have to send everything that can be passed on
 * to him. Between those of our own AS that are no clients nothing is passed on. */
static bool needs_everything(const struct speaker *s, const struct table *rtc)
{
	unsigned open = 0, plain = 0, all = 0;

	for (size_t i = 0; i < s->ranges + s->neighbors - 1; i++) {
		const struct neighbor *n =
			i < s->ranges ? s->range[i] : s->neighbor[1 + i - s->ranges];
		if (!n || n->removed || n->config.shutdown)
			continue;
		bool is_open = n->range || n->config.client || is_external(n);
		bool no_part = takes_no_part(n, rtc);
		if (no_part && is_open)
			return true;
		all++;
		open += is_open;
		plain += no_part;
	}
	return open && (plain || (all > 1 && !s->membership_said));
}

void membership_update_default(struct speaker *s)
{
	struct table *rtc = membership_table(s);
	struct nlri n = rtc_nlri_default();

	if (!rtc)
		return;
	bool wanted = s->own_all || needs_everything(s, rtc);
	if (wanted != s->says_default && say(s, &n, wanted) == 0)
		s->says_default = wanted;
}

static bool has(const struct rt *rts, size_t count, struct rt rt)
{
	for (size_t i = 0; i < count; i++)
		if (rt_eq(rts[i], rt))
			return true;
	return false;
}

int speaker_set_membership(
	struct speaker *s, const struct rt *rts, size_t count, bool all, uint64_t now_ms)
{
	struct rt *own = count ? malloc(count * sizeof(*own)) : NULL;
	int err = 0;

	s->now_ms = now_ms;
	if (count && !own)
		return -ENOMEM;
	if (count)
		memcpy(own, rts, count * sizeof(*own));
	for (size_t i = 0; membership_table(s) && i < count; i++) {
		struct nlri n = rtc_nlri(s->config.as, own[i].b);
		if (say(s, &n, true) < 0)
			err = -ENOMEM;
	}
	for (size_t i = 0; membership_table(s) && i < s->own_count; i++) {
		struct nlri n = rtc_nlri(s->config.as, s->own_rts[i].b);
		if (!has(own, count, s->own_rts[i]))
			say(s, &n, false);
	}
	free(s->own_rts);
	s->own_rts = own;
	s->own_count = count;
	s->own_all = all;
	membership_update_default(s);
	return err;
}

/* --- has everybody said? --- */

static bool all_have_said(const struct speaker *s, const struct table *rtc)
{
	for (size_t i = 1; i < s->neighbors; i++) {
		const struct neighbor *n = s->neighbor[i];
		if (n && !n->dynamic && !n->removed && !n->config.shutdown &&
			n->config.rt_constrain && !n->initial_done &&
			!n->family[rtc->index].eor_seen && !(n->up && takes_no_part(n, rtc)))
			return false;
	}
	return !s->ranges;
}

/* Nobody waits for this longer than for the rest (`converged`). */
void membership_check(struct speaker *s)
{
	const struct table *rtc = membership_table(s);

	if (!rtc || s->membership_said || (!s->converged && !all_have_said(s, rtc)))
		return;
	s->membership_said = true;
	membership_update_default(s);
}
