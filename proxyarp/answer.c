/* Building the answers. RFC 9161 section 3.3: the frame's source is the owner's MAC (a), so that
 * what the asker's and the fabric's bridges see is the owner; O is always set but with anycast
 * (d), R is as the owner said; DAD gets S clear and all-nodes (RFC 4861 section 7.2.4). Nothing of the request's
 * bytes behind its fixed fields is echoed.
 */
#include "proxyarp/answer.h"

/* Both frames have a fixed shape; made of octets alone, they have no padding. */
struct arp_answer {
	uint8_t dst[6], src[6], ethertype[2];
	uint8_t hardware[2], protocol[2], lengths[2], opcode[2];
	uint8_t sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
};

struct na_message {
	uint8_t type, code, checksum[2], flags, reserved[3];
	uint8_t target[16];
	uint8_t option, option_units, option_mac[6];
};

struct na_answer {
	uint8_t dst[6], src[6], ethertype[2];
	uint8_t version[4], payload_len[2], next, hop_limit;
	uint8_t ip_src[16], ip_dst[16];
	struct na_message na;
};

_Static_assert(sizeof(struct arp_answer) == 42, "ARP over Ethernet");
_Static_assert(sizeof(struct na_answer) == VERDICT_ANSWER_MAX, "NA with its option");

static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};

static void build_arp(const struct frame *f, const struct layout_bind *owner, struct arp_answer *a)
{
	*a = (struct arp_answer){
		.ethertype = {0x08, 0x06},
		.hardware = {0, 1},
		.protocol = {0x08, 0x00},
		.lengths = {6, 4},
		.opcode = {0, 2},
	};
	memcpy(a->dst, f->src.b, 6);
	memcpy(a->src, owner->mac, 6);
	memcpy(a->sender_mac, owner->mac, 6);
	memcpy(a->sender_ip, f->target.b, 4);
	memcpy(a->target_mac, f->src.b, 6);
	memcpy(a->target_ip, f->sender.b, 4);
}

static void build_na(
	const struct frame *f, const struct layout_bind *owner, unsigned how, struct na_answer *a)
{
	bool dad = f->cls == CLASS_NS_DAD;

	*a = (struct na_answer){
		.ethertype = {0x86, 0xdd},
		.version = {0x60},
		.payload_len = {0, sizeof(struct na_message)},
		.next = 58,
		.hop_limit = 255,
		.na = {.type = 136, .option = 2, .option_units = 1},
	};
	if (!(how & ANSWER_ANYCAST) || owner->flags & BIND_OVERRIDE)
		a->na.flags |= FRAME_NA_OVERRIDE;
	if (owner->flags & BIND_ROUTER)
		a->na.flags |= FRAME_NA_ROUTER;
	if (!dad)
		a->na.flags |= FRAME_NA_SOLICITED;
	memcpy(a->dst, dad && !(how & ANSWER_TO_FABRIC) ? all_nodes_mac : f->src.b, 6);
	memcpy(a->src, owner->mac, 6);
	memcpy(a->ip_src, f->target.b, 16);
	memcpy(a->ip_dst, dad ? all_nodes : f->sender.b, 16);
	memcpy(a->na.target, f->target.b, 16);
	memcpy(a->na.option_mac, owner->mac, 6);

	uint8_t message[sizeof(struct na_message)];
	memcpy(message, &a->na, sizeof(message));
	uint16_t sum = frame_icmp6_sum(a->ip_src, a->ip_dst, message, sizeof(message));
	a->na.checksum[0] = (uint8_t)(sum >> 8);
	a->na.checksum[1] = (uint8_t)sum;
}

size_t answer_build(const struct frame *f, const struct layout_bind *owner, unsigned how,
	uint8_t out[static VERDICT_ANSWER_MAX])
{
	if (frame_is_arp(f)) {
		struct arp_answer a;
		build_arp(f, owner, &a);
		memcpy(out, &a, sizeof(a));
		return sizeof(a);
	}
	struct na_answer a;
	build_na(f, owner, how, &a);
	memcpy(out, &a, sizeof(a));
	return sizeof(a);
}
