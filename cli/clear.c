#include "cli/clear.h"

#include <jansson.h>
#include <string.h>

#include "cli/control.h"
#include "lib/mac.h"

int clear_run(
	char **words, int count, const char *dir, bool json, FILE *out, const char **ret_wrong)
{
	char error[CONTROL_ERROR_MAX], mac_text[MAC_TEXT];
	json_t *answer = NULL;
	struct mac mac;

	if (count != 3 || strcmp(words[0], "duplicate") != 0) {
		*ret_wrong = "clear: expected duplicate LAN MAC";
		return 2;
	}
	if (mac_parse(words[2], &mac) < 0) {
		*ret_wrong = "clear duplicate LAN MAC: not a MAC address";
		return 2;
	}
	mac_format(mac, mac_text);
	json_t *q = json_pack(
		"{s:s, s:s, s:s}", "do", "clear-duplicate", "lan", words[1], "mac", mac_text);
	int r = q ? control_ask(CONTROL_QUELLD, dir, q, &answer, error) : -1;
	if (!q) {
		*ret_wrong = "clear duplicate LAN MAC: the LAN's name is no text";
		return 2;
	}
	json_decref(q);
	if (r < 0) {
		fprintf(stderr, "quell: %s\n", error);
		return 1;
	}
	if (json) {
		json_dumpf(answer, out, JSON_INDENT(2));
		fputc('\n', out);
	} else {
		fprintf(out, "%s: %s may move again\n", words[1], mac_text);
	}
	json_decref(answer);
	return 0;
}
