/* `quell show lan`: a line a LAN; one LAN alone, or with --mac or --ip, with who is where in it. */
#include "cli/show.h"

#include <stdlib.h>
#include <string.h>

#include "cli/value.h"

static const char *const mac_flags[] = {"sticky", "stale", "duplicate", NULL};
static const char *const binding_flags[] = {"router", "immutable", "sticky", "stale", NULL};

static int by_address(const void *a, const void *b)
{
	const json_t *const *ja = a, *const *jb = b;
	int d = value_cmp(json_object_get(*ja, "ip"), json_object_get(*jb, "ip"));

	return d ? d : value_cmp(json_object_get(*ja, "mac"), json_object_get(*jb, "mac"));
}

static bool is(const json_t *e, const char *key, const char *text)
{
	const char *has = value_text(e, key);

	return !text || (has && strcmp(has, text) == 0);
}

static void where(struct table *t, const json_t *e)
{
	if (value_true(e, "local"))
		table_cell(t, "here");
	else
		value_cell_at(t, e, "vtep");
}

static void entries(const json_t *lan, const char *key, const struct show_options *o, FILE *out)
{
	static const struct table_column mac_columns[] = {
		{"MAC", false}, {"WHERE", false}, {"SEQ", true}, {"FLAGS", false}};
	static const struct table_column binding_columns[] = {
		{"ADDRESS", false}, {"MAC", false}, {"WHERE", false}, {"FLAGS", false}};
	const json_t *list = json_object_get(lan, key);
	bool macs = strcmp(key, "macs") == 0;
	struct table *t = table_new(macs ? mac_columns : binding_columns, 4);
	size_t count = json_array_size(list);
	json_t **sorted = calloc(count + 1, sizeof(json_t *));

	if (!sorted)
		abort();
	for (size_t i = 0; i < count; i++)
		sorted[i] = json_array_get(list, i);
	qsort(sorted, count, sizeof(json_t *), by_address);
	for (size_t i = 0; i < count; i++) {
		const json_t *e = sorted[i];
		if (!is(e, "mac", o->mac) || (!macs && !is(e, "ip", o->ip)))
			continue;
		if (!macs)
			value_cell_at(t, e, "ip");
		value_cell_at(t, e, "mac");
		where(t, e);
		table_paint(t, value_true(e, "local") ? GOOD : PLAIN);
		if (macs)
			value_cell_at(t, e, "seq");
		value_cell_flags(t, e, macs ? mac_flags : binding_flags);
		table_paint(t, value_true(e, "duplicate") ? BAD
				: value_true(e, "stale")   ? WARN
							   : PLAIN);
	}
	fputc('\n', out);
	table_print(t, out, o->colour, macs ? "no MACs" : "no bindings");
	table_free(t);
	free(sorted);
}

static void flood_list(const json_t *lan, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"FLOODED TO", false}};
	const json_t *list = json_object_get(lan, "flood"), *vtep;
	struct table *t = table_new(columns, 1);
	size_t i;

	json_array_foreach(list, i, vtep) value_cell(t, vtep);
	fputc('\n', out);
	table_print(t, out, o->colour, "flooded to nobody");
	table_free(t);
}

static void count_cell(struct table *t, const json_t *lan, const char *key)
{
	value_cell_at(t, json_object_get(lan, "counts"), key);
}

void show_lan(const json_t *answer, const struct show_options *o, FILE *out)
{
	static const struct table_column columns[] = {{"LAN", false}, {"VNI", true},
		{"VTEP", false}, {"MACS HERE", true}, {"REMOTE", true}, {"HELD", true},
		{"BINDINGS HERE", true}, {"REMOTE", true}, {"VTEPS", true}, {"MOVES", true},
		{"DUPLICATES", true}, {"REFUSED", true}, {"ALARMS", true}};
	const json_t *list = json_object_get(answer, "lans"), *lan;
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	size_t i;

	json_array_foreach(list, i, lan)
	{
		const json_t *counts = json_object_get(lan, "counts");
		value_cell_at(t, lan, "name");
		value_cell_at(t, lan, "vni");
		value_cell_at(t, lan, "vtep");
		count_cell(t, lan, "macs_local");
		count_cell(t, lan, "macs_remote");
		count_cell(t, lan, "macs_held");
		count_cell(t, lan, "bindings_local");
		count_cell(t, lan, "bindings_remote");
		count_cell(t, lan, "vteps");
		count_cell(t, lan, "moves");
		count_cell(t, lan, "duplicates");
		table_paint(t, value_number(counts, "duplicates") ? BAD : PLAIN);
		long long refused =
			value_number(counts, "refused_full") + value_number(counts, "not_imported");
		table_cell_number(t, refused);
		table_paint(t, refused ? WARN : PLAIN);
		count_cell(t, lan, "alarms");
		table_paint(t, value_number(counts, "alarms") ? WARN : PLAIN);
	}
	table_print(t, out, o->colour, o->lan ? "no such LAN" : "no LANs");
	table_free(t);
	if (!o->lan && !o->mac && !o->ip)
		return;
	json_array_foreach(list, i, lan)
	{
		if (!o->ip)
			entries(lan, "macs", o, out);
		entries(lan, "bindings", o, out);
		if (!o->mac && !o->ip)
			flood_list(lan, o, out);
	}
}
