#include "lib/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRESH ".new"
#define NAME_LEN 256

static int open_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int write_fresh(int dir, const char *fresh, const void *data, size_t len)
{
	/* What a process that died has left there is of no use, and may be anybody's link. */
	unlinkat(dir, fresh, 0);
	int fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	int r = write_all(fd, data, len);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

int statefile_write(const char *dir, const char *name, const void *data, size_t len)
{
	char fresh[NAME_LEN];
	int d = open_dir(dir), r;

	if (d < 0)
		return d;
	if (strchr(name, '/') ||
		(size_t)snprintf(fresh, sizeof(fresh), "%s" FRESH, name) >= sizeof(fresh)) {
		close(d);
		return -EINVAL;
	}
	r = write_fresh(d, fresh, data, len);
	if (r == 0 && renameat(d, fresh, d, name) < 0)
		r = -errno;
	if (r == 0)
		fsync(d); /* the name; the file is whole with or without */
	else
		unlinkat(d, fresh, 0);
	close(d);
	return r;
}

static int read_all(int fd, size_t max, char **ret, size_t *ret_len)
{
	struct stat st;
	size_t len = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((size_t)st.st_size > max)
		return -EFBIG;
	char *text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, text + len, (size_t)st.st_size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int err = -errno;
			free(text);
			return err;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	*ret = text;
	*ret_len = len;
	return 0;
}

int statefile_read(const char *dir, const char *name, size_t max, char **ret, size_t *ret_len)
{
	int d = open_dir(dir);

	if (d < 0)
		return d;
	int fd = openat(d, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int r = fd < 0 ? -errno : 0;
	close(d);
	if (r < 0)
		return r == -ELOOP ? -EINVAL : r;
	r = read_all(fd, max, ret, ret_len);
	close(fd);
	return r;
}

int statefile_remove(const char *dir, const char *name)
{
	int d = open_dir(dir);

	if (d < 0)
		return d == -ENOENT ? 0 : d;
	int r = unlinkat(d, name, 0) < 0 && errno != ENOENT ? -errno : 0;
	close(d);
	return r;
}
