/* Interned attribute sets: equal sets are one object, so that equality is a pointer comparison and a route costs
 * a pointer. The one refcounted thing in the house. A set owns the bytes of its spans. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/attr.h"

struct attrset {
	struct attrs attrs; /* read only; spans point into this object */
	uint32_t refs;
	uint32_t hash;
	uint32_t octets; /* memory taken, for the books */
};

struct attrsets;

struct attrsets *attrsets_new(void);
void attrsets_free(struct attrsets *as); /* aborts in debug builds if sets are still held */
size_t attrsets_count(const struct attrsets *as);

/* The set equal to *a (deep copy at first use) with one more reference, or NULL when out of memory. */
const struct attrset *attrset_intern(struct attrsets *as, const struct attrs *a);
const struct attrset *attrset_ref(const struct attrset *s);
void attrset_unref(struct attrsets *as, const struct attrset *s);
