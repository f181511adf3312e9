/* quelld's end of the feed (docs/feed.md): one agent, its snapshot and changes into evpn/lan, and
 * what is behind other PEs out to it.
 *
 *   [best changed] -> evpn/lan -> quelld_lans -> [feed_server] == feed ==> quell-agent
 *   quell-agent == feed ==> [feed_server] -> evpn/lan -> originate
 *
 * What leaves is written when it changes and goes out with the turn of the loop. The agent's `end`
 * sweeps what it did not name again; ours waits until the BGP sessions have converged, so that a
 * quelld that has just started does not make the agent forget. While no agent is there its routes
 * stay, for at most FEED_STALE_SEC.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "evpn/lan.h"

#define FEED_VERSION 1
#define FEED_STALE_SEC 300

struct loop;
struct feed_server;

struct feed_server_config {
	const char *path;
	uid_t user;         /* who may connect besides root */
	uint32_t stale_sec; /* 0: FEED_STALE_SEC */
	/* The agent's first snapshot is in, or none came within the stale time. Once. */
	void (*local_done)(void *arg);
	void *arg;
};

/* `lans` must outlive it. 0, or -errno of the socket. */
int feed_server_new(struct loop *l, struct lans *lans, const struct feed_server_config *c,
	struct feed_server **ret);
void feed_server_free(struct feed_server *f);

/* What changed in a LAN, as the hooks of evpn/lan.h tell it. */
void feed_server_mac(
	struct feed_server *f, const struct lan *lan, struct mac mac, const struct lan_entry *best);
void feed_server_binding(
	struct feed_server *f, const struct lan *lan, struct ip ip, const struct lan_entry *best);
void feed_server_flood(struct feed_server *f, const struct lan *lan, struct ip vtep, bool present);
/* The BGP sessions have converged: our snapshots are complete from now on. */
void feed_server_converged(struct feed_server *f);

/* They have, but the LANs are being given all routes again: until the next feed_server_converged() they are not. */
void feed_server_hold(struct feed_server *f);
/* Ends the agent's connection, so that both sides tell all again. */
void feed_server_resync(struct feed_server *f, const char *why);

enum feed_state { FEED_ABSENT, FEED_SYNCING, FEED_LIVE };

struct feed_view {
	enum feed_state state;
	pid_t agent_pid;
	uint64_t since_ms; /* of the monotonic clock: in this state */
	uint64_t lines_in, lines_out, refused;
};
void feed_server_view(const struct feed_server *f, struct feed_view *ret);
