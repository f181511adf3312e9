/* Dropping privileges, and the lock of a run directory. What needs root is skipped without. */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/pidlock.h"
#include "daemon/priv.h"

START_TEST(test_find_user)
{
	struct priv_user u = {.uid = 7};
	char err[PRIV_ERROR_MAX];

	ck_assert_int_eq(priv_find_user("no-such-user-here", NULL, &u, err), -ENOENT);
	ck_assert_str_eq(err, "user no-such-user-here: no such user");
	ck_assert_uint_eq(u.uid, 7);
	ck_assert_int_eq(priv_find_user("root", "no-such-group-here", &u, err), -ENOENT);
	ck_assert_str_eq(err, "group no-such-group-here: no such group");
	ck_assert_int_eq(priv_find_user(NULL, NULL, &u, err), 0);
	ck_assert(!u.set);
	ck_assert_int_eq(priv_find_user("root", "", &u, err), 0);
	ck_assert(u.set && u.uid == 0 && u.gid == 0);
}
END_TEST

/* A line of /proc/self/status as a number. */
static unsigned long long status_hex(const char *key)
{
	char line[256];
	unsigned long long value = ~0ULL;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtoull(line + strlen(key), NULL, 16);
	if (f)
		fclose(f);
	return value;
}

/* In a child, since there is no way back. */
static void dropped(const struct priv_user *u, uint64_t keep)
{
	char err[PRIV_ERROR_MAX];

	ck_assert_msg(priv_drop(u, keep, err) == 0, "%s", err);
	ck_assert_uint_eq(status_hex("CapPrm:"), keep);
	ck_assert_uint_eq(status_hex("CapEff:"), keep);
	ck_assert_uint_eq(status_hex("CapBnd:"), 0);
	ck_assert_uint_eq(status_hex("CapInh:"), 0);
	ck_assert_uint_eq(status_hex("CapAmb:"), 0);
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	ck_assert_int_eq(getgroups(0, NULL), 0);
	if (u->set) {
		ck_assert_uint_eq(getuid(), u->uid);
		ck_assert_uint_eq(getegid(), u->gid);
		ck_assert_int_eq(setuid(0), u->uid == 0 ? 0 : -1);
	}
}

START_TEST(test_drop)
{
	const struct passwd *pw = getpwnam("nobody");
	struct priv_user nobody = {
		.set = true, .uid = pw ? pw->pw_uid : 65534, .gid = pw ? pw->pw_gid : 65534};
	struct priv_user stay = {0};
	uint64_t some = PRIV_CAP(CAP_NET_ADMIN) | PRIV_CAP(CAP_NET_RAW);

	if (geteuid() != 0)
		return;
	dropped(_i & 1 ? &nobody : &stay, _i & 2 ? some : 0);
}
END_TEST

START_TEST(test_lock)
{
	char dir[] = "/tmp/quell-check-XXXXXX", path[64], text[24] = "";
	struct pidlock a, b;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.pid", dir);
	ck_assert_int_eq(pidlock_take(&a, path), 0);
	ck_assert_int_eq(pidlock_take(&b, path), -EWOULDBLOCK);
	ck_assert_int_eq(b.fd, -1);
	int fd = open(path, O_RDONLY);
	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	ck_assert_int_eq(atoi(text), getpid());
	pidlock_drop(&a);
	ck_assert_int_eq(pidlock_take(&b, path), 0);
	pidlock_drop(&b);
	unlink(path);
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	ck_assert_int_eq(pidlock_take(&a, path), -ELOOP);
	unlink(path);
	rmdir(dir);
	ck_assert_int_eq(pidlock_take(&a, path), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("priv");
	TCase *tc = tcase_create("priv");

	tcase_add_test(tc, test_find_user);
	tcase_add_loop_test(tc, test_drop, 0, 4);
	tcase_add_test(tc, test_lock);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
