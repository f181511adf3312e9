/* The listening sockets of BGP: one an address of `bgp.listen`, with the keys of all neighbours of its family and, where
 * they are all near, their TTL. Who calls is handed up; nothing here knows the speaker.
 *
 * A change of the configuration comes in two steps, so that it happens whole or not at all. Prepared is all that can
 * fail: what is new is bound and has its keys, but takes no callers; sockets that stay have the keys that are new.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <bsd/sys/queue.h>

#include "config/config.h"
#include "daemon/callers.h"
#include "lib/bucket.h"
#include "lib/log.h"
#include "lib/timers.h"

#define LISTENER_ERROR_MAX 256

struct listener;
struct loop;

struct listeners {
	struct loop *loop;
	LIST_HEAD(, listener) list;
	/* Somebody called: the descriptor is the callee's. */
	void (*caller)(void *arg, int fd, const struct sockaddr_storage *from);
	void *arg;
	bool open; /* callers are taken */
	struct bucket accepts;
	struct callers callers;
	struct timer again;
	struct log_limit log, often_log;
	uint64_t errors, too_often;
};

void listeners_init(struct listeners *ls, struct loop *l);
/* From `was` (NULL: none) to `is`, prepared. 0, or -errno with one line in err and nothing changed. */
int listeners_prepare(struct listeners *ls, const struct config *was, const struct config *is,
	char err[LISTENER_ERROR_MAX]);
/* What was prepared, done, or undone; with the same two. */
void listeners_commit(struct listeners *ls, const struct config *was, const struct config *is);
void listeners_cancel(struct listeners *ls, const struct config *was, const struct config *is);
/* Takes callers from now on. */
void listeners_open(struct listeners *ls);
void listeners_close(struct listeners *ls);

/* The neighbour by its address, or the most specific range that holds it; NULL: nobody. */
const struct config_neighbor *listener_neighbor(const struct config *c, struct ip remote);
