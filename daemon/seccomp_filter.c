#include "daemon/seccomp_filter.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		rc = seccomp_rule_add(filter, action, calls[i], 0);
	return rc;
}

/* Memory, but none to run code from. */
static int allow_data(scmp_filter_ctx filter)
{
	int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
		seccomp_arg(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	return rc ? rc
		  : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			    seccomp_arg(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

int seccomp_filter(const struct seccomp_list *l)
{
	scmp_filter_ctx filter = SANITIZED ? NULL : seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc;

	if (!filter)
		return SANITIZED ? 0 : -ENOMEM;
	rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!rc)
		rc = add_all(filter, SCMP_ACT_ALLOW, l->allowed, l->allowed_count);
	if (!rc)
		rc = add_all(filter, SCMP_ACT_KILL_PROCESS, l->deadly, l->deadly_count);
	if (!rc)
		rc = allow_data(filter);
	if (!rc)
		rc = l->more(filter);
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}
