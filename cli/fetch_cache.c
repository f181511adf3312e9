#include <config.h>

#include "cli/fetch_cache.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/registry_file.h"
#include "lib/statefile.h"

#define ESCAPED 6 /* octets that one of a body may become */
#define DUE "reload-due"

char *fetch_cache_dir(const char *path)
{
	char *dir, *name, *cache = NULL;

	int r = registry_file_place(path, &dir, &name);
	if (r < 0) {
		errno = -r;
		return NULL;
	}
	if (asprintf(&cache, "%s/%s.cache", dir, name) < 0)
		cache = NULL;
	free(dir);
	free(name);
	return cache;
}

static void take_text(const json_t *o, const char *key, char *buf, size_t cap)
{
	const char *text = json_string_value(json_object_get(o, key));

	if (text && strlen(text) < cap)
		memcpy(buf, text, strlen(text) + 1);
}

void fetch_cache_get(const char *dir, const char *name, size_t max, struct fetch_cached *ret)
{
	char *text;
	size_t len;

	*ret = (struct fetch_cached){0};
	if (statefile_read(dir, name, ESCAPED * max, &text, &len) < 0)
		return;
	json_t *o = json_loadb(text, len, 0, NULL);
	free(text);
	const char *url = json_string_value(json_object_get(o, "url"));
	const char *body = json_string_value(json_object_get(o, "body"));
	if (url && body) {
		ret->url = strdup(url);
		ret->body = strdup(body);
		ret->len = strlen(body);
		take_text(o, "etag", ret->validators.etag, sizeof(ret->validators.etag));
		take_text(o, "last-modified", ret->validators.modified,
			sizeof(ret->validators.modified));
	}
	json_decref(o);
	if (!ret->url || !ret->body)
		fetch_cached_free(ret);
}

static int make_dir(const char *dir)
{
	struct stat st;
	char *copy;

	if (mkdir(dir, 0700) < 0) {
		if (errno != EEXIST)
			return -errno;
		/* Not through a link that somebody has put there. */
		return lstat(dir, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	}
	if ((copy = strdup(dir)) != NULL) {
		char *slash = strrchr(copy, '/'); /* fetch_cache_dir() has put one there */
		*slash = '\0';
		registry_file_own(copy[0] ? copy : "/", slash + 1);
	}
	free(copy);
	return 0;
}

static int write_file(const char *dir, const char *name, const char *text, size_t len)
{
	int r = make_dir(dir);

	if (r == 0)
		r = statefile_write(dir, name, text, len);
	if (r == 0)
		registry_file_own(dir, name);
	return r;
}

int fetch_cache_put(const char *dir, const char *name, const struct fetch_cached *c)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s%}", "url", c->url, "etag", c->validators.etag,
		"last-modified", c->validators.modified, "body", c->body, c->len);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (!text)
		return -EINVAL;
	int r = write_file(dir, name, text, strlen(text));
	free(text);
	return r;
}

void fetch_cached_free(struct fetch_cached *c)
{
	free(c->url);
	free(c->body);
	*c = (struct fetch_cached){0};
}

bool fetch_cache_is_due(const char *dir)
{
	char *text;
	size_t len;

	if (statefile_read(dir, DUE, 64, &text, &len) < 0)
		return false;
	free(text);
	return true;
}

int fetch_cache_set_due(const char *dir, bool due)
{
	if (!due)
		return statefile_remove(dir, DUE);
	return write_file(dir, DUE, "\n", 1);
}
