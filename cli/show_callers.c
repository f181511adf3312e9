/* `quell show callers`: who asks for, or sends to, what nobody answers for. */
#include "cli/show.h"

#include <string.h>

#include "cli/value.h"

void show_callers(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"LAN", false}, {"TARGET", false},
		{"IS", false}, {"CALLER", false}, {"PORT", false}, {"MAC", false}, {"ARP", true},
		{"NS", true}, {"BGP", true}, {"DATA", true}, {"SINCE", true}, {"LAST", true}};
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *c;
	size_t i;

	json_array_foreach(json_object_get(answer, "callers"), i, c)
	{
		const char *target = value_text(c, "target"), *what = value_text(c, "what");
		const char *member = value_text(c, "target_member");
		char is[192];
		value_cell_at(t, c, "lan");
		table_cell(t, target ? target : "beyond the LAN");
		snprintf(is, sizeof(is), "%.16s%s%.160s", what ? what : "?", member ? ": " : "",
			member ? member : "");
		table_cell(t, target ? is : "by way of the sponge");
		table_paint(t, member ? WARN : PLAIN);
		value_cell_at(t, c, "member");
		value_cell_at(t, c, "port");
		value_cell_at(t, c, "mac");
		value_cell_at(t, c, "arp");
		value_cell_at(t, c, "ns");
		value_cell_at(t, c, "bgp");
		value_cell_at(t, c, "data");
		value_cell_age(t, c, "first_s");
		value_cell_age(t, c, "last_s");
	}
	table_print(t, out, o->colour, "nobody calls in vain");
	table_free(t);
}
