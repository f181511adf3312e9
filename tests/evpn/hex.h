/* Hex in test tables: blanks are ignored. */
#pragma once
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static inline size_t hex_read(const char *text, uint8_t *buf, size_t cap)
{
	size_t n = 0;

	for (const char *p = text; *p; p++) {
		unsigned v;
		if (*p == ' ')
			continue;
		ck_assert_msg(n < cap && sscanf(p, "%2x", &v) == 1, "bad hex: %s", text);
		buf[n++] = (uint8_t)v;
		p++;
	}
	return n;
}

static inline const char *hex_write(const uint8_t *p, size_t len)
{
	static char buf[4][1100];
	static int turn;
	char *b = buf[turn = (turn + 1) % 4];

	b[0] = '\0';
	for (size_t i = 0; i < len && i < 512; i++)
		snprintf(b + 2 * i, 3, "%02x", p[i]);
	return b;
}
