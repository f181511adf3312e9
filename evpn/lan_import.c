/* Import: best routes of the RIB into the LANs that their route targets name, after a check that
 * they are fit for one. A route that is not malformed may still be nothing that a peering LAN
 * should believe; such ones are counted and told, and whatever the same route said before is gone.
 *
 * RFC 7432 section 7.10, 10; RFC 8365 section 5.1.2.1 (auto-derived route target), 5.1.3; RFC 9047
 * section 3.2; wire rules N17, N18, N26. The label is taken as the VNI that its PE wants to see;
 * when it is not the LAN's own, that is legal (section 5.1.3: downstream-assigned) but rarely
 * meant, so it is counted.
 */
#include "evpn/lan_table.h"

#include <stdlib.h>

#include "evpn/ecom.h"

static const struct ip no_ip;

/* --- whose it is --- */

static bool imports(const struct lan *lan, const struct attrs *a)
{
	for (size_t i = 0; i < ecom_count(a->ext_communities); i++) {
		const uint8_t *ec = ecom_at(a->ext_communities, i);
		if (ec[1] != 0x02 || ec[0] > 0x02)
			continue;
		for (int j = 0; j < lan->config.import_count; j++)
			if (memcmp(ec, lan->config.import_rts[j].b, 8) == 0)
				return true;
		if (lan->config.import_auto && rt_is_auto(ec, lan->config.vni))
			return true;
	}
	return false;
}

/* --- whether it is fit --- */

static const char *unfit(const struct lan *lan, const struct evpn_route *r, const struct attrs *a)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	if (!evpn_ecom_vxlan_ok(a->ext_communities))
		return "a route for an encapsulation other than VXLAN";
	/* A VLAN-based service has tag 0 (RFC 7432 section 6.1); some PEs repeat the VNI there. */
	if (r->tag != 0 && r->tag != lan->config.vni)
		return "a route with another Ethernet tag";
	if (r->type != EVPN_MACIP)
		return NULL;
	if (!mac_is_host(r->mac))
		return "a type-2 route of a group or zero MAC";
	if (r->ip.family && (ip_is_unspecified(r->ip) || ip_is_multicast(r->ip) ||
				    ip_is_loopback(r->ip) || ip_eq(r->ip, ip_v4(broadcast))))
		return "a type-2 route of an IP that no host has";
	if (ip_is_unspecified(a->next_hop) || ip_is_multicast(a->next_hop) ||
		ip_is_loopback(a->next_hop))
		return "a route whose next hop is no VTEP";
	if (ip_eq(a->next_hop, lan->config.vtep))
		return "a route whose next hop is our own VTEP";
	return NULL;
}

/* RFC 9047 section 3.2: nothing of it without an IP, R and O only with IPv6; absent, O counts as
 * set, and R as the operator has it (RFC 9161 section 3.2.1). The first community counts. */
static uint8_t flags_of(
	const struct lan *lan, const struct evpn_route *r, const struct attrs *a, bool stale)
{
	struct evpn_ecom nd = {.kind = ECOM_OTHER};
	bool has = evpn_ecom_find(a->ext_communities, ECOM_ARP_ND, &nd);
	uint8_t flags = stale ? LAN_STALE : 0;

	if (evpn_ecom_mobility(a->ext_communities).sticky)
		flags |= LAN_STICKY;
	if (r->ip.family && has && (nd.arp_nd & ARP_ND_IMMUTABLE))
		flags |= LAN_IMMUTABLE;
	if (r->ip.family == 6 && (has ? nd.arp_nd & ARP_ND_ROUTER : !lan->config.assume_host))
		flags |= LAN_ROUTER;
	if (r->ip.family == 6 && (!has || (nd.arp_nd & ARP_ND_OVERRIDE)))
		flags |= LAN_OVERRIDE;
	return flags;
}

/* --- the tables --- */

static void remote_del(struct lan *lan, const struct route_key *key)
{
	struct remote *r = hmap_del(&lan->remotes, lan_hash(key, sizeof(*key)), key);

	if (!r)
		return;
	struct lan_mac *m = r->mac;
	struct lan_ip *i = r->ip;
	LIST_REMOVE(r, of_mac);
	lan->macs_with_remote -= --m->remote_count == 0;
	if (i) {
		LIST_REMOVE(r, of_ip);
		lan->ips_with_remote -= --i->remote_count == 0;
	}
	free(r);
	lan->full = false;
	lan_choose_mac(lan, m, false);
	if (i)
		lan_choose_ip(lan, i);
}

/* Whether one more route of this MAC and IP has room. */
static bool has_room(const struct lan *lan, const struct route_key *key)
{
	const struct lan_mac *m = lan_mac_find(lan, key->mac);
	const struct lan_ip *i = key->ip.family ? lan_ip_find(lan, key->ip) : NULL;

	if ((!m || !m->remote_count) && lan->macs_with_remote >= lan->config.max_macs)
		return false;
	if (m && m->remote_count >= LAN_ROUTES_PER_MAC)
		return false;
	if (key->ip.family && (!i || !i->remote_count) &&
		lan->ips_with_remote >= lan->config.max_bindings)
		return false;
	return !i || i->remote_count < LAN_ROUTES_PER_IP;
}

static struct remote *remote_add(struct lan *lan, const struct route_key *key)
{
	struct remote *r = calloc(1, sizeof(*r));
	struct lan_mac *m = r ? lan_mac_get(lan, key->mac) : NULL;
	struct lan_ip *i = m && key->ip.family ? lan_ip_get(lan, key->ip) : NULL;

	if (!m || (key->ip.family && !i) ||
		hmap_add(&lan->remotes, lan_hash(key, sizeof(*key)), r) < 0) {
		if (m)
			lan_mac_put(lan, m);
		if (i)
			lan_ip_put(lan, i);
		free(r);
		return NULL;
	}
	r->key = *key;
	r->mac = m;
	r->ip = i;
	LIST_INSERT_HEAD(&m->remotes, r, of_mac);
	lan->macs_with_remote += m->remote_count++ == 0;
	if (i) {
		LIST_INSERT_HEAD(&i->remotes, r, of_ip);
		lan->ips_with_remote += i->remote_count++ == 0;
	}
	return r;
}

static void notice(struct lan *lan, const struct evpn_route *route, const struct attrs *a)
{
	struct evpn_ecom ec;

	if (route->label[0] != lan->config.vni) {
		lan->foreign_vni++;
		lan_alarm(lan, "a route's label is not this LAN's VNI", route->mac, route->ip,
			a->next_hop);
	}
	if (evpn_ecom_find(a->ext_communities, ECOM_DEFAULT_GATEWAY, &ec))
		lan_alarm(lan, "a default gateway in a LAN that has none", route->mac, route->ip,
			a->next_hop);
}

static void import_macip(struct lan *lan, const struct route_key *key,
	const struct evpn_route *route, const struct attrs *a, bool stale)
{
	struct remote *r = hmap_get(&lan->remotes, lan_hash(key, sizeof(*key)), key);
	uint8_t flags = flags_of(lan, route, a, stale);
	struct evpn_ecom mobility;

	if (!r) {
		if (!has_room(lan, key)) {
			lan->refused_full++;
			if (!lan->full)
				lan_alarm(lan, "a table is full: routes are refused", route->mac,
					route->ip, a->next_hop);
			lan->full = true;
			return;
		}
		r = remote_add(lan, key);
		if (!r)
			return;
		r->serial = ++lan->serial;
		notice(lan, route, a);
	} else if ((flags & LAN_IMMUTABLE) && !(r->flags & LAN_IMMUTABLE)) {
		r->serial = ++lan->serial;
	}
	r->vtep = a->next_hop;
	r->tagged = evpn_ecom_find(a->ext_communities, ECOM_MOBILITY, &mobility);
	r->seq = r->tagged ? mobility.mobility.seq : 0;
	r->esi = route->esi;
	r->vni = route->label[0];
	r->flags = flags;
	lan_choose_mac(lan, r->mac, false);
}

static void drop(struct lan *lan, uint8_t type, const struct route_key *key)
{
	if (type == EVPN_MACIP)
		remote_del(lan, key);
	else
		lan_flood_del(lan, key);
}

void lans_route(struct lans *ls, const uint8_t *key, size_t key_len, const uint8_t *payload,
	size_t payload_len, const struct attrs *attrs, bool stale)
{
	struct evpn_route route;
	struct lan *lan;

	if (STAILQ_EMPTY(&ls->list) ||
		evpn_nlri_unpack(key, key_len, attrs ? payload : NULL, payload_len, &route) != 0 ||
		(route.type != EVPN_MACIP && route.type != EVPN_IMET))
		return;
	struct route_key k = {.rd = route.rd, .mac = route.mac, .ip = route.ip};
	struct writer w = writer_of(k.tag, sizeof(k.tag));
	writer_u32(&w, route.tag);
	STAILQ_FOREACH (lan, &ls->list, next) {
		const char *why = NULL;
		if (!attrs || !imports(lan, attrs) || (why = unfit(lan, &route, attrs)) != NULL) {
			drop(lan, route.type, &k);
			if (why) {
				lan->not_imported++;
				lan_alarm(lan, why, route.mac, route.ip.family ? route.ip : no_ip,
					attrs->next_hop);
			}
		} else if (route.type == EVPN_MACIP) {
			import_macip(lan, &k, &route, attrs, stale);
		} else {
			lan_flood_set(lan, &k, attrs);
		}
	}
}
