#include "lib/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int ip_parse(const char *text, struct ip *ret)
{
	uint8_t b[16];

	if (inet_pton(AF_INET, text, b) == 1)
		*ret = ip_v4(b);
	else if (inet_pton(AF_INET6, text, b) == 1)
		*ret = ip_v6(b);
	else
		return -EINVAL;
	return 0;
}

char *ip_format(struct ip ip, char buf[IP_TEXT])
{
	if (ip.family == 0)
		snprintf(buf, IP_TEXT, "-");
	else
		inet_ntop(ip.family == 4 ? AF_INET : AF_INET6, ip.b, buf, IP_TEXT);
	return buf;
}

/* True when the first `bits` bits of a and b agree. */
static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) & (0xff00 >> rest) & 0xff) == 0;
}

int prefix_parse(const char *text, struct prefix *ret)
{
	char addr[IP_TEXT];
	const char *slash = strchr(text, '/');
	struct prefix p = {0};
	char *end;

	if (!slash || (size_t)(slash - text) >= sizeof(addr) || slash[1] < '0' || slash[1] > '9')
		return -EINVAL;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	unsigned long len = strtoul(slash + 1, &end, 10);
	if (*end || ip_parse(addr, &p.ip) < 0 || len > 8 * ip_len(p.ip))
		return -EINVAL;
	p.len = (uint8_t)len;
	for (unsigned i = p.len; i < 8 * ip_len(p.ip); i++)
		if (p.ip.b[i / 8] & (0x80 >> i % 8))
			return -ERANGE;
	*ret = p;
	return 0;
}

char *prefix_format(const struct prefix *p, char buf[PREFIX_TEXT])
{
	char addr[IP_TEXT];

	snprintf(buf, PREFIX_TEXT, "%s/%u", ip_format(p->ip, addr), p->len);
	return buf;
}

bool prefix_contains(const struct prefix *p, struct ip ip)
{
	return p->ip.family == ip.family && bits_equal(p->ip.b, ip.b, p->len);
}
