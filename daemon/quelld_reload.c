/* A reload: check everything, then change everything.
 *
 *   quell reload, SIGHUP -> [quelld_reload] -> config/diff -> transport, policy, speaker, LANs, log
 *
 * What can fail comes first: reading the file and the passwords (by the user that quelld runs as), what only a restart
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
#include "daemon/loop.h"
#include "daemon/quelld.h"
#include "daemon/quelld_lans.h"
#include "daemon/quelld_neighbors.h"
#include "daemon/quelld_policy.h"
#include "daemon/reload_show.h"
#include "daemon/transport.h"
#include "lib/log.h"

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

static int read_file(const struct quelld *q, struct config **ret, char err[CONFIG_ERROR_MAX])
{
	struct config *c;

	int rc = config_load(q->config->file, &c, err);
	if (rc < 0) {
		say_who_reads(err);
		return rc;
	}
	if (!c->has_bgp) {
		snprintf(err, CONFIG_ERROR_MAX, "%s: no bgp section: nothing to do for quelld",
			c->file);
		config_free(c);
		return -EINVAL;
	}
	*ret = c;
	return 0;
}

/* 0 and the sockets prepared; otherwise why not, in a line. */
static int prepare(
	struct quelld *q, const struct config_diff *d, const struct config *is, char *err)
{
	char why[TRANSPORT_ERROR_MAX];

	if (config_diff_worst(d, false) >= CONFIG_RESTART) {
		snprintf(err, CONFIG_ERROR_MAX,
			"%s: a change needs quelld to be restarted: nothing was "
			"changed",
			is->file);
		return -EBUSY;
	}
	int rc = transport_prepare(q->transport, is, why);
	if (rc < 0)
		snprintf(err, CONFIG_ERROR_MAX, "%s: bgp: %s: nothing was changed", is->file, why);
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

static void apply(struct quelld *q, const struct config_diff *d, struct config *is)
{
	struct speaker_config sc = {.cluster_id = is->cluster_id,
		.router_id = is->router_id,
		.hold_sec = (uint16_t)is->hold_time,
		.restart_sec = is->restart_time,
		.defer_sec = is->defer_time};
	struct config *was = q->config;

	transport_commit(q->transport, is);
	quelld_lans_set(q->lans, is);
	bool recheck = quelld_policy_set(q->policy, is); /* it asks the LANs */
	speaker_change(q->speaker, &sc, loop_now_ms());
	set_neighbors(q, d, is);
	if (recheck)
		speaker_recheck(q->speaker, NULL, loop_now_ms());
	bmp_client_apply(q->bmp, is);
	set_log(q, is);
	q->config = is;
	config_free(was);
}

/* --- both --- */

json_t *quelld_reload(struct quelld *q, bool dry_run)
{
	char err[CONFIG_ERROR_MAX] = "";
	struct config_diff d;
	struct config *is;

	if (q->stopping)
		return reload_refused("quelld is stopping: nothing was changed", NULL);
	if (read_file(q, &is, err) < 0)
		return reload_refused(err, NULL);
	config_diff(q->config, is, &d);
	need_feed(q, &d);
	json_t *changes = reload_changes(&d, false), *answer;
	if (prepare(q, &d, is, err) < 0) {
		answer = reload_refused(err, changes);
		config_free(is);
	} else if (dry_run) {
		transport_cancel(q->transport, is);
		answer = json_pack("{s:o, s:b}", "changes", changes, "applied", 0);
		config_free(is);
	} else {
		log_notice(LOG_CONFIG, "reload of %s: %zu changes", is->file,
			json_array_size(changes));
		reload_log(&d, false);
		apply(q, &d, is);
		answer = json_pack("{s:o, s:b}", "changes", changes, "applied", 1);
	}
	config_diff_free(&d);
	return answer;
}
