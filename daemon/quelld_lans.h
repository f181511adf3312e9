/* The peering LANs inside quelld: the RIB's best routes into evpn/lan, and what a LAN wants
 * originated or told to the agent out of it.
 *
 *   bgp/speaker [best changed] -> [quelld_lans] -> evpn/lan -> [quelld_lans] -> feed_server
 *                                                          -> [quelld_lans] -> speaker_originate
 *                                                          -> [quelld_lans] -> quelld_alarms
 *
 * It is the speaker's only watcher. It owns the LANs and, where a LAN has an agent, the feed.
 */
#pragma once
#include <sys/types.h>

#include "config/config.h"
#include "lib/mac.h"

struct feed_server;
struct lans;
struct loop;
struct quelld_alarms;
struct quelld_lans;
struct speaker;

/* Whether any LAN has an agent, so that there is a feed and the speaker waits for it
 * (speaker_config.wait_local). */
bool quelld_lans_want_feed(const struct config *c);

/* Adds the LANs of the config; those with an agent originate at once. The feed listens in the run
 * directory and takes `feed_user`, too. 0, or -errno of the feed's socket. */
int quelld_lans_new(struct loop *l, const struct config *c, struct speaker *s, uid_t feed_user,
	struct quelld_lans **ret);
/* The LANs of another configuration instead: those that are gone go, with what was originated and told of them; those that
 * are new, or import differently, are given the RIB's routes again, over as many turns as it takes. */
void quelld_lans_set(struct quelld_lans *q, const struct config *c);
/* Closes the feed and stops listening to the speaker: what happens to routes from now on, as in a
 * shutdown, is not told to the agent, which keeps what it has. */
void quelld_lans_detach(struct quelld_lans *q);
/* After the speaker has been freed or detached. */
void quelld_lans_free(struct quelld_lans *q);

/* The MAC may move again (RFC 7432 section 15.1). 0, or -ENOENT: no such LAN, or not frozen. */
int quelld_lans_clear_duplicate(struct quelld_lans *q, const char *lan, struct mac mac);

const struct quelld_alarms *quelld_lans_alarms(const struct quelld_lans *q);
struct lans *quelld_lans_table(const struct quelld_lans *q);
/* NULL without an agent. */
struct feed_server *quelld_lans_feed(const struct quelld_lans *q);
