/* `quell sponge add | del ADDRESS`: the operator's word that nobody has it, or about what is sponged. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

/* 0; 1 with a line on stderr; 2 with what is wrong with the words. `lan` may be NULL. */
int sponge_run(char **words, int count, const char *lan, const char *dir, bool json, FILE *out,
	const char **ret_wrong);
