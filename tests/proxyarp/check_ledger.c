/* The ledger: sums, differences, and books that balance or do not. */
#include <check.h>
#include <stdlib.h>

#include "proxyarp/ledger.h"
#include "proxyarp/verdict.h"

struct cell {
	int port; /* index */
	enum frame_dir dir;
	enum frame_class cls;
	enum frame_outcome outcome;
	uint64_t frames;
};

struct row {
	const char *text;
	struct cell cells[8];
	int faults;
	enum ledger_fault_what what;
	uint64_t left, right;
};

#define IN(p, c, o, n) {p, DIR_IN, CLASS_##c, OUTCOME_##o, n}
#define OUT(p, c, o, n) {p, DIR_OUT, CLASS_##c, OUTCOME_##o, n}

static const struct row rows[] = {
	{"nothing", {{0}}, 0, 0, 0, 0},
	{"answers", {IN(0, ARP_REQUEST, ANSWERED, 5), IN(0, NS, ANSWERED, 2), OUT(0, ARP_REPLY, ANSWER, 5), OUT(0, NA, ANSWER, 2)}, 0, 0, 0, 0},
	{"an answer that never left", {IN(0, ARP_REQUEST, ANSWERED, 5), OUT(0, ARP_REPLY, ANSWER, 4)}, 1, LEDGER_ANSWERS, 5, 4},
	{"an answer that left another port", {IN(0, ARP_REQUEST, ANSWERED, 5), OUT(1, ARP_REPLY, ANSWER, 5)}, 2, LEDGER_ANSWERS, 5, 0},
	{"sponged counts as answered", {IN(0, ARP_REQUEST, SPONGED, 1), OUT(0, ARP_REPLY, ANSWER, 1)}, 0, 0, 0, 0},
	{"drops", {IN(0, ARP_REQUEST, UNKNOWN_TARGET, 9), IN(1, RA, HYGIENE, 3), OUT(1, STP, UNAUTHORISED, 2)}, 0, 0, 0, 0},
	{"forwarded and delivered", {IN(0, IP4_UNICAST, FORWARDED, 9), OUT(1, IP4_UNICAST, DELIVERED, 6), OUT(2, IP4_UNICAST, DELIVERED, 3)}, 0, 0, 0, 0},
	{"lost in the bridge", {IN(0, IP4_UNICAST, FORWARDED, 9), OUT(1, IP4_UNICAST, DELIVERED, 8)}, 1, LEDGER_LOST, 9, 8},
	{"out of nowhere", {IN(0, IP6_UNICAST, FORWARDED, 9), OUT(1, IP6_UNICAST, DELIVERED, 11)}, 1, LEDGER_SURPLUS, 9, 11},
	{"refused at the door", {IN(0, IP4_UNICAST, FORWARDED, 9), OUT(1, IP4_UNICAST, UNKNOWN_UNICAST, 9)}, 0, 0, 0, 0},
	{"local is nobody's loss", {IN(0, IP4_UNICAST, LOCAL, 9)}, 0, 0, 0, 0},
	{"one class does not pay for another", {IN(0, IP4_UNICAST, FORWARDED, 1), OUT(1, IP6_UNICAST, DELIVERED, 1)}, 2, LEDGER_LOST, 1, 0},
	{"flooded to both others", {IN(0, LLDP, FLOODED, 2), OUT(1, LLDP, DELIVERED, 2), OUT(2, LLDP, DELIVERED, 2)}, 0, 0, 0, 0},
	{"flooded to none", {IN(0, LLDP, FLOODED, 2)}, 0, 0, 0, 0},
	{"flooded too often", {IN(0, LLDP, FLOODED, 2), OUT(1, LLDP, DELIVERED, 5)}, 1, LEDGER_SURPLUS, 4, 5},
	{"unknown unicast that floods", {IN(0, IP4_UNICAST, FLOODED, 1), IN(0, IP4_UNICAST, FORWARDED, 1), OUT(1, IP4_UNICAST, DELIVERED, 2), OUT(2, IP4_UNICAST, DELIVERED, 1)}, 0, 0, 0, 0},
	{"policed out", {IN(0, LLDP, FLOODED, 1), OUT(1, LLDP, POLICED_OUT, 1), OUT(2, LLDP, DELIVERED, 1)}, 0, 0, 0, 0},
	{"sent on to the owner alone", {IN(0, ARP_REQUEST, UNICAST_FORWARDED, 3), IN(1, NS_DAD, UNICAST_FORWARDED, 1), OUT(1, ARP_UNICAST, DELIVERED, 3), OUT(0, NS_DAD, DELIVERED, 1)}, 0, 0, 0, 0},
	{"sent on, and lost", {IN(0, NS, UNICAST_FORWARDED, 3), OUT(1, NS_UNICAST, DELIVERED, 2)}, 1, LEDGER_LOST, 3, 2},
	{"dry run floods", {IN(0, ARP_REQUEST, WOULD, 2), OUT(1, ARP_REQUEST, DELIVERED, 2), OUT(2, ARP_REQUEST, WOULD, 2)}, 0, 0, 0, 0},
	{"dry run does not multiply", {IN(0, ARP_REQUEST, WOULD, 2), OUT(1, ARP_REQUEST, DELIVERED, 5)}, 1, LEDGER_SURPLUS, 4, 5},
	{"delivered on the way in", {IN(0, LLDP, DELIVERED, 3)}, 1, LEDGER_MISPLACED, 3, 0},
	{"answered on the way out", {OUT(0, ARP_REQUEST, ANSWERED, 3)}, 1, LEDGER_MISPLACED, 3, 0},
	{"an error", {IN(0, ARP_REQUEST, ERROR, 1)}, 1, LEDGER_ERROR, 1, 0},
};

static void fill(const struct row *r, struct ledger_port *ports)
{
	for (int i = 0; i < 3; i++) {
		ports[i] = (struct ledger_port){.ifindex = (uint32_t)(10 + i)};
		ports[i].kind = i == 2 ? PORT_FABRIC : PORT_MEMBER;
	}
	for (int i = 0; i < 8; i++) {
		const struct cell *c = &r->cells[i];
		ports[c->port].l.at[c->dir][c->cls][c->outcome].frames += c->frames;
		ports[c->port].l.at[c->dir][c->cls][c->outcome].octets += c->frames * 60;
	}
}

START_TEST(every_balance)
{
	const struct row *r = &rows[_i];
	struct ledger_port *ports = calloc(3, sizeof(*ports));
	struct ledger_fault f[2] = {{0}};

	fill(r, ports);
	size_t n = ledger_balance(ports, 3, f, 2);
	ck_assert_msg((int)n == r->faults, "%s: %zu faults", r->text, n);
	ck_assert_uint_eq(ledger_balance(ports, 3, NULL, 0), n);
	struct ledger_books *books = calloc(1, sizeof(*books));
	for (int i = 0; i < 3; i++)
		ledger_books_add(books, &ports[i]);
	ck_assert_uint_eq(ledger_books_faults(books), n);
	free(books);
	if (n) {
		ck_assert_msg(f[0].what == r->what, "%s: %s", r->text, ledger_fault_text(f[0].what));
		ck_assert_uint_eq(f[0].left, r->left);
		ck_assert_uint_eq(f[0].right, r->right);
	}
	free(ports);
}
END_TEST

START_TEST(sums)
{
	struct ledger_port *ports = calloc(3, sizeof(*ports));
	struct ledger *d = calloc(1, sizeof(*d));

	fill(&rows[1], ports);
	const struct ledger *l = &ports[0].l;
	ck_assert_uint_eq(ledger_sum(l, DIR_IN, CLASS_COUNT, 0).frames, 7);
	ck_assert_uint_eq(ledger_sum(l, DIR_IN, CLASS_COUNT, 0).octets, 420);
	ck_assert_uint_eq(ledger_sum(l, DIR_IN, CLASS_NS, 0).frames, 2);
	ck_assert_uint_eq(ledger_sum(l, DIR_IN, CLASS_COUNT, 'A').frames, 7);
	ck_assert_uint_eq(ledger_sum(l, DIR_IN, CLASS_COUNT, 'D').frames, 0);
	ck_assert_uint_eq(ledger_outcome(l, DIR_OUT, OUTCOME_ANSWER).frames, 7);

	ck_assert(ledger_since(l, d, d));
	ck_assert_uint_eq(ledger_sum(d, DIR_IN, CLASS_COUNT, 0).frames, 7);
	ck_assert(ledger_since(l, l, d));
	ck_assert_uint_eq(ledger_sum(d, DIR_IN, CLASS_COUNT, 0).frames, 0);
	/* Zeroed in between. */
	ck_assert(!ledger_since(&ports[1].l, l, d));
	ck_assert_uint_eq(ledger_sum(d, DIR_IN, CLASS_COUNT, 0).frames, 0);
	ledger_add(&ports[1].l, l);
	ledger_add(&ports[1].l, l);
	ck_assert_uint_eq(ledger_sum(&ports[1].l, DIR_IN, CLASS_COUNT, 0).frames, 14);
	free(d);
	free(ports);
}
END_TEST

/* Every outcome belongs somewhere; what goes on, and only that, is of kind F. */
START_TEST(directions)
{
	for (int o = 0; o < OUTCOME_COUNT; o++)
		ck_assert(ledger_outcome_of(DIR_IN, (enum frame_outcome)o) ||
			ledger_outcome_of(DIR_OUT, (enum frame_outcome)o));
	ck_assert(!ledger_outcome_of(DIR_OUT, OUTCOME_FORWARDED));
	ck_assert(!ledger_outcome_of(DIR_IN, OUTCOME_UNAUTHORISED));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ledger");
	TCase *c = tcase_create("books");

	tcase_add_loop_test(c, every_balance, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(c, sums);
	tcase_add_test(c, directions);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
