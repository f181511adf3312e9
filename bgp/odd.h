/* The log of what was wrong in UPDATEs and was lived with (RFC 7606 section 6). */
#pragma once
#include "bgp/update.h"

struct neighbor;

/* Counts and logs what was found in the attributes. */
void odd_attributes(struct neighbor *n, const struct update *u);
/* Logs an NLRI that was discarded or treated as withdrawn; the caller counts. `octets`: those of the NLRI. */
void odd_nlri(struct neighbor *n, struct span octets, const char *why);
