/* Capture files: both formats, byte orders, resolutions of time; names of interfaces, directions; and every file that ends too early or
 * is none. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "audit/read.h"
#include "world.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define ARP_60 "ffffffffffff 020000000042 0806 0001080006040001 020000000042 c6120002 000000000000 c612004d" \
	       "000000000000000000000000000000000000"
#define LEN_LE "3c000000 3c000000"
#define LEN_BE "0000003c 0000003c"
/* 2023-11-14 22:13:20.5 */
#define SEC_LE "00f15365"
#define SEC_BE "6553f100"
#define NG_BE "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c"
#define NG_LE "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000"
#define IDB_LE "01000000 14000000 0100 0000 00000400 14000000"
#define IDB_NAMED "00000001 00000030 0001 0000 00040000 0002 0004 73777031 0009 0001 09000000 000d 0001 00000000 0000 0000 00000030"

static struct world w;

static const struct good {
	const char *name, *hex, *port;
	uint64_t frames;
	int64_t ns;
	enum audit_dir dir;
} goods[] = {
	{"pcap, big endian, us", "a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001" SEC_BE "0007a120" LEN_BE ARP_60, "file", 1, 500000000},
	{"pcap, little endian, us", "d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000" SEC_LE "20a10700" LEN_LE ARP_60, "file", 1, 500000000},
	{"pcap, little endian, ns", "4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000" SEC_LE "0065cd1d" LEN_LE ARP_60, "file", 1, 500000000},
	{"pcap, big endian, ns", "a1b23c4d 0002 0004 00000000 00000000 00040000 00000001" SEC_BE "1dcd6500" LEN_BE ARP_60, "file", 1, 500000000},
	{"pcap, longer records", "34cdb2a1 0200 0400 00000000 00000000 00000400 01000000" SEC_LE "20a10700" LEN_LE "0000000000000000" ARP_60, "file", 1, 500000000},
	{"pcap with FCS", "a1b2c3d4 0002 0004 00000000 00000000 00040000 24000001" SEC_BE "0007a120 00000040 00000040" ARP_60 "deadbeef", "file", 1, 500000000},
	{"pcap of two", "a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001" SEC_BE "00000000" LEN_BE ARP_60 SEC_BE "0007a120" LEN_BE ARP_60, "file", 2, 500000000},
	{"pcap of none", "a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001", "file", 0, 0},
	{"pcapng, named, ns, in", NG_BE IDB_NAMED "00000006 00000068 00000000 17979cfe 53f76500 0000003c 0000003c" ARP_60 "0002 0004 00000001 0000 0000 00000068", "swp1", 1, 500000000, AUDIT_SENT},
	{"pcapng, named, ns, out", NG_BE IDB_NAMED "00000006 00000068 00000000 17979cfe 53f76500 0000003c 0000003c" ARP_60 "0002 0004 00000002 0000 0000 00000068", "swp1", 1, 500000000},
	{"pcapng, no name, us", NG_LE IDB_LE "06000000 5c000000 00000000 240a0600 20e12518 3c000000 3c000000" ARP_60 "5c000000", "file", 1, 500000000},
	{"pcapng, simple", NG_LE IDB_LE "03000000 4c000000 3c000000" ARP_60 "4c000000", "file", 1, -1},
	{"pcapng, the old packet", NG_LE IDB_LE "02000000 5c000000 0000 0000 240a0600 20e12518 3c000000 3c000000" ARP_60 "5c000000", "file", 1, 500000000},
	{"pcapng, other blocks", NG_LE "04000000 10000000 00000000 10000000" IDB_LE "ad0b0000 0c000000 0c000000", "file", 0, 0},
	{"pcapng, two sections", NG_LE IDB_LE "03000000 4c000000 3c000000" ARP_60 "4c000000" NG_BE IDB_NAMED "00000003 0000004c 0000003c" ARP_60 "0000004c", "file", 2, -1},
};

static struct frame_made octets_of(const char *hex)
{
	struct frame_made m = {.len = 0};

	frame_hex(&m, hex);
	return m;
}

START_TEST(reads)
{
	const struct good *g = &goods[_i];
	struct frame_made m = octets_of(g->hex);
	char err[AUDIT_ERROR_MAX] = "";
	struct audit *a = audit_new(&w.config);

	int r = audit_read_octets(a, m.b, m.len, "dir/file.pcap.gz", NULL, err);
	ck_assert_msg(r == 0, "%s: %s", g->name, err);
	ck_assert_msg(a->frames == g->frames, "%s: %lu frames", g->name, (unsigned long)a->frames);
	ck_assert_uint_eq(a->octets, 60 * g->frames);
	ck_assert_uint_eq(a->cut, 0);
	ck_assert_str_eq(a->ports[0].name, g->port);
	uint64_t in = a->ports[0].at[AUDIT_RECEIVED][CLASS_ARP_REQUEST].all.frames, out = a->ports[0].at[AUDIT_SENT][CLASS_ARP_REQUEST].all.frames;
	if (a->port_count == 1)
		ck_assert_uint_eq(g->dir == AUDIT_SENT ? out : in, g->frames);
	if (g->ns > 0)
		ck_assert_msg(a->last_ns == 1700000000LL * SECOND + g->ns, "%s: %lld", g->name, (long long)a->last_ns);
	audit_free(a);
}
END_TEST

/* Whatever it ends at: no frame more than are whole, and the place is told. */
START_TEST(truncated)
{
	const struct good *g = &goods[_i];
	struct frame_made m = octets_of(g->hex);

	for (size_t len = 0; len < m.len; len++) {
		char err[AUDIT_ERROR_MAX] = "";
		struct audit *a = audit_new(&w.config);
		int r = audit_read_octets(a, m.b, len, "f", NULL, err);
		ck_assert_msg(r == 0 || r == -ENODATA || r == -EINVAL, "%s at %zu: %d", g->name, len, r);
		ck_assert_msg((r == 0) == !err[0], "%s at %zu: %s", g->name, len, err);
		ck_assert_msg(!r || strncmp(err, "f: ", 3) == 0, "%s", err);
		ck_assert_uint_le(a->frames, g->frames);
		audit_close(a);
		audit_free(a);
	}
}
END_TEST

static const struct bad {
	const char *name, *hex, *err;
	int error;
} bads[] = {
	{"nothing", "", "f: no capture: it is empty", -EINVAL},
	{"three octets", "d4c3b2", "f: no capture: it is too short", -EINVAL},
	{"text", "68656c6c6f20776f726c64 68656c6c6f20776f726c64 0000", "f: record 0 at octet 0: neither pcap nor pcapng", -EINVAL},
	{"cooked", "a1b2c3d4 0002 0004 00000000 00000000 00040000 00000071", "f: record 0 at octet 0: Linux cooked (of 'any'), which has no destination MAC: capture the interface itself", -EINVAL},
	{"802.11", "a1b2c3d4 0002 0004 00000000 00000000 00040000 00000069", "f: record 0 at octet 0: link type 105 is not Ethernet", -EINVAL},
	{"cut in a record", "a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001" SEC_BE "00000000" LEN_BE ARP_60 SEC_BE "00000000" LEN_BE "ffff", "f: record 2 at octet 100: the file ends within it", -ENODATA},
	{"a huge record", "a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001" SEC_BE "00000000 7fffffff 7fffffff", "f: record 1 at octet 24: 2147483647 octets long, which no frame is", -EINVAL},
	{"a block too short", NG_BE "00000006 00000008", "f: block 2 at octet 28: 8 octets long, which no block is", -EINVAL},
	{"a block of odd length", NG_BE "00000006 0000000d 00", "f: block 2 at octet 28: 13 octets long, which no block is", -EINVAL},
	{"a block beyond the end", NG_BE "00000006 00000040 00", "f: block 2 at octet 28: longer than the file", -ENODATA},
	{"no such interface", NG_BE "00000006 00000020 00000007 00000000 00000000 00000000 00000000 00000020", "f: block 2 at octet 28: interface 7, which has not been described", -EINVAL},
	{"frame longer than its block", NG_BE IDB_NAMED "00000006 00000020 00000000 00000000 00000000 00000009 00000009 00000020", "f: block 3 at octet 76: the frame is longer than its block", -EINVAL},
	{"no byte order", "0a0d0d0a 0000001c 11111111 0001 0000 ffffffffffffffff 0000001c", "f: block 1 at octet 0: a section of no byte order", -EINVAL},
};

START_TEST(refused)
{
	const struct bad *b = &bads[_i];
	struct frame_made m = octets_of(b->hex);
	char err[AUDIT_ERROR_MAX] = "";
	struct audit *a = audit_new(&w.config);

	ck_assert_int_eq(audit_read_octets(a, m.b, m.len, "f", NULL, err), b->error);
	ck_assert_str_eq(err, b->err);
	audit_free(a);
}
END_TEST

/* From when till when the capture ran, as its statistics say, also if hardly a frame came. */
START_TEST(ran)
{
	struct frame_made m = octets_of(NG_BE IDB_NAMED
		"00000005 00000034 00000000 00000000 00000000 0002 0008 179779d1 efef ff00 0003 0008 179779d4 43fa eb00 0000 0000 00000034");
	char err[AUDIT_ERROR_MAX] = "";
	struct audit *a = audit_new(&w.config);

	ck_assert_msg(audit_read_octets(a, m.b, m.len, "f", NULL, err) == 0, "%s", err);
	ck_assert_int_eq(a->ports[0].last_ns - a->ports[0].first_ns, 0x179779d443faeb00 - 0x179779d1efefff00);
	audit_free(a);
}
END_TEST

static void put_file(const char *path, const struct frame_made *m, bool gz, size_t len)
{
	if (gz) {
		gzFile f = gzopen(path, "wb");
		ck_assert_int_eq(gzwrite(f, m->b, (unsigned)m->len), (int)m->len);
		gzclose(f);
		if (len)
			ck_assert_int_eq(truncate(path, (off_t)len), 0);
	} else {
		FILE *f = fopen(path, "w");
		ck_assert_uint_eq(fwrite(m->b, 1, m->len, f), m->len);
		fclose(f);
	}
}

START_TEST(files)
{
	char dir[] = "/tmp/quell-read-XXXXXX", path[128], err[AUDIT_ERROR_MAX] = "";
	struct frame_made m = octets_of(goods[6].hex);
	struct audit *a = audit_new(&w.config);

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/swp2.pcap", dir);
	put_file(path, &m, false, 0);
	ck_assert_int_eq(audit_read(a, path, NULL, err), 0);
	put_file(path, &m, true, 0);
	ck_assert_int_eq(audit_read(a, path, "named", err), 0);
	ck_assert_uint_eq(a->frames, 4);
	ck_assert_str_eq(a->ports[0].name, "swp2");
	ck_assert_ptr_eq(a->ports[0].registered, &w.ports[1]);
	ck_assert_str_eq(a->ports[1].name, "named");
	/* A gzip that ends early: what could be unpacked is read, and that it is not all is said. */
	put_file(path, &m, true, 60);
	ck_assert_int_lt(audit_read(a, path, NULL, err), 0);
	ck_assert_ptr_nonnull(strstr(err, "unpacked"));
	unlink(path);
	ck_assert_int_eq(audit_read(a, path, NULL, err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err, "No such file"));
	rmdir(dir);
	audit_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("read");
	TCase *t = tcase_create("read");

	world_make(&w);
	tcase_add_loop_test(t, reads, 0, sizeof(goods) / sizeof(goods[0]));
	tcase_add_loop_test(t, truncated, 0, sizeof(goods) / sizeof(goods[0]));
	tcase_add_loop_test(t, refused, 0, sizeof(bads) / sizeof(bads[0]));
	tcase_add_test(t, ran);
	tcase_add_test(t, files);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
