/* The flood list: the VTEPs that sent a type-3 route for this LAN and take floods by ingress
 * replication (RFC 7432 section 11.2, RFC 8365 section 9). Two routes of one VTEP (two RDs) are one
 * place in the list. */
#include "evpn/lan_table.h"

#include <stdlib.h>

#include "evpn/pmsi.h"

static const struct mac no_mac;

static void tell(struct lan *lan, struct ip vtep, bool present)
{
	const struct lan_hooks *h = &lan->all->hooks;

	if (h->flood_changed)
		h->flood_changed(h->arg, lan, vtep, present);
}

static void unref(struct lan *lan, struct ip vtep)
{
	uint64_t hash = lan_hash(&vtep, sizeof(vtep));
	struct lan_vtep *v = hmap_get(&lan->vteps, hash, &vtep);

	if (!v || --v->count)
		return;
	hmap_del(&lan->vteps, hash, &vtep);
	free(v);
	tell(lan, vtep, false);
}

static bool ref(struct lan *lan, struct ip vtep)
{
	uint64_t hash = lan_hash(&vtep, sizeof(vtep));
	struct lan_vtep *v = hmap_get(&lan->vteps, hash, &vtep);

	if (v) {
		v->count++;
		return true;
	}
	v = calloc(1, sizeof(*v));
	if (!v)
		return false;
	v->vtep = vtep;
	v->count = 1;
	if (hmap_add(&lan->vteps, hash, v) < 0) {
		free(v);
		return false;
	}
	tell(lan, vtep, true);
	return true;
}

/* The tunnel's end: what the PMSI attribute names; without an address there the next hop. Family 0:
 * takes no floods. */
static struct ip endpoint(const struct lan *lan, const struct attrs *a, const char **ret_why)
{
	struct pmsi pmsi;

	*ret_why = "a type-3 route without a usable PMSI tunnel attribute";
	if (!attrs_has(a, ATTR_PMSI_TUNNEL) || pmsi_decode(a->pmsi, &pmsi) < 0)
		return (struct ip){0};
	*ret_why = "a type-3 route with another tunnel than ingress replication";
	if (pmsi.type != PMSI_INGRESS_REPLICATION)
		return (struct ip){0};
	struct ip end = pmsi_endpoint(&pmsi);
	if (!end.family || ip_is_unspecified(end))
		end = a->next_hop;
	*ret_why = "a type-3 route whose tunnel does not end at another PE";
	if (ip_is_unspecified(end) || ip_is_multicast(end) || ip_is_loopback(end) ||
		ip_eq(end, lan->config.vtep))
		return (struct ip){0};
	*ret_why = NULL;
	return end;
}

void lan_flood_set(struct lan *lan, const struct route_key *key, const struct attrs *attrs)
{
	const char *why;
	struct ip vtep = endpoint(lan, attrs, &why);
	uint64_t hash = lan_hash(key, sizeof(*key));
	struct imet *i = hmap_get(&lan->imets, hash, key);

	if (why) {
		lan->not_imported++;
		lan_alarm(lan, why, no_mac, key->ip, attrs->next_hop);
		lan_flood_del(lan, key);
		return;
	}
	if (i && ip_eq(i->vtep, vtep))
		return;
	if (!i && lan->imets.count >= LAN_VTEPS_MAX) {
		lan->refused_full++;
		return;
	}
	lan_flood_del(lan, key);
	i = calloc(1, sizeof(*i));
	if (!i)
		return;
	i->key = *key;
	i->vtep = vtep;
	if (!ref(lan, vtep)) {
		free(i);
	} else if (hmap_add(&lan->imets, hash, i) < 0) {
		unref(lan, vtep);
		free(i);
	}
}

void lan_flood_del(struct lan *lan, const struct route_key *key)
{
	struct imet *i = hmap_del(&lan->imets, lan_hash(key, sizeof(*key)), key);

	if (!i)
		return;
	unref(lan, i->vtep);
	free(i);
}
