#include "daemon/http_quelld.h"

#include <string.h>

#include "daemon/metrics_quelld.h"
#include "daemon/pages_quelld.h"
#include "daemon/quelld.h"

static const struct {
	const char *path;
	void (*answer)(const struct quelld *q, const struct http_request *r, struct http_answer *ret);
} rows[] = {
	{"/", pages_overview},
	{"/neighbors", pages_neighbors},
	{"/neighbor", pages_neighbor},
	{"/lan", pages_lan},
	{"/search", pages_search},
	{"/rejected", pages_rejected},
	{"/alarms", pages_alarms},
	{"/metrics", metrics_quelld},
};

static void on_request(void *arg, const struct http_request *r, struct http_answer *ret)
{
	if (strcmp(r->path, "/style.css") == 0)
		page_style(ret);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(r->path, rows[i].path) == 0)
			rows[i].answer(arg, r, ret);
}

int http_quelld_new(struct quelld *q, char err[HTTP_ERROR_MAX])
{
	struct http_hooks hooks = {on_request, q};

	q->http = http_new(q->loop, &hooks, NULL);
	int rc = http_prepare(q->http, &q->config->http.quelld, err);
	if (rc == 0)
		http_commit(q->http, &q->config->http.quelld, &q->config->http);
	return rc;
}
