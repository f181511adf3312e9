#include "daemon/show_routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/ecom.h"
#include "bgp/speaker.h"
#include "daemon/jsontext.h"
#include "daemon/loop.h"
#include "daemon/quelld_policy.h"
#include "evpn/ecom.h"
#include "evpn/family.h"
#include "evpn/lan.h"
#include "evpn/nlri.h"

#define COMMUNITIES_TEXT 1024
#define RECORD_TAIL 80 /* octets after a record, of most routes */

/* A path, copied; then its key, payload and communities of three kinds, in this order. */
struct record {
	struct ip next_hop, from;
	uint64_t since_ms;
	uint32_t path_id;
	uint16_t key_len, communities_len, large_len, ext_len;
	uint8_t payload_len;
	uint8_t refused, flagged; /* reasons */
	bool best, stale;
};

struct show_routes {
	const struct speaker *s;
	const struct quelld_policy *policy;
	/* what is asked */
	const struct lan_config *lan; /* NULL: any */
	bool has_mac, has_ip;
	struct mac mac;
	struct ip ip;
	uint8_t type; /* 0: any */
	bool rejected, flagged; /* only these */
	size_t limit;
	/* what was found */
	size_t matched, kept;
	uint8_t *records;
	size_t len, cap;
	const struct neighbor *last_from; /* most paths follow one of the same peer */
	struct ip last_ip;
	/* what was written */
	bool begun;
	size_t at;
	uint64_t now_ms;
};

/* --- what is asked --- */

/* NULL, or what is wrong. */
static const char *read_request(
	const struct lans *lans, const json_t *request, struct show_routes *q)
{
	const json_t *name = json_object_get(request, "lan"),
		     *mac = json_object_get(request, "mac"), *ip = json_object_get(request, "ip"),
		     *type = json_object_get(request, "type"),
		     *limit = json_object_get(request, "limit");

	if (name) {
		struct lan *lan =
			json_is_string(name) ? lans_find(lans, json_string_value(name)) : NULL;
		if (!lan)
			return "no such LAN";
		q->lan = lan_config(lan);
	}
	q->has_mac = mac != NULL;
	if (mac && (!json_is_string(mac) || mac_parse(json_string_value(mac), &q->mac) < 0))
		return "mac: not a MAC address";
	q->has_ip = ip != NULL;
	if (ip && (!json_is_string(ip) || ip_parse(json_string_value(ip), &q->ip) < 0))
		return "ip: not an address";
	if (type && (json_integer_value(type) < 1 || json_integer_value(type) > 255))
		return "type: expected 1 - 255";
	q->type = (uint8_t)json_integer_value(type);
	q->rejected = json_is_true(json_object_get(request, "rejected"));
	q->flagged = json_is_true(json_object_get(request, "flagged"));
	if (limit && json_integer_value(limit) < 1)
		return "limit: expected a number above 0";
	if (limit && (size_t)json_integer_value(limit) < q->limit)
		q->limit = (size_t)json_integer_value(limit);
	return NULL;
}

static uint32_t u32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* By route target, whether or not the LAN could use the route. Automatic ones end in the VNI, with
 * RFC 8365's type bits above it or without. */
static bool is_of_lan(const struct lan_config *lan, struct span ecs)
{
	for (size_t i = 0; i < ecom_count(ecs); i++) {
		const uint8_t *ec = ecom_at(ecs, i);
		for (uint8_t k = 0; k < lan->import_count; k++)
			if (memcmp(ec, lan->import_rts[k].b, 8) == 0)
				return true;
		if (lan->import_auto && ec[0] == 0 && ec[1] == 2 &&
			(u32_at(ec + 4) & 0xffffff) == lan->vni)
			return true;
	}
	return false;
}

/* Only of routes that another PE has told us and that came in; our own are not judged. */
static uint8_t flagged_of(const struct show_routes *q, const struct route_view *r)
{
	const struct policy_route p = {.family = r->family,
		.key = r->key,
		.key_len = r->key_len,
		.payload = r->payload,
		.payload_len = r->payload_len,
		.attrs = &r->attrs->attrs};

	return r->from && !r->refused ? quelld_policy_flagged(q->policy, &p) : REFUSED_NOT;
}

static bool matches(const struct show_routes *q, const struct route_view *r)
{
	struct evpn_route e = {0};

	if ((q->type && r->key[0] != q->type) || (q->rejected && !r->refused))
		return false;
	if (q->has_mac || q->has_ip) {
		if (evpn_nlri_unpack(r->key, r->key_len, r->payload, r->payload_len, &e) != 0)
			return false;
		if (q->has_mac && (e.type != EVPN_MACIP || !mac_eq(e.mac, q->mac)))
			return false;
		if (q->has_ip && !ip_eq(e.ip, q->ip))
			return false;
	}
	return !q->lan || is_of_lan(q->lan, r->attrs->attrs.ext_communities);
}

/* --- copying --- */

static void append(struct show_routes *q, const void *octets, size_t len)
{
	if (q->cap - q->len < len) {
		q->cap = 2 * (q->cap + len);
		q->records = realloc(q->records, q->cap);
		if (!q->records)
			abort();
	}
	if (len)
		memcpy(q->records + q->len, octets, len);
	q->len += len;
}

static struct ip address_of(struct show_routes *q, const struct neighbor *n)
{
	struct neighbor_view v;

	if (!n)
		return (struct ip){0};
	if (n != q->last_from) {
		neighbor_view(n, &v);
		q->last_from = n;
		q->last_ip = v.address;
	}
	return q->last_ip;
}

static bool copy(void *arg, const struct route_view *r)
{
	struct show_routes *q = arg;
	const struct attrs *a = &r->attrs->attrs;

	if (r->family != &evpn_family || !matches(q, r))
		return true;
	uint8_t flagged = flagged_of(q, r);
	if (q->flagged && !flagged)
		return true;
	if (q->matched++ >= q->limit)
		return true;
	q->kept++;
	struct record rec = {.next_hop = a->next_hop,
		.from = address_of(q, r->from),
		.since_ms = r->since_ms,
		.path_id = r->path_id,
		.key_len = (uint16_t)r->key_len,
		.payload_len = (uint8_t)r->payload_len,
		.communities_len = a->communities.len,
		.large_len = a->large_communities.len,
		.ext_len = a->ext_communities.len,
		.refused = r->refused,
		.flagged = flagged,
		.best = r->best,
		.stale = r->stale};
	append(q, &rec, sizeof(rec));
	append(q, r->key, r->key_len);
	append(q, r->payload, r->payload_len);
	append(q, a->communities.p, a->communities.len);
	append(q, a->large_communities.p, a->large_communities.len);
	append(q, a->ext_communities.p, a->ext_communities.len);
	return true;
}

/* Untouched memory costs nothing, moving what has been copied does. */
static void reserve(struct show_routes *q, const struct speaker *s)
{
	struct speaker_stats stats;

	speaker_stats(s, &stats);
	q->cap = (stats.paths < q->limit ? stats.paths : q->limit) *
		 (sizeof(struct record) + RECORD_TAIL);
	q->records = malloc(q->cap ? q->cap : 1);
	if (!q->records)
		abort();
}

struct show_routes *show_routes_start(const struct speaker *s, const struct quelld_policy *policy,
	const struct lans *lans, const json_t *request, const char **ret_error)
{
	struct show_routes *q = calloc(1, sizeof(*q));

	if (!q)
		abort();
	q->s = s;
	q->policy = policy;
	q->limit = SHOW_ROUTES_MAX;
	q->now_ms = loop_now_ms();
	*ret_error = read_request(lans, request, q);
	if (*ret_error) {
		show_routes_free(q);
		return NULL;
	}
	reserve(q, s);
	speaker_each_route(s, copy, q);
	return q;
}

void show_routes_free(struct show_routes *r)
{
	if (!r)
		return;
	free(r->records);
	free(r);
}

/* --- writing --- */

/* Standard and large ones as operators write them, then the extended ones as the EVPN floor does.
 */
static void write_communities(
	struct jsontext *out, struct span standard, struct span large, struct span ext)
{
	char text[COMMUNITIES_TEXT] = "";
	size_t n = 0;

	for (size_t i = 0; i + 4 <= standard.len && n + 16 < sizeof(text); i += 4) {
		uint32_t c = u32_at(standard.p + i);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%u:%u ", c >> 16, c & 0xffff);
	}
	for (size_t i = 0; i + 12 <= large.len && n + 40 < sizeof(text); i += 12)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%u:%u:%u ", u32_at(large.p + i),
			u32_at(large.p + i + 4), u32_at(large.p + i + 8));
	if (ext.len && sizeof(text) - n >= 16)
		evpn_ecoms_format(ext, text + n, sizeof(text) - n);
	else if (n)
		text[n - 1] = '\0';
	jsontext_string(out, "communities", text);
}

static void write_ip(struct jsontext *out, const char *key, struct ip ip)
{
	char text[IP_TEXT];

	if (ip.family)
		jsontext_string(out, key, ip_format(ip, text));
}

static void write_fields(struct jsontext *out, const struct evpn_route *e)
{
	char rd[RD_TEXT], mac[MAC_TEXT], esi[ESI_TEXT];

	jsontext_string(out, "rd", rd_format(e->rd, rd));
	if (e->type == EVPN_MACIP)
		jsontext_string(out, "mac", mac_format(e->mac, mac));
	write_ip(out, "ip", e->ip);
	if (e->type == EVPN_PREFIX)
		jsontext_number(out, "prefix_len", e->prefix_len);
	jsontext_string(out, "esi", esi_format(e->esi, esi));
	if (e->label_count)
		jsontext_number(out, "label", e->label[0]);
	if (e->label_count > 1)
		jsontext_number(out, "label2", e->label[1]);
}

static void write_record(const struct show_routes *q, struct jsontext *out,
	const struct record *rec, const uint8_t *p)
{
	const uint8_t *payload = p + rec->key_len, *communities = payload + rec->payload_len,
		      *large = communities + rec->communities_len, *ext = large + rec->large_len;
	struct evpn_route e = {0};
	char text[BGP_NLRI_TEXT];

	jsontext_open(out, NULL, '{');
	jsontext_number(out, "type", p[0]);
	jsontext_string(out, "text",
		evpn_family.format(text, sizeof(text), p, rec->key_len, payload, rec->payload_len));
	if (evpn_nlri_unpack(p, rec->key_len, payload, rec->payload_len, &e) == 0)
		write_fields(out, &e);
	write_ip(out, "next_hop", rec->next_hop);
	write_communities(out, (struct span){communities, rec->communities_len},
		(struct span){large, rec->large_len}, (struct span){ext, rec->ext_len});
	if (rec->from.family)
		write_ip(out, "from", rec->from);
	else
		jsontext_string(out, "from", "local");
	jsontext_bool(out, "best", rec->best);
	jsontext_bool(out, "stale", rec->stale);
	if (rec->refused)
		jsontext_string(out, "refused", speaker_reason(q->s, rec->refused));
	if (rec->flagged)
		jsontext_string(out, "flagged", speaker_reason(q->s, rec->flagged));
	if (rec->path_id)
		jsontext_number(out, "path_id", rec->path_id);
	jsontext_number(
		out, "since_s", q->now_ms > rec->since_ms ? (q->now_ms - rec->since_ms) / 1000 : 0);
	jsontext_close(out, '}');
}

bool show_routes_write(struct show_routes *r, struct jsontext *out, size_t octets)
{
	size_t stop = out->text.len + octets;

	if (!r->begun) {
		jsontext_open(out, NULL, '{');
		jsontext_number(out, "matched", r->matched);
		jsontext_bool(out, "truncated", r->matched > r->kept);
		jsontext_open(out, "routes", '[');
		r->begun = true;
	}
	while (r->at < r->len) {
		struct record rec;
		if (out->text.len >= stop)
			return true;
		memcpy(&rec, r->records + r->at, sizeof(rec));
		write_record(r, out, &rec, r->records + r->at + sizeof(rec));
		r->at += sizeof(rec) + rec.key_len + rec.payload_len + rec.communities_len +
			 rec.large_len + rec.ext_len;
	}
	jsontext_close(out, ']');
	jsontext_close(out, '}');
	return false;
}
