#include "lib/rd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A decimal number of at most `max`, up to `stop`; the end in *ret_end. */
static int decimal(const char *p, char stop, uint64_t max, uint64_t *ret, const char **ret_end)
{
	uint64_t v = 0;
	const char *start = p;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (uint64_t)(*p - '0');
		if (v > max)
			return -EINVAL;
	}
	if (p == start || *p != stop)
		return -EINVAL;
	*ret = v;
	*ret_end = p;
	return 0;
}

/* admin:number as type 0 (2-octet AS), 1 (IPv4) or 2 (4-octet AS), into six octets. */
static int parse_admin(const char *text, uint8_t b[6], uint8_t *ret_type)
{
	const char *colon = strchr(text, ':'), *end;
	uint64_t as, num;
	struct ip ip;
	char head[IP_TEXT];

	if (!colon || (size_t)(colon - text) >= sizeof(head))
		return -EINVAL;
	memcpy(head, text, (size_t)(colon - text));
	head[colon - text] = '\0';
	if (ip_parse(head, &ip) == 0 && ip.family == 4) {
		if (decimal(colon + 1, '\0', UINT16_MAX, &num, &end) < 0)
			return -EINVAL;
		memcpy(b, ip.b, 4);
		b[4] = (uint8_t)(num >> 8);
		b[5] = (uint8_t)num;
		*ret_type = 1;
		return 0;
	}
	if (decimal(text, ':', UINT32_MAX, &as, &end) < 0 ||
		decimal(colon + 1, '\0', as > UINT16_MAX ? UINT16_MAX : UINT32_MAX, &num, &end) < 0)
		return -EINVAL;
	uint64_t v = as > UINT16_MAX ? as << 16 | num : as << 32 | num;
	for (int i = 0; i < 6; i++)
		b[i] = (uint8_t)(v >> (40 - 8 * i));
	*ret_type = as > UINT16_MAX ? 2 : 0;
	return 0;
}

static void format_admin(const uint8_t b[6], uint8_t type, char buf[RD_TEXT])
{
	uint32_t hi16 = (uint32_t)b[0] << 8 | b[1], hi32 = hi16 << 16 | (uint32_t)b[2] << 8 | b[3];
	uint32_t lo32 = (uint32_t)b[2] << 24 | (uint32_t)b[3] << 16 | (uint32_t)b[4] << 8 | b[5];
	uint32_t lo16 = lo32 & 0xffff;

	if (type == 0)
		snprintf(buf, RD_TEXT, "%u:%u", hi16, lo32);
	else if (type == 1)
		snprintf(buf, RD_TEXT, "%u.%u.%u.%u:%u", b[0], b[1], b[2], b[3], lo16);
	else
		snprintf(buf, RD_TEXT, "%u:%u", hi32, lo16);
}

static int parse_hex8(const char *text, uint8_t b[8])
{
	if (strlen(text) != 18 || strspn(text + 2, "0123456789abcdefABCDEF") != 16)
		return -EINVAL;
	unsigned long long v = strtoull(text + 2, NULL, 16);
	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (56 - 8 * i));
	return 0;
}

static void format_hex8(const uint8_t b[8], char buf[RD_TEXT])
{
	snprintf(buf, RD_TEXT, "0x%02x%02x%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4],
		b[5], b[6], b[7]);
}

int rd_parse(const char *text, struct rd *ret)
{
	struct rd rd = {{0}};

	int r = strncmp(text, "0x", 2) == 0 ? parse_hex8(text, rd.b)
					    : parse_admin(text, rd.b + 2, &rd.b[1]);
	if (r == 0)
		*ret = rd;
	return r;
}

char *rd_format(struct rd rd, char buf[RD_TEXT])
{
	if (rd.b[0] == 0 && rd.b[1] <= 2)
		format_admin(rd.b + 2, rd.b[1], buf);
	else
		format_hex8(rd.b, buf);
	return buf;
}

struct rd rd_make(struct ip v4, uint16_t number)
{
	return (struct rd){{0, 1, v4.b[0], v4.b[1], v4.b[2], v4.b[3], (uint8_t)(number >> 8),
		(uint8_t)number}};
}

int rt_parse(const char *text, struct rt *ret)
{
	struct rt rt = {{0, 0x02}};
	int r = strncmp(text, "0x", 2) == 0 ? parse_hex8(text, rt.b)
					    : parse_admin(text, rt.b + 2, &rt.b[0]);

	if (r == 0)
		*ret = rt;
	return r;
}

char *rt_format(struct rt rt, char buf[RD_TEXT])
{
	if (rt.b[0] <= 2 && rt.b[1] == 2)
		format_admin(rt.b + 2, rt.b[0], buf);
	else
		format_hex8(rt.b, buf);
	return buf;
}

bool rt_is_auto(const uint8_t rt[8], uint32_t vni)
{
	uint32_t low = (uint32_t)rt[4] << 24 | (uint32_t)rt[5] << 16 | (uint32_t)rt[6] << 8 | rt[7];

	if (rt[1] != 0x02)
		return false;
	if (rt[0] == 0)
		return low == vni || low == (1u << 28 | vni);
	return rt[0] == 2 && (low & 0xffff) == vni;
}

bool rt_matches(const struct rt_pattern *p, const uint8_t rt[8])
{
	return p->vni ? rt_is_auto(rt, p->vni) : memcmp(rt, p->rt.b, 8) == 0;
}

int rt_pattern_parse(const char *text, struct rt_pattern *ret)
{
	struct rt_pattern p = {0};
	const char *end;
	uint64_t vni = 0;
	int r = text[0] == '*' && text[1] == ':' ? decimal(text + 2, '\0', 0xffffff, &vni, &end)
						 : rt_parse(text, &p.rt);

	p.vni = (uint32_t)vni;
	if (r < 0 || (text[0] == '*' && !vni))
		return -EINVAL;
	*ret = p;
	return 0;
}

int esi_parse(const char *text, struct esi *ret)
{
	struct esi esi;

	if (strlen(text) != ESI_TEXT - 1)
		return -EINVAL;
	for (int i = 0; i < 10; i++) {
		const char *p = text + 3 * i;
		if (strspn(p, "0123456789abcdefABCDEF") != 2 || p[2] != (i < 9 ? ':' : '\0'))
			return -EINVAL;
		esi.b[i] = (uint8_t)strtoul(p, NULL, 16);
	}
	*ret = esi;
	return 0;
}

char *esi_format(struct esi esi, char buf[ESI_TEXT])
{
	for (int i = 0; i < 10; i++)
		snprintf(buf + 3 * i, i < 9 ? 4 : 3, i < 9 ? "%02x:" : "%02x", esi.b[i]);
	return buf;
}
