/* `quell show`: a row a noun. What an option narrows is done here and not by the daemons, so that
 * it is the same for all nouns; only the routes, of which there can be a million, are narrowed
 * where they are. */
#include "cli/show.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/ledger.h"
#include "cli/value.h"
#include "lib/ip.h"
#include "lib/mac.h"

enum option { LAN, MAC, IP, PORT, NEIGHBOR, CLASS, TYPE, REJECTED, FLAGGED, METRICS, PROVE, ALL, OPTIONS };

static const char *const option_names[OPTIONS] = {
	"--lan", "--mac", "--ip", "--port", "--neighbor", "--class", "--type",
	"--rejected", "--flagged", "--metrics", "--prove", "--all"};

struct noun {
	const char *name;
	enum control_daemon daemon;
	const char *list; /* of the answer; NULL: the answer is one object */
	/* For each option the key of the list's entries that it is compared with; NULL: not for
	 * this noun; "": render() sees to it. */
	const char *keys[OPTIONS];
	enum option
		word; /* what a word behind the noun is short for; MAC: that, or IP if it has it */
	const char *sort[3];
	void (*render)(const json_t *answer, const struct show_options *o, FILE *out);
};

static const struct noun nouns[] = {
	{"status", CONTROL_QUELLD, NULL, {NULL}, OPTIONS, {NULL}, show_status},
	{"neighbors", CONTROL_QUELLD, "neighbors", {[NEIGHBOR] = "address"}, NEIGHBOR, {"address"},
		show_neighbors},
	{"routes", CONTROL_QUELLD, "routes",
		{[LAN] = "", [MAC] = "mac", [IP] = "ip", [TYPE] = "type", [NEIGHBOR] = "from",
			[REJECTED] = "", [FLAGGED] = ""},
		MAC,
		{"type", "ip", "text"}, show_routes},
	{"lan", CONTROL_QUELLD, "lans", {[LAN] = "name", [MAC] = "", [IP] = ""}, LAN, {"name"},
		show_lan},
	{"alarms", CONTROL_QUELLD, "alarms", {[LAN] = "lan", [MAC] = "mac", [IP] = "ip", [PORT] = "port"},
		MAC, {"age_s"}, show_alarms},
	{"bmp", CONTROL_QUELLD, "stations", {NULL}, OPTIONS, {"address", "port"}, show_bmp},
	{"bindings", CONTROL_AGENT, "bindings",
		{[LAN] = "lan", [MAC] = "mac", [IP] = "ip", [PORT] = "port"}, MAC,
		{"lan", "ip", "mac"}, show_bindings},
	{"macs", CONTROL_AGENT, "macs", {[LAN] = "lan", [MAC] = "mac", [PORT] = "port"}, MAC,
		{"lan", "mac"}, show_macs},
	{"ports", CONTROL_AGENT, "ports", {[LAN] = "lan", [PORT] = "name"}, PORT, {"lan", "name"},
		show_ports},
	{"ledger", CONTROL_AGENT, "ports", {[LAN] = "lan", [PORT] = "name", [CLASS] = "", [METRICS] = "", [PROVE] = ""}, PORT,
		{"lan", "name"}, show_ledger},
	{"sponge", CONTROL_AGENT, "sponge", {[LAN] = "lan", [IP] = "ip", [ALL] = ""}, MAC, {"lan", "ip"},
		show_sponge},
	{"callers", CONTROL_AGENT, "callers",
		{[LAN] = "lan", [MAC] = "mac", [IP] = "target", [PORT] = "port", [ALL] = ""}, MAC,
		{"lan", "target", "last_s"}, show_callers},
};

static const struct noun *find(const char *name)
{
	for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
		if (strcmp(nouns[i].name, name) == 0)
			return &nouns[i];
	return NULL;
}

bool show_knows(const char *noun)
{
	return find(noun) != NULL;
}

static const char *option_text(const struct show_options *o, enum option which)
{
	switch (which) {
	case LAN:
		return o->lan;
	case MAC:
		return o->mac;
	case IP:
		return o->ip;
	case PORT:
		return o->port;
	case NEIGHBOR:
		return o->neighbor;
	case CLASS:
		return o->cls;
	case PROVE:
		return o->prove;
	default:
		return NULL;
	}
}

static bool is_given(const struct show_options *o, enum option which)
{
	if (which == TYPE)
		return o->type != 0;
	if (which == METRICS)
		return o->metrics;
	if (which == FLAGGED)
		return o->flagged;
	if (which == ALL)
		return o->all;
	return which == REJECTED ? o->rejected : option_text(o, which) != NULL;
}

const char *show_misfit(const char *noun, const struct show_options *o)
{
	const struct noun *n = find(noun);

	for (enum option i = 0; i < OPTIONS; i++)
		if (!n->keys[i] && is_given(o, i))
			return option_names[i];
	return NULL;
}

bool show_take_word(const char *noun, const char *word, struct show_options *o, char buf[64])
{
	const struct noun *n = find(noun);
	struct mac mac;
	struct ip ip;

	if (strlen(word) >= 64)
		return false;
	switch (n->word) {
	case MAC:
		if (mac_parse(word, &mac) == 0)
			o->mac = mac_format(mac, buf);
		else if (n->keys[IP] && ip_parse(word, &ip) == 0)
			o->ip = ip_format(ip, buf);
		else
			return false;
		return true;
	case NEIGHBOR:
		if (ip_parse(word, &ip) < 0)
			return false;
		o->neighbor = ip_format(ip, buf);
		return true;
	case LAN:
		o->lan = strcpy(buf, word);
		return true;
	case PORT:
		o->port = strcpy(buf, word);
		return true;
	default:
		return false;
	}
}

/* --- narrow and sort --- */

static bool wanted(const struct noun *n, const json_t *entry, const struct show_options *o)
{
	for (enum option i = 0; i < OPTIONS; i++) {
		const char *text = option_text(o, i), *has;
		if (!n->keys[i] || !n->keys[i][0])
			continue;
		if (i == TYPE && o->type && value_number(entry, n->keys[i]) != o->type)
			return false;
		has = value_text(entry, n->keys[i]);
		if (!has && i == LAN) /* an agent with one LAN need not name it */
			continue;
		if (text && (!has || strcmp(has, text) != 0))
			return false;
	}
	return true;
}

static const struct noun *sorting;

static int entry_cmp(const void *a, const void *b)
{
	const json_t *const *ja = a, *const *jb = b;

	for (size_t i = 0; i < 3 && sorting->sort[i]; i++) {
		int d = value_cmp(json_object_get(*ja, sorting->sort[i]),
			json_object_get(*jb, sorting->sort[i]));
		if (d)
			return d;
	}
	return 0;
}

void show_narrow(const char *noun, json_t *answer, const struct show_options *o)
{
	const struct noun *n = find(noun);
	json_t *list = n->list ? json_object_get(answer, n->list) : NULL;
	size_t count = json_array_size(list), kept = 0;

	if (!count)
		return;
	json_t **entries = calloc(count, sizeof(json_t *)), *sorted = json_array();
	if (!entries || !sorted)
		abort();
	for (size_t i = 0; i < count; i++)
		if (wanted(n, json_array_get(list, i), o))
			entries[kept++] = json_array_get(list, i);
	sorting = n;
	if (n->sort[0])
		qsort(entries, kept, sizeof(json_t *), entry_cmp);
	for (size_t i = 0; i < kept; i++)
		json_array_append(sorted, entries[i]);
	json_object_set_new(answer, n->list, sorted);
	free(entries);
}

void show_render(const char *noun, const json_t *answer, const struct show_options *o, FILE *out)
{
	find(noun)->render(answer, o, out);
}

/* The one thing that was asked for by its name, if it is not there; NULL: nothing was, or it is. */
static const char *missing(const struct noun *n, const json_t *answer, const struct show_options *o)
{
	bool named = n->word == NEIGHBOR || n->word == LAN || n->word == PORT;

	if (!named || json_array_size(json_object_get(answer, n->list)))
		return NULL;
	return option_text(o, n->word);
}

/* --- ask and print --- */

static json_t *request_of(const struct noun *n, const struct show_options *o)
{
	json_t *q = json_pack("{s:s}", "show", n->name);

	if (strcmp(n->name, "routes") == 0) {
		if (o->lan)
			json_object_set_new(q, "lan", json_string(o->lan));
		if (o->mac)
			json_object_set_new(q, "mac", json_string(o->mac));
		if (o->ip)
			json_object_set_new(q, "ip", json_string(o->ip));
		if (o->type)
			json_object_set_new(q, "type", json_integer(o->type));
		if (o->rejected)
			json_object_set_new(q, "rejected", json_true());
		if (o->flagged)
			json_object_set_new(q, "flagged", json_true());
	}
	if (o->all)
		json_object_set_new(q, "all", json_true());
	if (strcmp(n->name, "ledger") == 0 && o->port)
		json_object_set_new(q, "port", json_string(o->port));
	return q;
}

static void print_json(const json_t *v, FILE *out)
{
	json_dumpf(v, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	fputc('\n', out);
}

/* Both daemons run on a PE, one of them on a route server: what is there is shown. Told if neither is. */
static json_t *ask_both(const struct noun *n, const struct show_options *o)
{
	char errors[2][CONTROL_ERROR_MAX];
	json_t *all = json_array(), *q = request_of(n, o);
	int failed = 0;

	for (int i = 0; i < 2; i++) {
		enum control_daemon d = i == 0 ? CONTROL_QUELLD : CONTROL_AGENT;
		json_t *answer = NULL;
		if (control_ask(d, o->dir, q, &answer, errors[i]) == 0)
			json_array_append_new(all, answer);
		else
			failed |= 1 << i;
	}
	json_decref(q);
	for (int i = 0; i < 2 && failed == 3; i++)
		fprintf(stderr, "quell: %s\n", errors[i]);
	if (failed != 3)
		return all;
	json_decref(all);
	return NULL;
}

/* One list of what both have. */
static json_t *ask_merged(const struct noun *n, const struct show_options *o)
{
	json_t *all = ask_both(n, o), *list = json_array();
	json_int_t total = 0;
	const json_t *answer;
	size_t i;

	json_array_foreach(all, i, answer)
	{
		total += value_number(answer, "total");
		json_array_extend(list, json_object_get(answer, n->list));
	}
	json_t *merged = all ? json_pack("{s:I, s:o}", "total", total, n->list, list) : NULL;
	if (!all)
		json_decref(list);
	json_decref(all);
	return merged;
}

static int show_both(const struct noun *n, const struct show_options *o, FILE *out)
{
	json_t *all = ask_both(n, o);

	if (!all)
		return 1;
	json_t *answer = json_pack("{s:o}", "programs", all);
	if (o->json)
		print_json(answer, out);
	else
		n->render(answer, o, out);
	json_decref(answer);
	return 0;
}

/* NULL, told. */
static json_t *ask_one(const struct noun *n, const struct show_options *o)
{
	json_t *q = request_of(n, o), *answer = NULL;
	char error[CONTROL_ERROR_MAX];

	if (control_ask(n->daemon, o->dir, q, &answer, error) < 0)
		fprintf(stderr, "quell: %s\n", error);
	json_decref(q);
	return answer;
}

static json_t *ask_port(const struct show_options *o)
{
	json_t *q = json_pack("{s:s, s:s}", "show", "ledger", "port", o->prove), *answer = NULL;
	char error[CONTROL_ERROR_MAX];

	if (control_ask(CONTROL_AGENT, o->dir, q, &answer, error) < 0)
		fprintf(stderr, "quell: %s\n", error);
	json_decref(q);
	return answer;
}

/* 0 if it holds. */
static int prove(const struct show_options *o, FILE *out)
{
	struct timespec ts = {(time_t)o->seconds,
		(long)((o->seconds - (double)(time_t)o->seconds) * 1e9)};
	json_t *asked[4] = {NULL};
	bool holds = true;

	for (int i = o->seconds > 0 ? 0 : 2; holds && i < 4; i++) {
		while (i == 2 && nanosleep(&ts, &ts) < 0)
			;
		asked[i] = ask_port(o);
		holds = asked[i] != NULL;
	}
	if (holds && o->json)
		print_json(asked[3], out);
	else if (holds)
		holds = ledger_prove((struct ledger_moment){asked[0], asked[1]},
			(struct ledger_moment){asked[2], asked[3]}, o->colour, out);
	for (int i = 0; i < 4; i++)
		json_decref(asked[i]);
	return holds ? 0 : 1;
}

int show(const char *noun, const struct show_options *o, FILE *out)
{
	const struct noun *n = find(noun);

	if (o->prove)
		return prove(o, out);
	if (n->render == show_status)
		return show_both(n, o, out);
	json_t *answer = n->render == show_alarms ? ask_merged(n, o) : ask_one(n, o);
	if (!answer)
		return 1;
	show_narrow(noun, answer, o);
	const char *name = missing(n, answer, o);
	if (name)
		fprintf(stderr, "quell: show %s: there is no %s\n", noun, name);
	else if (o->json)
		print_json(answer, out);
	else
		n->render(answer, o, out);
	json_decref(answer);
	return name != NULL;
}
