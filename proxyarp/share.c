/* Who pays in a table that is full: see share.h. Finding the port that holds the most is a walk over the ports, and only when
 * the whole table is full. */
#include "proxyarp/share.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/siphash.h"

struct share_port {
	uint32_t ifindex, count;
	TAILQ_HEAD(share_list, share) oldest; /* pinned ones are not in it */
};

static bool port_is(const void *entry, const void *key)
{
	return ((const struct share_port *)entry)->ifindex == *(const uint32_t *)key;
}

static uint64_t port_hash(uint32_t ifindex)
{
	return siphash(siphash_process_key(), &ifindex, sizeof(ifindex));
}

void shares_limit(struct shares *s, uint32_t max)
{
	s->max = max;
	s->per_port = max < 4 ? 1 : max / 4;
}

void shares_init(struct shares *s, uint32_t max)
{
	*s = (struct shares){0};
	hmap_init(&s->ports, port_is);
	shares_limit(s, max);
}

void shares_free(struct shares *s)
{
	struct share_port *p;

	hmap_foreach (&s->ports, p)
		free(p);
	hmap_free(&s->ports);
}

static struct share_port *largest(const struct shares *s)
{
	struct share_port *p, *most = NULL;

	hmap_foreach (&s->ports, p)
		if (!TAILQ_EMPTY(&p->oldest) && (!most || p->count > most->count))
			most = p;
	return most;
}

int shares_room(struct shares *s, uint32_t ifindex, struct share **ret_victim)
{
	struct share_port *p = hmap_get(&s->ports, port_hash(ifindex), &ifindex);
	/* What is of no port is the operator's. */
	uint32_t share = ifindex || s->max < 4 ? s->per_port : s->max / 2;

	if (!p || p->count < share) {
		if (s->count < s->max)
			return 0;
		p = largest(s);
	}
	if (!p || TAILQ_EMPTY(&p->oldest))
		return -ENOSPC;
	*ret_victim = TAILQ_FIRST(&p->oldest);
	return 1;
}

int shares_add(struct shares *s, uint32_t ifindex, struct share *e)
{
	struct share_port *p = hmap_get(&s->ports, port_hash(ifindex), &ifindex);

	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->ifindex = ifindex;
		TAILQ_INIT(&p->oldest);
		if (hmap_add(&s->ports, port_hash(ifindex), p) < 0) {
			free(p);
			return -ENOMEM;
		}
	}
	e->port = p;
	e->pinned = false;
	p->count++;
	s->count++;
	TAILQ_INSERT_TAIL(&p->oldest, e, link);
	return 0;
}

void shares_touch(struct share *e)
{
	if (e->pinned)
		return;
	TAILQ_REMOVE(&e->port->oldest, e, link);
	TAILQ_INSERT_TAIL(&e->port->oldest, e, link);
}

void shares_pin(struct share *e, bool pinned)
{
	if (e->pinned == pinned)
		return;
	e->pinned = pinned;
	if (pinned)
		TAILQ_REMOVE(&e->port->oldest, e, link);
	else
		TAILQ_INSERT_TAIL(&e->port->oldest, e, link);
}

void shares_del(struct shares *s, struct share *e)
{
	struct share_port *p = e->port;

	if (!e->pinned)
		TAILQ_REMOVE(&p->oldest, e, link);
	e->port = NULL;
	s->count--;
	if (--p->count == 0)
		free(hmap_del(&s->ports, port_hash(p->ifindex), &p->ifindex));
}

uint32_t share_ifindex(const struct share *e)
{
	return e->port->ifindex;
}
