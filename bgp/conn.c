/* Octets in, octets out. A message is handed on from where it lies in the daemon's buffer; only
 * what is cut by the end of a read is copied. Outgoing, control messages have a small buffer of
 * their own that goes before the queue of UPDATEs, but never into the middle of one. */
#include "bgp/conn.h"

#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"

#define CTL_MAX 65536

struct conn *conn_new(struct speaker *s, struct neighbor *n, struct session *se, bool incoming)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->s = s;
	c->n = n;
	c->session = se;
	c->incoming = incoming;
	c->known = incoming;
	n->conns++;
	LIST_INSERT_HEAD(&s->conns, c, all);
	return c;
}

static void dequeue(struct conn *c)
{
	if (c->queued)
		TAILQ_REMOVE(&c->s->actions, c, action);
	c->queued = false;
	c->pending = 0;
}

void conn_free(struct conn *c)
{
	dequeue(c);
	c->n->conns--;
	LIST_REMOVE(c, all);
	free(c->rx);
	free(c->ctl);
	free(c);
}

static void want(struct conn *c, enum action_type type)
{
	c->pending |= (uint8_t)(1u << type);
	if (!c->queued)
		TAILQ_INSERT_TAIL(&c->s->actions, c, action);
	c->queued = true;
}

void conn_want_connect(struct conn *c)
{
	want(c, ACTION_CONNECT);
}

void conn_want_send(struct conn *c)
{
	if (!c->announced)
		want(c, ACTION_SEND);
	c->announced = true;
}

void conn_drop(struct conn *c)
{
	c->session = NULL;
	if (!c->known) {
		conn_free(c);
		return;
	}
	dequeue(c);
	want(c, ACTION_CLOSE);
}

bool speaker_next_action(struct speaker *s, struct action *ret)
{
	struct conn *c = TAILQ_FIRST(&s->actions);

	if (!c && speaker_flush_due(s)) {
		speaker_flush(s);
		c = TAILQ_FIRST(&s->actions);
	}
	if (!c)
		return false;
	for (enum action_type t = ACTION_CONNECT; t <= ACTION_CLOSE; t++) {
		if (!(c->pending & 1u << t))
			continue;
		c->pending &= (uint8_t) ~(1u << t);
		*ret = (struct action){t, c};
		break;
	}
	c->known = true;
	if (!c->pending) {
		TAILQ_REMOVE(&s->actions, c, action);
		c->queued = false;
	}
	return true;
}

/* --- out --- */

bool conn_control(struct conn *c, const uint8_t *msg, size_t len)
{
	if (c->ctl_sent == c->ctl_len)
		c->ctl_sent = c->ctl_len = 0;
	if (c->ctl_len + len > CTL_MAX)
		return false;
	if (c->ctl_len + len > c->ctl_cap) {
		uint32_t cap = c->ctl_cap ? c->ctl_cap : 256;
		while (cap < c->ctl_len + len)
			cap *= 2;
		uint8_t *p = realloc(c->ctl, cap);
		if (!p)
			return false;
		c->ctl = p;
		c->ctl_cap = cap;
	}
	memcpy(c->ctl + c->ctl_len, msg, len);
	c->ctl_len += (uint32_t)len;
	conn_want_send(c);
	return true;
}

void conn_finish_message(struct conn *c, const struct txq *q)
{
	const uint8_t *rest;
	size_t len = txq_peek(q, &rest, true), ctl = c->ctl_len - c->ctl_sent;
	uint8_t *p = len ? malloc(len + ctl) : NULL;

	if (!p)
		return;
	memcpy(p, rest, len);
	if (ctl)
		memcpy(p + len, c->ctl + c->ctl_sent, ctl);
	free(c->ctl);
	c->ctl = p;
	c->ctl_sent = 0;
	c->ctl_len = c->ctl_cap = (uint32_t)(len + ctl);
}

static struct txq *updates_of(const struct conn *c)
{
	return c->session && c->session->fsm.state == FSM_ESTABLISHED ? &c->n->txq : NULL;
}

size_t conn_unsent(const struct conn *c)
{
	const struct txq *q = updates_of(c);

	return c->ctl_len - c->ctl_sent + (q ? q->octets : 0) + c->taken;
}

size_t conn_tx(struct conn *c, const uint8_t **ret, uint64_t now_ms)
{
	const struct txq *q = updates_of(c);
	size_t len = 0;

	c->s->now_ms = now_ms;
	if (c->ctl_sent < c->ctl_len) {
		if (q)
			len = txq_peek(q, ret, true);
		if (!len) {
			*ret = c->ctl + c->ctl_sent;
			len = c->ctl_len - c->ctl_sent;
		}
	} else if (q) {
		len = txq_peek(q, ret, false);
	}
	if (!len)
		c->announced = false;
	else if (c->session)
		session_sending(c->session, now_ms);
	return len;
}

static void went(struct conn *c, size_t len)
{
	struct txq *q = updates_of(c);

	c->n->octets_out += len;
	if (c->ctl_sent < c->ctl_len && !(q && q->msg_left))
		c->ctl_sent += (uint32_t)len;
	else if (q)
		txq_sent(q, len);
	if (conn_unsent(c) == c->taken)
		c->announced = false;
}

void conn_sent(struct conn *c, size_t len, uint64_t now_ms)
{
	c->s->now_ms = now_ms;
	if (c->ctl_sent == c->ctl_len)
		c->n->takes += len;
	went(c, len);
	if (c->session && len)
		session_sent(c->session, now_ms);
}

struct txbuf *conn_take(struct conn *c, const uint8_t **ret, size_t *ret_len, uint64_t now_ms)
{
	struct txq *q = updates_of(c);
	size_t len = conn_tx(c, ret, now_ms);

	if (!len || c->ctl_sent < c->ctl_len)
		return NULL;
	struct txbuf *b = txq_hold(q);
	c->taken += len;
	went(c, len);
	*ret_len = len;
	return b;
}

void conn_taken_sent(struct conn *c, size_t len, uint64_t now_ms)
{
	c->s->now_ms = now_ms;
	c->n->takes += len;
	c->taken -= len;
	if (c->session && len)
		session_sent(c->session, now_ms);
}

/* --- in --- */

static bool rx_reserve(struct conn *c, size_t cap)
{
	if (cap <= c->rx_cap)
		return true;
	uint8_t *p = realloc(c->rx, cap);
	if (!p)
		return false;
	c->rx = p;
	c->rx_cap = (uint32_t)cap;
	return true;
}

static void rx_failed(struct conn *c, uint64_t now_ms)
{
	struct bgp_error err = {.code = BGP_ERR_CEASE,
		.subcode = BGP_CEASE_RESOURCES,
		.what = "no memory for a message"};

	session_event(c->session, FSM_AUTO_STOP, &err, now_ms);
}

/* Keeps all of it, as the beginning of a message of `whole` octets. */
static void rx_keep(struct conn *c, const uint8_t *bytes, size_t len, size_t whole, uint64_t now_ms)
{
	if (!rx_reserve(c, whole)) {
		rx_failed(c, now_ms);
		return;
	}
	memcpy(c->rx, bytes, len);
	c->rx_len = (uint32_t)len;
}

/* At the border of a message. Returns what was taken. */
static size_t rx_direct(struct conn *c, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	struct bgp_header h;
	struct bgp_error err;
	int r = bgp_header_decode(bytes, len, session_msg_max(c->session), &h, &err);

	if (r < 0) {
		session_bad_header(c->session, &err, now_ms);
		return len;
	}
	if (r > 0 || h.len > len) {
		rx_keep(c, bytes, len, r > 0 ? BGP_HEADER_LEN : h.len, now_ms);
		return len;
	}
	session_message(c->session, h.type, bytes + BGP_HEADER_LEN, h.len - BGP_HEADER_LEN, now_ms);
	return h.len;
}

/* Inside of a message. */
static size_t rx_more(struct conn *c, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	struct bgp_header h = {.len = BGP_HEADER_LEN};
	struct bgp_error err;
	size_t n;

	if (c->rx_len >= BGP_HEADER_LEN &&
		bgp_header_decode(c->rx, c->rx_len, session_msg_max(c->session), &h, &err) != 0) {
		session_bad_header(c->session, &err, now_ms);
		return len;
	}
	if (!rx_reserve(c, h.len)) {
		rx_failed(c, now_ms);
		return len;
	}
	n = h.len - c->rx_len < len ? h.len - c->rx_len : len;
	memcpy(c->rx + c->rx_len, bytes, n);
	c->rx_len += (uint32_t)n;
	if (c->rx_len < BGP_HEADER_LEN ||
		bgp_header_decode(c->rx, c->rx_len, session_msg_max(c->session), &h, &err) != 0 ||
		c->rx_len < h.len)
		return n; /* a header that is wrong is found at the next turn */
	c->rx_len = 0;
	session_message(c->session, h.type, c->rx + BGP_HEADER_LEN, h.len - BGP_HEADER_LEN, now_ms);
	return n;
}

void conn_rx(struct conn *c, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	c->s->now_ms = now_ms;
	c->n->octets_in += len;
	while (c->session && (len || c->rx_len == BGP_HEADER_LEN)) {
		size_t n = c->rx_len ? rx_more(c, bytes, len, now_ms)
				     : rx_direct(c, bytes, len, now_ms);
		bytes += n;
		len -= n;
		if (!len && !n)
			break;
	}
}

/* --- events --- */

void conn_connected(struct conn *c, struct ip local, uint64_t now_ms)
{
	c->s->now_ms = now_ms;
	c->local = local;
	if (c->session)
		session_event(c->session, FSM_TCP_ACKED, NULL, now_ms);
}

void conn_lost(struct conn *c, enum conn_close_reason why, uint64_t now_ms)
{
	struct session *se = c->session;

	c->s->now_ms = now_ms;
	if (!se) {
		conn_free(c);
		return;
	}
	if (se->fsm.state >= FSM_OPENSENT)
		neighbor_fell(se, why == CONN_CLOSED_BY_PEER ? "connection closed by the peer"
								: "connection failed");
	se->conn = NULL;
	conn_free(c);
	session_event(se, FSM_TCP_FAILS, NULL, now_ms);
}

void conn_closed(struct conn *c)
{
	if (!c->session)
		conn_free(c);
}

void conn_set_ports(struct conn *c, uint16_t local, uint16_t remote)
{
	c->local_port = local;
	c->remote_port = remote;
}

void conn_set_io(struct conn *c, void *io)
{
	c->io = io;
}

void *conn_io(const struct conn *c)
{
	return c->io;
}

struct neighbor *conn_neighbor(const struct conn *c)
{
	return c->n;
}
