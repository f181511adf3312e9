/* `quell quarantine add | del PORT`: said to quell-agent. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

/* Behind `quarantine`: "add" or "del", PORT. 0; 1 with a line on stderr; 2: not understood, and *ret_wrong says why. */
int quarantine_run(
	char **words, int count, const char *dir, bool json, FILE *out, const char **ret_wrong);
