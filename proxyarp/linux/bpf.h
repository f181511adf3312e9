/* The BPF plane's own header: what bpf.c (life, tables), bpf_adopt.c (pinned maps), bpf_dir.c (the
 * pins' directory) and bpf_attach.c (programs on interfaces) share. Others use plane.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "proxyarp/plane.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "proxyarp/linux/quell.skel.h"
#pragma GCC diagnostic pop

struct plane {
	struct quell_bpf *skel;
	struct plane_limits limits;
	char *dir;    /* the versioned directory, where all pins are */
	bool mounted; /* we mounted its bpffs */
	bool fresh;   /* we made it, and the lock is ours: what is in it is of this open() */
	int lock;     /* the directory, locked: one agent a directory */
	int raw;      /* AF_PACKET, for send() */
	uint64_t *generation; /* mapped; raised after each change, see bpf_scratch.h */
	struct ring_buffer *ring;
	struct bpf_would *would; /* would_each()'s rows of all slots, by slot */
	size_t would_n;
	uint64_t would_ns; /* when they were read */
	void (*fn)(void *, const struct layout_event *); /* during poll() */
	void *arg;
};

/* --- bpf_ledger.c --- */

int bpf_counters(struct plane *p, uint32_t slot, struct layout_counter (*out)[CLASS_COUNT][OUTCOME_COUNT]);
int bpf_would_each(struct plane *p, uint32_t slot,
	void (*fn)(void *arg, enum frame_dir dir, enum frame_class cls, enum frame_outcome would,
		const struct layout_counter *c),
	void *arg);
int bpf_counters_zero(struct plane *p, uint32_t slot);

/* --- bpf_dir.c --- */

/* Sees to `dir`/v<LAYOUT_VERSION> on a bpffs, and locks it. 0 fills dir to lock; errors are logged.
 */
int bpf_dir_open(const char *dir, struct plane *p);
/* Unlinks all pins of ours and those of other layouts, and the directories. */
void bpf_dir_remove(struct plane *p);
/* Removes what other layouts' versions left. */
void bpf_dir_sweep(struct plane *p);
/* Pins over whatever has that name. 0 or -errno. */
int bpf_dir_pin(struct plane *p, int fd, const char *name);
void bpf_dir_unpin(struct plane *p, const char *name);
/* The pinned object's descriptor, or -errno. */
int bpf_dir_get(struct plane *p, const char *name);

/* --- bpf_adopt.c --- */

/* Loads the programs onto the pinned maps, or onto new ones which it pins. *ret_adopted: some were
 * there. */
int bpf_adopt(struct plane *p, bool *ret_adopted);

/* --- bpf_attach.c --- */

int bpf_attach(struct plane *p, uint32_t ifindex, enum layout_port_kind kind, bool xdp);
/* Takes off what is ours; an interface that is gone is 0. */
int bpf_detach(struct plane *p, uint32_t ifindex);
