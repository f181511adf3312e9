/* `quell show ports`: the ports that the agent looks after, and whose they are. */
#include "cli/show.h"

#include <string.h>

#include "cli/value.h"

/* A port that is up and has no program of ours on it is not looked after. */
static void state(struct table *t, const json_t *port)
{
	const char *text = value_text(port, "state");

	if (json_is_false(json_object_get(port, "attached"))) {
		table_cell(t, "detached");
		table_paint(t, BAD);
		return;
	}
	value_cell_at(t, port, "state");
	table_paint(t, text && strcmp(text, "up") == 0 ? GOOD : text ? WARN : PLAIN);
}

/* Those that do something else than drop. */
static void rules(struct table *t, const json_t *port)
{
	char text[512] = "";
	const char *rule;
	json_t *action;

	json_object_foreach(json_object_get(port, "rules"), rule, action)
	{
		size_t len = strlen(text);
		if (json_is_string(action))
			snprintf(text + len, sizeof(text) - len, "%s%s %s", len ? ", " : "", rule,
				json_string_value(action));
	}
	table_cell(t, text);
}

void show_ports(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"PORT", false}, {"LAN", false},
		{"KIND", false}, {"STATE", false}, {"MEMBER", false}, {"MACS", false},
		{"PLANE", false}, {"FLAGS", false}, {"QUARANTINE", false}, {"RULES", false}};
	static const char *const flags[] = {"closed", "quarantine", NULL};
	const json_t *p;
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	size_t i;

	json_array_foreach(json_object_get(answer, "ports"), i, p)
	{
		value_cell_at(t, p, "name");
		value_cell_at(t, p, "lan");
		value_cell_at(t, p, "kind");
		state(t, p);
		value_cell_at(t, p, "member");
		value_cell_at(t, p, "macs");
		value_cell_at(t, p, "plane");
		value_cell_flags(t, p, flags);
		value_cell_at(t, p, "quarantine");
		rules(t, p);
	}
	table_print(t, out, o->colour, "no ports");
	table_free(t);
}
