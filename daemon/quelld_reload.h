/* Another configuration for a quelld that goes on: the whole file checked, what changed shown, and done whole or not at
 * all, without touching the sessions it does not concern. */
#pragma once
#include <stdbool.h>

#include <jansson.h>

struct quelld;

/* Reads the file again. The answer of docs/feed.md; what was done, or why it was not, is logged too. */
json_t *quelld_reload(struct quelld *q, bool dry_run);
