/* The last step of quelld's start: from here on it can serve sockets that it has or opens, and
 * nothing else. */
#pragma once

/* 0, or -errno; -ENOSYS and -EINVAL where the kernel has no seccomp filters. */
int seccomp_quelld(void);
