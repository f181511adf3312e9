/* The command line that both daemons share, and what stands between it and the first system call: the configuration
 * read and checked, the log as the file and the command line want it. */
#pragma once
#include <stdbool.h>

#include "config/config.h"

struct cmdline {
	const char *config, *log; /* log: NULL without -d */
	bool check;		  /* -n */
	bool withdraw;		  /* --withdraw; quell-agent only */
};

struct cmdline_program {
	const char *name;
	const char *usage; /* its own options, lines for the usage text; "" for none */
	bool withdraw;	   /* takes --withdraw */
};

/* -1: go on; otherwise the exit status, everything said. */
int cmdline_read(const struct cmdline_program *p, int argc, char **argv, struct cmdline *ret);
/* Reads and checks the file, every error a line of the log. 0 or -EINVAL. */
int cmdline_config(const struct cmdline *l, struct config **ret);
/* Both texts were checked when they were read. */
void cmdline_log(const struct cmdline *l, const struct config *c);
