/* The inside of the HTTP server: http.c (connections and answers), http_listen.c (where it listens, who calls). */
#pragma once
#include <bsd/sys/queue.h>

#include "daemon/http.h"
#include "daemon/loop.h"

struct bufferevent;
struct evconnlistener;

enum conn_state {
	CONN_IDLE,   /* nothing of a request yet */
	CONN_HEAD,   /* some */
	CONN_ANSWER, /* a job is at work, or its answer waits to be read */
	CONN_LINGER, /* all is said; what still comes is read and forgotten, or the peer might not get the answer */
};

struct http_conn {
	struct http_server *server;
	struct bufferevent *bev;
	enum conn_state state;
	uint64_t since_ms; /* in this state */
	struct timer timer;
	bool keep, chunked, working; /* of the answer; a step is to be made */
	struct http_answer answer;
	TAILQ_ENTRY(http_conn) link;
};

struct http_server {
	struct loop *loop;
	struct http_hooks hooks;
	struct http_limits limits;
	const struct config_http *config;
	struct config_endpoint at; /* of listener */
	struct evconnlistener *listener;
	struct evconnlistener *prepared;
	struct timer again;
	struct loop_turn turn;
	TAILQ_HEAD(, http_conn) conns; /* who worked last stands last */
	struct textbuf slice;
	struct http_stats stats;
};

/* --- http.c --- */

/* Takes the descriptor over, also on failure. */
void http_conn_new(struct http_server *s, int fd);
void http_conn_free(struct http_conn *c);
/* A slice of each answer whose reader keeps up. */
uint64_t http_turn(void *arg, uint64_t now_ms);
