/* MAC addresses: value, text (aa:bb:cc:dd:ee:ff; read also with '-', Cisco dots, or 12 bare digits). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MAC_TEXT 18 /* with the NUL */

struct mac {
	uint8_t b[6];
};

static inline bool mac_eq(struct mac a, struct mac b)
{
	return memcmp(a.b, b.b, 6) == 0;
}

static inline bool mac_is_zero(struct mac m)
{
	return mac_eq(m, (struct mac){{0}});
}

/* Multicast or broadcast (the group bit). */
static inline bool mac_is_group(struct mac m)
{
	return m.b[0] & 1;
}

static inline bool mac_is_broadcast(struct mac m)
{
	return mac_eq(m, (struct mac){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}});
}

/* A MAC that a host may own: neither zero nor a group address. */
static inline bool mac_is_host(struct mac m)
{
	return !mac_is_group(m) && !mac_is_zero(m);
}

/* Reads all of `text`. 0, or -EINVAL with *ret untouched. */
int mac_parse(const char *text, struct mac *ret);

/* Writes lower case with colons; returns buf. */
char *mac_format(struct mac m, char buf[MAC_TEXT]);
