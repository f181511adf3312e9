#include "bgp/bmp_msg.h"

#include <string.h>

#include "bgp/msg.h"

#define VERSION 3
#define PEER_GLOBAL 0
#define FLAG_V 0x80
#define FLAG_L 0x40
#define FLAG_A 0x20

/* Information TLVs; String has the same number in all messages. */
#define INFO_SYS_DESCR 1
#define INFO_SYS_NAME 2
#define TERM_REASON 1

static void patch_u32(struct writer *w, size_t at, uint32_t v)
{
	writer_patch_u16(w, at, (uint16_t)(v >> 16));
	writer_patch_u16(w, at + 2, (uint16_t)v);
}

static void put_u64(struct writer *w, uint64_t v)
{
	writer_u32(w, (uint32_t)(v >> 32));
	writer_u32(w, (uint32_t)v);
}

/* --- the frame --- */

size_t bmp_begin(struct writer *w, enum bmp_type type)
{
	size_t mark = writer_mark(w);

	writer_u8(w, VERSION);
	writer_u32(w, 0);
	writer_u8(w, (uint8_t)type);
	return mark;
}

void bmp_end(struct writer *w, size_t mark)
{
	if (writer_ok(w))
		patch_u32(w, mark + 1, (uint32_t)(writer_mark(w) - mark));
}

/* 16 octets; an IPv4 address has the last four of them. */
static void put_ip(struct writer *w, struct ip ip)
{
	size_t len = ip_len(ip);

	writer_zero(w, 16 - len);
	writer_bytes(w, ip.b, len);
}

void bmp_peer(struct writer *w, const struct bmp_peer *p)
{
	writer_u8(w, PEER_GLOBAL);
	writer_u8(w, (uint8_t)((p->address.family == 6 ? FLAG_V : 0) | (p->post ? FLAG_L : 0) |
			       (p->as2 ? FLAG_A : 0)));
	writer_zero(w, 8); /* the distinguisher of a global instance peer */
	put_ip(w, p->address);
	writer_u32(w, p->as);
	writer_u32(w, p->bgp_id);
	writer_u32(w, (uint32_t)(p->time_us / 1000000));
	writer_u32(w, (uint32_t)(p->time_us % 1000000));
}

static void put_text(struct writer *w, uint16_t type, const char *text)
{
	size_t len = strnlen(text, BMP_TEXT_MAX);

	writer_u16(w, type);
	writer_u16(w, (uint16_t)len);
	writer_bytes(w, text, len);
}

/* A BGP message is its body and a header that could only be this. */
static void put_message(struct writer *w, enum bgp_msg_type type, struct span body)
{
	size_t mark = bgp_msg_begin(w, type);

	writer_bytes(w, body.p, body.len);
	bgp_msg_finish(w, mark);
}

/* --- about ourselves --- */

void bmp_initiation(struct writer *w, const char *sys_descr, const char *sys_name)
{
	size_t mark = bmp_begin(w, BMP_INITIATION);

	put_text(w, INFO_SYS_DESCR, sys_descr);
	put_text(w, INFO_SYS_NAME, sys_name);
	bmp_end(w, mark);
}

void bmp_termination(struct writer *w, enum bmp_termination_reason reason)
{
	size_t mark = bmp_begin(w, BMP_TERMINATION);

	writer_u16(w, TERM_REASON);
	writer_u16(w, 2);
	writer_u16(w, (uint16_t)reason);
	bmp_end(w, mark);
}

/* --- about a peer --- */

void bmp_peer_up(struct writer *w, const struct bmp_peer *p, const struct bmp_up *up)
{
	size_t mark = bmp_begin(w, BMP_PEER_UP);

	bmp_peer(w, p);
	put_ip(w, up->local);
	writer_u16(w, up->local_port);
	writer_u16(w, up->remote_port);
	writer_bytes(w, up->sent_open.p, up->sent_open.len);
	writer_bytes(w, up->received_open.p, up->received_open.len);
	bmp_end(w, mark);
}

void bmp_peer_down(struct writer *w, const struct bmp_peer *p, uint8_t reason, struct span body,
	uint16_t event)
{
	size_t mark = bmp_begin(w, BMP_PEER_DOWN);

	bmp_peer(w, p);
	writer_u8(w, reason);
	if (reason == 1 || reason == 3)
		put_message(w, BGP_NOTIFICATION, body);
	else if (reason == 2)
		writer_u16(w, event);
	bmp_end(w, mark);
}

void bmp_route(struct writer *w, const struct bmp_peer *p, struct span body)
{
	size_t mark = bmp_begin(w, BMP_ROUTE_MONITORING);

	bmp_peer(w, p);
	put_message(w, BGP_UPDATE, body);
	bmp_end(w, mark);
}

/* --- statistics --- */

struct bmp_stats bmp_stats_begin(struct writer *w, const struct bmp_peer *p)
{
	struct bmp_stats s = {.w = w, .mark = bmp_begin(w, BMP_STATS_REPORT)};

	bmp_peer(w, p);
	s.count_at = writer_mark(w);
	writer_u32(w, 0);
	return s;
}

static void put_stat(struct bmp_stats *s, enum bmp_stat type, uint16_t len)
{
	s->count++;
	writer_u16(s->w, (uint16_t)type);
	writer_u16(s->w, len);
}

void bmp_stats_counter(struct bmp_stats *s, enum bmp_stat type, uint64_t n)
{
	put_stat(s, type, 4);
	writer_u32(s->w, (uint32_t)n);
}

void bmp_stats_gauge(struct bmp_stats *s, enum bmp_stat type, uint64_t n)
{
	put_stat(s, type, 8);
	put_u64(s->w, n);
}

void bmp_stats_family(struct bmp_stats *s, enum bmp_stat type, uint16_t afi, uint8_t safi, uint64_t n)
{
	put_stat(s, type, 11);
	writer_u16(s->w, afi);
	writer_u8(s->w, safi);
	put_u64(s->w, n);
}

void bmp_stats_end(struct bmp_stats *s)
{
	patch_u32(s->w, s->count_at, s->count);
	bmp_end(s->w, s->mark);
}
