/* `quell show ledger`: what came to each port, and what became of it. A line a port; one port
 * alone, or with --class, a line a class and outcome.
 *
 *   in     RECEIVED = ANSWERED + DROPPED + POLICED + FORWARDED + FLOODED + DRY RUN
 *   out    DELIVERED came from others, ANSWERS and PROBES are our own, REFUSED did not leave
 *   BUM    of DELIVERED, what was not meant for this port alone: the figure that quell exists for
 */
#include "cli/show.h"

#include <string.h>

#include "cli/ledger.h"
#include "cli/value.h"

static void summary(const json_t *ports, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"PORT", false}, {"KIND", false},
		{"RECEIVED", true}, {"ANSWERED", true}, {"DROPPED", true}, {"POLICED", true},
		{"FORWARDED", true}, {"FLOODED", true}, {"DRY RUN", true}, {"DELIVERED", true}, {"ANSWERS", true},
		{"PROBES", true}, {"REFUSED", true}, {"BUM", true}};
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *p;
	size_t i;

	json_array_foreach(ports, i, p)
	{
		struct ledger_sums s = ledger_sums(p);
		const char *kind = value_text(p, "kind");
		double cells[] = {s.in.frames, s.answered.frames, s.dropped.frames, s.policed.frames,
			s.forwarded.frames, s.flooded.frames, s.would.frames, s.delivered.frames,
			s.answers.frames, s.probes.frames, s.refused.frames, s.bum.frames};
		value_cell_at(t, p, "name");
		value_cell_at(t, p, "kind");
		for (size_t c = 0; c < sizeof(cells) / sizeof(cells[0]); c++)
			table_cell_number(t, (long long)cells[c]);
		if (kind && strcmp(kind, "member") == 0)
			table_paint(t, s.bum.frames > 0 ? BAD : GOOD);
	}
	table_print(t, out, o->colour, "no ports");
	table_free(t);
}

struct detail {
	struct table *t;
	const json_t *port;
	const char *dir, *only;
};

static void add_cell(void *arg, const char *cls, const char *outcome, struct ledger_cell c)
{
	const struct detail *d = arg;

	if (c.frames <= 0 || (d->only && strcmp(cls, d->only) != 0))
		return;
	value_cell_at(d->t, d->port, "name");
	table_cell(d->t, d->dir);
	table_cell(d->t, cls);
	table_cell(d->t, outcome);
	table_cell_number(d->t, (long long)c.frames);
	table_cell_number(d->t, (long long)c.octets);
}

static void detail(const json_t *ports, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"PORT", false}, {"DIRECTION", false},
		{"CLASS", false}, {"OUTCOME", false}, {"FRAMES", true}, {"OCTETS", true}};
	static const struct {
		const char *part, *dir, *text;
	} parts[] = {{NULL, "in", "in"}, {NULL, "out", "out"}, {"would", "in", "in, dry run"},
		{"would", "out", "out, dry run"}};
	struct detail d = {.t = table_new(columns, sizeof(columns) / sizeof(columns[0])),
		.only = o->cls};
	size_t i;

	json_array_foreach(ports, i, d.port)
	{
		for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
			const json_t *from =
				parts[p].part ? json_object_get(d.port, parts[p].part) : d.port;
			d.dir = parts[p].text;
			ledger_cells(json_object_get(from, parts[p].dir), add_cell, &d);
		}
	}
	table_print(d.t, out, o->colour, "nothing counted");
	table_free(d.t);
}

/* One LAN's books: balanced, or each fault with its two sides. */
static void balance(const json_t *b, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"FAULT", false}, {"PORT", false},
		{"CLASS", false}, {"LEFT", true}, {"RIGHT", true}};
	bool good = value_true(b, "balanced");
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const char *name = value_text(b, "lan");
	const json_t *f;
	size_t i;

	json_array_foreach(json_object_get(b, "faults"), i, f)
	{
		value_cell_at(t, f, "fault");
		value_cell_at(t, f, "port");
		value_cell_at(t, f, "class");
		value_cell_at(t, f, "left");
		value_cell_at(t, f, "right");
	}
	fprintf(out, "\nLAN %s: the books %s%s%s\n", name ? name : "-",
		colour_begin(good ? GOOD : BAD, o->colour), good ? "balance" : "do not balance",
		colour_end(o->colour));
	if (table_rows(t))
		table_print(t, out, o->colour, "");
	table_free(t);
}

void show_ledger(const json_t *answer, const struct show_options *o, FILE *out)
{
	const json_t *ports = json_object_get(answer, "ports"), *b;
	size_t i;

	if (o->metrics) {
		ledger_metrics(answer, out);
		return;
	}
	if (o->port || o->cls)
		detail(ports, o, out);
	else
		summary(ports, o, out);
	json_array_foreach(json_object_get(answer, "balance"), i, b)
	{
		const char *lan = value_text(b, "lan");
		if (!o->lan || !lan || strcmp(lan, o->lan) == 0)
			balance(b, o, out);
	}
}
