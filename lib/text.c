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

size_t text_utf8(const char *p)
{
	static const struct {
		uint8_t first, last, low, high; /* of the first octet; of the second */
		uint8_t len;
	} rows[] = {
		{0x01, 0x7f, 0, 0, 1},
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	const uint8_t *u = (const uint8_t *)p;
	size_t row = 0, i = 2;

	while (row < sizeof(rows) / sizeof(rows[0]) && (u[0] < rows[row].first || u[0] > rows[row].last))
		row++;
	if (row == sizeof(rows) / sizeof(rows[0]))
		return 0;
	if (rows[row].len > 1 && (u[1] < rows[row].low || u[1] > rows[row].high))
		return 0;
	while (i < rows[row].len && (u[i] & 0xc0) == 0x80)
		i++;
	return rows[row].len <= 2 || i == rows[row].len ? rows[row].len : 0;
}
