/* Copies of one route that several reflectors tell of. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct dest;
struct neighbor;
struct table;

/* Whether anybody but `n` is away and its paths are kept: only then the rest has to be asked. */
bool copies_are_kept(const struct table *t, const struct neighbor *n);
/* Who said first what the neighbour says of this key under this identifier; 0: itself, or it says nothing. */
uint32_t copies_originator(
	const struct table *t, const struct neighbor *n, const struct dest *d, uint32_t path_id);
/* Somebody who is there has withdrawn what this originator said: what others, who are away, had said of the same goes. */
void copies_withdrawn(struct table *t, struct dest *d, uint32_t originator);
