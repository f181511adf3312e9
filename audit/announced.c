/* Rule 16, do not announce the prefix of the peering LAN: the one rule that shows in BGP, and so in the captures of a port where a member's
 * sessions pass. UPDATEs (RFC 4271 section 4.3; RFC 4760 for IPv6) are read out of single TCP segments, from the first marker on; a
 * message that does not end in its segment is left. A capture is no TCP: what is found is proof, what is not found none.
 *
 * Only sessions of the LAN count, from an address of its prefixes or a link-local one: what a member's customers say to each other
 * through its router is not its own word. What counts is the prefix itself or a part of it, announced; a shorter one that covers it
 * is another thing. Path identifiers (RFC 7911) are not known to be there; with them the prefixes behind are read askew, and an
 * announcement may be missed.
 */
#include <string.h>

#include "audit/state.h"
#include "lib/reader.h"

#define ETHERNET_LEN 14
#define PROTOCOL_TCP 6
#define PORT_BGP 179
#define MARKER_LEN 16
#define MESSAGE_MIN 19
#define MESSAGE_UPDATE 2
#define ATTR_EXTENDED_LENGTH 0x10
#define ATTR_MP_REACH 14
#define AFI_IP4 1
#define AFI_IP6 2
#define SAFI_UNICAST 1

static struct reader up_to(struct reader *r, size_t len)
{
	size_t left = reader_left(r);

	return reader_sub(r, len < left ? len : left);
}

static struct reader nothing(void)
{
	return reader_of(NULL, 0);
}

/* What is behind an IP header, if that is TCP and no later fragment; up to the octets that were captured. */
static struct reader ip4_tcp(struct reader *r, struct ip *ret_src)
{
	uint8_t head = reader_u8(r), src[4];
	size_t ihl = (size_t)(head & 0xf) * 4;

	reader_skip(r, 1);
	uint16_t total = reader_u16(r);
	reader_skip(r, 2);
	uint16_t fragment = reader_u16(r);
	reader_skip(r, 1);
	uint8_t protocol = reader_u8(r);
	reader_skip(r, 2);
	reader_copy(r, src, sizeof(src));
	reader_skip(r, 4);
	*ret_src = ip_v4(src);
	if (head >> 4 != 4 || ihl < 20 || total < ihl || protocol != PROTOCOL_TCP || (fragment & 0x1fff))
		return nothing();
	reader_skip(r, ihl - 20);
	return up_to(r, total - ihl);
}

static struct reader ip6_tcp(struct reader *r, struct ip *ret_src)
{
	uint8_t head = reader_u8(r), src[16];

	reader_skip(r, 3);
	uint16_t len = reader_u16(r);
	uint8_t next = reader_u8(r);
	reader_skip(r, 1);
	reader_copy(r, src, sizeof(src));
	reader_skip(r, 16);
	*ret_src = ip_v6(src);
	return head >> 4 == 6 && next == PROTOCOL_TCP ? up_to(r, len) : nothing();
}

/* The octets behind the TCP header of a segment to or from port 179; none if it is none. */
static struct reader segment_of(const struct audit_passage *p, struct ip *ret_src)
{
	struct reader frame = reader_of(p->octets, p->len);

	reader_skip(&frame, ETHERNET_LEN);
	struct reader tcp = p->f.cls == CLASS_IP4_UNICAST ? ip4_tcp(&frame, ret_src) : ip6_tcp(&frame, ret_src);
	uint16_t from = reader_u16(&tcp), to = reader_u16(&tcp);
	reader_skip(&tcp, 8);
	size_t offset = (size_t)(reader_u8(&tcp) >> 4) * 4;
	reader_skip(&tcp, 7);
	if ((from != PORT_BGP && to != PORT_BGP) || offset < 20)
		return nothing();
	reader_skip(&tcp, offset - 20);
	return reader_ok(&tcp) ? tcp : nothing();
}

static bool is_of_lan(const struct audit_state *st, struct ip ip, uint8_t len)
{
	for (size_t i = 0; i < st->prefix_count; i++)
		if (st->prefixes[i].ip.family == ip.family && len >= st->prefixes[i].len && prefix_contains(&st->prefixes[i], ip))
			return true;
	return false;
}

/* Prefixes to the end. True: one of the LAN's is among them. */
static bool read_nlri(const struct audit_state *st, struct reader *r, uint8_t family, bool *ret_any)
{
	size_t max = family == 4 ? 32 : 128;

	while (reader_ok(r) && reader_left(r)) {
		struct ip ip = {.family = family};
		uint8_t len = reader_u8(r);
		if (len > max)
			return false;
		reader_copy(r, ip.b, (len + 7u) / 8);
		if (!reader_ok(r))
			return false;
		*ret_any = true;
		if (is_of_lan(st, ip, len))
			return true;
	}
	return false;
}

static bool read_mp_reach(const struct audit_state *st, struct reader *r, bool *ret_any)
{
	uint16_t afi = reader_u16(r);
	uint8_t safi = reader_u8(r);

	reader_skip(r, reader_u8(r)); /* next hop */
	reader_skip(r, 1);
	if (safi != SAFI_UNICAST || (afi != AFI_IP4 && afi != AFI_IP6))
		return false;
	return read_nlri(st, r, afi == AFI_IP4 ? 4 : 6, ret_any);
}

static bool read_update(const struct audit_state *st, struct reader *r, bool *ret_any)
{
	bool found = false;

	reader_skip(r, reader_u16(r)); /* withdrawn */
	struct reader attrs = reader_sub(r, reader_u16(r));
	while (reader_ok(&attrs) && reader_left(&attrs) && !found) {
		uint8_t flags = reader_u8(&attrs), type = reader_u8(&attrs);
		size_t len = flags & ATTR_EXTENDED_LENGTH ? reader_u16(&attrs) : reader_u8(&attrs);
		struct reader value = reader_sub(&attrs, len);
		if (type == ATTR_MP_REACH)
			found = read_mp_reach(st, &value, ret_any);
	}
	return found || (reader_ok(&attrs) && read_nlri(st, r, 4, ret_any));
}

static bool find_marker(struct reader *r)
{
	static const uint8_t marker[MARKER_LEN] = {
		255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

	for (; reader_left(r) >= MESSAGE_MIN; reader_skip(r, 1))
		if (memcmp(r->p, marker, MARKER_LEN) == 0)
			return true;
	return false;
}

enum audit_announced audit_announced(const struct audit_passage *p)
{
	struct ip src = {0};
	bool any = false;

	if ((p->f.cls != CLASS_IP4_UNICAST && p->f.cls != CLASS_IP6_UNICAST) || !p->a->state->prefix_count)
		return AUDIT_ANNOUNCED_NOTHING;
	struct reader segment = segment_of(p, &src);
	if (!reader_left(&segment) || !(ip_is_link_local(src) || audit_in_prefixes(p->a->state, src)))
		return AUDIT_ANNOUNCED_NOTHING;
	while (find_marker(&segment)) {
		reader_skip(&segment, MARKER_LEN);
		uint16_t len = reader_u16(&segment);
		uint8_t type = reader_u8(&segment);
		if (len < MESSAGE_MIN || (size_t)len - MESSAGE_MIN > reader_left(&segment))
			break;
		struct reader body = reader_sub(&segment, len - MESSAGE_MIN);
		if (type == MESSAGE_UPDATE && read_update(p->a->state, &body, &any))
			return AUDIT_ANNOUNCED_LAN;
	}
	return any ? AUDIT_ANNOUNCED_OTHERS : AUDIT_ANNOUNCED_NOTHING;
}
