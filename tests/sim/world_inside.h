/* The inside of the world, between its files:
 *
 *   world.c           steps, the network, healing and emptying
 *   world_routes.c    what the nodes say
 *   world_lan.c       peering LANs on some of them
 *   world_node.c      nodes and their neighbours
 *   world_topology.c  who talks to whom
 *   world_rest.c      whether anything is still on its way
 */
#pragma once
#include "tests/sim/world.h"

/* --- world.c --- */

/* 0 .. n - 1 */
unsigned world_dice(struct world *w, unsigned n);
struct ip world_address(int node);
void world_trace(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- world_routes.c --- */

/* Finds or makes. */
int world_key_add(struct world *w, const struct nlri *n);
void world_make_keys(struct world *w, int count);
/* The node is told what it is to originate of a key. */
void world_tell(struct world *w, int node, int key);
void world_change_routes(struct world *w);

/* --- world_lan.c --- */

/* What the node's LAN wants originated. */
void world_lan_say(struct world *w, int i);
void world_on_best(void *arg, const struct best_change *c, uint64_t now_ms);
void world_lan_start(struct world *w, int i);
void world_change_lan(struct world *w);

/* --- world_node.c --- */

void world_configure(struct world *w, int link, int side);
void world_configure_range(struct world *w, int node);
void world_start(struct world *w, int i);
void world_die(struct world *w);
void world_reconfigure(struct world *w);
void world_shut(struct world *w, int link, int side, bool down);
void world_operate(struct world *w);
void world_ask_refresh(struct world *w);

/* --- world_topology.c --- */

/* Decides which topology it is, and who serves whom. */
void world_connect(struct world *w);
