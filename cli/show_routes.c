/* `quell show routes`: a line a path, the best of each route marked with "*", one kept over a
 * restart with "S". */
#include "cli/show.h"

#include "cli/value.h"

void show_routes(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"", false}, {"ROUTE", false},
		{"NEXT HOP", false}, {"FROM", false}, {"SINCE", true}, {"COMMUNITIES", false}};
	const json_t *list = json_object_get(answer, "routes"), *r;
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	char mark[3], route[160];
	size_t i;

	json_array_foreach(list, i, r)
	{
		snprintf(mark, sizeof(mark), "%s%s", value_true(r, "best") ? "*" : " ",
			value_true(r, "stale") ? "S" : "");
		table_cell(t, mark);
		if (value_text(r, "text")) {
			table_cell(t, value_text(r, "text"));
		} else {
			const char *mac = value_text(r, "mac"), *ip = value_text(r, "ip");
			snprintf(route, sizeof(route), "%s [%lld] %s %s", value_text(r, "rd") ?: "",
				value_number(r, "type"), mac ? mac : "", ip ? ip : "");
			table_cell(t, route);
		}
		if (value_true(r, "stale"))
			table_paint(t, WARN);
		else if (!value_true(r, "best"))
			table_paint(t, DIM);
		value_cell_at(t, r, "next_hop");
		value_cell_at(t, r, "from");
		value_cell_age(t, r, "since_s");
		value_cell_at(t, r, "communities");
	}
	table_print(t, out, o->colour, "no routes");
	table_free(t);
	if (value_true(answer, "truncated"))
		fprintf(out, "%zu of %lld; narrow it with --lan, --mac, --ip or --type\n",
			json_array_size(list), value_number(answer, "matched"));
}
