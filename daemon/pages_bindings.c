/* Who has which address in a LAN, as the agent's books have it, in order, a hundred a page; those of one MAC, address or member; and
 * who calls in vain. The books are walked a part at a time, as in pages_lan.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/agent_sponge.h"
#include "daemon/loop.h"
#include "daemon/pages_agent.h"

#define PAGE_ROWS 100
#define WALK_SLOTS 512

static const struct page_column columns[] = {{"Address", false}, {"MAC", false}, {"Where", false}, {"Member", false},
	{"Source", false}, {"State", false}, {"Seen", true}, {NULL, false}};

struct bindings_page {
	struct agent *a;
	uint32_t lan, last_lan; /* from, to */
	bool search;
	struct mac mac; /* what is asked for */
	struct ip ip;
	uint32_t asn;
	size_t slot, at;
	bool begun, walked;
	struct binding_view after;
	struct page_keep keep;
};

static int by_ip(const void *a, const void *b)
{
	return ip_cmp(((const struct binding_view *)a)->ip, ((const struct binding_view *)b)->ip);
}

static const struct registry_port *owner_of(const struct agent_lan *lan, const struct binding_view *v)
{
	const struct registry_port *p = NULL;

	if (!lan->registry)
		return NULL;
	if (!ip_is_link_local(v->ip))
		p = registry_by_ip(lan->registry, v->ip);
	return p ? p : registry_by_mac(lan->registry, v->mac);
}

static bool is_wanted(const struct bindings_page *j, const struct binding_view *v)
{
	const struct agent_lan *lan = &j->a->lans[j->lan];

	if (!j->search)
		return true;
	if (j->asn) {
		const struct registry_port *p = owner_of(lan, v);
		return p && lan->registry->members[p->member].asn == j->asn;
	}
	return j->ip.family ? ip_eq(v->ip, j->ip) : mac_eq(v->mac, j->mac);
}

static void keep(void *arg, const struct binding_view *v)
{
	struct bindings_page *j = arg;

	if (is_wanted(j, v))
		page_keep_row(&j->keep, v);
}

static void write_state(struct textbuf *out, const struct binding_view *v)
{
	const char *state = v->duplicate		 ? "duplicate"
			    : v->source == SOURCE_SPONGE ? "sponged"
			    : v->dead			 ? "not there"
			    : v->awaited		 ? "awaited"
			    : v->flags & BIND_SILENT	 ? "silent"
			    : v->stale			 ? "stale"
							 : "active";

	page_cell(out);
	page_state(out, v->duplicate ? "bad" : strcmp(state, "active") == 0 ? "good" : "warn", state);
	page_cell_end(out);
}

static void write_where(struct textbuf *out, const struct agent_lan *lan, const struct binding_view *v)
{
	static const char *const places[] = {[PLACE_NOWHERE] = "", [PLACE_SELF] = "this PE", [PLACE_TRAP] = "nowhere"};

	if (v->place == PLACE_PORT) {
		pages_agent_port(out, agent_port_find(lan, v->ifindex));
		return;
	}
	page_cell(out);
	if (v->place == PLACE_REMOTE)
		page_ip(out, v->vtep);
	else
		textbuf_put(out, places[v->place]);
	page_cell_end(out);
}

static void write_row(struct textbuf *out, const struct agent_lan *lan, const struct binding_view *v)
{
	static const char *const sources[] = {"none", "registry", "learned", "EVPN", "sponge"};
	uint64_t now = loop_now_ms();
	char text[IP_TEXT];

	page_row(out);
	page_cell(out);
	page_link(out, "/search", "q", ip_format(v->ip, text));
	page_cell_end(out);
	page_cell(out);
	page_link(out, "/search", "q", mac_format(v->mac, text));
	page_cell_end(out);
	write_where(out, lan, v);
	page_cell_member(out, lan->registry, owner_of(lan, v));
	page_cell_text(out, sources[v->source]);
	write_state(out, v);
	page_cell(out);
	if (v->seen_ms) {
		page_age(out, now > v->seen_ms ? (now - v->seen_ms) / 1000 : 0);
		textbuf_put(out, " ago");
	}
	page_cell_end(out);
	page_row_end(out);
}

static void write_foot(const struct bindings_page *j, struct textbuf *out)
{
	const char *lan = j->a->lans[j->lan].c->name;
	const struct binding_view *last = j->keep.count ? page_kept(&j->keep, j->keep.count - 1) : NULL;
	char text[IP_TEXT];

	if (j->search)
		return;
	textbuf_put(out, "<nav>");
	if (j->keep.after) {
		textbuf_put(out, "<a href=\"/bindings?lan=");
		page_url(out, lan);
		textbuf_put(out, "\">First page</a>");
	}
	if (j->keep.more) {
		textbuf_put(out, "<a rel=\"next\" href=\"/bindings?lan=");
		page_url(out, lan);
		textbuf_put(out, "&amp;after=");
		page_url(out, ip_format(last->ip, text));
		textbuf_put(out, "\">Next page</a>");
	}
	textbuf_put(out, "</nav>\n");
}

static void begin_lan(const struct bindings_page *j, struct textbuf *out)
{
	if (j->search) {
		char heading[48];
		snprintf(heading, sizeof(heading), "In LAN %s", j->a->lans[j->lan].c->name);
		page_heading(out, heading);
	}
	if (!j->keep.count) {
		page_note(out, "None.");
		return;
	}
	textbuf_printf(out, "<p>%zu addresses%s.</p>\n", j->keep.matched,
		j->keep.more || j->keep.after ? ", a hundred a page" : "");
	page_table(out, columns);
}

/* True: another one follows. */
static bool end_lan(struct bindings_page *j, struct textbuf *out)
{
	if (j->keep.count)
		page_table_end(out);
	write_foot(j, out);
	j->walked = false;
	j->slot = j->at = j->keep.count = j->keep.matched = 0;
	j->keep.more = false;
	return ++j->lan < j->last_lan;
}

static bool body(void *job, struct textbuf *out)
{
	struct bindings_page *j = job;
	const struct agent_lan *lan = &j->a->lans[j->lan];

	if (!j->begun) {
		j->begun = true;
		textbuf_put(out, "<nav>");
		for (uint32_t i = 0; !j->search && j->a->lan_count > 1 && i < j->a->lan_count; i++)
			page_link(out, "/bindings", "lan", j->a->lans[i].c->name);
		textbuf_put(out, "</nav>\n");
		return true;
	}
	if (!j->walked) {
		j->walked = !bindings_walk(lan->books, &j->slot, WALK_SLOTS, keep, j);
		if (j->walked)
			begin_lan(j, out);
		return true;
	}
	if (j->at < j->keep.count) {
		write_row(out, lan, page_kept(&j->keep, j->at++));
		return true;
	}
	return end_lan(j, out);
}

static void page_free(void *job)
{
	page_keep_free(&((struct bindings_page *)job)->keep);
	free(job);
}

static struct bindings_page *page_new(struct agent *a)
{
	struct bindings_page *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->a = a;
	j->keep = (struct page_keep){.size = sizeof(struct binding_view), .limit = PAGE_ROWS, .compare = by_ip};
	return j;
}

void pages_bindings(struct agent *a, const struct http_request *r, struct http_answer *ret)
{
	const char *name = http_param(r, "lan");
	const struct agent_lan *lan = *name ? agent_lan_by_name(a, name) : a->lan_count ? &a->lans[0] : NULL;
	struct bindings_page *j;
	char title[64];

	if (!lan)
		return;
	snprintf(title, sizeof(title), "Addresses of LAN %s", lan->c->name);
	struct page p = pages_agent_begin(a, r, title, "/bindings");
	j = page_new(a);
	j->lan = (uint32_t)(lan - a->lans);
	j->last_lan = j->lan + 1;
	if (ip_parse(http_param(r, "after"), &j->after.ip) == 0)
		j->keep.after = &j->after;
	p.body = body;
	p.release = page_free;
	p.job = j;
	page_answer(ret, &p);
}

/* --- search --- */

static bool read_query(struct bindings_page *j, const char *text)
{
	text += strspn(text, " \t");
	if (mac_parse(text, &j->mac) == 0 || ip_parse(text, &j->ip) == 0)
		return true;
	if (strncasecmp(text, "AS", 2) == 0)
		text += 2;
	if (!*text || strlen(text) > 10 || strspn(text, "0123456789") != strlen(text))
		return false;
	unsigned long long n = strtoull(text, NULL, 10);
	j->asn = (uint32_t)n;
	return n > 0 && n <= UINT32_MAX;
}

static bool say_what(void *job, struct textbuf *out)
{
	(void)job;
	page_note(out, "Search for a MAC (02:00:5e:00:00:01), an address (198.18.0.1, 2001:db8:100::1) or an AS number "
		       "(AS64500).");
	return false;
}

void pages_agent_search(struct agent *a, const struct http_request *r, struct http_answer *ret)
{
	const char *query = http_param(r, "q");
	struct page p = pages_agent_begin(a, r, *query ? query : "Search", "/search");
	struct bindings_page *j = page_new(a);

	p.query = query;
	j->search = true;
	j->last_lan = a->lan_count;
	p.body = read_query(j, query) && a->lan_count ? body : say_what;
	p.release = page_free;
	p.job = j;
	page_answer(ret, &p);
}

/* --- callers --- */

static const struct page_column caller_columns[] = {{"Calls", false}, {"What", false}, {"Whose", false}, {"Port", false},
	{"MAC", false}, {"Who", false}, {"ARP", true}, {"NS", true}, {"BGP", true}, {"Other", true}, {"Last", true},
	{NULL, false}};

#define CALLERS_SHOWN 200

struct callers_page {
	struct agent *a;
	uint32_t lan;
	size_t slot, at;
	bool walked;
	struct page_keep keep;
};

/* Who calls most comes first. */
static int by_calls(const void *a, const void *b)
{
	const struct caller *x = a, *y = b;
	uint64_t m = x->arp + x->ns + x->syn + x->data, n = y->arp + y->ns + y->syn + y->data;

	return (m < n) - (m > n);
}

static void keep_caller(void *arg, const struct caller *row)
{
	page_keep_row(arg, row);
}

static void caller_row(struct textbuf *out, const struct agent_lan *lan, const struct caller *c)
{
	const struct registry *r = lan->registry;
	bool alive, beyond = ip_is_unspecified(c->target);
	const char *what = agent_sponge_target(lan, c->target, &alive);
	const uint64_t counts[] = {c->arp, c->ns, c->syn, c->data};
	uint64_t now = loop_now_ms();

	/* It came to life since. */
	if (alive)
		return;
	page_row(out);
	page_cell_ip(out, beyond ? (struct ip){0} : c->target);
	page_cell_text(out, beyond ? "beyond the LAN" : what);
	page_cell_member(out, r, r && !beyond ? registry_by_ip(r, c->target) : NULL);
	pages_agent_port(out, agent_port_find(lan, c->ifindex));
	page_cell_mac(out, c->mac);
	page_cell_member(out, r, r ? registry_by_mac(r, c->mac) : NULL);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		page_cell_number(out, counts[i]);
	page_cell(out);
	page_age(out, now > c->last_ms ? (now - c->last_ms) / 1000 : 0);
	textbuf_put(out, " ago");
	page_cell_end(out);
	page_row_end(out);
}

static bool callers_body(void *job, struct textbuf *out)
{
	struct callers_page *j = job;
	const struct agent_lan *lan = &j->a->lans[j->lan];

	if (j->lan == j->a->lan_count)
		return false;
	if (!j->walked) {
		char heading[48];
		j->walked = !callers_walk(lan->sponge->callers, &j->slot, WALK_SLOTS, keep_caller, &j->keep);
		if (!j->walked)
			return true;
		snprintf(heading, sizeof(heading), "In LAN %s", lan->c->name);
		page_heading(out, heading);
		if (j->keep.count)
			page_table(out, caller_columns);
		else
			page_note(out, "Nobody.");
		return true;
	}
	if (j->at < j->keep.count) {
		caller_row(out, lan, page_kept(&j->keep, j->at++));
		return true;
	}
	if (j->keep.count)
		page_table_end(out);
	j->walked = false;
	j->slot = j->at = j->keep.count = 0;
	j->lan++;
	return true;
}

static void callers_page_free(void *job)
{
	page_keep_free(&((struct callers_page *)job)->keep);
	free(job);
}

void pages_callers(struct agent *a, const struct http_request *r, struct http_answer *ret)
{
	struct page p = pages_agent_begin(a, r, "Calls in vain", "/callers");
	struct callers_page *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->a = a;
	j->keep = (struct page_keep){.size = sizeof(struct caller), .limit = CALLERS_SHOWN, .compare = by_calls};
	p.body = callers_body;
	p.release = callers_page_free;
	p.job = j;
	page_answer(ret, &p);
}
