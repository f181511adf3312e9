/* Roles of eBGP neighbours (RFC 9234). The capability is exchanged whenever a role is configured.
 * The procedures of section 5 are for unicast and "MUST NOT be applied to other address families by
 * default": for EVPN they are asked for by `otc`. The attribute itself is always carried.
 *
 *   we are       they must be   a route with OTC that comes in   one that goes out
 *   provider     customer       leaks                            gets OTC
 *   RS           RS-client      leaks                            gets OTC
 *   RS-client    RS             is what it should be             must have none
 *   customer     provider       is what it should be             must have none
 *   peer         peer           leaks unless it is theirs        must have none, gets OTC
 */
#include "bgp/roles.h"

/* By enum bgp_role. */
static const struct role_row {
	const char *name;
	int8_t value, other; /* of the capability, section 4.1; -1: no role */
	bool leaks;          /* what comes in with OTC */
	bool marks_in;       /* what comes in without gets it */
	bool closed;         /* what has OTC does not go out */
	bool marks_out;
} rows[] = {
	[ROLE_NONE] = {NULL, -1, -1, false, false, false, false},
	[ROLE_PROVIDER] = {"provider", 0, 3, true, false, false, true},
	[ROLE_RS] = {"rs", 1, 2, true, false, false, true},
	[ROLE_RS_CLIENT] = {"rs-client", 2, 1, false, true, true, false},
	[ROLE_CUSTOMER] = {"customer", 3, 0, false, true, true, false},
	[ROLE_PEER] = {"peer", 4, 4, false, true, true, true},
};

int8_t roles_value(enum bgp_role role)
{
	return rows[role].value;
}

const char *roles_name(enum bgp_role role)
{
	return rows[role].name;
}

const char *roles_told(int8_t value)
{
	for (size_t i = ROLE_PROVIDER; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value == value)
			return rows[i].name;
	return value < 0 ? NULL : "unknown";
}

const char *roles_mismatch(enum bgp_role ours, bool strict, int8_t theirs)
{
	if (ours == ROLE_NONE)
		return NULL;
	if (theirs < 0)
		return strict ? "no role from the peer, in strict mode" : NULL;
	return theirs == rows[ours].other ? NULL : "the peer's role does not go with ours";
}

static void mark(struct attrs *a, uint32_t as)
{
	if (attrs_has(a, ATTR_OTC))
		return;
	a->present |= ATTR_BIT(ATTR_OTC);
	a->otc = as;
}

uint8_t roles_import(enum bgp_role role, uint32_t remote, struct attrs *a)
{
	const struct role_row *r = &rows[role];

	if (attrs_has(a, ATTR_OTC) && (r->leaks || (role == ROLE_PEER && a->otc != remote)))
		return REFUSED_LEAK;
	if (r->marks_in)
		mark(a, remote);
	return REFUSED_NOT;
}

bool roles_may_send(enum bgp_role role, const struct attrs *a)
{
	return !rows[role].closed || !attrs_has(a, ATTR_OTC);
}

void roles_export(enum bgp_role role, uint32_t local, struct attrs *a)
{
	if (rows[role].marks_out)
		mark(a, local);
}
