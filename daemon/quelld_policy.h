/* The import policy of the configuration: `import` of each neighbour and the LANs, as evpn/policy.c wants them.
 *
 * The speaker's neighbours borrow their rules by pointer. A neighbour of the file, by its address or range, has one
 * place for them as long as the daemon runs, so that a reload changes them under a session that goes on.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

struct lans;
struct policy_route;
struct quelld_policy;
struct registries;
struct speaker;

/* Gives the speaker its policy. Aborts when out of memory. */
struct quelld_policy *quelld_policy_new(
	struct speaker *s, const struct lans *lans, const struct config *c, const struct registries *r);
/* After the speaker, before the LANs. */
void quelld_policy_free(struct quelld_policy *p);

/* Takes all from another configuration and its registries, none of which is borrowed. The LANs, which are asked about MACs, must have been
 * changed before, and none of those that are gone be asked meanwhile. True: something is different, and what the RIBs hold
 * has to be asked about again (speaker_recheck()), but for the registries' content, which the caller compares. Neighbours that are in both need nothing else. */
bool quelld_policy_set(struct quelld_policy *p, const struct config *c, const struct registries *r);
/* What the registry has against a route that has come in, a reason of evpn/policy.h; 0: nothing. */
uint8_t quelld_policy_flagged(const struct quelld_policy *p, const struct policy_route *r);
/* For neighbor_config.rules. */
const void *quelld_policy_rules(const struct quelld_policy *p, const struct config_neighbor *n);
