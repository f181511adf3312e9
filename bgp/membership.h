/* Which routes a neighbour wants (RFC 4684): what it said of its membership, the filter that comes
 * of it, and our own membership. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/rt_filter.h"
#include "bgp/rtc.h"
#include "lib/rd.h"
#include "lib/timers.h"

#define MEMBERSHIP_MAX 2000    /* prefixes of one neighbour; who has more gets everything */
#define MEMBERSHIP_WAIT_SEC 60 /* for its End-of-RIB, RFC 4684 section 6 */
#define MEMBERSHIP_HOLD_MS 1000

struct neighbor;
struct session;
struct speaker;
struct table;
struct dest;

/* Of a neighbour. */
struct membership {
	struct rtc_prefix {
		uint8_t key_len, key[RTC_KEY_MAX];
	} *prefix; /* in order */
	uint32_t count, cap;
	bool overflow;     /* there were too many to remember: everything, until all are gone */
	bool waiting;      /* nothing is told before its End-of-RIB */
	struct timer wait; /* or this */
	bool held;         /* there was a change since the last that it was told the difference of */
	struct timer hold;
};

/* The table of membership, or NULL. */
struct table *membership_table(struct speaker *s);
void membership_init(struct neighbor *n);
void membership_free(struct neighbor *n);
/* The session that begins decides whether routes of other families have to wait; see membership_waits(). */
void membership_session_up(struct neighbor *n, struct session *se, uint64_t now_ms);
void membership_session_down(struct neighbor *n);
/* The table must not be told to it yet. */
bool membership_waits(const struct neighbor *n, const struct table *t);
/* Its End-of-RIB for membership: the wait is over. */
void membership_end_of_rib_in(struct neighbor *n);
/* A path of the neighbour came or went; `change` is what the RIB said. For all tables. */
void membership_changed(struct neighbor *n, struct table *t, struct dest *d, unsigned change);
/* What it wants to be told of this table: a reference, to be given back. */
const struct rt_filter *membership_filter(struct neighbor *n, const struct table *t);

/* Notes when all neighbours have told their membership after a start. */
void membership_check(struct speaker *s);
/* Neighbours came, went or came up: do those that take no part need everything? */
void membership_update_default(struct speaker *s);
