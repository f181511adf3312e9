#include "bgp/txq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/msg.h"

struct txbuf *txbuf_new(const uint8_t *bytes, size_t len, uint32_t messages)
{
	struct txbuf *b = malloc(sizeof(*b) + len);

	if (!b)
		return NULL;
	b->refs = 1;
	b->len = (uint32_t)len;
	b->messages = messages;
	memcpy(b->bytes, bytes, len);
	return b;
}

void txbuf_unref(struct txbuf *b)
{
	if (--b->refs == 0)
		free(b);
}

static struct txbuf *first(const struct txq *q)
{
	return q->ring[q->head];
}

int txq_push(struct txq *q, struct txbuf *b)
{
	if (q->count == q->cap) {
		uint32_t cap = q->cap ? 2 * q->cap : 8;
		struct txbuf **ring = malloc(cap * sizeof(*ring));
		if (!ring)
			return -ENOMEM;
		for (uint32_t i = 0; i < q->count; i++)
			ring[i] = q->ring[(q->head + i) & (q->cap - 1)];
		free(q->ring);
		q->ring = ring;
		q->cap = cap;
		q->head = 0;
	}
	q->ring[(q->head + q->count++) & (q->cap - 1)] = b;
	b->refs++;
	q->octets += b->len;
	q->messages += b->messages;
	return 0;
}

size_t txq_peek(const struct txq *q, const uint8_t **ret, bool finish)
{
	if (!q->count || (finish && !q->msg_left))
		return 0;
	*ret = first(q)->bytes + q->offset;
	return finish ? q->msg_left : first(q)->len - q->offset;
}

struct txbuf *txq_hold(const struct txq *q)
{
	first(q)->refs++;
	return first(q);
}

/* Follows the message borders by the length fields that we wrote ourselves. */
static void pass(struct txq *q, size_t len)
{
	const uint8_t *p = first(q)->bytes;

	q->octets -= len;
	if (q->foreign) {
		q->offset += (uint32_t)len;
		return;
	}
	while (len) {
		if (!q->msg_left)
			q->msg_left = (uint32_t)(p[q->offset + 16] << 8 | p[q->offset + 17]);
		uint32_t n = len < q->msg_left ? (uint32_t)len : q->msg_left;
		q->msg_left -= n;
		q->offset += n;
		len -= n;
	}
}

void txq_sent(struct txq *q, size_t len)
{
	while (len && q->count) {
		size_t n = first(q)->len - q->offset;
		if (n > len)
			n = len;
		pass(q, n);
		len -= n;
		if (q->offset == first(q)->len) {
			txbuf_unref(first(q));
			q->head = (q->head + 1) & (q->cap - 1);
			q->count--;
			q->offset = 0;
		}
	}
}

void txq_clear(struct txq *q)
{
	uint64_t messages = q->messages;

	for (; q->count; q->count--) {
		txbuf_unref(first(q));
		q->head = (q->head + 1) & (q->cap - 1);
	}
	free(q->ring);
	*q = (struct txq){.messages = messages, .foreign = q->foreign};
}
