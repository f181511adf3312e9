/* How many routes a neighbour may have, in all and of each kind. */
#pragma once
#include "bgp/error.h"

struct neighbor;
struct table;
struct nlri;

/* After a route came that was not there before. 0; -EBADMSG: too many, *ret is the Cease to send. */
int limit_check(struct neighbor *n, const struct table *t, const struct nlri *r, struct bgp_error *ret);
/* After the limits themselves have changed: all that it has, the same answer. */
int limit_check_all(struct neighbor *n, struct bgp_error *ret);
