/* `quell show alarms`: what quelld had to complain about in the LANs, the latest first. */
#include "cli/show.h"

#include "cli/value.h"

void show_alarms(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"TIME", false}, {"COUNT", true},
		{"LAN", false}, {"MAC", false}, {"ADDRESS", false}, {"PE", false}, {"WHAT", false}};
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *a;
	size_t i;

	json_array_foreach(json_object_get(answer, "alarms"), i, a)
	{
		value_cell_at(t, a, "time");
		value_cell_at(t, a, "count");
		value_cell_at(t, a, "lan");
		value_cell_at(t, a, "mac");
		value_cell_at(t, a, "ip");
		value_cell_at(t, a, "vtep");
		value_cell_at(t, a, "what");
	}
	table_print(t, out, o->colour, "no alarms");
	table_free(t);
}
