/* quelld: the BGP speaker of a route server or of a PE. This file is its life: check, bind, drop, serve, end.
 *
 *   check   the whole configuration and the registries, before anything else; a bad one changes nothing
 *   bind    the lock, the BGP port, the control socket and the feed; the passwords are read already
 *   drop    another user, no capabilities, a system call filter, no way back
 *   serve   the loop; transport drives the speaker, quelld_lans the peering LANs, bmp_client the
 *           monitoring stations
 *   end     SIGTERM, SIGINT: the feed closes first, so that the agent keeps what it has; then Cease 6/2 to
 *           all peers, and at most STOP_MS for the bytes to leave
 */
#include <config.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "bgp/rtc.h"
#include "bgp/speaker.h"
#include "config/config.h"
#include "daemon/bmp_client.h"
#include "daemon/control_quelld.h"
#include "daemon/http_quelld.h"
#include "daemon/loop.h"
#include "daemon/notify.h"
#include "daemon/quelld.h"
#include "daemon/quelld_lans.h"
#include "daemon/quelld_neighbors.h"
#include "daemon/quelld_policy.h"
#include "daemon/quelld_registry.h"
#include "daemon/quelld_reload.h"
#include "daemon/seccomp_quelld.h"
#include "daemon/transport.h"
#include "evpn/family.h"
#include "lib/log.h"

#define DEFAULT_USER "quell"
#define STOP_MS 2000
#define PATH_LEN 256

/* --- check --- */

static int check(const struct cmdline *l, struct config **ret, struct registries *ret_registries)
{
	char err[REGISTRY_ERROR_MAX] = "";
	struct config *c;

	if (cmdline_config(l, &c) < 0)
		return -EINVAL;
	if (!c->has_bgp) {
		log_error(LOG_CONFIG, "%s: no bgp section: nothing to do for quelld", c->file);
		config_free(c);
		return -EINVAL;
	}
	int rc = registries_load(c, quelld_registry_wanted, ret_registries, err);
	if (rc < 0) {
		registries_log_errors(err);
		config_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

/* --- bind --- */

/* As whom to run, and who may be the agent. */
static int find_users(struct quelld *q)
{
	const struct config *c = q->config;
	const char *user = c->user;
	struct priv_user feed;
	char err[PRIV_ERROR_MAX];

	/* Without a word in the file, the user that the package makes, where there is one. */
	if (!user && geteuid() == 0) {
		if (getpwnam(DEFAULT_USER))
			user = DEFAULT_USER;
		else
			log_warning(LOG_MAIN, "no user " DEFAULT_USER
					      " here: staying root, without capabilities");
	}
	if (priv_find_user(user, c->group, &q->user, err) < 0 ||
		priv_find_user(c->feed_user, NULL, &feed, err) < 0) {
		log_error(LOG_MAIN, "%s: %s", c->file, err);
		return -ENOENT;
	}
	q->feed_user = feed.set ? feed.uid : q->user.set ? q->user.uid : geteuid();
	return 0;
}

static int make_run_dir(const struct quelld *q)
{
	const char *dir = q->config->run_dir;

	if (mkdir(dir, 0755) == 0) {
		if (q->user.set && chown(dir, q->user.uid, q->user.gid) < 0)
			log_warning(LOG_MAIN, "%s: %s", dir, strerror(errno));
	} else if (errno != EEXIST) {
		int err = errno;
		log_error(LOG_MAIN, "%s: %s", dir, strerror(err));
		return -err;
	}
	return 0;
}

static int take_lock(struct quelld *q)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/quelld.pid", q->config->run_dir);
	int rc = pidlock_take(&q->lock, path);
	if (rc == -EWOULDBLOCK)
		log_error(LOG_MAIN, "%s: another quelld is running", path);
	else if (rc < 0)
		log_error(LOG_MAIN, "%s: %s", path, strerror(-rc));
	return rc;
}

static struct speaker *make_speaker(const struct config *c)
{
	static const struct bgp_family *const families[] = {&evpn_family, &rtc_family};
	struct speaker_config sc = {.as = c->as,
		.router_id = c->router_id,
		.cluster_id = c->cluster_id,
		.families = families,
		.family_count = sizeof(families) / sizeof(families[0]),
		.hold_sec = (uint16_t)c->hold_time,
		.restart_sec = c->restart_time,
		.defer_sec = c->defer_time,
		.wait_local = quelld_lans_want_feed(c)};

	return speaker_new(&sc, loop_now_ms());
}

static int open_sockets(struct quelld *q)
{
	char path[PATH_LEN], err[TRANSPORT_ERROR_MAX > HTTP_ERROR_MAX ? TRANSPORT_ERROR_MAX : HTTP_ERROR_MAX];
	int rc = transport_new(q->loop, q->config, &q->transport, err);

	if (rc < 0) {
		log_error(LOG_MAIN, "%s", err);
		return rc;
	}
	q->speaker = make_speaker(q->config);
	if (!q->speaker)
		abort();
	q->bmp = bmp_client_new(q->loop, q->speaker);
	bmp_client_apply(q->bmp, q->config);
	rc = quelld_lans_new(q->loop, q->config, q->speaker, q->feed_user, &q->lans);
	if (rc < 0) {
		log_error(LOG_MAIN, "%s/feed.sock: %s", q->config->run_dir, strerror(-rc));
		return rc;
	}
	q->policy = quelld_policy_new(q->speaker, quelld_lans_table(q->lans), q->config, &q->registries);
	q->started_ms = loop_now_ms();
	snprintf(path, sizeof(path), "%s/quelld.sock", q->config->run_dir);
	rc = control_quelld_new(q, path, &q->control);
	if (rc < 0) {
		log_error(LOG_MAIN, "%s: %s", path, strerror(-rc));
		return rc;
	}
	/* For the group's operators, and so that the file can go when we do. */
	if (q->user.set && chown(path, q->user.uid, q->user.gid) < 0)
		log_warning(LOG_MAIN, "%s: %s", path, strerror(errno));
	rc = http_quelld_new(q, err);
	if (rc < 0)
		log_error(LOG_MAIN, "%s", err);
	return rc;
}

/* --- serve and end --- */

static void on_stop(void *arg, int signo)
{
	struct quelld *q = arg;

	log_notice(LOG_MAIN, "%s: stopping", signo == SIGTERM ? "SIGTERM" : "SIGINT");
	loop_stop(q->loop);
}

static void on_hangup(void *arg, int signo)
{
	(void)signo;
	json_decref(quelld_reload(arg, false));
}

static void say_goodbye(struct quelld *q)
{
	uint64_t until = loop_now_ms() + STOP_MS;
	struct transport_stats s;

	q->stopping = true;
	notify_stopping(q->notify);
	quelld_lans_detach(q->lans);
	transport_stop_listening(q->transport);
	speaker_shutdown(q->speaker, "quelld is stopping", loop_now_ms());
	/* Its stations hear of that, and then that there will be nothing more to hear. */
	bmp_client_stop(q->bmp);
	do {
		loop_once(q->loop, 50);
		transport_stats(q->transport, &s);
	} while ((s.open || bmp_client_open(q->bmp)) && loop_now_ms() < until);
	if (s.open)
		log_warning(LOG_MAIN, "%u connections did not close in time", s.open);
}

static int serve(struct quelld *q)
{
	char err[PRIV_ERROR_MAX], status[96];

	loop_on_signal(q->loop, SIGTERM, on_stop, q);
	loop_on_signal(q->loop, SIGINT, on_stop, q);
	loop_on_signal(q->loop, SIGHUP, on_hangup, q);
	/* jansson's own seed would come from a file that can no longer be opened. */
	json_object_seed(0);
	q->notify = notify_new(q->loop);
	if (priv_drop(&q->user, 0, err) < 0) {
		log_error(LOG_MAIN, "%s", err);
		return EXIT_FAILURE;
	}
	transport_start_sender(q->transport);
	int rc = seccomp_quelld();
	if (rc < 0)
		log_warning(LOG_MAIN, "running without a system call filter: %s", strerror(-rc));
	if (quelld_neighbors_add(q) < 0)
		return EXIT_FAILURE;
	transport_start(q->transport, q->speaker);
	bmp_client_start(q->bmp);
	snprintf(status, sizeof(status), "AS %u, %u neighbors, %u LANs", q->config->as,
		q->config->neighbor_count, q->config->lan_count);
	log_notice(LOG_MAIN, "quelld " PACKAGE_VERSION " is up: %s", status);
	notify_ready(q->notify, status);
	loop_run(q->loop);
	say_goodbye(q);
	return EXIT_SUCCESS;
}

static void release(struct quelld *q)
{
	http_free(q->http);
	control_quelld_free(q->control);
	if (q->lans)
		quelld_lans_detach(q->lans);
	transport_free(q->transport);
	bmp_client_free(q->bmp);
	if (q->speaker)
		speaker_free(q->speaker);
	quelld_policy_free(q->policy);
	quelld_lans_free(q->lans);
	notify_free(q->notify);
	loop_free(q->loop);
	pidlock_drop(&q->lock);
	registries_free(&q->registries);
	config_free(q->config);
}

int main(int argc, char **argv)
{
	struct quelld q = {.lock = {-1}};
	static const struct cmdline_program program = {"quelld", "", false};
	int status = cmdline_read(&program, argc, argv, &q.cmdline);

	if (status >= 0)
		return status;
	status = EXIT_FAILURE;
	if (check(&q.cmdline, &q.config, &q.registries) < 0)
		return status;
	if (q.cmdline.check) {
		printf("%s: ok\n", q.cmdline.config);
		registries_free(&q.registries);
		config_free(q.config);
		return EXIT_SUCCESS;
	}
	q.loop = loop_new();
	priv_limits();
	cmdline_log(&q.cmdline, q.config);
	if (find_users(&q) == 0 && make_run_dir(&q) == 0 && take_lock(&q) == 0 &&
		open_sockets(&q) == 0)
		status = serve(&q);
	release(&q);
	return status;
}
