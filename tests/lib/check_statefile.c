/* Files that are there whole or as they were before. */
#include "lib/statefile.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/check_statefile.XXXXXX";

static void path_of(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", dir, name);
}

static void expect(const char *name, const char *text)
{
	char *got = NULL;
	size_t len = 0;

	ck_assert_int_eq(statefile_read(dir, name, 100, &got, &len), 0);
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_str_eq(got, text);
	free(got);
}

START_TEST(written_and_read)
{
	char *got = NULL, path[128];
	size_t len = 0;

	ck_assert_int_eq(statefile_read(dir, "a", 100, &got, &len), -ENOENT);
	ck_assert_int_eq(statefile_write(dir, "a", "one", 3), 0);
	expect("a", "one");
	/* What a dead process left behind is in nobody's way. */
	path_of("a.new", path);
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	ck_assert_int_eq(statefile_write(dir, "a", "", 0), 0);
	expect("a", "");
	ck_assert_int_lt(access(path, F_OK), 0);
	ck_assert_int_eq(statefile_write(dir, "a", "longer", 6), 0);
	ck_assert_int_eq(statefile_read(dir, "a", 5, &got, &len), -EFBIG);
	ck_assert_int_eq(statefile_remove(dir, "a"), 0);
	ck_assert_int_eq(statefile_remove(dir, "a"), 0);
	ck_assert_ptr_null(got);
}
END_TEST

START_TEST(what_cannot_be)
{
	char *got = NULL, path[128];
	size_t len = 0;

	ck_assert_int_eq(statefile_write("/no/such/dir", "a", "x", 1), -ENOENT);
	ck_assert_int_eq(statefile_remove("/no/such/dir", "a"), 0);
	ck_assert_int_eq(statefile_write(dir, "../a", "x", 1), -EINVAL);
	path_of("d", path);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	ck_assert_int_lt(statefile_write(dir, "d", "x", 1), 0);
	ck_assert_int_eq(statefile_read(dir, "d", 10, &got, &len), -EINVAL);
	ck_assert_int_eq(rmdir(path), 0);
	path_of("fifo", path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(statefile_read(dir, "fifo", 10, &got, &len), -EINVAL);
	unlink(path);
	path_of("link", path);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	ck_assert_int_eq(statefile_read(dir, "link", 1 << 20, &got, &len), -EINVAL);
	unlink(path);
	ck_assert_ptr_null(got);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("statefile");
	TCase *c = tcase_create("files");

	if (!mkdtemp(dir))
		return 1;
	tcase_add_test(c, written_and_read);
	tcase_add_test(c, what_cannot_be);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	rmdir(dir);
	return failed ? 1 : 0;
}
