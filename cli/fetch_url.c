#include "cli/fetch_url.h"

#include <stdio.h>
#include <string.h>

#define UNRESERVED "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

static const struct {
	const char *before, *behind;
	int count; /* without a key its place never changed */
} paths[] = {
	[FETCH_IXF] = {"/api/v4/member-export/ixf/", "", 1},
	[FETCH_LAYER2] = {"/api/v4/provisioner/layer2interfaces/switch-name/", ".json", 2},
	[FETCH_ADDRESSES] = {"/api/v4/vlan/", "/ip-addresses", 2},
};

char *fetch_escape(const char *text, char *buf, size_t cap)
{
	size_t at = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p && at + 4 <= cap; p++)
		at += (size_t)snprintf(
			buf + at, cap - at, strchr(UNRESERVED, *p) ? "%c" : "%%%02X", *p);
	buf[at] = '\0';
	return buf;
}

int fetch_url(const char *base, enum fetch_path path, const char *what, char ret[2][URL_MAX])
{
	char escaped[256];
	size_t len = strlen(base);

	while (len && base[len - 1] == '/')
		len--;
	fetch_escape(what, escaped, sizeof(escaped));
	for (int i = 0; i < paths[path].count; i++)
		snprintf(ret[i], URL_MAX, "%.*s%s%s%s%s", (int)len, base,
			paths[path].count == 2 && i == 0 ? "/admin" : "", paths[path].before,
			escaped, paths[path].behind);
	return paths[path].count;
}
