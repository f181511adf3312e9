/* The neighbours, for quelld's /metrics. */
#include <stdio.h>
#include <string.h>

#include "daemon/metrics_quelld_inside.h"

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
	j->neighbor = metrics_room(count, sizeof(*j->neighbor));
	while ((n = speaker_next_neighbor(j->q->speaker, n)) != NULL && j->neighbors < count) {
		struct metrics_neighbor *c = &j->neighbor[j->neighbors];
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

static void neighbor_info(const struct metrics_neighbor *c, struct openmetrics *m)
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

static void neighbor_types(const struct metrics_neighbor *c, struct openmetrics *m)
{
	char type[12];

	for (unsigned i = 0; i < BGP_CLASSES; i++) {
		if (!c->v.routes_by_class[i])
			continue;
		snprintf(type, sizeof(type), "%u", i);
		metrics_line(m, "neighbor", c->address, "type", i == BGP_CLASSES - 1 ? "other" : type,
			c->v.routes_by_class[i]);
	}
}

static void neighbor_refusals(
	const struct metrics_quelld_job *j, const struct metrics_neighbor *c, struct openmetrics *m)
{
	for (unsigned i = 1; i < REFUSED_MAX; i++)
		if (c->v.refused[i])
			metrics_line(m, "neighbor", c->address, "reason",
				speaker_reason(j->q->speaker, (uint8_t)i), c->v.refused[i]);
}

/* "sent 6/2 Cease/Administrative Shutdown: text of the peer's": not the text, or a peer could make as many series as it likes. */
static void neighbor_last_error(const struct metrics_neighbor *c, struct openmetrics *m)
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
	const struct metrics_neighbor *c, struct openmetrics *m, uint64_t in, uint64_t out)
{
	metrics_line(m, "neighbor", c->address, "direction", "in", in);
	metrics_line(m, "neighbor", c->address, "direction", "out", out);
}

static void neighbor_message(const struct metrics_neighbor *c, struct openmetrics *m, bool in, bool update)
{
	uint64_t all = in ? c->v.msgs_in : c->v.msgs_out, updates = in ? c->v.updates_in : c->v.updates_out;

	openmetrics_sample(m);
	openmetrics_label(m, "neighbor", c->address);
	openmetrics_label(m, "direction", in ? "in" : "out");
	openmetrics_label(m, "type", update ? "update" : "other");
	openmetrics_value(m, update ? updates : all - updates);
}

static void neighbor_errors(const struct metrics_neighbor *c, struct openmetrics *m)
{
	metrics_line(m, "neighbor", c->address, "handling", "treat-as-withdraw", c->v.treat_as_withdraw);
	metrics_line(m, "neighbor", c->address, "handling", "attribute-discard", c->v.attr_discard);
	metrics_line(m, "neighbor", c->address, "handling", "route-discard", c->v.nlri_discard);
	metrics_line(m, "neighbor", c->address, "handling", "route-withdraw", c->v.nlri_withdraw);
}

static void sample_neighbor(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	const struct metrics_quelld_job *j = arg;
	const struct metrics_neighbor *c = &j->neighbor[item];
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
			metrics_line(m, "neighbor", c->address, NULL, NULL, plain[family]);
	}
}

const struct metrics_section metrics_neighbor_section = {neighbor_families,
	sizeof(neighbor_families) / sizeof(neighbor_families[0]), prepare_neighbors, count_neighbors,
	sample_neighbor};
