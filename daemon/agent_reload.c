/* quell-agent's part of a reload: what a port does with frames changes in place, in the data plane's map and in the
 * bridge's knobs; everything else takes a restart, which interrupts nothing, since the data plane goes on meanwhile.
 *
 * As in quelld the file is checked as a whole, and with a change that needs a restart nothing of it is taken. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/diff.h"
#include "daemon/agent.h"
#include "daemon/cmdline.h"
#include "daemon/reload_show.h"
#include "lib/log.h"
#include "proxyarp/linux/bridge.h"

static const struct config_lan *lan_of(const struct config *c, const char *name)
{
	for (uint32_t i = 0; i < c->lan_count; i++)
		if (strcmp(c->lans[i].name, name) == 0)
			return &c->lans[i];
	return NULL;
}

/* `lan`: index in the new configuration. */
static bool is_changed(const struct config_diff *d, int lan)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct config_change *c = &d->changes[i];
		if (c->is == lan && (c->part == CONFIG_AGENT || c->part == CONFIG_PORT))
			return true;
	}
	return false;
}

static void apply(struct agent *a, const struct config_diff *d, struct config *is)
{
	struct config *was = a->config;

	for (uint32_t i = 0; i < a->lan_count; i++) {
		struct agent_lan *lan = &a->lans[i];
		struct agent_port *p;
		/* There is one: a LAN that goes needs a restart. */
		lan->c = lan_of(is, lan->c->name);
		if (!is_changed(d, (int)(lan->c - is->lans)))
			continue;
		TAILQ_FOREACH (p, &lan->ports, link)
			agent_port_apply(p);
		agent_sponge_configure(lan);
	}
	log_set_all(LOG_LEVEL_INFO);
	cmdline_log(a->cmdline, is);
	a->config = is;
	config_free(was);
}

json_t *agent_reload(struct agent *a, bool dry_run)
{
	char err[CONFIG_ERROR_MAX] = "";
	struct config_diff d;
	struct config *is;
	json_t *answer, *changes;

	if (config_load(a->config->file, &is, err) < 0)
		return reload_refused(err, NULL);
	config_diff(a->config, is, &d);
	changes = reload_changes(&d, true);
	if (config_diff_worst(&d, true) >= CONFIG_RESTART) {
		snprintf(err, sizeof(err),
			"%s: a change needs quell-agent to be restarted, which interrupts nothing: "
			"nothing was changed",
			is->file);
		answer = reload_refused(err, changes);
		config_free(is);
	} else if (dry_run) {
		answer = json_pack("{s:o, s:b}", "changes", changes, "applied", 0);
		config_free(is);
	} else {
		log_notice(LOG_CONFIG, "reload of %s: %zu changes", is->file,
			json_array_size(changes));
		reload_log(&d, true);
		apply(a, &d, is);
		answer = json_pack("{s:o, s:b}", "changes", changes, "applied", 1);
	}
	config_diff_free(&d);
	return answer;
}
