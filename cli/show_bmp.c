/* `quell show bmp`: a line a monitoring station. */
#include "cli/show.h"

#include <string.h>

#include "cli/value.h"

static enum table_colour state_colour(const json_t *st)
{
	const char *state = value_text(st, "state");

	return state && (strcmp(state, "up") == 0 || strcmp(state, "dump") == 0) ? GOOD : BAD;
}

void show_bmp(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"STATION", false}, {"PORT", true},
		{"NAME", false}, {"POLICY", false}, {"STATE", false}, {"SINCE", true}, {"QUEUED", true},
		{"MESSAGES", true}, {"LOST", true}, {"OVERFLOWS", true}, {"LAST ERROR", false}};
	const json_t *st;
	size_t i;

	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach(json_object_get(answer, "stations"), i, st)
	{
		value_cell_at(t, st, "address");
		value_cell_at(t, st, "port");
		value_cell_at(t, st, "name");
		value_cell_at(t, st, "policy");
		value_cell_at(t, st, "state");
		table_paint(t, state_colour(st));
		value_cell_age(t, st, "since_s");
		value_cell_at(t, st, "queued_octets");
		value_cell_at(t, st, "messages");
		value_cell_at(t, st, "losses");
		value_cell_at(t, st, "overflows");
		value_cell_at(t, st, "last_error");
	}
	table_print(t, out, o->colour, "no monitoring stations");
	table_free(t);
}
