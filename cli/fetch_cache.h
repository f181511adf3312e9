/* What was fetched the last time, with what makes the next time cheap (ETag, Last-Modified): a file for each document in FILE.cache
 * beside the registry. It is kept only once all of it has made a registry, so that what is broken is asked for again. May be
 * removed at any time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cli/fetch_http.h"

struct fetch_cached {
	char *url, *body; /* NULL: there is none */
	size_t len;
	struct http_validators validators;
};

/* The directory for what is fetched into `path`, to be freed; NULL: errno says why. */
char *fetch_cache_dir(const char *path);

/* `max`: as long as a body may be. Whatever is wrong with it: there is none. */
void fetch_cache_get(const char *dir, const char *name, size_t max, struct fetch_cached *ret);
/* Makes the directory, for its owner alone. 0 or -errno. */
int fetch_cache_put(const char *dir, const char *name, const struct fetch_cached *c);
void fetch_cached_free(struct fetch_cached *c);

/* A reload that is still to be done for what was written. */
bool fetch_cache_is_due(const char *dir);
int fetch_cache_set_due(const char *dir, bool due);
