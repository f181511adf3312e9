/* The rows of the keys, for config/diff.c. */
#pragma once
#include "config/diff.h"

/* How a value is kept, and written. */
enum config_field_type {
	T_FLAG, /* bool */
	T_U16,
	T_U32,
	T_OPT,  /* uint32_t; 0: not said */
	T_HOLD, /* int32_t; -1: not said */
	T_HOPS, /* uint8_t; the same */
	T_POLICER,
	T_TEXT,
	T_SECRET, /* the path is shown, the content compared */
	T_IP,
	T_ID, /* uint32_t in host order, shown as an address */
	T_PREFIX,
	T_RD,
	T_IPS,
	T_PREFIXES,
	T_TEXTS,
	T_EXPORT, /* of struct config_lan: route-target */
	T_IMPORT, /* the others */
	T_PORTS,
	T_CLASSES,
	T_GRATUITOUS, /* of the same bits */
	T_RULE,	      /* of 64 bits of actions, the one numbered `count_offset` */
	T_RULES,      /* bits */
	T_MAC,
	T_NAME, /* char[] */
	T_TYPES, /* bits */
	T_UNKNOWN_TYPES,
	T_SWITCH_NAMES, /* of struct config_switch */
	T_SWITCH_PES,
	T_RTS, /* of struct config_import */
	T_VTEPS,
	T_ENDPOINT,
	T_NEVER, /* uint32_t; 0: never */
	T_PE_VTEPS,
	T_WORD_ROLE,
	T_WORD_ADD_PATH,
	T_WORD_PROFILE,
	T_WORD_BMP_POLICY,
	T_WORD_PLANE,
	T_WORD_UNKNOWN,
	T_WORD_NS_OPTION,
	T_WORD_UNREGISTERED,
	T_WORD_ACCELERATE,
	T_WORD_DUPLICATE,
	T_WORD_OVERRIDE,
	T_WORD_MAC_LIST,
	T_WORD_REGISTRY_ROUTES,
	T_WORD_DEAD,
	T_WORD_ANNOUNCE,
	T_WORD_IXF,
	T_COUNT
};

/* Grows; aborts when out of memory. Whole values are written and compared; only what is shown is cut. */
struct config_text {
	char *p;
	size_t len, cap;
};

void config_text_put(struct config_text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* NULL: the first; NULL after the last. */
const struct config_field *config_field_next(const struct config_field *f);
/* The value of the key in its part: a struct config, config_neighbor, config_bmp, config_lan,
 * config_agent or config_port. */
void config_field_put(struct config_text *t, const struct config_field *f, const void *object);
/* False: passwords differ, which config_field_put() does not show. */
bool config_field_same_secret(const struct config_field *f, const void *a, const void *b);
