/* Hash map, timers, token bucket: each against a plain model of itself under seeded random steps. */
#include <check.h>
#include <stdlib.h>

#include "lib/bucket.h"
#include "lib/hmap.h"
#include "lib/siphash.h"
#include "lib/timers.h"

#define KEYS 2000

struct entry {
	uint32_t key;
};

static bool entry_eq(const void *entry, const void *key)
{
	return ((const struct entry *)entry)->key == *(const uint32_t *)key;
}

/* Few different hashes, so that runs are long and wrap. */
static uint64_t poor_hash(uint32_t key)
{
	return key % 37 * 0x9e3779b9u;
}

static bool is_odd(void *entry, void *arg)
{
	(void)arg;
	return ((struct entry *)entry)->key % 2;
}

START_TEST(hmap_is_a_map)
{
	static struct entry entries[KEYS];
	static bool there[KEYS];
	struct hmap m;
	size_t count = 0, seen = 0;
	struct entry *e;

	hmap_init(&m, entry_eq);
	srand(_i);
	for (int step = 0; step < 40000; step++) {
		uint32_t k = (uint32_t)rand() % KEYS;
		entries[k].key = k;
		e = hmap_get(&m, poor_hash(k), &k);
		ck_assert_ptr_eq(e, there[k] ? &entries[k] : NULL);
		if (e) /* whoever is there is guessed, if not always rightly */
			ck_assert_ptr_nonnull(hmap_guess(&m, poor_hash(k)));
		if (there[k]) {
			ck_assert_ptr_eq(hmap_del(&m, poor_hash(k), &k), &entries[k]);
			count--;
		} else {
			ck_assert_int_eq(hmap_add(&m, poor_hash(k), &entries[k]), 0);
			count++;
		}
		there[k] = !there[k];
		ck_assert_uint_eq(m.count, count);
	}
	hmap_foreach(&m, e)
	{
		ck_assert(there[e->key]);
		seen++;
	}
	ck_assert_uint_eq(seen, count);
	size_t dropped = hmap_sweep(&m, is_odd, NULL);
	ck_assert_uint_eq(m.count, count - dropped);
	for (uint32_t k = 0; k < KEYS; k++)
		ck_assert_ptr_eq(hmap_get(&m, poor_hash(k), &k),
			there[k] && k % 2 == 0 ? &entries[k] : NULL);
	hmap_free(&m);
}
END_TEST

START_TEST(siphash_vectors)
{
	/* The algorithm's key and message of octets 0, 1, 2...: values of an independent computation. */
	struct siphash_key key = {{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL}};
	uint8_t msg[16];

	for (int i = 0; i < 16; i++)
		msg[i] = (uint8_t)i;
	ck_assert_uint_eq(siphash(&key, msg, 0), 0xabac0158050fc4dcULL);
	ck_assert_uint_eq(siphash(&key, msg, 8), 0x369095118d299a8eULL);
	ck_assert_uint_eq(siphash(&key, msg, 15), 0xd320d86d2a519956ULL);
}
END_TEST

struct fired {
	uint64_t at[64];
	size_t count;
};

static void on_fire(void *arg, uint64_t now)
{
	struct fired *f = arg;

	f->at[f->count++] = now;
}

START_TEST(timers_fire_in_order)
{
	struct timers ts;
	struct timer t[32];
	struct fired fired = {0};
	int running = 0;

	timers_init(&ts);
	srand(_i);
	for (int i = 0; i < 32; i++) {
		timer_init(&t[i], on_fire, &fired);
		timers_start(&ts, &t[i], (uint64_t)rand() % 1000);
	}
	for (int i = 0; i < 32; i += 3)
		timers_stop(&ts, &t[i]);
	for (int i = 0; i < 32; i++)
		running += timer_running(&t[i]);
	uint64_t last = 0;
	while (timers_next(&ts) != TIMERS_NEVER) {
		ck_assert_uint_ge(timers_next(&ts), last);
		last = timers_next(&ts);
		timers_run(&ts, last);
	}
	ck_assert_uint_eq(fired.count, running);
	timers_free(&ts);
}
END_TEST

static struct timers again_timers;
static struct timer again_timer;

static void start_again(void *arg, uint64_t now)
{
	++*(int *)arg;
	timers_start(&again_timers, &again_timer, now);
}

START_TEST(timer_that_is_always_due_does_not_hang)
{
	int count = 0;

	timers_init(&again_timers);
	timer_init(&again_timer, start_again, &count);
	timers_start(&again_timers, &again_timer, 5);
	timers_run(&again_timers, 10);
	ck_assert_int_eq(count, 1);
	timers_free(&again_timers);
}
END_TEST

START_TEST(bucket_keeps_its_rate)
{
	struct bucket b = bucket_of(1000, 50, 0);
	unsigned taken = 0;

	for (uint64_t now = 0; now < 10 * BUCKET_NS; now += 100000) /* 10 000 a second asked */
		taken += bucket_take(&b, 1, now);
	ck_assert_uint_ge(taken, 10000);
	ck_assert_uint_le(taken, 10000 + 50);
	b = bucket_of(1000, 50, 5 * BUCKET_NS);
	ck_assert(bucket_take(&b, 50, 5 * BUCKET_NS));
	ck_assert(!bucket_take(&b, 1, 4 * BUCKET_NS)); /* the clock stepped back */
	ck_assert(bucket_take(&b, 1, 5 * BUCKET_NS + 1000000));
	ck_assert(!bucket_take(&b, 51, UINT64_MAX / 2)); /* never more than the burst */
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lib/containers");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, hmap_is_a_map, 1, 6);
	tcase_add_test(tc, siphash_vectors);
	tcase_add_loop_test(tc, timers_fire_in_order, 1, 6);
	tcase_add_test(tc, timer_that_is_always_due_does_not_hang);
	tcase_add_test(tc, bucket_keeps_its_rate);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
