#include "daemon/pages_agent.h"

#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent_sponge.h"
#include "daemon/loop.h"

static const struct page_link links[] = {
	{"/", "Overview"},
	{"/ports", "Ports"},
	{"/bindings", "Addresses"},
	{"/callers", "Calls in vain"},
	{"/alarms", "Alarms"},
	{"/metrics", "Metrics"},
	{NULL, NULL},
};

static const struct page_site site = {"quell-agent", links, "MAC, IP or AS number", "Routes (quelld)"};

struct page pages_agent_begin(struct agent *a, const struct http_request *r, const char *title, const char *path)
{
	struct page p = {.site = &site, .title = title, .path = path};

	page_other(p.other, r->host, &a->config->http.agent, &a->config->http.quelld);
	return p;
}

void pages_agent_port(struct textbuf *out, const struct agent_port *p)
{
	page_cell(out);
	if (p)
		page_link(out, "/port", "name", p->name);
	page_cell_end(out);
}

/* --- alarms --- */

/* The answer of `quell show alarms`: bounded, and of one moment. */
struct alarms {
	json_t *answer;
	size_t at;
};

static const struct page_column alarm_columns[] = {{"Last", false}, {"First", false}, {"Times", true}, {"LAN", false},
	{"Port", false}, {"What", false}, {"MAC", false}, {"IP", false}, {"Class", false}, {NULL, false}};

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

static void alarm_row(struct textbuf *out, const json_t *row)
{
	page_row(out);
	page_cell_text(out, text_of(row, "time"));
	page_cell_text(out, text_of(row, "first"));
	page_cell_number(out, (uint64_t)json_integer_value(json_object_get(row, "count")));
	page_cell_text(out, text_of(row, "lan"));
	page_cell(out);
	if (*text_of(row, "port"))
		page_link(out, "/port", "name", text_of(row, "port"));
	page_cell_end(out);
	textbuf_put(out, "<td class=\"wide\">");
	page_foreign(out, text_of(row, "what"));
	textbuf_put(out, json_is_true(json_object_get(row, "would")) ? " (let go)" : "");
	page_cell_end(out);
	page_cell_text(out, text_of(row, "mac"));
	page_cell_text(out, text_of(row, "ip"));
	page_cell_text(out, text_of(row, "class"));
	page_row_end(out);
}

static bool alarms_body(void *job, struct textbuf *out)
{
	struct alarms *j = job;
	const json_t *rows = json_object_get(j->answer, "alarms");

	if (j->at == 0) {
		textbuf_printf(out, "<p>%lld since the start; the latest %zu.</p>\n",
			(long long)json_integer_value(json_object_get(j->answer, "total")), json_array_size(rows));
		page_table(out, alarm_columns);
	}
	if (j->at < json_array_size(rows)) {
		alarm_row(out, json_array_get(rows, j->at++));
		return true;
	}
	page_table_end(out);
	return false;
}

static void alarms_free(void *job)
{
	json_decref(((struct alarms *)job)->answer);
	free(job);
}

void pages_agent_alarms(struct agent *a, const struct http_request *r, struct http_answer *ret)
{
	struct page p = pages_agent_begin(a, r, "Alarms", "/alarms");
	struct alarms *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->answer = agent_alarms_show(a);
	p.body = alarms_body;
	p.release = alarms_free;
	p.job = j;
	page_answer(ret, &p);
}

/* --- the overview --- */

struct overview {
	struct agent *a;
	uint32_t lan;
	bool begun;
};

static void write_facts(const struct agent *a, struct textbuf *out)
{
	static const char *const states[] = {"down", "syncing", "live"};
	struct agent_feed_view v;
	struct netlink_stats n;

	agent_feed_view(a->feed, &v);
	netlink_stats(a->nl, &n);
	page_list(out);
	page_item(out, "PE");
	page_ip(out, a->config->router_ip);
	textbuf_put(out, ", quell-agent " PACKAGE_VERSION ", up for ");
	page_age(out, (loop_now_ms() - a->started_ms) / 1000);
	page_item(out, "Data plane");
	textbuf_printf(out, "%s%s", a->ops->name, a->adopted ? ", was found working" : "");
	page_item(out, "quelld");
	page_state(out, v.state == AGENT_FEED_LIVE ? "good" : v.state == AGENT_FEED_DOWN ? "bad" : "warn", states[v.state]);
	textbuf_put(out, " for ");
	page_age(out, (loop_now_ms() - v.since_ms) / 1000);
	page_item(out, "Kernel");
	page_state(out, netlink_synced(a->nl) ? "good" : "bad", netlink_synced(a->nl) ? "in step" : "out of step");
	textbuf_printf(out, ", %llu overruns", (unsigned long long)n.overruns);
	page_item(out, "Alarms");
	textbuf_printf(out, "<a href=\"/alarms\">%llu</a>", (unsigned long long)agent_alarms_total(a));
	page_list_end(out);
}

static const struct page_column lan_columns[] = {{"LAN", false}, {"VNI", true}, {"State", false}, {"Ports", true},
	{"Up", true}, {"In quarantine", true}, {"Registered", true}, {"Learned", true}, {"Elsewhere", true},
	{"Not there", true}, {"Duplicates", true}, {"Sponged", true}, {"Other PEs", true}, {NULL, false}};

static void lan_row(const struct agent_lan *lan, struct textbuf *out)
{
	uint64_t ports = 0, up = 0, quarantine = 0;
	const struct agent_port *p;
	struct binding_stats s;

	TAILQ_FOREACH (p, &lan->ports, link) {
		ports += p->kind == PORT_MEMBER;
		up += p->kind == PORT_MEMBER && p->up;
		quarantine += p->quarantine != 0;
	}
	bindings_stats(lan->books, &s);
	const uint64_t cells[] = {ports, up, quarantine, s.statics, s.dynamics, s.evpns, s.dead, s.duplicates, s.sponges,
		lan->vtep_count};
	page_row(out);
	page_cell(out);
	page_link(out, "/bindings", "lan", lan->c->name);
	page_cell_end(out);
	page_cell_number(out, lan->c->vni);
	page_cell(out);
	page_state(out, lan->open ? "good" : "warn", lan->open ? "ports taken" : "waiting");
	page_cell_end(out);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		page_cell_number(out, cells[i]);
	page_row_end(out);
}

static bool overview_body(void *job, struct textbuf *out)
{
	struct overview *j = job;

	if (!j->begun) {
		j->begun = true;
		write_facts(j->a, out);
		page_heading(out, "Peering LANs");
		page_table(out, lan_columns);
		return true;
	}
	if (j->lan < j->a->lan_count) {
		lan_row(&j->a->lans[j->lan++], out);
		return true;
	}
	page_table_end(out);
	return false;
}

void pages_agent_overview(struct agent *a, const struct http_request *r, struct http_answer *ret)
{
	struct page p = pages_agent_begin(a, r, "Member ports", "/");
	struct overview *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->a = a;
	p.body = overview_body;
	p.release = free;
	p.job = j;
	page_answer(ret, &p);
}
