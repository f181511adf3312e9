#include "daemon/show_routes.h"

#include <stdio.h>
#include <string.h>

#include "bgp/ecom.h"
#include "bgp/speaker.h"
#include "daemon/loop.h"
#include "evpn/ecom.h"
#include "evpn/lan.h"
#include "evpn/nlri.h"

#define COMMUNITIES_TEXT 1024

struct query {
	const struct lan_config *lan; /* NULL: any */
	bool has_mac, has_ip;
	struct mac mac;
	struct ip ip;
	uint8_t type; /* 0: any */
	size_t limit, matched;
	uint64_t now_ms;
	json_t *list;
};

/* --- what is asked
 * ---------------------------------------------------------------------------------------- */

static json_t *error(const char *text)
{
	return json_pack("{s:s}", "error", text);
}

/* NULL, or the error. */
static json_t *read_query(const struct lans *lans, const json_t *request, struct query *q)
{
	const json_t *name = json_object_get(request, "lan"),
		     *mac = json_object_get(request, "mac"), *ip = json_object_get(request, "ip"),
		     *type = json_object_get(request, "type"),
		     *limit = json_object_get(request, "limit");

	if (name) {
		struct lan *lan =
			json_is_string(name) ? lans_find(lans, json_string_value(name)) : NULL;
		if (!lan)
			return error("no such LAN");
		q->lan = lan_config(lan);
	}
	q->has_mac = mac != NULL;
	if (mac && (!json_is_string(mac) || mac_parse(json_string_value(mac), &q->mac) < 0))
		return error("mac: not a MAC address");
	q->has_ip = ip != NULL;
	if (ip && (!json_is_string(ip) || ip_parse(json_string_value(ip), &q->ip) < 0))
		return error("ip: not an address");
	if (type && (json_integer_value(type) < 1 || json_integer_value(type) > 255))
		return error("type: expected 1 - 255");
	q->type = (uint8_t)json_integer_value(type);
	if (limit && json_integer_value(limit) < 1)
		return error("limit: expected a number above 0");
	if (limit && (size_t)json_integer_value(limit) < q->limit)
		q->limit = (size_t)json_integer_value(limit);
	return NULL;
}

/* --- one route
 * -------------------------------------------------------------------------------------------- */

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

static bool matches(const struct query *q, const struct route_view *r, const struct evpn_route *e)
{
	if (q->type && e->type != q->type)
		return false;
	if (q->has_mac && (e->type != EVPN_MACIP || !mac_eq(e->mac, q->mac)))
		return false;
	if (q->has_ip && !ip_eq(e->ip, q->ip))
		return false;
	return !q->lan || is_of_lan(q->lan, r->attrs->attrs.ext_communities);
}

static void put_text(json_t *o, const char *key, const char *text)
{
	json_object_set_new_nocheck(o, key, json_string_nocheck(text));
}

static void put_ip(json_t *o, const char *key, struct ip ip)
{
	char text[IP_TEXT];

	if (ip.family)
		put_text(o, key, ip_format(ip, text));
}

/* Standard and large ones as operators write them, then the extended ones as the EVPN floor does.
 */
static void put_communities(json_t *o, const struct attrs *a)
{
	char text[COMMUNITIES_TEXT];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i + 4 <= a->communities.len && n + 16 < sizeof(text); i += 4) {
		uint32_t c = u32_at(a->communities.p + i);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%u:%u ", c >> 16, c & 0xffff);
	}
	for (size_t i = 0; i + 12 <= a->large_communities.len && n + 40 < sizeof(text); i += 12) {
		const uint8_t *p = a->large_communities.p + i;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%u:%u:%u ", u32_at(p),
			u32_at(p + 4), u32_at(p + 8));
	}
	if (a->ext_communities.len && sizeof(text) - n >= 16)
		evpn_ecoms_format(a->ext_communities, text + n, sizeof(text) - n);
	else if (n)
		text[n - 1] = '\0';
	put_text(o, "communities", text);
}

static void put_fields(json_t *o, const struct evpn_route *e)
{
	char rd[RD_TEXT], mac[MAC_TEXT], esi[ESI_TEXT];

	put_text(o, "rd", rd_format(e->rd, rd));
	if (e->type == EVPN_MACIP)
		put_text(o, "mac", mac_format(e->mac, mac));
	put_ip(o, "ip", e->ip);
	if (e->type == EVPN_PREFIX)
		json_object_set_new_nocheck(o, "prefix_len", json_integer(e->prefix_len));
	put_text(o, "esi", esi_format(e->esi, esi));
	if (e->label_count)
		json_object_set_new_nocheck(o, "label", json_integer(e->label[0]));
	if (e->label_count > 1)
		json_object_set_new_nocheck(o, "label2", json_integer(e->label[1]));
}

static json_t *route_json(
	const struct query *q, const struct route_view *r, const struct evpn_route *e, bool known)
{
	char text[BGP_NLRI_TEXT];
	struct neighbor_view from;
	json_t *o = json_object();

	json_object_set_new_nocheck(o, "type", json_integer(e->type));
	put_text(o, "text",
		r->family->format(
			text, sizeof(text), r->key, r->key_len, r->payload, r->payload_len));
	if (known)
		put_fields(o, e);
	put_ip(o, "next_hop", r->attrs->attrs.next_hop);
	put_communities(o, &r->attrs->attrs);
	if (r->from) {
		neighbor_view(r->from, &from);
		put_ip(o, "from", from.address);
	} else {
		put_text(o, "from", "local");
	}
	json_object_set_new_nocheck(o, "best", json_boolean(r->best));
	json_object_set_new_nocheck(o, "stale", json_boolean(r->stale));
	json_object_set_new_nocheck(o, "since_s",
		json_integer((json_int_t)(q->now_ms > r->since_ms ? (q->now_ms - r->since_ms) / 1000
								  : 0)));
	return o;
}

static bool add_route(void *arg, const struct route_view *r)
{
	struct query *q = arg;
	struct evpn_route e = {0};
	bool known;

	known = evpn_nlri_unpack(r->key, r->key_len, r->payload, r->payload_len, &e) == 0;
	if (!matches(q, r, &e))
		return true;
	if (q->matched++ < q->limit)
		json_array_append_new(q->list, route_json(q, r, &e, known));
	return true;
}

json_t *show_routes(const struct speaker *s, const struct lans *lans, const json_t *request)
{
	struct query q = {.limit = SHOW_ROUTES_MAX, .now_ms = loop_now_ms()};
	json_t *wrong = read_query(lans, request, &q);

	if (wrong)
		return wrong;
	q.list = json_array();
	speaker_each_route(s, add_route, &q);
	return json_pack("{s:o, s:I, s:b}", "routes", q.list, "matched", (json_int_t)q.matched,
		"truncated", (int)(q.matched > q.limit));
}
