/* UPDATE: decode with RFC 7606's reactions, encode for one peer.
 *
 * Decoding is total and allocates nothing: spans point into the message, or, where the octets had to be rewritten
 * (AS paths of a 2-octet peer, unknown attributes), into the decoder's own room, which stands until the next
 * update_decode(). The reaction to what is wrong is the strongest any attribute asked for; the session is reset only
 * where RFC 7606 leaves no other way (-EBADMSG).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/attr.h"
#include "bgp/family.h"

/* What both sides agreed on, as far as it changes what the octets mean. */
struct update_ctx {
	bool as4;	/* 4-octet AS numbers in AS_PATH and AGGREGATOR */
	bool ibgp;	/* LOCAL_PREF, ORIGINATOR_ID, CLUSTER_LIST are wanted; else discarded */
	uint32_t local_as;
	const struct bgp_family *const *families; /* those negotiated */
	size_t family_count;
	bool (*add_path)(const void *arg, const struct bgp_family *f); /* NULL: never */
	const void *add_path_arg;
};

enum update_reaction {
	UPDATE_OK = 0,
	UPDATE_ATTR_DISCARD,	   /* an attribute was left out; the routes stand */
	UPDATE_TREAT_AS_WITHDRAW, /* the reachable NLRIs are to be withdrawn */
};

struct update {
	enum update_reaction reaction;
	const char *why;	 /* a constant sentence when reaction != OK */
	uint8_t why_attr;	 /* the attribute type it is about */
	struct span why_value;	 /* its value as received; empty if it is missing */
	struct attrs attrs;	 /* empty under treat-as-withdraw */
	/* NULL without. The spans hold the NLRIs, to be walked with update_next(). */
	const struct bgp_family *reach_family, *unreach_family;
	struct span reach, unreach;
	bool unknown_family; /* routes of a family not negotiated (IPv4 in the old fields, too) were skipped */
	/* End-of-RIB (RFC 4724 section 2) of eor_family; for IPv4 unicast (an empty UPDATE) eor_ipv4. */
	const struct bgp_family *eor_family;
	bool eor_ipv4;
};

/* `body` without the header. 0, or -EBADMSG with *err filled (3/x). */
int update_decode(const uint8_t *body, size_t len, const struct update_ctx *ctx, struct update *ret,
	struct bgp_error *err);

/* One NLRI of u->reach or u->unreach; `r` begins as reader_of(span). See enum nlri_verdict; call again until the
 * reader is at its end. NLRI_BROKEN: the caller resets with 3/9. */
enum nlri_verdict update_next(struct reader *r, const struct bgp_family *f, bool add_path,
	bool withdraw, struct nlri *ret, const char **ret_why);

/* --- encode: a message is begun, filled with NLRIs until one does not fit, and ended --- */

struct update_writer {
	struct writer w;
	const struct bgp_family *family;
	bool add_path, withdraw;
	size_t msg_mark, attrs_mark, mp_mark;
	size_t tail_len; /* the attributes behind MP_REACH, parked at the end of the buffer until the NLRIs are in */
	unsigned count;	 /* NLRIs in it */
};

/* What is changed in the attributes on the way out, beyond what struct attrs says. */
struct update_out {
	bool as4;
	bool ibgp;		   /* send LOCAL_PREF (100 if absent), ORIGINATOR_ID, CLUSTER_LIST */
	uint32_t prepend_as;	   /* 0: leave the AS path alone (iBGP, RFC 7947) */
	uint32_t set_originator;   /* RFC 4456: set if absent; 0: do not */
	uint32_t prepend_cluster;  /* RFC 4456; 0: do not */
	bool conservative;	   /* leave out what FRR 8.4 ends the session on although it is legal */
	bool as_received;	   /* with ibgp: nothing is added or left out, for those who look on (RFC 7854) */
};

/* Begins an UPDATE of at most `cap` octets at `buf` that announces routes with these attributes. 0, -EMSGSIZE when
 * the attributes alone do not fit, -EINVAL without a next hop. Order of attributes: by type, MP_REACH first (RFC 7606
 * section 5.1). Non-transitive extended communities stay inside the AS (RFC 4360 section 6). */
int update_begin(struct update_writer *u, void *buf, size_t cap, const struct bgp_family *f,
	bool add_path, const struct attrs *a, const struct update_out *out);
int update_begin_withdraw(struct update_writer *u, void *buf, size_t cap, const struct bgp_family *f,
	bool add_path);
/* false: did not fit, nothing was written; if nothing is in yet, it never will with these attributes, and the route
 * must be withdrawn from this peer (RFC 8654 section 4). payload is ignored in a withdrawal. */
bool update_add(struct update_writer *u, uint32_t path_id, const uint8_t *key, size_t key_len,
	const uint8_t *payload, size_t payload_len);
/* Ends it; returns its length, or 0 when no NLRI was added: an announcement without NLRI makes FRR 8.4 reset, and a
 * withdrawal without would be an End-of-RIB. */
size_t update_end(struct update_writer *u);
/* The End-of-RIB of a family (MP_UNREACH without NLRI); returns its length. */
size_t update_eor(void *buf, size_t cap, const struct bgp_family *f);
