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

void convert_rate(struct convert *cv, const char *key, const char *text, uint64_t *ret)
{
	static const struct {
		const char *unit;
		double factor;
	} units[] = {{"", 1}, {"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}};
	char *end;

	if (!text)
		return;
	double v = strtod(text, &end);
	bool number = end != text && v >= 0;
	end += strspn(end, " ");
	for (size_t i = 0; number && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcasecmp(end, units[i].unit) == 0 && v * units[i].factor <= 1e12) {
			*ret = (uint64_t)(v * units[i].factor + 0.5);
			return;
		}
	}
	convert_error(cv, key, "'%s': expected a rate such as 100 kbit, 1.5 mbit or 0", text);
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
