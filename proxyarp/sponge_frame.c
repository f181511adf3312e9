/* The sponge's own frames.
 *
 * A question goes to ports where somebody unknown may be, as it would have if nobody stood between: in the name of one who asked. An
 * ARP probe (sender 0) is what remains when nobody's address is known; a host that is just probing for the same address takes it for
 * a rival (RFC 5227 section 2.1.1), so it is the second choice. An NS has a source of its own, which a tentative address ignores
 * (RFC 4862 section 5.4.3). */
#include "proxyarp/sponge_frame.h"

#include <string.h>

#include "proxyarp/answer.h"
#include "proxyarp/wire_frame.h"

_Static_assert(SPONGE_FRAME_MAX >= WIRE_ND_LEN, "the longer of the two");

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static size_t arp_question(struct ip ip, struct mac from, struct ip from_ip, uint8_t *out)
{
	return wire_arp(&(struct wire_arp){.dst = broadcast,
				.src = from.b,
				.sender_ip = from_ip.b,
				.target_ip = ip.b,
				.opcode = 1},
		out);
}

static size_t ns_question(struct ip ip, struct mac from, uint8_t *out)
{
	const uint8_t group_mac[6] = {0x33, 0x33, 0xff, ip.b[13], ip.b[14], ip.b[15]};
	const uint8_t group[16] = {0xff, 2, [11] = 1, 0xff, ip.b[13], ip.b[14], ip.b[15]};
	uint8_t own[16];

	wire_link_local(from.b, own);
	return wire_nd(&(struct wire_nd){.dst = group_mac,
			       .src = from.b,
			       .ip_src = own,
			       .ip_dst = group,
			       .target = ip.b,
			       .type = WIRE_NS},
		out);
}

size_t sponge_question(
	struct ip ip, struct mac from, struct ip from_ip, uint8_t out[static SPONGE_FRAME_MAX])
{
	return ip.family == 4 ? arp_question(ip, from, from_ip, out) : ns_question(ip, from, out);
}

size_t sponge_told(struct mac to, struct ip to_ip, struct ip ip, struct mac owner, bool router,
	uint8_t out[static SPONGE_FRAME_MAX])
{
	/* The answer that it would have had to a question; in ND to one without a source, since that answer is not solicited. */
	struct frame asked = {.cls = ip.family == 4 ? CLASS_ARP_REQUEST : CLASS_NS_DAD,
		.src = to,
		.sender = ip.family == 4 && to_ip.family == 4 ? to_ip : ip,
		.target = ip};
	struct layout_bind bind = {.flags = (uint8_t)(BIND_OVERRIDE | (router ? BIND_ROUTER : 0))};

	memcpy(bind.mac, owner.b, 6);
	return answer_build(&asked, &bind, ANSWER_TO_FABRIC, out);
}
