/* A data plane: where verdicts happen. One table of operations; bpf (proxyarp/linux/bpf.c), packet
 * (proxyarp/linux/packet.c, libpcap, for kernels without BPF) and null (tests) fill it.
 *
 * All calls are idempotent: setting what is set and deleting what is gone is 0. -ENOSPC: the map is full (the caller
 * counts and alarms). After open() of a plane whose pinned state was adopted, the *_each() walks tell what is
 * there, and the caller removes what should not be.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyarp/layout.h"

struct plane;

struct plane_limits {
	uint32_t bindings4, bindings6, macs, ports, vteps;
};

enum plane_attached {
	PLANE_PUT = 1,	  /* they are there now: at first, or somebody had taken them off */
	PLANE_BEHIND = 2, /* something of others comes before them: what it takes is neither judged nor counted */
};

struct plane_ops {
	const char *name;
	/* Tells of each source MAC that it does not know (EVENT_MAC): the bridge need not learn beside it. */
	bool tells_sources;
	/* `dir`: where to pin (bpf), NULL for others. *ret_adopted: pinned maps of this layout were found and taken over. */
	int (*open)(const char *dir, const struct plane_limits *limits, struct plane **ret,
		bool *ret_adopted);
	/* keep: the data plane goes on answering without us (bpf: pins stay); else everything of ours is removed. */
	void (*close)(struct plane *p, bool keep);

	int (*port_set)(struct plane *p, uint32_t ifindex, const struct layout_port *port);
	/* Attaches the programs to an interface (after port_set), or looks whether they are still there: to be called every few
	 * seconds. Bits of enum plane_attached; 0: they were there, or this plane has none. -ENOENT: not set; -ENODEV: no such
	 * interface; -EEXIST: somebody else's filter stands where ours should. XDP that cannot be is no error: the log says
	 * why, once, and the port works without. */
	int (*port_attach)(struct plane *p, uint32_t ifindex, bool xdp);
	/* Buckets of a port's slot; NULL or rate 0: none. layout_port.policed says which are asked. A new slot has none. */
	int (*policer_set)(struct plane *p, uint32_t slot, enum frame_dir dir, enum layout_police group,
		const struct layout_policer *v);
	/* Takes programs off and forgets the port. */
	int (*port_del)(struct plane *p, uint32_t ifindex);

	int (*bind4_set)(struct plane *p, const struct layout_key4 *k, const struct layout_bind *v);
	int (*bind4_del)(struct plane *p, const struct layout_key4 *k);
	int (*bind6_set)(struct plane *p, const struct layout_key6 *k, const struct layout_bind *v);
	int (*bind6_del)(struct plane *p, const struct layout_key6 *k);
	int (*mac_set)(struct plane *p, const struct layout_mac_key *k, const struct layout_mac *v);
	int (*mac_del)(struct plane *p, const struct layout_mac_key *k);

	/* See struct layout_vtep_key. */
	int (*vtep_set)(struct plane *p, const struct layout_vtep_key *k);
	int (*vtep_del)(struct plane *p, const struct layout_vtep_key *k);
	/* NULL: this plane adopts nothing, so there is nothing that its caller has not set. */
	void (*vtep_each)(struct plane *p, void (*fn)(void *, const struct layout_vtep_key *), void *arg);

	void (*bind4_each)(struct plane *p, void (*fn)(void *, const struct layout_key4 *,
		const struct layout_bind *), void *arg);
	void (*bind6_each)(struct plane *p, void (*fn)(void *, const struct layout_key6 *,
		const struct layout_bind *), void *arg);
	void (*mac_each)(struct plane *p, void (*fn)(void *, const struct layout_mac_key *,
		const struct layout_mac *), void *arg);
	void (*port_each)(struct plane *p, void (*fn)(void *, uint32_t ifindex,
		const struct layout_port *), void *arg);

	/* All counters of a slot, summed over CPUs: out[DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT]. */
	int (*counters)(struct plane *p, uint32_t slot,
		struct layout_counter (*out)[CLASS_COUNT][OUTCOME_COUNT]);
	/* What a slot let go but would not have: see struct layout_would_key. */
	int (*would_each)(struct plane *p, uint32_t slot, void (*fn)(void *arg, enum frame_dir dir, enum frame_class cls,
		enum frame_outcome would, const struct layout_counter *c), void *arg);
	/* Both. */
	int (*counters_zero)(struct plane *p, uint32_t slot);

	/* A descriptor that is readable when events (or frames) wait, and what to do then; fn is called for each event. */
	int (*fd)(struct plane *p);
	int (*poll)(struct plane *p, void (*fn)(void *, const struct layout_event *), void *arg);
	/* Sends one frame of our own out of a port, counted as outcome PROBE (refresh, GARP). */
	int (*send)(struct plane *p, uint32_t ifindex, const uint8_t *frame, size_t len);
};

extern const struct plane_ops plane_null;
extern const struct plane_ops plane_packet;
extern const struct plane_ops plane_bpf;
