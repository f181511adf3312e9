/* What a decoder found wrong, in the terms of a NOTIFICATION (RFC 4271 section 4.5 and 6). Codecs fill it;
 * only bgp/session.c turns it into a message. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Enough for a shutdown communication but the last octet of the longest (RFC 9003); data_len is one octet. */
#define BGP_ERROR_DATA_MAX 255

enum bgp_error_code {
	BGP_ERR_HEADER = 1,
	BGP_ERR_OPEN = 2,
	BGP_ERR_UPDATE = 3,
	BGP_ERR_HOLD_TIMER = 4,
	BGP_ERR_FSM = 5,	    /* RFC 6608 subcodes */
	BGP_ERR_CEASE = 6,	    /* RFC 4486, 9003 subcodes */
	BGP_ERR_ROUTE_REFRESH = 7, /* RFC 7313 */
	BGP_ERR_SEND_HOLD_TIMER = 8, /* RFC 9687 */
};

enum bgp_error_subcode {
	/* 1: message header, RFC 4271 section 6.1 */
	BGP_HEADER_NOT_SYNC = 1,
	BGP_HEADER_BAD_LENGTH = 2,
	BGP_HEADER_BAD_TYPE = 3,
	/* 2: OPEN, RFC 4271 section 6.2, RFC 5492, RFC 9234 */
	BGP_OPEN_VERSION = 1,
	BGP_OPEN_PEER_AS = 2,
	BGP_OPEN_BGP_ID = 3,
	BGP_OPEN_OPT_PARAM = 4,
	BGP_OPEN_HOLD_TIME = 6,
	BGP_OPEN_CAPABILITY = 7,
	BGP_OPEN_ROLE = 11,
	/* 3: UPDATE, RFC 4271 section 6.3 */
	BGP_UPDATE_ATTR_LIST = 1,
	BGP_UPDATE_WELL_KNOWN_UNKNOWN = 2,
	BGP_UPDATE_WELL_KNOWN_MISSING = 3,
	BGP_UPDATE_ATTR_FLAGS = 4,
	BGP_UPDATE_ATTR_LENGTH = 5,
	BGP_UPDATE_ORIGIN = 6,
	BGP_UPDATE_NEXT_HOP = 8,
	BGP_UPDATE_OPTIONAL_ATTR = 9,
	BGP_UPDATE_NETWORK = 10,
	BGP_UPDATE_AS_PATH = 11,
	/* 5: FSM, RFC 6608 */
	BGP_FSM_OPENSENT = 1,
	BGP_FSM_OPENCONFIRM = 2,
	BGP_FSM_ESTABLISHED = 3,
	/* 6: Cease, RFC 4486, RFC 8538, RFC 9003 */
	BGP_CEASE_MAX_PREFIXES = 1,
	BGP_CEASE_SHUTDOWN = 2,
	BGP_CEASE_DECONFIGURED = 3,
	BGP_CEASE_RESET = 4,
	BGP_CEASE_REJECTED = 5,
	BGP_CEASE_CONFIG_CHANGE = 6,
	BGP_CEASE_COLLISION = 7,
	BGP_CEASE_RESOURCES = 8,
	BGP_CEASE_HARD_RESET = 9,
	/* 7: ROUTE-REFRESH, RFC 7313 */
	BGP_REFRESH_LENGTH = 1,
};

struct bgp_error {
	uint8_t code, subcode;
	uint8_t data_len;
	uint8_t data[BGP_ERROR_DATA_MAX]; /* as the RFC wants it in the NOTIFICATION, cut to fit */
	const char *what;		   /* a constant sentence for the log */
};
