/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * Values of the BPF plane's own maps. struct bpf_frame is what a program knows of the frame in
 * hand, in a map per CPU: too long for the stack because of the ND message, and memory whose
 * content the kernel's verifier need not follow through every path. The tests read it too.
 */
#pragma once
#include <stddef.h>

#include "proxyarp/layout.h"

#define COUNTER_ROWS (DIR_COUNT * CLASS_COUNT) /* of a slot in map counters */

/* What is to be told of the frame; type 0: nothing. Octets as in struct layout_event. */
struct bpf_tell {
	uint32_t type, family, flags;
	uint32_t ip[4];
};

#define ND_MAX 256

struct bpf_frame {
	uint64_t dst, src; /* MACs, see mac_of() */
	uint32_t len, cls;
	uint32_t sender4, target4; /* ARP */
	uint32_t na_flags;         /* EVENT_NA_* */
	uint32_t mismatch;         /* the hardware address inside is not the frame's source */
	uint32_t other_options;    /* NS: an option other than source link-layer and nonce */
	struct bpf_tell tell;
	/* ND: the IPv6 addresses, and right behind them the message: as the checksum wants it. */
	uint32_t nd_src[4], nd_dst[4];
	uint8_t msg[512]; /* ND_MAX, and room for a masked index */
};
_Static_assert(offsetof(struct bpf_frame, nd_src) % 8 == 0, "copied in words of eight octets");

/* A bucket, and the time at which the policed traffic would have been sent at its rate (see police()). */
struct bpf_policer {
	struct layout_policer conf;
	uint64_t ends_ns;
};

/* What a CPU remembers of the tables, true as long as the generation is the one it was read in: the
 * ports, and speakers (this MAC at this port, for this address) that were found good with nothing
 * to tell. Three look-ups of four saved. Rows are chosen by a few bits of the key and overwritten
 * by the next comer. */
#define CACHED_PORTS 64
#define CACHED_SPEAKERS 1024

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
