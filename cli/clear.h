/* `quell clear`: what an operator has put right is said to quelld (MACs) or the agent (addresses). */
#pragma once
#include <stdbool.h>
#include <stdio.h>

/* Behind `clear`: "duplicate", LAN, MAC; or "duplicate-ip", LAN, address. 0; 1 with a line on stderr; 2: not understood, and *ret_wrong says why. */
int clear_run(char **words, int count, const char *dir, bool json, FILE *out, const char **ret_wrong);
