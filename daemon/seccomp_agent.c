/* What the agent needs besides files of its own is the kernel's network: netlink, packet sockets, BPF, and the UNIX
 * sockets of the feed and of those who ask. It speaks no TCP, starts nothing, enters no other namespace and mounts
 * nothing. Interfaces come later, so sockets and BPF stay; files of the state directory are written, so those do, too. */
#include "daemon/seccomp_agent.h"

#include <sys/socket.h>

#include "daemon/seccomp_filter.h"

/* clang-format off */
static const int allowed[] = {
	/* the data plane */
	SCMP_SYS(bpf),
	/* sockets */
	SCMP_SYS(accept4), SCMP_SYS(bind), SCMP_SYS(connect), SCMP_SYS(getpeername),
	SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(ioctl), SCMP_SYS(fcntl), SCMP_SYS(listen),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg),
	SCMP_SYS(sendto), SCMP_SYS(setsockopt), SCMP_SYS(shutdown),
	/* files and descriptors */
	SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statfs),
	SCMP_SYS(fstatfs), SCMP_SYS(statx), SCMP_SYS(lseek), SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(getdents64), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(fsync), SCMP_SYS(ftruncate),
	SCMP_SYS(fchmod), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(dup), SCMP_SYS(dup3),
	SCMP_SYS(flock),
	/* the loop */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_wait), SCMP_SYS(eventfd2),
	SCMP_SYS(gettimeofday), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(timerfd_settime),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(mremap), SCMP_SYS(munmap),
	/* the process */
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(futex), SCMP_SYS(geteuid), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(getrandom), SCMP_SYS(prlimit64), SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield), SCMP_SYS(sigreturn), SCMP_SYS(sysinfo), SCMP_SYS(tgkill), SCMP_SYS(uname),
};

static const int deadly[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace),
	SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(mount), SCMP_SYS(init_module), SCMP_SYS(finit_module),
	SCMP_SYS(kexec_load),
};
/* clang-format on */

#define SOCKET_TYPE 0xf /* the rest of the argument is flags */

static int allow_sockets(scmp_filter_ctx filter)
{
	static const int families[] = {AF_UNIX, AF_NETLINK, AF_PACKET};
	/* What interfaces are asked through (ethtool). */
	int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
		seccomp_arg(0, SCMP_CMP_EQ, AF_INET, 0),
		seccomp_arg(1, SCMP_CMP_MASKED_EQ, SOCKET_TYPE, SOCK_DGRAM));

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && !rc; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			seccomp_arg(0, SCMP_CMP_EQ, (scmp_datum_t)families[i], 0));
	return rc;
}

int seccomp_agent(void)
{
	static const struct seccomp_list list = {
		allowed, sizeof(allowed) / sizeof(allowed[0]), deadly, sizeof(deadly) / sizeof(deadly[0]), allow_sockets};

	return seccomp_filter(&list);
}
