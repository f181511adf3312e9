/* Control communities: who may have a route, what is left of them on the way, and that nobody is left without a path
 * because the best is not for him (RFC 7947 section 2.3). */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/control.h"
#include "bgp/engine.h"
#include "tests/bgp/sim.h"
#include "tests/bgp/wire.h"

#define RS 65000

/* Of AS 65000 (fde8) for 65001 (fde9), 65002, and 4200000001 (fa56ea01). */
static const struct {
	const char *what, *standard, *large;
	bool for_1, for_2, for_long;
	const char *left, *large_left;
} rows[] = {
	{"none", "", "", true, true, true, "", ""},
	{"not to one", "0000fde9", "", false, true, true, "", ""},
	{"to nobody", "0000fde8", "", false, false, false, "", ""},
	{"to nobody but one", "0000fde8 fde8fde9", "", true, false, false, "", ""},
	{"the other way round", "fde8fde9 0000fde8", "", true, false, false, "", ""},
	{"to all", "fde8fde8", "", true, true, true, "", ""},
	{"to one, and not to it", "fde8fde9 0000fde9", "", false, true, true, "", ""},
	{"large: not to one", "", "0000fde8 00000000 0000fde9", false, true, true, "", ""},
	{"large: not to one of 4 octets", "", "0000fde8 00000000 fa56ea01", true, true, false, "", ""},
	{"large: to nobody", "", "0000fde8 00000000 00000000", false, false, false, "", ""},
	{"large: to nobody but one", "", "0000fde8 00000000 00000000 0000fde8 00000001 fa56ea01", false, false,
		true, "", ""},
	{"large: to all", "", "0000fde8 00000001 00000000", true, true, true, "", ""},
	{"one kind denies, the other allows", "0000fde8", "0000fde8 00000001 0000fdea", false, true, false, "", ""},
	{"what is not for us stays", "fde90001 0000fde9 ffffff01", "0000fde9 00000000 0000fde9", false, true, true,
		"fde90001ffffff01", "0000fde9000000000000fde9"},
	{"nor other large ones of ours", "", "0000fde8 00000002 0000fde9 0000fde8 00000000 0000fde9", false, true, true,
		"", "0000fde8000000020000fde9"},
	{"cut off", "0000fd", "0000fde8 00000000", true, true, true, "", ""},
};

START_TEST(tables)
{
	struct octets standard = octets_of(rows[_i].standard), large = octets_of(rows[_i].large);
	struct attrs a = {.present = ATTR_BIT(ATTR_COMMUNITIES) | ATTR_BIT(ATTR_LARGE_COMMUNITIES),
		.communities = {standard.p, (uint16_t)standard.len},
		.large_communities = {large.p, (uint16_t)large.len}};
	static uint8_t room[CONTROL_ROOM];

	ck_assert_int_eq(control_allows(&a, RS, 65001), rows[_i].for_1);
	ck_assert_int_eq(control_allows(&a, RS, 65002), rows[_i].for_2);
	ck_assert_int_eq(control_allows(&a, RS, 4200000001), rows[_i].for_long);
	control_strip(&a, RS, room);
	char *left = hex_of(a.communities.p, a.communities.len),
	     *large_left = hex_of(a.large_communities.p, a.large_communities.len);
	ck_assert_str_eq(left, rows[_i].left);
	ck_assert_str_eq(large_left, rows[_i].large_left);
	ck_assert_int_eq(attrs_has(&a, ATTR_COMMUNITIES), rows[_i].left[0] != '\0');
	ck_assert_int_eq(attrs_has(&a, ATTR_LARGE_COMMUNITIES), rows[_i].large_left[0] != '\0');
	free(left);
	free(large_left);
	free(standard.p);
	free(large.p);
}
END_TEST

/* --- a route server of AS 65000 and its clients 1, 2, 3, the lower of which it prefers --- */

static struct sim sim;
static bool obeys;

static void client(struct neighbor_config *c)
{
	c->client = c->passive = true;
	c->control_communities = obeys;
}

static void begin_as(bool control, const uint32_t as[4])
{
	obeys = control;
	sim_init(&sim);
	for (int i = 0; i < 4; i++) {
		struct speaker_config c = sim_config(as[i], i);
		sim_start(&sim, i, &c);
	}
	for (int i = 1; i < 4; i++) {
		sim_neighbor(&sim, 0, i, as[i], client);
		sim_neighbor(&sim, i, 0, RS, NULL);
	}
	sim_settle(&sim);
}

static void begin(bool control)
{
	begin_as(control, (const uint32_t[]){RS, RS + 1, RS + 2, RS + 3});
}

static void put(int node, const char *communities)
{
	struct octets o = octets_of(communities);

	sim_originate_with(&sim, node, 7, (uint8_t)node, (struct span){o.p, (uint16_t)o.len});
	sim_settle(&sim);
	free(o.p);
}

static void put_med(int node, uint32_t med)
{
	struct nlri n = {.key_len = 5,
		.payload_len = 1,
		.key = {TEST_PAYLOAD_TYPE, 0, 0, 0, 7},
		.payload = {(uint8_t)node}};
	struct attrs a = {.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) |
				     ATTR_BIT(ATTR_NEXT_HOP) | ATTR_BIT(ATTR_MED),
		.med = med,
		.next_hop = sim.node[node].address};

	struct speaker *s = sim.node[node].s;

	ck_assert_int_eq(speaker_originate(s, s->table[0].family, &n, &a, sim.now), 0);
	sim_settle(&sim);
}

static void take(int node)
{
	sim_withdraw(&sim, node, 7);
	sim_settle(&sim);
}

static bool add_told(void *arg, const struct route_view *r)
{
	int *told = arg;

	if (r->from)
		*told = r->payload[0];
	return true;
}

/* Whose path the route server has told 1, 2 and 3: "203", 0 for nobody's. */
static const char *told(void)
{
	static char text[4];

	for (int i = 1; i < 4; i++) {
		int whose = 0;
		speaker_each_route(sim.node[i].s, add_told, &whose);
		text[i - 1] = (char)('0' + whose);
	}
	return text;
}

START_TEST(path_hiding)
{
	begin(true);
	put(1, "");
	ck_assert_str_eq(told(), "011");
	/* The owner of the best gets the next. */
	put(2, "");
	ck_assert_str_eq(told(), "211");
	put(1, "0000fdeb"); /* not to 3 */
	ck_assert_str_eq(told(), "212");
	put(2, "0000fde8 fde8fde9"); /* only to 1 */
	ck_assert_str_eq(told(), "210");
	put(3, "");
	ck_assert_str_eq(told(), "210");
	take(1);
	ck_assert_str_eq(told(), "230");
	put(2, "");
	ck_assert_str_eq(told(), "232");
	put(1, "0000fde8"); /* to nobody */
	ck_assert_str_eq(told(), "232");
	take(2);
	ck_assert_str_eq(told(), "330");
	take(3);
	ck_assert_str_eq(told(), "000");
	take(1);
	ck_assert_uint_eq(sim.node[0].s->table[0].rib.map.count, 0);
}
END_TEST

/* 1 and 3 are of one AS, and by MED the path of 3 beats that of 1, which else would beat that of 2. So it is that of 2 for
 * all but himself, for 3 as well; whether they are told with the others or, after a refresh, each by himself. The route
 * server's own is before all, and for nobody. */
START_TEST(own_path_decides_by_med)
{
	begin_as(true, (const uint32_t[]){RS, RS + 1, RS + 2, RS + 1});
	put(0, "0000fde8");
	ck_assert_str_eq(told(), "000");
	put_med(1, 2);
	put_med(2, 0);
	ck_assert_str_eq(told(), "210");
	put_med(3, 0);
	ck_assert_str_eq(told(), "232");
	for (int i = 1; i < 4; i++)
		ck_assert_int_eq(
			speaker_refresh(sim.node[i].s, sim.node[i].s->neighbor[1], sim.now), 0);
	sim_settle(&sim);
	ck_assert_str_eq(told(), "232");
}
END_TEST

/* Who keeps up and knows nothing is not told that there is nothing. */
START_TEST(quiet)
{
	begin(true);
	put(1, "");
	unsigned before = (unsigned)sim_view(&sim, 1, 0).updates_in;
	put(1, "fde90001");
	put(1, "");
	take(1);
	ck_assert_uint_eq(sim_view(&sim, 1, 0).updates_in, before);
	/* Nor those who know already what has not changed for them. */
	put(1, "");
	before = (unsigned)sim_view(&sim, 3, 0).updates_in;
	put(2, "");
	put(2, "fde90001");
	ck_assert_uint_eq(sim_view(&sim, 3, 0).updates_in, before);
}
END_TEST

/* What is meant for the route server does not leave it; the rest does, in its order. */
START_TEST(taken_out)
{
	begin(true);
	put(1, "fde90001 fde8fdeb 0000fdea fffe0002");
	ck_assert_str_eq(told(), "001");
	const struct span *c = &sim_known(&sim, 3, 7)->attrs.communities;
	static const uint8_t left[] = {0xfd, 0xe9, 0, 1, 0xff, 0xfe, 0, 2};
	ck_assert_uint_eq(c->len, sizeof(left));
	ck_assert_mem_eq(c->p, left, sizeof(left));
}
END_TEST

/* Without the knob they are for the clients (RFC 7947 section 2.2.4), and the best is the best. */
START_TEST(off)
{
	begin(false);
	put(1, "0000fdeb");
	put(2, "");
	ck_assert_str_eq(told(), "011");
	ck_assert_uint_eq(sim_known(&sim, 3, 7)->attrs.communities.len, 4);
}
END_TEST

CHECK_MAIN("control", {
	tcase_add_loop_test(t, tables, 0, ROWS_OF(rows));
	tcase_add_test(t, path_hiding);
	tcase_add_test(t, own_path_decides_by_med);
	tcase_add_test(t, quiet);
	tcase_add_test(t, taken_out);
	tcase_add_test(t, off);
})
