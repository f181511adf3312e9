/* ROUTE-REFRESH (RFC 2918) with the subtypes of RFC 7313. An ORF (RFC 5291) behind the request is
 * not read: we do not announce it, so nobody should send it, and a refresh without filter gives
 * more rather than less. */
#include "bgp/msg.h"

#include <errno.h>

#define REFRESH_LEN 4

/* The data is the whole message (RFC 7313 section 5), cut to fit. */
static int bad_length(const uint8_t *body, size_t len, struct bgp_error *err)
{
	struct writer w;

	*err = (struct bgp_error){.code = BGP_ERR_ROUTE_REFRESH,
		.subcode = BGP_REFRESH_LENGTH,
		.what = "ROUTE-REFRESH of the wrong length"};
	w = writer_of(err->data, sizeof(err->data));
	bgp_msg_begin(&w, BGP_ROUTE_REFRESH);
	writer_patch_u16(&w, 16, (uint16_t)(BGP_HEADER_LEN + len));
	writer_bytes(&w, body, len < writer_room(&w) ? len : writer_room(&w));
	err->data_len = (uint8_t)writer_len(&w);
	return -EBADMSG;
}

int refresh_decode(const uint8_t *body, size_t len, struct bgp_refresh *ret, struct bgp_error *err)
{
	struct reader r = reader_of(body, len);
	struct bgp_refresh m;

	m.family.afi = reader_u16(&r);
	m.subtype = reader_u8(&r);
	m.family.safi = reader_u8(&r);
	if (!reader_ok(&r))
		return bad_length(body, len, err);
	if (m.subtype > REFRESH_EORR)
		return 1;
	if (m.subtype != REFRESH_REQUEST && !reader_done(&r))
		return bad_length(body, len, err);
	*ret = m;
	return 0;
}

void refresh_encode(struct writer *w, const struct bgp_refresh *refresh)
{
	size_t mark = bgp_msg_begin(w, BGP_ROUTE_REFRESH);

	writer_u16(w, refresh->family.afi);
	writer_u8(w, refresh->subtype);
	writer_u8(w, refresh->family.safi);
	bgp_msg_finish(w, mark);
}
