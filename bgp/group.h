/* Update groups: the peers of a family that are told the same, and how they are told.
 *
 * A member that keeps up is told the changes as they happen, from buffers that all of them share.
 * One whose queue is over its bound, that is new, or that asked for a refresh walks the RIB's list
 * of changes by itself, from a marker of its own, as fast as it takes the octets; when it reaches
 * the end it is with the others again. So a peer's memory is bounded whatever it does, and what
 * changed often in the meantime is told once.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bgp/rib.h"
#include "bgp/speaker.h"

struct neighbor;
struct speaker;
struct table;

/* What two peers must have in common to be told the same octets. */
struct group_view {
	bool ibgp, client, as4, extended, conservative;
	const struct rt_filter *filter; /* RFC 4684: what they want; NULL: everything. A reference */
	struct ip local;                /* of the session, in the table of membership alone */
	enum bgp_role role;             /* RFC 9234, where its rules hold */
	bool add_path;                  /* RFC 7911: all paths, each with an identifier */
	uint32_t control_as; /* whose routes' communities are obeyed, see control.h; 0: none are */
	bool llgr;                      /* they know LLGR_STALE, RFC 9494 */
};

struct member {
	struct group *group;
	struct neighbor *n;
	TAILQ_ENTRY(member) link; /* in one of the two lists of the group */
	bool synced;
	bool fell; /* over its bound within the batch at hand */
	struct rib_marker marker;
	uint32_t quiet;  /* changes up to here were never told to it, so they need no withdrawal */
	bool eor_due;    /* End-of-RIB, once it is at the end */
	bool refreshing; /* RFC 7313: EoRR, once it is at the end */
	bool refresh_again;
	bool refilter_due; /* what it wants may have changed */
	/* While it walks because it wants other routes: what it wanted before (a reference). Up to
	 * `quiet` it has been told by that. */
	bool refiltering;
	const struct rt_filter *was;
};

TAILQ_HEAD(member_list, member);

struct group {
	struct table *table;
	struct group_view view;
	struct member_list synced, lagging;
	LIST_ENTRY(group) link;
};

LIST_HEAD(group_list, group);

/* A neighbour is up with this family: from now on it is told everything, beginning with all there
 * is. */
struct member *group_join(struct neighbor *n, struct table *t);
void group_leave(struct member *m);
/* The peer asked for a refresh. */
void group_refresh(struct member *m);
/* If what the peer wants is not what it wanted (RFC 4684), it is told the difference. */
void group_refilter(struct member *m);
/* Tells the changes to all that keep up. */
void group_flush(struct table *t);
/* One slice of what members that lag have still to be told; true: there is more that can go at
 * once. */
bool group_pump(struct member *m);
/* May be sent now, if it is due. */
void group_end_of_rib(struct member *m);
/* Octets that may wait for a member that keeps up. What waits for several of a group is there once, and who reads a little
 * later than the others shall not fall behind for it; what waits for one alone is its own. */
size_t group_queue_max(const struct member *m);
/* How many routes the member has been told; at most, where not all that is best may go to it. */
uint32_t group_told(const struct member *m);
