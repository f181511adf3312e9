/* pcapng files (draft-ietf-opsawg-pcapng): blocks {type, length, body, length}, in sections of either byte order. What is read: section
 * header, interface description (link type; options name, resolution and offset of time, FCS length), enhanced, simple and the
 * old packet block (with its direction), and the interface statistics block, which says from when till when a capture ran. Others are
 * passed over. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/source.h"
#include "lib/reader.h"

#define BLOCK_SECTION 0x0a0d0d0a
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET_OLD 2
#define BLOCK_PACKET_SIMPLE 3
#define BLOCK_STATISTICS 5
#define BLOCK_PACKET 6
#define ORDER_MAGIC 0x1a2b3c4d
#define BLOCK_MIN 12
#define INTERFACES_MAX 4096

#define OPTION_END 0
#define IF_NAME 2
#define IF_RESOLUTION 9
#define IF_FCS_LEN 13
#define IF_OFFSET 14
#define PACKET_FLAGS 2
#define STATISTICS_START 2
#define STATISTICS_END 3

struct interface {
	uint32_t link, port, snap_len;
	uint8_t resolution; /* as it stands in the file: 10^-n, or with the top bit 2^-n */
	uint8_t fcs_len;
	int64_t offset_sec;
};

struct walker {
	struct capture *c;
	bool little;
	struct interface *list;
	uint32_t count;
	bool only_interfaces, packets_begin;
};

static uint16_t get16(const struct walker *w, struct reader *r)
{
	uint16_t v = reader_u16(r);

	return w->little ? __builtin_bswap16(v) : v;
}

static uint32_t get32(const struct walker *w, struct reader *r)
{
	uint32_t v = reader_u32(r);

	return w->little ? __builtin_bswap32(v) : v;
}

static uint64_t get64(const struct walker *w, struct reader *r)
{
	uint64_t a = get32(w, r), b = get32(w, r);

	return w->little ? b << 32 | a : a << 32 | b;
}

/* The next option's value; false: there is no further one. */
static bool option(const struct walker *w, struct reader *r, uint16_t *ret_code, struct reader *ret)
{
	if (reader_left(r) < 4)
		return false;
	uint16_t code = get16(w, r), len = get16(w, r);
	*ret_code = code;
	*ret = reader_sub(r, len);
	if (len % 4)
		reader_skip(r, 4 - len % 4u);
	return code != OPTION_END && reader_ok(ret);
}

/* Units of the interface since 1970 to nanoseconds. */
static int64_t time_of(const struct interface *i, uint64_t units)
{
	unsigned __int128 ns = units;
	uint8_t n = i->resolution & 0x7f;

	if (i->resolution & 0x80) {
		ns = n > 63 ? 0 : ns * 1000000000 >> n;
	} else {
		for (; n < 9; n++)
			ns *= 10;
		for (; n > 9 && ns; n--)
			ns /= 10;
	}
	__int128 at = (__int128)ns + (__int128)i->offset_sec * 1000000000;
	return at < 1 ? 1 : at > INT64_MAX ? INT64_MAX : (int64_t)at;
}

static int take_interface(struct walker *w, struct reader r)
{
	struct interface i = {.resolution = 6};
	char name[256];
	struct reader value;
	uint16_t code;

	if (w->count == INTERFACES_MAX)
		return capture_wrong(w->c, "block", -EINVAL, "more than %d interfaces", INTERFACES_MAX);
	capture_port_name(w->c, name, sizeof(name));
	i.link = get16(w, &r);
	reader_skip(&r, 2);
	i.snap_len = get32(w, &r);
	if (!reader_ok(&r))
		return capture_wrong(w->c, "block", -EINVAL, "an interface without its fields");
	while (option(w, &r, &code, &value)) {
		size_t len = reader_left(&value);
		if (code == IF_NAME && !w->c->port && len && len < sizeof(name)) {
			reader_copy(&value, name, len);
			name[len] = '\0';
		} else if (code == IF_RESOLUTION && len) {
			i.resolution = reader_u8(&value);
		} else if (code == IF_FCS_LEN && len) {
			i.fcs_len = reader_u8(&value);
		} else if (code == IF_OFFSET && len == 8) {
			i.offset_sec = (int64_t)get64(w, &value);
		}
	}
	if (i.link == LINK_ETHERNET)
		i.port = audit_port_add(w->c->a, name);
	struct interface *more = realloc(w->list, (w->count + 1) * sizeof(*more));
	if (!more)
		return capture_wrong(w->c, "block", -ENOMEM, "out of memory");
	w->list = more;
	w->list[w->count++] = i;
	return 0;
}

static const struct interface *interface_of(const struct walker *w, uint32_t id)
{
	return id < w->count ? &w->list[id] : NULL;
}

/* Its direction, if it says one: as an exchange's port sees it, what comes in is from the member. */
static enum audit_dir direction(const struct walker *w, struct reader options)
{
	struct reader value;
	uint16_t code;

	while (option(w, &options, &code, &value))
		if (code == PACKET_FLAGS && reader_left(&value) == 4) {
			uint32_t way = get32(w, &value) & 3;
			return way == 1 ? AUDIT_SENT : way == 2 ? AUDIT_RECEIVED : AUDIT_DIRS;
		}
	return AUDIT_DIRS;
}

static int deliver(struct walker *w, uint32_t id, uint64_t units, uint32_t len, uint32_t wire_len, struct reader *r)
{
	const struct interface *i = interface_of(w, id);
	const uint8_t *octets = reader_bytes(r, len);

	if (!i)
		return capture_wrong(w->c, "block", -EINVAL, "interface %u, which has not been described", id);
	if (i->link != LINK_ETHERNET)
		return capture_link_wrong(w->c, "block", i->link);
	if (!octets)
		return capture_wrong(w->c, "block", -EINVAL, "the frame is longer than its block");
	reader_skip(r, -len & 3);
	enum audit_dir dir = reader_ok(r) ? direction(w, *r) : AUDIT_DIRS;
	wire_len = wire_len > i->fcs_len ? wire_len - i->fcs_len : 0;
	audit_frame(w->c->a, i->port, dir, octets, len > wire_len ? wire_len : len, wire_len, time_of(i, units));
	return 0;
}

static int take_packet(struct walker *w, struct reader r, bool old)
{
	uint32_t id = old ? get16(w, &r) : get32(w, &r);

	if (old)
		reader_skip(&r, 2);
	uint64_t high = get32(w, &r), units = high << 32 | get32(w, &r);
	uint32_t len = get32(w, &r), wire_len = get32(w, &r);
	return deliver(w, id, units, len, wire_len, &r);
}

/* It has no time: that of the books' last frame. */
static int take_simple(struct walker *w, struct reader r)
{
	const struct interface *i = interface_of(w, 0);
	uint32_t wire_len = get32(w, &r);
	size_t len = wire_len < reader_left(&r) ? wire_len : reader_left(&r);

	if (!i)
		return capture_wrong(w->c, "block", -EINVAL, "interface 0, which has not been described");
	if (i->link != LINK_ETHERNET)
		return capture_link_wrong(w->c, "block", i->link);
	if (i->snap_len && len > i->snap_len)
		len = i->snap_len;
	const uint8_t *octets = reader_bytes(&r, len);
	if (octets)
		audit_frame(w->c->a, i->port, AUDIT_DIRS, octets, len, wire_len, w->c->a->last_ns);
	return 0;
}

static void take_statistics(struct walker *w, struct reader r)
{
	const struct interface *i = interface_of(w, get32(w, &r));
	uint64_t from = 0, to = 0;
	struct reader value;
	uint16_t code;

	reader_skip(&r, 8);
	while (option(w, &r, &code, &value)) {
		if (reader_left(&value) != 8 || (code != STATISTICS_START && code != STATISTICS_END))
			continue;
		uint64_t high = get32(w, &value), units = high << 32 | get32(w, &value);
		*(code == STATISTICS_START ? &from : &to) = units;
	}
	if (i && i->link == LINK_ETHERNET && from && to)
		audit_port_ran(w->c->a, i->port, time_of(i, from), time_of(i, to));
}

static int take_block(struct walker *w, uint32_t type, struct reader r)
{
	if (type == BLOCK_INTERFACE)
		return take_interface(w, r);
	w->packets_begin = true;
	if (w->only_interfaces)
		return 0;
	switch (type) {
	case BLOCK_PACKET:
	case BLOCK_PACKET_OLD:
		return take_packet(w, r, type == BLOCK_PACKET_OLD);
	case BLOCK_PACKET_SIMPLE:
		return take_simple(w, r);
	case BLOCK_STATISTICS:
		take_statistics(w, r);
		return 0;
	default:
		return 0;
	}
}

/* A section may be of another byte order, and has interfaces of its own. */
static bool begin_section(struct walker *w, const uint8_t *order)
{
	struct reader r = reader_of(order, 4);
	uint32_t v = reader_u32(&r);

	w->little = v != ORDER_MAGIC;
	w->count = 0;
	return v == ORDER_MAGIC || __builtin_bswap32(v) == ORDER_MAGIC;
}

static bool is_read(uint32_t type)
{
	return type == BLOCK_INTERFACE || type == BLOCK_PACKET || type == BLOCK_PACKET_OLD || type == BLOCK_PACKET_SIMPLE ||
	       type == BLOCK_STATISTICS;
}

static int next_block(struct walker *w)
{
	struct capture *c = w->c;
	const uint8_t *head = source_peek(c->s, 8);

	if (!head)
		return capture_wrong(c, "block", -ENODATA, "the file ends within it");
	/* The type of a section's header reads the same in both orders. */
	if (memcmp(head, "\x0a\x0d\x0d\x0a", 4) == 0) {
		const uint8_t *section = source_peek(c->s, BLOCK_MIN);
		if (!section)
			return capture_wrong(c, "block", -ENODATA, "the file ends within it");
		if (!begin_section(w, section + 8))
			return capture_wrong(c, "block", -EINVAL, "a section of no byte order");
		head = section;
	}
	struct reader r = reader_of(head, 8);
	uint32_t type = get32(w, &r), len = get32(w, &r);
	if (len < BLOCK_MIN || len % 4)
		return capture_wrong(c, "block", -EINVAL, "%u octets long, which no block is", len);
	if (!is_read(type))
		return source_skip(c->s, len) ? 0 : capture_wrong(c, "block", -ENODATA, "longer than the file");
	if (len > SOURCE_RECORD_MAX)
		return capture_wrong(c, "block", -EINVAL, "%u octets long, which no frame is", len);
	const uint8_t *block = source_take(c->s, len);
	if (!block)
		return capture_wrong(c, "block", -ENODATA, "longer than the file");
	return take_block(w, type, reader_of(block + 8, len - BLOCK_MIN));
}

static int walk(struct walker *w)
{
	struct capture *c = w->c;
	int r = 0;

	while (r == 0 && !(w->only_interfaces && w->packets_begin)) {
		c->number++;
		c->at = c->s->offset;
		if (source_at_end(c->s)) {
			r = c->s->damaged ? capture_wrong(c, "block", -ENODATA, " ") : 0;
			break;
		}
		r = next_block(w);
	}
	free(w->list);
	return r;
}

int pcapng_file_read(struct capture *c)
{
	struct walker w = {.c = c};

	return walk(&w);
}

void pcapng_file_expect(struct capture *c)
{
	struct walker w = {.c = c, .only_interfaces = true};

	walk(&w);
}
