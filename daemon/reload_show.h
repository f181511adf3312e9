/* What a reload shows: the changes that concern one of the daemons, for the control socket and for the log. */
#pragma once
#include <stdbool.h>

#include <jansson.h>

#include "config/diff.h"

/* `changes` of docs/feed.md. agent: as quell-agent takes them, else as quelld does. */
json_t *reload_changes(const struct config_diff *d, bool agent);
/* One line each at notice, up to a number. */
void reload_log(const struct config_diff *d, bool agent);
/* The answer when nothing is done: `errors`, a line of `text` each, which are logged too, and the changes if there are any
 * (taken over; may be NULL). */
json_t *reload_refused(const char *text, json_t *changes);

/* Whether the request is one that can be done; a look that was misspelt must not become a deed. */
bool reload_request(const json_t *request, bool *ret_dry_run);
#define RELOAD_REQUEST_ERROR "reload: expected dry_run, true or false, and nothing else"
