/* What a reflector must leave alone besides the routes themselves: PMSI and communities of all
 * kinds, in any order; and what it keeps from a neighbour of the conservative profile. */
#include "tests/evpn/relay.h"

/* --- attributes --- */

START_TEST(every_pmsi)
{
	static const uint8_t id_len[] = {0, 12, 24, 8, 8, 8, 4, 0, 24, 24, 17, 7};
	struct world w;

	world_init(&w);
	for (unsigned kind = 0; kind < ROWS_OF(id_len); kind++)
		for (unsigned flags = 0; flags < 256; flags += 51)
			for (int v6 = 0; v6 < (kind == 6 ? 2 : 1); v6++) {
				size_t len = v6 ? 16 : id_len[kind];
				char pmsi[200];
				int n = snprintf(pmsi, sizeof(pmsi),
					ATTRS "%s c016%02zx %02x %02x %06x", "", 5 + len, flags,
					kind, (flags * 65793) & 0xffffff);
				for (size_t i = 0; i < len; i++)
					n += snprintf(pmsi + n, sizeof(pmsi) - (size_t)n, "%02zx",
						(16 * i + 7) & 0xff);
				char out[400];
				snprintf(out, sizeof(out), ATTRS REFLECTED "%s",
					pmsi + strlen(ATTRS));
				say(&w, false, GOOD1, pmsi);
				expect("PMSI", &w.to, '+', GOOD1, out);
				say(&w, true, GOOD1, "");
			}
	world_free(&w);
}
END_TEST

/* N10, N14: all 65 536 types and sub-types, known or not, transitive or not. */
START_TEST(every_extended_community)
{
	enum { EACH = 256 };
	struct octets nlri = octets_of(GOOD2), common = octets_of(ATTRS),
		      more = octets_of(REFLECTED);
	struct world w;

	world_init(&w);
	for (unsigned type = 0; type < 256; type++) {
		uint8_t ecs[4 + 8 * EACH] = {0xd0, 16, EACH * 8 >> 8, EACH * 8 & 0xff},
				    buf[BGP_MSG_MAX], rest[BGP_MSG_MAX];
		for (unsigned sub = 0; sub < EACH; sub++) {
			uint8_t ec[8] = {(uint8_t)type, (uint8_t)sub, 1, (uint8_t)(sub * 7), 0xff,
				0, (uint8_t)type, 8};
			memcpy(ecs + 4 + 8 * sub, ec, 8);
		}
		memcpy(rest, common.p, common.len);
		memcpy(rest + common.len, ecs, sizeof(ecs));
		raw_forget(&w.to);
		raw_rx(&w.from, buf,
			build(buf, false, nlri, (struct octets){rest, common.len + sizeof(ecs)}));
		drain(&w);
		size_t len =
			build(buf, false, nlri, (struct octets){rest, common.len + sizeof(ecs)});
		/* As it came, with what a reflector adds before the communities. */
		size_t head = len - sizeof(ecs);
		ck_assert_uint_eq(w.to.out_len, len + more.len);
		ck_assert_mem_eq(w.to.out + head, more.p, more.len);
		ck_assert_mem_eq(w.to.out + head + more.len, ecs, sizeof(ecs));
	}
	free(nlri.p);
	free(common.p);
	free(more.p);
	world_free(&w);
}
END_TEST

/* N31: in any order, with lengths of one or two octets, they come out the same. */
START_TEST(order_and_length_forms)
{
	static const char *const attr[][2] = {{"400101 00", "50010001 00"}, {"400200", "50020000"},
		{"400504 00000064", "50050004 00000064"},
		{"c01008 0002fde800000064", "d0100008 0002fde800000064"},
		{"c01609 00 06 000064 0a630002", "d0160009 00 06 000064 0a630002"},
		{"800e1c 001946 04 0a630002 00" GOOD1, "900e001c 001946 04 0a630002 00" GOOD1}};
	struct world w;

	world_init(&w);
	for (unsigned turn = 0; turn < 720; turn++) {
		char attrs[600] = "";
		unsigned left = 0x3f, n = turn;
		for (unsigned i = 6; i; i--) {
			unsigned at = n % i, k = 0;
			n /= i;
			for (; !(left >> k & 1) || at; k++)
				at -= left >> k & 1;
			left &= ~(1u << k);
			strcat(attrs, attr[k][turn >> k & 1]);
		}
		struct octets o = octets_of(attrs);
		uint8_t buf[BGP_MSG_MAX];
		struct writer wr = writer_of(buf, sizeof(buf));
		size_t mark = bgp_msg_begin(&wr, BGP_UPDATE);
		writer_u16(&wr, 0);
		writer_u16(&wr, (uint16_t)o.len);
		writer_bytes(&wr, o.p, o.len);
		bgp_msg_finish(&wr, mark);
		raw_forget(&w.to);
		raw_rx(&w.from, buf, writer_len(&wr));
		drain(&w);
		free(o.p);
		expect("order", &w.to, '+', GOOD1,
			ATTRS REFLECTED RT "c01609 00 06 000064 0a630002");
		say(&w, true, GOOD1, "");
	}
	world_free(&w);
}
END_TEST

/* --- the conservative profile --- */

#define IMET4 "03 11" RD TAG "20 0a630002 "
#define IMET6 "03 1d" RD TAG "80" V6
#define ES6 "04 23" RD ESI1 "80" V6
#define PMSI_OK "c01609 00 06 000064 0a630002 "
#define PMSI_BIER "c0160c 00 0b 000064 01020304050607 "
#define PMSI_IPV6 "c01615 00 06 000064" V6

static uint64_t withheld(const struct world *w)
{
	return raw_view(&w->frr).withheld;
}

START_TEST(conservative_withholds)
{
	struct world w;

	world_init(&w);
	/* Neither announced nor withdrawn: the key itself ends FRR's session. */
	say(&w, false, IMET6 ES6, ATTRS RT);
	expect("to all", &w.to, '+', IMET6 ES6, ATTRS REFLECTED RT);
	expect("not to FRR", &w.frr, 0, "", "");
	ck_assert_uint_eq(withheld(&w), 2);
	say(&w, true, IMET6 ES6, "");
	expect("to all", &w.to, '-', IMET6 ES6, "");
	expect("not to FRR", &w.frr, 0, "", "");
	/* An IMET with a tunnel that FRR does not read; then one that it does, and back. */
	say(&w, false, IMET4, ATTRS RT PMSI_BIER);
	expect("BIER", &w.to, '+', IMET4, ATTRS REFLECTED RT PMSI_BIER);
	ck_assert_uint_eq(withheld(&w), 3);
	say(&w, false, IMET4, ATTRS RT PMSI_OK);
	expect("IPv4", &w.frr, '+', IMET4, ATTRS REFLECTED RT PMSI_OK);
	ck_assert_uint_eq(withheld(&w), 3);
	say(&w, false, IMET4, ATTRS RT PMSI_IPV6);
	expect("IPv6", &w.to, '+', IMET4, ATTRS REFLECTED RT PMSI_IPV6);
	expect("IPv6", &w.frr, '-', IMET4, "");
	ck_assert_uint_eq(withheld(&w), 4);
	/* Without one it is told; a MAC's route is told without the attribute. */
	say(&w, false, IMET4, ATTRS RT);
	expect("none", &w.frr, '+', IMET4, ATTRS REFLECTED RT);
	say(&w, false, GOOD2, ATTRS RT PMSI_BIER);
	expect("MAC", &w.frr, '+', GOOD2, ATTRS REFLECTED RT);
	world_free(&w);
}
END_TEST

/* One that comes later is told the same: it walks the RIB by itself. */
START_TEST(conservative_latecomer)
{
	struct bgp_open o = raw_open();
	struct neighbor_config n = raw_neighbor();
	struct raw late = {.now = 5000, .window = SIZE_MAX};
	struct world w;

	world_init(&w);
	say(&w, false, IMET6 ES6, ATTRS RT);
	say(&w, false, IMET4, ATTRS RT PMSI_BIER);
	say(&w, false, GOOD2, ATTRS RT);
	late.s = w.from.s;
	n.address = ip_v4_u32(RAW_PEER + 9);
	n.conservative = true;
	o.bgp_id = RAW_PEER + 9;
	ck_assert_int_eq(speaker_add_neighbor(late.s, &n, late.now, &late.n), 0);
	late.c = raw_call(&late, RAW_PEER + 9);
	raw_drain(&late);
	raw_rx_open(&late, &o);
	raw_forget(&late);
	raw_rx_keepalive(&late);
	struct octets want = octets_of(GOOD2);
	char *got = hex_of(late.out, late.out_len), *has = hex_of(want.p, want.len);
	ck_assert_ptr_nonnull(strstr(got, has));
	ck_assert_ptr_null(strstr(got, "031d00010a630002"));
	ck_assert_ptr_null(strstr(got, "042300010a630002"));
	ck_assert_ptr_null(strstr(got, "031100010a630002"));
	ck_assert_uint_eq(raw_view(&late).withheld, 3);
	free(got);
	free(has);
	free(want.p);
	free(late.out);
	world_free(&w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/relay_attrs");
	TCase *t = tcase_create("relay");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, every_pmsi);
	tcase_add_test(t, every_extended_community);
	tcase_add_test(t, order_and_length_forms);
	tcase_add_test(t, conservative_withholds);
	tcase_add_test(t, conservative_latecomer);
	suite_add_tcase(s, t);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
