/* BGP messages other than UPDATE: header, OPEN with capabilities, NOTIFICATION, KEEPALIVE, ROUTE-REFRESH.
 * RFC 4271 section 4, 5492, 9072 (long optional parameters), 8654 (extended messages), 2918 and 7313. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/error.h"
#include "lib/ip.h"
#include "lib/reader.h"
#include "lib/writer.h"

#define BGP_HEADER_LEN 19
#define BGP_MSG_MAX 4096
#define BGP_MSG_EXTENDED_MAX 65535
#define BGP_PORT 179
#define AS_TRANS 23456

enum bgp_msg_type {
	BGP_OPEN = 1,
	BGP_UPDATE = 2,
	BGP_NOTIFICATION = 3,
	BGP_KEEPALIVE = 4,
	BGP_ROUTE_REFRESH = 5,
};

struct bgp_header {
	uint16_t len; /* header included */
	uint8_t type;
};

/* Reads and checks a header (marker, type, length for the type and against `max`). 0; 1: fewer than 19 octets
 * are there; -EBADMSG with *err filled (1/1, 1/2, 1/3). */
int bgp_header_decode(const uint8_t *p, size_t len, size_t max, struct bgp_header *ret,
	struct bgp_error *err);
/* Writes marker, a length of zero and the type; returns the mark to give to bgp_msg_finish(). */
size_t bgp_msg_begin(struct writer *w, enum bgp_msg_type type);
void bgp_msg_finish(struct writer *w, size_t mark);

/* --- OPEN --- */

#define OPEN_MAX_FAMILIES 24 /* more than anybody has; what is beyond is left out */

struct bgp_afi_safi {
	uint16_t afi;
	uint8_t safi;
};

struct open_gr_family {
	struct bgp_afi_safi family;
	bool forwarding; /* the F bit: forwarding state was kept */
};

struct open_llgr_family {
	struct bgp_afi_safi family;
	bool forwarding;
	uint32_t stale_sec; /* 24 bits */
};

struct open_add_path {
	struct bgp_afi_safi family;
	uint8_t mode; /* 1 receive, 2 send, 3 both */
};

/* An OPEN, ours or the peer's. Unknown capabilities are skipped; duplicates of one are merged or the first kept. */
struct bgp_open {
	uint32_t as; /* the 4-octet AS if the capability is there, else the 2-octet field */
	uint16_t hold_sec;
	uint32_t bgp_id; /* host order */
	struct bgp_afi_safi families[OPEN_MAX_FAMILIES];
	uint8_t family_count; /* 0: no MP capability: IPv4 unicast is implied */
	bool as4, route_refresh, enhanced_refresh, extended_message;
	bool gr, gr_restarting, gr_notification; /* RFC 4724 R bit; RFC 8538 N bit */
	uint16_t gr_restart_sec;		 /* 12 bits */
	struct open_gr_family gr_families[OPEN_MAX_FAMILIES];
	uint8_t gr_family_count;
	bool llgr; /* RFC 9494 */
	struct open_llgr_family llgr_families[OPEN_MAX_FAMILIES];
	uint8_t llgr_family_count;
	struct open_add_path add_path[OPEN_MAX_FAMILIES];
	uint8_t add_path_count;
	int8_t role; /* RFC 9234; -1: none */
};

/* `body` is the message without its header. 0, or -EBADMSG with *err (2/x). Semantic checks that need the
 * configuration (peer AS, hold time accepted) are open_check()'s. */
int open_decode(const uint8_t *body, size_t len, struct bgp_open *ret, struct bgp_error *err);
/* A whole message, header included. Uses RFC 9072 only if 255 octets do not do. */
void open_encode(struct writer *w, const struct bgp_open *open);

/* --- NOTIFICATION --- */

int notification_decode(const uint8_t *body, size_t len, struct bgp_error *ret);
void notification_encode(struct writer *w, const struct bgp_error *err);
/* Cease with a shutdown communication (RFC 9003): UTF-8, cut to 255 octets (to what BGP_ERROR_DATA_MAX holds). */
struct bgp_error notification_cease(uint8_t subcode, const char *communication);
/* "6/2 Cease/Administrative Shutdown: \"maintenance\"" - the communication escaped. Returns buf. */
char *notification_format(const struct bgp_error *err, char *buf, size_t cap);

/* --- KEEPALIVE and ROUTE-REFRESH --- */

void keepalive_encode(struct writer *w);

enum refresh_subtype { REFRESH_REQUEST = 0, REFRESH_BORR = 1, REFRESH_EORR = 2 };

struct bgp_refresh {
	struct bgp_afi_safi family;
	uint8_t subtype;
};

/* 0; 1: an unknown subtype, to be ignored (RFC 7313 section 5); -EBADMSG with *err (7/1). */
int refresh_decode(const uint8_t *body, size_t len, struct bgp_refresh *ret, struct bgp_error *err);
void refresh_encode(struct writer *w, const struct bgp_refresh *refresh);
