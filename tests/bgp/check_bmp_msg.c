/* The messages of BMP, to the octet. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/bmp_msg.h"
#include "bgp/msg.h"
#include "tests/bgp/wire.h"

#define MARKER "ffffffffffffffffffffffffffffffff"
/* Type, flags, distinguisher, address, AS, identifier, time. */
#define PEER4 "00 00 0000000000000000 000000000000000000000000c0000202 0000fde8 c0000202"
#define TIME "5f5e1000 0007a120"

static const struct bmp_peer peer4 = {.address = {4, {192, 0, 2, 2}},
	.as = 65000,
	.bgp_id = 0xc0000202,
	.time_us = 1600000000500000};
static const struct bmp_peer peer6 = {
	.address = {6, {0x20, 0x01, 0x0d, 0xb8, [15] = 2}},
	.as = 4200000000u,
	.bgp_id = 0xc0000202,
	.post = true,
	.as2 = true};

static uint8_t buf[4096];
static struct writer w;

/* At most two at a time. */
static struct span span_of(const char *hex)
{
	static uint8_t room[2][64];
	static unsigned turn;
	struct octets o = octets_of(hex);
	uint8_t *p = room[turn++ % 2];

	memcpy(p, o.p, o.len);
	free(o.p);
	return (struct span){p, (uint16_t)o.len};
}

static void initiation(void)
{
	bmp_initiation(&w, "quelld 1.0", "rs1");
}

static void initiation_empty(void)
{
	bmp_initiation(&w, "", "");
}

static void termination(void)
{
	bmp_termination(&w, BMP_TERM_ADMIN);
}

static void termination_for_good(void)
{
	bmp_termination(&w, BMP_TERM_ADMIN_FOR_GOOD);
}

static void up4(void)
{
	struct bmp_up up = {{4, {192, 0, 2, 1}}, 179, 40000, span_of("aa bb"), span_of("cc")};

	bmp_peer_up(&w, &peer4, &up);
}

static void up6(void)
{
	struct bmp_up up = {{6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}, 0, 0, span_of(""), span_of("")};

	bmp_peer_up(&w, &peer6, &up);
}

static void down1(void)
{
	bmp_peer_down(&w, &peer4, 1, span_of("0602"), 0);
}

static void down2(void)
{
	bmp_peer_down(&w, &peer4, 2, span_of(""), 10);
}

static void down3(void)
{
	bmp_peer_down(&w, &peer4, 3, span_of("0604 00190100000001"), 0);
}

static void down4(void)
{
	bmp_peer_down(&w, &peer4, 4, span_of("ff"), 7);
}

static void down5(void)
{
	bmp_peer_down(&w, &peer4, 5, span_of(""), 0);
}

static void route(void)
{
	bmp_route(&w, &peer4, span_of("0000 0000"));
}

static void stats(void)
{
	struct bmp_stats s = bmp_stats_begin(&w, &peer4);

	bmp_stats_counter(&s, BMP_STAT_REJECTED, 0x1122334455667788);
	bmp_stats_gauge(&s, BMP_STAT_ADJ_RIB_IN, 0x1122334455667788);
	bmp_stats_family(&s, BMP_STAT_FAMILY_LOC_RIB, 25, 70, 9);
	bmp_stats_end(&s);
}

static void stats_none(void)
{
	struct bmp_stats s = bmp_stats_begin(&w, &peer4);

	bmp_stats_end(&s);
}

static const struct {
	const char *name;
	void (*encode)(void);
	const char *hex;
} rows[] = {
	{"4.3 Initiation", initiation,
		"03 0000001b 04 0001 000a 7175656c6c6420312e30 0002 0003 727331"},
	{"4.3 empty texts", initiation_empty, "03 0000000e 04 0001 0000 0002 0000"},
	{"4.5 Termination: administratively closed", termination, "03 0000000c 05 0001 0002 0000"},
	{"4.5 Termination: for good", termination_for_good, "03 0000000c 05 0001 0002 0004"},
	{"4.10 Peer Up, IPv4", up4,
		"03 00000047 03" PEER4 TIME
		"000000000000000000000000c0000201 00b3 9c40 aabb cc"},
	{"4.10 Peer Up, IPv6, L and A, time not known", up6,
		"03 00000044 03 00 e0 0000000000000000 20010db8000000000000000000000002 fa56ea00 c0000202"
		"00000000 00000000 20010db8000000000000000000000001 0000 0000"},
	{"4.9 Peer Down 1", down1, "03 00000046 02" PEER4 TIME "01" MARKER "0015 03 0602"},
	{"4.9 Peer Down 2", down2, "03 00000033 02" PEER4 TIME "02 000a"},
	{"4.9 Peer Down 3", down3,
		"03 0000004d 02" PEER4 TIME "03" MARKER "001c 03 0604 00190100000001"},
	{"4.9 Peer Down 4", down4, "03 00000031 02" PEER4 TIME "04"},
	{"4.9 Peer Down 5", down5, "03 00000031 02" PEER4 TIME "05"},
	{"4.6 Route Monitoring", route,
		"03 00000047 00" PEER4 TIME MARKER "0017 02 0000 0000"},
	{"4.8 Stats Report: counter, gauge, gauge of a family", stats,
		"03 00000057 01" PEER4 TIME
		"00000003 0000 0004 55667788 0007 0008 1122334455667788 000a 000b 0019 46 0000000000000009"},
	{"4.8 without any", stats_none, "03 00000034 01" PEER4 TIME "00000000"},
};

START_TEST(messages)
{
	struct octets want = octets_of(rows[_i].hex);

	w = writer_of(buf, sizeof(buf));
	rows[_i].encode();
	ck_assert(writer_ok(&w));
	char *got = hex_of(buf, writer_len(&w)), *expected = hex_of(want.p, want.len);
	ck_assert_msg(strcmp(got, expected) == 0, "%s:\n %s, wanted\n %s", rows[_i].name, got, expected);
	free(got);
	free(expected);
	free(want.p);
}
END_TEST

/* No octet outside of what there is, and no lie about the length: what does not fit is refused whole. */
START_TEST(no_room)
{
	struct octets want = octets_of(rows[_i].hex);

	for (size_t cap = 0; cap < want.len; cap++) {
		uint8_t *small = malloc(cap ? cap : 1);
		w = writer_of(small, cap);
		rows[_i].encode();
		ck_assert(!writer_ok(&w));
		free(small);
	}
	free(want.p);
}
END_TEST

START_TEST(long_texts_are_cut)
{
	static char text[70000];

	memset(text, 'x', sizeof(text) - 1);
	w = writer_of(buf, sizeof(buf));
	bmp_initiation(&w, text, text);
	ck_assert_uint_eq(writer_len(&w), 6 + 2 * (4 + BMP_TEXT_MAX));
}
END_TEST

CHECK_MAIN("bmp_msg", tcase_add_loop_test(t, messages, 0, ROWS_OF(rows));
	   tcase_add_loop_test(t, no_room, 0, ROWS_OF(rows)); tcase_add_test(t, long_texts_are_cut);)
