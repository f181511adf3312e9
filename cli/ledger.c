#include "cli/ledger.h"

#include <string.h>

#include "cli/value.h"
#include "lib/openmetrics.h"
#include "proxyarp/verdict.h"

bool ledger_class_is_unicast(const char *cls)
{
	static const char *const unicast[] = {
		"arp-unicast", "arp-reply", "ns-unicast", "na", "ipv4", "ipv6"};

	for (size_t i = 0; i < sizeof(unicast) / sizeof(unicast[0]); i++)
		if (strcmp(cls, unicast[i]) == 0)
			return true;
	return false;
}

static struct ledger_cell cell_of(const json_t *cell)
{
	return (struct ledger_cell){json_number_value(json_array_get(cell, 0)),
		json_number_value(json_array_get(cell, 1))};
}

static void each_outcome(const char *cls, json_t *outcomes,
	void (*fn)(void *arg, const char *cls, const char *outcome, struct ledger_cell c), void *arg)
{
	const char *outcome;
	const json_t *cell;

	json_object_foreach(outcomes, outcome, cell) fn(arg, cls, outcome, cell_of(cell));
}

void ledger_cells(const json_t *classes,
	void (*fn)(void *arg, const char *cls, const char *outcome, struct ledger_cell c), void *arg)
{
	const char *cls;
	json_t *outcomes;

	for (int c = 0; c < CLASS_COUNT; c++) {
		const char *name = class_name((enum frame_class)c);
		each_outcome(name, json_object_get(classes, name), fn, arg);
	}
	/* A newer daemon's. */
	json_object_foreach((json_t *)classes, cls, outcomes) if (class_find(cls) < 0)
		each_outcome(cls, outcomes, fn, arg);
}

/* --- sums --- */

static void add(struct ledger_cell *to, struct ledger_cell c)
{
	to->frames += c.frames;
	to->octets += c.octets;
}

static char kind_of(const char *outcome)
{
	int o = outcome_find(outcome);

	return o < 0 ? 'D' : outcome_kind((enum frame_outcome)o);
}

static void add_in(void *arg, const char *cls, const char *outcome, struct ledger_cell c)
{
	struct ledger_sums *s = arg;
	char kind = kind_of(outcome);

	(void)cls;
	add(&s->in, c);
	if (strcmp(outcome, "sponged") == 0)
		add(&s->sponged, c);
	if (kind == 'A')
		add(&s->answered, c);
	else if (kind == 'P')
		add(&s->policed, c);
	else if (kind == 'D')
		add(&s->dropped, c);
	else if (strcmp(outcome, "flooded") == 0)
		add(&s->flooded, c);
	else if (strcmp(outcome, "would") == 0)
		add(&s->would, c);
	else if (kind == 'F')
		add(&s->forwarded, c);
}

static void add_out(void *arg, const char *cls, const char *outcome, struct ledger_cell c)
{
	struct ledger_sums *s = arg;
	bool gone = kind_of(outcome) == 'F';

	if (gone)
		add(&s->out, c);
	if (strcmp(outcome, "answer") == 0)
		add(&s->answers, c);
	else if (strcmp(outcome, "probe") == 0)
		add(&s->probes, c);
	else if (!gone)
		add(&s->refused, c);
	else
		add(&s->delivered, c);
	if (gone && strcmp(outcome, "answer") != 0 && strcmp(outcome, "probe") != 0 &&
		!ledger_class_is_unicast(cls))
		add(&s->bum, c);
}

struct ledger_sums ledger_sums(const json_t *port)
{
	struct ledger_sums s = {0};

	ledger_cells(json_object_get(port, "in"), add_in, &s);
	ledger_cells(json_object_get(port, "out"), add_out, &s);
	return s;
}

/* --- rates --- */

static const json_t *port_of(const json_t *answer, const char *lan, const char *name)
{
	const json_t *p;
	size_t i;

	json_array_foreach(json_object_get(answer, "ports"), i, p)
	{
		const char *l = value_text(p, "lan"), *n = value_text(p, "name");
		if (n && strcmp(n, name) == 0 && (!lan || !l || strcmp(l, lan) == 0))
			return p;
	}
	return NULL;
}

struct since {
	const json_t *before; /* classes */
	json_t *ret;
	double divide;
};

static void cell_since(void *arg, const char *cls, const char *outcome, struct ledger_cell c)
{
	struct since *s = arg;
	struct ledger_cell was =
		cell_of(json_object_get(json_object_get(s->before, cls), outcome));
	json_t *outcomes = json_object_get(s->ret, cls);

	if (c.frames < was.frames || c.octets < was.octets)
		was = (struct ledger_cell){0, 0};
	if (c.frames <= was.frames)
		return;
	if (!outcomes) {
		outcomes = json_object();
		json_object_set_new(s->ret, cls, outcomes);
	}
	json_object_set_new(outcomes, outcome,
		json_pack("[f, f]", (c.frames - was.frames) / s->divide,
			(c.octets - was.octets) / s->divide));
}

static json_t *classes_since(const json_t *before, const json_t *after, double divide)
{
	struct since s = {before, json_object(), divide};

	ledger_cells(after, cell_since, &s);
	return s.ret;
}

static json_t *port_since(const json_t *was, const json_t *is, double divide)
{
	static const char *const keep[] = {"name", "lan", "kind"};
	json_t *o = json_object();

	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
		if (json_object_get(is, keep[i]))
			json_object_set(o, keep[i], json_object_get(is, keep[i]));
	for (int d = 0; d < 2; d++) {
		const char *dir = d ? "out" : "in";
		json_object_set_new(o, dir,
			classes_since(json_object_get(was, dir), json_object_get(is, dir), divide));
	}
	return o;
}

json_t *ledger_rates(const json_t *before, const json_t *after)
{
	double ms = (double)(value_number(after, "time_ms") - value_number(before, "time_ms"));
	json_t *rows = json_array();
	const json_t *p;
	size_t i;

	if (ms <= 0) {
		json_decref(rows);
		return NULL;
	}
	json_array_foreach(json_object_get(after, "ports"), i, p)
	{
		const char *name = value_text(p, "name");
		if (name)
			json_array_append_new(rows,
				port_since(port_of(before, value_text(p, "lan"), name), p,
					ms / 1000));
	}
	return json_pack("{s:o, s:f}", "ports", rows, "seconds", ms / 1000);
}

/* --- metrics --- */

/* The same names as the agent's own /metrics: daemon/metrics_ports.c. */
static const struct openmetrics_family ledger_families[] = {
	{"quell_ledger_frames", METRIC_COUNTER, NULL,
		"Frames at a port, by class and what became of them."},
	{"quell_ledger_bytes", METRIC_COUNTER, "bytes", "Octets of these frames, without FCS."},
	{"quell_ledger_would_frames", METRIC_COUNTER, NULL,
		"Frames that went on in dry run, by what would have become of them."},
};
static const struct openmetrics_family ledger_balanced = {
	"quell_ledger_balanced", METRIC_GAUGE, NULL, "1 if the books of a LAN balance."};

struct metric {
	struct openmetrics *m;
	const char *lan, *port, *dir;
	bool octets;
};

static void label(struct openmetrics *m, const char *name, const char *value)
{
	openmetrics_label(m, name, value ? value : "");
}

static void sample(void *arg, const char *cls, const char *outcome, struct ledger_cell c)
{
	const struct metric *f = arg;

	openmetrics_sample(f->m);
	label(f->m, "lan", f->lan);
	label(f->m, "port", f->port);
	label(f->m, "direction", f->dir);
	label(f->m, "class", cls);
	label(f->m, "outcome", outcome);
	openmetrics_value(f->m, (uint64_t)(f->octets ? c.octets : c.frames));
}

static void family(const json_t *answer, struct openmetrics *m, size_t which)
{
	struct metric f = {.m = m, .octets = which == 1};
	const json_t *p;
	size_t i;

	openmetrics_family(m, &ledger_families[which]);
	json_array_foreach(json_object_get(answer, "ports"), i, p)
	{
		const json_t *from = which == 2 ? json_object_get(p, "would") : p;
		f.lan = value_text(p, "lan");
		f.port = value_text(p, "name");
		f.dir = "in";
		ledger_cells(json_object_get(from, f.dir), sample, &f);
		f.dir = "out";
		ledger_cells(json_object_get(from, f.dir), sample, &f);
	}
}

void ledger_metrics(const json_t *answer, FILE *out)
{
	struct textbuf text = {0};
	struct openmetrics m = {.out = &text};
	const json_t *b;
	size_t i;

	for (size_t f = 0; f < sizeof(ledger_families) / sizeof(ledger_families[0]); f++)
		family(answer, &m, f);
	openmetrics_family(&m, &ledger_balanced);
	json_array_foreach(json_object_get(answer, "balance"), i, b)
	{
		openmetrics_sample(&m);
		label(&m, "lan", value_text(b, "lan"));
		openmetrics_value(&m, value_true(b, "balanced"));
	}
	openmetrics_end(&m);
	fwrite(text.p, 1, text.len, out);
	textbuf_free(&text);
}
