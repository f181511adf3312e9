/* A configuration that changes under sessions that go on, and what an operator may do to one of them.
 *
 * Each field costs what it has to and no more. What stands in the OPEN that the neighbour has got can only be told in
 * a new one: Cease 6/6, not a hard reset, so both sides keep the routes if they have agreed on that (RFC 8538 section
 * 5.1). Who it is, and which kind of neighbour, decides what all others have been told of its routes: then it goes,
 * with its routes, and another comes. Everything else is taken from where it stands, and what follows from it at once
 * is done here. Bystanders see nothing but routes that really went.
 *
 * RFC 4486 (subcodes), RFC 8538 section 5.1. What a new import policy means for routes that are there: recheck.c.
 */
#include <errno.h>
#include <string.h>

#include "bgp/engine.h"
#include "bgp/limit.h"
#include "bgp/membership.h"
#include "bgp/recheck.h"
#include "bgp/restart.h"
#include "bgp/speaker.h"

struct neighbor *speaker_find_neighbor(
	const struct speaker *s, struct ip address, const struct prefix *range)
{
	for (size_t i = 1; address.family && i < s->neighbors; i++)
		if (s->neighbor[i] && !s->neighbor[i]->removed &&
			ip_eq(s->neighbor[i]->config.address, address))
			return s->neighbor[i];
	for (size_t i = 0; range && i < s->ranges; i++) {
		const struct prefix *p = &s->range[i]->config.prefix;
		if (p->len == range->len && ip_eq(p->ip, range->ip))
			return s->range[i];
	}
	return NULL;
}

/* --- what a change means --- */

static bool is_another(const struct neighbor_config *a, const struct neighbor_config *b)
{
	return !ip_eq(a->address, b->address) || a->prefix.len != b->prefix.len ||
	       !ip_eq(a->prefix.ip, b->prefix.ip) || a->remote_as != b->remote_as ||
	       a->client != b->client;
}

static uint16_t hold_sec(const struct speaker *s, const struct neighbor_config *c)
{
	if (c->no_hold)
		return 0;
	return c->hold_sec ? c->hold_sec : s->config.hold_sec;
}

/* In the OPEN, or in how all of a session's messages are read and written. */
static bool says_otherwise(
	const struct speaker *s, const struct neighbor_config *a, const struct neighbor_config *b)
{
	return hold_sec(s, a) != hold_sec(s, b) || a->role != b->role ||
	       a->role_strict != b->role_strict || a->otc != b->otc || a->add_path != b->add_path ||
	       a->control_communities != b->control_communities ||
	       a->rt_constrain != b->rt_constrain || a->llgr_sec != b->llgr_sec ||
	       a->conservative != b->conservative;
}

static bool sets_otherwise(const struct neighbor_config *a, const struct neighbor_config *b)
{
	return strcmp(a->name, b->name) != 0 || a->passive != b->passive ||
	       a->connect_retry_sec != b->connect_retry_sec || a->max_routes != b->max_routes ||
	       a->stale_sec != b->stale_sec || a->queue_octets != b->queue_octets ||
	       a->max_dynamic != b->max_dynamic || a->rules != b->rules ||
	       memcmp(a->max_by_class, b->max_by_class, sizeof(a->max_by_class)) != 0;
}

/* --- one neighbour --- */

/* A stop and a start, so that it begins at once and without a back-off: it has done nothing wrong. */
static void begin_anew(struct neighbor *n, struct bgp_error e, bool hard, uint64_t now_ms)
{
	neighbor_stop(n, &e, hard, now_ms);
	n->falls = 0;
	n->hold_floor_sec = 0;
	if (!n->s->stopping)
		neighbor_start(n, now_ms);
}

static void shut_down(struct neighbor *n, const char *communication, uint64_t now_ms)
{
	struct bgp_error e = notification_cease(BGP_CEASE_SHUTDOWN, communication);

	neighbor_stop(n, &e, true, now_ms);
	restart_purge(n);
}

/* Who is not connected yet begins anew the other way. */
static void set_passive(struct neighbor *n, uint64_t now_ms)
{
	enum fsm_state state = n->main->fsm.state;

	n->main->fsm.passive = n->config.passive;
	if (state != FSM_CONNECT && state != FSM_ACTIVE)
		return;
	session_event(n->main, FSM_MANUAL_STOP, NULL, now_ms);
	neighbor_start(n, now_ms);
}

static void check_limit(struct neighbor *n, uint64_t now_ms)
{
	struct bgp_error e;

	if (!n->up || limit_check_all(n, &e) == 0)
		return;
	n->main->hard_reset = true;
	session_event(n->main, FSM_AUTO_STOP, &e, now_ms);
}

static enum neighbor_change change(
	struct neighbor *n, const struct neighbor_config *c, uint64_t now_ms)
{
	struct neighbor_config was = n->config;
	struct bgp_error e = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_CONFIG_CHANGE};

	n->config = *c;
	n->config.name[sizeof(n->config.name) - 1] = 0;
	if (was.shutdown && c->shutdown)
		return NEIGHBOR_IN_PLACE;
	if (c->shutdown) {
		shut_down(n, NULL, now_ms);
		return NEIGHBOR_RESET;
	}
	if (was.shutdown) {
		neighbor_start(n, now_ms);
		return NEIGHBOR_IN_PLACE;
	}
	if (was.rules != c->rules)
		recheck_begin(n->s, n);
	if (says_otherwise(n->s, &was, c)) {
		begin_anew(n, e, false, now_ms);
		return NEIGHBOR_RESET;
	}
	if (!sets_otherwise(&was, c))
		return NEIGHBOR_SAME;
	if (was.passive != c->passive)
		set_passive(n, now_ms);
	check_limit(n, now_ms);
	return NEIGHBOR_IN_PLACE;
}

/* --- ranges --- */

static struct neighbor_config of_dynamic(const struct neighbor *n, const struct neighbor_config *c)
{
	struct neighbor_config own = *c;

	own.address = n->config.address;
	own.passive = true;
	return own;
}

static enum neighbor_change change_range(
	struct neighbor *range, const struct neighbor_config *c, uint64_t now_ms)
{
	enum neighbor_change most = NEIGHBOR_SAME;
	struct speaker *s = range->s;

	if (c->shutdown != range->config.shutdown || sets_otherwise(&range->config, c))
		most = NEIGHBOR_IN_PLACE;
	range->config = *c;
	for (size_t i = 1; i < s->neighbors; i++) {
		struct neighbor *n = s->neighbor[i];
		if (!n || n->parent != range || n->removed)
			continue;
		struct neighbor_config own = of_dynamic(n, c);
		enum neighbor_change one = change(n, &own, now_ms);
		if (one > most)
			most = one;
	}
	return most;
}

int speaker_change_neighbor(
	struct speaker *s, struct neighbor *n, const struct neighbor_config *c, uint64_t now_ms)
{
	s->now_ms = now_ms;
	if (is_another(&n->config, c)) {
		speaker_remove_neighbor(s, n, now_ms);
		int r = speaker_add_neighbor(s, c, now_ms, NULL);
		return r < 0 ? r : NEIGHBOR_ANEW;
	}
	enum neighbor_change r = n->range ? change_range(n, c, now_ms) : change(n, c, now_ms);
	membership_update_default(s);
	restart_check_converged(s);
	return r;
}

void speaker_reset_neighbor(struct speaker *s, struct neighbor *n, uint8_t subcode,
	const char *communication, bool hard, uint64_t now_ms)
{
	struct bgp_error e = notification_cease(subcode, communication);

	s->now_ms = now_ms;
	for (size_t i = 1; i < s->neighbors; i++) {
		struct neighbor *o = s->neighbor[i];
		if (o && !o->removed && !o->config.shutdown &&
			(o == n || (n->range && o->parent == n)))
			begin_anew(o, e, hard, now_ms);
	}
}

int speaker_shutdown_neighbor(struct speaker *s, struct neighbor *n, bool down,
	const char *communication, uint64_t now_ms)
{
	s->now_ms = now_ms;
	if (n->dynamic || n->range)
		return -EOPNOTSUPP;
	if (n->config.shutdown == down)
		return -EALREADY;
	n->config.shutdown = down;
	if (down)
		shut_down(n, communication, now_ms);
	else if (!s->stopping)
		neighbor_start(n, now_ms);
	membership_update_default(s);
	restart_check_converged(s);
	return 0;
}

int speaker_refresh(struct speaker *s, struct neighbor *n, uint64_t now_ms)
{
	s->now_ms = now_ms;
	if (!n->up)
		return -ENOTCONN;
	return session_ask_refresh(n->main) ? 0 : -EOPNOTSUPP;
}

/* --- the speaker --- */

static bool notices(const struct neighbor *n, bool hold, bool cluster)
{
	return (hold && !n->config.hold_sec && !n->config.no_hold) || (cluster && n->up && n->ibgp);
}

void speaker_change(struct speaker *s, const struct speaker_config *c, uint64_t now_ms)
{
	uint32_t cluster_id = c->cluster_id ? c->cluster_id : c->router_id;
	bool hold = c->hold_sec != s->config.hold_sec, cluster = cluster_id != s->cluster_id;

	s->now_ms = now_ms;
	s->config.cluster_id = c->cluster_id;
	s->cluster_id = cluster_id;
	s->config.hold_sec = c->hold_sec;
	s->config.restart_sec = c->restart_sec;
	s->config.defer_sec = c->defer_sec;
	for (size_t i = 1; i < s->neighbors; i++)
		if (s->neighbor[i] && notices(s->neighbor[i], hold, cluster))
			speaker_reset_neighbor(
				s, s->neighbor[i], BGP_CEASE_CONFIG_CHANGE, NULL, false, now_ms);
}
