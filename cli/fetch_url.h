/* Where IXP Manager has what we want. Since 7.1 what needs a superuser's key is under /admin/api/v4, before it was under /api/v4;
 * both are tried, the one first that answered the last time. Pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define URL_MAX 1600 /* a base of 1023, a switch of 63 octets in three each, and the path */

enum fetch_path { FETCH_IXF, FETCH_LAYER2, FETCH_ADDRESSES };

/* How many there are for it, 1 or 2: the new one first. `what`: the version, the switch's name, the VLAN's id. */
int fetch_url(const char *base, enum fetch_path path, const char *what, char ret[2][URL_MAX]);

/* Letters, digits, '-', '.', '_' and '~' stay, every other octet becomes %XX: for a URL and for the name of a file. Returns buf. */
char *fetch_escape(const char *text, char *buf, size_t cap);
