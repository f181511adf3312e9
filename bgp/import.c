/* Routes in. What update.c has read is checked against what a reflector or route server must not
 * take (loops), then by the import policy, and put into the RIB.
 *
 *   own AS in the AS path                        RFC 4271 section 9.1.2
 *   own router id as ORIGINATOR_ID               RFC 4456 section 8
 *   own cluster id in CLUSTER_LIST               RFC 4456 section 8
 *   leaks, where `otc` asks for it               RFC 9234 section 5
 *
 * A route that loops is a withdrawal of the one before it: it was replaced, if by nothing that we
 * can use (RFC 7606 section 2, RFC 4271 section 9). What the policy refuses replaces it, too, but is
 * kept for the operator to see.
 */
#include "bgp/import.h"

#include <errno.h>
#include <string.h>

#include "bgp/copies.h"
#include "bgp/engine.h"
#include "bgp/limit.h"
#include "bgp/negotiate.h"
#include "bgp/odd.h"
#include "bgp/recheck.h"
#include "bgp/restart.h"
#include "bgp/roles.h"

/* What is the same for all NLRIs of one UPDATE. */
struct import {
	struct session *se;
	struct neighbor *n;
	struct table *t;
	const struct attrset *attrs; /* NULL: withdraw */
	uint8_t refused;             /* and count it so */
	bool copies;                 /* see copies.h */
};

static uint8_t loop_of(const struct speaker *s, const struct attrs *a, bool ibgp)
{
	if (attr_as_path_has(a, s->config.as))
		return REFUSED_AS_LOOP;
	if (!ibgp)
		return REFUSED_NOT;
	if (attrs_has(a, ATTR_ORIGINATOR_ID) && a->originator_id == s->config.router_id)
		return REFUSED_ORIGINATOR_LOOP;
	struct reader r = reader_of(a->cluster_list.p, a->cluster_list.len);
	while (reader_left(&r) >= 4)
		if (reader_u32(&r) == s->cluster_id)
			return REFUSED_CLUSTER_LOOP;
	return REFUSED_NOT;
}

static uint8_t ask_policy(const struct import *im, const struct nlri *n)
{
	struct policy_route r = {.family = im->t->family,
		.key = n->key,
		.key_len = n->key_len,
		.payload = n->payload,
		.payload_len = n->payload_len,
		.attrs = &im->attrs->attrs,
		.serial = im->n->s->policy_serial};

	return recheck_judge(im->n, &r);
}

static void import_withdrawal(const struct import *im, const struct nlri *n, struct rib_key key)
{
	struct dest *d = NULL;
	uint32_t originator = 0;

	if (im->refused)
		neighbor_refused(im->n, im->refused);
	if (im->copies)
		originator = copies_originator(
			im->t, im->n, rib_find(&im->t->rib, key), n->path_id);
	unsigned change = rib_unset(&im->t->rib, im->n->index, n->path_id, key, &d);
	if (im->t->family == &rtc_family)
		membership_changed(im->n, im->t, d, change);
	if (change & RIB_BEST)
		speaker_tell(im->t, d);
	if (originator && change & RIB_GONE)
		copies_withdrawn(im->t, d, originator);
}

static int import_route(
	struct import *im, const struct nlri *n, struct rib_key key, struct bgp_error *ret)
{
	struct rib *r = &im->t->rib;
	struct rib_route in = {.key = key,
		.peer = im->n->index,
		.path_id = n->path_id,
		.payload = n->payload,
		.payload_len = n->payload_len,
		.attrs = im->attrs,
		.since = speaker_sec(im->n->s)};
	struct dest *d = NULL;
	unsigned change;

	if (im->n->s->policy.import)
		in.refused = ask_policy(im, n);
	if (in.refused)
		neighbor_refused(im->n, in.refused);
	change = rib_set(r, &in, &d);
	if (change & RIB_FULL) {
		*ret = (struct bgp_error){.code = BGP_ERR_CEASE,
			.subcode = BGP_CEASE_RESOURCES,
			.what = "no memory for a route"};
		return -EBADMSG;
	}
	if (change & RIB_CROWDED)
		neighbor_refused(im->n, REFUSED_CROWDED);
	if (im->t->family == &rtc_family)
		membership_changed(im->n, im->t, d, change);
	if (change & RIB_BEST || (change & RIB_FRESH && r->peer[im->n->index].stale_loses))
		speaker_tell(im->t, d);
	return change & RIB_NEW ? limit_check(im->n, im->t, n, ret) : 0;
}

static struct span passed(struct reader from, const struct reader *to)
{
	size_t len = reader_left(&from) - reader_left(to);

	return (struct span){reader_bytes(&from, len), (uint16_t)len};
}

/* Some NLRIs that stand one behind the other, read before any of them is looked for in the RIB. */
struct ahead {
	struct nlri nlri[RIB_PREFETCH_MAX];
	struct rib_key key[RIB_PREFETCH_MAX];
	bool withdraw[RIB_PREFETCH_MAX];
	size_t count;
};

/* 0, or -EBADMSG: the rest cannot be read, but what was read before is to be used. */
static int read_ahead(const struct import *im, struct reader *r, bool add_path, bool withdraw,
	struct ahead *ret, struct bgp_error *ret_err)
{
	for (ret->count = 0; ret->count < RIB_PREFETCH_MAX && reader_left(r);) {
		struct reader at = *r;
		struct nlri *n = &ret->nlri[ret->count];
		const char *why = NULL;
		enum nlri_verdict v = update_next(r, im->t->family, add_path, withdraw, n, &why);
		if (v == NLRI_BROKEN) {
			*ret_err = (struct bgp_error){.code = BGP_ERR_UPDATE,
				.subcode = BGP_UPDATE_OPTIONAL_ATTR,
				.what = why ? why : "NLRIs that cannot be delimited"};
			return -EBADMSG;
		}
		im->n->nlri_withdraw += v == NLRI_WITHDRAW;
		im->n->nlri_discard += v == NLRI_DISCARD;
		if (v != NLRI_OK)
			odd_nlri(im->n, passed(at, r), why);
		if (v == NLRI_DISCARD)
			continue;
		ret->key[ret->count] = rib_key_of(n->key, n->key_len);
		ret->withdraw[ret->count++] = v == NLRI_WITHDRAW;
	}
	return 0;
}

/* The watch may be called within, which may originate routes; of the RIB nothing is held over a call. */
static int import_nlris(struct import *im, struct span nlris, bool withdraw, struct bgp_error *ret)
{
	struct reader r = reader_of(nlris.p, nlris.len);
	bool add_path = session_add_path_in(im->se, im->t->family);
	struct bgp_error broken;
	struct ahead a;
	int err = 0, rest = 0;

	while (err == 0 && rest == 0 && reader_left(&r)) {
		rest = read_ahead(im, &r, add_path, withdraw, &a, &broken);
		rib_prefetch(&im->t->rib, a.key, a.count);
		for (size_t i = 0; i < a.count && err == 0; i++) {
			if (im->attrs && !a.withdraw[i])
				err = import_route(im, &a.nlri[i], a.key[i], ret);
			else
				import_withdrawal(im, &a.nlri[i], a.key[i]);
		}
	}
	if (err == 0 && rest < 0)
		*ret = broken;
	return err ? err : rest;
}

/* What is refused whatever the route is. Leaks are looked for in routes, not in membership. */
static uint8_t refused_for(const struct import *im, struct attrs *a)
{
	uint8_t loop = loop_of(im->n->s, a, im->se->ibgp);

	if (loop || im->t->family == &rtc_family)
		return loop;
	return roles_import(negotiate_otc_role(im->se), im->se->open.as, a);
}

static int import_reach(struct import *im, const struct update *u, struct bgp_error *ret)
{
	struct speaker *s = im->n->s;
	const struct attrset *attrs = NULL;
	struct attrs a = u->attrs;
	uint8_t room[UINT16_MAX];
	int err;

	if (im->t->family->tidy)
		im->t->family->tidy(&a, room);
	if (u->reaction != UPDATE_TREAT_AS_WITHDRAW)
		im->refused = refused_for(im, &a);
	if (u->reaction != UPDATE_TREAT_AS_WITHDRAW && !im->refused) {
		attrs = attrset_intern(s->attrsets, &a);
		if (!attrs) {
			*ret = (struct bgp_error){.code = BGP_ERR_CEASE,
				.subcode = BGP_CEASE_RESOURCES,
				.what = "no memory for attributes"};
			return -EBADMSG;
		}
	}
	im->attrs = attrs;
	s->policy_serial++;
	err = import_nlris(im, u->reach, false, ret);
	if (attrs)
		attrset_unref(s->attrsets, attrs);
	return err;
}

int import_update(struct session *se, const struct update *u, struct bgp_error *ret)
{
	struct speaker *s = se->n->s;
	struct import im = {.se = se, .n = se->n};
	struct table *eor = NULL;
	int err = 0;

	if (u->unreach_family && (im.t = speaker_table(s, u->unreach_family))) {
		im.copies = copies_are_kept(im.t, se->n);
		err = import_nlris(&im, u->unreach, true, ret);
		im.copies = false;
	}
	if (err == 0 && u->reach_family && (im.t = speaker_table(s, u->reach_family)))
		err = import_reach(&im, u, ret);
	odd_attributes(se->n, u);
	if (u->eor_family)
		eor = speaker_table(s, u->eor_family);
	for (unsigned i = 0; u->eor_ipv4 && i < s->tables; i++)
		if (s->table[i].family->afi == AFI_IPV4 && s->table[i].family->safi == SAFI_UNICAST)
			eor = &s->table[i];
	if (err == 0 && eor && se->family[eor->index])
		restart_end_of_rib_in(se->n, eor);
	return err;
}
