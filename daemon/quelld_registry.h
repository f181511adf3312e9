/* The exchange's registry in quelld: of which LANs it is read, and what the import policy makes of it (evpn/registered.h).
 *
 *   daemon/registries -> [here] -> daemon/quelld_policy -> evpn/policy: unregistered-mac, -ip, wrong-ip-for-mac, wrong-pe
 *
 * A port that the registry has disabled has nothing here: who is announced from there is as unknown as anybody.
 */
#pragma once
#include <stdbool.h>

#include "config/config.h"
#include "registry/registry.h"

struct registered;

/* registry-routes is not off. */
bool quelld_registry_wanted(const struct config_lan *lan);
/* Aborts when out of memory. r NULL: NULL. */
struct registered *quelld_registry_table(const struct config_lan *lan, const struct registry *r);
