/* What quelld shows: status, stations; neighbours, LANs and routes are in control_jobs.c. */
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
#include "daemon/quelld_alarms.h"
#include "daemon/quelld_lans.h"
#include "daemon/transport.h"

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

/* --- monitoring stations --- */

static void put_number(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

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

static void answer_status(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	(void)request;
	jsonsock_send(s, show_status(c->q));
}

const struct control_row control_shows[] = {
	{"status", answer_status},
	{"neighbors", control_answer_neighbors},
	{"routes", control_answer_routes},
	{"lan", control_answer_lans},
	{"alarms", control_answer_alarms},
	{"bmp", answer_bmp},
	{NULL, NULL},
};
