/* quell-agent's /metrics: the feed, the kernel's tables, the peering LANs' books, sponge and callers; the ports and their ledger
 * are in metrics_ports.c. */
#include <stdlib.h>
#include <string.h>

#include "daemon/agent_sponge.h"
#include "daemon/http_agent.h"
#include "daemon/loop.h"
#include "daemon/metrics_agent.h"
#include "proxyarp/announce.h"

/* --- the agent --- */

enum {
	PLANE,
	EVENTS,
	ALARMS,
	FEED_LIVE,
	FEED_LINES,
	FEED_CONNECTS,
	SYNCED,
	OVERRUNS,
	RESYNCS,
	NL_ERRORS,
	FDB_WANTED,
	FDB_PENDING,
	FDB_WRITES,
	FDB_REPAIRS,
	FDB_CONTESTED,
	FDB_FULL,
};

static const struct openmetrics_family agent_families[] = {
	[PLANE] = {"quell_agent_plane", METRIC_INFO, NULL, "The data plane, and whether it was found working."},
	[EVENTS] = {"quell_agent_events", METRIC_COUNTER, NULL, "Events that the data plane told."},
	[ALARMS] = {"quell_agent_alarms", METRIC_COUNTER, NULL, "Alarms; see quell show alarms."},
	[FEED_LIVE] = {"quell_agent_feed_live", METRIC_GAUGE, NULL,
		"1 if quelld is connected and its snapshot is in."},
	[FEED_LINES] = {"quell_agent_feed_lines", METRIC_COUNTER, NULL, "Lines from and to quelld."},
	[FEED_CONNECTS] = {"quell_agent_feed_connects", METRIC_COUNTER, NULL, "Connections to quelld."},
	[SYNCED] = {"quell_netlink_synced", METRIC_GAUGE, NULL,
		"1 if the tables of links and forwarding entries are in step with the kernel."},
	[OVERRUNS] = {"quell_netlink_overruns", METRIC_COUNTER, NULL, "How often the kernel had more to tell than room."},
	[RESYNCS] = {"quell_netlink_resyncs", METRIC_COUNTER, NULL, "Tables that were read again."},
	[NL_ERRORS] = {"quell_netlink_errors", METRIC_COUNTER, NULL, "Requests that the kernel refused."},
	[FDB_WANTED] = {"quell_fdb_entries", METRIC_GAUGE, NULL,
		"Forwarding entries that are wanted: MACs, and VTEPs that are sent floods."},
	[FDB_PENDING] = {"quell_fdb_entries_pending", METRIC_GAUGE, NULL, "Those that are not yet as wanted."},
	[FDB_WRITES] = {"quell_fdb_writes", METRIC_COUNTER, NULL, "Forwarding entries written."},
	[FDB_REPAIRS] = {"quell_fdb_repairs", METRIC_COUNTER, NULL, "Entries that somebody had changed."},
	[FDB_CONTESTED] = {"quell_fdb_contested", METRIC_COUNTER, NULL, "Entries that somebody keeps changing."},
	[FDB_FULL] = {"quell_fdb_refused_full", METRIC_COUNTER, NULL, "Entries beyond the limit."},
};

static void sample_fdb(const struct agent *a, struct openmetrics *m, size_t family)
{
	struct fdb_stats f;

	fdb_stats(a->fdb, &f);
	if (family == FDB_WANTED) {
		metrics_line(m, "kind", "mac", NULL, NULL, f.wanted);
		metrics_line(m, "kind", "flood", NULL, NULL, f.wanted_flood);
		return;
	}
	openmetrics_sample(m);
	openmetrics_value(m, family == FDB_PENDING     ? f.pending
			     : family == FDB_WRITES    ? f.writes
			     : family == FDB_REPAIRS   ? f.repairs
			     : family == FDB_CONTESTED ? f.contested
						       : f.refused_full);
}

static void sample_feed(const struct agent *a, struct openmetrics *m, size_t family)
{
	struct agent_feed_view v;

	agent_feed_view(a->feed, &v);
	if (family == FEED_LINES) {
		metrics_line(m, "direction", "in", NULL, NULL, v.lines_in);
		metrics_line(m, "direction", "out", NULL, NULL, v.lines_out);
		return;
	}
	openmetrics_sample(m);
	openmetrics_value(m, family == FEED_LIVE ? v.state == AGENT_FEED_LIVE : v.connects);
}

static void sample_agent(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	const struct agent *a = ((const struct metrics_agent_job *)arg)->a;
	struct netlink_stats n;

	(void)item;
	if (family >= FDB_WANTED) {
		sample_fdb(a, m, family);
		return;
	}
	if (family >= FEED_LIVE && family <= FEED_CONNECTS) {
		sample_feed(a, m, family);
		return;
	}
	if (family == PLANE) {
		metrics_line(m, "plane", a->ops->name, "adopted", a->adopted ? "true" : "false", 1);
		return;
	}
	netlink_stats(a->nl, &n);
	openmetrics_sample(m);
	openmetrics_value(m, family == EVENTS     ? a->events
			     : family == ALARMS   ? agent_alarms_total(a)
			     : family == SYNCED   ? netlink_synced(a->nl)
			     : family == OVERRUNS ? n.overruns
			     : family == RESYNCS  ? n.resyncs
						  : n.errors);
}

static const struct metrics_section agent_section = {
	agent_families, sizeof(agent_families) / sizeof(agent_families[0]), NULL, NULL, sample_agent};

/* --- the books of a LAN --- */

enum {
	LAN,
	OPEN,
	VTEPS,
	ADDRESSES,
	MACS,
	MAC_MOVES,
	IP_MOVES,
	CLAIMS,
	FULL,
	AGED,
	REFUSED,
	PLANE_ERRORS,
	DUPLICATES,
	DUPLICATES_FOUND,
	SENT,
	WAITING,
	SEND_DROPPED,
	SPONGE,
	SPONGE_ON,
	SPONGE_EVENTS,
	CALLERS,
	CALLS,
};

static const struct openmetrics_family lan_families[] = {
	[LAN] = {"quell_agent_lan", METRIC_INFO, NULL, "The peering LANs."},
	[OPEN] = {"quell_agent_lan_open", METRIC_GAUGE, NULL, "1 if the LAN's ports are taken."},
	[VTEPS] = {"quell_agent_lan_vteps", METRIC_GAUGE, NULL, "Other PEs of the LAN."},
	[ADDRESSES] = {"quell_binding_addresses", METRIC_GAUGE, NULL,
		"Addresses that are known, by the source that counts, and those of members that are not there (dead)."},
	[MACS] = {"quell_binding_macs", METRIC_GAUGE, NULL,
		"MACs: registered here, learned here, behind other PEs."},
	[MAC_MOVES] = {"quell_binding_mac_moves", METRIC_COUNTER, NULL, "How often a MAC moved."},
	[IP_MOVES] = {"quell_binding_address_moves", METRIC_COUNTER, NULL, "How often an address got another MAC."},
	[CLAIMS] = {"quell_binding_claims", METRIC_COUNTER, NULL, "MACs that were taken back from other PEs."},
	[FULL] = {"quell_binding_refused_full", METRIC_COUNTER, NULL, "What found the tables full (max-bindings)."},
	[AGED] = {"quell_binding_aged", METRIC_COUNTER, NULL, "What was learned and aged out."},
	[REFUSED] = {"quell_binding_refused", METRIC_COUNTER, NULL, "What was seen and not believed."},
	[PLANE_ERRORS] = {"quell_binding_plane_errors", METRIC_COUNTER, NULL,
		"Entries that the data plane did not take."},
	[DUPLICATES] = {"quell_binding_duplicate_addresses", METRIC_GAUGE, NULL, "Addresses frozen as duplicates."},
	[DUPLICATES_FOUND] = {"quell_binding_duplicate_addresses_found", METRIC_COUNTER, NULL,
		"How often an address was found to be one."},
	[SENT] = {"quell_agent_frames_sent", METRIC_COUNTER, NULL, "Frames of our own, by what for."},
	[WAITING] = {"quell_agent_frames_waiting", METRIC_GAUGE, NULL, "Frames of our own that wait for the budget."},
	[SEND_DROPPED] = {"quell_agent_frames_not_sent", METRIC_COUNTER, NULL,
		"Frames of our own that were dropped because too many waited."},
	[SPONGE] = {"quell_sponge_addresses", METRIC_GAUGE, NULL, "Unassigned addresses, by state."},
	[SPONGE_ON] = {"quell_sponge_active", METRIC_GAUGE, NULL,
		"1 if the sponge may answer for more: on, not learning, not paused."},
	[SPONGE_EVENTS] = {"quell_sponge_events", METRIC_COUNTER, NULL, "What the sponge saw and did."},
	[CALLERS] = {"quell_callers", METRIC_GAUGE, NULL, "Who calls whom in vain: rows of quell show callers."},
	[CALLS] = {"quell_calls", METRIC_COUNTER, NULL, "Calls in vain, at most one a second and caller."},
};

static size_t count_lans(const void *arg)
{
	return ((const struct metrics_agent_job *)arg)->a->lan_count;
}

/* Some of these look through the books, so they are asked once a LAN; LANs do not come and go while the agent lives. */
static bool prepare_lans(void *arg)
{
	struct metrics_agent_job *j = arg;

	if (!j->lan)
		j->lan = calloc(j->a->lan_count + 1, sizeof(*j->lan));
	if (!j->lan)
		abort();
	if (j->counted == j->a->lan_count)
		return false;
	const struct agent_lan *lan = &j->a->lans[j->counted];
	struct metrics_agent_lan *c = &j->lan[j->counted++];
	bindings_stats(lan->books, &c->books);
	bindings_announce_stats(lan->books, &c->announce);
	if (lan->sponge) {
		sponge_stats(lan->sponge->s, loop_now_ms(), &c->sponge);
		callers_stats(lan->sponge->callers, &c->callers);
	}
	return true;
}

static void sample_addresses(struct openmetrics *m, const char *lan, const struct binding_stats *s)
{
	metrics_line(m, "lan", lan, "source", "static", s->statics);
	metrics_line(m, "lan", lan, "source", "dynamic", s->dynamics);
	metrics_line(m, "lan", lan, "source", "evpn", s->evpns);
	metrics_line(m, "lan", lan, "source", "sponge", s->sponges);
	metrics_line(m, "lan", lan, "source", "dead", s->dead);
}

static void sample_sent(struct openmetrics *m, const char *lan, const struct announce_stats *n)
{
	metrics_line(m, "lan", lan, "kind", "announcement", n->announced);
	metrics_line(m, "lan", lan, "kind", "confirm", n->sent[ANNOUNCE_CONFIRM]);
	metrics_line(m, "lan", lan, "kind", "refresh", n->sent[ANNOUNCE_REFRESH]);
	metrics_line(m, "lan", lan, "kind", "repair", n->sent[ANNOUNCE_REPAIR]);
	metrics_line(m, "lan", lan, "kind", "probe", n->sent[ANNOUNCE_PROBE]);
}

static void sample_sponge(struct openmetrics *m, const char *lan, size_t family, const struct sponge_stats *s)
{
	if (family == SPONGE) {
		metrics_line(m, "lan", lan, "state", "watched", s->addresses);
		metrics_line(m, "lan", lan, "state", "pending", s->pending);
		metrics_line(m, "lan", lan, "state", "sponged", s->sponged);
		metrics_line(m, "lan", lan, "state", "static", s->statics);
		return;
	}
	const struct {
		const char *event;
		uint64_t n;
	} rows[] = {{"query", s->queries}, {"ignored", s->ignored}, {"looping", s->looping}, {"sponged", s->sponges},
		{"yielded", s->yields}, {"repaired", s->repairs}, {"probed", s->probes}, {"swept", s->swept},
		{"evicted", s->evicted}, {"full", s->full}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		metrics_line(m, "lan", lan, "event", rows[i].event, rows[i].n);
}

static void sample_lan(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	const struct metrics_agent_job *j = arg;
	const struct agent_lan *lan = &j->a->lans[item];
	const struct metrics_agent_lan *c = &j->lan[item];
	const struct binding_stats *b = &c->books;
	const char *name = lan->c->name;
	const uint64_t plain[] = {
		[OPEN] = lan->open,
		[VTEPS] = lan->vtep_count,
		[MAC_MOVES] = b->moves,
		[IP_MOVES] = b->ip_moves,
		[CLAIMS] = b->claims,
		[FULL] = b->full,
		[AGED] = b->aged,
		[REFUSED] = b->refused,
		[PLANE_ERRORS] = b->plane_errors,
		[DUPLICATES] = b->duplicates,
		[DUPLICATES_FOUND] = b->duplicates_found,
		[WAITING] = c->announce.waiting,
		[SEND_DROPPED] = c->announce.dropped,
		[SPONGE_ON] = lan->sponge && agent_sponge_on(lan) && !c->sponge.paused && !c->sponge.learn_ms,
		[CALLERS] = c->callers.rows,
		[CALLS] = c->callers.calls,
	};
	char vni[12];

	switch (family) {
	case LAN:
		snprintf(vni, sizeof(vni), "%u", lan->c->vni);
		metrics_line(m, "lan", name, "vni", vni, 1);
		break;
	case ADDRESSES:
		sample_addresses(m, name, b);
		break;
	case MACS:
		metrics_line(m, "lan", name, "place", "home", b->macs_home);
		metrics_line(m, "lan", name, "place", "learned", b->macs_learned);
		metrics_line(m, "lan", name, "place", "remote", b->macs_remote);
		break;
	case SENT:
		sample_sent(m, name, &c->announce);
		break;
	case SPONGE:
	case SPONGE_EVENTS:
		sample_sponge(m, name, family, &c->sponge);
		break;
	default:
		metrics_line(m, "lan", name, NULL, NULL, plain[family]);
	}
}

static const struct metrics_section lan_section = {
	lan_families, sizeof(lan_families) / sizeof(lan_families[0]), prepare_lans, count_lans, sample_lan};

/* --- all of it --- */

static void job_free(void *arg)
{
	struct metrics_agent_job *j = arg;

	metrics_ports_free(j);
	free(j->lan);
	free(j);
}

void metrics_agent(struct agent *a, const struct http_request *r, struct http_answer *ret)
{
	static const struct metrics_section *const sections[] = {&metrics_process_section, &agent_section, &lan_section,
		&metrics_port_section, &metrics_policer_section, &metrics_ledger_section, &metrics_would_section,
		&metrics_balance_section};
	struct metrics_agent_job *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->process = (struct metrics_process){"quell-agent", a->loop, a->http, a->started_ms};
	j->a = a;
	metrics_answer(ret, r, sections, sizeof(sections) / sizeof(sections[0]), j, job_free);
}
