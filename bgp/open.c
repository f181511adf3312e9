/* OPEN: RFC 4271 section 4.2 and 6.2, capabilities (RFC 5492) through a table of rows, long
 * optional parameters (RFC 9072), BGP identifiers (RFC 6286), AS 0 (RFC 7607).
 *
 * Rows: RFC 4760 families, 2918 route refresh, 8654 extended messages, 9234 role, 4724 with 8538
 * graceful restart, 6793 4-octet AS, 7911 ADD-PATH, 7313 enhanced refresh, 9494 long-lived graceful
 * restart. An unknown capability is skipped (RFC 5492 section 3); a known one of an impossible length is a malformed parameter, 2/0.
 * Flags count by their presence, whatever their length.
 */
#include "bgp/msg.h"

#include <errno.h>
#include <string.h>

#define BGP_VERSION 4
#define PARAM_CAPABILITIES 2
#define PARAM_EXTENDED 255

enum {
	CAP_MULTIPROTOCOL = 1,
	CAP_ROUTE_REFRESH = 2,
	CAP_EXTENDED_MESSAGE = 6,
	CAP_ROLE = 9,
	CAP_GRACEFUL_RESTART = 64,
	CAP_AS4 = 65,
	CAP_ADD_PATH = 69,
	CAP_ENHANCED_REFRESH = 70,
	CAP_LLGR = 71,
};

#define GR_RESTARTING 0x80
#define GR_NOTIFICATION 0x40
#define GR_FORWARDING 0x80

/* An OPEN in the making, with what is needed to judge repetitions. */
struct open_decode {
	struct bgp_open o;
	int role; /* as received; -1: none yet */
	uint8_t subcode;
	const char *why;
};

static int bad(struct bgp_error *err, uint8_t subcode, const char *what)
{
	*err = (struct bgp_error){.code = BGP_ERR_OPEN, .subcode = subcode, .what = what};
	return -EBADMSG;
}

/* --- capabilities: `v` holds the value; they write it, or nothing to leave the capability out --- */

static bool wrong(struct open_decode *d, uint8_t subcode, const char *why)
{
	d->subcode = subcode;
	d->why = why;
	return false;
}

static bool same_family(struct bgp_afi_safi a, struct bgp_afi_safi b)
{
	return a.afi == b.afi && a.safi == b.safi;
}

static bool multiprotocol_decode(struct open_decode *d, struct reader *v)
{
	struct bgp_afi_safi f;

	f.afi = reader_u16(v);
	reader_skip(v, 1);
	f.safi = reader_u8(v);
	if (!reader_done(v))
		return wrong(d, 0, "malformed multiprotocol capability");
	for (unsigned i = 0; i < d->o.family_count; i++)
		if (same_family(d->o.families[i], f))
			return true;
	if (d->o.family_count < OPEN_MAX_FAMILIES)
		d->o.families[d->o.family_count++] = f;
	return true;
}

static void put_family(struct writer *w, struct bgp_afi_safi f)
{
	writer_u16(w, f.afi);
	writer_u8(w, f.safi);
}

static bool refresh_cap_decode(struct open_decode *d, struct reader *v)
{
	(void)v;
	return d->o.route_refresh = true;
}

static bool extended_message_decode(struct open_decode *d, struct reader *v)
{
	(void)v;
	return d->o.extended_message = true;
}

static bool enhanced_refresh_decode(struct open_decode *d, struct reader *v)
{
	(void)v;
	return d->o.enhanced_refresh = true;
}

/* RFC 9234 section 4.2: the same again is nothing, another one is a mismatch. */
static bool role_decode(struct open_decode *d, struct reader *v)
{
	int role = reader_u8(v);

	if (!reader_done(v))
		return wrong(d, 0, "malformed role capability");
	if (d->role >= 0 && d->role != role)
		return wrong(d, BGP_OPEN_ROLE, "two different roles");
	d->role = role;
	d->o.role = (int8_t)(role < INT8_MAX ? role : INT8_MAX);
	return true;
}

/* The last one counts (RFC 4724 section 3). */
static bool gr_decode(struct open_decode *d, struct reader *v)
{
	struct bgp_open *o = &d->o;
	uint16_t head = reader_u16(v);

	if (!reader_ok(v) || reader_left(v) % 4 != 0)
		return wrong(d, 0, "malformed graceful restart capability");
	o->gr = true;
	o->gr_restarting = head >> 8 & GR_RESTARTING;
	o->gr_notification = head >> 8 & GR_NOTIFICATION;
	o->gr_restart_sec = head & 0xfff;
	o->gr_family_count = 0;
	while (reader_left(v) > 0) {
		struct open_gr_family f;
		f.family.afi = reader_u16(v);
		f.family.safi = reader_u8(v);
		f.forwarding = reader_u8(v) & GR_FORWARDING;
		if (o->gr_family_count < OPEN_MAX_FAMILIES)
			o->gr_families[o->gr_family_count++] = f;
	}
	return true;
}

static void gr_encode(struct writer *w, const struct bgp_open *o)
{
	uint8_t flags =
		(o->gr_restarting ? GR_RESTARTING : 0) | (o->gr_notification ? GR_NOTIFICATION : 0);

	writer_u16(w, (uint16_t)(flags << 8 | (o->gr_restart_sec & 0xfff)));
	for (unsigned i = 0; i < o->gr_family_count; i++) {
		put_family(w, o->gr_families[i].family);
		writer_u8(w, o->gr_families[i].forwarding ? GR_FORWARDING : 0);
	}
}

/* As with that of RFC 4724, the last one counts. */
static bool llgr_decode(struct open_decode *d, struct reader *v)
{
	struct bgp_open *o = &d->o;

	if (reader_left(v) % 7 != 0)
		return wrong(d, 0, "malformed long-lived graceful restart capability");
	o->llgr = true;
	o->llgr_family_count = 0;
	while (reader_left(v) > 0) {
		struct open_llgr_family f;
		f.family.afi = reader_u16(v);
		f.family.safi = reader_u8(v);
		f.forwarding = reader_u8(v) & GR_FORWARDING;
		f.stale_sec = reader_u24(v);
		if (o->llgr_family_count < OPEN_MAX_FAMILIES)
			o->llgr_families[o->llgr_family_count++] = f;
	}
	return true;
}

static void llgr_encode(struct writer *w, const struct bgp_open *o)
{
	for (unsigned i = 0; i < o->llgr_family_count; i++) {
		put_family(w, o->llgr_families[i].family);
		writer_u8(w, o->llgr_families[i].forwarding ? GR_FORWARDING : 0);
		writer_u24(w, o->llgr_families[i].stale_sec);
	}
}

static bool as4_decode(struct open_decode *d, struct reader *v)
{
	uint32_t as = reader_u32(v);

	if (!reader_done(v))
		return wrong(d, 0, "malformed 4-octet AS capability");
	if (as == 0)
		return wrong(d, BGP_OPEN_PEER_AS, "peer claims to be AS 0");
	if (!d->o.as4)
		d->o.as = as;
	return d->o.as4 = true;
}

static void as4_encode(struct writer *w, const struct bgp_open *o)
{
	writer_u32(w, o->as);
}

/* Another mode than the three is as if it was not there (RFC 7911 section 4). */
static bool add_path_decode(struct open_decode *d, struct reader *v)
{
	struct bgp_open *o = &d->o;

	if (reader_left(v) % 4 != 0)
		return wrong(d, 0, "malformed ADD-PATH capability");
	while (reader_left(v) > 0) {
		struct open_add_path a;
		bool known = false;
		a.family.afi = reader_u16(v);
		a.family.safi = reader_u8(v);
		a.mode = reader_u8(v);
		for (unsigned i = 0; i < o->add_path_count; i++)
			known |= same_family(o->add_path[i].family, a.family);
		if (a.mode >= 1 && a.mode <= 3 && !known && o->add_path_count < OPEN_MAX_FAMILIES)
			o->add_path[o->add_path_count++] = a;
	}
	return true;
}

static void add_path_encode(struct writer *w, const struct bgp_open *o)
{
	for (unsigned i = 0; i < o->add_path_count; i++) {
		put_family(w, o->add_path[i].family);
		writer_u8(w, o->add_path[i].mode);
	}
}

static void role_encode(struct writer *w, const struct bgp_open *o)
{
	writer_u8(w, (uint8_t)o->role);
}

static bool refresh_cap_wanted(const struct bgp_open *o)
{
	return o->route_refresh;
}

static bool extended_message_wanted(const struct bgp_open *o)
{
	return o->extended_message;
}

static bool role_wanted(const struct bgp_open *o)
{
	return o->role >= 0;
}

static bool gr_wanted(const struct bgp_open *o)
{
	return o->gr;
}

static bool llgr_wanted(const struct bgp_open *o)
{
	return o->llgr;
}

static bool as4_wanted(const struct bgp_open *o)
{
	return o->as4;
}

static bool add_path_wanted(const struct bgp_open *o)
{
	return o->add_path_count > 0;
}

static bool enhanced_refresh_wanted(const struct bgp_open *o)
{
	return o->enhanced_refresh;
}

/* The one that stands in an OPEN as often as there are families is written by caps_encode(). */
static const struct capability {
	uint8_t code;
	bool (*decode)(struct open_decode *d, struct reader *v);
	bool (*wanted)(const struct bgp_open *o);
	void (*encode)(struct writer *w, const struct bgp_open *o); /* NULL: no value */
} capabilities[] = {
	{CAP_MULTIPROTOCOL, multiprotocol_decode, NULL, NULL},
	{CAP_ROUTE_REFRESH, refresh_cap_decode, refresh_cap_wanted, NULL},
	{CAP_EXTENDED_MESSAGE, extended_message_decode, extended_message_wanted, NULL},
	{CAP_ROLE, role_decode, role_wanted, role_encode},
	{CAP_GRACEFUL_RESTART, gr_decode, gr_wanted, gr_encode},
	{CAP_AS4, as4_decode, as4_wanted, as4_encode},
	{CAP_ADD_PATH, add_path_decode, add_path_wanted, add_path_encode},
	{CAP_ENHANCED_REFRESH, enhanced_refresh_decode, enhanced_refresh_wanted, NULL},
	{CAP_LLGR, llgr_decode, llgr_wanted, llgr_encode},
};

#define CAPABILITIES (sizeof(capabilities) / sizeof(capabilities[0]))

/* --- decoding --- */

static bool caps_decode(struct open_decode *d, struct reader *r)
{
	while (reader_left(r) > 0) {
		uint8_t code = reader_u8(r);
		struct reader v = reader_sub(r, reader_u8(r));
		if (!reader_ok(r))
			break;
		for (size_t i = 0; i < CAPABILITIES; i++)
			if (capabilities[i].code == code && !capabilities[i].decode(d, &v))
				return false;
	}
	return reader_ok(r) || wrong(d, 0, "capability overruns its parameter");
}

static bool params_decode(struct open_decode *d, struct reader *r, bool extended)
{
	while (reader_left(r) > 0) {
		uint8_t type = reader_u8(r);
		struct reader v = reader_sub(r, extended ? reader_u16(r) : reader_u8(r));
		if (!reader_ok(r))
			break;
		if (type != PARAM_CAPABILITIES)
			return wrong(d, BGP_OPEN_OPT_PARAM, "unknown optional parameter");
		if (!caps_decode(d, &v))
			return false;
	}
	return reader_ok(r) || wrong(d, 0, "optional parameter overruns the OPEN");
}

/* Cuts out the parameters, in either form (RFC 9072 section 2). */
static bool params_cut(
	struct open_decode *d, struct reader *r, struct reader *ret, bool *ret_extended)
{
	size_t len = reader_u8(r);
	struct reader peek = *r;

	*ret_extended = len > 0 && reader_u8(&peek) == PARAM_EXTENDED;
	if (*ret_extended) {
		reader_skip(r, 1);
		len = reader_u16(r);
	}
	*ret = reader_sub(r, len);
	return reader_done(r) || wrong(d, 0, "length of the optional parameters is wrong");
}

int open_decode(const uint8_t *body, size_t len, struct bgp_open *ret, struct bgp_error *err)
{
	struct open_decode d = {.o = {.role = -1}, .role = -1};
	struct reader r = reader_of(body, len), params;
	bool extended;

	if (reader_u8(&r) != BGP_VERSION && reader_ok(&r)) {
		bad(err, BGP_OPEN_VERSION, "unsupported BGP version");
		err->data[1] = BGP_VERSION;
		err->data_len = 2;
		return -EBADMSG;
	}
	d.o.as = reader_u16(&r);
	d.o.hold_sec = reader_u16(&r);
	d.o.bgp_id = reader_u32(&r);
	if (reader_left(&r) == 0)
		return bad(err, 0, "OPEN is cut short");
	if (d.o.as == 0)
		return bad(err, BGP_OPEN_PEER_AS, "peer claims to be AS 0");
	if (d.o.hold_sec == 1 || d.o.hold_sec == 2)
		return bad(err, BGP_OPEN_HOLD_TIME, "hold time of 1 or 2 seconds");
	if (d.o.bgp_id == 0)
		return bad(err, BGP_OPEN_BGP_ID, "BGP identifier is zero");
	if (!params_cut(&d, &r, &params, &extended) || !params_decode(&d, &params, extended))
		return bad(err, d.subcode, d.why);
	*ret = d.o;
	return 0;
}

/* --- encoding --- */

static void caps_encode(struct writer *w, const struct bgp_open *o)
{
	for (unsigned i = 0; i < o->family_count; i++) {
		writer_u8(w, CAP_MULTIPROTOCOL);
		writer_u8(w, 4);
		writer_u16(w, o->families[i].afi);
		writer_u8(w, 0);
		writer_u8(w, o->families[i].safi);
	}
	for (size_t i = 0; i < CAPABILITIES; i++) {
		if (!capabilities[i].wanted || !capabilities[i].wanted(o))
			continue;
		writer_u8(w, capabilities[i].code);
		size_t len_at = writer_mark(w);
		writer_u8(w, 0);
		if (capabilities[i].encode)
			capabilities[i].encode(w, o);
		writer_patch_u8(w, len_at, (uint8_t)(writer_mark(w) - len_at - 1));
	}
}

/* All capabilities in one parameter (RFC 5492 section 4). */
void open_encode(struct writer *w, const struct bgp_open *open)
{
	uint8_t room[1024];
	struct writer caps = writer_of(room, sizeof(room));
	size_t mark = bgp_msg_begin(w, BGP_OPEN), len;

	caps_encode(&caps, open);
	len = writer_len(&caps);
	writer_u8(w, BGP_VERSION);
	writer_u16(w, open->as > UINT16_MAX ? AS_TRANS : (uint16_t)open->as);
	writer_u16(w, open->hold_sec);
	writer_u32(w, open->bgp_id);
	if (len == 0) {
		writer_u8(w, 0);
	} else if (len + 2 <= UINT8_MAX) {
		writer_u8(w, (uint8_t)(len + 2));
		writer_u8(w, PARAM_CAPABILITIES);
		writer_u8(w, (uint8_t)len);
	} else {
		writer_u8(w, UINT8_MAX);
		writer_u8(w, PARAM_EXTENDED);
		writer_u16(w, (uint16_t)(len + 3));
		writer_u8(w, PARAM_CAPABILITIES);
		writer_u16(w, (uint16_t)len);
	}
	writer_bytes(w, room, len);
	bgp_msg_finish(w, mark);
}
