#include "daemon/pages_quelld.h"

#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/speaker.h"
#include "daemon/feed_server.h"
#include "daemon/loop.h"
#include "daemon/quelld_alarms.h"
#include "daemon/quelld_lans.h"
#include "evpn/lan.h"

#define STATS_SLOTS 2048 /* of a LAN's tables, in a step */
#define ALARMS_SHOWN 8	 /* in the overview */

static const struct page_link links[] = {
	{"/", "Overview"},
	{"/neighbors", "Neighbors"},
	{"/lan", "LANs"},
	{"/rejected", "Rejected routes"},
	{"/alarms", "Alarms"},
	{"/metrics", "Metrics"},
	{NULL, NULL},
};

static const struct page_site site = {"quelld", links, "MAC, IP or AS number", "Ports of this PE"};

struct page pages_begin(const struct quelld *q, const struct http_request *r, const char *title, const char *path)
{
	struct page p = {.site = &site, .title = title, .path = path};

	page_other(p.other, r->host, &q->config->http.quelld, &q->config->http.agent);
	return p;
}

const struct registry *pages_registry(const struct quelld *q, const char *lan)
{
	for (uint32_t i = 0; i < q->config->lan_count && i < q->registries.count; i++)
		if (strcmp(q->config->lans[i].name, lan) == 0)
			return q->registries.of[i];
	return NULL;
}

/* --- alarms --- */

static const struct page_column alarm_columns[] = {{"Last", false}, {"First", false}, {"Times", true}, {"LAN", false},
	{"What", false}, {"MAC", false}, {"IP", false}, {"PE", false}, {NULL, false}};

static void cell_ago(struct textbuf *out, uint64_t then_ms)
{
	uint64_t now = loop_now_ms();

	page_cell(out);
	page_age(out, now > then_ms ? (now - then_ms) / 1000 : 0);
	textbuf_put(out, " ago");
	page_cell_end(out);
}

static void alarm_row(struct textbuf *out, const struct quelld_alarm *a)
{
	page_row(out);
	cell_ago(out, a->last_ms);
	cell_ago(out, a->first_ms);
	page_cell_number(out, a->count);
	page_cell_text(out, a->lan);
	textbuf_put(out, "<td class=\"wide\">");
	page_text(out, a->what);
	page_cell_end(out);
	page_cell_mac(out, a->mac);
	page_cell_ip(out, a->ip);
	page_cell_ip(out, a->vtep);
	page_row_end(out);
}

struct alarms {
	const struct quelld *q;
	size_t at;
};

/* Of one moment would be better than of several; but what comes meanwhile only makes one be seen twice. */
static bool alarms_body(void *job, struct textbuf *out)
{
	struct alarms *j = job;
	const struct quelld_alarms *all = quelld_lans_alarms(j->q->lans);
	const struct quelld_alarm *a = quelld_alarms_at(all, j->at);

	if (j->at == 0) {
		textbuf_printf(out, "<p>%llu since the start; the latest %zu.</p>\n", (unsigned long long)all->total,
			all->kept);
		if (a)
			page_table(out, alarm_columns);
	}
	if (a)
		alarm_row(out, a);
	else if (j->at)
		page_table_end(out);
	j->at++;
	return a != NULL;
}

void pages_alarms(const struct quelld *q, const struct http_request *r, struct http_answer *ret)
{
	struct page p = pages_begin(q, r, "Alarms", "/alarms");
	struct alarms *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->q = q;
	p.body = alarms_body;
	p.release = free;
	p.job = j;
	page_answer(ret, &p);
}

/* --- the overview --- */

struct overview {
	const struct quelld *q;
	enum { FACTS, LANS, LATEST, END } part;
	char (*name)[32]; /* of the LANs: one may go meanwhile */
	size_t count, at, slot;
	struct lan_stats stats;
};

static void write_neighbors(const struct quelld *q, struct textbuf *out)
{
	const struct neighbor *n = NULL;
	unsigned up = 0, all = 0, down = 0;
	struct neighbor_view v;

	while ((n = speaker_next_neighbor(q->speaker, n)) != NULL) {
		neighbor_view(n, &v);
		if (!v.address.family)
			continue;
		all++;
		up += strcmp(v.state, "Established") == 0;
		down += v.shutdown;
	}
	page_item(out, "Neighbors");
	textbuf_printf(out, "<a href=\"/neighbors\">%u of %u</a> ", up, all);
	page_state(out, up + down == all ? "good" : "bad", "established");
	if (down)
		textbuf_printf(out, ", %u shut down", down);
}

static void write_feed(const struct quelld *q, struct textbuf *out)
{
	static const char *const states[] = {"absent", "syncing", "live"};
	const struct feed_server *f = quelld_lans_feed(q->lans);
	struct feed_view v;

	if (!f)
		return;
	feed_server_view(f, &v);
	page_item(out, "Agent");
	page_state(out, v.state == FEED_LIVE ? "good" : v.state == FEED_ABSENT ? "bad" : "warn", states[v.state]);
}

static void write_facts(const struct quelld *q, struct textbuf *out)
{
	struct speaker_stats s;
	char as[12];

	speaker_stats(q->speaker, &s);
	snprintf(as, sizeof(as), "AS%u", q->config->as);
	page_list(out);
	page_item(out, "Router");
	page_ip(out, ip_v4_u32(q->config->router_id));
	textbuf_printf(out, ", %s, quelld " PACKAGE_VERSION ", up for ", as);
	page_age(out, (loop_now_ms() - q->started_ms) / 1000);
	write_neighbors(q, out);
	page_item(out, "Routes");
	textbuf_printf(out, "%zu, with %zu paths; ", s.routes, s.paths);
	textbuf_printf(out, "<a href=\"/rejected\">%zu rejected</a>", s.refused);
	write_feed(q, out);
	page_list_end(out);
}

static const struct page_column lan_columns[] = {{"LAN", false}, {"VNI", true}, {"MACs here", true},
	{"MACs elsewhere", true}, {"Addresses here", true}, {"Addresses elsewhere", true}, {"Other PEs", true},
	{"Moves", true}, {"Duplicates", true}, {"Alarms", true}, {NULL, false}};

static void lan_row(const struct overview *j, const struct lan *lan, struct textbuf *out)
{
	const struct lan_stats *s = &j->stats;
	const uint64_t cells[] = {lan_config(lan)->vni, s->macs_local, s->macs_remote, s->bindings_local,
		s->bindings_remote, s->vteps, s->moves};

	page_row(out);
	page_cell(out);
	page_link(out, "/lan", "name", j->name[j->at]);
	page_cell_end(out);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		page_cell_number(out, cells[i]);
	page_cell(out);
	if (s->duplicates)
		textbuf_printf(out, "<span class=\"bad\">%u frozen</span>", s->duplicates);
	else
		textbuf_put(out, "0");
	page_cell_end(out);
	page_cell_number(out, s->alarms);
	page_row_end(out);
}

static void name_lans(struct overview *j)
{
	const struct lans *all = quelld_lans_table(j->q->lans);

	for (struct lan *l = lans_next(all, NULL); l; l = lans_next(all, l))
		j->count++;
	j->name = calloc(j->count + 1, sizeof(*j->name));
	if (!j->name)
		abort();
	j->count = 0;
	for (struct lan *l = lans_next(all, NULL); l; l = lans_next(all, l))
		memcpy(j->name[j->count++], lan_config(l)->name, sizeof(j->name[0]));
}

static void lans_step(struct overview *j, struct textbuf *out)
{
	const struct lan *lan;

	if (!j->name) {
		name_lans(j);
		page_heading(out, "Peering LANs");
		page_table(out, lan_columns);
	}
	if (j->at == j->count) {
		page_table_end(out);
		j->part = LATEST;
		return;
	}
	lan = lans_find(quelld_lans_table(j->q->lans), j->name[j->at]);
	if (lan && lan_stats_part(lan, &j->slot, STATS_SLOTS, &j->stats))
		return;
	if (lan)
		lan_row(j, lan, out);
	j->at++;
	j->slot = 0;
}

static void write_latest(const struct quelld *q, struct textbuf *out)
{
	const struct quelld_alarms *all = quelld_lans_alarms(q->lans);
	const struct quelld_alarm *a;

	page_heading(out, "Latest alarms");
	if (!all->kept) {
		page_note(out, "None since the start.");
		return;
	}
	page_table(out, alarm_columns);
	for (size_t i = 0; i < ALARMS_SHOWN && (a = quelld_alarms_at(all, i)) != NULL; i++)
		alarm_row(out, a);
	page_table_end(out);
	textbuf_put(out, "<p><a href=\"/alarms\">All alarms</a></p>\n");
}

static bool overview_body(void *job, struct textbuf *out)
{
	struct overview *j = job;

	switch (j->part) {
	case FACTS:
		write_facts(j->q, out);
		j->part = LANS;
		break;
	case LANS:
		lans_step(j, out);
		break;
	case LATEST:
		write_latest(j->q, out);
		j->part = END;
		break;
	case END:
		break;
	}
	return j->part != END;
}

static void overview_free(void *job)
{
	free(((struct overview *)job)->name);
	free(job);
}

void pages_overview(const struct quelld *q, const struct http_request *r, struct http_answer *ret)
{
	struct page p = pages_begin(q, r, "Route server", "/");
	struct overview *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	if (quelld_lans_feed(q->lans))
		p.title = "PE";
	j->q = q;
	p.body = overview_body;
	p.release = overview_free;
	p.job = j;
	page_answer(ret, &p);
}
