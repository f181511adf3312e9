/* The words for why a route was refused. */
#include "bgp/policy.h"

const char *policy_reason(const struct speaker_policy *p, uint8_t reason)
{
	static const char *const engine[] = {
		[REFUSED_NOT] = "accepted",
		[REFUSED_AS_LOOP] = "as-loop",
		[REFUSED_ORIGINATOR_LOOP] = "originator-loop",
		[REFUSED_CLUSTER_LOOP] = "cluster-loop",
		[REFUSED_LEAK] = "leak",
		[REFUSED_NO_LLGR] = "no-llgr",
		[REFUSED_CROWDED] = "too-many-paths",
	};

	if (reason < sizeof(engine) / sizeof(engine[0]))
		return engine[reason];
	return p && p->reason && reason >= REFUSED_BY_POLICY ? p->reason(reason) : "policy";
}
