#include "tests/interop/random_update.h"

#include <stdbool.h>

#include "lib/writer.h"

#define UPDATE 2
#define HEADER_LEN 19
#define ATTRS_MAX 24

#define OPTIONAL 0x80
#define TRANSITIVE 0x40
#define PARTIAL 0x20
#define EXTENDED 0x10

/* Attributes are built one behind the other and put into the message in any order. */
struct build {
	struct random_updates *g;
	uint8_t room[RANDOM_UPDATE_MAX];
	struct writer w;
	struct {
		uint8_t flags, type;
		size_t at, len;
	} attr[ATTRS_MAX];
	unsigned attrs;
	bool withdraw;
	unsigned kind; /* the route type of its NLRIs */
};

static uint32_t below(struct random_updates *g, uint32_t n)
{
	return (uint32_t)((uint64_t)random_u32(g) * n >> 32);
}

static bool one_in(struct random_updates *g, uint32_t n)
{
	return below(g, n) == 0;
}

static void noise(struct random_updates *g, struct writer *w, size_t len)
{
	while (len--)
		writer_u8(w, (uint8_t)random_u32(g));
}

static uint32_t some_as(const struct build *b)
{
	uint32_t as = one_in(b->g, 3) ? random_u32(b->g) : 64512 + below(b->g, 1000);

	return as == 0 || as == b->g->own_as ? 64499 : as;
}

/* --- attributes --- */

static void begin(struct build *b, uint8_t flags, uint8_t type)
{
	b->attr[b->attrs].flags = flags;
	b->attr[b->attrs].type = type;
	b->attr[b->attrs].at = writer_len(&b->w);
}

static void end(struct build *b)
{
	b->attr[b->attrs].len = writer_len(&b->w) - b->attr[b->attrs].at;
	b->attrs++;
}

static void put_u32(struct build *b, uint8_t flags, uint8_t type, uint32_t v)
{
	begin(b, flags, type);
	writer_u32(&b->w, v);
	end(b);
}

static uint8_t maybe_partial(struct build *b)
{
	return OPTIONAL | TRANSITIVE | (one_in(b->g, 8) ? PARTIAL : 0);
}

static void put_as_path(struct build *b)
{
	begin(b, TRANSITIVE, 2);
	for (uint32_t segments = one_in(b->g, 2) ? 0 : 1 + below(b->g, 3); segments; segments--) {
		uint32_t count = 1 + below(b->g, one_in(b->g, 20) ? 60 : 4);
		writer_u8(&b->w, one_in(b->g, 6) ? 1 : 2);
		writer_u8(&b->w, (uint8_t)count);
		while (count--)
			writer_u32(&b->w, some_as(b));
	}
	end(b);
}

static void put_communities(struct build *b)
{
	static const uint32_t known[] = {0xffff0000, 0xffff0001, 0xffff0006, 0xffff0007, 0xffff029a,
		0xffffff01, 0xffffff03, 0xffffff04, 0};

	begin(b, maybe_partial(b), 8);
	for (uint32_t n = 1 + below(b->g, 12); n; n--) {
		uint32_t c = one_in(b->g, 6) ? known[below(b->g, 9)] : random_u32(b->g);
		writer_u32(
			&b->w, c == 0xffffff02 ? 0xffffff04 : c); /* NO_ADVERTISE would end here */
	}
	end(b);
}

/* Those of EVPN in good form, and any octets at all. */
static void put_ext_communities(struct build *b)
{
	static const uint8_t tunnels[] = {8, 8, 8, 9, 10, 11, 12, 19, 7, 1, 2, 15, 0, 255};
	struct random_updates *g = b->g;
	bool arp_nd = false;

	begin(b, maybe_partial(b), 16);
	writer_u32(&b->w, 0x0002fde8); /* a route target: no PE would want it without */
	writer_u32(&b->w, below(g, 4) * 100);
	for (uint32_t n = below(g, one_in(g, 10) ? 40 : 8); n; n--) {
		switch (below(g, 12)) {
		case 0: /* route target of the other two kinds */
			writer_u16(&b->w, one_in(g, 2) ? 0x0102 : 0x0202);
			noise(g, &b->w, 6);
			break;
		case 1:
			writer_u32(&b->w, 0x030c0000);
			writer_u16(&b->w, 0);
			writer_u16(&b->w, tunnels[below(g, sizeof(tunnels))]);
			break;
		case 2: /* MAC mobility */
			writer_u16(&b->w, 0x0600);
			writer_u16(&b->w, one_in(g, 4) ? 0x0100 : 0);
			writer_u32(&b->w, one_in(g, 8) ? random_u32(g) : below(g, 10));
			break;
		case 3: /* ESI label */
			writer_u16(&b->w, 0x0601);
			writer_u8(&b->w, (uint8_t)below(g, 2));
			writer_u16(&b->w, 0);
			noise(g, &b->w, 3);
			break;
		case 4: /* ARP/ND with any flags; one at most (RFC 9047 section 2) */
			if (arp_nd)
				break;
			arp_nd = true;
			writer_u16(&b->w, 0x0608);
			writer_u8(&b->w, (uint8_t)random_u32(g));
			writer_zero(&b->w, 5);
			break;
		case 5: /* ES-import, router's MAC */
			writer_u16(&b->w, one_in(g, 2) ? 0x0602 : 0x0603);
			noise(g, &b->w, 6);
			break;
		case 6: /* default gateway */
			writer_u32(&b->w, 0x030d0000);
			writer_u32(&b->w, 0);
			break;
		case 7: /* any other of EVPN: DF election, layer 2, E-tree, multicast flags, ... */
			writer_u8(&b->w, 0x06);
			writer_u8(&b->w,
				(const uint8_t[]){4, 5, 6, 7, 9, 10, 13, 14, 15, 18}[below(g, 10)]);
			noise(g, &b->w, 6);
			break;
		case 8: /* site of origin, link bandwidth, colour, validation state, generic ones */
			writer_u16(&b->w,
				(const uint16_t[]){0x0003, 0x4004, 0x030b, 0x4300, 0x8006, 0x8102,
					0x8208, 0x0800, 0x0900, 0x4900}[below(g, 10)]);
			noise(g, &b->w, 6);
			break;
		default:
			noise(g, &b->w, 8);
		}
	}
	end(b);
}

/* Kinds 0 - 11 (RFC 6514, 7524, 8338, 8556, 8296's BIER). */
static void put_pmsi(struct build *b)
{
	static const uint8_t lengths[] = {0, 12, 24, 8, 8, 8, 4, 0, 24, 24, 17, 7};
	uint8_t kind = one_in(b->g, 2) ? 6 : (uint8_t)below(b->g, 12);

	begin(b, maybe_partial(b), 22);
	writer_u8(&b->w, one_in(b->g, 4) ? (uint8_t)random_u32(b->g) : 0);
	writer_u8(&b->w, kind);
	noise(b->g, &b->w, 3);
	noise(b->g, &b->w, kind == 6 && one_in(b->g, 3) ? 16 : lengths[kind]);
	end(b);
}

/* RFC 9012: TLVs of sub-TLVs, of one-octet lengths below type 128 and two-octet ones above. */
static void put_tunnel_encap(struct build *b)
{
	begin(b, maybe_partial(b), 23);
	for (uint32_t n = 1 + below(b->g, 3); n; n--) {
		writer_u16(&b->w, one_in(b->g, 2) ? 8 : (uint16_t)random_u32(b->g));
		size_t at = writer_len(&b->w);
		writer_u16(&b->w, 0);
		for (uint32_t subs = below(b->g, 4); subs; subs--) {
			uint8_t type = one_in(b->g, 2) ? (uint8_t)(1 + below(b->g, 12))
						       : (uint8_t)random_u32(b->g);
			uint8_t len = (uint8_t)below(b->g, 20);
			writer_u8(&b->w, type);
			if (type < 128)
				writer_u8(&b->w, len);
			else
				writer_u16(&b->w, len);
			noise(b->g, &b->w, len);
		}
		writer_patch_u16(&b->w, at, (uint16_t)(writer_len(&b->w) - at - 2));
	}
	end(b);
}

/* RFC 8669: a label index, and the originator's SRGBs; RFC 9252: an SRv6 L2 or L3 service. */
static void put_prefix_sid(struct build *b)
{
	uint32_t what = 1 + below(b->g, 7);

	begin(b, maybe_partial(b), 40);
	if (what & 1) {
		writer_u8(&b->w, 1);
		writer_u16(&b->w, 7);
		writer_zero(&b->w, 3);
		noise(b->g, &b->w, 4);
	}
	if (what & 2) {
		uint32_t n = 1 + below(b->g, 3);
		writer_u8(&b->w, 3);
		writer_u16(&b->w, (uint16_t)(2 + 6 * n));
		noise(b->g, &b->w, 2 + 6 * n);
	}
	if (what & 4) {
		bool structure = one_in(b->g, 2);
		writer_u8(&b->w, one_in(b->g, 2) ? 5 : 6);
		writer_u16(&b->w, structure ? 34 : 25);
		writer_u8(&b->w, 0);
		writer_u8(&b->w, 1);
		writer_u16(&b->w, structure ? 30 : 21);
		noise(b->g, &b->w, 21);
		if (structure) {
			writer_u8(&b->w, 1);
			writer_u16(&b->w, 6);
			noise(b->g, &b->w, 6);
		}
	}
	end(b);
}

/* Optional transitive ones that a reflector does not know, some of which have owners. */
static void put_unknown(struct build *b)
{
	static const uint8_t types[] = {19, 20, 21, 24, 27, 30, 33, 34, 36, 37, 38, 39, 41, 42, 50,
		99, 127, 128, 129, 200, 241, 243, 254, 255};
	uint32_t at = below(b->g, sizeof(types) / 2);

	for (uint32_t n = 1 + below(b->g, 2); n; n--, at += sizeof(types) / 2) {
		begin(b, maybe_partial(b), types[at]);
		noise(b->g, &b->w, one_in(b->g, 10) ? 300 : below(b->g, 24));
		end(b);
	}
}

static void put_blocks(struct build *b, uint8_t type, size_t block, uint32_t max)
{
	begin(b, maybe_partial(b), type);
	noise(b->g, &b->w, block * (1 + below(b->g, max)));
	end(b);
}

static void put_common(struct build *b)
{
	struct random_updates *g = b->g;

	begin(b, TRANSITIVE, 1);
	writer_u8(&b->w, (uint8_t)below(g, 3));
	end(b);
	put_as_path(b);
	put_u32(b, TRANSITIVE, 5, one_in(g, 2) ? 100 : random_u32(g));
	if (one_in(g, 3))
		put_u32(b, OPTIONAL, 4, random_u32(g));
	if (one_in(g, 8)) {
		begin(b, TRANSITIVE, 6);
		end(b);
	}
	if (one_in(g, 8)) {
		begin(b, maybe_partial(b), 7);
		writer_u32(&b->w, some_as(b));
		noise(g, &b->w, 4);
		end(b);
	}
	if (one_in(g, 3))
		put_communities(b);
	if (one_in(g, 4))
		put_u32(b, OPTIONAL, 9, 0x0a000000 | below(g, 1000));
	if (one_in(g, 4)) {
		begin(b, OPTIONAL, 10);
		for (uint32_t n = 1 + below(g, 5); n; n--)
			writer_u32(&b->w, 0x0b000000 | below(g, 1000));
		end(b);
	}
	if (!one_in(g, 16))
		put_ext_communities(b);
	if (b->kind == 3 ? !one_in(g, 8) : one_in(g, 16))
		put_pmsi(b);
	if (one_in(g, 6))
		put_tunnel_encap(b);
	if (one_in(g, 8))
		put_blocks(b, 25, 20, 3);
	if (one_in(g, 4))
		put_blocks(b, 32, 12, 6);
	if (one_in(g, 8))
		put_u32(b, maybe_partial(b), 35, some_as(b));
	if (one_in(g, 6))
		put_prefix_sid(b);
	if (one_in(g, 3))
		put_unknown(b);
}

/* --- routes --- */

static uint32_t keys(const struct random_updates *g)
{
	return g->keys ? g->keys : 64;
}

static void put_rd(struct random_updates *g, struct writer *w)
{
	switch (below(g, 9)) {
	case 0:
		writer_u16(w, 0);
		writer_u16(w, 65000);
		writer_u32(w, below(g, 2));
		break;
	case 1:
		writer_u16(w, 2);
		writer_u32(w, 4200000000u);
		writer_u16(w, (uint16_t)below(g, 2));
		break;
	default:
		writer_u16(w, 1);
		writer_u32(w, 0x0a630002 + below(g, 3));
		writer_u16(w, 100);
	}
}

/* Of all kinds of RFC 7432 section 5, none, and the reserved one. */
static void put_esi(struct random_updates *g, struct writer *w, bool often)
{
	uint32_t kind = below(g, often ? 10 : 40);

	if (kind == 9) {
		for (int i = 0; i < 10; i++)
			writer_u8(w, 0xff);
	} else if (kind > 5) {
		writer_zero(w, 10);
	} else {
		writer_u8(w, (uint8_t)kind);
		writer_u32(w, 0x02005e00);
		writer_u32(w, below(g, keys(g)));
		writer_u8(w, (uint8_t)(kind + 1));
	}
}

static void put_tag(struct random_updates *g, struct writer *w)
{
	writer_u32(w,
		one_in(g, 8) ? (const uint32_t[]){100, 0xffffffff, 0xffffff, 0x1000000}[below(g, 4)]
			     : 0);
}

static void put_ip(struct random_updates *g, struct writer *w, bool v6)
{
	writer_u8(w, v6 ? 128 : 32);
	if (v6) {
		writer_u32(w, 0x20010db8);
		writer_u32(w, 0x01000000);
		writer_u32(w, 0);
		writer_u32(w, below(g, keys(g)));
	} else {
		writer_u32(w, one_in(g, 64) ? 0 : 0xc6120000 + below(g, keys(g)));
	}
}

static void put_label(struct random_updates *g, struct writer *w)
{
	if (one_in(g, 3))
		writer_u24(w,
			(const uint32_t[]){0, 1, 0xffffff, 0x800000, 100, 0x000010}[below(g, 6)]);
	else
		noise(g, w, 3);
}

static void put_value(struct random_updates *g, struct writer *w, unsigned type)
{
	uint32_t n = below(g, keys(g));
	bool v6 = one_in(g, 3);

	put_rd(g, w);
	switch (type) {
	case 1:
		put_esi(g, w, true);
		put_tag(g, w);
		put_label(g, w);
		break;
	case 2:
		put_esi(g, w, false);
		put_tag(g, w);
		writer_u8(w, 48);
		writer_u16(w, 0x0200);
		writer_u32(w, 0x5e000000 | n);
		if (one_in(g, 3))
			writer_u8(w, 0);
		else
			put_ip(g, w, v6);
		put_label(g, w);
		if (one_in(g, 4))
			put_label(g, w);
		break;
	case 3:
		put_tag(g, w);
		put_ip(g, w, v6);
		break;
	case 4:
		put_esi(g, w, true);
		put_ip(g, w, v6);
		break;
	case 5:
		put_esi(g, w, false);
		put_tag(g, w);
		writer_u8(w, (uint8_t)below(g, v6 ? 129 : 33));
		writer_u32(w, v6 ? 0x20010db8 : 0x0a000000 | n << 8);
		if (v6) {
			writer_u32(w, n);
			writer_zero(w, 8);
		}
		/* A gateway, or a segment, or neither. */
		noise(g, w, one_in(g, 3) ? (v6 ? 16 : 4) : 0);
		break;
	default: /* 6 - 11 and whatever may come: the rest is unread */
		put_tag(g, w);
		writer_u32(w, n);
		noise(g, w, type == 8 ? 6 : 1);
	}
}

static void put_nlri(struct random_updates *g, struct writer *w, unsigned type)
{
	size_t at = writer_len(w);

	writer_u8(w, (uint8_t)type);
	writer_u8(w, 0);
	put_value(g, w, type);
	if (type == 5) {
		/* RD, ESI, tag, length and prefix are there, and the gateway perhaps. */
		size_t have = writer_len(w) - at - 2;
		size_t v4 = 8 + 10 + 4 + 1 + 4, v6 = v4 + 12;
		writer_zero(w, have == v4 ? 4 : have == v6 ? 16 : 0);
		put_label(g, w);
	}
	writer_patch_u8(w, at + 1, (uint8_t)(writer_len(w) - at - 2));
}

static void put_next_hop(struct random_updates *g, struct writer *w)
{
	uint32_t kind = below(g, 12);

	if (kind >= 4) {
		writer_u8(w, 4);
		if (one_in(g, 40))
			writer_bytes(w, g->unwanted, 4);
		else
			writer_u32(w, 0x0a630002 + below(g, 40));
		return;
	}
	writer_u8(w, kind == 0 ? 32 : 16);
	writer_u32(w, 0x20010db8);
	writer_zero(w, 8);
	writer_u32(w, 2 + below(g, 10));
	if (kind == 0) {
		writer_u32(w, 0xfe800000);
		writer_zero(w, 8);
		writer_u32(w, 2 + below(g, 10));
	}
}

static void put_routes(struct build *b)
{
	struct random_updates *g = b->g;
	uint32_t count = 1 + below(g, one_in(g, 16) ? 30 : 4);

	begin(b, OPTIONAL, b->withdraw ? 15 : 14);
	writer_u16(&b->w, 25);
	writer_u8(&b->w, 70);
	if (!b->withdraw) {
		put_next_hop(g, &b->w);
		writer_u8(&b->w, 0);
	}
	while (count--)
		put_nlri(g, &b->w, b->kind);
	end(b);
}

/* --- the message --- */

static unsigned draw_kind(struct random_updates *g)
{
	static const uint8_t kinds[] = {1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 4, 4, 5, 5, 5};

	return one_in(g, 30) ? (one_in(g, 3) ? 12 + below(g, 244) : 6 + below(g, 6))
			     : kinds[below(g, sizeof(kinds))];
}

static void put_attr(struct build *b, struct writer *w, unsigned i)
{
	size_t len = b->attr[i].len;
	bool extended = len > 255 || one_in(b->g, 4);

	writer_u8(w, b->attr[i].flags | (extended ? EXTENDED : 0));
	writer_u8(w, b->attr[i].type);
	if (extended)
		writer_u16(w, (uint16_t)len);
	else
		writer_u8(w, (uint8_t)len);
	writer_bytes(w, b->room + b->attr[i].at, len);
}

size_t random_update(struct random_updates *g, uint8_t buf[RANDOM_UPDATE_MAX])
{
	struct build b = {.g = g, .withdraw = one_in(g, 6), .kind = draw_kind(g)};
	struct writer w = writer_of(buf, RANDOM_UPDATE_MAX);
	unsigned order[ATTRS_MAX];

	b.w = writer_of(b.room, sizeof(b.room));
	put_routes(&b);
	if (!b.withdraw)
		put_common(&b);
	for (unsigned i = 0; i < b.attrs; i++) {
		unsigned at = below(g, i + 1);
		order[i] = order[at];
		order[at] = i;
	}
	for (int i = 0; i < 16; i++)
		writer_u8(&w, 0xff);
	writer_u16(&w, 0);
	writer_u8(&w, UPDATE);
	writer_u16(&w, 0);
	writer_u16(&w, 0);
	for (unsigned i = 0; i < b.attrs; i++)
		put_attr(&b, &w, order[i]);
	if (!writer_ok(&b.w) || !writer_ok(&w))
		return random_update(g, buf); /* too long for once: another one */
	writer_patch_u16(&w, 16, (uint16_t)writer_len(&w));
	writer_patch_u16(&w, HEADER_LEN + 2, (uint16_t)(writer_len(&w) - HEADER_LEN - 4));
	return writer_len(&w);
}
