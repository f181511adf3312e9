/* The RIB of one address family: every path of every key, and the order in which best paths
 * changed.
 *
 * A key is stored once (struct dest), a path in a few words (struct path); both live in a pool and
 * name each other by 32 bits. With its share of the hash map a type-2 route costs about 112 octets,
 * attributes shared.
 *
 * All keys hang on one list, ordered by the last change of their best path. This list is what makes
 * out-going updates simple: whoever has to tell the changes to somebody keeps a marker in it and
 * walks to the end, so a peer that is slow, new, or asked for a refresh is just a marker further
 * back, and what changed twice in between is told once. A key without paths stays as a tombstone
 * until all markers have passed it.
 *
 * While somebody is told of other paths than the best (`all_paths`), a change of any path that may be
 * told moves its key, and a bit says whether the best has changed for the others.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/attrset.h"
#include "bgp/decide.h"
#include "bgp/family.h"
#include "bgp/pool.h"
#include "lib/hmap.h"
#include "lib/ip.h"

#define RIB_LOCAL 0
#define RIB_NO_PEER UINT16_MAX

#define RIB_NUMBERS 15	      /* paths of a key that are told to who takes several (RFC 7911) */
#define RIB_PATHS_OF_PEER 32  /* of one key */
#define RIB_PATHS_OF_KEY 64   /* beyond these everybody may have one only */

struct path {
	pool_ref next;
	uint32_t since; /* seconds; the caller's epoch */
	const struct attrset *attrs;
	uint32_t path_id; /* as received (RFC 7911); 0 without */
	uint16_t peer;
	uint8_t gen;	 /* differs from its peer's: stale */
	uint8_t refused; /* enum refused_reason; else never chosen and never told */
	uint8_t payload_len : 6;
	uint8_t news : 1;   /* with all_paths: has not been told as it is now */
	uint8_t told : 1;   /* and: what was last told under its number was this path */
	uint8_t number : 4; /* the path identifier it is told with; 0: none */
	uint8_t payload[];
};

struct dest {
	pool_ref prev, next; /* in the order of change */
	uint32_t version;    /* of the last change of the best path; serial numbers, they wrap */
	pool_ref paths;	     /* the first is the best, unless it is refused: then all are */
	uint16_t told; /* whose path was best when the changes were last told; RIB_NO_PEER: none was
			*/
	uint16_t key_len : 9;
	uint16_t marker : 1;	/* not a key but a marker */
	uint16_t best_news : 1; /* the best path has changed since it was last told */
	uint16_t lived : 1;	/* it has had a best path */
	uint16_t numbers : 4;	/* path identifiers up to this one may have been told */
	uint8_t key[];
};

struct rib_marker {
	pool_ref node;    /* 0: not in the list */
	uint32_t version; /* everything up to here has been passed */
	struct rib_marker *next, **link;
};

/* What the decision, and the books, need to know of who sent a path. */
struct rib_peer {
	uint32_t router_id;
	struct ip address;
	bool ibgp, client;
	bool llgr;	  /* RFC 9494 is done with it: LLGR_STALE in its paths means something */
	bool stale_loses; /* its stale paths are those of a graceful restart, not of a refresh */
	uint8_t gen;
	uint32_t paths, stale, refused;
	uint32_t told; /* keys whose `told` is this peer */
	uint32_t numbered; /* paths that have a number */
	uint32_t by_class[BGP_CLASSES]; /* paths, by kind of route */
};

struct grave {
	pool_ref dest;
	uint32_t version;
};

struct rib {
	const struct bgp_family *family;
	struct attrsets *attrsets; /* borrowed */
	struct pool pool;
	struct hmap map;
	pool_ref head, tail;
	uint32_t version;
	struct rib_marker *markers;
	struct rib_peer *peer; /* by index; 0 is ourselves */
	size_t peer_cap;
	size_t paths, refused, tombstones;
	bool all_paths; /* somebody is told of other paths than the best: a change of any is a change */
	struct grave *grave; /* tombstones in the order of their death; a ring */
	size_t grave_head, grave_count, grave_cap;
	struct bgp_path_view *view; /* scratch of the decision */
	uint32_t *room;
	size_t view_cap;
};

void rib_init(struct rib *r, const struct bgp_family *f, struct attrsets *as);
void rib_free(struct rib *r);
/* Makes room for the peer `index` and zeroes its row. 0 or -ENOMEM. */
int rib_peer_add(struct rib *r, uint16_t index);

/* What became of it, a set. */
enum rib_change {
	RIB_BEST =
		1, /* the best path is another, or says something else: the key moved to the end */
	RIB_FRESH = 2, /* the best path says the same but is not stale any more */
	RIB_NEW = 4,   /* the peer had no path for the key */
	RIB_GONE = 8,  /* the peer's path was removed */
	RIB_FULL = 16, /* out of memory: nothing was done */
	RIB_CROWDED = 32, /* too many paths of this key: nothing was done */
};

struct rib_key {
	const uint8_t *p;
	size_t len;
	uint64_t hash; /* 0: not computed yet */
};

static inline struct rib_key rib_key_of(const uint8_t *p, size_t len)
{
	return (struct rib_key){p, len, 0};
}

/* Fetches what is at hand of these keys, and fills in their hashes: what is done with them next need not wait for
 * memory key by key. */
#define RIB_PREFETCH_MAX 16
void rib_prefetch(const struct rib *r, struct rib_key *keys, size_t n);

/* A path of a peer. */
struct rib_route {
	struct rib_key key;
	uint16_t peer;
	uint32_t path_id;
	const uint8_t *payload;
	uint8_t payload_len;
	uint8_t refused;
	const struct attrset *attrs;
	uint32_t since;
};

/* New, or instead of the one with the same path_id. Takes a reference to the set. */
unsigned rib_set(struct rib *r, const struct rib_route *in, struct dest **ret);
unsigned rib_unset(
	struct rib *r, uint16_t peer, uint32_t path_id, struct rib_key key, struct dest **ret);
/* Removes the peer's paths of this key; with `only_stale` only those that are stale. */
unsigned rib_unset_dest(struct rib *r, uint16_t peer, struct dest *d, bool only_stale);
/* Chooses again after what is known of a peer changed. */
unsigned rib_redecide(struct rib *r, struct dest *d);
/* The key goes to the end of the list, as if its best path had changed. */
void rib_touch(struct rib *r, struct dest *d);
/* Asks for each path whether it is refused, and chooses again. */
unsigned rib_judge(struct rib *r, struct dest *d,
	uint8_t (*judge)(void *arg, const struct dest *d, const struct path *p), void *arg);
/* The peer's stale paths of a key say something else, and stay stale. `with` gives a new reference; NULL: the path goes. */
unsigned rib_restate(struct rib *r, struct dest *d, uint16_t peer,
	const struct attrset *(*with)(void *arg, const struct attrset *was), void *arg);
/* All paths of the peer are stale from now on. */
void rib_peer_stale(struct rib *r, uint16_t peer, bool stale_loses);

struct dest *rib_find(const struct rib *r, struct rib_key key);
/* Its first; NULL for none. */
const struct path *rib_path_of(const struct rib *r, const struct dest *d, uint16_t peer);
bool rib_path_stale(const struct rib *r, const struct path *p);
/* Kept over a restart, by us or (long-lived, RFC 9494) by another on the way. */
bool rib_path_kept(const struct rib *r, const struct path *p);

static inline struct path *rib_path(const struct rib *r, pool_ref ref)
{
	return ref ? pool_at(&r->pool, ref) : NULL;
}

/* NULL: none, or all are refused. */
static inline const struct path *rib_best(const struct rib *r, const struct dest *d)
{
	const struct path *p = rib_path(r, d->paths);

	return p && !p->refused ? p : NULL;
}

/* a was before b. */
static inline bool rib_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* A marker before everything, or (behind) at the place of another. 0 or -ENOMEM. */
int rib_marker_add(struct rib *r, struct rib_marker *m, const struct rib_marker *at);
void rib_marker_del(struct rib *r, struct rib_marker *m);
/* Before everything, whether it was in the list or not. 0 or -ENOMEM. */
int rib_marker_first(struct rib *r, struct rib_marker *m);
/* Up to `max` keys behind the marker, in their order; the marker stays. */
size_t rib_ahead(const struct rib *r, const struct rib_marker *m, struct dest **ret, size_t max);
/* The marker goes behind the last of what rib_ahead() gave, or with NULL to the end. */
void rib_marker_pass(struct rib *r, struct rib_marker *m, struct dest *last);
static inline bool rib_marker_at_end(const struct rib *r, const struct rib_marker *m)
{
	return m->version == r->version;
}

/* Frees tombstones that all markers have passed: all, or some. True: there are more. */
void rib_reap(struct rib *r);
bool rib_reap_some(struct rib *r, size_t most);
/* Told: who is best of `d` has been told to everybody who keeps up. `lagging`: some who take several
 * paths do not, so no path identifier is forgotten. */
void rib_told(struct rib *r, struct dest *d, bool lagging);
/* All paths that have a number have been told under it. */
void rib_told_paths(struct rib *r, struct dest *d, bool lagging);

/* The best of the paths that are not refused and of which may() says so; NULL: none. */
const struct path *rib_best_of(struct rib *r, const struct dest *d,
	bool (*may)(void *arg, const struct path *p), void *arg);

/* --- for rib.c and rib_choice.c --- */

static inline pool_ref rib_best_ref(const struct rib *r, const struct dest *d)
{
	return rib_best(r, d) ? d->paths : 0;
}

/* Moves the best path to the front. Without memory the order stays, but for refused paths. */
void rib_choose(struct rib *r, struct dest *d);
/* Gives every path that may be told a number, as far as there are any; the best has one. With
 * all_paths the RIB does it at every change. */
void rib_number(struct rib *r, struct dest *d);
/* These (a bit each) have been told to somebody. */
void rib_numbers_out(struct dest *d, uint32_t numbers);
/* It is not told any more. */
void rib_unnumber(struct rib *r, struct path *p);
