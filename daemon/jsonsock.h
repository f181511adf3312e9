/* JSON lines over a UNIX stream socket: the feed between the daemons and their control sockets
 * (docs/feed.md).
 *
 * One object a line. What comes in is bounded by a line limit, what goes out by an output limit: a
 * peer that breaks either, or sends what is no object, gets one error line and is closed; one that
 * does not read is closed. Who calls is told by the kernel (SO_PEERCRED).
 *
 * A conn is over either because the peer or a limit ended it (then `closed` is called, once, from
 * the loop and never from within a call made here), or because its owner called jsonsock_close() or
 * jsonsock_end() (then no hook is called again). Either way the pointer is dead afterwards. A hook
 * may close the conn it was called for.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

struct loop;
struct jsonsock;
struct jsonsock_server;

struct jsonsock_hooks {
	/* Server: somebody called. May end it. NULL: nothing to do. */
	void (*opened)(void *arg, struct jsonsock *s);
	/* An object came; borrowed for the call. */
	void (*line)(void *arg, struct jsonsock *s, const json_t *object);
	/* The conn is over and is freed on return. `why` is safe to log. May be NULL. */
	void (*closed)(void *arg, struct jsonsock *s, const char *why);
	void *arg;
};

struct jsonsock_limits {
	size_t line_max;    /* octets of a line that comes in; 0: JSONSOCK_LINE_MAX */
	size_t output_max;  /* octets queued for the peer; 0: 1 MiB */
	uint32_t conns_max; /* server: callers at a time; 0: 16 */
	uint32_t idle_sec;  /* silent for so long: closed; 0: never */
	uint32_t stuck_sec; /* reads nothing for so long while we have something to send: closed; 0:
			       30 */
	bool op_errors;     /* errors as {"op":"error","text":...} (feed) instead of {"error":...}
			       (control) */
};

#define JSONSOCK_LINE_MAX 65536

struct jsonsock_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

/* Listens on `path` with mode `mode`; a socket that a dead daemon left there is replaced. 0;
 * -EADDRINUSE when somebody listens there; another -errno. The path is removed by
 * jsonsock_server_free(), with all conns. */
int jsonsock_listen(struct loop *l, const char *path, mode_t mode,
	const struct jsonsock_limits *limits, const struct jsonsock_hooks *hooks,
	struct jsonsock_server **ret);
void jsonsock_server_free(struct jsonsock_server *srv);

/* 0 with a conn that is open; -ENOENT or -ECONNREFUSED when nobody is there; another -errno. */
int jsonsock_connect(struct loop *l, const char *path, const struct jsonsock_limits *limits,
	const struct jsonsock_hooks *hooks, struct jsonsock **ret);

/* Sends one object; the reference is taken in any case. 0; -ENOBUFS when the output limit is hit
 * (the conn will be closed from the loop), -EPIPE when it is over already. Callers may ignore it.
 */
int jsonsock_send(struct jsonsock *s, json_t *object);
/* The same for a line that the caller has encoded, without its newline. */
int jsonsock_send_text(struct jsonsock *s, const char *line, size_t len);
/* A line in parts: the caller sends its newline, and nothing else on this conn in between. */
int jsonsock_send_part(struct jsonsock *s, const char *part, size_t len);
/* Takes no further lines until told so, for an answer that is written over several turns. What
 * comes meanwhile waits, the peer's end of file too. */
void jsonsock_hold(struct jsonsock *s, bool hold);
/* {"error": text} or {"op":"error","text": text} by the conn's limits. */
int jsonsock_send_error(struct jsonsock *s, const char *text);

/* Octets that wait for the peer. */
size_t jsonsock_queued(const struct jsonsock *s);
struct jsonsock_peer jsonsock_peer(const struct jsonsock *s);
void jsonsock_set_data(struct jsonsock *s, void *data);
void *jsonsock_data(const struct jsonsock *s);

/* Closes now. */
void jsonsock_close(struct jsonsock *s);
/* Sends an error line (unless NULL) and what is queued, then closes; gives up when the peer does
 * not read. */
void jsonsock_end(struct jsonsock *s, const char *error);
