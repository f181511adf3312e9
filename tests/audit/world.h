/* A small exchange for audit tests: registry, prefixes, and frames from tests/proxyarp/frames.h sent into books.
 *
 *   swp1  AS64500 Alpha     MACs A, a     198.18.0.1, 2001:db8::1
 *   swp2  AS64501 Bravo     MAC B         198.18.0.2, 2001:db8::2
 *   swp3  AS64502 Charlie   MAC C         198.18.0.3; never heard in most tests
 *   swp4  AS64503 Delta     MAC D         198.18.0.4; disabled
 *   swp5  AS64511 the route server, exchange: MAC R, 198.18.0.9
 *   MAC S is the exchange's own; U is nobody's; prefixes 198.18.0.0/24 and 2001:db8::/64
 */
#pragma once
#include <stdio.h>

#include "audit/audit.h"
#include "tests/proxyarp/frames.h"

#define WORLD_NS 1700000000000000000LL
#define SECOND 1000000000LL

struct world {
	struct registry reg;
	struct registry_member members[5];
	struct registry_port ports[5];
	struct prefix prefixes[2];
	struct mac own[1];
	struct audit_config config;
};

static inline void world_port(struct world *w, const char *macs, const char *ip4, const char *ip6)
{
	struct registry_port *p = &w->ports[w->reg.port_count];

	p->member = (uint32_t)w->reg.port_count++;
	snprintf(p->port, sizeof(p->port), "swp%u", p->member + 1);
	for (; *macs; macs++)
		p->macs[p->mac_count++] = frame_mac(*macs);
	if (ip4)
		p->ips[p->ip_count++] = frame_ip(ip4);
	if (ip6)
		p->ips[p->ip_count++] = frame_ip(ip6);
}

static inline void world_make(struct world *w)
{
	static char names[5][8] = {"Alpha", "Bravo", "Charlie", "Delta", ""};
	static const uint32_t numbers[5] = {64500, 64501, 64502, 64503, 64511};

	memset(w, 0, sizeof(*w));
	for (int i = 0; i < 5; i++)
		w->members[i] = (struct registry_member){.asn = numbers[i], .name = names[i], .exchange = i == 4};
	w->reg = (struct registry){.members = w->members, .member_count = 5, .ports = w->ports};
	world_port(w, "Aa", "198.18.0.1", "2001:db8::1");
	world_port(w, "B", "198.18.0.2", "2001:db8::2");
	world_port(w, "C", "198.18.0.3", NULL);
	world_port(w, "D", "198.18.0.4", NULL);
	world_port(w, "R", "198.18.0.9", "2001:db8::9");
	w->ports[3].status = REGISTRY_DISABLED;
	if (prefix_parse("198.18.0.0/24", &w->prefixes[0]) < 0 || prefix_parse("2001:db8::/64", &w->prefixes[1]) < 0)
		abort();
	w->own[0] = frame_mac('S');
	w->config = (struct audit_config){
		.registry = &w->reg, .prefixes = w->prefixes, .prefix_count = 2, .own = w->own, .own_count = 1};
}

static inline void world_send(struct audit *a, const char *port, enum audit_dir dir, const struct frame_spec *s, int64_t ns)
{
	struct frame_made m = frame_make(s);

	audit_frame(a, audit_port_add(a, port), dir, m.b, m.len, m.len, WORLD_NS + ns);
}

static inline const struct audit_member *world_member(const struct audit *a, uint32_t asn)
{
	for (size_t i = 0; i < a->member_count; i++)
		if (asn ? a->members[i].member && a->members[i].member->asn == asn : !a->members[i].member)
			return &a->members[i];
	return NULL;
}

static inline const struct audit_port *world_vantage(const struct audit *a, const char *name)
{
	for (size_t i = 0; i < a->port_count; i++)
		if (strcmp(a->ports[i].name, name) == 0)
			return &a->ports[i];
	return NULL;
}
