/* NOTIFICATION: RFC 4271 section 4.5, the names of all codes and subcodes, the shutdown
 * communication of RFC 9003 and the hard reset of RFC 8538, which holds another NOTIFICATION. */
#include "bgp/msg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"

/* A peer that knows only RFC 8203 takes a longer one for an error (RFC 9003 section 3). */
#define COMMUNICATION_MAX 128

#define SUBCODES 13

static const struct {
	const char *name;
	const char *sub[SUBCODES];
} codes[] = {
	[BGP_ERR_HEADER] = {"Message Header Error",
		{[BGP_HEADER_NOT_SYNC] = "Connection Not Synchronized",
			[BGP_HEADER_BAD_LENGTH] = "Bad Message Length",
			[BGP_HEADER_BAD_TYPE] = "Bad Message Type"}},
	[BGP_ERR_OPEN] = {"OPEN Message Error",
		{[BGP_OPEN_VERSION] = "Unsupported Version Number",
			[BGP_OPEN_PEER_AS] = "Bad Peer AS",
			[BGP_OPEN_BGP_ID] = "Bad BGP Identifier",
			[BGP_OPEN_OPT_PARAM] = "Unsupported Optional Parameter",
			[BGP_OPEN_HOLD_TIME] = "Unacceptable Hold Time",
			[BGP_OPEN_CAPABILITY] = "Unsupported Capability",
			[BGP_OPEN_ROLE] = "Role Mismatch"}},
	[BGP_ERR_UPDATE] = {"UPDATE Message Error",
		{[BGP_UPDATE_ATTR_LIST] = "Malformed Attribute List",
			[BGP_UPDATE_WELL_KNOWN_UNKNOWN] = "Unrecognized Well-known Attribute",
			[BGP_UPDATE_WELL_KNOWN_MISSING] = "Missing Well-known Attribute",
			[BGP_UPDATE_ATTR_FLAGS] = "Attribute Flags Error",
			[BGP_UPDATE_ATTR_LENGTH] = "Attribute Length Error",
			[BGP_UPDATE_ORIGIN] = "Invalid ORIGIN Attribute",
			[BGP_UPDATE_NEXT_HOP] = "Invalid NEXT_HOP Attribute",
			[BGP_UPDATE_OPTIONAL_ATTR] = "Optional Attribute Error",
			[BGP_UPDATE_NETWORK] = "Invalid Network Field",
			[BGP_UPDATE_AS_PATH] = "Malformed AS_PATH"}},
	[BGP_ERR_HOLD_TIMER] = {"Hold Timer Expired", {0}},
	[BGP_ERR_FSM] = {"Finite State Machine Error",
		{[BGP_FSM_OPENSENT] = "Unexpected Message in OpenSent",
			[BGP_FSM_OPENCONFIRM] = "Unexpected Message in OpenConfirm",
			[BGP_FSM_ESTABLISHED] = "Unexpected Message in Established"}},
	[BGP_ERR_CEASE] = {"Cease",
		{[BGP_CEASE_MAX_PREFIXES] = "Maximum Number of Prefixes Reached",
			[BGP_CEASE_SHUTDOWN] = "Administrative Shutdown",
			[BGP_CEASE_DECONFIGURED] = "Peer De-configured",
			[BGP_CEASE_RESET] = "Administrative Reset",
			[BGP_CEASE_REJECTED] = "Connection Rejected",
			[BGP_CEASE_CONFIG_CHANGE] = "Other Configuration Change",
			[BGP_CEASE_COLLISION] = "Connection Collision Resolution",
			[BGP_CEASE_RESOURCES] = "Out of Resources",
			[BGP_CEASE_HARD_RESET] = "Hard Reset"}},
	[BGP_ERR_ROUTE_REFRESH] = {"ROUTE-REFRESH Message Error",
		{[BGP_REFRESH_LENGTH] = "Invalid Message Length"}},
	[BGP_ERR_SEND_HOLD_TIMER] = {"Send Hold Timer Expired", {0}},
};

static const char *code_name(uint8_t code)
{
	return code < sizeof(codes) / sizeof(codes[0]) ? codes[code].name : NULL;
}

static const char *subcode_name(uint8_t code, uint8_t subcode)
{
	return code_name(code) && subcode < SUBCODES ? codes[code].sub[subcode] : NULL;
}

int notification_decode(const uint8_t *body, size_t len, struct bgp_error *ret)
{
	struct reader r = reader_of(body, len);
	struct bgp_error e = {0};

	e.code = reader_u8(&r);
	e.subcode = reader_u8(&r);
	size_t left = reader_left(&r);

	if (!reader_ok(&r))
		return -EBADMSG;
	e.data_len = (uint8_t)(left < sizeof(e.data) ? left : sizeof(e.data));
	reader_copy(&r, e.data, e.data_len);
	e.what = subcode_name(e.code, e.subcode);
	if (!e.what)
		e.what = code_name(e.code) ? code_name(e.code) : "unknown error";
	*ret = e;
	return 0;
}

void notification_encode(struct writer *w, const struct bgp_error *err)
{
	size_t mark = bgp_msg_begin(w, BGP_NOTIFICATION);

	writer_u8(w, err->code);
	writer_u8(w, err->subcode);
	writer_bytes(w, err->data, err->data_len);
	bgp_msg_finish(w, mark);
}

struct bgp_error notification_cease(uint8_t subcode, const char *communication)
{
	struct bgp_error e = {.code = BGP_ERR_CEASE, .subcode = subcode};
	size_t len = communication ? strlen(communication) : 0;

	e.what = subcode_name(e.code, subcode) ? subcode_name(e.code, subcode) : "Cease";
	if (len == 0 || (subcode != BGP_CEASE_SHUTDOWN && subcode != BGP_CEASE_RESET))
		return e;
	if (len > COMMUNICATION_MAX) {
		/* Not through a character: back to before its first octet. */
		len = COMMUNICATION_MAX;
		while (len > 0 && ((uint8_t)communication[len] & 0xc0) == 0x80)
			len--;
	}
	e.data[0] = (uint8_t)len;
	memcpy(e.data + 1, communication, len);
	e.data_len = (uint8_t)(len + 1);
	return e;
}

static void append(char *buf, size_t cap, const char *text)
{
	size_t at = strlen(buf);

	snprintf(buf + at, cap - at, "%s", text);
}

/* "6/2 Cease/Administrative Shutdown" */
static void put_names(char *buf, size_t cap, uint8_t code, uint8_t subcode)
{
	const char *name = code_name(code), *sub = subcode_name(code, subcode);
	char line[128];

	snprintf(line, sizeof(line), "%u/%u %s%s%s", code, subcode, name ? name : "unknown error",
		sub ? "/" : "", sub ? sub : "");
	append(buf, cap, line);
}

static void put_communication(char *buf, size_t cap, struct reader *r)
{
	char text[4 * BGP_ERROR_DATA_MAX + 1];
	uint8_t len = reader_u8(r);
	/* It may have been cut to what struct bgp_error holds. */
	struct span s = reader_rest(r);

	if (len == 0 || s.len == 0)
		return;
	append(buf, cap, ": \"");
	append(buf, cap, text_escape(text, sizeof(text), s.p, len < s.len ? len : s.len));
	append(buf, cap, "\"");
}

char *notification_format(const struct bgp_error *err, char *buf, size_t cap)
{
	struct reader r = reader_of(err->data, err->data_len);
	uint8_t code = err->code, subcode = err->subcode;

	buf[0] = '\0';
	put_names(buf, cap, code, subcode);
	if (code == BGP_ERR_CEASE && subcode == BGP_CEASE_HARD_RESET && reader_left(&r) >= 2) {
		code = reader_u8(&r);
		subcode = reader_u8(&r);
		append(buf, cap, " of ");
		put_names(buf, cap, code, subcode);
	}
	if (code == BGP_ERR_CEASE && (subcode == BGP_CEASE_SHUTDOWN || subcode == BGP_CEASE_RESET))
		put_communication(buf, cap, &r);
	return buf;
}
