/* The sponge's own frames.
 *
 * A question goes to ports where somebody unknown may be, as it would have if nobody stood between: in the name of one who asked. An
 * ARP probe (sender 0) is what remains when nobody's address is known; a host that is just probing for the same address takes it for
 * a rival (RFC 5227 section 2.1.1), so it is the second choice. An NS has a source of its own, which a tentative address ignores
 * (RFC 4862 section 5.4.3). */
#include "proxyarp/sponge_frame.h"

#include <string.h>

#include "proxyarp/answer.h"

struct arp_question {
	uint8_t dst[6], src[6], ethertype[2];
	uint8_t hardware[2], protocol[2], lengths[2], opcode[2];
	uint8_t sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
};

struct ns_message {
	uint8_t type, code, checksum[2], reserved[4];
	uint8_t target[16];
	uint8_t option, option_units, option_mac[6];
};

struct ns_question {
	uint8_t dst[6], src[6], ethertype[2];
	uint8_t version[4], payload_len[2], next, hop_limit;
	uint8_t ip_src[16], ip_dst[16];
	struct ns_message ns;
};

_Static_assert(sizeof(struct arp_question) == 42, "ARP over Ethernet");
_Static_assert(sizeof(struct ns_question) == SPONGE_FRAME_MAX, "NS with its option");

static size_t arp_question(struct ip ip, struct mac from, struct ip from_ip, uint8_t *out)
{
	struct arp_question q = {
		.dst = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		.ethertype = {0x08, 0x06},
		.hardware = {0, 1},
		.protocol = {0x08, 0x00},
		.lengths = {6, 4},
		.opcode = {0, 1},
	};

	memcpy(q.src, from.b, 6);
	memcpy(q.sender_mac, from.b, 6);
	memcpy(q.sender_ip, from_ip.b, 4);
	memcpy(q.target_ip, ip.b, 4);
	memcpy(out, &q, sizeof(q));
	return sizeof(q);
}

static size_t ns_question(struct ip ip, struct mac from, uint8_t *out)
{
	struct ns_question q = {
		.dst = {0x33, 0x33, 0xff, ip.b[13], ip.b[14], ip.b[15]},
		.ethertype = {0x86, 0xdd},
		.version = {0x60},
		.payload_len = {0, sizeof(struct ns_message)},
		.next = 58,
		.hop_limit = 255,
		.ip_src = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, from.b[0] ^ 2, from.b[1], from.b[2], 0xff,
			0xfe, from.b[3], from.b[4], from.b[5]},
		.ip_dst = {0xff, 2, [11] = 1, 0xff, ip.b[13], ip.b[14], ip.b[15]},
		.ns = {.type = 135, .option = 1, .option_units = 1},
	};
	uint8_t message[sizeof(struct ns_message)];

	memcpy(q.src, from.b, 6);
	memcpy(q.ns.target, ip.b, 16);
	memcpy(q.ns.option_mac, from.b, 6);
	memcpy(message, &q.ns, sizeof(message));
	uint16_t sum = frame_icmp6_sum(q.ip_src, q.ip_dst, message, sizeof(message));
	q.ns.checksum[0] = (uint8_t)(sum >> 8);
	q.ns.checksum[1] = (uint8_t)sum;
	memcpy(out, &q, sizeof(q));
	return sizeof(q);
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
	return answer_build(&asked, &bind, true, out);
}
