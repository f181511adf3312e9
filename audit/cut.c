/* A capture may have kept only the first octets of each frame. What frame_read() would say of those alone is not what the frame was: a
 * neighbour solicitation without its last option fails its checksum, and would be called malformed. So a frame that was cut
 * where its class is made from is read as if the capture had all of it: what is missing is taken for right. ARP and ND are mended
 * (length and checksum for the octets that are there, whole options only) and then read by the same code as any; of others the
 * class is what the octets say that are there.
 *
 * Of a mended frame without its addresses (`maimed`) nothing further is asked.
 */
#include <string.h>

#include "audit/state.h"

#define ETH_LEN 14
#define ARP_LEN 42
#define ARP_OPCODE_END 22
#define IP6_LEN 40
#define ICMP6_AT (ETH_LEN + IP6_LEN)
#define ICMP6_SUM 2
#define PROTO_ICMP6 58

static uint16_t type_of(const struct audit_passage *p)
{
	return (uint16_t)(p->octets[12] << 8 | p->octets[13]);
}

static void mend_arp(struct audit_passage *p, uint8_t *room)
{
	p->maimed = true;
	if (p->len < ARP_OPCODE_END)
		return;
	memset(room, 0, ARP_LEN);
	memcpy(room, p->octets, p->len);
	/* An unknown sender is somebody, and asks for another. */
	if (p->len < 32)
		room[31] = 1;
	room[41] = room[31] ^ 2;
	frame_read(room, ARP_LEN, false, &p->f);
	p->f.mismatch = false;
}

/* The fixed part of each ND message, RFC 4861 section 4. */
static size_t nd_fixed(uint8_t type)
{
	static const uint8_t fixed[] = {8, 16, 24, 24, 40};

	return type >= 133 && type <= 137 ? fixed[type - 133] : 0;
}

/* So many octets as the class is made from; 0: of the Ethernet header alone. */
static size_t needed(const struct audit_passage *p)
{
	const uint8_t *ip = p->octets + ETH_LEN;

	switch (type_of(p)) {
	case 0x0806:
		return ARP_LEN;
	case 0x0800:
		return ETH_LEN + 20 + 8;
	case 0x86dd:
		if (p->len <= ICMP6_AT || ip[6] != PROTO_ICMP6)
			return ICMP6_AT + 20;
		return ICMP6_AT + (nd_fixed(ip[IP6_LEN]) ? (size_t)(ip[4] << 8 | ip[5]) : 4);
	default:
		return type_of(p) < 0x0600 ? ETH_LEN + 8 : 0;
	}
}

/* How far whole options go. */
static size_t whole_options(const uint8_t *msg, size_t at, size_t len)
{
	while (at + 2 <= len && msg[at + 1] && at + msg[at + 1] * 8u <= len)
		at += msg[at + 1] * 8u;
	return at;
}

static void mend_nd(struct audit_passage *p, uint8_t *room)
{
	size_t have = p->len - ICMP6_AT, fixed = nd_fixed(p->octets[ICMP6_AT]);
	uint8_t *msg = room + ICMP6_AT;

	if (have > AUDIT_MEND_MAX - ICMP6_AT)
		have = AUDIT_MEND_MAX - ICMP6_AT;
	memset(room, 0, AUDIT_MEND_MAX);
	memcpy(room, p->octets, ICMP6_AT + have);
	p->maimed = have < fixed;
	size_t len = p->maimed ? fixed : whole_options(msg, fixed, have);
	room[ETH_LEN + 4] = (uint8_t)(len >> 8);
	room[ETH_LEN + 5] = (uint8_t)len;
	msg[ICMP6_SUM] = msg[ICMP6_SUM + 1] = 0;
	uint16_t sum = frame_icmp6_sum(room + ETH_LEN + 8, room + ETH_LEN + 24, msg, len);
	msg[ICMP6_SUM] = (uint8_t)(sum >> 8);
	msg[ICMP6_SUM + 1] = (uint8_t)sum;
	frame_read(room, ICMP6_AT + len, false, &p->f);
	if (!p->maimed) {
		p->octets = room;
		p->len = ICMP6_AT + len;
	}
}

static bool is_nd(const struct audit_passage *p)
{
	return type_of(p) == 0x86dd && p->len >= ICMP6_AT + 4 && p->octets[ETH_LEN + 6] == PROTO_ICMP6 &&
	       nd_fixed(p->octets[ICMP6_AT]);
}

void audit_read_frame(struct audit_passage *p, uint8_t room[AUDIT_MEND_MAX])
{
	frame_read(p->octets, p->len, false, &p->f);
	if (p->len >= p->wire_len)
		return;
	if (p->len < ETH_LEN) {
		p->cut = p->maimed = true;
		return;
	}
	if (p->len >= needed(p))
		return;
	p->cut = true;
	if (p->f.cls == CLASS_ARP_BAD)
		mend_arp(p, room);
	else if (is_nd(p))
		mend_nd(p, room);
	else if (p->f.cls == CLASS_ND_BAD)
		p->f.cls = mac_is_group(p->f.dst) ? CLASS_IP6_MULTICAST : CLASS_IP6_UNICAST;
}
