/* `quell show sponge`: the addresses that nobody has and that the agent answers for, or is about to. */
#include "cli/show.h"

#include <string.h>

#include "cli/value.h"

/* What the sponge of a LAN is doing, in a line; its MAC is what members recognise it by. */
static void lan_line(const json_t *lan, const struct show_options *o, FILE *out)
{
	const char *name = value_text(lan, "name"), *mac = value_text(lan, "mac");
	long long learning = value_number(lan, "learning_s");

	if (o->lan && (!name || strcmp(name, o->lan) != 0))
		return;
	fprintf(out, "%s: %s", name ? name : "?", mac ? mac : "?");
	if (!value_true(lan, "on"))
		fprintf(out, ", for what the operator says only");
	else if (learning)
		fprintf(out, ", %slistening for %lld s more%s", colour_begin(WARN, o->colour),
			learning, colour_end(o->colour));
	if (value_true(lan, "paused"))
		fprintf(out, ", %spaused: quelld does not say who is behind other PEs%s",
			colour_begin(WARN, o->colour), colour_end(o->colour));
	fprintf(out,
		"; %lld sponged, %lld static, %lld pending; %lld of %lld questions were no proof\n",
		value_number(lan, "sponged"), value_number(lan, "static"),
		value_number(lan, "pending"), value_number(lan, "ignored"),
		value_number(lan, "queries"));
}

/* Who asks; of a member that is gone, who that was. */
static void askers_of(struct table *t, const json_t *e)
{
	const json_t *askers = json_object_get(e, "askers");
	const char *member = value_text(e, "member"),
		   *port = value_text(json_array_get(askers, 0), "port");
	size_t n = json_array_size(askers);
	char text[96];

	snprintf(text, sizeof(text), n > 1 ? "%.32s and %zu more" : "%.32s", port ? port : "?",
		n - 1);
	table_cell(t, member ? member : n ? text : NULL);
}

static void state(struct table *t, const json_t *e)
{
	const char *text = value_text(e, "state");
	char pending[64];
	bool answered = value_true(e, "answered");

	if (text && strcmp(text, "pending") == 0) {
		snprintf(pending, sizeof(pending), "pending %lld", value_number(e, "pending"));
		table_cell(t, pending);
	} else if (text && strcmp(text, "static") == 0 && !answered) {
		table_cell(t, "static, silent");
	} else if (value_true(e, "unassigned")) {
		table_cell(t, "unassigned");
	} else {
		table_cell(t, text);
	}
	table_paint(t, answered ? GOOD : DIM);
}

void show_sponge(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"LAN", false}, {"ADDRESS", false},
		{"STATE", false}, {"FOR", true}, {"ASKED", true}, {"TIMES", true},
		{"TRAPPED", true}, {"ASKERS", false}};
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *e;
	size_t i;

	json_array_foreach(json_object_get(answer, "lans"), i, e) lan_line(e, o, out);
	json_array_foreach(json_object_get(answer, "sponge"), i, e)
	{
		value_cell_at(t, e, "lan");
		value_cell_at(t, e, "ip");
		state(t, e);
		value_cell_age(t, e, "since_s");
		value_cell_age(t, e, "asked_s");
		value_cell_at(t, e, "queries");
		value_cell_at(t, e, "trapped");
		askers_of(t, e);
	}
	table_print(t, out, o->colour, "nothing is sponged");
	table_free(t);
}
