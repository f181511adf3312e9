/* `quell show neighbors`: a line a session; one neighbour alone with everything about it. */
#include "cli/show.h"

#include <string.h>

#include "cli/value.h"

static enum table_colour state_colour(const json_t *n)
{
	const char *state = value_text(n, "state");

	if (state && strcmp(state, "Established") == 0)
		return GOOD;
	return value_true(n, "shutdown") ? DIM : BAD;
}

void show_neighbors(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"NEIGHBOR", false}, {"NAME", false},
		{"AS", true}, {"STATE", false}, {"SINCE", true}, {"ROUTES IN", true},
		{"REFUSED", true}, {"OUT", true},
		{"QUEUED", true}, {"FLAPS", true}, {"LAST ERROR", false}};
	const json_t *list = json_object_get(answer, "neighbors"), *n;
	size_t i;

	if (o->neighbor && json_array_size(list) == 1) {
		value_print_fields(json_array_get(list, 0), o->colour, out);
		return;
	}
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach(list, i, n)
	{
		value_cell_at(t, n, "address");
		value_cell_at(t, n, "name");
		value_cell_at(t, n, "remote_as");
		table_cell(t, value_true(n, "shutdown") ? "shutdown" : value_text(n, "state"));
		table_paint(t, state_colour(n));
		value_cell_age(t, n, "since_s");
		value_cell_at(t, n, "routes_in");
		value_cell_at(t, n, "routes_refused");
		if (value_number(n, "routes_refused") > 0)
			table_paint(t, WARN);
		value_cell_at(t, n, "routes_out");
		value_cell_at(t, n, "queued_octets");
		value_cell_at(t, n, "flaps");
		value_cell_at(t, n, "last_error");
	}
	table_print(t, out, o->colour, o->neighbor ? "no such neighbor" : "no neighbors");
	table_free(t);
}
