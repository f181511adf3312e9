/* Encodes changes for a group or for one member of it; group.c says when. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "bgp/group.h"

/* One key to be told. */
struct item {
	struct dest *d;
	const struct path *path; /* NULL: withdraw */
	uint16_t peer; /* whom `only` or "all but" is about; RIB_NO_PEER with !only: all */
	bool only;
	uint8_t number; /* the path identifier, for who takes several */
};

/* May paths of this peer go to peers with this view at all? */
bool emit_allowed(const struct group_view *v, const struct rib *r, uint16_t from);
/* Tells the members that keep up what has changed of these keys since they were told last. Sets
 * `fell` of those that are over their bound. */
void emit_to_group(struct group *g, struct dest *const *dests, size_t n);
/* Tells one member how these keys are now. */
void emit_to_member(struct member *m, struct dest *const *dests, size_t n);
