/* The inside of the control socket, for the files that answer: one row a request, in control_show.c and control_do.c. */
#pragma once
#include <stdint.h>

#include <bsd/sys/queue.h>
#include <jansson.h>

#include "daemon/jsonsock.h"
#include "daemon/loop.h"
#include "daemon/quelld.h"

struct control_job;

struct control_quelld {
	struct quelld *q;
	uid_t user; /* that we run as */
	struct jsonsock_server *server;
	TAILQ_HEAD(, control_job) jobs; /* answers that are written over several turns */
	struct loop_turn turn;
};

struct control_row {
	const char *name;
	void (*answer)(struct control_quelld *c, struct jsonsock *s, const json_t *request);
};

/* Rows that end with a name of NULL. */
extern const struct control_row control_shows[];
extern const struct control_row control_dos[];

/* Of files of their own. */
void control_answer_alarms(struct control_quelld *c, struct jsonsock *s, const json_t *request);
void control_answer_lans(struct control_quelld *c, struct jsonsock *s, const json_t *request);
void control_answer_neighbors(struct control_quelld *c, struct jsonsock *s, const json_t *request);
void control_answer_routes(struct control_quelld *c, struct jsonsock *s, const json_t *request);

/* One slice of each answer whose reader keeps up. */
uint64_t control_jobs_turn(struct control_quelld *c, uint64_t now_ms);
/* The conn is over: its answer, if one is being written, too. */
void control_job_drop(struct jsonsock *s);
void control_jobs_free(struct control_quelld *c);
