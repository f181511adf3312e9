/* `quell show ledger`: what came to each port, and what became of it. A line a port; one port
 * alone, or with --class, a line a class and outcome.
 *
 *   in     RECEIVED = ANSWERED + DROPPED + POLICED + FORWARDED + FLOODED
 *   out    DELIVERED came from others, ANSWERS and PROBES are our own, REFUSED did not leave
 *   BUM    of DELIVERED, what was not meant for this port alone: the figure that quell exists for
 */
#include "cli/show.h"

#include <string.h>

#include "cli/value.h"
#include "proxyarp/verdict.h"

struct sums {
	long long in, answered, dropped, policed, forwarded, flooded;
	long long delivered, answers, probes, refused, bum;
};

/* Classes that have one owner; all others go, or would go, to every port. */
static bool is_unicast(const char *cls)
{
	static const char *const unicast[] = {
		"arp-unicast", "arp-reply", "ns-unicast", "na", "ipv4", "ipv6"};

	for (size_t i = 0; i < sizeof(unicast) / sizeof(unicast[0]); i++)
		if (strcmp(cls, unicast[i]) == 0)
			return true;
	return false;
}

/* A cell is [frames, octets]. */
static long long frames(const json_t *cell)
{
	return json_integer_value(json_is_array(cell) ? json_array_get(cell, 0) : cell);
}

static char kind_of(const char *outcome)
{
	int o = outcome_find(outcome);

	return o < 0 ? 'D' : outcome_kind((enum frame_outcome)o);
}

static void sum_in(struct sums *s, const char *outcome, long long n)
{
	char kind = kind_of(outcome);

	s->in += n;
	if (kind == 'A')
		s->answered += n;
	else if (kind == 'P')
		s->policed += n;
	else if (kind == 'D')
		s->dropped += n;
	else if (strcmp(outcome, "flooded") == 0)
		s->flooded += n;
	else
		s->forwarded += n;
}

static void sum_out(struct sums *s, const char *cls, const char *outcome, long long n)
{
	if (strcmp(outcome, "answer") == 0)
		s->answers += n;
	else if (strcmp(outcome, "probe") == 0)
		s->probes += n;
	else if (kind_of(outcome) != 'F')
		s->refused += n;
	else
		s->delivered += n;
	if (strcmp(outcome, "delivered") == 0 && !is_unicast(cls))
		s->bum += n;
}

static struct sums sum(const json_t *port)
{
	struct sums s = {0};
	const char *cls, *outcome;
	const json_t *outcomes, *cell;

	json_object_foreach(json_object_get(port, "in"), cls, outcomes) json_object_foreach(
		(json_t *)outcomes, outcome, cell) sum_in(&s, outcome, frames(cell));
	json_object_foreach(json_object_get(port, "out"), cls, outcomes) json_object_foreach(
		(json_t *)outcomes, outcome, cell) sum_out(&s, cls, outcome, frames(cell));
	return s;
}

static void summary(const json_t *ports, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"PORT", false}, {"KIND", false},
		{"RECEIVED", true}, {"ANSWERED", true}, {"DROPPED", true}, {"POLICED", true},
		{"FORWARDED", true}, {"FLOODED", true}, {"DELIVERED", true}, {"ANSWERS", true},
		{"PROBES", true}, {"REFUSED", true}, {"BUM", true}};
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *p;
	size_t i;

	json_array_foreach(ports, i, p)
	{
		struct sums s = sum(p);
		const char *kind = value_text(p, "kind");
		long long cells[] = {s.in, s.answered, s.dropped, s.policed, s.forwarded, s.flooded,
			s.delivered, s.answers, s.probes, s.refused, s.bum};
		value_cell_at(t, p, "name");
		value_cell_at(t, p, "kind");
		for (size_t c = 0; c < sizeof(cells) / sizeof(cells[0]); c++)
			table_cell_number(t, cells[c]);
		if (kind && strcmp(kind, "member") == 0)
			table_paint(t, s.bum ? BAD : GOOD);
	}
	table_print(t, out, o->colour, "no ports");
	table_free(t);
}

static void add_cells(struct table *t, const json_t *port, const char *dir, const char *only)
{
	const char *outcome;
	const json_t *cell;

	/* In the order of the classes, whatever the daemon's; those that we do not know are behind
	 * them. */
	for (int c = 0; c < CLASS_COUNT; c++) {
		const char *cls = class_name((enum frame_class)c);
		json_t *outcomes = json_object_get(json_object_get(port, dir), cls);
		if (only && strcmp(cls, only) != 0)
			continue;
		json_object_foreach(outcomes, outcome, cell)
		{
			if (!frames(cell))
				continue;
			value_cell_at(t, port, "name");
			table_cell(t, dir);
			table_cell(t, cls);
			table_cell(t, outcome);
			table_cell_number(t, frames(cell));
			value_cell(t, json_array_get(cell, 1));
		}
	}
}

static void detail(const json_t *ports, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"PORT", false}, {"DIRECTION", false},
		{"CLASS", false}, {"OUTCOME", false}, {"FRAMES", true}, {"OCTETS", true}};
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *p;
	size_t i;

	json_array_foreach(ports, i, p)
	{
		add_cells(t, p, "in", o->cls);
		add_cells(t, p, "out", o->cls);
	}
	table_print(t, out, o->colour, "nothing counted");
	table_free(t);
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
