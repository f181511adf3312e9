/* Limits of routes: of all that a neighbour has sent (max-routes), and of each kind of route. At four
 * fifths of a limit the operator is told, once, until the count has been below 70 % again; beyond
 * it the session ends with Cease 6/1 (RFC 4486 section 4), whose data is the family and the limit.
 * Refused routes count like others: they take the same room.
 */
#include "bgp/limit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bgp/engine.h"
#include "lib/log.h"

#define OVERALL BGP_CLASSES /* its bit in neighbor.warned, behind those of the kinds */

_Static_assert(BGP_CLASSES < 32, "neighbor.warned");

static int too_many(
	const struct bgp_family *f, uint32_t max, const char *what, struct bgp_error *ret)
{
	uint8_t data[7] = {(uint8_t)(f->afi >> 8), (uint8_t)f->afi, f->safi, (uint8_t)(max >> 24),
		(uint8_t)(max >> 16), (uint8_t)(max >> 8), (uint8_t)max};

	*ret = (struct bgp_error){.code = BGP_ERR_CEASE,
		.subcode = BGP_CEASE_MAX_PREFIXES,
		.data_len = sizeof(data),
		.what = what};
	memcpy(ret->data, data, sizeof(data));
	return -EBADMSG;
}

static void warn(struct neighbor *n, unsigned bit, uint32_t count, uint32_t max)
{
	static struct log_limit limit = LOG_LIMIT(20, 10000);
	uint64_t routes = count;

	/* Where it was before this one came. */
	if (10 * (routes - 1) < 7ull * max)
		n->warned &= ~(1u << bit);
	if (5 * routes < 4ull * max || n->warned & 1u << bit)
		return;
	n->warned |= 1u << bit;
	if (bit == OVERALL)
		log_limited(&limit, n->s->now_ms, LOG_BGP, LOG_LEVEL_WARNING,
			"%s: %u routes, the limit is %u", n->label, count, max);
	else if (bit == BGP_CLASSES - 1)
		log_limited(&limit, n->s->now_ms, LOG_BGP, LOG_LEVEL_WARNING,
			"%s: %u routes of another type, the limit is %u", n->label, count, max);
	else
		log_limited(&limit, n->s->now_ms, LOG_BGP, LOG_LEVEL_WARNING,
			"%s: %u routes of type %u, the limit is %u", n->label, count, bit, max);
}

static uint32_t paths_of(const struct neighbor *n)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < n->s->tables; i++)
		sum += n->s->table[i].rib.peer[n->index].paths;
	return sum;
}

static int check_overall(struct neighbor *n, const struct table *t, struct bgp_error *ret)
{
	uint32_t max = n->config.max_routes, count;

	if (!max)
		return 0;
	count = paths_of(n);
	warn(n, OVERALL, count, max);
	if (count <= max)
		return 0;
	snprintf(n->over, sizeof(n->over), "more than %u routes", max);
	return too_many(t->family, max, n->over, ret);
}

static int check_class(
	struct neighbor *n, const struct table *t, unsigned class, struct bgp_error *ret)
{
	uint32_t max = n->config.max_by_class[class], count;

	if (!max)
		return 0;
	count = t->rib.peer[n->index].by_class[class];
	warn(n, class, count, max);
	if (count <= max)
		return 0;
	if (class == BGP_CLASSES - 1)
		snprintf(n->over, sizeof(n->over), "more than %u routes of other types", max);
	else
		snprintf(n->over, sizeof(n->over), "more than %u routes of type %u", max, class);
	return too_many(t->family, max, n->over, ret);
}

int limit_check(
	struct neighbor *n, const struct table *t, const struct nlri *r, struct bgp_error *ret)
{
	int err = check_overall(n, t, ret);

	if (err < 0 || !t->family->class_of)
		return err;
	return check_class(n, t, t->family->class_of(r->key, r->key_len) % BGP_CLASSES, ret);
}

int limit_check_all(struct neighbor *n, struct bgp_error *ret)
{
	for (unsigned i = 0; i < n->s->tables; i++) {
		struct table *t = &n->s->table[i];
		int err = check_overall(n, t, ret);

		for (unsigned class = 0; t->family->class_of && class < BGP_CLASSES && !err;
			class ++)
			err = check_class(n, t, class, ret);
		if (err < 0)
			return err;
	}
	return 0;
}
