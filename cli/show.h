/* `quell show NOUN`: what is asked of which daemon, and how its answer looks. One row a noun in
 * show.c; how each looks is in show_NOUN.c. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/control.h"
#include "lib/table.h"

/* What narrows the answer; NULL: nothing. Addresses are in the form that the daemons write. */
struct show_options {
	const char *dir; /* of the sockets */
	bool json, colour;
	const char *lan, *mac, *ip, *port, *neighbor, *cls;
	int type; /* of routes; 0: any */
	bool all; /* of the sponge, of callers: also what is only asked for, or lives again */
	bool rejected, flagged; /* of routes: only these */
	bool metrics;  /* of the ledger: OpenMetrics text */
	const char *prove; /* of the ledger: this port */
	double seconds;	   /* prove: of so long from now on; 0: of all its life */
};

/* Asks and prints. 0, or 1 with a line on stderr. */
int show(const char *noun, const struct show_options *o, FILE *out);
bool show_knows(const char *noun);
/* NULL, or what the noun does not understand ("--port"). */
const char *show_misfit(const char *noun, const struct show_options *o);
/* A word behind the noun is short for its most natural option. False: it has none, or the word is
 * not fit for it. `buf` holds what is put in. */
bool show_take_word(const char *noun, const char *word, struct show_options *o, char buf[64]);

/* Takes out of the answer what the options do not want, and sorts the rest. */
void show_narrow(const char *noun, json_t *answer, const struct show_options *o);
void show_render(const char *noun, const json_t *answer, const struct show_options *o, FILE *out);

/* --- how each looks --- */

void show_status(const json_t *answer, const struct show_options *o, FILE *out);
void show_neighbors(const json_t *answer, const struct show_options *o, FILE *out);
void show_routes(const json_t *answer, const struct show_options *o, FILE *out);
void show_lan(const json_t *answer, const struct show_options *o, FILE *out);
void show_alarms(const json_t *answer, const struct show_options *o, FILE *out);
void show_bmp(const json_t *answer, const struct show_options *o, FILE *out);
void show_bindings(const json_t *answer, const struct show_options *o, FILE *out);
void show_macs(const json_t *answer, const struct show_options *o, FILE *out);
void show_ports(const json_t *answer, const struct show_options *o, FILE *out);
void show_ledger(const json_t *answer, const struct show_options *o, FILE *out);
void show_sponge(const json_t *answer, const struct show_options *o, FILE *out);
void show_callers(const json_t *answer, const struct show_options *o, FILE *out);
