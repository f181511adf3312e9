/* The RIB by itself: paths, the order of change, markers, tombstones; against a plain model. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/rib.h"
#include "lib/siphash.h"

static const struct bgp_family family = {.name = "test"};
static struct attrsets *sets;
static struct rib rib;
static const struct attrset *set[4];

static void setup(void)
{
	siphash_process_key_fix(5, 6);
	sets = attrsets_new();
	rib_init(&rib, &family, sets);
	for (uint16_t i = 0; i < 6; i++) {
		ck_assert_int_eq(rib_peer_add(&rib, i), 0);
		rib.peer[i].router_id = i;
		rib.peer[i].ibgp = i > 0;
	}
	for (unsigned i = 0; i < 4; i++) {
		struct attrs a = {.present = ATTR_BIT(ATTR_MED), .med = i};
		set[i] = attrset_intern(sets, &a);
	}
}

static void teardown(void)
{
	for (unsigned i = 0; i < 4; i++)
		attrset_unref(sets, set[i]);
	rib_free(&rib);
	ck_assert_uint_eq(attrsets_count(sets), 0);
	attrsets_free(sets);
}

static struct rib_key key_of(const uint32_t *number)
{
	return rib_key_of((const uint8_t *)number, sizeof(*number));
}

static unsigned put(uint16_t peer, uint32_t number, unsigned attrs, const char *payload)
{
	struct rib_route in = {.key = key_of(&number),
		.peer = peer,
		.payload = (const uint8_t *)payload,
		.payload_len = (uint8_t)strlen(payload),
		.attrs = set[attrs]};
	struct dest *d = NULL;

	return rib_set(&rib, &in, &d);
}

static unsigned take(uint16_t peer, uint32_t number)
{
	struct dest *d = NULL;

	return rib_unset(&rib, peer, 0, key_of(&number), &d);
}

static int best_of(uint32_t number)
{
	const struct dest *d = rib_find(&rib, key_of(&number));
	const struct path *p = d ? rib_best(&rib, d) : NULL;

	return p ? p->peer : -1;
}

START_TEST(what_changes)
{
	ck_assert_uint_eq(put(3, 1, 0, "a"), RIB_NEW | RIB_BEST);
	ck_assert_uint_eq(put(3, 1, 0, "a"), 0);
	ck_assert_uint_eq(put(3, 1, 0, "b"), RIB_BEST); /* payload */
	ck_assert_uint_eq(put(3, 1, 0, "longer payload"), RIB_BEST);
	ck_assert_uint_eq(put(3, 1, 1, "longer payload"), RIB_BEST); /* attributes */
	ck_assert_uint_eq(put(4, 1, 1, "x"), RIB_NEW);               /* a worse one */
	ck_assert_uint_eq(put(4, 1, 1, "y"), 0);
	ck_assert_uint_eq(put(4, 1, 1, "another length"), 0);
	ck_assert_uint_eq(put(2, 1, 1, "x"), RIB_NEW | RIB_BEST);
	ck_assert_int_eq(best_of(1), 2);
	ck_assert_uint_eq(take(3, 1), RIB_GONE);
	ck_assert_uint_eq(take(3, 1), 0);
	ck_assert_uint_eq(take(2, 1), RIB_GONE | RIB_BEST);
	ck_assert_int_eq(best_of(1), 4);
	ck_assert_uint_eq(take(4, 1), RIB_GONE | RIB_BEST);
	ck_assert_int_eq(best_of(1), -1);
	ck_assert_uint_eq(take(4, 2), 0);
	ck_assert_uint_eq(rib.paths, 0);
}
END_TEST

static unsigned put_path(uint16_t peer, uint32_t id, uint32_t number, uint8_t refused)
{
	struct rib_route in = {.key = key_of(&number),
		.peer = peer,
		.path_id = id,
		.refused = refused,
		.payload = (const uint8_t *)"x",
		.payload_len = 1,
		.attrs = set[0]};
	struct dest *d = NULL;

	return rib_set(&rib, &in, &d);
}

/* A refused path is there and counted, but nothing is chosen. */
START_TEST(refused)
{
	uint32_t one = 1;

	ck_assert_uint_eq(put_path(3, 0, 1, 20), RIB_NEW);
	ck_assert_int_eq(best_of(1), -1);
	ck_assert_ptr_nonnull(rib_path_of(&rib, rib_find(&rib, key_of(&one)), 3));
	ck_assert_uint_eq(rib.peer[3].refused, 1);
	ck_assert_uint_eq(put_path(3, 0, 1, 20), 0);
	ck_assert_uint_eq(put_path(3, 0, 1, 21), 0);
	ck_assert_uint_eq(put_path(5, 0, 1, 0), RIB_NEW | RIB_BEST);
	ck_assert_int_eq(best_of(1), 5);
	ck_assert_uint_eq(put_path(3, 0, 1, 0), RIB_BEST);
	ck_assert_int_eq(best_of(1), 3);
	ck_assert_uint_eq(put_path(3, 0, 1, 22), RIB_BEST);
	ck_assert_int_eq(best_of(1), 5);
	ck_assert_uint_eq(take(5, 1), RIB_GONE | RIB_BEST);
	ck_assert_int_eq(best_of(1), -1);
	ck_assert_uint_eq(rib.tombstones, 0);
	rib_peer_stale(&rib, 3, true);
	ck_assert_uint_eq(rib.peer[3].stale, 1);
	ck_assert_uint_eq(put_path(3, 0, 1, 22), 0);
	ck_assert_uint_eq(rib.peer[3].stale, 0);
	ck_assert_uint_eq(take(3, 1), RIB_GONE);
	ck_assert_uint_eq(rib.refused + rib.peer[3].refused + rib.paths, 0);
	ck_assert_uint_eq(rib.tombstones, 1);
	rib_reap(&rib);
	ck_assert_uint_eq(rib.map.count, 0);
}
END_TEST

/* Many paths of one key from one peer (RFC 7911), each with an identifier, and no more than so many. */
START_TEST(several_paths)
{
	uint32_t one = 1;

	for (uint32_t id = 10; id > 0; id--)
		ck_assert_uint_eq(put_path(3, id, 1, 0), RIB_NEW | RIB_BEST);
	ck_assert_uint_eq(rib.peer[3].paths, 10);
	const struct path *p = rib_best(&rib, rib_find(&rib, key_of(&one)));
	ck_assert_uint_eq(p->path_id, 1);
	ck_assert_uint_eq(put_path(3, 5, 1, 0), 0);
	ck_assert_uint_eq(put_path(3, 1, 1, 20), RIB_BEST);
	struct dest *d = NULL;
	ck_assert_uint_eq(rib_unset(&rib, 3, 2, key_of(&one), &d), RIB_GONE | RIB_BEST);
	ck_assert_uint_eq(rib_unset(&rib, 3, 2, key_of(&one), &d), 0);
	ck_assert_uint_eq(rib_unset(&rib, 3, 7, key_of(&one), &d), RIB_GONE);
	for (uint32_t id = 11; id <= RIB_PATHS_OF_PEER + 2; id++)
		ck_assert_uint_eq(put_path(3, id, 1, 0), RIB_NEW);
	ck_assert_uint_eq(put_path(3, 1000, 1, 0), RIB_CROWDED);
	ck_assert_uint_eq(put_path(3, 11, 1, 20), 0);
	for (uint32_t id = 0; id < RIB_PATHS_OF_KEY - RIB_PATHS_OF_PEER; id++)
		ck_assert(put_path(4, id, 1, 0) & RIB_NEW);
	ck_assert_uint_eq(put_path(4, 1000, 1, 0), RIB_CROWDED);
	ck_assert_uint_eq(put_path(5, 1, 1, 0), RIB_NEW);
	ck_assert_uint_eq(put_path(5, 2, 1, 0), RIB_CROWDED);
	rib_peer_stale(&rib, 3, true);
	ck_assert_uint_eq(put_path(3, 20, 1, 0), RIB_BEST);
	ck_assert_uint_eq(put_path(3, 11, 1, 20), 0);
	ck_assert(rib_unset_dest(&rib, 3, rib_find(&rib, key_of(&one)), true) & RIB_GONE);
	ck_assert_uint_eq(rib.peer[3].paths, 2);
	ck_assert_uint_eq(rib.peer[3].stale, 0);
	ck_assert_uint_eq(rib.refused, 1);
	ck_assert(rib_unset_dest(&rib, 3, rib_find(&rib, key_of(&one)), false) & RIB_GONE);
	ck_assert(rib_unset_dest(&rib, 4, rib_find(&rib, key_of(&one)), false) & RIB_GONE);
	ck_assert_int_eq(best_of(1), 5);
}
END_TEST

START_TEST(staleness)
{
	/* All else is equal. */
	rib.peer[3].router_id = 2;
	rib.peer[2].address = ip_v4_u32(2);
	rib.peer[3].address = ip_v4_u32(3);
	put(2, 1, 1, "x");
	put(3, 1, 1, "x");
	put(2, 2, 1, "x");
	rib_peer_stale(&rib, 2, true);
	ck_assert_uint_eq(rib.peer[2].stale, 2);
	uint32_t one = 1, two = 2;
	ck_assert_uint_eq(rib_redecide(&rib, rib_find(&rib, key_of(&one))), RIB_BEST);
	ck_assert_int_eq(best_of(1), 3);
	ck_assert_uint_eq(rib_redecide(&rib, rib_find(&rib, key_of(&two))), 0);
	ck_assert_uint_eq(put(2, 2, 1, "x"), RIB_FRESH);
	ck_assert_uint_eq(put(2, 1, 1, "x"), RIB_BEST);
	ck_assert_int_eq(best_of(1), 2);
	ck_assert_uint_eq(rib.peer[2].stale, 0);
	rib_peer_stale(&rib, 2, false);
	/* For a refresh it makes no difference in the choice. */
	ck_assert_uint_eq(rib_redecide(&rib, rib_find(&rib, key_of(&one))), 0);
	put(2, 1, 1, "x");
	ck_assert_uint_eq(rib_unset_dest(&rib, 2, rib_find(&rib, key_of(&one)), true), 0);
	ck_assert_uint_eq(
		rib_unset_dest(&rib, 2, rib_find(&rib, key_of(&two)), true), RIB_GONE | RIB_BEST);
}
END_TEST

/* --- markers --- */

static size_t ahead(const struct rib_marker *m, uint32_t *ret, size_t max)
{
	struct dest *d[64];
	size_t n = rib_ahead(&rib, m, d, max);

	for (size_t i = 0; i < n; i++)
		memcpy(&ret[i], d[i]->key, sizeof(ret[i]));
	return n;
}

static void pass(struct rib_marker *m, size_t n)
{
	struct dest *d[64];

	n = rib_ahead(&rib, m, d, n);
	rib_marker_pass(&rib, m, n ? d[n - 1] : NULL);
}

START_TEST(order_of_change)
{
	struct rib_marker a = {0}, b = {0};
	uint32_t got[64];

	ck_assert_int_eq(rib_marker_add(&rib, &a, NULL), 0);
	ck_assert(rib_marker_at_end(&rib, &a));
	for (uint32_t i = 1; i <= 5; i++)
		put(1, i, 0, "x");
	ck_assert(!rib_marker_at_end(&rib, &a));
	put(1, 2, 0, "y");
	ck_assert_uint_eq(ahead(&a, got, 64), 5);
	ck_assert_int_eq(memcmp(got, (uint32_t[]){1, 3, 4, 5, 2}, 20), 0);
	pass(&a, 2);
	ck_assert_int_eq(rib_marker_add(&rib, &b, &a), 0);
	ck_assert_uint_eq(b.version, a.version);
	take(1, 3); /* behind both: comes again, as a tombstone */
	ck_assert_uint_eq(ahead(&b, got, 64), 4);
	ck_assert_int_eq(memcmp(got, (uint32_t[]){4, 5, 2, 3}, 16), 0);
	pass(&a, 64);
	ck_assert(rib_marker_at_end(&rib, &a));
	rib_reap(&rib);
	ck_assert_uint_eq(rib.tombstones, 1);
	ck_assert_uint_eq(rib.map.count, 5);
	pass(&b, 3);
	rib_reap(&rib);
	ck_assert_uint_eq(rib.tombstones, 1);
	pass(&b, 1);
	ck_assert(rib_marker_at_end(&rib, &b));
	rib_reap(&rib);
	ck_assert_uint_eq(rib.tombstones, 0);
	ck_assert_uint_eq(rib.map.count, 4);
	rib_marker_first(&rib, &b);
	ck_assert_uint_eq(ahead(&b, got, 64), 4);
	rib_marker_del(&rib, &a);
	rib_marker_del(&rib, &b);
}
END_TEST

/* A few at a time, none that a marker has still to pass, and the answer says whether it is worth asking again. */
START_TEST(reaped_little_by_little)
{
	enum { KEYS = 300, FEW = 50 };
	struct rib_marker m = {0};

	for (uint32_t i = 0; i < KEYS; i++)
		put(1, i, 0, "x");
	ck_assert_int_eq(rib_marker_add(&rib, &m, NULL), 0);
	for (uint32_t i = 0; i < KEYS; i++)
		take(1, i);
	ck_assert(!rib_reap_some(&rib, FEW));
	ck_assert_uint_eq(rib.tombstones, KEYS);
	for (int i = 0; i < KEYS / 64; i++)
		pass(&m, 64);
	ck_assert(rib_reap_some(&rib, 0));
	ck_assert_uint_eq(rib.tombstones, KEYS);
	ck_assert(rib_reap_some(&rib, FEW));
	ck_assert_uint_le(rib.tombstones, KEYS - FEW);
	ck_assert_uint_ge(rib.tombstones, KEYS - FEW - RIB_PREFETCH_MAX);
	ck_assert(!rib_reap_some(&rib, KEYS));
	ck_assert_uint_eq(rib.tombstones, KEYS % 64);
	rib_marker_del(&rib, &m);
	ck_assert(!rib_reap_some(&rib, KEYS));
	ck_assert_uint_eq(rib.tombstones, 0);
}
END_TEST

START_TEST(dies_and_lives)
{
	struct rib_marker m = {0};
	uint32_t got[64];

	ck_assert_int_eq(rib_marker_add(&rib, &m, NULL), 0);
	for (unsigned i = 0; i < 1000; i++) {
		put(1, i % 3, 0, "x");
		take(1, i % 3);
	}
	/* Graves do not pile up though the marker never moves. */
	ck_assert_uint_le(rib.grave_cap, 64);
	ck_assert_uint_eq(rib.tombstones, 3);
	put(1, 1, 0, "x");
	ck_assert_uint_eq(rib.tombstones, 2);
	ck_assert_uint_eq(ahead(&m, got, 64), 3);
	pass(&m, 64);
	rib_reap(&rib);
	ck_assert_uint_eq(rib.map.count, 1);
	ck_assert_uint_eq(rib.tombstones, 0);
	rib_marker_del(&rib, &m);
	take(1, 1);
	rib_reap(&rib);
	ck_assert_uint_eq(rib.map.count, 0);
}
END_TEST

/* Versions wrap. */
START_TEST(versions_are_serial_numbers)
{
	struct rib_marker m = {0}, late = {0};
	uint32_t got[64];

	put(1, 1, 0, "x");
	put(1, 2, 0, "x");
	/* Key 2 is changed a few billion times. */
	for (unsigned i = 0; i < 40; i++) {
		rib.version = (rib.version | 0x1ffffff0u) + 8;
		for (int k = 0; k < 16; k++)
			put(1, 2, 0, k % 2 ? "x" : "y");
		if (i == 5)
			ck_assert_int_eq(rib_marker_add(&rib, &m, NULL), 0);
		if (i == 5)
			pass(&m, 64);
	}
	ck_assert_int_eq(rib_marker_add(&rib, &late, NULL), 0);
	ck_assert_uint_eq(ahead(&late, got, 64), 2);
	ck_assert_uint_eq(got[0], 1);
	take(1, 1);
	pass(&late, 1);
	rib_reap(&rib);
	ck_assert_uint_eq(rib.tombstones, 1);
	pass(&late, 64);
	pass(&m, 64);
	rib_reap(&rib);
	ck_assert_uint_eq(rib.tombstones, 0);
	rib_marker_del(&rib, &m);
	rib_marker_del(&rib, &late);
}
END_TEST

/* Against a model: random changes, markers that walk at their own pace and keep a copy of what they
 * have seen. */
START_TEST(copies_converge)
{
	enum { KEYS = 60, MARKERS = 3, STEPS = 30000 };
	static int model[KEYS][6], copy[MARKERS][KEYS];
	struct rib_marker m[MARKERS] = {0};
	struct dest *d[8];
	uint32_t x = 12345 + (uint32_t)_i;

	memset(model, 0, sizeof(model));
	memset(copy, -1, sizeof(copy));
	for (int i = 0; i < MARKERS; i++)
		ck_assert_int_eq(rib_marker_add(&rib, &m[i], NULL), 0);
	for (int step = 0; step < STEPS + 2000; step++) {
		x = x * 1664525 + 1013904223;
		uint32_t k = (x >> 8) % KEYS;
		uint16_t peer = (uint16_t)(1 + (x >> 16) % 5);
		if (step >= STEPS) {
			; /* only catch up */
		} else if ((x >> 24) % 3) {
			put(peer, k, (x >> 20) % 4, (x >> 22) % 2 ? "p" : "a longer payload");
			model[k][peer] = 1;
		} else {
			take(peer, k);
			model[k][peer] = 0;
		}
		int who = (int)((x >> 12) % MARKERS);
		if (step < STEPS && (x >> 10) % 4 > (uint32_t)who)
			continue;
		size_t n = rib_ahead(&rib, &m[who], d, 1 + (x >> 5) % 8);
		for (size_t i = 0; i < n; i++) {
			uint32_t key;
			memcpy(&key, d[i]->key, 4);
			copy[who][key] = best_of(key);
		}
		rib_marker_pass(&rib, &m[who], n ? d[n - 1] : NULL);
		rib_reap(&rib);
	}
	size_t live = 0;
	for (int k = 0; k < KEYS; k++) {
		int have = 0;
		for (int p = 1; p < 6; p++)
			have |= model[k][p];
		live += (size_t)have;
		ck_assert_int_eq(best_of((uint32_t)k) >= 0, have);
		for (int i = 0; i < MARKERS; i++)
			ck_assert_int_eq(copy[i][k], best_of((uint32_t)k));
	}
	for (int i = 0; i < MARKERS; i++) {
		ck_assert(rib_marker_at_end(&rib, &m[i]));
		rib_marker_del(&rib, &m[i]);
	}
	ck_assert_uint_eq(rib.map.count, live);
	ck_assert_uint_eq(rib.tombstones, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rib");
	TCase *t = tcase_create("rib");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_changes);
	tcase_add_test(t, refused);
	tcase_add_test(t, several_paths);
	tcase_add_test(t, staleness);
	tcase_add_test(t, order_of_change);
	tcase_add_test(t, reaped_little_by_little);
	tcase_add_test(t, dies_and_lives);
	tcase_add_test(t, versions_are_serial_numbers);
	tcase_add_loop_test(t, copies_converge, 0, 8);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
