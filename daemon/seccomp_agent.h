/* The last step of quell-agent's start: from here on it can look after the data plane that it has, and not become something else. */
#pragma once

/* 0, or -errno; -ENOSYS and -EINVAL where the kernel has no seccomp filters. */
int seccomp_agent(void);
