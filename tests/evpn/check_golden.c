/* UPDATEs as recorded between two FRR 8.4.4 PEs (AS 65000, VNI 100, VTEPs 10.99.0.1 and .2): we
 * read each exactly, write its routes back octet for octet, and as PE 1 in the same situation we
 * originate the very routes, extended communities and PMSI attribute that FRR did. */
#include "tests/evpn/world.h"

#include "evpn/text.h"

/* From the type octet on. */
static const struct {
	const char *what, *body, *text;
} updates[] = {
	{"two MAC-only routes",
		"0200000075900e004f001946040a63000100022100010a6300010002000000000000000000000000"
		"00003002005e00000100000064022100010a63000100020000000000000000000000000000300200"
		"5e00000300000064400101005002000040050400000064c01010030c0000000000080002fde80000"
		"0064",
		"10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01] label 100\n"
		"10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:03] label 100\nET:8 RT:65000:100"},
	{"inclusive multicast",
		"020000004e900e001c001946040a63000100031100010a630001000200000000200a630001400101"
		"005002000040050400000064c01010030c0000000000080002fde800000064c0160900060000640a"
		"630001",
		"10.99.0.1:2 [3]:[0]:[32]:[10.99.0.1]\nET:8 RT:65000:100"},
	{"MAC/IP, IPv4",
		"0200000056900e0030001946040a63000100022500010a6300010002000000000000000000000000"
		"00003002005e00000120c6120001000064400101005002000040050400000064c01010030c000000"
		"0000080002fde800000064",
		"10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01]:[32]:[198.18.0.1] label 100\nET:8 "
		"RT:65000:100"},
	{"MAC/IP, IPv6, router",
		"020000006a900e003c001946040a63000100023100010a6300010002000000000000000000000000"
		"00003002005e0000038020010db80100000000000000000000030000644001010050020000400504"
		"00000064c01018030c0000000000080002fde8000000640608010000000000",
		"10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:03]:[128]:[2001:db8:100::3] label 100\n"
		"ET:8 RT:65000:100 ND:R"},
	{"sticky",
		"020000005a900e002c001946040a63000100022100010a6300010002000000000000000000000000"
		"00003002005e00006300000064400101005002000040050400000064c01018030c00000000000800"
		"02fde8000000640600010000000000",
		"10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:63] label 100\nET:8 RT:65000:100 "
		"MM:0,sticky"},
	{"moved to PE 2, sequence 1",
		"020000005a900e002c001946040a63000200022100010a6300020002000000000000000000000000"
		"00003002005e00000100000064400101005002000040050400000064c01018030c00000000000800"
		"02fde8000000640600000000000001",
		"10.99.0.2:2 [2]:[0]:[48]:[02:00:5e:00:00:01] label 100\nET:8 RT:65000:100 MM:1"},
	{"moved back, sequence 2",
		"020000008d900e005f001946040a63000100022100010a6300010002000000000000000000000000"
		"00003002005e00000100000064023100010a63000100020000000000000000000000000000300200"
		"5e0000018020010db8010000000000000000000001000064400101005002000040050400000064c0"
		"1018030c0000000000080002fde8000000640600000000000002",
		"10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01] label 100\n"
		"10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01]:[128]:[2001:db8:100::1] label 100\n"
		"ET:8 RT:65000:100 MM:2"},
	{"withdrawn",
		"020000005d900f0059001946022100010a630001000200000000000000000000000000003002005e"
		"00000100000000023100010a630001000200000000000000000000000000003002005e0000018020"
		"010db8010000000000000000000001000000",
		"10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01]\n"
		"10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01]:[128]:[2001:db8:100::1]\n"},
};

/* The parts of an UPDATE that are this floor's. */
struct parts {
	struct span reach, unreach, ecoms, pmsi;
};

static struct parts split(const uint8_t *body, size_t len)
{
	struct reader r = reader_of(body, len);
	struct parts p = {0};

	reader_skip(&r, 1 + 2 + 2); /* type; no withdrawn IPv4 routes; length of attributes */
	while (reader_left(&r)) {
		uint8_t flags = reader_u8(&r), type = reader_u8(&r);
		struct reader v = reader_sub(&r, flags & 0x10 ? reader_u16(&r) : reader_u8(&r));
		if (type == ATTR_MP_REACH) {
			reader_skip(&v, 3);
			reader_skip(&v, reader_u8(&v) + 1u);
			p.reach = reader_rest(&v);
		} else if (type == ATTR_MP_UNREACH) {
			reader_skip(&v, 3);
			p.unreach = reader_rest(&v);
		} else if (type == ATTR_EXT_COMMUNITIES) {
			p.ecoms = reader_rest(&v);
		} else if (type == ATTR_PMSI_TUNNEL) {
			p.pmsi = reader_rest(&v);
		}
	}
	ck_assert(reader_done(&r));
	return p;
}

static bool same(const uint8_t *p, size_t len, struct span s)
{
	return len == s.len && (len == 0 || memcmp(p, s.p, len) == 0);
}

START_TEST(reads_and_writes)
{
	uint8_t body[300], again[300];
	struct parts p = split(body, hex_read(updates[_i].body, body, sizeof(body)));
	bool withdraw = p.unreach.len;
	struct span s = withdraw ? p.unreach : p.reach;
	struct reader r = reader_of(s.p, s.len);
	struct writer w = writer_of(again, sizeof(again));
	char text[1000] = "", one[BGP_NLRI_TEXT];
	const char *why;

	while (reader_left(&r)) {
		struct nlri n;
		ck_assert_int_eq(evpn_family.decode(&r, withdraw, &n, &why), NLRI_OK);
		const uint8_t *payload = withdraw ? NULL : n.payload;
		evpn_family.encode(&w, n.key, n.key_len, payload, n.payload_len);
		evpn_family.format(one, sizeof(one), n.key, n.key_len, payload, n.payload_len);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", one);
	}
	ck_assert_msg(same(again, writer_len(&w), s), "%s: %s", updates[_i].what,
		hex_write(again, writer_len(&w)));
	evpn_ecoms_format(p.ecoms, text + strlen(text), sizeof(text) - strlen(text));
	ck_assert_msg(strcmp(text, updates[_i].text) == 0, "%s: %s", updates[_i].what, text);

	w = writer_of(again, sizeof(again));
	for (size_t i = 0; i < ecom_count(p.ecoms); i++) {
		struct evpn_ecom ec;
		evpn_ecom_decode(ecom_at(p.ecoms, i), &ec);
		evpn_ecom_encode(&w, &ec);
	}
	ck_assert(same(again, writer_len(&w), p.ecoms));
}
END_TEST

/* --- as PE 1 --- */

static struct {
	uint8_t nlris[512], ecoms[32], pmsi[16];
	size_t nlris_len, ecoms_len, pmsi_len;
	bool withdraw;
} sent;

static void record(void *arg, struct lan *lan, const struct nlri *n, const struct attrs *attrs)
{
	struct writer w =
		writer_of(sent.nlris + sent.nlris_len, sizeof(sent.nlris) - sent.nlris_len);

	(void)arg;
	(void)lan;
	evpn_family.encode(
		&w, n->key, n->key_len, attrs ? n->payload : NULL, attrs ? n->payload_len : 0);
	sent.nlris_len += writer_len(&w);
	sent.withdraw = !attrs;
	if (!attrs)
		return;
	ck_assert_uint_eq(attrs->origin, 0);
	ck_assert(attrs_has(attrs, ATTR_ORIGIN) && attrs_has(attrs, ATTR_AS_PATH) &&
		  attrs->as_path.len == 0);
	memcpy(sent.ecoms, attrs->ext_communities.p, attrs->ext_communities.len);
	sent.ecoms_len = attrs->ext_communities.len;
	if (attrs_has(attrs, ATTR_PMSI_TUNNEL)) {
		memcpy(sent.pmsi, attrs->pmsi.p, attrs->pmsi.len);
		sent.pmsi_len = attrs->pmsi.len;
	}
}

/* What was sent since the last time is what FRR sent in this UPDATE. */
static void as_frr(int i)
{
	uint8_t body[300];
	struct parts p = split(body, hex_read(updates[i].body, body, sizeof(body)));
	struct span s = sent.withdraw ? p.unreach : p.reach;

	ck_assert_msg(same(sent.nlris, sent.nlris_len, s), "%s: routes %s", updates[i].what,
		hex_write(sent.nlris, sent.nlris_len));
	ck_assert_msg(same(sent.ecoms, sent.ecoms_len, p.ecoms), "%s: communities %s",
		updates[i].what, hex_write(sent.ecoms, sent.ecoms_len));
	ck_assert_msg(same(sent.pmsi, sent.pmsi_len, p.pmsi), "%s: PMSI %s", updates[i].what,
		hex_write(sent.pmsi, sent.pmsi_len));
	memset(&sent, 0, sizeof(sent));
}

static void hear(struct lans *ls, int i)
{
	uint8_t body[300];
	struct parts p = split(body, hex_read(updates[i].body, body, sizeof(body)));
	struct attrs a = {.present = ATTR_BIT(ATTR_EXT_COMMUNITIES),
		.ext_communities = p.ecoms,
		.next_hop = ip_of("10.99.0.2")};
	struct reader r = reader_of(p.reach.p, p.reach.len);
	const char *why;
	struct nlri n;

	ck_assert_int_eq(evpn_family.decode(&r, false, &n, &why), NLRI_OK);
	lans_route(ls, n.key, n.key_len, n.payload, n.payload_len, &a, false);
}

START_TEST(originates_as_frr)
{
	struct lan_hooks hooks = {.originate = record};
	struct lan_config c = world_config();
	struct lans *ls = lans_new(&hooks);
	struct ip none = {0};
	struct lan *lan;

	c.vtep = ip_of("10.99.0.1");
	c.rd = rd_of("10.99.0.1");
	ck_assert_int_eq(lans_add(ls, &c, &lan), 0);
	as_frr(1);
	lan_local_add(lan, mac_n(1), none, 0, true);
	lan_local_add(lan, mac_n(3), none, 0, true);
	as_frr(0);
	lan_local_add(lan, mac_n(1), ip_of(".1"), 0, true);
	as_frr(2);
	lan_local_add(lan, mac_n(3), ip_of("::3"), LAN_ROUTER, true);
	as_frr(3);
	lan_local_del(lan, mac_n(1), ip_of(".1"));
	memset(&sent, 0, sizeof(sent));
	hear(ls, 5);
	ck_assert(sent.withdraw);
	memset(&sent, 0, sizeof(sent));
	lan_local_add(lan, mac_n(1), none, 0, true);
	/* FRR sends its IPv6 binding in the same UPDATE; what we add, RFC 9047's community, is not
	 * in FRR's. */
	sent.nlris_len = 2 + 33;
	uint8_t body[300];
	struct parts p = split(body, hex_read(updates[6].body, body, sizeof(body)));
	ck_assert(memcmp(sent.nlris, p.reach.p, sent.nlris_len) == 0);
	ck_assert(same(sent.ecoms, sent.ecoms_len, p.ecoms));
	memset(&sent, 0, sizeof(sent));
	lan_local_add(lan, mac_n(0x63), none, LAN_STICKY, false);
	as_frr(4);
	lans_free(ls);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/golden");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, reads_and_writes, 0, sizeof(updates) / sizeof(updates[0]));
	tcase_add_test(tc, originates_as_frr);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
