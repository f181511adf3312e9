/* `quell show alarms`: what the daemons had to complain about in the LANs, the latest first. Of quelld's the PE is the next hop
 * of a route; of quell-agent's there is a port, and the rule that was broken. */
#include "cli/show.h"

#include "cli/value.h"

static void what(struct table *t, const json_t *a)
{
	const char *text = value_text(a, "what"), *cls = value_text(a, "class");
	char buf[160];

	snprintf(buf, sizeof(buf), "%s%s%s%s", text ? text : "", cls ? ": " : "", cls ? cls : "",
		value_true(a, "would") ? " (let go)" : "");
	table_cell(t, buf);
}

void show_alarms(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"TIME", false}, {"COUNT", true},
		{"LAN", false}, {"PORT", false}, {"MAC", false}, {"ADDRESS", false}, {"PE", false},
		{"RULE", false}, {"WHAT", false}};
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *a;
	size_t i;

	json_array_foreach(json_object_get(answer, "alarms"), i, a)
	{
		value_cell_at(t, a, "time");
		value_cell_at(t, a, "count");
		value_cell_at(t, a, "lan");
		value_cell_at(t, a, "port");
		value_cell_at(t, a, "mac");
		value_cell_at(t, a, "ip");
		value_cell_at(t, a, "vtep");
		value_cell_at(t, a, "rule");
		what(t, a);
	}
	table_print(t, out, o->colour, "no alarms");
	table_free(t);
}
