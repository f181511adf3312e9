/* `show routes` of quelld: the RIB's paths as JSON, filtered and bounded. */
#pragma once
#include <jansson.h>

struct lans;
struct speaker;

/* More are not shown in one answer, so that a question cannot hold the sessions up for long; the
 * answer says "truncated": true and how many paths match in all. */
#define SHOW_ROUTES_MAX 100000

/* `request` may hold lan (name), mac, ip, type (a number), limit. The answer, or {"error": ...}. */
json_t *show_routes(const struct speaker *s, const struct lans *lans, const json_t *request);
