#include "cli/neighbor.h"

#include <string.h>

#include <jansson.h>

#include "cli/control.h"

static const struct verb_row {
	const char *verb;
	bool message, hard; /* go with it */
} verbs[] = {
	{"refresh", false, false},
	{"reset", true, true},
	{"shutdown", true, false},
	{"enable", false, false},
};

static const struct verb_row *find(const char *verb)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].verb, verb) == 0)
			return &verbs[i];
	return NULL;
}

bool neighbor_knows(const char *verb)
{
	return find(verb) != NULL;
}

const char *neighbor_misfit(const struct neighbor_command *c)
{
	const struct verb_row *row = find(c->verb);

	if (c->message && !row->message)
		return "--message";
	return c->hard && !row->hard ? "--hard" : NULL;
}

int neighbor_do(const struct neighbor_command *c, FILE *out, FILE *err)
{
	json_t *request = json_pack("{s:s, s:s}", "do", c->verb, "neighbor", c->address), *answer;
	char error[CONTROL_ERROR_MAX];

	if (c->message && json_object_set_new(request, "message", json_string(c->message)) < 0) {
		fputs("quell: --message: not UTF-8\n", err);
		json_decref(request);
		return 1;
	}
	if (c->hard)
		json_object_set_new(request, "hard", json_true());
	int r = control_ask(CONTROL_QUELLD, c->dir, request, &answer, error);
	json_decref(request);
	if (r < 0) {
		fprintf(err, "quell: %s\n", error);
		return 1;
	}
	if (c->json) {
		json_dumpf(answer, out, JSON_INDENT(2));
		fputc('\n', out);
	}
	json_decref(answer);
	return 0;
}
