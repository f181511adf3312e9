/* Who may use which MAC and IP on which port: the exchange's own books. The plain form is a YAML file (registry/yaml.c reads it,
 * registry/write.c writes it); the importers for IX-F and IXP Manager (registry/import.h) fill the same value.
 *
 *   members:
 *     - asn: 64500                  # 0: not known
 *       name: Example Networks
 *       type: peering               # as IX-F has it: peering | ixp | routeserver | probono | other
 *       exchange: false             # true: hosts of the exchange itself, asked for under a budget of their own;
 *                                   # without it, as type says: ixp and routeserver are
 *       contacts: [noc@example.net]
 *       ports:
 *         - port: swp1              # interface name on a PE; optional `pe: 10.99.0.1` (its router id)
 *           pe: 10.99.0.1
 *           switch: sw1.fra         # its name in IXP Manager
 *           speed: 10000            # Mbit/s
 *           macs: [02:00:5e:00:00:01]
 *           former-macs: [02:00:5e:00:00:02]   # being replaced: good until silent
 *           ipv4: [198.18.0.1]
 *           ipv6: ["2001:db8:100::1"]
 *           link-local: ["fe80::5eff:fe00:1"]
 *           router: true            # R of its neighbour advertisements
 *           status: active          # active | quarantine | disabled
 *   unassigned: [198.18.0.77, "2001:db8:100::77"]   # addresses that are known to be nobody's: the sponge's list
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"

#define REGISTRY_MACS 10 /* an MAC list a port, as the field's implementations allow; former ones among them */
#define REGISTRY_IPS 16
#define REGISTRY_CONTACTS 8
#define REGISTRY_MEMBERS_MAX 65536
#define REGISTRY_UNASSIGNED_MAX 65536
#define REGISTRY_TEXT_MAX 255 /* octets of a name or contact */
#define REGISTRY_FILE_MAX (32u << 20) /* octets of a file */

enum registry_status { REGISTRY_ACTIVE, REGISTRY_QUARANTINE, REGISTRY_DISABLED };

struct registry_port {
	char port[64];	 /* interface name; empty: not known (any PE, no port lock) */
	uint32_t pe;	 /* router id, host order; 0: any PE that has such a port */
	char sw[64];	 /* the switch's name in the exchange's books; empty: not known */
	uint32_t speed_mbps; /* 0: not known */
	struct mac macs[REGISTRY_MACS];
	uint8_t mac_count;
	uint8_t former_count; /* the last so many of macs[]: no longer in the books, good until silent */
	struct ip ips[REGISTRY_IPS]; /* IPv4, IPv6 and link-local */
	uint8_t ip_count;
	enum registry_status status;
	bool router;
	uint32_t member; /* index */
};

struct registry_member {
	uint32_t asn; /* 0: not known */
	char *name;
	char type[16]; /* empty: not known */
	bool exchange;
	char **contacts;
	uint32_t contact_count;
};

struct registry {
	struct registry_member *members;
	size_t member_count;
	struct registry_port *ports;
	size_t port_count;
	struct ip *unassigned; /* in order, each once */
	size_t unassigned_count;
};

/* What is asked of a registry besides being one: of which LAN it is. */
struct registry_lan {
	const struct prefix *prefixes; /* none: any address */
	size_t prefix_count;
	uint32_t vlan; /* its number (802.1Q tag) in IXP Manager; 0: told by its addresses */
};

#define REGISTRY_ERROR_MAX 512

/* Reads and merges the files, plain YAML or the JSON of an importer (told apart by what is in them), and checks the whole: an
 * IP or MAC given twice, an IP outside `prefixes` (link-local excepted), group or zero MACs are errors with file:line:column, in
 * JSON file and path. 0, or -errno with lines in err. */
int registry_load(const char *const *files, size_t file_count, const struct registry_lan *lan,
	struct registry **ret, char err[REGISTRY_ERROR_MAX]);
void registry_free(struct registry *r);

/* The types that IX-F has, and those of them whose hosts are the exchange's. */
bool registry_type_is_known(const char *type);
bool registry_type_is_exchange(const char *type);

/* Who has it; NULL: nobody. Of several entries the first. Linear: for reports and commands, not for frames. */
const struct registry_port *registry_by_ip(const struct registry *r, struct ip ip);
const struct registry_port *registry_by_mac(const struct registry *r, struct mac mac);
bool registry_is_unassigned(const struct registry *r, struct ip ip);
