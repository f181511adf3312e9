/* A LAN's books as a whole: made and freed, ports that come and go, what is shown of them. See
 * binding.h. */
#include <errno.h>
#include <stdlib.h>

#include "lib/siphash.h"
#include "proxyarp/binding_parts.h"

#define PER_PORT_DEFAULT 16

static bool station_is(const void *entry, const void *key)
{
	return memcmp(((const struct station *)entry)->mac.b, key, 6) == 0;
}

static bool binding_is(const void *entry, const void *key)
{
	return ip_eq(((const struct binding *)entry)->ip, *(const struct ip *)key);
}

static bool port_is(const void *entry, const void *key)
{
	return ((const struct binding_port_entry *)entry)->ifindex == *(const uint32_t *)key;
}

static uint64_t port_hash(uint32_t ifindex)
{
	return siphash(siphash_process_key(), &ifindex, sizeof(ifindex));
}

static void send_frame(void *arg, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	const struct bindings *b = arg;

	if (b->hooks.send)
		b->hooks.send(b->hooks.arg, ifindex, frame, len);
}

struct bindings *bindings_new(const struct binding_config *c, const struct binding_hooks *hooks)
{
	struct bindings *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->c = *c;
	b->hooks = *hooks;
	b->prefixes = calloc(c->prefix_count ? c->prefix_count : 1, sizeof(*b->prefixes));
	if (!b->prefixes) {
		free(b);
		return NULL;
	}
	if (c->prefix_count)
		memcpy(b->prefixes, c->prefixes, c->prefix_count * sizeof(*b->prefixes));
	b->c.prefixes = b->prefixes;
	if (!b->c.max_per_port)
		b->c.max_per_port = PER_PORT_DEFAULT;
	b->announce = announce_new(&c->announce, send_frame, b);
	if (!b->announce) {
		free(b->prefixes);
		free(b);
		return NULL;
	}
	hmap_init(&b->stations, station_is);
	hmap_init(&b->bindings, binding_is);
	hmap_init(&b->ports, port_is);
	if (c->dead.policy == DEAD_SPONGE && mac_is_host(c->dead.mac))
		bindings_trap(b, c->dead.mac);
	if (mac_is_host(c->duplicate.as_mac))
		bindings_trap(b, c->duplicate.as_mac);
	return b;
}

static void free_bindings(struct bindings *b)
{
	struct binding *e;

	hmap_foreach (&b->bindings, e) {
		duplicate_free(b, e);
		free(e);
	}
	hmap_free(&b->bindings);
}

static void free_entries(struct hmap *m)
{
	void *e;

	hmap_foreach (m, e)
		free(e);
	hmap_free(m);
}

void bindings_free(struct bindings *b)
{
	if (!b)
		return;
	free_entries(&b->stations);
	free_bindings(b);
	free_entries(&b->ports);
	announce_free(b->announce);
	free(b->prefixes);
	free(b);
}

void bindings_clock(struct bindings *b, uint64_t now_ms)
{
	struct binding_port_entry *p;

	/* Ports that were set before there was a time are up since now. */
	if (b->now_ms == 0)
		hmap_foreach (&b->ports, p)
			p->up_ms = now_ms;
	b->now_ms = now_ms;
}

struct binding_port_entry *bindings_port(const struct bindings *b, uint32_t ifindex)
{
	return hmap_get(&b->ports, port_hash(ifindex), &ifindex);
}

bool bindings_port_is_up(const struct bindings *b, uint32_t ifindex)
{
	const struct binding_port_entry *p = bindings_port(b, ifindex);

	return p && p->p.up;
}

static bool drop_binding(void *entry, void *arg)
{
	(void)arg;
	if (!binding_is_empty(entry))
		return false;
	free(entry);
	return true;
}

static bool drop_station(void *entry, void *arg)
{
	(void)arg;
	if (!station_is_empty(entry))
		return false;
	free(entry);
	return true;
}

void bindings_collect_bindings(struct bindings *b)
{
	if (b->empty_bindings)
		hmap_sweep(&b->bindings, drop_binding, NULL);
	b->empty_bindings = false;
}

void bindings_collect_stations(struct bindings *b)
{
	if (b->empty_stations)
		hmap_sweep(&b->stations, drop_station, NULL);
	b->empty_stations = false;
}

/* --- ports --- */

bool bindings_lists_mac(const struct binding_port *p, struct mac mac)
{
	for (int i = 0; i < p->mac_count; i++)
		if (mac_eq(p->macs[i], mac))
			return true;
	return false;
}

/* -1: not one of the port's. */
static int index_of(const struct binding_port *p, struct ip ip)
{
	for (int i = 0; i < p->ip_count; i++)
		if (ip_eq(p->ips[i], ip))
			return i;
	return -1;
}

static int group_of(const struct binding_port *p, struct ip ip)
{
	int i = index_of(p, ip);

	return i < 0 ? -1 : p->ip_group[i];
}

uint8_t bindings_ip_flags(const struct binding_port *p, struct ip ip)
{
	int i = index_of(p, ip);
	uint8_t flags = i < 0 ? 0 : p->ip_flags[i] & (BIND_ROUTER | BIND_OVERRIDE | BIND_EXCHANGE);

	return flags ? flags : BIND_ROUTER | BIND_OVERRIDE;
}

bool bindings_may_speak(const struct binding_port *p, struct ip ip, struct mac mac)
{
	int group = group_of(p, ip);

	for (int i = 0; i < p->mac_count; i++)
		if (p->mac_group[i] == group && mac_eq(p->macs[i], mac))
			return true;
	return false;
}

int bindings_speakers(const struct binding_port *p, struct ip ip, struct mac *ret_first)
{
	int group = group_of(p, ip), n = 0;

	for (int i = 0; i < p->mac_count; i++) {
		if (p->mac_group[i] != group)
			continue;
		if (n++ == 0 && ret_first)
			*ret_first = p->macs[i];
	}
	return n;
}

static bool lists_ip(const struct binding_port *p, struct ip ip)
{
	return bindings_speakers(p, ip, NULL) > 0;
}

/* What the port had in `was` and `now` has no more. */
static void port_lose(struct bindings *b, uint32_t ifindex, const struct binding_port *was,
	const struct binding_port *now)
{
	for (int i = 0; i < was->ip_count; i++) {
		struct binding *e =
			lists_ip(now, was->ips[i]) ? NULL : binding_find(b, was->ips[i]);
		if (!e || e->home != ifindex)
			continue;
		e->home = 0;
		binding_unlink(e, REF_STATIC);
		binding_update(b, e, false);
	}
	for (int i = 0; i < was->mac_count; i++) {
		struct station *s = bindings_lists_mac(now, was->macs[i])
					    ? NULL
					    : station_find(b, was->macs[i]);
		if (!s || s->home != ifindex)
			continue;
		s->home = 0;
		s->seen = s->claimed = false;
		station_update(b, s, false);
	}
}

static int port_gain_mac(struct bindings *b, uint32_t ifindex, struct mac mac)
{
	struct station *s = station_get(b, mac);

	if (!s)
		return -ENOSPC;
	if (s->self || s->trap || (s->home && s->home != ifindex))
		return -EEXIST;
	if (!s->home) {
		s->home = ifindex;
		s->seen = false;
		/* Learned on this very port: then it has been seen here. */
		if (s->seen_on == ifindex)
			s->seen = true;
		station_on(b, s, 0);
	}
	station_update(b, s, false);
	return 0;
}

static int port_gain_ip(struct bindings *b, const struct binding_port_entry *p, struct ip ip)
{
	struct binding *e = binding_get(b, ip);
	struct station *active, *first = NULL;
	int r = 0;

	if (!e)
		return -ENOSPC;
	active = e->refs[REF_STATIC].station;
	if (e->home && e->home != p->ifindex) {
		r = -EEXIST;
	} else if (bindings_speakers(&p->p, ip, NULL) > 0) {
		first = list_first(b, p, e);
		r = first ? 0 : -ENOSPC;
	}
	if (first) {
		e->home = p->ifindex;
		if (!active || !bindings_may_speak(&p->p, ip, active->mac))
			binding_link(e, REF_STATIC, first);
		binding_drop_learned(b, e);
		duplicate_free(b, e);
	}
	binding_update(b, e, false);
	return r;
}

/* What was learned on a port from MACs that are not registered for it. */
static void port_forget(struct bindings *b, uint32_t ifindex)
{
	struct station *s;

	hmap_foreach (&b->stations, s) {
		if (s->seen_on != ifindex)
			continue;
		station_on(b, s, 0);
		s->claimed = false;
		station_update(b, s, false);
	}
}

/* Where nobody may be, nobody is told anything. */
static void set_announced(struct bindings *b, const struct binding_port_entry *p)
{
	if (p->p.up)
		announce_port(b->announce, p->ifindex, !p->p.closed || p->p.mac_count > 0);
	else
		announce_port_gone(b->announce, p->ifindex);
}

int bindings_port_set(struct bindings *b, uint32_t ifindex, const struct binding_port *now)
{
	struct binding_port_entry *p = bindings_port(b, ifindex);
	bool up = p ? p->p.up : now->up; /* a new one is never down for a moment in the plane */
	int r = 0, one;

	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->ifindex = ifindex;
		if (hmap_add(&b->ports, port_hash(ifindex), p) < 0) {
			free(p);
			return -ENOMEM;
		}
	}
	struct binding_port was = p->p;
	p->p = *now;
	p->p.up = up;
	if (!was.up && up)
		p->up_ms = b->now_ms;
	set_announced(b, p);
	port_lose(b, ifindex, &was, now);
	if (now->closed && !was.closed)
		port_forget(b, ifindex);
	for (int i = 0; i < now->mac_count; i++) {
		one = port_gain_mac(b, ifindex, now->macs[i]);
		r = r ? r : one;
	}
	for (int i = 0; i < now->ip_count; i++) {
		one = port_gain_ip(b, p, now->ips[i]);
		r = r ? r : one;
	}
	bindings_port_up(b, ifindex, now->up);
	return r;
}

void bindings_port_up(struct bindings *b, uint32_t ifindex, bool up)
{
	struct binding_port_entry *p = bindings_port(b, ifindex);

	if (!p || p->p.up == up)
		return;
	p->p.up = up;
	p->up_ms = b->now_ms;
	set_announced(b, p);
	for (int i = 0; i < p->p.mac_count; i++) {
		struct station *s = station_find(b, p->p.macs[i]);
		if (!s || s->home != ifindex)
			continue;
		/* Whoever claims it while the port is down has it, until it is seen here again. */
		s->seen = s->claimed = false;
		station_update(b, s, false);
	}
	if (!up)
		port_forget(b, ifindex);
}

void bindings_port_del(struct bindings *b, uint32_t ifindex)
{
	static const struct binding_port none;
	struct binding_port_entry *p = bindings_port(b, ifindex);

	if (!p)
		return;
	bindings_port_up(b, ifindex, false);
	port_forget(b, ifindex);
	port_lose(b, ifindex, &p->p, &none);
	free(hmap_del(&b->ports, port_hash(ifindex), &ifindex));
	bindings_collect(b);
}

int bindings_reserve(struct bindings *b, struct mac mac)
{
	struct station *s = station_get(b, mac);

	if (!s)
		return -ENOSPC;
	s->reserved = true;
	return 0;
}

int bindings_self(struct bindings *b, struct mac mac, uint32_t ifindex)
{
	struct station *s, *own = NULL;

	hmap_foreach (&b->stations, s) {
		if (!s->self || mac_eq(s->mac, mac))
			continue;
		s->self = 0;
		station_update(b, s, false);
	}
	own = mac_is_host(mac) ? station_get(b, mac) : NULL;
	if (!own)
		return mac_is_host(mac) ? -ENOSPC : -EINVAL;
	own->self = ifindex;
	b->self = mac;
	station_on(b, own, 0);
	station_update(b, own, false);
	return 0;
}

int bindings_trap(struct bindings *b, struct mac mac)
{
	struct station *s = mac_is_host(mac) ? station_get(b, mac) : NULL;

	if (!s)
		return mac_is_host(mac) ? -ENOSPC : -EINVAL;
	if (s->self || s->home || s->reserved || s->seen_on)
		return -EEXIST;
	s->trap = true;
	s->remote = s->marked = s->claimed = s->sticky = false;
	station_update(b, s, false);
	return 0;
}

static int compare_ip(const void *a, const void *b)
{
	return ip_cmp(*(const struct ip *)a, *(const struct ip *)b);
}

bool bindings_is_exchange(const struct bindings *b, struct ip ip)
{
	return bsearch(&ip, b->exchange, b->exchange_count, sizeof(ip), compare_ip) != NULL;
}

int bindings_exchange(struct bindings *b, struct ip ip)
{
	struct binding *e = binding_find(b, ip);

	if (bindings_is_exchange(b, ip))
		return 0;
	if (b->exchange_count == BINDING_EXCHANGE)
		return -ENOSPC;
	b->exchange[b->exchange_count++] = ip;
	qsort(b->exchange, b->exchange_count, sizeof(ip), compare_ip);
	if (e)
		binding_update(b, e, false);
	return 0;
}

/* --- the sponge --- */

int bindings_sponge_set(struct bindings *b, struct ip ip, struct mac mac)
{
	struct binding *e = binding_find(b, ip);
	struct layout_bind v;

	if (!binding_may_be(b, ip) || !mac_is_host(mac))
		return -EINVAL;
	enum binding_source source = e ? binding_effective(b, e, &v) : SOURCE_NONE;
	if (source != SOURCE_NONE && source != SOURCE_SPONGE)
		return -EEXIST;
	if (!(e && e->sponged) && b->sponged >= bindings_share_of(b->c.max_bindings))
		return -ENOSPC;
	e = binding_get(b, ip);
	if (!e)
		return -ENOSPC;
	binding_sponge(b, e, &mac);
	binding_update(b, e, false);
	return 0;
}

void bindings_sponge_del(struct bindings *b, struct ip ip)
{
	struct binding *e = binding_find(b, ip);

	if (!e || !e->sponged)
		return;
	binding_sponge(b, e, NULL);
	binding_update(b, e, false);
}

/* --- frames of our own --- */

int bindings_send(struct bindings *b, enum announce_kind kind, uint32_t ifindex, struct ip ip,
	const uint8_t *frame, size_t len)
{
	return announce_frame(b->announce, kind, ifindex, ip, frame, len);
}

uint64_t bindings_drain(struct bindings *b, uint64_t now_ms)
{
	return announce_drain(b->announce, now_ms);
}

void bindings_announce_stats(const struct bindings *b, struct announce_stats *ret)
{
	announce_stats(b->announce, ret);
}
