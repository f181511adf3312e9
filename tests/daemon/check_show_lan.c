/* `show lan` in slices: the same text however it is cut, of the moment in which it was asked for. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/jsontext.h"
#include "daemon/show_lan.h"
#include "evpn/lan.h"

#define MACS 300
#define LONGEST_ROW 400 /* or head of a LAN */

static struct lans *lans;

static struct mac mac_n(unsigned n)
{
	return (struct mac){{2, 0, 0x5e, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static struct lan *add_lan(const char *name, uint32_t vni)
{
	struct lan_config c = {.vni = vni,
		.originates = true,
		.vtep = ip_v4_u32(0x0a630002),
		.rd = rd_make(ip_v4_u32(0x0a630002), (uint16_t)vni),
		.import_auto = true};
	struct lan *lan;

	strcpy(c.name, name);
	ck_assert_int_eq(lans_add(lans, &c, &lan), 0);
	return lan;
}

/* Every second with an address. */
static void fill(struct lan *lan, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		ck_assert_int_eq(lan_local_add(lan, mac_n(i), i % 2 ? ip_v4_u32(0xc6120000 + i) : (struct ip){0},
					 i % 2 ? LAN_ROUTER : 0, false),
			0);
}

static void setup(void)
{
	struct lan_hooks hooks = {0};

	lans = lans_new(&hooks);
	ck_assert_ptr_nonnull(lans);
	add_lan("empty", 1);
	fill(add_lan("full", 2), MACS);
	add_lan("empty too", 3);
}

static void teardown(void)
{
	lans_free(lans);
}

static struct show_lan *ask(const char *only)
{
	json_t *request = only ? json_pack("{s:s}", "lan", only) : json_object();
	const char *error = NULL;
	struct show_lan *q = show_lan_start(lans, request, &error);

	if (!q)
		ck_assert_str_eq(error, "no such LAN");
	json_decref(request);
	return q;
}

/* What it writes, in slices of so many octets. To be freed. */
static char *written(struct show_lan *q, size_t octets)
{
	struct jsontext slice = {0}, all = {0};
	bool more = true;

	while (more) {
		jsontext_clear(&slice);
		more = show_lan_write(q, &slice, octets);
		ck_assert_uint_le(slice.text.len, octets + 2 * LONGEST_ROW);
		if (!slice.text.len)
			continue; /* it copies */
		char *part = strndup(slice.text.p, slice.text.len);
		jsontext_raw(&all, part);
		free(part);
	}
	show_lan_free(q);
	jsontext_free(&slice);
	char *text = strndup(all.text.p, all.text.len);
	jsontext_free(&all);
	return text;
}

static size_t rows(const json_t *answer, size_t lan, const char *what)
{
	return json_array_size(json_object_get(json_array_get(json_object_get(answer, "lans"), lan), what));
}

START_TEST(in_slices)
{
	static const size_t sizes[] = {1, 100, 1000, 10000, SIZE_MAX / 2};
	char *whole = written(ask(NULL), SIZE_MAX / 2), *text = written(ask(NULL), sizes[_i]);
	json_t *answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	ck_assert(strcmp(text, whole) == 0);
	ck_assert_ptr_nonnull(answer);
	ck_assert_uint_eq(json_array_size(json_object_get(answer, "lans")), 3);
	ck_assert_uint_eq(rows(answer, 0, "macs"), 0);
	ck_assert_uint_eq(rows(answer, 1, "macs"), MACS);
	ck_assert_uint_eq(rows(answer, 1, "bindings"), MACS / 2);
	ck_assert_uint_eq(rows(answer, 2, "flood"), 0);
	json_decref(answer);
	free(text);
	free(whole);
}
END_TEST

START_TEST(one_of_them)
{
	char *text = written(ask("empty too"), 1);
	json_t *answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const json_t *lan = json_array_get(json_object_get(answer, "lans"), 0);

	ck_assert_uint_eq(json_array_size(json_object_get(answer, "lans")), 1);
	ck_assert_str_eq(json_string_value(json_object_get(lan, "name")), "empty too");
	ck_assert_int_eq(json_integer_value(json_object_get(lan, "vni")), 3);
	json_decref(answer);
	free(text);
	ck_assert_ptr_null(ask("none"));
}
END_TEST

/* Its LAN fills, and goes, while it is written. */
START_TEST(of_one_moment)
{
	char *before = written(ask("full"), SIZE_MAX / 2);
	struct show_lan *q = ask("full"), *left = ask(NULL);
	struct jsontext head = {0};

	while (!head.text.len)
		ck_assert(show_lan_write(q, &head, 2000));
	fill(lans_find(lans, "full"), 3 * MACS);
	lans_remove(lans, lans_find(lans, "full"));
	char *rest = written(q, 500);
	ck_assert(memcmp(before, head.text.p, head.text.len) == 0);
	/* The comma between them is the text's business. */
	ck_assert_int_eq(before[head.text.len], ',');
	ck_assert(strcmp(before + head.text.len + 1, rest) == 0);
	show_lan_free(left); /* its reader went */
	jsontext_free(&head);
	free(rest);
	free(before);
}
END_TEST

START_TEST(gone_before_it_is_copied)
{
	struct show_lan *q = ask(NULL);
	struct jsontext none = {0};

	for (int i = 0; i < _i; i++)
		ck_assert(show_lan_write(q, &none, 2000));
	ck_assert_uint_eq(none.text.len, 0);
	lans_remove(lans, lans_find(lans, "full"));
	char *text = written(q, 500);
	json_t *answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(answer, "lans")), 3);
	ck_assert_uint_eq(rows(answer, 1, "macs"), _i > 3 ? MACS : 0);
	ck_assert_uint_eq(rows(answer, 1, "bindings"), _i > 4 ? MACS / 2 : 0);
	json_decref(answer);
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("show_lan");
	TCase *tc = tcase_create("show_lan");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, in_slices, 0, 5);
	tcase_add_test(tc, one_of_them);
	tcase_add_test(tc, of_one_moment);
	tcase_add_loop_test(tc, gone_before_it_is_copied, 0, 9);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
