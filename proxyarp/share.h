/* A bounded table that many ports fill: each may hold a quarter of it, and pays with its own least recently used entry for what
 * it brings beyond that. When the table is full, whoever holds the most pays. So nobody's flood pushes out what came by another
 * port, unless that port holds more. What is of no port (ifindex 0) may be half.
 *
 * Entries are the caller's and embed a struct share; this keeps order and counts, never frees.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/hmap.h"

struct share_port;

struct share {
	struct share_port *port;
	bool pinned; /* counts, and never has to go */
	TAILQ_ENTRY(share) link;
};

struct shares {
	struct hmap ports;
	uint32_t count, max, per_port;
};

void shares_init(struct shares *s, uint32_t max);
/* After the last entry is out. */
void shares_free(struct shares *s);
void shares_limit(struct shares *s, uint32_t max);

/* Room for one more of this port: 0; 1 with the one that the caller has to take out for it; -ENOSPC: all are pinned. */
int shares_room(struct shares *s, uint32_t ifindex, struct share **ret_victim);
/* The newest of its port. 0 or -ENOMEM. */
int shares_add(struct shares *s, uint32_t ifindex, struct share *e);
/* Used just now. */
void shares_touch(struct share *e);
void shares_pin(struct share *e, bool pinned);
void shares_del(struct shares *s, struct share *e);
uint32_t share_ifindex(const struct share *e);
