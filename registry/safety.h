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
	/* Pairs of MAC and IP on a port. Removed is also what goes out of service: its port is active no longer. */
	size_t bindings_was, bindings_is, removed, added;
	size_t taken;	/* of the removed ones, those whose MAC or address is another member's now */
	size_t swapped; /* ports whose MACs were replaced: the old ones were kept as former */
	bool refused;
	char why[160];
};

/* Compares: too large a share is refused, and a switch or PE that had more than a small number and loses all of them. In `is` it keeps the MACs that `was` has on the same port and member, and that are no other member's now, as former
 * ones: those that go now before those that were former already, as many as a port may have. A port that has no MAC any more keeps
 * none. `was` NULL: the first one, which is never refused. Done also if refused.
 *
 * The same port and member is the same AS (where that is not known: name), port and PE; of several entries there, or where the port
 * is not known, the one with an address in common. */
void registry_replace(const struct registry *was, struct registry *is, const struct registry_limits *limits,
	struct registry_step *ret);

/* The registry as its own YAML file, that registry_load() reads to the same value: members by AS, ports by name, for a diff that says
 * only what changed. 0 or -errno of the stream. */
int registry_write(const struct registry *r, const char *head_comment, FILE *to);
