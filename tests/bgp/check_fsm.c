/* The whole matrix of RFC 4271 section 8.2.2: every event in every state, as text. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/fsm.h"

static const char *const action_names[] = {"stop-retry", "stop-hold", "stop-keepalive", "notify",
	"down", "drop", "connect", "open", "keepalive", "retry", "hold-large", "hold",
	"keepalive-timer", "idle-hold", "up", "update", "refresh"};

/* What comes out, in short: the state, the actions, the error of a NOTIFICATION. */
#define SAME "-"
#define IDLE_PLAIN "Idle stop-retry stop-hold stop-keepalive drop"
#define FALL "Idle stop-retry stop-hold stop-keepalive drop idle-hold"
#define FALL_UP "Idle stop-retry stop-hold stop-keepalive down drop idle-hold"
#define FALL_SAYS "Idle stop-retry stop-hold stop-keepalive notify drop idle-hold "
#define FALL_UP_SAYS "Idle stop-retry stop-hold stop-keepalive notify down drop idle-hold "
#define CALL "Connect connect retry"
#define SENT "OpenSent stop-retry open hold-large"

static const struct row {
	const char *name;
	const char *out[FSM_STATE_COUNT]; /* Idle, Connect, Active, OpenSent, OpenConfirm,
					     Established */
} rows[FSM_EVENT_COUNT] = {
	[FSM_MANUAL_START] = {"1 ManualStart", {CALL, SAME, SAME, SAME, SAME, SAME}},
	[FSM_MANUAL_STOP] = {"2 ManualStop",
		{SAME, IDLE_PLAIN, IDLE_PLAIN,
			"Idle stop-retry stop-hold stop-keepalive notify drop 6/2",
			"Idle stop-retry stop-hold stop-keepalive notify drop 6/2",
			"Idle stop-retry stop-hold stop-keepalive notify down drop 6/2"}},
	[FSM_AUTO_START] = {"3 AutomaticStart", {CALL, SAME, SAME, SAME, SAME, SAME}},
	[FSM_MANUAL_START_PASSIVE] = {"4 ManualStart, passive",
		{"Active", SAME, SAME, SAME, SAME, SAME}},
	[FSM_AUTO_START_PASSIVE] = {"5 AutomaticStart, passive",
		{"Active", SAME, SAME, SAME, SAME, SAME}},
	[FSM_AUTO_START_DAMPED] = {"6 AutomaticStart, damped",
		{CALL, SAME, SAME, SAME, SAME, SAME}},
	[FSM_AUTO_START_DAMPED_PASSIVE] = {"7 AutomaticStart, damped, passive",
		{"Active", SAME, SAME, SAME, SAME, SAME}},
	[FSM_AUTO_STOP] = {"8 AutomaticStop",
		{SAME, FALL, FALL, FALL_SAYS "6/6", FALL_SAYS "6/6", FALL_UP_SAYS "6/6"}},
	[FSM_CONNECT_RETRY_EXPIRES] = {"9 ConnectRetryTimer_Expires",
		{SAME, "Connect drop connect retry", CALL, FALL_SAYS "5/1", FALL_SAYS "5/2",
			FALL_UP_SAYS "5/3"}},
	[FSM_HOLD_EXPIRES] = {"10 HoldTimer_Expires",
		{SAME, FALL, FALL, FALL_SAYS "4/0", FALL_SAYS "4/0", FALL_UP_SAYS "4/0"}},
	[FSM_KEEPALIVE_EXPIRES] = {"11 KeepaliveTimer_Expires",
		{SAME, FALL, FALL, FALL_SAYS "5/1", "OpenConfirm keepalive keepalive-timer",
			"Established keepalive keepalive-timer"}},
	[FSM_DELAY_OPEN_EXPIRES] = {"12 DelayOpenTimer_Expires",
		{SAME, FALL, FALL, FALL_SAYS "5/1", FALL_SAYS "5/2", FALL_UP_SAYS "5/3"}},
	[FSM_IDLE_HOLD_EXPIRES] = {"13 IdleHoldTimer_Expires",
		{SAME, FALL, FALL, FALL_SAYS "5/1", FALL_SAYS "5/2", FALL_UP_SAYS "5/3"}},
	[FSM_TCP_VALID] = {"14 TcpConnection_Valid", {SAME, SAME, SAME, SAME, SAME, SAME}},
	[FSM_TCP_INVALID] = {"15 Tcp_CR_Invalid", {SAME, SAME, SAME, SAME, SAME, SAME}},
	[FSM_TCP_ACKED] = {"16 Tcp_CR_Acked", {SAME, SENT, SENT, SAME, SAME, SAME}},
	[FSM_TCP_CONFIRMED] = {"17 TcpConnectionConfirmed", {SAME, SENT, SENT, SAME, SAME, SAME}},
	[FSM_TCP_FAILS] = {"18 TcpConnectionFails",
		{SAME, "Active drop retry", FALL, "Active stop-hold drop retry", FALL, FALL_UP}},
	[FSM_OPEN] = {"19 BGPOpen",
		{SAME, FALL, FALL,
			"OpenConfirm stop-retry stop-hold keepalive hold keepalive-timer",
			FALL_SAYS "5/2", FALL_UP_SAYS "5/3"}},
	[FSM_OPEN_DELAYED] = {"20 BGPOpen with DelayOpenTimer running",
		{SAME, FALL, FALL, FALL_SAYS "5/1", FALL_SAYS "5/2", FALL_UP_SAYS "5/3"}},
	[FSM_HEADER_ERROR] = {"21 BGPHeaderErr",
		{SAME, FALL, FALL, FALL_SAYS "9/9", FALL_SAYS "9/9", FALL_UP_SAYS "9/9"}},
	[FSM_OPEN_ERROR] = {"22 BGPOpenMsgErr",
		{SAME, FALL, FALL, FALL_SAYS "9/9", FALL_SAYS "9/9", FALL_UP_SAYS "5/3"}},
	[FSM_COLLISION_DUMP] = {"23 OpenCollisionDump",
		{SAME, FALL, FALL, FALL_SAYS "6/7", FALL_SAYS "6/7", FALL_UP_SAYS "6/7"}},
	[FSM_NOTIFICATION_VERSION] = {"24 NotifMsgVerErr", {SAME, FALL, FALL, FALL, FALL, FALL_UP}},
	[FSM_NOTIFICATION] = {"25 NotifMsg", {SAME, FALL, FALL, FALL, FALL, FALL_UP}},
	[FSM_KEEPALIVE] = {"26 KeepAliveMsg",
		{SAME, FALL, FALL, FALL_SAYS "5/1", "Established hold up", "Established hold"}},
	[FSM_UPDATE] = {"27 UpdateMsg",
		{SAME, FALL, FALL, FALL_SAYS "5/1", FALL_SAYS "5/2", "Established hold update"}},
	[FSM_UPDATE_ERROR] = {"28 UpdateMsgErr",
		{SAME, FALL, FALL, FALL_SAYS "5/1", FALL_SAYS "5/2", FALL_UP_SAYS "9/9"}},
	[FSM_ROUTE_REFRESH] = {"ROUTE-REFRESH, RFC 2918",
		{SAME, FALL, FALL, FALL_SAYS "5/1", FALL_SAYS "5/2", "Established hold refresh"}},
	[FSM_SEND_HOLD_EXPIRES] = {"SendHoldTimer_Expires, RFC 9687",
		{SAME, FALL, FALL, FALL_SAYS "8/0", FALL_SAYS "8/0", FALL_UP_SAYS "8/0"}},
};

static void describe(
	const struct fsm *f, enum fsm_state was, uint32_t actions, char *ret, size_t cap)
{
	size_t n;

	if (!actions && f->state == was) {
		snprintf(ret, cap, SAME);
		return;
	}
	n = (size_t)snprintf(ret, cap, "%s", fsm_state_name(f->state));
	for (size_t i = 0; i < sizeof(action_names) / sizeof(*action_names); i++)
		if (actions & 1u << i)
			n += (size_t)snprintf(ret + n, cap - n, " %s", action_names[i]);
	if (actions & FSM_DO_NOTIFY)
		snprintf(ret + n, cap - n, " %u/%u", f->error.code, f->error.subcode);
}

START_TEST(matrix)
{
	const struct row *r = &rows[_i];
	const struct bgp_error given = {.code = 9, .subcode = 9};
	bool own = _i == FSM_HEADER_ERROR || _i == FSM_OPEN_ERROR || _i == FSM_UPDATE_ERROR;
	char text[256];

	ck_assert_ptr_nonnull(r->name);
	for (int s = 0; s < FSM_STATE_COUNT; s++) {
		struct fsm f = {.state = (enum fsm_state)s, .retry_count = 3};
		uint32_t actions = fsm_run(&f, (enum fsm_event)_i, own ? &given : NULL);
		describe(&f, (enum fsm_state)s, actions, text, sizeof(text));
		ck_assert_msg(strcmp(text, r->out[s]) == 0, "%s in %s: %s, not %s", r->name,
			fsm_state_name((enum fsm_state)s), text, r->out[s]);
		/* ConnectRetryCounter: zeroed by the operator, raised by a fall. */
		if (_i == FSM_MANUAL_STOP && s != FSM_IDLE)
			ck_assert_uint_eq(f.retry_count, 0);
		bool counts = actions & FSM_DO_IDLE_HOLD &&
			      !(_i == FSM_NOTIFICATION_VERSION &&
				      (s == FSM_OPENSENT || s == FSM_OPENCONFIRM));
		if (counts)
			ck_assert_uint_eq(f.retry_count, 4);
		ck_assert_int_eq(f.held, (actions & FSM_DO_IDLE_HOLD) != 0);
	}
}
END_TEST

/* After a fall only the idle-hold timer, or the operator, starts again. */
START_TEST(idle_hold)
{
	struct fsm f = {.state = FSM_ESTABLISHED};

	fsm_run(&f, FSM_TCP_FAILS, NULL);
	ck_assert_int_eq(f.state, FSM_IDLE);
	ck_assert_uint_eq(fsm_run(&f, FSM_AUTO_START, NULL), 0);
	ck_assert_uint_eq(fsm_run(&f, FSM_AUTO_START_DAMPED_PASSIVE, NULL), 0);
	ck_assert_uint_eq(fsm_run(&f, FSM_TCP_CONFIRMED, NULL), 0);
	ck_assert_uint_ne(fsm_run(&f, FSM_IDLE_HOLD_EXPIRES, NULL), 0);
	ck_assert_int_eq(f.state, FSM_CONNECT);
	fsm_run(&f, FSM_KEEPALIVE, NULL);
	ck_assert_int_eq(f.state, FSM_IDLE);
	fsm_run(&f, FSM_MANUAL_START, NULL);
	ck_assert_int_eq(f.state, FSM_CONNECT);
	fsm_run(&f, FSM_KEEPALIVE, NULL);
	fsm_run(&f, FSM_MANUAL_STOP, NULL);
	ck_assert_uint_eq(fsm_run(&f, FSM_IDLE_HOLD_EXPIRES, NULL), 0);
}
END_TEST

START_TEST(passive)
{
	struct fsm f = {.state = FSM_IDLE};

	fsm_run(&f, FSM_AUTO_START_PASSIVE, NULL);
	ck_assert_int_eq(f.state, FSM_ACTIVE);
	ck_assert_uint_eq(fsm_run(&f, FSM_CONNECT_RETRY_EXPIRES, NULL), 0);
	fsm_run(&f, FSM_TCP_CONFIRMED, NULL);
	fsm_run(&f, FSM_OPEN, NULL);
	fsm_run(&f, FSM_NOTIFICATION, NULL);
	ck_assert_int_eq(f.state, FSM_IDLE);
	fsm_run(&f, FSM_IDLE_HOLD_EXPIRES, NULL);
	ck_assert_int_eq(f.state, FSM_ACTIVE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fsm");
	TCase *t = tcase_create("fsm");

	tcase_add_loop_test(t, matrix, FSM_MANUAL_START, FSM_EVENT_COUNT);
	tcase_add_test(t, idle_hold);
	tcase_add_test(t, passive);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
