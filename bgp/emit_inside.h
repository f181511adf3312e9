/* What emit.c and emit_several.c share. */
#pragma once
#include "bgp/emit.h"

#define ITEMS_A_KEY (3 * RIB_NUMBERS) /* that one key comes to at most */
#define ITEMS (2 * BATCH)

struct rt_filter;

/* One stream in the making: for the members of a group that keep up, or for one. */
struct emit {
	struct group *g;
	struct member *one; /* NULL: the members that keep up */
	struct item *items;
	size_t count;
	const struct item *audience;
	size_t len;
	uint32_t messages;
	uint32_t withheld;
};

/* `peer`: whom `only` or "all but" is about; see struct item. */
void emit_item(struct emit *e, struct dest *d, const struct path *p, uint8_t number, uint16_t peer, bool only);
/* May members of the group be told of the path, were they the kind that wants by this filter? */
bool emit_may_go(const struct group *g, const struct rt_filter *wanted, const struct dest *d,
	const struct path *p);
/* The member that the peer is, if it is of the group and keeps up. */
bool emit_keeps_up(const struct group *g, uint16_t peer);
/* The key must not be named to members of the group at all; counted. */
bool emit_is_unspeakable(struct emit *e, const struct dest *d);

/* --- emit_several.c: groups that are told of other paths than the best --- */

static inline bool emit_several(const struct group_view *v)
{
	return v->add_path || v->control_as;
}

void emit_several_to_group(struct emit *e, struct dest *d);
void emit_several_to_member(struct emit *e, struct member *m, struct dest *d);
