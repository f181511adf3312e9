/* Building the answers. RFC 9161 section 3.3: the frame's source is the owner's MAC (a), so that
 * what the asker's and the fabric's bridges see is the owner; O is always set but with anycast
 * (d), R is as the owner said; DAD gets S clear and all-nodes (RFC 4861 section 7.2.4). Nothing of the request's
 * bytes behind its fixed fields is echoed.
 */
#include "proxyarp/answer.h"

#include "proxyarp/wire_frame.h"

_Static_assert(VERDICT_ANSWER_MAX == WIRE_ND_LEN, "the longer of the two");

static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};

static size_t build_na(const struct frame *f, const struct layout_bind *owner, unsigned how, uint8_t *out)
{
	bool dad = f->cls == CLASS_NS_DAD;
	uint8_t flags = dad ? 0 : FRAME_NA_SOLICITED;

	if (!(how & ANSWER_ANYCAST) || owner->flags & BIND_OVERRIDE)
		flags |= FRAME_NA_OVERRIDE;
	if (owner->flags & BIND_ROUTER)
		flags |= FRAME_NA_ROUTER;
	return wire_nd(&(struct wire_nd){.dst = dad && !(how & ANSWER_TO_FABRIC) ? all_nodes_mac : f->src.b,
			       .src = owner->mac,
			       .ip_src = f->target.b,
			       .ip_dst = dad ? all_nodes : f->sender.b,
			       .target = f->target.b,
			       .type = WIRE_NA,
			       .flags = flags},
		out);
}

size_t answer_build(const struct frame *f, const struct layout_bind *owner, unsigned how,
	uint8_t out[static VERDICT_ANSWER_MAX])
{
	if (!frame_is_arp(f))
		return build_na(f, owner, how, out);
	return wire_arp(&(struct wire_arp){.dst = f->src.b,
				.src = owner->mac,
				.sender_ip = f->target.b,
				.target_mac = f->src.b,
				.target_ip = f->sender.b,
				.opcode = 2},
		out);
}
