/* A small HTTP server for those who look: metrics and pages, GET and HEAD alone.
 *
 *   conn -> http_request (octets to value) -> handler -> http_answer -> [turn: slices] -> conn
 *
 * It is bounded in every way: connections, the size of a head, the time for it, what waits for a reader and how long an answer
 * may take; and what it costs the loop: all answers together are written for at most HTTP_TURN_US a turn, step by step, so that
 * sessions and frames do not wait for a page. When all connections are taken, the one that has been silent for longest and has
 * asked for nothing makes room: who holds connections open keeps nobody out.
 *
 * libevent's own evhttp is not used: it limits neither connections nor the time that a request may take to arrive.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "daemon/http_request.h"
#include "lib/textbuf.h"

struct http_server;
struct loop;

#define HTTP_CONNS_MAX 32
#define HTTP_TURN_US 500

/* What a request is answered with; a handler that sets nothing says that there is no such page. */
struct http_answer {
	int status; /* 0: 404 */
	const char *type; /* constant */
	/* One step of the body, a few microseconds of work: a row, a few hundred slots of a table that is walked. True: there is
	 * more. It may write nothing. */
	bool (*step)(void *job, struct textbuf *out);
	void (*release)(void *job); /* called once in any case, if there is a job */
	void *job;
};

struct http_hooks {
	void (*request)(void *arg, const struct http_request *r, struct http_answer *ret);
	void *arg;
};

struct http_limits { /* 0: the default */
	uint32_t head_ms;   /* for a request to be there, from its first octet; 10 s */
	uint32_t idle_ms;   /* between requests; 75 s */
	uint32_t answer_ms; /* for an answer to be read; 60 s */
};

struct http_stats {
	uint64_t requests;
	uint64_t by_status[6]; /* [2]: 2xx ... */
	uint64_t timeouts;     /* closed: too slow in asking, or in reading */
	uint64_t crowded;      /* closed, to make room, or not taken at all */
	uint32_t open;
};

/* Listens nowhere yet. */
struct http_server *http_new(struct loop *l, const struct http_hooks *hooks, const struct http_limits *limits);
void http_free(struct http_server *s);

#define HTTP_ERROR_MAX 128

/* Another address (port 0: none), in two steps: what can fail, and what cannot. The same again costs nothing. 0, or -errno with a
 * line in err and nothing changed. */
int http_prepare(struct http_server *s, const struct config_endpoint *at, char err[HTTP_ERROR_MAX]);
/* `c` must outlive the server, or the next commit. */
void http_commit(struct http_server *s, const struct config_endpoint *at, const struct config_http *c);
void http_cancel(struct http_server *s);

void http_stats(const struct http_server *s, struct http_stats *ret);
