#include "daemon/show_lan.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/jsontext.h"
#include "evpn/lan.h"
#include "evpn/policy.h"

enum section { MACS, BINDINGS, FLOOD, SECTIONS };

static const char *const section_name[] = {"macs", "bindings", "flood"};

struct rows {
	struct lan_entry *entry;
	size_t count, cap;
};

/* A LAN, copied. */
struct part {
	char name[32];
	uint32_t vni;
	struct ip vtep;
	bool originates;
	struct lan_stats stats;
	struct rows macs, bindings;
	struct ip *flood;
	size_t floods;
};

struct show_lan {
	const struct lans *lans;
	struct part *part;
	size_t parts;
	size_t copied; /* steps: SECTIONS of each LAN */
	/* what was written */
	bool begun;
	size_t at, row;
	enum section section; /* of part `at`, if `open` */
	bool open;
};

/* --- copying --- */

static void *room(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		abort();
	return p;
}

static bool copy_entry(void *arg, const struct lan_entry *e)
{
	struct rows *r = arg;

	if (r->count == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 256;
		r->entry = realloc(r->entry, r->cap * sizeof(*e));
		if (!r->entry)
			abort();
	}
	r->entry[r->count++] = *e;
	return true;
}

static bool copy_vtep(void *arg, struct ip vtep)
{
	struct part *p = arg;

	p->flood[p->floods++] = vtep;
	return true;
}

/* One table of one LAN: of a full one that is as much as the sessions should wait for. */
static void copy_step(struct show_lan *q)
{
	struct part *p = &q->part[q->copied / SECTIONS];
	const struct lan *lan = lans_find(q->lans, p->name);
	enum section section = q->copied++ % SECTIONS;

	if (!lan)
		return; /* it has gone in the meantime */
	switch (section) {
	case MACS:
		lan_each_mac(lan, copy_entry, &p->macs);
		break;
	case BINDINGS:
		lan_each_binding(lan, copy_entry, &p->bindings);
		break;
	default:
		lan_stats(lan, &p->stats);
		p->flood = room(p->stats.vteps, sizeof(p->flood[0]));
		lan_each_flood(lan, copy_vtep, p);
	}
}

static void begin(struct part *p, const struct lan *lan)
{
	const struct lan_config *c = lan_config(lan);

	memcpy(p->name, c->name, sizeof(p->name));
	p->vni = c->vni;
	p->vtep = c->vtep;
	p->originates = c->originates;
}

struct show_lan *show_lan_start(const struct lans *lans, const json_t *request, const char **ret_error)
{
	const char *only = json_string_value(json_object_get(request, "lan"));
	struct show_lan *q;
	size_t count = 0;

	if (only && !lans_find(lans, only)) {
		*ret_error = "no such LAN";
		return NULL;
	}
	for (struct lan *lan = lans_next(lans, NULL); lan; lan = lans_next(lans, lan))
		count++;
	q = room(1, sizeof(*q));
	q->lans = lans;
	q->part = room(count, sizeof(q->part[0]));
	for (struct lan *lan = lans_next(lans, NULL); lan; lan = lans_next(lans, lan))
		if (!only || strcmp(lan_config(lan)->name, only) == 0)
			begin(&q->part[q->parts++], lan);
	return q;
}

void show_lan_free(struct show_lan *q)
{
	for (size_t i = 0; q && i < q->parts; i++) {
		free(q->part[i].macs.entry);
		free(q->part[i].bindings.entry);
		free(q->part[i].flood);
	}
	if (q)
		free(q->part);
	free(q);
}

/* --- writing --- */

static void write_ip(struct jsontext *out, const char *key, struct ip ip)
{
	char text[IP_TEXT];

	jsontext_string(out, key, ip_format(ip, text));
}

static void write_entry(struct jsontext *out, const struct lan_entry *e)
{
	char m[MAC_TEXT];

	jsontext_open(out, NULL, '{');
	jsontext_string(out, "mac", mac_format(e->mac, m));
	if (e->ip.family)
		write_ip(out, "ip", e->ip);
	jsontext_bool(out, "local", e->local);
	if (e->local)
		jsontext_null(out, "vtep");
	else
		write_ip(out, "vtep", e->vtep);
	jsontext_number(out, "seq", e->seq);
	jsontext_bool(out, "sticky", e->flags & LAN_STICKY);
	jsontext_bool(out, "stale", e->flags & LAN_STALE);
	if (!e->ip.family)
		jsontext_bool(out, "duplicate", e->flags & LAN_DUPLICATE);
	if (e->ip.family) {
		jsontext_bool(out, "router", e->flags & LAN_ROUTER);
		jsontext_bool(out, "override", e->flags & LAN_OVERRIDE);
		jsontext_bool(out, "immutable", e->flags & LAN_IMMUTABLE);
	}
	jsontext_close(out, '}');
}

static void write_counts(struct jsontext *out, const struct lan_stats *s)
{
	jsontext_open(out, "counts", '{');
	jsontext_number(out, "macs_local", s->macs_local);
	jsontext_number(out, "macs_remote", s->macs_remote);
	jsontext_number(out, "macs_held", s->macs_held);
	jsontext_number(out, "bindings_local", s->bindings_local);
	jsontext_number(out, "bindings_remote", s->bindings_remote);
	jsontext_number(out, "vteps", s->vteps);
	jsontext_number(out, "moves", s->moves);
	jsontext_number(out, "refused_full", s->refused_full);
	jsontext_number(out, "not_imported", s->not_imported);
	jsontext_number(out, "foreign_vni", s->foreign_vni);
	jsontext_number(out, "duplicates", s->duplicates);
	jsontext_number(out, "duplicates_found", s->duplicates_found);
	jsontext_open(out, "flagged", '{');
	for (int v = 1; v < REGISTERED_VERDICTS; v++)
		if (s->flagged[v])
			jsontext_number(out, evpn_policy_flag_word((enum registered_verdict)v), s->flagged[v]);
	jsontext_close(out, '}');
	jsontext_number(out, "alarms", s->alarms);
	jsontext_close(out, '}');
}

static void write_head(struct jsontext *out, const struct part *p)
{
	jsontext_open(out, NULL, '{');
	jsontext_string(out, "name", p->name);
	jsontext_number(out, "vni", p->vni);
	write_ip(out, "vtep", p->vtep);
	jsontext_bool(out, "originates", p->originates);
	write_counts(out, &p->stats);
}

static void write_row(struct jsontext *out, const struct part *p, enum section section, size_t row)
{
	if (section == FLOOD)
		write_ip(out, NULL, p->flood[row]);
	else
		write_entry(out, section == MACS ? &p->macs.entry[row] : &p->bindings.entry[row]);
}

static size_t rows_of(const struct part *p, enum section section)
{
	return section == MACS ? p->macs.count : section == BINDINGS ? p->bindings.count : p->floods;
}

/* Of one LAN; true: there is more of it. */
static bool write_part(struct show_lan *q, struct jsontext *out, size_t stop)
{
	const struct part *p = &q->part[q->at];

	if (!q->open) {
		write_head(out, p);
		q->open = true;
		q->section = MACS;
		q->row = 0;
	}
	for (; q->section < SECTIONS; q->section++, q->row = 0) {
		if (q->row == 0)
			jsontext_open(out, section_name[q->section], '[');
		while (q->row < rows_of(p, q->section)) {
			write_row(out, p, q->section, q->row++);
			if (out->text.len >= stop)
				return true;
		}
		jsontext_close(out, ']');
	}
	jsontext_close(out, '}');
	q->open = false;
	q->at++;
	return false;
}

bool show_lan_write(struct show_lan *q, struct jsontext *out, size_t octets)
{
	size_t stop = out->text.len + octets;

	if (q->copied < SECTIONS * q->parts) {
		copy_step(q);
		return true;
	}
	if (!q->begun) {
		jsontext_open(out, NULL, '{');
		jsontext_open(out, "lans", '[');
		q->begun = true;
	}
	while (q->at < q->parts)
		if (write_part(q, out, stop) || out->text.len >= stop)
			return true;
	jsontext_close(out, ']');
	jsontext_close(out, '}');
	return false;
}
