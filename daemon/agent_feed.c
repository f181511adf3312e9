/* The agent's end of the feed (docs/feed.md): connects to quelld, says what is behind the ports,
 * hears what is behind other PEs.
 *
 * While quelld is away nothing changes here but that the connection is tried again, after 100 ms
 * and then at growing intervals. When it is back, what it had told is marked, its snapshot taken,
 * and at its `end` what it did not name again goes. Lines that do not make sense end the
 * connection: then the two are not of one make.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/agent.h"
#include "daemon/jsonsock.h"
#include "daemon/loop.h"
#include "lib/text.h"

#define FEED_VERSION 1
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 2000
#define OUTPUT_MAX (64 * 1024 * 1024)
#define LINE_LEN 512
#define FEED_PATH_LEN 256

struct agent_feed {
	struct agent *agent;
	struct jsonsock *conn;
	bool greeted; /* quelld has said hello: what we say is heard */
	enum agent_feed_state state;
	uint64_t since_ms, retry_ms;
	uint64_t lines_in, lines_out, connects;
	struct timer retry, open, adopted;
	struct log_limit log;
};

static void set_state(struct agent_feed *f, enum agent_feed_state s)
{
	if (f->state == s)
		return;
	f->state = s;
	f->since_ms = loop_now_ms();
}

/* --- out --- */

static const char *json_bool(bool b)
{
	return b ? "true" : "false";
}

/* LAN names need no escape: the config allows letters, digits, '-', '_' and '.'. */
void agent_feed_say(struct agent_feed *f, const struct agent_lan *lan, const struct binding_say *s)
{
	char line[LINE_LEN], mac[MAC_TEXT], ip[IP_TEXT], with_ip[IP_TEXT + 16] = "";
	int n;

	if (!f || !f->greeted)
		return;
	mac_format(s->mac, mac);
	if (s->ip.family)
		snprintf(with_ip, sizeof(with_ip), ",\"ip\":\"%s\"", ip_format(s->ip, ip));
	if (s->add)
		n = snprintf(line, sizeof(line),
			"{\"op\":\"add\",\"lan\":\"%s\",\"mac\":\"%s\"%s,\"router\":%s,"
			"\"override\":%s,"
			"\"immutable\":%s,\"sticky\":false,\"claim\":%s}",
			lan->c->name, mac, with_ip, json_bool(s->router), json_bool(s->override),
			json_bool(s->immutable), json_bool(s->claim));
	else
		n = snprintf(line, sizeof(line), "{\"op\":\"del\",\"lan\":\"%s\",\"mac\":\"%s\"%s}",
			lan->c->name, mac, with_ip);
	if (n > 0 && n < LINE_LEN && jsonsock_send_text(f->conn, line, (size_t)n) == 0)
		f->lines_out++;
}

static void greet(struct agent_feed *f)
{
	struct agent *a = f->agent;

	f->greeted = true;
	set_state(f, AGENT_FEED_SYNCING);
	for (uint32_t i = 0; i < a->lan_count; i++) {
		bindings_remote_mark(a->lans[i].books);
		agent_vteps_mark(&a->lans[i]);
		bindings_snapshot(a->lans[i].books);
	}
	jsonsock_send(f->conn, json_pack("{s:s}", "op", "end"));
	f->lines_out++;
}

/* --- in --- */

static bool get_mac(const json_t *o, const char *key, struct mac *ret)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && mac_parse(text, ret) == 0;
}

static bool get_ip(const json_t *o, const char *key, struct ip *ret)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && ip_parse(text, ret) == 0;
}

static bool get_flag(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static int take_mac(struct agent_lan *lan, const json_t *o)
{
	struct binding_remote r = {0};
	json_int_t seq = json_integer_value(json_object_get(o, "seq"));

	if (!get_mac(o, "mac", &r.mac) || !get_ip(o, "vtep", &r.vtep) || seq < 0 ||
		seq > UINT32_MAX)
		return -EPROTO;
	r.seq = (uint32_t)seq;
	r.sticky = get_flag(o, "sticky");
	agent_vtep_host(lan, r.vtep);
	return bindings_remote_mac(lan->books, &r);
}

static int take_mac_del(struct agent_lan *lan, const json_t *o)
{
	struct mac mac;

	if (!get_mac(o, "mac", &mac))
		return -EPROTO;
	bindings_remote_mac_del(lan->books, mac);
	lan->vteps_moved = true;
	return 0;
}

static int take_bind(struct agent_lan *lan, const json_t *o)
{
	struct binding_remote r = {0};

	if (!get_mac(o, "mac", &r.mac) || !get_ip(o, "ip", &r.ip) || !get_ip(o, "vtep", &r.vtep))
		return -EPROTO;
	r.router = get_flag(o, "router");
	r.override = get_flag(o, "override");
	r.immutable = get_flag(o, "immutable");
	return bindings_remote_bind(lan->books, &r);
}

static int take_bind_del(struct agent_lan *lan, const json_t *o)
{
	struct ip ip;

	if (!get_ip(o, "ip", &ip))
		return -EPROTO;
	bindings_remote_bind_del(lan->books, ip);
	return 0;
}

static int take_flood(struct agent_lan *lan, const json_t *o)
{
	struct ip vtep;

	if (!get_ip(o, "vtep", &vtep))
		return -EPROTO;
	agent_vtep_flood(lan, vtep, true);
	return 0;
}

static int take_flood_del(struct agent_lan *lan, const json_t *o)
{
	struct ip vtep;

	if (!get_ip(o, "vtep", &vtep))
		return -EPROTO;
	agent_vtep_flood(lan, vtep, false);
	return 0;
}

static const struct {
	const char *op;
	int (*take)(struct agent_lan *lan, const json_t *o);
} ops[] = {
	{"mac", take_mac},
	{"mac-del", take_mac_del},
	{"bind", take_bind},
	{"bind-del", take_bind_del},
	{"flood", take_flood},
	{"flood-del", take_flood_del},
};

static int take_end(struct agent_feed *f)
{
	struct agent *a = f->agent;
	size_t swept = 0;

	/* Of no snapshot: it would sweep away what was adopted. */
	if (!f->greeted)
		return -EPROTO;
	if (f->state == AGENT_FEED_LIVE)
		return 0;
	for (uint32_t i = 0; i < a->lan_count; i++) {
		struct agent_lan *lan = &a->lans[i];
		swept += bindings_remote_sweep(lan->books);
		agent_vteps_sweep(lan);
		agent_lan_settle(lan);
		agent_lan_open(lan);
	}
	agent_underlays_open(a);
	timers_stop(loop_timers(a->loop), &f->open);
	timers_stop(loop_timers(a->loop), &f->adopted);
	set_state(f, AGENT_FEED_LIVE);
	f->retry_ms = RETRY_FIRST_MS;
	log_notice(
		LOG_FEED, "quelld's snapshot is in; %zu entries of before were not in it", swept);
	return 0;
}

static int take_hello(struct agent_feed *f, const json_t *o)
{
	json_int_t version = json_integer_value(json_object_get(o, "version"));

	if (f->greeted)
		return -EPROTO;
	if (version != FEED_VERSION) {
		log_limited(&f->log, loop_now_ms(), LOG_FEED, LOG_LEVEL_ERROR,
			"quelld speaks version %" JSON_INTEGER_FORMAT
			" of the feed, this is version %d",
			version, FEED_VERSION);
		return -EPROTO;
	}
	greet(f);
	return 0;
}

static int take_op(struct agent_feed *f, const char *op, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "lan"));
	struct agent_lan *lan;

	if (!f->greeted)
		return -EPROTO;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strcmp(op, ops[i].op) != 0)
			continue;
		/* A LAN of quelld's that has no agent part here is not for us. */
		lan = name ? agent_lan_by_name(f->agent, name) : NULL;
		return !name ? -EPROTO : lan ? ops[i].take(lan, o) : 0;
	}
	return -EPROTO;
}

static void disconnected(struct agent_feed *f)
{
	uint64_t now = loop_now_ms();

	f->conn = NULL;
	f->greeted = false;
	set_state(f, AGENT_FEED_DOWN);
	timers_start(loop_timers(f->agent->loop), &f->retry, now + f->retry_ms);
	f->retry_ms = f->retry_ms * 2 > RETRY_LAST_MS ? RETRY_LAST_MS : f->retry_ms * 2;
}

static void take_error(struct agent_feed *f, const json_t *o)
{
	const char *text = json_string_value(json_object_get(o, "text"));
	char safe[160] = "an error";

	if (text)
		text_escape(safe, sizeof(safe), text, strlen(text));
	log_limited(&f->log, loop_now_ms(), LOG_FEED, LOG_LEVEL_WARNING, "quelld: %s", safe);
}

static void on_line(void *arg, struct jsonsock *s, const json_t *o)
{
	struct agent_feed *f = arg;
	const char *op = json_string_value(json_object_get(o, "op"));
	int r = 0;

	f->lines_in++;
	if (!op)
		r = -EPROTO;
	else if (strcmp(op, "hello") == 0)
		r = take_hello(f, o);
	else if (strcmp(op, "end") == 0)
		r = take_end(f);
	else if (strcmp(op, "error") == 0)
		take_error(f, o);
	else
		r = take_op(f, op, o);
	if (r == -ENOSPC || r == -ENOMEM)
		log_limited(&f->agent->full_log, loop_now_ms(), LOG_PROXYARP, LOG_LEVEL_WARNING,
			"the table is full: what is behind other PEs does not fit (max-bindings)");
	if (r != -EPROTO)
		return;
	log_limited(&f->log, loop_now_ms(), LOG_FEED, LOG_LEVEL_ERROR,
		"quelld sent a line that makes no sense here; connecting anew");
	jsonsock_end(s, "a line that makes no sense here");
	disconnected(f);
}

static void on_closed(void *arg, struct jsonsock *s, const char *why)
{
	struct agent_feed *f = arg;

	(void)s;
	if (f->greeted)
		log_warning(LOG_FEED, "quelld is gone (%s): going on with what it said", why);
	disconnected(f);
}

static void try_connect(void *arg, uint64_t now_ms)
{
	struct agent_feed *f = arg;
	struct agent *a = f->agent;
	struct jsonsock_limits limits = {.output_max = OUTPUT_MAX, .op_errors = true};
	struct jsonsock_hooks hooks = {.line = on_line, .closed = on_closed, .arg = f};
	char path[FEED_PATH_LEN];

	snprintf(path, sizeof(path), "%s/feed.sock", a->config->run_dir);
	int r = jsonsock_connect(a->loop, path, &limits, &hooks, &f->conn);
	if (r < 0) {
		log_limited(
			&f->log, now_ms, LOG_FEED, LOG_LEVEL_INFO, "%s: %s", path, strerror(-r));
		disconnected(f);
		return;
	}
	f->connects++;
	jsonsock_send(f->conn, json_pack("{s:s, s:i, s:s}", "op", "hello", "version", FEED_VERSION,
				       "program", "quell-agent"));
}

/* Nobody tells what is behind other PEs: the ports are taken all the same. */
static void open_anyway(void *arg, uint64_t now_ms)
{
	struct agent_feed *f = arg;

	(void)now_ms;
	for (uint32_t i = 0; i < f->agent->lan_count; i++) {
		if (!f->agent->lans[i].open)
			log_warning(LOG_FEED, "%s: nothing from quelld; going on with what is here",
				f->agent->lans[i].c->name);
		agent_lan_open(&f->agent->lans[i]);
	}
}

static void give_up_adopted(void *arg, uint64_t now_ms)
{
	struct agent_feed *f = arg;
	size_t swept = 0;

	(void)now_ms;
	for (uint32_t i = 0; i < f->agent->lan_count; i++) {
		struct agent_lan *lan = &f->agent->lans[i];
		if (lan->settled)
			continue;
		swept += bindings_remote_sweep(lan->books);
		agent_lan_settle(lan);
	}
	if (swept)
		log_warning(LOG_FEED,
			"nothing from quelld for %d s: %zu entries of other PEs given up",
			AGENT_ADOPTED_MS / 1000, swept);
}

struct agent_feed *agent_feed_new(struct agent *a)
{
	struct agent_feed *f = calloc(1, sizeof(*f));
	uint64_t now = loop_now_ms();

	if (!f)
		abort();
	*f = (struct agent_feed){.agent = a,
		.since_ms = now,
		.retry_ms = RETRY_FIRST_MS,
		.log = LOG_LIMIT(3, 60000)};
	timer_init(&f->retry, try_connect, f);
	timer_init(&f->open, open_anyway, f);
	timer_init(&f->adopted, give_up_adopted, f);
	timers_start(loop_timers(a->loop), &f->retry, now);
	timers_start(loop_timers(a->loop), &f->open, now + AGENT_OPEN_MS);
	timers_start(loop_timers(a->loop), &f->adopted, now + AGENT_ADOPTED_MS);
	return f;
}

void agent_feed_free(struct agent_feed *f)
{
	if (!f)
		return;
	timers_stop(loop_timers(f->agent->loop), &f->retry);
	timers_stop(loop_timers(f->agent->loop), &f->open);
	timers_stop(loop_timers(f->agent->loop), &f->adopted);
	if (f->conn)
		jsonsock_close(f->conn);
	free(f);
}

void agent_feed_view(const struct agent_feed *f, struct agent_feed_view *ret)
{
	*ret = (struct agent_feed_view){
		f->state, f->since_ms, f->lines_in, f->lines_out, f->connects};
}
