/* The plain-YAML registry as libcyaml reads it, before registry/yaml.c makes values of it. */
#pragma once
#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stdint.h>

struct raw_texts {
	char **items;
	uint32_t count;
};

struct raw_registry_port {
	char *port, *pe, *sw, *status;
	uint32_t speed;
	struct raw_texts macs, former_macs, ipv4, ipv6, link_local;
	bool *router;
};

struct raw_registry_member {
	uint32_t asn;
	char *name, *type;
	bool *exchange;
	struct raw_texts contacts;
	struct raw_registry_port *ports;
	uint32_t ports_count;
};

struct raw_registry {
	struct raw_registry_member *members;
	uint32_t members_count;
	struct raw_texts unassigned;
};

extern const cyaml_schema_value_t registry_schema;
