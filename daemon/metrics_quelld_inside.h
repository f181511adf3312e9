/* The inside of quelld's /metrics, for metrics_quelld.c and metrics_neighbors.c. */
#pragma once
#include <stdlib.h>

#include "bgp/bmp.h"
#include "bgp/speaker.h"
#include "daemon/metrics.h"
#include "daemon/quelld.h"
#include "evpn/lan.h"

/* A neighbour, copied: it may be gone while its lines are written. */
struct metrics_neighbor {
	struct neighbor_view v;
	char address[PREFIX_TEXT], name[64];
};

struct metrics_lan {
	char name[32];
	uint32_t vni;
	struct lan_stats stats;
};

struct metrics_station {
	struct bmp_view v;
	char station[IP_TEXT + 8];
};

struct metrics_quelld_job {
	struct metrics_process process;
	const struct quelld *q;
	struct metrics_neighbor *neighbor;
	size_t neighbors;
	struct metrics_lan *lan;
	size_t lans, counted, slot; /* how far its tables have been counted */
	struct metrics_station *station;
	size_t stations;
};

extern const struct metrics_section metrics_neighbor_section;

/* Zeroed; aborts when out of memory. */
void *metrics_room(size_t count, size_t size);
