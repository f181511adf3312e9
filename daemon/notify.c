#include "daemon/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"

struct notify {
	struct loop *loop;
	int fd; /* -1: nobody wants to know */
	uint64_t watchdog_ms; /* 0: none */
	struct timer alive;
};

static void say(const struct notify *n, const char *text)
{
	/* A manager that does not read must not hold us up. */
	if (n->fd >= 0 && send(n->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_write(LOG_MAIN, LOG_LEVEL_DEBUG, "service manager: %s", strerror(errno));
}

static int open_socket(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd;

	if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0'; /* an abstract one */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to,
			       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0) {
		log_warning(LOG_MAIN, "NOTIFY_SOCKET %s: %s", path, strerror(errno));
		close(fd);
		fd = -1;
	}
	return fd;
}

/* WATCHDOG_PID, if it is there, says whom the manager means. */
static uint64_t watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return strtoull(usec, NULL, 10) / 1000;
}

static void on_alive(void *arg, uint64_t now_ms)
{
	struct notify *n = arg;

	say(n, "WATCHDOG=1");
	timers_start(loop_timers(n->loop), &n->alive, now_ms + n->watchdog_ms / 2);
}

struct notify *notify_new(struct loop *loop)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct notify *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	n->loop = loop;
	n->fd = path ? open_socket(path) : -1;
	n->watchdog_ms = n->fd >= 0 ? watchdog_ms() : 0;
	timer_init(&n->alive, on_alive, n);
	return n;
}

void notify_ready(struct notify *n, const char *status)
{
	char text[256];

	snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", status);
	say(n, text);
	if (n->watchdog_ms)
		on_alive(n, loop_now_ms());
}

void notify_stopping(struct notify *n)
{
	say(n, "STOPPING=1\nSTATUS=stopping");
}

void notify_free(struct notify *n)
{
	if (!n)
		return;
	timers_stop(loop_timers(n->loop), &n->alive);
	if (n->fd >= 0)
		close(n->fd);
	free(n);
}
