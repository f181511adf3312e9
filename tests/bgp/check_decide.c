/* The order of the steps: each row differs in one thing, and in all later things to its
 * disadvantage. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/decide.h"
#include "bgp/family.h"

/* The family's own step: the lower first octet of the payload. */
static int compare(const struct bgp_path_view *a, const struct bgp_path_view *b)
{
	return (int)a->payload[0] - (int)b->payload[0];
}

static const struct bgp_family family = {.name = "test", .compare = compare};

static const uint8_t path_0[] = {2, 0}, path_1[] = {2, 1, 0, 0, 0, 1},
		     path_1b[] = {2, 1, 0, 0, 0, 2}, path_2[] = {2, 2, 0, 0, 0, 1, 0, 0, 0, 2};
static const uint8_t clusters[16];
static const uint8_t low[] = {1}, high[] = {2};

struct row {
	const char *name;
	/* NULL: the same for both. A path here is described by what differs from the plain one. */
	void (*better)(struct bgp_path_view *v, struct attrs *a);
	void (*worse)(struct bgp_path_view *v, struct attrs *a);
};

static void stale(struct bgp_path_view *v, struct attrs *a)
{
	(void)a;
	v->stale = true;
}
static void family_low(struct bgp_path_view *v, struct attrs *a)
{
	(void)a;
	v->payload = low;
}
static void pref(struct attrs *a, uint32_t p)
{
	a->local_pref = p;
	a->present |= ATTR_BIT(ATTR_LOCAL_PREF);
}
static void pref_101(struct bgp_path_view *v, struct attrs *a)
{
	(void)v;
	pref(a, 101);
}
static void pref_99(struct bgp_path_view *v, struct attrs *a)
{
	(void)v;
	pref(a, 99);
}
static void local(struct bgp_path_view *v, struct attrs *a)
{
	(void)a;
	v->local = true;
}
static void path(struct attrs *a, const uint8_t *p, uint16_t len)
{
	a->as_path = (struct span){p, len};
}
static void path_short(struct bgp_path_view *v, struct attrs *a)
{
	(void)v;
	path(a, path_1, sizeof(path_1));
}
static void path_long(struct bgp_path_view *v, struct attrs *a)
{
	(void)v;
	path(a, path_2, sizeof(path_2));
}
static void origin_egp(struct bgp_path_view *v, struct attrs *a)
{
	(void)v;
	a->origin = 1;
}
static void med_5(struct bgp_path_view *v, struct attrs *a)
{
	(void)v;
	a->med = 5;
	a->present |= ATTR_BIT(ATTR_MED);
}
static void ibgp(struct bgp_path_view *v, struct attrs *a)
{
	(void)a;
	v->ibgp = true;
}
static void id_1(struct bgp_path_view *v, struct attrs *a)
{
	(void)a;
	v->peer_id = 1;
}
/* The originator counts, not the reflector. */
static void originator_1(struct bgp_path_view *v, struct attrs *a)
{
	v->peer_id = 900;
	a->originator_id = 1;
	a->present |= ATTR_BIT(ATTR_ORIGINATOR_ID);
}
static void cluster_2(struct bgp_path_view *v, struct attrs *a)
{
	(void)v;
	a->cluster_list = (struct span){clusters, 8};
}
static void least(struct bgp_path_view *v, struct attrs *a)
{
	(void)a;
	v->least = true;
}
static void peer_low(struct bgp_path_view *v, struct attrs *a)
{
	(void)a;
	v->peer = ip_v4_u32(1);
}

static const struct row rows[] = {
	{"long-lived stale is the last resort", NULL, least},
	{"the family's own", family_low, NULL},
	{"higher local preference", pref_101, NULL},
	{"local preference is 100 if absent", NULL, pref_99},
	{"originated here", local, NULL},
	{"shorter AS path", path_short, path_long},
	{"lower origin", NULL, origin_egp},
	{"lower MED", NULL, med_5},
	{"eBGP before iBGP", NULL, ibgp},
	{"lower identifier", id_1, NULL},
	{"lower identifier, of the originator", originator_1, NULL},
	{"shorter cluster list", NULL, cluster_2},
	{"fresh before stale", NULL, stale},
	{"lower peer address", peer_low, NULL},
};

#define ROWS (int)(sizeof(rows) / sizeof(*rows))

static void plain(struct bgp_path_view *v, struct attrs *a)
{
	*a = (struct attrs){.as_path = {path_1, sizeof(path_1)}};
	*v = (struct bgp_path_view){.attrs = a,
		.payload = high,
		.payload_len = 1,
		.peer_id = 500,
		.peer = ip_v4_u32(500)};
}

static void check_pair(
	const struct bgp_path_view *better, const struct bgp_path_view *worse, const char *name)
{
	struct bgp_path_view v[2] = {*better, *worse};
	uint32_t left[2 * DECIDE_ROOM];

	ck_assert_msg(decide_best(&family, v, 2, left) == 0, "%s", name);
	v[0] = *worse;
	v[1] = *better;
	ck_assert_msg(decide_best(&family, v, 2, left) == 1, "%s, the other way round", name);
}

START_TEST(steps)
{
	const struct row *r = &rows[_i];
	struct bgp_path_view b, w;
	struct attrs ba, wa;

	plain(&b, &ba);
	plain(&w, &wa);
	if (r->better)
		r->better(&b, &ba);
	if (r->worse)
		r->worse(&w, &wa);
	check_pair(&b, &w, r->name);

	/* Whatever the later steps say. (The two that set peer_id would undo each other.) */
	for (int later = _i + 1; later < ROWS; later++) {
		struct bgp_path_view b2 = b, w2 = w;
		struct attrs ba2 = ba, wa2 = wa;
		b2.attrs = &ba2;
		w2.attrs = &wa2;
		if (strstr(r->name, "identifier") && strstr(rows[later].name, "identifier"))
			continue;
		if (strstr(r->name, "preference") && strstr(rows[later].name, "preference"))
			continue;
		if (rows[later].better)
			rows[later].better(&w2, &wa2);
		if (rows[later].worse)
			rows[later].worse(&b2, &ba2);
		check_pair(&b2, &w2, rows[later].name);
	}
}
END_TEST

/* RFC 4271 section 9.1.2.2 c: MED counts within one neighbouring AS only, and the outcome must not
 * depend on the order. A: AS 1 MED 10 id 3; B: AS 1 MED 0 id 9; C: AS 2 MED 5 id 5. B drops A, then
 * C wins by its identifier. */
START_TEST(med_is_no_order)
{
	static const int orders[6][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct bgp_path_view v[3], o[3];
	struct attrs a[3];
	uint32_t left[3 * DECIDE_ROOM];

	for (int i = 0; i < 3; i++)
		plain(&v[i], &a[i]);
	a[0].med = 10;
	a[1].med = 0;
	a[2].med = 5;
	for (int i = 0; i < 3; i++)
		a[i].present |= ATTR_BIT(ATTR_MED);
	a[2].as_path.p = path_1b;
	v[0].peer_id = 3;
	v[1].peer_id = 9;
	v[2].peer_id = 5;
	for (int k = 0; k < 6; k++) {
		for (int i = 0; i < 3; i++)
			o[i] = v[orders[k][i]];
		ck_assert_uint_eq(o[decide_best(&family, o, 3, left)].peer_id, 5);
	}
}
END_TEST

/* As EVPN's: of one segment (the payload's first octet) equal, else the lower peer. */
static int by_segment(const struct bgp_path_view *a, const struct bgp_path_view *b)
{
	return a->payload[0] == b->payload[0] ? 0 : ip_cmp(a->peer, b->peer);
}

/* A: segment 1, first by address; B: segment 1, last; C: segment 2, between them. A beats C, C
 * beats B, A and B are equal, so it is between A and B, and B's identifier is lower. */
START_TEST(segments_are_no_order)
{
	static const int orders[6][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const uint8_t segments[] = {1, 1, 2};
	static const uint32_t addresses[] = {1, 9, 5}, ids[] = {7, 3, 1};
	struct bgp_family f = {.compare = by_segment};
	struct bgp_path_view v[3], o[3];
	struct attrs a[3];
	uint32_t left[3 * DECIDE_ROOM];

	for (int i = 0; i < 3; i++) {
		plain(&v[i], &a[i]);
		v[i].payload = &segments[i];
		v[i].payload_len = 1;
		v[i].peer = ip_v4_u32(addresses[i]);
		v[i].peer_id = ids[i];
	}
	for (int k = 0; k < 6; k++) {
		for (int i = 0; i < 3; i++)
			o[i] = v[orders[k][i]];
		ck_assert_uint_eq(o[decide_best(&f, o, 3, left)].peer_id, 3);
	}
}
END_TEST

START_TEST(alone)
{
	struct bgp_path_view v;
	struct attrs a;
	uint32_t left[DECIDE_ROOM];

	plain(&v, &a);
	a.as_path = (struct span){path_0, 0};
	ck_assert_uint_eq(decide_best(&family, &v, 1, left), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("decide");
	TCase *t = tcase_create("decide");

	tcase_add_loop_test(t, steps, 0, ROWS);
	tcase_add_test(t, med_is_no_order);
	tcase_add_test(t, segments_are_no_order);
	tcase_add_test(t, alone);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
