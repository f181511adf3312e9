/* What quelld shows: status, neighbours, LANs, routes. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bgp/bmp.h"
#include "bgp/speaker.h"
#include "daemon/bmp_client.h"
#include "daemon/control_parts.h"
#include "daemon/feed_server.h"
#include "daemon/jsontext.h"
#include "daemon/quelld_alarms.h"
#include "daemon/quelld_lans.h"
#include "daemon/show_routes.h"
#include "daemon/transport.h"
#include "evpn/lan.h"

/* What is written in a turn, and how much may wait for the reader: the sessions wait for one slice
 * at most. */
#define SLICE_OCTETS (64 * 1024)
#define QUEUE_OCTETS (256 * 1024)

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

/* --- status --- */

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

static json_t *show_status(const struct quelld *q)
{
	char id[IP_TEXT];
	struct speaker_stats s;

	speaker_stats(q->speaker, &s);
	return json_pack("{s:s, s:s, s:i, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "program",
		"quelld", "version", PACKAGE_VERSION, "pid", (int)getpid(), "uptime_s",
		(json_int_t)(age_ms(q->started_ms) / 1000), "router_id",
		ip_format(ip_v4_u32(q->config->router_id), id), "as", (json_int_t)q->config->as,
		"routes", (json_int_t)s.routes, "paths", (json_int_t)s.paths, "attrsets",
		(json_int_t)s.attrsets, "alarms",
		(json_int_t)quelld_lans_alarms(q->lans)->total, "feed", show_feed(q->lans), "connections",
		show_transport(q->transport));
}

/* --- neighbors --- */

static void put_number(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void put_flag(json_t *o, const char *key, bool b)
{
	json_object_set_new(o, key, json_boolean(b));
}

/* Numbers by word; those that are 0 are left out. */
static json_t *show_refused(const struct speaker *s, const struct neighbor_view *v)
{
	json_t *o = json_object();

	for (unsigned i = 1; i < REFUSED_MAX; i++)
		if (v->refused[i])
			put_number(o, speaker_reason(s, (uint8_t)i), v->refused[i]);
	return o;
}

static json_t *show_by_type(const uint32_t by_class[BGP_CLASSES])
{
	json_t *o = json_object();
	char type[12];

	for (unsigned i = 0; i < BGP_CLASSES; i++) {
		if (!by_class[i])
			continue;
		snprintf(type, sizeof(type), "%u", i);
		put_number(o, i == BGP_CLASSES - 1 ? "other" : type, by_class[i]);
	}
	return o;
}

static json_t *show_neighbor(const struct speaker *s, const struct neighbor *n)
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
	put_number(o, "routes_refused", v.routes_refused);
	json_object_set_new(o, "routes_by_type", show_by_type(v.routes_by_class));
	put_number(o, "max_routes", v.max_routes);
	json_object_set_new(o, "max_by_type", show_by_type(v.max_by_class));
	json_object_set_new(o, "refused", show_refused(s, &v));
	put_number(o, "treat_as_withdraw", v.treat_as_withdraw);
	put_number(o, "attr_discard", v.attr_discard);
	put_number(o, "nlri_discard", v.nlri_discard);
	put_number(o, "nlri_withdraw", v.nlri_withdraw);
	put_number(o, "withheld", v.withheld);
	put_number(o, "queued_octets", v.queued_octets);
	put_number(o, "flaps", v.flaps);
	put_flag(o, "gr", v.gr);
	put_flag(o, "extended_message", v.extended_message);
	put_flag(o, "as4", v.as4);
	put_flag(o, "enhanced_refresh", v.enhanced_refresh);
	put_flag(o, "add_path_in", v.add_path_in);
	put_flag(o, "add_path_out", v.add_path_out);
	put_flag(o, "rt_constrain", v.rt_constrain);
	put_number(o, "memberships_in", v.memberships_in);
	put_flag(o, "long_lived", v.long_lived);
	put_flag(o, "conservative", v.conservative);
	json_object_set_new(o, "role", json_string(v.role ? v.role : ""));
	json_object_set_new(o, "peer_role", json_string(v.peer_role ? v.peer_role : ""));
	json_object_set_new(o, "last_error", json_string(v.last_error));
	return o;
}

static json_t *show_neighbors(const struct quelld *q)
{
	json_t *list = json_array();
	const struct neighbor *n = NULL;

	while ((n = speaker_next_neighbor(q->speaker, n)) != NULL)
		json_array_append_new(list, show_neighbor(q->speaker, n));
	return json_pack("{s:o}", "neighbors", list);
}

/* --- monitoring stations --- */

static json_t *show_station(const struct bmp_station *st)
{
	static const char *const policies[] = {
		[BMP_PRE] = "pre", [BMP_POST] = "post", [BMP_PRE | BMP_POST] = "both"};
	struct bmp_view v;
	json_t *o = json_object();

	bmp_view(st, &v);
	json_object_set_new(o, "address", json_ip(v.config->address));
	put_number(o, "port", v.config->port);
	json_object_set_new(o, "name", json_string(v.config->name));
	json_object_set_new(o, "policy", json_string(policies[v.config->views]));
	json_object_set_new(o, "state", json_string(v.state));
	put_number(o, "since_s", age_ms(v.since_ms) / 1000);
	put_number(o, "retry_s", v.retry_ms > loop_now_ms() ? (v.retry_ms - loop_now_ms()) / 1000 : 0);
	put_number(o, "queued_octets", v.queued_octets);
	put_number(o, "queue_max", v.config->queue_octets);
	put_number(o, "messages", v.messages);
	put_number(o, "octets_out", v.octets_out);
	put_number(o, "connects", v.connects);
	put_number(o, "losses", v.losses);
	put_number(o, "overflows", v.overflows);
	json_object_set_new(o, "last_error", json_string(v.last_error));
	return o;
}

static void answer_bmp(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	json_t *list = json_array();
	const struct bmp *b = bmp_client_stations(c->q->bmp);
	const struct bmp_station *st = NULL;

	(void)request;
	while ((st = bmp_next(b, st)) != NULL)
		json_array_append_new(list, show_station(st));
	jsonsock_send(s, json_pack("{s:o}", "stations", list));
}

/* --- LANs --- */

static void write_ip(struct jsontext *out, const char *key, struct ip ip)
{
	char text[IP_TEXT];

	jsontext_string(out, key, ip_format(ip, text));
}

static bool write_entry(void *arg, const struct lan_entry *e)
{
	struct jsontext *out = arg;
	char m[MAC_TEXT];

	jsontext_open(out, NULL, '{');
	jsontext_string(out, "mac", mac_format(e->mac, m));
	if (e->ip.family)
		write_ip(out, "ip", e->ip);
	jsontext_bool(out, "local", e->local);
	if (e->local)
		jsontext_null(out, "vtep");
	else
		write_ip(out, "vtep", e->vtep);
	jsontext_number(out, "seq", e->seq);
	jsontext_bool(out, "sticky", e->flags & LAN_STICKY);
	jsontext_bool(out, "stale", e->flags & LAN_STALE);
	if (!e->ip.family)
		jsontext_bool(out, "duplicate", e->flags & LAN_DUPLICATE);
	if (e->ip.family) {
		jsontext_bool(out, "router", e->flags & LAN_ROUTER);
		jsontext_bool(out, "override", e->flags & LAN_OVERRIDE);
		jsontext_bool(out, "immutable", e->flags & LAN_IMMUTABLE);
	}
	jsontext_close(out, '}');
	return true;
}

static bool write_vtep(void *arg, struct ip vtep)
{
	write_ip(arg, NULL, vtep);
	return true;
}

static void write_counts(struct jsontext *out, const struct lan *lan)
{
	struct lan_stats s;

	lan_stats(lan, &s);
	jsontext_open(out, "counts", '{');
	jsontext_number(out, "macs_local", s.macs_local);
	jsontext_number(out, "macs_remote", s.macs_remote);
	jsontext_number(out, "macs_held", s.macs_held);
	jsontext_number(out, "bindings_local", s.bindings_local);
	jsontext_number(out, "bindings_remote", s.bindings_remote);
	jsontext_number(out, "vteps", s.vteps);
	jsontext_number(out, "moves", s.moves);
	jsontext_number(out, "refused_full", s.refused_full);
	jsontext_number(out, "not_imported", s.not_imported);
	jsontext_number(out, "foreign_vni", s.foreign_vni);
	jsontext_number(out, "duplicates", s.duplicates);
	jsontext_number(out, "duplicates_found", s.duplicates_found);
	jsontext_number(out, "alarms", s.alarms);
	jsontext_close(out, '}');
}

static void write_lan(struct jsontext *out, const struct lan *lan)
{
	const struct lan_config *c = lan_config(lan);

	jsontext_open(out, NULL, '{');
	jsontext_string(out, "name", c->name);
	jsontext_number(out, "vni", c->vni);
	write_ip(out, "vtep", c->vtep);
	jsontext_bool(out, "originates", c->originates);
	write_counts(out, lan);
	jsontext_open(out, "macs", '[');
	lan_each_mac(lan, write_entry, out);
	jsontext_close(out, ']');
	jsontext_open(out, "bindings", '[');
	lan_each_binding(lan, write_entry, out);
	jsontext_close(out, ']');
	jsontext_open(out, "flood", '[');
	lan_each_flood(lan, write_vtep, out);
	jsontext_close(out, ']');
	jsontext_close(out, '}');
}

static void answer_lans(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	struct lans *lans = quelld_lans_table(c->q->lans);
	const char *only = json_string_value(json_object_get(request, "lan"));
	struct jsontext out = {0};

	if (only && !lans_find(lans, only)) {
		jsonsock_send_error(s, "no such LAN");
		return;
	}
	jsontext_open(&out, NULL, '{');
	jsontext_open(&out, "lans", '[');
	for (struct lan *lan = lans_next(lans, NULL); lan; lan = lans_next(lans, lan))
		if (!only || strcmp(lan_config(lan)->name, only) == 0)
			write_lan(&out, lan);
	jsontext_close(&out, ']');
	jsontext_close(&out, '}');
	jsonsock_send_text(s, out.p, out.len);
	jsontext_free(&out);
}

/* --- routes --- */

/* An answer that is written over several turns; belongs to its conn. */
struct control_job {
	struct control_quelld *control;
	struct jsonsock *conn;
	struct show_routes *routes;
	struct jsontext text;
	TAILQ_ENTRY(control_job) link;
};

static void job_free(struct control_job *j)
{
	if (!j)
		return;
	TAILQ_REMOVE(&j->control->jobs, j, link);
	jsonsock_set_data(j->conn, NULL);
	show_routes_free(j->routes);
	jsontext_free(&j->text);
	free(j);
}

static void answer_routes(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	const char *error;
	struct show_routes *r = show_routes_start(
		c->q->speaker, quelld_lans_table(c->q->lans), request, &error);
	struct control_job *j;

	if (!r) {
		jsonsock_send_error(s, error);
		return;
	}
	j = calloc(1, sizeof(*j));
	if (!j)
		abort();
	*j = (struct control_job){.control = c, .conn = s, .routes = r};
	TAILQ_INSERT_TAIL(&c->jobs, j, link);
	jsonsock_set_data(s, j);
	jsonsock_hold(s, true);
}

uint64_t control_jobs_turn(struct control_quelld *c, uint64_t now_ms)
{
	struct control_job *j, *next;
	uint64_t again = TIMERS_NEVER;

	for (j = TAILQ_FIRST(&c->jobs); j; j = next) {
		next = TAILQ_NEXT(j, link);
		if (jsonsock_queued(j->conn) > QUEUE_OCTETS)
			continue;
		again = now_ms;
		jsontext_clear(&j->text);
		bool more = show_routes_write(j->routes, &j->text, SLICE_OCTETS);
		if (!more)
			jsontext_raw(&j->text, "\n");
		jsonsock_send_part(j->conn, j->text.p, j->text.len);
		if (!more) {
			struct jsonsock *s = j->conn;
			job_free(j);
			jsonsock_hold(s, false);
		}
	}
	return again;
}

void control_job_drop(struct jsonsock *s)
{
	job_free(jsonsock_data(s));
}

void control_jobs_free(struct control_quelld *c)
{
	while (!TAILQ_EMPTY(&c->jobs))
		job_free(TAILQ_FIRST(&c->jobs));
}

static void answer_status(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	(void)request;
	jsonsock_send(s, show_status(c->q));
}

static void answer_neighbors(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	(void)request;
	jsonsock_send(s, show_neighbors(c->q));
}

const struct control_row control_shows[] = {
	{"status", answer_status},
	{"neighbors", answer_neighbors},
	{"routes", answer_routes},
	{"lan", answer_lans},
	{"alarms", control_answer_alarms},
	{"bmp", answer_bmp},
	{NULL, NULL},
};
