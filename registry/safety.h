/* May this registry take the place of that one? An exchange's books are edited by people and exported by programs; what a bad
 * export would do to a peering LAN is an outage. Pure. */
#pragma once
#include <stdio.h>

#include "registry/registry.h"

struct registry_limits {
	uint32_t max_removed_percent; /* of the bindings (MAC and IP of a port) that there were; 100: any */
	uint32_t small;		      /* so few removed bindings are always all right */
};

struct registry_step {
	size_t bindings_was, bindings_is, removed, added; /* pairs of MAC and IP on a port */
	size_t swapped; /* ports whose MACs were replaced: the old ones were kept as former */
	bool refused;
	char why[160];
};

/* Compares; and in `is` keeps the MACs that `was` has on the same port and member, and that are nobody else's now, as former
 * ones. `was` NULL: the first one, which is never refused. */
void registry_replace(const struct registry *was, struct registry *is, const struct registry_limits *limits,
	struct registry_step *ret);

/* The registry as its own YAML file, that registry_load() reads to the same value: members by AS, ports by name, for a diff that says
 * only what changed. 0 or -errno of the stream. */
int registry_write(const struct registry *r, const char *head_comment, FILE *to);
