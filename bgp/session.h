/* One session with a neighbour: the state machine, its timers, its connection, and what both sides
 * agreed on. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "bgp/conn.h"
#include "bgp/fsm.h"
#include "bgp/msg.h"
#include "bgp/speaker.h"
#include "bgp/update.h"
#include "lib/timers.h"

struct neighbor;

#define FAMILIES_MAX OPEN_MAX_FAMILIES

struct session {
	struct neighbor *n;
	struct fsm fsm;
	struct conn *conn;
	struct timer retry, hold, keepalive, send_hold;

	/* From the peer's OPEN on. */
	bool open_seen;
	struct bgp_open open;
	bool ibgp, as4, extended, refresh, enhanced_refresh, gr, gr_notification;
	uint16_t hold_sec;
	bool family[FAMILIES_MAX]; /* by table: negotiated */
	const struct bgp_family *families[FAMILIES_MAX];
	uint8_t add_path[FAMILIES_MAX]; /* by table: enum add_path_mode, as agreed */
	struct update_ctx ctx;
	enum fsm_event fell_by; /* the event that ended it */
	bool hard_reset;        /* RFC 8538: and nothing is to be kept */

	/* For a monitor (RFC 7854 section 4.10): the OPENs of this connection as they were,
	 * whole, and the body of the peer's NOTIFICATION while it is acted upon. */
	uint8_t *sent_open, *received_open;
	uint16_t sent_open_len, received_open_len;
	struct span notification;
};

void session_init(struct session *se, struct neighbor *n);
/* Lets go of conn and timers and begins anew in Idle. */
void session_reset(struct session *se);
/* Returns what is left to the caller: FSM_DO_UPDATE or FSM_DO_REFRESH. */
uint32_t session_event(
	struct session *se, enum fsm_event event, const struct bgp_error *err, uint64_t now_ms);
/* A whole message without its header. */
void session_message(
	struct session *se, uint8_t type, const uint8_t *body, size_t len, uint64_t now_ms);
/* The header was wrong. */
void session_bad_header(struct session *se, const struct bgp_error *err, uint64_t now_ms);
/* Octets have left; restarts the send hold timer. */
void session_sent(struct session *se, uint64_t now_ms);
/* Octets have been given to be sent. */
void session_sending(struct session *se, uint64_t now_ms);
size_t session_msg_max(const struct session *se);
/* The NOTIFICATION that tells the peer of fsm.error, whole. */
void session_notification(const struct session *se, struct writer *w);
/* The peer puts path identifiers before its NLRIs (RFC 7911). */
bool session_add_path_in(const struct session *se, const struct bgp_family *f);
/* Asks for all routes of all families again. false: the peer did not say that it can. */
bool session_ask_refresh(struct session *se);
