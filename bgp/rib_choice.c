/* Which path of a key is best, and under which numbers the paths are told to those who take several
 * (RFC 7911). The best stands first; refused ones are not looked at, and stand first only if there
 * is no other.
 *
 * A number is a path identifier of ours, unique within its key and kept for as long as the path
 * lives. They are few, so that a key is cheap to tell; a path that got none waits for one. Only the
 * best takes one from another if it must.
 */
#include <stdlib.h>

#include "bgp/llgr.h"
#include "bgp/rib.h"

static bool view_reserve(struct rib *r, size_t n)
{
	if (n <= r->view_cap)
		return true;
	size_t cap = r->view_cap ? r->view_cap : 8;
	while (cap < n)
		cap *= 2;
	struct bgp_path_view *v = realloc(r->view, cap * sizeof(*v));
	if (v)
		r->view = v;
	uint32_t *room = realloc(r->room, DECIDE_ROOM * cap * sizeof(*room));
	if (room)
		r->room = room;
	if (!v || !room)
		return false;
	r->view_cap = cap;
	return true;
}

static void view_of(const struct rib *r, const struct path *p, struct bgp_path_view *ret)
{
	const struct rib_peer *peer = &r->peer[p->peer];

	*ret = (struct bgp_path_view){
		.attrs = &p->attrs->attrs,
		.payload = p->payload,
		.payload_len = p->payload_len,
		.local = p->peer == RIB_LOCAL,
		.ibgp = peer->ibgp,
		.least = llgr_is_marked(&p->attrs->attrs),
		.stale = peer->stale_loses && rib_path_stale(r, p),
		.peer_id = peer->router_id,
		.peer = peer->address,
		.path_id = p->path_id,
	};
}

static void to_front(struct rib *r, struct dest *d, pool_ref *link)
{
	pool_ref ref = *link;
	struct path *p = rib_path(r, ref);

	*link = p->next;
	p->next = d->paths;
	d->paths = ref;
}

void rib_choose(struct rib *r, struct dest *d)
{
	const struct path *first = rib_path(r, d->paths);
	size_t n = 0, best = 0;
	pool_ref *link;

	if (!first || !first->next)
		return;
	for (const struct path *p = first; p; p = rib_path(r, p->next))
		n += !p->refused;
	if (n == 0 || (n == 1 && !first->refused))
		return;
	if (n > 1 && view_reserve(r, n)) {
		n = 0;
		for (const struct path *p = first; p; p = rib_path(r, p->next))
			if (!p->refused)
				view_of(r, p, &r->view[n++]);
		best = decide_best(r->family, r->view, n, r->room);
	}
	for (link = &d->paths;; link = &rib_path(r, *link)->next)
		if (!rib_path(r, *link)->refused && best-- == 0)
			break;
	if (link != &d->paths)
		to_front(r, d, link);
}

/* Whoever is best of all is best of some. */
const struct path *rib_best_of(struct rib *r, const struct dest *d,
	bool (*may)(void *arg, const struct path *p), void *arg)
{
	const struct path *best = rib_best(r, d), *first = NULL;
	size_t n = 0, count = 0;

	if (!best || may(arg, best))
		return best;
	for (const struct path *p = best; p; p = rib_path(r, p->next))
		count++;
	if (!view_reserve(r, count))
		count = 0;
	for (const struct path *p = best; p; p = rib_path(r, p->next)) {
		if (p->refused || !may(arg, p))
			continue;
		first = first ? first : p;
		if (count)
			view_of(r, p, &r->view[n++]);
	}
	if (n < 2)
		return first;
	size_t at = decide_best(r->family, r->view, n, r->room);
	for (const struct path *p = first;; p = rib_path(r, p->next))
		if (!p->refused && may(arg, p) && at-- == 0)
			return p;
}

/* --- numbers --- */

void rib_unnumber(struct rib *r, struct path *p)
{
	r->peer[p->peer].numbered -= p->number != 0;
	p->told = 0;
	p->number = 0;
}

static unsigned lowest_free(uint32_t used)
{
	for (unsigned i = 1; i <= RIB_NUMBERS; i++)
		if (!(used & 1u << i))
			return i;
	return 0;
}

/* Of the last that has one. */
static unsigned take_number(struct rib *r, struct dest *d)
{
	struct path *last = NULL;

	for (struct path *p = rib_path(r, d->paths); p; p = rib_path(r, p->next))
		if (p->number)
			last = p;
	unsigned number = last->number;
	rib_unnumber(r, last);
	return number;
}

void rib_number(struct rib *r, struct dest *d)
{
	const struct path *best = rib_best(r, d);
	uint32_t used = 0;

	for (const struct path *p = rib_path(r, d->paths); p; p = rib_path(r, p->next))
		used |= 1u << p->number;
	for (struct path *p = rib_path(r, d->paths); p; p = rib_path(r, p->next)) {
		if (p->refused || p->number)
			continue;
		unsigned number = lowest_free(used);
		if (!number && p == best)
			number = take_number(r, d);
		if (!number)
			return;
		p->number = number & RIB_NUMBERS;
		r->peer[p->peer].numbered++;
		p->news = 1;
		used |= 1u << number;
	}
}

void rib_numbers_out(struct dest *d, uint32_t numbers)
{
	for (unsigned i = d->numbers + 1u; i <= RIB_NUMBERS; i++)
		if (numbers & 1u << i)
			d->numbers = i & RIB_NUMBERS;
}

/* Those that nobody who keeps up can have any more are forgotten. */
void rib_told_paths(struct rib *r, struct dest *d, bool lagging)
{
	unsigned highest = lagging ? d->numbers : 0;

	for (struct path *p = rib_path(r, d->paths); p; p = rib_path(r, p->next)) {
		if (!p->number)
			continue;
		p->told = 1;
		p->news = 0;
		highest = p->number > highest ? p->number : highest;
	}
	d->numbers = highest & RIB_NUMBERS;
}

void rib_told(struct rib *r, struct dest *d, bool lagging)
{
	const struct path *best = rib_best(r, d);
	uint16_t who = best ? best->peer : RIB_NO_PEER;

	if (r->all_paths)
		rib_told_paths(r, d, lagging);
	d->best_news = 0;
	if (d->told == who)
		return;
	if (d->told != RIB_NO_PEER)
		r->peer[d->told].told--;
	d->told = who;
	if (who != RIB_NO_PEER)
		r->peer[who].told++;
}
