/* The registries of a configuration's LANs, as both daemons read them: at the start and at a reload, all of them or none, so that
 * what is in force is the last good one. registry/ reads and checks; here is for which LANs, and what is told of it.
 *
 *   quell.yaml, lans[].registry -> registry/ -> [here] -> quell-agent: agent_lan.c, agent_reload.c
 *                                                      -> quelld: quelld_registry.c, quelld_reload.c
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "config/config.h"
#include "registry/registry.h"

struct registries {
	struct registry **of; /* one a LAN of the configuration, by index; NULL: it has none, or it is not wanted */
	uint32_t count;
};

/* 0; or -errno with nothing loaded, and in err a line each: file:line:column, and what. */
int registries_load(const struct config *c, bool (*wanted)(const struct config_lan *lan), struct registries *ret,
	char err[REGISTRY_ERROR_MAX]);
void registries_free(struct registries *r);
/* Takes it out: from now on it is the caller's to free. */
struct registry *registries_take(struct registries *r, uint32_t lan);
/* The lines of err, as errors. */
void registries_log_errors(const char *err);

/* What a reload changes of a LAN's, appended to `changes` of docs/feed.md; either may be NULL. How many. */
size_t registries_changes(
	const char *lan, const struct registry *was, const struct registry *is, json_t *changes);
/* The last `count` of them, one line each at notice, up to a number. */
void registries_log_changes(const json_t *changes, size_t count);
