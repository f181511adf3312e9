#include "registry/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/siphash.h"
#include "lib/text.h"
#include "lib/yaml.h"

/* Where an IP or MAC was first given, to name it when it comes again. */
struct claim {
	uint8_t key[17];
	uint32_t member;
	const struct build_source *source;
	char where[BUILD_WHERE];
};

struct build_free {
	struct ip ip;
	const struct build_source *source;
	const char *list;
	uint32_t index;
};

static bool claim_eq(const void *entry, const void *key)
{
	return memcmp(((const struct claim *)entry)->key, key, 17) == 0;
}

void build_init(struct build *b, const struct registry_lan *lan, build_line_fn *line, void *arg)
{
	*b = (struct build){.lan = lan, .line = line, .arg = arg};
	b->reg = calloc(1, sizeof(*b->reg));
	if (!b->reg)
		abort();
	hmap_init(&b->claims, claim_eq);
}

static bool drop_claim(void *entry, void *arg)
{
	(void)arg;
	free(entry);
	return true;
}

void build_drop(struct build *b)
{
	hmap_sweep(&b->claims, drop_claim, NULL);
	hmap_free(&b->claims);
	free(b->free);
	registry_free(b->reg);
	*b = (struct build){0};
}

/* --- saying --- */

void build_line(struct build *b, enum registry_grade grade, const char *line)
{
	b->errors += grade == REGISTRY_ERROR;
	if (grade != REGISTRY_NOTE || !b->errors)
		b->line(b->arg, grade, line);
}

void build_say(struct build *b, enum registry_grade grade, const char *where, const char *text,
	const char *what)
{
	char said[BUILD_LINE], line[BUILD_LINE];
	const struct build_source *s = b->source;

	snprintf(said, sizeof(said), "%s%s%s%s", text ? "'" : "", text ? text : "", text ? "': " : "", what);
	if (s->yaml) {
		struct yaml_errors errs = yaml_errors_of(line, sizeof(line));
		yaml_file_error(s->yaml, &errs, where, "%s", said);
	} else {
		char safe[BUILD_LINE];
		snprintf(line, sizeof(line), "%s: %s%s%s", s->name, where, *where ? ": " : "",
			text_escape(safe, sizeof(safe), said, strlen(said)));
	}
	build_line(b, grade, line);
}

/* --- who has what --- */

static void claim_key(uint8_t kind, const void *octets, size_t len, uint8_t ret[17])
{
	memset(ret, 0, 17);
	ret[0] = kind;
	memcpy(ret + 1, octets, len);
}

static void say_taken(struct build *b, const char *where, const char *text, const struct claim *c,
	const char *what)
{
	bool other = c->source != b->source;
	char line[BUILD_LINE];

	snprintf(line, sizeof(line), "%s%s%s%s", what, other ? c->source->name : "", other ? ": " : "",
		c->where);
	build_say(b, REGISTRY_CONFLICT, where, text, line);
}

static void add_claim(struct build *b, const uint8_t key[17], uint64_t hash, uint32_t member, const char *where)
{
	struct claim *c = calloc(1, sizeof(*c));

	if (!c || hmap_add(&b->claims, hash, c) < 0)
		abort();
	memcpy(c->key, key, sizeof(c->key));
	c->member = member;
	c->source = b->source;
	snprintf(c->where, sizeof(c->where), "%s", where);
}

/* Notes that this port's member has `key`. False with a word about it if another has it. */
static bool claim(struct build *b, uint8_t kind, const void *octets, size_t len, bool share_in_member,
	const char *where, const char *text)
{
	uint32_t member = b->reg->ports[b->reg->port_count - 1].member;
	uint8_t key[17];

	claim_key(kind, octets, len, key);
	uint64_t hash = siphash(siphash_process_key(), key, sizeof(key));
	struct claim *c = hmap_get(&b->claims, hash, key);
	if (c && share_in_member && c->member == member)
		return true;
	if (c) {
		bool exchange = b->reg->members[c->member].exchange && c->member != member;
		say_taken(b, where, text, c,
			exchange ? "the exchange's own, given already in " : "given already in ");
		return false;
	}
	add_claim(b, key, hash, member, b->at);
	return true;
}

/* --- members --- */

static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 64;
	array = realloc(array, *room * size);
	if (!array)
		abort();
	return array;
}

void build_text(char *to, size_t cap, const char *text)
{
	size_t len = strlen(text);

	if (len >= cap) {
		len = cap - 1;
		while (len && ((uint8_t)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(to, text, len);
	to[len] = '\0';
}

static char *text_dup(const char *text)
{
	char buf[REGISTRY_TEXT_MAX + 1];

	build_text(buf, sizeof(buf), text);
	char *copy = strdup(buf);
	if (!copy)
		abort();
	return copy;
}

uint32_t build_member(struct build *b, uint32_t asn, const char *name)
{
	struct registry *reg = b->reg;

	reg->members = grow(reg->members, reg->member_count, &b->member_room, sizeof(*reg->members));
	reg->members[reg->member_count] = (struct registry_member){.asn = asn, .name = text_dup(name)};
	return (uint32_t)reg->member_count++;
}

void build_contact(struct build *b, uint32_t member, const char *contact)
{
	struct registry_member *m = &b->reg->members[member];

	if (m->contact_count == REGISTRY_CONTACTS || !*contact)
		return;
	if (!m->contacts && !(m->contacts = calloc(REGISTRY_CONTACTS, sizeof(*m->contacts))))
		abort();
	m->contacts[m->contact_count++] = text_dup(contact);
}

struct registry_port *build_port(struct build *b, uint32_t member, const char *at)
{
	struct registry *reg = b->reg;

	reg->ports = grow(reg->ports, reg->port_count, &b->port_room, sizeof(*reg->ports));
	struct registry_port *port = &reg->ports[reg->port_count++];
	*port = (struct registry_port){.member = member, .router = true};
	snprintf(b->at, sizeof(b->at), "%s", at);
	return port;
}

/* --- what a port has --- */

static bool has_mac(const struct registry_port *port, struct mac mac)
{
	for (int i = 0; i < port->mac_count; i++)
		if (mac_eq(port->macs[i], mac))
			return true;
	return false;
}

void build_mac(struct build *b, const char *where, struct mac mac, bool former)
{
	struct registry_port *port = &b->reg->ports[b->reg->port_count - 1];
	char text[MAC_TEXT];

	mac_format(mac, text);
	if (has_mac(port, mac))
		return;
	if (!mac_is_host(mac)) {
		build_say(b, REGISTRY_CONFLICT, where, text, "a group or zero address is nobody's");
	} else if (port->mac_count == REGISTRY_MACS) {
		build_say(b, REGISTRY_CONFLICT, where, text, "more MACs than a port may have");
	} else if (claim(b, 0, mac.b, sizeof(mac.b), true, where, text)) {
		port->macs[port->mac_count++] = mac;
		port->former_count = (uint8_t)(port->former_count + former);
	}
}

static const struct prefix *prefix_of(const struct registry_lan *lan, struct ip ip)
{
	for (size_t i = 0; i < lan->prefix_count; i++)
		if (prefix_contains(&lan->prefixes[i], ip))
			return &lan->prefixes[i];
	return NULL;
}

bool build_in_lan(const struct registry_lan *lan, struct ip ip)
{
	return lan->prefix_count == 0 || prefix_of(lan, ip);
}

/* The prefix's own address and its broadcast are no host's. */
static bool is_whole_prefix(const struct registry_lan *lan, struct ip ip)
{
	const struct prefix *p = ip.family == 4 ? prefix_of(lan, ip) : NULL;

	if (!p || p->len >= 31)
		return false;
	uint32_t host = ip_to_u32(ip) & (UINT32_MAX >> p->len);
	return host == 0 || host == UINT32_MAX >> p->len;
}

/* NULL: it may be somebody's. */
static const char *ip_fault(const struct registry_lan *lan, struct ip ip)
{
	if (ip_is_multicast(ip) || ip_is_unspecified(ip) || ip_is_loopback(ip))
		return "not an address of a member";
	if (ip.family == 6 && ip_is_link_local(ip))
		return NULL;
	if (!build_in_lan(lan, ip))
		return "outside the LAN's prefixes";
	return is_whole_prefix(lan, ip) ? "the LAN's own or broadcast address" : NULL;
}

void build_ip(struct build *b, const char *where, struct ip ip)
{
	struct registry_port *port = &b->reg->ports[b->reg->port_count - 1];
	const char *fault = ip_fault(b->lan, ip);
	char text[IP_TEXT];

	ip_format(ip, text);
	if (fault)
		build_say(b, REGISTRY_CONFLICT, where, text, fault);
	else if (port->ip_count == REGISTRY_IPS)
		build_say(b, REGISTRY_CONFLICT, where, text, "more addresses than a port may have");
	else if (claim(b, ip.family, ip.b, 16, false, where, text))
		port->ips[port->ip_count++] = ip;
}

void build_given(struct build *b, const char *where, struct ip ip)
{
	uint8_t key[17];

	claim_key(ip.family, ip.b, 16, key);
	uint64_t hash = siphash(siphash_process_key(), key, sizeof(key));
	if (!hmap_get(&b->claims, hash, key))
		add_claim(b, key, hash, UINT32_MAX, where);
}

/* --- what nobody has --- */

void build_unassigned(struct build *b, const char *list, uint32_t index, struct ip ip)
{
	char where[BUILD_WHERE];

	if (b->free_count == REGISTRY_UNASSIGNED_MAX) {
		snprintf(where, sizeof(where), "%s[%u]", list, index);
		if (!b->free_full)
			build_say(b, REGISTRY_CONFLICT, where, NULL, "more unassigned addresses than a registry may have");
		b->free_full = true;
		return;
	}
	b->free = grow(b->free, b->free_count, &b->free_room, sizeof(*b->free));
	b->free[b->free_count++] = (struct build_free){ip, b->source, list, index};
}

static int free_cmp(const void *a, const void *b)
{
	const struct build_free *x = a, *y = b;
	int d = ip_cmp(x->ip, y->ip);

	return d ? d : (x->index > y->index) - (x->index < y->index);
}

static bool may_be_free(struct build *b, const struct build_free *f)
{
	const char *fault = ip_is_link_local(f->ip) ? "outside the LAN's prefixes" : ip_fault(b->lan, f->ip);
	char where[BUILD_WHERE], text[IP_TEXT];
	uint8_t key[17];

	b->source = f->source;
	snprintf(where, sizeof(where), "%s[%u]", f->list, f->index);
	ip_format(f->ip, text);
	claim_key(f->ip.family, f->ip.b, 16, key);
	const struct claim *c =
		hmap_get(&b->claims, siphash(siphash_process_key(), key, sizeof(key)), key);
	if (fault)
		build_say(b, REGISTRY_CONFLICT, where, text, fault);
	else if (c)
		say_taken(b, where, text, c, "nobody's, but given in ");
	return !fault && !c;
}

struct registry *build_end(struct build *b)
{
	struct registry *reg = b->reg;

	if (b->free_count)
		qsort(b->free, b->free_count, sizeof(*b->free), free_cmp);
	reg->unassigned = calloc(b->free_count ? b->free_count : 1, sizeof(*reg->unassigned));
	if (!reg->unassigned)
		abort();
	for (size_t i = 0; i < b->free_count; i++) {
		struct build_free *f = &b->free[i];
		if (i && ip_eq(f->ip, b->free[i - 1].ip))
			continue;
		if (may_be_free(b, f))
			reg->unassigned[reg->unassigned_count++] = f->ip;
	}
	b->reg = NULL;
	build_drop(b);
	return reg;
}
