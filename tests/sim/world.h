/* A net of speakers made from a seed: who has which AS, who talks to whom and as what, what each
 * originates (with EVPN's own keys, and on some nodes through a peering LAN of evpn/lan.h), and the
 * steps in which all of that goes wrong. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "evpn/lan.h"
#include "tests/bgp/sim.h"
#include "tests/sim/model.h"

#define LAN_MACS 3
#define LAN_IPS 3
#define LAN_SAID 128

/* What a LAN wants originated; it waits until the LAN is done. */
struct said {
	struct nlri n;
	bool there;
	struct m_attrs a;
};

struct w_node {
	struct world *w;
	bool down, range, has_lan;
	bool range_client, range_add_path;
	uint32_t restart_sec;
	uint16_t hold_sec;
	struct neighbor *ranged;
	struct lans *lans;
	struct lan *lan;
	struct said said[LAN_SAID];
	unsigned said_count;
	bool saying;
	bool port[LAN_MACS][LAN_IPS + 1]; /* behind its ports; the last: the MAC alone */
	int where[LAN_MACS];              /* as told; -1: gone */
};

/* What one side of a link has configured. */
struct w_side {
	bool client, passive, by_range, any_as;
	bool shut;          /* at the moment */
	struct neighbor *n; /* NULL: not configured at the moment */
	uint32_t queue_octets, retry_sec, stale_sec, llgr_sec;
	enum bgp_role role;
	bool otc;
};

struct world {
	struct sim net; /* first: see world_of() */
	struct w_node node[SIM_NODES];
	struct w_side side[LINKS][2];
	struct model model;
	struct nlri key[KEYS];
	bool trace, lans;
	bool rtc;             /* route target membership on some links */
	bool plain;           /* all talk to one: no choice depends on what somebody hides */
	uint32_t seed, first; /* the seed that the run began with */
};

void world_init(struct world *w, uint32_t first, uint32_t seed, bool trace);
void world_free(struct world *w);
/* Something happens. */
void world_step(struct world *w);
/* Nothing goes wrong any more: all are up and have what they should have configured. */
void world_heal(struct world *w);
/* Everybody takes back what it has said. */
void world_empty(struct world *w);
/* True when nothing is on its way any more. */
bool world_rests(struct sim *m);
/* Why not. */
const char *world_unrest(const struct world *w, char *buf, size_t cap);
int world_key(struct world *w, const uint8_t *key, size_t len);
/* What stands for what cannot be had elsewhere. */
_Noreturn void world_fail(const struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
