/* Speakers with route target membership, for a test file: simulated, made anew for each test. */
#pragma once
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "bgp/membership.h"
#include "bgp/rtc.h"
#include "tests/bgp/sim.h"
#include "tests/bgp/wire.h"

#define RT_100 "0000fde8 0002fde800000064"

static struct sim sim;

static inline void setup(void)
{
	sim_init(&sim);
}

static inline void teardown(void)
{
	sim_free(&sim);
}

static const struct bgp_family *families[] = {NULL, &rtc_family};

static inline void takes_part(struct neighbor_config *c)
{
	c->rt_constrain = true;
}

static inline void client(struct neighbor_config *c)
{
	c->rt_constrain = c->client = c->passive = true;
}

static inline void plain_client(struct neighbor_config *c)
{
	c->client = c->passive = true;
}

static inline void start(int node, uint32_t as)
{
	struct speaker_config c = sim_config(as, node);

	families[0] = c.families[0];
	c.families = families;
	c.family_count = 2;
	sim_start(&sim, node, &c);
}

/* Node 0 reflects for 1 .. n. */
static inline void star(int n)
{
	for (int i = 0; i <= n; i++)
		start(i, 65000);
	for (int i = 1; i <= n; i++) {
		sim_neighbor(&sim, 0, i, 65000, client);
		sim_neighbor(&sim, i, 0, 65000, takes_part);
	}
}

static inline struct rt rt_of(uint32_t number)
{
	return (struct rt){{0, 2, 0xfd, 0xe8, (uint8_t)(number >> 24), (uint8_t)(number >> 16),
		(uint8_t)(number >> 8), (uint8_t)number}};
}

/* Imports the route targets 65000:a and 65000:b; 0: none. */
static inline void imports(int node, uint32_t a, uint32_t b)
{
	struct rt rts[2] = {rt_of(a), rt_of(b)};

	ck_assert_int_eq(
		speaker_set_membership(sim.node[node].s, rts, !!a + !!b, false, sim.now), 0);
}

static inline void originate(int node, uint32_t number, const char *communities)
{
	struct octets o = octets_of(communities);
	struct nlri n = {.key_len = 5, .payload_len = 1, .key = {TEST_PAYLOAD_TYPE}};
	struct attrs a = {
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.next_hop = sim.node[node].address,
		.ext_communities = {o.p, (uint16_t)o.len}};

	if (o.len)
		a.present |= ATTR_BIT(ATTR_EXT_COMMUNITIES);
	for (int i = 0; i < 4; i++)
		n.key[1 + i] = (uint8_t)(number >> (24 - 8 * i));
	ck_assert_int_eq(speaker_originate(sim.node[node].s, families[0], &n, &a, sim.now), 0);
	free(o.p);
}

static inline void originate_rt(int node, uint32_t number, uint32_t rt)
{
	char text[17];

	snprintf(text, sizeof(text), "0002fde8%08x", rt);
	originate(node, number, text);
}

static inline bool knows(int node, uint32_t number)
{
	return sim_known(&sim, node, number) != NULL;
}

/* All changes of membership but the first have to wait, at each hop. */
static inline void settle(void)
{
	sim_run(&sim, 3 * MEMBERSHIP_HOLD_MS);
}

/* The neighbour says these prefixes by itself, so that any can be said. */
static inline void say_with(int node, const char *prefixes, bool yes, const char *communities)
{
	struct octets o = octets_of(prefixes), c = octets_of(communities);
	struct reader r = reader_of(o.p, o.len);
	struct attrs a = {
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.next_hop = sim.node[node].address,
		.communities = {c.p, (uint16_t)c.len}};
	struct nlri n;
	const char *why;

	if (c.len)
		a.present |= ATTR_BIT(ATTR_COMMUNITIES);
	while (reader_left(&r)) {
		ck_assert_int_eq(rtc_family.decode(&r, false, &n, &why), NLRI_OK);
		if (yes)
			speaker_originate(sim.node[node].s, &rtc_family, &n, &a, sim.now);
		else
			speaker_unoriginate(sim.node[node].s, &rtc_family, &n, sim.now);
	}
	free(o.p);
	free(c.p);
}

static inline void say(int node, const char *prefixes, bool yes)
{
	say_with(node, prefixes, yes, "");
}
