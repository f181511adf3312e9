/* Route Monitoring (RFC 7854 sections 4.6 and 5) that is not just what came: UPDATEs made from the RIB, for the dump, for
 * the post-policy view, and for what came with errors in it. */
#include "bgp/bmp_inside.h"
#include "bgp/engine.h"

bool bmp_path_shown(const struct rib *r, const struct path *p, bool post)
{
	const struct rib_peer *peer = &r->peer[p->peer];

	/* What is kept from before a graceful restart went with the Peer Down. */
	if (peer->stale_loses && rib_path_stale(r, p))
		return false;
	return !post || !p->refused;
}

const struct path *bmp_path_in(
	const struct table *t, const struct dest *d, const struct neighbor *n, uint32_t path_id, bool post)
{
	for (const struct path *p = d ? rib_path(&t->rib, d->paths) : NULL; p;
		p = rib_path(&t->rib, p->next))
		if (p->peer == n->index && p->path_id == path_id)
			return bmp_path_shown(&t->rib, p, post) ? p : NULL;
	return NULL;
}

/* --- packing --- */

void bmp_pack_end(struct bmp_pack *k)
{
	size_t len;

	if (!k->open)
		return;
	k->open = false;
	len = update_end(&k->u);
	if (!len)
		return;
	/* The octets are there already. */
	writer_take(&k->w, len);
	bmp_end(&k->w, k->mark);
	bmp_stream_end(k->stream, &k->w, 1);
}

static bool begin(struct bmp_pack *k, size_t cap)
{
	const struct session *se = k->n->main;
	struct update_out out = {.as4 = se->as4, .ibgp = true, .as_received = true};
	struct bmp_peer peer = bmp_peer_of(k->b, k->n, k->ms);
	bool add_path = session_add_path_in(se, k->t->family);
	int rc;

	peer.post = k->post;
	k->w = bmp_stream_begin(k->b, k->stream, k->one);
	k->mark = bmp_begin(&k->w, BMP_ROUTE_MONITORING);
	bmp_peer(&k->w, &peer);
	rc = k->attrs ? update_begin(&k->u, k->w.p, cap, k->t->family, add_path, &k->attrs->attrs, &out)
		      : update_begin_withdraw(&k->u, k->w.p, cap, k->t->family, add_path);
	return rc == 0;
}

static bool add(struct bmp_pack *k, struct rib_key key, uint32_t path_id, const struct path *p)
{
	return update_add(&k->u, path_id, key.p, key.len, p ? p->payload : NULL,
		p ? p->payload_len : 0);
}

void bmp_pack_add(struct bmp_pack *k, const struct neighbor *n, const struct table *t, uint64_t ms,
	struct rib_key key, uint32_t path_id, const struct path *p)
{
	const struct attrset *attrs = p ? p->attrs : NULL;

	if (k->open && k->n == n && k->t == t && k->ms == ms && k->attrs == attrs &&
		add(k, key, path_id, p))
		return;
	bmp_pack_end(k);
	k->n = n;
	k->t = t;
	k->ms = ms;
	k->attrs = attrs;
	/* It came in one message, but ours may be longer by an octet here and there. */
	k->open = (begin(k, n->main->extended ? BGP_MSG_EXTENDED_MAX : BGP_MSG_MAX) &&
			  add(k, key, path_id, p)) ||
		  (begin(k, BGP_MSG_EXTENDED_MAX) && add(k, key, path_id, p));
	if (!k->open && p)
		bmp_pack_add(k, n, t, ms, key, path_id, NULL);
}

static void pack_nlris(struct bmp_pack *k, struct neighbor *n, const struct bgp_family *f, struct span nlris,
	bool withdraw)
{
	struct reader r = reader_of(nlris.p, nlris.len);
	const struct table *t = NULL;
	const char *why;
	struct nlri nlri;

	for (unsigned i = 0; i < n->s->tables; i++)
		if (n->s->table[i].family == f)
			t = &n->s->table[i];
	while (t && reader_left(&r)) {
		enum nlri_verdict v = update_next(
			&r, f, session_add_path_in(n->main, f), withdraw, &nlri, &why);
		struct rib_key key = rib_key_of(nlri.key, nlri.key_len);
		if (v == NLRI_BROKEN)
			return;
		if (v == NLRI_DISCARD)
			continue;
		bmp_pack_add(k, n, t, n->s->now_ms, key, nlri.path_id,
			bmp_path_in(t, rib_find(&t->rib, key), n, nlri.path_id, k->post));
	}
}

void bmp_pack_update(struct bmp_pack *k, struct neighbor *n, const struct update *u)
{
	pack_nlris(k, n, u->unreach_family, u->unreach, true);
	pack_nlris(k, n, u->reach_family, u->reach, false);
	bmp_pack_end(k);
}

void bmp_end_of_rib(struct bmp_station *st, const struct neighbor *n, const struct table *t)
{
	struct bmp *b = st->b;

	for (unsigned view = BMP_PRE; view <= BMP_POST; view <<= 1) {
		struct bmp_peer peer = bmp_peer_of(b, n, n->s->now_ms);
		struct writer w;
		size_t mark;

		if (!(st->config.views & view))
			continue;
		peer.post = view == BMP_POST;
		w = bmp_stream_begin(b, &b->own, st);
		mark = bmp_begin(&w, BMP_ROUTE_MONITORING);
		bmp_peer(&w, &peer);
		writer_take(&w, update_eor(w.p, writer_room(&w), t->family));
		bmp_end(&w, mark);
		bmp_stream_end(&b->own, &w, 1);
	}
}
