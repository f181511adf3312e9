#include "cli/top_view.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ledger.h"
#include "cli/value.h"

struct line {
	const json_t *port;
	struct ledger_sums s;
	/* of a class */
	const char *dir, *cls, *outcome;
	struct ledger_cell cell;
};

struct lines {
	struct line *at;
	size_t count, room;
	const json_t *port;
	const char *dir;
};

static const char *const sort_names[TOP_SORTS] = {"name", "in", "dropped", "answered", "bum"};

const char *top_sort_name(enum top_sort by)
{
	return by < TOP_SORTS ? sort_names[by] : "?";
}

static struct line *line_new(struct lines *l)
{
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->at = reallocarray(l->at, l->room, sizeof(*l->at));
		if (!l->at)
			err(1, NULL);
	}
	struct line *n = &l->at[l->count++];
	*n = (struct line){.port = l->port, .dir = l->dir};
	return n;
}

static bool is_wanted(const json_t *port, const struct top_options *o)
{
	const char *lan = value_text(port, "lan"), *name = value_text(port, "name");

	return (!o->lan || !lan || strcmp(lan, o->lan) == 0) &&
	       (!o->port || !name || strcmp(name, o->port) == 0);
}

static void cell_rate(struct table *t, double n)
{
	char text[32];

	snprintf(text, sizeof(text), n > 0 && n < 9.95 ? "%.1f" : "%.0f", n);
	table_cell(t, text);
	if (n == 0)
		table_paint(t, DIM);
}

static enum top_sort sorting;

static double weight(const struct line *l)
{
	switch (sorting) {
	case TOP_BY_IN:
		return l->s.in.frames;
	case TOP_BY_DROPPED:
		return l->s.dropped.frames + l->s.policed.frames;
	case TOP_BY_ANSWERED:
		return l->s.answered.frames;
	case TOP_BY_BUM:
		return l->s.bum.frames;
	default:
		return 0;
	}
}

static int by_name(const struct line *a, const struct line *b)
{
	static const char *const keys[] = {"lan", "name"};

	for (size_t i = 0; i < 2; i++) {
		int d = value_cmp(json_object_get(a->port, keys[i]), json_object_get(b->port, keys[i]));
		if (d)
			return d;
	}
	return 0;
}

static int port_cmp(const void *va, const void *vb)
{
	const struct line *a = va, *b = vb;
	double wa = weight(a), wb = weight(b);

	return wa != wb ? (wa < wb ? 1 : -1) : by_name(a, b);
}

struct table *top_ports(const json_t *rates, const struct top_options *o, enum top_sort by)
{
	static const struct table_column columns[] = {{"PORT", false}, {"KIND", false}, {"IN/s", true},
		{"kbit/s", true}, {"ANSWERED", true}, {"SPONGED", true}, {"DROPPED", true},
		{"POLICED", true}, {"WENT ON", true}, {"OUT/s", true}, {"kbit/s", true},
		{"REFUSED", true}, {"BUM", true}};
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct lines l = {0};
	size_t i;

	json_array_foreach(json_object_get(rates, "ports"), i, l.port) if (is_wanted(l.port, o))
		line_new(&l)->s = ledger_sums(l.port);
	sorting = by;
	if (l.count)
		qsort(l.at, l.count, sizeof(*l.at), port_cmp);
	for (i = 0; i < l.count; i++) {
		const struct ledger_sums *s = &l.at[i].s;
		const char *kind = value_text(l.at[i].port, "kind");
		double on = s->forwarded.frames + s->flooded.frames + s->would.frames;
		double cells[] = {s->in.frames, s->in.octets / 125,
			s->answered.frames - s->sponged.frames, s->sponged.frames, s->dropped.frames,
			s->policed.frames, on, s->out.frames, s->out.octets / 125, s->refused.frames,
			s->bum.frames};
		value_cell_at(t, l.at[i].port, "name");
		value_cell_at(t, l.at[i].port, "kind");
		for (size_t c = 0; c < sizeof(cells) / sizeof(cells[0]); c++)
			cell_rate(t, cells[c]);
		if (kind && strcmp(kind, "member") == 0)
			table_paint(t, s->bum.frames > 0 ? BAD : GOOD);
	}
	free(l.at);
	return t;
}

static void add_class(void *arg, const char *cls, const char *outcome, struct ledger_cell c)
{
	struct line *n = line_new(arg);

	n->cls = cls;
	n->outcome = outcome;
	n->cell = c;
}

static int class_cmp(const void *va, const void *vb)
{
	const struct line *a = va, *b = vb;

	if (a->cell.frames != b->cell.frames)
		return a->cell.frames < b->cell.frames ? 1 : -1;
	int d = by_name(a, b);
	d = d ? d : strcmp(a->dir, b->dir);
	d = d ? d : strcmp(a->cls, b->cls);
	return d ? d : strcmp(a->outcome, b->outcome);
}

struct table *top_classes(const json_t *rates, const struct top_options *o)
{
	static const struct table_column columns[] = {{"PORT", false}, {"DIRECTION", false},
		{"CLASS", false}, {"OUTCOME", false}, {"FRAMES/s", true}, {"kbit/s", true}};
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct lines l = {0};
	size_t i;

	json_array_foreach(json_object_get(rates, "ports"), i, l.port)
	{
		if (!is_wanted(l.port, o))
			continue;
		l.dir = "in";
		ledger_cells(json_object_get(l.port, l.dir), add_class, &l);
		l.dir = "out";
		ledger_cells(json_object_get(l.port, l.dir), add_class, &l);
	}
	if (l.count)
		qsort(l.at, l.count, sizeof(*l.at), class_cmp);
	for (i = 0; i < l.count; i++) {
		value_cell_at(t, l.at[i].port, "name");
		table_cell(t, l.at[i].dir);
		table_cell(t, l.at[i].cls);
		table_cell(t, l.at[i].outcome);
		cell_rate(t, l.at[i].cell.frames);
		cell_rate(t, l.at[i].cell.octets / 125);
	}
	free(l.at);
	return t;
}
