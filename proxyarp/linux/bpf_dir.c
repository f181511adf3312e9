/* The BPF plane's directory: where maps are pinned, so that they outlive the agent.
 *
 *   DIR/v<LAYOUT_VERSION>/{bind4,bind6,macs,ports,counters,...}   maps
 *   DIR/v<LAYOUT_VERSION>/xdp_<ifindex>                           the XDP program put on that
 * interface
 *
 * Maps of another layout stand in another directory and are never read; bpf_old.c sees to when they go. tc programs are not pinned: their filters hold them. DIR must be on a bpffs
 * (on a systemd machine /sys/fs/bpf is one). If DIR does not exist or is empty, a bpffs is mounted,
 * on /sys/fs/bpf if DIR is right below it, else on DIR. The directory is locked for as long as the
 * plane is open: two agents would undo each other's work.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/log.h"
#include "proxyarp/linux/bpf.h"

#define BPFFS "/sys/fs/bpf"

static bool on_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

static bool dir_empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	bool empty = d != NULL;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			empty = false;
	if (d)
		closedir(d);
	return empty;
}

static int make_dirs(const char *dir)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof path, "%s", dir) >= sizeof path)
		return -ENAMETOOLONG;
	for (char *s = path + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = 0;
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		*s = '/';
	}
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int mount_bpffs(const char *at)
{
	if (mount("bpf", at, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") == 0)
		return 0;
	int err = -errno;
	log_error(LOG_BPF, "%s is not on a bpffs, and none can be mounted there: %s", at,
		strerror(-err));
	return err;
}

/* DIR itself, existing and on a bpffs. */
static int dir_prepare(const char *dir, bool *ret_mounted)
{
	bool below = !strncmp(dir, BPFFS "/", strlen(BPFFS "/"));
	int err;

	if (below && !on_bpffs(BPFFS) && (err = mount_bpffs(BPFFS)))
		return err;
	if ((err = make_dirs(dir))) {
		log_error(LOG_BPF, "cannot make %s: %s", dir, strerror(-err));
		return err;
	}
	if (on_bpffs(dir))
		return 0;
	if (!dir_empty(dir)) {
		log_error(LOG_BPF, "%s is not on a bpffs and not empty", dir);
		return -ENOTEMPTY;
	}
	if ((err = mount_bpffs(dir)))
		return err;
	*ret_mounted = true;
	return 0;
}

int bpf_dir_open(const char *dir, struct plane *p)
{
	int err = dir_prepare(dir, &p->mounted);
	bool made;

	if (err)
		return err;
	p->dir = malloc(PATH_MAX);
	if (!p->dir)
		return -ENOMEM;
	snprintf(p->dir, PATH_MAX, "%.*s/v%d", PATH_MAX - 16, dir, LAYOUT_VERSION);
	made = mkdir(p->dir, 0700) == 0;
	if (!made && errno != EEXIST) {
		err = -errno;
		log_error(LOG_BPF, "cannot make %s: %s", p->dir, strerror(-err));
		return err;
	}
	p->lock = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->lock < 0)
		return -errno;
	if (flock(p->lock, LOCK_EX | LOCK_NB)) {
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
		log_error(LOG_BPF, "%s is in use by another process", p->dir);
		return err;
	}
	p->fresh = made;
	return 0;
}

/* Whether a directory of DIR is one of ours: v and digits. */
static bool is_version(const char *name)
{
	return name[0] == 'v' && name[1] && strspn(name + 1, "0123456789") == strlen(name + 1);
}

static void remove_flat(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(fd, e->d_name, 0);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	unlinkat(at, name, AT_REMOVEDIR);
}

/* DIR, and the name of our directory in it. *ret_base is to be freed; NULL: no memory. */
static const char *base_of(const struct plane *p, char **ret_base)
{
	char *own;

	*ret_base = strdup(p->dir);
	own = *ret_base ? strrchr(*ret_base, '/') : NULL;
	if (own)
		*own++ = 0;
	return own;
}

int bpf_dir_others(struct plane *p, int (*fn)(struct plane *p, const char *dir, void *arg), void *arg)
{
	char *base, path[PATH_MAX];
	const char *own = base_of(p, &base);
	DIR *d = own ? opendir(base) : NULL;
	struct dirent *e;
	int err = own ? 0 : -ENOMEM;

	while (d && !err && (e = readdir(d)))
		if (is_version(e->d_name) && strcmp(e->d_name, own) &&
			snprintf(path, sizeof path, "%s/%s", base, e->d_name) < (int)sizeof path)
			err = fn(p, path, arg);
	if (d)
		closedir(d);
	free(base);
	return err;
}

static int remove_one(struct plane *p, const char *dir, void *arg)
{
	(void)p, (void)arg;
	remove_flat(AT_FDCWD, dir);
	return 0;
}

void bpf_dir_sweep(struct plane *p)
{
	(void)bpf_dir_others(p, remove_one, NULL);
}

static int count_one(struct plane *p, const char *dir, void *arg)
{
	(void)p, (void)dir;
	++*(int *)arg;
	return 0;
}

void bpf_dir_remove(struct plane *p)
{
	int others = 0;
	char *base;

	remove_flat(AT_FDCWD, p->dir);
	(void)bpf_dir_others(p, count_one, &others);
	if (others || !base_of(p, &base))
		return;
	if (p->mounted)
		umount2(base, MNT_DETACH);
	rmdir(base);
	free(base);
}

static int pin_path(struct plane *p, const char *name, const char *suffix, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s%s", p->dir, name, suffix) < PATH_MAX ? 0
										    : -ENAMETOOLONG;
}

/* By a new name and a rename, so that there is a pin at every moment. */
int bpf_dir_pin(struct plane *p, int fd, const char *name)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	int err;

	if ((err = pin_path(p, name, "", path)) || (err = pin_path(p, name, "_new", fresh)))
		return err;
	unlink(fresh);
	if ((err = bpf_obj_pin(fd, fresh)))
		return err;
	return rename(fresh, path) ? -errno : 0;
}

void bpf_dir_unpin(struct plane *p, const char *name)
{
	char path[PATH_MAX];

	if (!pin_path(p, name, "", path))
		unlink(path);
}

int bpf_dir_get(struct plane *p, const char *name)
{
	char path[PATH_MAX];
	int err = pin_path(p, name, "", path);

	return err ? err : bpf_obj_get(path);
}
