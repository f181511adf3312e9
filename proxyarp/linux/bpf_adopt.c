/* The BPF plane's maps: adopted if they are pinned, made if not, and the programs loaded onto them.
 *
 * An agent that died finds its tables as they were, while the programs it left went on answering
 * from them. Of the maps that user space reads, one with other keys or values than layout.h says is
 * refused (-EPROTO: somebody else's, or a layout changed without its version); one of another size
 * (the limits in the configuration changed) is copied into a new one. The programs are always new:
 * they take the old ones' places as the caller attaches the ports again, each in one step, and
 * until then the old ones go on with the maps they hold. So after a change of limits nothing is
 * missing, but what they still count in the old counters is lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/log.h"
#include "proxyarp/linux/bpf.h"
#include "proxyarp/linux/bpf_scratch.h"

/* The maps that outlive us. `shared`: layout.h's; the others are the programs' own and may be begun
 * anew. */
static const struct pinned {
	const char *name;
	bool shared;
} pinned_maps[] = {
	{"bind4", true},
	{"bind6", true},
	{"macs", true},
	{"ports", true},
	{"generation", true},
	{"vteps", true},
	{"counters", true},
	{"would", true},
	{"events", true},
	{"policers", false},
	{"seen", false},
	{"budgets", false},
};
#define PINNED_MAPS (sizeof pinned_maps / sizeof *pinned_maps)

static int map_copy(int from, int to, const struct bpf_map_info *info)
{
	size_t value_len = info->value_size;
	void *value, *key, *at = NULL;
	int err = 0, cpus = libbpf_num_possible_cpus();

	if (info->type == BPF_MAP_TYPE_PERCPU_ARRAY || info->type == BPF_MAP_TYPE_PERCPU_HASH)
		value_len = (value_len + 7) / 8 * 8 * (size_t)(cpus > 0 ? cpus : 1);
	key = calloc(1, info->key_size);
	value = calloc(1, value_len);
	while (key && value && !err && bpf_map_get_next_key(from, at, key) == 0) {
		at = key;
		if (bpf_map_lookup_elem(from, key, value))
			continue;
		err = bpf_map_update_elem(to, key, value, BPF_ANY);
		if (err == -E2BIG && value_len != info->value_size)
			err = 0; /* the ledger of ports that there are no longer */
	}
	err = key && value ? err == -E2BIG ? -ENOSPC : err : -ENOMEM;
	free(key);
	free(value);
	return err;
}

/* One pinned map before loading: *ret_old is what has to be copied after loading, else -1. */
static int map_adopt(struct plane *p, const struct pinned *pin, bool *ret_adopted, int *ret_old)
{
	struct bpf_map *map = bpf_object__find_map_by_name(p->skel->obj, pin->name);
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info;
	int err, fd = bpf_dir_get(p, pin->name);

	*ret_old = -1;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0 || (err = bpf_obj_get_info_by_fd(fd, &info, &len))) {
		log_error(LOG_BPF, "cannot read the pinned map %s/%s: %s", p->dir, pin->name,
			strerror(-(fd < 0 ? fd : err)));
		if (fd >= 0)
			close(fd);
		return fd < 0 ? fd : err;
	}
	if (info.type != bpf_map__type(map) || info.key_size != bpf_map__key_size(map) ||
		info.value_size != bpf_map__value_size(map)) {
		close(fd);
		if (!pin->shared)
			return 0;
		log_error(LOG_BPF,
			"the pinned map %s/%s is not of layout %d: remove it to begin anew", p->dir,
			pin->name, LAYOUT_VERSION);
		return -EPROTO;
	}
	if (info.max_entries != bpf_map__max_entries(map)) {
		if (pin->shared)
			*ret_old = fd;
		else
			close(fd);
		*ret_adopted |= pin->shared;
		return 0;
	}
	err = bpf_map__reuse_fd(map, fd);
	close(fd);
	*ret_adopted |= pin->shared && !err;
	return err;
}

static int map_keep(struct plane *p, const struct pinned *pin, int old)
{
	int fd = bpf_map__fd(bpf_object__find_map_by_name(p->skel->obj, pin->name));
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info;
	int err = 0;

	if (old >= 0) {
		err = bpf_obj_get_info_by_fd(old, &info, &len);
		if (!err)
			err = map_copy(old, fd, &info);
		if (err)
			log_error(LOG_BPF, "the pinned map %s/%s does not fit the limits: %s",
				p->dir, pin->name, strerror(-err));
	}
	if (!err && (err = bpf_dir_pin(p, fd, pin->name)))
		log_error(LOG_BPF, "cannot pin %s/%s: %s", p->dir, pin->name, strerror(-err));
	return err;
}

static int load(struct plane *p)
{
	int err = quell_bpf__load(p->skel);

	if (err == -EPERM)
		log_error(LOG_BPF, "the BPF plane needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN");
	else if (err)
		log_error(LOG_BPF,
			"the kernel does not take the BPF programs: %s (log level bpf=debug)",
			strerror(-err));
	return err;
}

int bpf_adopt(struct plane *p, bool *ret_adopted)
{
	int old[PINNED_MAPS], err = 0;
	bool adopted = false;

	memset(old, 0xff, sizeof old);
	bpf_map__set_max_entries(p->skel->maps.bind4, p->limits.bindings4);
	bpf_map__set_max_entries(p->skel->maps.bind6, p->limits.bindings6);
	bpf_map__set_max_entries(p->skel->maps.macs, p->limits.macs);
	bpf_map__set_max_entries(p->skel->maps.ports, p->limits.ports);
	bpf_map__set_max_entries(p->skel->maps.counters, p->limits.ports * COUNTER_ROWS);
	bpf_map__set_max_entries(p->skel->maps.would, p->limits.ports * WOULD_ROWS);
	bpf_map__set_max_entries(p->skel->maps.vteps, p->limits.vteps ? p->limits.vteps : 1);
	bpf_map__set_max_entries(p->skel->maps.policers, POLICER_INDEX(p->limits.ports, 0, 0));
	bpf_map__set_max_entries(p->skel->maps.budgets, (p->limits.ports + 1) * BUDGET_KINDS);
	p->skel->rodata->budget_all = p->limits.ports * BUDGET_KINDS;
	for (size_t i = 0; i < PINNED_MAPS && !err; i++)
		err = map_adopt(p, &pinned_maps[i], &adopted, &old[i]);
	if (!err)
		err = load(p);
	for (size_t i = 0; i < PINNED_MAPS && !err; i++)
		err = map_keep(p, &pinned_maps[i], old[i]);
	for (size_t i = 0; i < PINNED_MAPS; i++)
		if (old[i] >= 0)
			close(old[i]);
	if (!err)
		*ret_adopted = adopted;
	return err;
}
