/* The ledger as two sides. It counts at the ports of a LAN with quell at work, and has both sides of the same time: what came in of
 * classes that flood, which a plain bridge sends out of every other port, and what left. Two readings make rates. */
#include "cli/audit.h"

#include <jansson.h>
#include <string.h>

#include "cli/ledger.h"
#include "cli/value.h"
#include "proxyarp/verdict.h"

struct summing {
	struct compare_cell at[CLASS_COUNT];
	bool out;
};

static void add_cell(void *arg, const char *cls, const char *outcome, struct ledger_cell cell)
{
	struct summing *s = arg;
	int c = class_find(cls), o = outcome_find(outcome);

	if (c < 0 || !compare_class_floods(c))
		return;
	/* Out: what left and was not our own. */
	if (s->out && (o < 0 || outcome_kind(o) != 'F' || o == OUTCOME_ANSWER || o == OUTCOME_PROBE))
		return;
	s->at[c].fps += cell.frames;
	s->at[c].bps += cell.octets * 8;
}

static struct summing sum_of(const json_t *port, bool out)
{
	struct summing s = {.out = out};

	ledger_cells(json_object_get(port, out ? "out" : "in"), add_cell, &s);
	return s;
}

static void add_side(struct compare_side *side, const char *port, const struct summing *s)
{
	struct compare_cell all = {0};

	for (int c = 0; c < CLASS_COUNT; c++) {
		if (s->at[c].fps <= 0)
			continue;
		compare_side_add(side, port, c, s->at[c]);
		all.fps += s->at[c].fps;
		all.bps += s->at[c].bps;
	}
	compare_side_add(side, port, CLASS_COUNT, all);
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* A port of a LAN: neither the underlay nor what departed ports left behind. */
static bool is_of(const json_t *port, const char *lan)
{
	const char *kind = value_text(port, "kind");

	return (same(kind, "member") || same(kind, "fabric")) && (!lan || same(value_text(port, "lan"), lan));
}

/* What all others of its LAN sent in. */
static struct summing offered_to(const json_t *ports, const json_t *to, const char *lan)
{
	struct summing s = {.out = false};
	const json_t *p;
	size_t i;

	json_array_foreach(ports, i, p)
	{
		if (p == to || !is_of(p, lan) || !same(value_text(p, "lan"), value_text(to, "lan")))
			continue;
		struct summing one = sum_of(p, false);
		for (int c = 0; c < CLASS_COUNT; c++) {
			s.at[c].fps += one.at[c].fps;
			s.at[c].bps += one.at[c].bps;
		}
	}
	return s;
}

static json_t *rates_of(const struct audit_file files[2], FILE *err)
{
	json_t *reading[2] = {NULL, NULL}, *rates = NULL;

	for (int i = 0; i < 2; i++) {
		json_error_t e;
		reading[i] = strcmp(files[i].path, "-") == 0 ? json_loadf(stdin, 0, &e) : json_load_file(files[i].path, 0, &e);
		if (!reading[i])
			fprintf(err, "quell audit: %s:%d:%d: %s\n", files[i].path, e.line, e.column, e.text);
		else if (!json_is_array(json_object_get(reading[i], "ports")) ||
			 !json_is_number(json_object_get(reading[i], "time_ms"))) {
			fprintf(err, "quell audit: %s: not what quell show ledger --json says\n", files[i].path);
			json_decref(reading[i]);
			reading[i] = NULL;
		}
		if (!reading[i])
			break;
	}
	if (reading[0] && reading[1]) {
		rates = ledger_rates(reading[0], reading[1]);
		if (!rates)
			fprintf(err, "quell audit: %s: not later than %s\n", files[1].path, files[0].path);
	}
	json_decref(reading[0]);
	json_decref(reading[1]);
	return rates;
}

int audit_ledger_sides(const struct audit_file files[2], const char *lan, struct compare_side *offered,
	struct compare_side *delivered, FILE *err)
{
	json_t *rates = rates_of(files, err);
	const json_t *ports = json_object_get(rates, "ports"), *p;
	size_t i;

	if (!rates)
		return -1;
	json_array_foreach(ports, i, p)
	{
		const char *name = value_text(p, "name");
		if (!name || !is_of(p, lan) || !same(value_text(p, "kind"), "member"))
			continue;
		if (offered) {
			struct summing s = offered_to(ports, p, lan);
			add_side(offered, name, &s);
		}
		if (delivered) {
			struct summing s = sum_of(p, true);
			add_side(delivered, name, &s);
		}
	}
	json_decref(rates);
	return 0;
}
