/* The list of neighbours; who is put into it and taken out is in speaker.h. */
#pragma once
#include <stdbool.h>

struct neighbor;
struct speaker;

/* Nothing refers to it any more: no connection, no path, no key that was told with its path. */
bool roster_is_spent(const struct neighbor *n);
void roster_free_spent(struct speaker *s);
/* It is told of no family any more, and nothing walks for it. */
void roster_drop_families(struct neighbor *n);
