/* What is known of a MAC, an address or a member: who is registered, where they are, and every route that names them, from each
 * PE; and the routes that were rejected. The RIB is walked a part at a time: a page about a million routes takes longer to come,
 * and holds nobody up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bgp/speaker.h"
#include "daemon/loop.h"
#include "daemon/pages_quelld.h"
#include "daemon/quelld_lans.h"
#include "evpn/family.h"
#include "evpn/lan.h"
#include "evpn/nlri.h"

#define ROUTES_SHOWN 200
#define ENTRIES_SHOWN 200
#define WANTED_MAX 256 /* MACs and addresses of a member */
#define WALK_SLOTS 256

/* A path, copied. */
struct route {
	char *text; /* the route */
	struct ip next_hop, from;
	uint64_t since_ms;
	const char *refused; /* constant; NULL: it was not */
	bool best, stale;
};

struct routes_page {
	const struct quelld *q;
	/* what is asked for: any of these; none: every rejected route */
	struct mac mac[WANTED_MAX];
	struct ip ip[WANTED_MAX];
	size_t macs, ips;
	uint32_t asn;
	bool search, by_asn;
	struct ip neighbor; /* of rejected routes: from whom; family 0: anybody */
	/* how far it is */
	enum { BEGIN, REGISTERED, ENTRIES, ENTRY_ROWS, WALK, ROUTE_ROWS, DONE } part;
	size_t lan, slot, row, port;
	bool macs_done;
	char (*name)[32];
	size_t names;
	struct page_keep entries; /* of the LAN that is walked */
	struct route_walk at;
	struct route route[ROUTES_SHOWN];
	size_t routes, matched;
};

/* --- what is asked for --- */

static bool wants_mac(const struct routes_page *j, struct mac mac)
{
	for (size_t i = 0; i < j->macs; i++)
		if (mac_eq(j->mac[i], mac))
			return true;
	return false;
}

static bool wants_ip(const struct routes_page *j, struct ip ip)
{
	for (size_t i = 0; ip.family && i < j->ips; i++)
		if (ip_eq(j->ip[i], ip))
			return true;
	return false;
}

/* "AS64500", "64500" */
static bool read_asn(const char *text, uint32_t *ret)
{
	if (strncasecmp(text, "AS", 2) == 0)
		text += 2;
	if (!*text || strlen(text) > 10 || strspn(text, "0123456789") != strlen(text))
		return false;
	unsigned long long n = strtoull(text, NULL, 10);
	*ret = (uint32_t)n;
	return n > 0 && n <= UINT32_MAX;
}

/* Spaces around it come with what was copied from elsewhere. */
static bool read_query(struct routes_page *j, const char *query)
{
	char text[80];

	query += strspn(query, " \t");
	snprintf(text, sizeof(text), "%s", query);
	for (size_t len = strlen(text); len && text[len - 1] == ' '; len--)
		text[len - 1] = '\0';
	if (mac_parse(text, &j->mac[0]) == 0)
		j->macs = 1;
	else if (ip_parse(text, &j->ip[0]) == 0)
		j->ips = 1;
	else
		j->by_asn = read_asn(text, &j->asn);
	return j->macs || j->ips || j->by_asn;
}

/* --- the registry --- */

static const struct page_column port_columns[] = {{"Member", false}, {"LAN", false}, {"Port", false}, {"Switch", false},
	{"PE", false}, {"Status", false}, {"MACs", false}, {"Addresses", false}, {NULL, false}};

static bool is_meant(const struct routes_page *j, const struct registry *r, const struct registry_port *p)
{
	if (j->by_asn)
		return r->members[p->member].asn == j->asn;
	for (int i = 0; i < p->mac_count; i++)
		if (wants_mac(j, p->macs[i]))
			return true;
	for (int i = 0; i < p->ip_count; i++)
		if (wants_ip(j, p->ips[i]))
			return true;
	return false;
}

static void port_row(struct textbuf *out, const char *lan, const struct registry *r, const struct registry_port *p)
{
	static const char *const status[] = {"active", "quarantine", "disabled"};

	page_row(out);
	page_cell_member(out, r, p);
	page_cell_text(out, lan);
	page_cell_text(out, p->port);
	page_cell_text(out, p->sw);
	page_cell_ip(out, p->pe ? ip_v4_u32(p->pe) : (struct ip){0});
	page_cell(out);
	page_state(out, p->status == REGISTRY_ACTIVE ? "good" : "bad", status[p->status]);
	page_cell_end(out);
	page_cell(out);
	for (int i = 0; i < p->mac_count; i++) {
		textbuf_put(out, i ? "<br>" : "");
		page_mac(out, p->macs[i]);
		if (i >= p->mac_count - p->former_count)
			textbuf_put(out, " (former)");
	}
	page_cell_end(out);
	page_cell(out);
	for (int i = 0; i < p->ip_count; i++) {
		textbuf_put(out, i ? "<br>" : "");
		page_ip(out, p->ips[i]);
	}
	page_cell_end(out);
	page_row_end(out);
}

static void want_port(struct routes_page *j, const struct registry_port *p)
{
	for (int i = 0; i < p->mac_count && j->macs < WANTED_MAX; i++)
		j->mac[j->macs++] = p->macs[i];
	for (int i = 0; i < p->ip_count && j->ips < WANTED_MAX; i++)
		if (!ip_is_link_local(p->ips[i]))
			j->ip[j->ips++] = p->ips[i];
}

/* A port a step; true: there is more. Ports of a registry that a reload takes away in the middle are another's. */
static bool registered_step(struct routes_page *j, struct textbuf *out)
{
	const struct registry *r = j->lan < j->names ? pages_registry(j->q, j->name[j->lan]) : NULL;

	if (j->lan == j->names)
		return false;
	if (!r || j->port >= r->port_count) {
		j->lan++;
		j->port = 0;
		return true;
	}
	for (size_t i = 0; i < 16 && j->port < r->port_count; i++) {
		const struct registry_port *p = &r->ports[j->port++];
		if (!is_meant(j, r, p))
			continue;
		if (!j->row++) {
			page_heading(out, "Registered");
			page_table(out, port_columns);
		}
		port_row(out, j->name[j->lan], r, p);
		if (j->by_asn)
			want_port(j, p);
	}
	return true;
}

/* --- the LANs --- */

static int by_place(const void *a, const void *b)
{
	const struct lan_entry *x = a, *y = b;
	int c = ip_cmp(x->ip, y->ip);

	return c ? c : memcmp(x->mac.b, y->mac.b, 6);
}

static bool keep_entry(void *arg, const struct lan_entry *e)
{
	struct routes_page *j = arg;

	if (wants_mac(j, e->mac) || wants_ip(j, e->ip))
		page_keep_row(&j->entries, e);
	return true;
}

/* True: there is more to walk in this LAN. */
static bool entries_step(struct routes_page *j)
{
	const struct lan *lan = lans_find(quelld_lans_table(j->q->lans), j->name[j->lan]);

	if (!lan)
		return false;
	if (!j->macs_done) {
		if (lan_walk_macs(lan, &j->slot, WALK_SLOTS, keep_entry, j))
			return true;
		j->macs_done = true;
		j->slot = 0;
		return true;
	}
	return lan_walk_bindings(lan, &j->slot, WALK_SLOTS, keep_entry, j);
}

static void begin_entries(struct routes_page *j, struct textbuf *out)
{
	char heading[48];

	snprintf(heading, sizeof(heading), "In LAN %s", j->name[j->lan]);
	page_heading(out, heading);
	if (!j->entries.count)
		page_note(out, "Nowhere.");
	else
		page_table(out, pages_entry_columns);
}

static void end_entries(struct routes_page *j, struct textbuf *out)
{
	if (j->entries.count)
		page_table_end(out);
	j->entries.count = j->entries.matched = 0;
	j->entries.more = j->macs_done = false;
	j->slot = 0;
	j->lan++;
}

/* --- routes --- */

static const struct page_column route_columns[] = {{"Route", false}, {"Next hop", false}, {"From", false},
	{"State", false}, {"For", true}, {NULL, false}};

static bool is_wanted(const struct routes_page *j, const struct route_view *r)
{
	struct evpn_route e = {0};
	struct neighbor_view v;

	if (r->family != &evpn_family)
		return false;
	if (j->search)
		return evpn_nlri_unpack(r->key, r->key_len, r->payload, r->payload_len, &e) == 0 &&
		       ((e.type == EVPN_MACIP && wants_mac(j, e.mac)) || wants_ip(j, e.ip));
	if (!r->refused || !j->neighbor.family)
		return r->refused;
	if (!r->from)
		return false;
	neighbor_view(r->from, &v);
	return ip_eq(v.address, j->neighbor);
}

static bool take_route(void *arg, const struct route_view *r)
{
	struct routes_page *j = arg;
	char text[BGP_NLRI_TEXT];
	struct neighbor_view v;

	if (!is_wanted(j, r) || j->matched++ >= ROUTES_SHOWN)
		return true;
	struct route *to = &j->route[j->routes++];
	*to = (struct route){
		.text = strdup(evpn_family.format(text, sizeof(text), r->key, r->key_len, r->payload, r->payload_len)),
		.next_hop = r->attrs->attrs.next_hop,
		.since_ms = r->since_ms,
		.refused = r->refused ? speaker_reason(j->q->speaker, r->refused) : NULL,
		.best = r->best,
		.stale = r->stale};
	if (!to->text)
		abort();
	if (r->from) {
		neighbor_view(r->from, &v);
		to->from = v.address;
	}
	return true;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct route *)a)->text, ((const struct route *)b)->text);
}

static void begin_routes(struct routes_page *j, struct textbuf *out)
{
	qsort(j->route, j->routes, sizeof(j->route[0]), by_text);
	if (j->search)
		page_heading(out, "Routes");
	if (!j->routes)
		page_note(out, "None.");
	else if (j->matched > j->routes)
		textbuf_printf(out, "<p>%zu of %zu; quell show routes has all.</p>\n", j->routes, j->matched);
	if (j->routes)
		page_table(out, route_columns);
}

static void route_row(const struct route *r, struct textbuf *out)
{
	uint64_t now = loop_now_ms();
	char text[IP_TEXT];

	page_row(out);
	page_cell_text(out, r->text);
	page_cell_ip(out, r->next_hop);
	page_cell(out);
	if (r->from.family)
		page_link(out, "/neighbor", "address", ip_format(r->from, text));
	else
		textbuf_put(out, "here");
	page_cell_end(out);
	page_cell(out);
	if (r->refused)
		page_state(out, "bad", r->refused);
	else
		page_state(out, r->best ? "good" : "dim", r->best ? "best" : "not best");
	if (r->stale)
		textbuf_put(out, ", stale");
	page_cell_end(out);
	page_cell_age(out, now > r->since_ms ? (now - r->since_ms) / 1000 : 0);
	page_row_end(out);
}

/* --- the page --- */

static void name_lans(struct routes_page *j)
{
	const struct lans *all = quelld_lans_table(j->q->lans);
	size_t count = 0;

	for (struct lan *l = lans_next(all, NULL); l; l = lans_next(all, l))
		count++;
	j->name = calloc(count + 1, sizeof(*j->name));
	if (!j->name)
		abort();
	for (struct lan *l = lans_next(all, NULL); l; l = lans_next(all, l))
		memcpy(j->name[j->names++], lan_config(l)->name, sizeof(j->name[0]));
}

static void end_registered(struct routes_page *j, struct textbuf *out)
{
	if (j->row)
		page_table_end(out);
	else if (j->by_asn)
		page_note(out, "No such member is registered in a LAN of ours.");
	j->row = j->lan = 0;
	j->part = j->macs || j->ips ? ENTRIES : DONE;
}

static void entries_part(struct routes_page *j, struct textbuf *out)
{
	if (j->lan == j->names) {
		j->part = WALK;
	} else if (!entries_step(j)) {
		begin_entries(j, out);
		j->part = ENTRY_ROWS;
	}
}

static void entry_rows_part(struct routes_page *j, struct textbuf *out)
{
	if (j->row < j->entries.count) {
		pages_entry_row(out, page_kept(&j->entries, j->row++), pages_registry(j->q, j->name[j->lan]));
		return;
	}
	end_entries(j, out);
	j->row = 0;
	j->part = ENTRIES;
}

static bool body(void *job, struct textbuf *out)
{
	struct routes_page *j = job;

	switch (j->part) {
	case BEGIN:
		if (j->search)
			name_lans(j);
		j->part = !j->search ? WALK : REGISTERED;
		break;
	case REGISTERED:
		if (!registered_step(j, out))
			end_registered(j, out);
		break;
	case ENTRIES:
		entries_part(j, out);
		break;
	case ENTRY_ROWS:
		entry_rows_part(j, out);
		break;
	case WALK:
		if (speaker_walk_routes(j->q->speaker, &j->at, WALK_SLOTS, take_route, j))
			break;
		begin_routes(j, out);
		j->part = ROUTE_ROWS;
		break;
	case ROUTE_ROWS:
		if (j->row < j->routes) {
			route_row(&j->route[j->row++], out);
			break;
		}
		if (j->routes)
			page_table_end(out);
		j->part = DONE;
		break;
	case DONE:
		break;
	}
	return j->part != DONE;
}

static void page_free(void *job)
{
	struct routes_page *j = job;

	for (size_t i = 0; i < j->routes; i++)
		free(j->route[i].text);
	page_keep_free(&j->entries);
	free(j->name);
	free(j);
}

static struct routes_page *page_new(const struct quelld *q)
{
	struct routes_page *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->q = q;
	j->entries = (struct page_keep){
		.size = sizeof(struct lan_entry), .limit = ENTRIES_SHOWN, .compare = by_place};
	return j;
}

static bool say_what(void *job, struct textbuf *out)
{
	(void)job;
	page_note(out, "Search for a MAC (02:00:5e:00:00:01), an address (198.18.0.1, 2001:db8:100::1) or an AS number "
		       "(AS64500).");
	return false;
}

void pages_search(const struct quelld *q, const struct http_request *r, struct http_answer *ret)
{
	const char *query = http_param(r, "q");
	struct page p = pages_begin(q, r, *query ? query : "Search", "/search");
	struct routes_page *j = page_new(q);

	p.query = query;
	j->search = true;
	p.body = read_query(j, query) ? body : say_what;
	p.release = page_free;
	p.job = j;
	page_answer(ret, &p);
}

void pages_rejected(const struct quelld *q, const struct http_request *r, struct http_answer *ret)
{
	struct page p = pages_begin(q, r, "Rejected routes", "/rejected");
	struct routes_page *j = page_new(q);
	char title[IP_TEXT + 24], address[IP_TEXT];

	if (ip_parse(http_param(r, "neighbor"), &j->neighbor) == 0) {
		snprintf(title, sizeof(title), "Rejected routes of %s", ip_format(j->neighbor, address));
		p.title = title;
	}
	p.body = body;
	p.release = page_free;
	p.job = j;
	page_answer(ret, &p);
}
