/* A C test in a network namespace of its own: unshared, so that it is gone with the process and two
 * runs never meet. Without the right to do so the test is skipped (exit 77) and says why. */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* unshare(); include this file first */
#endif
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

/* Runs one shell command; the test is over if it fails. */
__attribute__((format(printf, 1, 2))) static inline void sh(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (system(line) != 0) {
		fprintf(stderr, "failed: %s\n", line);
		exit(1);
	}
}

/* True when the shell command succeeds. */
__attribute__((format(printf, 1, 2))) static inline int sh_true(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	return system(line) == 0;
}

static inline void netns_enter_or_skip(void)
{
	if (unshare(CLONE_NEWNET) < 0) {
		printf("SKIP: no network namespace of our own: %s\n", strerror(errno));
		exit(77);
	}
	if (!sh_true("command -v ip >/dev/null && command -v bridge >/dev/null")) {
		printf("SKIP: no iproute2\n");
		exit(77);
	}
	sh("ip link set lo up");
}

static inline uint32_t ifindex_of(const char *name)
{
	uint32_t i = if_nametoindex(name);

	if (!i) {
		fprintf(stderr, "no interface %s\n", name);
		exit(1);
	}
	return i;
}

static inline uint64_t test_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}
