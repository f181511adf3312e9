/* What is wrong in an UPDATE is said in a line that helps, and in few. */
#include <check.h>
#include <stdlib.h>

#include "lib/log.h"
#include "tests/bgp/raw.h"

static struct raw raw;
static char lines[8192];
static unsigned count;

static void sink(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	count++;
	snprintf(lines, sizeof(lines), "%s", line);
}

#define BASE "40010100 400200 400504 00000064"

static const struct odd_row {
	const char *name, *attrs, *line;
} odds[] = {
	{"a missing one", "40010100 400200",
		"192.0.2.2: LOCAL_PREF (5): mandatory attribute is missing; routes treated as "
		"withdrawn; its octets: none"},
	{"a wrong value", "40010107 400200 400504 00000064",
		"192.0.2.2: ORIGIN (1): undefined ORIGIN; routes treated as withdrawn; its octets: "
		"07"},
	{"one that is discarded", BASE "400601ff",
		"192.0.2.2: ATOMIC_AGGREGATE (6): attribute of the wrong length; attribute "
		"discarded; its octets: ff"},
};

static void rx(const char *attrs, const char *reach)
{
	char hex[1000];
	struct octets a, r;

	a = octets_of(attrs);
	r = octets_of(reach);
	snprintf(hex, sizeof(hex), "ffffffffffffffffffffffffffffffff %04zx 02 0000 %04zx %s %s",
		23 + a.len + r.len, a.len + r.len, attrs, reach);
	free(a.p);
	free(r.p);
	raw_rx_hex(&raw, hex);
}

static void establish(void)
{
	struct bgp_open o = raw_open();

	raw_start(&raw);
	raw_establish(&raw, &o);
	log_set_sink(sink, NULL);
	count = 0;
	lines[0] = '\0';
}

static void teardown(void)
{
	log_set_sink(NULL, NULL);
	raw_stop(&raw);
}

START_TEST(logged)
{
	establish();
	rx(odds[_i].attrs, "800e0d 0019 46 04 c0000202 00 f0020101");
	ck_assert_msg(strstr(lines, odds[_i].line), "%s", lines);
	ck_assert_str_eq(raw_view(&raw).state, "Established");
}
END_TEST

START_TEST(nlris)
{
	establish();
	rx(BASE, "800e0d 0019 46 04 c0000202 00 fe020102");
	ck_assert_msg(
		strstr(lines, "192.0.2.2: bad NLRI: discarded; its octets: fe020102"), "%s", lines);
	rx(BASE, "800e0d 0019 46 04 c0000202 00 fd020102");
	ck_assert_msg(
		strstr(lines, "192.0.2.2: bad NLRI: withdrawn; its octets: fd020102"), "%s", lines);
}
END_TEST

/* 200 octets of nonsense, a thousand times. */
START_TEST(bounded)
{
	char value[600] = "c008c9";

	establish();
	for (int i = 0; i < 201; i++)
		strcat(value, "41");
	strcat(value, BASE);
	for (int i = 0; i < 1000; i++)
		rx(value, "800e0d 0019 46 04 c0000202 00 f0020101");
	ck_assert_uint_eq(raw_view(&raw).treat_as_withdraw, 1000);
	ck_assert_uint_le(count, 30);
	ck_assert_uint_lt(strlen(lines), 400);
}
END_TEST

CHECK_MAIN("odd", tcase_add_checked_fixture(t, NULL, teardown);
	   tcase_add_loop_test(t, logged, 0, ROWS_OF(odds)); tcase_add_test(t, nlris);
	   tcase_add_test(t, bounded);)
