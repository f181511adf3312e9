/* `quell show routes`: a line a path, the best of each route marked with "*", one kept over a
 * restart with "S", one that was refused with "R", one that the registry does not have with "F". With --rejected or
 * --flagged, why. */
#include "cli/show.h"

#include "cli/value.h"

static void mark(struct table *t, const json_t *r)
{
	char text[4];

	snprintf(text, sizeof(text), "%s%s%s",
		value_text(r, "refused")     ? "R"
		: value_true(r, "best") ? "*"
					     : " ",
		value_text(r, "flagged") ? "F" : "",
		value_true(r, "stale") ? "S" : "");
	table_cell(t, text);
}

/* With the path identifier that it came with (RFC 7911), if any. */
static void route(struct table *t, const json_t *r)
{
	const char *text = value_text(r, "text"), *mac = value_text(r, "mac"),
		   *ip = value_text(r, "ip");
	char cell[700], id[24] = "";

	if (value_number(r, "path_id") > 0)
		snprintf(id, sizeof(id), " id %lld", value_number(r, "path_id"));
	if (text)
		snprintf(cell, sizeof(cell), "%s%s", text, id);
	else
		snprintf(cell, sizeof(cell), "%s [%lld] %s %s%s", value_text(r, "rd") ?: "",
			value_number(r, "type"), mac ? mac : "", ip ? ip : "", id);
	table_cell(t, cell);
}

void show_routes(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"", false}, {"ROUTE", false},
		{"NEXT HOP", false}, {"FROM", false}, {"SINCE", true}, {"COMMUNITIES", false}},
					 rejected[] = {{"REFUSED", false}, {"ROUTE", false},
						 {"NEXT HOP", false}, {"FROM", false},
						 {"SINCE", true}, {"COMMUNITIES", false}},
					 flagged[] = {{"FLAGGED", false}, {"ROUTE", false},
						 {"NEXT HOP", false}, {"FROM", false},
						 {"SINCE", true}, {"COMMUNITIES", false}};
	const json_t *list = json_object_get(answer, "routes"), *r;
	struct table *t = table_new(
		o->rejected ? rejected : o->flagged ? flagged : columns, sizeof(columns) / sizeof(columns[0]));
	size_t i;

	json_array_foreach(list, i, r)
	{
		if (o->rejected)
			value_cell_at(t, r, "refused");
		else if (o->flagged)
			value_cell_at(t, r, "flagged");
		else
			mark(t, r);
		route(t, r);
		if (value_true(r, "stale"))
			table_paint(t, WARN);
		else if (!value_true(r, "best"))
			table_paint(t, DIM);
		value_cell_at(t, r, "next_hop");
		value_cell_at(t, r, "from");
		value_cell_age(t, r, "since_s");
		value_cell_at(t, r, "communities");
	}
	table_print(t, out, o->colour, o->rejected ? "no routes were refused" : o->flagged ? "no routes are flagged" : "no routes");
	table_free(t);
	if (value_true(answer, "truncated"))
		fprintf(out, "%zu of %lld; narrow it with --lan, --mac, --ip or --type\n",
			json_array_size(list), value_number(answer, "matched"));
}
