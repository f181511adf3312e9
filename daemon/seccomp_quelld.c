/* Files can be read, because a reload reads the configuration and the passwords, but none be
 * made or written: a fault in the parser of what peers send finds what the daemon's own user may read,
 * and nothing to change or to start. */
#include "daemon/seccomp_quelld.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "daemon/seccomp_filter.h"

/* clang-format off */
static const int allowed[] = {
	/* sockets */
	SCMP_SYS(accept4), SCMP_SYS(bind), SCMP_SYS(connect), SCMP_SYS(getpeername),
	SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(ioctl), SCMP_SYS(fcntl), SCMP_SYS(listen),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendto),
	SCMP_SYS(setsockopt), SCMP_SYS(shutdown),
	/* descriptors */
	SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(read),
	SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	/* the loop */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_wait), SCMP_SYS(gettimeofday),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(timerfd_settime),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(mremap), SCMP_SYS(munmap),
	/* the process */
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(futex), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(getrandom), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(tgkill),
};

static const int deadly[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace),
};
/* clang-format on */

/* TCP over IPv4 and IPv6; no packet sockets, no netlink, no way to another daemon's UNIX socket. */
static int allow_sockets(scmp_filter_ctx filter)
{
	int rc = seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, seccomp_arg(0, SCMP_CMP_EQ, AF_INET, 0));

	return rc ? rc
		  : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			    seccomp_arg(0, SCMP_CMP_EQ, AF_INET6, 0));
}

/* For reading alone, and nothing that is not there already. */
static int allow_reading(scmp_filter_ctx filter)
{
	int no = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;

	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
		seccomp_arg(2, SCMP_CMP_MASKED_EQ, (scmp_datum_t)no, O_RDONLY));
}

static int allow_more(scmp_filter_ctx filter)
{
	int rc = allow_sockets(filter);

	return rc ? rc : allow_reading(filter);
}

int seccomp_quelld(void)
{
	static const struct seccomp_list list = {
		allowed, sizeof(allowed) / sizeof(allowed[0]), deadly, sizeof(deadly) / sizeof(deadly[0]), allow_more};

	return seccomp_filter(&list);
}
