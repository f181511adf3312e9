/* The agent's pages, for http_agent.c: pages_agent.c (overview, alarms), pages_ports.c (ports and their ledger), pages_bindings.c
 * (who has which address, who calls in vain, search). */
#pragma once
#include "daemon/agent.h"
#include "daemon/page.h"

typedef void pages_agent_fn(struct agent *a, const struct http_request *r, struct http_answer *ret);

pages_agent_fn pages_agent_overview, pages_agent_alarms, pages_ports, pages_port, pages_bindings, pages_callers,
	pages_agent_search;

/* What all of them begin with; title and query must be there until page_answer(). */
struct page pages_agent_begin(struct agent *a, const struct http_request *r, const char *title, const char *path);
/* Its name, which leads to its page; NULL: an empty one. */
void pages_agent_port(struct textbuf *out, const struct agent_port *p);
