#include "lib/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

char *text_escape(char *buf, size_t cap, const void *from, size_t len)
{
	const uint8_t *p = from;
	size_t at = 0, safe = 0; /* safe: the last place at which "..." still fits */

	for (size_t i = 0; i < len; i++) {
		char one[5];
		int n = p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\'
				? snprintf(one, sizeof(one), "%c", p[i])
				: snprintf(one, sizeof(one), "\\x%02x", p[i]);
		if (at + (size_t)n + 1 > cap) {
			memcpy(buf + safe, "...", 4);
			return buf;
		}
		memcpy(buf + at, one, (size_t)n);
		if (at + 4 <= cap)
			safe = at;
		at += (size_t)n;
		if (at + 4 <= cap)
			safe = at;
	}
	buf[at] = '\0';
	return buf;
}
