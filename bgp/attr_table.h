/* The table of path attributes, between attr.c, which holds it, and the decoder and encoder of
 * UPDATE, which walk it. An attribute is a row; what is not a row is unknown (RFC 4271 section 5).
 */
#pragma once
#include "bgp/attr.h"
#include "bgp/update.h"

/* Beyond the reactions that the caller of update_decode() sees: the strongest. */
#define REACT_RESET ((enum update_reaction)(UPDATE_TREAT_AS_WITHDRAW + 1))

/* What decoders fill besides struct update until all attributes are read, and the first finding of
 * the strongest reaction so far. */
struct attr_decode {
	const struct update_ctx *ctx;
	struct update *u;
	struct span as4_path;
	bool has_as4_aggregator;
	uint32_t as4_aggregator_as;
	uint8_t as4_aggregator_ip[4];
	bool reachable;  /* reachable NLRIs are encoded, of whatever family */
	const char *why; /* set by a decoder that returns false */

	enum update_reaction reaction;
	uint8_t subcode, reaction_type;
	const char *reaction_why;
};

struct attr_row {
	const char *name;
	uint8_t flags;                  /* Optional and Transitive as they must be */
	enum update_reaction malformed; /* RFC 7606 section 7 */
	uint8_t subcode;                /* of UPDATE errors, if that becomes a reset */
	uint16_t min, max;              /* octets of the value */
	uint8_t multiple;               /* the length is one of it; 0: any */
	bool ibgp_only;                 /* discarded on eBGP, whatever is in it */
	bool old_only; /* discarded when the peer has 4-octet AS numbers (RFC 6793 section 6) */
	bool carried;  /* checked, but kept in attrs.unknown: nobody here reads it */
	bool risky;    /* of those: legal forms are many, and FRR 8.4 ends the session on some */
	/* The value, of a length that passed. false: malformed, and d->why says so. */
	bool (*decode)(struct attr_decode *d, struct reader *v);
	/* Writes the attribute if it is to be sent. */
	void (*encode)(struct writer *w, uint8_t type, const struct attrs *a,
		const struct update_out *out);
};

/* NULL: unknown. */
const struct attr_row *attr_row(uint8_t type);

/* Takes a finding into account: the strongest reaction wins, the first of equals. */
void attr_react(struct attr_decode *d, enum update_reaction reaction, uint8_t type, uint8_t subcode,
	const char *why);

/* All attributes but MP_REACH, in the order of their types. */
void attrs_encode(struct writer *w, const struct attrs *a, const struct update_out *out);
/* Flags, type and length; Extended Length where it is needed. */
void attr_begin(struct writer *w, uint8_t flags, uint8_t type, size_t len);

/* The two rows that are more than attributes (update_decode.c). */
bool mp_reach_decode(struct attr_decode *d, struct reader *v);
bool mp_unreach_decode(struct attr_decode *d, struct reader *v);
