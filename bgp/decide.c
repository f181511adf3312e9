/* Best path: the tie-breaking of RFC 4271 section 9.1.2.2 with the additions of RFC 4456 section 9,
 * as a sieve. Each step looks at the paths that are left and drops those that lose it, in the RFC's
 * order; the last step leaves one. A sieve and not a chain of pairwise comparisons, because MED
 * compares only paths of one neighbouring AS and is no order: pairwise, the outcome would depend on
 * who came first.
 *
 *   0  long-lived stale loses to all others      RFC 9494 section 4.4
 *   1  the family's own (EVPN: sticky, mobility sequence; RFC 7432 section 15)
 *   2  local preference, 100 if absent           9.1.1
 *   3  originated here
 *   4  shorter AS path                           9.1.2.2 a
 *   5  lower origin                              b
 *   6  lower MED, within one neighbouring AS     c   (absent counts 0)
 *   7  eBGP before iBGP                          d
 *   8  lower BGP identifier, ORIGINATOR_ID first f   RFC 4456 section 9
 *   9  shorter CLUSTER_LIST                          RFC 4456 section 9
 *  10  kept over a graceful restart loses to fresh
 *  11  lower peer address                        g
 *  12  lower path identifier                         of one peer, RFC 7911
 *
 * Step e, the interior cost of the next hop, is left out: a speaker beside the data path does not
 * know it, and for EVPN the choice must be the same on all.
 *
 * That a path is stale comes so late because only the helper knows it: what he sends on looks fresh
 * to others. Two reflectors that have lost the same client would each like better what the other
 * one says of it, take back what they have said themselves, and so on without end. Where all else
 * is equal neither can have its path from the other, whose CLUSTER_LIST would be longer.
 */
#include "bgp/decide.h"

#include <string.h>

#include "bgp/family.h"

#define DEFAULT_LOCAL_PREF 100
#define AS_DONE UINT32_MAX /* reserved (RFC 7300): one neighbour that says so gets away with any MED */

static uint64_t by_least(const struct bgp_path_view *v)
{
	return v->least;
}

/* Steps 2 to 5 in one number, the lowest is the best. */
static uint64_t by_preference(const struct bgp_path_view *v)
{
	const struct attrs *a = v->attrs;
	uint32_t pref = attrs_has(a, ATTR_LOCAL_PREF) ? a->local_pref : DEFAULT_LOCAL_PREF;

	return (uint64_t)(UINT32_MAX - pref) << 32 | (uint64_t)!v->local << 31 |
	       (uint64_t)attr_as_path_length(a) << 8 | a->origin;
}

/* Steps 7 to 10. */
static uint64_t by_sender(const struct bgp_path_view *v)
{
	const struct attrs *a = v->attrs;
	uint32_t id = attrs_has(a, ATTR_ORIGINATOR_ID) ? a->originator_id : v->peer_id;

	return (uint64_t)v->ibgp << 63 | (uint64_t)id << 31 | (uint64_t)a->cluster_list.len << 8 |
	       v->stale;
}

/* The paths that are left, by their index. */
struct field {
	const struct bgp_path_view *v;
	uint32_t *left;
	size_t n;
	uint32_t *room; /* three numbers a path */
};

static const struct bgp_path_view *at(const struct field *f, size_t i)
{
	return &f->v[f->left[i]];
}

static void sieve(uint64_t (*of)(const struct bgp_path_view *v), struct field *f)
{
	uint64_t least = UINT64_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		uint64_t m = of(at(f, i));
		if (m > least)
			continue;
		if (m < least)
			kept = 0;
		least = m;
		f->left[kept++] = f->left[i];
	}
	f->n = kept;
}

static void sieve_family(const struct bgp_family *family, struct field *f)
{
	const struct bgp_path_view *best = at(f, 0);
	size_t kept = 0;

	/* Being equal need not be transitive (paths of one Ethernet segment are, whatever is
	 * between them), so who came out best is only so when nobody beats it. */
	for (bool beaten = true; beaten;) {
		beaten = false;
		for (size_t i = 0; i < f->n; i++)
			if (family->compare(at(f, i), best) < 0) {
				best = at(f, i);
				beaten = true;
			}
	}
	for (size_t i = 0; i < f->n; i++)
		if (family->compare(at(f, i), best) == 0)
			f->left[kept++] = f->left[i];
	f->n = kept;
}

static uint32_t med_of(const struct bgp_path_view *v)
{
	return attrs_has(v->attrs, ATTR_MED) ? v->attrs->med : 0;
}

/* Of one neighbouring AS, those with more than the lowest MED go: `gone` is 1. */
static void sieve_as(size_t n, uint32_t group, uint32_t *as, const uint32_t *med, uint32_t *gone)
{
	uint32_t least = UINT32_MAX;

	for (size_t i = 0; i < n; i++)
		if (as[i] == group && med[i] < least)
			least = med[i];
	for (size_t i = 0; i < n; i++)
		if (as[i] == group) {
			gone[i] = med[i] > least;
			as[i] = AS_DONE;
		}
}

/* Section 9.1.2.2 c: out goes every path for which another one of the same neighbouring AS has a
 * lower MED. */
static void sieve_med(struct field *f)
{
	size_t kept = 0, same = 1, n = f->n;
	uint32_t *as = f->room, *med = as + n, *gone = med + n;

	while (same < n && med_of(at(f, same)) == med_of(at(f, 0)))
		same++;
	if (same == n)
		return;
	for (size_t i = 0; i < n; i++) {
		as[i] = attr_as_path_first(at(f, i)->attrs);
		med[i] = med_of(at(f, i));
		gone[i] = 0;
	}
	for (size_t i = 0; i < n; i++)
		if (as[i] != AS_DONE)
			sieve_as(n, as[i], as, med, gone);
	for (size_t i = 0; i < n; i++)
		if (!gone[i])
			f->left[kept++] = f->left[i];
	f->n = kept;
}

static bool is_before(const struct bgp_path_view *a, const struct bgp_path_view *b)
{
	int c = ip_cmp(a->peer, b->peer);

	return c ? c < 0 : a->path_id < b->path_id;
}

size_t decide_best(
	const struct bgp_family *family, const struct bgp_path_view *v, size_t n, uint32_t *room)
{
	uint32_t *left = room;
	struct field f = {v, left, n, room + n};
	size_t best;

	if (n == 1)
		return 0;
	for (size_t i = 0; i < n; i++)
		left[i] = (uint32_t)i;
	sieve(by_least, &f);
	if (f.n > 1 && family->compare)
		sieve_family(family, &f);
	if (f.n > 1)
		sieve(by_preference, &f);
	if (f.n > 1)
		sieve_med(&f);
	if (f.n > 1)
		sieve(by_sender, &f);
	best = left[0];
	for (size_t i = 1; i < f.n; i++)
		if (is_before(&v[left[i]], &v[best]))
			best = left[i];
	return best;
}
