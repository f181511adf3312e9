/* `quell show bindings` and `quell show macs`: the agent's books of who has which address, as it is
 * answered for, and of where each MAC is. */
#include "cli/show.h"

#include <string.h>

#include "cli/value.h"

/* A port of ours by its name. */
static void where(struct table *t, const json_t *e)
{
	const char *port = value_text(e, "port");

	if (port)
		table_cell(t, port);
	else
		value_cell_at(t, e, "where");
}

static void state(struct table *t, const json_t *e)
{
	const char *text = value_text(e, "state");

	value_cell_at(t, e, "state");
	table_paint(t, text && strcmp(text, "active") != 0 ? WARN : PLAIN);
}

void show_bindings(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"LAN", false}, {"ADDRESS", false},
		{"MAC", false}, {"WHERE", false}, {"SOURCE", false}, {"STATE", false},
		{"FLAGS", false}, {"AGE", true}};
	static const char *const flags[] = {"announced", NULL};
	const json_t *b;
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	size_t i;

	json_array_foreach(json_object_get(answer, "bindings"), i, b)
	{
		value_cell_at(t, b, "lan");
		value_cell_at(t, b, "ip");
		value_cell_at(t, b, "mac");
		where(t, b);
		value_cell_at(t, b, "source");
		state(t, b);
		value_cell_flags(t, b, flags);
		value_cell_age(t, b, "age_s");
	}
	table_print(t, out, o->colour, "no bindings");
	table_free(t);
}

void show_macs(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"LAN", false}, {"MAC", false},
		{"WHERE", false}, {"SOURCE", false}, {"STATE", false}, {"FLAGS", false},
		{"AGE", true}};
	static const char *const flags[] = {"announced", NULL};
	const json_t *m;
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	size_t i;

	json_array_foreach(json_object_get(answer, "macs"), i, m)
	{
		value_cell_at(t, m, "lan");
		value_cell_at(t, m, "mac");
		where(t, m);
		value_cell_at(t, m, "source");
		state(t, m);
		value_cell_flags(t, m, flags);
		value_cell_age(t, m, "age_s");
	}
	table_print(t, out, o->colour, "no MACs");
	table_free(t);
}
