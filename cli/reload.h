/* `quell reload`: the daemons of this box read their file again; what changed is shown, or what is wrong with it. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

struct reload_options {
	const char *dir; /* of the sockets */
	bool dry_run, json;
};

/* 0, or 1 when nothing was changed because something is wrong. */
int reload(const struct reload_options *o, FILE *out, FILE *err);
