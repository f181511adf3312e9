#include "lib/mac.h"

#include <errno.h>
#include <stdio.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The separator must stand after every `group` digits, and be the same throughout. */
static int parse_grouped(const char *text, char sep, int group, struct mac *ret)
{
	struct mac m = {{0}};
	const char *p = text;

	for (int i = 0; i < 12; i++, p++) {
		if (i && group && i % group == 0 && *p++ != sep)
			return -EINVAL;
		int d = hex_digit(*p);
		if (d < 0)
			return -EINVAL;
		m.b[i / 2] = (uint8_t)(m.b[i / 2] << 4 | d);
	}
	if (*p)
		return -EINVAL;
	*ret = m;
	return 0;
}

int mac_parse(const char *text, struct mac *ret)
{
	switch (strlen(text)) {
	case 12:
		return parse_grouped(text, 0, 0, ret);
	case 14:
		return parse_grouped(text, '.', 4, ret);
	case 17:
		return parse_grouped(text, text[2] == '-' ? '-' : ':', 2, ret);
	default:
		return -EINVAL;
	}
}

char *mac_format(struct mac m, char buf[MAC_TEXT])
{
	snprintf(buf, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", m.b[0], m.b[1], m.b[2], m.b[3],
		m.b[4], m.b[5]);
	return buf;
}
