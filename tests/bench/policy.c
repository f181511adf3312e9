/* What the registry costs the import policy: a million type-2 routes of so many members, asked about without a registry and with
 * one that has all of them. `tests/bench/policy [MEMBERS]`; the best of five rounds each. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "evpn/family.h"
#include "evpn/nlri.h"
#include "evpn/policy.h"

#define ROUTES 1000000
#define ROUNDS 5

static double clock_sec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct mac mac_of(uint32_t member)
{
	return (struct mac){{2, 0, (uint8_t)(member >> 24), (uint8_t)(member >> 16), (uint8_t)(member >> 8), (uint8_t)member}};
}

static struct ip ip_of(uint32_t member, bool v6)
{
	uint8_t b[16] = {0x20, 1, 0xd, 0xb8, [12] = (uint8_t)(member >> 24), (uint8_t)(member >> 16), (uint8_t)(member >> 8),
		(uint8_t)member};

	return v6 ? ip_v6(b) : ip_v4_u32(0x64000000 + member);
}

static struct nlri *make_routes(uint32_t members, struct ip pe)
{
	struct nlri *list = calloc(ROUTES, sizeof(*list));

	for (uint32_t i = 0; list && i < ROUTES; i++) {
		struct evpn_route r = {.type = EVPN_MACIP, .rd = rd_make(pe, 2), .label_count = 1, .label = {100}};
		r.mac = mac_of(i / 2 % members);
		r.ip = ip_of(i / 2 % members, i & 1);
		evpn_nlri_pack(&r, &list[i]);
	}
	return list;
}

static struct registered *make_registry(uint32_t members, struct ip pe)
{
	struct registered *r = registered_new();

	for (uint32_t m = 0; r && m < members; m++) {
		struct mac mac = mac_of(m);
		struct ip ips[2] = {ip_of(m, false), ip_of(m, true)};
		struct registered_port p = {&mac, 1, ips, 2, &pe, 1};
		if (registered_add(r, &p) < 0)
			abort();
	}
	return r;
}

/* Nanoseconds a route. */
static double ask_all(const struct registered *registered, const struct nlri *list, struct ip pe)
{
	static const uint8_t ecoms[] = {0, 2, 0xfd, 0xe8, 0, 0, 0, 100, 3, 0x0c, 0, 0, 0, 0, 0, 8};
	struct attrs a = {.next_hop = pe, .ext_communities = {ecoms, sizeof(ecoms)}};
	struct rt_pattern import = {.vni = 100};
	struct evpn_policy_lan lan = {100, &import, 1, NULL, 0, NULL, registered, true};
	struct evpn_rules rules = evpn_rules_default();
	struct evpn_policy *p = evpn_policy_new();

	if (!p || evpn_policy_set_lans(p, &lan, 1) < 0)
		abort();
	double start = clock_sec();
	for (uint32_t i = 0; i < ROUTES; i++) {
		struct policy_route r = {
			&evpn_family, list[i].key, list[i].payload, list[i].key_len, list[i].payload_len, &a, 1};
		if (evpn_policy_import(p, &rules, &r) != REFUSED_NOT)
			abort();
	}
	double took = clock_sec() - start;
	evpn_policy_free(p);
	return took * 1e9 / ROUTES;
}

int main(int argc, char **argv)
{
	long members = argc > 1 ? strtol(argv[1], NULL, 10) : 2000;
	double without = 1e9, with = 1e9;
	struct ip pe;

	if (members < 1 || members > ROUTES || ip_parse("10.99.0.2", &pe) < 0)
		return EXIT_FAILURE;
	struct nlri *list = make_routes((uint32_t)members, pe);
	struct registered *r = make_registry((uint32_t)members, pe);
	for (int i = 0; i < ROUNDS; i++) {
		double a = ask_all(NULL, list, pe), b = ask_all(r, list, pe);
		without = a < without ? a : without;
		with = b < with ? b : with;
	}
	printf("%ld members: %.0f ns a route without a registry, %.0f ns with\n", members, without, with);
	registered_free(r);
	free(list);
	return EXIT_SUCCESS;
}
