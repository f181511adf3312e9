#include "daemon/control_quelld.h"

#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bgp/speaker.h"
#include "daemon/feed_server.h"
#include "daemon/jsonsock.h"
#include "daemon/loop.h"
#include "daemon/quelld_lans.h"
#include "daemon/show_routes.h"
#include "daemon/transport.h"
#include "evpn/lan.h"

/* A `show routes` at its limit of routes fits. */
#define OUTPUT_MAX (64 * 1024 * 1024)
#define CONNS_MAX 16
#define IDLE_SEC 600

struct control_quelld {
	struct control_quelld_views views;
	struct jsonsock_server *server;
};

static uint64_t age_ms(uint64_t since_ms)
{
	uint64_t now = loop_now_ms();

	return now > since_ms ? now - since_ms : 0;
}

static json_t *json_ip(struct ip ip)
{
	char text[IP_TEXT];

	return ip.family ? json_string(ip_format(ip, text)) : json_null();
}

/* --- status
 * -----------------------------------------------------------------------------------------------
 */

static json_t *show_feed(const struct quelld_lans *lans)
{
	static const char *const states[] = {"absent", "syncing", "live"};
	const struct feed_server *f = quelld_lans_feed(lans);
	struct feed_view v;

	if (!f)
		return json_null();
	feed_server_view(f, &v);
	return json_pack("{s:s, s:i, s:I, s:I, s:I, s:I}", "state", states[v.state], "agent_pid",
		(int)v.agent_pid, "since_s", (json_int_t)(age_ms(v.since_ms) / 1000), "lines_in",
		(json_int_t)v.lines_in, "lines_out", (json_int_t)v.lines_out, "refused",
		(json_int_t)v.refused);
}

static json_t *show_transport(const struct transport *t)
{
	struct transport_stats s;

	transport_stats(t, &s);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "open", (json_int_t)s.open, "accepted",
		(json_int_t)s.accepted, "refused", (json_int_t)s.refused, "accept_errors",
		(json_int_t)s.accept_errors, "connects", (json_int_t)s.connects, "connect_errors",
		(json_int_t)s.connect_errors);
}

static json_t *show_status(const struct control_quelld_views *v, const json_t *request)
{
	char id[IP_TEXT];
	struct speaker_stats s;

	(void)request;
	speaker_stats(v->speaker, &s);
	return json_pack("{s:s, s:s, s:i, s:I, s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "program",
		"quelld", "version", PACKAGE_VERSION, "pid", (int)getpid(), "uptime_s",
		(json_int_t)(age_ms(v->started_ms) / 1000), "router_id",
		ip_format(ip_v4_u32(v->config->router_id), id), "as", (json_int_t)v->config->as,
		"routes", (json_int_t)s.routes, "paths", (json_int_t)s.paths, "attrsets",
		(json_int_t)s.attrsets, "feed", show_feed(v->lans), "connections",
		show_transport(v->transport));
}

/* --- neighbors
 * -------------------------------------------------------------------------------------------- */

static void put_number(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void put_flag(json_t *o, const char *key, bool b)
{
	json_object_set_new(o, key, json_boolean(b));
}

static json_t *show_neighbor(const struct neighbor *n)
{
	struct neighbor_view v;
	char id[IP_TEXT];
	json_t *o = json_object();

	neighbor_view(n, &v);
	json_object_set_new(o, "address", json_ip(v.address));
	json_object_set_new(o, "local", json_ip(v.local));
	json_object_set_new(o, "name", json_string(v.name ? v.name : ""));
	json_object_set_new(o, "state", json_string(v.state));
	put_number(o, "remote_as", v.remote_as);
	json_object_set_new(o, "router_id", json_string(ip_format(ip_v4_u32(v.router_id), id)));
	put_flag(o, "dynamic", v.dynamic);
	put_flag(o, "client", v.client);
	put_flag(o, "passive", v.passive);
	put_flag(o, "shutdown", v.shutdown);
	put_flag(o, "ibgp", v.ibgp);
	put_number(o, "since_s", age_ms(v.since_ms) / 1000);
	put_number(o, "hold_sec", v.hold_sec);
	put_number(o, "msgs_in", v.msgs_in);
	put_number(o, "msgs_out", v.msgs_out);
	put_number(o, "updates_in", v.updates_in);
	put_number(o, "updates_out", v.updates_out);
	put_number(o, "octets_in", v.octets_in);
	put_number(o, "octets_out", v.octets_out);
	put_number(o, "routes_in", v.routes_in);
	put_number(o, "routes_stale", v.routes_stale);
	put_number(o, "routes_out", v.routes_out);
	put_number(o, "max_routes", v.max_routes);
	put_number(o, "treat_as_withdraw", v.treat_as_withdraw);
	put_number(o, "attr_discard", v.attr_discard);
	put_number(o, "nlri_discard", v.nlri_discard);
	put_number(o, "nlri_withdraw", v.nlri_withdraw);
	put_number(o, "queued_octets", v.queued_octets);
	put_number(o, "flaps", v.flaps);
	put_flag(o, "gr", v.gr);
	put_flag(o, "extended_message", v.extended_message);
	put_flag(o, "as4", v.as4);
	put_flag(o, "enhanced_refresh", v.enhanced_refresh);
	json_object_set_new(o, "last_error", json_string(v.last_error));
	return o;
}

static json_t *show_neighbors(const struct control_quelld_views *v, const json_t *request)
{
	json_t *list = json_array();
	const struct neighbor *n = NULL;

	(void)request;
	while ((n = speaker_next_neighbor(v->speaker, n)) != NULL)
		json_array_append_new(list, show_neighbor(n));
	return json_pack("{s:o}", "neighbors", list);
}

/* --- LANs
 * -------------------------------------------------------------------------------------------------
 */

static json_t *show_entry(const struct lan_entry *e)
{
	char m[MAC_TEXT];
	json_t *o = json_object();

	json_object_set_new(o, "mac", json_string(mac_format(e->mac, m)));
	if (e->ip.family)
		json_object_set_new(o, "ip", json_ip(e->ip));
	put_flag(o, "local", e->local);
	json_object_set_new(o, "vtep", e->local ? json_null() : json_ip(e->vtep));
	put_number(o, "seq", e->seq);
	put_flag(o, "sticky", e->flags & LAN_STICKY);
	put_flag(o, "stale", e->flags & LAN_STALE);
	if (e->ip.family) {
		put_flag(o, "router", e->flags & LAN_ROUTER);
		put_flag(o, "override", e->flags & LAN_OVERRIDE);
		put_flag(o, "immutable", e->flags & LAN_IMMUTABLE);
	}
	return o;
}

static bool add_entry(void *arg, const struct lan_entry *e)
{
	json_array_append_new(arg, show_entry(e));
	return true;
}

static bool add_vtep(void *arg, struct ip vtep)
{
	json_array_append_new(arg, json_ip(vtep));
	return true;
}

static json_t *show_one_lan(const struct lan *lan)
{
	const struct lan_config *c = lan_config(lan);
	json_t *macs = json_array(), *bindings = json_array(), *flood = json_array();
	struct lan_stats s;

	lan_stats(lan, &s);
	lan_each_mac(lan, add_entry, macs);
	lan_each_binding(lan, add_entry, bindings);
	lan_each_flood(lan, add_vtep, flood);
	json_t *counts = json_object();
	put_number(counts, "macs_local", s.macs_local);
	put_number(counts, "macs_remote", s.macs_remote);
	put_number(counts, "macs_held", s.macs_held);
	put_number(counts, "bindings_local", s.bindings_local);
	put_number(counts, "bindings_remote", s.bindings_remote);
	put_number(counts, "vteps", s.vteps);
	put_number(counts, "moves", s.moves);
	put_number(counts, "refused_full", s.refused_full);
	put_number(counts, "not_imported", s.not_imported);
	put_number(counts, "foreign_vni", s.foreign_vni);
	put_number(counts, "alarms", s.alarms);
	return json_pack("{s:s, s:I, s:o, s:b, s:o, s:o, s:o, s:o}", "name", c->name, "vni",
		(json_int_t)c->vni, "vtep", json_ip(c->vtep), "originates", (int)c->originates,
		"counts", counts, "macs", macs, "bindings", bindings, "flood", flood);
}

static json_t *show_lans(const struct control_quelld_views *v, const json_t *request)
{
	struct lans *lans = quelld_lans_table(v->lans);
	const char *only = json_string_value(json_object_get(request, "lan"));
	json_t *list = json_array();

	for (struct lan *lan = lans_next(lans, NULL); lan; lan = lans_next(lans, lan))
		if (!only || strcmp(lan_config(lan)->name, only) == 0)
			json_array_append_new(list, show_one_lan(lan));
	return json_pack("{s:o}", "lans", list);
}

static json_t *routes(const struct control_quelld_views *v, const json_t *request)
{
	return show_routes(v->speaker, quelld_lans_table(v->lans), request);
}

/* --- requests
 * --------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	json_t *(*show)(const struct control_quelld_views *v, const json_t *request);
} shows[] = {
	{"lan", show_lans},
	{"neighbors", show_neighbors},
	{"routes", routes},
	{"status", show_status},
};

static void on_line(void *arg, struct jsonsock *s, const json_t *request)
{
	struct control_quelld *c = arg;
	const char *what = json_string_value(json_object_get(request, "show"));

	if (!what) {
		jsonsock_send_error(s, "expected {\"show\": ...}");
		return;
	}
	for (size_t i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
		if (strcmp(shows[i].name, what) != 0)
			continue;
		json_t *answer = shows[i].show(&c->views, request);
		if (answer)
			jsonsock_send(s, answer);
		else
			jsonsock_send_error(s, "out of memory");
		return;
	}
	jsonsock_send_error(s, "quelld shows status, neighbors, routes, lan");
}

int control_quelld_new(struct loop *l, const char *path, const struct control_quelld_views *views,
	struct control_quelld **ret)
{
	struct control_quelld *c = calloc(1, sizeof(*c));
	struct jsonsock_limits limits = {
		.output_max = OUTPUT_MAX, .conns_max = CONNS_MAX, .idle_sec = IDLE_SEC};
	struct jsonsock_hooks hooks = {.line = on_line, .arg = c};

	if (!c)
		abort();
	c->views = *views;
	int rc = jsonsock_listen(l, path, 0660, &limits, &hooks, &c->server);
	if (rc < 0) {
		free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

void control_quelld_free(struct control_quelld *c)
{
	if (!c)
		return;
	jsonsock_server_free(c->server);
	free(c);
}
