/* What we say: a MAC-only route for each MAC that is behind our ports and a MAC/IP route for each
 * binding (RFC 7432 section 10: one IP a route, both kinds independent), one type-3 route a LAN
 * (section 11, RFC 8365 section 9).
 *
 * Attributes as FRR's PEs send them: ORIGIN IGP, an empty AS path, the VTEP as next hop, the
 * encapsulation, the route target, then MAC mobility (only when there is something to say: section
 * 15) and ARP/ND (RFC 9047 section 3.1: always with IPv6, with IPv4 for its I flag alone). What is
 * announced is remembered, so that a change of nothing costs nothing.
 */
#include "evpn/lan_table.h"

#include <stdlib.h>

#include "evpn/ecom.h"
#include "evpn/pmsi.h"

#define ECOMS_MAX 4

static void put_ecom(struct writer *w, struct evpn_ecom ec)
{
	evpn_ecom_encode(w, &ec);
}

static void put_common_ecoms(const struct lan *lan, struct writer *w)
{
	put_ecom(w, (struct evpn_ecom){.kind = ECOM_ENCAP, .encap = ENCAP_VXLAN});
	put_ecom(w, (struct evpn_ecom){.kind = ECOM_RT, .rt = lan->config.export_rt});
}

static struct attrs common_attrs(const struct lan *lan, const struct writer *ecoms)
{
	return (struct attrs){
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) |
			   ATTR_BIT(ATTR_EXT_COMMUNITIES),
		.origin = 0, /* IGP */
		.next_hop = lan->config.vtep,
		.ext_communities = {.p = ecoms->start, .len = (uint16_t)writer_len(ecoms)},
	};
}

static void say(struct lan *lan, const struct evpn_route *route, const struct attrs *attrs)
{
	const struct lan_hooks *h = &lan->all->hooks;
	struct nlri n;

	if (h->originate && evpn_nlri_pack(route, &n) == 0)
		h->originate(h->arg, lan, &n, attrs);
}

static struct evpn_route macip(const struct lan *lan, struct mac mac, struct ip ip)
{
	return (struct evpn_route){
		.type = EVPN_MACIP,
		.rd = lan->config.rd,
		.mac = mac,
		.ip = ip,
		.label_count = 1,
		.label = {lan->config.vni},
	};
}

static uint8_t arp_nd_flags(uint8_t flags)
{
	return (uint8_t)((flags & LAN_ROUTER ? ARP_ND_ROUTER : 0) |
			 (flags & LAN_OVERRIDE ? ARP_ND_OVERRIDE : 0) |
			 (flags & LAN_IMMUTABLE ? ARP_ND_IMMUTABLE : 0));
}

static void announce(struct lan *lan, const struct lan_mac *m, struct ip ip, uint8_t flags)
{
	uint8_t buf[8 * ECOMS_MAX], nd = arp_nd_flags(flags);
	struct writer w = writer_of(buf, sizeof(buf));
	struct evpn_route route = macip(lan, m->mac, ip);

	put_common_ecoms(lan, &w);
	if (m->seq || m->tagged || m->sticky)
		put_ecom(&w,
			(struct evpn_ecom){.kind = ECOM_MOBILITY, .mobility = {m->sticky, m->seq}});
	if (ip.family == 6 || (ip.family == 4 && nd))
		put_ecom(&w, (struct evpn_ecom){.kind = ECOM_ARP_ND, .arp_nd = nd});
	struct attrs a = common_attrs(lan, &w);
	say(lan, &route, &a);
}

static void withdraw(struct lan *lan, struct mac mac, struct ip ip)
{
	struct evpn_route route = macip(lan, mac, ip);

	say(lan, &route, NULL);
}

void lan_withdraw_local(struct lan *lan, struct local *l)
{
	if (!l->announced)
		return;
	l->announced = false;
	withdraw(lan, l->mac->mac, l->ip->ip);
}

void lan_originate_local(struct lan *lan, struct local *l)
{
	const struct lan_mac *m = l->mac;
	uint8_t flags = (uint8_t)(l->flags & ~LAN_STICKY) | (m->sticky ? LAN_STICKY : 0);

	if (!l->ip)
		return;
	if (!m->standing || l->withheld) {
		lan_withdraw_local(lan, l);
		return;
	}
	if (l->announced && l->announced_seq == m->seq && l->announced_flags == flags)
		return;
	l->announced = true;
	l->announced_seq = m->seq;
	l->announced_flags = flags;
	announce(lan, m, l->ip->ip, flags);
}

void lan_originate_mac(struct lan *lan, struct lan_mac *m)
{
	static const struct ip none;
	struct local *l;

	if (!m->standing && m->mac_announced) {
		m->mac_announced = false;
		withdraw(lan, m->mac, none);
	} else if (m->standing && (!m->mac_announced || m->mac_announced_seq != m->seq ||
					  m->mac_announced_sticky != m->sticky)) {
		m->mac_announced = true;
		m->mac_announced_seq = m->seq;
		m->mac_announced_sticky = m->sticky;
		announce(lan, m, none, 0);
	}
	LIST_FOREACH (l, &m->locals, of_mac)
		lan_originate_local(lan, l);
}

/* --- what was said, to be said of another place --- */

struct lan_said lan_forget_said(struct lan_mac *m)
{
	struct lan_said said = {.mac = m->mac_announced, .ips = calloc(m->local_count + 1, sizeof(struct ip))};
	struct local *l;

	if (!said.ips)
		abort();
	m->mac_announced = false;
	LIST_FOREACH (l, &m->locals, of_mac) {
		if (l->announced)
			said.ips[said.count++] = l->ip->ip;
		l->announced = false;
	}
	return said;
}

void lan_withdraw_said(struct lan *lan, const struct lan_mac *m, const struct lan_said *said)
{
	static const struct ip none;

	if (said->mac)
		withdraw(lan, m->mac, none);
	for (size_t i = 0; i < said->count; i++)
		withdraw(lan, m->mac, said->ips[i]);
}

void lan_said_free(struct lan_said *said)
{
	free(said->ips);
}

/* --- type 3 --- */

void lan_withdraw_imet(struct lan *lan)
{
	struct evpn_route route = {
		.type = EVPN_IMET, .rd = lan->config.rd, .ip = lan->config.vtep};

	say(lan, &route, NULL);
}

void lan_originate_imet(struct lan *lan)
{
	uint8_t ecoms[8 * ECOMS_MAX], tunnel[5 + 16];
	struct writer w = writer_of(ecoms, sizeof(ecoms)), t = writer_of(tunnel, sizeof(tunnel));
	const struct ip *vtep = &lan->config.vtep;
	struct pmsi pmsi = {.type = PMSI_INGRESS_REPLICATION,
		.label = lan->config.vni,
		.id = {.p = vtep->b, .len = (uint16_t)ip_len(*vtep)}};
	struct evpn_route route = {.type = EVPN_IMET, .rd = lan->config.rd, .ip = *vtep};

	put_common_ecoms(lan, &w);
	pmsi_encode(&t, &pmsi);
	struct attrs a = common_attrs(lan, &w);
	a.present |= ATTR_BIT(ATTR_PMSI_TUNNEL);
	a.pmsi = (struct span){.p = tunnel, .len = (uint16_t)writer_len(&t)};
	say(lan, &route, &a);
}
