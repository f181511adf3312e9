/* What a daemon may do once it has started: as whom it runs, with which capabilities, and what it
 * can never get back.
 *
 * quelld keeps nothing: ports are bound before, TCP MD5, TTL and DSCP of its later sockets need no
 * capability. quell-agent keeps what netlink, AF_PACKET and bpf() need.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PRIV_ERROR_MAX 256

struct priv_user {
	bool set; /* false: stay as we are */
	uid_t uid;
	gid_t gid;
};

/* `user` NULL or empty: stay. `group` NULL or empty: the user's own. 0, or -ENOENT with one line in
 * err. */
int priv_find_user(
	const char *user, const char *group, struct priv_user *ret, char err[PRIV_ERROR_MAX]);

#define PRIV_CAP(cap) (1ULL << (cap))

/* Becomes `u`, keeps of the capabilities that it has those of the mask (PRIV_CAP(CAP_NET_ADMIN) |
 * ...), empties the bounding set, gives up supplementary groups and sets no_new_privs. 0, or -errno
 * with one line in err; then the process must end. */
int priv_drop(const struct priv_user *u, uint64_t keep, char err[PRIV_ERROR_MAX]);

/* Raises the soft limit of open files to the hard one. */
void priv_limits(void);
