/* A switch's mirror port, or a host beside the fabric, sees the peering LAN in VXLAN (RFC 7348 section 5): the frame of the LAN is
 * within UDP to port 4789, and a VLAN tag of the mirror's own may be around it all.
 *
 * A member may send VXLAN across the peering LAN, too, which is no mirror. It is one only if neither its Ethernet source nor its
 * addresses are of the LAN.
 */
#include <string.h>

#include "audit/state.h"
#include "lib/reader.h"

#define ETH_LEN 14
#define UDP_VXLAN_LEN 16
#define HEADERS_MAX 160
#define PORT_VXLAN 4789

static bool is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

static bool of_the_lan(const struct audit_state *st, const struct frame *f)
{
	if (tables_mac(&st->tables, AUDIT_LAN, f->src.b))
		return true;
	return st->prefix_count && (audit_in_prefixes(st, f->sender) || audit_in_prefixes(st, f->target));
}

/* Where the inner frame begins in an outer one that frame_read() found whole. */
static size_t inner_at(const uint8_t *octets, size_t len)
{
	struct reader r = reader_of(octets, len);

	reader_skip(&r, 12);
	if (reader_u16(&r) == 0x86dd)
		return ETH_LEN + 40 + UDP_VXLAN_LEN;
	return ETH_LEN + (reader_u8(&r) & 0x0fu) * 4 + UDP_VXLAN_LEN;
}

static uint16_t type_at(const uint8_t *octets, size_t at)
{
	return (uint16_t)(octets[at] << 8 | octets[at + 1]);
}

/* What a look at the first octets can say, since nearly every frame is not. */
static bool may_be_vxlan(const uint8_t *o, size_t len)
{
	if (len < ETH_LEN + 20 + UDP_VXLAN_LEN)
		return false;
	switch (type_at(o, 12)) {
	case 0x0800:
		return o[23] == 17 && (o[14] != 0x45 || type_at(o, 36) == PORT_VXLAN);
	case 0x86dd:
		return o[20] == 17 && len >= ETH_LEN + 40 + UDP_VXLAN_LEN && type_at(o, 56) == PORT_VXLAN;
	default:
		return is_tag(type_at(o, 12));
	}
}

bool audit_unwrap(struct audit_passage *p)
{
	uint8_t head[HEADERS_MAX];
	const uint8_t *octets = p->octets;
	size_t len = p->len, tags = 0;
	struct frame f;

	if (!may_be_vxlan(octets, len))
		return true;
	while (tags < 8 && len >= ETH_LEN + tags + 4 && is_tag(type_at(octets, 12 + tags)))
		tags += 4;
	if (tags) {
		len = len - tags < sizeof(head) ? len - tags : sizeof(head);
		memcpy(head, octets, 12);
		memcpy(head + 12, octets + 12 + tags, len - 12);
		octets = head;
	}
	frame_read(octets, len, false, &f);
	if (!f.vni_valid || of_the_lan(p->a->state, &f))
		return true;
	if (p->a->state->vni && f.vni != p->a->state->vni) {
		p->a->other_vni++;
		return false;
	}
	size_t at = inner_at(octets, len) + tags;
	p->octets += at;
	p->len -= at;
	p->wire_len -= at;
	p->a->vxlan++;
	return true;
}
