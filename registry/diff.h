/* What changed between two registries, one row a value: what a reload of quell-agent shows. Pure.
 *
 * Entries are the same by port, PE and AS, and where no port is known by their first address; of several that are, in the order of
 * those. An address that becomes nobody's, or no longer is, is an entry of its own.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "registry/registry.h"

enum registry_op { REGISTRY_CHANGED, REGISTRY_ADDED, REGISTRY_REMOVED };

#define REGISTRY_VALUE_MAX 512

struct registry_change {
	enum registry_op op;
	const char *name; /* "swp1 AS64500", "swp1 at 10.99.0.1 AS64500", "198.18.0.1 AS64500", "unassigned 198.18.0.77" */
	const char *key;  /* "macs"; NULL: the whole entry */
	const char *from, *to; /* NULL where there is none; of an entry that comes its values in `to` */
};

/* Either may be NULL: none. Returns how many changes; fn gets each, with text until it returns. */
size_t registry_diff(const struct registry *was, const struct registry *is,
	void (*fn)(void *arg, const struct registry_change *c), void *arg);
