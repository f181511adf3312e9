/* What changed between two configurations, one row a key: what a reload shows, and does. Pure.
 *
 *   quell.yaml -> config_load() -> [diff] -> daemon/quelld_reload.c, daemon/agent_reload.c
 *
 * Neighbours are the same by address or prefix, monitoring stations by address and
 * port, LANs by name; ports of a LAN
 * for which something is said, by name too. Every key of the file has a row in the table of
 * field.c that says how a change of it takes effect; a test walks the schema and misses none.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "lib/ip.h"

/* What a change means for a daemon, from mild to severe. */
enum config_effect {
	CONFIG_NOTHING,  /* not its business */
	CONFIG_IN_PLACE, /* no session notices */
	CONFIG_LATER,    /* with the next session, or the next start */
	CONFIG_RESET,   /* the session begins anew; routes are kept where the peer can (RFC 8538) */
	CONFIG_ANEW,    /* as if removed and added: another neighbour in its place */
	CONFIG_RESTART, /* the daemon has to be restarted; a reload is refused */
};

enum config_part {
	CONFIG_TOP,
	CONFIG_BGP,
	CONFIG_NEIGHBOR,
	CONFIG_BMP,
	CONFIG_LAN,
	CONFIG_AGENT,
	CONFIG_PORT
};

struct config_field {
	enum config_part part;
	const char *key; /* within its part: "max-routes", "police.in" */
	enum config_effect quelld, agent;
	int type; /* of field.c */
	size_t offset, count_offset;
};

enum config_op { CONFIG_CHANGED, CONFIG_ADDED, CONFIG_REMOVED };

struct config_change {
	enum config_op op;
	enum config_part part;            /* CONFIG_AGENT: the section of a LAN, or a key in it */
	const struct config_field *field; /* NULL: the whole part came or went */
	char name[PREFIX_TEXT + 8]; /* of neighbour, station or LAN; of a port: "ixp swp1"; "" at the top */
	int was, is; /* index of neighbour, station or LAN (of a port, too) in old and new; -1: it has none */
	enum config_effect quelld, agent;
	char *from, *to; /* of a key; what was added: its keys in `to`. NULL where there is none */
};

struct config_diff {
	struct config_change
		*changes; /* in the order of the file: removed first, then changed and added */
	size_t count;
};

/* Aborts when out of memory, as reading the file does. */
void config_diff(const struct config *was, const struct config *is, struct config_diff *ret);
void config_diff_free(struct config_diff *d);

/* NULL: no such key. */
const struct config_field *config_field_find(enum config_part part, const char *key);
/* "bgp", "neighbor", "lan", "agent", "port", "" */
const char *config_part_name(enum config_part part);
/* "in place", "session is reset", ... for people. */
const char *config_effect_text(enum config_part part, enum config_effect e);
/* The most severe of all. */
enum config_effect config_diff_worst(const struct config_diff *d, bool agent);
