/* The BPF plane's own header: what bpf.c (life, tables), bpf_ledger.c (counters), bpf_adopt.c (pinned maps), bpf_dir.c (the
 * pins' directory), bpf_old.c (other layouts'), bpf_attach.c and bpf_xdp.c (programs on interfaces) share. Others use
 * plane.h. */
#pragma once
#include <stdbool.h>
#include <net/if.h>
#include <stdint.h>

#include "lib/hmap.h"
#include "proxyarp/plane.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "proxyarp/linux/quell.skel.h"
#pragma GCC diagnostic pop

struct nl_sock;
struct nl_msg;

/* What we remember of an interface between two looks at it. */
struct bpf_port {
	uint32_t ifindex;
	bool known;	  /* attached before */
	bool before;	  /* filters or TCX programs of others come before ours */
	bool xdp;	  /* ours was there */
	bool xdp_foreign; /* another's is there */
	bool told_before;
	int xdp_err; /* why it is not there, as the log has been told */
};

struct plane {
	struct quell_bpf *skel;
	struct plane_limits limits;
	char *dir;    /* the versioned directory, where all pins are */
	bool mounted; /* we mounted its bpffs */
	bool fresh;   /* we made it, and the lock is ours: what is in it is of this open() */
	int lock;     /* the directory, locked: one agent a directory */
	int raw;      /* AF_PACKET, for send() */
	uint64_t *generation; /* mapped; raised after each change, see bpf_scratch.h */
	struct hmap attached;  /* struct bpf_port */
	struct nl_sock *nl;    /* see bpf_ask(); NULL until needed */
	bool old;	       /* there are other layouts' directories */
	uint32_t *old_ports;   /* on which their programs are */
	size_t old_n;
	uint64_t old_since;
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
/* Unlinks our pins and our directory, and the one it is in if that is then empty. */
void bpf_dir_remove(struct plane *p);
/* Removes what other layouts' versions left. */
void bpf_dir_sweep(struct plane *p);
/* For each directory of another version; ends with the first error, which it returns. */
int bpf_dir_others(struct plane *p, int (*fn)(struct plane *p, const char *dir, void *arg), void *arg);
/* Pins over whatever has that name. 0 or -errno. */
int bpf_dir_pin(struct plane *p, int fd, const char *name);
void bpf_dir_unpin(struct plane *p, const char *name);
/* The pinned object's descriptor, or -errno. */
int bpf_dir_get(struct plane *p, const char *name);

/* --- bpf_adopt.c --- */

/* Loads the programs onto the pinned maps, or onto new ones which it pins. *ret_adopted: some were
 * there. */
int bpf_adopt(struct plane *p, bool *ret_adopted);

/* --- bpf_old.c --- */

int bpf_old_open(struct plane *p);
/* This port is ours now; `was_there`: it was so before. */
void bpf_old_attached(struct plane *p, const struct bpf_port *port, bool was_there);
void bpf_old_close(struct plane *p, bool keep);
/* The program of that id that is pinned under that name, by whichever version; or -1. */
int bpf_old_program(struct plane *p, const char *name, uint32_t id);

/* --- bpf_attach.c --- */

/* As plane.h's port_attach. */
int bpf_attach(struct plane *p, uint32_t ifindex, enum layout_port_kind kind, bool xdp);
/* Takes off what is ours; an interface that is gone is 0. */
int bpf_detach(struct plane *p, uint32_t ifindex);
void bpf_attached_free(struct plane *p);
const char *bpf_name_of(uint32_t ifindex, char buf[IF_NAMESIZE]);
/* 0: there is none. */
uint32_t bpf_program_id(int fd);
/* One question to rtnetlink; row() sees each message of the answer. 0 or -errno. */
int bpf_ask(struct plane *p, int type, int flags, void *body, size_t len,
	int (*row)(struct nl_msg *, void *), void *arg);

/* --- bpf_xdp.c --- */

/* Sees to XDP on a port. `first`: the tc programs were put there just now. 1: somebody had taken it off. */
int bpf_xdp(struct plane *p, struct bpf_port *port, bool wanted, bool first);
void bpf_xdp_detach_ours(struct plane *p, uint32_t ifindex);
