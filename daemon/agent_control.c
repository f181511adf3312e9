/* The agent's control socket (docs/feed.md): what `quell show` asks, and what the operator has done; one
 * object a line, one answer a line. */
#include <config.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "daemon/agent.h"
#include "daemon/jsonsock.h"
#include "daemon/loop.h"
#include "daemon/reload_show.h"
#include "proxyarp/announce.h"
#include "proxyarp/verdict.h"

#define OUTPUT_MAX (64 * 1024 * 1024)
#define IDLE_SEC 600
#define CONTROL_PATH_LEN 256

struct agent_control {
	struct agent *agent;
	struct jsonsock_server *server;
};

static json_t *json_u64(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *json_mac(struct mac mac)
{
	char text[MAC_TEXT];

	return json_string(mac_format(mac, text));
}

static json_t *json_ip(struct ip ip)
{
	char text[IP_TEXT];

	return ip.family ? json_string(ip_format(ip, text)) : json_null();
}

static uint64_t sec_since(uint64_t ms)
{
	uint64_t now = loop_now_ms();

	return now > ms ? (now - ms) / 1000 : 0;
}

/* --- status --- */

static json_t *show_feed(const struct agent *a)
{
	static const char *const states[] = {"down", "syncing", "live"};
	struct agent_feed_view v;

	agent_feed_view(a->feed, &v);
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "state", states[v.state], "since_s",
		json_u64(sec_since(v.since_ms)), "lines_in", json_u64(v.lines_in), "lines_out",
		json_u64(v.lines_out), "connects", json_u64(v.connects));
}

static json_t *show_netlink(const struct agent *a)
{
	struct netlink_stats n;
	struct fdb_stats f;

	netlink_stats(a->nl, &n);
	fdb_stats(a->fdb, &f);
	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "synced",
		netlink_synced(a->nl), "overruns", json_u64(n.overruns), "resyncs",
		json_u64(n.resyncs), "errors", json_u64(n.errors), "fdb_wanted", json_u64(f.wanted),
		"fdb_flood", json_u64(f.wanted_flood), "fdb_pending", json_u64(f.pending),
		"fdb_writes", json_u64(f.writes), "fdb_repairs", json_u64(f.repairs),
		"fdb_contested", json_u64(f.contested), "fdb_full", json_u64(f.refused_full));
}

/* Frames of our own. */
static json_t *show_sent(const struct agent_lan *lan)
{
	struct announce_stats n;

	bindings_announce_stats(lan->books, &n);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "announcements",
		json_u64(n.announced), "confirms", json_u64(n.sent[ANNOUNCE_CONFIRM]), "refreshes",
		json_u64(n.sent[ANNOUNCE_REFRESH]), "repairs", json_u64(n.sent[ANNOUNCE_REPAIR]),
		"probes", json_u64(n.sent[ANNOUNCE_PROBE]), "waiting", json_u64(n.waiting),
		"waiting_addresses", json_u64(n.waiting_addresses), "replaced", json_u64(n.replaced),
		"dropped", json_u64(n.dropped));
}

static json_t *show_books(const struct agent_lan *lan)
{
	struct binding_stats s;
	struct agent_port *p;
	json_t *vteps = json_array();
	uint32_t ports = 0;

	TAILQ_FOREACH (p, &lan->ports, link)
		ports += p->kind == PORT_MEMBER;
	for (uint32_t i = 0; i < lan->vtep_count; i++)
		if (lan->vteps[i].flood)
			json_array_append_new(vteps, json_ip(lan->vteps[i].ip));
	bindings_stats(lan->books, &s);
	json_t *o = json_pack("{s:s, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"name", lan->c->name, "vni", json_u64(lan->c->vni), "open", lan->open, "settled",
		lan->settled, "ports", json_u64(ports), "static", json_u64(s.statics), "dynamic",
		json_u64(s.dynamics), "evpn", json_u64(s.evpns), "macs_home", json_u64(s.macs_home),
		"macs_learned", json_u64(s.macs_learned), "macs_remote", json_u64(s.macs_remote),
		"flood", vteps);
	json_object_set_new(o, "moves", json_u64(s.moves));
	json_object_set_new(o, "claims", json_u64(s.claims));
	json_object_set_new(o, "held", json_u64(s.held));
	json_object_set_new(o, "full", json_u64(s.full));
	json_object_set_new(o, "aged", json_u64(s.aged));
	json_object_set_new(o, "refused", json_u64(s.refused));
	json_object_set_new(o, "plane_errors", json_u64(s.plane_errors));
	json_object_set_new(o, "dead", json_u64(s.dead));
	json_object_set_new(o, "sponged", json_u64(s.sponges));
	json_object_set_new(o, "duplicates", json_u64(s.duplicates));
	json_object_set_new(o, "duplicates_found", json_u64(s.duplicates_found));
	json_object_set_new(o, "ip_moves", json_u64(s.ip_moves));
	json_object_set_new(o, "sent", show_sent(lan));
	return o;
}

static json_t *show_status(struct agent *a, const json_t *request)
{
	json_t *lans = json_array();

	(void)request;
	for (uint32_t i = 0; i < a->lan_count; i++)
		json_array_append_new(lans, show_books(&a->lans[i]));
	return json_pack("{s:s, s:s, s:i, s:o, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o}", "program",
		"quell-agent", "version", PACKAGE_VERSION, "pid", (int)getpid(), "uptime_s",
		json_u64(sec_since(a->started_ms)), "router_id", json_ip(a->config->router_ip),
		"as", json_u64(a->config->as), "plane", a->ops->name, "adopted", a->adopted,
		"events", json_u64(a->events), "feed", show_feed(a), "netlink", show_netlink(a),
		"lans", lans);
}

/* --- bindings and MACs --- */

struct walk {
	const struct agent_lan *lan;
	json_t *rows;
};

static const char *source_text(enum binding_source s)
{
	static const char *const texts[] = {"none", "static", "dynamic", "evpn", "sponge"};

	return texts[s];
}

/* "port", or the VTEP. */
static json_t *show_where(const struct binding_view *v)
{
	if (v->place == PLACE_REMOTE && v->vtep.family)
		return json_ip(v->vtep);
	return json_string(v->place == PLACE_PORT   ? "port"
			   : v->place == PLACE_SELF ? "self"
			   : v->place == PLACE_TRAP ? "trap"
						    : "unknown");
}

static void add_common(struct walk *w, json_t *o, const struct binding_view *v, const char *state)
{
	const struct agent_port *p = agent_port_find(w->lan, v->ifindex);

	json_object_set_new(o, "where", show_where(v));
	if (v->place == PLACE_PORT)
		json_object_set_new(o, "port", p ? json_string(p->name) : json_null());
	json_object_set_new(o, "source", json_string(source_text(v->source)));
	json_object_set_new(o, "state", json_string(state));
	json_object_set_new(o, "announced", json_boolean(v->announced));
	json_object_set_new(o, "age_s", v->seen_ms ? json_u64(sec_since(v->seen_ms)) : json_null());
	json_array_append_new(w->rows, o);
}

static void add_flag(json_t *flags, bool on, const char *name)
{
	if (on)
		json_array_append_new(flags, json_string(name));
}

static const char *binding_state(const struct binding_view *v)
{
	return v->duplicate		   ? "duplicate"
	       : v->source == SOURCE_SPONGE ? "sponged"
	       : v->dead		   ? "dead"
	       : v->awaited		   ? "awaited"
	       : v->flags & BIND_SILENT	   ? "silent"
	       : v->stale		   ? "stale"
					   : "active";
}

static void add_binding(void *arg, const struct binding_view *v)
{
	struct walk *w = arg;
	json_t *flags = json_array();

	add_flag(flags, v->flags & BIND_ROUTER, "router");
	add_flag(flags, v->flags & BIND_OVERRIDE, "override");
	add_flag(flags, v->immutable, "immutable");
	add_flag(flags, v->flags & BIND_ALT, "several-macs");
	add_flag(flags, v->flags & BIND_EXCHANGE, "exchange");
	add_flag(flags, v->former, "former-mac");
	json_t *o = json_pack("{s:s, s:o, s:o, s:o}", "lan", w->lan->c->name, "ip", json_ip(v->ip),
		"mac", json_mac(v->mac), "flags", flags);
	if (v->duplicate)
		json_object_set_new(o, "hold_s", v->hold_sec ? json_u64(v->hold_sec) : json_null());
	add_common(w, o, v, binding_state(v));
}

static void add_mac(void *arg, const struct binding_view *v)
{
	struct walk *w = arg;
	const struct agent_port *p = agent_port_find(w->lan, v->ifindex);
	bool down = v->place == PLACE_PORT && p && !p->up;
	json_t *o = json_pack("{s:s, s:o}", "lan", w->lan->c->name, "mac", json_mac(v->mac));

	add_common(w, o, v, down ? "down" : v->stale ? "stale" : "active");
}

static json_t *show_rows(struct agent *a, const char *key,
	void (*each)(
		const struct bindings *, void (*)(void *, const struct binding_view *), void *),
	void (*add)(void *, const struct binding_view *))
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < a->lan_count; i++) {
		struct walk w = {&a->lans[i], rows};
		each(a->lans[i].books, add, &w);
	}
	return json_pack("{s:o}", key, rows);
}

static json_t *show_bindings(struct agent *a, const json_t *request)
{
	(void)request;
	return show_rows(a, "bindings", bindings_each, add_binding);
}

static json_t *show_macs(struct agent *a, const json_t *request)
{
	(void)request;
	return show_rows(a, "macs", bindings_each_mac, add_mac);
}

/* --- the rest --- */

static json_t *show_alarms(struct agent *a, const json_t *request)
{
	(void)request;
	return agent_alarms_show(a);
}

static json_t *show_ports(struct agent *a, const json_t *request)
{
	(void)request;
	return agent_ports_show(a);
}

/* --- the socket --- */

static const struct {
	const char *name;
	json_t *(*show)(struct agent *a, const json_t *request);
} shows[] = {
	{"status", show_status},
	{"alarms", show_alarms},
	{"bindings", show_bindings},
	{"macs", show_macs},
	{"ports", show_ports},
	{"ledger", agent_ledger_show},
	{"sponge", agent_sponge_show},
	{"callers", agent_callers_show},
};

static json_t *do_reload(struct agent *a, const json_t *request, const char **ret_error)
{
	bool dry_run;

	if (!reload_request(request, &dry_run)) {
		*ret_error = RELOAD_REQUEST_ERROR;
		return NULL;
	}
	return agent_reload(a, dry_run);
}

static const struct {
	const char *name;
	json_t *(*job)(struct agent *a, const json_t *request, const char **ret_error);
} dos[] = {
	{"reload", do_reload},
	{"quarantine", agent_quarantine_do},
	{"clear-duplicate-ip", agent_books_clear},
	{"sponge-add", agent_sponge_do},
	{"sponge-del", agent_sponge_do},
};

/* The group may look; to change something takes root, or whom the agent runs as. */
static void take_do(struct agent_control *c, struct jsonsock *s, const char *job, const json_t *o)
{
	uid_t uid = jsonsock_peer(s).uid;
	const char *error =
		"do: expected reload, quarantine, clear-duplicate-ip, sponge-add or sponge-del";
	json_t *answer = NULL;

	if (uid != 0 && uid != geteuid()) {
		jsonsock_send_error(
			s, "only root and the user that quell-agent runs as may do that");
		return;
	}
	for (size_t i = 0; i < sizeof(dos) / sizeof(dos[0]); i++)
		if (strcmp(job, dos[i].name) == 0)
			answer = dos[i].job(c->agent, o, &error);
	if (answer)
		jsonsock_send(s, answer);
	else
		jsonsock_send_error(s, error);
}

static void on_line(void *arg, struct jsonsock *s, const json_t *o)
{
	struct agent_control *c = arg;
	const char *what = json_string_value(json_object_get(o, "show")),
		   *job = json_string_value(json_object_get(o, "do"));

	if (job) {
		take_do(c, s, job, o);
		return;
	}
	for (size_t i = 0; what && i < sizeof(shows) / sizeof(shows[0]); i++) {
		if (strcmp(what, shows[i].name) != 0)
			continue;
		json_t *answer = shows[i].show(c->agent, o);
		if (answer)
			jsonsock_send(s, answer);
		else
			jsonsock_send_error(s, "no such port");
		return;
	}
	jsonsock_send_error(
		s, "show: expected status, alarms, bindings, macs, ports, ledger, sponge or callers");
}

int agent_control_new(struct agent *a, struct agent_control **ret)
{
	struct agent_control *c = calloc(1, sizeof(*c));
	struct jsonsock_limits limits = {.output_max = OUTPUT_MAX, .idle_sec = IDLE_SEC};
	struct jsonsock_hooks hooks = {.line = on_line, .arg = c};
	const struct group *g = a->config->group ? getgrnam(a->config->group) : NULL;
	char path[CONTROL_PATH_LEN];

	if (!c)
		abort();
	c->agent = a;
	snprintf(path, sizeof(path), "%s/agent.sock", a->config->run_dir);
	int r = jsonsock_listen(a->loop, path, 0660, &limits, &hooks, &c->server);
	if (r < 0) {
		log_error(LOG_CONTROL, "%s: %s", path, strerror(-r));
		free(c);
		return r;
	}
	/* For the group's operators. */
	if (g && chown(path, (uid_t)-1, g->gr_gid) < 0)
		log_warning(LOG_CONTROL, "%s: %s", path, strerror(errno));
	*ret = c;
	return 0;
}

void agent_control_free(struct agent_control *c)
{
	if (!c)
		return;
	jsonsock_server_free(c->server);
	free(c);
}
