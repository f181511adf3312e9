/* Two sides held against each other. A side is a list of cells, one a port and class; sorted, and then walked together like the two halves
 * of a merge. Classes that have one owner are no flood and are left out; the row of all that floods also has what was unicast to others.
 */
#include <config.h>

#include "audit/compare.h"

#include <stdlib.h>
#include <string.h>

#include "proxyarp/verdict.h"

struct side_cell {
	char port[64];
	enum frame_class cls;
	struct compare_cell cell;
};

struct compare_side {
	struct side_cell *list;
	size_t count, room;
};

struct compare_side *compare_side_new(void)
{
	return calloc(1, sizeof(struct compare_side));
}

void compare_side_free(struct compare_side *s)
{
	if (!s)
		return;
	free(s->list);
	free(s);
}

void compare_side_add(struct compare_side *s, const char *port, enum frame_class cls, struct compare_cell cell)
{
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct side_cell *more = realloc(s->list, room * sizeof(*more));
		if (!more)
			abort();
		s->list = more;
		s->room = room;
	}
	struct side_cell *c = &s->list[s->count++];
	memset(c, 0, sizeof(*c));
	strncpy(c->port, port, sizeof(c->port) - 1);
	c->cls = cls;
	c->cell = cell;
}

bool compare_class_floods(enum frame_class c)
{
	switch (c) {
	case CLASS_ARP_UNICAST:
	case CLASS_ARP_REPLY:
	case CLASS_NS_UNICAST:
	case CLASS_NA:
	case CLASS_IP4_UNICAST:
	case CLASS_IP6_UNICAST:
		return false;
	default:
		return true;
	}
}

static struct compare_cell cell_of(const struct audit_port *p, const struct audit_rate *r)
{
	return (struct compare_cell){
		.fps = audit_fps(p, &r->all), .bps = audit_bps(p, &r->all), .peak_fps = (double)r->peak.frames};
}

static struct compare_cell plus(struct compare_cell a, struct compare_cell b)
{
	return (struct compare_cell){a.fps + b.fps, a.bps + b.bps, a.peak_fps + b.peak_fps};
}

struct compare_side *compare_side_of(const struct audit *a)
{
	struct compare_side *s = compare_side_new();

	if (!s)
		abort();
	for (size_t i = 0; i < a->port_count; i++) {
		const struct audit_port *p = &a->ports[i];
		compare_side_add(s, p->name, CLASS_COUNT, cell_of(p, &p->unwanted));
		for (int c = 0; c < CLASS_COUNT; c++)
			if (compare_class_floods(c) && p->at[AUDIT_RECEIVED][c].all.frames)
				compare_side_add(s, p->name, c, cell_of(p, &p->at[AUDIT_RECEIVED][c]));
	}
	return s;
}

/* By port, in the way of names with numbers (swp2 before swp10); of a port the row of all first. */
static int by_port(const void *x, const void *y)
{
	const struct side_cell *a = x, *b = y;
	int d = strverscmp(a->port, b->port);

	if (d)
		return d;
	if ((a->cls == CLASS_COUNT) != (b->cls == CLASS_COUNT))
		return a->cls == CLASS_COUNT ? -1 : 1;
	return (int)a->cls - (int)b->cls;
}

/* Sorted, each port and class once. */
static struct compare_side tidy(const struct compare_side *from)
{
	struct compare_side s = {.count = from->count};
	size_t n = 0;

	s.list = malloc((s.count + 1) * sizeof(*s.list));
	if (!s.list)
		abort();
	if (s.count)
		memcpy(s.list, from->list, s.count * sizeof(*s.list));
	qsort(s.list, s.count, sizeof(*s.list), by_port);
	for (size_t i = 0; i < s.count; i++)
		if (n && by_port(&s.list[n - 1], &s.list[i]) == 0)
			s.list[n - 1].cell = plus(s.list[n - 1].cell, s.list[i].cell);
		else
			s.list[n++] = s.list[i];
	s.count = n;
	return s;
}

static bool has_port(const struct compare_side *s, const char *port)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->list[i].port, port) == 0)
			return true;
	return false;
}

static double suppressed(const struct compare_row *r)
{
	if (r->after.fps <= 0)
		return 1;
	return r->before.fps > 0 ? 1 - r->after.fps / r->before.fps : -1;
}

struct compare *compare_sides(const struct compare_side *before, const struct compare_side *after, double limit_fps)
{
	struct compare_side b = tidy(before), f = tidy(after);
	struct compare *c = calloc(1, sizeof(*c));
	size_t i = 0, k = 0, judged = 0;

	if (!c || !(c->rows = calloc(b.count + f.count + 1, sizeof(*c->rows))))
		abort();
	c->limit_fps = limit_fps;
	c->pass = true;
	while (i < b.count || k < f.count) {
		int d = i == b.count ? 1 : k == f.count ? -1 : by_port(&b.list[i], &f.list[k]);
		const struct side_cell *one = d <= 0 ? &b.list[i] : &f.list[k];
		struct compare_row *r = &c->rows[c->row_count++];
		memcpy(r->port, one->port, sizeof(r->port));
		r->cls = one->cls;
		if (d <= 0)
			r->before = b.list[i++].cell;
		if (d >= 0)
			r->after = f.list[k++].cell;
		r->suppressed = suppressed(r);
		r->pass = r->after.fps <= limit_fps;
		if (r->cls == CLASS_COUNT && has_port(&b, r->port) && has_port(&f, r->port)) {
			judged++;
			c->pass = c->pass && r->pass;
		}
	}
	/* Nothing held against anything proves nothing. */
	c->pass = c->pass && judged;
	free(b.list);
	free(f.list);
	return c;
}

void compare_free(struct compare *c)
{
	if (!c)
		return;
	free(c->rows);
	free(c);
}
