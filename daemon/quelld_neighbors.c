#include "daemon/quelld_neighbors.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "daemon/loop.h"
#include "daemon/quelld.h"
#include "daemon/quelld_policy.h"
#include "lib/log.h"

/* config/ does not know bgp/: the words of the file stand for numbers there (config/words.c). */
static_assert(ROLE_NONE == 0 && ROLE_PROVIDER == 1 && ROLE_RS == 2 && ROLE_RS_CLIENT == 3 &&
		      ROLE_CUSTOMER == 4 && ROLE_PEER == 5,
	"config_role_words[]");
static_assert(ADD_PATH_OFF == 0 && ADD_PATH_RECEIVE == 1 && ADD_PATH_SEND == 2 &&
		      ADD_PATH_BOTH == 3,
	"config_add_path_words[]");

struct neighbor_config quelld_neighbor_config(
	const struct quelld *q, const struct config_neighbor *n)
{
	struct neighbor_config nc = {.address = n->address,
		.prefix = n->prefix,
		.max_dynamic = n->max,
		.remote_as = n->remote_as,
		.client = n->client,
		.passive = n->passive,
		.shutdown = n->shutdown,
		.hold_sec = n->hold_time > 0 ? (uint16_t)n->hold_time : 0,
		.no_hold = n->hold_time == 0,
		.connect_retry_sec = n->connect_retry,
		.max_routes = n->max_routes,
		.stale_sec = n->stale_time,
		.rules = quelld_policy_rules(q->policy, n),
		.role = (enum bgp_role)n->role,
		.role_strict = n->role_strict,
		.otc = n->otc,
		.add_path = (enum add_path_mode)n->add_path,
		.control_communities = n->control_communities,
		.rt_constrain = n->rt_constrain,
		.llgr_sec = n->llgr_time,
		.conservative = n->conservative};

	memcpy(nc.max_by_class, n->import.max_by_class, sizeof(nc.max_by_class));
	snprintf(nc.name, sizeof(nc.name), "%s", n->name ? n->name : "");
	return nc;
}

int quelld_neighbors_add(struct quelld *q)
{
	const struct config *c = q->config;

	for (uint32_t i = 0; i < c->neighbor_count; i++) {
		const struct config_neighbor *n = &c->neighbors[i];
		struct neighbor_config nc = quelld_neighbor_config(q, n);
		struct neighbor *made;

		if (!c->listen_count && (n->passive || !n->address.family))
			log_warning(LOG_MAIN,
				"%s: bgp.neighbors[%u] has to call, but bgp.listen is empty",
				c->file, i);
		int rc = speaker_add_neighbor(q->speaker, &nc, loop_now_ms(), &made);
		if (rc < 0) {
			log_error(LOG_MAIN, "%s: bgp.neighbors[%u]: %s", c->file, i, strerror(-rc));
			return rc;
		}
	}
	return 0;
}
