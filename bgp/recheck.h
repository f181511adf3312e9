/* Asking the import policy, for what comes in and again for what is there. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "bgp/policy.h"

struct neighbor;
struct speaker;

/* What the policy says of a route of this neighbour; REFUSED_NOT without a policy. */
uint8_t recheck_judge(const struct neighbor *n, const struct policy_route *r);
/* All routes of the neighbour (of all, with NULL) are to be asked about again. */
void recheck_begin(struct speaker *s, const struct neighbor *n);
bool recheck_is_running(const struct speaker *s);
/* One slice. */
void recheck_run(struct speaker *s);
/* Before the RIBs go. */
void recheck_stop(struct speaker *s);
