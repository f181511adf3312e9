/* A ring of capture files: capture-000001.pcapng and so on, each of all ports, with their names and the direction of every frame, so that
 * `quell audit` makes the same books of them. When a file is full the next one begins, and the oldest goes. Only audit/ includes this. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "audit/live.h"

struct ring {
	const struct live_config *c;
	uint64_t written;
	uint32_t number;
	FILE *to;
	int error; /* the first errno; nothing is written any more */
};

void ring_open(struct ring *r, const struct live_config *c);
void ring_put(struct ring *r, size_t interface, enum audit_dir dir, const uint8_t *frame, size_t len, size_t wire_len, int64_t ns);
/* 0 or -errno of the first write that failed. */
int ring_close(struct ring *r);
