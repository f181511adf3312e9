/* BGP roles (RFC 9234): who may be what to whom, and the Only to Customer attribute. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "bgp/attr.h"
#include "bgp/speaker.h"

/* The capability's value; -1: none. */
int8_t roles_value(enum bgp_role role);
/* Its word, as in the configuration; NULL: none. */
const char *roles_name(enum bgp_role role);
/* The same of what an OPEN tells, -1: none. */
const char *roles_told(int8_t value);
/* NULL, or why the session must not come up (2/11). `theirs`: as in their OPEN, -1 without. */
const char *roles_mismatch(enum bgp_role ours, bool strict, int8_t theirs);
/* A route comes in from AS `remote`, to whom we are `role`: section 5, ingress. REFUSED_NOT, or REFUSED_LEAK. May add
 * the attribute. */
uint8_t roles_import(enum bgp_role role, uint32_t remote, struct attrs *a);
/* May a route go to whom we are `role`? Section 5, egress. */
bool roles_may_send(enum bgp_role role, const struct attrs *a);
/* Then it goes with the attribute. */
void roles_export(enum bgp_role role, uint32_t local, struct attrs *a);
