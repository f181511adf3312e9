/* Two lines of the books taken for one another: a few bindings go, as many come, and two healthy members are cut off. What a member
 * had in force goes to another when the former leaves, or has another AS number; not while it stays, unless somebody says so. */
#include "registry/crossed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hmap.h"
#include "lib/siphash.h"

struct had {
	uint8_t key[17];
	const struct registry_member *member;
};

struct crossing {
	struct hmap map; /* of had */
	struct had *list;
	size_t count;
	const struct registry_member **there; /* in order: who has a MAC now */
	size_t there_count;
};

static bool had_eq(const void *entry, const void *key)
{
	return memcmp(((const struct had *)entry)->key, key, 17) == 0;
}

static int member_cmp(const void *a, const void *b)
{
	const struct registry_member *x = *(const struct registry_member *const *)a,
				     *y = *(const struct registry_member *const *)b;
	int d = (x->asn > y->asn) - (x->asn < y->asn);

	return d || x->asn ? d : strcmp(x->name, y->name);
}

static void key_of(uint8_t key[17], uint8_t kind, const void *octets, size_t len)
{
	memset(key, 0, 17);
	key[0] = kind;
	memcpy(key + 1, octets, len);
}

static void ip_key(uint8_t key[17], struct ip ip)
{
	key_of(key, ip.family, ip.b, sizeof(ip.b));
}

static void mac_key(uint8_t key[17], struct mac mac)
{
	key_of(key, 0, mac.b, sizeof(mac.b));
}

static void add(struct crossing *c, const uint8_t key[17], const struct registry_member *m)
{
	uint64_t hash = siphash(siphash_process_key(), key, 17);
	struct had *h = &c->list[c->count];

	if (hmap_get(&c->map, hash, key))
		return;
	memcpy(h->key, key, 17);
	h->member = m;
	if (hmap_add(&c->map, hash, h) < 0)
		abort();
	c->count++;
}

static int current_count(const struct registry_port *p)
{
	return p->mac_count - p->former_count;
}

static void crossing_init(struct crossing *c, const struct registry *was, const struct registry *is)
{
	uint8_t key[17];

	*c = (struct crossing){.count = 0};
	hmap_init(&c->map, had_eq);
	c->list = calloc(was->port_count * (REGISTRY_MACS + REGISTRY_IPS) + 1, sizeof(*c->list));
	c->there = calloc(is->port_count + 1, sizeof(*c->there));
	if (!c->list || !c->there)
		abort();
	for (size_t i = 0; i < was->port_count; i++) {
		const struct registry_port *p = &was->ports[i];
		for (int k = 0; p->status == REGISTRY_ACTIVE && k < current_count(p); k++) {
			mac_key(key, p->macs[k]);
			add(c, key, &was->members[p->member]);
		}
		for (int k = 0; p->status == REGISTRY_ACTIVE && current_count(p) && k < p->ip_count; k++) {
			ip_key(key, p->ips[k]);
			add(c, key, &was->members[p->member]);
		}
	}
	for (size_t i = 0; i < is->port_count; i++)
		if (current_count(&is->ports[i]))
			c->there[c->there_count++] = &is->members[is->ports[i].member];
	qsort(c->there, c->there_count, sizeof(*c->there), member_cmp);
}

/* Who had it, and is another that is still there; NULL: nobody. */
static const struct registry_member *former_of(
	const struct crossing *c, const uint8_t key[17], const struct registry_member *m)
{
	const struct had *h = hmap_get(&c->map, siphash(siphash_process_key(), key, 17), key);

	if (!h || member_cmp(&h->member, &m) == 0 ||
		!bsearch(&h->member, c->there, c->there_count, sizeof(*c->there), member_cmp))
		return NULL;
	return h->member;
}

static bool say(const struct registry_member *from, const struct registry_member *to, const char *what, char *why, size_t cap)
{
	if (!from)
		return false;
	snprintf(why, cap, "%s of AS%u would be that of AS%u, and AS%u is still there: are they swapped?", what, from->asn, to->asn,
		from->asn);
	return true;
}

static bool port_crossed(const struct crossing *c, const struct registry_port *p, const struct registry_member *m, char *why,
	size_t cap)
{
	char text[IP_TEXT];
	uint8_t key[17];

	for (int k = 0; k < p->ip_count; k++) {
		ip_key(key, p->ips[k]);
		if (say(former_of(c, key, m), m, ip_format(p->ips[k], text), why, cap))
			return true;
	}
	for (int k = 0; k < current_count(p); k++) {
		mac_key(key, p->macs[k]);
		if (say(former_of(c, key, m), m, mac_format(p->macs[k], text), why, cap))
			return true;
	}
	return false;
}

bool registry_crossed(const struct registry *was, const struct registry *is, char *why, size_t cap)
{
	struct crossing c;
	bool found = false;

	crossing_init(&c, was, is);
	for (size_t i = 0; i < is->port_count && !found; i++)
		found = port_crossed(&c, &is->ports[i], &is->members[is->ports[i].member], why, cap);
	hmap_free(&c.map);
	free(c.list);
	free(c.there);
	return found;
}
