/* EVPN NLRIs: octets <-> key and payload <-> text, every truncation, and what each kind of damage costs. */
#include "evpn/nlri.h"

#include "evpn/family.h"
#include "evpn/text.h"
#include "tests/evpn/hex.h"

#define RD "0001 0a630001 0002 "
#define ESI "00112233445566778899 "
#define ESI0 "00000000000000000000 "
#define MAC "02005e000001 "
#define V4 "c6120001 "
#define V6 "20010db8010000000000000000000001 "

static const struct {
	const char *what, *wire, *key, *payload, *text;
} good[] = {
	{"type 1 of a segment: mass withdrawal", "01 19" RD ESI "ffffffff 000000", "01" RD ESI "ffffffff", "000000",
		"10.99.0.1:2 [1]:[4294967295]:[00:11:22:33:44:55:66:77:88:99] label 0"},
	{"type 1 of an EVI, label 0xffffff", "01 19" RD ESI "00000000 ffffff", "01" RD ESI "00000000", "ffffff",
		"10.99.0.1:2 [1]:[0]:[00:11:22:33:44:55:66:77:88:99] label 16777215"},
	{"type 2, MAC only", "02 21" RD ESI0 "00000000 30" MAC "00 000064", "02" RD "00000000" MAC "00",
		ESI0 "000064", "10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01] label 100"},
	{"type 2, IPv4", "02 25" RD ESI0 "00000000 30" MAC "20" V4 "000064", "02" RD "00000000" MAC "20" V4,
		ESI0 "000064", "10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01]:[32]:[198.18.0.1] label 100"},
	{"type 2, IPv6", "02 31" RD ESI0 "00000000 30" MAC "80" V6 "000064", "02" RD "00000000" MAC "80" V6,
		ESI0 "000064", "10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01]:[128]:[2001:db8:100::1] label 100"},
	{"type 2, MAC only, two labels, ESI", "02 24" RD ESI "0000000a 30" MAC "00 fffffe 000001",
		"02" RD "0000000a" MAC "00", ESI "fffffe 000001",
		"10.99.0.1:2 [2]:[10]:[48]:[02:00:5e:00:00:01] esi 00:11:22:33:44:55:66:77:88:99 label 16777214/1"},
	{"type 2, IPv4, two labels", "02 28" RD ESI0 "00000000 30" MAC "20" V4 "000064 0003e8",
		"02" RD "00000000" MAC "20" V4, ESI0 "000064 0003e8",
		"10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01]:[32]:[198.18.0.1] label 100/1000"},
	{"type 2, IPv6, two labels", "02 34" RD ESI0 "00000000 30" MAC "80" V6 "000064 0003e8",
		"02" RD "00000000" MAC "80" V6, ESI0 "000064 0003e8",
		"10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01]:[128]:[2001:db8:100::1] label 100/1000"},
	{"type 2, 0.0.0.0 is not the same as none", "02 25" RD ESI0 "00000000 30" MAC "20 00000000 000064",
		"02" RD "00000000" MAC "20 00000000", ESI0 "000064",
		"10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01]:[32]:[0.0.0.0] label 100"},
	{"type 2 of a group MAC is policy's business", "02 21" RD ESI0 "00000000 30 ffffffffffff 00 000064",
		"02" RD "00000000 ffffffffffff 00", ESI0 "000064",
		"10.99.0.1:2 [2]:[0]:[48]:[ff:ff:ff:ff:ff:ff] label 100"},
	{"type 2, RD of no known type", "02 21 00ff010203040506" ESI0 "00000000 30" MAC "00 000000",
		"02 00ff010203040506 00000000" MAC "00", ESI0 "000000",
		"0x00ff010203040506 [2]:[0]:[48]:[02:00:5e:00:00:01] label 0"},
	{"type 3, IPv4", "03 11" RD "00000000 20 0a630001", "03" RD "00000000 20 0a630001", "",
		"10.99.0.1:2 [3]:[0]:[32]:[10.99.0.1]"},
	{"type 3, IPv6", "03 1d" RD "00000064 80" V6, "03" RD "00000064 80" V6, "",
		"10.99.0.1:2 [3]:[100]:[128]:[2001:db8:100::1]"},
	{"type 4, IPv4", "04 17 0001 0a630001 0000" ESI "20 0a630001", "04 0001 0a630001 0000" ESI "20 0a630001",
		"", "10.99.0.1:0 [4]:[00:11:22:33:44:55:66:77:88:99]:[32]:[10.99.0.1]"},
	{"type 4, IPv6", "04 23" RD ESI "80" V6, "04" RD ESI "80" V6, "",
		"10.99.0.1:2 [4]:[00:11:22:33:44:55:66:77:88:99]:[128]:[2001:db8:100::1]"},
	{"type 5, IPv4", "05 22" RD ESI0 "00000000 18 c0000200 c0000201 000064",
		"05" RD "00000000 18 c0000200", ESI0 "c0000201 000064",
		"10.99.0.1:2 [5]:[0]:[24]:[192.0.2.0] gateway 192.0.2.1 label 100"},
	{"type 5, IPv6, no gateway", "05 3a" RD ESI0 "00000000 80" V6 "00000000000000000000000000000000 000064",
		"05" RD "00000000 80" V6, ESI0 "00000000000000000000000000000000 000064",
		"10.99.0.1:2 [5]:[0]:[128]:[2001:db8:100::1] label 100"},
	{"type 6: the flags are not in the key", "06 18" RD "00000000 00 20 ef010101 20 0a630001 02",
		"06" RD "00000000 00 20 ef010101 20 0a630001", "02",
		"[6]:[00010a6300010002000000000020ef010101200a630001] 02"},
	{"type 7", "07 22" RD ESI "00000000 00 20 ef010101 20 0a630001 02",
		"07" RD ESI "00000000 00 20 ef010101 20 0a630001", "02",
		"[7]:[00010a6300010002001122334455667788990000000000" "20ef010101200a630001] 02"},
	{"type 8: nor reserved and response time", "08 27" RD ESI "00000000 00 20 ef010101 20 0a630001 00000000 0a 02",
		"08" RD ESI "00000000 00 20 ef010101 20 0a630001", "00000000 0a 02",
		"[8]:[00010a6300010002001122334455667788990000000000" "20ef010101200a630001] 000000000a02"},
	{"type 9", "09 0c" RD "0000000a", "09" RD "0000000a", "", "[9]:[00010a63000100020000000a]"},
	{"type 10", "0a 11" RD "0000000a 20 0a630001", "0a" RD "0000000a 20 0a630001", "",
		"[10]:[00010a63000100020000000a200a630001]"},
	{"type 11", "0b 09" RD "05", "0b" RD "05", "", "[11]:[00010a630001000205]"},
	{"type 0", "00 08" RD, "00" RD, "", "[0]:[00010a6300010002]"},
	{"an unknown type", "c8 09" RD "ff", "c8" RD "ff", "", "[200]:[00010a6300010002ff]"},
};

/* Damaged, but delimited. */
static const struct {
	const char *what, *wire;
	enum nlri_verdict verdict;
	const char *key; /* of WITHDRAW */
} bad[] = {
	{"type 1, 22 octets: no label", "01 16" RD ESI "00000000", NLRI_WITHDRAW, "01" RD ESI "00000000"},
	{"type 1, 26 octets", "01 1a" RD ESI "00000000 000064 00", NLRI_WITHDRAW, "01" RD ESI "00000000"},
	{"type 1, 21 octets", "01 15" RD ESI "000000", NLRI_DISCARD, NULL},
	{"type 2, 30 octets: no label", "02 1e" RD ESI0 "00000000 30" MAC "00", NLRI_WITHDRAW,
		"02" RD "00000000" MAC "00"},
	{"type 2, 34 octets: IPv4, no label", "02 22" RD ESI0 "00000000 30" MAC "20" V4, NLRI_WITHDRAW,
		"02" RD "00000000" MAC "20" V4},
	{"type 2, 46 octets: IPv6, no label", "02 2e" RD ESI0 "00000000 30" MAC "80" V6, NLRI_WITHDRAW,
		"02" RD "00000000" MAC "80" V6},
	{"type 2, a label of 2 octets", "02 20" RD ESI0 "00000000 30" MAC "00 0064", NLRI_WITHDRAW,
		"02" RD "00000000" MAC "00"},
	{"type 2, three labels", "02 27" RD ESI0 "00000000 30" MAC "00 000064 000064 000064", NLRI_WITHDRAW,
		"02" RD "00000000" MAC "00"},
	{"type 2, 18 octets", "02 12" RD ESI0, NLRI_DISCARD, NULL},
	{"type 2, empty", "02 00", NLRI_DISCARD, NULL},
	{"type 2, MAC length 6", "02 21" RD ESI0 "00000000 06" MAC "00 000064", NLRI_DISCARD, NULL},
	{"type 2, IP length 24", "02 25" RD ESI0 "00000000 30" MAC "18" V4 "000064", NLRI_DISCARD, NULL},
	{"type 2, IP length 4: octets for bits", "02 25" RD ESI0 "00000000 30" MAC "04" V4 "000064", NLRI_DISCARD,
		NULL},
	{"type 2, IPv6 length on 37 octets", "02 25" RD ESI0 "00000000 30" MAC "80" V4 "000064", NLRI_DISCARD, NULL},
	{"type 3, IP length 0", "03 0d" RD "00000000 00", NLRI_DISCARD, NULL},
	{"type 3, IP length 33", "03 11" RD "00000000 21 0a630001", NLRI_DISCARD, NULL},
	{"type 3, 18 octets", "03 12" RD "00000000 20 0a630001 00", NLRI_WITHDRAW, "03" RD "00000000 20 0a630001"},
	{"type 4, IP length 64", "04 23" RD ESI "40" V6, NLRI_DISCARD, NULL},
	{"type 4, 24 octets", "04 18" RD ESI "20 0a630001 00", NLRI_WITHDRAW, "04" RD ESI "20 0a630001"},
	{"type 5, 33 octets", "05 21" RD ESI0 "00000000 18 c0000200 c0000201 0000", NLRI_DISCARD, NULL},
	{"type 5, 35 octets", "05 23" RD ESI0 "00000000 18 c0000200 c0000201 000064 00", NLRI_DISCARD, NULL},
	{"type 5, IPv4 prefix of 33 bits", "05 22" RD ESI0 "00000000 21 c0000200 c0000201 000064", NLRI_DISCARD,
		NULL},
	{"type 5, IPv6 prefix of 129 bits",
		"05 3a" RD ESI0 "00000000 81" V6 "00000000000000000000000000000000 000064", NLRI_DISCARD, NULL},
	{"type 6, empty", "06 00", NLRI_DISCARD, NULL},
	{"type 8, 5 octets", "08 05 0102030405", NLRI_DISCARD, NULL},
	{"type 8, RD and a part of its tail", "08 0d" RD "0000000a 02", NLRI_DISCARD, NULL},
	{"an unknown type, empty", "c8 00", NLRI_DISCARD, NULL},
	{"an unknown type, shorter than an RD", "c8 07 01020304050607", NLRI_DISCARD, NULL},
};

static enum nlri_verdict decode(const uint8_t *p, size_t len, bool withdraw, struct nlri *ret, size_t *ret_used)
{
	struct reader r = reader_of(p, len);
	const char *why = NULL;
	enum nlri_verdict v = evpn_family.decode(&r, withdraw, ret, &why);

	ck_assert((v == NLRI_OK) == (why == NULL));
	*ret_used = len - reader_left(&r);
	return v;
}

static void check_key(const char *what, const struct nlri *n, const char *hex)
{
	uint8_t want[BGP_KEY_MAX];
	size_t len = hex_read(hex, want, sizeof(want));

	ck_assert_msg(n->key_len == len && memcmp(n->key, want, len) == 0, "%s: key %s", what,
		hex_write(n->key, n->key_len));
}

START_TEST(reads_and_writes)
{
	uint8_t wire[300], again[300], payload[BGP_PAYLOAD_MAX];
	size_t len = hex_read(good[_i].wire, wire, sizeof(wire)), used;
	size_t payload_len = hex_read(good[_i].payload, payload, sizeof(payload));
	struct writer w = writer_of(again, sizeof(again));
	char text[BGP_NLRI_TEXT];
	struct nlri n;

	wire[len] = 0xaa; /* the next route */
	ck_assert_msg(decode(wire, len + 1, false, &n, &used) == NLRI_OK, "%s", good[_i].what);
	ck_assert_uint_eq(used, len);
	check_key(good[_i].what, &n, good[_i].key);
	ck_assert_msg(n.payload_len == payload_len && memcmp(n.payload, payload, payload_len) == 0, "%s: payload %s",
		good[_i].what, hex_write(n.payload, n.payload_len));
	evpn_family.encode(&w, n.key, n.key_len, n.payload, n.payload_len);
	ck_assert_msg(writer_len(&w) == len && memcmp(again, wire, len) == 0, "%s: encoded %s", good[_i].what,
		hex_write(again, writer_len(&w)));
	evpn_family.format(text, sizeof(text), n.key, n.key_len, n.payload, n.payload_len);
	ck_assert_str_eq(text, good[_i].text);

	/* No room: nothing behind the end is written, and the writer says so. */
	for (size_t cap = 0; cap < len; cap++) {
		struct writer small = writer_of(again, cap);
		memset(again, 0x55, sizeof(again));
		evpn_family.encode(&small, n.key, n.key_len, n.payload, n.payload_len);
		ck_assert(!writer_ok(&small));
		ck_assert_uint_eq(again[cap], 0x55);
	}
}
END_TEST

/* A withdrawal is the key, with zeros for the rest; it reads as the same key whatever stands there. */
START_TEST(withdraws)
{
	uint8_t wire[300], again[300];
	size_t len = hex_read(good[_i].wire, wire, sizeof(wire)), used;
	struct writer w = writer_of(again, sizeof(again));
	struct nlri n, back;

	ck_assert_int_eq(decode(wire, len, true, &n, &used), NLRI_OK);
	check_key(good[_i].what, &n, good[_i].key);
	ck_assert_uint_eq(n.payload_len, 0);
	evpn_family.encode(&w, n.key, n.key_len, NULL, 0);
	ck_assert(writer_ok(&w));
	ck_assert_int_eq(decode(again, writer_len(&w), false, &back, &used), NLRI_OK);
	ck_assert_uint_eq(used, writer_len(&w));
	check_key(good[_i].what, &back, good[_i].key);
	for (int i = 0; i < back.payload_len; i++)
		ck_assert_uint_eq(back.payload[i], 0);
}
END_TEST

START_TEST(unpacks_and_packs)
{
	uint8_t wire[300];
	size_t len = hex_read(good[_i].wire, wire, sizeof(wire)), used;
	struct evpn_route route;
	struct nlri n, again;

	ck_assert_int_eq(decode(wire, len, false, &n, &used), NLRI_OK);
	int how = evpn_nlri_unpack(n.key, n.key_len, n.payload, n.payload_len, &route);
	ck_assert_int_eq(how, wire[0] >= 1 && wire[0] <= 5 ? 0 : 1);
	ck_assert_uint_eq(route.type, wire[0]);
	if (how) {
		ck_assert_int_lt(evpn_nlri_pack(&route, &again), 0);
		return;
	}
	ck_assert_int_eq(evpn_nlri_pack(&route, &again), 0);
	check_key(good[_i].what, &again, good[_i].key);
	ck_assert(again.payload_len == n.payload_len && memcmp(again.payload, n.payload, n.payload_len) == 0);
	ck_assert_int_eq(evpn_nlri_unpack(n.key, n.key_len, NULL, 0, &route), 0);
	ck_assert_uint_eq(route.label_count, 0);

	/* Keys and payloads that decode() would never make. */
	for (size_t cut = 0; cut < n.key_len; cut++)
		ck_assert_int_ne(evpn_nlri_unpack(n.key, cut, n.payload, n.payload_len, &route), 0);
	for (size_t cut = 1; cut < n.payload_len; cut++)
		if (!(wire[0] == EVPN_MACIP && cut == EVPN_MACIP_PAYLOAD))
			ck_assert_int_ne(evpn_nlri_unpack(n.key, n.key_len, n.payload, cut, &route), 0);
}
END_TEST

/* Cut anywhere, the outer length says more than there is: not delimited. With the outer length cut too, it is delimited
 * and never taken for a whole route with another key. */
START_TEST(truncations)
{
	uint8_t wire[300], cut_wire[300];
	size_t len = hex_read(good[_i].wire, wire, sizeof(wire)), used;
	struct nlri n;

	for (size_t cut = 0; cut < len; cut++) {
		ck_assert_int_eq(decode(wire, cut, false, &n, &used), NLRI_BROKEN);
		ck_assert_uint_eq(used, 0);
		ck_assert_int_eq(decode(wire, cut, true, &n, &used), NLRI_BROKEN);
	}
	for (size_t cut = 2; cut < len && wire[0] >= 1 && wire[0] <= 5; cut++) {
		memcpy(cut_wire, wire, cut);
		cut_wire[1] = (uint8_t)(cut - 2);
		enum nlri_verdict v = decode(cut_wire, cut, false, &n, &used);
		ck_assert_uint_eq(used, cut);
		if (v == NLRI_OK) /* a type 2 that lost its second label */
			ck_assert_msg(wire[0] == EVPN_MACIP && len - cut == 3, "%s cut to %zu", good[_i].what, cut);
		if (v != NLRI_DISCARD)
			check_key(good[_i].what, &n, good[_i].key);
	}
}
END_TEST

START_TEST(damage)
{
	uint8_t wire[300];
	size_t len = hex_read(bad[_i].wire, wire, sizeof(wire)), used;
	struct nlri n;

	for (int withdraw = 0; withdraw < 2; withdraw++) {
		ck_assert_msg(decode(wire, len, withdraw, &n, &used) == bad[_i].verdict, "%s", bad[_i].what);
		ck_assert_uint_eq(used, len);
		if (bad[_i].key)
			check_key(bad[_i].what, &n, bad[_i].key);
		ck_assert(!bad[_i].key || n.payload_len == 0);
	}
}
END_TEST

/* Every label, in steps and at the edges, is carried as it stands. */
START_TEST(labels_are_raw)
{
	uint8_t wire[300], again[300];
	size_t len = hex_read(good[2].wire, wire, sizeof(wire)), used;
	struct nlri n;

	for (uint32_t label = 0; label <= 0xffffff; label += label % 0x10000 == 0xffff ? 1 : 0x101) {
		struct writer w = writer_of(again, sizeof(again));
		wire[len - 3] = (uint8_t)(label >> 16);
		wire[len - 2] = (uint8_t)(label >> 8);
		wire[len - 1] = (uint8_t)label;
		ck_assert_int_eq(decode(wire, len, false, &n, &used), NLRI_OK);
		evpn_family.encode(&w, n.key, n.key_len, n.payload, n.payload_len);
		ck_assert(memcmp(wire, again, len) == 0);
	}
}
END_TEST

START_TEST(longest_unknown)
{
	uint8_t wire[257] = {201, 255}, again[257];
	struct writer w = writer_of(again, sizeof(again));
	char text[BGP_NLRI_TEXT];
	struct nlri n;
	size_t used;

	for (int i = 2; i < 257; i++)
		wire[i] = (uint8_t)i;
	ck_assert_int_eq(decode(wire, 257, false, &n, &used), NLRI_OK);
	ck_assert_uint_eq(n.key_len, 256);
	evpn_family.encode(&w, n.key, n.key_len, n.payload, n.payload_len);
	ck_assert(memcmp(wire, again, 257) == 0);
	evpn_family.format(text, sizeof(text), n.key, n.key_len, NULL, 0);
	ck_assert_uint_eq(strlen(text), 7 + 2 * 255 + 1);
	for (size_t cap = 1; cap < 40; cap++) {
		memset(text, 'x', sizeof(text));
		evpn_family.format(text, cap, n.key, n.key_len, NULL, 0);
		ck_assert(memchr(text, '\0', cap) && text[cap] == 'x');
	}
}
END_TEST

START_TEST(pack_refuses)
{
	struct ip v4 = {.family = 4}, v6 = {.family = 6};
	struct evpn_route no[] = {
		{.type = 0},
		{.type = EVPN_SMET},
		{.type = EVPN_IMET},
		{.type = EVPN_ES},
		{.type = EVPN_PREFIX},
		{.type = EVPN_PREFIX, .ip = v4, .prefix_len = 33},
		{.type = EVPN_PREFIX, .ip = v4, .prefix_len = 24, .gateway = v6},
	};
	struct nlri n;

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		ck_assert_int_lt(evpn_nlri_pack(&no[i], &n), 0);
}
END_TEST

START_TEST(nexthop_lengths)
{
	for (int len = 0; len < 256; len++)
		ck_assert(evpn_family.nexthop_len_ok((uint8_t)len) == (len == 4 || len == 16 || len == 32));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/nlri");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);
	int rows = sizeof(good) / sizeof(good[0]);

	tcase_add_loop_test(tc, reads_and_writes, 0, rows);
	tcase_add_loop_test(tc, withdraws, 0, rows);
	tcase_add_loop_test(tc, unpacks_and_packs, 0, rows);
	tcase_add_loop_test(tc, truncations, 0, rows);
	tcase_add_loop_test(tc, damage, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, labels_are_raw);
	tcase_add_test(tc, longest_unknown);
	tcase_add_test(tc, pack_refuses);
	tcase_add_test(tc, nexthop_lengths);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
