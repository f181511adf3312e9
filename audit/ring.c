#include "audit/ring.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_SECTION 0x0a0d0d0a
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET 6
#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define LINK_ETHERNET 1
#define SNAP_LEN 262144
#define IF_NAME 2
#define IF_RESOLUTION 9
#define RESOLUTION_NS 9
#define PACKET_FLAGS 2

static void path_of(const struct ring *r, uint32_t number, char *buf, size_t size)
{
	snprintf(buf, size, "%s/capture-%06u.pcapng", r->c->ring, number);
}

static void fail(struct ring *r)
{
	if (!r->error)
		r->error = errno ? errno : EIO;
}

static void put(struct ring *r, const void *octets, size_t len)
{
	if (!r->error && len && fwrite(octets, 1, len, r->to) != len)
		fail(r);
	r->written += len;
}

static void put_u32(struct ring *r, uint32_t v)
{
	put(r, &v, sizeof(v));
}

static void put_u16s(struct ring *r, uint16_t a, uint16_t b)
{
	uint16_t v[2] = {a, b};

	put(r, v, sizeof(v));
}

static void put_padded(struct ring *r, const void *octets, size_t len)
{
	static const uint8_t zeroes[4];

	put(r, octets, len);
	put(r, zeroes, -len & 3);
}

static void put_section(struct ring *r)
{
	put_u32(r, BLOCK_SECTION);
	put_u32(r, 28);
	put_u32(r, BYTE_ORDER_MAGIC);
	put_u16s(r, 1, 0);
	put_u32(r, UINT32_MAX); /* a length that is not known */
	put_u32(r, UINT32_MAX);
	put_u32(r, 28);
}

static void put_interface(struct ring *r, const char *name)
{
	uint8_t resolution = RESOLUTION_NS;
	size_t len = strlen(name);
	uint32_t block = 20 + 4 + (((uint32_t)len + 3) & ~3u) + 8 + 4;

	put_u32(r, BLOCK_INTERFACE);
	put_u32(r, block);
	put_u16s(r, LINK_ETHERNET, 0);
	put_u32(r, SNAP_LEN);
	put_u16s(r, IF_NAME, (uint16_t)len);
	put_padded(r, name, len);
	put_u16s(r, IF_RESOLUTION, 1);
	put_padded(r, &resolution, 1);
	put_u32(r, 0);
	put_u32(r, block);
}

static void next_file(struct ring *r)
{
	char path[4096];

	if (r->to && fclose(r->to) != 0)
		fail(r);
	r->number++;
	if (r->number > r->c->ring_files) {
		path_of(r, r->number - r->c->ring_files, path, sizeof(path));
		unlink(path);
	}
	path_of(r, r->number, path, sizeof(path));
	r->to = fopen(path, "we");
	r->written = 0;
	if (!r->to) {
		fail(r);
		return;
	}
	put_section(r);
	for (size_t i = 0; i < r->c->count; i++)
		put_interface(r, r->c->ports && r->c->ports[i] ? r->c->ports[i] : r->c->interfaces[i]);
}

void ring_open(struct ring *r, const struct live_config *c)
{
	*r = (struct ring){.c = c};
	next_file(r);
}

void ring_put(struct ring *r, size_t interface, enum audit_dir dir, const uint8_t *frame, size_t len, size_t wire_len, int64_t ns)
{
	uint32_t block = 32 + (((uint32_t)len + 3) & ~3u) + (dir == AUDIT_DIRS ? 0 : 12);

	if (!r->error && r->written + block > r->c->ring_octets && r->written)
		next_file(r);
	if (r->error)
		return;
	put_u32(r, BLOCK_PACKET);
	put_u32(r, block);
	put_u32(r, (uint32_t)interface);
	put_u32(r, (uint32_t)((uint64_t)ns >> 32));
	put_u32(r, (uint32_t)ns);
	put_u32(r, (uint32_t)len);
	put_u32(r, (uint32_t)wire_len);
	put_padded(r, frame, len);
	if (dir != AUDIT_DIRS) {
		/* As the port sees it: in is what the member sent. */
		put_u16s(r, PACKET_FLAGS, 4);
		put_u32(r, dir == AUDIT_SENT ? 1 : 2);
		put_u32(r, 0);
	}
	put_u32(r, block);
}

int ring_close(struct ring *r)
{
	if (r->to && fclose(r->to) != 0)
		fail(r);
	r->to = NULL;
	return -r->error;
}
