/* `show routes` of quelld: the RIB's paths as JSON, filtered, bounded, and written a slice at a
 * time.
 *
 * What matches is copied first, in one short walk, so that the answer is of one moment; the text,
 * which costs twenty times as much, is then written between the turns of the loop. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct jsontext;
struct lans;
struct quelld_policy;
struct show_routes;
struct speaker;

/* More are not shown in one answer; it says "truncated": true and how many match in all. */
#define SHOW_ROUTES_MAX 100000

/* `request` may hold lan (name), mac, ip, type (a number), rejected, flagged, limit. NULL: *ret_error says what is
 * wrong with it. */
struct show_routes *show_routes_start(const struct speaker *s, const struct quelld_policy *policy, const struct lans *lans,
	const json_t *request, const char **ret_error);
/* Writes on, `octets` or a little more. false: this was the end. */
bool show_routes_write(struct show_routes *r, struct jsontext *out, size_t octets);
void show_routes_free(struct show_routes *r);
