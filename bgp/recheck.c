/* The import policy's word on routes, and its second word on those that are there already: after a
 * reload, or when LANs came or went, each kept path is asked about again.
 *
 * One walk through a table does for all neighbours whose routes are to be asked about, in slices,
 * from a marker in the list of changes. A key that changes meanwhile moves to the end and is looked
 * at there: the change may have been another neighbour's.
 *
 * What the engine refused by itself is not the policy's to take back.
 */
#include "bgp/recheck.h"

#include "bgp/engine.h"

#define KEYS_AT_ONCE 64
#define PATHS_A_SLICE 4096

uint8_t recheck_judge(const struct neighbor *n, const struct policy_route *r)
{
	const struct speaker_policy *p = &n->s->policy;
	uint8_t reason = p->import ? p->import(p->arg, n->config.rules, r) : REFUSED_NOT;

	return reason < REFUSED_MAX ? reason : REFUSED_BY_POLICY;
}

static bool concerns(const struct neighbor *asked, const struct neighbor *n)
{
	return n && !n->removed && (!asked || asked == n || asked == n->parent);
}

void recheck_begin(struct speaker *s, const struct neighbor *n)
{
	if (!s->policy.import)
		return;
	for (unsigned i = 0; i < s->tables; i++) {
		struct table *t = &s->table[i];
		if (rib_marker_first(&t->rib, &t->recheck) < 0)
			continue; /* out of memory: routes stay as they were judged */
		for (size_t k = 1; k < s->neighbors; k++)
			if (concerns(n, s->neighbor[k]))
				s->neighbor[k]->family[i].recheck = true;
	}
}

bool recheck_is_running(const struct speaker *s)
{
	for (unsigned i = 0; i < s->tables; i++)
		if (s->table[i].recheck.node)
			return true;
	return false;
}

static void end(struct table *t)
{
	rib_marker_del(&t->rib, &t->recheck);
	for (size_t i = 1; i < t->s->neighbors; i++)
		if (t->s->neighbor[i])
			t->s->neighbor[i]->family[t->index].recheck = false;
}

void recheck_stop(struct speaker *s)
{
	for (unsigned i = 0; i < s->tables; i++)
		end(&s->table[i]);
}

/* --- the walk --- */

struct walk {
	struct table *t;
	const struct attrset *last; /* what the serial number stands for */
	unsigned paths;
};

static bool is_asked_about(const struct walk *w, const struct neighbor *n)
{
	return n && !n->removed && n->family[w->t->index].recheck;
}

static uint8_t judge(void *arg, const struct dest *d, const struct path *p)
{
	struct walk *w = arg;
	struct speaker *s = w->t->s;
	struct neighbor *n = p->peer == RIB_LOCAL ? NULL : s->neighbor[p->peer];

	w->paths++;
	if (!is_asked_about(w, n) || (p->refused && p->refused < REFUSED_BY_POLICY))
		return p->refused;
	s->policy_serial += w->last != p->attrs;
	w->last = p->attrs;
	struct policy_route r = {.family = w->t->family,
		.key = d->key,
		.key_len = d->key_len,
		.payload = p->payload,
		.payload_len = p->payload_len,
		.attrs = &p->attrs->attrs,
		.serial = s->policy_serial};
	uint8_t reason = recheck_judge(n, &r);
	if (reason != p->refused && reason)
		neighbor_refused(n, reason);
	if (s->monitor)
		monitor_verdict(n, w->t, d, p, reason);
	return reason;
}

/* True: there is more of it. */
static bool slice(struct table *t)
{
	struct dest **dests = t->s->dests;
	struct walk w = {.t = t};

	while (w.paths < PATHS_A_SLICE) {
		size_t n = rib_ahead(&t->rib, &t->recheck, dests, KEYS_AT_ONCE);
		if (!n)
			return false;
		/* Before the keys are looked at: those that change move to the end. */
		rib_marker_pass(&t->rib, &t->recheck, dests[n - 1]);
		for (size_t i = 0; i < n; i++) {
			w.paths++;
			if (!(rib_judge(&t->rib, dests[i], judge, &w) & RIB_BEST))
				continue;
			speaker_tell(t, dests[i]);
			w.last = NULL; /* the watch may have freed it */
		}
		if (n < KEYS_AT_ONCE)
			return false;
	}
	return true;
}

void recheck_run(struct speaker *s)
{
	for (unsigned i = 0; i < s->tables; i++)
		if (s->table[i].recheck.node && !slice(&s->table[i]))
			end(&s->table[i]);
}
