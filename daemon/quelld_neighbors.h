/* The neighbours of the configuration as the speaker takes them. */
#pragma once
#include "bgp/speaker.h"
#include "config/config.h"

struct quelld;

/* The one as the other, with the rules that q->policy has for it. */
struct neighbor_config quelld_neighbor_config(
	const struct quelld *q, const struct config_neighbor *n);
/* Adds all to the speaker; those that do not wait begin to call. 0 or -errno, everything said. */
int quelld_neighbors_add(struct quelld *q);
