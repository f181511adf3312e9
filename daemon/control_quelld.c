#include "daemon/control_quelld.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/control_parts.h"

/* A LAN with full tables fits. */
#define OUTPUT_MAX (64 * 1024 * 1024)
#define CONNS_MAX 16
#define IDLE_SEC 600

static uint64_t on_turn(void *arg, uint64_t now_ms)
{
	return control_jobs_turn(arg, now_ms);
}

static void on_closed(void *arg, struct jsonsock *s, const char *why)
{
	(void)arg;
	(void)why;
	control_job_drop(s);
}

/* The group's operators may look; to change something takes root, or who the daemon runs as. */
static bool may_do(const struct control_quelld *c, const struct jsonsock *s)
{
	uid_t uid = jsonsock_peer(s).uid;

	return uid == 0 || uid == c->user;
}

static const struct control_row *find(const struct control_row *rows, const char *name)
{
	for (; rows->name; rows++)
		if (strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

static void send_known(struct jsonsock *s, const char *verb, const struct control_row *rows)
{
	char text[256];
	int len = snprintf(text, sizeof(text), "quelld %s", verb);

	for (; rows->name; rows++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, " %s%s", rows->name,
			rows[1].name ? "," : "");
	jsonsock_send_error(s, text);
}

static void on_line(void *arg, struct jsonsock *s, const json_t *request)
{
	struct control_quelld *c = arg;
	const char *show = json_string_value(json_object_get(request, "show"));
	const char *what = json_string_value(json_object_get(request, "do"));
	const struct control_row *rows = what ? control_dos : control_shows;

	if (!show == !what) {
		jsonsock_send_error(s, "expected {\"show\": ...} or {\"do\": ...}");
		return;
	}
	const struct control_row *row = find(rows, what ? what : show);
	if (!row) {
		send_known(s, what ? "does" : "shows", rows);
		return;
	}
	if (what && !may_do(c, s)) {
		jsonsock_send_error(s, "only root and the user that quelld runs as may do that");
		return;
	}
	row->answer(c, s, request);
}

int control_quelld_new(struct quelld *q, const char *path, struct control_quelld **ret)
{
	struct control_quelld *c = calloc(1, sizeof(*c));
	struct jsonsock_limits limits = {
		.output_max = OUTPUT_MAX, .conns_max = CONNS_MAX, .idle_sec = IDLE_SEC};
	struct jsonsock_hooks hooks = {.line = on_line, .closed = on_closed, .arg = c};

	if (!c)
		abort();
	c->q = q;
	/* What it will be; and later on the system calls' filter does not let us ask. */
	c->user = q->user.set ? q->user.uid : geteuid();
	c->turn = (struct loop_turn){.turn = on_turn, .arg = c};
	TAILQ_INIT(&c->jobs);
	int rc = jsonsock_listen(q->loop, path, 0660, &limits, &hooks, &c->server);
	if (rc < 0) {
		free(c);
		return rc;
	}
	loop_add_turn(q->loop, &c->turn);
	*ret = c;
	return 0;
}

void control_quelld_free(struct control_quelld *c)
{
	if (!c)
		return;
	loop_remove_turn(c->q->loop, &c->turn);
	control_jobs_free(c);
	jsonsock_server_free(c->server);
	free(c);
}
