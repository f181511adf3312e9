#include "registry/schema.h"

#include <stddef.h>

#define TEXT(key, member)                                                                          \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,                      \
		struct raw_registry_port, member, 1, 63)
#define TEXTS(key, member, max)                                                                    \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,                  \
		struct raw_registry_port, member.items, member.count, &text_schema, 0, max)

static const cyaml_schema_value_t text_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 63),
};

static const cyaml_schema_field_t port_fields[] = {
	TEXT("port", port),
	TEXT("pe", pe),
	TEXT("status", status),
	TEXTS("macs", macs, 10),
	TEXTS("ipv4", ipv4, 16),
	TEXTS("ipv6", ipv6, 16),
	TEXTS("link-local", link_local, 16),
	CYAML_FIELD_BOOL_PTR("router", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct raw_registry_port, router),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t port_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_registry_port, port_fields),
};

static const cyaml_schema_field_t member_fields[] = {
	CYAML_FIELD_UINT("asn", CYAML_FLAG_DEFAULT, struct raw_registry_member, asn),
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct raw_registry_member, name, 1, 255),
	CYAML_FIELD_BOOL("exchange", CYAML_FLAG_OPTIONAL, struct raw_registry_member, exchange),
	CYAML_FIELD_SEQUENCE("ports", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct raw_registry_member, ports, &port_schema, 0, 256),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t member_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_registry_member, member_fields),
};

static const cyaml_schema_field_t registry_fields[] = {
	CYAML_FIELD_SEQUENCE("members", CYAML_FLAG_POINTER, struct raw_registry, members,
		&member_schema, 0, 65536),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t registry_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_registry, registry_fields),
};
