/* What is behind our own ports, as the agent tells it: MACs and bindings in, changes of the claim
 * out (lan_choose.c).
 *
 * A feed that was cut is healed by mark and sweep: everything is marked, the new snapshot unmarks
 * what it names, and the sweep deletes the rest; what both name is untouched on the wire. */
#include "evpn/lan_table.h"

#include <errno.h>
#include <stdlib.h>

/* RFC 9161 section 3.2: neither zero nor group addresses make a binding. */
static bool host_ip(struct ip ip)
{
	return !ip_is_unspecified(ip) && !ip_is_multicast(ip) && !ip_is_loopback(ip);
}

static struct local *find(const struct lan *lan, struct mac mac, struct ip ip)
{
	if (ip.family) {
		const struct lan_ip *i = lan_ip_find(lan, ip);
		return i ? i->local : NULL;
	}
	const struct lan_mac *m = lan_mac_find(lan, mac);
	struct local *l = m ? LIST_FIRST(&m->locals) : NULL;
	while (l && l->ip)
		l = LIST_NEXT(l, of_mac);
	return l;
}

static void drop(struct lan *lan, struct local *l)
{
	struct lan_mac *m = l->mac;
	struct lan_ip *i = l->ip;

	lan_withdraw_local(lan, l);
	LIST_REMOVE(l, of_lan);
	LIST_REMOVE(l, of_mac);
	if (i)
		i->local = NULL;
	free(l);
	lan->local_count--;
	m->local_count--;
	lan_choose_mac(lan, m, false);
	if (i)
		lan_choose_ip(lan, i);
}

static int attach(struct lan *lan, struct mac mac, struct ip ip, struct local **ret)
{
	uint32_t limit = lan->config.max_macs + lan->config.max_bindings;
	const struct lan_mac *known = lan_mac_find(lan, mac);

	if (lan->local_count >= limit || (known && known->local_count >= LAN_LOCALS_PER_MAC)) {
		lan->refused_full++;
		return -ENOSPC;
	}
	struct local *l = calloc(1, sizeof(*l));
	struct lan_mac *m = lan_mac_get(lan, mac);
	struct lan_ip *i = m && ip.family ? lan_ip_get(lan, ip) : NULL;
	if (!l || !m || (ip.family && !i)) {
		if (i)
			lan_ip_put(lan, i);
		if (m)
			lan_mac_put(lan, m);
		free(l);
		return -ENOMEM;
	}
	l->mac = m;
	l->ip = i;
	l->serial = ++lan->serial;
	if (i)
		i->local = l;
	LIST_INSERT_HEAD(&m->locals, l, of_mac);
	LIST_INSERT_HEAD(&lan->locals, l, of_lan);
	lan->local_count++;
	m->local_count++;
	*ret = l;
	return 0;
}

int lan_local_add(struct lan *lan, struct mac mac, struct ip ip, uint8_t flags, bool claim)
{
	struct local *l;
	int r;

	if (!lan->config.originates || !mac_is_host(mac) || (ip.family && !host_ip(ip)))
		return -EINVAL;
	l = find(lan, mac, ip);
	if (l && !mac_eq(l->mac->mac, mac)) {
		drop(lan, l);
		l = NULL;
	}
	if (!l && (r = attach(lan, mac, ip, &l)) < 0)
		return r;
	l->flags = flags & (LAN_ROUTER | LAN_OVERRIDE | LAN_IMMUTABLE | LAN_STICKY);
	if (ip.family != 6)
		l->flags &= (uint8_t) ~(LAN_ROUTER | LAN_OVERRIDE); /* RFC 9047 section 3.1 */
	l->marked = false;
	if (claim && l->ip && !(l->ip->told && l->ip->best.local))
		l->serial = ++lan->serial;
	lan_choose_mac(lan, l->mac, claim);
	return l->mac->standing || !(l->mac->best.flags & LAN_STICKY) ? 0 : -EPERM;
}

int lan_local_del(struct lan *lan, struct mac mac, struct ip ip)
{
	struct local *l = find(lan, mac, ip);

	if (!l || !mac_eq(l->mac->mac, mac))
		return -ENOENT;
	drop(lan, l);
	return 0;
}

void lan_local_mark(struct lan *lan)
{
	struct local *l;

	LIST_FOREACH (l, &lan->locals, of_lan)
		l->marked = true;
}

void lan_local_sweep(struct lan *lan)
{
	struct local *l = LIST_FIRST(&lan->locals), *next;

	for (; l; l = next) {
		next = LIST_NEXT(l, of_lan);
		if (l->marked)
			drop(lan, l);
	}
}
