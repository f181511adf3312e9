/* Books whose configuration or registry has become another, without losing what they know: what may not be any more goes, the
 * rest is told anew where it looks different now. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxyarp/binding_parts.h"

static bool traps(const struct binding_config *c, struct mac mac)
{
	return (c->dead.policy == DEAD_SPONGE && mac_eq(c->dead.mac, mac)) ||
	       mac_eq(c->duplicate.as_mac, mac);
}

/* The traps that the configuration sets; those that others set stay. */
static void set_traps(struct bindings *b, const struct binding_config *was)
{
	struct station *s;

	hmap_foreach (&b->stations, s) {
		if (!s->trap || !traps(was, s->mac) || traps(&b->c, s->mac))
			continue;
		s->trap = false;
		station_update(b, s, false);
	}
	if (b->c.dead.policy == DEAD_SPONGE)
		bindings_trap(b, b->c.dead.mac);
	bindings_trap(b, b->c.duplicate.as_mac);
}

int bindings_configure(struct bindings *b, const struct binding_config *c)
{
	struct prefix *prefixes = calloc(c->prefix_count ? c->prefix_count : 1, sizeof(*prefixes));
	struct binding_config was = b->c;
	struct station *s;

	if (!prefixes)
		return -ENOMEM;
	if (c->prefix_count)
		memcpy(prefixes, c->prefixes, c->prefix_count * sizeof(*prefixes));
	free(b->prefixes);
	b->prefixes = prefixes;
	b->c = *c;
	b->c.prefixes = prefixes;
	b->c.lan = was.lan;
	b->c.max_bindings = was.max_bindings;
	b->c.max_macs = was.max_macs;
	b->c.max_per_port = was.max_per_port;
	announce_configure(b->announce, &c->announce);
	hmap_foreach (&b->stations, s)
		s->reserved = false;
	b->exchange_count = 0;
	set_traps(b, &was);
	return 0;
}

void bindings_configured(struct bindings *b)
{
	struct binding *e;
	struct station *s;

	hmap_foreach (&b->stations, s)
		if (s->reserved && s->seen_on)
			station_on(b, s, 0);
	hmap_foreach (&b->bindings, e) {
		if (!binding_may_be(b, e->ip)) {
			binding_drop_learned(b, e);
			binding_unlink(e, REF_EVPN);
			binding_sponge(b, e, NULL);
		}
		binding_update(b, e, false);
	}
	hmap_foreach (&b->stations, s)
		station_update(b, s, false);
	bindings_collect(b);
}
