/* The documents of a LAN from its IXP Manager, into memory. */
#pragma once
#include <jansson.h>
#include <stddef.h>

#include "config/config.h"
#include "registry/import.h"

#define FETCH_ERROR_MAX 1024

struct fetched; /* the documents, and what to keep of them */

/* Gets all that the LAN's `fetch` names; `cache`: see cli/fetch_cache.h. What was got, each as {"url", "status", "octets"}, is
 * appended to `documents`. 0 with *ret to be fetched_free()d, or -1 with a line in err. */
int fetch_documents(const struct config_lan *lan, const char *cache, json_t *documents,
	struct fetched **ret, char err[FETCH_ERROR_MAX]);
/* For registry_import(); borrowed. */
const struct registry_file *fetched_files(const struct fetched *f, size_t *ret_count);
/* They have made a registry: they are asked for anew only if they changed. 0 or -errno. */
int fetched_keep(const struct fetched *f, const char *cache);
void fetched_free(struct fetched *f);

/* The file's only line, of at most `cap` - 1 characters that may stand in a header. 0, or -1 with a line in err. */
int fetch_key(const char *path, char *buf, size_t cap, char err[FETCH_ERROR_MAX]);
