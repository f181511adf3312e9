/* The member ports with what came to each and became of it, and one port's ledger by class and outcome. A port a step: reading its
 * counters takes the kernel some ten microseconds. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strverscmp() */
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/pages_agent.h"
#include "proxyarp/ledger.h"
#include "proxyarp/verdict.h"

static const char *const kinds[] = {
	[PORT_MEMBER] = "member", [PORT_FABRIC] = "fabric", [PORT_UNDERLAY] = "underlay"};

static void write_state(struct textbuf *out, const struct agent_port *p)
{
	static const struct {
		uint8_t bit;
		const char *why;
	} rows[] = {{QUARANTINE_REGISTRY, "registry"}, {QUARANTINE_CONFIG, "configuration"},
		{QUARANTINE_OPERATOR, "operator"}, {QUARANTINE_RULES, "rules"}};

	page_state(out, p->up ? "good" : "bad", p->up ? "up" : "down");
	if (!p->attached) {
		textbuf_put(out, ", ");
		page_state(out, "bad", "no programs");
	}
	if (p->behind) {
		textbuf_put(out, ", ");
		page_state(out, "warn", "behind others' filter");
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (p->quarantine & rows[i].bit) {
			textbuf_put(out, ", ");
			page_state(out, "bad", "quarantine: ");
			page_state(out, "bad", rows[i].why);
		}
	if (agent_port_dry(p)) {
		textbuf_put(out, ", ");
		page_state(out, "warn", "dry run");
	}
}

/* --- all --- */

static const struct page_column columns[] = {{"Port", false}, {"LAN", false}, {"Member", false}, {"State", false},
	{"Received", true}, {"Answered", true}, {"Dropped", true}, {"Policed", true}, {"Went on", true}, {"Sent", true},
	{"BUM sent", true}, {NULL, false}};

/* Ports come and go: which there were, looked up again when their turn comes. */
struct ports {
	struct agent *a;
	struct place {
		uint32_t lan, ifindex;
		char name[LINK_NAME];
	} *port;
	size_t count, at;
	struct ledger ledger;
};

/* swp9 before swp10. */
static int by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->lan != y->lan ? (x->lan > y->lan) - (x->lan < y->lan) : strverscmp(x->name, y->name);
}

static void copy_ports(struct ports *j)
{
	struct agent_port *p;
	size_t all = 0;

	for (uint32_t i = 0; i < j->a->lan_count; i++)
		TAILQ_FOREACH (p, &j->a->lans[i].ports, link)
			all++;
	j->port = calloc(all + 1, sizeof(*j->port));
	if (!j->port)
		abort();
	for (uint32_t i = 0; i < j->a->lan_count; i++)
		TAILQ_FOREACH (p, &j->a->lans[i].ports, link) {
			struct place *to = &j->port[j->count++];
			to->lan = i;
			to->ifindex = p->ifindex;
			memcpy(to->name, p->name, sizeof(to->name));
		}
	qsort(j->port, j->count, sizeof(*j->port), by_name);
}

static void port_row(struct ports *j, const struct agent_port *p, struct textbuf *out)
{
	const struct ledger *l = &j->ledger;

	if (j->a->ops->counters(j->a->plane, p->slot, j->ledger.at) < 0)
		return;
	uint64_t bum = ledger_bum(l).frames;
	const uint64_t cells[] = {ledger_sum(l, DIR_IN, CLASS_COUNT, 0).frames,
		ledger_sum(l, DIR_IN, CLASS_COUNT, 'A').frames, ledger_sum(l, DIR_IN, CLASS_COUNT, 'D').frames,
		ledger_sum(l, DIR_IN, CLASS_COUNT, 'P').frames, ledger_sum(l, DIR_IN, CLASS_COUNT, 'F').frames,
		ledger_sum(l, DIR_OUT, CLASS_COUNT, 'F').frames};
	page_row(out);
	pages_agent_port(out, p);
	page_cell_text(out, p->lan->c->name);
	if (p->kind == PORT_MEMBER)
		page_cell_member(out, p->lan->registry, p->member);
	else
		page_cell_text(out, kinds[p->kind]);
	page_cell(out);
	write_state(out, p);
	page_cell_end(out);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		page_cell_number(out, cells[i]);
	page_cell(out);
	textbuf_printf(out, "<span class=\"%s\">%llu</span>", p->kind != PORT_MEMBER ? "dim" : bum ? "bad" : "good",
		(unsigned long long)bum);
	page_cell_end(out);
	page_row_end(out);
}

static bool ports_body(void *job, struct textbuf *out)
{
	struct ports *j = job;

	if (!j->port) {
		copy_ports(j);
		page_note(out, "Frames since the data plane was set up. BUM: what a port was sent that was not meant for it alone.");
		page_table(out, columns);
		return true;
	}
	if (j->at == j->count) {
		page_table_end(out);
		return false;
	}
	const struct agent_port *p = agent_port_find(&j->a->lans[j->port[j->at].lan], j->port[j->at].ifindex);
	if (p)
		port_row(j, p, out);
	j->at++;
	return true;
}

static void ports_free(void *job)
{
	free(((struct ports *)job)->port);
	free(job);
}

void pages_ports(struct agent *a, const struct http_request *r, struct http_answer *ret)
{
	struct page p = pages_agent_begin(a, r, "Ports", "/ports");
	struct ports *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->a = a;
	p.body = ports_body;
	p.release = ports_free;
	p.job = j;
	page_answer(ret, &p);
}

/* --- one --- */

struct one {
	struct agent *a;
	char name[LINK_NAME];
	struct ledger ledger;
};

static const struct agent_port *find_port(const struct agent *a, const char *name)
{
	const struct agent_port *p;

	for (uint32_t i = 0; i < a->lan_count; i++)
		TAILQ_FOREACH (p, &a->lans[i].ports, link)
			if (strcmp(p->name, name) == 0)
				return p;
	return NULL;
}

static const struct page_column cell_columns[] = {{"Class", false}, {"Outcome", false}, {"Frames", true},
	{"Octets", true}, {NULL, false}};

static void write_cell(struct textbuf *out, int cls, int outcome, const struct layout_counter *n)
{
	static const char *const colours[] = {['F'] = "dim", ['A'] = "good", ['D'] = "warn", ['P'] = "warn"};
	char kind = outcome_kind((enum frame_outcome)outcome);

	page_row(out);
	page_cell_text(out, class_name((enum frame_class)cls));
	page_cell(out);
	page_state(out, kind >= 'A' && kind <= 'P' && colours[(int)kind] ? colours[(int)kind] : "dim",
		outcome_name((enum frame_outcome)outcome));
	page_cell_end(out);
	page_cell_number(out, n->frames);
	page_cell_number(out, n->octets);
	page_row_end(out);
}

static void write_direction(struct textbuf *out, const struct ledger *l, enum frame_dir d)
{
	bool any = false;

	page_heading(out, d == DIR_IN ? "In: what the port sent us" : "Out: what it was sent");
	for (int c = 0; c < CLASS_COUNT; c++)
		for (int o = 0; o < OUTCOME_COUNT; o++) {
			if (!l->at[d][c][o].frames)
				continue;
			if (!any)
				page_table(out, cell_columns);
			any = true;
			write_cell(out, c, o, &l->at[d][c][o]);
		}
	if (any)
		page_table_end(out);
	else
		page_note(out, "Nothing.");
}

struct would {
	struct textbuf *out;
	bool any;
};

static void write_would(void *arg, enum frame_dir dir, enum frame_class cls, enum frame_outcome would,
	const struct layout_counter *n)
{
	struct would *w = arg;

	(void)dir;
	if (!w->any) {
		page_heading(w->out, "Dry run: what would have become of what went on");
		page_table(w->out, cell_columns);
	}
	w->any = true;
	write_cell(w->out, cls, would, n);
}

static void write_port(const struct agent_port *p, struct textbuf *out)
{
	const struct registry_member *m = p->member ? &p->lan->registry->members[p->member->member] : NULL;

	page_list(out);
	page_item(out, "State");
	write_state(out, p);
	page_item_text(out, "LAN", p->lan->c->name);
	page_item_text(out, "Kind", kinds[p->kind]);
	if (m) {
		page_item(out, "Member");
		textbuf_printf(out, "<a href=\"/search?q=AS%u\">AS%u</a> ", m->asn, m->asn);
		page_foreign(out, m->name ? m->name : "");
	}
	for (int i = 0; p->member && i < p->member->mac_count; i++) {
		page_item(out, i ? "" : "MAC");
		page_mac(out, p->member->macs[i]);
	}
	for (int i = 0; p->member && i < p->member->ip_count; i++) {
		page_item(out, i ? "" : "Addresses");
		page_ip(out, p->member->ips[i]);
	}
	if (p->kind == PORT_MEMBER) {
		page_item(out, "Bridge");
		textbuf_put(out, p->closed ? "closed: only what is registered may speak" : "open: learns");
	}
	page_list_end(out);
}

static bool one_body(void *job, struct textbuf *out)
{
	struct one *j = job;
	const struct agent_port *p = find_port(j->a, j->name);
	struct would w = {out, false};

	if (!p || j->a->ops->counters(j->a->plane, p->slot, j->ledger.at) < 0) {
		page_note(out, "There is no such port.");
		return false;
	}
	write_port(p, out);
	write_direction(out, &j->ledger, DIR_IN);
	write_direction(out, &j->ledger, DIR_OUT);
	if (j->a->ops->would_each)
		j->a->ops->would_each(j->a->plane, p->slot, write_would, &w);
	if (w.any)
		page_table_end(out);
	return false;
}

void pages_port(struct agent *a, const struct http_request *r, struct http_answer *ret)
{
	const char *name = http_param(r, "name");
	char title[LINK_NAME + 8];
	struct one *j;

	if (!*name || strlen(name) >= sizeof(j->name))
		return;
	snprintf(title, sizeof(title), "Port %s", name);
	struct page p = pages_agent_begin(a, r, title, "/ports");
	j = calloc(1, sizeof(*j));
	if (!j)
		abort();
	j->a = a;
	snprintf(j->name, sizeof(j->name), "%s", name);
	p.body = one_body;
	p.release = free;
	p.job = j;
	page_answer(ret, &p);
}
