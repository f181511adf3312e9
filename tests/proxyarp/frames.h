/* Frames for tests, built from a few words: a row of a test table says what is special about a frame, the rest is as
 * a decent host would send it. MACs are letters: 'A' is 02:00:00:00:00:41; some letters are special, see frame_mac(). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ip.h"
#include "lib/mac.h"
#include "proxyarp/frame.h"

enum frame_kind { KIND_ARP, KIND_ND, KIND_IP4, KIND_IP6, KIND_RAW };

struct frame_spec {
	enum frame_kind kind;
	char dst, src;	       /* Ethernet; dst 0: as the kind wants */
	char sha;	       /* ARP sender hardware address; 0: src */
	const char *from, *to; /* ARP sender and target IP; IP source and destination (NULL: as the kind has it) */
	const char *target;    /* ND */
	const char *hex;       /* ND options; payload of IP4, IP6; all behind the source MAC of RAW */
	uint8_t op;	       /* ARP opcode (0: request); ND type; IP protocol */
	uint8_t flags;	       /* NA */
	uint8_t hop;	       /* 0: 255; 1 - 254: that */
	uint8_t code;
	uint16_t bad_sum;      /* added to the checksum */
	int plen;	       /* added to the payload length field */
	int cut;	       /* octets off the end, or (negative) trailer behind it */
	uint16_t fragment;
	uint8_t patch_at, patch; /* at > 0: that octet of the frame is set so */
	bool tagged;	       /* in metadata */
};

struct frame_made {
	uint8_t b[2048];
	size_t len;
};

static inline struct mac frame_mac(char c)
{
	switch (c) {
	case '*':
		return (struct mac){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	case '0':
		return (struct mac){{0}};
	case 'g': /* a solicited-node group */
		return (struct mac){{0x33, 0x33, 0xff, 0, 0, 1}};
	case 'n': /* all nodes */
		return (struct mac){{0x33, 0x33, 0, 0, 0, 1}};
	case 'm': /* an IPv4 group */
		return (struct mac){{0x01, 0, 0x5e, 0, 0, 5}};
	case 't': /* bridges */
		return (struct mac){{0x01, 0x80, 0xc2, 0, 0, 0}};
	case 'c': /* Cisco */
		return (struct mac){{0x01, 0, 0x0c, 0xcc, 0xcc, 0xcc}};
	default:
		return (struct mac){{0x02, 0, 0, 0, 0, (uint8_t)c}};
	}
}

static inline void frame_put(struct frame_made *m, const void *b, size_t len)
{
	memcpy(m->b + m->len, b, len);
	m->len += len;
}

static inline void frame_u8(struct frame_made *m, unsigned v)
{
	m->b[m->len++] = (uint8_t)v;
}

static inline void frame_u16(struct frame_made *m, unsigned v)
{
	frame_u8(m, v >> 8);
	frame_u8(m, v);
}

static inline void frame_hex(struct frame_made *m, const char *hex)
{
	for (; hex && *hex; hex++) {
		char pair[3] = {hex[0], hex[1], 0};
		if (*hex == ' ')
			continue;
		frame_u8(m, (unsigned)strtoul(pair, NULL, 16));
		hex++;
	}
}

static inline struct ip frame_ip(const char *text)
{
	struct ip ip = {0};

	if (text && ip_parse(text, &ip) < 0)
		abort();
	return ip;
}

static inline void frame_make_arp(struct frame_made *m, const struct frame_spec *s)
{
	frame_u16(m, 0x0806);
	frame_hex(m, "0001 0800 06 04");
	frame_u16(m, s->op ? s->op : 1);
	frame_put(m, frame_mac(s->sha ? s->sha : s->src).b, 6);
	frame_put(m, frame_ip(s->from).b, 4);
	frame_put(m, frame_mac('0').b, 6);
	frame_put(m, frame_ip(s->to).b, 4);
}

static inline void frame_make_ip6(struct frame_made *m, const struct frame_spec *s)
{
	struct ip src = frame_ip(s->from), dst = frame_ip(s->to), target = frame_ip(s->target);
	bool nd = s->kind == KIND_ND;

	if (nd && !s->to && s->op == 135) {
		dst = frame_ip("ff02::1:ff00:0");
		memcpy(dst.b + 13, target.b + 13, 3);
	}
	frame_u16(m, 0x86dd);
	frame_hex(m, "60000000");
	size_t plen_at = m->len;
	frame_u16(m, 0);
	frame_u8(m, nd ? 58 : s->op);
	frame_u8(m, s->hop ? s->hop : 255);
	frame_put(m, src.b, 16);
	frame_put(m, dst.b, 16);
	size_t at = m->len;
	if (nd) {
		frame_u8(m, s->op);
		frame_u8(m, s->code);
		frame_u16(m, 0);
		if (s->op == 135 || s->op == 136) {
			frame_u8(m, s->flags);
			frame_hex(m, "000000");
			frame_put(m, target.b, 16);
		} else {
			frame_hex(m, "00000000");
		}
	}
	frame_hex(m, s->hex);
	size_t plen = (size_t)((int)(m->len - at) + s->plen);
	m->b[plen_at] = (uint8_t)(plen >> 8);
	m->b[plen_at + 1] = (uint8_t)plen;
	if (nd) {
		uint16_t sum = (uint16_t)(frame_icmp6_sum(src.b, dst.b, m->b + at, plen) + s->bad_sum);
		m->b[at + 2] = (uint8_t)(sum >> 8);
		m->b[at + 3] = (uint8_t)sum;
	}
}

static inline void frame_make_ip4(struct frame_made *m, const struct frame_spec *s)
{
	frame_u16(m, 0x0800);
	size_t at = m->len;
	frame_hex(m, "4500 0000 0000");
	frame_u16(m, s->fragment);
	frame_u8(m, 64);
	frame_u8(m, s->op);
	frame_u16(m, 0);
	frame_put(m, frame_ip(s->from ? s->from : "198.18.0.1").b, 4);
	frame_put(m, frame_ip(s->to ? s->to : "224.0.0.5").b, 4);
	frame_hex(m, s->hex);
	m->b[at + 2] = (uint8_t)((m->len - at) >> 8);
	m->b[at + 3] = (uint8_t)(m->len - at);
}

static inline struct frame_made frame_make(const struct frame_spec *s)
{
	struct frame_made m = {.len = 0};
	char dst = s->dst ? s->dst : s->kind == KIND_ND ? 'g' : '*';

	frame_put(&m, frame_mac(dst).b, 6);
	frame_put(&m, frame_mac(s->src ? s->src : 'A').b, 6);
	struct frame_spec full = *s;
	full.src = s->src ? s->src : 'A';
	switch (s->kind) {
	case KIND_ARP:
		frame_make_arp(&m, &full);
		break;
	case KIND_IP4:
		frame_make_ip4(&m, &full);
		break;
	case KIND_RAW:
		frame_hex(&m, s->hex);
		break;
	default:
		frame_make_ip6(&m, &full);
		break;
	}
	if (s->patch_at)
		m.b[s->patch_at] = s->patch;
	m.len = (size_t)((int)m.len - s->cut);
	return m;
}

#define ARP(...) {.kind = KIND_ARP, __VA_ARGS__}
#define NS(...) {.kind = KIND_ND, .op = 135, __VA_ARGS__}
#define NA(...) {.kind = KIND_ND, .op = 136, __VA_ARGS__}
#define ND(...) {.kind = KIND_ND, __VA_ARGS__}
#define IP4(...) {.kind = KIND_IP4, __VA_ARGS__}
#define IP6(...) {.kind = KIND_IP6, __VA_ARGS__}
#define RAW(...) {.kind = KIND_RAW, __VA_ARGS__}
