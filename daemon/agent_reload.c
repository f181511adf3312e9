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
#include "daemon/http.h"
#include "daemon/registries.h"
#include "daemon/reload_show.h"
#include "lib/log.h"

/* What is read anew, before anything is taken of it. */
struct news {
	struct config *config;
	struct registries registries;
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

static int read_news(const struct agent *a, struct news *n, char *err)
{
	int r = config_load(a->config->file, &n->config, err);

	return r < 0 ? r : registries_load(n->config, agent_lan_wants_registry, &n->registries, err);
}

static void free_news(struct news *n)
{
	registries_free(&n->registries);
	config_free(n->config);
	config_diff_free(&n->diff);
	json_decref(n->changes);
}

/* --- what has changed --- */

static void find_changes(const struct agent *a, struct news *n)
{
	config_diff(a->config, n->config, &n->diff);
	n->changes = reload_changes(&n->diff, true);
	for (uint32_t i = 0; i < a->lan_count; i++) {
		const struct config_lan *is = lan_of(n->config, a->lans[i].c->name);
		if (is && is->agent)
			n->registry_changes += registries_changes(a->lans[i].c->name, a->lans[i].registry,
				n->registries.of[is - n->config->lans], n->changes);
	}
}

static void log_changes(const struct news *n)
{
	log_notice(LOG_CONFIG, "reload of %s: %zu changes", n->config->file, json_array_size(n->changes));
	reload_log(&n->diff, true);
	registries_log_changes(n->changes, n->registry_changes);
}

/* --- taking it --- */

static void apply_lan(struct agent_lan *lan, const struct config_lan *c, struct registry *registry)
{
	struct registry *was = lan->registry;

	lan->c = c;
	lan->registry = registry;
	agent_former_set(lan, was);
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
	http_commit(a->http, &a->config->http.agent, &a->config->http);
	for (uint32_t i = 0; i < a->lan_count; i++) {
		/* There is one: a LAN that goes needs a restart. */
		const struct config_lan *c = lan_of(n->config, a->lans[i].c->name);
		apply_lan(&a->lans[i], c, registries_take(&n->registries, (uint32_t)(c - n->config->lans)));
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
