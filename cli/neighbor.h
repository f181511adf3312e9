/* `quell refresh | reset | shutdown | enable NEIGHBOR`: what quelld is asked to do with a neighbor. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

struct neighbor_command {
	const char *verb, *address;
	const char *message; /* RFC 9003; NULL: none */
	bool hard;           /* RFC 8538 */
	bool json;
	const char *dir; /* of the sockets */
};

bool neighbor_knows(const char *verb);
/* NULL, or the option that has no meaning with this verb. */
const char *neighbor_misfit(const struct neighbor_command *c);
/* 0, or 1 and a line on `err`. */
int neighbor_do(const struct neighbor_command *c, FILE *out, FILE *err);
