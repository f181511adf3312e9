/* Roles (RFC 9234): who may be whose neighbour, and where a route with OTC may go. */
#include <check.h>
#include <stdlib.h>

#include "bgp/roles.h"
#include "tests/bgp/raw.h"
#include "tests/bgp/sim.h"

/* --- OPEN --- */

static struct raw raw;

static void raw_teardown(void)
{
	raw_stop(&raw);
}

static const struct pair_row {
	const char *name;
	uint32_t as; /* the peer's */
	enum bgp_role ours;
	bool strict;
	int8_t theirs, sent; /* in OPEN; -1: no capability */
	const char *answer;
} pairs[] = {
	{"provider, customer", 65001, ROLE_PROVIDER, false, 3, 0, "KEEPALIVE"},
	{"provider, provider", 65001, ROLE_PROVIDER, false, 0, 0, "2/11"},
	{"provider, RS", 65001, ROLE_PROVIDER, false, 1, 0, "2/11"},
	{"provider, RS-client", 65001, ROLE_PROVIDER, false, 2, 0, "2/11"},
	{"provider, peer", 65001, ROLE_PROVIDER, false, 4, 0, "2/11"},
	{"RS, RS-client", 65001, ROLE_RS, false, 2, 1, "KEEPALIVE"},
	{"RS, RS", 65001, ROLE_RS, false, 1, 1, "2/11"},
	{"RS, customer", 65001, ROLE_RS, false, 3, 1, "2/11"},
	{"RS-client, RS", 65001, ROLE_RS_CLIENT, false, 1, 2, "KEEPALIVE"},
	{"RS-client, RS-client", 65001, ROLE_RS_CLIENT, false, 2, 2, "2/11"},
	{"customer, provider", 65001, ROLE_CUSTOMER, false, 0, 3, "KEEPALIVE"},
	{"customer, customer", 65001, ROLE_CUSTOMER, false, 3, 3, "2/11"},
	{"peer, peer", 65001, ROLE_PEER, false, 4, 4, "KEEPALIVE"},
	{"peer, provider", 65001, ROLE_PEER, false, 0, 4, "2/11"},
	{"an unassigned one", 65001, ROLE_RS, false, 5, 1, "2/11"},
	{"none from the peer", 65001, ROLE_RS, false, -1, 1, "KEEPALIVE"},
	{"none from the peer, strict", 65001, ROLE_RS, true, -1, 1, "2/11"},
	{"strict", 65001, ROLE_RS, true, 2, 1, "KEEPALIVE"},
	{"none from us", 65001, ROLE_NONE, false, 4, -1, "KEEPALIVE"},
	{"within the AS", 65000, ROLE_RS, true, 1, -1, "KEEPALIVE"},
};

static int8_t role_sent(void)
{
	struct bgp_open o;
	struct bgp_error err;
	struct raw_msg m;
	size_t at = 0;

	ck_assert(raw_next(&raw, &at, &m));
	ck_assert_int_eq(m.type, BGP_OPEN);
	ck_assert_int_eq(open_decode(m.body, m.len, &o, &err), 0);
	return o.role;
}

START_TEST(who_may_be_whose)
{
	const struct pair_row *row = &pairs[_i];
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();
	struct bgp_open o = raw_open();
	char text[200];

	n.remote_as = o.as = row->as;
	n.role = row->ours;
	n.role_strict = row->strict;
	o.role = row->theirs;
	raw_start_with(&raw, &c, &n);
	ck_assert_int_eq(role_sent(), row->sent);
	raw_forget(&raw);
	raw_rx_open(&raw, &o);
	ck_assert_str_eq(raw_text(&raw, text, sizeof(text)), row->answer);
}
END_TEST

/* Section 4.2: the same twice is one; two different ones are a mismatch. By hand: nobody sends that. */
static const struct several_row {
	const char *name, *capabilities, *answer;
} several[] = {
	{"the same twice", "090102 090102", "KEEPALIVE"},
	{"two different ones", "090102 090103", "2/11"},
	{"the second one fits", "090103 090102", "2/11"},
};

START_TEST(several_roles)
{
	struct speaker_config c = raw_speaker();
	struct neighbor_config n = raw_neighbor();
	char hex[400], text[200];

	n.remote_as = 65001;
	n.role = ROLE_RS;
	raw_start_with(&raw, &c, &n);
	raw_forget(&raw);
	/* OPEN of AS 65001, hold time 90, 192.0.2.2, families and 4-octet AS. */
	snprintf(hex, sizeof(hex),
		"ffffffffffffffffffffffffffffffff 0031 01 04 fde9 005a c0000202 14 02 12"
		"010400190046 41040000fde9 %s",
		several[_i].capabilities);
	raw_rx_hex(&raw, hex);
	ck_assert_str_eq(raw_text(&raw, text, sizeof(text)), several[_i].answer);
}
END_TEST

/* --- OTC --- */

static struct sim sim;
static enum bgp_role to_1, to_2;
static bool otc;

static void sim_setup(void)
{
	sim_init(&sim);
}

static void sim_teardown(void)
{
	sim_free(&sim);
}

static void towards_1(struct neighbor_config *c)
{
	c->role = to_1;
	c->otc = otc;
}

static void towards_2(struct neighbor_config *c)
{
	c->role = to_2;
	c->otc = otc;
}

/* AS 65001 tells AS 65000, with a role towards it, a route; does that tell AS 65002, towards which it has another? */
static const struct leak_row {
	const char *name;
	enum bgp_role to_1, to_2;
	uint32_t sent;   /* OTC; 0: none */
	bool comes;      /* it is taken */
	uint32_t has;    /* OTC, then */
	bool goes;       /* to the other one */
	uint32_t leaves; /* OTC, then */
} leaks[] = {
	{"RS: between clients", ROLE_RS, ROLE_RS, 0, true, 0, true, 65000},
	{"RS: a client leaks", ROLE_RS, ROLE_RS, 65009, false, 0, false, 0},
	{"from a customer to a customer", ROLE_PROVIDER, ROLE_PROVIDER, 0, true, 0, true, 65000},
	{"from a customer to a provider", ROLE_PROVIDER, ROLE_CUSTOMER, 0, true, 0, true, 0},
	{"a customer leaks", ROLE_PROVIDER, ROLE_NONE, 65009, false, 0, false, 0},
	{"from a provider", ROLE_CUSTOMER, ROLE_NONE, 0, true, 65001, true, 65001},
	{"from a provider, marked", ROLE_CUSTOMER, ROLE_PROVIDER, 65009, true, 65009, true, 65009},
	{"from a provider to a provider", ROLE_CUSTOMER, ROLE_CUSTOMER, 0, true, 65001, false, 0},
	{"from a provider to a peer", ROLE_CUSTOMER, ROLE_PEER, 0, true, 65001, false, 0},
	{"from a provider to an RS", ROLE_CUSTOMER, ROLE_RS_CLIENT, 0, true, 65001, false, 0},
	{"from an RS", ROLE_RS_CLIENT, ROLE_PROVIDER, 0, true, 65001, true, 65001},
	{"from a peer", ROLE_PEER, ROLE_PROVIDER, 0, true, 65001, true, 65001},
	{"from a peer, its own", ROLE_PEER, ROLE_PROVIDER, 65001, true, 65001, true, 65001},
	{"a peer leaks", ROLE_PEER, ROLE_PROVIDER, 65009, false, 0, false, 0},
	{"from a customer to a peer", ROLE_PROVIDER, ROLE_PEER, 0, true, 0, true, 65000},
	{"without a role", ROLE_NONE, ROLE_NONE, 65009, true, 65009, true, 65009},
};

static void line(void)
{
	for (int i = 0; i <= 2; i++) {
		struct speaker_config c = sim_config(65000 + (uint32_t)i, i);
		sim_start(&sim, i, &c);
	}
	sim_neighbor(&sim, 0, 1, 65001, towards_1);
	sim_neighbor(&sim, 0, 2, 65002, towards_2);
	sim_neighbor(&sim, 1, 0, 65000, NULL);
	sim_neighbor(&sim, 2, 0, 65000, NULL);
}

static void originate(uint32_t with)
{
	struct speaker_config c = sim_config(65001, 1);
	struct nlri n = {.key_len = 5, .payload_len = 1, .key = {TEST_PAYLOAD_TYPE, 0, 0, 0, 1}};
	struct attrs a = {
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.next_hop = sim.node[1].address,
		.otc = with};

	if (with)
		a.present |= ATTR_BIT(ATTR_OTC);
	ck_assert_int_eq(speaker_originate(sim.node[1].s, c.families[0], &n, &a, sim.now), 0);
	sim_settle(&sim);
}

static void expect(int node, bool there, uint32_t with)
{
	const struct sim_known *k = sim_known(&sim, node, 1);

	ck_assert_int_eq(k != NULL, there);
	if (!k)
		return;
	ck_assert_int_eq(attrs_has(&k->attrs, ATTR_OTC), with != 0);
	ck_assert_uint_eq(k->attrs.otc, with);
}

START_TEST(where_a_route_may_go)
{
	const struct leak_row *row = &leaks[_i];

	to_1 = row->to_1;
	to_2 = row->to_2;
	otc = true;
	line();
	originate(row->sent);
	ck_assert(sim_up(&sim, 0, 1) && sim_up(&sim, 0, 2));
	expect(0, row->comes, row->has);
	expect(2, row->goes, row->leaves);
	ck_assert_uint_eq(sim_view(&sim, 0, 1).refused[REFUSED_LEAK], !row->comes);
	/* A good one takes its place and the other way round. */
	originate(0);
	ck_assert_ptr_nonnull(sim_known(&sim, 0, 1));
	originate(row->sent);
	expect(0, row->comes, row->has);
	expect(2, row->goes, row->leaves);
}
END_TEST

/* Section 5: not for other families than unicast, unless it is asked for. */
START_TEST(carried_untouched_without_being_asked_for)
{
	const struct leak_row *row = &leaks[_i];

	to_1 = row->to_1;
	to_2 = row->to_2;
	otc = false;
	line();
	originate(row->sent);
	expect(0, true, row->sent);
	expect(2, true, row->sent);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("roles");
	TCase *open = tcase_create("OPEN"), *update = tcase_create("OTC");

	tcase_add_checked_fixture(open, NULL, raw_teardown);
	tcase_add_loop_test(open, who_may_be_whose, 0, ROWS_OF(pairs));
	tcase_add_loop_test(open, several_roles, 0, ROWS_OF(several));
	tcase_add_checked_fixture(update, sim_setup, sim_teardown);
	tcase_add_loop_test(update, where_a_route_may_go, 0, ROWS_OF(leaks));
	tcase_add_loop_test(update, carried_untouched_without_being_asked_for, 0, ROWS_OF(leaks));
	suite_add_tcase(s, open);
	suite_add_tcase(s, update);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
