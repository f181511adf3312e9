/* What an agent of another layout left: its maps in another directory (DIR/v<version>), its programs on interfaces.
 *
 * Its maps are never read, but for the keys of `ports`, which are interfaces in every version. Its programs go on
 * answering from its maps until ours take their places, port by port, as the caller attaches them; so the caller fills
 * the new maps first, and no port is without a program in between. When no port of the old one is left, its directory
 * goes. Ports that the caller does not attach, because the configuration has them no longer, are taken off once it has come
 * round to a port for the second time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/log.h"
#include "proxyarp/linux/bpf.h"

#define GRACE_SEC 5

static uint64_t now_sec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec;
}

static int add_port(struct plane *p, uint32_t ifindex)
{
	uint32_t *more = reallocarray(p->old_ports, p->old_n + 1, sizeof *more);

	if (!more)
		return -ENOMEM;
	p->old_ports = more;
	p->old_ports[p->old_n++] = ifindex;
	return 0;
}

static int read_ports(struct plane *p, const char *dir)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info, key, next;
	char path[PATH_MAX];
	int fd, err = 0;

	if (snprintf(path, sizeof path, "%s/ports", dir) >= (int)sizeof path)
		return -ENAMETOOLONG;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.key_size == sizeof key)
		for (uint32_t *at = NULL; !err && bpf_map_get_next_key(fd, at, &next) == 0; at = &key) {
			key = next;
			err = add_port(p, key);
		}
	close(fd);
	return err;
}

/* An agent of the other version at work here would be undone, and undo us. */
static int in_use(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
		log_error(LOG_BPF, "%s is in use by another process", dir);
	}
	close(fd);
	return err;
}

static int found(struct plane *p, const char *dir, void *arg)
{
	int err = in_use(dir);

	(void)arg;
	if (!err)
		err = read_ports(p, dir);
	p->old = true;
	return err;
}

int bpf_old_open(struct plane *p)
{
	int err = bpf_dir_others(p, found, NULL);

	p->old_since = now_sec();
	if (!err && p->old)
		log_notice(LOG_BPF, "%s: taking over %zu ports from an agent of another version", p->dir,
			p->old_n);
	return err;
}

/* The last of them is gone, or is not going to be ours. */
static void leave(struct plane *p)
{
	for (size_t i = 0; i < p->old_n; i++)
		bpf_detach(p, p->old_ports[i]);
	if (p->old_n)
		log_notice(LOG_BPF, "%s: %zu ports of an agent of another version are ports no longer", p->dir,
			p->old_n);
	p->old_n = 0;
	p->old = false;
	bpf_dir_sweep(p);
}

void bpf_old_attached(struct plane *p, const struct bpf_port *port, bool was_there)
{
	if (!p->old)
		return;
	for (size_t i = 0; i < p->old_n; i++)
		if (p->old_ports[i] == port->ifindex)
			p->old_ports[i--] = p->old_ports[--p->old_n];
	if (!p->old_n || (port->known && was_there && now_sec() - p->old_since >= GRACE_SEC))
		leave(p);
}

void bpf_old_close(struct plane *p, bool keep)
{
	if (!p->old || keep)
		return; /* what is not taken over yet is the next one's */
	leave(p);
}

struct pinned_program {
	const char *name;
	uint32_t id;
	int fd;
};

static int look(struct plane *p, const char *dir, void *arg)
{
	struct pinned_program *want = arg;
	char path[PATH_MAX];
	int fd;

	(void)p;
	if (want->fd >= 0 || snprintf(path, sizeof path, "%s/%s", dir, want->name) >= (int)sizeof path)
		return 0;
	fd = bpf_obj_get(path);
	if (fd >= 0 && bpf_program_id(fd) == want->id)
		want->fd = fd;
	else if (fd >= 0)
		close(fd);
	return 0;
}

int bpf_old_program(struct plane *p, const char *name, uint32_t id)
{
	struct pinned_program want = {name, id, -1};

	look(p, p->dir, &want);
	if (want.fd < 0 && p->old)
		(void)bpf_dir_others(p, look, &want);
	return want.fd;
}
