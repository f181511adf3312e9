#include "config/convert.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void convert_at(struct convert *cv, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cv->at, sizeof(cv->at), fmt, ap);
	va_end(ap);
}

void convert_error(struct convert *cv, const char *key, const char *fmt, ...)
{
	char where[200], what[256];
	va_list ap;

	snprintf(where, sizeof(where), "%s%s%s", cv->at, *cv->at && *key && *key != '[' ? "." : "",
		key);
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	yaml_file_error(cv->file, cv->errs, where, "%s", what);
}

void convert_ip(struct convert *cv, const char *key, const char *text, struct ip *ret)
{
	if (text && ip_parse(text, ret) < 0)
		convert_error(cv, key, "'%s': expected an IPv4 or IPv6 address", text);
}

void convert_ipv4(struct convert *cv, const char *key, const char *text, struct ip *ret)
{
	struct ip ip;

	if (!text)
		return;
	if (ip_parse(text, &ip) < 0 || ip.family != 4)
		convert_error(cv, key, "'%s': expected an IPv4 address", text);
	else
		*ret = ip;
}

void convert_prefix(struct convert *cv, const char *key, const char *text, struct prefix *ret)
{
	int r = text ? prefix_parse(text, ret) : 0;

	if (r == -ERANGE)
		convert_error(cv, key, "'%s': bits are set behind the prefix length", text);
	else if (r < 0)
		convert_error(cv, key, "'%s': expected a prefix such as 198.18.0.0/21 or 2001:db8::/64",
			text);
}

void convert_rt(struct convert *cv, const char *key, const char *text, struct rt *ret)
{
	if (text && rt_parse(text, ret) < 0)
		convert_error(cv, key, "'%s': expected a route target such as 65000:100", text);
}

void convert_rd(struct convert *cv, const char *key, const char *text, struct rd *ret)
{
	if (text && rd_parse(text, ret) < 0)
		convert_error(cv, key, "'%s': expected a route distinguisher such as 10.99.0.1:100",
			text);
}

void convert_mac(struct convert *cv, const char *key, const char *text, struct mac *ret)
{
	struct mac mac;

	if (!text)
		return;
	if (mac_parse(text, &mac) < 0)
		convert_error(cv, key, "'%s': expected a MAC address such as 02:00:5e:00:00:01", text);
	else if (!mac_is_host(mac))
		convert_error(cv, key, "'%s': a group or zero address is nobody's", text);
	else
		*ret = mac;
}

#define BURST_OCTETS 4542 /* three full frames */
#define BURST_PACKETS 4

/* A quarter of a second's, but some frames at least. */
static struct layout_policer policer(double rate, enum layout_unit unit)
{
	struct layout_policer p = {.rate = (uint64_t)(rate + 0.5), .unit = unit};
	uint64_t burst = unit == UNIT_PACKETS ? p.rate / 4 : p.rate / 8 / 4;
	uint32_t least = unit == UNIT_PACKETS ? BURST_PACKETS : BURST_OCTETS;

	p.burst = burst < least ? least : burst > INT32_MAX ? INT32_MAX : (uint32_t)burst;
	return p;
}

void convert_policer(struct convert *cv, const char *key, const char *text, struct layout_policer *ret)
{
	static const struct {
		const char *unit;
		double factor;
		enum layout_unit is;
	} units[] = {{"", 1, UNIT_BITS}, {"bit", 1, UNIT_BITS}, {"kbit", 1e3, UNIT_BITS},
		{"mbit", 1e6, UNIT_BITS}, {"gbit", 1e9, UNIT_BITS}, {"pps", 1, UNIT_PACKETS}};
	char *end;

	if (!text)
		return;
	double v = strtod(text, &end);
	bool number = end != text && v >= 0;
	end += strspn(end, " ");
	for (size_t i = 0; number && i < sizeof(units) / sizeof(units[0]); i++) {
		double rate = v * units[i].factor;
		if (strcasecmp(end, units[i].unit) != 0 || rate > 1e12)
			continue;
		if (rate > 0 && rate < 1)
			break;
		*ret = rate > 0 ? policer(rate, units[i].is) : (struct layout_policer){0};
		return;
	}
	convert_error(cv, key, "'%s': expected a rate such as 100 kbit, 1.5 mbit, 200 pps or 0", text);
}

void convert_never(struct convert *cv, const char *key, const char *text, uint32_t max, uint32_t *ret)
{
	char *end;

	if (!text)
		return;
	unsigned long sec = strtoul(text, &end, 10);
	if (strcmp(text, "never") == 0)
		*ret = 0;
	else if (*end || text[0] < '0' || text[0] > '9' || sec < 1 || sec > max)
		convert_error(cv, key, "'%s': expected never or 1 - %u", text, max);
	else
		*ret = (uint32_t)sec;
}

void convert_word(struct convert *cv, const char *key, const char *text,
	const struct convert_word *words, int *ret)
{
	char list[160] = "";

	if (!text)
		return;
	for (const struct convert_word *w = words; w->word; w++) {
		size_t len = strlen(list);
		if (strcmp(w->word, text) == 0) {
			*ret = w->value;
			return;
		}
		snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "", w->word);
	}
	convert_error(cv, key, "'%s': expected one of %s", text, list);
}

void convert_number(struct convert *cv, const char *key, uint32_t given, uint32_t min, uint32_t max,
	uint32_t *ret)
{
	if (!given)
		return;
	if (given < min || given > max)
		convert_error(cv, key, "%u: expected %u - %u", given, min, max);
	else
		*ret = given;
}

void convert_count(struct convert *cv, const char *key, const uint32_t *given, uint32_t min,
	uint32_t max, uint32_t *ret)
{
	if (!given)
		return;
	if (*given < min || *given > max)
		convert_error(cv, key, "%u: expected %u - %u", *given, min, max);
	else
		*ret = *given;
}

void convert_flag(const bool *given, bool *ret)
{
	if (given)
		*ret = *given;
}

char *convert_copy(const char *text)
{
	char *s = text ? strdup(text) : NULL;

	if (text && !s)
		abort();
	return s;
}

void *convert_array(size_t count, size_t size)
{
	void *p = count ? calloc(count, size) : NULL;

	if (count && !p)
		abort();
	return p;
}
