/* UPDATE, from the octets: RFC 4271 section 4.3 and 6.3 as RFC 7606 revised it, RFC 4760, 6793,
 * 7911, 4724 (EoR).
 *
 * Three steps. The walk cuts the message into fields and attributes and looks at nothing else (RFC
 * 7606 section 4). Then each attribute is read through its row of the table, in order of types and
 * not of the wire, so that no order matters. At the end stand the questions about the message as a
 * whole: what is missing, whether the findings can be handled without a reset, how the AS path of a
 * 2-octet peer reads.
 *
 * A finding asks for a reaction; the strongest is what happens. Sections of RFC 7606 stand at the
 * decisions.
 */
#include "bgp/update.h"

#include <errno.h>
#include <string.h>

#include "bgp/as_path.h"
#include "bgp/attr_table.h"
#include "bgp/msg.h"

struct raw_attr {
	uint8_t flags;
	bool left_out; /* malformed, or not for this kind of peer */
	struct span value;
};

struct raw_attrs {
	uint64_t seen[4]; /* a bit a type; those without it are not initialised below */
	struct raw_attr attr[256];
};

/* Where what cannot stay as it was on the wire is rewritten. */
static _Thread_local uint8_t as_path_room[UINT16_MAX], unknown_room[UINT16_MAX];

static bool is_mp(uint8_t type)
{
	return type == ATTR_MP_REACH || type == ATTR_MP_UNREACH;
}

static bool raw_has(const struct raw_attrs *raw, uint8_t type)
{
	return raw->seen[type / 64] >> type % 64 & 1;
}

/* The lowest type seen that is at least `from`, or 256. */
static unsigned raw_next(const struct raw_attrs *raw, unsigned from)
{
	for (; from < 256; from = (from / 64 + 1) * 64) {
		uint64_t rest = raw->seen[from / 64] >> from % 64;
		if (rest)
			return from + (unsigned)__builtin_ctzll(rest);
	}
	return 256;
}

/* --- the walk --- */

/* Syntactically correct, which is all that is asked of IPv4 routes here (section 3 i, 5.3). */
static bool prefixes_ok(struct reader r)
{
	while (reader_left(&r) > 0) {
		uint8_t bits = reader_u8(&r);
		reader_skip(&r, (bits + 7u) / 8);
		if (bits > 32)
			return false;
	}
	return reader_ok(&r);
}

static void walk_attrs(struct attr_decode *d, struct reader r, struct raw_attrs *raw)
{
	while (reader_left(&r) > 0) {
		uint8_t flags = reader_u8(&r), type = reader_u8(&r);
		size_t len = flags & ATTR_FLAG_EXTENDED ? reader_u16(&r) : reader_u8(&r);
		struct reader value = reader_sub(&r, len);
		if (!reader_ok(&r)) {
			/* Section 4; but routes that cannot be read cannot be withdrawn (section 3
			 * j). */
			attr_react(d, is_mp(type) ? REACT_RESET : UPDATE_TREAT_AS_WITHDRAW, type,
				BGP_UPDATE_ATTR_LIST, "attributes overrun their total length");
			return;
		}
		if (raw_has(raw, type)) { /* section 3 g */
			attr_react(d, is_mp(type) ? REACT_RESET : UPDATE_ATTR_DISCARD, type,
				BGP_UPDATE_ATTR_LIST, "attribute appears twice");
			continue;
		}
		raw->seen[type / 64] |= 1ULL << type % 64;
		raw->attr[type] = (struct raw_attr){.flags = flags, .value = reader_rest(&value)};
	}
}

/* --- attributes --- */

static void read_unknown(struct attr_decode *d, uint8_t type, const struct raw_attr *raw)
{
	/* Left as it was in RFC 4271 section 6.3. Optional ones are quietly kept or dropped
	 * (section 5). */
	if (!(raw->flags & ATTR_FLAG_OPTIONAL))
		attr_react(d, REACT_RESET, type, BGP_UPDATE_WELL_KNOWN_UNKNOWN,
			"unrecognized well-known attribute");
}

/* true: it is well-formed and was taken. */
static bool read_attr(struct attr_decode *d, uint8_t type, const struct raw_attr *raw)
{
	const struct attr_row *row = attr_row(type);
	bool mp = row->malformed == REACT_RESET;
	struct reader v = reader_of(raw->value.p, raw->value.len);

	if ((row->ibgp_only && !d->ctx->ibgp) || (row->old_only && d->ctx->as4)) {
		attr_react(
			d, UPDATE_ATTR_DISCARD, type, 0, "attribute is not for this kind of peer");
		return false;
	}
	if ((raw->flags ^ row->flags) & (ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE)) {
		/* Section 3 c; for MP_(UN)REACH 5.3. */
		attr_react(d, mp ? REACT_RESET : UPDATE_TREAT_AS_WITHDRAW, type,
			BGP_UPDATE_ATTR_FLAGS, "attribute flags conflict with the type");
		return false;
	}
	if (raw->value.len < row->min || raw->value.len > row->max ||
		(row->multiple && raw->value.len % row->multiple != 0)) {
		attr_react(d, row->malformed, type, mp ? row->subcode : BGP_UPDATE_ATTR_LENGTH,
			"attribute of the wrong length");
		return false;
	}
	if (!row->decode(d, &v)) {
		attr_react(d, row->malformed, type, row->subcode, d->why);
		return false;
	}
	return true;
}

static void read_attrs(struct attr_decode *d, struct raw_attrs *raw)
{
	struct attrs *a = &d->u->attrs;

	for (unsigned i = raw_next(raw, 0); i < 256; i = raw_next(raw, i + 1)) {
		uint8_t type = (uint8_t)i;
		const struct attr_row *row = attr_row(type);
		struct raw_attr *at = &raw->attr[type];
		if (!row) {
			read_unknown(d, type, at);
		} else if (!read_attr(d, type, at)) {
			at->left_out = true;
		} else if (row->encode && !row->old_only) {
			a->present |= ATTR_BIT(type);
			if (row->flags == (ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE) &&
				at->flags & ATTR_FLAG_PARTIAL)
				a->partial |= ATTR_BIT(type);
		}
	}
}

/* Gathers what travels on unread: unknown ones with Partial set (RFC 4271 section 5), checked ones
 * as they came. */
static void keep_unknown(struct attr_decode *d, const struct raw_attrs *raw)
{
	struct writer w = writer_of(unknown_room, sizeof(unknown_room));
	const uint8_t kept = ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE;

	for (unsigned i = raw_next(raw, 0); i < 256; i = raw_next(raw, i + 1)) {
		const struct attr_row *row = attr_row((uint8_t)i);
		const struct raw_attr *at = &raw->attr[i];
		if ((row && !row->carried) || at->left_out || (at->flags & kept) != kept)
			continue;
		writer_u8(&w, kept | (row ? at->flags & ATTR_FLAG_PARTIAL : ATTR_FLAG_PARTIAL));
		writer_u8(&w, (uint8_t)i);
		writer_u16(&w, at->value.len);
		writer_bytes(&w, at->value.p, at->value.len);
	}
	if (!writer_ok(&w))
		attr_react(d, UPDATE_TREAT_AS_WITHDRAW, 0, BGP_UPDATE_ATTR_LIST,
			"more attributes than can be carried");
	else
		d->u->attrs.unknown = (struct span){unknown_room, (uint16_t)writer_len(&w)};
}

/* --- MP_REACH_NLRI and MP_UNREACH_NLRI --- */

static const struct bgp_family *read_family(const struct update_ctx *ctx, struct reader *r)
{
	uint16_t afi = reader_u16(r);
	uint8_t safi = reader_u8(r);

	for (size_t i = 0; i < ctx->family_count; i++)
		if (ctx->families[i]->afi == afi && ctx->families[i]->safi == safi)
			return ctx->families[i];
	return NULL;
}

/* 4, 16, or 32 octets: a global and a link-local address (RFC 2545 section 3). A second address
 * that is not link-local says nothing and is left out. */
static bool read_next_hop(struct reader r, struct attrs *a)
{
	uint8_t b[32];
	size_t len = reader_left(&r);

	if (len != 4 && len != 16 && len != 32)
		return false;
	reader_copy(&r, b, len);
	a->next_hop = len == 4 ? ip_v4(b) : ip_v6(b);
	if (len == 32 && ip_is_link_local(ip_v6(b + 16)))
		a->next_hop_ll = ip_v6(b + 16);
	return true;
}

static bool is_host_address(struct ip ip)
{
	return !ip_is_unspecified(ip) && !ip_is_multicast(ip) &&
	       !(ip.family == 4 && ip_to_u32(ip) == UINT32_MAX);
}

/* RFC 4760 section 3, RFC 7606 section 7.11. */
bool mp_reach_decode(struct attr_decode *d, struct reader *v)
{
	const struct bgp_family *f = read_family(d->ctx, v);
	uint8_t next_hop_len = reader_u8(v);
	struct reader next_hop = reader_sub(v, next_hop_len);

	reader_skip(v, 1); /* reserved */
	struct span nlri = reader_rest(v);
	if (!reader_ok(v)) {
		d->why = "next hop overruns MP_REACH_NLRI";
		return false;
	}
	d->reachable |= nlri.len > 0;
	if (!f) {
		d->u->unknown_family = true;
		return true;
	}
	if (!f->nexthop_len_ok(next_hop_len) || !read_next_hop(next_hop, &d->u->attrs)) {
		d->why = "next hop of the wrong length in MP_REACH_NLRI";
		return false;
	}
	d->u->attrs.present |= ATTR_BIT(ATTR_NEXT_HOP);
	d->u->reach_family = f;
	d->u->reach = nlri;
	/* The length is right, so the routes were found: as for NEXT_HOP (section 3 e). */
	if (!is_host_address(d->u->attrs.next_hop))
		attr_react(d, UPDATE_TREAT_AS_WITHDRAW, ATTR_MP_REACH, BGP_UPDATE_NEXT_HOP,
			"next hop is no host address");
	return true;
}

bool mp_unreach_decode(struct attr_decode *d, struct reader *v)
{
	d->u->unreach_family = read_family(d->ctx, v);
	d->u->unreach = reader_rest(v);
	if (!d->u->unreach_family) {
		d->u->unreach = (struct span){0};
		d->u->unknown_family = true;
	}
	return true;
}

/* --- the message as a whole --- */

/* RFC 4271 section 5 with 4760 section 3 (LOCAL_PREF on iBGP); RFC 7606 section 3 d. */
static void need_mandatory(struct attr_decode *d, const struct raw_attrs *raw, bool old_nlri)
{
	static const uint8_t types[] = {ATTR_ORIGIN, ATTR_AS_PATH, ATTR_LOCAL_PREF, ATTR_NEXT_HOP};

	for (size_t i = 0; d->reachable && i < sizeof(types); i++) {
		if ((types[i] == ATTR_LOCAL_PREF && !d->ctx->ibgp) ||
			(types[i] == ATTR_NEXT_HOP && !old_nlri) || raw_has(raw, types[i]))
			continue;
		attr_react(d, UPDATE_TREAT_AS_WITHDRAW, types[i], BGP_UPDATE_WELL_KNOWN_MISSING,
			"mandatory attribute is missing");
	}
}

/* RFC 6793 section 4.2.3: what a 2-octet peer says, and what it passed on of those before it. */
static void merge_as4(struct attr_decode *d)
{
	struct writer w = writer_of(as_path_room, sizeof(as_path_room));
	struct attrs *a = &d->u->attrs;

	if (attrs_has(a, ATTR_AGGREGATOR) && d->has_as4_aggregator) {
		if (a->aggregator_as == AS_TRANS) {
			a->aggregator_as = d->as4_aggregator_as;
			memcpy(a->aggregator_ip, d->as4_aggregator_ip, 4);
		} else {
			d->as4_path = (struct span){0};
		}
	}
	as_path_merge(&w, a->as_path, d->as4_path);
	if (!writer_ok(&w))
		attr_react(d, UPDATE_TREAT_AS_WITHDRAW, ATTR_AS_PATH, BGP_UPDATE_AS_PATH,
			"AS path is too long to carry");
	else
		a->as_path = (struct span){as_path_room, (uint16_t)writer_len(&w)};
}

static int reset(struct bgp_error *err, uint8_t subcode, const char *why)
{
	*err = (struct bgp_error){.code = BGP_ERR_UPDATE, .subcode = subcode, .what = why};
	return -EBADMSG;
}

/* The data of the NOTIFICATION is the attribute (RFC 4271 section 6.3), cut to fit, or the type of
 * a missing one. */
static int reset_for(
	const struct attr_decode *d, const struct raw_attrs *raw, struct bgp_error *err)
{
	struct writer w = writer_of(err->data, sizeof(err->data));
	uint8_t type = d->reaction_type;

	reset(err, d->subcode, d->reaction_why);
	if (d->subcode == BGP_UPDATE_WELL_KNOWN_MISSING) {
		writer_u8(&w, type);
	} else if (d->subcode != BGP_UPDATE_ATTR_LIST && raw_has(raw, type)) {
		struct span v = raw->attr[type].value;
		writer_u8(&w, raw->attr[type].flags);
		writer_u8(&w, type);
		if (raw->attr[type].flags & ATTR_FLAG_EXTENDED)
			writer_u16(&w, v.len);
		else
			writer_u8(&w, (uint8_t)v.len);
		writer_bytes(&w, v.p, v.len < writer_room(&w) ? v.len : writer_room(&w));
	}
	err->data_len = (uint8_t)writer_len(&w);
	return -EBADMSG;
}

int update_decode(const uint8_t *body, size_t len, const struct update_ctx *ctx, struct update *ret,
	struct bgp_error *err)
{
	struct update u = {0};
	struct attr_decode d = {.ctx = ctx, .u = &u};
	struct raw_attrs raw;
	struct reader r = reader_of(body, len);
	struct reader withdrawn = reader_sub(&r, reader_u16(&r));
	struct reader attrs = reader_sub(&r, reader_u16(&r));
	size_t old = reader_left(&withdrawn) + reader_left(&r);
	bool old_nlri = reader_left(&r) > 0, empty_attrs = reader_left(&attrs) == 0;

	if (!reader_ok(&r)) /* section 3 b */
		return reset(err, BGP_UPDATE_ATTR_LIST, "lengths of UPDATE exceed the message");
	if (!prefixes_ok(withdrawn) || !prefixes_ok(r))
		return reset(err, BGP_UPDATE_NETWORK, "malformed IPv4 prefix");
	d.reachable = old_nlri;
	u.unknown_family = old > 0;
	memset(raw.seen, 0, sizeof(raw.seen));
	walk_attrs(&d, attrs, &raw);
	read_attrs(&d, &raw);
	need_mandatory(&d, &raw, old_nlri);
	if (d.reaction < UPDATE_TREAT_AS_WITHDRAW) {
		keep_unknown(&d, &raw);
		if (!ctx->as4)
			merge_as4(&d);
	}
	/* Section 5.2: without a reachable route in sight, what would be treated as withdrawn? */
	if (d.reaction == REACT_RESET || (d.reaction == UPDATE_TREAT_AS_WITHDRAW && !d.reachable))
		return reset_for(&d, &raw, err);
	if (d.reaction == UPDATE_TREAT_AS_WITHDRAW)
		u.attrs = (struct attrs){0};
	u.reaction = d.reaction;
	u.why = d.reaction_why;
	u.why_attr = d.reaction_type;
	if (d.reaction != UPDATE_OK && raw_has(&raw, d.reaction_type))
		u.why_value = raw.attr[d.reaction_type].value;
	u.eor_ipv4 = old == 0 && empty_attrs;
	if (u.unreach_family && u.unreach.len == 0 && old == 0 && !raw_has(&raw, ATTR_MP_REACH)) {
		u.eor_family = u.unreach_family;
		u.unreach_family = NULL;
	}
	*ret = u;
	return 0;
}

/* --- NLRIs --- */

enum nlri_verdict update_next(struct reader *r, const struct bgp_family *f, bool add_path,
	bool withdraw, struct nlri *ret, const char **ret_why)
{
	uint32_t path_id = add_path ? reader_u32(r) : 0;
	const uint8_t *from = r->p;
	enum nlri_verdict v = NLRI_BROKEN;

	*ret_why = "NLRI is cut short";
	if (reader_left(r) > 0)
		v = f->decode(r, withdraw, ret, ret_why);
	/* A family that stands still or reads past the end did not find where its route ends. */
	if (v != NLRI_BROKEN && (!reader_ok(r) || r->p == from)) {
		*ret_why = "NLRI is cut short";
		v = NLRI_BROKEN;
	}
	ret->path_id = path_id;
	return v;
}
