/* quelld's looking glass, for http_quelld.c: pages_quelld.c (overview, alarms), pages_neighbors.c, pages_lan.c (who is where),
 * pages_routes.c (search, rejected routes). */
#pragma once
#include "daemon/page.h"
#include "daemon/quelld.h"
#include "registry/registry.h"

typedef void pages_quelld_fn(const struct quelld *q, const struct http_request *r, struct http_answer *ret);

pages_quelld_fn pages_overview, pages_alarms, pages_neighbors, pages_neighbor, pages_lan, pages_search, pages_rejected;

/* What all of them begin with; title and query must be there until page_answer(). */
struct page pages_begin(const struct quelld *q, const struct http_request *r, const char *title, const char *path);
/* Whose the LAN's addresses are; NULL: nobody has said. For this turn. */
const struct registry *pages_registry(const struct quelld *q, const char *lan);

/* --- pages_lan.c --- */

/* A MAC, or an address with its MAC; and whose the registry says that it is. */
struct lan_entry;
extern const struct page_column pages_entry_columns[];
void pages_entry_row(struct textbuf *out, const struct lan_entry *e, const struct registry *r);
