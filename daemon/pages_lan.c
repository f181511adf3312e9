/* Who is where in a peering LAN: its MACs, or its addresses, in order, a hundred a page. The tables are hash tables, and large ones
 * are walked over several turns; a page keeps the hundred that come after the last one of the page before, so it takes no
 * memory to speak of, and stays right while entries come and go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/pages_quelld.h"
#include "daemon/quelld_lans.h"
#include "evpn/lan.h"

#define PAGE_ROWS 100
#define WALK_SLOTS 1024

/* --- an entry --- */

const struct page_column pages_entry_columns[] = {{"Address", false}, {"MAC", false}, {"Where", false},
	{"Member", false}, {"Port", false}, {"Sequence", true}, {"Remarks", false}, {NULL, false}};

static void write_remarks(struct textbuf *out, const struct lan_entry *e)
{
	static const struct {
		uint8_t flag;
		const char *word;
		bool bad;
	} rows[] = {{LAN_DUPLICATE, "duplicate", true}, {LAN_STALE, "stale", false}, {LAN_STICKY, "sticky", false},
		{LAN_IMMUTABLE, "immutable", false}};
	bool any = false;

	page_cell(out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(e->flags & rows[i].flag))
			continue;
		textbuf_put(out, any ? ", " : "");
		page_state(out, rows[i].bad ? "bad" : "dim", rows[i].word);
		any = true;
	}
	page_cell_end(out);
}

void pages_entry_row(struct textbuf *out, const struct lan_entry *e, const struct registry *r)
{
	const struct registry_port *by_mac = r ? registry_by_mac(r, e->mac) : NULL,
				   *by_ip = r && e->ip.family && !ip_is_link_local(e->ip) ? registry_by_ip(r, e->ip) : NULL,
				   *p = by_ip ? by_ip : by_mac;
	char text[IP_TEXT];

	page_row(out);
	page_cell(out);
	if (e->ip.family)
		page_link(out, "/search", "q", ip_format(e->ip, text));
	page_cell_end(out);
	page_cell(out);
	page_link(out, "/search", "q", mac_format(e->mac, text));
	page_cell_end(out);
	page_cell(out);
	if (e->local)
		page_state(out, "good", "here");
	else
		page_ip(out, e->vtep);
	page_cell_end(out);
	page_cell_member(out, r, p);
	page_cell(out);
	if (p)
		page_foreign(out, p->port[0] ? p->port : p->sw);
	page_cell_end(out);
	page_cell_number(out, e->seq);
	if (r && (!by_mac || (by_ip && by_mac->member != by_ip->member))) {
		page_cell(out);
		page_state(out, "warn", !by_mac ? "not registered" : "another member's MAC");
		page_cell_end(out);
	} else {
		write_remarks(out, e);
	}
	page_row_end(out);
}

/* --- the page --- */

struct lan_page {
	const struct quelld *q;
	char name[32];
	bool macs;
	size_t slot, at;
	bool begun, walked;
	struct lan_entry after;
	struct page_keep keep;
};

static int by_mac(const void *a, const void *b)
{
	return memcmp(((const struct lan_entry *)a)->mac.b, ((const struct lan_entry *)b)->mac.b, 6);
}

static int by_ip(const void *a, const void *b)
{
	return ip_cmp(((const struct lan_entry *)a)->ip, ((const struct lan_entry *)b)->ip);
}

static bool keep(void *arg, const struct lan_entry *e)
{
	page_keep_row(arg, e);
	return true;
}

static void tab(struct textbuf *out, const struct lan_page *j, const char *what, const char *title, bool current)
{
	textbuf_put(out, "<a href=\"/lan?name=");
	page_url(out, j->name);
	textbuf_printf(out, "&amp;what=%s\"%s>%s</a> ", what, current ? " aria-current=\"page\"" : "", title);
}

static void write_head(struct lan_page *j, struct textbuf *out)
{
	const struct lans *all = quelld_lans_table(j->q->lans);

	textbuf_put(out, "<nav>");
	for (struct lan *l = lans_next(all, NULL); l; l = lans_next(all, l))
		if (strcmp(lan_config(l)->name, j->name) != 0)
			page_link(out, "/lan", "name", lan_config(l)->name);
	tab(out, j, "addresses", "Addresses", !j->macs);
	tab(out, j, "macs", "MACs", j->macs);
	textbuf_put(out, "</nav>\n");
}

static void write_foot(const struct lan_page *j, struct textbuf *out)
{
	const struct lan_entry *last = j->keep.count ? page_kept(&j->keep, j->keep.count - 1) : NULL;
	char text[IP_TEXT];

	textbuf_put(out, "<nav>");
	if (j->keep.after)
		tab(out, j, j->macs ? "macs" : "addresses", "First page", false);
	if (j->keep.more) {
		textbuf_put(out, "<a rel=\"next\" href=\"/lan?name=");
		page_url(out, j->name);
		textbuf_printf(out, "&amp;what=%s&amp;after=", j->macs ? "macs" : "addresses");
		page_url(out, j->macs ? mac_format(last->mac, text) : ip_format(last->ip, text));
		textbuf_put(out, "\">Next page</a>");
	}
	textbuf_put(out, "</nav>\n");
}

/* True: there is more to walk. */
static bool walk(struct lan_page *j)
{
	const struct lan *lan = lans_find(quelld_lans_table(j->q->lans), j->name);

	if (!lan)
		return false;
	return j->macs ? lan_walk_macs(lan, &j->slot, WALK_SLOTS, keep, &j->keep)
		       : lan_walk_bindings(lan, &j->slot, WALK_SLOTS, keep, &j->keep);
}

static bool body(void *job, struct textbuf *out)
{
	struct lan_page *j = job;

	if (!j->begun) {
		j->begun = true;
		write_head(j, out);
	} else if (!j->walked) {
		j->walked = !walk(j);
		if (!j->walked)
			return true;
		textbuf_printf(out, "<p>%zu %s in all%s.</p>\n", j->keep.matched, j->macs ? "MACs" : "addresses",
			j->keep.more || j->keep.after ? ", a hundred a page" : "");
		if (j->keep.count)
			page_table(out, pages_entry_columns);
	} else if (j->at < j->keep.count) {
		pages_entry_row(out, page_kept(&j->keep, j->at++), pages_registry(j->q, j->name));
	} else {
		if (j->keep.count)
			page_table_end(out);
		write_foot(j, out);
		return false;
	}
	return true;
}

static void page_free(void *job)
{
	struct lan_page *j = job;

	page_keep_free(&j->keep);
	free(j);
}

static void read_after(struct lan_page *j, const char *text)
{
	if (j->macs ? mac_parse(text, &j->after.mac) == 0 : ip_parse(text, &j->after.ip) == 0)
		j->keep.after = &j->after;
}

void pages_lan(const struct quelld *q, const struct http_request *r, struct http_answer *ret)
{
	const struct lans *all = quelld_lans_table(q->lans);
	const char *name = http_param(r, "name");
	const struct lan *lan = *name ? lans_find(all, name) : lans_next(all, NULL);
	struct lan_page *j;
	char title[48];

	if (!lan)
		return;
	snprintf(title, sizeof(title), "LAN %s", lan_config(lan)->name);
	struct page p = pages_begin(q, r, title, "/lan");
	j = calloc(1, sizeof(*j));
	if (!j)
		abort();
	j->q = q;
	memcpy(j->name, lan_config(lan)->name, sizeof(j->name));
	j->macs = strcmp(http_param(r, "what"), "macs") == 0;
	j->keep = (struct page_keep){
		.size = sizeof(struct lan_entry), .limit = PAGE_ROWS, .compare = j->macs ? by_mac : by_ip};
	read_after(j, http_param(r, "after"));
	p.body = body;
	p.release = page_free;
	p.job = j;
	page_answer(ret, &p);
}
