/* A reload: check everything, then change everything.
 *
 *   quell reload, SIGHUP -> [quelld_reload] -> config/diff -> transport, policy, speaker, LANs, log
 *
 * What can fail comes first: reading the file, the passwords and the registries (by the user that quelld runs as), what only a restart
 * can do, and the sockets. From then on nothing can, but for memory: what needed some and got none is logged, and the
 * rest is done.
 */
#include "daemon/quelld_reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bgp/speaker.h"
#include "config/diff.h"
#include "daemon/bmp_client.h"
#include "daemon/cmdline.h"
#include "daemon/http.h"
#include "daemon/loop.h"
#include "daemon/quelld.h"
#include "daemon/quelld_lans.h"
#include "daemon/quelld_neighbors.h"
#include "daemon/quelld_policy.h"
#include "daemon/quelld_registry.h"
#include "daemon/reload_show.h"
#include "daemon/transport.h"
#include "lib/log.h"

/* What is read anew, before anything is taken of it. */
struct news {
	struct config *config;
	struct registries registries;
	struct config_diff diff;
	json_t *changes; /* the answer's */
	size_t registry_changes;
	bool registry_moved; /* a LAN has one now, or none any more */
};

/* --- what can fail --- */

/* The feed's socket, and the wait for an agent, are made at the start only. */
static void need_feed(const struct quelld *q, struct config_diff *d)
{
	if (quelld_lans_feed(q->lans))
		return;
	for (size_t i = 0; i < d->count; i++) {
		struct config_change *c = &d->changes[i];
		if (c->part == CONFIG_AGENT && c->op == CONFIG_ADDED)
			c->quelld = CONFIG_RESTART;
	}
}

/* At the start root read them: what can be read no more is a surprise. */
static void say_who_reads(char err[CONFIG_ERROR_MAX])
{
	size_t len = strlen(err);

	if (strstr(err, strerror(EACCES)))
		snprintf(err + len, CONFIG_ERROR_MAX - len,
			"\nfiles are read as the user that quelld runs as; see quelld(8), Reload");
}

static int read_files(const struct quelld *q, struct news *ret, char err[CONFIG_ERROR_MAX])
{
	struct config *c;

	int rc = config_load(q->config->file, &c, err);
	if (rc < 0) {
		say_who_reads(err);
		return rc;
	}
	if (c->has_bgp) {
		rc = registries_load(c, quelld_registry_wanted, &ret->registries, err);
		if (rc < 0)
			say_who_reads(err);
	} else {
		snprintf(err, CONFIG_ERROR_MAX, "%s: no bgp section: nothing to do for quelld",
			c->file);
		rc = -EINVAL;
	}
	if (rc < 0)
		config_free(c);
	else
		ret->config = c;
	return rc;
}

static void free_news(struct news *n)
{
	registries_free(&n->registries);
	config_free(n->config);
	config_diff_free(&n->diff);
}

/* --- what has changed --- */

static const struct registry *registry_of(
	const struct config *c, const struct registries *r, const char *lan)
{
	for (uint32_t i = 0; i < c->lan_count; i++)
		if (strcmp(c->lans[i].name, lan) == 0)
			return r->of[i];
	return NULL;
}

/* Of LANs that stay: what comes or goes with its LAN, or as a whole, is said by the keys of the LAN. */
static void find_changes(const struct quelld *q, struct news *n)
{
	config_diff(q->config, n->config, &n->diff);
	need_feed(q, &n->diff);
	n->changes = reload_changes(&n->diff, false);
	for (uint32_t i = 0; i < n->config->lan_count; i++) {
		const char *lan = n->config->lans[i].name;
		const struct registry *was = registry_of(q->config, &q->registries, lan), *is = n->registries.of[i];
		if (was && is)
			n->registry_changes += registries_changes(lan, was, is, n->changes);
		else
			n->registry_moved |= was != is;
	}
}

/* 0 and the sockets prepared; otherwise why not, in a line. */
static int prepare(
	struct quelld *q, const struct config_diff *d, const struct config *is, char *err)
{
	char why[TRANSPORT_ERROR_MAX > HTTP_ERROR_MAX ? TRANSPORT_ERROR_MAX : HTTP_ERROR_MAX];

	if (config_diff_worst(d, false) >= CONFIG_RESTART) {
		snprintf(err, CONFIG_ERROR_MAX,
			"%s: a change needs quelld to be restarted: nothing was "
			"changed",
			is->file);
		return -EBUSY;
	}
	int rc = transport_prepare(q->transport, is, why);
	if (rc < 0) {
		snprintf(err, CONFIG_ERROR_MAX, "%s: bgp: %s: nothing was changed", is->file, why);
		return rc;
	}
	rc = http_prepare(q->http, &is->http.quelld, why);
	if (rc < 0) {
		transport_cancel(q->transport, is);
		snprintf(err, CONFIG_ERROR_MAX, "%s: %s: nothing was changed", is->file, why);
	}
	return rc;
}

/* --- what cannot --- */

static bool same_password(const struct config_neighbor *a, const struct config_neighbor *b)
{
	return !a->password == !b->password &&
	       (!a->password || strcmp(a->password, b->password) == 0);
}

static struct neighbor *neighbor_of(const struct quelld *q, const struct config_neighbor *n)
{
	return speaker_find_neighbor(q->speaker, n->address, n->address.family ? NULL : &n->prefix);
}

static void remove_neighbor(struct quelld *q, const struct config_neighbor *was)
{
	struct neighbor *n = neighbor_of(q, was);

	if (n)
		speaker_remove_neighbor(q->speaker, n, loop_now_ms());
}

static void set_neighbor(
	struct quelld *q, const struct config_neighbor *was, const struct config_neighbor *is)
{
	struct neighbor_config nc = quelld_neighbor_config(q, is);
	struct neighbor *n = neighbor_of(q, is);
	uint64_t now = loop_now_ms();
	int rc;

	if (!was || !n)
		rc = speaker_add_neighbor(q->speaker, &nc, now, NULL);
	else
		rc = speaker_change_neighbor(q->speaker, n, &nc, now);
	if (rc < 0)
		log_error(LOG_CONFIG, "%s: %s", is->name ? is->name : "a neighbor", strerror(-rc));
	/* Its packets would not be understood any more, nor ours. */
	if (was && !same_password(was, is) && rc < NEIGHBOR_RESET && (n = neighbor_of(q, is)))
		speaker_reset_neighbor(q->speaker, n, BGP_CEASE_CONFIG_CHANGE, NULL, false, now);
}

static void set_neighbors(struct quelld *q, const struct config_diff *d, const struct config *is)
{
	int done = -1;

	for (size_t i = 0; i < d->count; i++) {
		const struct config_change *c = &d->changes[i];
		if (c->part != CONFIG_NEIGHBOR)
			continue;
		if (c->op == CONFIG_REMOVED) {
			remove_neighbor(q, &q->config->neighbors[c->was]);
		} else if (c->is != done) {
			done = c->is;
			set_neighbor(q, c->was < 0 ? NULL : &q->config->neighbors[c->was],
				&is->neighbors[c->is]);
		}
	}
}

static void set_log(const struct quelld *q, const struct config *is)
{
	log_set_all(LOG_LEVEL_INFO);
	cmdline_log(&q->cmdline, is);
}

static void apply(struct quelld *q, struct news *n)
{
	struct config *is = n->config;
	struct speaker_config sc = {.cluster_id = is->cluster_id,
		.router_id = is->router_id,
		.hold_sec = (uint16_t)is->hold_time,
		.restart_sec = is->restart_time,
		.defer_sec = is->defer_time};
	struct config *was = q->config;
	struct registries old = q->registries;

	transport_commit(q->transport, is);
	http_commit(q->http, &is->http.quelld, &is->http);
	quelld_lans_set(q->lans, is);
	bool recheck = quelld_policy_set(q->policy, is, &n->registries); /* it asks the LANs */
	speaker_change(q->speaker, &sc, loop_now_ms());
	set_neighbors(q, &n->diff, is);
	if (recheck || n->registry_changes || n->registry_moved)
		speaker_recheck(q->speaker, NULL, loop_now_ms());
	bmp_client_apply(q->bmp, is);
	set_log(q, is);
	q->config = is;
	q->registries = n->registries;
	n->config = was; /* to be freed */
	n->registries = old;
}

/* --- both --- */

json_t *quelld_reload(struct quelld *q, bool dry_run)
{
	char err[CONFIG_ERROR_MAX] = "";
	struct news n = {0};
	json_t *answer;

	_Static_assert(CONFIG_ERROR_MAX >= REGISTRY_ERROR_MAX, "one buffer for both");
	if (q->stopping)
		return reload_refused("quelld is stopping: nothing was changed", NULL);
	if (read_files(q, &n, err) < 0)
		return reload_refused(err, NULL);
	find_changes(q, &n);
	if (prepare(q, &n.diff, n.config, err) < 0) {
		answer = reload_refused(err, n.changes);
	} else if (dry_run) {
		transport_cancel(q->transport, n.config);
		http_cancel(q->http);
		answer = json_pack("{s:o, s:b}", "changes", n.changes, "applied", 0);
	} else {
		log_notice(LOG_CONFIG, "reload of %s: %zu changes", n.config->file,
			json_array_size(n.changes));
		reload_log(&n.diff, false);
		registries_log_changes(n.changes, n.registry_changes);
		apply(q, &n);
		answer = json_pack("{s:o, s:b}", "changes", n.changes, "applied", 1);
	}
	free_news(&n);
	return answer;
}
