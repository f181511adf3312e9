/* The exchange's books as they are read, before they are one: each file's reader (registry/ixf.c, layer2.c, vlans.c, addresses.c) adds
 * what it has of the LAN, then registry/join.c makes members and ports of it. Text is that of the JSON values, which live as long. */
#pragma once
#include <jansson.h>

#include "registry/build.h"

#define BOOK_MACS 32 /* as read, each under IPv4 and IPv6 perhaps */
#define BOOK_ENTRIES_MAX 65536
#define BOOK_VLANS_MAX 4096

struct book_mac {
	struct mac mac;
	const char *list; /* where of the entry: "ipv4.mac_addresses" */
	uint32_t index;
};

enum { BOOK_IPV4, BOOK_IPV6, BOOK_FAMILIES };

/* What one file says of one interface in the LAN. */
struct book_entry {
	const struct build_source *source;
	char where[BUILD_WHERE - 32];
	const char *list[BOOK_FAMILIES]; /* where of the entry its addresses stand: "ipaddresses.ipv4" */
	struct ip ips[BOOK_FAMILIES];	 /* family 0: none */
	struct book_mac macs[BOOK_MACS];
	uint32_t mac_count;
	const char *sw; /* NULL: not known */
	uint32_t speed_mbps;
	enum registry_status status;
	uint32_t member; /* of IX-F: index into members */
	/* of layer2 */
	const char *port, *name; /* NULL: not known */
	uint32_t pe;
};

struct book_member {
	uint32_t asn;
	const char *name; /* never NULL */
	char type[16];
	bool exchange, said; /* said: more than the key is there */
	const char *contacts[REGISTRY_CONTACTS];
	uint32_t contact_count;
	uint32_t index; /* here; then in the registry, once it is there */
};

struct book_entries {
	struct book_entry *list;
	size_t count, room;
};

struct books {
	struct build *b;
	struct book_member **members;
	size_t member_count, member_room;
	struct hmap by_key;	   /* of members, by AS, of those without by name */
	struct book_entries who;   /* IX-F */
	struct book_entries where; /* layer2interfaces */
	bool has_ixf, has_vlans;
	uint8_t private_vlans[BOOK_VLANS_MAX / 8];
};

void books_init(struct books *books, struct build *b);
void books_free(struct books *books);

/* That member; a new one if it is not there. Of AS 0, that of the name. */
uint32_t books_member(struct books *books, uint32_t asn, const char *name);
/* NULL, with an error said, if there are too many. */
struct book_entry *books_entry(struct books *books, struct book_entries *to);

struct json_reader;

/* Adds the MACs of a list, or the one MAC, at `key` of `o`, each once. `list` says where that is of the entry. */
void book_macs(struct json_reader *r, const json_t *o, const char *key, const char *list, struct book_entry *e);

/* The readers: the file is books->b->source. */
void registry_ixf_read(struct books *books, const json_t *root);
void registry_layer2_read(struct books *books, const json_t *root, uint32_t pe, const char *sw);
void registry_vlans_read(struct books *books, const json_t *root);
void registry_addresses_read(struct books *books, const json_t *root);

/* Everything that was read, into the build. */
void registry_join(struct books *books);
