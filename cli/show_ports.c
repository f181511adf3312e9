/* `quell show ports`: the ports that the agent looks after, and whose they are. */
#include "cli/show.h"

#include <string.h>

#include "cli/value.h"

static void member(struct table *t, const json_t *port)
{
	const json_t *m = json_object_get(port, "member");
	char text[160];

	if (!json_is_object(m)) {
		value_cell(t, m);
		return;
	}
	snprintf(text, sizeof(text), "%s AS%lld",
		value_text(m, "name") ? value_text(m, "name") : "", value_number(m, "asn"));
	table_cell(t, text);
}

void show_ports(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"PORT", false}, {"LAN", false},
		{"KIND", false}, {"STATE", false}, {"MEMBER", false}, {"MACS", false},
		{"PLANE", false}, {"FLAGS", false}};
	static const char *const flags[] = {"closed", "quarantine", NULL};
	const json_t *p;
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	size_t i;

	json_array_foreach(json_object_get(answer, "ports"), i, p)
	{
		const char *state = value_text(p, "state");
		value_cell_at(t, p, "name");
		value_cell_at(t, p, "lan");
		value_cell_at(t, p, "kind");
		value_cell_at(t, p, "state");
		table_paint(t, state && strcmp(state, "up") == 0 ? GOOD : state ? WARN : PLAIN);
		member(t, p);
		value_cell_at(t, p, "macs");
		value_cell_at(t, p, "plane");
		value_cell_flags(t, p, flags);
	}
	table_print(t, out, o->colour, "no ports");
	table_free(t);
}
