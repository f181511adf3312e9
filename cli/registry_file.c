#include <config.h>

#include "cli/registry_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/statefile.h"

#define CHUNK 65536

static int read_all(int fd, size_t max, char **ret, size_t *ret_len)
{
	size_t room = CHUNK, len = 0;
	char *text = malloc(room + 1);

	for (;;) {
		if (text && len == room) {
			char *more = room > max ? NULL : realloc(text, 2 * room + 1);
			if (!more) {
				free(text);
				return room > max ? -EFBIG : -ENOMEM;
			}
			text = more;
			room *= 2;
		}
		if (!text)
			return -ENOMEM;
		ssize_t n = read(fd, text + len, room - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (n == 0 && len > max)) {
			int r = n < 0 ? -errno : -EFBIG;
			free(text);
			return r;
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

int registry_file_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int r = read_all(fd, max, ret, ret_len);
	close(fd);
	return r;
}

/* Where the link leads; NULL: it is none, or not there. A link that is somebody else's is not for root to follow: whoever may write
 * into the directory could have any file of root's replaced. One that is none now need not be resolved, and what is done later does
 * not follow one that takes its place. */
static int follow(const char *path, char **ret)
{
	struct stat st;

	*ret = NULL;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISLNK(st.st_mode))
		return 0;
	if (geteuid() == 0 && st.st_uid != 0)
		return -EPERM;
	*ret = realpath(path, NULL);
	return *ret ? 0 : errno == ENOENT ? -ENOLINK : -errno; /* it would be lost */
}

int registry_file_place(const char *path, char **ret_dir, char **ret_name)
{
	char *real, *copy, *dir = NULL, *name = NULL;
	int r = follow(path, &real);

	if (r < 0)
		return r;
	r = -ENOMEM;
	copy = strdup(real ? real : path);
	if (copy && (name = strdup(basename(copy))) != NULL) {
		/* basename() may have written into it. */
		strcpy(copy, real ? real : path);
		dir = strdup(dirname(copy));
	}
	if (dir && (name[0] == '/' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0))
		r = -EISDIR;
	else if (dir)
		r = 0;
	free(copy);
	free(real);
	if (r < 0) {
		free(dir);
		free(name);
		return r;
	}
	*ret_dir = dir;
	*ret_name = name;
	return 0;
}

void registry_file_own(const char *dir, const char *name)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	/* Only root may, and only root has to. */
	if (fd >= 0 && fstat(fd, &st) == 0 &&
		fchownat(fd, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		errno = 0;
	if (fd >= 0)
		close(fd);
}

/* A copy, not a link: the kernel lets nobody link what is somebody else's (fs.protected_hardlinks). */
static int keep_last(const char *dir, const char *name)
{
	char last[NAME_MAX + 1], *text;
	size_t len;

	if (snprintf(last, sizeof(last), "%s.last", name) >= NAME_MAX)
		return -ENAMETOOLONG;
	int r = statefile_read(dir, name, SIZE_MAX / 4, &text, &len);
	if (r < 0)
		return r;
	r = statefile_write(dir, last, text, len);
	free(text);
	if (r == 0)
		registry_file_own(dir, last);
	return r;
}

static int put(int fd, const char *dir, const char *name, const char *text, size_t len)
{
	struct stat st;
	bool there = fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	int r = 0;

	if (there && !S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	mode_t mask = umask(022);
	if (there)
		r = keep_last(dir, name);
	if (r == 0)
		r = statefile_write(dir, name, text, len);
	umask(mask);
	if (r == 0 && !there)
		registry_file_own(dir, name);
	/* Not being allowed to is no fault: whoever runs us owns it then. */
	if (r == 0 && there && fchownat(fd, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 &&
		errno != EPERM)
		r = -errno;
	return r;
}

int registry_file_put(const char *path, const char *text, size_t len)
{
	char *dir, *name;
	int r = registry_file_place(path, &dir, &name);

	if (r < 0)
		return r;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : put(fd, dir, name, text, len);
	if (fd >= 0)
		close(fd);
	free(dir);
	free(name);
	return r;
}

int registry_file_lock(const char *path)
{
	char *dir, *name, lock[NAME_MAX + 1];
	int r = registry_file_place(path, &dir, &name), at, fd;

	if (r < 0)
		return r;
	at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = at < 0 ? -errno : 0;
	if (r == 0 && snprintf(lock, sizeof(lock), "%s.lock", name) >= NAME_MAX)
		r = -ENAMETOOLONG;
	fd = r < 0 ? -1 : openat(at, lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r == 0 && fd < 0)
		r = -errno;
	if (r == 0)
		registry_file_own(dir, lock);
	if (r == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		r = -errno;
		close(fd);
	}
	if (at >= 0)
		close(at);
	free(dir);
	free(name);
	return r < 0 ? r : fd;
}
