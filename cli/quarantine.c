#include "cli/quarantine.h"

#include <jansson.h>
#include <string.h>

#include "cli/control.h"
#include "cli/value.h"
#include "lib/text.h"

/* Who keeps it there. */
static void print_by(const json_t *by, FILE *out)
{
	const json_t *w;
	size_t i;

	json_array_foreach(by, i, w) if (json_is_string(w))
		fprintf(out, "%s%s", i ? ", " : " by ", json_string_value(w));
}

int quarantine_run(
	char **words, int count, const char *dir, bool json, FILE *out, const char **ret_wrong)
{
	char error[CONTROL_ERROR_MAX], port[64];
	bool on = count == 2 && strcmp(words[0], "add") == 0;
	json_t *answer = NULL;

	if (count != 2 || (!on && strcmp(words[0], "del") != 0)) {
		*ret_wrong = "quarantine: expected add PORT or del PORT";
		return 2;
	}
	json_t *q = json_pack("{s:s, s:s, s:b}", "do", "quarantine", "port", words[1], "on", on);
	if (!q) {
		*ret_wrong = "quarantine: the port's name is no text";
		return 2;
	}
	int r = control_ask(CONTROL_AGENT, dir, q, &answer, error);
	json_decref(q);
	if (r < 0) {
		fprintf(stderr, "quell: %s\n", error);
		return 1;
	}
	const json_t *by = json_object_get(answer, "quarantine");
	bool in = json_array_size(by) > 0;
	if (json) {
		json_dumpf(answer, out, JSON_INDENT(2));
	} else {
		fprintf(out, "%s: %s", text_escape(port, sizeof(port), words[1], strlen(words[1])),
			on	? "in quarantine,"
			: in	? "let out, but still in quarantine,"
				: "let out");
		print_by(by, out);
	}
	fputc('\n', out);
	json_decref(answer);
	/* What was asked for has not come about. */
	return !on && in;
}
