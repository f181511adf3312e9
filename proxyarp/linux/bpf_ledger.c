/* The BPF plane's ledger: what the programs counted (map counters), and what they let go but would not have (map would),
 * summed over CPUs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "proxyarp/linux/bpf.h"
#include "proxyarp/linux/bpf_scratch.h"

#define WOULD_BATCH 4096
#define WOULD_FRESH_NS 200000000

struct bpf_would {
	struct layout_would_key k;
	struct layout_counter c;
};

/* The rows of a slot in one call, summed over CPUs: [row][CPU][outcome]. The kernel begins behind
 * the row it is given. */
int bpf_counters(
	struct plane *p, uint32_t slot, struct layout_counter (*out)[CLASS_COUNT][OUTCOME_COUNT])
{
	int fd = bpf_map__fd(p->skel->maps.counters), cpus = libbpf_num_possible_cpus(), err;
	uint32_t before = slot * COUNTER_ROWS - 1, next, n = COUNTER_ROWS, *keys;
	struct layout_counter *got, *sums = &out[0][0][0];

	if (slot >= p->limits.ports || cpus <= 0)
		return -EINVAL;
	got = calloc(COUNTER_PER_SLOT * (size_t)cpus, sizeof *got);
	keys = calloc(COUNTER_ROWS, sizeof *keys);
	err = got && keys
		      ? bpf_map_lookup_batch(fd, slot ? &before : NULL, &next, keys, got, &n, NULL)
		      : -ENOMEM;
	if (!err || (err == -ENOENT && n == COUNTER_ROWS)) { /* -ENOENT: and those were the last */
		err = 0;
		memset(sums, 0, COUNTER_PER_SLOT * sizeof *sums);
		for (size_t i = 0; i < COUNTER_PER_SLOT * (size_t)cpus; i++) {
			size_t row = i / OUTCOME_COUNT / (size_t)cpus;
			size_t at = row * OUTCOME_COUNT + i % OUTCOME_COUNT;

			sums[at].frames += got[i].frames;
			sums[at].octets += got[i].octets;
		}
	}
	free(keys);
	free(got);
	return err;
}

/* --- what was let go --- */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int by_slot(const void *a, const void *b)
{
	const struct bpf_would *x = a, *y = b;

	return (x->k.slot > y->k.slot) - (x->k.slot < y->k.slot);
}

static int would_grow(struct plane *p, size_t more)
{
	struct bpf_would *rows = reallocarray(p->would, p->would_n + more, sizeof *rows);

	if (!rows)
		return -ENOMEM;
	p->would = rows;
	return 0;
}

/* All rows in a few calls: a walk by key would be two for each row, and again for each slot. */
static int would_read(struct plane *p)
{
	int fd = bpf_map__fd(p->skel->maps.would), cpus = libbpf_num_possible_cpus(), err = 0;
	struct layout_would_key *keys = calloc(WOULD_BATCH, sizeof *keys);
	struct layout_counter *got = calloc(WOULD_BATCH * (size_t)(cpus > 0 ? cpus : 1), sizeof *got);
	uint32_t at, n;
	bool begun = false;

	p->would_n = 0;
	while (keys && got && cpus > 0 && !err) {
		n = WOULD_BATCH;
		err = bpf_map_lookup_batch(fd, begun ? &at : NULL, &at, keys, got, &n, NULL);
		begun = true;
		if ((err && err != -ENOENT) || would_grow(p, n + 1))
			break;
		for (uint32_t i = 0; i < n; i++) {
			struct bpf_would *row = &p->would[p->would_n++];

			*row = (struct bpf_would){.k = keys[i]};
			for (int c = 0; c < cpus; c++) {
				row->c.frames += got[i * (uint32_t)cpus + (uint32_t)c].frames;
				row->c.octets += got[i * (uint32_t)cpus + (uint32_t)c].octets;
			}
		}
	}
	free(keys);
	free(got);
	if (err != -ENOENT)
		return err ? err : -ENOMEM;
	if (p->would_n)
		qsort(p->would, p->would_n, sizeof *p->would, by_slot);
	p->would_ns = now_ns();
	return 0;
}

/* Whoever asks for all slots asks for them in a row: one reading serves them. */
int bpf_would_each(struct plane *p, uint32_t slot,
	void (*fn)(void *arg, enum frame_dir dir, enum frame_class cls, enum frame_outcome would,
		const struct layout_counter *c),
	void *arg)
{
	size_t low = 0, high;
	int err = 0;

	if (!p->would_ns || now_ns() - p->would_ns > WOULD_FRESH_NS)
		err = would_read(p);
	high = err ? 0 : p->would_n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->would[middle].k.slot < slot)
			low = middle + 1;
		else
			high = middle;
	}
	for (; !err && low < p->would_n && p->would[low].k.slot == slot; low++) {
		const struct layout_would_key *k = &p->would[low].k;

		if (k->dir < DIR_COUNT && k->cls < CLASS_COUNT && k->outcome < OUTCOME_COUNT)
			fn(arg, (enum frame_dir)k->dir, (enum frame_class)k->cls,
				(enum frame_outcome)k->outcome, &p->would[low].c);
	}
	return err;
}

static int would_zero(struct plane *p, uint32_t slot)
{
	int err = would_read(p);

	for (size_t i = 0; i < p->would_n && !err; i++)
		if (p->would[i].k.slot == slot)
			(void)bpf_map_delete_elem(bpf_map__fd(p->skel->maps.would), &p->would[i].k);
	p->would_ns = 0;
	return err;
}

/* --- both --- */

int bpf_counters_zero(struct plane *p, uint32_t slot)
{
	int fd = bpf_map__fd(p->skel->maps.counters), cpus = libbpf_num_possible_cpus(), err = 0;
	struct layout_counter *zero;

	if (slot >= p->limits.ports || cpus <= 0)
		return -EINVAL;
	zero = calloc(OUTCOME_COUNT * (size_t)cpus, sizeof *zero);
	if (!zero)
		return -ENOMEM;
	for (uint32_t i = 0; i < COUNTER_ROWS && !err; i++) {
		uint32_t row = slot * COUNTER_ROWS + i;

		err = bpf_map_update_elem(fd, &row, zero, BPF_ANY);
	}
	free(zero);
	return err ? err : would_zero(p, slot);
}
