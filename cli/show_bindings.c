/* `quell show bindings`: the agent's table of who has which address, as it is answered for. */
#include "cli/show.h"

#include "cli/value.h"

void show_bindings(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"LAN", false}, {"ADDRESS", false},
		{"MAC", false}, {"WHERE", false}, {"SOURCE", false}, {"STATE", false},
		{"FLAGS", false}, {"AGE", true}};
	static const char *const flags[] = {
		"router", "override", "immutable", "sticky", "stale", "silent", NULL};
	const json_t *b;
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	size_t i;

	json_array_foreach(json_object_get(answer, "bindings"), i, b)
	{
		value_cell_at(t, b, "lan");
		value_cell_at(t, b, "ip");
		value_cell_at(t, b, "mac");
		value_cell_at(t, b, "where");
		value_cell_at(t, b, "source");
		value_cell_at(t, b, "state");
		value_cell_flags(t, b, flags);
		value_cell_age(t, b, "age_s");
	}
	table_print(t, out, o->colour, "no bindings");
	table_free(t);
}
