#include "daemon/registries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/text.h"
#include "registry/diff.h"

#define LINE 800
#define LOG_LINES 100

int registries_load(const struct config *c, bool (*wanted)(const struct config_lan *lan), struct registries *ret,
	char err[REGISTRY_ERROR_MAX])
{
	struct registries all = {calloc(c->lan_count + 1, sizeof(struct registry *)), c->lan_count};
	int r = 0;

	if (!all.of)
		abort();
	for (uint32_t i = 0; i < c->lan_count && r == 0; i++) {
		const struct config_lan *l = &c->lans[i];
		struct registry_lan lan = {.prefixes = l->prefixes, .prefix_count = l->prefix_count, .vlan = l->vlan};
		if (l->registry_count && wanted(l))
			r = registry_load((const char *const *)l->registry, l->registry_count, &lan, &all.of[i], err);
	}
	if (r < 0)
		registries_free(&all);
	else
		*ret = all;
	return r;
}

void registries_free(struct registries *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		registry_free(r->of[i]);
	free(r->of);
	*r = (struct registries){0};
}

struct registry *registries_take(struct registries *r, uint32_t lan)
{
	struct registry *taken = lan < r->count ? r->of[lan] : NULL;

	if (taken)
		r->of[lan] = NULL;
	return taken;
}

void registries_log_errors(const char *err)
{
	while (*err) {
		size_t len = strcspn(err, "\n");
		log_error(LOG_REGISTRY, "%.*s", (int)len, err);
		err += len + (err[len] != '\0');
	}
}

/* --- what has changed --- */

struct teller {
	json_t *changes;
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
	json_array_append_new(t->changes, o);
}

size_t registries_changes(
	const char *lan, const struct registry *was, const struct registry *is, json_t *changes)
{
	struct teller t = {changes, lan};

	return registry_diff(was, is, add_change, &t);
}

void registries_log_changes(const json_t *changes, size_t count)
{
	size_t all = json_array_size(changes), from = all - count;

	for (size_t i = from; i < all && i < from + LOG_LINES; i++) {
		const json_t *o = json_array_get(changes, i);
		const char *op = json_string_value(json_object_get(o, "op"));
		log_notice(LOG_CONFIG, "%c %s", *op == 'a' ? '+' : *op == 'r' ? '-' : '~',
			json_string_value(json_object_get(o, "text")));
	}
	if (count > LOG_LINES)
		log_notice(LOG_CONFIG, "and %zu changes of registries more", count - LOG_LINES);
}
