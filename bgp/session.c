/* A session: messages in become events of the state machine, its actions become messages, timers
 * and calls to the neighbour. The only place where a struct bgp_error becomes a NOTIFICATION.
 *
 * RFC 4271 sections 4.2 - 4.5, 6.1 - 6.5, 10; 6286 (identifiers), 6608 (by fsm.c), 7607 (AS 0),
 * 9003 (through notification_format(), which escapes the text), 9687 (send hold timer). OPEN checks
 * are here; their codec is in open.c.
 */
#include "bgp/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"
#include "bgp/import.h"
#include "bgp/llgr.h"
#include "bgp/restart.h"
#include "bgp/roles.h"
#include "lib/log.h"

#define HOLD_LARGE_SEC 240
#define SEND_HOLD_MIN_SEC 480
#define CONNECT_RETRY_SEC 5 /* RFC 4271 suggests 120; on one LAN nobody wants to wait that long */

static void retry_fired(void *arg, uint64_t now_ms)
{
	session_event(arg, FSM_CONNECT_RETRY_EXPIRES, NULL, now_ms);
}

static void hold_fired(void *arg, uint64_t now_ms)
{
	session_event(arg, FSM_HOLD_EXPIRES, NULL, now_ms);
}

static void keepalive_fired(void *arg, uint64_t now_ms)
{
	session_event(arg, FSM_KEEPALIVE_EXPIRES, NULL, now_ms);
}

static void send_hold_fired(void *arg, uint64_t now_ms)
{
	session_event(arg, FSM_SEND_HOLD_EXPIRES, NULL, now_ms);
}

void session_init(struct session *se, struct neighbor *n)
{
	*se = (struct session){.n = n};
	timer_init(&se->retry, retry_fired, se);
	timer_init(&se->hold, hold_fired, se);
	timer_init(&se->keepalive, keepalive_fired, se);
	timer_init(&se->send_hold, send_hold_fired, se);
}

void session_reset(struct session *se)
{
	struct timers *ts = &se->n->s->timers;

	timers_stop(ts, &se->retry);
	timers_stop(ts, &se->hold);
	timers_stop(ts, &se->keepalive);
	timers_stop(ts, &se->send_hold);
	if (se->conn)
		conn_drop(se->conn);
	free(se->sent_open);
	free(se->received_open);
	session_init(se, se->n);
}

/* Our OPEN always says that we read long messages, so the peer may send them whether or not it can
 * read them itself (RFC 8654 section 4). Before its OPEN there is none to be long. */
size_t session_msg_max(const struct session *se)
{
	return se->open_seen ? BGP_MSG_EXTENDED_MAX : BGP_MSG_MAX;
}

/* Roles are between ASes. */
static enum bgp_role role_towards(const struct session *se, uint32_t as)
{
	return as != se->n->s->config.as ? se->n->config.role : ROLE_NONE;
}

enum bgp_role session_otc_role(const struct session *se)
{
	return se->n->config.otc ? role_towards(se, se->open.as) : ROLE_NONE;
}

/* --- timers --- */

static void start_timer(struct session *se, struct timer *t, uint64_t now_ms, uint64_t ms)
{
	timers_start(&se->n->s->timers, t, now_ms + ms);
}

static uint64_t retry_ms(struct session *se)
{
	uint32_t sec = se->n->config.connect_retry_sec;

	return speaker_jitter(se->n->s, 1000ull * (sec ? sec : CONNECT_RETRY_SEC));
}

static uint64_t send_hold_ms(const struct session *se)
{
	uint64_t twice = 2ull * se->hold_sec;

	return 1000 * (twice > SEND_HOLD_MIN_SEC ? twice : SEND_HOLD_MIN_SEC);
}

void session_sending(struct session *se, uint64_t now_ms)
{
	if (!timer_running(&se->send_hold))
		start_timer(se, &se->send_hold, now_ms, send_hold_ms(se));
}

void session_sent(struct session *se, uint64_t now_ms)
{
	if (conn_unsent(se->conn))
		start_timer(se, &se->send_hold, now_ms, send_hold_ms(se));
	else
		timers_stop(&se->n->s->timers, &se->send_hold);
}

/* --- messages out --- */

static bool is_offered(const struct session *se, unsigned table)
{
	return se->n->s->table[table].family != &rtc_family || se->n->config.rt_constrain;
}

/* Membership is told whoever is best, so several paths of it are of no use. */
static uint8_t add_path_offered(const struct session *se, unsigned table)
{
	return se->n->s->table[table].family == &rtc_family ? 0 : (uint8_t)se->n->config.add_path;
}

static void fill_open(const struct session *se, struct bgp_open *o)
{
	const struct speaker *s = se->n->s;

	*o = (struct bgp_open){
		.as = s->config.as,
		.hold_sec = neighbor_hold_sec(se->n),
		.bgp_id = s->config.router_id,
		.as4 = true,
		.route_refresh = true,
		.enhanced_refresh = true,
		.extended_message = true,
		.role = roles_value(role_towards(se, se->n->config.remote_as)),
		.gr = s->config.restart_sec > 0,
		.gr_notification = s->config.restart_sec > 0,
		.gr_restart_sec =
			s->config.restart_sec > 4095 ? 4095 : (uint16_t)s->config.restart_sec,
		.gr_restarting = s->config.restart_sec > 0 && restart_is_restarting(s),
	};
	llgr_fill_open(se, o);
	for (unsigned i = 0; i < s->tables; i++) {
		struct bgp_afi_safi f = {s->table[i].family->afi, s->table[i].family->safi};
		if (!is_offered(se, i))
			continue;
		o->families[o->family_count++] = f;
		if (add_path_offered(se, i))
			o->add_path[o->add_path_count++] =
				(struct open_add_path){f, add_path_offered(se, i)};
		/* The data plane is the kernel's, so forwarding goes on whatever becomes of us. */
		if (o->gr)
			o->gr_families[o->gr_family_count++] = (struct open_gr_family){f, true};
	}
}

/* Always: a monitoring station may be added to the configuration while the session stands. Without memory the
 * stations do not hear of this session. */
static void keep_open(uint8_t **p, uint16_t *len, const uint8_t *msg, size_t msg_len)
{
	free(*p);
	*p = malloc(msg_len);
	*len = *p ? (uint16_t)msg_len : 0;
	if (*p)
		memcpy(*p, msg, msg_len);
}

static void send_open(struct session *se)
{
	uint8_t buf[BGP_MSG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct bgp_open o;

	fill_open(se, &o);
	open_encode(&w, &o);
	keep_open(&se->sent_open, &se->sent_open_len, buf, writer_len(&w));
	if (conn_control(se->conn, buf, writer_len(&w)))
		se->n->msgs_out++;
}

static void send_keepalive(struct session *se)
{
	uint8_t buf[BGP_HEADER_LEN];
	struct writer w = writer_of(buf, sizeof(buf));

	/* A peer that does not read would gather them. */
	if (se->fsm.state == FSM_ESTABLISHED && se->conn->ctl_sent < se->conn->ctl_len)
		return;
	keepalive_encode(&w);
	if (conn_control(se->conn, buf, writer_len(&w)))
		se->n->msgs_out++;
}

bool session_ask_refresh(struct session *se)
{
	const struct speaker *s = se->n->s;
	uint8_t buf[BGP_HEADER_LEN + 4];

	if (!se->refresh || !se->conn)
		return false;
	for (unsigned t = 0; t < s->tables; t++) {
		const struct bgp_family *f = s->table[t].family;
		struct bgp_refresh r = {{f->afi, f->safi}, REFRESH_REQUEST};
		struct writer w = writer_of(buf, sizeof(buf));
		if (!se->family[t])
			continue;
		refresh_encode(&w, &r);
		if (conn_control(se->conn, buf, writer_len(&w)))
			se->n->msgs_out++;
	}
	return true;
}

/* RFC 8538 section 3.1: a hard reset carries the true error in its data. */
static struct bgp_error hard_reset_of(const struct bgp_error *e)
{
	struct bgp_error h = {
		.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_HARD_RESET, .what = e->what};
	size_t len = e->data_len < sizeof(h.data) - 2 ? e->data_len : sizeof(h.data) - 2;

	h.data[0] = e->code;
	h.data[1] = e->subcode;
	memcpy(h.data + 2, e->data, len);
	h.data_len = (uint8_t)(len + 2);
	return h;
}

void session_notification(const struct session *se, struct writer *w)
{
	const struct bgp_error *e = &se->fsm.error;
	struct bgp_error hard;

	if (se->hard_reset && se->gr && se->gr_notification) {
		hard = hard_reset_of(e);
		e = &hard;
	}
	notification_encode(w, e);
}

static void send_notification(struct session *se)
{
	uint8_t buf[BGP_HEADER_LEN + 2 + BGP_ERROR_DATA_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	neighbor_set_error(se->n, "sent", &se->fsm.error);
	if (!se->conn)
		return;
	session_notification(se, &w);
	if (writer_ok(&w) && conn_control(se->conn, buf, writer_len(&w)))
		se->n->msgs_out++;
}

/* --- the machine's actions --- */

static void connect_out(struct session *se)
{
	se->conn = conn_new(se->n->s, se->n, se, false);
	if (!se->conn)
		return; /* ConnectRetry tries again */
	se->conn->remote = se->n->config.address;
	conn_want_connect(se->conn);
}

/* Never more often than one a second (RFC 4271 section 4.4), whatever the jitter. */
static void start_keepalive(struct session *se, uint64_t now_ms)
{
	uint64_t ms = speaker_jitter(se->n->s, 1000ull * se->hold_sec / 3);

	if (se->hold_sec)
		start_timer(se, &se->keepalive, now_ms, ms < 1000 ? 1000 : ms);
}

static void act_on_connection(struct session *se, uint32_t actions, uint64_t now_ms)
{
	if (actions & FSM_DO_NOTIFY)
		send_notification(se);
	if (actions & FSM_DO_DOWN && se->n->s->monitor)
		monitor_down(se, actions & FSM_DO_NOTIFY);
	if (actions & FSM_DO_DOWN)
		neighbor_down(se->n, se, now_ms);
	if (actions & FSM_DO_DROP && se->conn) {
		struct conn *c = se->conn;
		timers_stop(&se->n->s->timers, &se->send_hold);
		se->conn = NULL;
		conn_drop(c);
	}
	if (actions & FSM_DO_CONNECT)
		connect_out(se);
	if (actions & FSM_DO_OPEN)
		send_open(se);
	if (actions & FSM_DO_KEEPALIVE)
		send_keepalive(se);
}

static void act_on_timers(struct session *se, uint32_t actions, uint64_t now_ms)
{
	if (actions & FSM_DO_START_RETRY)
		start_timer(se, &se->retry, now_ms, retry_ms(se));
	if (actions & FSM_DO_HOLD_LARGE)
		start_timer(se, &se->hold, now_ms, 1000ull * HOLD_LARGE_SEC);
	if (actions & FSM_DO_START_HOLD && se->hold_sec)
		start_timer(se, &se->hold, now_ms, 1000ull * se->hold_sec);
	/* Who wants no hold timer has to come as far as Established, or it would keep its place for
	 * ever. */
	if (actions & FSM_DO_START_HOLD && !se->hold_sec && se->fsm.state == FSM_OPENCONFIRM)
		start_timer(se, &se->hold, now_ms, 1000ull * HOLD_LARGE_SEC);
	if (actions & FSM_DO_UP && !se->hold_sec)
		timers_stop(&se->n->s->timers, &se->hold);
	if (actions & FSM_DO_START_KEEPALIVE)
		start_keepalive(se, now_ms);
}

/* What was agreed with the last peer does not hold for the next connection. */
static void forget_peer(struct session *se)
{
	struct session blank = {.n = se->n};

	se->open_seen = false;
	se->open = blank.open;
	se->as4 = se->extended = se->refresh = se->enhanced_refresh = false;
	se->gr = se->gr_notification = se->hard_reset = false;
	se->hold_sec = 0;
	memset(se->family, 0, sizeof(se->family));
}

uint32_t session_event(
	struct session *se, enum fsm_event event, const struct bgp_error *err, uint64_t now_ms)
{
	struct timers *ts = &se->n->s->timers;
	enum fsm_state was = se->fsm.state;
	uint32_t actions;

	if (event == FSM_TCP_ACKED || event == FSM_TCP_CONFIRMED)
		forget_peer(se);
	se->fell_by = event;
	actions = fsm_run(&se->fsm, event, err);
	if (actions & FSM_DO_STOP_RETRY)
		timers_stop(ts, &se->retry);
	if (actions & FSM_DO_STOP_HOLD)
		timers_stop(ts, &se->hold);
	if (actions & FSM_DO_STOP_KEEPALIVE)
		timers_stop(ts, &se->keepalive);
	act_on_connection(se, actions, now_ms);
	act_on_timers(se, actions, now_ms);
	if (actions & FSM_DO_IDLE_HOLD)
		neighbor_idle_hold(se->n, se, now_ms);
	if (actions & FSM_DO_UP)
		neighbor_up(se->n, se, now_ms);
	if (se->fsm.state != was)
		neighbor_settle(se->n, se, now_ms);
	return actions & (FSM_DO_UPDATE | FSM_DO_REFRESH);
}

/* --- OPEN --- */

/* RFC 7911 section 4: what one side sends the other must want to receive. */
static uint8_t add_path_agreed(const struct session *se, unsigned table, const struct bgp_open *o)
{
	const struct bgp_family *f = se->n->s->table[table].family;
	uint8_t ours = add_path_offered(se, table), theirs = 0;

	for (unsigned i = 0; i < o->add_path_count; i++)
		if (o->add_path[i].family.afi == f->afi && o->add_path[i].family.safi == f->safi)
			theirs = o->add_path[i].mode;
	return (ours & ADD_PATH_RECEIVE && theirs & ADD_PATH_SEND ? ADD_PATH_RECEIVE : 0) |
	       (ours & ADD_PATH_SEND && theirs & ADD_PATH_RECEIVE ? ADD_PATH_SEND : 0);
}

static bool add_path_in(const void *arg, const struct bgp_family *f)
{
	const struct session *se = arg;
	const struct speaker *s = se->n->s;

	for (unsigned t = 0; t < s->tables; t++)
		if (s->table[t].family == f)
			return se->add_path[t] & ADD_PATH_RECEIVE;
	return false;
}

static void negotiate(struct session *se, const struct bgp_open *o)
{
	const struct speaker *s = se->n->s;
	uint16_t ours = neighbor_hold_sec(se->n);

	se->open = *o;
	se->open_seen = true;
	se->ibgp = o->as == s->config.as;
	se->as4 = o->as4;
	se->extended = o->extended_message;
	se->refresh = o->route_refresh;
	se->enhanced_refresh = o->enhanced_refresh;
	se->gr = o->gr && s->config.restart_sec > 0;
	se->gr_notification = se->gr && o->gr_notification;
	se->hold_sec = o->hold_sec < ours ? o->hold_sec : ours;
	se->ctx = (struct update_ctx){
		.as4 = o->as4,
		.ibgp = se->ibgp,
		.local_as = s->config.as,
		.families = se->families,
		.add_path = add_path_in,
		.add_path_arg = se,
	};
	for (unsigned t = 0; t < s->tables; t++) {
		const struct bgp_family *f = s->table[t].family;
		se->family[t] = !o->family_count && f->afi == AFI_IPV4 && f->safi == SAFI_UNICAST;
		for (unsigned i = 0; is_offered(se, t) && i < o->family_count; i++)
			se->family[t] |=
				o->families[i].afi == f->afi && o->families[i].safi == f->safi;
		if (se->family[t])
			se->families[se->ctx.family_count++] = f;
		se->add_path[t] = add_path_agreed(se, t, o);
	}
}

static int refuse(struct bgp_error *ret, uint8_t subcode, const char *what)
{
	*ret = (struct bgp_error){.code = BGP_ERR_OPEN, .subcode = subcode, .what = what};
	return -EBADMSG;
}

/* RFC 5492 section 5: the capabilities that we require and miss are in the data. */
static int refuse_families(const struct session *se, struct bgp_error *ret)
{
	const struct speaker *s = se->n->s;

	refuse(ret, BGP_OPEN_CAPABILITY, "no address family in common");
	for (unsigned t = 0; t < s->tables && ret->data_len + 6u <= sizeof(ret->data); t++) {
		const struct bgp_family *f = s->table[t].family;
		uint8_t cap[6] = {1, 4, (uint8_t)(f->afi >> 8), (uint8_t)f->afi, 0, f->safi};
		if (!is_offered(se, t))
			continue;
		memcpy(ret->data + ret->data_len, cap, sizeof(cap));
		ret->data_len += sizeof(cap);
	}
	return -EBADMSG;
}

static int open_check(const struct session *se, const struct bgp_open *o, struct bgp_error *ret)
{
	const struct speaker *s = se->n->s;
	uint32_t want = se->n->config.remote_as;

	if (o->as == 0 || (o->as == AS_TRANS && !o->as4 && want != AS_TRANS))
		return refuse(ret, BGP_OPEN_PEER_AS, "AS 0 or AS_TRANS as the peer's AS");
	if (want && o->as != want)
		return refuse(ret, BGP_OPEN_PEER_AS, "not the AS that is configured");
	if (o->bgp_id == 0)
		return refuse(ret, BGP_OPEN_BGP_ID, "BGP identifier 0.0.0.0");
	if (o->as == s->config.as && o->bgp_id == s->config.router_id)
		return refuse(ret, BGP_OPEN_BGP_ID, "our own BGP identifier");
	if (o->hold_sec == 1 || o->hold_sec == 2)
		return refuse(ret, BGP_OPEN_HOLD_TIME, "hold time of 1 or 2 s");
	const char *why = roles_mismatch(role_towards(se, o->as), se->n->config.role_strict, o->role);
	if (why)
		return refuse(ret, BGP_OPEN_ROLE, why);
	return 0;
}

bool session_add_path_in(const struct session *se, const struct bgp_family *f)
{
	return se->ctx.add_path && se->ctx.add_path(se->ctx.add_path_arg, f);
}

static void keep_received_open(struct session *se, const uint8_t *body, size_t len)
{
	uint8_t buf[BGP_MSG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t mark = bgp_msg_begin(&w, BGP_OPEN);

	writer_bytes(&w, body, len);
	bgp_msg_finish(&w, mark);
	if (writer_ok(&w))
		keep_open(&se->received_open, &se->received_open_len, buf, writer_len(&w));
}

static void handle_open(struct session *se, const uint8_t *body, size_t len, uint64_t now_ms)
{
	struct bgp_open o;
	struct bgp_error err;

	if (se->fsm.state != FSM_OPENSENT) {
		session_event(se, FSM_OPEN, NULL, now_ms);
		return;
	}
	if (open_decode(body, len, &o, &err) < 0 || open_check(se, &o, &err) < 0) {
		session_event(se, FSM_OPEN_ERROR, &err, now_ms);
		return;
	}
	negotiate(se, &o);
	keep_received_open(se, body, len);
	if (!se->ctx.family_count) {
		refuse_families(se, &err);
		session_event(se, FSM_OPEN_ERROR, &err, now_ms);
		return;
	}
	if (neighbor_collision(se->n, se, now_ms))
		session_event(se, FSM_OPEN, NULL, now_ms);
}

/* --- messages in --- */

static void handle_update(struct session *se, const uint8_t *body, size_t len, uint64_t now_ms)
{
	struct update u;
	struct bgp_error err;
	uint64_t odd;

	if (se->fsm.state != FSM_ESTABLISHED) {
		session_event(se, FSM_UPDATE, NULL, now_ms);
		return;
	}
	se->n->updates_in++;
	if (update_decode(body, len, &se->ctx, &u, &err) < 0) {
		session_event(se, FSM_UPDATE_ERROR, &err, now_ms);
		return;
	}
	if (!(session_event(se, FSM_UPDATE, NULL, now_ms) & FSM_DO_UPDATE))
		return;
	odd = monitor_odd(se->n);
	if (import_update(se, &u, &err) < 0) {
		se->hard_reset = err.code == BGP_ERR_CEASE;
		session_event(se, err.code == BGP_ERR_CEASE ? FSM_AUTO_STOP : FSM_UPDATE_ERROR,
			&err, now_ms);
	} else if (se->n->s->monitor) {
		monitor_update(se, (struct span){body, (uint16_t)len}, &u, odd);
	}
}

static void notified(struct session *se, enum fsm_event event, const uint8_t *body, size_t len,
	uint64_t now_ms)
{
	se->notification = (struct span){body, (uint16_t)len};
	session_event(se, event, NULL, now_ms);
	se->notification = (struct span){0};
}

static void handle_notification(
	struct session *se, const uint8_t *body, size_t len, uint64_t now_ms)
{
	struct bgp_error err;

	if (notification_decode(body, len, &err) < 0) {
		session_tcp_lost(se, "received a malformed NOTIFICATION");
		notified(se, FSM_NOTIFICATION, body, len, now_ms);
		return;
	}
	neighbor_set_error(se->n, "received", &err);
	se->hard_reset = err.code == BGP_ERR_CEASE && err.subcode == BGP_CEASE_HARD_RESET;
	notified(se,
		err.code == BGP_ERR_OPEN && err.subcode == BGP_OPEN_VERSION
			? FSM_NOTIFICATION_VERSION
			: FSM_NOTIFICATION,
		body, len, now_ms);
}

static void handle_refresh(struct session *se, const uint8_t *body, size_t len, uint64_t now_ms)
{
	struct speaker *s = se->n->s;
	struct bgp_refresh r;
	struct bgp_error err;
	int verdict;

	if (!(session_event(se, FSM_ROUTE_REFRESH, NULL, now_ms) & FSM_DO_REFRESH))
		return;
	verdict = refresh_decode(body, len, &r, &err);
	if (verdict < 0) {
		session_event(se, FSM_HEADER_ERROR, &err, now_ms);
		return;
	}
	for (unsigned t = 0; verdict == 0 && t < s->tables; t++)
		if (se->family[t] && s->table[t].family->afi == r.family.afi &&
			s->table[t].family->safi == r.family.safi)
			restart_refresh_in(se->n, &s->table[t], r.subtype);
}

void session_message(
	struct session *se, uint8_t type, const uint8_t *body, size_t len, uint64_t now_ms)
{
	se->n->msgs_in++;
	switch (type) {
	case BGP_OPEN:
		handle_open(se, body, len, now_ms);
		break;
	case BGP_UPDATE:
		handle_update(se, body, len, now_ms);
		break;
	case BGP_NOTIFICATION:
		handle_notification(se, body, len, now_ms);
		break;
	case BGP_KEEPALIVE:
		session_event(se, FSM_KEEPALIVE, NULL, now_ms);
		break;
	case BGP_ROUTE_REFRESH:
		handle_refresh(se, body, len, now_ms);
		break;
	}
}

void session_bad_header(struct session *se, const struct bgp_error *err, uint64_t now_ms)
{
	session_event(se, FSM_HEADER_ERROR, err, now_ms);
}

void session_tcp_lost(struct session *se, const char *how)
{
	static struct log_limit limit = LOG_LIMIT(20, 10000);

	strncpy(se->n->last_error, how, sizeof(se->n->last_error) - 1);
	log_limited(&limit, se->n->s->now_ms, LOG_BGP, LOG_LEVEL_INFO, "%s: %s", se->n->label, how);
}
