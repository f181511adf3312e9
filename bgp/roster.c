/* The list of neighbours: who comes into it, by configuration or as one of a range, and who goes.
 *
 * A neighbour has a place in all RIBs, which his paths name. So one that is removed stays, without a session, until his
 * paths are gone and everybody has been told; only then the place may be another's. A dynamic neighbour stays for as long
 * as what he did has to be remembered.
 */
#include "bgp/roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"
#include "bgp/restart.h"

#define NEIGHBORS_MAX 65000
#define DYNAMIC_MEMORY_MS 60000 /* how long the misdeeds of a dynamic neighbour are remembered */

static int reserve_index(struct speaker *s, size_t *ret)
{
	size_t i = 1;

	while (i < s->neighbors && s->neighbor[i])
		i++;
	if (i >= NEIGHBORS_MAX)
		return -ENOMEM;
	if (i >= s->neighbor_cap) {
		size_t cap = s->neighbor_cap ? 2 * s->neighbor_cap : 16;
		struct neighbor **p = realloc(s->neighbor, cap * sizeof(*p));
		if (!p)
			return -ENOMEM;
		memset(p + s->neighbor_cap, 0, (cap - s->neighbor_cap) * sizeof(*p));
		s->neighbor = p;
		s->neighbor_cap = cap;
	}
	for (unsigned t = 0; t < s->tables; t++)
		if (rib_peer_add(&s->table[t].rib, (uint16_t)i) < 0)
			return -ENOMEM;
	if (i == s->neighbors)
		s->neighbors++;
	*ret = i;
	return 0;
}

static int add(struct speaker *s, const struct neighbor_config *c, struct neighbor **ret)
{
	struct neighbor *n;
	size_t i;

	if (reserve_index(s, &i) < 0 || !(n = neighbor_new(s, c)))
		return -ENOMEM;
	n->index = (uint16_t)i;
	s->neighbor[i] = n;
	*ret = n;
	return 0;
}

static int add_range(struct speaker *s, const struct neighbor_config *c, struct neighbor **ret)
{
	struct neighbor *n, **p;

	if (!c->prefix.ip.family || !c->max_dynamic)
		return -EINVAL;
	for (size_t i = 0; i < s->ranges; i++)
		if (memcmp(&s->range[i]->config.prefix, &c->prefix, sizeof(c->prefix)) == 0)
			return -EEXIST;
	p = realloc(s->range, (s->ranges + 1) * sizeof(*p));
	if (!p)
		return -ENOMEM;
	s->range = p;
	n = neighbor_new(s, c);
	if (!n)
		return -ENOMEM;
	n->range = true;
	s->range[s->ranges++] = n;
	*ret = n;
	return 0;
}

static void begin_removal(struct neighbor *n, uint64_t now_ms)
{
	struct bgp_error e = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_DECONFIGURED};

	neighbor_stop(n, &e, true, now_ms);
	restart_purge(n);
	n->removed = true;
	membership_update_default(n->s);
}

int speaker_add_neighbor(
	struct speaker *s, const struct neighbor_config *c, uint64_t now_ms, struct neighbor **ret)
{
	struct neighbor *n;
	int r;

	s->now_ms = now_ms;
	if (!c->address.family) {
		r = add_range(s, c, &n);
		if (r == 0 && ret)
			*ret = n;
		membership_update_default(s);
		return r;
	}
	n = speaker_find_neighbor(s, c->address, NULL);
	if (n && !n->dynamic)
		return -EEXIST;
	if (n)
		begin_removal(n, now_ms);
	r = add(s, c, &n);
	if (r < 0)
		return r;
	membership_update_default(s);
	if (!s->stopping)
		neighbor_start(n, now_ms);
	if (ret)
		*ret = n;
	return 0;
}

static void remove_range(struct speaker *s, struct neighbor *range, uint64_t now_ms)
{
	for (size_t i = 1; i < s->neighbors; i++) {
		struct neighbor *n = s->neighbor[i];
		if (!n || n->parent != range)
			continue;
		n->parent = NULL;
		if (!n->removed)
			begin_removal(n, now_ms);
	}
	for (size_t i = 0; i < s->ranges; i++)
		if (s->range[i] == range)
			s->range[i] = s->range[--s->ranges];
	neighbor_free(range);
	membership_update_default(s);
}

void speaker_remove_neighbor(struct speaker *s, struct neighbor *n, uint64_t now_ms)
{
	s->now_ms = now_ms;
	if (n->range)
		remove_range(s, n, now_ms);
	else
		begin_removal(n, now_ms);
	restart_check_converged(s);
}

/* The most specific one: the daemon has set up the connection by it, too. */
static struct neighbor *range_of(const struct speaker *s, struct ip remote)
{
	struct neighbor *best = NULL;

	for (size_t i = 0; i < s->ranges; i++) {
		const struct prefix *p = &s->range[i]->config.prefix;
		if (prefix_contains(p, remote) && (!best || p->len > best->config.prefix.len))
			best = s->range[i];
	}
	return best;
}

static struct neighbor *add_dynamic(struct speaker *s, struct ip remote)
{
	struct neighbor *range = range_of(s, remote), *n;

	if (!range || range->config.shutdown || range->dynamic_count >= range->config.max_dynamic)
		return NULL;
	struct neighbor_config c = range->config;
	c.address = remote;
	c.passive = true;
	if (add(s, &c, &n) < 0)
		return NULL;
	n->dynamic = true;
	n->parent = range;
	range->dynamic_count++;
	neighbor_start(n, s->now_ms);
	return n;
}

struct conn *speaker_accept(struct speaker *s, struct ip remote, struct ip local, uint64_t now_ms)
{
	struct neighbor *n;

	s->now_ms = now_ms;
	if (s->stopping)
		return NULL;
	n = speaker_find_neighbor(s, remote, NULL);
	if (!n)
		n = add_dynamic(s, remote);
	return n ? neighbor_accept(n, remote, local, now_ms) : NULL;
}

/* --- who goes --- */

bool roster_is_spent(const struct neighbor *n)
{
	const struct speaker *s = n->s;

	if (n->conns || n->up || neighbor_has_paths(n))
		return false;
	if (n->removed)
		return true;
	return n->dynamic && n->main->fsm.state <= FSM_ACTIVE && !timer_running(&n->idle_hold) &&
	       (!n->falls || s->now_ms - n->since_ms > DYNAMIC_MEMORY_MS);
}

void roster_drop_families(struct neighbor *n)
{
	for (unsigned t = 0; t < n->s->tables; t++) {
		if (n->family[t].member)
			group_leave(n->family[t].member);
		rib_marker_del(&n->s->table[t].rib, &n->family[t].sweep_at);
	}
}

void roster_free_spent(struct speaker *s)
{
	for (size_t i = 1; i < s->neighbors; i++) {
		struct neighbor *n = s->neighbor[i];
		if (!n || !roster_is_spent(n))
			continue;
		roster_drop_families(n);
		if (n->parent)
			n->parent->dynamic_count--;
		s->neighbor[i] = NULL;
		neighbor_free(n);
	}
	while (s->neighbors > 1 && !s->neighbor[s->neighbors - 1])
		s->neighbors--;
}
