#include "registry/schema.h"

#include <stddef.h>

#include "registry/registry.h"

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(key, type, member, max)                                                               \
	CYAML_FIELD_STRING_PTR(key, OPTIONAL, struct type, member, 1, max)
#define TEXTS(key, type, member, schema, max)                                                      \
	CYAML_FIELD_SEQUENCE_COUNT(                                                                \
		key, OPTIONAL, struct type, member.items, member.count, schema, 0, max)

static const cyaml_schema_value_t address_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 63),
};

static const cyaml_schema_value_t contact_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, REGISTRY_TEXT_MAX),
};

static const cyaml_schema_field_t port_fields[] = {
	TEXT("port", raw_registry_port, port, 63),
	TEXT("pe", raw_registry_port, pe, 63),
	TEXT("switch", raw_registry_port, sw, 63),
	CYAML_FIELD_UINT("speed", CYAML_FLAG_OPTIONAL, struct raw_registry_port, speed),
	TEXT("status", raw_registry_port, status, 63),
	TEXTS("macs", raw_registry_port, macs, &address_schema, REGISTRY_MACS),
	TEXTS("former-macs", raw_registry_port, former_macs, &address_schema, REGISTRY_MACS),
	TEXTS("ipv4", raw_registry_port, ipv4, &address_schema, REGISTRY_IPS),
	TEXTS("ipv6", raw_registry_port, ipv6, &address_schema, REGISTRY_IPS),
	TEXTS("link-local", raw_registry_port, link_local, &address_schema, REGISTRY_IPS),
	CYAML_FIELD_BOOL_PTR("router", OPTIONAL, struct raw_registry_port, router),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t port_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_registry_port, port_fields),
};

static const cyaml_schema_field_t member_fields[] = {
	CYAML_FIELD_UINT("asn", CYAML_FLAG_DEFAULT, struct raw_registry_member, asn),
	TEXT("name", raw_registry_member, name, REGISTRY_TEXT_MAX),
	TEXT("type", raw_registry_member, type, 63),
	CYAML_FIELD_BOOL_PTR("exchange", OPTIONAL, struct raw_registry_member, exchange),
	TEXTS("contacts", raw_registry_member, contacts, &contact_schema, REGISTRY_CONTACTS),
	CYAML_FIELD_SEQUENCE("ports", OPTIONAL, struct raw_registry_member, ports, &port_schema, 0,
		REGISTRY_MEMBERS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t member_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_registry_member, member_fields),
};

static const cyaml_schema_field_t registry_fields[] = {
	CYAML_FIELD_SEQUENCE("members", CYAML_FLAG_POINTER, struct raw_registry, members,
		&member_schema, 0, REGISTRY_MEMBERS_MAX),
	TEXTS("unassigned", raw_registry, unassigned, &address_schema, REGISTRY_UNASSIGNED_MAX),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t registry_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_registry, registry_fields),
};
