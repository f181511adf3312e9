/* How many routes a neighbour may have, in all and of each kind. */
#pragma once
#include "bgp/error.h"

struct neighbor;
struct table;
struct nlri;

/* After a route came that was not there before. 0; -EBADMSG: too many, *ret is the Cease to send. */
int limit_check(struct neighbor *n, const struct table *t, const struct nlri *r, struct bgp_error *ret);
