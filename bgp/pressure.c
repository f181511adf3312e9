#include "bgp/pressure.h"

#include "bgp/engine.h"

/* As much is read by ten clients on two cores within 5 ms. Two pieces of what is read at once from who floods: with one
 * alone the readers would be idle while the next is made. */
#define MUCH_OCTETS (256 * 1024)
#define SPAN_MS 20

static size_t much(const struct neighbor *n)
{
	size_t half = neighbor_queue_max(n) / 2;

	return half < MUCH_OCTETS ? half : MUCH_OCTETS;
}

/* With the others in all families that it is told of. */
static bool keeps_up(const struct neighbor *n)
{
	bool any = false;

	for (unsigned t = 0; t < n->s->tables; t++) {
		const struct member *m = n->family[t].member;
		if (m && !m->synced)
			return false;
		any |= m != NULL;
	}
	return any;
}

static void next_span(struct speaker *s, uint64_t now_ms)
{
	struct pressure *p = &s->pressure;

	p->span_ms = now_ms;
	p->most = 0;
	for (size_t i = 1; i < s->neighbors; i++) {
		struct neighbor *n = s->neighbor[i];
		if (!n)
			continue;
		n->took = n->takes;
		n->takes = 0;
		if (n->took > p->most)
			p->most = n->took;
	}
}

/* In the last span; or in this one already, for who has just begun to read again. */
static bool keeps_pace(const struct pressure *p, const struct neighbor *n)
{
	size_t took = n->took > n->takes ? n->took : n->takes;

	return n->main->conn && took && took >= p->most / 2 && keeps_up(n);
}

static void count(struct speaker *s, uint64_t now_ms)
{
	struct pressure *p = &s->pressure;

	p->counted_ms = now_ms;
	p->full = 0;
	if (now_ms - p->span_ms >= SPAN_MS)
		next_span(s, now_ms);
	for (size_t i = 1; i < s->neighbors; i++) {
		const struct neighbor *n = s->neighbor[i];
		if (!n || !keeps_pace(p, n) || conn_unsent(n->main->conn) < much(n))
			continue;
		p->full++;
		p->last_full = n;
	}
}

bool pressure_on(struct speaker *s, const struct neighbor *from, uint64_t now_ms)
{
	const struct pressure *p = &s->pressure;

	if (p->counted_ms != now_ms)
		count(s, now_ms);
	return p->full > 1 || (p->full == 1 && p->last_full != from);
}

bool conn_should_wait(struct conn *c, uint64_t now_ms)
{
	return c->session && pressure_on(c->s, c->n, now_ms);
}
