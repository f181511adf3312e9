/* The exchange's books as IXP Manager and the IX-F member export have them, joined into one registry. Files in, value out: pure.
 * What is read of each kind stands at the head of the file that reads it.
 *
 *   ixf        IX-F member export 0.6, 0.7, 1.0 (registry/ixf.c): who, AS, contacts, addresses, MACs, switch; no port
 *   layer2     provisioner/layer2interfaces (registry/layer2.c): port, status, VLAN, addresses, MACs; no AS
 *   vlans      provisioner/vlans (registry/vlans.c): a VLAN's number and name, private or not
 *   addresses  vlan/N/ip-addresses (registry/addresses.c): which addresses are nobody's
 *   yaml       our own (registry/yaml.c)
 *
 * The join is by address (and interface): a layer2 entry says where, the ixf entry with the same IP says who (registry/join.c).
 * Addresses of the exchange's own (member_type ixp or routeserver) are the exchange's hosts. YAML files come first: what they have,
 * another book does not take from them.
 */
#pragma once
#include "registry/registry.h"

enum registry_kind {
	REGISTRY_KIND_UNKNOWN,
	REGISTRY_KIND_YAML,
	REGISTRY_KIND_IXF,
	REGISTRY_KIND_LAYER2,
	REGISTRY_KIND_VLANS,
	REGISTRY_KIND_ADDRESSES,
};

const char *registry_kind_name(enum registry_kind k);

/* By its content, as far as it goes: a file cut off or wrong further on is still of its kind. UNKNOWN is refused by
 * registry_import(). */
enum registry_kind registry_kind_of(const char *text, size_t len);

struct registry_file {
	const char *name;     /* for messages */
	const char *text;     /* the whole file, with a NUL behind it */
	size_t len;
	uint32_t pe;	      /* of layer2: the router id of the switch's PE; 0: any */
	const char *sw;	      /* of layer2: the switch's name; NULL: not known */
};

enum registry_grade { REGISTRY_NOTE, REGISTRY_CONFLICT, REGISTRY_ERROR };

/* One thing that is wrong, or odd. */
struct registry_finding {
	enum registry_grade grade; /* only an ERROR refuses */
	char text[256]; /* "sw1.json: layer2interfaces[3].vlans[0].ipaddresses.ipv4: '198.18.0.1': given already in ..." */
};

#define REGISTRY_FINDINGS_MAX 256

struct registry_findings {
	struct registry_finding *list; /* REGISTRY_FINDINGS_MAX at most */
	size_t count;
	size_t more; /* that did not fit */
	size_t errors, conflicts;
};

void registry_findings_free(struct registry_findings *f);

/* 0 with *ret to be freed, and perhaps notes and conflicts; -EINVAL if there is an ERROR, *ret untouched. A conflict (two entries
 * claim one IP or MAC, an IP outside the LAN or one of the exchange's own, a group MAC) leaves out what conflicts of the later one, but
 * with `strict` (registry_load) it is an error. `ret_f` is filled in either case. */
/* No file may be longer than REGISTRY_FILE_MAX. */
int registry_import(const struct registry_file *files, size_t count, const struct registry_lan *lan, bool strict,
	struct registry **ret, struct registry_findings *ret_f);
