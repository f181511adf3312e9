/* A PE (VTEP 10.99.0.2) and a route server with LANs, whose hooks write down what happened, in
 * words:
 *
 *   mac 1 -> 10.99.0.1 seq 1 sticky     bind .1 -> 1 10.99.0.1 R      flood 10.99.0.1 +
 *   say [2]:... MM:1                    unsay [2]:...                 alarm "..."
 *
 * MACs are 02:00:5e:00:00:NN, written NN; IPs 198.18.0.NN, written .NN, and 2001:db8:100::NN,
 * written ::NN.
 */
#pragma once
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "evpn/ecom.h"
#include "evpn/family.h"
#include "evpn/lan.h"
#include "evpn/nlri.h"
#include "evpn/pmsi.h"
#include "tests/evpn/hex.h"

#define VNI 100

static char said[8192];

static inline void __attribute__((format(printf, 1, 2))) note(const char *fmt, ...)
{
	size_t len = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + len, sizeof(said) - len, fmt, ap);
	va_end(ap);
}

static inline struct mac mac_n(unsigned n)
{
	return (struct mac){{2, 0, 0x5e, 0, (uint8_t)(n >> 8), (uint8_t)n}};
}

static inline struct ip ip_of(const char *text)
{
	struct ip ip = {0};

	if (text && text[0] == '.')
		ip = ip_v4_u32(0xc6120000u + (uint32_t)strtoul(text + 1, NULL, 10));
	else if (text && text[0] == ':')
		ip = ip_v6((uint8_t[16]){
			0x20, 1, 0xd, 0xb8, 1, [15] = (uint8_t)strtoul(text + 2, NULL, 10)});
	else if (text)
		ck_assert_int_eq(ip_parse(text, &ip), 0);
	return ip;
}

static inline const char *ip_short(struct ip ip, char buf[IP_TEXT])
{
	if (ip.family == 4 && ip.b[0] == 0xc6 && ip.b[1] == 0x12)
		snprintf(buf, IP_TEXT, ".%u", ip_to_u32(ip) & 0xffff);
	else if (ip.family == 6 && ip.b[0] == 0x20)
		snprintf(buf, IP_TEXT, "::%u", ip.b[15]);
	else
		ip_format(ip, buf);
	return buf;
}

static inline const char *flags_text(uint8_t f, char buf[40])
{
	snprintf(buf, 40, "%s%s%s%s%s%s", f & LAN_ROUTER ? " R" : "", f & LAN_OVERRIDE ? " O" : "",
		f & LAN_IMMUTABLE ? " I" : "", f & LAN_STICKY ? " sticky" : "",
		f & LAN_STALE ? " stale" : "", f & LAN_DUPLICATE ? " duplicate" : "");
	return buf;
}

static void note_where(const struct lan_entry *e)
{
	char ip[IP_TEXT], flags[40];

	if (e->local)
		note("here");
	else
		note("%s", ip_format(e->vtep, ip));
	if (e->seq)
		note(" seq %u", e->seq);
	note("%s", flags_text(e->flags, flags));
	if (e->vni != VNI)
		note(" vni %u", e->vni);
	note("\n");
}

static void on_mac(void *arg, struct lan *lan, struct mac mac, const struct lan_entry *best)
{
	(void)arg;
	(void)lan;
	note("mac %u -> ", mac.b[4] * 256u + mac.b[5]);
	if (!best) {
		note("gone\n");
		return;
	}
	ck_assert(mac_eq(best->mac, mac));
	note_where(best);
}

static void on_binding(void *arg, struct lan *lan, struct ip ip, const struct lan_entry *best)
{
	char text[IP_TEXT];

	(void)arg;
	(void)lan;
	note("bind %s -> ", ip_short(ip, text));
	if (!best) {
		note("gone\n");
		return;
	}
	ck_assert(ip_eq(best->ip, ip));
	note("%u ", best->mac.b[4] * 256u + best->mac.b[5]);
	note_where(best);
}

static void on_flood(void *arg, struct lan *lan, struct ip vtep, bool present)
{
	char ip[IP_TEXT];

	(void)arg;
	(void)lan;
	note("flood %s %c\n", ip_format(vtep, ip), present ? '+' : '-');
}

static void on_originate(
	void *arg, struct lan *lan, const struct nlri *n, const struct attrs *attrs)
{
	struct evpn_route r;
	char ip[IP_TEXT], ecoms[200];

	(void)arg;
	ck_assert_int_eq(evpn_nlri_unpack(n->key, n->key_len, n->payload, n->payload_len, &r), 0);
	note("%s %u", attrs ? "say" : "unsay", r.type);
	if (r.type == EVPN_MACIP)
		note(" %u", r.mac.b[4] * 256u + r.mac.b[5]);
	if (r.ip.family)
		note(" %s", ip_short(r.ip, ip));
	if (attrs) {
		/* Encapsulation and route target always come first: what is behind them is what
		 * matters. */
		ck_assert(ip_eq(attrs->next_hop, lan_config(lan)->vtep));
		evpn_ecoms_format(attrs->ext_communities, ecoms, sizeof(ecoms));
		ck_assert(strncmp(ecoms, "ET:8 RT:65000:100", 17) == 0);
		note("%s", ecoms + 17);
	}
	note("\n");
}

static void on_alarm(void *arg, struct lan *lan, const char *what, struct mac mac, struct ip ip,
	struct ip vtep)
{
	(void)arg;
	(void)lan;
	(void)mac;
	(void)ip;
	(void)vtep;
	note("! %s\n", what);
}

static void on_reconsider(void *arg, struct lan *lan)
{
	(void)arg;
	(void)lan;
	note("reconsider\n");
}

static const struct lan_hooks world_hooks = {
	.mac_changed = on_mac,
	.binding_changed = on_binding,
	.flood_changed = on_flood,
	.originate = on_originate,
	.alarm = on_alarm,
	.reconsider = on_reconsider,
};

/* --- what the RIB would say --- */

struct says {
	const char *from; /* VTEP; the RD is VTEP:2 */
	unsigned mac;
	const char *ip;    /* NULL: MAC only */
	const char *ecoms; /* besides the route target, in hex */
	uint32_t label;    /* 0: VNI */
	const char *rt;    /* NULL: 65000:100 */
	uint32_t tag;
	bool stale;
};

static inline struct rd rd_of(const char *vtep)
{
	return rd_make(ip_of(vtep), 2);
}

static inline void route_send(struct lans *ls, const struct evpn_route *route, const struct says *s,
	struct attrs *a, bool announce)
{
	uint8_t ecoms[80];
	size_t len = hex_read(s->ecoms ? s->ecoms : "", ecoms, sizeof(ecoms) - 8);
	struct nlri n;
	struct rt rt;

	ck_assert_int_eq(rt_parse(s->rt ? s->rt : "65000:100", &rt), 0);
	memcpy(ecoms + len, rt.b, 8);
	a->ext_communities = (struct span){.p = ecoms, .len = (uint16_t)(len + 8)};
	a->next_hop = ip_of(s->from);
	ck_assert_int_eq(evpn_nlri_pack(route, &n), 0);
	lans_route(ls, n.key, n.key_len, announce ? n.payload : NULL, announce ? n.payload_len : 0,
		announce ? a : NULL, s->stale);
}

static inline void macip_send(struct lans *ls, struct says s, bool announce)
{
	struct evpn_route r = {.type = EVPN_MACIP,
		.rd = rd_of(s.from),
		.tag = s.tag,
		.mac = mac_n(s.mac),
		.ip = ip_of(s.ip),
		.label_count = 1,
		.label = {s.label ? s.label : VNI}};
	struct attrs a = {.present = ATTR_BIT(ATTR_EXT_COMMUNITIES)};

	route_send(ls, &r, &s, &a, announce);
}

static inline void imet_send(struct lans *ls, const char *from, const char *pmsi_hex, bool announce)
{
	struct evpn_route r = {.type = EVPN_IMET, .rd = rd_of(from), .ip = ip_of(from)};
	struct attrs a = {.present = ATTR_BIT(ATTR_EXT_COMMUNITIES)};
	uint8_t pmsi[40];

	if (pmsi_hex) {
		a.present |= ATTR_BIT(ATTR_PMSI_TUNNEL);
		a.pmsi = (struct span){
			.p = pmsi, .len = (uint16_t)hex_read(pmsi_hex, pmsi, sizeof(pmsi))};
	}
	route_send(ls, &r, &(struct says){.from = from}, &a, announce);
}

#define SAYS(ls, ...) macip_send((ls), (struct says){__VA_ARGS__}, true)
#define UNSAYS(ls, ...) macip_send((ls), (struct says){__VA_ARGS__}, false)

static inline struct lan_config world_config(void)
{
	struct lan_config c = {
		.name = "ixp",
		.vni = VNI,
		.originates = true,
		.vtep = ip_of("10.99.0.2"),
		.rd = rd_of("10.99.0.2"),
		.import_count = 1,
	};
	ck_assert_int_eq(rt_parse("65000:100", &c.export_rt), 0);
	c.import_rts[0] = c.export_rt;
	return c;
}

static inline struct lans *world_new(const struct lan_config *c, struct lan **ret)
{
	struct lans *ls = lans_new(&world_hooks);

	ck_assert_int_eq(lans_add(ls, c, ret), 0);
	said[0] = '\0';
	return ls;
}

/* What happened since the last look. */
#define HAPPENED(want)                                                                             \
	do {                                                                                       \
		ck_assert_str_eq(said, want);                                                      \
		said[0] = '\0';                                                                    \
	} while (0)
