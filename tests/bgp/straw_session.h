/* A neighbour made by hand and a monitoring station that looks on, for a test file. */
#pragma once
#include "bgp/bmp.h"
#include "bgp/engine.h"
#include "tests/bgp/raw.h"
#include "tests/bgp/straw_station.h"

#define WALL_US 1600000000000000ull

static struct raw raw;
static struct bmp *bmp;
static struct straw straw, straw2;
static char text[65536];

#define HEARD(expected) ck_assert_str_eq(straw_text(&straw, text, sizeof(text)), expected)

static inline struct bmp_station_config station(unsigned views)
{
	return (struct bmp_station_config){.name = "straw",
		.views = views,
		.retry_sec = BMP_RETRY_SEC,
		.queue_octets = BMP_QUEUE_OCTETS};
}

/* Until nothing is due. */
static inline void turn(void)
{
	raw_drain(&raw);
	for (int i = 0; i < 10000 && bmp_deadline(bmp) <= raw.now; i++) {
		struct bmp_station *st = NULL;
		bmp_run(bmp, raw.now, WALL_US + 1000 * raw.now);
		while ((st = bmp_next(bmp, st)))
			if (bmp_wants(st, raw.now) == BMP_CONNECT || bmp_wants(st, raw.now) == BMP_CLOSE)
				return;
	}
}

static inline void connect_straw(struct straw *w)
{
	ck_assert_int_eq(bmp_wants(w->st, raw.now), BMP_CONNECT);
	bmp_connecting(w->st);
	ck_assert_int_eq(bmp_wants(w->st, raw.now), BMP_REST);
	bmp_connected(w->st, raw.now);
	turn();
}

static inline void begin(unsigned views)
{
	struct bmp_station_config c = station(views);

	raw_start(&raw);
	bmp = bmp_new(raw.s, "quelld 1.0", "rs1");
	bmp_run(bmp, raw.now, WALL_US + 1000 * raw.now);
	straw = (struct straw){.st = bmp_add(bmp, &c, raw.now)};
}

static inline void end(void)
{
	bmp_free(bmp);
	raw_stop(&raw);
	free(straw.in);
	free(straw2.in);
	straw2 = (struct straw){0};
}

static inline void establish(bool gr)
{
	struct bgp_open o = raw_open();

	if (gr) {
		o.gr = true;
		o.gr_restart_sec = 120;
		o.gr_family_count = 1;
		o.gr_families[0] = (struct open_gr_family){{AFI_L2VPN, SAFI_EVPN}, true};
	}
	raw_establish(&raw, &o);
	turn();
}

static inline void rx_eor(void)
{
	uint8_t buf[64];

	raw_rx(&raw, buf, update_eor(buf, sizeof(buf), &test_family));
	turn();
}

static inline void connection_fails(void)
{
	conn_lost(raw.c, CONN_FAILED, raw.now);
	raw.c = NULL;
}

#define ORIGIN "40 01 01 00"
#define NO_AS "40 02 00"
#define PREF "40 05 04 00000064"
#define REACH(nlris_len, nlris) "80 0e" nlris_len "0019 46 04 c0000202 00" nlris

/* The body of an UPDATE by its attributes, with header and lengths. */
static inline void rx_attrs(const char *hex)
{
	struct octets a = octets_of(hex);
	uint8_t buf[BGP_MSG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t mark = bgp_msg_begin(&w, BGP_UPDATE);

	writer_u16(&w, 0);
	writer_u16(&w, (uint16_t)a.len);
	writer_bytes(&w, a.p, a.len);
	bgp_msg_finish(&w, mark);
	raw_rx(&raw, buf, writer_len(&w));
	free(a.p);
	turn();
}
