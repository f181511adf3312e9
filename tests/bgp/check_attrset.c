/* Interned attribute sets: equal sets are one object, others are not. */
#include <check.h>

#include "bgp/attrset.h"
#include "tests/bgp/wire.h"

#define ALL                                                                                        \
	(ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_MED) |                     \
		ATTR_BIT(ATTR_LOCAL_PREF) | ATTR_BIT(ATTR_AGGREGATOR) |                            \
		ATTR_BIT(ATTR_COMMUNITIES) | ATTR_BIT(ATTR_EXT_COMMUNITIES) |                      \
		ATTR_BIT(ATTR_LARGE_COMMUNITIES) | ATTR_BIT(ATTR_CLUSTER_LIST) |                   \
		ATTR_BIT(ATTR_ORIGINATOR_ID) | ATTR_BIT(ATTR_PMSI_TUNNEL) | ATTR_BIT(ATTR_OTC))

static uint8_t bytes[64];

static struct attrs full(void)
{
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1);
	return (struct attrs){
		.present = ALL,
		.origin = 1,
		.next_hop = ip_v4((uint8_t[]){10, 0, 0, 1}),
		.med = 5,
		.local_pref = 100,
		.originator_id = 7,
		.aggregator_as = 8,
		.aggregator_ip = {1, 2, 3, 4},
		.otc = 9,
		.as_path = {bytes, 6},
		.communities = {bytes, 4},
		.ext_communities = {bytes, 8},
		.large_communities = {bytes, 12},
		.cluster_list = {bytes, 8},
		.pmsi = {bytes, 9},
		.unknown = {bytes, 5},
	};
}

START_TEST(equal_sets_are_one)
{
	struct attrsets *as = attrsets_new();
	struct attrs a = full();
	const struct attrset *one = attrset_intern(as, &a);
	uint8_t copy[64];

	memcpy(copy, bytes, sizeof(copy));
	a.as_path.p = a.communities.p = a.unknown.p = a.pmsi.p = copy;
	const struct attrset *two = attrset_intern(as, &a);
	ck_assert_ptr_eq(one, two);
	ck_assert_uint_eq(one->refs, 2);
	ck_assert_uint_eq(attrsets_count(as), 1);
	ck_assert_uint_eq(one->octets, sizeof(struct attrset) + 6 + 4 + 8 + 12 + 8 + 9 + 5);
	/* It owns its octets. */
	memset(bytes, 0, sizeof(bytes));
	memset(copy, 0, sizeof(copy));
	ck_assert_mem_eq(one->attrs.pmsi.p, "\1\2\3\4\5\6\7\10\11", 9);
	ck_assert_uint_eq(one->attrs.local_pref, 100);
	ck_assert_ptr_eq(attrset_ref(one), one);
	attrset_unref(as, one);
	attrset_unref(as, one);
	ck_assert_uint_eq(attrsets_count(as), 1);
	/* A set made from a set. */
	const struct attrset *three = attrset_intern(as, &one->attrs);
	ck_assert_ptr_eq(three, one);
	attrset_unref(as, one);
	attrset_unref(as, one);
	ck_assert_uint_eq(attrsets_count(as), 0);
	attrset_unref(as, NULL);
	attrsets_free(as);
	attrsets_free(NULL);
}
END_TEST

/* Each change makes another set. */
static void change(struct attrs *a, int which)
{
	static uint8_t other[64] = {99};

	switch (which) {
	case 0: a->origin = 2; break;
	case 1: a->next_hop = ip_v4((uint8_t[]){10, 0, 0, 2}); break;
	case 2: a->next_hop_ll = ip_v6(bytes); break;
	case 3: a->med++; break;
	case 4: a->local_pref++; break;
	case 5: a->originator_id++; break;
	case 6: a->aggregator_as++; break;
	case 7: a->aggregator_ip[3]++; break;
	case 8: a->otc++; break;
	case 9: a->as_path.len--; break;
	case 10: a->as_path.p = other; break;
	case 11: a->communities.p = other; break;
	case 12: a->ext_communities.p = other; break;
	case 13: a->large_communities.p = other; break;
	case 14: a->cluster_list.p = other; break;
	case 15: a->pmsi.p = other; break;
	case 16: a->unknown.p = other; break;
	case 17: a->unknown.len = 0; break;
	case 18: a->partial = ATTR_BIT(ATTR_COMMUNITIES); break;
	case 19: a->present &= ~ATTR_BIT(ATTR_MED); break;
	case 20: a->present |= ATTR_BIT(ATTR_ATOMIC_AGGREGATE); break;
	case 21: a->present &= ~ATTR_BIT(ATTR_PMSI_TUNNEL); break;
	case 22: a->next_hop = (struct ip){0}; break;
	case 23: a->present &= ~ATTR_BIT(ATTR_AGGREGATOR); break;
	default: break;
	}
}
#define CHANGES 24

START_TEST(other_sets_are_others)
{
	struct attrsets *as = attrsets_new();
	const struct attrset *sets[CHANGES + 1];

	for (int i = 0; i <= CHANGES; i++) {
		struct attrs a = full();
		change(&a, i);
		sets[i] = attrset_intern(as, &a);
		ck_assert_msg(attrsets_count(as) == (size_t)i + 1, "change %d makes no difference", i);
	}
	for (int i = CHANGES; i >= 0; i--) {
		ck_assert_uint_eq(attrsets_count(as), (size_t)i + 1);
		attrset_unref(as, sets[i]);
	}
	attrsets_free(as);
}
END_TEST

/* What is not present makes no difference, however it was left behind. */
START_TEST(leftovers_do_not_count)
{
	struct attrsets *as = attrsets_new();
	struct attrs a = full(), b = {.next_hop = a.next_hop};

	a.present = 0;
	a.partial = ATTR_BIT(ATTR_COMMUNITIES);
	a.origin = 0;
	a.as_path.len = a.unknown.len = 0;
	b.present = ATTR_BIT(ATTR_NEXT_HOP) | ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH);
	const struct attrset *one = attrset_intern(as, &a), *two = attrset_intern(as, &b);
	ck_assert_ptr_eq(one, two);
	ck_assert_uint_eq(one->attrs.med, 0);
	ck_assert_ptr_null(one->attrs.communities.p);
	ck_assert(attrs_has(&one->attrs, ATTR_NEXT_HOP));
	attrset_unref(as, one);
	attrset_unref(as, two);
	attrsets_free(as);
}
END_TEST

START_TEST(many)
{
	enum { N = 20000 };
	struct attrsets *as = attrsets_new();
	const struct attrset **sets = calloc(N, sizeof(*sets));

	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < N; i++) {
			struct attrs a = full();
			a.med = i;
			const struct attrset *s = attrset_intern(as, &a);
			ck_assert(round == 0 || s == sets[i]);
			sets[i] = s;
		}
	ck_assert_uint_eq(attrsets_count(as), N);
	for (uint32_t i = 0; i < 2 * N; i++)
		attrset_unref(as, sets[i % N]);
	ck_assert_uint_eq(attrsets_count(as), 0);
	free(sets);
	attrsets_free(as);
}
END_TEST

CHECK_MAIN("attrset", {
	tcase_add_test(t, equal_sets_are_one);
	tcase_add_test(t, other_sets_are_others);
	tcase_add_test(t, leftovers_do_not_count);
	tcase_add_test(t, many);
})
