/* Figures and texts as people read them. */
#include "audit/format.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define GROUP "\xe2\x80\xaf" /* U+202F */
#define UNIT "\xc2\xa0"	     /* U+00A0 */
#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS "\xe2\x80\xa6"
#define NS_PER_SEC 1000000000LL

char *format_count(char buf[FORMAT_MAX], uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), at = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			at += snprintf(buf + at, FORMAT_MAX - (size_t)at, "%s", GROUP);
		buf[at++] = digits[i];
	}
	buf[at] = '\0';
	return buf;
}

char *format_fps(char buf[FORMAT_MAX], double fps)
{
	if (!(fps > 0))
		snprintf(buf, FORMAT_MAX, "0");
	else if (fps < 0.005)
		snprintf(buf, FORMAT_MAX, "<0.01");
	else if (fps < 0.995)
		snprintf(buf, FORMAT_MAX, "%.2f", fps);
	else if (fps < 9.95)
		snprintf(buf, FORMAT_MAX, "%.1f", fps);
	else
		format_count(buf, fps < 1e18 ? (uint64_t)(fps + 0.5) : UINT64_MAX);
	return buf;
}

/* Three digits and a unit of the row. */
static char *scaled(char buf[FORMAT_MAX], double value, const char *const *units, size_t count)
{
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < count) {
		value /= 1000;
		unit++;
	}
	int decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	snprintf(buf, FORMAT_MAX, "%.*f" UNIT "%s", decimals, value, units[unit]);
	return buf;
}

char *format_bps(char buf[FORMAT_MAX], double bps)
{
	static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};

	return scaled(buf, bps > 0 ? bps : 0, units, 5);
}

char *format_octets(char buf[FORMAT_MAX], uint64_t octets)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};

	return scaled(buf, (double)octets, units, 6);
}

char *format_share(char buf[FORMAT_MAX], double share)
{
	double percent = share * 100;

	if (!(percent > 0))
		snprintf(buf, FORMAT_MAX, percent < 0 ? "%.0f" UNIT "%%" : "0" UNIT "%%", percent);
	else if (percent < 0.1)
		snprintf(buf, FORMAT_MAX, "<0.1" UNIT "%%");
	else if (percent < 100 && percent > 99.9)
		snprintf(buf, FORMAT_MAX, ">99.9" UNIT "%%");
	else
		snprintf(buf, FORMAT_MAX, "%.*f" UNIT "%%", percent < 9.95 || (percent > 99 && percent < 100), percent);
	return buf;
}

char *format_duration(char buf[FORMAT_MAX], int64_t ns)
{
	int64_t s = (ns + NS_PER_SEC / 2) / NS_PER_SEC;

	if (ns < 0)
		snprintf(buf, FORMAT_MAX, "-");
	else if (ns < 10 * NS_PER_SEC)
		snprintf(buf, FORMAT_MAX, "%.3g" UNIT "s", (double)ns / NS_PER_SEC);
	else if (s < 120)
		snprintf(buf, FORMAT_MAX, "%d" UNIT "s", (int)s);
	else if (s < 7200 && s % 60)
		snprintf(buf, FORMAT_MAX, "%d" UNIT "min" UNIT "%d" UNIT "s", (int)(s / 60), (int)(s % 60));
	else if (s < 7200)
		snprintf(buf, FORMAT_MAX, "%d" UNIT "min", (int)(s / 60));
	else if (s < 2 * 86400)
		snprintf(buf, FORMAT_MAX, "%d" UNIT "h" UNIT "%d" UNIT "min", (int)(s / 3600), (int)(s % 3600 / 60));
	else
		snprintf(buf, FORMAT_MAX, "%lld" UNIT "d" UNIT "%d" UNIT "h", (long long)(s / 86400),
			(int)(s % 86400 / 3600));
	return buf;
}

/* False, and `none` in buf: there is no such time. */
static bool broken_down(char buf[FORMAT_MAX], int64_t ns, const char *none, struct tm *ret)
{
	time_t t = (time_t)(ns / NS_PER_SEC);

	if (ns > 0 && gmtime_r(&t, ret))
		return true;
	snprintf(buf, FORMAT_MAX, "%s", none);
	return false;
}

char *format_time(char buf[FORMAT_MAX], int64_t ns)
{
	struct tm tm;

	if (broken_down(buf, ns, "-", &tm))
		strftime(buf, FORMAT_MAX, "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}

char *format_clock(char buf[FORMAT_MAX], int64_t ns)
{
	struct tm tm;

	if (broken_down(buf, ns, "-", &tm))
		strftime(buf, FORMAT_MAX, "%H:%M:%S", &tm);
	return buf;
}

char *format_stamp(char buf[FORMAT_MAX], int64_t ns)
{
	struct tm tm;

	if (broken_down(buf, ns, "", &tm)) {
		size_t len = strftime(buf, FORMAT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(buf + len, FORMAT_MAX - len, ".%09dZ", (int)(ns % NS_PER_SEC));
	}
	return buf;
}

/* How many octets the character at p has (RFC 3629), 0 if it is none, and which it is. */
static size_t character(const uint8_t *p, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t c = len == 1 ? p[0] : len == 2 ? p[0] & 0x1f : len == 3 ? p[0] & 0x0f : p[0] & 0x07;

	if (!len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret = c;
	return len;
}

static bool may_stand(uint32_t c)
{
	bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
	bool line_end = c == 0x2028 || c == 0x2029;
	bool never = (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c < 0xfdf0);

	return !control && !line_end && !never;
}

char *format_utf8(char *buf, size_t cap, const char *text, size_t characters)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t at = 0, safe = 0, count = 0; /* safe: the last place at which the ellipsis still fits */

	while (*p) {
		const char *put = (const char *)p;
		uint32_t c = 0;
		size_t len = character(p, &c), put_len = len;

		if (!len || !may_stand(c)) {
			bool blank = len == 1 && (c == '\n' || c == '\t' || c == '\r');
			put = blank ? " " : REPLACEMENT;
			put_len = blank ? 1 : 3;
		}
		if (at + 4 <= cap)
			safe = at;
		if ((characters && count == characters) || at + put_len + 1 > cap) {
			memcpy(buf + safe, ELLIPSIS, 4);
			return buf;
		}
		memcpy(buf + at, put, put_len);
		at += put_len;
		p += len ? len : 1;
		count++;
	}
	buf[at] = '\0';
	return buf;
}

char *format_plain(char *text)
{
	char *to = text;

	for (const char *p = text; *p;) {
		size_t gap = strncmp(p, GROUP, 3) == 0 ? 3 : strncmp(p, UNIT, 2) == 0 ? 2 : 0;
		*to++ = gap ? ' ' : *p;
		p += gap ? gap : 1;
	}
	*to = '\0';
	return text;
}
