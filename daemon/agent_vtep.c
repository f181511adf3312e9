/* The fabric: which other PEs are in a LAN, and the interfaces where their VXLAN packets arrive.
 *
 * A PE is in the LAN if it is sent floods (its IMET route), or has MACs there, whose routes may name
 * another VTEP. Both come from the feed; the flood list goes to the vxlan device, both to the data plane,
 * which drops at the underlay ports what comes to our VTEP from anybody else. An underlay port is
 * judged only once a snapshot of quelld's has been in: until then nobody is known, and that is no
 * reason to cut off everybody.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent.h"
#include "daemon/loop.h"

#define LOOK_AGAIN_MS 3000

/* --- VTEPs --- */

static struct layout_vtep_key key_of(uint32_t vni, struct ip ip)
{
	struct layout_vtep_key k = {.vni = vni};

	if (ip.family == 4) {
		k.ip[10] = k.ip[11] = 0xff;
		memcpy(k.ip + 12, ip.b, 4);
	} else {
		memcpy(k.ip, ip.b, 16);
	}
	return k;
}

static void tell_plane(struct agent *a, uint32_t vni, struct ip ip, bool present)
{
	struct layout_vtep_key k = key_of(vni, ip);
	char text[IP_TEXT];
	int r = present ? a->ops->vtep_set(a->plane, &k) : a->ops->vtep_del(a->plane, &k);

	if (r < 0)
		log_limited(&a->full_log, loop_now_ms(), LOG_PROXYARP, LOG_LEVEL_WARNING,
			"VNI %u: VTEP %s: %s", vni, ip_format(ip, text), strerror(-r));
}

/* Most MACs are behind the PE of the MAC before. */
static struct agent_vtep *find(struct agent_lan *lan, struct ip ip)
{
	for (uint32_t i = lan->vtep_count; i-- > 0;)
		if (ip_eq(lan->vteps[i].ip, ip))
			return &lan->vteps[i];
	return NULL;
}

static struct agent_vtep *get(struct agent_lan *lan, struct ip ip)
{
	struct agent_vtep *v = find(lan, ip), *more;

	if (v)
		return v;
	more = lan->vtep_count < AGENT_VTEPS_MAX
		       ? reallocarray(lan->vteps, lan->vtep_count + 1, sizeof(*more))
		       : NULL;
	if (!more) {
		log_limited(&lan->agent->full_log, loop_now_ms(), LOG_FEED, LOG_LEVEL_WARNING,
			"%s: more than %d PEs", lan->c->name, AGENT_VTEPS_MAX);
		return NULL;
	}
	lan->vteps = more;
	v = &lan->vteps[lan->vtep_count++];
	*v = (struct agent_vtep){.ip = ip};
	tell_plane(lan->agent, lan->c->vni, ip, true);
	return v;
}

static void put(struct agent_lan *lan, struct agent_vtep *v)
{
	if (v->flood || v->host)
		return;
	tell_plane(lan->agent, lan->c->vni, v->ip, false);
	*v = lan->vteps[--lan->vtep_count];
}

void agent_vtep_flood(struct agent_lan *lan, struct ip vtep, bool present)
{
	struct agent_vtep *v = present ? get(lan, vtep) : find(lan, vtep);
	int r = 0;

	if (!v)
		return;
	v->flood_marked = false;
	if (v->flood != present && lan->fdb)
		r = present ? fdb_want_flood(lan->fdb, vtep) : fdb_unwant_flood(lan->fdb, vtep);
	v->flood = present;
	put(lan, v);
	if (r < 0)
		log_limited(&lan->agent->full_log, loop_now_ms(), LOG_NETLINK, LOG_LEVEL_WARNING,
			"%s: flood list: %s", lan->c->name, strerror(-r));
}

void agent_vtep_host(struct agent_lan *lan, struct ip vtep)
{
	struct agent_vtep *v = get(lan, vtep);

	if (!v)
		return;
	v->host = true;
	v->host_marked = false;
	/* The MAC may have been behind another. */
	lan->vteps_moved = true;
}

void agent_vteps_mark(struct agent_lan *lan)
{
	for (uint32_t i = 0; i < lan->vtep_count; i++)
		lan->vteps[i].flood_marked = true;
}

void agent_vteps_sweep(struct agent_lan *lan)
{
	for (uint32_t i = lan->vtep_count; i-- > 0;)
		if (lan->vteps[i].flood && lan->vteps[i].flood_marked)
			agent_vtep_flood(lan, lan->vteps[i].ip, false);
	lan->vteps_moved = true;
}

static void unmark_host(void *arg, const struct binding_view *v)
{
	struct agent_vtep *vtep = v->place == PLACE_REMOTE ? find(arg, v->vtep) : NULL;

	if (vtep)
		vtep->host_marked = false;
}

void agent_vteps_tick(struct agent_lan *lan)
{
	if (!lan->vteps_moved)
		return;
	lan->vteps_moved = false;
	for (uint32_t i = 0; i < lan->vtep_count; i++)
		lan->vteps[i].host_marked = true;
	bindings_each_mac(lan->books, unmark_host, lan);
	for (uint32_t i = lan->vtep_count; i-- > 0;) {
		struct agent_vtep *v = &lan->vteps[i];
		v->host &= !v->host_marked;
		put(lan, v);
	}
}

static bool has_own(const struct config *c, struct ip vtep)
{
	for (uint32_t i = 0; i < c->lan_count; i++)
		if (c->lans[i].agent && ip_eq(c->lans[i].vtep, vtep))
			return true;
	return false;
}

void agent_vtep_own(struct agent *a, const struct config *c, const struct config *was)
{
	for (uint32_t i = 0; i < c->lan_count; i++) {
		const struct config_lan *lan = &c->lans[i];
		if (!lan->agent)
			continue;
		tell_plane(a, 0, lan->vtep, true);
		tell_plane(a, lan->vni, (struct ip){.family = 6}, true);
	}
	for (uint32_t i = 0; was && i < was->lan_count; i++)
		if (was->lans[i].agent && !has_own(c, was->lans[i].vtep))
			tell_plane(a, 0, was->lans[i].vtep, false);
}

/* --- a plane that was found working --- */

struct stale {
	struct agent *agent;
	struct layout_vtep_key *keys;
	size_t count;
};

static struct ip ip_of(const struct layout_vtep_key *k)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t zero[16];

	if (memcmp(k->ip, zero, 16) == 0)
		return (struct ip){.family = 6};
	return memcmp(k->ip, mapped, 12) == 0 ? ip_v4(k->ip + 12) : ip_v6(k->ip);
}

static void note_stale(void *arg, const struct layout_vtep_key *k)
{
	struct stale *s = arg;
	struct agent_lan *lan = k->vni ? agent_lan_by_vni(s->agent, k->vni) : NULL;
	struct ip ip = ip_of(k);

	if (k->vni ? lan && (ip_is_unspecified(ip) || find(lan, ip)) : has_own(s->agent->config, ip))
		return;
	s->keys = reallocarray(s->keys, s->count + 1, sizeof(*s->keys));
	if (!s->keys)
		abort();
	s->keys[s->count++] = *k;
}

/* What a former agent said of the fabric, and quelld has not said again. */
static void forget_stale(struct agent *a)
{
	struct stale s = {.agent = a};

	if (!a->adopted || !a->ops->vtep_each)
		return;
	a->ops->vtep_each(a->plane, note_stale, &s);
	for (size_t i = 0; i < s.count; i++)
		a->ops->vtep_del(a->plane, &s.keys[i]);
	free(s.keys);
}

/* --- underlay ports --- */

const struct agent_underlay *agent_underlay_find(const struct agent *a, uint32_t ifindex)
{
	for (uint32_t i = 0; i < a->underlay_count; i++)
		if (a->underlays[i].ifindex == ifindex)
			return &a->underlays[i];
	return NULL;
}

static bool was_adopted(const struct agent *a, uint32_t ifindex)
{
	for (uint32_t i = 0; i < a->adopted_port_count; i++)
		if (a->adopted_ports[i].ifindex == ifindex)
			return true;
	return false;
}

static void attach(struct agent *a, struct agent_underlay *u)
{
	uint64_t now = loop_now_ms();

	if (u->attached && now - u->attached_ms < LOOK_AGAIN_MS)
		return;
	int r = a->ops->port_attach(a->plane, u->ifindex, false);
	if (r < 0)
		log_limited(&a->attach_log, now, LOG_PROXYARP, LOG_LEVEL_ERROR,
			"underlay %s: the data plane cannot be attached: %s", u->name, strerror(-r));
	else if (u->attached && r & PLANE_PUT)
		log_limited(&a->attach_log, now, LOG_PROXYARP, LOG_LEVEL_WARNING,
			"underlay %s: somebody took the data plane off; put on again", u->name);
	u->attached = r >= 0;
	u->attached_ms = now;
}

static void take(struct agent *a, struct agent_underlay *u, uint32_t ifindex)
{
	struct layout_port row = {.kind = PORT_UNDERLAY, .flags = u->dry ? PORT_DRY : 0};

	if (u->ifindex != ifindex && agent_slot_get(a, ifindex, &u->slot) < 0) {
		log_error(LOG_PROXYARP, "underlay %s: not taken: too many ports for this start", u->name);
		return;
	}
	u->ifindex = ifindex;
	row.slot = u->slot;
	int r = a->ops->port_set(a->plane, ifindex, &row);
	if (r < 0)
		log_error(LOG_PROXYARP, "underlay %s: not taken: %s", u->name, strerror(-r));
	else
		attach(a, u);
}

static void drop(struct agent *a, struct agent_underlay *u)
{
	if (!u->ifindex)
		return;
	a->ops->port_del(a->plane, u->ifindex);
	agent_slot_put(a, u->slot);
	u->ifindex = 0;
	u->attached = false;
}

/* What is there is taken, if the fabric is known; what is gone is forgotten. */
static void look(struct agent *a, struct agent_underlay *u)
{
	const struct link *l = links_find(a->links, u->name);
	bool wanted = l && !l->is_port && (a->vteps_told || was_adopted(a, l->ifindex));

	if (l && l->is_port)
		log_limited(&a->attach_log, loop_now_ms(), LOG_PROXYARP, LOG_LEVEL_WARNING,
			"underlay %s: a port of a bridge is no underlay", u->name);
	if (u->ifindex && (!wanted || l->ifindex != u->ifindex))
		drop(a, u);
	if (wanted)
		take(a, u, l->ifindex);
}

static struct agent_underlay *named(struct agent_underlay *list, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

static void add(struct agent *a, struct agent_underlay *list, uint32_t *count, const char *name, bool dry)
{
	struct agent_underlay *u = named(list, *count, name);
	const struct agent_underlay *was = named(a->underlays, a->underlay_count, name);

	if (!u) {
		u = &list[(*count)++];
		*u = was ? *was : (struct agent_underlay){0};
		u->dry = false;
		strncpy(u->name, name, sizeof(u->name) - 1);
	}
	u->dry |= dry;
}

void agent_underlays_set(struct agent *a)
{
	struct agent_underlay *list;
	uint32_t count = 0;

	for (uint32_t i = 0; i < a->lan_count; i++)
		count += a->lans[i].c->agent->underlay_count;
	list = calloc(count ? count : 1, sizeof(*list));
	if (!list)
		abort();
	count = 0;
	for (uint32_t i = 0; i < a->lan_count; i++) {
		const struct config_agent *c = a->lans[i].c->agent;
		for (uint32_t k = 0; k < c->underlay_count; k++)
			add(a, list, &count, c->underlay[k], c->policy.dry_run);
	}
	for (uint32_t i = 0; i < a->underlay_count; i++)
		if (!named(list, count, a->underlays[i].name))
			drop(a, &a->underlays[i]);
	free(a->underlays);
	a->underlays = list;
	a->underlay_count = count;
	for (uint32_t i = 0; i < count; i++)
		look(a, &list[i]);
}

void agent_underlays_open(struct agent *a)
{
	if (!a->vteps_told)
		forget_stale(a);
	a->vteps_told = true;
	for (uint32_t i = 0; i < a->underlay_count; i++)
		look(a, &a->underlays[i]);
}

void agent_underlays_link(struct agent *a, const struct link *was, const struct link *now)
{
	for (uint32_t i = 0; i < a->underlay_count; i++) {
		struct agent_underlay *u = &a->underlays[i];
		if ((now && strcmp(now->name, u->name) == 0) || (was && was->ifindex == u->ifindex))
			look(a, u);
	}
}

void agent_underlays_tick(struct agent *a)
{
	for (uint32_t i = 0; i < a->underlay_count; i++)
		if (a->underlays[i].ifindex)
			attach(a, &a->underlays[i]);
}

void agent_underlays_free(struct agent *a)
{
	free(a->underlays);
	a->underlays = NULL;
	a->underlay_count = 0;
}
