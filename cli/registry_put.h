/* A registry made of what was fetched or given takes the place of the one in force, if it may. Every step is told in one JSON object,
 * which is printed as it is or in words:
 *
 *   {"lan", "file", "result": "changed|unchanged|refused|failed", "why", "written", "members", "ports",
 *    "findings": [{"grade", "text"}], "bindings": {"were", "are", "removed", "added"}, "macs-kept",
 *    "changes": [{"op", "name", "key", "from", "to"}]}
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "config/config.h"
#include "registry/import.h"

/* The first line of every file that is written here: no other is replaced without being told to. */
#define REGISTRY_MARK "# Written by quell registry "

struct put_options {
	const struct config_lan *lan; /* NULL: any addresses, and no other files beside it */
	const char *into;
	const char *head; /* the file's comment: REGISTRY_MARK without "# ", and more */
	uint32_t max_removed;
	bool force, dry_run;
};

/* Joins the files, compares and writes. 0 or 1, as `result` says; `told` is an object of the caller's. */
int registry_put(
	const struct registry_file *files, size_t count, const struct put_options *o, json_t *told);

/* What is asked of addresses and tags; of no LAN nothing. */
struct registry_lan registry_lan_of(const struct config_lan *lan);

void put_fail(json_t *told, const char *result, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void put_findings(json_t *told, const struct registry_findings *f);
/* Findings, changes and outcome in words; what went wrong to err. */
void put_print(const json_t *told, FILE *out, FILE *err);
void put_print_findings(const json_t *told, FILE *to);
json_t *put_changes(const struct registry *was, const struct registry *is);
void put_print_changes(const json_t *changes, size_t max, FILE *out);
