/* The frames of announcements. Their source is the owner's MAC, so that the switches behind a member's port see it where it is
 * from there: that is why the owner's own port never gets one. */
#include "proxyarp/announce.h"
#include "proxyarp/frame.h"
#include "proxyarp/layout.h"
#include "proxyarp/wire_frame.h"

_Static_assert(ANNOUNCE_FRAME_MAX >= WIRE_ND_LEN, "the longer of the two");

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};

size_t announce_build(
	struct ip ip, struct mac mac, uint8_t flags, uint8_t out[static ANNOUNCE_FRAME_MAX])
{
	if (ip.family == 4)
		return wire_arp(&(struct wire_arp){.dst = broadcast,
					.src = mac.b,
					.sender_ip = ip.b,
					.target_ip = ip.b,
					.opcode = 1},
			out);
	return wire_nd(&(struct wire_nd){.dst = all_nodes_mac,
			       .src = mac.b,
			       .ip_src = ip.b,
			       .ip_dst = all_nodes,
			       .target = ip.b,
			       .type = WIRE_NA,
			       .flags = FRAME_NA_OVERRIDE | (flags & BIND_ROUTER ? FRAME_NA_ROUTER : 0)},
		out);
}
