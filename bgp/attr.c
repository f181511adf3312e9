/* The table of path attributes: a row each, with its decoder and, right beneath, its encoder.
 *
 * RFC 4271 section 4.3 and 5, 1997, 4360, 4456, 5701, 6514, 6793, 8092, 8669, 9012, 9234, 9252.
 * What a malformed one leads to is in the row, from RFC 7606 section 7 or the attribute's own RFC;
 * the walk that applies it is update_decode.c. Attributes of types 23, 25 and 40 are checked only
 * so that none that is broken reaches a speaker that reads them; they travel as unknown ones do.
 */
#include "bgp/attr_table.h"

#include <string.h>

#include "bgp/as_path.h"
#include "bgp/ecom.h"
#include "bgp/large_communities.h"
#include "bgp/msg.h"

#define WELL_KNOWN ATTR_FLAG_TRANSITIVE
#define OPTIONAL_TRANSITIVE (ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE)
#define OPTIONAL_LOCAL ATTR_FLAG_OPTIONAL

void attr_begin(struct writer *w, uint8_t flags, uint8_t type, size_t len)
{
	flags &= (uint8_t)~ATTR_FLAG_EXTENDED;
	writer_u8(w, len > UINT8_MAX ? flags | ATTR_FLAG_EXTENDED : flags);
	writer_u8(w, type);
	if (len > UINT8_MAX)
		writer_u16(w, (uint16_t)len);
	else
		writer_u8(w, (uint8_t)len);
}

/* Flags of the row, and Partial if it came so: it is never set back (RFC 4271 section 5). */
static void begin(struct writer *w, uint8_t type, const struct attrs *a, size_t len)
{
	uint8_t partial = a->partial & ATTR_BIT(type) ? ATTR_FLAG_PARTIAL : 0;

	attr_begin(w, attr_row(type)->flags | partial, type, len);
}

static void put_u32(struct writer *w, uint8_t type, const struct attrs *a, uint32_t v)
{
	begin(w, type, a, 4);
	writer_u32(w, v);
}

static void put_span(struct writer *w, uint8_t type, const struct attrs *a, struct span s)
{
	begin(w, type, a, s.len);
	writer_bytes(w, s.p, s.len);
}

static bool wrong(struct attr_decode *d, const char *why)
{
	d->why = why;
	return false;
}

/* --- ORIGIN, AS_PATH, NEXT_HOP --- */

static bool origin_decode(struct attr_decode *d, struct reader *v)
{
	d->u->attrs.origin = reader_u8(v);
	return d->u->attrs.origin <= 2 || wrong(d, "undefined ORIGIN");
}

static void origin_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	(void)out;
	begin(w, type, a, 1);
	writer_u8(w, a->origin);
}

static bool as_path_decode(struct attr_decode *d, struct reader *v)
{
	d->u->attrs.as_path = reader_rest(v);
	d->why = as_path_check(d->u->attrs.as_path, d->ctx->as4 ? 4 : 2, false);
	return !d->why;
}

static void as_path_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	struct as_path_out o = {a->as_path, out->prepend_as, out->as4 ? 4 : 2};

	begin(w, type, a, as_path_octets(&o));
	as_path_write(w, &o);
}

/* With MP_REACH it is to be ignored (RFC 4760 section 3), and there are no other routes that we
 * take: only its form counts. */
static bool next_hop_decode(struct attr_decode *d, struct reader *v)
{
	(void)d;
	reader_skip(v, 4);
	return true;
}

/* --- MED, LOCAL_PREF --- */

static bool med_decode(struct attr_decode *d, struct reader *v)
{
	d->u->attrs.med = reader_u32(v);
	return true;
}

static void med_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	(void)out;
	if (attrs_has(a, ATTR_MED))
		put_u32(w, type, a, a->med);
}

static bool local_pref_decode(struct attr_decode *d, struct reader *v)
{
	d->u->attrs.local_pref = reader_u32(v);
	return true;
}

static void local_pref_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	if (out->ibgp && (attrs_has(a, ATTR_LOCAL_PREF) || !out->as_received))
		put_u32(w, type, a, attrs_has(a, ATTR_LOCAL_PREF) ? a->local_pref : 100);
}

/* --- ATOMIC_AGGREGATE, AGGREGATOR --- */

static bool atomic_decode(struct attr_decode *d, struct reader *v)
{
	(void)d;
	(void)v;
	return true;
}

static void atomic_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	(void)out;
	if (attrs_has(a, ATTR_ATOMIC_AGGREGATE))
		begin(w, type, a, 0);
}

static bool aggregator_decode(struct attr_decode *d, struct reader *v)
{
	struct attrs *a = &d->u->attrs;

	a->aggregator_as = d->ctx->as4 ? reader_u32(v) : reader_u16(v);
	reader_copy(v, a->aggregator_ip, 4);
	if (!reader_done(v))
		return wrong(d, "AGGREGATOR of the wrong length");
	return a->aggregator_as != 0 || wrong(d, "AS 0 in AGGREGATOR"); /* RFC 7607 */
}

static void aggregator_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	if (!attrs_has(a, ATTR_AGGREGATOR))
		return;
	begin(w, type, a, out->as4 ? 8 : 6);
	if (out->as4)
		writer_u32(w, a->aggregator_as);
	else
		writer_u16(
			w, a->aggregator_as > UINT16_MAX ? AS_TRANS : (uint16_t)a->aggregator_as);
	writer_bytes(w, a->aggregator_ip, 4);
}

/* --- communities: RFC 1997, 4360, 8092 --- */

static bool communities_decode(struct attr_decode *d, struct reader *v)
{
	d->u->attrs.communities = reader_rest(v);
	return true;
}

static void communities_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	(void)out;
	if (attrs_has(a, ATTR_COMMUNITIES))
		put_span(w, type, a, a->communities);
}

/* No type or sub-type is an error (RFC 7606 section 7.14). */
static bool ext_communities_decode(struct attr_decode *d, struct reader *v)
{
	d->u->attrs.ext_communities = reader_rest(v);
	return true;
}

/* Across the border of the AS only the transitive ones go (RFC 4360 section 6). */
static void ext_communities_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	struct span s = a->ext_communities;
	size_t keep = 0;

	if (!attrs_has(a, ATTR_EXT_COMMUNITIES))
		return;
	for (size_t i = 0; i < ecom_count(s); i++)
		keep += out->ibgp || ecom_is_transitive(ecom_at(s, i));
	if (keep == 0)
		return;
	begin(w, type, a, 8 * keep);
	for (size_t i = 0; i < ecom_count(s); i++)
		if (out->ibgp || ecom_is_transitive(ecom_at(s, i)))
			writer_bytes(w, ecom_at(s, i), 8);
}

static bool large_communities_decode(struct attr_decode *d, struct reader *v)
{
	d->u->attrs.large_communities = large_communities_unique(reader_rest(v));
	return true;
}

static void large_communities_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	(void)out;
	if (attrs_has(a, ATTR_LARGE_COMMUNITIES))
		put_span(w, type, a, a->large_communities);
}

/* --- route reflection: RFC 4456 section 8 --- */

static bool originator_decode(struct attr_decode *d, struct reader *v)
{
	d->u->attrs.originator_id = reader_u32(v);
	return true;
}

static void originator_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	if (!out->ibgp)
		return;
	if (attrs_has(a, ATTR_ORIGINATOR_ID))
		put_u32(w, type, a, a->originator_id);
	else if (out->set_originator)
		put_u32(w, type, a, out->set_originator);
}

static bool cluster_list_decode(struct attr_decode *d, struct reader *v)
{
	d->u->attrs.cluster_list = reader_rest(v);
	return true;
}

static void cluster_list_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	size_t own = out->prepend_cluster ? 4 : 0;
	size_t others = attrs_has(a, ATTR_CLUSTER_LIST) ? a->cluster_list.len : 0;

	if (!out->ibgp || own + others == 0)
		return;
	begin(w, type, a, own + others);
	if (own)
		writer_u32(w, out->prepend_cluster);
	writer_bytes(w, a->cluster_list.p, others);
}

/* --- AS4_PATH, AS4_AGGREGATOR: RFC 6793 --- */

static bool as4_path_decode(struct attr_decode *d, struct reader *v)
{
	d->as4_path = reader_rest(v);
	d->why = as_path_check(d->as4_path, 4, true);
	if (d->why)
		d->as4_path = (struct span){0};
	return !d->why;
}

static void as4_path_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	struct as_path_out o = {a->as_path, out->prepend_as, 4};

	if (out->as4 || !as_path_needs_as4(a->as_path, out->prepend_as))
		return;
	begin(w, type, a, as_path_octets(&o));
	as_path_write(w, &o);
}

static bool as4_aggregator_decode(struct attr_decode *d, struct reader *v)
{
	d->as4_aggregator_as = reader_u32(v);
	reader_copy(v, d->as4_aggregator_ip, 4);
	d->has_as4_aggregator = d->as4_aggregator_as != 0;
	return d->has_as4_aggregator || wrong(d, "AS 0 in AS4_AGGREGATOR"); /* RFC 7607 */
}

static void as4_aggregator_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	if (out->as4 || !attrs_has(a, ATTR_AGGREGATOR) || a->aggregator_as <= UINT16_MAX)
		return;
	begin(w, type, a, 8);
	writer_u32(w, a->aggregator_as);
	writer_bytes(w, a->aggregator_ip, 4);
}

/* --- PMSI_TUNNEL, OTC --- */

#define PMSI_INGRESS_REPLICATION 6
#define PMSI_TYPE_MAX 11 /* BIER, RFC 8556 */

/* Opaque to a reflector, but a tunnel type that is not defined is malformed, and so is an
 * identifier that is not of its type (RFC 6514 section 5): of the types, every EVPN speaker reads
 * ingress replication, whose endpoint is an address. */
static bool pmsi_decode(struct attr_decode *d, struct reader *v)
{
	struct reader peek = *v;
	uint8_t type;

	d->u->attrs.pmsi = reader_rest(v);
	reader_skip(&peek, 1);
	type = reader_u8(&peek);
	reader_skip(&peek, 3);
	if (type > PMSI_TYPE_MAX)
		return wrong(d, "undefined tunnel type in PMSI_TUNNEL");
	size_t id_len = reader_left(&peek);
	if (type == PMSI_INGRESS_REPLICATION && id_len != 4 && id_len != 16)
		return wrong(d, "ingress replication endpoint is no address");
	return true;
}

static void pmsi_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	if (attrs_has(a, ATTR_PMSI_TUNNEL) &&
		(!out->conservative || attr_pmsi_conservative(a->pmsi)))
		put_span(w, type, a, a->pmsi);
}

/* RFC 9234 section 5: its procedures are for unicast; here it is preserved. The value is an AS
 * number, which 0 is not: FRR resets on it. */
static bool otc_decode(struct attr_decode *d, struct reader *v)
{
	d->u->attrs.otc = reader_u32(v);
	return d->u->attrs.otc != 0 || wrong(d, "AS 0 in OTC");
}

static void otc_encode(
	struct writer *w, uint8_t type, const struct attrs *a, const struct update_out *out)
{
	(void)out;
	if (attrs_has(a, ATTR_OTC))
		put_u32(w, type, a, a->otc);
}

/* --- checked and carried --- */

/* RFC 9012 section 13: every TLV ends where its last sub-TLV does. */
static bool tunnel_encap_decode(struct attr_decode *d, struct reader *v)
{
	while (reader_left(v) > 0) {
		reader_skip(v, 2);
		struct reader tlv = reader_sub(v, reader_u16(v));
		while (reader_left(&tlv) > 0)
			reader_skip(
				&tlv, reader_u8(&tlv) < 128 ? reader_u8(&tlv) : reader_u16(&tlv));
		if (!reader_done(&tlv))
			return wrong(d, "malformed TLV in TUNNEL_ENCAP");
	}
	return reader_done(v) || wrong(d, "malformed TUNNEL_ENCAP");
}

static bool ipv6_ext_communities_decode(struct attr_decode *d, struct reader *v)
{
	(void)d;
	(void)v;
	return true;
}

/* Sub-TLVs of RFC 9252 section 2: [type u8][length u16][value]. A SID information (1) is 21 octets,
 * then TLVs again, of which the SID structure (1) is 6 and the only one there is. */
static bool srv6_service_ok(struct reader tlv)
{
	reader_skip(&tlv, 1);
	while (reader_left(&tlv) > 0) {
		uint8_t type = reader_u8(&tlv);
		struct reader sub = reader_sub(&tlv, reader_u16(&tlv));
		if (type != 1)
			continue;
		reader_skip(&sub, 21);
		while (reader_left(&sub) > 0) {
			uint8_t sub_type = reader_u8(&sub);
			uint16_t len = reader_u16(&sub);
			reader_skip(&sub, len);
			if (sub_type != 1 || len != 6)
				return false;
		}
		if (!reader_done(&sub))
			return false;
	}
	return reader_done(&tlv);
}

/* RFC 8669 section 3 and 6: the label index (1) and the originator's SRGB (3); RFC 9252: the SRv6
 * services (5, 6). An attribute with other TLVs is discarded, too: FRR resets on those that it does
 * not know, and on the deprecated ones. */
static bool prefix_sid_decode(struct attr_decode *d, struct reader *v)
{
	while (reader_left(v) > 0) {
		uint8_t type = reader_u8(v);
		struct reader tlv = reader_sub(v, reader_u16(v));
		size_t len = reader_left(&tlv);
		bool ok = (type == 1 && len == 7) ||
			  (type == 3 && len >= 8 && (len - 2) % 6 == 0) ||
			  ((type == 5 || type == 6) && srv6_service_ok(tlv));
		if (!ok)
			return wrong(d, "malformed or unknown TLV in PREFIX_SID");
	}
	return reader_done(v) || wrong(d, "malformed PREFIX_SID");
}

/* --- the table --- */

#define WITHDRAW UPDATE_TREAT_AS_WITHDRAW
#define DISCARD UPDATE_ATTR_DISCARD
#define ANY UINT16_MAX

/* clang-format off */
static const struct attr_row rows[] = {
	[ATTR_ORIGIN] = {.name = "ORIGIN", .flags = WELL_KNOWN, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_ORIGIN, .min = 1, .max = 1,
		.decode = origin_decode, .encode = origin_encode},
	[ATTR_AS_PATH] = {.name = "AS_PATH", .flags = WELL_KNOWN, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_AS_PATH, .min = 0, .max = ANY,
		.decode = as_path_decode, .encode = as_path_encode},
	[ATTR_NEXT_HOP] = {.name = "NEXT_HOP", .flags = WELL_KNOWN, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_NEXT_HOP, .min = 4, .max = 4,
		.decode = next_hop_decode},
	[ATTR_MED] = {.name = "MULTI_EXIT_DISC", .flags = OPTIONAL_LOCAL, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 4, .max = 4,
		.decode = med_decode, .encode = med_encode},
	[ATTR_LOCAL_PREF] = {.name = "LOCAL_PREF", .flags = WELL_KNOWN, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_ATTR_LENGTH, .min = 4, .max = 4, .ibgp_only = true,
		.decode = local_pref_decode, .encode = local_pref_encode},
	[ATTR_ATOMIC_AGGREGATE] = {.name = "ATOMIC_AGGREGATE", .flags = WELL_KNOWN, .malformed = DISCARD,
		.subcode = BGP_UPDATE_ATTR_LENGTH, .min = 0, .max = 0,
		.decode = atomic_decode, .encode = atomic_encode},
	[ATTR_AGGREGATOR] = {.name = "AGGREGATOR", .flags = OPTIONAL_TRANSITIVE, .malformed = DISCARD,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 6, .max = 8,
		.decode = aggregator_decode, .encode = aggregator_encode},
	[ATTR_COMMUNITIES] = {.name = "COMMUNITIES", .flags = OPTIONAL_TRANSITIVE, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 4, .max = ANY, .multiple = 4,
		.decode = communities_decode, .encode = communities_encode},
	[ATTR_ORIGINATOR_ID] = {.name = "ORIGINATOR_ID", .flags = OPTIONAL_LOCAL, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 4, .max = 4, .ibgp_only = true,
		.decode = originator_decode, .encode = originator_encode},
	[ATTR_CLUSTER_LIST] = {.name = "CLUSTER_LIST", .flags = OPTIONAL_LOCAL, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 4, .max = ANY, .multiple = 4, .ibgp_only = true,
		.decode = cluster_list_decode, .encode = cluster_list_encode},
	[ATTR_MP_REACH] = {.name = "MP_REACH_NLRI", .flags = OPTIONAL_LOCAL, .malformed = REACT_RESET,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 5, .max = ANY,
		.decode = mp_reach_decode},
	[ATTR_MP_UNREACH] = {.name = "MP_UNREACH_NLRI", .flags = OPTIONAL_LOCAL, .malformed = REACT_RESET,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 3, .max = ANY,
		.decode = mp_unreach_decode},
	[ATTR_EXT_COMMUNITIES] = {.name = "EXTENDED COMMUNITIES", .flags = OPTIONAL_TRANSITIVE, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 8, .max = ANY, .multiple = 8,
		.decode = ext_communities_decode, .encode = ext_communities_encode},
	[ATTR_AS4_PATH] = {.name = "AS4_PATH", .flags = OPTIONAL_TRANSITIVE, .malformed = DISCARD,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 6, .max = ANY, .multiple = 2, .old_only = true,
		.decode = as4_path_decode, .encode = as4_path_encode},
	[ATTR_AS4_AGGREGATOR] = {.name = "AS4_AGGREGATOR", .flags = OPTIONAL_TRANSITIVE, .malformed = DISCARD,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 8, .max = 8, .old_only = true,
		.decode = as4_aggregator_decode, .encode = as4_aggregator_encode},
	[ATTR_PMSI_TUNNEL] = {.name = "PMSI_TUNNEL", .flags = OPTIONAL_TRANSITIVE, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 5, .max = ANY,
		.decode = pmsi_decode, .encode = pmsi_encode},
	[ATTR_TUNNEL_ENCAP] = {.name = "TUNNEL_ENCAP", .flags = OPTIONAL_TRANSITIVE, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 4, .max = ANY, .carried = true, .risky = true,
		.decode = tunnel_encap_decode},
	[ATTR_IPV6_EXT_COMMUNITIES] = {.name = "IPV6 EXTENDED COMMUNITIES", .flags = OPTIONAL_TRANSITIVE,
		.malformed = WITHDRAW, .subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 20, .max = ANY, .multiple = 20,
		.carried = true, .decode = ipv6_ext_communities_decode},
	[ATTR_LARGE_COMMUNITIES] = {.name = "LARGE_COMMUNITIES", .flags = OPTIONAL_TRANSITIVE, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 12, .max = ANY, .multiple = 12,
		.decode = large_communities_decode, .encode = large_communities_encode},
	[ATTR_OTC] = {.name = "OTC", .flags = OPTIONAL_TRANSITIVE, .malformed = WITHDRAW,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 4, .max = 4,
		.decode = otc_decode, .encode = otc_encode},
	[ATTR_PREFIX_SID] = {.name = "PREFIX_SID", .flags = OPTIONAL_TRANSITIVE, .malformed = DISCARD,
		.subcode = BGP_UPDATE_OPTIONAL_ATTR, .min = 3, .max = ANY, .carried = true, .risky = true,
		.decode = prefix_sid_decode},
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))

const struct attr_row *attr_row(uint8_t type)
{
	return type < ROWS && rows[type].name ? &rows[type] : NULL;
}

const char *attr_name(uint8_t type)
{
	const struct attr_row *row = attr_row(type);

	return row ? row->name : "attribute";
}

void attr_react(struct attr_decode *d, enum update_reaction reaction, uint8_t type, uint8_t subcode,
	const char *why)
{
	if (reaction <= d->reaction)
		return;
	d->reaction = reaction;
	d->reaction_type = type;
	d->subcode = subcode;
	d->reaction_why = why;
}

/* Those of attrs.unknown whose type is below `before` and not yet written. */
static void unknown_encode(
	struct writer *w, struct reader *unknown, unsigned before, const struct update_out *out)
{
	while (reader_left(unknown) > 0) {
		struct reader peek = *unknown;
		uint8_t flags = reader_u8(&peek), type = reader_u8(&peek);
		uint16_t len = reader_u16(&peek);
		const uint8_t *value = reader_bytes(&peek, len);
		if (type >= before || !value)
			return;
		*unknown = peek;
		if (out->conservative && attr_row(type) && attr_row(type)->risky)
			continue;
		attr_begin(w, flags, type, len);
		writer_bytes(w, value, len);
	}
}

void attrs_encode(struct writer *w, const struct attrs *a, const struct update_out *out)
{
	struct reader unknown = reader_of(a->unknown.p, a->unknown.len);

	for (unsigned type = 0; type < ROWS; type++) {
		if (!rows[type].encode)
			continue;
		unknown_encode(w, &unknown, type, out);
		rows[type].encode(w, (uint8_t)type, a, out);
	}
	unknown_encode(w, &unknown, UINT8_MAX + 1, out);
}
