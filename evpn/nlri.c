/* EVPN NLRIs: decode, encode, unpack and pack, a row of hooks a route type.
 *
 * On the way in this stands behind bgp/update.c, which has found where the NLRIs are: each is cut
 * out by its outer type and length, so that what is wrong inside one costs that one (RFC 7606
 * section 5.4's spirit; wire rule N9). If the key can be read and the rest is wrong, the route is
 * withdrawn; if not, discarded.
 *
 * RFC 7432 section 7, RFC 9136 section 3.1. A withdrawal is matched by its key alone: senders put
 * zero, 0x800000 or the old label in it. Types that we do not know are carried as they are, as a
 * reflector needs no upgrade to pass on what PEs understand; of RFC 9251's only the tail that is
 * not in the key is split off. Shorter than an RD they are discarded.
 */
#include "evpn/nlri.h"

#include <errno.h>

#define MAC_BITS 48
#define LABEL_LEN 3
#define RD_LEN 8

/* What decode of one type works on: the value, and where it goes. */
struct decoding {
	struct reader v;
	struct nlri *n;
};

struct row {
	uint8_t type;
	uint8_t payload_len; /* in a withdrawal: one label; type 5: without the gateway */
	enum nlri_verdict (*decode)(struct decoding *d, const char **ret_why);
	/* `key` begins behind the type octet; in a withdrawal `payload` is zeros. */
	void (*encode)(struct writer *w, struct reader *key, struct reader *payload);
	bool (*unpack)(struct reader *key, struct reader *payload, struct evpn_route *ret);
	bool (*pack)(const struct evpn_route *r, struct writer *key, struct writer *payload);
};

/* --- the pieces --- */

/* In line, as copy() is: most lengths are constants, and a copy is then a move or two. */
static inline __attribute__((always_inline)) void to_key(struct decoding *d, size_t len)
{
	if (d->n->key_len + len > BGP_KEY_MAX)
		d->v.bad = true;
	else
		reader_copy(&d->v, d->n->key + d->n->key_len, len);
	if (reader_ok(&d->v))
		d->n->key_len = (uint16_t)(d->n->key_len + len);
}

static inline __attribute__((always_inline)) void to_payload(struct decoding *d, size_t len)
{
	if (d->n->payload_len + len > BGP_PAYLOAD_MAX)
		d->v.bad = true;
	else
		reader_copy(&d->v, d->n->payload + d->n->payload_len, len);
	if (reader_ok(&d->v))
		d->n->payload_len = (uint8_t)(d->n->payload_len + len);
}

/* Octets of an address whose length field says `bits`; 255: no such length. */
static size_t ip_octets(uint8_t bits)
{
	return bits == 0 ? 0 : bits == 32 ? 4 : bits == 128 ? 16 : 255;
}

/* A length in bits and an address of it. False: neither none (if allowed), IPv4 nor IPv6. */
static bool ip_to_key(struct decoding *d, bool none_allowed)
{
	size_t at = d->n->key_len;

	to_key(d, 1);
	size_t len = reader_ok(&d->v) ? ip_octets(d->n->key[at]) : 255;
	if (len == 255 || (len == 0 && !none_allowed))
		return false;
	to_key(d, len);
	return reader_ok(&d->v);
}

static struct ip unpack_ip(struct reader *r, size_t len)
{
	const uint8_t *p = reader_bytes(r, len);

	if (!p || len == 0)
		return (struct ip){0};
	return len == 4 ? ip_v4(p) : ip_v6(p);
}

static bool unpack_sized_ip(struct reader *key, struct ip *ret)
{
	size_t len = ip_octets(reader_u8(key));

	if (len == 255)
		return false;
	*ret = unpack_ip(key, len);
	return reader_done(key);
}

static inline __attribute__((always_inline)) void copy(
	struct writer *w, struct reader *from, size_t len)
{
	const uint8_t *p = reader_bytes(from, len);

	if (p)
		writer_bytes(w, p, len);
	else
		writer_zero(w, len);
}

static void copy_rest(struct writer *w, struct reader *from)
{
	copy(w, from, reader_left(from));
}

static enum nlri_verdict discard(const char **ret_why, const char *why)
{
	*ret_why = why;
	return NLRI_DISCARD;
}

static enum nlri_verdict withdraw_key(const char **ret_why, const char *why)
{
	*ret_why = why;
	return NLRI_WITHDRAW;
}

/* --- type 1: RD ESI tag label (RFC 7432 section 7.1) --- */

static enum nlri_verdict decode_ad(struct decoding *d, const char **ret_why)
{
	to_key(d, 8 + 10 + 4);
	if (!reader_ok(&d->v))
		return discard(ret_why, "type 1 is shorter than its key");
	to_payload(d, LABEL_LEN);
	if (!reader_done(&d->v))
		return withdraw_key(ret_why, "type 1 is not 25 octets long");
	return NLRI_OK;
}

static void encode_ad(struct writer *w, struct reader *key, struct reader *payload)
{
	copy(w, key, 8 + 10 + 4);
	copy_rest(w, payload);
}

static bool unpack_ad(struct reader *key, struct reader *payload, struct evpn_route *ret)
{
	reader_copy(key, ret->rd.b, 8);
	reader_copy(key, ret->esi.b, 10);
	ret->tag = reader_u32(key);
	ret->label_count = 1;
	ret->label[0] = reader_u24(payload);
	return reader_done(key) && reader_done(payload);
}

static bool pack_ad(const struct evpn_route *r, struct writer *key, struct writer *payload)
{
	writer_bytes(key, r->rd.b, 8);
	writer_bytes(key, r->esi.b, 10);
	writer_u32(key, r->tag);
	writer_u24(payload, r->label[0]);
	return true;
}

/* --- type 2: RD ESI tag 48 MAC IPLEN IP label [label2] (section 7.2) --- */

static enum nlri_verdict decode_macip(struct decoding *d, const char **ret_why)
{
	to_key(d, 8);
	to_payload(d, 10);
	to_key(d, 4);
	uint8_t mac_bits = reader_u8(&d->v);
	if (reader_ok(&d->v) && mac_bits != MAC_BITS)
		return discard(ret_why, "type 2 with a MAC address length other than 48");
	to_key(d, 6);
	if (!ip_to_key(d, true))
		return discard(ret_why,
			reader_ok(&d->v)
				? "type 2 with an IP address length other than 0, 32 or 128"
				: "type 2 is shorter than its key");
	size_t left = reader_left(&d->v);
	if (left == 0)
		return withdraw_key(ret_why, "type 2 without a label");
	if (left != LABEL_LEN && left != 2 * LABEL_LEN)
		return withdraw_key(ret_why, "type 2 with something other than one or two labels");
	to_payload(d, left);
	return NLRI_OK;
}

static void encode_macip(struct writer *w, struct reader *key, struct reader *payload)
{
	copy(w, key, 8);
	copy(w, payload, 10);
	copy(w, key, 4);
	writer_u8(w, MAC_BITS);
	copy_rest(w, key);
	copy_rest(w, payload);
}

static bool unpack_macip(struct reader *key, struct reader *payload, struct evpn_route *ret)
{
	reader_copy(key, ret->rd.b, 8);
	reader_copy(payload, ret->esi.b, 10);
	ret->tag = reader_u32(key);
	reader_copy(key, ret->mac.b, 6);
	bool ok = unpack_sized_ip(key, &ret->ip);
	ret->label_count = reader_left(payload) > LABEL_LEN ? 2 : 1;
	for (int i = 0; i < ret->label_count; i++)
		ret->label[i] = reader_u24(payload);
	return ok && reader_done(payload);
}

static bool pack_macip(const struct evpn_route *r, struct writer *key, struct writer *payload)
{
	writer_bytes(key, r->rd.b, 8);
	writer_u32(key, r->tag);
	writer_bytes(key, r->mac.b, 6);
	writer_u8(key, (uint8_t)(ip_len(r->ip) * 8));
	writer_bytes(key, r->ip.b, ip_len(r->ip));
	writer_bytes(payload, r->esi.b, 10);
	writer_u24(payload, r->label[0]);
	if (r->label_count > 1)
		writer_u24(payload, r->label[1]);
	return true;
}

/* --- type 3: RD tag IPLEN originator (section 7.3) --- */

static enum nlri_verdict decode_imet(struct decoding *d, const char **ret_why)
{
	to_key(d, 8 + 4);
	if (!ip_to_key(d, false))
		return discard(ret_why,
			reader_ok(&d->v) ? "type 3 with an IP address length other than 32 or 128"
					 : "type 3 is shorter than its key");
	if (!reader_done(&d->v))
		return withdraw_key(ret_why, "type 3 goes on behind its address");
	return NLRI_OK;
}

static void encode_whole_key(struct writer *w, struct reader *key, struct reader *payload)
{
	copy_rest(w, key);
	copy_rest(w, payload);
}

static bool unpack_imet(struct reader *key, struct reader *payload, struct evpn_route *ret)
{
	reader_copy(key, ret->rd.b, 8);
	ret->tag = reader_u32(key);
	return unpack_sized_ip(key, &ret->ip) && reader_done(payload);
}

static bool pack_imet(const struct evpn_route *r, struct writer *key, struct writer *payload)
{
	(void)payload;
	writer_bytes(key, r->rd.b, 8);
	writer_u32(key, r->tag);
	writer_u8(key, (uint8_t)(ip_len(r->ip) * 8));
	writer_bytes(key, r->ip.b, ip_len(r->ip));
	return r->ip.family != 0;
}

/* --- type 4: RD ESI IPLEN originator (section 7.4) --- */

static enum nlri_verdict decode_es(struct decoding *d, const char **ret_why)
{
	to_key(d, 8 + 10);
	if (!ip_to_key(d, false))
		return discard(ret_why,
			reader_ok(&d->v) ? "type 4 with an IP address length other than 32 or 128"
					 : "type 4 is shorter than its key");
	if (!reader_done(&d->v))
		return withdraw_key(ret_why, "type 4 goes on behind its address");
	return NLRI_OK;
}

static bool unpack_es(struct reader *key, struct reader *payload, struct evpn_route *ret)
{
	reader_copy(key, ret->rd.b, 8);
	reader_copy(key, ret->esi.b, 10);
	return unpack_sized_ip(key, &ret->ip) && reader_done(payload);
}

static bool pack_es(const struct evpn_route *r, struct writer *key, struct writer *payload)
{
	(void)payload;
	writer_bytes(key, r->rd.b, 8);
	writer_bytes(key, r->esi.b, 10);
	writer_u8(key, (uint8_t)(ip_len(r->ip) * 8));
	writer_bytes(key, r->ip.b, ip_len(r->ip));
	return r->ip.family != 0;
}

/* --- type 5: RD ESI tag PLEN prefix gateway label (RFC 9136 section 3.1) --- */

#define PREFIX_V4 34
#define PREFIX_V6 58

static enum nlri_verdict decode_prefix(struct decoding *d, const char **ret_why)
{
	size_t len = reader_left(&d->v), ip = len == PREFIX_V4 ? 4 : 16;

	/* The length of the whole is all that tells the family: with another one there is no key.
	 */
	if (len != PREFIX_V4 && len != PREFIX_V6)
		return discard(ret_why, "type 5 is neither 34 nor 58 octets long");
	to_key(d, 8);
	to_payload(d, 10);
	to_key(d, 4 + 1);
	if (d->n->key[1 + 8 + 4] > ip * 8)
		return discard(ret_why, "type 5 with a prefix longer than its address");
	to_key(d, ip);
	to_payload(d, ip + LABEL_LEN);
	return NLRI_OK;
}

static void encode_prefix(struct writer *w, struct reader *key, struct reader *payload)
{
	copy(w, key, 8);
	copy(w, payload, 10);
	copy_rest(w, key);
	copy_rest(w, payload);
}

static bool unpack_prefix(struct reader *key, struct reader *payload, struct evpn_route *ret)
{
	reader_copy(key, ret->rd.b, 8);
	reader_copy(payload, ret->esi.b, 10);
	ret->tag = reader_u32(key);
	ret->prefix_len = reader_u8(key);
	size_t len = reader_left(key);
	if (len != 4 && len != 16)
		return false;
	ret->ip = unpack_ip(key, len);
	ret->gateway = unpack_ip(payload, len);
	ret->label_count = 1;
	ret->label[0] = reader_u24(payload);
	return reader_done(payload);
}

static bool pack_prefix(const struct evpn_route *r, struct writer *key, struct writer *payload)
{
	writer_bytes(key, r->rd.b, 8);
	writer_u32(key, r->tag);
	writer_u8(key, r->prefix_len);
	writer_bytes(key, r->ip.b, ip_len(r->ip));
	writer_bytes(payload, r->esi.b, 10);
	writer_bytes(payload, r->gateway.b, ip_len(r->ip));
	writer_u24(payload, r->label[0]);
	return r->ip.family != 0 && r->prefix_len <= ip_len(r->ip) * 8 &&
	       (r->gateway.family == r->ip.family || r->gateway.family == 0);
}

/* --- the rows --- */

static const struct row rows[] = {
	{EVPN_AD, LABEL_LEN, decode_ad, encode_ad, unpack_ad, pack_ad},
	{EVPN_MACIP, EVPN_MACIP_PAYLOAD, decode_macip, encode_macip, unpack_macip, pack_macip},
	{EVPN_IMET, 0, decode_imet, encode_whole_key, unpack_imet, pack_imet},
	{EVPN_ES, 0, decode_es, encode_whole_key, unpack_es, pack_es},
	{EVPN_PREFIX, 10 + LABEL_LEN, decode_prefix, encode_prefix, unpack_prefix, pack_prefix},
	/* Carried opaquely, but what RFC 9251 leaves out of the key is payload. */
	{EVPN_SMET, 1, NULL, encode_whole_key, NULL, NULL},
	{EVPN_JOIN_SYNC, 1, NULL, encode_whole_key, NULL, NULL},
	{EVPN_LEAVE_SYNC, 4 + 1 + 1, NULL, encode_whole_key, NULL, NULL},
};

static const struct row *row_of(uint8_t type)
{
	static const struct row opaque = {.encode = encode_whole_key};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].type == type)
			return &rows[i];
	return &opaque;
}

/* A withdrawal's payload: as long as that of an announcement, all zero. */
static struct reader zero_payload(const struct row *row, const struct reader *key)
{
	static const uint8_t zero[BGP_PAYLOAD_MAX];
	size_t gateway = row->type != EVPN_PREFIX ? 0 : reader_left(key) > 8 + 4 + 1 + 4 ? 16 : 4;

	return reader_of(zero, row->payload_len + gateway);
}

/* All route types there are begin with an RD. What is too short for one cannot be a route, and is
 * what a message could be filled with most densely: a key of some 40 octets for two on the wire. */
static enum nlri_verdict decode_opaque(struct decoding *d, size_t tail, const char **ret_why)
{
	size_t len = reader_left(&d->v);

	if (len < RD_LEN + tail)
		return discard(ret_why, "a route of another type is too short for its RD");
	to_key(d, len - tail);
	to_payload(d, tail);
	return NLRI_OK;
}

enum nlri_verdict evpn_nlri_decode(
	struct reader *r, bool withdraw, struct nlri *ret, const char **ret_why)
{
	struct reader all = *r;
	uint8_t type = reader_u8(&all), len = reader_u8(&all);
	struct decoding d = {.v = reader_sub(&all, len), .n = ret};
	const struct row *row = row_of(type);

	if (!reader_ok(&all)) {
		*ret_why = "a route goes on behind the end of the attribute";
		return NLRI_BROKEN;
	}
	*r = all;
	ret->key[0] = type;
	ret->key_len = 1;
	ret->payload_len = 0;
	enum nlri_verdict v = row->decode ? row->decode(&d, ret_why)
					  : decode_opaque(&d, row->payload_len, ret_why);
	if (withdraw || v != NLRI_OK)
		ret->payload_len = 0;
	return v;
}

void evpn_nlri_encode(struct writer *w, const uint8_t *key, size_t key_len, const uint8_t *payload,
	size_t payload_len)
{
	struct reader k = reader_of(key, key_len);
	uint8_t type = reader_u8(&k);
	const struct row *row = row_of(type);
	struct reader p = payload ? reader_of(payload, payload_len) : zero_payload(row, &k);
	size_t start = writer_mark(w);

	writer_u8(w, type);
	writer_u8(w, 0);
	row->encode(w, &k, &p);
	writer_patch_u8(w, start + 1, (uint8_t)(writer_len(w) - start - 2));
}

int evpn_nlri_unpack(const uint8_t *key, size_t key_len, const uint8_t *payload, size_t payload_len,
	struct evpn_route *ret)
{
	struct evpn_route route = {0};
	struct reader k = reader_of(key, key_len);

	route.type = reader_u8(&k);
	const struct row *row = row_of(route.type);
	struct reader p = payload ? reader_of(payload, payload_len) : zero_payload(row, &k);
	if (!reader_ok(&k))
		return -EINVAL;
	if (row->unpack && !row->unpack(&k, &p, &route))
		return -EINVAL;
	if (!payload)
		route.label_count = 0;
	*ret = route;
	return row->unpack ? 0 : 1;
}

int evpn_nlri_pack(const struct evpn_route *route, struct nlri *ret)
{
	struct nlri n = {0};
	struct writer key = writer_of(n.key, sizeof(n.key)),
		      payload = writer_of(n.payload, sizeof(n.payload));
	const struct row *row = row_of(route->type);

	if (!row->pack)
		return -EINVAL;
	writer_u8(&key, route->type);
	if (!row->pack(route, &key, &payload))
		return -EINVAL;
	n.key_len = (uint16_t)writer_len(&key);
	n.payload_len = (uint8_t)writer_len(&payload);
	*ret = n;
	return 0;
}
