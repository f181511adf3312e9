/* What `quell registry fetch` asks for and keeps, without a network (that is tests/net/test_registry.py): addresses of documents, the
 * key, the cache, and files that are replaced. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fetch.h"
#include "cli/fetch_cache.h"
#include "cli/fetch_url.h"
#include "cli/registry_file.h"

static char dir[64];

static void make_dir(void)
{
	strcpy(dir, "/tmp/quell-fetch-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static const char *path_of(const char *name)
{
	static char path[2][128];
	static int at;

	at ^= 1;
	snprintf(path[at], sizeof(path[at]), "%s/%s", dir, name);
	return path[at];
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	ck_assert_int_eq(chmod(path_of(name), mode), 0);
}

static void expect_file(const char *name, const char *text)
{
	char *is = NULL;
	size_t len;

	ck_assert_int_eq(registry_file_read(path_of(name), 4096, &is, &len), 0);
	ck_assert_str_eq(is, text);
	free(is);
}

/* --- addresses --- */

static const struct {
	const char *base;
	enum fetch_path path;
	const char *what, *urls[2];
} urls[] = {
	{"https://ixp.example.net", FETCH_IXF, "1.0",
		{"https://ixp.example.net/api/v4/member-export/ixf/1.0", NULL}},
	{"https://ixp.example.net//", FETCH_ADDRESSES, "2",
		{"https://ixp.example.net/admin/api/v4/vlan/2/ip-addresses",
			"https://ixp.example.net/api/v4/vlan/2/ip-addresses"}},
	{"https://portal/ixp", FETCH_LAYER2, "sw1.fra",
		{"https://portal/ixp/admin/api/v4/provisioner/layer2interfaces/switch-name/"
		 "sw1.fra.json",
			"https://portal/ixp/api/v4/provisioner/layer2interfaces/switch-name/"
			"sw1.fra.json"}},
	{"https://portal", FETCH_LAYER2, "../a?b#c d%\xc3\xa9",
		{"https://portal/admin/api/v4/provisioner/layer2interfaces/switch-name/"
		 "..%2Fa%3Fb%23c%20d%25%C3%A9.json",
			"https://portal/api/v4/provisioner/layer2interfaces/switch-name/"
			"..%2Fa%3Fb%23c%20d%25%C3%A9.json"}},
};

START_TEST(knows_where_documents_are)
{
	char got[2][URL_MAX] = {"", ""};
	int n = fetch_url(urls[_i].base, urls[_i].path, urls[_i].what, got);

	ck_assert_int_eq(n, urls[_i].urls[1] ? 2 : 1);
	for (int i = 0; i < n; i++)
		ck_assert_str_eq(got[i], urls[_i].urls[i]);
}
END_TEST

START_TEST(the_longest_fits)
{
	char base[1024], what[64], got[2][URL_MAX];

	memset(base, 'a', sizeof(base));
	memcpy(base, "https://", 8);
	base[1023] = '\0';
	memset(what, '/', sizeof(what));
	what[63] = '\0';
	fetch_url(base, FETCH_LAYER2, what, got);
	ck_assert_str_eq(got[0] + strlen(got[0]) - 8, "%2F.json");
	ck_assert_uint_eq(strlen(got[0]),
		1023 + strlen("/admin/api/v4/provisioner/layer2interfaces/switch-name/.json") +
			3 * 63);
}
END_TEST

START_TEST(escapes_only_whole_octets)
{
	char buf[8];

	ck_assert_str_eq(fetch_escape("a b c d", buf, sizeof(buf)), "a%20b");
	ck_assert_str_eq(fetch_escape("", buf, sizeof(buf)), "");
}
END_TEST

/* --- the key --- */

static const struct {
	const char *text;
	mode_t mode;
	const char *key, *error;
} keys[] = {
	{"abc", 0600, "abc", NULL},
	{"abc\n", 0640, "abc", NULL},
	{"abc \r\n\n", 0600, "abc", NULL},
	{"", 0600, NULL, "it is empty"},
	{"\n\n", 0600, NULL, "it is empty"},
	{"a b", 0600, NULL, "expected one line"},
	{"abc\r\nX-Y: 1", 0600, NULL, "expected one line"},
	{"abc\xc3\xa9", 0600, NULL, "expected one line"},
	{"abc", 0604, NULL, "everybody on this machine"},
	{"abc", 0602, NULL, "everybody on this machine"},
	{"12345678901234567890", 0600, NULL, "longer than any"},
};

START_TEST(reads_the_key)
{
	char key[16] = "", line[FETCH_ERROR_MAX] = "";

	write_file("key", keys[_i].text, keys[_i].mode);
	int r = fetch_key(path_of("key"), key, sizeof(key), line);
	if (keys[_i].key) {
		ck_assert_msg(r == 0, "%s", line);
		ck_assert_str_eq(key, keys[_i].key);
	} else {
		ck_assert_int_eq(r, -1);
		ck_assert_ptr_nonnull(strstr(line, keys[_i].error));
		ck_assert_ptr_null(strstr(line, "abc"));
	}
}
END_TEST

/* --- the cache --- */

START_TEST(keeps_what_was_fetched)
{
	char url[] = "https://x/\xc3\xa9", body[] = "{\"a\": \"\\u0000\n\t\xc3\xa9\"}",
	     no_text[] = "\xff";
	struct fetch_cached c = {.url = url, .body = body}, got;
	struct stat st;

	c.len = strlen(c.body);
	strcpy(c.validators.etag, "W/\"1\"");
	char *cache = fetch_cache_dir(path_of("reg.yaml"));
	ck_assert_str_eq(cache, path_of("reg.yaml.cache"));
	fetch_cache_get(cache, "ixf.json", 4096, &got);
	ck_assert_ptr_null(got.url);
	ck_assert_int_eq(fetch_cache_put(cache, "ixf.json", &c), 0);
	ck_assert_int_eq(stat(cache, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	fetch_cache_get(cache, "ixf.json", 4096, &got);
	ck_assert_str_eq(got.url, c.url);
	ck_assert_str_eq(got.body, c.body);
	ck_assert_uint_eq(got.len, c.len);
	ck_assert_str_eq(got.validators.etag, c.validators.etag);
	ck_assert_str_eq(got.validators.modified, "");
	fetch_cached_free(&got);
	/* What is too long, or no text, is none. */
	fetch_cache_get(cache, "ixf.json", 4, &got);
	ck_assert_ptr_null(got.url);
	c.body = no_text;
	c.len = 1;
	ck_assert_int_eq(fetch_cache_put(cache, "ixf.json", &c), -EINVAL);
	free(cache);
}
END_TEST

static const char *const spoiled[] = {"", "{", "[]", "null", "{}", "{\"url\": \"u\"}",
	"{\"url\": 1, \"body\": \"b\"}", "{\"body\": \"b\"}", "\xff"};

START_TEST(a_spoiled_cache_is_none)
{
	struct fetch_cached got;

	write_file("ixf.json", spoiled[_i], 0600);
	fetch_cache_get(dir, "ixf.json", 4096, &got);
	ck_assert_ptr_null(got.url);
	ck_assert_ptr_null(got.body);
}
END_TEST

START_TEST(remembers_a_reload)
{
	char *cache = fetch_cache_dir(path_of("reg.yaml"));

	ck_assert(!fetch_cache_is_due(cache));
	ck_assert_int_eq(fetch_cache_set_due(cache, false), 0);
	ck_assert_int_eq(fetch_cache_set_due(cache, true), 0);
	ck_assert(fetch_cache_is_due(cache));
	ck_assert_int_eq(fetch_cache_set_due(cache, false), 0);
	ck_assert(!fetch_cache_is_due(cache));
	free(cache);
}
END_TEST

/* --- files --- */

START_TEST(replaces_and_keeps_the_last)
{
	struct stat st;

	umask(077);
	ck_assert_int_eq(registry_file_put(path_of("r"), "one", 3), 0);
	ck_assert_int_ne(access(path_of("r.last"), F_OK), 0);
	ck_assert_int_eq(registry_file_put(path_of("r"), "two", 3), 0);
	ck_assert_int_eq(registry_file_put(path_of("r"), "three", 5), 0);
	expect_file("r", "three");
	expect_file("r.last", "two");
	ck_assert_int_eq(stat(path_of("r"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_ne(access(path_of("r.new"), F_OK), 0);
	ck_assert_int_ne(access(path_of("r.last.new"), F_OK), 0);
}
END_TEST

START_TEST(follows_a_link)
{
	write_file("real", "one", 0644);
	ck_assert_int_eq(symlink("real", path_of("link")), 0);
	ck_assert_int_eq(registry_file_put(path_of("link"), "two", 3), 0);
	expect_file("real", "two");
	expect_file("real.last", "one");
	ck_assert_int_ne(access(path_of("link.last"), F_OK), 0);
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
	char *text;
	size_t len;

	ck_assert_int_eq(registry_file_put(dir, "one", 3), -EISDIR);
	ck_assert_int_eq(registry_file_put("/", "one", 3), -EISDIR);
	ck_assert_int_eq(registry_file_put(path_of("none/r"), "one", 3), -ENOENT);
	ck_assert_int_eq(symlink("nowhere", path_of("lost")), 0);
	ck_assert_int_eq(registry_file_put(path_of("lost"), "one", 3), -ENOLINK);
	ck_assert_int_eq(registry_file_put("/dev/null", "one", 3), -EINVAL);
	ck_assert_int_eq(registry_file_read(dir, 10, &text, &len), -EISDIR);
	write_file("long", "12345678901", 0644);
	ck_assert_int_eq(registry_file_read(path_of("long"), 10, &text, &len), -EFBIG);
	ck_assert_int_eq(registry_file_read("/dev/zero", 100000, &text, &len), -EFBIG);
}
END_TEST

START_TEST(one_at_a_time)
{
	int first = registry_file_lock(path_of("r"));

	ck_assert_int_ge(first, 0);
	ck_assert_int_eq(registry_file_lock(path_of("r")), -EWOULDBLOCK);
	close(first);
	first = registry_file_lock(path_of("r"));
	ck_assert_int_ge(first, 0);
	close(first);
}
END_TEST

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
	Suite *s = suite_create("cli/fetch");
	TCase *t = tcase_create("fetch");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_loop_test(t, knows_where_documents_are, 0, ROWS(urls));
	tcase_add_test(t, the_longest_fits);
	tcase_add_test(t, escapes_only_whole_octets);
	tcase_add_loop_test(t, reads_the_key, 0, ROWS(keys));
	tcase_add_test(t, keeps_what_was_fetched);
	tcase_add_loop_test(t, a_spoiled_cache_is_none, 0, ROWS(spoiled));
	tcase_add_test(t, remembers_a_reload);
	tcase_add_test(t, replaces_and_keeps_the_last);
	tcase_add_test(t, follows_a_link);
	tcase_add_test(t, refuses_what_is_no_file);
	tcase_add_test(t, one_at_a_time);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
