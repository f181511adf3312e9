/* The control sockets, from the asking side. Blocking, with a time-out: one question, one answer.
 */
#include "cli/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/text.h"

#define TIMEOUT_SEC 30
#define ANSWER_MAX (256u << 20) /* a table of a million routes */

static const struct {
	const char *name, *socket;
} daemons[] = {
	[CONTROL_QUELLD] = {"quelld", "quelld.sock"},
	[CONTROL_AGENT] = {"quell-agent", "agent.sock"},
};

const char *control_name(enum control_daemon daemon)
{
	return daemons[daemon].name;
}

static int __attribute__((format(printf, 3, 4)))
fail(char error[CONTROL_ERROR_MAX], int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, CONTROL_ERROR_MAX, fmt, ap);
	va_end(ap);
	return code;
}

static int open_socket(enum control_daemon daemon, const char *dir, char error[CONTROL_ERROR_MAX])
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct timeval timeout = {.tv_sec = TIMEOUT_SEC};
	const char *name = daemons[daemon].name;

	if ((size_t)snprintf(un.sun_path, sizeof(un.sun_path), "%s/%s", dir,
		    daemons[daemon].socket) >= sizeof(un.sun_path))
		return fail(error, -ENAMETOOLONG, "%s: too long for a socket's path", dir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(error, -errno, "socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	int e = errno;
	close(fd);
	if (e == ENOENT)
		return fail(error, -ENOENT, "%s is not running: no %s", name, un.sun_path);
	if (e == ECONNREFUSED)
		return fail(error, -ENOENT, "%s is not running: nobody listens at %s", name,
			un.sun_path);
	if (e == EACCES)
		return fail(error, -e, "%s: only root and the daemon's group may ask", un.sun_path);
	return fail(error, -e, "%s: %s", un.sun_path, strerror(e));
}

static int send_request(int fd, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t at = 0, len;
	int r = 0;

	if (!text)
		return -ENOMEM;
	len = strlen(text);
	text[len++] = '\n'; /* in place of the NUL */
	while (at < len && r == 0) {
		ssize_t n = send(fd, text + at, len - at, MSG_NOSIGNAL);
		if (n > 0)
			at += (size_t)n;
		else if (errno != EINTR)
			r = -errno;
	}
	free(text);
	return r;
}

/* One line without its end, to be freed; NULL with errno set. */
static char *read_line(int fd, size_t *ret_len)
{
	size_t len = 0, room = 1 << 16;
	char *buf = malloc(room);

	while (buf) {
		ssize_t n = recv(fd, buf + len, room - len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n < 0 ? errno : ECONNRESET;
			break;
		}
		char *end = memchr(buf + len, '\n', (size_t)n);
		len += (size_t)n;
		if (end) {
			*ret_len = (size_t)(end - buf);
			return buf;
		}
		if (len == room) {
			char *more = room < ANSWER_MAX ? realloc(buf, room * 2) : NULL;
			if (!more) {
				errno = EMSGSIZE;
				break;
			}
			buf = more;
			room *= 2;
		}
	}
	free(buf);
	return NULL;
}

static int read_answer(int fd, const char *name, json_t **ret, char error[CONTROL_ERROR_MAX])
{
	char safe[128];
	size_t len;
	char *line = read_line(fd, &len);

	if (!line)
		return fail(error, -errno, "%s gave no answer: %s", name,
			errno == EAGAIN ? "timed out" : strerror(errno));
	json_t *answer = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	free(line);
	if (!json_is_object(answer)) {
		json_decref(answer);
		return fail(error, -EPROTO, "%s gave an answer that is no JSON object", name);
	}
	const json_t *wrong = json_object_get(answer, "error");
	if (wrong) {
		const char *text = json_is_string(wrong) ? json_string_value(wrong) : "an error";
		text_escape(safe, sizeof(safe), text, strlen(text));
		json_decref(answer);
		return fail(error, -EPROTO, "%s: %s", name, safe);
	}
	*ret = answer;
	return 0;
}

int control_ask(enum control_daemon daemon, const char *dir, const json_t *request, json_t **ret,
	char error[CONTROL_ERROR_MAX])
{
	const char *name = daemons[daemon].name;
	int fd = open_socket(daemon, dir, error);

	if (fd < 0)
		return fd;
	int r = send_request(fd, request);
	if (r < 0)
		fail(error, r, "%s cannot be asked: %s", name, strerror(-r));
	else
		r = read_answer(fd, name, ret, error);
	close(fd);
	return r;
}
