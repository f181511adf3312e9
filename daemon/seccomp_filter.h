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

/* What is asked of an argument; `b` is SCMP_CMP_MASKED_EQ's datum, of which `a` is the mask. */
static inline struct scmp_arg_cmp seccomp_arg(unsigned arg, enum scmp_compare op, scmp_datum_t a, scmp_datum_t b)
{
	return (struct scmp_arg_cmp){.arg = arg, .op = op, .datum_a = a, .datum_b = b};
}

/* In force for all threads from here on. 0, or -errno; -ENOSYS and -EINVAL where the kernel has no such filters. Under the sanitizers,
 * which have needs of their own, nothing is done. */
int seccomp_filter(const struct seccomp_list *l);
