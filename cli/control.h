/* Asking a daemon: one JSON object a line over its control socket, one answer (docs/feed.md). */
#pragma once
#include <jansson.h>

enum control_daemon { CONTROL_QUELLD, CONTROL_AGENT };

#define CONTROL_ERROR_MAX 256

/* The daemon's answer to `request` (borrowed), asked through its socket in `dir`. 0 with *ret to be
 * json_decref()ed; otherwise a line for people in `error`:
 *   -ENOENT  it does not run (no socket, or nobody behind it)
 *   -EPROTO  it answered {"error": ...}, or something that is no answer
 *   others   what the system said. */
int control_ask(enum control_daemon daemon, const char *dir, const json_t *request, json_t **ret,
	char error[CONTROL_ERROR_MAX]);

const char *control_name(enum control_daemon daemon);
