/* Long-lived graceful restart (RFC 9494), for neighbours that are configured for it.
 *
 * restart.c keeps the paths of a neighbour that restarts. When the restart time is over (or was 0,
 * or the family was not in that capability), they stay for the long-lived stale time: as the last
 * resort, marked with LLGR_STALE so that everybody can see it. The mark is written into the paths
 * themselves by a sweep, so it is a change of attributes like any other, and a path that comes
 * again without it is fresh. Paths with NO_LLGR go instead.
 *
 * What has the mark, whoever put it there, is chosen only if there is nothing else (sections 4.3 and
 * 4.4; before the family's own steps, so before mobility, too): if one reflector saw it so and the
 * next one not, they could make way for each other for ever. What was marked by us or by a
 * neighbour that we do this with goes to those who know what it means. Others of our own AS get it with LOCAL_PREF 0 and
 * NO_EXPORT (section 4.6): PEs of an exchange are of one AS, and a route as the last resort is what
 * all of this is for. Others beyond the AS do not get it.
 *
 * When the neighbour is back before the time is over, it is as with RFC 4724: what it sends again
 * is fresh, its End-of-RIB ends the rest; without the F bit in its new capability all goes at once.
 * Until its End-of-RIB the time runs on. If it ends before that and the session is lost once more, nothing
 * is kept over that: else one who never finishes would be kept for ever (section 4.2).
 */
#include "bgp/llgr.h"

#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"
#include "bgp/sweep.h"
#include "lib/log.h"

#define LLGR_STALE 0xffff0006u
#define NO_LLGR 0xffff0007u
#define NO_EXPORT 0xffffff01u
#define STALE_SEC_MAX 0xffffffu /* 24 bits */

static struct llgr *llgr_of(struct neighbor *n, const struct table *t)
{
	return &n->family[t->index].llgr;
}

static void timer_fired(void *arg, uint64_t now_ms)
{
	static struct log_limit limit = LOG_LIMIT(20, 10000);
	struct llgr *l = arg;
	struct table *t = &l->n->s->table[l->table];

	log_limited(&limit, now_ms, LOG_BGP, LOG_LEVEL_NOTICE,
		"%s: %u long-lived stale routes removed, the wait is over", l->n->label,
		t->rib.peer[l->n->index].stale);
	sweep_purge(l->n, t);
	l->over = l->n->up && !l->n->family[l->table].eor_seen && timer_running(&l->n->stale);
}

void llgr_init(struct neighbor *n)
{
	for (unsigned i = 0; i < FAMILIES_MAX; i++) {
		struct llgr *l = &n->family[i].llgr;
		*l = (struct llgr){.n = n, .table = i};
		timer_init(&l->timer, timer_fired, l);
	}
}

void llgr_free(struct neighbor *n)
{
	for (unsigned i = 0; i < FAMILIES_MAX; i++)
		timers_stop(&n->s->timers, &n->family[i].llgr.timer);
}

/* --- the capability --- */

/* Membership is not worth keeping: it says what a neighbour wants that is not there. */
static bool is_for(const struct table *t)
{
	return t->family != &rtc_family;
}

void llgr_fill_open(const struct session *se, struct bgp_open *o)
{
	uint32_t sec = se->n->config.llgr_sec;

	if (!sec || !o->gr)
		return;
	o->llgr = true;
	for (unsigned i = 0; i < se->n->s->tables; i++) {
		const struct table *t = &se->n->s->table[i];
		if (!is_for(t))
			continue;
		o->llgr_families[o->llgr_family_count++] =
			(struct open_llgr_family){{t->family->afi, t->family->safi}, true,
				sec < STALE_SEC_MAX ? sec : STALE_SEC_MAX};
	}
}

/* Without that of RFC 4724 it is as if it was not there (sections 4.1 and 4.5). */
static const struct open_llgr_family *theirs(const struct session *se, const struct table *t)
{
	const struct bgp_open *o = &se->open;

	for (unsigned i = 0; se->gr && o->llgr && is_for(t) && i < o->llgr_family_count; i++)
		if (o->llgr_families[i].family.afi == t->family->afi &&
			o->llgr_families[i].family.safi == t->family->safi)
			return &o->llgr_families[i];
	return NULL;
}

uint32_t llgr_agreed_sec(const struct session *se, const struct table *t)
{
	const struct open_llgr_family *f = theirs(se, t);
	uint32_t ours = se->n->config.llgr_sec;

	if (!f || !ours)
		return 0;
	return f->stale_sec < ours ? f->stale_sec : ours;
}

bool llgr_forwarding(const struct session *se, const struct table *t)
{
	const struct open_llgr_family *f = theirs(se, t);

	return f && f->forwarding;
}

/* --- as a helper --- */

/* One that is stale already from the time before keeps to that time. */
void llgr_begin(struct neighbor *n, struct table *t, uint64_t now_ms)
{
	struct llgr *l = llgr_of(n, t);

	if (!l->on)
		timers_start(&n->s->timers, &l->timer, now_ms + 1000ull * l->sec);
	l->on = true;
}

void llgr_end(struct neighbor *n, struct table *t)
{
	struct llgr *l = llgr_of(n, t);

	l->on = l->over = false;
	timers_stop(&n->s->timers, &l->timer);
}

void llgr_synchronized(struct neighbor *n, struct table *t)
{
	llgr_of(n, t)->over = false;
}

static bool has(const struct attrs *a, uint32_t community)
{
	struct reader r = reader_of(a->communities.p, a->communities.len);

	while (reader_left(&r) >= 4)
		if (reader_u32(&r) == community)
			return true;
	return false;
}

/* false: there is no room. */
static bool add(struct attrs *a, uint32_t community, uint8_t *room, size_t cap)
{
	struct writer w = writer_of(room, cap);

	if (has(a, community))
		return true;
	writer_bytes(&w, a->communities.p, a->communities.len);
	writer_u32(&w, community);
	if (!writer_ok(&w))
		return false;
	a->present |= ATTR_BIT(ATTR_COMMUNITIES);
	a->communities = (struct span){room, (uint16_t)writer_len(&w)};
	return true;
}

static const struct attrset *marked(void *arg, const struct attrset *was)
{
	static uint8_t room[UINT16_MAX];
	struct speaker *s = arg;
	struct attrs a = was->attrs;

	if (has(&a, NO_LLGR) || !add(&a, LLGR_STALE, room, sizeof(room)))
		return NULL;
	return attrset_intern(s->attrsets, &a);
}

unsigned llgr_mark(struct neighbor *n, struct table *t, struct dest *d)
{
	return rib_restate(&t->rib, d, n->index, marked, n->s);
}

/* --- routes --- */

bool llgr_is_marked(const struct attrs *a)
{
	return attrs_has(a, ATTR_COMMUNITIES) && has(a, LLGR_STALE);
}

bool llgr_is_stale(const struct rib_peer *from, const struct attrs *a)
{
	return from->llgr && has(a, LLGR_STALE);
}

/* LOCAL_PREF of 0 does not go without NO_EXPORT, so there has to be room for it. */
bool llgr_may_send(const struct group_view *v, const struct rib_peer *from, const struct attrs *a)
{
	if (v->llgr || !llgr_is_stale(from, a))
		return true;
	return v->ibgp && a->communities.len <= UINT16_MAX - 4;
}

void llgr_export(const struct group_view *v, const struct rib_peer *from, struct attrs *a)
{
	static uint8_t room[UINT16_MAX];

	if (v->llgr || !llgr_is_stale(from, a))
		return;
	add(a, NO_EXPORT, room, sizeof(room));
	a->present |= ATTR_BIT(ATTR_LOCAL_PREF);
	a->local_pref = 0;
}
