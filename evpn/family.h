/* The family's row for the engine: L2VPN EVPN, AFI 25, SAFI 70. */
#pragma once
#include "bgp/family.h"

extern const struct bgp_family evpn_family;
