/* The pacer of all frames that the agent sends of its own accord: Confirm messages, refreshes, the sponge's, and announcements
 * (gratuitous ARP, unsolicited NA) of bindings to all local members. N bindings to P members at once would be the very storm that
 * quell is there to prevent, so everything waits here, bounded, one frame for one (kind, port, address) at a time, and leaves as
 * two budgets allow: one in all, one a port. Announcements have budgets of their own, behind all else.
 *
 * An announcement is kept once, however many ports it has to go to: each port has its place in the one list of them. One that is
 * overtaken by a newer one of the same address, or whose binding is gone, is taken out before it is sent.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyarp/binding.h"

struct announce;

struct announce_stats {
	uint32_t waiting;	  /* frames to one port */
	uint32_t waiting_of[ANNOUNCE_KINDS];
	uint32_t waiting_addresses; /* announcements that not all ports have had */
	uint64_t sent[ANNOUNCE_KINDS], announced; /* frames */
	uint64_t replaced, dropped;		 /* by a newer one; because too many waited */
};

typedef void announce_send_fn(void *arg, uint32_t ifindex, const uint8_t *frame, size_t len);

/* NULL: out of memory. */
struct announce *announce_new(const struct announce_config *c, announce_send_fn *send, void *arg);
void announce_free(struct announce *a);
/* Other rates; what waits goes by them. */
void announce_configure(struct announce *a, const struct announce_config *c);
/* The port is there, and (`announce`) gets announcements. -ENOMEM. */
int announce_port(struct announce *a, uint32_t ifindex, bool announce);
/* With all that waits for it. */
void announce_port_gone(struct announce *a, uint32_t ifindex);

/* To all ports but `except`, the owner's. `flags`: BIND_ROUTER. */
void announce_binding(struct announce *a, struct ip ip, struct mac mac, uint8_t flags, uint32_t except);
void announce_forget(struct announce *a, struct ip ip);
/* See bindings_send(). */
int announce_frame(struct announce *a, enum announce_kind kind, uint32_t ifindex, struct ip ip, const uint8_t *frame,
	size_t len);
uint64_t announce_drain(struct announce *a, uint64_t now_ms);
void announce_stats(const struct announce *a, struct announce_stats *ret);

/* The frame of an announcement: a gratuitous ARP request (RFC 5227 section 2.3), or an unsolicited NA to all nodes with O set
 * (RFC 4861 section 7.2.6), from the owner's MAC. Returns its length. */
size_t announce_build(struct ip ip, struct mac mac, uint8_t flags, uint8_t out[static ANNOUNCE_FRAME_MAX]);
