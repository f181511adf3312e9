/* `quell show ledger --prove PORT`: the books of one port, each identity with its two sides.
 *
 *   1. what came in is what was answered, dropped, policed, or went on;
 *   2. the answers that were made have left by this port, but for what was under way while it was read;
 *   3. what left, as the egress program behind everything saw it, and of that the frames that were
 *      not for this port alone (BUM);
 *   4. over a stretch of time: what the kernel's own counters of the interface say of it.
 * The first two must hold, and a port is silent if the third has no BUM; the fourth is the witness
 * that has nothing to do with us.
 */
#include <string.h>

#include "cli/ledger.h"
#include "lib/table.h"
#include "cli/value.h"

struct proof {
	FILE *out;
	bool colour, holds;
};

static void verdict(struct proof *p, bool good, const char *yes, const char *no)
{
	fprintf(p->out, "  %s%s%s\n", colour_begin(good ? GOOD : BAD, p->colour), good ? yes : no,
		colour_end(p->colour));
}

static void __attribute__((format(printf, 3, 4)))
identity(struct proof *p, bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(p->out, fmt, ap);
	va_end(ap);
	verdict(p, good, "holds", "DOES NOT HOLD");
	p->holds = p->holds && good;
}

struct listed {
	struct table *t;
	bool bum;
};

static void list_left(void *arg, const char *cls, const char *outcome, struct ledger_cell c)
{
	struct listed *l = arg;
	bool own = strcmp(outcome, "answer") == 0 || strcmp(outcome, "probe") == 0;
	bool gone = own || strcmp(outcome, "delivered") == 0 || strcmp(outcome, "would") == 0;

	table_cell(l->t, cls);
	table_cell(l->t, outcome);
	table_cell(l->t, !gone ? "refused" : own ? "our own" : ledger_class_is_unicast(cls) ? "unicast" : "BUM");
	if (gone && !own && !ledger_class_is_unicast(cls))
		table_paint(l->t, BAD);
	table_cell_number(l->t, (long long)c.frames);
	table_cell_number(l->t, (long long)c.octets);
}

static void left_by_class(struct proof *p, const json_t *port)
{
	static const struct table_column columns[] = {{"CLASS", false}, {"OUTCOME", false},
		{"WHAT", false}, {"FRAMES", true}, {"OCTETS", true}};
	struct listed l = {.t = table_new(columns, sizeof(columns) / sizeof(columns[0]))};

	ledger_cells(json_object_get(port, "out"), list_left, &l);
	fputc('\n', p->out);
	table_print(l.t, p->out, p->colour, "the egress program saw nothing leave");
	table_free(l.t);
}

static const json_t *only_port(const json_t *answer)
{
	return json_array_get(json_object_get(answer, "ports"), 0);
}

/* What one counter rose by between two moments: at least, at most. */
struct span {
	long long least, most;
};

static bool meet(struct span a, struct span b)
{
	return a.least <= b.most && b.least <= a.most;
}

static struct span span_of(struct ledger_moment begin, struct ledger_moment end,
	long long (*count)(const json_t *answer))
{
	return (struct span){count(end.first) - count(begin.second),
		count(end.second) - count(begin.first)};
}

static long long made(const json_t *answer)
{
	return (long long)ledger_sums(only_port(answer)).answered.frames;
}

static long long answers(const json_t *answer)
{
	return (long long)ledger_sums(only_port(answer)).answers.frames;
}

static long long received(const json_t *answer)
{
	return (long long)ledger_sums(only_port(answer)).in.frames;
}

static long long sent(const json_t *answer)
{
	return (long long)ledger_sums(only_port(answer)).out.frames;
}

static long long interface_rx(const json_t *answer)
{
	return value_number(json_object_get(only_port(answer), "interface"), "rx_packets");
}

static long long interface_tx(const json_t *answer)
{
	return value_number(json_object_get(only_port(answer), "interface"), "tx_packets");
}

/* The kernel counts an interface by itself. */
static void witness(struct proof *p, struct ledger_moment begin, struct ledger_moment end)
{
	struct span rx = span_of(begin, end, interface_rx), tx = span_of(begin, end, interface_tx);
	struct span in = span_of(begin, end, received), out = span_of(begin, end, sent);

	fprintf(p->out, "\nthe interface itself received %lld and sent %lld, the ledger has %lld and %lld",
		rx.least, tx.least, in.least, out.least);
	verdict(p, meet(rx, in) && meet(tx, out), "the same",
		"not the same: XDP, or an interface that counts otherwise");
}

static void books(struct proof *p, const json_t *answer, const char *lan)
{
	const json_t *b;
	size_t i;

	json_array_foreach(json_object_get(answer, "balance"), i, b)
	{
		const char *name = value_text(b, "lan");
		if (name && lan && strcmp(name, lan) != 0)
			continue;
		fprintf(p->out, "\nthe books of LAN %s, all its ports", name ? name : "-");
		verdict(p, value_true(b, "balanced"), "balance", "do not balance: see quell show ledger");
	}
}

bool ledger_prove(struct ledger_moment begin, struct ledger_moment end, bool colour, FILE *out)
{
	struct proof p = {out, colour, true};
	const json_t *port = only_port(end.first);
	json_t *rates = begin.first ? ledger_rates(begin.first, end.first) : NULL;
	double seconds = json_number_value(json_object_get(rates, "seconds"));
	struct ledger_sums s = ledger_sums(rates ? only_port(rates) : port);
	const char *name = value_text(port, "name"), *lan = value_text(port, "lan");

	if (rates) { /* frames, not frames a second */
		struct ledger_cell *c = &s.in;
		for (size_t i = 0; i < sizeof(s) / sizeof(*c); i++)
			c[i] = (struct ledger_cell){(double)(long long)(c[i].frames * seconds + 0.5),
				(double)(long long)(c[i].octets * seconds + 0.5)};
	}
	fprintf(out, "port %s, LAN %s, ", name ? name : "?", lan ? lan : "?");
	if (rates)
		fprintf(out, "in %.1f s:\n", seconds);
	else
		fputs("all its life:\n", out);
	identity(&p,
		s.in.frames == s.answered.frames + s.dropped.frames + s.policed.frames +
				       s.forwarded.frames + s.flooded.frames + s.would.frames,
		"received %.0f = answered %.0f + dropped %.0f + policed %.0f + forwarded %.0f + "
		"flooded %.0f + dry run %.0f",
		s.in.frames, s.answered.frames, s.dropped.frames, s.policed.frames,
		s.forwarded.frames, s.flooded.frames, s.would.frames);
	identity(&p, meet(span_of(begin, end, made), span_of(begin, end, answers)),
		"answers made %.0f = answers that left %.0f", s.answered.frames, s.answers.frames);
	fprintf(out, "left: %.0f = unicast for its MACs %.0f + answers %.0f + probes %.0f + BUM %.0f; refused there %.0f",
		s.out.frames, s.delivered.frames - s.bum.frames, s.answers.frames, s.probes.frames,
		s.bum.frames, s.refused.frames);
	verdict(&p, s.bum.frames == 0, "silent", "BUM LEFT");
	if (begin.first && json_object_get(port, "interface"))
		witness(&p, begin, end);
	left_by_class(&p, port);
	books(&p, end.first, lan);
	json_decref(rates);
	return p.holds;
}
