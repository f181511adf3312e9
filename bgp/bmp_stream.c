/* Streams of BMP messages and the queues that they end in. See bmp_inside.h. */
#include <stdio.h>
#include <stdlib.h>

#include "bgp/bmp_inside.h"
#include "bgp/msg.h"

#define CUT_OCTETS 32768 /* a shared buffer is closed at this size */
#define STREAM_OCTETS (CUT_OCTETS + BMP_HEADER_LEN + BMP_PEER_LEN + 2 * BGP_MSG_EXTENDED_MAX)

bool bmp_stream_init(struct bmp_stream *stream)
{
	stream->buf = malloc(STREAM_OCTETS);
	return stream->buf != NULL;
}

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
