/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * Values of the BPF plane's own maps. struct bpf_frame is what a program knows of the frame in
 * hand, in a map per CPU: too long for the stack because of the ND message, and memory whose
 * content the kernel's verifier need not follow through every path. The tests read it too.
 */
#pragma once
#include <stddef.h>

#include "proxyarp/layout.h"

enum { BUDGET_LEARN, BUDGET_SPOOF, BUDGET_ASK, BUDGET_KINDS };

#define COUNTER_ROWS (DIR_COUNT * CLASS_COUNT) /* of a slot in map counters */
#define WOULD_ROWS 64			       /* of a slot in map would, on the average */

/* What is to be told of the frame; type 0: nothing. Octets as in struct layout_event. */
struct bpf_tell {
	uint32_t type, family, flags, rule;
	uint32_t ip[4];
};

/* An IPv4 or IPv6 header that is whole, and what stands behind it: read only where a rule asks. */
struct bpf_ip {
	uint32_t family; /* 0: there is none */
	uint32_t protocol; /* of what is at `at`; 255: a later fragment */
	uint32_t at;
	uint32_t src[4], dst[4]; /* IPv4: the first */
};

#define ND_MAX 256

struct bpf_frame {
	uint64_t dst, src; /* MACs, see mac_of() */
	uint32_t len, cls;
	uint32_t sender4, target4; /* ARP */
	uint32_t na_flags;         /* EVENT_NA_* */
	uint32_t mismatch;         /* the hardware address inside is not the frame's source */
	uint32_t other_options;    /* NS: an option other than source link-layer and nonce */
	uint32_t outcome;	   /* for tell_event() */
	struct bpf_tell tell, ask; /* about its sender; what it is after */
	struct bpf_ip ip;	   /* see ip_look() */
	uint32_t pad;
	/* ND: the IPv6 addresses, and right behind them the message: as the checksum wants it. */
	uint32_t nd_src[4], nd_dst[4];
	uint8_t msg[512]; /* ND_MAX, and room for a masked index */
};
_Static_assert(offsetof(struct bpf_frame, nd_src) % 8 == 0, "copied in words of eight octets");

/* A bucket: what was asked for, the same as the program wants it (time that an octet or frame takes, and the burst),
 * and when the traffic let through would have ended at its rate: see police(). */
#define POLICER_SHIFT 10       /* fraction bits of each_ns */
#define POLICER_COARSE_NS 20000000 /* a burst of at least two of the slowest ticks: a tick's clock loses nothing */

struct bpf_policer {
	struct layout_policer conf;
	uint64_t each_ns, burst_ns;
	uint64_t ends_ns;
};

/* What a CPU remembers of the tables, true as long as the generation is the one it was read in: the
 * ports, and speakers (this MAC at this port, for this address) that were found good with nothing
 * to tell. Three look-ups of four saved. Rows are chosen by a few bits of the key and overwritten
 * by the next comer. */
#define CACHED_PORTS 64
#define CACHED_SPEAKERS 1024
#define CACHED_VTEPS 256

struct bpf_cached_port {
	uint32_t ifindex, generation;
	struct layout_port port;
};

struct bpf_cached_speaker {
	uint64_t mac;
	uint32_t ifindex, generation;
	uint32_t ip[4]; /* ARP: the first, and 4 in the last; 0: speaks for none */
	uint32_t family;
	uint32_t pad;
};

/* A VTEP, to one of ours, in a VNI: good. */
struct bpf_cached_vtep {
	uint32_t vni, generation;
	uint32_t src[4], dst[4];
};
