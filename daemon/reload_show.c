#include "daemon/reload_show.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/text.h"

#define LOG_LINES 100
#define LINE 800

static enum config_effect effect_of(const struct config_change *c, bool agent)
{
	return agent ? c->agent : c->quelld;
}

/* "neighbor 10.99.0.2 max-routes 20000 -> 30000" */
static void text_of(const struct config_change *c, char *buf, size_t cap)
{
	const char *part = config_part_name(c->part);
	size_t len =
		(size_t)snprintf(buf, cap, "%s%s%s", part, *part && *c->name ? " " : "", c->name);

	if (c->field)
		snprintf(buf + len, cap - len, "%s%s %s -> %s", len ? " " : "", c->field->key,
			c->from, c->to);
	else if (c->to && *c->to)
		snprintf(buf + len, cap - len, " %s", c->to);
}

static void set_text(json_t *o, const char *key, const char *text)
{
	if (text)
		json_object_set_new(o, key, json_string(text));
}

json_t *reload_changes(const struct config_diff *d, bool agent)
{
	static const char *const ops[] = {
		[CONFIG_CHANGED] = "change", [CONFIG_ADDED] = "add", [CONFIG_REMOVED] = "remove"};
	json_t *list = json_array();
	char line[LINE];

	for (size_t i = 0; i < d->count; i++) {
		const struct config_change *c = &d->changes[i];
		enum config_effect e = effect_of(c, agent);
		if (e == CONFIG_NOTHING)
			continue;
		json_t *o = json_object();
		text_of(c, line, sizeof(line));
		set_text(o, "op", ops[c->op]);
		set_text(o, "part", config_part_name(c->part));
		set_text(o, "name", c->name);
		set_text(o, "key", c->field ? c->field->key : NULL);
		set_text(o, "from", c->from);
		set_text(o, "to", c->to);
		set_text(o, "effect", config_effect_text(c->part, e));
		set_text(o, "text", line);
		json_array_append_new(list, o);
	}
	return list;
}

void reload_log(const struct config_diff *d, bool agent)
{
	static const char ops[] = {
		[CONFIG_CHANGED] = '~', [CONFIG_ADDED] = '+', [CONFIG_REMOVED] = '-'};
	char line[LINE], safe[LINE];
	unsigned lines = 0;

	for (size_t i = 0; i < d->count; i++) {
		const struct config_change *c = &d->changes[i];
		enum config_effect e = effect_of(c, agent);
		if (e == CONFIG_NOTHING)
			continue;
		if (lines++ >= LOG_LINES)
			continue;
		text_of(c, line, sizeof(line));
		log_notice(LOG_CONFIG, "%c %s (%s)", ops[c->op],
			text_escape(safe, sizeof(safe), line, strlen(line)),
			config_effect_text(c->part, e));
	}
	if (lines > LOG_LINES)
		log_notice(LOG_CONFIG, "and %u changes more", lines - LOG_LINES);
}

json_t *reload_refused(const char *text, json_t *changes)
{
	json_t *lines = json_array();

	while (*text) {
		size_t len = strcspn(text, "\n");
		log_error(LOG_CONFIG, "reload: %.*s", (int)len, text);
		json_array_append_new(lines, json_stringn(text, len));
		text += len + (text[len] != '\0');
	}
	return json_pack("{s:o, s:b, s:o}", "changes", changes ? changes : json_array(), "applied",
		0, "errors", lines);
}

bool reload_request(const json_t *request, bool *ret_dry_run)
{
	const json_t *dry_run = json_object_get(request, "dry_run");

	if ((dry_run && !json_is_boolean(dry_run)) ||
		json_object_size(request) != (dry_run ? 2 : 1))
		return false;
	*ret_dry_run = json_is_true(dry_run);
	return true;
}
