/* UPDATE, to the octets, for one peer or for a group of peers with the same outbound view.
 *
 * RFC 7606 section 5.1 wants MP_REACH_NLRI in front of all other attributes, but its length is
 * known only when no further NLRI fits. So the other attributes are written first, parked at the
 * very end of the buffer, and brought down behind the NLRIs when the message is ended. MP_REACH and
 * MP_UNREACH are always of extended length: it is needed for all but the smallest messages, and FRR
 * and BIRD write them so.
 */
#include "bgp/update.h"

#include <errno.h>
#include <string.h>

#include "bgp/attr_table.h"
#include "bgp/msg.h"

/* RFC 4724 section 2: no room for routes, so its length is known. */
#define EOR_LEN (BGP_HEADER_LEN + 2 + 2 + 3 + 3)

static size_t cap_of(size_t cap)
{
	return cap < BGP_MSG_EXTENDED_MAX ? cap : BGP_MSG_EXTENDED_MAX;
}

/* Header, no withdrawn routes, and the two lengths to be filled in: of all attributes, and of this
 * one. */
static void begin(struct update_writer *u, uint8_t type)
{
	u->msg_mark = bgp_msg_begin(&u->w, BGP_UPDATE);
	writer_u16(&u->w, 0);
	u->attrs_mark = writer_mark(&u->w);
	writer_u16(&u->w, 0);
	writer_u8(&u->w, ATTR_FLAG_OPTIONAL | ATTR_FLAG_EXTENDED);
	writer_u8(&u->w, type);
	u->mp_mark = writer_mark(&u->w);
	writer_u16(&u->w, 0);
	writer_u16(&u->w, u->family->afi);
	writer_u8(&u->w, u->family->safi);
}

static void put_next_hop(struct writer *w, const struct attrs *a)
{
	size_t len = ip_len(a->next_hop);
	bool both = len == 16 && a->next_hop_ll.family == 6;

	writer_u8(w, (uint8_t)(both ? 32 : len));
	writer_bytes(w, a->next_hop.b, len);
	if (both)
		writer_bytes(w, a->next_hop_ll.b, 16);
}

int update_begin(struct update_writer *u, void *buf, size_t cap, const struct bgp_family *f,
	bool add_path, const struct attrs *a, const struct update_out *out)
{
	struct writer tail;

	*u = (struct update_writer){
		.w = writer_of(buf, cap_of(cap)), .family = f, .add_path = add_path};
	if (a->next_hop.family == 0)
		return -EINVAL;
	begin(u, ATTR_MP_REACH);
	put_next_hop(&u->w, a);
	writer_u8(&u->w, 0); /* reserved */
	tail = u->w;
	attrs_encode(&tail, a, out);
	if (!writer_ok(&tail))
		return -EMSGSIZE;
	u->tail_len = writer_len(&tail) - writer_len(&u->w);
	u->w.end -= u->tail_len;
	memmove(u->w.end, u->w.p, u->tail_len);
	return 0;
}

int update_begin_withdraw(
	struct update_writer *u, void *buf, size_t cap, const struct bgp_family *f, bool add_path)
{
	*u = (struct update_writer){.w = writer_of(buf, cap_of(cap)),
		.family = f,
		.add_path = add_path,
		.withdraw = true};
	begin(u, ATTR_MP_UNREACH);
	return writer_ok(&u->w) ? 0 : -EMSGSIZE;
}

bool update_add(struct update_writer *u, uint32_t path_id, const uint8_t *key, size_t key_len,
	const uint8_t *payload, size_t payload_len)
{
	size_t mark = writer_mark(&u->w);

	if (u->add_path)
		writer_u32(&u->w, path_id);
	u->family->encode(
		&u->w, key, key_len, u->withdraw ? NULL : payload, u->withdraw ? 0 : payload_len);
	if (!writer_ok(&u->w)) {
		writer_rewind(&u->w, mark);
		return false;
	}
	u->count++;
	return true;
}

size_t update_end(struct update_writer *u)
{
	uint8_t *tail = u->w.end;
	size_t mp_len = writer_mark(&u->w) - u->mp_mark - 2;

	if (u->count == 0)
		return 0;
	u->w.end += u->tail_len;
	memmove(writer_take(&u->w, u->tail_len), tail, u->tail_len);
	writer_patch_u16(&u->w, u->mp_mark, (uint16_t)mp_len);
	writer_patch_u16(&u->w, u->attrs_mark, (uint16_t)(writer_mark(&u->w) - u->attrs_mark - 2));
	bgp_msg_finish(&u->w, u->msg_mark);
	return writer_len(&u->w);
}

size_t update_eor(void *buf, size_t cap, const struct bgp_family *f)
{
	struct writer w = writer_of(buf, cap_of(cap));
	size_t mark = bgp_msg_begin(&w, BGP_UPDATE);

	writer_u16(&w, 0);
	writer_u16(&w, 6);
	attr_begin(&w, ATTR_FLAG_OPTIONAL, ATTR_MP_UNREACH, 3);
	writer_u16(&w, f->afi);
	writer_u8(&w, f->safi);
	bgp_msg_finish(&w, mark);
	return writer_ok(&w) ? EOR_LEN : 0;
}
