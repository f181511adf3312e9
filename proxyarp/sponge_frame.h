/* The frames that the sponge sends by itself: who has this address, asked of all; and where it is, told to one. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"

#define SPONGE_FRAME_MAX 86

/* ARP: in the name of `from`, its own question sent on; `from_ip` of no family: an ARP probe. NS: from the link-local address that
 * the MAC makes. To all, or the solicited-node group. Returns the length. */
size_t sponge_question(
	struct ip ip, struct mac from, struct ip from_ip, uint8_t out[static SPONGE_FRAME_MAX]);

/* To one MAC alone: an ARP reply to its address (of no family: as if to `ip` itself), or an unsolicited NA (RFC 4861 section 7.2.6,
 * override set). From the owner's MAC, as all answers are (RFC 9161 section 3.3 a). */
size_t sponge_told(struct mac to, struct ip to_ip, struct ip ip, struct mac owner, bool router,
	uint8_t out[static SPONGE_FRAME_MAX]);
