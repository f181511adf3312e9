/* The LANs: the objects, their tables' entries, walks and figures. How routes get in, who is chosen
 * and what we say of it is in the neighbours of this file: see lan_table.h. */
#include "evpn/lan_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/siphash.h"

uint64_t lan_hash(const void *octets, size_t len)
{
	return siphash(siphash_process_key(), octets, len);
}

static bool remote_eq(const void *entry, const void *key)
{
	return memcmp(&((const struct remote *)entry)->key, key, sizeof(struct route_key)) == 0;
}

static bool imet_eq(const void *entry, const void *key)
{
	return memcmp(&((const struct imet *)entry)->key, key, sizeof(struct route_key)) == 0;
}

static bool mac_entry_eq(const void *entry, const void *key)
{
	return memcmp(&((const struct lan_mac *)entry)->mac, key, sizeof(struct mac)) == 0;
}

static bool ip_entry_eq(const void *entry, const void *key)
{
	return memcmp(&((const struct lan_ip *)entry)->ip, key, sizeof(struct ip)) == 0;
}

static bool book_eq(const void *entry, const void *key)
{
	return memcmp(&((const struct lan_moves *)entry)->mac, key, sizeof(struct mac)) == 0;
}

static bool vtep_eq(const void *entry, const void *key)
{
	return memcmp(&((const struct lan_vtep *)entry)->vtep, key, sizeof(struct ip)) == 0;
}

/* --- the LANs --- */

struct lans *lans_new(const struct lan_hooks *hooks)
{
	struct lans *ls = calloc(1, sizeof(*ls));

	if (!ls)
		return NULL;
	ls->hooks = *hooks;
	STAILQ_INIT(&ls->list);
	return ls;
}

static bool free_entry(void *entry, void *arg)
{
	(void)arg;
	free(entry);
	return true;
}

void lan_free(struct lan *lan)
{
	struct hmap *maps[] = {&lan->remotes, &lan->macs, &lan->ips, &lan->imets, &lan->vteps};
	struct local *l;

	lan_moves_free(lan);
	while ((l = LIST_FIRST(&lan->locals)) != NULL) {
		LIST_REMOVE(l, of_lan);
		free(l);
	}
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		hmap_sweep(maps[i], free_entry, NULL);
		hmap_free(maps[i]);
	}
	free(lan);
}

void lans_free(struct lans *ls)
{
	struct lan *lan;

	while (ls && (lan = STAILQ_FIRST(&ls->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&ls->list, next);
		lan_free(lan);
	}
	free(ls);
}

void lan_configure(struct lan *lan, const struct lan_config *c)
{
	lan->config = *c;
	if (!lan->config.max_macs)
		lan->config.max_macs = LAN_TABLE_DEFAULT;
	if (!lan->config.max_bindings)
		lan->config.max_bindings = LAN_TABLE_DEFAULT;
}

int lans_add(struct lans *ls, const struct lan_config *c, struct lan **ret)
{
	struct lan *lan;

	if (lans_find(ls, c->name))
		return -EEXIST;
	lan = calloc(1, sizeof(*lan));
	if (!lan)
		return -ENOMEM;
	lan->all = ls;
	lan_configure(lan, c);
	hmap_init(&lan->remotes, remote_eq);
	hmap_init(&lan->macs, mac_entry_eq);
	hmap_init(&lan->ips, ip_entry_eq);
	hmap_init(&lan->imets, imet_eq);
	hmap_init(&lan->vteps, vtep_eq);
	hmap_init(&lan->books, book_eq);
	TAILQ_INIT(&lan->open);
	TAILQ_INIT(&lan->frozen);
	TAILQ_INIT(&lan->left);
	LIST_INIT(&lan->locals);
	STAILQ_INSERT_TAIL(&ls->list, lan, next);
	*ret = lan;
	if (c->originates)
		lan_originate_imet(lan);
	return 0;
}

struct lan *lans_find(const struct lans *ls, const char *name)
{
	struct lan *lan;

	STAILQ_FOREACH (lan, &ls->list, next)
		if (strcmp(lan->config.name, name) == 0)
			return lan;
	return NULL;
}

struct lan *lans_next(const struct lans *ls, const struct lan *after)
{
	return after ? STAILQ_NEXT(after, next) : STAILQ_FIRST(&ls->list);
}

const struct lan_config *lan_config(const struct lan *lan)
{
	return &lan->config;
}

/* --- entries --- */

struct lan_mac *lan_mac_find(const struct lan *lan, struct mac mac)
{
	return hmap_get(&lan->macs, lan_hash(&mac, sizeof(mac)), &mac);
}

struct lan_ip *lan_ip_find(const struct lan *lan, struct ip ip)
{
	return hmap_get(&lan->ips, lan_hash(&ip, sizeof(ip)), &ip);
}

struct lan_mac *lan_mac_get(struct lan *lan, struct mac mac)
{
	struct lan_mac *m = lan_mac_find(lan, mac);

	if (m)
		return m;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->mac = mac;
	LIST_INIT(&m->remotes);
	LIST_INIT(&m->locals);
	if (hmap_add(&lan->macs, lan_hash(&mac, sizeof(mac)), m) < 0) {
		free(m);
		return NULL;
	}
	return m;
}

struct lan_ip *lan_ip_get(struct lan *lan, struct ip ip)
{
	struct lan_ip *i = lan_ip_find(lan, ip);

	if (i)
		return i;
	i = calloc(1, sizeof(*i));
	if (!i)
		return NULL;
	i->ip = ip;
	LIST_INIT(&i->remotes);
	if (hmap_add(&lan->ips, lan_hash(&ip, sizeof(ip)), i) < 0) {
		free(i);
		return NULL;
	}
	return i;
}

void lan_mac_put(struct lan *lan, struct lan_mac *m)
{
	if (!LIST_EMPTY(&m->remotes) || !LIST_EMPTY(&m->locals) || m->told)
		return;
	hmap_del(&lan->macs, lan_hash(&m->mac, sizeof(m->mac)), &m->mac);
	free(m);
}

void lan_ip_put(struct lan *lan, struct lan_ip *i)
{
	if (!LIST_EMPTY(&i->remotes) || i->local || i->told)
		return;
	hmap_del(&lan->ips, lan_hash(&i->ip, sizeof(i->ip)), &i->ip);
	free(i);
}

void lan_alarm(
	struct lan *lan, const char *what, struct mac mac, struct ip ip, struct ip vtep)
{
	lan->alarms++;
	if (lan->all->hooks.alarm)
		lan->all->hooks.alarm(lan->all->hooks.arg, lan, what, mac, ip, vtep);
}

void lan_unregistered(struct lan *lan, enum registered_verdict v, bool let_in, const char *what, struct mac mac,
	struct ip ip, struct ip vtep)
{
	uint64_t second = lan->all->now_ms / 1000;

	lan->flagged[v] += let_in;
	if (lan->unregistered_second != second) {
		lan->unregistered_second = second;
		lan->unregistered_told = 0;
	}
	if (lan->unregistered_told++ < LAN_UNREGISTERED_TOLD)
		lan_alarm(lan, what, mac, ip, vtep);
	else
		lan->alarms++;
}

/* --- walks and figures --- */

bool lan_walk_macs(const struct lan *lan, size_t *at, size_t slots,
	bool (*fn)(void *arg, const struct lan_entry *e), void *arg)
{
	size_t end = *at + slots < slots ? SIZE_MAX : *at + slots;
	const struct lan_mac *m;

	for (; (m = hmap_next_below(&lan->macs, at, end)) != NULL; ++*at)
		if (m->told && !fn(arg, &m->best))
			return false;
	return *at < hmap_slots(&lan->macs);
}

bool lan_walk_bindings(const struct lan *lan, size_t *at, size_t slots,
	bool (*fn)(void *arg, const struct lan_entry *e), void *arg)
{
	size_t end = *at + slots < slots ? SIZE_MAX : *at + slots;
	const struct lan_ip *i;

	for (; (i = hmap_next_below(&lan->ips, at, end)) != NULL; ++*at)
		if (i->told && !fn(arg, &i->best))
			return false;
	return *at < hmap_slots(&lan->ips);
}

void lan_each_mac(
	const struct lan *lan, bool (*fn)(void *arg, const struct lan_entry *e), void *arg)
{
	lan_walk_macs(lan, &(size_t){0}, SIZE_MAX, fn, arg);
}

void lan_each_binding(
	const struct lan *lan, bool (*fn)(void *arg, const struct lan_entry *e), void *arg)
{
	lan_walk_bindings(lan, &(size_t){0}, SIZE_MAX, fn, arg);
}

void lan_each_flood(const struct lan *lan, bool (*fn)(void *arg, struct ip vtep), void *arg)
{
	struct lan_vtep *v;

	hmap_foreach (&lan->vteps, v)
		if (!fn(arg, v->vtep))
			return;
}

/* What is counted by looking; *at goes over the slots of both tables. */
bool lan_stats_part(const struct lan *lan, size_t *at, size_t slots, struct lan_stats *ret)
{
	size_t macs = hmap_slots(&lan->macs), end = *at + slots < slots ? SIZE_MAX : *at + slots;
	const struct lan_mac *m;
	const struct lan_ip *i;

	if (*at == 0)
		*ret = (struct lan_stats){0};
	for (; (m = hmap_next_below(&lan->macs, at, end)) != NULL; ++*at) {
		ret->macs_local += m->told && m->best.local;
		ret->macs_remote += m->told && !m->best.local;
		ret->macs_held += !LIST_EMPTY(&m->locals) && !m->standing;
	}
	size_t ip = *at < macs ? 0 : *at - macs, ip_end = end < macs ? 0 : end - macs;
	for (; (i = hmap_next_below(&lan->ips, &ip, ip_end)) != NULL; ip++) {
		ret->bindings_local += i->told && i->best.local;
		ret->bindings_remote += i->told && !i->best.local;
	}
	*at = end < macs ? end : macs + ip;
	ret->vteps = (uint32_t)lan->vteps.count;
	ret->moves = lan->moves;
	ret->refused_full = lan->refused_full;
	ret->not_imported = lan->not_imported;
	ret->foreign_vni = lan->foreign_vni;
	ret->duplicates = lan->frozen_count;
	ret->duplicates_found = lan->duplicates_found;
	ret->alarms = lan->alarms;
	memcpy(ret->flagged, lan->flagged, sizeof(ret->flagged));
	return *at < macs + hmap_slots(&lan->ips);
}

void lan_stats(const struct lan *lan, struct lan_stats *ret)
{
	lan_stats_part(lan, &(size_t){0}, SIZE_MAX, ret);
}
