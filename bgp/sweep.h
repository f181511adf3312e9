/* Sweeps through all paths of a neighbour. */
#pragma once
#include <stdbool.h>

struct neighbor;
struct table;

enum sweep_mode { SWEEP_NONE, SWEEP_MARK, SWEEP_LONG_LIVED, SWEEP_PURGE };

/* From the front. Without memory for it the paths are stale, and go with the next sweep. */
void sweep_begin(struct neighbor *n, struct table *t, enum sweep_mode mode);
/* What is stale goes: a sweep, if there is any. */
void sweep_purge(struct neighbor *n, struct table *t);
/* True: there is more of it. */
bool sweep_slice(struct neighbor *n, struct table *t);
/* One slice of each that runs; true: there is more. */
bool sweep_run(struct neighbor *n);
bool sweep_is_running(const struct neighbor *n);
