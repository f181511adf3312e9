/* What quell-agent serves by HTTP: one row a path. */
#pragma once
#include "daemon/http.h"

struct agent;

/* The server of `http.agent`, listening if it is said so. 0, or -errno with a line in err. */
int http_agent_new(struct agent *a, char err[HTTP_ERROR_MAX]);

/* metrics_agent.c */
void metrics_agent(struct agent *a, const struct http_request *r, struct http_answer *ret);
