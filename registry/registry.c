#include "registry/registry.h"

#include <stdlib.h>
#include <string.h>

void registry_free(struct registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->member_count; i++) {
		struct registry_member *m = &r->members[i];
		for (uint32_t k = 0; k < m->contact_count; k++)
			free(m->contacts[k]);
		free(m->contacts);
		free(m->name);
	}
	free(r->members);
	free(r->ports);
	free(r->unassigned);
	free(r);
}

const struct registry_port *registry_by_ip(const struct registry *r, struct ip ip)
{
	for (size_t i = 0; i < r->port_count; i++)
		for (int k = 0; k < r->ports[i].ip_count; k++)
			if (ip_eq(r->ports[i].ips[k], ip))
				return &r->ports[i];
	return NULL;
}

const struct registry_port *registry_by_mac(const struct registry *r, struct mac mac)
{
	for (size_t i = 0; i < r->port_count; i++)
		for (int k = 0; k < r->ports[i].mac_count; k++)
			if (mac_eq(r->ports[i].macs[k], mac))
				return &r->ports[i];
	return NULL;
}

static int cmp(const void *a, const void *b)
{
	const struct ip *x = a, *y = b;

	return ip_cmp(*x, *y);
}

bool registry_is_unassigned(const struct registry *r, struct ip ip)
{
	return r->unassigned_count &&
	       bsearch(&ip, r->unassigned, r->unassigned_count, sizeof(ip), cmp) != NULL;
}

bool registry_type_is_exchange(const char *type)
{
	return strcmp(type, "ixp") == 0 || strcmp(type, "routeserver") == 0;
}

bool registry_type_is_known(const char *type)
{
	return registry_type_is_exchange(type) || strcmp(type, "peering") == 0 ||
	       strcmp(type, "probono") == 0 || strcmp(type, "other") == 0;
}
