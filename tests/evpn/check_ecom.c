/* EVPN's extended communities and the PMSI tunnel attribute: octets <-> value <-> text; and what
 * the family's step of best path makes of them. */
#include "evpn/ecom.h"

#include "bgp/decide.h"
#include "evpn/family.h"
#include "evpn/pmsi.h"
#include "tests/evpn/hex.h"

static const struct {
	const char *wire;
	enum evpn_ecom_kind kind;
	const char *text, *again; /* again NULL: as it came */
} table[] = {
	{"0002 fde8 00000064", ECOM_RT, "RT:65000:100", NULL},
	{"0002 fde8 10000064", ECOM_RT, "RT:65000:268435556", NULL},
	{"0102 c0000201 0064", ECOM_RT, "RT:192.0.2.1:100", NULL},
	{"0202 fa56ea00 0064", ECOM_RT, "RT:4200000000:100", NULL},
	{"030c 00000000 0008", ECOM_ENCAP, "ET:8", NULL},
	{"030c ffffffff 0013", ECOM_ENCAP, "ET:19", "030c 00000000 0013"},
	{"030d 000000000000", ECOM_DEFAULT_GATEWAY, "Default Gateway", NULL},
	{"0600 00 00 00000001", ECOM_MOBILITY, "MM:1", NULL},
	{"0600 01 00 00000000", ECOM_MOBILITY, "MM:0,sticky", NULL},
	{"0600 ff ff ffffffff", ECOM_MOBILITY, "MM:4294967295,sticky", "0600 01 00 ffffffff"},
	{"0601 01 0000 ffffff", ECOM_ESI_LABEL, "ESI-label:16777215,single-active", NULL},
	{"0601 00 0000 000000", ECOM_ESI_LABEL, "ESI-label:0,all-active", NULL},
	{"0602 112233445566", ECOM_ES_IMPORT, "ES-import:11:22:33:44:55:66", NULL},
	{"0603 02005e000001", ECOM_ROUTER_MAC, "Rmac:02:00:5e:00:00:01", NULL},
	{"0608 01 0000000000", ECOM_ARP_ND, "ND:R", NULL},
	{"0608 0b 0000000000", ECOM_ARP_ND, "ND:ROI", NULL},
	{"0608 04 0000000000", ECOM_ARP_ND, "ND:+0x04", NULL},
	{"0606 020000000000", ECOM_OTHER, "0x0606020000000000", NULL},
	{"4004 000000000000", ECOM_OTHER, "0x4004000000000000", NULL},
	{"0302 000000000000", ECOM_OTHER, "0x0302000000000000", NULL},
	{"ffff ffffffffffff", ECOM_OTHER, "0xffffffffffffffff", NULL},
};

START_TEST(reads_and_writes)
{
	uint8_t wire[8], want[8], again[8];
	struct writer w = writer_of(again, sizeof(again));
	char text[ECOM_TEXT];
	struct evpn_ecom ec;

	hex_read(table[_i].wire, wire, sizeof(wire));
	hex_read(table[_i].again ? table[_i].again : table[_i].wire, want, sizeof(want));
	evpn_ecom_decode(wire, &ec);
	ck_assert_int_eq(ec.kind, table[_i].kind);
	ck_assert_str_eq(evpn_ecom_format(&ec, text), table[_i].text);
	evpn_ecom_encode(&w, &ec);
	ck_assert(writer_ok(&w) && memcmp(again, want, 8) == 0);
}
END_TEST

static struct span span_of(const char *hex, uint8_t *buf, size_t cap)
{
	return (struct span){.p = buf, .len = (uint16_t)hex_read(hex, buf, cap)};
}

START_TEST(lists)
{
	uint8_t buf[64];
	char text[64];
	struct evpn_ecom ec = {.kind = ECOM_OTHER};
	struct span s =
		span_of("030c000000000008 0002fde800000064 0608010000000000 0608080000000000 ff",
			buf, sizeof(buf));

	ck_assert_str_eq(evpn_ecoms_format(s, text, sizeof(text)), "ET:8 RT:65000:100 ND:R ND:I");
	ck_assert_str_eq(evpn_ecoms_format(s, text, 12), "ET:8...");
	ck_assert_str_eq(evpn_ecoms_format(s, text, 4), "...");
	ck_assert(evpn_ecom_find(s, ECOM_ARP_ND, &ec) &&
		  ec.arp_nd == ARP_ND_ROUTER); /* the first counts */
	ck_assert(!evpn_ecom_find(s, ECOM_MOBILITY, &ec));
	ck_assert_uint_eq(evpn_ecom_mobility(s).seq, 0);
	ck_assert(evpn_ecom_vxlan_ok(s));
	ck_assert(!evpn_ecom_vxlan_ok(span_of("030c00000000000a", buf, sizeof(buf))));
	ck_assert(
		evpn_ecom_vxlan_ok(span_of("030c00000000000a 030c000000000008", buf, sizeof(buf))));
	ck_assert(evpn_ecom_vxlan_ok((struct span){0}));
}
END_TEST

START_TEST(pmsi)
{
	static const struct {
		const char *wire, *end, *text;
	} rows[] = {
		{"00 06 000064 0a630001", "10.99.0.1", "ingress replication 10.99.0.1 label 100"},
		{"00 06 ffffff 20010db8000000000000000000000001", "2001:db8::1",
			"ingress replication 2001:db8::1 label 16777215"},
		{"01 06 000064 0a6300", NULL, "tunnel type 6 label 100, 3 octets"},
		{"00 00 000000", NULL, "tunnel type 0 label 0, 0 octets"},
		{"00 01 000064 000000000000000000000000", NULL,
			"tunnel type 1 label 100, 12 octets"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t wire[32], again[32];
		char text[80], ip[IP_TEXT];
		struct span s = span_of(rows[i].wire, wire, sizeof(wire));
		struct writer w = writer_of(again, sizeof(again));
		struct pmsi p;

		ck_assert_int_eq(pmsi_decode(s, &p), 0);
		if (rows[i].end)
			ck_assert_str_eq(ip_format(pmsi_endpoint(&p), ip), rows[i].end);
		else
			ck_assert_uint_eq(pmsi_endpoint(&p).family, 0);
		ck_assert_str_eq(pmsi_format(&p, text, sizeof(text)), rows[i].text);
		pmsi_encode(&w, &p);
		ck_assert(writer_len(&w) == s.len && memcmp(again, wire, s.len) == 0);
		for (s.len = 0; s.len < 5; s.len++)
			ck_assert_int_lt(pmsi_decode(s, &p), 0);
	}
}
END_TEST

/* RFC 7432 section 15, within one key. Each row: the better before the worse; "" for a tie with the
 * first. */
struct side {
	const char *ecoms, *next_hop, *esi;
};
#define E0 "00000000000000000000"
#define E1 "00112233445566778899"

static const struct {
	struct side a, b;
	int sign;
} order[] = {
	{{"", "10.0.0.1", E0}, {"", "10.0.0.2", E0}, -1},
	{{"", "10.0.0.1", E0}, {"", "10.0.0.1", E0}, 0},
	{{"0600000000000001", "10.0.0.9", E0}, {"", "10.0.0.1", E0}, -1},
	{{"06000000ffffffff", "10.0.0.9", E0}, {"0600000000000001", "10.0.0.1", E0}, -1},
	{{"0600010000000000", "10.0.0.9", E0}, {"0600000000000007", "10.0.0.1", E0}, -1},
	{{"0600010000000000", "10.0.0.9", E0}, {"0600010000000000", "10.0.0.1", E0}, 1},
	{{"", "10.0.0.9", E1}, {"", "10.0.0.1", E1}, 0},
	{{"", "10.0.0.9", E1}, {"", "10.0.0.1", E0}, 1},
	{{"0600000000000001", "10.0.0.9", E1}, {"", "10.0.0.1", E1}, -1},
};

static void make_path(const struct side *s, struct bgp_path_view *ret, struct attrs *attrs,
	uint8_t ecoms[64], uint8_t payload[13])
{
	*attrs = (struct attrs){.ext_communities = span_of(s->ecoms, ecoms, 64)};
	ck_assert_int_eq(ip_parse(s->next_hop, &attrs->next_hop), 0);
	memset(payload, 0, 13);
	hex_read(s->esi, payload, 13);
	*ret = (struct bgp_path_view){.attrs = attrs, .payload = payload, .payload_len = 13};
}

START_TEST(compares)
{
	struct bgp_path_view a, b;
	struct attrs aa, ab;
	uint8_t ea[64], eb[64], pa[13], pb[13];

	make_path(&order[_i].a, &a, &aa, ea, pa);
	make_path(&order[_i].b, &b, &ab, eb, pb);
	int there = evpn_family.compare(&a, &b), back = evpn_family.compare(&b, &a);
	ck_assert_int_eq((there > 0) - (there < 0), order[_i].sign);
	ck_assert_int_eq((back > 0) - (back < 0), -order[_i].sign);
	a.payload_len = b.payload_len = 0; /* type 3: not ours to say */
	ck_assert_int_eq(evpn_family.compare(&a, &b), 0);
}
END_TEST

/* RFC 9047 section 3.2. */
START_TEST(tidies)
{
	static const struct {
		const char *in, *out; /* NULL: untouched */
	} cases[] = {
		{"", NULL},
		{"0608080000000000", NULL},
		{"0002fde800000064 0608080000000000 030c000000000008", NULL},
		{"0608080000000000 0608010000000000", "0608080000000000"},
		{"0608000000000000 0002fde800000064 0608080000000000 030c000000000008 0608080000000000",
			"0608000000000000 0002fde800000064 030c000000000008"},
		{"0608080000000000 0608080000000000 0602080000000000", "0608080000000000 0602080000000000"},
	};
	static uint8_t in[64], want[64], room[UINT16_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct attrs a = {.ext_communities = {in, (uint16_t)hex_read(cases[i].in, in, sizeof(in))}};
		size_t len = hex_read(cases[i].out ? cases[i].out : cases[i].in, want, sizeof(want));
		evpn_family.tidy(&a, room);
		ck_assert_ptr_eq(a.ext_communities.p, cases[i].out ? room : in);
		ck_assert_uint_eq(a.ext_communities.len, len);
		ck_assert_mem_eq(a.ext_communities.p, want, len);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/ecom");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, reads_and_writes, 0, sizeof(table) / sizeof(table[0]));
	tcase_add_test(tc, lists);
	tcase_add_test(tc, pmsi);
	tcase_add_loop_test(tc, compares, 0, sizeof(order) / sizeof(order[0]));
	tcase_add_test(tc, tidies);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
