/* What is encoded and unsent: messages in refcounted buffers that all members of an update group (or
 * the monitoring stations) share, and a queue of references to them with a place in it for each
 * peer. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whole messages, one behind the other. */
struct txbuf {
	uint32_t refs, len, messages;
	uint8_t bytes[];
};

/* A copy with one reference, or NULL when out of memory. */
struct txbuf *txbuf_new(const uint8_t *bytes, size_t len, uint32_t messages);
void txbuf_unref(struct txbuf *b);

struct txq {
	struct txbuf **ring;
	uint32_t head, count, cap;
	uint32_t offset;   /* sent of the first */
	uint32_t msg_left; /* unsent octets of a message that has begun to leave */
	bool foreign;      /* not BGP messages: their borders are not followed */
	size_t octets;     /* unsent, all in all */
	uint64_t messages; /* ever pushed */
};

/* Takes a reference of its own. 0 or -ENOMEM. */
int txq_push(struct txq *q, struct txbuf *b);
/* The next octets that are contiguous; 0: empty. With `finish` only the rest of the message that
 * has begun. */
size_t txq_peek(const struct txq *q, const uint8_t **ret, bool finish);
void txq_sent(struct txq *q, size_t len);
/* A reference to what txq_peek() points into. */
struct txbuf *txq_hold(const struct txq *q);
void txq_clear(struct txq *q); /* drops all and frees the ring */
