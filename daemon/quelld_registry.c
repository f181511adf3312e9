#include "daemon/quelld_registry.h"

#include <stdlib.h>

#include "evpn/registered.h"

#define PE_VTEPS_MAX 16

bool quelld_registry_wanted(const struct config_lan *lan)
{
	return lan->registry_routes != REGISTRY_ROUTES_OFF;
}

/* Those that the configuration says; without a word its router id is its VTEP. */
static uint32_t vteps_of(const struct config_lan *lan, struct ip pe, struct ip ret[PE_VTEPS_MAX])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < lan->pe_vtep_count && n < PE_VTEPS_MAX; i++)
		if (ip_eq(lan->pe_vteps[i].pe, pe))
			ret[n++] = lan->pe_vteps[i].vtep;
	if (n == 0)
		ret[n++] = pe;
	return n;
}

struct registered *quelld_registry_table(const struct config_lan *lan, const struct registry *r)
{
	struct registered *made = r ? registered_new() : NULL;
	struct ip vteps[PE_VTEPS_MAX];

	if (r && !made)
		abort();
	for (size_t i = 0; r && i < r->port_count; i++) {
		const struct registry_port *p = &r->ports[i];
		struct registered_port port = {
			.macs = p->macs, .mac_count = p->mac_count, .ips = p->ips, .ip_count = p->ip_count, .vteps = vteps};
		if (p->status == REGISTRY_DISABLED)
			continue;
		if (p->pe)
			port.vtep_count = vteps_of(lan, ip_v4_u32(p->pe), vteps);
		if (registered_add(made, &port) < 0)
			abort();
	}
	return made;
}
