/* With two reflectors every client has each route twice. When one of the two is away and its copies are kept (RFC 4724
 * section 4.2), they must not outlive the route itself: the other one hears when its originator withdraws it, and says
 * so, and what the absent one once passed on of the very same route is no better than that. Without this a host that
 * left would be believed in for the whole restart time, although the network knows better.
 *
 * The same route is the same key with the same ORIGINATOR_ID (RFC 4456 section 8); EVPN's keys begin with the RD of
 * their PE anyway. What the originator itself had told us, and then went away, is not a copy, and stays: a reflector
 * that drops its routes does not speak for a PE that restarts. RFC 4724 does not ask for less: it keeps what nobody
 * can tell us about any more.
 */
#include "bgp/copies.h"

#include "bgp/engine.h"

bool copies_are_kept(const struct table *t, const struct neighbor *n)
{
	const struct speaker *s = t->s;

	for (size_t i = 1; i < s->neighbors; i++)
		if (s->neighbor[i] && s->neighbor[i] != n && s->neighbor[i]->family[t->index].stale)
			return true;
	return false;
}

static uint32_t originator_of(const struct path *p)
{
	return p && attrs_has(&p->attrs->attrs, ATTR_ORIGINATOR_ID) ? p->attrs->attrs.originator_id
								    : 0;
}

uint32_t copies_originator(
	const struct table *t, const struct neighbor *n, const struct dest *d, uint32_t path_id)
{
	const struct path *p = d ? rib_path(&t->rib, d->paths) : NULL;

	while (p && (p->peer != n->index || p->path_id != path_id))
		p = rib_path(&t->rib, p->next);
	return originator_of(p);
}

/* One that is kept over a restart; those between BoRR and EoRR are not. */
static const struct path *kept_copy(const struct rib *r, const struct dest *d, uint32_t originator)
{
	for (const struct path *p = rib_path(r, d->paths); p; p = rib_path(r, p->next))
		if (r->peer[p->peer].stale_loses && rib_path_stale(r, p) &&
			originator_of(p) == originator)
			return p;
	return NULL;
}

void copies_withdrawn(struct table *t, struct dest *d, uint32_t originator)
{
	const struct path *p;
	unsigned change = 0;

	while ((p = kept_copy(&t->rib, d, originator))) {
		struct neighbor *n = t->s->neighbor[p->peer];
		unsigned one = rib_unset_dest(&t->rib, p->peer, d, true);
		membership_changed(n, t, d, one);
		change |= one;
	}
	if (change & RIB_BEST)
		speaker_tell(t, d);
}
