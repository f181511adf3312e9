/* Before and after: which rows there are, what of them was suppressed, and when it passes. */
#include <check.h>

#include "audit/compare.h"
#include "proxyarp/verdict.h"
#include "world.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

static const struct row {
	const char *name;
	struct {
		const char *port;
		enum frame_class cls;
		double before, after; /* frames a second; negative: that side does not have it */
		double suppressed;
		bool pass;
	} rows[4];
	double limit;
	bool pass;
} rows[] = {
	{"quiet", {{"swp1", CLASS_COUNT, 100, 0, 1, true}, {"swp1", CLASS_NS, 100, -1, 1, true}}, 0, true},
	{"half", {{"swp1", CLASS_COUNT, 100, 50, 0.5, false}}, 0, false},
	{"half, within the limit", {{"swp1", CLASS_COUNT, 100, 50, 0.5, true}}, 50, true},
	{"more", {{"swp1", CLASS_COUNT, 100, 150, -0.5, false}}, 0, false},
	{"from nothing", {{"swp1", CLASS_COUNT, 0, 1, -1, false}}, 0, false},
	{"nothing at all", {{"swp1", CLASS_COUNT, 0, 0, 1, true}}, 0, true},
	{"one port of two", {{"swp2", CLASS_COUNT, 9, 0, 1, true}, {"swp10", CLASS_COUNT, 9, 3, 2.0 / 3, false}}, 0, false},
	{"a port of one side alone", {{"swp1", CLASS_COUNT, 9, 0, 1, true}, {"swp2", CLASS_COUNT, -1, 9, -1, false}}, 0, true},
	{"no port of both", {{"swp1", CLASS_COUNT, 9, -1, 1, true}, {"swp2", CLASS_COUNT, -1, 9, -1, false}}, 0, false},
	{"nobody", {{NULL}}, 0, false},
};

START_TEST(sides)
{
	const struct row *t = &rows[_i];
	struct compare_side *before = compare_side_new(), *after = compare_side_new();
	size_t count = 0;

	for (; count < 4 && t->rows[count].port; count++)
		;
	for (size_t i = count; i-- > 0;) {
		if (t->rows[i].before >= 0)
			compare_side_add(before, t->rows[i].port, t->rows[i].cls, (struct compare_cell){.fps = t->rows[i].before});
		if (t->rows[i].after >= 0)
			compare_side_add(after, t->rows[i].port, t->rows[i].cls, (struct compare_cell){.fps = t->rows[i].after});
	}
	struct compare *c = compare_sides(before, after, t->limit);
	ck_assert_uint_eq(c->row_count, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_str_eq(c->rows[i].port, t->rows[i].port);
		ck_assert_int_eq(c->rows[i].cls, t->rows[i].cls);
		ck_assert_double_eq_tol(c->rows[i].suppressed, t->rows[i].suppressed, 1e-9);
		ck_assert_msg(c->rows[i].pass == t->rows[i].pass, "%s: row %zu", t->name, i);
	}
	ck_assert_msg(c->pass == t->pass, "%s", t->name);
	compare_free(c);
	compare_side_free(before);
	compare_side_free(after);
}
END_TEST

START_TEST(of_books)
{
	static const struct frame_spec arp = ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.77");
	static const struct frame_spec stray = IP4(.src = 'B', .dst = 'C', .op = 6), mine = IP4(.src = 'B', .dst = 'A', .op = 6);
	struct world w;
	world_make(&w);
	struct audit *a = audit_new(&w.config), *empty = audit_new(&w.config);

	for (int i = 0; i < 10; i++)
		world_send(a, "swp1", AUDIT_DIRS, &arp, i * SECOND);
	world_send(a, "swp1", AUDIT_DIRS, &stray, 10 * SECOND);
	world_send(a, "swp1", AUDIT_DIRS, &mine, 10 * SECOND);
	audit_port_add(empty, "swp1");
	struct compare_side *before = compare_side_of(a), *after = compare_side_of(empty);
	struct compare *c = compare_sides(before, after, 0);
	ck_assert_uint_eq(c->row_count, 2);
	ck_assert_double_eq_tol(c->rows[0].before.fps, 1.1, 1e-9);
	ck_assert_double_eq_tol(c->rows[0].before.peak_fps, 1, 1e-9);
	ck_assert_int_eq(c->rows[1].cls, CLASS_ARP_REQUEST);
	ck_assert_double_eq_tol(c->rows[1].before.bps, 8 * 42, 1e-9);
	ck_assert(c->pass);
	compare_free(c);
	compare_side_free(before);
	compare_side_free(after);
	audit_free(a);
	audit_free(empty);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("compare");
	TCase *t = tcase_create("compare");

	tcase_add_loop_test(t, sides, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(t, of_books);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
