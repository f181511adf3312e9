/* The two verdicts against each other: proxyarp/verdict.c and the BPF programs are given the same tables and the same
 * frames and have to say the same of each: class and outcome (by the counter that rises), what becomes of it (return
 * value and mark), the answer octet for octet or the MAC it is sent on to, what it would have been, and what is told.
 * Frames: a list of decent and indecent ones, then a few hundred thousand seeded mutations of them, with repaired
 * checksums as often as not, at ports of every kind; then the same while tables, rules and flags change at random.
 *
 * Runs in namespaces of its own by BPF_PROG_TEST_RUN; nothing is sent. Skipped where BPF may not be loaded.
 * QUELL_DIFF_SEED and QUELL_DIFF_FRAMES choose others. */
#define _GNU_SOURCE /* unshare, CPU_SET */
#include <check.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "proxyarp/linux/bpf.h"
#include "proxyarp/linux/bpf_scratch.h"
#include "proxyarp/verdict.h"
#include "tests/proxyarp/rows.h"
#include "tests/proxyarp/world.h"

#define TLL_C "0201 020000000043"

/* Besides those of rows.h. */
static const struct frame_spec more[] = {
	ARP(.from = "198.18.0.1", .to = "198.18.0.2"),
	ARP(.from = "198.18.0.1", .to = "198.18.0.9", .cut = -18),
	ARP(.from = "198.18.0.1", .to = "198.18.0.77"),
	ARP(.from = "198.18.0.1", .to = "198.18.0.8"),
	ARP(.from = "198.18.0.1", .to = "198.18.0.7"),
	ARP(.src = 'a', .from = "198.18.0.7", .to = "198.18.0.2"),
	ARP(.src = 'P', .from = "198.18.0.7", .to = "198.18.0.77"),
	ARP(.src = 'H', .from = "198.18.0.1", .to = "198.18.0.2"),
	ARP(.src = 'C', .from = "198.18.0.3", .to = "198.18.0.2"),
	ARP(.src = 'C', .from = "198.18.0.33", .to = "198.18.0.2", .cut = -4),
	ARP(.src = 'D', .from = "198.18.0.4", .to = "198.18.0.77"),
	ARP(.src = 'F', .from = "198.18.0.6", .to = "198.18.0.6"),
	ARP(.src = 'R', .from = "198.18.0.9", .to = "198.18.0.1"),
	ARP(.src = 'R', .from = "198.18.0.9", .to = "198.18.0.77"),
	ARP(.src = 'U', .from = "198.18.0.99", .to = "198.18.0.1"),
	ARP(.from = "0.0.0.0", .to = "198.18.0.2", .cut = -18),
	ARP(.from = "0.0.0.0", .to = "198.18.0.1"),
	ARP(.from = "0.0.0.0", .to = "198.18.0.77"),
	ARP(.src = 'R', .from = "0.0.0.0", .to = "198.18.0.1"),
	ARP(.from = "198.18.0.1", .to = "198.18.0.1"),
	ARP(.op = 2, .from = "198.18.0.1", .to = "198.18.0.1"),
	ARP(.op = 2, .dst = 'B', .from = "198.18.0.1", .to = "198.18.0.2"),
	ARP(.op = 2, .dst = 'R', .from = "198.18.0.1", .to = "198.18.0.9"),
	ARP(.op = 2, .from = "198.18.0.1", .to = "198.18.0.2"),
	ARP(.dst = 'B', .from = "198.18.0.1", .to = "198.18.0.2"),
	ARP(.dst = 'U', .from = "198.18.0.1", .to = "198.18.0.2"),
	ARP(.op = 3, .from = "198.18.0.1", .to = "198.18.0.2"),
	NS(.from = "2001:db8::1", .target = "2001:db8::2", .hex = SLL_A),
	NS(.from = "2001:db8::1", .target = "2001:db8::9"),
	NS(.from = "2001:db8::1", .target = "2001:db8::2", .hex = SLL_A NONCE, .cut = -6),
	NS(.from = "2001:db8::1", .target = "2001:db8::2", .hex = SLL_A SLL_R),
	NS(.from = "2001:db8::1", .target = "2001:db8::2", .hex = SLL_A "2501 000000000000"),
	NS(.from = "2001:db8::1", .target = "2001:db8::2",
		.hex = "2502 0000000000000000000000000000" SLL_A),
	NS(.from = "2001:db8::1", .target = "2001:db8::77", .hex = SLL_A),
	NS(.from = "2001:db8::1", .target = "fe80::a", .hex = SLL_A),
	NS(.from = "fe80::a", .target = "2001:db8::3", .hex = SLL_A),
	NS(.from = "fe80::ff:fe00:41", .target = "2001:db8::3", .hex = SLL_A),
	NS(.from = "fe80::ff:fe00:42", .target = "2001:db8::3", .hex = SLL_A),
	NS(.from = "fe80::ff:fe00:52", .target = "2001:db8::3", .hex = SLL_A),
	NA(.dst = 'B', .src = 'C', .from = "2001:db8::3", .to = "2001:db8::2",
		.target = "fe80::ff:fe00:41", .flags = 0x20),
	NS(.from = "fe80::1234", .target = "2001:db8::3", .hex = SLL_A),
	NS(.from = "::", .target = "2001:db8::2"),
	NS(.from = "::", .target = "2001:db8::2", .hex = NONCE),
	NS(.from = "::", .target = "2001:db8::77"),
	NS(.from = "::", .target = "2001:db8::1"),
	NS(.src = 'R', .from = "::", .target = "2001:db8::1"),
	NS(.src = 'R', .from = "2001:db8::9", .target = "2001:db8::1", .hex = SLL_R),
	NS(.src = 'R', .from = "2001:db8::9", .target = "2001:db8::77", .hex = SLL_R),
	NS(.src = 'E', .from = "2001:db8::e", .target = "2001:db8::2", .hex = "2501 000000000000"),
	NS(.src = 'F', .from = "2001:db8::f", .target = "2001:db8::2", .hex = "2501 000000000000"),
	NS(.dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2", .target = "2001:db8::2",
		.hex = SLL_A),
	NA(.dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2", .target = "2001:db8::1",
		.flags = 0x60, .hex = TLL_A),
	NA(.dst = 'n', .from = "2001:db8::1", .to = "ff02::1", .target = "2001:db8::1",
		.flags = 0xa0, .hex = TLL_A),
	NA(.dst = 'n', .src = 'C', .from = "2001:db8::3", .to = "ff02::1", .target = "2001:db8::33",
		.flags = 0xa0, .hex = TLL_C),
	NA(.dst = 'B', .src = 'C', .from = "2001:db8::3", .to = "2001:db8::2",
		.target = "2001:db8::3", .flags = 0x40),
	NA(.dst = 'n', .from = "fe80::a", .to = "ff02::1", .target = "fe80::a"),
	ND(.op = 133, .dst = 'n', .from = "fe80::a", .to = "ff02::2", .hex = SLL_A),
	ND(.op = 133, .dst = 'n', .from = "::", .to = "ff02::2"),
	ND(.op = 133, .dst = 'n', .from = "::", .to = "ff02::2", .hex = SLL_A),
	ND(.op = 137, .dst = 'B', .from = "fe80::a", .to = "2001:db8::2", .hex = ROUTER16 GLOBAL16),
	ND(.op = 137, .dst = 'B', .from = "fe80::a", .to = "2001:db8::2", .hex = GLOBAL16 GLOBAL16),
	ND(.op = 137, .dst = 'B', .from = "fe80::a", .to = "2001:db8::2", .hex = GLOBAL16 ROUTER16),
	ND(.op = 137, .dst = 'B', .from = "fe80::a", .to = "2001:db8::2", .hex = ROUTER16 GROUP16),
	ND(.op = 134, .dst = 'n', .from = "fe80::a", .to = "ff02::1",
		.hex = "0000000000000000" SLL_A),
	ND(.op = 137, .dst = 'B', .from = "fe80::a", .to = "2001:db8::2",
		.hex = "20010db800000000000000000000000220010db8000000000000000000000002"),
	ND(.op = 143, .dst = 'n', .from = "fe80::a", .to = "ff02::16", .hex = "00000001"),
	ND(.op = 128, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2", .hex = "00000001"),
	IP6(.op = 0, .dst = 'n', .from = "fe80::a", .to = "ff02::16",
		.hex = "3a00050200000100 8f00000000000000"),
	IP6(.op = 0, .dst = 'n', .from = "fe80::a", .to = "ff02::16",
		.hex = "3a01050200000100000000000000000083000000"),
	IP6(.op = 17, .dst = 'n', .from = "fe80::a", .to = "ff02::1:2", .hex = "0222022300080000"),
	IP6(.op = 17, .dst = 'n', .from = "fe80::a", .to = "ff02::fb", .hex = "14e914e900080000"),
	IP6(.op = 17, .dst = 'n', .from = "fe80::a", .to = "ff02::c", .hex = "ffff076c00080000"),
	IP6(.op = 89, .dst = 'n', .from = "fe80::a", .to = "ff02::5", .hex = "0301002c"),
	IP6(.op = 103, .dst = 'n', .from = "fe80::a", .to = "ff02::d", .hex = "2000"),
	IP6(.op = 0, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3a00010400000000 88000000e0000000 20010db8000000000000000000000003 "
		       "0201020000000041"),
	IP6(.op = 60, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3a00010400000000 88000000e0000000 20010db8000000000000000000000003 "
		       "0201020000000041"),
	IP6(.op = 44, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3a00000000000001 88000000e0000000 20010db8000000000000000000000003 "
		       "0201020000000041"),
	IP6(.op = 44, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3a00000100000001 88000000e0000000 20010db8000000000000000000000003 "
		       "0201020000000041"),
	IP6(.op = 44, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3a00000800000001 88000000e0000000 20010db8000000000000000000000003 "
		       "0201020000000041"),
	IP6(.op = 51, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3a04000000000001 00000001 000000000000000000000000 88000000e0000000 "
		       "20010db8000000000000000000000003 0201020000000041"),
	IP6(.op = 43, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3c00000000000000 3a00010400000000 88000000e0000000 "
		       "20010db8000000000000000000000003 0201020000000041"),
	IP6(.op = 60, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 "
		       "3c00010400000000 3c00010400000000 3a00010400000000 88000000e0000000 "
		       "20010db8000000000000000000000003 0201020000000041"),
	IP6(.op = 60, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 "
		       "3c00010400000000 3c00010400000000 3a00010400000000 80000000"),
	IP6(.op = 60, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 "
		       "3c00010400000000 3c00010400000000 3c00010400000000 3a00010400000000 "
		       "80000000"),
	IP6(.op = 60, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "0600010400000000 0102030405"),
	IP6(.op = 60, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3a000104000000"),
	IP6(.op = 60, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3a00010400000000"),
	IP6(.op = 60, .dst = 'B', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "3a00010400000000"),
	IP6(.op = 60, .dst = 'n', .from = "2001:db8::1", .to = "ff02::1",
		.hex = "3a00010400000000 88000000e0000000 20010db8000000000000000000000003 "
		       "0201020000000041"),
	IP6(.op = 0, .dst = 'n', .from = "2001:db8::1", .to = "ff02::1",
		.hex = "3a00010400000000 8700000000000000 20010db8000000000000000000000002"),
	IP6(.op = 6, .dst = 'R', .from = "2001:db8::1", .to = "2001:db8::9", .hex = "0102030405"),
	IP4(.op = 6, .dst = 'B', .hex = "0102030405060708"),
	IP4(.op = 6, .dst = 'X', .hex = "0102030405060708"),
	IP4(.op = 6, .dst = 'S', .hex = "0102030405060708"),
	IP4(.op = 6, .dst = 'U', .hex = "0102030405060708"),
	IP4(.op = 2, .dst = 'm', .hex = "1600000000000000"),
	IP4(.op = 89, .dst = 'm', .hex = "0201002c"),
	IP4(.op = 103, .dst = 'm', .hex = "2000"),
	IP4(.op = 17, .hex = "0044004300080000"),
	IP4(.op = 17, .dst = 'm', .hex = "14e914e900080000"),
	IP4(.op = 17, .dst = 'm', .hex = "ffff076c00080000"),
	IP4(.op = 17, .hex = "0089008900080000"),
	IP4(.op = 17, .hex = "0089008a00080000", .patch_at = 14, .patch = 0x46),
	IP4(.op = 17, .hex = "0089008900080000", .fragment = 100),
	IP4(.op = 1, .hex = "0800000000000000"),
	RAW(.dst = 't', .hex = "0026 424203 0000000000"),
	RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 010b 0000"),
	RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 2000 02b4"),
	RAW(.dst = 'c', .hex = "0032 e0e003 00000c 2000 02b4"),
	RAW(.src = 'F', .dst = 't', .hex = "88cc 0207040000000000"),
	RAW(.hex = "8100 0064 0806 0001080006040001"),
	RAW(.hex = "88a8 0064 0806 0001080006040001"),
	RAW(.hex = "9000 0000"),
	RAW(.dst = 'B', .hex = "0806 0001080006040001"),
	IP4(.op = 6, .dst = 'T', .to = "198.18.0.50", .hex = "c00000b3 00000001 00000000 5002 ffff"),
	IP4(.op = 6, .dst = 'T', .to = "198.18.0.50", .hex = "c00000b3 00000001 00000001 5012 ffff"),
	IP4(.op = 6, .dst = 'T', .to = "198.18.0.50", .hex = "c00000b3 00000001 00000000 5002",
		.fragment = 1),
	IP6(.op = 6, .dst = 'T', .from = "2001:db8::1", .to = "2001:db8::50",
		.hex = "c00000b3 00000001 00000000 5002 ffff"),
	IP4(.op = 17, .dst = 'S', .hex = "c00012b5 00100000 0800000000006400"),
	IP6(.op = 17, .dst = 'S', .from = "2001:db8::1", .to = "2001:db8::2",
		.hex = "c00012b5 00100000 0800000000006400"),
	IP4(.src = 'W', .op = 6, .dst = 'B', .from = "198.18.0.50", .hex = "0102030405060708"),
	IP4(.src = 'W', .op = 6, .dst = 'T', .from = "198.18.0.50", .hex = "0102030405060708"),
	IP6(.src = 'W', .op = 6, .dst = 'B', .from = "2001:db8::50", .to = "2001:db8::2",
		.hex = "0102030405"),
	IP4(.op = 17, .dst = 'B', .from = "192.0.2.2", .to = "192.0.2.1",
		.hex = "c00012b5 00100000 0800000000006400"),
	IP4(.op = 17, .dst = 'B', .from = "192.0.2.3", .to = "192.0.2.1",
		.hex = "c00012b5 00100000 0800000000006400"),
	IP4(.op = 17, .dst = 'B', .from = "192.0.2.2", .to = "192.0.2.1",
		.hex = "c00012b5 00100000 0800000000006500"),
	IP4(.op = 17, .dst = 'B', .from = "192.0.2.2", .to = "192.0.2.1",
		.hex = "c00012b5 00100000 0000000000006400"),
	IP4(.op = 17, .dst = 'B', .from = "192.0.2.2", .to = "192.0.2.1",
		.hex = "00000000 c00012b5 00100000 0800000000006400", .patch_at = 14, .patch = 0x46),
	IP6(.op = 17, .dst = 'B', .from = "2001:db8:ffff::2", .to = "2001:db8:ffff::1",
		.hex = "c00012b5 00100000 0800000000006400"),
	IP6(.op = 17, .dst = 'B', .from = "::", .to = "2001:db8:ffff::1",
		.hex = "c00012b5 00100000 0800000000006400"),
	IP4(.op = 1, .dst = 'B', .hex = "0501000000000000"),
	IP4(.op = 1, .dst = 'm', .hex = "0900000000000000"),
	IP4(.op = 88, .dst = 'm', .hex = "0201002c"),
	IP4(.op = 9, .dst = 'm', .hex = "0201002c"),
	IP4(.op = 17, .hex = "162e162e00080000"),
	IP4(.op = 17, .dst = 'm', .hex = "0208020800080000"),
	IP6(.op = 88, .dst = 'n', .from = "fe80::a", .to = "ff02::a", .hex = "0201002c"),
	IP6(.op = 17, .dst = 'n', .from = "fe80::a", .to = "ff02::9", .hex = "0209020900080000"),
	IP6(.op = 17, .dst = 'n', .from = "fe80::a", .to = "ff02::1", .hex = "162e162e00080000"),
	RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 2003 0000"),
	RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 0104 0000"),
	RAW(.dst = 'c', .hex = "0032 aaaa03 00e02b 00bb 0000"),
	RAW(.dst = 'c', .hex = "0032 aaaa03 00e052 2000 0000"),
	RAW(.dst = 'c', .hex = "0032 fefe03 8300000000"),
	RAW(.hex = "8899 0000"),
	RAW(.hex = "6002 0000"),
};
#define COUNT(a) (sizeof(a) / sizeof *(a))
#define SPECS (COUNT(more) + COUNT(rows_in) + COUNT(rows_out))

static const uint32_t port_list[] = {10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
	29, 30, 31, 99};
static const uint32_t marks[] = {0, MARK_FLOOD, MARK_ANSWER, MARK_PROBE, 0x1234, MARK_FLOOD | 7};

static struct plane *plane;
static struct tables tables;
static char dir[] = "/tmp/quell-diff-XXXXXX";
static uint64_t state;
/* What the counters must say: frames of [slot][dir][class][outcome]. */
static struct layout_counter ledger[32][DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT], would[32][DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT];

static const struct frame_spec *spec(size_t i)
{
	if (i < COUNT(more))
		return &more[i];
	i -= COUNT(more);
	return i < COUNT(rows_in) ? &rows_in[i].frame : &rows_out[i - COUNT(rows_in)].frame;
}

static uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) % below);
}

static int program(uint32_t kind, enum frame_dir way)
{
	struct bpf_program *p = kind == PORT_UNDERLAY ? plane->skel->progs.quell_underlay_in
				: kind == PORT_FABRIC ? way == DIR_IN
								? plane->skel->progs.quell_fabric_in
								: plane->skel->progs.quell_fabric_out
				: way == DIR_IN	      ? plane->skel->progs.quell_member_in
						      : plane->skel->progs.quell_member_out;

	return bpf_program__fd(p);
}

static void hex(const char *what, const uint8_t *b, size_t len)
{
	fprintf(stderr, "  %-8s", what);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, "%02x%s", b[i], i == 13 || i == 53 ? " " : "");
	fprintf(stderr, "\n");
}

struct said {
	int action;
	uint32_t mark, cls, outcome, would;
	uint8_t out[2048];
	size_t len;
	struct bpf_frame seen;
};

static void add(struct layout_counter *c, uint64_t octets)
{
	c->frames++;
	c->octets += octets;
}

static bool row_says(const struct layout_counter *per_cpu, size_t stride, const struct layout_counter *want)
{
	struct layout_counter sum = {0, 0};

	for (size_t c = 0; c < (size_t)libbpf_num_possible_cpus(); c++) {
		sum.frames += per_cpu[c * stride].frames;
		sum.octets += per_cpu[c * stride].octets;
	}
	return sum.frames == want->frames && sum.octets == want->octets;
}

/* The class from scratch, the outcome from the counter that rose. Of what is not counted, nothing. */
static void see(const struct verdict_input *in, enum frame_dir way, const struct layout_port *port,
	const struct verdict *want, struct said *s)
{
	static struct bpf_frame per_cpu[64];
	static struct layout_counter rows[64][OUTCOME_COUNT], would_row[64];
	uint32_t zero = 0;

	ck_assert_int_eq(
		bpf_map_lookup_elem(bpf_map__fd(plane->skel->maps.scratch), &zero, per_cpu), 0);
	s->seen = per_cpu[0];
	s->cls = s->seen.cls;
	s->outcome = s->would = OUTCOME_COUNT;
	if (!port)
		return;
	uint32_t row = COUNTER_INDEX(port->slot, (uint32_t)way, want->cls, 0) / OUTCOME_COUNT;
	struct layout_counter *l = &ledger[port->slot][way][want->cls][want->outcome];

	ck_assert_int_eq(
		bpf_map_lookup_elem(bpf_map__fd(plane->skel->maps.counters), &row, rows), 0);
	add(l, in->len);
	if (row_says(&rows[0][want->outcome], OUTCOME_COUNT, l))
		s->outcome = want->outcome;
	if (!want->has_would)
		return;
	struct layout_would_key k = {
		port->slot, (uint8_t)way, (uint8_t)want->cls, (uint8_t)want->would, 0};
	l = &would[port->slot][way][want->cls][want->would];
	add(l, in->len);
	if (bpf_map_lookup_elem(bpf_map__fd(plane->skel->maps.would), &k, would_row) == 0 &&
		row_says(would_row, 1, l))
		s->would = want->would;
}

static const char *tells(const struct bpf_tell *t, bool has, const struct layout_event *e)
{
	if (t->type != (has ? e->type : 0))
		return "event";
	if (!has)
		return NULL;
	if (t->family != e->family || memcmp(t->ip, e->ip, 16))
		return "event's address";
	return t->flags != e->flags ? "event's flags" : t->rule != e->rule ? "event's rule" : NULL;
}

/* What leaves: the frame as it was, its answer, or the frame for one owner. */
static bool left_as_said(const struct verdict_input *in, const struct verdict *v, const struct said *s)
{
	if (v->answer_len)
		return s->len == v->answer_len && !memcmp(s->out, v->answer, s->len);
	return s->len == in->len &&
	       !memcmp(s->out, v->outcome == OUTCOME_UNICAST_FORWARDED ? v->dst : in->frame, 6) &&
	       !memcmp(s->out + 6, in->frame + 6, s->len - 6);
}

static uint32_t mark_after(const struct verdict_input *in, const struct layout_port *port, const struct verdict *v)
{
	uint32_t ours = in->mark & MARK_MASK;

	if (v->answer_len)
		return MARK_ANSWER;
	if (v->set_mark)
		return v->set_mark;
	return port->kind != PORT_UNDERLAY &&
			       (ours == MARK_ANSWER || ours == MARK_FLOOD || ours == MARK_PROBE)
		       ? 0
		       : in->mark;
}

static const char *differs(const struct verdict_input *in, enum frame_dir way,
	const struct layout_port *port, const struct verdict *v, const struct said *s)
{
	int action = v->answer_len ? TC_ACT_REDIRECT : v->pass ? TC_ACT_UNSPEC : TC_ACT_SHOT;
	const char *what;

	if (s->action != action)
		return "action";
	if (!port)
		return NULL;
	if (s->cls != v->cls)
		return "class";
	if (s->outcome != v->outcome)
		return "outcome";
	if (s->would != (v->has_would ? v->would : OUTCOME_COUNT))
		return "what it would have been";
	if (!left_as_said(in, v, s))
		return "what leaves";
	if (way == DIR_IN && (v->pass || v->answer_len) && s->mark != mark_after(in, port, v))
		return "mark";
	if (way == DIR_OUT || port->kind == PORT_UNDERLAY)
		return NULL;
	what = tells(&s->seen.tell, v->has_event, &v->event);
	return what ? what : tells(&s->seen.ask, v->has_ask, &v->ask);
}

/* What the programs do at the first frame of a MAC whose port was down, and do with no other. */
static void seen_up(const struct frame_made *m, const struct layout_port *port, uint32_t ifindex)
{
	struct layout_mac_key k = {.lan = port ? port->lan : 0};
	const struct layout_mac *was = port ? tables_mac(&tables, port->lan, m->b + 6) : NULL;
	struct layout_mac now;

	if (!was || !(was->flags & MAC_DOWN))
		return;
	memcpy(k.mac, m->b + 6, 6);
	ck_assert_int_eq(bpf_map_lookup_elem(bpf_map__fd(plane->skel->maps.macs), &k, &now), 0);
	if (now.flags & MAC_DOWN)
		return;
	ck_assert(was->ifindex == ifindex && port->kind == PORT_MEMBER &&
		  !(port->flags & PORT_QUARANTINE));
	tables_mac_set(&tables, &k, &now);
}

static void compare(const struct frame_made *m, uint32_t ifindex, enum frame_dir way, uint32_t mark)
{
	struct __sk_buff ctx = {.ifindex = ifindex, .mark = mark}, ctx_out = {0};
	const struct layout_port *port = tables_port(&tables, ifindex), *counted;
	struct verdict_input in = {.frame = m->b, .len = m->len, .mark = mark, .ifindex = ifindex};
	struct verdict v;
	struct said s = {0};
	const char *what;

	if (way == DIR_OUT && port && port->kind == PORT_UNDERLAY)
		return; /* there is no program */
	(way == DIR_IN ? verdict_in : verdict_out)(&tables, &in, &v);
	counted = v.outcome == OUTCOME_ERROR ? NULL : port;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = m->b, .data_size_in = (uint32_t)m->len,
		.data_out = s.out, .data_size_out = sizeof s.out, .ctx_in = &ctx,
		.ctx_size_in = sizeof ctx, .ctx_out = &ctx_out, .ctx_size_out = sizeof ctx_out,
		.repeat = 1);
	int err = bpf_prog_test_run_opts(program(port ? port->kind : PORT_MEMBER, way), &run);
	ck_assert_msg(!err, "test run of %zu octets on %u: %s", m->len, ifindex, strerror(-err));
	s.action = (int)run.retval;
	s.len = run.data_size_out;
	s.mark = ctx_out.mark;
	see(&in, way, counted, &v, &s);
	what = differs(&in, way, counted, &v, &s);
	seen_up(m, port, ifindex);
	if (!what)
		return;
	fprintf(stderr, "%s differs: port %u, %s, mark %x\n", what, ifindex, way ? "out" : "in",
		mark);
	hex("frame", m->b, m->len);
	fprintf(stderr, "  C:   %s %s, would %s, pass %d, mark %x, event %d rule %d flags %x, ask %d flags %x\n",
		class_name(v.cls), outcome_name(v.outcome), v.has_would ? outcome_name(v.would) : "-", v.pass,
		v.set_mark, v.has_event ? v.event.type : 0, v.event.rule, v.event.flags,
		v.has_ask ? v.ask.type : 0, v.ask.flags);
	hex("answer", v.answer, v.answer_len);
	fprintf(stderr, "  BPF: %s %s, would %s, action %d, mark %x, event %u rule %u flags %x, ask %u flags %x\n",
		class_name(s.cls), s.outcome == OUTCOME_COUNT ? "(another)" : outcome_name(s.outcome),
		s.would == OUTCOME_COUNT ? "-" : outcome_name(s.would), s.action, s.mark, s.seen.tell.type,
		s.seen.tell.rule, s.seen.tell.flags, s.seen.ask.type, s.seen.ask.flags);
	if (port)
		fprintf(stderr, "  port: kind %u, flags %x, rules %llx, unknown %u, options %u, flood %llx\n", port->kind,
			port->flags, (unsigned long long)port->rules, port->unknown_target, port->ns_option,
			(unsigned long long)port->flood_classes);
	hex("answer", s.out, s.len);
	ck_abort_msg("the verdicts differ: %s", what);
}

/* The XDP program: what it answers, it answers as the verdict says; all else it passes untouched. */
static void compare_xdp(const struct frame_made *m, uint32_t ifindex)
{
	struct xdp_md ctx = {.ingress_ifindex = ifindex, .data_end = (uint32_t)m->len};
	const struct layout_port *port = tables_port(&tables, ifindex);
	struct verdict_input in = {.frame = m->b, .len = m->len, .ifindex = ifindex};
	uint8_t out[2048];
	struct verdict v;
	bool answered;

	verdict_in(&tables, &in, &v);
	answered = v.answer_len;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = m->b, .data_size_in = (uint32_t)m->len,
		.data_out = out, .data_size_out = sizeof out, .ctx_in = &ctx,
		.ctx_size_in = sizeof ctx, .repeat = 1);
	ck_assert_int_eq(
		bpf_prog_test_run_opts(bpf_program__fd(plane->skel->progs.quell_member_xdp), &run),
		0);
	seen_up(m, port, ifindex);
	bool same =
		answered ? run.data_size_out == v.answer_len && !memcmp(out, v.answer, v.answer_len)
			 : run.data_size_out == m->len && !memcmp(out, m->b, m->len);
	if (run.retval != (answered ? XDP_TX : XDP_PASS) || !same) {
		hex("frame", m->b, m->len);
		hex("XDP", out, run.data_size_out);
		ck_abort_msg("XDP on port %u says %u of %s %s", ifindex, run.retval,
			class_name(v.cls), outcome_name(v.outcome));
	}
	if (answered) {
		enum frame_class c = frame_classify(out, run.data_size_out, false);
		add(&ledger[port->slot][DIR_IN][v.cls][v.outcome], m->len);
		add(&ledger[port->slot][DIR_OUT][c][OUTCOME_ANSWER], v.answer_len);
		if (v.has_would)
			add(&would[port->slot][DIR_IN][v.cls][v.would], m->len);
	}
}

static bool is_member(uint32_t ifindex)
{
	const struct layout_port *port = tables_port(&tables, ifindex);

	return port && port->kind == PORT_MEMBER;
}

/* No test run is given less than a whole header. */
static bool can_run(const struct frame_made *m)
{
	uint32_t type = m->len < 15 ? 0 : (uint32_t)m->b[12] << 8 | m->b[13];

	return m->len >= (type == 0x0800 ? 34 : type == 0x86dd ? 54 : 15);
}

static void compare_everywhere(const struct frame_made *m, bool xdp)
{
	if (!can_run(m))
		return;
	for (size_t i = 0; i < COUNT(port_list); i++) {
		compare(m, port_list[i], DIR_IN, marks[rnd(COUNT(marks))]);
		compare(m, port_list[i], DIR_OUT, marks[rnd(COUNT(marks))]);
		if (xdp && is_member(port_list[i]))
			compare_xdp(m, port_list[i]);
	}
}

/* --- mutations --- */

static void repair(struct frame_made *m)
{
	uint8_t *ip = m->b + 14;
	size_t plen;

	if (m->len < 62 || m->b[12] != 0x86 || ip[6] != 58)
		return;
	if (rnd(2)) { /* a length that fits */
		ip[4] = (uint8_t)((m->len - 54) >> 8);
		ip[5] = (uint8_t)(m->len - 54);
	}
	plen = (size_t)ip[4] << 8 | ip[5];
	if (plen < 4 || plen > m->len - 54)
		return;
	ip[42] = ip[43] = 0;
	uint16_t sum = frame_icmp6_sum(ip + 8, ip + 24, ip + 40, plen);
	ip[42] = (uint8_t)(sum >> 8);
	ip[43] = (uint8_t)sum;
}

static void mutate(struct frame_made *m)
{
	static const uint8_t odd[] = {
		0, 1, 2, 14, 0x7f, 0x80, 0xff, 58, 17, 133, 134, 135, 136, 137, 143};

	for (uint32_t n = m->len ? rnd(4) : 0; n; n--) {
		size_t at = rnd(3) ? rnd((uint32_t)m->len) : 12 + rnd(52);

		if (at >= m->len)
			continue;
		switch (rnd(4)) {
		case 0:
			m->b[at] ^= (uint8_t)(1u << rnd(8));
			break;
		case 1:
			m->b[at] = odd[rnd(COUNT(odd))];
			break;
		case 2:
			m->b[at] = (uint8_t)rnd(256);
			break;
		case 3: /* an address from elsewhere in the frame */
			if (m->len > 40 && at + 6 <= m->len)
				memmove(m->b + at, m->b + (rnd(2) ? 6 : 0), 6);
			break;
		}
	}
	if (!rnd(6) && m->len > 14)
		m->len = 14 + rnd((uint32_t)m->len - 13);
	if (!rnd(6)) { /* octets or options behind */
		uint32_t extra = rnd(2) ? 8 * (1 + rnd(40)) : rnd(64);
		for (uint32_t i = 0; i < extra; i++)
			m->b[m->len++] =
				rnd(2) && i % 8 < 2 ? (uint8_t)(1 + rnd(3)) : (uint8_t)rnd(256);
	}
	if (rnd(4))
		repair(m);
}

/* --- tables that change meanwhile: what the programs remember must be forgotten with it --- */

static uint64_t rnd64(void)
{
	uint64_t high = rnd(1u << 31);

	return high << 33 ^ (uint64_t)rnd(1u << 31) << 16 ^ rnd(1u << 16);
}

static const char *const addresses[] = {"198.18.0.1", "198.18.0.2", "198.18.0.3", "198.18.0.7", "198.18.0.9",
	"198.18.0.50", "198.18.0.77", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::50",
	"2001:db8::77", "fe80::a", "fe80::ff:fe00:41", "fe80::ff:fe00:42"};
static const char letters[] = "AaPHBCDEFGKLNORSTUVWX";

static void change_mac(struct mac mac, uint32_t at, bool del)
{
	static const uint8_t odd[] = {MAC_DOWN, MAC_SELF, MAC_TRAP};
	struct layout_mac_key k = {.lan = LAN};
	struct layout_mac m = {.ifindex = at,
		.home = rnd(2) ? at : 0,
		.flags = (uint8_t)(rnd(4) | (rnd(3) ? 0 : odd[rnd(3)]))};

	memcpy(k.mac, mac.b, 6);
	(void)(del ? tables_mac_del(&tables, &k) : tables_mac_set(&tables, &k, &m));
	(void)(del ? plane_bpf.mac_del(plane, &k) : plane_bpf.mac_set(plane, &k, &m));
}

static void change_bind(struct mac mac, uint32_t at, bool del)
{
	struct layout_bind b = {.ifindex = at, .flags = (uint8_t)(rnd(2) ? rnd(32) : rnd(256))};
	struct ip ip = frame_ip(addresses[rnd(COUNT(addresses))]);
	struct layout_key4 k4 = {.lan = LAN};
	struct layout_key6 k6 = {.lan = LAN};

	memcpy(b.mac, mac.b, 6);
	memcpy(k4.ip, ip.b, 4);
	memcpy(k6.ip, ip.b, 16);
	if (ip.family == 4) {
		(void)(del ? tables_bind4_del(&tables, &k4) : tables_bind4_set(&tables, &k4, &b));
		(void)(del ? plane_bpf.bind4_del(plane, &k4) : plane_bpf.bind4_set(plane, &k4, &b));
	} else {
		(void)(del ? tables_bind6_del(&tables, &k6) : tables_bind6_set(&tables, &k6, &b));
		(void)(del ? plane_bpf.bind6_del(plane, &k6) : plane_bpf.bind6_set(plane, &k6, &b));
	}
}

/* The buckets of `policed` are all without a rate: whatever the verdict's group is, it lets pass. */
static void change_port(void)
{
	uint32_t ifindex = port_list[rnd(COUNT(port_list) - 1)];
	struct layout_port p = *tables_port(&tables, ifindex);

	p.flags = (uint8_t)(rnd(2) ? rnd(2) : rnd(64) & ~(rnd(4) ? PORT_QUARANTINE : 0u));
	p.unknown_target = (uint8_t)rnd(4);
	p.ns_option = (uint8_t)rnd(4);
	p.flood_classes = rnd(2) ? 0 : rnd64();
	p.rules = rnd(2) ? 0 : rnd64();
	p.policed[DIR_IN] = (uint8_t)rnd(256);
	p.policed[DIR_OUT] = (uint8_t)rnd(256);
	tables_port_set(&tables, ifindex, &p);
	plane_bpf.port_set(plane, ifindex, &p);
}

static void change_vtep(bool del)
{
	static const char *const vteps[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8:ffff::1",
		"2001:db8:ffff::2", "::"};
	static const uint32_t vnis[] = {0, LAN, LAN + 1};
	struct layout_vtep_key k = table_vtep_key(vnis[rnd(3)], frame_ip(vteps[rnd(COUNT(vteps))]));

	(void)(del ? tables_vtep_del(&tables, &k) : tables_vtep_set(&tables, &k));
	(void)(del ? plane_bpf.vtep_del(plane, &k) : plane_bpf.vtep_set(plane, &k));
}

static void change_table(void)
{
	uint32_t at = rnd(3) ? port_list[rnd(COUNT(port_list) - 1)] : 0;
	struct mac mac = frame_mac(letters[rnd(sizeof letters - 1)]);
	bool del = !rnd(4);

	switch (rnd(7)) {
	case 0:
	case 1:
		change_mac(mac, at, del);
		break;
	case 2:
	case 3:
		change_bind(mac, at, del);
		break;
	case 4:
		change_vtep(del);
		break;
	default:
		change_port();
	}
}

/* --- the tests --- */

START_TEST(test_specs)
{
	for (size_t i = 0; i < SPECS; i++) {
		struct frame_made m = frame_make(spec(i));

		compare_everywhere(&m, true);
		while (m.len > 14) {
			m.len--;
			compare_everywhere(&m, false);
		}
	}
}
END_TEST

static void mutations(bool tables_change)
{
	const char *frames = getenv("QUELL_DIFF_FRAMES"), *seed = getenv("QUELL_DIFF_SEED");
	uint32_t n = frames ? (uint32_t)strtoul(frames, NULL, 10) : 200000;

	state = seed ? strtoull(seed, NULL, 10) : 0x9e3779b97f4a7c15;
	for (uint32_t i = 0; i < n; i++) {
		struct frame_made m = frame_make(spec(rnd(SPECS)));
		uint32_t port = port_list[rnd(COUNT(port_list))];

		if (tables_change && !rnd(8))
			change_table();
		if (!tables_change || rnd(2))
			mutate(&m);
		if (!can_run(&m))
			continue;
		if (rnd(4))
			compare(&m, port, DIR_IN, marks[rnd(COUNT(marks))]);
		else if (is_member(port) && rnd(2))
			compare_xdp(&m, port);
		else
			compare(&m, port, DIR_OUT, marks[rnd(COUNT(marks))]);
	}
}

START_TEST(test_mutations)
{
	mutations(false);
}
END_TEST

START_TEST(test_changing_tables)
{
	mutations(true);
}
END_TEST

static void take_would(void *arg, enum frame_dir way, enum frame_class cls, enum frame_outcome o,
	const struct layout_counter *c)
{
	struct layout_counter(*got)[CLASS_COUNT][OUTCOME_COUNT] = arg;

	got[way][cls][o] = *c;
}

/* Nothing was counted but what compare() expected. */
START_TEST(test_ledger)
{
	static struct layout_counter got[DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT];

	for (size_t i = 0; i < COUNT(port_list); i++) {
		const struct layout_port *port = tables_port(&tables, port_list[i]);

		if (!port)
			continue;
		ck_assert_int_eq(plane_bpf.counters(plane, port->slot, got), 0);
		ck_assert_mem_eq(got, ledger[port->slot], sizeof got);
		memset(got, 0, sizeof got);
		ck_assert_int_eq(plane_bpf.would_each(plane, port->slot, take_would, got), 0);
		ck_assert_mem_eq(got, would[port->slot], sizeof got);
	}
}
END_TEST

/* --- set-up --- */

static void fill(void)
{
	const struct table_bind4 *b4;
	const struct table_bind6 *b6;
	const struct table_mac *m;
	const struct table_port *p;
	const struct table_vtep *t;

	hmap_foreach (&tables.vteps, t)
		plane_bpf.vtep_set(plane, &t->k);
	hmap_foreach (&tables.bind4, b4)
		plane_bpf.bind4_set(plane, &b4->k, &b4->v);
	hmap_foreach (&tables.bind6, b6)
		plane_bpf.bind6_set(plane, &b6->k, &b6->v);
	hmap_foreach (&tables.macs, m)
		plane_bpf.mac_set(plane, &m->k, &m->v);
	hmap_foreach (&tables.ports, p)
		plane_bpf.port_set(plane, p->ifindex, &p->v);
}

/* Ports are veth ends with the indices of world.h, since a test run wants an interface for its frame. */
static int interfaces(void)
{
	FILE *ip = popen("ip -batch - 2>&1", "w");

	if (!ip)
		return -1;
	for (size_t i = 0; i < COUNT(port_list); i++) {
		uint32_t n = port_list[i];
		fprintf(ip, "link add name m%u index %u type veth peer name p%u index %u\n", n, n,
			n, n + 100);
		fprintf(ip, "link set m%u addrgenmode none up\nlink set p%u addrgenmode none up\n",
			n, n);
	}
	return pclose(ip);
}

static int set_up(void)
{
	static const struct plane_limits limits = {64, 64, 64, 512, 16}; /* ports: for the rows of `would` */
	cpu_set_t one;
	bool adopted;
	int err;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof one, &one) || !mkdtemp(dir) || interfaces())
		return -EIO;
	err = plane_bpf.open(dir, &limits, &plane, &adopted);
	if (err)
		return err;
	world_init(&tables);
	fill();
	/* A veth has the receive queue that an XDP test run wants only while a program is there. */
	for (size_t i = 0; i < COUNT(port_list) && !err; i++)
		err = bpf_xdp_attach((int)port_list[i],
			bpf_program__fd(plane->skel->progs.quell_member_xdp), XDP_FLAGS_DRV_MODE,
			NULL);
	return err;
}

int main(void)
{
	int err = set_up(), failed;

	if (err) {
		printf("SKIP: BPF cannot be loaded here: %s\n", strerror(-err));
		rmdir(dir);
		return 77;
	}
	Suite *s = suite_create("bpf diff");
	TCase *t = tcase_create("diff");
	tcase_add_test(t, test_specs);
	tcase_add_test(t, test_mutations);
	tcase_add_test(t, test_changing_tables);
	tcase_add_test(t, test_ledger);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_set_fork_status(r, CK_NOFORK);
	state = 1;
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	plane_bpf.close(plane, false);
	tables_free(&tables);
	return failed ? 1 : 0;
}
