#include "cli/sponge.h"

#include <jansson.h>
#include <string.h>

#include "cli/control.h"
#include "lib/ip.h"

int sponge_run(char **words, int count, const char *lan, const char *dir, bool json, FILE *out,
	const char **ret_wrong)
{
	char error[CONTROL_ERROR_MAX], text[IP_TEXT];
	json_t *answer = NULL;
	struct ip ip;
	bool add = count == 2 && strcmp(words[0], "add") == 0;

	if (count != 2 || (!add && strcmp(words[0], "del") != 0)) {
		*ret_wrong = "sponge: expected add ADDRESS or del ADDRESS";
		return 2;
	}
	if (ip_parse(words[1], &ip) < 0) {
		*ret_wrong = "sponge: not an address";
		return 2;
	}
	json_t *q = json_pack(
		"{s:s, s:s}", "do", add ? "sponge-add" : "sponge-del", "ip", ip_format(ip, text));
	if (lan)
		json_object_set_new(q, "lan", json_string(lan));
	int r = control_ask(CONTROL_AGENT, dir, q, &answer, error);
	json_decref(q);
	if (r < 0) {
		fprintf(stderr, "quell: %s\n", error);
		return 1;
	}
	if (json) {
		json_dumpf(answer, out, JSON_INDENT(2));
		fputc('\n', out);
	} else {
		fprintf(out, "%s: %s\n", text,
			add ? "sponged until you say otherwise, or somebody has it"
			    : "no longer sponged");
	}
	json_decref(answer);
	return 0;
}
