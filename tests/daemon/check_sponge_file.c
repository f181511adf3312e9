/* The sponge's file: what it says comes back; what is not whole, not its own or too old does not. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sponge_file.h"

#define NOW 1900000000ULL

static struct sponge_file sample(void)
{
	struct sponge_file f = {.count = 3};

	f.rows = calloc(3, sizeof(*f.rows));
	for (size_t i = 0; i < 3; i++) {
		struct sponge_file_row *r = &f.rows[i];
		ip_parse(i == 1 ? "2001:db8:100::9" : "198.18.0.9", &r->ip);
		r->ip.b[3] = (uint8_t)(r->ip.b[3] + (i == 2));
		r->state = i == 2 ? SPONGE_STATIC : SPONGE_SPONGED;
		r->age_sec = 10 * i;
		r->asked_sec = i == 2 ? -1 : (int64_t)i;
		r->queries = 50 + i;
		r->trapped = i;
		r->asker_count = i == 0 ? SPONGE_ASKERS : 0;
		for (uint32_t a = 0; a < r->asker_count; a++) {
			strcpy(r->askers[a].port, "swp1");
			r->askers[a].mac = (struct mac){{2, 0, 0, 0, 0, (uint8_t)a}};
		}
	}
	return f;
}

static int take(const char *text, size_t len, uint64_t now, struct sponge_file *ret)
{
	const char *why = NULL;
	int r = sponge_file_read(text, len, "ixp", now, ret, &why);

	ck_assert((r == -EINVAL) == (why != NULL));
	return r;
}

START_TEST(there_and_back)
{
	struct sponge_file f = sample(), g;
	char *text = sponge_file_write(&f, "ixp", NOW);

	ck_assert_int_eq(take(text, strlen(text), NOW + 30, &g), 0);
	ck_assert_uint_eq(g.age_sec, 30);
	ck_assert_uint_eq(g.count, f.count);
	ck_assert_mem_eq(g.rows, f.rows, f.count * sizeof(*f.rows));
	free(text);
	sponge_file_free(&f);
	sponge_file_free(&g);
	f = (struct sponge_file){0};
	text = sponge_file_write(&f, "ixp", NOW);
	ck_assert_int_eq(take(text, strlen(text), NOW, &g), 0);
	ck_assert_uint_eq(g.count, 0);
	free(text);
	sponge_file_free(&g);
}
END_TEST

/* Cut anywhere, or any octet another one: taken as a whole, or not. */
START_TEST(damaged)
{
	struct sponge_file f = sample(), g;
	char *text = sponge_file_write(&f, "ixp", NOW);
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		ck_assert_int_eq(take(text, i, NOW, &g), -EINVAL);
	for (size_t i = 0; i < len; i++)
		for (int c = 0; c < 256; c += 7) {
			char was = text[i];
			text[i] = (char)c;
			if (take(text, len, NOW, &g) >= 0) {
				ck_assert_uint_le(g.count, 3);
				sponge_file_free(&g);
			}
			text[i] = was;
		}
	free(text);
	sponge_file_free(&f);
}
END_TEST

START_TEST(too_old)
{
	static const struct {
		int64_t after;
		int r;
		size_t count;
	} rows[] = {{0, 0, 3}, {SPONGE_FILE_AGE_SEC, 0, 3}, {SPONGE_FILE_AGE_SEC + 1, 1, 1}, {-60, 0, 3}, {-61, 1, 1}};
	struct sponge_file f = sample(), g;
	char *text = sponge_file_write(&f, "ixp", NOW);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(take(text, strlen(text), (uint64_t)((int64_t)NOW + rows[i].after), &g), rows[i].r);
		ck_assert_uint_eq(g.count, rows[i].count);
		ck_assert(rows[i].count == 3 || g.rows[0].state == SPONGE_STATIC);
		sponge_file_free(&g);
	}
	free(text);
	sponge_file_free(&f);
}
END_TEST

#define FILE_OF(rows) "{\"version\":1,\"lan\":\"ixp\",\"written\":1900000000,\"addresses\":" rows "}"
#define ROW(ip, state, more) "[{\"ip\":\"" ip "\",\"state\":\"" state "\",\"age_s\":1,\"queries\":1,\"trapped\":0" more "}]"

static const struct {
	const char *text;
	int r;
} files[] = {
	{FILE_OF(ROW("198.18.0.9", "sponged", ",\"askers\":[]")), 0},
	{FILE_OF("[]"), 0},
	{"", -EINVAL},
	{"{}", -EINVAL},
	{"[]", -EINVAL},
	{"null", -EINVAL},
	{FILE_OF("{}"), -EINVAL},
	{FILE_OF("[1]"), -EINVAL},
	{"{\"version\":2,\"lan\":\"ixp\",\"written\":1900000000,\"addresses\":[]}", -EINVAL},
	{"{\"version\":1,\"lan\":\"other\",\"written\":1900000000,\"addresses\":[]}", -EINVAL},
	{"{\"version\":1,\"lan\":\"ixp\",\"addresses\":[]}", -EINVAL},
	{"{\"version\":1,\"lan\":\"ixp\",\"written\":-1,\"addresses\":[]}", -EINVAL},
	{"{\"version\":1,\"lan\":\"ixp\",\"written\":1900000000}", -EINVAL},
	{FILE_OF(ROW("198.18.0.999", "sponged", ",\"askers\":[]")), -EINVAL},
	{FILE_OF(ROW("198.18.0.9", "alive", ",\"askers\":[]")), -EINVAL},
	{FILE_OF(ROW("198.18.0.9", "pending", ",\"askers\":[]")), -EINVAL},
	{FILE_OF(ROW("198.18.0.9", "sponged", "")), -EINVAL},
	{FILE_OF(ROW("198.18.0.9", "sponged", ",\"asked_s\":-1,\"askers\":[]")), -EINVAL},
	{FILE_OF(ROW("198.18.0.9", "sponged", ",\"askers\":[{\"port\":\"swp1\",\"mac\":\"01:00:00:00:00:01\"}]")), -EINVAL},
	{FILE_OF(ROW("198.18.0.9", "sponged", ",\"askers\":[{\"port\":\"0123456789abcdef\",\"mac\":\"02:00:00:00:00:01\"}]")), -EINVAL},
	{FILE_OF(ROW("198.18.0.9", "sponged", ",\"askers\":[{\"mac\":\"02:00:00:00:00:01\"}]")), -EINVAL},
	{FILE_OF(ROW("198.18.0.9", "sponged", ",\"askers\":[0,0,0,0,0,0,0,0,0]")), -EINVAL},
};

START_TEST(texts)
{
	struct sponge_file g;

	ck_assert_int_eq(take(files[_i].text, strlen(files[_i].text), NOW, &g), files[_i].r);
	if (files[_i].r == 0)
		sponge_file_free(&g);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sponge_file");
	TCase *c = tcase_create("sponge_file");

	tcase_add_test(c, there_and_back);
	tcase_add_test(c, damaged);
	tcase_add_test(c, too_old);
	tcase_add_loop_test(c, texts, 0, (int)(sizeof(files) / sizeof(files[0])));
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
