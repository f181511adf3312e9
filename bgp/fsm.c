/* The finite state machine of RFC 4271 section 8.2.2, with the error subcodes of RFC 6608.
 *
 * One function a state, one function that changes state (enter()), and no memory but struct fsm.
 * There is one machine for each TCP connection, so a neighbour may have two for as long as a
 * collision lasts; which of the two survives is decided by neighbor.c (section 6.8) and told to the
 * loser as event 23.
 *
 * Optional session attributes: AllowAutomaticStart, AllowAutomaticStop, PassiveTcpEstablishment,
 * DampPeerOscillations and CollisionDetectEstablishedState are implemented. Left out: DelayOpen (it
 * delays our OPEN in the hope of the peer's; a route server has no use for it, so events 12 and 20
 * can only be errors) and SendNotificationWithoutOpen. Events 14 and 15 are the listening socket's:
 * only valid connections get here.
 *
 * Where this departs from the letter of the RFC, as every speaker met in the field does:
 *   - a failed connection attempt (event 18 in Connect) leads to Active even without DelayOpen:
 *     Idle would refuse the peer's own call for as long as it lasts;
 *   - a passive machine never connects by itself when ConnectRetry expires;
 *   - a NOTIFICATION is never answered by one (section 6.4), in OpenSent neither;
 *   - header errors in Established are answered with their own code (section 6.1), not as errors
 *     of the machine.
 */
#include "bgp/fsm.h"

#define STOP_ALL (FSM_DO_STOP_RETRY | FSM_DO_STOP_HOLD | FSM_DO_STOP_KEEPALIVE)

static const char *const state_names[FSM_STATE_COUNT] = {
	[FSM_IDLE] = "Idle",
	[FSM_CONNECT] = "Connect",
	[FSM_ACTIVE] = "Active",
	[FSM_OPENSENT] = "OpenSent",
	[FSM_OPENCONFIRM] = "OpenConfirm",
	[FSM_ESTABLISHED] = "Established",
};

const char *fsm_state_name(enum fsm_state state)
{
	return state < FSM_STATE_COUNT ? state_names[state] : "?";
}

/* The one place where the state changes. */
static uint32_t enter(struct fsm *f, enum fsm_state to, uint32_t actions)
{
	if (f->state == FSM_ESTABLISHED && to != FSM_ESTABLISHED)
		actions |= FSM_DO_DOWN;
	if (f->state != FSM_ESTABLISHED && to == FSM_ESTABLISHED)
		actions |= FSM_DO_UP;
	if (to == FSM_IDLE)
		actions |= STOP_ALL | FSM_DO_DROP;
	if (to == FSM_IDLE && actions & FSM_DO_IDLE_HOLD)
		f->held = true;
	f->state = to;
	return actions;
}

static uint32_t start(struct fsm *f, bool passive)
{
	f->passive = passive;
	f->held = false;
	if (passive)
		return enter(f, FSM_ACTIVE, 0);
	return enter(f, FSM_CONNECT, FSM_DO_CONNECT | FSM_DO_START_RETRY);
}

/* The operator's stop: no automatic return. */
static uint32_t stop(struct fsm *f, uint32_t actions)
{
	f->retry_count = 0;
	f->held = false;
	return enter(f, FSM_IDLE, actions);
}

/* To Idle because something is wrong: "increments the ConnectRetryCounter, (optionally) performs
 * peer oscillation damping". */
static uint32_t fall(struct fsm *f, uint32_t actions)
{
	f->retry_count++;
	return enter(f, FSM_IDLE, actions | FSM_DO_IDLE_HOLD);
}

static uint32_t fall_with(struct fsm *f, uint8_t code, uint8_t subcode, const char *what)
{
	f->error = (struct bgp_error){.code = code, .subcode = subcode, .what = what};
	return fall(f, FSM_DO_NOTIFY);
}

static void take_error(struct fsm *f, const struct bgp_error *error, uint8_t subcode)
{
	f->error = error ? *error : (struct bgp_error){.code = BGP_ERR_CEASE, .subcode = subcode};
}

static uint32_t tcp_up(struct fsm *f)
{
	return enter(f, FSM_OPENSENT, FSM_DO_STOP_RETRY | FSM_DO_OPEN | FSM_DO_HOLD_LARGE);
}

static uint32_t idle(struct fsm *f, enum fsm_event event)
{
	switch (event) {
	case FSM_MANUAL_START:
	case FSM_MANUAL_START_PASSIVE:
		f->retry_count = 0;
		return start(f, event == FSM_MANUAL_START_PASSIVE);
	case FSM_AUTO_START:
	case FSM_AUTO_START_DAMPED:
		return f->held ? 0 : start(f, false);
	case FSM_AUTO_START_PASSIVE:
	case FSM_AUTO_START_DAMPED_PASSIVE:
		return f->held ? 0 : start(f, true);
	case FSM_IDLE_HOLD_EXPIRES:
		return f->held ? start(f, f->passive) : 0;
	case FSM_MANUAL_STOP:
		f->held = false;
		return 0;
	default:
		return 0;
	}
}

static uint32_t connecting(struct fsm *f, enum fsm_event event)
{
	switch (event) {
	case FSM_MANUAL_STOP:
		return stop(f, 0);
	case FSM_CONNECT_RETRY_EXPIRES:
		return enter(f, FSM_CONNECT, FSM_DO_DROP | FSM_DO_CONNECT | FSM_DO_START_RETRY);
	case FSM_TCP_ACKED:
	case FSM_TCP_CONFIRMED:
		return tcp_up(f);
	case FSM_TCP_FAILS:
		return enter(f, FSM_ACTIVE, FSM_DO_DROP | FSM_DO_START_RETRY);
	case FSM_MANUAL_START:
	case FSM_AUTO_START:
	case FSM_MANUAL_START_PASSIVE:
	case FSM_AUTO_START_PASSIVE:
	case FSM_AUTO_START_DAMPED:
	case FSM_AUTO_START_DAMPED_PASSIVE:
	case FSM_TCP_VALID:
	case FSM_TCP_INVALID:
		return 0;
	default:
		return fall(f, 0);
	}
}

static uint32_t active(struct fsm *f, enum fsm_event event)
{
	switch (event) {
	case FSM_MANUAL_STOP:
		return stop(f, 0);
	case FSM_CONNECT_RETRY_EXPIRES:
		if (f->passive)
			return 0;
		return enter(f, FSM_CONNECT, FSM_DO_CONNECT | FSM_DO_START_RETRY);
	case FSM_TCP_ACKED:
	case FSM_TCP_CONFIRMED:
		return tcp_up(f);
	case FSM_MANUAL_START:
	case FSM_AUTO_START:
	case FSM_MANUAL_START_PASSIVE:
	case FSM_AUTO_START_PASSIVE:
	case FSM_AUTO_START_DAMPED:
	case FSM_AUTO_START_DAMPED_PASSIVE:
	case FSM_TCP_VALID:
	case FSM_TCP_INVALID:
		return 0;
	default:
		return fall(f, 0);
	}
}

/* What OpenSent, OpenConfirm and Established share; false: the event is the state's own. */
static bool with_open_sent(
	struct fsm *f, enum fsm_event event, const struct bgp_error *error, uint32_t *ret)
{
	switch (event) {
	case FSM_MANUAL_STOP:
		take_error(f, error, BGP_CEASE_SHUTDOWN);
		*ret = stop(f, FSM_DO_NOTIFY);
		return true;
	case FSM_AUTO_STOP:
		take_error(f, error, BGP_CEASE_CONFIG_CHANGE);
		*ret = fall(f, FSM_DO_NOTIFY);
		return true;
	case FSM_HEADER_ERROR:
		take_error(f, error, 0);
		*ret = fall(f, FSM_DO_NOTIFY);
		return true;
	case FSM_COLLISION_DUMP:
		take_error(f, error, BGP_CEASE_COLLISION);
		*ret = fall(f, FSM_DO_NOTIFY);
		return true;
	case FSM_HOLD_EXPIRES:
		*ret = fall_with(f, BGP_ERR_HOLD_TIMER, 0, "the hold timer expired");
		return true;
	case FSM_SEND_HOLD_EXPIRES:
		*ret = fall_with(f, BGP_ERR_SEND_HOLD_TIMER, 0, "the peer takes no octets");
		return true;
	case FSM_NOTIFICATION_VERSION:
		if (f->state != FSM_ESTABLISHED) {
			*ret = enter(f, FSM_IDLE, FSM_DO_IDLE_HOLD);
			return true;
		}
		__attribute__((fallthrough));
	case FSM_NOTIFICATION:
		*ret = fall(f, 0);
		return true;
	case FSM_MANUAL_START:
	case FSM_AUTO_START:
	case FSM_MANUAL_START_PASSIVE:
	case FSM_AUTO_START_PASSIVE:
	case FSM_AUTO_START_DAMPED:
	case FSM_AUTO_START_DAMPED_PASSIVE:
	case FSM_TCP_VALID:
	case FSM_TCP_INVALID:
	case FSM_TCP_ACKED: /* a second connection has a machine of its own */
	case FSM_TCP_CONFIRMED:
		*ret = 0;
		return true;
	default:
		return false;
	}
}

static uint32_t opensent(struct fsm *f, enum fsm_event event, const struct bgp_error *error)
{
	switch (event) {
	case FSM_TCP_FAILS:
		return enter(f, FSM_ACTIVE, FSM_DO_STOP_HOLD | FSM_DO_DROP | FSM_DO_START_RETRY);
	case FSM_OPEN:
		return enter(f, FSM_OPENCONFIRM,
			FSM_DO_STOP_RETRY | FSM_DO_KEEPALIVE | FSM_DO_STOP_HOLD |
				FSM_DO_START_HOLD | FSM_DO_START_KEEPALIVE);
	case FSM_OPEN_ERROR:
		take_error(f, error, 0);
		return fall(f, FSM_DO_NOTIFY);
	default:
		return fall_with(
			f, BGP_ERR_FSM, BGP_FSM_OPENSENT, "unexpected message in OpenSent");
	}
}

static uint32_t openconfirm(struct fsm *f, enum fsm_event event, const struct bgp_error *error)
{
	switch (event) {
	case FSM_TCP_FAILS:
		return fall(f, 0);
	case FSM_KEEPALIVE_EXPIRES:
		return enter(f, FSM_OPENCONFIRM, FSM_DO_KEEPALIVE | FSM_DO_START_KEEPALIVE);
	case FSM_KEEPALIVE:
		return enter(f, FSM_ESTABLISHED, FSM_DO_START_HOLD);
	case FSM_OPEN_ERROR:
		take_error(f, error, 0);
		return fall(f, FSM_DO_NOTIFY);
	default:
		return fall_with(
			f, BGP_ERR_FSM, BGP_FSM_OPENCONFIRM, "unexpected message in OpenConfirm");
	}
}

static uint32_t established(struct fsm *f, enum fsm_event event, const struct bgp_error *error)
{
	switch (event) {
	case FSM_TCP_FAILS:
		return fall(f, 0);
	case FSM_KEEPALIVE_EXPIRES:
		return enter(f, FSM_ESTABLISHED, FSM_DO_KEEPALIVE | FSM_DO_START_KEEPALIVE);
	case FSM_KEEPALIVE:
		return enter(f, FSM_ESTABLISHED, FSM_DO_START_HOLD);
	case FSM_UPDATE:
		return enter(f, FSM_ESTABLISHED, FSM_DO_START_HOLD | FSM_DO_UPDATE);
	case FSM_ROUTE_REFRESH:
		return enter(f, FSM_ESTABLISHED, FSM_DO_START_HOLD | FSM_DO_REFRESH);
	case FSM_UPDATE_ERROR:
		take_error(f, error, 0);
		return fall(f, FSM_DO_NOTIFY);
	default:
		return fall_with(
			f, BGP_ERR_FSM, BGP_FSM_ESTABLISHED, "unexpected message in Established");
	}
}

uint32_t fsm_run(struct fsm *f, enum fsm_event event, const struct bgp_error *error)
{
	uint32_t actions = 0;

	if (f->state >= FSM_OPENSENT && with_open_sent(f, event, error, &actions))
		return actions;
	switch (f->state) {
	case FSM_CONNECT:
		return connecting(f, event);
	case FSM_ACTIVE:
		return active(f, event);
	case FSM_OPENSENT:
		return opensent(f, event, error);
	case FSM_OPENCONFIRM:
		return openconfirm(f, event, error);
	case FSM_ESTABLISHED:
		return established(f, event, error);
	default:
		return idle(f, event);
	}
}
