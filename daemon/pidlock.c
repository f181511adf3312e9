#include "daemon/pidlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

int pidlock_take(struct pidlock *lock, const char *path)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	int err = 0;

	lock->fd = -1;
	if (fd < 0)
		return -errno;
	/* The file stays when the daemon goes: removing it would let two lock two files of one
	 * name. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || ftruncate(fd, 0) < 0)
		err = -errno;
	else if (write(fd, text, (size_t)len) != len)
		err = -EIO;
	if (err) {
		close(fd);
		return err;
	}
	lock->fd = fd;
	return 0;
}

void pidlock_drop(struct pidlock *lock)
{
	if (lock->fd >= 0)
		close(lock->fd);
	lock->fd = -1;
}
