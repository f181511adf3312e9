/* The stations: when they are called, what they are told first, and the turn. See bmp.h for the idea; RFC 7854 sections
 * 3.2, 3.3, 4.3 and 4.5. */
#include "bgp/bmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/bmp_inside.h"
#include "bgp/engine.h"
#include "lib/log.h"

#define SLICES_A_TURN 4 /* of dumps */

/* --- stations --- */

struct bmp *bmp_new(struct speaker *s, const char *sys_descr, const char *sys_name)
{
	struct bmp *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	b->s = s;
	snprintf(b->sys_descr, sizeof(b->sys_descr), "%s", sys_descr);
	snprintf(b->sys_name, sizeof(b->sys_name), "%s", sys_name);
	b->hooks = bmp_hooks(b);
	TAILQ_INIT(&b->stations);
	b->items = calloc(BMP_ITEMS, sizeof(*b->items));
	bool ok = b->items && bmp_stream_init(&b->own);
	for (int i = 0; i < BMP_KINDS; i++)
		ok &= bmp_stream_init(&b->live[i]);
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
			bmp_tell_up(b, &b->own, st, s->neighbor[i]);
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

/* So many slices, and those that had one are the last next time: sessions do not wait for sixteen stations. */
static void run_dumps(struct bmp *b)
{
	struct bmp_station *st, *next, *last = TAILQ_LAST(&b->stations, bmp_list);
	unsigned budget = SLICES_A_TURN;

	for (st = TAILQ_FIRST(&b->stations); st && budget; st = next) {
		next = st == last ? NULL : TAILQ_NEXT(st, link);
		if (!bmp_dump_due(st))
			continue;
		bmp_dump_slice(st);
		budget--;
		TAILQ_REMOVE(&b->stations, st, link);
		TAILQ_INSERT_TAIL(&b->stations, st, link);
	}
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
		bmp_run_stats(st, now_ms);
	}
	run_dumps(b);
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
