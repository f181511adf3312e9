/* `show neighbors` in slices: the same text however it is cut, and neighbours that come and go meanwhile. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/speaker.h"
#include "daemon/jsontext.h"
#include "daemon/show_neighbors.h"
#include "evpn/family.h"

#define NEIGHBORS 200
#define LONGEST_ROW 2000

static const struct bgp_family *const families[] = {&evpn_family};
static struct speaker *speaker;

static struct ip address_of(unsigned i)
{
	return ip_v4_u32(0x0a000001 + i);
}

static void setup(void)
{
	struct speaker_config c = {.as = 65000,
		.router_id = 1,
		.families = families,
		.family_count = 1,
		.hold_sec = 90};

	speaker = speaker_new(&c, 1);
	ck_assert_ptr_nonnull(speaker);
	for (unsigned i = 0; i < NEIGHBORS; i++) {
		struct neighbor_config n = {
			.address = address_of(i), .remote_as = 65000 + i, .passive = true};
		struct neighbor *made;
		strcpy(n.name, "\"q\\");
		ck_assert_int_eq(speaker_add_neighbor(speaker, &n, 1, &made), 0);
	}
}

static void teardown(void)
{
	speaker_free(speaker);
}

/* What is written, in slices of so many octets; before slice `when` neighbour `gone` goes. */
static json_t *shown(size_t octets, unsigned when, unsigned gone)
{
	struct show_neighbors *q = show_neighbors_start(speaker);
	struct jsontext slice = {0}, all = {0};
	json_error_t err;
	bool more = true;

	for (unsigned i = 0; more; i++) {
		if (i == when)
			speaker_remove_neighbor(
				speaker, speaker_find_neighbor(speaker, address_of(gone), NULL), 1);
		jsontext_clear(&slice);
		more = show_neighbors_write(q, &slice, octets);
		ck_assert_uint_le(slice.text.len, octets + LONGEST_ROW);
		char *part = strndup(slice.text.p, slice.text.len);
		jsontext_raw(&all, part);
		free(part);
	}
	show_neighbors_free(q);
	json_t *o = json_loadb(all.text.p, all.text.len, JSON_REJECT_DUPLICATES, &err);
	ck_assert_msg(o != NULL, "%s", err.text);
	jsontext_free(&slice);
	jsontext_free(&all);
	return o;
}

START_TEST(slices)
{
	json_t *whole = shown(1 << 20, UINT32_MAX, 0);
	const json_t *list = json_object_get(whole, "neighbors");
	static const size_t octets[] = {1, 700, 5000};

	ck_assert_uint_eq(json_array_size(list), NEIGHBORS);
	const json_t *third = json_array_get(list, 2);
	ck_assert_str_eq(json_string_value(json_object_get(third, "address")), "10.0.0.3");
	ck_assert_str_eq(json_string_value(json_object_get(third, "name")), "\"q\\");
	ck_assert_int_eq(json_integer_value(json_object_get(third, "remote_as")), 65002);
	ck_assert(json_is_null(json_object_get(third, "local")));
	ck_assert(json_is_true(json_object_get(third, "passive")));
	ck_assert_uint_eq(json_object_size(json_object_get(third, "refused")), 0);
	for (size_t i = 0; i < sizeof(octets) / sizeof(octets[0]); i++) {
		json_t *cut = shown(octets[i], UINT32_MAX, 0);
		ck_assert(json_equal(cut, whole));
		json_decref(cut);
	}
	json_decref(whole);
}
END_TEST

/* The next, the last one shown, one that was shown, one that was not. */
START_TEST(goes_meanwhile)
{
	static const unsigned gone[] = {10, 9, 3, 150};
	json_t *o = shown(1, 10, gone[_i]);

	ck_assert_uint_eq(json_array_size(json_object_get(o, "neighbors")),
		NEIGHBORS - (gone[_i] >= 10));
	json_decref(o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("show_neighbors");
	TCase *t = tcase_create("show_neighbors");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, slices);
	tcase_add_loop_test(t, goes_meanwhile, 0, 4);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
