/* MACs that are being replaced (former-macs of the registry): good on their port, and for its addresses, until they have been silent
 * for mac-swap; then they are good for nothing any more, until the registry says something else about the port.
 *
 *   registry -> [here] -> agent_port.c (what the port allows) -> proxyarp/bindings -> plane, FDB, feed
 *   books, when each was heard last -> [here, once a second]
 *
 * Who cannot be heard is not silent: a port that is down, or in quarantine, or not there yet, stops the clock. A restart begins anew
 * with what the registry says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent.h"
#include "daemon/loop.h"

struct agent_former {
	char port[LINK_NAME];
	struct mac mac;
	uint32_t asn;
	uint64_t since_ms; /* read, or heard last */
	bool silent;
};

/* --- the registry --- */

static bool same_entry(const struct registry *a, const struct registry_port *x, const struct registry *b,
	const struct registry_port *y)
{
	return strcmp(x->port, y->port) == 0 && x->pe == y->pe &&
	       a->members[x->member].asn == b->members[y->member].asn && x->former_count == y->former_count &&
	       x->mac_count == y->mac_count && memcmp(x->macs, y->macs, x->mac_count * sizeof(x->macs[0])) == 0;
}

static bool was_there(const struct registry *was, const struct registry *is, const struct registry_port *r)
{
	for (size_t i = 0; was && i < was->port_count; i++)
		if (same_entry(was, &was->ports[i], is, r))
			return true;
	return false;
}

static const struct agent_former *find(const struct agent_former *list, uint32_t count, const char *port, struct mac mac)
{
	for (uint32_t i = 0; i < count; i++)
		if (mac_eq(list[i].mac, mac) && strcmp(list[i].port, port) == 0)
			return &list[i];
	return NULL;
}

static void add(struct agent_lan *lan, const struct registry_port *r, struct mac mac, const struct agent_former *known)
{
	struct agent_former *list = reallocarray(lan->former, lan->former_count + 1, sizeof(*list));
	struct agent_former f = {.mac = mac,
		.asn = lan->registry->members[r->member].asn,
		.since_ms = known ? known->since_ms : loop_now_ms(),
		.silent = known && known->silent && lan->c->agent->mac_swap};

	if (!list)
		abort();
	snprintf(f.port, sizeof(f.port), "%.*s", LINK_NAME - 1, r->port);
	list[lan->former_count++] = f;
	lan->former = list;
}

void agent_former_set(struct agent_lan *lan, const struct registry *was)
{
	const struct registry *reg = lan->registry;
	struct agent_former *old = lan->former;
	uint32_t old_count = lan->former_count;

	lan->former = NULL;
	lan->former_count = 0;
	for (size_t i = 0; reg && i < reg->port_count; i++) {
		const struct registry_port *r = &reg->ports[i];
		if (!r->port[0] || !r->former_count || strlen(r->port) >= LINK_NAME ||
			!agent_port_named(lan->agent, r, r->port))
			continue;
		bool kept = was_there(was, reg, r);
		for (int m = r->mac_count - r->former_count; m < r->mac_count; m++)
			add(lan, r, r->macs[m], kept ? find(old, old_count, r->port, r->macs[m]) : NULL);
	}
	free(old);
}

bool agent_former_silent(const struct agent_port *p, struct mac mac)
{
	const struct agent_former *f = find(p->lan->former, p->lan->former_count, p->name, mac);

	return f && f->silent;
}

/* --- time --- */

static struct agent_port *port_of(const struct agent_lan *lan, const char *name)
{
	struct agent_port *p;

	TAILQ_FOREACH (p, &lan->ports, link)
		if (p->kind == PORT_MEMBER && strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

static void retire(struct agent_lan *lan, struct agent_former *f, struct agent_port *p)
{
	char mac[MAC_TEXT];

	f->silent = true;
	log_notice(LOG_PROXYARP,
		"%s: %s: %s, a former MAC of AS%u, has been silent for %u seconds: no longer allowed", lan->c->name, p->name,
		mac_format(f->mac, mac), f->asn, lan->c->agent->mac_swap);
	agent_port_apply(p);
}

void agent_former_tick(struct agent_lan *lan, uint64_t now_ms)
{
	uint64_t swap_ms = lan->c->agent->mac_swap * 1000ULL;
	struct binding_view v;

	for (uint32_t i = 0; i < lan->former_count; i++) {
		struct agent_former *f = &lan->former[i];
		struct agent_port *p = port_of(lan, f->port);
		if (f->silent)
			continue;
		if (!lan->open || !p || !p->up || p->quarantine)
			f->since_ms = now_ms;
		else if (bindings_get_mac(lan->books, f->mac, &v) && v.seen_ms > f->since_ms)
			f->since_ms = v.seen_ms;
		if (swap_ms && now_ms - f->since_ms > swap_ms)
			retire(lan, f, p);
	}
}

/* --- shown --- */

json_t *agent_former_show(const struct agent_port *p)
{
	const struct agent_lan *lan = p->lan;
	uint64_t swap_ms = lan->c->agent->mac_swap * 1000ULL, now = loop_now_ms();
	json_t *list = json_array();
	char mac[MAC_TEXT];

	for (uint32_t i = 0; i < lan->former_count; i++) {
		const struct agent_former *f = &lan->former[i];
		if (strcmp(f->port, p->name) != 0)
			continue;
		json_t *o = json_pack("{s:s, s:b, s:n}", "mac", mac_format(f->mac, mac), "silent", f->silent, "left_s");
		uint64_t end_ms = f->since_ms + swap_ms;
		if (swap_ms && !f->silent)
			json_object_set_new(o, "left_s", json_integer(end_ms > now ? (json_int_t)((end_ms - now) / 1000) : 0));
		json_array_append_new(list, o);
	}
	return list;
}
