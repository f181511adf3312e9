/* `quell top`: the ports live, by what becomes of their frames, or by class. In a terminal until `q`; otherwise, or with a
 * count, table after table to standard output. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

struct top_options {
	const char *dir; /* of the sockets */
	const char *lan, *port;
	double interval; /* seconds */
	int count;	 /* 0: until it is ended, in a terminal */
	bool json, classes;
};

/* 0, or 1 with a line on stderr. */
int top(const struct top_options *o, FILE *out);
