/* The inside of struct speaker, for the files of bgp/ only. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "bgp/attrset.h"
#include "bgp/conn.h"
#include "bgp/group.h"
#include "bgp/membership.h"
#include "bgp/monitor.h"
#include "bgp/neighbor.h"
#include "bgp/pressure.h"
#include "bgp/rib.h"
#include "bgp/speaker.h"
#include "lib/timers.h"

#define BATCH 4096       /* keys told at once */
#define SWEEP_SLICE 4096 /* keys looked at in one go */
/* What is encoded at once for a group. The larger the piece that is given to a socket, the less it costs: a
 * batch of 4096 MAC/IP routes is 180 KB. */
#define EMIT_OCTETS (256 * 1024)

/* One address family. */
struct table {
	struct speaker *s;
	unsigned index;
	const struct bgp_family *family;
	struct rib rib;
	struct rib_marker told; /* everything up to here has been told to those who keep up */
	struct group_list groups;
	struct rib_marker recheck; /* see recheck.c */
	struct rib_marker retell_at; /* in the list while it is under way; see retell.c */
};

struct item;
struct rt_filter;

/* Whether a path may go to a group depends on its attributes, which many routes share and which can
 * be long: the last answers of emit.c, for as long as it is at one group. */
struct emit_asked {
	const struct attrset *attrs; /* NULL: nothing was asked */
	uint16_t peer;
	bool may;
	const struct attrset *filtered; /* the same for what was asked of a filter */
	const struct rt_filter *filter;
	bool wants;
};

struct speaker {
	struct speaker_config config;
	uint32_t cluster_id;
	struct attrsets *attrsets;
	struct table table[FAMILIES_MAX];
	unsigned tables;
	struct neighbor **neighbor; /* by index; 0 is ourselves, always NULL */
	size_t neighbor_cap;
	size_t neighbors; /* one more than the highest index in use */
	struct neighbor **range;
	size_t ranges;
	size_t sweep_turn;    /* whose sweep goes first */
	uint64_t sweep_pause; /* since when all of them wait; 0: they do not */
	bool reap_due; /* tombstones can be freed: when there is nothing better to do */
	struct pressure pressure; /* of those who read */

	struct timers timers;
	struct timer defer;
	uint64_t now_ms, start_ms;
	uint64_t random;
	struct conn_queue actions;
	struct conn_list conns;
	struct speaker_watch watch;
	const struct monitor *monitor; /* NULL: nobody looks on */
	struct speaker_policy policy; /* import NULL: everything may come in */
	uint64_t policy_serial;       /* of the attributes that it is asked about */
	size_t tombstones_max; /* a table */
	bool stopping;
	bool begun;     /* speaker_run() has been called */
	bool converged; /* our End-of-RIB waits for nobody any more; see restart.c */
	bool told;      /* the watch was told that all neighbours have told their routes */
	bool local_done;

	/* RFC 4684, see membership.c. */
	struct rt_filter_list filters;
	struct rt *own_rts;
	size_t own_count;
	bool own_all;         /* our LANs import by more than these */
	bool says_default;
	bool membership_said; /* all neighbours have told theirs */

	/* Scratch of group.c. */
	uint8_t *buf;
	uint8_t *stripped; /* NULL until needed, see control.c */
	struct item *items;
	struct dest **dests;
	struct emit_asked asked;
};

/* Seconds since the start, for struct path. */
static inline uint32_t speaker_sec(const struct speaker *s)
{
	return (uint32_t)((s->now_ms - s->start_ms) / 1000);
}

/* `ms` less up to a quarter (RFC 4271 section 10). */
uint64_t speaker_jitter(struct speaker *s, uint64_t ms);
/* NULL: not one of ours. */
struct table *speaker_table(struct speaker *s, const struct bgp_family *f);
/* Tells the watch what is best of a key now. */
void speaker_tell(struct table *t, const struct dest *d);
void speaker_tell_neighbor(struct neighbor *n);
bool speaker_flush_due(const struct speaker *s);
void speaker_flush(struct speaker *s);
