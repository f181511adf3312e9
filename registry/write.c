/* The registry as its own YAML file (registry/yaml.c reads it). What stands in it does not depend on the order of the books it
 * came from: members by AS and name, ports by name, unassigned addresses one a line; so two files differ where the registry
 * does. Text comes from members and other programs: always quoted, and what YAML might take for a line's end or refuse is escaped. */
#define _GNU_SOURCE /* strverscmp() */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/safety.h"

/* --- text --- */

/* The code point at `t` (UTF-8 as the readers let it in), and its length; an octet that is none is taken for itself. */
static uint32_t code_point(const uint8_t *t, size_t *ret_len)
{
	size_t len = *t >= 0xf0 ? 4 : *t >= 0xe0 ? 3 : *t >= 0xc0 ? 2 : 1;
	uint32_t c = len == 1 ? *t : *t & (0x7fu >> len);

	for (size_t i = 1; i < len; i++) {
		if ((t[i] & 0xc0) != 0x80) {
			*ret_len = 1;
			return *t;
		}
		c = c << 6 | (t[i] & 0x3f);
	}
	*ret_len = len;
	return c;
}

/* Of those that YAML does not have, or folds. */
static bool is_plain(uint32_t c)
{
	return (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') ||
	       (c >= 0xa0 && c != 0x2028 && c != 0x2029 && c != 0xfeff && c != 0xfffe && c != 0xffff);
}

static void put_text(FILE *to, const char *text)
{
	const uint8_t *t = (const uint8_t *)text;

	fputc('"', to);
	while (*t) {
		size_t len;
		uint32_t c = code_point(t, &len);
		if (is_plain(c))
			fwrite(t, 1, len, to);
		else if (c == '"' || c == '\\')
			fprintf(to, "\\%c", (int)c);
		else
			fprintf(to, "\\u%04x", c);
		t += len;
	}
	fputc('"', to);
}

/* --- values --- */

static void put_macs(FILE *to, const char *key, const struct mac *macs, int count)
{
	char buf[MAC_TEXT];

	for (int i = 0; i < count; i++) {
		if (i == 0)
			fprintf(to, "        %s: [", key);
		fprintf(to, "%s\"%s\"", i ? ", " : "", mac_format(macs[i], buf));
	}
	if (count)
		fputs("]\n", to);
}

enum { IS_IPV4, IS_IPV6, IS_LINK_LOCAL };

static int ip_kind(struct ip ip)
{
	return ip.family == 4 ? IS_IPV4 : ip_is_link_local(ip) ? IS_LINK_LOCAL : IS_IPV6;
}

static void put_ips(FILE *to, const char *key, const struct registry_port *port, int kind)
{
	char buf[IP_TEXT];
	int count = 0;

	for (int i = 0; i < port->ip_count; i++) {
		if (ip_kind(port->ips[i]) != kind)
			continue;
		if (count++ == 0)
			fprintf(to, "        %s: [", key);
		fprintf(to, "%s\"%s\"", count > 1 ? ", " : "", ip_format(port->ips[i], buf));
	}
	if (count)
		fputs("]\n", to);
}

static void put_port(FILE *to, const struct registry_port *p)
{
	static const char *const status[] = {[REGISTRY_ACTIVE] = "active",
		[REGISTRY_QUARANTINE] = "quarantine",
		[REGISTRY_DISABLED] = "disabled"};
	int current = p->mac_count - p->former_count;
	char buf[IP_TEXT];

	fprintf(to, "      - status: %s\n", status[p->status]);
	if (*p->port) {
		fputs("        port: ", to);
		put_text(to, p->port);
		fputc('\n', to);
	}
	if (p->pe)
		fprintf(to, "        pe: %s\n", ip_format(ip_v4_u32(p->pe), buf));
	if (*p->sw) {
		fputs("        switch: ", to);
		put_text(to, p->sw);
		fputc('\n', to);
	}
	if (p->speed_mbps)
		fprintf(to, "        speed: %u\n", p->speed_mbps);
	put_macs(to, "macs", p->macs, current);
	put_macs(to, "former-macs", p->macs + current, p->former_count);
	put_ips(to, "ipv4", p, IS_IPV4);
	put_ips(to, "ipv6", p, IS_IPV6);
	put_ips(to, "link-local", p, IS_LINK_LOCAL);
	if (!p->router)
		fputs("        router: false\n", to);
}

static void put_member(FILE *to, const struct registry_member *m)
{
	fprintf(to, "  - asn: %u\n", m->asn);
	if (*m->name) {
		fputs("    name: ", to);
		put_text(to, m->name);
		fputc('\n', to);
	}
	if (*m->type)
		fprintf(to, "    type: %s\n", m->type);
	if (m->exchange != registry_type_is_exchange(m->type))
		fprintf(to, "    exchange: %s\n", m->exchange ? "true" : "false");
	for (uint32_t i = 0; i < m->contact_count; i++) {
		fputs(i ? ", " : "    contacts: [", to);
		put_text(to, m->contacts[i]);
	}
	if (m->contact_count)
		fputs("]\n", to);
}

/* --- order --- */

static int member_cmp(const void *a, const void *b)
{
	const struct registry_member *const *x = a, *const *y = b;
	int d = ((*x)->asn > (*y)->asn) - ((*x)->asn < (*y)->asn);

	if (d == 0)
		d = strcmp((*x)->name, (*y)->name);
	return d ? d : (*x > *y) - (*x < *y);
}

static int port_cmp(const void *a, const void *b)
{
	static const struct ip none;
	const struct registry_port *const *x = a, *const *y = b;
	int d = ((*x)->member > (*y)->member) - ((*x)->member < (*y)->member);

	if (d == 0)
		d = strverscmp((*x)->port, (*y)->port);
	if (d == 0)
		d = ((*x)->pe > (*y)->pe) - ((*x)->pe < (*y)->pe);
	if (d == 0)
		d = strcmp((*x)->sw, (*y)->sw);
	if (d == 0)
		d = ip_cmp((*x)->ip_count ? (*x)->ips[0] : none, (*y)->ip_count ? (*y)->ips[0] : none);
	return d ? d : (*x > *y) - (*x < *y);
}

static void *pointers(const void *array, size_t count, size_t size, int (*cmp)(const void *, const void *))
{
	const char **list = calloc(count ? count : 1, sizeof(*list));

	if (!list)
		abort();
	for (size_t i = 0; i < count; i++)
		list[i] = (const char *)array + i * size;
	qsort(list, count, sizeof(*list), cmp);
	return list;
}

/* Ports are in order of their member's index: where each member's begin. */
static void put_members(FILE *to, const struct registry *r)
{
	const struct registry_member **members =
		pointers(r->members, r->member_count, sizeof(*r->members), member_cmp);
	const struct registry_port **ports =
		pointers(r->ports, r->port_count, sizeof(*r->ports), port_cmp);
	size_t *first = calloc(r->member_count + 1, sizeof(*first));

	if (!first)
		abort();
	for (size_t i = 0; i < r->port_count; i++)
		first[ports[i]->member + 1]++;
	for (size_t i = 0; i < r->member_count; i++)
		first[i + 1] += first[i];
	fputs(r->member_count ? "members:\n" : "members: []\n", to);
	for (size_t i = 0; i < r->member_count; i++) {
		size_t m = (size_t)(members[i] - r->members);
		put_member(to, members[i]);
		if (first[m] < first[m + 1])
			fputs("    ports:\n", to);
		for (size_t k = first[m]; k < first[m + 1]; k++)
			put_port(to, ports[k]);
	}
	free(first);
	free(ports);
	free(members);
}

static void put_comment(FILE *to, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\r\n");
		fputs("# ", to);
		for (size_t i = 0; i < len; i++)
			fputc((uint8_t)text[i] < 0x20 || (uint8_t)text[i] > 0x7e ? '?' : text[i], to);
		fputc('\n', to);
		text += len;
		text += *text != '\0';
	}
}

int registry_write(const struct registry *r, const char *head_comment, FILE *to)
{
	char buf[IP_TEXT];

	put_comment(to, head_comment);
	put_members(to, r);
	for (size_t i = 0; i < r->unassigned_count; i++)
		fprintf(to, "%s  - \"%s\"\n", i ? "" : "unassigned:\n", ip_format(r->unassigned[i], buf));
	errno = 0;
	if (fflush(to) != 0 || ferror(to))
		return errno ? -errno : -EIO;
	return 0;
}
