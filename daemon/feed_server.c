#include "daemon/feed_server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/sys/queue.h>

#include "daemon/jsonsock.h"
#include "daemon/loop.h"
#include "lib/log.h"

/* A snapshot of a full LAN has to fit: 200 octets an entry. */
#define OUTPUT_MAX (64 * 1024 * 1024)
#define CONNS_MAX 8
#define HELLO_MS 10000
#define LINE 512

/* One that has connected and not yet said hello. */
struct caller {
	struct feed_server *feed;
	struct jsonsock *conn;
	struct timer hello;
	LIST_ENTRY(caller) link;
};

struct feed_server {
	struct loop *loop;
	struct lans *lans;
	struct jsonsock_server *server;
	struct jsonsock *agent; /* the one that said hello */
	LIST_HEAD(, caller) callers;
	uid_t user;
	uint32_t stale_sec;
	bool converged, local_done;
	bool agent_ended; /* its snapshot is complete */
	bool we_ended;    /* ours was, and it was told */
	uint64_t since_ms;
	struct timer stale;
	void (*on_local_done)(void *arg);
	void *arg;
	uint64_t lines_in, lines_out, refused;
	uint32_t snapshot_macs, snapshot_bindings;
	struct log_limit refused_log, lan_log, agent_log;
};

/* --- out --- */

__attribute__((format(printf, 2, 3))) static void send_line(
	struct feed_server *f, const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	if (!f->agent)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > 0 && n < (int)sizeof(line) && jsonsock_send_text(f->agent, line, (size_t)n) == 0)
		f->lines_out++;
}

static const char *json_bool(bool b)
{
	return b ? "true" : "false";
}

/* LAN names need no escape: the config allows letters, digits, '-', '_' and '.'. */
void feed_server_mac(
	struct feed_server *f, const struct lan *lan, struct mac mac, const struct lan_entry *best)
{
	const char *name = lan_config(lan)->name;
	char m[MAC_TEXT], v[IP_TEXT];

	mac_format(mac, m);
	if (!best || best->local) {
		send_line(f, "{\"op\":\"mac-del\",\"lan\":\"%s\",\"mac\":\"%s\"}", name, m);
		return;
	}
	send_line(f,
		"{\"op\":\"mac\",\"lan\":\"%s\",\"mac\":\"%s\",\"vtep\":\"%s\",\"seq\":%u,"
		"\"sticky\":%s,\"stale\":%s}",
		name, m, ip_format(best->vtep, v), best->seq, json_bool(best->flags & LAN_STICKY),
		json_bool(best->flags & LAN_STALE));
}

void feed_server_binding(
	struct feed_server *f, const struct lan *lan, struct ip ip, const struct lan_entry *best)
{
	const char *name = lan_config(lan)->name;
	char a[IP_TEXT], m[MAC_TEXT], v[IP_TEXT];

	ip_format(ip, a);
	if (!best || best->local) {
		send_line(f, "{\"op\":\"bind-del\",\"lan\":\"%s\",\"ip\":\"%s\"}", name, a);
		return;
	}
	send_line(f,
		"{\"op\":\"bind\",\"lan\":\"%s\",\"ip\":\"%s\",\"mac\":\"%s\",\"vtep\":\"%s\","
		"\"router\":%s,\"override\":%s,\"immutable\":%s,\"stale\":%s}",
		name, a, mac_format(best->mac, m), ip_format(best->vtep, v),
		json_bool(best->flags & LAN_ROUTER), json_bool(best->flags & LAN_OVERRIDE),
		json_bool(best->flags & LAN_IMMUTABLE), json_bool(best->flags & LAN_STALE));
}

void feed_server_flood(struct feed_server *f, const struct lan *lan, struct ip vtep, bool present)
{
	char v[IP_TEXT];

	send_line(f, "{\"op\":\"%s\",\"lan\":\"%s\",\"vtep\":\"%s\"}",
		present ? "flood" : "flood-del", lan_config(lan)->name, ip_format(vtep, v));
}

static void send_end(struct feed_server *f)
{
	if (!f->agent || !f->converged || f->we_ended)
		return;
	send_line(f, "{\"op\":\"end\"}");
	f->we_ended = true;
}

void feed_server_converged(struct feed_server *f)
{
	f->converged = true;
	send_end(f);
}

void feed_server_hold(struct feed_server *f)
{
	f->converged = false;
}

struct walk {
	struct feed_server *feed;
	const struct lan *lan;
};

static bool snapshot_mac(void *arg, const struct lan_entry *e)
{
	struct walk *w = arg;

	if (!e->local)
		feed_server_mac(w->feed, w->lan, e->mac, e);
	return true;
}

static bool snapshot_binding(void *arg, const struct lan_entry *e)
{
	struct walk *w = arg;

	if (!e->local)
		feed_server_binding(w->feed, w->lan, e->ip, e);
	return true;
}

static bool snapshot_flood(void *arg, struct ip vtep)
{
	struct walk *w = arg;

	feed_server_flood(w->feed, w->lan, vtep, true);
	return true;
}

/* Flood list and MACs first, so that a binding's MAC is known when it comes. */
static void send_snapshot(struct feed_server *f)
{
	for (struct lan *lan = lans_next(f->lans, NULL); lan; lan = lans_next(f->lans, lan)) {
		struct walk w = {f, lan};
		lan_each_flood(lan, snapshot_flood, &w);
		lan_each_mac(lan, snapshot_mac, &w);
		lan_each_binding(lan, snapshot_binding, &w);
	}
	send_end(f);
}

/* --- in --- */

static void local_is_done(struct feed_server *f)
{
	if (f->local_done)
		return;
	f->local_done = true;
	f->on_local_done(f->arg);
}

static void caller_free(struct caller *c)
{
	if (!c)
		return;
	timers_stop(loop_timers(c->feed->loop), &c->hello);
	jsonsock_set_data(c->conn, NULL);
	LIST_REMOVE(c, link);
	free(c);
}

static void on_hello_late(void *arg, uint64_t now_ms)
{
	struct caller *c = arg;
	struct jsonsock *conn = c->conn;

	(void)now_ms;
	caller_free(c);
	jsonsock_end(conn, "no hello");
}

static void take_hello(struct feed_server *f, struct jsonsock *s, const json_t *o)
{
	const char *op = json_string_value(json_object_get(o, "op"));
	json_int_t version = json_integer_value(json_object_get(o, "version"));
	char text[80];

	caller_free(jsonsock_data(s));
	if (!op || strcmp(op, "hello") != 0) {
		jsonsock_end(s, "expected hello");
		return;
	}
	if (version != FEED_VERSION) {
		snprintf(text, sizeof(text), "version %lld: expected %d", (long long)version,
			FEED_VERSION);
		log_limited(&f->refused_log, loop_now_ms(), LOG_FEED, LOG_LEVEL_WARNING,
			"agent refused: %s", text);
		jsonsock_end(s, text);
		return;
	}
	if (f->agent) {
		snprintf(text, sizeof(text), "another agent is connected (pid %d)",
			(int)jsonsock_peer(f->agent).pid);
		log_limited(&f->refused_log, loop_now_ms(), LOG_FEED, LOG_LEVEL_WARNING,
			"pid %d refused: %s", (int)jsonsock_peer(s).pid, text);
		f->refused++;
		jsonsock_end(s, text);
		return;
	}
	f->agent = s;
	f->agent_ended = f->we_ended = false;
	f->snapshot_macs = f->snapshot_bindings = 0;
	f->since_ms = loop_now_ms();
	log_limited(&f->agent_log, loop_now_ms(), LOG_FEED, LOG_LEVEL_NOTICE,
		"agent connected (pid %d)", (int)jsonsock_peer(s).pid);
	for (struct lan *lan = lans_next(f->lans, NULL); lan; lan = lans_next(f->lans, lan))
		lan_local_mark(lan);
	send_snapshot(f);
}

static void take_end(struct feed_server *f)
{
	if (!f->agent_ended) {
		timers_stop(loop_timers(f->loop), &f->stale);
		for (struct lan *lan = lans_next(f->lans, NULL); lan; lan = lans_next(f->lans, lan))
			lan_local_sweep(lan);
		log_limited(&f->agent_log, loop_now_ms(), LOG_FEED, LOG_LEVEL_INFO,
			"agent's snapshot: %u MACs, %u bindings", f->snapshot_macs,
			f->snapshot_bindings);
		f->agent_ended = true;
		f->since_ms = loop_now_ms();
	}
	local_is_done(f);
}

struct local_line {
	struct lan *lan; /* NULL: not one of ours */
	const char *lan_name;
	struct mac mac;
	struct ip ip;
	uint8_t flags;
	bool claim;
};

static uint8_t flag_of(const json_t *o, const char *key, uint8_t flag)
{
	return json_is_true(json_object_get(o, key)) ? flag : 0;
}

/* false: this is not such a line. */
static bool read_local(struct feed_server *f, const json_t *o, struct local_line *ret)
{
	const char *mac = json_string_value(json_object_get(o, "mac"));
	const json_t *ip = json_object_get(o, "ip");

	*ret = (struct local_line){.lan_name = json_string_value(json_object_get(o, "lan"))};
	if (!ret->lan_name || !mac || mac_parse(mac, &ret->mac) < 0 || !mac_is_host(ret->mac))
		return false;
	if (ip && (!json_is_string(ip) || ip_parse(json_string_value(ip), &ret->ip) < 0 ||
			  ip_is_unspecified(ret->ip) || ip_is_multicast(ret->ip)))
		return false;
	ret->lan = lans_find(f->lans, ret->lan_name);
	ret->flags = flag_of(o, "router", LAN_ROUTER) | flag_of(o, "override", LAN_OVERRIDE) |
		     flag_of(o, "immutable", LAN_IMMUTABLE) | flag_of(o, "sticky", LAN_STICKY);
	ret->claim = json_is_true(json_object_get(o, "claim"));
	return true;
}

/* false: the line breaks the protocol. */
static bool take_local(struct feed_server *f, const json_t *o, bool add)
{
	struct local_line l;

	if (!read_local(f, o, &l))
		return false;
	if (!l.lan) {
		/* The daemons were given different files, as during a restart of both. */
		log_limited(&f->lan_log, loop_now_ms(), LOG_FEED, LOG_LEVEL_WARNING,
			"the agent has a LAN that this daemon has not: same configuration?");
		return true;
	}
	lans_run(f->lans, loop_now_ms());
	if (add)
		lan_local_add(l.lan, l.mac, l.ip, l.flags, l.claim);
	else
		lan_local_del(l.lan, l.mac, l.ip);
	if (add && l.ip.family)
		f->snapshot_bindings++;
	else if (add)
		f->snapshot_macs++;
	return true;
}

static void agent_gone(struct feed_server *f, const char *why)
{
	f->agent = NULL;
	f->since_ms = loop_now_ms();
	log_limited(&f->agent_log, loop_now_ms(), LOG_FEED, LOG_LEVEL_WARNING,
		"agent is gone: %s; its routes stay for %u s", why, f->stale_sec);
	/* One that comes and dies again before its `end` has told nothing: the wait goes on. */
	if (!timer_running(&f->stale))
		timers_start(
			loop_timers(f->loop), &f->stale, loop_now_ms() + f->stale_sec * 1000ULL);
}

void feed_server_resync(struct feed_server *f, const char *why)
{
	struct jsonsock *s = f->agent;

	if (!s)
		return;
	agent_gone(f, why);
	jsonsock_end(s, NULL);
}

static void on_line(void *arg, struct jsonsock *s, const json_t *o)
{
	struct feed_server *f = arg;
	const char *op = json_string_value(json_object_get(o, "op"));
	bool ok = false;

	if (s != f->agent) {
		take_hello(f, s, o);
		return;
	}
	f->lines_in++;
	if (op && (strcmp(op, "add") == 0 || strcmp(op, "del") == 0)) {
		ok = take_local(f, o, op[0] == 'a');
	} else if (op && strcmp(op, "end") == 0) {
		take_end(f);
		ok = true;
	}
	if (!ok) {
		const char *why = "a line that is not of this protocol";
		agent_gone(f, why);
		jsonsock_end(s, why);
	}
}

static void on_opened(void *arg, struct jsonsock *s)
{
	struct feed_server *f = arg;
	struct jsonsock_peer p = jsonsock_peer(s);
	struct caller *c;

	if (p.uid != 0 && p.uid != f->user) {
		f->refused++;
		log_limited(&f->refused_log, loop_now_ms(), LOG_FEED, LOG_LEVEL_WARNING,
			"pid %d of uid %u refused: not the feed user", (int)p.pid, (unsigned)p.uid);
		jsonsock_end(s, "only root and the feed user may connect");
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		jsonsock_close(s);
		return;
	}
	*c = (struct caller){.feed = f, .conn = s};
	timer_init(&c->hello, on_hello_late, c);
	timers_start(loop_timers(f->loop), &c->hello, loop_now_ms() + HELLO_MS);
	jsonsock_set_data(s, c);
	LIST_INSERT_HEAD(&f->callers, c, link);
	jsonsock_send(s, json_pack("{s:s, s:i, s:s}", "op", "hello", "version", FEED_VERSION,
				 "program", "quelld"));
}

static void on_closed(void *arg, struct jsonsock *s, const char *why)
{
	struct feed_server *f = arg;

	caller_free(jsonsock_data(s));
	if (s == f->agent)
		agent_gone(f, why);
}

/* The agent has been away for too long: what was behind its ports is not known any more. */
static void on_stale(void *arg, uint64_t now_ms)
{
	struct feed_server *f = arg;

	(void)now_ms;
	log_warning(LOG_FEED, "no snapshot of an agent for %u s: its routes are withdrawn",
		f->stale_sec);
	for (struct lan *lan = lans_next(f->lans, NULL); lan; lan = lans_next(f->lans, lan)) {
		/* One that is at it still keeps what it has named. */
		if (!f->agent)
			lan_local_mark(lan);
		lan_local_sweep(lan);
	}
	local_is_done(f);
}

int feed_server_new(struct loop *l, struct lans *lans, const struct feed_server_config *c,
	struct feed_server **ret)
{
	struct feed_server *f = calloc(1, sizeof(*f));
	struct jsonsock_limits limits = {
		.output_max = OUTPUT_MAX, .conns_max = CONNS_MAX, .op_errors = true};
	struct jsonsock_hooks hooks = {on_opened, on_line, on_closed, f};

	if (!f)
		abort();
	*f = (struct feed_server){.loop = l,
		.lans = lans,
		.user = c->user,
		.stale_sec = c->stale_sec ? c->stale_sec : FEED_STALE_SEC,
		.since_ms = loop_now_ms(),
		.on_local_done = c->local_done,
		.arg = c->arg,
		.refused_log = LOG_LIMIT(3, 60000),
		.lan_log = LOG_LIMIT(1, 60000),
		.agent_log = LOG_LIMIT(20, 60000)};
	LIST_INIT(&f->callers);
	timer_init(&f->stale, on_stale, f);
	/* Anybody may open it, since an agent without CAP_DAC_OVERRIDE must be able to; who stays
	 * is decided by credentials. */
	int rc = jsonsock_listen(l, c->path, 0666, &limits, &hooks, &f->server);
	if (rc < 0) {
		free(f);
		return rc;
	}
	timers_start(loop_timers(l), &f->stale, loop_now_ms() + f->stale_sec * 1000ULL);
	*ret = f;
	return 0;
}

void feed_server_free(struct feed_server *f)
{
	if (!f)
		return;
	timers_stop(loop_timers(f->loop), &f->stale);
	while (!LIST_EMPTY(&f->callers))
		caller_free(LIST_FIRST(&f->callers));
	jsonsock_server_free(f->server);
	free(f);
}

void feed_server_view(const struct feed_server *f, struct feed_view *ret)
{
	*ret = (struct feed_view){.state = !f->agent        ? FEED_ABSENT
					   : f->agent_ended ? FEED_LIVE
							    : FEED_SYNCING,
		.agent_pid = f->agent ? jsonsock_peer(f->agent).pid : 0,
		.since_ms = f->since_ms,
		.lines_in = f->lines_in,
		.lines_out = f->lines_out,
		.refused = f->refused};
}
