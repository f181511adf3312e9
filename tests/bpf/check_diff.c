/* The two verdicts against each other (diff.h). Frames: a list of decent and indecent ones, then a few hundred thousand seeded
 * mutations of them, with repaired checksums as often as not, at ports of every kind; then the same while tables, rules and
 * flags change at random.
 *
 * Skipped where BPF may not be loaded. QUELL_DIFF_SEED and QUELL_DIFF_FRAMES choose others. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxyarp/verdict.h"
#include "tests/bpf/diff.h"
#include "tests/proxyarp/rows.h"

#define TLL_C "0201 020000000043"
#define COUNT(a) (sizeof(a) / sizeof *(a))

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
#define SPECS (COUNT(more) + COUNT(rows_in) + COUNT(rows_out))

static const uint32_t marks[] = {0, MARK_FLOOD, MARK_ANSWER, MARK_PROBE, 0x1234, MARK_FLOOD | 7};

static uint64_t state;

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

static void compare_everywhere(const struct frame_made *m, bool xdp)
{
	if (!diff_can_run(m))
		return;
	for (size_t i = 0; i < DIFF_PORTS; i++) {
		diff_compare(m, diff_ports[i], DIR_IN, marks[rnd(COUNT(marks))]);
		diff_compare(m, diff_ports[i], DIR_OUT, marks[rnd(COUNT(marks))]);
		if (xdp && diff_is_member(diff_ports[i]))
			diff_compare_xdp(m, diff_ports[i]);
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
	(void)(del ? tables_mac_del(&diff_tables, &k) : tables_mac_set(&diff_tables, &k, &m));
	(void)(del ? plane_bpf.mac_del(diff_plane, &k) : plane_bpf.mac_set(diff_plane, &k, &m));
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
		(void)(del ? tables_bind4_del(&diff_tables, &k4) : tables_bind4_set(&diff_tables, &k4, &b));
		(void)(del ? plane_bpf.bind4_del(diff_plane, &k4) : plane_bpf.bind4_set(diff_plane, &k4, &b));
	} else {
		(void)(del ? tables_bind6_del(&diff_tables, &k6) : tables_bind6_set(&diff_tables, &k6, &b));
		(void)(del ? plane_bpf.bind6_del(diff_plane, &k6) : plane_bpf.bind6_set(diff_plane, &k6, &b));
	}
}

/* The buckets of `policed` are all without a rate: whatever the verdict's group is, it lets pass. */
static void change_port(void)
{
	uint32_t ifindex = diff_ports[rnd(DIFF_PORTS - 1)];
	struct layout_port p = *tables_port(&diff_tables, ifindex);

	p.flags = (uint8_t)(rnd(2) ? rnd(2) : rnd(64) & ~(rnd(4) ? PORT_QUARANTINE : 0u));
	p.unknown_target = (uint8_t)rnd(4);
	p.ns_option = (uint8_t)rnd(4);
	p.flood_classes = rnd(2) ? 0 : rnd64();
	p.rules = rnd(2) ? 0 : rnd64();
	p.policed[DIR_IN] = (uint8_t)rnd(256);
	p.policed[DIR_OUT] = (uint8_t)rnd(256);
	tables_port_set(&diff_tables, ifindex, &p);
	plane_bpf.port_set(diff_plane, ifindex, &p);
}

static void change_vtep(bool del)
{
	static const char *const vteps[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8:ffff::1",
		"2001:db8:ffff::2", "::"};
	static const uint32_t vnis[] = {0, LAN, LAN + 1};
	struct layout_vtep_key k = table_vtep_key(vnis[rnd(3)], frame_ip(vteps[rnd(COUNT(vteps))]));

	(void)(del ? tables_vtep_del(&diff_tables, &k) : tables_vtep_set(&diff_tables, &k));
	(void)(del ? plane_bpf.vtep_del(diff_plane, &k) : plane_bpf.vtep_set(diff_plane, &k));
}

static void change_table(void)
{
	uint32_t at = rnd(3) ? diff_ports[rnd(DIFF_PORTS - 1)] : 0;
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
		uint32_t port = diff_ports[rnd(DIFF_PORTS)];

		if (tables_change && !rnd(8))
			change_table();
		if (!tables_change || rnd(2))
			mutate(&m);
		if (!diff_can_run(&m))
			continue;
		if (rnd(4))
			diff_compare(&m, port, DIR_IN, marks[rnd(COUNT(marks))]);
		else if (diff_is_member(port) && rnd(2))
			diff_compare_xdp(&m, port);
		else
			diff_compare(&m, port, DIR_OUT, marks[rnd(COUNT(marks))]);
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

START_TEST(test_ledger)
{
	diff_ledger();
}
END_TEST

int main(void)
{
	int err = diff_open(), failed;

	if (err) {
		printf("SKIP: BPF cannot be loaded here: %s\n", strerror(-err));
		diff_close();
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
	diff_close();
	return failed ? 1 : 0;
}
