/* Stations and what they hear. See bmp.h for the idea.
 *
 * What all stations hear at the same time is encoded once for each set of views, into a stream that becomes a shared
 * buffer at the end of the turn (or when it is large), and a reference in each queue. What one station hears alone (its
 * Initiation, its dump) goes through a stream of its own, always behind what all have heard.
 *
 * RFC 7854 sections 3.2 (back-off), 3.3, 4 and 5. An UPDATE is told on as it came if the RIB now says what it says; one
 * with errors in it, or with a loop, is made anew from the RIB, so that a station never has to know RFC 7606.
 */
#include "bgp/bmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/bmp_inside.h"
#include "bgp/engine.h"
#include "lib/log.h"

#define CUT_OCTETS 32768 /* a shared buffer is closed at this size */
#define STREAM_OCTETS (CUT_OCTETS + BMP_HEADER_LEN + BMP_PEER_LEN + 2 * BGP_MSG_EXTENDED_MAX)

/* --- streams --- */

void bmp_break(struct bmp_station *st, const char *why)
{
	if (st->state != STATION_UP)
		return;
	bmp_dump_stop(st);
	txq_clear(&st->q);
	st->state = STATION_BROKEN;
	st->overflows++;
	st->b->live[st->config.views - 1].stations--;
	snprintf(st->last_error, sizeof(st->last_error), "%s", why);
}

static void push(struct bmp_station *st, struct txbuf *buf)
{
	if (st->state != STATION_UP)
		return;
	if (!buf)
		bmp_break(st, "out of memory");
	else if (st->q.octets + buf->len > st->config.queue_octets)
		bmp_break(st, "does not read: the queue is full");
	else if (txq_push(&st->q, buf) < 0)
		bmp_break(st, "out of memory");
}

void bmp_stream_flush(struct bmp *b, struct bmp_stream *stream, struct bmp_station *one)
{
	struct bmp_station *st;
	struct txbuf *buf;

	if (!stream->len)
		return;
	buf = txbuf_new(stream->buf, stream->len, stream->messages);
	stream->len = 0;
	stream->messages = 0;
	if (one)
		push(one, buf);
	else
		TAILQ_FOREACH (st, &b->stations, link)
			if (&b->live[st->config.views - 1] == stream)
				push(st, buf);
	if (buf)
		txbuf_unref(buf);
}

struct writer bmp_stream_begin(struct bmp *b, struct bmp_stream *stream, struct bmp_station *one)
{
	if (stream->len > CUT_OCTETS)
		bmp_stream_flush(b, stream, one);
	return writer_of(stream->buf + stream->len, STREAM_OCTETS - stream->len);
}

void bmp_stream_end(struct bmp_stream *stream, const struct writer *w, uint32_t messages)
{
	if (!writer_ok(w))
		return;
	stream->len += writer_len(w);
	stream->messages += messages;
}

void bmp_flush_live(struct bmp *b)
{
	for (int i = 0; i < BMP_KINDS; i++)
		bmp_stream_flush(b, &b->live[i], NULL);
}

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

static void tell_up(struct bmp *b, struct bmp_stream *stream, struct bmp_station *one, const struct neighbor *n)
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
			tell_up(b, &b->live[i], NULL, n);
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
	struct rib_key key = {d->key, d->key_len};

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

static void run_stats(struct bmp_station *st, uint64_t now_ms)
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

/* --- stations --- */

struct bmp *bmp_new(struct speaker *s, const char *sys_descr, const char *sys_name)
{
	struct bmp *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	b->s = s;
	snprintf(b->sys_descr, sizeof(b->sys_descr), "%s", sys_descr);
	snprintf(b->sys_name, sizeof(b->sys_name), "%s", sys_name);
	b->hooks = (struct monitor){
		.up = on_up, .down = on_down, .update = on_update, .changed = on_changed, .arg = b};
	TAILQ_INIT(&b->stations);
	b->items = calloc(BMP_ITEMS, sizeof(*b->items));
	b->own.buf = malloc(STREAM_OCTETS);
	bool ok = b->items && b->own.buf;
	for (int i = 0; i < BMP_KINDS; i++)
		ok &= (b->live[i].buf = malloc(STREAM_OCTETS)) != NULL;
	if (!ok)
		abort();
	return b;
}

void bmp_free(struct bmp *b)
{
	if (!b)
		return;
	while (!TAILQ_EMPTY(&b->stations))
		bmp_remove(TAILQ_FIRST(&b->stations));
	for (int i = 0; i < BMP_KINDS; i++)
		free(b->live[i].buf);
	free(b->own.buf);
	free(b->items);
	free(b);
}

struct bmp_station *bmp_add(struct bmp *b, const struct bmp_station_config *c, uint64_t now_ms)
{
	struct bmp_station *st = calloc(1, sizeof(*st));
	char text[IP_TEXT];

	if (!st)
		abort();
	*st = (struct bmp_station){.b = b,
		.config = *c,
		.q = {.foreign = true},
		.since_ms = now_ms,
		.retry_ms = now_ms,
		.retry_sec = c->retry_sec};
	snprintf(st->label, sizeof(st->label), "%s",
		c->name[0] ? c->name : ip_format(c->address, text));
	TAILQ_INSERT_TAIL(&b->stations, st, link);
	b->s->monitor = &b->hooks;
	return st;
}

/* Off the air: neither in the streams nor in a dump. */
static void silence(struct bmp_station *st)
{
	bmp_dump_stop(st);
	txq_clear(&st->q);
	if (st->state != STATION_UP)
		return;
	st->b->live[st->config.views - 1].stations--;
	if (!st->b->live[st->config.views - 1].stations)
		st->b->live[st->config.views - 1].len = st->b->live[st->config.views - 1].messages = 0;
}

void bmp_remove(struct bmp_station *st)
{
	struct bmp *b = st->b;

	silence(st);
	TAILQ_REMOVE(&b->stations, st, link);
	free(st);
	if (TAILQ_EMPTY(&b->stations))
		b->s->monitor = NULL;
}

struct bmp_station *bmp_next(const struct bmp *b, const struct bmp_station *after)
{
	return after ? TAILQ_NEXT(after, link) : TAILQ_FIRST(&b->stations);
}

const struct bmp_station_config *bmp_config(const struct bmp_station *st)
{
	return &st->config;
}

enum bmp_want bmp_wants(const struct bmp_station *st, uint64_t now_ms)
{
	switch (st->state) {
	case STATION_WAITING:
		return now_ms >= st->retry_ms ? BMP_CONNECT : BMP_REST;
	case STATION_UP:
		return st->q.octets ? BMP_SEND : BMP_REST;
	case STATION_CLOSING:
		return st->q.octets ? BMP_SEND : BMP_CLOSE;
	case STATION_BROKEN:
		return BMP_CLOSE;
	default:
		return BMP_REST;
	}
}

void bmp_connecting(struct bmp_station *st)
{
	st->state = STATION_CONNECTING;
	st->connects++;
}

void bmp_connected(struct bmp_station *st, uint64_t now_ms)
{
	struct bmp *b = st->b;
	const struct speaker *s = b->s;
	struct writer w;

	bmp_flush_live(b); /* what was before is in the dump */
	st->state = STATION_UP;
	st->since_ms = now_ms;
	st->stats_ms = now_ms + 1000ull * st->config.stats_sec;
	st->dumped = false;
	b->live[st->config.views - 1].stations++;
	log_notice(LOG_BGP, "BMP station %s: connected", st->label);
	w = bmp_stream_begin(b, &b->own, st);
	bmp_initiation(&w, b->sys_descr, b->sys_name);
	bmp_stream_end(&b->own, &w, 1);
	for (size_t i = 1; i < s->neighbors; i++)
		if (s->neighbor[i] && bmp_watches(s->neighbor[i]))
			tell_up(b, &b->own, st, s->neighbor[i]);
	bmp_stream_flush(b, &b->own, st);
	if (!bmp_dump_begin(st))
		bmp_break(st, "out of memory");
}

void bmp_lost(struct bmp_station *st, const char *why, uint64_t now_ms)
{
	static struct log_limit limit = LOG_LIMIT(20, 60000);
	bool was_up = st->state >= STATION_UP;

	if (why)
		snprintf(st->last_error, sizeof(st->last_error), "%s", why);
	else if (st->state == STATION_CLOSING)
		st->last_error[0] = '\0';
	silence(st);
	st->losses += was_up;
	/* One that has read all, and stood for longer than it had been waited for, begins anew. */
	if (was_up && st->dumped && now_ms - st->since_ms >= 1000ull * st->retry_sec)
		st->retry_sec = st->config.retry_sec;
	log_limited(&limit, now_ms, LOG_BGP, was_up ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		"BMP station %s: %s; called again in %u s", st->label,
		st->last_error[0] ? st->last_error : "closed", st->retry_sec);
	st->retry_ms = now_ms + 1000ull * st->retry_sec;
	st->retry_sec = st->retry_sec > BMP_RETRY_MAX_SEC / 2 ? BMP_RETRY_MAX_SEC : 2 * st->retry_sec;
	st->state = STATION_WAITING;
	st->since_ms = now_ms;
}

void bmp_terminate(struct bmp_station *st)
{
	struct bmp *b = st->b;
	struct writer w;

	if (st->state != STATION_UP)
		return;
	bmp_flush_live(b);
	w = bmp_stream_begin(b, &b->own, st);
	bmp_termination(&w, BMP_TERM_ADMIN);
	bmp_stream_end(&b->own, &w, 1);
	bmp_stream_flush(b, &b->own, st);
	if (st->state != STATION_UP)
		return; /* no room even for that */
	bmp_dump_stop(st);
	b->live[st->config.views - 1].stations--;
	st->state = STATION_CLOSING;
}

size_t bmp_tx(const struct bmp_station *st, const uint8_t **ret)
{
	return txq_peek(&st->q, ret, false);
}

void bmp_sent(struct bmp_station *st, size_t len)
{
	st->octets_out += len;
	txq_sent(&st->q, len);
}

/* --- the turn --- */

/* A marker keeps what is gone; see bound_tombstones() in speaker.c. Neighbours must not pay for a station. */
static void bound_dump(struct bmp_station *st)
{
	const struct rib *r;

	if (st->state != STATION_UP || !st->dumping)
		return;
	r = &st->b->s->table[st->table].rib;
	if (r->tombstones > st->b->s->tombstones_max / 2 && r->tombstones > r->paths)
		bmp_break(st, "reads its dump too slowly");
}

void bmp_run(struct bmp *b, uint64_t now_ms, uint64_t wall_us)
{
	struct bmp_station *st;

	b->wall_known = wall_us > 0;
	b->wall_us = wall_us - 1000 * now_ms;
	b->s->now_ms = now_ms;
	bmp_flush_live(b);
	TAILQ_FOREACH (st, &b->stations, link) {
		if (st->state != STATION_UP)
			continue;
		bound_dump(st);
		run_stats(st, now_ms);
		if (bmp_dump_due(st))
			bmp_dump_slice(st);
	}
}

uint64_t bmp_deadline(const struct bmp *b)
{
	const struct bmp_station *st;
	uint64_t next = TIMERS_NEVER;

	for (int i = 0; i < BMP_KINDS; i++)
		if (b->live[i].len)
			return b->s->now_ms;
	TAILQ_FOREACH (st, &b->stations, link) {
		uint64_t at = TIMERS_NEVER;
		if (bmp_dump_due(st) || bmp_wants(st, b->s->now_ms) == BMP_CLOSE)
			return b->s->now_ms;
		if (st->state == STATION_WAITING)
			at = st->retry_ms;
		else if (st->state == STATION_UP && st->config.stats_sec)
			at = st->stats_ms;
		if (at < next)
			next = at;
	}
	return next;
}

void bmp_view(const struct bmp_station *st, struct bmp_view *ret)
{
	static const char *const states[] = {"waiting", "connecting", "up", "closing", "closing"};

	*ret = (struct bmp_view){
		.config = &st->config,
		.state = st->state == STATION_UP && st->dumping ? "dump" : states[st->state],
		.since_ms = st->since_ms,
		.retry_ms = st->state == STATION_WAITING ? st->retry_ms : 0,
		.queued_octets = st->q.octets,
		.messages = st->q.messages,
		.octets_out = st->octets_out,
		.connects = st->connects,
		.losses = st->losses,
		.overflows = st->overflows,
	};
	memcpy(ret->last_error, st->last_error, sizeof(ret->last_error));
}
