#include "cli/clear.h"

#include <jansson.h>
#include <string.h>

#include "cli/control.h"
#include "lib/ip.h"
#include "lib/mac.h"

static const char expected[] = "clear: expected duplicate LAN MAC, or duplicate-ip LAN IP";

static int ask(enum control_daemon daemon, json_t *question, const char *dir, bool json, FILE *out,
	const char *lan, const char *what, const char *done)
{
	char error[CONTROL_ERROR_MAX];
	json_t *answer = NULL;
	int r = control_ask(daemon, dir, question, &answer, error);

	json_decref(question);
	if (r < 0) {
		fprintf(stderr, "quell: %s\n", error);
		return 1;
	}
	if (json) {
		json_dumpf(answer, out, JSON_INDENT(2));
		fputc('\n', out);
	} else {
		fprintf(out, "%s: %s %s\n", lan, what, done);
	}
	json_decref(answer);
	return 0;
}

int clear_run(
	char **words, int count, const char *dir, bool json, FILE *out, const char **ret_wrong)
{
	bool is_ip = count == 3 && strcmp(words[0], "duplicate-ip") == 0;
	char text[IP_TEXT > MAC_TEXT ? IP_TEXT : MAC_TEXT];
	struct mac mac;
	struct ip ip;

	if (count != 3 || (!is_ip && strcmp(words[0], "duplicate") != 0)) {
		*ret_wrong = expected;
		return 2;
	}
	if (is_ip ? ip_parse(words[2], &ip) < 0 : mac_parse(words[2], &mac) < 0) {
		*ret_wrong = is_ip ? "clear duplicate-ip LAN IP: not an IP address"
				   : "clear duplicate LAN MAC: not a MAC address";
		return 2;
	}
	if (is_ip)
		ip_format(ip, text);
	else
		mac_format(mac, text);
	json_t *q = json_pack("{s:s, s:s, s:s}", "do", is_ip ? "clear-duplicate-ip" : "clear-duplicate",
		"lan", words[1], is_ip ? "ip" : "mac", text);
	if (!q) {
		*ret_wrong = "clear: the LAN's name is no text";
		return 2;
	}
	return ask(is_ip ? CONTROL_AGENT : CONTROL_QUELLD, q, dir, json, out, words[1], text,
		is_ip ? "is answered for again" : "may move again");
}
