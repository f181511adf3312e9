/* The BPF plane: the verdict in the kernel (quell.bpf.c), its tables in pinned maps (bpf_adopt.c),
 * its programs on interfaces (bpf_attach.c). Here: its life, and the operations of plane.h on the
 * maps.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/log.h"
#include "proxyarp/linux/bpf.h"
#include "proxyarp/linux/bpf_scratch.h"

/* What libbpf says is for whoever debugs the programs: the verifier's log comes through here, line
 * by line. */
__attribute__((format(printf, 2, 0))) static int libbpf_line(
	enum libbpf_print_level level, const char *fmt, va_list args)
{
	va_list again;
	char *text;
	int len;

	if (level == LIBBPF_DEBUG || !log_enabled(LOG_BPF, LOG_LEVEL_DEBUG))
		return 0;
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	text = len < 0 ? NULL : malloc((size_t)len + 1);
	if (!text)
		return 0;
	vsnprintf(text, (size_t)len + 1, fmt, args);
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		if (*line)
			log_debug(LOG_BPF, "%s", line);
	free(text);
	return 0;
}

/* --- open and close --- */

static int event(void *arg, void *data, size_t len)
{
	struct plane *p = arg;

	if (len >= sizeof(struct layout_event) && p->fn)
		p->fn(p->arg, data);
	return 0;
}

static int raw_open(void)
{
	uint32_t mark = MARK_PROBE;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark)) {
		err = -errno;
		log_error(LOG_BPF,
			"cannot open a packet socket (needs CAP_NET_RAW and CAP_NET_ADMIN): %s",
			strerror(-err));
		if (fd >= 0)
			close(fd);
		return err;
	}
	return fd;
}

/* After each change: what the programs remember of before is then no longer looked at. Its low half
 * is never 0. */
static void changed(struct plane *p)
{
	if (!(uint32_t)__atomic_add_fetch(p->generation, 1, __ATOMIC_SEQ_CST))
		__atomic_add_fetch(p->generation, 1, __ATOMIC_SEQ_CST);
}

/* Raised at once: the process before us may have died between a change and telling of it. */
static int generation_map(struct plane *p)
{
	void *at = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
		bpf_map__fd(p->skel->maps.generation), 0);

	if (at == MAP_FAILED)
		return -errno;
	p->generation = at;
	changed(p);
	return 0;
}

static void plane_free(struct plane *p)
{
	if (p->generation)
		munmap(p->generation, (size_t)sysconf(_SC_PAGESIZE));
	free(p->would);
	free(p->old_ports);
	bpf_attached_free(p);
	ring_buffer__free(p->ring);
	if (p->raw >= 0)
		close(p->raw);
	quell_bpf__destroy(p->skel);
	if (p->lock >= 0)
		close(p->lock);
	free(p->dir);
	free(p);
}

static int plane_bpf_open(
	const char *dir, const struct plane_limits *limits, struct plane **ret, bool *ret_adopted)
{
	struct plane *p = calloc(1, sizeof *p);
	int err;

	if (!p)
		return -ENOMEM;
	libbpf_set_print(libbpf_line);
	p->limits = *limits;
	p->lock = p->raw = -1;
	err = bpf_dir_open(dir, p);
	if (!err)
		err = bpf_old_open(p);
	if (!err && (p->skel = quell_bpf__open()) == NULL)
		err = -errno;
	if (!err)
		err = bpf_adopt(p, ret_adopted);
	if (!err)
		err = generation_map(p);
	if (!err && (p->raw = raw_open()) < 0)
		err = p->raw;
	if (!err && (p->ring = ring_buffer__new(
			     bpf_map__fd(p->skel->maps.events), event, p, NULL)) == NULL)
		err = -errno;
	if (err) {
		if (p->fresh)
			bpf_dir_remove(p);
		plane_free(p);
		return err;
	}
	*ret = p;
	return 0;
}

static void plane_bpf_close(struct plane *p, bool keep)
{
	uint32_t ifindex;
	int ports = bpf_map__fd(p->skel->maps.ports);

	bpf_old_close(p, keep);
	if (!keep) {
		while (bpf_map_get_next_key(ports, NULL, &ifindex) == 0) {
			bpf_detach(p, ifindex);
			if (bpf_map_delete_elem(ports, &ifindex))
				break;
		}
		bpf_dir_remove(p);
	}
	plane_free(p);
}

/* --- tables --- */

static int map_set(struct plane *p, struct bpf_map *map, const void *key, const void *value)
{
	int err = bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY);

	changed(p);
	return err == -E2BIG ? -ENOSPC : err;
}

static int map_del(struct plane *p, struct bpf_map *map, const void *key)
{
	int err = bpf_map_delete_elem(bpf_map__fd(map), key);

	changed(p);
	return err == -ENOENT ? 0 : err;
}

#define TABLE(what, map, keytype, valuetype)                                                       \
	static int what##_set(struct plane *p, keytype k, const valuetype *v)                      \
	{                                                                                          \
		return map_set(p, p->skel->maps.map, k, v);                                        \
	}                                                                                          \
	static int what##_del(struct plane *p, keytype k)                                          \
	{                                                                                          \
		return map_del(p, p->skel->maps.map, k);                                           \
	}

TABLE(bind4, bind4, const struct layout_key4 *, struct layout_bind)
TABLE(bind6, bind6, const struct layout_key6 *, struct layout_bind)
TABLE(mac, macs, const struct layout_mac_key *, struct layout_mac)

static int vtep_set(struct plane *p, const struct layout_vtep_key *k)
{
	return map_set(p, p->skel->maps.vteps, k, &(uint32_t){1});
}

static int vtep_del(struct plane *p, const struct layout_vtep_key *k)
{
	return map_del(p, p->skel->maps.vteps, k);
}

static void vtep_each(struct plane *p, void (*fn)(void *, const struct layout_vtep_key *), void *arg)
{
	int fd = bpf_map__fd(p->skel->maps.vteps);
	struct layout_vtep_key key, next;
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	while (more) {
		key = next;
		more = bpf_map_get_next_key(fd, &key, &next) == 0;
		fn(arg, &key);
	}
}

/* A walk that survives the deletion of the row in hand: the next key is asked for before fn() sees
 * this one. */
#define WALK(what, map, keytype, valuetype, keyarg)                                                \
	static void what##_each(                                                                   \
		struct plane *p, void (*fn)(void *, keyarg, const valuetype *), void *arg)         \
	{                                                                                          \
		int fd = bpf_map__fd(p->skel->maps.map);                                           \
		keytype key, next;                                                                 \
		valuetype value;                                                                   \
		int more = bpf_map_get_next_key(fd, NULL, &next) == 0;                             \
                                                                                                   \
		while (more) {                                                                     \
			key = next;                                                                \
			more = bpf_map_get_next_key(fd, &key, &next) == 0;                         \
			if (bpf_map_lookup_elem(fd, &key, &value) == 0)                            \
				fn(arg, WALK_KEY_##what(key), &value);                             \
		}                                                                                  \
	}
#define WALK_KEY_bind4(key) &(key)
#define WALK_KEY_bind6(key) &(key)
#define WALK_KEY_mac(key) &(key)
#define WALK_KEY_port(key) (key)

WALK(bind4, bind4, struct layout_key4, struct layout_bind, const struct layout_key4 *)
WALK(bind6, bind6, struct layout_key6, struct layout_bind, const struct layout_key6 *)
WALK(mac, macs, struct layout_mac_key, struct layout_mac, const struct layout_mac_key *)
WALK(port, ports, uint32_t, struct layout_port, uint32_t)

/* --- ports --- */

static int port_set(struct plane *p, uint32_t ifindex, const struct layout_port *port)
{
	if (port->slot >= p->limits.ports)
		return -ENOSPC;
	return map_set(p, p->skel->maps.ports, &ifindex, port);
}

/* The same as what is there leaves the bucket as full as it is. */
static int policer_set(struct plane *p, uint32_t slot, enum frame_dir dir, enum layout_police group,
	const struct layout_policer *v)
{
	struct bpf_policer full = {.conf = v ? *v : (struct layout_policer){0}}, was;
	uint32_t row = POLICER_INDEX(slot, (uint32_t)dir, (uint32_t)group);
	int fd = bpf_map__fd(p->skel->maps.policers);
	uint64_t unit_ns = full.conf.unit == UNIT_PACKETS ? 1000000000 : 8000000000;

	if (slot >= p->limits.ports || dir >= DIR_COUNT || group >= POLICE_COUNT)
		return -ENOSPC;
	if (bpf_map_lookup_elem(fd, &row, &was) == 0 && !memcmp(&was.conf, &full.conf, sizeof was.conf))
		return 0;
	if (full.conf.rate) {
		full.each_ns = ((unit_ns << POLICER_SHIFT) + full.conf.rate / 2) / full.conf.rate;
		full.each_ns += !full.each_ns;
		full.burst_ns = (full.each_ns >> POLICER_SHIFT) * full.conf.burst +
				((full.each_ns & ((1 << POLICER_SHIFT) - 1)) * full.conf.burst >> POLICER_SHIFT);
	}
	return bpf_map_update_elem(fd, &row, &full, BPF_ANY);
}

static int port_attach(struct plane *p, uint32_t ifindex, bool xdp)
{
	struct layout_port port;
	int err = bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.ports), &ifindex, &port);

	return err ? err : bpf_attach(p, ifindex, port.kind, xdp);
}

static int port_del(struct plane *p, uint32_t ifindex)
{
	int err = bpf_detach(p, ifindex);

	return err ? err : map_del(p, p->skel->maps.ports, &ifindex);
}

/* --- events and frames of our own --- */

static int event_fd(struct plane *p)
{
	return ring_buffer__epoll_fd(p->ring);
}

static int poll_events(struct plane *p, void (*fn)(void *, const struct layout_event *), void *arg)
{
	int n;

	p->fn = fn;
	p->arg = arg;
	n = ring_buffer__consume(p->ring);
	p->fn = NULL;
	return n < 0 ? n : 0;
}

static int send_frame(struct plane *p, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_ifindex = (int)ifindex, .sll_halen = 6};

	if (len < 14)
		return -EINVAL;
	memcpy(to.sll_addr, frame, 6);
	memcpy(&to.sll_protocol, frame + 12, 2);
	return sendto(p->raw, frame, len, 0, (struct sockaddr *)&to, sizeof to) < 0 ? -errno : 0;
}

const struct plane_ops plane_bpf = {
	.name = "bpf",
	.tells_sources = true,
	.open = plane_bpf_open,
	.close = plane_bpf_close,
	.port_set = port_set,
	.policer_set = policer_set,
	.port_attach = port_attach,
	.port_del = port_del,
	.bind4_set = bind4_set,
	.bind4_del = bind4_del,
	.bind6_set = bind6_set,
	.bind6_del = bind6_del,
	.mac_set = mac_set,
	.mac_del = mac_del,
	.bind4_each = bind4_each,
	.bind6_each = bind6_each,
	.mac_each = mac_each,
	.port_each = port_each,
	.vtep_set = vtep_set,
	.vtep_del = vtep_del,
	.vtep_each = vtep_each,
	.counters = bpf_counters,
	.would_each = bpf_would_each,
	.counters_zero = bpf_counters_zero,
	.fd = event_fd,
	.poll = poll_events,
	.send = send_frame,
};
