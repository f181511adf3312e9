/* The message header, and KEEPALIVE, which is nothing else: RFC 4271 section 4.1, 4.4 and 6.1, RFC
 * 8654 section 4. */
#include "bgp/msg.h"

#include <errno.h>
#include <string.h>

#define MARKER_LEN 16
#define LEN_AT MARKER_LEN

static const uint8_t marker[MARKER_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* A row a type. ROUTE-REFRESH has an error code of its own for a wrong length (RFC 7313), see
 * refresh_decode(). */
static const struct {
	uint16_t min, max;
} lengths[] = {
	[BGP_OPEN] = {29, BGP_MSG_MAX}, /* never extended */
	[BGP_UPDATE] = {23, BGP_MSG_EXTENDED_MAX},
	[BGP_NOTIFICATION] = {21, BGP_MSG_EXTENDED_MAX},
	[BGP_KEEPALIVE] = {19, 19},
	[BGP_ROUTE_REFRESH] = {19, BGP_MSG_EXTENDED_MAX},
};

static int bad(
	struct bgp_error *err, uint8_t subcode, const uint8_t *data, size_t len, const char *what)
{
	*err = (struct bgp_error){
		.code = BGP_ERR_HEADER, .subcode = subcode, .what = what, .data_len = (uint8_t)len};
	if (len)
		memcpy(err->data, data, len);
	return -EBADMSG;
}

int bgp_header_decode(
	const uint8_t *p, size_t len, size_t max, struct bgp_header *ret, struct bgp_error *err)
{
	struct reader r = reader_of(p, len);
	const uint8_t *mark = reader_bytes(&r, MARKER_LEN);
	struct bgp_header h;

	h.len = reader_u16(&r);
	h.type = reader_u8(&r);

	if (!reader_ok(&r))
		return 1;
	uint8_t len_octets[2] = {(uint8_t)(h.len >> 8), (uint8_t)h.len};
	if (memcmp(mark, marker, MARKER_LEN) != 0)
		return bad(err, BGP_HEADER_NOT_SYNC, NULL, 0, "marker is not all ones");
	if (h.len < BGP_HEADER_LEN || h.len > max)
		return bad(
			err, BGP_HEADER_BAD_LENGTH, len_octets, 2, "message length out of bounds");
	if (h.type < BGP_OPEN || h.type > BGP_ROUTE_REFRESH)
		return bad(err, BGP_HEADER_BAD_TYPE, &h.type, 1, "unknown message type");
	if (h.len < lengths[h.type].min || h.len > lengths[h.type].max)
		return bad(err, BGP_HEADER_BAD_LENGTH, len_octets, 2,
			"message length is wrong for its type");
	*ret = h;
	return 0;
}

size_t bgp_msg_begin(struct writer *w, enum bgp_msg_type type)
{
	size_t mark = writer_mark(w);

	writer_bytes(w, marker, MARKER_LEN);
	writer_u16(w, 0);
	writer_u8(w, (uint8_t)type);
	return mark;
}

void bgp_msg_finish(struct writer *w, size_t mark)
{
	if (writer_ok(w))
		writer_patch_u16(w, mark + LEN_AT, (uint16_t)(writer_mark(w) - mark));
}

void keepalive_encode(struct writer *w)
{
	bgp_msg_finish(w, bgp_msg_begin(w, BGP_KEEPALIVE));
}
