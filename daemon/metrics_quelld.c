#include "daemon/metrics_quelld.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/bmp.h"
#include "bgp/speaker.h"
#include "daemon/bmp_client.h"
#include "daemon/feed_server.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/quelld.h"
#include "daemon/quelld_lans.h"
#include "daemon/transport.h"
#include "evpn/lan.h"
#include "evpn/policy.h"

#define STATS_SLOTS 2048 /* of a LAN's tables, in a step */

/* A neighbour, copied: it may be gone while its lines are written. */
struct neighbor_copy {
	struct neighbor_view v;
	char address[PREFIX_TEXT], name[64];
};

struct lan_copy {
	char name[32];
	uint32_t vni;
	struct lan_stats stats;
};

struct station_copy {
	struct bmp_view v;
	char station[IP_TEXT + 8];
};

struct metrics_quelld_job {
	struct metrics_process process;
	const struct quelld *q;
	struct neighbor_copy *neighbor;
	size_t neighbors;
	struct lan_copy *lan;
	size_t lans, counted, slot; /* how far its tables have been counted */
	struct station_copy *station;
	size_t stations;
};

static void *room(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		abort();
	return p;
}

static void labelled(struct openmetrics *m, const char *key, const char *value, const char *key2,
	const char *value2, uint64_t n)
{
	openmetrics_sample(m);
	openmetrics_label(m, key, value);
	if (key2)
		openmetrics_label(m, key2, value2);
	openmetrics_value(m, n);
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
		labelled(m, "direction", "in", NULL, NULL, v.lines_in);
		labelled(m, "direction", "out", NULL, NULL, v.lines_out);
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
	labelled(m, "direction", "in", "result", "accepted", t.accepted);
	labelled(m, "direction", "in", "result", "refused", t.refused);
	labelled(m, "direction", "in", "result", "failed", t.accept_errors);
	labelled(m, "direction", "out", "result", "connected", t.connects);
	labelled(m, "direction", "out", "result", "failed", t.connect_errors);
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

/* --- neighbours --- */

enum {
	N_INFO,
	N_UP,
	N_SHUTDOWN,
	N_SINCE,
	N_FLAPS,
	N_MESSAGES,
	N_BYTES,
	N_ROUTES,
	N_ROUTES_TYPE,
	N_STALE,
	N_KEPT_REFUSED,
	N_MAX,
	N_REFUSED,
	N_ERRORS,
	N_WITHHELD,
	N_QUEUE,
	N_LAST,
};

static const struct openmetrics_family neighbor_families[] = {
	[N_INFO] = {"quell_bgp_neighbor", METRIC_INFO, NULL, "Who the neighbor is."},
	[N_UP] = {"quell_bgp_neighbor_up", METRIC_GAUGE, NULL, "1 if the session is Established."},
	[N_SHUTDOWN] = {"quell_bgp_neighbor_shutdown", METRIC_GAUGE, NULL,
		"1 if it is down because the operator says so."},
	[N_SINCE] = {"quell_bgp_neighbor_state_since_seconds", METRIC_GAUGE, "seconds",
		"When the session came into its state, since 1970."},
	[N_FLAPS] = {"quell_bgp_neighbor_flaps", METRIC_COUNTER, NULL, "How often the session went down."},
	[N_MESSAGES] = {"quell_bgp_neighbor_messages", METRIC_COUNTER, NULL, "BGP messages: updates, and all others."},
	[N_BYTES] = {"quell_bgp_neighbor_bytes", METRIC_COUNTER, "bytes", "Octets of BGP messages."},
	[N_ROUTES] = {"quell_bgp_neighbor_routes", METRIC_GAUGE, NULL,
		"Paths that came from it (in), routes that were told to it (out)."},
	[N_ROUTES_TYPE] = {"quell_bgp_neighbor_routes_of_type", METRIC_GAUGE, NULL,
		"Paths that came from it, by EVPN route type; types without any are left out."},
	[N_STALE] = {"quell_bgp_neighbor_routes_stale", METRIC_GAUGE, NULL,
		"Paths that are kept over a graceful restart."},
	[N_KEPT_REFUSED] = {"quell_bgp_neighbor_routes_rejected", METRIC_GAUGE, NULL,
		"Paths from it that are kept and not used."},
	[N_MAX] = {"quell_bgp_neighbor_routes_max", METRIC_GAUGE, NULL, "max-routes; only where there is one."},
	[N_REFUSED] = {"quell_bgp_neighbor_refused", METRIC_COUNTER, NULL,
		"Routes that were refused, by reason; reasons that never were are left out."},
	[N_ERRORS] = {"quell_bgp_neighbor_errors", METRIC_COUNTER, NULL,
		"Errors in UPDATEs, by what was done about them (RFC 7606)."},
	[N_WITHHELD] = {"quell_bgp_neighbor_withheld", METRIC_COUNTER, NULL,
		"Announcements that the conservative profile kept from it."},
	[N_QUEUE] = {"quell_bgp_neighbor_queue_bytes", METRIC_GAUGE, "bytes", "Octets that wait to be sent."},
	[N_LAST] = {"quell_bgp_neighbor_last_error", METRIC_INFO, NULL,
		"Why the session went down the last time: by whom, and the code of the NOTIFICATION."},
};

/* All at once: a second of a thousand neighbours costs a third of a millisecond. */
static bool prepare_neighbors(void *arg)
{
	struct metrics_quelld_job *j = arg;
	const struct neighbor *n = NULL;
	size_t count = 0;

	while ((n = speaker_next_neighbor(j->q->speaker, n)) != NULL)
		count++;
	j->neighbor = room(count, sizeof(*j->neighbor));
	while ((n = speaker_next_neighbor(j->q->speaker, n)) != NULL && j->neighbors < count) {
		struct neighbor_copy *c = &j->neighbor[j->neighbors];
		neighbor_view(n, &c->v);
		/* A range is nobody. */
		if (!c->v.address.family)
			continue;
		ip_format(c->v.address, c->address);
		snprintf(c->name, sizeof(c->name), "%s", c->v.name ? c->v.name : "");
		c->v.name = c->name;
		j->neighbors++;
	}
	return false;
}

static size_t count_neighbors(const void *arg)
{
	return ((const struct metrics_quelld_job *)arg)->neighbors;
}

static void neighbor_info(const struct neighbor_copy *c, struct openmetrics *m)
{
	char as[12];

	snprintf(as, sizeof(as), "%u", c->v.remote_as);
	openmetrics_sample(m);
	openmetrics_label(m, "neighbor", c->address);
	openmetrics_label(m, "name", c->name);
	openmetrics_label(m, "remote_as", as);
	openmetrics_label(m, "type", c->v.ibgp ? "ibgp" : "ebgp");
	openmetrics_label(m, "client", c->v.client ? "true" : "false");
	openmetrics_label(m, "dynamic", c->v.dynamic ? "true" : "false");
	openmetrics_value(m, 1);
}

static void neighbor_types(const struct neighbor_copy *c, struct openmetrics *m)
{
	char type[12];

	for (unsigned i = 0; i < BGP_CLASSES; i++) {
		if (!c->v.routes_by_class[i])
			continue;
		snprintf(type, sizeof(type), "%u", i);
		labelled(m, "neighbor", c->address, "type", i == BGP_CLASSES - 1 ? "other" : type,
			c->v.routes_by_class[i]);
	}
}

static void neighbor_refusals(
	const struct metrics_quelld_job *j, const struct neighbor_copy *c, struct openmetrics *m)
{
	for (unsigned i = 1; i < REFUSED_MAX; i++)
		if (c->v.refused[i])
			labelled(m, "neighbor", c->address, "reason",
				speaker_reason(j->q->speaker, (uint8_t)i), c->v.refused[i]);
}

/* "sent 6/2 Cease/Administrative Shutdown: text of the peer's": not the text, or a peer could make as many series as it likes. */
static void neighbor_last_error(const struct neighbor_copy *c, struct openmetrics *m)
{
	char by[16] = "other", code[4] = "", subcode[4] = "";

	if (!c->v.last_error[0])
		return;
	if (sscanf(c->v.last_error, "%15[a-z] %3[0-9]/%3[0-9]", by, code, subcode) < 2)
		snprintf(by, sizeof(by), "other");
	openmetrics_sample(m);
	openmetrics_label(m, "neighbor", c->address);
	openmetrics_label(m, "by", strcmp(by, "sent") == 0 ? "us" : strcmp(by, "received") == 0 ? "peer" : "other");
	openmetrics_label(m, "code", code);
	openmetrics_label(m, "subcode", subcode);
	openmetrics_value(m, 1);
}

static void neighbor_both(
	const struct neighbor_copy *c, struct openmetrics *m, uint64_t in, uint64_t out)
{
	labelled(m, "neighbor", c->address, "direction", "in", in);
	labelled(m, "neighbor", c->address, "direction", "out", out);
}

static void neighbor_message(const struct neighbor_copy *c, struct openmetrics *m, bool in, bool update)
{
	uint64_t all = in ? c->v.msgs_in : c->v.msgs_out, updates = in ? c->v.updates_in : c->v.updates_out;

	openmetrics_sample(m);
	openmetrics_label(m, "neighbor", c->address);
	openmetrics_label(m, "direction", in ? "in" : "out");
	openmetrics_label(m, "type", update ? "update" : "other");
	openmetrics_value(m, update ? updates : all - updates);
}

static void neighbor_errors(const struct neighbor_copy *c, struct openmetrics *m)
{
	labelled(m, "neighbor", c->address, "handling", "treat-as-withdraw", c->v.treat_as_withdraw);
	labelled(m, "neighbor", c->address, "handling", "attribute-discard", c->v.attr_discard);
	labelled(m, "neighbor", c->address, "handling", "route-discard", c->v.nlri_discard);
	labelled(m, "neighbor", c->address, "handling", "route-withdraw", c->v.nlri_withdraw);
}

static void sample_neighbor(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	const struct metrics_quelld_job *j = arg;
	const struct neighbor_copy *c = &j->neighbor[item];
	const struct neighbor_view *v = &c->v;
	const uint64_t plain[] = {
		[N_UP] = strcmp(v->state, "Established") == 0,
		[N_SHUTDOWN] = v->shutdown,
		[N_SINCE] = family == N_SINCE ? metrics_unix_sec(v->since_ms) : 0,
		[N_FLAPS] = v->flaps,
		[N_STALE] = v->routes_stale,
		[N_KEPT_REFUSED] = v->routes_refused,
		[N_MAX] = v->max_routes,
		[N_WITHHELD] = v->withheld,
		[N_QUEUE] = v->queued_octets,
	};

	switch (family) {
	case N_INFO:
		neighbor_info(c, m);
		break;
	case N_MESSAGES:
		for (int i = 0; i < 4; i++)
			neighbor_message(c, m, i < 2, i % 2 == 0);
		break;
	case N_BYTES:
		neighbor_both(c, m, v->octets_in, v->octets_out);
		break;
	case N_ROUTES:
		neighbor_both(c, m, v->routes_in, v->routes_out);
		break;
	case N_ROUTES_TYPE:
		neighbor_types(c, m);
		break;
	case N_REFUSED:
		neighbor_refusals(j, c, m);
		break;
	case N_ERRORS:
		neighbor_errors(c, m);
		break;
	case N_LAST:
		neighbor_last_error(c, m);
		break;
	default:
		if (family != N_MAX || v->max_routes)
			labelled(m, "neighbor", c->address, NULL, NULL, plain[family]);
	}
}

static const struct metrics_section neighbor_section = {neighbor_families,
	sizeof(neighbor_families) / sizeof(neighbor_families[0]), prepare_neighbors, count_neighbors,
	sample_neighbor};

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
	j->lan = room(count, sizeof(*j->lan));
	for (struct lan *l = lans_next(all, NULL); l; l = lans_next(all, l)) {
		struct lan_copy *c = &j->lan[j->lans++];
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
	struct lan_copy *c = &j->lan[j->counted];
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
	const struct lan_copy *c = &j->lan[item];
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
		labelled(m, "lan", c->name, "vni", vni, 1);
		break;
	case L_MACS:
		labelled(m, "lan", c->name, "origin", "local", s->macs_local);
		labelled(m, "lan", c->name, "origin", "remote", s->macs_remote);
		break;
	case L_BINDINGS:
		labelled(m, "lan", c->name, "origin", "local", s->bindings_local);
		labelled(m, "lan", c->name, "origin", "remote", s->bindings_remote);
		break;
	case L_FLAGGED:
		for (int v = REGISTERED_FINE + 1; v < REGISTERED_VERDICTS; v++)
			labelled(m, "lan", c->name, "reason", evpn_policy_flag_word((enum registered_verdict)v),
				s->flagged[v]);
		break;
	default:
		labelled(m, "lan", c->name, NULL, NULL, plain[family]);
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
	j->station = room(count, sizeof(*j->station));
	while ((st = bmp_next(b, st)) != NULL) {
		struct station_copy *c = &j->station[j->stations++];
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
	const struct station_copy *c = &((const struct metrics_quelld_job *)arg)->station[item];
	const uint64_t plain[] = {
		[B_UP] = strcmp(c->v.state, "up") == 0 || strcmp(c->v.state, "dump") == 0,
		[B_MESSAGES] = c->v.messages,
		[B_BYTES] = c->v.octets_out,
		[B_LOSSES] = c->v.losses,
		[B_OVERFLOWS] = c->v.overflows,
		[B_QUEUE] = c->v.queued_octets,
	};

	labelled(m, "station", c->station, NULL, NULL, plain[family]);
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
		&metrics_process_section, &speaker_section, &neighbor_section, &lan_section, &bmp_section};
	struct metrics_quelld_job *j = room(1, sizeof(*j));

	j->process = (struct metrics_process){"quelld", q->loop, q->http, q->started_ms};
	j->q = q;
	metrics_answer(ret, r, sections, sizeof(sections) / sizeof(sections[0]), j, job_free);
}
