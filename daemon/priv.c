#define _GNU_SOURCE
#include "daemon/priv.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int priv_find_user(
	const char *user, const char *group, struct priv_user *ret, char err[PRIV_ERROR_MAX])
{
	struct priv_user u = {0};

	if (user && *user) {
		const struct passwd *pw = getpwnam(user);
		if (!pw) {
			snprintf(err, PRIV_ERROR_MAX, "user %s: no such user", user);
			return -ENOENT;
		}
		u = (struct priv_user){.set = true, .uid = pw->pw_uid, .gid = pw->pw_gid};
		if (group && *group) {
			const struct group *gr = getgrnam(group);
			if (!gr) {
				snprintf(err, PRIV_ERROR_MAX, "group %s: no such group", group);
				return -ENOENT;
			}
			u.gid = gr->gr_gid;
		}
	}
	*ret = u;
	return 0;
}

static int fail(char err[PRIV_ERROR_MAX], const char *what, int code)
{
	snprintf(err, PRIV_ERROR_MAX, "%s: %s", what, strerror(code));
	return -code;
}

/* What is in the mask and held already; asking for more would be refused. */
static void select_caps(uint64_t keep)
{
	uint64_t have = 0;

	capng_get_caps_process();
	for (unsigned cap = 0; cap < 64; cap++)
		if (keep & PRIV_CAP(cap) && capng_have_capability(CAPNG_PERMITTED, cap))
			have |= PRIV_CAP(cap);
	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned cap = 0; cap < 64; cap++)
		if (have & PRIV_CAP(cap))
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, cap);
}

int priv_drop(const struct priv_user *u, uint64_t keep, char err[PRIV_ERROR_MAX])
{
	bool change = u->set && (geteuid() != u->uid || getegid() != u->gid || getuid() != u->uid);
	bool bounding;
	int rc;

	capng_get_caps_process();
	bounding = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	select_caps(keep);
	if (change) {
		rc = capng_change_id((int)u->uid, (int)u->gid,
			(capng_flags_t)(CAPNG_DROP_SUPP_GRP |
					(bounding ? CAPNG_CLEAR_BOUNDING : 0)));
		if (rc < 0) {
			snprintf(err, PRIV_ERROR_MAX, "cannot become uid %u, gid %u: %s",
				(unsigned)u->uid, (unsigned)u->gid,
				strerror(errno ? errno : EPERM));
			return -EPERM;
		}
	} else {
		rc = capng_apply(bounding ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS);
		if (rc < 0)
			return fail(err, "cannot drop capabilities", errno ? errno : EPERM);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(err, "no_new_privs", errno);
	return 0;
}

void priv_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}
