#include "daemon/http_agent.h"

#include <string.h>

#include "daemon/agent.h"
#include "daemon/pages_agent.h"

static const struct {
	const char *path;
	void (*answer)(struct agent *a, const struct http_request *r, struct http_answer *ret);
} rows[] = {
	{"/", pages_agent_overview},
	{"/ports", pages_ports},
	{"/port", pages_port},
	{"/bindings", pages_bindings},
	{"/search", pages_agent_search},
	{"/callers", pages_callers},
	{"/alarms", pages_agent_alarms},
	{"/metrics", metrics_agent},
};

static void on_request(void *arg, const struct http_request *r, struct http_answer *ret)
{
	if (strcmp(r->path, "/style.css") == 0)
		page_style(ret);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(r->path, rows[i].path) == 0)
			rows[i].answer(arg, r, ret);
}

int http_agent_new(struct agent *a, char err[HTTP_ERROR_MAX])
{
	struct http_hooks hooks = {on_request, a};

	a->http = http_new(a->loop, &hooks, NULL);
	int rc = http_prepare(a->http, &a->config->http.agent, err);
	if (rc == 0)
		http_commit(a->http, &a->config->http.agent, &a->config->http);
	return rc;
}
