/* A daemon's filter for system calls: a list of what is allowed; the rest fails with EPERM, and what only an intruder would do ends
 * the process. The lists are the daemons' own: seccomp_agent.c, seccomp_quelld.c. */
#pragma once
#include <seccomp.h>
#include <stddef.h>

struct seccomp_list {
	const int *allowed;
	size_t allowed_count;
	const int *deadly;
	size_t deadly_count;
	int (*more)(scmp_filter_ctx filter); /* calls that are allowed with certain arguments only */
};

/* In force for all threads from here on. 0, or -errno; -ENOSYS and -EINVAL where the kernel has no such filters. Under the sanitizers,
 * which have needs of their own, nothing is done. */
int seccomp_filter(const struct seccomp_list *l);
