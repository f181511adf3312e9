#include "daemon/metrics_quelld.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bmp_client.h"
#include "daemon/feed_server.h"
#include "daemon/loop.h"
#include "daemon/metrics_quelld_inside.h"
#include "daemon/quelld_lans.h"
#include "daemon/transport.h"
#include "evpn/policy.h"

#define STATS_SLOTS 2048 /* of a LAN's tables, in a step */

void *metrics_room(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		abort();
	return p;
}

/* --- the speaker --- */

enum { RIB_ROUTES, RIB_PATHS, RIB_REFUSED, RIB_ATTRIBUTES, CONNS, CONNS_TOTAL, FEED_IS_LIVE, FEED_LINES, FEED_REFUSED };

static const struct openmetrics_family speaker_families[] = {
	[RIB_ROUTES] = {"quell_rib_routes", METRIC_GAUGE, NULL, "Routes with a path at least."},
	[RIB_PATHS] = {"quell_rib_paths", METRIC_GAUGE, NULL, "Paths of all routes, refused ones among them."},
	[RIB_REFUSED] = {"quell_rib_paths_refused", METRIC_GAUGE, NULL,
		"Paths that are kept with the reason why they are not used."},
	[RIB_ATTRIBUTES] = {"quell_rib_attribute_sets", METRIC_GAUGE, NULL, "Different sets of path attributes."},
	[CONNS] = {"quell_bgp_connections", METRIC_GAUGE, NULL, "TCP connections of BGP that are open."},
	[CONNS_TOTAL] = {"quell_bgp_connection_attempts", METRIC_COUNTER, NULL,
		"TCP connections of BGP, by who called and what came of it."},
	[FEED_IS_LIVE] = {"quell_feed_live", METRIC_GAUGE, NULL,
		"1 if an agent is connected and its snapshot is in; only where a LAN has an agent."},
	[FEED_LINES] = {"quell_feed_lines", METRIC_COUNTER, NULL, "Lines from and to the agent."},
	[FEED_REFUSED] = {"quell_feed_lines_refused", METRIC_COUNTER, NULL, "Lines of the agent that were refused."},
};

static void sample_feed(const struct quelld *q, struct openmetrics *m, size_t family)
{
	const struct feed_server *f = quelld_lans_feed(q->lans);
	struct feed_view v;

	if (!f)
		return;
	feed_server_view(f, &v);
	if (family == FEED_LINES) {
		metrics_line(m, "direction", "in", NULL, NULL, v.lines_in);
		metrics_line(m, "direction", "out", NULL, NULL, v.lines_out);
		return;
	}
	openmetrics_sample(m);
	openmetrics_value(m, family == FEED_IS_LIVE ? v.state == FEED_LIVE : v.refused);
}

static void sample_conns(const struct quelld *q, struct openmetrics *m, size_t family)
{
	struct transport_stats t;

	transport_stats(q->transport, &t);
	if (family == CONNS) {
		openmetrics_sample(m);
		openmetrics_value(m, t.open);
		return;
	}
	metrics_line(m, "direction", "in", "result", "accepted", t.accepted);
	metrics_line(m, "direction", "in", "result", "refused", t.refused);
	metrics_line(m, "direction", "in", "result", "failed", t.accept_errors);
	metrics_line(m, "direction", "out", "result", "connected", t.connects);
	metrics_line(m, "direction", "out", "result", "failed", t.connect_errors);
}

static void sample_speaker(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	const struct metrics_quelld_job *j = arg;
	struct speaker_stats s;

	(void)item;
	if (family >= FEED_IS_LIVE) {
		sample_feed(j->q, m, family);
		return;
	}
	if (family >= CONNS) {
		sample_conns(j->q, m, family);
		return;
	}
	speaker_stats(j->q->speaker, &s);
	openmetrics_sample(m);
	openmetrics_value(m, family == RIB_ROUTES    ? s.routes
			     : family == RIB_PATHS   ? s.paths
			     : family == RIB_REFUSED ? s.refused
						     : s.attrsets);
}

static const struct metrics_section speaker_section = {speaker_families,
	sizeof(speaker_families) / sizeof(speaker_families[0]), NULL, NULL, sample_speaker};

/* --- LANs --- */

enum { L_INFO, L_MACS, L_HELD, L_BINDINGS, L_VTEPS, L_MOVES, L_FULL, L_UNFIT, L_FOREIGN, L_DUPLICATES, L_FOUND, L_FLAGGED, L_ALARMS };

static const struct openmetrics_family lan_families[] = {
	[L_INFO] = {"quell_lan", METRIC_INFO, NULL, "The peering LANs."},
	[L_MACS] = {"quell_lan_macs", METRIC_GAUGE, NULL, "MACs, by where they are: behind this PE, or another."},
	[L_HELD] = {"quell_lan_macs_held", METRIC_GAUGE, NULL,
		"MACs at ports of this PE that another PE's claim stands against."},
	[L_BINDINGS] = {"quell_lan_bindings", METRIC_GAUGE, NULL, "Addresses with their MACs, by where they are."},
	[L_VTEPS] = {"quell_lan_vteps", METRIC_GAUGE, NULL, "Other PEs of the LAN."},
	[L_MOVES] = {"quell_lan_mac_moves", METRIC_COUNTER, NULL, "How often a MAC moved."},
	[L_FULL] = {"quell_lan_refused_full", METRIC_COUNTER, NULL, "What found a table full."},
	[L_UNFIT] = {"quell_lan_routes_not_imported", METRIC_COUNTER, NULL,
		"Routes with the LAN's route target that are not fit for it."},
	[L_FOREIGN] = {"quell_lan_routes_foreign_vni", METRIC_COUNTER, NULL,
		"Routes that were imported with another VNI than the LAN's."},
	[L_DUPLICATES] = {"quell_lan_duplicate_macs", METRIC_GAUGE, NULL, "MACs that are frozen as duplicates."},
	[L_FOUND] = {"quell_lan_duplicate_macs_found", METRIC_COUNTER, NULL, "How often a MAC was found to be one."},
	[L_FLAGGED] = {"quell_lan_routes_flagged", METRIC_COUNTER, NULL,
		"Routes that came in although the registry does not have them so, by why."},
	[L_ALARMS] = {"quell_lan_alarms", METRIC_COUNTER, NULL, "Alarms; see quell show alarms."},
};

static void name_lans(struct metrics_quelld_job *j)
{
	const struct lans *all = quelld_lans_table(j->q->lans);
	size_t count = 0;

	for (struct lan *l = lans_next(all, NULL); l; l = lans_next(all, l))
		count++;
	j->lan = metrics_room(count, sizeof(*j->lan));
	for (struct lan *l = lans_next(all, NULL); l; l = lans_next(all, l)) {
		struct metrics_lan *c = &j->lan[j->lans++];
		memcpy(c->name, lan_config(l)->name, sizeof(c->name));
		c->vni = lan_config(l)->vni;
	}
}

static bool prepare_lans(void *arg)
{
	struct metrics_quelld_job *j = arg;

	if (!j->lan)
		name_lans(j);
	if (j->counted == j->lans)
		return false;
	struct metrics_lan *c = &j->lan[j->counted];
	const struct lan *lan = lans_find(quelld_lans_table(j->q->lans), c->name);
	if (!lan || !lan_stats_part(lan, &j->slot, STATS_SLOTS, &c->stats)) {
		j->counted++;
		j->slot = 0;
	}
	return true;
}

static size_t count_lans(const void *arg)
{
	return ((const struct metrics_quelld_job *)arg)->lans;
}

static void sample_lan(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	const struct metrics_quelld_job *j = arg;
	const struct metrics_lan *c = &j->lan[item];
	const struct lan_stats *s = &c->stats;
	const uint64_t plain[] = {
		[L_HELD] = s->macs_held,
		[L_VTEPS] = s->vteps,
		[L_MOVES] = s->moves,
		[L_FULL] = s->refused_full,
		[L_UNFIT] = s->not_imported,
		[L_FOREIGN] = s->foreign_vni,
		[L_DUPLICATES] = s->duplicates,
		[L_FOUND] = s->duplicates_found,
		[L_ALARMS] = s->alarms,
	};
	char vni[12];

	switch (family) {
	case L_INFO:
		snprintf(vni, sizeof(vni), "%u", c->vni);
		metrics_line(m, "lan", c->name, "vni", vni, 1);
		break;
	case L_MACS:
		metrics_line(m, "lan", c->name, "origin", "local", s->macs_local);
		metrics_line(m, "lan", c->name, "origin", "remote", s->macs_remote);
		break;
	case L_BINDINGS:
		metrics_line(m, "lan", c->name, "origin", "local", s->bindings_local);
		metrics_line(m, "lan", c->name, "origin", "remote", s->bindings_remote);
		break;
	case L_FLAGGED:
		for (int v = REGISTERED_FINE + 1; v < REGISTERED_VERDICTS; v++)
			metrics_line(m, "lan", c->name, "reason", evpn_policy_flag_word((enum registered_verdict)v),
				s->flagged[v]);
		break;
	default:
		metrics_line(m, "lan", c->name, NULL, NULL, plain[family]);
	}
}

static const struct metrics_section lan_section = {lan_families,
	sizeof(lan_families) / sizeof(lan_families[0]), prepare_lans, count_lans, sample_lan};

/* --- monitoring stations --- */

enum { B_UP, B_MESSAGES, B_BYTES, B_LOSSES, B_OVERFLOWS, B_QUEUE };

static const struct openmetrics_family bmp_families[] = {
	[B_UP] = {"quell_bmp_station_up", METRIC_GAUGE, NULL, "1 if the monitoring station is connected."},
	[B_MESSAGES] = {"quell_bmp_station_messages", METRIC_COUNTER, NULL, "BMP messages to it."},
	[B_BYTES] = {"quell_bmp_station_bytes", METRIC_COUNTER, "bytes", "Octets sent to it."},
	[B_LOSSES] = {"quell_bmp_station_losses", METRIC_COUNTER, NULL, "How often its connection was lost."},
	[B_OVERFLOWS] = {"quell_bmp_station_overflows", METRIC_COUNTER, NULL,
		"How often it was closed because it did not read."},
	[B_QUEUE] = {"quell_bmp_station_queue_bytes", METRIC_GAUGE, "bytes", "Octets that wait to be sent."},
};

static bool prepare_stations(void *arg)
{
	struct metrics_quelld_job *j = arg;
	const struct bmp *b = bmp_client_stations(j->q->bmp);
	const struct bmp_station *st = NULL;
	size_t count = 0;
	char ip[IP_TEXT];

	while ((st = bmp_next(b, st)) != NULL)
		count++;
	j->station = metrics_room(count, sizeof(*j->station));
	while ((st = bmp_next(b, st)) != NULL) {
		struct metrics_station *c = &j->station[j->stations++];
		bmp_view(st, &c->v);
		snprintf(c->station, sizeof(c->station), c->v.config->address.family == 6 ? "[%s]:%u" : "%s:%u",
			ip_format(c->v.config->address, ip), c->v.config->port);
		c->v.config = NULL;
	}
	return false;
}

static size_t count_stations(const void *arg)
{
	return ((const struct metrics_quelld_job *)arg)->stations;
}

static void sample_station(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	const struct metrics_station *c = &((const struct metrics_quelld_job *)arg)->station[item];
	const uint64_t plain[] = {
		[B_UP] = strcmp(c->v.state, "up") == 0 || strcmp(c->v.state, "dump") == 0,
		[B_MESSAGES] = c->v.messages,
		[B_BYTES] = c->v.octets_out,
		[B_LOSSES] = c->v.losses,
		[B_OVERFLOWS] = c->v.overflows,
		[B_QUEUE] = c->v.queued_octets,
	};

	metrics_line(m, "station", c->station, NULL, NULL, plain[family]);
}

static const struct metrics_section bmp_section = {bmp_families,
	sizeof(bmp_families) / sizeof(bmp_families[0]), prepare_stations, count_stations, sample_station};

/* --- all of it --- */

static void job_free(void *arg)
{
	struct metrics_quelld_job *j = arg;

	free(j->neighbor);
	free(j->lan);
	free(j->station);
	free(j);
}

void metrics_quelld(const struct quelld *q, const struct http_request *r, struct http_answer *ret)
{
	static const struct metrics_section *const sections[] = {
		&metrics_process_section, &speaker_section, &metrics_neighbor_section, &lan_section, &bmp_section};
	struct metrics_quelld_job *j = metrics_room(1, sizeof(*j));

	j->process = (struct metrics_process){"quelld", q->loop, q->http, q->started_ms};
	j->q = q;
	metrics_answer(ret, r, sections, sizeof(sections) / sizeof(sections[0]), j, job_free);
}
