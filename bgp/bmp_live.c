/* What the engine tells, as the stations hear it, and the statistics. RFC 7854 sections 4.8 to 4.10, 4.6 and 5.
 *
 * What all stations hear at the same time is encoded once for each set of views, into a stream that becomes a shared
 * buffer at the end of the turn (or when it is large), and a reference in each queue. What one station hears alone (its
 * Initiation, its dump) goes through a stream of its own, always behind what all have heard.
 *
 * An UPDATE is told on as it came if the RIB now says what it says; one with errors in it, or with a loop, is made anew
 * from the RIB, so that a station never has to know RFC 7606.
 */
#include "bgp/bmp_inside.h"
#include "bgp/engine.h"

/* --- peers --- */

bool bmp_watches(const struct neighbor *n)
{
	return n->up && n->main->sent_open && n->main->received_open;
}

uint64_t bmp_time_us(const struct bmp *b, uint64_t ms)
{
	return b->wall_known ? b->wall_us + 1000 * ms : 0;
}

struct bmp_peer bmp_peer_of(const struct bmp *b, const struct neighbor *n, uint64_t ms)
{
	return (struct bmp_peer){.address = n->config.address,
		.as = n->remote_as,
		.bgp_id = n->router_id,
		.as2 = !n->main->as4,
		.time_us = bmp_time_us(b, ms)};
}

void bmp_tell_up(struct bmp *b, struct bmp_stream *stream, struct bmp_station *one, const struct neighbor *n)
{
	const struct session *se = n->main;
	struct bmp_peer peer = bmp_peer_of(b, n, n->up_ms);
	struct bmp_up up = {.local = n->local,
		.local_port = se->conn ? se->conn->local_port : 0,
		.remote_port = se->conn ? se->conn->remote_port : 0,
		.sent_open = {se->sent_open, se->sent_open_len},
		.received_open = {se->received_open, se->received_open_len}};
	struct writer w = bmp_stream_begin(b, stream, one);

	bmp_peer_up(&w, &peer, &up);
	bmp_stream_end(stream, &w, 1);
}

/* --- what the engine tells --- */

/* To those whose dump is over; the others hear it at the end of that. */
static void tell_end_of_rib(struct bmp *b, const struct neighbor *n, const struct table *t)
{
	struct bmp_station *st;

	bmp_flush_live(b);
	TAILQ_FOREACH (st, &b->stations, link) {
		if (st->state != STATION_UP || st->dumping)
			continue;
		bmp_end_of_rib(st, n, t);
		bmp_stream_flush(b, &b->own, st);
	}
}

static void on_up(void *arg, struct neighbor *n)
{
	struct bmp *b = arg;

	if (!bmp_watches(n))
		return;
	for (int i = 0; i < BMP_KINDS; i++)
		if (b->live[i].stations)
			bmp_tell_up(b, &b->live[i], NULL, n);
	/* A peer without graceful restart may never say that it is done. */
	for (unsigned t = 0; t < b->s->tables && !n->main->open.gr; t++)
		if (n->main->family[t])
			tell_end_of_rib(b, n, &b->s->table[t]);
}

static void on_down(void *arg, struct neighbor *n, const struct monitor_down *d)
{
	struct bmp *b = arg;
	struct bmp_peer peer = bmp_peer_of(b, n, b->s->now_ms);

	if (!bmp_watches(n))
		return;
	for (int i = 0; i < BMP_KINDS; i++) {
		struct writer w;
		if (!b->live[i].stations)
			continue;
		w = bmp_stream_begin(b, &b->live[i], NULL);
		bmp_peer_down(&w, &peer, (uint8_t)d->reason, d->message, d->event);
		bmp_stream_end(&b->live[i], &w, 1);
	}
}

static void tell_update(struct bmp *b, struct bmp_stream *stream, struct neighbor *n, struct span body,
	const struct update *u, bool as_it_came, bool post)
{
	struct bmp_pack k = {.b = b, .stream = stream, .post = post};
	struct bmp_peer peer;
	struct writer w;

	if (!as_it_came) {
		bmp_pack_update(&k, n, u);
		return;
	}
	peer = bmp_peer_of(b, n, b->s->now_ms);
	w = bmp_stream_begin(b, stream, NULL);
	bmp_route(&w, &peer, body);
	bmp_stream_end(stream, &w, 1);
}

static void on_update(void *arg, struct neighbor *n, struct span body, const struct update *u, bool exact)
{
	struct bmp *b = arg;

	if (!bmp_watches(n))
		return;
	for (unsigned i = 0; i < BMP_KINDS; i++) {
		struct bmp_stream *stream = &b->live[i];
		if (!stream->stations || u->eor_family || u->eor_ipv4)
			continue;
		if ((i + 1) & BMP_PRE)
			tell_update(b, stream, n, body, u, exact, false);
		if ((i + 1) & BMP_POST)
			tell_update(b, stream, n, body, u, false, true);
	}
	for (unsigned t = 0; t < b->s->tables; t++)
		if (u->eor_family == b->s->table[t].family && n->main->family[t])
			tell_end_of_rib(b, n, &b->s->table[t]);
}

static void on_changed(void *arg, struct neighbor *n, struct table *t, const struct dest *d,
	const struct path *p, enum monitor_change what)
{
	struct bmp *b = arg;
	struct rib_key key = rib_key_of(d->key, d->key_len);

	if (!bmp_watches(n))
		return;
	for (unsigned i = 0; i < BMP_KINDS; i++)
		for (unsigned view = BMP_PRE; view <= BMP_POST; view <<= 1) {
			struct bmp_pack k = {.b = b, .stream = &b->live[i], .post = view == BMP_POST};
			/* What the policy thinks is nothing to those who look on before it; and what it had
			 * refused was never told to those who look on behind it. */
			if (!b->live[i].stations || !((i + 1) & view) ||
				(what == MONITOR_PURGED ? k.post && p->refused : !k.post))
				continue;
			bmp_pack_add(&k, n, t, b->s->now_ms, key, p->path_id,
				what == MONITOR_TAKEN ? p : NULL);
			bmp_pack_end(&k);
		}
}

struct monitor bmp_hooks(struct bmp *b)
{
	return (struct monitor){
		.up = on_up, .down = on_down, .update = on_update, .changed = on_changed, .arg = b};
}

/* --- statistics --- */

/* Keys that have a best path, as it was last told. */
static uint64_t loc_rib(const struct speaker *s, const struct rib *r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->neighbors; i++)
		sum += r->peer[i].told;
	return sum;
}

/* `loc_ribs`: by table. */
static void tell_stats(struct bmp_station *st, const struct neighbor *n, const uint64_t *loc_ribs)
{
	struct bmp *b = st->b;
	struct bmp_peer peer = bmp_peer_of(b, n, b->s->now_ms);
	struct writer w = bmp_stream_begin(b, &b->own, st);
	struct bmp_stats r = bmp_stats_begin(&w, &peer);
	uint64_t in = 0, loc = 0, rejected = n->refused[REFUSED_LEAK];

	for (unsigned i = REFUSED_BY_POLICY; i < REFUSED_MAX; i++)
		rejected += n->refused[i];
	bmp_stats_counter(&r, BMP_STAT_REJECTED, rejected);
	for (unsigned t = 0; t < b->s->tables; t++) {
		const struct rib *rib = &b->s->table[t].rib;
		const struct rib_peer *p = &rib->peer[n->index];
		uint64_t fresh = p->paths - (p->stale_loses ? p->stale : 0);
		in += fresh;
		loc += loc_ribs[t];
		if (!n->main->family[t])
			continue;
		bmp_stats_family(&r, BMP_STAT_FAMILY_ADJ_RIB_IN, rib->family->afi, rib->family->safi, fresh);
		bmp_stats_family(&r, BMP_STAT_FAMILY_LOC_RIB, rib->family->afi, rib->family->safi, loc_ribs[t]);
	}
	bmp_stats_gauge(&r, BMP_STAT_ADJ_RIB_IN, in);
	bmp_stats_gauge(&r, BMP_STAT_LOC_RIB, loc);
	bmp_stats_counter(&r, BMP_STAT_TREAT_AS_WITHDRAW, n->treat_as_withdraw);
	bmp_stats_end(&r);
	bmp_stream_end(&b->own, &w, 1);
}

void bmp_run_stats(struct bmp_station *st, uint64_t now_ms)
{
	const struct speaker *s = st->b->s;
	uint64_t loc_ribs[FAMILIES_MAX];

	if (!st->config.stats_sec || now_ms < st->stats_ms)
		return;
	st->stats_ms = now_ms + 1000ull * st->config.stats_sec;
	bmp_flush_live(st->b);
	for (unsigned t = 0; t < s->tables; t++)
		loc_ribs[t] = loc_rib(s, &s->table[t].rib);
	for (size_t i = 1; i < s->neighbors; i++)
		if (s->neighbor[i] && bmp_watches(s->neighbor[i]))
			tell_stats(st, s->neighbor[i], loc_ribs);
	bmp_stream_flush(st->b, &st->b->own, st);
}
