/* The data plane's tables in plain memory, with the very values of layout.h: what verdict.c looks things up in, and the
 * packet and null planes' store. Bounded; setting into a full table is -ENOSPC. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/hmap.h"
#include "lib/ip.h"
#include "proxyarp/layout.h"

/* What the maps hold: for hmap_foreach() over a table. */
struct table_bind4 {
	struct layout_key4 k;
	struct layout_bind v;
};

struct table_bind6 {
	struct layout_key6 k;
	struct layout_bind v;
};

struct table_mac {
	struct layout_mac_key k;
	struct layout_mac v;
};

struct table_port {
	uint32_t ifindex;
	struct layout_port v;
};

struct table_vtep {
	struct layout_vtep_key k;
	uint8_t v; /* nothing: a set */
};

struct tables {
	struct hmap bind4, bind6, macs, ports, vteps;
	uint32_t max_bind4, max_bind6, max_macs, max_ports, max_vteps;
};

void tables_init(struct tables *t, uint32_t max_bind4, uint32_t max_bind6, uint32_t max_macs,
	uint32_t max_ports, uint32_t max_vteps);
void tables_free(struct tables *t);

int tables_bind4_set(struct tables *t, const struct layout_key4 *k, const struct layout_bind *v);
int tables_bind6_set(struct tables *t, const struct layout_key6 *k, const struct layout_bind *v);
int tables_mac_set(struct tables *t, const struct layout_mac_key *k, const struct layout_mac *v);
int tables_port_set(struct tables *t, uint32_t ifindex, const struct layout_port *v);
int tables_vtep_set(struct tables *t, const struct layout_vtep_key *k);
int tables_bind4_del(struct tables *t, const struct layout_key4 *k);
int tables_bind6_del(struct tables *t, const struct layout_key6 *k);
int tables_mac_del(struct tables *t, const struct layout_mac_key *k);
int tables_port_del(struct tables *t, uint32_t ifindex);
int tables_vtep_del(struct tables *t, const struct layout_vtep_key *k);

/* NULL: not there. Borrowed until the next change. */
const struct layout_bind *tables_bind4(const struct tables *t, uint32_t lan, const uint8_t ip[4]);
const struct layout_bind *tables_bind6(const struct tables *t, uint32_t lan, const uint8_t ip[16]);
const struct layout_mac *tables_mac(const struct tables *t, uint32_t lan, const uint8_t mac[6]);
const struct layout_port *tables_port(const struct tables *t, uint32_t ifindex);
/* A large table's look-up is two waits for memory. Who has several to come asks for the slots of all, then for the entries of all,
 * with what the first returned, and then looks up. */
uint64_t tables_bind_slot_soon(const struct tables *t, uint32_t lan, struct ip ip);
void tables_bind_soon(const struct tables *t, uint8_t family, uint64_t hash);
/* `ip` of either family, or none: see struct layout_vtep_key. */
bool tables_vtep_is(const struct tables *t, const struct layout_vtep_key *k);
bool tables_vtep(const struct tables *t, uint32_t vni, struct ip ip);
struct layout_vtep_key table_vtep_key(uint32_t vni, struct ip ip);
