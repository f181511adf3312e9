/* Who may use which MAC and IP on which port: the exchange's own books. Here: plain YAML (registry/yaml.c); the importers
 * for IX-F and IXP Manager fill the same value.
 *
 *   members:
 *     - asn: 64500
 *       name: Example Networks
 *       exchange: false             # true: hosts of the exchange itself, asked for under a budget of their own
 *       ports:
 *         - port: swp1              # interface name on a PE; optional `pe: 10.99.0.1` (its router id)
 *           macs: [02:00:5e:00:00:01]
 *           ipv4: [198.18.0.1]
 *           ipv6: ["2001:db8:100::1"]
 *           link-local: ["fe80::5eff:fe00:1"]
 *           router: true            # R of its neighbour advertisements
 *           status: active          # active | quarantine | disabled
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"

#define REGISTRY_MACS 10 /* an MAC list a port, as the field's implementations allow */
#define REGISTRY_IPS 16

enum registry_status { REGISTRY_ACTIVE, REGISTRY_QUARANTINE, REGISTRY_DISABLED };

struct registry_port {
	char port[64];	 /* interface name; empty: not known (any PE, no port lock) */
	uint32_t pe;	 /* router id, host order; 0: any PE that has such a port */
	struct mac macs[REGISTRY_MACS];
	uint8_t mac_count;
	struct ip ips[REGISTRY_IPS]; /* IPv4, IPv6 and link-local */
	uint8_t ip_count;
	enum registry_status status;
	bool router;
	uint32_t member; /* index */
};

struct registry_member {
	uint32_t asn;
	char *name;
	bool exchange;
};

struct registry {
	struct registry_member *members;
	size_t member_count;
	struct registry_port *ports;
	size_t port_count;
};

#define REGISTRY_ERROR_MAX 512

/* Reads and merges the files and checks the whole: an IP or MAC given twice, an IP outside `prefixes` (link-local excepted),
 * group or zero MACs are errors with file:line:column. 0, or -errno with lines in err. */
int registry_load(const char *const *files, size_t file_count, const struct prefix *prefixes,
	size_t prefix_count, struct registry **ret, char err[REGISTRY_ERROR_MAX]);
void registry_free(struct registry *r);
