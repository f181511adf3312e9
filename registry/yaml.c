/* The plain-YAML registry: for small exchanges, labs and tests, and what the importers' result is kept as. See registry.h for the
 * file; what is asked of an entry is in registry/build.c. Here is what only this file can get wrong: words, the list an address
 * stands in, addresses without a MAC. */
#include "registry/yaml.h"

#include <stdio.h>
#include <string.h>

#include "lib/yaml.h"
#include "registry/schema.h"

#define PLACE 48

struct place {
	struct build *b;
	const char *at; /* "members[3].ports[0]" */
};

static void fail(const struct place *p, const char *key, const char *text, const char *what)
{
	char where[BUILD_WHERE];

	snprintf(where, sizeof(where), "%s%s%s", p->at, *key ? "." : "", key);
	build_say(p->b, REGISTRY_ERROR, where, text, what);
}

static void add_ips(const struct place *p, const char *list, const struct raw_texts *raw, uint8_t family,
	bool link_local)
{
	for (uint32_t i = 0; i < raw->count; i++) {
		const char *text = raw->items[i];
		char key[32], where[BUILD_WHERE];
		struct ip ip;

		snprintf(key, sizeof(key), "%s[%u]", list, i);
		snprintf(where, sizeof(where), "%s.%s", p->at, key);
		if (ip_parse(text, &ip) < 0 || ip.family != family)
			fail(p, key, text,
				family == 4 ? "expected an IPv4 address" : "expected an IPv6 address");
		else if (ip_is_link_local(ip) != link_local)
			fail(p, key, text,
				link_local ? "expected a link-local address (fe80::/10)"
					   : "a link-local address belongs under link-local");
		else
			build_ip(p->b, where, ip);
	}
}

static void add_macs(
	const struct place *p, const char *list, const struct raw_texts *raw, bool former)
{
	for (uint32_t i = 0; i < raw->count; i++) {
		char key[32], where[BUILD_WHERE];
		struct mac mac;

		snprintf(key, sizeof(key), "%s[%u]", list, i);
		snprintf(where, sizeof(where), "%s.%s", p->at, key);
		if (mac_parse(raw->items[i], &mac) < 0)
			fail(p, key, raw->items[i], "expected a MAC address");
		else
			build_mac(p->b, where, mac, former);
	}
}

static enum registry_status read_status(const struct place *p, const char *text)
{
	static const char *const words[] = {[REGISTRY_ACTIVE] = "active",
		[REGISTRY_QUARANTINE] = "quarantine",
		[REGISTRY_DISABLED] = "disabled"};

	for (int i = REGISTRY_ACTIVE; text && i <= REGISTRY_DISABLED; i++)
		if (strcmp(text, words[i]) == 0)
			return (enum registry_status)i;
	if (text)
		fail(p, "status", text, "expected active, quarantine or disabled");
	return REGISTRY_ACTIVE;
}

static void add_port(struct build *b, uint32_t member, const char *at, const struct raw_registry_port *raw)
{
	struct registry_port *port = build_port(b, member, at);
	struct place p = {b, at};
	struct ip pe = {0};

	snprintf(port->port, sizeof(port->port), "%s", raw->port ? raw->port : "");
	snprintf(port->sw, sizeof(port->sw), "%s", raw->sw ? raw->sw : "");
	if (raw->pe && (ip_parse(raw->pe, &pe) < 0 || pe.family != 4))
		fail(&p, "pe", raw->pe, "expected the router id of a PE");
	port->pe = pe.family == 4 ? ip_to_u32(pe) : 0;
	port->speed_mbps = raw->speed;
	port->router = !raw->router || *raw->router;
	port->status = read_status(&p, raw->status);
	add_macs(&p, "macs", &raw->macs, false);
	add_macs(&p, "former-macs", &raw->former_macs, true);
	bool has_ips = raw->ipv4.count || raw->ipv6.count || raw->link_local.count;
	if (has_ips && !raw->macs.count && !raw->former_macs.count)
		build_say(b, REGISTRY_ERROR, at, NULL, "addresses without a MAC");
	else if (has_ips && !port->mac_count)
		build_say(b, REGISTRY_NOTE, at, NULL, "no MAC is left: its addresses are left out");
	if (!port->mac_count)
		return;
	add_ips(&p, "ipv4", &raw->ipv4, 4, false);
	add_ips(&p, "ipv6", &raw->ipv6, 6, false);
	add_ips(&p, "link-local", &raw->link_local, 6, true);
}

static void add_member(struct build *b, uint32_t i, const struct raw_registry_member *raw)
{
	uint32_t member = build_member(b, raw->asn, raw->name ? raw->name : "");
	struct registry_member *m = &b->reg->members[member];
	char at[PLACE];
	struct place p = {b, at};

	snprintf(at, sizeof(at), "members[%u]", i);
	if (raw->type && !registry_type_is_known(raw->type))
		fail(&p, "type", raw->type, "expected peering, ixp, routeserver, probono or other");
	snprintf(m->type, sizeof(m->type), "%s", raw->type ? raw->type : "");
	m->exchange = raw->exchange ? *raw->exchange : registry_type_is_exchange(m->type);
	for (uint32_t k = 0; k < raw->contacts.count; k++)
		build_contact(b, member, raw->contacts.items[k]);
	for (uint32_t k = 0; k < raw->ports_count; k++) {
		snprintf(at, sizeof(at), "members[%u].ports[%u]", i, k);
		add_port(b, member, at, &raw->ports[k]);
	}
}

static void add_unassigned(struct build *b, const struct raw_texts *raw)
{
	for (uint32_t i = 0; i < raw->count; i++) {
		char where[BUILD_WHERE];
		struct ip ip;

		snprintf(where, sizeof(where), "unassigned[%u]", i);
		if (ip_parse(raw->items[i], &ip) < 0)
			build_say(b, REGISTRY_ERROR, where, raw->items[i], "expected an address");
		else
			build_unassigned(b, "unassigned", i, ip);
	}
}

void registry_yaml_read(struct build *b, struct build_source *source, const char *text, size_t len)
{
	char line[BUILD_LINE];
	struct yaml_errors errs = yaml_errors_of(line, sizeof(line));
	struct raw_registry *raw;

	b->source = source;
	if (yaml_text_load(source->name, text, len, &registry_schema, &errs, &source->yaml, (void **)&raw) <
		0) {
		build_line(b, REGISTRY_ERROR, line);
		return;
	}
	for (uint32_t i = 0; i < raw->members_count; i++)
		add_member(b, i, &raw->members[i]);
	add_unassigned(b, &raw->unassigned);
	yaml_file_free_data(&registry_schema, raw);
}

void registry_yaml_close(struct build_source *source)
{
	yaml_file_free(source->yaml);
	source->yaml = NULL;
}
