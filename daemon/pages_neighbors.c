/* The neighbours: all of them, a line each, and one with everything about it. What a peer has said (its shutdown communication) is
 * text of anybody's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/speaker.h"
#include "daemon/loop.h"
#include "daemon/pages_quelld.h"

static uint64_t since_sec(uint64_t ms)
{
	uint64_t now = loop_now_ms();

	return now > ms ? (now - ms) / 1000 : 0;
}

static void write_state(struct textbuf *out, const struct neighbor_view *v)
{
	bool up = strcmp(v->state, "Established") == 0;

	page_state(out, up ? "good" : v->shutdown ? "dim" : "bad", v->shutdown ? "shut down" : v->state);
}

/* --- all --- */

static const struct page_column columns[] = {{"Neighbor", false}, {"Name", false}, {"AS", true}, {"State", false},
	{"For", true}, {"Routes in", true}, {"Rejected", true}, {"Routes out", true}, {"Waiting", true}, {"Flaps", true},
	{"Last error", false}, {NULL, false}};

/* What is shown of a neighbour in its line, copied: it may go. */
struct line {
	char name[64];
	struct neighbor_view v;
};

struct list {
	const struct quelld *q;
	struct line *line;
	size_t count, at;
};

static void copy_lines(struct list *j)
{
	const struct neighbor *n = NULL;
	size_t all = 0;

	while ((n = speaker_next_neighbor(j->q->speaker, n)) != NULL)
		all++;
	j->line = calloc(all + 1, sizeof(*j->line));
	if (!j->line)
		abort();
	while ((n = speaker_next_neighbor(j->q->speaker, n)) != NULL && j->count < all) {
		struct line *l = &j->line[j->count];
		neighbor_view(n, &l->v);
		if (!l->v.address.family)
			continue;
		snprintf(l->name, sizeof(l->name), "%s", l->v.name ? l->v.name : "");
		j->count++;
	}
}

static void write_line(struct textbuf *out, const struct line *l)
{
	const struct neighbor_view *v = &l->v;
	char address[IP_TEXT];

	page_row(out);
	page_cell(out);
	page_link(out, "/neighbor", "address", ip_format(v->address, address));
	page_cell_end(out);
	page_cell_text(out, l->name);
	page_cell_number(out, v->remote_as);
	page_cell(out);
	write_state(out, v);
	page_cell_end(out);
	page_cell_age(out, since_sec(v->since_ms));
	page_cell_number(out, v->routes_in);
	page_cell_number(out, v->routes_refused);
	page_cell_number(out, v->routes_out);
	page_cell_number(out, v->queued_octets);
	page_cell_number(out, v->flaps);
	textbuf_put(out, "<td class=\"wide\">");
	page_foreign(out, v->last_error);
	page_cell_end(out);
	page_row_end(out);
}

static bool list_body(void *job, struct textbuf *out)
{
	struct list *j = job;

	if (!j->line) {
		copy_lines(j);
		page_table(out, columns);
		return true;
	}
	if (j->at == j->count) {
		page_table_end(out);
		return false;
	}
	write_line(out, &j->line[j->at++]);
	return true;
}

static void list_free(void *job)
{
	free(((struct list *)job)->line);
	free(job);
}

void pages_neighbors(const struct quelld *q, const struct http_request *r, struct http_answer *ret)
{
	struct page p = pages_begin(q, r, "Neighbors", "/neighbors");
	struct list *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->q = q;
	p.body = list_body;
	p.release = list_free;
	p.job = j;
	page_answer(ret, &p);
}

/* --- one --- */

struct one {
	const struct quelld *q;
	struct ip address;
};

static void write_session(struct textbuf *out, const struct neighbor_view *v)
{
	const struct {
		bool on;
		const char *name;
	} agreed[] = {{v->gr, "graceful restart"}, {v->long_lived, "long-lived graceful restart"},
		{v->extended_message, "extended messages"}, {v->as4, "4-octet AS numbers"},
		{v->enhanced_refresh, "enhanced route refresh"}, {v->add_path_in, "additional paths in"},
		{v->add_path_out, "additional paths out"}, {v->rt_constrain, "route target constraint"}};
	bool any = false;

	page_item(out, "State");
	write_state(out, v);
	textbuf_put(out, " for ");
	page_age(out, since_sec(v->since_ms));
	if (v->name && *v->name)
		page_item_text(out, "Name", v->name);
	page_item(out, "AS");
	textbuf_printf(out, "%u, %s%s%s", v->remote_as, v->ibgp ? "iBGP" : "eBGP", v->client ? ", client" : "",
		v->dynamic ? ", dynamic" : "");
	page_item(out, "Router id");
	page_ip(out, ip_v4_u32(v->router_id));
	page_item(out, "Local address");
	page_ip(out, v->local);
	page_item(out, "Hold time");
	textbuf_printf(out, "%u s", v->hold_sec);
	page_item(out, "Agreed on");
	for (size_t i = 0; i < sizeof(agreed) / sizeof(agreed[0]); i++)
		if (agreed[i].on) {
			textbuf_printf(out, "%s%s", any ? ", " : "", agreed[i].name);
			any = true;
		}
	if (!any)
		textbuf_put(out, "nothing");
	if (v->role)
		page_item_text(out, "Our role", v->role);
	if (v->peer_role)
		page_item_text(out, "Its role", v->peer_role);
	if (v->last_error[0])
		page_item_text(out, "Last error", v->last_error);
}

static void write_counts(struct textbuf *out, const struct neighbor_view *v)
{
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {{"Routes told to it", v->routes_out}, {"Stale routes", v->routes_stale},
		{"Messages in", v->msgs_in}, {"Messages out", v->msgs_out}, {"Updates in", v->updates_in},
		{"Updates out", v->updates_out}, {"Octets in", v->octets_in}, {"Octets out", v->octets_out},
		{"Octets waiting", v->queued_octets}, {"Flaps", v->flaps},
		{"Errors: treated as withdraw", v->treat_as_withdraw}, {"Errors: attribute discarded", v->attr_discard},
		{"Errors: route discarded", v->nlri_discard}, {"Errors: route withdrawn", v->nlri_withdraw},
		{"Withheld (conservative)", v->withheld}};

	page_item(out, "Routes from it");
	textbuf_printf(out, "%u", v->routes_in);
	if (v->max_routes)
		textbuf_printf(out, " of %u at most", v->max_routes);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		page_item_number(out, rows[i].name, rows[i].n);
}

static void write_types(struct textbuf *out, const struct neighbor_view *v)
{
	static const char *const types[] = {[1] = "Ethernet A-D", [2] = "MAC/IP", [3] = "inclusive multicast",
		[4] = "Ethernet segment", [5] = "IP prefix"};

	for (unsigned i = 0; i < BGP_CLASSES; i++) {
		if (!v->routes_by_class[i])
			continue;
		page_item(out, i < sizeof(types) / sizeof(types[0]) && types[i] ? types[i] : "other");
		textbuf_printf(out, "%u", v->routes_by_class[i]);
		if (v->max_by_class[i])
			textbuf_printf(out, " of %u at most", v->max_by_class[i]);
	}
}

static void write_refused(struct textbuf *out, const struct speaker *s, const struct neighbor_view *v)
{
	static const struct page_column refused[] = {{"Reason", false}, {"Routes, ever", true}, {NULL, false}};
	char address[IP_TEXT];

	page_table(out, refused);
	for (unsigned i = 1; i < REFUSED_MAX; i++) {
		if (!v->refused[i])
			continue;
		page_row(out);
		page_cell_text(out, speaker_reason(s, (uint8_t)i));
		page_cell_number(out, v->refused[i]);
		page_row_end(out);
	}
	page_table_end(out);
	textbuf_put(out, "<p><a href=\"/rejected?neighbor=");
	page_url(out, ip_format(v->address, address));
	textbuf_printf(out, "\">Those that are kept: %u</a></p>\n", v->routes_refused);
}

static bool one_body(void *job, struct textbuf *out)
{
	const struct one *j = job;
	const struct neighbor *n = speaker_find_neighbor(j->q->speaker, j->address, NULL);
	struct neighbor_view v;
	bool any = false;

	if (!n) {
		page_note(out, "There is no such neighbor.");
		return false;
	}
	neighbor_view(n, &v);
	page_list(out);
	write_session(out, &v);
	page_list_end(out);
	page_heading(out, "Counts");
	page_list(out);
	write_counts(out, &v);
	write_types(out, &v);
	page_list_end(out);
	for (unsigned i = 1; i < REFUSED_MAX; i++)
		any |= v.refused[i] > 0;
	page_heading(out, "Refused");
	if (any)
		write_refused(out, j->q->speaker, &v);
	else
		page_note(out, "Nothing.");
	return false;
}

void pages_neighbor(const struct quelld *q, const struct http_request *r, struct http_answer *ret)
{
	char title[IP_TEXT + 16], address[IP_TEXT];
	struct ip ip;

	if (ip_parse(http_param(r, "address"), &ip) < 0)
		return;
	snprintf(title, sizeof(title), "Neighbor %s", ip_format(ip, address));
	struct page p = pages_begin(q, r, title, "/neighbors");
	struct one *j = calloc(1, sizeof(*j));
	if (!j)
		abort();
	*j = (struct one){q, ip};
	p.body = one_body;
	p.release = free;
	p.job = j;
	page_answer(ret, &p);
}
