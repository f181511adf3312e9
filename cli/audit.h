/* `quell audit`: captures, live ports or the ledger, and what they say of a peering LAN (audit/). cli/audit.c reads the command line,
 * cli/audit_run.c does what it says. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "audit/compare.h"
#include "audit/report.h"
#include "lib/ip.h"
#include "lib/mac.h"

#define AUDIT_EXIT_FAIL 3 /* it was done, and somebody failed; 0, 1 and 2 are as of every command */

enum audit_form { FORM_TEXT, FORM_JSON, FORM_CSV, FORM_HTML, FORM_COUNT };

struct audit_file {
	const char *port; /* NULL: as the file says */
	const char *path;
};

struct audit_files {
	struct audit_file *list;
	size_t count;
};

enum audit_when { WHEN_NOW, WHEN_BEFORE, WHEN_AFTER, WHEN_LIVE, WHEN_COUNT };

struct audit_options {
	struct audit_files files[WHEN_COUNT]; /* of WHEN_LIVE interfaces */
	bool ledger;
	const char *config, *lan, *title;
	const char **registries;
	size_t registry_count;
	struct prefix *prefixes;
	size_t prefix_count;
	struct mac *own;
	size_t own_count;
	uint32_t vni, member, top;
	const char *evidence;
	const char *to[FORM_COUNT]; /* NULL: not asked for; "-": standard output */
	double limit_fps;
	bool has_limit;
	double seconds; /* of a live capture; 0: until it is interrupted */
	const char *ring;
	uint32_t ring_mb, ring_files;
};

/* argv[0] is "audit". An exit status. */
int audit_main(int argc, char **argv);
int audit_run(const struct audit_options *o, FILE *out, FILE *err);

/* Two readings of the ledger into sides: what the LAN's ports were offered, which without quell each port would have received, and
 * what left them. Either side may be NULL. 0; -1 with a line on err. */
int audit_ledger_sides(const struct audit_file files[2], const char *lan, struct compare_side *offered,
	struct compare_side *delivered, FILE *err);
