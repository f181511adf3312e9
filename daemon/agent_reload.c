/* quell-agent's part of a reload: the configuration and the registries are read again and checked as a whole, and what has
 * changed is taken in place: what ports do with frames, which ports there are, who is registered where, what the books and the
 * sponge go by. Only what the box was set up with takes a restart, which interrupts nothing either, since the data plane goes on.
 *
 * As in quelld, with a change that needs a restart nothing of it is taken. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/diff.h"
#include "daemon/agent.h"
#include "daemon/cmdline.h"
#include "daemon/reload_show.h"
#include "lib/log.h"
#include "lib/text.h"
#include "registry/diff.h"

#define LINE 800
#define LOG_LINES 100

/* What is read anew, before anything is taken of it. */
struct news {
	struct config *config;
	struct registry **registries; /* one a LAN of config; NULL: it has none */
	uint32_t registry_count;
	struct config_diff diff;
	json_t *changes;
	size_t registry_changes;
};

static const struct config_lan *lan_of(const struct config *c, const char *name)
{
	for (uint32_t i = 0; i < c->lan_count; i++)
		if (strcmp(c->lans[i].name, name) == 0)
			return &c->lans[i];
	return NULL;
}

/* --- read --- */

static int read_news(const struct agent *a, struct news *n, char err[CONFIG_ERROR_MAX])
{
	int r = config_load(a->config->file, &n->config, err);

	if (r < 0)
		return r;
	n->registries = calloc(n->config->lan_count + 1, sizeof(struct registry *));
	if (!n->registries)
		abort();
	n->registry_count = n->config->lan_count;
	for (uint32_t i = 0; i < n->config->lan_count && r == 0; i++) {
		const struct config_lan *c = &n->config->lans[i];
		if (c->agent && c->registry_count)
			r = registry_load((const char *const *)c->registry, c->registry_count,
				&(struct registry_lan){.prefixes = c->prefixes, .prefix_count = c->prefix_count},
				&n->registries[i], err);
	}
	return r;
}

static void free_news(struct news *n)
{
	for (uint32_t i = 0; i < n->registry_count; i++)
		registry_free(n->registries[i]);
	free(n->registries);
	config_free(n->config);
	config_diff_free(&n->diff);
	json_decref(n->changes);
}

/* --- what has changed --- */

struct teller {
	struct news *news;
	const char *lan;
};

static void add_change(void *arg, const struct registry_change *c)
{
	static const char *const ops[] = {[REGISTRY_CHANGED] = "change",
		[REGISTRY_ADDED] = "add",
		[REGISTRY_REMOVED] = "remove"};
	struct teller *t = arg;
	char line[LINE], from[LINE], to[LINE];
	json_t *o = json_object();

	/* A member's name is whatever the registry has for it. */
	text_escape(from, sizeof(from), c->from ? c->from : "", c->from ? strlen(c->from) : 0);
	text_escape(to, sizeof(to), c->to ? c->to : "", c->to ? strlen(c->to) : 0);
	int len = snprintf(line, sizeof(line), "registry %s %s%s%s", t->lan, c->name, c->key ? " " : "",
		c->key ? c->key : "");
	if (c->from)
		snprintf(line + len, sizeof(line) - (size_t)len, " %s -> %s", from, to);
	else if (c->to)
		snprintf(line + len, sizeof(line) - (size_t)len, " %s", to);
	json_object_set_new(o, "op", json_string(ops[c->op]));
	json_object_set_new(o, "part", json_string("registry"));
	json_object_set_new(o, "name", json_sprintf("%s %s", t->lan, c->name));
	if (c->key)
		json_object_set_new(o, "key", json_string(c->key));
	if (c->from)
		json_object_set_new(o, "from", json_string(from));
	if (c->to)
		json_object_set_new(o, "to", json_string(to));
	json_object_set_new(o, "effect", json_string("in place"));
	json_object_set_new(o, "text", json_string(line));
	json_array_append_new(t->news->changes, o);
}

static void find_changes(const struct agent *a, struct news *n)
{
	config_diff(a->config, n->config, &n->diff);
	n->changes = reload_changes(&n->diff, true);
	for (uint32_t i = 0; i < a->lan_count; i++) {
		const struct config_lan *is = lan_of(n->config, a->lans[i].c->name);
		struct teller t = {n, a->lans[i].c->name};
		if (is && is->agent)
			n->registry_changes += registry_diff(a->lans[i].registry,
				n->registries[is - n->config->lans], add_change, &t);
	}
}

static void log_changes(const struct news *n)
{
	size_t all = json_array_size(n->changes), from = all - n->registry_changes;

	log_notice(LOG_CONFIG, "reload of %s: %zu changes", n->config->file, all);
	reload_log(&n->diff, true);
	for (size_t i = from; i < all && i < from + LOG_LINES; i++) {
		const json_t *o = json_array_get(n->changes, i);
		const char *op = json_string_value(json_object_get(o, "op"));
		log_notice(LOG_CONFIG, "%c %s", *op == 'a' ? '+' : *op == 'r' ? '-' : '~',
			json_string_value(json_object_get(o, "text")));
	}
	if (n->registry_changes > LOG_LINES)
		log_notice(LOG_CONFIG, "and %zu changes of registries more", n->registry_changes - LOG_LINES);
}

/* --- taking it --- */

static void apply_lan(struct agent_lan *lan, const struct config_lan *c, struct registry *registry)
{
	struct registry *was = lan->registry;

	lan->c = c;
	lan->registry = registry;
	agent_books_configure(lan);
	agent_lan_ports(lan);
	bindings_configured(lan->books);
	agent_sponge_configure(lan);
	registry_free(was);
}

static void apply(struct agent *a, struct news *n)
{
	struct config *was = a->config;

	log_changes(n);
	agent_vtep_own(a, n->config, was);
	a->config = n->config;
	for (uint32_t i = 0; i < a->lan_count; i++) {
		/* There is one: a LAN that goes needs a restart. */
		const struct config_lan *c = lan_of(n->config, a->lans[i].c->name);
		struct registry **registry = &n->registries[c - n->config->lans];
		apply_lan(&a->lans[i], c, *registry);
		*registry = NULL;
	}
	agent_underlays_set(a);
	log_set_all(LOG_LEVEL_INFO);
	cmdline_log(a->cmdline, a->config);
	n->config = was; /* to be freed */
}

json_t *agent_reload(struct agent *a, bool dry_run)
{
	char err[CONFIG_ERROR_MAX > REGISTRY_ERROR_MAX ? CONFIG_ERROR_MAX : REGISTRY_ERROR_MAX] = "";
	struct news n = {0};
	json_t *answer;

	if (read_news(a, &n, err) < 0) {
		answer = reload_refused(err, NULL);
		free_news(&n);
		return answer;
	}
	find_changes(a, &n);
	if (config_diff_worst(&n.diff, true) >= CONFIG_RESTART) {
		snprintf(err, sizeof(err),
			"%s: a change needs quell-agent to be restarted, which interrupts nothing: "
			"nothing was changed",
			n.config->file);
		answer = reload_refused(err, json_incref(n.changes));
	} else {
		bool any = json_array_size(n.changes) > 0;
		if (!dry_run && any)
			apply(a, &n);
		answer = json_pack("{s:O, s:b}", "changes", n.changes, "applied", !dry_run);
	}
	free_news(&n);
	return answer;
}
