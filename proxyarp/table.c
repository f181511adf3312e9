/* The data plane's tables in plain memory. Five maps of the same make: an entry is the key followed
 * by the value, found by a keyed hash over the key's octets (members choose addresses), and owned
 * by the table. */
#include "proxyarp/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/siphash.h"

#define TABLE(name, entry_t, key_t, value_t, key_member, field, max)                               \
	static bool name##_eq(const void *entry, const void *key)                                  \
	{                                                                                          \
		return memcmp(&((const entry_t *)entry)->key_member, key, sizeof(key_t)) == 0;     \
	}                                                                                          \
	static uint64_t name##_hash(const key_t *k)                                                \
	{                                                                                          \
		return siphash(siphash_process_key(), k, sizeof(*k));                              \
	}                                                                                          \
	static int name##_set(struct tables *t, const key_t *k, const value_t *v)                  \
	{                                                                                          \
		entry_t *e = hmap_get(&t->field, name##_hash(k), k);                               \
		if (e) {                                                                           \
			e->v = *v;                                                                 \
			return 0;                                                                  \
		}                                                                                  \
		if (t->field.count >= t->max)                                                      \
			return -ENOSPC;                                                            \
		e = malloc(sizeof(*e));                                                            \
		if (!e)                                                                            \
			return -ENOMEM;                                                            \
		e->key_member = *k;                                                                \
		e->v = *v;                                                                         \
		int r = hmap_add(&t->field, name##_hash(k), e);                                    \
		if (r < 0)                                                                         \
			free(e);                                                                   \
		return r;                                                                          \
	}                                                                                          \
	static int name##_del(struct tables *t, const key_t *k)                                    \
	{                                                                                          \
		free(hmap_del(&t->field, name##_hash(k), k));                                      \
		return 0;                                                                          \
	}                                                                                          \
	static const value_t *name##_get(const struct tables *t, const key_t *k)                   \
	{                                                                                          \
		const entry_t *e = hmap_get(&t->field, name##_hash(k), k);                         \
		return e ? &e->v : NULL;                                                           \
	}

TABLE(b4, struct table_bind4, struct layout_key4, struct layout_bind, k, bind4, max_bind4)
TABLE(b6, struct table_bind6, struct layout_key6, struct layout_bind, k, bind6, max_bind6)
TABLE(mc, struct table_mac, struct layout_mac_key, struct layout_mac, k, macs, max_macs)
TABLE(pt, struct table_port, uint32_t, struct layout_port, ifindex, ports, max_ports)
TABLE(vt, struct table_vtep, struct layout_vtep_key, uint8_t, k, vteps, max_vteps)

void tables_init(struct tables *t, uint32_t max_bind4, uint32_t max_bind6, uint32_t max_macs,
	uint32_t max_ports, uint32_t max_vteps)
{
	*t = (struct tables){
		.max_bind4 = max_bind4,
		.max_bind6 = max_bind6,
		.max_macs = max_macs,
		.max_ports = max_ports,
		.max_vteps = max_vteps,
	};
	hmap_init(&t->bind4, b4_eq);
	hmap_init(&t->bind6, b6_eq);
	hmap_init(&t->macs, mc_eq);
	hmap_init(&t->ports, pt_eq);
	hmap_init(&t->vteps, vt_eq);
}

static void free_entries(struct hmap *m)
{
	void *e;

	hmap_foreach (m, e)
		free(e);
	hmap_free(m);
}

void tables_free(struct tables *t)
{
	free_entries(&t->bind4);
	free_entries(&t->bind6);
	free_entries(&t->macs);
	free_entries(&t->ports);
	free_entries(&t->vteps);
}

int tables_bind4_set(struct tables *t, const struct layout_key4 *k, const struct layout_bind *v)
{
	return b4_set(t, k, v);
}

int tables_bind6_set(struct tables *t, const struct layout_key6 *k, const struct layout_bind *v)
{
	return b6_set(t, k, v);
}

int tables_mac_set(struct tables *t, const struct layout_mac_key *k, const struct layout_mac *v)
{
	return mc_set(t, k, v);
}

int tables_port_set(struct tables *t, uint32_t ifindex, const struct layout_port *v)
{
	return pt_set(t, &ifindex, v);
}

int tables_vtep_set(struct tables *t, const struct layout_vtep_key *k)
{
	return vt_set(t, k, &(uint8_t){0});
}

int tables_bind4_del(struct tables *t, const struct layout_key4 *k)
{
	return b4_del(t, k);
}

int tables_bind6_del(struct tables *t, const struct layout_key6 *k)
{
	return b6_del(t, k);
}

int tables_mac_del(struct tables *t, const struct layout_mac_key *k)
{
	return mc_del(t, k);
}

int tables_port_del(struct tables *t, uint32_t ifindex)
{
	return pt_del(t, &ifindex);
}

int tables_vtep_del(struct tables *t, const struct layout_vtep_key *k)
{
	return vt_del(t, k);
}

const struct layout_bind *tables_bind4(const struct tables *t, uint32_t lan, const uint8_t ip[4])
{
	struct layout_key4 k = {.lan = lan};

	memcpy(k.ip, ip, 4);
	return b4_get(t, &k);
}

const struct layout_bind *tables_bind6(const struct tables *t, uint32_t lan, const uint8_t ip[16])
{
	struct layout_key6 k = {.lan = lan};

	memcpy(k.ip, ip, 16);
	return b6_get(t, &k);
}

uint64_t tables_bind_slot_soon(const struct tables *t, uint32_t lan, struct ip ip)
{
	struct layout_key4 k4 = {.lan = lan};
	struct layout_key6 k6 = {.lan = lan};
	uint64_t hash;

	if (ip.family == 4) {
		memcpy(k4.ip, ip.b, 4);
		hash = b4_hash(&k4);
		hmap_prefetch(&t->bind4, hash);
	} else {
		memcpy(k6.ip, ip.b, 16);
		hash = b6_hash(&k6);
		hmap_prefetch(&t->bind6, hash);
	}
	return hash;
}

void tables_bind_soon(const struct tables *t, uint8_t family, uint64_t hash)
{
	/* Read, not prefetched: a processor may give up a prefetch for which it would have to find the page. */
	const volatile uint8_t *e = hmap_guess(family == 4 ? &t->bind4 : &t->bind6, hash);

	if (e)
		(void)*e;
}

const struct layout_mac *tables_mac(const struct tables *t, uint32_t lan, const uint8_t mac[6])
{
	struct layout_mac_key k = {.lan = lan};

	memcpy(k.mac, mac, 6);
	return mc_get(t, &k);
}

const struct layout_port *tables_port(const struct tables *t, uint32_t ifindex)
{
	return pt_get(t, &ifindex);
}

struct layout_vtep_key table_vtep_key(uint32_t vni, struct ip ip)
{
	struct layout_vtep_key k = {.vni = vni};

	if (ip.family == 4) {
		k.ip[10] = k.ip[11] = 0xff;
		memcpy(k.ip + 12, ip.b, 4);
	} else {
		memcpy(k.ip, ip.b, 16);
	}
	return k;
}

bool tables_vtep_is(const struct tables *t, const struct layout_vtep_key *k)
{
	return vt_get(t, k) != NULL;
}

bool tables_vtep(const struct tables *t, uint32_t vni, struct ip ip)
{
	struct layout_vtep_key k = table_vtep_key(vni, ip);

	return tables_vtep_is(t, &k);
}
