/* `quell registry fetch`: for each LAN the documents, the join, the replacement (cli/registry_put.c). Whatever fails, the file in force
 * stays; the other LANs go on. */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fetch.h"
#include "cli/fetch_cache.h"
#include "cli/registry.h"
#include "cli/registry_file.h"
#include "cli/registry_put.h"
#include "cli/reload.h"
#include "cli/value.h"

#define HEAD_MAX 1536

/* The same as long as the same is asked for: the text of the file says whether anything changed. */
static void head_of(const struct config_lan *lan, char buf[HEAD_MAX])
{
	const struct config_fetch *f = &lan->fetch;

	snprintf(buf, HEAD_MAX,
		"%sfetch: what is changed here is lost with the next one.\nLAN %s, from %s",
		&REGISTRY_MARK[2], lan->name, f->url);
}

static int fetch_and_put(const struct config_lan *lan, const char *cache,
	const struct registry_options *o, json_t *told)
{
	char line[FETCH_ERROR_MAX], head[HEAD_MAX];
	json_t *documents = json_array();
	struct put_options put = {.lan = lan,
		.into = config_fetch_into(lan),
		.head = head,
		.max_removed = lan->fetch.max_removed,
		.force = o->force,
		.dry_run = o->dry_run};
	struct fetched *f;
	size_t count;

	head_of(lan, head);
	json_object_set_new(told, "documents", documents);
	if (fetch_documents(lan, cache, documents, &f, line) < 0) {
		put_fail(told, "failed", "%s", line);
		return 1;
	}
	const struct registry_file *files = fetched_files(f, &count);
	int r = registry_put(files, count, &put, told);
	bool joined = json_object_get(told, "members") != NULL;
	/* Of no effect on what is in force: it is only got again. */
	if (joined && !o->dry_run && fetched_keep(f, cache) < 0)
		json_object_set_new(told, "cache", json_string("cannot be written"));
	fetched_free(f);
	return r;
}

static int fetch_lan(const struct config_lan *lan, const struct registry_options *o, json_t *told)
{
	const char *into = config_fetch_into(lan);
	char *cache = fetch_cache_dir(into);
	int saved = errno, lock = o->dry_run ? 0 : registry_file_lock(into), r = 1;

	json_object_set_new(told, "lan", json_string(lan->name));
	json_object_set_new(told, "file", json_string(into));
	if (!cache)
		put_fail(told, "failed", "%s: %s", into, strerror(saved));
	else if (lock == -EWOULDBLOCK)
		put_fail(told, "failed", "somebody else is at it: %s.lock is held", into);
	else if (lock < 0)
		put_fail(told, "failed", "%s.lock: %s", into, strerror(-lock));
	else
		r = fetch_and_put(lan, cache, o, told);
	if (r == 0 && value_true(told, "written"))
		fetch_cache_set_due(cache, true);
	if (lock > 0)
		close(lock);
	free(cache);
	return r;
}

/* --- taking it over --- */

static bool is_due(const struct config_lan *lan)
{
	char *cache = fetch_cache_dir(config_fetch_into(lan));
	bool due = cache && fetch_cache_is_due(cache);

	free(cache);
	return due;
}

static void set_done(const struct config_lan *lan)
{
	char *cache = fetch_cache_dir(config_fetch_into(lan));

	if (cache)
		fetch_cache_set_due(cache, false);
	free(cache);
}

static bool is_meant(const struct config_lan *lan, const char *name)
{
	return lan->fetch.url && (!name || strcmp(lan->name, name) == 0);
}

/* What was written and not taken over yet, now or an earlier time. */
static bool any_due(const struct config *c, const struct registry_options *o)
{
	bool due = false;

	for (uint32_t i = 0; i < c->lan_count; i++)
		due |= is_meant(&c->lans[i], o->lan) && is_due(&c->lans[i]);
	return due;
}

static int reload_due(const struct config *c, const struct registry_options *o)
{
	struct reload_options ro = {.dir = o->dir ? o->dir : c->run_dir};
	int r = reload(&ro, o->json ? stderr : stdout, stderr);

	for (uint32_t i = 0; i < c->lan_count && r == 0; i++)
		if (c->lans[i].fetch.url)
			set_done(&c->lans[i]);
	return r;
}

/* --- the command --- */

static int nothing_to_fetch(const struct config *c, const struct registry_options *o)
{
	for (uint32_t i = 0; i < c->lan_count && o->lan; i++)
		if (strcmp(c->lans[i].name, o->lan) == 0) {
			fprintf(stderr, "quell: %s: LAN %s has no fetch: nothing says where from\n",
				c->file, o->lan);
			return 1;
		}
	if (o->lan)
		fprintf(stderr, "quell: %s: no LAN %s\n", c->file, o->lan);
	else
		fprintf(stderr, "quell: %s: no LAN has fetch: nothing says where from\n", c->file);
	return 1;
}

int registry_do_reload(const struct registry_options *o)
{
	struct config *c = registry_config(o);

	if (!c)
		return 1;
	int r = 0;
	if (any_due(c, o))
		r = reload_due(c, o);
	else
		puts("nothing new to take over");
	config_free(c);
	return r;
}

int registry_do_fetch(const struct registry_options *o)
{
	struct config *c = registry_config(o);
	json_t *all = json_array();
	bool changed = false;
	int r = 0, fetched = 0;

	if (!c) {
		json_decref(all);
		return 1;
	}
	for (uint32_t i = 0; i < c->lan_count; i++) {
		if (!is_meant(&c->lans[i], o->lan))
			continue;
		json_t *told = json_object();
		r |= fetch_lan(&c->lans[i], o, told);
		changed |= registry_is(told, "result", "changed");
		if (!o->json)
			put_print(told, stdout, stderr);
		json_array_append_new(all, told);
		fetched++;
	}
	if (!fetched)
		r = nothing_to_fetch(c, o);
	else if (o->json)
		registry_dump(json_pack("{s:O}", "lans", all));
	if (o->reload && any_due(c, o))
		r |= reload_due(c, o);
	else if (changed && !o->json && !o->dry_run && !o->reload)
		puts("quell reload has the daemons take it over");
	json_decref(all);
	config_free(c);
	return r;
}
