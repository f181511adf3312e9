/* quell-agent: the data plane of a PE. This file is its life: check, find, open, drop, serve, leave.
 *
 *   check   the whole configuration and the registries, before anything else; a bad one changes nothing
 *   find    the lock, the links; a bridge that is not there ends it here
 *   open    the plane, adopted if one is found working; then the ports, and the sockets
 *   drop    all capabilities but those for netlink, raw sockets and BPF, and all system calls but those that these take
 *   serve   the loop
 *   leave   SIGTERM, SIGINT: the plane goes on answering without us; with --withdraw all that is ours is
 *           taken back first
 *
 * One turn of the loop: the kernel's links and FDB are read before the plane's events, so that a
 * port that has just come up is known to be up when its first frame is told of; what came of it all
 * goes out to the kernel at the end of the turn.
 */
#include <config.h>

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cap-ng.h>
#include <event2/event.h>
#include <jansson.h>

#include "daemon/agent.h"
#include "daemon/cmdline.h"
#include "daemon/http_agent.h"
#include "daemon/loop.h"
#include "daemon/notify.h"
#include "daemon/pidlock.h"
#include "daemon/priv.h"
#include "daemon/seccomp_agent.h"

#define AGENT_PATH_LEN 256
#define LINKS_WAIT_MS 10000
#define TICK_MS 1000
#define SLOTS_MIN 64

#if WITH_BPF
static const struct plane_ops *const agent_plane_bpf = &plane_bpf;
#else
static const struct plane_ops *const agent_plane_bpf = NULL;
#endif

struct life {
	struct agent a;
	struct cmdline o;
	struct registries registries;
	struct notify *notify;
	struct pidlock lock;
	struct event *nl_event, *plane_event;
	struct loop_turn turn;
	struct timer tick;
};

/* --- check --- */

static int check(struct life *l)
{
	if (cmdline_config(&l->o, &l->a.config) < 0)
		return -EINVAL;
	return agent_lans_check(l->a.config, &l->registries);
}

/* What the plane needs, said before anything is touched. */
static int check_rights(const struct agent *a)
{
	static const struct {
		unsigned cap;
		const char *name;
		bool bpf;
	} needs[] = {
		{CAP_NET_ADMIN, "CAP_NET_ADMIN", false},
		{CAP_NET_RAW, "CAP_NET_RAW", false},
		{CAP_BPF, "CAP_BPF", true},
		{CAP_PERFMON, "CAP_PERFMON", true},
	};
	bool bpf = a->ops == agent_plane_bpf;

	capng_get_caps_process();
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		/* Before Linux 5.8, and still, CAP_SYS_ADMIN is both of the last. */
		bool has = capng_have_capability(CAPNG_EFFECTIVE, needs[i].cap) ||
			   (needs[i].bpf && capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN));
		if (has || (needs[i].bpf && !bpf))
			continue;
		log_error(LOG_MAIN,
			"the %s plane needs %s (run as root, or with AmbientCapabilities)",
			a->ops->name, needs[i].name);
		return -EPERM;
	}
	return 0;
}

/* --- find and open --- */

static int take_lock(struct life *l)
{
	const char *dir = l->a.config->run_dir;
	char path[AGENT_PATH_LEN];

	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		int err = errno;
		log_error(LOG_MAIN, "%s: %s", dir, strerror(err));
		return -err;
	}
	snprintf(path, sizeof(path), "%s/quell-agent.pid", dir);
	int r = pidlock_take(&l->lock, path);
	if (r == -EWOULDBLOCK)
		log_error(LOG_MAIN, "%s: another quell-agent is running", path);
	else if (r < 0)
		log_error(LOG_MAIN, "%s: %s", path, strerror(-r));
	return r;
}

static int open_netlink(struct life *l)
{
	struct agent *a = &l->a;
	struct link_hooks links = {.changed = agent_on_link, .arg = a};
	struct fdb_hooks fdb = {.learned = agent_books_learned, .arg = a};
	int r = netlink_open(NULL, &a->nl);

	if (r == 0)
		r = links_open(a->nl, &links, 0, &a->links);
	if (r == 0)
		r = fdb_open(a->nl, &fdb, 0, &a->fdb);
	if (r == 0)
		r = netlink_wait(a->nl, LINKS_WAIT_MS);
	if (r < 0)
		log_error(LOG_NETLINK, "the kernel does not tell its links: %s", strerror(-r));
	return r;
}

struct port_count {
	const struct agent *a;
	uint32_t n;
};

static void count_port(void *arg, const struct link *l)
{
	struct port_count *c = arg;

	for (uint32_t i = 0; i < c->a->lan_count; i++)
		c->n += l->is_port && l->master == c->a->lans[i].bridge;
}

/* Room for twice the ports that there are: each row of counters costs 33 kB a CPU. */
static void set_limits(struct agent *a)
{
	struct port_count c = {.a = a};

	links_each(a->links, count_port, &c);
	for (uint32_t i = 0; i < a->lan_count; i++) {
		a->limits.bindings4 += a->lans[i].c->agent->max_bindings;
		a->limits.bindings6 += a->lans[i].c->agent->max_bindings;
		a->limits.macs += a->lans[i].c->agent->max_bindings;
		a->limits.vteps += AGENT_VTEPS_MAX + 2;
		c.n += a->lans[i].c->agent->underlay_count;
	}
	a->limits.ports = SLOTS_MIN;
	while (a->limits.ports < 2 * c.n)
		a->limits.ports *= 2;
	a->slots = calloc(a->limits.ports, sizeof(*a->slots));
	if (!a->slots)
		abort();
}

static int open_http(struct life *l)
{
	char err[HTTP_ERROR_MAX];
	int r = http_agent_new(&l->a, err);

	if (r < 0)
		log_error(LOG_MAIN, "%s", err);
	return r;
}

static int open_plane(struct life *l)
{
	struct agent *a = &l->a;

	set_limits(a);
	int r = a->ops->open(a->config->pin_dir, &a->limits, &a->plane, &a->adopted);
	if (r < 0 && a->ops != agent_plane_bpf) /* that one has told it itself */
		log_error(LOG_PROXYARP, "the %s plane cannot be opened: %s", a->ops->name,
			strerror(-r));
	return r;
}

static int start(struct life *l)
{
	struct agent *a = &l->a;
	int r;

	if ((r = check_rights(a)) < 0 || (r = take_lock(l)) < 0 || (r = open_netlink(l)) < 0 ||
		(r = agent_lans_find(a, &l->registries)) < 0 ||
		(r = agent_control_new(a, &a->control)) < 0 || (r = open_http(l)) < 0 ||
		(r = open_plane(l)) < 0)
		return r;
	agent_alarms_new(a);
	agent_quarantine_load(a);
	a->feed = agent_feed_new(a);
	return agent_lans_start(a);
}

/* --- serve --- */

static void run_netlink(struct life *l)
{
	int r = netlink_process(l->a.nl, loop_now_ms());

	if (r < 0) {
		log_error(LOG_NETLINK, "netlink: %s", strerror(-r));
		loop_stop(l->a.loop);
	}
}

static void on_netlink(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run_netlink(arg);
}

static void on_plane(evutil_socket_t fd, short what, void *arg)
{
	struct life *l = arg;

	(void)fd;
	(void)what;
	run_netlink(l);
	l->a.ops->poll(l->a.plane, agent_books_event, &l->a);
}

static uint64_t on_turn(void *arg, uint64_t now_ms)
{
	struct life *l = arg;
	uint64_t frames, kernel;

	agent_lans_turn(&l->a);
	frames = agent_books_turn(&l->a, now_ms);
	run_netlink(l);
	kernel = netlink_deadline(l->a.nl);
	return frames < kernel ? frames : kernel;
}

static void on_tick(void *arg, uint64_t now_ms)
{
	struct life *l = arg;

	for (uint32_t i = 0; i < l->a.lan_count; i++) {
		struct agent_port *p;
		agent_books_tick(&l->a.lans[i], now_ms);
		agent_former_tick(&l->a.lans[i], now_ms);
		agent_sponge_tick(&l->a.lans[i], now_ms);
		agent_vteps_tick(&l->a.lans[i]);
		TAILQ_FOREACH (p, &l->a.lans[i].ports, link)
			if (l->a.lans[i].open)
				agent_port_attach(p);
	}
	agent_underlays_tick(&l->a);
	agent_quarantine_tick(&l->a, now_ms);
	timers_start(loop_timers(l->a.loop), &l->tick, now_ms + TICK_MS);
}

/* Only the BPF plane goes on without us; a box that was left closed with nobody answering would be
 * a black hole. */
static bool outlives(const struct life *l)
{
	return l->a.ops == agent_plane_bpf && !l->o.withdraw;
}

static void on_stop(void *arg, int signo)
{
	struct life *l = arg;

	log_notice(LOG_MAIN, "%s: stopping; the data plane %s",
		signo == SIGTERM ? "SIGTERM" : "SIGINT", outlives(l) ? "goes on" : "is withdrawn");
	loop_stop(l->a.loop);
}

static void on_hangup(void *arg, int signo)
{
	struct life *l = arg;

	(void)signo;
	json_decref(agent_reload(&l->a, false));
}

static struct event *watch(struct life *l, int fd, event_callback_fn fn)
{
	struct event *e =
		fd < 0 ? NULL : event_new(loop_base(l->a.loop), fd, EV_READ | EV_PERSIST, fn, l);

	if (fd >= 0 && (!e || event_add(e, NULL) < 0))
		abort();
	return e;
}

static int serve(struct life *l)
{
	struct priv_user stay = {.set = false};
	struct agent *a = &l->a;
	char err[PRIV_ERROR_MAX], status[96];
	int r;
	uint64_t keep = PRIV_CAP(CAP_NET_ADMIN) | PRIV_CAP(CAP_NET_RAW) | PRIV_CAP(CAP_BPF) |
			PRIV_CAP(CAP_PERFMON);

	loop_on_signal(a->loop, SIGTERM, on_stop, l);
	loop_on_signal(a->loop, SIGINT, on_stop, l);
	loop_on_signal(a->loop, SIGHUP, on_hangup, l);
	json_object_seed(0);
	l->notify = notify_new(a->loop);
	if (priv_drop(&stay, keep, err) < 0) {
		log_error(LOG_MAIN, "%s", err);
		return EXIT_FAILURE;
	}
	r = seccomp_agent();
	if (r < 0)
		log_warning(LOG_MAIN, "running without a system call filter: %s", strerror(-r));
	l->nl_event = watch(l, netlink_fd(a->nl), on_netlink);
	l->plane_event = watch(l, a->ops->fd(a->plane), on_plane);
	l->turn = (struct loop_turn){.turn = on_turn, .arg = l};
	loop_add_turn(a->loop, &l->turn);
	timer_init(&l->tick, on_tick, l);
	timers_start(loop_timers(a->loop), &l->tick, loop_now_ms() + TICK_MS);
	snprintf(status, sizeof(status), "plane %s, %u LANs", a->ops->name, a->lan_count);
	log_notice(LOG_MAIN, "quell-agent " PACKAGE_VERSION " is up: %s", status);
	notify_ready(l->notify, status);
	loop_run(a->loop);
	notify_stopping(l->notify);
	loop_remove_turn(a->loop, &l->turn);
	return EXIT_SUCCESS;
}

/* --- leave --- */

static void release(struct life *l, bool keep)
{
	struct agent *a = &l->a;

	if (l->nl_event)
		event_free(l->nl_event);
	if (l->plane_event)
		event_free(l->plane_event);
	agent_feed_free(a->feed);
	a->feed = NULL;
	http_free(a->http);
	agent_control_free(a->control);
	agent_lans_stop(a, keep);
	if (a->plane)
		a->ops->close(a->plane, keep);
	netlink_close(a->nl);
	fdb_close(a->fdb);
	links_close(a->links);
	if (a->loop) {
		timers_stop(loop_timers(a->loop), &l->tick);
		notify_free(l->notify);
		loop_free(a->loop);
	}
	pidlock_drop(&l->lock);
	registries_free(&l->registries);
	agent_alarms_free(a);
	agent_quarantine_free(a);
	free(a->slots);
	config_free(a->config);
}

int main(int argc, char **argv)
{
	static struct life l = {.lock = {-1}};
	static const struct plane_ops *planes[3];
	static const struct cmdline_program program = {"quell-agent",
		"  --withdraw  at the end take back all that was done to the box, instead of\n"
		"              leaving the data plane answering\n",
		true};
	int status = cmdline_read(&program, argc, argv, &l.o);

	if (status >= 0)
		return status;
	status = EXIT_FAILURE;
	planes[0] = agent_plane_bpf;
	planes[1] = &plane_packet;
	planes[2] = &plane_null;
	if (check(&l) < 0) {
		release(&l, true);
		return status;
	}
	if (l.o.check) {
		printf("%s: ok\n", l.o.config);
		release(&l, true);
		return EXIT_SUCCESS;
	}
	l.a.ops = planes[l.a.config->plane];
	if (!l.a.ops) {
		log_error(LOG_MAIN,
			"%s: plane: this quell-agent was built without BPF: use `plane: packet`",
			l.a.config->file);
		release(&l, true);
		return status;
	}
	l.a.cmdline = &l.o;
	l.a.started_ms = loop_now_ms();
	l.a.attach_log = LOG_LIMIT(10, 60000);
	l.a.alarm_log = LOG_LIMIT(20, 60000);
	l.a.full_log = LOG_LIMIT(3, 60000);
	cmdline_log(&l.o, l.a.config);
	l.a.loop = loop_new();
	priv_limits();
	if (start(&l) == 0)
		status = serve(&l);
	/* A start that failed leaves what it found. */
	release(&l, status == EXIT_SUCCESS ? outlives(&l) : l.a.adopted);
	return status;
}
