/* A neighbour's life: start and stop, incoming connections, collisions, back-off.
 *
 * A neighbour has one session (`main`) for as long as things go well. A connection that comes in
 * while main already has one of its own, or tries to, gets the second (`extra`). As soon as the
 * OPEN of either comes, collision detection (RFC 4271 section 6.8, RFC 6286) leaves one: the one
 * that was opened by the side with the higher BGP identifier. Extra never outlives its connection
 * and is never shown; when it wins, the two swap places.
 */
#include "bgp/neighbor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"
#include "bgp/restart.h"
#include "lib/log.h"

#define QUEUE_OCTETS (1u << 20)
#define QUEUE_SHARED_OCTETS (8u << 20) /* of buffers that all of a group refer to */
#define STABLE_MS 60000       /* up for this long: the back-off begins anew */
#define IDLE_HOLD_MAX_SEC 120 /* of the back-off */
#define MAX_ROUTES_HOLD_SEC 60

static void idle_hold_fired(void *arg, uint64_t now_ms)
{
	struct neighbor *n = arg;

	session_event(n->main, FSM_IDLE_HOLD_EXPIRES, NULL, now_ms);
}

struct neighbor *neighbor_new(struct speaker *s, const struct neighbor_config *c)
{
	struct neighbor *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->s = s;
	n->config = *c;
	n->config.name[sizeof(n->config.name) - 1] = 0;
	n->main = &n->slot[0];
	n->extra = &n->slot[1];
	session_init(n->main, n);
	session_init(n->extra, n);
	timer_init(&n->idle_hold, idle_hold_fired, n);
	timer_init(&n->restart, restart_timer_fired, n);
	timer_init(&n->stale, restart_timer_fired, n);
	membership_init(n);
	llgr_init(n);
	n->log = LOG_LIMIT(10 + 2 * c->max_dynamic, 10000);
	n->since_ms = s->now_ms;
	ip_format(c->address, n->label);
	return n;
}

void neighbor_free(struct neighbor *n)
{
	struct timers *ts = &n->s->timers;

	session_reset(n->main);
	session_reset(n->extra);
	timers_stop(ts, &n->idle_hold);
	timers_stop(ts, &n->restart);
	timers_stop(ts, &n->stale);
	membership_free(n);
	llgr_free(n);
	txq_clear(&n->txq);
	free(n);
}

static uint16_t default_hold_sec(const struct neighbor *n)
{
	return n->config.hold_sec ? n->config.hold_sec : n->s->config.hold_sec;
}

uint16_t neighbor_hold_sec(const struct neighbor *n)
{
	return n->config.no_hold ? 0 : default_hold_sec(n);
}

size_t neighbor_queue_max(const struct neighbor *n)
{
	return n->config.queue_octets ? n->config.queue_octets : QUEUE_OCTETS;
}

size_t neighbor_queue_shared(const struct neighbor *n)
{
	return n->config.queue_octets ? n->config.queue_octets : QUEUE_SHARED_OCTETS;
}

bool neighbor_has_paths(const struct neighbor *n)
{
	for (unsigned t = 0; t < n->s->tables; t++) {
		const struct rib_peer *p = &n->s->table[t].rib.peer[n->index];
		if (p->paths || p->told || n->family[t].sweep != SWEEP_NONE)
			return true;
	}
	return false;
}

/* A session that comes and goes all the time is not to crowd out the others: each neighbour has a
 * limit of its own, or its range one that is large enough for all to come at once. */
static struct log_limit *log_limit_of(struct neighbor *n)
{
	return n->parent ? &n->parent->log : &n->log;
}

static void log_up(struct neighbor *n, const struct session *se)
{
	char id[IP_TEXT];

	log_limited(log_limit_of(n), n->s->now_ms, LOG_BGP, LOG_LEVEL_NOTICE,
		"%s%s%s%s: up: AS %u, router id %s, hold time %u s", n->label,
		n->config.name[0] ? " (" : "", n->config.name, n->config.name[0] ? ")" : "",
		n->remote_as, ip_format(ip_v4_u32(n->router_id), id), se->hold_sec);
}

static void log_down(struct neighbor *n)
{
	log_limited(log_limit_of(n), n->s->now_ms, LOG_BGP, LOG_LEVEL_NOTICE,
		"%s%s%s%s: down after %llu s: %s", n->label, n->config.name[0] ? " (" : "",
		n->config.name, n->config.name[0] ? ")" : "",
		(unsigned long long)(n->s->now_ms - n->up_ms) / 1000, n->last_error);
}

void neighbor_fell(struct session *se, const char *why)
{
	static struct log_limit limit = LOG_LIMIT(20, 10000);
	struct neighbor *n = se->n;

	snprintf(n->last_error, sizeof(n->last_error), "%s", why);
	if (!n->up || se != n->main) /* else neighbor_down() says so */
		log_limited(&limit, n->s->now_ms, LOG_BGP, LOG_LEVEL_INFO, "%s: %s", n->label,
			n->last_error);
}

void neighbor_set_error(struct session *se, const char *how, const struct bgp_error *err)
{
	char text[192], why[sizeof(se->n->last_error)];
	const char *what = err->what;

	notification_format(err, text, sizeof(text));
	if (what && strstr(text, what))
		what = NULL;
	snprintf(why, sizeof(why), "%s %s%s%s", how, text, what ? ": " : "", what ? what : "");
	neighbor_fell(se, why);
}

_Static_assert(REFUSED_MAX <= 64, "neighbor.reasons_told");

/* Loops are nothing to write of: a reflector hears its own routes from others all day. */
void neighbor_refused(struct neighbor *n, uint8_t reason)
{
	n->refused[reason]++;
	if (n->reasons_told & 1ull << reason ||
		!(reason == REFUSED_LEAK || reason == REFUSED_CROWDED ||
			reason >= REFUSED_BY_POLICY))
		return;
	n->reasons_told |= 1ull << reason;
	log_limited(log_limit_of(n), n->s->now_ms, LOG_BGP, LOG_LEVEL_WARNING,
		"%s: a route is refused: %s; see quell show neighbors, show routes --rejected",
		n->label, speaker_reason(n->s, reason));
}

void neighbor_start(struct neighbor *n, uint64_t now_ms)
{
	if (!n->config.shutdown)
		session_event(n->main, n->config.passive ? FSM_AUTO_START_PASSIVE : FSM_AUTO_START,
			NULL, now_ms);
}

void neighbor_stop(struct neighbor *n, const struct bgp_error *err, bool hard, uint64_t now_ms)
{
	struct session *se[2] = {n->extra, n->main};

	for (int i = 0; i < 2; i++) {
		se[i]->hard_reset = hard;
		session_event(se[i], FSM_MANUAL_STOP, err, now_ms);
	}
	timers_stop(&n->s->timers, &n->idle_hold);
}

static void promote(struct neighbor *n, struct session *se)
{
	if (n->extra == se) {
		n->extra = n->main;
		n->main = se;
		n->main->fsm.passive = n->config.passive;
		timers_stop(&n->s->timers, &n->idle_hold);
	}
}

/* --- connections --- */

/* The session that an incoming connection goes to, or NULL. */
static struct session *slot_for(struct neighbor *n)
{
	if (n->main->fsm.state == FSM_IDLE)
		return NULL; /* "refuses all incoming BGP connections" */
	if (n->main->fsm.state == FSM_ACTIVE)
		return n->main;
	/* A newer call makes an older one doubtful that has not said a word yet. */
	if (n->extra->fsm.state != FSM_IDLE && n->extra->open_seen)
		return NULL;
	session_reset(n->extra);
	session_event(n->extra, FSM_AUTO_START_PASSIVE, NULL, n->s->now_ms);
	return n->extra;
}

struct conn *neighbor_accept(struct neighbor *n, struct ip remote, struct ip local, uint64_t now_ms)
{
	struct session *se = slot_for(n);
	struct conn *c = se ? conn_new(n->s, n, se, true) : NULL;

	if (!c)
		return NULL;
	c->remote = remote;
	c->local = local;
	se->conn = c;
	session_event(se, FSM_TCP_CONFIRMED, NULL, now_ms);
	return c;
}

/* True if the connection that we opened is to stay rather than the one the peer opened. */
static bool ours_wins(const struct neighbor *n, const struct bgp_open *o)
{
	const struct speaker_config *c = &n->s->config;

	if (c->router_id != o->bgp_id)
		return c->router_id > o->bgp_id;
	return c->as > o->as; /* RFC 6286 section 2.3 */
}

bool neighbor_collision(struct neighbor *n, struct session *se, uint64_t now_ms)
{
	struct session *other = se == n->main ? n->extra : n->main;
	bool stays;

	/* In OpenSent the peer's identifier is not known from that connection, but it is the same
	 * peer. */
	if (!other->conn || other->fsm.state < FSM_OPENSENT)
		return true;
	if (other->fsm.state == FSM_ESTABLISHED) {
		/* RFC 4724 section 4.2: a peer that restarts gracefully calls again because it has
		 * restarted, so it is the old connection that is dead. */
		if (other->gr && other->open.gr_family_count) {
			neighbor_fell(other, "it called again, so it has restarted");
			session_event(other, FSM_TCP_FAILS, NULL, now_ms);
			return true;
		}
		stays = false;
	} else if (se->conn->incoming == other->conn->incoming) {
		stays = true;
	} else {
		stays = se->conn->incoming != ours_wins(n, &se->open);
	}
	promote(n, stays ? se : other);
	session_event(stays ? other : se, FSM_COLLISION_DUMP, NULL, now_ms);
	return stays;
}

/* --- what sessions tell --- */

static unsigned back_off_sec(const struct neighbor *n)
{
	unsigned sec;

	if (n->falls <= 1)
		return 0;
	sec = n->falls - 2 < 7 ? 1u << (n->falls - 2) : IDLE_HOLD_MAX_SEC;
	return sec < IDLE_HOLD_MAX_SEC ? sec : IDLE_HOLD_MAX_SEC;
}

/* The first fall costs nothing, and a connection that is lost without a word is not the peer's
 * fault; who falls again and again waits longer and longer. */
void neighbor_idle_hold(struct neighbor *n, struct session *se, uint64_t now_ms)
{
	uint64_t ms;

	if (se != n->main)
		return;
	if (se->fell_by != FSM_TCP_FAILS || !n->was_up || now_ms - n->up_ms < 1000)
		n->falls++;
	n->was_up = false;
	ms = speaker_jitter(n->s, 1000ull * back_off_sec(n));
	if (ms < 1000ull * n->hold_floor_sec)
		ms = 1000ull * n->hold_floor_sec;
	n->hold_floor_sec = 0;
	timers_start(&n->s->timers, &n->idle_hold, now_ms + ms);
}

void neighbor_up(struct neighbor *n, struct session *se, uint64_t now_ms)
{
	if (se == n->extra) {
		promote(n, se);
		session_reset(n->extra);
	}
	n->up = true;
	n->up_ms = now_ms;
	n->ibgp = se->ibgp;
	n->router_id = se->open.bgp_id;
	n->remote_as = se->open.as;
	n->local = se->conn->local;
	log_up(n, se);
	n->reasons_told = 0;
	restart_session_up(n, se, now_ms);
	if (n->s->monitor)
		n->s->monitor->up(n->s->monitor->arg, n);
}

void neighbor_down(struct neighbor *n, struct session *se, uint64_t now_ms)
{
	log_down(n);
	n->up = false;
	n->was_up = true;
	n->flaps++;
	if (now_ms - n->up_ms >= STABLE_MS)
		n->falls = 0;
	if (se->hard_reset && se->fell_by == FSM_AUTO_STOP)
		n->hold_floor_sec = MAX_ROUTES_HOLD_SEC;
	if (se->conn)
		conn_finish_message(se->conn, &n->txq);
	txq_clear(&n->txq);
	restart_session_down(n, se, now_ms);
}

void neighbor_settle(struct neighbor *n, struct session *se, uint64_t now_ms)
{
	enum fsm_state state;

	if (se == n->extra && se->fsm.state < FSM_OPENSENT && se->fell_by != FSM_AUTO_START_PASSIVE)
		session_reset(se);
	if (se == n->main && se->fsm.state == FSM_IDLE && n->extra->fsm.state >= FSM_OPENSENT) {
		promote(n, n->extra);
		session_reset(n->extra);
	}
	state = n->main->fsm.state;
	if (n->extra->fsm.state > state)
		state = n->extra->fsm.state;
	if (state == n->state)
		return;
	n->state = state;
	n->since_ms = now_ms;
	speaker_tell_neighbor(n);
}
