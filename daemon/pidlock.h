/* One daemon of a kind in a run directory: a lock on a file that also holds the pid, for people to
 * read. The lock is the kernel's and dies with its process, so a file that a killed daemon left is
 * no obstacle. */
#pragma once

struct pidlock {
	int fd; /* -1: not held */
};

/* 0; -EWOULDBLOCK when another process holds it; another -errno. */
int pidlock_take(struct pidlock *lock, const char *path);
void pidlock_drop(struct pidlock *lock);
