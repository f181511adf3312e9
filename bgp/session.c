/* A session: messages in become events of the state machine, its actions become messages, timers
 * and calls to the neighbour. The only place where a struct bgp_error becomes a NOTIFICATION.
 *
 * RFC 4271 sections 4.3 - 4.5, 6.1 - 6.5, 10; 2918, 6608 (by fsm.c), 9003 (through
 * notification_format(), which escapes the text), 9687 (send hold timer). What stands in an OPEN,
 * and what comes of it, is in negotiate.c.
 */
#include "bgp/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"
#include "bgp/import.h"
#include "bgp/negotiate.h"
#include "bgp/restart.h"
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

	negotiate_open(se, &o);
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

	neighbor_set_error(se, "sent", &se->fsm.error);
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
	if (open_decode(body, len, &o, &err) < 0 || negotiate_check(se, &o, &err) < 0) {
		session_event(se, FSM_OPEN_ERROR, &err, now_ms);
		return;
	}
	negotiate(se, &o);
	keep_received_open(se, body, len);
	if (!se->ctx.family_count) {
		negotiate_refusal(se, &err);
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
		neighbor_fell(se, "received a malformed NOTIFICATION");
		notified(se, FSM_NOTIFICATION, body, len, now_ms);
		return;
	}
	neighbor_set_error(se, "received", &err);
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
