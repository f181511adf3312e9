/* The BGP finite state machine (RFC 4271 section 8) of one TCP connection, as a pure machine: an
 * event goes in, the state changes, and a set of actions comes out for session.c to carry out. No
 * I/O, no clock, no memory. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "bgp/error.h"

enum fsm_state {
	FSM_IDLE,
	FSM_CONNECT,
	FSM_ACTIVE,
	FSM_OPENSENT,
	FSM_OPENCONFIRM,
	FSM_ESTABLISHED,
	FSM_STATE_COUNT,
};

/* The numbers are those of RFC 4271 section 8.1. */
enum fsm_event {
	FSM_MANUAL_START = 1,
	FSM_MANUAL_STOP = 2,
	FSM_AUTO_START = 3,
	FSM_MANUAL_START_PASSIVE = 4,
	FSM_AUTO_START_PASSIVE = 5,
	FSM_AUTO_START_DAMPED = 6,
	FSM_AUTO_START_DAMPED_PASSIVE = 7,
	FSM_AUTO_STOP = 8,
	FSM_CONNECT_RETRY_EXPIRES = 9,
	FSM_HOLD_EXPIRES = 10,
	FSM_KEEPALIVE_EXPIRES = 11,
	FSM_DELAY_OPEN_EXPIRES = 12, /* not used: see fsm.c */
	FSM_IDLE_HOLD_EXPIRES = 13,
	FSM_TCP_VALID = 14,
	FSM_TCP_INVALID = 15,
	FSM_TCP_ACKED = 16,     /* our own connection request succeeded */
	FSM_TCP_CONFIRMED = 17, /* the peer's did */
	FSM_TCP_FAILS = 18,
	FSM_OPEN = 19,
	FSM_OPEN_DELAYED = 20, /* not used */
	FSM_HEADER_ERROR = 21,
	FSM_OPEN_ERROR = 22,
	FSM_COLLISION_DUMP = 23,
	FSM_NOTIFICATION_VERSION = 24,
	FSM_NOTIFICATION = 25,
	FSM_KEEPALIVE = 26,
	FSM_UPDATE = 27,
	FSM_UPDATE_ERROR = 28,
	FSM_ROUTE_REFRESH = 29,     /* RFC 2918 */
	FSM_SEND_HOLD_EXPIRES = 30, /* RFC 9687 */
	FSM_EVENT_COUNT,
};

/* To be carried out in this order, lowest bit first. */
enum fsm_action {
	FSM_DO_STOP_RETRY = 1 << 0,
	FSM_DO_STOP_HOLD = 1 << 1,
	FSM_DO_STOP_KEEPALIVE = 1 << 2,
	FSM_DO_NOTIFY = 1 << 3, /* send fsm.error */
	FSM_DO_DOWN =
		1 << 4, /* Established was left: what becomes of the routes is not the machine's */
	FSM_DO_DROP = 1 << 5, /* close the TCP connection, or give up opening it */
	FSM_DO_CONNECT = 1 << 6,
	FSM_DO_OPEN = 1 << 7,
	FSM_DO_KEEPALIVE = 1 << 8,
	FSM_DO_START_RETRY = 1 << 9,
	FSM_DO_HOLD_LARGE = 1 << 10, /* the hold timer at its large value (4 minutes) */
	FSM_DO_START_HOLD = 1 << 11, /* at the negotiated value; not at all when that is zero */
	FSM_DO_START_KEEPALIVE = 1 << 12,
	FSM_DO_IDLE_HOLD = 1 << 13, /* start again by FSM_IDLE_HOLD_EXPIRES, after the back-off */
	FSM_DO_UP = 1 << 14,
	FSM_DO_UPDATE = 1 << 15,  /* process the UPDATE */
	FSM_DO_REFRESH = 1 << 16, /* process the ROUTE-REFRESH */
};

struct fsm {
	enum fsm_state state;
	bool passive; /* PassiveTcpEstablishment: never connects by itself */
	bool held;    /* in Idle with the idle-hold timer running: automatic starts are refused */
	uint32_t retry_count;   /* ConnectRetryCounter */
	struct bgp_error error; /* what FSM_DO_NOTIFY is to send */
};

/* Runs one event. `error` belongs to events 2, 8, 21, 22, 23 and 28 and may be NULL otherwise (a
 * plain Cease is sent for 2 and 8 without one). Returns a set of enum fsm_action. */
uint32_t fsm_run(struct fsm *f, enum fsm_event event, const struct bgp_error *error);

const char *fsm_state_name(enum fsm_state state);
