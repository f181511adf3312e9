/* Best path: the tie-breaking of RFC 4271 section 9.1.2.2 with the additions of RFC 4456 section 9,
 * as a sieve. Each step looks at the paths that are left and drops those that lose it, in the RFC's
 * order; the last step leaves one. A sieve and not a chain of pairwise comparisons, because MED
 * compares only paths of one neighbouring AS and is no order: pairwise, the outcome would depend on
 * who came first.
 *
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

/* A step's measure of one path: the lowest stays. */
typedef uint64_t measure(const struct bgp_path_view *v);

static uint64_t by_stale(const struct bgp_path_view *v)
{
	return v->stale;
}

static uint64_t by_local_pref(const struct bgp_path_view *v)
{
	uint32_t p =
		attrs_has(v->attrs, ATTR_LOCAL_PREF) ? v->attrs->local_pref : DEFAULT_LOCAL_PREF;
	return UINT32_MAX - p;
}

static uint64_t by_local(const struct bgp_path_view *v)
{
	return !v->local;
}

static uint64_t by_as_path(const struct bgp_path_view *v)
{
	return attr_as_path_length(v->attrs);
}

static uint64_t by_origin(const struct bgp_path_view *v)
{
	return v->attrs->origin;
}

static uint64_t by_ibgp(const struct bgp_path_view *v)
{
	return v->ibgp;
}

static uint64_t by_id(const struct bgp_path_view *v)
{
	return attrs_has(v->attrs, ATTR_ORIGINATOR_ID) ? v->attrs->originator_id : v->peer_id;
}

static uint64_t by_cluster_list(const struct bgp_path_view *v)
{
	return v->attrs->cluster_list.len;
}

static size_t sieve(measure *of, const struct bgp_path_view *v, size_t n, uint8_t *alive)
{
	uint64_t least = UINT64_MAX;
	size_t left = 0;

	for (size_t i = 0; i < n; i++)
		if (alive[i] && of(&v[i]) < least)
			least = of(&v[i]);
	for (size_t i = 0; i < n; i++) {
		alive[i] = alive[i] && of(&v[i]) == least;
		left += alive[i];
	}
	return left;
}

static size_t sieve_family(
	const struct bgp_family *f, const struct bgp_path_view *v, size_t n, uint8_t *alive)
{
	size_t best = n, left = 0;

	/* Being equal need not be transitive (paths of one Ethernet segment are, whatever is
	 * between them), so who came out best is only so when nobody beats it. */
	for (bool beaten = true; beaten;) {
		beaten = false;
		for (size_t i = 0; i < n; i++)
			if (alive[i] && (best == n || f->compare(&v[i], &v[best]) < 0)) {
				best = i;
				beaten = true;
			}
	}
	for (size_t i = 0; i < n; i++) {
		alive[i] = alive[i] && f->compare(&v[i], &v[best]) == 0;
		left += alive[i];
	}
	return left;
}

static uint32_t med_of(const struct bgp_path_view *v)
{
	return attrs_has(v->attrs, ATTR_MED) ? v->attrs->med : 0;
}

/* Section 9.1.2.2 c, as the pseudo code there: out goes every path for which another one of the
 * same neighbouring AS has a lower MED. */
static size_t sieve_med(const struct bgp_path_view *v, size_t n, uint8_t *alive)
{
	enum { GONE = 0, STAYS = 1, LOSES = 2 };
	size_t left = 0, first = 0;
	bool differ = false;

	while (!alive[first])
		first++;
	for (size_t i = first; i < n; i++) {
		differ |= alive[i] && med_of(&v[i]) != med_of(&v[first]);
		left += alive[i];
	}
	if (!differ)
		return left;
	left = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; alive[i] == STAYS && j < n; j++)
			if (alive[j] != GONE && med_of(&v[j]) < med_of(&v[i]) &&
				attr_as_path_first(v[j].attrs) == attr_as_path_first(v[i].attrs))
				alive[i] = LOSES;
	for (size_t i = 0; i < n; i++) {
		alive[i] = alive[i] == STAYS;
		left += alive[i];
	}
	return left;
}

static bool is_before(const struct bgp_path_view *a, const struct bgp_path_view *b)
{
	int c = ip_cmp(a->peer, b->peer);

	return c ? c < 0 : a->path_id < b->path_id;
}

size_t decide_best(
	const struct bgp_family *f, const struct bgp_path_view *v, size_t n, uint8_t *alive)
{
	static measure *const first[] = {by_local_pref, by_local, by_as_path, by_origin};
	static measure *const then[] = {by_ibgp, by_id, by_cluster_list, by_stale};
	size_t left = n, best = n;

	if (n == 1)
		return 0;
	memset(alive, 1, n);
	if (f->compare)
		left = sieve_family(f, v, n, alive);
	for (size_t i = 0; left > 1 && i < sizeof(first) / sizeof(*first); i++)
		left = sieve(first[i], v, n, alive);
	if (left > 1)
		left = sieve_med(v, n, alive);
	for (size_t i = 0; left > 1 && i < sizeof(then) / sizeof(*then); i++)
		left = sieve(then[i], v, n, alive);
	for (size_t i = 0; i < n; i++)
		if (alive[i] && (best == n || is_before(&v[i], &v[best])))
			best = i;
	return best;
}
