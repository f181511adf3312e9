/* pcap files (draft-ietf-opsawg-pcap): a header of 24 octets, then records. In either byte order, with microseconds or nanoseconds,
 * and with the longer record headers that an old variant has. */
#include <errno.h>

#include "audit/source.h"
#include "lib/reader.h"

#define MAGIC_US 0xa1b2c3d4
#define MAGIC_NS 0xa1b23c4d
#define MAGIC_LONG 0xa1b2cd34 /* records with 8 octets more */
#define HEADER_LEN 24
#define RECORD_LEN 16
#define FCS_SAID 0x04000000

struct pcap_format {
	bool little, nano;
	uint32_t record_len, link, fcs_len;
};

static uint32_t get32(struct reader *r, bool little)
{
	uint32_t v = reader_u32(r);

	return little ? __builtin_bswap32(v) : v;
}

static bool read_header(const uint8_t *octets, struct pcap_format *ret)
{
	struct reader r = reader_of(octets, HEADER_LEN);
	uint32_t magic = reader_u32(&r);
	struct pcap_format f = {.record_len = RECORD_LEN};

	if (magic != MAGIC_US && magic != MAGIC_NS && magic != MAGIC_LONG) {
		magic = __builtin_bswap32(magic);
		f.little = true;
	}
	if (magic != MAGIC_US && magic != MAGIC_NS && magic != MAGIC_LONG)
		return false;
	f.nano = magic == MAGIC_NS;
	f.record_len += magic == MAGIC_LONG ? 8 : 0;
	reader_skip(&r, 16);
	uint32_t link = get32(&r, f.little);
	f.link = link & 0xffff;
	f.fcs_len = link & FCS_SAID ? (link >> 28) * 2 : 0;
	*ret = f;
	return true;
}

static int read_records(struct capture *c, const struct pcap_format *f, uint32_t port)
{
	for (;;) {
		c->number++;
		c->at = c->s->offset;
		if (source_at_end(c->s))
			return c->s->damaged ? capture_wrong(c, "record", -ENODATA, " ") : 0;
		const uint8_t *head = source_peek(c->s, f->record_len);
		if (!head)
			return capture_wrong(c, "record", -ENODATA, "the file ends within it");
		struct reader r = reader_of(head, f->record_len);
		int64_t sec = get32(&r, f->little), part = get32(&r, f->little);
		uint32_t len = get32(&r, f->little), wire_len = get32(&r, f->little);
		if (len > SOURCE_RECORD_MAX - RECORD_LEN)
			return capture_wrong(c, "record", -EINVAL, "%u octets long, which no frame is", len);
		const uint8_t *whole = source_take(c->s, f->record_len + len);
		if (!whole)
			return capture_wrong(c, "record", -ENODATA, "the file ends within it");
		wire_len = wire_len > f->fcs_len ? wire_len - f->fcs_len : 0;
		audit_frame(c->a, port, AUDIT_DIRS, whole + f->record_len, len > wire_len ? wire_len : len, wire_len,
			sec * 1000000000 + part * (f->nano ? 1 : 1000));
	}
}

int pcap_file_read(struct capture *c)
{
	struct pcap_format f;
	const uint8_t *head = source_take(c->s, HEADER_LEN);
	char name[256];

	if (!head || !read_header(head, &f))
		return capture_wrong(c, "record", -EINVAL, "neither pcap nor pcapng");
	if (f.link != LINK_ETHERNET)
		return capture_link_wrong(c, "record", f.link);
	capture_port_name(c, name, sizeof(name));
	return read_records(c, &f, audit_port_add(c->a, name));
}
