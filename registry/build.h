/* A registry being put together, whatever file its parts come from. What is asked of an entry is asked here, once for every
 * reader (registry/yaml.c, registry/import.c): every MAC is a host's, every address is one of the LAN's, nobody has what another
 * has, and who is first keeps it. What is wrong is said with file and place and left out; whether that refuses the whole is the
 * caller's.
 *
 * One MAC on two ports of the same member is a move being prepared, and stands.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/hmap.h"
#include "registry/import.h"
#include "registry/registry.h"

struct yaml_file;

#define BUILD_WHERE 128 /* "member_list[65535].connection_list[99].vlan_list[0].ipv4.mac_addresses[0]" */
#define BUILD_LINE 512

/* A file that is read; lives as long as the build. */
struct build_source {
	const char *name;
	struct yaml_file *yaml; /* of a YAML file: knows its lines */
};

/* A whole line, escaped: "file: place: 'value': what". */
typedef void build_line_fn(void *arg, enum registry_grade grade, const char *line);

struct build_free; /* an address said to be nobody's */

struct build {
	const struct registry_lan *lan;
	build_line_fn *line;
	void *arg;
	const struct build_source *source; /* of what is being added */
	size_t errors;
	struct registry *reg;
	char at[BUILD_WHERE]; /* the port being filled */
	size_t member_room, port_room;
	struct build_free *free;
	size_t free_count, free_room;
	bool free_full;
	struct hmap claims;
};

void build_init(struct build *b, const struct registry_lan *lan, build_line_fn *line, void *arg);
/* The registry, its unassigned addresses checked and in order; the caller's. */
struct registry *build_end(struct build *b);
/* Instead of build_end(). */
void build_drop(struct build *b);

/* A line as it is. Once there is an error nothing comes of the whole, and notes are no longer told. */
void build_line(struct build *b, enum registry_grade grade, const char *line);
/* `what` is of the value `text`, NULL: of the place itself. */
void build_say(struct build *b, enum registry_grade grade, const char *where, const char *text,
	const char *what);

/* Copies what fits, cut at a character's edge. */
void build_text(char *to, size_t cap, const char *text);

/* Returns its index. The text is cut to REGISTRY_TEXT_MAX octets at a character's edge. */
uint32_t build_member(struct build *b, uint32_t asn, const char *name);
void build_contact(struct build *b, uint32_t member, const char *contact);
/* A port of that member, active and a router; to be filled, until the next one. */
struct registry_port *build_port(struct build *b, uint32_t member, const char *at);
/* Former ones behind the others. */
void build_mac(struct build *b, const char *where, struct mac mac, bool former);
void build_ip(struct build *b, const char *where, struct ip ip);
/* An address that a book gives to somebody, though no port has it: it is not unassigned. Once all ports are there. */
void build_given(struct build *b, const char *where, struct ip ip);
/* `list` is a literal: the place is list[index]. */
void build_unassigned(struct build *b, const char *list, uint32_t index, struct ip ip);

bool build_in_lan(const struct registry_lan *lan, struct ip ip);
