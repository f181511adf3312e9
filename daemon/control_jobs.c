/* Answers of the control socket that are written over several turns: those that may have very many rows. Each is a
 * snapshot that writes itself in slices. */
#include <stdlib.h>

#include "daemon/control_parts.h"
#include "daemon/jsontext.h"
#include "daemon/quelld_lans.h"
#include "daemon/show_lan.h"
#include "daemon/show_neighbors.h"
#include "daemon/show_routes.h"

/* What is written in a turn, and how much may wait for the reader: the sessions wait for one slice
 * at most. */
#define SLICE_OCTETS (64 * 1024)
#define QUEUE_OCTETS (256 * 1024)

/* Belongs to its conn. */
struct control_job {
	struct control_quelld *control;
	struct jsonsock *conn;
	/* one of them */
	struct show_routes *routes;
	struct show_lan *lan;
	struct show_neighbors *neighbors;
	struct jsontext text;
	TAILQ_ENTRY(control_job) link;
};

static void job_free(struct control_job *j)
{
	if (!j)
		return;
	TAILQ_REMOVE(&j->control->jobs, j, link);
	jsonsock_set_data(j->conn, NULL);
	show_routes_free(j->routes);
	show_lan_free(j->lan);
	show_neighbors_free(j->neighbors);
	jsontext_free(&j->text);
	free(j);
}

static struct control_job *job_new(struct control_quelld *c, struct jsonsock *s)
{
	struct control_job *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	*j = (struct control_job){.control = c, .conn = s};
	TAILQ_INSERT_TAIL(&c->jobs, j, link);
	jsonsock_set_data(s, j);
	jsonsock_hold(s, true);
	return j;
}

void control_answer_routes(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	const char *error;
	struct show_routes *r = show_routes_start(
		c->q->speaker, c->q->policy, quelld_lans_table(c->q->lans), request, &error);

	if (r)
		job_new(c, s)->routes = r;
	else
		jsonsock_send_error(s, error);
}

void control_answer_lans(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	const char *error;
	struct show_lan *l = show_lan_start(quelld_lans_table(c->q->lans), request, &error);

	if (l)
		job_new(c, s)->lan = l;
	else
		jsonsock_send_error(s, error);
}

void control_answer_neighbors(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	struct show_neighbors *n = show_neighbors_start(c->q->speaker);

	(void)request;
	if (n)
		job_new(c, s)->neighbors = n;
	else
		jsonsock_send_error(s, "out of memory");
}

/* True: there is more of it. */
static bool job_write(struct control_job *j)
{
	if (j->lan)
		return show_lan_write(j->lan, &j->text, SLICE_OCTETS);
	if (j->neighbors)
		return show_neighbors_write(j->neighbors, &j->text, SLICE_OCTETS);
	return show_routes_write(j->routes, &j->text, SLICE_OCTETS);
}

uint64_t control_jobs_turn(struct control_quelld *c, uint64_t now_ms)
{
	struct control_job *j, *next;
	uint64_t again = TIMERS_NEVER;

	for (j = TAILQ_FIRST(&c->jobs); j; j = next) {
		next = TAILQ_NEXT(j, link);
		if (jsonsock_queued(j->conn) > QUEUE_OCTETS)
			continue;
		again = now_ms;
		jsontext_clear(&j->text);
		bool more = job_write(j);
		if (!more)
			jsontext_raw(&j->text, "\n");
		if (j->text.text.len)
			jsonsock_send_part(j->conn, j->text.text.p, j->text.text.len);
		if (!more) {
			struct jsonsock *s = j->conn;
			job_free(j);
			jsonsock_hold(s, false);
		}
	}
	return again;
}

void control_job_drop(struct jsonsock *s)
{
	job_free(jsonsock_data(s));
}

void control_jobs_free(struct control_quelld *c)
{
	while (!TAILQ_EMPTY(&c->jobs))
		job_free(TAILQ_FIRST(&c->jobs));
}
