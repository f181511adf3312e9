/* The plain-YAML registry: for small exchanges, labs and tests. Read whole, checked whole; see registry.h for the file.
 *
 * What is checked: every MAC is a host's, every address is in one of the LAN's prefixes (a link-local one is link-local),
 * no address is given to two ports, no MAC to two ports of different members. One MAC on two ports of the same member
 * is a move being prepared, and stands.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hmap.h"
#include "lib/siphash.h"
#include "lib/yaml.h"
#include "registry/registry.h"
#include "registry/schema.h"

/* Where an IP or MAC was first given, to name it when it comes again. */
struct claim {
	uint8_t key[17];
	uint32_t member;
	char where[64]; /* file index and place: "members[3].ports[0]" */
};

struct reader_state {
	const struct prefix *prefixes;
	size_t prefix_count;
	struct registry *reg;
	struct yaml_file *file;
	struct yaml_errors *errs;
	struct hmap claims;
	char at[64];
};

static bool claim_eq(const void *entry, const void *key)
{
	return memcmp(((const struct claim *)entry)->key, key, 17) == 0;
}

static void fail(struct reader_state *st, const char *key, const char *text, const char *what)
{
	char where[128];

	snprintf(where, sizeof(where), "%s%s%s", st->at, *key ? "." : "", key);
	yaml_file_error(st->file, st->errs, where, "'%s': %s", text, what);
}

/* Notes that this port has `key` (a family or 0 and the octets). False with an error if another has it. */
static bool claim(struct reader_state *st, uint8_t kind, const void *octets, size_t len,
	uint32_t member, bool share_in_member, const char *at_key, const char *text)
{
	uint8_t key[17] = {kind};
	char what[96];

	memcpy(key + 1, octets, len);
	uint64_t hash = siphash(siphash_process_key(), key, sizeof(key));
	struct claim *c = hmap_get(&st->claims, hash, key);
	if (c && !(share_in_member && c->member == member)) {
		snprintf(what, sizeof(what), "given already in %s", c->where);
		fail(st, at_key, text, what);
		return false;
	}
	if (c)
		return true;
	c = calloc(1, sizeof(*c));
	if (!c || hmap_add(&st->claims, hash, c) < 0)
		abort();
	memcpy(c->key, key, sizeof(key));
	c->member = member;
	snprintf(c->where, sizeof(c->where), "%s", st->at);
	return true;
}

static bool in_prefixes(const struct reader_state *st, struct ip ip)
{
	for (size_t i = 0; i < st->prefix_count; i++)
		if (prefix_contains(&st->prefixes[i], ip))
			return true;
	return st->prefix_count == 0;
}

static void add_ips(struct reader_state *st, struct registry_port *port, const char *list,
	const struct raw_texts *raw, uint8_t family, bool link_local)
{
	for (uint32_t i = 0; i < raw->count; i++) {
		const char *text = raw->items[i];
		char key[32];
		struct ip ip;

		snprintf(key, sizeof(key), "%s[%u]", list, i);
		if (ip_parse(text, &ip) < 0 || ip.family != family)
			fail(st, key, text,
				family == 4 ? "expected an IPv4 address" : "expected an IPv6 address");
		else if (ip_is_link_local(ip) != link_local)
			fail(st, key, text,
				link_local ? "expected a link-local address (fe80::/10)"
					   : "a link-local address belongs under link-local");
		else if (ip_is_multicast(ip) || ip_is_unspecified(ip) || ip_is_loopback(ip))
			fail(st, key, text, "not an address of a member");
		else if (!link_local && !in_prefixes(st, ip))
			fail(st, key, text, "outside the LAN's prefixes");
		else if (port->ip_count == REGISTRY_IPS)
			fail(st, key, text, "more addresses than a port may have");
		else if (claim(st, ip.family, ip.b, 16, port->member, false, key, text))
			port->ips[port->ip_count++] = ip;
	}
}

static void add_macs(struct reader_state *st, struct registry_port *port, const struct raw_texts *raw)
{
	for (uint32_t i = 0; i < raw->count; i++) {
		const char *text = raw->items[i];
		char key[32];
		struct mac mac;

		snprintf(key, sizeof(key), "macs[%u]", i);
		if (mac_parse(text, &mac) < 0)
			fail(st, key, text, "expected a MAC address");
		else if (!mac_is_host(mac))
			fail(st, key, text, "a group or zero address is nobody's");
		else if (claim(st, 0, mac.b, 6, port->member, true, key, text))
			port->macs[port->mac_count++] = mac;
	}
}

static void add_port(struct reader_state *st, const struct raw_registry_port *raw, uint32_t member)
{
	struct registry_port *port = &st->reg->ports[st->reg->port_count++];
	struct ip pe = {0};

	port->member = member;
	port->router = !raw->router || *raw->router;
	if (raw->port && strlen(raw->port) > 15)
		fail(st, "port", raw->port, "longer than an interface name");
	else if (raw->port)
		snprintf(port->port, sizeof(port->port), "%s", raw->port);
	if (raw->pe && (ip_parse(raw->pe, &pe) < 0 || pe.family != 4))
		fail(st, "pe", raw->pe, "expected the router id of a PE");
	port->pe = ip_to_u32(pe);
	if (!raw->status || strcmp(raw->status, "active") == 0)
		port->status = REGISTRY_ACTIVE;
	else if (strcmp(raw->status, "quarantine") == 0)
		port->status = REGISTRY_QUARANTINE;
	else if (strcmp(raw->status, "disabled") == 0)
		port->status = REGISTRY_DISABLED;
	else
		fail(st, "status", raw->status, "expected active, quarantine or disabled");
	add_macs(st, port, &raw->macs);
	add_ips(st, port, "ipv4", &raw->ipv4, 4, false);
	add_ips(st, port, "ipv6", &raw->ipv6, 6, false);
	add_ips(st, port, "link-local", &raw->link_local, 6, true);
	if (port->ip_count && !port->mac_count)
		yaml_file_error(st->file, st->errs, st->at, "addresses without a MAC");
}

static void *grow(void *array, size_t old_count, size_t add, size_t size)
{
	char *p = realloc(array, (old_count + add ? old_count + add : 1) * size);

	if (!p)
		abort();
	memset(p + old_count * size, 0, add * size);
	return p;
}

static void add_members(struct reader_state *st, const struct raw_registry *raw)
{
	struct registry *reg = st->reg;
	size_t ports = 0;

	for (uint32_t i = 0; i < raw->members_count; i++)
		ports += raw->members[i].ports_count;
	reg->members = grow(reg->members, reg->member_count, raw->members_count,
		sizeof(*reg->members));
	reg->ports = grow(reg->ports, reg->port_count, ports, sizeof(*reg->ports));
	for (uint32_t i = 0; i < raw->members_count; i++) {
		const struct raw_registry_member *m = &raw->members[i];
		uint32_t member = (uint32_t)reg->member_count++;

		snprintf(st->at, sizeof(st->at), "members[%u]", i);
		if (m->asn == 0)
			fail(st, "asn", "0", "expected an AS number");
		reg->members[member].asn = m->asn;
		reg->members[member].exchange = m->exchange;
		reg->members[member].name = strdup(m->name ? m->name : "");
		if (!reg->members[member].name)
			abort();
		for (uint32_t k = 0; k < m->ports_count; k++) {
			snprintf(st->at, sizeof(st->at), "members[%u].ports[%u]", i, k);
			add_port(st, &m->ports[k], member);
		}
	}
}

static bool drop_claim(void *entry, void *arg)
{
	(void)arg;
	free(entry);
	return true;
}

int registry_load(const char *const *files, size_t file_count, const struct registry_lan *lan,
	struct registry **ret, char err[REGISTRY_ERROR_MAX])
{
	struct yaml_errors errs = yaml_errors_of(err, REGISTRY_ERROR_MAX);
	struct registry *reg = calloc(1, sizeof(*reg));
	struct reader_state st = {
		.prefixes = lan->prefixes, .prefix_count = lan->prefix_count, .reg = reg, .errs = &errs};
	int r = 0;

	if (!reg)
		abort();
	hmap_init(&st.claims, claim_eq);
	for (size_t i = 0; i < file_count && r == 0; i++) {
		struct raw_registry *raw;
		r = yaml_file_load(files[i], &registry_schema, &errs, &st.file, (void **)&raw);
		if (r < 0)
			break;
		add_members(&st, raw);
		yaml_file_free_data(&registry_schema, raw);
		yaml_file_free(st.file);
		if (errs.count)
			r = -EINVAL;
	}
	hmap_sweep(&st.claims, drop_claim, NULL);
	hmap_free(&st.claims);
	if (r < 0) {
		registry_free(reg);
		return r;
	}
	*ret = reg;
	return 0;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->member_count; i++)
		free(r->members[i].name);
	free(r->members);
	free(r->ports);
	free(r);
}
