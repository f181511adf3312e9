/* Questions of our own to a member: does this MAC still have this address? RFC 9161 section 3.5: an ARP probe, or an NS, from the
 * PE's MAC, to the owner alone. Its answer is learned like any other and ends at the PE. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"

#define PROBE_MAX 86

/* Fills `out`, returns the length. `from`: a MAC that the bridge has as its own. */
size_t probe_build(struct mac from, struct mac to, struct ip ip, uint8_t out[static PROBE_MAX]);
